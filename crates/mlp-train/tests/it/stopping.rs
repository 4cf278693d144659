//! How runs end.

use std::ops::ControlFlow;

use mlp_core::{Kernel, Workers};
use mlp_train::{EarlyStopping, Outcome, Progress, Setup, TrainConfig, ValidationMetric, evaluate, train};

use crate::problems::{Blobs, run};

/// Few samples and many epochs: the validation loss rises again.
fn overfitting() -> TrainConfig {
    Blobs::config()
        .hidden([64])
        .learning_rate(0.05)
        .epochs(200)
        .validation(60)
        .batch_size(10)
        .early_stopping(EarlyStopping { metric: ValidationMetric::Loss, patience: 4 })
}

#[test]
fn early_stopping_restores_the_best_epoch() {
    let (blobs, test) = (Blobs::new(120, 0), Blobs::new(200, 1));
    let run = run::<f32>(&overfitting(), &blobs.samples(), Some(&test.samples()));
    let history = &run.history;
    assert_eq!(run.outcome, Outcome::Finished);
    assert!(history.stopped_early);
    assert_eq!(history.epochs.len(), history.best_epoch + 4 + 1);
    let losses: Vec<_> = history.epochs.iter().map(|epoch| epoch.validation.as_ref().unwrap().loss).collect();
    let least = losses.iter().copied().fold(f64::INFINITY, f64::min);
    assert_eq!(losses[history.best_epoch], least);

    let workers = Workers::new(1);
    let again = evaluate(&run.mlp, &test.samples(), overfitting().objective(), &workers, Kernel::detect());
    assert_eq!(Some(&again.metrics), history.epochs[history.best_epoch].test.as_ref());
    assert_eq!(Some(again), run.evaluation);
}

#[test]
fn metrics_for_which_more_is_better_are_watched_in_their_direction() {
    let blobs = Blobs::new(120, 0);
    let rule = EarlyStopping { metric: ValidationMetric::ExactAccuracy, patience: 4 };
    let run = run::<f32>(&overfitting().early_stopping(rule), &blobs.samples(), None);
    let accuracy = |epoch: usize| run.history.epochs[epoch].validation.as_ref().unwrap().exact_accuracy.unwrap();
    let best = (0..run.history.epochs.len()).map(accuracy).fold(0.0, f64::max);
    assert_eq!(accuracy(run.history.best_epoch), best);
    assert!(best > 0.5);
}

#[test]
fn without_early_stopping_the_last_epoch_is_kept() {
    let blobs = Blobs::new(120, 0);
    let run = run::<f32>(&overfitting().early_stopping(None).epochs(30), &blobs.samples(), None);
    assert_eq!(run.history.best_epoch, 30);
    assert!(!run.history.stopped_early);
    assert_eq!(run.history.seconds_train.len(), 30);
    assert_eq!(run.history.seconds_evaluate.len(), 31);
}

#[test]
fn the_observer_sees_every_batch_and_epoch_and_can_stop() {
    let blobs = Blobs::new(103, 0);
    let config = Blobs::config().batch_size(10).epochs(3);
    let workers = Workers::new(1);
    let watch = |stop_at: usize| {
        let setup = Setup { workers: &workers, kernel: Kernel::detect(), initial: None };
        let mut events = Vec::new();
        let run = train::<f32>(&config, &blobs.samples(), None, setup, &mut |progress| {
            events.push(match progress {
                Progress::Batch { epoch, samples_done, samples_in_epoch, loss_so_far } => {
                    assert!(samples_in_epoch == 103 && loss_so_far > 0.0);
                    (epoch, samples_done)
                }
                Progress::Epoch(record) => (record.epoch, usize::MAX),
            });
            if events.len() == stop_at { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        (run.unwrap(), events)
    };
    let (whole, events) = watch(usize::MAX);
    assert_eq!(whole.outcome, Outcome::Finished);
    assert_eq!(events.len(), 1 + 3 * (11 + 1));
    assert_eq!(events[..3], [(0, usize::MAX), (1, 10), (1, 20)]);
    assert_eq!(events[11..13], [(1, 103), (1, usize::MAX)]);

    // In the middle of epoch 2, what epoch 1 reached is kept; after it, what epoch 2 reached.
    for (stop_at, n_epochs) in [(1, 1), (18, 2), (25, 3)] {
        let (run, events) = watch(stop_at);
        assert_eq!(events.len(), stop_at);
        assert_eq!(run.outcome, Outcome::Interrupted);
        assert_eq!(run.history.epochs, whole.history.epochs[..n_epochs]);
    }
    assert_eq!(watch(37).0.outcome, Outcome::Finished, "stopping after the last epoch changes nothing");
}

#[test]
fn validation_samples_are_not_trained_on() {
    let blobs = Blobs::new(103, 0);
    let config = Blobs::config().validation(23).batch_size(10).epochs(1);
    let workers = Workers::new(1);
    let setup = Setup { workers: &workers, kernel: Kernel::detect(), initial: None };
    let mut n_trained = 0;
    let run = train::<f32>(&config, &blobs.samples(), None, setup, &mut |progress| {
        if let Progress::Batch { samples_done, .. } = progress {
            n_trained = samples_done;
        }
        ControlFlow::Continue(())
    });
    assert_eq!(n_trained, 80);
    assert!(run.unwrap().history.epochs[1].validation.is_some());
}
