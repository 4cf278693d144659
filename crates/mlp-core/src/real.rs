//! The two number types that a network can compute in.

use crate::kernel::simd::Lanes;

/// `f32` or `f64`: the type of every weight, activation and gradient.
///
/// `f32` trains fast; `f64` serves gradient checks and replicas of programs that compute in it. The trait is sealed:
/// the numerical promises of this crate are proved for these two types only.
pub trait Real: Lanes {
    /// The square root of the smallest normal number, 1e-19 in `f32` and 1e-154 in `f64`. In training, activations of hidden
    /// layers, deltas, gradients and weights after a step (but see [`GradientSink`](crate::GradientSink)) are taken as 0 below
    /// it: then no product of two of them is subnormal, and arithmetic on subnormal numbers is many times slower on some
    /// processors.
    const NEGLIGIBLE: Self;

    /// The nearest value to a double.
    fn narrow(value: f64) -> Self;

    /// The same value as a double; exact.
    fn widen(self) -> f64;

    /// The exact conversion of a small count or grey level.
    fn from_u8(value: u8) -> Self;

    /// True where the exponent bits mark an infinity or a NaN; free of branches, so that loops over it vectorise.
    #[doc(hidden)]
    fn is_not_finite(self) -> bool;
}

impl Real for f32 {
    /// 2⁻⁶³
    const NEGLIGIBLE: f32 = f32::from_bits((127 - 63) << 23);

    #[inline(always)]
    fn narrow(value: f64) -> f32 {
        value as f32
    }

    #[inline(always)]
    fn widen(self) -> f64 {
        f64::from(self)
    }

    #[inline(always)]
    fn from_u8(value: u8) -> f32 {
        f32::from(value)
    }

    #[inline(always)]
    fn is_not_finite(self) -> bool {
        const EXPONENT: u32 = 0x7f80_0000;
        self.to_bits() & EXPONENT == EXPONENT
    }
}

impl Real for f64 {
    /// 2⁻⁵¹¹
    const NEGLIGIBLE: f64 = f64::from_bits((1023 - 511) << 52);

    #[inline(always)]
    fn narrow(value: f64) -> f64 {
        value
    }

    #[inline(always)]
    fn widen(self) -> f64 {
        self
    }

    #[inline(always)]
    fn from_u8(value: u8) -> f64 {
        f64::from(value)
    }

    #[inline(always)]
    fn is_not_finite(self) -> bool {
        const EXPONENT: u64 = 0x7ff0_0000_0000_0000;
        self.to_bits() & EXPONENT == EXPONENT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_product_of_two_numbers_that_are_not_negligible_is_normal() {
        assert_eq!(f32::NEGLIGIBLE * f32::NEGLIGIBLE, f32::MIN_POSITIVE);
        assert_eq!(f64::NEGLIGIBLE * f64::NEGLIGIBLE, f64::MIN_POSITIVE);
    }
}
