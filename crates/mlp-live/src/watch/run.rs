//! One folder of results, read bit by bit.

use std::collections::BTreeMap;
use std::fs::{self, Metadata};
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use mlp_results::{
    Compared, HalvingRound, Overview, RunFolder, RunRecord, Status, TrialResult, interval, score, text, trial_of_record,
};
use mlp_sweep::{Running, SweepSpec};

use super::summary::{BestMean, BestTrial, RankedModel, RunSummary, RunningTrial};
use super::table::TableState;
use crate::folders::Folders;

/// How many running trials are listed.
const N_RUNNING_MAX: usize = 64;

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
    best: Option<BestTrial>,
    running_best: Vec<(usize, f64)>,
    specification: Option<(Stamp, Option<SweepSpec>)>,
    summary: RunSummary,
    /// Of the folder of records when it was last listed.
    listed: Option<SystemTime>,
}

/// What tells a file from what it was before.
type Stamp = (Option<SystemTime>, u64);

struct Seen {
    stamp: Stamp,
    problem: Option<String>,
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
            best: None,
            running_best: Vec::new(),
            specification: None,
            summary,
            listed: None,
        }
    }

    /// Reads what has changed; whether anything has.
    pub(super) fn refresh(&mut self, folders: &Folders) -> bool {
        let has_new_records = self.read_records(folders);
        let has_new_rounds = self.read_halving(folders);
        if has_new_records || has_new_rounds {
            self.read_stopped(folders);
            self.warnings = self.seen.values().filter_map(|seen| seen.problem.clone()).collect();
            let overview = Overview::new(&self.trials);
            self.table = Arc::new(self.table.next(&overview));
            self.best = best(&overview);
            self.running_best = running_best(&overview, |trial| self.seen.get(trial).and_then(|seen| seen.stamp.0));
            self.models = models(&self.name, &self.folder, &overview);
        }
        self.read_specification(folders);
        let summary = self.summarised();
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
        let modified = fs::metadata(&trials).and_then(|folder| folder.modified()).ok();
        // A moment in which two files can have been added must be over before the time of a folder proves anything.
        let is_settled = modified.is_some_and(|time| time.elapsed().is_ok_and(|age| age.as_secs() >= 2));
        if is_settled && self.listed == modified {
            return false;
        }
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
        self.seen.retain(|trial, _| found.contains_key(trial));
        let n_before = self.trials.len();
        self.trials.retain(|result| result.was_stopped() || found.contains_key(&result.record.trial));
        has_changed |= self.trials.len() != n_before;
        for (trial, stamp) in found {
            match self.seen.get(&trial) {
                Some(seen) if seen.stamp == stamp => continue,
                Some(_) => self.trials.retain(|result| result.record.trial != trial),
                None => {}
            }
            has_changed = true;
            let problem = self.read_record(&trial).err();
            self.seen.insert(trial, Seen { stamp, problem });
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
            .extract_if(.., |result| result.was_stopped())
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

    fn read_record(&mut self, trial: &str) -> Result<(), String> {
        let path = self.folder.record(trial);
        let mut record = RunRecord::read(&path).map_err(|error| error.to_string())?;
        if record.trial != trial {
            return Err(format!("{}: the record of another trial, {}", path.display(), text::clean(&record.trial, 64)));
        }
        // Nobody looks at them here, and they are most of a record.
        record.mistakes = Vec::new();
        let model = Some(self.folder.model(trial)).filter(|path| path.is_file());
        self.trials.push(TrialResult { record, model, ending: None });
        Ok(())
    }

    fn read_specification(&mut self, folders: &Folders) {
        let path = self.folder.specification();
        let stamp = folders.admit(&path).and_then(|path| fs::metadata(path).ok()).map(|file| stamp(&file));
        match (stamp, &self.specification) {
            (None, _) => self.specification = None,
            (Some(stamp), Some((known, _))) if *known == stamp => {}
            (Some(stamp), _) => self.specification = Some((stamp, SweepSpec::read(&path).ok())),
        }
    }

    fn summarised(&self) -> RunSummary {
        let records = || self.trials.iter().filter(|trial| !trial.was_stopped()).map(|trial| &trial.record);
        let count = |status| records().filter(|record| record.status == status).count();
        let rounds = self.halving.iter().flat_map(|(_, rounds)| rounds);
        let stopped = rounds.flat_map(|round| &round.stopped).filter(|stopped| !self.seen.contains_key(&stopped.trial));
        let n_stopped = stopped.count();
        let specification = self.specification.as_ref().and_then(|(_, specification)| specification.as_ref());
        let n_trials = specification.map(SweepSpec::n_trials);
        let n_over = records().filter(|record| record.is_over()).count();
        let n_left = n_trials.map(|n_trials| n_trials.saturating_sub(n_over + n_stopped));
        let running = mlp_sweep::running(&self.folder);
        let pace = mlp_sweep::trials_per_minute(records(), running.len());
        let checkpoints = if running.is_empty() { BTreeMap::new() } else { mlp_sweep::progressed(&self.folder) };
        let n_epochs = specification.map(|specification| specification.base().train.epochs);
        let listed = running.iter().take(N_RUNNING_MAX);
        RunSummary {
            name: self.name.clone(),
            path: self.folder.path().display().to_string(),
            n_trials,
            n_finished: count(Status::Finished),
            n_diverged: count(Status::Diverged),
            n_failed: count(Status::Failed),
            n_stopped,
            holder: durable_holder(self.folder.path()),
            seconds_left: n_left
                .zip(pace)
                .map(|(n_left, pace)| 60.0 * n_left as f64 / pace)
                .filter(|seconds| *seconds > 0.0),
            n_left,
            running: listed.map(|running| under_way(running, &checkpoints, n_epochs, specification)).collect(),
            best: self.best.clone(),
            warnings: self.warnings.iter().take(5).cloned().collect(),
            changed: self.listed.and_then(since_1970),
            table: self.table.revision(),
            running_best: self.running_best.clone(),
        }
    }
}

/// Who holds the folder: whoever runs a trial says so as well, but between two trials only this does.
fn durable_holder(folder: &Path) -> Option<String> {
    durable_file::lock::holder(folder)
}

fn under_way(
    running: &Running,
    checkpoints: &BTreeMap<String, (usize, usize)>,
    n_epochs: Option<usize>,
    specification: Option<&SweepSpec>,
) -> RunningTrial {
    let varies = specification.is_some_and(|spec| spec.axes().iter().any(|axis| axis.key == "epochs"));
    let checkpoint = checkpoints.get(&running.trial).map(|(epoch, _)| epoch.saturating_sub(1));
    let measured = |epoch: &mlp_train::EpochRecord| {
        let metrics = epoch.test.as_ref().unwrap_or(&epoch.train);
        (epoch.epoch, metrics.accuracy.unwrap_or(metrics.loss))
    };
    let measures = running.epochs.last().map_or("", |epoch| match &epoch.test {
        Some(test) if test.accuracy.is_some() => "test accuracy",
        Some(_) => "test loss",
        None if epoch.train.accuracy.is_some() => "training accuracy",
        None => "training loss",
    });
    RunningTrial {
        trial: running.trial.clone(),
        label: text::clean(&running.label, 120),
        holder: text::clean(&running.holder, 80),
        seconds: running.seconds.map(f64::round),
        epoch: running.epochs.last().map(|epoch| epoch.epoch).max(checkpoint),
        n_epochs: n_epochs.filter(|_| !varies),
        curve: running.epochs.iter().map(measured).collect(),
        measures,
    }
}

fn stamp(metadata: &Metadata) -> Stamp {
    (metadata.modified().ok(), metadata.len())
}

fn since_1970(time: SystemTime) -> Option<f64> {
    time.duration_since(SystemTime::UNIX_EPOCH).ok().map(|age| age.as_secs_f64().round())
}

fn best(overview: &Overview<'_>) -> Option<BestTrial> {
    let best = overview.best?;
    let ranking = overview.ranking();
    let value = ranking.score(&best.record).map(|score| overview.metric.format(score))?;
    let label = overview.cells.iter().find(|cell| cell.holds(Some(best))).map(|cell| overview.named(cell));
    let seed = best.record.config.get("seed").map(|seed| format!("seed {}", text::value(seed)));
    // Whoever compares it with the curves below sees its test value there.
    let test = score::score(&best.record, overview.metric, Compared::Test).filter(|_| overview.is_ranked_apart());
    let test = test.map(|value| format!("test {}", overview.metric.format(value)));
    let parts = [label.filter(|label| !label.is_empty()), seed, test];
    let label: Vec<String> = parts.into_iter().flatten().collect();
    Some(BestTrial {
        trial: best.record.trial.clone(),
        ranked_by: ranking.to_string(),
        value,
        label: label.join(", "),
        mean: best_mean(overview),
    })
}

/// The mean of the best configuration, of several seeds, with their standard deviation where these are one group.
fn best_mean(overview: &Overview<'_>) -> Option<BestMean> {
    let cell = overview.cells.first().filter(|cell| cell.ranking_scores.len() > 1)?;
    let (mean, deviation) = (cell.ranking_mean()?, interval::deviation(&cell.ranking_scores)?);
    let [mean, deviation] = [mean, deviation].map(|value| overview.metric.format(value));
    let seeds = text::counted(cell.ranking_scores.len(), "seed");
    if cell.is_bimodal {
        // No deviation describes two groups.
        let label = format!("{seeds}, of which only {} trained: {}", cell.n_trained, overview.named(cell));
        return Some(BestMean { value: mean, label });
    }
    Some(BestMean { value: format!("{mean} ± {deviation}"), label: format!("{seeds}: {}", overview.named(cell)) })
}

/// The best score so far wherever it grew, and at the end; nothing where scores cannot be compared.
fn running_best(overview: &Overview<'_>, written: impl Fn(&str) -> Option<SystemTime>) -> Vec<(usize, f64)> {
    if !overview.is_comparable() {
        return Vec::new();
    }
    let ranking = overview.ranking();
    let trials = overview.cells.iter().flat_map(|cell| &cell.trials);
    let scored = trials.filter_map(|trial| Some((written(&trial.record.trial), ranking.score(&trial.record)?)));
    let mut scored: Vec<(Option<SystemTime>, f64)> = scored.collect();
    scored.sort_by_key(|(time, _)| *time);
    let mut points: Vec<(usize, f64)> = Vec::new();
    for (index, (_, score)) in scored.iter().enumerate() {
        let best = points.last().map(|(_, best)| *best);
        if best.is_none_or(|best| overview.metric.is_better(*score, best)) {
            points.push((index + 1, *score));
        }
    }
    if let Some(&(last, best)) = points.last()
        && last < scored.len()
    {
        points.push((scored.len(), best));
    }
    points
}

/// How many models of a folder are offered.
const N_MODELS_MAX: usize = 40;

fn models(run: &str, folder: &RunFolder, overview: &Overview<'_>) -> Vec<RankedModel> {
    let ranking = overview.ranking();
    let mut found: Vec<(Option<f64>, RankedModel)> = Vec::new();
    for cell in &overview.cells {
        for trial in &cell.trials {
            // A record comes after its model, and a model may have been deleted since.
            if trial.record.status != Status::Finished || !folder.model(&trial.record.trial).is_file() {
                continue;
            }
            let value = score::score(&trial.record, overview.metric, overview.compared);
            let shown = value.map(|value| overview.metric.format(value)).unwrap_or_default();
            let seed = trial.record.config.get("seed").map(|seed| format!("seed {seed}")).unwrap_or_default();
            let data = text::clean(&trial.record.data.name, 40);
            let parts = [shown, data, overview.named(cell), seed];
            let label: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
            let is_best = overview.best.is_some_and(|best| std::ptr::eq(best, *trial));
            let id = format!("{run}/{}", trial.record.trial);
            let model = RankedModel { id, run: run.to_owned(), label: label.join(" · "), is_best };
            found.push((ranking.score(&trial.record), model));
        }
    }
    let metric = overview.metric;
    found.sort_by(|one, other| match (one.0, other.0) {
        (Some(one), Some(other)) if metric.is_better(one, other) => std::cmp::Ordering::Less,
        (Some(one), Some(other)) if metric.is_better(other, one) => std::cmp::Ordering::Greater,
        (one, other) => other.is_some().cmp(&one.is_some()),
    });
    found.into_iter().map(|(_, model)| model).take(N_MODELS_MAX).collect()
}
