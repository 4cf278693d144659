//! The products of the first layer, whose inputs have many zeros, in pairs of terms. Forward, the lists hold pairs of
//! neighbouring inputs, which is what a pair of terms is. Transposed, two rows of a list are taken together, the first as the
//! odd element: so each sum is one chain over ascending rows, whichever rows meet.

use crate::kernel::pairs::{Pair, PairTask, Pairs};
use crate::kernel::panel::{PANEL_WIDTH_MAX, assert_panel_width};

/// Lists of pairs of terms that are not both zero: for each row one for each stretch of a panel.
#[derive(Clone, Copy)]
pub(crate) struct Lists<'a> {
    pub(crate) n_rows: usize,
    pub(crate) n_stretches: usize,
    /// The pairs in a whole stretch, and in all of them.
    pub(crate) pairs_per_stretch: usize,
    pub(crate) n_pairs: usize,
    /// Where each list ends: those of the first row, then those of the next.
    pub(crate) ends: &'a [u32],
    /// The places of the pairs, ascending, counted within the stretch.
    pub(crate) places: &'a [u32],
    /// The pairs there.
    pub(crate) pairs: &'a [Pair],
}

/// `sums[row] = start + Σ x[row][term] · panel[term]`, rows of `width`, over ascending pairs of terms, the odd term of a
/// pair first.
pub(crate) struct ListsTimes<'a> {
    pub(crate) lists: Lists<'a>,
    pub(crate) start: &'a [f32],
    pub(crate) panel: &'a [Pair],
    pub(crate) width: usize,
    pub(crate) sums: &'a mut [f32],
}

impl PairTask for ListsTimes<'_> {
    /// # Panics
    /// Where a slice is too short, the width is not that of a panel, or a place is outside its stretch.
    #[inline(always)]
    fn run<P: Pairs>(self, _pairs: P) {
        let ListsTimes { lists, start, panel, width, sums } = self;
        assert_panel_width::<f32>(width);
        assert!(panel.len() >= lists.n_pairs * width && start.len() == width);
        assert!(sums.len() >= lists.n_rows * width);
        for sums in sums.chunks_exact_mut(width).take(lists.n_rows) {
            sums.copy_from_slice(start);
        }
        for stretch in 0..lists.n_stretches {
            let first = stretch * lists.pairs_per_stretch;
            let panel = &panel[first * width..lists.n_pairs.min(first + lists.pairs_per_stretch) * width];
            for row in 0..lists.n_rows {
                let list = row * lists.n_stretches + stretch;
                let begin = list.checked_sub(1).map_or(0, |before| lists.ends[before] as usize);
                let (places, pairs) =
                    (&lists.places[begin..lists.ends[list] as usize], &lists.pairs[begin..lists.ends[list] as usize]);
                if let Some(&last) = places.last() {
                    // They ascend.
                    assert!((last as usize) < panel.len() / width, "place {last} outside a stretch");
                    debug_assert!(places.is_sorted());
                    let sums = &mut sums[row * width..][..width];
                    // SAFETY: `_pairs` proves the instructions; the panel has a row for every place.
                    unsafe { add_list::<P>(places, pairs, panel, sums) };
                }
            }
        }
    }
}

/// Adds the product of one list.
///
/// # Safety
/// The processor has the instructions of `P`, and the panel has a row as long as `sums` for each place.
#[inline(always)]
unsafe fn add_list<P: Pairs>(places: &[u32], pairs: &[Pair], panel: &[Pair], sums: &mut [f32]) {
    let width = sums.len();
    let mut column = 0;
    while column < width {
        let (panel, sums) = (panel[column..].as_ptr(), &mut sums[column..]);
        // SAFETY: the caller's promises; the vectors lie inside the width.
        column += unsafe {
            match (P::LANES, sums.len() / P::LANES) {
                (16, 4..) => add_vectors::<P, 4>(places, pairs, panel, width, sums),
                (_, 2..) => add_vectors::<P, 2>(places, pairs, panel, width, sums),
                _ => add_vectors::<P, 1>(places, pairs, panel, width, sums),
            }
        };
    }
}

/// [`add_list`] for some vectors of a row, whose sums stay in registers. Returns their columns.
///
/// # Safety
/// As that; `panel` and `sums` begin with the first of the vectors.
#[inline(always)]
unsafe fn add_vectors<P: Pairs, const VECTORS: usize>(
    places: &[u32],
    pairs: &[Pair],
    panel: *const Pair,
    width: usize,
    sums: &mut [f32],
) -> usize {
    let to = sums.as_mut_ptr();
    // SAFETY: the caller's promises.
    unsafe {
        // Loops, not closures: an instruction in a closure would become a call.
        let mut sums = [P::zeros(); VECTORS];
        for (vector, sum) in sums.iter_mut().enumerate() {
            *sum = P::load_sums(to.add(vector * P::LANES));
        }
        for (&place, &pair) in places.iter().zip(pairs) {
            let factor = P::splat(pair);
            let from = panel.add(place as usize * width);
            for (vector, sum) in sums.iter_mut().enumerate() {
                *sum = P::add_products(factor, P::load(from.add(vector * P::LANES)), *sum);
            }
        }
        for (vector, &sum) in sums.iter().enumerate() {
            P::store_sums(sum, to.add(vector * P::LANES));
        }
    }
    VECTORS * P::LANES
}

/// Lists of rows for each pair of columns.
#[derive(Clone, Copy)]
pub(crate) struct Columns<'a> {
    pub(crate) n_rows: usize,
    /// The rows in which a pair is not zero, ascending, and the pair there; those of the next pair begin `stride` further.
    pub(crate) entries: &'a [(u32, Pair)],
    pub(crate) stride: usize,
    /// The entries of each pair.
    pub(crate) counts: &'a [u32],
}

/// `sums[i] += Σ x[row][i] · panel[row]`, rows of `width`, two for each list; all numbers are rounded.
pub(crate) struct AddColumns<'a> {
    pub(crate) columns: Columns<'a>,
    pub(crate) panel: &'a [f32],
    pub(crate) width: usize,
    pub(crate) sums: &'a mut [f32],
}

impl PairTask for AddColumns<'_> {
    /// # Panics
    /// Where a slice is too short, or the width is not that of a panel.
    #[inline(always)]
    fn run<P: Pairs>(self, _pairs: P) {
        let AddColumns { columns, panel, width, sums } = self;
        let Columns { n_rows, entries, stride, counts } = columns;
        assert_panel_width::<f32>(width);
        assert!(panel.len() >= n_rows * width && sums.len() >= 2 * counts.len() * width);
        let lists = entries.chunks(stride).zip(counts).map(|(entries, &count)| &entries[..count as usize]);
        if let Some(row) = lists.clone().filter_map(<[_]>::last).map(|&(row, _)| row).max() {
            // They ascend.
            assert!((row as usize) < n_rows, "row {row} of {n_rows}");
        }
        // SAFETY: `_pairs` proves the instructions; the panel has a row for every entry, and there are sums for all lists.
        unsafe { columns_times::<P>(lists, panel.as_ptr(), width, sums.as_mut_ptr()) };
    }
}

/// Adds to two rows of `sums` for each list, one behind the other, its products with the rows of a panel: the first number of
/// each entry goes to the first of them, the second to the second. All numbers are rounded.
///
/// # Safety
/// The processor has the instructions of `P`; the panel has a row of `width` numbers for the row of every entry, and `sums` has
/// two for each list.
#[inline(always)]
unsafe fn columns_times<'a, P: Pairs>(
    lists: impl Iterator<Item = &'a [(u32, Pair)]> + Clone,
    panel: *const f32,
    width: usize,
    sums: *mut f32,
) {
    let n_vectors = width / P::LANES;
    let mut vector = 0;
    while vector < n_vectors {
        // Without lists there may be nothing where these point.
        let (panel, sums) = (panel.wrapping_add(vector * P::LANES), sums.wrapping_add(vector * P::LANES));
        let lists = lists.clone();
        // SAFETY: the caller's promises; the vectors lie inside the width. At most eight sums, which leaves registers for
        // their factors on every level.
        unsafe {
            vector += match (P::LANES, n_vectors - vector) {
                (16, 4..) => vectors_of_columns::<P, 4>(lists, panel, width, sums),
                (_, 2..) => vectors_of_columns::<P, 2>(lists, panel, width, sums),
                _ => vectors_of_columns::<P, 1>(lists, panel, width, sums),
            };
        }
    }
}

/// [`columns_times`] for some vectors of each row, whose sums stay in registers. Returns their number.
///
/// # Safety
/// As that; `panel` and `sums` point to the first of the vectors.
#[inline(always)]
unsafe fn vectors_of_columns<'a, P: Pairs, const VECTORS: usize>(
    lists: impl Iterator<Item = &'a [(u32, Pair)]>,
    panel: *const f32,
    width: usize,
    sums: *mut f32,
) -> usize {
    for (index, list) in lists.enumerate() {
        if list.is_empty() {
            continue;
        }
        // SAFETY: the caller's promises; a panel has at most so many columns.
        unsafe {
            // Loops, not closures: an instruction in a closure would become a call.
            let to = sums.add(2 * index * width);
            let mut sums = [[P::zeros(); VECTORS]; 2];
            for (row, sums) in sums.iter_mut().enumerate() {
                for (vector, sum) in sums.iter_mut().enumerate() {
                    *sum = P::load_sums(to.add(row * width + vector * P::LANES));
                }
            }
            let (two, one) = list.as_chunks::<2>();
            for &[(first, odd), (second, even)] in two {
                let (first, second) = (panel.add(first as usize * width), panel.add(second as usize * width));
                add_two_rows::<P, VECTORS>(Pair::transpose(even, odd), second, first, &mut sums);
            }
            if let &[(row, odd)] = one {
                let zeros = [0.0; PANEL_WIDTH_MAX];
                let row = panel.add(row as usize * width);
                let factors = Pair::transpose(Pair::default(), odd);
                add_two_rows::<P, VECTORS>(factors, zeros.as_ptr(), row, &mut sums);
            }
            for (row, sums) in sums.iter().enumerate() {
                for (vector, &sum) in sums.iter().enumerate() {
                    P::store_sums(sum, to.add(row * width + vector * P::LANES));
                }
            }
        }
    }
    VECTORS
}

/// Adds the products of two entries of a list with the vectors of their rows.
///
/// # Safety
/// As [`vectors_of_columns`].
#[inline(always)]
unsafe fn add_two_rows<P: Pairs, const VECTORS: usize>(
    factors: [Pair; 2],
    even_row: *const f32,
    odd_row: *const f32,
    sums: &mut [[P::Sums; VECTORS]; 2],
) {
    // SAFETY: the caller's promises.
    unsafe {
        let mut columns = [P::splat(Pair::default()); VECTORS];
        for (vector, column) in columns.iter_mut().enumerate() {
            *column = P::join(even_row.add(vector * P::LANES), odd_row.add(vector * P::LANES));
        }
        for (sums, factor) in sums.iter_mut().zip(factors) {
            let factor = P::splat(factor);
            for (sum, &column) in sums.iter_mut().zip(&columns) {
                *sum = P::add_products(factor, column, *sum);
            }
        }
    }
}
