//! What is done to an image of an epoch: drawn from a stream of its own.

use rand::RngCore;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use crate::random::Stream;

/// Numbers from −1 to 1, one for each strength. They are drawn whether or not a strength is used, so that changing one
/// leaves what is drawn for the others alone.
pub(super) struct Draws {
    pub(super) rotate: f64,
    pub(super) shear: f64,
    pub(super) scale: [f64; 2],
    pub(super) shift: [f64; 2],
    pub(super) thickness: f64,
}

/// The bytes that these take, with room for one more.
pub(super) const BYTES_OF_DRAWS: usize = 8 * 4;

/// Words of a stream that belong to one sample.
const WORDS_PER_SAMPLE: u32 = 32;

/// Purposes of streams are below 2⁸; the epoch is above.
const EPOCH_SHIFT: u32 = 8;

/// Fills `bytes` with those of a sample in an epoch, counted from 1.
pub(super) fn fill(base: &ChaCha8Rng, (epoch, sample): (usize, usize), bytes: &mut [u8]) {
    let mut rng = base.clone();
    rng.set_stream(((epoch as u64) << EPOCH_SHIFT) | Stream::Augmentation as u64);
    rng.set_word_pos((sample as u128) << WORDS_PER_SAMPLE);
    rng.fill_bytes(bytes);
}

/// What [`fill`] starts from.
pub(super) fn base(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

impl Draws {
    pub(super) fn new(bytes: &[u8]) -> Self {
        let number = |index: usize| {
            let word = bytes[4 * index..][..4].try_into().expect("four bytes");
            // (2w + 1 − 2³²) / 2³²: as often above 0 as below, and never 0.
            (2.0 * f64::from(u32::from_le_bytes(word)) + 1.0) / 4_294_967_296.0 - 1.0
        };
        Self {
            rotate: number(0),
            shear: number(1),
            scale: [number(2), number(3)],
            shift: [number(4), number(5)],
            thickness: number(6),
        }
    }
}

/// Two bytes as a number from −1 to 1: (2w + 1 − 2¹⁶) / 2¹⁶.
#[inline]
pub(super) fn signed_unit(low: u8, high: u8) -> f32 {
    f32::from(u16::from_le_bytes([low, high])) * (2.0 / 65_536.0) - (1.0 - 1.0 / 65_536.0)
}
