//! One trial, run: a configuration and its data in, a record and a network out.

use std::ops::ControlFlow;
use std::path::PathBuf;

use mlp_core::{Mlp, Workers};
use mlp_results::{RunRecord, Rung};
use mlp_train::{
    AnyMlp, AnyNetwork, AnyUnfolded, History, Outcome, Precision, Progress, Run, Samples, Setup, Trainable,
    train_resumable,
};

use crate::checkpoints::TrialCheckpoints;
use crate::diagnosis::Examiner;
use crate::error::Result;
use crate::event::{Event, Observer, Warning};
use crate::experiment::Experiment;
use crate::panics::ObserverRelay;
use crate::parallelism::team;
use crate::trial::Trial;

/// A trial that is to be run.
#[derive(Clone, Copy)]
pub(crate) struct Attempt<'a> {
    pub(crate) experiment: &'a Experiment,
    pub(crate) trial: &'a Trial,
    pub(crate) files: &'a TrialFiles,
    /// The epoch after which it pauses, if it is not to be run to its end.
    pub(crate) until: Option<usize>,
    pub(crate) watch: &'a Watch<'a>,
}

/// What is written while a trial is under way.
pub(crate) struct TrialFiles {
    pub(crate) checkpoints: TrialCheckpoints,
    /// Where its diagnosis goes, if there is to be one.
    pub(crate) diagnosis: Option<PathBuf>,
}

/// Who watches a trial, and when it is to stop.
pub(crate) struct Watch<'a> {
    pub(crate) observer: &'a dyn Observer,
    pub(crate) is_stopped: &'a dyn Fn() -> bool,
}

impl Watch<'_> {
    /// Tells of the progress of `trial`, and whether it goes on.
    fn progress(&self, trial: &Trial, progress: Progress<'_>) -> ControlFlow<()> {
        match progress {
            Progress::Epoch(epoch) => self.observer.notify(Event::Measured { trial, epoch }),
            Progress::Batch { epoch, samples_done, samples_in_epoch, .. } => {
                let before = (epoch as u64 - 1).saturating_mul(samples_in_epoch as u64);
                let n_samples = before.saturating_add(samples_done as u64);
                self.observer.notify(Event::Trained { trial, n_samples });
            }
        }
        if (self.is_stopped)() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

/// How a trial ended.
pub(crate) enum Ending {
    /// It has a record, and unless it diverged or failed a network.
    Recorded(Box<RunRecord>, Option<AnyNetwork>),
    /// It has come to the epoch at which it was to pause, and leaves a checkpoint.
    Paused(Box<Rung>),
    /// It was stopped from outside, and leaves a checkpoint.
    Interrupted,
}

impl Attempt<'_> {
    /// Runs the trial from its latest checkpoint to its end, or to the epoch at which it pauses. A panic is tried once more
    /// from the beginning; the second, or a network that cannot fit into memory, makes a record of a failed trial. A panic
    /// of the observer is none of the trial, and goes on to the caller.
    pub(crate) fn run(&self, workers: &Workers) -> Result<Ending> {
        let _memory = match self.experiment.memory_for(&self.trial.settings) {
            Ok(reservation) => reservation,
            Err(reason) => return Ok(self.failed(workers, reason)),
        };
        let relay = ObserverRelay::new(self.watch.observer);
        let watched = Attempt { watch: &Watch { observer: &relay, is_stopped: self.watch.is_stopped }, ..*self };
        let first = match relay.guarded(|| watched.run_once(workers)) {
            Ok(ending) => return ending,
            Err(panic) => panic,
        };
        let warning = Warning::new(format_args!("trial {} panicked: {first}", self.trial.id));
        let remedy = "it is tried once more, from the beginning";
        self.watch.observer.notify(Event::Warning(&warning.with_remedy(remedy)));
        // Neither the checkpoints nor the threads of the attempt that failed are trusted.
        self.files.checkpoints.remove();
        let new_workers = team(workers.n_threads())?;
        match relay.guarded(|| watched.run_once(&new_workers)) {
            Ok(ending) => ending,
            Err(panic) => Ok(self.failed(workers, format!("panic, twice: {panic}"))),
        }
    }

    fn run_once(&self, workers: &Workers) -> Result<Ending> {
        match self.trial.settings.train.precision {
            Precision::F32 | Precision::Bf16 => self.run_as::<f32>(workers, AnyMlp::F32),
            Precision::F64 => self.run_as::<f64>(workers, AnyMlp::F64),
        }
    }

    fn run_as<F: Trainable>(&self, workers: &Workers, wrap: fn(Mlp<F>) -> AnyMlp) -> Result<Ending> {
        let (train_set, test_set) = self.experiment.parts(&self.trial.settings);
        let codebook = train_set.codebook(&self.trial.settings.train);
        let [train_numbers, test_numbers] = [&train_set, &test_set].map(|set| set.converted::<F>());
        let train_samples = train_set.samples(codebook.as_ref(), train_numbers.as_ref());
        let test_samples = test_set.samples(codebook.as_ref(), test_numbers.as_ref());
        match self.train(&train_samples, &test_samples, workers)? {
            Trained::Paused(history) => Ok(self.paused(workers, &history)),
            Trained::Ended(run) => {
                let record = RunRecord::of_run(self.experiment.subject(self.trial, workers), &run);
                let Some(record) = record else { return Ok(Ending::Interrupted) };
                let unfolded = run.unfolded.as_ref().map(AnyUnfolded::new);
                let network = AnyNetwork { mlp: wrap(run.mlp), unfolded };
                let network = record.weights_sha256.is_some().then_some(network);
                Ok(Ending::Recorded(Box::new(record), network))
            }
        }
    }

    fn train<F: Trainable>(
        &self,
        train_samples: &Samples<'_, F>,
        test_samples: &Samples<'_, F>,
        workers: &Workers,
    ) -> Result<Trained<F>> {
        let (config, checkpoints, observer) =
            (&self.trial.settings.train, &self.files.checkpoints, self.watch.observer);
        let latest = checkpoints.latest::<F>(config, observer);
        let (start, mut writer) = (latest.checkpoint, latest.writer);
        if let Some(start) = &start
            && self.until.is_some_and(|epoch| start.history.epochs.len() > epoch)
        {
            return Ok(Trained::Paused(Box::new(start.history.clone())));
        }
        let initial = self.experiment.initial().map(|initial| initial.network(config));
        let setup = Setup { workers, kernel: self.experiment.kernel(), initial };
        let examine = |path: &PathBuf| Examiner::new(path, &self.trial.id, train_samples, config.objective(), observer);
        let mut examiner = self.files.diagnosis.as_ref().map(examine);
        let mut is_paused = false;
        let run =
            train_resumable::<F>(config, train_samples, Some(test_samples), setup, start, &mut |progress, moment| {
                let mut go_on = self.watch.progress(self.trial, progress);
                if let Some(examiner) = &mut examiner {
                    examiner.observe(&progress, moment);
                }
                if let Progress::Epoch(reached) = progress
                    && self.until == Some(reached.epoch)
                {
                    is_paused = true;
                    go_on = ControlFlow::Break(());
                }
                if go_on.is_break() || checkpoints.is_due(&writer, &progress, config.epochs) {
                    examiner.iter_mut().for_each(Examiner::write);
                    checkpoints.write(&mut writer, moment, observer);
                }
                go_on
            });
        let run = run?;
        examiner.iter_mut().for_each(Examiner::write);
        if is_paused && run.outcome == Outcome::Interrupted {
            return Ok(Trained::Paused(Box::new(run.history)));
        }
        Ok(Trained::Ended(Box::new(run)))
    }

    /// With what is in `history` up to the epoch at which it was to pause.
    fn paused(&self, workers: &Workers, history: &History) -> Ending {
        let train = &self.trial.settings.train;
        let (n_inputs, n_outputs) = self.experiment.shape(&self.trial.settings);
        let n_parameters = train.n_parameters(n_inputs, n_outputs).map_or(usize::MAX, |n| n as usize);
        let (subject, layers) = (self.experiment.subject(self.trial, workers), train.sizes(n_inputs, n_outputs));
        let rung = self.until.and_then(|epoch| Rung::new(subject, layers, n_parameters, history, epoch));
        rung.map_or(Ending::Interrupted, |rung| Ending::Paused(Box::new(rung)))
    }

    fn failed(&self, workers: &Workers, reason: String) -> Ending {
        let (n_inputs, n_outputs) = self.experiment.shape(&self.trial.settings);
        let layers = self.trial.settings.train.sizes(n_inputs, n_outputs);
        let record = RunRecord::of_failure(self.experiment.subject(self.trial, workers), layers, reason);
        Ending::Recorded(Box::new(record), None)
    }
}

/// What came of training.
enum Trained<F> {
    /// It has come to the epoch at which it was to pause.
    Paused(Box<History>),
    /// It has ended, or was stopped.
    Ended(Box<Run<F>>),
}
