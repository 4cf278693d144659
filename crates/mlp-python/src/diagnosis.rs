//! The doctor: what each layer does with a few samples.

use mlp_train::mlp_core::{Loss, Objective, Reduction, UnknownName};
use mlp_train::{Diagnosis, Inputs, Probe, Samples, Targets};
use ndarray::Array2;
use numpy::{PyArray2, PyReadonlyArray2};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::features::Features;
use crate::network::network;
use crate::number::Number;
use crate::python_error::{detached, of_project};

/// What each layer does with a few of the samples, as JSON, and in a sentence.
#[pyfunction]
#[pyo3(signature = (x, targets, coefs, intercepts, activations, loss, epoch))]
pub(crate) fn diagnose<'py>(
    x: &Bound<'py, PyAny>,
    targets: &Bound<'py, PyAny>,
    coefs: &Bound<'py, PyAny>,
    intercepts: &Bound<'py, PyAny>,
    activations: (String, String),
    loss: &str,
    epoch: usize,
) -> PyResult<(String, String)> {
    let loss: Loss = loss.parse().map_err(|error: UnknownName| PyValueError::new_err(error.to_string()))?;
    let examined = Examined { x, targets, coefs, intercepts, activations, loss, epoch };
    if coefs.get_item(0)?.cast::<PyArray2<f32>>().is_ok() {
        examined.diagnose::<f32>()
    } else {
        examined.diagnose::<f64>()
    }
}

struct Examined<'a, 'py> {
    x: &'a Bound<'py, PyAny>,
    targets: &'a Bound<'py, PyAny>,
    coefs: &'a Bound<'py, PyAny>,
    intercepts: &'a Bound<'py, PyAny>,
    /// Of the hidden layers, and of the outputs.
    activations: (String, String),
    loss: Loss,
    epoch: usize,
}

impl Examined<'_, '_> {
    fn diagnose<F: Number>(&self) -> PyResult<(String, String)> {
        let mlp = network::<F>(self.coefs, self.intercepts, &self.activations.0, &self.activations.1)?;
        let features = Features::<F>::new(self.x)?;
        let view = features.view()?;
        view.check_columns(mlp.n_inputs())?;
        let (n_samples, n_inputs) = view.shape();
        let targets: PyReadonlyArray2<'_, F> = self.targets.extract()?;
        // A few samples out of them all: as many as fit into a network's own type at once.
        let mut inputs = Array2::zeros((n_samples, n_inputs));
        view.gather(0..n_samples, inputs.view_mut());
        let samples = Samples {
            inputs: Inputs::Values(inputs.view()),
            targets: Targets::Values(targets.as_array()),
            weights: None,
        };
        samples.check().map_err(of_project)?;
        let objective = Objective { loss: self.loss, reduction: Reduction::Sum };
        let epoch = self.epoch;
        detached(self.x.py(), || {
            let probe = Probe::of(&samples);
            let mut diagnosis = Diagnosis::new("this network".to_owned(), &mlp, &probe);
            if let Some(measured) = mlp_train::diagnose(&mlp, &probe, objective, epoch) {
                diagnosis.add(measured);
            }
            (diagnosis.to_json(), diagnosis.sentence())
        })
    }
}
