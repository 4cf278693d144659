//! Which values of a key are the best and the worst, where trials diverged or failed that are in no mean.

use super::LevelEffect;

/// The levels of a key that are named, each with its estimate.
pub(super) struct Ends {
    /// Of the best estimate.
    pub(super) best: (usize, f64),
    /// The worst, if lost trials counted like the worst score.
    pub(super) worst: (usize, f64),
    /// Of the worst estimate, as it is.
    pub(super) lowest: (usize, f64),
    /// Whether another would be the best if lost trials counted.
    pub(super) hinges_on_losses: bool,
}

impl Ends {
    /// Of levels where the worst score of all is `worst_score`; nothing of fewer than two.
    pub(super) fn new(levels: &[LevelEffect], higher_is_better: bool, worst_score: f64) -> Option<Ends> {
        let estimates: Vec<(usize, f64)> =
            levels.iter().enumerate().filter_map(|(level, effect)| Some((level, effect.estimate()?))).collect();
        let goodness = |value: f64| if higher_is_better { value } else { -value };
        let if_counted = |&(level, estimate): &(usize, f64)| {
            let share = levels[level].share_lost();
            goodness((1.0 - share) * estimate + share * worst_score)
        };
        let as_is = |&(_, estimate): &(usize, f64)| goodness(estimate);
        // Of equals the first is the best, and the last the worst.
        let first =
            |by: &dyn Fn(&(usize, f64)) -> f64| estimates.iter().min_by(|a, b| by(b).total_cmp(&by(a))).copied();
        let best = first(&as_is)?;
        let hinges_on_losses = first(&if_counted)?.0 != best.0;
        let last = |by: &dyn Fn(&(usize, f64)) -> f64| {
            let others = estimates.iter().filter(|(level, _)| *level != best.0);
            others.max_by(|a, b| by(b).total_cmp(&by(a))).copied()
        };
        Some(Ends { best, worst: last(&if_counted)?, lowest: last(&as_is)?, hinges_on_losses })
    }

    /// How much better the best estimate is than any other.
    pub(super) fn span(&self) -> f64 {
        (self.best.1 - self.lowest.1).abs()
    }
}
