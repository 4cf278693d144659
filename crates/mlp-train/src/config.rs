//! The configuration of a training run: every choice that affects its numbers, with its name, meaning and range.
//!
//! A [`TrainConfig`] is made in a program by [`TrainConfig::new`] and the methods named as its fields, or read from any
//! format that serde knows. Both ways meet in one table, [`TrainConfig::KEYS`]: it knows of each key how it is set from a
//! value, with its range, and how it is got. A new key is a field here, a line in [`Default`], and a row of that table.
//! What depends on several keys or on the data is checked once, by [`TrainConfig::validate`].

mod averaging;
mod builder;
mod choices;
mod class_weights;
mod keys;
mod named;
mod precision;
mod split;
mod stopping;
mod validate;
mod values;
mod wording;

use mlp_core::{Activation, Initializer, Loss, Objective, Reduction};

use crate::augmentation::Augmentation;
use crate::decoding::Decoding;
use crate::encoding::{Codebook, TargetEncoding};
use crate::optimizer::Optimizer;
use crate::schedule::Schedule;

pub use averaging::Averaging;
pub use class_weights::ClassWeights;
pub use keys::Key;
pub use precision::Precision;
pub use split::ValidationSplit;
pub use stopping::{EarlyStopping, ValidationMetric};
pub use wording::nearest;

/// The largest number of weights and biases that a configuration may ask for.
pub const MAX_PARAMETERS: u64 = 1 << 31;

/// Every choice of a training run except the data.
///
/// The default is what a person wants who writes nothing: a net that learns MNIST well in about a minute.
///
/// ```
/// use mlp_train::mlp_core::Activation;
/// use mlp_train::{Optimizer, TrainConfig};
///
/// let config = TrainConfig::new()
///     .hidden([64, 32])
///     .activation([Activation::Relu])
///     .optimizer(Optimizer::Momentum { momentum: 0.9 })
///     .learning_rate(0.01);
///
/// // The same from a file.
/// let text = r#"{
///     "hidden": [64, 32],
///     "activation": "relu",
///     "optimizer": { "name": "momentum", "momentum": 0.9 },
///     "learning_rate": 0.01
/// }"#;
/// assert_eq!(serde_json::from_str::<TrainConfig>(text)?, config);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
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
    /// How an answer is read from the outputs; as the encoding has it where this is `None`. It changes what is measured, not
    /// what is learned.
    pub decoding: Option<Decoding>,
    /// The distribution of the weights before training.
    pub initializer: Initializer,
    /// What one sample's answer costs.
    pub loss: Loss,
    /// How the losses of the outputs make up the loss of a sample.
    pub reduction: Reduction,
    /// ε, at least 0 and below 1: a fraction of each target that is given to the other answers
    /// ([`TrainConfig::smoothed_targets`]). Training targets only; what is measured, losses too, is measured against the
    /// labels as they are.
    pub label_smoothing: f64,
    /// What training samples count by their class; all the same where this is `None`. The loss of a batch of n samples is
    /// (1/n) Σ w·loss, with w the weight of the class, times the sample's own where it has one ([`Samples::weights`]). What is
    /// measured, losses too, counts every sample once.
    ///
    /// [`Samples::weights`]: field@crate::Samples::weights
    pub class_weights: Option<ClassWeights>,
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
    /// The largest Euclidean norm of the gradient of all weights and biases, above 0; a longer one is shortened to it before the
    /// penalties are added.
    pub clip_norm: Option<f64>,
    /// The rates p, at least 0 and below 1, at which outputs of the hidden layers are left out of a step: one for all layers,
    /// or one for each ([`Dropout`](mlp_core::Dropout)). What is measured is the whole network.
    pub dropout: Vec<f64>,
    /// The rate at which inputs are left out of a step.
    pub input_dropout: f64,
    /// The largest Euclidean norm of the weights of each unit, above 0; after a step longer ones are shortened to it. Biases are
    /// left alone.
    pub max_norm: Option<f64>,
    /// Whether the net inputs of hidden layers are normalised over the batch ([`BatchNorm`](mlp_core::BatchNorm)). What is measured
    /// is the network with the running statistics.
    pub batch_norm: bool,
    /// How training images are deformed, otherwise in every epoch; not at all where this is `None`. It needs images, with
    /// their shape ([`Inputs::Images`](crate::Inputs::Images)).
    pub augment: Option<Augmentation>,
    /// How the learning rate changes.
    pub schedule: Schedule,
    /// The mean of the weights that is measured, kept and saved; the weights themselves where this is `None`.
    pub average: Option<Averaging>,
    /// Samples per update, at least 1; the last batch of an epoch may be smaller.
    pub batch_size: usize,
    /// Passes over the training samples; with 0 the untrained network is measured.
    pub epochs: usize,
    /// How many samples are split off the training set for validation.
    pub validation: usize,
    /// How they are chosen.
    pub validation_split: ValidationSplit,
    /// When to stop before the last epoch.
    pub early_stopping: Option<EarlyStopping>,
    /// How many training samples are measured after each epoch.
    pub evaluate_train: EvaluateTrain,
    /// Where every random choice begins; at most 2⁶³ − 1, which is the largest integer of TOML.
    pub seed: u64,
}

/// How many training samples are measured after each epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EvaluateTrain {
    /// The first so many, at least 1; all where there are fewer.
    Count(usize),
    /// All of them.
    All,
}

impl Default for TrainConfig {
    fn default() -> Self {
        Self {
            hidden: vec![256, 128],
            bias: true,
            activation: vec![Activation::Sigmoid],
            output_activation: Activation::Sigmoid,
            encoding: TargetEncoding::Ascii,
            decoding: None,
            initializer: Initializer::GlorotUniform { gain: 2.0 },
            loss: Loss::CrossEntropy,
            reduction: Reduction::Mean,
            label_smoothing: 0.0,
            class_weights: None,
            precision: Precision::F32,
            optimizer: Optimizer::ADAM,
            learning_rate: 0.003,
            l2: 0.0,
            l1: 0.0,
            clip_norm: None,
            dropout: vec![0.0],
            input_dropout: 0.0,
            max_norm: None,
            batch_norm: false,
            augment: None,
            schedule: Schedule::Cosine { warmup: 0.0, floor: 0.0 },
            average: None,
            batch_size: 32,
            epochs: 10,
            validation: 0,
            validation_split: ValidationSplit::Random,
            early_stopping: None,
            evaluate_train: EvaluateTrain::Count(10_000),
            seed: 0,
        }
    }
}

impl TrainConfig {
    /// The defaults, to be changed by the methods that are named as the fields.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether every step is plain gradient descent on a single sample, and weights need not be written after each: see
    /// [`OneByOne`](mlp_core::OneByOne).
    pub fn descends_on_single_samples(&self) -> bool {
        let decay_is_mild = self.learning_rate * self.l2 <= 0.5;
        // What needs the gradient as a whole, or the weights after each step.
        let needs_each_step = self.clip_norm.is_some()
            || self.max_norm.is_some()
            || self.has_dropout()
            || self.batch_norm
            || matches!(self.average, Some(Averaging::Ema { .. }));
        let is_plain = self.optimizer == Optimizer::Sgd && self.l1 == 0.0 && !needs_each_step;
        self.batch_size == 1 && is_plain && decay_is_mild && !self.schedule.rises()
    }

    /// How an answer is read from the outputs.
    pub fn answers_by(&self) -> Decoding {
        self.decoding.unwrap_or(self.encoding.decoding())
    }

    /// The codes of `classes`, with answers read as this configuration has it.
    ///
    /// # Panics
    ///
    /// As [`TargetEncoding::codebook`].
    pub fn codebook(&self, classes: &[impl ToString]) -> Codebook {
        self.encoding.codebook(classes).decoded_by(self.answers_by())
    }

    /// The loss and its reduction.
    pub fn objective(&self) -> Objective {
        Objective { loss: self.loss, reduction: self.reduction }
    }

    /// What the targets 0 and 1 of labels are in training, with `n_outputs` outputs: 0 and 1, and with label smoothing
    /// (Szegedy et al. 2016, section 7) y·(1 − ε) + ε/n for softmax, whose outputs are a distribution over n classes, and
    /// y·(1 − ε) + ε/2 for sigmoid outputs, each of which is one over two.
    ///
    /// ```
    /// use mlp_train::TrainConfig;
    /// use mlp_train::mlp_core::{Activation, Loss};
    ///
    /// let config = TrainConfig::new().label_smoothing(0.1);
    /// assert_eq!(config.smoothed_targets(6), [0.05, 0.95]);
    /// let softmax = config.output_activation(Activation::Softmax).loss(Loss::SoftmaxCrossEntropy);
    /// assert_eq!(softmax.smoothed_targets(10), [0.01, 0.91]);
    /// ```
    pub fn smoothed_targets(&self, n_outputs: usize) -> [f64; 2] {
        let n_answers = if self.loss == Loss::SoftmaxCrossEntropy { n_outputs } else { 2 };
        let share = self.label_smoothing / n_answers as f64;
        [share, 1.0 - share * (n_answers - 1) as f64]
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

    /// The rate of dropout of each hidden layer.
    pub fn hidden_dropout(&self) -> Vec<f64> {
        match self.dropout.as_slice() {
            [all] => vec![*all; self.hidden.len()],
            each => each.to_vec(),
        }
    }

    /// Whether a step leaves anything out.
    pub fn has_dropout(&self) -> bool {
        self.input_dropout > 0.0 || self.hidden_dropout().iter().any(|&rate| rate > 0.0)
    }

    /// The number of weights and biases of the network that answers, or `None` if it does not fit into 64 bits. With batch
    /// normalisation that is the folded one, whose hidden layers have biases.
    pub fn n_parameters(&self, n_inputs: usize, n_outputs: usize) -> Option<u64> {
        self.sizes(n_inputs, n_outputs).windows(2).enumerate().try_fold(0_u64, |sum, (layer, sizes)| {
            let has_bias = self.bias || (self.batch_norm && layer < self.hidden.len());
            let n_inputs = (sizes[0] as u64).checked_add(u64::from(has_bias))?;
            sum.checked_add(n_inputs.checked_mul(sizes[1] as u64)?)
        })
    }

    /// Roughly the bytes of memory that training needs besides the data: the parameters with the optimiser's state, and
    /// again for measuring, as of now, as of the best epoch, and for their mean; the activations and deltas of a batch of either
    /// kind. With batch normalisation, networks before they are folded, with γ and the running statistics, and what was normalised.
    pub fn memory_needed(&self, n_inputs: usize, n_outputs: usize) -> u64 {
        let n_parameters = self.n_parameters(n_inputs, n_outputs).unwrap_or(u64::MAX);
        let n_units = self.sizes(n_inputs, n_outputs).iter().fold(0_u64, |sum, &size| sum.saturating_add(size as u64));
        let batch = (self.batch_size as u64).saturating_add(crate::evaluate::CHUNK as u64);
        let (n_unfolded, n_of_unit) = if self.batch_norm { (2, 3) } else { (0, 0) };
        let n_networks = 4 + n_unfolded + self.optimizer.n_slots() as u64 + u64::from(self.average.is_some());
        n_parameters
            .saturating_add(n_units.saturating_mul(n_of_unit))
            .saturating_mul(n_networks)
            .saturating_add(n_units.saturating_mul(2 + u64::from(self.batch_norm)).saturating_mul(batch))
            .saturating_mul(self.precision.n_bytes() as u64)
    }
}
