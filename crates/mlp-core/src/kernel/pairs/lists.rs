//! The product of the first layer, whose inputs have many zeros, in pairs: the lists hold pairs of neighbouring inputs, which
//! is what a pair of terms is.

use crate::kernel::pairs::{Pair, PairTask, Pairs};
use crate::kernel::panel::assert_panel_width;

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
        let mut sums = [P::load_sums(to); VECTORS];
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
