//! The same configuration gives the same weights.

use std::ops::ControlFlow;

use mlp_core::{Kernel, Workers};
use mlp_train::{
    Averaging, ClassWeights, Inputs, Optimizer, Samples, Schedule, Setup, Targets, TrainConfig, ValidationMetric,
    ValidationSplit, dropout_key, shuffle_for_epoch, train, weights_sha256,
};

use crate::problems::Blobs;

fn sha256_with(n_threads: usize, config: &TrainConfig, samples: &Samples<'_, f32>) -> (String, Vec<f64>) {
    let workers = Workers::new(n_threads);
    let setup = Setup { workers: &workers, kernel: Kernel::detect(), initial: None };
    let run = train(config, samples, Some(samples), setup, &mut |_| ControlFlow::Continue(())).unwrap();
    (weights_sha256(&run.mlp), run.history.epochs.iter().map(|epoch| epoch.train.loss).collect())
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    let blobs = Blobs::new(403, 0);
    for (optimizer, batch_size) in
        [(Optimizer::Sgd, 1), (Optimizer::Momentum { momentum: 0.9 }, 100), (Optimizer::ADAM, 64)]
    {
        let config = Blobs::config().optimizer(optimizer).batch_size(batch_size).epochs(3).hidden([40, 24]);
        check_threads(&config, &blobs);
    }
}

#[test]
fn the_number_of_threads_changes_no_bit_with_smoothed_labels_and_schedules_that_rise() {
    let blobs = Blobs::new(403, 0);
    let plateau = Schedule::Plateau { metric: ValidationMetric::Loss, patience: 1, factor: 0.5, floor: 0.0 };
    for schedule in [Schedule::OneCycle { rise: 0.3, start: 0.04, floor: 0.0 }, plateau] {
        let config = Blobs::config().schedule(schedule).label_smoothing(0.1).epochs(4).hidden([40, 24]);
        let config = config.validation(80).validation_split(ValidationSplit::Stratified).learning_rate(0.1);
        check_threads(&config, &blobs);
        check_threads(&config.class_weights(ClassWeights::Balanced), &blobs);
    }
}

#[test]
fn the_number_of_threads_changes_no_bit_of_clipped_steps_and_means() {
    let blobs = Blobs::new(403, 0);
    for average in [Averaging::Ema { decay: 0.99 }, Averaging::Mean { epochs: 2 }] {
        for (optimizer, batch_size) in [(Optimizer::Sgd, 1), (Optimizer::ADAM, 64)] {
            let config = Blobs::config().optimizer(optimizer).batch_size(batch_size).epochs(3).hidden([40, 24]);
            check_threads(&config.clone().average(average), &blobs);
            check_threads(&config.average(average).clip_norm(0.1), &blobs);
        }
    }
}

#[test]
fn the_number_of_threads_changes_no_bit_of_what_is_left_out_and_bounded() {
    let blobs = Blobs::new(403, 0);
    for (optimizer, batch_size) in
        [(Optimizer::Sgd, 1), (Optimizer::Momentum { momentum: 0.9 }, 200), (Optimizer::ADAM, 64)]
    {
        let config = Blobs::config().optimizer(optimizer).batch_size(batch_size).epochs(3).hidden([140, 24]);
        check_threads(&config.dropout([0.5]).input_dropout(0.2).max_norm(1.0), &blobs);
    }
}

fn check_threads(config: &TrainConfig, blobs: &Blobs) {
    let one = sha256_with(1, config, &blobs.samples());
    assert_eq!(one, sha256_with(2, config, &blobs.samples()), "2 threads");
    assert_eq!(one, sha256_with(4, config, &blobs.samples()), "4 threads");
}

#[test]
fn pixels_and_the_same_numbers_as_values_give_the_same_weights() {
    let blobs = Blobs::new(100, 0);
    let values = blobs.pixels.mapv(|pixel| f32::from(pixel) / 255.0);
    let columns = values.clone().reversed_axes().as_standard_layout().into_owned().reversed_axes();
    let targets = ndarray::Array2::from_shape_fn((100, 6), |(sample, bit)| {
        f32::from(blobs.codebook.codes[[usize::from(blobs.labels[sample]), bit]])
    });
    let config = Blobs::config().epochs(2);
    let expected = sha256_with(1, &config, &blobs.samples());
    for values in [values.view(), columns.view()] {
        let samples =
            Samples { inputs: Inputs::Values(values), targets: Targets::Values(targets.view()), weights: None };
        assert_eq!(sha256_with(1, &config, &samples), expected);
    }
}

#[test]
fn the_seed_decides_and_watching_does_not() {
    let blobs = Blobs::new(100, 0);
    let config = Blobs::config().epochs(2);
    let first = sha256_with(1, &config, &blobs.samples());
    assert_eq!(first, sha256_with(1, &config, &blobs.samples()));
    let other = config.seed(1);
    assert_ne!(first, sha256_with(1, &other, &blobs.samples()));
}

/// Changing what is measured must not change what is learnt.
#[test]
fn measuring_more_samples_changes_no_weight() {
    let blobs = Blobs::new(100, 0);
    let config = Blobs::config().epochs(2);
    let less = config.clone().evaluate_train(mlp_train::EvaluateTrain::Count(1));
    assert_eq!(sha256_with(1, &config, &blobs.samples()).0, sha256_with(1, &less, &blobs.samples()).0);
}

/// `tests/golden/shuffle.py` computes the same orders.
#[test]
fn the_order_of_an_epoch_is_fixed_for_ever() {
    let order = |n_samples: usize, seed, epoch| {
        let mut order: Vec<usize> = (0..n_samples).collect();
        shuffle_for_epoch(&mut order, seed, epoch);
        order
    };
    assert_eq!(order(10, 0, 1), [6, 2, 5, 7, 4, 3, 8, 0, 1, 9]);
    assert_eq!(order(10, 0, 2), [1, 2, 7, 5, 6, 0, 4, 9, 8, 3]);
    assert_eq!(order(10, 1, 1), [2, 5, 3, 9, 1, 6, 4, 0, 7, 8]);
    assert_eq!(order(1, 0, 1), [0]);
    assert_eq!(order(0, 0, 1), [0_usize; 0]);
}

/// `tests/golden/shuffle.py` computes the same keys.
#[test]
fn the_key_of_what_a_step_leaves_out_is_fixed_for_ever() {
    assert_eq!(dropout_key(0, 1), 0x680f_b15e_3aaa_c993);
    assert_eq!(dropout_key(0, 2), 0x9b6b_3876_7242_398f);
    assert_eq!(dropout_key(5, 3), 0x63d6_30c2_c0f5_12e1);
    assert_eq!(dropout_key(1, 1 << 40), 0xbe1f_baa8_f2c7_5688);
}

/// With 4 samples there are 24 orders; each should come up equally often.
#[test]
fn every_order_is_equally_likely() {
    let mut counts = std::collections::HashMap::new();
    for epoch in 0..24_000 {
        let mut order = [0, 1, 2, 3];
        shuffle_for_epoch(&mut order, 7, epoch);
        *counts.entry(order).or_insert(0_i32) += 1;
    }
    assert_eq!(counts.len(), 24);
    // The standard deviation of each count is about 31.
    assert!(counts.values().all(|count| (count - 1_000).abs() < 150), "{counts:?}");
}
