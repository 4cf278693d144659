//! Images as they are handed to a screen.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use ndarray::{Array2, ArrayView2, s};
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

    /// Grey levels, scaled down where a side is longer than `longest`: each pixel is the mean of those that it stands for.
    pub fn thumbnail(image: &Array2<u8>, longest: usize) -> Self {
        let (height, width) = image.dim();
        let side = height.max(width);
        if side <= longest || side == 0 {
            return Pixels::grey(image.view());
        }
        let scaled = |length: usize| (length * longest / side).max(1);
        let (new_height, new_width) = (scaled(height), scaled(width));
        let stands_for = |index: usize, length: usize, new_length: usize| {
            let from = index * length / new_length;
            from..((index + 1) * length / new_length).max(from + 1)
        };
        let small = Array2::from_shape_fn((new_height, new_width), |(row, column)| {
            let (rows, columns) = (stands_for(row, height, new_height), stands_for(column, width, new_width));
            let n_pixels = rows.len() * columns.len();
            let block = image.slice(s![rows, columns]);
            (block.iter().map(|&grey| usize::from(grey)).sum::<usize>() / n_pixels) as u8
        });
        Pixels::grey(small.view())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thumbnail_keeps_proportions_and_means() {
        let image = Array2::from_shape_fn((40, 100), |(row, _)| if row < 20 { 0 } else { 200 });
        let small = Pixels::thumbnail(&image, 10);
        assert_eq!((small.height, small.width), (4, 10));
        let bytes = BASE64_STANDARD.decode(small.data).expect("base64");
        assert_eq!((bytes[0], bytes[39]), (0, 200));
        assert_eq!(Pixels::thumbnail(&image, 100), Pixels::grey(image.view()));
    }
}
