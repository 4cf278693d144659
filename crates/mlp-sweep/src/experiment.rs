//! What all trials of a sweep share: data, instructions, memory, and a network to start from.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use mlp_core::{Activation, Kernel, Loss, Mlp, Real, Workers};
use mlp_results::{DataDescription, Runtime, Subject, trial_id};
use mlp_train::{AnyMlp, Initial, SavedModel, TrainConfig, Unfolded, are_characters, load_model};
use serde_json::{Map, Value, json};

use crate::dataset::{Dataset, SampleSet};
use crate::error::{Advice, Error, Result};
use crate::memory::{Budget, Reservation};
use crate::spec::{RunSettings, SweepSpec, shown};
use crate::trial::Trial;

/// The key of a model that says how other pictures are made ready for it; without it they are prepared to be like MNIST's.
pub const PICTURES_KEY: &str = "pictures";

/// Its value where pictures are given to the model as they are.
pub const AS_IT_IS: &str = "as they are";

/// What all trials of a sweep share.
pub struct Experiment {
    data: Dataset,
    kernel: Kernel,
    /// A network to start from instead of a random one.
    initial: Option<InitialModel>,
    memory: Budget,
    train: BTreeMap<Option<usize>, Arc<SampleSet>>,
    test: BTreeMap<Option<usize>, Arc<SampleSet>>,
}

/// The key of a model whose validation samples it may have learned from, it or a network before it.
pub const VALIDATION_SEEN_KEY: &str = "validation_was_seen";

/// A saved network to start from.
#[derive(Clone)]
pub struct InitialModel {
    model: SavedModel,
    sha256: String,
}

impl fmt::Debug for Experiment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = formatter.debug_struct("Experiment");
        shown.field("data", &self.data).field("kernel", &self.kernel).field("initial", &self.initial);
        shown.finish_non_exhaustive()
    }
}

impl fmt::Debug for InitialModel {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("InitialModel").field("sha256", &self.sha256).finish_non_exhaustive()
    }
}

impl InitialModel {
    /// Reads the model at `path`.
    ///
    /// # Errors
    ///
    /// If it cannot be read, or is not a model.
    pub fn read(path: &Path) -> Result<Self> {
        let model = load_model(path)?;
        let sha256 = model.network.weights_sha256();
        Ok(InitialModel { model, sha256 })
    }

    /// Whether it, or a network that it began with, may have learned from what `settings` split off the samples of `data` for
    /// validation: where it split off others, or already had that doubt.
    pub(crate) fn may_have_seen_validation(&self, settings: &RunSettings, data: &Dataset) -> bool {
        let train = &settings.train;
        if train.validation == 0 {
            return false;
        }
        let SavedModel { config, other, .. } = &self.model;
        let was_in_doubt = other.get(VALIDATION_SEEN_KEY).and_then(Value::as_bool) == Some(true);
        let same_data =
            other.get("data").and_then(Value::as_str) == Some(settings.data.as_deref().unwrap_or(data.name()));
        let train_size = other.get("train_size").and_then(Value::as_u64);
        let n_train = |size: Option<usize>| size.filter(|size| *size < data.train().len());
        let same_size = n_train(train_size.and_then(|size| usize::try_from(size).ok())) == n_train(settings.train_size);
        let split = |config: &TrainConfig| (config.validation, config.validation_split, config.seed);
        was_in_doubt || split(config) != split(train) || (same_data && !same_size)
    }

    /// Identity of its weights, in hexadecimal.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// The network in numbers of type `F`, as a run with `config` begins with it: with batch normalisation as it was trained,
    /// without as it answers.
    pub(crate) fn network<F: Real>(&self, config: &TrainConfig) -> Initial<F> {
        match (&self.model.unfolded, &self.model.network) {
            (Some(unfolded), _) if config.batch_norm => Initial::Unfolded(unfolded.converted()),
            (_, AnyMlp::F32(mlp)) => Initial::Plain(converted(mlp)),
            (_, AnyMlp::F64(mlp)) => Initial::Plain(converted(mlp)),
        }
    }
}

impl Experiment {
    /// Takes the parts of the data that the trials with `settings` ask for.
    pub(crate) fn new(data: Dataset, kernel: Kernel, initial: Option<InitialModel>, settings: &[RunSettings]) -> Self {
        let (mut train, mut test) = (BTreeMap::new(), BTreeMap::new());
        for one in settings {
            train.entry(one.train_size).or_insert_with(|| data.train_part(one.train_size));
            test.entry(one.test_size).or_insert_with(|| data.test_part(one.test_size));
        }
        // The images are in memory by now; what is left is for the networks.
        Experiment { data, kernel, initial, memory: Budget::of_machine(), train, test }
    }

    /// The trials of `specification`, each checked against the data.
    pub(crate) fn trials(&self, specification: &SweepSpec) -> Result<Vec<Trial>> {
        let all_settings = specification.trials_settings()?;
        let mut trials: Vec<Trial> = Vec::with_capacity(all_settings.len());
        let mut seen = BTreeMap::new();
        for settings in all_settings {
            check(&settings, &self.data).map_err(|error| specification.error(&error))?;
            self.check_initial(&settings)?;
            let id = self.identity(&settings);
            let varied = varied(specification, &settings);
            let trial = Trial { id, settings, varied };
            if let Some(twin) = seen.insert(trial.id.clone(), trial.label()) {
                return Err(Error::specification(format!(
                    "[sweep]: expected different trials, found that \"{twin}\" and \"{}\" compute the same; leave one out",
                    trial.label()
                )));
            }
            trials.push(trial);
        }
        Ok(trials)
    }

    /// The full configuration, as records keep it.
    pub(crate) fn configuration(&self, settings: &RunSettings) -> Map<String, Value> {
        let mut map = settings.to_map();
        map.entry("data").or_insert_with(|| json!(self.data.name()));
        if let Some(initial) = &self.initial {
            map.insert("init".to_owned(), json!(initial.sha256));
        }
        map
    }

    /// What is stored with a model: all that is needed to use it on other data.
    pub(crate) fn model_configuration(&self, settings: &RunSettings) -> Map<String, Value> {
        let mut map = settings.to_map();
        map.entry("data").or_insert_with(|| json!(self.data.name()));
        let classes = self.data.train().classes();
        let (key, classes) = if are_characters(classes) {
            ("classes", json!(classes.concat()))
        } else {
            ("class_names", json!(classes))
        };
        map.insert(key.to_owned(), classes);
        if self.data.is_as_it_is() {
            map.insert(PICTURES_KEY.to_owned(), json!(AS_IT_IS));
        }
        if self.validation_was_seen(settings) {
            map.insert(VALIDATION_SEEN_KEY.to_owned(), json!(true));
        }
        map
    }

    /// Whether the network that a trial begins with may have learned from its validation samples.
    pub fn validation_was_seen(&self, settings: &RunSettings) -> bool {
        self.initial.as_ref().is_some_and(|initial| initial.may_have_seen_validation(settings, &self.data))
    }

    /// The training and test samples of a trial.
    pub(crate) fn parts(&self, settings: &RunSettings) -> (Arc<SampleSet>, Arc<SampleSet>) {
        let (train, test) = (settings.train_size, settings.test_size);
        (
            self.train.get(&train).cloned().unwrap_or_else(|| self.data.train_part(train)),
            self.test.get(&test).cloned().unwrap_or_else(|| self.data.test_part(test)),
        )
    }

    /// What a checkpoint of a trial says of itself: nothing else may go on from it.
    pub(crate) fn owner(&self, trial: &Trial) -> Map<String, Value> {
        let owner = [("trial", trial.id.as_str()), ("data", self.data.sha256()), ("kernel", self.kernel.name())];
        owner.into_iter().map(|(key, value)| (key.to_owned(), json!(value))).collect()
    }

    /// Roughly the bytes that a trial needs: for training, for a checkpoint, and for the file it becomes.
    pub(crate) fn memory_needed(&self, settings: &RunSettings) -> u64 {
        let (n_inputs, n_outputs) = shape(settings, &self.data);
        let train = &settings.train;
        let n_parameters = train.n_parameters(n_inputs, n_outputs).unwrap_or(u64::MAX);
        let checkpoint = 2 * (2 + train.optimizer.n_slots() as u64) * train.precision.n_bytes() as u64;
        train.memory_needed(n_inputs, n_outputs).saturating_add(n_parameters.saturating_mul(checkpoint))
    }

    /// The bytes that all trials together may use, if the system says.
    pub(crate) fn memory_available(&self) -> Option<u64> {
        self.memory.whole()
    }

    /// What the record of a trial is about.
    pub(crate) fn subject(&self, trial: &Trial, workers: &Workers) -> Subject {
        let (train, test) = self.parts(&trial.settings);
        Subject {
            trial: trial.id.clone(),
            config: self.configuration(&trial.settings),
            data: DataDescription {
                validation_was_seen: self.validation_was_seen(&trial.settings),
                ..self.data.describe(train.len(), test.len())
            },
            kernel: self.kernel,
            runtime: runtime(workers),
        }
    }

    /// The memory that a trial needs, as soon as the others leave so much; why not, if it can never have it.
    pub(crate) fn memory_for(&self, settings: &RunSettings) -> std::result::Result<Reservation<'_>, String> {
        let needed = self.memory_needed(settings);
        self.memory.reserve(needed).map_err(|available| {
            format!(
                "the network needs about {} MiB of memory, and {} MiB are available; take fewer units, f32, or a smaller batch",
                needed >> 20,
                available >> 20
            )
        })
    }

    /// Whether the network to start from is the one that `settings` describe.
    fn check_initial(&self, settings: &RunSettings) -> Result<()> {
        let Some(initial) = &self.initial else { return Ok(()) };
        let (n_inputs, n_outputs) = shape(settings, &self.data);
        let train = &settings.train;
        let norm = if train.batch_norm { " and batch normalisation" } else { "" };
        let expected =
            described(&train.sizes(n_inputs, n_outputs), &train.activations(), &train.bias.to_string()) + norm;
        let found = match initial.network::<f64>(train) {
            Initial::Plain(mlp) => described_network(&mlp),
            Initial::Unfolded(Unfolded { mlp, .. }) => described_network(&mlp) + norm,
        };
        if expected == found {
            return Ok(());
        }
        Err(Error::specification(format!(
            "the initial network does not fit: expected {expected} as configured, found {found}; "
        ))
        .with_advice(Advice::InitialModel))
    }

    /// The weights times the samples of all epochs, for judging how long trials take in proportion; never 0.
    pub fn work(&self, settings: &RunSettings) -> u64 {
        let (n_inputs, n_outputs) = shape(settings, &self.data);
        let n_parameters = settings.train.n_parameters(n_inputs, n_outputs).unwrap_or(u64::MAX);
        // Reading a sample and its bookkeeping cost about as much as so many weights.
        let per_sample = n_parameters.saturating_add(20_000);
        let n_samples = settings.train_size.unwrap_or(self.data.train().len()) as u64;
        per_sample.saturating_mul(n_samples).saturating_mul(settings.train.epochs.max(1) as u64).max(1)
    }

    /// The inputs and outputs of the network of a trial.
    pub fn shape(&self, settings: &RunSettings) -> (usize, usize) {
        shape(settings, &self.data)
    }

    /// The numbers of training samples, validation samples among them, and of test samples of a trial.
    pub fn n_samples(&self, settings: &RunSettings) -> (usize, usize) {
        let (train, test) = (self.data.train().len(), self.data.test().len());
        (
            settings.train_size.map_or(train, |size| size.min(train)),
            settings.test_size.map_or(test, |size| size.min(test)),
        )
    }

    /// What is trained and tested on.
    pub fn data(&self) -> &Dataset {
        &self.data
    }

    /// The instruction set.
    pub fn kernel(&self) -> Kernel {
        self.kernel
    }

    /// The network that trials start from, if there is one.
    pub fn initial(&self) -> Option<&InitialModel> {
        self.initial.as_ref()
    }

    fn identity(&self, settings: &RunSettings) -> String {
        let mut map = self.configuration(settings);
        // Asking for all images by their number is asking for all images.
        for (key, size, all) in [
            ("train_size", settings.train_size, self.data.train().len()),
            ("test_size", settings.test_size, self.data.test().len()),
        ] {
            if size == Some(all) {
                map.remove(key);
            }
        }
        trial_id(&map, self.data.sha256())
    }
}

fn check(settings: &RunSettings, data: &Dataset) -> mlp_train::Result<()> {
    for (key, size, all) in
        [("train_size", settings.train_size, data.train().len()), ("test_size", settings.test_size, data.test().len())]
    {
        if let Some(size) = size
            && size > all
        {
            let expected = format!("at most the {all} {} that {} has", data.train().noun(), data.name());
            return Err(mlp_train::Error::of_key(key, expected, size.to_string()));
        }
    }
    settings.train.encoding.check_classes(data.train().classes())?;
    if settings.train.loss == Loss::Poisson && !data.train().classes().is_empty() {
        let expected = "a loss for classes, whose targets are the bits of codes (poisson is for counts, and its outputs are \
                        their logarithms), such as cross-entropy";
        return Err(mlp_train::Error::of_key("loss", expected, "poisson"));
    }
    let (n_inputs, n_outputs) = shape(settings, data);
    let n_train = settings.train_size.unwrap_or(data.train().len());
    settings.train.validate(n_train, n_inputs, n_outputs)?;
    settings.train.validate_images(data.train().image_size())?;
    match data.train().codebook(&settings.train) {
        Some(codebook) => settings.train.validate_codes(&codebook),
        None => Ok(()),
    }
}

/// Inputs and outputs of the network.
fn shape(settings: &RunSettings, data: &Dataset) -> (usize, usize) {
    (data.train().n_inputs(), data.train().n_outputs(settings.train.encoding))
}

fn varied(specification: &SweepSpec, settings: &RunSettings) -> Vec<(String, String)> {
    let axes = specification.axes.iter().filter(|axis| axis.varies());
    axes.map(|axis| {
        let value = settings.get(&axis.key).unwrap_or(Value::Null);
        (axis.key.clone(), shown(&value))
    })
    .collect()
}

fn runtime(workers: &Workers) -> Runtime {
    Runtime {
        seconds_train: Vec::new(),
        seconds_evaluate: Vec::new(),
        threads: workers.n_threads(),
        host: durable_file::lock::host_name(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    }
}

fn described(sizes: &[usize], activations: &[Activation], bias: &str) -> String {
    let names: Vec<_> = activations.iter().map(|activation| activation.name()).collect();
    format!("layers {sizes:?} with activations {} and bias = {bias}", names.join(", "))
}

fn described_network<F: Real>(mlp: &Mlp<F>) -> String {
    let activations: Vec<Activation> = mlp.layers.iter().map(|layer| layer.activation).collect();
    let mut biases: Vec<_> = mlp.layers.iter().map(|layer| layer.bias.is_some()).collect();
    biases.dedup();
    let bias = if let [bias] = biases[..] { bias.to_string() } else { "true in some layers".to_owned() };
    described(&mlp.sizes(), &activations, &bias)
}

/// The same network in another type of numbers.
fn converted<From: Real, To: Real>(mlp: &Mlp<From>) -> Mlp<To> {
    let layers = mlp.layers.iter().map(|layer| mlp_core::Layer {
        weights: layer.weights.mapv(|weight| To::narrow(weight.widen())),
        bias: layer.bias.as_ref().map(|bias| bias.mapv(|value| To::narrow(value.widen()))),
        activation: layer.activation,
    });
    Mlp { layers: layers.collect() }
}
