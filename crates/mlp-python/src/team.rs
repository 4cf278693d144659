//! How many threads a fit takes where others run beside it.
//!
//! No result depends on the number of threads, so it is free to change from epoch to epoch: fits that run at the same time
//! in one process, as in a grid search over threads, share the processor instead of each taking all of it.

use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};

use mlp_train::mlp_core::Workers;
use pyo3::prelude::*;

/// The teams of this process that work, or are about to.
static N_TEAMS: AtomicUsize = AtomicUsize::new(0);

/// Multiply-adds of a step that are not worth a second thread.
const SMALL: usize = 200_000;

/// The processors that this process may use.
#[pyfunction]
pub(crate) fn available_threads() -> usize {
    std::thread::available_parallelism().map_or(1, NonZero::get)
}

/// The threads of one fit.
pub(crate) struct Team {
    limit: usize,
    workers: Workers,
}

impl Team {
    /// Of at most `limit` threads, for steps of so many multiply-adds.
    pub(crate) fn new(limit: usize, multiply_adds: usize) -> Self {
        N_TEAMS.fetch_add(1, Ordering::Relaxed);
        let limit = if multiply_adds < SMALL { 1 } else { limit.max(1) };
        let mut team = Self { limit, workers: Workers::new(1) };
        team.adjust();
        team
    }

    /// Takes its share of the threads as things are now.
    pub(crate) fn adjust(&mut self) {
        let share = (self.limit / N_TEAMS.load(Ordering::Relaxed).max(1)).max(1);
        if share != self.workers.n_threads() {
            // Where the system refuses a thread, one does it all.
            self.workers = Workers::try_new(share).unwrap_or_else(|_| Workers::new(1));
        }
    }

    pub(crate) fn workers(&self) -> &Workers {
        &self.workers
    }
}

impl Drop for Team {
    fn drop(&mut self) {
        N_TEAMS.fetch_sub(1, Ordering::Relaxed);
    }
}
