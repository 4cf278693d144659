//! Pixels as a `data:` URL, so that a page can hold images without fetching anything.

use base64::{Engine, prelude::BASE64_STANDARD};
use image::{ExtendedColorType, ImageEncoder, codecs::png::PngEncoder};
use ndarray::ArrayView2;

/// Grey values (0 is black) of shape `(height, width)` as a PNG in a `data:` URL; nothing for an image without pixels.
pub fn grey(pixels: ArrayView2<'_, u8>) -> Option<String> {
    let (height, width) = pixels.dim();
    let bytes: Vec<u8> = pixels.iter().copied().collect();
    png_url(&bytes, width, height, ExtendedColorType::L8)
}

/// Red, green and blue values as a PNG in a `data:` URL; nothing for an image without pixels.
pub fn color(pixels: ArrayView2<'_, [u8; 3]>) -> Option<String> {
    let (height, width) = pixels.dim();
    let bytes: Vec<u8> = pixels.iter().flatten().copied().collect();
    png_url(&bytes, width, height, ExtendedColorType::Rgb8)
}

fn png_url(bytes: &[u8], width: usize, height: usize, color: ExtendedColorType) -> Option<String> {
    let (width, height) = (u32::try_from(width).ok()?, u32::try_from(height).ok()?);
    let mut png = Vec::new();
    PngEncoder::new(&mut png).write_image(bytes, width, height, color).ok()?;
    Some(format!("data:image/png;base64,{}", BASE64_STANDARD.encode(png)))
}
