//! Tasks shared out among threads: each is begun once, and those that other processes hold are asked for again.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use mlp_core::Workers;

use crate::error::{Error, ErrorKind, Result};
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

/// Calls `task` with each index below `n_tasks` from several threads, each time with workers of its own, until there is
/// none left, it is stopped, or one fails; then the rest are not begun, and the first failure is returned. Tasks
/// that others hold are asked for again until they are over.
pub(crate) fn in_parallel(
    n_tasks: usize,
    parallelism: Parallelism,
    is_stopped: &(dyn Fn() -> bool + Sync),
    observer: &dyn Observer,
    task: &(dyn Fn(usize, &Workers) -> Result<TaskState> + Sync),
) -> Result<()> {
    let queue = Mutex::new(Queue { indices: (0..n_tasks).collect(), n_held: 0, has_said: false });
    let first_error = Mutex::new(None);
    let work = |job: usize| {
        loop {
            let Some(index) = lock(&queue).indices.pop_front() else { return };
            if is_stopped() || lock(&first_error).is_some() {
                return;
            }
            // A new team for each trial costs a fraction of a millisecond, and no panic of one trial reaches the next.
            let state = team(parallelism.n_threads_of(job)).and_then(|workers| task(index, &workers));
            match state {
                Ok(TaskState::Over) => lock(&queue).n_held = 0,
                Ok(TaskState::Held(holder)) => put_back(&queue, index, &holder, observer),
                Err(error) => {
                    lock(&first_error).get_or_insert(error);
                }
            }
        }
    };
    thread::scope(|scope| {
        for job in 1..parallelism.n_jobs.min(n_tasks) {
            let spawned = thread::Builder::new().spawn_scoped(scope, move || work(job));
            if let Err(error) = spawned {
                let message = format!(
                    "the system refuses a thread for trial {} of {} at a time: {error}; try --jobs with a smaller number",
                    job + 1,
                    parallelism.n_jobs
                );
                lock(&first_error).get_or_insert(Error::new(ErrorKind::Io, message));
                break;
            }
        }
        work(0);
    });
    match first_error.into_inner() {
        Ok(Some(error)) => Err(error),
        _ => Ok(()),
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
    if !std::mem::replace(&mut held.has_said, true) {
        observer.notify(Event::Waiting { n_trials: n_left, holder });
    }
    drop(held);
    thread::sleep(PAUSE);
}

/// The content of a mutex whose holders cannot leave it half-changed.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
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

    #[test]
    fn a_raised_flag_lets_nothing_begin() {
        assert!(tasks(2, true, &|_, _| Err(Error::new(ErrorKind::Io, "must not run"))).is_ok());
    }
}
