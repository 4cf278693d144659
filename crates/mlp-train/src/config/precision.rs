//! The type of numbers.

use std::fmt;

use mlp_core::Real;

/// The type of numbers a network computes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Precision {
    /// Single precision.
    F32,
    /// Double precision, as NumPy computes.
    F64,
    /// Single precision, but for the matrix products of training: their factors are rounded to bf16, eight bits of each
    /// number, and their products summed in single precision
    /// ([`Workspace::with_bf16_products`](mlp_core::Workspace::with_bf16_products)). Weights, the optimiser's state and
    /// everything that is measured or saved are in single precision.
    Bf16,
}

impl Precision {
    /// Every precision.
    pub const ALL: [Self; 3] = [Self::F32, Self::F64, Self::Bf16];

    /// The precision of a type of numbers, in which nothing is rounded further.
    pub fn of<F: Real>() -> Self {
        if size_of::<F>() == size_of::<f32>() { Self::F32 } else { Self::F64 }
    }

    /// That of the numbers that are kept: weights, and what a model file holds.
    pub fn kept(self) -> Self {
        match self {
            Self::F32 | Self::Bf16 => Self::F32,
            Self::F64 => Self::F64,
        }
    }

    /// The name in configuration files: `f32`, `f64` or `bf16`.
    pub fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::F64 => "f64",
            Self::Bf16 => "bf16",
        }
    }

    /// The precision of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|precision| precision.name() == name)
    }

    /// The bytes of one number that is kept.
    pub fn n_bytes(self) -> usize {
        match self {
            Self::F32 | Self::Bf16 => 4,
            Self::F64 => 8,
        }
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
