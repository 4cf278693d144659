//! Progress on standard error; nothing of it where standard error is no terminal.

use std::fmt::Write;
use std::io::{self, IsTerminal};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use crate::output::grouped;

/// All bars of one command.
pub(crate) struct Progress {
    bars: MultiProgress,
}

impl Progress {
    /// Hidden if `quiet`, or if nobody is looking.
    pub(crate) fn new(quiet: bool) -> Self {
        let bars = MultiProgress::new();
        if quiet || !io::stderr().is_terminal() {
            bars.set_draw_target(ProgressDrawTarget::hidden());
        }
        Progress { bars }
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
        let bar = self.add(n_units, "{msg:34!} {wide_bar} {percent:>3} % {elapsed:>14} gone {eta:>6} left", message);
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
