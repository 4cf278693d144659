//! The thread of a session: trains, looks, shows, waits.

use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use mlp_core::{Kernel, Mlp};
use mlp_sweep::{Dataset, Sweep, SweepSpec, image_samples, toml_text};
use mlp_train::{
    AnyMlp, Checkpoint, Moment, Outcome, Precision, Progress, Run, Samples, Setup, TrainConfig, Trainable,
    train_resumable,
};
use mnist_io::LabeledImages;

use super::keep;
use super::progress::Watcher;
use super::session::{Control, Done, Pace, Session};
use super::settings::{Settings, misfit};
use super::turns::Turn;
use super::view::Mode;
use super::{PlaygroundOptions, Shared};
use crate::error::{Error, Result};

/// What a session trains.
pub(super) struct Task {
    pub(super) settings: Settings,
    pub(super) config: TrainConfig,
    pub(super) options: PlaygroundOptions,
    data: Arc<Dataset>,
    sweep: Sweep,
}

/// What a session trains on.
pub(super) struct Material<'a, F> {
    pub(super) train: &'a Samples<'a, F>,
    pub(super) test: &'a Samples<'a, F>,
    pub(super) shared: &'a Shared,
    pub(super) kernel: Kernel,
}

impl Task {
    /// Everything is checked as it is for `train`.
    pub(super) fn new(settings: Settings, data: &Arc<Dataset>, options: &PlaygroundOptions) -> Result<Self> {
        let mut config = TrainConfig::default();
        for (key, value) in &settings.config {
            config.set(key, value)?;
        }
        let sweep = sweep(&settings, &config, data, options).map_err(|error| {
            let classes = data.train().images().map_or(&[][..], |images| images.classes.as_slice());
            misfit(&config, classes).map_or(error, Error::request)
        })?;
        if data.train().images().is_none() {
            return Err(Error::request(format!(
                "data: expected images, found {}, which are rows of numbers",
                data.name()
            )));
        }
        Ok(Task { settings, config, options: options.clone(), data: Arc::clone(data), sweep })
    }

    /// The same with another number of epochs.
    pub(super) fn with_epochs(&self, epochs: usize) -> Result<Sweep> {
        let mut config = self.config.clone();
        config.epochs = epochs;
        sweep(&self.settings, &config, &self.data, &self.options)
    }

    /// The identity of its trial.
    pub(super) fn trial(&self) -> &str {
        &self.sweep.trials()[0].id
    }

    /// The sweep of the one trial.
    pub(super) fn sweep(&self) -> &Sweep {
        &self.sweep
    }

    /// What its configuration says that is not the default: `hidden=[512, 256]`.
    pub(super) fn differs(&self) -> Vec<String> {
        let defaults = TrainConfig::default();
        let sizes = [("train_size", self.settings.train_size), ("test_size", self.settings.test_size)];
        let keys = TrainConfig::KEYS.iter().filter(|key| key.get(&self.config) != key.get(&defaults));
        let keys = keys.map(|key| format!("{}={}", key.name, toml_text(&key.get(&self.config))));
        keys.chain(sizes.into_iter().filter_map(|(key, size)| Some(format!("{key}={}", size?)))).collect()
    }

    pub(super) fn memory_needed(&self) -> u64 {
        let (n_inputs, n_outputs) = self.sweep.experiment().shape(&self.sweep.trials()[0].settings);
        self.config.memory_needed(n_inputs, n_outputs)
    }

    /// Trains until the session ends.
    pub(super) fn run(&self, session: &Session, shared: &Shared) {
        let trained = catch_unwind(AssertUnwindSafe(|| match self.config.precision {
            Precision::F32 | Precision::Bf16 => self.run_as::<f32>(session, shared),
            Precision::F64 => self.run_as::<f64>(session, shared),
        }));
        let problem = match trained {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(error.to_string()),
            Err(_) => Some("the training panicked, which is a bug; please report it".to_owned()),
        };
        if let Some(problem) = problem {
            session.fail(&problem);
        }
        session.go();
    }

    fn run_as<F: Trainable>(&self, session: &Session, shared: &Shared) -> Result<()>
    where
        AnyMlp: From<Mlp<F>>,
    {
        let parts = [self.data.train_part(self.settings.train_size), self.data.test_part(self.settings.test_size)];
        let images = |part: usize| -> Result<&LabeledImages> {
            parts[part].images().ok_or_else(|| Error::request("data: expected images, found rows of numbers"))
        };
        let (train, test) = (images(0)?, images(1)?);
        let codebook = self.config.codebook(&train.classes);
        let (train_samples, test_samples) = (image_samples::<F>(train, &codebook), image_samples::<F>(test, &codebook));
        let material = Material { train: &train_samples, test: &test_samples, shared, kernel: self.options.kernel };
        let mut watcher = Watcher::new(self, session, &train_samples, test, &codebook);
        let mut turn = shared.turns.take();
        let run = self.train(&material, &mut watcher, &mut turn)?;
        turn.pause();
        let Some(run) = run else {
            watcher.end(Mode::Stopped, None);
            return Ok(());
        };
        match run.outcome {
            Outcome::Diverged(place) => {
                let message = format!(
                    "Numbers overflowed in epoch {}, batch {}, layer {}: the rate is too large, or the weights were.",
                    place.epoch,
                    place.batch,
                    place.layer + 1
                );
                watcher.end(Mode::Diverged, Some(message));
            }
            _ => watcher.finish(&run.mlp),
        }
        // Until somebody ends the session: the run can still be kept.
        loop {
            session.rest();
            let control = session.wait();
            if control.is_gone {
                return Ok(());
            }
            if control.keep && !watcher.has_changed_rates() {
                turn.resume();
                watcher.keep(|_| keep::whole(self, &run, &material));
                turn.pause();
            }
        }
    }

    /// Trains to the end, from checkpoint to checkpoint where the rate is changed; nothing where the session was ended.
    fn train<F: Trainable>(
        &self,
        material: &Material<'_, F>,
        watcher: &mut Watcher<'_, F>,
        turn: &mut Turn<'_>,
    ) -> Result<Option<Run<F>>>
    where
        AnyMlp: From<Mlp<F>>,
    {
        let mut config = self.config.clone();
        let mut start: Option<Checkpoint<F>> = None;
        loop {
            let mut next = None;
            let setup = Setup { workers: &material.shared.workers, kernel: material.kernel, initial: None };
            let run = train_resumable(
                &config,
                material.train,
                Some(material.test),
                setup,
                start.take(),
                &mut |progress, moment| {
                    turn.share();
                    let changed = self.observe(progress, moment, (material, &mut *watcher), turn);
                    if let ControlFlow::Break(Some(rate)) = changed {
                        next = Some((rate, moment.checkpoint()));
                    }
                    if changed.is_break() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
                },
            )?;
            match (run.outcome, next) {
                (Outcome::Interrupted, Some((rate, checkpoint))) => {
                    config.learning_rate = rate;
                    start = Some(checkpoint);
                }
                (Outcome::Interrupted, None) => return Ok(None),
                _ => return Ok(Some(run)),
            }
        }
    }

    /// Shows the moment and waits as long as the session is to wait. Breaks off where it is to end, or to go on with another
    /// rate.
    fn observe<F: Trainable>(
        &self,
        progress: Progress<'_>,
        moment: &Moment<'_, F>,
        (material, watcher): (&Material<'_, F>, &mut Watcher<'_, F>),
        turn: &mut Turn<'_>,
    ) -> ControlFlow<Option<f64>>
    where
        AnyMlp: From<Mlp<F>>,
    {
        let session = watcher.session();
        let (done, is_last) = match progress {
            Progress::Epoch(record) => (Done::Epoch(record.epoch), record.epoch == self.config.epochs),
            Progress::Batch { .. } => (Done::Batch, false),
        };
        let mut control = session.advance(done);
        watcher.see(&progress, moment, control.is_waiting());
        let mut new_rate = None;
        loop {
            if control.is_gone {
                return ControlFlow::Break(None);
            }
            if let Some(rate) = control.rate.filter(|_| !is_last) {
                watcher.change_rate(rate);
                new_rate = Some(rate);
            }
            if control.keep {
                let keep = |epoch| keep::so_far(self, epoch, moment.checkpoint(), material);
                watcher.keep(keep);
            }
            if is_last || !control.is_waiting() {
                // Only now: a run that goes on from a checkpoint trains a batch before it asks again.
                return new_rate.map_or(ControlFlow::Continue(()), |rate| ControlFlow::Break(Some(rate)));
            }
            turn.pause();
            control = session.wait();
            turn.resume();
            watcher.go_on(&control);
        }
    }
}

fn sweep(settings: &Settings, config: &TrainConfig, data: &Dataset, options: &PlaygroundOptions) -> Result<Sweep> {
    // As it was named, so that records say the same as those of a run for which it was named so.
    let mut spec = SweepSpec::new(config)?.with("data", settings.data.as_str())?;
    for (key, size) in [("train_size", settings.train_size), ("test_size", settings.test_size)] {
        if let Some(size) = size {
            spec = spec.with(key, size)?;
        }
    }
    let builder = Sweep::builder(spec, data.clone()).kernel(options.kernel);
    let builder = match &options.runs {
        Some(runs) => builder.folder_below(runs),
        None => builder,
    };
    Ok(builder.build()?)
}

impl Control {
    pub(super) fn is_waiting(&self) -> bool {
        self.pace == Pace::Wait
    }
}
