//! Patches: what the units of one tile answer to the rows of one block.

use crate::aligned::Aligned;
use crate::kernel::pairs::packing::{PackBothWays, round_all};
use crate::kernel::pairs::{Pair, PairKernel};
use crate::real::Real;
use crate::workspace::inputs::Inputs;
use crate::workspace::layout::Units;
use crate::workspace::single::Single;

/// What the units of one tile answered to the rows of one block, and their deltas: rows of the tile's width.
#[derive(Debug)]
pub(super) struct Patch<F> {
    /// Counted within the layer.
    pub(super) tile: usize,
    pub(super) block: usize,
    pub(super) first_unit: usize,
    pub(super) n_units: usize,
    pub(super) width: usize,
    /// 0 where the batch does not reach this block.
    pub(super) n_rows: usize,
    /// In the last layer the net inputs.
    pub(super) outputs: Aligned<F>,
    /// ẑ, where the layer is normalised over the batch; empty elsewhere.
    pub(super) normalized: Aligned<F>,
    /// ∂L/∂z, and in runs of single samples dᵢ, that times a factor; zero behind the last unit.
    pub(super) deltas: Aligned<F>,
    /// Whether an output is infinite or not a number.
    pub(super) is_broken: bool,
    /// Outputs and deltas in bf16, where products take them so; deltas are then rounded too.
    pub(super) pairs: Option<PatchPairs>,
    /// For runs of single samples; empty elsewhere.
    pub(super) single: Single<F>,
}

impl<F: Real> Patch<F> {
    /// For tile number `tile` of a layer and a block of `block_rows` rows, without any row yet.
    pub(super) fn new(tile: usize, units: Units, block: usize, block_rows: usize) -> Patch<F> {
        Patch {
            tile,
            block,
            first_unit: units.first,
            n_units: units.n,
            width: units.width,
            n_rows: 0,
            outputs: Aligned::zeros(block_rows * units.width),
            normalized: Aligned::zeros(0),
            deltas: Aligned::zeros(block_rows * units.width),
            is_broken: false,
            pairs: None,
            single: Single::new(0, 0),
        }
    }
}

/// What other layers take from a patch, rounded to bf16: the next its outputs, the one before its deltas.
#[derive(Debug)]
pub(super) struct PatchPairs {
    kernel: PairKernel,
    /// Empty in the last layer.
    pub(super) outputs: BothWays,
    /// Empty in the first layer.
    pub(super) deltas: BothWays,
}

/// A matrix in pairs, twice.
#[derive(Debug)]
pub(super) struct BothWays {
    /// Of neighbours in a row: the terms of products with weights.
    pub(super) in_rows: Aligned<Pair>,
    /// Of neighbours in a column: the terms of the gradient, which is summed over the batch.
    pub(super) in_columns: Aligned<Pair>,
}

impl PatchPairs {
    pub(super) fn kernel(&self) -> PairKernel {
        self.kernel
    }
}

impl BothWays {
    fn new(n_rows: usize, width: usize) -> BothWays {
        BothWays {
            in_rows: Aligned::zero_pairs(n_rows * width / 2),
            in_columns: Aligned::zero_pairs(n_rows.div_ceil(2) * width),
        }
    }

    fn pack(&mut self, kernel: PairKernel, width: usize, rows: &mut [f32], keeps_rounded: bool) {
        let BothWays { in_rows, in_columns } = self;
        if !in_rows.is_empty() {
            kernel.run(PackBothWays { rows, keeps_rounded, width, in_rows, in_columns });
        } else if keeps_rounded {
            round_all(kernel, rows);
        }
    }
}

impl<F: Real> Patch<F> {
    /// With outputs and deltas in bf16 too, as far as other layers take them.
    pub(super) fn in_pairs(mut self, kernel: PairKernel, is_first_layer: bool, is_last_layer: bool) -> Patch<F> {
        let n_rows = self.outputs.len() / self.width;
        let both_ways = |is_taken: bool| BothWays::new(if is_taken { n_rows } else { 0 }, self.width);
        self.pairs =
            Some(PatchPairs { kernel, outputs: both_ways(!is_last_layer), deltas: both_ways(!is_first_layer) });
        self
    }

    /// The outputs in pairs of neighbours in a row, as far as there are rows.
    #[inline(always)]
    pub(super) fn rows_of_outputs(&self) -> &[Pair] {
        self.pairs.as_ref().map_or(&[], |pairs| &pairs.outputs.in_rows[..self.n_rows * self.width / 2])
    }

    /// As [`Patch::rows_of_outputs`].
    #[inline(always)]
    pub(super) fn rows_of_deltas(&self) -> &[Pair] {
        self.pairs.as_ref().map_or(&[], |pairs| &pairs.deltas.in_rows[..self.n_rows * self.width / 2])
    }

    /// Rounds the outputs for other layers, where products take them in bf16. The derivative is taken from them as they are.
    #[inline(always)]
    pub(super) fn pack_outputs(&mut self) {
        if let Some(PatchPairs { kernel, outputs, .. }) = &mut self.pairs {
            let rows = F::singles_mut(&mut self.outputs[..self.n_rows * self.width]);
            outputs.pack(*kernel, self.width, rows, false);
        }
    }

    /// Rounds the deltas, where products take them in bf16.
    #[inline(always)]
    pub(super) fn pack_deltas(&mut self) {
        if let Some(PatchPairs { kernel, deltas, .. }) = &mut self.pairs {
            let rows = F::singles_mut(&mut self.deltas[..self.n_rows * self.width]);
            deltas.pack(*kernel, self.width, rows, true);
        }
    }
}

/// The patches of a layer: those of its first tile, block after block, then those of the next.
pub(super) struct Patches<'a, F> {
    pub(super) patches: &'a [Patch<F>],
    pub(super) n_blocks: usize,
}

impl<F> Clone for Patches<'_, F> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<F> Copy for Patches<'_, F> {}

impl<'a, F> Patches<'a, F> {
    /// The patches of one block, tile after tile.
    #[inline(always)]
    pub(super) fn in_block(self, block: usize) -> impl Iterator<Item = &'a Patch<F>> + Clone {
        self.patches[block..].iter().step_by(self.n_blocks)
    }

    /// The patches of one tile, block after block.
    #[inline(always)]
    pub(super) fn in_tile(self, tile: usize) -> &'a [Patch<F>] {
        &self.patches[tile * self.n_blocks..][..self.n_blocks]
    }
}

/// What a layer receives.
pub(super) enum Received<'a, F> {
    Inputs(Inputs<'a, F>),
    Outputs(Patches<'a, F>),
}

impl<F> Clone for Received<'_, F> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<F> Copy for Received<'_, F> {}
