//! What a network reaches that gives the same answer to every image: the levels that a curve must leave behind before
//! it shows any learning.
//!
//! Let p_j be the fraction of the test set's targets whose bit j is 1. A constant answer a_j has the mean absolute
//! error Σ_j [p_j·(1 − a_j) + (1 − p_j)·a_j] / n and the mean squared error Σ_j [p_j·(1 − a_j)² + (1 − p_j)·a_j²] / n,
//! over n bits. Four constants matter: all ones, where a network of positive weights without biases is frozen; the
//! majority of each bit, which minimises the absolute error; the mean of each bit, which minimises the squared error; and the
//! code of the commonest class, than which no constant answer is right more often.

use mlp_train::{Background, Decoding, TrainConfig};

use crate::metric::Metric;
use crate::record::RunRecord;

/// What one constant answer reaches.
#[derive(Clone, Debug, PartialEq)]
pub struct ConstantBaseline {
    /// `all ones`, `majority bits`, `mean of bits` or `commonest class`.
    pub name: &'static str,
    /// Mean absolute error over all samples and bits.
    pub mae: f64,
    /// Root-mean-square error over all samples and bits.
    pub rmse: f64,
    /// Fraction of bits right, an answer of at least ½ counting as 1.
    pub bit_accuracy: f64,
    /// Fraction of samples answered right, by the decoding of the trial.
    pub accuracy: f64,
    /// Fraction of samples with every bit right.
    pub exact_accuracy: f64,
    /// Fraction of samples whose label has the nearest code; of several at the same distance, the first class has it.
    pub nearest_accuracy: f64,
}

impl ConstantBaseline {
    /// The level of `metric`, where a constant answer has one.
    pub fn value(&self, metric: Metric) -> Option<f64> {
        match metric {
            Metric::Mae => Some(self.mae),
            Metric::Rmse => Some(self.rmse),
            Metric::BitAccuracy => Some(self.bit_accuracy),
            Metric::Accuracy => Some(self.accuracy),
            Metric::ExactAccuracy => Some(self.exact_accuracy),
            Metric::NearestAccuracy => Some(self.nearest_accuracy),
            Metric::InvalidRate | Metric::Loss => None,
        }
    }
}

/// The levels for the test set of `record`, from its class counts (the sums of the confusion matrix's rows) and its
/// target encoding. Nothing where the record lacks one of them.
pub fn constant_answers(record: &RunRecord) -> Vec<ConstantBaseline> {
    let counts: Vec<u64> = match &record.confusion {
        Some(rows) => rows.iter().map(|row| row.iter().fold(0, |sum: u64, &count| sum.saturating_add(count))).collect(),
        None => return Vec::new(),
    };
    match codes(record) {
        Some(codes) if codes.len() == counts.len() => levels(&codes, &counts, record.answers_by()),
        _ => Vec::new(),
    }
}

/// The accuracy that a finished trial reached on the test set, and that of the best constant answer to the same samples: a
/// network that is no better has not learned. Nothing where either is not known.
pub fn accuracies(record: &RunRecord) -> Option<(f64, f64)> {
    let reached = record.final_test()?.accuracy?;
    let constant = constant_answers(record).into_iter().map(|answer| answer.accuracy).reduce(f64::max)?;
    Some((reached, constant))
}

/// What the doctor is told of a trial besides what its layers do.
pub fn background<'a>(record: &RunRecord, config: Option<&'a TrainConfig>) -> Background<'a> {
    Background { config, accuracies: accuracies(record), n_tested: record.data.test }
}

/// Whether a finished trial has clearly more of its test samples right than the best constant answer
/// ([`Background::is_clearly_better`]). Nothing where either is not known.
pub fn is_clearly_learned(record: &RunRecord) -> Option<bool> {
    background(record, None).is_clearly_better()
}

/// The classes' bits in the order of the classes, from the record's encoding and class characters.
pub fn codes(record: &RunRecord) -> Option<Vec<Vec<bool>>> {
    let classes = &record.data.classes;
    let mut config = TrainConfig::default();
    config.set("encoding", record.config.get("encoding")?).ok()?;
    // Codes longer than this are no encoding of characters, but a damaged record.
    if classes.is_empty() || classes.len() > 256 {
        return None;
    }
    config.encoding.check_classes(classes).ok()?;
    let codebook = config.encoding.codebook(classes);
    Some(codebook.codes.outer_iter().map(|code| code.iter().map(|&bit| bit != 0).collect()).collect())
}

/// The levels where the classes have these bits and so many samples each, and answers are read like this. Nothing where the codes are not all of one length
/// or not as many as the counts, or where there is no sample or no bit.
pub fn levels(codes: &[Vec<bool>], counts: &[u64], decoding: Decoding) -> Vec<ConstantBaseline> {
    let n_samples: f64 = counts.iter().map(|&count| count as f64).sum();
    let n_bits = codes.first().map_or(0, Vec::len);
    let is_ragged = codes.len() != counts.len() || codes.iter().any(|code| code.len() != n_bits);
    if is_ragged || n_samples == 0.0 || n_bits == 0 {
        return Vec::new();
    }
    let ones: Vec<f64> = (0..n_bits)
        .map(|bit| {
            let count: f64 = codes.iter().zip(counts).filter(|(code, _)| code[bit]).map(|(_, &n)| n as f64).sum();
            count / n_samples
        })
        .collect();
    let majority = ones.iter().map(|&p| f64::from(u8::from(p >= 0.5))).collect();
    let commonest = codes[commonest_class(counts)].iter().map(|&bit| f64::from(u8::from(bit))).collect();
    [
        ("all ones", vec![1.0; n_bits]),
        ("majority bits", majority),
        ("mean of bits", ones.clone()),
        ("commonest class", commonest),
    ]
    .into_iter()
    .map(|(name, answer)| level(name, &answer, &ones, (codes, counts), decoding))
    .collect()
}

/// The class with the most samples, the first of equals.
fn commonest_class(counts: &[u64]) -> usize {
    (1..counts.len()).fold(0, |commonest, class| if counts[class] > counts[commonest] { class } else { commonest })
}

fn level(
    name: &'static str,
    answer: &[f64],
    ones: &[f64],
    (codes, counts): (&[Vec<bool>], &[u64]),
    decoding: Decoding,
) -> ConstantBaseline {
    let n_bits = ones.len() as f64;
    let mean = |error: &dyn Fn(f64) -> f64| -> f64 {
        let errors = answer.iter().zip(ones).map(|(&a, &p)| p * error(1.0 - a) + (1.0 - p) * error(a));
        errors.sum::<f64>() / n_bits
    };
    let bits: Vec<bool> = answer.iter().map(|&a| a >= 0.5).collect();
    // Summed as floating-point numbers: the counts come from a file, and integers could overflow.
    let right = codes.iter().zip(counts).filter(|(code, _)| **code == bits);
    let n_right = right.fold(0.0, |sum, (_, &count)| sum + count as f64);
    let n_nearest = counts[nearest_class(answer, codes)] as f64;
    let n_samples: f64 = counts.iter().map(|&count| count as f64).sum();
    let bits_right = bits.iter().zip(ones).map(|(&bit, &p)| if bit { p } else { 1.0 - p });
    ConstantBaseline {
        name,
        mae: mean(&|error| error),
        rmse: mean(&|error| error * error).sqrt(),
        bit_accuracy: bits_right.sum::<f64>() / n_bits,
        accuracy: match decoding {
            Decoding::Exact => n_right / n_samples,
            Decoding::Nearest => n_nearest / n_samples,
        },
        exact_accuracy: n_right / n_samples,
        nearest_accuracy: n_nearest / n_samples,
    }
}

/// The class whose code is nearest to the answer, the first of equals.
fn nearest_class(answer: &[f64], codes: &[Vec<bool>]) -> usize {
    let distance = |code: &[bool]| -> f64 {
        code.iter().zip(answer).map(|(&bit, &a)| (a - f64::from(u8::from(bit))).powi(2)).sum()
    };
    let distances: Vec<f64> = codes.iter().map(|code| distance(code)).collect();
    (1..codes.len()).fold(0, |nearest, class| if distances[class] < distances[nearest] { class } else { nearest })
}
