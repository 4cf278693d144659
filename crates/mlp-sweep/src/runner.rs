//! Runs many trials, several at a time, and keeps what is finished whatever happens to the rest.

use std::collections::{BTreeMap, HashSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use mlp_core::Workers;
use mlp_results::{RunRecord, StoppedTrial};

use crate::attempt::{Attempt, Ending, TrialFiles, Watch};
use crate::checkpoints::CheckpointInterval;
use crate::error::Result;
use crate::event::{Event, Observer};
use crate::executor::{TaskState, in_parallel, lock};
use crate::experiment::Experiment;
use crate::lease::{Lease, Leased, ToldInFolder};
use crate::order::balanced;
use crate::parallelism::Parallelism;
use crate::store::Store;
use crate::trial::Trial;

/// In which order trials are begun.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Order {
    /// One seed of everything before the next seed, and among these the longest first, so that the threads end together.
    #[default]
    LongestFirst,
    /// So that wherever it ends, the values of every key have had their share.
    Balanced,
}

/// How a sweep is run. None of it changes a number of its results.
///
/// ```
/// use std::time::{Duration, Instant};
///
/// let mut options = mlp_sweep::RunOptions::default();
/// options.n_threads = 4;
/// options.deadline = Some(Instant::now() + Duration::from_secs(3600));
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RunOptions<'a> {
    /// Threads in all; by default one for each core.
    pub n_threads: usize,
    /// Trials at a time, at most one for each thread; by default one for each thread. They share the threads.
    pub n_jobs: Option<usize>,
    /// In which order trials are begun.
    pub order: Order,
    /// How often trials under way are written down; by default every five minutes. They always are when they are stopped.
    pub checkpoints: CheckpointInterval,
    /// When to stop; a trial under way is written down then.
    pub deadline: Option<Instant>,
    /// Raised from outside to stop.
    pub stop: Option<&'a AtomicBool>,
    /// Whether every layer is examined after each epoch ([`mlp_train::Diagnosis`]).
    pub diagnose: bool,
}

impl Default for RunOptions<'_> {
    fn default() -> Self {
        RunOptions {
            n_threads: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            n_jobs: None,
            order: Order::default(),
            checkpoints: CheckpointInterval { epochs: None, time: Some(std::time::Duration::from_secs(300)) },
            deadline: None,
            stop: None,
            diagnose: false,
        }
    }
}

/// Why a sweep ended before its trials did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stopped {
    /// The flag was raised.
    Flag,
    /// The deadline has passed.
    Deadline,
}

impl RunOptions<'_> {
    /// Why no more is to be done, if that is so.
    pub(crate) fn stopped(&self) -> Option<Stopped> {
        if self.stop.is_some_and(|stop| stop.load(Ordering::Relaxed)) {
            return Some(Stopped::Flag);
        }
        self.deadline.filter(|deadline| Instant::now() >= *deadline).map(|_| Stopped::Deadline)
    }
}

/// What came of a sweep.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct SweepOutcome {
    /// The records of all trials that are finished, diverged or failed, earlier ones included, by trial.
    pub records: BTreeMap<String, RunRecord>,
    /// The trials that successive halving stopped; they have no record.
    pub stopped_trials: Vec<StoppedTrial>,
    /// Why trials are left to do, if there are any.
    pub stopped: Option<Stopped>,
}

/// What came of running some trials.
#[derive(Debug)]
pub(crate) struct Ran {
    /// All records of the trials asked for, earlier ones included, by trial.
    pub(crate) records: BTreeMap<String, RunRecord>,
    /// Why trials are left to do, if there are any.
    pub(crate) stopped: Option<Stopped>,
}

/// Runs trials of one sweep into one store.
pub(crate) struct Runner<'a> {
    pub(crate) experiment: &'a Experiment,
    pub(crate) store: &'a Store,
    pub(crate) options: &'a RunOptions<'a>,
    /// Why no more is to be done, if that is so; asked between the batches of every trial.
    pub(crate) stopped: &'a (dyn Fn() -> Option<Stopped> + Sync),
    pub(crate) observer: &'a dyn Observer,
}

impl Runner<'_> {
    /// Runs those of `trials` that have no record in `records`, or only one of a failure; with `until`, to the end of that
    /// epoch at most.
    pub(crate) fn run(
        &self,
        trials: &[Trial],
        mut records: BTreeMap<String, RunRecord>,
        until: Option<usize>,
    ) -> Result<Ran> {
        let asked: HashSet<&str> = trials.iter().map(|trial| trial.id.as_str()).collect();
        let failures = records.clone().into_iter().filter(|(_, record)| !record.is_over()).collect();
        records.retain(|id, record| record.is_over() && asked.contains(id.as_str()));
        let open = self.in_order(trials, &records);
        let work = open.iter().map(|trial| self.experiment.work(&trial.settings)).fold(0_u64, u64::saturating_add);
        self.observer.notify(Event::Started { trials, records: &records, work });
        let round = Round { runner: self, open, failures, until, done: Mutex::default() };
        let parallelism = Parallelism::new(self.options.n_threads, self.options.n_jobs, round.open.len());
        let result = in_parallel(
            round.open.len(),
            parallelism,
            &|| (self.stopped)().is_some(),
            self.observer,
            &|index, workers| round.attempt(index, workers),
        );
        self.observer.notify(Event::Ended);
        let Done { records: finished, n_paused } =
            round.done.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        records.extend(finished.into_iter().map(|record| (record.trial.clone(), record)));
        result?;
        let stopped = (self.stopped)().filter(|_| records.len() + n_paused < trials.len());
        Ok(Ran { records, stopped })
    }

    /// The trials still to run, in the order in which to begin them.
    fn in_order<'t>(&self, trials: &'t [Trial], records: &BTreeMap<String, RunRecord>) -> Vec<&'t Trial> {
        let is_open = |trial: &&Trial| !records.contains_key(&trial.id);
        match self.options.order {
            // Over all trials, so that the order is the same however often the sweep is continued.
            Order::Balanced => balanced(trials).into_iter().map(|index| &trials[index]).filter(is_open).collect(),
            Order::LongestFirst => {
                let mut open: Vec<&Trial> = trials.iter().filter(is_open).collect();
                open.sort_by_key(|trial| {
                    let work = self.experiment.work(&trial.settings);
                    (trial.settings.train.seed, std::cmp::Reverse(work))
                });
                open
            }
        }
    }
}

/// Trials that are run together.
struct Round<'a> {
    runner: &'a Runner<'a>,
    open: Vec<&'a Trial>,
    /// Records of failures that were there before: these trials are tried again.
    failures: BTreeMap<String, RunRecord>,
    until: Option<usize>,
    done: Mutex<Done>,
}

/// What has come of them so far.
#[derive(Default)]
struct Done {
    records: Vec<RunRecord>,
    n_paused: usize,
}

impl Round<'_> {
    /// Runs a trial, unless another process has finished it or is at it.
    fn attempt(&self, index: usize, workers: &Workers) -> Result<TaskState> {
        let trial = self.open[index];
        if let Some(record) = self.record_of_others(trial)? {
            self.finish(trial, record);
            return Ok(TaskState::Over);
        }
        let lease = match self.runner.store.lease(trial)? {
            Leased::Ours(lease) => lease,
            Leased::By(holder) => return Ok(TaskState::Held(holder)),
        };
        // It may have been finished between the first look and the lease.
        match self.record_of_others(trial)? {
            Some(record) => self.finish(trial, record),
            None => self.run_one(trial, &lease, workers)?,
        }
        Ok(TaskState::Over)
    }

    fn run_one(&self, trial: &Trial, lease: &Lease, workers: &Workers) -> Result<()> {
        let Runner { experiment, store, options, stopped, observer } = *self.runner;
        let files = TrialFiles {
            checkpoints: store.checkpoints(&trial.id, experiment.owner(trial), options.checkpoints),
            diagnosis: options.diagnose.then(|| store.folder().diagnosis(&trial.id)),
        };
        let n_train = experiment.n_samples(&trial.settings).0.saturating_sub(trial.settings.train.validation);
        let n_samples = (n_train as u64).saturating_mul(trial.settings.train.epochs as u64).max(1);
        let work = experiment.work(&trial.settings);
        observer.notify(Event::TrialStarted { trial, work, n_samples });
        let told = ToldInFolder { lease, observer };
        let watch = Watch { observer: &told, is_stopped: &|| stopped().is_some() };
        let attempt = Attempt { experiment, trial, files: &files, until: self.until, watch: &watch };
        match attempt.run(workers)? {
            Ending::Recorded(record, network) => {
                store.save(&record, network.as_ref(), &experiment.model_configuration(&trial.settings))?;
                files.checkpoints.remove();
                self.finish(trial, *record);
            }
            Ending::Paused(rung) => {
                store.save_rung(&rung)?;
                lock(&self.done).n_paused += 1;
                observer.notify(Event::Paused { trial });
            }
            Ending::Interrupted => {
                lease.leave_behind();
                observer.notify(Event::Paused { trial });
            }
        }
        Ok(())
    }

    /// A record that appeared since the folder was opened: another process's.
    fn record_of_others(&self, trial: &Trial) -> Result<Option<RunRecord>> {
        let store = self.runner.store;
        if !store.is_shared() {
            return Ok(None);
        }
        Ok(store.record(&trial.id)?.filter(|record| self.failures.get(&trial.id) != Some(record)))
    }

    fn finish(&self, trial: &Trial, record: RunRecord) {
        self.runner.observer.notify(Event::Finished { trial, record: &record });
        lock(&self.done).records.push(record);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use mlp_results::{RunFolder, Runtime, Status};
    use mnist_io::synthetic_digits;

    use super::*;
    use crate::dataset::Dataset;
    use crate::spec::SweepSpec;
    use crate::sweep::Sweep;

    const SEEDS: &str = "hidden = [4]\nepochs = 1\n[sweep]\nseed = [0, 1, 2]\n";

    /// Runs three trials one after the other, of which the first `n_panics` attempts panic, and returns the records with
    /// what was told.
    fn run_with_panics(folder: &RunFolder, n_panics: usize) -> (Vec<RunRecord>, Vec<String>) {
        let data = Dataset::images("digits", synthetic_digits(200, 1), synthetic_digits(50, 2)).expect("a data set");
        let sweep = Sweep::new(SweepSpec::from_toml(SEEDS).expect("a sweep"), data, folder.path()).expect("a sweep");
        let (n_begun, is_due, told) = (AtomicUsize::new(0), AtomicBool::new(false), Mutex::new(Vec::new()));
        let observer = |event: Event<'_>| match event {
            Event::Measured { epoch, .. } if epoch.epoch == 0 => {
                is_due.store(n_begun.fetch_add(1, Ordering::SeqCst) < n_panics, Ordering::SeqCst);
            }
            Event::Started { records, .. } => lock(&told).push(format!("started: {} over", records.len())),
            Event::Finished { trial, record } => lock(&told).push(format!("{}: {:?}", trial.label(), record.status)),
            Event::Warning(warning) => lock(&told).push(warning.to_string()),
            _ => {}
        };
        // Asked inside the trial, after the observer was told that it was measured.
        let stopped = || {
            assert!(!is_due.swap(false, Ordering::SeqCst), "out of cheese");
            None
        };
        let options = RunOptions { n_threads: 1, ..RunOptions::default() };
        let open = sweep.open("sweep", None, &observer).expect("a folder");
        let outcome = open.run_unless(&stopped, &options, &observer).expect("an outcome");
        for record in outcome.records.values() {
            assert_eq!(&RunRecord::read(folder.record(&record.trial)).expect("its record"), record);
        }
        (outcome.records.into_values().collect(), told.into_inner().expect("nobody panics with the lock"))
    }

    fn without_runtime(records: Vec<RunRecord>) -> Vec<RunRecord> {
        records.into_iter().map(|record| RunRecord { runtime: Runtime::default(), ..record }).collect()
    }

    fn n_files(folder: &std::path::Path) -> usize {
        std::fs::read_dir(folder).expect("a folder").count()
    }

    #[test]
    fn a_trial_that_panics_twice_is_recorded_and_its_siblings_go_on() {
        let place = tempfile::tempdir().expect("a folder");
        let folder = RunFolder::new(place.path().join("out"));
        let (records, told) = run_with_panics(&folder, 2);
        let n_finished = records.iter().filter(|record| record.status == Status::Finished).count();
        assert_eq!((records.len(), n_finished), (3, 2));
        let failed = records.iter().find(|record| record.status == Status::Failed).expect("the first one");
        let error = failed.error.as_deref().unwrap_or_default();
        assert!(error.starts_with("panic, twice: out of cheese"), "{error}");
        let warning =
            format!("trial {} panicked: out of cheese\n  it is tried once more, from the beginning", failed.trial);
        assert!(told.contains(&warning) && told.contains(&"seed = 0: Failed".to_owned()), "{told:#?}");
        assert_eq!((n_files(&folder.models()), n_files(&folder.checkpoints())), (2, 0));

        // A failure is no result: it is tried again, and the others are not.
        let (again, told) = run_with_panics(&folder, 0);
        assert_eq!(told[0], "started: 2 over");
        let (undisturbed, _) = run_with_panics(&RunFolder::new(place.path().join("undisturbed")), 0);
        assert_eq!(without_runtime(again), without_runtime(undisturbed));
    }

    #[test]
    fn a_trial_that_panics_once_is_run_again_and_finishes() {
        let place = tempfile::tempdir().expect("a folder");
        let (records, told) = run_with_panics(&RunFolder::new(place.path().join("out")), 1);
        assert!(records.len() == 3 && records.iter().all(|record| record.status == Status::Finished));
        assert_eq!(told.iter().filter(|line| line.contains("panicked")).count(), 1, "{told:#?}");
        let (undisturbed, _) = run_with_panics(&RunFolder::new(place.path().join("undisturbed")), 0);
        assert_eq!(without_runtime(records), without_runtime(undisturbed));
    }
}
