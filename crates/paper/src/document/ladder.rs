//! From the paper's network to a good one: a row for each change, on top of those above it.

use mlp_report::chart;

use crate::findings::Findings;
use crate::row::Row;
use crate::statistics::basics::mean;
use crate::studies::LADDER_STEPS;
use crate::study::Step;
use crate::thresholds::TRAINED;

/// The section; empty if none of it was run.
pub(super) fn ladder(findings: &Findings) -> String {
    let rows: String =
        LADDER_STEPS.iter().enumerate().filter_map(|(position, step)| row(position + 1, step, findings)).collect();
    if rows.is_empty() {
        return rows;
    }
    format!(
        "\n## From the paper's net to a good one\n\nA change at a time, each on top of those above it: 20,000 training images \
         (fewer in a quick run), ten epochs. Learning rates are the usual ones for each row and are not tuned. Digits by the \
         nearest code (mean, lowest and highest seed), then by threshold.\n\n| | change | digits, nearest code | lowest to highest | \
         digits, every bit | trained |\n|---|---|---|---|---|---|\n{rows}"
    )
}

fn row(number: usize, Step { change, .. }: &Step, findings: &Findings) -> Option<String> {
    let trials = findings.sweep(&format!("ladder-{number}"));
    let accuracies = trials.numbers(|row| 100.0 * row.nearest_accuracy());
    let (low, high) = chart::range(accuracies.iter().copied())?;
    let (nearest, every_bit) = (mean(&accuracies), 100.0 * trials.mean(Row::accuracy));
    let n_trained = accuracies.iter().filter(|accuracy| **accuracy > 100.0 * TRAINED).count();
    let n_seeds = accuracies.len();
    Some(format!(
        "| {number} | {change} | {nearest:.2} % | {low:.2} to {high:.2} % | {every_bit:.2} % | {n_trained} of {n_seeds} |\n"
    ))
}
