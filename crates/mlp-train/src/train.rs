//! The training loop.

mod check;
mod keeper;
mod parts;
mod reference;
mod trainer;
mod weights;

use std::ops::ControlFlow;
use std::time::Instant;

use mlp_core::{Average, BatchNorm, Kernel, Mlp, Real, Workers, Workspace};

use self::check::{check, check_checkpoint};
use self::keeper::Keeper;
use self::parts::Parts;
pub use self::parts::split_validation;
use self::trainer::{State, Trainer, broken_layer};
use crate::checkpoint::{Checkpoint, CheckpointNorm, Progressed};
use crate::config::TrainConfig;
use crate::data::Samples;
use crate::error::Result;
use crate::evaluate::{Evaluation, Evaluator};
use crate::history::{EpochRecord, History, Outcome};
use crate::random::{Stream, generator};
use crate::trainable::Trainable;
use crate::unfolded::{Initial, Network, Unfolded};

/// What a run computes with, and where it starts.
pub struct Setup<'a, F> {
    /// The threads. Their number changes no bit of the result.
    pub workers: &'a Workers,
    /// The instruction set. Two of them differ in rounding. With [`Kernel::Reference`] steps are those of
    /// [`backpropagate`](mlp_core::backpropagate), the version to read and to change.
    pub kernel: Kernel,
    /// The network to start from; drawn by the configuration's initialiser where there is none.
    pub initial: Option<Initial<F>>,
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
        /// The mean loss of the samples of this epoch so far, each before its update, against the targets of training: with
        /// label smoothing these are the smoothed ones, unlike those of the metrics, and where samples have weights the losses
        /// are multiplied by them.
        loss_so_far: f64,
    },
    /// An epoch has been measured; the first time with epoch 0, before training.
    Epoch(&'a EpochRecord),
}

/// A run that came to an end.
#[derive(Clone, Debug)]
pub struct Run<F> {
    /// The network as it was measured at `history.epochs[history.best_epoch]`; as it began where it could not be measured before
    /// training, which leaves `history.epochs` empty.
    pub mlp: Mlp<F>,
    /// What that network was folded from, with batch normalisation.
    pub unfolded: Option<Unfolded<F>>,
    /// How the run ended.
    pub outcome: Outcome,
    /// What was measured.
    pub history: History,
    /// What `mlp` achieves on the test samples, if there are any.
    pub evaluation: Option<Evaluation>,
}

/// A run between two batches or two epochs, as an observer of [`train_resumable`] meets it.
pub struct Moment<'a, F> {
    workspace: &'a Workspace<F>,
    keeper: &'a Keeper<F>,
    progressed: Progressed,
    n_slots: usize,
    average: Option<&'a Average<F>>,
}

/// Trains a network: for each epoch, the samples in a new order, cut into batches, one update for each batch; then the
/// network is measured.
///
/// `F` must be the configuration's precision. The observer is called after each batch and each epoch, and can stop the
/// run; where single samples are descended on ([`OneByOne`](mlp_core::OneByOne)), it is called after every sixteenth of them. The result is the
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
) -> Result<Run<F>> {
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
/// # let samples = Samples { inputs: Inputs::Values(inputs.view()), targets: Targets::Values(targets.view()), weights: None };
/// # let config = TrainConfig::new().hidden([4]).precision(Precision::F64).batch_size(2).epochs(10);
/// # let workers = Workers::new(1);
/// let setup = || Setup { workers: &workers, kernel: Kernel::detect(), initial: None };
/// let whole = train_resumable(&config, &samples, None, setup(), None, &mut |_, _| ControlFlow::Continue(()))?;
///
/// // Stop after the second batch, and go on: before the first, the network is measured as it begins.
/// let (mut n_seen, mut checkpoint) = (0, None);
/// train_resumable(&config, &samples, None, setup(), None, &mut |_, moment| {
///     n_seen += 1;
///     checkpoint = Some(moment.checkpoint());
///     if n_seen == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
/// })?;
/// let rest = train_resumable(&config, &samples, None, setup(), checkpoint, &mut |_, _| ControlFlow::Continue(()))?;
/// assert_eq!(rest.mlp, whole.mlp);
/// # Ok::<(), mlp_train::Error>(())
/// ```
///
/// # Errors
///
/// As [`train()`], and if the checkpoint is of another network, of an update rule that keeps another number of values for
/// each weight, or further on than the configuration goes. It cannot tell whether the samples, the seed, the size of
/// batches or the rule's own settings are those it was taken with: whoever stores it has to know, and
/// [`Checkpoint::read`] asks for the `owner` that says so.
pub fn train_resumable<F: Trainable>(
    config: &TrainConfig,
    train: &Samples<'_, F>,
    test: Option<&Samples<'_, F>>,
    setup: Setup<'_, F>,
    start: Option<Checkpoint<F>>,
    observer: &mut dyn FnMut(Progress<'_>, &Moment<'_, F>) -> ControlFlow<()>,
) -> Result<Run<F>> {
    check(config, train, test, &setup)?;
    let Setup { workers, kernel, initial } = setup;
    let parts = Parts::split(config, train, test);
    if let Some(start) = &start {
        check_checkpoint(config, start, train.n_inputs(), train.n_outputs(), parts.train.len())?;
    }
    let (mut network, mut keeper, mut progressed, state) = match start {
        None => {
            let network = first_network(config, train, initial);
            let keeper = Keeper::new(config.early_stopping, &network);
            (network, keeper, Progressed::default(), State::none())
        }
        Some(Checkpoint { mlp, slots, average, kept, norm, history, progressed }) => {
            let history = history.with_accuracy_by(config.answers_by());
            let early_stopping = config.early_stopping;
            let (moment, scale_slots, average_norm, kept_norm) = match norm {
                None => (None, Vec::new(), None, None),
                Some(norm) => (Some(norm.moment), norm.slots, norm.average, Some(norm.kept)),
            };
            let keeper = Keeper { early_stopping, network: Network::new(kept, kept_norm), evaluation: None, history };
            let state = State { slots, scale_slots, average, average_norm };
            (Network::new(mlp, moment), keeper, progressed, state)
        }
    };
    let mut evaluator = Evaluator::new(&network.mlp, config.objective(), workers, kernel);
    let mut trainer = Trainer::new(config, train, &parts.train, &network, workers, kernel);
    trainer.load(&state);
    drop(state);

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
            trainer.store_measured(epoch, &mut network);
        }
        let trained = Instant::now();
        let mlp = &network.mlp;
        evaluator.load(mlp);
        let (record, evaluation) = parts.measure(&mut evaluator, epoch);
        if !record.is_finite() || broken_layer(mlp).is_some() {
            outcome = Outcome::Diverged(trainer.divergence_when_measured(epoch, mlp));
            break;
        }
        keeper.keep(&network, record, evaluation, before + (trained - started).as_secs_f64(), trained.elapsed());
        progressed = Progressed { epoch: epoch + 1, ..Progressed::default() };
        let moment = trainer.moment(&keeper, progressed);
        let seen = observer(Progress::Epoch(&keeper.history.epochs[epoch]), &moment);
        if epoch < config.epochs && seen.is_break() && !keeper.has_waited_long_enough() {
            outcome = Outcome::Interrupted;
            break;
        }
    }

    let Keeper { network: Network { mlp, unfolded }, history, evaluation, .. } = keeper;
    let evaluation = evaluation.or_else(|| {
        evaluator.load(&mlp);
        parts.evaluate(&mut evaluator)
    });
    Ok(Run { mlp, unfolded, outcome, history, evaluation })
}

impl<F: Real> Moment<'_, F> {
    /// The network of this moment, as it is trained, and with batch normalisation as it then answers: folded by the running
    /// statistics. A copy.
    pub fn network(&self) -> Mlp<F> {
        Network::new(self.trained(), self.workspace.batch_norm()).mlp
    }

    fn trained(&self) -> Mlp<F> {
        let mut mlp = self.keeper.network.trained().clone();
        self.workspace.store(&mut mlp);
        mlp
    }

    /// Everything that the rest of the run depends on; a copy, about as large as the network with the optimiser's state
    /// and once more the network.
    pub fn checkpoint(&self) -> Checkpoint<F> {
        let kept = &self.keeper.network;
        let norm = self.workspace.batch_norm().zip(kept.norm()).map(|(moment, kept)| CheckpointNorm {
            moment,
            slots: (0..self.n_slots).map(|slot| self.workspace.scale_slot(slot)).collect(),
            average: self.average.and_then(|average| average.batch_norm(self.workspace)),
            kept: kept.clone(),
        });
        Checkpoint {
            mlp: self.trained(),
            slots: (0..self.n_slots).map(|slot| self.workspace.slot(slot)).collect(),
            average: self.average.map(|average| {
                let mut mlp = kept.trained().clone();
                average.store(self.workspace, &mut mlp);
                mlp
            }),
            kept: kept.trained().clone(),
            norm,
            history: self.keeper.history.clone(),
            progressed: self.progressed,
        }
    }
}

fn first_network<F: Real>(config: &TrainConfig, samples: &Samples<'_, F>, initial: Option<Initial<F>>) -> Network<F> {
    match initial {
        Some(Initial::Plain(mlp)) => Network::new(mlp, None),
        Some(Initial::Unfolded(Unfolded { mlp, norm })) => Network::new(mlp, Some(norm)),
        None => {
            let sizes = config.sizes(samples.n_inputs(), samples.n_outputs());
            let mut rng = generator(config.seed, Stream::Initialization);
            let mlp = Mlp::new(&sizes, &config.activations(), config.bias, config.initializer, &mut rng);
            let norm = config.batch_norm.then(|| BatchNorm::new(&mlp));
            Network::new(mlp, norm)
        }
    }
}
