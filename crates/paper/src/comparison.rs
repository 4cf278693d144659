//! A comparison of networks, in such a way that it could turn out either way.

use serde_json::Value;

use crate::row::Row;
use crate::selection::Selection;
use crate::thresholds::{SMALLEST, SMALLEST_ERROR};

/// In which setup something was compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ComparisonSetup {
    /// The paper's: weights from [0, 1), no biases, double precision, one image at a time.
    Replica,
    /// With weights, batches and a loss that let a network learn.
    Repaired,
}

/// What is compared, in such a way that more is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Measure {
    /// The share of test digits with every bit right.
    Digits,
    /// The share of test digits whose code is the nearest to the outputs.
    Nearest,
    /// The share of blurred test digits with every bit right, the mean over all strengths.
    Blurred,
    /// What is left of the accuracy above that of the best constant answer on blurred images, the mean over all strengths.
    Retention,
    /// The mean absolute error of a bit, with its sign turned.
    Error,
    /// lg γ* for each decade of training images, with its sign turned.
    Slope,
}

/// One of two that are compared.
#[derive(Clone, Debug)]
pub enum Side<'a> {
    /// Networks that differ in their seed alone, and what they are called.
    Networks(String, Selection<'a>),
    /// The same answer to every image.
    Constant(char),
}

/// "The left side is better than the right one by more than the threshold."
#[derive(Clone, Debug)]
pub struct Comparison<'a> {
    /// In which setup.
    pub setup: ComparisonSetup,
    /// Whether the verdict on the claim is this one's.
    pub is_deciding: bool,
    /// The statement that is judged.
    pub text: String,
    /// The side that would be better.
    pub left: Side<'a>,
    /// The side that would be worse.
    pub right: Side<'a>,
    /// What is compared.
    pub measure: Measure,
    /// By how much the left side must be better, in the unit of the measure; negative where it may be worse.
    pub threshold: f64,
}

impl<'a> Comparison<'a> {
    /// "The left side gets more digits right, by an amount that counts." It decides nothing.
    pub fn new(setup: ComparisonSetup, text: impl Into<String>, left: Side<'a>, right: Side<'a>) -> Self {
        let (measure, threshold) = (Measure::Digits, SMALLEST);
        Comparison { setup, is_deciding: false, text: text.into(), left, right, measure, threshold }
    }

    /// The same, and the verdict on the claim is this one's.
    pub fn deciding(self) -> Self {
        self.deciding_if(true)
    }

    /// The same, and the verdict on the claim is this one's if `is_deciding`.
    pub fn deciding_if(self, is_deciding: bool) -> Self {
        Comparison { is_deciding, ..self }
    }

    /// The same by the error of the bits, which is what the paper's figures show.
    pub fn by_error(self) -> Self {
        Comparison { measure: Measure::Error, threshold: SMALLEST_ERROR, ..self }
    }

    /// The same by another measure, with the same threshold.
    pub fn by(self, measure: Measure) -> Self {
        Comparison { measure, ..self }
    }

    /// "Not worse by an amount that counts."
    pub fn no_worse(self) -> Self {
        Comparison { threshold: -SMALLEST, ..self }
    }

    /// Whether both sides have anything to compare.
    pub(crate) fn has_trials(&self) -> bool {
        !self.left.is_empty() && !self.right.is_empty()
    }
}

impl<'a> Side<'a> {
    /// Networks that differ in their seed alone.
    pub fn networks(label: impl Into<String>, rows: Selection<'a>) -> Self {
        Side::Networks(label.into(), rows)
    }

    /// The networks with the learning rate that is best on validation images; said where that is an end of the range.
    pub fn best_rate(label: &str, rows: &Selection<'a>) -> Self {
        let tried = rows.values("learning_rate");
        let Some((rate, best)) = rows.best("learning_rate") else { return Side::networks(label, Selection::default()) };
        let end = if tried.len() < 2 {
            ""
        } else if Some(&rate) == tried.last() {
            " (the largest tried)"
        } else if Some(&rate) == tried.first() {
            " (the smallest tried)"
        } else {
            ""
        };
        Side::networks(format!("{label}, η = {}{end}", shown(&rate)), best)
    }

    /// The networks with the best learning rate of a part of the range.
    pub fn best_rate_of_part(label: &str, rows: &Selection<'a>) -> Self {
        match rows.best("learning_rate") {
            Some((rate, rows)) => Side::networks(format!("{label}, η = {}", shown(&rate)), rows),
            None => Side::networks(label, Selection::default()),
        }
    }

    /// The networks with the value of `key` that has the least loss on validation images.
    pub fn least_loss(label: &str, key: &str, rows: &Selection<'a>) -> Self {
        match rows.best_by_loss(key) {
            Some((value, rows)) => Side::networks(format!("{label} = {}", shown(&value)), rows),
            None => Side::networks(label, Selection::default()),
        }
    }

    /// Those of the networks for which `is_wanted` holds.
    pub fn filter(self, is_wanted: impl Fn(&Row) -> bool) -> Self {
        match self {
            Side::Networks(label, rows) => Side::Networks(label, rows.filter(is_wanted)),
            Side::Constant(_) => self,
        }
    }

    /// The networks; none of a constant answer.
    pub(crate) fn rows(&self) -> &[&'a Row] {
        match self {
            Side::Networks(_, rows) => &rows.rows,
            Side::Constant(_) => &[],
        }
    }

    fn is_empty(&self) -> bool {
        matches!(self, Side::Networks(_, rows) if rows.is_empty())
    }
}

/// A number as people write it: `3`, `0.1`, `1e-5`.
pub(crate) fn shown(value: &Value) -> String {
    match value.as_f64() {
        Some(number) if number != 0.0 && number.abs() < 1e-3 => format!("{number:e}"),
        Some(number) => number.to_string(),
        None => value.to_string(),
    }
}
