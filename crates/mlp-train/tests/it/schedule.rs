//! Learning rates at given steps.

use mlp_train::{Position, Schedule};

fn rates(schedule: Schedule, steps: &[u64]) -> Vec<f64> {
    let position = |step| Position { step, steps_per_epoch: 10, epochs: 4 };
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
    let nothing = Position { step: 0, steps_per_epoch: 0, epochs: 0 };
    assert!(schedule.learning_rate(1.0, nothing).is_finite());
}
