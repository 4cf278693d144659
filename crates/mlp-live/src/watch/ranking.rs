//! What of a folder's trials is best, as values: trials, configurations, models.

use std::time::SystemTime;

use mlp_results::{Cell, Compared, Overview, RunFolder, Status, interval, score, text};
use mlp_sweep::SweepSpec;

use super::summary::{BestMean, BestTrial, ConfigurationSummary, RankedModel};

/// How many configurations are listed.
const N_CONFIGURATIONS_MAX: usize = 10;
/// How many models of a folder are offered.
const N_MODELS_MAX: usize = 40;

/// The best trial; `n_planned` seeds are planned for each configuration, as far as that is known.
pub(super) fn best(overview: &Overview<'_>, plan: Option<&SweepSpec>, n_planned: usize) -> Option<BestTrial> {
    let best = overview.best?;
    let ranking = overview.ranking();
    let value = ranking.score(&best.record).map(|score| overview.metric.format(score))?;
    let cell = overview.cells.iter().position(|cell| cell.holds(Some(best)));
    let label = cell.map(|place| label(overview, plan, &overview.cells[place]));
    let seed = best.record.config.get("seed").map(|seed| format!("seed {}", text::value(seed)));
    // Whoever compares it with the curves below sees its test value there.
    let test = score::score(&best.record, overview.metric, Compared::Test).filter(|_| overview.is_ranked_apart());
    let test = test.map(|value| format!("test {}", overview.metric.format(value)));
    let parts = [label.filter(|label| !label.is_empty()), seed, test];
    let label: Vec<String> = parts.into_iter().flatten().collect();
    Some(BestTrial {
        trial: best.record.trial.clone(),
        ranked_by: ranking.to_string(),
        value,
        label: label.join(", "),
        remark: cell.and_then(|place| luck(overview, place)),
        mean: best_mean(overview, n_planned),
    })
}

/// What the best of several seeds says of another seed: as `sweep` says it of its best trial.
fn luck(overview: &Overview<'_>, place: usize) -> Option<String> {
    let cell = &overview.cells[place];
    let n_seeds = cell.ranking_scores.len();
    let mean = cell.ranking_mean().filter(|_| n_seeds > 1).map(|mean| overview.metric.format(mean))?;
    if interval::deviation(&cell.ranking_scores).is_none_or(|deviation| deviation == 0.0) {
        return None;
    }
    let own = if cell.is_bimodal {
        format!(
            "only {} of {n_seeds} seeds trained: another seed may do so, too, or not at all; their mean, {mean}, lies where no \
             seed is",
            cell.n_trained
        )
    } else {
        format!("the luckiest of {n_seeds} seeds: their mean, {mean}, is what another seed may be expected to reach")
    };
    let rank = if place > 0 { format!("; its configuration is no. {} by the mean", place + 1) } else { String::new() };
    Some(own + &rank)
}

/// What a configuration is told by: what varies among those that are there, or where that is nothing yet, what is to vary.
fn label(overview: &Overview<'_>, plan: Option<&SweepSpec>, cell: &Cell<'_>) -> String {
    let named = overview.named(cell);
    let (Some(plan), Some(trial)) = (plan.filter(|_| named.is_empty()), cell.trials.first()) else { return named };
    let axes = plan.axes().iter().filter(|axis| axis.varies() && axis.key != "seed");
    let values =
        axes.filter_map(|axis| Some(format!("{} {}", axis.key, text::value(trial.record.setting(&axis.key)?))));
    text::clean(&values.collect::<Vec<_>>().join(" · "), text::MAX_CHARACTERS)
}

/// `3 seeds`, or `2 of 3 seeds so far`.
fn seeds(cell: &Cell<'_>, n_planned: usize) -> String {
    match cell.ranking_scores.len() {
        n_scores if cell.trials.len() < n_planned => format!("{n_scores} of {n_planned} seeds so far"),
        n_scores => text::counted(n_scores, "seed"),
    }
}

/// The mean of the best configuration, of several seeds, with their standard deviation where these are one group.
fn best_mean(overview: &Overview<'_>, n_planned: usize) -> Option<BestMean> {
    let cell = overview.cells.first().filter(|cell| cell.ranking_scores.len() > 1)?;
    let seeds = seeds(cell, n_planned);
    if cell.is_bimodal {
        // No deviation describes two groups.
        let label = format!("{seeds}, of which only {} trained: {}", cell.n_trained, overview.named(cell));
        return Some(BestMean { value: overview.metric.format(cell.ranking_mean()?), label });
    }
    Some(BestMean { value: spread(overview, cell)?, label: format!("{seeds}: {}", overview.named(cell)) })
}

/// `91.28 % ± 0.85 %`; without the deviation where there is one seed, or two groups that none describes.
fn spread(overview: &Overview<'_>, cell: &Cell<'_>) -> Option<String> {
    let (metric, mean) = (overview.metric, cell.ranking_mean()?);
    let deviation = interval::deviation(&cell.ranking_scores).filter(|_| !cell.is_bimodal);
    Some(match deviation {
        Some(deviation) => format!("{} ± {}", metric.format(mean), metric.format_deviation(deviation, mean)),
        None => metric.format(mean),
    })
}

/// The first configurations by rank, where there are or will be several seeds of any.
pub(super) fn configurations(
    overview: &Overview<'_>,
    plan: Option<&SweepSpec>,
    n_planned: usize,
) -> Vec<ConfigurationSummary> {
    let is_repeated = n_planned > 1 || overview.cells.iter().any(|cell| cell.trials.len() > 1);
    if !is_repeated || !overview.is_comparable() {
        return Vec::new();
    }
    let summary = |cell: &Cell<'_>| {
        let n_seeds = cell.trials.len().max(n_planned);
        let lost = [(cell.n_diverged, "diverged"), (cell.n_failed, "failed"), (cell.n_stopped, "stopped early")];
        let lost = lost.into_iter().filter(|(count, _)| *count > 0);
        let lost: Vec<String> = lost.map(|(count, word)| format!("{count} {word}")).collect();
        let groups = cell.is_bimodal.then(|| format!("only {} of {} trained", cell.n_trained, cell.scores.len()));
        ConfigurationSummary {
            label: label(overview, plan, cell),
            value: spread(overview, cell),
            finished: format!("{} of {n_seeds}", cell.ranking_scores.len()),
            remark: lost.into_iter().chain(groups).collect::<Vec<_>>().join(", "),
        }
    };
    overview.cells.iter().take(N_CONFIGURATIONS_MAX).map(summary).collect()
}

/// The best score so far wherever it grew, and at the end; nothing where scores cannot be compared.
pub(super) fn running_best(overview: &Overview<'_>, written: impl Fn(&str) -> Option<SystemTime>) -> Vec<(usize, f64)> {
    if !overview.is_comparable() {
        return Vec::new();
    }
    let ranking = overview.ranking();
    let trials = overview.cells.iter().flat_map(|cell| &cell.trials);
    let scored = trials.filter_map(|trial| Some((written(&trial.record.trial), ranking.score(&trial.record)?)));
    let mut scored: Vec<(Option<SystemTime>, f64)> = scored.collect();
    scored.sort_by_key(|(time, _)| *time);
    let mut points: Vec<(usize, f64)> = Vec::new();
    for (index, (_, score)) in scored.iter().enumerate() {
        let best = points.last().map(|(_, best)| *best);
        if best.is_none_or(|best| overview.metric.is_better(*score, best)) {
            points.push((index + 1, *score));
        }
    }
    if let Some(&(last, best)) = points.last()
        && last < scored.len()
    {
        points.push((scored.len(), best));
    }
    points
}

pub(super) fn models(run: &str, folder: &RunFolder, overview: &Overview<'_>) -> Vec<RankedModel> {
    let ranking = overview.ranking();
    let mut found: Vec<(Option<f64>, RankedModel)> = Vec::new();
    for cell in &overview.cells {
        for trial in &cell.trials {
            // A record comes after its model, and a model may have been deleted since.
            if trial.record.status != Status::Finished || !folder.model(&trial.record.trial).is_file() {
                continue;
            }
            let value = score::score(&trial.record, overview.metric, overview.compared);
            let shown = value.map(|value| overview.metric.format(value)).unwrap_or_default();
            let seed = trial.record.config.get("seed").map(|seed| format!("seed {seed}")).unwrap_or_default();
            let data = text::clean(&trial.record.data.name, 40);
            let parts = [shown, data, overview.named(cell), seed];
            let label: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
            let is_best = overview.best.is_some_and(|best| std::ptr::eq(best, *trial));
            let id = format!("{run}/{}", trial.record.trial);
            let model = RankedModel { id, run: run.to_owned(), label: label.join(" · "), is_best };
            found.push((ranking.score(&trial.record), model));
        }
    }
    let metric = overview.metric;
    found.sort_by(|one, other| match (one.0, other.0) {
        (Some(one), Some(other)) if metric.is_better(one, other) => std::cmp::Ordering::Less,
        (Some(one), Some(other)) if metric.is_better(other, one) => std::cmp::Ordering::Greater,
        (one, other) => other.is_some().cmp(&one.is_some()),
    });
    found.into_iter().map(|(_, model)| model).take(N_MODELS_MAX).collect()
}
