//! What a trial reached, in one number: on which samples, by which metric.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use mlp_train::{EpochMetrics, EpochRecord};

use crate::error::{Error, Result};
use crate::metric::Metric;
use crate::record::{RunRecord, Status};

/// The set of samples that trials are compared on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Compared {
    /// The test set.
    Test,
    /// The training set: no trial was measured on a test set.
    Train,
}

impl Compared {
    /// Both sets, the more telling first.
    pub const ALL: [Compared; 2] = [Compared::Test, Compared::Train];

    /// The name of the field in a record.
    pub fn name(self) -> &'static str {
        match self {
            Compared::Test => "test",
            Compared::Train => "train",
        }
    }
}

impl fmt::Display for Compared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Compared {
    type Err = Error;

    fn from_str(name: &str) -> Result<Compared> {
        let found = Compared::ALL.into_iter().find(|compared| compared.name() == name);
        found.ok_or_else(|| Error::unknown_name("a set of samples", &Compared::ALL.map(Compared::name), name))
    }
}

/// The metrics that stand for a finished run: those of its best epoch (the last one without early stopping).
pub fn final_metrics(record: &RunRecord, compared: Compared) -> Option<&EpochMetrics> {
    record.kept_epoch().and_then(|epoch| metrics_of(epoch, compared))
}

/// What the validation set measured of a finished run's kept weights.
pub fn final_validation(record: &RunRecord) -> Option<&EpochMetrics> {
    record.kept_epoch().and_then(|epoch| epoch.validation.as_ref())
}

/// The metrics of the compared set.
pub fn metrics_of(epoch: &EpochRecord, compared: Compared) -> Option<&EpochMetrics> {
    match compared {
        Compared::Test => epoch.test.as_ref(),
        Compared::Train => Some(&epoch.train),
    }
}

/// How long a run took, training and measuring, in seconds; nothing where nothing sensible was recorded.
pub fn seconds(record: &RunRecord) -> Option<f64> {
    let sum: f64 = record.runtime.seconds_train.iter().chain(&record.runtime.seconds_evaluate).sum();
    (sum.is_finite() && sum > 0.0).then_some(sum)
}

/// The final value of a metric, of a run that finished.
pub fn score(record: &RunRecord, metric: Metric, compared: Compared) -> Option<f64> {
    if record.status != Status::Finished {
        return None;
    }
    final_metrics(record, compared).and_then(|metrics| metric.value(metrics))
}

/// What trials may be compared by, in the order of worth: on the test set if any trial was measured there.
pub fn candidates() -> impl Iterator<Item = (Metric, Compared)> {
    Compared::ALL.into_iter().flat_map(|compared| {
        // The rate of invalid answers ranks nothing: a network that always answers '0' has none.
        let ranking = Metric::ALL.into_iter().filter(|&metric| metric != Metric::InvalidRate);
        ranking.map(move |metric| (metric, compared))
    })
}

/// What these trials are compared by: the first of the [`candidates`] that any of them was measured in; the digit accuracy
/// on the test set where none was measured at all.
pub fn compared_by<'a>(records: impl Iterator<Item = &'a RunRecord> + Clone) -> (Metric, Compared) {
    let has_value = |record: &RunRecord, metric: Metric, compared| {
        final_metrics(record, compared).is_some_and(|metrics| metric.value(metrics).is_some())
    };
    candidates()
        .find(|&(metric, compared)| records.clone().any(|record| has_value(record, metric, compared)))
        .unwrap_or((Metric::DigitAccuracy, Compared::Test))
}

/// The better score first, those without one last.
pub(crate) fn by_score(metric: Metric, a: Option<f64>, b: Option<f64>) -> Ordering {
    match (a, b) {
        (Some(a), Some(b)) if metric.is_better(a, b) => Ordering::Less,
        (Some(a), Some(b)) if metric.is_better(b, a) => Ordering::Greater,
        (Some(_), Some(_)) | (None, None) => Ordering::Equal,
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
    }
}
