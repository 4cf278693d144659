//! One folder of results, read bit by bit.

use std::collections::BTreeMap;
use std::fs::{self, Metadata};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use mlp_results::{HalvingRound, Overview, RunFolder, Status, TrialResult, trial_of_record};
use mlp_sweep::SweepSpec;

use super::ranking;
use super::summary::{BestTrial, ConfigurationSummary, RankedModel, RunSummary};
use super::table::TableState;
use super::under_way::{self, Checkpoints};
use crate::folders::Folders;

/// Every record is looked at so often, and the more rarely the more there are.
const BETWEEN_LOOKS: Duration = Duration::from_secs(2);
const PER_RECORD: Duration = Duration::from_millis(1);
/// How many warnings are handed out.
const N_WARNINGS_MAX: usize = 5;

/// What is shown of a folder.
pub(crate) struct RunState {
    pub(crate) folder: RunFolder,
    pub(crate) summary: RunSummary,
    pub(crate) table: Arc<TableState>,
    /// Those with a model, by rank.
    pub(crate) models: Vec<RankedModel>,
}

/// A folder that is watched.
pub(super) struct WatchedRun {
    name: String,
    folder: RunFolder,
    seen: BTreeMap<String, Seen>,
    /// The records, and the trials that halving stopped, by name.
    trials: Vec<TrialResult>,
    /// What halving compared, as its file said when it was last read.
    halving: Option<(Stamp, Vec<HalvingRound>)>,
    warnings: Vec<String>,
    table: Arc<TableState>,
    models: Vec<RankedModel>,
    /// Of the folder of models when the models were last looked for.
    models_listed: Option<SystemTime>,
    best: Option<BestTrial>,
    configurations: Vec<ConfigurationSummary>,
    running_best: Vec<(usize, f64)>,
    specification: Option<(Stamp, Option<SweepSpec>)>,
    checkpoints: (Option<SystemTime>, Checkpoints),
    summary: RunSummary,
    /// Of the folder of records when it was last listed.
    listed: Option<SystemTime>,
    /// When each record was last looked at: what is written into one, in its place, leaves the folder's time as it was.
    looked: Option<Instant>,
}

/// What tells a file from what it was before.
type Stamp = (Option<SystemTime>, u64);

struct Seen {
    stamp: Stamp,
    /// Why it was skipped, or that it was changed by hand.
    warning: Option<String>,
}

impl WatchedRun {
    pub(super) fn new(name: String, folder: RunFolder) -> Self {
        let summary =
            RunSummary { name: name.clone(), path: folder.path().display().to_string(), ..RunSummary::default() };
        WatchedRun {
            name,
            folder,
            seen: BTreeMap::new(),
            trials: Vec::new(),
            halving: None,
            warnings: Vec::new(),
            table: Arc::default(),
            models: Vec::new(),
            models_listed: None,
            best: None,
            configurations: Vec::new(),
            running_best: Vec::new(),
            specification: None,
            checkpoints: Default::default(),
            summary,
            listed: None,
            looked: None,
        }
    }

    /// Reads what has changed; whether anything has.
    pub(super) fn refresh(&mut self, folders: &Folders) -> bool {
        let has_new_records = self.read_records(folders);
        let has_new_rounds = self.read_halving(folders);
        let has_new_plan = self.read_specification(folders);
        let models_listed = modified(&self.folder.models());
        let has_other_models = models_listed != self.models_listed;
        self.models_listed = models_listed;
        if has_new_records || has_new_rounds {
            self.read_stopped(folders);
            self.warnings = self.seen.values().filter_map(|seen| seen.warning.clone()).collect();
        }
        let is_seen_anew = (has_new_plan || has_other_models) && !self.trials.is_empty();
        if has_new_records || has_new_rounds || is_seen_anew {
            let n_planned = self.plan().map_or(1, SweepSpec::n_seeds);
            let overview = Overview::new(&self.trials);
            self.table = Arc::new(self.table.next(&overview));
            self.best = ranking::best(&overview, self.plan(), n_planned);
            self.configurations = ranking::configurations(&overview, self.plan(), n_planned);
            let written = |trial: &str| self.seen.get(trial).and_then(|seen| seen.stamp.0);
            self.running_best = ranking::running_best(&overview, written);
            self.models = ranking::models(&self.name, &self.folder, &overview);
        }
        let summary = self.summarised(folders);
        let has_changed = summary != self.summary;
        self.summary = summary;
        has_changed
    }

    pub(super) fn state(&self) -> Arc<RunState> {
        Arc::new(RunState {
            folder: self.folder.clone(),
            summary: self.summary.clone(),
            table: Arc::clone(&self.table),
            models: self.models.clone(),
        })
    }

    /// Whether a record is new, changed or gone.
    fn read_records(&mut self, folders: &Folders) -> bool {
        let Some(trials) = folders.admit(&self.folder.trials()) else { return false };
        let modified = modified(&trials);
        let is_fresh =
            self.looked.is_some_and(|looked| looked.elapsed() < BETWEEN_LOOKS + PER_RECORD * self.seen.len() as u32);
        if modified.is_some() && is_settled(modified) && self.listed == modified && is_fresh {
            return false;
        }
        self.looked = Some(Instant::now());
        self.listed = modified;
        let mut has_changed = false;
        let mut found: BTreeMap<String, Stamp> = BTreeMap::new();
        for entry in fs::read_dir(&trials).into_iter().flatten().flatten() {
            let Some(trial) = trial_of_record(&entry.path()) else { continue };
            let is_link = entry.file_type().is_ok_and(|kind| kind.is_symlink());
            if is_link && folders.admit(&entry.path()).is_none() {
                continue;
            }
            let Ok(metadata) = fs::metadata(entry.path()) else { continue };
            found.insert(trial, stamp(&metadata));
        }
        // What halving stopped has no record.
        let is_gone = |trial: &String| self.seen.contains_key(trial) && !found.contains_key(trial);
        let n_before = self.seen.len();
        self.trials.retain(|result| !is_gone(&result.record.trial));
        self.seen.retain(|trial, _| found.contains_key(trial));
        has_changed |= self.seen.len() != n_before;
        for (trial, stamp) in found {
            match self.seen.get(&trial) {
                Some(seen) if seen.stamp == stamp => continue,
                Some(_) => self.trials.retain(|result| result.record.trial != trial),
                None => {}
            }
            has_changed = true;
            let (result, warning) = self.folder.read_trial(&self.folder.record(&trial));
            self.trials.extend(result.map(|mut result| {
                // Nobody looks at them here, and they are most of a record.
                result.record.mistakes = Vec::new();
                result
            }));
            self.seen.insert(trial, Seen { stamp, warning });
        }
        has_changed
    }

    /// Whether halving has compared anew.
    fn read_halving(&mut self, folders: &Folders) -> bool {
        let path = self.folder.halving();
        let stamp = folders.admit(&path).and_then(|path| fs::metadata(path).ok()).map(|file| stamp(&file));
        if stamp == self.halving.as_ref().map(|(known, _)| *known) {
            return false;
        }
        let rounds = || self.folder.halving_rounds(|_| false).unwrap_or_default();
        self.halving = stamp.map(|stamp| (stamp, rounds()));
        true
    }

    /// The trials that halving stopped and that have no record of their own, with what they had reached.
    fn read_stopped(&mut self, folders: &Folders) {
        let known: BTreeMap<String, TrialResult> = self
            .trials
            .extract_if(.., |result| !self.seen.contains_key(&result.record.trial))
            .map(|result| (result.record.trial.clone(), result))
            .collect();
        let mut rounds = self.halving.as_ref().map(|(_, rounds)| rounds.clone()).unwrap_or_default();
        let mut stopped = Vec::new();
        for round in &mut rounds {
            round.stopped.retain(|trial| match known.get(&trial.trial) {
                _ if self.seen.contains_key(&trial.trial) => false,
                Some(result) if result.record.epochs.last().is_some_and(|last| last.epoch == trial.epoch) => {
                    stopped.push(result.clone());
                    false
                }
                _ => folders.admit(&self.folder.rung(&trial.trial, trial.epoch)).is_some(),
            });
        }
        stopped.extend(self.folder.stopped_trials(&rounds).into_iter().map(|mut result| {
            result.record.mistakes = Vec::new();
            result
        }));
        self.trials.extend(stopped);
        self.trials.sort_by(|one, other| one.record.trial.cmp(&other.record.trial));
        self.trials.dedup_by(|one, other| one.record.trial == other.record.trial);
    }

    /// Whether what is planned has changed.
    fn read_specification(&mut self, folders: &Folders) -> bool {
        let path = self.folder.specification();
        let stamp = folders.admit(&path).and_then(|path| fs::metadata(path).ok()).map(|file| stamp(&file));
        if stamp == self.specification.as_ref().map(|(known, _)| *known) {
            return false;
        }
        self.specification = stamp.map(|stamp| (stamp, SweepSpec::read(&path).ok()));
        true
    }

    fn plan(&self) -> Option<&SweepSpec> {
        self.specification.as_ref().and_then(|(_, specification)| specification.as_ref())
    }

    /// How far trials have come that were written down on the way; read again only where that may have changed.
    fn read_checkpoints(&mut self, folders: &Folders) {
        let folder = self.folder.checkpoints();
        let modified = folders.admit(&folder).and_then(|folder| modified(&folder));
        if modified != self.checkpoints.0 || !is_settled(modified) {
            let found = if modified.is_some() { mlp_sweep::progressed(&self.folder) } else { Checkpoints::new() };
            self.checkpoints = (modified, found);
        }
    }

    fn summarised(&mut self, folders: &Folders) -> RunSummary {
        self.read_checkpoints(folders);
        let records = || self.trials.iter().filter(|trial| !trial.was_stopped()).map(|trial| &trial.record);
        let count = |status| records().filter(|record| record.status == status).count();
        let rounds = self.halving.iter().flat_map(|(_, rounds)| rounds);
        let stopped = rounds.flat_map(|round| &round.stopped).filter(|stopped| !self.seen.contains_key(&stopped.trial));
        let stopped: Vec<&str> = stopped.map(|stopped| stopped.trial.as_str()).collect();
        let plan = self.plan();
        let n_trials = plan.map(SweepSpec::n_trials);
        let n_over = records().filter(|record| record.is_over()).count();
        let n_left = n_trials.map(|n_trials| n_trials.saturating_sub(n_over + stopped.len()));
        let running = mlp_sweep::running(&self.folder);
        let pace = mlp_sweep::trials_per_minute(records(), running.len());
        // Who runs a trial says so as well, but between two trials only this does.
        let holder = durable_file::lock::holder(self.folder.path());
        let checkpoints = &self.checkpoints.1;
        let is_over = |trial: &str| {
            self.seen.contains_key(trial) || stopped.contains(&trial) || running.iter().any(|run| run.trial == trial)
        };
        let interrupted = under_way::interrupted(&self.folder, folders, checkpoints, plan, is_over);
        let is_idle = holder.is_none() && running.is_empty();
        let is_open = is_idle && (n_left.is_some_and(|n_left| n_left > 0) || !interrupted.is_empty());
        RunSummary {
            name: self.name.clone(),
            path: self.folder.path().display().to_string(),
            n_trials,
            n_finished: count(Status::Finished),
            n_diverged: count(Status::Diverged),
            n_failed: count(Status::Failed),
            n_stopped: stopped.len(),
            holder,
            seconds_left: n_left
                .zip(pace)
                .map(|(n_left, pace)| 60.0 * n_left as f64 / pace)
                .filter(|seconds| *seconds > 0.0),
            n_left,
            running: under_way::under_way(&running, checkpoints, plan),
            interrupted,
            command: plan.filter(|_| is_open).and_then(|plan| under_way::command(&self.folder, plan)),
            best: self.best.clone(),
            configurations: self.configurations.clone(),
            warnings: self.warnings.iter().take(N_WARNINGS_MAX).cloned().collect(),
            n_warnings: self.warnings.len(),
            changed: self.listed.and_then(since_1970),
            table: self.table.revision(),
            running_best: self.running_best.clone(),
        }
    }
}

fn modified(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).and_then(|file| file.modified()).ok()
}

/// Whether the time of a folder proves that nothing has changed since: a moment in which two files can have been added must be
/// over.
fn is_settled(modified: Option<SystemTime>) -> bool {
    modified.is_none_or(|time| time.elapsed().is_ok_and(|age| age.as_secs() >= 2))
}

fn stamp(metadata: &Metadata) -> Stamp {
    (metadata.modified().ok(), metadata.len())
}

fn since_1970(time: SystemTime) -> Option<f64> {
    time.duration_since(SystemTime::UNIX_EPOCH).ok().map(|age| age.as_secs_f64())
}
