//! What was found: everything that the document tells, with the numbers it rests on. A file holds it as JSON.

use std::collections::{BTreeMap, BTreeSet};

use mlp_results::levels;
use mlp_train::{Decoding, Diagnosis, TargetEncoding};
use serde::{Deserialize, Serialize};

use crate::comparison::{ComparisonSetup, Measure};
use crate::row::Row;
use crate::selection::Selection;
use crate::slope::Slope;
use crate::statistics::{Effect, Judged, Verdict, judge};
use crate::thresholds::{N_DECIDING, N_OTHERS};

/// What was found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Findings {
    /// Whether the runs were shortened.
    pub is_quick: bool,
    /// How many trials were not finished when this was judged.
    pub n_missing: usize,
    /// The name of the data.
    pub data: String,
    /// The hash of the decoded data, in hexadecimal.
    pub data_sha256: String,
    /// The instruction set.
    pub kernel: String,
    /// All test images.
    pub n_test: usize,
    /// What networks reach that give the same answer to every image, on all test images.
    pub constant: Vec<ConstantAnswer>,
    /// The same on the images that networks were measured on where these are fewer, by their number.
    pub constant_of_fewer: BTreeMap<usize, Vec<ConstantAnswer>>,
    /// The share of the commonest digit, by the number of test images: what the best answer to every image gets right.
    pub commonest: BTreeMap<usize, f64>,
    /// The comparisons with their effects, by claim; those in the paper's setup first.
    pub statements: Vec<Statement>,
    /// How the best γ changes: with equal epochs, with equal updates.
    pub slopes: Vec<(String, Slope)>,
    /// Accuracies on blurred images.
    pub robustness: Vec<Robustness>,
    /// What the layers of some networks did, with a name for each network.
    pub diagnoses: Vec<(String, Diagnosis)>,
    /// The trials.
    pub rows: Vec<Row>,
}

/// The same answer to every image: errors of a bit, and the shares that are right.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConstantAnswer {
    /// `all ones`, `majority bits` or `mean of bits`.
    pub name: String,
    /// Mean absolute error of a bit.
    pub mae: f64,
    /// Root-mean-square error of a bit.
    pub rmse: f64,
    /// The share of bits that are right.
    pub bits: f64,
    /// The share of digits with every bit right.
    pub digits: f64,
}

/// A comparison with its effect.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Statement {
    /// The number of the claim.
    pub claim: u8,
    /// In which setup.
    #[serde(rename = "arm")]
    pub setup: ComparisonSetup,
    /// Whether the verdict on the claim is this one's.
    #[serde(rename = "is_main")]
    pub is_deciding: bool,
    /// What is judged.
    pub text: String,
    /// The side that would be better.
    pub left: SideSummary,
    /// The side that would be worse.
    pub right: SideSummary,
    /// What is compared.
    pub measure: Measure,
    /// By how much the left side must be better; negative where it may be worse.
    pub threshold: f64,
    /// Whether every network on either side gives one answer to all images.
    pub says_nothing: bool,
    /// By how much the left side is better.
    pub effect: Effect,
}

/// One side of a comparison.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SideSummary {
    /// What it is called.
    pub label: String,
    /// What was measured, as a mean over the seeds.
    pub mean: f64,
    /// The seeds that both sides have.
    pub n_seeds: usize,
    /// How many of the seeds learned more than a constant answer.
    pub n_trained: usize,
    /// The identities of their records.
    pub trials: Vec<String>,
}

/// Accuracies of one network on blurred images.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Robustness {
    /// Its hidden layers, as `512-256`.
    pub hidden: String,
    /// The identity of its record.
    pub trial: String,
    /// Its seed.
    pub seed: u64,
    /// Whether the kernel has a fixed side instead of one that grows with the blur.
    pub is_fixed: bool,
    /// Standard deviation, 0 for the clean images, and share of digits with every bit right.
    pub points: Vec<(f64, f64)>,
}

impl Findings {
    /// The rows of a sweep.
    pub fn sweep(&self, name: &str) -> Selection<'_> {
        Selection::of(&self.rows, name)
    }

    /// The share of digits that the best constant answer gets right.
    pub fn majority(&self) -> f64 {
        self.best_constant(self.n_test)
    }

    /// The same, of so many test images.
    ///
    /// # Panics
    ///
    /// If no trial was measured on so many.
    pub fn best_constant(&self, n_test: usize) -> f64 {
        self.commonest[&n_test]
    }

    /// The comparisons of a family, without those that say nothing: those that decide a claim, or all others.
    pub fn family(&self, is_deciding: bool) -> Vec<&Statement> {
        let is_member = |statement: &&Statement| statement.is_deciding == is_deciding && !statement.says_nothing;
        self.statements.iter().filter(is_member).collect()
    }

    /// Every comparison with its verdict, each judged within its family.
    pub fn judged(&self) -> Vec<(&Statement, Judged)> {
        let judged_family = |is_deciding: bool, n_family: usize| {
            let family = self.family(is_deciding).into_iter().map(|statement| (statement.effect, statement.threshold));
            judge(&family.collect::<Vec<_>>(), n_family).into_iter()
        };
        let (mut deciding, mut others) = (judged_family(true, N_DECIDING), judged_family(false, N_OTHERS));
        let next = |statement: &Statement| {
            if statement.says_nothing {
                let estimate = statement.effect.estimate;
                Some(Judged { low: estimate, high: estimate, level: 0.0, verdict: Verdict::Nothing })
            } else if statement.is_deciding {
                deciding.next()
            } else {
                others.next()
            }
        };
        self.statements
            .iter()
            .zip(self.statements.iter().map(next))
            .filter_map(|(one, judged)| Some((one, judged?)))
            .collect()
    }

    /// The comparison that decides a claim in a setup, if it was made.
    pub fn deciding(&self, claim: u8, setup: ComparisonSetup) -> Option<&Statement> {
        self.statements.iter().find(|statement| statement.decides(claim, setup))
    }

    /// The verdict on a claim in a setup, if there is one.
    pub fn verdict(&self, claim: u8, setup: ComparisonSetup) -> Option<Verdict> {
        let judged = self.judged();
        judged.iter().find(|(statement, _)| statement.decides(claim, setup)).map(|(_, judged)| judged.verdict)
    }
}

impl Statement {
    pub(crate) fn decides(&self, claim: u8, setup: ComparisonSetup) -> bool {
        self.is_deciding && self.claim == claim && self.setup == setup
    }
}

/// What the constant answers reach with ASCII codes on images with these labels.
pub(crate) fn constant_answers(labels: &[u8], classes: &[String]) -> Vec<ConstantAnswer> {
    let codes = TargetEncoding::Ascii.codebook(classes).codes;
    let codes: Vec<Vec<bool>> =
        codes.rows().into_iter().map(|code| code.iter().map(|&bit| bit == 1).collect()).collect();
    let mut counts = vec![0; classes.len()];
    labels.iter().for_each(|&label| counts[usize::from(label)] += 1);
    let own = |answer: levels::ConstantBaseline| ConstantAnswer {
        name: answer.name.to_owned(),
        mae: answer.mae,
        rmse: answer.rmse,
        bits: answer.bit_accuracy,
        digits: answer.exact_accuracy,
    };
    // The commonest class has a place of its own in the document.
    let three =
        levels::levels(&codes, &counts, Decoding::Exact).into_iter().filter(|answer| answer.name != "commonest class");
    three.map(own).collect()
}

/// The share of the label that there is most often.
pub(crate) fn share_of_commonest(labels: &[u8]) -> f64 {
    let count = |label: &u8| labels.iter().filter(|other| *other == label).count();
    let classes: BTreeSet<u8> = labels.iter().copied().collect();
    classes.iter().map(count).max().unwrap_or(0) as f64 / labels.len().max(1) as f64
}
