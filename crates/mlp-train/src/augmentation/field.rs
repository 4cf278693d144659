//! Elastic displacement: a smooth random field.
//!
//! Simard et al. draw a number u(q) for each pixel q and smooth by a Gaussian: d(p) = α Σ_q G(p − q) u(q). Smoothing is most
//! of the work, and leaves little of what was drawn. The same field comes of far fewer numbers, one for each node of a grid
//! whose spacing is h = σ:
//!
//! > d(p) = α · h · Σ_k G(p − h·k) u_k, G(p) = exp(−|p|² / 2σ²) / (2πσ²), u_k uniform in (−1, 1).
//!
//! For the sum of products of Gaussians in the covariance of d(p) and d(p′), Poisson's summation gives
//!
//! > α²/3 · exp(−|p − p′|² / 4σ²) / (4πσ²),
//!
//! that of the field by pixels, times 1 + 2·exp(−π²σ²/h²)·cos(2π m/h) for each axis, where m is the middle of the two: with
//! h = σ a ripple of 1e-4 of the variance. The Gaussian is cut off at 4σ, and σ is as configured, not an approximation. Nodes
//! lie outside the image, too, so the field is as strong at its edge as in the middle. The kernel factorises: first along the
//! rows, for each row of nodes, then along the columns, for each row of pixels.

use super::Elastic;
use super::draw::signed_unit;

/// The nodes along one axis that a pixel takes part of: those within 4σ.
const TAPS: usize = 8;

/// What the nodes along one axis add to the pixels along it.
#[derive(Clone, Debug)]
struct Axis {
    n_nodes: usize,
    /// For each pixel its first node, and the weights of that and the next ones.
    pixels: Vec<(usize, [f32; TAPS])>,
}

impl Axis {
    /// `factor` is that of each weight: of the two axes the square root of α·h.
    fn new(n_pixels: usize, sigma: f64, factor: f64) -> Self {
        let norm = factor / (sigma * libm::sqrt(2.0 * std::f64::consts::PI));
        let pixels = (0..n_pixels).map(|pixel| {
            // In units of the spacing, which is σ: the first node is 3 before the one at or before the pixel.
            let place = pixel as f64 / sigma;
            let before = libm::floor(place);
            let weights = std::array::from_fn(|tap| {
                let distance = place - before + 3.0 - tap as f64;
                (norm * libm::exp(-0.5 * distance * distance)) as f32
            });
            (before as usize, weights)
        });
        let pixels: Vec<_> = pixels.collect();
        let n_nodes = pixels.last().map_or(0, |(first, _)| first + TAPS);
        Self { n_nodes, pixels }
    }
}

/// The weights of a field for images of one size.
#[derive(Clone, Debug)]
pub(super) struct Field {
    rows: Axis,
    columns: Axis,
}

/// The field of one image.
#[derive(Clone, Debug, Default)]
pub(super) struct FieldScratch {
    /// What was drawn: for each column of nodes its nodes, first those of the displacement along x, then along y.
    nodes: Vec<f32>,
    /// Those of one column of pixels.
    column: Vec<f32>,
    /// Smoothed along the rows: for each row of nodes, of x and then of y, its pixels.
    rows: Vec<f32>,
}

impl Field {
    pub(super) fn new(elastic: Elastic, (height, width): (usize, usize)) -> Self {
        let Elastic { sigma, alpha } = elastic;
        let factor = libm::sqrt(alpha * sigma);
        Self { rows: Axis::new(height, sigma, factor), columns: Axis::new(width, sigma, factor) }
    }

    /// The bytes that are drawn for one image.
    pub(super) fn n_bytes(&self) -> usize {
        2 * 2 * self.rows.n_nodes * self.columns.n_nodes
    }

    pub(super) fn scratch(&self) -> FieldScratch {
        let n_rows = 2 * self.rows.n_nodes;
        FieldScratch {
            nodes: vec![0.0; n_rows * self.columns.n_nodes],
            column: vec![0.0; n_rows],
            rows: vec![0.0; n_rows * self.columns.pixels.len()],
        }
    }

    /// Draws the nodes, and smooths along the rows.
    pub(super) fn begin(&self, bytes: &[u8], scratch: &mut FieldScratch) {
        let FieldScratch { nodes, column, rows } = scratch;
        for (node, bytes) in nodes.iter_mut().zip(bytes.chunks_exact(2)) {
            *node = signed_unit(bytes[0], bytes[1]);
        }
        let (n_rows, width) = (column.len(), self.columns.pixels.len());
        for (x, (first, weights)) in self.columns.pixels.iter().enumerate() {
            let nodes = &nodes[first * n_rows..][..TAPS * n_rows];
            weighted_sum(nodes, n_rows, weights, column);
            for (row, &value) in column.iter().enumerate() {
                rows[row * width + x] = value;
            }
        }
    }

    /// The displacements of the pixels of row `y`, along x and along y.
    pub(super) fn row(&self, y: usize, scratch: &FieldScratch, x_into: &mut [f32], y_into: &mut [f32]) {
        let width = self.columns.pixels.len();
        let (first, weights) = &self.rows.pixels[y];
        let n_nodes = self.rows.n_nodes;
        weighted_sum(&scratch.rows[first * width..][..TAPS * width], width, weights, x_into);
        weighted_sum(&scratch.rows[(n_nodes + first) * width..][..TAPS * width], width, weights, y_into);
    }
}

/// The sum of rows of `width` numbers, each times its weight, in the order of the rows.
#[inline(always)]
fn weighted_sum(rows: &[f32], width: usize, weights: &[f32; TAPS], into: &mut [f32]) {
    let rows: [&[f32]; TAPS] = std::array::from_fn(|tap| &rows[tap * width..][..width]);
    for (index, value) in into[..width].iter_mut().enumerate() {
        let mut sum = weights[0] * rows[0][index];
        for tap in 1..TAPS {
            sum += weights[tap] * rows[tap][index];
        }
        *value = sum;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A generator of its own: the test is of the smoothing.
    fn bytes(n_bytes: usize, state: &mut u64) -> Vec<u8> {
        let next = |_| {
            *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (*state >> 56) as u8
        };
        (0..n_bytes).map(next).collect()
    }

    /// Mean of the products of the displacements along x of pixels `distance` apart in a row, and those along y of pixels so far
    /// apart in a column.
    fn covariance(sigma: f64, distance: usize) -> [f64; 2] {
        let (height, width, n_fields) = (24, 31, 4_000);
        let field = Field::new(Elastic { sigma, alpha: 10.0 }, (height, width));
        let (mut scratch, mut state) = (field.scratch(), 1);
        let (mut sums, mut n_pairs) = ([0.0, 0.0], [0.0, 0.0]);
        for _ in 0..n_fields {
            field.begin(&bytes(field.n_bytes(), &mut state), &mut scratch);
            let mut rows = vec![(vec![0.0; width], vec![0.0; width]); height];
            rows.iter_mut().enumerate().for_each(|(y, (along_x, along_y))| field.row(y, &scratch, along_x, along_y));
            for y in 0..height {
                for x in 0..width - distance {
                    sums[0] += f64::from(rows[y].0[x] * rows[y].0[x + distance]);
                    n_pairs[0] += 1.0;
                }
                for x in (0..width).filter(|_| y + distance < height) {
                    sums[1] += f64::from(rows[y].1[x] * rows[y + distance].1[x]);
                    n_pairs[1] += 1.0;
                }
            }
        }
        [sums[0] / n_pairs[0], sums[1] / n_pairs[1]]
    }

    #[test]
    fn neighbours_move_together_as_in_a_field_that_is_drawn_pixel_by_pixel() {
        for (sigma, distance) in [(4.0, 0), (4.0, 5), (2.5, 2), (6.0, 8)] {
            let square = sigma * sigma;
            let expected = 100.0 / 3.0 * libm::exp(-((distance * distance) as f64) / (4.0 * square))
                / (4.0 * std::f64::consts::PI * square);
            for found in covariance(sigma, distance) {
                assert!((found / expected - 1.0).abs() < 0.06, "σ {sigma}, {distance} apart: {found}, not {expected}");
            }
        }
    }

    #[test]
    fn weights_of_a_pixel_are_those_of_a_gaussian() {
        let axis = Axis::new(50, 3.0, 1.0);
        // The integral of the Gaussian over the axis is 1, and nodes are σ apart.
        for (_, weights) in &axis.pixels {
            let sum: f32 = weights.iter().sum();
            assert!((3.0 * sum - 1.0).abs() < 5e-4, "{sum}");
        }
    }
}
