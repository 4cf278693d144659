//! What happens in a sweep, for whoever watches.

use std::collections::BTreeMap;
use std::fmt;

use mlp_results::RunRecord;
use mlp_train::EpochRecord;

use crate::trial::Trial;

/// Something that happened. Events of different trials come from different threads.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// Trials begin to run; with successive halving once a round.
    Started {
        /// All trials of this round.
        trials: &'a [Trial],
        /// Those that need not be run.
        records: &'a BTreeMap<String, RunRecord>,
        /// The work of the others, in the units of [`Event::TrialStarted`].
        work: u64,
    },
    /// A trial begins, or goes on from its checkpoint.
    TrialStarted {
        /// Which one.
        trial: &'a Trial,
        /// Its work, from beginning to end: proportional to the time that it takes.
        work: u64,
        /// The samples that all its epochs together train on.
        n_samples: u64,
    },
    /// Samples have been trained.
    Trained {
        /// Which trial.
        trial: &'a Trial,
        /// Samples since the beginning of the trial, every epoch counted.
        n_samples: u64,
    },
    /// An epoch has been measured; the first time epoch 0, before training.
    Measured {
        /// Which trial.
        trial: &'a Trial,
        /// What was measured.
        epoch: &'a EpochRecord,
    },
    /// A trial has its record, from here or from another process.
    Finished {
        /// Which trial.
        trial: &'a Trial,
        /// Its record.
        record: &'a RunRecord,
    },
    /// A trial stopped before its end, and left a checkpoint.
    Paused {
        /// Which trial.
        trial: &'a Trial,
    },
    /// No trial is running any more.
    Ended,
    /// All that is left is held by other processes, and is waited for; said once.
    Waiting {
        /// Trials left.
        n_trials: usize,
        /// One of the other processes.
        holder: &'a str,
    },
    /// The folder's specification is replaced by one with more trials.
    Grown {
        /// The folder.
        folder: &'a std::path::Path,
        /// Trials before.
        from: usize,
        /// Trials now.
        to: usize,
    },
    /// Finished trials were taken over from another folder.
    Reused {
        /// How many.
        n_trials: usize,
        /// The other folder.
        folder: &'a std::path::Path,
    },
    /// Something is not as it should be, and the sweep goes on.
    Warning(&'a Warning),
}

/// Why something is not as it should be, though the sweep goes on: a sentence, and what is done about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    problem: String,
    remedy: Option<String>,
}

impl Warning {
    pub(crate) fn new(problem: impl fmt::Display) -> Self {
        Warning { problem: problem.to_string(), remedy: None }
    }

    pub(crate) fn with_remedy(self, remedy: impl fmt::Display) -> Self {
        Warning { remedy: Some(remedy.to_string()), ..self }
    }

    /// What is wrong.
    pub fn problem(&self) -> &str {
        &self.problem
    }

    /// What is done about it, where something is.
    pub fn remedy(&self) -> Option<&str> {
        self.remedy.as_deref()
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.problem)?;
        match &self.remedy {
            Some(remedy) => write!(formatter, "\n  {remedy}"),
            None => Ok(()),
        }
    }
}

/// Whoever watches a sweep: any function of an [`Event`], and `()`, which looks away.
pub trait Observer: Sync {
    /// Is told of an event, in the thread in which it happened; that thread waits meanwhile. A panic ends the sweep and goes
    /// on to its caller; what is finished is kept, and running again goes on.
    fn notify(&self, event: Event<'_>);
}

impl<F: Fn(Event<'_>) + Sync> Observer for F {
    fn notify(&self, event: Event<'_>) {
        self(event);
    }
}

impl Observer for () {
    fn notify(&self, _event: Event<'_>) {}
}
