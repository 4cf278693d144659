//! The data of the table of all trials: rows as JSON, drawn, sorted and filtered by the page's script.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use mlp_results::score::{final_metrics, final_validation, metrics_of, seconds};
use mlp_results::{Cell, Compared, Metric, Overview, TrialResult, text};
use mlp_train::EpochRecord;
use serde::Serialize;
use serde_json::{Value, json};

use crate::markup::shown;

/// How many trials the page's table holds at most, the best; `results.csv` has them all.
pub(super) const N_ROWS: usize = 5_000;
/// How many points of a trial's curve are kept at least, and at most where there is room for them.
const N_CURVE_POINTS: RangeInclusive<usize> = 40..=500;
/// How many points the curves of all metrics may have altogether; where the fewest are more, only the compared metric has any.
const N_POINTS: usize = 60_000;
/// How many rows are in the page itself, for readers without scripts.
const N_STATIC: usize = 20;

/// The table of all trials as data, for other pages than the report: its `columns`, `rows` in the order of their rank, `metrics`
/// with their curves, and the `epochs` of those.
pub fn trial_table(overview: &Overview<'_>) -> Value {
    serde_json::to_value(table(overview)).expect("lists of texts and numbers have a JSON form")
}

/// What the page's script draws the table from. `epochs[axes[row]]` are the epochs of the values of a row's curves: trials
/// mostly share them.
#[derive(Serialize)]
pub(super) struct Table {
    columns: Vec<Column>,
    /// In the order of the columns.
    rows: Vec<Vec<Value>>,
    /// What a trial is told by: the places of the varied settings and of the seed.
    varied: Vec<usize>,
    /// The one that trials are compared by first.
    pub(super) metrics: Vec<RankedBy>,
    epochs: Vec<Vec<usize>>,
    axes: Vec<usize>,
    /// The settings that all trials share, as a filter may ask for them.
    shared: BTreeMap<String, String>,
}

/// A metric that the table can be ranked by.
#[derive(Serialize)]
pub(super) struct RankedBy {
    pub(super) title: &'static str,
    /// What the axis of its curves says.
    measures: String,
    column: usize,
    is_higher_better: bool,
    /// The lowest and the highest value that it can have, of fractions.
    range: Option<[f64; 2]>,
    /// Left out where there are so many trials that the page would become slow.
    pub(super) curves: Option<Curves>,
}

/// A metric by epoch, for each row; `null` was not measured.
#[derive(Serialize)]
pub(super) struct Curves {
    compared: Vec<Vec<Value>>,
    /// Only of the metric that trials are compared by.
    train: Vec<Vec<Value>>,
}

/// The table.
pub(super) fn table(overview: &Overview<'_>) -> Table {
    let trials = ranked(overview);
    let shown: Vec<&TrialResult> = trials.iter().take(N_ROWS).map(|(_, trial)| *trial).collect();
    let mut epochs: BTreeMap<Vec<usize>, usize> = BTreeMap::new();
    let mut axes = Vec::new();
    let others: Vec<Metric> = other_metrics(overview).filter(|&metric| is_measured(overview, &shown, metric)).collect();
    let n_curve_points = N_POINTS / (shown.len() * (1 + others.len())).max(1);
    let n_curve_points = n_curve_points.clamp(*N_CURVE_POINTS.start(), *N_CURVE_POINTS.end());
    for trial in &shown {
        let axis: Vec<usize> = thinned(&trial.record.epochs, n_curve_points).iter().map(|epoch| epoch.epoch).collect();
        let n_axes = epochs.len();
        axes.push(*epochs.entry(axis).or_insert(n_axes));
    }
    let mut epochs: Vec<(Vec<usize>, usize)> = epochs.into_iter().collect();
    epochs.sort_by_key(|(_, place)| *place);
    let epochs: Vec<Vec<usize>> = epochs.into_iter().map(|(epochs, _)| epochs).collect();
    let columns = columns(overview);
    let n_points: usize = axes.iter().map(|&axis| epochs[axis].len()).sum();
    let is_validated = is_validated(overview);
    // Status, trial, and what trials are compared by, with what ranks them.
    let n_before = 3 + usize::from(is_validated && is_ranked_by_validation(overview));
    let has_curves = n_points * others.len() <= N_POINTS;
    let metrics = std::iter::once(overview.metric).chain(others).map(|metric| RankedBy {
        title: metric.title(),
        measures: format!("{}, {} set", metric.title(), overview.set_name()),
        column: columns.iter().position(|column| column.name == metric.name()).unwrap_or(0),
        is_higher_better: metric.higher_is_better(),
        range: metric.is_fraction().then_some([0.0, 1.0]),
        curves: (metric == overview.metric || has_curves)
            .then(|| Curves::new(overview, &shown, metric, n_curve_points)),
    });
    Table {
        metrics: metrics.collect(),
        rows: trials.iter().take(N_ROWS).map(|&(cell, trial)| row(overview, is_validated, cell, trial)).collect(),
        varied: (n_before..=n_before + overview.varied.len()).collect(),
        columns,
        epochs,
        axes,
        shared: shared(overview),
    }
}

/// The settings of the first trial that vary in none.
fn shared(overview: &Overview<'_>) -> BTreeMap<String, String> {
    let first = overview.cells.iter().flat_map(|cell| &cell.trials).next();
    let settings = first.into_iter().flat_map(|trial| &trial.record.config);
    let is_shared =
        |key: &str| key != "seed" && key != "name" && !overview.varied.iter().any(|varied| varied.key == key);
    settings.filter(|(key, _)| is_shared(key)).map(|(key, value)| (shown(key), shown(&text::value(value)))).collect()
}

impl Curves {
    fn new(overview: &Overview<'_>, trials: &[&TrialResult], metric: Metric, n_points: usize) -> Curves {
        let curves = |value: &dyn Fn(&EpochRecord) -> Option<f64>| -> Vec<Vec<Value>> {
            let curve = |trial: &&TrialResult| {
                thinned(&trial.record.epochs, n_points).into_iter().map(|epoch| rounded(value(epoch))).collect()
            };
            trials.iter().map(curve).collect()
        };
        let has_train = metric == overview.metric && overview.compared == Compared::Test;
        Curves {
            compared: curves(&|epoch| metrics_of(epoch, overview.compared).and_then(|metrics| metric.value(metrics))),
            train: if has_train { curves(&|epoch| metric.value(&epoch.train)) } else { Vec::new() },
        }
    }
}

fn is_measured(overview: &Overview<'_>, trials: &[&TrialResult], metric: Metric) -> bool {
    trials.iter().any(|trial| {
        final_metrics(&trial.record, overview.compared).is_some_and(|metrics| metric.value(metrics).is_some())
    })
}

/// How many of all trials are in the table.
pub(super) fn n_rows(overview: &Overview<'_>) -> (usize, usize) {
    let n_trials: usize = overview.cells.iter().map(|cell| cell.trials.len()).sum();
    (n_trials.min(N_ROWS), n_trials)
}

/// The first rows, for readers without scripts.
pub(super) fn first_rows(overview: &Overview<'_>) -> Vec<Vec<Value>> {
    let is_validated = is_validated(overview);
    ranked(overview).into_iter().take(N_STATIC).map(|(cell, trial)| row(overview, is_validated, cell, trial)).collect()
}

/// The trials in the order of what they are ranked by; those without it last. Where not all can be compared, those of one kind
/// stand together.
fn ranked<'o, 'a>(overview: &'o Overview<'a>) -> Vec<(&'o Cell<'a>, &'a TrialResult)> {
    let ranking = overview.ranking();
    let mut trials: Vec<(&Cell<'_>, &TrialResult, Option<f64>)> = overview
        .cells
        .iter()
        .flat_map(|cell| cell.trials.iter().map(move |&trial| (cell, trial, ranking.score(&trial.record))))
        .collect();
    trials.sort_by(|a, b| match (a.2, b.2) {
        (Some(a), Some(b)) if overview.metric.higher_is_better() => b.total_cmp(&a),
        (Some(a), Some(b)) => a.total_cmp(&b),
        (a, b) => b.is_some().cmp(&a.is_some()),
    });
    if !overview.is_comparable() {
        trials.sort_by_cached_key(|(_, trial, _)| overview.kind(trial));
    }
    trials.into_iter().map(|(cell, trial, _)| (cell, trial)).collect()
}

/// A column of the table.
#[derive(Serialize)]
pub(super) struct Column {
    /// `text`, `number`, `percent` or `status`.
    pub(super) kind: &'static str,
    pub(super) name: String,
    pub(super) title: String,
    /// What else a filter may call it.
    aliases: Vec<String>,
}

impl Column {
    fn new(name: impl Into<String>, title: impl Into<String>, kind: &'static str) -> Column {
        Column { kind, name: name.into(), title: title.into(), aliases: Vec::new() }
    }

    /// Of a metric, measured on a set: `test_loss` or `test.loss`, as in `results.csv`, or its bare name.
    fn metric(metric: Metric, set: &str, title: &str) -> Column {
        let kind = if metric.is_fraction() { "percent" } else { "number" };
        let title = format!("{title} {}", metric.title().to_lowercase());
        let aliases = vec![format!("{set}_{metric}"), format!("{set}.{metric}")];
        Column { aliases, ..Column::new(metric.name(), title, kind) }
    }
}

/// The columns in their order.
pub(super) fn columns(overview: &Overview<'_>) -> Vec<Column> {
    let metric_column = |metric: Metric| Column::metric(metric, overview.compared.name(), overview.set_name());
    let of_set = |set: &str, title: &str| {
        let column = Column::metric(overview.metric, set, title);
        Column { name: set.to_owned(), ..column }
    };
    let mut columns = vec![Column::new("status", "status", "status"), Column::new("trial", "trial", "text")];
    if is_validated(overview) && is_ranked_by_validation(overview) {
        columns.push(of_set("validation", "validation"));
    }
    columns.push(metric_column(overview.metric));
    for key in &overview.varied {
        let is_number = key.values.iter().all(Value::is_number);
        let title = shown(&key.key);
        columns.push(Column::new(title.clone(), title, if is_number { "number" } else { "text" }));
    }
    columns.push(Column::new("seed", "seed", "number"));
    columns.extend(other_metrics(overview).map(metric_column));
    if is_validated(overview) && !is_ranked_by_validation(overview) {
        columns.push(of_set("validation", "validation"));
    }
    columns.push(of_set("train", "training"));
    columns.push(Column::new("epochs", "epochs", "number"));
    columns.push(Column::new("seconds", "seconds", "number"));
    columns.push(Column {
        aliases: vec!["parameters".to_owned()],
        ..Column::new("weights", "weights and biases", "number")
    });
    columns
}

/// Whether the validation set ranks, and another one is shown: then its column comes first.
fn is_ranked_by_validation(overview: &Overview<'_>) -> bool {
    overview.is_ranked_apart() && overview.ranked_on == Compared::Validation
}

/// Whether any trial was measured on validation samples.
fn is_validated(overview: &Overview<'_>) -> bool {
    let trials = overview.cells.iter().flat_map(|cell| &cell.trials);
    trials.into_iter().any(|trial| final_validation(&trial.record).is_some())
}

/// The metrics besides the one that trials are ranked by, which stands in front.
fn other_metrics(overview: &Overview<'_>) -> impl Iterator<Item = Metric> {
    let ranked_by = overview.metric;
    Metric::ALL.into_iter().filter(move |&metric| metric != ranked_by)
}

fn row(overview: &Overview<'_>, is_validated: bool, cell: &Cell<'_>, trial: &TrialResult) -> Vec<Value> {
    let record = &trial.record;
    let metrics = final_metrics(record, overview.compared);
    let train = final_metrics(record, Compared::Train);
    let mut row = vec![json!(trial.ending()), json!(text::trial(&record.trial))];
    let measured = |metric: Metric| rounded(metrics.and_then(|metrics| metric.value(metrics)));
    let validation = || rounded(final_validation(record).and_then(|metrics| overview.metric.value(metrics)));
    let is_first = is_ranked_by_validation(overview);
    if is_validated && is_first {
        row.push(validation());
    }
    row.push(measured(overview.metric));
    for (key, &index) in overview.varied.iter().zip(&cell.indices) {
        row.push(match &key.values[index] {
            Value::Number(number) => Value::Number(number.clone()),
            _ => json!(shown(&key.names[index])),
        });
    }
    row.push(match record.config.get("seed") {
        Some(Value::Number(seed)) => Value::Number(seed.clone()),
        Some(other) => json!(text::clean(&text::value(other), 40)),
        None => Value::Null,
    });
    row.extend(other_metrics(overview).map(measured));
    if is_validated && !is_first {
        row.push(validation());
    }
    row.push(rounded(train.and_then(|train| overview.metric.value(train))));
    row.push(json!(record.epochs.last().map_or(0, |epoch| epoch.epoch)));
    row.push(rounded(seconds(record)));
    row.push(json!(record.parameters));
    row
}

/// The epochs of a trial, thinned to at most `n_points`, the last one always among them.
fn thinned(epochs: &[EpochRecord], n_points: usize) -> Vec<&EpochRecord> {
    let step = epochs.len().div_ceil(n_points).max(1);
    let offset = epochs.len().saturating_sub(1) % step;
    epochs.iter().skip(offset).step_by(step).collect()
}

/// Five significant digits: the CSV has them all. What is not finite is not measured.
fn rounded(value: Option<f64>) -> Value {
    match value {
        Some(value) if value.is_finite() => json!(format!("{value:.4e}").parse::<f64>().unwrap_or(value)),
        _ => Value::Null,
    }
}
