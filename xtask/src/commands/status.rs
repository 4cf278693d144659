//! `sweep status`: how a sweep stands, while it runs or after.

use mlp_results::{RunRecord, Status};

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use clap::Args;
use serde_json::json;

use crate::checkpoints;
use crate::claim::{Running, running};
use crate::configuration::{Document, SweepSpec};
use crate::failure::Failure;
use crate::halving;
use crate::lock;
use crate::output::{Output, counted, duration};
use crate::places;
use crate::progress::in_minutes;
use crate::store::{CHECKPOINTS, INITIAL_KEY, RUNNING, SPECIFICATION, TRIALS, peek};
use crate::summary::percent;
use crate::trial::shown;

/// Show how a sweep stands, also while it runs: what is done, the best, who is at it, how long it will take
#[derive(Args, Debug)]
pub(crate) struct SweepStatus {
    /// Folder that `sweep` writes
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
    /// Print JSON for machines
    #[arg(long)]
    json: bool,
}

/// The window over which the pace is told.
const RECENT: Duration = Duration::from_secs(15 * 60);
/// How many running trials are listed.
const MAX_LISTED: usize = 32;

/// What can be read from the folder.
struct Standing {
    specification: SweepSpec,
    records: BTreeMap<String, RunRecord>,
    running: Vec<Running>,
    /// Epoch and batches of trials with a checkpoint.
    checkpoints: BTreeMap<String, (usize, usize)>,
    holder: Option<String>,
    /// Trials that successive halving has stopped.
    n_stopped: usize,
    /// Trials a minute of late.
    pace: Option<f64>,
}

/// Runs the command. Nothing in the folder is changed.
pub(crate) fn run(arguments: &SweepStatus, output: &mut Output) -> Result<(), Failure> {
    let folder = &arguments.folder;
    let specification = folder.join(SPECIFICATION);
    if !specification.is_file() {
        return Err(Failure::configuration(format!(
            "{}: expected a folder of a sweep, with {SPECIFICATION} in it, found none; \
             name one that `sweep` wrote, such as those in {}",
            folder.display(),
            places::shown(&places::runs())
        )));
    }
    let mut document = Document::read(&specification)?;
    document.take(INITIAL_KEY);
    let records = peek(folder);
    let standing = Standing {
        specification: document.check()?,
        running: running(&folder.join(RUNNING)),
        checkpoints: checkpoints::progressed(&folder.join(CHECKPOINTS)),
        holder: lock::holder(folder),
        n_stopped: halving::n_stopped(folder, &records),
        records,
        pace: pace(&folder.join(TRIALS)),
    };
    match arguments.json {
        true => output.line(standing.as_json()),
        false => standing.tell(folder, output),
    }
    Ok(())
}

impl Standing {
    fn count(&self, status: Status) -> usize {
        self.records.values().filter(|record| record.status == status).count()
    }

    /// Trials without a result, those that are running included. A failed one is among them: it is tried again.
    fn n_left(&self) -> usize {
        let n_done = self.count(Status::Finished) + self.count(Status::Diverged) + self.n_stopped;
        self.specification.n_cells().saturating_sub(n_done)
    }

    fn best(&self) -> Option<(f64, &RunRecord)> {
        let score = |record: &RunRecord| record.final_test().and_then(|test| test.digit_accuracy);
        let finished = self.records.values().filter(|record| record.status == Status::Finished);
        finished.filter_map(|record| Some((score(record)?, record))).max_by(|one, other| one.0.total_cmp(&other.0))
    }

    fn label(&self, record: &RunRecord) -> String {
        let axes = self.specification.axes.iter();
        let varied = axes.filter_map(|axis| Some(format!("{} = {}", axis.key, shown(record.config.get(&axis.key)?))));
        varied.collect::<Vec<_>>().join(", ")
    }

    fn tell(&self, folder: &Path, output: &mut Output) {
        output.line(format_args!("folder   {}", places::shown(folder)));
        let work = match (&self.holder, self.n_left()) {
            (Some(holder), _) => holder.clone(),
            (None, 0) => "complete".to_owned(),
            (None, _) => "nobody is at work; running the sweep again goes on".to_owned(),
        };
        output.line(format_args!("work     {work}"));
        let mut parts = vec![format!("{} finished", self.count(Status::Finished))];
        for (status, name) in [(Status::Diverged, "diverged"), (Status::Failed, "failed")] {
            if self.count(status) > 0 {
                parts.push(format!("{} {name}", self.count(status)));
            }
        }
        if self.n_stopped > 0 {
            parts.push(format!("{} stopped early", self.n_stopped));
        }
        parts.push(format!("{} running", self.running.len()));
        parts.push(format!("{} to do", self.n_left().saturating_sub(self.running.len())));
        output.line(format_args!("trials   {}: {}", self.specification.n_cells(), parts.join(", ")));
        if let Some(pace) = self.pace {
            let left = match (self.n_left(), &self.holder) {
                (1.., Some(_)) => format!(", about {} left", duration(60.0 * self.n_left() as f64 / pace)),
                _ => String::new(),
            };
            output.line(format_args!("pace     {} a minute of late{left}", in_minutes(pace)));
        }
        if let Some((score, record)) = self.best() {
            output.line(format_args!("best     {}  {}  {}", percent(Some(score)), record.trial, self.label(record)));
        }
        for running in self.running.iter().take(MAX_LISTED) {
            let since = running.seconds.map(|seconds| format!(" for {}", duration(seconds))).unwrap_or_default();
            let place = self.checkpoints.get(&running.trial);
            let place = place.map(|(epoch, _)| format!(", checkpoint in epoch {epoch}")).unwrap_or_default();
            output
                .line(format_args!("running  {}  {}{since}, {}{place}", running.trial, running.label, running.holder));
        }
        let n_waiting = self.checkpoints.keys().filter(|trial| !self.running.iter().any(|run| run.trial == **trial));
        match n_waiting.count() {
            0 => {}
            n_waiting => output.line(format_args!("waiting  {} with a checkpoint", counted(n_waiting, "trial"))),
        }
    }

    fn as_json(&self) -> serde_json::Value {
        let running = self.running.iter().map(|running| {
            let place = self.checkpoints.get(&running.trial);
            json!({
                "trial": running.trial,
                "label": running.label,
                "holder": running.holder,
                "seconds": running.seconds,
                "checkpoint": place.map(|(epoch, batches)| json!({ "epoch": epoch, "batches": batches })),
            })
        });
        json!({
            "trials": self.specification.n_cells(),
            "finished": self.count(Status::Finished),
            "diverged": self.count(Status::Diverged),
            "failed": self.count(Status::Failed),
            "stopped": self.n_stopped,
            "holder": self.holder,
            "trials_per_minute": self.pace,
            "best": self.best().map(|(score, record)| json!({ "trial": record.trial, "digit_accuracy": score })),
            "running": running.collect::<Vec<_>>(),
        })
    }
}

/// Trials a minute, by the times of the records of the last quarter of an hour; `None` where there are fewer than two.
fn pace(trials: &Path) -> Option<f64> {
    let mut times: Vec<SystemTime> = fs::read_dir(trials)
        .ok()?
        .flatten()
        .filter(|entry| entry.path().extension().is_some_and(|ending| ending == "json"))
        .filter_map(|entry| entry.metadata().ok()?.modified().ok())
        .collect();
    times.sort_unstable();
    let last = *times.last()?;
    let recent: Vec<SystemTime> =
        times.into_iter().filter(|time| last.duration_since(*time).is_ok_and(|age| age <= RECENT)).collect();
    let minutes = last.duration_since(*recent.first()?).ok()?.as_secs_f64() / 60.0;
    (recent.len() > 1 && minutes > 0.0).then(|| (recent.len() - 1) as f64 / minutes)
}
