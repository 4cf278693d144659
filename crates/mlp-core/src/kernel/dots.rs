//! The product with a transposed panel: what the way back consists of where no transposed weights are kept. Every element is
//! the dot product of two rows, one on the left and one of the panel; its lanes are summed at the end.

use std::iter::once;

use crate::kernel::panel::PANEL_VECTORS;
use crate::kernel::simd::{Simd, Task};
use crate::real::Real;

/// A panel of a matrix that is multiplied by the transpose of a packed one, and the panel that it meets there.
#[derive(Clone, Copy)]
pub(crate) struct PanelPair<'a, F> {
    /// The columns of both panels.
    pub(crate) width: usize,
    pub(crate) left: &'a [F],
    pub(crate) right: &'a [F],
}

/// The product of some rows with the transpose of a packed matrix:
/// `products[row][i] = Σ left[row][column] · right[first_input + i][column]`, over the columns of all panels.
///
/// Columns without a unit hold zeros on the left. `products` has rows at `products_stride`. Each sum is taken lane by
/// lane of a vector, and the lanes are added pairwise at the end.
///
/// # Panics
/// Where a slice is too short, or a width is not that of whole vectors.
#[inline(always)]
pub(crate) fn transposed_product<'a, F: Real, S: Simd<F>>(
    _simd: S,
    panels: impl Iterator<Item = PanelPair<'a, F>> + Clone,
    n_rows: usize,
    first_input: usize,
    n_inputs: usize,
    products: &mut [F],
    products_stride: usize,
) {
    if n_rows == 0 || n_inputs == 0 {
        return;
    }
    assert!(n_inputs <= products_stride);
    assert!((n_rows - 1) * products_stride + n_inputs <= products.len());
    for pair in panels.clone() {
        assert!(pair.width.is_multiple_of(F::LANES), "a panel of {} columns", pair.width);
        assert!(n_rows * pair.width <= pair.left.len());
        assert!((first_input + n_inputs) * pair.width <= pair.right.len());
    }
    /// Of the first-level cache, what the rows take that stay in it while all inputs are read.
    const NEAR: usize = 16 << 10;
    /// A multiple of all numbers of rows that go together.
    const ROWS: usize = 12;
    let bytes_of_row = panels.clone().map(|pair| pair.width).sum::<usize>() * size_of::<F>();
    let n_near = (NEAR / bytes_of_row.max(1) / ROWS).max(1) * ROWS;
    for first_row in (0..n_rows).step_by(n_near) {
        let rows = first_row..n_rows.min(first_row + n_near);
        let mut input = 0;
        while input < n_inputs {
            let together = inputs_together::<F, S>(n_inputs - input, false);
            let mut row = rows.start;
            while row < rows.end {
                let (panels, products) = (panels.clone(), &mut products[row * products_stride + input..]);
                let (input, n_rows, stride) = (first_input + input, rows.end - row, products_stride);
                // SAFETY: the assertions above; `_simd` proves the instructions.
                unsafe {
                    row += match (F::LANES / S::LANES, n_rows, together) {
                        (1, 4.., 4) => dots::<F, S, 1, 4, 4>(panels, row, input, products, stride),
                        (1, _, 4) => dots::<F, S, 1, 1, 4>(panels, row, input, products, stride),
                        (1, _, _) => dots::<F, S, 1, 1, 1>(panels, row, input, products, stride),
                        (2, 3.., 2) => dots::<F, S, 2, 3, 2>(panels, row, input, products, stride),
                        (2, _, 2) => dots::<F, S, 2, 1, 2>(panels, row, input, products, stride),
                        (2, _, _) => dots::<F, S, 2, 1, 1>(panels, row, input, products, stride),
                        (_, _, 2) => dots::<F, S, 4, 1, 2>(panels, row, input, products, stride),
                        (_, _, _) => dots::<F, S, 4, 1, 1>(panels, row, input, products, stride),
                    }
                }
            }
            input += together;
        }
    }
}

/// How many of the inputs are taken together: as many as suit the registers.
#[inline(always)]
fn inputs_together<F: Real, S: Simd<F>>(n_remaining: usize, is_one_row: bool) -> usize {
    match (F::LANES / S::LANES, n_remaining) {
        (1, 16..) if is_one_row => 16,
        (1, 4..) => 4,
        (2, 4..) if is_one_row => 4,
        (2.., 2..) => 2,
        _ => 1,
    }
}

/// [`transposed_product`] of one row with one panel, and the inputs from the first on: all reading. What it costs beside
/// that is to sum the lanes.
///
/// # Panics
/// As that.
#[inline(always)]
pub(crate) fn transposed_row<F: Real, S: Simd<F>>(
    simd: S,
    pair: PanelPair<'_, F>,
    n_inputs: usize,
    products: &mut [F],
) {
    simd.apart(TransposedRow { pair, n_inputs, products });
}

/// The arguments of [`transposed_row`].
struct TransposedRow<'a, F> {
    pair: PanelPair<'a, F>,
    n_inputs: usize,
    products: &'a mut [F],
}

impl<F: Real> Task<F> for TransposedRow<'_, F> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd<F>>(self, _simd: S) {
        let TransposedRow { pair, n_inputs, products } = self;
        assert!(pair.width.is_multiple_of(F::LANES), "a panel of {} columns", pair.width);
        assert!(pair.width <= pair.left.len() && n_inputs * pair.width <= pair.right.len());
        assert!(n_inputs <= products.len());
        let mut input = 0;
        while input < n_inputs {
            let together = inputs_together::<F, S>(n_inputs - input, true);
            let (panel, products) = (once(pair), &mut products[input..]);
            // SAFETY: the assertions above; `_simd` proves the instructions.
            unsafe {
                match (F::LANES / S::LANES, together) {
                    (1, 16) => dots::<F, S, 1, 1, 16>(panel, 0, input, products, 16),
                    (1, 4) => dots::<F, S, 1, 1, 4>(panel, 0, input, products, 4),
                    (1, _) => dots::<F, S, 1, 1, 1>(panel, 0, input, products, 1),
                    (2, 4) => dots::<F, S, 2, 1, 4>(panel, 0, input, products, 4),
                    (2, 2) => dots::<F, S, 2, 1, 2>(panel, 0, input, products, 2),
                    (2, _) => dots::<F, S, 2, 1, 1>(panel, 0, input, products, 1),
                    (_, 2) => dots::<F, S, 4, 1, 2>(panel, 0, input, products, 2),
                    (_, _) => dots::<F, S, 4, 1, 1>(panel, 0, input, products, 1),
                }
            };
            input += together;
        }
    }
}

/// The dot products of `ROWS` rows of the left matrix with `INPUTS` rows of the packed one, `PARTS` registers for 64 bytes.
/// Returns `ROWS`.
///
/// # Safety
/// The processor has the instructions of `S`, `PARTS` is right for it, the rows lie inside each panel, and there is room for
/// the products.
#[inline(always)]
unsafe fn dots<'a, F: Real, S: Simd<F>, const PARTS: usize, const ROWS: usize, const INPUTS: usize>(
    panels: impl Iterator<Item = PanelPair<'a, F>>,
    row: usize,
    input: usize,
    products: &mut [F],
    products_stride: usize,
) -> usize {
    // SAFETY: the caller's promises.
    unsafe {
        // Loops, not closures: an instruction in a closure would become a call.
        let mut sums = [[[S::splat(F::zero()); INPUTS]; ROWS]; PARTS];
        for PanelPair { width, left, right } in panels {
            let left = left.as_ptr().add(row * width);
            let right = right.as_ptr().add(input * width);
            if PARTS == 1 && width == PANEL_VECTORS * F::LANES {
                // A length that the compiler knows.
                add_dots::<F, S, PARTS, ROWS, INPUTS>(&mut sums, PANEL_VECTORS * F::LANES, left, right);
            } else {
                add_dots::<F, S, PARTS, ROWS, INPUTS>(&mut sums, width, left, right);
            }
        }
        // The upper half of the 64 bytes is added to the lower, as the lanes of a vector are.
        let mut n_parts = PARTS;
        while n_parts > 1 {
            n_parts /= 2;
            for part in 0..n_parts {
                let upper = sums[part + n_parts];
                for (sums, upper) in sums[part].iter_mut().zip(upper) {
                    for (sum, upper) in sums.iter_mut().zip(upper) {
                        *sum = S::add(*sum, upper);
                    }
                }
            }
        }
        let mut lanes = [F::zero(); 16];
        if ROWS * INPUTS == 16 {
            let mut sixteen = [sums[0][0][0]; 16];
            for (entry, sum) in sixteen.iter_mut().enumerate() {
                *sum = sums[0][entry / INPUTS][entry % INPUTS];
            }
            S::store_sums_of_lanes(sixteen, lanes.as_mut_ptr());
        } else {
            // Four at a time; behind the last of fewer than four it is summed again, for nothing.
            for first in (0..ROWS * INPUTS).step_by(4) {
                let mut four = [sums[0][0][0]; 4];
                for (index, sum) in four.iter_mut().enumerate() {
                    let entry = (first + index).min(ROWS * INPUTS - 1);
                    *sum = sums[0][entry / INPUTS][entry % INPUTS];
                }
                lanes.as_mut_ptr().add(first).cast::<[F; 4]>().write(S::sums_of_lanes(four));
            }
        }
        for row in 0..ROWS {
            for input in 0..INPUTS {
                *products.get_unchecked_mut(row * products_stride + input) = lanes[row * INPUTS + input];
            }
        }
    }
    ROWS
}

/// Adds to each of the sums, lane by lane, the products of `width` columns of a row on the left and of one on the right.
///
/// # Safety
/// As [`dots`], with the first of the rows on both sides.
#[inline(always)]
unsafe fn add_dots<F: Real, S: Simd<F>, const PARTS: usize, const ROWS: usize, const INPUTS: usize>(
    sums: &mut [[[S::Vector; INPUTS]; ROWS]; PARTS],
    width: usize,
    left: *const F,
    right: *const F,
) {
    // SAFETY: the caller's promises.
    unsafe {
        if PARTS == 1 && ROWS == 1 && width == PANEL_VECTORS * S::LANES {
            // One input after the other: memory is read from one end to the other.
            let mut factors = [S::splat(F::zero()); PANEL_VECTORS];
            for (vector, factor) in factors.iter_mut().enumerate() {
                *factor = S::load(left.add(vector * S::LANES));
            }
            for (input, sum) in sums[0][0].iter_mut().enumerate() {
                for (vector, &factor) in factors.iter().enumerate() {
                    let right = S::load(right.add((input * PANEL_VECTORS + vector) * S::LANES));
                    *sum = S::multiply_add(factor, right, *sum);
                }
            }
            return;
        }
        for column in (0..width).step_by(PARTS * S::LANES) {
            for (part, sums) in sums.iter_mut().enumerate() {
                let column = column + part * S::LANES;
                let mut factors = [S::splat(F::zero()); INPUTS];
                for (input, factors) in factors.iter_mut().enumerate() {
                    *factors = S::load(right.add(input * width + column));
                }
                for (row, sums) in sums.iter_mut().enumerate() {
                    let left = S::load(left.add(row * width + column));
                    for (sum, &factors) in sums.iter_mut().zip(&factors) {
                        *sum = S::multiply_add(left, factors, *sum);
                    }
                }
            }
        }
    }
}
