//! Whether dropout takes from a network what it needs.

use mlp_train::{EvaluateTrain, TrainConfig};

use crate::record::{RunRecord, Status};
use crate::text::percent;

/// Below this share of wrong answers on what is learned from, a network fits it.
const FITS: f64 = 0.02;

impl RunRecord {
    /// Says that a network trained with dropout does not fit the very samples that it learns from, and others no worse:
    /// overfitting, which dropout prevents, there is none, and what it costs there is. It cannot know whether more epochs or
    /// another rate would do, and says so. Nothing if that is not so, or if there are too few samples to tell.
    ///
    /// What is measured is the whole network, so training samples are compared with validation samples, or with test samples
    /// where there are none, on an equal footing. The shares are apart by two standard errors at most half of the first.
    pub fn dropout_note(&self) -> Option<String> {
        let (config, _) = TrainConfig::split_map(&self.config).ok()?;
        if !config.has_dropout() || self.status != Status::Finished {
            return None;
        }
        let epoch = self.epochs.iter().find(|epoch| epoch.epoch == self.best_epoch)?;
        let n_train = self.data.train.checked_sub(config.validation)?;
        let n_train = match config.evaluate_train {
            EvaluateTrain::Count(n_samples) => n_samples.min(n_train),
            EvaluateTrain::All => n_train,
        };
        let (unseen, n_unseen, others) = match (&epoch.validation, &epoch.test) {
            (Some(validation), _) => (validation, config.validation, "validation"),
            (None, Some(test)) => (test, self.data.test, "test"),
            (None, None) => return None,
        };
        let (train, unseen) = (1.0 - epoch.train.accuracy?, 1.0 - unseen.accuracy?);
        let variance = |share: f64, n_samples: usize| share * (1.0 - share) / n_samples as f64;
        let error = (variance(train, n_train) + variance(unseen, n_unseen)).sqrt();
        let is_apart = unseen - train + 2.0 * error > 0.5 * train;
        if epoch.epoch == 0 || train < FITS || is_apart {
            return None;
        }
        Some(format!(
            "leaves too little, or too little time: of the training samples the whole net gets {} wrong, of the {others} samples \
             {}, so there is nothing yet that dropout could keep from overfitting. Try a lower dropout, more units or more \
             epochs.",
            percent(Some(train)),
            percent(Some(unseen))
        ))
    }
}
