//! What a difference between two arms is, how far it is uncertain, and what follows for a claim.
//!
//! Both arms are trained with the same seeds and measured on the same images, so their scores are paired: for seed s and
//! image i the difference is d(s, i). Its mean over both is the effect. Another choice of seeds, or other test images,
//! would have given another mean; how much another, the bootstrap says: seeds and images are drawn with replacement, each
//! independently, and the standard deviation of the means of many such draws is the standard error (Owen 2007, "The
//! pigeonhole bootstrap", Annals of Applied Statistics 1:386; for two crossed factors it errs on the wide side).
//! Resampling S seeds makes their part of the variance too small by (S − 1)/S, which is put right.
//!
//! The interval is effect ± t · standard error, with t of Student's distribution. Its degrees of freedom are those of a sum of
//! two variances, of few seeds and of many images (Satterthwaite 1946, Biometrics Bulletin 2:110): S − 1 where the seeds scatter
//! and the images do not, many where it is the other way round.

use mlp_report::interval::{student_quantile, student_share_within};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

/// Draws of seeds and images.
const N_RESAMPLES: usize = 4_000;
/// The probability that a verdict of a family is wrong: half of 5 %, as the published figures are the second that were
/// judged. The first had fewer seeds.
pub(crate) const ERROR_RATE: f64 = 0.025;

/// The scores of two arms: a row for each seed, a column for each image, higher is better.
#[derive(Clone, Debug, Default)]
pub(crate) struct Paired {
    differences: Vec<Vec<f32>>,
}

/// An effect with its standard error, over so many seeds.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Effect {
    pub(crate) estimate: f64,
    /// Infinite where one seed says nothing of others; it is then left out of files, which have no such number.
    #[serde(default = "unknown", skip_serializing_if = "is_unknown")]
    pub(crate) standard_error: f64,
    pub(crate) n_seeds: usize,
    /// Of Student's distribution; 0 where there is no interval.
    pub(crate) degrees: usize,
}

fn unknown() -> f64 {
    f64::INFINITY
}

fn is_unknown(standard_error: &f64) -> bool {
    standard_error.is_infinite()
}

/// What the figures say about "the effect is above a threshold".
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Verdict {
    /// The whole interval lies above the threshold.
    Confirmed,
    /// The whole interval lies below it.
    Refuted,
    /// Every net gives one answer to all images: which one says nothing about nets that learn.
    Nothing,
    /// The threshold lies in the interval.
    Undecided,
}

/// An effect judged within its family.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Judged {
    pub(crate) low: f64,
    pub(crate) high: f64,
    /// 0.95 or more: what Holm's correction asks of this member of the family.
    pub(crate) level: f64,
    pub(crate) verdict: Verdict,
}

impl Paired {
    /// The scores of `left` and `right`, each a row for every seed, in the same order of seeds and images.
    pub(crate) fn new(left: &[Vec<f32>], right: &[Vec<f32>]) -> Self {
        let difference =
            |(left, right): (&Vec<f32>, &Vec<f32>)| left.iter().zip(right).map(|(left, right)| left - right).collect();
        Paired { differences: left.iter().zip(right).map(difference).collect() }
    }

    /// The mean difference, left − right.
    pub(crate) fn effect(&self) -> Effect {
        let (n_seeds, n_images) = (self.differences.len(), self.differences.first().map_or(0, Vec::len));
        let rows: Vec<f64> = self.differences.iter().map(|row| sum(row) / n_images as f64).collect();
        let estimate = mean(&rows);
        if n_seeds < 2 || n_images == 0 {
            return Effect { estimate, standard_error: f64::INFINITY, n_seeds, degrees: 0 };
        }
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        let means: Vec<f64> = (0..N_RESAMPLES).map(|_| self.resampled(&mut rng, &rows)).collect();
        let drawn = means.iter().map(|value| (value - estimate).powi(2)).sum::<f64>() / (N_RESAMPLES - 1) as f64;
        let (of_seeds, of_images) = (variance_of_mean(&rows), variance_of_mean(&self.of_images()));
        let standard_error = (drawn + of_seeds / n_seeds as f64).sqrt();
        Effect { estimate, standard_error, n_seeds, degrees: degrees([(of_seeds, n_seeds), (of_images, n_images)]) }
    }

    /// The mean difference of each image over the seeds.
    fn of_images(&self) -> Vec<f64> {
        let mut sums = vec![0.0; self.differences.first().map_or(0, Vec::len)];
        for row in &self.differences {
            sums.iter_mut().zip(row).for_each(|(sum, difference)| *sum += f64::from(*difference));
        }
        let n_seeds = self.differences.len() as f64;
        sums.into_iter().map(|sum| sum / n_seeds).collect()
    }

    /// The mean of one draw of seeds and of images.
    fn resampled(&self, rng: &mut ChaCha8Rng, rows: &[f64]) -> f64 {
        let n_images = self.differences[0].len();
        let mut times_drawn = vec![0_f32; n_images];
        let mut n_seeds_drawn = vec![0_u32; rows.len()];
        for _ in 0..rows.len() {
            n_seeds_drawn[below(rng, rows.len())] += 1;
        }
        if n_images > 1 {
            for _ in 0..n_images {
                times_drawn[below(rng, n_images)] += 1.0;
            }
        } else {
            times_drawn.fill(1.0);
        }
        let drawn = self.differences.iter().zip(&n_seeds_drawn).filter(|(_, times)| **times > 0);
        let total: f64 = drawn.map(|(row, times)| f64::from(*times) * product(row, &times_drawn)).sum();
        total / (rows.len() * n_images) as f64
    }
}

impl Effect {
    /// The effect of a number that each seed gives as a whole, such as an error over all images: the standard error is
    /// that of a mean.
    pub(crate) fn of_seeds(values: &[f64]) -> Self {
        let (n_seeds, estimate) = (values.len(), mean(values));
        let standard_error = if n_seeds < 2 { f64::INFINITY } else { variance_of_mean(values).sqrt() };
        Effect { estimate, standard_error, n_seeds, degrees: n_seeds.saturating_sub(1) }
    }

    /// Both ends of the interval that covers the true effect with the probability `level`.
    pub(crate) fn interval(&self, level: f64) -> (f64, f64) {
        let reach = match self.n_seeds {
            0 | 1 => f64::INFINITY,
            _ if self.standard_error > 0.0 => student_quantile(level, self.degrees.max(1)) * self.standard_error,
            _ => 0.0,
        };
        (self.estimate - reach, self.estimate + reach)
    }

    /// At a level where the interval just reaches `threshold`, its distance in standard errors, as a probability: small
    /// where the threshold is far away.
    fn p_value(&self, threshold: f64) -> f64 {
        let distance = (self.estimate - threshold).abs();
        if self.n_seeds < 2 || distance == 0.0 {
            return 1.0;
        }
        if self.standard_error == 0.0 {
            return 0.0;
        }
        1.0 - student_share_within(distance / self.standard_error, self.degrees.max(1))
    }
}

/// Judges every claim "the effect is above its threshold" of a family together, so that no verdict is wrong by chance but with
/// the probability α of [`ERROR_RATE`] (Holm 1979): the clearest of m is judged at the level 1 − α/m, the next at
/// 1 − α/(m − 1), and so on; from the first that stays undecided, all the rest are judged at its level. A family has at least
/// `n_family` members, so that nothing is judged more easily for being asked alone.
pub(crate) fn judge(family: &[(Effect, f64)], n_family: usize) -> Vec<Judged> {
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
        let verdict = match () {
            () if low > threshold => Verdict::Confirmed,
            () if high < threshold => Verdict::Refuted,
            () => Verdict::Undecided,
        };
        judged[member] = Some(Judged { low, high, level, verdict });
        if verdict != Verdict::Undecided {
            rank = (rank + 1).min(n_family - 1);
        }
    }
    judged.into_iter().flatten().collect()
}

/// The interval of a share of `n` that were so, by Wilson's formula at 95 % (Wilson 1927).
pub(crate) fn share_interval(n_so: usize, n: usize) -> (f64, f64) {
    if n == 0 {
        return (0.0, 1.0);
    }
    let (n, share, z) = (n as f64, n_so as f64 / n as f64, 1.959_964);
    let middle = (share + z * z / (2.0 * n)) / (1.0 + z * z / n);
    let reach = z / (1.0 + z * z / n) * (share * (1.0 - share) / n + z * z / (4.0 * n * n)).sqrt();
    ((middle - reach).max(0.0), (middle + reach).min(1.0))
}

/// The variance of a mean of at least two values; 0 for fewer.
fn variance_of_mean(values: &[f64]) -> f64 {
    let (n, mean) = (values.len(), mean(values));
    if n < 2 {
        return 0.0;
    }
    values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / ((n - 1) * n) as f64
}

/// The degrees of freedom of a sum of variances, each of a mean of so many values (Satterthwaite 1946), rounded down.
fn degrees(parts: [(f64, usize); 2]) -> usize {
    let total: f64 = parts.iter().map(|(variance, _)| variance).sum();
    let weighted = |&(variance, n): &(f64, usize)| if n < 2 { 0.0 } else { variance * variance / (n - 1) as f64 };
    let fewest = parts[0].1.saturating_sub(1);
    match total > 0.0 {
        true => ((total * total / parts.iter().map(weighted).sum::<f64>()) as usize).max(fewest),
        false => fewest,
    }
}

/// The mean; not a number of no values.
pub(crate) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn sum(values: &[f32]) -> f64 {
    values.iter().map(|&value| f64::from(value)).sum()
}

/// Σ a·b. Lanes of their own let the compiler use vectors.
fn product(a: &[f32], b: &[f32]) -> f64 {
    let mut lanes = [0_f32; 16];
    let (mut chunks_a, mut chunks_b) = (a.chunks_exact(16), b.chunks_exact(16));
    for (a, b) in chunks_a.by_ref().zip(chunks_b.by_ref()) {
        for ((lane, a), b) in lanes.iter_mut().zip(a).zip(b) {
            *lane += a * b;
        }
    }
    let rest = chunks_a.remainder().iter().zip(chunks_b.remainder()).map(|(a, b)| f64::from(a * b));
    sum(&lanes) + rest.sum::<f64>()
}

/// A number from 0 to `bound` − 1, by widening multiplication.
fn below(rng: &mut ChaCha8Rng, bound: usize) -> usize {
    ((u64::from(rng.next_u32()) * bound as u64) >> 32) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_effect_of_one_seed_survives_a_file() {
        let effect = Effect::of_seeds(&[0.5]);
        let text = serde_json::to_string(&effect).expect("JSON");
        assert_eq!(text, r#"{"estimate":0.5,"n_seeds":1,"degrees":0}"#);
        assert_eq!(serde_json::from_str::<Effect>(&text).expect("the same"), effect);
        assert_eq!(effect.interval(0.95), (f64::NEG_INFINITY, f64::INFINITY));
    }

    /// Scores of arms whose true difference is `effect`, with seeds and images that scatter.
    fn planted(effect: f64, n_seeds: usize, n_images: usize, seed: u64) -> Paired {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut normal = || (0..12).map(|_| f64::from(rng.next_u32()) / 2_f64.powi(32)).sum::<f64>() - 6.0;
        let of_images: Vec<f64> = (0..n_images).map(|_| 0.1 * normal()).collect();
        let differences = (0..n_seeds)
            .map(|_| {
                let of_seed = 0.002 * normal();
                of_images.iter().map(|of_image| (effect + of_seed + of_image + 0.05 * normal()) as f32).collect()
            })
            .collect();
        Paired { differences }
    }

    #[test]
    fn the_interval_covers_a_planted_effect_about_as_often_as_it_says() {
        let n_covered = (0..200)
            .filter(|&seed| {
                let (low, high) = planted(0.01, 6, 60, seed).effect().interval(0.95);
                low <= 0.01 && 0.01 <= high
            })
            .count();
        // Binomial with 0.95: fewer than 180 of 200 once in a thousand times. Wider than needed is allowed.
        assert!(n_covered >= 180, "{n_covered} of 200");
    }

    #[test]
    fn where_images_scatter_and_seeds_do_not_the_interval_is_that_of_many_values() {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let of_images: Vec<f32> = (0..4_000).map(|_| (rng.next_u32() as f32) / u32::MAX as f32 - 0.5).collect();
        let effect = Paired { differences: vec![of_images; 5] }.effect();
        assert!(effect.degrees > 1_000, "{effect:?}");
        // 1/√12 is the deviation of a number from 0 to 1.
        let expected = (1.0 / 12.0_f64).sqrt() / 4_000_f64.sqrt();
        assert!((effect.standard_error / expected - 1.0).abs() < 0.1, "{effect:?}, expected {expected}");
        let of_seeds = Paired { differences: (0..5).map(|seed| vec![seed as f32; 100]).collect() }.effect();
        assert_eq!(of_seeds.degrees, 4);
        assert!((of_seeds.standard_error - 0.5_f64.sqrt()).abs() < 0.05, "{of_seeds:?}");
    }

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

    #[test]
    fn shares_have_wilson_s_interval() {
        // Brown, Cai & DasGupta 2001: 0 of 10 reaches to 0.2775.
        let (low, high) = share_interval(0, 10);
        assert!(low == 0.0 && (high - 0.2775).abs() < 1e-3, "{high}");
    }
}
