//! Checkpoints of trials under way: two files for each trial, written in turn, so that one is whole whatever happens to
//! the other.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use mlp_core::Real;
use mlp_results::{RunFolder, trial_of_checkpoint};
use mlp_train::{Checkpoint, Moment, Progress, TrainConfig};
use serde_json::{Map, Value};

use crate::event::{Event, Observer, Warning};

/// How often a trial under way is written down. It always is when it is stopped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CheckpointInterval {
    /// After so many epochs.
    pub epochs: Option<usize>,
    /// After so much time.
    pub time: Option<Duration>,
}

/// The two files of one trial.
pub(crate) struct TrialCheckpoints {
    paths: [PathBuf; 2],
    owner: Map<String, Value>,
    interval: CheckpointInterval,
}

/// What was found in them.
pub(crate) struct Latest<F> {
    /// The one that has come further, if any is whole.
    pub(crate) checkpoint: Option<Checkpoint<F>>,
    /// Writes the next ones.
    pub(crate) writer: Writer,
}

/// Writes checkpoints of one trial, in turn to the one file and the other.
pub(crate) struct Writer {
    next: usize,
    last: Instant,
    has_warned: bool,
}

impl TrialCheckpoints {
    /// Those of `trial` in the folder of results. `owner` is what a file must say of itself to be taken.
    pub(crate) fn new(
        folder: &RunFolder,
        trial: &str,
        owner: Map<String, Value>,
        interval: CheckpointInterval,
    ) -> Self {
        TrialCheckpoints { paths: folder.trial_checkpoints(trial), owner, interval }
    }

    /// Reads both files, with a warning for each that cannot be used.
    pub(crate) fn latest<F: Real>(&self, config: &TrainConfig, observer: &dyn Observer) -> Latest<F> {
        let mut best: Option<(usize, Checkpoint<F>)> = None;
        let mut problems = Vec::new();
        for (index, path) in self.paths.iter().enumerate() {
            match Checkpoint::read(path, config, &self.owner) {
                Ok(found) if best.as_ref().is_none_or(|(_, best)| is_further(&found, best)) => {
                    best = Some((index, found))
                }
                Ok(_) => {}
                Err(error) if error.io_error().is_some_and(|error| error.kind() == std::io::ErrorKind::NotFound) => {}
                Err(problem) => problems.push(problem),
            }
        }
        for problem in problems {
            let instead = match &best {
                Some((_, other)) => format!(
                    "the other checkpoint is used, of epoch {}, batch {}",
                    other.progressed.epoch, other.progressed.batches
                ),
                None => "there is no other checkpoint, and the trial begins anew".to_owned(),
            };
            observer.notify(Event::Warning(&Warning::new(problem).with_remedy(instead)));
        }
        let next = best.as_ref().map_or(0, |(index, _)| 1 - index);
        let writer = Writer { next, last: Instant::now(), has_warned: false };
        Latest { checkpoint: best.map(|(_, checkpoint)| checkpoint), writer }
    }

    /// Whether a checkpoint is due, before the end of a run of `n_epochs`.
    pub(crate) fn is_due(&self, writer: &Writer, progress: &Progress<'_>, n_epochs: usize) -> bool {
        let is_by_epoch = match (progress, self.interval.epochs) {
            (Progress::Epoch(record), Some(every)) => {
                record.epoch > 0 && record.epoch < n_epochs && record.epoch.is_multiple_of(every)
            }
            _ => false,
        };
        is_by_epoch || self.interval.time.is_some_and(|every| writer.last.elapsed() >= every)
    }

    /// Writes the run at this moment, over the older of the two files. A checkpoint is an insurance: if it cannot be
    /// written, that is said once, and the trial goes on.
    pub(crate) fn write<F: Real>(&self, writer: &mut Writer, moment: &Moment<'_, F>, observer: &dyn Observer) {
        let path = &self.paths[writer.next];
        match moment.checkpoint().write(path, &self.owner) {
            Ok(()) => writer.next = 1 - writer.next,
            Err(problem) if !writer.has_warned => {
                writer.has_warned = true;
                let remedy = "the trial goes on; if it is interrupted, it starts from an earlier checkpoint, or anew";
                observer.notify(Event::Warning(&Warning::new(problem).with_remedy(remedy)));
            }
            Err(_) => {}
        }
        writer.last = Instant::now();
    }

    /// Removes both files: their trial has its record. What cannot be removed now is removed when the folder is opened
    /// again.
    pub(crate) fn remove(&self) {
        self.paths.iter().for_each(|path| {
            let _ = durable_file::remove(path);
        });
    }
}

/// How far the trials with checkpoints in the folder have come, by trial: epoch and batches. Nothing is locked.
pub fn progressed(folder: &RunFolder) -> std::collections::BTreeMap<String, (usize, usize)> {
    let mut found = std::collections::BTreeMap::new();
    for entry in fs::read_dir(folder.checkpoints()).into_iter().flatten().flatten() {
        let path = entry.path();
        let Some(trial) = trial_of_checkpoint(&path) else { continue };
        if let Some(progressed) = mlp_train::read_progressed(&path) {
            let place = found.entry(trial).or_insert((0, 0));
            *place = (*place).max((progressed.epoch, progressed.batches));
        }
    }
    found
}

fn is_further<F>(left: &Checkpoint<F>, right: &Checkpoint<F>) -> bool {
    let place = |checkpoint: &Checkpoint<F>| (checkpoint.progressed.epoch, checkpoint.progressed.batches);
    place(left) > place(right)
}
