//! How weights are drawn before training.

use std::fmt;
use std::str::FromStr;

use ndarray::Array2;
use ndarray_rand::RandomExt;
use ndarray_rand::rand_distr::Distribution;
use rand::Rng;

use crate::real::Real;
use crate::unknown_name::{UnknownName, choose};

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
/// of sigmoids passes a signal on only with a gain of 2 or more; see `docs/mathematics.md`.
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
        /// The bound: draws stay below it, but one may be rounded up to it.
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

    /// Those that a name alone determines.
    const PUBLISHED: [Initializer; 7] = [
        Initializer::Uniform01,
        Initializer::GLOROT_UNIFORM,
        Initializer::GLOROT_NORMAL,
        Initializer::LECUN_UNIFORM,
        Initializer::LECUN_NORMAL,
        Initializer::HE_UNIFORM,
        Initializer::HE_NORMAL,
    ];

    /// The name in configurations and files, without the numbers.
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
    /// Where `low < high` does not hold, a deviation is negative, a gain is not above 0, or one of them is not finite.
    pub fn weights<F: Real>(self, n_inputs: usize, n_outputs: usize, rng: &mut impl Rng) -> Array2<F> {
        self.assert_valid();
        let shape = (n_inputs, n_outputs);
        let drawn: Array2<f64> = match self.draw(n_inputs as f64, n_outputs as f64) {
            Draw::Uniform(uniform) => Array2::random_using(shape, uniform, rng),
            Draw::Normal(normal) => Array2::random_using(shape, normal, rng),
        };
        drawn.mapv(F::narrow)
    }

    fn assert_valid(self) {
        match self {
            Initializer::Uniform { low, high } => assert!(
                low.is_finite() && high.is_finite() && low < high,
                "uniform weights need finite low < high, not {low} and {high}"
            ),
            Initializer::Normal { mean, deviation } => assert!(
                mean.is_finite() && deviation.is_finite() && deviation >= 0.0,
                "normal weights need a finite mean and a finite deviation of at least 0, not {mean} and {deviation}"
            ),
            _ => {}
        }
        let gain = self.gain().unwrap_or(1.0);
        assert!(gain.is_finite() && gain > 0.0, "a gain is a finite number above 0, not {gain}");
    }

    fn draw(self, n: f64, m: f64) -> Draw {
        let symmetric = |bound: f64| Draw::Uniform(Uniform { low: -bound, high: bound });
        let centred = |deviation: f64| Draw::Normal(Normal { mean: 0.0, deviation });
        match self {
            Initializer::Uniform01 => Draw::Uniform(Uniform { low: 0.0, high: 1.0 }),
            Initializer::Uniform { low, high } => Draw::Uniform(Uniform { low, high }),
            Initializer::Normal { mean, deviation } => Draw::Normal(Normal { mean, deviation }),
            Initializer::GlorotUniform { gain } => symmetric(gain * (6.0 / (n + m)).sqrt()),
            Initializer::GlorotNormal { gain } => centred(gain * (2.0 / (n + m)).sqrt()),
            Initializer::LecunUniform { gain } => symmetric(gain * (3.0 / n).sqrt()),
            Initializer::LecunNormal { gain } => centred(gain * (1.0 / n).sqrt()),
            Initializer::HeUniform { gain } => symmetric(gain * (6.0 / n).sqrt()),
            Initializer::HeNormal { gain } => centred(gain * (2.0 / n).sqrt()),
        }
    }
}

/// A distribution with its parameters worked out for one layer.
enum Draw {
    Uniform(Uniform),
    Normal(Normal),
}

/// Uniform draws. Written out here, as the normal ones are, because a library may change how it draws from one version
/// to the next, and takes logarithms from the system: both would change weights silently.
struct Uniform {
    low: f64,
    high: f64,
}

impl Distribution<f64> for Uniform {
    fn sample<R: Rng + ?Sized>(&self, rng: &mut R) -> f64 {
        let u = unit(rng);
        (1.0 - u) * self.low + u * self.high
    }
}

/// Normal draws by the transform of Box and Muller (1958), of which only the cosine is used: every draw takes two
/// numbers from the generator.
struct Normal {
    mean: f64,
    deviation: f64,
}

impl Distribution<f64> for Normal {
    fn sample<R: Rng + ?Sized>(&self, rng: &mut R) -> f64 {
        let radius = (-2.0 * libm::log(1.0 - unit(rng))).sqrt();
        self.mean + self.deviation * radius * libm::cos(std::f64::consts::TAU * unit(rng))
    }
}

/// One of 2⁵³ equally spaced numbers in [0, 1).
fn unit<R: Rng + ?Sized>(rng: &mut R) -> f64 {
    (rng.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
}

impl fmt::Display for Initializer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for Initializer {
    type Err = UnknownName;

    /// The initialiser that its name alone determines: those with a gain as published, with a gain of 1. `uniform` and
    /// `normal` say nothing without their numbers and are not understood.
    fn from_str(name: &str) -> Result<Initializer, UnknownName> {
        choose("an initialiser", &Initializer::PUBLISHED, Initializer::name, name)
    }
}
