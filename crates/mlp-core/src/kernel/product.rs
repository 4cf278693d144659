//! The product of some rows with a panel; where the rows are mostly zeros, see [`sparse`](crate::kernel::sparse).
//!
//! ```text
//!                       right: a panel, a row for each term
//!                     ┌────────┬────────┬────────┬────────┐
//!              term 0 │ vector │ vector │ vector │ vector │  ┐
//!                   1 │        │        │        │        │  │ read once for each group of rows,
//!                   ⋮ │        │        │        │        │  │ from the first-level cache
//!                     └────────┴────────┴────────┴────────┘  ┘
//!  left: rows × terms   sums: rows × columns of the panel
//!  ┌──────────────┐   ┌────────┬────────┬────────┬────────┐
//!  │ row 0        │   │▒▒▒▒▒▒▒▒│▒▒▒▒▒▒▒▒│▒▒▒▒▒▒▒▒│▒▒▒▒▒▒▒▒│  ▒ one block, here of ROWS = 4 rows and
//!  │     1        │   │▒▒▒▒▒▒▒▒│▒▒▒▒▒▒▒▒│▒▒▒▒▒▒▒▒│▒▒▒▒▒▒▒▒│    VECTORS = 4 vectors: sixteen sums that stay in
//!  │     2        │   │▒▒▒▒▒▒▒▒│▒▒▒▒▒▒▒▒│▒▒▒▒▒▒▒▒│▒▒▒▒▒▒▒▒│    registers while the terms go by, each a chain
//!  │     3        │   │▒▒▒▒▒▒▒▒│▒▒▒▒▒▒▒▒│▒▒▒▒▒▒▒▒│▒▒▒▒▒▒▒▒│    sum ← left[row][term] · right[term] + sum
//!  ├──────────────┤   ├────────┼────────┼────────┼────────┤
//!  │     4        │   │ the next block: as many rows as are left,  │
//!  └──────────────┘   └────────┴────────┴────────┴────────┘    or, with few registers, half of the vectors
//! ```
//!
//! All products compute each element in an order of its own terms only: as long as numbers are finite, the result of a row
//! does not depend on the rows beside it (but for the sign of a zero), nor on how the work is cut. That is why the number of
//! threads never changes a bit.

use crate::kernel::panel::assert_panel_width;
use crate::kernel::simd::{Simd, Task};
use crate::real::Real;

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
/// is there: so a product can continue where another ended, and its panel be small enough for the first-level cache.
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
