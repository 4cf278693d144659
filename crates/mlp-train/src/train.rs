//! The training loop.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use mlp_core::{Activation, Descent, Gradients, Kernel, Mlp, NonFinite, OneByOne, Real, Workers, Workspace};
use serde::{Deserialize, Serialize};

use crate::checkpoint::{Checkpoint, Progressed};
use crate::config::{ConfigError, EarlyStopping, EvaluateTrain, Precision, TrainConfig};
use crate::data::{Rows, Samples, SamplesError, Targets};
use crate::evaluate::{Evaluation, Evaluator};
use crate::metrics::EpochMetrics;
use crate::optimizer::Update;
use crate::random::{Stream, generator, shuffle, shuffle_for_epoch};
use crate::schedule::Position;
use crate::trainable::Trainable;

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
    /// A batch has been trained; where batches have one sample, several may have been.
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
    /// The batch within the epoch, counted from 1; the last one if it was noticed when the epoch was measured. With
    /// single samples it can be up to fifteen later than the one whose step made a weight overflow.
    pub batch: usize,
    /// The layer, counted from 0, as in `layers.0.weights`.
    pub layer: usize,
}

/// What was measured during a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
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
    /// The checkpoint is not one of a run with this configuration on these samples.
    #[error("checkpoint: {what}: expected {expected}, found {found}")]
    Checkpoint {
        /// The part that does not fit.
        what: &'static str,
        /// What this run would have there.
        expected: String,
        /// What the checkpoint has.
        found: String,
    },
}

/// The most samples of the next batch that are fetched from memory during a batch: pictures of digits in half of a core's
/// second-level cache.
const NEARER_MAX: usize = 512;

/// A run between two batches or two epochs, as an observer of [`train_resumable`] meets it.
pub struct Moment<'a, F> {
    workspace: &'a Workspace<F>,
    keeper: &'a Keeper<F>,
    progressed: Progressed,
    n_slots: usize,
}

/// Trains a network: for each epoch, the samples in a new order, cut into batches, one update for each batch; then the
/// network is measured.
///
/// `F` must be the configuration's precision. The observer is called after each batch and each epoch, and can stop the
/// run; where single samples are descended on ([`OneByOne`]), it is called after every sixteenth of them. The result is the
/// same, bit for bit, for any number of workers, and whether or not anyone observes.
///
/// # Errors
///
/// If the configuration, the samples and the initial network do not suit each other; nothing has been computed then.
pub fn train<F: Trainable>(
    config: &TrainConfig,
    train: &Samples<'_, F>,
    test: Option<&Samples<'_, F>>,
    setup: Setup<'_, F>,
    observer: &mut dyn FnMut(Progress<'_>) -> ControlFlow<()>,
) -> Result<Run<F>, TrainError> {
    train_resumable(config, train, test, setup, None, &mut |progress, _| observer(progress))
}

/// Trains as [`train()`], and can go on where an earlier call was stopped.
///
/// The observer is handed the run itself as well, and takes a [`Checkpoint`] of it whenever it is called and likes. With that
/// checkpoint as `start`, and otherwise the same arguments, a run goes on at its next batch; it ends with the same weights,
/// history and evaluation, bit for bit, as if it had never been stopped, but for the seconds. `setup.initial` is not looked at
/// then.
///
/// ```
/// # use std::ops::ControlFlow;
/// # use mlp_train::mlp_core::{Kernel, Workers};
/// # use mlp_train::ndarray::array;
/// # use mlp_train::{Inputs, Precision, Samples, Setup, Targets, TrainConfig, train_resumable};
/// # let inputs = array![[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]];
/// # let targets = array![[0.0], [1.0], [1.0], [0.0]];
/// # let samples = Samples { inputs: Inputs::Values(inputs.view()), targets: Targets::Values(targets.view()) };
/// # let config =
/// #     TrainConfig { hidden: vec![4], precision: Precision::F64, batch_size: 2, epochs: 10, ..TrainConfig::default() };
/// # let workers = Workers::new(1);
/// let setup = || Setup { workers: &workers, kernel: Kernel::detect(), initial: None };
/// let whole = train_resumable(&config, &samples, None, setup(), None, &mut |_, _| ControlFlow::Continue(()))?;
///
/// // Stop after the third batch, and go on.
/// let (mut n_seen, mut checkpoint) = (0, None);
/// train_resumable(&config, &samples, None, setup(), None, &mut |_, moment| {
///     n_seen += 1;
///     checkpoint = Some(moment.checkpoint());
///     if n_seen == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
/// })?;
/// let rest = train_resumable(&config, &samples, None, setup(), checkpoint, &mut |_, _| ControlFlow::Continue(()))?;
/// assert_eq!(rest.mlp, whole.mlp);
/// # Ok::<(), mlp_train::TrainError>(())
/// ```
///
/// # Errors
///
/// As [`train()`], and if the checkpoint is of another network, another update rule or another number of batches. What it
/// cannot tell is whether the checkpoint saw the same samples and the same seed: whoever stores it has to know.
pub fn train_resumable<F: Trainable>(
    config: &TrainConfig,
    train: &Samples<'_, F>,
    test: Option<&Samples<'_, F>>,
    setup: Setup<'_, F>,
    start: Option<Checkpoint<F>>,
    observer: &mut dyn FnMut(Progress<'_>, &Moment<'_, F>) -> ControlFlow<()>,
) -> Result<Run<F>, TrainError> {
    check(config, train, test, setup.initial.as_ref())?;
    let Setup { workers, kernel, initial } = setup;
    let parts = Parts::split(config, train, test);
    if let Some(start) = &start {
        check_checkpoint(config, start, train.n_inputs(), train.n_outputs(), parts.train.len())?;
    }
    let (mut mlp, mut keeper, mut progressed, slots) = match start {
        None => {
            let mlp = initial.unwrap_or_else(|| first_network(config, train));
            let keeper = Keeper::new(config.early_stopping, &mlp);
            (mlp, keeper, Progressed::default(), Vec::new())
        }
        Some(Checkpoint { mlp, slots, kept, history, progressed }) => {
            let early_stopping = config.early_stopping;
            (mlp, Keeper { early_stopping, mlp: kept, evaluation: None, history }, progressed, slots)
        }
    };
    let mut evaluator = Evaluator::new(&mlp, config.objective(), workers, kernel);
    let mut trainer = Trainer::new(config, train, &parts.train, &mlp, workers, kernel);
    trainer.load_slots(&slots);
    drop(slots);

    let mut outcome = Outcome::Finished;
    for epoch in progressed.epoch..=config.epochs {
        if keeper.has_waited_long_enough() {
            keeper.history.stopped_early = true;
            break;
        }
        let before = progressed.seconds;
        let started = Instant::now();
        if epoch > 0 {
            if let ControlFlow::Break(ended) = trainer.train_epoch(progressed, &keeper, observer) {
                outcome = ended;
                break;
            }
            trainer.stepper.workspace().store(&mut mlp);
        }
        let trained = Instant::now();
        evaluator.load(&mlp);
        let (record, evaluation) = parts.measure(&mut evaluator, epoch);
        if !record.is_finite() || broken_layer(&mlp).is_some() {
            outcome = Outcome::Diverged(trainer.divergence_when_measured(epoch, &mlp));
            break;
        }
        keeper.keep(&mlp, record, evaluation, before + (trained - started).as_secs_f64(), trained.elapsed());
        progressed = Progressed { epoch: epoch + 1, ..Progressed::default() };
        let moment = trainer.moment(&keeper, progressed);
        let seen = observer(Progress::Epoch(&keeper.history.epochs[epoch]), &moment);
        if epoch < config.epochs && seen.is_break() && !keeper.has_waited_long_enough() {
            outcome = Outcome::Interrupted;
            break;
        }
    }

    let Keeper { mlp, history, evaluation, .. } = keeper;
    let evaluation = evaluation.or_else(|| {
        evaluator.load(&mlp);
        parts.evaluate(&mut evaluator)
    });
    Ok(Run { mlp, outcome, history, evaluation })
}

impl<F: Real> Moment<'_, F> {
    /// The network of this moment; a copy.
    pub fn network(&self) -> Mlp<F> {
        let mut mlp = self.keeper.mlp.clone();
        self.workspace.store(&mut mlp);
        mlp
    }

    /// Everything that the rest of the run depends on; a copy, about as large as the network with the optimiser's state
    /// and once more the network.
    pub fn checkpoint(&self) -> Checkpoint<F> {
        Checkpoint {
            mlp: self.network(),
            slots: (0..self.n_slots).map(|slot| self.workspace.slot(slot)).collect(),
            kept: self.keeper.mlp.clone(),
            history: self.keeper.history.clone(),
            progressed: self.progressed,
        }
    }
}

impl EpochRecord {
    /// Whether every metric is a finite number.
    pub fn is_finite(&self) -> bool {
        let others = [&self.validation, &self.test];
        self.train.is_finite() && others.into_iter().flatten().all(EpochMetrics::is_finite)
    }
}

/// What takes the steps.
enum Stepper<F> {
    Batches(Workspace<F>),
    SingleSamples(OneByOne<F>),
}

impl<F: Trainable> Stepper<F> {
    fn new(config: &TrainConfig, mlp: &Mlp<F>, workers: &Workers, kernel: Kernel) -> Self {
        if config.descends_on_single_samples() {
            return Self::SingleSamples(OneByOne::new(mlp, kernel));
        }
        Self::Batches(Workspace::new(mlp, config.batch_size, config.optimizer.n_slots(), kernel, workers))
    }

    fn workspace(&self) -> &Workspace<F> {
        match self {
            Self::Batches(workspace) => workspace,
            Self::SingleSamples(one_by_one) => one_by_one.workspace(),
        }
    }

    /// The most batches that are taken in one call. They end where the weights are written, and so do calls: at the
    /// multiples of this number in every epoch.
    fn batches_at_a_time(&self) -> usize {
        match self {
            Self::Batches(_) => 1,
            Self::SingleSamples(_) => OneByOne::<F>::MAX_SAMPLES,
        }
    }

    /// A step on each of the batches that `rows` make up, with its own update. On failure: in which it broke.
    fn step(
        &mut self,
        config: &TrainConfig,
        rows: &Rows<'_, '_, F>,
        updates: impl Iterator<Item = Update>,
        workers: &Workers,
    ) -> Result<f64, (usize, NonFinite)> {
        match self {
            Self::Batches(workspace) => {
                let steps = updates
                    .map(|update| F::step(config.optimizer, workspace, rows, config.objective(), update, workers));
                steps.sum::<Result<f64, NonFinite>>().map_err(|broken| (0, broken))
            }
            Self::SingleSamples(one_by_one) => {
                let mut steps = [Descent { learning_rate: F::zero(), decay: F::zero() }; OneByOne::<f32>::MAX_SAMPLES];
                let mut n_steps = 0;
                for (step, update) in steps.iter_mut().zip(updates) {
                    *step = Descent {
                        learning_rate: F::narrow(update.learning_rate),
                        decay: F::narrow(update.learning_rate * update.l2),
                    };
                    n_steps += 1;
                }
                F::descend(one_by_one, rows, config.objective(), &steps[..n_steps], workers)
            }
        }
    }
}

/// One epoch of training after another, on one workspace.
struct Trainer<'a, 's, F> {
    config: &'a TrainConfig,
    samples: &'a Samples<'s, F>,
    workers: &'a Workers,
    stepper: Stepper<F>,
    /// The indices of the training samples.
    rows: &'a [usize],
    /// The same in the order of the epoch.
    order: Vec<usize>,
}

impl<'a, 's, F: Trainable> Trainer<'a, 's, F> {
    fn new(
        config: &'a TrainConfig,
        samples: &'a Samples<'s, F>,
        rows: &'a [usize],
        mlp: &Mlp<F>,
        workers: &'a Workers,
        kernel: Kernel,
    ) -> Self {
        let stepper = Stepper::new(config, mlp, workers, kernel);
        Self { config, samples, workers, stepper, rows, order: rows.to_vec() }
    }

    /// Takes over the optimiser's state.
    fn load_slots(&mut self, slots: &[Gradients<F>]) {
        // Steps on single samples keep no state.
        let Stepper::Batches(workspace) = &mut self.stepper else { return };
        for (slot, state) in slots.iter().enumerate() {
            workspace.set_slot(slot, state);
        }
    }

    /// What an observer can take a checkpoint of.
    fn moment<'b>(&'b self, keeper: &'b Keeper<F>, progressed: Progressed) -> Moment<'b, F> {
        Moment { workspace: self.stepper.workspace(), keeper, progressed, n_slots: self.config.optimizer.n_slots() }
    }

    /// Every training sample once, in a new order, one update for each batch; those of the batches that `progressed`
    /// counts have had it. The last batch may be smaller; its gradient is then the mean over fewer samples. Ends early
    /// where numbers overflow or the observer says so.
    fn train_epoch(
        &mut self,
        progressed: Progressed,
        keeper: &Keeper<F>,
        observer: &mut dyn FnMut(Progress<'_>, &Moment<'_, F>) -> ControlFlow<()>,
    ) -> ControlFlow<Outcome> {
        let started = Instant::now();
        let config = self.config;
        let epoch = progressed.epoch;
        let n_batches = self.n_batches();
        self.order.copy_from_slice(self.rows);
        shuffle_for_epoch(&mut self.order, config.seed, epoch);

        let mut loss = progressed.loss;
        let mut samples_done = self.rows.len().min(progressed.batches * config.batch_size);
        let at_a_time = self.stepper.batches_at_a_time();
        let mut batch = progressed.batches;
        while batch < n_batches {
            let end = (batch / at_a_time * at_a_time + at_a_time).min(n_batches);
            let update = |batch: usize| {
                let step = ((epoch - 1) * n_batches + batch) as u64;
                let position = Position { step, steps_per_epoch: n_batches as u64, epochs: config.epochs as u64 };
                let learning_rate = config.schedule.learning_rate(config.learning_rate, position);
                Update { learning_rate, step: step + 1, l2: config.l2, l1: config.l1 }
            };
            let rows = batch * config.batch_size..self.order.len().min(end * config.batch_size);
            samples_done += rows.len();
            let next = rows.end..self.order.len().min(rows.end + rows.len().min(NEARER_MAX));
            let rows = Rows::new(self.samples, &self.order[rows]).followed_by(&self.order[next]);
            match self.stepper.step(config, &rows, (batch..end).map(update), self.workers) {
                Ok(loss_of_batches) => loss += loss_of_batches,
                Err((index, NonFinite { layer })) => {
                    return ControlFlow::Break(Outcome::Diverged(Divergence {
                        epoch,
                        batch: batch + index + 1,
                        layer,
                    }));
                }
            }
            batch = end;
            let loss_so_far = loss / samples_done as f64;
            let progress = Progress::Batch { epoch, samples_done, samples_in_epoch: self.rows.len(), loss_so_far };
            let seconds = progressed.seconds + started.elapsed().as_secs_f64();
            let moment = self.moment(keeper, Progressed { epoch, batches: batch, loss, seconds });
            if observer(progress, &moment).is_break() {
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

impl<'a, 's, 't, F: Trainable> Parts<'a, 's, 't, F> {
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

    /// The metrics of the network that the evaluator holds, and all that there is to say of it on the test samples.
    fn measure(&self, evaluator: &mut Evaluator<'_, F>, epoch: usize) -> (EpochRecord, Option<Evaluation>) {
        let train = evaluator.measure(self.samples, &self.train[..self.n_train_measured]);
        let validation = (!self.validation.is_empty()).then(|| evaluator.measure(self.samples, &self.validation));
        let evaluation = self.evaluate(evaluator);
        let test = evaluation.as_ref().map(|evaluation| evaluation.metrics.clone());
        (EpochRecord { epoch, train, validation, test }, evaluation)
    }

    fn evaluate(&self, evaluator: &mut Evaluator<'_, F>) -> Option<Evaluation> {
        self.test.as_ref().map(|(test, rows)| evaluator.evaluate(test, rows))
    }
}

/// Remembers what was measured, and the network worth keeping: the latest, or with early stopping the best.
struct Keeper<F> {
    early_stopping: Option<EarlyStopping>,
    mlp: Mlp<F>,
    /// Of that network on the test samples; not there as long as it comes from a checkpoint or has not been measured.
    evaluation: Option<Evaluation>,
    history: History,
}

impl<F: Real> Keeper<F> {
    fn new(early_stopping: Option<EarlyStopping>, mlp: &Mlp<F>) -> Self {
        Self { early_stopping, mlp: mlp.clone(), evaluation: None, history: History::default() }
    }

    fn keep(
        &mut self,
        mlp: &Mlp<F>,
        record: EpochRecord,
        evaluation: Option<Evaluation>,
        seconds_train: f64,
        measuring: Duration,
    ) {
        let epoch = record.epoch;
        let is_best = self.is_best(&record);
        if epoch > 0 {
            self.history.seconds_train.push(seconds_train);
        }
        self.history.seconds_evaluate.push(measuring.as_secs_f64());
        self.history.epochs.push(record);
        if is_best {
            self.history.best_epoch = epoch;
            self.mlp.clone_from(mlp);
            self.evaluation = evaluation;
        }
    }

    /// Whether the best epoch lies so far back that early stopping ends the run.
    fn has_waited_long_enough(&self) -> bool {
        let n_waited = self.history.epochs.len().saturating_sub(1 + self.history.best_epoch);
        self.early_stopping.is_some_and(|rule| n_waited >= rule.patience)
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
    let (expected, found) = (described_config(config, n_inputs, n_outputs), described_network(initial));
    if expected == found { Ok(()) } else { Err(TrainError::Initial { expected, found }) }
}

fn check_checkpoint<F: Real>(
    config: &TrainConfig,
    start: &Checkpoint<F>,
    n_inputs: usize,
    n_outputs: usize,
    n_train: usize,
) -> Result<(), TrainError> {
    let check = |what: &'static str, is_right: bool, expected: String, found: String| match is_right {
        true => Ok(()),
        false => Err(TrainError::Checkpoint { what, expected, found }),
    };
    for (what, mlp) in [("network", &start.mlp), ("kept network", &start.kept)] {
        let (expected, found) = (described_config(config, n_inputs, n_outputs), described_network(mlp));
        check(what, expected == found, expected, found)?;
    }
    let fits = |slot: &Gradients<F>| {
        slot.layers.len() == start.mlp.layers.len()
            && slot.layers.iter().zip(&start.mlp.layers).all(|(state, layer)| {
                let n_biases = |bias: &Option<ndarray::Array1<F>>| bias.as_ref().map(|bias| bias.len());
                state.weights.dim() == layer.weights.dim() && n_biases(&state.bias) == n_biases(&layer.bias)
            })
    };
    let (n_slots, n_found) = (config.optimizer.n_slots(), start.slots.len());
    let of_rule = |n_slots: usize| format!("{n_slots} numbers for each parameter");
    check("optimiser's state", n_slots == n_found, of_rule(n_slots), of_rule(n_found))?;
    check(
        "optimiser's state",
        start.slots.iter().all(fits),
        "the shape of the network".to_owned(),
        "another".to_owned(),
    )?;

    let Progressed { epoch, batches, .. } = start.progressed;
    let (last, n_measured) = (config.epochs + 1, start.history.epochs.len());
    check("epoch", (1..=last).contains(&epoch), format!("1 to {last}"), epoch.to_string())?;
    check("epochs measured", n_measured == epoch, epoch.to_string(), n_measured.to_string())?;
    let n_batches = if epoch == last { 0 } else { n_train.div_ceil(config.batch_size) };
    check("batches", batches <= n_batches, format!("at most {n_batches}"), batches.to_string())?;
    let (best, n_seconds) = (start.history.best_epoch, start.history.seconds_evaluate.len());
    check("best epoch", best < n_measured, format!("below {n_measured}"), best.to_string())?;
    check("seconds", n_seconds == n_measured, n_measured.to_string(), n_seconds.to_string())
}

fn described_config(config: &TrainConfig, n_inputs: usize, n_outputs: usize) -> String {
    described(&config.sizes(n_inputs, n_outputs), &config.activations(), config.bias)
}

fn described_network<F: Real>(mlp: &Mlp<F>) -> String {
    let activations: Vec<_> = mlp.layers.iter().map(|layer| layer.activation).collect();
    described(&mlp.sizes(), &activations, mlp.layers.iter().any(|layer| layer.bias.is_some()))
}

fn described(sizes: &[usize], activations: &[Activation], bias: bool) -> String {
    let names: Vec<_> = activations.iter().map(|activation| activation.name()).collect();
    format!("layers {sizes:?} with activations {} and bias = {bias}", names.join(", "))
}
