//! The most important numbers, large.

use mlp_results::score::seconds;
use mlp_results::text::{self, counted};
use mlp_results::{Metric, Overview, TrialResult, interval};

use super::interval_text::interval_text;
use crate::markup::shown;

/// More layers than these are counted, not listed.
const N_LAYERS: usize = 7;

/// A number with its name and a remark.
pub(super) struct Tile {
    pub(super) name: String,
    pub(super) value: String,
    pub(super) remark: String,
    /// The trial that the remark names.
    pub(super) trial: Option<String>,
}

impl Tile {
    fn new(name: impl Into<String>, value: impl Into<String>, remark: impl Into<String>) -> Tile {
        Tile { name: name.into(), value: value.into(), remark: remark.into(), trial: None }
    }
}

/// The numbers that can be told of these trials.
pub(super) fn tiles(trials: &[TrialResult], overview: &Overview<'_>) -> Vec<Tile> {
    let constant = overview.best_constant().map(|(name, value)| {
        let remark = format!("the constant answer “{name}”");
        Tile::new("Without looking at the sample", overview.metric.format(value), remark)
    });
    [Some(best(overview)), best_mean(overview), constant, time(trials), size(trials, overview)]
        .into_iter()
        .flatten()
        .collect()
}

fn best(overview: &Overview<'_>) -> Tile {
    let metric = overview.metric;
    match overview.best.and_then(|best| Some((best, overview.score(best)?))) {
        Some((best, score)) => {
            let title = metric.title();
            let trial = Some(shown(&text::trial(&best.record.trial)));
            let ranked = overview.ranking().score(&best.record).filter(|_| overview.is_ranked_apart());
            let lucky = luck(overview, best);
            let (name, remark) = match ranked {
                Some(ranked) => (
                    format!("{title} of the best on the {} set", overview.set_name()),
                    format!(
                        "best by the {} set, {} there; {lucky}trial",
                        overview.ranked_on.title(),
                        metric.format(ranked)
                    ),
                ),
                None => (
                    format!("Best {} on the {} set", title.to_lowercase(), overview.set_name()),
                    format!("{lucky}trial"),
                ),
            };
            Tile { trial, ..Tile::new(name, metric.format(score), remark) }
        }
        None if overview.test_sets.len() > 1 => {
            Tile::new("Best trial", "none", "what was tested on different samples is not compared")
        }
        None if !overview.unlike.is_empty() => {
            Tile::new("Best trial", "none", format!("{} of different kinds are not compared", plural(metric)))
        }
        None => Tile::new("Best trial", "none", "no trial finished with a finite result"),
    }
}

/// `the luckiest of 3 seeds, 2 of 5 diverged; of configuration no. 2; `: how the best trial stands to its configuration, and that to the others.
fn luck(overview: &Overview<'_>, best: &TrialResult) -> String {
    let Some((place, cell)) = overview.cells.iter().enumerate().find(|(_, cell)| cell.holds(Some(best))) else {
        return String::new();
    };
    let n_seeds = cell.ranking_scores.len();
    let seeds = (n_seeds > 1 && !cell.is_bimodal).then(|| format!("the luckiest of {n_seeds} seeds"));
    let number = (place > 0).then(|| format!("of configuration no. {}", place + 1));
    let said: Vec<String> = seeds.into_iter().chain(cell.losses()).chain(number).collect();
    said.iter().map(|part| format!("{part}; ")).collect()
}

fn best_mean(overview: &Overview<'_>) -> Option<Tile> {
    let is_told = overview.is_comparable();
    let cell = overview.cells.first().filter(|cell| is_told && cell.trials.len() > 1 && !cell.scores.is_empty())?;
    let runs = counted(cell.scores.len(), "run");
    let remark = match cell.interval() {
        Some(interval) => format!("95 % t-interval {}, from {runs}", interval_text(overview, interval)),
        None if cell.is_bimodal => format!("only {} of {runs} trained: no interval describes both", cell.n_trained),
        None if cell.scores.len() == 1 => format!("from {runs}: no interval"),
        None => format!("from {runs}, all alike: no interval"),
    };
    let remark = match cell.losses() {
        Some(losses) => format!("{remark}; {losses}"),
        None => remark,
    };
    let name =
        if overview.is_ranked_apart() { "Mean of the best configuration" } else { "Best mean of a configuration" };
    Some(Tile::new(name, overview.metric.format(cell.mean()?), remark))
}

/// What several values of a metric are called.
pub(super) fn plural(metric: Metric) -> &'static str {
    if metric == Metric::Loss { "losses" } else { "errors of outputs" }
}

fn time(trials: &[TrialResult]) -> Option<Tile> {
    let costs: Vec<f64> = trials.iter().filter_map(|trial| seconds(&trial.record)).collect();
    let each = text::duration(interval::mean(&costs)?);
    let remark = if costs.len() > 1 {
        format!("one after the other; {each} for each of {} on the average", counted(costs.len(), "trial"))
    } else {
        "training and measuring".to_owned()
    };
    Some(Tile::new("Time of all trials", text::duration(costs.iter().sum()), remark))
}

fn size(trials: &[TrialResult], overview: &Overview<'_>) -> Option<Tile> {
    let first = || overview.cells.first().and_then(|cell| cell.trials.first().copied());
    let record = &overview.best.or_else(first)?.record;
    let layers: Vec<String> = record.layers.iter().map(usize::to_string).collect();
    let layers = if layers.len() > N_LAYERS { format!("{} layers", layers.len() - 1) } else { layers.join("–") };
    let are_alike = trials.iter().all(|trial| trial.record.layers == record.layers);
    let of = match overview.best {
        _ if trials.len() == 1 => "in all",
        Some(_) => "of the best trial",
        None if are_alike => "of each trial",
        // No trial stands for the others.
        None => return None,
    };
    let remark = format!("{of}: {}", shown(&layers));
    Some(Tile::new("Weights and biases", text::thousands(record.parameters as u64), remark))
}
