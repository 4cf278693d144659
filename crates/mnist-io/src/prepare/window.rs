//! Greatest, least and mean values near each pixel, in a time that hardly depends on how far "near" reaches.

use ndarray::Array2;

/// Each pixel becomes the greatest value of the square of ± `radius` pixels round it; what is outside the image does not count.
pub(super) fn greatest(image: &Array2<f32>, radius: usize) -> Array2<f32> {
    over_square(image, radius, f32::NEG_INFINITY, |one, other| if one > other { one } else { other })
}

/// The same with the least value.
pub(super) fn least(image: &Array2<f32>, radius: usize) -> Array2<f32> {
    over_square(image, radius, f32::INFINITY, |one, other| if one < other { one } else { other })
}

/// A mean of each pixel and its eight neighbours with weights 1, 2, 1 along each side; the image is continued by its edge.
pub(super) fn smooth(image: &Array2<f32>) -> Array2<f32> {
    let (height, width) = image.dim();
    let mut across = image.clone();
    if width > 1 {
        for (row, mut result) in image.outer_iter().zip(across.outer_iter_mut()) {
            for x in 0..width {
                let (left, right) = (x.saturating_sub(1), (x + 1).min(width - 1));
                result[x] = (row[left] + 2.0 * row[x] + row[right]) / 4.0;
            }
        }
    }
    let mut result = across.clone();
    for y in 0..height {
        let (above, below) = (across.row(y.saturating_sub(1)), across.row((y + 1).min(height - 1)));
        result.row_mut(y).zip_mut_with(&above, |value, above| *value = 2.0 * *value + above);
        result.row_mut(y).zip_mut_with(&below, |value, below| *value = (*value + below) / 4.0);
    }
    result
}

/// `choose` is compiled into the loops, which then take eight or sixteen pixels at once.
fn over_square(
    image: &Array2<f32>,
    radius: usize,
    neutral: f32,
    choose: impl Fn(f32, f32) -> f32 + Copy,
) -> Array2<f32> {
    let (height, width) = image.dim();
    let mut values = image.iter().copied().collect::<Vec<f32>>();
    let mut line = Vec::new();
    for row in values.chunks_exact_mut(width.max(1)) {
        line.clear();
        line.resize(radius, neutral);
        line.extend_from_slice(row);
        line.resize(width + 2 * radius, neutral);
        slide(&mut line, 2 * radius + 1, 1, choose);
        row.copy_from_slice(&line[..width]);
    }
    // All columns at once: a step along a column is a step of one row.
    let mut columns = vec![neutral; radius * width];
    columns.extend_from_slice(&values);
    columns.resize((height + 2 * radius) * width, neutral);
    slide(&mut columns, 2 * radius + 1, width, choose);
    columns.truncate(height * width);
    Array2::from_shape_vec((height, width), columns).expect("as many values as before")
}

/// Each value becomes the choice among itself and those after it, `length` in all and `step` apart. Windows of doubled length
/// come from two of the shorter ones, which overlap the last time.
fn slide(values: &mut [f32], length: usize, step: usize, choose: impl Fn(f32, f32) -> f32) {
    let mut covered = 1;
    while covered < length {
        let shift = covered.min(length - covered);
        let n = values.len().saturating_sub(shift * step);
        for index in 0..n {
            values[index] = choose(values[index], values[index + shift * step]);
        }
        covered += shift;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_greatest_near_a_pixel_is_what_a_search_finds() {
        let image = Array2::from_shape_fn((9, 13), |(y, x)| ((y * 31 + x * 17) % 23) as f32);
        for radius in [0, 1, 2, 5, 20] {
            let found = greatest(&image, radius);
            for ((y, x), value) in found.indexed_iter() {
                let near = image.indexed_iter().filter(|((v, u), _)| v.abs_diff(y).max(u.abs_diff(x)) <= radius);
                assert_eq!(*value, near.fold(f32::NEG_INFINITY, |most, (_, value)| most.max(*value)));
            }
            assert_eq!(least(&image.mapv(|value| -value), radius), found.mapv(|value| -value));
        }
    }
}
