//! One trial: a configuration and its data in, a record and a network out.

use mlp_results::{RunRecord, Runtime, Subject, trial_id};

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use mlp_core::{Activation, Kernel, Mlp, Real, Workers};
use mlp_train::{
    AnyMlp, Codebook, EpochRecord, Error, ErrorKind, Inputs, Outcome, Precision, Progress, Samples, SavedModel, Setup,
    Targets, Trainable, load_model, train_resumable,
};
use mnist_io::LabeledImages;
use serde_json::{Map, Value, json};

use crate::checkpoints::TrialCheckpoints;
use crate::configuration::{RunSettings, SweepSpec};
use crate::data::Dataset;
use crate::diagnosis::Doctor;
use crate::failure::{Code, Failure};
use crate::guard::guarded;
use crate::lock::host_name;
use crate::memory::{Budget, Reservation};
use crate::options;
use crate::output::notice;

/// A cell of the grid, ready to run.
#[derive(Clone, Debug)]
pub(crate) struct Trial {
    /// Its identity: the name of its record and its model.
    pub(crate) id: String,
    /// Its choices.
    pub(crate) settings: RunSettings,
    /// The keys that vary in the sweep with the values here, in the order of the axes.
    pub(crate) varied: Vec<(String, String)>,
}

impl Trial {
    /// What distinguishes it from its siblings: `l2 = 0.1, seed = 1`; empty where nothing varies.
    pub(crate) fn label(&self) -> String {
        let varied = self.varied.iter().map(|(key, value)| format!("{key} = {value}"));
        varied.collect::<Vec<_>>().join(", ")
    }

    /// The values without their keys, where space is short: those of the fastest axis first, because there the
    /// difference to the neighbours lies.
    pub(crate) fn values(&self) -> String {
        let values = self.varied.iter().rev().map(|(_, value)| value.as_str());
        values.collect::<Vec<_>>().join(" · ")
    }

    /// The keys and values without the seed: trials that share them are repetitions of one another.
    pub(crate) fn cell(&self) -> Vec<(String, String)> {
        self.varied.iter().filter(|(key, _)| key != "seed").cloned().collect()
    }
}

/// What all trials of one command share.
pub(crate) struct Laboratory {
    pub(crate) data: Dataset,
    pub(crate) kernel: Kernel,
    /// A network to start from instead of a random one.
    pub(crate) initial: Option<Initial>,
    memory: Budget,
    train: BTreeMap<Option<usize>, Arc<LabeledImages>>,
    test: BTreeMap<Option<usize>, Arc<LabeledImages>>,
}

/// A saved network to start from.
pub(crate) struct Initial {
    model: SavedModel,
    sha256: String,
}

/// What is written while a trial is under way.
pub(crate) struct UnderWay {
    pub(crate) checkpoints: TrialCheckpoints,
    /// Where its diagnosis goes, if there is to be one.
    pub(crate) diagnosis: Option<PathBuf>,
}

/// How a trial ended.
pub(crate) enum Ending {
    /// It has a record, and unless it diverged or failed a network.
    Recorded(Box<RunRecord>, Option<AnyMlp>),
    /// It has come to the epoch at which it was to pause, and leaves a checkpoint.
    Paused(Box<EpochRecord>),
    /// It was stopped from outside, and leaves a checkpoint.
    Interrupted,
}

impl Initial {
    /// Reads the model at `path`.
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let model = load_model(path).map_err(|error| model_failure(&error))?;
        let sha256 = model.network.weights_sha256();
        Ok(Initial { model, sha256 })
    }

    /// Identity of its weights, in hexadecimal.
    pub(crate) fn sha256(&self) -> &str {
        &self.sha256
    }

    /// The network in numbers of type `F`.
    fn network<F: Real>(&self) -> Mlp<F> {
        match &self.model.network {
            AnyMlp::F32(mlp) => converted(mlp),
            AnyMlp::F64(mlp) => converted(mlp),
        }
    }
}

impl Laboratory {
    /// Takes the parts of the data that `cells` ask for.
    pub(crate) fn new(data: Dataset, kernel: Kernel, initial: Option<Initial>, cells: &[RunSettings]) -> Self {
        let (mut train, mut test) = (BTreeMap::new(), BTreeMap::new());
        for cell in cells {
            train.entry(cell.train_size).or_insert_with(|| data.train_of(cell.train_size));
            test.entry(cell.test_size).or_insert_with(|| data.test_of(cell.test_size));
        }
        // The images are in memory by now; what is left is for the networks.
        Laboratory { data, kernel, initial, memory: Budget::of_machine(), train, test }
    }

    /// The trials of `specification`, each checked against the data.
    pub(crate) fn trials(&self, specification: &SweepSpec) -> Result<Vec<Trial>, Failure> {
        let cells = specification.cells()?;
        let mut trials: Vec<Trial> = Vec::with_capacity(cells.len());
        let mut seen = BTreeMap::new();
        for settings in cells {
            check(&settings, &self.data).map_err(|error| specification.failure(&error))?;
            self.check_initial(&settings)?;
            let id = self.identity(&settings);
            let varied = varied(specification, &settings);
            let trial = Trial { id, settings, varied };
            if let Some(twin) = seen.insert(trial.id.clone(), trial.label()) {
                return Err(Failure::configuration(format!(
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
        map.entry("data").or_insert_with(|| json!(self.data.name));
        if let Some(initial) = &self.initial {
            map.insert("init".to_owned(), json!(initial.sha256));
        }
        map
    }

    /// What is stored with a model: all that is needed to use it on other data.
    pub(crate) fn model_configuration(&self, settings: &RunSettings) -> Map<String, Value> {
        let mut map = settings.to_map();
        map.entry("data").or_insert_with(|| json!(self.data.name));
        map.insert("classes".to_owned(), json!(self.data.train.classes.iter().collect::<String>()));
        map
    }

    /// The training and test images of a trial.
    pub(crate) fn images(&self, settings: &RunSettings) -> (Arc<LabeledImages>, Arc<LabeledImages>) {
        let (train, test) = (settings.train_size, settings.test_size);
        (
            self.train.get(&train).cloned().unwrap_or_else(|| self.data.train_of(train)),
            self.test.get(&test).cloned().unwrap_or_else(|| self.data.test_of(test)),
        )
    }

    /// Runs one trial from its latest checkpoint to its end, or to the end of the epoch `until`. A panic is tried once
    /// more from the beginning; the second, or a network that cannot fit into memory, makes a record of a failed trial.
    pub(crate) fn run(
        &self,
        trial: &Trial,
        workers: &Workers,
        files: &UnderWay,
        until: Option<usize>,
        observer: &mut dyn FnMut(Progress<'_>) -> ControlFlow<()>,
    ) -> Result<Ending, Failure> {
        let _memory = match self.memory_for(&trial.settings) {
            Ok(reservation) => reservation,
            Err(reason) => return Ok(self.failed(trial, workers, reason)),
        };
        let mut attempt = |workers: &Workers| {
            guarded(|| match trial.settings.train.precision {
                Precision::F32 => self.run_as::<f32>(trial, workers, files, until, observer, AnyMlp::F32),
                Precision::F64 => self.run_as::<f64>(trial, workers, files, until, observer, AnyMlp::F64),
            })
        };
        let first = match attempt(workers) {
            Ok(ending) => return ending,
            Err(panic) => panic,
        };
        notice(format_args!(
            "warning: trial {} panicked: {first}\n  it is tried once more, from the beginning",
            trial.id
        ));
        // Neither the checkpoints nor the threads of the attempt that failed are trusted.
        files.checkpoints.remove();
        match attempt(&options::team(workers.n_threads())?) {
            Ok(ending) => ending,
            Err(panic) => Ok(self.failed(trial, workers, format!("panic, twice: {panic}"))),
        }
    }

    fn run_as<F: Trainable>(
        &self,
        trial: &Trial,
        workers: &Workers,
        files: &UnderWay,
        until: Option<usize>,
        observer: &mut dyn FnMut(Progress<'_>) -> ControlFlow<()>,
        wrap: fn(Mlp<F>) -> AnyMlp,
    ) -> Result<Ending, Failure> {
        let config = &trial.settings.train;
        let (train_images, test_images) = self.images(&trial.settings);
        let codebook = config.encoding.codebook(&train_images.classes);
        let train_samples = samples(&train_images, &codebook);
        let test_samples = samples(&test_images, &codebook);
        let checkpoints = &files.checkpoints;
        let latest = checkpoints.latest::<F>(config);
        let (start, mut writer) = (latest.checkpoint, latest.writer);
        let reached = until.and_then(|epoch| start.as_ref()?.history.epochs.get(epoch));
        if let Some(reached) = reached {
            return Ok(Ending::Paused(Box::new(reached.clone())));
        }
        let setup = Setup { workers, kernel: self.kernel, initial: self.initial.as_ref().map(Initial::network) };
        let examine = |path: &PathBuf| Doctor::new(path, &trial.id, &train_samples, config.objective());
        let mut doctor = files.diagnosis.as_ref().map(examine);
        let mut paused = None;
        let run =
            train_resumable::<F>(config, &train_samples, Some(&test_samples), setup, start, &mut |progress, moment| {
                let mut go_on = observer(progress);
                if let Some(doctor) = &mut doctor {
                    doctor.observe(&progress, moment);
                }
                if let Progress::Epoch(reached) = progress
                    && until == Some(reached.epoch)
                {
                    paused = Some(reached.clone());
                    go_on = ControlFlow::Break(());
                }
                if go_on.is_break() || checkpoints.is_due(&writer, &progress, config.epochs) {
                    if let Some(doctor) = &mut doctor {
                        doctor.write();
                    }
                    checkpoints.write(&mut writer, moment);
                }
                go_on
            });
        let run = run.map_err(|error| Failure::configuration(error.to_string()))?;
        if let Some(doctor) = &mut doctor {
            doctor.write();
        }
        if run.outcome == Outcome::Interrupted
            && let Some(reached) = paused
        {
            return Ok(Ending::Paused(Box::new(reached)));
        }
        let record = RunRecord::of_run(self.subject(trial, workers), &run);
        Ok(match record {
            None => Ending::Interrupted,
            Some(record) => {
                let network = record.weights_sha256.is_some().then(|| wrap(run.mlp));
                Ending::Recorded(Box::new(record), network)
            }
        })
    }

    /// What a checkpoint of a trial says of itself: nothing else may go on from it.
    pub(crate) fn owner(&self, trial: &Trial) -> Map<String, Value> {
        let owner = [("trial", trial.id.as_str()), ("data", &self.data.sha256), ("kernel", self.kernel.name())];
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
    fn subject(&self, trial: &Trial, workers: &Workers) -> Subject {
        let (train, test) = self.images(&trial.settings);
        Subject {
            trial: trial.id.clone(),
            config: self.configuration(&trial.settings),
            data: self.data.describe(train.len(), test.len()),
            kernel: self.kernel,
            runtime: runtime(workers),
        }
    }

    fn failed(&self, trial: &Trial, workers: &Workers, reason: String) -> Ending {
        let (train, _) = self.images(&trial.settings);
        let n_outputs = trial.settings.train.encoding.codebook(&train.classes).n_bits();
        let layers = trial.settings.train.sizes(train.height() * train.width(), n_outputs);
        let record = RunRecord::of_failure(self.subject(trial, workers), layers, reason);
        Ending::Recorded(Box::new(record), None)
    }

    /// The memory that a trial needs, as soon as the others leave so much; why not, if it can never have it.
    fn memory_for(&self, settings: &RunSettings) -> Result<Reservation<'_>, String> {
        let needed = self.memory_needed(settings);
        self.memory.reserve(needed).map_err(|available| {
            format!(
                "the network needs about {} MB of memory, and {} MB are available; take fewer units, f32, or a smaller batch",
                needed >> 20,
                available >> 20
            )
        })
    }

    /// Whether the network to start from is the one that `settings` describe.
    fn check_initial(&self, settings: &RunSettings) -> Result<(), Failure> {
        let Some(initial) = &self.initial else { return Ok(()) };
        let (n_inputs, n_outputs) = shape(settings, &self.data);
        let expected =
            described(&settings.train.sizes(n_inputs, n_outputs), &settings.train.activations(), settings.train.bias);
        let found = match &initial.model.network {
            AnyMlp::F32(mlp) => described_network(mlp),
            AnyMlp::F64(mlp) => described_network(mlp),
        };
        if expected == found {
            return Ok(());
        }
        Err(Failure::configuration(format!(
            "--init: the initial network does not fit: expected {expected} as configured, found {found}; \
             configure the network that it is, or take another model"
        )))
    }

    fn identity(&self, settings: &RunSettings) -> String {
        let mut map = self.configuration(settings);
        // Asking for all images by their number is asking for all images.
        for (key, size, all) in [
            ("train_size", settings.train_size, self.data.train.len()),
            ("test_size", settings.test_size, self.data.test.len()),
        ] {
            if size == Some(all) {
                map.remove(key);
            }
        }
        trial_id(&map, &self.data.sha256)
    }
}

/// The weights of one epoch times its samples, for judging how long trials take in proportion; never 0.
pub(crate) fn work(settings: &RunSettings, data: &Dataset) -> u64 {
    let (n_inputs, n_outputs) = shape(settings, data);
    let n_parameters = settings.train.n_parameters(n_inputs, n_outputs).unwrap_or(u64::MAX);
    // Reading a sample and its bookkeeping cost about as much as so many weights.
    let per_sample = n_parameters.saturating_add(20_000);
    let n_samples = settings.train_size.unwrap_or(data.train.len()) as u64;
    per_sample.saturating_mul(n_samples).saturating_mul(settings.train.epochs.max(1) as u64).max(1)
}

/// Images with their labels as training sees them.
pub(crate) fn samples<'a, F: Real>(images: &'a LabeledImages, codebook: &'a Codebook) -> Samples<'a, F> {
    Samples { inputs: Inputs::Pixels(images.pixels()), targets: Targets::Labels { labels: &images.labels, codebook } }
}

/// The failure of a model file: unreadable is 5, unfit is 3.
pub(crate) fn model_failure(error: &Error) -> Failure {
    let code = match error.kind() {
        ErrorKind::Io => Code::InputOutput,
        _ => Code::Data,
    };
    Failure::new(code, error.to_string())
}

fn check(settings: &RunSettings, data: &Dataset) -> Result<(), Error> {
    for (key, size, all) in
        [("train_size", settings.train_size, data.train.len()), ("test_size", settings.test_size, data.test.len())]
    {
        if let Some(size) = size
            && size > all
        {
            let expected = format!("at most the {all} images that {} has", data.name);
            return Err(Error::of_key(key, expected, size.to_string()));
        }
    }
    let (n_inputs, n_outputs) = shape(settings, data);
    let n_train = settings.train_size.unwrap_or(data.train.len());
    settings.train.validate(n_train, n_inputs, n_outputs)?;
    settings.train.validate_codes(&settings.train.encoding.codebook(&data.train.classes))
}

/// Inputs and outputs of the network.
fn shape(settings: &RunSettings, data: &Dataset) -> (usize, usize) {
    let n_inputs = data.train.height() * data.train.width();
    let n_outputs = settings.train.encoding.codebook(&data.train.classes).n_bits();
    (n_inputs, n_outputs)
}

fn varied(specification: &SweepSpec, settings: &RunSettings) -> Vec<(String, String)> {
    let axes = specification.axes.iter();
    axes.map(|axis| {
        let value = settings.get(&axis.key).unwrap_or(Value::Null);
        (axis.key.clone(), shown(&value))
    })
    .collect()
}

/// A value for people: names without quotes.
pub(crate) fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Object(table) => match table.get("name") {
            Some(Value::String(name)) => {
                let rest = table.iter().filter(|(key, _)| *key != "name");
                let rest: Vec<String> = rest.map(|(key, value)| format!("{key} {}", shown(value))).collect();
                if rest.is_empty() { name.clone() } else { format!("{name} ({})", rest.join(", ")) }
            }
            _ => crate::configuration::toml_text(value),
        },
        other => crate::configuration::toml_text(other),
    }
}

fn runtime(workers: &Workers) -> Runtime {
    Runtime {
        seconds_train: Vec::new(),
        seconds_evaluate: Vec::new(),
        threads: workers.n_threads(),
        host: host_name(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    }
}

fn described(sizes: &[usize], activations: &[Activation], bias: bool) -> String {
    let names: Vec<_> = activations.iter().map(|activation| activation.name()).collect();
    format!("layers {sizes:?} with activations {} and bias = {bias}", names.join(", "))
}

fn described_network<F: Real>(mlp: &Mlp<F>) -> String {
    let activations: Vec<Activation> = mlp.layers.iter().map(|layer| layer.activation).collect();
    described(&mlp.sizes(), &activations, mlp.layers.iter().any(|layer| layer.bias.is_some()))
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
