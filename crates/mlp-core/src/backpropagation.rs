//! Back-propagation, as it is derived: the error δ of the output layer, then of each layer before it, and from each
//! layer's δ the gradient of its weights and biases.
//!
//! With a⁰ = x the inputs, zˡ = aˡ⁻¹ Wˡ + bˡ and aˡ = f(zˡ), for a batch of n samples (Nielsen, *Neural Networks and Deep
//! Learning*, chapter 2, equations BP1 to BP4, with one row a sample):
//!
//! 1. δᴸ = (1/n) ∂loss/∂zᴸ
//! 2. δˡ = (δˡ⁺¹ Wˡ⁺¹ᵀ) ⊙ f′(zˡ)
//! 3. ∂loss/∂bˡ = the sum of δˡ over the samples
//! 4. ∂loss/∂Wˡ = aˡ⁻¹ᵀ δˡ
//!
//! This is the version to read, on `ndarray`'s matrix product. [`Workspace`](crate::Workspace) computes the same faster, is
//! tested against this one, and is what trains: a change in this file changes nothing that a network learns, but makes tests
//! fail. To see what a change does, train on this version:
//!
//! ```text
//! cargo test -p mlp-core back_propagation                                 what is wrong with the gradient, in words
//! cargo xtask train --engine reference --set train_size=2000              what a network learns by it
//! ```
//!
//! That is many times slower, and its results go into a folder of their own, which is another one after each change.

use ndarray::{Array1, Array2, ArrayView2, Axis, CowArray, Ix2};

use crate::dropout::Masks;
use crate::loss::Objective;
use crate::mlp::{Layer, Mlp, activate, product};
use crate::real::Real;

/// The derivative of the mean loss of a batch by every weight and bias, shaped as the network.
#[derive(Clone, Debug, PartialEq)]
pub struct Gradients<F> {
    /// One entry a layer.
    pub layers: Vec<LayerGradient<F>>,
}

/// The derivatives by one layer's parameters.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerGradient<F> {
    /// By the weights, shape `(n_inputs, n_outputs)`.
    pub weights: Array2<F>,
    /// By the biases, length `n_outputs`; none in a layer without biases.
    pub bias: Option<Array1<F>>,
}

/// The mean loss of a batch, and its gradient.
///
/// `inputs` is `(n_samples, n_inputs)`, `targets` `(n_samples, n_outputs)`.
///
/// ```
/// use mlp_core::{Activation, Initializer, Loss, Mlp, Objective, Reduction, backpropagate};
/// use mlp_core::ndarray::array;
///
/// let mut mlp = Mlp::<f64>::seeded(&[2, 3, 1], &[Activation::Sigmoid; 2], true, Initializer::LECUN_NORMAL, 0);
/// let (inputs, targets) = (array![[0.0, 1.0], [1.0, 1.0]], array![[1.0], [0.0]]);
/// let objective = Objective { loss: Loss::Squared, reduction: Reduction::Mean };
///
/// let (before, gradients) = backpropagate(&mlp, inputs.view(), targets.view(), objective);
/// for (layer, gradient) in mlp.layers.iter_mut().zip(&gradients.layers) {
///     layer.weights.scaled_add(-0.5, &gradient.weights); // gradient descent: W ← W − η ∂loss/∂W
/// }
/// let (after, _) = backpropagate(&mlp, inputs.view(), targets.view(), objective);
/// assert!(after < before);
/// ```
///
/// # Panics
/// Where a shape does not fit the network, the batch is empty, or the loss does not fit the output activation.
pub fn backpropagate<F: Real>(
    mlp: &Mlp<F>,
    inputs: ArrayView2<'_, F>,
    targets: ArrayView2<'_, F>,
    objective: Objective,
) -> (f64, Gradients<F>) {
    assert_batch(mlp, inputs, targets);
    let output_layer = mlp.layers.last().expect("a network has layers");
    from_output_error(mlp, inputs, &[], |net_inputs, outputs| {
        output_error(objective, output_layer, net_inputs, outputs, targets, None)
    })
}

/// [`backpropagate`] where samples count differently: the loss of each is multiplied by its weight w, and with it its row of
/// δᴸ = (1/n) w ∂loss/∂zᴸ; the mean is over the n samples, not over the sum of weights. With `masks` a step also leaves inputs
/// and hidden outputs out, as in [`backpropagate_masked`].
///
/// ```
/// use mlp_core::{Activation, Initializer, Loss, Mlp, Objective, Reduction, backpropagate, backpropagate_weighted};
/// use mlp_core::ndarray::array;
///
/// let mlp = Mlp::<f64>::seeded(&[2, 3, 1], &[Activation::Sigmoid; 2], true, Initializer::LECUN_NORMAL, 0);
/// let objective = Objective { loss: Loss::Squared, reduction: Reduction::Mean };
///
/// // A sample that counts 2 is a sample that is there twice.
/// let (once, targets) = (array![[0.0, 1.0], [1.0, 1.0]], array![[1.0], [0.0]]);
/// let (twice, targets_twice) = (array![[0.0, 1.0], [0.0, 1.0], [1.0, 1.0]], array![[1.0], [1.0], [0.0]]);
/// let (weighted, _) = backpropagate_weighted(&mlp, once.view(), targets.view(), &[2.0, 1.0], objective, None);
/// let (repeated, _) = backpropagate(&mlp, twice.view(), targets_twice.view(), objective);
/// assert!((2.0 * weighted - 3.0 * repeated).abs() < 1e-15);
/// ```
///
/// # Panics
/// As [`backpropagate_masked`], and where there is not one weight for each sample.
pub fn backpropagate_weighted<F: Real>(
    mlp: &Mlp<F>,
    inputs: ArrayView2<'_, F>,
    targets: ArrayView2<'_, F>,
    weights: &[f64],
    objective: Objective,
    masks: Option<Masks<'_>>,
) -> (f64, Gradients<F>) {
    assert_batch(mlp, inputs, targets);
    assert_eq!(weights.len(), inputs.nrows(), "weights, and samples");
    let factors = masks.map_or_else(Vec::new, |masks| factors_of_layers(mlp, inputs.nrows(), masks));
    let output_layer = mlp.layers.last().expect("a network has layers");
    from_output_error(mlp, inputs, &factors, |net_inputs, outputs| {
        output_error(objective, output_layer, net_inputs, outputs, targets, Some(weights))
    })
}

/// [`backpropagate`] where a step leaves inputs and hidden outputs out: what a layer receives is aˡ⁻¹ ⊙ m, with m the factors
/// of the mask ([`Masks::factors`]), and on the way back δˡ = (δˡ⁺¹ Wˡ⁺¹ᵀ) ⊙ m ⊙ f′(zˡ).
///
/// ```
/// use mlp_core::{Activation, Dropout, Initializer, Loss, Mlp, Objective, Reduction, backpropagate_masked};
/// use mlp_core::ndarray::array;
///
/// let mlp = Mlp::<f64>::seeded(&[2, 8, 1], &[Activation::Sigmoid; 2], true, Initializer::LECUN_NORMAL, 0);
/// let (inputs, targets) = (array![[0.5, 1.0]], array![[1.0]]);
/// let objective = Objective { loss: Loss::Squared, reduction: Reduction::Mean };
///
/// let dropout = Dropout::new(0.0, &[0.5]);
/// let (_, gradients) = backpropagate_masked(&mlp, inputs.view(), targets.view(), objective, dropout.masks(3));
/// // The weights of a unit that is left out stay where they are.
/// let factors = dropout.masks(3).factors::<f64>(1, 1, 8);
/// let stays = |unit: usize| gradients.layers[0].weights.column(unit).iter().all(|&gradient| gradient == 0.0);
/// assert!((0..8).all(|unit| stays(unit) == (factors[[0, unit]] == 0.0)));
/// ```
///
/// # Panics
/// As [`backpropagate`], and where there are not as many rates of dropout as hidden layers.
pub fn backpropagate_masked<F: Real>(
    mlp: &Mlp<F>,
    inputs: ArrayView2<'_, F>,
    targets: ArrayView2<'_, F>,
    objective: Objective,
    masks: Masks<'_>,
) -> (f64, Gradients<F>) {
    assert_batch(mlp, inputs, targets);
    let factors = factors_of_layers(mlp, inputs.nrows(), masks);
    let output_layer = mlp.layers.last().expect("a network has layers");
    from_output_error(mlp, inputs, &factors, |net_inputs, outputs| {
        output_error(objective, output_layer, net_inputs, outputs, targets, None)
    })
}

/// [`backpropagate`] for a loss of one's own: `loss` is given the outputs of the batch, shape `(n_samples, n_outputs)`, and
/// returns the loss and its derivative by each output, in the same shape. What it returns is taken as it is: where the loss
/// is to be a mean over the samples, it divides both. [`SampleLoss::of_batch`](crate::SampleLoss::of_batch) does so.
///
/// ```
/// use mlp_core::{Activation, Initializer, Mlp, backpropagate_with};
/// use mlp_core::ndarray::array;
///
/// let mut mlp = Mlp::<f64>::seeded(&[2, 3, 1], &[Activation::Sigmoid; 2], true, Initializer::LECUN_NORMAL, 0);
/// let (inputs, targets) = (array![[0.0, 1.0], [1.0, 1.0]], array![[1.0], [0.0]]);
///
/// // Huber's loss (1964), squared up to an error of 0.1 and linear beyond it, summed over the batch.
/// let huber = |outputs: mlp_core::ndarray::ArrayView2<f64>| {
///     let errors = &outputs - &targets;
///     let loss = errors.mapv(|e| if e.abs() < 0.1 { 0.5 * e * e } else { 0.1 * (e.abs() - 0.05) }).sum();
///     (loss, errors.mapv(|e| e.clamp(-0.1, 0.1)))
/// };
/// let (before, gradients) = backpropagate_with(&mlp, inputs.view(), huber);
/// for (layer, gradient) in mlp.layers.iter_mut().zip(&gradients.layers) {
///     layer.weights.scaled_add(-0.5, &gradient.weights);
/// }
/// let (after, _) = backpropagate_with(&mlp, inputs.view(), huber);
/// assert!(after < before);
/// ```
///
/// # Panics
/// Where a shape does not fit the network, that of the derivatives included, or the batch is empty.
pub fn backpropagate_with<F: Real>(
    mlp: &Mlp<F>,
    inputs: ArrayView2<'_, F>,
    loss: impl FnOnce(ArrayView2<'_, F>) -> (f64, Array2<F>),
) -> (f64, Gradients<F>) {
    mlp.assert_consistent();
    assert!(inputs.nrows() > 0, "a batch needs at least one sample");
    let output_layer = mlp.layers.last().expect("a network has layers");
    from_output_error(mlp, inputs, &[], |_, outputs| {
        let (value, derivatives) = loss(outputs.view());
        assert_eq!(
            derivatives.shape(),
            outputs.shape(),
            "derivatives of shape {:?} by outputs of shape {:?}",
            derivatives.shape(),
            outputs.shape()
        );
        let mut delta =
            if derivatives.is_standard_layout() { derivatives } else { derivatives.as_standard_layout().into_owned() };
        times_derivative(output_layer, outputs, &mut delta);
        (value, delta)
    })
}

/// The forward pass, the loss with δ of the output layer from its net inputs and outputs, and the way back. With dropout
/// there are factors of what each layer receives.
fn from_output_error<F: Real>(
    mlp: &Mlp<F>,
    inputs: ArrayView2<'_, F>,
    factors: &[Array2<F>],
    error: impl FnOnce(&Array2<F>, &Array2<F>) -> (f64, Array2<F>),
) -> (f64, Gradients<F>) {
    // Forward, keeping what every layer received and put out. Only the last layer's net inputs are needed again.
    let (output_layer, hidden_layers) = mlp.layers.split_last().expect("a network has layers");
    let mut activations = vec![inputs.to_owned()];
    for (index, layer) in hidden_layers.iter().enumerate() {
        activations.push(layer.forward(received(&activations, factors, index).view()));
    }
    let net_inputs = output_layer.net_inputs(received(&activations, factors, hidden_layers.len()).view());
    let outputs = activate(output_layer.activation, net_inputs.clone());

    // The error at the outputs (1).
    let (loss, mut delta) = error(&net_inputs, &outputs);

    // Backwards through the layers.
    let mut layers = Vec::with_capacity(mlp.layers.len());
    for (index, layer) in mlp.layers.iter().enumerate().rev() {
        layers.push(LayerGradient {
            weights: received(&activations, factors, index).t().dot(&delta), // (4)
            bias: layer.bias.as_ref().map(|_| delta.sum_axis(Axis(0))),      // (3)
        });
        if index > 0 {
            delta = product(delta.view(), layer.weights.t()); // (2), its first factor; then the derivative
            factors.get(index).into_iter().for_each(|factors| delta *= factors);
            times_derivative(&mlp.layers[index - 1], &activations[index], &mut delta);
        }
    }
    layers.reverse();
    (loss, Gradients { layers })
}

/// The factors of what each layer receives.
pub(crate) fn factors_of_layers<F: Real>(mlp: &Mlp<F>, n_samples: usize, masks: Masks<'_>) -> Vec<Array2<F>> {
    masks.assert_fits(mlp.layers.len());
    let layers = mlp.layers.iter().enumerate();
    layers.map(|(index, layer)| masks.factors(index, n_samples, layer.weights.nrows())).collect()
}

/// What the layer of this index receives: the inputs or the outputs of the layer before; with dropout times their factors.
pub(crate) fn received<'a, F: Real>(
    activations: &'a [Array2<F>],
    factors: &[Array2<F>],
    index: usize,
) -> CowArray<'a, F, Ix2> {
    match factors.get(index) {
        None => activations[index].view().into(),
        Some(factors) => (&activations[index] * factors).into(),
    }
}

/// The mean loss of a batch, without its gradient.
///
/// # Panics
/// As [`backpropagate`].
pub fn mean_loss<F: Real>(
    mlp: &Mlp<F>,
    inputs: ArrayView2<'_, F>,
    targets: ArrayView2<'_, F>,
    objective: Objective,
) -> f64 {
    assert_batch(mlp, inputs, targets);
    let (output_layer, hidden_layers) = mlp.layers.split_last().expect("a network has layers");
    let hidden = hidden_layers.iter().fold(inputs.to_owned(), |received, layer| layer.forward(received.view()));
    let net_inputs = output_layer.net_inputs(hidden.view());
    let outputs = activate(output_layer.activation, net_inputs.clone());
    output_error(objective, output_layer, &net_inputs, &outputs, targets, None).0
}

pub(crate) fn assert_batch<F: Real>(mlp: &Mlp<F>, inputs: ArrayView2<'_, F>, targets: ArrayView2<'_, F>) {
    mlp.assert_consistent();
    let n_samples = inputs.nrows();
    assert!(n_samples > 0, "a batch needs at least one sample");
    assert_eq!(
        targets.shape(),
        [n_samples, mlp.n_outputs()],
        "targets of shape {:?} for inputs of shape {:?} and {} outputs",
        targets.shape(),
        inputs.shape(),
        mlp.n_outputs()
    );
}

/// The mean loss of the batch, and δ of the output layer; all samples count 1 where they have no weights.
pub(crate) fn output_error<F: Real>(
    objective: Objective,
    layer: &Layer<F>,
    net_inputs: &Array2<F>,
    outputs: &Array2<F>,
    targets: ArrayView2<'_, F>,
    weights: Option<&[f64]>,
) -> (f64, Array2<F>) {
    let n_samples = outputs.nrows();
    let targets = targets.as_standard_layout();
    let mut delta = Array2::zeros(outputs.dim());
    let mut loss = 0.0;
    for sample in 0..n_samples {
        let [z, a, y] = [net_inputs.row(sample), outputs.row(sample), targets.row(sample)]
            .map(|row| row.to_slice().expect("rows are contiguous"));
        let weight = weights.map_or(1.0, |weights| weights[sample]);
        loss += weight * objective.value(z, a, y);
        let mut delta = delta.row_mut(sample);
        let delta = delta.as_slice_mut().expect("rows are contiguous");
        objective.output_delta(layer.activation, a, y, weight * (1.0 / n_samples as f64), delta);
    }
    (loss / n_samples as f64, delta)
}

/// delta ⊙ f′, from the outputs of `layer`.
pub(crate) fn times_derivative<F: Real>(layer: &Layer<F>, outputs: &Array2<F>, delta: &mut Array2<F>) {
    for (outputs, mut delta) in outputs.rows().into_iter().zip(delta.rows_mut()) {
        let outputs = outputs.to_slice().expect("rows are contiguous");
        layer.activation.times_derivative(outputs, delta.as_slice_mut().expect("rows are contiguous"));
    }
}
