//! Pictures as people have them, made from digits: what `bench --pictures` reads.
//!
//! A kind is one thing that is difficult about pictures (a frame round the digit, a shadow, no margin), in three
//! difficulties. Everything follows from the seed, so two programs can be compared on the same pictures.

mod canvas;
mod digit;
mod kind;
mod scene;

use std::fs;
use std::path::{Path, PathBuf};

use mnist_io::LabeledImages;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

pub(crate) use kind::Kind;

/// Difficulties of a kind: easy, middling, hard.
pub(crate) const N_DIFFICULTIES: usize = 3;

/// One picture of the set.
pub(crate) struct Picture {
    pub(crate) kind: Kind,
    /// From 0 to 2.
    pub(crate) difficulty: usize,
    /// What is written on it, or none where it must be refused.
    pub(crate) answer: Option<String>,
    /// The file, below the folder of the set.
    pub(crate) path: PathBuf,
}

/// Draws `n_each` pictures of every kind and difficulty into `folder`, and says what is on each. The digits are those of
/// `digits`, taken in turn.
pub(crate) fn make(
    digits: &[&LabeledImages],
    n_each: usize,
    seed: u64,
    folder: &Path,
) -> std::io::Result<Vec<Picture>> {
    let mut pictures = Vec::new();
    for (number, kind) in Kind::ALL.into_iter().enumerate() {
        let below = folder.join(kind.name());
        fs::create_dir_all(&below)?;
        for difficulty in 0..N_DIFFICULTIES {
            for index in 0..n_each {
                let mut dice = Dice::new(seed, (number * N_DIFFICULTIES + difficulty) as u64, index as u64);
                // One in four is a digit of the last set.
                let set = digits[if index % 4 == 3 { digits.len() - 1 } else { 0 }];
                let drawn = kind.draw(set, difficulty, &mut dice);
                let answer = drawn.answer.as_deref().unwrap_or("none");
                let path = below.join(format!("{difficulty}-{index:02}-{answer}.{}", drawn.ending));
                fs::write(&path, &drawn.bytes)?;
                pictures.push(Picture { kind, difficulty, answer: drawn.answer, path });
            }
        }
    }
    Ok(pictures)
}

/// Random numbers of one picture.
pub(crate) struct Dice(ChaCha8Rng);

impl Dice {
    fn new(seed: u64, case: u64, index: u64) -> Self {
        let mut key = [0_u8; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        key[8..16].copy_from_slice(&case.to_le_bytes());
        let mut generator = ChaCha8Rng::from_seed(key);
        generator.set_stream(index);
        Self(generator)
    }

    /// Uniform from `low` to `high`.
    pub(crate) fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * (self.0.next_u32() >> 8) as f32 / (1 << 24) as f32
    }

    /// From 0 to `n` − 1.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        ((u64::from(self.0.next_u32()) * n as u64) >> 32) as usize
    }

    /// About normal with deviation 1: the sum of four uniform numbers.
    pub(crate) fn normal(&mut self) -> f32 {
        let word = self.0.next_u64();
        let sum: f32 = (0..4).map(|part| ((word >> (16 * part)) & 0xffff) as f32 / 65536.0).sum();
        (sum - 2.0) * 1.732
    }
}
