//! Many configurations over many settings: parallel coordinates. Each setting is an axis, one under the other so that a
//! phone has room for their names; each configuration is a line from the top to its score at the bottom.

use mlp_results::interval::range;
use mlp_results::{Cell, Overview, text};

use crate::canvas::{Anchor, Canvas, Paint};
use crate::chart::{self, WIDTH};
use crate::effects::Effects;
use crate::factor::{Factor, Grouping};
use crate::palette;
use crate::score_axis::score_axis;

/// How many grey lines are drawn at most; of more, an even selection.
const N_CONTEXT: usize = 250;
/// The best tenth is blue, and of it at most so many.
const N_BEST: usize = 30;
/// How many keys are drawn at most, those with the largest effects.
const N_KEYS: usize = 10;
const ROW_HEIGHT: f64 = 84.0;
const TOP: f64 = 86.0;
/// How much of the distance between two values the lines through one of them spread over.
const SPREAD: f64 = 0.6;

/// The configurations with a score as an SVG document, the best tenth in blue.
pub fn parallel(overview: &Overview<'_>, effects: &Effects) -> String {
    let keys: Vec<_> = effects.keys.iter().take(N_KEYS).collect();
    let cells: Vec<&Cell<'_>> = overview.cells.iter().filter(|cell| !cell.scores.is_empty()).collect();
    let n_best = cells.len().div_ceil(10).min(N_BEST);
    let height = TOP + keys.len() as f64 * ROW_HEIGHT + 34.0;
    let mut canvas = Canvas::new(WIDTH, height);
    let title = format!("{} over all settings", overview.metric.title());
    let best = text::counted(n_best, "configuration");
    chart::draw_heading(&mut canvas, &title, &format!("a line is a configuration; blue: the best {best}"));
    let (left, right) = (24.0, WIDTH - 24.0);
    let x_of = |share: f64| left + share.clamp(0.0, 1.0) * (right - left);
    let row_y = |row: usize| TOP + row as f64 * ROW_HEIGHT;
    let means: Vec<f64> = cells.iter().filter_map(|cell| cell.mean()).map(|m| overview.metric.on_axis(m)).collect();
    let (low, high) = range(means.iter().copied()).unwrap_or((0.0, 1.0));
    let score_axis = score_axis(overview, low, high);

    let offsets: Vec<Vec<f64>> = keys.iter().map(|key| offsets(&cells, &key.factor)).collect();
    let line = |rank: usize, cell: &Cell<'_>| -> Vec<(f64, f64)> {
        let mut points: Vec<(f64, f64)> = keys
            .iter()
            .enumerate()
            .map(|(row, key)| {
                let n_levels = key.factor.names.len().max(1) as f64;
                let level = key.factor.level_of[cell.indices[key.factor.key]] as f64;
                (x_of((level + 0.5 + SPREAD * offsets[row][rank]) / n_levels), row_y(row))
            })
            .collect();
        let score = score_axis.place(means[rank]).unwrap_or(0.0);
        points.push((x_of(score), row_y(keys.len())));
        points
    };
    let step = cells.len().saturating_sub(n_best).div_ceil(N_CONTEXT).max(1);
    for (rank, cell) in cells.iter().enumerate().skip(n_best).step_by(step) {
        canvas.line(&line(rank, cell), Paint { opacity: 0.55, ..Paint::line(palette::CONTEXT, 1.0) });
    }
    for (rank, cell) in cells.iter().enumerate().take(n_best).rev() {
        canvas.line(&line(rank, cell), Paint { opacity: 0.75, ..Paint::line(palette::BLUE, 1.6) });
    }
    for (row, key) in keys.iter().enumerate() {
        let n_levels = key.factor.names.len().max(1) as f64;
        let places = (0..key.factor.names.len()).map(|level| (level as f64 + 0.5) / n_levels);
        // A range is named by its median: there is no room for its ends.
        let name = |level: usize| match &key.factor.numbers {
            Some(numbers) if key.factor.grouping == Grouping::Ranges => text::rounded_to(numbers[level], 2),
            _ => text::shorten(&key.factor.names[level], 16),
        };
        let names: Vec<(f64, String)> = places.enumerate().map(|(level, share)| (x_of(share), name(level))).collect();
        draw_row(&mut canvas, &overview.varied[key.factor.key].title, row_y(row), (left, right), &names);
    }
    let ticks: Vec<(f64, String)> = score_axis
        .ticks
        .iter()
        .filter_map(|(value, name)| Some((x_of(score_axis.place(*value)?), name.clone())))
        .collect();
    let name = format!("{}, {} set", overview.metric.title().to_lowercase(), overview.set_name());
    draw_row(&mut canvas, &name, row_y(keys.len()), (left, right), &ticks);
    let names: Vec<&str> = keys.iter().map(|key| overview.varied[key.factor.key].title.as_str()).collect();
    let description = format!("{} configurations over {}.", cells.len(), names.join(", "));
    canvas.finish(&title, &description)
}

/// For each configuration how far its line stands beside its value's middle, from −½ to ½: the best in the middle, the
/// others to its left and right in turn.
fn offsets(cells: &[&Cell<'_>], factor: &Factor) -> Vec<f64> {
    let level = |cell: &Cell<'_>| factor.level_of[cell.indices[factor.key]];
    let mut n_cells = vec![0usize; factor.names.len()];
    cells.iter().for_each(|cell| n_cells[level(cell)] += 1);
    let mut n_before = vec![0usize; factor.names.len()];
    let offset = |cell: &&Cell<'_>| {
        let level = level(cell);
        let place = n_before[level];
        n_before[level] += 1;
        let side = if place.is_multiple_of(2) { 1.0 } else { -1.0 };
        // Few lines stand close together, many fill the room.
        side * place.div_ceil(2) as f64 / n_cells[level].max(12) as f64
    };
    cells.iter().map(offset).collect()
}

/// An axis with its name above and its values below, on a ground that keeps them readable over the lines.
fn draw_row(canvas: &mut Canvas, name: &str, y: f64, (left, right): (f64, f64), ticks: &[(f64, String)]) {
    canvas.line(&[(left, y), (right, y)], Paint::line(palette::MUTED, 1.2));
    let name = text::shorten(name, 40);
    let width = chart::text_width(&name, 12.0) * 1.1;
    canvas.rectangle((left - 4.0, y - 23.0), (left + width, y - 4.0), Paint::area(palette::GROUND, 0.9));
    canvas.text(&name, (left, y - 13.0), Anchor::Start, 12.0, palette::INK, true);
    let mut free_from = f64::NEG_INFINITY;
    for (x, name) in ticks {
        canvas.line(&[(*x, y - 3.0), (*x, y + 3.0)], Paint::line(palette::MUTED, 1.2));
        let half = chart::text_width(name, 12.0) / 2.0;
        if x - half >= free_from {
            canvas.rectangle((x - half, y + 6.0), (x + half, y + 21.0), Paint::area(palette::GROUND, 0.9));
            canvas.text(name, (*x, y + 14.0), Anchor::Middle, 12.0, palette::MUTED, false);
            free_from = x + half + 6.0;
        }
    }
}
