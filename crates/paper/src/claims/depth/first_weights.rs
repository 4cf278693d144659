//! Accuracy over offset and half-width of the first weights.

use std::fmt::Write as _;

use mlp_report::canvas::{Anchor, Canvas, Paint};
use mlp_report::{chart, palette};
use mlp_results::text::thousands;

use crate::claims::wording;
use crate::figures::{Figure, PERCENT, rounded};
use crate::findings::Findings;
use crate::row::Row;
use crate::selection::Selection;

/// Offset and half-width of weights drawn from [0, 1).
const PAPERS_WEIGHTS: (f64, f64) = (0.5, 0.5);
/// Where the table begins, and how high its rows are, in pixels.
const LEFT: f64 = 64.0;
const TOP: f64 = 96.0;
const ROW_HEIGHT: f64 = 34.0;

/// Networks whose weights begin in offset ± half-width.
struct Cell {
    offset: f64,
    half_width: f64,
    accuracy: f64,
}

pub(super) fn figure(findings: &Findings) -> Option<Figure> {
    let rows = findings.sweep("phases");
    let cells = cells(&rows)?;
    if cells.is_empty() {
        return None;
    }
    let mut csv = String::from("offset,half_width,accuracy\n");
    for Cell { offset, half_width, accuracy } in &cells {
        let _ = writeln!(csv, "{offset},{half_width},{accuracy}");
    }
    let (n_train, epochs, seeds) =
        (thousands(rows.n_train() as u64), rows.first_number("epochs"), wording::seeds(&rows));
    Some(Figure {
        name: "phases".to_owned(),
        svg: draw(&cells),
        csv,
        caption: format!(
            "Three hidden layers with biases, {n_train} training images, cross-entropy, batches of 32, {epochs} epochs, weights \
             drawn evenly from offset ± half-width, mean of {seeds}. Framed: the paper's weights, offset 0.5 and half-width 0.5."
        ),
    })
}

/// A cell for each pair of offset and half-width; nothing if an initialiser has no ends.
fn cells(rows: &Selection<'_>) -> Option<Vec<Cell>> {
    let ends = |row: &Row| {
        let end = |key: &str| row.config.get("initializer")?.get(key)?.as_f64();
        Some((end("low")?, end("high")?))
    };
    let cell = |initializer: &serde_json::Value| {
        let alike = rows.with("initializer", initializer);
        let (low, high) = alike.rows.first().and_then(|row| ends(row))?;
        Some(Cell {
            offset: rounded((low + high) / 2.0),
            half_width: rounded((high - low) / 2.0),
            accuracy: alike.mean(Row::accuracy),
        })
    };
    rows.values("initializer").iter().map(cell).collect()
}

fn draw(cells: &[Cell]) -> String {
    let offsets = ascending(cells.iter().map(|cell| cell.offset));
    let half_widths = ascending(cells.iter().map(|cell| cell.half_width));
    let column = (chart::WIDTH - LEFT - 12.0) / half_widths.len() as f64;
    let bottom = TOP + ROW_HEIGHT * offsets.len() as f64;
    let mut canvas = Canvas::new(chart::WIDTH, bottom + 46.0);
    chart::draw_heading(
        &mut canvas,
        "Where the weights begin",
        "% of test digits; weights uniform in offset ± half-width",
    );
    for (position, half_width) in half_widths.iter().enumerate() {
        let middle = (LEFT + (position as f64 + 0.5) * column, TOP - 14.0);
        canvas.text(&format!("± {half_width}"), middle, Anchor::Middle, 11.5, palette::MUTED, false);
    }
    for (down, offset) in offsets.iter().enumerate() {
        let y = TOP + down as f64 * ROW_HEIGHT;
        canvas.text(&offset.to_string(), (LEFT - 10.0, y + ROW_HEIGHT / 2.0), Anchor::End, 12.0, palette::MUTED, false);
        for (across, half_width) in half_widths.iter().enumerate() {
            if let Some(cell) = cells.iter().find(|cell| cell.offset == *offset && cell.half_width == *half_width) {
                draw_cell(&mut canvas, cell, (LEFT + across as f64 * column, y), column);
            }
        }
    }
    canvas.text("offset down, half-width across", (LEFT, bottom + 18.0), Anchor::Start, 12.0, palette::MUTED, false);
    let right = chart::WIDTH - 12.0;
    canvas.text("framed: the paper's", (right, bottom + 18.0), Anchor::End, 12.0, palette::VERMILION, false);
    canvas.finish("Where the weights begin", "Accuracy over offset and half-width of the first weights.")
}

fn draw_cell(canvas: &mut Canvas, cell: &Cell, (x, y): (f64, f64), column: f64) {
    let (from, to) = ((x + 1.0, y + 1.0), (x + column - 1.0, y + ROW_HEIGHT - 1.0));
    canvas.rectangle(from, to, Paint::area(palette::BLUE, 0.04 + 0.54 * cell.accuracy));
    let center = ((from.0 + to.0) / 2.0, (from.1 + to.1) / 2.0);
    let is_papers = (cell.offset, cell.half_width) == PAPERS_WEIGHTS;
    if is_papers {
        let corners = [from, (to.0, from.1), to, (from.0, to.1), from];
        canvas.line(&corners, Paint::line(palette::VERMILION, 2.0));
    }
    canvas.text(&format!("{:.0}", PERCENT * cell.accuracy), center, Anchor::Middle, 12.0, palette::INK, is_papers);
}

/// Each value once, by size.
fn ascending(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.dedup();
    values
}
