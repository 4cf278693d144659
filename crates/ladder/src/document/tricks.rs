//! What each trick is worth.

use super::rungs::{paired, signed, with_interval};
use crate::findings::{Findings, TrialFinding};
use crate::tricks::{TRICKS, Trick};

/// How many seeds a full run has.
const N_SEEDS: usize = 3;

/// The table of all tricks.
pub(super) fn tricks(findings: &Findings) -> String {
    let rows: String = TRICKS.iter().filter_map(|trick| row(trick, findings)).collect();
    if rows.is_empty() {
        return rows;
    }
    let measured = if findings.is_quick {
        "Percent of the images held back that are answered wrongly"
    } else {
        "Percent of 10,000 images split off the training set that are answered wrongly after 15 epochs on the other 50,000"
    };
    format!(
        "\n## What each trick is worth\n\n{measured}: the mean over three seeds, with its 95 % t-interval. The difference is that of the same seeds, \
         to the first row or to the row named; where its interval holds 0, three seeds do not tell. A trick that needs more epochs \
         than 15 shows less here than it is worth.\n\n\
         | | change | error, % | difference | to |\n|---|---|---|---|---|\n{rows}"
    )
}

fn row(trick: &Trick, findings: &Findings) -> Option<String> {
    let trials = findings.sweep(trick.sweep.name);
    let number = |name: &str| TRICKS.iter().position(|other| other.sweep.name == name).map(|index| index + 1);
    let errors: Vec<f64> = trials.iter().map(|trial: &&TrialFinding| trial.error()).collect();
    if errors.is_empty() {
        return None;
    }
    let base = trick.against;
    let difference = base.map(|base| signed(&paired(&trials, &findings.sweep(base)))).unwrap_or_default();
    let to = base.and_then(number).map(|number| number.to_string()).unwrap_or_default();
    let number = number(trick.sweep.name)?;
    let so_far = match errors.len() {
        n_seeds if n_seeds < N_SEEDS && !findings.is_quick => format!(" ({n_seeds} of {N_SEEDS} seeds so far)"),
        _ => String::new(),
    };
    Some(format!("| {number} | {} | {}{so_far} | {difference} | {to} |\n", trick.change, with_interval(&errors)))
}
