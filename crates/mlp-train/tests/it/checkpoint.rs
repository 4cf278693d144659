//! Runs that are stopped and taken up again, and the files in between.

use std::fs;
use std::ops::ControlFlow;

use mlp_core::{Kernel, Workers};
use mlp_train::{
    Averaging, Checkpoint, ClassWeights, EarlyStopping, ErrorKind, History, Optimizer, Outcome, Precision, Run,
    Samples, Schedule, Setup, TrainConfig, Trainable, ValidationMetric, ValidationSplit, train_resumable,
    weights_sha256,
};
use serde_json::{Map, Value, json};
use tempfile::tempdir;

use crate::problems::{Blobs, run};

pub(crate) const OPTIMIZERS: [Optimizer; 5] = [
    Optimizer::Sgd,
    Optimizer::Momentum { momentum: 0.9 },
    Optimizer::Nesterov { momentum: 0.9 },
    Optimizer::ADAM,
    Optimizer::AdamW { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, decay: 0.01 },
];

/// Three epochs of six batches, the last of each smaller.
fn config() -> TrainConfig {
    Blobs::config().hidden([9]).batch_size(10).epochs(3).learning_rate(0.02).l2(1e-4)
}

fn owner() -> Map<String, Value> {
    json!({ "trial": "a", "data": "b" }).as_object().cloned().unwrap()
}

/// Trains until the observer has been called `n_calls` times, and returns the run and the checkpoint of that moment.
pub(crate) fn stopped<F: Trainable>(
    config: &TrainConfig,
    samples: &Samples<'_, F>,
    start: Option<Checkpoint<F>>,
    n_calls: usize,
) -> (Run<F>, Option<Checkpoint<F>>) {
    let workers = Workers::new(1);
    let setup = Setup { workers: &workers, kernel: Kernel::detect(), initial: None };
    let (mut n_seen, mut checkpoint) = (0, None);
    let run = train_resumable(config, samples, Some(samples), setup, start, &mut |_, moment| {
        n_seen += 1;
        if n_seen < n_calls {
            return ControlFlow::Continue(());
        }
        checkpoint = Some(moment.checkpoint());
        ControlFlow::Break(())
    });
    (run.unwrap(), checkpoint)
}

/// What two runs of the same trial share: all but the seconds.
fn content<F: Trainable>(run: &Run<F>) -> (String, Outcome, History) {
    let history = History { seconds_train: Vec::new(), seconds_evaluate: Vec::new(), ..run.history.clone() };
    (weights_sha256(&run.mlp), run.outcome, history)
}

/// Stops `config` at every call of its observer, goes on through a file, and compares with the undisturbed run.
fn check_every_moment<F: Trainable>(config: &TrainConfig) {
    let blobs = Blobs::new(75, 0);
    let samples = blobs.samples::<F>();
    let whole = run(config, &samples, Some(&samples));
    let folder = tempdir().unwrap();
    let path = folder.path().join("c.safetensors");
    for n_calls in 1.. {
        let (first, checkpoint) = stopped(config, &samples, None, n_calls);
        let Some(checkpoint) = checkpoint else {
            assert!(n_calls > 15, "{n_calls} moments");
            return;
        };
        checkpoint.write(&path, &owner()).unwrap();
        let read = Checkpoint::read(&path, config, &owner()).unwrap();
        assert_eq!(read, checkpoint);
        let (rest, _) = stopped(config, &samples, Some(read), usize::MAX);
        let name = config.optimizer.name();
        assert_eq!(content(&rest), content(&whole), "{name}, stopped at call {n_calls}, {:?}", first.outcome);
        assert_eq!(weights_sha256(&rest.mlp), weights_sha256(&whole.mlp));
        assert_eq!(rest.evaluation, whole.evaluation);
        assert_eq!(rest.history.seconds_train.len(), whole.history.seconds_train.len());
    }
}

#[test]
fn a_run_stopped_at_any_batch_ends_as_if_it_had_not_been_with_every_update_rule() {
    for optimizer in OPTIMIZERS {
        check_every_moment::<f32>(&config().optimizer(optimizer));
    }
    check_every_moment::<f64>(&config().precision(Precision::F64).bias(false));
    check_every_moment::<f32>(&config().precision(Precision::Bf16));
    let many = config().precision(Precision::Bf16).optimizer(Optimizer::ADAM).dropout([0.2]).clip_norm(0.1);
    check_every_moment::<f32>(&many.max_norm(0.8).average(Averaging::Ema { decay: 0.9 }));
}

#[test]
fn a_run_on_single_samples_stopped_between_two_writings_of_the_weights_ends_as_if_it_had_not_been() {
    let single = config().optimizer(Optimizer::Sgd).batch_size(1);
    check_every_moment::<f32>(&single);
    check_every_moment::<f64>(&single.clone().precision(Precision::F64).bias(false).l2(0.0));
    // Rates that rise, and a penalty that shrinks weights by more than half: steps that are written at once.
    let rising = Schedule::Step { every: 1, factor: 1.5 };
    check_every_moment::<f32>(&single.clone().schedule(rising));
    check_every_moment::<f32>(&single.l2(30.0));
}

#[test]
fn a_run_stopped_at_any_batch_ends_as_if_it_had_not_been_with_every_schedule() {
    let plateau = Schedule::Plateau { metric: ValidationMetric::Loss, patience: 1, factor: 0.5, floor: 0.0 };
    for schedule in [
        Schedule::OneCycle { rise: 0.3, start: 0.04, floor: 4e-6 },
        Schedule::WarmRestarts { every: 1, growth: 2, floor: 0.0 },
        plateau,
    ] {
        let config = config().schedule(schedule).validation(15).epochs(4);
        check_every_moment::<f32>(&config);
        check_every_moment::<f32>(&config.optimizer(Optimizer::Sgd).batch_size(1));
    }
    // The plateau is one: the rate has fallen by the last epoch.
    let config = config().learning_rate(0.5).schedule(plateau).validation(15).epochs(4);
    let blobs = Blobs::new(75, 0);
    let run = run::<f32>(&config, &blobs.samples(), None);
    assert!(plateau.n_plateaus(&run.history.epochs[..4]) > 0);
    check_every_moment::<f32>(&config);
}

#[test]
fn a_run_whose_gradient_is_clipped_goes_on_as_it_was() {
    let clipped = config().clip_norm(0.05);
    check_every_moment::<f32>(&clipped);
    check_every_moment::<f32>(&clipped.clone().optimizer(Optimizer::Sgd).learning_rate(1.0).batch_size(1));
    check_every_moment::<f64>(&clipped.precision(Precision::F64).bias(false));
}

#[test]
fn a_run_with_dropout_and_bounded_weights_goes_on_as_it_was_in_the_middle_of_an_epoch() {
    let dropout = config().dropout([0.4]).input_dropout(0.2).max_norm(1.5);
    check_every_moment::<f32>(&dropout);
    check_every_moment::<f32>(&dropout.clone().optimizer(Optimizer::Momentum { momentum: 0.9 }).clip_norm(0.5));
    check_every_moment::<f32>(&dropout.clone().optimizer(Optimizer::Sgd).learning_rate(0.5).batch_size(1));
    check_every_moment::<f64>(
        &dropout.clone().precision(Precision::F64).bias(false).average(Averaging::Ema { decay: 0.9 }),
    );
    // Each alone.
    check_every_moment::<f32>(&config().dropout([0.4]));
    check_every_moment::<f32>(&config().max_norm(1.5));
}

#[test]
fn a_run_whose_weights_are_averaged_goes_on_as_it_was() {
    for average in [Averaging::Ema { decay: 0.9 }, Averaging::Mean { epochs: 2 }] {
        let averaged = config().average(average);
        check_every_moment::<f32>(&averaged);
        check_every_moment::<f32>(&averaged.clone().optimizer(Optimizer::Sgd).learning_rate(0.5).batch_size(1));
        let rule = EarlyStopping { metric: ValidationMetric::Loss, patience: 2 };
        let stops = averaged.precision(Precision::F64).validation(15).early_stopping(rule).clip_norm(0.1);
        check_every_moment::<f64>(&stops);
    }
}

#[test]
fn a_checkpoint_with_a_mean_is_none_of_a_run_without_and_the_other_way_round() {
    let (with, without) = (config().average(Averaging::Ema { decay: 0.9 }), config());
    let blobs = Blobs::new(75, 0);
    let samples = blobs.samples::<f32>();
    for (of, config, expected) in [(&with, &without, "none, found one"), (&without, &with, "one, found none")] {
        let (_, checkpoint) = stopped(of, &samples, None, 4);
        let workers = Workers::new(1);
        let setup = Setup { workers: &workers, kernel: Kernel::detect(), initial: None };
        let refused = train_resumable(config, &samples, None, setup, checkpoint, &mut |_, _| unreachable!());
        let message = refused.unwrap_err().to_string();
        assert_eq!(message, format!("checkpoint: mean of the weights: expected {expected}"));
    }
}

#[test]
fn a_run_with_a_stratified_split_smoothed_labels_and_weights_of_classes_goes_on_as_it_was() {
    let stratified = config().validation(15).validation_split(ValidationSplit::Stratified).label_smoothing(0.1);
    check_every_moment::<f32>(&stratified);
    let weighted = stratified.class_weights(ClassWeights::Balanced);
    check_every_moment::<f32>(&weighted);
    check_every_moment::<f32>(&weighted.optimizer(Optimizer::Sgd).batch_size(1));
}

#[test]
fn a_run_that_stops_early_does_so_after_a_stop_at_any_batch_too() {
    let rule = EarlyStopping { metric: ValidationMetric::ExactAccuracy, patience: 2 };
    let config = config().epochs(40).validation(25).learning_rate(0.1).early_stopping(rule);
    let blobs = Blobs::new(75, 0);
    let whole = run::<f32>(&config, &blobs.samples(), None);
    assert!(whole.history.stopped_early && whole.history.epochs.len() < 40, "{} epochs", whole.history.epochs.len());
    check_every_moment::<f32>(&config);
}

#[test]
fn a_run_may_be_stopped_again_and_again() {
    let blobs = Blobs::new(75, 0);
    let samples = blobs.samples::<f32>();
    let config = config().optimizer(Optimizer::ADAM).epochs(20);
    for seed in 0..20 {
        let config = config.clone().seed(seed);
        let whole = run(&config, &samples, Some(&samples));
        let (mut start, mut pause) = (None, seed as usize);
        let ended = loop {
            pause = pause * 7 % 31 + 1;
            let (run, checkpoint) = stopped(&config, &samples, start.take(), pause);
            match run.outcome {
                Outcome::Interrupted => start = checkpoint,
                _ => break run,
            }
        };
        assert_eq!(content(&ended), content(&whole), "seed {seed}");
    }
}

#[test]
fn a_run_that_diverges_does_so_at_the_same_batch_after_a_stop() {
    let blobs = Blobs::new(75, 0);
    let samples = blobs.samples::<f32>();
    let config = config()
        .activation([mlp_core::Activation::Relu])
        .output_activation(mlp_core::Activation::Identity)
        .loss(mlp_core::Loss::Squared)
        .optimizer(Optimizer::Sgd)
        .learning_rate(3.0)
        .l2(0.0)
        .epochs(30);
    let whole = run(&config, &samples, Some(&samples));
    assert!(matches!(whole.outcome, Outcome::Diverged(_)), "{:?}", whole.outcome);
    for n_calls in 1.. {
        let (run, Some(checkpoint)) = stopped(&config, &samples, None, n_calls) else { break };
        assert_eq!(run.outcome, Outcome::Interrupted);
        let (rest, _) = stopped(&config, &samples, Some(checkpoint), usize::MAX);
        assert_eq!(content(&rest), content(&whole));
    }
}

/// A checkpoint in the middle of the first epoch, and the bytes of its file: few, since every one of them is damaged.
fn sample() -> (Checkpoint<f32>, Vec<u8>) {
    let blobs = Blobs::new(75, 0);
    let config = config().hidden([2]);
    let (_, checkpoint) = stopped(&config, &blobs.samples(), None, 4);
    let (checkpoint, folder) = (checkpoint.unwrap(), tempdir().unwrap());
    let path = folder.path().join("c.safetensors");
    checkpoint.write(&path, &owner()).unwrap();
    (checkpoint, fs::read(path).unwrap())
}

#[test]
fn a_truncated_or_lengthened_checkpoint_is_refused_at_every_byte() {
    let (_, whole) = sample();
    let folder = tempdir().unwrap();
    let path = folder.path().join("c.safetensors");
    let config = config().hidden([2]);
    for bytes in (0..whole.len()).map(|length| whole[..length].to_vec()).chain([[&whole[..], &[0]].concat()]) {
        fs::write(&path, &bytes).unwrap();
        let read = Checkpoint::<f32>::read(&path, &config, &owner());
        let kind = read.map_err(|error| error.kind());
        assert_eq!(kind.err(), Some(ErrorKind::Checkpoint), "{} bytes", bytes.len());
    }
}

#[test]
fn a_checkpoint_with_any_bit_flipped_is_refused() {
    let (checkpoint, mut bytes) = sample();
    let folder = tempdir().unwrap();
    let path = folder.path().join("c.safetensors");
    let config = config().hidden([2]);
    for bit in 0..8 * bytes.len() {
        bytes[bit / 8] ^= 1 << (bit % 8);
        fs::write(&path, &bytes).unwrap();
        if let Ok(read) = Checkpoint::read(&path, &config, &owner()) {
            // As with 1e-05 and 1E-05 in the text of a number.
            assert_eq!(read, checkpoint, "bit {bit}");
        }
        bytes[bit / 8] ^= 1 << (bit % 8);
    }
}

/// `checkpoint` changed, written, and read as the run of `config` and `owner`: the refusal.
fn refusal(change: impl FnOnce(&mut Checkpoint<f32>), config: &TrainConfig, as_owner: &Map<String, Value>) -> String {
    let (mut checkpoint, _) = sample();
    change(&mut checkpoint);
    let folder = tempdir().unwrap();
    let path = folder.path().join("c.safetensors");
    checkpoint.write(&path, &owner()).unwrap();
    let error = Checkpoint::<f32>::read(&path, config, as_owner).unwrap_err().to_string();
    error.replace(&format!("{}", folder.path().display()), "[folder]")
}

#[test]
fn a_checkpoint_of_another_run_another_shape_or_with_broken_weights_is_refused_with_its_place() {
    let config = config().hidden([2]);
    let other = json!({ "trial": "other", "data": "b" }).as_object().cloned().unwrap();
    insta::assert_snapshot!(refusal(|_| (), &config, &other), @"[folder]/c.safetensors: header, metadata entry \"checkpoint\", key owner.trial: expected \"other\", as in this run, found \"a\"; go on from an earlier checkpoint, or begin the run again");
    let wider = config.clone().hidden([3]);
    insta::assert_snapshot!(refusal(|_| (), &wider, &owner()), @"[folder]/c.safetensors: layers.0.weights: expected shape [8, 3], found shape [8, 2]; go on from an earlier checkpoint, or begin the run again");
    let without_state = config.clone().optimizer(Optimizer::Sgd);
    insta::assert_snapshot!(refusal(|_| (), &without_state, &owner()), @"[folder]/c.safetensors: slot.0.layers.0.bias: expected only tensors of this network and of its optimizer, sgd, found this one too; go on from an earlier checkpoint, or begin the run again");
    let missing = refusal(|checkpoint| checkpoint.slots.truncate(1), &config, &owner());
    insta::assert_snapshot!(missing, @"[folder]/c.safetensors: slot.1.layers.0.weights: expected a tensor, found none of this name; go on from an earlier checkpoint, or begin the run again");
    let broken = refusal(|checkpoint| checkpoint.mlp.layers[1].weights[[0, 1]] = f32::NAN, &config, &owner());
    insta::assert_snapshot!(broken, @"[folder]/c.safetensors: layers.1.weights, number 1: expected a finite number, found NaN; go on from an earlier checkpoint, or begin the run again");
}

#[test]
fn a_checkpoint_that_does_not_fit_the_run_is_refused_before_anything_is_computed() {
    let (checkpoint, _) = sample();
    let blobs = Blobs::new(75, 0);
    let samples = blobs.samples::<f32>();
    let own = config().hidden([2]);
    let refusal = |change: &dyn Fn(&mut Checkpoint<f32>), config: &TrainConfig| {
        let workers = Workers::new(1);
        let setup = Setup { workers: &workers, kernel: Kernel::detect(), initial: None };
        let mut start = checkpoint.clone();
        change(&mut start);
        let error =
            train_resumable(config, &samples, None, setup, Some(start), &mut |_, _| unreachable!()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Checkpoint);
        error.to_string()
    };
    let unchanged = |_: &mut Checkpoint<f32>| ();
    let all = [
        refusal(&unchanged, &own.clone().hidden([3])),
        refusal(&unchanged, &own.clone().optimizer(Optimizer::Sgd)),
        refusal(&unchanged, &own.clone().batch_size(60)),
        refusal(&unchanged, &own.clone().epochs(0)),
        refusal(&|start| start.progressed.epoch = 3, &own),
        refusal(&|start| start.history.best_epoch = 9, &own),
    ];
    insta::assert_snapshot!(all.join("\n"), @r"
    checkpoint: network: expected layers [8, 3, 6] with activations tanh, sigmoid and bias = true, found layers [8, 2, 6] with activations tanh, sigmoid and bias = true
    checkpoint: optimiser's state: expected 0 numbers for each parameter, found 2 numbers for each parameter
    checkpoint: batches: expected at most 2, found 3
    checkpoint: batches: expected at most 0, found 3
    checkpoint: epochs measured: expected 3, found 1
    checkpoint: best epoch: expected below 1, found 9
    ");
}
