//! Trials that differ only in their seed, gathered: one configuration.

use std::collections::{BTreeMap, BTreeSet};

use crate::ending::TrialResult;
use crate::interval;
use crate::record::Status;
use crate::score::seconds;
use crate::text;
use crate::varied::{Spelling, VariedKey};

/// Trials that differ only in their seed.
#[derive(Clone, Debug, PartialEq)]
pub struct Cell<'a> {
    /// The values of the varied keys, joined by ` · `; empty if nothing varies.
    pub label: String,
    /// The same from the short names, for figures.
    pub short_label: String,
    /// For each varied key the index into its values.
    pub indices: Vec<usize>,
    /// Its trials, by seed.
    pub trials: Vec<&'a TrialResult>,
    /// The final values of the compared metric, on the samples that are shown, of the trials that have one.
    pub scores: Vec<f64>,
    /// The same on the samples that trials are ranked by.
    pub ranking_scores: Vec<f64>,
    /// How many of the trials diverged.
    pub n_diverged: usize,
    /// How many of the trials failed.
    pub n_failed: usize,
    /// How many of the trials were stopped before their end: they have no score.
    pub n_stopped: usize,
    /// How many of the scores are those of networks that trained ([`is_trained`](crate::Overview::is_trained)); all
    /// where that is not known.
    pub n_trained: usize,
    /// Whether some of the runs trained and others did not, with a gap between them that is much wider than any other: then the
    /// mean lies where no run is, and no interval is given.
    pub is_bimodal: bool,
}

impl Cell<'_> {
    /// The mean of the scores.
    pub fn mean(&self) -> Option<f64> {
        interval::mean(&self.scores)
    }

    /// How many of its seeds diverged or failed: they reached nothing, and are in no mean.
    pub fn n_lost(&self) -> usize {
        self.n_diverged + self.n_failed
    }

    /// `2 of 4 diverged, 1 of 4 failed`; nothing where no seed was lost.
    pub fn losses(&self) -> Option<String> {
        losses(self.n_diverged, self.n_failed, self.trials.len())
    }

    /// Whether some of its seeds were stopped before their end and others have scores, as when halving decides anew after the
    /// list of values or of seeds has grown: its mean is over other seeds than that of a configuration that came to the end.
    pub fn is_partly_stopped(&self) -> bool {
        self.n_stopped > 0 && !self.scores.is_empty()
    }

    /// The mean of what the configuration is ranked by.
    pub fn ranking_mean(&self) -> Option<f64> {
        interval::mean(&self.ranking_scores)
    }

    /// The spread of single runs: the standard deviation of the scores (dividing by n − 1), of at least two.
    pub fn deviation(&self) -> Option<f64> {
        interval::deviation(&self.scores)
    }

    /// The 95 % t-interval of the mean over the seeds, of at least two scores that are all of one kind: where some runs
    /// trained and others did not, no interval describes them.
    pub fn interval(&self) -> Option<interval::Interval> {
        if self.is_bimodal { None } else { interval::interval(&self.scores) }
    }

    /// The mean seconds of the finished trials, training and measuring; nothing where they were not recorded.
    pub fn seconds(&self) -> Option<f64> {
        let finished = self.trials.iter().filter(|trial| trial.record.status == Status::Finished);
        interval::mean(&finished.filter_map(|trial| seconds(&trial.record)).collect::<Vec<_>>())
    }

    /// Whether `trial` is one of this cell's.
    pub fn holds(&self, trial: Option<&TrialResult>) -> bool {
        trial.is_some_and(|trial| self.trials.iter().any(|other| std::ptr::eq(*other, trial)))
    }

    /// Whether no trial is in it twice, as when other instructions computed it again.
    pub(crate) fn is_of_distinct_trials(&self) -> bool {
        let distinct: BTreeSet<&str> = self.trials.iter().map(|trial| trial.record.trial.as_str()).collect();
        distinct.len() == self.trials.len()
    }
}

/// `2 of 4 diverged, 1 of 4 failed`; nothing where none did.
pub(crate) fn losses(n_diverged: usize, n_failed: usize, n_trials: usize) -> Option<String> {
    let lost = [(n_diverged, "diverged"), (n_failed, "failed")].into_iter().filter(|(count, _)| *count > 0);
    let lost: Vec<String> = lost.map(|(count, word)| format!("{count} of {n_trials} {word}")).collect();
    (!lost.is_empty()).then(|| lost.join(", "))
}

/// Gathers `trials` by the values of the varied keys; scores and counts are still to be filled in.
pub(crate) fn cells_of<'a>(trials: &'a [TrialResult], varied: &[VariedKey]) -> Vec<Cell<'a>> {
    let indices: Vec<BTreeMap<String, usize>> = varied
        .iter()
        .map(|key| key.values.iter().enumerate().map(|(index, value)| (value.to_string(), index)).collect())
        .collect();
    let spellings: Vec<Spelling<'_>> = varied.iter().map(|key| Spelling::of(trials, &key.key)).collect();
    // Trials on different data are never one configuration, even if their configurations read the same.
    let mut groups: BTreeMap<(Vec<usize>, &str), Vec<&TrialResult>> = BTreeMap::new();
    for trial in trials {
        let place = spellings
            .iter()
            .zip(&indices)
            .map(|(spelling, indices)| indices.get(&spelling.value(&trial.record).to_string()).copied().unwrap_or(0));
        groups.entry((place.collect(), &trial.record.data.sha256)).or_default().push(trial);
    }
    let label = |indices: &[usize], names: fn(&VariedKey) -> &Vec<String>| {
        let names = varied.iter().zip(indices).map(|(key, &index)| names(key)[index].as_str());
        text::clean(&names.collect::<Vec<_>>().join(" · "), text::MAX_CHARACTERS)
    };
    groups
        .into_iter()
        .map(|((indices, _), trials)| Cell {
            label: label(&indices, |key| &key.names),
            short_label: label(&indices, |key| &key.short_names),
            indices,
            trials,
            scores: Vec::new(),
            ranking_scores: Vec::new(),
            n_diverged: 0,
            n_failed: 0,
            n_stopped: 0,
            n_trained: 0,
            is_bimodal: false,
        })
        .collect()
}
