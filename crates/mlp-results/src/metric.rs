//! What can be plotted about a run, and what each number means.

use std::fmt;
use std::str::FromStr;

use mlp_train::EpochMetrics;

use crate::error::{Error, Result};

/// One of the numbers measured after every epoch.
///
/// ```
/// use mlp_results::Metric;
///
/// let metric: Metric = "digit_accuracy".parse()?;
/// assert_eq!(metric, Metric::DigitAccuracy);
/// assert_eq!(metric.to_string(), "digit_accuracy");
/// assert_eq!(metric.format(0.97341), "97.34 %");
/// # Ok::<(), mlp_results::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Metric {
    /// The fraction of samples whose bits are all right.
    DigitAccuracy,
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
    /// The loss that was minimised.
    Loss,
}

impl Metric {
    /// Every metric, the most telling first.
    pub const ALL: [Metric; 7] = [
        Metric::DigitAccuracy,
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
            Metric::DigitAccuracy => "digit_accuracy",
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
            Metric::DigitAccuracy => "Character accuracy",
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
            Metric::DigitAccuracy => "% of pictures with every output bit right",
            Metric::NearestAccuracy => "% of pictures whose code is the nearest to the outputs",
            Metric::BitAccuracy => "% of output bits on the right side of ½",
            Metric::InvalidRate => "% of pictures answered with the code of no class",
            Metric::Mae => "mean of |output − target| over all pictures and bits",
            Metric::Rmse => "root of the mean of (output − target)²",
            Metric::Loss => "mean of the loss that was minimised",
        }
    }

    /// What the number means, in full.
    pub fn meaning(self) -> &'static str {
        match self {
            Metric::DigitAccuracy => {
                "The share of pictures for which every output bit is right when an output of at least ½ counts as 1. \
                 This is the strict measure, and what “right” means on this page unless it says otherwise."
            }
            Metric::NearestAccuracy => {
                "The share of pictures whose label has, of all classes’ codes, the one nearest to the outputs. It is \
                 never lost to an invalid code, so it is usually a little higher than character accuracy."
            }
            Metric::BitAccuracy => {
                "The share of single output bits that are right. It flatters: classes share many bits, so a net that \
                 gives one and the same answer to every picture already gets most bits right. Compare it with the \
                 dashed line of the majority bits, never with 50 %."
            }
            Metric::InvalidRate => {
                "The share of pictures whose output bits, rounded, are the code of no class at all. Such an answer \
                 counts as wrong in character accuracy."
            }
            Metric::Mae => {
                "The mean over all pictures and output bits of the distance between output and target. 0 is perfect, \
                 1 is the worst a sigmoid output can do."
            }
            Metric::Rmse => {
                "The square root, over all pictures and output bits, of the mean squared distance between output and \
                 target. Large errors weigh more than in the mean absolute error."
            }
            Metric::Loss => {
                "The mean over the pictures of the loss that training minimised, without the penalty on weights. It \
                 can only be compared between trials that minimise the same loss."
            }
        }
    }

    /// Whether it is a fraction, shown in per cent.
    pub fn is_fraction(self) -> bool {
        matches!(self, Metric::DigitAccuracy | Metric::NearestAccuracy | Metric::BitAccuracy | Metric::InvalidRate)
    }

    /// Whether more is better.
    pub fn higher_is_better(self) -> bool {
        matches!(self, Metric::DigitAccuracy | Metric::NearestAccuracy | Metric::BitAccuracy)
    }

    /// The value in `metrics`, where it was measured and is a finite number.
    pub fn value(self, metrics: &EpochMetrics) -> Option<f64> {
        let value = match self {
            Metric::DigitAccuracy => metrics.digit_accuracy,
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
            format!("{:.2} %", value * 100.0)
        } else if value != 0.0 && (value.abs() < 1e-3 || value.abs() >= 1e5) {
            format!("{value:.3e}")
        } else {
            format!("{value:.4}")
        }
    }

    /// A difference between two values as it is written: fractions in percentage points.
    pub fn format_difference(self, difference: f64) -> String {
        let sign = if difference > 0.0 { "+" } else { "" };
        let written =
            if self.is_fraction() { format!("{:.2} points", difference * 100.0) } else { format!("{difference:.4}") };
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

/// From the name of the field in a record.
impl FromStr for Metric {
    type Err = Error;

    fn from_str(name: &str) -> Result<Metric> {
        let found = Metric::ALL.into_iter().find(|metric| metric.name() == name);
        found.ok_or_else(|| Error::unknown_name("a metric", &Metric::ALL.map(Metric::name), name))
    }
}
