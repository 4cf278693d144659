//! Checkpoints: all that the rest of a run depends on, in memory and in a file.
//!
//! The file is safetensors, as model files are. It holds the network of the moment (`layers.0.weights`, …), the
//! optimiser's state (`slot.0.layers.0.weights`, …), the network that early stopping would return to
//! (`kept.layers.0.weights`, …), where weights are averaged their mean (`average.layers.0.weights`, …), and one metadata entry, `checkpoint`: JSON with
//!
//! - `format`: 1,
//! - `owner`: whatever identifies the run; a file of another owner is refused,
//! - `progressed`: epoch, batches trained in it, their summed loss, and its seconds,
//! - `history`: the epochs before,
//! - `sha256`: over all the rest.
//!
//! With batch normalisation each of the networks has what model files have of it (`layers.0.scale`, …), and the optimiser's
//! state that of the scales (`slot.0.layers.0.scale`, …).
//!
//! There is no state of a random generator in it, because there is none to keep: the order of an epoch is drawn from the
//! seed and the number of the epoch alone ([`shuffle_for_epoch`](crate::shuffle_for_epoch)), and everything else that is
//! random is drawn before the first epoch.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use mlp_core::{BatchNorm, Gradients, Layer, LayerGradient, Mlp, Real};
use ndarray::Array1;
use safetensors::tensor::SafeTensors;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::canonical::canonical_json;
use crate::config::TrainConfig;
use crate::error::{Error, ErrorKind, Result};
use crate::history::History;
use crate::tensor_file::{
    Problem, Tensor, bias_name, check_duplicates, check_finite, check_names, layer_tensors, matrix_shape, norm_names,
    norm_tensors, parse_entry, parse_file, parse_norm, parse_parameters, parse_row, row_tensor, scale_name,
    weights_name,
};

/// The version of the layout of checkpoint files.
const FORMAT: u64 = 1;
/// The metadata entry.
const ENTRY: &str = "checkpoint";
const SHA256: &str = "sha256";
const KEPT: &str = "kept.";
const AVERAGE: &str = "average.";

/// A run under way, between two batches or two epochs.
#[derive(Clone, Debug, PartialEq)]
pub struct Checkpoint<F> {
    /// The network of the moment.
    pub mlp: Mlp<F>,
    /// The optimiser's state: [`Optimizer::n_slots`](crate::Optimizer::n_slots) numbers for each parameter.
    pub slots: Vec<Gradients<F>>,
    /// The mean of the weights so far, where they are averaged.
    pub average: Option<Mlp<F>>,
    /// The network of the epoch `history.best_epoch`.
    pub kept: Mlp<F>,
    /// What batch normalisation has beside these networks, none of which is folded.
    pub norm: Option<CheckpointNorm<F>>,
    /// What was measured so far.
    pub history: History,
    /// How far the run has come.
    pub progressed: Progressed,
}

/// What batch normalisation adds to a [`Checkpoint`].
#[derive(Clone, Debug, PartialEq)]
pub struct CheckpointNorm<F> {
    /// That of the network of the moment.
    pub moment: BatchNorm<F>,
    /// The optimiser's state for the scales γ of each hidden layer, slot by slot.
    pub slots: Vec<Vec<Array1<F>>>,
    /// That of the mean of the weights, where they are averaged.
    pub average: Option<BatchNorm<F>>,
    /// That of the network that is kept.
    pub kept: BatchNorm<F>,
}

/// How far a run has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Progressed {
    /// The epoch under way, counted from 1. The epochs before are trained and measured.
    pub epoch: usize,
    /// How many of its batches are trained; if all are, it is still to be measured.
    pub batches: usize,
    /// The summed losses of their samples.
    pub loss: f64,
    /// Seconds that they took.
    pub seconds: f64,
}

impl<F: Real> Checkpoint<F> {
    /// Writes the checkpoint of the run that `owner` identifies. The file is staged beside `path`, synced, renamed, and
    /// the folder synced.
    ///
    /// # Errors
    ///
    /// If the file cannot be written; the old file, if any, is then unchanged.
    pub fn write(&self, path: impl AsRef<Path>, owner: &Map<String, Value>) -> Result<()> {
        let path = path.as_ref();
        durable_file::write(path, &self.to_bytes(owner))
            .map_err(|source| Error::io(path, "write the checkpoint", source))
    }

    /// Reads a checkpoint of the run that `owner` identifies, whose configuration is `config`.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, is damaged in any bit, or belongs to another run.
    pub fn read(path: impl AsRef<Path>, config: &TrainConfig, owner: &Map<String, Value>) -> Result<Self> {
        let path = path.as_ref();
        let bytes = durable_file::read(path).map_err(|source| Error::io(path, "read the checkpoint", source))?;
        let advice = "go on from an earlier checkpoint, or begin the run again";
        parse(&bytes, config, owner).map_err(|problem| problem.in_file(ErrorKind::Checkpoint, path, advice))
    }

    fn to_bytes(&self, owner: &Map<String, Value>) -> Vec<u8> {
        let tensors = self.tensors();
        let mut entry = Map::new();
        entry.insert("format".to_owned(), json!(FORMAT));
        entry.insert("owner".to_owned(), Value::Object(owner.clone()));
        entry.insert("progressed".to_owned(), json!(self.progressed));
        entry.insert("history".to_owned(), json!(self.history));
        let named: BTreeMap<&str, &Tensor<F>> = tensors.iter().map(|tensor| (tensor.name.as_str(), tensor)).collect();
        let mut hash = ContentHash::new(&entry);
        for (name, tensor) in named {
            hash.add(name, &tensor.shape, &tensor.bytes());
        }
        entry.insert(SHA256.to_owned(), json!(hash.finish()));
        let metadata = HashMap::from([(ENTRY.to_owned(), canonical_json(&Value::Object(entry)))]);
        let views = tensors.iter().map(|tensor| (&tensor.name, tensor));
        safetensors::serialize(views, Some(metadata)).expect("tensors of one type have a safetensors form")
    }

    fn tensors(&self) -> Vec<Tensor<F>> {
        let tensors_of = |prefix: &str, mlp: &Mlp<F>| -> Vec<Tensor<F>> {
            let layers = mlp.layers.iter().enumerate();
            layers.flat_map(|(i, layer)| layer_tensors(prefix, i, &layer.weights, layer.bias.as_ref())).collect()
        };
        let mut tensors = tensors_of("", &self.mlp);
        tensors.extend(tensors_of(KEPT, &self.kept));
        tensors.extend(self.average.iter().flat_map(|average| tensors_of(AVERAGE, average)));
        for (slot, state) in self.slots.iter().enumerate() {
            let layers = state.layers.iter().enumerate();
            let prefix = slot_prefix(slot);
            tensors
                .extend(layers.flat_map(|(i, layer)| layer_tensors(&prefix, i, &layer.weights, layer.bias.as_ref())));
        }
        tensors.extend(self.norm.iter().flat_map(CheckpointNorm::tensors));
        tensors
    }
}

impl<F: Real> CheckpointNorm<F> {
    fn tensors(&self) -> Vec<Tensor<F>> {
        let networks = [("", &self.moment), (KEPT, &self.kept)].into_iter();
        let networks = networks.chain(self.average.iter().map(|average| (AVERAGE, average)));
        let of_network = |(prefix, norm): (&'static str, &BatchNorm<F>)| {
            let layers = norm.layers.iter().enumerate();
            layers.flat_map(|(i, layer)| norm_tensors(prefix, i, layer)).collect::<Vec<_>>()
        };
        let of_slot = |(slot, state): (usize, &Vec<Array1<F>>)| {
            let name = |i| format!("{}{}", slot_prefix(slot), scale_name(i));
            state.iter().enumerate().map(|(i, row)| row_tensor(name(i), row)).collect::<Vec<_>>()
        };
        networks.flat_map(of_network).chain(self.slots.iter().enumerate().flat_map(of_slot)).collect()
    }
}

/// The hash of everything in a file but the hash itself.
struct ContentHash(Sha256);

impl ContentHash {
    /// Begins with the metadata.
    fn new(entry: &Map<String, Value>) -> Self {
        ContentHash(Sha256::new_with_prefix(canonical_json(&Value::Object(entry.clone()))))
    }

    /// Adds a tensor; the order of the names decides.
    fn add(&mut self, name: &str, shape: &[usize], bytes: &[u8]) {
        self.0.update(format!("\n{name} {shape:?} {}\n", bytes.len()));
        self.0.update(bytes);
    }

    fn finish(self) -> String {
        hex::encode(self.0.finalize())
    }
}

fn slot_prefix(slot: usize) -> String {
    format!("slot.{slot}.")
}

fn parse<F: Real>(
    bytes: &[u8],
    config: &TrainConfig,
    owner: &Map<String, Value>,
) -> std::result::Result<Checkpoint<F>, Problem> {
    let file = parse_file(bytes)?;
    check_duplicates(bytes)?;
    let mut entry = parse_entry(bytes, ENTRY)?;
    check_format(&entry)?;
    check_hash(&file, &mut entry)?;
    check_owner(&entry, owner)?;
    let history: History = field(&entry, "history")?;
    let progressed: Progressed = field(&entry, "progressed")?;

    let n_layers = config.hidden.len() + 1;
    let (n_slots, bias) = (config.optimizer.n_slots(), config.bias);
    let is_averaged = config.average.is_some();
    check_names(
        &file,
        &known_names(config),
        &format!("this network and of its optimizer, {}", config.optimizer.name()),
    )?;
    let n_inputs = matrix_shape(&file, &weights_name(0))?.0;
    let n_outputs = matrix_shape(&file, &weights_name(n_layers - 1))?.1;
    let (sizes, activations) = (config.sizes(n_inputs, n_outputs), config.activations());
    let parameters = |prefix: &str, i: usize| parse_parameters::<F>(&file, prefix, i, (sizes[i], sizes[i + 1]), bias);
    let network = |prefix: &str| -> std::result::Result<Mlp<F>, Problem> {
        let layers = activations.iter().enumerate().map(|(i, &activation)| {
            let (weights, bias) = parameters(prefix, i)?;
            check_finite(&format!("{prefix}{}", weights_name(i)), weights.iter())?;
            check_finite(&format!("{prefix}{}", bias_name(i)), bias.iter().flatten())?;
            Ok(Layer { weights, bias, activation })
        });
        Ok(Mlp { layers: layers.collect::<std::result::Result<_, _>>()? })
    };
    // Moments may overflow where weights do not, so their numbers are taken as they are.
    let slots = (0..n_slots).map(|slot| {
        let layers = (0..n_layers).map(|i| {
            let (weights, bias) = parameters(&slot_prefix(slot), i)?;
            Ok(LayerGradient { weights, bias })
        });
        Ok(Gradients { layers: layers.collect::<std::result::Result<_, _>>()? })
    });
    let norm = || {
        let norm = |prefix: &str| parse_norm::<F>(&file, prefix, &config.hidden);
        let slots = (0..n_slots).map(|slot| {
            let row = |i: usize| parse_row(&file, &format!("{}{}", slot_prefix(slot), scale_name(i)), config.hidden[i]);
            (0..n_layers - 1).map(row).collect::<std::result::Result<_, _>>()
        });
        Ok(CheckpointNorm {
            moment: norm("")?,
            slots: slots.collect::<std::result::Result<_, _>>()?,
            average: is_averaged.then(|| norm(AVERAGE)).transpose()?,
            kept: norm(KEPT)?,
        })
    };
    Ok(Checkpoint {
        norm: config.batch_norm.then(norm).transpose()?,
        mlp: network("")?,
        slots: slots.collect::<std::result::Result<_, _>>()?,
        average: is_averaged.then(|| network(AVERAGE)).transpose()?,
        kept: network(KEPT)?,
        history,
        progressed,
    })
}

fn known_names(config: &TrainConfig) -> Vec<String> {
    let n_layers = config.hidden.len() + 1;
    let n_normalized = if config.batch_norm { n_layers - 1 } else { 0 };
    let biases = (0..n_layers).filter(|_| config.bias).map(bias_name);
    let parameters: Vec<_> = (0..n_layers).map(weights_name).chain(biases).collect();
    let norms = (0..n_normalized).flat_map(norm_names);
    let of_network: Vec<_> = parameters.iter().cloned().chain(norms).collect();
    let of_slot: Vec<_> = parameters.into_iter().chain((0..n_normalized).map(scale_name)).collect();
    let under =
        |prefix: String, names: &[String]| names.iter().map(|name| format!("{prefix}{name}")).collect::<Vec<_>>();
    let average = config.average.map(|_| AVERAGE);
    let networks = ["", KEPT].into_iter().chain(average).flat_map(|prefix| under(prefix.to_owned(), &of_network));
    networks.chain((0..config.optimizer.n_slots()).flat_map(|slot| under(slot_prefix(slot), &of_slot))).collect()
}

fn place_of(key: &str) -> String {
    format!("header, metadata entry \"{ENTRY}\", key {key}")
}

fn field<T: for<'de> Deserialize<'de>>(entry: &Map<String, Value>, key: &str) -> std::result::Result<T, Problem> {
    let value = entry.get(key).cloned().unwrap_or(Value::Null);
    serde_json::from_value(value)
        .map_err(|error| Problem::new(place_of(key), "what a checkpoint has there", error.to_string()))
}

fn check_format(entry: &Map<String, Value>) -> std::result::Result<(), Problem> {
    match entry.get("format") {
        Some(format) if *format == json!(FORMAT) => Ok(()),
        other => {
            let found = other.map_or("none".to_owned(), Value::to_string);
            Err(Problem::new(place_of("format"), format!("{FORMAT}, the format of this version"), found))
        }
    }
}

fn check_hash(file: &SafeTensors<'_>, entry: &mut Map<String, Value>) -> std::result::Result<(), Problem> {
    let expected = entry.remove(SHA256);
    let mut hash = ContentHash::new(entry);
    let tensors: BTreeMap<_, _> = file.iter().collect();
    for (name, tensor) in tensors {
        hash.add(name, tensor.shape(), tensor.data());
    }
    let found = hash.finish();
    match expected {
        Some(Value::String(expected)) if expected == found => Ok(()),
        Some(expected) => {
            let expected = format!("content with the SHA-256 {expected}");
            Err(Problem::new("the metadata or the tensors", expected, format!("\"{found}\"")))
        }
        None => Err(Problem::new(place_of(SHA256), "the hash of the content", "none")),
    }
}

fn check_owner(entry: &Map<String, Value>, owner: &Map<String, Value>) -> std::result::Result<(), Problem> {
    let found: Map<String, Value> = field(entry, "owner")?;
    let mut keys: Vec<&String> = owner.keys().chain(found.keys()).collect();
    keys.sort();
    match keys.into_iter().find(|key| owner.get(*key) != found.get(*key)) {
        None => Ok(()),
        Some(key) => {
            let shown = |map: &Map<String, Value>| map.get(key).map_or("none".to_owned(), Value::to_string);
            Err(Problem::new(
                place_of(&format!("owner.{key}")),
                format!("{}, as in this run", shown(owner)),
                shown(&found),
            ))
        }
    }
}

/// How far the run has come whose checkpoint is at `path`, by its header alone; `None` if the file cannot be read or is
/// none. The tensors are not looked at, so this proves nothing about the rest of the file.
pub fn read_progressed(path: impl AsRef<Path>) -> Option<Progressed> {
    use std::io::Read;
    let mut file = std::fs::File::open(path).ok()?;
    let mut length = [0; 8];
    file.read_exact(&mut length).ok()?;
    let mut header = Vec::new();
    let length = u64::from_le_bytes(length);
    file.take(length.min(MAX_HEADER)).read_to_end(&mut header).ok()?;
    let header: Value = serde_json::from_slice(&header).ok()?;
    let entry: Value = serde_json::from_str(header.get("__metadata__")?.get(ENTRY)?.as_str()?).ok()?;
    serde_json::from_value(entry.get("progressed")?.clone()).ok()
}

/// No honest header is longer.
const MAX_HEADER: u64 = 100 << 20;
