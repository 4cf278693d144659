//! The product of some rows with a panel, in pairs of terms: [`panel_product`](crate::kernel::product::panel_product) with
//! twice as many terms in a register.

use crate::kernel::pairs::{Pair, PairKernel, PairTask, Pairs};
use crate::kernel::panel::assert_panel_width;
use crate::kernel::prefetch::Ahead;

/// The factors of a product that lie in one place.
#[derive(Clone, Copy)]
pub(crate) struct PairFactors<'a> {
    /// The left factors of row r and the pair of terms p are at r · `row_stride` + p · `pair_stride`.
    pub(crate) left: &'a [Pair],
    pub(crate) row_stride: usize,
    pub(crate) pair_stride: usize,
    /// The right factors of the pair p are the row p of this panel.
    pub(crate) right: &'a [Pair],
    pub(crate) n_pairs: usize,
    /// What is asked for meanwhile.
    pub(crate) ahead: Ahead,
}

/// The product of some rows with a panel: `sums[row][column] = start[column] + Σ left[row][term] · right[term][column]`, one
/// chain for each element over ascending pairs of terms, the odd term of a pair first. Without a `start`, each chain
/// begins with the sum that is there.
///
/// # Panics
/// Where a slice is too short for the rows and terms, or the width is not that of a panel.
pub(crate) fn pair_product(
    kernel: PairKernel,
    width: usize,
    start: Option<&[f32]>,
    factors: PairFactors<'_>,
    n_rows: usize,
    sums: &mut [f32],
) {
    kernel.run(PairProduct { width, start, factors, n_rows, sums });
}

/// The arguments of [`pair_product`].
struct PairProduct<'a> {
    width: usize,
    start: Option<&'a [f32]>,
    factors: PairFactors<'a>,
    n_rows: usize,
    sums: &'a mut [f32],
}

impl PairTask for PairProduct<'_> {
    #[inline(always)]
    fn run<P: Pairs>(self, _pairs: P) {
        let PairProduct { width, start, factors, n_rows, sums } = self;
        let PairFactors { left, row_stride, pair_stride, right, n_pairs, ahead } = factors;
        assert_panel_width::<f32>(width);
        assert!(start.is_none_or(|start| start.len() == width));
        assert!(n_rows * width <= sums.len());
        if n_rows > 0 && n_pairs > 0 {
            assert!((n_rows - 1) * row_stride + (n_pairs - 1) * pair_stride < left.len());
            assert!(n_pairs * width <= right.len());
        }
        /// Those that are taken together.
        const ROWS: usize = 4;
        let mut ahead = ahead.in_portions(n_rows.div_ceil(ROWS));
        let n_vectors = width / P::LANES;
        let mut row = 0;
        while row < n_rows {
            if row.is_multiple_of(ROWS) {
                ahead.ask();
            }
            let (mut vector, mut n_done) = (0, 0);
            while vector < n_vectors {
                let block = Block { width, start, factors, row, vector, sums: sums.as_mut_ptr() };
                // As many sums as suit the registers: 32 of 64 bytes, or 16.
                // SAFETY: the assertions above, for every row, vector and pair; `_pairs` proves the instructions.
                (n_done, vector) = unsafe {
                    match (P::LANES, n_rows - row, n_vectors - vector) {
                        (16, 4.., 4..) => (block.run::<P, 4, 4>(), vector + 4),
                        (16, _, 4..) => (block.run::<P, 1, 4>(), vector + 4),
                        (16, 4.., 2..) => (block.run::<P, 4, 2>(), vector + 2),
                        (16, _, 2..) => (block.run::<P, 1, 2>(), vector + 2),
                        (16, 4.., _) => (block.run::<P, 4, 1>(), vector + 1),
                        (16, _, _) => (block.run::<P, 1, 1>(), vector + 1),
                        (_, 4.., _) => (block.run::<P, 4, 2>(), vector + 2),
                        (_, _, _) => (block.run::<P, 1, 2>(), vector + 2),
                    }
                };
            }
            row += n_done;
        }
    }
}

/// Some rows and vectors of a product, whose sums stay in registers over all terms.
struct Block<'a> {
    width: usize,
    start: Option<&'a [f32]>,
    factors: PairFactors<'a>,
    row: usize,
    vector: usize,
    sums: *mut f32,
}

impl Block<'_> {
    /// Computes `ROWS` rows of `VECTORS` vectors. Returns `ROWS`.
    ///
    /// # Safety
    /// The processor has the instructions of `P`, and these rows and vectors lie inside `start`, `sums` and, with every
    /// pair of terms, inside the factors.
    #[inline(always)]
    unsafe fn run<P: Pairs, const ROWS: usize, const VECTORS: usize>(&self) -> usize {
        let Block { width, start, factors, row, vector, sums } = *self;
        // SAFETY: the caller's promises.
        unsafe {
            // Loops, not closures: an instruction in a closure would become a call.
            let to = sums.add(row * width + vector * P::LANES);
            let mut sums = [[P::zeros(); VECTORS]; ROWS];
            for (row, sums) in sums.iter_mut().enumerate() {
                for (index, sum) in sums.iter_mut().enumerate() {
                    *sum = match start {
                        Some(start) => P::load_sums(start.as_ptr().add((vector + index) * P::LANES)),
                        None => P::load_sums(to.add(row * width + index * P::LANES)),
                    };
                }
            }
            // Without terms there may be nothing where these point.
            let left = factors.left.as_ptr().wrapping_add(row * factors.row_stride);
            let right = factors.right.as_ptr().wrapping_add(vector * P::LANES);
            for pair in 0..factors.n_pairs {
                let mut columns = [P::splat(Pair::default()); VECTORS];
                for (index, column) in columns.iter_mut().enumerate() {
                    *column = P::load(right.add(pair * width + index * P::LANES));
                }
                for (index, sums) in sums.iter_mut().enumerate() {
                    let factor = P::splat(*left.add(index * factors.row_stride + pair * factors.pair_stride));
                    for (sum, &column) in sums.iter_mut().zip(&columns) {
                        *sum = P::add_products(factor, column, *sum);
                    }
                }
            }
            for (row, sums) in sums.iter().enumerate() {
                for (index, &sum) in sums.iter().enumerate() {
                    P::store_sums(sum, to.add(row * width + index * P::LANES));
                }
            }
        }
        ROWS
    }
}
