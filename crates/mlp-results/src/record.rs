//! The record of a run: one JSON file that holds everything a report needs.
//!
//! A record is written once and never changed. It holds finite numbers only: JSON has no others, and a writer that
//! turned NaN into `null` would lose the difference between "not measured" and "broken". A run that diverged says so
//! in words, keeps the epochs before, and carries no weights.

use std::path::Path;

use mlp_core::{Kernel, Real};
use mlp_train::{
    ConfusionMatrix, Decoding, Divergence, EpochMetrics, EpochRecord, Mistake, Outcome, Run, TrainConfig,
    weights_sha256,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::error::{Error, ErrorKind, Result};
use crate::identity::is_identity;
use crate::metric::Metric;

/// The version of the record's layout.
pub const RECORD_SCHEMA: u32 = 1;

/// What a record of any version says of itself.
#[derive(Deserialize)]
struct Version {
    schema: u64,
}

/// A finished, diverged or failed run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunRecord {
    /// The version of this layout: [`RECORD_SCHEMA`].
    pub schema: u32,
    /// The identity of the trial: [`trial_id`](crate::trial_id).
    pub trial: String,
    /// How the run ended.
    pub status: Status,
    /// Where numbers overflowed; only in a run that diverged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub diverged: Option<Divergence>,
    /// Why the run failed; only in one that did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The full configuration: every key of [`TrainConfig`](mlp_train::TrainConfig), with name, data and sizes.
    pub config: Map<String, Value>,
    /// What was trained on.
    pub data: DataDescription,
    /// The metrics before training (epoch 0) and after each epoch.
    pub epochs: Vec<EpochRecord>,
    /// The epoch whose weights were kept: the last one, or with early stopping the best.
    pub best_epoch: usize,
    /// How the answers in `confusion`, `precision`, `recall` and `mistakes` were read. Absent where samples have no labels, and
    /// in records from before there was a choice: those read them exactly, also with one output a class.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decoding: Option<Decoding>,
    /// The confusion matrix of the kept weights on the test samples: a row for each label, a column for each answer,
    /// the last column for answers that are no class.
    #[serde(default)]
    pub confusion: Option<Vec<Vec<u64>>>,
    /// For each class, the fraction of its answers that are right (0 where there are none); empty without labels.
    #[serde(default)]
    pub precision: Vec<f64>,
    /// For each class, the fraction of its samples that are answered rightly (0 where there are none); empty without
    /// labels.
    #[serde(default)]
    pub recall: Vec<f64>,
    /// The hash of the kept weights; absent where the run came to no good end.
    #[serde(default)]
    pub weights_sha256: Option<String>,
    /// The first mistakes on the test samples.
    #[serde(default)]
    pub mistakes: Vec<Mistake>,
    /// The number of weights and biases.
    pub parameters: usize,
    /// The number of inputs and the units of each layer.
    pub layers: Vec<usize>,
    /// The instruction set that computed the numbers: results of different ones differ in rounding.
    pub kernel: String,
    /// What two runs of the same trial do not share.
    pub runtime: Runtime,
}

/// Which run a record is about.
#[derive(Clone, Debug, PartialEq)]
pub struct Subject {
    /// The identity of the trial: [`trial_id`](crate::trial_id).
    pub trial: String,
    /// The full configuration, as [`RunRecord::config`] keeps it.
    pub config: Map<String, Value>,
    /// What is trained on.
    pub data: DataDescription,
    /// The instruction set.
    pub kernel: Kernel,
    /// Threads, host and version.
    pub runtime: Runtime,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It reached its end.
    Finished,
    /// Its numbers overflowed: a finding, not a failure.
    Diverged,
    /// It could not be run.
    Failed,
}

/// What was trained on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataDescription {
    /// The name of the data set.
    pub name: String,
    /// The hash of the decoded data.
    pub sha256: String,
    /// The number of training samples, validation samples included.
    pub train: usize,
    /// The number of test samples.
    pub test: usize,
    /// The number of inputs of a sample.
    pub inputs: usize,
    /// The height of an image in pixels; 0 if samples are no images.
    #[serde(default)]
    pub height: usize,
    /// The width of an image in pixels; 0 if samples are no images.
    #[serde(default)]
    pub width: usize,
    /// What the labels stand for, characters or words; none where targets are numbers. In a file, characters are one text
    /// (`"0123456789"`), and words a list.
    #[serde(with = "crate::class_names")]
    pub classes: Vec<String>,
    /// Whether the data were made up by a program.
    #[serde(default)]
    pub synthetic: bool,
    /// Whether the network that training began with, or one before it, may have learned from what are validation samples here:
    /// they then flatter.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub validation_was_seen: bool,
}

/// What two runs of the same trial do not share.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Runtime {
    /// Seconds of training, one entry for each trained epoch: none for epoch 0.
    pub seconds_train: Vec<f64>,
    /// Seconds of measuring, for each entry of `epochs`.
    pub seconds_evaluate: Vec<f64>,
    /// The number of threads.
    pub threads: usize,
    /// The name of the machine.
    pub host: String,
    /// The version of the program.
    pub version: String,
}

impl RunRecord {
    /// The record of a run that came to an end.
    ///
    /// The seconds are taken from the run. An interrupted run has no record: it is not finished.
    pub fn of_run<F: Real>(subject: Subject, run: &Run<F>) -> Option<Self> {
        let Subject { trial, config, data, kernel, runtime } = subject;
        let (status, diverged) = match run.outcome {
            Outcome::Finished => (Status::Finished, None),
            Outcome::Diverged(divergence) => (Status::Diverged, Some(divergence)),
            Outcome::Interrupted => return None,
        };
        // A diverged run's confusion and mistakes would be those of weights that nobody asked for.
        let evaluation = run.evaluation.as_ref().filter(|_| status == Status::Finished);
        let confusion = evaluation.and_then(|evaluation| evaluation.confusion.as_ref());
        let of_classes = |measure: fn(&ConfusionMatrix, usize) -> f64| {
            confusion.map_or(Vec::new(), |confusion| {
                (0..confusion.n_classes()).map(|class| measure(confusion, class)).collect()
            })
        };
        Some(Self {
            schema: RECORD_SCHEMA,
            trial,
            status,
            diverged,
            error: None,
            data,
            epochs: run.history.epochs.clone(),
            best_epoch: run.history.best_epoch,
            decoding: confusion.map(|_| answers_by(&config)),
            config,
            confusion: confusion.map(|confusion| confusion.counts.clone()),
            precision: of_classes(ConfusionMatrix::precision),
            recall: of_classes(ConfusionMatrix::recall),
            weights_sha256: (status == Status::Finished).then(|| weights_sha256(&run.mlp)),
            mistakes: evaluation.map_or(Vec::new(), |evaluation| evaluation.mistakes.clone()),
            parameters: run.mlp.n_parameters(),
            layers: run.mlp.sizes(),
            kernel: kernel.name().to_owned(),
            runtime: Runtime {
                seconds_train: run.history.seconds_train.clone(),
                seconds_evaluate: run.history.seconds_evaluate.clone(),
                ..runtime
            },
        })
    }

    /// The record of a trial that could not be run, and why.
    pub fn of_failure(subject: Subject, layers: Vec<usize>, error: String) -> Self {
        let Subject { trial, config, data, kernel, runtime } = subject;
        Self {
            schema: RECORD_SCHEMA,
            trial,
            status: Status::Failed,
            diverged: None,
            error: Some(error),
            config,
            data,
            epochs: Vec::new(),
            best_epoch: 0,
            decoding: None,
            confusion: None,
            precision: Vec::new(),
            recall: Vec::new(),
            weights_sha256: None,
            mistakes: Vec::new(),
            parameters: 0,
            layers,
            kernel: kernel.name().to_owned(),
            runtime,
        }
    }

    /// The value of a key of the configuration, if the record has it. `batch_norm`, which is written only where it is true, is
    /// false where it is missing.
    pub fn setting(&self, key: &str) -> Option<&Value> {
        static FALSE: Value = Value::Bool(false);
        self.config.get(key).or((key == "batch_norm").then_some(&FALSE))
    }

    /// Reads a record. Fields that this version does not know are passed over; the accuracy that records from before there was
    /// a choice of decoding lack is filled in.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, is no record, or is a record of another schema.
    pub fn read(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let bytes = durable_file::read(path).map_err(|error| Error::io("read the record", path, error))?;
        if let Ok(Version { schema }) = serde_json::from_slice(&bytes)
            && schema != u64::from(RECORD_SCHEMA)
        {
            return Err(other_schema(path, schema));
        }
        let record: Self = serde_json::from_slice(&bytes).map_err(|error| malformed(path, &error))?;
        record.check(path)?;
        Ok(record.with_accuracy())
    }

    /// Writes the record: staged beside `path`, synced, renamed, and the folder synced.
    ///
    /// # Errors
    ///
    /// If a number is not finite, or the file cannot be written; the old file, if any, is then unchanged.
    pub fn write(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let json = self.to_json()?;
        durable_file::write(path, json.as_bytes()).map_err(|error| Error::io("write the record", path, error))
    }

    /// The record as indented JSON with its fields in the order of this struct, and a newline at the end.
    ///
    /// # Errors
    ///
    /// If a number is not finite.
    pub fn to_json(&self) -> Result<String> {
        if let Some((field, value)) = self.non_finite() {
            let text = format!(
                "the record of trial {} cannot be written: {field} is {value}, and a record holds finite numbers only",
                self.trial
            );
            return Err(Error::new(ErrorKind::NotFinite, text));
        }
        let json = serde_json::to_string_pretty(self).expect("a struct of strings, numbers and lists has a JSON form");
        Ok(json + "\n")
    }

    /// How an answer is read for the accuracy: as the configuration says, or as the encoding has it.
    pub fn answers_by(&self) -> Decoding {
        answers_by(&self.config)
    }

    /// The same with the accuracies that records from before there was a choice of decoding lack.
    pub(crate) fn with_accuracy(mut self) -> Self {
        let decoding = self.answers_by();
        self.epochs = self.epochs.into_iter().map(|epoch| epoch.with_accuracy_by(decoding)).collect();
        self
    }

    /// What was measured in the epoch whose weights were kept; in the last one, where a record that was not read from a file
    /// has no such epoch.
    pub fn kept_epoch(&self) -> Option<&EpochRecord> {
        self.epochs.iter().find(|epoch| epoch.epoch == self.best_epoch).or(self.epochs.last())
    }

    /// The metrics of the test samples in [`RunRecord::kept_epoch`].
    pub fn final_test(&self) -> Option<&EpochMetrics> {
        self.kept_epoch()?.test.as_ref()
    }

    /// Whether the trial need not be run again: it has finished or diverged.
    pub fn is_over(&self) -> bool {
        self.status != Status::Failed
    }

    /// Whether its identity is that of its configuration and its data ([`trial_id`](crate::trial_id), by this version of the
    /// numerics or an earlier one). Otherwise one of them was changed after the record was written.
    pub fn has_own_identity(&self) -> bool {
        is_identity(&self.trial, &self.config, &self.data.sha256)
    }

    /// The first number that is not finite, and where it stands.
    fn non_finite(&self) -> Option<(String, f64)> {
        let of_epochs = self.measured().map(|(place, name, value)| (format!("{place}.{name}"), value));
        let of_mistakes = self.mistakes.iter().enumerate().flat_map(|(i, mistake)| {
            mistake.outputs.iter().map(move |&value| (format!("mistakes[{i}].outputs"), value))
        });
        let of_lists = [
            ("precision", &self.precision),
            ("recall", &self.recall),
            ("runtime.seconds_train", &self.runtime.seconds_train),
            ("runtime.seconds_evaluate", &self.runtime.seconds_evaluate),
        ]
        .into_iter()
        .flat_map(|(name, values)| values.iter().map(move |&value| (name.to_owned(), value)));
        of_epochs.chain(of_mistakes).chain(of_lists).find(|(_, value)| !value.is_finite())
    }

    /// What was measured: the set in its epoch, the metric, and the value.
    fn measured(&self) -> impl Iterator<Item = (String, &'static str, f64)> {
        self.epochs.iter().enumerate().flat_map(|(i, epoch)| {
            let sets = [
                ("train", Some(&epoch.train)),
                ("validation", epoch.validation.as_ref()),
                ("test", epoch.test.as_ref()),
            ];
            sets.into_iter().flat_map(move |(set, metrics)| {
                let named = metrics.into_iter().flat_map(EpochMetrics::named);
                named.map(move |(name, value)| (format!("epochs[{i}].{set}"), name, value))
            })
        })
    }

    /// What is a share of samples, bits or answers, and where it stands.
    fn fractions(&self) -> impl Iterator<Item = (String, f64)> {
        let is_fraction = |name: &str| Metric::ALL.iter().any(|metric| metric.name() == name && metric.is_fraction());
        let of_epochs = self.measured().filter(move |(_, name, _)| is_fraction(name));
        let of_classes = [("precision", &self.precision), ("recall", &self.recall)].into_iter();
        let of_classes =
            of_classes.flat_map(|(name, values)| values.iter().map(move |&value| (name.to_owned(), value)));
        of_epochs.map(|(place, name, value)| (format!("{place}.{name}"), value)).chain(of_classes)
    }

    /// Checks what a reader of the record relies on beyond the types of its fields.
    pub(crate) fn check(&self, path: &Path) -> Result<()> {
        let inconsistent = |field: &str, expected: String, found: String| {
            let problem =
                format!("{field}: expected {expected}, found {found}. Delete the file and run the trial again");
            Err(Error::damaged(path, &problem))
        };
        if self.best_epoch >= self.epochs.len().max(1) {
            let n_epochs = self.epochs.len();
            return inconsistent("best_epoch", format!("below {n_epochs}"), self.best_epoch.to_string());
        }
        if let Some((i, epoch)) = self.epochs.iter().enumerate().find(|(i, epoch)| epoch.epoch != *i) {
            return inconsistent("epochs", format!("epoch {i} at position {i}"), epoch.epoch.to_string());
        }
        let n_classes = self.data.classes.len();
        if let Some(counts) = &self.confusion
            && (counts.len() != n_classes || counts.iter().any(|row| row.len() != n_classes + 1))
        {
            let found = format!("{} rows of {} numbers", counts.len(), counts.first().map_or(0, Vec::len));
            return inconsistent("confusion", format!("{n_classes} rows of {} numbers", n_classes + 1), found);
        }
        if let Some((field, value)) = self.fractions().find(|(_, value)| !(0.0..=1.0).contains(value)) {
            return inconsistent(&field, "a fraction from 0 to 1".to_owned(), value.to_string());
        }
        Ok(())
    }
}

/// A configuration that cannot be understood is taken as one that says nothing.
fn answers_by(config: &Map<String, Value>) -> Decoding {
    let mut typed = TrainConfig::default();
    for key in ["encoding", "decoding"] {
        let _ = config.get(key).map(|value| typed.set(key, value));
    }
    typed.answers_by()
}

/// A record in a layout that this version does not know: whoever wrote it can read it.
fn other_schema(path: &Path, found: u64) -> Error {
    let text = format!(
        "{}: schema {found}: expected schema {RECORD_SCHEMA}; the record is of another version of this program: use that \
         version, or another folder",
        path.display()
    );
    Error::new(ErrorKind::Version, text).of_file(path)
}

fn malformed(path: &Path, error: &serde_json::Error) -> Error {
    // serde_json ends its messages with the position, which stands before them here.
    let text = error.to_string();
    let (line, column) = (error.line(), error.column());
    let problem = text.strip_suffix(&format!(" at line {line} column {column}")).unwrap_or(&text);
    let problem = format!(
        "line {line}, column {column}: {problem}; expected a record of a run. Delete the file and run the trial again"
    );
    Error::damaged(path, &problem).at(line, column)
}
