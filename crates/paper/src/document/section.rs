//! A claim in full: what was run, every comparison, why, and the figures.

use super::FOLDER;
use crate::amounts::{amount, ends, has_interval};
use crate::claim::Claim;
use crate::comparison::{ComparisonSetup, Measure};
use crate::figures::Figure;
use crate::findings::{Findings, SideSummary, Statement};
use crate::statistics::Judged;

pub(super) fn section(claim: &dyn Claim, findings: &Findings, figures: &[Figure]) -> String {
    let (number, title, paper_says) = (claim.number(), claim.title(), claim.paper_says());
    let (setup, why) = (claim.setup(findings), claim.why(findings));
    let judged = findings.judged();
    let own = judged.iter().filter(|(statement, _)| statement.claim == number);
    let rows: String = own.map(|(statement, judged)| row(statement, judged)).collect();
    // Figures that say the same share one caption.
    let figures: String = figures.chunk_by(|one, next| one.caption == next.caption).map(captioned).collect();
    format!(
        "\n<a id=\"claim-{number}\"></a>\n\n## {number}. {title}\n\n*The paper:* {paper_says}\n\n*Run:* {setup}\n\n\
         | setup | statement | this | that | effect | interval | verdict |\n|---|---|---|---|---|---|---|\n{rows}\n{why}\n{figures}"
    )
}

/// Figures with their one caption.
fn captioned(figures: &[Figure]) -> String {
    let caption = &figures[0].caption;
    let images: String = figures.iter().map(|figure| format!("![{caption}]({FOLDER}/{}.svg)\n", figure.name)).collect();
    let numbers: Vec<String> =
        figures.iter().map(|figure| format!("[numbers]({FOLDER}/{}.csv)", figure.name)).collect();
    format!("\n{images}\n{caption} ({})\n", numbers.join(", "))
}

/// A row of the table of comparisons.
fn row(statement: &Statement, judged: &Judged) -> String {
    let setup = match statement.setup {
        ComparisonSetup::Replica => "paper",
        ComparisonSetup::Repaired => "repaired",
    };
    let bold = if statement.is_deciding && !statement.says_nothing { "**" } else { "" };
    let (text, verdict, amount) = (&statement.text, judged.verdict, amount(statement));
    let (left, right) = (side(&statement.left, statement.measure), side(&statement.right, statement.measure));
    let interval = if has_interval(statement) {
        format!("{} ({:.2} %)", ends(statement, judged), judged.level * 100.0)
    } else {
        String::new()
    };
    format!("| {setup} | {bold}{text}{bold} | {left} | {right} | {amount} | {interval} | {bold}{verdict}{bold} |\n")
}

fn side(side: &SideSummary, measure: Measure) -> String {
    let SideSummary { label, mean, n_seeds, n_trained, trials } = side;
    let value = match measure {
        Measure::Error => format!("{mean:.4}"),
        Measure::Slope => format!("{mean:.1e}"),
        _ => format!("{:.2} %", mean * 100.0),
    };
    if measure == Measure::Slope || trials.is_empty() {
        format!("{label}: {value}")
    } else {
        format!("{label}: {value}; {n_trained} of {n_seeds} trained")
    }
}
