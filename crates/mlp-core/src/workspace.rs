//! The fast path of training: the same forward pass and back-propagation as
//! [`backpropagate`](crate::backpropagate), on memory that is allocated once.
//!
//! The units of every layer are cut into *tiles*, each with its weights in one packed panel, and the rows of the batch
//! into *blocks*. A *patch* is what the units of one tile answer to the rows of one block. The inputs of a small block are
//! fetched in two parts, so that more threads have one. In a step the [`Workers`] share out
//!
//! 1. forward, layer by layer: the patches, from the outputs of the layer before;
//! 2. back, layer by layer: the deltas of the patches, from the deltas of the layer behind;
//! 3. the tiles of all layers: each sums its gradient over all blocks and hands it to the [`GradientSink`] while it is in
//!    the cache. So an optimiser moves the weights without the gradient ever being stored. Behind the first layer it also
//!    renews their transpose, with which 2 is the same product as 1; not for small batches, for which that takes longer.
//!
//! In layers with at least as many tiles as there are threads, a thread begins with the same tiles forward and in the update,
//! so that their weights stay in the cache of its core. A workspace for batches of one sample takes 2 and 3 together.
//!
//! What is zero in the inputs (four pixels in five, in pictures of digits) adds nothing to a product and is left out,
//! which changes no bit of the result, but for the sign of a zero, as long as weights and deltas are finite. The weights have
//! to be when they are loaded; a step that makes others reports it.

mod one_by_one;
mod samples;
mod units;

pub use one_by_one::{Descent, OneByOne};

use ndarray::{Array1, Array2, ArrayView2, ArrayViewMut2, Axis, s};

use crate::aligned::Aligned;
use crate::backpropagation::{Gradients, LayerGradient};
use crate::kernel::Kernel;
use crate::kernel::product::panel_width;
use crate::kernel::sparse::Transposed;
use crate::kernel::workers::{Shares, Workers};
use crate::loss::Objective;
use crate::mlp::Mlp;
use crate::real::Real;
use crate::sink::GradientSink;
use one_by_one::Single;
use samples::{Answer, Gather, InputPart, Inputs, Keep, OutputBlock};
use units::{
    Backward, BackwardAndUpdate, Forward, LayerShape, Patch, Patches, Received, STRIP, Tile, TransposeAll, Update,
    distribute,
};

/// Where the samples of a batch come from: each row is asked for once a step, by one of the threads.
pub trait Batch<F>: Sync {
    /// The number of samples.
    fn n_samples(&self) -> usize;
    /// Writes the inputs of the sample in `row`. Where samples lie apart in memory, as in a shuffled epoch, this is the
    /// moment to [`prefetch`](crate::prefetch) one of the next batch.
    fn input(&self, row: usize, into: &mut [F]);
    /// Writes the targets of the sample in `row`.
    fn target(&self, row: usize, into: &mut [F]);
}

/// An output, a delta, a parameter or a sink's state that is infinite or not a number: the run has diverged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NonFinite {
    /// The first layer in which it was found, counted from 0.
    pub layer: usize,
}

/// A network in the layout of the fast path, with the memory for steps on batches of up to a fixed size.
///
/// Hidden outputs of a magnitude below [`Real::NEGLIGIBLE`] are taken as 0, here and on the way back; [`Mlp::forward`] and
/// [`backpropagate`](crate::backpropagate) take them as they are, but for subnormal ones.
///
/// ```
/// use mlp_core::{
///     Activation, Batch, Initializer, KeepGradient, Kernel, Loss, Mlp, Objective, Reduction, Workers, Workspace, backpropagate,
/// };
/// use ndarray::array;
/// use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
///
/// struct TwoSamples;
/// impl Batch<f64> for TwoSamples {
///     fn n_samples(&self) -> usize {
///         2
///     }
///     fn input(&self, row: usize, into: &mut [f64]) {
///         into.copy_from_slice(&[[0.0, 1.0], [1.0, 0.5]][row]);
///     }
///     fn target(&self, row: usize, into: &mut [f64]) {
///         into.copy_from_slice(&[[1.0], [0.0]][row]);
///     }
/// }
///
/// let mut rng = ChaCha8Rng::seed_from_u64(0);
/// let mlp = Mlp::new(&[2, 3, 1], &[Activation::Sigmoid; 2], true, Initializer::LECUN_NORMAL, &mut rng);
/// let objective = Objective { loss: Loss::Squared, reduction: Reduction::Mean };
/// let workers = Workers::new(2);
/// let mut workspace = Workspace::new(&mlp, 2, 1, Kernel::detect(), &workers);
/// workspace.step(&TwoSamples, objective, &KeepGradient, &workers).unwrap();
///
/// let (inputs, targets) = (array![[0.0, 1.0], [1.0, 0.5]], array![[1.0], [0.0]]);
/// let (_, expected) = backpropagate(&mlp, inputs.view(), targets.view(), objective);
/// let found = workspace.slot(0);
/// assert!((&found.layers[0].weights - &expected.layers[0].weights).iter().all(|error| error.abs() < 1e-15));
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
    rows: Cut,
    n_slots: usize,
    max_batch: usize,
    /// The number of samples of the last batch.
    n_samples: usize,
}

/// How the rows of a batch are cut.
#[derive(Clone, Copy, Debug)]
struct Cut {
    /// Of a part, whose inputs one thread fetches.
    of_part: usize,
    parts_of_block: usize,
}

impl Cut {
    fn of_block(self) -> usize {
        self.of_part * self.parts_of_block
    }

    /// The rows of a block that a batch of `n_samples` reaches.
    fn used(self, block: usize, n_samples: usize) -> usize {
        n_samples.saturating_sub(block * self.of_block()).min(self.of_block())
    }
}

/// The largest batch of a workspace from which it is worth while to write weights transposed too, for the way back. It is part
/// of the numerics: sums are taken in another order.
const ROWS_WORTH_TRANSPOSING: usize = 128;

/// The rows of a block that make weights worth loading into the first-level cache.
const ROWS_WORTH_LOADING: usize = 32;

/// The most rows of a block: what is near in a product with them stays in the first-level cache.
const ROWS_MAX: usize = 64;

/// The work for one output, in multiply-adds: exponentials and logarithms in double precision.
const COST_OF_OUTPUT: usize = 200;

/// Multiply-adds that are done sooner by one thread than shared out: a microsecond or two.
const SMALL: usize = 50_000;

/// Multiply-adds that are done so soon that the threads need not help each other out: ten microseconds or so.
const LARGE: usize = 1_000_000;

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
        assert!(max_batch > 0, "a batch has at least one sample");
        /// Those that a product takes together.
        const ROWS: usize = 4;
        let rows_of_thread = max_batch.div_ceil(workers.n_threads()).next_multiple_of(ROWS);
        let of_part = rows_of_thread.clamp(ROWS_WORTH_READING, ROWS_MAX).min(max_batch);
        // Where the largest layer has a tile for every thread, they need not share out rows.
        let heaviest = mlp.layers.iter().map(|layer| layer.weights.dim()).max_by_key(|(rows, columns)| rows * columns);
        let n_tiles = heaviest.map_or(1, |(_, n_units)| n_units.div_ceil(panel_width::<F>(n_units)));
        let n_worth_loading = if n_tiles < workers.n_threads() { 1 } else { ROWS_WORTH_LOADING / of_part };
        let parts_of_block = n_worth_loading.clamp(1, max_batch.div_ceil(of_part));
        let rows = Cut { of_part, parts_of_block };
        Workspace::with_blocks(mlp, max_batch, rows, Keep::LastRow, n_slots, kernel, workers.n_threads())
    }

    fn with_blocks(
        mlp: &Mlp<F>,
        max_batch: usize,
        rows: Cut,
        keep: Keep,
        n_slots: usize,
        kernel: Kernel,
        n_threads: usize,
    ) -> Workspace<F> {
        assert!(n_slots <= 2, "a sink keeps at most 2 values for each parameter, not {n_slots}");
        assert!(kernel.is_supported(), "this processor has no {kernel} instructions");
        mlp.assert_consistent();
        let (block_rows, n_parts) = (rows.of_block(), max_batch.div_ceil(rows.of_part));
        let n_blocks = max_batch.div_ceil(block_rows);
        let (n_inputs, first_width) = (mlp.n_inputs(), panel_width::<F>(mlp.layers[0].weights.ncols()));
        // With one tile, lists of columns would be read only once, and with one row never.
        let is_small = mlp.layers[0].weights.ncols() <= first_width || max_batch == 1;
        let from_rows = is_small && keep == Keep::LastRow;
        let transposed = if from_rows { Transposed::FromRows } else { Transposed::FromColumns };
        let inputs: Vec<_> =
            (0..n_parts).map(|_| InputPart::new(n_inputs, rows.of_part, first_width, transposed, keep)).collect();
        let mut layers = Vec::with_capacity(mlp.layers.len());
        let mut tiles = Vec::new();
        let mut patches = Vec::with_capacity(mlp.layers.len());
        // Others take their steps on single samples, without a strip of the gradient.
        let takes_batches = max_batch > 1 && keep == Keep::LastRow;
        // The columns of all panels of the layer before.
        let mut n_transposed = 0;
        for (index, layer) in mlp.layers.iter().enumerate() {
            let (n_inputs, n_outputs) = layer.weights.dim();
            let (first_tile, mut first_unit) = (tiles.len(), 0);
            let mut patches_of_layer = Vec::new();
            while first_unit < n_outputs {
                let width = panel_width::<F>(n_outputs - first_unit);
                let n_units = width.min(n_outputs - first_unit);
                patches_of_layer.extend((0..n_blocks).map(|block| Patch {
                    tile: tiles.len() - first_tile,
                    block,
                    first_unit,
                    n_units,
                    width,
                    n_rows: 0,
                    outputs: Aligned::zeros(block_rows * width),
                    deltas: Aligned::zeros(block_rows * width),
                    is_broken: false,
                    single: Single::new(0, 0),
                }));
                let strip = match index {
                    _ if !takes_batches => 0,
                    0 => inputs[0].sparse.columns_together(STRIP / width) * width,
                    _ => STRIP,
                };
                tiles.push(Tile::new(index, first_unit, width, n_inputs, n_transposed, n_slots, strip));
                first_unit += n_units;
            }
            if takes_batches && max_batch >= ROWS_WORTH_TRANSPOSING {
                n_transposed = tiles.last().map_or(0, |tile| tile.first_unit + tile.width);
            }
            let n_tiles = tiles.len() - first_tile;
            let (activation, has_bias) = (layer.activation, layer.bias.is_some());
            layers.push(LayerShape { n_inputs, n_outputs, activation, has_bias, first_tile, n_tiles });
            patches.push(patches_of_layer);
        }
        let outputs = (0..n_blocks).map(|_| OutputBlock::new(mlp.n_outputs(), block_rows)).collect();
        let shares = tiles_of_threads(&layers, n_threads);
        let mut workspace = Workspace {
            kernel,
            layers,
            tiles,
            shares,
            patches,
            inputs,
            outputs,
            rows,
            n_slots,
            max_batch,
            n_samples: 0,
        };
        workspace.load(mlp);
        workspace
    }

    /// One step on a batch: forward, back-propagation, and every parameter with its derivative of the mean loss handed to
    /// `sink`. Returns the sum of the samples' losses before the step.
    ///
    /// # Errors
    /// Where an output, or after the step a parameter or its state, is infinite or not a number; the parameters are then of
    /// no use until others are loaded.
    ///
    /// # Panics
    /// Where the batch is empty or larger than the workspace, the sink needs more slots than there are, or the loss does
    /// not fit the output activation. Where the batch or the sink panics, the parameters are of no use until others are
    /// loaded.
    pub fn step<S: GradientSink<F>>(
        &mut self,
        batch: &impl Batch<F>,
        objective: Objective,
        sink: &S,
        workers: &Workers,
    ) -> Result<f64, NonFinite> {
        assert!(S::N_SLOTS <= self.n_slots, "the sink keeps {} values, the workspace {}", S::N_SLOTS, self.n_slots);
        let output = self.output_layer().activation;
        assert!(objective.loss.fits(output), "{} loss behind a {output} output", objective.loss);
        self.answer(batch, Some(objective), workers);
        if self.max_batch == 1 {
            self.backpropagate_one(sink, workers);
        } else {
            self.backpropagate(workers);
            self.update(sink, workers);
        }
        let n_blocks = self.n_blocks_used();
        let blocks = self.outputs[..n_blocks].iter().enumerate();
        let losses = blocks.flat_map(|(index, block)| &block.losses[..self.rows.used(index, self.n_samples)]);
        let loss: f64 = losses.sum();
        match self.first_broken_layer(loss) {
            Some(layer) => Err(NonFinite { layer }),
            None => Ok(loss),
        }
    }

    /// The forward pass alone; [`Workspace::outputs`] then has the result. The batch's targets are not asked for, and
    /// outputs that are not finite are not reported.
    ///
    /// # Panics
    /// Where the batch is empty or larger than the workspace.
    pub fn forward(&mut self, batch: &impl Batch<F>, workers: &Workers) {
        self.answer(batch, None, workers);
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
        let block_rows = self.rows.of_block();
        &matrix(&self.outputs[row / block_rows])[row % block_rows * n_outputs..][..n_outputs]
    }

    fn output_layer(&self) -> &LayerShape {
        &self.layers[self.layers.len() - 1]
    }

    fn n_blocks_used(&self) -> usize {
        self.n_samples.div_ceil(self.rows.of_block())
    }

    fn n_parts_used(&self) -> usize {
        self.n_samples.div_ceil(self.rows.of_part)
    }

    /// Where a step broke: in the first layer with an output that is not finite, because it spoils every gradient;
    /// otherwise in the first with such a weight.
    fn first_broken_layer(&self, loss: f64) -> Option<usize> {
        let n_blocks = self.n_blocks_used();
        let patches = |patches: &Vec<Patch<F>>| patches.iter().any(|patch| patch.block < n_blocks && patch.is_broken);
        let outputs = || self.outputs[..n_blocks].iter().any(|block| block.is_broken);
        let last = self.layers.len() - 1;
        (self.patches.iter().position(patches))
            .or_else(|| outputs().then_some(last))
            .or_else(|| self.tiles.iter().find(|tile| tile.is_broken).map(|tile| tile.layer))
            .or_else(|| (!loss.is_finite()).then_some(last))
    }

    /// Fetches the inputs of a batch, of which also a gradient will be asked or not.
    fn gather<B: Batch<F>>(&mut self, batch: &B, for_gradient: bool, workers: &Workers) {
        let n_samples = batch.n_samples();
        assert!(n_samples > 0, "a batch has at least one sample");
        assert!(n_samples <= self.max_batch, "a batch of {n_samples} in a workspace for {}", self.max_batch);
        // Left alone where nothing changes: other threads have read it.
        if n_samples != self.n_samples {
            self.n_samples = n_samples;
            let rows = self.rows.of_part;
            for (index, part) in self.inputs.iter_mut().enumerate() {
                part.first_row = index * rows;
                part.n_rows = n_samples.saturating_sub(part.first_row).min(rows);
            }
            for patch in self.patches.iter_mut().flatten() {
                patch.n_rows = self.rows.used(patch.block, n_samples);
            }
        }
        let (kernel, n_used) = (self.kernel, self.n_parts_used());
        let work = if n_samples < workers.n_threads() * ROWS_WORTH_READING { 0 } else { usize::MAX };
        let parts = &mut self.inputs[..n_used];
        each(workers, work, parts, |part| F::dispatch(kernel, Gather { part, batch, for_gradient }));
    }

    /// The forward pass; with an objective also the losses and the deltas of the outputs.
    fn answer<B: Batch<F>>(&mut self, batch: &B, objective: Option<Objective>, workers: &Workers) {
        self.gather(batch, objective.is_some(), workers);
        let (n_used, n_parts_used) = (self.n_blocks_used(), self.n_parts_used());
        let Workspace { kernel, layers, tiles, patches, inputs, outputs, rows, n_samples, .. } = self;
        let (kernel, n_samples, rows, n_blocks) = (*kernel, *n_samples, *rows, outputs.len());
        let inputs = Inputs { parts: &inputs[..n_parts_used], parts_of_block: rows.parts_of_block };
        let last = layers.len() - 1;
        for (index, shape) in layers.iter().enumerate() {
            let (before, patches) = patches.split_at_mut(index);
            let received = match before.last() {
                None => Received::Inputs(inputs),
                Some(patches) => Received::Outputs(Patches { patches, n_blocks }),
            };
            let tiles = &tiles[shape.tiles()];
            let activation = (index < last).then_some(shape.activation);
            let work = work_to_share(shape, n_samples, shape.n_tiles, workers);
            each(workers, work, &mut patches[0], |patch| {
                let tile = &tiles[patch.tile];
                if patch.n_rows > 0 {
                    F::dispatch(kernel, Forward { patch, tile, received, activation });
                }
            });
        }

        let shape = &layers[last];
        let patches = &mut patches[last];
        let objective = objective.map(|objective| (objective, 1.0 / n_samples as f64));
        let of_layer = Patches { patches, n_blocks };
        let work = n_samples * shape.n_outputs * COST_OF_OUTPUT;
        each_with_index(workers, work, &mut outputs[..n_used], |index, block| {
            let (first_row, rows) = (index * rows.of_block(), 0..rows.used(index, n_samples));
            F::dispatch(kernel, Answer { block, index, first_row, rows, shape, patches: of_layer, batch, objective });
        });
        if objective.is_some() {
            for patch in patches.iter_mut().filter(|patch| patch.block < n_used) {
                distribute(patch, shape.n_outputs, &outputs[patch.block]);
            }
        }
    }

    /// δˡ for every layer but the last, from the last but one to the first.
    fn backpropagate(&mut self, workers: &Workers) {
        let Workspace { kernel, layers, tiles, patches, outputs, n_samples, .. } = self;
        let (kernel, n_blocks) = (*kernel, outputs.len());
        for index in (1..layers.len()).rev() {
            let (shape, activation) = (&layers[index], layers[index - 1].activation);
            let (before, after) = patches.split_at_mut(index);
            let after = Patches { patches: &after[0], n_blocks };
            let tiles = &tiles[shape.tiles()];
            let work = work_to_share(shape, *n_samples, layers[index - 1].n_tiles, workers);
            each(workers, work, &mut before[index - 1], |patch| {
                if patch.n_rows > 0 {
                    F::dispatch(kernel, Backward { patch, activation, after, tiles });
                }
            });
        }
    }

    /// The gradient of every tile, handed to the sink.
    fn update<S: GradientSink<F>>(&mut self, sink: &S, workers: &Workers) {
        let (n_used, n_parts_used) = (self.n_blocks_used(), self.n_parts_used());
        let Workspace { kernel, layers, tiles, shares, patches, inputs, outputs, rows, n_samples, .. } = self;
        let (kernel, n_blocks) = (*kernel, outputs.len());
        let (layers, patches) = (&*layers, &*patches);
        let inputs = Inputs { parts: &inputs[..n_parts_used], parts_of_block: rows.parts_of_block };
        // The largest tile is waited for in any case.
        let (work, largest) = layers.iter().fold((0, 0), |(work, largest), shape| {
            let cost = cost(shape, *n_samples);
            (work + cost, largest.max(cost / shape.n_tiles))
        });
        let work = work - largest;
        if shares.n_members() != workers.n_threads() {
            *shares = tiles_of_threads(layers, workers.n_threads());
        }
        let update = |tile: &mut Tile<F>| {
            let shape = &layers[tile.layer];
            let of_layer = |layer: usize| Patches { patches: &patches[layer], n_blocks };
            let number = tile.number(shape);
            let received = match tile.layer {
                0 => Received::Inputs(inputs),
                layer => Received::Outputs(of_layer(layer - 1)),
            };
            let patches = &of_layer(tile.layer).of_tile(number)[..n_used];
            F::dispatch(kernel, Update { tile, shape, patches, received, sink });
        };
        match work {
            ..SMALL => tiles.iter_mut().for_each(update),
            SMALL.. => workers.for_each_of(shares, work >= LARGE, tiles, |_, tile| update(tile)),
        }
    }

    /// Back-propagation and update in one go through the weights, for a batch of one sample.
    fn backpropagate_one<S: GradientSink<F>>(&mut self, sink: &S, workers: &Workers) {
        let Workspace { kernel, layers, tiles, patches, inputs, outputs, .. } = self;
        let (kernel, patches, output) = (*kernel, &*patches, &outputs[0]);
        let inputs = Inputs { parts: &*inputs, parts_of_block: 1 };
        for (index, shape) in layers.iter().enumerate().rev() {
            let (tiles, behind) = tiles.split_at_mut(shape.tiles().end);
            let after = layers.get(index + 1).map_or(&[][..], |after| &behind[..after.n_tiles]);
            let received = match index {
                0 => Received::Inputs(inputs),
                _ => Received::Outputs(Patches { patches: &patches[index - 1], n_blocks: 1 }),
            };
            each(workers, cost(shape, 1), &mut tiles[shape.first_tile..], |tile| {
                let patch = &patches[index][tile.number(shape)];
                F::dispatch(kernel, BackwardAndUpdate { tile, shape, patch, after, output, received, sink });
            });
        }
    }

    /// Takes over the weights and biases of `mlp`; the state slots stay. The weights have to be finite: where an input is
    /// zero, its weights are not looked at.
    ///
    /// # Panics
    /// Where its shape or an activation is not that of the network that the workspace was made for.
    pub fn load(&mut self, mlp: &Mlp<F>) {
        self.assert_network(mlp);
        // Behind the last unit of a layer an overflow may have left what is not a number.
        for patch in self.patches.iter_mut().flatten() {
            patch.deltas.fill(F::zero());
        }
        for tile in &mut self.tiles {
            tile.clear();
            let layer = &mlp.layers[tile.layer];
            let (columns, width) = (columns(tile, layer.weights.ncols()), tile.width);
            fill(&mut tile.weights, columns.clone(), width, layer.weights.view());
            if let Some(bias) = &layer.bias {
                fill(&mut tile.bias, columns, width, bias.view().insert_axis(Axis(0)));
            }
            if let Some(before) = tile.layer.checked_sub(1) {
                let before = Patches { patches: &self.patches[before], n_blocks: self.outputs.len() };
                F::dispatch(self.kernel, TransposeAll { tile, before });
            }
        }
    }

    /// Writes the weights and biases into `mlp`.
    ///
    /// # Panics
    /// Where its shape or an activation is not that of the network that the workspace was made for.
    pub fn store(&self, mlp: &mut Mlp<F>) {
        self.assert_network(mlp);
        let values = self.unpack(|tile| (&tile.weights, &tile.bias));
        for (layer, values) in mlp.layers.iter_mut().zip(values.layers) {
            layer.weights = values.weights;
            layer.bias = values.bias;
        }
    }

    /// The state that sinks keep in slot `slot`, shaped as the network.
    ///
    /// # Panics
    /// Where there is no such slot.
    pub fn slot(&self, slot: usize) -> Gradients<F> {
        assert!(slot < self.n_slots, "slot {slot} of {}", self.n_slots);
        self.unpack(|tile| (&tile.weights_state[slot], &tile.bias_state[slot]))
    }

    /// Replaces the state in slot `slot`.
    ///
    /// # Panics
    /// Where there is no such slot, or the shape is not the network's.
    pub fn set_slot(&mut self, slot: usize, state: &Gradients<F>) {
        assert!(slot < self.n_slots, "slot {slot} of {}", self.n_slots);
        let (layers, has_bias): (Vec<_>, Vec<_>) =
            state.layers.iter().map(|layer| (layer.weights.dim(), layer.bias.is_some())).unzip();
        self.assert_shape(&layers, &has_bias);
        for tile in &mut self.tiles {
            let layer = &state.layers[tile.layer];
            let (columns, width) = (columns(tile, layer.weights.ncols()), tile.width);
            fill(&mut tile.weights_state[slot], columns.clone(), width, layer.weights.view());
            if let Some(bias) = &layer.bias {
                fill(&mut tile.bias_state[slot], columns, width, bias.view().insert_axis(Axis(0)));
            }
        }
    }

    fn assert_network(&self, mlp: &Mlp<F>) {
        mlp.assert_consistent();
        let (shapes, has_bias): (Vec<_>, Vec<_>) =
            mlp.layers.iter().map(|layer| (layer.weights.dim(), layer.bias.is_some())).unzip();
        self.assert_shape(&shapes, &has_bias);
        for (shape, layer) in self.layers.iter().zip(&mlp.layers) {
            assert_eq!(
                shape.activation, layer.activation,
                "activations of the workspace's network, and of the one given"
            );
        }
    }

    fn assert_shape(&self, layers: &[(usize, usize)], has_bias: &[bool]) {
        let own: Vec<_> = self.layers.iter().map(|shape| (shape.n_inputs, shape.n_outputs)).collect();
        assert_eq!(own, layers, "shapes of the workspace's layers, and of those given");
        let own: Vec<_> = self.layers.iter().map(|shape| shape.has_bias).collect();
        assert_eq!(own, has_bias, "biases of the workspace's layers, and of those given");
    }

    /// Tensors in the network's shape from the tiles.
    fn unpack<'a>(&'a self, parts: impl Fn(&'a Tile<F>) -> (&'a Aligned<F>, &'a Aligned<F>)) -> Gradients<F> {
        let layers = self.layers.iter().map(|shape| {
            let mut weights = Array2::zeros((shape.n_inputs, shape.n_outputs));
            let mut bias = Array1::zeros(shape.n_outputs);
            for tile in &self.tiles[shape.tiles()] {
                let (packed_weights, packed_bias) = parts(tile);
                take(packed_weights, tile, weights.view_mut());
                take(packed_bias, tile, bias.view_mut().insert_axis(Axis(0)));
            }
            LayerGradient { weights, bias: shape.has_bias.then_some(bias) }
        });
        Gradients { layers: layers.collect() }
    }
}

/// The rows for each thread that are worth reading weights that another thread writes.
const ROWS_WORTH_READING: usize = 16;

/// What a layer's product costs, in multiply-adds: reading a weight costs as much as some rows.
fn cost(shape: &LayerShape, n_samples: usize) -> usize {
    const ROWS_PER_READING: usize = 3;
    (n_samples + ROWS_PER_READING) * shape.n_inputs * shape.n_outputs
}

/// The cost of a layer's product, or 0 where it had better not be shared out: where there are fewer tiles than
/// threads, and few rows, the weights would travel between the cores in every step.
fn work_to_share(shape: &LayerShape, n_samples: usize, n_tiles: usize, workers: &Workers) -> usize {
    let n_threads = workers.n_threads();
    let is_worth_it = n_tiles >= n_threads || n_samples >= n_threads * ROWS_WORTH_READING;
    if is_worth_it { cost(shape, n_samples) } else { 0 }
}

/// Who updates which tile: of a layer with as many as there are threads or more, each thread those that it goes forward
/// through; tiles of the others fall to who has least to do.
fn tiles_of_threads(layers: &[LayerShape], n_threads: usize) -> Shares {
    let mut members = vec![Vec::new(); n_threads];
    let mut costs = vec![0; n_threads];
    for shape in layers {
        for (number, tile) in shape.tiles().enumerate() {
            let member = if shape.n_tiles < n_threads {
                (0..n_threads).min_by_key(|&member| costs[member]).unwrap_or(0)
            } else {
                // Of the stretches that begin at n_tiles · member / n_threads.
                ((number + 1) * n_threads - 1) / shape.n_tiles
            };
            members[member].push(tile);
            costs[member] += shape.n_inputs * shape.n_outputs / shape.n_tiles;
        }
    }
    Shares::new(&members)
}

/// Calls `work` for each item: shared out among the workers where there are enough multiply-adds to do.
fn each<T: Send>(workers: &Workers, multiply_adds: usize, items: &mut [T], work: impl Fn(&mut T) + Sync) {
    each_with_index(workers, multiply_adds, items, |_, item| work(item));
}

fn each_with_index<T: Send>(
    workers: &Workers,
    multiply_adds: usize,
    items: &mut [T],
    work: impl Fn(usize, &mut T) + Sync,
) {
    match multiply_adds {
        ..SMALL => items.iter_mut().enumerate().for_each(|(index, item)| work(index, item)),
        SMALL.. => workers.for_each_in_stretches(multiply_adds >= LARGE, items, work),
    }
}

/// The columns of a matrix that belong to the units of a tile.
fn columns<F>(tile: &Tile<F>, n_columns: usize) -> std::ops::Range<usize> {
    tile.first_unit..n_columns.min(tile.first_unit + tile.width)
}

/// Copies a tile's columns of a matrix into a panel.
fn fill<F: Real>(panel: &mut [F], columns: std::ops::Range<usize>, width: usize, matrix: ArrayView2<'_, F>) {
    for (packed, row) in panel.chunks_exact_mut(width).zip(matrix.rows()) {
        packed.iter_mut().zip(row.slice(s![columns.clone()])).for_each(|(packed, &value)| *packed = value);
    }
}

/// Copies a panel into a tile's columns of a matrix.
fn take<F: Real>(panel: &[F], tile: &Tile<F>, mut matrix: ArrayViewMut2<'_, F>) {
    let columns = columns(tile, matrix.ncols());
    for (packed, mut row) in panel.chunks_exact(tile.width).zip(matrix.rows_mut()) {
        row.slice_mut(s![columns.clone()]).iter_mut().zip(packed).for_each(|(value, &packed)| *value = packed);
    }
}
