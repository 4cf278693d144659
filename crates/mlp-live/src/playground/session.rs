//! One network in training, and the orders that it is given.

use std::sync::{Arc, Condvar, Mutex, PoisonError};

use serde::Deserialize;
use serde_json::{Value, json};

use super::view::{Mode, Snapshot};
use crate::error::{Error, Result};
use crate::models::lock;

/// What a session can be told.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum Order {
    /// Train until told otherwise.
    Run,
    /// Wait after this batch.
    Pause,
    /// Train one batch, or where batches have one sample sixteen, and wait.
    StepBatch,
    /// Train to the end of the epoch, and wait.
    StepEpoch,
    /// Go on with another learning rate.
    Rate {
        /// Above 0.
        value: f64,
    },
    /// Keep the run as a trial.
    Keep,
    /// End it.
    Stop,
}

/// A session: its thread trains, and others look at it and tell it what to do.
pub struct Session {
    id: String,
    memory: u64,
    control: Mutex<Control>,
    told: Condvar,
    state: Mutex<(u64, Arc<str>)>,
}

/// What the thread is to do next.
#[derive(Clone, Copy, Debug)]
pub(super) struct Control {
    pub(super) pace: Pace,
    pub(super) rate: Option<f64>,
    pub(super) keep: bool,
    pub(super) is_gone: bool,
    pub(super) mode: Mode,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pace {
    Wait,
    Batch,
    Epoch,
    Run,
}

/// What has been done.
#[derive(Clone, Copy, Debug)]
pub(super) enum Done {
    Batch,
    Epoch(usize),
}

impl Session {
    pub(super) fn new(id: String, memory: u64) -> Self {
        let control = Control { pace: Pace::Wait, rate: None, keep: false, is_gone: false, mode: Mode::Preparing };
        let state = json!({ "session": id, "mode": Mode::Preparing }).to_string().into();
        Session { id, memory, control: Mutex::new(control), told: Condvar::new(), state: Mutex::new((1, state)) }
    }

    /// Its name.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The bytes that it may need.
    pub(super) fn memory(&self) -> u64 {
        self.memory
    }

    /// Whether it has ended for good.
    pub fn is_gone(&self) -> bool {
        lock(&self.control).is_gone
    }

    /// Whether it could train on: neither ended nor waiting for somebody who may never come.
    pub(super) fn is_at_work(&self) -> bool {
        let control = lock(&self.control);
        !control.is_gone && matches!(control.mode, Mode::Preparing | Mode::Running)
    }

    /// Whether it trains, or waits to be told to.
    pub(super) fn is_open(&self) -> bool {
        let control = lock(&self.control);
        !control.is_gone && matches!(control.mode, Mode::Preparing | Mode::Running | Mode::Paused)
    }

    /// The latest [`Snapshot`] as JSON with its revision, if it is another than the one that is known.
    pub fn state(&self, known: Option<u64>) -> Option<(u64, Arc<str>)> {
        let state = lock(&self.state);
        (known != Some(state.0)).then(|| (state.0, Arc::clone(&state.1)))
    }

    /// Tells the session what to do. It does so soon: what comes of it is in its state.
    ///
    /// # Errors
    ///
    /// For a rate that none can be, and if the session has ended.
    pub fn order(&self, order: Order) -> Result<Value> {
        let mut control = lock(&self.control);
        if control.is_gone {
            return Err(Error::request("the training has ended; start another"));
        }
        match order {
            Order::Run => control.pace = Pace::Run,
            Order::Pause => control.pace = Pace::Wait,
            Order::StepBatch => control.pace = Pace::Batch,
            Order::StepEpoch => control.pace = Pace::Epoch,
            Order::Rate { value } if value.is_finite() && value > 0.0 => control.rate = Some(value),
            Order::Rate { value } => {
                return Err(Error::request(format!("learning_rate: expected a number above 0, found {value}")));
            }
            Order::Keep => control.keep = true,
            Order::Stop => control.is_gone = true,
        }
        drop(control);
        self.told.notify_all();
        Ok(json!({ "ok": true }))
    }

    /// What is to be done after a batch has been trained, or an epoch measured; what was asked once is not asked again. A step
    /// that was asked for before anything was trained is still to be taken after the first measurement.
    pub(super) fn advance(&self, done: Done) -> Control {
        let mut control = lock(&self.control);
        let is_taken = match done {
            Done::Batch => control.pace == Pace::Batch,
            Done::Epoch(epoch) => control.pace == Pace::Epoch && epoch > 0,
        };
        if is_taken {
            control.pace = Pace::Wait;
        }
        taken(&mut control)
    }

    /// Waits until there is something to do.
    pub(super) fn wait(&self) -> Control {
        let is_idle = |control: &mut Control| {
            control.pace == Pace::Wait && control.rate.is_none() && !control.keep && !control.is_gone
        };
        let control = lock(&self.control);
        let mut control = self.told.wait_while(control, is_idle).unwrap_or_else(PoisonError::into_inner);
        taken(&mut control)
    }

    /// There is nothing left to train.
    pub(super) fn rest(&self) {
        lock(&self.control).pace = Pace::Wait;
    }

    /// Shows what there is to see.
    pub(super) fn publish(&self, snapshot: &Snapshot) {
        lock(&self.control).mode = snapshot.mode;
        // A number that is not finite has no JSON form but `null`.
        let Ok(text) = serde_json::to_string(snapshot) else { return };
        let mut state = lock(&self.state);
        *state = (state.0 + 1, text.into());
    }

    /// Shows that it could not be run.
    pub(super) fn fail(&self, problem: &str) {
        let mut state = lock(&self.state);
        let shown = json!({ "session": self.id, "mode": Mode::Failed, "message": problem });
        *state = (state.0 + 1, shown.to_string().into());
    }

    /// Ends it.
    pub(super) fn go(&self) {
        lock(&self.control).is_gone = true;
        self.told.notify_all();
    }
}

fn taken(control: &mut Control) -> Control {
    let now = *control;
    control.rate = None;
    control.keep = false;
    now
}
