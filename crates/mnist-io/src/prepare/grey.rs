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
    ((WEIGHTS[0] * u32::from(red) + WEIGHTS[1] * u32::from(green) + WEIGHTS[2] * u32::from(blue) + (1 << 15)) >> 16) as u8
}

/// What to put behind the photo: white paper, unless all that is drawn is light.
pub(super) fn backdrop(photo: &DynamicImage) -> Backdrop {
    if !photo.color().has_alpha() {
        return Backdrop::None;
    }
    let (mut light, mut covered, mut n_transparent) = (0.0, 0.0, 0_usize);
    for Rgba([red, green, blue, alpha]) in photo.to_rgba8().pixels() {
        let alpha = f64::from(*alpha);
        light += f64::from(luma([*red, *green, *blue])) * alpha;
        covered += alpha;
        n_transparent += usize::from(alpha < 128.0);
    }
    let n_pixels = photo.width() as usize * photo.height() as usize;
    if n_transparent * 50 < n_pixels {
        // Soft corners of a photo.
        return if n_transparent == 0 { Backdrop::None } else { Backdrop::White };
    }
    if covered > 0.0 && light / covered > 160.0 { Backdrop::Black } else { Backdrop::White }
}

/// Grey levels 0 to 255, shrunk to a longer side of at most `side_max` pixels.
///
/// The photo is taken in bands of rows, each made narrow before the next is looked at: of a large one, no copy of the
/// same size is made.
pub(super) fn grey(photo: &DynamicImage, backdrop: Backdrop, side_max: usize) -> Array2<f32> {
    const BAND_LENGTH: u32 = 1 << 16;
    let (width, height) = (photo.width(), photo.height());
    let (height_shrunk, width_shrunk) = shape::shrunk((height as usize, width as usize), side_max);
    let band_height = (BAND_LENGTH / width.max(1)).max(1);
    let behind = if backdrop == Backdrop::Black { 0.0 } else { 255.0 };
    let mut narrow = Vec::with_capacity(height as usize * width_shrunk);
    for top in (0..height).step_by(band_height as usize) {
        let band = photo.crop_imm(0, top, width, band_height.min(height - top)).to_rgba8();
        let levels: Vec<f32> = band.pixels().map(|pixel| level(pixel, behind)).collect();
        let levels = Array2::from_shape_vec((band.height() as usize, width as usize), levels)
            .expect("a picture has width × height pixels");
        narrow.extend(shape::resample_rows(&levels, width_shrunk));
    }
    let narrow = Array2::from_shape_vec((height as usize, width_shrunk), narrow)
        .expect("the bands have as many rows as the picture");
    shape::resample_columns(narrow, height_shrunk)
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
