//! The score over two settings at once.
//!
//! The shades must tell the good cells apart, and a single cell that failed must not take them all: so they cover a
//! [`ScoreScale`], and whatever is off it has the palest shade and says so in the legend.

use mlp_results::interval::mean;
use mlp_results::{Overview, text};

use crate::canvas::{Anchor, Canvas, Paint};
use crate::chart::lettering::{LINE, draw_lines, widest, wrap};
use crate::chart::{self, WIDTH};
use crate::factor::{Factor, Grouping, factors};
use crate::palette;
use crate::score_scale::ScoreScale;

/// How many values of each key are drawn at most.
const N_VALUES: usize = 24;
/// How opaque the palest and the strongest shade are.
const OPACITIES: (f64, f64) = (0.05, 0.58);
/// The room for the names of rows, in pixels.
const ROW_NAMES: f64 = 130.0;
/// The size of names.
const SIZE: f64 = 12.0;

/// What stands in a cell.
#[derive(Clone, Debug, Default)]
struct Square {
    scores: Vec<f64>,
    n_diverged: usize,
    n_failed: usize,
    n_stopped: usize,
}

/// The mean final score for each pair of values of two varied keys (given by their index), as an SVG document. The key
/// with more values runs downwards, where there is room for names; numbers drawn at random are taken together in ranges.
pub fn heat_map(overview: &Overview<'_>, first: usize, second: usize) -> String {
    let factors = factors(overview);
    let (Some(a), Some(b)) = (factors.get(first), factors.get(second)) else {
        return Canvas::new(WIDTH, 60.0).finish("Nothing varies", "Fewer than two keys take more than one value.");
    };
    if a.grouping == Grouping::LeftOut || b.grouping == Grouping::LeftOut {
        return Canvas::new(WIDTH, 60.0).finish("No heat map", "A key takes too many values without an order.");
    }
    if a.names.len() <= b.names.len() { draw(overview, a, b) } else { draw(overview, b, a) }
}

fn draw(overview: &Overview<'_>, x: &Factor, y: &Factor) -> String {
    let (x_key, y_key) = (&overview.varied[x.key], &overview.varied[y.key]);
    let (n_columns, n_rows) = (x.names.len().min(N_VALUES), y.names.len().min(N_VALUES));
    let title = format!("{}, {} set", overview.metric.title(), overview.set_name());
    let subtitle = format!("mean; {} downwards, {} across", y_key.title, x_key.title);
    let row_names: Vec<Vec<String>> =
        y.names.iter().take(n_rows).map(|name| wrap(name, SIZE, false, ROW_NAMES)).collect();
    let left = row_names.iter().map(|lines| widest(lines, SIZE, false)).fold(30.0, f64::max) + 22.0;
    let n_lines = row_names.iter().map(Vec::len).max().unwrap_or(1);
    let row_height = (if n_rows > 12 { 22.0 } else { 34.0f64 }).max(LINE * n_lines as f64 + 6.0);
    let column_width = (WIDTH - left - 12.0) / n_columns as f64;
    let names = ColumnNames::new(x, n_columns, column_width);
    let top = 68.0 + LINE * names.n_lines() as f64;
    let bottom = top + n_rows as f64 * row_height;
    let mut canvas = Canvas::new(WIDTH, bottom + 50.0);
    chart::draw_heading(&mut canvas, &title, &subtitle);

    let squares = squares(overview, (x, n_columns), (y, n_rows));
    let means: Vec<f64> = squares.iter().flatten().filter_map(|square| mean(&square.scores)).collect();
    let scale = ScoreScale::new(overview, &means).unwrap_or(ScoreScale { worst: 0.0, best: 1.0 });
    let (worst, best) = (scale.worst, scale.best);
    let marked = best_square(overview, &squares);
    for (column, lines) in names.lines.iter().enumerate() {
        let x = left + (column as f64 + 0.5) * column_width;
        let y = top - 7.0 - LINE * lines.len() as f64 / 2.0;
        draw_lines(&mut canvas, lines, (x, y), Anchor::Middle, names.size, palette::MUTED, false);
    }
    for (row, name) in row_names.iter().enumerate() {
        let from_y = top + row as f64 * row_height;
        let middle = from_y + row_height / 2.0;
        draw_lines(&mut canvas, name, (left - 10.0, middle), Anchor::End, SIZE, palette::MUTED, false);
        for (column, square) in squares[row].iter().enumerate() {
            let from_x = left + column as f64 * column_width;
            let (from, to) = ((from_x + 1.0, from_y + 1.0), (from_x + column_width - 1.0, from_y + row_height - 1.0));
            let hint = hint(overview, (x, column), (y, row), square);
            canvas.explained(&hint, |canvas| {
                draw_square(canvas, overview, (square, marked == Some((row, column))), (worst, best), from, to);
            });
        }
    }
    draw_legend(&mut canvas, overview, &means, (worst, best), (12.0, bottom + 22.0));
    let description = format!(
        "Means over {n_columns} by {n_rows} values; the stronger the blue, the better, from {} to {}.",
        overview.metric.format(worst),
        overview.metric.format(best),
    );
    canvas.finish(&title, &description)
}

/// Row and column of the best: of those of which the smallest share of trials was lost, as the mean over the others flatters.
fn best_square(overview: &Overview<'_>, squares: &[Vec<Square>]) -> Option<(usize, usize)> {
    let all = squares.iter().enumerate().flat_map(|(row, squares)| {
        squares
            .iter()
            .enumerate()
            .filter_map(move |(column, square)| Some(((row, column), square, mean(&square.scores)?)))
    });
    let share_lost = |square: &Square| {
        let n_lost = square.n_diverged + square.n_failed;
        n_lost as f64 / (n_lost + square.scores.len()) as f64
    };
    let by_score = |a: f64, b: f64| if overview.metric.higher_is_better() { b.total_cmp(&a) } else { a.total_cmp(&b) };
    all.min_by(|a, b| share_lost(a.1).total_cmp(&share_lost(b.1)).then_with(|| by_score(a.2, b.2))).map(|best| best.0)
}

/// The names of the columns, in as many lines as they need.
struct ColumnNames {
    lines: Vec<Vec<String>>,
    size: f64,
}

impl ColumnNames {
    fn new(factor: &Factor, n_columns: usize, width: f64) -> ColumnNames {
        let names: Vec<String> = (0..n_columns).map(|level| column_name(factor, level)).collect();
        // Small letters are better than letters in several lines, as far as they can be read.
        let longest = names.iter().map(|name| chart::text_width(name, 1.0)).fold(0.1, f64::max);
        let size = ((width - 3.0) / longest).clamp(9.0, SIZE);
        ColumnNames { lines: names.iter().map(|name| wrap(name, size, false, width - 2.0)).collect(), size }
    }

    fn n_lines(&self) -> usize {
        self.lines.iter().map(Vec::len).max().unwrap_or(1)
    }
}

/// `learning_rate 0.1, batch_size 32: 97.34 %, the mean of 3 runs; 1 diverged`.
fn hint(overview: &Overview<'_>, (x, column): (&Factor, usize), (y, row): (&Factor, usize), square: &Square) -> String {
    let name = |factor: &Factor, level: usize| {
        format!("{} {}", overview.varied[factor.key].key, text::shorten(&factor.names[level], 40))
    };
    let score = mean(&square.scores).map(|mean| match square.scores.len() {
        1 => overview.metric.format(mean),
        n => format!("{}, the mean of {n} runs", overview.metric.format(mean)),
    });
    let counts = [(square.n_diverged, "diverged"), (square.n_failed, "failed"), (square.n_stopped, "stopped early")];
    let counts = counts.into_iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}"));
    let said: Vec<String> = score.into_iter().chain(counts).collect();
    let said = if said.is_empty() { "not run".to_owned() } else { said.join("; ") };
    format!("{}, {}: {said}", name(x, column), name(y, row))
}

/// What a column is called; a range by its median, because there is no room for its ends.
fn column_name(factor: &Factor, level: usize) -> String {
    match &factor.numbers {
        Some(numbers) if factor.grouping == Grouping::Ranges => text::rounded_to(numbers[level], 2),
        _ => factor.names[level].clone(),
    }
}

fn draw_square(
    canvas: &mut Canvas,
    overview: &Overview<'_>,
    (square, is_marked): (&Square, bool),
    (worst, best): (f64, f64),
    from: (f64, f64),
    to: (f64, f64),
) {
    let center = ((from.0 + to.0) / 2.0, (from.1 + to.1) / 2.0);
    let Some(mean) = mean(&square.scores) else {
        // What became of a cell without a score, most telling first.
        let (mark, color) = match square {
            Square { n_diverged: 1.., n_stopped: 1.., .. } => ("× ○", palette::MUTED),
            Square { n_diverged: 1.., .. } => ("×", palette::VERMILION),
            Square { n_failed: 1.., .. } => ("!", palette::VERMILION),
            Square { n_stopped: 1.., .. } => ("○", palette::MUTED),
            _ => ("–", palette::MUTED),
        };
        canvas.rectangle(from, to, Paint::area(palette::GRID, 0.6));
        canvas.text(mark, center, Anchor::Middle, 13.0, color, false);
        return;
    };
    let share = if best == worst { 1.0 } else { ((mean - worst) / (best - worst)).clamp(0.0, 1.0) };
    canvas.rectangle(from, to, Paint::area(palette::BLUE, opacity(share)));
    let mut written = short_score(overview, mean);
    if square.n_diverged > 0 {
        written.push_str(" ×");
    }
    if chart::text_width(&written, 12.0) <= to.0 - from.0 {
        let is_beyond = overview.metric.is_better(worst, mean);
        let color = if is_beyond { palette::MUTED } else { palette::INK };
        canvas.text(&written, center, Anchor::Middle, 12.0, color, is_marked);
    }
}

fn opacity(share: f64) -> f64 {
    OPACITIES.0 + (OPACITIES.1 - OPACITIES.0) * share
}

/// The shades from the worst that has one of its own to the best.
fn draw_legend(
    canvas: &mut Canvas,
    overview: &Overview<'_>,
    means: &[f64],
    (worst, best): (f64, f64),
    (left, y): (f64, f64),
) {
    let (n_steps, width) = (10, 14.0);
    let is_cut = means.iter().any(|&mean| overview.metric.is_better(worst, mean));
    let or_worse = if is_cut { " or worse" } else { "" };
    let from_name = format!("{}{or_worse}", overview.metric.format(worst));
    let from = left + chart::text_width(&from_name, 12.0) + 8.0;
    canvas.text(&from_name, (left, y), Anchor::Start, 12.0, palette::MUTED, false);
    for step in 0..n_steps {
        let x = from + f64::from(step) * width;
        let share = f64::from(step) / f64::from(n_steps - 1);
        canvas.rectangle((x, y - 7.0), (x + width, y + 7.0), Paint::area(palette::BLUE, opacity(share)));
    }
    let end = from + f64::from(n_steps) * width + 8.0;
    canvas.text(&overview.metric.format(best), (end, y), Anchor::Start, 12.0, palette::MUTED, false);
}

/// For each row and column what became of the trials there.
fn squares(
    overview: &Overview<'_>,
    (x, n_columns): (&Factor, usize),
    (y, n_rows): (&Factor, usize),
) -> Vec<Vec<Square>> {
    let mut squares = vec![vec![Square::default(); n_columns]; n_rows];
    for cell in &overview.cells {
        let (column, row) = (x.level_of[cell.indices[x.key]], y.level_of[cell.indices[y.key]]);
        if column < n_columns && row < n_rows {
            let square = &mut squares[row][column];
            square.scores.extend_from_slice(&cell.scores);
            square.n_diverged += cell.n_diverged;
            square.n_failed += cell.n_failed;
            square.n_stopped += cell.n_stopped;
        }
    }
    squares
}

/// `97.3` for a fraction, three digits for the rest: cells are small.
fn short_score(overview: &Overview<'_>, score: f64) -> String {
    if overview.metric.is_fraction() { format!("{:.1}", score * 100.0) } else { format!("{score:.3}") }
}
