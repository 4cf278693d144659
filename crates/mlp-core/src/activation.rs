//! Activations, each forward rule beside its derivative.

use std::fmt;

use crate::functions;
use crate::real::Real;

/// What a layer applies to its net inputs z = x · W + b.
///
/// Derivatives are written in terms of the output a, so that z need not be kept.
///
/// | activation | a | da/dz |
/// |---|---|---|
/// | sigmoid | 1 / (1 + e⁻ᶻ) | a (1 − a) |
/// | tanh | (eᶻ − e⁻ᶻ) / (eᶻ + e⁻ᶻ) | 1 − a² |
/// | relu | max(0, z) | 1 where a > 0, else 0 |
/// | identity | z | 1 |
/// | softmax | eᶻⁱ / Σₖ eᶻᵏ, over one sample's outputs | aᵢ (δᵢₖ − aₖ), a matrix; see [`Activation::times_derivative`] |
///
/// Softmax couples the outputs of a layer and serves in the output layer only.
///
/// The exponential is computed in double precision and rounded once, so in `f32` the sigmoid is correct to 0.501 units
/// in the last place over all 2³² arguments, never leaves [0, 1], never decreases, and results too small for a normal
/// number are 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Activation {
    /// The logistic function, with values in (0, 1).
    Sigmoid,
    /// The hyperbolic tangent, with values in (−1, 1).
    Tanh,
    /// The rectified linear unit, with values in [0, ∞).
    Relu,
    /// No activation: a linear layer.
    Identity,
    /// A probability distribution over the outputs.
    Softmax,
}

impl Activation {
    /// Every activation, in the order of the table above.
    pub const ALL: [Activation; 5] =
        [Activation::Sigmoid, Activation::Tanh, Activation::Relu, Activation::Identity, Activation::Softmax];

    /// The name in configurations and files.
    pub fn name(self) -> &'static str {
        match self {
            Activation::Sigmoid => "sigmoid",
            Activation::Tanh => "tanh",
            Activation::Relu => "relu",
            Activation::Identity => "identity",
            Activation::Softmax => "softmax",
        }
    }

    /// The activation of that name.
    pub fn from_name(name: &str) -> Option<Activation> {
        Activation::ALL.into_iter().find(|activation| activation.name() == name)
    }

    /// Replaces the net inputs of one sample by its outputs.
    pub fn apply<F: Real>(self, z: &mut [F]) {
        self.apply_with::<F, false>(z);
    }

    /// [`Activation::apply`], with or without fused multiply-add.
    #[inline(always)]
    pub(crate) fn apply_with<F: Real, const FUSED: bool>(self, z: &mut [F]) {
        match self {
            Activation::Sigmoid => {
                for z in z {
                    *z = flush(F::narrow(functions::sigmoid::<FUSED>(z.widen())));
                }
            }
            Activation::Tanh => {
                for z in z {
                    *z = F::narrow(functions::tanh::<FUSED>(z.widen()));
                }
            }
            Activation::Relu => {
                for z in z {
                    // Written so that NaN stays NaN: a broken weight must not hide behind a zero.
                    *z = if *z < F::zero() { F::zero() } else { *z };
                }
            }
            Activation::Identity => {}
            Activation::Softmax => softmax::<F, FUSED>(z),
        }
    }

    /// Multiplies `gradient`, the derivative of a loss by the outputs `a` of one sample, by da/dz, which makes it the
    /// derivative by the net inputs.
    ///
    /// For softmax the matrix product Σₖ gₖ aₖ (δᵢₖ − aᵢ) collapses to aᵢ (gᵢ − Σₖ gₖ aₖ).
    ///
    /// # Panics
    /// Where the lengths differ.
    #[inline(always)]
    pub fn times_derivative<F: Real>(self, outputs: &[F], gradient: &mut [F]) {
        assert_eq!(outputs.len(), gradient.len(), "outputs and gradient of one sample");
        let pairs = gradient.iter_mut().zip(outputs);
        match self {
            Activation::Sigmoid => pairs.for_each(|(g, &a)| *g *= a * (F::one() - a)),
            Activation::Tanh => pairs.for_each(|(g, &a)| *g *= F::one() - a * a),
            Activation::Relu => pairs.for_each(|(g, &a)| *g = if a > F::zero() { *g } else { F::zero() }),
            Activation::Identity => {}
            Activation::Softmax => {
                let weighted = pairs.fold(F::zero(), |sum, (g, &a)| sum + *g * a);
                gradient.iter_mut().zip(outputs).for_each(|(g, &a)| *g = a * (*g - weighted));
            }
        }
    }
}

/// Softmax from z − max z, so that no exponential overflows.
#[inline(always)]
fn softmax<F: Real, const FUSED: bool>(z: &mut [F]) {
    let largest = z.iter().fold(F::neg_infinity(), |largest, &z| if z > largest { z } else { largest });
    let mut sum = 0.0;
    for z in z.iter_mut() {
        let e = functions::exp_of_negative::<FUSED>(z.widen() - largest.widen());
        sum += e;
        *z = F::narrow(e);
    }
    for z in z.iter_mut() {
        *z = flush(F::narrow(z.widen() / sum));
    }
}

/// Zero for a value that is subnormal, otherwise the value.
#[inline(always)]
pub(crate) fn flush<F: Real>(value: F) -> F {
    if value.abs() < F::min_positive_value() { F::zero() } else { value }
}

impl fmt::Display for Activation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}
