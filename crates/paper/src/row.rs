//! One trial of a study, in the form in which claims ask for it.

use mlp_results::{RunRecord, Status};

use mlp_train::EpochMetrics;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The keys of a configuration that some study varies.
const KEYS: [&str; 14] = [
    "hidden",
    "bias",
    "activation",
    "output_activation",
    "encoding",
    "initializer",
    "loss",
    "reduction",
    "precision",
    "optimizer",
    "learning_rate",
    "l2",
    "batch_size",
    "epochs",
];

/// One trial of a study, as the findings keep it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// The name of the sweep.
    pub sweep: String,
    /// The identity of the trial: its record is `trials/<trial>.json` in the folder of the sweep.
    pub trial: String,
    /// How it ended.
    pub status: Status,
    /// The seed of its weights and its batches.
    pub seed: u64,
    /// Images that weights were learned from, without those that were split off for validation.
    pub n_train: usize,
    /// Images that it was measured on after each epoch.
    pub n_test: usize,
    /// Those keys of its configuration that some study varies.
    pub config: Map<String, Value>,
    /// The metrics of the validation images in the epoch whose network was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation: Option<EpochMetrics>,
    /// The same of the test images; nothing of a network that diverged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test: Option<EpochMetrics>,
    /// The metrics of training and of test images before training and after each epoch, where a figure shows them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub curve: Vec<(EpochMetrics, EpochMetrics)>,
    /// The hash of the weights of the saved model, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weights_sha256: Option<String>,
}

impl Row {
    /// What the record of a trial of `sweep` says; with the learning curves if asked for.
    pub fn new(record: RunRecord, sweep: &str, with_curves: bool) -> Self {
        let validation = record.config.get("validation").and_then(Value::as_u64).unwrap_or(0) as usize;
        let kept = record.epochs.get(record.best_epoch).filter(|_| record.status == Status::Finished);
        let curve = record.epochs.iter().filter(|_| with_curves);
        Row {
            sweep: sweep.to_owned(),
            status: record.status,
            seed: record.config.get("seed").and_then(Value::as_u64).unwrap_or(0),
            n_train: record.data.train.saturating_sub(validation),
            n_test: record.data.test,
            validation: kept.and_then(|epoch| epoch.validation.clone()),
            test: kept.and_then(|epoch| epoch.test.clone()),
            curve: curve.filter_map(|epoch| Some((epoch.train.clone(), epoch.test.clone()?))).collect(),
            config: record.config.into_iter().filter(|(key, _)| KEYS.contains(&key.as_str())).collect(),
            weights_sha256: record.weights_sha256,
            trial: record.trial,
        }
    }

    /// A number of the configuration; not a number where there is none.
    pub fn number(&self, key: &str) -> f64 {
        self.config.get(key).and_then(Value::as_f64).unwrap_or(f64::NAN)
    }

    /// The share of test digits with every bit right; 0 for a network that diverged.
    pub fn accuracy(&self) -> f64 {
        self.test.as_ref().and_then(|test| test.exact_accuracy).unwrap_or(0.0)
    }

    /// The share of test digits whose code is the nearest to the outputs; 0 for a network that diverged.
    pub fn nearest_accuracy(&self) -> f64 {
        self.test.as_ref().and_then(|test| test.nearest_accuracy).unwrap_or(0.0)
    }

    /// The same of the validation images.
    pub fn validation_accuracy(&self) -> f64 {
        self.validation.as_ref().and_then(|validation| validation.nearest_accuracy).unwrap_or(0.0)
    }

    /// The mean absolute error of the bits of the test images; 1, the largest there is, for a network that diverged.
    pub fn error(&self) -> f64 {
        self.test.as_ref().map_or(1.0, |test| test.mae)
    }
}
