//! The products of the first layer, whose inputs have many zeros: only what is not zero is looked at.
//!
//! Columns are taken in pairs: neighbours share most of their zeros, and there is half as much to note. A matrix is kept as
//! lists, each of the pairs that are not zero in a row, or of the rows in which a pair is not. The product of a list with a
//! panel is one chain of multiply-adds for each element, over ascending places, as in the product of everything: what is
//! left out would have added 0.

use std::ops::Range;

use crate::kernel::simd::Simd;
use crate::real::Real;

/// What is not zero in a matrix: row by row in stretches of columns (compressed rows), and by pairs of columns (compressed
/// columns).
#[derive(Debug)]
pub(crate) struct Sparse<F> {
    n_columns: usize,
    /// The columns, an even number, that all rows go through before the next: their part of a panel stays in the first-level
    /// cache.
    stretch: usize,
    n_stretches: usize,
    max_rows: usize,
    n_rows: usize,
    /// Where each list ends: those of the stretches of the first row, then those of the next.
    ends: Vec<u32>,
    /// The pairs in each list, ascending, counted within the stretch.
    places: Vec<u32>,
    /// The numbers there. The last of an odd number of columns has a 0 beside it.
    values: Vec<[F; 2]>,
    columns: Columns,
    /// For every column, 0 where it has nothing.
    used: Vec<u32>,
    /// In how many rows each pair has something. Empty unless columns are kept, as are the entries.
    counts: Vec<u32>,
    /// For each pair the rows in which it is not zero, ascending, with the numbers there: what is written together lies
    /// together.
    entries: Vec<(u32, [F; 2])>,
    /// How far the entries of a pair lie from those of the next.
    stride: usize,
}

/// How a matrix can be multiplied from the left in its transposed form.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Columns {
    /// Column by column: each is kept as a list, and its sums stay in registers.
    Kept,
    /// Row by row, each of which adds to many sums: for narrow panels that is less work than keeping the columns.
    FromRows,
}

impl<F: Real> Sparse<F> {
    /// A matrix without rows, with room for `max_rows`. Products of it and a panel of `width` columns take stretches of its
    /// columns.
    pub(crate) fn new(max_rows: usize, n_columns: usize, width: usize, columns: Columns) -> Sparse<F> {
        /// Of the first-level cache, what a stretch of a panel takes.
        const NEAR: usize = 28 << 10;
        let n_pairs = n_columns.div_ceil(2);
        assert!(u32::try_from(max_rows * n_pairs).is_ok(), "{max_rows} rows of {n_columns} columns");
        let stretch = (NEAR / (width * size_of::<F>())).next_multiple_of(2).max(2);
        let n_stretches = n_columns.div_ceil(stretch);
        // Odd: lists a power of two apart would compete for the same lines of the cache.
        let stride = max_rows | 1;
        let n_kept = if columns == Columns::Kept { n_pairs } else { 0 };
        Sparse {
            n_columns,
            stretch,
            n_stretches,
            max_rows,
            n_rows: 0,
            ends: Vec::with_capacity(max_rows * n_stretches),
            places: vec![0; max_rows * n_pairs],
            values: vec![[F::zero(); 2]; max_rows * n_pairs],
            columns,
            used: vec![0; n_columns],
            counts: vec![0; n_kept],
            entries: vec![(0, [F::zero(); 2]); n_kept * stride],
            stride,
        }
    }

    /// Removes all rows.
    #[inline(always)]
    pub(crate) fn clear(&mut self) {
        self.n_rows = 0;
        self.ends.clear();
        self.used.fill(0);
        self.counts.fill(0);
    }

    /// Appends a row; to the columns only where it is said.
    ///
    /// # Panics
    /// Where there is no room, or it is not as long as there are columns.
    #[inline(always)]
    pub(crate) fn push_row<S: Simd<F>>(&mut self, _simd: S, row: &[F], for_columns: bool) {
        assert!(self.n_rows < self.max_rows, "a row behind {} of {}", self.n_rows, self.max_rows);
        assert_eq!(row.len(), self.n_columns, "numbers in a row, and columns");
        let mut end = self.ends.last().map_or(0, |&end| end as usize);
        for (index, numbers) in row.chunks(self.stretch).enumerate() {
            let n_pairs = numbers.len().div_ceil(2);
            let (places, values) = (&mut self.places[end..][..n_pairs], &mut self.values[end..][..n_pairs]);
            // SAFETY: `_simd` proves the instructions, and there is room for all pairs.
            let n = unsafe { S::compress_pairs(numbers, places, values) };
            if for_columns && self.columns == Columns::Kept {
                self.append_to_columns(index * self.stretch / 2, end..end + n);
            }
            end += n;
            self.ends.push(end as u32);
        }
        if for_columns {
            for (used, &number) in self.used.iter_mut().zip(row) {
                *used |= u32::from(number != F::zero());
            }
        }
        self.n_rows += 1;
    }

    /// Appends pairs of the row that is being pushed, counted from `first_pair`, to their columns.
    #[inline(always)]
    fn append_to_columns(&mut self, first_pair: usize, pairs: Range<usize>) {
        let (counts, entries) = (&mut self.counts[first_pair..], &mut self.entries[first_pair * self.stride..]);
        for (&place, &values) in self.places[pairs.clone()].iter().zip(&self.values[pairs]) {
            let count = &mut counts[place as usize];
            entries[place as usize * self.stride + *count as usize] = (self.n_rows as u32, values);
            *count += 1;
        }
    }

    /// The rows in which a pair is not zero.
    #[inline(always)]
    fn column(&self, pair: usize) -> impl ExactSizeIterator<Item = (u32, &[F; 2])> {
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

    /// The columns to be passed to [`Sparse::add_columns_times`] together; `n` where they are kept.
    pub(crate) fn columns_together(&self, n: usize) -> usize {
        match self.columns {
            Columns::Kept => n,
            Columns::FromRows => self.stretch,
        }
    }

    /// The columns of a row that are not zero, with the values there.
    #[inline(always)]
    pub(crate) fn row(&self, row: usize) -> impl Iterator<Item = (usize, F)> {
        let lists = (0..self.n_stretches).flat_map(move |stretch| {
            self.list(row, stretch).map(move |(place, values)| (stretch * self.stretch + 2 * place as usize, values))
        });
        lists.flat_map(|(column, &[a, b])| [(column, a), (column + 1, b)]).filter(|(_, value)| *value != F::zero())
    }

    /// The product of the rows with a panel that has a row for each column, and one more where their number is odd:
    /// `sums[row] = start + Σ x[row][column] · panel[column]`, rows of `width`.
    ///
    /// # Panics
    /// Where a slice is too short, or the width is not that of a panel.
    #[inline(always)]
    pub(crate) fn rows_times<S: Simd<F>>(&self, _simd: S, start: &[F], panel: &[F], width: usize, sums: &mut [F]) {
        assert!(panel.len() >= self.n_columns.next_multiple_of(2) * width && start.len() == width);
        assert!(sums.len() >= self.n_rows * width);
        for sums in sums.chunks_exact_mut(width).take(self.n_rows) {
            sums.copy_from_slice(start);
        }
        for stretch in 0..self.n_stretches {
            let panel = &panel[stretch * self.stretch * width..];
            let lists = (0..self.n_rows).map(|row| self.list(row, stretch));
            // SAFETY: `_simd` proves the instructions. A list has pairs within its stretch of the columns, for each of which
            // the panel has two rows, as was asserted; and there are sums for all rows.
            unsafe { lists_times::<F, S, 1>(lists, panel.as_ptr(), width, sums.as_mut_ptr()) };
        }
    }

    /// Adds the product of some columns, transposed, with a panel that has a row for each row: `sums[i] += Σ
    /// x[row][columns.start + i] · panel[row]`, rows of `width`, and one more where the number of columns is odd. The columns
    /// begin with an even number.
    ///
    /// # Panics
    /// Where a slice is too short, the width is not that of a panel, there are no such columns, or those that are not kept are
    /// not a whole stretch ([`Sparse::columns_together`]).
    #[inline(always)]
    pub(crate) fn add_columns_times<S: Simd<F>>(
        &self,
        _simd: S,
        columns: Range<usize>,
        panel: &[F],
        width: usize,
        sums: &mut [F],
    ) {
        assert!(panel.len() >= self.n_rows * width && sums.len() >= columns.len().next_multiple_of(2) * width);
        assert!(columns.start.is_multiple_of(2) && columns.end <= self.n_columns, "columns {columns:?}");
        match self.columns {
            Columns::Kept => {
                let lists = (columns.start / 2..columns.end.div_ceil(2)).map(|pair| self.column(pair));
                // SAFETY: `_simd` proves the instructions. A list has rows, for each of which the panel has one, and there are
                // sums for all pairs, as was asserted.
                unsafe { lists_times::<F, S, 2>(lists, panel.as_ptr(), width, sums.as_mut_ptr()) };
            }
            Columns::FromRows => {
                let stretch = columns.start / self.stretch;
                let first = stretch * self.stretch;
                assert!(
                    columns == (first..self.n_columns.min(first + self.stretch)),
                    "columns {columns:?} are no stretch"
                );
                for (row, panel) in panel.chunks_exact(width).take(self.n_rows).enumerate() {
                    // SAFETY: `_simd` proves the instructions, and there are sums for all pairs of the stretch, as was asserted.
                    unsafe { add_list_times::<F, S>(self.list(row, stretch), panel, sums.as_mut_ptr()) };
                }
            }
        }
    }
}

/// Adds to `ROWS` rows of `sums` for each list, one behind the other, its product with the panel: with one row, both numbers
/// of a pair go there and each has a row of the panel; with two, each goes to its own, and a pair has one row of the panel.
///
/// # Safety
/// The processor has the instructions of `S`; for every place in the lists the panel has a row of `width` numbers, or two,
/// and `sums` has `ROWS` for each list.
#[inline(always)]
unsafe fn lists_times<'a, F: Real, S: Simd<F>, const ROWS: usize>(
    lists: impl Iterator<Item: ExactSizeIterator<Item = (u32, &'a [F; 2])>> + Clone,
    panel: *const F,
    width: usize,
    sums: *mut F,
) {
    let n_vectors = width / S::LANES;
    assert!(width.is_multiple_of(F::LANES), "a panel of {width} columns");
    let mut vector = 0;
    while vector < n_vectors {
        // SAFETY: the caller's promises; the vectors lie inside the width. At most eight sums, which leaves registers for
        // their factors on every level.
        unsafe {
            let (panel, sums, lists) = (panel.add(vector * S::LANES), sums.add(vector * S::LANES), lists.clone());
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
unsafe fn add_list_times<'a, F: Real, S: Simd<F>>(
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::Kernel;
    use crate::kernel::simd::Task;

    /// Rows of `n_columns` of which some numbers are zero.
    fn rows<F: Real>(n_rows: usize, n_columns: usize) -> Vec<Vec<F>> {
        let number = |at: usize| at.wrapping_mul(at).wrapping_mul(0x9e37_79b9) >> 7;
        let value = |at: usize| if number(at).is_multiple_of(3) { F::narrow(1.0 + at as f64 / 8.0) } else { F::zero() };
        (0..n_rows).map(|row| (0..n_columns).map(|column| value(row * n_columns + column)).collect()).collect()
    }

    struct Fill<'a, F>(&'a mut Sparse<F>, &'a [Vec<F>]);

    impl<F: Real> Task<F> for Fill<'_, F> {
        type Output = ();
        #[inline(always)]
        fn run<S: Simd<F>>(self, simd: S) {
            self.0.clear();
            for row in self.1 {
                self.0.push_row(simd, row, true);
            }
        }
    }

    /// The product of the rows with a panel, and that of the columns with another.
    struct Products<'a, F>(&'a Sparse<F>, usize, [&'a [F]; 2], [&'a mut [F]; 2]);

    impl<F: Real> Task<F> for Products<'_, F> {
        type Output = ();
        #[inline(always)]
        fn run<S: Simd<F>>(self, simd: S) {
            let Products(sparse, width, [panel, deltas], [of_rows, of_columns]) = self;
            let start = vec![F::one(); width];
            sparse.rows_times(simd, &start, panel, width, of_rows);
            let together = sparse.columns_together(6);
            for first in (0..sparse.n_columns).step_by(together) {
                let columns = first..sparse.n_columns.min(first + together);
                sparse.add_columns_times(simd, columns, deltas, width, &mut of_columns[first * width..]);
            }
        }
    }

    fn supported() -> impl Iterator<Item = Kernel> {
        Kernel::ALL.into_iter().filter(|kernel| kernel.is_supported())
    }

    fn check<F: Real>() {
        for (kernel, n_columns) in supported().flat_map(|kernel| [1, 7, 16, 33, 700].map(|n| (kernel, n))) {
            for (n_vectors, columns) in
                [1, 2, 4].into_iter().flat_map(|n| [Columns::Kept, Columns::FromRows].map(|c| (n, c)))
            {
                let (n_rows, width) = (5, n_vectors * F::LANES);
                let mut sparse = Sparse::<F>::new(n_rows + 1, n_columns, width, columns);
                // The second time, something is there already.
                for n_rows in [n_rows + 1, n_rows] {
                    let rows = rows::<F>(n_rows, n_columns);
                    F::dispatch(kernel, Fill(&mut sparse, &rows));
                    for (index, row) in rows.iter().enumerate() {
                        let expected = row.iter().copied().enumerate().filter(|(_, value)| *value != F::zero());
                        assert!(sparse.row(index).eq(expected), "{kernel}, {n_columns} columns");
                    }
                    // Small integers: every order of the sums gives the same.
                    let n_even = n_columns.next_multiple_of(2);
                    let panel: Vec<F> = (0..n_even * width).map(|at| F::from_u8((at % 5) as u8)).collect();
                    let deltas: Vec<F> = (0..n_rows * width).map(|at| F::from_u8((at % 7) as u8)).collect();
                    let (mut of_rows, mut of_columns) =
                        (vec![F::zero(); n_rows * width], vec![F::one(); n_even * width]);
                    let products = Products(&sparse, width, [&panel, &deltas], [&mut of_rows, &mut of_columns]);
                    F::dispatch(kernel, products);
                    for column in 0..width {
                        for (row, values) in rows.iter().enumerate() {
                            let terms = values.iter().zip(panel.iter().skip(column).step_by(width));
                            let expected = terms.fold(F::one(), |sum, (&x, &w)| sum + x * w);
                            assert_eq!(of_rows[row * width + column], expected, "{kernel}");
                        }
                        for input in 0..n_columns {
                            let terms =
                                rows.iter().map(|row| row[input]).zip(deltas.iter().skip(column).step_by(width));
                            let expected = terms.fold(F::one(), |sum, (x, &delta)| sum + x * delta);
                            assert_eq!(of_columns[input * width + column], expected, "{kernel}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn products_without_zeros_are_those_of_everything_on_every_level() {
        check::<f32>();
        check::<f64>();
    }

    #[test]
    fn a_column_has_something_where_one_of_its_rows_has() {
        let mut sparse = Sparse::<f32>::new(2, 6, 16, Columns::Kept);
        f32::dispatch(
            Kernel::Portable,
            Fill(&mut sparse, &[vec![0.0, 0.0, 0.0, 2.0, -0.0, 0.0], vec![0.0, 0.0, 0.0, 3.0, 0.0, f32::NAN]]),
        );
        assert_eq!(
            [0..3, 3..4, 0..4, 4..5, 5..6].map(|columns| sparse.has_any(columns)),
            [false, true, true, false, true]
        );
    }

    /// Adds the product of some columns of nothing.
    struct Add<'a>(&'a Sparse<f32>, Range<usize>, &'a mut [f32]);

    impl Task<f32> for Add<'_> {
        type Output = ();
        #[inline(always)]
        fn run<S: Simd<f32>>(self, simd: S) {
            self.0.add_columns_times(simd, self.1, &[], 16, self.2);
        }
    }

    #[test]
    fn sums_for_only_a_part_of_what_is_written_are_refused() {
        let mut sums = [0.0; 64];
        let refused = |columns, kept, n_sums: usize, sums: &mut [f32]| {
            let sparse = Sparse::new(1, 1_000, 16, kept);
            let add = std::panic::AssertUnwindSafe(|| {
                f32::dispatch(Kernel::Portable, Add(&sparse, columns, &mut sums[..n_sums]));
            });
            std::panic::catch_unwind(add).is_err()
        };
        assert!(!refused(0..4, Columns::Kept, 64, &mut sums));
        assert!(refused(0..4, Columns::Kept, 48, &mut sums), "fewer sums than columns");
        assert!(refused(1..4, Columns::Kept, 64, &mut sums), "half a pair");
        assert!(refused(998..1_002, Columns::Kept, 64, &mut sums), "more columns than there are");
        assert!(refused(0..4, Columns::FromRows, 64, &mut sums), "a part of a stretch");
    }

    #[test]
    #[should_panic(expected = "a row behind 1 of 1")]
    fn a_row_without_room_is_refused() {
        let mut sparse = Sparse::<f32>::new(1, 1, 16, Columns::Kept);
        f32::dispatch(Kernel::Portable, Fill(&mut sparse, &[vec![1.0], vec![1.0]]));
    }

    #[test]
    #[should_panic(expected = "numbers in a row, and columns")]
    fn a_row_of_another_length_is_refused() {
        let mut sparse = Sparse::<f32>::new(1, 2, 16, Columns::FromRows);
        f32::dispatch(Kernel::Portable, Fill(&mut sparse, &[vec![1.0]]));
    }
}
