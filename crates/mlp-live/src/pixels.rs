//! Images as they are handed to a screen.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use mnist_io::image::GrayImage;
use mnist_io::image::imageops::{FilterType, resize};
use ndarray::{Array2, ArrayView2};
use serde::Serialize;

/// Bytes of an image, row by row, as text: grey levels, or values from −1 (0) over 0 (128) to 1 (255).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Pixels {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// `width × height` bytes in base64.
    pub data: String,
}

impl Pixels {
    /// Grey levels as they are.
    pub fn grey(image: ArrayView2<'_, u8>) -> Self {
        let (height, width) = image.dim();
        Pixels { width, height, data: BASE64_STANDARD.encode(image.iter().copied().collect::<Vec<u8>>()) }
    }

    /// Grey levels, scaled down where a side is longer than `longest`.
    pub fn thumbnail(image: &Array2<u8>, longest: usize) -> Self {
        let (height, width) = image.dim();
        let side = height.max(width);
        if side <= longest || side == 0 {
            return Pixels::grey(image.view());
        }
        let scaled = |length: usize| ((length * longest).div_ceil(side)).max(1);
        let (new_height, new_width) = (scaled(height), scaled(width));
        let grey = GrayImage::from_raw(width as u32, height as u32, image.iter().copied().collect());
        let grey = grey.expect("as many pixels as rows times columns");
        let small = resize(&grey, new_width as u32, new_height as u32, FilterType::Triangle);
        Pixels { width: new_width, height: new_height, data: BASE64_STANDARD.encode(small.into_raw()) }
    }

    /// Values around 0, each as a share of the greatest size among them; all 0 where that is 0.
    pub fn signed(values: impl Iterator<Item = f64> + Clone, width: usize) -> Self {
        let greatest = values.clone().map(f64::abs).filter(|value| value.is_finite()).fold(0.0, f64::max);
        let byte = |value: f64| {
            let share = if greatest > 0.0 && value.is_finite() { value / greatest } else { 0.0 };
            (128.0 + 127.0 * share).round() as u8
        };
        let bytes: Vec<u8> = values.map(byte).collect();
        Pixels { width, height: bytes.len() / width.max(1), data: BASE64_STANDARD.encode(bytes) }
    }
}
