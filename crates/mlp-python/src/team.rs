//! How many threads a fit takes.
//!
//! No result depends on the number of threads, so it is free to change between two batches. Fits that run at the same time in
//! one process, as in a grid search over threads, share the processors. And as threads that wait for each other hundreds of
//! times a second are slower than one where other programs want the processors too (a step of 0.6 ms took 13 to 38 ms on two
//! processors with eight programs), it is measured, over and over, which is faster.

use std::collections::VecDeque;
use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use mlp_train::mlp_core::{Kernel, Workers};
use pyo3::prelude::*;

/// The teams of this process that work, or are about to.
static N_TEAMS: AtomicUsize = AtomicUsize::new(0);

/// Multiply-adds of a step that are not worth a second thread.
const SMALL: usize = 200_000;

/// How long is worked before it is looked how fast that was.
const WINDOW: Duration = Duration::from_millis(20);

/// Of so many windows of a kind the fastest counts: one of them may have been disturbed.
const N_WINDOWS: usize = 3;

/// The windows after which the other way is tried again.
const WINDOWS_BETWEEN_TRIALS: usize = 50;

/// The processors that this process may use.
#[pyfunction]
pub(crate) fn available_threads() -> usize {
    std::thread::available_parallelism().map_or(1, NonZero::get)
}

/// The instructions that networks are computed with here: they decide the last bits.
#[pyfunction]
pub(crate) fn kernel() -> &'static str {
    Kernel::detect().name()
}

/// What one of those that work in this process may take of so many threads.
pub(crate) fn share(limit: usize) -> usize {
    (limit / N_TEAMS.load(Ordering::Relaxed).max(1)).max(1)
}

/// The threads of one fit.
pub(crate) struct Team {
    limit: usize,
    alone: Workers,
    /// All of the fit's share; none where that is one.
    together: Option<Workers>,
    is_alone: bool,
    /// Samples a second in the last windows of working together, and alone; as many as were measured.
    speeds: [VecDeque<f64>; 2],
    window: Window,
    windows_until_trial: usize,
}

struct Window {
    began: Instant,
    n_samples: usize,
}

impl Window {
    fn new() -> Self {
        Self { began: Instant::now(), n_samples: 0 }
    }
}

impl Team {
    /// Of at most `limit` threads, for steps of so many multiply-adds.
    pub(crate) fn new(limit: usize, multiply_adds: usize) -> Self {
        N_TEAMS.fetch_add(1, Ordering::Relaxed);
        let limit = if multiply_adds < SMALL { 1 } else { limit.max(1) };
        let alone = Workers::new(1);
        let window = Window::new();
        let mut team = Self {
            limit,
            alone,
            together: None,
            is_alone: false,
            speeds: Default::default(),
            window,
            windows_until_trial: 0,
        };
        team.adjust();
        team
    }

    /// Takes its share of the threads as things are now.
    fn adjust(&mut self) {
        let share = share(self.limit);
        if share == self.together.as_ref().map_or(1, Workers::n_threads) {
            return;
        }
        // Where the system refuses a thread, one does it all.
        self.together = if share == 1 { None } else { Workers::try_new(share).ok() };
        self.speeds = Default::default();
    }

    pub(crate) fn workers(&self) -> &Workers {
        self.together.as_ref().filter(|_| !self.is_alone).unwrap_or(&self.alone)
    }

    /// All that may work together: memory is laid out for them.
    pub(crate) fn largest(&self) -> &Workers {
        self.together.as_ref().unwrap_or(&self.alone)
    }

    /// To be called after each batch: now and then another number of threads takes the next one.
    pub(crate) fn has_done(&mut self, n_samples: usize) {
        self.window.n_samples += n_samples;
        if self.limit == 1 || self.window.began.elapsed() < WINDOW {
            return;
        }
        let speed = self.window.n_samples as f64 / self.window.began.elapsed().as_secs_f64();
        let speeds = &mut self.speeds[usize::from(self.is_alone)];
        speeds.truncate(N_WINDOWS - 1);
        speeds.push_front(speed);
        self.adjust();
        let best = |speeds: &VecDeque<f64>| speeds.iter().copied().fold(0.0, f64::max);
        let [together, alone] = &self.speeds;
        self.is_alone = match (together.len(), alone.len()) {
            _ if self.together.is_none() => true,
            // What is first is slower by what is done once: it does not count alone.
            (0, _) => false,
            (_, 0) => true,
            (1, _) => false,
            _ => {
                let is_trial = self.windows_until_trial == 0;
                self.windows_until_trial = if is_trial { WINDOWS_BETWEEN_TRIALS } else { self.windows_until_trial - 1 };
                (best(alone) > best(together)) != is_trial
            }
        };
        self.window = Window::new();
    }
}

impl Drop for Team {
    fn drop(&mut self) {
        N_TEAMS.fetch_sub(1, Ordering::Relaxed);
    }
}
