//! What is wrong with a gradient, in words.

use std::fmt;

use crate::gradient_check::TensorCheck;

/// A gradient that is not that of finite differences. Its text says where, what was expected, what was found, and what that
/// usually means.
///
/// Back-propagation goes from the outputs to the inputs, and so does a fault: the first tensor at fault on that way is the one
/// to look at.
#[derive(Clone, Debug, PartialEq)]
pub struct GradientFault {
    check: TensorCheck,
    cause: String,
}

impl GradientFault {
    /// The first tensor at fault, from the outputs backwards, weights before biases.
    pub fn check(&self) -> &TensorCheck {
        &self.check
    }

    /// What such a fault usually comes from.
    pub fn cause(&self) -> &str {
        &self.cause
    }
}

/// Whether a gradient passed: `checks` of every tensor, as [`gradient_check()`](crate::gradient_check()) or
/// [`compare_gradients`](crate::compare_gradients) returns them, none of which may have a relative error above `bound`; 1e-7
/// suits smooth networks in double precision.
///
/// ```
/// use mlp_core::{
///     Activation, Initializer, Loss, Mlp, Objective, Reduction, backpropagate, compare_gradients, explain_gradient_check,
///     finite_differences,
/// };
/// use mlp_core::ndarray::array;
///
/// let mlp = Mlp::seeded(&[2, 4, 1], &[Activation::Tanh, Activation::Sigmoid], true, Initializer::LECUN_NORMAL, 0);
/// let (inputs, targets) = (array![[0.5, -1.0], [1.0, 0.5]], array![[1.0], [0.0]]);
/// let objective = Objective { loss: Loss::CrossEntropy, reduction: Reduction::Sum };
///
/// // A mistake: the sum over the samples is not divided by their number.
/// let (_, mut gradients) = backpropagate(&mlp, inputs.view(), targets.view(), objective);
/// for layer in &mut gradients.layers {
///     layer.weights *= 2.0;
///     layer.bias.iter_mut().for_each(|bias| *bias *= 2.0);
/// }
/// let numeric = finite_differences(&mlp, inputs.view(), targets.view(), objective, 1e-3);
/// let fault = explain_gradient_check(&compare_gradients(&gradients, &numeric), 1e-7).unwrap_err();
/// assert!(fault.to_string().starts_with("the gradient by layers[1].weights[["));
/// assert!(fault.cause().contains("every entry is 2 times what it should be"));
/// ```
///
/// # Errors
///
/// For the first tensor at fault, from the outputs backwards.
pub fn explain_gradient_check(checks: &[TensorCheck], bound: f64) -> Result<(), GradientFault> {
    let is_wrong = |check: &TensorCheck| check.relative_error.is_nan() || check.relative_error > bound;
    let Some(layer) = checks.iter().filter(|check| is_wrong(check)).map(|check| check.layer).max() else {
        return Ok(());
    };
    let tensor = |is_bias: bool| checks.iter().find(|check| check.layer == layer && check.is_bias == is_bias);
    let wrong = |is_bias: bool| tensor(is_bias).filter(|check| is_wrong(check));
    let last = checks.iter().map(|check| check.layer).max().unwrap_or(layer);
    let delta = if layer == last {
        "the error at the outputs, equation (1) of backpropagation.rs: the derivative of the loss or of the output activation"
    } else {
        "the error on its way back, equation (2) of backpropagation.rs, as the layers behind are right: the product with the \
         transposed weights, or the derivative of this layer's activation"
    };
    let (check, equation) = match (wrong(false), wrong(true)) {
        (Some(weights), None) if tensor(true).is_some() => {
            let equation = "equation (4) of backpropagation.rs, as the biases of the layer are right: the inputs that the layer \
                            received, or their transposition";
            (weights, equation)
        }
        (None, Some(biases)) => {
            let equation =
                "equation (3) of backpropagation.rs, as the weights of the layer are right: the sum over the samples";
            (biases, equation)
        }
        (weights, biases) => (weights.or(biases).expect("one of the two is wrong"), delta),
    };
    Err(GradientFault { check: *check, cause: cause(check, equation) })
}

/// What is known of the fault besides the equation in which it is.
fn cause(check: &TensorCheck, equation: &str) -> String {
    /// Steps over kinks and rounding leave about so much.
    const SMALL: f64 = 1e-3;
    if !check.relative_error.is_finite() {
        return format!("a number is infinite or NaN: look for a division by 0 or an overflow in {equation}");
    }
    match check.factor {
        Some(0.0) => format!("every entry is 0: nothing reaches the gradient in {equation}"),
        Some(factor) if (factor + 1.0).abs() < 1e-6 => format!("every entry has the wrong sign: look at {equation}"),
        Some(factor) if (factor - 1.0).abs() >= SMALL => format!(
            "every entry is {} times what it should be: a factor, such as a 2 or the number of samples or outputs, in {equation}",
            (factor * 1e6).round() / 1e6
        ),
        _ if check.relative_error < SMALL => format!(
            "so small a difference is mostly a step across a kink (ReLU or the absolute error at 0) or rounding: draw other \
             numbers, or take another step; otherwise look at {equation}"
        ),
        _ => format!("look at {equation}"),
    }
}

impl fmt::Display for GradientFault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let TensorCheck { layer, is_bias, relative_error, worst_position: [input, unit], found, expected, .. } =
            self.check;
        let (tensor, entry) = if is_bias {
            ("biases", format!("bias[{unit}]"))
        } else {
            ("weights", format!("weights[[{input}, {unit}]]"))
        };
        write!(
            formatter,
            "the gradient by layers[{layer}].{entry}: expected {expected:.6e}, by finite differences, found {found:.6e}; the \
             relative error of all {tensor} of this layer is {relative_error:.1e}; {}",
            self.cause
        )
    }
}

impl std::error::Error for GradientFault {}
