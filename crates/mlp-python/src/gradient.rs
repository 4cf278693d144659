//! The loss and its gradient over all samples, for an optimiser that is not ours: L-BFGS.

use mlp_train::mlp_core::{Kernel, Mlp, Objective as Aim, Workspace};
use mlp_train::{Optimizer, Trainable, Update};
use ndarray::{Array1, Array2, ArrayView1};
use numpy::{IntoPyArray, PyArray1, PyReadonlyArray1, PyReadonlyArray2};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::features::{Features, View};
use crate::network::network;
use crate::python_error::detached;
use crate::signals::Signals;
use crate::team::Team;
use crate::trainer::with_rows;

/// With a momentum of 1 the velocity is the sum of the gradients, and with a learning rate of 0 the weights stay.
const SUM: Optimizer = Optimizer::Momentum { momentum: 1.0 };
const STAY: Update =
    Update { learning_rate: 0.0, step: 1, l2: 0.0, l1: 0.0, clip_norm: None, max_norm: None, masks: None };

/// Samples whose gradient is computed together.
const CHUNK: usize = 512;

/// A network as a function of its parameters, all in one array: the weights of all layers, then their biases. It computes in
/// double precision.
#[pyclass(module = "mlp_lab._native")]
pub(crate) struct Objective {
    mlp: Mlp<f64>,
    workspace: Workspace<f64>,
    aim: Aim,
    loss_factor: f64,
    max_batch: usize,
    team: Team,
    dense: Array2<f64>,
}

#[pymethods]
impl Objective {
    #[new]
    #[pyo3(signature = (coefs, intercepts, activation, out_activation, loss, loss_factor, n_samples, n_threads))]
    #[expect(clippy::too_many_arguments, reason = "Python names them")]
    fn new(
        coefs: &Bound<'_, PyAny>,
        intercepts: &Bound<'_, PyAny>,
        activation: &str,
        out_activation: &str,
        loss: &str,
        loss_factor: f64,
        n_samples: usize,
        n_threads: usize,
    ) -> PyResult<Self> {
        let mlp: Mlp<f64> = network(coefs, intercepts, activation, out_activation)?;
        let unknown = |error: mlp_train::mlp_core::UnknownName| PyValueError::new_err(error.to_string());
        let aim = Aim { loss: loss.parse().map_err(unknown)?, reduction: mlp_train::mlp_core::Reduction::Sum };
        let max_batch = n_samples.clamp(2, CHUNK);
        let team = Team::new(n_threads, max_batch * mlp.n_parameters());
        let workspace = Workspace::new(&mlp, max_batch, 1, Kernel::detect(), team.largest());
        Ok(Self { mlp, workspace, aim, loss_factor, max_batch, team, dense: Array2::zeros((0, 0)) })
    }

    /// The loss at these parameters and its gradient.
    fn __call__<'py>(
        &mut self,
        py: Python<'py>,
        parameters: PyReadonlyArray1<'py, f64>,
        x: &Bound<'py, PyAny>,
        targets: PyReadonlyArray2<'py, f64>,
        sample_weight: Option<PyReadonlyArray1<'py, f64>>,
        alpha: f64,
    ) -> PyResult<(f64, Bound<'py, PyArray1<f64>>)> {
        let features = Features::<f64>::new(x)?;
        let view = features.view()?;
        view.check_columns(self.mlp.layers[0].weights.nrows())?;
        let weights = sample_weight.as_ref().map(|weights| weights.as_array());
        let (parameters, targets) = (parameters.as_array(), targets.as_array());
        if parameters.len() != self.mlp.n_parameters() || targets.nrows() != view.shape().0 {
            return Err(PyValueError::new_err("parameters or targets of another network"));
        }
        let (loss, gradient) = detached(py, || {
            self.load(parameters);
            self.gradient(view, targets, weights, alpha)
        })??;
        Ok((loss, gradient.into_pyarray(py)))
    }
}

impl Objective {
    fn load(&mut self, parameters: ArrayView1<'_, f64>) {
        let mut numbers = parameters.iter().copied();
        let layers = &mut self.mlp.layers;
        layers
            .iter_mut()
            .for_each(|layer| layer.weights.iter_mut().zip(&mut numbers).for_each(|(w, value)| *w = value));
        let biases = layers.iter_mut().flat_map(|layer| layer.bias.iter_mut().flatten());
        biases.zip(&mut numbers).for_each(|(b, value)| *b = value);
        self.workspace.load(&self.mlp);
    }

    fn gradient(
        &mut self,
        view: View<'_, f64>,
        targets: ndarray::ArrayView2<'_, f64>,
        weights: Option<ArrayView1<'_, f64>>,
        alpha: f64,
    ) -> PyResult<(f64, Array1<f64>)> {
        let n_all = view.shape().0;
        let total = weights.map_or(n_all as f64, |weights| weights.sum());
        let mut state = self.workspace.slot(0);
        for layer in &mut state.layers {
            layer.weights.fill(0.0);
            layer.bias.iter_mut().for_each(|bias| bias.fill(0.0));
        }
        self.workspace.set_slot(0, &state);
        let rows: Vec<usize> = (0..n_all).collect();
        let (mut loss, mut signals) = (0.0, Signals::new());
        for chunk in rows.chunks(self.max_batch) {
            // A step takes the mean over its samples; this is their part of the mean over all.
            let n_samples = chunk.len() as f64;
            let share = |row: &usize| weights.map_or(1.0, |weights| weights[*row]) * n_samples / total;
            let shares: Vec<f64> = chunk.iter().map(share).collect();
            let (workspace, aim, workers) = (&mut self.workspace, self.aim, self.team.workers());
            let step = with_rows(view, targets, chunk, &mut self.dense, |batch| {
                <f64 as Trainable>::step(SUM, workspace, &batch.with_weights(&shares), aim, STAY, workers)
            });
            match step {
                Ok(sum) => loss += sum / n_samples,
                // An optimiser that went too far comes back.
                Err(_) => return Ok((f64::INFINITY, Array1::zeros(self.mlp.n_parameters()))),
            }
            self.team.has_done(chunk.len());
            signals.check()?;
        }
        let squares: f64 = self.mlp.layers.iter().flat_map(|layer| &layer.weights).map(|w| w * w).sum();
        let gradients = self.workspace.slot(0);
        let layers = || self.mlp.layers.iter().zip(&gradients.layers);
        let by_weights = layers().flat_map(|(layer, gradient)| {
            layer.weights.iter().zip(&gradient.weights).map(|(w, g)| g + alpha * w / total)
        });
        let by_biases = gradients.layers.iter().flat_map(|gradient| gradient.bias.iter().flatten().copied());
        let gradient = by_weights.chain(by_biases).collect();
        Ok((loss * self.loss_factor + 0.5 * alpha * squares / total, gradient))
    }
}
