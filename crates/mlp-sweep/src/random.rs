//! Whole numbers from random bits.

/// A number from 0 to `bound` − 1, by widening multiplication: each takes exactly one draw.
pub(crate) fn below(bound: u64, random: u64) -> u64 {
    ((u128::from(random) * u128::from(bound)) >> 64) as u64
}
