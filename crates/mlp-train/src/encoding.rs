//! Target encodings: how a class becomes the bits that a network should answer, and how an answer becomes a class.
//!
//! With the ASCII encoding the digit `7` is its code point 55, written in binary with the most significant bit
//! first: `110111`. Of the 64 answers that six bits can spell, only ten are digits; the other 54 are *invalid*, and
//! a decoder that compares bit by bit must be able to say so. Hence [`Codebook::decode_threshold`] returns an
//! `Option`, while [`Codebook::decode_nearest`] always picks the class whose code is closest.

use std::fmt;

use mlp_core::Real;
use ndarray::Array2;
use rand::RngCore;

use crate::decoding::Decoding;
use crate::error::{Error, Result};
use crate::random::{Stream, generator};

/// How a class is written as bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TargetEncoding {
    /// The character's code point in binary, most significant bit first, in as many bits as the largest code point
    /// among the classes needs: six for digits, seven for letters.
    Ascii,
    /// The index of the class in binary, most significant bit first, in ⌈log₂ n⌉ bits (at least one): four for ten
    /// classes.
    Binary,
    /// One output a class: 1 for the class itself, 0 for the others.
    OneHot,
    /// Codes drawn at random that lie far apart, so that some wrong bits still leave the right code the nearest
    /// (Dietterich & Bakiri 1995). The same number of classes and bits gives the same codes.
    Random {
        /// The length of a code, from 1 to [`MAX_RANDOM_BITS`].
        bits: usize,
    },
}

/// The longest random code, and its length where none is named.
pub const MAX_RANDOM_BITS: usize = 64;
pub(crate) const RANDOM_BITS: usize = 16;
/// How often random codes are drawn for all classes; the best draw is taken.
const N_RANDOM_DRAWS: usize = 2_000;

/// The code of every class of a data set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Codebook {
    /// What the labels 0, 1, 2, … stand for: characters or words. They should differ from each other.
    pub classes: Vec<String>,
    /// One row of bits (0 or 1) for each class: `(n_classes, n_bits)`.
    pub codes: Array2<u8>,
    /// How an answer is read from the outputs.
    pub decoding: Decoding,
}

impl TargetEncoding {
    /// Every encoding, in the order in which they are documented.
    pub const ALL: [Self; 4] = [Self::Ascii, Self::Binary, Self::OneHot, Self::Random { bits: RANDOM_BITS }];

    /// The name in configuration files: `ascii`, `binary`, `one-hot` or `random`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ascii => "ascii",
            Self::Binary => "binary",
            Self::OneHot => "one-hot",
            Self::Random { .. } => "random",
        }
    }

    /// The encoding of that name; random codes have 16 bits.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|encoding| encoding.name() == name)
    }

    /// The length of the codes of `classes`, characters or words: the number of outputs that a network needs. No code is made
    /// for it.
    ///
    /// ```
    /// use mlp_train::TargetEncoding;
    ///
    /// let digits: Vec<char> = ('0'..='9').collect();
    /// assert_eq!(TargetEncoding::ALL.map(|encoding| encoding.n_bits(&digits)), [6, 4, 10, 16]);
    /// assert_eq!(TargetEncoding::OneHot.n_bits(&["setosa", "versicolor", "virginica"]), 3);
    /// ```
    ///
    /// # Panics
    ///
    /// If ASCII codes are asked for and a class is not one character ([`TargetEncoding::check_classes`]).
    pub fn n_bits(self, classes: &[impl ToString]) -> usize {
        match self {
            Self::Ascii => {
                bits_needed(self.characters(classes).into_iter().map(|class| class as u32).max().unwrap_or(0))
            }
            Self::Binary => bits_needed((classes.len() as u32).saturating_sub(1)),
            Self::OneHot => classes.len(),
            Self::Random { bits } => bits,
        }
    }

    /// The codes of `classes`, characters or words, in their order, decoded as the encoding is
    /// ([`TargetEncoding::decoding`]).
    ///
    /// ```
    /// use mlp_train::TargetEncoding;
    ///
    /// let digits: Vec<char> = ('0'..='9').collect();
    /// let codebook = TargetEncoding::Ascii.codebook(&digits);
    /// assert_eq!(codebook.codes.row(7).to_vec(), [1, 1, 0, 1, 1, 1]); // '7' is 55
    /// assert_eq!(codebook.decode_threshold(&[0.9_f32, 0.8, 0.1, 0.7, 0.6, 0.9]), Some(7));
    /// assert_eq!(codebook.decode_threshold(&[0.9_f32, 0.8, 0.9, 0.7, 0.6, 0.9]), None); // '?' is no digit
    ///
    /// let codebook = TargetEncoding::OneHot.codebook(&["setosa", "versicolor", "virginica"]);
    /// assert_eq!(codebook.classes[codebook.decode_nearest(&[0.1_f32, 0.7, 0.2])], "versicolor");
    /// ```
    ///
    /// # Panics
    ///
    /// If ASCII codes are asked for and a class is not one character ([`TargetEncoding::check_classes`]); if random codes are
    /// to have no bits, or more than [`MAX_RANDOM_BITS`] ([`TrainConfig::validate`] refuses that before).
    ///
    /// [`TrainConfig::validate`]: crate::TrainConfig::validate
    pub fn codebook(self, classes: &[impl ToString]) -> Codebook {
        let (n_classes, n_bits) = (classes.len(), self.n_bits(classes));
        let codes = match self {
            Self::Ascii => binary_codes(n_bits, self.characters(classes).into_iter().map(|class| class as u32)),
            Self::Binary => binary_codes(n_bits, 0..n_classes as u32),
            Self::OneHot => Array2::eye(n_classes),
            Self::Random { bits } => binary_codes(bits, random_codes(n_classes, bits).into_iter()),
        };
        Codebook { classes: classes.iter().map(ToString::to_string).collect(), codes, decoding: self.decoding() }
    }

    /// Whether there are codes for such classes.
    ///
    /// ```
    /// use mlp_train::TargetEncoding;
    ///
    /// assert!(TargetEncoding::Ascii.check_classes(&['o', 'i']).is_ok());
    /// let error = TargetEncoding::Ascii.check_classes(&["setosa", "virginica"]).unwrap_err();
    /// assert_eq!(error.key(), Some("encoding"));
    /// ```
    ///
    /// # Errors
    ///
    /// If the codes are to be ASCII, and a class is not one character.
    pub fn check_classes(self, classes: &[impl ToString]) -> Result<()> {
        match classes.iter().map(ToString::to_string).find(|class| only_character(class).is_none()) {
            Some(word) if self == Self::Ascii => {
                let expected = format!("one-hot, binary or random where a class is a word, such as \"{word}\"");
                Err(Error::of_key("encoding", expected, self.name()))
            }
            _ => Ok(()),
        }
    }

    /// The character that each class is.
    fn characters(self, classes: &[impl ToString]) -> Vec<char> {
        let character = |class: &str| {
            only_character(class)
                .unwrap_or_else(|| panic!("a class with an ASCII code is one character, not {class:?}"))
        };
        classes.iter().map(|class| character(&class.to_string())).collect()
    }
}

/// Whether each class is one character, so that all together are written as one text; else they are a list of words.
///
/// ```
/// assert!(mlp_train::are_characters(&["o", "i"]) && !mlp_train::are_characters(&["o", "T-shirt"]));
/// ```
pub fn are_characters(classes: &[impl AsRef<str>]) -> bool {
    classes.iter().all(|class| only_character(class.as_ref()).is_some())
}

fn only_character(class: &str) -> Option<char> {
    let mut characters = class.chars();
    characters.next().filter(|_| characters.next().is_none())
}

impl fmt::Display for TargetEncoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl Codebook {
    /// The number of classes.
    pub fn n_classes(&self) -> usize {
        self.codes.nrows()
    }

    /// The number of bits of a code: the number of outputs that a network needs.
    pub fn n_bits(&self) -> usize {
        self.codes.ncols()
    }

    /// Reads each output as a bit, 1 from a half upwards, and returns the class with exactly these bits, if any.
    ///
    /// # Panics
    ///
    /// If there are not `n_bits` outputs.
    pub fn decode_threshold<F: Real>(&self, outputs: &[F]) -> Option<usize> {
        self.check_length(outputs.len());
        self.codes
            .rows()
            .into_iter()
            .position(|code| code.iter().zip(outputs).all(|(&bit, &output)| is_one(output) == (bit != 0)))
    }

    /// The class whose code is nearest to the outputs in Euclidean distance; of several at the same distance the
    /// first.
    ///
    /// # Panics
    ///
    /// If there are not `n_bits` outputs, or no classes.
    pub fn decode_nearest<F: Real>(&self, outputs: &[F]) -> usize {
        self.check_length(outputs.len());
        assert!(self.n_classes() > 0, "a codebook without classes has no nearest code");
        let mut nearest = (0, f64::INFINITY);
        for class in 0..self.n_classes() {
            let distance = self.squared_distance(class, outputs);
            if distance < nearest.1 {
                nearest = (class, distance);
            }
        }
        nearest.0
    }

    /// Every class with the Euclidean distance of its code from the outputs, the nearest first; of several at the same
    /// distance, in their order.
    ///
    /// # Panics
    ///
    /// If there are not `n_bits` outputs.
    pub fn ranking<F: Real>(&self, outputs: &[F]) -> Vec<(usize, f64)> {
        self.check_length(outputs.len());
        let squares = (0..self.n_classes()).map(|class| (class, self.squared_distance(class, outputs)));
        let mut ranking: Vec<(usize, f64)> = squares.collect();
        ranking.sort_by(|one, other| one.1.total_cmp(&other.1));
        ranking.into_iter().map(|(class, square)| (class, square.sqrt())).collect()
    }

    fn squared_distance<F: Real>(&self, class: usize, outputs: &[F]) -> f64 {
        let differences = self.codes.row(class).into_iter().zip(outputs);
        differences
            .map(|(&bit, &output)| {
                let difference = output.widen() - f64::from(bit);
                difference * difference
            })
            .sum()
    }

    fn check_length(&self, n_outputs: usize) {
        assert!(n_outputs == self.n_bits(), "{n_outputs} outputs cannot be decoded by codes of {} bits", self.n_bits());
    }
}

/// Whether an output counts as the bit 1.
pub(crate) fn is_one<F: Real>(output: F) -> bool {
    output.widen() >= 0.5
}

/// Of many draws the first whose two nearest codes are farthest apart.
fn random_codes(n_classes: usize, n_bits: usize) -> Vec<u64> {
    assert!((1..=MAX_RANDOM_BITS).contains(&n_bits), "random codes have 1 to {MAX_RANDOM_BITS} bits, not {n_bits}");
    let mut rng = generator(0, Stream::Codes);
    let mut draw = || (0..n_classes).map(|_| rng.next_u64() >> (MAX_RANDOM_BITS - n_bits)).collect::<Vec<u64>>();
    let mut best = (None, Vec::new());
    for _ in 0..N_RANDOM_DRAWS {
        let codes = draw();
        let distance = least_distance(&codes);
        if best.0.is_none_or(|least| distance > least) {
            best = (Some(distance), codes);
        }
    }
    best.1
}

/// The number of bits in which the two most similar codes differ.
fn least_distance(codes: &[u64]) -> u32 {
    let pairs = codes.iter().enumerate().flat_map(|(i, one)| codes[..i].iter().map(move |other| one ^ other));
    pairs.map(u64::count_ones).min().unwrap_or(u32::MAX)
}

fn bits_needed(largest: u32) -> usize {
    (u32::BITS - largest.leading_zeros()).max(1) as usize
}

fn binary_codes<N: Into<u64>>(n_bits: usize, numbers: impl ExactSizeIterator<Item = N>) -> Array2<u8> {
    let mut codes = Array2::zeros((numbers.len(), n_bits));
    for (mut code, number) in codes.rows_mut().into_iter().zip(numbers) {
        let number = number.into();
        for (position, bit) in code.iter_mut().enumerate() {
            *bit = (number >> (n_bits - 1 - position) & 1) as u8;
        }
    }
    codes
}
