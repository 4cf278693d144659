//! How the learning rate changes during training: a pure function of the position of a step.

use std::fmt;

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
}

impl Schedule {
    /// The names of the schedules.
    pub const NAMES: [&'static str; 3] = ["constant", "step", "cosine"];

    /// The name in configuration files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Constant => "constant",
            Self::Step { .. } => "step",
            Self::Cosine { .. } => "cosine",
        }
    }

    /// The learning rate of the step at `position`, where `learning_rate` is η.
    ///
    /// ```
    /// use mlp_train::{Position, Schedule};
    ///
    /// let halving = Schedule::Step { every: 10, factor: 0.5 };
    /// let position = Position { step: 2_500, steps_per_epoch: 100, epochs: 40 };
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
        }
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
