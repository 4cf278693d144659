//! Model files: the project's own, which `cargo xtask` reads and writes too, and ONNX for other programs.

use std::path::PathBuf;

use mlp_onnx::{ExportOptions, InputKind};
use mlp_train::mlp_core::Mlp;
use mlp_train::{AnyMlp, SavedModel, TargetEncoding, TrainConfig};
use numpy::{IntoPyArray, PyArray2};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use serde_json::{Map, Value};

use crate::network::{self, Parameters};
use crate::number::Number;
use crate::python_error::{of_onnx, of_project, of_system};

/// Weights, biases, the configuration as JSON, the texts of the classes, and what else the saving program says, as JSON.
type Loaded<'py> = (Bound<'py, PyAny>, Bound<'py, PyAny>, String, Vec<String>, String);

/// A network with the configuration that describes it (JSON), the texts of its classes, and more entries (JSON).
#[derive(FromPyObject)]
pub(crate) struct Described<'py>(Bound<'py, PyAny>, Bound<'py, PyAny>, String, Vec<String>, String);

impl Described<'_> {
    fn model(self) -> PyResult<SavedModel> {
        let Self(coefs, intercepts, config, classes, other) = self;
        let config = TrainConfig::from_map(&parse(&config)?).map_err(of_project)?;
        let is_single = coefs.get_item(0)?.cast::<PyArray2<f32>>().is_ok();
        let network = if is_single {
            AnyMlp::F32(described(&coefs, &intercepts, &config)?)
        } else {
            AnyMlp::F64(described(&coefs, &intercepts, &config)?)
        };
        let mut model = SavedModel::new(network, config, classes);
        model.other = parse(&other)?;
        Ok(model)
    }
}

/// Saves a network.
#[pyfunction]
pub(crate) fn save_model(path: PathBuf, model: Described<'_>) -> PyResult<()> {
    model.model()?.save(path).map_err(of_project)
}

/// The bytes of an ONNX file with a network: given `input`, `values` or `pixels`, with the index of the class as a second
/// output, with the exponentials of the outputs in their place, and with further metadata.
#[pyfunction]
pub(crate) fn to_onnx<'py>(
    py: Python<'py>,
    model: Described<'py>,
    input: &str,
    classes: bool,
    rates: bool,
    metadata: Vec<(String, String)>,
) -> PyResult<Bound<'py, PyBytes>> {
    let input = input.parse::<InputKind>().map_err(of_onnx)?;
    let options = ExportOptions::new().input(input).classes(classes).rates(rates);
    let options = metadata.into_iter().fold(options, |options, (key, value)| options.metadata(key, value));
    let bytes = mlp_onnx::to_onnx(&model.model()?, &options).map_err(of_onnx)?;
    Ok(PyBytes::new(py, &bytes))
}

/// The network with the activations that the configuration names.
fn described<F: Number>(
    coefs: &Bound<'_, PyAny>,
    intercepts: &Bound<'_, PyAny>,
    config: &TrainConfig,
) -> PyResult<Mlp<F>> {
    let mut mlp = network::network::<F>(coefs, intercepts, "identity", "identity")?;
    mlp.layers.iter_mut().zip(config.activations()).for_each(|(layer, activation)| layer.activation = activation);
    Ok(mlp)
}

/// Loads a model file; with batch normalisation the network into which it is folded.
#[pyfunction]
pub(crate) fn load_model(py: Python<'_>, path: PathBuf) -> PyResult<Loaded<'_>> {
    let model = mlp_train::load_model(path).map_err(of_project)?;
    let SavedModel { network, config, classes, other, .. } = model.folded();
    let (coefs, intercepts) = match network {
        AnyMlp::F32(mlp) => arrays(py, &mlp)?,
        AnyMlp::F64(mlp) => arrays(py, &mlp)?,
    };
    let text = |map: Map<String, Value>| Value::Object(map).to_string();
    Ok((coefs, intercepts, text(config.to_map()), classes, text(other)))
}

fn arrays<'py, F: Number>(py: Python<'py>, mlp: &Mlp<F>) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyAny>)> {
    let (coefs, intercepts): Parameters<'py, F> = network::parameters(py, mlp);
    Ok((coefs.into_pyobject(py)?.into_any(), intercepts.into_pyobject(py)?.into_any()))
}

/// The code of each class, a row of bits: `(n_classes, n_bits)`.
#[pyfunction]
pub(crate) fn codes<'py>(py: Python<'py>, encoding: &str, classes: Vec<String>) -> PyResult<Bound<'py, PyArray2<u8>>> {
    let unknown = || PyValueError::new_err(format!("there is no encoding \"{encoding}\""));
    let encoding = TargetEncoding::from_name(encoding).ok_or_else(unknown)?;
    encoding.check_classes(&classes).map_err(of_project)?;
    Ok(encoding.codebook(&classes).codes.into_pyarray(py))
}

/// Writes a file so that it is the old one or the whole new one.
#[pyfunction]
pub(crate) fn write_file(py: Python<'_>, path: PathBuf, content: &[u8]) -> PyResult<()> {
    py.detach(|| durable_file::write(&path, content)).map_err(|error| of_system(&path, &error))
}

fn parse(json: &str) -> PyResult<Map<String, Value>> {
    serde_json::from_str(json).map_err(|error| PyValueError::new_err(format!("expected an object of JSON: {error}")))
}
