//! Activations, each forward rule beside its derivative.

use std::fmt;
use std::str::FromStr;

use crate::functions;
use crate::kernel::simd::Simd;
use crate::real::Real;
use crate::unknown_name::{UnknownName, choose};

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
/// The exponential is computed in double precision and rounded once. So in `f32`, over all 2³² arguments and on every
/// kernel, the sigmoid is within 0.501 units in the last place, never leaves [0, 1] and never decreases.
///
/// An output that is too small for a normal number is 0, whatever the activation.
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

    /// The activation of that name; [`str::parse`] also says what would have been understood.
    pub fn from_name(name: &str) -> Option<Activation> {
        name.parse().ok()
    }

    /// Replaces the net inputs of one sample by its outputs.
    pub fn apply<F: Real>(self, z: &mut [F]) {
        self.apply_with::<F, false, 1>(z, F::min_positive_value());
    }

    /// [`Activation::apply`], with or without fused multiply-add, and `N` sigmoids at a time. Outputs of a magnitude
    /// below `least` become 0.
    #[inline(always)]
    pub(crate) fn apply_with<F: Real, const FUSED: bool, const N: usize>(self, z: &mut [F], least: F) {
        match self {
            Activation::Sigmoid => {
                let (many, few) = z.as_chunks_mut::<N>();
                for z in many {
                    let outputs = functions::sigmoid::<FUSED, N>(z.map(F::widen));
                    z.iter_mut().zip(outputs).for_each(|(z, output)| *z = flush(F::narrow(output), least));
                }
                for z in few {
                    let [output] = functions::sigmoid::<FUSED, 1>([z.widen()]);
                    *z = flush(F::narrow(output), least);
                }
            }
            Activation::Tanh => {
                for z in z {
                    *z = flush(F::narrow(functions::tanh::<FUSED>(z.widen())), least);
                }
            }
            Activation::Relu => {
                for z in z {
                    // Written so that NaN stays NaN: a broken weight must not hide behind a zero.
                    *z = if *z < least { F::zero() } else { *z };
                }
            }
            Activation::Identity => z.iter_mut().for_each(|z| *z = flush(*z, least)),
            Activation::Softmax => softmax::<F, FUSED>(z, least),
        }
    }

    /// [`Activation::apply`] with the instructions of a kernel. Outputs of a magnitude below `least` become 0.
    #[inline(always)]
    pub(crate) fn apply_on<F: Real, S: Simd<F>>(self, z: &mut [F], least: F) {
        // Registers of 64 bytes hold eight at a time anyway.
        match (S::FUSED, size_of::<S::Vector>() < 64) {
            (true, false) => self.apply_with::<F, true, 1>(z, least),
            (true, true) => self.apply_with::<F, true, 8>(z, least),
            (false, _) => self.apply_with::<F, false, 8>(z, least),
        }
    }

    /// Whether each output depends on its own net input only.
    pub(crate) fn is_elementwise(self) -> bool {
        self != Activation::Softmax
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
fn softmax<F: Real, const FUSED: bool>(z: &mut [F], least: F) {
    let largest = z.iter().fold(F::neg_infinity(), |largest, &z| if z > largest { z } else { largest });
    let mut sum = 0.0;
    for z in z.iter_mut() {
        let [e] = functions::exp_of_negative::<FUSED, 1>([z.widen() - largest.widen()]);
        sum += e;
        *z = F::narrow(e);
    }
    for z in z.iter_mut() {
        *z = flush(F::narrow(z.widen() / sum), least);
    }
}

/// Zero for a value of a magnitude below `least`, otherwise the value; NaN stays NaN.
#[inline(always)]
pub(crate) fn flush<F: Real>(value: F, least: F) -> F {
    if value.abs() < least { F::zero() } else { value }
}

impl fmt::Display for Activation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for Activation {
    type Err = UnknownName;

    /// The inverse of [`Activation::name`].
    fn from_str(name: &str) -> Result<Activation, UnknownName> {
        choose("an activation", &Activation::ALL, Activation::name, name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::level::Kernel;
    use crate::kernel::simd::{Lanes, Simd, Task};

    /// The sigmoid as the fast path of a kernel computes it.
    struct Sigmoid<'a>(&'a mut [f32]);

    impl Task<f32> for Sigmoid<'_> {
        type Output = ();
        #[inline(always)]
        fn run<S: Simd<f32>>(self, _simd: S) {
            Activation::Sigmoid.apply_on::<f32, S>(self.0, f32::MIN_POSITIVE);
        }
    }

    fn kernels() -> impl Iterator<Item = Kernel> {
        Kernel::ALL.into_iter().filter(|kernel| kernel.is_supported())
    }

    /// The float at a position in ascending order; 0 is at 0 and −0 at −1.
    fn float_at(position: i64) -> f32 {
        f32::from_bits(if position >= 0 { position as u32 } else { 0x8000_0000 | (-1 - position) as u32 })
    }

    const INFINITY: i64 = 0x7f80_0000;

    /// Walks a stretch of floats: no result leaves [0, 1], decreases, or is subnormal. Every `stride`th is compared with
    /// another implementation in double precision; the largest error of the normal results comes back, in units of the
    /// last place.
    fn walk(kernel: Kernel, from: i64, to: i64, stride: usize) -> f64 {
        let (mut last, mut worst) = (0.0_f32, 0.0_f64);
        let mut results = vec![0.0_f32; 4096];
        let mut position = from;
        while position <= to {
            let n = results.len().min((to - position + 1) as usize);
            let results = &mut results[..n];
            results.iter_mut().zip(position..).for_each(|(result, position)| *result = float_at(position));
            f32::dispatch(kernel, Sigmoid(results));
            for (&result, position) in results.iter().zip(position..) {
                assert!(
                    (last..=1.0).contains(&result),
                    "{kernel}: {result:e} at {:e} after {last:e}",
                    float_at(position)
                );
                assert!(!result.is_subnormal(), "{kernel}: {result:e}");
                last = result;
            }
            for (&result, position) in
                results.iter().zip(position..).step_by(stride).filter(|(result, _)| **result > 0.0)
            {
                let exact = 1.0 / (1.0 + libm::exp(-f64::from(float_at(position))));
                let unit = f64::from(f32::from_bits(result.to_bits() + 1)) - f64::from(result);
                worst = worst.max((f64::from(result) - exact).abs() / unit);
            }
            position += n as i64;
        }
        worst
    }

    #[test]
    fn the_sigmoid_is_monotone_in_its_range_and_correctly_rounded_over_a_sample_of_the_floats() {
        // From ±1e-3 to ±104 lie all results that are neither 0, nor 1, nor within rounding of a half: every 61st stretch
        // of 4096 floats, and the stretches at zero and at infinity.
        let (small, large) = (i64::from(1e-3_f32.to_bits()), i64::from(104.0_f32.to_bits()));
        for kernel in kernels() {
            let starts = (small..large).step_by(4096 * 61).chain([0, INFINITY - 4095]);
            let worst = starts.fold(0.0_f64, |worst, start| {
                let mirrored = walk(kernel, -4096 - start, -1 - start, 97);
                worst.max(walk(kernel, start, start + 4095, 97)).max(mirrored)
            });
            assert!(worst <= 0.501, "{kernel}: {worst}");
        }
    }

    #[test]
    #[ignore = "minutes: every one of the 2³² floats on every kernel; part of the long checks"]
    fn the_sigmoid_is_monotone_in_its_range_and_correctly_rounded_over_every_float() {
        for kernel in kernels() {
            let worst = walk(kernel, -1 - INFINITY, INFINITY, 1);
            println!("{kernel}: {worst} units in the last place");
            assert!(worst <= 0.501, "{kernel}: {worst}");
        }
    }

    #[test]
    fn only_nan_gives_nan() {
        for kernel in kernels() {
            for bits in (0x7f80_0001..=0x7fff_ffff_u32).step_by(99_991) {
                let mut z = [f32::from_bits(bits), f32::from_bits(bits | 0x8000_0000)];
                f32::dispatch(kernel, Sigmoid(&mut z));
                assert!(z.iter().all(|a| a.is_nan()));
            }
        }
    }
}
