//! Which scores a figure tells apart. One trial that failed must not take all the room: so a scale runs from the best score
//! down to a bound that depends on the better half of the scores of networks that trained; what lies below it is off the
//! scale, is drawn at its edge, and is counted.

use mlp_results::Overview;
use mlp_results::interval::range;

/// A scale reaches below the median of the scores by so many times its distance from the best.
const REACH: f64 = 2.0;
/// An axis is only cut where all scores would need more than so many times its length.
const WORTH_CUTTING: f64 = 2.5;
/// An axis is not cut where that would leave more than one in so many scores off it: that so many failed is the finding.
const ONE_IN: usize = 3;

/// The worst and the best score that have a place of their own.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScoreScale {
    /// The worst score on the scale, in units of the metric.
    pub worst: f64,
    /// The best score.
    pub best: f64,
}

impl ScoreScale {
    /// The scale of these scores, in units of the metric; nothing without a score.
    pub fn new(overview: &Overview<'_>, scores: &[f64]) -> Option<ScoreScale> {
        let is_better = |a: f64, b: f64| overview.metric.is_better(a, b);
        let is_trained = |score: &f64| overview.is_trained(*score) != Some(false);
        let mut trained: Vec<f64> = scores.iter().copied().filter(is_trained).collect();
        if trained.is_empty() {
            trained = scores.to_vec();
        }
        trained.sort_by(|&a, &b| is_better(b, a).cmp(&is_better(a, b)));
        let (&best, &worst) = (trained.first()?, trained.last()?);
        let median = trained[trained.len() / 2];
        let bound = median - REACH * (best - median);
        Some(ScoreScale { worst: if median != best && is_better(bound, worst) { bound } else { worst }, best })
    }

    /// The same for an axis, which is only cut where the scores on it could not be told apart otherwise.
    pub(crate) fn of_axis(overview: &Overview<'_>, scores: &[f64]) -> Option<ScoreScale> {
        let scale = ScoreScale::new(overview, scores)?;
        let (low, high) = range(scores.iter().copied())?;
        let worst = if overview.metric.higher_is_better() { low } else { high };
        let n_off = scores.iter().filter(|&&score| overview.metric.is_better(scale.worst, score)).count();
        let is_cut = n_off * ONE_IN <= scores.len()
            && (scale.best - worst).abs() > WORTH_CUTTING * (scale.best - scale.worst).abs();
        Some(if is_cut { scale } else { ScoreScale { worst, ..scale } })
    }

    /// The lower and the upper end, as they stand on an axis.
    pub(crate) fn ends(self, overview: &Overview<'_>) -> (f64, f64) {
        let (worst, best) = (overview.metric.on_axis(self.worst), overview.metric.on_axis(self.best));
        (worst.min(best), worst.max(best))
    }
}
