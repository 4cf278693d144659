//! Thicker and thinner strokes.
//!
//! Dilation by a cross of five pixels takes for each pixel the lightest of itself and its four neighbours, and moves the
//! outline of light strokes outwards by one pixel; erosion takes the darkest, and moves it inwards (Serra 1982, "Image Analysis
//! and Mathematical Morphology"). By a fraction f of a pixel the outline moves when each pixel becomes (1 − f) times what it
//! was and f times what it would become: for the straight edge of a stroke whose pixels are as light as they are covered, along
//! rows or columns, that is exact.

use super::deformer::{BORDER, Padded};

/// Moves the outline of strokes outwards by `pixels`, or inwards where that is negative. The outcome is in `image`; `other` is
/// of the same size, with the same border.
pub(super) fn thicken(image: &mut Padded, other: &mut Padded, pixels: f64) {
    let is_thicker = pixels > 0.0;
    let mut rest = (pixels.abs() * UNIT + 0.5) as u32;
    while rest > 0 {
        let step = rest.min(UNIT as u32);
        if is_thicker {
            step_with(image, other, step as u16, |a: u8, b: u8| a.max(b));
        } else {
            step_with(image, other, step as u16, |a: u8, b: u8| a.min(b));
        }
        std::mem::swap(image, other);
        rest -= step;
    }
}

/// Parts of a pixel.
const UNIT: f64 = 256.0;

/// One step by `part` 256ths of a pixel.
fn step_with(from: &Padded, into: &mut Padded, part: u16, choose: impl Fn(u8, u8) -> u8) {
    let (stride, width) = (from.stride(), from.width());
    for y in 0..from.height() {
        let begin = (y + BORDER) * stride + BORDER;
        let row = |begin: usize| &from.pixels[begin..][..width];
        let (above, below, left, right) = (row(begin - stride), row(begin + stride), row(begin - 1), row(begin + 1));
        let (own, into) = (row(begin), &mut into.pixels[begin..][..width]);
        for x in 0..width {
            let chosen = choose(choose(choose(above[x], below[x]), choose(left[x], right[x])), own[x]);
            let (own, chosen) = (u16::from(own[x]), u16::from(chosen));
            // At most 255 · 256 + 128.
            into[x] = ((own * (256 - part) + chosen * part + 128) >> 8) as u8;
        }
    }
}
