//! The names of lines and levels at the right edge, moved apart until all can be read.

use super::lettering::FONT;
use crate::canvas::{Anchor, Canvas, Paint};
use crate::palette::Color;

/// The least distance between the middles of two names.
const NAME_DISTANCE: f64 = 15.0;

/// A name at the right edge, on its way to a place of its own.
pub(super) struct Name {
    pub(super) text: String,
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
        canvas.text(&name.text, (right + 10.0, name.y), Anchor::Start, FONT, name.color, name.bold);
    }
}

/// Moves the names, sorted by place, apart until none overlaps, and keeps them between `top` and `bottom` while they
/// fit there.
fn spread(names: &mut [Name], top: f64, bottom: f64) {
    for _ in 0..60 {
        for index in 1..names.len() {
            let overlap = NAME_DISTANCE - (names[index].y - names[index - 1].y);
            if overlap > 0.0 {
                names[index - 1].y -= overlap / 2.0;
                names[index].y += overlap / 2.0;
            }
        }
        if let Some(first) = names.first_mut() {
            first.y = first.y.max(top);
        }
        if let Some(last) = names.last_mut() {
            last.y = last.y.min(bottom);
        }
    }
    // Whatever the edges left in disorder goes down in order.
    for index in 1..names.len() {
        names[index].y = names[index].y.max(names[index - 1].y + NAME_DISTANCE * 0.9);
    }
}
