//! How the best γ changes with the number of training images.

use std::collections::BTreeMap;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use serde::{Deserialize, Serialize};

use crate::selection::Selection;
use crate::statistics::Effect;
use crate::statistics::basics::mean;

/// Draws of seeds.
const N_RESAMPLES: usize = 4_000;

/// γ* of one number of training images: the γ above 0 with the least mean validation loss. A file holds it as a list of these
/// four numbers.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "(usize, f64, f64, f64)", into = "(usize, f64, f64, f64)")]
pub struct BestDecay {
    /// Training images.
    pub n_train: usize,
    /// γ*.
    pub decay: f64,
    /// The lower end of where γ* falls in 95 % of draws of the seeds.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

impl From<(usize, f64, f64, f64)> for BestDecay {
    fn from((n_train, decay, low, high): (usize, f64, f64, f64)) -> Self {
        BestDecay { n_train, decay, low, high }
    }
}

impl From<BestDecay> for (usize, f64, f64, f64) {
    fn from(best: BestDecay) -> Self {
        (best.n_train, best.decay, best.low, best.high)
    }
}

/// The best γ for each number of training images, and the line through them on two logarithmic axes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Slope {
    /// γ* by number of images, ascending.
    pub best: Vec<BestDecay>,
    /// Of each of them, whether it is the first or the last value that was tried: then γ* lies there or beyond.
    pub is_bound: Vec<bool>,
    /// d lg γ* / d lg N, over the sizes whose γ* is no bound.
    pub slope: Effect,
}

/// Validation losses: by number of images and by γ, one for each seed.
struct Losses {
    sizes: Vec<usize>,
    decays: Vec<f64>,
    /// `[size][decay][seed]`.
    losses: Vec<Vec<Vec<f64>>>,
    n_seeds: usize,
}

/// The slope over the trials of `rows` with γ above 0; nothing if the grid has gaps or fewer than three values of γ, or if γ* is
/// an end of the grid for all sizes but one.
pub fn slope(rows: &Selection<'_>) -> Option<Slope> {
    let losses = Losses::new(rows)?;
    let all: Vec<usize> = (0..losses.n_seeds).collect();
    let best = losses.best(&all);
    let is_bound: Vec<bool> = best.iter().map(|&best| losses.is_end(best)).collect();
    if is_bound.iter().filter(|is_bound| !**is_bound).count() < 2 {
        return None;
    }
    let draws = losses.draws();
    let estimate = losses.slope(&best, &is_bound);
    let slopes: Vec<f64> = draws.iter().map(|best| losses.slope(best, &is_bound)).collect();
    let variance = slopes.iter().map(|slope| (slope - estimate).powi(2)).sum::<f64>() / (N_RESAMPLES - 1) as f64;
    let correction = losses.n_seeds as f64 / (losses.n_seeds - 1) as f64;
    let best_decay = |(size, &n_train): (usize, &usize)| {
        let (low, high) = middle_95(draws.iter().map(|best| best[size]).collect());
        BestDecay { n_train, decay: 10_f64.powf(best[size]), low: 10_f64.powf(low), high: 10_f64.powf(high) }
    };
    Some(Slope {
        best: losses.sizes.iter().enumerate().map(best_decay).collect(),
        is_bound,
        slope: Effect {
            estimate,
            standard_error: (variance * correction).sqrt(),
            n_seeds: losses.n_seeds,
            degrees: losses.n_seeds - 1,
        },
    })
}

/// Both ends of what is left of some values without the lowest and the highest 2.5 %.
fn middle_95(mut values: Vec<f64>) -> (f64, f64) {
    values.sort_by(f64::total_cmp);
    let at = |share: f64| values[((values.len() - 1) as f64 * share).round() as usize];
    (at(0.025), at(0.975))
}

/// Losses by number of images, by the bits of γ, and by seed. The bits of positive numbers sort as the numbers do.
type Table = BTreeMap<usize, BTreeMap<u64, BTreeMap<u64, f64>>>;

impl Losses {
    fn new(rows: &Selection<'_>) -> Option<Self> {
        let mut table = Table::new();
        for row in rows.rows.iter().filter(|row| row.number("l2") > 0.0) {
            let loss = row.validation.as_ref()?.loss;
            let by_seed = table.entry(row.n_train).or_default().entry(row.number("l2").to_bits()).or_default();
            by_seed.insert(row.seed, loss);
        }
        let first = table.values().next()?;
        let decays: Vec<u64> = first.keys().copied().collect();
        let seeds: Vec<u64> = first.values().next()?.keys().copied().collect();
        let is_full = table
            .values()
            .all(|by_decay| by_decay.keys().eq(&decays) && by_decay.values().all(|by_seed| by_seed.keys().eq(&seeds)));
        if table.len() < 2 || decays.len() < 3 || seeds.len() < 2 || !is_full {
            return None;
        }
        Some(Losses {
            sizes: table.keys().copied().collect(),
            decays: decays.into_iter().map(f64::from_bits).collect(),
            losses: table
                .into_values()
                .map(|by_decay| by_decay.into_values().map(|by_seed| by_seed.into_values().collect()).collect())
                .collect(),
            n_seeds: seeds.len(),
        })
    }

    /// For each size lg γ*, in each of many draws of the seeds.
    fn draws(&self) -> Vec<Vec<f64>> {
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        let mut draw = || (rng.next_u64() % self.n_seeds as u64) as usize;
        (0..N_RESAMPLES)
            .map(|_| {
                let seeds: Vec<usize> = (0..self.n_seeds).map(|_| draw()).collect();
                self.best(&seeds)
            })
            .collect()
    }

    /// For each size lg γ*, from the mean loss of the given seeds: the lowest point of the parabola through the least mean
    /// and its two neighbours.
    fn best(&self, seeds: &[usize]) -> Vec<f64> {
        let mean_loss = |by_seed: &Vec<f64>| mean(&seeds.iter().map(|&seed| by_seed[seed]).collect::<Vec<_>>());
        let lowest = |by_decay: &Vec<Vec<f64>>| self.lowest(&by_decay.iter().map(mean_loss).collect::<Vec<_>>());
        self.losses.iter().map(lowest).collect()
    }

    /// lg γ where the parabola through the least of these losses, one for each γ, and its two neighbours is lowest; the first or
    /// the last lg γ where that has the least.
    fn lowest(&self, means: &[f64]) -> f64 {
        let least = (0..means.len()).min_by(|&a, &b| means[a].total_cmp(&means[b])).unwrap_or(0);
        let x = |decay: usize| self.decays[decay].log10();
        if least == 0 || least + 1 == means.len() {
            return x(least);
        }
        let (before, after) = (means[least - 1] - means[least], means[least + 1] - means[least]);
        let (left, right) = (x(least) - x(least - 1), x(least + 1) - x(least));
        let shift = 0.5 * (before * right * right - after * left * left) / (before * right + after * left);
        x(least) + if shift.is_finite() { shift } else { 0.0 }
    }

    /// Whether lg γ* is the first or the last value that was tried.
    fn is_end(&self, best: f64) -> bool {
        let ends = [self.decays.first(), self.decays.last()];
        ends.into_iter().flatten().any(|decay| (best - decay.log10()).abs() < 1e-9)
    }

    /// By least squares, without the sizes that are bounds.
    fn slope(&self, best: &[f64], is_bound: &[bool]) -> f64 {
        let points = self.sizes.iter().zip(best).zip(is_bound).filter(|(_, is_bound)| !**is_bound);
        let (x, y): (Vec<f64>, Vec<f64>) = points.map(|((&size, &best), _)| ((size as f64).log10(), best)).unzip();
        let (mean_x, mean_y) = (mean(&x), mean(&y));
        let products: f64 = x.iter().zip(&y).map(|(x, y)| (x - mean_x) * (y - mean_y)).sum();
        let squares: f64 = x.iter().map(|x| (x - mean_x).powi(2)).sum();
        products / squares
    }
}

#[cfg(test)]
mod tests {
    use mlp_results::Status;
    use mlp_train::EpochMetrics;
    use serde_json::{Map, json};

    use super::*;
    use crate::row::Row;

    /// Trials whose validation loss is a parabola in lg γ with its lowest point at lg γ* = −1 + slope · (lg N − 3).
    fn planted(slope: f64) -> Vec<Row> {
        let mut rows = Vec::new();
        for n_train in [1_000, 3_000, 10_000, 30_000] {
            for exponent in -7..=-1 {
                for seed in 0..6 {
                    let lowest = -2.5 + slope * ((n_train as f64).log10() - 3.0) + 0.1 * (seed as f64 - 2.5);
                    let loss = (f64::from(exponent) - lowest).powi(2);
                    let mut config = Map::new();
                    config.insert("l2".to_owned(), json!(10_f64.powi(exponent)));
                    rows.push(Row {
                        sweep: "planted".to_owned(),
                        trial: String::new(),
                        status: Status::Finished,
                        seed,
                        n_train,
                        n_test: 0,
                        config,
                        validation: Some(EpochMetrics { loss, ..EpochMetrics::default() }),
                        test: None,
                        curve: Vec::new(),
                        weights_sha256: None,
                    });
                }
            }
        }
        rows
    }

    #[test]
    fn a_planted_slope_is_found() {
        for planted_slope in [-1.0, 0.0] {
            let rows = planted(planted_slope);
            let found = slope(&Selection::of(&rows, "planted")).expect("a full grid");
            assert!((found.slope.estimate - planted_slope).abs() < 1e-9, "{}", found.slope.estimate);
            assert!((found.best[0].decay.log10() + 2.5).abs() < 1e-9);
        }
    }

    #[test]
    fn where_the_best_is_an_end_of_the_grid_it_is_a_bound_and_the_slope_does_without() {
        let mut rows = planted(-1.0);
        for row in rows.iter_mut().filter(|row| row.n_train == 30_000) {
            let decay = row.number("l2");
            row.validation = Some(EpochMetrics { loss: decay, ..EpochMetrics::default() });
        }
        let found = slope(&Selection::of(&rows, "planted")).expect("a full grid");
        assert_eq!(found.is_bound, [false, false, false, true]);
        assert!((found.slope.estimate + 1.0).abs() < 1e-9, "{}", found.slope.estimate);
    }

    #[test]
    fn a_grid_with_gaps_has_no_slope() {
        let mut rows = planted(-1.0);
        rows.truncate(rows.len() - 1);
        assert!(slope(&Selection::of(&rows, "planted")).is_none());
    }
}
