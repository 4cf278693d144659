//! How the learning rate changes during training: a pure function of the position of a step, and where it waits for progress
//! of what was measured after the epochs before.

use std::fmt;

use crate::config::{TrainConfig, ValidationMetric};
use crate::history::EpochRecord;

/// A rule for the learning rate. Epochs are counted in steps, so a fraction of an epoch has a meaning.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Schedule {
    /// η throughout.
    Constant,
    /// η·factor^⌊epoch / every⌋, with the epoch counted from 0.
    Step {
        /// Epochs between two changes, at least 1.
        every: usize,
        /// What the learning rate is multiplied by, above 0.
        factor: f64,
    },
    /// A linear rise to η over the warm-up, then half a cosine down to floor·η at the end
    /// (Loshchilov & Hutter 2017, "SGDR", eq. 5, with one period).
    Cosine {
        /// Epochs of rising, at least 0; may be a fraction.
        warmup: f64,
        /// The fraction of η at the end, from 0 to 1.
        floor: f64,
    },
    /// Half a cosine up to η, then half a cosine down to the end (Smith & Topin 2019, "Super-Convergence"; with cosines, and the
    /// positions of the steps, as PyTorch's `OneCycleLR` has it, whose momentum is left alone here).
    OneCycle {
        /// The fraction of all steps in which the rate rises, from 0 to 1.
        rise: f64,
        /// The fraction of η at the first step, from 0 to 1.
        start: f64,
        /// The fraction of η at the last step, from 0 to 1.
        floor: f64,
    },
    /// Half a cosine down from η, again and again (Loshchilov & Hutter 2017, "SGDR", eq. 5, as PyTorch's
    /// `CosineAnnealingWarmRestarts` has it).
    WarmRestarts {
        /// Epochs of the first period, at least 1.
        every: usize,
        /// How many times as long as the one before each period is, at least 1.
        growth: usize,
        /// The fraction of η that a period ends at, from 0 to 1.
        floor: f64,
    },
    /// η·factorⁿ, where n counts how often a metric of the validation samples has not improved for `patience` epochs; not
    /// below floor·η.
    Plateau {
        /// What is watched.
        metric: ValidationMetric,
        /// Epochs without improvement, at least 1, after which the rate falls.
        patience: usize,
        /// What the learning rate is multiplied by, above 0 and below 1.
        factor: f64,
        /// The least fraction of η, from 0 to 1.
        floor: f64,
    },
}

/// Where in a run a step stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// Steps taken before this one, since the start of the run.
    pub step: u64,
    /// Steps of one epoch.
    pub steps_per_epoch: u64,
    /// Epochs of the whole run.
    pub epochs: u64,
    /// Plateaus seen so far ([`Schedule::n_plateaus`]).
    pub plateaus: u64,
}

impl Schedule {
    /// The names of the schedules.
    pub const NAMES: [&'static str; 6] = ["constant", "step", "cosine", "one-cycle", "warm-restarts", "plateau"];

    pub(crate) const RISE: f64 = 0.3;
    pub(crate) const START: f64 = 0.04;
    pub(crate) const ONE_CYCLE_FLOOR: f64 = 4e-6;
    pub(crate) const GROWTH: usize = 1;
    pub(crate) const PATIENCE: usize = 10;
    pub(crate) const FACTOR: f64 = 0.1;

    /// The name in configuration files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Constant => "constant",
            Self::Step { .. } => "step",
            Self::Cosine { .. } => "cosine",
            Self::OneCycle { .. } => "one-cycle",
            Self::WarmRestarts { .. } => "warm-restarts",
            Self::Plateau { .. } => "plateau",
        }
    }

    /// The learning rate of the step at `position`, where `learning_rate` is η.
    ///
    /// ```
    /// use mlp_train::{Position, Schedule};
    ///
    /// let halving = Schedule::Step { every: 10, factor: 0.5 };
    /// let position = Position { step: 2_500, steps_per_epoch: 100, epochs: 40, plateaus: 0 };
    /// assert_eq!(halving.learning_rate(0.8, position), 0.2); // epoch 25: halved twice
    /// ```
    pub fn learning_rate(self, learning_rate: f64, position: Position) -> f64 {
        match self {
            Self::Constant => learning_rate,
            Self::Step { every, factor } => {
                let n_changes = position.step / position.steps_per_epoch.max(1) / every as u64;
                learning_rate * libm::pow(factor, n_changes as f64)
            }
            Self::Cosine { warmup, floor } => learning_rate * cosine(warmup, floor, position),
            Self::OneCycle { rise, start, floor } => learning_rate * one_cycle(rise, start, floor, position),
            Self::WarmRestarts { every, growth, floor } => {
                learning_rate * between(1.0, floor, done_of_period(every, growth, position))
            }
            Self::Plateau { factor, floor, .. } => {
                learning_rate * libm::pow(factor, position.plateaus as f64).max(floor)
            }
        }
    }

    /// How many plateaus these epochs show to a schedule that waits for progress; 0 for any other. As with Keras'
    /// `ReduceLROnPlateau` an epoch improves on those before if it is better than each of them, and counting begins anew after
    /// a plateau; an untrained network (epoch 0) does not count.
    pub fn n_plateaus(self, epochs: &[EpochRecord]) -> u64 {
        let Self::Plateau { metric, patience, .. } = self else { return 0 };
        let (mut best, mut n_waited, mut n_plateaus) = (None, 0, 0);
        let trained = epochs.iter().filter(|record| record.epoch > 0);
        for value in trained.filter_map(|record| metric.of(record.validation.as_ref()?)) {
            let is_better = |best: f64| if metric.higher_is_better() { value > best } else { value < best };
            if best.is_none_or(is_better) {
                (best, n_waited) = (Some(value), 0);
                continue;
            }
            n_waited += 1;
            if n_waited == patience {
                (n_plateaus, n_waited) = (n_plateaus + 1, 0);
            }
        }
        n_plateaus
    }

    /// Whether a step can have a higher rate than one before, once a warm-up is over.
    pub(crate) fn rises(self) -> bool {
        match self {
            Self::Step { factor, .. } => factor > 1.0,
            Self::OneCycle { .. } | Self::WarmRestarts { .. } => true,
            Self::Constant | Self::Cosine { .. } | Self::Plateau { .. } => false,
        }
    }
}

impl TrainConfig {
    /// The learning rate of the last step of `epoch`, counted from 1, in a run that learns from `n_samples` samples, of which
    /// `measured` are the epochs that have been measured; those from `epoch` on are not looked at.
    ///
    /// ```
    /// use mlp_train::{Schedule, TrainConfig};
    ///
    /// let schedule = Schedule::Step { every: 10, factor: 0.5 };
    /// let config = TrainConfig::default().learning_rate(0.8).schedule(schedule).batch_size(100);
    /// assert_eq!(config.last_learning_rate(10, 1_000, &[]), 0.8);
    /// assert_eq!(config.last_learning_rate(11, 1_000, &[]), 0.4);
    /// ```
    pub fn last_learning_rate(&self, epoch: usize, n_samples: usize, measured: &[EpochRecord]) -> f64 {
        let n_before = measured.partition_point(|record| record.epoch < epoch);
        let steps_per_epoch = n_samples.div_ceil(self.batch_size.max(1)) as u64;
        let step = (epoch as u64).saturating_mul(steps_per_epoch).saturating_sub(1);
        let plateaus = self.schedule.n_plateaus(&measured[..n_before]);
        let position = Position { step, steps_per_epoch, epochs: self.epochs as u64, plateaus };
        self.schedule.learning_rate(self.learning_rate, position)
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The fraction of η at `position`. The first step of a warm-up is not zero, and the last one is η.
fn cosine(warmup: f64, floor: f64, position: Position) -> f64 {
    let n_warmup = warmup * position.steps_per_epoch as f64;
    let n_steps = position.steps_per_epoch as f64 * position.epochs as f64;
    let step = position.step as f64;
    if step < n_warmup {
        return ((step + 1.0) / n_warmup).min(1.0);
    }
    let done = ((step - n_warmup) / (n_steps - n_warmup).max(1.0)).min(1.0);
    floor + (1.0 - floor) * 0.5 * (1.0 + libm::cos(std::f64::consts::PI * done))
}

/// The fraction of η at `position`: `start` at the first step, 1 where the rise ends, `floor` at the last step.
fn one_cycle(rise: f64, start: f64, floor: f64, position: Position) -> f64 {
    let n_steps = position.steps_per_epoch as f64 * position.epochs as f64;
    let (step, peak, last) = (position.step as f64, rise * n_steps - 1.0, n_steps - 1.0);
    if step < peak {
        return between(start, 1.0, step / peak);
    }
    between(1.0, floor, if last > peak { ((step - peak) / (last - peak)).min(1.0) } else { 0.0 })
}

/// The fraction that is over of the period of `position`. Counted in steps, it is exact.
fn done_of_period(every: usize, growth: usize, position: Position) -> f64 {
    let mut period = (every as u64).saturating_mul(position.steps_per_epoch).max(1);
    let mut step = position.step;
    if growth <= 1 {
        step %= period;
    }
    while step >= period {
        step -= period;
        period = period.saturating_mul(growth as u64);
    }
    step as f64 / period as f64
}

/// From `from` to `to` along half a cosine, of which the fraction `done` is over.
fn between(from: f64, to: f64, done: f64) -> f64 {
    to + (from - to) * 0.5 * (1.0 + libm::cos(std::f64::consts::PI * done))
}
