//! How weights are drawn before training.

use std::fmt;

use ndarray::Array2;
use ndarray_rand::RandomExt;
use ndarray_rand::rand_distr::{StandardNormal, Uniform};
use rand::Rng;

use crate::real::Real;

/// The distribution of a layer's weights before training; biases begin at 0.
///
/// With n inputs and m outputs of the layer:
///
/// | initialiser | distribution | made for |
/// |---|---|---|
/// | uniform-0-1 | uniform in [0, 1) | NumPy's `random.rand`; with it the net inputs of a wide layer saturate a sigmoid |
/// | uniform | uniform in [low, high) | |
/// | normal | normal(mean, deviation²) | |
/// | glorot-uniform | uniform in ±√(6 / (n + m)) | tanh, sigmoid (Glorot & Bengio 2010, eq. 16) |
/// | glorot-normal | normal, variance 2 / (n + m) | the same (eq. 12) |
/// | lecun-uniform | uniform in ±√(3 / n) | tanh (LeCun, Bottou, Orr & Müller 1998, section 4.6) |
/// | lecun-normal | normal, variance 1 / n | the same |
/// | he-uniform | uniform in ±√(6 / n) | ReLU (He, Zhang, Ren & Sun 2015, eq. 10) |
/// | he-normal | normal, variance 2 / n | the same |
///
/// The last six take a gain, which multiplies the deviation. A sigmoid has slope ¼ where it is steepest, so a deep stack
/// of sigmoids passes a signal on only with a gain of about 2 to 4; see `docs/mathematics.md`.
///
/// Draws are made in double precision, row by row, and rounded to the type of the weights, so that an `f32` and an
/// `f64` network from one seed begin at the same point.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Initializer {
    /// Uniform in [0, 1).
    Uniform01,
    /// Uniform in [low, high).
    Uniform {
        /// The least weight.
        low: f64,
        /// The bound that no weight reaches.
        high: f64,
    },
    /// Normal.
    Normal {
        /// The mean.
        mean: f64,
        /// The standard deviation.
        deviation: f64,
    },
    /// Glorot's, uniform.
    GlorotUniform {
        /// What the deviation is multiplied by; 1 as published.
        gain: f64,
    },
    /// Glorot's, normal.
    GlorotNormal {
        /// What the deviation is multiplied by; 1 as published.
        gain: f64,
    },
    /// LeCun's, uniform.
    LecunUniform {
        /// What the deviation is multiplied by; 1 as published.
        gain: f64,
    },
    /// LeCun's, normal.
    LecunNormal {
        /// What the deviation is multiplied by; 1 as published.
        gain: f64,
    },
    /// He's, uniform.
    HeUniform {
        /// What the deviation is multiplied by; 1 as published.
        gain: f64,
    },
    /// He's, normal.
    HeNormal {
        /// What the deviation is multiplied by; 1 as published.
        gain: f64,
    },
}

/// A distribution with its parameters worked out for one layer.
enum Draw {
    Uniform { low: f64, high: f64 },
    Normal { mean: f64, deviation: f64 },
}

impl Initializer {
    /// Glorot's, uniform, as published.
    pub const GLOROT_UNIFORM: Initializer = Initializer::GlorotUniform { gain: 1.0 };
    /// Glorot's, normal, as published.
    pub const GLOROT_NORMAL: Initializer = Initializer::GlorotNormal { gain: 1.0 };
    /// LeCun's, uniform, as published.
    pub const LECUN_UNIFORM: Initializer = Initializer::LecunUniform { gain: 1.0 };
    /// LeCun's, normal, as published.
    pub const LECUN_NORMAL: Initializer = Initializer::LecunNormal { gain: 1.0 };
    /// He's, uniform, as published.
    pub const HE_UNIFORM: Initializer = Initializer::HeUniform { gain: 1.0 };
    /// He's, normal, as published.
    pub const HE_NORMAL: Initializer = Initializer::HeNormal { gain: 1.0 };

    /// The name in configurations and files.
    pub fn name(self) -> &'static str {
        match self {
            Initializer::Uniform01 => "uniform-0-1",
            Initializer::Uniform { .. } => "uniform",
            Initializer::Normal { .. } => "normal",
            Initializer::GlorotUniform { .. } => "glorot-uniform",
            Initializer::GlorotNormal { .. } => "glorot-normal",
            Initializer::LecunUniform { .. } => "lecun-uniform",
            Initializer::LecunNormal { .. } => "lecun-normal",
            Initializer::HeUniform { .. } => "he-uniform",
            Initializer::HeNormal { .. } => "he-normal",
        }
    }

    /// The gain, of those that have one.
    pub fn gain(self) -> Option<f64> {
        match self {
            Initializer::GlorotUniform { gain }
            | Initializer::GlorotNormal { gain }
            | Initializer::LecunUniform { gain }
            | Initializer::LecunNormal { gain }
            | Initializer::HeUniform { gain }
            | Initializer::HeNormal { gain } => Some(gain),
            Initializer::Uniform01 | Initializer::Uniform { .. } | Initializer::Normal { .. } => None,
        }
    }

    /// Draws the weights of a layer, shape `(n_inputs, n_outputs)`.
    ///
    /// # Panics
    /// Where `low < high` does not hold, a deviation is negative, or a gain is not above 0, or one of them is not finite.
    pub fn weights<F: Real>(self, n_inputs: usize, n_outputs: usize, rng: &mut impl Rng) -> Array2<F> {
        let shape = (n_inputs, n_outputs);
        let drawn = match self.draw(n_inputs as f64, n_outputs as f64) {
            Draw::Uniform { low, high } => {
                let distribution = Uniform::new(low, high)
                    .unwrap_or_else(|_| panic!("uniform weights need finite low < high, not {low} and {high}"));
                Array2::random_using(shape, distribution, rng)
            }
            Draw::Normal { mean, deviation } => {
                assert!(
                    mean.is_finite() && deviation.is_finite() && deviation >= 0.0,
                    "normal weights need a finite mean and a finite deviation of at least 0, not {mean} and {deviation}"
                );
                Array2::random_using(shape, StandardNormal, rng).mapv(|draw: f64| mean + deviation * draw)
            }
        };
        drawn.mapv(F::narrow)
    }

    fn draw(self, n: f64, m: f64) -> Draw {
        let symmetric = |bound: f64| Draw::Uniform { low: -bound, high: bound };
        let centred = |deviation: f64| Draw::Normal { mean: 0.0, deviation };
        match self {
            Initializer::Uniform01 => Draw::Uniform { low: 0.0, high: 1.0 },
            Initializer::Uniform { low, high } => Draw::Uniform { low, high },
            Initializer::Normal { mean, deviation } => Draw::Normal { mean, deviation },
            Initializer::GlorotUniform { gain } => symmetric(gain * (6.0 / (n + m)).sqrt()),
            Initializer::GlorotNormal { gain } => centred(gain * (2.0 / (n + m)).sqrt()),
            Initializer::LecunUniform { gain } => symmetric(gain * (3.0 / n).sqrt()),
            Initializer::LecunNormal { gain } => centred(gain * (1.0 / n).sqrt()),
            Initializer::HeUniform { gain } => symmetric(gain * (6.0 / n).sqrt()),
            Initializer::HeNormal { gain } => centred(gain * (2.0 / n).sqrt()),
        }
    }
}

impl fmt::Display for Initializer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}
