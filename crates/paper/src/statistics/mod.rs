//! What follows from scores: effects with their uncertainty ([`Effect`], [`Paired`]) and verdicts on a family of them
//! ([`judge`]).
//!
//! Mean, variance and Student's distribution are in `basics`; everything else rests on them.

pub(crate) mod basics;
mod effect;
mod paired;
mod verdict;

pub use self::effect::Effect;
pub use self::paired::Paired;
pub use self::verdict::{Judged, Verdict, judge};

use self::basics::NORMAL_975;

/// The interval of a share of `n` that were so, by Wilson's formula at 95 % (Wilson 1927).
pub(crate) fn share_interval(n_so: usize, n: usize) -> (f64, f64) {
    if n == 0 {
        return (0.0, 1.0);
    }
    let (n, share, z) = (n as f64, n_so as f64 / n as f64, NORMAL_975);
    let middle = (share + z * z / (2.0 * n)) / (1.0 + z * z / n);
    let reach = z / (1.0 + z * z / n) * (share * (1.0 - share) / n + z * z / (4.0 * n * n)).sqrt();
    ((middle - reach).max(0.0), (middle + reach).min(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_have_wilson_s_interval() {
        // Brown, Cai & DasGupta 2001: 0 of 10 reaches to 0.2775.
        let (low, high) = share_interval(0, 10);
        assert!(low == 0.0 && (high - 0.2775).abs() < 1e-3, "{high}");
    }
}
