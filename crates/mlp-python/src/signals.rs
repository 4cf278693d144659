//! Ctrl-C while Rust computes.

use std::time::{Duration, Instant};

use pyo3::prelude::*;

/// Asking the interpreter means waiting for it where other threads run Python.
const INTERVAL: Duration = Duration::from_millis(50);

/// Looks for signals now and then.
pub(crate) struct Signals {
    last: Instant,
}

impl Signals {
    pub(crate) fn new() -> Self {
        Self { last: Instant::now() }
    }

    /// Runs the handlers of signals that have come. To be called between batches.
    ///
    /// # Errors
    ///
    /// What a handler raises, `KeyboardInterrupt` for one.
    pub(crate) fn check(&mut self) -> PyResult<()> {
        if self.last.elapsed() < INTERVAL {
            return Ok(());
        }
        self.check_now()
    }

    /// The same at once.
    ///
    /// # Errors
    ///
    /// As [`Signals::check`].
    pub(crate) fn check_now(&mut self) -> PyResult<()> {
        let checked = Python::attach(|py| py.check_signals());
        self.last = Instant::now();
        checked
    }
}
