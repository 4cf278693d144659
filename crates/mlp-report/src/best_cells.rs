//! The best configurations under each other: every seed a dot, the mean with its 95 % interval.

use mlp_results::interval::range;
use mlp_results::{Cell, Overview, text};

use crate::canvas::{Anchor, Canvas, Paint};
use crate::chart::lettering::{LINE, draw_lines, widest, wrap};
use crate::chart::marks::{BAD, Beyond, draw_beyond};
use crate::chart::{self, Axis, WIDTH};
use crate::comparison::keys;
use crate::hint;
use crate::palette;
use crate::score_axis::{off_scale, score_axis, with_note, written};
use crate::score_scale::ScoreScale;

/// How many configurations are drawn at most.
pub const N_CELLS: usize = 15;
const ROW_HEIGHT: f64 = 26.0;
const TOP: f64 = 62.0;
/// The room for the names of configurations, in pixels, and how many lines they may take.
const NAMES: f64 = 150.0;
const N_LINES: usize = 3;
/// The same of names that say which setting each value is of.
const N_LINES_NAMED: usize = 2;

/// The [`N_CELLS`] best configurations as an SVG document. A configuration of which only some runs trained has its mean in another
/// colour and no interval; one with a single run has none either.
pub fn best_cells(overview: &Overview<'_>) -> String {
    let cells: Vec<_> = overview.cells.iter().take(N_CELLS).filter(|cell| !cell.scores.is_empty()).collect();
    let metric = overview.metric;
    let rows = Rows::new(overview, &cells);
    let mut canvas = Canvas::new(WIDTH, rows.bottom + 34.0);
    let title = format!("{} by {}", which(overview, cells.len()), metric.title().to_lowercase());
    let has_intervals = cells.iter().any(|cell| cell.interval().is_some());
    let what =
        if has_intervals { "mean and 95 % t-interval over the seeds; dots: single runs" } else { "one run each" };
    let scores = cells.iter().flat_map(|cell| cell.scores.iter().map(|&score| metric.on_axis(score)));
    let n_beyond = off_scale(&rows.axis, scores);
    let what = if rows.are_values { format!("{}; {what}", keys(overview)) } else { what.to_owned() };
    chart::draw_heading(&mut canvas, &title, &with_note(&what, n_beyond, "run"));
    rows.draw_grid(&mut canvas);
    let mut said = Vec::new();
    for (row, cell) in cells.iter().enumerate() {
        if let Some(value) = rows.draw(&mut canvas, overview, row, cell) {
            said.push(format!("{} {value}", rows.names[row].join(" ")));
        }
    }
    canvas.finish(&title, &format!("{}: {}.", metric.measures(), said.join("; ")))
}

/// `The best 15 configurations`, or `All 12 configurations` where no other has a result.
fn which(overview: &Overview<'_>, n_drawn: usize) -> String {
    let configurations = text::counted(n_drawn, "configuration");
    let n_scored = overview.cells.iter().filter(|cell| !cell.scores.is_empty()).count();
    match n_drawn {
        _ if n_drawn < n_scored => format!("The best {configurations}"),
        1 => "The only configuration with a result".to_owned(),
        _ if n_drawn < overview.cells.len() => format!("All {configurations} with a result"),
        _ => format!("All {configurations}"),
    }
}

/// Where the rows and the scores stand.
struct Rows {
    names: Vec<Vec<String>>,
    /// Whether the names are the values of settings alone.
    are_values: bool,
    axis: Axis,
    height: f64,
    left: f64,
    right: f64,
    bottom: f64,
}

impl Rows {
    fn new(overview: &Overview<'_>, cells: &[&Cell<'_>]) -> Rows {
        let in_full = names(cells, N_LINES_NAMED, |cell| overview.named(cell));
        let values = || names(cells, N_LINES, |cell| cell.short_label.clone());
        let ranks = || (1..=cells.len()).map(|rank| vec![format!("no. {rank}")]).collect();
        let (names, are_values) = match in_full {
            Some(names) => (names, false),
            None => values().map_or_else(|| (ranks(), false), |names| (names, true)),
        };
        let widest = names.iter().map(|lines| widest(lines, 12.0, false)).fold(30.0, f64::max);
        let n_lines = names.iter().map(Vec::len).max().unwrap_or(1);
        let height = ROW_HEIGHT.max(LINE * n_lines as f64 + 6.0);
        let bottom = TOP + cells.len() as f64 * height;
        Rows {
            names,
            are_values,
            axis: axis(overview, cells),
            height,
            left: widest + 22.0,
            right: WIDTH - 84.0,
            bottom,
        }
    }

    fn x(&self, value: f64) -> f64 {
        let share = self.axis.place(value);
        share.map_or(self.left, |share| self.left + share.clamp(0.0, 1.0) * (self.right - self.left))
    }

    fn draw_grid(&self, canvas: &mut Canvas) {
        let ticks: Vec<(f64, &str)> =
            self.axis.ticks.iter().map(|(value, name)| (self.x(*value), name.as_str())).collect();
        for (x, _) in &ticks {
            canvas.line(&[(*x, TOP - 4.0), (*x, self.bottom)], Paint::line(palette::GRID, 1.0));
        }
        chart::draw_tick_names(canvas, &ticks, self.bottom + 14.0);
    }

    /// Draws one configuration and returns what its row says.
    fn draw(&self, canvas: &mut Canvas, overview: &Overview<'_>, row: usize, cell: &Cell<'_>) -> Option<String> {
        let metric = overview.metric;
        let y = TOP + (row as f64 + 0.5) * self.height;
        draw_lines(canvas, &self.names[row], (self.left - 10.0, y), Anchor::End, 12.0, palette::INK, false);
        if let Some((low, high)) = ends(overview, cell) {
            canvas.line(&[(self.x(low), y), (self.x(high), y)], Paint::line(palette::BLUE, 1.6));
            for end in [low, high].into_iter().filter(|end| (self.axis.low..=self.axis.high).contains(end)) {
                canvas.line(&[(self.x(end), y - 4.0), (self.x(end), y + 4.0)], Paint::line(palette::BLUE, 1.6));
            }
        }
        let scored = cell.trials.iter().filter_map(|trial| Some((*trial, overview.score(trial)?)));
        for (trial, score) in scored.filter(|_| cell.scores.len() > 1) {
            let hint = hint::trial(overview, cell, trial, Some(score));
            self.mark(canvas, y, metric.on_axis(score), &hint, (2.6, Paint::area(palette::MUTED, 0.6)));
        }
        let mean = metric.on_axis(cell.mean()?);
        let color = if cell.is_bimodal { palette::VERMILION } else { palette::BLUE };
        let rank = overview.cells.iter().position(|other| std::ptr::eq(other, cell)).unwrap_or(row);
        let hint = hint::configuration(overview, rank, cell);
        self.mark(canvas, y, mean, &hint, (4.5, Paint::area(color, 1.0)));
        let value = written(overview, mean);
        canvas.text(&value, (WIDTH - 10.0, y), Anchor::End, 12.0, color, true);
        Some(value)
    }

    /// A dot, or a mark at the edge where the value is off the scale.
    fn mark(&self, canvas: &mut Canvas, y: f64, value: f64, hint: &str, (radius, paint): (f64, Paint)) {
        let place = (self.x(value), y);
        canvas.explained(hint, |canvas| match self.axis.place(value) {
            Some(share) if share < 0.0 => draw_beyond(canvas, place, Beyond::Left, BAD),
            Some(share) if share > 1.0 => draw_beyond(canvas, place, Beyond::Right, BAD),
            _ => canvas.dot(place, radius, paint),
        });
    }
}

/// The configurations' own names if all are short.
fn names(cells: &[&Cell<'_>], n_lines: usize, name: impl Fn(&Cell<'_>) -> String) -> Option<Vec<Vec<String>>> {
    let names: Vec<Vec<String>> = cells.iter().map(|cell| wrap(&name(cell), 12.0, false, NAMES)).collect();
    let are_short = names.iter().all(|lines| lines.len() <= n_lines);
    (are_short && cells.iter().all(|cell| !cell.short_label.is_empty())).then_some(names)
}

/// The ends of a configuration's interval on the axis.
fn ends(overview: &Overview<'_>, cell: &Cell<'_>) -> Option<(f64, f64)> {
    let (lowest, highest) = overview.metric.bounds();
    let (low, high) = cell.interval()?.ends_within(lowest, highest);
    Some((overview.metric.on_axis(low), overview.metric.on_axis(high)))
}

fn axis(overview: &Overview<'_>, cells: &[&Cell<'_>]) -> Axis {
    let metric = overview.metric;
    let scores: Vec<f64> = cells.iter().flat_map(|cell| cell.scores.iter().copied()).collect();
    let (low, high) = ScoreScale::of_axis(overview, &scores).map_or((0.0, 1.0), |scale| scale.ends(overview));
    // Intervals of two seeds are so wide that they would leave no room for anything else: their ends are cut.
    let room = (high - low).max(metric.on_axis(1e-3));
    let bars = range(cells.iter().filter_map(|cell| ends(overview, cell)).flat_map(|(low, high)| [low, high]));
    let (bars_low, bars_high) = bars.unwrap_or((low, high));
    score_axis(overview, low.min(bars_low.max(low - room)), high.max(bars_high.min(high + room)))
}
