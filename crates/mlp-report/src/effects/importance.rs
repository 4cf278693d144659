//! Which settings of configurations drawn at random matter, and which cannot be told from chance.
//!
//! With few points some range of values always looks good. So it is asked how much better a setting describes the scores
//! than settings do that have nothing to do with them: those of the same table with its scores shuffled.
//!
//! *What is fitted.* Scores are replaced by their ranks, so that one dead trial weighs no more than any other; a
//! configuration of which trials diverged ranks below all of which a smaller share did, whatever the others reached. A setting of numbers is described by a parabola in its own
//! ranks, which suits linear and logarithmic draws alike; a setting of names by a mean for each.
//!
//! *What is tested.* The setting that does best against its own distribution under shuffled scores is taken first, if the best
//! of all settings does as well under at most 5 % of the shuffles (Westfall and Young, Resampling-based multiple testing,
//! Wiley 1993: the smallest of the p-values has a distribution, too). What it describes is taken out of the scores and out of
//! the other settings, the residuals are shuffled (Freedman and Lane, Journal of Business & Economic Statistics 1, 1983), and so
//! on until no setting is left that passes. This is forward selection by permutation (Blanchet, Legendre and Borcard, Ecology
//! 89, 2008), as the R package adespatial keeps it in `forward.sel`, with the whole table's error held at 5 %: where nothing
//! matters, 19 of 20 tables name no setting at all, if the luck of one configuration says nothing about that of another.
//!
//! *What seeds say.* That is not so where configurations share a seed. With several seeds a setting with which other random
//! numbers are drawn must also stand out beyond what it does differently from seed to seed ([`Seeds`]); a rate of learning or a
//! penalty works on the same draws, and its values share one luck. With one seed, what is named is told from chance for that
//! seed alone.
//!
//! *What is said.* The share of the variance of the ranks that the setting describes beyond those taken before it, adjusted for
//! what as many random columns would describe (Ezekiel's adjusted R²).

use std::collections::BTreeMap;

use mlp_results::interval::{self, mean};
use mlp_results::{Overview, Status, TrialResult};
use mlp_train::shuffle_for_epoch;

use super::apart;
use super::seeds::{Seeds, SharedSeeds};
use crate::factor::{Factor, Grouping};

/// How often the scores are shuffled: with the table as it is, a thousand arrangements.
pub(crate) const N_SHUFFLES: usize = 999;
/// A setting matters if chance alone does as well in at most this share of the arrangements.
const LEVEL: f64 = 0.05;
/// Of more configurations an even selection by rank is taken.
const N_ROWS: usize = 600;
/// From fewer configurations nothing is said.
pub(super) const N_LEAST: usize = 6;
/// Settings that leave all draws of a seed as they are: weights, order, splits and masks.
const ON_THE_SAME_DRAWS: [&str; 19] = [
    "learning_rate",
    "optimizer",
    "schedule",
    "epochs",
    "loss",
    "reduction",
    "activation",
    "output_activation",
    "l1",
    "l2",
    "label_smoothing",
    "clip_norm",
    "max_norm",
    "average",
    "class_weights",
    "early_stopping",
    "evaluate_train",
    "decoding",
    "batch_norm",
];
/// The shuffles are the same for every report.
const SEED: u64 = 2008;
/// Below this share of its length, what is left of a column is rounding.
const TINY: f64 = 1e-6;

/// What a setting of drawn configurations explains.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Importance {
    /// The share of the variance of the scores' ranks that it describes beyond the settings before it, adjusted for chance:
    /// 0 to 1.
    pub share: f64,
    /// The probability that chance alone, the shuffling of scores or the luck of the seeds, lets the best of all settings do as
    /// well; with one seed, for that seed alone.
    pub p: f64,
    /// Whether it can be told from chance.
    pub matters: bool,
    /// Whether it cannot be told from the settings that matter, with which it always changes.
    pub is_alias: bool,
}

/// A configuration: its key's values by their index, its rank among the scores, and the score of each of its seeds.
pub(super) struct Row {
    values: Vec<usize>,
    rank: f64,
    pub(super) by_seed: BTreeMap<String, f64>,
}

/// What can be told from chance.
pub(super) struct Found {
    /// What each of the factors explains; nothing where there are too few configurations.
    pub(super) importance: Vec<Option<Importance>>,
    /// For each of the factors the others from which it cannot be told, by their place among the factors.
    pub(super) not_apart: Vec<Vec<usize>>,
    /// From how many configurations that is known.
    pub(super) n_compared: usize,
    /// How these share seeds.
    pub(super) seeds: SharedSeeds,
}

impl Found {
    /// Where nothing was asked, or of too few configurations.
    pub(super) fn nothing(n_factors: usize, n_compared: usize) -> Found {
        let (importance, not_apart) = (vec![None; n_factors], vec![Vec::new(); n_factors]);
        Found { importance, not_apart, n_compared, seeds: SharedSeeds::Own }
    }
}

/// What each of `factors` explains.
pub(super) fn importance(
    overview: &Overview<'_>,
    factors: &[Factor],
    score: &dyn Fn(&TrialResult) -> Option<f64>,
) -> Found {
    let rows = rows(overview, score);
    if rows.len() < N_LEAST {
        return Found::nothing(factors.len(), rows.len());
    }
    let columns: Vec<_> = factors.iter().map(|factor| columns(overview, factor, &rows)).collect();
    let ranks: Vec<f64> = rows.iter().map(|row| row.rank).collect();
    let (shared, seeds) = Seeds::new(&rows);
    let is_lucky = |factor: &Factor| {
        factor.keys().into_iter().any(|key| !ON_THE_SAME_DRAWS.contains(&overview.varied[key].key.as_str()))
    };
    let draws_others = factors.iter().map(is_lucky).collect();
    let found = Selection::new(columns.clone(), ranks.clone(), (seeds, draws_others)).run();
    let matters: Vec<bool> = found.iter().map(|importance| importance.matters).collect();
    let not_apart = apart::not_apart(&columns, &ranks, &matters);
    Found { importance: found.into_iter().map(Some).collect(), not_apart, n_compared: rows.len(), seeds: shared }
}

/// The configurations with a score, and those that diverged.
fn rows(overview: &Overview<'_>, trial_score: &dyn Fn(&TrialResult) -> Option<f64>) -> Vec<Row> {
    let worst = if overview.metric.higher_is_better() { f64::NEG_INFINITY } else { f64::INFINITY };
    let score = |cell: &mlp_results::Cell<'_>| {
        mean(&cell.trials.iter().filter_map(|trial| trial_score(trial)).collect::<Vec<_>>())
    };
    let all = overview.cells.iter().flat_map(|cell| &cell.trials);
    let seen = interval::range(all.filter_map(|trial| trial_score(trial)));
    // As bad as the worst that was measured: what it would have reached is not known.
    let worst_seen = seen.map(|(low, high)| if overview.metric.higher_is_better() { low } else { high });
    let by_seed = |cell: &mlp_results::Cell<'_>| {
        let scored = cell.trials.iter().filter_map(|trial| {
            let has_diverged = trial.record.status == Status::Diverged;
            Some((super::seed(trial), trial_score(trial).or(worst_seen.filter(|_| has_diverged))?))
        });
        scored.collect()
    };
    let scored = overview.cells.iter().filter_map(|cell| {
        let score = score(cell).or_else(|| (cell.n_diverged > 0).then_some(worst))?;
        Some((cell, score))
    });
    let mut scored: Vec<_> = scored.collect();
    let better = |a: f64, b: f64| if overview.metric.higher_is_better() { b.total_cmp(&a) } else { a.total_cmp(&b) };
    let place = |a: &(&mlp_results::Cell<'_>, f64), b: &(&mlp_results::Cell<'_>, f64)| {
        share_diverged(a.0).total_cmp(&share_diverged(b.0)).then_with(|| better(a.1, b.1))
    };
    scored.sort_by(|a, b| place(a, b).then_with(|| a.0.indices.cmp(&b.0.indices)));
    let step = scored.len().div_ceil(N_ROWS).max(1);
    let scored: Vec<_> = scored.into_iter().step_by(step).collect();
    // The better ones have the higher numbers, and equal ones the same.
    let mut places = Vec::with_capacity(scored.len());
    for (index, row) in scored.iter().enumerate() {
        let is_equal = index > 0 && place(&scored[index - 1], row).is_eq();
        places.push(if is_equal { places[index - 1] } else { -(index as f64) });
    }
    let ranks = ranks(&places);
    let row = |((cell, _), rank): ((&mlp_results::Cell<'_>, f64), f64)| Row {
        values: cell.indices.clone(),
        rank,
        by_seed: by_seed(cell),
    };
    scored.into_iter().zip(ranks).map(row).collect()
}

fn share_diverged(cell: &mlp_results::Cell<'_>) -> f64 {
    cell.n_diverged as f64 / cell.trials.len().max(1) as f64
}

/// The places of the values in their order, from 0; equal values share the mean of theirs.
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0.0; values.len()];
    for tied in order.chunk_by(|&a, &b| values[a] == values[b]) {
        let first = order.partition_point(|&index| values[index] < values[tied[0]]) as f64;
        tied.iter().for_each(|&index| ranks[index] = first + (tied.len() - 1) as f64 / 2.0);
    }
    ranks
}

/// The columns that describe a setting: its rank and the square of it, or one for each name.
fn columns(overview: &Overview<'_>, factor: &Factor, rows: &[Row]) -> Vec<Vec<f64>> {
    let value = |row: &Row| row.values[factor.key];
    let own = overview.varied[factor.key].numbers.as_ref().filter(|_| factor.grouping == Grouping::Ranges);
    let number = |row: &Row| match (own, &factor.numbers) {
        (Some(own), _) => Some(own[value(row)]),
        (None, Some(numbers)) => Some(numbers[factor.level_of[value(row)]]),
        (None, None) => None,
    };
    match rows.iter().map(number).collect::<Option<Vec<f64>>>() {
        Some(numbers) => {
            let ranks = ranks(&numbers);
            let middle = (ranks.len() - 1) as f64 / 2.0;
            let linear: Vec<f64> = ranks.iter().map(|rank| rank - middle).collect();
            let squared = linear.iter().map(|rank| rank * rank).collect();
            vec![linear, squared]
        }
        None => (1..factor.names.len())
            .map(|level| rows.iter().map(|row| f64::from(u8::from(factor.level_of[value(row)] == level))).collect())
            .collect(),
    }
}

/// The state of a forward selection.
struct Selection {
    /// The columns of each setting as they are.
    whole: Vec<Vec<Vec<f64>>>,
    /// Those of the settings that were taken.
    taken_whole: Vec<Vec<f64>>,
    /// What the seeds say by themselves, where there are several.
    seeds: Option<Seeds>,
    /// Of each setting whether other random numbers are drawn with it.
    draws_others: Vec<bool>,
    /// What is left of each setting's columns beside those that were taken: orthonormal, with sums of zero.
    columns: Vec<Vec<Vec<f64>>>,
    /// The columns that were taken.
    taken: Vec<Vec<f64>>,
    /// What is left of the ranks of the scores.
    left: Vec<f64>,
    total: f64,
}

impl Selection {
    fn new(whole: Vec<Vec<Vec<f64>>>, ranks: Vec<f64>, (seeds, draws_others): (Option<Seeds>, Vec<bool>)) -> Selection {
        let n_rows = ranks.len();
        let constant = vec![1.0 / (n_rows as f64).sqrt(); n_rows];
        let columns = whole.iter().map(|key| orthonormal(key, std::slice::from_ref(&constant))).collect();
        let left = without(&ranks, &[constant]);
        let total = product(&left, &left);
        Selection { whole, taken_whole: Vec::new(), seeds, draws_others, columns, taken: Vec::new(), left, total }
    }

    fn run(mut self) -> Vec<Importance> {
        let mut found: Vec<Option<Importance>> = vec![None; self.columns.len()];
        let mut least_p = 0.0f64;
        loop {
            let open: Vec<usize> = (0..found.len()).filter(|&key| found[key].is_none()).collect();
            let p_values = self.p_values(&open);
            let best = open.iter().zip(&p_values).min_by(|a, b| {
                let by_p = a.1.of_all.total_cmp(&b.1.of_all).then_with(|| a.1.own.total_cmp(&b.1.own));
                by_p.then_with(|| self.share(*b.0).total_cmp(&self.share(*a.0)))
            });
            let Some((&best, p)) = best else { break };
            // A setting that comes later is no surer than those before it.
            least_p = least_p.max(p.of_all);
            if p.of_all > LEVEL {
                for (&key, p) in open.iter().zip(&p_values) {
                    let p = p.of_all.max(least_p);
                    let is_alias = self.columns[key].is_empty() && !self.taken.is_empty();
                    found[key] = Some(Importance { share: self.share(key), p, matters: false, is_alias });
                }
                break;
            }
            found[best] = Some(Importance { share: self.share(best), p: least_p, matters: true, is_alias: false });
            self.take(best);
        }
        let nothing = Importance { share: 0.0, p: 1.0, matters: false, is_alias: false };
        found.into_iter().map(|found| found.unwrap_or(nothing)).collect()
    }

    /// The sum of squares that a setting describes of `scores`.
    fn described(&self, key: usize, scores: &[f64]) -> f64 {
        self.columns[key].iter().map(|column| product(column, scores).powi(2)).sum()
    }

    /// The adjusted share of the variance that a setting describes beyond those that were taken.
    fn share(&self, key: usize) -> f64 {
        let left = product(&self.left, &self.left);
        let (n_rows, n_taken, n_more) =
            (self.left.len() as f64, self.taken.len() as f64, self.columns[key].len() as f64);
        let n_free = n_rows - 1.0 - n_taken - n_more;
        if self.total <= 0.0 || n_free <= 0.0 {
            return 0.0;
        }
        let unexplained = |squares: f64, n_free: f64| squares / self.total * (n_rows - 1.0) / n_free;
        let (before, after) =
            (unexplained(left, n_free + n_more), unexplained(left - self.described(key, &self.left), n_free));
        (before - after).clamp(0.0, 1.0)
    }

    /// How likely chance does as well as each of the `open` settings.
    fn p_values(&self, open: &[usize]) -> Vec<PValue> {
        let n_rows = self.left.len();
        let squares = product(&self.left, &self.left);
        // The first arrangement is the table as it is.
        let mut shares: Vec<Vec<f64>> =
            open.iter().map(|&key| vec![self.described(key, &self.left) / squares]).collect();
        for shuffle in 1..=N_SHUFFLES {
            let mut order: Vec<usize> = (0..n_rows).collect();
            shuffle_for_epoch(&mut order, SEED, shuffle);
            let shuffled: Vec<f64> = order.iter().map(|&index| self.left[index]).collect();
            let known: f64 = self.taken.iter().map(|column| product(column, &shuffled).powi(2)).sum();
            for (shares, &key) in shares.iter_mut().zip(open) {
                shares.push(self.described(key, &shuffled) / (squares - known));
            }
        }
        let own: Vec<Vec<f64>> = shares.iter().map(|shares| exceeded(shares)).collect();
        let least: Vec<f64> =
            (0..=N_SHUFFLES).map(|shuffle| own.iter().map(|own| own[shuffle]).fold(1.0, f64::min)).collect();
        let of_all = |p: f64| least.iter().filter(|&&least| least <= p + TINY).count() as f64 / least.len() as f64;
        let is_open = |key: usize| !self.columns[key].is_empty() && squares > TINY * self.total.max(1.0);
        // Of several settings one is always the luckiest (Bonferroni's bound, as Holm takes it step by step).
        let n_lucky = open.iter().filter(|&&key| self.draws_others[key]).count();
        let of_luck = |key: usize| {
            let seeds = self.seeds.as_ref().filter(|_| self.draws_others[key]);
            let p = seeds.map_or(0.0, |seeds| seeds.p_value(&self.whole[key], &self.taken_whole));
            (p * n_lucky as f64).min(1.0)
        };
        let p_value = |(own, &key): (&Vec<f64>, &usize)| match own[0] {
            p if is_open(key) => PValue { own: p, of_all: of_all(p).max(of_luck(key)) },
            _ => PValue { own: 1.0, of_all: 1.0 },
        };
        own.iter().zip(open).map(p_value).collect()
    }

    fn take(&mut self, key: usize) {
        let columns = std::mem::take(&mut self.columns[key]);
        self.left = without(&self.left, &columns);
        self.taken_whole.extend(std::mem::take(&mut self.whole[key]));
        self.taken.extend(columns);
        for columns in &mut self.columns {
            *columns = orthonormal(columns, &self.taken);
        }
    }
}

/// How likely chance does as well as a setting: as this very one in shuffled tables, and as the best of all, in shuffled tables
/// or by the luck of the seeds.
struct PValue {
    own: f64,
    of_all: f64,
}

/// For each share how many of all shares, itself among them, are as large, as a fraction.
fn exceeded(shares: &[f64]) -> Vec<f64> {
    let mut sorted = shares.to_vec();
    sorted.sort_by(f64::total_cmp);
    let n_below = |share: f64| sorted.partition_point(|&other| other < share - TINY);
    shares.iter().map(|&share| (sorted.len() - n_below(share)) as f64 / sorted.len() as f64).collect()
}

/// An orthonormal basis of what the columns span beside `others`, which are orthonormal.
pub(super) fn orthonormal(columns: &[Vec<f64>], others: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let mut basis: Vec<Vec<f64>> = Vec::new();
    for column in columns {
        let length = product(column, column).sqrt();
        // Twice is enough, once is not (Giraud, Langou and Rozložník 2005).
        let rest = without(&without(&without(&without(column, others), &basis), others), &basis);
        let norm = product(&rest, &rest).sqrt();
        if norm > TINY * length {
            basis.push(rest.iter().map(|value| value / norm).collect());
        }
    }
    basis
}

/// `vector` without its parts along the `directions`, which are orthonormal.
fn without(vector: &[f64], directions: &[Vec<f64>]) -> Vec<f64> {
    let mut rest = vector.to_vec();
    for direction in directions {
        let share = product(&rest, direction);
        rest.iter_mut().zip(direction).for_each(|(value, part)| *value -= share * part);
    }
    rest
}

pub(super) fn product(a: &[f64], b: &[f64]) -> f64 {
    let mut sum = 0.0;
    for (a, b) in a.iter().zip(b) {
        sum += a * b;
    }
    sum
}
