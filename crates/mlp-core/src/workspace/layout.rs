//! Where everything lies: layers in tiles of units, batches in blocks of rows.

use std::ops::Range;

use crate::activation::Activation;
use crate::kernel::panel::panel_width;
use crate::mlp::Mlp;
use crate::real::Real;
use crate::workspace::sharing::ROWS_WORTH_READING;

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

/// The rows of a block that make weights worth loading into the first-level cache.
const ROWS_WORTH_LOADING: usize = 32;

/// The most rows of a block: what is near in a product with them stays in the first-level cache.
const ROWS_MAX: usize = 64;

impl Rows {
    /// The cut that suits a network, batches of up to `max_batch` samples, and a team.
    ///
    /// # Panics
    /// Where `max_batch` is 0.
    pub(super) fn suiting<F: Real>(mlp: &Mlp<F>, max_batch: usize, n_threads: usize) -> Rows {
        assert!(max_batch > 0, "a batch has at least one sample");
        /// Those that a product takes together.
        const ROWS: usize = 4;
        let rows_of_thread = max_batch.div_ceil(n_threads).next_multiple_of(ROWS);
        // Parts of one size, and as many for each thread: nobody waits for whoever fetches most.
        let per_part = rows_of_thread.div_ceil(rows_of_thread.div_ceil(ROWS_MAX)).next_multiple_of(ROWS);
        let per_part = per_part.max(ROWS_WORTH_READING).min(max_batch);
        // Where the largest layer has a tile for every thread, they need not share out rows.
        let heaviest = mlp.layers.iter().map(|layer| layer.weights.dim()).max_by_key(|(rows, columns)| rows * columns);
        let n_tiles = heaviest.map_or(1, |(_, n_units)| n_units.div_ceil(panel_width::<F>(n_units)));
        let n_worth_loading = if n_tiles < n_threads { 1 } else { ROWS_WORTH_LOADING / per_part };
        Rows { per_part, parts_per_block: n_worth_loading.clamp(1, max_batch.div_ceil(per_part)) }
    }

    pub(super) fn per_block(self) -> usize {
        self.per_part * self.parts_per_block
    }

    /// The rows of a block that a batch of `n_samples` reaches.
    pub(super) fn used(self, block: usize, n_samples: usize) -> usize {
        n_samples.saturating_sub(block * self.per_block()).min(self.per_block())
    }
}
