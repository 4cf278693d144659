//! A network from arrays, and back.

use mlp_train::mlp_core::{Activation, Gradients, Layer, LayerGradient, Mlp};
use ndarray::{Array1, Array2};
use numpy::{IntoPyArray, PyArray1, PyArray2, PyReadonlyArray1, PyReadonlyArray2};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::number::Number;

/// The weights and the biases of each layer, as scikit-learn keeps them.
pub(crate) type Parameters<'py, F> = (Vec<Bound<'py, PyArray2<F>>>, Vec<Bound<'py, PyArray1<F>>>);

/// The names of activations: scikit-learn's, and this project's.
pub(crate) fn activation(name: &str) -> PyResult<Activation> {
    match name {
        "logistic" => Ok(Activation::Sigmoid),
        name => name.parse().map_err(|error| PyValueError::new_err(format!("{error}"))),
    }
}

/// A network with these weights, one activation behind the hidden layers and one behind the outputs.
pub(crate) fn network<F: Number>(
    coefs: &Bound<'_, PyAny>,
    intercepts: &Bound<'_, PyAny>,
    hidden: &str,
    output: &str,
) -> PyResult<Mlp<F>> {
    let parameters = tensors::<F>(coefs, intercepts)?;
    let last = parameters.len().checked_sub(1).ok_or_else(|| PyValueError::new_err("a network needs a layer"))?;
    let layers = parameters.into_iter().enumerate().map(|(index, (weights, bias))| {
        let activation = activation(if index == last { output } else { hidden })?;
        Ok(Layer { weights, bias: Some(bias), activation })
    });
    let mlp = Mlp { layers: layers.collect::<PyResult<_>>()? };
    check(&mlp)?;
    Ok(mlp)
}

/// What training remembers of each parameter.
pub(crate) fn gradients<F: Number>(coefs: &Bound<'_, PyAny>, intercepts: &Bound<'_, PyAny>) -> PyResult<Gradients<F>> {
    let layers = tensors(coefs, intercepts)?.into_iter();
    Ok(Gradients { layers: layers.map(|(weights, bias)| LayerGradient { weights, bias: Some(bias) }).collect() })
}

fn tensors<F: Number>(
    coefs: &Bound<'_, PyAny>,
    intercepts: &Bound<'_, PyAny>,
) -> PyResult<Vec<(Array2<F>, Array1<F>)>> {
    let coefs: Vec<PyReadonlyArray2<'_, F>> = coefs.extract()?;
    let intercepts: Vec<PyReadonlyArray1<'_, F>> = intercepts.extract()?;
    if coefs.len() != intercepts.len() {
        let found = format!("{} coefs and {} intercepts", coefs.len(), intercepts.len());
        return Err(PyValueError::new_err(format!("expected as many of each, found {found}")));
    }
    let standard = |weights: &PyReadonlyArray2<'_, F>| weights.as_array().as_standard_layout().into_owned();
    Ok(coefs.iter().zip(&intercepts).map(|(weights, bias)| (standard(weights), bias.as_array().to_owned())).collect())
}

/// What [`Mlp::assert_consistent`] asks for, as an error.
fn check<F: Number>(mlp: &Mlp<F>) -> PyResult<()> {
    let mut n_received = mlp.layers[0].weights.nrows();
    for (index, layer) in mlp.layers.iter().enumerate() {
        let (n_inputs, n_units) = layer.weights.dim();
        let n_biases = layer.bias.as_ref().map_or(n_units, Array1::len);
        if n_inputs != n_received || n_biases != n_units || n_inputs == 0 || n_units == 0 {
            return Err(PyValueError::new_err(format!(
                "expected in layer {index} coefs of shape ({n_received}, n) and n intercepts, found ({n_inputs}, \
                 {n_units}) and {n_biases}"
            )));
        }
        n_received = n_units;
    }
    Ok(())
}

/// The weights and biases of a network.
pub(crate) fn parameters<'py, F: Number>(py: Python<'py>, mlp: &Mlp<F>) -> Parameters<'py, F> {
    mlp.layers.iter().map(|layer| arrays(py, layer.weights.clone(), layer.bias.clone())).unzip()
}

/// What training remembers, in the same form.
pub(crate) fn state<F: Number>(py: Python<'_>, gradients: Gradients<F>) -> Parameters<'_, F> {
    gradients.layers.into_iter().map(|layer| arrays(py, layer.weights, layer.bias)).unzip()
}

fn arrays<F: Number>(
    py: Python<'_>,
    weights: Array2<F>,
    bias: Option<Array1<F>>,
) -> (Bound<'_, PyArray2<F>>, Bound<'_, PyArray1<F>>) {
    let bias = bias.unwrap_or_else(|| Array1::zeros(weights.ncols()));
    (weights.into_pyarray(py), bias.into_pyarray(py))
}
