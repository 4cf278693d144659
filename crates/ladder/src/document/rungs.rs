//! The rungs: goals and what was reached, the cost of the code, and the digits that remain wrong.

use mlp_report::chart;
use mlp_results::interval::{self, mean};
use mlp_results::text::{duration, thousands};

use super::{FOLDER, WRONG};
use crate::findings::{Findings, TrialFinding};
use crate::rungs::{Outputs, RUNGS, Rung};

/// The table of all rungs.
pub(super) fn rungs(findings: &Findings) -> String {
    let rows: String = RUNGS.iter().map(|rung| row(rung, findings)).collect();
    format!(
        "\n## The ladder\n\nPercent of the test images that are answered wrongly: the mean of the seeds with its 95 % t-interval, and \
         the lowest and highest seed. With six ASCII bits the answer is the digit of the nearest code. *Known* is what others \
         reached, in percent. Time is that of one net on one thread, epochs times the fastest one.\n\n\
         | rung | outputs | net | error, % | lowest to highest | goal | | known | time | command |\n\
         |---|---|---|---|---|---|---|---|---|---|\n{rows}"
    )
}

fn row(rung: &Rung, findings: &Findings) -> String {
    let trials = findings.sweep(rung.sweep.name);
    let Rung { title, outputs, goal, known, .. } = rung;
    let end = format!("{known} | {} | `cargo xtask sweep {}` |\n", time(&trials, rung), rung.sweep.name);
    let net = trials.first().map(|trial| network(trial)).unwrap_or_default();
    let not_yet = format!("| {title} | {outputs} | {net} | not yet run | | ≤ {goal:.2} | | {end}");
    if rung.is_committee {
        let Some(committee) = findings.committee(rung.sweep.name) else { return not_yet };
        let error = 100.0 * committee.n_wrong as f64 / findings.n_test as f64;
        let (count, reached) = (committee.n_members, reached(error, *goal));
        return format!("| {title} | {outputs} | {count} × {net} | **{error:.2}** | | ≤ {goal:.2} | {reached} | {end}");
    }
    let errors = errors(&trials);
    let (Some(error), Some((low, high))) = (mean(&errors), chart::range(errors.iter().copied())) else {
        return not_yet;
    };
    let reached = reached(error, *goal);
    let spread =
        if errors.len() > 1 { format!("{low:.2} to {high:.2} ({} seeds)", errors.len()) } else { "one seed".into() };
    format!(
        "| {title} | {outputs} | {net} | **{}** | {spread} | ≤ {goal:.2} | {reached} | {end}",
        with_interval(&errors)
    )
}

/// Whether the mean, as it is written, is within the goal.
fn reached(error: f64, goal: f64) -> &'static str {
    if (100.0 * error).round() <= (100.0 * goal).round() { "reached" } else { "missed" }
}

fn errors(trials: &[&TrialFinding]) -> Vec<f64> {
    trials.iter().map(|trial| trial.error()).collect()
}

/// `0.57 ± 0.03`.
pub(super) fn with_interval(values: &[f64]) -> String {
    let middle = mean(values).unwrap_or(f64::NAN);
    interval::half_width(values).map_or(format!("{middle:.2}"), |half| format!("{middle:.2} ± {half:.2}"))
}

fn network(trial: &TrialFinding) -> String {
    let layers: Vec<String> = trial.layers.iter().map(ToString::to_string).collect();
    format!("{} ({} weights)", layers.join("-"), thousands(trial.parameters as u64))
}

fn time(trials: &[&TrialFinding], rung: &Rung) -> String {
    let Some(trial) = trials.first().filter(|_| !rung.is_committee) else { return String::new() };
    let fastest = trials.iter().map(|trial| trial.seconds).fold(f64::INFINITY, f64::min);
    format!("{}, {} epochs", duration(fastest * trial.n_epochs() as f64), trial.n_epochs())
}

/// What six bits cost against one output a digit, rung by rung.
pub(super) fn cost_of_the_code(findings: &Findings) -> String {
    let mut rows = String::new();
    for one_hot in RUNGS.iter().filter(|rung| rung.outputs == Outputs::OneHot && !rung.is_committee) {
        let is_the_other =
            |rung: &&Rung| rung.outputs == Outputs::Ascii && rung.title == one_hot.title && !rung.is_committee;
        let Some(ascii) = RUNGS.iter().find(is_the_other) else { continue };
        let (one, other) = (findings.sweep(one_hot.sweep.name), findings.sweep(ascii.sweep.name));
        if one.is_empty() || other.is_empty() {
            continue;
        }
        let differences: Vec<f64> = paired(&other, &one);
        let exact: Vec<f64> = other.iter().map(|trial| trial.exact_error).collect();
        rows.push_str(&format!(
            "| {} | {} | {} | {} | {} |\n",
            one_hot.title,
            with_interval(&errors(&one)),
            with_interval(&errors(&other)),
            signed(&differences),
            with_interval(&exact)
        ));
    }
    if rows.is_empty() {
        return rows;
    }
    format!(
        "\n## What six bits cost\n\nThe same nets with the same seeds, one output a digit against the six bits of its ASCII code. The \
         difference is that of the same seeds. *Every bit* counts an answer as right only if each bit is on the right side of a \
         half: the nearest code mends some of the others.\n\n\
         | nets | one-hot, % | six bits, nearest code, % | difference | six bits, every bit, % |\n|---|---|---|---|---|\n{rows}"
    )
}

/// The differences of the errors of equal seeds.
pub(super) fn paired(these: &[&TrialFinding], those: &[&TrialFinding]) -> Vec<f64> {
    let partner = |trial: &TrialFinding| those.iter().find(|other| other.seed == trial.seed).map(|other| other.error());
    these.iter().filter_map(|trial| Some(trial.error() - partner(trial)?)).collect()
}

/// `+0.12 ± 0.03`.
pub(super) fn signed(values: &[f64]) -> String {
    let Some(middle) = mean(values) else { return String::new() };
    let sign = if middle < 0.0 { '−' } else { '+' };
    let half = interval::half_width(values).map_or(String::new(), |half| format!(" ± {half:.2}"));
    format!("{sign}{:.2}{half}", middle.abs())
}

/// The digits that remain wrong.
pub(super) fn wrong(findings: &Findings) -> String {
    let Some(best) = findings.committees.iter().min_by_key(|committee| committee.n_wrong) else { return String::new() };
    format!(
        "\n## What remains wrong\n\nThe {} of {} test images that the {} nets of `{}` answer wrongly together (at most 50 are shown), \
         each with its label and the answer.\n\n![Test images with their labels and wrong answers]({FOLDER}/{WRONG})\n",
        best.n_wrong,
        thousands(findings.n_test as u64),
        best.n_members,
        best.sweep
    )
}
