//! The products of the first layer, whose inputs have many zeros: only what is not zero is looked at.
//!
//! Columns are taken in pairs: neighbours share most of their zeros, and there is half as much to note. A matrix is kept as
//! lists, each of the pairs that are not zero in a row, or of the rows in which a pair is not. The product of a list with a
//! panel is one chain of multiply-adds for each element, over ascending places, as in the product of everything: what is
//! left out would have added 0.

mod lists;

use std::ops::Range;

use crate::kernel::pairs::lists::{AddColumns, Columns, Lists, ListsTimes};
use crate::kernel::pairs::{Pair, PairKernel};
use crate::kernel::panel::assert_panel_width;
use crate::kernel::simd::{Simd, Task};
use crate::kernel::sparse::lists::{add_list_times, lists_times};
use crate::real::Real;

/// What is not zero in a matrix: row by row in stretches of columns (compressed rows), and pair of columns by pair.
#[derive(Debug)]
pub(crate) struct Sparse<F> {
    n_columns: usize,
    /// All rows go through one stretch of columns before the next: its part of a panel stays in the first-level cache. The
    /// length is even.
    stretch_len: usize,
    n_stretches: usize,
    max_rows: usize,
    n_rows: usize,
    /// Where each list ends: those of the stretches of the first row, then those of the next.
    ends: Vec<u32>,
    /// The pairs in each list, ascending, counted within the stretch.
    places: Vec<u32>,
    /// The numbers there. The last of an odd number of columns has a 0 beside it.
    values: Vec<[F; 2]>,
    /// The same, of numbers that are rounded to bf16, where products are taken in pairs; else empty, as are the entries.
    pairs: Vec<Pair>,
    pair_entries: Vec<(u32, Pair)>,
    pair_kernel: Option<PairKernel>,
    transposed: Transposed,
    /// For every column, 0 where it has nothing.
    used: Vec<u32>,
    /// In how many rows each pair has something. Empty unless the transposed product is taken from columns, as are the
    /// entries.
    counts: Vec<u32>,
    /// For each pair the rows in which it is not zero, ascending, with the numbers there: what is written together lies
    /// together.
    entries: Vec<(u32, [F; 2])>,
    /// How far the entries of a pair lie from those of the next.
    stride: usize,
}

/// How the product of the transposed matrix is taken.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Transposed {
    /// Pair of columns by pair, for each of which there is a list: its sums stay in registers.
    FromColumns,
    /// Row by row, each of which adds to many sums: for a narrow panel that is less work than making those lists.
    FromRows,
}

impl<F: Real> Sparse<F> {
    /// A matrix without rows, with room for `max_rows`, made for products with panels of `width` columns.
    ///
    /// # Panics
    /// Where the width is not that of a panel, or there are 2³² pairs or more.
    pub(crate) fn new(max_rows: usize, n_columns: usize, width: usize, transposed: Transposed) -> Sparse<F> {
        /// Of the first-level cache, what a stretch of a panel takes.
        const NEAR: usize = 28 << 10;
        assert_panel_width::<F>(width);
        let n_pairs = n_columns.div_ceil(2);
        assert!(u32::try_from(max_rows * n_pairs).is_ok(), "{max_rows} rows of {n_columns} columns");
        let stretch_len = (NEAR / (width * size_of::<F>())).next_multiple_of(2);
        let n_stretches = n_columns.div_ceil(stretch_len);
        // Odd: lists a power of two apart would compete for the same lines of the cache.
        let stride = max_rows | 1;
        let n_kept = if transposed == Transposed::FromColumns { n_pairs } else { 0 };
        Sparse {
            n_columns,
            stretch_len,
            n_stretches,
            max_rows,
            n_rows: 0,
            ends: Vec::with_capacity(max_rows * n_stretches),
            places: vec![0; max_rows * n_pairs],
            values: vec![[F::zero(); 2]; max_rows * n_pairs],
            pairs: Vec::new(),
            pair_entries: Vec::new(),
            pair_kernel: None,
            transposed,
            used: vec![0; n_columns],
            counts: vec![0; n_kept],
            entries: vec![(0, [F::zero(); 2]); n_kept * stride],
            stride,
        }
    }

    /// For products of pairs: the rows that are pushed have to be rounded to bf16.
    pub(crate) fn in_pairs(mut self, kernel: PairKernel) -> Sparse<F> {
        self.pairs = vec![Pair::default(); self.values.len()];
        self.pair_entries = vec![(0, Pair::default()); self.entries.len()];
        self.entries = Vec::new();
        // Twice as much of a panel is as near.
        self.stretch_len *= 2;
        self.n_stretches = self.n_columns.div_ceil(self.stretch_len);
        self.ends = Vec::with_capacity(self.max_rows * self.n_stretches);
        self.pair_kernel = Some(kernel);
        self
    }

    pub(crate) fn n_columns(&self) -> usize {
        self.n_columns
    }

    /// Removes all rows.
    #[inline(always)]
    pub(crate) fn clear(&mut self) {
        self.n_rows = 0;
        self.ends.clear();
        self.used.fill(0);
        self.counts.fill(0);
    }

    /// Appends a row. Only `for_transposed` products does it count in columns.
    ///
    /// # Panics
    /// Where there is no room, or it is not as long as there are columns.
    #[inline(always)]
    pub(crate) fn push_row<S: Simd<F>>(&mut self, _simd: S, row: &[F], for_transposed: bool) {
        assert!(self.n_rows < self.max_rows, "a row behind {} of {}", self.n_rows, self.max_rows);
        assert_eq!(row.len(), self.n_columns, "numbers in a row, and columns");
        let mut end = self.ends.last().map_or(0, |&end| end as usize);
        for (index, numbers) in row.chunks(self.stretch_len).enumerate() {
            let n_pairs = numbers.len().div_ceil(2);
            let (places, values) = (&mut self.places[end..][..n_pairs], &mut self.values[end..][..n_pairs]);
            // SAFETY: `_simd` proves the instructions, and there is room for all pairs.
            let n = unsafe { S::compress_pairs(numbers, places, values) };
            if self.pair_kernel.is_some() {
                self.pairs[end..end + n].iter_mut().zip(&self.values[end..end + n]).for_each(|(pair, values)| {
                    *pair = Pair::of_rounded(F::singles(values));
                });
            }
            if for_transposed && self.transposed == Transposed::FromColumns {
                self.append_to_columns(index * self.stretch_len / 2, end..end + n);
            }
            end += n;
            self.ends.push(end as u32);
        }
        if for_transposed {
            for (used, &number) in self.used.iter_mut().zip(row) {
                *used |= u32::from(number != F::zero());
            }
        }
        self.n_rows += 1;
    }

    /// Appends pairs of the row that is being pushed, counted from `first_pair`, to their columns.
    #[inline(always)]
    fn append_to_columns(&mut self, first_pair: usize, pairs: Range<usize>) {
        let Sparse { counts, entries, stride, pair_entries, .. } = self;
        let (counts, row) = (&mut counts[first_pair..], self.n_rows as u32);
        let places = &self.places[pairs.clone()];
        if self.pair_kernel.is_some() {
            append(row, places, &self.pairs[pairs], counts, &mut pair_entries[first_pair * *stride..], *stride);
        } else {
            append(row, places, &self.values[pairs], counts, &mut entries[first_pair * *stride..], *stride);
        }
    }

    /// The rows in which a pair is not zero.
    #[inline(always)]
    fn column_pair(&self, pair: usize) -> impl ExactSizeIterator<Item = (u32, &[F; 2])> {
        self.entries[pair * self.stride..][..self.counts[pair] as usize].iter().map(|(row, values)| (*row, values))
    }

    /// The list of a stretch of a row.
    #[inline(always)]
    fn list(&self, row: usize, stretch: usize) -> impl ExactSizeIterator<Item = (u32, &[F; 2])> + Clone {
        let list = row * self.n_stretches + stretch;
        let range = list.checked_sub(1).map_or(0, |before| self.ends[before] as usize)..self.ends[list] as usize;
        self.places[range.clone()].iter().copied().zip(&self.values[range])
    }

    /// Whether one of some columns has something.
    #[inline(always)]
    pub(crate) fn has_any(&self, columns: Range<usize>) -> bool {
        self.used[columns].iter().fold(0, |any, used| any | used) != 0
    }

    /// How many columns are to be passed to [`Sparse::add_columns_times`] at a time, of a matrix that prefers `n`.
    pub(crate) fn columns_together(&self, n: usize) -> usize {
        match self.transposed {
            Transposed::FromColumns => n,
            Transposed::FromRows => self.stretch_len,
        }
    }

    /// The columns of a row that are not zero, with the values there.
    #[inline(always)]
    pub(crate) fn row(&self, row: usize) -> impl Iterator<Item = (usize, F)> {
        let lists = (0..self.n_stretches).flat_map(move |stretch| {
            self.list(row, stretch)
                .map(move |(place, values)| (stretch * self.stretch_len + 2 * place as usize, values))
        });
        lists.flat_map(|(column, &[a, b])| [(column, a), (column + 1, b)]).filter(|(_, value)| *value != F::zero())
    }

    /// The product of the rows with a panel that has a row for each column, and one more where their number is odd:
    /// `sums[row] = start + Σ x[row][column] · panel[column]`, rows of `width`.
    ///
    /// # Panics
    /// Where a slice is too short, or the width is not that of a panel.
    #[inline(always)]
    pub(crate) fn rows_times<S: Simd<F>>(&self, simd: S, start: &[F], panel: &[F], width: usize, sums: &mut [F]) {
        simd.apart(RowsTimes { sparse: self, start, panel, width, sums });
    }

    /// [`Sparse::rows_times`] with a panel of pairs of rows.
    ///
    /// # Panics
    /// As that, and where the matrix was not made for it.
    pub(crate) fn rows_times_pairs(&self, start: &[f32], panel: &[Pair], width: usize, sums: &mut [f32]) {
        let kernel = self.pair_kernel.expect("a matrix in pairs");
        let lists = Lists {
            n_rows: self.n_rows,
            n_stretches: self.n_stretches,
            pairs_per_stretch: self.stretch_len / 2,
            n_pairs: self.n_columns.div_ceil(2),
            ends: &self.ends,
            places: &self.places,
            pairs: &self.pairs,
        };
        kernel.run(ListsTimes { lists, start, panel, width, sums });
    }

    /// Adds the product of some columns, transposed, with a panel that has a row for each row: `sums[i] += Σ
    /// x[row][columns.start + i] · panel[row]`, rows of `width`. The columns begin with an even number; behind an odd number
    /// of them, one more row of sums is overwritten.
    ///
    /// # Panics
    /// Where a slice is too short, the width is not that of a panel, there are no such columns, or they are not as many as
    /// [`Sparse::columns_together`] says.
    #[inline(always)]
    pub(crate) fn add_columns_times<S: Simd<F>>(
        &self,
        simd: S,
        columns: Range<usize>,
        panel: &[F],
        width: usize,
        sums: &mut [F],
    ) {
        if let (Some(kernel), Transposed::FromColumns) = (self.pair_kernel, self.transposed) {
            assert!(columns.start.is_multiple_of(2) && columns.end <= self.n_columns, "columns {columns:?}");
            let pairs = columns.start / 2..columns.end.div_ceil(2);
            let (entries, counts) = (&self.pair_entries[pairs.start * self.stride..], &self.counts[pairs]);
            let columns = Columns { n_rows: self.n_rows, entries, stride: self.stride, counts };
            kernel.run(AddColumns { columns, panel: F::singles(panel), width, sums: F::singles_mut(sums) });
            return;
        }
        simd.apart(AddColumnsTimes { sparse: self, columns, panel, width, sums });
    }
}

/// Appends what stands at some places of a row to their lists.
#[inline(always)]
fn append<T: Copy>(
    row: u32,
    places: &[u32],
    values: &[T],
    counts: &mut [u32],
    entries: &mut [(u32, T)],
    stride: usize,
) {
    for (&place, &values) in places.iter().zip(values) {
        let count = &mut counts[place as usize];
        entries[place as usize * stride + *count as usize] = (row, values);
        *count += 1;
    }
}

/// [`Sparse::rows_times`]
struct RowsTimes<'a, F> {
    sparse: &'a Sparse<F>,
    start: &'a [F],
    panel: &'a [F],
    width: usize,
    sums: &'a mut [F],
}

impl<F: Real> Task<F> for RowsTimes<'_, F> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd<F>>(self, _simd: S) {
        let RowsTimes { sparse, start, panel, width, sums } = self;
        assert_panel_width::<F>(width);
        assert!(panel.len() >= sparse.n_columns.next_multiple_of(2) * width && start.len() == width);
        assert!(sums.len() >= sparse.n_rows * width);
        for sums in sums.chunks_exact_mut(width).take(sparse.n_rows) {
            sums.copy_from_slice(start);
        }
        for stretch in 0..sparse.n_stretches {
            let panel = &panel[stretch * sparse.stretch_len * width..];
            let lists = (0..sparse.n_rows).map(|row| sparse.list(row, stretch));
            // SAFETY: `_simd` proves the instructions. A list has pairs within its stretch of the columns, for each of which
            // the panel has two rows, as was asserted; and there are sums for all rows.
            unsafe { lists_times::<F, S, 1>(lists, panel.as_ptr(), width, sums.as_mut_ptr()) };
        }
    }
}

/// [`Sparse::add_columns_times`]
struct AddColumnsTimes<'a, F> {
    sparse: &'a Sparse<F>,
    columns: Range<usize>,
    panel: &'a [F],
    width: usize,
    sums: &'a mut [F],
}

impl<F: Real> Task<F> for AddColumnsTimes<'_, F> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd<F>>(self, _simd: S) {
        let AddColumnsTimes { sparse, columns, panel, width, sums } = self;
        assert_panel_width::<F>(width);
        assert!(columns.start.is_multiple_of(2) && columns.end <= sparse.n_columns, "columns {columns:?}");
        assert!(panel.len() >= sparse.n_rows * width && sums.len() >= columns.len().next_multiple_of(2) * width);
        match sparse.transposed {
            Transposed::FromColumns => {
                let lists = (columns.start / 2..columns.end.div_ceil(2)).map(|pair| sparse.column_pair(pair));
                // SAFETY: `_simd` proves the instructions. A list has rows, for each of which the panel has one, and there are
                // sums for all pairs, as was asserted.
                unsafe { lists_times::<F, S, 2>(lists, panel.as_ptr(), width, sums.as_mut_ptr()) };
            }
            Transposed::FromRows => {
                let stretch = columns.start / sparse.stretch_len;
                let first = stretch * sparse.stretch_len;
                let whole = first..sparse.n_columns.min(first + sparse.stretch_len);
                assert!(stretch < sparse.n_stretches && columns == whole, "columns {columns:?} are no stretch");
                for (row, panel) in panel.chunks_exact(width).take(sparse.n_rows).enumerate() {
                    // SAFETY: `_simd` proves the instructions. The list is of this stretch, and there are sums for all pairs of
                    // it, as was asserted.
                    unsafe { add_list_times::<F, S>(sparse.list(row, stretch), panel, sums.as_mut_ptr()) };
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
