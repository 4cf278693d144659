//! Some of the rows: those of a sweep, with a value, with the best value.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::{Value, json};

use crate::row::Row;
use crate::statistics::basics::mean;

/// Some of the rows.
#[derive(Clone, Debug, Default)]
pub struct Selection<'a> {
    /// In the order of the findings.
    pub rows: Vec<&'a Row>,
}

impl<'a> Selection<'a> {
    /// The rows of a sweep.
    pub fn of(rows: &'a [Row], sweep: &str) -> Self {
        Selection { rows: rows.iter().filter(|row| row.sweep == sweep).collect() }
    }

    /// Those whose `key` has the value.
    pub fn with(&self, key: &str, value: impl Serialize) -> Self {
        let value = json!(value);
        self.filter(|row| row.config.get(key) == Some(&value))
    }

    /// Those for which `is_wanted` holds.
    pub fn filter(&self, is_wanted: impl Fn(&Row) -> bool) -> Self {
        Selection { rows: self.rows.iter().copied().filter(|row| is_wanted(row)).collect() }
    }

    /// The values of `key`, each once, by size where they are numbers and otherwise as they come.
    pub fn values(&self, key: &str) -> Vec<Value> {
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
    /// test images have no say in it. Nothing where no network was measured on validation images.
    pub fn best(&self, key: &str) -> Option<(Value, Self)> {
        self.best_by(key, Row::validation_accuracy)
    }

    /// The same by the loss on the validation images; a network that diverged has an infinite one.
    pub fn best_by_loss(&self, key: &str) -> Option<(Value, Self)> {
        self.best_by(key, |row| row.validation.as_ref().map_or(f64::NEG_INFINITY, |validation| -validation.loss))
    }

    fn best_by(&self, key: &str, of: impl Fn(&Row) -> f64) -> Option<(Value, Self)> {
        if self.rows.iter().all(|row| row.validation.is_none()) {
            return None;
        }
        let score = |rows: &Self| rows.mean(&of);
        let by_value = self.values(key).into_iter().map(|value| {
            let rows = self.with(key, &value);
            (value, rows)
        });
        by_value.max_by(|one, other| score(&one.1).total_cmp(&score(&other.1)))
    }

    /// The sizes of their training sets, each once, ascending.
    pub fn sizes(&self) -> Vec<usize> {
        let sizes: BTreeSet<usize> = self.rows.iter().map(|row| row.n_train).collect();
        sizes.into_iter().collect()
    }

    /// The size of the training set of the first row; 0 without rows.
    pub fn n_train(&self) -> usize {
        self.rows.first().map_or(0, |row| row.n_train)
    }

    /// The number `key` in the configuration of the first row; 0 without rows.
    pub fn first_number(&self, key: &str) -> f64 {
        self.rows.first().map_or(0.0, |row| row.number(key))
    }

    /// How many seeds there are.
    pub fn n_seeds(&self) -> usize {
        self.by_seed().len()
    }

    /// The mean of a number of each row.
    pub fn mean(&self, of: impl Fn(&Row) -> f64) -> f64 {
        mean(&self.rows.iter().map(|row| of(row)).collect::<Vec<_>>())
    }

    /// A number of each row, in the order of the seeds.
    pub fn numbers(&self, of: impl Fn(&Row) -> f64) -> Vec<f64> {
        self.by_seed().values().map(|row| of(row)).collect()
    }

    /// The row of each seed.
    pub fn by_seed(&self) -> BTreeMap<u64, &'a Row> {
        self.rows.iter().map(|row| (row.seed, *row)).collect()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

fn length(value: &Value) -> usize {
    value.as_array().map_or(0, Vec::len)
}
