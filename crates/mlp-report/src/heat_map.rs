//! The score over two settings at once.

use crate::canvas::{Anchor, Canvas, Paint};
use crate::chart::{self, WIDTH};
use crate::overview::{Overview, VariedKey};
use crate::{palette, text};

/// How many values of each key are drawn at most.
const N_VALUES: usize = 24;

/// The mean final score for each pair of values of two varied keys (given by their index), as an SVG document. The key
/// with more values runs downwards, where there is room for names.
pub fn heat_map(overview: &Overview<'_>, first: usize, second: usize) -> String {
    let (Some(a), Some(b)) = (overview.varied.get(first), overview.varied.get(second)) else {
        return Canvas::new(WIDTH, 60.0).finish("Nothing varies", "Fewer than two keys take more than one value.");
    };
    if a.values.len() <= b.values.len() {
        draw(overview, (first, a), (second, b))
    } else {
        draw(overview, (second, b), (first, a))
    }
}

fn draw(overview: &Overview<'_>, (x_index, x): (usize, &VariedKey), (y_index, y): (usize, &VariedKey)) -> String {
    let (n_columns, n_rows) = (x.values.len().min(N_VALUES), y.values.len().min(N_VALUES));
    let title = format!("{}, {} set", overview.metric.title(), overview.set_name());
    let subtitle = format!("mean over seeds; {} downwards, {} across", y.title, x.title);
    let row_names: Vec<String> = y.short_names.iter().take(n_rows).map(|name| text::shorten(name, 18)).collect();
    let left = row_names.iter().map(|name| chart::text_width(name, 12.0)).fold(30.0, f64::max) + 22.0;
    let (top, row_height) = (82.0, if n_rows > 12 { 22.0 } else { 34.0 });
    let column_width = (WIDTH - left - 12.0) / n_columns as f64;
    let mut canvas = Canvas::new(WIDTH, top + n_rows as f64 * row_height + 16.0);
    chart::draw_heading(&mut canvas, &title, &subtitle);

    let means = means(overview, (x_index, n_columns), (y_index, n_rows));
    let (low, high) = chart::range(means.iter().flatten().flatten().copied()).unwrap_or((0.0, 1.0));
    let n_characters = (column_width / (12.0 * 0.58)) as usize;
    for (column, name) in x.short_names.iter().take(n_columns).enumerate() {
        let middle = left + (column as f64 + 0.5) * column_width;
        canvas.text(
            &text::shorten(name, n_characters.max(3)),
            (middle, top - 14.0),
            Anchor::Middle,
            12.0,
            palette::MUTED,
            false,
        );
    }
    for (row, name) in row_names.iter().enumerate() {
        let from_y = top + row as f64 * row_height;
        let middle = from_y + row_height / 2.0;
        canvas.text(name, (left - 10.0, middle), Anchor::End, 12.0, palette::MUTED, false);
        for (column, mean) in means[row].iter().enumerate() {
            let from_x = left + column as f64 * column_width;
            let (from, to) = ((from_x + 1.0, from_y + 1.0), (from_x + column_width - 1.0, from_y + row_height - 1.0));
            let center = (from_x + column_width / 2.0, middle);
            match mean {
                Some(mean) => {
                    let share = if high > low { (mean - low) / (high - low) } else { 1.0 };
                    let share = if overview.metric.higher_is_better() { share } else { 1.0 - share };
                    canvas.rectangle(from, to, Paint::area(palette::BLUE, 0.05 + 0.5 * share));
                    let written = short_score(overview, *mean);
                    if chart::text_width(&written, 12.0) <= column_width - 2.0 {
                        canvas.text(&written, center, Anchor::Middle, 12.0, palette::INK, share > 0.999);
                    }
                }
                None => {
                    canvas.rectangle(from, to, Paint::area(palette::GRID, 0.6));
                    canvas.text("–", center, Anchor::Middle, 12.0, palette::MUTED, false);
                }
            }
        }
    }
    let description = format!(
        "Means from {} to {} over {} by {} values; the stronger the blue, the better; a dash means no result.",
        overview.metric.format(low),
        overview.metric.format(high),
        n_columns,
        n_rows
    );
    canvas.finish(&title, &description)
}

/// For each row and column the mean of the scores of the cells there.
fn means(
    overview: &Overview<'_>,
    (x_index, n_columns): (usize, usize),
    (y_index, n_rows): (usize, usize),
) -> Vec<Vec<Option<f64>>> {
    let mut scores = vec![vec![Vec::new(); n_columns]; n_rows];
    for cell in &overview.cells {
        let (column, row) = (cell.indices[x_index], cell.indices[y_index]);
        if column < n_columns && row < n_rows {
            scores[row][column].extend_from_slice(&cell.scores);
        }
    }
    let mean = |scores: Vec<f64>| (!scores.is_empty()).then(|| scores.iter().sum::<f64>() / scores.len() as f64);
    scores.into_iter().map(|row| row.into_iter().map(mean).collect()).collect()
}

/// `97.3` for a fraction, three digits for the rest: cells are small.
fn short_score(overview: &Overview<'_>, score: f64) -> String {
    if overview.metric.is_fraction() { format!("{:.1}", score * 100.0) } else { format!("{score:.3}") }
}
