//! What a list of trials is about: which settings vary, which trials differ only in their seed, which did best.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use mlp_train::{EpochMetrics, EpochRecord, RunRecord, Status};
use serde_json::Value;

use crate::ending::{ending, was_stopped};
use crate::levels::constant_answers;
use crate::metric::Metric;
use crate::{Trial, chart, interval, text};

/// Keys that make no difference between configurations: a seed repeats one, a name only names it.
const NOT_COMPARED: [&str; 2] = ["seed", "name"];

/// What the number of hidden layers is called.
const HIDDEN_LAYERS: &str = "hidden layers";
/// How much of the way from the best constant answer to perfection the best trial must have gone before a report speaks
/// of nets that trained.
const SHARE_TRAINED: f64 = 0.5;
/// How wide a gap makes two heaps, as a share of the way from the best constant answer to the best trial.
const SHARE_GAP: f64 = 0.25;

/// The set of samples that trials are compared on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compared {
    /// The test set.
    Test,
    /// The training set: no trial was measured on a test set.
    Train,
}

/// A key that takes more than one value among the trials.
#[derive(Clone, Debug)]
pub struct VariedKey {
    /// The key in the configuration.
    pub key: String,
    /// Its distinct values, in order; a key that a trial lacks counts as `null`.
    pub values: Vec<Value>,
    /// How each value is written.
    pub names: Vec<String>,
    /// The same, as short as the figures need it: `7 layers` where the number of layers says which.
    pub short_names: Vec<String>,
    /// The values as numbers, where all of them are numbers, lists of one number, or lists of distinct lengths.
    pub numbers: Option<Vec<f64>>,
    /// What stands under the axis: the key, or that its length is counted.
    pub title: String,
}

/// Trials that differ only in their seed.
#[derive(Clone, Debug)]
pub struct Cell<'a> {
    /// The values of the varied keys, joined by ` · `; empty if nothing varies.
    pub label: String,
    /// The same from the short names, for figures.
    pub short_label: String,
    /// For each varied key the index into its values.
    pub indices: Vec<usize>,
    /// Its trials, by seed.
    pub trials: Vec<&'a Trial>,
    /// The final values of the compared metric of the trials that have one.
    pub scores: Vec<f64>,
    /// How many of the trials diverged.
    pub n_diverged: usize,
    /// How many of the trials failed.
    pub n_failed: usize,
    /// How many of the trials were stopped before their end: they have no score.
    pub n_stopped: usize,
    /// How many of the scores are those of nets that trained ([`Overview::is_trained`]); all where that is not known.
    pub n_trained: usize,
    /// Whether some of the runs trained and others did not, with a wide gap between them: then neither a mean nor an
    /// interval describes any of them.
    pub is_two_heaps: bool,
}

/// A list of trials, sorted out.
#[derive(Clone, Debug)]
pub struct Overview<'a> {
    /// What trials are compared by: the most telling metric that was measured.
    pub metric: Metric,
    /// On which samples.
    pub compared: Compared,
    /// What varies besides the seed.
    pub varied: Vec<VariedKey>,
    /// The configurations, best mean first; those without a score last.
    pub cells: Vec<Cell<'a>>,
    /// The trial with the best single score, the first of equals: the one that a report calls the best and shows in full.
    /// It need not belong to the configuration with the best mean.
    pub best: Option<&'a Trial>,
    /// The score half-way between the best constant answer and the best trial, in units of the metric: scores on the far
    /// side of it are those of nets that trained. Nothing where there are no constant answers to compare with, or where no
    /// trial left them clearly behind.
    pub trained_from: Option<f64>,
}

impl<'a> Overview<'a> {
    /// Sorts out `trials`.
    pub fn new(trials: &'a [Trial]) -> Overview<'a> {
        let (metric, compared) = compared_by(trials);
        let varied = varied_keys(trials);
        let mut cells = cells(trials, &varied);
        for cell in &mut cells {
            cell.trials.sort_by(|a, b| by_seed(&a.record, &b.record));
            cell.scores = cell.trials.iter().filter_map(|trial| score(&trial.record, metric, compared)).collect();
            let count = |word: &str| cell.trials.iter().filter(|trial| ending(trial) == word).count();
            (cell.n_diverged, cell.n_failed) = (count("diverged"), count("failed"));
            cell.n_stopped = cell.trials.iter().filter(|trial| was_stopped(trial)).count();
        }
        cells.sort_by(|a, b| by_score(metric, a.mean(), b.mean()).then_with(|| a.indices.cmp(&b.indices)));
        let mut overview = Overview { metric, compared, varied, cells, best: None, trained_from: None };
        overview.best = trials.iter().filter(|trial| overview.score(trial).is_some()).min_by(|a, b| {
            // The order of the trials must not matter: of equal ones the first by name is the best.
            let by_name = || a.record.trial.cmp(&b.record.trial);
            by_score(metric, overview.score(a), overview.score(b)).then_with(by_name)
        });
        overview.trained_from = overview.trained_from();
        let heaps: Vec<(usize, bool)> = overview
            .cells
            .iter()
            .map(|cell| (overview.n_trained(&cell.scores), overview.are_two_heaps(&cell.scores)))
            .collect();
        for (cell, heaps) in overview.cells.iter_mut().zip(heaps) {
            (cell.n_trained, cell.is_two_heaps) = heaps;
        }
        overview
    }

    /// Whether a net with this score trained: whether it is nearer to the best trial's score than to what the best
    /// constant answer reaches. Nothing where that cannot be said.
    pub fn is_trained(&self, score: f64) -> Option<bool> {
        self.trained_from.map(|bound| !self.metric.is_better(bound, score))
    }

    /// How many of the scores are those of nets that trained; all where that cannot be said.
    pub(crate) fn n_trained(&self, scores: &[f64]) -> usize {
        scores.iter().filter(|&&score| self.is_trained(score) != Some(false)).count()
    }

    /// Whether the scores, or those of any one configuration, fall into two heaps: then a mean describes neither.
    pub(crate) fn has_two_heaps(&self) -> bool {
        let all: Vec<f64> = self.cells.iter().flat_map(|cell| cell.scores.iter().copied()).collect();
        self.cells.iter().any(|cell| cell.is_two_heaps) || self.are_two_heaps(&all)
    }

    /// Whether some of the scores are those of nets that trained and others are not, with at least [`SHARE_GAP`] of the way
    /// from the best constant answer to the best trial between them.
    fn are_two_heaps(&self, scores: &[f64]) -> bool {
        let (Some(bound), Some(best)) = (self.trained_from, self.best.and_then(|best| self.score(best))) else {
            return false;
        };
        let (trained, untrained): (Vec<f64>, Vec<f64>) =
            scores.iter().map(|score| (score - best).abs()).partition(|&distance| distance <= (bound - best).abs());
        let (worst, nearest) = (chart::range(trained), chart::range(untrained));
        worst.zip(nearest).is_some_and(|((_, a), (b, _))| b - a >= SHARE_GAP * 2.0 * (bound - best).abs())
    }

    /// What the best constant answer reaches on the test set of the best trial.
    pub(crate) fn best_constant(&self) -> Option<(&'static str, f64)> {
        let levels = constant_answers(&self.best?.record);
        let levels = levels.iter().filter_map(|level| Some((level.name, level.value(self.metric)?)));
        levels.reduce(|a, b| if self.metric.is_better(b.1, a.1) { b } else { a })
    }

    fn trained_from(&self) -> Option<f64> {
        let best = self.score(self.best?)?;
        let (_, constant) = self.best_constant()?;
        let perfect = if self.metric.higher_is_better() { 1.0 } else { 0.0 };
        let share = (best - constant) / (perfect - constant);
        (share.is_finite() && share >= SHARE_TRAINED).then_some(0.5 * (best + constant))
    }

    /// The final value of the compared metric, of a trial that finished.
    pub fn score(&self, trial: &Trial) -> Option<f64> {
        score(&trial.record, self.metric, self.compared)
    }

    /// The best trial of a cell ([`Overview::best`] in the cell that holds it), or its first one if none has a score.
    pub fn best_of(&self, cell: &Cell<'a>) -> Option<&'a Trial> {
        if cell.holds(self.best) {
            return self.best;
        }
        cell.trials.iter().copied().min_by(|a, b| by_score(self.metric, self.score(a), self.score(b)))
    }

    /// How much more `cell` reaches than `other`, from the seeds that both finished: the 95 % t-interval of the mean of the
    /// differences, seed by seed, so that what a seed does to both alike drops out. Nothing with fewer than two common
    /// seeds, or where only some runs of either trained.
    pub fn difference(&self, cell: &Cell<'_>, other: &Cell<'_>) -> Option<interval::Interval> {
        if cell.is_two_heaps || other.is_two_heaps {
            return None;
        }
        let by_seed = |cell: &Cell<'_>| -> BTreeMap<String, f64> {
            let scored = |trial: &&Trial| Some((config_value(&trial.record, "seed").to_string(), self.score(trial)?));
            cell.trials.iter().filter_map(scored).collect()
        };
        let others = by_seed(other);
        let differences: Vec<f64> =
            by_seed(cell).iter().filter_map(|(seed, score)| Some(score - others.get(seed)?)).collect();
        interval::interval(&differences)
    }

    /// The compared set's metrics of an epoch.
    pub fn metrics_of(&self, epoch: &'a EpochRecord) -> Option<&'a EpochMetrics> {
        metrics_of(epoch, self.compared)
    }

    /// `test` or `training`, for titles.
    pub fn set_name(&self) -> &'static str {
        match self.compared {
            Compared::Test => "test",
            Compared::Train => "training",
        }
    }
}

impl Cell<'_> {
    /// The mean of the scores.
    pub fn mean(&self) -> Option<f64> {
        interval::mean(&self.scores)
    }

    /// The spread of single runs: the standard deviation of the scores (dividing by n − 1), of at least two.
    pub fn deviation(&self) -> Option<f64> {
        interval::deviation(&self.scores)
    }

    /// The 95 % t-interval of the mean over the seeds, of at least two scores that are all of one kind: where some runs
    /// trained and others did not, no interval describes them.
    pub fn interval(&self) -> Option<interval::Interval> {
        if self.is_two_heaps { None } else { interval::interval(&self.scores) }
    }

    /// The mean seconds of the finished trials, training and measuring; nothing where they were not recorded.
    pub fn seconds(&self) -> Option<f64> {
        let finished = self.trials.iter().filter(|trial| trial.record.status == Status::Finished);
        interval::mean(&finished.filter_map(|trial| seconds(&trial.record)).collect::<Vec<_>>())
    }

    /// Whether `trial` is one of this cell's.
    pub(crate) fn holds(&self, trial: Option<&Trial>) -> bool {
        trial.is_some_and(|trial| self.trials.iter().any(|other| std::ptr::eq(*other, trial)))
    }
}

/// The metrics that stand for a finished run: those of its best epoch (the last one without early stopping).
pub(crate) fn final_metrics(record: &RunRecord, compared: Compared) -> Option<&EpochMetrics> {
    kept_epoch(record).and_then(|epoch| metrics_of(epoch, compared))
}

/// What the validation set measured of a finished run's kept weights.
pub(crate) fn final_validation(record: &RunRecord) -> Option<&EpochMetrics> {
    kept_epoch(record).and_then(|epoch| epoch.validation.as_ref())
}

fn kept_epoch(record: &RunRecord) -> Option<&EpochRecord> {
    record.epochs.iter().find(|epoch| epoch.epoch == record.best_epoch).or(record.epochs.last())
}

pub(crate) fn metrics_of(epoch: &EpochRecord, compared: Compared) -> Option<&EpochMetrics> {
    match compared {
        Compared::Test => epoch.test.as_ref(),
        Compared::Train => Some(&epoch.train),
    }
}

/// How long a run took, training and measuring, in seconds; nothing where nothing sensible was recorded.
pub(crate) fn seconds(record: &RunRecord) -> Option<f64> {
    let sum: f64 = record.runtime.seconds_train.iter().chain(&record.runtime.seconds_evaluate).sum();
    (sum.is_finite() && sum > 0.0).then_some(sum)
}

/// The final value of a metric, of a run that finished.
pub(crate) fn score(record: &RunRecord, metric: Metric, compared: Compared) -> Option<f64> {
    if record.status != Status::Finished {
        return None;
    }
    final_metrics(record, compared).and_then(|metrics| metric.value(metrics))
}

/// What trials may be compared by, in the order of worth: on the test set if any trial was measured there.
pub(crate) fn candidates() -> impl Iterator<Item = (Metric, Compared)> {
    [Compared::Test, Compared::Train].into_iter().flat_map(|compared| {
        // The rate of invalid answers ranks nothing: a net that always answers '0' has none.
        let ranking = Metric::ALL.into_iter().filter(|&metric| metric != Metric::InvalidRate);
        ranking.map(move |metric| (metric, compared))
    })
}

/// The first of the candidates that some trial has.
fn compared_by(trials: &[Trial]) -> (Metric, Compared) {
    let has_value = |record: &RunRecord, metric: Metric, compared| {
        final_metrics(record, compared).is_some_and(|metrics| metric.value(metrics).is_some())
    };
    candidates()
        .find(|&(metric, compared)| trials.iter().any(|trial| has_value(&trial.record, metric, compared)))
        .unwrap_or((Metric::DigitAccuracy, Compared::Test))
}

fn by_score(metric: Metric, a: Option<f64>, b: Option<f64>) -> Ordering {
    match (a, b) {
        (Some(a), Some(b)) if metric.is_better(a, b) => Ordering::Less,
        (Some(a), Some(b)) if metric.is_better(b, a) => Ordering::Greater,
        (Some(_), Some(_)) | (None, None) => Ordering::Equal,
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
    }
}

fn by_seed(a: &RunRecord, b: &RunRecord) -> Ordering {
    let seed = |record: &RunRecord| record.config.get("seed").and_then(Value::as_u64);
    seed(a).cmp(&seed(b)).then_with(|| a.trial.cmp(&b.trial))
}

fn config_value<'a>(record: &'a RunRecord, key: &str) -> &'a Value {
    record.config.get(key).unwrap_or(&Value::Null)
}

fn varied_keys(trials: &[Trial]) -> Vec<VariedKey> {
    let keys: BTreeSet<&String> = trials.iter().flat_map(|trial| trial.record.config.keys()).collect();
    keys.into_iter()
        .filter(|key| !NOT_COMPARED.contains(&key.as_str()))
        .filter_map(|key| {
            let first = config_value(&trials.first()?.record, key);
            trials.iter().any(|trial| config_value(&trial.record, key) != first).then(|| varied_key(trials, key))
        })
        .collect()
}

fn varied_key(trials: &[Trial], key: &str) -> VariedKey {
    let distinct: BTreeMap<String, &Value> =
        trials.iter().map(|trial| config_value(&trial.record, key)).map(|value| (value.to_string(), value)).collect();
    let mut values: Vec<Value> = distinct.into_values().cloned().collect();
    values.sort_by(by_value);
    let (numbers, title) = numbers(key, &values);
    let names: Vec<String> = values.iter().map(name).collect();
    let short_names = match &numbers {
        Some(lengths) if title == HIDDEN_LAYERS => {
            lengths.iter().map(|&n| text::counted(n as usize, "layer")).collect()
        }
        _ => short_names(&values, &names),
    };
    VariedKey { key: key.to_owned(), names, short_names, values, numbers, title }
}

/// How a value is written in the name of a configuration: numbers with more digits than anybody types, which were drawn,
/// with four of them. The table of all trials and `results.csv` have them in full.
fn name(value: &Value) -> String {
    let full = text::value(value);
    match value.as_f64() {
        Some(number) if full.chars().count() > 9 && value.is_f64() => text::rounded_to(number, 4),
        _ => full,
    }
}

/// The names of values; one with parameters goes without them if no other value has its name.
fn short_names(values: &[Value], names: &[String]) -> Vec<String> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for bare in values.iter().filter_map(bare_name) {
        *counts.entry(bare).or_default() += 1;
    }
    let short = |(value, name): (&Value, &String)| match bare_name(value) {
        Some(bare) if counts.get(bare) == Some(&1) => bare.to_owned(),
        _ => name.clone(),
    };
    values.iter().zip(names).map(short).collect()
}

/// What a value is called apart from its parameters: the `name` of a table, or a text itself.
fn bare_name(value: &Value) -> Option<&str> {
    match value {
        Value::Object(fields) => fields.get("name").and_then(Value::as_str),
        other => other.as_str(),
    }
}

/// Numbers for an axis: the values themselves, the only members of lists, or the lengths of lists where no two are equal.
fn numbers(key: &str, values: &[Value]) -> (Option<Vec<f64>>, String) {
    if let Some(numbers) = values.iter().map(Value::as_f64).collect::<Option<Vec<f64>>>() {
        return (Some(numbers), key.to_owned());
    }
    let only = |value: &Value| value.as_array().filter(|list| list.len() == 1).and_then(|list| list[0].as_f64());
    if let Some(numbers) = values.iter().map(only).collect::<Option<Vec<f64>>>() {
        let title = if key == "hidden" { "hidden units".to_owned() } else { key.to_owned() };
        return (Some(numbers), title);
    }
    let lengths: Option<Vec<usize>> = values.iter().map(|value| value.as_array().map(Vec::len)).collect();
    match lengths {
        Some(lengths) if lengths.iter().collect::<BTreeSet<_>>().len() == lengths.len() => {
            let title = if key == "hidden" { HIDDEN_LAYERS.to_owned() } else { format!("{key}: length of the list") };
            (Some(lengths.into_iter().map(|length| length as f64).collect()), title)
        }
        _ => (None, key.to_owned()),
    }
}

fn by_value(a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => {
            a.as_f64().unwrap_or(f64::NAN).total_cmp(&b.as_f64().unwrap_or(f64::NAN))
        }
        (Value::Array(a), Value::Array(b)) => a.len().cmp(&b.len()).then_with(|| {
            let different = a.iter().zip(b).map(|(a, b)| by_value(a, b)).find(|order| order.is_ne());
            different.unwrap_or(Ordering::Equal)
        }),
        _ => a.to_string().cmp(&b.to_string()),
    }
}

fn cells<'a>(trials: &'a [Trial], varied: &[VariedKey]) -> Vec<Cell<'a>> {
    let indices: Vec<BTreeMap<String, usize>> = varied
        .iter()
        .map(|key| key.values.iter().enumerate().map(|(index, value)| (value.to_string(), index)).collect())
        .collect();
    // Trials on different data are never one configuration, even if their configurations read the same.
    let mut groups: BTreeMap<(Vec<usize>, &str), Vec<&Trial>> = BTreeMap::new();
    for trial in trials {
        let place = varied.iter().zip(&indices).map(|(key, indices)| {
            indices.get(&config_value(&trial.record, &key.key).to_string()).copied().unwrap_or(0)
        });
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
            n_diverged: 0,
            n_failed: 0,
            n_stopped: 0,
            n_trained: 0,
            is_two_heaps: false,
        })
        .collect()
}
