//! Tasks shared out among threads: each is begun once, and those that other processes hold are asked for again.

use std::any::Any;
use std::collections::VecDeque;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use mlp_core::Workers;

use crate::error::{Advice, Error, ErrorKind, Result};
use crate::event::{Event, Observer};
use crate::parallelism::{Parallelism, team};

/// What came of a task.
pub(crate) enum TaskState {
    /// It is done with.
    Over,
    /// Another process is at it: who.
    Held(String),
}

/// How long to wait before asking again for trials that other processes hold.
const PAUSE: Duration = Duration::from_millis(250);

/// The tasks that nobody has begun.
struct Queue {
    indices: VecDeque<usize>,
    /// How many in a row were held by others.
    n_held: usize,
    has_said: bool,
}

/// What ends the work before its end.
enum Failure {
    Error(Error),
    /// A panic, which is the caller's: of whoever watches, as a task guards what it runs.
    Panic(Box<dyn Any + Send>),
}

/// Calls `task` with each index below `n_tasks` from several threads, each time with workers of its own, until there is
/// none left, it is stopped, or one fails or panics; then the rest are not begun, and the first failure is returned, or the
/// panic goes on. Tasks that others hold are asked for again until they are over.
pub(crate) fn in_parallel(
    n_tasks: usize,
    parallelism: Parallelism,
    is_stopped: &(dyn Fn() -> bool + Sync),
    observer: &dyn Observer,
    task: &(dyn Fn(usize, &Workers) -> Result<TaskState> + Sync),
) -> Result<()> {
    let queue = Mutex::new(Queue { indices: (0..n_tasks).collect(), n_held: 0, has_said: false });
    let failure = Mutex::new(None);
    let work_until_the_end = |job: usize| -> Result<()> {
        loop {
            // With none left in the queue, each that is not over is in the hands of another thread, which asks for it again
            // if need be: there are as many threads as tasks without this one.
            let Some(index) = lock(&queue).indices.pop_front() else { return Ok(()) };
            if is_stopped() || lock(&failure).is_some() {
                return Ok(());
            }
            // A new team for each trial costs a fraction of a millisecond, and no panic of one trial reaches the next.
            let workers = team(parallelism.n_threads_of(job))?;
            match task(index, &workers)? {
                TaskState::Over => lock(&queue).n_held = 0,
                TaskState::Held(holder) => put_back(&queue, index, &holder, observer),
            }
        }
    };
    let work = |job: usize| match panic::catch_unwind(AssertUnwindSafe(|| work_until_the_end(job))) {
        Ok(Ok(())) => {}
        Ok(Err(error)) => {
            lock(&failure).get_or_insert(Failure::Error(error));
        }
        Err(payload) => *lock(&failure) = Some(Failure::Panic(payload)),
    };
    thread::scope(|scope| {
        for job in 1..parallelism.n_jobs.min(n_tasks) {
            let spawned = thread::Builder::new().spawn_scoped(scope, move || work(job));
            if let Err(error) = spawned {
                let (number, n_jobs) = (job + 1, parallelism.n_jobs);
                let text = format!("the system refuses a thread for trial {number} of {n_jobs} at a time: {error}; ");
                let error = Error::new(ErrorKind::Io, text).caused_by(error).with_advice(Advice::Jobs);
                lock(&failure).get_or_insert(Failure::Error(error));
                break;
            }
        }
        work(0);
    });
    match failure.into_inner().unwrap_or_else(PoisonError::into_inner) {
        Some(Failure::Error(error)) => Err(error),
        Some(Failure::Panic(payload)) => panic::resume_unwind(payload),
        None => Ok(()),
    }
}

/// Puts a task that `holder` is at behind the others; if all of them are held, waits a little.
fn put_back(queue: &Mutex<Queue>, index: usize, holder: &str, observer: &dyn Observer) {
    let mut held = lock(queue);
    held.indices.push_back(index);
    held.n_held += 1;
    let n_left = held.indices.len();
    if held.n_held < n_left {
        return;
    }
    held.n_held = 0;
    let has_said = std::mem::replace(&mut held.has_said, true);
    // Whoever watches may take its time, and the other threads need the queue.
    drop(held);
    if !has_said {
        observer.notify(Event::Waiting { n_trials: n_left, holder });
    }
    thread::sleep(PAUSE);
}

/// The content of a mutex whose holders cannot leave it half-changed.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn tasks(n_jobs: usize, stop: bool, task: &(dyn Fn(usize, &Workers) -> Result<TaskState> + Sync)) -> Result<()> {
        in_parallel(50, Parallelism { n_jobs, n_threads: n_jobs }, &|| stop, &(), task)
    }

    #[test]
    fn every_task_is_done_exactly_once() {
        let counts: Vec<AtomicUsize> = (0..50).map(|_| AtomicUsize::new(0)).collect();
        let result = tasks(4, false, &|index, _| {
            counts[index].fetch_add(1, Ordering::Relaxed);
            Ok(TaskState::Over)
        });
        assert!(result.is_ok());
        assert!(counts.iter().all(|count| count.load(Ordering::Relaxed) == 1));
    }

    #[test]
    fn a_task_that_another_process_holds_is_asked_for_again_until_it_is_over() {
        let counts: Vec<AtomicUsize> = (0..50).map(|_| AtomicUsize::new(0)).collect();
        let result = tasks(2, false, &|index, _| match counts[index].fetch_add(1, Ordering::Relaxed) {
            n_asked if index >= 48 && n_asked < 2 => Ok(TaskState::Held("somebody".to_owned())),
            _ => Ok(TaskState::Over),
        });
        assert!(result.is_ok());
        let counts: Vec<usize> = counts.iter().map(|count| count.load(Ordering::Relaxed)).collect();
        assert!(counts[..48].iter().all(|count| *count == 1) && counts[48..] == [3, 3], "{counts:?}");
    }

    #[test]
    fn an_error_ends_the_work_and_is_returned() {
        let n_begun = AtomicUsize::new(0);
        let result = tasks(1, false, &|index, _| {
            n_begun.fetch_add(1, Ordering::Relaxed);
            match index {
                3 => Err(Error::new(ErrorKind::Io, "disk full")),
                _ => Ok(TaskState::Over),
            }
        });
        assert_eq!(result.expect_err("the fourth task fails").kind(), ErrorKind::Io);
        assert_eq!(n_begun.load(Ordering::Relaxed), 4);
    }

    /// Waits until another thread has come so far.
    #[track_caller]
    fn wait_until(is_so: impl Fn() -> bool) {
        let started = std::time::Instant::now();
        while !is_so() {
            assert!(started.elapsed() < Duration::from_secs(120), "waited in vain");
            thread::yield_now();
        }
    }

    #[test]
    fn while_tasks_are_held_there_is_a_thread_for_each_of_them() {
        // Three are held until the fourth is over, whose thread finds nothing in the queue; then they run together.
        let (n_first, n_second) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let counts: Vec<AtomicUsize> = (0..4).map(|_| AtomicUsize::new(0)).collect();
        let parallelism = Parallelism { n_jobs: 4, n_threads: 4 };
        let result = in_parallel(4, parallelism, &|| false, &(), &|index, _| {
            let n_asked = counts[index].fetch_add(1, Ordering::SeqCst);
            let n_together = if n_asked == 0 { &n_first } else { &n_second };
            n_together.fetch_add(1, Ordering::SeqCst);
            if index == 3 {
                return Ok(TaskState::Over);
            }
            wait_until(|| n_together.load(Ordering::SeqCst) >= if n_asked == 0 { 4 } else { 3 });
            Ok(if n_asked == 0 { TaskState::Held("somebody".to_owned()) } else { TaskState::Over })
        });
        assert!(result.is_ok());
    }

    #[test]
    fn while_the_observer_is_told_of_waiting_other_threads_go_on() {
        let (n_asked, is_told) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let observer = |event: Event<'_>| {
            assert!(matches!(event, Event::Waiting { .. }));
            is_told.store(1, Ordering::SeqCst);
            wait_until(|| n_asked.load(Ordering::SeqCst) >= 3);
        };
        let counts = [AtomicUsize::new(0), AtomicUsize::new(0)];
        let parallelism = Parallelism { n_jobs: 2, n_threads: 2 };
        let result = in_parallel(2, parallelism, &|| false, &observer, &|index, _| {
            n_asked.fetch_add(1, Ordering::SeqCst);
            if counts[index].fetch_add(1, Ordering::SeqCst) > 0 {
                return Ok(TaskState::Over);
            }
            // The first is put back while the second is asked for, and the second while the observer is being told.
            match index {
                0 => wait_until(|| n_asked.load(Ordering::SeqCst) >= 2),
                _ => wait_until(|| is_told.load(Ordering::SeqCst) > 0),
            }
            Ok(TaskState::Held("somebody".to_owned()))
        });
        assert!(result.is_ok());
    }

    #[test]
    fn a_panic_of_any_thread_ends_the_work_and_goes_on_with_its_payload() {
        for n_jobs in [1, 3] {
            let n_begun = AtomicUsize::new(0);
            let run = || {
                tasks(n_jobs, false, &|_, _| {
                    n_begun.fetch_add(1, Ordering::SeqCst);
                    panic::panic_any(7_u8)
                })
            };
            let payload = panic::catch_unwind(AssertUnwindSafe(run)).expect_err("a panic");
            assert_eq!(payload.downcast_ref::<u8>(), Some(&7));
            assert!(n_begun.load(Ordering::SeqCst) <= n_jobs);
        }
    }

    #[test]
    fn a_raised_flag_lets_nothing_begin() {
        assert!(tasks(2, true, &|_, _| Err(Error::new(ErrorKind::Io, "must not run"))).is_ok());
    }
}
