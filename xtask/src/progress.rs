//! Progress on standard error: bars on a terminal; elsewhere nothing but a line now and then about a long sweep.

use mlp_results::{RunRecord, Status};

use std::cell::Cell;
use std::fmt::Write;
use std::io::{self, IsTerminal};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use crate::output::{counted, duration, grouped, notice};
use crate::summary::percent;
use crate::trial::{Laboratory, Trial, work};

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
                let _ = text.write_str(&grouped(state.per_sec() as usize));
            })
            .progress_chars("━╸─");
        let bar = ProgressBar::new(length).with_style(style);
        let bar = self.bars.add(bar);
        bar.set_message(message.to_owned());
        bar
    }
}

/// How a campaign stands: what is done, the best of it, how fast it goes.
pub(crate) struct Ledger<'a> {
    progress: &'a Progress,
    trials: &'a [Trial],
    bar: ProgressBar,
    /// The work that was open at the beginning, and what of it is done.
    units: u64,
    units_done: AtomicU64,
    began: Instant,
    tally: Mutex<Tally>,
}

/// What changes with each trial.
struct Tally {
    n_done: usize,
    n_done_here: usize,
    /// The best digit accuracy, and whose it is.
    best: Option<(f64, String)>,
    last_line: Instant,
}

/// The least time between two plain lines.
const PLAIN_PAUSE: Duration = Duration::from_secs(10);

impl<'a> Ledger<'a> {
    /// For `trials`, of which those of `records` are done and `units` of work are open.
    pub(crate) fn new<'r>(
        progress: &'a Progress,
        trials: &'a [Trial],
        units: u64,
        records: impl Iterator<Item = &'r RunRecord>,
    ) -> Self {
        let bar = if trials.len() == 1 { ProgressBar::hidden() } else { progress.whole(units, "") };
        let began = Instant::now();
        let mut tally = Tally { n_done: 0, n_done_here: 0, best: None, last_line: began };
        records.for_each(|record| tally.add(record));
        let ledger =
            Ledger { progress, trials, bar, units, units_done: AtomicU64::new(0), began, tally: Mutex::new(tally) };
        ledger.show(&ledger.tally());
        ledger
    }

    /// Adds a trial that has just been done.
    pub(crate) fn count(&self, record: &RunRecord) {
        let mut tally = self.tally();
        tally.add(record);
        tally.n_done_here += 1;
        self.show(&tally);
        if self.progress.is_plain && self.trials.len() > 1 && tally.last_line.elapsed() >= PLAIN_PAUSE {
            tally.last_line = Instant::now();
            notice(self.line(&tally));
        }
    }

    /// Takes the bar away.
    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }

    /// The bar of one trial, which moves the whole one along.
    pub(crate) fn trial_bar(&self, laboratory: &Laboratory, trial: &Trial) -> TrialBar<'_> {
        let n_train = laboratory.images(&trial.settings).0.len().saturating_sub(trial.settings.train.validation);
        let n_samples = (n_train as u64).saturating_mul(trial.settings.train.epochs as u64).max(1);
        let name = if self.trials.len() == 1 { "training".to_owned() } else { trial.values() };
        TrialBar {
            bar: self.progress.samples(&name, n_samples),
            whole: &self.bar,
            units_done: &self.units_done,
            units: work(&trial.settings, &laboratory.data),
            n_samples,
            told: Cell::new(0),
        }
    }

    fn show(&self, tally: &Tally) {
        let mut text = format!("{} of {} done", tally.n_done, counted(self.trials.len(), "trial"));
        if let Some((best, _)) = &tally.best {
            let _ = write!(text, ", best {}", percent(Some(*best)));
        }
        if let Some(pace) = tally.pace(self.began.elapsed()) {
            let _ = write!(text, ", {pace} a minute");
        }
        self.bar.set_message(text);
    }

    /// The same for a file or a pipe.
    fn line(&self, tally: &Tally) -> String {
        let mut text = format!("{} of {} done", tally.n_done, counted(self.trials.len(), "trial"));
        if let Some((best, trial)) = &tally.best {
            let label = self.trials.iter().find(|known| known.id == *trial).map(Trial::label).unwrap_or_default();
            let _ = write!(text, ", best {} ({label})", percent(Some(*best)));
        }
        let elapsed = self.began.elapsed();
        if let Some(pace) = tally.pace(elapsed) {
            let _ = write!(text, ", {pace} a minute");
        }
        let left = remaining(elapsed.as_secs_f64(), self.units_done.load(Ordering::Relaxed), self.units);
        if let Some(left) = left {
            let _ = write!(text, ", about {} left", duration(left));
        }
        text
    }

    /// Numbers and a text are never left half-changed.
    fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tally {
    fn add(&mut self, record: &RunRecord) {
        self.n_done += 1;
        let score =
            record.final_test().filter(|_| record.status == Status::Finished).and_then(|test| test.digit_accuracy);
        if let Some(score) = score
            && self.best.as_ref().is_none_or(|(best, _)| score > *best)
        {
            self.best = Some((score, record.trial.clone()));
        }
    }

    /// Trials a minute.
    fn pace(&self, elapsed: Duration) -> Option<String> {
        let minutes = elapsed.as_secs_f64() / 60.0;
        (self.n_done_here > 0 && minutes > 0.0).then(|| in_minutes(self.n_done_here as f64 / minutes))
    }
}

/// A number of trials a minute with the digits that matter.
pub(crate) fn in_minutes(pace: f64) -> String {
    if pace < 10.0 { format!("{pace:.1}") } else { grouped(pace.round() as usize) }
}

/// The seconds that `n_units` of work will take to the end, if `n_done` of them took `elapsed`.
fn remaining(elapsed: f64, n_done: u64, n_units: u64) -> Option<f64> {
    (n_done > 0).then(|| elapsed * n_units.saturating_sub(n_done) as f64 / n_done as f64)
}

/// The bar of one trial, which moves the whole one along.
pub(crate) struct TrialBar<'a> {
    bar: ProgressBar,
    whole: &'a ProgressBar,
    units_done: &'a AtomicU64,
    units: u64,
    n_samples: u64,
    told: Cell<u64>,
}

impl TrialBar<'_> {
    /// `n_done` samples of the trial are trained.
    pub(crate) fn advance(&self, n_done: u64) {
        self.bar.set_position(n_done);
        self.tell((self.units as f64 * (n_done as f64 / self.n_samples as f64)) as u64);
    }

    /// The trial is done. Early stopping and divergence leave work undone that is done with.
    pub(crate) fn finish(&self) {
        self.tell(self.units);
        self.bar.finish_and_clear();
    }

    fn tell(&self, units: u64) {
        let news = units.saturating_sub(self.told.get());
        self.told.set(self.told.get().max(units));
        self.whole.inc(news);
        self.units_done.fetch_add(news, Ordering::Relaxed);
    }
}

impl Drop for TrialBar<'_> {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
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
