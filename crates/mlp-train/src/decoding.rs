//! How the outputs of a network become its answer.

use std::fmt;

use mlp_core::Real;

use crate::encoding::{Codebook, TargetEncoding};

/// How an answer is read from the outputs.
///
/// [`EpochMetrics::accuracy`](crate::EpochMetrics::accuracy), the confusion matrix and the mistakes follow it. Where nobody
/// chooses, the encoding does ([`TargetEncoding::decoding`]): with one output a class the answer is the class of the
/// largest output, as everybody takes it; with codes, the class that the bits spell, if any.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Decoding {
    /// The class whose code the outputs are exactly, each read as 1 from a half upwards. Other answers are *invalid*: no
    /// class at all.
    Exact,
    /// The class whose code is nearest to the outputs in Euclidean distance; with one output a class that is the class of
    /// the largest output, since ‖a − e_k‖² = ‖a‖² + 1 − 2·a_k. There is always an answer.
    Nearest,
}

impl Decoding {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Exact, Self::Nearest];

    /// The name in configuration files: `exact` or `nearest`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Nearest => "nearest",
        }
    }

    /// The decoding of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|decoding| decoding.name() == name)
    }
}

impl fmt::Display for Decoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl TargetEncoding {
    /// How answers are read where a configuration does not say.
    pub fn decoding(self) -> Decoding {
        match self {
            Self::OneHot => Decoding::Nearest,
            Self::Ascii | Self::Binary | Self::Random { .. } => Decoding::Exact,
        }
    }
}

impl Codebook {
    /// The same codes, with answers read like this.
    #[must_use]
    pub fn decoded_by(self, decoding: Decoding) -> Self {
        Self { decoding, ..self }
    }

    /// Whether each output stands for one class.
    pub fn has_one_output_a_class(&self) -> bool {
        self.n_bits() == self.n_classes() && self.codes.rows().into_iter().all(|code| code.sum() == 1)
    }

    /// The class that the outputs answer, by this codebook's [`decoding`](field@Self::decoding); `None` for an invalid answer.
    ///
    /// # Panics
    ///
    /// If there are not `n_bits` outputs, or no classes.
    ///
    /// ```
    /// use mlp_train::{Decoding, TargetEncoding};
    ///
    /// let outputs = [0.1_f32, 0.4, 0.3]; // no output of a half or more
    /// let codebook = TargetEncoding::OneHot.codebook(&['a', 'b', 'c']);
    /// assert_eq!(codebook.decode(&outputs), Some(1));
    /// assert_eq!(codebook.decoded_by(Decoding::Exact).decode(&outputs), None);
    /// ```
    pub fn decode<F: Real>(&self, outputs: &[F]) -> Option<usize> {
        match self.decoding {
            Decoding::Exact => self.decode_threshold(outputs),
            Decoding::Nearest => Some(self.decode_nearest(outputs)),
        }
    }
}
