//! The fast path of training: the same forward pass and back-propagation as
//! [`backpropagate`](crate::backpropagate), on memory that is allocated once.
//!
//! # The map
//!
//! The units of every layer are cut into *tiles*, each with its weights in one packed
//! [panel](crate::kernel::panel), and the rows of the batch into *blocks*. A *patch* is what the units of one tile answer
//! to the rows of one block, and their deltas. Here is a network of 784 inputs and layers of 150, 70 and 6 units in `f32`,
//! with a batch of two blocks, shared out among two threads, A and B:
//!
//! ```text
//!                       layer 0                        layer 1             layer 2
//!  tiles          ┌── 0 ───┬── 1 ───┬── 2 ───┐   ┌── 3 ───┬── 4 ───┐   ┌── 5 ───┐
//!  their units    │  0…63  │ 64…127 │128…149 │   │  0…63  │ 64…69  │   │  0…5   │
//!  their panels   │ 784×64 │ 784×64 │ 784×32 │   │ 150×64 │ 150×16 │   │ 70×16  │
//!                 └────────┴────────┴────────┘   └────────┴────────┘   └────────┘
//!  rows                     patches                   patches           patches
//! ┌─────────────┐ ┌────────┬────────┬────────┐   ┌────────┬────────┐   ┌────────┐   ┌─────────┐
//! │ block 0     │ │ 0    A │ 2    A │ 4    B │   │ 0    A │ 2    B │   │ 0    A │   │ outputs │
//! │ part 0    A │ │        │        │        │ ─►│        │        │ ─►│        │ ─►│ block 0 │
//! │ part 1    A │ │        │        │        │   │        │        │   │        │   │       A │
//! ├─────────────┤ ├────────┼────────┼────────┤   ├────────┼────────┤   ├────────┤   ├─────────┤
//! │ block 1     │ │ 1    A │ 3    B │ 5    B │   │ 1    A │ 3    B │   │ 1    B │   │ outputs │
//! │ part 2    B │ │        │        │        │ ─►│        │        │ ─►│        │ ─►│ block 1 │
//! │ part 3    B │ │        │        │        │   │        │        │   │        │   │       B │
//! └─────────────┘ └────────┴────────┴────────┘   └────────┴────────┘   └────────┘   └─────────┘
//!                      │        │        │            │        │            │
//!                      ▼        ▼        ▼            ▼        ▼            ▼
//!  tiles, again     0     A  1     B  2     B      3     A  4     B      5     A
//! ```
//!
//! In a step the [`Workers`] share out
//!
//! 0. the inputs: the parts of the blocks, smaller than those so that more threads have one;
//! 1. forward (─►), layer by layer: the patches, from the outputs of all patches of the layer before in the same block;
//! 2. back (◄─, the same picture), layer by layer: the deltas of the patches, from those of the layer behind;
//! 3. down (▼): the tiles of all layers. Each sums its gradient over all blocks and hands it to the [`GradientSink`](crate::GradientSink) while it
//!    is in the cache. So an optimiser moves the weights without the gradient ever being stored. Behind the first layer it
//!    also renews their transpose, with which 2 is the same product as 1; not for small batches, for which that takes longer.
//!
//! Between the stages, and between the layers of 1 and 2, the threads wait for each other. In layers with at least as many
//! tiles as there are threads, a thread begins with the same tiles in 1 and 3, so that their weights stay in the cache of its
//! core; who has finished takes over from the others. A workspace for batches of one sample takes 2 and 3 together, tile by
//! tile. No sum depends on who takes it, or with what.
//!
//! Where hidden layers are normalised over the batch, each of 1 and 2 has two stages more in each of them: the sums over the batch,
//! tile by tile, and what they make of the numbers of each patch.
//!
//! What is zero in the inputs (four pixels in five, in images of digits) adds nothing to a product and is left out,
//! which changes no bit of the result, but for the sign of a zero, as long as weights and deltas are finite. The weights have
//! to be when they are loaded; a step that makes others reports it.

// What there is: layout, then inputs, patches and tiles, which use it, then outputs.
pub(crate) mod batch;
mod inputs;
mod layout;
mod negligible;
mod outputs;
mod patch;
mod single;
mod tile;
// What is done with it, one task for each piece of work that a thread takes.
mod backward;
mod forward;
mod max_norm;
mod normalize;
mod sharing;
mod update;
mod update_one;
// The methods of the workspace: parameters in and out, and the steps.
pub(crate) mod average;
mod clipping;
mod normalization;
pub(crate) mod options;
mod packing;
mod rounded;
mod step;
// Single samples, whose weights are written late.
mod deferred;
pub(crate) mod one_by_one;

use std::fmt;

use crate::kernel::level::Kernel;
use crate::kernel::panel::panel_width;
use crate::kernel::sparse::Transposed;
use crate::kernel::workers::{Shares, Workers};
use crate::mlp::Mlp;
use crate::real::Real;
use inputs::{InputPart, Keep};
use layout::{LayerShape, Rows, tiles_of};
use outputs::OutputBlock;
use patch::Patch;
use sharing::tiles_of_threads;
use tile::Tile;
use update::STRIP;

/// An output, a delta, a parameter or a sink's state that is infinite or not a number: the run has diverged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NonFinite {
    /// The first layer in which it was found, counted from 0.
    pub layer: usize,
}

impl fmt::Display for NonFinite {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "expected finite numbers, found an infinite one or NaN in layers[{}]", self.layer)?;
        formatter.write_str("; load other weights, and take a lower learning rate, if no input and no target is NaN")
    }
}

impl std::error::Error for NonFinite {}

/// A network in the layout of the fast path, with the memory for steps on batches of up to a fixed size.
///
/// Hidden outputs of a magnitude below [`Real::NEGLIGIBLE`] are taken as 0, here and on the way back; [`Mlp::forward`] and
/// [`backpropagate`](crate::backpropagate) take them as they are, but for subnormal ones.
///
/// ```
/// use mlp_core::{
///     Activation, ArrayBatch, Initializer, KeepGradient, Kernel, Loss, Mlp, Objective, Reduction, Workers, Workspace,
///     backpropagate,
/// };
/// use mlp_core::ndarray::array;
///
/// let mlp = Mlp::<f64>::seeded(&[2, 3, 1], &[Activation::Sigmoid; 2], true, Initializer::LECUN_NORMAL, 0);
/// let (inputs, targets) = (array![[0.0, 1.0], [1.0, 0.5]], array![[1.0], [0.0]]);
/// let objective = Objective { loss: Loss::Squared, reduction: Reduction::Mean };
/// let workers = Workers::new(2);
///
/// // Room for two samples, and for one number beside each parameter: KeepGradient puts the gradient there.
/// let mut workspace = Workspace::new(&mlp, 2, 1, Kernel::detect(), &workers);
/// let batch = ArrayBatch::new(inputs.view(), targets.view());
/// workspace.step(&batch, objective, &KeepGradient, &workers)?;
///
/// let (_, expected) = backpropagate(&mlp, inputs.view(), targets.view(), objective);
/// let found = workspace.slot(0);
/// assert!((&found.layers[0].weights - &expected.layers[0].weights).iter().all(|error| error.abs() < 1e-15));
/// # Ok::<(), mlp_core::NonFinite>(())
/// ```
#[derive(Debug)]
pub struct Workspace<F> {
    kernel: Kernel,
    layers: Vec<LayerShape>,
    /// Of all layers, one after the other.
    tiles: Vec<Tile<F>>,
    /// Who updates which tile.
    shares: Shares,
    /// For each layer: those of its first tile, block after block, then those of the next.
    patches: Vec<Vec<Patch<F>>>,
    /// The inputs, part after part of every block.
    inputs: Vec<InputPart<F>>,
    /// The outputs, block after block.
    outputs: Vec<OutputBlock<F>>,
    rows: Rows,
    n_slots: usize,
    /// Whether products of hidden layers are normalised over the batch.
    is_normalized: bool,
    max_batch: usize,
    /// The number of samples of the last batch.
    n_samples: usize,
}

/// The largest batch of a workspace from which it is worth while to write weights transposed too, for the way back. It is part
/// of the numerics: sums are taken in another order.
const ROWS_WORTH_TRANSPOSING: usize = 128;

impl<F: Real> Workspace<F> {
    /// A workspace that holds the weights of `mlp`, for batches of up to `max_batch` samples and sinks with up to
    /// `n_slots` (0 to 2) values of state. It suits teams of the size of `workers`; the first step with one of another size
    /// allocates, and gives the same bits.
    ///
    /// Sums are rounded in one order in workspaces for single samples, in another in those for fewer than 128, and in a third in
    /// those for 128 and more, whatever the batches that they are given.
    ///
    /// # Panics
    /// Where `max_batch` is 0, `n_slots` is above 2, or the processor does not support `kernel`.
    pub fn new(mlp: &Mlp<F>, max_batch: usize, n_slots: usize, kernel: Kernel, workers: &Workers) -> Workspace<F> {
        let rows = Rows::suiting(mlp, max_batch, workers.n_threads());
        Workspace::with_blocks(mlp, max_batch, rows, Keep::LastRow, n_slots, kernel, workers.n_threads())
    }

    fn with_blocks(
        mlp: &Mlp<F>,
        max_batch: usize,
        rows: Rows,
        keep: Keep,
        n_slots: usize,
        kernel: Kernel,
        n_threads: usize,
    ) -> Workspace<F> {
        let mut workspace = Workspace::without_weights(mlp, max_batch, rows, keep, n_slots, kernel, n_threads);
        workspace.load(mlp);
        workspace
    }

    fn without_weights(
        mlp: &Mlp<F>,
        max_batch: usize,
        rows: Rows,
        keep: Keep,
        n_slots: usize,
        kernel: Kernel,
        n_threads: usize,
    ) -> Workspace<F> {
        assert!(n_slots <= 2, "a sink keeps at most 2 values for each parameter, not {n_slots}");
        assert!(kernel.is_supported(), "this processor has no {kernel} instructions");
        mlp.assert_consistent();
        let (block_rows, n_blocks) = (rows.per_block(), max_batch.div_ceil(rows.per_block()));
        let inputs = input_parts(mlp, max_batch, rows, keep);
        let mut layers = Vec::with_capacity(mlp.layers.len());
        let mut tiles = Vec::new();
        let mut patches = Vec::with_capacity(mlp.layers.len());
        // Others take their steps on single samples, without a strip of the gradient.
        let takes_batches = max_batch > 1 && keep == Keep::LastRow;
        // The columns of all panels of the layer before.
        let mut n_transposed = 0;
        for (index, layer) in mlp.layers.iter().enumerate() {
            let (n_inputs, n_outputs) = layer.weights.dim();
            let first_tile = tiles.len();
            let mut layer_patches = Vec::new();
            for (number, units) in tiles_of::<F>(n_outputs).enumerate() {
                layer_patches.extend((0..n_blocks).map(|block| Patch::new(number, units, block, block_rows)));
                let strip = if !takes_batches {
                    0
                } else if index == 0 {
                    inputs[0].sparse.columns_together(STRIP / units.width) * units.width
                } else {
                    STRIP
                };
                tiles.push(Tile::new(index, units, n_inputs, n_transposed, n_slots, strip));
            }
            if takes_batches && max_batch >= ROWS_WORTH_TRANSPOSING {
                n_transposed = tiles.last().map_or(0, |tile| tile.first_unit + tile.width);
            }
            let n_tiles = tiles.len() - first_tile;
            let (activation, has_bias) = (layer.activation, layer.bias.is_some());
            layers.push(LayerShape { n_inputs, n_outputs, activation, has_bias, first_tile, n_tiles });
            patches.push(layer_patches);
        }
        let outputs = (0..n_blocks).map(|_| OutputBlock::new(mlp.n_outputs(), block_rows)).collect();
        let shares = tiles_of_threads(&layers, n_threads);
        Workspace {
            kernel,
            layers,
            tiles,
            shares,
            patches,
            inputs,
            outputs,
            rows,
            n_slots,
            is_normalized: false,
            max_batch,
            n_samples: 0,
        }
    }

    /// The outputs of the sample in `row` of the last batch, length `n_outputs`.
    ///
    /// # Panics
    /// Where `row` is not one of that batch.
    pub fn outputs(&self, row: usize) -> &[F] {
        self.output_row(row, |block| &block.outputs)
    }

    /// The net inputs of the output layer for the sample in `row` of the last batch, length `n_outputs`.
    ///
    /// # Panics
    /// Where `row` is not one of that batch.
    pub fn net_inputs(&self, row: usize) -> &[F] {
        self.output_row(row, |block| &block.net_inputs)
    }

    fn output_row<'a>(&'a self, row: usize, matrix: impl Fn(&'a OutputBlock<F>) -> &'a [F]) -> &'a [F] {
        assert!(row < self.n_samples, "row {row} of a batch of {}", self.n_samples);
        let n_outputs = self.output_layer().n_outputs;
        let block_rows = self.rows.per_block();
        &matrix(&self.outputs[row / block_rows])[row % block_rows * n_outputs..][..n_outputs]
    }

    fn output_layer(&self) -> &LayerShape {
        &self.layers[self.layers.len() - 1]
    }

    fn n_blocks_used(&self) -> usize {
        self.n_samples.div_ceil(self.rows.per_block())
    }

    fn n_parts_used(&self) -> usize {
        self.n_samples.div_ceil(self.rows.per_part)
    }
}

/// The inputs of batches of up to `max_batch` samples, without any row yet.
fn input_parts<F: Real>(mlp: &Mlp<F>, max_batch: usize, rows: Rows, keep: Keep) -> Vec<InputPart<F>> {
    let (n_inputs, n_units) = mlp.layers[0].weights.dim();
    let width = panel_width::<F>(n_units);
    // With one tile, lists of columns would be read only once, and with one row never.
    let is_small = n_units <= width || max_batch == 1;
    let from_rows = is_small && keep == Keep::LastRow;
    let transposed = if from_rows { Transposed::FromRows } else { Transposed::FromColumns };
    let n_parts = max_batch.div_ceil(rows.per_part);
    (0..n_parts).map(|_| InputPart::new(n_inputs, rows.per_part, width, transposed, keep)).collect()
}
