//! Steps by [`backpropagate`], the version of back-propagation that is there to be read and changed.

use mlp_core::{
    Batch, BatchNorm, BatchStatistics, Gradients, Kernel, LayerGradient, Masks, Mlp, NonFinite, NormalizedLayer,
    NormalizedStep, Real, Workers, Workspace, backpropagate, backpropagate_masked, backpropagate_normalized,
    backpropagate_weighted,
};
use ndarray::{Array1, Array2, ArrayView2};

use super::trainer::broken_layer;
use crate::config::TrainConfig;
use crate::data::Rows;
use crate::optimizer::Update;
use crate::unfolded::Network;

/// The network and the optimiser's state as matrices.
pub(super) struct Reference<F> {
    mlp: Mlp<F>,
    slots: Vec<Gradients<F>>,
    norm: Option<ReferenceNorm<F>>,
    /// The same once more, where checkpoints and measurements take it from.
    workspace: Workspace<F>,
}

/// Batch normalisation, and the optimiser's state for its scales.
struct ReferenceNorm<F> {
    norm: BatchNorm<F>,
    slots: Vec<Vec<Array1<F>>>,
}

/// What back-propagation finds in a step.
struct Found<F> {
    loss: f64,
    gradients: Gradients<F>,
    /// With batch normalisation the gradient by its scales, and the statistics of the batch; otherwise nothing.
    scales: Vec<Array1<F>>,
    statistics: Vec<BatchStatistics<F>>,
}

impl<F: Real> Reference<F> {
    pub(super) fn new(config: &TrainConfig, network: &Network<F>, workers: &Workers) -> Self {
        let (mlp, n_slots) = (network.trained(), config.optimizer.n_slots());
        let workspace = Workspace::new(mlp, config.batch_size.max(2), n_slots, Kernel::Reference, workers);
        let workspace = network.norm().into_iter().fold(workspace, Workspace::with_batch_norm);
        let norm = network.norm().map(|norm| {
            let zeros: Vec<_> = norm.layers.iter().map(|layer| Array1::zeros(layer.scale.len())).collect();
            ReferenceNorm { norm: norm.clone(), slots: vec![zeros; n_slots] }
        });
        Self { mlp: mlp.clone(), slots: (0..n_slots).map(|_| zeros(mlp)).collect(), norm, workspace }
    }

    pub(super) fn workspace(&self) -> &Workspace<F> {
        &self.workspace
    }

    /// Takes over the optimiser's state.
    pub(super) fn load_slots(&mut self, slots: &[Gradients<F>], scale_slots: &[Vec<Array1<F>>]) {
        self.slots = slots.to_vec();
        self.norm.iter_mut().for_each(|norm| norm.slots = scale_slots.to_vec());
        self.store_slots();
    }

    /// Forward, back-propagation, update. Returns the sum of the samples' losses before the update.
    pub(super) fn step(
        &mut self,
        config: &TrainConfig,
        rows: &Rows<'_, '_, F>,
        update: Update<'_>,
    ) -> Result<f64, NonFinite> {
        let n_samples = rows.n_samples();
        let mut inputs = Array2::zeros((n_samples, self.mlp.n_inputs()));
        let mut targets = Array2::zeros((n_samples, self.mlp.n_outputs()));
        for (row, (mut input, mut target)) in inputs.rows_mut().into_iter().zip(targets.rows_mut()).enumerate() {
            rows.input(row, input.as_slice_mut().expect("rows are contiguous"));
            rows.target(row, target.as_slice_mut().expect("rows are contiguous"));
        }
        let Found { loss, mut gradients, mut scales, statistics } =
            self.backpropagate(config, inputs.view(), targets.view(), rows.weights(), update.masks);
        if let Some(max_norm) = update.clip_norm {
            clip(&mut gradients, &mut scales, max_norm)?;
        }
        config.optimizer.update(&mut self.mlp, &mut self.slots, &gradients, update);
        if let Some(ReferenceNorm { norm, slots }) = &mut self.norm {
            config.optimizer.update_scales(norm, slots, &scales, update);
            norm.follow(&statistics, BatchNorm::<F>::MOMENTUM);
        }
        if let Some(max_norm) = update.max_norm {
            self.mlp.limit_norms(max_norm);
        }
        let is_broken = |gradients: &Gradients<F>| gradients.layers.iter().position(|layer| !is_finite(layer));
        let broken = is_broken(&gradients).or_else(|| self.slots.iter().find_map(is_broken));
        let broken = broken.or_else(|| broken_layer(&self.mlp)).or_else(|| self.broken_norm());
        if let Some(layer) = broken {
            return Err(NonFinite { layer });
        }
        if !loss.is_finite() {
            return Err(NonFinite { layer: self.mlp.layers.len() - 1 });
        }
        self.workspace.load(&self.mlp);
        self.norm.iter().for_each(|own| self.workspace.load_batch_norm(&own.norm));
        self.store_slots();
        Ok(loss * n_samples as f64)
    }

    fn backpropagate(
        &self,
        config: &TrainConfig,
        inputs: ArrayView2<'_, F>,
        targets: ArrayView2<'_, F>,
        weights: Option<&[f64]>,
        masks: Option<Masks<'_>>,
    ) -> Found<F> {
        let (mlp, objective) = (&self.mlp, config.objective());
        if let Some(ReferenceNorm { norm, .. }) = &self.norm
            && !norm.layers.is_empty()
        {
            let step = backpropagate_normalized(mlp, norm, inputs, targets, weights, objective, masks);
            let NormalizedStep { loss, gradients, scales, statistics } = step;
            return Found { loss, gradients, scales, statistics };
        }
        let (loss, gradients) = match (weights, masks) {
            (Some(weights), masks) => backpropagate_weighted(mlp, inputs, targets, weights, objective, masks),
            (None, None) => backpropagate(mlp, inputs, targets, objective),
            (None, Some(masks)) => backpropagate_masked(mlp, inputs, targets, objective, masks),
        };
        Found { loss, gradients, scales: Vec::new(), statistics: Vec::new() }
    }

    /// The first layer with a scale, its state or a running statistic that is infinite or not a number.
    fn broken_norm(&self) -> Option<usize> {
        let ReferenceNorm { norm, slots } = self.norm.as_ref()?;
        norm.layers.iter().enumerate().position(|(index, NormalizedLayer { scale, mean, variance })| {
            let rows = [scale, mean, variance].into_iter().chain(slots.iter().map(|slot| &slot[index]));
            rows.flatten().any(|value| !value.is_finite())
        })
    }

    fn store_slots(&mut self) {
        for (slot, state) in self.slots.iter().enumerate() {
            self.workspace.set_slot(slot, state);
        }
        let slots = self.norm.iter().flat_map(|norm| norm.slots.iter().enumerate());
        slots.for_each(|(slot, state)| self.workspace.set_scale_slot(slot, state));
    }
}

/// Shortens the gradient of all parameters to `max_norm`, where it is longer.
fn clip<F: Real>(gradients: &mut Gradients<F>, scales: &mut [Array1<F>], max_norm: f64) -> Result<(), NonFinite> {
    let mut squares = 0.0;
    for (index, layer) in gradients.layers.iter().enumerate() {
        let values =
            layer.weights.iter().chain(layer.bias.iter().flatten()).chain(scales.get(index).into_iter().flatten());
        squares += values.map(|value| value.widen()).map(|value| value * value).sum::<f64>();
        if !squares.is_finite() {
            return Err(NonFinite { layer: index });
        }
    }
    let norm = squares.sqrt();
    if norm > max_norm {
        let factor = F::narrow(max_norm / norm);
        for layer in &mut gradients.layers {
            layer.weights.mapv_inplace(|value| value * factor);
            layer.bias.iter_mut().for_each(|bias| bias.mapv_inplace(|value| value * factor));
        }
        scales.iter_mut().for_each(|scale| scale.mapv_inplace(|value| value * factor));
    }
    Ok(())
}

fn is_finite<F: Real>(layer: &LayerGradient<F>) -> bool {
    layer.weights.iter().chain(layer.bias.iter().flatten()).all(|value| value.is_finite())
}

/// 0 for every parameter.
fn zeros<F: Real>(mlp: &Mlp<F>) -> Gradients<F> {
    let layers = mlp.layers.iter().map(|layer| LayerGradient {
        weights: Array2::zeros(layer.weights.dim()),
        bias: layer.bias.as_ref().map(|bias| Array1::zeros(bias.len())),
    });
    Gradients { layers: layers.collect() }
}
