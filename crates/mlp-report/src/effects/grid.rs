//! What the values of the keys of a grid reach, and how far that would move with other seeds.

use std::collections::{BTreeMap, BTreeSet};

use mlp_results::interval::{half_width, mean, standard_error, student_quantile};

use super::fit::{Fit, Unit};
use super::{LevelEffect, n_possible};

/// How a level's mean is taken, the other keys being equal.
enum Estimator {
    /// By a sum of one effect per key: some combinations are missing, but every value met every other.
    Sum,
    /// Over the configurations of those combinations of the other keys in which all levels were run, by their place.
    Matched(Vec<usize>),
    /// Nothing compares the levels.
    None,
}

/// The configurations of a grid.
pub(super) struct Grid<'a> {
    units: &'a [Unit],
    sizes: &'a [usize],
    /// The sum fitted to all of them, and to what is left without each block of seeds.
    whole: Fit,
    without: Vec<Fit>,
    /// Whether the configurations are a fair choice of all, so that the sum may say what it likes of the others.
    is_fair_choice: bool,
}

impl<'a> Grid<'a> {
    pub(super) fn new(units: &'a [Unit], sizes: &'a [usize], n_blocks: usize, is_fair_choice: bool) -> Grid<'a> {
        let n_blocks = if n_blocks > 1 { n_blocks } else { 0 };
        let without = (0..n_blocks).map(|block| Fit::new(units, sizes, Some(block))).collect();
        Grid { units, sizes, whole: Fit::new(units, sizes, None), without, is_fair_choice }
    }

    /// The share of the variance that the sum of effects describes.
    pub(super) fn explained(&self) -> Option<f64> {
        self.whole.explained(self.units)
    }

    /// Fills in the means of a key's levels with their intervals; says over how many combinations of the other keys, of how many
    /// of their values, where not over all.
    pub(super) fn estimate(&self, key: usize, levels: &mut [LevelEffect]) -> (Option<(usize, usize)>, Spreads) {
        let estimator = self.estimator(key);
        let n_blocks = self.without.len();
        let mut spreads = Spreads { levels: Vec::new() };
        for (level, effect) in levels.iter_mut().enumerate() {
            let estimate = |left_out: Option<usize>| self.level_mean(&estimator, key, level, left_out);
            effect.adjusted = estimate(None);
            effect.is_undetermined = effect.adjusted.is_none() && effect.plain.is_some();
            let seeds = SeedShares::new(self.units_of(&estimator, key, level));
            effect.has_single_seed = n_blocks > 0 && seeds.has_single && effect.adjusted.is_some();
            let without: Option<Vec<f64>> = (0..n_blocks).map(|block| estimate(Some(block))).collect();
            let without = without.filter(|_| n_blocks > 0 && !seeds.has_single);
            effect.half_width = effect.adjusted.zip(without.as_deref()).and_then(|(adjusted, without)| {
                let blocks = if matches!(estimator, Estimator::Sum) { (0..n_blocks).collect() } else { seeds.blocks() };
                half_width_within(&pseudo_values(adjusted, without, &blocks), 0.95, seeds.n_equal())
            });
            spreads.levels.push(effect.adjusted.zip(without).map(|(adjusted, without)| (adjusted, without, seeds)));
        }
        let matched = match &estimator {
            Estimator::Matched(places) => {
                let n_shared = self.blocks_of(key, places.iter().copied()).len();
                let n_all = n_possible(self.units, (0..self.sizes.len()).filter(|&other| other != key));
                Some((n_shared, n_all)).filter(|(n_shared, n_all)| n_shared < n_all)
            }
            Estimator::Sum | Estimator::None => None,
        };
        (matched, spreads)
    }

    fn estimator(&self, key: usize) -> Estimator {
        let run: BTreeSet<usize> = self.units.iter().map(|unit| unit.levels[key]).collect();
        let blocks = self.blocks_of(key, 0..self.units.len());
        let n_all = blocks.len();
        let shared: Vec<Vec<usize>> =
            blocks.into_values().filter(|places| self.n_levels(key, places) == run.len()).collect();
        let is_determined = || run.iter().all(|&level| self.whole.adjusted_mean(&self.whole, key, level).is_some());
        if shared.len() < n_all && (self.is_fair_choice || self.have_all_met(key) && is_determined()) {
            Estimator::Sum
        } else if shared.is_empty() {
            Estimator::None
        } else {
            Estimator::Matched(shared.concat())
        }
    }

    /// Whether each level of the key was run with each level of every other key.
    fn have_all_met(&self, key: usize) -> bool {
        (0..self.sizes.len()).filter(|&other| other != key).all(|other| {
            let pairs: BTreeSet<_> = self.units.iter().map(|unit| (unit.levels[key], unit.levels[other])).collect();
            let firsts: BTreeSet<_> = pairs.iter().map(|pair| pair.0).collect();
            let seconds: BTreeSet<_> = pairs.iter().map(|pair| pair.1).collect();
            pairs.len() == firsts.len() * seconds.len()
        })
    }

    /// The configurations at these places by what they have of all other keys.
    fn blocks_of(&self, key: usize, places: impl Iterator<Item = usize>) -> BTreeMap<Vec<usize>, Vec<usize>> {
        let mut blocks: BTreeMap<Vec<usize>, Vec<usize>> = BTreeMap::new();
        for place in places {
            let mut others = self.units[place].levels.clone();
            others.remove(key);
            blocks.entry(others).or_default().push(place);
        }
        blocks
    }

    fn n_levels(&self, key: usize, places: &[usize]) -> usize {
        places.iter().map(|&place| self.units[place].levels[key]).collect::<BTreeSet<_>>().len()
    }

    /// The configurations that a level's mean rests on.
    fn units_of(&self, estimator: &Estimator, key: usize, level: usize) -> Vec<&'a Unit> {
        let is_its = |unit: &&'a Unit| unit.levels[key] == level;
        match estimator {
            Estimator::Sum => self.units.iter().filter(is_its).collect(),
            Estimator::Matched(places) => places.iter().map(|&place| &self.units[place]).filter(is_its).collect(),
            Estimator::None => Vec::new(),
        }
    }

    fn level_mean(&self, estimator: &Estimator, key: usize, level: usize, left_out: Option<usize>) -> Option<f64> {
        if let Estimator::Sum = estimator {
            let fit = left_out.map_or(&self.whole, |block| &self.without[block]);
            return fit.adjusted_mean(&self.whole, key, level);
        }
        let units = self.units_of(estimator, key, level);
        let scores: Option<Vec<f64>> = units.iter().map(|unit| unit.mean(left_out)).collect();
        mean(&scores?)
    }
}

/// How the means of a key's levels are scattered over blocks of seeds.
pub(super) struct Spreads {
    /// For each level the mean, the same without each block, and which blocks are in it.
    levels: Vec<Option<(f64, Vec<f64>, SeedShares)>>,
}

impl Spreads {
    /// The number of blocks of seeds in a level's mean.
    pub(super) fn n_seeds(&self, level: usize) -> Option<usize> {
        self.levels[level].as_ref().map(|(_, _, seeds)| seeds.shares.len())
    }

    /// Half the width of the 95 % interval of the difference between two levels that were chosen for lying farthest apart among
    /// `n_levels`.
    pub(super) fn of_difference(&self, one: usize, other: usize, n_levels: usize) -> Option<f64> {
        let ((one, without_one, seeds), (other, without_other, others)) =
            (self.levels[one].as_ref()?, self.levels[other].as_ref()?);
        let without: Vec<f64> = without_one.iter().zip(without_other).map(|(one, other)| one - other).collect();
        let blocks = seeds.blocks().union(&others.blocks()).copied().collect();
        let n_pairs = (n_levels * n_levels.saturating_sub(1) / 2).max(1) as f64;
        let n_equal = seeds.n_equal().min(others.n_equal());
        half_width_within(&pseudo_values(one - other, &without, &blocks), 1.0 - 0.05 / n_pairs, n_equal)
    }
}

/// How much each block of seeds counts in a mean over configurations.
struct SeedShares {
    /// By their number, in sum 1.
    shares: BTreeMap<usize, f64>,
    /// Whether some configuration has runs of one block alone: nothing says what its luck is.
    has_single: bool,
}

impl SeedShares {
    fn new(units: Vec<&Unit>) -> SeedShares {
        let (mut shares, mut has_single) = (BTreeMap::new(), units.is_empty());
        for unit in &units {
            let share = 1.0 / (units.len() * unit.runs.len()) as f64;
            unit.runs.iter().for_each(|(block, _)| *shares.entry(*block).or_default() += share);
            has_single |= unit.runs.iter().all(|(block, _)| *block == unit.runs[0].0);
        }
        SeedShares { shares, has_single }
    }

    fn blocks(&self) -> BTreeSet<usize> {
        self.shares.keys().copied().collect()
    }

    /// As many blocks of the same share are worth as much (Kish 1965).
    fn n_equal(&self) -> usize {
        // What adds up to a whole number but for rounding is one.
        (1.0 / self.shares.values().map(|share| share * share).sum::<f64>() + 1e-6).floor() as usize
    }
}

/// The jackknife's pseudo-values of an `estimate`, from the estimates without each of these blocks.
fn pseudo_values(estimate: f64, without: &[f64], blocks: &BTreeSet<usize>) -> Vec<f64> {
    let n_blocks = blocks.len() as f64;
    blocks.iter().map(|&block| n_blocks * estimate - (n_blocks - 1.0) * without[block]).collect()
}

/// Half the width of the interval that holds the mean of `values` with the probability `share`, where as many of them as `n_equal`
/// count; nothing of equal values, and of fewer than two.
fn half_width_within(values: &[f64], share: f64, n_equal: usize) -> Option<f64> {
    half_width(values)?;
    let degrees = n_equal.min(values.len()).checked_sub(1).filter(|degrees| *degrees > 0)?;
    Some(student_quantile(share, degrees) * standard_error(values)?)
}
