//! Settings that are so far from what they are by default that they may be why a network does not learn.

use mlp_core::{Activation, Initializer};

use super::finding::{MANY, scale};
use super::sentence::shown;
use super::{Diagnosis, EpochDiagnosis};
use crate::config::{ClassWeights, TrainConfig};
use crate::optimizer::Optimizer;
use crate::schedule::{Position, Schedule};

/// From this rate on, dropout leaves so little that hardly anything is learned; half is usual.
const DROPOUT: f64 = 0.6;
/// The same for inputs, of which a fifth is usual.
const INPUT_DROPOUT: f64 = 0.5;
/// From this share on, smoothed targets are nearly the same for all answers; a tenth is usual.
const SMOOTHING: f64 = 0.5;
/// A gradient that is so many times as long as is allowed has hardly any length left.
const CLIPPED: f64 = 10.0;
/// Weights are held down where less than this share of their norm before training is allowed.
const HELD_DOWN: f64 = 0.5;
/// A class that counts no more than this share of the one that counts most is as good as left out.
const WEIGHTLESS: f64 = 0.01;
/// A penalty on the weights from this on is heavy; a thousandth is usual.
const HEAVY: f64 = 0.1;
/// A schedule that leaves less than this share of the rate in the middle of the run ends learning before its time.
const LITTLE_RATE: f64 = 0.01;
/// Weights whose norm is this multiple of what it was after the first epoch have leapt.
const LEAP: f64 = 2.0;
/// Net inputs of relus behind the first layer that are larger than this, in the root mean square, are out of all proportion: with
/// weights that suit them they are about 1.
const LARGE_NET_INPUTS: f64 = 30.0;
/// The same where a network learned nothing.
const LARGE_NET_INPUTS_OF_FAILURE: f64 = 5.0;
/// From this share of its units on a layer that still tells samples apart counts as nearly saturated.
const NEARLY_SATURATED: f64 = 0.9;
/// Units that varied less than this before training, as a share of their range or size, told samples hardly apart.
const HARDLY_APART: f64 = 0.02;
/// Hidden layers with up to so many units let next to nothing pass.
const NARROW: usize = 2;
/// Deformations by more than these leave no digit: a shift in pixels, half of what a small image is wide; a rotation in degrees,
/// that of a 6 into a 9; a change of size; a lean; a change of thickness; the size of elastic displacements.
const SHIFT: f64 = 10.0;
const ROTATION: f64 = 90.0;
const SCALE: f64 = 0.7;
const SHEAR: f64 = 0.8;
const THICKNESS: f64 = 3.0;
const ELASTIC: f64 = 8.0;

/// A setting that may be at fault.
#[derive(Debug, PartialEq)]
pub(super) struct Suspect {
    /// What it does: `max_norm = 0.01 holds the weights down`.
    pub(super) charge: String,
    /// What to try in its place: `a larger max_norm`.
    pub(super) remedy: String,
}

impl Suspect {
    fn new(charge: String, remedy: &str) -> Self {
        Suspect { charge, remedy: remedy.to_owned() }
    }
}

/// The suspects among the settings of `config`. None of them is at its default.
pub(super) fn suspects(diagnosis: &Diagnosis, config: &TrainConfig) -> Vec<Suspect> {
    let mut found = Vec::new();
    let dropout = config.hidden_dropout().into_iter().fold(0.0, f64::max);
    if dropout >= DROPOUT {
        let charge = format!("dropout = {dropout} leaves out nearly all that a hidden layer gives in each step");
        found.push(Suspect::new(charge, "a smaller dropout"));
    }
    let inputs = config.input_dropout;
    if inputs >= INPUT_DROPOUT {
        let charge = format!("input_dropout = {inputs} leaves out most of what is seen in each step");
        found.push(Suspect::new(charge, "a smaller input_dropout"));
    }
    if let Some(max_norm) = config.max_norm.filter(|&max_norm| holds_down(diagnosis, max_norm)) {
        found.push(Suspect::new(format!("max_norm = {max_norm} holds the weights down"), "a larger max_norm"));
    }
    if let Some(clip_norm) = config.clip_norm.filter(|&clip_norm| shortens(diagnosis, config, clip_norm)) {
        let charge = format!("clip_norm = {clip_norm} leaves next to nothing of the gradients");
        found.push(Suspect::new(charge, "a larger clip_norm"));
    }
    let smoothing = config.label_smoothing;
    if smoothing >= SMOOTHING {
        let charge = format!("label_smoothing = {smoothing} makes the targets of all answers nearly the same");
        found.push(Suspect::new(charge, "a smaller label_smoothing"));
    }
    if deforms_beyond_recognition(config) {
        let augment = config.augment.map(|augment| augment.to_string()).unwrap_or_default();
        let charge = format!("augment = \"{augment}\" leaves hardly anything of the training images");
        found.push(Suspect::new(charge, "a gentler augment"));
    }
    found.extend(weightless_classes(config));
    let penalties = [("l1", config.l1), ("l2", config.l2)].into_iter().filter(|(_, penalty)| *penalty >= HEAVY);
    found.extend(penalties.map(|(name, penalty)| Suspect {
        charge: format!("{name} = {penalty} draws the weights towards 0"),
        remedy: format!("a smaller {name}"),
    }));
    found.extend(falling_schedule(config));
    found.extend(leap(diagnosis, config));
    let narrow = config.hidden.iter().position(|&units| units <= NARROW);
    if let Some(layer) = narrow.filter(|_| diagnosis.layers.last().is_some_and(|outputs| outputs.units > NARROW)) {
        let n_units = config.hidden[layer];
        let charge = format!(
            "all that layer {} lets pass is {}",
            layer + 1,
            if n_units == 1 { "the one number of its one unit".to_owned() } else { format!("{n_units} numbers") }
        );
        found.push(Suspect::new(charge, "more units in hidden"));
    }
    found
}

/// A schedule that leaves hardly anything of the learning rate by the middle of the run.
pub(super) fn falling_schedule(config: &TrainConfig) -> Option<Suspect> {
    // It rises again.
    if let Schedule::WarmRestarts { .. } = config.schedule {
        return None;
    }
    let middle = config.epochs / 2;
    let position = Position { step: middle as u64, steps_per_epoch: 1, epochs: config.epochs as u64, plateaus: 0 };
    let left = config.schedule.learning_rate(1.0, position);
    (left < LITTLE_RATE).then(|| {
        let charge = format!(
            "of the learning_rate the schedule leaves {} in epoch {} of {}",
            shown(left),
            middle + 1,
            config.epochs
        );
        Suspect::new(charge, "schedule = \"constant\"")
    })
}

/// Steps so large that the first epoch has thrown weights far from where they began, though they could pass a signal on there.
fn leap(diagnosis: &Diagnosis, config: &TrainConfig) -> Option<Suspect> {
    let (first, second) = (diagnosis.epochs.first()?, diagnosis.epochs.get(1)?);
    let is_watched = (first.epoch, second.epoch) == (0, 1) && small_weights(diagnosis, Some(config)).is_none();
    let grown = first
        .layers
        .iter()
        .zip(&second.layers)
        .position(|(first, second)| first.weight_norm > 0.0 && second.weight_norm > LEAP * first.weight_norm);
    let layer = grown.filter(|_| is_watched)?;
    let charge = format!(
        "the first epoch has made the norm of the weights of layer {} {} times as large",
        layer + 1,
        shown(second.layers[layer].weight_norm / first.layers[layer].weight_norm)
    );
    Some(Suspect::new(charge, "a smaller learning_rate"))
}

/// Weights of classes that leave hardly any class something to be learned.
pub(super) fn weightless_classes(config: &TrainConfig) -> Option<Suspect> {
    let Some(ClassWeights::Each(weights)) = &config.class_weights else { return None };
    let largest = weights.iter().copied().fold(0.0, f64::max);
    let n_weightless = weights.iter().filter(|&&weight| weight <= WEIGHTLESS * largest).count();
    (2 * n_weightless > weights.len()).then(|| {
        let charge = format!(
            "class_weights give {n_weightless} of {} classes next to no weight, so that the others answer for them",
            weights.len()
        );
        Suspect::new(charge, "class_weights that are nearer to each other")
    })
}

/// Weights that were so large before training that at least this share of some hidden layer was saturated, or most of the outputs,
/// or that net inputs of relus were.
pub(super) fn large_weights(diagnosis: &Diagnosis, config: Option<&TrainConfig>, share: f64) -> Option<Suspect> {
    let n_layers = diagnosis.layers.len();
    let large = if share < MANY { LARGE_NET_INPUTS_OF_FAILURE } else { LARGE_NET_INPUTS };
    let (layer, what) = (0..n_layers).find_map(|layer| {
        let (saturated, net_inputs) = (diagnosis.began_saturated(layer), diagnosis.began_with_net_inputs(layer));
        let share = if layer + 1 == n_layers { MANY.max(share) } else { share };
        let what = match diagnosis.activation(layer)? {
            Activation::Sigmoid | Activation::Tanh if saturated >= share => {
                format!("{:.0} % of the units of layer {} were saturated before training", 100.0 * saturated, layer + 1)
            }
            Activation::Relu | Activation::Identity if layer > 0 && net_inputs >= large => {
                format!(
                    "net inputs of layer {} were {} before training (root mean square)",
                    layer + 1,
                    shown(net_inputs)
                )
            }
            _ => return None,
        };
        Some((layer, what))
    })?;
    // What comes out of relus is too large by their weights, whatever takes it up.
    let behind = diagnosis.activation(layer.saturating_sub(1)).filter(|_| layer + 1 == n_layers);
    let remedy = match smaller_weights(behind.or(diagnosis.activation(layer))) {
        // What is set already is no advice.
        GAIN_OF_TWO if config.is_some_and(|config| is_modest(config.initializer)) => "initializer = \"glorot-uniform\"",
        remedy => remedy,
    };
    Some(Suspect::new(format!("the weights it began with are too large: {what}"), remedy))
}

/// The advice for sigmoids, and for what follows them.
const GAIN_OF_TWO: &str = "initializer = { name = \"glorot-uniform\", gain = 2 }";

/// Whether an initialiser gives weights no larger than [`GAIN_OF_TWO`].
pub(super) fn is_modest(initializer: Initializer) -> bool {
    matches!(initializer, Initializer::GlorotUniform { gain } | Initializer::GlorotNormal { gain } if gain <= 2.0)
}

/// The initialiser to try where weights are too large.
pub(super) fn smaller_weights(activation: Option<Activation>) -> &'static str {
    match activation {
        Some(Activation::Relu) => "initializer = \"he-uniform\"",
        Some(Activation::Tanh) => "initializer = \"glorot-uniform\"",
        // A sigmoid's slope of a quarter starves deep stacks at a gain of 1.
        _ => GAIN_OF_TWO,
    }
}

/// The initialiser whose weights let a signal pass such units as large as it came: a sigmoid's slope of a quarter takes a gain
/// of 4, a tanh's of 1 none (Glorot and Bengio 2010), and a relu passes half (He and others 2015).
pub(super) fn stronger_weights(activation: Option<Activation>) -> &'static str {
    match activation {
        Some(Activation::Relu) => "initializer = \"he-uniform\"",
        Some(Activation::Sigmoid) => "initializer = { name = \"glorot-uniform\", gain = 4 }",
        _ => "initializer = \"glorot-uniform\"",
    }
}

/// Whether an initialiser gives weights as large as [`stronger_weights`], or larger.
pub(super) fn is_strong(initializer: Initializer, activation: Option<Activation>) -> bool {
    let needed = match activation {
        Some(Activation::Relu) => 2.0_f64.sqrt(),
        Some(Activation::Sigmoid) => 4.0,
        _ => 1.0,
    };
    match initializer {
        Initializer::GlorotUniform { gain } | Initializer::GlorotNormal { gain } => gain >= needed,
        Initializer::LecunUniform { gain } | Initializer::LecunNormal { gain } => gain >= needed,
        // Its variance is twice that of LeCun's.
        Initializer::HeUniform { gain } | Initializer::HeNormal { gain } => gain * 2.0_f64.sqrt() >= 0.999 * needed,
        Initializer::Uniform { .. } | Initializer::Normal { .. } | Initializer::Uniform01 => false,
    }
}

/// Weights of which a layer has got so many units saturated on the way that little of the gradient passes it.
pub(super) fn grown_weights(diagnosis: &Diagnosis, last: &EpochDiagnosis, layer: usize) -> Option<Suspect> {
    let (first, found) = (diagnosis.epochs.first()?.layers.get(layer)?, &last.layers[layer]);
    let is_bounded = matches!(diagnosis.activation(layer)?, Activation::Sigmoid | Activation::Tanh);
    (is_bounded && found.saturated >= NEARLY_SATURATED && found.weight_norm > first.weight_norm).then(|| {
        let charge = format!(
            "little of the gradient passes layer {}: its weights have grown (their norm from {} to {})",
            layer + 1,
            shown(first.weight_norm),
            shown(found.weight_norm)
        );
        Suspect::new(charge, "a smaller learning_rate")
    })
}

/// Weights that were so small before training that some hidden layer told samples hardly apart, where larger ones are to be had.
pub(super) fn small_weights(diagnosis: &Diagnosis, config: Option<&TrainConfig>) -> Option<Suspect> {
    let first = diagnosis.epochs.first().filter(|first| first.epoch == 0)?;
    let n_hidden = diagnosis.layers.len() - 1;
    let layer = (0..n_hidden).find(|&layer| {
        let scale = diagnosis.activation(layer).map_or(1.0, |activation| scale(activation, &first.layers[layer]));
        first.layers[layer].spread < HARDLY_APART * scale
    })?;
    let before = diagnosis.activation(layer.saturating_sub(1));
    let is_set = config.is_some_and(|config| is_strong(config.initializer, before));
    (!is_set).then(|| {
        let charge = format!(
            "the weights it began with are small: the units of layer {} varied by {} from sample to sample before training",
            layer + 1,
            shown(first.layers[layer].spread)
        );
        Suspect::new(charge, stronger_weights(before))
    })
}

/// What has made the weights of a layer small.
pub(super) fn shrinking(diagnosis: &Diagnosis, config: Option<&TrainConfig>) -> Suspect {
    let Some(config) = config else {
        return Suspect::new("its weights have shrunk".to_owned(), "smaller l1 and l2, or a larger max_norm");
    };
    if let Some(max_norm) = config.max_norm.filter(|&max_norm| holds_down(diagnosis, max_norm)) {
        return Suspect::new(format!("max_norm = {max_norm} holds its weights down"), "a larger max_norm");
    }
    let decay = match config.optimizer {
        Optimizer::AdamW { decay, .. } => decay,
        _ => 0.0,
    };
    let penalties = [("l1", config.l1), ("l2", config.l2), ("decay of the optimizer", decay)];
    let penalties: Vec<&str> = penalties.iter().filter(|(_, value)| *value > 0.0).map(|(name, _)| *name).collect();
    let remedy = match penalties.as_slice() {
        [] => "a smaller learning_rate".to_owned(),
        [penalty] => format!("a smaller {penalty}"),
        penalties => format!("smaller {}", penalties.join(" and ")),
    };
    Suspect { charge: "its weights have shrunk".to_owned(), remedy }
}

/// Whether an initialiser gives every weight of a layer the same value.
pub(super) fn is_constant(initializer: Initializer) -> bool {
    match initializer {
        Initializer::Uniform { low, high } => low == high,
        Initializer::Normal { deviation, .. } => deviation == 0.0,
        Initializer::GlorotUniform { gain }
        | Initializer::GlorotNormal { gain }
        | Initializer::LecunUniform { gain }
        | Initializer::LecunNormal { gain }
        | Initializer::HeUniform { gain }
        | Initializer::HeNormal { gain } => gain == 0.0,
        Initializer::Uniform01 => false,
    }
}

/// What is tried where a network has not learned and no setting is to blame: the learning rate is far too large, or else there
/// were too few steps.
pub(super) fn more_training(config: Option<&TrainConfig>) -> &'static str {
    let is_large = |config: &TrainConfig| match config.optimizer {
        Optimizer::Adam { .. } | Optimizer::AdamW { .. } => config.learning_rate >= 0.03,
        Optimizer::Sgd | Optimizer::Momentum { .. } | Optimizer::Nesterov { .. } => config.learning_rate >= 10.0,
    };
    if config.is_some_and(is_large) { "a smaller learning_rate" } else { "more epochs or a larger learning_rate" }
}

/// Whether the weights of a unit began, on the average of some layer, with a much larger norm than is allowed.
fn holds_down(diagnosis: &Diagnosis, max_norm: f64) -> bool {
    diagnosis.epochs.first().is_some_and(|first| {
        let layers = diagnosis.layers.iter().zip(&first.layers);
        layers
            .map(|(layer, found)| found.weight_norm / (layer.units as f64).sqrt())
            .any(|norm| max_norm < HELD_DOWN * norm)
    })
}

/// Whether gradients are far longer than is allowed, and their length matters: Adam divides by it, down to its epsilon.
fn shortens(diagnosis: &Diagnosis, config: &TrainConfig, clip_norm: f64) -> bool {
    let largest = diagnosis
        .epochs
        .iter()
        .map(|epoch| epoch.layers.iter().map(|layer| layer.gradient_norm * layer.gradient_norm).sum::<f64>().sqrt());
    let is_long = largest.fold(0.0, f64::max) > CLIPPED * clip_norm;
    let n_weights: f64 = diagnosis.layers.iter().map(|layer| layer.inputs as f64 * layer.units as f64).sum();
    is_long
        && match config.optimizer {
            Optimizer::Adam { epsilon, .. } | Optimizer::AdamW { epsilon, .. } => {
                clip_norm < CLIPPED * epsilon * n_weights.sqrt()
            }
            Optimizer::Sgd | Optimizer::Momentum { .. } | Optimizer::Nesterov { .. } => true,
        }
}

fn deforms_beyond_recognition(config: &TrainConfig) -> bool {
    config.augment.is_some_and(|augment| {
        // The root mean square of a displacement, as it stands at `Elastic`, for its strength.
        let elastic = augment.elastic.map_or(0.0, |elastic| elastic.alpha / (6.14 * elastic.sigma));
        augment.shift >= SHIFT
            || augment.rotate >= ROTATION
            || augment.scale >= SCALE
            || augment.shear >= SHEAR
            || augment.thickness >= THICKNESS
            || elastic >= ELASTIC
    })
}
