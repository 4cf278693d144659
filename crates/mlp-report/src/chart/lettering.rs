//! Headings, the names of ticks, and how wide a text is.

use mlp_results::text::shorten;

use crate::canvas::{Anchor, Canvas};
use crate::palette;

/// The size of names and ticks, in pixels.
pub(super) const FONT: f64 = 12.5;
/// What a character takes on average in the sans-serif fonts of the usual systems, as a share of the font size.
pub(super) const CHARACTER_WIDTH: f64 = 0.6;
/// The same for bold ones.
pub(super) const CHARACTER_WIDTH_BOLD: f64 = 0.66;

/// The title in bold and, under it, what is measured.
pub fn draw_heading(canvas: &mut Canvas, title: &str, subtitle: &str) {
    canvas.text(&shorten(title, 46), (12.0, 18.0), Anchor::Start, 15.0, palette::INK, true);
    canvas.text(&shorten(subtitle, 62), (12.0, 37.0), Anchor::Start, 12.0, palette::MUTED, false);
}

/// The names of ticks at the given x, from left to right; one that would run into its neighbour is left out.
pub fn draw_tick_names(canvas: &mut Canvas, names: &[(f64, &str)], y: f64) {
    let mut free_from = f64::NEG_INFINITY;
    for &(x, name) in names {
        let half = text_width(name, FONT) / 2.0;
        if x - half >= free_from {
            canvas.text(name, (x, y), Anchor::Middle, FONT, palette::MUTED, false);
            free_from = x + half + 6.0;
        }
    }
}

/// The width in pixels that `text` takes at about `size`.
pub fn text_width(text: &str, size: f64) -> f64 {
    text.chars().count() as f64 * size * CHARACTER_WIDTH
}
