//! The training loop.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use mlp_core::{Activation, Kernel, Mlp, NonFinite, Real, Workers, Workspace};
use serde::{Deserialize, Serialize};

use crate::config::{ConfigError, EarlyStopping, EvaluateTrain, Precision, TrainConfig};
use crate::data::{Rows, Samples, SamplesError, Targets};
use crate::evaluate::{Evaluation, Evaluator};
use crate::metrics::EpochMetrics;
use crate::optimizer::Update;
use crate::random::{Stream, generator, shuffle, shuffle_for_epoch};
use crate::schedule::Position;

/// What a run computes with, and where it starts.
pub struct Setup<'a, F> {
    /// The threads. Their number changes no bit of the result.
    pub workers: &'a Workers,
    /// The instruction set. Two of them differ in rounding.
    pub kernel: Kernel,
    /// The weights to start from; drawn by the configuration's initialiser where there are none.
    pub initial: Option<Mlp<F>>,
}

/// What an observer is told during a run.
#[derive(Clone, Copy, Debug)]
pub enum Progress<'a> {
    /// A batch has been trained.
    Batch {
        /// The epoch, counted from 1.
        epoch: usize,
        /// Samples trained in this epoch.
        samples_done: usize,
        /// Samples that the epoch has.
        samples_in_epoch: usize,
        /// The mean loss of the samples of this epoch so far, each before its update.
        loss_so_far: f64,
    },
    /// An epoch has been measured; the first time with epoch 0, before training.
    Epoch(&'a EpochRecord),
}

/// A run that came to an end.
#[derive(Clone, Debug)]
pub struct Run<F> {
    /// The network as it was measured at `history.epochs[history.best_epoch]`.
    pub mlp: Mlp<F>,
    /// How the run ended.
    pub outcome: Outcome,
    /// What was measured.
    pub history: History,
    /// What `mlp` achieves on the test samples, if there are any.
    pub evaluation: Option<Evaluation>,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// After its last epoch, or by early stopping.
    Finished,
    /// Numbers overflowed. The epochs before are kept.
    Diverged(Divergence),
    /// The observer stopped it. The epochs before are kept.
    Interrupted,
}

/// Where numbers overflowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Divergence {
    /// The epoch, counted from 1; 0 if the network could not be measured before training.
    pub epoch: usize,
    /// The batch within the epoch, counted from 1; the last one if it was noticed when the epoch was measured.
    pub batch: usize,
    /// The layer, counted from 0, as in `layers.0.weights`.
    pub layer: usize,
}

/// What was measured during a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    /// The metrics before training (epoch 0), and after each epoch.
    pub epochs: Vec<EpochRecord>,
    /// Seconds of training, one entry for each trained epoch: none for epoch 0.
    pub seconds_train: Vec<f64>,
    /// Seconds of measuring, for each entry of `epochs`.
    pub seconds_evaluate: Vec<f64>,
    /// The epoch whose weights were kept: the last one, or with early stopping the best.
    pub best_epoch: usize,
    /// Whether early stopping ended the run before its last epoch.
    pub stopped_early: bool,
}

/// The metrics of one epoch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EpochRecord {
    /// The epoch; 0 is before training.
    pub epoch: usize,
    /// The metrics of the first `evaluate_train` training samples.
    pub train: EpochMetrics,
    /// The metrics of the validation samples, if any were split off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation: Option<EpochMetrics>,
    /// The metrics of the test samples, if there are any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test: Option<EpochMetrics>,
}

/// A run that could not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    /// The configuration does not suit the data, or itself.
    #[error("configuration: {0}")]
    Config(#[from] ConfigError),
    /// The training samples are unfit.
    #[error("training samples: {0}")]
    Train(#[source] SamplesError),
    /// The test samples are unfit.
    #[error("test samples: {0}")]
    Test(#[source] SamplesError),
    /// The test samples are not like the training samples.
    #[error("test samples: expected {expected} {what} in each, as in the training samples, found {found}")]
    TestShape {
        /// `inputs` or `targets`.
        what: &'static str,
        /// As many as the training samples have.
        expected: usize,
        /// As many as the test samples have.
        found: usize,
    },
    /// The initial network is not the one that the configuration describes.
    #[error("initial network: expected {expected} as configured, found {found}")]
    Initial {
        /// What the configuration asks for.
        expected: String,
        /// What the network has.
        found: String,
    },
}

/// Trains a network: for each epoch, the samples in a new order, cut into batches, one update for each batch; then the
/// network is measured.
///
/// `F` must be the configuration's precision. The observer is called after each batch and each epoch, and can stop the
/// run. The result is the same, bit for bit, for any number of workers, and whether or not anyone observes.
///
/// # Errors
///
/// If the configuration, the samples and the initial network do not suit each other; nothing has been computed then.
pub fn train<F: Real>(
    config: &TrainConfig,
    train: &Samples<'_, F>,
    test: Option<&Samples<'_, F>>,
    setup: Setup<'_, F>,
    observer: &mut dyn FnMut(Progress<'_>) -> ControlFlow<()>,
) -> Result<Run<F>, TrainError> {
    check(config, train, test, setup.initial.as_ref())?;
    let Setup { workers, kernel, initial } = setup;
    let parts = Parts::split(config, train, test);
    let mut mlp = initial.unwrap_or_else(|| first_network(config, train));
    let mut evaluator = Evaluator::new(&mlp, config.objective(), workers, kernel);
    let mut trainer = Trainer::new(config, train, &parts.train, &mlp, workers, kernel);
    let mut keeper = Keeper::new(config.early_stopping, &mlp);

    let mut outcome = Outcome::Finished;
    for epoch in 0..=config.epochs {
        let started = Instant::now();
        if epoch > 0 {
            if let ControlFlow::Break(ended) = trainer.train_epoch(epoch, observer) {
                outcome = ended;
                break;
            }
            trainer.workspace.store(&mut mlp);
        }
        let trained = Instant::now();
        evaluator.load(&mlp);
        let record = parts.measure(&mut evaluator, epoch);
        if !record.is_finite() || broken_layer(&mlp).is_some() {
            outcome = Outcome::Diverged(trainer.divergence_when_measured(epoch, &mlp));
            break;
        }
        let verdict = keeper.keep(&mlp, record, trained - started, trained.elapsed());
        let seen = observer(Progress::Epoch(&keeper.history.epochs[epoch]));
        if epoch < config.epochs && verdict == Verdict::Stop {
            keeper.history.stopped_early = true;
            break;
        }
        if epoch < config.epochs && seen.is_break() {
            outcome = Outcome::Interrupted;
            break;
        }
    }

    let Keeper { mlp, history, .. } = keeper;
    evaluator.load(&mlp);
    let evaluation = parts.test.as_ref().map(|(test, rows)| evaluator.evaluate(test, rows));
    Ok(Run { mlp, outcome, history, evaluation })
}

impl EpochRecord {
    /// Whether every metric is a finite number.
    pub fn is_finite(&self) -> bool {
        let others = [&self.validation, &self.test];
        self.train.is_finite() && others.into_iter().flatten().all(EpochMetrics::is_finite)
    }
}

/// One epoch of training after another, on one workspace.
struct Trainer<'a, 's, F> {
    config: &'a TrainConfig,
    samples: &'a Samples<'s, F>,
    workers: &'a Workers,
    workspace: Workspace<F>,
    /// The indices of the training samples.
    rows: &'a [usize],
    /// The same in the order of the epoch.
    order: Vec<usize>,
}

impl<'a, 's, F: Real> Trainer<'a, 's, F> {
    fn new(
        config: &'a TrainConfig,
        samples: &'a Samples<'s, F>,
        rows: &'a [usize],
        mlp: &Mlp<F>,
        workers: &'a Workers,
        kernel: Kernel,
    ) -> Self {
        let workspace = Workspace::new(mlp, config.batch_size, config.optimizer.n_slots(), kernel, workers);
        Self { config, samples, workers, workspace, rows, order: rows.to_vec() }
    }

    /// Every training sample once, in a new order, one update for each batch. The last batch may be smaller; its
    /// gradient is then the mean over fewer samples. Ends early where numbers overflow or the observer says so.
    fn train_epoch(
        &mut self,
        epoch: usize,
        observer: &mut dyn FnMut(Progress<'_>) -> ControlFlow<()>,
    ) -> ControlFlow<Outcome> {
        let config = self.config;
        let n_batches = self.n_batches();
        self.order.copy_from_slice(self.rows);
        shuffle_for_epoch(&mut self.order, config.seed, epoch);

        let (mut samples_done, mut loss) = (0, 0.0);
        for (batch, rows) in self.order.chunks(config.batch_size).enumerate() {
            let step = ((epoch - 1) * n_batches + batch) as u64;
            let position = Position { step, steps_per_epoch: n_batches as u64, epochs: config.epochs as u64 };
            let update = Update {
                learning_rate: config.schedule.learning_rate(config.learning_rate, position),
                step: step + 1,
                l2: config.l2,
                l1: config.l1,
            };
            let samples = Rows::new(self.samples, rows);
            match config.optimizer.step(&mut self.workspace, &samples, config.objective(), update, self.workers) {
                Ok(loss_of_batch) => loss += loss_of_batch,
                Err(NonFinite { layer }) => {
                    return ControlFlow::Break(Outcome::Diverged(Divergence { epoch, batch: batch + 1, layer }));
                }
            }
            samples_done += rows.len();
            let loss_so_far = loss / samples_done as f64;
            let progress = Progress::Batch { epoch, samples_done, samples_in_epoch: self.rows.len(), loss_so_far };
            if observer(progress).is_break() {
                return ControlFlow::Break(Outcome::Interrupted);
            }
        }
        ControlFlow::Continue(())
    }

    fn n_batches(&self) -> usize {
        self.rows.len().div_ceil(self.config.batch_size)
    }

    /// Where a network diverged that cannot be measured: in the first layer with a broken weight; if all weights are
    /// finite, its outputs are too large.
    fn divergence_when_measured(&self, epoch: usize, mlp: &Mlp<F>) -> Divergence {
        let batch = if epoch == 0 { 0 } else { self.n_batches() };
        Divergence { epoch, batch, layer: broken_layer(mlp).unwrap_or(mlp.layers.len() - 1) }
    }
}

/// The first layer with a weight or bias that is infinite or not a number.
fn broken_layer<F: Real>(mlp: &Mlp<F>) -> Option<usize> {
    mlp.layers.iter().position(|layer| {
        let biases = layer.bias.iter().flatten();
        layer.weights.iter().chain(biases).any(|parameter| !parameter.is_finite())
    })
}

/// Which samples are trained on, and which are measured.
struct Parts<'a, 's, 't, F> {
    samples: &'a Samples<'s, F>,
    train: Vec<usize>,
    n_train_measured: usize,
    validation: Vec<usize>,
    test: Option<(&'a Samples<'t, F>, Vec<usize>)>,
}

impl<'a, 's, 't, F: Real> Parts<'a, 's, 't, F> {
    /// Splits the validation samples off at random; both parts keep the order of the samples.
    fn split(config: &TrainConfig, samples: &'a Samples<'s, F>, test: Option<&'a Samples<'t, F>>) -> Self {
        let mut validation: Vec<usize> = (0..samples.n_samples()).collect();
        if config.validation > 0 {
            shuffle(&mut validation, &mut generator(config.seed, Stream::Validation));
        }
        let mut train = validation.split_off(config.validation);
        train.sort_unstable();
        validation.sort_unstable();
        let n_train_measured = match config.evaluate_train {
            EvaluateTrain::Count(n_samples) => n_samples.min(train.len()),
            EvaluateTrain::All => train.len(),
        };
        let test = test.map(|test| (test, (0..test.n_samples()).collect()));
        Self { samples, train, n_train_measured, validation, test }
    }

    /// The metrics of the network that the evaluator holds.
    fn measure(&self, evaluator: &mut Evaluator<'_, F>, epoch: usize) -> EpochRecord {
        let train = evaluator.measure(self.samples, &self.train[..self.n_train_measured]);
        let validation = (!self.validation.is_empty()).then(|| evaluator.measure(self.samples, &self.validation));
        let test = self.test.as_ref().map(|(test, rows)| evaluator.measure(test, rows));
        EpochRecord { epoch, train, validation, test }
    }
}

/// Remembers what was measured, and the network worth keeping: the latest, or with early stopping the best.
struct Keeper<F> {
    early_stopping: Option<EarlyStopping>,
    mlp: Mlp<F>,
    history: History,
}

/// Whether a run has to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    GoOn,
    Stop,
}

impl<F: Real> Keeper<F> {
    fn new(early_stopping: Option<EarlyStopping>, mlp: &Mlp<F>) -> Self {
        Self { early_stopping, mlp: mlp.clone(), history: History::default() }
    }

    fn keep(&mut self, mlp: &Mlp<F>, record: EpochRecord, training: Duration, measuring: Duration) -> Verdict {
        let epoch = record.epoch;
        let is_best = self.is_best(&record);
        if epoch > 0 {
            self.history.seconds_train.push(training.as_secs_f64());
        }
        self.history.seconds_evaluate.push(measuring.as_secs_f64());
        self.history.epochs.push(record);
        if is_best {
            self.history.best_epoch = epoch;
            self.mlp.clone_from(mlp);
        }
        match self.early_stopping {
            Some(rule) if epoch - self.history.best_epoch >= rule.patience => Verdict::Stop,
            _ => Verdict::GoOn,
        }
    }

    /// Whether no epoch before was as good; without early stopping, the latest is always the one to keep.
    fn is_best(&self, record: &EpochRecord) -> bool {
        let (Some(rule), Some(best)) = (self.early_stopping, self.history.epochs.get(self.history.best_epoch)) else {
            return true;
        };
        let value = |record: &EpochRecord| record.validation.as_ref().and_then(|metrics| rule.metric.of(metrics));
        if rule.metric.higher_is_better() { value(record) > value(best) } else { value(record) < value(best) }
    }
}

fn first_network<F: Real>(config: &TrainConfig, samples: &Samples<'_, F>) -> Mlp<F> {
    let sizes = config.sizes(samples.n_inputs(), samples.n_outputs());
    let mut rng = generator(config.seed, Stream::Initialization);
    Mlp::new(&sizes, &config.activations(), config.bias, config.initializer, &mut rng)
}

fn check<F: Real>(
    config: &TrainConfig,
    train: &Samples<'_, F>,
    test: Option<&Samples<'_, F>>,
    initial: Option<&Mlp<F>>,
) -> Result<(), TrainError> {
    train.check().map_err(TrainError::Train)?;
    if let Some(test) = test {
        test.check().map_err(TrainError::Test)?;
        check_test_shape("inputs", train.n_inputs(), test.n_inputs())?;
        check_test_shape("targets", train.n_outputs(), test.n_outputs())?;
    }
    config.validate(train.n_samples(), train.n_inputs(), train.n_outputs())?;
    if config.precision != Precision::of::<F>() {
        let (expected, found) = (Precision::of::<F>().name(), config.precision.name());
        let expected = format!("{expected}, the type of the numbers that train was called with");
        return Err(ConfigError::new("precision", expected, found.to_owned()).into());
    }
    match train.targets {
        Targets::Labels { codebook, .. } => config.validate_codes(codebook)?,
        Targets::Values(_) if config.loss.required_output().is_some() => {
            train.check_probabilities().map_err(TrainError::Train)?;
            test.map_or(Ok(()), |test| test.check_probabilities().map_err(TrainError::Test))?;
        }
        Targets::Values(_) => {}
    }
    if let (Some(EarlyStopping { metric, .. }), Targets::Values(_)) = (config.early_stopping, train.targets)
        && metric.of(&EpochMetrics::default()).is_none()
    {
        let expected = "validation.loss, validation.mae or validation.rmse for samples without labels";
        return Err(ConfigError::new("early_stopping.metric", expected.to_owned(), metric.name().to_owned()).into());
    }
    initial.map_or(Ok(()), |initial| check_initial(config, initial, train.n_inputs(), train.n_outputs()))
}

fn check_test_shape(what: &'static str, expected: usize, found: usize) -> Result<(), TrainError> {
    if expected == found { Ok(()) } else { Err(TrainError::TestShape { what, expected, found }) }
}

fn check_initial<F: Real>(
    config: &TrainConfig,
    initial: &Mlp<F>,
    n_inputs: usize,
    n_outputs: usize,
) -> Result<(), TrainError> {
    let describe = |sizes: &[usize], activations: &[Activation], bias: bool| {
        let names: Vec<_> = activations.iter().map(|activation| activation.name()).collect();
        format!("layers {sizes:?} with activations {} and bias = {bias}", names.join(", "))
    };
    let activations: Vec<_> = initial.layers.iter().map(|layer| layer.activation).collect();
    let bias = initial.layers.iter().any(|layer| layer.bias.is_some());
    let expected = describe(&config.sizes(n_inputs, n_outputs), &config.activations(), config.bias);
    let found = describe(&initial.sizes(), &activations, bias);
    if expected == found { Ok(()) } else { Err(TrainError::Initial { expected, found }) }
}
