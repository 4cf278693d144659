//! The best configurations under each other: every seed a dot, the mean with its 95 % interval.

use mlp_results::interval::range;
use mlp_results::{Overview, text};

use crate::canvas::{Anchor, Canvas, Paint};
use crate::chart::{self, WIDTH};
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
    let height = TOP + cells.len() as f64 * ROW_HEIGHT + 34.0;
    let mut canvas = Canvas::new(WIDTH, height);
    let has_intervals = cells.iter().any(|cell| cell.interval().is_some());
    let title =
        format!("The best {} by {}", text::counted(cells.len(), "configuration"), metric.title().to_lowercase());
    let what =
        if has_intervals { "mean and 95 % t-interval over the seeds; dots: single runs" } else { "one run each" };
    chart::draw_heading(&mut canvas, &title, what);
    let fits = cells.iter().all(|cell| cell.short_label.chars().count() <= N_NAME && !cell.short_label.is_empty());
    let names: Vec<String> = cells
        .iter()
        .enumerate()
        .map(|(rank, cell)| if fits { cell.short_label.clone() } else { format!("no. {}", rank + 1) })
        .collect();
    let widest = names.iter().map(|name| chart::text_width(name, 12.0)).fold(30.0, f64::max);
    let (left, right) = (widest + 22.0, WIDTH - 78.0);
    let (lowest, highest) = metric.bounds();
    let ends = |cell: &mlp_results::Cell<'_>| {
        let (low, high) = cell.interval()?.ends_within(lowest, highest);
        Some((metric.on_axis(low), metric.on_axis(high)))
    };
    let scores = || cells.iter().flat_map(|cell| cell.scores.iter().map(|&score| metric.on_axis(score)));
    let (low, high) = range(scores()).unwrap_or((0.0, 1.0));
    // Intervals of two seeds are so wide that they would leave no room for anything else: their ends are cut.
    let room = (high - low).max(metric.on_axis(1e-3));
    let bars = range(cells.iter().filter_map(|cell| ends(cell)).flat_map(|(low, high)| [low, high]));
    let (bars_low, bars_high) = bars.unwrap_or((low, high));
    let axis = score_axis(overview, low.min(bars_low.max(low - room)), high.max(bars_high.min(high + room)));
    let place = |value: f64| axis.place(value).map_or(left, |share| left + share.clamp(0.0, 1.0) * (right - left));
    let bottom = TOP + cells.len() as f64 * ROW_HEIGHT;
    for (value, _) in &axis.ticks {
        canvas.line(&[(place(*value), TOP - 4.0), (place(*value), bottom)], Paint::line(palette::GRID, 1.0));
    }
    let ticks: Vec<(f64, &str)> = axis.ticks.iter().map(|(value, name)| (place(*value), name.as_str())).collect();
    chart::draw_tick_names(&mut canvas, &ticks, bottom + 14.0);
    let mut said = Vec::new();
    for (row, (cell, name)) in cells.iter().zip(&names).enumerate() {
        let y = TOP + (row as f64 + 0.5) * ROW_HEIGHT;
        canvas.text(name, (left - 10.0, y), Anchor::End, 12.0, palette::INK, false);
        if let Some((low, high)) = ends(cell) {
            canvas.line(&[(place(low), y), (place(high), y)], Paint::line(palette::BLUE, 1.6));
            for end in [low, high].into_iter().filter(|end| (axis.low..=axis.high).contains(end)) {
                canvas.line(&[(place(end), y - 4.0), (place(end), y + 4.0)], Paint::line(palette::BLUE, 1.6));
            }
        }
        for &score in cell.scores.iter().filter(|_| cell.scores.len() > 1) {
            canvas.dot((place(metric.on_axis(score)), y), 2.6, Paint::area(palette::MUTED, 0.6));
        }
        let Some(mean) = cell.mean().map(|mean| metric.on_axis(mean)) else { continue };
        let color = if cell.is_two_heaps { palette::VERMILION } else { palette::BLUE };
        let value = if cell.is_two_heaps {
            format!("{} of {}", cell.n_trained, cell.scores.len())
        } else {
            canvas.dot((place(mean), y), 4.5, Paint::area(color, 1.0));
            written(overview, mean)
        };
        canvas.text(&value, (WIDTH - 10.0, y), Anchor::End, 12.0, color, true);
        said.push(format!("{} {value}", text::shorten(name, N_NAME)));
    }
    canvas.finish(&title, &format!("{}: {}.", metric.measures(), said.join("; ")))
}
