//! The doctor: what each layer does with a few samples, epoch by epoch, and in plain words where learning died and why.
//!
//! A network that does not learn looks the same from outside whatever is wrong with it: one answer to every sample. From
//! inside, the layer at fault is easily told. Learning needs both ways open. Forwards, every layer has to answer
//! differently to different samples; what is lost in one layer no later one brings back. Backwards, the gradient has to
//! arrive; it is multiplied by the derivative of every unit that it passes, and a saturated unit multiplies it by nearly 0.
//!
//! [`diagnose`] measures both on a [`Probe`], a few of the training samples, by [`backpropagate`] as it is written to be
//! read, and changes nothing. [`Diagnosis`] gathers the epochs; [`Diagnosis::finding`] names the layer.

use std::path::Path;

use mlp_core::{Activation, Batch, Layer, LayerGradient, Mlp, Objective, Real, backpropagate};
use ndarray::{Array2, ArrayView2, Axis};
use serde::{Deserialize, Serialize};

use crate::data::{Rows, Samples};

/// A unit counts as saturated for a sample if its derivative is below this share of the largest that its activation has
/// (¼ for the sigmoid, 1 for the others): for a sigmoid, where |z| > 6.0.
pub const SATURATED: f64 = 0.01;
/// A layer counts as saturated, or as dead, from this share of its units on.
const NEARLY_ALL: f64 = 0.99;
/// So many of its units silent cost a layer much of what it could do.
const MANY: f64 = 0.5;
/// Units that vary less than this over the samples tell them apart no more: absolutely for activations with a bounded
/// range, for the others as a share of their size.
const FAINT: f64 = 1e-3;
/// Below this share of the targets' own variation, answers do not depend on the sample.
const ONE_ANSWER: f64 = 0.1;
/// A gradient, in proportion to its weights, that is below this share of the largest among the layers has vanished.
const VANISHED: f64 = 1e-4;

/// The samples that a network is examined with: inputs `(n_samples, n_inputs)` and targets `(n_samples, n_outputs)`.
#[derive(Clone, Debug, PartialEq)]
pub struct Probe<F> {
    inputs: Array2<F>,
    targets: Array2<F>,
}

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
    /// The fraction of units that are saturated for every sample, 0 to 1.
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

/// Why a layer learns no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Saturated, because all weights are positive, and so is what they are multiplied with.
    PositiveWeights,
    /// Saturated from the beginning, because the weights are too large.
    LargeWeights,
    /// Saturated since the weights have grown.
    GrownWeights,
    /// Units that give 0 to every sample, and so have no gradient.
    SilentUnits,
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

impl<F: Real> Probe<F> {
    /// One sample in 32, at least 32 and at most 128, evenly from the first to the last, so that a set in the order of its
    /// classes has all of them in it; examining them costs little beside an epoch of training on all.
    ///
    /// # Panics
    /// Where the samples are unfit; see [`Samples::check`].
    pub fn of(samples: &Samples<'_, F>) -> Self {
        let n_samples = (samples.n_samples() / 32).clamp(32, 128).min(samples.n_samples());
        let rows: Vec<usize> = (0..n_samples).map(|row| row * samples.n_samples() / n_samples).collect();
        let batch = Rows::new(samples, &rows);
        let mut inputs = Array2::zeros((n_samples, samples.n_inputs()));
        let mut targets = Array2::zeros((n_samples, samples.n_outputs()));
        for row in 0..n_samples {
            batch.input(row, inputs.row_mut(row).into_slice().expect("rows are contiguous"));
            batch.target(row, targets.row_mut(row).into_slice().expect("rows are contiguous"));
        }
        Self { inputs, targets }
    }

    /// The number of samples.
    pub fn n_samples(&self) -> usize {
        self.inputs.nrows()
    }
}

/// Examines a network at the end of `epoch`: one pass forwards, and one of [`backpropagate`]. Nothing where a number
/// overflows.
///
/// # Panics
/// As [`backpropagate`].
pub fn diagnose<F: Real>(mlp: &Mlp<F>, probe: &Probe<F>, objective: Objective, epoch: usize) -> Option<EpochDiagnosis> {
    let (loss, gradients) = backpropagate(mlp, probe.inputs.view(), probe.targets.view(), objective);
    let mut received = probe.inputs.clone();
    let mut layers = Vec::with_capacity(mlp.layers.len());
    for (layer, gradient) in mlp.layers.iter().zip(&gradients.layers) {
        let net_inputs = layer.net_inputs(received.view());
        let mut outputs = net_inputs.clone();
        for mut row in outputs.rows_mut() {
            layer.activation.apply(row.as_slice_mut().expect("a product is stored row by row"));
        }
        layers.push(examine(layer, &net_inputs, &outputs, gradient));
        received = outputs;
    }
    let is_finite = loss.is_finite() && layers.iter().all(LayerDiagnosis::is_finite);
    is_finite.then_some(EpochDiagnosis { epoch, loss, layers })
}

fn examine<F: Real>(
    layer: &Layer<F>,
    net_inputs: &Array2<F>,
    outputs: &Array2<F>,
    gradient: &LayerGradient<F>,
) -> LayerDiagnosis {
    let saturation = Saturation::of(layer.activation, outputs);
    let n_pairs = outputs.len() as f64;
    let (spread, effective_rank) = variation(outputs.view());
    let n_positive = layer.weights.iter().filter(|&&weight| weight > F::zero()).count();
    LayerDiagnosis {
        saturated: saturation.n_saturated as f64 / n_pairs,
        saturated_high: saturation.n_high as f64 / n_pairs,
        zero_derivative: saturation.n_zero as f64 / n_pairs,
        dead_units: saturation.n_dead as f64 / outputs.ncols() as f64,
        net_input_rms: norm(net_inputs) / n_pairs.sqrt(),
        activation_rms: norm(outputs) / n_pairs.sqrt(),
        spread,
        effective_rank,
        positive_weights: n_positive as f64 / layer.weights.len() as f64,
        weight_norm: norm(&layer.weights),
        gradient_norm: norm(&gradient.weights),
    }
}

/// Counts of pairs of unit and sample, and of units.
#[derive(Default)]
struct Saturation {
    n_saturated: usize,
    n_high: usize,
    n_zero: usize,
    n_dead: usize,
}

impl Saturation {
    fn of<F: Real>(activation: Activation, outputs: &Array2<F>) -> Self {
        let (largest, middle) = match activation {
            Activation::Sigmoid => (0.25, 0.5),
            Activation::Tanh => (1.0, 0.0),
            // A relu has no upper end.
            Activation::Relu => (1.0, f64::INFINITY),
            Activation::Identity | Activation::Softmax => return Self::default(),
        };
        let mut counts = Self::default();
        let mut n_of_unit = vec![0; outputs.ncols()];
        for outputs in outputs.rows() {
            let outputs = outputs.to_slice().expect("rows are contiguous");
            let mut derivatives = vec![F::one(); outputs.len()];
            activation.times_derivative(outputs, &mut derivatives);
            for ((derivative, output), n_saturated) in derivatives.iter().zip(outputs).zip(&mut n_of_unit) {
                if derivative.widen() < SATURATED * largest {
                    *n_saturated += 1;
                    counts.n_high += usize::from(output.widen() > middle);
                    counts.n_zero += usize::from(*derivative == F::zero());
                }
            }
        }
        counts.n_saturated = n_of_unit.iter().sum();
        counts.n_dead = n_of_unit.iter().filter(|&&n_saturated| n_saturated == outputs.nrows()).count();
        counts
    }
}

/// √Σ x², summed in double precision.
fn norm<F: Real>(values: &Array2<F>) -> f64 {
    values.iter().map(|value| value.widen() * value.widen()).sum::<f64>().sqrt()
}

/// The root mean variance of the columns, and the effective rank of the rows: [`LayerDiagnosis::spread`] and
/// [`LayerDiagnosis::effective_rank`].
fn variation<F: Real>(rows: ArrayView2<'_, F>) -> (f64, f64) {
    let (n_samples, n_units) = rows.dim();
    let mut centred = rows.mapv(F::widen);
    // First the first row, so that columns without variation become exactly 0, whatever the rounding of a mean.
    let first = centred.row(0).to_owned();
    centred -= &first;
    let mean = centred.sum_axis(Axis(0)) / n_samples as f64;
    centred -= &mean;
    let squares: f64 = centred.iter().map(|x| x * x).sum();
    let spread = (squares / (n_samples * n_units) as f64).sqrt();
    if squares == 0.0 {
        return (spread, 0.0);
    }
    // tr C = Σ x² / n, and tr(C²) is the sum of the squares of C = XᵀX / n, or of X Xᵀ / n, whichever is smaller. Scaled
    // first, so that no square of a square leaves the range.
    let scaled = centred / squares.sqrt();
    let product = if n_samples < n_units { scaled.dot(&scaled.t()) } else { scaled.t().dot(&scaled) };
    (spread, 1.0 / product.iter().map(|x| x * x).sum::<f64>())
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

impl Diagnosis {
    /// The diagnosis of a trial before anything has been measured.
    pub fn new<F: Real>(trial: String, mlp: &Mlp<F>, probe: &Probe<F>) -> Self {
        let layers = mlp.layers.iter().map(|layer| DiagnosedLayer {
            inputs: layer.weights.nrows(),
            units: layer.weights.ncols(),
            activation: layer.activation.name().to_owned(),
        });
        let (target_spread, _) = variation(probe.targets.view());
        Self { trial, n_samples: probe.n_samples(), target_spread, layers: layers.collect(), epochs: Vec::new() }
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

    /// Reads `diagnosis/<trial>.json`.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, is no diagnosis, or its parts contradict each other; the text says where, but not
    /// which file it is.
    pub fn read(path: &Path) -> Result<Self, String> {
        let bytes = durable_file::read(path).map_err(|error| error.to_string())?;
        let diagnosis: Self = serde_json::from_slice(&bytes)
            .map_err(|error| format!("{error}; expected a diagnosis with trial, layers and epochs"))?;
        let n_layers = diagnosis.layers.len();
        if n_layers == 0 {
            return Err("layers: expected at least one, found none".to_owned());
        }
        for (position, epoch) in diagnosis.epochs.iter().enumerate() {
            if epoch.layers.len() != n_layers {
                let found = epoch.layers.len();
                return Err(format!("epochs[{position}].layers: expected {n_layers}, as in layers, found {found}"));
            }
            let numbers = || epoch.layers.iter().flat_map(LayerDiagnosis::numbers);
            if let Some(number) = numbers().find(|number| !(0.0..=f64::MAX).contains(number)) {
                return Err(format!("epochs[{position}].layers: expected numbers of at least 0, found {number}"));
            }
            if position > 0 && diagnosis.epochs[position - 1].epoch >= epoch.epoch {
                let (before, found) = (diagnosis.epochs[position - 1].epoch, epoch.epoch);
                return Err(format!("epochs[{position}].epoch: expected more than {before}, found {found}"));
            }
        }
        Ok(diagnosis)
    }

    /// The diagnosis as indented JSON with a newline at the end.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("a struct of strings, numbers and lists has a JSON form") + "\n"
    }

    /// The layer at which learning died: of the layers that are at fault at the last measured epoch, that next to the
    /// inputs. Nothing if none is, or if nothing has been measured.
    pub fn finding(&self) -> Option<Finding> {
        let last = self.epochs.last()?;
        let is_fatal = !self.answers_vary(last);
        let layer = (0..self.layers.len()).find(|&layer| self.fault(last, layer, is_fatal).is_some());
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
        let cause = match fault {
            Fault::Silent => Cause::SilentUnits,
            Fault::Faint => Cause::FadedSignal,
            Fault::NoGradient => Cause::VanishedGradient,
            Fault::Saturated if self.is_all_positive(first, layer) => Cause::PositiveWeights,
            Fault::Saturated if first.epoch == 0 => Cause::LargeWeights,
            Fault::Saturated => Cause::GrownWeights,
        };
        Some(Finding { layer, since: first.epoch, cause, is_fatal })
    }

    /// In plain words: the [`finding`](Self::finding) with its figures and what to try, or that no layer is at fault; and
    /// which epochs are missing. Layers are counted from 1 here, as in "layer 1 of 8".
    pub fn sentence(&self) -> String {
        let Some(last) = self.epochs.last() else { return "No epoch has been measured.".to_owned() };
        let mut text = match self.finding() {
            Some(finding) => self.explained(&finding),
            None if self.answers_vary(last) => self.healthy(last),
            None => format!(
                "No layer is dead, but at epoch {} the answers hardly depend on the sample: they vary by {}, the targets by \
                 {}. Try more epochs or a larger learning_rate.",
                last.epoch,
                shown(last.layers[self.layers.len() - 1].spread),
                shown(self.target_spread)
            ),
        };
        let missing = self.missing();
        if !missing.is_empty() {
            let ranges = missing.iter().take(5).map(|&(first, last)| match first == last {
                true => first.to_string(),
                false => format!("{first} to {last}"),
            });
            let more = if missing.len() > 5 { " and more" } else { "" };
            text.push_str(&format!(
                " (Not measured: epoch {}{more}; the run was not watched then.)",
                ranges.collect::<Vec<_>>().join(", ")
            ));
        }
        text
    }

    /// Whether the answers depend on the sample.
    fn answers_vary(&self, epoch: &EpochDiagnosis) -> bool {
        epoch.layers.last().is_none_or(|outputs| outputs.spread >= ONE_ANSWER * self.target_spread)
    }

    fn activation(&self, layer: usize) -> Option<Activation> {
        Activation::from_name(&self.layers[layer].activation)
    }

    /// What is wrong with a layer at an epoch.
    fn fault(&self, epoch: &EpochDiagnosis, layer: usize, is_fatal: bool) -> Option<Fault> {
        let (found, activation) = (&epoch.layers[layer], self.activation(layer)?);
        let is_output = layer + 1 == self.layers.len();
        match activation {
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

    fn explained(&self, finding: &Finding) -> String {
        let Finding { layer, since, cause, is_fatal } = *finding;
        let (Some(epoch), Some(first)) = (self.epochs.iter().find(|epoch| epoch.epoch == since), self.epochs.first())
        else {
            return String::new();
        };
        let found = &epoch.layers[layer];
        let when = match since == first.epoch && since > 0 {
            true => format!("from epoch {since} on, the first one measured"),
            false => format!("from epoch {since} on"),
        };
        let net_inputs = shown(found.net_input_rms);
        let body = match cause {
            Cause::PositiveWeights => format!(
                "{}: the weights are all positive, so that net inputs are too large ({net_inputs} in the root mean square)",
                self.saturated(found, layer, &when)
            ),
            Cause::LargeWeights => format!(
                "{}: the weights it began with are too large (net inputs of {net_inputs} in the root mean square)",
                self.saturated(found, layer, &when)
            ),
            Cause::GrownWeights => format!(
                "{}: its weights have grown (their norm from {} to {}; net inputs of {net_inputs} in the root mean square)",
                self.saturated(found, layer, &when),
                shown(first.layers[layer].weight_norm),
                shown(found.weight_norm)
            ),
            Cause::SilentUnits => format!(
                "{} of its units give 0 to every sample {when}, and a relu that gives 0 passes no gradient",
                percent(found.dead_units)
            ),
            Cause::FadedSignal => {
                let spreads: Vec<String> = epoch.layers.iter().take(layer).map(|layer| shown(layer.spread)).collect();
                let before = match spreads.is_empty() {
                    true => String::new(),
                    false => format!(", those of the layers before it by {}", spreads.join(", ")),
                };
                let shrunk = match found.weight_norm < 0.5 * first.layers[layer].weight_norm {
                    true => "its weights have shrunk",
                    false => "the weights are too small to pass on what differs",
                };
                format!(
                    "{when} its units give nearly the same answer to every sample (they vary by {}{before}): {shrunk}",
                    shown(found.spread)
                )
            }
            Cause::VanishedGradient => format!(
                "{when} hardly any gradient reaches it (norm {}, in the last layer {})",
                shown(found.gradient_norm),
                epoch.layers.last().map_or_else(String::new, |last| shown(last.gradient_norm))
            ),
        };
        let rest = match is_fatal {
            true => "",
            false => " The layers after it still learn from what it gives.",
        };
        format!("Layer {} of {}: {body}.{rest} Try {}.", layer + 1, self.layers.len(), self.remedy(finding, epoch))
    }

    fn saturated(&self, found: &LayerDiagnosis, layer: usize, when: &str) -> String {
        let (high, low) = match self.activation(layer) {
            Some(Activation::Tanh) => ("at 1", "at −1"),
            _ => ("at 1", "at 0"),
        };
        let end = match found.saturated_high / found.saturated {
            share if share > NEARLY_ALL => high,
            share if share < 1.0 - NEARLY_ALL => low,
            _ => "at either end",
        };
        let exactly = if found.zero_derivative >= NEARLY_ALL { ", with a derivative of exactly 0" } else { "" };
        format!("{} of its units are saturated {end} {when}{exactly}", percent(found.saturated))
    }

    fn remedy(&self, finding: &Finding, epoch: &EpochDiagnosis) -> &'static str {
        let is_relu = self.activation(finding.layer) == Some(Activation::Relu);
        match finding.cause {
            Cause::PositiveWeights | Cause::LargeWeights => "initializer = \"glorot-uniform\"",
            Cause::GrownWeights => "a smaller learning_rate",
            Cause::SilentUnits if finding.since == 0 => "initializer = \"he-uniform\"",
            Cause::SilentUnits => "a smaller learning_rate, with initializer = \"he-uniform\"",
            Cause::FadedSignal
                if epoch.layers[finding.layer].weight_norm < 0.5 * self.epochs[0].layers[finding.layer].weight_norm =>
            {
                "smaller l1 and l2"
            }
            Cause::FadedSignal | Cause::VanishedGradient if is_relu => "initializer = \"he-uniform\"",
            Cause::FadedSignal | Cause::VanishedGradient => {
                "initializer = { name = \"glorot-uniform\", gain = 4 }, or fewer layers"
            }
        }
    }

    fn healthy(&self, last: &EpochDiagnosis) -> String {
        let (hidden, _) = last.layers.split_at(self.layers.len() - 1);
        let least = hidden.iter().enumerate().min_by(|a, b| a.1.spread.total_cmp(&b.1.spread));
        let most = hidden.iter().enumerate().max_by(|a, b| a.1.saturated.total_cmp(&b.1.saturated));
        let (Some((faintest, least)), Some((fullest, most))) = (least, most) else {
            return format!("No layer is dead: at epoch {} the answers vary from sample to sample.", last.epoch);
        };
        let saturated = match self.activation(fullest) {
            Some(Activation::Relu) => "give 0",
            _ => "are saturated",
        };
        format!(
            "No layer is dead: at epoch {} the units of every hidden layer answer differently to different samples (least in \
             layer {}, by {}), and at most {} of them {saturated} (layer {}).",
            last.epoch,
            faintest + 1,
            shown(least.spread),
            percent(most.saturated),
            fullest + 1
        )
    }
}

/// What can be wrong with a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    Saturated,
    Silent,
    Faint,
    NoGradient,
}

/// What the spread of a layer is measured by.
fn scale(activation: Activation, found: &LayerDiagnosis) -> f64 {
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

/// A fraction in per cent, never rounded to 0 or 100.
fn percent(fraction: f64) -> String {
    let percent = 100.0 * fraction;
    match percent {
        _ if percent == percent.round() => format!("{percent:.0} %"),
        _ if percent > 99.9 => "more than 99.9 %".to_owned(),
        _ if percent < 0.1 => "less than 0.1 %".to_owned(),
        _ => format!("{percent:.1} %"),
    }
}

/// A number with two or three digits that matter.
fn shown(number: f64) -> String {
    match number {
        _ if number == 0.0 => "0".to_owned(),
        _ if (0.001..10_000.0).contains(&number) => {
            let decimals = (1.0 - number.log10().floor()).max(0.0) as usize;
            format!("{number:.decimals$}")
        }
        _ => format!("{number:.1e}"),
    }
}
