//! What is measured during a run, and how it ends.

use serde::{Deserialize, Serialize};

use crate::decoding::Decoding;
use crate::metrics::EpochMetrics;

/// What was measured during a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct History {
    /// The metrics before training (epoch 0), and after each epoch.
    pub epochs: Vec<EpochRecord>,
    /// Seconds of training, one entry for each trained epoch: none for epoch 0.
    pub seconds_train: Vec<f64>,
    /// Seconds of measuring, for each entry of `epochs`.
    pub seconds_evaluate: Vec<f64>,
    /// The epoch whose weights were kept: the last one, or with early stopping the best.
    pub best_epoch: usize,
    /// Whether early stopping ended the run before its last epoch.
    pub stopped_early: bool,
}

/// The metrics of one epoch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EpochRecord {
    /// The epoch; 0 is before training.
    pub epoch: usize,
    /// The metrics of the first `evaluate_train` training samples.
    pub train: EpochMetrics,
    /// The metrics of the validation samples, if any were split off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation: Option<EpochMetrics>,
    /// The metrics of the test samples, if there are any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test: Option<EpochMetrics>,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// After its last epoch, or by early stopping.
    Finished,
    /// Numbers overflowed. The epochs before are kept.
    Diverged(Divergence),
    /// The observer stopped it. The epochs before are kept.
    Interrupted,
}

/// Where numbers overflowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Divergence {
    /// The epoch, counted from 1; 0 if the network could not be measured before training.
    pub epoch: usize,
    /// The batch within the epoch, counted from 1, or 0 with an epoch of 0; the last one if it was noticed when the epoch was measured. With
    /// single samples it can be up to fifteen later than the one whose step made a weight overflow.
    pub batch: usize,
    /// The layer, counted from 0, as in `layers.0.weights`.
    pub layer: usize,
}

impl History {
    /// The same with the accuracies that older checkpoints lack ([`EpochMetrics::with_accuracy_by`]).
    pub(crate) fn with_accuracy_by(self, decoding: Decoding) -> Self {
        let epochs = self.epochs.into_iter().map(|epoch| epoch.with_accuracy_by(decoding)).collect();
        Self { epochs, ..self }
    }
}

impl EpochRecord {
    /// The same with the accuracies that older files lack ([`EpochMetrics::with_accuracy_by`]).
    #[must_use]
    pub fn with_accuracy_by(self, decoding: Decoding) -> Self {
        let with_accuracy = |metrics: EpochMetrics| metrics.with_accuracy_by(decoding);
        Self {
            train: with_accuracy(self.train),
            validation: self.validation.map(with_accuracy),
            test: self.test.map(with_accuracy),
            ..self
        }
    }

    /// Whether every metric is a finite number.
    pub fn is_finite(&self) -> bool {
        let others = [&self.validation, &self.test];
        self.train.is_finite() && others.into_iter().flatten().all(EpochMetrics::is_finite)
    }
}
