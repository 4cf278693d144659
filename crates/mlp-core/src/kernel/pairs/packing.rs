//! Numbers on their way into pairs: rounded, and brought beside the neighbour that they are summed with.

use crate::kernel::pairs::{Pair, PairKernel, PairTask, Pairs, SQUARE, rounded};
use crate::kernel::panel::{PANEL_WIDTH_MAX, assert_panel_width};

/// Rounds numbers, which stay what they are otherwise.
pub(crate) fn round_all(kernel: PairKernel, values: &mut [f32]) {
    kernel.run(RoundAll(values));
}

struct RoundAll<'a>(&'a mut [f32]);

impl PairTask for RoundAll<'_> {
    #[inline(always)]
    fn run<P: Pairs>(self, _pairs: P) {
        self.0.iter_mut().for_each(|value| *value = f32::from_bits(rounded(*value)));
    }
}

/// Rows of a matrix packed for both of its products: the pairs of neighbours in a row, and those in a column.
pub(crate) struct PackBothWays<'a> {
    /// Rows of `width`; rounded themselves where `keeps_rounded`.
    pub(crate) rows: &'a mut [f32],
    pub(crate) keeps_rounded: bool,
    pub(crate) width: usize,
    /// Rows of half the width.
    pub(crate) in_rows: &'a mut [Pair],
    /// A row of the width for each pair of rows; a last row without another goes beside zeros.
    pub(crate) in_columns: &'a mut [Pair],
}

impl PairTask for PackBothWays<'_> {
    #[inline(always)]
    fn run<P: Pairs>(self, _pairs: P) {
        let PackBothWays { rows, keeps_rounded, width, in_rows, in_columns } = self;
        assert_panel_width::<f32>(width);
        let mut bits = OnLines([0; 2 * PANEL_WIDTH_MAX]);
        let bits = &mut bits.0[..2 * width];
        let (to_rows, to_columns) = (in_rows.chunks_mut(width), in_columns.chunks_exact_mut(width));
        for ((two, in_rows), in_columns) in rows.chunks_mut(2 * width).zip(to_rows).zip(to_columns) {
            bits[two.len()..].fill(0);
            bits.iter_mut().zip(&*two).for_each(|(bits, &value)| *bits = rounded(value));
            if keeps_rounded {
                two.iter_mut().zip(&*bits).for_each(|(value, &bits)| *value = f32::from_bits(bits));
            }
            join_rows(bits, in_rows);
            let (first, second) = bits.split_at(width);
            join_columns(first, second, in_columns);
        }
    }
}

/// The weights of some inputs, packed for the way forward and for the way back.
pub(crate) struct PackWeights<'a> {
    /// Rows of `width`, one for each input; a last one without another goes beside zeros.
    pub(crate) rows: &'a [f32],
    pub(crate) width: usize,
    /// A row of the width for each pair of inputs.
    pub(crate) panel: &'a mut [Pair],
    /// For each pair of units a row for all inputs of the tile before, `stride` long, of which these begin here.
    pub(crate) transposed: Option<(&'a mut [Pair], usize)>,
}

impl PairTask for PackWeights<'_> {
    #[inline(always)]
    fn run<P: Pairs>(self, pairs: P) {
        let PackWeights { rows, width, panel, mut transposed } = self;
        assert_panel_width::<f32>(width);
        let n_pairs = width / 2;
        let mut bits = OnLines([0; SQUARE * PANEL_WIDTH_MAX]);
        let mut square = OnLines([Pair::default(); SQUARE * PANEL_WIDTH_MAX / 2]);
        for (index, rows) in rows.chunks(SQUARE * width).enumerate() {
            let n_rows = rows.len() / width;
            let bits = &mut bits.0[..n_rows.next_multiple_of(2) * width];
            bits[rows.len()..].fill(0);
            bits.iter_mut().zip(rows).for_each(|(bits, &value)| *bits = rounded(value));
            let to_panel = panel[index * SQUARE / 2 * width..].chunks_exact_mut(width);
            for (two, to) in bits.chunks_exact(2 * width).zip(to_panel) {
                let (first, second) = two.split_at(width);
                join_columns(first, second, to);
            }
            if let Some((transposed, stride)) = &mut transposed {
                let square = &mut square.0[..n_rows * n_pairs];
                join_rows(&bits[..rows.len()], square);
                let first = index * SQUARE;
                assert!(first + n_rows <= *stride, "{n_rows} inputs behind {first} of {stride}");
                transpose(pairs, square, n_pairs, &mut transposed[first..], *stride);
            }
        }
    }
}

/// Numbers that begin on a cache line: what is written to it and read at once does not lie on two.
#[repr(align(64))]
struct OnLines<T>(T);

/// Pairs of neighbours.
#[inline(always)]
fn join_rows(bits: &[u32], to: &mut [Pair]) {
    let two = bits.as_chunks::<2>().0;
    to.iter_mut().zip(two).for_each(|(to, &[even, odd])| *to = Pair::of_bits(even, odd));
}

/// Pairs of what lies at the same place.
#[inline(always)]
fn join_columns(first: &[u32], second: &[u32], to: &mut [Pair]) {
    let two = first.iter().zip(second);
    to.iter_mut().zip(two).for_each(|(to, (&even, &odd))| *to = Pair::of_bits(even, odd));
}

/// `to[column · to_stride + row] = rows[row][column]` for rows of `width`.
#[inline(always)]
fn transpose<P: Pairs>(_proof: P, rows: &[Pair], width: usize, to: &mut [Pair], to_stride: usize) {
    if rows.len() == SQUARE * width && width.is_multiple_of(SQUARE) {
        assert!(to.len() >= (width - 1) * to_stride + SQUARE, "{width} columns in {} pairs", to.len());
        for column in (0..width).step_by(SQUARE) {
            let (from, to) = (&rows[column..], &mut to[column * to_stride..]);
            // SAFETY: the assertion above; `_proof` proves the instructions.
            unsafe { P::transpose_square(from.as_ptr(), width, to.as_mut_ptr(), to_stride) };
        }
        return;
    }
    for (row, pairs) in rows.chunks_exact(width).enumerate() {
        for (column, &pair) in pairs.iter().enumerate() {
            to[column * to_stride + row] = pair;
        }
    }
}
