//! What dropout and bounded weights do to a run.

use mlp_core::ndarray::Axis;
use mlp_core::{Activation, Loss};
use mlp_train::{Averaging, Optimizer, Precision, TrainConfig, weights_sha256};

use crate::problems::{Blobs, run};

fn config() -> TrainConfig {
    Blobs::config().hidden([30, 20]).activation([Activation::Relu]).optimizer(Optimizer::ADAM).epochs(12)
}

#[test]
fn what_is_measured_is_the_whole_network() {
    let blobs = Blobs::new(300, 0);
    let samples = blobs.samples::<f32>();
    let [plain, dropped] =
        [config(), config().dropout([0.5]).input_dropout(0.2)].map(|config| run::<f32>(&config, &samples, None));
    // Before training nothing differs, afterwards the network does.
    assert_eq!(plain.history.epochs[0], dropped.history.epochs[0]);
    assert_ne!(weights_sha256(&plain.mlp), weights_sha256(&dropped.mlp));
    let last = &dropped.history.epochs[12].train;
    let by_hand = dropped.mlp.forward(blobs.pixels.mapv(|pixel| f32::from(pixel) / 255.0).view());
    let wrong_bits = by_hand.axis_iter(Axis(0)).enumerate().map(|(sample, outputs)| {
        let code = blobs.codebook.codes.row(usize::from(blobs.labels[sample]));
        outputs.iter().zip(&code).filter(|(output, bit)| (**output >= 0.5) != (**bit != 0)).count()
    });
    let accuracy = 1.0 - wrong_bits.sum::<usize>() as f64 / by_hand.len() as f64;
    assert_eq!(Some(accuracy), last.bit_accuracy);
    assert!(accuracy > 0.75, "{accuracy}");
}

#[test]
fn a_rate_of_0_and_a_bound_that_is_not_reached_change_no_bit() {
    let blobs = Blobs::new(100, 0);
    let samples = blobs.samples::<f32>();
    let trained = |config: &TrainConfig| weights_sha256(&run::<f32>(config, &samples, None).mlp);
    let plain = trained(&config());
    assert_eq!(trained(&config().dropout([0.0, 0.0])), plain);
    assert_eq!(trained(&config().max_norm(1e6)), plain);
    assert_ne!(trained(&config().dropout([0.0, 0.1])), plain);
    assert_ne!(trained(&config().dropout([0.1, 0.0])), trained(&config().dropout([0.0, 0.1])));
    assert_ne!(trained(&config().input_dropout(0.1)), plain);
}

#[test]
fn no_unit_of_a_trained_network_has_longer_weights_than_the_bound() {
    let blobs = Blobs::new(100, 0);
    let samples = blobs.samples::<f64>();
    for batch_size in [1, 16] {
        for average in [None, Some(Averaging::Ema { decay: 0.9 }), Some(Averaging::Mean { epochs: 3 })] {
            let config = config().precision(Precision::F64).batch_size(batch_size).max_norm(0.7).average(average);
            let mlp = run::<f64>(&config.dropout([0.2]), &samples, None).mlp;
            let columns = mlp.layers.iter().flat_map(|layer| layer.weights.columns());
            let norms: Vec<f64> = columns.map(|weights| weights.dot(&weights).sqrt()).collect();
            assert!(norms.iter().all(|&norm| norm < 0.7 * (1.0 + 1e-12)), "{average:?}");
            // Of a mean of weights the norm is at most the mean of theirs.
            assert!(norms.iter().any(|&norm| norm > 0.69), "{average:?}");
        }
    }
}

#[test]
fn the_loss_so_far_is_that_of_what_was_not_left_out() {
    let blobs = Blobs::new(200, 0);
    let samples = blobs.samples::<f64>();
    let config = config().precision(Precision::F64).loss(Loss::CrossEntropy).optimizer(Optimizer::Sgd).epochs(1);
    let loss_of_first_batch = |config: &TrainConfig| {
        let workers = mlp_core::Workers::new(1);
        let setup = mlp_train::Setup { workers: &workers, kernel: mlp_core::Kernel::detect(), initial: None };
        let mut loss = None;
        mlp_train::train(config, &samples, None, setup, &mut |progress| {
            if let mlp_train::Progress::Batch { loss_so_far, .. } = progress {
                loss = loss.or(Some(loss_so_far));
            }
            std::ops::ControlFlow::Continue(())
        })
        .unwrap();
        loss.unwrap()
    };
    assert_ne!(loss_of_first_batch(&config), loss_of_first_batch(&config.clone().dropout([0.5])));
}
