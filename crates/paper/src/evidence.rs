//! What the networks of a comparison did, image by image, and what follows for its two sides.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use mnist_io::LabeledImages;

use crate::answers::{Answers, CLEAN};
use crate::blur::{BLURS, blur_name};
use crate::comparison::{Comparison, Measure, Side};
use crate::findings::{SideSummary, Statement, constant_answers};
use crate::row::Row;
use crate::statistics::basics::mean;
use crate::statistics::{Effect, Paired};
use crate::thresholds::TRAINED;

/// What is known of the trials.
#[derive(Clone, Copy, Debug)]
pub struct Evidence<'a> {
    /// All trials.
    pub rows: &'a [Row],
    /// The answers of the networks that are compared, by trial.
    pub answers: &'a BTreeMap<String, Answers>,
    /// The images that they answered.
    pub test: &'a LabeledImages,
    /// The folder with one folder of results for each sweep.
    pub folder: &'a Path,
}

impl Evidence<'_> {
    /// A comparison for the claim of this number, over the seeds that both sides have.
    pub(crate) fn statement(&self, claim: u8, comparison: &Comparison<'_>) -> Statement {
        let Comparison { measure, left, right, .. } = comparison;
        let seeds = common_seeds(left, right);
        Statement {
            claim,
            setup: comparison.setup,
            is_deciding: comparison.is_deciding,
            text: comparison.text.clone(),
            left: self.summary(left, &seeds, *measure),
            right: self.summary(right, &seeds, *measure),
            measure: *measure,
            threshold: comparison.threshold,
            says_nothing: *measure != Measure::Error && self.is_constant(comparison),
            effect: self.effect(comparison, &seeds),
        }
    }

    /// The share of images whose `answers` are right.
    pub(crate) fn share_right(&self, answers: &str) -> f64 {
        let right = answers.chars().zip(self.truth()).filter(|(answer, truth)| Some(*answer) == *truth);
        right.count() as f64 / self.test.len() as f64
    }

    fn effect(&self, comparison: &Comparison<'_>, seeds: &[u64]) -> Effect {
        let Comparison { measure, left, right, .. } = comparison;
        match (left, right, measure) {
            (Side::Networks(_, left), Side::Networks(_, right), Measure::Error) => {
                let (left, right) = (left.by_seed(), right.by_seed());
                let differences = seeds.iter().map(|seed| right[seed].error() - left[seed].error());
                Effect::of_seeds(&differences.collect::<Vec<_>>())
            }
            (left, right, Measure::Retention) => {
                let differences = seeds.iter().map(|seed| self.retention(left, *seed) - self.retention(right, *seed));
                Effect::of_seeds(&differences.collect::<Vec<_>>())
            }
            _ => {
                let scores = |side: &Side<'_>| -> Vec<Vec<f32>> {
                    seeds.iter().map(|seed| self.scores(side, *seed, *measure)).collect()
                };
                Paired::new(&scores(left), &scores(right)).effect()
            }
        }
    }

    fn summary(&self, side: &Side<'_>, seeds: &[u64], measure: Measure) -> SideSummary {
        match side {
            Side::Constant(character) => SideSummary {
                label: format!("the answer '{character}'"),
                mean: self.truth().filter(|truth| *truth == Some(*character)).count() as f64 / self.test.len() as f64,
                n_seeds: seeds.len(),
                n_trained: 0,
                trials: Vec::new(),
            },
            Side::Networks(label, networks) => {
                let by_seed = networks.by_seed();
                let rows: Vec<&Row> = seeds.iter().filter_map(|seed| by_seed.get(seed).copied()).collect();
                let value = |row: &Row| match measure {
                    Measure::Error => row.error(),
                    Measure::Retention => self.retention(side, row.seed),
                    _ => mean_score(&self.scores(side, row.seed, measure)),
                };
                SideSummary {
                    label: label.clone(),
                    mean: mean(&rows.iter().map(|row| value(row)).collect::<Vec<_>>()),
                    n_seeds: rows.len(),
                    n_trained: rows.iter().filter(|row| row.nearest_accuracy() > TRAINED).count(),
                    trials: rows.iter().map(|row| row.trial.clone()).collect(),
                }
            }
        }
    }

    /// Whether every network of a comparison gives one answer to all images.
    fn is_constant(&self, comparison: &Comparison<'_>) -> bool {
        let gives_one_answer = |row: &&Row| {
            let given = self.answers.get(&row.trial).and_then(|answers| answers.sets.get(CLEAN));
            given.is_some_and(|given| {
                let text = given.read_by(comparison.measure);
                text.chars().all(|answer| text.starts_with(answer))
            })
        };
        [&comparison.left, &comparison.right].into_iter().flat_map(Side::rows).all(gives_one_answer)
    }

    /// What is left of the accuracy above that of the best constant answer, the mean over the strengths of the blur.
    fn retention(&self, side: &Side<'_>, seed: u64) -> f64 {
        let constant = constant_answers(&self.test.labels, &self.test.classes);
        let chance = constant.iter().map(|answer| answer.digits).fold(0.0, f64::max);
        let share = |measure: Measure| mean_score(&self.scores(side, seed, measure));
        (share(Measure::Blurred) - chance) / (share(Measure::Digits) - chance)
    }

    /// For each test image, how well the side answers it: 0 or 1, for blurred images the mean over the strengths. A network
    /// that diverged answers nothing rightly.
    fn scores(&self, side: &Side<'_>, seed: u64, measure: Measure) -> Vec<f32> {
        match side {
            Side::Constant(character) => {
                self.truth().map(|truth| f32::from(u8::from(truth == Some(*character)))).collect()
            }
            Side::Networks(_, networks) => {
                let answers = networks.by_seed().get(&seed).and_then(|row| self.answers.get(&row.trial));
                let sets: Vec<String> = match measure {
                    Measure::Blurred => BLURS.iter().map(|&sigma| blur_name(sigma, false)).collect(),
                    _ => vec![CLEAN.to_owned()],
                };
                let mut scores = vec![0.0; self.test.len()];
                for given in sets.iter().filter_map(|set| answers?.sets.get(set)) {
                    let answered = given.read_by(measure).chars();
                    for ((score, answer), truth) in scores.iter_mut().zip(answered).zip(self.truth()) {
                        *score += f32::from(u8::from(Some(answer) == truth)) / sets.len() as f32;
                    }
                }
                scores
            }
        }
    }

    /// The character of each test image; nothing where its label has none.
    fn truth(&self) -> impl Iterator<Item = Option<char>> {
        self.test.labels.iter().map(|&label| self.test.classes.get(usize::from(label))?.chars().next())
    }
}

/// The seeds that both sides have; a constant answer has all.
pub(crate) fn common_seeds(left: &Side<'_>, right: &Side<'_>) -> Vec<u64> {
    let seeds = |side: &Side<'_>| match side {
        Side::Networks(_, networks) => Some(networks.by_seed().into_keys().collect::<BTreeSet<u64>>()),
        Side::Constant(_) => None,
    };
    match (seeds(left), seeds(right)) {
        (Some(left), Some(right)) => left.intersection(&right).copied().collect(),
        (Some(seeds), None) | (None, Some(seeds)) => seeds.into_iter().collect(),
        (None, None) => Vec::new(),
    }
}

fn mean_score(scores: &[f32]) -> f64 {
    mean(&scores.iter().map(|&score| f64::from(score)).collect::<Vec<_>>())
}
