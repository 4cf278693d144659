//! Where everything lies: layers in tiles of units, batches in blocks of rows.

use std::ops::Range;

use crate::activation::Activation;
use crate::kernel::panel::panel_width;
use crate::real::Real;

/// What is fixed about a layer.
#[derive(Clone, Copy, Debug)]
pub(super) struct LayerShape {
    pub(super) n_inputs: usize,
    pub(super) n_outputs: usize,
    pub(super) activation: Activation,
    pub(super) has_bias: bool,
    /// Its tiles are `first_tile..first_tile + n_tiles`.
    pub(super) first_tile: usize,
    pub(super) n_tiles: usize,
}

impl LayerShape {
    pub(super) fn tiles(&self) -> Range<usize> {
        self.first_tile..self.first_tile + self.n_tiles
    }
}

/// The units of one tile, and the columns of its panel.
#[derive(Clone, Copy, Debug)]
pub(super) struct Units {
    pub(super) first: usize,
    pub(super) n: usize,
    /// Columns of the panel; those behind the last unit hold zeros.
    pub(super) width: usize,
}

/// A layer's units, cut into tiles.
pub(super) fn tiles_of<F: Real>(n_units: usize) -> impl Iterator<Item = Units> {
    let mut first = 0;
    std::iter::from_fn(move || {
        let n_remaining = n_units - first;
        (n_remaining > 0).then(|| {
            let width = panel_width::<F>(n_remaining);
            let units = Units { first, n: width.min(n_remaining), width };
            first += units.n;
            units
        })
    })
}

/// How the rows of a batch are cut into blocks, and those into parts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rows {
    /// The rows whose inputs one thread fetches.
    pub(super) per_part: usize,
    pub(super) parts_per_block: usize,
}

impl Rows {
    pub(super) fn per_block(self) -> usize {
        self.per_part * self.parts_per_block
    }

    /// The rows of a block that a batch of `n_samples` reaches.
    pub(super) fn used(self, block: usize, n_samples: usize) -> usize {
        n_samples.saturating_sub(block * self.per_block()).min(self.per_block())
    }
}
