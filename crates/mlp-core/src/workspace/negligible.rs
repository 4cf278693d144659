//! What is too small to matter is zero, so that no product of two numbers is subnormal ([`Real::NEGLIGIBLE`]).

use crate::activation::flush;
use crate::real::Real;

/// Zero for what is too small to matter; NaN stays NaN.
#[inline(always)]
pub(super) fn flush_negligible<F: Real>(value: F) -> F {
    flush(value, F::NEGLIGIBLE)
}

/// Zero for what is too small to matter.
#[inline(always)]
pub(super) fn flush_all_negligible<F: Real>(values: &mut [F]) {
    for value in values {
        // A product, and 0 for −0: for a choice between two numbers the compiler would write only where something changes,
        // by an instruction that takes ten times as long on some processors.
        let is_kept = if value.abs() < F::NEGLIGIBLE { F::zero() } else { F::one() };
        *value = *value * is_kept + F::zero();
    }
}
