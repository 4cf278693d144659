//! The names of lines and levels at the right edge, moved apart until all can be read.

use super::lettering::{FONT, LINE, draw_lines};
use crate::canvas::{Anchor, Canvas, Paint};
use crate::palette::Color;

/// The least distance between two names.
const GAP: f64 = 1.0;

/// A name at the right edge, on its way to a place of its own.
pub(super) struct Name {
    pub(super) lines: Vec<String>,
    pub(super) color: Color,
    pub(super) bold: bool,
    /// Where the line ends; a level's ends at the edge.
    pub(super) end: (f64, f64),
    pub(super) y: f64,
}

/// Draws the names beside `right`, between `top` and `bottom` while they fit there, with a thin line from where each line
/// of the chart ends.
pub(super) fn draw_names(canvas: &mut Canvas, mut names: Vec<Name>, right: f64, (top, bottom): (f64, f64)) {
    names.sort_by(|a, b| a.y.total_cmp(&b.y));
    spread(&mut names, top - 4.0, bottom + 4.0);
    for name in &names {
        let from = (name.end.0 + 3.0, name.end.1);
        let to = (right + 8.0, name.y);
        if to.0 - from.0 > 12.0 || (name.y - name.end.1).abs() > 3.0 {
            canvas
                .line(&[from, (right + 1.0, name.end.1), to], Paint { opacity: 0.45, ..Paint::line(name.color, 1.0) });
        }
        draw_lines(canvas, &name.lines, (right + 10.0, name.y), Anchor::Start, FONT, name.color, name.bold);
    }
}

/// Moves the names, sorted by place, apart until none overlaps, and keeps them between `top` and `bottom` while they
/// fit there.
fn spread(names: &mut [Name], top: f64, bottom: f64) {
    for _ in 0..60 {
        for index in 1..names.len() {
            let overlap = distance(&names[index - 1], &names[index]) - (names[index].y - names[index - 1].y);
            if overlap > 0.0 {
                names[index - 1].y -= overlap / 2.0;
                names[index].y += overlap / 2.0;
            }
        }
        if let Some(first) = names.first_mut() {
            first.y = first.y.max(top + half_height(first) - half_line());
        }
        if let Some(last) = names.last_mut() {
            last.y = last.y.min(bottom - half_height(last) + half_line());
        }
    }
    // Whatever the edges left in disorder goes down in order.
    for index in 1..names.len() {
        names[index].y = names[index].y.max(names[index - 1].y + distance(&names[index - 1], &names[index]) * 0.95);
    }
}

fn half_height(name: &Name) -> f64 {
    LINE * name.lines.len() as f64 / 2.0
}

fn half_line() -> f64 {
    LINE / 2.0
}

/// The least distance between the middles of two names.
fn distance(a: &Name, b: &Name) -> f64 {
    half_height(a) + half_height(b) + GAP
}
