//! A digit of 28 × 28 pixels as strokes of ink at any size, slant and thickness.

use image::{GrayImage, Luma, imageops};
use mnist_io::LabeledImages;
use ndarray::{Array2, Axis};

use super::Dice;

/// The digit is enlarged by this before anything else, so that its strokes have smooth edges.
const ENLARGEMENT: usize = 8;

/// How a digit is written.
#[derive(Clone, Copy)]
pub(crate) struct Hand {
    /// The longer side of the digit in pixels of the picture.
    pub(crate) size: f32,
    /// Degrees, clockwise.
    pub(crate) angle: f32,
    /// What is ink: all that is darker than this in the enlarged digit, from 0 to 1. A high level makes thin lines.
    pub(crate) level: f32,
}

/// How much of each pixel is covered by ink, 0 to 1, cut to the digit; at least one pixel wide and high.
pub(crate) fn written(set: &LabeledImages, index: usize, hand: Hand) -> Array2<f32> {
    let digit = set.images.index_axis(Axis(0), index);
    let side = (28 * ENLARGEMENT) as u32;
    let small = GrayImage::from_fn(28, 28, |x, y| Luma([digit[[y as usize, x as usize]]]));
    let large = imageops::resize(&small, side, side, imageops::FilterType::CatmullRom);
    // The box of MNIST's digits has 20 pixels.
    let scale = 20.0 * ENLARGEMENT as f32 / hand.size;
    let room = (hand.size * 2.0) as usize;
    let (sine, cosine) = hand.angle.to_radians().sin_cos();
    let middle = room as f32 / 2.0;
    let softness = (0.9 * scale / ENLARGEMENT as f32).max(0.08);
    let ink = Array2::from_shape_fn((room, room), |(y, x)| {
        let (dx, dy) = (x as f32 + 0.5 - middle, y as f32 + 0.5 - middle);
        let u = (dx * cosine + dy * sine) * scale + side as f32 / 2.0 - 0.5;
        let v = (dy * cosine - dx * sine) * scale + side as f32 / 2.0 - 0.5;
        ((sample(&large, u, v) - hand.level) / softness + 0.5).clamp(0.0, 1.0)
    });
    cut(&ink)
}

/// Strokes that are thicker by `radius` pixels on each side, or thinner where it is below 0.
pub(crate) fn grown(ink: &Array2<f32>, radius: f32) -> Array2<f32> {
    let reach = radius.abs().ceil() as isize;
    let room = if radius > 0.0 { reach } else { 0 };
    let (height, width) = (ink.nrows() as isize + 2 * room, ink.ncols() as isize + 2 * room);
    let at = |y: isize, x: isize| match (usize::try_from(y - room), usize::try_from(x - room)) {
        (Ok(y), Ok(x)) => ink.get((y, x)).copied().unwrap_or(0.0),
        _ => 0.0,
    };
    Array2::from_shape_fn((height as usize, width as usize), |(y, x)| {
        let (y, x) = (y as isize, x as isize);
        let mut value = at(y, x);
        for dy in -reach..=reach {
            for dx in -reach..=reach {
                let weight = (radius.abs() + 0.5 - (dy as f32).hypot(dx as f32)).clamp(0.0, 1.0);
                let near = at(y + dy, x + dx);
                value = if radius > 0.0 { value.max(weight * near) } else { value.min(1.0 - weight * (1.0 - near)) };
            }
        }
        value
    })
}

/// A random digit of the set, and its class.
pub(crate) fn any(set: &LabeledImages, dice: &mut Dice) -> (usize, String) {
    let index = dice.below(set.len());
    (index, set.classes[usize::from(set.labels[index])].clone())
}

fn sample(image: &GrayImage, u: f32, v: f32) -> f32 {
    let at = |x: i64, y: i64| {
        let inside = x >= 0 && y >= 0 && x < i64::from(image.width()) && y < i64::from(image.height());
        if inside { f32::from(image.get_pixel(x as u32, y as u32).0[0]) / 255.0 } else { 0.0 }
    };
    let (x, y) = (u.floor(), v.floor());
    let (fx, fy) = (u - x, v - y);
    let (x, y) = (x as i64, y as i64);
    let top = at(x, y) * (1.0 - fx) + at(x + 1, y) * fx;
    let bottom = at(x, y + 1) * (1.0 - fx) + at(x + 1, y + 1) * fx;
    top * (1.0 - fy) + bottom * fy
}

/// The box of what has ink.
fn cut(ink: &Array2<f32>) -> Array2<f32> {
    let places: Vec<(usize, usize)> =
        ink.indexed_iter().filter(|(_, covered)| **covered > 0.1).map(|(place, _)| place).collect();
    let (Some(top), Some(bottom)) =
        (places.iter().map(|place| place.0).min(), places.iter().map(|place| place.0).max())
    else {
        return Array2::from_elem((1, 1), 1.0);
    };
    let left = places.iter().map(|place| place.1).min().unwrap_or(0);
    let right = places.iter().map(|place| place.1).max().unwrap_or(0);
    ink.slice(ndarray::s![top..=bottom, left..=right]).to_owned()
}
