//! The two matrix products of training, on packed weights.
//!
//! The units of a layer are cut into *panels* of up to [`PANEL_VECTORS`] vectors; a panel stores its rows one after the
//! other, so that a product reads memory in order and keeps a block of the result in registers. Both products compute
//! each element in an order of its own terms only: as long as numbers are finite, the result of a row does not depend on
//! the rows beside it, nor on how the work is cut. That is why the number of threads never changes a bit.

use crate::kernel::simd::Simd;
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

/// Which terms of a sum are taken, in ascending order.
pub(crate) trait Terms: Copy {
    /// A number of terms in which all of these lie.
    fn bound(self) -> usize;
    /// Their indices.
    fn ascending(self) -> impl Iterator<Item = usize>;
}

/// The terms 0, 1, … below a number.
#[derive(Clone, Copy)]
pub(crate) struct AllTerms(pub(crate) usize);

impl Terms for AllTerms {
    #[inline(always)]
    fn bound(self) -> usize {
        self.0
    }
    #[inline(always)]
    fn ascending(self) -> impl Iterator<Item = usize> {
        0..self.0
    }
}

/// The terms whose bit is set.
#[derive(Clone, Copy)]
pub(crate) struct MaskedTerms(pub(crate) u32);

impl Terms for MaskedTerms {
    #[inline(always)]
    fn bound(self) -> usize {
        (u32::BITS - self.0.leading_zeros()) as usize
    }
    #[inline(always)]
    fn ascending(self) -> impl Iterator<Item = usize> {
        let mut mask = self.0;
        std::iter::from_fn(move || {
            let term = mask.trailing_zeros() as usize;
            (mask != 0).then(|| {
                mask &= mask - 1;
                term
            })
        })
    }
}

/// A list of ascending terms.
#[derive(Debug)]
pub(crate) struct TermList {
    /// The first `len` are the list; all are below the length of this vector.
    indices: Vec<u32>,
    len: usize,
}

impl TermList {
    /// An empty list with room for the terms 0, 1, … below `n_terms`.
    pub(crate) fn new(n_terms: usize) -> TermList {
        TermList { indices: vec![0; n_terms], len: 0 }
    }

    /// Replaces the list by the positions of the numbers that have one of `bits` set.
    ///
    /// # Panics
    /// Where there is no room for as many terms as there are numbers.
    #[inline(always)]
    pub(crate) fn fill<F, S: Simd<F>>(&mut self, _simd: S, numbers: &[u32], bits: u32) {
        let room = &mut self.indices[..numbers.len()];
        // SAFETY: `_simd` proves the instructions, and the room is as long as the numbers.
        self.len = unsafe { S::store_positions(numbers, bits, room) };
    }

    /// The terms.
    #[inline(always)]
    pub(crate) fn indices(&self) -> &[u32] {
        &self.indices[..self.len]
    }
}

impl Terms for &TermList {
    #[inline(always)]
    fn bound(self) -> usize {
        self.indices().last().map_or(0, |&last| last as usize + 1)
    }
    #[inline(always)]
    fn ascending(self) -> impl Iterator<Item = usize> {
        self.indices().iter().map(|&index| index as usize)
    }
}

/// A stretch of the terms of a product, whose factors lie in one place.
#[derive(Clone, Copy)]
pub(crate) struct Segment<'a, F, T> {
    /// The left factor of row r and term t is at r · `row_stride` + t · `term_stride`.
    pub(crate) left: &'a [F],
    pub(crate) row_stride: usize,
    pub(crate) term_stride: usize,
    /// The right factors of term t are row t of this panel.
    pub(crate) right: &'a [F],
    pub(crate) terms: T,
}

/// The product of some rows with a panel: `sums[row][column] = start[column] + Σ left[row][term] · right[term][column]`,
/// one chain of multiply-adds over ascending terms, segment after segment, for each element.
///
/// The panel, `start` and the rows of `sums` have the same width.
///
/// # Panics
/// Where a slice is too short for the rows and terms, or the width is not that of a panel.
#[inline(always)]
pub(crate) fn panel_product<'a, F: Real, S: Simd<F>, T: Terms + 'a>(
    simd: S,
    start: &[F],
    segments: impl Iterator<Item = Segment<'a, F, T>> + Clone,
    n_rows: usize,
    sums: &mut [F],
) {
    product_of_rows(simd, start.len(), Some(start), segments, n_rows, sums);
}

/// [`panel_product`] onto what is there: `sums[row][column] += Σ left[row][term] · right[term][column]`.
///
/// # Panics
/// As that.
#[inline(always)]
pub(crate) fn add_panel_product<'a, F: Real, S: Simd<F>, T: Terms + 'a>(
    simd: S,
    width: usize,
    segments: impl Iterator<Item = Segment<'a, F, T>> + Clone,
    n_rows: usize,
    sums: &mut [F],
) {
    product_of_rows(simd, width, None, segments, n_rows, sums);
}

#[inline(always)]
fn product_of_rows<'a, F: Real, S: Simd<F>, T: Terms + 'a>(
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
    assert!(width.is_multiple_of(F::LANES), "a panel of {width} columns");
    assert!(n_rows * width <= sums.len());
    for Segment { left, row_stride, term_stride, right, terms } in segments.clone() {
        let bound = terms.bound();
        if bound > 0 {
            assert!((n_rows - 1) * row_stride + (bound - 1) * term_stride < left.len());
            assert!(bound * width <= right.len());
        }
    }
    let product = PanelProduct { width, start, segments, sums: sums.as_mut_ptr() };
    // SAFETY: the assertions above, for every segment, row and term; `_simd` proves the instructions.
    unsafe {
        match (width / F::LANES, S::MANY_REGISTERS) {
            (4, true) => product.rows_of_four_vectors::<S>(n_rows),
            (2, true) => product.rows_of_two_vectors::<S>(n_rows),
            (1, true) => product.rows_of_one_vector::<S>(n_rows, 0),
            (4, false) => product.rows_with_few_registers::<S>(n_rows, 4),
            (2, false) => product.rows_with_few_registers::<S>(n_rows, 2),
            (1, false) => product.rows_with_few_registers::<S>(n_rows, 1),
            _ => panic!("a panel of {width} columns"),
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
    unsafe fn rows_of_one_vector<S: Simd<F>>(&self, n_rows: usize, vector: usize) {
        let mut row = 0;
        while row < n_rows {
            // SAFETY: the caller's promises.
            row += unsafe {
                match n_rows - row {
                    8.. if S::MANY_REGISTERS => self.block::<S, 8, 1>(row, vector),
                    4.. => self.block::<S, 4, 1>(row, vector),
                    2.. => self.block::<S, 2, 1>(row, vector),
                    _ => self.block::<S, 1, 1>(row, vector),
                }
            };
        }
    }

    #[inline(always)]
    unsafe fn rows_with_few_registers<S: Simd<F>>(&self, n_rows: usize, n_vectors: usize) {
        // Two rows have too few sums of one vector each to keep the processor busy.
        let step = if n_rows == 2 && n_vectors > 1 { 2 } else { 1 };
        for vector in (0..n_vectors).step_by(step) {
            // SAFETY: the caller's promises.
            unsafe {
                if step == 2 {
                    self.block::<S, 2, 2>(0, vector);
                } else {
                    self.rows_of_one_vector::<S>(n_rows, vector);
                }
            }
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
            let to = self.sums.add(row * width + vector * F::LANES);
            let mut sums = [[S::splat(F::zero()); VECTORS]; ROWS];
            for (row, sums) in sums.iter_mut().enumerate() {
                for (index, sum) in sums.iter_mut().enumerate() {
                    *sum = match self.start {
                        Some(start) => S::load(start.as_ptr().add((vector + index) * F::LANES)),
                        None => S::load(to.add(row * width + index * F::LANES)),
                    };
                }
            }
            for segment in self.segments.clone() {
                let left = segment.left.as_ptr().add(row * segment.row_stride);
                let right = segment.right.as_ptr().add(vector * F::LANES);
                for term in segment.terms.ascending() {
                    let mut factors = [S::splat(F::zero()); VECTORS];
                    for (index, factors) in factors.iter_mut().enumerate() {
                        *factors = S::load(right.add(term * width + index * F::LANES));
                    }
                    for (index, sums) in sums.iter_mut().enumerate() {
                        let factor = S::splat(*left.add(index * segment.row_stride + term * segment.term_stride));
                        for (sum, &factors) in sums.iter_mut().zip(&factors) {
                            *sum = S::multiply_add(factor, factors, *sum);
                        }
                    }
                }
            }
            for (row, sums) in sums.iter().enumerate() {
                for (index, &sum) in sums.iter().enumerate() {
                    S::store(sum, to.add(row * width + index * F::LANES));
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
    assert!((n_rows - 1) * products_stride + n_inputs <= products.len());
    for pair in panels.clone() {
        assert!(pair.width.is_multiple_of(F::LANES), "a panel of {} columns", pair.width);
        assert!(n_rows * pair.width <= pair.left.len());
        assert!((first_input + n_inputs) * pair.width <= pair.right.len());
    }
    let side = if S::MANY_REGISTERS { 4 } else { 2 };
    let mut first = 0;
    if n_rows == 1 && S::MANY_REGISTERS {
        // A row by itself is all reading: what it costs beside that is to sum the lanes.
        while first + 16 <= n_inputs {
            // SAFETY: the assertions above; `_simd` proves the instructions.
            unsafe { sixteen_dots::<F, S>(panels.clone(), first_input + first, &mut products[first..]) };
            first += 16;
        }
    }
    for input in (first..n_inputs).step_by(side) {
        let few_inputs = input + side > n_inputs;
        for row in (0..n_rows).step_by(side) {
            let few_rows = row + side > n_rows;
            let products = &mut products[row * products_stride + input..];
            let (panels, input) = (panels.clone(), first_input + input);
            // SAFETY: the assertions above; `_simd` proves the instructions.
            unsafe {
                match (few_rows, few_inputs, S::MANY_REGISTERS) {
                    (false, false, true) => dots::<F, S, 4, 4>(panels, row, input, products, products_stride),
                    (false, false, false) => dots::<F, S, 2, 2>(panels, row, input, products, products_stride),
                    (true, false, _) => {
                        for (index, products) in products.chunks_mut(products_stride).take(n_rows - row).enumerate() {
                            if S::MANY_REGISTERS {
                                dots::<F, S, 1, 4>(panels.clone(), row + index, input, products, products_stride);
                            } else {
                                dots::<F, S, 1, 2>(panels.clone(), row + index, input, products, products_stride);
                            }
                        }
                    }
                    _ => {
                        let n_rows = side.min(n_rows - row);
                        let n_inputs = first_input + n_inputs - input;
                        for (index, products) in products.chunks_mut(products_stride).take(n_rows).enumerate() {
                            for other in 0..n_inputs.min(side) {
                                let (row, input) = (row + index, input + other);
                                dots::<F, S, 1, 1>(panels.clone(), row, input, &mut products[other..], 1);
                            }
                        }
                    }
                }
            }
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
            if width == PANEL_VECTORS * F::LANES {
                add_dots::<F, S, PANEL_VECTORS>(&mut sums, left, right);
            } else {
                for vector in 0..width / F::LANES {
                    let left = S::load(left.add(vector * F::LANES));
                    for (input, sum) in sums.iter_mut().enumerate() {
                        let right = S::load(right.add(input * width + vector * F::LANES));
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
            *factor = S::load(left.add(vector * F::LANES));
        }
        for (input, sum) in sums.iter_mut().enumerate() {
            for (vector, &factor) in factors.iter().enumerate() {
                let right = S::load(right.add((input * VECTORS + vector) * F::LANES));
                *sum = S::multiply_add(factor, right, *sum);
            }
        }
    }
}

/// The dot products of `ROWS` rows of the left matrix with `INPUTS` rows of the packed one.
///
/// # Safety
/// The processor has the instructions of `S`, and the rows lie inside each panel.
#[inline(always)]
unsafe fn dots<'a, F: Real, S: Simd<F>, const ROWS: usize, const INPUTS: usize>(
    panels: impl Iterator<Item = PanelPair<'a, F>>,
    row: usize,
    input: usize,
    products: &mut [F],
    products_stride: usize,
) {
    // SAFETY: the caller's promises.
    unsafe {
        // Loops, not closures: an instruction in a closure would become a call.
        let mut sums = [[S::splat(F::zero()); INPUTS]; ROWS];
        for PanelPair { width, left, right } in panels {
            let left = left.as_ptr().add(row * width);
            let right = right.as_ptr().add(input * width);
            for column in (0..width).step_by(F::LANES) {
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
        // Four at a time; behind the last of fewer than four it is summed again, for nothing.
        for first in (0..ROWS * INPUTS).step_by(4) {
            let mut four = [sums[0][0]; 4];
            for (index, sum) in four.iter_mut().enumerate() {
                let entry = (first + index).min(ROWS * INPUTS - 1);
                *sum = sums[entry / INPUTS][entry % INPUTS];
            }
            let four = S::sums_of_lanes(four);
            for (index, &product) in four.iter().enumerate().take(ROWS * INPUTS - first) {
                let entry = first + index;
                products[entry / INPUTS * products_stride + entry % INPUTS] = product;
            }
        }
    }
}
