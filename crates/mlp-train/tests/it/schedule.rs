//! Learning rates at given steps.

use mlp_train::{EpochMetrics, EpochRecord, Position, Schedule, ValidationMetric};

use crate::problems::{Blobs, run};

fn rates(schedule: Schedule, steps: &[u64]) -> Vec<f64> {
    let position = |step| Position { step, steps_per_epoch: 10, epochs: 4, plateaus: 0 };
    steps.iter().map(|&step| schedule.learning_rate(2.0, position(step))).collect()
}

#[test]
fn a_constant_schedule_changes_nothing() {
    assert_eq!(rates(Schedule::Constant, &[0, 17, 39]), [2.0; 3]);
}

#[test]
fn a_step_schedule_changes_at_the_beginning_of_an_epoch() {
    let schedule = Schedule::Step { every: 2, factor: 0.5 };
    assert_eq!(rates(schedule, &[0, 9, 10, 19, 20, 39, 40]), [2.0, 2.0, 2.0, 2.0, 1.0, 1.0, 0.5]);
}

#[test]
fn a_cosine_schedule_falls_from_the_learning_rate_to_its_floor() {
    let schedule = Schedule::Cosine { warmup: 0.0, floor: 0.1 };
    let found = rates(schedule, &[0, 10, 20, 30, 40]);
    // 0.2 + 1.8 (1 + cos(πt)) / 2 for t = 0, ¼, ½, ¾, 1
    let expected = [2.0, 1.736_396_103_067_893, 1.1, 0.463_603_896_932_107, 0.2];
    assert!(found.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 1e-14), "{found:?}");
}

#[test]
fn a_warm_up_rises_in_even_steps_and_may_be_a_fraction_of_an_epoch() {
    let schedule = Schedule::Cosine { warmup: 0.5, floor: 0.0 };
    let found = rates(schedule, &[0, 1, 2, 3, 4, 5, 40]);
    let expected = [0.4, 0.8, 1.2, 1.6, 2.0, 2.0, 0.0];
    assert!(found.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 1e-14), "{found:?}");
}

#[test]
fn a_warm_up_over_the_whole_run_stays_finite() {
    let schedule = Schedule::Cosine { warmup: 4.0, floor: 0.0 };
    assert_eq!(rates(schedule, &[39, 40]), [2.0, 2.0]);
    let nothing = Position { step: 0, steps_per_epoch: 0, epochs: 0, plateaus: 0 };
    assert!(schedule.learning_rate(1.0, nothing).is_finite());
}

fn check_close(found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len());
    assert!(found.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 1e-14), "{found:?}");
}

/// `tests/golden/schedules.py` prints the same numbers by PyTorch's formulas.
#[test]
fn one_cycle_has_the_rates_of_pytorch() {
    let schedule = Schedule::OneCycle { rise: 0.3, start: 0.04, floor: 4e-6 };
    let found = rates(schedule, &[0, 5, 11, 12, 25, 39]);
    check_close(&found, &[0.08, 0.903_377_755_257_646_1, 2.0, 1.993_712_235_044_403_2, 1.000_004, 8e-6]);
}

#[test]
fn one_cycle_may_rise_throughout_or_never() {
    let throughout = rates(Schedule::OneCycle { rise: 1.0, start: 0.5, floor: 0.0 }, &[0, 39, 40]);
    check_close(&throughout, &[1.0, 2.0, 2.0]);
    let never = rates(Schedule::OneCycle { rise: 0.0, start: 0.5, floor: 0.25 }, &[39, 40]);
    check_close(&never, &[0.5, 0.5]);
    // The peak is the first step.
    let at_once = rates(Schedule::OneCycle { rise: 0.025, start: 0.5, floor: 0.25 }, &[0, 39]);
    check_close(&at_once, &[2.0, 0.5]);
    for rise in [0.0, 0.3, 1.0] {
        let nothing = Position { step: 0, steps_per_epoch: 0, epochs: 0, plateaus: 0 };
        let schedule = Schedule::OneCycle { rise, start: 0.04, floor: 4e-6 };
        assert!(schedule.learning_rate(1.0, nothing).is_finite());
    }
}

/// `tests/golden/schedules.py` prints the same numbers by PyTorch's formulas.
#[test]
fn warm_restarts_have_the_rates_of_pytorch() {
    let doubling = Schedule::WarmRestarts { every: 1, growth: 2, floor: 0.1 };
    let found = rates(doubling, &[0, 5, 9, 10, 20, 29, 30, 39]);
    let expected =
        [2.0, 1.1, 0.244_049_135_334_361_84, 2.0, 1.1, 0.211_080_493_464_376_13, 2.0, 1.784_365_369_040_027_8];
    check_close(&found, &expected);
    let even = Schedule::WarmRestarts { every: 2, growth: 1, floor: 0.1 };
    let expected = [2.0, 1.736_396_103_067_892_7, 0.211_080_493_464_376_13, 2.0, 1.1, 0.211_080_493_464_376_13];
    check_close(&rates(even, &[0, 5, 19, 20, 30, 39]), &expected);
    let nothing = Position { step: 0, steps_per_epoch: 0, epochs: 0, plateaus: 0 };
    assert!(doubling.learning_rate(1.0, nothing).is_finite());
}

/// Epochs from 0 on with these validation losses, and accuracies of 1 − loss.
fn epochs(losses: &[f64]) -> Vec<EpochRecord> {
    let record = |(epoch, &loss): (usize, &f64)| {
        let validation = EpochMetrics { loss, accuracy: Some(1.0 - loss), ..EpochMetrics::default() };
        EpochRecord { epoch, train: EpochMetrics::default(), validation: Some(validation), test: None }
    };
    losses.iter().enumerate().map(record).collect()
}

#[test]
fn a_plateau_is_so_many_epochs_without_a_better_one_and_counting_begins_anew() {
    // The untrained network is better than any epoch, and does not count.
    let losses = [0.1, 0.9, 0.8, 0.8, 0.85, 0.7, 0.7, 0.7, 0.7, 0.7, 0.6];
    let n_plateaus = |metric, patience| {
        let schedule = Schedule::Plateau { metric, patience, factor: 0.5, floor: 0.2 };
        let counts = (0..=losses.len()).map(|n_epochs| schedule.n_plateaus(&epochs(&losses[..n_epochs])));
        counts.collect::<Vec<_>>()
    };
    let after_two = [0, 0, 0, 0, 0, 1, 1, 1, 2, 2, 3, 3];
    for metric in [ValidationMetric::Loss, ValidationMetric::Accuracy] {
        assert_eq!(n_plateaus(metric, 2), after_two, "{metric}");
        assert_eq!(n_plateaus(metric, 4), [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1], "{metric}");
    }
    assert_eq!(Schedule::Constant.n_plateaus(&epochs(&losses)), 0);

    let schedule = Schedule::Plateau { metric: ValidationMetric::Loss, patience: 2, factor: 0.5, floor: 0.2 };
    let rate = |plateaus| schedule.learning_rate(2.0, Position { step: 7, steps_per_epoch: 10, epochs: 4, plateaus });
    check_close(&[0, 1, 2, 3, 9].map(rate), &[2.0, 1.0, 0.5, 0.4, 0.4]);
}

#[test]
fn a_plateau_slows_a_run_down() {
    let blobs = Blobs::new(120, 0);
    let config = Blobs::config().validation(40).learning_rate(0.3).epochs(12);
    let plateau = Schedule::Plateau { metric: ValidationMetric::Loss, patience: 1, factor: 1e-9, floor: 0.0 };
    let free = run::<f64>(
        &config.clone().schedule(Schedule::Constant).precision(mlp_train::Precision::F64),
        &blobs.samples(),
        None,
    );
    let slowed = run::<f64>(&config.schedule(plateau).precision(mlp_train::Precision::F64), &blobs.samples(), None);
    let first =
        (1..=12).find(|n_epochs| plateau.n_plateaus(&slowed.history.epochs[..=*n_epochs]) > 0).expect("a plateau");
    assert!(first < 11, "{first}");
    let losses = |run: &mlp_train::Run<f64>, epoch: usize| run.history.epochs[epoch].train.loss;
    assert!((0..=first).all(|epoch| losses(&free, epoch) == losses(&slowed, epoch)));
    assert!(losses(&free, first + 1) != losses(&slowed, first + 1));
    // Steps of nearly nothing from there on.
    assert!((losses(&slowed, 12) - losses(&slowed, first)).abs() < 1e-6);
}
