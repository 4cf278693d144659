//! What is remembered of a run.

use std::time::Duration;

use mlp_core::Real;

use crate::config::EarlyStopping;
use crate::evaluate::Evaluation;
use crate::history::{EpochRecord, History};
use crate::unfolded::Network;

/// Remembers what was measured, and the network worth keeping: the latest, or with early stopping the best.
pub(super) struct Keeper<F> {
    pub(super) early_stopping: Option<EarlyStopping>,
    pub(super) network: Network<F>,
    /// Of that network on the test samples; not there as long as it comes from a checkpoint or has not been measured.
    pub(super) evaluation: Option<Evaluation>,
    pub(super) history: History,
}

impl<F: Real> Keeper<F> {
    pub(super) fn new(early_stopping: Option<EarlyStopping>, network: &Network<F>) -> Self {
        Self { early_stopping, network: network.clone(), evaluation: None, history: History::default() }
    }

    pub(super) fn keep(
        &mut self,
        network: &Network<F>,
        record: EpochRecord,
        evaluation: Option<Evaluation>,
        seconds_train: f64,
        measuring: Duration,
    ) {
        let epoch = record.epoch;
        let is_best = self.is_best(&record);
        if epoch > 0 {
            self.history.seconds_train.push(seconds_train);
        }
        self.history.seconds_evaluate.push(measuring.as_secs_f64());
        self.history.epochs.push(record);
        if is_best {
            self.history.best_epoch = epoch;
            self.network.clone_from(network);
            self.evaluation = evaluation;
        }
    }

    /// Whether the best epoch lies so far back that early stopping ends the run.
    pub(super) fn has_waited_long_enough(&self) -> bool {
        let n_waited = self.history.epochs.len().saturating_sub(1 + self.history.best_epoch);
        self.early_stopping.is_some_and(|rule| n_waited >= rule.patience)
    }

    /// Whether no epoch before was as good; without early stopping, the latest is always the one to keep.
    fn is_best(&self, record: &EpochRecord) -> bool {
        let (Some(rule), Some(best)) = (self.early_stopping, self.history.epochs.get(self.history.best_epoch)) else {
            return true;
        };
        let value = |record: &EpochRecord| record.validation.as_ref().and_then(|metrics| rule.metric.of(metrics));
        if rule.metric.higher_is_better() { value(record) > value(best) } else { value(record) < value(best) }
    }
}
