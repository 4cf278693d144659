//! What the records of all studies say, in the form in which claims ask for it.

use mlp_results::{RunRecord, Status};

use std::collections::BTreeMap;
use std::path::Path;

use mlp_train::EpochMetrics;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::statistics::mean;
use crate::store::peek;

/// The keys of a configuration that some study varies.
const KEYS: [&str; 14] = [
    "hidden",
    "bias",
    "activation",
    "output_activation",
    "encoding",
    "initializer",
    "loss",
    "reduction",
    "precision",
    "optimizer",
    "learning_rate",
    "l2",
    "batch_size",
    "epochs",
];

/// One trial of a study.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Row {
    /// The name of the sweep.
    pub(crate) sweep: String,
    /// The identity of the trial: its record is `trials/<trial>.json` in the folder of the sweep.
    pub(crate) trial: String,
    pub(crate) status: Status,
    pub(crate) seed: u64,
    /// Images that weights were learned from, without those that were split off for validation.
    pub(crate) n_train: usize,
    /// Images that it was measured on after each epoch.
    pub(crate) n_test: usize,
    pub(crate) config: Map<String, Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) validation: Option<EpochMetrics>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) test: Option<EpochMetrics>,
    /// The metrics of training and of test images before training and after each epoch, where a figure shows them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) curve: Vec<(EpochMetrics, EpochMetrics)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) weights_sha256: Option<String>,
}

/// Some of the rows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Selection<'a> {
    pub(crate) rows: Vec<&'a Row>,
}

/// The rows of the sweep in `folder`, by identity; with the curves if asked for.
pub(crate) fn read(folder: &Path, sweep: &str, with_curves: bool) -> Vec<Row> {
    peek(folder).into_values().map(|record| row(record, sweep, with_curves)).collect()
}

fn row(record: RunRecord, sweep: &str, with_curves: bool) -> Row {
    let validation = record.config.get("validation").and_then(Value::as_u64).unwrap_or(0) as usize;
    let kept = record.epochs.get(record.best_epoch).filter(|_| record.status == Status::Finished);
    let curve = record.epochs.iter().filter(|_| with_curves);
    Row {
        sweep: sweep.to_owned(),
        status: record.status,
        seed: record.config.get("seed").and_then(Value::as_u64).unwrap_or(0),
        n_train: record.data.train.saturating_sub(validation),
        n_test: record.data.test,
        validation: kept.and_then(|epoch| epoch.validation.clone()),
        test: kept.and_then(|epoch| epoch.test.clone()),
        curve: curve.filter_map(|epoch| Some((epoch.train.clone(), epoch.test.clone()?))).collect(),
        config: record.config.into_iter().filter(|(key, _)| KEYS.contains(&key.as_str())).collect(),
        weights_sha256: record.weights_sha256,
        trial: record.trial,
    }
}

impl Row {
    /// The share of test digits with every bit right; 0 for a net that diverged.
    pub(crate) fn accuracy(&self) -> f64 {
        self.test.as_ref().and_then(|test| test.digit_accuracy).unwrap_or(0.0)
    }

    /// The share of test digits whose code is the nearest to the outputs; 0 for a net that diverged.
    pub(crate) fn nearest_accuracy(&self) -> f64 {
        self.test.as_ref().and_then(|test| test.nearest_accuracy).unwrap_or(0.0)
    }

    /// The same of the validation images.
    pub(crate) fn validation_accuracy(&self) -> f64 {
        self.validation.as_ref().and_then(|validation| validation.nearest_accuracy).unwrap_or(0.0)
    }

    /// The mean absolute error of the bits of the test images; 1, the largest there is, for a net that diverged.
    pub(crate) fn error(&self) -> f64 {
        self.test.as_ref().map_or(1.0, |test| test.mae)
    }
}

impl<'a> Selection<'a> {
    /// The rows of a sweep.
    pub(crate) fn of(rows: &'a [Row], sweep: &str) -> Self {
        Selection { rows: rows.iter().filter(|row| row.sweep == sweep).collect() }
    }

    /// Those whose `key` has the value.
    pub(crate) fn with(&self, key: &str, value: &Value) -> Self {
        self.filter(|row| row.config.get(key) == Some(value))
    }

    /// Those for which `is_wanted` holds.
    pub(crate) fn filter(&self, is_wanted: impl Fn(&Row) -> bool) -> Self {
        Selection { rows: self.rows.iter().copied().filter(|row| is_wanted(row)).collect() }
    }

    /// The values of `key`, each once, by size where they are numbers and otherwise as they come.
    pub(crate) fn values(&self, key: &str) -> Vec<Value> {
        let mut values: Vec<Value> = Vec::new();
        for value in self.rows.iter().filter_map(|row| row.config.get(key)) {
            if !values.contains(value) {
                values.push(value.clone());
            }
        }
        values.sort_by(|one, other| match (one.as_f64(), other.as_f64()) {
            (Some(one), Some(other)) => one.total_cmp(&other),
            _ => length(one).cmp(&length(other)).then_with(|| one.to_string().cmp(&other.to_string())),
        });
        values
    }

    /// The value of `key` with the best mean accuracy on the *validation* images, read by the nearest code, and its rows. The
    /// test images have no say in it. Nothing where no net was measured on validation images.
    pub(crate) fn best(&self, key: &str) -> Option<(Value, Self)> {
        self.best_by(key, Row::validation_accuracy)
    }

    /// The same by the loss on the validation images; a net that diverged has an infinite one.
    pub(crate) fn best_by_loss(&self, key: &str) -> Option<(Value, Self)> {
        self.best_by(key, |row| row.validation.as_ref().map_or(f64::NEG_INFINITY, |validation| -validation.loss))
    }

    fn best_by(&self, key: &str, of: impl Fn(&Row) -> f64) -> Option<(Value, Self)> {
        if self.rows.iter().all(|row| row.validation.is_none()) {
            return None;
        }
        let score = |rows: &Self| rows.mean(&of);
        let of_values = self.values(key).into_iter().map(|value| {
            let rows = self.with(key, &value);
            (value, rows)
        });
        of_values.max_by(|one, other| score(&one.1).total_cmp(&score(&other.1)))
    }

    /// The mean of a number of each row.
    pub(crate) fn mean(&self, of: impl Fn(&Row) -> f64) -> f64 {
        mean(&self.rows.iter().map(|row| of(row)).collect::<Vec<_>>())
    }

    /// A number of each row, in the order of the seeds.
    pub(crate) fn numbers(&self, of: impl Fn(&Row) -> f64) -> Vec<f64> {
        self.by_seed().values().map(|row| of(row)).collect()
    }

    /// The row of each seed.
    pub(crate) fn by_seed(&self) -> BTreeMap<u64, &'a Row> {
        self.rows.iter().map(|row| (row.seed, *row)).collect()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

fn length(value: &Value) -> usize {
    value.as_array().map_or(0, Vec::len)
}
