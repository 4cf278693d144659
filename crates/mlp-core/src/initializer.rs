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
    GlorotUniform,
    /// Glorot's, normal.
    GlorotNormal,
    /// LeCun's, uniform.
    LecunUniform,
    /// LeCun's, normal.
    LecunNormal,
    /// He's, uniform.
    HeUniform,
    /// He's, normal.
    HeNormal,
}

/// A distribution with its parameters worked out for one layer.
enum Draw {
    Uniform { low: f64, high: f64 },
    Normal { mean: f64, deviation: f64 },
}

impl Initializer {
    /// The name in configurations and files.
    pub fn name(self) -> &'static str {
        match self {
            Initializer::Uniform01 => "uniform-0-1",
            Initializer::Uniform { .. } => "uniform",
            Initializer::Normal { .. } => "normal",
            Initializer::GlorotUniform => "glorot-uniform",
            Initializer::GlorotNormal => "glorot-normal",
            Initializer::LecunUniform => "lecun-uniform",
            Initializer::LecunNormal => "lecun-normal",
            Initializer::HeUniform => "he-uniform",
            Initializer::HeNormal => "he-normal",
        }
    }

    /// Draws the weights of a layer, shape `(n_inputs, n_outputs)`.
    ///
    /// # Panics
    /// Where `low < high` does not hold, or a deviation is negative or not finite.
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
        let centred = |variance: f64| Draw::Normal { mean: 0.0, deviation: variance.sqrt() };
        match self {
            Initializer::Uniform01 => Draw::Uniform { low: 0.0, high: 1.0 },
            Initializer::Uniform { low, high } => Draw::Uniform { low, high },
            Initializer::Normal { mean, deviation } => Draw::Normal { mean, deviation },
            Initializer::GlorotUniform => symmetric((6.0 / (n + m)).sqrt()),
            Initializer::GlorotNormal => centred(2.0 / (n + m)),
            Initializer::LecunUniform => symmetric((3.0 / n).sqrt()),
            Initializer::LecunNormal => centred(1.0 / n),
            Initializer::HeUniform => symmetric((6.0 / n).sqrt()),
            Initializer::HeNormal => centred(2.0 / n),
        }
    }
}

impl fmt::Display for Initializer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}
