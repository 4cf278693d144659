//! Model files: weights and biases in the safetensors format, which PyTorch and NumPy read too.
//!
//! A file holds `layers.0.weights` of shape `(n_inputs, n_outputs)`, `layers.0.bias` of shape `(n_outputs)` where layers
//! have biases, `layers.1.weights` and so on, all in `F32` or all in `F64`, and one metadata entry, `config`: the
//! configuration as JSON with sorted keys, and in it `weights_sha256`, by which damage is noticed.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use mlp_core::{Activation, Layer, Mlp, Real};
use ndarray::{Array1, Array2};
use safetensors::tensor::{Dtype, SafeTensors, View};
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::canonical::canonical_json;
use crate::config::{Precision, TrainConfig};

/// The metadata entry that holds the configuration.
const CONFIG: &str = "config";
/// The entry of the configuration that holds the hash of all the rest: the configuration without this entry, as
/// canonical JSON, then the bytes of the tensors.
const SHA256: &str = "sha256";

/// A network of either precision.
#[derive(Clone, Debug, PartialEq)]
pub enum AnyMlp {
    /// Single precision.
    F32(Mlp<f32>),
    /// Double precision.
    F64(Mlp<f64>),
}

/// What a model file holds.
#[derive(Clone, Debug, PartialEq)]
pub struct SavedModel {
    /// The network.
    pub mlp: AnyMlp,
    /// The configuration it was saved with; [`TrainConfig::from_map`] reads it.
    pub config: Map<String, Value>,
}

/// A model file that could not be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// The file system refused.
    #[error("{}: cannot {action} the model: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// `read` or `write`.
        action: &'static str,
        /// Why.
        source: io::Error,
    },
    /// The file is not what a model file should be.
    #[error("{}: {place}: expected {expected}, found {found}; save the model again, or take another file", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// The place in it: the header, a tensor, or an entry of the configuration.
        place: String,
        /// What should be there.
        expected: String,
        /// What is there.
        found: String,
    },
    /// A network with weights that are NaN or infinite is not saved.
    #[error("{}: the model is not written, because {tensor} is not finite: the training has diverged", path.display())]
    NonFinite {
        /// The file that would have been written.
        path: PathBuf,
        /// The first tensor with such a number.
        tensor: String,
    },
}

/// Saves a network with its configuration. The file is staged beside `path`, synced, renamed, and the folder synced.
///
/// # Errors
///
/// If a weight is not finite, or the file cannot be written; the old file, if any, is then unchanged.
pub fn save_model<F: Real>(
    path: impl AsRef<Path>,
    mlp: &Mlp<F>,
    config: &Map<String, Value>,
) -> Result<(), ModelError> {
    let path = path.as_ref();
    let tensors = tensors(mlp);
    if let Some(tensor) = tensors.iter().find(|tensor| tensor.values.iter().any(|value| !value.is_finite())) {
        return Err(ModelError::NonFinite { path: path.to_owned(), tensor: tensor.name.clone() });
    }
    let mut config = config.clone();
    config.remove(SHA256);
    config.insert(SHA256.to_owned(), json!(content_sha256(&config, mlp)));
    let metadata = HashMap::from([(CONFIG.to_owned(), canonical_json(&Value::Object(config)))]);
    let views = tensors.iter().map(|tensor| (&tensor.name, tensor));
    let file = safetensors::serialize(views, Some(metadata)).expect("tensors of one type have a safetensors form");
    durable_file::write(path, &file).map_err(|source| ModelError::Io { path: path.to_owned(), action: "write", source })
}

/// Loads a model file, whichever its precision.
///
/// # Errors
///
/// If the file cannot be read, is damaged or no model, or if its tensors are not exactly those that its configuration
/// describes.
pub fn load_model(path: impl AsRef<Path>) -> Result<SavedModel, ModelError> {
    let path = path.as_ref();
    let bytes =
        durable_file::read(path).map_err(|source| ModelError::Io { path: path.to_owned(), action: "read", source })?;
    parse_model(&bytes).map_err(|Problem { place, expected, found }| ModelError::Invalid {
        path: path.to_owned(),
        place,
        expected,
        found,
    })
}

/// SHA-256, in hexadecimal digits, over the numbers' little-endian bytes: layer by layer, weights (row by row) before
/// biases.
pub fn weights_sha256<F: Real>(mlp: &Mlp<F>) -> String {
    let mut hash = Sha256::new();
    for tensor in tensors(mlp) {
        hash.update(tensor.bytes());
    }
    hex::encode(&hash.finalize())
}

/// What a model file promises to hold.
fn content_sha256<F: Real>(config: &Map<String, Value>, mlp: &Mlp<F>) -> String {
    let mut hash = Sha256::new();
    hash.update(canonical_json(&Value::Object(config.clone())));
    for tensor in tensors(mlp) {
        hash.update(tensor.bytes());
    }
    hex::encode(&hash.finalize())
}

impl AnyMlp {
    /// The number of inputs.
    pub fn n_inputs(&self) -> usize {
        match self {
            Self::F32(mlp) => mlp.n_inputs(),
            Self::F64(mlp) => mlp.n_inputs(),
        }
    }

    /// The number of outputs.
    pub fn n_outputs(&self) -> usize {
        match self {
            Self::F32(mlp) => mlp.n_outputs(),
            Self::F64(mlp) => mlp.n_outputs(),
        }
    }
}

/// What is wrong with the content of a model file, or of a checkpoint.
pub(crate) struct Problem {
    pub(crate) place: String,
    pub(crate) expected: String,
    pub(crate) found: String,
}

impl Problem {
    pub(crate) fn new(place: impl Into<String>, expected: impl Into<String>, found: impl Into<String>) -> Self {
        Self { place: place.into(), expected: expected.into(), found: found.into() }
    }
}

/// A tensor of a network, as it stands in a file.
pub(crate) struct Tensor<F> {
    pub(crate) name: String,
    pub(crate) shape: Vec<usize>,
    pub(crate) values: Vec<F>,
}

impl<F: Real> View for &Tensor<F> {
    fn dtype(&self) -> Dtype {
        dtype::<F>()
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        Cow::Owned(self.bytes())
    }

    fn data_len(&self) -> usize {
        self.values.len() * Precision::of::<F>().n_bytes()
    }
}

impl<F: Real> Tensor<F> {
    pub(crate) fn bytes(&self) -> Vec<u8> {
        match Precision::of::<F>() {
            // Narrowing what was single precision before is exact.
            Precision::F32 => self.values.iter().flat_map(|value| (value.widen() as f32).to_le_bytes()).collect(),
            Precision::F64 => self.values.iter().flat_map(|value| value.widen().to_le_bytes()).collect(),
        }
    }
}

/// The tensors of a network in layer order, weights before bias.
fn tensors<F: Real>(mlp: &Mlp<F>) -> Vec<Tensor<F>> {
    let layers = mlp.layers.iter().enumerate();
    layers.flat_map(|(i, layer)| layer_tensors("", i, &layer.weights, layer.bias.as_ref())).collect()
}

/// The tensors of one layer, each name with `prefix` before it.
pub(crate) fn layer_tensors<F: Real>(
    prefix: &str,
    layer: usize,
    weights: &Array2<F>,
    bias: Option<&Array1<F>>,
) -> Vec<Tensor<F>> {
    let named = |name: String, shape: &[usize], values: Vec<F>| Tensor {
        name: format!("{prefix}{name}"),
        shape: shape.to_vec(),
        values,
    };
    let weights = named(weights_name(layer), weights.shape(), weights.iter().copied().collect());
    let bias = bias.map(|bias| named(bias_name(layer), bias.shape(), bias.to_vec()));
    [weights].into_iter().chain(bias).collect()
}

pub(crate) fn weights_name(layer: usize) -> String {
    format!("layers.{layer}.weights")
}

pub(crate) fn bias_name(layer: usize) -> String {
    format!("layers.{layer}.bias")
}

fn dtype<F: Real>() -> Dtype {
    dtype_of(Precision::of::<F>())
}

fn dtype_of(precision: Precision) -> Dtype {
    match precision {
        Precision::F32 => Dtype::F32,
        Precision::F64 => Dtype::F64,
    }
}

fn parse_model(bytes: &[u8]) -> Result<SavedModel, Problem> {
    let file = SafeTensors::deserialize(bytes)
        .map_err(|error| Problem::new("header", "a safetensors file", error.to_string()))?;
    check_duplicates(bytes)?;
    let mut map = parse_entry(bytes, CONFIG)?;
    let sha256 = map.remove(SHA256);
    let config = TrainConfig::from_map(&map)
        .map_err(|error| Problem::new(format!("config, key {}", error.key), error.expected, error.found))?;
    let mlp = match config.precision {
        Precision::F32 => AnyMlp::F32(parse_network(&file, &config)?),
        Precision::F64 => AnyMlp::F64(parse_network(&file, &config)?),
    };
    let found = match &mlp {
        AnyMlp::F32(mlp) => content_sha256(&map, mlp),
        AnyMlp::F64(mlp) => content_sha256(&map, mlp),
    };
    check_hash(&found, sha256)?;
    Ok(SavedModel { mlp, config: map })
}

/// Refuses a header that names a tensor twice: the reader would silently take one of them.
pub(crate) fn check_duplicates(bytes: &[u8]) -> Result<(), Problem> {
    let Keys(mut names) = serde_json::from_slice(header(bytes)?)
        .map_err(|error| Problem::new("header", "a JSON object", error.to_string()))?;
    names.sort_unstable();
    match names.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(Problem::new(format!("header, entry {:?}", pair[0]), "each entry once", "it twice")),
        None => Ok(()),
    }
}

/// The JSON text between the length and the data.
fn header(bytes: &[u8]) -> Result<&[u8], Problem> {
    let cut_short =
        || Problem::new("header", "a length of 8 bytes and as many bytes", format!("{} bytes", bytes.len()));
    let (length, rest) = bytes.split_first_chunk().ok_or_else(cut_short)?;
    let length = usize::try_from(u64::from_le_bytes(*length)).map_err(|_| cut_short())?;
    rest.get(..length).ok_or_else(cut_short)
}

/// A metadata entry that holds a JSON object.
pub(crate) fn parse_entry(bytes: &[u8], entry: &str) -> Result<Map<String, Value>, Problem> {
    let place = format!("header, metadata entry {entry:?}");
    let (_, metadata) = SafeTensors::read_metadata(bytes)
        .map_err(|error| Problem::new("header", "a safetensors file", error.to_string()))?;
    let entries = metadata.metadata().as_ref();
    let json = entries
        .and_then(|entries| entries.get(entry))
        .ok_or_else(|| Problem::new(&place, "a JSON object", "no such entry"))?;
    serde_json::from_str(json).map_err(|error| Problem::new(place, "a JSON object", error.to_string()))
}

fn parse_network<F: Real>(file: &SafeTensors<'_>, config: &TrainConfig) -> Result<Mlp<F>, Problem> {
    let n_layers = config.hidden.len() + 1;
    let n_inputs = matrix_shape(file, &weights_name(0))?.0;
    let n_outputs = matrix_shape(file, &weights_name(n_layers - 1))?.1;
    let sizes = config.sizes(n_inputs, n_outputs);
    let activations = config.activations();
    if activations.len() != n_layers {
        let expected = format!("one activation, or one for each of the {} hidden layers", config.hidden.len());
        return Err(Problem::new("config, key activation", expected, config.activation.len().to_string()));
    }
    let biases = (0..n_layers).filter(|_| config.bias).map(bias_name);
    let known: Vec<_> = (0..n_layers).map(weights_name).chain(biases).collect();
    check_names(
        file,
        &known,
        &format!("layers 0 to {}, {}", n_layers - 1, if config.bias { "with biases" } else { "without biases" }),
    )?;
    let layers = (0..n_layers).map(|i| parse_layer(file, i, (sizes[i], sizes[i + 1]), activations[i], config.bias));
    let mlp = Mlp { layers: layers.collect::<Result<_, _>>()? };
    Ok(mlp)
}

pub(crate) fn matrix_shape(file: &SafeTensors<'_>, name: &str) -> Result<(usize, usize), Problem> {
    let missing = || Problem::new(name, "a tensor", "none of this name");
    match file.tensor(name).map_err(|_| missing())?.shape() {
        &[n_inputs, n_outputs] if n_inputs > 0 && n_outputs > 0 => Ok((n_inputs, n_outputs)),
        shape => Err(Problem::new(name, "a matrix of shape (n_inputs, n_outputs)", format!("shape {shape:?}"))),
    }
}

/// Refuses tensors that are not among the `known` ones, which `expected` describes.
pub(crate) fn check_names(file: &SafeTensors<'_>, known: &[String], expected: &str) -> Result<(), Problem> {
    // Sorted, so that of several the same one is always named.
    let found: BTreeMap<_, _> = file.iter().collect();
    match found.keys().find(|name| !known.iter().any(|known| known == *name)) {
        Some(extra) => Err(Problem::new(*extra, format!("only tensors of {expected}"), "this one too")),
        None => Ok(()),
    }
}

fn parse_layer<F: Real>(
    file: &SafeTensors<'_>,
    i: usize,
    shape: (usize, usize),
    activation: Activation,
    bias: bool,
) -> Result<Layer<F>, Problem> {
    let (weights, bias) = parse_parameters(file, "", i, shape, bias)?;
    check_finite(&weights_name(i), weights.iter())?;
    check_finite(&bias_name(i), bias.iter().flatten())?;
    Ok(Layer { weights, bias, activation })
}

/// The weights and biases of one layer whose names begin with `prefix`, whatever numbers they are.
pub(crate) fn parse_parameters<F: Real>(
    file: &SafeTensors<'_>,
    prefix: &str,
    layer: usize,
    (n_inputs, n_outputs): (usize, usize),
    bias: bool,
) -> Result<(Array2<F>, Option<Array1<F>>), Problem> {
    let (weights_name, bias_name) =
        (format!("{prefix}{}", weights_name(layer)), format!("{prefix}{}", bias_name(layer)));
    let weights = parse_tensor(file, &weights_name, &[n_inputs, n_outputs])?;
    let weights = Array2::from_shape_vec((n_inputs, n_outputs), weights)
        .map_err(|error| Problem::new(weights_name, format!("{n_inputs} × {n_outputs} numbers"), error.to_string()))?;
    let bias = match bias {
        true => Some(Array1::from_vec(parse_tensor(file, &bias_name, &[n_outputs])?)),
        false => None,
    };
    Ok((weights, bias))
}

/// Refuses weights that no training may go on with.
pub(crate) fn check_finite<'a, F: Real>(name: &str, values: impl Iterator<Item = &'a F>) -> Result<(), Problem> {
    match values.enumerate().find(|(_, value)| !value.is_finite()) {
        Some((i, value)) => Err(Problem::new(format!("{name}, number {i}"), "a finite number", value.to_string())),
        None => Ok(()),
    }
}

fn parse_tensor<F: Real>(file: &SafeTensors<'_>, name: &str, shape: &[usize]) -> Result<Vec<F>, Problem> {
    let tensor = file.tensor(name).map_err(|_| Problem::new(name, "a tensor", "none of this name"))?;
    if tensor.dtype() != dtype::<F>() {
        return Err(Problem::new(
            name,
            format!("type {:?} as configured", dtype::<F>()),
            format!("{:?}", tensor.dtype()),
        ));
    }
    if tensor.shape() != shape {
        return Err(Problem::new(name, format!("shape {shape:?}"), format!("shape {:?}", tensor.shape())));
    }
    Ok(match Precision::of::<F>() {
        Precision::F32 => {
            let (numbers, _) = tensor.data().as_chunks();
            numbers.iter().map(|bytes| F::narrow(f64::from(f32::from_le_bytes(*bytes)))).collect()
        }
        Precision::F64 => {
            let (numbers, _) = tensor.data().as_chunks();
            numbers.iter().map(|bytes| F::narrow(f64::from_le_bytes(*bytes))).collect()
        }
    })
}

/// Compares the content with the hash in the file. A file that another program made may have none.
fn check_hash(found: &str, expected: Option<Value>) -> Result<(), Problem> {
    match expected {
        Some(expected) if expected != found => Err(Problem::new(
            "the configuration or the tensors",
            format!("content with the SHA-256 {expected}"),
            format!("\"{found}\""),
        )),
        _ => Ok(()),
    }
}

/// The keys of a JSON object in their order, repetitions included.
struct Keys(Vec<String>);

impl<'de> serde::Deserialize<'de> for Keys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct KeysVisitor;

        impl<'de> Visitor<'de> for KeysVisitor {
            type Value = Keys;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Keys, A::Error> {
                let mut keys = Vec::new();
                while let Some((key, IgnoredAny)) = map.next_entry()? {
                    keys.push(key);
                }
                Ok(Keys(keys))
            }
        }

        deserializer.deserialize_map(KeysVisitor)
    }
}
