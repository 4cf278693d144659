//! The table of the best configurations, with what their seeds say about each.

use crate::markup::html;
use mlp_results::Cell;
use mlp_results::Overview;
use mlp_results::interval::Interval;
use mlp_results::interval::range;
use mlp_results::text;

use std::fmt::Write as _;

use crate::page::IN_MEMORY;
use crate::palette;

/// How many configurations the table holds.
pub(crate) const N_BEST: usize = 20;

/// The best configurations with what is known about each; the first ones wear the colour of their line. Columns that say
/// nothing about these trials are left out: spreads of single runs, for one.
pub(crate) fn best_table(overview: &Overview<'_>) -> String {
    let metric = overview.metric;
    let columns = BestColumns::of(overview);
    let keys: Vec<String> = overview.varied.iter().map(|key| html(&key.key)).collect();
    let mut out = format!(
        "<p>Configurations by {} final {} on the {} set. {}</p>\n<div class=\"scroll\"><table><thead><tr>\
         <th scope=\"col\" class=\"left\">{}</th><th scope=\"col\">{}</th>",
        if columns.repeated { "the mean of their" } else { "their" },
        metric.title().to_lowercase(),
        overview.set_name(),
        if columns.repeated { INTERVALS } else { NO_INTERVALS },
        keys.join(" · "),
        if columns.repeated { "mean" } else { "score" },
    );
    if columns.repeated {
        out.push_str(
            "<th scope=\"col\">95 % interval</th><th scope=\"col\">difference to no. 1, 95 % interval</th>\
             <th scope=\"col\">spread of single runs</th><th scope=\"col\">lowest – highest</th>",
        );
    }
    out.push_str(if columns.trained { "<th scope=\"col\">trained</th>" } else { "" });
    out.push_str(if columns.finished { "<th scope=\"col\">finished</th>" } else { "" });
    out.push_str(if columns.seconds { "<th scope=\"col\">seconds per trial</th>" } else { "" });
    out.push_str("</tr></thead><tbody>\n");
    for (rank, cell) in overview.cells.iter().take(N_BEST).enumerate() {
        out.push_str(&best_row(overview, columns, rank, cell));
    }
    out.push_str("</tbody></table></div>\n");
    if overview.cells.len() > N_BEST {
        let n_cells = text::thousands(overview.cells.len() as u64);
        writeln!(out, "<p class=\"note\">The {N_BEST} best of {n_cells} configurations; the rest is in the table of all trials.</p>")
            .expect(IN_MEMORY);
    }
    out
}

const INTERVALS: &str = "The 95 % interval is Student’s, from the configuration’s own seeds: mean ± t · s / √n, cut at what \
    the measure can be. With two seeds t is 12.7, with three 4.3, with five 2.8, so few seeds make wide intervals. The \
    difference to no. 1 is taken seed by seed; an interval that holds 0 means that these runs do not tell the two apart. \
    The more configurations there are, the more of the lead of the one in front is luck.";
const NO_INTERVALS: &str = "Every configuration was run once, so nothing can be said about how much of a difference is \
    luck: to know, sweep over seeds, too.";

/// Which columns say something.
#[derive(Clone, Copy)]
struct BestColumns {
    /// Some configuration has several scores.
    repeated: bool,
    /// Some runs trained and some did not.
    trained: bool,
    /// Some trial has no score, or configurations differ in their number of trials.
    finished: bool,
    seconds: bool,
}

impl BestColumns {
    fn of(overview: &Overview<'_>) -> BestColumns {
        let cells = &overview.cells[..overview.cells.len().min(N_BEST)];
        let n_first = cells.first().map_or(0, |cell| cell.trials.len());
        BestColumns {
            repeated: cells.iter().any(|cell| cell.scores.len() > 1),
            trained: cells.iter().any(|cell| cell.is_two_heaps),
            finished: cells.iter().any(|cell| cell.trials.len() > 1)
                || cells.iter().any(|cell| cell.scores.len() < cell.trials.len() || cell.trials.len() != n_first),
            seconds: cells.iter().any(|cell| cell.seconds().is_some()),
        }
    }
}

fn best_row(overview: &Overview<'_>, columns: BestColumns, rank: usize, cell: &Cell<'_>) -> String {
    const NONE: &str = "–";
    let metric = overview.metric;
    let format = |value: Option<f64>| value.map_or_else(|| NONE.to_owned(), |value| metric.format(value));
    let chip = match palette::SERIES.get(rank) {
        Some(color) => format!(
            "<svg class=\"chip\" viewBox=\"0 0 12 12\" aria-hidden=\"true\"><circle cx=\"6\" cy=\"6\" r=\"6\" fill=\"{}\"/></svg>",
            palette::hex(color.light)
        ),
        None => "<span class=\"chip\"></span>".to_owned(),
    };
    let mut cells = vec![format!("<strong>{}</strong>", format(cell.mean()))];
    if columns.repeated {
        cells.push(match cell.interval() {
            Some(interval) => interval_text(overview, interval),
            None if cell.is_two_heaps => "two heaps".to_owned(),
            None => NONE.to_owned(),
        });
        let first = overview.cells.first().filter(|_| rank > 0);
        let difference = first.and_then(|first| overview.difference(cell, first));
        cells.push(difference.map_or_else(|| NONE.to_owned(), |difference| difference_text(overview, difference)));
        cells.push(format(cell.deviation()));
        let range = range(cell.scores.iter().copied()).filter(|_| cell.scores.len() > 1);
        cells.push(range.map_or_else(|| NONE.to_owned(), |(low, high)| range_text(overview, low, high)));
    }
    if columns.trained {
        let is_part = cell.n_trained < cell.scores.len();
        let class = if is_part { " class=\"status diverged\"" } else { "" };
        cells.push(format!("<span{class}>{} of {}</span>", cell.n_trained, cell.scores.len()));
    }
    if columns.finished {
        cells.push(finished_text(cell));
    }
    if columns.seconds {
        cells.push(cell.seconds().map_or_else(|| NONE.to_owned(), text::duration));
    }
    format!(
        "<tr><td class=\"left long\">{chip}<span class=\"rank\">no. {}</span> {}</td><td>{}</td></tr>\n",
        rank + 1,
        html(&cell.label),
        cells.join("</td><td>"),
    )
}

/// How many of a configuration's trials finished, and what became of the others.
fn finished_text(cell: &Cell<'_>) -> String {
    let mut out = format!("{} of {}", cell.scores.len(), cell.trials.len());
    for (count, word) in [(cell.n_diverged, "diverged"), (cell.n_failed, "failed"), (cell.n_stopped, "ended early")] {
        if count > 0 {
            let class = if word == "ended early" { "" } else { " diverged" };
            write!(out, ", <span class=\"status{class}\">{count} {word}</span>").expect(IN_MEMORY);
        }
    }
    out
}

/// `97.10 – 97.90 %`, cut at what the metric can be.
pub(crate) fn interval_text(overview: &Overview<'_>, interval: Interval) -> String {
    let (lowest, highest) = overview.metric.bounds();
    let (low, high) = interval.ends_within(lowest, highest);
    range_text(overview, low, high)
}

fn range_text(overview: &Overview<'_>, low: f64, high: f64) -> String {
    let (low, high) = (overview.metric.format(low), overview.metric.format(high));
    let low = if high.ends_with(" %") { low.trim_end_matches(" %") } else { &low };
    format!("{low} – {high}")
}

/// `−0.31 points (−0.70 to +0.08)`.
fn difference_text(overview: &Overview<'_>, difference: Interval) -> String {
    let format = |value: f64| overview.metric.format_difference(value).replace(" points", "");
    let (low, high) = difference.ends_within(f64::NEG_INFINITY, f64::INFINITY);
    format!("{} ({} to {})", overview.metric.format_difference(difference.mean), format(low), format(high))
}
