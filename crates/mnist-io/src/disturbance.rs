//! Disturbances of images: how much of what a network has learned survives bad images?

use crate::blur;
use crate::error::{Error, Result};
use crate::random::{self, Purpose};
use ndarray::{Array3, ArrayView3, Axis};
use std::fmt;
use std::str::FromStr;

/// A way to spoil images, with its strength.
///
/// ```
/// use mnist_io::{Disturbance, synthetic_digits};
///
/// let digits = synthetic_digits(10, 1);
/// let blur: Disturbance = "gaussian-blur=1.5".parse()?;
/// let blurred = blur.apply(digits.images.view(), 0)?;
/// assert_eq!(blurred.dim(), digits.images.dim());
/// # Ok::<(), mnist_io::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Disturbance {
    /// Every pixel becomes the mean of its surroundings with Gaussian weights, as OpenCV's `GaussianBlur` computes it
    /// on 8-bit images (border reflected without repeating the edge).
    ///
    /// As the edge is not repeated (reflect-101), pixels at the edge weigh half as much as those inside when the kernel
    /// is wide, and the mean intensity is kept only as far as the edge looks like the rest. Digits have a dark edge: a
    /// wide blur makes an image of 28 × 28 pixels brighter by up to (28 / 27)² − 1 = 7.5 %, one by sigma 2 or less by
    /// under 2 %.
    GaussianBlur {
        /// Standard deviation in pixels, finite and not negative. 0 without a kernel size leaves the images alone; 0
        /// with one takes OpenCV's stored kernel for k = 1, 3, 5, 7 or 9, such as (1, 2, 1) / 4, and beyond
        /// 0.3 · ((k − 1) / 2 − 1) + 0.8.
        sigma: f64,
        /// Side of the square of surroundings, odd; `None` takes the least odd number not below 6σ + 1 rounded.
        kernel_size: Option<usize>,
    },
    /// A normal deviate is added to every pixel; the sum is rounded and cut off at 0 and 255.
    GaussianNoise {
        /// Standard deviation in grey levels (0 to 255), finite and not negative.
        deviation: f64,
    },
    /// Pixels become black or white, each with half of the probability.
    SaltAndPepper {
        /// The probability that a pixel is replaced, 0 to 1.
        fraction: f64,
    },
}

impl Disturbance {
    /// The names that [`Disturbance::parse`] knows.
    pub const NAMES: [&str; 3] = ["gaussian-blur", "gaussian-noise", "salt-and-pepper"];

    /// The disturbance of this name: `gaussian-blur` (strength: sigma in pixels), `gaussian-noise` (deviation in grey
    /// levels) or `salt-and-pepper` (fraction of pixels).
    ///
    /// # Errors
    /// `Argument` where the name is unknown or the strength is out of its range.
    pub fn parse(name: &str, strength: f64) -> Result<Self> {
        let disturbance = match name {
            "gaussian-blur" => Self::GaussianBlur { sigma: strength, kernel_size: None },
            "gaussian-noise" => Self::GaussianNoise { deviation: strength },
            "salt-and-pepper" => Self::SaltAndPepper { fraction: strength },
            _ => {
                return Err(Error::argument(
                    format!("the name of a disturbance: {}", Self::NAMES.join(", ")),
                    format!("{name:?}"),
                    "take one of these",
                ));
            }
        };
        disturbance.validate()?;
        Ok(disturbance)
    }

    /// The name, one of [`Disturbance::NAMES`].
    pub fn name(&self) -> &'static str {
        match self {
            Self::GaussianBlur { .. } => Self::NAMES[0],
            Self::GaussianNoise { .. } => Self::NAMES[1],
            Self::SaltAndPepper { .. } => Self::NAMES[2],
        }
    }

    /// The number that says how much is spoilt: sigma, deviation or fraction.
    pub fn strength(&self) -> f64 {
        match *self {
            Self::GaussianBlur { sigma, .. } => sigma,
            Self::GaussianNoise { deviation } => deviation,
            Self::SaltAndPepper { fraction } => fraction,
        }
    }

    /// What the strength is and in which unit, for axes and tables.
    pub fn strength_label(&self) -> &'static str {
        match self {
            Self::GaussianBlur { .. } => "sigma (pixels)",
            Self::GaussianNoise { .. } => "deviation (grey levels)",
            Self::SaltAndPepper { .. } => "fraction of pixels",
        }
    }

    /// Checks the parameters.
    ///
    /// # Errors
    /// `Argument` where one is negative, not finite, above 1 for a fraction, or even for a kernel size.
    pub fn validate(&self) -> Result<()> {
        let strength = self.strength();
        let (is_valid, range) = match self {
            Self::SaltAndPepper { .. } => ((0.0..=1.0).contains(&strength), "a fraction from 0 to 1"),
            _ => (strength.is_finite() && strength >= 0.0, "a finite number, 0 or more"),
        };
        if !is_valid {
            let expected = format!("{range} as strength of {}", self.name());
            return Err(Error::argument(expected, format!("{strength}"), "give a strength in this range"));
        }
        match *self {
            Self::GaussianBlur { kernel_size: Some(size), .. } if size % 2 == 0 => Err(Error::argument(
                "an odd kernel size for gaussian-blur",
                format!("{size}"),
                "give an odd one, or none: it then follows from sigma",
            )),
            _ => Ok(()),
        }
    }

    /// Disturbs images of shape `(n_samples, height, width)`. What happens to image i depends on `(seed, i)` alone, so
    /// the first images of a set are disturbed alike however many follow.
    ///
    /// # Errors
    /// As [`Disturbance::validate`].
    pub fn apply(&self, images: ArrayView3<'_, u8>, seed: u64) -> Result<Array3<u8>> {
        self.validate()?;
        let mut disturbed = images.as_standard_layout().into_owned();
        match *self {
            Self::GaussianBlur { sigma, kernel_size } => blur::gaussian_blur(&mut disturbed, sigma, kernel_size),
            Self::GaussianNoise { deviation } => add_noise(&mut disturbed, deviation, seed),
            Self::SaltAndPepper { fraction } => replace_pixels(&mut disturbed, fraction, seed),
        }
        Ok(disturbed)
    }
}

impl FromStr for Disturbance {
    type Err = Error;

    /// `gaussian-blur=1.5`: a name, an equals sign and the strength, as Display writes them. A kernel size is not part of it.
    ///
    /// # Errors
    /// As [`Disturbance::parse`], and `Argument` where there is no equals sign or no number behind it.
    fn from_str(text: &str) -> Result<Self> {
        let parts = text.split_once('=').and_then(|(name, strength)| Some((name, strength.trim().parse().ok()?)));
        let Some((name, strength)) = parts else {
            let expected = "the name of a disturbance, '=' and its strength, such as gaussian-blur=1.5";
            let advice = format!("take one of {}", Self::NAMES.join(", "));
            return Err(Error::argument(expected, format!("{text:?}"), advice));
        };
        Self::parse(name.trim(), strength)
    }
}

impl fmt::Display for Disturbance {
    /// `gaussian-blur=1.5`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.name(), self.strength())
    }
}

fn add_noise(images: &mut Array3<u8>, deviation: f64, seed: u64) {
    for (index, mut image) in images.axis_iter_mut(Axis(0)).enumerate() {
        let mut generator = random::generator(seed, Purpose::Disturbance, index as u64);
        let mut spare = None;
        for pixel in &mut image {
            let deviate = spare.take().unwrap_or_else(|| {
                let (first, second) = random::normal_pair(&mut generator);
                spare = Some(second);
                first
            });
            // The cast cuts off at 0 and 255.
            *pixel = libm::round(f64::from(*pixel) + deviation * deviate) as u8;
        }
    }
}

fn replace_pixels(images: &mut Array3<u8>, fraction: f64, seed: u64) {
    for (index, mut image) in images.axis_iter_mut(Axis(0)).enumerate() {
        let mut generator = random::generator(seed, Purpose::Disturbance, index as u64);
        for pixel in &mut image {
            let draw = random::uniform(&mut generator);
            if draw < fraction {
                *pixel = if draw < fraction / 2.0 { 0 } else { 255 };
            }
        }
    }
}
