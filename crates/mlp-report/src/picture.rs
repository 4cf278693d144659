//! Pixels as a `data:` URL, so that a page can hold pictures without fetching anything.

use image::{ExtendedColorType, ImageEncoder, codecs::png::PngEncoder};
use ndarray::ArrayView2;

/// Grey values (0 is black) of shape `(height, width)` as a PNG in a `data:` URL; nothing for a picture without pixels.
pub fn grey_url(pixels: ArrayView2<'_, u8>) -> Option<String> {
    let (height, width) = pixels.dim();
    let bytes: Vec<u8> = pixels.iter().copied().collect();
    png_url(&bytes, width, height, ExtendedColorType::L8)
}

/// Red, green and blue values as a PNG in a `data:` URL; nothing for a picture without pixels.
pub(crate) fn color_url(pixels: ArrayView2<'_, [u8; 3]>) -> Option<String> {
    let (height, width) = pixels.dim();
    let bytes: Vec<u8> = pixels.iter().flatten().copied().collect();
    png_url(&bytes, width, height, ExtendedColorType::Rgb8)
}

fn png_url(bytes: &[u8], width: usize, height: usize, color: ExtendedColorType) -> Option<String> {
    let (width, height) = (u32::try_from(width).ok()?, u32::try_from(height).ok()?);
    let mut png = Vec::new();
    PngEncoder::new(&mut png).write_image(bytes, width, height, color).ok()?;
    Some(format!("data:image/png;base64,{}", base64(&png)))
}

/// Base64 with padding (RFC 4648, section 4).
pub(crate) fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut encoded = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let mut group = [0; 3];
        group[..chunk.len()].copy_from_slice(chunk);
        let bits = u32::from_be_bytes([0, group[0], group[1], group[2]]);
        for place in 0..4 {
            let index = (bits >> (18 - 6 * place)) & 63;
            encoded.push(if place <= chunk.len() { ALPHABET[index as usize] as char } else { '=' });
        }
    }
    encoded
}
