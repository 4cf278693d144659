//! A small team of threads for work that takes microseconds.

use std::any::Any;
use std::fmt;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicUsize, Ordering, fence};
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
    signal: Padded<Signal>,
    /// For each helper, the number of the last piece of work that it has finished.
    finished: Vec<Padded<AtomicUsize>>,
    /// For each member of the team, the next of the positions that are its own first.
    next: Vec<Padded<AtomicUsize>>,
    /// Helpers that sleep, or are about to.
    asleep: AtomicUsize,
    /// What the first helper that panicked in this piece of work said.
    panic: Mutex<Option<Box<dyn Any + Send>>>,
    /// Whether there is such a panic.
    panicked: AtomicBool,
    stopping: AtomicBool,
}

/// A value on cache lines of its own: what one thread writes and another waits for travels between the cores alone.
#[repr(align(128))]
#[derive(Default)]
struct Padded<T>(T);

/// The number of a piece of work, and the work.
#[derive(Default)]
struct Signal {
    generation: AtomicUsize,
    /// Borrowed from the stack of the thread that waits for its end.
    job: AtomicPtr<Job<'static>>,
}

/// What each member of the team, told its number, does.
struct Job<'a>(&'a (dyn Fn(usize) + Sync));

/// Which items are whose: each belongs to one member of a team.
#[derive(Debug)]
pub(crate) struct Shares {
    /// The items of the first member, then those of the next, each in the order in which they are done.
    order: Vec<usize>,
    /// Where those of each member begin, and the end.
    starts: Vec<usize>,
}

impl Shares {
    /// Told the items of each member.
    ///
    /// # Panics
    /// Where they are not all numbers from 0 on, each once.
    pub(crate) fn new(members: &[Vec<usize>]) -> Shares {
        let order = members.concat();
        let mut is_there = vec![false; order.len()];
        order.iter().for_each(|&item| is_there[item] = true);
        assert!(is_there.iter().all(|&is_there| is_there), "every item has an owner");
        let mut starts = vec![0];
        starts.extend(members.iter().scan(0, |end, items| {
            *end += items.len();
            Some(*end)
        }));
        Shares { order, starts }
    }

    pub(crate) fn n_members(&self) -> usize {
        self.starts.len() - 1
    }
}

/// A pointer to the items that the threads share out among themselves.
struct Items<T>(*mut T);

// SAFETY: every item is handed to one thread only, by `share_out`, and items may be sent between threads.
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
            signal: Padded::default(),
            finished: (1..n_threads).map(|_| Padded::default()).collect(),
            next: (0..n_threads).map(|_| Padded::default()).collect(),
            asleep: AtomicUsize::new(0),
            panic: Mutex::new(None),
            panicked: AtomicBool::new(false),
            stopping: AtomicBool::new(false),
        });
        let mut workers = Workers { shared, helpers: Vec::new(), turn: Mutex::new(()) };
        for member in 1..n_threads {
            let shared = Arc::clone(&workers.shared);
            let builder = thread::Builder::new().name(format!("worker {member}"));
            workers.helpers.push(builder.spawn(move || help(&shared, member))?);
        }
        Ok(workers)
    }

    /// The number of threads, the caller's included.
    pub fn n_threads(&self) -> usize {
        self.helpers.len() + 1
    }

    /// Calls `work` once for each item, and returns when all are done. `work` must not ask the same team again: it would
    /// wait for itself.
    ///
    /// The items are cut into one stretch for each thread, in the same way each time, so that what belongs to an item
    /// stays in one core's cache; a thread that has finished its own takes over items of the others.
    ///
    /// # Panics
    /// Where `work` panics, after all threads have stopped, with the same message.
    pub fn for_each<T: Send>(&self, items: &mut [T], work: impl Fn(usize, &mut T) + Sync) {
        self.for_each_in_stretches(true, items, work);
    }

    /// [`Workers::for_each`] with or without helping each other out. Without, every thread does its own stretch and no
    /// other's, which saves the counters: they travel between the cores, and for work of a few microseconds cost more than an
    /// uneven split.
    ///
    /// # Panics
    /// As that.
    pub(crate) fn for_each_in_stretches<T: Send>(
        &self,
        do_help: bool,
        items: &mut [T],
        work: impl Fn(usize, &mut T) + Sync,
    ) {
        let (n_items, n_members) = (items.len(), self.n_threads());
        if n_members == 1 || n_items <= 1 {
            items.iter_mut().enumerate().for_each(|(index, item)| work(index, item));
            return;
        }
        let items = Items(items.as_mut_ptr());
        // SAFETY: positions are below the number of items, each comes once, and the slice is borrowed until `share_out` returns.
        let one = |index| work(index, unsafe { items.claim(index) });
        self.share_out(do_help, |member| n_items * member / n_members, one);
    }

    /// [`Workers::for_each_in_stretches`] with other shares.
    ///
    /// # Panics
    /// As that, and where the shares are those of other items or of a team of another size.
    pub(crate) fn for_each_of<T: Send>(
        &self,
        shares: &Shares,
        do_help: bool,
        items: &mut [T],
        work: impl Fn(usize, &mut T) + Sync,
    ) {
        assert_eq!((shares.order.len(), shares.n_members()), (items.len(), self.n_threads()), "items, and threads");
        if shares.n_members() == 1 {
            items.iter_mut().enumerate().for_each(|(index, item)| work(index, item));
            return;
        }
        let items = Items(items.as_mut_ptr());
        // SAFETY: positions are below the number of items, each comes once and stands for an index of its own, as `Shares::new`
        // has checked, and the slice is borrowed until `share_out` returns.
        let one = |position: usize| work(shares.order[position], unsafe { items.claim(shares.order[position]) });
        self.share_out(do_help, |member| shares.starts[member], one);
    }

    /// Calls `one` once for each position below `start(n_threads)`: those from `start(member)` to `start(member + 1)` on the
    /// thread of that member, unless another has finished and helps out. `start(0)` is 0, and `start` never falls.
    fn share_out(&self, do_help: bool, start: impl Fn(usize) -> usize + Sync, one: impl Fn(usize) + Sync) {
        if !do_help {
            self.run(|| (), &|member| (start(member)..start(member + 1)).for_each(&one));
            return;
        }
        let (n_members, next) = (self.n_threads(), &self.shared.next);
        let reset = || (0..n_members).for_each(|member| next[member].0.store(start(member), Ordering::Relaxed));
        self.run(reset, &|member| {
            for owner in (member..n_members).chain(0..member) {
                loop {
                    let position = next[owner].0.fetch_add(1, Ordering::Relaxed);
                    if position >= start(owner + 1) {
                        break;
                    }
                    one(position);
                }
            }
        });
    }

    /// Wakes the helpers that sleep.
    fn wake(&self) {
        if self.shared.asleep.load(Ordering::Relaxed) > 0 {
            self.helpers.iter().for_each(|helper| helper.thread().unpark());
        }
    }

    /// Calls `job` on every thread of the team, and returns when all calls have. `prepare` is called first, when no
    /// earlier job runs.
    fn run(&self, prepare: impl FnOnce(), job: &(dyn Fn(usize) + Sync)) {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let shared = &*self.shared;
        prepare();
        let job = Job(job);
        // Only the lifetime changes. The helpers forget the job before they report that they have finished, and this
        // function does not return, nor unwind, before all have.
        shared.signal.0.job.store(ptr::from_ref(&job).cast_mut().cast(), Ordering::Relaxed);
        // Only who holds the turn writes the number: a plain store, so that it can continue while the others hear of it.
        let generation = shared.signal.0.generation.load(Ordering::Relaxed).wrapping_add(1);
        shared.signal.0.generation.store(generation, Ordering::Release);
        self.wake();
        let own = catch_unwind(AssertUnwindSafe(|| (job.0)(0)));
        // A helper that was about to sleep has seen the number, or is seen here.
        fence(Ordering::SeqCst);
        self.wake();
        for finished in &shared.finished {
            let mut waited = 0;
            while finished.0.load(Ordering::Acquire) != generation {
                wait(&mut waited);
            }
        }
        if own.is_ok() && !shared.panicked.load(Ordering::Relaxed) {
            return;
        }
        shared.panicked.store(false, Ordering::Relaxed);
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
fn help(shared: &Shared, member: usize) {
    let mut seen = 0;
    loop {
        let mut waited = 0;
        let mut yielded = 0;
        while shared.signal.0.generation.load(Ordering::Acquire) == seen {
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
        // SAFETY: the caller of `run` stored it before the signal, and waits until all have finished, so it is alive.
        let job = unsafe { &*shared.signal.0.job.load(Ordering::Relaxed) };
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| (job.0)(member))) {
            let mut first = shared.panic.lock().unwrap_or_else(PoisonError::into_inner);
            match *first {
                None => *first = Some(panic),
                // A second one is forgotten without dropping it: its drop could panic, here where nobody catches.
                Some(_) => std::mem::forget(panic),
            }
            shared.panicked.store(true, Ordering::Relaxed);
        }
        shared.finished[member - 1].0.store(seen, Ordering::Release);
    }
}

/// Sleeps until the generation has changed.
fn sleep(shared: &Shared, seen: usize) {
    shared.asleep.fetch_add(1, Ordering::SeqCst);
    // The other half of the fence in `run`: either this thread sees the new number, or that one sees it in `asleep`.
    fence(Ordering::SeqCst);
    while shared.signal.0.generation.load(Ordering::Acquire) == seen {
        thread::park();
    }
    shared.asleep.fetch_sub(1, Ordering::SeqCst);
}

impl fmt::Debug for Workers {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Workers").field("n_threads", &self.n_threads()).finish()
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::Release);
        self.shared.signal.0.generation.fetch_add(1, Ordering::SeqCst);
        for helper in &self.helpers {
            helper.thread().unpark();
        }
        for handle in self.helpers.drain(..) {
            // A helper catches the panics of its work, so joining cannot fail.
            let _ = handle.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn shares_are_of_every_item_once() {
        let shares = Shares::new(&[vec![2, 0], vec![], vec![1]]);
        assert_eq!((shares.order, shares.starts), (vec![2, 0, 1], vec![0, 2, 2, 3]));
    }

    #[test]
    #[should_panic(expected = "every item has an owner")]
    fn no_item_is_left_out_or_shared() {
        Shares::new(&[vec![0, 1], vec![1]]);
    }

    #[test]
    fn every_item_is_visited_once_whoever_owns_it() {
        for n_threads in 1..4 {
            let (workers, mut items) = (Workers::new(n_threads), [0; 9]);
            let mut members = vec![Vec::new(); n_threads];
            (0..9).rev().for_each(|item| members[item * item % n_threads].push(item));
            for do_help in [false, true] {
                workers.for_each_of(&Shares::new(&members), do_help, &mut items, |index, item| *item += index + 1);
            }
            assert_eq!(items, [2, 4, 6, 8, 10, 12, 14, 16, 18]);
        }
    }

    #[test]
    fn who_has_finished_takes_over_items_of_the_others() {
        // The first item waits for the second, which belongs to the same thread.
        let (second, limit) = (AtomicBool::new(false), Duration::from_secs(60));
        Workers::new(2).for_each(&mut [(); 4], |index, ()| {
            let begin = Instant::now();
            match index {
                0 => {
                    while !second.load(Ordering::Acquire) && begin.elapsed() < limit {
                        thread::yield_now()
                    }
                }
                1 => second.store(true, Ordering::Release),
                _ => {}
            }
            assert!(begin.elapsed() < limit, "nobody took over the second item");
        });
    }
}
