//! Random numbers whose every bit is fixed: ChaCha8 and our own draws from it, so that no release of a library
//! changes a data set.

use rand::{RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// What a generator is used for. Each purpose has streams of its own, so that the same seed may serve all of them.
#[derive(Clone, Copy)]
pub(crate) enum Purpose {
    Subset = 1,
    Disturbance = 2,
    SyntheticShape = 3,
    SyntheticOrder = 4,
    Split = 5,
}

/// The generator of item `index` under `seed`. Items are streams of one key, so any of them can be made alone.
pub(crate) fn generator(seed: u64, purpose: Purpose, index: u64) -> ChaCha8Rng {
    let mut key = [0_u8; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    key[8] = purpose as u8;
    let mut generator = ChaCha8Rng::from_seed(key);
    generator.set_stream(index);
    generator
}

/// Uniform in [0, 1), a multiple of 2⁻⁵³.
pub(crate) fn uniform(generator: &mut ChaCha8Rng) -> f64 {
    (generator.next_u64() >> 11) as f64 * (1.0 / (1_u64 << 53) as f64)
}

/// Uniform in [low, high).
pub(crate) fn uniform_in(generator: &mut ChaCha8Rng, low: f64, high: f64) -> f64 {
    low + (high - low) * uniform(generator)
}

/// Uniform in 0..n; n must not be 0. The multiplication maps 64 random bits to the range; its bias is at most n/2⁶⁴.
pub(crate) fn below(generator: &mut ChaCha8Rng, n: usize) -> usize {
    ((u128::from(generator.next_u64()) * n as u128) >> 64) as usize
}

/// Two independent draws from the normal distribution with mean 0 and deviation 1 (Box and Muller 1958).
pub(crate) fn normal_pair(generator: &mut ChaCha8Rng) -> (f64, f64) {
    // 1 − u lies in (0, 1], so the logarithm is finite.
    let radius = libm::sqrt(-2.0 * libm::log(1.0 - uniform(generator)));
    let (sine, cosine) = libm::sincos(std::f64::consts::TAU * uniform(generator));
    (radius * cosine, radius * sine)
}
