//! The trials that diverged, failed or were stopped, each with where and why.

use askama::Template;
use mlp_results::text::{self, counted};
use mlp_results::{Overview, TrialResult, endings};

use super::listing::Listing;
use super::trial_name::TrialName;
use crate::markup::{render, shown};

/// Longer lists are folded.
const N_OPEN: usize = 4;
/// How long the reason of a failure may be.
const N_CHARACTERS: usize = 600;

#[derive(Template)]
#[template(path = "trouble.html")]
struct Trouble {
    head: String,
    explained: &'static str,
    is_folded: bool,
    lines: Listing<Line>,
}

struct Line {
    trial: TrialName,
    remark: String,
}

/// A banner for each kind of trouble that there is.
pub(super) fn sections(overview: &Overview<'_>) -> Vec<String> {
    let trials = || overview.cells.iter().flat_map(|cell| &cell.trials).copied();
    let ended = |word: &str| trials().filter(|trial| trial.ending() == word).collect::<Vec<_>>();
    let stopped: Vec<&TrialResult> = trials().filter(|trial| trial.was_stopped()).collect();
    [diverged(overview, &ended("diverged")), failed(overview, &ended("failed")), ended_early(overview, &stopped)]
        .iter()
        .flatten()
        .map(render)
        .collect()
}

fn diverged(overview: &Overview<'_>, trials: &[&TrialResult]) -> Option<Trouble> {
    let head = format!("{} diverged.", counted(trials.len(), "trial"));
    let explained = "The numbers of these nets grew beyond all bounds; they have no result and are left out of means. A \
                     smaller learning rate usually helps. (Layers, epochs and batches are counted from 1.)";
    trouble(overview, trials, head, explained, |trial| match &trial.record.diverged {
        Some(place) => format!(
            " in epoch {}, batch {}, layer {} of {}",
            place.epoch,
            place.batch,
            place.layer + 1,
            trial.record.layers.len().saturating_sub(1)
        ),
        None => " at a place that was not recorded".to_owned(),
    })
}

fn failed(overview: &Overview<'_>, trials: &[&TrialResult]) -> Option<Trouble> {
    let head = format!("{} failed.", counted(trials.len(), "trial"));
    trouble(overview, trials, head, "", |trial| {
        let error = trial.record.error.as_deref().unwrap_or("no reason was recorded");
        format!(": {}", text::clean(error, N_CHARACTERS))
    })
}

fn ended_early(overview: &Overview<'_>, trials: &[&TrialResult]) -> Option<Trouble> {
    let words: Vec<String> = endings(trials.iter().copied()).iter().map(|word| shown(word)).collect();
    let were = if trials.len() == 1 { "was" } else { "were" };
    let head = format!("{} {were} ended early ({}).", counted(trials.len(), "trial"), words.join(", "));
    let explained = "They did not come to their end, so they have no result and belong to no mean of final scores. Their \
                     curves and last measurements are in the table of all trials.";
    trouble(overview, trials, head, explained, |trial| {
        format!(" after epoch {}", trial.record.epochs.last().map_or(0, |epoch| epoch.epoch))
    })
}

fn trouble(
    overview: &Overview<'_>,
    trials: &[&TrialResult],
    head: String,
    explained: &'static str,
    remark: impl Fn(&TrialResult) -> String,
) -> Option<Trouble> {
    let line = |trial: &&TrialResult| Line { trial: TrialName::new(overview, trial), remark: remark(trial) };
    let lines = Listing::new(trials.iter().map(line));
    (!trials.is_empty()).then_some(Trouble { head, explained, is_folded: trials.len() > N_OPEN, lines })
}
