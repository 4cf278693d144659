//! Whether what a setting describes is more than the luck of a few seeds.
//!
//! All trials with one value of a setting that draws other random numbers - another initialiser, another split of validation
//! samples - share the luck of their seed, however many of them there are. Shuffled scores know nothing of that: they take
//! configurations for independent. With several seeds it can be asked. A setting's columns are fitted to the scores of each
//! seed by themselves; what they describe in the mean over the seeds is compared with how much it differs from seed to seed:
//! F = S·|b̄|² / (Σ_s |b_s − b̄|² / (S − 1)) with c and c·(S − 1) degrees of freedom for c columns and S seeds, which is the
//! test of an effect against its interplay with the seed in an analysis of variance where seeds are a random factor
//! (Scheffé, The Analysis of Variance, Wiley 1959, chapter 8).

use std::collections::{BTreeMap, BTreeSet};

use mlp_results::interval::student_share_within;

use super::importance::{N_LEAST, Row, orthonormal, product};

/// How the compared configurations share seeds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum SharedSeeds {
    /// Most have a seed of their own: what luck does to one says nothing about another.
    #[default]
    Own,
    /// They share one seed, or several that are not each run with most configurations: the luck of a value cannot be told
    /// from what it does.
    One,
    /// Most configurations were run with each of so many seeds.
    Several(usize),
}

/// The scores of the configurations that have all of several seeds.
pub(super) struct Seeds {
    /// Which of all rows these are.
    rows: Vec<usize>,
    /// For each seed their scores, and not the ranks of these: where one setting's luck is all that tells the trials of a seed
    /// apart, the ranks of its values are as far apart as can be with every seed, and would seem to agree.
    scores: Vec<Vec<f64>>,
}

impl Seeds {
    /// Finds the seeds that most configurations have.
    pub(super) fn new(all: &[Row]) -> (SharedSeeds, Option<Seeds>) {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for seed in all.iter().flat_map(|row| row.by_seed.keys()) {
            *counts.entry(seed).or_default() += 1;
        }
        if 2 * counts.len() >= all.len() && counts.values().all(|&count| 2 * count < all.len()) {
            return (SharedSeeds::Own, None);
        }
        let mut seeds: Vec<(&str, usize)> = counts.into_iter().collect();
        seeds.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let least = N_LEAST.max(all.len().div_ceil(2));
        let mut rows: BTreeSet<usize> = (0..all.len()).collect();
        let mut shared: Vec<&str> = Vec::new();
        for (seed, _) in seeds {
            let with: BTreeSet<usize> =
                rows.iter().copied().filter(|&row| all[row].by_seed.contains_key(seed)).collect();
            if with.len() >= least {
                rows = with;
                shared.push(seed);
            }
        }
        if shared.len() < 2 {
            return (SharedSeeds::One, None);
        }
        let rows: Vec<usize> = rows.into_iter().collect();
        let of_seed = |seed: &&str| rows.iter().map(|&row| all[row].by_seed[*seed]).collect();
        let scores: Vec<Vec<f64>> = shared.iter().map(of_seed).collect();
        (SharedSeeds::Several(shared.len()), Some(Seeds { rows, scores }))
    }

    /// How likely the luck of the seeds alone lets the columns of a setting describe as much beside those `taken` before.
    pub(super) fn p_value(&self, key: &[Vec<f64>], taken: &[Vec<f64>]) -> f64 {
        let restricted = |columns: &[Vec<f64>]| -> Vec<Vec<f64>> {
            columns.iter().map(|column| self.rows.iter().map(|&row| column[row]).collect()).collect()
        };
        let constant = constant(self.rows.len());
        let mut others = vec![constant.clone()];
        others.extend(orthonormal(&restricted(taken), &[constant]));
        let basis = orthonormal(&restricted(key), &others);
        let n_seeds = self.scores.len() as f64;
        let described = |column: &Vec<f64>| {
            let of_seeds: Vec<f64> = self.scores.iter().map(|scores| product(column, scores)).collect();
            let mean = of_seeds.iter().sum::<f64>() / n_seeds;
            (n_seeds * mean * mean, of_seeds.iter().map(|value| (value - mean).powi(2)).sum::<f64>())
        };
        let (in_the_mean, between) =
            basis.iter().map(described).fold((0.0, 0.0), |sums, column| (sums.0 + column.0, sums.1 + column.1));
        match (basis.len(), between > 0.0) {
            (0, _) => 1.0,
            // Every seed says the same to the last digit.
            (_, false) => {
                if in_the_mean > 0.0 {
                    0.0
                } else {
                    1.0
                }
            }
            (n_columns, true) => {
                f_tail(in_the_mean * (n_seeds - 1.0) / between, n_columns, n_columns * (self.scores.len() - 1))
            }
        }
    }
}

fn constant(n_rows: usize) -> Vec<f64> {
    vec![1.0 / (n_rows as f64).sqrt(); n_rows]
}

/// The probability that a value of Fisher's distribution with these degrees of freedom, at least 1, is above `f`.
///
/// It is the incomplete beta function I_x(ν₂/2, ν₁/2) at x = ν₂ / (ν₂ + ν₁·f), which for whole degrees is a finite sum:
/// I_x(a, b + 1) = I_x(a, b) + Γ(a + b) / (Γ(b + 1)·Γ(a)) · x^a·(1 − x)^b (Abramowitz and Stegun 26.5.16), from
/// I_x(a, 1) = x^a or, of odd ν₁, from I_x(a, ½), which is Student's.
pub(super) fn f_tail(f: f64, upper: usize, lower: usize) -> f64 {
    let x = lower as f64 / (lower as f64 + upper as f64 * f);
    let a = lower as f64 / 2.0;
    let is_odd = upper % 2 == 1;
    let (mut b, mut factor, mut tail) = if is_odd {
        let t = (upper as f64 * f).sqrt();
        (0.5, half_ratio(lower) / (std::f64::consts::PI.sqrt() / 2.0), 1.0 - student_share_within(t, lower))
    } else {
        (1.0, a, x.powf(a))
    };
    while 2.0 * b < upper as f64 - 0.5 {
        tail += factor * x.powf(a) * (1.0 - x).powf(b);
        factor *= (a + b) / (b + 1.0);
        b += 1.0;
    }
    tail.clamp(0.0, 1.0)
}

/// Γ((n + 1)/2) / Γ(n/2), of at least 1.
fn half_ratio(n: usize) -> f64 {
    let root = std::f64::consts::PI.sqrt();
    let (mut ratio, mut at) = if n % 2 == 1 { (1.0 / root, 1) } else { (root / 2.0, 2) };
    while at < n {
        ratio *= (at + 1) as f64 / at as f64;
        at += 2;
    }
    ratio
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The quantiles of printed tables (Pearson and Hartley, Biometrika Tables for Statisticians, table 18).
    #[test]
    fn five_percent_of_fishers_distribution_are_above_its_tabulated_quantiles() {
        for (upper, lower, quantile) in [
            (1, 2, 18.513),
            (2, 4, 6.9443),
            (3, 6, 4.7571),
            (1, 9, 5.1174),
            (4, 8, 3.8379),
            (5, 10, 3.3258),
            (3, 3, 9.2766),
            (7, 5, 4.8759),
        ] {
            let tail = f_tail(quantile, upper, lower);
            assert!((tail - 0.05).abs() < 2e-5, "{upper}, {lower}: {tail}");
        }
    }
}
