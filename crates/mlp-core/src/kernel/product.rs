//! The matrix products of training, on packed weights; where the left side is mostly zeros, see
//! [`sparse`](crate::kernel::sparse).
//!
//! The units of a layer are cut into *panels* of up to [`PANEL_VECTORS`] vectors; a panel stores its rows one after the
//! other, so that a product reads memory in order and keeps a block of the result in registers. All products compute
//! each element in an order of its own terms only: as long as numbers are finite, the result of a row does not depend on
//! the rows beside it (but for the sign of a zero), nor on how the work is cut. That is why the number of threads never
//! changes a bit.

use std::iter::once;

use crate::kernel::simd::{Simd, Task};
use crate::real::Real;

/// The most vectors in a row of a panel: 256 bytes, 64 units in `f32`.
pub(crate) const PANEL_VECTORS: usize = 4;

/// The widest panel, in `f32`.
pub(crate) const PANEL_WIDTH_MAX: usize = 64;

/// The columns of the panel that begins with `n_remaining` units left: one, two or four vectors, enough for the units if
/// four are. Columns without a unit hold zeros.
pub(crate) fn panel_width<F: Real>(n_remaining: usize) -> usize {
    n_remaining.div_ceil(F::LANES).clamp(1, PANEL_VECTORS).next_power_of_two() * F::LANES
}

/// # Panics
/// Where panels do not have so many columns.
#[inline(always)]
pub(crate) fn assert_panel_width<F: Real>(width: usize) {
    assert!(matches!(width / F::LANES, 1 | 2 | 4) && width.is_multiple_of(F::LANES), "a panel of {width} columns");
}

/// Whether products are cut for 16 registers, of 32 or 16 bytes; else for 32 of 64.
fn has_few_registers<F: Real, S: Simd<F>>() -> bool {
    S::LANES < F::LANES
}

/// The factors of a product that lie in one place.
#[derive(Clone, Copy)]
pub(crate) struct Factors<'a, F> {
    /// The left factor of row r and term p is at r · `row_stride` + p · `term_stride`.
    pub(crate) left: &'a [F],
    pub(crate) row_stride: usize,
    pub(crate) term_stride: usize,
    /// The right factors of term p are the row p of this panel.
    pub(crate) right: &'a [F],
    pub(crate) n_terms: usize,
}

/// The product of some rows with a panel: `sums[row][column] = start[column] + Σ left[row][term] · right[term][column]`,
/// one chain of multiply-adds over ascending terms for each element. Without a `start`, each chain begins with the sum that
/// is there: so a product can go on where another ended, and its panel be small enough for the first-level cache.
///
/// The panel, `start` and the rows of `sums` have the same width.
///
/// # Panics
/// Where a slice is too short for the rows and terms, or the width is not that of a panel.
#[inline(always)]
pub(crate) fn panel_product<F: Real, S: Simd<F>>(
    simd: S,
    width: usize,
    start: Option<&[F]>,
    factors: Factors<'_, F>,
    n_rows: usize,
    sums: &mut [F],
) {
    simd.apart(PanelProduct { width, start, factors, n_rows, sums });
}

/// The arguments of [`panel_product`].
struct PanelProduct<'a, F> {
    width: usize,
    start: Option<&'a [F]>,
    factors: Factors<'a, F>,
    n_rows: usize,
    sums: &'a mut [F],
}

impl<F: Real> Task<F> for PanelProduct<'_, F> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd<F>>(self, _simd: S) {
        let PanelProduct { width, start, factors, n_rows, sums } = self;
        let Factors { left, row_stride, term_stride, right, n_terms } = factors;
        assert_panel_width::<F>(width);
        assert!(start.is_none_or(|start| start.len() == width));
        assert!(n_rows * width <= sums.len());
        if n_rows > 0 && n_terms > 0 {
            assert!((n_rows - 1) * row_stride + (n_terms - 1) * term_stride < left.len());
            assert!(n_terms * width <= right.len());
        }
        let n_vectors = width / S::LANES;
        let mut row = 0;
        while row < n_rows {
            let (mut vector, mut n_done) = (0, 0);
            while vector < n_vectors {
                let product = Block { width, start, factors, row, vector, sums: sums.as_mut_ptr() };
                // As many sums as suit the registers.
                // SAFETY: the assertions above, for every row, vector and term; `_simd` proves the instructions.
                (n_done, vector) = unsafe {
                    if has_few_registers::<F, S>() {
                        match (n_rows - row, n_vectors - vector) {
                            (4.., _) => (product.run::<S, 4, 2>(), vector + 2),
                            (2.., 4..) => (product.run::<S, 2, 4>(), vector + 4),
                            (2.., _) => (product.run::<S, 2, 2>(), vector + 2),
                            (_, 8..) => (product.run::<S, 1, 8>(), vector + 8),
                            (_, 4..) => (product.run::<S, 1, 4>(), vector + 4),
                            (_, _) => (product.run::<S, 1, 2>(), vector + 2),
                        }
                    } else {
                        match (n_rows - row, n_vectors) {
                            (4.., 4) => (product.run::<S, 4, 4>(), 4),
                            (_, 4) => (product.run::<S, 1, 4>(), 4),
                            (8.., 2) => (product.run::<S, 8, 2>(), 2),
                            (2.., 2) => (product.run::<S, 2, 2>(), 2),
                            (_, 2) => (product.run::<S, 1, 2>(), 2),
                            (8.., _) => (product.run::<S, 8, 1>(), 1),
                            (_, _) => (product.run::<S, 1, 1>(), 1),
                        }
                    }
                };
            }
            row += n_done;
        }
    }
}

/// Some rows and vectors of a product, whose sums stay in registers over all terms.
struct Block<'a, F> {
    width: usize,
    start: Option<&'a [F]>,
    factors: Factors<'a, F>,
    row: usize,
    vector: usize,
    sums: *mut F,
}

impl<F: Real> Block<'_, F> {
    /// Computes `ROWS` rows of `VECTORS` vectors. Returns `ROWS`.
    ///
    /// # Safety
    /// The processor has the instructions of `S`, and these rows and vectors lie inside `start`, `sums` and, with every
    /// term, inside the factors.
    #[inline(always)]
    unsafe fn run<S: Simd<F>, const ROWS: usize, const VECTORS: usize>(&self) -> usize {
        let Block { width, start, factors, row, vector, sums } = *self;
        // SAFETY: the caller's promises.
        unsafe {
            // Loops, not closures: an instruction in a closure would become a call.
            let to = sums.add(row * width + vector * S::LANES);
            let mut sums = [[S::splat(F::zero()); VECTORS]; ROWS];
            for (row, sums) in sums.iter_mut().enumerate() {
                for (index, sum) in sums.iter_mut().enumerate() {
                    *sum = match start {
                        Some(start) => S::load(start.as_ptr().add((vector + index) * S::LANES)),
                        None => S::load(to.add(row * width + index * S::LANES)),
                    };
                }
            }
            // Without terms there may be nothing where these point.
            let left = factors.left.as_ptr().wrapping_add(row * factors.row_stride);
            let right = factors.right.as_ptr().wrapping_add(vector * S::LANES);
            for term in 0..factors.n_terms {
                let mut columns = [S::splat(F::zero()); VECTORS];
                for (index, column) in columns.iter_mut().enumerate() {
                    *column = S::load(right.add(term * width + index * S::LANES));
                }
                for (index, sums) in sums.iter_mut().enumerate() {
                    let factor = S::splat(*left.add(index * factors.row_stride + term * factors.term_stride));
                    for (sum, &column) in sums.iter_mut().zip(&columns) {
                        *sum = S::multiply_add(factor, column, *sum);
                    }
                }
            }
            for (row, sums) in sums.iter().enumerate() {
                for (index, &sum) in sums.iter().enumerate() {
                    S::store(sum, to.add(row * width + index * S::LANES));
                }
            }
        }
        ROWS
    }
}

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

/// Writes the transpose of some rows of a panel: `to[column · to_stride + row] = rows[row][column]`, for every column.
///
/// # Panics
/// Where a slice is too short, or the width is not that of whole vectors.
#[inline(always)]
pub(crate) fn transpose<F: Real, S: Simd<F>>(simd: S, width: usize, rows: &[F], to: &mut [F], to_stride: usize) {
    simd.apart(Transpose { width, rows, to, to_stride });
}

/// The arguments of [`transpose`].
struct Transpose<'a, F> {
    width: usize,
    rows: &'a [F],
    to: &'a mut [F],
    to_stride: usize,
}

impl<F: Real> Task<F> for Transpose<'_, F> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd<F>>(self, _simd: S) {
        let Transpose { width, rows, to, to_stride } = self;
        let n_rows = rows.len() / width;
        assert!(width.is_multiple_of(F::LANES) && n_rows <= to_stride, "{n_rows} rows of {width} columns");
        if n_rows > 0 {
            assert!((width - 1) * to_stride + n_rows <= to.len());
        }
        let in_squares = n_rows - n_rows % F::LANES;
        for row in (0..in_squares).step_by(F::LANES) {
            for column in (0..width).step_by(F::LANES) {
                let (from, to) = (&rows[row * width + column..], &mut to[column * to_stride + row..]);
                // SAFETY: the assertions above; `_simd` proves the instructions.
                unsafe { S::transpose_square(from.as_ptr(), width, to.as_mut_ptr(), to_stride) };
            }
        }
        for (row, values) in rows.chunks_exact(width).enumerate().skip(in_squares) {
            for (column, &value) in values.iter().enumerate() {
                to[column * to_stride + row] = value;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::Kernel;

    /// Calls [`transpose`].
    struct Call<'a, F>(usize, &'a [F], &'a mut [F], usize);

    impl<F: Real> Task<F> for Call<'_, F> {
        type Output = ();
        #[inline(always)]
        fn run<S: Simd<F>>(self, simd: S) {
            let Call(width, rows, to, to_stride) = self;
            transpose(simd, width, rows, to, to_stride);
        }
    }

    fn supported() -> impl Iterator<Item = Kernel> {
        Kernel::ALL.into_iter().filter(|kernel| kernel.is_supported())
    }

    fn check<F: Real>() {
        for (kernel, n_vectors) in supported().flat_map(|kernel| [1, 2, 4].map(|n_vectors| (kernel, n_vectors))) {
            for (n_rows, to_stride) in [(0, 16), (1, 1), (8, 16), (16, 16), (35, 48), (64, 64)] {
                let width = n_vectors * F::LANES;
                let rows: Vec<F> = (1..=n_rows * width).map(|number| F::narrow(number as f64)).collect();
                let mut to = vec![F::zero(); width * to_stride];
                F::dispatch(kernel, Call(width, &rows, &mut to, to_stride));
                for (index, &value) in to.iter().enumerate() {
                    let (column, row) = (index / to_stride, index % to_stride);
                    let expected = if row < n_rows { rows[row * width + column] } else { F::zero() };
                    assert_eq!(value, expected, "{kernel}: row {row}, column {column} of {n_rows} by {width}");
                }
            }
        }
    }

    #[test]
    fn a_panel_is_transposed_on_every_level_and_nothing_beside_it_is_written() {
        check::<f32>();
        check::<f64>();
    }

    #[test]
    fn what_does_not_fit_is_not_transposed() {
        let panics = |n_rows: usize, n: usize, to_stride: usize| {
            let (rows, mut to) = (vec![1.0_f32; n_rows * 16], vec![0.0; n]);
            let call = || f32::dispatch(Kernel::Portable, Call(16, &rows, &mut to, to_stride));
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(call)).is_err()
        };
        assert!(!panics(17, 15 * 20 + 17, 20));
        assert!(panics(17, 15 * 20 + 16, 20), "no room for the last column");
        assert!(panics(17, 1_000, 16), "columns that overlap");
    }
}
