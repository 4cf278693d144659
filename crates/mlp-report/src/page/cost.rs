//! What the best scores cost.

use askama::Template;
use mlp_results::{Overview, text};

use super::best_table::N_BEST;
use super::figure_list::FigureList;
use crate::cost::front;
use crate::figures::Figures;
use crate::markup::{render, shown};

#[derive(Template)]
#[template(path = "cost.html")]
struct Cost<'a> {
    rows: Vec<Row>,
    n_more: usize,
    /// Whether some configuration lost trials that others did not lose.
    has_lost: bool,
    figures: FigureList<'a>,
}

struct Row {
    /// Counted from 1.
    rank: usize,
    label: String,
    seconds: String,
    mean: String,
}

/// The section, where configurations have both a score and seconds.
pub(super) fn section(overview: &Overview<'_>, figures: &Figures<'_>) -> Option<String> {
    if figures.cost.is_empty() {
        return None;
    }
    let front = front(overview);
    let row = |&rank: &usize| {
        let cell = &overview.cells[rank];
        Row {
            rank: rank + 1,
            label: shown(&overview.named_in_full(cell)),
            seconds: cell.seconds().map(text::duration).unwrap_or_default(),
            mean: cell.mean().map(|mean| overview.metric.format(mean)).unwrap_or_default(),
        }
    };
    Some(render(&Cost {
        rows: front.iter().take(N_BEST).map(row).collect(),
        n_more: front.len().saturating_sub(N_BEST),
        has_lost: overview.cells.iter().any(|cell| cell.n_lost() > 0 && !cell.scores.is_empty()),
        figures: FigureList { figures: &figures.cost },
    }))
}
