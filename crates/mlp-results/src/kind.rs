//! What makes the values of a metric numbers of different kinds, which say nothing about each other.

use serde_json::Value;

use crate::metric::Metric;
use crate::record::RunRecord;
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

/// The values of these keys, for telling kinds apart.
pub(crate) fn kind(record: &RunRecord, unlike: &[&str]) -> String {
    let values: Vec<&Value> = unlike.iter().map(|key| config_value(record, key)).collect();
    if values.is_empty() { String::new() } else { serde_json::json!(values).to_string() }
}
