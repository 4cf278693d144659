//! The trials of a folder as a table, of which only what has changed is handed out.

use std::collections::{BTreeMap, BTreeSet};

use mlp_results::score::metrics_of;
use mlp_results::{Overview, Status, TrialResult, text};
use serde::Serialize;
use serde_json::{Value, json};

/// The trials of a folder.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RunTable {
    /// Ask for what has changed since with this.
    pub revision: u64,
    /// The columns, the metrics and what varies; absent where they have not changed.
    pub head: Option<Value>,
    /// The rows that are new or have changed; all of them where there is a head.
    pub rows: Vec<Row>,
    /// The trials that are there no more.
    pub removed: Vec<String>,
}

/// A trial.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// Its identity.
    pub trial: String,
    /// In the order of the columns.
    pub cells: Vec<Value>,
    /// The epochs of its curves.
    pub epochs: Vec<Value>,
    /// For each metric its values by epoch; `null` where they are left out.
    pub curves: Vec<Value>,
    /// Of the first metric on the training samples.
    pub train: Value,
    /// Where and why it ended before its time; none of one that finished.
    pub ending: Option<Ending>,
}

/// How a trial ended that has not finished.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Ending {
    /// Beside its status: `in epoch 3`; empty where that is not known.
    pub place: String,
    /// In a sentence.
    pub sentence: String,
}

/// The rows with the revisions at which they last changed.
#[derive(Default)]
pub(crate) struct TableState {
    revision: u64,
    head: Value,
    head_revision: u64,
    rows: BTreeMap<String, (u64, Row)>,
    removed: BTreeMap<String, u64>,
}

impl TableState {
    /// The table of the trials as they are now.
    pub(super) fn next(&self, overview: &Overview<'_>) -> TableState {
        let revision = self.revision + 1;
        let mut table = mlp_report::trial_table(overview);
        let endings = overview.cells.iter().flat_map(|cell| &cell.trials);
        let endings: BTreeMap<String, Ending> =
            endings.filter_map(|trial| Some((text::trial(&trial.record.trial), ending(overview, trial)?))).collect();
        let rows = rows(&mut table, endings);
        let head = head(&table, overview);
        let head_revision = if head == self.head { self.head_revision } else { revision };
        let names: BTreeSet<&String> = rows.iter().map(|row| &row.trial).collect();
        let gone = self.rows.keys().filter(|trial| !names.contains(trial)).map(|trial| (trial.clone(), revision));
        let mut removed: BTreeMap<String, u64> = self.removed.clone().into_iter().chain(gone).collect();
        removed.retain(|trial, _| !names.contains(trial));
        let dated = rows.into_iter().map(|row| match self.rows.get(&row.trial) {
            Some((known, before)) if *before == row => (row.trial.clone(), (*known, row)),
            _ => (row.trial.clone(), (revision, row)),
        });
        TableState { revision, head, head_revision, rows: dated.collect(), removed }
    }

    pub(super) fn revision(&self) -> u64 {
        self.revision
    }

    pub(super) fn since(&self, since: u64) -> RunTable {
        // A revision of another table, such as one of an earlier server, means nothing here.
        let is_anew = since < self.head_revision || since > self.revision;
        let since = if is_anew { 0 } else { since };
        let is_new = |revision: u64| revision > since;
        RunTable {
            revision: self.revision,
            head: is_anew.then(|| self.head.clone()),
            rows: self.rows.values().filter(|(revision, _)| is_new(*revision)).map(|(_, row)| row.clone()).collect(),
            removed: if is_anew {
                Vec::new()
            } else {
                self.removed.iter().filter(|(_, revision)| is_new(**revision)).map(|(trial, _)| trial.clone()).collect()
            },
        }
    }
}

/// Where and why a trial ended that has not finished, and what was measured last.
fn ending(overview: &Overview<'_>, trial: &TrialResult) -> Option<Ending> {
    let record = &trial.record;
    let last = record.epochs.iter().rev().find_map(|epoch| {
        let value = overview.metric.value(metrics_of(epoch, overview.compared)?).filter(|value| value.is_finite())?;
        let (set, metric) = (overview.set_name(), overview.metric.title().to_lowercase());
        let value = overview.metric.format(value);
        Some(match epoch.epoch {
            0 => format!(" Last measured, before training: {value} {metric} on the {set} set."),
            epoch => format!(" Last measured, after epoch {epoch}: {value} {metric} on the {set} set."),
        })
    });
    let last = last.unwrap_or_default();
    match (record.status, record.diverged) {
        (Status::Diverged, Some(place)) if trial.ending.is_none() => {
            let n_layers = record.layers.len().saturating_sub(1);
            let layer = format!("layer {} of {n_layers}", place.layer + 1);
            let (place, moment) = match place.epoch {
                0 => ("before training".to_owned(), "before training".to_owned()),
                epoch => (format!("in epoch {epoch}"), format!("in epoch {epoch}, batch {}", place.batch)),
            };
            let sentence = format!("Numbers of {layer} overflowed {moment}.{last} A lower rate may help.");
            Some(Ending { place, sentence })
        }
        (Status::Failed, _) if trial.ending.is_none() => {
            let why = text::clean(record.error.as_deref().unwrap_or("it is not known why"), 300);
            Some(Ending { place: String::new(), sentence: format!("It could not be trained: {why}") })
        }
        _ if trial.was_stopped() => {
            let epoch = record.epochs.last().map_or(0, |epoch| epoch.epoch);
            let word = text::clean(&trial.ending(), 40);
            Some(Ending {
                place: String::new(),
                sentence: format!("It was ended early ({word}) after epoch {epoch}.{last}"),
            })
        }
        _ => None,
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// Each row with its own curves.
fn rows(table: &mut Value, mut endings: BTreeMap<String, Ending>) -> Vec<Row> {
    let rows = match table["rows"].take() {
        Value::Array(rows) => rows,
        _ => Vec::new(),
    };
    let epochs_of = |index: usize| {
        let axis = table["axes"][index].as_u64().unwrap_or(0) as usize;
        list(&table["epochs"][axis]).to_vec()
    };
    let row = |(index, cells): (usize, Value)| {
        let cells = list(&cells).to_vec();
        let curves = list(&table["metrics"]).iter().map(|metric| metric["curves"]["compared"][index].clone());
        let trial = cells.get(1).and_then(Value::as_str).unwrap_or_default().to_owned();
        Row {
            ending: endings.remove(&trial),
            trial,
            epochs: epochs_of(index),
            curves: curves.collect(),
            train: table["metrics"][0]["curves"]["train"][index].clone(),
            cells,
        }
    };
    rows.into_iter().enumerate().map(row).collect()
}

/// What holds for all rows.
fn head(table: &Value, overview: &Overview<'_>) -> Value {
    let metrics = list(&table["metrics"]).iter().map(|metric| {
        json!({
            "title": metric["title"],
            "measures": metric["measures"],
            "column": metric["column"],
            "is_higher_better": metric["is_higher_better"],
            "range": metric["range"],
        })
    });
    json!({
        "columns": table["columns"],
        "varied": table["varied"],
        "metrics": metrics.collect::<Vec<_>>(),
        "ranked_by": overview.ranking().to_string(),
        "ranks": ranking_column(table, overview),
        "shared": table["shared"],
        "constant": overview.best_constant().map(|(name, value)| json!({ "name": name, "value": value })),
    })
}

/// The place of the column of what trials are ranked by: on the validation set, where they are ranked by that, the table has a
/// column of its own.
fn ranking_column(table: &Value, overview: &Overview<'_>) -> Value {
    let place = list(&table["columns"]).iter().position(|column| column["name"] == "validation");
    match place.filter(|_| overview.is_ranked_apart()) {
        Some(place) => json!(place),
        None => table["metrics"][0]["column"].clone(),
    }
}
