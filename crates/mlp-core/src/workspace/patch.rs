//! Patches: what the units of one tile answer to the rows of one block.

use crate::aligned::Aligned;
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
    /// ∂L/∂z, and in runs of single samples dᵢ, that times a factor; zero behind the last unit.
    pub(super) deltas: Aligned<F>,
    /// Whether an output is infinite or not a number.
    pub(super) is_broken: bool,
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
            deltas: Aligned::zeros(block_rows * units.width),
            is_broken: false,
            single: Single::new(0, 0),
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
