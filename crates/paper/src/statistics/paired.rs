//! The difference between two sides of a comparison, and how far it is uncertain: a bootstrap over seeds and images.
//!
//! Both sides are trained with the same seeds and measured on the same images, so their scores are paired: for seed s and
//! image i the difference is d(s, i). Its mean over both is the effect. Another choice of seeds, or other test images,
//! would have given another mean; how much another, the bootstrap says: seeds and images are drawn with replacement, each
//! independently, and the standard deviation of the means of many such draws is the standard error (Owen 2007, "The
//! pigeonhole bootstrap", Annals of Applied Statistics 1:386; for two crossed factors it errs on the wide side).
//! Resampling S seeds makes their part of the variance too small by (S − 1)/S, which is put right.
//!
//! The interval is effect ± t · standard error, with t of Student's distribution. Its degrees of freedom are those of a sum of
//! two variances, of few seeds and of many images (Satterthwaite 1946, Biometrics Bulletin 2:110): S − 1 where the seeds scatter
//! and the images do not, many where it is the other way round.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

use super::basics::{mean, variance_of_mean};
use super::effect::Effect;

/// Draws of seeds and images.
const N_RESAMPLES: usize = 4_000;

/// The scores of two sides: a row for each seed, a column for each image, higher is better.
#[derive(Clone, Debug, Default)]
pub struct Paired {
    differences: Vec<Vec<f32>>,
}

impl Paired {
    /// The scores of `left` and `right`, each a row for every seed, in the same order of seeds and images.
    pub fn new(left: &[Vec<f32>], right: &[Vec<f32>]) -> Self {
        let difference =
            |(left, right): (&Vec<f32>, &Vec<f32>)| left.iter().zip(right).map(|(left, right)| left - right).collect();
        Paired { differences: left.iter().zip(right).map(difference).collect() }
    }

    /// The mean difference, left − right.
    pub fn effect(&self) -> Effect {
        let (n_seeds, n_images) = (self.differences.len(), self.differences.first().map_or(0, Vec::len));
        let rows: Vec<f64> = self.differences.iter().map(|row| sum(row) / n_images as f64).collect();
        let estimate = mean(&rows);
        if n_seeds < 2 || n_images == 0 {
            return Effect { estimate, standard_error: f64::INFINITY, n_seeds, degrees: 0 };
        }
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        let means: Vec<f64> = (0..N_RESAMPLES).map(|_| self.resampled(&mut rng, &rows)).collect();
        let drawn = means.iter().map(|value| (value - estimate).powi(2)).sum::<f64>() / (N_RESAMPLES - 1) as f64;
        let (seed_variance, image_variance) = (variance_of_mean(&rows), variance_of_mean(&self.image_means()));
        let standard_error = (drawn + seed_variance / n_seeds as f64).sqrt();
        Effect {
            estimate,
            standard_error,
            n_seeds,
            degrees: degrees([(seed_variance, n_seeds), (image_variance, n_images)]),
        }
    }

    /// The mean difference of each image over the seeds.
    fn image_means(&self) -> Vec<f64> {
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

/// The degrees of freedom of a sum of variances, each of a mean of so many values (Satterthwaite 1946), rounded down.
fn degrees(parts: [(f64, usize); 2]) -> usize {
    let total: f64 = parts.iter().map(|(variance, _)| variance).sum();
    let weighted = |&(variance, n): &(f64, usize)| if n < 2 { 0.0 } else { variance * variance / (n - 1) as f64 };
    let fewest = parts[0].1.saturating_sub(1);
    if total > 0.0 { ((total * total / parts.iter().map(weighted).sum::<f64>()) as usize).max(fewest) } else { fewest }
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
pub(super) mod tests {
    use super::*;

    /// Scores of sides whose true difference is `effect`, with seeds and images that scatter.
    pub(crate) fn planted(effect: f64, n_seeds: usize, n_images: usize, seed: u64) -> Paired {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut normal = || (0..12).map(|_| f64::from(rng.next_u32()) / 2_f64.powi(32)).sum::<f64>() - 6.0;
        let image_parts: Vec<f64> = (0..n_images).map(|_| 0.1 * normal()).collect();
        let differences = (0..n_seeds)
            .map(|_| {
                let seed_part = 0.002 * normal();
                image_parts
                    .iter()
                    .map(|image_part| (effect + seed_part + image_part + 0.05 * normal()) as f32)
                    .collect()
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
        let by_image: Vec<f32> = (0..4_000).map(|_| (rng.next_u32() as f32) / u32::MAX as f32 - 0.5).collect();
        let effect = Paired { differences: vec![by_image; 5] }.effect();
        assert!(effect.degrees > 1_000, "{effect:?}");
        // 1/√12 is the deviation of a number from 0 to 1.
        let expected = (1.0 / 12.0_f64).sqrt() / 4_000_f64.sqrt();
        assert!((effect.standard_error / expected - 1.0).abs() < 0.1, "{effect:?}, expected {expected}");
        let seed_variance = Paired { differences: (0..5).map(|seed| vec![seed as f32; 100]).collect() }.effect();
        assert_eq!(seed_variance.degrees, 4);
        assert!((seed_variance.standard_error - 0.5_f64.sqrt()).abs() < 0.05, "{seed_variance:?}");
    }
}
