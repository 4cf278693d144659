//! One step: forward, back, update; and the forward pass alone. The stages are those of [the map](crate::workspace).

use crate::dropout::{Mask, Masks};
use crate::kernel::workers::Workers;
use crate::loss::Objective;
use crate::real::Real;
use crate::sample_loss::{ByOutputs, OutputError, SampleLoss};
use crate::sink::GradientSink;
use crate::workspace::backward::Backward;
use crate::workspace::batch::Batch;
use crate::workspace::forward::Forward;
use crate::workspace::inputs::{Gather, Inputs};
use crate::workspace::normalization::NormalizedStage;
use crate::workspace::outputs::{CollectOutputs, distribute_deltas};
use crate::workspace::patch::{Patch, Patches, Received};
use crate::workspace::sharing::{
    COST_OF_OUTPUT, LARGE, ROWS_WORTH_READING, SMALL, cost, each, each_with_index, tiles_of_threads, work_to_share,
};
use crate::workspace::tile::Tile;
use crate::workspace::update::{HandedTo, Strips, Update};
use crate::workspace::update_one::BackwardAndUpdate;
use crate::workspace::{NonFinite, Workspace};

impl<F: Real> Workspace<F> {
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
        self.assert_objective(objective);
        self.step_on(batch, &objective, sink, workers)
    }

    /// [`Workspace::step`] with a loss of one's own, which may stand behind any output activation.
    ///
    /// ```
    /// use mlp_core::{
    ///     Activation, ArrayBatch, Initializer, KeepGradient, Kernel, Mlp, SampleLoss, Workers, Workspace, backpropagate_with,
    /// };
    /// use mlp_core::ndarray::array;
    ///
    /// /// The fourth power of the error.
    /// struct Quartic;
    /// impl SampleLoss<f64> for Quartic {
    ///     fn value_and_gradient(&self, outputs: &[f64], targets: &[f64], gradient: &mut [f64]) -> f64 {
    ///         let errors = outputs.iter().zip(targets).map(|(a, y)| a - y);
    ///         gradient.iter_mut().zip(errors.clone()).for_each(|(g, error)| *g = 4.0 * error.powi(3));
    ///         errors.map(|error| error.powi(4)).sum()
    ///     }
    /// }
    ///
    /// let mlp = Mlp::<f64>::seeded(&[2, 3, 1], &[Activation::Tanh; 2], true, Initializer::LECUN_NORMAL, 0);
    /// let (inputs, targets) = (array![[0.0, 1.0], [1.0, 0.5]], array![[1.0], [0.0]]);
    /// let workers = Workers::new(1);
    /// let mut workspace = Workspace::new(&mlp, 2, 1, Kernel::detect(), &workers);
    /// let batch = ArrayBatch::new(inputs.view(), targets.view());
    /// let loss = workspace.step_with(&batch, &Quartic, &KeepGradient, &workers)?;
    ///
    /// let (mean_loss, gradients) =
    ///     backpropagate_with(&mlp, inputs.view(), |outputs| Quartic.of_batch(outputs, targets.view()));
    /// assert!((loss / 2.0 - mean_loss).abs() < 1e-15);
    /// let found = workspace.slot(0);
    /// assert!((&found.layers[0].weights - &gradients.layers[0].weights).iter().all(|error| error.abs() < 1e-15));
    /// # Ok::<(), mlp_core::NonFinite>(())
    /// ```
    ///
    /// # Errors
    /// As [`Workspace::step`].
    ///
    /// # Panics
    /// As [`Workspace::step`], or where the loss panics.
    pub fn step_with<L: SampleLoss<F>, S: GradientSink<F>>(
        &mut self,
        batch: &impl Batch<F>,
        loss: &L,
        sink: &S,
        workers: &Workers,
    ) -> Result<f64, NonFinite> {
        self.step_on(batch, &ByOutputs(loss), sink, workers)
    }

    fn step_on<B: Batch<F>, E: OutputError<F>, S: GradientSink<F>>(
        &mut self,
        batch: &B,
        error: &E,
        sink: &S,
        workers: &Workers,
    ) -> Result<f64, NonFinite> {
        self.assert_slots::<S>();
        self.forward_pass(batch, Some(error), None, workers);
        if self.max_batch == 1 {
            self.backpropagate_one(sink, workers);
        } else {
            self.backpropagate(None, workers);
            self.update(&HandedTo { sink, max_norm: None }, workers);
        }
        self.loss_of_step()
    }

    pub(super) fn assert_objective(&self, objective: Objective) {
        let output = self.output_layer().activation;
        assert!(objective.loss.fits(output), "{} loss behind a {output} output", objective.loss);
    }

    pub(super) fn assert_slots<S: GradientSink<F>>(&self) {
        assert!(S::N_SLOTS <= self.n_slots, "the sink keeps {} values, the workspace {}", S::N_SLOTS, self.n_slots);
    }

    /// The sum of the losses of the last batch, or where it broke.
    pub(super) fn loss_of_step(&self) -> Result<f64, NonFinite> {
        let n_blocks = self.n_blocks_used();
        let blocks = self.outputs[..n_blocks].iter().enumerate();
        let losses = blocks.flat_map(|(index, block)| &block.losses[..self.rows.used(index, self.n_samples)]);
        let loss: f64 = losses.sum();
        self.first_broken_layer(loss).map_or(Ok(loss), |layer| Err(NonFinite { layer }))
    }

    /// The forward pass alone, for predictions; [`Workspace::outputs`] then has the result. The batch's targets are not asked
    /// for, and outputs that are not finite are not reported.
    ///
    /// A batch may have any number of samples up to that of the workspace; more are taken batch after batch:
    ///
    /// ```
    /// use mlp_core::{Activation, ArrayBatch, Initializer, Kernel, Mlp, Workers, Workspace};
    /// use mlp_core::ndarray::{Array2, Axis};
    ///
    /// let activations = [Activation::Relu, Activation::Softmax];
    /// let mlp = Mlp::<f32>::seeded(&[784, 30, 10], &activations, true, Initializer::HE_NORMAL, 0);
    /// let inputs = Array2::from_shape_fn((300, 784), |(row, column)| ((row + column) % 5) as f32 / 4.0);
    ///
    /// let workers = Workers::new(2);
    /// // No sink, so no slots.
    /// let mut workspace = Workspace::new(&mlp, 128, 0, Kernel::detect(), &workers);
    /// let mut classes = Vec::new();
    /// for inputs in inputs.axis_chunks_iter(Axis(0), 128) {
    ///     workspace.forward(&ArrayBatch::without_targets(inputs), &workers);
    ///     for row in 0..inputs.nrows() {
    ///         let outputs = workspace.outputs(row);
    ///         classes.push((0..10).max_by(|&a, &b| outputs[a].total_cmp(&outputs[b])).expect("ten outputs"));
    ///     }
    /// }
    /// assert_eq!(classes.len(), 300);
    /// # let expected = mlp.forward(inputs.view());
    /// # assert!((0..10).all(|k| (expected[[299, k]] - workspace.outputs(299 - 256)[k]).abs() < 1e-6));
    /// ```
    ///
    /// # Panics
    /// Where the batch is empty or larger than the workspace.
    pub fn forward(&mut self, batch: &impl Batch<F>, workers: &Workers) {
        self.forward_pass::<_, Objective>(batch, None, None, workers);
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

    /// Fetches the inputs of a batch, of which also a gradient will be asked or not, and some may be left out.
    pub(super) fn gather<B: Batch<F>>(
        &mut self,
        batch: &B,
        for_gradient: bool,
        mask: Option<Mask<F>>,
        workers: &Workers,
    ) {
        let n_samples = batch.n_samples();
        assert!(n_samples > 0, "a batch has at least one sample");
        assert!(n_samples <= self.max_batch, "a batch of {n_samples} in a workspace for {}", self.max_batch);
        // Left alone where nothing changes: other threads have read it.
        if n_samples != self.n_samples {
            self.n_samples = n_samples;
            let rows = self.rows.per_part;
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
        each(workers, work, parts, |part| F::dispatch(kernel, Gather { part, batch, for_gradient, mask }));
    }

    /// The forward pass; with a loss also the losses and the deltas of the outputs.
    pub(super) fn forward_pass<B: Batch<F>, E: OutputError<F>>(
        &mut self,
        batch: &B,
        error: Option<&E>,
        masks: Option<Masks<'_>>,
        workers: &Workers,
    ) {
        self.gather(batch, error.is_some(), masks.and_then(|masks| masks.of_layer(0)), workers);
        let (n_blocks_used, n_parts_used, is_normalized) =
            (self.n_blocks_used(), self.n_parts_used(), self.is_normalized);
        let Workspace { kernel, layers, tiles, patches, inputs, outputs, rows, n_samples, .. } = self;
        let (kernel, n_samples, rows, n_blocks) = (*kernel, *n_samples, *rows, outputs.len());
        let inputs = Inputs { parts: &inputs[..n_parts_used], parts_per_block: rows.parts_per_block };
        let last = layers.len() - 1;
        for (index, shape) in layers.iter().enumerate() {
            let (before, patches) = patches.split_at_mut(index);
            let received = match before.last() {
                None => Received::Inputs(inputs),
                Some(patches) => Received::Outputs(Patches { patches, n_blocks }),
            };
            let of_layer = &tiles[shape.tiles()];
            let activation = (index < last).then_some(shape.activation);
            let mask = masks.filter(|_| index < last).and_then(|masks| masks.of_layer(index + 1));
            let work = work_to_share(shape, n_samples, shape.n_tiles, workers);
            each(workers, work, &mut patches[0], |patch| {
                let tile = &of_layer[patch.tile];
                if patch.n_rows > 0 {
                    let first_row = patch.block * rows.per_block();
                    F::dispatch(kernel, Forward { patch, tile, received, activation, mask, first_row });
                }
            });
            if is_normalized && index < last {
                let (tiles, patches) = (&mut tiles[shape.tiles()], &mut patches[0][..]);
                let stage =
                    NormalizedStage { kernel, workers, shape, tiles, patches, n_blocks, n_blocks_used, n_samples };
                stage.forward(error.is_some(), mask, rows.per_block());
            }
        }

        let shape = &layers[last];
        let patches = &mut patches[last];
        let loss = error.map(|error| (error, 1.0 / n_samples as f64));
        let output_patches = Patches { patches, n_blocks };
        let work = n_samples * shape.n_outputs * COST_OF_OUTPUT;
        each_with_index(workers, work, &mut outputs[..n_blocks_used], |index, block| {
            let (first_row, rows) = (index * rows.per_block(), 0..rows.used(index, n_samples));
            let patches = output_patches;
            F::dispatch(kernel, CollectOutputs { block, index, first_row, rows, shape, patches, batch, loss });
        });
        if loss.is_some() {
            for patch in patches.iter_mut().filter(|patch| patch.block < n_blocks_used) {
                distribute_deltas(patch, shape.n_outputs, &outputs[patch.block]);
                patch.pack_deltas();
            }
        }
    }

    /// δˡ for every layer but the last, from the last but one to the first.
    pub(super) fn backpropagate(&mut self, masks: Option<Masks<'_>>, workers: &Workers) {
        let (n_blocks_used, is_normalized) = (self.n_blocks_used(), self.is_normalized);
        let Workspace { kernel, layers, tiles, patches, outputs, n_samples, .. } = self;
        let (kernel, n_blocks, n_samples) = (*kernel, outputs.len(), *n_samples);
        for index in (1..layers.len()).rev() {
            let (shape, activation) = (&layers[index], layers[index - 1].activation);
            let mask = masks.and_then(|masks| masks.of_layer(index));
            let (before, after) = patches.split_at_mut(index);
            let after = Patches { patches: &after[0], n_blocks };
            let of_layer = &tiles[shape.tiles()];
            let work = work_to_share(shape, n_samples, layers[index - 1].n_tiles, workers);
            each(workers, work, &mut before[index - 1], |patch| {
                if patch.n_rows > 0 {
                    F::dispatch(kernel, Backward { patch, activation, mask, after, tiles: of_layer });
                }
            });
            if is_normalized {
                let shape = &layers[index - 1];
                let (tiles, patches) = (&mut tiles[shape.tiles()], &mut before[index - 1][..]);
                let stage =
                    NormalizedStage { kernel, workers, shape, tiles, patches, n_blocks, n_blocks_used, n_samples };
                stage.backward();
            }
        }
    }

    /// The gradient of every tile, strip by strip.
    pub(super) fn update<S: Strips<F>>(&mut self, strips: &S, workers: &Workers) {
        let (n_used, n_parts_used) = (self.n_blocks_used(), self.n_parts_used());
        let Workspace { kernel, layers, tiles, shares, patches, inputs, outputs, rows, n_samples, .. } = self;
        let (kernel, n_blocks) = (*kernel, outputs.len());
        let (layers, patches) = (&*layers, &*patches);
        let inputs = Inputs { parts: &inputs[..n_parts_used], parts_per_block: rows.parts_per_block };
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
            let patches_of = |layer: usize| Patches { patches: &patches[layer], n_blocks };
            let number = tile.number(shape);
            let received = match tile.layer {
                0 => Received::Inputs(inputs),
                layer => Received::Outputs(patches_of(layer - 1)),
            };
            let patches = &patches_of(tile.layer).in_tile(number)[..n_used];
            F::dispatch(kernel, Update { tile, shape, patches, received, strips });
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
        let inputs = Inputs { parts: &*inputs, parts_per_block: 1 };
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
}
