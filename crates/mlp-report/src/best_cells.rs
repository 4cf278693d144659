//! The best configurations under each other: every seed a dot, the mean with its 95 % interval.

use mlp_results::interval::range;
use mlp_results::{Cell, Overview, text};

use crate::canvas::{Anchor, Canvas, Paint};
use crate::chart::{self, Axis, WIDTH};
use crate::palette;
use crate::score_axis::{score_axis, written};

/// How many configurations are drawn at most.
pub const N_CELLS: usize = 15;
const ROW_HEIGHT: f64 = 26.0;
const TOP: f64 = 62.0;
/// How long a configuration's name may be in a row.
const N_NAME: usize = 20;

/// The [`N_CELLS`] best configurations as an SVG document. A configuration of which only some runs trained has no
/// interval, but says how many did; one with a single run has none either.
pub fn best_cells(overview: &Overview<'_>) -> String {
    let cells: Vec<_> = overview.cells.iter().take(N_CELLS).filter(|cell| !cell.scores.is_empty()).collect();
    let metric = overview.metric;
    let rows = Rows::new(overview, &cells);
    let mut canvas = Canvas::new(WIDTH, rows.bottom + 34.0);
    let title =
        format!("The best {} by {}", text::counted(cells.len(), "configuration"), metric.title().to_lowercase());
    let has_intervals = cells.iter().any(|cell| cell.interval().is_some());
    let what =
        if has_intervals { "mean and 95 % t-interval over the seeds; dots: single runs" } else { "one run each" };
    chart::draw_heading(&mut canvas, &title, what);
    rows.draw_grid(&mut canvas);
    let mut said = Vec::new();
    for (row, cell) in cells.iter().enumerate() {
        if let Some(value) = rows.draw(&mut canvas, overview, row, cell) {
            said.push(format!("{} {value}", text::shorten(&rows.names[row], N_NAME)));
        }
    }
    canvas.finish(&title, &format!("{}: {}.", metric.measures(), said.join("; ")))
}

/// Where the rows and the scores stand.
struct Rows {
    names: Vec<String>,
    axis: Axis,
    left: f64,
    right: f64,
    bottom: f64,
}

impl Rows {
    fn new(overview: &Overview<'_>, cells: &[&Cell<'_>]) -> Rows {
        let names = names(cells);
        let widest = names.iter().map(|name| chart::text_width(name, 12.0)).fold(30.0, f64::max);
        let bottom = TOP + cells.len() as f64 * ROW_HEIGHT;
        Rows { names, axis: axis(overview, cells), left: widest + 22.0, right: WIDTH - 78.0, bottom }
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
        let y = TOP + (row as f64 + 0.5) * ROW_HEIGHT;
        canvas.text(&self.names[row], (self.left - 10.0, y), Anchor::End, 12.0, palette::INK, false);
        if let Some((low, high)) = ends(overview, cell) {
            canvas.line(&[(self.x(low), y), (self.x(high), y)], Paint::line(palette::BLUE, 1.6));
            for end in [low, high].into_iter().filter(|end| (self.axis.low..=self.axis.high).contains(end)) {
                canvas.line(&[(self.x(end), y - 4.0), (self.x(end), y + 4.0)], Paint::line(palette::BLUE, 1.6));
            }
        }
        for &score in cell.scores.iter().filter(|_| cell.scores.len() > 1) {
            canvas.dot((self.x(metric.on_axis(score)), y), 2.6, Paint::area(palette::MUTED, 0.6));
        }
        let mean = metric.on_axis(cell.mean()?);
        let (color, value) = if cell.is_bimodal {
            (palette::VERMILION, format!("{} of {}", cell.n_trained, cell.scores.len()))
        } else {
            canvas.dot((self.x(mean), y), 4.5, Paint::area(palette::BLUE, 1.0));
            (palette::BLUE, written(overview, mean))
        };
        canvas.text(&value, (WIDTH - 10.0, y), Anchor::End, 12.0, color, true);
        Some(value)
    }
}

/// The configurations' own names if all are short, or else their ranks.
fn names(cells: &[&Cell<'_>]) -> Vec<String> {
    let is_short = |cell: &&Cell<'_>| (1..=N_NAME).contains(&cell.short_label.chars().count());
    if cells.iter().all(is_short) {
        cells.iter().map(|cell| cell.short_label.clone()).collect()
    } else {
        (1..=cells.len()).map(|rank| format!("no. {rank}")).collect()
    }
}

/// The ends of a configuration's interval on the axis.
fn ends(overview: &Overview<'_>, cell: &Cell<'_>) -> Option<(f64, f64)> {
    let (lowest, highest) = overview.metric.bounds();
    let (low, high) = cell.interval()?.ends_within(lowest, highest);
    Some((overview.metric.on_axis(low), overview.metric.on_axis(high)))
}

fn axis(overview: &Overview<'_>, cells: &[&Cell<'_>]) -> Axis {
    let metric = overview.metric;
    let scores = cells.iter().flat_map(|cell| cell.scores.iter().map(|&score| metric.on_axis(score)));
    let (low, high) = range(scores).unwrap_or((0.0, 1.0));
    // Intervals of two seeds are so wide that they would leave no room for anything else: their ends are cut.
    let room = (high - low).max(metric.on_axis(1e-3));
    let bars = range(cells.iter().filter_map(|cell| ends(overview, cell)).flat_map(|(low, high)| [low, high]));
    let (bars_low, bars_high) = bars.unwrap_or((low, high));
    score_axis(overview, low.min(bars_low.max(low - room)), high.max(bars_high.min(high + room)))
}
