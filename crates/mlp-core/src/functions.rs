//! The exponential and the functions made of it, the same bits on every platform of one kernel level.
//!
//! The standard library takes `exp` and `tanh` from the system, so their last digits change from one system to the
//! next, and a trained network with them. These are our own, in double precision, without branches, so that the
//! compiler turns a loop over them into vector instructions. A single-precision result is computed in double precision
//! and rounded once.
//!
//! `FUSED` says whether `a·b + c` is rounded once (processors with fused multiply-add) or twice. It is the only thing
//! in which the kernel levels differ.

const LOG2_E: f64 = std::f64::consts::LOG2_E;
/// ln 2 in two parts: the first has zeros at the end, so that its product with a small integer is exact.
const LN_2_HIGH: f64 = 6.931_471_803_691_238e-1;
const LN_2_LOW: f64 = 1.908_214_929_270_587_7e-10;
/// Adding and subtracting 1.5 · 2⁵² rounds to the nearest integer, and leaves that integer in the low bits between.
const ROUNDER: f64 = 6_755_399_441_055_744.0;

#[inline(always)]
pub(crate) fn multiply_add<const FUSED: bool>(a: f64, b: f64, c: f64) -> f64 {
    if FUSED { a.mul_add(b, c) } else { a * b + c }
}

/// 1/n! for n = 13 down to 0: the Taylor series of the exponential. At |r| ≤ ln 2 / 2 the first term left out is
/// 4e-18.
const INVERSE_FACTORIALS: [f64; 14] = [
    1.0 / 6_227_020_800.0,
    1.0 / 479_001_600.0,
    1.0 / 39_916_800.0,
    1.0 / 3_628_800.0,
    1.0 / 362_880.0,
    1.0 / 40_320.0,
    1.0 / 5_040.0,
    1.0 / 720.0,
    1.0 / 120.0,
    1.0 / 24.0,
    1.0 / 6.0,
    0.5,
    1.0,
    1.0,
];

/// eˣ for some x ≤ 0, step by step for all of them: while the processor waits for one, it continues with the others. Below −708
/// the result is 0: soon it would be subnormal. NaN stays NaN.
///
/// With k = round(x / ln 2) and r = x − k·ln 2, eˣ = 2ᵏ·eʳ.
#[inline(always)]
pub(crate) fn exp_of_negative<const FUSED: bool, const N: usize>(x: [f64; N]) -> [f64; N] {
    // Loops, not closures: those would not become vector instructions.
    let (mut shifted, mut r, mut result) = ([0.0; N], [0.0; N], [0.0; N]);
    for lane in 0..N {
        let clamped = if x[lane] < -708.0 { -708.0 } else { x[lane] };
        shifted[lane] = multiply_add::<FUSED>(clamped, LOG2_E, ROUNDER);
        let k = shifted[lane] - ROUNDER;
        r[lane] = multiply_add::<FUSED>(k, -LN_2_LOW, multiply_add::<FUSED>(k, -LN_2_HIGH, clamped));
    }
    let mut series = [INVERSE_FACTORIALS[0]; N];
    for coefficient in &INVERSE_FACTORIALS[1..] {
        for lane in 0..N {
            series[lane] = multiply_add::<FUSED>(series[lane], r[lane], *coefficient);
        }
    }
    for lane in 0..N {
        let power_of_two = f64::from_bits(shifted[lane].to_bits().wrapping_add(1023) << 52);
        result[lane] = if x[lane] < -708.0 { 0.0 } else { series[lane] * power_of_two };
    }
    result
}

/// σ(x) = 1 / (1 + e⁻ˣ) for some x, from e^(−|x|), which cannot overflow.
#[inline(always)]
pub(crate) fn sigmoid<const FUSED: bool, const N: usize>(x: [f64; N]) -> [f64; N] {
    let mut result = exp_of_negative::<FUSED, N>(x.map(|x| -x.abs()));
    for (e, x) in result.iter_mut().zip(x) {
        let numerator = if x < 0.0 { *e } else { 1.0 };
        *e = numerator / (1.0 + *e);
    }
    result
}

/// tanh(x) = (1 − e^(−2|x|)) / (1 + e^(−2|x|)) with the sign of x; near 0, where that difference would lose its digits,
/// the Taylor series. The relative error is below 2e-15.
#[inline(always)]
pub(crate) fn tanh<const FUSED: bool>(x: f64) -> f64 {
    /// The coefficients of x¹³, x¹¹, … x³ over x.
    const SERIES: [f64; 6] =
        [21_844.0 / 6_081_075.0, -1_382.0 / 155_925.0, 62.0 / 2_835.0, -17.0 / 315.0, 2.0 / 15.0, -1.0 / 3.0];
    let [e] = exp_of_negative::<FUSED, 1>([-2.0 * x.abs()]);
    let far = ((1.0 - e) / (1.0 + e)).copysign(x);
    let square = x * x;
    let mut series = SERIES[0];
    for coefficient in &SERIES[1..] {
        series = multiply_add::<FUSED>(series, square, *coefficient);
    }
    let near = multiply_add::<FUSED>(x * square, series, x);
    if x.abs() < 0.1 { near } else { far }
}

/// ln(1 + eˣ), without overflow and without loss for large |x|. Not vectorised: it serves loss values only.
pub(crate) fn softplus(x: f64) -> f64 {
    x.max(0.0) + libm::log1p(libm::exp(-x.abs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exponential_is_within_two_units_in_the_last_place_of_a_second_implementation() {
        let mut worst = 0_u64;
        for step in 0..2_000_000_u32 {
            let x = -708.0 * f64::from(step) / 2_000_000.0;
            let expected = libm::exp(x);
            for [ours] in [exp_of_negative::<true, 1>([x]), exp_of_negative::<false, 1>([x])] {
                worst = worst.max(ours.to_bits().abs_diff(expected.to_bits()));
            }
        }
        assert!(worst <= 2, "{worst} ulp");
    }

    #[test]
    fn tanh_is_close_to_a_second_implementation_near_zero_and_far_from_it() {
        for step in -400_000..=400_000_i32 {
            let x = f64::from(step) / 20_000.0;
            let expected = libm::tanh(x);
            let error = (tanh::<true>(x) - expected).abs();
            assert!(error <= 2e-15 * expected.abs(), "tanh({x}) is off by {error:e}");
        }
    }

    #[test]
    fn the_limits_are_exact_and_nan_stays_nan() {
        for fused in [sigmoid::<true, 6>, sigmoid::<false, 6>] {
            let results = fused([0.0, f64::INFINITY, f64::NEG_INFINITY, 1e300, -1e300, f64::NAN]);
            assert_eq!(results[..5], [0.5, 1.0, 0.0, 1.0, 0.0]);
            assert!(results[5].is_nan());
        }
        assert_eq!(tanh::<true>(f64::INFINITY), 1.0);
        assert_eq!(tanh::<true>(f64::NEG_INFINITY), -1.0);
        assert_eq!(tanh::<true>(0.0), 0.0);
        assert!(tanh::<true>(f64::NAN).is_nan());
    }

    #[test]
    fn softplus_neither_overflows_nor_vanishes() {
        assert_eq!(softplus(1e4), 1e4);
        assert_eq!(softplus(0.0), std::f64::consts::LN_2);
        assert!(softplus(-700.0) > 0.0);
    }
}
