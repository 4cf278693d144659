//! What can be plotted about a run, and what each number means.

use std::fmt;
use std::str::FromStr;

use mlp_train::EpochMetrics;

use crate::error::{Error, Result};
use crate::text;

/// From here on numbers are written with a power of ten.
const HUGE: f64 = 1e5;

/// One of the numbers measured after every epoch.
///
/// ```
/// use mlp_results::Metric;
///
/// let metric: Metric = "accuracy".parse()?;
/// assert_eq!(metric, Metric::Accuracy);
/// assert_eq!(metric.to_string(), "accuracy");
/// assert_eq!(metric.format(0.97341), "97.34 %");
/// # Ok::<(), mlp_results::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Metric {
    /// The fraction of samples that are answered right, by the decoding of their trial.
    Accuracy,
    /// The fraction of samples whose bits are all right.
    ExactAccuracy,
    /// The fraction of samples whose label has the nearest code.
    NearestAccuracy,
    /// The fraction of bits that are right.
    BitAccuracy,
    /// The fraction of samples whose bits are the code of no class.
    InvalidRate,
    /// Mean absolute error.
    Mae,
    /// Root-mean-square error.
    Rmse,
    /// The loss, of samples and labels as they are: without smoothing, weights or penalties.
    Loss,
}

impl Metric {
    /// Every metric, the most telling first.
    pub const ALL: [Metric; 8] = [
        Metric::Accuracy,
        Metric::ExactAccuracy,
        Metric::NearestAccuracy,
        Metric::BitAccuracy,
        Metric::InvalidRate,
        Metric::Mae,
        Metric::Rmse,
        Metric::Loss,
    ];

    /// The name of the field in a record.
    pub fn name(self) -> &'static str {
        match self {
            Metric::Accuracy => "accuracy",
            Metric::ExactAccuracy => "exact_accuracy",
            Metric::NearestAccuracy => "nearest_accuracy",
            Metric::BitAccuracy => "bit_accuracy",
            Metric::InvalidRate => "invalid_rate",
            Metric::Mae => "mae",
            Metric::Rmse => "rmse",
            Metric::Loss => "loss",
        }
    }

    /// The name in titles.
    pub fn title(self) -> &'static str {
        match self {
            Metric::Accuracy => "Accuracy",
            Metric::ExactAccuracy => "Exact-code accuracy",
            Metric::NearestAccuracy => "Nearest-code accuracy",
            Metric::BitAccuracy => "Bit accuracy",
            Metric::InvalidRate => "Invalid answers",
            Metric::Mae => "Mean absolute error",
            Metric::Rmse => "Root-mean-square error",
            Metric::Loss => "Loss",
        }
    }

    /// What is counted, in a line that fits under a plot's title.
    pub fn measures(self) -> &'static str {
        match self {
            Metric::Accuracy => "% of samples answered right",
            Metric::ExactAccuracy => "% of samples with every output bit right",
            Metric::NearestAccuracy => "% of samples whose code is the nearest to the outputs",
            Metric::BitAccuracy => "% of output bits on the right side of ½",
            Metric::InvalidRate => "% of samples answered with the code of no class",
            Metric::Mae => "mean of |output − target| over all samples and outputs",
            Metric::Rmse => "root of the mean of (output − target)²",
            Metric::Loss => "mean of the loss over samples and labels as they are",
        }
    }

    /// What the number means, in full.
    pub fn meaning(self) -> &'static str {
        match self {
            Metric::Accuracy => {
                "The share of samples that are answered right. With one output a class, the answer is the class of the \
                 largest output. With codes it is the class whose bits are exactly the outputs, each read as 1 from ½ \
                 upwards, unless the configuration says decoding = nearest. This is what “right” means on this page \
                 unless it says otherwise."
            }
            Metric::ExactAccuracy => {
                "The share of samples for which every output bit is right when an output of at least ½ counts as 1. \
                 This is the strictest measure: two outputs of ½ or more, or none, are no answer."
            }
            Metric::NearestAccuracy => {
                "The share of samples whose label has, of all classes’ codes, the one nearest to the outputs. It is \
                 never lost to an invalid code, so it is usually a little higher than exact-code accuracy. With one output a class it is the share whose largest output is the \
                 right one."
            }
            Metric::BitAccuracy => {
                "The share of single output bits that are right. It flatters: classes share many bits, so a net that \
                 gives one and the same answer to every sample already gets most bits right. Compare it with the \
                 dashed line of the majority bits, never with 50 %."
            }
            Metric::InvalidRate => {
                "The share of samples whose output bits, rounded, are the code of no class at all. Where answers are \
                 read exactly, such an answer counts as wrong."
            }
            Metric::Mae => {
                "The mean over all samples and outputs of the distance between output and target. 0 is perfect; \
                 between outputs and targets from 0 to 1 it is at most 1."
            }
            Metric::Rmse => {
                "The square root, over all samples and outputs, of the mean squared distance between output and \
                 target. Large errors weigh more than in the mean absolute error."
            }
            Metric::Loss => {
                "The mean over the samples, each counting once, of the loss function that training used, measured \
                 against the labels as they are: without smoothing of labels, weights of classes or samples, dropout, and \
                 the penalty on weights, even where training minimised the loss with them. So it can be compared \
                 between trials that differ in those, and only between trials with the same loss function, reduction and \
                 code of the classes."
            }
        }
    }

    /// Whether it is a fraction, shown in per cent.
    pub fn is_fraction(self) -> bool {
        self.is_accuracy() || self == Metric::InvalidRate
    }

    /// Whether more is better.
    pub fn higher_is_better(self) -> bool {
        self.is_accuracy()
    }

    fn is_accuracy(self) -> bool {
        matches!(self, Metric::Accuracy | Metric::ExactAccuracy | Metric::NearestAccuracy | Metric::BitAccuracy)
    }

    /// The value in `metrics`, where it was measured and is a finite number.
    pub fn value(self, metrics: &EpochMetrics) -> Option<f64> {
        let value = match self {
            Metric::Accuracy => metrics.accuracy,
            Metric::ExactAccuracy => metrics.exact_accuracy,
            Metric::NearestAccuracy => metrics.nearest_accuracy,
            Metric::BitAccuracy => metrics.bit_accuracy,
            Metric::InvalidRate => metrics.invalid_rate,
            Metric::Mae => Some(metrics.mae),
            Metric::Rmse => Some(metrics.rmse),
            Metric::Loss => Some(metrics.loss),
        };
        value.filter(|value| value.is_finite())
    }

    /// `value` as it stands on an axis: fractions in per cent.
    pub fn on_axis(self, value: f64) -> f64 {
        if self.is_fraction() { value * 100.0 } else { value }
    }

    /// The lowest and the highest value that it can have.
    pub fn bounds(self) -> (f64, f64) {
        (0.0, if self.is_fraction() { 1.0 } else { f64::INFINITY })
    }

    /// `value` as it is written: `97.34 %`, `0.0213`.
    pub fn format(self, value: f64) -> String {
        if !value.is_finite() {
            "not a number".to_owned()
        } else if self.is_fraction() {
            text::share(value, 2)
        } else if value != 0.0 && (value.abs() < 1e-3 || value.abs() >= HUGE) {
            format!("{value:.3e}")
        } else {
            format!("{value:.4}")
        }
    }

    /// The deviation of a mean as it is written beside it, with as many digits as matter: `0.00097` beside `0.0398`.
    pub fn format_deviation(self, deviation: f64, mean: f64) -> String {
        let is_fixed = |value: f64| value == 0.0 || (1e-3..HUGE).contains(&value.abs());
        if !self.is_fraction() && is_fixed(mean) && (1e-6..1e-3).contains(&deviation) {
            let n_decimals = (1.0 - deviation.log10().floor()) as usize;
            format!("{deviation:.n_decimals$}")
        } else {
            self.format(deviation)
        }
    }

    /// A difference between two values as it is written: fractions in percentage points.
    pub fn format_difference(self, difference: f64) -> String {
        let sign = if difference > 0.0 { "+" } else { "" };
        let written = if self.is_fraction() {
            format!("{:.2} points", difference * 100.0)
        } else if difference.abs() >= HUGE {
            format!("{difference:.3e}")
        } else {
            format!("{difference:.4}")
        };
        let is_zero = !written.contains(|c: char| c.is_ascii_digit() && c != '0');
        if is_zero {
            written.trim_start_matches('-').to_owned()
        } else {
            format!("{sign}{}", written.replace('-', "−"))
        }
    }

    /// Whether `a` is better than `b`; any number is better than none.
    pub fn is_better(self, a: f64, b: f64) -> bool {
        match (a.is_nan(), b.is_nan()) {
            (true, _) => false,
            (false, true) => true,
            (false, false) if self.higher_is_better() => a > b,
            (false, false) => a < b,
        }
    }
}

/// The name of the field in a record.
impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// From the name of the field in a record; `digit_accuracy` is the older one of `exact_accuracy`.
impl FromStr for Metric {
    type Err = Error;

    fn from_str(name: &str) -> Result<Metric> {
        if name == "digit_accuracy" {
            return Ok(Metric::ExactAccuracy);
        }
        let found = Metric::ALL.into_iter().find(|metric| metric.name() == name);
        found.ok_or_else(|| Error::unknown_name("a metric", &Metric::ALL.map(Metric::name), name))
    }
}
