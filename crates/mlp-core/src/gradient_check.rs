//! Back-propagation against finite differences.

use ndarray::ArrayView2;

use crate::backpropagation::{Gradients, LayerGradient, backpropagate, mean_loss};
use crate::loss::Objective;
use crate::mlp::Mlp;

/// How far a gradient is from finite differences, for the weights or biases of one layer.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct TensorCheck {
    /// The layer, counted from 0.
    pub layer: usize,
    /// True for the biases, false for the weights.
    pub is_bias: bool,
    /// ‖analytic − numeric‖ / (‖analytic‖ + ‖numeric‖), Euclidean norms; 0 where both are 0.
    pub relative_error: f64,
    /// The largest difference of one entry, divided by the largest entry of the numeric gradient.
    pub worst_entry: f64,
    /// Where that difference is: `[input, unit]`, or for biases `[0, unit]`.
    pub worst_position: [usize; 2],
    /// The analytic gradient there.
    pub found: f64,
    /// The numeric gradient there.
    pub expected: f64,
    /// The number that every entry of the numeric gradient is multiplied by in the analytic one, if there is one: 1 where the
    /// two agree.
    pub factor: Option<f64>,
}

/// Compares the gradient that [`backpropagate`] computes with central differences of the loss
/// of fourth order, (8 (loss(w + h) − loss(w − h)) − (loss(w + 2h) − loss(w − 2h))) / 12h, for every weight and bias w, in
/// double precision.
///
/// `step` is h; 1e-3 suits networks whose weights are around 1: the error of the formula, of the order h⁴, and that of
/// rounding, of the order 1e-16 / h, are then about equal. One entry a tensor comes back, the first layer's weights
/// first. Where a step crosses a kink (ReLU at 0, the absolute error at 0) the differences mean nothing: draw other
/// numbers there.
///
/// ```
/// use mlp_core::{
///     Activation, Initializer, Loss, Mlp, Objective, Reduction, explain_gradient_check, gradient_check,
/// };
/// use mlp_core::ndarray::array;
///
/// let mlp = Mlp::seeded(&[2, 4, 2], &[Activation::Tanh, Activation::Sigmoid], true, Initializer::LECUN_NORMAL, 0);
/// let objective = Objective { loss: Loss::CrossEntropy, reduction: Reduction::Sum };
/// let checks = gradient_check(&mlp, array![[0.5, -1.0]].view(), array![[1.0, 0.0]].view(), objective, 1e-3);
/// assert!(checks.iter().all(|check| check.relative_error < 1e-7));
/// // The same, with a sentence that says what is wrong, if anything is.
/// explain_gradient_check(&checks, 1e-7).unwrap();
/// ```
///
/// # Panics
/// As [`backpropagate`].
pub fn gradient_check(
    mlp: &Mlp<f64>,
    inputs: ArrayView2<'_, f64>,
    targets: ArrayView2<'_, f64>,
    objective: Objective,
    step: f64,
) -> Vec<TensorCheck> {
    let (_, analytic) = backpropagate(mlp, inputs, targets, objective);
    let numeric = finite_differences(mlp, inputs, targets, objective, step);
    compare_gradients(&analytic, &numeric)
}

/// The gradient of the mean loss by central differences: four forward passes for each parameter.
///
/// # Panics
/// As [`backpropagate`].
pub fn finite_differences(
    mlp: &Mlp<f64>,
    inputs: ArrayView2<'_, f64>,
    targets: ArrayView2<'_, f64>,
    objective: Objective,
    step: f64,
) -> Gradients<f64> {
    finite_differences_with(mlp, step, |mlp| mean_loss(mlp, inputs, targets, objective))
}

/// The gradient of any function of a network by central differences, for losses of one's own: `loss` is called four times for
/// each parameter.
///
/// ```
/// use mlp_core::{Activation, Initializer, Mlp, backpropagate_with, compare_gradients, finite_differences_with};
/// use mlp_core::ndarray::array;
///
/// let mlp = Mlp::seeded(&[2, 4, 2], &[Activation::Tanh; 2], true, Initializer::LECUN_NORMAL, 0);
/// let inputs = array![[0.5, -1.0]];
/// // The loss is the sum of the outputs, so its derivative by each is 1.
/// let (_, analytic) =
///     backpropagate_with(&mlp, inputs.view(), |outputs| (outputs.sum(), mlp_core::ndarray::Array2::ones(outputs.dim())));
/// let numeric = finite_differences_with(&mlp, 1e-3, |mlp| mlp.forward(inputs.view()).sum());
/// assert!(compare_gradients(&analytic, &numeric).iter().all(|check| check.relative_error < 1e-7));
/// ```
pub fn finite_differences_with(mlp: &Mlp<f64>, step: f64, loss: impl Fn(&Mlp<f64>) -> f64) -> Gradients<f64> {
    let shape =
        mlp.layers.iter().map(|layer| LayerGradient { weights: layer.weights.clone(), bias: layer.bias.clone() });
    let mut gradients = Gradients { layers: shape.collect() };
    let mut moved = mlp.clone();
    for layer in 0..mlp.layers.len() {
        let mut slope = |entry: &dyn Fn(&mut Mlp<f64>) -> &mut f64| {
            let original = *entry(&mut moved);
            let mut loss_at = |value: f64| {
                *entry(&mut moved) = value;
                loss(&moved)
            };
            let near = loss_at(original + step) - loss_at(original - step);
            let far = loss_at(original + 2.0 * step) - loss_at(original - 2.0 * step);
            let slope = (8.0 * near - far) / (12.0 * step);
            *entry(&mut moved) = original;
            slope
        };
        for (position, gradient) in gradients.layers[layer].weights.indexed_iter_mut() {
            *gradient = slope(&|mlp| &mut mlp.layers[layer].weights[position]);
        }
        for (unit, gradient) in gradients.layers[layer].bias.iter_mut().flatten().enumerate() {
            *gradient = slope(&|mlp| &mut mlp.layers[layer].bias.as_mut().expect("the gradient has biases too")[unit]);
        }
    }
    gradients
}

/// The distance of two gradients, tensor by tensor.
///
/// # Panics
/// Where the shapes differ.
pub fn compare_gradients(analytic: &Gradients<f64>, numeric: &Gradients<f64>) -> Vec<TensorCheck> {
    assert_eq!(analytic.layers.len(), numeric.layers.len(), "layers of the two gradients");
    let mut checks = Vec::new();
    for (layer, (a, n)) in analytic.layers.iter().zip(&numeric.layers).enumerate() {
        assert_eq!(a.weights.dim(), n.weights.dim(), "weights of layers[{layer}] in the two gradients");
        assert_eq!(a.bias.is_some(), n.bias.is_some(), "biases of layers[{layer}] in the two gradients");
        checks.push(compare(layer, false, a.weights.ncols(), a.weights.iter().zip(&n.weights)));
        if let (Some(a), Some(n)) = (&a.bias, &n.bias) {
            assert_eq!(a.len(), n.len(), "biases of layers[{layer}] in the two gradients");
            checks.push(compare(layer, true, a.len(), a.iter().zip(n)));
        }
    }
    checks
}

fn compare<'a>(
    layer: usize,
    is_bias: bool,
    n_units: usize,
    pairs: impl Iterator<Item = (&'a f64, &'a f64)> + Clone,
) -> TensorCheck {
    let norm = |values: &mut dyn Iterator<Item = f64>| values.map(|x| x * x).sum::<f64>().sqrt();
    let difference = norm(&mut pairs.clone().map(|(a, n)| a - n));
    let (analytic, numeric) = (norm(&mut pairs.clone().map(|(a, _)| *a)), norm(&mut pairs.clone().map(|(_, n)| *n)));
    // `f64::max` would pass over NaN, which is the last thing that a check may do.
    let is_larger = |x: f64, than: f64| !than.is_nan() && (x.is_nan() || x.abs() > than.abs());
    let largest =
        pairs.clone().fold(0.0, |largest: f64, (_, n)| if is_larger(*n, largest) { n.abs() } else { largest });
    let mut worst = (0, 0.0, 0.0);
    for (index, (&a, &n)) in pairs.clone().enumerate() {
        if index == 0 || is_larger(a - n, worst.1 - worst.2) {
            worst = (index, a, n);
        }
    }
    let (index, found, expected) = worst;
    let ratio = |part: f64, whole: f64| if part == 0.0 { 0.0 } else { part / whole };
    // The factor of least squares, if it leaves nothing over.
    let factor = pairs.clone().map(|(a, n)| a * n).sum::<f64>() / (numeric * numeric);
    let left_over = norm(&mut pairs.map(|(a, n)| a - factor * n));
    TensorCheck {
        layer,
        is_bias,
        relative_error: ratio(difference, analytic + numeric),
        worst_entry: ratio((found - expected).abs(), largest),
        worst_position: [index / n_units, index % n_units],
        found,
        expected,
        factor: (left_over <= 1e-6 * numeric && factor.is_finite()).then_some(factor),
    }
}
