//! Gaussian blur of 8-bit images, as OpenCV's `GaussianBlur` computes it with `BORDER_REFLECT_101`.
//!
//! A blurred pixel is a weighted mean of its row of blurred columns: the kernel g(x) = exp(−x² / 2σ²), cut off at its
//! radius and divided by its sum, is applied along the rows and then along the columns. OpenCV does this in fixed
//! point with 8 fractional bits. Here the same numbers are held in `f32`, where each of them is exact.
//!
//! What lies outside an image is its mirror image (`dcb|abcdef|edc`: the edge is not repeated). So along a side of n pixels
//! the image continues with the period 2(n − 1), and all weights of the kernel that are whole periods apart fall on the
//! same pixel. They are added up once for all images, and a kernel much wider than an image costs no more than one as wide.

use ndarray::{Array3, Axis};

/// A kernel that reaches farther than this many times the side of an image is not computed: reflected so often, it mixes
/// all of the image evenly, whatever its width. So a kernel has 64 n + 1 weights at most.
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
    let along_rows = FoldedKernel::new(kernel(sigma, kernel_size, width), width);
    let along_columns = FoldedKernel::new(kernel(sigma, kernel_size, height), height);
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

/// The weights from the middle of the kernel outwards, for a side of `n` pixels; the others are symmetrical. `None` where
/// the kernel reaches so far that it mixes the whole side evenly.
fn kernel(sigma: f64, kernel_size: Option<usize>, n: usize) -> Option<Vec<f64>> {
    if let (true, Some(size @ (1 | 3 | 5 | 7 | 9))) = (sigma == 0.0, kernel_size) {
        return Some(fixed_kernel(size).to_vec());
    }
    let mut radius = match kernel_size {
        Some(size) => (size / 2) as f64,
        // OpenCV's rule for 8-bit images: the side is round(6σ + 1), made odd by adding 1 where it is even.
        None => libm::floor((libm::rint(sigma * 6.0 + 1.0)).min(f64::MAX) / 2.0),
    };
    let deviation = match sigma {
        0.0 => 0.3 * (radius - 1.0) + 0.8,
        _ => sigma,
    };
    radius = radius.min(libm::ceil(DEVIATIONS_MAX * deviation));
    if radius > REACH_MAX * n as f64 {
        return None;
    }
    let weights: Vec<f64> = (0..=radius as usize)
        .map(|distance| {
            let x = distance as f64 / deviation;
            libm::exp(-0.5 * x * x)
        })
        .collect();
    let sum = weights[0] + 2.0 * weights[1..].iter().sum::<f64>();
    let weights: Vec<f64> = weights.iter().map(|weight| weight / sum).collect();
    Some(in_256ths(&weights))
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

/// How the pixels of a side are mixed.
enum FoldedKernel {
    Folded(FoldedWeights),
    /// All pixels evenly.
    Even,
}

impl FoldedKernel {
    fn new(kernel: Option<Vec<f64>>, n: usize) -> Self {
        kernel.map_or(Self::Even, |kernel| Self::Folded(FoldedWeights::new(&kernel, n)))
    }

    fn blur_row(&self, row: &[u8], blurred: &mut [f32]) {
        match self {
            Self::Folded(folded) => folded.blur_row(row, blurred),
            Self::Even => blurred.fill(even_mixture(row.iter().map(|&pixel| f64::from(pixel)))),
        }
    }

    /// The blurred row `y` of an image whose rows have been blurred, `sums.len()` pixels each. Ask for the rows in
    /// order, with the same `sums`.
    fn blur_column_pixels(&self, y: usize, rows: &[f32], sums: &mut [f32]) {
        match self {
            Self::Folded(folded) => folded.blur_column_pixels(y, rows, sums),
            // An even mixture is the same in every row, so the sums of the first stay.
            Self::Even if y > 0 => {}
            Self::Even => {
                let width = sums.len();
                for (x, sum) in sums.iter_mut().enumerate() {
                    *sum = even_mixture(rows.iter().skip(x).step_by(width).map(|&value| f64::from(value)));
                }
            }
        }
    }
}

/// The weight of each pixel of a side in each blurred one.
///
/// Let w(d) be the sum of the kernel at d and at whole periods from it. A pixel at `source` and its mirror image at
/// −`source` then weigh w(source − target) + w(source + target) in the blurred pixel at `target`; the pixels at both ends
/// are their own mirror images and count once. So 3n numbers say what a matrix says with n².
struct FoldedWeights {
    n: usize,
    /// w(d) for d from −(n − 1) to 2(n − 1).
    sums: Vec<f32>,
    /// For each pixel the first that it weighs in and the one after the last; the same ones weigh in it.
    bounds: Vec<(usize, usize)>,
    /// For each source its weights within its bounds, each time beginning at a multiple of `row_length`; empty where
    /// they would take too much room.
    band: Vec<f32>,
    row_length: usize,
}

impl FoldedWeights {
    /// Up to 1 MiB the weights are laid out as they are needed, as for all images of 512 × 512 pixels; a larger
    /// image has them added up again for each row.
    const BAND_LENGTH_MAX: usize = 1 << 18;

    fn new(kernel: &[f64], n: usize) -> Self {
        let mut folded = vec![0.0_f64; n];
        for (distance, &weight) in kernel.iter().enumerate() {
            let place = reflect(distance as i64, n);
            // What is reflected to a place inside belongs to the place and to its mirror image, one half to each; a
            // distance and its negative are both reflected there. The ends are their own mirror images.
            let is_end = place == 0 || place == n - 1;
            folded[place] += if is_end && distance > 0 { 2.0 * weight } else { weight };
        }
        let side = n as i64 - 1;
        let sums = (-side..=2 * side).map(|distance| folded[reflect(distance, n)] as f32).collect();
        let reach = (kernel.len() - 1).min(n - 1);
        let bounds = (0..n).map(|place| (place.saturating_sub(reach), (place + reach + 1).min(n))).collect();
        let row_length = (2 * reach + 1).min(n);
        let mut weights = Self { n, sums, bounds, band: Vec::new(), row_length };
        if n.saturating_mul(row_length) <= Self::BAND_LENGTH_MAX {
            let mut band = Vec::with_capacity(n * row_length);
            for (source, &(start, end)) in weights.bounds.iter().enumerate() {
                band.extend((start..end).map(|target| weights.weight(source, target)));
                band.resize((source + 1) * row_length, 0.0);
            }
            weights.band = band;
        }
        weights
    }

    fn weight(&self, source: usize, target: usize) -> f32 {
        let middle = self.n - 1;
        let is_end = source == 0 || source == middle;
        self.sums[middle + target - source] + if is_end { 0.0 } else { self.sums[middle + source + target] }
    }

    fn blur_row(&self, row: &[u8], blurred: &mut [f32]) {
        blurred.fill(0.0);
        for (source, &pixel) in row.iter().enumerate().filter(|&(_, &pixel)| pixel != 0) {
            let (start, end) = self.bounds[source];
            if self.band.is_empty() {
                for (target, sum) in blurred.iter_mut().enumerate().take(end).skip(start) {
                    *sum += self.weight(source, target) * f32::from(pixel);
                }
            } else {
                let weights = &self.band[source * self.row_length..][..end - start];
                for (sum, &weight) in blurred[start..end].iter_mut().zip(weights) {
                    *sum += weight * f32::from(pixel);
                }
            }
        }
    }

    fn blur_column_pixels(&self, y: usize, rows: &[f32], sums: &mut [f32]) {
        sums.fill(0.0);
        let (start, end) = self.bounds[y];
        for (source, row) in rows.chunks_exact(sums.len()).enumerate().take(end).skip(start) {
            let weight = self.weight(source, y);
            for (sum, &value) in sums.iter_mut().zip(row) {
                *sum += weight * value;
            }
        }
    }
}

/// All pixels of a side mixed evenly: those inside it count twice as much as those at its ends, which are their own
/// mirror images.
fn even_mixture(pixels: impl ExactSizeIterator<Item = f64>) -> f32 {
    let last = pixels.len() - 1;
    let (mut sum, mut sum_weights) = (0.0, 0.0);
    for (place, pixel) in pixels.enumerate() {
        let weight = if place == 0 || place == last { 0.5 } else { 1.0 };
        sum += weight * pixel;
        sum_weights += weight;
    }
    (sum / sum_weights) as f32
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
