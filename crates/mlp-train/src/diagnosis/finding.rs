//! Which layer is at fault, since when, and why.

use mlp_core::Activation;

use super::{Diagnosis, EpochDiagnosis, LayerDiagnosis};

/// A layer counts as saturated, or as dead, from this share of its units on.
pub(super) const NEARLY_ALL: f64 = 0.99;
/// So many of its units silent, or saturated before training, cost a layer much of what it could do.
pub(super) const MANY: f64 = 0.5;
/// Units that vary less than this over the samples tell them apart no more: absolutely for activations with a bounded
/// range, for the others as a share of their size.
const FAINT: f64 = 1e-3;
/// So many of a layer's units saturated before training are a burden on a network that learns nothing.
pub(super) const SOME: f64 = 0.2;
/// Weights have grown where their norm is larger than this multiple of what it was.
const GROWN: f64 = 1.5;
/// Below this share of the targets' own variation, answers do not depend on the sample.
const ONE_ANSWER: f64 = 0.1;
/// A gradient, in proportion to its weights, that is below this share of the largest among the layers has vanished.
const VANISHED: f64 = 1e-4;

/// Why a layer learns no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cause {
    /// Saturated, because all weights are positive, and so is what they are multiplied with.
    PositiveWeights,
    /// Saturated from the beginning, or nearly so, because the weights are too large.
    LargeWeights,
    /// Saturated since the weights have grown.
    GrownWeights,
    /// All units have the same weights, and get the same gradient: they stay one unit.
    EqualWeights,
    /// Units that give 0 to every sample, and so have no gradient.
    SilentUnits,
    /// Outputs that give nearly the same answer to every sample, while others do not.
    StuckOutputs,
    /// What varies from sample to sample has got lost on the way forwards.
    FadedSignal,
    /// The gradient has got lost on the way back.
    VanishedGradient,
}

/// Where learning died.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// The layer, counted from 0.
    pub layer: usize,
    /// The first measured epoch from which on this holds to the last one.
    pub since: usize,
    /// Why.
    pub cause: Cause,
    /// Whether the whole network gives one answer to every sample at the last epoch; otherwise other layers still learn.
    pub is_fatal: bool,
}

impl Diagnosis {
    /// The layer at which learning died: of the layers that are at fault at the last measured epoch, that next to the
    /// inputs. Nothing if none is, or if nothing has been measured.
    pub fn finding(&self) -> Option<Finding> {
        let last = self.epochs.last()?;
        let is_fatal = !self.answers_vary(last);
        let is_at_fault = |layer: &usize| self.fault(last, *layer, is_fatal).is_some();
        let output = self.layers.len() - 1;
        // What no output gives is lost, whatever the layers before it have lost.
        let outputs = &last.layers[output];
        let has_lost_outputs = !is_fatal && outputs.n_silent_outputs + outputs.n_stuck_outputs > 0;
        let layer = if has_lost_outputs { Some(output) } else { (0..=output).find(is_at_fault) };
        let (layer, fault) = match layer {
            Some(layer) => (layer, self.fault(last, layer, is_fatal)?),
            None if is_fatal => (vanished_gradient(last)?, Fault::NoGradient),
            None => return None,
        };
        let holds = |epoch: &&EpochDiagnosis| match fault {
            Fault::NoGradient => vanished_gradient(epoch) == Some(layer),
            _ => self.fault(epoch, layer, is_fatal) == Some(fault),
        };
        let first = self.epochs.iter().rev().take_while(holds).last()?;
        // Units that never told samples apart move as one: that they are driven to an end is what came of it.
        if let (true, Fault::Saturated, Some(layer)) = (is_fatal && first.epoch > 0, fault, self.began_faint()) {
            return Some(Finding { layer, since: 0, cause: Cause::FadedSignal, is_fatal });
        }
        let cause = match fault {
            Fault::Alike => Cause::EqualWeights,
            Fault::Silent => Cause::SilentUnits,
            Fault::Stuck => Cause::StuckOutputs,
            Fault::Faint => Cause::FadedSignal,
            Fault::NoGradient => Cause::VanishedGradient,
            Fault::Saturated if self.is_all_positive(first, layer) => Cause::PositiveWeights,
            Fault::Saturated if first.epoch == 0 || self.began_large(layer, first) => Cause::LargeWeights,
            Fault::Saturated => Cause::GrownWeights,
        };
        Some(Finding { layer, since: first.epoch, cause, is_fatal })
    }

    /// How much of a layer was saturated before training.
    pub(super) fn began_saturated(&self, layer: usize) -> f64 {
        self.epochs.first().filter(|first| first.epoch == 0).map_or(0.0, |first| first.layers[layer].saturated)
    }

    /// The hidden layer whose units gave nearly the same answer to every sample before training, and not for what one before it
    /// did.
    fn began_faint(&self) -> Option<usize> {
        let first = self.epochs.first().filter(|first| first.epoch == 0)?;
        let faults = (0..self.layers.len() - 1).map(|layer| (layer, self.fault(first, layer, true)));
        let (layer, fault) = faults.into_iter().find(|(_, fault)| fault.is_some())?;
        (fault == Some(Fault::Faint)).then_some(layer)
    }

    /// Whether a good part of some hidden layer gave 0 to every sample before training.
    pub(super) fn began_with_silent_units(&self) -> bool {
        let first = self.epochs.first().filter(|first| first.epoch == 0);
        let hidden = first.into_iter().flat_map(|first| first.layers.iter().take(self.layers.len() - 1).enumerate());
        hidden
            .into_iter()
            .any(|(layer, found)| self.activation(layer) == Some(Activation::Relu) && found.dead_units >= SOME)
    }

    /// The net inputs of a layer before training, in the root mean square.
    pub(super) fn began_with_net_inputs(&self, layer: usize) -> f64 {
        self.epochs.first().filter(|first| first.epoch == 0).map_or(0.0, |first| first.layers[layer].net_input_rms)
    }

    /// Whether a layer was saturated for the most part before training, and its weights have not grown much until `epoch`.
    fn began_large(&self, layer: usize, epoch: &EpochDiagnosis) -> bool {
        let has_grown = epoch.layers[layer].weight_norm > GROWN * self.epochs[0].layers[layer].weight_norm;
        self.began_saturated(layer) >= MANY && !has_grown
    }

    /// Whether the network gives one answer to every sample at the last measured epoch: it has learned nothing, whether or
    /// not a layer is at fault.
    pub fn gives_one_answer(&self) -> bool {
        self.epochs.last().is_some_and(|last| !self.answers_vary(last))
    }

    /// Whether the answers depend on the sample.
    pub(super) fn answers_vary(&self, epoch: &EpochDiagnosis) -> bool {
        epoch.layers.last().is_none_or(|outputs| outputs.spread >= ONE_ANSWER * self.target_spread)
    }

    pub(super) fn activation(&self, layer: usize) -> Option<Activation> {
        Activation::from_name(&self.layers[layer].activation)
    }

    /// What is wrong with a layer at an epoch.
    fn fault(&self, epoch: &EpochDiagnosis, layer: usize, is_fatal: bool) -> Option<Fault> {
        let (found, activation) = (&epoch.layers[layer], self.activation(layer)?);
        let is_output = layer + 1 == self.layers.len();
        match activation {
            // The outputs have targets of their own, which tell them apart at the first step.
            _ if found.units_are_alike && !is_output => Some(Fault::Alike),
            Activation::Relu if is_output && !is_fatal && found.n_silent_outputs > 0 => Some(Fault::Silent),
            _ if is_output && !is_fatal && found.n_stuck_outputs > 0 => Some(Fault::Stuck),
            Activation::Relu if found.dead_units >= if is_fatal { NEARLY_ALL } else { MANY } => Some(Fault::Silent),
            // The outputs of a net that answers rightly are saturated.
            Activation::Sigmoid | Activation::Tanh if found.saturated >= NEARLY_ALL && (is_fatal || !is_output) => {
                Some(Fault::Saturated)
            }
            _ if is_fatal && found.spread <= FAINT * scale(activation, found) => Some(Fault::Faint),
            _ => None,
        }
    }

    /// Whether a layer has hardly any weight that is not positive, and receives nothing negative. Inputs are taken to be
    /// grey levels or the like.
    fn is_all_positive(&self, epoch: &EpochDiagnosis, layer: usize) -> bool {
        let receives_negative =
            layer > 0 && matches!(self.activation(layer - 1), None | Some(Activation::Tanh | Activation::Identity));
        epoch.layers[layer].positive_weights >= NEARLY_ALL && !receives_negative
    }
}

/// What can be wrong with a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    Alike,
    Saturated,
    Silent,
    Stuck,
    Faint,
    NoGradient,
}

/// What the spread of a layer is measured by.
pub(super) fn scale(activation: Activation, found: &LayerDiagnosis) -> f64 {
    match activation {
        Activation::Sigmoid | Activation::Tanh | Activation::Softmax => 1.0,
        Activation::Relu | Activation::Identity => found.activation_rms,
    }
}

/// The first layer that hardly any gradient reaches while another has one.
fn vanished_gradient(epoch: &EpochDiagnosis) -> Option<usize> {
    let largest = epoch.layers.iter().map(LayerDiagnosis::relative_gradient).fold(0.0, f64::max);
    epoch.layers.iter().position(|layer| layer.relative_gradient() <= VANISHED * largest)
}
