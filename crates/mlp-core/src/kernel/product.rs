//! The two matrix products of training, on packed weights.
//!
//! The weights of a layer are cut into *panels* of [`panel_width`] columns; a panel stores its rows one after the other,
//! so that a product reads memory in order and keeps a block of the result in registers. Both products compute
//! each element in an order of its own terms only: as long as numbers are finite, the result of a row does not depend on
//! the rows beside it, nor on how the work is cut. That is why the number of threads never changes a bit.

use crate::kernel::simd::Simd;
use crate::real::Real;

/// Columns in a panel: 128 bytes, two vectors.
pub(crate) const fn panel_width<F: Real>() -> usize {
    2 * F::LANES
}

/// The widest panel, in `f32`.
pub(crate) const PANEL_WIDTH_MAX: usize = 32;

/// Rows that one call of the register kernel handles where there are registers for them.
pub(crate) const ROWS: usize = 8;

/// Which terms of a sum are taken, in ascending order.
#[derive(Clone, Copy)]
pub(crate) enum Terms<'a> {
    /// 0, 1, … below the number.
    All(usize),
    /// Those that can be different from zero.
    Listed(&'a TermList),
}

/// Ascending indices of terms.
#[derive(Debug)]
pub(crate) struct TermList {
    indices: Vec<u32>,
}

impl TermList {
    /// An empty list with room for `capacity` indices.
    pub(crate) fn with_capacity(capacity: usize) -> TermList {
        TermList { indices: Vec::with_capacity(capacity) }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.indices.is_empty()
    }

    pub(crate) fn clear(&mut self) {
        self.indices.clear();
    }

    /// Appends an index, which must be larger than all before it.
    #[inline(always)]
    pub(crate) fn push(&mut self, index: usize) {
        debug_assert!(self.indices.last().is_none_or(|&last| (last as usize) < index));
        self.indices.push(index as u32);
    }
}

impl Terms<'_> {
    /// The least number of terms in which all of these lie.
    fn bound(self) -> usize {
        match self {
            Terms::All(n_terms) => n_terms,
            Terms::Listed(list) => list.indices.iter().max().map_or(0, |&last| last as usize + 1),
        }
    }
}

/// A matrix whose entries are read one at a time: entry (row, term) is at `row · row_stride + term · term_stride`.
#[derive(Clone, Copy)]
pub(crate) struct Scalars<'a, F> {
    pub(crate) values: &'a [F],
    pub(crate) row_stride: usize,
    pub(crate) term_stride: usize,
}

/// A matrix that is read a vector at a time: its rows are `stride` apart.
#[derive(Clone, Copy)]
pub(crate) struct Rows<'a, F> {
    pub(crate) values: &'a [F],
    pub(crate) stride: usize,
}

/// The product of some rows with one panel, added to what `sums` holds:
/// `sums[row][column] += Σ left[row][term] · panel[term][column]`, one chain of multiply-adds over ascending terms for
/// each element.
///
/// `sums` has rows of panel width at `sums_stride`.
///
/// # Panics
/// Where a slice is too short for the rows and terms.
#[inline(always)]
pub(crate) fn add_panel_product<F: Real, S: Simd<F>>(
    _simd: S,
    left: Scalars<'_, F>,
    n_rows: usize,
    terms: Terms<'_>,
    panel: Rows<'_, F>,
    sums: &mut [F],
    sums_stride: usize,
) {
    let bound = terms.bound();
    if n_rows == 0 || bound == 0 {
        return;
    }
    let width = panel_width::<F>();
    assert!((n_rows - 1) * left.row_stride + (bound - 1) * left.term_stride < left.values.len());
    assert!((bound - 1) * panel.stride + width <= panel.values.len());
    assert!((n_rows - 1) * sums_stride + width <= sums.len());
    match terms {
        // SAFETY: the assertions above, for every row and term; `_simd` proves the instructions.
        Terms::All(n_terms) => unsafe { cut_rows::<F, S, _>(left, n_rows, 0..n_terms, panel, sums, sums_stride) },
        Terms::Listed(list) => {
            let terms = list.indices.iter().map(|&index| index as usize);
            // SAFETY: as above.
            unsafe { cut_rows::<F, S, _>(left, n_rows, terms, panel, sums, sums_stride) }
        }
    }
}

/// Cuts the rows of a product into pieces that fit into the registers.
///
/// # Safety
/// The processor has the instructions of `S`, and every row and term lies inside the three slices.
#[inline(always)]
unsafe fn cut_rows<F: Real, S: Simd<F>, T: Iterator<Item = usize> + Clone>(
    left: Scalars<'_, F>,
    n_rows: usize,
    terms: T,
    panel: Rows<'_, F>,
    sums: &mut [F],
    sums_stride: usize,
) {
    let (left_start, sums_start) = (left.values.as_ptr(), sums.as_mut_ptr());
    let mut row = 0;
    while row < n_rows {
        // SAFETY: the caller has checked that every row lies inside the slices.
        unsafe {
            let a = left_start.add(row * left.row_stride);
            let c = sums_start.add(row * sums_stride);
            let (a_row, a_term, b, b_row) = (left.row_stride, left.term_stride, panel.values.as_ptr(), panel.stride);
            let remaining = n_rows - row;
            if S::MANY_REGISTERS {
                row += match remaining {
                    8.. => register_block::<F, S, 8, 2, _>(a, a_row, a_term, b, b_row, c, sums_stride, terms.clone()),
                    4.. => register_block::<F, S, 4, 2, _>(a, a_row, a_term, b, b_row, c, sums_stride, terms.clone()),
                    2.. => register_block::<F, S, 2, 2, _>(a, a_row, a_term, b, b_row, c, sums_stride, terms.clone()),
                    _ => register_block::<F, S, 1, 2, _>(a, a_row, a_term, b, b_row, c, sums_stride, terms.clone()),
                };
            } else {
                let half = F::LANES;
                let (b2, c2) = (b.add(half), c.add(half));
                row += if remaining >= 4 {
                    register_block::<F, S, 4, 1, _>(a, a_row, a_term, b, b_row, c, sums_stride, terms.clone());
                    register_block::<F, S, 4, 1, _>(a, a_row, a_term, b2, b_row, c2, sums_stride, terms.clone())
                } else {
                    register_block::<F, S, 1, 1, _>(a, a_row, a_term, b, b_row, c, sums_stride, terms.clone());
                    register_block::<F, S, 1, 1, _>(a, a_row, a_term, b2, b_row, c2, sums_stride, terms.clone())
                };
            }
        }
    }
}

/// `ROWS` rows of `VECTORS` vectors, whose sums stay in registers over all terms. Returns `ROWS`.
///
/// # Safety
/// The processor has the instructions of `S`, and every row and term lies inside the three matrices.
#[expect(clippy::too_many_arguments, reason = "three matrices with their strides, and the terms")]
#[inline(always)]
unsafe fn register_block<F: Real, S: Simd<F>, const ROWS: usize, const VECTORS: usize, T: Iterator<Item = usize>>(
    a: *const F,
    a_row: usize,
    a_term: usize,
    b: *const F,
    b_row: usize,
    c: *mut F,
    c_row: usize,
    terms: T,
) -> usize {
    // SAFETY: the caller has checked that every row and term lies inside the slices.
    unsafe {
        // Loops, not closures: an instruction in a closure would become a call.
        let mut sums = [[S::splat(F::zero()); VECTORS]; ROWS];
        for (row, sums) in sums.iter_mut().enumerate() {
            for (vector, sum) in sums.iter_mut().enumerate() {
                *sum = S::load(c.add(row * c_row + vector * F::LANES));
            }
        }
        for term in terms {
            let mut panel_row = [S::splat(F::zero()); VECTORS];
            for (vector, entries) in panel_row.iter_mut().enumerate() {
                *entries = S::load(b.add(term * b_row + vector * F::LANES));
            }
            for (row, sums) in sums.iter_mut().enumerate() {
                let a = S::splat(*a.add(row * a_row + term * a_term));
                for (sum, &b) in sums.iter_mut().zip(&panel_row) {
                    *sum = S::multiply_add(a, b, *sum);
                }
            }
        }
        for (row, sums) in sums.iter().enumerate() {
            for (vector, &sum) in sums.iter().enumerate() {
                S::store(sum, c.add(row * c_row + vector * F::LANES));
            }
        }
    }
    ROWS
}

/// The product of some rows with the transpose of a packed matrix:
/// `products[row][i] = Σ left[row][column] · right[i][column]`, where the columns of `right` are cut into panels.
///
/// The columns of `left` behind its last are zero up to a whole panel; `products` has rows at `products_stride`. Each sum is taken lane by lane of a vector, and the lanes are added pairwise at the end.
///
/// # Panics
/// Where a slice is too short.
#[inline(always)]
pub(crate) fn transposed_product<'a, F: Real, S: Simd<F>>(
    _simd: S,
    left: Rows<'a, F>,
    n_rows: usize,
    panels: impl Iterator<Item = &'a [F]> + Clone,
    n_inputs: usize,
    products: &mut [F],
    products_stride: usize,
) {
    let width = panel_width::<F>();
    if n_rows == 0 || n_inputs == 0 {
        return;
    }
    assert!((n_rows - 1) * products_stride + n_inputs <= products.len());
    let (side, other) = if S::MANY_REGISTERS { (4, 4) } else { (2, 2) };
    for first_input in (0..n_inputs).step_by(other) {
        for first_row in (0..n_rows).step_by(side) {
            let full = first_row + side <= n_rows && first_input + other <= n_inputs;
            let block = |row: usize, input: usize| Block {
                left: Rows { values: &left.values[row * left.stride..], ..left },
                panels: panels.clone(),
                first_weight: input * width,
            };
            // SAFETY: `_simd` proves the instructions.
            unsafe {
                if full && S::MANY_REGISTERS {
                    let sums = block(first_row, first_input).dots::<S, 4, 4>();
                    write(&sums, products, products_stride, first_row, first_input);
                } else if full {
                    let sums = block(first_row, first_input).dots::<S, 2, 2>();
                    write(&sums, products, products_stride, first_row, first_input);
                } else {
                    for row in first_row..n_rows.min(first_row + side) {
                        for input in first_input..n_inputs.min(first_input + other) {
                            let sums = block(row, input).dots::<S, 1, 1>();
                            write(&sums, products, products_stride, row, input);
                        }
                    }
                }
            }
        }
    }
}

fn write<F: Real, const ROWS: usize, const INPUTS: usize>(
    sums: &[[F; INPUTS]; ROWS],
    products: &mut [F],
    stride: usize,
    first_row: usize,
    first_input: usize,
) {
    for (row, sums) in sums.iter().enumerate() {
        let start = (first_row + row) * stride + first_input;
        products[start..start + INPUTS].copy_from_slice(sums);
    }
}

/// A block of the transposed product.
struct Block<'a, F, P> {
    left: Rows<'a, F>,
    panels: P,
    first_weight: usize,
}

impl<'a, F: Real, P: Iterator<Item = &'a [F]>> Block<'a, F, P> {
    /// The dot products of `ROWS` rows of the left matrix with `INPUTS` rows of the packed one.
    ///
    /// # Safety
    /// The processor has the instructions of `S`.
    #[inline(always)]
    unsafe fn dots<S: Simd<F>, const ROWS: usize, const INPUTS: usize>(self) -> [[F; INPUTS]; ROWS] {
        let width = panel_width::<F>();
        // SAFETY: each panel, and the columns of the left matrix that it meets, are checked before they are read.
        unsafe {
            let mut sums = [[S::splat(F::zero()); INPUTS]; ROWS];
            for (index, panel) in self.panels.enumerate() {
                assert!(self.first_weight + INPUTS * width <= panel.len());
                assert!((ROWS - 1) * self.left.stride + (index + 1) * width <= self.left.values.len());
                for half in 0..2 {
                    let left = self.left.values.as_ptr().add(index * width + half * F::LANES);
                    let weights = panel.as_ptr().add(self.first_weight + half * F::LANES);
                    let mut packed = [S::splat(F::zero()); INPUTS];
                    for (input, packed) in packed.iter_mut().enumerate() {
                        *packed = S::load(weights.add(input * width));
                    }
                    for (row, sums) in sums.iter_mut().enumerate() {
                        let left = S::load(left.add(row * self.left.stride));
                        for (sum, &weights) in sums.iter_mut().zip(&packed) {
                            *sum = S::multiply_add(left, weights, *sum);
                        }
                    }
                }
            }
            // Loops, not closures: an instruction in a closure would become a call.
            let mut products = [[F::zero(); INPUTS]; ROWS];
            for (products, sums) in products.iter_mut().zip(&sums) {
                // What is behind the last of fewer than four is summed for nothing.
                let last = sums[INPUTS - 1];
                let mut four = [last; 4];
                four[..INPUTS].copy_from_slice(sums);
                products.copy_from_slice(&S::sums_of_lanes(four)[..INPUTS]);
            }
            products
        }
    }
}
