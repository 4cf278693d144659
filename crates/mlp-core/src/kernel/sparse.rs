//! The products of the first layer, whose inputs have many zeros: only what is not zero is looked at.
//!
//! Columns are taken in pairs: neighbours share most of their zeros, and there is half as much to note. A matrix is kept as
//! lists, each of the pairs that are not zero in a row, or of the rows in which a pair is not. The product of a list with a
//! panel is one chain of multiply-adds for each element, over ascending places, as in the product of everything: what is
//! left out would have added 0.

use std::ops::Range;

use crate::kernel::product::PANEL_WIDTH_MAX;
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
    /// None where nobody asks for columns.
    columns: Option<Columns<F>>,
}

/// The columns of a matrix, in pairs.
#[derive(Debug)]
struct Columns<F> {
    /// How far the list of a pair lies from that of the next.
    stride: usize,
    /// The length of each list.
    counts: Vec<u32>,
    /// The rows in which a pair is not zero, ascending, with the numbers there: what is written together lies together.
    entries: Vec<(u32, [F; 2])>,
}

impl<F: Real> Columns<F> {
    fn new(max_rows: usize, n_pairs: usize) -> Columns<F> {
        // Odd: lists a power of two apart would compete for the same lines of the cache.
        let stride = max_rows | 1;
        Columns { stride, counts: vec![0; n_pairs], entries: vec![(0, [F::zero(); 2]); n_pairs * stride] }
    }

    /// Appends some pairs of a row, counted from `first_pair`, to their lists.
    #[inline(always)]
    fn append(&mut self, row: usize, first_pair: usize, places: &[u32], values: &[[F; 2]]) {
        for (&place, &values) in places.iter().zip(values) {
            let pair = first_pair + place as usize;
            let count = &mut self.counts[pair];
            self.entries[pair * self.stride + *count as usize] = (row as u32, values);
            *count += 1;
        }
    }

    /// The list of a pair.
    #[inline(always)]
    fn list(&self, pair: usize) -> impl ExactSizeIterator<Item = (u32, &[F; 2])> {
        self.entries[pair * self.stride..][..self.counts[pair] as usize].iter().map(|(row, values)| (*row, values))
    }
}

impl<F: Real> Sparse<F> {
    /// A matrix without rows, with room for `max_rows`. The product of its rows with a panel of `width` columns takes
    /// stretches of them; products of its columns are possible only if it has columns.
    pub(crate) fn new(max_rows: usize, n_columns: usize, width: usize, has_columns: bool) -> Sparse<F> {
        /// Of the first-level cache, what a stretch of a panel takes.
        const NEAR: usize = 28 << 10;
        let n_pairs = n_columns.div_ceil(2);
        assert!(u32::try_from(max_rows * n_pairs).is_ok(), "{max_rows} rows of {n_columns} columns");
        let stretch = (NEAR / (width * size_of::<F>())).next_multiple_of(2).max(2);
        let n_stretches = n_columns.div_ceil(stretch);
        Sparse {
            n_columns,
            stretch,
            n_stretches,
            max_rows,
            n_rows: 0,
            ends: Vec::with_capacity(max_rows * n_stretches),
            places: vec![0; max_rows * n_pairs],
            values: vec![[F::zero(); 2]; max_rows * n_pairs],
            columns: has_columns.then(|| Columns::new(max_rows, n_pairs)),
        }
    }

    /// Removes all rows.
    #[inline(always)]
    pub(crate) fn clear(&mut self) {
        self.n_rows = 0;
        self.ends.clear();
        if let Some(columns) = &mut self.columns {
            columns.counts.fill(0);
        }
    }

    /// Appends a row; to the columns only where it is said.
    ///
    /// # Panics
    /// Where there is no room, or it is not as long as there are columns.
    #[inline(always)]
    pub(crate) fn push_row<S: Simd<F>>(&mut self, _simd: S, row: &[F], for_columns: bool) {
        assert!(self.n_rows < self.max_rows, "a row behind {} of {}", self.n_rows, self.max_rows);
        assert_eq!(row.len(), self.n_columns, "numbers in a row, and columns");
        let mut columns = self.columns.as_mut().filter(|_| for_columns);
        let mut end = self.ends.last().map_or(0, |&end| end as usize);
        for (index, numbers) in row.chunks(self.stretch).enumerate() {
            let n_pairs = numbers.len().div_ceil(2);
            let (places, values) = (&mut self.places[end..][..n_pairs], &mut self.values[end..][..n_pairs]);
            // SAFETY: `_simd` proves the instructions, and there is room for all pairs.
            let n = unsafe { S::compress_pairs(numbers, places, values) };
            if let Some(columns) = &mut columns {
                columns.append(self.n_rows, index * self.stretch / 2, &places[..n], &values[..n]);
            }
            end += n;
            self.ends.push(end as u32);
        }
        self.n_rows += 1;
    }

    /// The list of a stretch of a row.
    #[inline(always)]
    fn list(&self, row: usize, stretch: usize) -> impl ExactSizeIterator<Item = (u32, &[F; 2])> {
        let list = row * self.n_stretches + stretch;
        let range = list.checked_sub(1).map_or(0, |before| self.ends[before] as usize)..self.ends[list] as usize;
        self.places[range.clone()].iter().copied().zip(&self.values[range])
    }

    /// Whether one of some columns has something. They begin with an even number.
    ///
    /// # Panics
    /// Where the columns are not kept.
    #[inline(always)]
    pub(crate) fn has_any(&self, columns: Range<usize>) -> bool {
        self.columns().counts[pairs_of(&columns)].iter().fold(0, |any, count| any | count) != 0
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
    /// x[row][columns.start + i] · panel[row]`, rows of `width`. The columns begin with an even number.
    ///
    /// # Panics
    /// Where a slice is too short, the columns are not kept, or the width is not that of a panel.
    #[inline(always)]
    pub(crate) fn add_columns_times<S: Simd<F>>(
        &self,
        _simd: S,
        columns: Range<usize>,
        panel: &[F],
        width: usize,
        sums: &mut [F],
    ) {
        let kept = self.columns();
        assert!(panel.len() >= self.n_rows * width && sums.len() >= columns.len() * width);
        let pairs = pairs_of(&columns);
        let whole = pairs.start..pairs.start + columns.len() / 2;
        // SAFETY: `_simd` proves the instructions. A list has rows, for each of which the panel has one, as was asserted; and
        // there are sums for all columns.
        unsafe {
            let lists = whole.clone().map(|pair| kept.list(pair));
            lists_times::<F, S, 2>(lists, panel.as_ptr(), width, sums.as_mut_ptr());
            if whole.end < pairs.end {
                // The last column has no neighbour.
                let mut two = [F::zero(); 2 * PANEL_WIDTH_MAX];
                let sums = &mut sums[(columns.len() - 1) * width..][..width];
                two[..width].copy_from_slice(sums);
                let lists = (whole.end..pairs.end).map(|pair| kept.list(pair));
                lists_times::<F, S, 2>(lists, panel.as_ptr(), width, two.as_mut_ptr());
                sums.copy_from_slice(&two[..width]);
            }
        }
    }

    #[inline(always)]
    fn columns(&self) -> &Columns<F> {
        let Some(columns) = &self.columns else { panic!("the columns are not kept") };
        columns
    }
}

/// The pairs of some columns, which begin with an even number.
#[inline(always)]
fn pairs_of(columns: &Range<usize>) -> Range<usize> {
    assert!(columns.start.is_multiple_of(2), "columns from {} on are not pairs", columns.start);
    columns.start / 2..columns.end.div_ceil(2)
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
            sparse.add_columns_times(simd, 0..sparse.n_columns, deltas, width, of_columns);
        }
    }

    fn supported() -> impl Iterator<Item = Kernel> {
        Kernel::ALL.into_iter().filter(|kernel| kernel.is_supported())
    }

    fn check<F: Real>() {
        for (kernel, n_columns) in supported().flat_map(|kernel| [1, 7, 16, 33, 700].map(|n| (kernel, n))) {
            for n_vectors in [1, 2, 4] {
                let (n_rows, width) = (5, n_vectors * F::LANES);
                let mut sparse = Sparse::<F>::new(n_rows + 1, n_columns, width, true);
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
                        (vec![F::zero(); n_rows * width], vec![F::one(); n_columns * width]);
                    let products = Products(&sparse, width, [&panel, &deltas], [&mut of_rows, &mut of_columns]);
                    F::dispatch(kernel, products);
                    for column in 0..width {
                        for (row, values) in rows.iter().enumerate() {
                            let terms = values.iter().zip(panel.iter().skip(column).step_by(width));
                            let expected = terms.fold(F::one(), |sum, (&x, &w)| sum + x * w);
                            assert_eq!(of_rows[row * width + column], expected, "{kernel}");
                        }
                        for input in 0..n_columns {
                            let terms = rows.iter().map(|row| row[input]).zip(deltas.iter().skip(column).step_by(width));
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
        let mut sparse = Sparse::<f32>::new(2, 6, 16, true);
        f32::dispatch(Kernel::Portable, Fill(&mut sparse, &[vec![0.0, 0.0, 0.0, 2.0, -0.0, 0.0], vec![0.0, 0.0, 0.0, 3.0, 0.0, f32::NAN]]));
        assert_eq!([0..2, 2..4, 0..4, 4..6].map(|columns| sparse.has_any(columns)), [false, true, true, true]);
    }

    #[test]
    #[should_panic(expected = "a row behind 1 of 1")]
    fn a_row_without_room_is_refused() {
        let mut sparse = Sparse::<f32>::new(1, 1, 16, false);
        f32::dispatch(Kernel::Portable, Fill(&mut sparse, &[vec![1.0], vec![1.0]]));
    }

    #[test]
    #[should_panic(expected = "numbers in a row, and columns")]
    fn a_row_of_another_length_is_refused() {
        let mut sparse = Sparse::<f32>::new(1, 2, 16, false);
        f32::dispatch(Kernel::Portable, Fill(&mut sparse, &[vec![1.0]]));
    }
}
