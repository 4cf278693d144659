//! How a sweep stands, while it runs or after, from what lies in its folder.

use std::collections::BTreeMap;

use mlp_results::{Metric, RunFolder, RunRecord, Status, TrialResult, unlike_keys};

use crate::checkpoints;
use crate::error::{Error, Result};
use crate::lease::{Running, running};
use crate::spec::{Halving, SweepSpec, shown};

/// What can be read from the folder of a sweep; nothing in it is changed, and nobody is kept waiting.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Standing {
    /// What the sweep runs.
    pub specification: SweepSpec,
    /// The records that are there, by trial.
    pub records: BTreeMap<String, RunRecord>,
    /// Trials that some process is at.
    pub running: Vec<Running>,
    /// Epoch and batches of trials with a checkpoint, by trial.
    pub checkpoints: BTreeMap<String, (usize, usize)>,
    /// Who holds the folder, if anybody does.
    pub holder: Option<String>,
    /// How many trials successive halving has stopped.
    pub n_stopped: usize,
    /// Those of them of which it is known what they had reached.
    pub stopped_trials: Vec<TrialResult>,
    /// Trials a minute: as many as are running, at the seconds that finished ones took by their records. `None` where nothing
    /// is running, as in a copy of the folder, or nothing has finished.
    pub trials_per_minute: Option<f64>,
    /// Records that were skipped or changed by hand, and why that is said.
    pub warnings: Vec<String>,
}

impl Standing {
    /// Reads the folder of a sweep.
    ///
    /// # Errors
    ///
    /// If there is no specification in it, or none that can be read, or if its records cannot be listed.
    pub fn read(folder: &RunFolder) -> Result<Self> {
        let specification = folder.specification();
        if !specification.is_file() {
            return Err(Error::specification(format!(
                "{}: expected a folder of a sweep, with spec.toml in it, found none",
                folder.path().display(),
            )));
        }
        let (records, mut warnings) = folder.records_with_warnings()?;
        // A trial that had come to an end of its own, such as a divergence, has its record.
        let rounds = folder.halving_rounds(|trial| records.contains_key(trial)).unwrap_or_default();
        let running = running(folder);
        let specification = SweepSpec::read(&specification)?;
        let reached = folder.stopped_trials(&rounds);
        let compared = records.values().chain(reached.iter().map(|trial| &trial.record));
        warnings.extend(specification.halving().and_then(|halving| unlike(halving, compared)));
        Ok(Standing {
            specification,
            checkpoints: checkpoints::progressed(folder),
            holder: durable_file::lock::holder(folder.path()),
            stopped_trials: reached,
            n_stopped: rounds.iter().map(|round| round.stopped.len()).sum(),
            trials_per_minute: trials_per_minute(records.values(), running.len()),
            records,
            running,
            warnings,
        })
    }

    /// How many trials ended so.
    pub fn count(&self, status: Status) -> usize {
        self.records.values().filter(|record| record.status == status).count()
    }

    /// Trials without a result, those that are running included. A failed one is among them: it is tried again.
    pub fn n_left(&self) -> usize {
        let n_over = self.records.values().filter(|record| record.is_over()).count();
        self.specification.n_trials().saturating_sub(n_over + self.n_stopped)
    }

    /// What distinguishes a trial from its siblings: `l2 = 0.1, seed = 1`.
    pub fn label(&self, record: &RunRecord) -> String {
        self.named(record, |_| true)
    }

    /// The same without the seed: what distinguishes its configuration from others.
    pub fn configuration_label(&self, record: &RunRecord) -> String {
        self.named(record, |key| key != "seed")
    }

    fn named(&self, record: &RunRecord, is_wanted: impl Fn(&str) -> bool) -> String {
        let axes = self.specification.axes.iter().filter(|axis| axis.varies() && is_wanted(&axis.key));
        let varied = axes.filter_map(|axis| Some(format!("{} = {}", axis.key, shown(record.setting(&axis.key)?))));
        varied.collect::<Vec<_>>().join(", ")
    }
}

/// That halving compares numbers of different kinds, and what to write instead; nothing where it does not.
fn unlike<'a>(halving: Halving, records: impl Iterator<Item = &'a RunRecord>) -> Option<String> {
    let metric: Metric = halving.metric.name().strip_prefix("validation.")?.parse().ok()?;
    let keys = unlike_keys(records, metric);
    (!keys.is_empty()).then(|| {
        format!(
            "halving compares {metric} across {}, where it is another quantity for each value; who was stopped says nothing \
             across them: halving = {{ metric = \"validation.accuracy\" }} compares the trials",
            keys.join(", ")
        )
    })
}

/// Trials a minute, where so many are running, at the seconds that finished ones took by their records; `None` where nothing is
/// running or nothing has finished. The times of files are no measure: a copy of a folder has them all from the hour of copying.
pub fn trials_per_minute<'a>(records: impl Iterator<Item = &'a RunRecord>, n_running: usize) -> Option<f64> {
    // What diverges does so in a moment, and says nothing of the others.
    let over: Vec<f64> = records.filter(|record| record.status == Status::Finished).map(seconds_of_record).collect();
    let total: f64 = over.iter().sum();
    (n_running > 0 && total > 0.0).then(|| 60.0 * (n_running * over.len()) as f64 / total)
}

/// The seconds of training and measuring.
pub(crate) fn seconds_of_record(record: &RunRecord) -> f64 {
    let runtime = &record.runtime;
    runtime.seconds_train.iter().chain(&runtime.seconds_evaluate).sum()
}
