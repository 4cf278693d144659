//! Repetitions of a configuration, gathered, for tables: what their seeds say together, metric by metric.

use std::collections::BTreeMap;

use crate::cell::losses;
use crate::interval::{self, Interval};
use crate::kind::{kind_of, test_sets, unlike_keys};
use crate::metric::Metric;
use crate::record::{RunRecord, Status};
use crate::score::{Compared, Ranking, by_score, score, seconds};

/// Records of trials with the same settings but for the seed.
///
/// ```no_run
/// use mlp_results::{Metric, RankBy, Ranking, Repetitions, RunFolder};
///
/// let records = RunFolder::new("runs/rates-mnist").records();
/// let rate = |record: &mlp_results::RunRecord| record.config["learning_rate"].to_string();
/// let rows = records.values().map(|record| (rate(record), record));
/// for rate in Repetitions::ranked(rows, Ranking::of(records.values(), RankBy::default())) {
///     println!("{} {:?} ± {:?}", rate.settings, rate.mean(Metric::Accuracy), rate.deviation(Metric::Accuracy));
/// }
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Repetitions<'a, K> {
    /// What the caller distinguishes configurations by.
    pub settings: K,
    /// The records, in the order in which they came.
    pub records: Vec<&'a RunRecord>,
}

impl<'a, K: Ord + Clone> Repetitions<'a, K> {
    /// Gathers the records of equal settings: first the configuration with the best mean of what they are ranked by; behind all
    /// that lost fewer seeds those of which some diverged or failed, as their means are over the luckier seeds alone; last
    /// those without a result. Of equals the one with the least mean loss on the same samples, and then the one that came
    /// first. Where records cannot be compared with each other, as they were tested on different samples or are of different
    /// kinds, those of one kind stand together.
    pub fn ranked(rows: impl IntoIterator<Item = (K, &'a RunRecord)>, ranking: Ranking) -> Vec<Self> {
        let mut all: Vec<Self> =
            gathered(rows).into_iter().map(|(settings, records)| Repetitions { settings, records }).collect();
        let loss = |row: &Self| {
            interval::mean(&row.records.iter().filter_map(|record| ranking.loss(record)).collect::<Vec<_>>())
        };
        let records = || all.iter().flat_map(|row| row.records.iter().copied());
        let (unlike, sets) = (unlike_keys(records(), ranking.metric), test_sets(records()));
        let kind = |row: &Self| row.records.first().map(|record| kind_of(record, &unlike, &sets));
        all.sort_by(|a, b| {
            let (one, other) = (a.ranking_mean(ranking), b.ranking_mean(ranking));
            let place = |row: &Self, mean: Option<f64>| (mean.is_none(), mean.map_or(0, |_| row.n_lost()));
            let by_losses = place(a, one).cmp(&place(b, other));
            let by_kind = kind(a).cmp(&kind(b));
            by_kind
                .then(by_losses)
                .then_with(|| ranking.order(one, other))
                .then_with(|| by_score(Metric::Loss, loss(a), loss(b)))
        });
        all
    }
}

impl<K> Repetitions<'_, K> {
    /// The final values of `metric` on the test set, of the trials that finished and were measured there.
    pub fn scores(&self, metric: Metric) -> Vec<f64> {
        self.records.iter().filter_map(|record| score(record, metric, Compared::Test)).collect()
    }

    /// The mean of what the configuration is ranked by, over the trials that finished and were measured there.
    pub fn ranking_mean(&self, ranking: Ranking) -> Option<f64> {
        interval::mean(&self.records.iter().filter_map(|record| ranking.score(record)).collect::<Vec<_>>())
    }

    /// The standard deviation of what the configuration is ranked by, of at least two trials, dividing by n − 1.
    pub fn ranking_deviation(&self, ranking: Ranking) -> Option<f64> {
        interval::deviation(&self.records.iter().filter_map(|record| ranking.score(record)).collect::<Vec<_>>())
    }

    /// The mean of [`Repetitions::scores`].
    pub fn mean(&self, metric: Metric) -> Option<f64> {
        interval::mean(&self.scores(metric))
    }

    /// The standard deviation of at least two scores, dividing by n − 1.
    pub fn deviation(&self, metric: Metric) -> Option<f64> {
        interval::deviation(&self.scores(metric))
    }

    /// The 95 % t-interval of the mean of at least two scores. It supposes that all runs are of one kind: where some
    /// trained and others did not, [`Cell::interval`](crate::Cell::interval) gives none.
    pub fn interval(&self, metric: Metric) -> Option<Interval> {
        interval::interval(&self.scores(metric))
    }

    /// How many of the trials diverged.
    pub fn n_diverged(&self) -> usize {
        self.count(Status::Diverged)
    }

    /// How many of the trials failed.
    pub fn n_failed(&self) -> usize {
        self.count(Status::Failed)
    }

    /// How many of the trials diverged or failed.
    pub fn n_lost(&self) -> usize {
        self.n_diverged() + self.n_failed()
    }

    /// `2 of 4 diverged, 1 of 4 failed`; nothing where no trial was lost.
    pub fn losses(&self) -> Option<String> {
        losses(self.n_diverged(), self.n_failed(), self.records.len())
    }

    /// How many of the trials finished.
    pub fn n_finished(&self) -> usize {
        self.count(Status::Finished)
    }

    /// The mean seconds of the finished trials, training and measuring; `None` where they were not recorded.
    pub fn seconds(&self) -> Option<f64> {
        let finished = self.records.iter().filter(|record| record.status == Status::Finished);
        interval::mean(&finished.filter_map(|record| seconds(record)).collect::<Vec<_>>())
    }

    fn count(&self, status: Status) -> usize {
        self.records.iter().filter(|record| record.status == status).count()
    }
}

/// What has the same key, gathered, in the order in which the keys first come: trials that are only planned can be gathered
/// like those that have a record.
pub fn gathered<K: Ord + Clone, T>(rows: impl IntoIterator<Item = (K, T)>) -> Vec<(K, Vec<T>)> {
    let mut groups: Vec<(K, Vec<T>)> = Vec::new();
    let mut places: BTreeMap<K, usize> = BTreeMap::new();
    for (key, item) in rows {
        match places.get(&key) {
            Some(&place) => groups[place].1.push(item),
            None => {
                places.insert(key.clone(), groups.len());
                groups.push((key, vec![item]));
            }
        }
    }
    groups
}
