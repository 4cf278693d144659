//! The map from the pixels of the result to places in the original, and resampling through it.

use super::Augmentation;
use super::draw::Draws;

/// Where pixels of the result come from, without elastic displacement: x = a·column + b·row + c, and y likewise.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Affine {
    x: [f64; 3],
    y: [f64; 3],
}

impl Affine {
    /// The inverse of the map of [`Augmentation`], about the centre of an image.
    pub(super) fn new(augmentation: &Augmentation, draws: &Draws, (height, width): (usize, usize)) -> Self {
        let angle = draws.rotate * augmentation.rotate * (std::f64::consts::PI / 180.0);
        let (sine, cosine) = (libm::sin(angle), libm::cos(angle));
        let shear = draws.shear * augmentation.shear;
        let [scale_x, scale_y] = draws.scale.map(|draw| 1.0 + draw * augmentation.scale);
        let [shift_x, shift_y] = draws.shift.map(|draw| draw * augmentation.shift);
        // diag(s)⁻¹ · [1 k; 0 1]⁻¹ · R(θ)⁻¹
        let (xx, xy) = ((cosine + shear * sine) / scale_x, (sine - shear * cosine) / scale_x);
        let (yx, yy) = (-sine / scale_y, cosine / scale_y);
        let (middle_x, middle_y) = ((width - 1) as f64 / 2.0, (height - 1) as f64 / 2.0);
        let (from_x, from_y) = (middle_x + shift_x, middle_y + shift_y);
        Self { x: [xx, xy, middle_x - xx * from_x - xy * from_y], y: [yx, yy, middle_y - yx * from_x - yy * from_y] }
    }

    /// For a row of the result: of x and y each the value in column 0 and the step from column to column.
    pub(super) fn row(&self, row: usize) -> [(f32, f32); 2] {
        [self.x, self.y].map(|[step, per_row, at_zero]| ((at_zero + per_row * row as f64) as f32, step as f32))
    }
}

/// Places are in 256ths of a pixel.
const UNIT: f32 = 256.0;

/// 1.5 · 2²³: a number of at most 2²² added to this is rounded to an integer, which is then found in the low bits. A conversion
/// by instruction would be one number at a time, or need a check of its range.
const ROUNDING: f32 = 12_582_912.0;

/// Adds the map to the displacements that are in `places`, and turns them into 256ths of a pixel, from −1 to `side` pixels: what
/// is outside an image is as dark as its border.
#[inline(always)]
pub(super) fn places(displacements: &[f32], (start, step): (f32, f32), side: usize, places: &mut [i32]) {
    let (least, most) = (-1.0, side as f32);
    for ((column, place), displacement) in places.iter_mut().enumerate().zip(displacements) {
        let at = start + step * (column as i32 as f32) + displacement;
        let at = if at > least { at } else { least };
        let at = if at < most { at } else { most };
        *place = (at * UNIT + ROUNDING).to_bits() as i32 - ROUNDING.to_bits() as i32;
    }
}

/// Four neighbouring pixels in one number, from the lowest byte: that at a place, right of it, below it, right of that.
#[inline(always)]
pub(super) fn quad(top_left: u8, top_right: u8, bottom_left: u8, bottom_right: u8) -> u32 {
    u32::from_le_bytes([top_left, top_right, bottom_left, bottom_right])
}

/// The value between four pixels, so many 256ths to the right of the first and below it, rounded: bilinear interpolation.
#[inline(always)]
pub(super) fn between(quad: u32, right: u32, below: u32) -> u8 {
    // Upper and lower pixels side by side, at most 255 · 256 each.
    let (left, other) = (quad & 0x00ff_00ff, (quad >> 8) & 0x00ff_00ff);
    let both = left * (256 - right) + other * right;
    (((both & 0xffff) * (256 - below) + (both >> 16) * below + (1 << 15)) >> 16) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn between_four_pixels_is_bilinear_interpolation_rounded() {
        for (pixels, right, below) in
            [([0, 255, 255, 0], 128, 128), ([255; 4], 77, 200), ([10, 20, 30, 40], 0, 0), ([1, 2, 250, 3], 255, 1)]
        {
            let [a, b, c, d] = pixels;
            let (x, y) = (f64::from(right) / 256.0, f64::from(below) / 256.0);
            let mix = |a: u8, b: u8, t: f64| f64::from(a) * (1.0 - t) + f64::from(b) * t;
            let expected = mix(a, b, x) * (1.0 - y) + mix(c, d, x) * y;
            assert_eq!(between(quad(a, b, c, d), right, below), (expected + 0.5).floor() as u8);
        }
    }

    #[test]
    fn places_are_rounded_and_end_at_the_border() {
        let mut found = [0; 4];
        places(&[0.0, 0.25, -9.0, 1e30], (-0.5, 1.0), 5, &mut found);
        assert_eq!(found, [-128, 192, -256, 5 * 256]);
        places(&[f32::NAN, 0.001, 0.002, 0.003], (0.0, 0.0), 5, &mut found);
        assert_eq!(found, [-256, 0, 1, 1]);
    }
}
