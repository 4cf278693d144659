//! Grey levels of a photo: one rule for colours, and what is transparent.

use super::shape;
use image::{DynamicImage, Rgba};
use ndarray::Array2;

/// What lies behind transparent parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Backdrop {
    /// Nothing is transparent.
    None,
    White,
    /// What is drawn is light itself.
    Black,
}

/// The rule for colours, that of ITU-R BT.601, in 1/65536: a red and a blue pen are both dark. Equal red, green and blue give
/// just this level.
pub(crate) fn luma([red, green, blue]: [u8; 3]) -> u8 {
    const WEIGHTS: [u32; 3] = [19595, 38470, 7471];
    ((WEIGHTS[0] * u32::from(red) + WEIGHTS[1] * u32::from(green) + WEIGHTS[2] * u32::from(blue) + (1 << 15)) >> 16)
        as u8
}

/// What to put behind the photo: white paper, unless all that is drawn is light.
pub(super) fn backdrop(photo: &DynamicImage) -> Backdrop {
    if !photo.color().has_alpha() {
        return Backdrop::None;
    }
    let (mut light, mut covered, mut n_transparent) = (0.0, 0.0, 0_usize);
    for y in 0..photo.height() {
        for Rgba([red, green, blue, alpha]) in photo.crop_imm(0, y, photo.width(), 1).to_rgba8().pixels() {
            let alpha = f64::from(*alpha);
            light += f64::from(luma([*red, *green, *blue])) * alpha;
            covered += alpha;
            n_transparent += usize::from(alpha < 128.0);
        }
    }
    let n_pixels = photo.width() as usize * photo.height() as usize;
    if n_transparent * 50 < n_pixels {
        // Soft corners of a photo.
        return if n_transparent == 0 { Backdrop::None } else { Backdrop::White };
    }
    if covered > 0.0 && light / covered > 160.0 { Backdrop::Black } else { Backdrop::White }
}

/// Grey levels 0 to 255, shrunk to a longer side of at most `side_max` pixels: each pixel is the mean of the part of the photo
/// that it covers.
///
/// The photo is taken row by row, and each row is added to what it belongs to: of a large one, no copy is made.
pub(super) fn grey(photo: &DynamicImage, backdrop: Backdrop, side_max: usize) -> Array2<f32> {
    let (height, width) = (photo.height() as usize, photo.width() as usize);
    let mut grey = Array2::zeros(shape::shrunk((height, width), side_max));
    let (height_shrunk, width_shrunk) = grey.dim();
    let (rows_each, columns_each) = (height as f32 / height_shrunk as f32, width as f32 / width_shrunk as f32);
    let mut narrow = vec![0.0; width_shrunk];
    for_each_row(photo, backdrop, |y, levels| {
        shrink_row(levels, columns_each, &mut narrow);
        // The one or two rows that this row of the photo is a part of.
        let first = (y as f32 / rows_each) as usize;
        for target in first..(first + 2).min(height_shrunk) {
            let (from, to) = (target as f32 * rows_each, (target + 1) as f32 * rows_each);
            let covered = (to.min(y as f32 + 1.0) - from.max(y as f32)).max(0.0) / rows_each;
            if covered > 0.0 {
                for (sum, value) in grey.row_mut(target).iter_mut().zip(&narrow) {
                    *sum += covered * value;
                }
            }
        }
    });
    grey
}

/// Calls a function with the number and the levels of every row.
fn for_each_row(photo: &DynamicImage, backdrop: Backdrop, mut take: impl FnMut(usize, &[f32])) {
    let width = photo.width() as usize;
    let mut levels = vec![0.0; width];
    match photo {
        _ if width == 0 => {}
        DynamicImage::ImageRgb8(image) => {
            for (y, row) in image.as_raw().chunks_exact(3 * width).enumerate() {
                for (value, colour) in levels.iter_mut().zip(row.chunks_exact(3)) {
                    *value = f32::from(luma([colour[0], colour[1], colour[2]]));
                }
                take(y, &levels);
            }
        }
        DynamicImage::ImageLuma8(image) => {
            for (y, row) in image.as_raw().chunks_exact(width).enumerate() {
                levels.iter_mut().zip(row).for_each(|(value, &level)| *value = f32::from(level));
                take(y, &levels);
            }
        }
        other => {
            let behind = if backdrop == Backdrop::Black { 0.0 } else { 255.0 };
            for y in 0..other.height() {
                let row = other.crop_imm(0, y, other.width(), 1).to_rgba8();
                levels.iter_mut().zip(row.pixels()).for_each(|(value, pixel)| *value = level(pixel, behind));
                take(y as usize, &levels);
            }
        }
    }
}

/// Each of the fewer pixels becomes the mean of `each` pixels of the row.
fn shrink_row(levels: &[f32], each: f32, narrow: &mut [f32]) {
    if levels.len() == narrow.len() {
        narrow.copy_from_slice(levels);
        return;
    }
    for (x, result) in narrow.iter_mut().enumerate() {
        let (from, to) = (x as f32 * each, ((x + 1) as f32 * each).min(levels.len() as f32));
        let (first, last) = (from as usize, (to.ceil() as usize).min(levels.len()));
        let inside: f32 = levels[first..last].iter().sum();
        let before = (from - first as f32) * levels[first];
        let behind = (last as f32 - to) * levels[last - 1];
        *result = (inside - before - behind) / each;
    }
}

/// Grey levels of every pixel, to the nearest whole one.
pub(super) fn exact(photo: &DynamicImage) -> Array2<u8> {
    let behind = if backdrop(photo) == Backdrop::Black { 0.0 } else { 255.0 };
    let levels = photo.to_rgba8().pixels().map(|pixel| (level(pixel, behind) + 0.5) as u8).collect();
    Array2::from_shape_vec((photo.height() as usize, photo.width() as usize), levels)
        .expect("a picture has width × height pixels")
}

fn level(pixel: &Rgba<u8>, behind: f32) -> f32 {
    let [red, green, blue, alpha] = pixel.0;
    let alpha = f32::from(alpha);
    (f32::from(luma([red, green, blue])) * alpha + behind * (255.0 - alpha)) / 255.0
}
