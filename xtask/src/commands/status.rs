//! `sweep status`: how a sweep stands, while it runs or after.

use std::path::{Path, PathBuf};

use clap::Args;
use mlp_results::text::{counted, duration};
use mlp_results::{Cell, Compared, Overview, RunFolder, Status, TrialResult, interval};
use mlp_sweep::Standing;
use serde_json::json;

use crate::failure::Failure;
use crate::luck::why_surpassed;
use crate::options::{RankingOption, warn_of_seen_validation, warn_of_test_sets, warn_of_validation_splits};
use crate::output::{Output, notice};
use crate::places;
use crate::progress::in_minutes;
use crate::summary::quoted;
use crate::sweep_table::unbeaten;
use crate::table::wrapped;

/// Show how a sweep stands, also while it runs: what is done, the best, who is at it, how long it will take
#[derive(Args, Debug)]
pub(crate) struct SweepStatus {
    /// Folder that `sweep` writes
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
    #[command(flatten)]
    ranking: RankingOption,
    /// Print JSON for machines
    #[arg(long)]
    json: bool,
}

/// How many running trials are listed.
const MAX_LISTED: usize = 32;

/// Runs the command. Nothing in the folder is changed.
pub(crate) fn run(arguments: &SweepStatus, output: &mut Output) -> Result<(), Failure> {
    let folder = RunFolder::new(&arguments.folder);
    if !folder.path().exists() {
        return Err(Failure::configuration(format!(
            "{}: no such folder; expected one that `sweep` wrote, such as those in {}",
            folder.path().display(),
            places::shown(&places::runs())
        )));
    }
    if !folder.specification().is_file() {
        return Err(Failure::configuration(format!(
            "{}: expected a folder of a sweep, with spec.toml in it, found none; \
             name one that `sweep` wrote, such as those in {}",
            folder.path().display(),
            places::shown(&places::runs())
        )));
    }
    let standing = Standing::read(&folder)?;
    for warning in &standing.warnings {
        notice(format_args!("warning: {warning}"));
    }
    arguments.ranking.warn_of_unlike_records(standing.records.values());
    arguments.ranking.check(standing.records.values())?;
    warn_of_seen_validation(standing.records.values());
    warn_of_test_sets(standing.records.values());
    warn_of_validation_splits(standing.records.values(), arguments.ranking.by());
    let finished = standing.records.values().cloned().map(TrialResult::from);
    let trials: Vec<TrialResult> = finished.chain(standing.stopped_trials.iter().cloned()).collect();
    let overview = Overview::ranked(&trials, arguments.ranking.by());
    if arguments.json {
        output.line(as_json(&standing, &overview));
    } else {
        show(&standing, &overview, folder.path(), output);
    }
    Ok(())
}

/// The configuration that ranks first, if any has something to be ranked by that can be compared.
fn first_configuration<'o, 'a>(overview: &'o Overview<'a>) -> Option<&'o Cell<'a>> {
    overview.cells.first().filter(|cell| overview.is_comparable() && cell.ranking_mean().is_some())
}

/// The configuration that ranks first, with the spread of its seeds; then its best trial.
fn show_best(overview: &Overview<'_>, standing: &Standing, output: &mut Output) {
    if !overview.unlike.is_empty() {
        let text =
            format!("none: {} differs, and by {} nothing is compared", overview.unlike.join(", "), overview.metric);
        output.line(wrapped("best", &text, 9));
        return;
    }
    if overview.test_sets.len() > 1 {
        output.line(wrapped("best", "none: what was tested on different samples is not compared", 9));
        return;
    }
    let Some(best) = first_configuration(overview) else { return };
    let (metric, ranking) = (overview.metric, overview.ranking());
    let label = configuration_label(standing, best);
    let label = if label.is_empty() { label } else { format!(": {label}") };
    let n_planned = standing.specification.n_seeds();
    let n_seeds = match best.ranking_scores.len() {
        n_scores if best.trials.len() < n_planned => format!(", {n_scores} of {n_planned} seeds so far"),
        1 => String::new(),
        n_seeds if best.is_bimodal => format!(", mean of {}", counted(n_seeds, "seed")),
        n_seeds => format!(", ± sd of {}", counted(n_seeds, "seed")),
    };
    let groups = if best.is_bimodal {
        format!(", in two groups: only {} of {} trained", best.n_trained, best.scores.len())
    } else {
        String::new()
    };
    let spread = |mean: Option<f64>, deviation: Option<f64>| match (mean, deviation) {
        // No deviation describes two groups.
        (Some(mean), Some(deviation)) if !best.is_bimodal => {
            format!("{} ± {}", metric.format(mean), metric.format_deviation(deviation, mean))
        }
        (mean, _) => mean.map_or_else(|| "-".to_owned(), |mean| metric.format(mean)),
    };
    let ranked = spread(best.ranking_mean(), interval::deviation(&best.ranking_scores));
    let shown = if overview.is_ranked_apart() {
        format!(" ({} {})", overview.compared, spread(best.mean(), best.deviation()))
    } else {
        String::new()
    };
    let losses = best.losses().map(|losses| format!(" ({losses})")).unwrap_or_default();
    output.line(wrapped("best", &format!("{ranking} {ranked}{shown}{n_seeds}{groups}{losses}{label}"), 9));
    if let Some(trial) = overview.best {
        let score = ranking.score(&trial.record).map(|score| metric.format(score)).unwrap_or_default();
        let label = standing.label(&trial.record);
        let n_scored: usize = overview.cells.iter().map(|cell| cell.ranking_scores.len()).sum();
        let alone = if n_scored == 1 && standing.specification.n_trials() > 1 {
            ", the only trial with a result so far"
        } else {
            ""
        };
        output.line(wrapped("trial", &format!("{score}, {} {label}{alone}", trial.record.trial), 9));
        if let Some(text) = surpassed(overview, trial) {
            output.line(wrapped("", &text, 9));
        }
    }
    if let Some(text) = unbeaten(overview) {
        output.line(wrapped("", &text, 9));
    }
}

/// Where the best trial is of a configuration that others surpass, none of them with a seed as good: which place that has, and why.
fn surpassed(overview: &Overview<'_>, best: &TrialResult) -> Option<String> {
    let has_it = |cell: &Cell<'_>| cell.trials.iter().any(|own| own.record.trial == best.record.trial);
    let place = overview.cells.iter().position(has_it).filter(|place| *place > 0)?;
    let score = overview.ranking().score(&best.record)?;
    if overview.cells[0].ranking_scores.contains(&score) {
        return None;
    }
    let own = &overview.cells[place];
    let why = why_surpassed(own.losses(), own.is_bimodal.then_some((own.n_trained, own.scores.len())));
    Some(format!("its configuration is number {} by rank: {why}", place + 1))
}

/// `learning_rate = 0.01`, as `label` of the trial has it, without the seed.
fn configuration_label(standing: &Standing, cell: &Cell<'_>) -> String {
    cell.trials.first().map(|trial| standing.configuration_label(&trial.record)).unwrap_or_default()
}

fn show(standing: &Standing, overview: &Overview<'_>, folder: &Path, output: &mut Output) {
    output.line(format_args!("folder   {}", quoted(folder)));
    let work = match (&standing.holder, standing.n_left()) {
        (Some(holder), _) => holder.clone(),
        (None, 0) => "complete".to_owned(),
        (None, _) => "nobody is at work; the same command, run again, goes on".to_owned(),
    };
    output.line(format_args!("work     {work}"));
    let mut parts = vec![format!("{} finished", standing.count(Status::Finished))];
    for (status, name) in [(Status::Diverged, "diverged"), (Status::Failed, "failed")] {
        if standing.count(status) > 0 {
            parts.push(format!("{} {name}", standing.count(status)));
        }
    }
    if standing.n_stopped > 0 {
        parts.push(format!("{} stopped early", standing.n_stopped));
    }
    parts.push(format!("{} running", standing.running.len()));
    parts.push(format!("{} to do", standing.n_left().saturating_sub(standing.running.len())));
    output.line(format_args!("trials   {}: {}", standing.specification.n_trials(), parts.join(", ")));
    if let Some(pace) = standing.trials_per_minute {
        let left = match (standing.n_left(), &standing.holder) {
            (1.., Some(_)) => format!(", about {} left", duration(60.0 * standing.n_left() as f64 / pace)),
            _ => String::new(),
        };
        output.line(format_args!(
            "pace     {} a minute, by the seconds that finished trials took{left}",
            in_minutes(pace)
        ));
    }
    show_best(overview, standing, output);
    for running in standing.running.iter().take(MAX_LISTED) {
        let since = running.seconds.map(|seconds| format!(" for {}", duration(seconds))).unwrap_or_default();
        let place = standing.checkpoints.get(&running.trial);
        let place = place.map(|(epoch, _)| format!(", checkpoint in epoch {epoch}")).unwrap_or_default();
        let text = format!("{}  {}{since}, {}{place}", running.trial, running.label, running.holder);
        output.line(wrapped("running", &text, 9));
    }
    let n_waiting =
        standing.checkpoints.keys().filter(|trial| !standing.running.iter().any(|run| run.trial == **trial));
    match n_waiting.count() {
        0 => {}
        n_waiting => output.line(format_args!("waiting  {} with a checkpoint", counted(n_waiting, "trial"))),
    }
}

fn as_json(standing: &Standing, overview: &Overview<'_>) -> serde_json::Value {
    let running = standing.running.iter().map(|running| {
        let place = standing.checkpoints.get(&running.trial);
        json!({
            "trial": running.trial,
            "label": running.label,
            "holder": running.holder,
            "seconds": running.seconds,
            "checkpoint": place.map(|(epoch, batches)| json!({ "epoch": epoch, "batches": batches })),
        })
    });
    json!({
        "trials": standing.specification.n_trials(),
        "finished": standing.count(Status::Finished),
        "diverged": standing.count(Status::Diverged),
        "failed": standing.count(Status::Failed),
        "stopped": standing.n_stopped,
        "holder": standing.holder,
        "trials_per_minute": standing.trials_per_minute,
        // What ranks is known once something has been measured.
        "ranked_by": overview.cells.iter().any(|cell| cell.ranking_mean().is_some())
            .then(|| overview.ranking().to_string()),
        "best": overview.best.map(|best| json!({
            "trial": best.record.trial,
            "score": overview.ranking().score(&best.record),
            "test": best.record.final_test(),
        })),
        "best_configuration": first_configuration(overview).map(|cell| json!({
            "label": configuration_label(standing, cell),
            "n_seeds": cell.ranking_scores.len(),
            "n_seeds_planned": standing.specification.n_seeds(),
            "mean": cell.ranking_mean(),
            "deviation": interval::deviation(&cell.ranking_scores),
            // Where some seeds trained and others did not, the deviation describes neither.
            "two_groups": cell.is_bimodal,
            // Null where no trial is clearly above the constant answer.
            "n_trained": overview.trained_from.map(|_| cell.n_trained),
            "n_trials": cell.trials.len(),
            "n_diverged": cell.n_diverged,
            "n_failed": cell.n_failed,
            "test_mean": cell.mean().filter(|_| overview.compared == Compared::Test),
            "test_deviation": cell.deviation().filter(|_| overview.compared == Compared::Test),
        })),
        "warnings": standing.warnings,
        "running": running.collect::<Vec<_>>(),
    })
}
