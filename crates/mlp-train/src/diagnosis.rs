//! The doctor: what each layer does with a few samples, epoch by epoch, and in plain words where learning died and why.
//!
//! A network that does not learn looks the same from outside whatever is wrong with it: one answer to every sample. From
//! inside, the layer at fault is easily told. Learning needs both ways open. Forwards, every layer has to answer
//! differently to different samples; what is lost in one layer no later one brings back. Backwards, the gradient has to
//! arrive; it is multiplied by the derivative of every unit that it passes, and a saturated unit multiplies it by nearly 0.
//!
//! [`diagnose`] measures both on a [`Probe`], a few of the training samples, by [`backpropagate`](mlp_core::backpropagate) as it is written to be
//! read, and changes nothing. [`Diagnosis`] gathers the epochs; [`Diagnosis::finding`] names the layer.

mod file;
mod finding;
mod measure;
mod sentence;
mod suspects;

use mlp_core::{Mlp, Real};
use serde::{Deserialize, Serialize};

pub use finding::{Cause, Finding};
pub use measure::{Probe, SATURATED, diagnose};
pub use sentence::Background;

/// What one layer does with the samples of a probe, and what it learns from them. With a the outputs of its units, one
/// row for each of n samples, and W its weights:
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LayerDiagnosis {
    /// The fraction of all pairs of unit and sample in which the unit is saturated ([`SATURATED`]), 0 to 1; of a relu, in
    /// which it gives 0; 0 for identity and softmax.
    pub saturated: f64,
    /// The fraction of all pairs that are saturated at the upper end of the activation's range, at most `saturated`.
    pub saturated_high: f64,
    /// The fraction of all pairs whose derivative is exactly 0 in the numbers that the net computes in.
    pub zero_derivative: f64,
    /// The fraction of units that are saturated for every sample of the probe, 0 to 1: among more samples fewer units are.
    pub dead_units: f64,
    /// The root mean square of the net inputs x · W + b over all pairs.
    pub net_input_rms: f64,
    /// The root mean square of a over all pairs.
    pub activation_rms: f64,
    /// How much a unit's output varies from sample to sample: √(mean over the units of the variance over the samples,
    /// dividing by n). Exactly 0 if every sample gets the same outputs.
    pub spread: f64,
    /// In how many directions the outputs vary: with C their covariance over the samples, (tr C)² / tr(C²), which is
    /// 1 if they vary along a line, k if equally in k directions, at most the number of units and n − 1, and here 0 if
    /// they do not vary. The participation ratio of C's eigenvalues (Abbott, Rajan and Sompolinsky, *Interactions between
    /// intrinsic and stimulus-evoked activity in recurrent neural networks*, 2011, section 4), without the eigenvalues.
    pub effective_rank: f64,
    /// The fraction of W that is above 0.
    pub positive_weights: f64,
    /// √(Σ W²).
    pub weight_norm: f64,
    /// √(Σ (∂loss/∂W)²), of the mean loss over the probe, without l1 and l2.
    pub gradient_norm: f64,
    /// Whether it has several units and all of them have the same weights and the same bias: they count as one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub units_are_alike: bool,
    /// Of a relu in the last layer, the number of units that give 0 to every sample although the targets ask for more: what
    /// they should give they never learn, as a relu that gives 0 passes no gradient.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub n_silent_outputs: usize,
    /// In the last layer, the number of units that give nearly the same answer to every sample although their targets differ:
    /// whose standard deviation over the samples is below a fiftieth of that of the targets.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub n_stuck_outputs: usize,
}

fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// What the layers do at the end of an epoch; epoch 0 is before training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EpochDiagnosis {
    /// The epoch.
    pub epoch: usize,
    /// The mean loss over the probe.
    pub loss: f64,
    /// One entry a layer, that next to the inputs first.
    pub layers: Vec<LayerDiagnosis>,
}

/// The shape of a layer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiagnosedLayer {
    /// Its inputs.
    pub inputs: usize,
    /// Its units.
    pub units: usize,
    /// The name of its activation.
    pub activation: String,
}

/// What was measured during a run. Kept as `diagnosis/<trial>.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Diagnosis {
    /// The identity of the trial.
    pub trial: String,
    /// The number of samples in the probe.
    pub n_samples: usize,
    /// How much the targets of the probe vary, as [`LayerDiagnosis::spread`].
    pub target_spread: f64,
    /// The layers, that next to the inputs first.
    pub layers: Vec<DiagnosedLayer>,
    /// The epochs that were measured, in ascending order.
    pub epochs: Vec<EpochDiagnosis>,
}

impl Diagnosis {
    /// The diagnosis of a trial before anything has been measured.
    pub fn new<F: Real>(trial: String, mlp: &Mlp<F>, probe: &Probe<F>) -> Self {
        let layers = mlp.layers.iter().map(|layer| DiagnosedLayer {
            inputs: layer.weights.nrows(),
            units: layer.weights.ncols(),
            activation: layer.activation.name().to_owned(),
        });
        Self {
            trial,
            n_samples: probe.n_samples(),
            target_spread: probe.target_spread(),
            layers: layers.collect(),
            epochs: Vec::new(),
        }
    }

    /// Adds an epoch at its place; one that is there already is replaced.
    pub fn add(&mut self, measured: EpochDiagnosis) {
        match self.epochs.binary_search_by_key(&measured.epoch, |there| there.epoch) {
            Ok(place) => self.epochs[place] = measured,
            Err(place) => self.epochs.insert(place, measured),
        }
    }

    /// The epochs up to the last measured one that were not measured, as ranges with both ends.
    pub fn missing(&self) -> Vec<(usize, usize)> {
        let mut missing = Vec::new();
        let mut next = 0;
        for measured in &self.epochs {
            if measured.epoch > next {
                missing.push((next, measured.epoch - 1));
            }
            next = measured.epoch.saturating_add(1);
        }
        missing
    }
}

impl LayerDiagnosis {
    fn numbers(&self) -> [f64; 11] {
        [
            self.saturated,
            self.saturated_high,
            self.zero_derivative,
            self.dead_units,
            self.net_input_rms,
            self.activation_rms,
            self.spread,
            self.effective_rank,
            self.positive_weights,
            self.weight_norm,
            self.gradient_norm,
        ]
    }

    fn is_finite(&self) -> bool {
        self.numbers().iter().all(|number| number.is_finite())
    }

    /// The gradient in proportion to the weights.
    fn relative_gradient(&self) -> f64 {
        if self.weight_norm > 0.0 { self.gradient_norm / self.weight_norm } else { self.gradient_norm }
    }
}
