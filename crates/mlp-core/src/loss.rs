//! Losses, each value beside its derivative.

use std::fmt;
use std::str::FromStr;

use crate::activation::Activation;
use crate::functions::softplus;
use crate::real::Real;
use crate::unknown_name::{UnknownName, choose};

/// How the outputs a of one sample are compared with its targets y.
///
/// With R the [`Reduction`] over the outputs (their sum or their mean), the loss of one sample and its derivative by
/// output i (before R's factor) are:
///
/// | loss | value | derivative |
/// |---|---|---|
/// | absolute | R \|a − y\| | sign(a − y), 0 at 0 |
/// | squared | R (a − y)² | 2 (a − y) |
/// | half-squared | R ½ (a − y)² | a − y |
/// | rmse | √(R (a − y)²) | (a − y) / value, 0 where the value is 0 |
/// | cross-entropy | R −(y ln a + (1 − y) ln(1 − a)) | by z: a − y |
/// | softmax-cross-entropy | R −y ln a | by z: a Σ y − y |
/// | poisson | R (eᵃ − y − y (a − ln y)) | eᵃ − y |
///
/// The two cross-entropies are computed from the net inputs z, where neither a logarithm of 0 nor a division by a(1 − a)
/// can occur, and belong to one output activation each: sigmoid and softmax. `poisson` is half the deviance of Poisson's
/// distribution for counts y ≥ 0, whose rates eᵃ have the outputs as logarithms; it belongs to identity outputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Loss {
    /// Absolute error.
    Absolute,
    /// Squared error.
    Squared,
    /// Half the squared error; summed over the outputs its gradient is a − y.
    HalfSquared,
    /// The root of one sample's squared error.
    Rmse,
    /// Cross-entropy of independent sigmoid outputs.
    CrossEntropy,
    /// Cross-entropy of a softmax distribution.
    SoftmaxCrossEntropy,
    /// Half the deviance of Poisson's distribution, for counts; the outputs are logarithms of their rates.
    Poisson,
}

/// How the outputs of one sample are combined: it changes the meaning of a learning rate, so it is always named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reduction {
    /// The mean over the outputs.
    Mean,
    /// The sum over the outputs.
    Sum,
}

/// A loss with its reduction over the outputs: what training minimises, as a mean over the samples of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Objective {
    /// The loss.
    pub loss: Loss,
    /// The reduction over the outputs.
    pub reduction: Reduction,
}

impl Loss {
    /// Every loss, in the order of the table above.
    pub const ALL: [Loss; 7] = [
        Loss::Absolute,
        Loss::Squared,
        Loss::HalfSquared,
        Loss::Rmse,
        Loss::CrossEntropy,
        Loss::SoftmaxCrossEntropy,
        Loss::Poisson,
    ];

    /// The name in configurations and files.
    pub fn name(self) -> &'static str {
        match self {
            Loss::Absolute => "absolute",
            Loss::Squared => "squared",
            Loss::HalfSquared => "half-squared",
            Loss::Rmse => "rmse",
            Loss::CrossEntropy => "cross-entropy",
            Loss::SoftmaxCrossEntropy => "softmax-cross-entropy",
            Loss::Poisson => "poisson",
        }
    }

    /// The loss of that name; [`str::parse`] also says what would have been understood.
    pub fn from_name(name: &str) -> Option<Loss> {
        name.parse().ok()
    }

    /// The output activation without which the loss has no meaning, if there is one.
    pub fn required_output(self) -> Option<Activation> {
        match self {
            Loss::CrossEntropy => Some(Activation::Sigmoid),
            Loss::SoftmaxCrossEntropy => Some(Activation::Softmax),
            Loss::Poisson => Some(Activation::Identity),
            Loss::Absolute | Loss::Squared | Loss::HalfSquared | Loss::Rmse => None,
        }
    }

    /// Whether targets are probabilities, from 0 to 1.
    pub fn is_cross_entropy(self) -> bool {
        matches!(self, Loss::CrossEntropy | Loss::SoftmaxCrossEntropy)
    }

    /// Whether the loss can stand behind that output activation.
    pub fn fits(self, output: Activation) -> bool {
        self.required_output().is_none_or(|required| required == output)
    }
}

impl Reduction {
    /// Both reductions.
    pub const ALL: [Reduction; 2] = [Reduction::Mean, Reduction::Sum];

    /// The name in configurations and files.
    pub fn name(self) -> &'static str {
        match self {
            Reduction::Mean => "mean",
            Reduction::Sum => "sum",
        }
    }

    /// The reduction of that name; [`str::parse`] also says what would have been understood.
    pub fn from_name(name: &str) -> Option<Reduction> {
        name.parse().ok()
    }

    /// What the sum over `n_outputs` is multiplied by.
    fn factor(self, n_outputs: usize) -> f64 {
        match self {
            Reduction::Mean => 1.0 / n_outputs as f64,
            Reduction::Sum => 1.0,
        }
    }
}

impl Objective {
    /// The loss of one sample, summed in double precision.
    ///
    /// `net_inputs` are the z of the output layer, `outputs` its activations.
    ///
    /// # Panics
    /// Where the three lengths differ.
    pub fn value<F: Real>(self, net_inputs: &[F], outputs: &[F], targets: &[F]) -> f64 {
        assert_eq!(outputs.len(), targets.len(), "outputs and targets of one sample");
        assert_eq!(net_inputs.len(), targets.len(), "net inputs and targets of one sample");
        let factor = self.reduction.factor(targets.len());
        match self.loss {
            Loss::Absolute => {
                factor * outputs.iter().zip(targets).map(|(a, y)| (a.widen() - y.widen()).abs()).sum::<f64>()
            }
            Loss::Squared => factor * squared_error(outputs, targets),
            Loss::HalfSquared => factor * 0.5 * squared_error(outputs, targets),
            Loss::Rmse => (factor * squared_error(outputs, targets)).sqrt(),
            Loss::CrossEntropy => {
                // −ln σ(z) = softplus(−z) and −ln(1 − σ(z)) = softplus(z). A weight of 0 leaves its term out, so that
                // a saturated correct output costs 0 and not 0 · ∞.
                let terms = net_inputs.iter().zip(targets).map(|(z, y)| {
                    let (z, y) = (z.widen(), y.widen());
                    weighted(y, softplus(-z)) + weighted(1.0 - y, softplus(z))
                });
                factor * terms.sum::<f64>()
            }
            Loss::SoftmaxCrossEntropy => {
                let largest = net_inputs.iter().map(|z| z.widen()).fold(f64::NEG_INFINITY, f64::max);
                let sum: f64 = net_inputs.iter().map(|z| libm::exp(z.widen() - largest)).sum();
                let log_sum = largest + libm::log(sum);
                let terms = net_inputs.iter().zip(targets).map(|(z, y)| weighted(y.widen(), log_sum - z.widen()));
                factor * terms.sum::<f64>()
            }
            Loss::Poisson => {
                let terms = net_inputs.iter().zip(targets).map(|(z, y)| {
                    let (z, y) = (z.widen(), y.widen());
                    libm::exp(z) - y - weighted(y, z - libm::log(y))
                });
                factor * terms.sum::<f64>()
            }
        }
    }

    /// Writes the derivative of one sample's loss by the net inputs of the output layer, times `scale` (1 / batch size),
    /// into `delta`: the error with which back-propagation begins.
    ///
    /// # Panics
    /// Where the lengths differ, or where the loss does not fit the activation.
    #[inline]
    pub fn output_delta<F: Real>(
        self,
        activation: Activation,
        outputs: &[F],
        targets: &[F],
        scale: f64,
        delta: &mut [F],
    ) {
        assert!(self.loss.fits(activation), "{} loss behind a {activation} output", self.loss.name());
        assert_eq!(outputs.len(), targets.len(), "outputs and targets of one sample");
        assert_eq!(outputs.len(), delta.len(), "outputs and delta of one sample");
        let factor = self.reduction.factor(targets.len());
        let mut write = |derivative: &dyn Fn(F, F) -> F| {
            for ((delta, &a), &y) in delta.iter_mut().zip(outputs).zip(targets) {
                *delta = derivative(a, y);
            }
        };
        let scaled = F::narrow(factor * scale);
        match self.loss {
            Loss::Absolute => write(&|a, y| sign(a - y) * scaled),
            Loss::Squared => write(&|a, y| (a - y) * (scaled + scaled)),
            Loss::HalfSquared | Loss::CrossEntropy => write(&|a, y| (a - y) * scaled),
            Loss::Rmse => {
                let value = (factor * squared_error(outputs, targets)).sqrt();
                let step = if value > 0.0 { factor * scale / value } else { 0.0 };
                write(&|a, y| F::narrow((a.widen() - y.widen()) * step));
            }
            Loss::SoftmaxCrossEntropy => {
                let total = targets.iter().fold(F::zero(), |sum, &y| sum + y);
                write(&|a, y| (a * total - y) * scaled);
            }
            Loss::Poisson => write(&|a, y| F::narrow(libm::exp(a.widen()) - y.widen()) * scaled),
        }
        if self.loss.required_output().is_none() {
            activation.times_derivative(outputs, delta);
        }
    }
}

/// Σ (a − y)², in double precision.
fn squared_error<F: Real>(outputs: &[F], targets: &[F]) -> f64 {
    outputs.iter().zip(targets).map(|(a, y)| a.widen() - y.widen()).map(|error| error * error).sum()
}

/// weight · value, 0 where the weight is 0 even if the value is infinite.
fn weighted(weight: f64, value: f64) -> f64 {
    if weight == 0.0 { 0.0 } else { weight * value }
}

/// −1, 0 or 1; NaN for NaN. (`signum` is 1 at 0.)
fn sign<F: Real>(x: F) -> F {
    if x == F::zero() { F::zero() } else { x.signum() }
}

impl fmt::Display for Loss {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl fmt::Display for Reduction {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for Loss {
    type Err = UnknownName;

    /// The inverse of [`Loss::name`].
    fn from_str(name: &str) -> Result<Loss, UnknownName> {
        choose("a loss", &Loss::ALL, Loss::name, name)
    }
}

impl FromStr for Reduction {
    type Err = UnknownName;

    /// The inverse of [`Reduction::name`].
    fn from_str(name: &str) -> Result<Reduction, UnknownName> {
        choose("a reduction", &Reduction::ALL, Reduction::name, name)
    }
}
