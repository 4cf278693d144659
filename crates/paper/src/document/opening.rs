//! What the document says before the first claim: the verdicts at a glance, how they came about, what the paper leaves open.

use super::rules::rules;
use crate::amounts::effect;
use crate::claim::Claim;
use crate::claims::claims;
use crate::comparison::{ComparisonSetup, Measure};
use crate::findings::{Findings, Statement};
use crate::row::Row;
use crate::statistics::{Judged, Verdict};
use crate::studies::STUDIES;

/// What the paper leaves open.
const CHOICES: &str = "
## What the paper leaves open

| question | choice | the other choice |
|---|---|---|
| How many images, layers and epochs has Fig. 1.1? | as Fig. 1.2: 17,000 and 5,000 images, seven hidden layers, 20 epochs | none to run: the paper names no other |
| Is the error of one image the sum over its six bits, or their mean? | the mean; claims 2 and 3 as well | both are run, for Fig. 1.1, Fig. 1.2 and claims 2 and 3; it scales the learning rate by 6 (for the root-mean-square error by √6) |
| How are pixels scaled? | 0 to 1 | not run: raw values of 0 to 255 only make the net inputs larger, and the first layer is saturated already |
| Which gradient belongs to the printed updates? | that of the loss named for each figure | run for claim 1: the printed one, which is that of half the squared error, summed over the bits |
| How large is the blur's kernel? | as wide as the blur needs (OpenCV's rule) | both are run: a fixed kernel of 5 × 5 |
| Which learning rate have the figures? | 1, which the paper calls best | smaller and larger ones under claim 2 |
| Are images shuffled? | in every epoch | not run |
| What is \"accuracy\"? | all six bits right | errors and single bits are in the findings |
";

pub(super) fn opening(findings: &Findings) -> String {
    [heading(findings), verdicts(findings), working_in_the_papers_setup(findings), rules(findings), CHOICES.to_owned()]
        .concat()
}

fn heading(findings: &Findings) -> String {
    let mut text = String::from("# The paper, reproduced and judged\n\n");
    if findings.is_quick {
        text.push_str(
            "> **A quick run**: fewer seeds, fewer images and shorter training than the full one. It shows the way and settles \
             nothing.\n\n",
        );
    }
    if findings.n_missing > 0 {
        let (n_missing, n_all) = (findings.n_missing, findings.n_missing + findings.rows.len());
        text.push_str(&format!(
            "> **Unfinished**: {n_missing} of {n_all} trials are still to run, and no verdict is final.\n\n"
        ));
    }
    text.push_str(
        "The paper builds a multilayer perceptron, trains it to answer MNIST's digits with the six bits of their ASCII codes, and \
         draws conclusions. Each is tested twice: in **the paper's setup** (weights drawn from [0, 1), no biases, double \
         precision, one image at a time) and **repaired** (weights, batches and a loss with which a net can learn). An effect is \
         in percentage points of the test digits unless it says otherwise, with its interval.\n\n",
    );
    text
}

/// A row for each claim.
fn verdicts(findings: &Findings) -> String {
    let judged = findings.judged();
    let mut text = String::from("| | claim | in the paper's setup | | repaired | |\n|---|---|---|---|---|---|\n");
    for claim in claims(findings) {
        let (number, title) = (claim.number(), claim.title());
        let [replica, repaired] =
            [ComparisonSetup::Replica, ComparisonSetup::Repaired].map(|setup| verdict_cells(claim, setup, &judged));
        text.push_str(&format!("| [{number}](#claim-{number}) | {title} | {replica} | {repaired} |\n"));
    }
    text
}

/// The verdict on a claim in a setup, and its effect.
fn verdict_cells(claim: &dyn Claim, setup: ComparisonSetup, judged: &[(&Statement, Judged)]) -> String {
    match judged.iter().find(|(statement, _)| statement.decides(claim.number(), setup)) {
        None => format!("{} | ", claim.undecided_because()),
        Some((statement, own)) => {
            let verdict = own.verdict;
            let more = [observed(statement, judged), harm(statement, judged)].concat();
            let effect = if statement.says_nothing { String::new() } else { effect(statement, own) };
            format!("**{verdict}**{more} | {effect}")
        }
    }
}

/// What the paper saw, where networks that learn nothing show it all the same: a fall of the error.
fn observed(deciding: &Statement, judged: &[(&Statement, Judged)]) -> String {
    let is_sight = |(statement, judged): &&(&Statement, Judged)| {
        statement.claim == deciding.claim
            && statement.setup == ComparisonSetup::Replica
            && statement.measure == Measure::Error
            && judged.verdict == Verdict::Confirmed
    };
    match judged.iter().find(is_sight).filter(|_| deciding.says_nothing) {
        Some((statement, _)) => {
            let (left, right) = (statement.left.mean, statement.right.mean);
            format!("; the error differs as the paper saw it ({left:.3} against {right:.3})")
        }
        None => String::new(),
    }
}

/// That the best γ does harm, where it does.
fn harm(deciding: &Statement, judged: &[(&Statement, Judged)]) -> String {
    let is_harm = |(statement, judged): &(&Statement, Judged)| {
        statement.claim == deciding.claim
            && statement.setup == deciding.setup
            && statement.measure == Measure::Digits
            && judged.verdict == Verdict::Refuted
            && judged.high < 0.0
    };
    if deciding.measure == Measure::Slope && judged.iter().any(is_harm) {
        " by the loss; by the digits that are right, no penalty is better".to_owned()
    } else {
        String::new()
    }
}

/// How many networks learned anything in the paper's setup, and why.
fn working_in_the_papers_setup(findings: &Findings) -> String {
    let is_replica =
        |row: &&Row| STUDIES.iter().any(|study| study.setup == ComparisonSetup::Replica && study.name == row.sweep);
    let replicas: Vec<&Row> = findings.rows.iter().filter(is_replica).collect();
    if replicas.is_empty() {
        return String::new();
    }
    let n_working = replicas.iter().filter(|row| row.accuracy() > findings.best_constant(row.n_test)).count();
    let n_replicas = replicas.len();
    format!(
        "\nIn the paper's setup {n_working} of {n_replicas} nets got more digits right than the answer '1' to every image. Weights \
         that are all positive saturate the first layer: nearly every unit says 1 whatever it sees, and what happens after it is \
         about constants. A curve that falls there shows a net that drifts from one constant answer to a better one.\n"
    )
}
