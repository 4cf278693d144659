//! Tensors and metadata in safetensors files: what model files and checkpoints share.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use mlp_core::{BatchNorm, NormalizedLayer, Real};
use ndarray::{Array1, Array2};
use safetensors::tensor::{Dtype, SafeTensors, View};
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::{Map, Value};

use crate::config::Precision;
use crate::error::{Error, ErrorKind};

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

    /// The problem as an error of the file at `path`.
    pub(crate) fn in_file(self, kind: ErrorKind, path: &Path, advice: &str) -> Error {
        Error::at(kind, self.place, self.expected, self.found).with_advice(advice).in_file(path)
    }
}

/// The tensors and metadata of a file, or what was saved in its place.
pub(crate) fn parse_file(bytes: &[u8]) -> Result<SafeTensors<'_>, Problem> {
    if let Some(found) = durable_file::substitute(bytes) {
        return Err(Problem::new("header", "a safetensors file", found));
    }
    // A JSON file begins with a brace; a tensor file with the length of its header, of which that would make 123 at least.
    if serde_json::from_slice::<serde::de::IgnoredAny>(bytes).is_ok() {
        return Err(Problem::new("header", "a safetensors file", "a JSON file"));
    }
    SafeTensors::deserialize(bytes).map_err(|error| Problem::new("header", "a safetensors file", error.to_string()))
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
            Precision::F32 | Precision::Bf16 => {
                self.values.iter().flat_map(|value| (value.widen() as f32).to_le_bytes()).collect()
            }
            Precision::F64 => self.values.iter().flat_map(|value| value.widen().to_le_bytes()).collect(),
        }
    }
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

/// The tensors of what batch normalisation adds to one layer, each name with `prefix` before it.
pub(crate) fn norm_tensors<F: Real>(prefix: &str, layer: usize, norm: &NormalizedLayer<F>) -> Vec<Tensor<F>> {
    let rows = [&norm.scale, &norm.mean, &norm.variance];
    let named = norm_names(layer).into_iter().zip(rows);
    named.map(|(name, row)| row_tensor(format!("{prefix}{name}"), row)).collect()
}

/// A tensor with one dimension.
pub(crate) fn row_tensor<F: Real>(name: String, row: &Array1<F>) -> Tensor<F> {
    Tensor { name, shape: vec![row.len()], values: row.to_vec() }
}

pub(crate) fn scale_name(layer: usize) -> String {
    format!("layers.{layer}.scale")
}

/// The names of γ, the running mean and the running variance.
pub(crate) fn norm_names(layer: usize) -> [String; 3] {
    [scale_name(layer), format!("layers.{layer}.running_mean"), format!("layers.{layer}.running_variance")]
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
    let bias = if bias { Some(Array1::from_vec(parse_tensor(file, &bias_name, &[n_outputs])?)) } else { None };
    Ok((weights, bias))
}

/// What batch normalisation adds to hidden layers of so many units, in tensors whose names begin with `prefix`.
pub(crate) fn parse_norm<F: Real>(
    file: &SafeTensors<'_>,
    prefix: &str,
    n_units: &[usize],
) -> Result<BatchNorm<F>, Problem> {
    let layers = n_units.iter().enumerate().map(|(layer, &n_units)| {
        let names = norm_names(layer).map(|name| format!("{prefix}{name}"));
        let row = |name: &String| {
            let row = parse_row::<F>(file, name, n_units)?;
            check_finite(name, row.iter())?;
            Ok(row)
        };
        let [scale, mean, variance] = &names;
        let norm = NormalizedLayer { scale: row(scale)?, mean: row(mean)?, variance: row(variance)? };
        match norm.variance.iter().enumerate().find(|(_, value)| **value < F::zero()) {
            Some((i, value)) => {
                Err(Problem::new(format!("{variance}, number {i}"), "a variance of at least 0", value.to_string()))
            }
            None => Ok(norm),
        }
    });
    Ok(BatchNorm { layers: layers.collect::<Result<_, _>>()? })
}

/// A tensor of `n` numbers, whatever they are.
pub(crate) fn parse_row<F: Real>(file: &SafeTensors<'_>, name: &str, n: usize) -> Result<Array1<F>, Problem> {
    Ok(Array1::from_vec(parse_tensor(file, name, &[n])?))
}

/// Refuses weights that no training may go on with.
pub(crate) fn check_finite<'a, F: Real>(name: &str, values: impl Iterator<Item = &'a F>) -> Result<(), Problem> {
    match values.enumerate().find(|(_, value)| !value.is_finite()) {
        Some((i, value)) => Err(Problem::new(format!("{name}, number {i}"), "a finite number", value.to_string())),
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
        Precision::F32 | Precision::Bf16 => {
            let (numbers, _) = tensor.data().as_chunks();
            numbers.iter().map(|bytes| F::narrow(f64::from(f32::from_le_bytes(*bytes)))).collect()
        }
        Precision::F64 => {
            let (numbers, _) = tensor.data().as_chunks();
            numbers.iter().map(|bytes| F::narrow(f64::from_le_bytes(*bytes))).collect()
        }
    })
}

fn dtype<F: Real>() -> Dtype {
    dtype_of(Precision::of::<F>())
}

fn dtype_of(precision: Precision) -> Dtype {
    match precision {
        Precision::F32 | Precision::Bf16 => Dtype::F32,
        Precision::F64 => Dtype::F64,
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
