//! What the records of the sweeps say: all that the document rests on.

use mlp_results::{RunRecord, Status};
use mlp_train::EpochMetrics;
use serde::{Deserialize, Serialize};

/// What was measured.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Findings {
    /// Whether the run was a quick one, which says nothing about any goal.
    pub is_quick: bool,
    /// The name of the data.
    pub data: String,
    /// The number of test images.
    pub n_test: usize,
    /// The networks, sweep by sweep.
    pub trials: Vec<TrialFinding>,
    /// Those that answer together.
    pub committees: Vec<CommitteeFinding>,
}

/// One network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrialFinding {
    /// The name of its sweep.
    pub sweep: String,
    /// Its identity.
    pub trial: String,
    /// Its seed.
    pub seed: u64,
    /// The number of inputs and the units of each layer.
    pub layers: Vec<usize>,
    /// The number of weights and biases.
    pub parameters: usize,
    /// Whether its errors are those of images that are split off the training set; else of the test images.
    pub is_split: bool,
    /// The error in percent before training and after each epoch.
    pub errors: Vec<f64>,
    /// The last error in percent where every output must be on the right side of its threshold.
    pub exact_error: f64,
    /// The seconds of one thread for the fastest epoch: other epochs may have shared the machine with others.
    pub seconds: f64,
}

/// The networks of a sweep, answering together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CommitteeFinding {
    /// The name of the sweep.
    pub sweep: String,
    /// How many they are.
    pub n_members: usize,
    /// How many test images they answer wrongly.
    pub n_wrong: usize,
}

const PERCENT: f64 = 100.0;

impl TrialFinding {
    /// What the record of a trial of `sweep` says; nothing if it did not finish or its data have no classes.
    pub fn new(sweep: &str, record: &RunRecord) -> Option<Self> {
        if record.status != Status::Finished {
            return None;
        }
        let is_split = record.epochs.last()?.validation.is_some();
        let measured =
            |epoch: &mlp_train::EpochRecord| if is_split { epoch.validation.clone() } else { epoch.test.clone() };
        let error = |share: Option<f64>| share.map(|share| rounded(PERCENT * (1.0 - share)));
        let errors =
            record.epochs.iter().map(|epoch| error(measured(epoch)?.accuracy)).collect::<Option<Vec<f64>>>()?;
        let last: EpochMetrics = measured(record.epochs.last()?)?;
        let fastest = record.runtime.seconds_train.iter().copied().fold(f64::INFINITY, f64::min);
        Some(TrialFinding {
            sweep: sweep.to_owned(),
            trial: record.trial.clone(),
            seed: record.config.get("seed")?.as_u64()?,
            layers: record.layers.clone(),
            parameters: record.parameters,
            is_split,
            exact_error: error(last.exact_accuracy)?,
            errors,
            seconds: rounded(fastest * record.runtime.threads as f64),
        })
    }

    /// The error that counts: that of the last epoch.
    pub fn error(&self) -> f64 {
        self.errors.last().copied().unwrap_or(f64::NAN)
    }

    /// The number of epochs of training.
    pub fn n_epochs(&self) -> usize {
        self.errors.len() - 1
    }
}

impl Findings {
    /// The networks of a sweep, by seed.
    pub fn sweep(&self, name: &str) -> Vec<&TrialFinding> {
        let mut trials: Vec<&TrialFinding> = self.trials.iter().filter(|trial| trial.sweep == name).collect();
        trials.sort_by_key(|trial| trial.seed);
        trials
    }

    /// Adds the networks of a sweep, by seed: those that are `here`, and of what was `published` before those that are not here and
    /// are still planned. How they answer together is taken over from there where all of them are told of and nothing is known here.
    pub fn add(
        &mut self,
        sweep: &str,
        mut here: Vec<TrialFinding>,
        published: &Findings,
        is_planned: impl Fn(&TrialFinding) -> bool,
    ) {
        let is_new = |other: &&TrialFinding| here.iter().all(|own| own.trial != other.trial) && is_planned(other);
        let elsewhere: Vec<TrialFinding> = published.sweep(sweep).into_iter().filter(is_new).cloned().collect();
        here.extend(elsewhere);
        here.sort_by_key(|trial| trial.seed);
        let together = published.committee(sweep).filter(|committee| committee.n_members == here.len());
        if let (None, Some(together)) = (self.committee(sweep), together) {
            self.committees.push(together.clone());
        }
        self.trials.extend(here);
    }

    /// The networks of a sweep, answering together.
    pub fn committee(&self, sweep: &str) -> Option<&CommitteeFinding> {
        self.committees.iter().find(|committee| committee.sweep == sweep)
    }
}

/// Without the digits that only say how the number is stored.
fn rounded(value: f64) -> f64 {
    (value * 1e4).round() / 1e4
}
