//! Verdicts: each effect against its threshold, and all of a family together.

use super::effect::Effect;
use crate::thresholds::ERROR_RATE;

/// What the figures say about "the effect is above a threshold".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// The whole interval lies above the threshold.
    Confirmed,
    /// The whole interval lies below it.
    Refuted,
    /// Every network gives one answer to all images: which one says nothing about networks that learn.
    Nothing,
    /// The threshold lies in the interval.
    Undecided,
}

/// An effect judged within its family.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Judged {
    /// The lower end of the interval.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
    /// The probability with which the interval covers the effect, 0.95 or more: what Holm's correction asks of this member of the family.
    pub level: f64,
    /// What follows.
    pub verdict: Verdict,
}

impl Verdict {
    /// As the document says it.
    pub fn name(self) -> &'static str {
        match self {
            Verdict::Confirmed => "confirmed",
            Verdict::Refuted => "refuted",
            Verdict::Undecided => "undecided",
            Verdict::Nothing => "says nothing",
        }
    }
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.pad(self.name())
    }
}

/// Judges every claim "the effect is above its threshold" of a family together, so that no verdict is wrong by chance but with
/// the probability α of [`ERROR_RATE`] (Holm 1979): the clearest of m is judged at the level 1 − α/m, the next at
/// 1 − α/(m − 1), and so on; from the first that stays undecided, all the rest are judged at its level. A family has at least
/// `n_family` members, so that nothing is judged more easily for being asked alone.
pub fn judge(family: &[(Effect, f64)], n_family: usize) -> Vec<Judged> {
    let n_family = family.len().max(n_family);
    let p_values: Vec<f64> = family.iter().map(|(effect, threshold)| effect.p_value(*threshold)).collect();
    let mut order: Vec<usize> = (0..family.len()).collect();
    order.sort_by(|&one, &other| p_values[one].total_cmp(&p_values[other]));
    let mut judged = vec![None; family.len()];
    let mut rank = 0;
    for &member in &order {
        let (effect, threshold) = family[member];
        let level = 1.0 - ERROR_RATE / (n_family - rank) as f64;
        let (low, high) = effect.interval(level);
        let verdict = verdict((low, high), threshold);
        judged[member] = Some(Judged { low, high, level, verdict });
        if verdict != Verdict::Undecided {
            rank = (rank + 1).min(n_family - 1);
        }
    }
    judged.into_iter().flatten().collect()
}

fn verdict((low, high): (f64, f64), threshold: f64) -> Verdict {
    if low > threshold {
        Verdict::Confirmed
    } else if high < threshold {
        Verdict::Refuted
    } else {
        Verdict::Undecided
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::Paired;
    use crate::statistics::paired::tests::planted;

    #[test]
    fn a_planted_effect_is_confirmed_its_opposite_refuted_and_nothing_made_of_noise() {
        let effect = |effect: f64| planted(effect, 10, 1_000, 7).effect();
        let family = [(effect(0.05), 0.002), (effect(-0.05), 0.002), (effect(0.002), 0.002), (effect(0.0), -0.04)];
        let verdicts: Vec<Verdict> = judge(&family, 0).iter().map(|judged| judged.verdict).collect();
        assert_eq!(verdicts, [Verdict::Confirmed, Verdict::Refuted, Verdict::Undecided, Verdict::Confirmed]);
    }

    #[test]
    fn every_verdict_follows_from_its_interval_and_a_larger_family_has_wider_ones() {
        let effect = |estimate| Effect { estimate, standard_error: 0.001, n_seeds: 10, degrees: 9 };
        let alone = judge(&[(effect(0.004), 0.0)], 1)[0];
        assert!((alone.level - 0.975).abs() < 1e-12 && alone.verdict == Verdict::Confirmed);
        let family: Vec<_> = (0..20).map(|_| (effect(0.0025), 0.0)).collect();
        let judged = judge(&family, 0);
        assert!(judged.iter().all(|judged| judged.verdict == Verdict::Undecided && judged.low < 0.0));
        assert!(judged.iter().all(|judged| (judged.level - 0.99875).abs() < 1e-12));
        assert_eq!(judge(&family[..1], 20)[0], judged[0], "asked alone, nothing is judged more easily");
        let mixed = judge(&[(effect(0.003), 0.0), (effect(0.1), 0.0)], 0);
        assert!((mixed[1].level - 0.9875).abs() < 1e-12 && (mixed[0].level - 0.975).abs() < 1e-12);
        assert_eq!(mixed[0].verdict, Verdict::Confirmed);
    }

    #[test]
    fn without_a_second_seed_nothing_is_decided() {
        let alone = planted(1.0, 1, 100, 0).effect();
        assert_eq!(judge(&[(alone, 0.0)], 0)[0].verdict, Verdict::Undecided);
        assert_eq!(judge(&[(Effect::of_seeds(&[3.0]), 0.0)], 0)[0].verdict, Verdict::Undecided);
    }

    #[test]
    fn arms_that_never_scatter_have_an_exact_effect() {
        let arm = |score: f32| vec![vec![score; 50]; 5];
        let judged = judge(&[(Paired::new(&arm(0.0), &arm(0.0)).effect(), 0.002)], 0)[0];
        assert_eq!((judged.low, judged.high, judged.verdict), (0.0, 0.0, Verdict::Refuted));
    }
}
