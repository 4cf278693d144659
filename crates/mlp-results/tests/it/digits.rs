//! A small network on synthetic digits.

use std::ops::ControlFlow;

use mlp_core::{Kernel, Workers};
use mlp_train::{Inputs, Run, Samples, Setup, TargetEncoding, Targets, TrainConfig, train};
use mnist_io::synthetic_digits;

/// Trains on 60 digits and tests on 30.
pub(crate) fn trained(config: &TrainConfig) -> Run<f32> {
    let (train_digits, test_digits) = (synthetic_digits(60, 0), synthetic_digits(30, 1));
    let codebook = TargetEncoding::Ascii.codebook(&train_digits.classes);
    let [train_samples, test_samples] = [&train_digits, &test_digits].map(|digits| Samples {
        inputs: Inputs::Pixels(digits.pixels()),
        targets: Targets::labels(&digits.labels, &codebook),
        weights: None,
    });
    let workers = Workers::new(1);
    let setup = Setup { workers: &workers, kernel: Kernel::detect(), initial: None };
    let run = train(config, &train_samples, Some(&test_samples), setup, &mut |_| ControlFlow::Continue(()));
    run.expect("the configuration suits the data")
}
