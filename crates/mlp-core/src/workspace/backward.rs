//! The way back from one layer to a patch of the one before.

use crate::activation::Activation;
use crate::dropout::Mask;
use crate::kernel::dots::{PanelPair, transposed_product};
use crate::kernel::pairs::product::{PairFactors, pair_product};
use crate::kernel::panel::PANEL_WIDTH_MAX;
use crate::kernel::prefetch::Ahead;
use crate::kernel::product::{Factors, panel_product};
use crate::kernel::simd::{Simd, Task};
use crate::real::Real;
use crate::workspace::negligible::flush_all_negligible;
use crate::workspace::patch::{Patch, Patches};
use crate::workspace::tile::Tile;

/// δˡ = (δˡ⁺¹ Wˡ⁺¹ᵀ) ⊙ f′ for one patch of layer l; where the layer is normalised, that behind the normalisation.
pub(super) struct Backward<'a, F> {
    pub(super) patch: &'a mut Patch<F>,
    pub(super) activation: Activation,
    /// What was left out of the outputs.
    pub(super) mask: Option<Mask<F>>,
    /// Those of layer l + 1.
    pub(super) after: Patches<'a, F>,
    /// Those of layer l + 1.
    pub(super) tiles: &'a [Tile<F>],
}

impl<F: Real> Task<F> for Backward<'_, F> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd<F>>(self, simd: S) {
        let Backward { patch, activation, mask, after, tiles } = self;
        let n_rows = patch.n_rows;
        let pairs = after.in_block(patch.block).zip(tiles);
        if tiles[0].pairs.is_some() {
            let mut start = Some(&[0.0; PANEL_WIDTH_MAX][..patch.width]);
            let mut next = pairs.clone().skip(1);
            for (after, tile) in pairs {
                let ahead = match next.next() {
                    Some((after, Tile { pairs: Some(weights), width, .. })) => {
                        Ahead::default().and(after.rows_of_deltas()).and(weights.transposed(patch, *width))
                    }
                    _ => Ahead::default(),
                };
                let (Some(weights), Some(deltas)) = (&tile.pairs, &after.pairs) else { continue };
                let factors = PairFactors {
                    left: &deltas.deltas.in_rows,
                    row_stride: after.width / 2,
                    pair_stride: 1,
                    right: weights.transposed(patch, tile.width),
                    n_pairs: after.n_units.div_ceil(2),
                    ahead,
                };
                let sums = F::singles_mut(&mut patch.deltas);
                pair_product(weights.kernel, patch.width, start.take(), factors, n_rows, sums);
            }
        } else if tiles[0].transposed.is_empty() {
            let panels =
                pairs.map(|(after, tile)| PanelPair { width: tile.width, left: &after.deltas, right: &tile.weights });
            let (first, n_units) = (patch.first_unit, patch.n_units);
            transposed_product(simd, panels, n_rows, first, n_units, &mut patch.deltas, patch.width);
        } else {
            let mut start = Some(&[F::zero(); PANEL_WIDTH_MAX][..patch.width]);
            for (after, tile) in pairs {
                let factors = Factors {
                    left: &after.deltas,
                    row_stride: after.width,
                    term_stride: 1,
                    right: tile.transposed(patch.first_unit),
                    n_terms: after.n_units,
                };
                panel_product(simd, patch.width, start.take(), factors, n_rows, &mut patch.deltas);
            }
        }
        let entries = 0..n_rows * patch.width;
        let deltas = &mut patch.deltas[entries.clone()];
        // Before, so that the product is not subnormal, and after it.
        flush_all_negligible(deltas);
        match mask {
            None => activation.times_derivative(&patch.outputs[entries], deltas),
            Some(mask) => mask.times_derivative(activation, &patch.outputs[entries], deltas),
        }
        flush_all_negligible(deltas);
        if patch.normalized.is_empty() {
            patch.pack_deltas();
        }
    }
}

/// Renews all transposed weights of a tile.
pub(super) struct TransposeAll<'a, F> {
    pub(super) tile: &'a mut Tile<F>,
    /// Those of the layer before.
    pub(super) before: Patches<'a, F>,
}

impl<F: Real> Task<F> for TransposeAll<'_, F> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd<F>>(self, simd: S) {
        let TransposeAll { tile, before } = self;
        before.in_block(0).for_each(|before| tile.transpose(simd, before, 0..before.n_units));
    }
}
