//! Runs many trials, several at a time, and keeps what is finished whatever happens to the rest.

use mlp_results::{RunRecord, Status};

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::ops::ControlFlow;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use mlp_core::Workers;
use mlp_train::{EpochRecord, Progress as Step};

use crate::checkpoints::Pace;
use crate::claim::Claimed;
use crate::failure::{Code, Failure};
use crate::options;
use crate::order::balanced;
use crate::output::{counted, notice};
use crate::progress::{Ledger, Progress};
use crate::store::ResultsStore;
use crate::trial::{Ending, Laboratory, Trial, UnderWay, work};

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

/// In which order trials are begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// One seed of everything before the next seed, and among these the longest first, so that the threads end together.
    LongestFirst,
    /// So that wherever it ends, the values of every key have had their share.
    Balanced,
}

/// How a campaign goes about it.
pub(crate) struct Manner<'a> {
    pub(crate) shares: Shares,
    pub(crate) order: Order,
    /// How often trials under way are written down.
    pub(crate) pace: Pace,
    /// When to stop, if there is a budget.
    pub(crate) deadline: Option<Instant>,
    /// Raised from outside.
    pub(crate) stop: &'a AtomicBool,
    pub(crate) progress: &'a Progress,
    /// Called with each measured epoch, in the thread of its trial.
    pub(crate) see: &'a (dyn Fn(&EpochRecord, &Progress) + Sync),
    /// Which trials are examined while they train.
    pub(crate) diagnose: &'a (dyn Fn(&Trial) -> bool + Sync),
}

/// What came of it.
pub(crate) struct Campaign {
    /// All records of the trials asked for, earlier ones included, by trial.
    pub(crate) records: BTreeMap<String, RunRecord>,
    /// Why trials are left to do, if there are any.
    pub(crate) stopped: Option<Stopped>,
}

/// Why a campaign ended before its trials did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stopped {
    /// By a signal.
    Signal,
    /// Its time was used up.
    Budget,
}

impl Manner<'_> {
    /// Why no more is to be done, if that is so.
    fn stopped(&self) -> Option<Stopped> {
        if self.stop.load(Ordering::Relaxed) {
            return Some(Stopped::Signal);
        }
        self.deadline.filter(|deadline| Instant::now() >= *deadline).map(|_| Stopped::Budget)
    }
}

/// Runs those of `trials` that have no record in `records`, or only one of a failure; with `until`, to the end of that
/// epoch at most.
pub(crate) fn run(
    laboratory: &Laboratory,
    trials: &[Trial],
    store: &ResultsStore,
    mut records: BTreeMap<String, RunRecord>,
    until: Option<usize>,
    manner: &Manner<'_>,
) -> Result<Campaign, Failure> {
    let asked: HashSet<&str> = trials.iter().map(|trial| trial.id.as_str()).collect();
    let failures_before: BTreeMap<String, RunRecord> = records
        .iter()
        .filter(|(_, record)| record.status == Status::Failed)
        .map(|(id, record)| (id.clone(), record.clone()))
        .collect();
    records.retain(|id, record| record.status != Status::Failed && asked.contains(id.as_str()));
    let open = in_order(laboratory, trials, &records, manner.order);
    let ledger = Ledger::new(
        manner.progress,
        trials,
        open.iter().map(|trial| work(&trial.settings, &laboratory.data)).fold(0_u64, u64::saturating_add),
        records.values(),
    );
    let done = Mutex::new((Vec::new(), 0));
    let finish = |record: RunRecord| {
        ledger.count(&record);
        lock(&done).0.push(record);
    };
    // A record that appeared since the folder was opened is another process's. One of a failure that was there before is
    // to be tried again.
    let of_others = |trial: &Trial| -> Result<Option<RunRecord>, Failure> {
        if !store.is_shared() {
            return Ok(None);
        }
        Ok(store.record(&trial.id)?.filter(|record| failures_before.get(&trial.id) != Some(record)))
    };
    let run_one = |index: usize, workers: &Workers| -> Result<Turn, Failure> {
        let trial = open[index];
        if let Some(record) = of_others(trial)? {
            finish(record);
            return Ok(Turn::Over);
        }
        let _claim = match store.claim(trial)? {
            Claimed::Ours(claim) => claim,
            Claimed::By(holder) => return Ok(Turn::Held(holder)),
        };
        // It may have been finished between the first look and the claim.
        if let Some(record) = of_others(trial)? {
            finish(record);
            return Ok(Turn::Over);
        }
        let files = UnderWay {
            checkpoints: store.checkpoints(&trial.id, laboratory.owner(trial), manner.pace),
            diagnosis: (manner.diagnose)(trial).then(|| store.diagnosis_path(&trial.id)),
        };
        let bar = ledger.trial_bar(laboratory, trial);
        let ending = laboratory.run(trial, workers, &files, until, &mut |step| {
            match step {
                Step::Epoch(epoch) => (manner.see)(epoch, manner.progress),
                Step::Batch { epoch, samples_done, samples_in_epoch, .. } => {
                    let before = (epoch as u64 - 1).saturating_mul(samples_in_epoch as u64);
                    bar.advance(before.saturating_add(samples_done as u64));
                }
            }
            match manner.stopped() {
                Some(_) => ControlFlow::Break(()),
                None => ControlFlow::Continue(()),
            }
        })?;
        match ending {
            Ending::Recorded(record, network) => {
                store.save(&record, network.as_ref(), &laboratory.model_configuration(&trial.settings))?;
                files.checkpoints.remove();
                bar.finish();
                finish(*record);
            }
            Ending::Paused(reached) => {
                store.save_rung(&trial.id, &reached)?;
                lock(&done).1 += 1;
            }
            Ending::Interrupted => {}
        }
        Ok(Turn::Over)
    };
    let result = in_parallel(open.len(), manner, &run_one);
    ledger.finish();
    let (mut finished, n_paused) = done.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    records.extend(finished.drain(..).map(|record| (record.trial.clone(), record)));
    result?;
    let stopped = manner.stopped().filter(|_| records.len() + n_paused < trials.len());
    Ok(Campaign { records, stopped })
}

/// The trials still to run, in the order in which to begin them.
fn in_order<'a>(
    laboratory: &Laboratory,
    trials: &'a [Trial],
    records: &BTreeMap<String, RunRecord>,
    order: Order,
) -> Vec<&'a Trial> {
    if order == Order::Balanced {
        // Over all trials, so that the order is the same however often the sweep is continued.
        let order = balanced(trials);
        return order
            .into_iter()
            .map(|index| &trials[index])
            .filter(|trial| !records.contains_key(&trial.id))
            .collect();
    }
    let mut open: Vec<&Trial> = trials.iter().filter(|trial| !records.contains_key(&trial.id)).collect();
    open.sort_by_key(|trial| {
        let work = work(&trial.settings, &laboratory.data);
        (trial.settings.train.seed, std::cmp::Reverse(work))
    });
    open
}

/// What came of a task.
enum Turn {
    /// It is done with.
    Over,
    /// Another process is at it: who.
    Held(String),
}

/// How long to wait before asking again for trials that other processes hold.
const PATIENCE: Duration = Duration::from_millis(250);

/// The tasks that nobody has begun.
struct Queue {
    indices: VecDeque<usize>,
    /// How many in a row were held by others.
    n_held: usize,
    has_told: bool,
}

/// Calls `task` with each index below `n_tasks` from several threads, each time with workers of its own, until there is
/// none left, the manner says stop, or one fails; then the rest are not begun, and the first failure is returned. Tasks
/// that others hold are asked for again until they are over.
fn in_parallel(
    n_tasks: usize,
    manner: &Manner<'_>,
    task: &(dyn Fn(usize, &Workers) -> Result<Turn, Failure> + Sync),
) -> Result<(), Failure> {
    let shares = manner.shares;
    let queue = Mutex::new(Queue { indices: (0..n_tasks).collect(), n_held: 0, has_told: false });
    let first_failure = Mutex::new(None);
    let work_off = |job: usize| {
        loop {
            let Some(index) = lock(&queue).indices.pop_front() else { return };
            if manner.stopped().is_some() || lock(&first_failure).is_some() {
                return;
            }
            // A new team for each trial costs a fraction of a millisecond, and no panic of one trial reaches the next.
            let turn = options::team(shares.n_threads_of(job)).and_then(|workers| task(index, &workers));
            match turn {
                Ok(Turn::Over) => lock(&queue).n_held = 0,
                Ok(Turn::Held(holder)) => put_back(&queue, index, &holder),
                Err(failure) => {
                    lock(&first_failure).get_or_insert(failure);
                }
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

/// Puts a task that `holder` is at behind the others; if all of them are held, waits a little.
fn put_back(queue: &Mutex<Queue>, index: usize, holder: &str) {
    let mut held = lock(queue);
    held.indices.push_back(index);
    held.n_held += 1;
    let n_left = held.indices.len();
    if held.n_held < n_left {
        return;
    }
    held.n_held = 0;
    if !std::mem::replace(&mut held.has_told, true) {
        notice(format_args!("waiting for {} that others are running, such as {holder}", counted(n_left, "trial")));
    }
    drop(held);
    thread::sleep(PATIENCE);
}

/// The content of a mutex whose holders cannot leave it half-changed.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;
    use crate::configuration::Document;
    use crate::data::Dataset;
    use crate::plan::Plan;
    use crate::store::Sharing;

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

    fn plan_of_three_seeds(folder: &std::path::Path) -> Plan {
        let text = "hidden = [4]\nepochs = 1\n[sweep]\nseed = [0, 1, 2]\n";
        let specification = Document::parse(text, "sample").and_then(|document| document.check()).expect("a sample");
        let data = Dataset {
            name: "digits".to_owned(),
            is_synthetic: true,
            train: mnist_io::synthetic_digits(50, 1).into(),
            test: mnist_io::synthetic_digits(20, 2).into(),
            sha256: "0".repeat(64),
        };
        let cells = specification.cells().expect("three cells");
        let laboratory = Laboratory::new(data, mlp_core::Kernel::Portable, None, &cells);
        let trials = laboratory.trials(&specification).expect("three trials");
        Plan { specification, laboratory, trials, folder: folder.to_path_buf() }
    }

    fn manner<'a>(
        n_jobs: usize,
        stop: &'a AtomicBool,
        progress: &'a Progress,
        see: &'a (dyn Fn(&EpochRecord, &Progress) + Sync),
    ) -> Manner<'a> {
        let shares = Shares { n_jobs, n_threads: n_jobs };
        Manner {
            shares,
            order: Order::LongestFirst,
            pace: Pace::default(),
            deadline: None,
            stop,
            progress,
            see,
            diagnose: &|_| false,
        }
    }

    /// The records of three trials, of which the first `n_panics` attempts panic.
    fn records_with_panics(n_panics: usize) -> (Vec<RunRecord>, tempfile::TempDir) {
        let folder = tempfile::tempdir().expect("a folder");
        let plan = plan_of_three_seeds(folder.path());
        let (store, records) = plan.open_store("test", Sharing::Alone).expect("an empty folder");
        let n_seen = AtomicUsize::new(0);
        let see = |epoch: &EpochRecord, _: &Progress| {
            assert!(epoch.epoch > 0 || n_seen.fetch_add(1, Ordering::Relaxed) >= n_panics, "out of cheese");
        };
        let (stop, progress) = (AtomicBool::new(false), Progress::new(true));
        let campaign = run(&plan.laboratory, &plan.trials, &store, records, None, &manner(1, &stop, &progress, &see));
        let records = campaign.expect("a campaign").records;
        for record in records.values() {
            assert_eq!(&RunRecord::read(store.record_path(&record.trial)).expect("its record"), record);
        }
        (records.into_values().collect(), folder)
    }

    #[test]
    fn a_trial_that_panics_twice_is_recorded_and_its_siblings_go_on() {
        let (records, _folder) = records_with_panics(2);
        let n_finished = records.iter().filter(|record| record.status == Status::Finished).count();
        assert_eq!((records.len(), n_finished), (3, 2));
        let failed = records.iter().find(|record| record.status == Status::Failed).expect("the first one");
        assert!(
            failed.error.as_deref().is_some_and(|error| error.starts_with("panic, twice: out of cheese")),
            "{failed:?}"
        );
    }

    #[test]
    fn a_trial_that_panics_once_is_run_again_and_finishes() {
        let (records, _folder) = records_with_panics(1);
        assert!(records.len() == 3 && records.iter().all(|record| record.status == Status::Finished));
    }

    fn tasks(
        n_jobs: usize,
        stop: bool,
        task: &(dyn Fn(usize, &Workers) -> Result<Turn, Failure> + Sync),
    ) -> Result<(), Failure> {
        let (stop, progress) = (AtomicBool::new(stop), Progress::new(true));
        in_parallel(50, &manner(n_jobs, &stop, &progress, &|_, _| ()), task)
    }

    #[test]
    fn every_task_is_done_exactly_once() {
        let counts: Vec<AtomicUsize> = (0..50).map(|_| AtomicUsize::new(0)).collect();
        let result = tasks(4, false, &|index, _| {
            counts[index].fetch_add(1, Ordering::Relaxed);
            Ok(Turn::Over)
        });
        assert!(result.is_ok());
        assert!(counts.iter().all(|count| count.load(Ordering::Relaxed) == 1));
    }

    #[test]
    fn a_task_that_another_process_holds_is_asked_for_again_until_it_is_over() {
        let counts: Vec<AtomicUsize> = (0..50).map(|_| AtomicUsize::new(0)).collect();
        let result = tasks(2, false, &|index, _| match counts[index].fetch_add(1, Ordering::Relaxed) {
            n_asked if index >= 48 && n_asked < 2 => Ok(Turn::Held("somebody".to_owned())),
            _ => Ok(Turn::Over),
        });
        assert!(result.is_ok());
        let counts: Vec<usize> = counts.iter().map(|count| count.load(Ordering::Relaxed)).collect();
        assert!(counts[..48].iter().all(|count| *count == 1) && counts[48..] == [3, 3], "{counts:?}");
    }

    #[test]
    fn a_failure_ends_the_campaign_and_is_returned() {
        let n_begun = AtomicUsize::new(0);
        let result = tasks(1, false, &|index, _| {
            n_begun.fetch_add(1, Ordering::Relaxed);
            match index {
                3 => Err(Failure::new(Code::InputOutput, "disk full")),
                _ => Ok(Turn::Over),
            }
        });
        assert_eq!(result.expect_err("the fourth task fails").code, Code::InputOutput);
        assert_eq!(n_begun.load(Ordering::Relaxed), 4);
    }

    #[test]
    fn a_raised_flag_lets_nothing_begin() {
        assert!(tasks(2, true, &|_, _| Err(Failure::new(Code::InputOutput, "must not run"))).is_ok());
    }
}
