//! What successive halving compared and stopped.

use std::collections::BTreeSet;

use askama::Template;
use mlp_results::text::{self, counted};
use mlp_results::{HalvingRound, Overview, RankBy, RankedConfiguration, StoppedTrial, TrialResult, unlike_keys};

use crate::markup::{render, shown};

/// How many configurations, or stopped trials, are listed.
const N_LISTED: usize = 200;

#[derive(Template)]
#[template(path = "halving.html")]
struct Halving {
    summary: String,
    metric: String,
    rows: Vec<Row>,
    /// Whether any configuration had lost a seed when it was compared.
    has_losses: bool,
    n_more: Option<String>,
    /// The settings across which values of the metric say nothing about each other, where trials differ in any.
    unlike: Option<String>,
    /// `1 configuration`, of those that are stopped although some of their seeds have a result.
    partly_stopped: Option<String>,
}

/// A configuration, where it was compared last.
struct Row {
    label: String,
    epoch: usize,
    rank: usize,
    n_compared: usize,
    mean: String,
    values: String,
    n_lost: usize,
    is_kept: bool,
}

/// What an earlier version stopped, which compared trials one by one.
#[derive(Template)]
#[template(path = "halving_of_trials.html")]
struct HalvingOfTrials {
    n_stopped: String,
    rows: Vec<TrialRow>,
    n_more: Option<String>,
}

struct TrialRow {
    trial: String,
    label: String,
    epoch: usize,
    rank: usize,
    n_trials: usize,
    metric: String,
    value: String,
}

/// Who was compared, when and as which of how many; nothing where nobody was stopped.
pub(super) fn section(rounds: &[HalvingRound], overview: &Overview<'_>) -> Option<String> {
    if n_stopped(rounds) == 0 {
        return None;
    }
    let Some(summary) = summary(rounds) else { return Some(of_trials(rounds)) };
    let configurations = || rounds.iter().flat_map(|round| &round.configurations);
    // Each where it was compared last: those that came furthest first.
    let last_compared = rounds.iter().enumerate().rev().flat_map(|(place, round)| {
        let is_last = place + 1 == rounds.len();
        let ranked = round.configurations.iter().enumerate();
        ranked
            .filter(move |(_, ranked)| is_last || !ranked.is_kept)
            .map(move |(rank, ranked)| Row::new(round, rank, ranked))
    });
    let n_more = rounds.first().map_or(0, |round| round.configurations.len()).saturating_sub(N_LISTED);
    let n_partly_stopped = overview.cells.iter().filter(|cell| cell.is_partly_stopped()).count();
    Some(render(&Halving {
        summary,
        partly_stopped: (n_partly_stopped > 0).then(|| counted(n_partly_stopped, "configuration")),
        unlike: unlike(rounds, overview),
        metric: rounds.last().map_or_else(String::new, |round| shown(&round.metric)),
        rows: last_compared.take(N_LISTED).collect(),
        has_losses: configurations().any(|ranked| ranked.n_lost() > 0),
        n_more: (n_more > 0).then(|| text::thousands(n_more as u64)),
    }))
}

/// `encoding`: where configurations were compared by losses of different kinds.
fn unlike(rounds: &[HalvingRound], overview: &Overview<'_>) -> Option<String> {
    let by: RankBy = rounds.last()?.metric.parse().ok()?;
    let records = overview.cells.iter().flat_map(|cell| &cell.trials).map(|trial| &trial.record);
    let keys = unlike_keys(records, by.metric?);
    (!keys.is_empty()).then(|| keys.join(", "))
}

/// `12 configurations of 3 seeds; 4 kept after epoch 1, 1 after epoch 3`; nothing where trials were compared one by one.
pub(super) fn summary(rounds: &[HalvingRound]) -> Option<String> {
    let first = rounds.first().filter(|round| !round.configurations.is_empty())?;
    let seeds =
        first.n_seeds().filter(|n_seeds| *n_seeds > 1).map(|n_seeds| format!(" of {}", counted(n_seeds, "seed")));
    let kept: Vec<String> = rounds
        .iter()
        .enumerate()
        .map(|(place, round)| {
            let n_kept = text::thousands(round.n_configurations_kept() as u64);
            let kept = if place == 0 { " kept" } else { "" };
            format!("{n_kept}{kept} after epoch {}", round.epoch)
        })
        .collect();
    let configurations = counted(first.configurations.len(), "configuration");
    Some(format!("{configurations}{}; {}", seeds.unwrap_or_default(), kept.join(", ")))
}

/// Whether there is anything to say.
pub(super) fn is_present(rounds: &[HalvingRound]) -> bool {
    n_stopped(rounds) > 0
}

fn n_stopped(rounds: &[HalvingRound]) -> usize {
    rounds.iter().map(|round| round.stopped.len()).sum()
}

/// The identities of the trials that were stopped.
pub(super) fn stopped(rounds: &[HalvingRound]) -> BTreeSet<&str> {
    rounds.iter().flat_map(|round| &round.stopped).map(|stopped| stopped.trial.as_str()).collect()
}

/// How many trials were stopped of which nothing else is known: an earlier version ran them.
pub(super) fn n_unknown(rounds: &[HalvingRound], trials: &[TrialResult]) -> usize {
    let known: BTreeSet<&str> = trials.iter().map(|trial| trial.record.trial.as_str()).collect();
    stopped(rounds).difference(&known).count()
}

fn of_trials(rounds: &[HalvingRound]) -> String {
    let n_stopped = n_stopped(rounds);
    let were = if n_stopped == 1 { "was" } else { "were" };
    let stopped = rounds.iter().flat_map(|round| round.stopped.iter().map(move |trial| TrialRow::new(round, trial)));
    let n_more = n_stopped.saturating_sub(N_LISTED);
    render(&HalvingOfTrials {
        n_stopped: format!("{} {were}", counted(n_stopped, "trial")),
        rows: stopped.take(N_LISTED).collect(),
        n_more: (n_more > 0).then(|| text::thousands(n_more as u64)),
    })
}

impl Row {
    fn new(round: &HalvingRound, place: usize, ranked: &RankedConfiguration) -> Row {
        let value = |value: Option<f64>| value.map_or_else(|| "none".to_owned(), text::rounded);
        let values: Vec<String> = ranked.trials.iter().map(|trial| value(trial.value)).collect();
        Row {
            label: if ranked.label.is_empty() { "the settings of all".to_owned() } else { shown(&ranked.label) },
            epoch: round.epoch,
            rank: place + 1,
            n_compared: round.configurations.len(),
            mean: value(ranked.mean),
            values: text::clean(&values.join(", "), text::MAX_CHARACTERS),
            n_lost: ranked.n_lost(),
            is_kept: ranked.is_kept,
        }
    }
}

impl TrialRow {
    fn new(round: &HalvingRound, stopped: &StoppedTrial) -> TrialRow {
        TrialRow {
            trial: shown(&text::trial(&stopped.trial)),
            label: shown(&stopped.label),
            epoch: stopped.epoch,
            rank: stopped.rank,
            n_trials: round.n_trials,
            metric: shown(&round.metric),
            value: stopped.value.map_or_else(|| "none".to_owned(), text::rounded),
        }
    }
}
