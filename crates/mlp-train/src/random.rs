//! Every random choice of a run: a stream for each purpose, all from one seed, so that changing one choice leaves the
//! others alone.

use rand::RngCore;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

/// What random numbers are drawn for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stream {
    /// The weights before training.
    Initialization = 0,
    /// The order of the samples.
    Shuffling = 1,
    /// Which samples are split off for validation.
    Validation = 2,
    /// Random target codes.
    Codes = 3,
    /// Which rows of a table are tested on.
    Testing = 4,
    /// What dropout leaves out.
    Dropout = 5,
    /// How training images are deformed. With the number of the epoch above it (see `augmentation/draw.rs`).
    Augmentation = 6,
}

/// Words of the shuffling stream that belong to one epoch; a shuffle of n samples takes 2 (n − 1).
const WORDS_PER_EPOCH: u32 = 40;

/// Words of the stream of dropout that belong to one step, as a power of two: a block of ChaCha.
const WORDS_PER_STEP: u32 = 4;

/// The generator of one stream.
pub(crate) fn generator(seed: u64, stream: Stream) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(stream as u64);
    rng
}

/// Puts the training samples into the order of one epoch, counted from 1.
///
/// The order depends on the seed, the epoch and the samples alone, not on the epochs before: `order` is expected to be
/// in its original order. So a run that is taken up again needs to know no more than its epoch.
pub fn shuffle_for_epoch(order: &mut [usize], seed: u64, epoch: usize) {
    let mut rng = generator(seed, Stream::Shuffling);
    rng.set_word_pos((epoch as u128) << WORDS_PER_EPOCH);
    shuffle(order, &mut rng);
}

/// The key of what dropout leaves out of one step, counted from 1 since the start of the run. It depends on the seed and the
/// step alone; what is left out of which sample then depends on its place in the batch
/// ([`Masks`](mlp_core::Masks)). So a run that is taken up again needs to know no more than its step.
///
/// ```
/// use mlp_train::dropout_key;
/// use mlp_train::mlp_core::Dropout;
///
/// // What a run with the seed 5 leaves out of its third step, of 4 samples in a hidden layer of 8 units.
/// let dropout = Dropout::new(0.2, &[0.5]);
/// let factors = dropout.masks(dropout_key(5, 3)).factors::<f32>(1, 4, 8);
/// # assert_eq!(factors.dim(), (4, 8));
/// ```
pub fn dropout_key(seed: u64, step: u64) -> u64 {
    let mut rng = generator(seed, Stream::Dropout);
    rng.set_word_pos(u128::from(step) << WORDS_PER_STEP);
    rng.next_u64()
}

/// Fisher and Yates's shuffle, from the end (Knuth, The Art of Computer Programming, vol. 2, algorithm 3.4.2 P).
pub(crate) fn shuffle(order: &mut [usize], rng: &mut impl RngCore) {
    for last in (1..order.len()).rev() {
        order.swap(last, below(last as u64 + 1, rng) as usize);
    }
}

/// A number from 0 to `bound` − 1, by widening multiplication. Numbers differ in probability by less than bound / 2⁶⁴,
/// and each takes exactly one draw, whatever its value.
fn below(bound: u64, rng: &mut impl RngCore) -> u64 {
    ((u128::from(rng.next_u64()) * u128::from(bound)) >> 64) as u64
}
