//! The best trial, the same one wherever it is spoken of.

use crate::metric::Metric;
use crate::record::RunRecord;
use crate::score::{RankBy, Ranking, by_score};

/// The finished trial with the best final value of what these trials are ranked by: the most telling metric, on the
/// validation set where any of them was measured on one, or else on the test set. Of equals it is the one with the
/// least loss on the same samples, and of those the first by identity, whatever the order of the records. `None` where no trial finished with a finite result.
///
/// It is the trial that [`Overview::best`](crate::Overview::best) names, without the cost of an overview.
///
/// ```no_run
/// let records = mlp_results::RunFolder::new("runs/layers-mnist").records();
/// if let Some(record) = mlp_results::best(records.values()) {
///     println!("{}", record.trial);
/// }
/// ```
pub fn best<'a>(records: impl IntoIterator<Item = &'a RunRecord>) -> Option<&'a RunRecord> {
    best_by(records, RankBy::default())
}

/// The same, ranked by what is asked for.
pub fn best_by<'a>(records: impl IntoIterator<Item = &'a RunRecord>, by: RankBy) -> Option<&'a RunRecord> {
    let records: Vec<&RunRecord> = records.into_iter().collect();
    let ranking = Ranking::of(records.iter().copied(), by);
    let scored = records.into_iter().filter_map(|record| Some((ranking.score(record)?, record)));
    let by_loss = |one: &RunRecord, other: &RunRecord| by_score(Metric::Loss, ranking.loss(one), ranking.loss(other));
    let best = scored.min_by(|(a, one), (b, other)| {
        let ranked = ranking.order(Some(*a), Some(*b));
        ranked.then_with(|| by_loss(one, other)).then_with(|| one.trial.cmp(&other.trial))
    });
    best.map(|(_, record)| record)
}
