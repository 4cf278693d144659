//! Gradient descent on one sample after the other, the weights being written only once for many samples.
//!
//! With one sample a step, reading and writing the weights is all the work there is. But the updates need not be written
//! at once. After t samples with inputs aᵢ of a layer (rows) and deltas δᵢ its weights are
//!
//! > Wₜ = sₜ (W₀ + Σ aᵢᵀ dᵢ), the sum over i < t,
//! > with sₜ₊₁ = sₜ (1 − ηₜγ), s₀ = 1 and dₜ = −δₜ ηₜ / sₜ₊₁,
//!
//! and neither the forward pass nor back-propagation needs them as such, only their products with a vector:
//!
//! > aₜ Wₜ = sₜ (aₜ W₀ + Σ (aₜ·aᵢ) dᵢ),
//! > δₜ Wₜᵀ = sₜ (δₜ W₀ᵀ + Σ (δₜ·dᵢ) aᵢ).
//!
//! The sums cost little as long as they are short. At the end of each call, after at most [`OneByOne::MAX_SAMPLES`] samples,
//! all updates are written together, as the gradient of a batch would be. What the samples do to each other is exact algebra;
//! only rounding differs from steps that are taken one at a time. The weight decay γ comes along for nothing as the factor sₜ,
//! which a run is too short to make small. (Monte Carlo simulations of electrons defer changes of a matrix in this way:
//! McDaniel et al. 2017, "Delayed Slater determinant update algorithms for high efficiency quantum Monte Carlo".)

use crate::activation::Activation;
use crate::aligned::Aligned;
use crate::kernel::level::Kernel;
use crate::kernel::workers::Workers;
use crate::loss::Objective;
use crate::mlp::Mlp;
use crate::real::Real;
use crate::workspace::batch::Batch;
use crate::workspace::deferred::{BackOne, FirstProducts, ForwardOne, InputProducts, Rates, Write, add};
use crate::workspace::inputs::Keep;
use crate::workspace::layout::{LayerShape, Rows};
use crate::workspace::negligible::flush_all_negligible;
use crate::workspace::outputs::CollectOutputs;
use crate::workspace::patch::{Patch, Patches};
use crate::workspace::sharing::{cost, each, each_with_index};
use crate::workspace::single::{RUN, Single};
use crate::workspace::{NonFinite, Workspace};

/// The step that is taken on one sample: w ← (1 − `decay`)·w − `learning_rate`·∂L/∂w for a weight, and
/// b ← b − `learning_rate`·∂L/∂b for a bias.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Descent<F> {
    /// η, above 0.
    pub learning_rate: F,
    /// ηγ, the learning rate times the factor of an L2 penalty: from 0 to 1/2, so that a run cannot make the weights
    /// vanish.
    pub decay: F,
}

/// A network in the layout of the fast path, for plain gradient descent on one sample at a time, without an optimiser's state.
///
/// ```
/// use mlp_core::{
///     Activation, ArrayBatch, Descent, Initializer, Kernel, Loss, Mlp, Objective, OneByOne, Reduction, Workers,
///     backpropagate,
/// };
/// use mlp_core::ndarray::{Axis, array};
///
/// let mut mlp = Mlp::<f64>::seeded(&[2, 3, 1], &[Activation::Sigmoid; 2], false, Initializer::LECUN_NORMAL, 0);
/// let objective = Objective { loss: Loss::Squared, reduction: Reduction::Mean };
/// let (inputs, targets) = (array![[0.0, 1.0], [1.0, 0.5]], array![[1.0], [0.0]]);
///
/// let mut one_by_one = OneByOne::new(&mlp, Kernel::detect());
/// let samples = ArrayBatch::new(inputs.view(), targets.view());
/// let step = Descent { learning_rate: 0.5, decay: 0.0 };
/// one_by_one.descend(&samples, objective, &[step, step], &Workers::new(1)).expect("finite numbers");
/// let mut found = mlp.clone();
/// one_by_one.workspace().store(&mut found);
///
/// // The same, one step after the other.
/// for (input, target) in inputs.axis_chunks_iter(Axis(0), 1).zip(targets.axis_chunks_iter(Axis(0), 1)) {
///     let (_, gradients) = backpropagate(&mlp, input, target, objective);
///     for (layer, gradient) in mlp.layers.iter_mut().zip(&gradients.layers) {
///         layer.weights.scaled_add(-0.5, &gradient.weights);
///     }
/// }
/// let error = &found.layers[0].weights - &mlp.layers[0].weights;
/// assert!(error.iter().all(|error| error.abs() < 1e-15));
/// ```
#[derive(Debug)]
pub struct OneByOne<F> {
    /// Of a single block: the row of a sample in it is its place in the run. `deltas` of its patches are the dᵢ.
    workspace: Workspace<F>,
    /// The inputs' products xₜ·xᵢ, row after row.
    input_products: Aligned<F>,
}

impl<F: Real> OneByOne<F> {
    /// The most samples that can be passed to [`OneByOne::descend`].
    pub const MAX_SAMPLES: usize = RUN;

    /// Memory for steps on single samples, with the weights of `mlp`.
    ///
    /// # Panics
    /// Where the processor does not support `kernel`.
    pub fn new(mlp: &Mlp<F>, kernel: Kernel) -> OneByOne<F> {
        let rows = Rows { per_part: RUN, parts_per_block: 1 };
        let mut workspace = Workspace::with_blocks(mlp, RUN, rows, Keep::AllRows, 0, kernel, 1);
        let layers = workspace.layers.iter().zip(&mut workspace.patches);
        for (index, (shape, patches)) in layers.enumerate() {
            // The inputs of the network are fetched and multiplied for many samples at a time.
            let n_received = if index == 0 { 0 } else { shape.n_inputs };
            patches.iter_mut().for_each(|patch| patch.single = Single::new(patch.width, n_received));
        }
        OneByOne { workspace, input_products: Aligned::zeros(RUN * RUN) }
    }

    /// The network, to be read.
    pub fn workspace(&self) -> &Workspace<F> {
        &self.workspace
    }

    /// [`Workspace::load`].
    ///
    /// # Panics
    /// As that.
    pub fn load(&mut self, mlp: &Mlp<F>) {
        self.workspace.load(mlp);
    }

    /// One step on each sample of `samples`, in their order: forward, back-propagation, and the step of the same number in
    /// `steps`. Returns the sum of the samples' losses, each before its step.
    ///
    /// The bits of the result depend on how the samples are cut into calls.
    ///
    /// # Errors
    /// The row of the sample in whose step an output, a delta or a parameter became infinite or not a number, and where; the
    /// parameters are then of no use until others are loaded. A weight that overflowed is noticed when it first spoils an
    /// output, at the latest in the last row.
    ///
    /// # Panics
    /// Where there is no sample or more than [`OneByOne::MAX_SAMPLES`], another number of steps, a decay that is not from 0
    /// to 1/2, or the loss does not fit the output activation.
    pub fn descend<B: Batch<F>>(
        &mut self,
        samples: &B,
        objective: Objective,
        steps: &[Descent<F>],
        workers: &Workers,
    ) -> Result<f64, (usize, NonFinite)> {
        let output = self.workspace.output_layer().activation;
        assert!(objective.loss.fits(output), "{} loss behind a {output} output", objective.loss);
        assert_eq!(steps.len(), samples.n_samples(), "steps, and samples to take them on");
        let half = F::one() / (F::one() + F::one());
        for Descent { decay, .. } in steps {
            assert!((F::zero()..=half).contains(decay), "a decay of {decay}, not from 0 to 1/2");
        }
        self.workspace.gather(samples, true, None, workers);
        self.begin(workers);
        let (mut scale, mut loss) = (F::one(), 0.0);
        for (row, step) in steps.iter().enumerate() {
            let after = scale * (F::one() - step.decay);
            let rates = Rates { scale, learning_rate: step.learning_rate, factor: -step.learning_rate / after };
            self.forward(row, scale, workers);
            loss += self.collect_outputs(row, samples, objective);
            // Before deltas carry it to the layers before.
            self.check(row, loss)?;
            self.backpropagate(row, rates, (row + 1 < steps.len()).then_some(after), workers);
            self.check(row, loss)?;
            scale = after;
        }
        self.write(scale, workers);
        let broken = self.workspace.tiles.iter().find(|tile| tile.is_broken);
        broken.map_or(Ok(loss), |tile| Err((steps.len() - 1, NonFinite { layer: tile.layer })))
    }

    /// For all samples together: x W₀ of the first layer, and x·x of the inputs. Then the first layer's outputs for the first
    /// sample.
    fn begin(&mut self, workers: &Workers) {
        let Workspace { kernel, layers, tiles, patches, inputs, n_samples, .. } = &mut self.workspace;
        let (kernel, part, tiles) = (*kernel, &inputs[0], &tiles[layers[0].tiles()]);
        let activation = activation(layers, 0);
        each(workers, cost(&layers[0], *n_samples), &mut patches[0], |patch| {
            let tile = &tiles[patch.tile];
            F::dispatch(kernel, FirstProducts { tile, patch, part });
            let (before, factors) = (None, &[][..]);
            F::dispatch(kernel, ForwardOne { patch, row: 0, tile, before, factors, scale: F::one(), activation });
        });
        F::dispatch(kernel, InputProducts { part, products: &mut self.input_products });
    }

    /// The outputs of every layer behind the first for one sample.
    fn forward(&mut self, row: usize, scale: F, workers: &Workers) {
        let Workspace { kernel, layers, tiles, patches, .. } = &mut self.workspace;
        let kernel = *kernel;
        for (index, shape) in layers.iter().enumerate().skip(1) {
            let (before, patches) = patches.split_at_mut(index);
            let before = Patches { patches: &before[index - 1], n_blocks: 1 };
            // aₜ·aᵢ of the layer's inputs.
            let mut products = [F::zero(); RUN];
            add(&mut products[..row], before.in_block(0).map(|patch| &patch.single.output_products[..row]));
            flush_all_negligible(&mut products);
            let (tiles, factors, activation) = (&tiles[shape.tiles()], &products[..row], activation(layers, index));
            each(workers, cost(shape, 1), &mut patches[0], |patch| {
                let (tile, before) = (&tiles[patch.tile], Some(before));
                F::dispatch(kernel, ForwardOne { patch, row, tile, before, factors, scale, activation });
            });
        }
    }

    /// The loss of one sample, and the deltas of the outputs.
    fn collect_outputs<B: Batch<F>>(&mut self, row: usize, samples: &B, objective: Objective) -> f64 {
        let Workspace { kernel, layers, patches, outputs, .. } = &mut self.workspace;
        let last = layers.len() - 1;
        let patches = Patches { patches: &patches[last], n_blocks: 1 };
        let (block, rows, loss) = (&mut outputs[0], row..row + 1, Some((&objective, 1.0)));
        let task =
            CollectOutputs { block, index: 0, first_row: 0, rows, shape: &layers[last], patches, batch: samples, loss };
        F::dispatch(*kernel, task);
        outputs[0].losses[row]
    }

    /// The deltas of every layer for one sample; biases take their step. `next_scale` is the s of the next sample, if there is
    /// one; then the first layer's outputs for that sample are computed too: they need the deltas of the same units only, so
    /// the threads need not meet in between.
    fn backpropagate(&mut self, row: usize, rates: Rates<F>, next_scale: Option<F>, workers: &Workers) {
        let Workspace { kernel, layers, tiles, patches, outputs, .. } = &mut self.workspace;
        let (kernel, output, first_activation) = (*kernel, &outputs[0], activation(layers, 0));
        let next = row + 1;
        // xₜ₊₁·xᵢ; `next_scale` is none where there is no such row.
        let next_factors = next_scale.map_or(&[][..], |_| &self.input_products[next * RUN..][..next]);
        for (index, shape) in layers.iter().enumerate().rev() {
            let (patches, after) = patches.split_at_mut(index + 1);
            let after = after.first().map_or(&[][..], |after| after);
            // δₜ·dᵢ of the layer behind.
            let mut products = [F::zero(); RUN];
            add(&mut products[..row], after.iter().map(|patch| &patch.single.delta_products[..row]));
            flush_all_negligible(&mut products);
            let (tiles, factors, passes_back) = (&tiles[shape.tiles()], &products[..row], index > 0);
            let work = if index > 0 { cost(shape, 1) } else { shape.n_outputs * COST_OF_FIRST_UNIT };
            each(workers, work, &mut patches[index], |patch| {
                let tile = &tiles[patch.tile];
                F::dispatch(kernel, BackOne { patch, row, tile, shape, rates, after, factors, output, passes_back });
                if let (0, Some(scale)) = (index, next_scale) {
                    let (row, before, factors, activation) = (next, None, next_factors, first_activation);
                    F::dispatch(kernel, ForwardOne { patch, row, tile, before, factors, scale, activation });
                }
            });
        }
    }

    /// The weights after the run, and the biases.
    fn write(&mut self, scale: F, workers: &Workers) {
        let Workspace { kernel, layers, tiles, patches, inputs, n_samples, .. } = &mut self.workspace;
        let (kernel, part, patches) = (*kernel, &inputs[0], &*patches);
        for (index, shape) in layers.iter().enumerate() {
            let before = (index > 0).then(|| &patches[index - 1][..]);
            each_with_index(workers, cost(shape, *n_samples), &mut tiles[shape.tiles()], |number, tile| {
                let patch = &patches[index][number];
                F::dispatch(kernel, Write { tile, shape, patch, scale, part, before });
            });
        }
    }

    /// Where the step on the sample in `row` broke.
    fn check(&self, row: usize, loss: f64) -> Result<(), (usize, NonFinite)> {
        let Workspace { patches, outputs, .. } = &self.workspace;
        let last = patches.len() - 1;
        let is_broken = |patch: &Patch<F>| patch.single.broken_in == Some(row);
        let layer = (patches.iter().position(|patches| patches.iter().any(is_broken)))
            .or_else(|| (outputs[0].is_broken || !loss.is_finite()).then_some(last));
        layer.map_or(Ok(()), |layer| Err((row, NonFinite { layer })))
    }
}

/// What a unit of the first layer costs for one sample beside its product, in multiply-adds: short sums, and activations.
const COST_OF_FIRST_UNIT: usize = 800;

/// What is applied to the net inputs of a layer; in the last one nothing, as that is left to [`CollectOutputs`].
fn activation(layers: &[LayerShape], index: usize) -> Option<Activation> {
    (index + 1 < layers.len()).then_some(layers[index].activation)
}
