//! `sweep --plan`: what is done, how long the rest will take, and how much memory.

use mlp_results::text::{counted, duration, thousands};
use mlp_sweep::{ConfigurationEstimate, Estimate, MemoryEstimate, Sweep};

use crate::output::Output;
use crate::places;
use crate::summary::{column_width, columns};

/// How many configurations are listed.
const MAX_LISTED: usize = 40;

/// Tells the estimate; nothing is run, and nothing written.
pub(crate) fn show(estimate: &Estimate, sweep: &Sweep, output: &mut Output) {
    list(&estimate.configurations, output);
    let n_open = estimate.n_trials - estimate.n_over;
    output.line(format_args!("trials   {}: {} finished, {n_open} to run", estimate.n_trials, estimate.n_over));
    if n_open > 0 {
        output.line(format_args!(
            "time     about {}, {} at a time with {} each; the longest about {}; measured {} for a moment",
            duration(estimate.seconds),
            counted(estimate.parallelism.n_jobs, "trial"),
            counted(estimate.n_threads_each, "thread"),
            duration(estimate.longest),
            counted(estimate.n_measured, "kind"),
        ));
        output.line(format_args!("memory   {}", memory(estimate.memory)));
    }
    output.line(format_args!("into     {}", places::shown(sweep.folder().path())));
}

/// A line for each configuration: how many trials are done, and what one of them takes.
fn list(configurations: &[ConfigurationEstimate], output: &mut Output) {
    let Some(first) = configurations.first() else { return };
    let keys: Vec<&str> = first.varied.iter().map(|(key, _)| key.as_str()).collect();
    let widths: Vec<usize> = (0..keys.len())
        .map(|column| column_width(keys[column], configurations.iter().map(|row| row.varied[column].1.as_str())))
        .collect();
    output.line(format_args!("{}{:>10}  {:>12}", columns(keys.iter().copied(), &widths), "finished", "each about"));
    for row in configurations.iter().take(MAX_LISTED) {
        let values = columns(row.varied.iter().map(|(_, value)| value.as_str()), &widths);
        let finished = format!("{} of {}", row.n_over, row.n_trials);
        output.line(format_args!("{values}{finished:>10}  {:>12}", duration(row.seconds)));
    }
    if configurations.len() > MAX_LISTED {
        let more = counted(configurations.len() - MAX_LISTED, "line");
        output.line(format_args!("… and {more} more; --list shows every trial"));
    }
    output.line("");
}

fn memory(estimate: MemoryEstimate) -> String {
    let mebibytes = |n_bytes: u64| thousands((n_bytes >> 20).max(1));
    let mut text = format!("at most about {} MiB besides the data", mebibytes(estimate.at_once));
    let Some(available) = estimate.available else { return text };
    text += &format!(", of {} MiB that are available", mebibytes(available));
    if estimate.n_too_large > 0 {
        text += &format!("; {} cannot fit and will be recorded as failed", counted(estimate.n_too_large, "trial"));
    } else if estimate.at_once > available {
        text += "; trials will wait for one another";
    }
    text
}
