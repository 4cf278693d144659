//! The mean of the weights is what is measured, kept and saved; and clipped steps.

use std::ops::ControlFlow;

use mlp_core::{Kernel, Mlp, Workers};
use mlp_train::{
    Averaging, Optimizer, Precision, Progress, Run, Schedule, Setup, TrainConfig, evaluate, train_resumable,
    weights_sha256,
};

use crate::problems::{Blobs, run};

fn config() -> TrainConfig {
    Blobs::config().precision(Precision::F64).epochs(4).batch_size(25)
}

/// A run, and the networks as they were trained: after each batch, and after each epoch from 0 on.
fn watched(config: &TrainConfig, blobs: &Blobs) -> (Run<f64>, Vec<Mlp<f64>>, Vec<Mlp<f64>>) {
    let (mut batches, mut epochs) = (Vec::new(), Vec::new());
    let (samples, workers) = (blobs.samples(), Workers::new(1));
    let setup = Setup { workers: &workers, kernel: Kernel::detect(), initial: None };
    let run = train_resumable(config, &samples, Some(&samples), setup, None, &mut |progress, moment| {
        let networks = if matches!(progress, Progress::Epoch(_)) { &mut epochs } else { &mut batches };
        networks.push(moment.network());
        ControlFlow::Continue(())
    });
    (run.unwrap(), batches, epochs)
}

fn check_mean(found: &Mlp<f64>, networks: &[Mlp<f64>], factors: &[f64]) {
    let total: f64 = factors.iter().sum();
    for (index, layer) in found.layers.iter().enumerate() {
        let terms = networks.iter().zip(factors).map(|(network, factor)| &network.layers[index].weights * *factor);
        let mean = terms.reduce(|sum, term| sum + term).unwrap() / total;
        let difference = (&layer.weights - &mean).mapv(f64::abs);
        assert!(difference.iter().all(|difference| *difference < 1e-13), "{difference}");
    }
}

#[test]
fn the_exponential_mean_weighs_the_networks_of_all_steps_and_no_others() {
    let blobs = Blobs::new(75, 0);
    let (run, batches, _) = watched(&config().average(Averaging::Ema { decay: 0.8 }), &blobs);
    assert_eq!(batches.len(), 12);
    let factors: Vec<f64> = (0..12).map(|step| 0.8_f64.powi(11 - step)).collect();
    check_mean(&run.mlp, &batches, &factors);
}

#[test]
fn the_mean_of_the_last_epochs_is_the_mean_of_their_networks_with_single_samples_too() {
    let blobs = Blobs::new(75, 0);
    for config in [config(), config().batch_size(1).optimizer(Optimizer::Sgd)] {
        let config = config.average(Averaging::Mean { epochs: 3 });
        let (run, _, epochs) = watched(&config, &blobs);
        check_mean(&run.mlp, &epochs[2..], &[1.0; 3]);
        // Before the last epochs the network is measured as it is.
        let (samples, workers) = (blobs.samples(), Workers::new(1));
        let measured = |mlp| evaluate(mlp, &samples, config.objective(), &workers, Kernel::detect()).metrics;
        for epoch in [0, 1] {
            assert_eq!(run.history.epochs[epoch].test.as_ref(), Some(&measured(&epochs[epoch])));
        }
        assert_ne!(run.history.epochs[4].test.as_ref(), Some(&measured(&epochs[4])));
        assert_eq!(run.history.epochs[4].test.as_ref(), Some(&measured(&run.mlp)));
        assert_eq!(run.evaluation.unwrap().metrics, measured(&run.mlp));
    }
}

#[test]
fn the_steps_are_those_of_a_run_without_a_mean() {
    let blobs = Blobs::new(75, 0);
    let (plain, _, plain_epochs) = watched(&config(), &blobs);
    for average in [Averaging::Ema { decay: 0.9 }, Averaging::Mean { epochs: 1 }] {
        let (averaged, _, epochs) = watched(&config().average(average), &blobs);
        assert_eq!(epochs, plain_epochs);
        assert_eq!(averaged.mlp == plain.mlp, average == Averaging::Mean { epochs: 1 });
    }
    // Without memory the mean is the network.
    let (forgetful, _, _) = watched(&config().average(Averaging::Ema { decay: 0.0 }), &blobs);
    assert_eq!(forgetful.history.epochs, plain.history.epochs);
    assert_eq!(weights_sha256(&forgetful.mlp), weights_sha256(&plain.mlp));
}

#[test]
fn a_mean_of_noisy_steps_is_better_than_the_last_of_them() {
    let (blobs, test) = (Blobs::new(1_000, 0), Blobs::new(1_000, 1));
    // A linear model has one minimum, around which its steps end.
    let noisy = Blobs::config().hidden([]).optimizer(Optimizer::Sgd).schedule(Schedule::Constant);
    let noisy = noisy.learning_rate(2.0).batch_size(4).epochs(30);
    let loss = |config: &TrainConfig| {
        run::<f32>(config, &blobs.samples(), Some(&test.samples())).evaluation.unwrap().metrics.loss
    };
    let plain = loss(&noisy);
    for average in [Averaging::Ema { decay: 0.99 }, Averaging::Mean { epochs: 15 }] {
        let averaged = loss(&noisy.clone().average(average));
        assert!(averaged < plain, "{average:?}: {averaged}, {plain}");
    }
}

#[test]
fn no_step_of_descent_is_longer_than_the_rate_times_the_bound() {
    let blobs = Blobs::new(75, 0);
    for batch_size in [1, 25] {
        let config = config().optimizer(Optimizer::Sgd).schedule(Schedule::Constant).learning_rate(0.5);
        let (clipped, batches, epochs) = watched(&config.clone().batch_size(batch_size).clip_norm(0.1), &blobs);
        let (free, _, _) = watched(&config.batch_size(batch_size), &blobs);
        assert_ne!(clipped.mlp, free.mlp);
        let mut networks = vec![epochs[0].clone()];
        networks.extend(batches);
        for pair in networks.windows(2) {
            let squares = pair[0].layers.iter().zip(&pair[1].layers).map(|(before, after)| {
                let weights = (&after.weights - &before.weights).mapv(|step| step * step).sum();
                let biases = before.bias.iter().flatten().zip(after.bias.iter().flatten());
                weights + biases.map(|(before, after)| (after - before).powi(2)).sum::<f64>()
            });
            let length = squares.sum::<f64>().sqrt();
            assert!(length < 0.05 * (1.0 + 1e-12), "{length}");
        }
    }
}

#[test]
fn a_bound_that_no_gradient_reaches_changes_no_bit() {
    let blobs = Blobs::new(75, 0);
    let [free, bounded] = [None, Some(1e6)].map(|norm| watched(&config().clip_norm(norm), &blobs).0);
    assert_eq!(weights_sha256(&free.mlp), weights_sha256(&bounded.mlp));
    assert_eq!(free.history.epochs, bounded.history.epochs);
}
