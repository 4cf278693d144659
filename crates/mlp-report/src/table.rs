//! The table of all trials: rows as JSON, drawn, sorted and filtered by the page's script.

use crate::markup;
use mlp_results::Cell;
use mlp_results::Metric;
use mlp_results::Overview;
use mlp_results::TrialResult;
use mlp_results::score::final_metrics;
use mlp_results::score::seconds;
use mlp_results::text;

use std::collections::BTreeMap;

use mlp_train::EpochRecord;
use serde_json::{Value, json};

/// How many trials the page's table holds at most, the best; `results.csv` has them all.
pub(crate) const N_ROWS: usize = 5_000;
/// How many points of a trial's curve are kept for the small picture in its row.
const N_SPARK_POINTS: usize = 40;
/// How many rows are in the page itself, for readers without scripts.
const N_STATIC: usize = 20;

/// The table as JSON: `columns` with `name`, `title` and `kind` (`text`, `number`, `percent`, `status`), `rows` in the
/// order of the columns, and for each row the compared metric by epoch (`null`: not measured) in `sparks`, on the training
/// samples in `train`. `epochs[axes[row]]` are the epochs of these values: trials mostly share them.
pub(crate) fn table_json(overview: &Overview<'_>) -> Value {
    let trials = ranked(overview);
    let shown = || trials.iter().take(N_ROWS);
    let rows: Vec<Value> = shown().map(|&(cell, trial)| row(overview, cell, trial)).collect();
    let metric = overview.metric;
    let test = |epoch: &EpochRecord| overview_value(overview, epoch);
    let train = |epoch: &EpochRecord| metric.value(&epoch.train);
    let is_test = overview.compared == mlp_results::Compared::Test;
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
pub(crate) fn n_rows(overview: &Overview<'_>) -> (usize, usize) {
    let n_trials: usize = overview.cells.iter().map(|cell| cell.trials.len()).sum();
    (n_trials.min(N_ROWS), n_trials)
}

/// The first rows as HTML, replaced by the script where scripts run.
pub(crate) fn static_rows(overview: &Overview<'_>) -> String {
    let columns = columns(overview);
    let mut html = String::from("<thead><tr>");
    for column in &columns {
        html.push_str(&format!(
            "<th scope=\"col\">{}</th>",
            markup::html(column["title"].as_str().unwrap_or_default())
        ));
    }
    html.push_str("</tr></thead><tbody>");
    for (cell, trial) in ranked(overview).into_iter().take(N_STATIC) {
        html.push_str("<tr>");
        let row = row(overview, cell, trial);
        for (column, value) in columns.iter().zip(row.as_array().into_iter().flatten()) {
            html.push_str(&format!("<td>{}</td>", markup::html(&written(&column["kind"], value))));
        }
        html.push_str("</tr>");
    }
    html.push_str("</tbody>");
    html
}

fn written(kind: &Value, value: &Value) -> String {
    match (kind.as_str(), value.as_f64()) {
        (Some("percent"), Some(fraction)) => format!("{:.2} %", fraction * 100.0),
        (_, None) if value.is_null() => "–".to_owned(),
        _ => text::value(value),
    }
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

fn columns(overview: &Overview<'_>) -> Vec<Value> {
    let set = overview.set_name();
    let mut columns = vec![
        json!({ "name": "status", "title": "status", "kind": "status" }),
        json!({ "name": "trial", "title": "trial", "kind": "text" }),
    ];
    let metric_column = |metric: Metric| {
        let kind = if metric.is_fraction() { "percent" } else { "number" };
        json!({ "name": metric.name(), "title": format!("{set} {}", metric.title().to_lowercase()), "kind": kind })
    };
    columns.push(metric_column(overview.metric));
    for key in &overview.varied {
        let is_number = key.values.iter().all(Value::is_number);
        let kind = if is_number { "number" } else { "text" };
        let title = text::clean(&key.key, text::MAX_CHARACTERS);
        columns.push(json!({ "name": title, "title": title, "kind": kind }));
    }
    columns.push(json!({ "name": "seed", "title": "seed", "kind": "number" }));
    columns.extend(other_metrics(overview).map(metric_column));
    columns.push(json!({ "name": "train", "title": format!("training {}", overview.metric.title().to_lowercase()),
                         "kind": if overview.metric.is_fraction() { "percent" } else { "number" } }));
    columns.push(json!({ "name": "epochs", "title": "epochs", "kind": "number" }));
    columns.push(json!({ "name": "seconds", "title": "seconds", "kind": "number" }));
    columns.push(json!({ "name": "parameters", "title": "weights and biases", "kind": "number" }));
    columns
}

/// The metrics besides the one that trials are ranked by, which stands in front.
fn other_metrics(overview: &Overview<'_>) -> impl Iterator<Item = Metric> {
    let ranked_by = overview.metric;
    Metric::ALL.into_iter().filter(move |&metric| metric != ranked_by)
}

fn row(overview: &Overview<'_>, cell: &Cell<'_>, trial: &TrialResult) -> Value {
    let record = &trial.record;
    let metrics = final_metrics(record, overview.compared);
    let train = final_metrics(record, mlp_results::Compared::Train);
    let mut row = vec![json!(trial.ending()), json!(text::trial(&record.trial))];
    let measured = |metric: Metric| rounded(metrics.and_then(|metrics| metric.value(metrics)));
    row.push(measured(overview.metric));
    for (key, &index) in overview.varied.iter().zip(&cell.indices) {
        row.push(match &key.values[index] {
            Value::Number(number) => Value::Number(number.clone()),
            _ => json!(text::clean(&key.names[index], text::MAX_CHARACTERS)),
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
    Value::Array(row)
}

/// The epochs of a trial, thinned to at most [`N_SPARK_POINTS`], the last one always among them.
fn thinned(epochs: &[EpochRecord]) -> Vec<&EpochRecord> {
    let step = epochs.len().div_ceil(N_SPARK_POINTS).max(1);
    let offset = epochs.len().saturating_sub(1) % step;
    epochs.iter().skip(offset).step_by(step).collect()
}

/// The compared metric of an epoch.
fn overview_value(overview: &Overview<'_>, epoch: &EpochRecord) -> Option<f64> {
    mlp_results::score::metrics_of(epoch, overview.compared).and_then(|metrics| overview.metric.value(metrics))
}

/// Five significant digits: the CSV has them all. What is not finite is not measured.
fn rounded(value: Option<f64>) -> Value {
    match value {
        Some(value) if value.is_finite() => json!(format!("{value:.4e}").parse::<f64>().unwrap_or(value)),
        _ => Value::Null,
    }
}
