//! Progress on standard error: bars on a terminal; elsewhere nothing but a line now and then about a long sweep.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::io::{self, IsTerminal};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use mlp_results::text::{counted, duration, thousands};
use mlp_results::{RankBy, Ranking, RunRecord, best_by};
use mlp_sweep::{Event, Observer, Trial};
use mlp_train::EpochRecord;

use crate::options::will_be_comparable;
use crate::output::notice;

/// All bars of one command.
pub(crate) struct Progress {
    bars: MultiProgress,
    /// Whether lines are to take the place of bars.
    is_plain: bool,
}

impl Progress {
    /// Without anything if `quiet`; without bars if nobody is looking.
    pub(crate) fn new(quiet: bool) -> Self {
        let bars = MultiProgress::new();
        let is_terminal = io::stderr().is_terminal();
        if quiet || !is_terminal {
            bars.set_draw_target(ProgressDrawTarget::hidden());
        }
        Progress { bars, is_plain: !quiet && !is_terminal }
    }

    /// A bar for a file of `n_bytes`.
    pub(crate) fn bytes(&self, name: &str, n_bytes: u64) -> ProgressBar {
        self.add(n_bytes, "{msg:28} {bar:30} {bytes:>10} of {total_bytes}  {bytes_per_sec}  {eta} left", name)
    }

    /// A bar for one trial that handles `n_samples` samples in all.
    pub(crate) fn samples(&self, name: &str, n_samples: u64) -> ProgressBar {
        self.add(n_samples, "{msg:34!} {wide_bar} {percent:>3} %  {rate:>9} samples/s {eta:>5} left", name)
    }

    /// The bar of a whole sweep; `n_units` is its work, the message says how many trials are done.
    pub(crate) fn whole(&self, n_units: u64, message: &str) -> ProgressBar {
        let bar = self.add(n_units, "{msg} {wide_bar} {percent:>3} %  {elapsed} gone {eta:>6} left", message);
        bar.enable_steady_tick(Duration::from_millis(500));
        bar
    }

    /// A bar for `n_steps` of anything.
    pub(crate) fn steps(&self, name: &str, n_steps: u64) -> ProgressBar {
        self.add(n_steps, "{msg:28} {bar:30} {pos} of {len}  {eta} left", name)
    }

    /// Runs `print`, which writes to the terminal, with the bars out of the way.
    pub(crate) fn suspend<T>(&self, print: impl FnOnce() -> T) -> T {
        self.bars.suspend(print)
    }

    fn add(&self, length: u64, template: &str, message: &str) -> ProgressBar {
        let style = ProgressStyle::with_template(template)
            .unwrap_or_else(|_| ProgressStyle::default_bar())
            .with_key("rate", |state: &ProgressState, text: &mut dyn Write| {
                let _ = text.write_str(&thousands(state.per_sec() as u64));
            })
            .progress_chars("━╸─");
        let bar = ProgressBar::new(length).with_style(style);
        let bar = self.bars.add(bar);
        bar.set_message(message.to_owned());
        bar
    }
}

/// How a sweep stands, told on the terminal: what is done, the best of it, how fast it goes, and what else there is to say.
pub(crate) struct SweepProgress<'a> {
    progress: &'a Progress,
    rounds: Mutex<Option<Round>>,
    by: RankBy,
    /// Called with each measured epoch, in the thread of its trial.
    see: &'a (dyn Fn(&EpochRecord) + Sync),
}

/// Trials that run together.
struct Round {
    labels: BTreeMap<String, String>,
    bar: ProgressBar,
    /// The work that was open at the beginning, and what of it is done.
    work: u64,
    work_done: u64,
    began: Instant,
    n_done: usize,
    n_done_here: usize,
    by: RankBy,
    /// Whether there can be a best trial.
    is_comparable: bool,
    best: Option<RunRecord>,
    last_line: Instant,
    running: BTreeMap<String, TrialBar>,
}

/// The bar of one trial.
struct TrialBar {
    bar: ProgressBar,
    work: u64,
    n_samples: u64,
    /// The part of its work that the whole bar has been moved along.
    work_done: u64,
}

/// The least time between two plain lines.
const PLAIN_PAUSE: Duration = Duration::from_secs(10);

impl<'a> SweepProgress<'a> {
    pub(crate) fn new(progress: &'a Progress, by: RankBy, see: &'a (dyn Fn(&EpochRecord) + Sync)) -> Self {
        SweepProgress { progress, rounds: Mutex::new(None), by, see }
    }

    /// What is shown is never left half-changed.
    fn with_round(&self, change: impl FnOnce(&mut Round)) {
        let mut round = self.rounds.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(round) = round.as_mut() {
            change(round);
        }
    }

    fn start(&self, trials: &[Trial], records: &BTreeMap<String, RunRecord>, work: u64) {
        let bar = if trials.len() == 1 { ProgressBar::hidden() } else { self.progress.whole(work, "") };
        let began = Instant::now();
        let round = Round {
            labels: trials.iter().map(|trial| (trial.id.clone(), trial.label())).collect(),
            bar,
            work,
            work_done: 0,
            began,
            n_done: records.len(),
            n_done_here: 0,
            by: self.by,
            is_comparable: will_be_comparable(trials, self.by),
            best: best_by(records.values(), self.by).cloned(),
            last_line: began,
            running: BTreeMap::new(),
        };
        round.show();
        *self.rounds.lock().unwrap_or_else(PoisonError::into_inner) = Some(round);
    }

    fn start_trial(&self, trial: &Trial, work: u64, n_samples: u64) {
        self.with_round(|round| {
            let name = if round.labels.len() == 1 { "training".to_owned() } else { trial.values() };
            let bar = TrialBar { bar: self.progress.samples(&name, n_samples), work, n_samples, work_done: 0 };
            round.running.insert(trial.id.clone(), bar);
        });
    }

    fn finish_trial(&self, trial: &Trial, record: &RunRecord) {
        self.with_round(|round| {
            round.end_trial(&trial.id, true);
            round.n_done += 1;
            round.n_done_here += 1;
            round.best = best_by(round.best.iter().chain([record]), round.by).cloned();
            round.show();
            let is_time = round.last_line.elapsed() >= PLAIN_PAUSE;
            if self.progress.is_plain && round.labels.len() > 1 && is_time {
                round.last_line = Instant::now();
                notice(round.line());
            }
        });
    }
}

impl Observer for SweepProgress<'_> {
    fn notify(&self, event: Event<'_>) {
        match event {
            Event::Started { trials, records, work } => self.start(trials, records, work),
            Event::TrialStarted { trial, work, n_samples } => self.start_trial(trial, work, n_samples),
            Event::Trained { trial, n_samples } => self.with_round(|round| round.advance(&trial.id, n_samples)),
            Event::Measured { epoch, .. } => (self.see)(epoch),
            Event::Finished { trial, record } => self.finish_trial(trial, record),
            Event::Paused { trial } => self.with_round(|round| round.end_trial(&trial.id, false)),
            Event::Ended => self.with_round(|round| round.bar.finish_and_clear()),
            Event::Waiting { n_trials, holder } => {
                let trials = counted(n_trials, "trial");
                notice(format_args!("waiting for {trials} that others are running, such as {holder}"));
            }
            Event::Grown { folder, from, to } => {
                notice(format_args!("{} grows from {from} to {to} trials; what is finished is kept", folder.display()))
            }
            Event::Reused { n_trials, folder } => {
                notice(format_args!("{} taken over from {}", counted(n_trials, "finished trial"), folder.display()));
            }
            Event::Warning(warning) => notice(format_args!("warning: {warning}")),
            _ => {}
        }
    }
}

impl Round {
    /// `n_done` samples of a trial are trained.
    fn advance(&mut self, trial: &str, n_done: u64) {
        let Some(running) = self.running.get_mut(trial) else { return };
        running.bar.set_position(n_done);
        let work = (running.work as f64 * (n_done as f64 / running.n_samples as f64)) as u64;
        let news = work.saturating_sub(running.work_done);
        running.work_done += news;
        self.work_done += news;
        self.bar.inc(news);
    }

    /// A trial is not running any more. Early stopping and divergence leave work undone that is done with.
    fn end_trial(&mut self, trial: &str, is_done: bool) {
        let Some(running) = self.running.remove(trial) else { return };
        running.bar.finish_and_clear();
        if is_done {
            let news = running.work.saturating_sub(running.work_done);
            self.work_done += news;
            self.bar.inc(news);
        }
    }

    /// The best trial so far, with the score that makes it the best and the samples that it was measured on.
    fn best(&self) -> Option<(String, &RunRecord)> {
        let best = self.best.as_ref().filter(|_| self.is_comparable)?;
        let ranking = Ranking::of(std::iter::once(best), self.by);
        let score = ranking.metric.format(ranking.score(best)?);
        Some((format!("{score} {}", ranking.set), best))
    }

    fn show(&self) {
        let mut text = format!("{} of {} done", self.n_done, counted(self.labels.len(), "trial"));
        if let Some((score, _)) = self.best() {
            let _ = write!(text, ", best {score}");
        }
        if let Some(pace) = self.pace() {
            let _ = write!(text, ", {pace} a minute");
        }
        self.bar.set_message(text);
    }

    /// The same for a file or a pipe.
    fn line(&self) -> String {
        let mut text = format!("{} of {} done", self.n_done, counted(self.labels.len(), "trial"));
        if let Some((score, record)) = self.best() {
            let label = self.labels.get(&record.trial).map(String::as_str).unwrap_or_default();
            let _ = write!(text, ", best {score} ({label})");
        }
        if let Some(pace) = self.pace() {
            let _ = write!(text, ", {pace} a minute");
        }
        if let Some(left) = remaining(self.began.elapsed().as_secs_f64(), self.work_done, self.work) {
            let _ = write!(text, ", about {} left", duration(left));
        }
        text
    }

    /// Trials a minute.
    fn pace(&self) -> Option<String> {
        let minutes = self.began.elapsed().as_secs_f64() / 60.0;
        (self.n_done_here > 0 && minutes > 0.0).then(|| in_minutes(self.n_done_here as f64 / minutes))
    }
}

/// A number of trials a minute with the digits that matter.
pub(crate) fn in_minutes(pace: f64) -> String {
    if pace < 10.0 { format!("{pace:.1}") } else { thousands(pace.round() as u64) }
}

/// The seconds that `n_units` of work will take to the end, if `n_done` of them took `elapsed`.
fn remaining(elapsed: f64, n_done: u64, n_units: u64) -> Option<f64> {
    (n_done > 0).then(|| elapsed * n_units.saturating_sub(n_done) as f64 / n_done as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_follows_from_what_is_done() {
        assert_eq!(remaining(10.0, 25, 100), Some(30.0));
        assert_eq!(remaining(10.0, 100, 100), Some(0.0));
        assert_eq!(remaining(10.0, 0, 100), None);
        assert_eq!([0.25, 9.94, 12.6, 1234.0].map(in_minutes), ["0.2", "9.9", "13", "1,234"]);
    }
}
