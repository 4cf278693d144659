//! The best trial, the same one wherever it is spoken of.

use crate::record::RunRecord;
use crate::score::{by_score, compared_by, score};

/// The finished trial with the best final value of what these trials are compared by ([`compared_by`]); of equals the
/// first by identity, whatever the order of the records. `None` where no trial finished with a finite result.
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
    let records: Vec<&RunRecord> = records.into_iter().collect();
    let (metric, compared) = compared_by(records.iter().copied());
    let scored = records.into_iter().filter_map(|record| Some((score(record, metric, compared)?, record)));
    let best = scored
        .min_by(|(a, one), (b, other)| by_score(metric, Some(*a), Some(*b)).then_with(|| one.trial.cmp(&other.trial)));
    best.map(|(_, record)| record)
}
