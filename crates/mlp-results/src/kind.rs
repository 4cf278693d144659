//! What makes the values of a metric numbers of different kinds, which say nothing about each other.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::metric::Metric;
use crate::record::RunRecord;
use crate::score::{Compared, score};
use crate::varied::config_value;

/// Another formula, another sum over the outputs and other targets make another loss.
const OF_LOSSES: [&str; 3] = ["loss", "reduction", "encoding"];
/// Errors of the outputs, and shares of bits, depend on how a class is written.
const OF_OUTPUTS: [&str; 1] = ["encoding"];

/// The keys in which these records differ and across which values of `metric` cannot be compared. A key that a record lacks
/// counts as a value of its own.
///
/// ```
/// use mlp_results::{Metric, unlike_keys};
///
/// assert!(unlike_keys([], Metric::Loss).is_empty());
/// ```
pub fn unlike_keys<'a>(records: impl IntoIterator<Item = &'a RunRecord>, metric: Metric) -> Vec<&'static str> {
    let records: Vec<&RunRecord> = records.into_iter().collect();
    let differs = |key: &&str| {
        let mut values = records.iter().map(|record| config_value(record, key));
        let first = values.next();
        values.any(|value| Some(value) != first)
    };
    keys_of_kind(metric).iter().copied().filter(differs).collect()
}

/// The keys on which it depends what the values of `metric` mean; none for shares of right answers, which mean the same everywhere.
///
/// ```
/// use mlp_results::{Metric, keys_of_kind};
///
/// assert_eq!(keys_of_kind(Metric::Loss), ["loss", "reduction", "encoding"]);
/// ```
pub fn keys_of_kind(metric: Metric) -> &'static [&'static str] {
    match metric {
        Metric::Loss => &OF_LOSSES,
        Metric::Mae | Metric::Rmse | Metric::BitAccuracy => &OF_OUTPUTS,
        Metric::Accuracy | Metric::ExactAccuracy | Metric::NearestAccuracy | Metric::InvalidRate => &[],
    }
}

/// Samples that trials were tested on: two sets are one only where both the data and the number of samples are the same.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TestSet {
    /// The name of the data set.
    pub name: String,
    /// How many samples.
    pub n_samples: usize,
    /// The hash of the decoded data.
    pub sha256: String,
}

impl TestSet {
    fn of(record: &RunRecord) -> TestSet {
        let data = &record.data;
        TestSet { name: data.name.clone(), n_samples: data.test, sha256: data.sha256.clone() }
    }
}

/// The sets of samples that the finished ones of these trials were tested on, each once, under the first of its names. Where
/// there are several, what was measured on one says nothing beside what was measured on another, which may be harder.
///
/// ```
/// assert!(mlp_results::test_sets([]).is_empty());
/// ```
pub fn test_sets<'a>(records: impl IntoIterator<Item = &'a RunRecord>) -> Vec<TestSet> {
    let is_tested = |record: &&RunRecord| score(record, Metric::Loss, Compared::Test).is_some();
    let all: BTreeSet<TestSet> = records.into_iter().filter(is_tested).map(TestSet::of).collect();
    let mut sets: Vec<TestSet> = Vec::new();
    for set in all {
        if !sets.iter().any(|known| (&known.sha256, known.n_samples) == (&set.sha256, set.n_samples)) {
            sets.push(set);
        }
    }
    sets
}

/// The settings that say which training samples are split off for validation.
const OF_VALIDATION: [&str; 3] = ["validation", "validation_split", "train_size"];

/// How many different ways of splitting off validation samples the trials have that were measured on some: another part of the
/// training samples validates, and another is learned from. Another seed splits at random as well, and does not count.
///
/// ```
/// assert_eq!(mlp_results::n_validation_splits([]), 0);
/// ```
pub fn n_validation_splits<'a>(records: impl IntoIterator<Item = &'a RunRecord>) -> usize {
    let is_validated = |record: &&RunRecord| score(record, Metric::Loss, Compared::Validation).is_some();
    let split = |record: &RunRecord| kind(record, &OF_VALIDATION);
    records.into_iter().filter(is_validated).map(split).collect::<BTreeSet<String>>().len()
}

/// The place of a trial's test samples among the sets, and the values of the keys that make numbers of different kinds.
pub(crate) fn kind_of(record: &RunRecord, unlike: &[&str], test_sets: &[TestSet]) -> (usize, String) {
    let is_its = |set: &TestSet| set.sha256 == record.data.sha256 && set.n_samples == record.data.test;
    let set = test_sets.iter().position(is_its).filter(|_| test_sets.len() > 1);
    (set.unwrap_or(0), kind(record, unlike))
}

/// The values of these keys, for telling kinds apart.
fn kind(record: &RunRecord, unlike: &[&str]) -> String {
    let values: Vec<&Value> = unlike.iter().map(|key| config_value(record, key)).collect();
    if values.is_empty() { String::new() } else { serde_json::json!(values).to_string() }
}
