//! Runs many trials, several at a time, and keeps what is finished whatever happens to the rest.

use std::collections::{BTreeMap, HashSet};
use std::ops::ControlFlow;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use indicatif::ProgressBar;
use mlp_core::Workers;
use mlp_train::{EpochRecord, Progress as Step, RunRecord, Status};

use crate::failure::{Code, Failure};
use crate::options;
use crate::output::counted;
use crate::progress::Progress;
use crate::store::ResultsStore;
use crate::trial::{Ending, Laboratory, Trial, work};

/// How the work is shared out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shares {
    /// Trials at a time, at least 1.
    pub(crate) n_jobs: usize,
    /// Threads in all, at least `n_jobs`.
    pub(crate) n_threads: usize,
}

impl Shares {
    /// As many trials at a time as there are threads, unless `jobs` says fewer: a thread of its own for each trial wastes
    /// nothing, and more trials than threads would only get in each other's way. `n_open` is the number of trials that
    /// are still to run.
    pub(crate) fn of(n_threads: usize, jobs: Option<usize>, n_open: usize) -> Self {
        let n_threads = n_threads.max(1);
        let n_jobs = jobs.unwrap_or(n_threads).min(n_threads).clamp(1, n_open.max(1));
        Shares { n_jobs, n_threads }
    }

    /// Threads for the trials of one job. What does not divide goes to the first jobs, one to each.
    fn n_threads_of(self, job: usize) -> usize {
        self.n_threads / self.n_jobs + usize::from(job < self.n_threads % self.n_jobs)
    }
}

/// What came of it.
pub(crate) struct Campaign {
    /// All records of the trials asked for, earlier ones included, by trial.
    pub(crate) records: BTreeMap<String, RunRecord>,
    /// Whether it was stopped before its end.
    pub(crate) is_interrupted: bool,
}

/// Runs those of `trials` that have no record in `records`, or only one of a failure.
///
/// `see` is called with each measured epoch, in the thread of its trial.
#[expect(clippy::too_many_arguments, reason = "each is one thing that the caller knows, passed through once")]
pub(crate) fn run(
    laboratory: &Laboratory,
    trials: &[Trial],
    store: &ResultsStore,
    mut records: BTreeMap<String, RunRecord>,
    shares: Shares,
    stop: &AtomicBool,
    progress: &Progress,
    see: &(dyn Fn(&EpochRecord, &Progress) + Sync),
) -> Result<Campaign, Failure> {
    let asked: HashSet<&str> = trials.iter().map(|trial| trial.id.as_str()).collect();
    records.retain(|id, record| record.status != Status::Failed && asked.contains(id.as_str()));
    let open = in_order(laboratory, trials, &records);
    let whole = Whole::new(laboratory, &open, trials.len(), progress);
    let done = Mutex::new(Vec::new());
    let run_one = |index: usize, workers: &Workers| -> Result<(), Failure> {
        let trial = open[index];
        let bar = whole.trial_bar(progress, laboratory, trial);
        let ending = laboratory.run(trial, workers, &mut |step| {
            match step {
                Step::Epoch(epoch) => see(epoch, progress),
                Step::Batch { epoch, samples_done, samples_in_epoch, .. } => {
                    let before = (epoch as u64 - 1).saturating_mul(samples_in_epoch as u64);
                    bar.advance(before.saturating_add(samples_done as u64));
                }
            }
            match stop.load(Ordering::Relaxed) {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            }
        })?;
        if let Ending::Recorded(record, network) = ending {
            store.save(&record, network.as_ref(), &laboratory.model_configuration(&trial.settings))?;
            bar.finish();
            whole.count_one();
            lock(&done).push(*record);
        }
        Ok(())
    };
    let result = in_parallel(open.len(), shares, stop, &run_one);
    whole.bar.finish_and_clear();
    records.extend(lock(&done).drain(..).map(|record| (record.trial.clone(), record)));
    result?;
    let is_interrupted = stop.load(Ordering::Relaxed) && records.len() < trials.len();
    Ok(Campaign { records, is_interrupted })
}

/// The trials still to run: one seed of everything before the next seed, so that a part of a sweep is already balanced,
/// and among these the longest first, so that the threads end together.
fn in_order<'a>(laboratory: &Laboratory, trials: &'a [Trial], records: &BTreeMap<String, RunRecord>) -> Vec<&'a Trial> {
    let mut open: Vec<&Trial> = trials.iter().filter(|trial| !records.contains_key(&trial.id)).collect();
    open.sort_by_key(|trial| {
        let work = work(&trial.settings, &laboratory.data);
        (trial.settings.train.seed, std::cmp::Reverse(work))
    });
    open
}

/// Calls `task` with each index below `n_tasks` from `n_jobs` threads, each time with workers of its own, until there is
/// none left, `stop` is raised, or one fails; then the rest are not begun, and the first failure is returned.
fn in_parallel(
    n_tasks: usize,
    shares: Shares,
    stop: &AtomicBool,
    task: &(dyn Fn(usize, &Workers) -> Result<(), Failure> + Sync),
) -> Result<(), Failure> {
    let next = AtomicUsize::new(0);
    let first_failure = Mutex::new(None);
    let work_off = |job: usize| {
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= n_tasks || stop.load(Ordering::Relaxed) || lock(&first_failure).is_some() {
                return;
            }
            // A new team for each trial costs a fraction of a millisecond, and no panic of one trial reaches the next.
            if let Err(failure) = options::team(shares.n_threads_of(job)).and_then(|workers| task(index, &workers)) {
                lock(&first_failure).get_or_insert(failure);
            }
        }
    };
    thread::scope(|scope| {
        for job in 1..shares.n_jobs.min(n_tasks) {
            let spawned = thread::Builder::new().spawn_scoped(scope, move || work_off(job));
            if let Err(error) = spawned {
                let message = format!(
                    "the system refuses a thread for trial {} of {} at a time: {error}; try --jobs with a smaller number",
                    job + 1,
                    shares.n_jobs
                );
                lock(&first_failure).get_or_insert(Failure::new(Code::InputOutput, message));
                break;
            }
        }
        work_off(0);
    });
    match first_failure.into_inner() {
        Ok(Some(failure)) => Err(failure),
        _ => Ok(()),
    }
}

/// The content of a mutex whose holders cannot leave it half-changed.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// The bar of the whole campaign.
struct Whole {
    bar: ProgressBar,
    n_done: AtomicUsize,
    n_trials: usize,
    is_one: bool,
}

impl Whole {
    fn new(laboratory: &Laboratory, open: &[&Trial], n_trials: usize, progress: &Progress) -> Self {
        let units = open.iter().map(|trial| work(&trial.settings, &laboratory.data));
        let units = units.fold(0_u64, u64::saturating_add);
        let is_one = n_trials == 1;
        let bar = match is_one {
            true => ProgressBar::hidden(),
            false => progress.whole(units, ""),
        };
        let whole = Whole { bar, n_done: AtomicUsize::new(n_trials - open.len()), n_trials, is_one };
        whole.say();
        whole
    }

    fn count_one(&self) {
        self.n_done.fetch_add(1, Ordering::Relaxed);
        self.say();
    }

    fn say(&self) {
        let n_done = self.n_done.load(Ordering::Relaxed);
        self.bar.set_message(format!("{n_done} of {} done", counted(self.n_trials, "trial")));
    }

    fn trial_bar<'a>(&'a self, progress: &Progress, laboratory: &Laboratory, trial: &Trial) -> TrialBar<'a> {
        let n_train = laboratory.images(&trial.settings).0.len().saturating_sub(trial.settings.train.validation);
        let n_samples = (n_train as u64).saturating_mul(trial.settings.train.epochs as u64);
        let name = if self.is_one { "training".to_owned() } else { trial.values() };
        TrialBar {
            bar: progress.samples(&name, n_samples.max(1)),
            whole: &self.bar,
            units: work(&trial.settings, &laboratory.data),
            n_samples: n_samples.max(1),
            told: std::cell::Cell::new(0),
        }
    }
}

/// The bar of one trial, which moves the whole one along.
struct TrialBar<'a> {
    bar: ProgressBar,
    whole: &'a ProgressBar,
    units: u64,
    n_samples: u64,
    told: std::cell::Cell<u64>,
}

impl TrialBar<'_> {
    fn advance(&self, n_done: u64) {
        self.bar.set_position(n_done);
        let units = (self.units as f64 * (n_done as f64 / self.n_samples as f64)) as u64;
        self.whole.inc(units.saturating_sub(self.told.replace(units)));
    }

    fn finish(&self) {
        // Early stopping and divergence leave work undone that is done with.
        self.whole.inc(self.units.saturating_sub(self.told.replace(self.units)));
        self.bar.finish_and_clear();
    }
}

impl Drop for TrialBar<'_> {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::configuration::Document;
    use crate::data::Dataset;
    use crate::plan::Plan;

    #[test]
    fn threads_are_shared_out_without_waste() {
        let teams = |shares: Shares| -> Vec<usize> { (0..shares.n_jobs).map(|job| shares.n_threads_of(job)).collect() };
        assert_eq!(teams(Shares::of(8, None, 100)), [1; 8]);
        assert_eq!(teams(Shares::of(8, None, 3)), [3, 3, 2]);
        assert_eq!(teams(Shares::of(8, Some(2), 100)), [4, 4]);
        assert_eq!(teams(Shares::of(1, Some(4), 100)), [1]);
        assert_eq!(teams(Shares::of(4, None, 1)), [4]);
        assert_eq!(teams(Shares::of(4, None, 0)), [4]);
    }

    #[test]
    fn a_trial_that_panics_is_recorded_and_its_siblings_go_on() {
        let folder = tempfile::tempdir().expect("a folder");
        let text = "hidden = [4]\nepochs = 1\n[sweep]\nseed = [0, 1, 2]\n";
        let specification = Document::parse(text, "sample").and_then(|document| document.check()).expect("a sample");
        let data = Dataset {
            name: "digits".to_owned(),
            is_synthetic: true,
            train: mnist_io::synthetic_digits(50, 1),
            test: mnist_io::synthetic_digits(20, 2),
            sha256: "0".repeat(64),
        };
        let cells = specification.cells().expect("three cells");
        let laboratory = Laboratory::new(data, mlp_core::Kernel::Portable, None, &cells);
        let trials = laboratory.trials(&specification).expect("three trials");
        let plan = Plan { specification, laboratory, trials, folder: folder.path().to_path_buf() };
        let (store, records) = plan.open_store("test").expect("an empty folder");
        let n_seen = AtomicUsize::new(0);
        let see = |_: &EpochRecord, _: &Progress| {
            assert!(n_seen.fetch_add(1, Ordering::Relaxed) > 0, "out of cheese");
        };
        let (shares, stop, progress) =
            (Shares { n_jobs: 1, n_threads: 1 }, AtomicBool::new(false), Progress::new(true));
        let campaign = run(&plan.laboratory, &plan.trials, &store, records, shares, &stop, &progress, &see);
        let records = campaign.expect("a campaign").records;
        let n_finished = records.values().filter(|record| record.status == Status::Finished).count();
        assert_eq!((records.len(), n_finished), (3, 2));
        let failed = records.values().find(|record| record.status == Status::Failed).expect("the first one");
        assert!(failed.error.as_deref().is_some_and(|error| error.starts_with("panic: out of cheese")), "{failed:?}");
        assert_eq!(&RunRecord::read(store.record_path(&failed.trial)).expect("its record"), failed);
    }

    #[test]
    fn every_task_is_done_exactly_once() {
        let counts: Vec<AtomicUsize> = (0..50).map(|_| AtomicUsize::new(0)).collect();
        let shares = Shares { n_jobs: 4, n_threads: 4 };
        let result = in_parallel(50, shares, &AtomicBool::new(false), &|index, _| {
            counts[index].fetch_add(1, Ordering::Relaxed);
            Ok(())
        });
        assert!(result.is_ok());
        assert!(counts.iter().all(|count| count.load(Ordering::Relaxed) == 1));
    }

    #[test]
    fn a_failure_ends_the_campaign_and_is_returned() {
        let n_begun = AtomicUsize::new(0);
        let shares = Shares { n_jobs: 1, n_threads: 1 };
        let result = in_parallel(50, shares, &AtomicBool::new(false), &|index, _| {
            n_begun.fetch_add(1, Ordering::Relaxed);
            match index {
                3 => Err(Failure::new(Code::InputOutput, "disk full")),
                _ => Ok(()),
            }
        });
        assert_eq!(result.expect_err("the fourth task fails").code, Code::InputOutput);
        assert_eq!(n_begun.load(Ordering::Relaxed), 4);
    }

    #[test]
    fn a_raised_flag_lets_nothing_begin() {
        let shares = Shares { n_jobs: 2, n_threads: 2 };
        let result = in_parallel(50, shares, &AtomicBool::new(true), &|_, _| {
            Err(Failure::new(Code::InputOutput, "must not run"))
        });
        assert!(result.is_ok());
    }
}
