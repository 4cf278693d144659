//! What is shown of a folder of results at a glance, as values.

use serde::Serialize;

/// A folder at a glance.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct RunSummary {
    /// What it is called here: its path from the folder that was named.
    pub name: String,
    /// The folder.
    pub path: String,
    /// The trials that it is to have; none where its specification cannot be read.
    pub n_trials: Option<usize>,
    /// The trials that finished.
    pub n_finished: usize,
    /// The trials that diverged.
    pub n_diverged: usize,
    /// The trials that failed.
    pub n_failed: usize,
    /// The trials that successive halving stopped.
    pub n_stopped: usize,
    /// The trials under way.
    pub running: Vec<RunningTrial>,
    /// Those that were under way when their process ended.
    pub interrupted: Vec<InterruptedTrial>,
    /// A command that goes on with what is left, where nobody is at work and it is known.
    pub command: Option<String>,
    /// Who holds the folder.
    pub holder: Option<String>,
    /// Trials without a result, those under way included.
    pub n_left: Option<usize>,
    /// Seconds that are left, if somebody is at work and something has finished.
    pub seconds_left: Option<f64>,
    /// The best trial by what trials are ranked by, and how good it is in words.
    pub best: Option<BestTrial>,
    /// The first few configurations by rank, where there are or will be several seeds of each.
    pub configurations: Vec<ConfigurationSummary>,
    /// Records that were skipped or changed by hand, and why that is said: the first few.
    pub warnings: Vec<String>,
    /// How many such there are.
    pub n_warnings: usize,
    /// When a record was last added, in seconds since 1970.
    pub changed: Option<f64>,
    /// The revision of the table: another one means that rows have changed.
    pub table: u64,
    /// How the best score grew: after so many finished trials, in the order in which their records were written.
    pub running_best: Vec<(usize, f64)>,
}

/// The best trial of a folder.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BestTrial {
    /// Its identity.
    pub trial: String,
    /// Such as `validation.accuracy`.
    pub ranked_by: String,
    /// Such as `97.12 %`.
    pub value: String,
    /// The settings in which it differs, its seed, and its score on the test samples where others rank it.
    pub label: String,
    /// What its seed has to do with it, where there are several: `the luckiest of 3 seeds: …`.
    pub remark: Option<String>,
    /// The best mean over several seeds, where there are such; it need not be of the same configuration.
    pub mean: Option<BestMean>,
}

/// The configuration that ranks first.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BestMean {
    /// The mean with the standard deviation: `91.28 % ± 0.85 %`.
    pub value: String,
    /// Over how many seeds, and of what: `3 seeds: learning_rate 0.1`.
    pub label: String,
}

/// Trials that differ only in their seed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ConfigurationSummary {
    /// The settings in which it differs from others: `learning_rate 0.1`; empty where it is the only one.
    pub label: String,
    /// The mean of what it is ranked by, with the standard deviation; none where nothing has finished.
    pub value: Option<String>,
    /// How many seeds have come to a result, of those that there are to be: `1 of 3`.
    pub finished: String,
    /// What became of others: `1 diverged`; empty where there is nothing to say.
    pub remark: String,
}

/// A trial with a checkpoint that nobody is at: its process was ended on the way.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct InterruptedTrial {
    /// Its identity.
    pub trial: String,
    /// What distinguishes it, where that was left behind.
    pub label: String,
    /// The epoch from within which it goes on.
    pub epoch: usize,
    /// The epochs that it is to have.
    pub n_epochs: Option<usize>,
    /// Epochs, and what is shown of them, where that was left behind.
    pub curve: Vec<(usize, f64)>,
    /// What that is: `test accuracy`.
    pub measures: &'static str,
}

/// A trial under way.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RunningTrial {
    /// Its identity.
    pub trial: String,
    /// What distinguishes it.
    pub label: String,
    /// Its process, with machine.
    pub holder: String,
    /// How long it has been running.
    pub seconds: Option<f64>,
    /// The last epoch that is known of.
    pub epoch: Option<usize>,
    /// The epochs that it is to have.
    pub n_epochs: Option<usize>,
    /// Epochs, and what is shown of them: the accuracy on the test samples, or what stands in for it.
    pub curve: Vec<(usize, f64)>,
    /// What that is: `test accuracy`.
    pub measures: &'static str,
}

/// A model that can be used.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RankedModel {
    /// The name of the folder and the identity of the trial.
    pub id: String,
    /// The folder.
    pub run: String,
    /// In words: its score, and what distinguishes it.
    pub label: String,
    /// Whether it is the best of its folder.
    pub is_best: bool,
}
