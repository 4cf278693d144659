//! Batch normalisation: net inputs of hidden layers, each unit's brought to mean 0 and variance 1 over the batch.
//!
//! With z = aˡ⁻¹ Wˡ the products of a hidden layer for a batch of n samples, and for each unit of it (Ioffe & Szegedy, *Batch
//! Normalization*, 2015, algorithm 1)
//!
//! > μ = (1/n) Σ z, v = (1/n) Σ (z − μ)², s = √(v + ε), ẑ = (z − μ) / s, aˡ = f(γ ẑ + β),
//!
//! the layer learns γ and β beside Wˡ. β is its bias: one that were added before would be subtracted again with μ. On the way
//! back every ẑ depends on all samples of the batch, through μ and s. With δ = ∂loss/∂(γ ẑ + β), that is (δˡ⁺¹ Wˡ⁺¹ᵀ) ⊙ f′:
//!
//! 1. ∂loss/∂β = Σ δ, ∂loss/∂γ = Σ δ ẑ
//! 2. δˡ = ∂loss/∂z = (γ/s) (δ − (1/n) ∂loss/∂β − (1/n) ẑ ∂loss/∂γ)
//! 3. ∂loss/∂Wˡ = aˡ⁻¹ᵀ δˡ, as without
//!
//! A trained network must not depend on who shares a sample's batch: there μ and v are running means of those of the batches,
//! and normalising is a linear map, which is [folded](BatchNorm::fold) into weights and biases.

use ndarray::{Array1, Array2, ArrayView2, Axis};

use crate::backpropagation::{
    Gradients, LayerGradient, assert_batch, factors_of_layers, output_error, received, times_derivative,
};
use crate::dropout::Masks;
use crate::loss::Objective;
use crate::mlp::{Mlp, activate, product};
use crate::real::Real;

/// What a network with batch normalisation has beside its weights and biases; the biases of its hidden layers are the β.
///
/// ```
/// use mlp_core::{Activation, BatchNorm, Initializer, Loss, Mlp, Objective, Reduction, backpropagate_normalized};
/// use mlp_core::ndarray::array;
///
/// let mut mlp = Mlp::<f64>::seeded(&[2, 3, 1], &[Activation::Sigmoid; 2], true, Initializer::LECUN_NORMAL, 0);
/// let mut norm = BatchNorm::new(&mlp);
/// let (inputs, targets) = (array![[0.0, 1.0], [1.0, 1.0], [0.5, 0.0]], array![[1.0], [0.0], [1.0]]);
/// let objective = Objective { loss: Loss::CrossEntropy, reduction: Reduction::Mean };
///
/// let mut losses = Vec::new();
/// for _ in 0..200 {
///     let step = backpropagate_normalized(&mlp, &norm, inputs.view(), targets.view(), None, objective, None);
///     losses.push(step.loss);
///     for (layer, gradient) in mlp.layers.iter_mut().zip(&step.gradients.layers) {
///         layer.weights.scaled_add(-0.5, &gradient.weights);
///         layer.bias.as_mut().unwrap().scaled_add(-0.5, gradient.bias.as_ref().unwrap());
///     }
///     for (layer, gradient) in norm.layers.iter_mut().zip(&step.scales) {
///         layer.scale.scaled_add(-0.5, gradient);
///     }
///     norm.follow(&step.statistics, BatchNorm::<f64>::MOMENTUM);
/// }
/// assert!(losses[199] < losses[0] / 4.0);
///
/// // An ordinary network, for one sample or many.
/// let folded = norm.fold(&mlp);
/// assert!(folded.forward(inputs.view())[[1, 0]] < 0.5);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct BatchNorm<F> {
    /// One entry for each hidden layer.
    pub layers: Vec<NormalizedLayer<F>>,
}

/// One hidden layer's part of a [`BatchNorm`]; each array has a number for each unit.
#[derive(Clone, Debug, PartialEq)]
pub struct NormalizedLayer<F> {
    /// γ
    pub scale: Array1<F>,
    /// The running mean of μ.
    pub mean: Array1<F>,
    /// The running mean of the variance, as [`BatchNorm::follow`] has it.
    pub variance: Array1<F>,
}

/// The mean and variance of the products z of one hidden layer over a batch.
#[derive(Clone, Debug, PartialEq)]
pub struct BatchStatistics<F> {
    /// The number of samples.
    pub n_samples: usize,
    /// μ, for each unit.
    pub mean: Array1<F>,
    /// v, for each unit: divided by n, not by n − 1.
    pub variance: Array1<F>,
}

/// What [`backpropagate_normalized`] finds.
#[derive(Clone, Debug, PartialEq)]
pub struct NormalizedStep<F> {
    /// The mean loss of the batch.
    pub loss: f64,
    /// Its derivatives by weights and biases, those of hidden layers being the β.
    pub gradients: Gradients<F>,
    /// Its derivatives by the γ of each hidden layer.
    pub scales: Vec<Array1<F>>,
    /// What each hidden layer was normalised with.
    pub statistics: Vec<BatchStatistics<F>>,
}

impl<F: Real> BatchNorm<F> {
    /// ε, which is added to variances, in place of dividing by zero.
    pub const EPSILON: f64 = 1e-5;

    /// How far running means go towards the statistics of each batch, where nobody has reason to choose otherwise.
    pub const MOMENTUM: f64 = 0.1;

    /// γ = 1, and running statistics of mean 0 and variance 1, for the hidden layers of `mlp`.
    pub fn new(mlp: &Mlp<F>) -> BatchNorm<F> {
        let hidden = &mlp.layers[..mlp.layers.len() - 1];
        let layers = hidden.iter().map(|layer| {
            let n_units = layer.weights.ncols();
            let ones = Array1::from_elem(n_units, F::one());
            NormalizedLayer { scale: ones.clone(), mean: Array1::zeros(n_units), variance: ones }
        });
        BatchNorm { layers: layers.collect() }
    }

    /// Brings the running statistics nearer to those of a batch: mean ← mean + momentum · (μ − mean), and likewise the variance
    /// towards n/(n − 1) · v, which estimates that of all samples without bias.
    ///
    /// # Panics
    /// Where there is not one entry of the same size for each layer, or one of a batch of a single sample.
    pub fn follow(&mut self, statistics: &[BatchStatistics<F>], momentum: f64) {
        assert_eq!(statistics.len(), self.layers.len(), "statistics, and normalised layers");
        let rate = F::narrow(momentum);
        for (layer, batch) in self.layers.iter_mut().zip(statistics) {
            assert!(batch.n_samples > 1, "a single sample has no variance");
            let unbiased = F::narrow(batch.n_samples as f64 / (batch.n_samples - 1) as f64);
            layer.mean.zip_mut_with(&batch.mean, |mean, &found| *mean += rate * (found - *mean));
            layer.variance.zip_mut_with(&batch.variance, |running, &v| *running += rate * (unbiased * v - *running));
        }
    }

    /// The ordinary network that computes the same with the running statistics: W γ/s and β − (γ/s) · mean in hidden layers,
    /// with s = √(variance + ε), computed in double precision and then rounded. Its hidden layers have biases, whether or not
    /// those of `mlp` have.
    ///
    /// # Panics
    /// Where `mlp` has other hidden layers.
    pub fn fold(&self, mlp: &Mlp<F>) -> Mlp<F> {
        self.assert_fits(mlp);
        let mut folded = mlp.clone();
        for (layer, norm) in folded.layers.iter_mut().zip(&self.layers) {
            let NormalizedLayer { scale, mean, variance } = norm;
            let beta = |unit: usize| layer.bias.as_ref().map_or(0.0, |bias| bias[unit].widen());
            let deviations = variance.mapv(|variance| (variance.widen() + Self::EPSILON).sqrt());
            let factors = Array1::from_shape_fn(scale.len(), |unit| scale[unit].widen() / deviations[unit]);
            let shifted = |unit: usize| F::narrow(beta(unit) - mean[unit].widen() * factors[unit]);
            layer.bias = Some(Array1::from_shape_fn(scale.len(), shifted));
            for mut row in layer.weights.rows_mut() {
                row.zip_mut_with(&factors, |weight, &factor| *weight = F::narrow(weight.widen() * factor));
            }
        }
        folded
    }

    fn assert_fits(&self, mlp: &Mlp<F>) {
        let hidden = &mlp.layers[..mlp.layers.len() - 1];
        let units: Vec<usize> = hidden.iter().map(|layer| layer.weights.ncols()).collect();
        let lengths = |layer: &NormalizedLayer<F>| [layer.scale.len(), layer.mean.len(), layer.variance.len()];
        let found: Vec<[usize; 3]> = self.layers.iter().map(lengths).collect();
        let expected: Vec<[usize; 3]> = units.iter().map(|&n_units| [n_units; 3]).collect();
        assert_eq!(found, expected, "numbers of normalised layers, and units of hidden layers");
    }
}

impl<F: Real> NormalizedLayer<F> {
    /// γ/s
    fn factors(&self, variance: &Array1<F>) -> Array1<F> {
        let epsilon = F::narrow(BatchNorm::<F>::EPSILON);
        let mut factors = self.scale.clone();
        factors.zip_mut_with(variance, |factor, &variance| *factor /= (variance + epsilon).sqrt());
        factors
    }
}

/// What the way back needs of a normalised layer.
struct Normalized<F> {
    /// ẑ
    values: Array2<F>,
    /// γ/s
    factors: Array1<F>,
}

/// [`backpropagate`](crate::backpropagate) with the net inputs of hidden layers normalised over the batch, as
/// derived above. With `weights` samples count differently, as in
/// [`backpropagate_weighted`](crate::backpropagate_weighted), but not in μ and v; with `masks` a step leaves inputs and hidden
/// outputs out, as in [`backpropagate_masked`](crate::backpropagate_masked), after they were normalised and activated.
///
/// # Panics
/// As these, where `norm` is that of another network, and for a batch of a single sample.
pub fn backpropagate_normalized<F: Real>(
    mlp: &Mlp<F>,
    norm: &BatchNorm<F>,
    inputs: ArrayView2<'_, F>,
    targets: ArrayView2<'_, F>,
    weights: Option<&[f64]>,
    objective: Objective,
    masks: Option<Masks<'_>>,
) -> NormalizedStep<F> {
    assert_batch(mlp, inputs, targets);
    norm.assert_fits(mlp);
    let n_samples = inputs.nrows();
    assert!(n_samples > 1, "a single sample has no variance");
    weights.iter().for_each(|weights| assert_eq!(weights.len(), n_samples, "weights, and samples"));
    let left_out = masks.map_or_else(Vec::new, |masks| factors_of_layers(mlp, n_samples, masks));

    // Forward, keeping also ẑ and γ/s of every hidden layer.
    let (output_layer, hidden_layers) = mlp.layers.split_last().expect("a network has layers");
    let mut activations = vec![inputs.to_owned()];
    let (mut normalized, mut statistics) = (Vec::new(), Vec::new());
    for (index, (layer, norm)) in hidden_layers.iter().zip(&norm.layers).enumerate() {
        let products = product(received(&activations, &left_out, index).view(), layer.weights.view());
        let batch = BatchStatistics::of(products.view());
        let values = batch.normalize(products);
        let mut net_inputs = &values * &norm.scale;
        layer.bias.iter().for_each(|beta| net_inputs += beta);
        activations.push(activate(layer.activation, net_inputs));
        normalized.push(Normalized { values, factors: norm.factors(&batch.variance) });
        statistics.push(batch);
    }
    let net_inputs = output_layer.net_inputs(received(&activations, &left_out, hidden_layers.len()).view());
    let outputs = activate(output_layer.activation, net_inputs.clone());
    let (loss, mut delta) = output_error(objective, output_layer, &net_inputs, &outputs, targets, weights);

    // Backwards: `delta` is that by the net inputs behind the normalisation, until (2) makes it that by the products.
    let mut layers = Vec::with_capacity(mlp.layers.len());
    let mut scales = Vec::with_capacity(hidden_layers.len());
    for (index, layer) in mlp.layers.iter().enumerate().rev() {
        let by_bias = delta.sum_axis(Axis(0)); // (1)
        if let Some(Normalized { values, factors }) = normalized.get(index) {
            let by_scale = (&delta * values).sum_axis(Axis(0)); // (1)
            let share = F::narrow(1.0 / n_samples as f64);
            delta = (delta - &by_bias * share - values * &(&by_scale * share)) * factors; // (2)
            scales.push(by_scale);
        }
        layers.push(LayerGradient {
            weights: received(&activations, &left_out, index).t().dot(&delta), // (3)
            bias: layer.bias.as_ref().map(|_| by_bias),
        });
        if index > 0 {
            delta = product(delta.view(), layer.weights.t());
            left_out.get(index).into_iter().for_each(|factors| delta *= factors);
            times_derivative(&mlp.layers[index - 1], &activations[index], &mut delta);
        }
    }
    layers.reverse();
    scales.reverse();
    NormalizedStep { loss, gradients: Gradients { layers }, scales, statistics }
}

impl<F: Real> BatchStatistics<F> {
    /// The mean and variance of each column.
    fn of(products: ArrayView2<'_, F>) -> BatchStatistics<F> {
        let n_samples = products.nrows();
        let share = F::narrow(1.0 / n_samples as f64);
        let mean = products.sum_axis(Axis(0)) * share;
        let centred = &products - &mean;
        let variance = (&centred * &centred).sum_axis(Axis(0)) * share;
        BatchStatistics { n_samples, mean, variance }
    }

    /// ẑ
    fn normalize(&self, products: Array2<F>) -> Array2<F> {
        let epsilon = F::narrow(BatchNorm::<F>::EPSILON);
        (products - &self.mean) / &self.variance.mapv(|variance| (variance + epsilon).sqrt())
    }
}
