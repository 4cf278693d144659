//! The products of the first layer, whose inputs have many zeros: only what is not zero is looked at.
//!
//! A matrix is kept as lists, each of the places and values of what is not zero in a row, or in two columns side by side. The
//! product of a list with a panel is one chain of multiply-adds for each element, over ascending places, as in the product
//! of everything: what is left out would have added 0.

use std::ops::Range;

use crate::kernel::product::PANEL_WIDTH_MAX;
use crate::kernel::simd::Simd;
use crate::real::Real;

/// Lists of what is not zero, one behind the other: in each of their places, one value or two side by side.
#[derive(Debug)]
struct Lists<V> {
    /// Where each list ends.
    ends: Vec<u32>,
    /// The places of its values, ascending.
    places: Vec<u32>,
    values: Vec<V>,
}

impl<V: Clone> Lists<V> {
    /// No lists, with room for so many, and for so many values in all of them.
    fn new(n_lists: usize, n_values: usize, value: V) -> Lists<V> {
        assert!(u32::try_from(n_values).is_ok(), "{n_values} values in lists");
        Lists { ends: Vec::with_capacity(n_lists), places: vec![0; n_values], values: vec![value; n_values] }
    }

    /// Where the next list begins, and room for `n` places and values of it.
    #[inline(always)]
    fn room(&mut self, n: usize) -> (usize, &mut [u32], &mut [V]) {
        let first = self.ends.last().map_or(0, |&end| end as usize);
        (first, &mut self.places[first..][..n], &mut self.values[first..][..n])
    }

    /// Where a list lies among all values.
    #[inline(always)]
    fn range(&self, list: usize) -> Range<usize> {
        list.checked_sub(1).map_or(0, |before| self.ends[before] as usize)..self.ends[list] as usize
    }
}

/// What is not zero in a matrix: row by row in stretches of columns (compressed rows), and by columns (compressed columns),
/// which are taken in pairs. Neighbours share most of their zeros, and each number of a panel then serves twice.
#[derive(Debug)]
pub(crate) struct Sparse<F> {
    n_columns: usize,
    /// The columns that all rows go through before the next: their part of a panel stays in the first-level cache.
    stretch: usize,
    n_stretches: usize,
    max_rows: usize,
    n_rows: usize,
    /// The stretches of the first row, then those of the next; places are counted within the stretch.
    rows: Lists<[F; 1]>,
    /// None where nobody asks for columns.
    columns: Option<Columns<F>>,
}

/// The columns of a matrix, in pairs.
#[derive(Debug)]
struct Columns<F> {
    /// A list for every row; places are pairs of columns.
    of_rows: Lists<[F; 2]>,
    /// In how many rows each pair has something.
    counts: Vec<u32>,
    /// A list for every pair; places are rows.
    pairs: Lists<[F; 2]>,
}

impl<F: Real> Sparse<F> {
    /// A matrix without rows, with room for `max_rows`. The product of its rows with a panel of `width` columns takes
    /// stretches of them; products of its columns are possible only if it has columns.
    pub(crate) fn new(max_rows: usize, n_columns: usize, width: usize, has_columns: bool) -> Sparse<F> {
        /// Of the first-level cache, what a stretch of a panel takes.
        const NEAR: usize = 28 << 10;
        let stretch = (NEAR / (width * size_of::<F>())).max(1);
        let (n_stretches, n_pairs) = (n_columns.div_ceil(stretch), n_columns.div_ceil(2));
        let columns = || Columns {
            of_rows: Lists::new(max_rows, max_rows * n_pairs, [F::zero(); 2]),
            counts: vec![0; n_pairs],
            pairs: Lists::new(n_pairs, max_rows * n_pairs, [F::zero(); 2]),
        };
        Sparse {
            n_columns,
            stretch,
            n_stretches,
            max_rows,
            n_rows: 0,
            rows: Lists::new(max_rows * n_stretches, max_rows * n_columns, [F::zero()]),
            columns: has_columns.then(columns),
        }
    }

    /// Removes all rows.
    #[inline(always)]
    pub(crate) fn clear(&mut self) {
        self.n_rows = 0;
        self.rows.ends.clear();
        if let Some(columns) = &mut self.columns {
            columns.of_rows.ends.clear();
            columns.counts.fill(0);
        }
    }

    /// Appends a row. Columns are looked at only `for_columns`.
    ///
    /// # Panics
    /// Where there is no room, or it is not as long as there are columns.
    #[inline(always)]
    pub(crate) fn push_row<S: Simd<F>>(&mut self, _simd: S, row: &[F], for_columns: bool) {
        assert!(self.n_rows < self.max_rows, "a row behind {} of {}", self.n_rows, self.max_rows);
        assert_eq!(row.len(), self.n_columns, "numbers in a row, and columns");
        for numbers in row.chunks(self.stretch) {
            let (first, places, values) = self.rows.room(numbers.len());
            // SAFETY: `_simd` proves the instructions, and there is room for all numbers.
            let n = unsafe { S::compress(numbers, places, values.as_flattened_mut()) };
            self.rows.ends.push((first + n) as u32);
        }
        self.n_rows += 1;
        if let Some(Columns { of_rows, counts, .. }) = self.columns.as_mut().filter(|_| for_columns) {
            let (first, places, values) = of_rows.room(counts.len());
            // SAFETY: as above, for all pairs.
            let n = unsafe { S::compress_pairs(row, places, values) };
            places[..n].iter().for_each(|&pair| counts[pair as usize] += 1);
            of_rows.ends.push((first + n) as u32);
        }
    }

    /// Makes the lists of the columns of what the rows have.
    #[inline(always)]
    pub(crate) fn collect_columns(&mut self) {
        let Some(Columns { of_rows, counts, pairs }) = &mut self.columns else { return };
        pairs.ends.clear();
        let mut first = 0;
        for &count in &*counts {
            pairs.ends.push(first);
            first += count;
        }
        for row in 0..of_rows.ends.len() {
            let range = of_rows.range(row);
            for (&pair, &values) in of_rows.places[range.clone()].iter().zip(&of_rows.values[range]) {
                let end = &mut pairs.ends[pair as usize];
                pairs.places[*end as usize] = row as u32;
                pairs.values[*end as usize] = values;
                *end += 1;
            }
        }
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
        (0..self.n_stretches).flat_map(move |stretch| {
            let range = self.rows.range(row * self.n_stretches + stretch);
            let places = self.rows.places[range.clone()].iter();
            places.zip(&self.rows.values[range]).map(move |(&place, &[value])| (stretch * self.stretch + place as usize, value))
        })
    }

    /// The product of the rows with a panel that has a row for each column: `sums[row] = start + Σ x[row][column] ·
    /// panel[column]`, rows of `width`.
    ///
    /// # Panics
    /// Where a slice is too short, or the width is not that of a panel.
    #[inline(always)]
    pub(crate) fn rows_times<S: Simd<F>>(&self, _simd: S, start: &[F], panel: &[F], width: usize, sums: &mut [F]) {
        assert!(panel.len() >= self.n_columns * width && start.len() == width);
        assert!(sums.len() >= self.n_rows * width);
        for sums in sums.chunks_exact_mut(width).take(self.n_rows) {
            sums.copy_from_slice(start);
        }
        for stretch in 0..self.n_stretches {
            let panel = &panel[stretch * self.stretch * width..];
            let lists = (0..self.n_rows).map(|row| row * self.n_stretches + stretch);
            // SAFETY: `_simd` proves the instructions. A list has places within its stretch of the columns, for each of which
            // the panel has a row, as was asserted; and there are sums for all rows.
            unsafe { lists_times::<F, S, 1>(&self.rows, lists, panel.as_ptr(), width, sums.as_mut_ptr()) };
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
        let lists = &self.columns().pairs;
        assert!(panel.len() >= self.n_rows * width && sums.len() >= columns.len() * width);
        let pairs = pairs_of(&columns);
        let full = pairs.start..pairs.start + columns.len() / 2;
        // SAFETY: `_simd` proves the instructions. The places in a list are rows, for each of which the panel has one, as was
        // asserted; and there are sums for all columns.
        unsafe {
            lists_times::<F, S, 2>(lists, full.clone(), panel.as_ptr(), width, sums.as_mut_ptr());
            if full.end < pairs.end {
                // The last column has no neighbour.
                let mut two = [F::zero(); 2 * PANEL_WIDTH_MAX];
                let sums = &mut sums[(columns.len() - 1) * width..][..width];
                two[..width].copy_from_slice(sums);
                lists_times::<F, S, 2>(lists, full.end..pairs.end, panel.as_ptr(), width, two.as_mut_ptr());
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

/// Adds to `ROWS` rows of `sums` for each list, one behind the other, its product with the panel.
///
/// # Safety
/// The processor has the instructions of `S`; the panel has a row of `width` numbers for every place in the lists, and
/// `sums` `ROWS` for each list.
#[inline(always)]
unsafe fn lists_times<F: Real, S: Simd<F>, const ROWS: usize>(
    lists: &Lists<[F; ROWS]>,
    chosen: impl Iterator<Item = usize> + Clone,
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
            let (panel, sums, chosen) = (panel.add(vector * S::LANES), sums.add(vector * S::LANES), chosen.clone());
            vector += match n_vectors - vector {
                8.. if ROWS == 1 => vectors_of_lists::<F, S, ROWS, 8>(lists, chosen, panel, width, sums),
                4.. => vectors_of_lists::<F, S, ROWS, 4>(lists, chosen, panel, width, sums),
                2.. => vectors_of_lists::<F, S, ROWS, 2>(lists, chosen, panel, width, sums),
                _ => vectors_of_lists::<F, S, ROWS, 1>(lists, chosen, panel, width, sums),
            };
        }
    }
}

/// [`lists_times`] for some vectors of each row, whose sums stay in registers. Returns their number.
///
/// # Safety
/// As that; `panel` and `sums` point to the first of the vectors.
#[inline(always)]
unsafe fn vectors_of_lists<F: Real, S: Simd<F>, const ROWS: usize, const VECTORS: usize>(
    lists: &Lists<[F; ROWS]>,
    chosen: impl Iterator<Item = usize>,
    panel: *const F,
    width: usize,
    sums: *mut F,
) -> usize {
    for (index, list) in chosen.enumerate() {
        let range = lists.range(list);
        let (places, values) = (&lists.places[range.clone()], &lists.values[range]);
        if places.is_empty() {
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
            for (&place, values) in places.iter().zip(values) {
                let from = panel.add(place as usize * width);
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
            self.0.collect_columns();
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
                    let panel: Vec<F> = (0..n_columns * width).map(|at| F::from_u8((at % 5) as u8)).collect();
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
