//! Configurations beside each other: the table of the best, and what the ranking rests on.

use askama::Template;
use mlp_results::score::final_validation;
use mlp_results::{Compared, Overview, TrialResult, text};

use super::best_table::BestTable;
use super::figure_list::FigureList;
use crate::figures::Figures;
use crate::markup::render;

#[derive(Template)]
#[template(path = "comparison.html")]
struct Comparison<'a> {
    table: Option<BestTable>,
    metric: &'static str,
    /// Whether trials are compared on a test set.
    is_tested: bool,
    n_trials: usize,
    n_validated: usize,
    figures: FigureList<'a>,
}

/// The section, where there is more than one configuration.
pub(super) fn section(overview: &Overview<'_>, figures: &Figures<'_>) -> Option<String> {
    if figures.comparison.is_empty() {
        return None;
    }
    let trials = || overview.cells.iter().flat_map(|cell| &cell.trials).filter(|trial| overview.score(trial).is_some());
    let is_validated = |trial: &&&TrialResult| {
        final_validation(&trial.record).is_some_and(|metrics| overview.metric.value(metrics).is_some())
    };
    Some(render(&Comparison {
        table: (!overview.varied.is_empty()).then(|| BestTable::new(overview)),
        metric: overview.metric.name(),
        is_tested: overview.compared == Compared::Test,
        n_trials: trials().count(),
        n_validated: trials().filter(is_validated).count(),
        figures: FigureList { figures: &figures.comparison },
    }))
}

fn thousands(count: usize) -> String {
    text::thousands(count as u64)
}
