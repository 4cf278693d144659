//! One epoch of training after another.

use std::ops::ControlFlow;
use std::time::Instant;

use mlp_core::{
    Average, BatchNorm, Descent, Dropout, Gradients, Kernel, Mlp, NonFinite, OneByOne, Real, Workers, Workspace,
};

use ndarray::Array1;

use super::keeper::Keeper;
use super::reference::Reference;
use super::weights::SampleWeights;
use super::{Moment, Progress};
use crate::augmentation::batch::AugmentedBatch;
use crate::checkpoint::Progressed;
use crate::config::{Precision, TrainConfig};
use crate::data::{Rows, Samples};
use crate::history::{Divergence, Outcome};
use crate::optimizer::Update;
use crate::random::{dropout_key, shuffle_for_epoch};
use crate::schedule::Position;
use crate::trainable::Trainable;
use crate::unfolded::Network;

/// The most samples of the next batch that are fetched from memory during a batch: pictures of digits in half of a core's
/// second-level cache.
const NEARER_MAX: usize = 512;

/// What takes the steps.
pub(super) enum Stepper<F> {
    Batches(Workspace<F>),
    SingleSamples(OneByOne<F>),
    Reference(Reference<F>),
}

impl<F: Trainable> Stepper<F> {
    fn new(config: &TrainConfig, network: &Network<F>, workers: &Workers, kernel: Kernel) -> Self {
        let mlp = network.trained();
        if kernel == Kernel::Reference {
            return Self::Reference(Reference::new(config, network, workers));
        }
        if config.descends_on_single_samples() {
            return Self::SingleSamples(OneByOne::new(mlp, kernel));
        }
        // Where there is more to do than to descend, the gradient is summed as in batches, of single samples too.
        let has_options =
            config.clip_norm.is_some() || config.max_norm.is_some() || config.has_dropout() || config.batch_norm;
        let max_batch = if has_options { config.batch_size.max(2) } else { config.batch_size };
        let n_slots = config.optimizer.n_slots();
        let workspace = match config.precision {
            Precision::F32 | Precision::F64 => Workspace::new(mlp, max_batch, n_slots, kernel, workers),
            Precision::Bf16 => Workspace::with_bf16_products(mlp, max_batch, n_slots, kernel, workers),
        };
        Self::Batches(network.norm().into_iter().fold(workspace, Workspace::with_batch_norm))
    }

    pub(super) fn workspace(&self) -> &Workspace<F> {
        match self {
            Self::Batches(workspace) => workspace,
            Self::SingleSamples(one_by_one) => one_by_one.workspace(),
            Self::Reference(reference) => reference.workspace(),
        }
    }

    /// The most batches that are taken in one call. They end where the weights are written, and so do calls: at the
    /// multiples of this number in every epoch.
    fn batches_at_a_time(&self) -> usize {
        match self {
            Self::Batches(_) | Self::Reference(_) => 1,
            Self::SingleSamples(_) => OneByOne::<F>::MAX_SAMPLES,
        }
    }

    /// A step on each of the batches that `rows` make up, with its own update. On failure: in which it broke.
    fn step<'u>(
        &mut self,
        config: &TrainConfig,
        rows: &Rows<'_, '_, F>,
        updates: impl Iterator<Item = Update<'u>>,
        workers: &Workers,
    ) -> Result<f64, (usize, NonFinite)> {
        match self {
            Self::Reference(reference) => {
                let steps = updates.map(|update| reference.step(config, rows, update));
                steps.sum::<Result<f64, NonFinite>>().map_err(|broken| (0, broken))
            }
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

/// What a run that goes on takes over from a checkpoint, beside its network.
pub(super) struct State<F> {
    /// The optimiser's state.
    pub(super) slots: Vec<Gradients<F>>,
    /// That for the scales of batch normalisation.
    pub(super) scale_slots: Vec<Vec<Array1<F>>>,
    /// The mean of the weights, where they are averaged.
    pub(super) average: Option<Mlp<F>>,
    /// That of batch normalisation.
    pub(super) average_norm: Option<BatchNorm<F>>,
}

impl<F> State<F> {
    /// That of a run that begins.
    pub(super) fn none() -> Self {
        Self { slots: Vec::new(), scale_slots: Vec::new(), average: None, average_norm: None }
    }
}

/// One epoch of training after another, on one workspace.
pub(super) struct Trainer<'a, 's, F> {
    config: &'a TrainConfig,
    samples: &'a Samples<'s, F>,
    workers: &'a Workers,
    pub(super) stepper: Stepper<F>,
    /// The indices of the training samples.
    rows: &'a [usize],
    /// The same in the order of the epoch.
    order: Vec<usize>,
    /// What the bits 0 and 1 of codes are in training.
    bits: [F; 2],
    average: Option<Average<F>>,
    dropout: Option<Dropout>,
    weights: Option<SampleWeights>,
    augmented: Option<AugmentedBatch>,
}

impl<'a, 's, F: Trainable> Trainer<'a, 's, F> {
    pub(super) fn new(
        config: &'a TrainConfig,
        samples: &'a Samples<'s, F>,
        rows: &'a [usize],
        network: &Network<F>,
        workers: &'a Workers,
        kernel: Kernel,
    ) -> Self {
        let stepper = Stepper::new(config, network, workers, kernel);
        let bits = config.smoothed_targets(network.mlp.n_outputs()).map(F::narrow);
        let average = config.average.map(|_| Average::new(stepper.workspace()));
        let dropout = config.has_dropout().then(|| Dropout::new(config.input_dropout, &config.hidden_dropout()));
        let max_samples = config.batch_size * stepper.batches_at_a_time();
        let weights = SampleWeights::new(config, samples, rows, max_samples);
        let augmented = config.augment.zip(samples.images());
        let augmented = augmented
            .map(|(augmentation, images)| AugmentedBatch::new(augmentation, images, config.seed, max_samples, workers));
        Self {
            config,
            samples,
            workers,
            stepper,
            rows,
            order: rows.to_vec(),
            bits,
            average,
            dropout,
            weights,
            augmented,
        }
    }

    /// Takes over the optimiser's state, and the mean of the weights.
    pub(super) fn load(&mut self, state: &State<F>) {
        let State { slots, scale_slots, average: mean, average_norm } = state;
        match &mut self.stepper {
            Stepper::Batches(workspace) => {
                slots.iter().enumerate().for_each(|(slot, state)| workspace.set_slot(slot, state));
                scale_slots.iter().enumerate().for_each(|(slot, state)| workspace.set_scale_slot(slot, state));
            }
            Stepper::Reference(reference) if !slots.is_empty() => reference.load_slots(slots, scale_slots),
            // Steps on single samples keep no state.
            Stepper::Reference(_) | Stepper::SingleSamples(_) => {}
        }
        if let Some(average) = &mut self.average {
            let workspace = self.stepper.workspace();
            mean.iter().for_each(|mean| average.load(workspace, mean));
            average_norm.iter().for_each(|norm| average.load_batch_norm(workspace, norm));
        }
    }

    /// Goes towards the weights of this moment with their mean.
    fn average(&mut self, rate: Option<f64>) {
        if let (Some(average), Some(rate)) = (&mut self.average, rate) {
            average.add(self.stepper.workspace(), rate, self.workers);
        }
    }

    /// What is to be measured after an epoch, and kept: the network of this moment or, where there is one, that of the mean.
    pub(super) fn store_measured(&self, epoch: usize, network: &mut Network<F>) {
        let (workspace, n_epochs) = (self.stepper.workspace(), self.config.epochs);
        let has_begun = self.config.average.is_some_and(|rule| rule.has_begun(epoch, n_epochs));
        let average = self.average.as_ref().filter(|_| has_begun);
        let mlp = network.unfolded.as_mut().map_or(&mut network.mlp, |unfolded| &mut unfolded.mlp);
        match average {
            Some(average) => average.store(workspace, mlp),
            None => workspace.store(mlp),
        }
        if let Some(unfolded) = &mut network.unfolded {
            let norm = average.map_or_else(|| workspace.batch_norm(), |average| average.batch_norm(workspace));
            norm.into_iter().for_each(|norm| unfolded.norm = norm);
            network.mlp = unfolded.fold();
        }
    }

    /// What an observer can take a checkpoint of.
    pub(super) fn moment<'b>(&'b self, keeper: &'b Keeper<F>, progressed: Progressed) -> Moment<'b, F> {
        let (n_slots, average) = (self.config.optimizer.n_slots(), self.average.as_ref());
        Moment { workspace: self.stepper.workspace(), keeper, progressed, n_slots, average }
    }

    /// Every training sample once, in a new order, one update for each batch; those of the batches that `progressed`
    /// counts have had it. The last batch may be smaller; its gradient is then the mean over fewer samples. Ends early
    /// where numbers overflow or the observer says so.
    pub(super) fn train_epoch(
        &mut self,
        progressed: Progressed,
        keeper: &Keeper<F>,
        observer: &mut dyn FnMut(Progress<'_>, &Moment<'_, F>) -> ControlFlow<()>,
    ) -> ControlFlow<Outcome> {
        let started = Instant::now();
        let config = self.config;
        let epoch = progressed.epoch;
        let n_batches = self.n_batches();
        let plateaus = config.schedule.n_plateaus(&keeper.history.epochs);
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
                let (steps_per_epoch, epochs) = (n_batches as u64, config.epochs as u64);
                let position = Position { step, steps_per_epoch, epochs, plateaus };
                let learning_rate = config.schedule.learning_rate(config.learning_rate, position);
                let &TrainConfig { l2, l1, clip_norm, max_norm, .. } = config;
                let step = step + 1;
                let masks = self.dropout.as_ref().map(|dropout| dropout.masks(dropout_key(config.seed, step)));
                Update { learning_rate, step, l2, l1, clip_norm, max_norm, masks }
            };
            let rows = batch * config.batch_size..self.order.len().min(end * config.batch_size);
            samples_done += rows.len();
            let next = rows.end..self.order.len().min(rows.end + rows.len().min(NEARER_MAX));
            let (rows, next) = (&self.order[rows], &self.order[next]);
            if let (Some(augmented), Some(images)) = (&mut self.augmented, self.samples.images()) {
                augmented.fill(images, epoch, rows, next, self.workers);
            }
            let weights = self.weights.as_mut().map(|weights| weights.gather(rows));
            let rows = Rows::new(self.samples, rows).followed_by(next).with_bits(self.bits);
            let rows = rows.augmented(self.augmented.as_ref());
            let rows = weights.into_iter().fold(rows, Rows::with_weights);
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
            let n_steps = ((epoch - 1) * n_batches + batch) as u64;
            self.average(config.average.and_then(|rule| rule.rate_after_step(n_steps)));
            let loss_so_far = loss / samples_done as f64;
            let progress = Progress::Batch { epoch, samples_done, samples_in_epoch: self.rows.len(), loss_so_far };
            let seconds = progressed.seconds + started.elapsed().as_secs_f64();
            let moment = self.moment(keeper, Progressed { epoch, batches: batch, loss, seconds });
            if observer(progress, &moment).is_break() {
                return ControlFlow::Break(Outcome::Interrupted);
            }
        }
        self.average(config.average.and_then(|rule| rule.rate_after_epoch(epoch, config.epochs)));
        ControlFlow::Continue(())
    }

    fn n_batches(&self) -> usize {
        self.rows.len().div_ceil(self.config.batch_size)
    }

    /// Where a network diverged that cannot be measured: in the first layer with a broken weight; if all weights are
    /// finite, its outputs are too large.
    pub(super) fn divergence_when_measured(&self, epoch: usize, mlp: &Mlp<F>) -> Divergence {
        let batch = if epoch == 0 { 0 } else { self.n_batches() };
        Divergence { epoch, batch, layer: broken_layer(mlp).unwrap_or(mlp.layers.len() - 1) }
    }
}

/// The first layer with a weight or bias that is infinite or not a number.
pub(super) fn broken_layer<F: Real>(mlp: &Mlp<F>) -> Option<usize> {
    mlp.layers.iter().position(|layer| {
        let biases = layer.bias.iter().flatten();
        layer.weights.iter().chain(biases).any(|parameter| !parameter.is_finite())
    })
}
