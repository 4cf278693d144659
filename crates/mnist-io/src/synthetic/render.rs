//! Ink: pixels from their distance to the strokes.

use super::SIDE;
use super::strokes::Point;
use crate::random;
use rand_chacha::ChaCha8Rng;

/// What the strokes are drawn with.
pub(super) struct Pen {
    /// Half of the width of a line in pixels.
    radius: f64,
    /// The pixels over which a line fades from ink to paper.
    softness: f64,
    /// The grey level of full ink, up to 255.
    intensity: f64,
    /// How much the radius grows (or, below 0, shrinks) from the beginning of a stroke to its end, as a part of it.
    swelling: f64,
}

impl Pen {
    pub(super) fn draw(generator: &mut ChaCha8Rng) -> Self {
        let (first, _) = random::normal_pair(generator);
        Self {
            radius: (1.25 + 0.32 * first).clamp(0.7, 2.1),
            softness: random::uniform_in(generator, 0.9, 1.7),
            intensity: random::uniform_in(generator, 215.0, 255.0),
            swelling: random::uniform_in(generator, -0.35, 0.25),
        }
    }
}

/// Draws strokes in pixel coordinates (the middle of the first pixel is at ½, ½) onto an image of zeros.
pub(super) fn ink(strokes: &[Vec<Point>], pen: &Pen, image: &mut [u8]) {
    for stroke in strokes {
        let n_segments = stroke.len().saturating_sub(1).max(1);
        for (index, pair) in stroke.windows(2).enumerate() {
            let progress = (index as f64 + 0.5) / n_segments as f64;
            let radius = pen.radius * (1.0 + pen.swelling * (progress - 0.5));
            ink_segment(pair[0], pair[1], radius, pen, image);
        }
    }
}

/// Draws a straight piece with round ends. Pieces overlap, so a pixel takes the darkest ink of all.
fn ink_segment(from: Point, to: Point, radius: f64, pen: &Pen, image: &mut [u8]) {
    let reach = radius + pen.softness / 2.0;
    let columns = pixels_between(from.x.min(to.x) - reach, from.x.max(to.x) + reach);
    let (dx, dy) = (to.x - from.x, to.y - from.y);
    let length_squared = (dx * dx + dy * dy).max(1e-12);
    for row in pixels_between(from.y.min(to.y) - reach, from.y.max(to.y) + reach) {
        let y = row as f64 + 0.5 - from.y;
        for column in columns.clone() {
            let x = column as f64 + 0.5 - from.x;
            let nearest = ((x * dx + y * dy) / length_squared).clamp(0.0, 1.0);
            let (away_x, away_y) = (x - nearest * dx, y - nearest * dy);
            let distance = libm::sqrt(away_x * away_x + away_y * away_y);
            let coverage = ((reach - distance) / pen.softness).clamp(0.0, 1.0);
            let pixel = &mut image[row * SIDE + column];
            *pixel = (*pixel).max((pen.intensity * coverage + 0.5) as u8);
        }
    }
}

/// The indices of the pixels that the interval touches, cut off at the image.
fn pixels_between(low: f64, high: f64) -> std::ops::Range<usize> {
    // The casts cut off below 0.
    (low as usize).min(SIDE)..(high as usize).saturating_add(1).min(SIDE)
}
