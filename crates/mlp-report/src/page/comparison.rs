//! Configurations beside each other: the table of the best, and what the ranking rests on.

use askama::Template;
use mlp_results::{Compared, Overview, n_validation_splits, text};

use super::best_table::BestTable;
use super::figure_list::FigureList;
use crate::figures::Figures;
use crate::input::ReportInput;
use crate::markup::render;

#[derive(Template)]
#[template(path = "comparison.html")]
struct Comparison<'a> {
    table: Option<BestTable>,
    /// On which samples trials are ranked, and on which they are shown.
    ranked_on: Compared,
    shown_on: Compared,
    /// Trials with a score, and those of them that have none of the samples that rank.
    n_trials: usize,
    n_unranked: usize,
    /// In how many ways validation samples were split off.
    n_splits: usize,
    /// Whether there are validation samples, which could have ranked.
    has_validation: bool,
    figures: FigureList<'a>,
}

/// How many trials with a score have none of the samples that rank, and of how many.
pub(super) fn n_unranked(overview: &Overview<'_>) -> (usize, usize) {
    let trials = overview.cells.iter().flat_map(|cell| &cell.trials).filter(|trial| overview.score(trial).is_some());
    let (n_unranked, n_trials) = trials.fold((0, 0), |(n_unranked, n_trials), trial| {
        (n_unranked + usize::from(overview.ranking().score(&trial.record).is_none()), n_trials + 1)
    });
    (n_unranked, n_trials)
}

/// The section, where there is more than one configuration.
pub(super) fn section(input: &ReportInput, overview: &Overview<'_>, figures: &Figures<'_>) -> Option<String> {
    if figures.comparison.is_empty() {
        return None;
    }
    let trials = || overview.cells.iter().flat_map(|cell| &cell.trials).filter(|trial| overview.score(trial).is_some());
    let (n_unranked, n_trials) = n_unranked(overview);
    Some(render(&Comparison {
        table: (!overview.varied.is_empty()).then(|| BestTable::new(overview, input.n_seeds)),
        ranked_on: overview.ranked_on,
        shown_on: overview.compared,
        n_trials,
        n_splits: n_validation_splits(trials().map(|trial| &trial.record)),
        n_unranked,
        has_validation: trials().any(|trial| trial.record.epochs.iter().any(|epoch| epoch.validation.is_some())),
        figures: FigureList { figures: &figures.comparison },
    }))
}

fn thousands(count: &usize) -> String {
    text::thousands(*count as u64)
}
