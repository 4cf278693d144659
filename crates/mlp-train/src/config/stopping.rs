//! When a run stops before its last epoch.

use std::fmt;

use crate::metrics::EpochMetrics;

/// Stop when a metric of the validation samples has not improved for `patience` epochs, and take the weights of its
/// best epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EarlyStopping {
    /// What is watched.
    pub metric: ValidationMetric,
    /// Epochs without improvement, at least 1, after which training stops.
    pub patience: usize,
}

/// A metric of the validation samples that early stopping can watch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ValidationMetric {
    /// The fraction of samples that are answered with their label; higher is better.
    Accuracy,
    /// The loss; lower is better.
    Loss,
    /// The mean absolute error; lower is better.
    Mae,
    /// The root mean squared error; lower is better.
    Rmse,
    /// The fraction of bits that are right; higher is better.
    BitAccuracy,
    /// The fraction of samples with every bit right; higher is better.
    ExactAccuracy,
    /// The fraction of samples whose nearest code is right; higher is better.
    NearestAccuracy,
}

impl ValidationMetric {
    /// Every metric that can be watched.
    pub const ALL: [Self; 7] = [
        Self::Accuracy,
        Self::Loss,
        Self::Mae,
        Self::Rmse,
        Self::BitAccuracy,
        Self::ExactAccuracy,
        Self::NearestAccuracy,
    ];
    /// What older configurations call [`ValidationMetric::ExactAccuracy`].
    const OLD_NAME_OF_EXACT: &str = "validation.digit_accuracy";

    /// The name in configuration files, such as `validation.loss`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Accuracy => "validation.accuracy",
            Self::Loss => "validation.loss",
            Self::Mae => "validation.mae",
            Self::Rmse => "validation.rmse",
            Self::BitAccuracy => "validation.bit_accuracy",
            Self::ExactAccuracy => "validation.exact_accuracy",
            Self::NearestAccuracy => "validation.nearest_accuracy",
        }
    }

    /// The metric of that name; `validation.digit_accuracy` is the older one of `validation.exact_accuracy`.
    pub fn from_name(name: &str) -> Option<Self> {
        if name == Self::OLD_NAME_OF_EXACT {
            return Some(Self::ExactAccuracy);
        }
        Self::ALL.into_iter().find(|metric| metric.name() == name)
    }

    /// Whether larger values are better.
    pub fn higher_is_better(self) -> bool {
        matches!(self, Self::Accuracy | Self::BitAccuracy | Self::ExactAccuracy | Self::NearestAccuracy)
    }

    /// The value among the metrics of the validation samples; `None` where the samples have no labels.
    pub fn of(self, metrics: &EpochMetrics) -> Option<f64> {
        match self {
            Self::Accuracy => metrics.accuracy,
            Self::Loss => Some(metrics.loss),
            Self::Mae => Some(metrics.mae),
            Self::Rmse => Some(metrics.rmse),
            Self::BitAccuracy => metrics.bit_accuracy,
            Self::ExactAccuracy => metrics.exact_accuracy,
            Self::NearestAccuracy => metrics.nearest_accuracy,
        }
    }
}

impl fmt::Display for ValidationMetric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
