//! The configuration of a training run: every choice that affects its numbers, with its name, meaning and range.
//!
//! A [`TrainConfig`] is a plain struct. Programs that read it from a file or a command line go key by key through
//! [`TrainConfig::set`], which checks the type and range of one value; what depends on several keys or on the data is
//! checked once, by [`TrainConfig::validate`].

mod parse;

use std::fmt;

use mlp_core::{Activation, Initializer, Loss, Objective, Real, Reduction};
use serde_json::{Map, Value, json};

use crate::encoding::{Codebook, TargetEncoding};
use crate::optimizer::Optimizer;
use crate::schedule::Schedule;

/// The largest number of weights and biases that a configuration may ask for.
pub const MAX_PARAMETERS: u64 = 1 << 31;

/// Keys that a full configuration may carry besides those of [`TrainConfig`]: they say what is trained on and under
/// which name, and belong to the program that loads the data. [`TrainConfig::from_map`] passes over them.
pub const PROGRAM_KEYS: [&str; 6] = ["name", "data", "train_size", "test_size", "classes", "init"];

/// Every choice of a training run except the data.
///
/// The default is what a person wants who writes nothing: a net that learns MNIST well in about a minute.
#[derive(Clone, Debug, PartialEq)]
pub struct TrainConfig {
    /// The number of units of each hidden layer. With none the network is a linear model behind the output
    /// activation: logistic regression.
    pub hidden: Vec<usize>,
    /// Whether layers have biases.
    pub bias: bool,
    /// The activation of the hidden layers: one for all, or one for each.
    pub activation: Vec<Activation>,
    /// The activation of the output layer.
    pub output_activation: Activation,
    /// How a label becomes targets; used by whoever makes the [`Codebook`](crate::Codebook).
    pub encoding: TargetEncoding,
    /// The distribution of the weights before training.
    pub initializer: Initializer,
    /// What one sample's answer costs.
    pub loss: Loss,
    /// How the losses of the outputs make up the loss of a sample.
    pub reduction: Reduction,
    /// The type of numbers.
    pub precision: Precision,
    /// The update rule.
    pub optimizer: Optimizer,
    /// The step length η, above 0.
    pub learning_rate: f64,
    /// γ, at least 0: adds γ·W to the gradient of W. Biases are left alone.
    pub l2: f64,
    /// γ₁, at least 0: adds γ₁·sign(W) to the gradient of W. Biases are left alone.
    pub l1: f64,
    /// How the learning rate changes.
    pub schedule: Schedule,
    /// Samples per update, at least 1; the last batch of an epoch may be smaller.
    pub batch_size: usize,
    /// Passes over the training samples; with 0 the untrained network is measured.
    pub epochs: usize,
    /// How many samples are split off the training set, by a random choice, for validation.
    pub validation: usize,
    /// When to stop before the last epoch.
    pub early_stopping: Option<EarlyStopping>,
    /// How many training samples are measured after each epoch.
    pub evaluate_train: EvaluateTrain,
    /// Where every random choice begins; at most 2⁶³ − 1, which is the largest integer of TOML.
    pub seed: u64,
}

/// The type of numbers a network computes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Precision {
    /// Single precision.
    F32,
    /// Double precision, as NumPy computes.
    F64,
}

/// Stop when a metric of the validation samples has not improved for `patience` epochs, and take the weights of its
/// best epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EarlyStopping {
    /// What is watched.
    pub metric: ValidationMetric,
    /// Epochs without improvement, at least 1, after which training stops.
    pub patience: usize,
}

/// A metric of the validation samples that early stopping can watch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ValidationMetric {
    /// The loss; lower is better.
    Loss,
    /// The mean absolute error; lower is better.
    Mae,
    /// The root mean squared error; lower is better.
    Rmse,
    /// The fraction of bits that are right; higher is better.
    BitAccuracy,
    /// The fraction of samples with every bit right; higher is better.
    DigitAccuracy,
    /// The fraction of samples whose nearest code is right; higher is better.
    NearestAccuracy,
}

/// How many training samples are measured after each epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EvaluateTrain {
    /// The first so many, at least 1; all where there are fewer.
    Count(usize),
    /// All of them.
    All,
}

/// One key of a configuration file, described for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// The key as written in a file.
    pub name: &'static str,
    /// What it means, in one line.
    pub meaning: &'static str,
    /// The values it takes, in one line.
    pub range: &'static str,
}

/// A value that a configuration cannot have. Its text is one line; a program adds file, line and column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// The key, as written in the file.
    pub key: String,
    /// What was expected instead.
    pub expected: String,
    /// What was found.
    pub found: String,
    /// What to do, where that is not obvious.
    pub hint: Option<String>,
}

impl std::error::Error for ConfigError {}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: expected {}, found {}", self.key, self.expected, self.found)?;
        match &self.hint {
            Some(hint) => write!(f, "; {hint}"),
            None => Ok(()),
        }
    }
}

impl Default for TrainConfig {
    fn default() -> Self {
        Self {
            hidden: vec![256, 128],
            bias: true,
            activation: vec![Activation::Sigmoid],
            output_activation: Activation::Sigmoid,
            encoding: TargetEncoding::Ascii,
            initializer: Initializer::GlorotUniform { gain: 2.0 },
            loss: Loss::CrossEntropy,
            reduction: Reduction::Mean,
            precision: Precision::F32,
            optimizer: Optimizer::ADAM,
            learning_rate: 0.003,
            l2: 0.0,
            l1: 0.0,
            schedule: Schedule::Cosine { warmup: 0.0, floor: 0.0 },
            batch_size: 32,
            epochs: 10,
            validation: 0,
            early_stopping: None,
            evaluate_train: EvaluateTrain::Count(10_000),
            seed: 0,
        }
    }
}

impl TrainConfig {
    /// Every key, in the order of a configuration file.
    pub const KEYS: &'static [Key] = &[
        key(
            "hidden",
            "units of each hidden layer",
            "a list of integers of at least 1, such as [512, 256]; [] for none",
        ),
        key("bias", "whether layers have biases", "true or false"),
        key(
            "activation",
            "activation of the hidden layers",
            "sigmoid, tanh, relu or identity; or a list with one for each hidden layer",
        ),
        key("output_activation", "activation of the outputs", "sigmoid, tanh, relu, identity or softmax"),
        key(
            "encoding",
            "how a class becomes target bits",
            "ascii, binary, one-hot or { name = \"random\", bits = 16 }",
        ),
        key(
            "initializer",
            "distribution of the first weights",
            "glorot-uniform, glorot-normal, lecun-uniform, lecun-normal, he-uniform, he-normal, uniform-0-1, \
             { name = \"glorot-uniform\", gain = 2 } and so on, { name = \"uniform\", low = -1, high = 1 } or \
             { name = \"normal\", mean = 0, deviation = 0.1 }",
        ),
        key(
            "loss",
            "what an answer costs",
            "absolute, squared, half-squared, rmse, cross-entropy (sigmoid outputs) or softmax-cross-entropy (softmax)",
        ),
        key("reduction", "how the losses of a sample's outputs are combined", "mean or sum"),
        key("precision", "type of numbers", "f32 or f64"),
        key(
            "optimizer",
            "update rule",
            "sgd, momentum, nesterov, adam, adamw; or a table such as { name = \"momentum\", momentum = 0.9 } or \
             { name = \"adamw\", beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, decay = 0.01 }",
        ),
        key("learning_rate", "step length η", "a number above 0"),
        key("l2", "γ: adds γ·W to the gradient of the weights", "a number of at least 0, with η·γ below 1"),
        key("l1", "γ₁: adds γ₁·sign(W) to the gradient of the weights", "a number of at least 0"),
        key(
            "schedule",
            "how the learning rate changes, in epochs",
            "constant, { name = \"step\", every = 10, factor = 0.5 } or { name = \"cosine\", warmup = 1, floor = 0 }",
        ),
        key("batch_size", "samples per update", "an integer from 1 to the number of training samples"),
        key("epochs", "passes over the training samples", "an integer of at least 0"),
        key(
            "validation",
            "samples split off for validation",
            "an integer from 0, below the number of training samples",
        ),
        key(
            "early_stopping",
            "when to stop before the last epoch",
            "false or a table such as { metric = \"validation.loss\", patience = 5 }; needs validation",
        ),
        key("evaluate_train", "training samples measured after each epoch", "an integer of at least 1, or \"all\""),
        key("seed", "where every random choice begins", "an integer from 0 to 9223372036854775807"),
    ];

    /// Sets one key from a value of a TOML or JSON file.
    ///
    /// # Errors
    ///
    /// For an unknown key, and for a value of the wrong type or outside the range of this key alone. The configuration
    /// is then unchanged.
    ///
    /// ```
    /// use mlp_train::TrainConfig;
    /// use serde_json::json;
    ///
    /// let mut config = TrainConfig::default();
    /// config.set("hidden", &json!([64, 32])).unwrap();
    /// let error = config.set("learnig_rate", &json!(0.1)).unwrap_err();
    /// assert!(error.to_string().ends_with("did you mean learning_rate?"));
    /// ```
    pub fn set(&mut self, key: &str, value: &Value) -> Result<(), ConfigError> {
        match key {
            "hidden" => self.hidden = parse::hidden(key, value)?,
            "bias" => self.bias = parse::boolean(key, value)?,
            "activation" => self.activation = parse::hidden_activations(key, value)?,
            "output_activation" => self.output_activation = parse::activation(key, value)?,
            "encoding" => self.encoding = parse::encoding(key, value)?,
            "initializer" => self.initializer = parse::initializer(key, value)?,
            "loss" => self.loss = parse::loss(key, value)?,
            "reduction" => self.reduction = parse::reduction(key, value)?,
            "precision" => self.precision = parse::precision(key, value)?,
            "optimizer" => self.optimizer = parse::optimizer(key, value)?,
            "learning_rate" => self.learning_rate = parse::positive(key, value)?,
            "l2" => self.l2 = parse::not_negative(key, value)?,
            "l1" => self.l1 = parse::not_negative(key, value)?,
            "schedule" => self.schedule = parse::schedule(key, value)?,
            "batch_size" => self.batch_size = parse::count(key, value, 1)?,
            "epochs" => self.epochs = parse::count(key, value, 0)?,
            "validation" => self.validation = parse::count(key, value, 0)?,
            "early_stopping" => self.early_stopping = parse::early_stopping(key, value)?,
            "evaluate_train" => self.evaluate_train = parse::evaluate_train(key, value)?,
            "seed" => self.seed = parse::seed(key, value)?,
            _ => return Err(parse::unknown_key(key)),
        }
        Ok(())
    }

    /// The value of one key, as [`TrainConfig::set`] takes it; null for an unknown key.
    pub fn get(&self, key: &str) -> Value {
        match key {
            "hidden" => json!(self.hidden),
            "bias" => json!(self.bias),
            "activation" => match self.activation.as_slice() {
                [all] => json!(all.name()),
                each => each.iter().map(|activation| activation.name()).collect(),
            },
            "output_activation" => json!(self.output_activation.name()),
            "encoding" => match self.encoding {
                TargetEncoding::Random { bits } => json!({ "name": "random", "bits": bits }),
                other => json!(other.name()),
            },
            "initializer" => match self.initializer {
                Initializer::Uniform { low, high } => json!({ "name": "uniform", "low": low, "high": high }),
                Initializer::Normal { mean, deviation } => {
                    json!({ "name": "normal", "mean": mean, "deviation": deviation })
                }
                other => match other.gain() {
                    Some(gain) if gain != 1.0 => json!({ "name": other.name(), "gain": gain }),
                    _ => json!(other.name()),
                },
            },
            "loss" => json!(self.loss.name()),
            "reduction" => json!(self.reduction.name()),
            "precision" => json!(self.precision.name()),
            "optimizer" => self.optimizer.to_value(),
            "learning_rate" => json!(self.learning_rate),
            "l2" => json!(self.l2),
            "l1" => json!(self.l1),
            "schedule" => self.schedule.to_value(),
            "batch_size" => json!(self.batch_size),
            "epochs" => json!(self.epochs),
            "validation" => json!(self.validation),
            "early_stopping" => match self.early_stopping {
                None => json!(false),
                Some(rule) => json!({ "metric": rule.metric.name(), "patience": rule.patience }),
            },
            "evaluate_train" => match self.evaluate_train {
                EvaluateTrain::Count(n_samples) => json!(n_samples),
                EvaluateTrain::All => json!("all"),
            },
            "seed" => json!(self.seed),
            _ => Value::Null,
        }
    }

    /// Every key with its value.
    pub fn to_map(&self) -> Map<String, Value> {
        Self::KEYS.iter().map(|key| (key.name.to_owned(), self.get(key.name))).collect()
    }

    /// The configuration with these keys; those that are missing have their defaults, and [`PROGRAM_KEYS`] are passed
    /// over.
    ///
    /// # Errors
    ///
    /// As [`TrainConfig::set`], for the first key at fault.
    pub fn from_map(map: &Map<String, Value>) -> Result<Self, ConfigError> {
        let mut config = Self::default();
        for (key, value) in map.iter().filter(|(key, _)| !PROGRAM_KEYS.contains(&key.as_str())) {
            config.set(key, value)?;
        }
        Ok(config)
    }

    /// Checks what depends on several keys or on the data: `n_train` samples (before validation samples are split
    /// off) of `n_inputs` numbers, with `n_outputs` targets each.
    ///
    /// # Errors
    ///
    /// Says which key to change, and to what.
    pub fn validate(&self, n_train: usize, n_inputs: usize, n_outputs: usize) -> Result<(), ConfigError> {
        self.check_each_key()?;
        self.check_network(n_inputs, n_outputs)?;
        self.check_update()?;
        self.check_samples(n_train)
    }

    /// Checks what matters for samples with labels only: whether the outputs can say their codes.
    ///
    /// # Errors
    ///
    /// For softmax outputs and other codes than one-hot: the outputs sum to 1, and the codes do not. For random words so
    /// short that two classes have the same.
    pub fn validate_codes(&self, codebook: &Codebook) -> Result<(), ConfigError> {
        let sums_to_one = codebook.codes.rows().into_iter().all(|code| code.sum() == 1);
        if self.output_activation == Activation::Softmax && !sums_to_one {
            let expected = "one-hot for softmax outputs, which sum to 1 as no other codes do";
            return Err(ConfigError::new("encoding", expected.to_owned(), self.encoding.name().to_owned()));
        }
        if let TargetEncoding::Random { bits } = self.encoding
            && (0..codebook.n_classes())
                .any(|class| (0..class).any(|other| codebook.codes.row(class) == codebook.codes.row(other)))
        {
            let expected = format!("words long enough for {} different ones", codebook.n_classes());
            return Err(ConfigError::new("encoding.bits", expected, bits.to_string()));
        }
        Ok(())
    }

    /// Whether every step is plain gradient descent on a single sample, and weights need not be written after each: see
    /// [`OneByOne`](mlp_core::OneByOne).
    pub fn descends_on_single_samples(&self) -> bool {
        let never_rises = !matches!(self.schedule, Schedule::Step { factor, .. } if factor > 1.0);
        let decay_is_mild = self.learning_rate * self.l2 <= 0.5;
        self.batch_size == 1 && self.optimizer == Optimizer::Sgd && self.l1 == 0.0 && decay_is_mild && never_rises
    }

    /// The loss and its reduction.
    pub fn objective(&self) -> Objective {
        Objective { loss: self.loss, reduction: self.reduction }
    }

    /// The sizes of the network from inputs to outputs: `[784, 256, 128, 6]`.
    pub fn sizes(&self, n_inputs: usize, n_outputs: usize) -> Vec<usize> {
        [&[n_inputs], self.hidden.as_slice(), &[n_outputs]].concat()
    }

    /// The activation of each layer, the output layer's last.
    pub fn activations(&self) -> Vec<Activation> {
        let hidden = match self.activation.as_slice() {
            [all] => vec![*all; self.hidden.len()],
            each => each.to_vec(),
        };
        [hidden.as_slice(), &[self.output_activation]].concat()
    }

    /// The number of weights and biases, or `None` if it does not fit into 64 bits.
    pub fn n_parameters(&self, n_inputs: usize, n_outputs: usize) -> Option<u64> {
        self.sizes(n_inputs, n_outputs).windows(2).try_fold(0_u64, |sum, sizes| {
            let n_inputs = (sizes[0] as u64).checked_add(u64::from(self.bias))?;
            sum.checked_add(n_inputs.checked_mul(sizes[1] as u64)?)
        })
    }

    /// Roughly the bytes of memory that training needs besides the data: the parameters with the optimiser's state, and
    /// again for measuring, as of now, and as of the best epoch; the activations and deltas of a batch of either kind.
    pub fn memory_needed(&self, n_inputs: usize, n_outputs: usize) -> u64 {
        let n_parameters = self.n_parameters(n_inputs, n_outputs).unwrap_or(u64::MAX);
        let n_units = self.sizes(n_inputs, n_outputs).iter().fold(0_u64, |sum, &size| sum.saturating_add(size as u64));
        let batch = (self.batch_size as u64).saturating_add(crate::evaluate::CHUNK as u64);
        n_parameters
            .saturating_mul(4 + self.optimizer.n_slots() as u64)
            .saturating_add(n_units.saturating_mul(2).saturating_mul(batch))
            .saturating_mul(self.precision.n_bytes() as u64)
    }

    /// Fields are public, so a value can be out of range without having gone through `set`.
    fn check_each_key(&self) -> Result<(), ConfigError> {
        let mut scratch = Self::default();
        Self::KEYS.iter().try_for_each(|key| scratch.set(key.name, &self.get(key.name)))
    }

    fn check_network(&self, n_inputs: usize, n_outputs: usize) -> Result<(), ConfigError> {
        let n_given = self.activation.len();
        if n_given != 1 && n_given != self.hidden.len() {
            return Err(ConfigError::new(
                "activation",
                format!("one activation, or one for each of the {} hidden layers", self.hidden.len()),
                format!("{n_given}"),
            ));
        }
        match self.n_parameters(n_inputs, n_outputs) {
            Some(n_parameters) if n_parameters <= MAX_PARAMETERS => Ok(()),
            n_parameters => Err(ConfigError::new(
                "hidden",
                format!("at most {MAX_PARAMETERS} weights and biases in the whole network"),
                n_parameters.map_or("more than 64 bits can count".to_owned(), |n_parameters| n_parameters.to_string()),
            )),
        }
    }

    fn check_update(&self) -> Result<(), ConfigError> {
        if !self.loss.fits(self.output_activation) {
            return Err(self.loss_misfit());
        }
        self.check_precision()?;
        check_decay("l2", self.learning_rate, self.l2)?;
        if let Optimizer::AdamW { decay, .. } = self.optimizer {
            check_decay("optimizer.decay", self.learning_rate, decay)?;
        }
        match self.schedule {
            Schedule::Cosine { warmup, .. } if warmup > self.epochs as f64 => Err(ConfigError::new(
                "schedule.warmup",
                format!("at most the number of epochs, {}", self.epochs),
                warmup.to_string(),
            )),
            _ => Ok(()),
        }
    }

    /// What is in range in double precision may round to 0 or 1 in single precision, and divide by zero there.
    fn check_precision(&self) -> Result<(), ConfigError> {
        let rounded = |number: f64| match self.precision {
            Precision::F32 => f64::from(number as f32),
            Precision::F64 => number,
        };
        let name = self.precision.name();
        let positive = |key: &str, number: f64| match rounded(number) > 0.0 {
            true => Ok(()),
            false => Err(ConfigError::new(key, format!("a number that is not 0 in {name}"), number.to_string())),
        };
        let below_one = |key: &str, number: f64| match rounded(number) < 1.0 {
            true => Ok(()),
            false => Err(ConfigError::new(key, format!("a number that is below 1 in {name}"), number.to_string())),
        };
        positive("learning_rate", self.learning_rate)?;
        match self.optimizer {
            Optimizer::Sgd => Ok(()),
            Optimizer::Momentum { momentum } | Optimizer::Nesterov { momentum } => {
                below_one("optimizer.momentum", momentum)
            }
            Optimizer::Adam { beta1, beta2, epsilon } | Optimizer::AdamW { beta1, beta2, epsilon, .. } => {
                below_one("optimizer.beta1", beta1)?;
                below_one("optimizer.beta2", beta2)?;
                positive("optimizer.epsilon", epsilon)
            }
        }
    }

    fn loss_misfit(&self) -> ConfigError {
        let output = self.output_activation;
        let fitting: Vec<_> = Loss::ALL.iter().filter(|loss| loss.fits(output)).map(|loss| loss.name()).collect();
        let required = self.loss.required_output().unwrap_or(output);
        ConfigError {
            hint: Some(format!("or set output_activation to {required}")),
            ..ConfigError::new(
                "loss",
                format!("{} for {output} outputs", parse::alternatives(&fitting)),
                self.loss.name().to_owned(),
            )
        }
    }

    fn check_samples(&self, n_train: usize) -> Result<(), ConfigError> {
        if self.validation >= n_train {
            return Err(ConfigError::new(
                "validation",
                format!("fewer than the {n_train} training samples"),
                self.validation.to_string(),
            ));
        }
        let n_left = n_train - self.validation;
        if self.batch_size > n_left {
            let after = if self.validation > 0 { " that validation leaves" } else { "" };
            return Err(ConfigError::new(
                "batch_size",
                format!("at most the {n_left} training samples{after}"),
                self.batch_size.to_string(),
            ));
        }
        if self.early_stopping.is_some() && self.validation == 0 {
            return Err(ConfigError::new(
                "validation",
                "at least 1 sample, because early_stopping watches them".to_owned(),
                "0".to_owned(),
            ));
        }
        Ok(())
    }
}

impl ConfigError {
    pub(crate) fn new(key: &str, expected: String, found: String) -> Self {
        Self { key: key.to_owned(), expected, found, hint: None }
    }
}

impl Precision {
    /// Both precisions.
    pub const ALL: [Self; 2] = [Self::F32, Self::F64];

    /// The precision of a type of numbers.
    pub fn of<F: Real>() -> Self {
        if size_of::<F>() == size_of::<f32>() { Self::F32 } else { Self::F64 }
    }

    /// The name in configuration files: `f32` or `f64`.
    pub fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::F64 => "f64",
        }
    }

    /// The precision of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|precision| precision.name() == name)
    }

    /// The bytes of one number.
    pub fn n_bytes(self) -> usize {
        match self {
            Self::F32 => 4,
            Self::F64 => 8,
        }
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl ValidationMetric {
    /// Every metric that can be watched.
    pub const ALL: [Self; 6] =
        [Self::Loss, Self::Mae, Self::Rmse, Self::BitAccuracy, Self::DigitAccuracy, Self::NearestAccuracy];

    /// The name in configuration files, such as `validation.loss`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Loss => "validation.loss",
            Self::Mae => "validation.mae",
            Self::Rmse => "validation.rmse",
            Self::BitAccuracy => "validation.bit_accuracy",
            Self::DigitAccuracy => "validation.digit_accuracy",
            Self::NearestAccuracy => "validation.nearest_accuracy",
        }
    }

    /// The metric of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|metric| metric.name() == name)
    }

    /// Whether larger values are better.
    pub fn higher_is_better(self) -> bool {
        matches!(self, Self::BitAccuracy | Self::DigitAccuracy | Self::NearestAccuracy)
    }

    /// The value among the metrics of the validation samples; `None` where the samples have no labels.
    pub fn of(self, metrics: &crate::metrics::EpochMetrics) -> Option<f64> {
        match self {
            Self::Loss => Some(metrics.loss),
            Self::Mae => Some(metrics.mae),
            Self::Rmse => Some(metrics.rmse),
            Self::BitAccuracy => metrics.bit_accuracy,
            Self::DigitAccuracy => metrics.digit_accuracy,
            Self::NearestAccuracy => metrics.nearest_accuracy,
        }
    }
}

impl fmt::Display for ValidationMetric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

const fn key(name: &'static str, meaning: &'static str, range: &'static str) -> Key {
    Key { name, meaning, range }
}

/// A step of plain descent multiplies a weight by 1 − η·γ: from η·γ = 1 on, decay overshoots zero. The other rules have
/// other factors; the bound is kept for all, since nothing useful lies beyond it.
fn check_decay(key: &str, learning_rate: f64, decay: f64) -> Result<(), ConfigError> {
    if learning_rate * decay < 1.0 {
        return Ok(());
    }
    Err(ConfigError::new(
        key,
        format!("below {}, so that learning_rate times {key} stays below 1", 1.0 / learning_rate),
        decay.to_string(),
    ))
}
