//! Steps by [`backpropagate`], the version of back-propagation that is there to be read and changed.

use mlp_core::{
    Batch, Gradients, Kernel, LayerGradient, Mlp, NonFinite, Real, Workers, Workspace, backpropagate,
    backpropagate_masked, backpropagate_weighted,
};
use ndarray::{Array1, Array2};

use super::trainer::broken_layer;
use crate::config::TrainConfig;
use crate::data::Rows;
use crate::optimizer::Update;

/// The network and the optimiser's state as matrices.
pub(super) struct Reference<F> {
    mlp: Mlp<F>,
    slots: Vec<Gradients<F>>,
    /// The same once more, where checkpoints and measurements take it from.
    workspace: Workspace<F>,
}

impl<F: Real> Reference<F> {
    pub(super) fn new(config: &TrainConfig, mlp: &Mlp<F>, workers: &Workers) -> Self {
        let n_slots = config.optimizer.n_slots();
        let workspace = Workspace::new(mlp, config.batch_size, n_slots, Kernel::Reference, workers);
        Self { mlp: mlp.clone(), slots: (0..n_slots).map(|_| zeros(mlp)).collect(), workspace }
    }

    pub(super) fn workspace(&self) -> &Workspace<F> {
        &self.workspace
    }

    /// Takes over the optimiser's state.
    pub(super) fn load_slots(&mut self, slots: &[Gradients<F>]) {
        self.slots = slots.to_vec();
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
        let (inputs, targets, objective) = (inputs.view(), targets.view(), config.objective());
        let (loss, mut gradients) = match (rows.weights(), update.masks) {
            (Some(weights), masks) => backpropagate_weighted(&self.mlp, inputs, targets, weights, objective, masks),
            (None, None) => backpropagate(&self.mlp, inputs, targets, objective),
            (None, Some(masks)) => backpropagate_masked(&self.mlp, inputs, targets, objective, masks),
        };
        if let Some(max_norm) = update.clip_norm {
            clip(&mut gradients, max_norm)?;
        }
        config.optimizer.update(&mut self.mlp, &mut self.slots, &gradients, update);
        if let Some(max_norm) = update.max_norm {
            self.mlp.limit_norms(max_norm);
        }
        let is_broken = |gradients: &Gradients<F>| gradients.layers.iter().position(|layer| !is_finite(layer));
        let broken = is_broken(&gradients).or_else(|| self.slots.iter().find_map(is_broken));
        if let Some(layer) = broken.or_else(|| broken_layer(&self.mlp)) {
            return Err(NonFinite { layer });
        }
        if !loss.is_finite() {
            return Err(NonFinite { layer: self.mlp.layers.len() - 1 });
        }
        self.workspace.load(&self.mlp);
        self.store_slots();
        Ok(loss * n_samples as f64)
    }

    fn store_slots(&mut self) {
        for (slot, state) in self.slots.iter().enumerate() {
            self.workspace.set_slot(slot, state);
        }
    }
}

/// Shortens the gradient of all parameters to `max_norm`, where it is longer.
fn clip<F: Real>(gradients: &mut Gradients<F>, max_norm: f64) -> Result<(), NonFinite> {
    let mut squares = 0.0;
    for (index, layer) in gradients.layers.iter().enumerate() {
        let values = layer.weights.iter().chain(layer.bias.iter().flatten());
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
