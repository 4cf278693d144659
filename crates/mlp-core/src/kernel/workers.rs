//! A small team of threads for work that takes microseconds.

use std::any::Any;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

/// The threads that share the work of a training step: the one that asks, and helpers that wait for it.
///
/// A training step hands out work several times in a millisecond, and waking a sleeping thread takes tens of
/// microseconds. So helpers spin for a moment, then let others run, and sleep only when nothing has come for a while.
///
/// The work is cut independently of the team, and nothing is summed in an order that depends on it: results are the
/// same bits for any number of threads.
pub struct Workers {
    shared: Arc<Shared>,
    helpers: Vec<JoinHandle<()>>,
    /// One piece of work at a time, whoever asks.
    turn: Mutex<()>,
}

struct Shared {
    /// Counts the pieces of work handed out; a change is the signal to begin.
    generation: AtomicUsize,
    job: Mutex<Option<Job>>,
    /// Helpers that have not finished the current piece of work.
    busy: AtomicUsize,
    /// Helpers that sleep, or are about to.
    asleep: AtomicUsize,
    /// What the first helper that panicked in this piece of work said.
    panic: Mutex<Option<Box<dyn Any + Send>>>,
    stopping: AtomicBool,
}

/// The work of one generation, borrowed from the thread that waits for its end.
#[derive(Clone, Copy)]
struct Job(*const (dyn Fn() + Sync));

// SAFETY: the function behind the pointer is Sync, and `Workers::run` keeps it alive until every helper has finished.
unsafe impl Send for Job {}

/// A pointer to the items that the threads share out among themselves.
struct Items<T>(*mut T);

// SAFETY: every item is handed to one thread only, by a counter, and items may be sent between threads.
unsafe impl<T: Send> Sync for Items<T> {}

impl<T> Items<T> {
    /// # Safety
    /// The index lies inside the slice and is passed once only while the slice is borrowed.
    #[expect(clippy::mut_from_ref, reason = "each index is claimed once, so no two references overlap")]
    unsafe fn claim(&self, index: usize) -> &mut T {
        // SAFETY: the caller's promise.
        unsafe { &mut *self.0.add(index) }
    }
}

const SPINS: u32 = 4_000;
const YIELDS: u32 = 200;

impl Workers {
    /// A team of `n_threads`, the caller's included.
    ///
    /// # Panics
    /// Where `n_threads` is 0, or the system refuses a thread; see [`Workers::try_new`].
    pub fn new(n_threads: usize) -> Workers {
        Workers::try_new(n_threads).unwrap_or_else(|error| panic!("a team of {n_threads} threads: {error}"))
    }

    /// A team of `n_threads`, the caller's included.
    ///
    /// # Errors
    /// Where the system refuses a thread; those already started are stopped.
    ///
    /// # Panics
    /// Where `n_threads` is 0.
    pub fn try_new(n_threads: usize) -> io::Result<Workers> {
        assert!(n_threads > 0, "a team needs at least one thread");
        let shared = Arc::new(Shared {
            generation: AtomicUsize::new(0),
            job: Mutex::new(None),
            busy: AtomicUsize::new(0),
            asleep: AtomicUsize::new(0),
            panic: Mutex::new(None),
            stopping: AtomicBool::new(false),
        });
        let mut workers = Workers { shared, helpers: Vec::new(), turn: Mutex::new(()) };
        for index in 1..n_threads {
            let shared = Arc::clone(&workers.shared);
            workers.helpers.push(thread::Builder::new().name(format!("worker {index}")).spawn(move || help(&shared))?);
        }
        Ok(workers)
    }

    /// The number of threads, the caller's included.
    pub fn n_threads(&self) -> usize {
        self.helpers.len() + 1
    }

    /// Calls `work` once for each item, on whichever thread is free, and returns when all are done. `work` must not ask
    /// the same team again: it would wait for itself.
    ///
    /// # Panics
    /// Where `work` panics, after all threads have stopped, with the same message.
    pub fn for_each<T: Send>(&self, items: &mut [T], work: impl Fn(usize, &mut T) + Sync) {
        let n_items = items.len();
        if self.helpers.is_empty() || n_items <= 1 {
            for (index, item) in items.iter_mut().enumerate() {
                work(index, item);
            }
            return;
        }
        let next = AtomicUsize::new(0);
        let items = Items(items.as_mut_ptr());
        self.run(&|| {
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                if index >= n_items {
                    break;
                }
                // SAFETY: the counter gives each index once, and the slice is borrowed until `run` returns.
                work(index, unsafe { items.claim(index) });
            }
        });
    }

    /// Calls `job` on every thread of the team, and returns when all calls have.
    fn run(&self, job: &(dyn Fn() + Sync)) {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let shared = &*self.shared;
        // SAFETY: only the lifetime changes. The helpers forget the job before they report that they have finished, and
        // this function does not return, nor unwind, before all have.
        let job_pointer = Job(unsafe { std::mem::transmute::<&(dyn Fn() + Sync), *const (dyn Fn() + Sync)>(job) });
        *shared.job.lock().unwrap_or_else(PoisonError::into_inner) = Some(job_pointer);
        shared.busy.store(self.helpers.len(), Ordering::Relaxed);
        shared.generation.fetch_add(1, Ordering::SeqCst);
        if shared.asleep.load(Ordering::SeqCst) > 0 {
            for helper in &self.helpers {
                helper.thread().unpark();
            }
        }
        let own = catch_unwind(AssertUnwindSafe(job));
        let mut waited = 0;
        while shared.busy.load(Ordering::Acquire) > 0 {
            wait(&mut waited);
        }
        let in_helper = shared.panic.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(panic) = own.err().or(in_helper) {
            resume_unwind(panic);
        }
    }
}

/// Spins for a moment, then lets others run.
fn wait(waited: &mut u32) {
    if *waited < SPINS {
        *waited += 1;
        std::hint::spin_loop();
    } else {
        thread::yield_now();
    }
}

/// The life of a helper: waits for a generation, does its share, reports.
fn help(shared: &Shared) {
    let mut seen = 0;
    loop {
        let mut waited = 0;
        let mut yielded = 0;
        while shared.generation.load(Ordering::Acquire) == seen {
            if waited == SPINS {
                yielded += 1;
            }
            wait(&mut waited);
            if yielded > YIELDS {
                sleep(shared, seen);
            }
        }
        seen = seen.wrapping_add(1);
        if shared.stopping.load(Ordering::Acquire) {
            return;
        }
        let job = *shared.job.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(Job(job)) = job {
            // SAFETY: the caller of `run` waits until `busy` is 0, so the function behind the pointer is alive.
            if let Err(panic) = catch_unwind(AssertUnwindSafe(|| unsafe { (*job)() })) {
                let mut first = shared.panic.lock().unwrap_or_else(PoisonError::into_inner);
                match *first {
                    None => *first = Some(panic),
                    // A second one is forgotten without dropping it: its drop could panic, here where nobody catches.
                    Some(_) => std::mem::forget(panic),
                }
            }
        }
        shared.busy.fetch_sub(1, Ordering::Release);
    }
}

/// Sleeps until the generation has changed.
fn sleep(shared: &Shared, seen: usize) {
    shared.asleep.fetch_add(1, Ordering::SeqCst);
    while shared.generation.load(Ordering::SeqCst) == seen {
        thread::park();
    }
    shared.asleep.fetch_sub(1, Ordering::SeqCst);
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::Release);
        self.shared.generation.fetch_add(1, Ordering::SeqCst);
        for helper in &self.helpers {
            helper.thread().unpark();
        }
        for handle in self.helpers.drain(..) {
            // A helper catches the panics of its work, so joining cannot fail.
            let _ = handle.join();
        }
    }
}
