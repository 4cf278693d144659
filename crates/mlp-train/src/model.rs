//! Model files: weights and biases in the safetensors format, which PyTorch and NumPy read too.
//!
//! A file holds `layers.0.weights` of shape `(n_inputs, n_outputs)`, `layers.0.bias` of shape `(n_outputs)` where layers
//! have biases, `layers.1.weights` and so on, all in `F32` or all in `F64`, and one metadata entry, `config`: JSON with
//! sorted keys, which are those of the configuration, `classes` (the characters that labels stand for, in one text) or,
//! where classes are words, `class_names` (a list of texts), whatever else the program says that saved the network, and
//! `sha256`, by which damage is noticed.
//!
//! With `batch_norm` the file holds the network before it is folded: hidden layers have `layers.0.scale`,
//! `layers.0.running_mean` and `layers.0.running_variance` of shape `(n_outputs)` too. What is loaded answers as the folded one.

use std::collections::HashMap;
use std::path::Path;

use mlp_core::{Activation, BatchNorm, Layer, Mlp, Real};
use ndarray::Array1;
use safetensors::tensor::SafeTensors;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::canonical::canonical_json;
use crate::config::{Precision, TrainConfig};
use crate::encoding::are_characters;
use crate::error::{Error, ErrorKind, Result};
use crate::tensor_file::{
    Problem, Tensor, bias_name, check_duplicates, check_finite, check_names, layer_tensors, matrix_shape, norm_names,
    norm_tensors, parse_entry, parse_file, parse_norm, parse_parameters, weights_name,
};
use crate::unfolded::{AnyNetwork, AnyUnfolded, Network, Unfolded};

/// The metadata entry that holds the configuration.
const CONFIG: &str = "config";
/// The entry of the configuration that holds the characters of the classes.
const CLASSES: &str = "classes";
/// The entry that holds the names of the classes where they are not all single characters.
const CLASS_NAMES: &str = "class_names";
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
///
/// ```
/// use mlp_train::mlp_core::{Activation, Initializer, Mlp};
/// use mlp_train::{SavedModel, TargetEncoding, TrainConfig, load_model};
///
/// let config = TrainConfig::new().hidden([3]).activation([Activation::Tanh]).encoding(TargetEncoding::OneHot);
/// let mlp = Mlp::<f32>::seeded(&[4, 3, 2], &config.activations(), config.bias, config.initializer, 0);
///
/// let path = std::env::temp_dir().join(format!("saved-model-{}.safetensors", std::process::id()));
/// let model = SavedModel::new(mlp, config, ["setosa", "versicolor"]);
/// model.save(&path)?;
/// assert_eq!(load_model(&path)?, model);
/// # std::fs::remove_file(path).unwrap();
/// # Ok::<(), mlp_train::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct SavedModel {
    /// The network that answers: with batch normalisation the folded one.
    pub network: AnyMlp,
    /// What it was folded from, with batch normalisation.
    pub unfolded: Option<AnyUnfolded>,
    /// The configuration it was trained with.
    pub config: TrainConfig,
    /// What the labels 0, 1, 2, … stand for, characters or words; empty where the file names none.
    pub classes: Vec<String>,
    /// What else the program says that saved it.
    pub other: Map<String, Value>,
}

impl SavedModel {
    /// A model of `network`, which `config` describes, with what the labels 0, 1, 2, … stand for: characters, words or
    /// anything that has a text; an empty `Vec<String>` for a network that answers numbers.
    pub fn new(
        network: impl Into<AnyMlp>,
        config: TrainConfig,
        classes: impl IntoIterator<Item = impl ToString>,
    ) -> Self {
        let classes = classes.into_iter().map(|class| class.to_string()).collect();
        Self { network: network.into(), unfolded: None, config, classes, other: Map::new() }
    }

    /// The same with what its network was folded from, as a run with batch normalisation has it
    /// ([`Run::unfolded`](crate::Run::unfolded)); where there is nothing, the same.
    #[must_use]
    pub fn with_unfolded<F: Real>(self, unfolded: Option<&Unfolded<F>>) -> Self {
        match unfolded {
            None => self,
            Some(unfolded) => {
                let (network, unfolded) = (folded(unfolded), Some(AnyUnfolded::new(unfolded)));
                Self { network, unfolded, ..self }
            }
        }
    }

    /// The ordinary network that answers the same, and a configuration that describes it: without batch normalisation, which
    /// is folded into weights and biases. The same where there is none.
    #[must_use]
    pub fn folded(&self) -> Self {
        let mut model = Self { unfolded: None, ..self.clone() };
        if model.config.batch_norm {
            model.config.batch_norm = false;
            if !model.config.bias && !model.config.hidden.is_empty() {
                // Either all layers have biases or none.
                model.config.bias = true;
                match &mut model.network {
                    AnyMlp::F32(mlp) => fill_biases(mlp),
                    AnyMlp::F64(mlp) => fill_biases(mlp),
                }
            }
        }
        model
    }

    /// Saves the model, as [`save_model`], or with batch normalisation as [`save_unfolded`]: what this writes, [`load_model`]
    /// loads.
    ///
    /// # Errors
    ///
    /// As these.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        AnyNetwork { mlp: self.network.clone(), unfolded: self.unfolded.clone() }.save(path, &self.to_map())
    }

    /// All but the network, as a model file has it: the keys of the configuration, the classes, and what the program says.
    pub fn to_map(&self) -> Map<String, Value> {
        let mut map = self.other.clone();
        map.extend(self.config.to_map());
        if !are_characters(&self.classes) {
            map.insert(CLASS_NAMES.to_owned(), json!(self.classes));
        } else if !self.classes.is_empty() {
            map.insert(CLASSES.to_owned(), json!(self.classes.concat()));
        }
        map
    }

    /// The model of a network and of what [`SavedModel::to_map`] gave.
    ///
    /// # Errors
    ///
    /// If a key of the configuration or the classes are not what they should be. Whether the configuration is that of the
    /// network is found out when the model is saved; whether the classes are as many as its outputs tell apart, by whoever
    /// answers with them ([`Classifier::new`](crate::Classifier::new), [`Committee::check`](crate::Committee::check)).
    pub fn with_map(network: impl Into<AnyMlp>, map: &Map<String, Value>) -> Result<Self> {
        let mut map = map.clone();
        map.remove(SHA256);
        let (config, classes, other) = parse_config(&map, true)
            .map_err(|problem| Error::at(ErrorKind::Model, problem.place, problem.expected, problem.found))?;
        Ok(Self { network: network.into(), unfolded: None, config, classes, other })
    }
}

/// Saves a network with its configuration. The file is staged beside `path`, synced, renamed, and the folder synced.
///
/// # Errors
///
/// If a weight is not finite, if the network is not the one that `config` describes (the keys that it lacks have their
/// defaults), or if the file cannot be written; the old file, if any, is then unchanged.
pub fn save_model<F: Real>(path: impl AsRef<Path>, mlp: &Mlp<F>, config: &Map<String, Value>) -> Result<()> {
    save(path.as_ref(), mlp, None, config)
}

/// Saves a network with batch normalisation, which is not folded, with its configuration; otherwise as [`save_model`].
///
/// # Errors
///
/// As [`save_model`].
pub fn save_unfolded<F: Real>(
    path: impl AsRef<Path>,
    unfolded: &Unfolded<F>,
    config: &Map<String, Value>,
) -> Result<()> {
    save(path.as_ref(), &unfolded.mlp, Some(&unfolded.norm), config)
}

fn save<F: Real>(path: &Path, mlp: &Mlp<F>, norm: Option<&BatchNorm<F>>, config: &Map<String, Value>) -> Result<()> {
    let tensors = tensors(mlp, norm);
    if let Some(tensor) = tensors.iter().find(|tensor| tensor.values.iter().any(|value| !value.is_finite())) {
        let name = &tensor.name;
        let sentence = format!("the model is not written, because {name} is not finite: the training has diverged");
        return Err(Error::at(ErrorKind::NotFinite, name, "finite numbers", "another").in_file(path).saying(sentence));
    }
    let mut config = config.clone();
    config.remove(SHA256);
    let described = parse_config(&config, true);
    config.insert(SHA256.to_owned(), json!(content_sha256(&config, &tensors)));
    let metadata = HashMap::from([(CONFIG.to_owned(), canonical_json(&Value::Object(config)))]);
    let views = tensors.iter().map(|tensor| (&tensor.name, tensor));
    let file = safetensors::serialize(views, Some(metadata)).expect("tensors of one type have a safetensors form");
    let checked = described.and_then(|(config, _, _)| check_network(&file, &config, mlp));
    checked.map_err(|problem| {
        problem.in_file(ErrorKind::Model, path, "save the network with the configuration that it was trained with")
    })?;
    durable_file::write(path, &file).map_err(|source| Error::io(path, "write the model", source))
}

/// Loads a model file, whichever its precision.
///
/// A file with a hash comes from [`save_model`]: entries that are no keys of a [`TrainConfig`] are the saving program's, and
/// are kept as [`SavedModel::other`]. In a file without a hash, which another program made, they are refused, because one
/// that is misspelt would change what the network answers.
///
/// # Errors
///
/// If the file cannot be read, is damaged or no model, or if its tensors are not exactly those that its configuration
/// describes.
pub fn load_model(path: impl AsRef<Path>) -> Result<SavedModel> {
    let path = path.as_ref();
    let bytes = durable_file::read(path).map_err(|source| Error::io(path, "read the model", source))?;
    parse_model(&bytes)
        .map_err(|problem| problem.in_file(ErrorKind::Model, path, "save the model again, or take another file"))
}

/// SHA-256, in hexadecimal digits, over the numbers' little-endian bytes: layer by layer, weights (row by row) before
/// biases. With batch normalisation, that of the folded network is what records name.
pub fn weights_sha256<F: Real>(mlp: &Mlp<F>) -> String {
    let mut hash = Sha256::new();
    for tensor in tensors(mlp, None) {
        hash.update(tensor.bytes());
    }
    hex::encode(hash.finalize())
}

/// What a model file promises to hold.
fn content_sha256<F: Real>(config: &Map<String, Value>, tensors: &[Tensor<F>]) -> String {
    let mut hash = Sha256::new();
    hash.update(canonical_json(&Value::Object(config.clone())));
    for tensor in tensors {
        hash.update(tensor.bytes());
    }
    hex::encode(hash.finalize())
}

fn folded<F: Real>(unfolded: &Unfolded<F>) -> AnyMlp {
    match AnyUnfolded::new(unfolded) {
        AnyUnfolded::F32(unfolded) => AnyMlp::F32(unfolded.fold()),
        AnyUnfolded::F64(unfolded) => AnyMlp::F64(unfolded.fold()),
    }
}

/// Biases of 0 for layers that have none.
fn fill_biases<F: Real>(mlp: &mut Mlp<F>) {
    for layer in &mut mlp.layers {
        layer.bias.get_or_insert_with(|| Array1::zeros(layer.weights.ncols()));
    }
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

    /// [`weights_sha256`].
    pub fn weights_sha256(&self) -> String {
        match self {
            Self::F32(mlp) => weights_sha256(mlp),
            Self::F64(mlp) => weights_sha256(mlp),
        }
    }
}

impl From<Mlp<f32>> for AnyMlp {
    fn from(mlp: Mlp<f32>) -> Self {
        Self::F32(mlp)
    }
}

impl From<Mlp<f64>> for AnyMlp {
    fn from(mlp: Mlp<f64>) -> Self {
        Self::F64(mlp)
    }
}

/// The tensors of a network in layer order, weights before bias, and then those of batch normalisation.
fn tensors<F: Real>(mlp: &Mlp<F>, norm: Option<&BatchNorm<F>>) -> Vec<Tensor<F>> {
    let layers = mlp.layers.iter().enumerate();
    let of_layer = |(i, layer): (usize, &Layer<F>)| {
        let norm = norm.and_then(|norm| norm.layers.get(i));
        let mut tensors = layer_tensors("", i, &layer.weights, layer.bias.as_ref());
        tensors.extend(norm.iter().flat_map(|norm| norm_tensors("", i, norm)));
        tensors
    };
    layers.flat_map(of_layer).collect()
}

/// Refuses what could not be loaded again, or would be another network then: activations are in the configuration alone.
fn check_network<F: Real>(bytes: &[u8], config: &TrainConfig, mlp: &Mlp<F>) -> std::result::Result<(), Problem> {
    let file = parse_file(bytes)?;
    match config.precision {
        Precision::F32 | Precision::Bf16 => parse_network::<f32>(&file, config).map(|_| ())?,
        Precision::F64 => parse_network::<f64>(&file, config).map(|_| ())?,
    }
    let layers = mlp.layers.iter().zip(config.activations()).enumerate();
    match layers.clone().find(|(_, (layer, configured))| layer.activation != *configured) {
        None => Ok(()),
        Some((i, (layer, configured))) => {
            let key = if i + 1 == mlp.layers.len() { "output_activation" } else { "activation" };
            let (number, n_layers) = (i + 1, mlp.layers.len());
            let expected = format!("{}, as layer {number} of {n_layers} in the network has it", layer.activation);
            Err(Problem::new(format!("config, key {key}"), expected, configured.to_string()))
        }
    }
}

fn parse_model(bytes: &[u8]) -> std::result::Result<SavedModel, Problem> {
    let file = parse_file(bytes)?;
    check_duplicates(bytes)?;
    let mut map = parse_entry(bytes, CONFIG)?;
    let sha256 = map.remove(SHA256);
    let (config, classes, other) = parse_config(&map, sha256.is_some())?;
    let AnyNetwork { mlp: network, unfolded } = match config.precision {
        Precision::F32 | Precision::Bf16 => parse_any::<f32>(&file, &config, &map, sha256)?,
        Precision::F64 => parse_any::<f64>(&file, &config, &map, sha256)?,
    };
    Ok(SavedModel { network, unfolded, config, classes, other })
}

/// The network of a file whose content has this hash, if it says one.
fn parse_any<F: Real>(
    file: &SafeTensors<'_>,
    config: &TrainConfig,
    map: &Map<String, Value>,
    sha256: Option<Value>,
) -> std::result::Result<AnyNetwork, Problem>
where
    AnyMlp: From<Mlp<F>>,
{
    let (mlp, norm) = parse_network::<F>(file, config)?;
    check_hash(&content_sha256(map, &tensors(&mlp, norm.as_ref())), sha256)?;
    let Network { mlp, unfolded } = Network::new(mlp, norm);
    Ok(AnyNetwork { mlp: mlp.into(), unfolded: unfolded.as_ref().map(AnyUnfolded::new) })
}

type Entries = (TrainConfig, Vec<String>, Map<String, Value>);

/// The entries of the configuration, by their owners.
fn parse_config(map: &Map<String, Value>, may_have_others: bool) -> std::result::Result<Entries, Problem> {
    let at_key = |error: Error| {
        let key = error.place().unwrap_or_default();
        Problem::new(format!("config, key {key}"), error.expected(), error.found())
    };
    let (config, mut other) = TrainConfig::split_map(map).map_err(at_key)?;
    let classes = parse_classes(other.remove(CLASSES), other.remove(CLASS_NAMES))?;
    match other.keys().next() {
        Some(unknown) if !may_have_others => Err(at_key(TrainConfig::unknown_key(unknown, &[CLASSES, CLASS_NAMES]))),
        _ => Ok((config, classes, other)),
    }
}

fn parse_classes(characters: Option<Value>, names: Option<Value>) -> std::result::Result<Vec<String>, Problem> {
    let problem =
        |key: &str, expected: &str, found: String| Err(Problem::new(format!("config, key {key}"), expected, found));
    match (characters, names) {
        (None, None) => Ok(Vec::new()),
        (Some(Value::String(characters)), None) => Ok(characters.chars().map(String::from).collect()),
        (Some(found), None) => problem(CLASSES, "the characters of the classes in one text", found.to_string()),
        (None, Some(names)) => match serde_json::from_value(names.clone()) {
            Ok(names) => Ok(names),
            Err(_) => problem(CLASS_NAMES, "a list with the name of each class", names.to_string()),
        },
        (Some(characters), Some(_)) => problem(CLASSES, "either this key or class_names", characters.to_string()),
    }
}

type Parts<F> = (Mlp<F>, Option<BatchNorm<F>>);

fn parse_network<F: Real>(file: &SafeTensors<'_>, config: &TrainConfig) -> std::result::Result<Parts<F>, Problem> {
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
    let n_normalized = if config.batch_norm { n_layers - 1 } else { 0 };
    let norms = (0..n_normalized).flat_map(norm_names);
    let known: Vec<_> = (0..n_layers).map(weights_name).chain(biases).chain(norms).collect();
    let layers = if n_layers == 1 { "layers.0".to_owned() } else { format!("layers.0 to layers.{}", n_layers - 1) };
    let biases = if config.bias { "with biases" } else { "without biases" };
    let norms = if config.batch_norm { " and batch normalisation" } else { "" };
    check_names(file, &known, &format!("{layers}, {biases}{norms}"))?;
    let layers = (0..n_layers).map(|i| parse_layer(file, i, (sizes[i], sizes[i + 1]), activations[i], config.bias));
    let mlp = Mlp { layers: layers.collect::<std::result::Result<_, _>>()? };
    let norm = config.batch_norm.then(|| parse_norm(file, "", &config.hidden)).transpose()?;
    Ok((mlp, norm))
}

fn parse_layer<F: Real>(
    file: &SafeTensors<'_>,
    i: usize,
    shape: (usize, usize),
    activation: Activation,
    bias: bool,
) -> std::result::Result<Layer<F>, Problem> {
    let (weights, bias) = parse_parameters(file, "", i, shape, bias)?;
    check_finite(&weights_name(i), weights.iter())?;
    check_finite(&bias_name(i), bias.iter().flatten())?;
    Ok(Layer { weights, bias, activation })
}

/// Compares the content with the hash in the file. A file that another program made may have none.
fn check_hash(found: &str, expected: Option<Value>) -> std::result::Result<(), Problem> {
    match expected {
        Some(expected) if expected != found => Err(Problem::new(
            "the configuration or the tensors",
            format!("content with the SHA-256 {expected}"),
            format!("\"{found}\""),
        )),
        _ => Ok(()),
    }
}
