//! Augmentation: training images that are deformed a little, otherwise each time, so that a network learns what a class
//! looks like rather than the images that it was shown (Simard, Steinkraus & Platt 2003, "Best Practices for Convolutional
//! Neural Networks Applied to Visual Document Analysis"; Cireşan, Meier, Gambardella & Schmidhuber 2010, "Deep, Big, Simple
//! Neural Nets for Handwritten Digit Recognition").
//!
//! What is done to an image, in this order:
//!
//! 1. its strokes are made thicker or thinner (`thickness`),
//! 2. one map is composed of scaling, shear, rotation, shift and elastic displacement (`warp`, `field`),
//! 3. the image is resampled through this map, once, so that nothing is blurred twice.
//!
//! How strongly is drawn anew for each sample in each epoch, from a stream that depends on the seed, the epoch and the index
//! of the sample alone (`draw`): not on the batch, the thread, or what came before. Everything is computed with additions and
//! multiplications in one order, integers, and the pinned libm, so an image is the same on every processor.

pub(crate) mod batch;
mod deformer;
mod draw;
mod field;
mod text;
mod thickness;
mod warp;

use ndarray::ArrayView2;

use self::deformer::{Deformer, Scratch};

/// How strongly training images are deformed. Each number is a largest strength: what is done to an image is drawn from
/// −strength to +strength, uniformly.
///
/// With pixel positions p counted from the centre of the image, a point p of the original goes to
///
/// > p′ = R(θ) · [1 k; 0 1] · diag(s₁, s₂) · p + t
///
/// with θ within ±`rotate` degrees, k within ±`shear`, the factors s of width and height each within 1 ± `scale`, and both
/// coordinates of t within ±`shift` pixels. To where a pixel of the result is taken from in the original, an [`Elastic`]
/// displacement is added. What comes from outside the image is background, 0.
///
/// As a text it is a list of what there is, or the name of a preset, perhaps with a factor for all strengths:
///
/// ```
/// use mlp_train::Augmentation;
///
/// let augmentation: Augmentation = "shift 2, rotate 10, elastic 6 36".parse()?;
/// assert_eq!((augmentation.shift, augmentation.rotate, augmentation.scale), (2.0, 10.0, 0.0));
/// assert_eq!(augmentation.elastic.unwrap().sigma, 6.0);
/// assert_eq!(augmentation.to_string(), "shift 2, rotate 10, elastic 6 36");
///
/// let half: Augmentation = "ciresan 0.5".parse()?;
/// assert_eq!(half.rotate, Augmentation::CIRESAN.rotate / 2.0);
/// assert_eq!(half.to_string(), "ciresan 0.5");
/// # Ok::<(), mlp_train::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Augmentation {
    /// In pixels, along each axis.
    pub shift: f64,
    /// In degrees, from 0 to 180.
    pub rotate: f64,
    /// A fraction of width and of height, each drawn by itself; below 1.
    pub scale: f64,
    /// By how many pixels a line of writing leans for each pixel of its height, from 0 to 1.
    pub shear: f64,
    /// A random field of displacements.
    pub elastic: Option<Elastic>,
    /// By how many pixels the outline of a stroke moves outwards or inwards, from 0 to 10.
    pub thickness: f64,
}

/// A smooth random field of displacements: numbers drawn from −1 to 1, smoothed by a Gaussian and multiplied by α
/// (Simard et al. 2003), one such field for each axis.
///
/// The root mean square of a displacement along one axis is α / (2 √(3π) σ) pixels: 1.38 for their σ = 4, α = 34.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Elastic {
    /// The standard deviation σ of the Gaussian in pixels, from 1 to 1000.
    pub sigma: f64,
    /// The factor α in pixels, from 0 to 100,000.
    pub alpha: f64,
}

impl Augmentation {
    /// What leaves a digit of 28 × 28 pixels well within the ways in which people write it.
    pub const GENTLE: Self = Self {
        shift: 1.0,
        rotate: 7.5,
        scale: 0.1,
        shear: 0.1,
        elastic: Some(Elastic { sigma: 6.0, alpha: 24.0 }),
        thickness: 0.3,
    };
    /// The elastic deformations of Simard et al. 2003.
    pub const SIMARD: Self = Self {
        shift: 0.0,
        rotate: 0.0,
        scale: 0.0,
        shear: 0.0,
        elastic: Some(Elastic { sigma: 4.0, alpha: 34.0 }),
        thickness: 0.0,
    };
    /// Those of Cireşan et al. 2010, in the middle of their ranges (σ from 5 to 6, α from 36 to 38, scaling by 15 to 20 %).
    /// They rotate 1 and 7 by half as much, which this, knowing no classes, does not.
    pub const CIRESAN: Self = Self {
        shift: 0.0,
        rotate: 15.0,
        scale: 0.175,
        shear: 0.0,
        elastic: Some(Elastic { sigma: 5.5, alpha: 37.0 }),
        thickness: 0.0,
    };

    /// The presets with their names. What a name means never changes: it is part of the identity of trials.
    pub const PRESETS: [(&'static str, Self); 3] =
        [("gentle", Self::GENTLE), ("simard", Self::SIMARD), ("ciresan", Self::CIRESAN)];

    /// With every strength multiplied; σ stays.
    #[must_use]
    pub fn times(self, factor: f64) -> Self {
        let elastic = self.elastic.map(|elastic| Elastic { alpha: elastic.alpha * factor, ..elastic });
        Self {
            shift: self.shift * factor,
            rotate: self.rotate * factor,
            scale: self.scale * factor,
            shear: self.shear * factor,
            elastic: elastic.filter(|elastic| elastic.alpha != 0.0),
            thickness: self.thickness * factor,
        }
    }

    /// Whether it leaves every image as it is.
    pub fn is_identity(&self) -> bool {
        *self == Self::default()
    }
}

/// Deforms images of one size: what [`train()`](crate::train()) does to those that it trains on.
///
/// ```
/// use mlp_train::{Augmentation, Augmenter};
/// use mlp_train::ndarray::Array2;
///
/// let bar = Array2::from_shape_fn((28, 28), |(_, column)| if (12..16).contains(&column) { 255 } else { 0 });
/// let mut augmenter = Augmenter::new(Augmentation::GENTLE, (28, 28), 0);
/// let (mut first, mut again, mut second) = (vec![0; 784], vec![0; 784], vec![0; 784]);
/// augmenter.augment(bar.view(), 1, 7, &mut first);
/// augmenter.augment(bar.view(), 2, 7, &mut second);
/// augmenter.augment(bar.view(), 1, 7, &mut again);
/// assert!(first == again && first != second);
/// ```
#[derive(Clone, Debug)]
pub struct Augmenter {
    deformer: Deformer,
    scratch: Scratch,
}

impl Augmenter {
    /// For images of so many rows and columns, with the random choices of a run of that `seed`.
    ///
    /// # Panics
    ///
    /// If a side of the images is 0 or above [`Augmenter::MAX_SIDE`].
    pub fn new(augmentation: Augmentation, (height, width): (usize, usize), seed: u64) -> Self {
        let deformer = Deformer::new(augmentation, (height, width), seed);
        let scratch = deformer.scratch();
        Self { deformer, scratch }
    }

    /// The longest side of an image that can be deformed.
    pub const MAX_SIDE: usize = 16_000;

    /// Writes what a network is trained on in `epoch`, counted from 1, in place of the sample of that index.
    ///
    /// # Panics
    ///
    /// If `image` or `into` is of another size.
    pub fn augment(&mut self, image: ArrayView2<'_, u8>, epoch: usize, sample: usize, into: &mut [u8]) {
        self.deformer.deform(image, (epoch, sample), &mut self.scratch, into);
    }
}
