//! The products of lists with the rows of a panel, with sums or factors in registers.

use crate::kernel::simd::Simd;
use crate::real::Real;

/// Adds to `ROWS` rows of `sums` for each list, one behind the other, its product with the panel: with one row, both numbers
/// of a pair go there and each has a row of the panel; with two, each goes to its own, and a pair has one row of the panel.
///
/// # Safety
/// The processor has the instructions of `S`; for every place in the lists the panel has a row of `width` numbers, or two,
/// and `sums` has `ROWS` for each list.
#[inline(always)]
pub(super) unsafe fn lists_times<'a, F: Real, S: Simd<F>, const ROWS: usize>(
    lists: impl Iterator<Item: ExactSizeIterator<Item = (u32, &'a [F; 2])>> + Clone,
    panel: *const F,
    width: usize,
    sums: *mut F,
) {
    let n_vectors = width / S::LANES;
    let mut vector = 0;
    while vector < n_vectors {
        // Without lists there may be nothing where these point.
        let (panel, sums) = (panel.wrapping_add(vector * S::LANES), sums.wrapping_add(vector * S::LANES));
        let lists = lists.clone();
        // SAFETY: the caller's promises; the vectors lie inside the width. At most eight sums, which leaves registers for
        // their factors on every level.
        unsafe {
            vector += match n_vectors - vector {
                8.. if ROWS == 1 => vectors_of_lists::<F, S, ROWS, 8>(lists, panel, width, sums),
                4.. => vectors_of_lists::<F, S, ROWS, 4>(lists, panel, width, sums),
                2.. => vectors_of_lists::<F, S, ROWS, 2>(lists, panel, width, sums),
                _ => vectors_of_lists::<F, S, ROWS, 1>(lists, panel, width, sums),
            };
        }
    }
}

/// [`lists_times`] for some vectors of each row, whose sums stay in registers. Returns their number.
///
/// # Safety
/// As that; `panel` and `sums` point to the first of the vectors.
#[inline(always)]
unsafe fn vectors_of_lists<'a, F: Real, S: Simd<F>, const ROWS: usize, const VECTORS: usize>(
    lists: impl Iterator<Item: ExactSizeIterator<Item = (u32, &'a [F; 2])>>,
    panel: *const F,
    width: usize,
    sums: *mut F,
) -> usize {
    for (index, list) in lists.enumerate() {
        if list.len() == 0 {
            continue;
        }
        // SAFETY: the caller's promises.
        unsafe {
            // Loops, not closures: an instruction in a closure would become a call.
            let to = sums.add(index * ROWS * width);
            let mut sums = [[S::splat(F::zero()); VECTORS]; ROWS];
            for (row, sums) in sums.iter_mut().enumerate() {
                for (vector, sum) in sums.iter_mut().enumerate() {
                    *sum = S::load(to.add(row * width + vector * S::LANES));
                }
            }
            for (place, values) in list {
                let from = panel.add(place as usize * (2 / ROWS) * width);
                if ROWS == 1 {
                    for (row, &value) in values.iter().enumerate() {
                        let value = S::splat(value);
                        for (vector, sum) in sums[0].iter_mut().enumerate() {
                            let factor = S::load(from.add(row * width + vector * S::LANES));
                            *sum = S::multiply_add(value, factor, *sum);
                        }
                    }
                } else {
                    let mut factors = [S::splat(F::zero()); VECTORS];
                    for (vector, factor) in factors.iter_mut().enumerate() {
                        *factor = S::load(from.add(vector * S::LANES));
                    }
                    for (sums, &value) in sums.iter_mut().zip(values) {
                        let value = S::splat(value);
                        for (sum, &factor) in sums.iter_mut().zip(&factors) {
                            *sum = S::multiply_add(value, factor, *sum);
                        }
                    }
                }
            }
            for (row, sums) in sums.iter().enumerate() {
                for (vector, &sum) in sums.iter().enumerate() {
                    S::store(sum, to.add(row * width + vector * S::LANES));
                }
            }
        }
    }
    VECTORS
}

/// Adds to the rows of `sums` the product of each number in a list with a row of a panel. Each pair has two rows of sums.
///
/// # Safety
/// The processor has the instructions of `S`, and for every place in the list there are two rows of sums, as long as the row.
#[inline(always)]
pub(super) unsafe fn add_list_times<'a, F: Real, S: Simd<F>>(
    list: impl Iterator<Item = (u32, &'a [F; 2])> + Clone,
    row: &[F],
    sums: *mut F,
) {
    let mut columns = row;
    while !columns.is_empty() {
        // SAFETY: the caller's promises; the columns lie inside the row.
        unsafe {
            let sums = sums.add(row.len() - columns.len());
            let n_done = match columns.len() / S::LANES {
                8.. => vectors_of_row::<F, S, 8>(list.clone(), columns, row.len(), sums),
                4.. => vectors_of_row::<F, S, 4>(list.clone(), columns, row.len(), sums),
                2.. => vectors_of_row::<F, S, 2>(list.clone(), columns, row.len(), sums),
                1 => vectors_of_row::<F, S, 1>(list.clone(), columns, row.len(), sums),
                0 => panic!("a panel of {} columns", row.len()),
            };
            columns = &columns[n_done..];
        }
    }
}

/// [`add_list_times`] for the first vectors of some columns of the row. Returns their length.
///
/// # Safety
/// As that; there are so many vectors.
#[inline(always)]
unsafe fn vectors_of_row<'a, F: Real, S: Simd<F>, const VECTORS: usize>(
    list: impl Iterator<Item = (u32, &'a [F; 2])>,
    columns: &[F],
    width: usize,
    sums: *mut F,
) -> usize {
    // SAFETY: the caller's promises.
    unsafe {
        // Loops, not closures: an instruction in a closure would become a call.
        let mut factors = [S::splat(F::zero()); VECTORS];
        for (vector, factor) in factors.iter_mut().enumerate() {
            *factor = S::load(columns.as_ptr().add(vector * S::LANES));
        }
        for (place, values) in list {
            for (row, &value) in values.iter().enumerate() {
                let (value, to) = (S::splat(value), sums.add((2 * place as usize + row) * width));
                for (vector, &factor) in factors.iter().enumerate() {
                    let to = to.add(vector * S::LANES);
                    S::store(S::multiply_add(value, factor, S::load(to)), to);
                }
            }
        }
    }
    VECTORS * S::LANES
}
