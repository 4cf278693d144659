//! What a trial reached, in one number: on which samples, by which metric.
//!
//! Two sets of samples have a say. Trials are *ranked*, and the best is chosen, by the validation set where there is one:
//! the best of many test scores flatters, because luck with these very samples helped to choose it. What is *shown* of
//! them is what they reach on the test set.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use mlp_train::{EpochMetrics, EpochRecord};

use crate::error::{Error, Result};
use crate::metric::Metric;
use crate::record::{RunRecord, Status};

/// A set of samples that trials can be compared on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Compared {
    /// The samples that were split off the training set.
    Validation,
    /// The test set.
    Test,
    /// The training set.
    Train,
}

impl Compared {
    /// Every set.
    pub const ALL: [Compared; 3] = [Compared::Validation, Compared::Test, Compared::Train];
    /// Those whose scores are shown, the more telling first.
    const SHOWN: [Compared; 2] = [Compared::Test, Compared::Train];

    /// The name of the field in a record.
    pub fn name(self) -> &'static str {
        match self {
            Compared::Validation => "validation",
            Compared::Test => "test",
            Compared::Train => "train",
        }
    }

    /// The name in sentences: `the validation set`, `the test set`, `the training set`.
    pub fn title(self) -> &'static str {
        match self {
            Compared::Validation => "validation",
            Compared::Test => "test",
            Compared::Train => "training",
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

/// What somebody wants trials to be ranked by; what is left open is chosen by what was measured.
///
/// ```
/// use mlp_results::{Compared, Metric, RankBy};
///
/// let by: RankBy = "validation.loss".parse()?;
/// assert_eq!(by, RankBy { metric: Some(Metric::Loss), set: Some(Compared::Validation) });
/// let by: RankBy = "loss".parse()?;
/// assert_eq!(by, RankBy { metric: Some(Metric::Loss), set: None });
/// # Ok::<(), mlp_results::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct RankBy {
    /// The metric; the most telling one that was measured where there is none.
    pub metric: Option<Metric>,
    /// The set of samples; where there is none, the validation set if any trial was measured there, or else the test set.
    pub set: Option<Compared>,
}

/// A metric, such as `loss`, or a metric on a set, such as `validation.loss`.
impl FromStr for RankBy {
    type Err = Error;

    fn from_str(name: &str) -> Result<RankBy> {
        let (set, metric) = match name.split_once('.') {
            Some((set, metric)) => (Some(set.parse()?), metric),
            None => (None, name),
        };
        let Ok(metric) = metric.parse() else {
            let ranks = |metric: &Metric| *metric != Metric::InvalidRate;
            let names: Vec<&str> = Metric::ALL.into_iter().filter(ranks).map(Metric::name).collect();
            return Err(Error::unknown_name("a metric, alone or on a set as in validation.loss", &names, metric));
        };
        if metric == Metric::InvalidRate {
            return Err(Error::unfit_for_ranking());
        }
        Ok(RankBy { metric: Some(metric), set })
    }
}

/// What trials are ranked by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ranking {
    /// The metric.
    pub metric: Metric,
    /// The samples that it was measured on.
    pub set: Compared,
}

impl Ranking {
    /// What these trials are ranked by, if it is to be `by`.
    pub fn of<'a>(records: impl Iterator<Item = &'a RunRecord> + Clone, by: RankBy) -> Ranking {
        let measured = |metric, set| records.clone().any(|record| was_measured(record, metric, set));
        let shown = shown(records.clone(), by.metric);
        let usual = if measured(shown.metric, Compared::Validation) { Compared::Validation } else { shown.set };
        Ranking { metric: shown.metric, set: by.set.unwrap_or(usual) }
    }

    /// What a run that finished reached; `None` where it was not measured.
    pub fn score(self, record: &RunRecord) -> Option<f64> {
        score(record, self.metric, self.set)
    }

    /// What tells trials of one score apart: the loss on the same samples; `None` where it was not measured.
    pub(crate) fn loss(self, record: &RunRecord) -> Option<f64> {
        score(record, Metric::Loss, self.set)
    }

    /// The better score first, those without one last.
    pub(crate) fn order(self, a: Option<f64>, b: Option<f64>) -> Ordering {
        by_score(self.metric, a, b)
    }
}

/// Such as `validation.accuracy`.
impl fmt::Display for Ranking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.set, self.metric)
    }
}

/// The metrics that stand for a finished run: those of its best epoch (the last one without early stopping).
pub fn final_metrics(record: &RunRecord, compared: Compared) -> Option<&EpochMetrics> {
    record.kept_epoch().and_then(|epoch| metrics_of(epoch, compared))
}

/// What the validation set measured of a finished run's kept weights.
pub fn final_validation(record: &RunRecord) -> Option<&EpochMetrics> {
    final_metrics(record, Compared::Validation)
}

/// The metrics of one set.
pub fn metrics_of(epoch: &EpochRecord, compared: Compared) -> Option<&EpochMetrics> {
    match compared {
        Compared::Validation => epoch.validation.as_ref(),
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

/// What trials can be ranked by. The rate of invalid answers ranks nothing: a network that always answers '0' has none.
pub(crate) fn rankings() -> impl Iterator<Item = Ranking> {
    let metrics = || Metric::ALL.into_iter().filter(|&metric| metric != Metric::InvalidRate);
    Compared::ALL.into_iter().flat_map(move |set| metrics().map(move |metric| Ranking { metric, set }))
}

/// What is shown of these trials: the most telling metric that was measured, or the one that is asked for, on the test set,
/// or on the training set where none was tested. The accuracy on the test set where nothing was measured at all.
pub(crate) fn shown<'a>(records: impl Iterator<Item = &'a RunRecord> + Clone, metric: Option<Metric>) -> Ranking {
    let candidates = Compared::SHOWN.into_iter().flat_map(|set| {
        let all = rankings().filter(move |ranking| ranking.set == set);
        all.filter(move |ranking| metric.is_none_or(|metric| ranking.metric == metric))
    });
    let mut measured =
        candidates.filter(|ranking| records.clone().any(|record| was_measured(record, ranking.metric, ranking.set)));
    measured.next().unwrap_or(Ranking { metric: metric.unwrap_or(Metric::Accuracy), set: Compared::Test })
}

/// Whether a record has the metric, however it ended.
fn was_measured(record: &RunRecord, metric: Metric, set: Compared) -> bool {
    final_metrics(record, set).is_some_and(|metrics| metric.value(metrics).is_some())
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
