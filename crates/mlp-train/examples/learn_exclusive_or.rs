//! Learns exclusive or, the smallest problem that needs a hidden layer, from an array made up on the spot.
//!
//! ```text
//! cargo run --release -p mlp-train --example learn_exclusive_or
//! ```

use std::ops::ControlFlow;

use mlp_train::mlp_core::{Activation, Kernel, Reduction, Workers};
use mlp_train::ndarray::array;
use mlp_train::{EvaluateTrain, Inputs, Precision, Progress, Samples, Setup, Targets, TrainConfig, train};

fn main() -> mlp_train::Result<()> {
    let inputs = array![[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]];
    let targets = array![[0.0], [1.0], [1.0], [0.0]];
    let samples =
        Samples { inputs: Inputs::Values(inputs.view()), targets: Targets::Values(targets.view()), weights: None };
    let config = TrainConfig::new()
        .hidden([4])
        .activation([Activation::Tanh])
        .reduction(Reduction::Sum)
        .precision(Precision::F64)
        .learning_rate(0.05)
        .batch_size(4)
        .epochs(200)
        .evaluate_train(EvaluateTrain::All);

    let workers = Workers::new(1);
    let setup = Setup { workers: &workers, kernel: Kernel::detect(), initial: None };
    let run = train(&config, &samples, None, setup, &mut |progress| {
        if let Progress::Epoch(record) = progress
            && record.epoch % 20 == 0
        {
            println!("epoch {:3}: loss {:.4}", record.epoch, record.train.loss);
        }
        ControlFlow::Continue(())
    })?;
    println!("answers: {:.3}", run.mlp.forward(inputs.view()).column(0));
    Ok(())
}
