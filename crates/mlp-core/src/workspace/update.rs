//! The gradient of one tile, strip by strip, and what becomes of it.

use std::ops::Range;

use crate::kernel::pairs::product::{PairFactors, pair_product};
use crate::kernel::panel::PANEL_WIDTH_MAX;
use crate::kernel::prefetch::Ahead;
use crate::kernel::product::{Factors, panel_product};
use crate::kernel::simd::{FiniteCheck, Simd, Task};
use crate::real::Real;
use crate::sink::GradientSink;
use crate::workspace::inputs::InputPart;
use crate::workspace::layout::LayerShape;
use crate::workspace::max_norm::{AddSquares, LimitNorms};
use crate::workspace::patch::{Patch, Received};
use crate::workspace::tile::Tile;

/// The numbers of the gradient that are computed at a time, where nothing asks for more: they stay in the cache next to the
/// processor.
pub(super) const STRIP: usize = 2_048;

/// The numbers of a strip that are handed on together where weights are packed as well: a multiple of what is transposed
/// together.
const NEAR: usize = 1_024;

/// The inputs whose weights are left out together, or not: an even number.
pub(super) const PIECE: usize = 8;

/// What becomes of the gradient of a tile, strip by strip.
pub(super) trait Strips<F: Real>: Sync {
    /// Whether weights need not be shown whose gradient is known to be 0.
    fn ignores_zero_gradients(&self) -> bool;
    /// Takes the part `gradient` of the tile's strip: of the weights of the inputs from `first_input` on, a row for each.
    fn weights<S: Simd<F>>(
        &self,
        tile: &mut Tile<F>,
        finite: &mut FiniteCheck<F, S>,
        first_input: usize,
        gradient: Range<usize>,
    );
    /// When those of some units of `before`, a patch of the layer before, are done.
    fn done<S: Simd<F>>(&self, simd: S, tile: &mut Tile<F>, before: &Patch<F>, units: Range<usize>);
    /// Takes the gradient of the biases.
    fn bias<S: Simd<F>>(&self, simd: S, tile: &mut Tile<F>, gradient: &[F]);
    /// Takes the gradient of γ, in layers that are normalised.
    fn scale<S: Simd<F>>(&self, simd: S, tile: &mut Tile<F>, gradient: &[F]);
    /// When all weights are done; `is_finite` is what was added to `finite`.
    fn end<S: Simd<F>>(&self, simd: S, tile: &mut Tile<F>, received: Received<'_, F>, is_finite: bool);
}

/// It is handed to a sink, which moves the weights.
pub(super) struct HandedTo<'a, F, K> {
    pub(super) sink: &'a K,
    /// The largest norm of a unit's weights afterwards.
    pub(super) max_norm: Option<F>,
}

impl<F: Real, K: GradientSink<F>> Strips<F> for HandedTo<'_, F, K> {
    #[inline(always)]
    fn ignores_zero_gradients(&self) -> bool {
        // All weights make up the norm.
        self.max_norm.is_none() && self.sink.ignores_zero_gradients()
    }

    #[inline(always)]
    fn weights<S: Simd<F>>(
        &self,
        tile: &mut Tile<F>,
        finite: &mut FiniteCheck<F, S>,
        first_input: usize,
        gradient: Range<usize>,
    ) {
        let entries = first_input * tile.width..first_input * tile.width + gradient.len();
        tile.update_weights(finite, first_input, gradient, self.sink);
        if self.max_norm.is_none() && tile.layer == 0 {
            // Those behind it are packed for the way back as well.
            tile.pack_weights(first_input..first_input + entries.len() / tile.width, None);
        }
        if self.max_norm.is_some() {
            finite.simd().apart(AddSquares { rows: &tile.weights[entries], sums: &mut tile.squared_norms });
        }
    }

    #[inline(always)]
    fn done<S: Simd<F>>(&self, simd: S, tile: &mut Tile<F>, before: &Patch<F>, units: Range<usize>) {
        if self.max_norm.is_none() {
            tile.transpose(simd, before, units);
        }
    }

    #[inline(always)]
    fn bias<S: Simd<F>>(&self, simd: S, tile: &mut Tile<F>, gradient: &[F]) {
        tile.update_bias(simd, gradient, self.sink);
    }

    #[inline(always)]
    fn scale<S: Simd<F>>(&self, simd: S, tile: &mut Tile<F>, gradient: &[F]) {
        tile.update_scale(simd, gradient, self.sink);
    }

    #[inline(always)]
    fn end<S: Simd<F>>(&self, simd: S, tile: &mut Tile<F>, received: Received<'_, F>, is_finite: bool) {
        tile.is_broken = !is_finite;
        if let Some(max_norm) = self.max_norm {
            simd.apart(LimitNorms { tile, received, max_norm });
        }
    }
}

/// The gradient of one tile, summed over the batch, and what becomes of it.
pub(super) struct Update<'a, F, K> {
    pub(super) tile: &'a mut Tile<F>,
    pub(super) shape: &'a LayerShape,
    /// Those of the tile, block after block, as far as the batch reaches.
    pub(super) patches: &'a [Patch<F>],
    pub(super) received: Received<'a, F>,
    pub(super) strips: &'a K,
}

impl<F: Real, K: Strips<F>> Task<F> for Update<'_, F, K> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd<F>>(self, simd: S) {
        let Update { tile, shape, patches, received, strips } = self;
        let width = tile.width;
        let mut finite = FiniteCheck::new(simd);
        let n_rows = tile.strip_rows();
        // A strip in pairs is longer than what stays near with the weights and all that is made of them.
        let n_near = if tile.pairs.is_some() { NEAR / width } else { n_rows };
        match received {
            Received::Inputs(inputs) => {
                let parts = inputs.parts;
                let together = parts[0].sparse.columns_together(n_rows);
                for first_input in (0..shape.n_inputs).step_by(together) {
                    let columns = first_input..shape.n_inputs.min(first_input + together);
                    let next = columns.end..shape.n_inputs.min(columns.end + together);
                    let mut ahead = tile.ahead_of_inputs(next).in_portions(parts.len());
                    // Zeros, as every strip leaves them.
                    let sums = &mut tile.gradient[..columns.len().next_multiple_of(2) * width];
                    for (parts, patch) in inputs.blocks().zip(patches) {
                        // All columns go through the deltas of one block, which stay in the first-level cache.
                        for (first_row, part) in parts {
                            ahead.ask();
                            let deltas = &patch.deltas[first_row * width..];
                            part.sparse.add_columns_times(simd, columns.clone(), deltas, width, sums);
                        }
                    }
                    // Behind an odd number of inputs stands one more row.
                    sums[columns.len() * width..].fill(F::zero());
                    for used in (UsedInputs { parts, inputs: columns, all: !strips.ignores_zero_gradients() }) {
                        let gradient = (used.start - first_input) * width..(used.end - first_input) * width;
                        strips.weights(tile, &mut finite, used.start, gradient.clone());
                        tile.gradient[gradient].fill(F::zero());
                    }
                }
            }
            Received::Outputs(before) => {
                for (first_tile, patch) in before.in_block(0).enumerate() {
                    let next = before.patches.get((first_tile + 1) * before.n_blocks);
                    let ahead = next.map_or_else(Ahead::default, |next| tile.ahead(next));
                    for first_unit in (0..patch.n_units).step_by(n_rows) {
                        let units = first_unit..patch.n_units.min(first_unit + n_rows);
                        let gradient = &mut tile.gradient[..units.len() * width];
                        let blocks = patches.iter().zip(before.in_tile(first_tile));
                        sum_over_blocks(simd, width, blocks, units.clone(), ahead, gradient);
                        for first in units.clone().step_by(n_near) {
                            let near = first..units.end.min(first + n_near);
                            let entries = (near.start - units.start) * width..(near.end - units.start) * width;
                            strips.weights(tile, &mut finite, patch.first_unit + first, entries);
                            strips.done(simd, tile, patch, near);
                        }
                    }
                }
            }
        }
        strips.end(simd, tile, received, finite.is_true());
        if shape.has_bias {
            let mut sums = [F::zero(); PANEL_WIDTH_MAX];
            let sums = &mut sums[..width];
            match &tile.norm {
                Some(norm) => sums.copy_from_slice(&norm.by_bias),
                None => patches.iter().for_each(|patch| add_rows(&patch.deltas[..patch.n_rows * width], sums)),
            }
            strips.bias(simd, tile, sums);
        }
        if let Some(norm) = &tile.norm {
            let mut gradient = [F::zero(); PANEL_WIDTH_MAX];
            let gradient = &mut gradient[..width];
            gradient.copy_from_slice(&norm.by_scale);
            strips.scale(simd, tile, gradient);
        }
    }
}

/// The gradient of the weights of some units of the layer before: for each block, the patch of the tile and that of the layer
/// before. Meanwhile what comes next is asked for.
#[inline(always)]
fn sum_over_blocks<'a, F: Real, S: Simd<F>>(
    simd: S,
    width: usize,
    blocks: impl ExactSizeIterator<Item = (&'a Patch<F>, &'a Patch<F>)>,
    units: Range<usize>,
    ahead: Ahead,
    gradient: &mut [F],
) {
    let n_blocks = blocks.len();
    // Zeros to begin with, in the first block.
    let mut start = Some(&[F::zero(); PANEL_WIDTH_MAX][..width]);
    for (block, (patch, before)) in blocks.enumerate() {
        if let (Some(deltas), Some(received)) = (&patch.pairs, &before.pairs) {
            let factors = PairFactors {
                left: &received.outputs.in_columns[units.start..],
                row_stride: 1,
                pair_stride: before.width,
                right: &deltas.deltas.in_columns,
                n_pairs: patch.n_rows.div_ceil(2),
                ahead: ahead.portion(block, n_blocks),
            };
            let (start, sums) = (start.take().map(F::singles), F::singles_mut(gradient));
            pair_product(deltas.kernel(), width, start, factors, units.len(), sums);
            continue;
        }
        let factors = Factors {
            left: &before.outputs[units.start..],
            row_stride: 1,
            term_stride: before.width,
            right: &patch.deltas,
            n_terms: patch.n_rows,
        };
        panel_product(simd, width, start.take(), factors, units.len(), gradient);
    }
}

/// Adds the rows of a matrix to sums, row after row, some columns at a time, whose sums stay in registers.
#[inline(always)]
fn add_rows<F: Real>(rows: &[F], sums: &mut [F]) {
    /// The width is a multiple of it.
    const COLUMNS: usize = 8;
    let width = sums.len();
    for (index, sums) in sums.as_chunks_mut::<COLUMNS>().0.iter_mut().enumerate() {
        let mut columns = *sums;
        for row in rows.chunks_exact(width) {
            columns.iter_mut().zip(&row.as_chunks::<COLUMNS>().0[index]).for_each(|(sum, &value)| *sum += value);
        }
        *sums = columns;
    }
}

/// Of some inputs, the stretches of pieces that are not zero in one of the rows; or all.
struct UsedInputs<'a, F> {
    parts: &'a [InputPart<F>],
    /// Those that have not been looked at.
    inputs: Range<usize>,
    all: bool,
}

impl<F: Real> UsedInputs<'_, F> {
    /// Goes to the first piece that is used, or is not.
    #[inline(always)]
    fn skip_while(&mut self, is_used: bool) -> usize {
        while !self.inputs.is_empty() {
            let piece = self.inputs.start..self.inputs.end.min(self.inputs.start + PIECE);
            if (self.all || self.parts.iter().any(|part| part.sparse.has_any(piece.clone()))) != is_used {
                break;
            }
            self.inputs.start = piece.end;
        }
        self.inputs.start
    }
}

impl<F: Real> Iterator for UsedInputs<'_, F> {
    type Item = Range<usize>;
    #[inline(always)]
    fn next(&mut self) -> Option<Range<usize>> {
        let (start, end) = (self.skip_while(false), self.skip_while(true));
        (start < end).then_some(start..end)
    }
}
