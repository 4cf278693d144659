//! What is measured after each epoch, and how it is added up.
//!
//! All sums are taken in `f64` and in the order of the samples, so that their bits do not depend on how many threads
//! computed the outputs.

use mlp_core::{Objective, Real};
use serde::{Deserialize, Serialize};

use crate::decoding::Decoding;
use crate::encoding::{Codebook, is_one};

/// The metrics of one set of samples.
///
/// Over `N` samples with `n` outputs `a` and targets `y`. The last five exist only for labelled samples.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct EpochMetrics {
    /// The mean over the samples of the objective's value; without the penalties of `l2` and `l1`.
    pub loss: f64,
    /// Mean absolute error over all samples and outputs: Σ|a − y| / (N·n).
    pub mae: f64,
    /// Root of the mean squared error over all samples and outputs: √(Σ(a − y)² / (N·n)).
    pub rmse: f64,
    /// The fraction of samples that are answered with their label, the answer being read as the configuration says
    /// ([`Decoding`]): with one output a class by the largest output, with codes by every bit, unless it says otherwise.
    /// [`EpochMetrics::exact_accuracy`] and [`EpochMetrics::nearest_accuracy`] are the same for either way of reading.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accuracy: Option<f64>,
    /// The fraction of bits that are right when an output of at least ½ counts as 1. This is not the accuracy:
    /// a network that always answers the commonest bits gets three quarters of the bits of MNIST's digits right.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bit_accuracy: Option<f64>,
    /// The fraction of samples with every bit right. Older files call it `digit_accuracy`.
    #[serde(default, alias = "digit_accuracy", skip_serializing_if = "Option::is_none")]
    pub exact_accuracy: Option<f64>,
    /// The fraction of samples whose label has the code nearest to the outputs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nearest_accuracy: Option<f64>,
    /// The fraction of samples whose bits are the code of no class.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invalid_rate: Option<f64>,
}

impl EpochMetrics {
    /// The name and value of each metric that is present, in the order of the fields.
    pub fn named(&self) -> impl Iterator<Item = (&'static str, f64)> + use<> {
        [
            ("loss", Some(self.loss)),
            ("mae", Some(self.mae)),
            ("rmse", Some(self.rmse)),
            ("accuracy", self.accuracy),
            ("bit_accuracy", self.bit_accuracy),
            ("exact_accuracy", self.exact_accuracy),
            ("nearest_accuracy", self.nearest_accuracy),
            ("invalid_rate", self.invalid_rate),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
    }

    /// The same with the [`accuracy`](field@Self::accuracy) that this decoding makes the headline, where there is none yet:
    /// files from before there was a choice lack it.
    #[must_use]
    pub fn with_accuracy_by(self, decoding: Decoding) -> Self {
        let accuracy = self.accuracy.or(match decoding {
            Decoding::Exact => self.exact_accuracy,
            Decoding::Nearest => self.nearest_accuracy,
        });
        Self { accuracy, ..self }
    }

    /// Whether every metric is a finite number.
    pub fn is_finite(&self) -> bool {
        self.named().all(|(_, value)| value.is_finite())
    }
}

/// What a network's outputs were decoded to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Answer {
    /// The class with exactly these bits, each read as 1 from a half upwards, if any.
    pub exact: Option<usize>,
    /// The class with the nearest code.
    pub nearest: usize,
}

impl Answer {
    /// The class answered, read like this; `None` for an invalid answer.
    pub fn class(self, decoding: Decoding) -> Option<usize> {
        match decoding {
            Decoding::Exact => self.exact,
            Decoding::Nearest => Some(self.nearest),
        }
    }
}

/// Running sums from which [`EpochMetrics`] are computed.
#[derive(Clone, Debug, Default)]
pub(crate) struct MetricSums {
    n_samples: u64,
    n_values: u64,
    loss: f64,
    absolute: f64,
    squared: f64,
    labelled: bool,
    right: u64,
    bits_right: u64,
    exactly_right: u64,
    nearest_right: u64,
    invalid: u64,
}

impl MetricSums {
    /// Adds the losses and errors of one sample.
    pub(crate) fn add_errors<F: Real>(&mut self, objective: Objective, net_inputs: &[F], outputs: &[F], targets: &[F]) {
        self.n_samples += 1;
        self.n_values += outputs.len() as u64;
        self.loss += objective.value(net_inputs, outputs, targets);
        for (&output, &target) in outputs.iter().zip(targets) {
            let difference = output.widen() - target.widen();
            self.absolute += difference.abs();
            self.squared += difference * difference;
        }
    }

    /// Adds what a labelled sample's answer got right, and returns the answer.
    pub(crate) fn add_answer<F: Real>(&mut self, outputs: &[F], codebook: &Codebook, label: usize) -> Answer {
        let code = codebook.codes.row(label);
        let answer = Answer { exact: codebook.decode_threshold(outputs), nearest: codebook.decode_nearest(outputs) };
        let bits_right = code.iter().zip(outputs).filter(|&(&bit, &output)| is_one(output) == (bit != 0)).count();
        self.labelled = true;
        let is_exact = bits_right == outputs.len();
        let is_nearest = answer.nearest == label;
        self.right += u64::from(match codebook.decoding {
            Decoding::Exact => is_exact,
            Decoding::Nearest => is_nearest,
        });
        self.bits_right += bits_right as u64;
        self.exactly_right += u64::from(is_exact);
        self.nearest_right += u64::from(is_nearest);
        self.invalid += u64::from(answer.exact.is_none());
        answer
    }

    /// The metrics of the samples added so far; not a number where there are none.
    pub(crate) fn metrics(&self) -> EpochMetrics {
        let n_samples = self.n_samples as f64;
        let n_values = self.n_values as f64;
        let if_labelled = |count: u64, of: f64| self.labelled.then_some(count as f64 / of);
        EpochMetrics {
            loss: self.loss / n_samples,
            mae: self.absolute / n_values,
            rmse: (self.squared / n_values).sqrt(),
            accuracy: if_labelled(self.right, n_samples),
            bit_accuracy: if_labelled(self.bits_right, n_values),
            exact_accuracy: if_labelled(self.exactly_right, n_samples),
            nearest_accuracy: if_labelled(self.nearest_right, n_samples),
            invalid_rate: if_labelled(self.invalid, n_samples),
        }
    }
}
