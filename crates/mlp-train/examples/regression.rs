//! Learns a function from noisy measurements of it: numbers in, numbers out, no classes.
//!
//! ```text
//! cargo run --release -p mlp-train --example regression
//! ```

use std::ops::ControlFlow;

use mlp_train::mlp_core::rand_chacha::ChaCha8Rng;
use mlp_train::mlp_core::rand_chacha::rand_core::{RngCore, SeedableRng};
use mlp_train::mlp_core::{Activation, Kernel, Loss, Workers};
use mlp_train::ndarray::Array2;
use mlp_train::{Inputs, Precision, Result, Samples, Setup, Targets, TrainConfig, train};

/// Measurements are off by up to so much, evenly: by 0.058 in the root mean square.
const NOISE: f64 = 0.1;

fn main() -> Result<()> {
    println!("the function is met to within {:.3} in the root mean square", learn()?);
    Ok(())
}

/// Trains on noisy values, and returns the root mean squared error on true ones.
pub(crate) fn learn() -> Result<f64> {
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let (inputs, targets) = measured(1_000, NOISE, &mut rng);
    let (test_inputs, test_targets) = measured(500, 0.0, &mut rng);

    // For numbers without bounds: outputs as they are, and their squared difference from the targets.
    let config = TrainConfig::new()
        .hidden([32])
        .activation([Activation::Tanh])
        .output_activation(Activation::Identity)
        .loss(Loss::Squared)
        .precision(Precision::F64)
        .learning_rate(0.01)
        .batch_size(20)
        .epochs(60);
    let samples =
        Samples { inputs: Inputs::Values(inputs.view()), targets: Targets::Values(targets.view()), weights: None };
    let test = Samples {
        inputs: Inputs::Values(test_inputs.view()),
        targets: Targets::Values(test_targets.view()),
        weights: None,
    };

    let workers = Workers::new(1);
    let setup = Setup { workers: &workers, kernel: Kernel::detect(), initial: None };
    let run = train(&config, &samples, Some(&test), setup, &mut |_| ControlFlow::Continue(()))?;
    Ok(run.evaluation.map_or(f64::NAN, |evaluation| evaluation.metrics.rmse))
}

/// y = sin(2·x₁)·x₂, with x₁ and x₂ from −1 to 1.
fn measured(n_samples: usize, noise: f64, rng: &mut ChaCha8Rng) -> (Array2<f64>, Array2<f64>) {
    let mut between_minus_one_and_one = || f64::from(rng.next_u32()) / f64::from(u32::MAX) * 2.0 - 1.0;
    let inputs = Array2::from_shape_simple_fn((n_samples, 2), &mut between_minus_one_and_one);
    let targets = Array2::from_shape_fn((n_samples, 1), |(row, _)| {
        (2.0 * inputs[[row, 0]]).sin() * inputs[[row, 1]] + noise * between_minus_one_and_one()
    });
    (inputs, targets)
}
