//! Successive halving, as it is kept: who was compared and who was stopped (`halving.json`), and how far each trial had
//! come then (`rungs/<trial>.<epoch>.json`).
//!
//! Configurations are compared, each with all its seeds, and all its seeds go on or stop. A trial that was stopped has no
//! record in `trials/`, so that it can never be taken for a whole one; its rung holds what a record would, up to there.

use std::path::Path;

use mlp_train::{EpochRecord, History};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::ending::TrialResult;
use crate::error::{Error, Result};
use crate::interval;
use crate::layout::RunFolder;
use crate::record::{RunRecord, Runtime, Status, Subject};

/// How a trial ended that halving stopped.
const STOPPED: &str = "stopped";

/// One comparison of configurations whose trials had trained for a number of epochs; the worse ones were stopped.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HalvingRound {
    /// The epoch after which they were compared.
    pub epoch: usize,
    /// What they were compared by.
    pub metric: String,
    /// Trials of the configurations compared.
    pub n_trials: usize,
    /// Those of the configurations that went on.
    pub n_kept: usize,
    /// The configurations compared, the best first. Empty in files of earlier versions, which compared trials one by one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub configurations: Vec<RankedConfiguration>,
    /// The trials that were stopped.
    pub stopped: Vec<StoppedTrial>,
}

/// A configuration with all its seeds, as it was compared with others.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RankedConfiguration {
    /// Its settings in words, without the seed; empty where nothing else varies.
    pub label: String,
    /// The mean of what its trials had reached, of those that had reached anything; it is ranked by it behind all
    /// configurations that lost fewer trials.
    pub mean: Option<f64>,
    /// Whether its trials went on.
    pub is_kept: bool,
    /// Its trials, by seed.
    pub trials: Vec<RankedTrial>,
}

/// A trial as it was compared with others.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RankedTrial {
    /// Its identity.
    pub trial: String,
    /// What it had reached; absent where it had failed or diverged by then.
    pub value: Option<f64>,
}

/// A trial that was stopped.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StoppedTrial {
    /// Its identity.
    pub trial: String,
    /// Its settings in words.
    pub label: String,
    /// The epoch after which it was stopped.
    pub epoch: usize,
    /// What it had reached; absent where it had failed or diverged.
    pub value: Option<f64>,
    /// The rank of its configuration among those compared, counted from 1; in files of earlier versions, its own among the
    /// trials.
    pub rank: usize,
}

/// A trial under way, as it was when it was compared with others: its record as far as it had come. Kept as
/// `rungs/<trial>.<epoch>.json`.
#[derive(Clone, Debug, PartialEq)]
pub struct Rung {
    record: RunRecord,
}

/// What any rung says, also one of an earlier version, which says no more.
#[derive(Deserialize)]
struct Reached {
    trial: String,
    kernel: String,
    reached: EpochRecord,
}

impl RankedConfiguration {
    /// The configuration of these trials, not kept yet.
    pub fn new(label: String, trials: Vec<RankedTrial>) -> Self {
        let values: Vec<f64> = trials.iter().filter_map(|trial| trial.value).collect();
        RankedConfiguration { label, mean: interval::mean(&values), is_kept: false, trials }
    }

    /// How many of its trials had failed or diverged.
    pub fn n_lost(&self) -> usize {
        self.trials.iter().filter(|trial| trial.value.is_none()).count()
    }
}

impl HalvingRound {
    /// How many configurations went on.
    pub fn n_configurations_kept(&self) -> usize {
        self.configurations.iter().filter(|configuration| configuration.is_kept).count()
    }

    /// The number of trials of each configuration, where all have the same; `None` in a file of an earlier version.
    pub fn n_seeds(&self) -> Option<usize> {
        let mut counts = self.configurations.iter().map(|configuration| configuration.trials.len());
        let first = counts.next()?;
        counts.all(|count| count == first).then_some(first)
    }
}

impl Rung {
    /// The trial that `subject` names, after `epoch` of its `history`; what came later is left out. `None` if it has not
    /// come so far.
    pub fn new(
        subject: Subject,
        layers: Vec<usize>,
        parameters: usize,
        history: &History,
        epoch: usize,
    ) -> Option<Self> {
        let epochs = history.epochs.get(..=epoch)?.to_vec();
        let first = |seconds: &[f64], n: usize| seconds[..n.min(seconds.len())].to_vec();
        let record = RunRecord::of_failure(subject, layers, String::new());
        let runtime = Runtime {
            seconds_train: first(&history.seconds_train, epoch),
            seconds_evaluate: first(&history.seconds_evaluate, epoch + 1),
            ..record.runtime
        };
        Some(Rung { record: RunRecord { error: None, epochs, best_epoch: epoch, parameters, runtime, ..record } })
    }

    /// What was measured after its epoch.
    fn reached(&self) -> Option<&EpochRecord> {
        self.record.epochs.last()
    }
}

impl RunFolder {
    /// The rounds in `halving.json`, without the trials that had come to an end of their own, such as a divergence, and so
    /// have a record; none where there is no such file.
    ///
    /// # Errors
    ///
    /// If the file cannot be read or is damaged.
    pub fn halving_rounds(&self, has_record: impl Fn(&str) -> bool) -> Result<Vec<HalvingRound>> {
        let path = self.halving();
        if !path.is_file() {
            return Ok(Vec::new());
        }
        let bytes = durable_file::read(&path).map_err(|error| Error::io("read", &path, error))?;
        let mut rounds: Vec<HalvingRound> =
            serde_json::from_slice(&bytes).map_err(|error| Error::damaged(&path, &error.to_string()))?;
        for round in &mut rounds {
            round.stopped.retain(|stopped| !has_record(&stopped.trial));
        }
        Ok(rounds)
    }

    /// Replaces `halving.json`.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub fn write_halving_rounds(&self, rounds: &[HalvingRound]) -> Result<()> {
        let text = serde_json::to_string_pretty(rounds).expect("texts and numbers have a JSON form") + "\n";
        let path = self.halving();
        durable_file::write(&path, text.as_bytes()).map_err(|error| Error::io("write", &path, error))
    }

    /// Keeps how far a trial has come, in the folder of rungs, which must be there.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub fn write_rung(&self, rung: &Rung) -> Result<()> {
        let Some(reached) = rung.reached() else { return Ok(()) };
        let mut value = json!(rung.record);
        value["status"] = json!(STOPPED);
        value["reached"] = json!(reached);
        let path = self.rung(&rung.record.trial, reached.epoch);
        durable_file::write(&path, format!("{value}\n").as_bytes()).map_err(|error| Error::io("write", &path, error))
    }

    /// What a trial had reached after `epoch`, if that is known and `kernel` computed it: others round differently, and
    /// nothing of theirs is compared with it.
    pub fn reached(&self, trial: &str, epoch: usize, kernel: &str) -> Option<EpochRecord> {
        let rung: Reached = read_json(&self.rung(trial, epoch))?;
        let fits = rung.trial == trial && rung.kernel == kernel && rung.reached.epoch == epoch;
        fits.then_some(rung.reached)
    }

    /// The trials that `rounds` stopped, as results that never count as such. Those of a folder in which an earlier version
    /// ran them are left out: it kept nothing of their settings.
    pub fn stopped_trials(&self, rounds: &[HalvingRound]) -> Vec<TrialResult> {
        let stopped = rounds.iter().flat_map(|round| &round.stopped);
        let record = |stopped: &StoppedTrial| {
            let mut value: Value = read_json(&self.rung(&stopped.trial, stopped.epoch))?;
            *value.get_mut("status")? = json!(Status::Failed);
            serde_json::from_value(value).ok().filter(|record: &RunRecord| record.trial == stopped.trial)
        };
        let records = stopped.filter_map(record);
        records.map(|record| TrialResult { record, model: None, ending: Some(STOPPED.to_owned()) }).collect()
    }
}

fn read_json<T: DeserializeOwned>(path: &Path) -> Option<T> {
    serde_json::from_slice(&durable_file::read(path).ok()?).ok()
}
