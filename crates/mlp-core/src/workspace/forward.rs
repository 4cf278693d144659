//! The way forward through one tile.

use crate::activation::Activation;
use crate::dropout::Mask;
use crate::kernel::pairs::product::{PairFactors, pair_product};
use crate::kernel::panel::PANEL_WIDTH_MAX;
use crate::kernel::prefetch::Ahead;
use crate::kernel::product::{Factors, panel_product};
use crate::kernel::simd::{Simd, Task};
use crate::real::Real;
use crate::workspace::patch::{Patch, Received};
use crate::workspace::tile::Tile;

/// aˡ = f(aˡ⁻¹ Wˡ + bˡ) for one patch; in the last layer without the f, and where the layer is normalised aˡ⁻¹ Wˡ alone.
pub(super) struct Forward<'a, F> {
    pub(super) patch: &'a mut Patch<F>,
    pub(super) tile: &'a Tile<F>,
    pub(super) received: Received<'a, F>,
    /// None in the last layer.
    pub(super) activation: Option<Activation>,
    /// What is left out of the outputs.
    pub(super) mask: Option<Mask<F>>,
    /// The row of the batch with which the block begins.
    pub(super) first_row: usize,
}

impl<F: Real> Task<F> for Forward<'_, F> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd<F>>(self, simd: S) {
        let Forward { patch, tile, received, activation, mask, first_row } = self;
        let n_rows = patch.n_rows;
        // Before a normalisation, biases would be subtracted again.
        let no_biases = [F::zero(); PANEL_WIDTH_MAX];
        let is_normalized = !patch.normalized.is_empty();
        let bias = if is_normalized { &no_biases[..tile.width] } else { &*tile.bias };
        match received {
            Received::Inputs(inputs) => {
                let parts = inputs.blocks().nth(patch.block).expect("a block that the batch reaches");
                for (first_row, part) in parts {
                    let sums = &mut patch.outputs[first_row * tile.width..];
                    if let Some(pairs) = &tile.pairs {
                        let (start, sums) = (F::singles(bias), F::singles_mut(sums));
                        part.sparse.rows_times_pairs(start, &pairs.weights, tile.width, sums);
                        continue;
                    }
                    part.sparse.rows_times(simd, bias, &tile.weights, tile.width, sums);
                }
            }
            Received::Outputs(patches) => {
                // All rows through the units of one tile before the next: their weights stay in the first-level cache.
                let mut start = Some(bias);
                let mut next = patches.in_block(patch.block).skip(1);
                for before in patches.in_block(patch.block) {
                    let next = next.next();
                    if let (Some(weights), Some(received)) = (&tile.pairs, &before.pairs) {
                        let factors = PairFactors {
                            left: &received.outputs.in_rows,
                            row_stride: before.width / 2,
                            pair_stride: 1,
                            right: weights.panel(before, tile.width),
                            n_pairs: before.n_units.div_ceil(2),
                            ahead: next.map_or_else(Ahead::default, |next| {
                                Ahead::default().and(next.rows_of_outputs()).and(weights.panel(next, tile.width))
                            }),
                        };
                        let (start, sums) = (start.take().map(F::singles), F::singles_mut(&mut patch.outputs));
                        pair_product(weights.kernel, tile.width, start, factors, n_rows, sums);
                        continue;
                    }
                    let factors = Factors {
                        left: &before.outputs,
                        row_stride: before.width,
                        term_stride: 1,
                        right: &tile.weights[before.first_unit * tile.width..],
                        n_terms: before.n_units,
                    };
                    panel_product(simd, tile.width, start.take(), factors, n_rows, &mut patch.outputs);
                }
            }
        }
        match activation {
            // The rest is done when all products of the layer are there.
            _ if is_normalized => {}
            Some(activation) => activate::<F, S>(patch, activation, mask, first_row),
            None => patch.is_broken = has_broken(&patch.outputs[..n_rows * tile.width]),
        }
    }
}

/// From the net inputs of a hidden layer to its outputs; `first_row` is the row of the batch with which the block begins.
#[inline(always)]
pub(super) fn activate<F: Real, S: Simd<F>>(
    patch: &mut Patch<F>,
    activation: Activation,
    mask: Option<Mask<F>>,
    first_row: usize,
) {
    let outputs = &mut patch.outputs[..patch.n_rows * patch.width];
    // Runs on behind the last unit, where weights and deltas are 0.
    activation.apply_on::<F, S>(outputs, F::NEGLIGIBLE);
    patch.is_broken = has_broken(outputs);
    if let Some(mask) = mask {
        for (row, outputs) in (first_row..).zip(outputs.chunks_exact_mut(patch.width)) {
            mask.apply(row, patch.first_unit, outputs);
        }
    }
    patch.pack_outputs();
}

#[inline(always)]
fn has_broken<F: Real>(outputs: &[F]) -> bool {
    outputs.iter().fold(false, |broken, output| broken | output.is_not_finite())
}
