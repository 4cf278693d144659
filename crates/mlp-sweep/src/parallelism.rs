//! How many trials run at a time, and on how many threads.

use mlp_core::Workers;

use crate::error::{Advice, Error, ErrorKind, Result};

/// How many trials run at a time, and on how many threads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Parallelism {
    /// Trials at a time, at least 1.
    pub n_jobs: usize,
    /// Threads in all, at least `n_jobs`.
    pub n_threads: usize,
}

impl Parallelism {
    /// As many trials at a time as there are threads, unless `n_jobs` says fewer: a thread of its own for each trial wastes
    /// nothing, and more trials than threads would only get in each other's way. `n_open` is the number of trials that
    /// are still to run.
    pub fn new(n_threads: usize, n_jobs: Option<usize>, n_open: usize) -> Self {
        let n_threads = n_threads.max(1);
        let n_jobs = n_jobs.unwrap_or(n_threads).min(n_threads).clamp(1, n_open.max(1));
        Parallelism { n_jobs, n_threads }
    }

    /// Threads for the trials of one job. What does not divide goes to the first jobs, one to each.
    pub(crate) fn n_threads_of(self, job: usize) -> usize {
        self.n_threads / self.n_jobs + usize::from(job < self.n_threads % self.n_jobs)
    }
}

/// A team of so many threads.
pub(crate) fn team(n_threads: usize) -> Result<Workers> {
    Workers::try_new(n_threads).map_err(|error| {
        let text = format!("the system refuses a team of {n_threads} threads: {error}; ");
        Error::new(ErrorKind::Io, text).with_advice(Advice::Threads)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_are_shared_out_without_waste() {
        let teams = |parallelism: Parallelism| -> Vec<usize> {
            (0..parallelism.n_jobs).map(|job| parallelism.n_threads_of(job)).collect()
        };
        assert_eq!(teams(Parallelism::new(8, None, 100)), [1; 8]);
        assert_eq!(teams(Parallelism::new(8, None, 3)), [3, 3, 2]);
        assert_eq!(teams(Parallelism::new(8, Some(2), 100)), [4, 4]);
        assert_eq!(teams(Parallelism::new(1, Some(4), 100)), [1]);
        assert_eq!(teams(Parallelism::new(4, None, 1)), [4]);
        assert_eq!(teams(Parallelism::new(4, None, 0)), [4]);
    }
}
