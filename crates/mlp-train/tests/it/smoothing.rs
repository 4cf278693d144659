//! Smoothed labels.

use std::ops::ControlFlow;

use mlp_core::{Activation, Kernel, Loss, Workers};
use mlp_train::{Inputs, Precision, Samples, Setup, TargetEncoding, Targets, TrainConfig, train};
use ndarray::Array2;

use crate::problems::{Blobs, Xor, run};

fn softmax() -> TrainConfig {
    Blobs::config()
        .encoding(TargetEncoding::OneHot)
        .output_activation(Activation::Softmax)
        .loss(Loss::SoftmaxCrossEntropy)
}

/// A batch of one is descended on by another path, and the reference is a third.
#[test]
fn training_on_smoothed_labels_is_training_on_these_numbers() {
    let one_hot = Blobs::new(60, 0).encoded(TargetEncoding::OneHot);
    let ascii = Blobs::new(60, 0);
    for (config, blobs, [no, yes]) in [(softmax(), &one_hot, [0.02, 0.82]), (Blobs::config(), &ascii, [0.1, 0.9])] {
        let config = config.precision(Precision::F64).epochs(2).schedule(mlp_train::Schedule::Constant);
        let values = blobs.pixels.mapv(|pixel| f64::from(pixel) / 255.0);
        let targets = Array2::from_shape_fn((60, blobs.codebook.n_bits()), |(sample, bit)| {
            if blobs.codebook.codes[[usize::from(blobs.labels[sample]), bit]] == 1 { yes } else { no }
        });
        let numbers =
            Samples { inputs: Inputs::Values(values.view()), targets: Targets::Values(targets.view()), weights: None };
        for (batch_size, kernel) in [(16, Kernel::detect()), (1, Kernel::detect()), (16, Kernel::Reference)] {
            let weights = |config: &TrainConfig, samples: &Samples<'_, f64>| {
                let workers = Workers::new(1);
                let setup = Setup { workers: &workers, kernel, initial: None };
                let config = config.clone().batch_size(batch_size);
                let config = if batch_size == 1 { config.optimizer(mlp_train::Optimizer::Sgd) } else { config };
                train(&config, samples, None, setup, &mut |_| ControlFlow::Continue(())).unwrap().mlp
            };
            let found = weights(&config.clone().label_smoothing(0.2), &blobs.samples());
            let expected = weights(&config, &numbers);
            for (found, expected) in found.layers.iter().zip(&expected.layers) {
                let differences = &found.weights - &expected.weights;
                assert!(differences.iter().all(|difference| difference.abs() < 1e-12), "batches of {batch_size}");
            }
            assert_ne!(weights(&config, &blobs.samples()), found);
        }
    }
}

/// The loss of a net that is sure and right is 0 against the labels, however it was trained.
#[test]
fn metrics_take_the_labels_as_they_are() {
    let blobs = Blobs::new(100, 0).encoded(TargetEncoding::OneHot);
    let measured = |config: &TrainConfig| run::<f32>(&config.clone().epochs(0), &blobs.samples(), None).history;
    let (plain, smoothed) = (measured(&softmax()), measured(&softmax().label_smoothing(0.3)));
    assert_eq!(plain.epochs, smoothed.epochs);
    let trained = run::<f32>(&softmax().label_smoothing(0.3), &blobs.samples(), Some(&blobs.samples()));
    assert!(trained.evaluation.unwrap().metrics.accuracy.unwrap() > 0.9);
}

#[test]
fn smoothing_is_refused_where_there_are_no_labels() {
    let workers = Workers::new(1);
    let setup = Setup { workers: &workers, kernel: Kernel::detect(), initial: None };
    let config = Xor::config().label_smoothing(0.1);
    let refused = train(&config, &Xor::new().samples(), None, setup, &mut |_| ControlFlow::Continue(()));
    let message = refused.unwrap_err().to_string();
    assert_eq!(message, "configuration: label_smoothing: expected 0 for samples without labels, found 0.1");
}
