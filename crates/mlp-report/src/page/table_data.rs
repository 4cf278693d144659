//! The data of the table of all trials: rows as JSON, drawn, sorted and filtered by the page's script.

use std::collections::BTreeMap;

use mlp_results::score::{final_metrics, metrics_of, seconds};
use mlp_results::{Cell, Compared, Metric, Overview, TrialResult, text};
use mlp_train::EpochRecord;
use serde::Serialize;
use serde_json::{Value, json};

use crate::markup::shown;

/// How many trials the page's table holds at most, the best; `results.csv` has them all.
pub(super) const N_ROWS: usize = 5_000;
/// How many points of a trial's curve are kept for the small drawing in its row.
const N_SPARK_POINTS: usize = 40;
/// How many rows are in the page itself, for readers without scripts.
const N_STATIC: usize = 20;

/// The table as JSON: `columns` with `name`, `title` and `kind` (`text`, `number`, `percent`, `status`), `rows` in the
/// order of the columns, and for each row the compared metric by epoch (`null`: not measured) in `sparks`, on the training
/// samples in `train`. `epochs[axes[row]]` are the epochs of these values: trials mostly share them.
pub(super) fn table_json(overview: &Overview<'_>) -> Value {
    let trials = ranked(overview);
    let shown = || trials.iter().take(N_ROWS);
    let rows: Vec<Vec<Value>> = shown().map(|&(cell, trial)| row(overview, cell, trial)).collect();
    let metric = overview.metric;
    let test = |epoch: &EpochRecord| overview_value(overview, epoch);
    let train = |epoch: &EpochRecord| metric.value(&epoch.train);
    let is_test = overview.compared == Compared::Test;
    let mut epochs: BTreeMap<Vec<usize>, usize> = BTreeMap::new();
    let (mut axes, mut sparks, mut trains) = (Vec::new(), Vec::new(), Vec::new());
    for &(_, trial) in shown() {
        let thinned = thinned(&trial.record.epochs);
        let n_axes = epochs.len();
        let axis: Vec<usize> = thinned.iter().map(|epoch| epoch.epoch).collect();
        axes.push(*epochs.entry(axis).or_insert(n_axes));
        sparks.push(thinned.iter().map(|epoch| rounded(test(epoch))).collect::<Vec<_>>());
        trains.push(thinned.iter().filter(|_| is_test).map(|epoch| rounded(train(epoch))).collect::<Vec<_>>());
    }
    let mut epochs: Vec<(Vec<usize>, usize)> = epochs.into_iter().collect();
    epochs.sort_by_key(|(_, place)| *place);
    let epochs: Vec<Vec<usize>> = epochs.into_iter().map(|(epochs, _)| epochs).collect();
    let range = if metric.is_fraction() { json!([0, 1]) } else { Value::Null };
    json!({
        "columns": columns(overview), "rows": rows, "sparks": sparks, "train": trains, "epochs": epochs, "axes": axes,
        "range": range, "measures": format!("{}, {} set", metric.title(), overview.set_name()),
        "varied": (3..3 + overview.varied.len()).chain([3 + overview.varied.len()]).collect::<Vec<_>>(),
    })
}

/// How many of all trials are in the table.
pub(super) fn n_rows(overview: &Overview<'_>) -> (usize, usize) {
    let n_trials: usize = overview.cells.iter().map(|cell| cell.trials.len()).sum();
    (n_trials.min(N_ROWS), n_trials)
}

/// The first rows, for readers without scripts.
pub(super) fn first_rows(overview: &Overview<'_>) -> Vec<Vec<Value>> {
    ranked(overview).into_iter().take(N_STATIC).map(|(cell, trial)| row(overview, cell, trial)).collect()
}

/// The trials in the order of their scores; those without one last.
fn ranked<'o, 'a>(overview: &'o Overview<'a>) -> Vec<(&'o Cell<'a>, &'a TrialResult)> {
    let mut trials: Vec<(&Cell<'_>, &TrialResult, Option<f64>)> = overview
        .cells
        .iter()
        .flat_map(|cell| cell.trials.iter().map(move |&trial| (cell, trial, overview.score(trial))))
        .collect();
    trials.sort_by(|a, b| match (a.2, b.2) {
        (Some(a), Some(b)) if overview.metric.higher_is_better() => b.total_cmp(&a),
        (Some(a), Some(b)) => a.total_cmp(&b),
        (a, b) => b.is_some().cmp(&a.is_some()),
    });
    trials.into_iter().map(|(cell, trial, _)| (cell, trial)).collect()
}

/// A column of the table.
#[derive(Serialize)]
pub(super) struct Column {
    pub(super) kind: &'static str,
    pub(super) name: String,
    pub(super) title: String,
}

impl Column {
    fn new(name: impl Into<String>, title: impl Into<String>, kind: &'static str) -> Column {
        Column { kind, name: name.into(), title: title.into() }
    }
}

/// The columns in their order.
pub(super) fn columns(overview: &Overview<'_>) -> Vec<Column> {
    let set = overview.set_name();
    let kind = |metric: Metric| if metric.is_fraction() { "percent" } else { "number" };
    let metric_column =
        |metric: Metric| Column::new(metric.name(), format!("{set} {}", metric.title().to_lowercase()), kind(metric));
    let mut columns = vec![Column::new("status", "status", "status"), Column::new("trial", "trial", "text")];
    columns.push(metric_column(overview.metric));
    for key in &overview.varied {
        let is_number = key.values.iter().all(Value::is_number);
        let title = shown(&key.key);
        columns.push(Column::new(title.clone(), title, if is_number { "number" } else { "text" }));
    }
    columns.push(Column::new("seed", "seed", "number"));
    columns.extend(other_metrics(overview).map(metric_column));
    let train = format!("training {}", overview.metric.title().to_lowercase());
    columns.push(Column::new("train", train, kind(overview.metric)));
    columns.push(Column::new("epochs", "epochs", "number"));
    columns.push(Column::new("seconds", "seconds", "number"));
    columns.push(Column::new("parameters", "weights and biases", "number"));
    columns
}

/// The metrics besides the one that trials are ranked by, which stands in front.
fn other_metrics(overview: &Overview<'_>) -> impl Iterator<Item = Metric> {
    let ranked_by = overview.metric;
    Metric::ALL.into_iter().filter(move |&metric| metric != ranked_by)
}

fn row(overview: &Overview<'_>, cell: &Cell<'_>, trial: &TrialResult) -> Vec<Value> {
    let record = &trial.record;
    let metrics = final_metrics(record, overview.compared);
    let train = final_metrics(record, Compared::Train);
    let mut row = vec![json!(trial.ending()), json!(text::trial(&record.trial))];
    let measured = |metric: Metric| rounded(metrics.and_then(|metrics| metric.value(metrics)));
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
    row.push(rounded(train.and_then(|train| overview.metric.value(train))));
    row.push(json!(record.epochs.last().map_or(0, |epoch| epoch.epoch)));
    row.push(rounded(seconds(record)));
    row.push(json!(record.parameters));
    row
}

/// The epochs of a trial, thinned to at most [`N_SPARK_POINTS`], the last one always among them.
fn thinned(epochs: &[EpochRecord]) -> Vec<&EpochRecord> {
    let step = epochs.len().div_ceil(N_SPARK_POINTS).max(1);
    let offset = epochs.len().saturating_sub(1) % step;
    epochs.iter().skip(offset).step_by(step).collect()
}

/// The compared metric of an epoch.
fn overview_value(overview: &Overview<'_>, epoch: &EpochRecord) -> Option<f64> {
    metrics_of(epoch, overview.compared).and_then(|metrics| overview.metric.value(metrics))
}

/// Five significant digits: the CSV has them all. What is not finite is not measured.
fn rounded(value: Option<f64>) -> Value {
    match value {
        Some(value) if value.is_finite() => json!(format!("{value:.4e}").parse::<f64>().unwrap_or(value)),
        _ => Value::Null,
    }
}
