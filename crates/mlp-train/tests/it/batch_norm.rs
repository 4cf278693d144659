//! Runs with batch normalisation.

use std::ops::ControlFlow;

use mlp_core::{Activation, BatchNorm, Kernel, Mlp, Workers};
use mlp_train::{
    Averaging, Checkpoint, ClassWeights, EarlyStopping, History, Optimizer, Outcome, Precision, Probe, Progress, Run,
    Samples, Schedule, Setup, TrainConfig, Trainable, Unfolded, ValidationMetric, diagnose, evaluate, train,
    train_resumable, weights_sha256,
};
use ndarray::Array1;
use serde_json::{Map, Value, json};
use tempfile::tempdir;

use crate::checkpoint::{OPTIMIZERS, stopped};
use crate::problems::{Blobs, run};

/// Three epochs of six batches, the last of each smaller.
pub(crate) fn config() -> TrainConfig {
    Blobs::config().hidden([9, 7]).batch_size(14).epochs(3).learning_rate(0.02).l2(1e-4).batch_norm(true)
}

fn everything() -> TrainConfig {
    config().dropout([0.3, 0.1]).input_dropout(0.1).clip_norm(0.3).max_norm(0.8).l1(1e-4).label_smoothing(0.1)
}

const ADAMW: Optimizer = Optimizer::AdamW { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, decay: 0.01 };
fn with_threads<F: Trainable>(config: &TrainConfig, samples: &Samples<'_, F>, kernel: Kernel, n: usize) -> Run<F> {
    let workers = Workers::new(n);
    let setup = Setup { workers: &workers, kernel, initial: None };
    train(config, samples, Some(samples), setup, &mut |_| ControlFlow::Continue(())).unwrap()
}

fn fast_kernels() -> impl Iterator<Item = Kernel> {
    Kernel::ALL.into_iter().filter(|kernel| kernel.is_supported() && *kernel != Kernel::Reference)
}

/// All but the seconds.
fn content<F: Trainable>(run: &Run<F>) -> (String, Option<Unfolded<F>>, Outcome, History) {
    let history = History { seconds_train: Vec::new(), seconds_evaluate: Vec::new(), ..run.history.clone() };
    (weights_sha256(&run.mlp), run.unfolded.clone(), run.outcome, history)
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    let blobs = Blobs::new(403, 0);
    let large = everything().hidden([140, 70]).batch_size(200).class_weights(ClassWeights::Balanced);
    let large = large.average(Averaging::Ema { decay: 0.9 }).optimizer(Optimizer::ADAM);
    let cycle = Schedule::OneCycle { rise: 0.3, start: 0.04, floor: 0.0 };
    let small = config().batch_size(33).schedule(cycle).optimizer(Optimizer::Momentum { momentum: 0.9 });
    for config in [large, small, config().bias(false).batch_size(64), config().precision(Precision::Bf16)] {
        for kernel in fast_kernels() {
            let one = content(&with_threads::<f32>(&config, &blobs.samples(), kernel, 1));
            for n_threads in [2, 3, 7] {
                let found = content(&with_threads::<f32>(&config, &blobs.samples(), kernel, n_threads));
                assert_eq!(found, one, "{kernel}, {n_threads} threads");
            }
        }
    }
}

pub(crate) fn owner() -> Map<String, Value> {
    json!({ "trial": "a" }).as_object().cloned().unwrap()
}

/// Stops at every call of the observer, goes on through a file, and compares with the undisturbed run.
fn check_every_moment<F: Trainable>(config: &TrainConfig) {
    let blobs = Blobs::new(75, 0);
    let samples = blobs.samples::<F>();
    let whole = content(&run(config, &samples, Some(&samples)));
    let folder = tempdir().unwrap();
    let path = folder.path().join("c.safetensors");
    for n_calls in 1.. {
        let (_, Some(checkpoint)) = stopped::<F>(config, &samples, None, n_calls) else {
            assert!(n_calls > 15, "{n_calls} moments");
            return;
        };
        checkpoint.write(&path, &owner()).unwrap();
        let read = Checkpoint::read(&path, config, &owner()).unwrap();
        assert_eq!(read, checkpoint);
        let (rest, _) = stopped(config, &samples, Some(read), usize::MAX);
        assert_eq!(content(&rest), whole, "{config:?}, stopped at call {n_calls}");
    }
}

#[test]
fn a_run_stopped_at_any_batch_ends_as_if_it_had_not_been() {
    for optimizer in OPTIMIZERS {
        check_every_moment::<f32>(&config().optimizer(optimizer));
    }
    check_every_moment::<f64>(&config().precision(Precision::F64).bias(false));
    check_every_moment::<f32>(&config().precision(Precision::Bf16));
    for average in [Averaging::Ema { decay: 0.9 }, Averaging::Mean { epochs: 2 }] {
        check_every_moment::<f32>(&everything().optimizer(ADAMW).average(average));
    }
    let rule = EarlyStopping { metric: ValidationMetric::Loss, patience: 1 };
    let stopping = config().validation(15).batch_size(11).early_stopping(rule).learning_rate(0.3).epochs(8);
    let plateau = Schedule::Plateau { metric: ValidationMetric::Loss, patience: 1, factor: 0.5, floor: 0.0 };
    check_every_moment::<f32>(&stopping.clone().schedule(plateau));
    check_every_moment::<f32>(&stopping.average(Averaging::Ema { decay: 0.5 }));
}

#[test]
fn the_steps_are_those_of_the_version_to_read_with_every_update_rule() {
    let blobs = Blobs::new(61, 0);
    let base = config().precision(Precision::F64).l2(1e-3).l1(1e-4);
    for optimizer in OPTIMIZERS {
        for config in [
            base.clone().batch_size(16),
            base.clone().bias(false).batch_size(61).clip_norm(0.02),
            everything().precision(Precision::F64).average(Averaging::Ema { decay: 0.9 }).batch_size(16),
        ] {
            let config = config.optimizer(optimizer);
            let [readable, fast] = [Kernel::Reference, Kernel::Portable]
                .map(|kernel| with_threads::<f64>(&config, &blobs.samples(), kernel, 1));
            let [readable, fast] = [readable, fast].map(|run| run.unfolded.unwrap());
            for (readable, fast) in readable.mlp.layers.iter().zip(&fast.mlp.layers) {
                let biases = readable.bias.iter().flatten().zip(fast.bias.iter().flatten());
                let mut all = readable.weights.iter().zip(&fast.weights).chain(biases);
                assert!(all.all(|(readable, fast)| (readable - fast).abs() < 1e-8), "{config:?}");
            }
            for (readable, fast) in readable.norm.layers.iter().zip(&fast.norm.layers) {
                let near = |readable: &Array1<f64>, fast: &Array1<f64>| {
                    (readable - fast).iter().all(|error| error.abs() < 1e-8)
                };
                assert!(near(&readable.scale, &fast.scale), "{config:?}");
                assert!(near(&readable.mean, &fast.mean) && near(&readable.variance, &fast.variance), "{config:?}");
            }
        }
    }
}

#[test]
fn the_version_to_read_goes_on_where_it_was_stopped() {
    let blobs = Blobs::new(75, 0);
    let samples = blobs.samples::<f32>();
    let (config, workers) = (config().optimizer(Optimizer::ADAM), Workers::new(1));
    let setup = || Setup { workers: &workers, kernel: Kernel::Reference, initial: None };
    let whole = train(&config, &samples, None, setup(), &mut |_| ControlFlow::Continue(())).unwrap();
    let (mut n_seen, mut checkpoint) = (0, None);
    train_resumable(&config, &samples, None, setup(), None, &mut |_, moment| {
        n_seen += 1;
        checkpoint = Some(moment.checkpoint());
        if n_seen == 9 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })
    .unwrap();
    let rest = train_resumable(&config, &samples, None, setup(), checkpoint, &mut |_, _| ControlFlow::Continue(()));
    assert_eq!(content(&rest.unwrap()), content(&whole));
}

#[test]
fn what_is_measured_and_kept_is_the_folded_network() {
    let blobs = Blobs::new(300, 0);
    let samples = blobs.samples::<f32>();
    let run = run::<f32>(&config().epochs(12), &samples, Some(&samples));
    let unfolded = run.unfolded.as_ref().unwrap();
    assert_eq!(unfolded.fold(), run.mlp);
    let workers = Workers::new(1);
    let again = evaluate(&run.mlp, &samples, config().objective(), &workers, Kernel::detect());
    assert_eq!(run.history.epochs[12].test.as_ref(), Some(&again.metrics));
    assert!(again.metrics.bit_accuracy.unwrap() > 0.85, "{:?}", again.metrics);
    // Before training with running statistics of 0 and 1.
    let first = run.history.epochs[0].train.loss;
    let plain = crate::problems::run::<f32>(&config().batch_norm(false).epochs(0), &samples, None);
    assert!((first - plain.history.epochs[0].train.loss).abs() < 1e-4);
    // γ and the statistics have moved.
    let norm = &unfolded.norm.layers[0];
    assert!(norm.scale.iter().all(|&scale| scale != 1.0) && norm.variance.iter().all(|&variance| variance != 1.0));
}

#[test]
fn a_deep_network_of_sigmoids_learns_with_it_and_does_not_without() {
    let blobs = Blobs::new(500, 0);
    let samples = blobs.samples::<f32>();
    let deep = Blobs::config().hidden([20; 7]).activation([Activation::Sigmoid]).epochs(15).batch_size(50);
    let deep = deep.optimizer(Optimizer::Momentum { momentum: 0.9 }).learning_rate(0.3);
    let [plain, normalized] = [false, true].map(|batch_norm| {
        let run = run::<f32>(&deep.clone().batch_norm(batch_norm), &samples, None);
        run.history.epochs[15].train.loss
    });
    assert!(normalized < plain - 0.1, "{normalized}, {plain}");
}

/// The mean of γ and of the running statistics is the mean over the same steps as that of the weights.
#[test]
fn the_mean_of_the_weights_has_the_mean_of_the_running_statistics() {
    let blobs = Blobs::new(75, 0);
    let samples = blobs.samples::<f64>();
    let config = config().precision(Precision::F64).average(Averaging::Ema { decay: 0.8 });
    let workers = Workers::new(1);
    let setup = Setup { workers: &workers, kernel: Kernel::detect(), initial: None };
    let mut moments = Vec::new();
    let run = train_resumable(&config, &samples, None, setup, None, &mut |progress, moment| {
        if matches!(progress, Progress::Batch { .. }) {
            moments.push(moment.checkpoint().norm.unwrap().moment);
        }
        ControlFlow::Continue(())
    });
    let norm = run.unwrap().unfolded.unwrap().norm;
    let factors: Vec<f64> = (0..moments.len()).map(|step| 0.8_f64.powi((moments.len() - 1 - step) as i32)).collect();
    let total: f64 = factors.iter().sum();
    for (layer, found) in norm.layers.iter().enumerate() {
        let mean = |of: fn(&BatchNorm<f64>, usize) -> &Array1<f64>| {
            let terms = moments.iter().zip(&factors).map(|(norm, factor)| of(norm, layer) * *factor);
            terms.reduce(|sum, term| sum + term).unwrap() / total
        };
        let near = |found: &Array1<f64>, mean: Array1<f64>| (found - &mean).iter().all(|error| error.abs() < 1e-13);
        assert!(near(&found.scale, mean(|norm, layer| &norm.layers[layer].scale)));
        assert!(near(&found.mean, mean(|norm, layer| &norm.layers[layer].mean)));
        assert!(near(&found.variance, mean(|norm, layer| &norm.layers[layer].variance)));
    }
}

#[test]
fn penalties_decay_and_the_bound_are_for_weights_alone() {
    let blobs = Blobs::new(75, 0);
    let samples = blobs.samples::<f64>();
    // The bound is one of what is trained, not of what it is folded into.
    let run = run::<f64>(&config().precision(Precision::F64).max_norm(0.3).epochs(5), &samples, None);
    let unfolded = run.unfolded.unwrap();
    let norms = |mlp: &Mlp<f64>| {
        let columns = mlp.layers.iter().flat_map(|layer| layer.weights.columns());
        columns.map(|weights| weights.dot(&weights).sqrt()).fold(0.0, f64::max)
    };
    assert!(norms(&unfolded.mlp) < 0.3 * (1.0 + 1e-12) && norms(&run.mlp) > 0.3);
    assert!(unfolded.norm.layers.iter().flat_map(|layer| &layer.scale).all(|&scale| scale > 0.5));
}

#[test]
fn batches_of_one_sample_are_refused_wherever_they_would_come() {
    let refused = |batch_size: usize, n_train: usize, validation: usize| {
        let config = config().batch_size(batch_size).validation(validation);
        config.validate(n_train, 8, 6).map_err(|error| error.to_string()).err().unwrap_or_else(|| "taken".to_owned())
    };
    let all = [
        refused(1, 75, 0),
        refused(10, 71, 0),
        refused(10, 81, 10),
        refused(10, 81, 0),
        refused(2, 9, 0),
        refused(14, 75, 0),
        refused(75, 75, 0),
    ];
    insta::assert_snapshot!(all.join("\n"));
    // Without hidden layers nothing is normalised.
    config().hidden([]).batch_size(10).validate(71, 8, 6).unwrap();
    let blobs = Blobs::new(71, 0);
    for kernel in [Kernel::detect(), Kernel::Reference] {
        let bits = |batch_size: usize, batch_norm: bool| {
            let config = config().hidden([]).batch_size(batch_size).batch_norm(batch_norm);
            weights_sha256(&with_threads::<f32>(&config, &blobs.samples(), kernel, 1).mlp)
        };
        assert_eq!(bits(10, true), bits(10, false));
        // Of single samples the sums may be taken in another order.
        bits(1, true);
    }
}

#[test]
fn a_diagnosis_examines_the_folded_network() {
    let blobs = Blobs::new(75, 0);
    let samples = blobs.samples::<f32>();
    let (probe, workers, config) = (Probe::of(&samples), Workers::new(1), config());
    let setup = Setup { workers: &workers, kernel: Kernel::detect(), initial: None };
    let mut diagnoses = Vec::new();
    let run = train_resumable(&config, &samples, None, setup, None, &mut |progress, moment| {
        if let Progress::Epoch(record) = progress {
            diagnoses.push((moment.network(), diagnose(&moment.network(), &probe, config.objective(), record.epoch)));
        }
        ControlFlow::Continue(())
    })
    .unwrap();
    assert_eq!(diagnoses.len(), 4);
    assert!(diagnoses.iter().all(|(_, diagnosis)| diagnosis.is_some()));
    assert_eq!(diagnoses[3].0, run.mlp);
}

#[test]
fn the_key_is_written_only_where_it_is_true() {
    assert!(!TrainConfig::new().to_map().contains_key("batch_norm"));
    assert_eq!(TrainConfig::new().batch_norm(true).to_map()["batch_norm"], json!(true));
    assert_eq!(TrainConfig::new().get("batch_norm"), json!(false));
    let needed = |batch_norm: bool| config().batch_norm(batch_norm).memory_needed(784, 10);
    assert!(needed(true) > needed(false));
}
