//! The two matrix products of training, on packed weights.
//!
//! The units of a layer are cut into *panels* of up to [`PANEL_VECTORS`] vectors; a panel stores its rows one after the
//! other, so that a product reads memory in order and keeps a block of the result in registers. Both products compute
//! each element in an order of its own terms only: as long as numbers are finite, the result of a row does not depend on
//! the rows beside it (but for the sign of a zero), nor on how the work is cut. That is why the number of threads never
//! changes a bit.

use crate::kernel::Kernel;
use crate::kernel::simd::Simd;
use crate::kernel::terms::Terms;
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

/// How a product is cut whose left side has many zeros.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cut {
    /// Rows that go through the panel together. Terms that are zero in all of them are left out: fewer rows leave out more,
    /// but read the panel more often.
    pub(crate) rows: usize,
    /// Terms that all rows go through before the next: their part of the panel stays in the first-level cache.
    pub(crate) terms: usize,
}

/// The most rows of a [`Cut`].
pub(crate) const ROWS_TOGETHER_MAX: usize = 4;

impl Cut {
    /// For a panel of `width` columns. With many registers four rows go together, and the panel comes from the second-level
    /// cache just in time. With few, only as many rows as have their sums in registers, or one: that cache would be too slow
    /// for them, so terms come in stretches that the first-level cache holds.
    pub(crate) fn of<F: Real>(kernel: Kernel, width: usize) -> Cut {
        /// Most of the first-level cache.
        const NEAR: usize = 28 << 10;
        let row = width * size_of::<F>();
        let register = match kernel {
            Kernel::Avx512 => return Cut { rows: ROWS_TOGETHER_MAX, terms: usize::MAX },
            Kernel::Avx2 => 32,
            Kernel::Portable => 16,
        };
        Cut { rows: (SUMS_IN_FEW_REGISTERS * register / row).clamp(1, ROWS_TOGETHER_MAX), terms: NEAR / row }
    }
}

/// How many rows go through a panel of `width` columns together, leaving out the terms that are zero in all of them: as many
/// as have their sums in registers.
pub(crate) fn rows_that_share_zeros<F: Real, S: Simd<F>>(width: usize) -> usize {
    if has_few_registers::<F, S>() {
        (SUMS_IN_FEW_REGISTERS * S::LANES / width).max(1)
    } else {
        (16 * F::LANES / width).min(8)
    }
}

/// Whether products are cut for 16 registers, of 32 or 16 bytes; else for 32 of 64.
fn has_few_registers<F: Real, S: Simd<F>>() -> bool {
    S::LANES < F::LANES
}

/// Of 16 registers, those that hold sums in [`panel_product`]; the others hold factors. Where two multiply-adds begin in a cycle and each takes
/// four, so many are under way at once, and none waits for another.
const SUMS_IN_FEW_REGISTERS: usize = 8;

/// A stretch of the terms of a product, whose factors lie in one place.
#[derive(Clone, Copy)]
pub(crate) struct Segment<'a, F, T> {
    /// The left factor of row r at position p (see [`Terms::ascending`]) is at r · `row_stride` + p · `term_stride`.
    pub(crate) left: &'a [F],
    pub(crate) row_stride: usize,
    pub(crate) term_stride: usize,
    /// The right factors at position p are the row p of this panel.
    pub(crate) right: &'a [F],
    pub(crate) terms: T,
}

/// The product of some rows with a panel: `sums[row][column] = start[column] + Σ left[row][term] · right[term][column]`,
/// one chain of multiply-adds over ascending terms, segment after segment, for each element. Without a `start`, each chain
/// begins with the sum that is there.
///
/// The panels, `start` and the rows of `sums` have the same width.
///
/// # Panics
/// Where a slice is too short for the rows and terms, or the width is not that of a panel.
#[inline(always)]
pub(crate) fn panel_product<'a, F: Real, S: Simd<F>, T: Terms + 'a>(
    _simd: S,
    width: usize,
    start: Option<&[F]>,
    segments: impl Iterator<Item = Segment<'a, F, T>> + Clone,
    n_rows: usize,
    sums: &mut [F],
) {
    if n_rows == 0 {
        return;
    }
    let n_vectors = width / F::LANES;
    assert!(width.is_multiple_of(F::LANES) && matches!(n_vectors, 1 | 2 | 4), "a panel of {width} columns");
    assert!(start.is_none_or(|start| start.len() == width));
    assert!(n_rows * width <= sums.len());
    for Segment { left, row_stride, term_stride, right, terms } in segments.clone() {
        let (n_left, n_right) = terms.bounds();
        if n_left > 0 {
            assert!((n_rows - 1) * row_stride + (n_left - 1) * term_stride < left.len());
            assert!(n_right * width <= right.len());
        }
    }
    let product = PanelProduct { width, start, segments, sums: sums.as_mut_ptr() };
    // SAFETY: the assertions above, for every segment and row, and every term, as `Terms` promises; `_simd` proves the
    // instructions. Registers of less than 64 bytes come in twos or fours to a panel's row.
    unsafe {
        match n_vectors {
            _ if has_few_registers::<F, S>() => product.segment_after_segment::<S>(n_rows),
            4 => product.rows_of_four_vectors::<S>(n_rows),
            2 => product.rows_of_two_vectors::<S>(n_rows),
            _ => product.rows_of_one_vector::<S>(n_rows),
        }
    }
}

/// The checked arguments of [`panel_product`].
struct PanelProduct<'s, F, G> {
    width: usize,
    /// Of every row; none where each begins with the sums that are there.
    start: Option<&'s [F]>,
    segments: G,
    sums: *mut F,
}

/// Each method has the safety of [`PanelProduct::block`] for all rows from 0 to `n_rows`, and all vectors of the width.
impl<'a, F: Real, T: Terms + 'a, G: Iterator<Item = Segment<'a, F, T>> + Clone> PanelProduct<'_, F, G> {
    #[inline(always)]
    unsafe fn rows_of_four_vectors<S: Simd<F>>(&self, n_rows: usize) {
        let mut row = 0;
        while row < n_rows {
            // SAFETY: the caller's promises.
            row += unsafe {
                match n_rows - row {
                    4.. => self.block::<S, 4, 4>(row, 0),
                    2.. => self.block::<S, 2, 4>(row, 0),
                    _ => self.block::<S, 1, 4>(row, 0),
                }
            };
        }
    }

    #[inline(always)]
    unsafe fn rows_of_two_vectors<S: Simd<F>>(&self, n_rows: usize) {
        let mut row = 0;
        while row < n_rows {
            // SAFETY: the caller's promises.
            row += unsafe {
                match n_rows - row {
                    8.. => self.block::<S, 8, 2>(row, 0),
                    4.. => self.block::<S, 4, 2>(row, 0),
                    2.. => self.block::<S, 2, 2>(row, 0),
                    _ => self.block::<S, 1, 2>(row, 0),
                }
            };
        }
    }

    #[inline(always)]
    unsafe fn rows_of_one_vector<S: Simd<F>>(&self, n_rows: usize) {
        let mut row = 0;
        while row < n_rows {
            // SAFETY: the caller's promises.
            row += unsafe {
                match n_rows - row {
                    8.. => self.block::<S, 8, 1>(row, 0),
                    4.. => self.block::<S, 4, 1>(row, 0),
                    2.. => self.block::<S, 2, 1>(row, 0),
                    _ => self.block::<S, 1, 1>(row, 0),
                }
            };
        }
    }

    /// With few registers, rows go through the panel several times, a few columns each time, so the panel has to be near:
    /// all rows go through one segment before the next, and in between the sums are in memory.
    #[inline(always)]
    unsafe fn segment_after_segment<S: Simd<F>>(&self, n_rows: usize) {
        let is_once = n_rows * self.width <= SUMS_IN_FEW_REGISTERS * S::LANES;
        if is_once || self.segments.clone().next().is_none() {
            // SAFETY: the caller's promises.
            unsafe { self.rows_in_few_registers::<S>(n_rows) };
            return;
        }
        let mut start = self.start;
        for segment in self.segments.clone() {
            if start.is_none() && segment.terms.bounds().0 == 0 {
                continue;
            }
            let product =
                PanelProduct { width: self.width, start, segments: std::iter::once(segment), sums: self.sums };
            // SAFETY: the caller's promises.
            unsafe { product.rows_in_few_registers::<S>(n_rows) };
            start = None;
        }
    }

    #[inline(always)]
    unsafe fn rows_in_few_registers<S: Simd<F>>(&self, n_rows: usize) {
        let n_vectors = self.width / S::LANES;
        let mut row = 0;
        while row < n_rows {
            let (mut vector, mut n_done) = (0, 0);
            while vector < n_vectors {
                // SAFETY: the caller's promises.
                (n_done, vector) = unsafe {
                    match (n_rows - row, n_vectors - vector) {
                        (4.., _) => (self.block::<S, 4, 2>(row, vector), vector + 2),
                        (2.., 4..) => (self.block::<S, 2, 4>(row, vector), vector + 4),
                        (2.., _) => (self.block::<S, 2, 2>(row, vector), vector + 2),
                        (_, 8..) => (self.block::<S, 1, 8>(row, vector), vector + 8),
                        (_, 4..) => (self.block::<S, 1, 4>(row, vector), vector + 4),
                        (_, _) => (self.block::<S, 1, 2>(row, vector), vector + 2),
                    }
                };
            }
            row += n_done;
        }
    }

    /// `ROWS` rows of `VECTORS` vectors, whose sums stay in registers over all terms. Returns `ROWS`.
    ///
    /// # Safety
    /// The processor has the instructions of `S`, and these rows and vectors lie inside `start`, `sums` and, with every
    /// term, inside the slices of each segment.
    #[inline(always)]
    unsafe fn block<S: Simd<F>, const ROWS: usize, const VECTORS: usize>(&self, row: usize, vector: usize) -> usize {
        let width = self.width;
        // SAFETY: the caller has checked that every row and term lies inside the slices.
        unsafe {
            // Loops, not closures: an instruction in a closure would become a call.
            let to = self.sums.add(row * width + vector * S::LANES);
            let mut sums = [[S::splat(F::zero()); VECTORS]; ROWS];
            for (row, sums) in sums.iter_mut().enumerate() {
                for (index, sum) in sums.iter_mut().enumerate() {
                    *sum = match self.start {
                        Some(start) => S::load(start.as_ptr().add((vector + index) * S::LANES)),
                        None => S::load(to.add(row * width + index * S::LANES)),
                    };
                }
            }
            for segment in self.segments.clone() {
                let left = segment.left.as_ptr().add(row * segment.row_stride);
                let right = segment.right.as_ptr().add(vector * S::LANES);
                for (at, term) in segment.terms.ascending() {
                    let mut factors = [S::splat(F::zero()); VECTORS];
                    for (index, factors) in factors.iter_mut().enumerate() {
                        *factors = S::load(right.add(term * width + index * S::LANES));
                    }
                    for (index, sums) in sums.iter_mut().enumerate() {
                        let factor = S::splat(*left.add(index * segment.row_stride + at * segment.term_stride));
                        for (sum, &factors) in sums.iter_mut().zip(&factors) {
                            *sum = S::multiply_add(factor, factors, *sum);
                        }
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
    if has_few_registers::<F, S>() {
        // SAFETY: the assertions above; `_simd` proves the instructions.
        unsafe {
            match F::LANES / S::LANES {
                2 => dots_in_few_registers::<F, S, 2>(panels, n_rows, first_input, n_inputs, products, products_stride),
                4 => dots_in_few_registers::<F, S, 4>(panels, n_rows, first_input, n_inputs, products, products_stride),
                parts => panic!("{parts} registers for 64 bytes"),
            }
        }
        return;
    }
    /// Rows, and inputs.
    const SIDE: usize = 4;
    let mut first = 0;
    if n_rows == 1 {
        // A row by itself is all reading: what it costs beside that is to sum the lanes.
        while first + 16 <= n_inputs {
            // SAFETY: the assertions above; `_simd` proves the instructions.
            unsafe { sixteen_dots::<F, S>(panels.clone(), first_input + first, &mut products[first..]) };
            first += 16;
        }
    }
    for input in (first..n_inputs).step_by(SIDE) {
        let few_inputs = input + SIDE > n_inputs;
        for row in (0..n_rows).step_by(SIDE) {
            let few_rows = row + SIDE > n_rows;
            let products = &mut products[row * products_stride + input..];
            let (panels, input) = (panels.clone(), first_input + input);
            // SAFETY: the assertions above; `_simd` proves the instructions.
            unsafe {
                match (few_rows, few_inputs) {
                    (false, false) => {
                        dots::<F, S, 1, 4, 4>(panels, row, input, products, products_stride);
                    }
                    (true, false) => {
                        for (index, products) in products.chunks_mut(products_stride).take(n_rows - row).enumerate() {
                            dots::<F, S, 1, 1, 4>(panels.clone(), row + index, input, products, products_stride);
                        }
                    }
                    _ => {
                        let n_rows = SIDE.min(n_rows - row);
                        let n_inputs = first_input + n_inputs - input;
                        for (index, products) in products.chunks_mut(products_stride).take(n_rows).enumerate() {
                            for other in 0..n_inputs.min(SIDE) {
                                let (row, input) = (row + index, input + other);
                                dots::<F, S, 1, 1, 1>(panels.clone(), row, input, &mut products[other..], 1);
                            }
                        }
                    }
                }
            }
        }
    }
}

/// [`transposed_product`] where 64 bytes take `PARTS` registers.
///
/// # Safety
/// The processor has the instructions of `S`, `PARTS` is right for it, the rows and inputs lie inside each panel, and there
/// is room for the products.
#[inline(always)]
unsafe fn dots_in_few_registers<'a, F: Real, S: Simd<F>, const PARTS: usize>(
    panels: impl Iterator<Item = PanelPair<'a, F>> + Clone,
    n_rows: usize,
    first_input: usize,
    n_inputs: usize,
    products: &mut [F],
    stride: usize,
) {
    /// Rows that stay in the first-level cache while all inputs are read.
    const NEAR: usize = 12;
    for first_row in (0..n_rows).step_by(NEAR) {
        let rows = first_row..n_rows.min(first_row + NEAR);
        let mut input = 0;
        while input < n_inputs {
            let mut row = rows.start;
            let together = match n_inputs - input {
                4.. if n_rows == 1 && PARTS == 2 => 4,
                2.. => 2,
                _ => 1,
            };
            while row < rows.end {
                let products = &mut products[row * stride + input..];
                let (panels, input) = (panels.clone(), first_input + input);
                // SAFETY: the caller's promises.
                unsafe {
                    row += match (PARTS, rows.end - row, together) {
                        (_, _, 4) => dots::<F, S, PARTS, 1, 4>(panels, row, input, products, stride),
                        (2, 3.., 2) => dots::<F, S, PARTS, 3, 2>(panels, row, input, products, stride),
                        (2, 2.., 2) => dots::<F, S, PARTS, 2, 2>(panels, row, input, products, stride),
                        (_, _, 2) => dots::<F, S, PARTS, 1, 2>(panels, row, input, products, stride),
                        _ => dots::<F, S, PARTS, 1, 1>(panels, row, input, products, stride),
                    }
                }
            }
            input += together;
        }
    }
}

/// The dot products of the first row of the left matrix with 16 rows of the packed one.
///
/// # Safety
/// The processor has the instructions of `S`, the rows lie inside each panel, and there is room for 16 products.
#[inline(always)]
unsafe fn sixteen_dots<'a, F: Real, S: Simd<F>>(
    panels: impl Iterator<Item = PanelPair<'a, F>>,
    input: usize,
    products: &mut [F],
) {
    // SAFETY: the caller's promises.
    unsafe {
        // Loops, not closures: an instruction in a closure would become a call.
        let mut sums = [S::splat(F::zero()); 16];
        for PanelPair { width, left, right } in panels {
            let (left, right) = (left.as_ptr(), right.as_ptr().add(input * width));
            if width == PANEL_VECTORS * S::LANES {
                add_dots::<F, S, PANEL_VECTORS>(&mut sums, left, right);
            } else {
                for vector in 0..width / S::LANES {
                    let left = S::load(left.add(vector * S::LANES));
                    for (input, sum) in sums.iter_mut().enumerate() {
                        let right = S::load(right.add(input * width + vector * S::LANES));
                        *sum = S::multiply_add(left, right, *sum);
                    }
                }
            }
        }
        S::store_sums_of_lanes(sums, products.as_mut_ptr());
    }
}

/// Adds to each of the sums, lane by lane, the product of a row on the left with a row on the right, which follow each other
/// in memory. With a length known to the compiler, memory is read from one end to the other.
///
/// # Safety
/// The processor has the instructions of `S`; there are `VECTORS` vectors on the left, and sixteen times as many on the right.
#[inline(always)]
unsafe fn add_dots<F: Real, S: Simd<F>, const VECTORS: usize>(
    sums: &mut [S::Vector; 16],
    left: *const F,
    right: *const F,
) {
    // SAFETY: the caller's promises.
    unsafe {
        // Loops, not closures: an instruction in a closure would become a call.
        let mut factors = [S::splat(F::zero()); VECTORS];
        for (vector, factor) in factors.iter_mut().enumerate() {
            *factor = S::load(left.add(vector * S::LANES));
        }
        for (input, sum) in sums.iter_mut().enumerate() {
            for (vector, &factor) in factors.iter().enumerate() {
                let right = S::load(right.add((input * VECTORS + vector) * S::LANES));
                *sum = S::multiply_add(factor, right, *sum);
            }
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
        // Four at a time; behind the last of fewer than four it is summed again, for nothing.
        for first in (0..ROWS * INPUTS).step_by(4) {
            let mut four = [sums[0][0][0]; 4];
            for (index, sum) in four.iter_mut().enumerate() {
                let entry = (first + index).min(ROWS * INPUTS - 1);
                *sum = sums[0][entry / INPUTS][entry % INPUTS];
            }
            let four = S::sums_of_lanes(four);
            for (index, &product) in four.iter().enumerate().take(ROWS * INPUTS - first) {
                let entry = first + index;
                *products.get_unchecked_mut(entry / INPUTS * products_stride + entry % INPUTS) = product;
            }
        }
    }
    ROWS
}
