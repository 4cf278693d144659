//! Many configurations over many settings: parallel coordinates. Each setting is an axis, one under the other so that a
//! phone has room for their names; each configuration is a line from the top to its score at the bottom.

use mlp_results::{Cell, Overview, text};

use crate::canvas::{Anchor, Canvas, Paint};
use crate::chart::lettering::{LINE, measure, widest, wrap};
use crate::chart::marks::{BAD, Beyond, draw_beyond};
use crate::chart::{self, Axis, WIDTH};
use crate::effects::{Effects, KeyEffect};
use crate::factor::{Factor, Grouping};
use crate::hint;
use crate::palette;
use crate::score_axis::{off_scale, score_axis, with_note};
use crate::score_scale::ScoreScale;

/// How many grey lines are drawn at most; of more, an even selection.
const N_CONTEXT: usize = 250;
/// The best tenth is blue, and of it at most so many.
const N_BEST: usize = 30;
/// How many keys are drawn at most, those with the largest effects.
const N_KEYS: usize = 10;
const ROW_HEIGHT: f64 = 84.0;
const TOP: f64 = 86.0;
const LEFT: f64 = 24.0;
const RIGHT: f64 = WIDTH - 24.0;
/// How many characters of the names of settings that always change together are shown.
const N_TITLE: usize = 48;
/// The names of values are broken into lines where each has so much room, and into at most so many.
const N_ROOM: f64 = 36.0;
const N_LINES: usize = 4;
/// How much of the distance between two values the lines through one of them spread over.
const SPREAD: f64 = 0.6;

/// The configurations with a score as an SVG document, the best tenth in blue.
pub fn parallel(overview: &Overview<'_>, effects: &Effects) -> String {
    let rows = Rows::new(overview, effects);
    let mut canvas = Canvas::new(WIDTH, rows.y(rows.keys.len()) + 34.0);
    let title = format!("{} over all settings", overview.metric.title());
    let n_best = rows.cells.len().div_ceil(10).min(N_BEST);
    let best = text::counted(n_best, "configuration");
    let n_beyond = off_scale(&rows.scores, rows.means.iter().copied());
    let subtitle = format!("a line is a configuration; blue: the best {best}");
    chart::draw_heading(&mut canvas, &title, &with_note(&subtitle, n_beyond, "configuration"));
    let step = rows.cells.len().saturating_sub(n_best).div_ceil(N_CONTEXT).max(1);
    for rank in (n_best..rows.cells.len()).step_by(step) {
        let paint = Paint { opacity: 0.55, ..Paint::line(palette::CONTEXT, 1.0) };
        rows.draw_line(&mut canvas, overview, rank, paint);
    }
    for rank in (0..n_best).rev() {
        let paint = Paint { opacity: 0.75, ..Paint::line(palette::BLUE, 1.6) };
        rows.draw_line(&mut canvas, overview, rank, paint);
    }
    for (row, key) in rows.keys.iter().enumerate() {
        let title = text::shorten(&key.factor.title(overview), N_TITLE);
        draw_row(&mut canvas, &title, rows.y(row), &level_names(&key.factor));
    }
    let ticks = rows.scores.ticks.iter();
    let ticks: Vec<(f64, String)> =
        ticks.filter_map(|(value, name)| Some((x(rows.scores.place(*value)?), name.clone()))).collect();
    let name = format!("{}, {} set", overview.metric.title().to_lowercase(), overview.set_name());
    draw_row(&mut canvas, &name, rows.y(rows.keys.len()), &ticks);
    let names: Vec<String> = rows.keys.iter().map(|key| key.factor.title(overview)).collect();
    let description = format!("{} configurations over {}.", rows.cells.len(), names.join(", "));
    canvas.finish(&title, &description)
}

/// A row for each key, and one for the scores at the bottom.
struct Rows<'o, 'a> {
    keys: Vec<&'o KeyEffect>,
    /// The configurations with a score, best first.
    cells: Vec<&'o Cell<'a>>,
    /// For each row, for each configuration, how far its line stands beside its value's middle.
    offsets: Vec<Vec<f64>>,
    /// The means of the configurations, on the axis.
    means: Vec<f64>,
    scores: Axis,
}

impl<'o, 'a> Rows<'o, 'a> {
    fn new(overview: &'o Overview<'a>, effects: &'o Effects) -> Rows<'o, 'a> {
        let keys: Vec<&KeyEffect> = effects.keys.iter().take(N_KEYS).collect();
        let cells: Vec<&Cell<'_>> = overview.cells.iter().filter(|cell| !cell.scores.is_empty()).collect();
        let means: Vec<f64> = cells.iter().filter_map(|cell| cell.mean()).collect();
        let (low, high) = ScoreScale::of_axis(overview, &means).map_or((0.0, 1.0), |scale| scale.ends(overview));
        let means = means.into_iter().map(|mean| overview.metric.on_axis(mean)).collect();
        let offsets = keys.iter().map(|key| offsets(&cells, &key.factor)).collect();
        Rows { keys, cells, offsets, means, scores: score_axis(overview, low, high) }
    }

    fn y(&self, row: usize) -> f64 {
        TOP + row as f64 * ROW_HEIGHT
    }

    /// Draws the line of a configuration, with a mark at its foot where the score is off the scale.
    fn draw_line(&self, canvas: &mut Canvas, overview: &Overview<'_>, rank: usize, paint: Paint) {
        let y = self.y(self.keys.len());
        canvas.explained(&hint::configuration(overview, rank, self.cells[rank]), |canvas| {
            canvas.line(&self.line(rank), paint);
            match self.scores.place(self.means[rank]) {
                Some(share) if share < 0.0 => draw_beyond(canvas, (LEFT, y), Beyond::Left, BAD),
                Some(share) if share > 1.0 => draw_beyond(canvas, (RIGHT, y), Beyond::Right, BAD),
                _ => {}
            }
        });
    }

    /// The line of the configuration with this rank, from the top to its score.
    fn line(&self, rank: usize) -> Vec<(f64, f64)> {
        let point = |(row, key): (usize, &&KeyEffect)| {
            let n_levels = key.factor.names.len().max(1) as f64;
            let level = key.factor.level_of[self.cells[rank].indices[key.factor.key]] as f64;
            (x((level + 0.5 + SPREAD * self.offsets[row][rank]) / n_levels), self.y(row))
        };
        let mut points: Vec<(f64, f64)> = self.keys.iter().enumerate().map(point).collect();
        let score = self.scores.place(self.means[rank]).unwrap_or(0.0);
        points.push((x(score), self.y(self.keys.len())));
        points
    }
}

/// Where a share of the width stands.
fn x(share: f64) -> f64 {
    LEFT + share.clamp(0.0, 1.0) * (RIGHT - LEFT)
}

/// The names of a setting's values where they stand; a range is named by its median, because there is no room for its ends.
fn level_names(factor: &Factor) -> Vec<(f64, String)> {
    let n_levels = factor.names.len().max(1) as f64;
    let name = |level: usize| match &factor.numbers {
        Some(numbers) if factor.grouping == Grouping::Ranges => text::rounded_to(numbers[level], 2),
        _ => factor.names[level].clone(),
    };
    (0..factor.names.len()).map(|level| (x((level as f64 + 0.5) / n_levels), name(level))).collect()
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
fn draw_row(canvas: &mut Canvas, name: &str, y: f64, ticks: &[(f64, String)]) {
    canvas.line(&[(LEFT, y), (RIGHT, y)], Paint::line(palette::MUTED, 1.2));
    let names = wrap(name, 12.0, true, RIGHT - LEFT);
    for (line, name) in names.iter().rev().enumerate() {
        let y = y - 13.0 - LINE * line as f64;
        let right = LEFT + measure(name, 12.0, true) + 4.0;
        canvas.rectangle((LEFT - 4.0, y - 10.0), (right, y + 9.0), Paint::area(palette::GROUND, 0.9));
        canvas.text(name, (LEFT, y), Anchor::Start, 12.0, palette::INK, true);
    }
    let room = (RIGHT - LEFT) / ticks.len().max(1) as f64 - 6.0;
    let mut free_from = f64::NEG_INFINITY;
    for (x, name) in ticks {
        canvas.line(&[(*x, y - 3.0), (*x, y + 3.0)], Paint::line(palette::MUTED, 1.2));
        let is_number = name.trim_end_matches(" %").parse::<f64>().is_ok();
        let lines = if room < N_ROOM || is_number { vec![name.clone()] } else { wrap(name, 12.0, false, room) };
        let half = widest(&lines, 12.0, false) / 2.0;
        let x = x.clamp(half + 3.0, (WIDTH - half - 3.0).max(half + 3.0));
        if x - half >= free_from {
            for (line, name) in lines.iter().take(N_LINES).enumerate() {
                let y = y + 14.0 + LINE * line as f64;
                canvas.rectangle((x - half, y - 8.0), (x + half, y + 7.0), Paint::area(palette::GROUND, 0.9));
                canvas.text(name, (x, y), Anchor::Middle, 12.0, palette::MUTED, false);
            }
            free_from = x + half + 6.0;
        }
    }
}
