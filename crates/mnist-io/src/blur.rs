//! Gaussian blur of 8-bit images, as OpenCV's `GaussianBlur` computes it with `BORDER_REFLECT_101`.
//!
//! A blurred pixel is a weighted mean of its row of blurred columns: the kernel g(x) = exp(−x² / 2σ²), cut off at its
//! radius and divided by its sum, is applied along the rows and then along the columns. OpenCV does this in fixed
//! point with 8 fractional bits. Here the same numbers are held in `f32`, where each of them is exact.
//!
//! What lies outside an image is its mirror image (`dcb|abcdef|edc`: the edge is not repeated). As the weight of a pixel
//! does not depend on what it shows, the reflections are folded into a small matrix of weights once for all images,
//! and a kernel much wider than an image costs no more than one as wide.

use ndarray::{Array3, Axis};

/// A kernel that reaches farther than this many times the side of an image is shrunk to it and not rounded. Reflected
/// so often, all of an image has been mixed evenly to within a fraction of a grey level, whatever the width.
const REACH_MAX: f64 = 64.0;

/// Beyond this many standard deviations a weight is below 1e-17 of the greatest.
const DEVIATIONS_MAX: f64 = 9.0;

/// Blurs each image of shape `(n_samples, height, width)`, which must be in standard layout. `sigma` must be finite and
/// not negative, `kernel_size` odd.
pub(crate) fn gaussian_blur(images: &mut Array3<u8>, sigma: f64, kernel_size: Option<usize>) {
    let (_, height, width) = images.dim();
    if (sigma == 0.0 && kernel_size.is_none()) || images.is_empty() {
        return;
    }
    let along_rows = FoldedKernel::new(&kernel(sigma, kernel_size, width), width);
    let along_columns = FoldedKernel::new(&kernel(sigma, kernel_size, height), height);
    let mut between = vec![0.0_f32; height * width];
    let mut sums = vec![0.0_f32; width];
    for mut image in images.axis_iter_mut(Axis(0)) {
        let pixels = image.as_slice_mut().expect("the images are in standard layout");
        for (row, blurred) in pixels.chunks_exact(width).zip(between.chunks_exact_mut(width)) {
            along_rows.blur_row(row, blurred);
        }
        for (y, row) in pixels.chunks_exact_mut(width).enumerate() {
            along_columns.blur_column_pixels(y, &between, &mut sums);
            for (pixel, &sum) in row.iter_mut().zip(&sums) {
                // The cast cuts off the fraction, so this rounds to the nearest.
                *pixel = (sum + 0.5) as u8;
            }
        }
    }
}

/// The weights from the middle of the kernel outwards, for a side of `n` pixels; the others are symmetrical.
fn kernel(sigma: f64, kernel_size: Option<usize>, n: usize) -> Vec<f64> {
    if let (true, Some(size @ (1 | 3 | 5 | 7 | 9))) = (sigma == 0.0, kernel_size) {
        return fixed_kernel(size).to_vec();
    }
    let mut radius = match kernel_size {
        Some(size) => (size / 2) as f64,
        // OpenCV's rule for 8-bit images: the side is round(6σ + 1), made odd by adding 1 where it is even.
        None => libm::floor((libm::rint(sigma * 6.0 + 1.0)).min(f64::MAX) / 2.0),
    };
    let mut deviation = match sigma {
        0.0 => 0.3 * (radius - 1.0) + 0.8,
        _ => sigma,
    };
    radius = radius.min(libm::ceil(DEVIATIONS_MAX * deviation));
    let reach = REACH_MAX * n as f64;
    let is_beyond_reach = radius > reach;
    if is_beyond_reach {
        deviation *= reach / radius;
        radius = reach;
    }
    let weights: Vec<f64> = (0..=radius as usize)
        .map(|distance| {
            let x = distance as f64 / deviation;
            libm::exp(-0.5 * x * x)
        })
        .collect();
    let sum = weights[0] + 2.0 * weights[1..].iter().sum::<f64>();
    let weights: Vec<f64> = weights.iter().map(|weight| weight / sum).collect();
    if is_beyond_reach { weights } else { in_256ths(&weights) }
}

/// The kernels that OpenCV keeps for these sizes where no sigma is given, from the middle outwards.
fn fixed_kernel(size: usize) -> &'static [f64] {
    match size {
        1 => &[1.0],
        3 => &[0.5, 0.25],
        5 => &[0.375, 0.25, 0.0625],
        7 => &[0.28125, 0.21875, 0.109375, 0.03125],
        _ => &[60.0 / 256.0, 51.0 / 256.0, 30.0 / 256.0, 13.0 / 256.0, 4.0 / 256.0],
    }
}

/// Rounds the weights to multiples of 1/256 from the outside inwards, carrying each remainder to the next, so that
/// their sum stays 1: a constant image stays constant.
fn in_256ths(weights: &[f64]) -> Vec<f64> {
    let mut rounded = vec![0.0; weights.len()];
    let mut remainder = 0.0;
    let mut sum = 0.0;
    for index in (1..weights.len()).rev() {
        let wanted = weights[index] * 256.0 + remainder;
        rounded[index] = libm::rint(wanted);
        remainder = wanted - rounded[index];
        sum += 2.0 * rounded[index];
    }
    rounded[0] = 256.0 - sum;
    rounded.iter().map(|weight| weight / 256.0).collect()
}

/// For each pixel of a side the weights of all pixels of that side.
struct FoldedKernel {
    n: usize,
    /// `weights[source * n + target]`.
    weights: Vec<f32>,
    /// For each source the targets that it reaches, and for each target its sources: the matrix is a band, and the
    /// band is symmetrical.
    band: Vec<(usize, usize)>,
}

impl FoldedKernel {
    fn new(kernel: &[f64], n: usize) -> Self {
        let mut folded = vec![0.0_f64; n * n];
        let radius = kernel.len() as i64 - 1;
        for target in 0..n {
            for offset in -radius..=radius {
                let source = reflect(target as i64 + offset, n);
                folded[source * n + target] += kernel[offset.unsigned_abs() as usize];
            }
        }
        let reach = radius as usize;
        let band = (0..n).map(|index| (index.saturating_sub(reach), index.saturating_add(reach + 1).min(n))).collect();
        Self { n, weights: folded.iter().map(|&weight| weight as f32).collect(), band }
    }

    fn blur_row(&self, row: &[u8], blurred: &mut [f32]) {
        blurred.fill(0.0);
        for (source, &pixel) in row.iter().enumerate().filter(|&(_, &pixel)| pixel != 0) {
            let (start, end) = self.band[source];
            let weights = &self.weights[source * self.n..][start..end];
            for (sum, &weight) in blurred[start..end].iter_mut().zip(weights) {
                *sum += weight * f32::from(pixel);
            }
        }
    }

    fn blur_column_pixels(&self, y: usize, rows: &[f32], sums: &mut [f32]) {
        sums.fill(0.0);
        let (start, end) = self.band[y];
        for (source, row) in rows.chunks_exact(sums.len()).enumerate().take(end).skip(start) {
            let weight = self.weights[source * self.n + y];
            for (sum, &value) in sums.iter_mut().zip(row) {
                *sum += weight * value;
            }
        }
    }
}

/// The pixel of `0..n` that is seen at `position` when both ends are mirrors.
fn reflect(position: i64, n: usize) -> usize {
    let period = 2 * (n as i64 - 1);
    if period == 0 {
        return 0;
    }
    let within = position.rem_euclid(period);
    within.min(period - within) as usize
}
