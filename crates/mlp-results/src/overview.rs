//! What a list of trials is about: which settings vary, which trials differ only in their seed, which did best.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use mlp_train::{Decoding, EpochMetrics, EpochRecord};
use serde_json::Value;

use crate::best::best_by;
use crate::cell::{Cell, cells_of};
use crate::ending::TrialResult;
use crate::interval;
use crate::kind::{TestSet, kind_of, test_sets, unlike_keys};
use crate::levels::constant_answers;
use crate::metric::Metric;
use crate::record::RunRecord;
use crate::score::{self, Compared, RankBy, Ranking, metrics_of, score, shown};
use crate::text;
use crate::varied::{FOLDER_KEY, VariedKey, config_value, varied_keys};

/// How much of the way from the best constant answer to perfection the best trial must have gone before a report speaks
/// of networks that trained.
const SHARE_TRAINED: f64 = 0.5;
/// A network whose score lies within this share of the way from the best constant answer to the best trial has not trained.
const SHARE_UNTRAINED: f64 = 0.1;
/// Nor has one whose accuracy lies within so many standard errors of what the constant answer reaches on so many samples: a
/// network that guesses would come as far.
const N_ERRORS_UNTRAINED: f64 = 3.0;
/// How wide a gap makes scores bimodal, as a share of the way from the best constant answer to the best trial.
const SHARE_GAP: f64 = 0.25;
/// How many times as wide as any other gap between two neighbouring scores it must be.
const TIMES_OTHER_GAPS: f64 = 2.0;

/// A name of a configuration has room for so many of the longest values.
const N_VALUES_IN_FULL: usize = 10;

/// A list of trials, sorted out.
#[derive(Clone, Debug, PartialEq)]
pub struct Overview<'a> {
    /// What trials are compared by: the most telling metric that was measured.
    pub metric: Metric,
    /// On which samples it is shown: those of the test set, where there is one.
    pub compared: Compared,
    /// On which samples it ranks trials and chooses the best: those of the validation set, where there is one.
    pub ranked_on: Compared,
    /// What varies besides the seed.
    pub varied: Vec<VariedKey>,
    /// The configurations, the best mean of what they are ranked by first; behind all that lost fewer seeds those of which some
    /// diverged or failed ([`Cell::n_lost`]), whose means are over the luckier seeds alone; behind them those of which some seeds
    /// were stopped ([`Cell::is_partly_stopped`]), and those without a score last. Where trials are not comparable
    /// ([`Overview::is_comparable`]), those of one kind stand together, and only their order among themselves means anything.
    pub cells: Vec<Cell<'a>>,
    /// The trial with the best single score on the samples that rank, the first of equals: the one that a report calls the best and shows in full.
    /// It need not belong to the configuration with the best mean. None is the best where they are not comparable.
    pub best: Option<&'a TrialResult>,
    /// The score from which on networks count as trained, in units of the metric: it is near to what the best constant answer
    /// reaches, further by a tenth of the way to the best trial, or by three standard errors of an accuracy, where these are
    /// more. A network that merely learns slowly has trained. Nothing where there are no constant answers to compare with, or
    /// where no trial left them clearly behind.
    pub trained_from: Option<f64>,
    /// The keys in which these trials differ and which make the values of the metric numbers of different kinds, such as the
    /// losses of different formulas: they cannot be compared across them. As a rule none.
    pub unlike: Vec<&'static str>,
    /// The sets of samples that trials were tested on ([`test_sets`]). Where there are several, nothing is compared across them.
    pub test_sets: Vec<TestSet>,
}

impl<'a> Overview<'a> {
    /// Sorts out `trials`.
    pub fn new(trials: &'a [TrialResult]) -> Overview<'a> {
        Overview::ranked(trials, RankBy::default())
    }

    /// Sorts out `trials`, ranked by what is asked for.
    pub fn ranked(trials: &'a [TrialResult], by: RankBy) -> Overview<'a> {
        let records = trials.iter().map(|trial| &trial.record);
        let Ranking { metric, set: compared } = shown(records.clone(), by.metric);
        let ranking = Ranking::of(records.clone(), by);
        let test_sets = test_sets(records.clone());
        let mut varied = varied_keys(trials);
        let mut cells = cells_of(trials, &varied);
        // What was run in several folders with other seeds is one configuration, and the folder no setting. Results on
        // different samples, and of the same trials by other instructions, stay apart.
        if test_sets.len() < 2 && varied.first().is_some_and(|key| key.key == FOLDER_KEY) {
            let joint = cells_of(trials, &varied[1..]);
            if joint.len() < cells.len() && joint.iter().all(Cell::is_of_distinct_trials) {
                (cells, _) = (joint, varied.remove(0));
            }
        }
        for cell in &mut cells {
            cell.trials.sort_by(|a, b| by_seed(&a.record, &b.record));
            cell.scores = cell.trials.iter().filter_map(|trial| score(&trial.record, metric, compared)).collect();
            cell.ranking_scores = cell.trials.iter().filter_map(|trial| ranking.score(&trial.record)).collect();
            let count = |word: &str| cell.trials.iter().filter(|trial| trial.ending() == word).count();
            (cell.n_diverged, cell.n_failed) = (count("diverged"), count("failed"));
            cell.n_stopped = cell.trials.iter().filter(|trial| trial.was_stopped()).count();
        }
        let by_rank = |a: &Cell<'_>, b: &Cell<'_>| ranking.order(a.ranking_mean(), b.ranking_mean());
        // Those that have nothing to be ranked by stand behind, by what they reached; of equals it has no say.
        let unranked = |cell: &Cell<'_>| cell.mean().filter(|_| cell.ranking_mean().is_none());
        let by_score = |a: &Cell<'_>, b: &Cell<'_>| ranking.order(unranked(a), unranked(b));
        let unlike = unlike_keys(records.clone(), metric);
        let place = |cell: &Cell<'_>| {
            let is_unranked = cell.ranking_mean().is_none();
            let n_lost = if is_unranked { 0 } else { cell.n_lost() };
            let kind = cell.trials.first().map(|trial| kind_of(&trial.record, &unlike, &test_sets));
            (kind, is_unranked, cell.is_partly_stopped(), n_lost)
        };
        let by_rank = |a: &Cell<'_>, b: &Cell<'_>| place(a).cmp(&place(b)).then_with(|| by_rank(a, b));
        let loss = |cell: &Cell<'_>| {
            let losses = cell.trials.iter().filter_map(|trial| ranking.loss(&trial.record));
            interval::mean(&losses.collect::<Vec<f64>>())
        };
        let by_loss = |a: &Cell<'_>, b: &Cell<'_>| score::by_score(Metric::Loss, loss(a), loss(b));
        // Of those that were ended early, what came further was ahead, and of these what had reached more.
        let by_progress = |a: &Cell<'_>, b: &Cell<'_>| {
            let (a, b) = (progress(a, ranking), progress(b, ranking));
            b.0.cmp(&a.0).then_with(|| ranking.order(a.1, b.1))
        };
        cells.sort_by(|a, b| {
            let by_rank = by_rank(a, b).then_with(|| by_score(a, b)).then_with(|| by_progress(a, b));
            by_rank.then_with(|| by_loss(a, b)).then_with(|| a.indices.cmp(&b.indices))
        });
        let ranked_on = ranking.set;
        let mut overview =
            Overview { metric, compared, ranked_on, varied, cells, best: None, trained_from: None, unlike, test_sets };
        let best = best_by(records, by).filter(|_| overview.is_comparable());
        overview.best = best.and_then(|best| trials.iter().find(|trial| std::ptr::eq(&trial.record, best)));
        overview.trained_from = overview.trained_from();
        let groups: Vec<(usize, bool)> = overview
            .cells
            .iter()
            .map(|cell| (overview.n_trained(&cell.scores), overview.are_bimodal(&cell.scores)))
            .collect();
        for (cell, counted) in overview.cells.iter_mut().zip(groups) {
            (cell.n_trained, cell.is_bimodal) = counted;
        }
        overview
    }

    /// Whether the scores of all trials can be compared: they are of one kind ([`Overview::unlike`]), and were measured on the
    /// same samples ([`Overview::test_sets`]). Otherwise none is the best, and no means are taken over several kinds.
    pub fn is_comparable(&self) -> bool {
        self.unlike.is_empty() && self.test_sets.len() < 2
    }

    /// What is the same for trials that can be compared with each other, and for all where [`Overview::is_comparable`]; no more
    /// is to be read from it.
    pub fn kind(&self, trial: &TrialResult) -> (usize, String) {
        kind_of(&trial.record, &self.unlike, &self.test_sets)
    }

    /// What a configuration is told by, each value with its setting: `hidden 54 · learning_rate 0.01287`; empty if nothing varies.
    pub fn named(&self, cell: &Cell<'_>) -> String {
        self.joined(cell, VariedKey::named)
    }

    /// The same with all that the values say: `hidden 512-256 · learning_rate 0.01287`.
    pub fn named_in_full(&self, cell: &Cell<'_>) -> String {
        self.joined(cell, VariedKey::named_in_full)
    }

    fn joined(&self, cell: &Cell<'_>, named: fn(&VariedKey, usize) -> String) -> String {
        let value = |(key, &index): (&VariedKey, &usize)| text::clean(&named(key, index), text::MAX_CHARACTERS);
        let values: Vec<String> = self.varied.iter().zip(&cell.indices).map(value).collect();
        // What tells two configurations apart may stand at the end.
        text::clean(&values.join(" · "), N_VALUES_IN_FULL * text::MAX_CHARACTERS)
    }

    /// Whether a network with this score trained: whether it left behind what the best constant answer reaches
    /// ([`Overview::trained_from`](field@Overview::trained_from)). Nothing where that cannot be said.
    pub fn is_trained(&self, score: f64) -> Option<bool> {
        self.trained_from.map(|bound| !self.metric.is_better(bound, score))
    }

    /// How many of the scores are those of networks that trained; all where that cannot be said.
    pub fn n_trained(&self, scores: &[f64]) -> usize {
        scores.iter().filter(|&&score| self.is_trained(score) != Some(false)).count()
    }

    /// Whether the scores, or those of any one configuration, are bimodal, that is, fall into two groups with a gap between
    /// them: then a mean lies where no score is.
    pub fn is_bimodal(&self) -> bool {
        let all: Vec<f64> = self.cells.iter().flat_map(|cell| cell.scores.iter().copied()).collect();
        self.cells.iter().any(|cell| cell.is_bimodal) || self.are_bimodal(&all)
    }

    /// Whether some of the scores are those of networks that trained and others are not, with at least a quarter of the way
    /// from the best constant answer to the best trial between them, which is twice as wide as any gap among
    /// either.
    pub fn are_bimodal(&self, scores: &[f64]) -> bool {
        let best = self.best.and_then(|best| self.score(best)).zip(self.best_constant());
        let Some(way) = best.map(|(best, (_, constant))| (best - constant).abs()) else { return false };
        let mut sorted = scores.to_vec();
        sorted.sort_by(f64::total_cmp);
        let is_between = |pair: &[f64]| self.is_trained(pair[0]) != self.is_trained(pair[1]);
        let gaps = || sorted.windows(2).map(|pair| (pair[1] - pair[0], is_between(pair)));
        let widest = |between: bool| gaps().filter(|gap| gap.1 == between).map(|gap| gap.0).fold(0.0, f64::max);
        widest(true) >= (SHARE_GAP * way).max(TIMES_OTHER_GAPS * widest(false)) && widest(true) > 0.0
    }

    /// What the best constant answer reaches on the test set of the best trial; of equals the commonest class, which needs the
    /// least explanation.
    pub fn best_constant(&self) -> Option<(&'static str, f64)> {
        let levels = constant_answers(&self.best?.record);
        let levels = levels.iter().filter_map(|level| Some((level.name, level.value(self.metric)?)));
        levels.reduce(|a, b| if self.metric.is_better(a.1, b.1) { a } else { b })
    }

    /// The best constant answer, where not even the best trial is clearly better: by less than three standard errors of a share of
    /// its test samples, or not at all.
    pub fn unbeaten_constant(&self) -> Option<(&'static str, f64)> {
        let best = self.score(self.best?)?;
        self.best_constant().filter(|&(_, constant)| {
            let lead = if self.metric.higher_is_better() { best - constant } else { constant - best };
            lead <= N_ERRORS_UNTRAINED * self.error_of(constant)
        })
    }

    fn trained_from(&self) -> Option<f64> {
        // Where the largest output answers, one that is below ½ is no exact code: that is not to have learned nothing.
        let answers_exactly = |trial: &&TrialResult| trial.record.answers_by() == Decoding::Exact;
        let trials = || self.cells.iter().flat_map(|cell| cell.trials.iter().copied());
        if self.metric == Metric::ExactAccuracy && !trials().all(|trial| answers_exactly(&trial)) {
            return None;
        }
        let best = self.score(self.best?)?;
        let (_, constant) = self.best_constant()?;
        let perfect = if self.metric.higher_is_better() { 1.0 } else { 0.0 };
        let share = (best - constant) / (perfect - constant);
        let near = (SHARE_UNTRAINED * (best - constant).abs()).max(N_ERRORS_UNTRAINED * self.error_of(constant));
        // Of a handful of samples nothing is said that would call the best trial untrained.
        let near = near.min(0.5 * (best - constant).abs());
        let bound = if best > constant { constant + near } else { constant - near };
        (share.is_finite() && share >= SHARE_TRAINED).then_some(bound)
    }

    /// The standard error of a share of so many samples as the best trial was tested on; 0 of what is no share.
    fn error_of(&self, share: f64) -> f64 {
        let n_samples = self.best.map_or(0, |best| best.record.data.test);
        if !self.metric.is_fraction() || n_samples == 0 {
            return 0.0;
        }
        (share * (1.0 - share) / n_samples as f64).max(0.0).sqrt()
    }

    /// What trials are ranked by.
    pub fn ranking(&self) -> Ranking {
        Ranking { metric: self.metric, set: self.ranked_on }
    }

    /// Whether trials are ranked by other samples than those that their scores are shown of.
    pub fn is_ranked_apart(&self) -> bool {
        self.ranked_on != self.compared
    }

    /// The final value of the compared metric on the samples that are shown, of a trial that finished.
    pub fn score(&self, trial: &TrialResult) -> Option<f64> {
        score(&trial.record, self.metric, self.compared)
    }

    /// The best trial of a cell ([`Overview::best`] in the cell that holds it), or its first one if none has a score.
    pub fn best_of(&self, cell: &Cell<'a>) -> Option<&'a TrialResult> {
        if cell.holds(self.best) {
            return self.best;
        }
        let ranking = self.ranking();
        let score = |trial: &TrialResult| ranking.score(&trial.record);
        cell.trials.iter().copied().min_by(|a, b| ranking.order(score(a), score(b)))
    }

    /// How much more `cell` reaches than `other`, from the seeds that both finished: the 95 % t-interval of the mean of the
    /// differences, seed by seed, so that what a seed does to both alike drops out. Nothing with fewer than two common
    /// seeds, or where only some runs of either trained.
    pub fn difference(&self, cell: &Cell<'_>, other: &Cell<'_>) -> Option<interval::Interval> {
        interval::interval(&self.differences(cell, other)).filter(|_| !cell.is_bimodal && !other.is_bimodal)
    }

    /// The mean of the same differences, which is known also where no interval can be told: where all are equal, and where only
    /// some runs trained.
    pub fn mean_difference(&self, cell: &Cell<'_>, other: &Cell<'_>) -> Option<f64> {
        let differences = self.differences(cell, other);
        interval::mean(&differences).filter(|_| differences.len() > 1)
    }

    fn differences(&self, cell: &Cell<'_>, other: &Cell<'_>) -> Vec<f64> {
        let by_seed = |cell: &Cell<'_>| -> BTreeMap<String, f64> {
            let scored =
                |trial: &&TrialResult| Some((config_value(&trial.record, "seed").to_string(), self.score(trial)?));
            cell.trials.iter().filter_map(scored).collect()
        };
        let others = by_seed(other);
        by_seed(cell).iter().filter_map(|(seed, score)| Some(score - others.get(seed)?)).collect()
    }

    /// The compared set's metrics of an epoch.
    pub fn metrics_of(&self, epoch: &'a EpochRecord) -> Option<&'a EpochMetrics> {
        metrics_of(epoch, self.compared)
    }

    /// `test` or `training`, for titles.
    pub fn set_name(&self) -> &'static str {
        self.compared.title()
    }
}

/// The last epoch of the trials of a cell without a score that were ended early, and the mean of what these had reached there.
fn progress(cell: &Cell<'_>, ranking: Ranking) -> (Option<usize>, Option<f64>) {
    let stopped = cell.trials.iter().filter(|trial| trial.was_stopped() && cell.scores.is_empty());
    let last: Vec<&EpochRecord> = stopped.filter_map(|trial| trial.record.epochs.last()).collect();
    let reached = last.iter().filter_map(|epoch| ranking.metric.value(metrics_of(epoch, ranking.set)?));
    (last.iter().map(|epoch| epoch.epoch).max(), interval::mean(&reached.collect::<Vec<f64>>()))
}

fn by_seed(a: &RunRecord, b: &RunRecord) -> Ordering {
    let seed = |record: &RunRecord| record.config.get("seed").and_then(Value::as_u64);
    seed(a).cmp(&seed(b)).then_with(|| a.trial.cmp(&b.trial))
}
