//! How a sweep stands, while it runs or after, from what lies in its folder.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use mlp_results::{RunFolder, RunRecord, Status};

use crate::checkpoints;
use crate::error::{Error, Result};
use crate::lease::{Running, running};
use crate::spec::SweepSpec;
use crate::spec::shown;

/// The window over which the pace is told.
const RECENT: Duration = Duration::from_secs(15 * 60);

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
    /// Trials that successive halving has stopped.
    pub n_stopped: usize,
    /// Trials a minute of late.
    pub trials_per_minute: Option<f64>,
}

impl Standing {
    /// Reads the folder of a sweep.
    ///
    /// # Errors
    ///
    /// If there is no specification in it, or none that can be read.
    pub fn read(folder: &RunFolder) -> Result<Self> {
        let specification = folder.specification();
        if !specification.is_file() {
            return Err(Error::specification(format!(
                "{}: expected a folder of a sweep, with spec.toml in it, found none",
                folder.path().display(),
            )));
        }
        let records = folder.records();
        // A trial that had come to an end of its own, such as a divergence, has its record.
        let rounds = folder.halving_rounds(|trial| records.contains_key(trial)).unwrap_or_default();
        Ok(Standing {
            specification: SweepSpec::read(&specification)?,
            running: running(&folder.running()),
            checkpoints: checkpoints::progressed(folder),
            holder: durable_file::lock::holder(folder.path()),
            n_stopped: rounds.iter().map(|round| round.stopped.len()).sum(),
            trials_per_minute: pace(&folder.trials()),
            records,
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
        let axes = self.specification.axes.iter();
        let varied = axes.filter_map(|axis| Some(format!("{} = {}", axis.key, shown(record.config.get(&axis.key)?))));
        varied.collect::<Vec<_>>().join(", ")
    }
}

/// Trials a minute, by the times of the records of the last quarter of an hour; `None` where there are fewer than two.
fn pace(trials: &Path) -> Option<f64> {
    let mut times: Vec<SystemTime> = fs::read_dir(trials)
        .ok()?
        .flatten()
        .filter(|entry| entry.path().extension().is_some_and(|ending| ending == "json"))
        .filter_map(|entry| entry.metadata().ok()?.modified().ok())
        .collect();
    times.sort_unstable();
    let last = *times.last()?;
    let recent: Vec<SystemTime> =
        times.into_iter().filter(|time| last.duration_since(*time).is_ok_and(|age| age <= RECENT)).collect();
    let minutes = last.duration_since(*recent.first()?).ok()?.as_secs_f64() / 60.0;
    (recent.len() > 1 && minutes > 0.0).then(|| (recent.len() - 1) as f64 / minutes)
}
