//! The fast path of training: the same forward pass and back-propagation as
//! [`backpropagate`](crate::backpropagate), on memory that is allocated once.
//!
//! A step has two phases, each shared out among the [`Workers`]:
//!
//! 1. The rows of the batch are cut into *blocks*. A block goes forward through all layers and its deltas back through
//!    all of them, reading the weights of every layer and nothing of the other blocks.
//! 2. The weights are cut into *tiles*, one panel of columns of one layer each. A tile sums its gradient over all blocks
//!    and hands it to the [`GradientSink`], piece by piece, while it is in the cache. So an optimiser moves the weights
//!    without the gradient ever being stored.
//!
//! What is zero in the inputs (four pixels in five, in pictures of digits) adds nothing to a product and is left out,
//! which changes no bit of the result as long as the weights are finite; a step that finds others reports it.

use crate::Activation;
use ndarray::{Array1, Array2, ArrayView2, Axis, s};

use crate::activation::flush;
use crate::aligned::Aligned;
use crate::backpropagation::{Gradients, LayerGradient};
use crate::kernel::product::{
    PANEL_WIDTH_MAX, ROWS, Rows, Scalars, TermList, Terms, add_panel_product, panel_width, transposed_product,
};
use crate::kernel::simd::{Simd, Task};
use crate::kernel::{Kernel, workers::Workers};
use crate::loss::Objective;
use crate::mlp::Mlp;
use crate::real::Real;

/// Where the samples of a batch come from: each row is asked for once a step, by the thread that will use it.
pub trait Batch<F>: Sync {
    /// The number of samples.
    fn n_samples(&self) -> usize;
    /// Writes the inputs of the sample in `row`.
    fn input(&self, row: usize, into: &mut [F]);
    /// Writes the targets of the sample in `row`.
    fn target(&self, row: usize, into: &mut [F]);
}

/// What becomes of a gradient: it is kept, or an optimiser applies it at once.
///
/// Every parameter is handed over at most once a step. Mark the methods `#[inline(always)]` and write plain loops: they are
/// compiled for the instructions of the [`Kernel`] together with the product before them.
pub trait GradientSink<F: Real>: Sync {
    /// Values of state that the sink keeps for each parameter: 0, 1 (a velocity) or 2 (two moments).
    const N_SLOTS: usize;
    /// Whether parameters with a gradient of 0 stay as they are. Then pieces that are known to have no other are not
    /// handed over: with one picture a batch, most of the first layer.
    fn ignores_zero_gradients(&self) -> bool {
        false
    }
    /// A piece of the weights.
    fn weights(&self, piece: Piece<'_, F>);
    /// A piece of the biases.
    fn biases(&self, piece: Piece<'_, F>);
}

/// Some parameters of one layer with their gradient, all slices of one length.
///
/// Behind the last column of a layer stand parameters that belong to no unit: they, their gradient and their state are
/// 0, and have to remain so.
#[derive(Debug)]
pub struct Piece<'a, F> {
    /// The parameters, to be changed in place.
    pub parameters: &'a mut [F],
    /// The derivative of the batch's mean loss by each of them.
    pub gradient: &'a [F],
    /// The sink's state for each of them; slots behind `N_SLOTS` are empty.
    pub state: [&'a mut [F]; 2],
}

/// The sink that keeps the gradient, in slot 0 of the workspace, and leaves the parameters alone.
#[derive(Clone, Copy, Debug)]
pub struct KeepGradient;

impl<F: Real> GradientSink<F> for KeepGradient {
    const N_SLOTS: usize = 1;

    #[inline(always)]
    fn weights(&self, piece: Piece<'_, F>) {
        let [kept, _] = piece.state;
        kept.copy_from_slice(piece.gradient);
    }

    #[inline(always)]
    fn biases(&self, piece: Piece<'_, F>) {
        GradientSink::<F>::weights(self, piece);
    }
}

/// A parameter or an output that is infinite or not a number: the run has diverged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NonFinite {
    /// The first layer in which it was found, counted from 0.
    pub layer: usize,
}

/// A network in the layout of the fast path, with the memory for steps on batches of up to a fixed size.
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
    tiles: Vec<Tile<F>>,
    blocks: Vec<Block<F>>,
    block_rows: usize,
    n_slots: usize,
    max_batch: usize,
    /// The number of samples of the last batch.
    n_samples: usize,
}

/// What is fixed about a layer.
#[derive(Clone, Copy, Debug)]
struct LayerShape {
    n_inputs: usize,
    n_outputs: usize,
    /// `n_outputs` up to a whole panel.
    stride: usize,
    activation: Activation,
    has_bias: bool,
    /// Its tiles are `first_tile..first_tile + n_tiles`.
    first_tile: usize,
    n_tiles: usize,
}

/// One panel of columns of one layer.
#[derive(Debug)]
struct Tile<F> {
    layer: usize,
    first_column: usize,
    /// One row of panel width for each input.
    weights: Aligned<F>,
    /// One row of panel width; zeros where the layer has no biases.
    bias: Aligned<F>,
    weights_state: [Aligned<F>; 2],
    bias_state: [Aligned<F>; 2],
    /// Whether the last step left something infinite or not a number here.
    is_broken: bool,
}

/// Some rows of the batch on their way through the network.
#[derive(Debug)]
struct Block<F> {
    first_row: usize,
    n_rows: usize,
    inputs: Aligned<F>,
    input_stride: usize,
    /// For every [`ROWS`] rows: the inputs that are not zero in all of them.
    inputs_used: Vec<TermList>,
    /// For every [`ROWS`] inputs: the rows in which not all of them are zero.
    rows_used: Vec<TermList>,
    /// One matrix a layer.
    activations: Vec<Aligned<F>>,
    /// One matrix a layer.
    deltas: Vec<Aligned<F>>,
    /// z of the output layer.
    net_inputs: Aligned<F>,
    targets: Aligned<F>,
    losses: Vec<f64>,
    /// The first layer with an output that is infinite or not a number.
    broken_layer: Option<usize>,
}

/// The most rows of a block. A block reads all weights, so larger blocks read them less often; smaller ones spread over
/// more threads.
const MAX_BLOCK_ROWS: usize = 32;

impl<F: Real> Workspace<F> {
    /// A workspace that holds the weights of `mlp`, for batches of up to `max_batch` samples and sinks with up to
    /// `n_slots` (0 to 2) values of state.
    ///
    /// # Panics
    /// Where `max_batch` is 0, `n_slots` is above 2, or the processor does not support `kernel`.
    pub fn new(mlp: &Mlp<F>, max_batch: usize, n_slots: usize, kernel: Kernel, workers: &Workers) -> Workspace<F> {
        assert!(max_batch > 0, "a batch has at least one sample");
        assert!(n_slots <= 2, "a sink keeps at most 2 values for each parameter, not {n_slots}");
        assert!(kernel.is_supported(), "this processor has no {kernel} instructions");
        mlp.assert_consistent();
        let width = panel_width::<F>();
        let mut layers = Vec::with_capacity(mlp.layers.len());
        let mut tiles = Vec::new();
        for (index, layer) in mlp.layers.iter().enumerate() {
            let (n_inputs, n_outputs) = layer.weights.dim();
            let stride = n_outputs.next_multiple_of(width);
            let n_tiles = stride / width;
            layers.push(LayerShape {
                n_inputs,
                n_outputs,
                stride,
                activation: layer.activation,
                has_bias: layer.bias.is_some(),
                first_tile: tiles.len(),
                n_tiles,
            });
            tiles.extend((0..n_tiles).map(|tile| Tile::new(index, tile * width, n_inputs, n_slots)));
        }
        let block_rows = max_batch.div_ceil(workers.n_threads()).next_multiple_of(ROWS).min(MAX_BLOCK_ROWS);
        let blocks = (0..max_batch.div_ceil(block_rows)).map(|_| Block::new(&layers, block_rows)).collect();
        let mut workspace = Workspace { kernel, layers, tiles, blocks, block_rows, n_slots, max_batch, n_samples: 0 };
        workspace.load(mlp);
        workspace
    }

    /// One step on a batch: forward, back-propagation, and every piece of the gradient of its mean loss handed to
    /// `sink`. Returns the sum of the samples' losses before the step.
    ///
    /// # Errors
    /// Where an output, or a parameter after the step, is infinite or not a number; the parameters are then of no use.
    ///
    /// # Panics
    /// Where the batch is empty or larger than the workspace, the sink needs more slots than there are, or the loss does
    /// not fit the output activation.
    pub fn step<S: GradientSink<F>>(
        &mut self,
        batch: &impl Batch<F>,
        objective: Objective,
        sink: &S,
        workers: &Workers,
    ) -> Result<f64, NonFinite> {
        assert!(S::N_SLOTS <= self.n_slots, "the sink keeps {} values, the workspace {}", S::N_SLOTS, self.n_slots);
        let output = self.layers[self.layers.len() - 1].activation;
        assert!(objective.loss.fits(output), "{} loss behind a {output} output", objective.loss);
        let (kernel, layers) = (self.kernel, &self.layers);
        self.n_samples = batch.n_samples();

        let scale = 1.0 / batch.n_samples() as f64;
        let (blocks, tiles) = (used_blocks(&mut self.blocks, self.block_rows, self.max_batch, batch), &self.tiles);
        workers.for_each(blocks, |_, block| {
            F::dispatch(kernel, ForwardAndBack { block, layers, tiles, batch, objective, scale });
        });
        let loss: f64 = blocks.iter().flat_map(|block| &block.losses[..block.n_rows]).sum();

        let blocks = &*blocks;
        workers.for_each(&mut self.tiles, |_, tile| F::dispatch(kernel, Update { tile, layers, blocks, sink }));
        // An output that is not finite spoils every gradient, so it tells more than the weights do.
        let broken_output = blocks.iter().filter_map(|block| block.broken_layer).min();
        let broken_weights = || self.tiles.iter().find(|tile| tile.is_broken).map(|tile| tile.layer);
        let broken_loss = || (!loss.is_finite()).then(|| layers.len() - 1);
        match broken_output.or_else(broken_weights).or_else(broken_loss) {
            Some(layer) => Err(NonFinite { layer }),
            None => Ok(loss),
        }
    }

    /// The forward pass alone; [`Workspace::outputs`] then has the result. The batch's targets are not asked for.
    ///
    /// # Panics
    /// Where the batch is empty or larger than the workspace.
    pub fn forward(&mut self, batch: &impl Batch<F>, workers: &Workers) {
        self.n_samples = batch.n_samples();
        let (kernel, layers, tiles) = (self.kernel, &self.layers, &self.tiles);
        let blocks = used_blocks(&mut self.blocks, self.block_rows, self.max_batch, batch);
        workers.for_each(blocks, |_, block| F::dispatch(kernel, Forward { block, layers, tiles, batch }));
    }

    /// The outputs of the sample in `row` of the last batch, length `n_outputs`.
    ///
    /// # Panics
    /// Where `row` is not one of that batch.
    pub fn outputs(&self, row: usize) -> &[F] {
        assert!(row < self.n_samples, "row {row} of a batch of {}", self.n_samples);
        let shape = self.layers[self.layers.len() - 1];
        let block = &self.blocks[row / self.block_rows];
        &block.activations[self.layers.len() - 1][row % self.block_rows * shape.stride..][..shape.n_outputs]
    }

    /// The net inputs of the output layer for the sample in `row` of the last batch, length `n_outputs`.
    ///
    /// # Panics
    /// Where `row` is not one of that batch.
    pub fn net_inputs(&self, row: usize) -> &[F] {
        assert!(row < self.n_samples, "row {row} of a batch of {}", self.n_samples);
        let shape = self.layers[self.layers.len() - 1];
        &self.blocks[row / self.block_rows].net_inputs[row % self.block_rows * shape.stride..][..shape.n_outputs]
    }

    /// Takes over the weights and biases of `mlp`; the state slots stay.
    ///
    /// # Panics
    /// Where its shape or an activation is not that of the network that the workspace was made for.
    pub fn load(&mut self, mlp: &Mlp<F>) {
        self.assert_network(mlp);
        for tile in &mut self.tiles {
            let layer = &mlp.layers[tile.layer];
            fill(&mut tile.weights, tile.first_column, layer.weights.view());
            if let Some(bias) = &layer.bias {
                fill(&mut tile.bias, tile.first_column, bias.view().insert_axis(Axis(0)));
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
            fill(&mut tile.weights_state[slot], tile.first_column, layer.weights.view());
            if let Some(bias) = &layer.bias {
                fill(&mut tile.bias_state[slot], tile.first_column, bias.view().insert_axis(Axis(0)));
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
        let width = panel_width::<F>();
        let layers = self.layers.iter().map(|shape| {
            let tiles = &self.tiles[shape.first_tile..shape.first_tile + shape.n_tiles];
            let weights = Array2::from_shape_fn((shape.n_inputs, shape.n_outputs), |(input, unit)| {
                parts(&tiles[unit / width]).0[input * width + unit % width]
            });
            let bias = shape
                .has_bias
                .then(|| Array1::from_shape_fn(shape.n_outputs, |unit| parts(&tiles[unit / width]).1[unit % width]));
            LayerGradient { weights, bias }
        });
        Gradients { layers: layers.collect() }
    }
}

/// Copies into a panel its columns of a matrix.
fn fill<F: Real>(panel: &mut [F], first_column: usize, matrix: ArrayView2<'_, F>) {
    let width = panel_width::<F>();
    let columns = first_column..matrix.ncols().min(first_column + width);
    for (packed, row) in panel.chunks_exact_mut(width).zip(matrix.rows()) {
        for (packed, &value) in packed.iter_mut().zip(row.slice(s![columns.clone()])) {
            *packed = value;
        }
    }
}

/// The blocks that a batch fills, told how many rows each has.
fn used_blocks<'a, F: Real>(
    blocks: &'a mut [Block<F>],
    block_rows: usize,
    max_batch: usize,
    batch: &impl Batch<F>,
) -> &'a mut [Block<F>] {
    let n_samples = batch.n_samples();
    assert!(n_samples > 0, "a batch has at least one sample");
    assert!(n_samples <= max_batch, "a batch of {n_samples} in a workspace for {max_batch}");
    let blocks = &mut blocks[..n_samples.div_ceil(block_rows)];
    for (index, block) in blocks.iter_mut().enumerate() {
        block.first_row = index * block_rows;
        block.n_rows = block_rows.min(n_samples - block.first_row);
    }
    blocks
}

impl<F: Real> Tile<F> {
    fn new(layer: usize, first_column: usize, n_inputs: usize, n_slots: usize) -> Tile<F> {
        let width = panel_width::<F>();
        let state = |len: usize| [0, 1].map(|slot| Aligned::zeros(if slot < n_slots { len } else { 0 }));
        Tile {
            layer,
            first_column,
            weights: Aligned::zeros(n_inputs * width),
            bias: Aligned::zeros(width),
            weights_state: state(n_inputs * width),
            bias_state: state(width),
            is_broken: false,
        }
    }
}

impl<F: Real> Block<F> {
    fn new(layers: &[LayerShape], n_rows: usize) -> Block<F> {
        let n_inputs = layers[0].n_inputs;
        // One cache line more than needed: rows a multiple of 2 KiB apart would compete for the same lines of the cache.
        let input_stride = n_inputs.next_multiple_of(F::LANES) + F::LANES;
        let matrices = || layers.iter().map(|shape| Aligned::zeros(n_rows * shape.stride)).collect();
        let output_stride = layers[layers.len() - 1].stride;
        Block {
            first_row: 0,
            n_rows,
            inputs: Aligned::zeros(n_rows * input_stride),
            input_stride,
            inputs_used: (0..n_rows.div_ceil(ROWS)).map(|_| TermList::with_capacity(n_inputs)).collect(),
            rows_used: (0..n_inputs.div_ceil(ROWS)).map(|_| TermList::with_capacity(n_rows)).collect(),
            activations: matrices(),
            deltas: matrices(),
            net_inputs: Aligned::zeros(n_rows * output_stride),
            targets: Aligned::zeros(n_rows * output_stride),
            losses: vec![0.0; n_rows],
            broken_layer: None,
        }
    }

    /// The matrix that layer `layer` receives, with the distance of its rows.
    #[inline(always)]
    fn received(&self, layer: usize, layers: &[LayerShape]) -> (&[F], usize) {
        match layer {
            0 => (&self.inputs, self.input_stride),
            _ => (&self.activations[layer - 1], layers[layer - 1].stride),
        }
    }

    /// Fetches the inputs and notes where they are zero.
    #[inline(always)]
    fn gather(&mut self, n_inputs: usize, batch: &impl Batch<F>) {
        for row in 0..self.n_rows {
            batch.input(self.first_row + row, &mut self.inputs[row * self.input_stride..][..n_inputs]);
        }
        self.rows_used.iter_mut().for_each(TermList::clear);
        for row in 0..self.n_rows {
            let inputs = &self.inputs[row * self.input_stride..][..n_inputs];
            for (inputs, used) in inputs.chunks(ROWS).zip(&mut self.rows_used) {
                if inputs.iter().fold(false, |any, &x| any | (x != F::zero())) {
                    used.push(row);
                }
            }
        }
        for (group, used) in self.inputs_used.iter_mut().enumerate().take(self.n_rows.div_ceil(ROWS)) {
            used.clear();
            let rows = group * ROWS..self.n_rows.min((group + 1) * ROWS);
            for input in 0..n_inputs {
                if rows
                    .clone()
                    .fold(false, |any, row| any | (self.inputs[row * self.input_stride + input] != F::zero()))
                {
                    used.push(input);
                }
            }
        }
    }

    /// aˡ = f(aˡ⁻¹ Wˡ + bˡ), layer by layer.
    #[inline(always)]
    fn forward<S: Simd<F>>(&mut self, simd: S, layers: &[LayerShape], tiles: &[Tile<F>]) {
        self.broken_layer = None;
        for (index, shape) in layers.iter().enumerate() {
            let (before, from_here) = self.activations.split_at_mut(index);
            let (received, received_stride) = match before.last() {
                None => (&*self.inputs, self.input_stride),
                Some(activations) => (&**activations, layers[index - 1].stride),
            };
            let outputs = &mut from_here[0];
            for tile in &tiles[shape.first_tile..shape.first_tile + shape.n_tiles] {
                for first_row in (0..self.n_rows).step_by(ROWS) {
                    let n_rows = ROWS.min(self.n_rows - first_row);
                    let sums = &mut outputs[first_row * shape.stride + tile.first_column..];
                    for row in 0..n_rows {
                        sums[row * shape.stride..][..panel_width::<F>()].copy_from_slice(&tile.bias);
                    }
                    let left = Scalars {
                        values: &received[first_row * received_stride..],
                        row_stride: received_stride,
                        term_stride: 1,
                    };
                    let terms = match index {
                        0 => Terms::Listed(&self.inputs_used[first_row / ROWS]),
                        _ => Terms::All(shape.n_inputs),
                    };
                    let panel = Rows { values: &tile.weights, stride: panel_width::<F>() };
                    add_panel_product(simd, left, n_rows, terms, panel, sums, shape.stride);
                }
            }
            if index + 1 == layers.len() {
                self.net_inputs[..self.n_rows * shape.stride].copy_from_slice(&outputs[..self.n_rows * shape.stride]);
            }
            let is_broken = activate::<F, S>(shape, outputs, self.n_rows);
            if is_broken && self.broken_layer.is_none() {
                self.broken_layer = Some(index);
            }
        }
    }

    /// The losses, and δ of the output layer.
    #[inline(always)]
    fn begin_backpropagation(&mut self, shape: &LayerShape, batch: &impl Batch<F>, objective: Objective, scale: f64) {
        let last = self.activations.len() - 1;
        for row in 0..self.n_rows {
            let columns = row * shape.stride..row * shape.stride + shape.n_outputs;
            let targets = &mut self.targets[columns.clone()];
            batch.target(self.first_row + row, targets);
            let outputs = &self.activations[last][columns.clone()];
            self.losses[row] = objective.value(&self.net_inputs[columns.clone()], outputs, targets);
            let delta = &mut self.deltas[last][columns];
            objective.output_delta(shape.activation, outputs, targets, scale, delta);
            flush_negligible(delta);
        }
    }

    /// δˡ⁻¹ = (δˡ Wˡᵀ) ⊙ f′, from the last layer to the second.
    #[inline(always)]
    fn backpropagate<S: Simd<F>>(&mut self, simd: S, layers: &[LayerShape], tiles: &[Tile<F>]) {
        for index in (1..layers.len()).rev() {
            let (shape, before) = (&layers[index], &layers[index - 1]);
            let (deltas_before, deltas) = self.deltas.split_at_mut(index);
            let (deltas_before, deltas) = (&mut deltas_before[index - 1], &deltas[0]);
            let panels = tiles[shape.first_tile..shape.first_tile + shape.n_tiles].iter().map(|tile| &*tile.weights);
            transposed_product(
                simd,
                Rows { values: deltas, stride: shape.stride },
                self.n_rows,
                panels,
                shape.n_inputs,
                deltas_before,
                before.stride,
            );
            for row in 0..self.n_rows {
                let columns = row * before.stride..row * before.stride + before.n_outputs;
                let delta = &mut deltas_before[columns.clone()];
                before.activation.times_derivative(&self.activations[index - 1][columns], delta);
                flush_negligible(delta);
            }
        }
    }
}

/// Applies a layer's activation to its net inputs, and tells whether an output is infinite or not a number. All but
/// softmax work on single numbers and may run on into the padding, which nobody reads.
#[inline(always)]
fn activate<F: Real, S: Simd<F>>(shape: &LayerShape, outputs: &mut [F], n_rows: usize) -> bool {
    let n_columns = match shape.activation {
        Activation::Softmax => shape.n_outputs,
        _ => shape.n_outputs.next_multiple_of(F::LANES),
    };
    let mut is_broken = false;
    for row in 0..n_rows {
        let outputs = &mut outputs[row * shape.stride..][..n_columns];
        if S::FUSED {
            shape.activation.apply_with::<F, true>(outputs);
        } else {
            shape.activation.apply_with::<F, false>(outputs);
        }
        for output in &outputs[..shape.n_outputs] {
            is_broken |= output.is_not_finite();
        }
    }
    is_broken
}

#[inline(always)]
fn flush_negligible<F: Real>(deltas: &mut [F]) {
    for delta in deltas {
        *delta = if delta.abs() < F::NEGLIGIBLE { F::zero() } else { *delta };
    }
}

struct Forward<'a, F, B> {
    block: &'a mut Block<F>,
    layers: &'a [LayerShape],
    tiles: &'a [Tile<F>],
    batch: &'a B,
}

impl<F: Real, B: Batch<F>> Task<F> for Forward<'_, F, B> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd<F>>(self, simd: S) {
        self.block.gather(self.layers[0].n_inputs, self.batch);
        self.block.forward(simd, self.layers, self.tiles);
    }
}

struct ForwardAndBack<'a, F, B> {
    block: &'a mut Block<F>,
    layers: &'a [LayerShape],
    tiles: &'a [Tile<F>],
    batch: &'a B,
    objective: Objective,
    scale: f64,
}

impl<F: Real, B: Batch<F>> Task<F> for ForwardAndBack<'_, F, B> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd<F>>(self, simd: S) {
        self.block.gather(self.layers[0].n_inputs, self.batch);
        self.block.forward(simd, self.layers, self.tiles);
        let output = &self.layers[self.layers.len() - 1];
        self.block.begin_backpropagation(output, self.batch, self.objective, self.scale);
        self.block.backpropagate(simd, self.layers, self.tiles);
    }
}

/// The gradient of one tile, summed over the blocks and handed to the sink.
struct Update<'a, F, K> {
    tile: &'a mut Tile<F>,
    layers: &'a [LayerShape],
    blocks: &'a [Block<F>],
    sink: &'a K,
}

impl<F: Real, K: GradientSink<F>> Task<F> for Update<'_, F, K> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd<F>>(self, simd: S) {
        let Update { tile, layers, blocks, sink } = self;
        let shape = &layers[tile.layer];
        let width = panel_width::<F>();
        let mut is_broken = false;
        // Σ over the samples of aˡ⁻¹ᵀ δˡ, for ROWS inputs at a time.
        let mut sums = [F::zero(); ROWS * PANEL_WIDTH_MAX];
        let skips_zeros = tile.layer == 0 && sink.ignores_zero_gradients();
        for first_input in (0..shape.n_inputs).step_by(ROWS) {
            if skips_zeros && blocks.iter().all(|block| block.rows_used[first_input / ROWS].is_empty()) {
                continue;
            }
            let n_inputs = ROWS.min(shape.n_inputs - first_input);
            let entries = first_input * width..(first_input + n_inputs) * width;
            let sums = &mut sums[..n_inputs * width];
            sums.fill(F::zero());
            for block in blocks {
                let (received, stride) = block.received(tile.layer, layers);
                let left = Scalars { values: &received[first_input..], row_stride: 1, term_stride: stride };
                let terms = match tile.layer {
                    0 => Terms::Listed(&block.rows_used[first_input / ROWS]),
                    _ => Terms::All(block.n_rows),
                };
                let deltas = Rows { values: &block.deltas[tile.layer][tile.first_column..], stride: shape.stride };
                add_panel_product(simd, left, n_inputs, terms, deltas, sums, width);
            }
            let state = tile.weights_state.each_mut().map(|slot| slot_piece(slot, entries.clone()));
            let parameters = &mut tile.weights[entries];
            sink.weights(Piece { parameters, gradient: sums, state });
            is_broken |= finish(parameters);
        }
        if shape.has_bias {
            let sums = &mut sums[..width];
            sums.fill(F::zero());
            for block in blocks {
                for row in 0..block.n_rows {
                    let deltas = &block.deltas[tile.layer][row * shape.stride + tile.first_column..][..width];
                    for (sum, &delta) in sums.iter_mut().zip(deltas) {
                        *sum += delta;
                    }
                }
            }
            let state = tile.bias_state.each_mut().map(|slot| slot_piece(slot, 0..width));
            sink.biases(Piece { parameters: &mut tile.bias, gradient: sums, state });
            is_broken |= finish(&mut tile.bias);
        }
        tile.is_broken = is_broken;
    }
}

/// Part of a slot, or nothing where the workspace has no such slot.
#[inline(always)]
fn slot_piece<F: Real>(slot: &mut Aligned<F>, entries: std::ops::Range<usize>) -> &mut [F] {
    if slot.is_empty() { &mut [] } else { &mut slot[entries] }
}

/// Flushes what is subnormal to zero, and tells whether something is infinite or not a number.
#[inline(always)]
fn finish<F: Real>(parameters: &mut [F]) -> bool {
    let mut is_broken = false;
    for parameter in parameters {
        *parameter = flush(*parameter);
        is_broken |= parameter.is_not_finite();
    }
    is_broken
}
