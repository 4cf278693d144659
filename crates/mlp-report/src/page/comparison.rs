//! Configurations beside each other: the table of the best, and what the ranking rests on.

use askama::Template;
use mlp_results::{Compared, Overview, text};

use super::best_table::BestTable;
use super::figure_list::FigureList;
use crate::figures::Figures;
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
    /// Whether there are validation samples, which could have ranked.
    has_validation: bool,
    figures: FigureList<'a>,
}

/// The section, where there is more than one configuration.
pub(super) fn section(overview: &Overview<'_>, figures: &Figures<'_>, n_seeds: usize) -> Option<String> {
    if figures.comparison.is_empty() {
        return None;
    }
    let trials = || overview.cells.iter().flat_map(|cell| &cell.trials).filter(|trial| overview.score(trial).is_some());
    let ranking = overview.ranking();
    Some(render(&Comparison {
        table: (!overview.varied.is_empty()).then(|| BestTable::new(overview, n_seeds)),
        ranked_on: overview.ranked_on,
        shown_on: overview.compared,
        n_trials: trials().count(),
        n_unranked: trials().filter(|trial| ranking.score(&trial.record).is_none()).count(),
        has_validation: trials().any(|trial| trial.record.epochs.iter().any(|epoch| epoch.validation.is_some())),
        figures: FigureList { figures: &figures.comparison },
    }))
}

fn thousands(count: &usize) -> String {
    text::thousands(*count as u64)
}
