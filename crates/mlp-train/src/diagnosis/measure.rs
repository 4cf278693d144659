//! What each layer does with the samples of a probe.

use mlp_core::{Activation, Batch, Layer, LayerGradient, Mlp, Objective, Real, backpropagate};
use ndarray::{Array2, ArrayView1, ArrayView2, Axis};

use super::{EpochDiagnosis, LayerDiagnosis};
use crate::data::{Rows, Samples};

/// A unit counts as saturated for a sample if its derivative is below this share of the largest that its activation has
/// (¼ for the sigmoid, 1 for the others): for a sigmoid, where |z| > 6.0.
pub const SATURATED: f64 = 0.01;
/// An output is stuck that varies by less than this share of what its target varies by.
const STUCK: f64 = 0.02;
/// Units are alike if their weights differ by no more than this share of the largest.
const ALIKE: f64 = 1e-6;

/// The samples that a network is examined with: inputs `(n_samples, n_inputs)` and targets `(n_samples, n_outputs)`.
#[derive(Clone, Debug, PartialEq)]
pub struct Probe<F> {
    inputs: Array2<F>,
    targets: Array2<F>,
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

    /// How much the targets vary, as [`LayerDiagnosis::spread`].
    pub(super) fn target_spread(&self) -> f64 {
        variation(self.targets.view()).0
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
    if let (Some(measured), Some(layer)) = (layers.last_mut(), mlp.layers.last()) {
        measured.n_silent_outputs = n_silent_outputs(layer.activation, &received, &probe.targets);
        measured.n_stuck_outputs = n_stuck_outputs(&received, &probe.targets);
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
        units_are_alike: are_alike(layer),
        n_silent_outputs: 0,
        n_stuck_outputs: 0,
    }
}

/// Whether there are several units and what tells them apart is less than rounding.
fn are_alike<F: Real>(layer: &Layer<F>) -> bool {
    let weights = || layer.weights.rows().into_iter();
    let largest = layer.weights.iter().fold(0.0, |largest: f64, weight| largest.max(weight.widen().abs()));
    let is_same = |values: ArrayView1<'_, F>, scale: f64| {
        let first = values[0].widen();
        values.iter().all(|value| (value.widen() - first).abs() <= ALIKE * scale)
    };
    let biases = layer.bias.as_ref().is_none_or(|bias| {
        let scale = bias.iter().fold(largest, |largest, bias| largest.max(bias.widen().abs()));
        is_same(bias.view(), scale)
    });
    layer.weights.ncols() > 1 && biases && weights().all(|row| is_same(row, largest))
}

/// [`LayerDiagnosis::n_silent_outputs`] of the last layer.
fn n_silent_outputs<F: Real>(activation: Activation, outputs: &Array2<F>, targets: &Array2<F>) -> usize {
    if activation != Activation::Relu {
        return 0;
    }
    let is_silent = |(outputs, targets): &(ArrayView1<'_, F>, ArrayView1<'_, F>)| {
        outputs.iter().all(|&output| output == F::zero()) && targets.iter().any(|&target| target > F::zero())
    };
    outputs.columns().into_iter().zip(targets.columns()).filter(is_silent).count()
}

/// [`LayerDiagnosis::n_stuck_outputs`] of the last layer.
fn n_stuck_outputs<F: Real>(outputs: &Array2<F>, targets: &Array2<F>) -> usize {
    let deviation = |column: ArrayView1<'_, F>| {
        // From the first on: where all are alike, exactly 0, whatever the rounding of a mean.
        let apart = |value: &F| value.widen() - column[0].widen();
        let mean = column.iter().map(apart).sum::<f64>() / column.len() as f64;
        (column.iter().map(|value| (apart(value) - mean).powi(2)).sum::<f64>() / column.len() as f64).sqrt()
    };
    let is_stuck = |(outputs, targets): &(ArrayView1<'_, F>, ArrayView1<'_, F>)| {
        let targets = deviation(*targets);
        targets > 0.0 && deviation(*outputs) < STUCK * targets
    };
    outputs.columns().into_iter().zip(targets.columns()).filter(is_stuck).count()
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
