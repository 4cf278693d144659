//! `sweep --plan`: what is done, how long the rest will take, and how much memory.

use mlp_results::text::{counted, duration, thousands};
use mlp_sweep::{ConfigurationEstimate, Estimate, MemoryEstimate, Sweep};

use crate::output::Output;
use crate::summary::quoted;
use crate::table::{Column, Table};

/// How many configurations are listed.
const MAX_LISTED: usize = 40;

/// Tells the estimate; nothing is run, and nothing written.
pub(crate) fn show(estimate: &Estimate, sweep: &Sweep, output: &mut Output) {
    list(&estimate.configurations, output);
    let n_open = estimate.n_trials - estimate.n_over - estimate.n_stopped;
    let stopped =
        if estimate.n_stopped > 0 { format!(", {} stopped early", estimate.n_stopped) } else { String::new() };
    output.line(format_args!("trials   {}: {} done{stopped}, {n_open} to run", estimate.n_trials, estimate.n_over));
    if n_open > 0 {
        output.line(format_args!(
            "time     {}about {}, {} at a time with {} each;\n         the longest about {}; measured {} for a moment{}",
            if estimate.is_at_most { "at most " } else { "" },
            duration(estimate.seconds),
            counted(estimate.parallelism.n_jobs, "trial"),
            counted(estimate.n_threads_each, "thread"),
            duration(estimate.longest),
            counted(estimate.n_measured, "kind"),
            if estimate.is_at_most { ";\n         halving will stop some before their end" } else { "" },
        ));
        output.line(format_args!("memory   {}", memory(estimate.memory)));
    }
    output.line(format_args!("into     {}", quoted(sweep.folder().path())));
}

/// A line for each configuration: how many trials are done, and what one of them takes.
fn list(configurations: &[ConfigurationEstimate], output: &mut Output) {
    if configurations.is_empty() {
        return;
    }
    let lines: Vec<&[(String, String)]> = configurations.iter().map(|row| row.varied.as_slice()).collect();
    let done = configurations.iter().map(|row| format!("{} of {}", row.n_over, row.n_trials));
    let each = configurations.iter().map(|row| row.seconds.map_or_else(|| "-".to_owned(), duration));
    let stopped = |row: &ConfigurationEstimate| match row.n_stopped {
        0 => String::new(),
        n_stopped => format!("  {n_stopped} stopped"),
    };
    let numbers = [Column::new("done", done), Column::new("each about", each)];
    Table::new(&lines, numbers, 2).print(MAX_LISTED, |place| stopped(&configurations[place]), output);
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
    text += &format!(", of {} MiB available", mebibytes(available));
    if estimate.n_too_large > 0 {
        text += &format!(
            ";\n         {} cannot fit and will be recorded as failed",
            counted(estimate.n_too_large, "trial")
        );
    } else if estimate.at_once > available {
        text += ";\n         trials will wait for one another";
    }
    text
}
