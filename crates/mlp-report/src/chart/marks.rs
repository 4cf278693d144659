//! Marks that stand for what has no place of its own: what is off the scale, and what has no score.

use crate::canvas::{Canvas, Paint};
use crate::palette::{self, Color};

/// Where a value lies that is off an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Beyond {
    Left,
    Right,
    Below,
    Above,
}

/// A small triangle at the edge of a plot, pointing to where the value lies.
pub(crate) fn draw_beyond(canvas: &mut Canvas, (x, y): (f64, f64), beyond: Beyond, color: Color) {
    let (long, half) = (7.0, 4.5);
    let corners = match beyond {
        Beyond::Left => [(x - long, y), (x, y - half), (x, y + half)],
        Beyond::Right => [(x + long, y), (x, y - half), (x, y + half)],
        Beyond::Below => [(x, y + long), (x - half, y), (x + half, y)],
        Beyond::Above => [(x, y - long), (x - half, y), (x + half, y)],
    };
    canvas.polygon(&corners, Paint::area(color, 0.8));
}

/// A cross: no score, or the numbers overflowed here.
pub(crate) fn draw_cross(canvas: &mut Canvas, (x, y): (f64, f64), arm: f64, color: Color) {
    let paint = Paint::line(color, if arm > 4.0 { 2.0 } else { 1.4 });
    canvas.line(&[(x - arm, y - arm), (x + arm, y + arm)], paint);
    canvas.line(&[(x - arm, y + arm), (x + arm, y - arm)], paint);
}

/// The colour of trials without a score, and of those off the scale.
pub(crate) const BAD: Color = palette::VERMILION;
