//! What each setting does to the score, the others being equal.
//!
//! In a complete grid the answer is a mean: that of all configurations with the value, each configuration counting
//! once. Elsewhere the plain mean misleads: if a value was tried only together with good values of other keys, it
//! looks good. What is done then depends on how the configurations came about.
//!
//! *An incomplete grid.* Where each value of a key met each value of every other one, the scores of the configurations are
//! described by a sum of one effect per key, y = μ + Σ_k α_k(value), fitted by least squares. A value's *adjusted mean* is what
//! the sum gives for it, averaged over the values of all other keys with equal weights: the mean that the complete grid would
//! have if effects only added up. (Searle, Speed and Milliken, Population marginal means in the linear model, The American
//! Statistician 34, 1980.) Where some values never met, as large rates were run with one optimiser and small ones with another,
//! that would be a guess at what nobody ran, and can lie far from anything that was seen. There the mean is taken over those
//! combinations of the other keys in which *all* values of the key were run; where there are none, nothing is estimated. Keys
//! that always change together cannot be told apart, whatever the formula: they are one factor.
//!
//! *Configurations drawn at random.* The other keys vary independently of the value, so the plain mean is right. Numbers
//! are taken together in ranges that hold equally many configurations ([`crate::factor`]). But of several ranges with few
//! configurations each, one is always the best: which settings matter at all is asked first, by shuffling the scores
//! ([`Importance`]), and what can't be told from chance is not ranked. The same is asked where less than
//! half of a grid was run with one seed, which is what names drawn at random leave: no interval says how much is luck.
//!
//! # Intervals
//!
//! In a grid they say how far a mean would move with other seeds. Each seed is left out in turn, and the scatter of the
//! pseudo-values B·θ − (B − 1)·θ₋ₛ over the B seeds gives a t-interval with B − 1 degrees of freedom (the jackknife: Tukey
//! 1958). Where every configuration has every seed, a pseudo-value is simply the mean over that seed's trials, so that
//! what a seed does to all configurations alike is counted, not averaged away. Where some have fewer seeds than others, the
//! degrees of freedom are those of as many seeds as count alike: 1 / Σ w² of the shares w that single seeds have in the mean
//! (Kish, Survey Sampling, Wiley 1965). A mean that rests on a configuration with one seed has no interval. Of configurations
//! drawn at random, it is the t-interval over the configurations of a range, and says how far the mean
//! would move with other draws.
//!
//! The difference between the best and the worst value of a key in a grid has its own interval, by the same jackknife: both
//! share their seeds, so it is not what two intervals side by side suggest. As the two were chosen among all L(L − 1)/2 pairs of
//! the L values for lying farthest apart, each pair may err in 5 % divided by their number (Bonferroni; Dunn, Journal of the
//! American Statistical Association 56, 1961).

mod apart;
mod ends;
mod fit;
mod grid;
mod importance;
mod seeds;
mod together;

use std::collections::BTreeSet;

use mlp_results::interval::{interval, mean, range};
use mlp_results::{FOLDER_KEY, Overview, TrialResult, VariedKey};

use crate::factor::{Factor, Grouping, factors};
use ends::Ends;
use fit::Unit;
use grid::Grid;
use importance::Found;

pub use importance::Importance;
pub(crate) use importance::N_SHUFFLES;
pub use seeds::SharedSeeds;

/// With more seeds than these, the jackknife leaves out groups of them.
pub(crate) const N_BLOCKS: usize = 50;
/// The same where the least-squares system is large.
const N_BLOCKS_LARGE: usize = 10;
const N_UNKNOWNS_LARGE: usize = 100;

/// How the configurations cover the grid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Design {
    /// Every combination of the values that have any score has one.
    #[default]
    Complete,
    /// Some combinations lack one.
    Incomplete,
    /// Values were drawn, not listed.
    Drawn,
}

/// What each setting does.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Effects {
    /// How the configurations cover the grid.
    pub design: Design,
    /// The epoch at which the trials are compared; nothing where each is taken at its end.
    ///
    /// Where trials were stopped early, those that finished were chosen by their score, and means over them alone would
    /// flatter. So all are compared after the last epoch that every one of them reached.
    pub at_epoch: Option<usize>,
    /// One for each key that can be analysed: of a grid, the largest difference first; of drawn configurations, those that
    /// matter in the order of what they explain, then the others.
    pub keys: Vec<KeyEffect>,
    /// From how many configurations it is known which keys matter: those with a score, and those that diverged.
    pub n_compared: usize,
    /// How these share seeds; of no meaning where it is not known which keys matter.
    pub shared_seeds: SharedSeeds,
    /// The keys (by their index in the overview) with too many values to be analysed.
    pub left_out: Vec<usize>,
    /// Whether the folder was left out, as it follows from the other settings.
    pub is_folder_left_out: bool,
    /// The number of distinct seeds among the scored trials.
    pub n_seeds: usize,
    /// Whether every configuration has each of them.
    pub is_balanced: bool,
    /// The combinations with a score, and how many there could be of the levels that have any.
    pub n_combinations: (usize, usize),
    /// The share of the variance between configurations that a sum of one effect per key describes, where there are at
    /// least twice as many configurations as unknowns; the rest is interplay of keys, and luck.
    pub explained: Option<f64>,
}

/// What one key does.
#[derive(Clone, Debug, PartialEq)]
pub struct KeyEffect {
    /// Its levels.
    pub factor: Factor,
    /// One for each level.
    pub levels: Vec<LevelEffect>,
    /// The best and the worst level, each with its estimate; nothing of fewer than two.
    ///
    /// The best has the best estimate. Trials that diverged or failed are in no mean: the worst is the level that would be, if they
    /// counted like the worst score of all, or like the best constant answer where that is worse.
    pub best_and_worst: Option<[(usize, f64); 2]>,
    /// Whether another level would be the best if they counted so: then none is.
    pub hinges_on_losses: bool,
    /// Where means are taken over the combinations of the other settings in which all values were run: over how many, of how
    /// many there are of values that have a result; nothing where these are all.
    pub matched: Option<(usize, usize)>,
    /// How much better the best estimate is than any other.
    pub span: f64,
    /// Half the width of the 95 % interval around [`KeyEffect::span`] in a grid with several seeds; nothing where either of the two
    /// estimates has none. It is wider than Student's for two levels named beforehand (Bonferroni, see the module).
    pub span_half_width: Option<f64>,
    /// The same as of two levels named beforehand.
    pub pair_half_width: Option<f64>,
    /// The number of seeds that the best and that the worst estimate rest on, where that has an interval.
    pub span_seeds: Option<(usize, usize)>,
    /// Whether the configurations determine the effect of this key apart from that of the others.
    pub is_separable: bool,
    /// What it explains, of drawn configurations or of less than half a grid with one seed, and whether that can be told from
    /// chance.
    pub importance: Option<Importance>,
    /// The keys (by their index in the overview) apart from which this one hardly varies, so that nothing tells whether it or
    /// they made the scores; known where [`KeyEffect::importance`] is.
    pub not_apart_from: Vec<usize>,
    /// Whether there are too few configurations to say what the key does: drawn ones, or such that have each of its values
    /// once and differ in other keys as well.
    pub has_too_few: bool,
}

/// What one value, or one range of values, reaches.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LevelEffect {
    /// Configurations with a score.
    pub n_configurations: usize,
    /// Configurations that were run and have none: their trials diverged, failed or were ended early.
    pub n_without: usize,
    /// Trials with a score.
    pub n_scored: usize,
    /// Trials altogether.
    pub n_trials: usize,
    /// Trials with a score that trained ([`Overview::is_trained`]).
    pub n_trained: usize,
    /// Trials that diverged or failed.
    pub n_lost: usize,
    /// The mean over the configurations, each counting once.
    pub plain: Option<f64>,
    /// The mean with the other keys being equal; nothing where it is not known, and of drawn configurations.
    pub adjusted: Option<f64>,
    /// Half the width of the 95 % interval around [`LevelEffect::estimate`]; nothing where that rests on a configuration in two
    /// groups.
    pub half_width: Option<f64>,
    /// Whether the configurations do not determine the mean apart from other keys: then there is no estimate.
    pub is_undetermined: bool,
    /// Whether the estimate rests on a configuration with one seed, while others have several: then it has no interval.
    pub has_single_seed: bool,
    /// Whether runs of one of its configurations fall into two groups ([`Overview::are_bimodal`]), or where configurations were
    /// drawn, the means of these.
    pub is_bimodal: bool,
}

impl Effects {
    /// Whether a key that varies is left out, as it is the folder and follows from the other settings.
    pub(crate) fn leaves_out(&self, key: &VariedKey) -> bool {
        self.is_folder_left_out && key.key == FOLDER_KEY
    }
}

impl LevelEffect {
    /// The share of its trials that diverged or failed.
    pub fn share_lost(&self) -> f64 {
        self.n_lost as f64 / self.n_trials.max(1) as f64
    }

    /// The adjusted mean; of drawn configurations the plain one.
    pub fn estimate(&self) -> Option<f64> {
        self.adjusted.or(self.plain.filter(|_| !self.is_undetermined))
    }
}

impl KeyEffect {
    /// Whether the key is known to matter, it and no other, or nothing is known of that.
    pub fn may_matter(&self) -> bool {
        let is_itself = self.not_apart_from.is_empty();
        !self.has_too_few && self.importance.is_none_or(|importance| importance.matters && is_itself)
    }

    /// Whether other seeds might well turn the best and the worst value round; false where nothing is known about that, as
    /// [`KeyEffect::span_half_width`] tells: with one seed, and of drawn configurations.
    pub fn may_be_luck(&self) -> bool {
        self.span_half_width.is_some_and(|half_width| half_width >= self.span)
    }

    /// Whether only the number of the other values keeps the seeds from telling the best and the worst apart: named beforehand,
    /// these two would be.
    pub fn has_too_many_values(&self) -> bool {
        self.may_be_luck() && self.pair_half_width.is_some_and(|half_width| half_width < self.span)
    }
}

/// What each varied key does to the score.
pub fn effects(overview: &Overview<'_>) -> Effects {
    let (used, left_out): (Vec<Factor>, Vec<Factor>) =
        factors(overview).into_iter().partition(|factor| factor.grouping != Grouping::LeftOut);
    let is_drawn = used.iter().any(|factor| factor.grouping != Grouping::Values) || !left_out.is_empty();
    let (used, is_folder_left_out) = if is_drawn { (used, false) } else { together::merged(overview, used) };
    let at_epoch = common_epoch(overview);
    let seeds: BTreeSet<String> =
        trials(overview).filter(|t| score_at(overview, t, at_epoch).is_some()).map(seed).collect();
    let sizes: Vec<usize> = used.iter().map(|factor| factor.names.len()).collect();
    let n_unknowns = 1 + sizes.iter().sum::<usize>();
    let n_blocks = seeds.len().min(if n_unknowns > N_UNKNOWNS_LARGE { N_BLOCKS_LARGE } else { N_BLOCKS });
    let units = units(overview, &used, at_epoch, &|trial| seeds.range(..seed(trial)).count() % n_blocks.max(1));
    let n_possible = n_possible(&units, 0..used.len());
    let n_found = units.iter().map(|unit| &unit.levels).collect::<BTreeSet<_>>().len();
    let design = match () {
        () if is_drawn => Design::Drawn,
        () if n_found == n_possible => Design::Complete,
        () => Design::Incomplete,
    };
    let mut levels = counts(overview, &used, &units, at_epoch);
    // Names drawn at random leave the lesser part of a grid, and one seed no interval that would say what is luck.
    let is_sparse = design == Design::Incomplete && 2 * n_found < n_possible && seeds.len() < 2;
    let higher_is_better = overview.metric.higher_is_better();
    let (mut matched, mut spans, mut span_seeds) =
        (vec![None; used.len()], vec![None; used.len()], vec![None; used.len()]);
    let constant = overview.best_constant().map(|(_, value)| value);
    let all_scores = trials(overview).filter_map(|trial| score_at(overview, trial, at_epoch)).chain(constant);
    let all_scores = range(all_scores);
    let worst_score = all_scores.map_or(0.0, |(low, high)| if higher_is_better { low } else { high });
    let ends_of = |levels: &[LevelEffect]| Ends::new(levels, higher_is_better, worst_score);
    let mut ends: Vec<Option<Ends>> = Vec::new();
    let mut explained = None;
    if design == Design::Drawn {
        over_draws(overview, &units, &mut levels);
        ends.extend(levels.iter().map(|levels| ends_of(levels)));
    } else {
        let grid = Grid::new(&units, &sizes, n_blocks, is_sparse);
        explained = grid.explained();
        for (key, levels) in levels.iter_mut().enumerate() {
            let (combinations, spreads) = grid.estimate(key, levels);
            matched[key] = combinations;
            let n_levels = levels.iter().filter(|level| level.estimate().is_some()).count();
            ends.push(ends_of(levels));
            span_seeds[key] =
                ends[key].as_ref().and_then(|ends| spreads.n_seeds(ends.best.0).zip(spreads.n_seeds(ends.lowest.0)));
            spans[key] = ends[key].as_ref().and_then(|ends| {
                let half_width = |n_levels| spreads.of_difference(ends.best.0, ends.lowest.0, n_levels);
                half_width(n_levels).zip(half_width(2))
            });
        }
    }
    withhold_intervals(design, &mut levels, &ends, &mut spans);
    let found = if design == Design::Drawn || is_sparse {
        importance::importance(overview, &used, &|trial| score_at(overview, trial, at_epoch))
    } else {
        Found::nothing(used.len(), 0)
    };
    let (n_compared, shared_seeds) = (found.n_compared, found.seeds);
    let keys: Vec<usize> = used.iter().map(|factor| factor.key).collect();
    let mut keys: Vec<KeyEffect> = used
        .into_iter()
        .enumerate()
        .zip(levels)
        .zip(found.importance)
        .zip(found.not_apart)
        .map(|((((place, factor), levels), importance), others)| {
            let not_apart_from = others.into_iter().map(|other| keys[other]).collect();
            let is_separable = levels.iter().all(|level| !level.is_undetermined);
            let is_single = !is_separable && levels.iter().all(|level| level.n_configurations <= 1);
            let has_too_few = importance.is_none() && (design == Design::Drawn || is_single);
            KeyEffect {
                factor,
                levels,
                best_and_worst: ends[place].as_ref().map(|ends| [ends.best, ends.worst]),
                hinges_on_losses: ends[place].as_ref().is_some_and(|ends| ends.hinges_on_losses),
                matched: matched[place],
                span: ends[place].as_ref().map_or(0.0, Ends::span),
                span_half_width: spans[place].map(|(of_extremes, _)| of_extremes),
                pair_half_width: spans[place].map(|(_, of_pair)| of_pair),
                span_seeds: span_seeds[place].filter(|_| spans[place].is_some()),
                is_separable,
                importance,
                not_apart_from,
                has_too_few,
            }
        })
        .collect();
    sort(&mut keys);
    Effects {
        design,
        at_epoch,
        keys,
        n_compared,
        shared_seeds,
        left_out: left_out.iter().map(|factor| factor.key).collect(),
        is_folder_left_out,
        n_seeds: seeds.len(),
        is_balanced: units.iter().all(|unit| unit.runs.len() == seeds.len()),
        n_combinations: (n_found, n_possible),
        explained,
    }
}

/// The strongest first: what matters before what can't be told from chance, by what it explains, or by its span.
fn sort(keys: &mut [KeyEffect]) {
    let strength = |key: &KeyEffect| match key.importance {
        Some(importance) => (importance.matters, importance.share, -importance.p),
        None if key.has_too_few => (false, 0.0, 0.0),
        None => (false, key.span, 0.0),
    };
    keys.sort_by(|a, b| {
        let (one, other) = (strength(a), strength(b));
        let order = other.0.cmp(&one.0).then(other.1.total_cmp(&one.1)).then(other.2.total_cmp(&one.2));
        order.then_with(|| a.factor.key.cmp(&b.factor.key))
    });
}

/// How many combinations there are of those levels of some keys that have any score.
fn n_possible(units: &[Unit], keys: impl Iterator<Item = usize>) -> usize {
    let n_levels = |key: usize| units.iter().map(|unit| unit.levels[key]).collect::<BTreeSet<_>>().len();
    keys.map(n_levels).fold(1, usize::saturating_mul)
}

fn trials<'o>(overview: &'o Overview<'_>) -> impl Iterator<Item = &'o TrialResult> {
    overview.cells.iter().flat_map(|cell| cell.trials.iter().copied())
}

fn seed(trial: &TrialResult) -> String {
    trial.record.config.get("seed").map_or_else(String::new, ToString::to_string)
}

/// The last epoch that every trial reached which finished or was stopped, if any was stopped after its first epoch.
fn common_epoch(overview: &Overview<'_>) -> Option<usize> {
    let last = |trial: &TrialResult| trial.record.epochs.last().map_or(0, |epoch| epoch.epoch);
    let stopped = trials(overview).filter(|trial| trial.was_stopped() && last(trial) > 0).map(last).min()?;
    let finished = trials(overview).filter(|trial| overview.score(trial).is_some()).map(last).min();
    Some(finished.map_or(stopped, |finished| finished.min(stopped)))
}

/// The score that is compared: the final one, or that of an epoch, of the trials that finished or were stopped.
pub(crate) fn score_at(overview: &Overview<'_>, trial: &TrialResult, at_epoch: Option<usize>) -> Option<f64> {
    let Some(at_epoch) = at_epoch else { return overview.score(trial) };
    if overview.score(trial).is_none() && !trial.was_stopped() {
        return None;
    }
    let epoch = trial.record.epochs.iter().find(|epoch| epoch.epoch == at_epoch)?;
    let metrics = mlp_results::score::metrics_of(epoch, overview.compared)?;
    overview.metric.value(metrics)
}

/// The configurations with a score.
fn units(
    overview: &Overview<'_>,
    used: &[Factor],
    at_epoch: Option<usize>,
    block: &dyn Fn(&TrialResult) -> usize,
) -> Vec<Unit> {
    let unit = |cell: &mlp_results::Cell<'_>| {
        let scored = cell.trials.iter().filter_map(|&trial| Some((block(trial), score_at(overview, trial, at_epoch)?)));
        Unit { levels: levels_of(used, &cell.indices), runs: scored.collect() }
    };
    overview.cells.iter().map(unit).filter(|unit| !unit.runs.is_empty()).collect()
}

fn levels_of(used: &[Factor], indices: &[usize]) -> Vec<usize> {
    used.iter().map(|factor| factor.level(indices)).collect()
}

/// For each key and level what can be counted, and the plain mean.
fn counts(overview: &Overview<'_>, used: &[Factor], units: &[Unit], at_epoch: Option<usize>) -> Vec<Vec<LevelEffect>> {
    let mut levels: Vec<Vec<LevelEffect>> =
        used.iter().map(|factor| vec![LevelEffect::default(); factor.names.len()]).collect();
    for cell in &overview.cells {
        let scores: Vec<f64> = cell.trials.iter().filter_map(|trial| score_at(overview, trial, at_epoch)).collect();
        for (key, level) in levels_of(used, &cell.indices).into_iter().enumerate() {
            let level = &mut levels[key][level];
            level.n_trials += cell.trials.len();
            level.n_scored += scores.len();
            level.n_configurations += usize::from(!scores.is_empty());
            level.n_without += usize::from(scores.is_empty());
            level.n_trained += overview.n_trained(&scores);
            level.n_lost += cell.n_diverged + cell.n_failed;
            level.is_bimodal |= overview.are_bimodal(&scores);
        }
    }
    for (key, levels) in levels.iter_mut().enumerate() {
        for (level, effect) in levels.iter_mut().enumerate() {
            effect.plain = mean(&unit_means(units, key, level));
        }
    }
    levels
}

fn unit_means(units: &[Unit], key: usize, level: usize) -> Vec<f64> {
    let scores = |unit: &Unit| mean(&unit.runs.iter().map(|&(_, score)| score).collect::<Vec<_>>());
    units.iter().filter(|unit| unit.levels[key] == level).filter_map(scores).collect()
}

/// Intervals over drawn configurations.
fn over_draws(overview: &Overview<'_>, units: &[Unit], levels: &mut [Vec<LevelEffect>]) {
    for (key, levels) in levels.iter_mut().enumerate() {
        for (level, effect) in levels.iter_mut().enumerate() {
            let means = unit_means(units, key, level);
            effect.half_width = interval(&means).map(|interval| interval.half_width);
            effect.is_bimodal |= overview.are_bimodal(&means);
        }
    }
}

/// No interval describes what rests on runs in two groups: a mean over configurations that has such a one among them, and any
/// mean that is adjusted by a sum fitted to all. Nor is there one of a difference between means of which one has none.
fn withhold_intervals(
    design: Design,
    levels: &mut [Vec<LevelEffect>],
    ends: &[Option<Ends>],
    spans: &mut [Option<(f64, f64)>],
) {
    let is_any = levels.iter().flatten().any(|level| level.is_bimodal);
    for level in levels.iter_mut().flatten() {
        if level.is_bimodal || is_any && design == Design::Incomplete {
            level.half_width = None;
        }
    }
    for ((levels, ends), span) in levels.iter().zip(ends).zip(spans) {
        let is_torn = |ends: &Ends| levels[ends.best.0].is_bimodal || levels[ends.lowest.0].is_bimodal;
        let is_torn = ends.as_ref().is_some_and(is_torn);
        if is_torn || is_any && design == Design::Incomplete {
            *span = None;
        }
    }
}
