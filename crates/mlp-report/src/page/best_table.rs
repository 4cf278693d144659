//! The table of the best configurations, with what their seeds say about each.

use std::collections::BTreeSet;

use askama::Template;
use mlp_results::interval::range;
use mlp_results::{Cell, Overview, Status, text};

use super::interval_text::{difference_text, interval_text, range_text};
use crate::markup::shown;
use crate::palette;

/// How many configurations the table holds.
pub(super) const N_BEST: usize = 20;

/// Stands where nothing can be said.
const NONE: &str = "–";

/// The best configurations with what is known about each; the first ones wear the colour of their line. Columns that say
/// nothing about these trials are left out: spreads of single runs, for one.
#[derive(Template)]
#[template(path = "best_table.html")]
pub(super) struct BestTable {
    metric: String,
    set: &'static str,
    /// The set that ranks, where its scores are not those that are shown.
    ranked_on: Option<&'static str>,
    keys: String,
    columns: Columns,
    rows: Vec<Row>,
    /// The number of all configurations, where not all are in the table.
    n_cells_beyond: Option<String>,
    /// Whether some have other seeds than others.
    has_other_seeds: bool,
    /// Whether more seeds are planned.
    is_unfinished: bool,
    /// Whether seeds of any were stopped while others have scores.
    has_partly_stopped: bool,
    /// Whether seeds of any diverged or failed while others have scores.
    has_lost: bool,
}

/// Which columns say something.
struct Columns {
    /// Some configuration has several scores.
    repeated: bool,
    /// Some runs trained and some did not.
    trained: bool,
    /// Some trial has no score, or configurations differ in their number of trials.
    finished: bool,
    seconds: bool,
}

struct Row {
    color: Option<String>,
    /// `no. 3`; nothing where there is nothing to be ranked by.
    rank: Option<usize>,
    label: String,
    /// What it is ranked by.
    ranked: String,
    mean: String,
    interval: String,
    difference: String,
    spread: String,
    range: String,
    trained: Trained,
    finished: String,
    /// What became of the other trials, with the class of its mark.
    unfinished: Vec<(String, &'static str)>,
    seconds: String,
}

/// How many of the scores are those of networks that trained.
struct Trained {
    n: usize,
    n_scores: usize,
    is_part: bool,
}

impl BestTable {
    /// Of configurations that are to have `n_seeds` in the end, where that is known.
    pub(super) fn new(overview: &Overview<'_>, n_seeds: Option<usize>) -> BestTable {
        let n_cells = overview.cells.len();
        let best = &overview.cells[..n_cells.min(N_BEST)];
        let keys: Vec<String> = overview.varied.iter().map(|key| shown(&key.key)).collect();
        BestTable {
            metric: overview.metric.title().to_lowercase(),
            set: overview.set_name(),
            ranked_on: overview.is_ranked_apart().then(|| overview.ranked_on.title()),
            keys: if keys.len() > 1 { "configuration".to_owned() } else { keys.join("") },
            columns: Columns::new(best, n_seeds),
            rows: best.iter().enumerate().map(|(rank, cell)| Row::new(overview, rank, cell, n_seeds)).collect(),
            has_other_seeds: has_other_seeds(best),
            is_unfinished: n_seeds.is_some_and(|n_seeds| n_seeds > 1),
            has_lost: best.iter().any(|cell| cell.n_lost() > 0 && !cell.scores.is_empty()),
            has_partly_stopped: best.iter().any(Cell::is_partly_stopped),
            n_cells_beyond: (n_cells > N_BEST).then(|| text::thousands(n_cells as u64)),
        }
    }
}

/// Whether configurations with scores have scores of different seeds.
fn has_other_seeds(cells: &[Cell<'_>]) -> bool {
    let seeds = |cell: &Cell<'_>| -> BTreeSet<String> {
        let finished = cell.trials.iter().filter(|trial| trial.record.status == Status::Finished);
        finished.map(|trial| trial.record.setting("seed").map_or_else(String::new, ToString::to_string)).collect()
    };
    let all: BTreeSet<BTreeSet<String>> = cells.iter().filter(|cell| !cell.scores.is_empty()).map(seeds).collect();
    all.len() > 1
}

impl Columns {
    fn new(cells: &[Cell<'_>], n_seeds: Option<usize>) -> Columns {
        let n_first = cells.first().map_or(0, |cell| cell.trials.len());
        Columns {
            repeated: cells.iter().any(|cell| cell.scores.len() > 1),
            trained: cells.iter().any(|cell| cell.is_bimodal),
            finished: cells.iter().any(|cell| cell.trials.len() > 1)
                || cells.iter().any(|cell| cell.scores.len() < cell.trials.len() || cell.trials.len() != n_first)
                || n_seeds.is_some_and(|n_seeds| n_seeds > 1),
            seconds: cells.iter().any(|cell| cell.seconds().is_some()),
        }
    }
}

impl Row {
    fn new(overview: &Overview<'_>, rank: usize, cell: &Cell<'_>, n_seeds: Option<usize>) -> Row {
        let format = |value: Option<f64>| value.map_or_else(|| NONE.to_owned(), |value| overview.metric.format(value));
        let first = overview.cells.first().filter(|_| rank > 0);
        let difference = first.and_then(|first| match overview.difference(cell, first) {
            Some(interval) => Some(difference_text(overview, interval)),
            None => {
                let mean = overview.metric.format_difference(overview.mean_difference(cell, first)?);
                let is_torn = cell.is_bimodal || first.is_bimodal;
                Some(if is_torn { format!("{mean} in the mean") } else { format!("{mean}, with every seed") })
            }
        });
        let range = range(cell.scores.iter().copied()).filter(|_| cell.scores.len() > 1);
        let n_scores = cell.scores.len();
        Row {
            color: palette::SERIES.get(rank).map(|color| palette::hex(color.light)),
            rank: cell.ranking_mean().map(|_| rank + 1),
            // Of a single key the head of the column says which it is.
            label: shown(&if overview.varied.len() > 1 { overview.named_in_full(cell) } else { cell.label.clone() }),
            ranked: format(cell.ranking_mean()),
            mean: format(cell.mean()),
            interval: match cell.interval() {
                Some(interval) => interval_text(overview, interval),
                None if cell.is_bimodal => "two groups".to_owned(),
                None => NONE.to_owned(),
            },
            difference: difference.unwrap_or_else(|| NONE.to_owned()),
            // Two groups are not scattered around their mean.
            spread: format(cell.deviation().filter(|_| !cell.is_bimodal)),
            range: range.map_or_else(|| NONE.to_owned(), |(low, high)| range_text(overview, low, high)),
            trained: Trained { n: cell.n_trained, n_scores, is_part: cell.n_trained < n_scores },
            finished: format!("{n_scores} of {}", cell.trials.len().max(n_seeds.unwrap_or(0))),
            unfinished: unfinished(cell),
            seconds: cell.seconds().map_or_else(|| NONE.to_owned(), text::duration),
        }
    }
}

fn unfinished(cell: &Cell<'_>) -> Vec<(String, &'static str)> {
    let counts = [
        (cell.n_diverged, "diverged", "status diverged"),
        (cell.n_failed, "failed", "status diverged"),
        (cell.n_stopped, "ended early", "status"),
    ];
    let some = counts.into_iter().filter(|(count, _, _)| *count > 0);
    some.map(|(count, word, class)| (format!("{count} {word}"), class)).collect()
}
