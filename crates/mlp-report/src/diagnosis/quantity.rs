//! What can be shown of every layer, and what to look for in it.

use std::fmt;
use std::str::FromStr;

use mlp_results::text;
use mlp_train::{Diagnosis, LayerDiagnosis};

use crate::error::{Error, Result};

/// What a map shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Quantity {
    /// [`LayerDiagnosis::saturated`].
    Saturated,
    /// [`LayerDiagnosis::zero_derivative`].
    ZeroDerivative,
    /// [`LayerDiagnosis::dead_units`].
    DeadUnits,
    /// [`LayerDiagnosis::gradient_norm`].
    Gradient,
    /// [`LayerDiagnosis::spread`].
    Spread,
    /// [`LayerDiagnosis::effective_rank`].
    EffectiveRank,
    /// [`LayerDiagnosis::activation_rms`].
    Activation,
}

impl Quantity {
    /// Every quantity, in the order of a page.
    pub const ALL: [Quantity; 7] = [
        Quantity::Saturated,
        Quantity::ZeroDerivative,
        Quantity::DeadUnits,
        Quantity::Gradient,
        Quantity::Spread,
        Quantity::EffectiveRank,
        Quantity::Activation,
    ];

    /// The name in file names.
    pub fn name(self) -> &'static str {
        match self {
            Quantity::Saturated => "saturated",
            Quantity::ZeroDerivative => "zero-derivative",
            Quantity::DeadUnits => "dead-units",
            Quantity::Gradient => "gradient",
            Quantity::Spread => "spread",
            Quantity::EffectiveRank => "effective-rank",
            Quantity::Activation => "activation",
        }
    }

    /// The title of its map.
    pub fn title(self) -> &'static str {
        match self {
            Quantity::Saturated => "Saturated units",
            Quantity::ZeroDerivative => "Units with a derivative of exactly 0",
            Quantity::DeadUnits => "Units without a gradient for any sample",
            Quantity::Gradient => "Gradient of the weights",
            Quantity::Spread => "What varies from sample to sample",
            Quantity::EffectiveRank => "Effective rank of the outputs",
            Quantity::Activation => "Size of the outputs",
        }
    }

    pub(super) fn measures(self) -> &'static str {
        match self {
            Quantity::Saturated => "derivative below 1 % of its largest, in % of units and samples",
            Quantity::ZeroDerivative => "in % of all pairs of unit and sample",
            Quantity::DeadUnits => "saturated, or of relus 0, for every sample; in % of units",
            Quantity::Gradient => "norm of the derivative of the mean loss",
            Quantity::Spread => "standard deviation of a unit's output over the samples",
            Quantity::EffectiveRank => "in how many directions the outputs vary",
            Quantity::Activation => "root mean square of the units' outputs",
        }
    }

    /// What to look for.
    pub fn meaning(self) -> &'static str {
        match self {
            Quantity::Saturated => {
                "A saturated unit hardly answers to changes, and passes hardly any gradient to the layers before it. A \
                 hidden layer that is saturated throughout stops all learning in and before it. The last layer of a net that \
                 answers rightly is saturated, and half of the relus give 0 in a healthy net."
            }
            Quantity::ZeroDerivative => {
                "Beyond saturation: in the numbers that the net computes in, nothing at all is passed back here."
            }
            Quantity::DeadUnits => {
                "None of the samples examined teaches such a unit anything; a rarer one may still wake it."
            }
            Quantity::Gradient => {
                "How strongly the loss asks the weights of a layer to change; shades and legend are logarithmic. Where it \
                 pales from the last layer to the first by orders of magnitude, it vanishes on its way back."
            }
            Quantity::Spread => {
                "Where it comes to 0, all samples look the same to every later layer, and the net can only give one answer. \
                 Shades and legend are logarithmic."
            }
            Quantity::EffectiveRank => {
                "The participation ratio of the outputs' covariance: 1 if they vary along a line, k if equally in k \
                 directions, 0 if not at all. At most the number of units, and of samples less one. Logarithmic shades."
            }
            Quantity::Activation => "Of sigmoids about ½ where they are in their middle. Logarithmic shades.",
        }
    }

    /// Its value in a layer.
    pub fn value(self, layer: &LayerDiagnosis) -> f64 {
        match self {
            Quantity::Saturated => layer.saturated,
            Quantity::ZeroDerivative => layer.zero_derivative,
            Quantity::DeadUnits => layer.dead_units,
            Quantity::Gradient => layer.gradient_norm,
            Quantity::Spread => layer.spread,
            Quantity::EffectiveRank => layer.effective_rank,
            Quantity::Activation => layer.activation_rms,
        }
    }

    pub(super) fn is_fraction(self) -> bool {
        matches!(self, Quantity::Saturated | Quantity::ZeroDerivative | Quantity::DeadUnits)
    }

    /// Whether it says anything of these layers: of relus alone, a derivative of 0 is the same as being saturated; of
    /// others, units without a gradient for any sample are hardly more than the saturated ones.
    pub(super) fn suits(self, diagnosis: &Diagnosis) -> bool {
        let hidden = &diagnosis.layers[..diagnosis.layers.len().saturating_sub(1)];
        let has = |names: &[&str]| hidden.iter().any(|layer| names.contains(&layer.activation.as_str()));
        match self {
            Quantity::ZeroDerivative => !has(&["relu"]),
            Quantity::DeadUnits => has(&["relu"]),
            _ => true,
        }
    }
}

/// The name in file names.
impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// From the name in file names.
impl FromStr for Quantity {
    type Err = Error;

    fn from_str(name: &str) -> Result<Quantity> {
        let found = Quantity::ALL.into_iter().find(|quantity| quantity.name() == name);
        found.ok_or_else(|| Error::unknown_name("a quantity of layers", &Quantity::ALL.map(Quantity::name), name))
    }
}

/// A value in a cell: cells are small.
pub(super) fn written(quantity: Quantity, value: f64) -> String {
    match value {
        _ if quantity.is_fraction() => percent(100.0 * value),
        _ if value == 0.0 => "0".to_owned(),
        _ if (0.01..1000.0).contains(&value) => text::rounded_to(value, 2),
        _ => format!("{value:.0e}"),
    }
}

/// 0 and 100 only where they are exact.
fn percent(percent: f64) -> String {
    match percent {
        _ if percent == percent.round() => percent.to_string(),
        _ if percent < 0.1 => "<0.1".to_owned(),
        _ if percent > 99.9 => ">99.9".to_owned(),
        _ if (10.0..99.0).contains(&percent) => format!("{percent:.0}"),
        _ => format!("{percent:.1}"),
    }
}
