//! From a photo of a handwritten digit to an image like those of MNIST.
//!
//! The digits of MNIST were cut out of forms, scaled into a box of 20 × 20 pixels with their proportions kept, and
//! placed in a field of 28 × 28 so that the centre of mass of the ink is in the middle (LeCun, Bottou, Bengio and
//! Haffner 1998). A network that was trained on them expects this of every other image.

mod choice;
mod grey;
mod lines;
mod page;
mod parts;
mod reading;
mod ready;
mod rows;
mod shape;
mod steps;
mod strokes;
mod window;
mod writing;

use ready::SmallImages;
pub(crate) use ready::ground_of_small;
pub use steps::write_steps;

use crate::error::{Error, Result};
use image::DynamicImage;
use ndarray::Array2;

/// A digit as MNIST has them, and the way to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreparedDigit {
    /// 28 × 28 pixels, white ink (255) on black (0).
    pub image: Array2<u8>,
    /// What was done, in order; the image of the last is `image`.
    pub steps: Vec<PreparationStep>,
}

/// One step of the preparation, to be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreparationStep {
    /// One word or two.
    pub name: &'static str,
    /// What was done and found, in one sentence.
    pub explanation: String,
    /// The image after this step, `(height, width)`, 0 (black) to 255 (white).
    pub image: Array2<u8>,
}

/// Photos are shrunk to this length of the longer side before anything else: enough for twenty pixels.
const WORKING_SIDE: usize = 400;

/// The least side of a photo, in pixels, as it is and as it is shrunk.
const SIDE_MIN: usize = 8;

/// Finds the digit in a photo and prepares it as MNIST's were.
///
/// The photo may be of any size and colour. Transparent parts count as white. The ink may be dark on a light page or
/// light on a dark one: the page is what the border shows. Uneven light is subtracted, specks are removed, lines that
/// would be too thin after shrinking are thickened. There should be one digit and little else.
///
/// ```
/// use mnist_io::image::{DynamicImage, GrayImage, Luma};
///
/// // A bold stroke on grey paper: a one.
/// let page = GrayImage::from_fn(300, 200, |x, y| {
///     Luma([if (145..160).contains(&x) && (40..160).contains(&y) { 50 } else { 190 }])
/// });
/// let prepared = mnist_io::prepare_digit(&DynamicImage::from(page))?;
/// assert_eq!(prepared.image.dim(), (28, 28));
/// for step in &prepared.steps {
///     println!("{}: {}", step.name, step.explanation);
/// }
/// # Ok::<(), mnist_io::Error>(())
/// ```
///
/// # Errors
/// `Data` where no digit can be found: a blank page, only specks, noise or a pattern, more ink than page, or a photo
/// that is too small. The error says which.
pub fn prepare_digit(photo: &DynamicImage) -> Result<PreparedDigit> {
    let PreparedPhoto { steps, mut characters, refusal: refused, .. } = prepare_photo(photo, Layout::Row);
    match (refused, characters.pop()) {
        (None, Some(character)) if characters.is_empty() => Ok(PreparedDigit { image: character.image, steps }),
        (Some(error), _) => Err(error),
        (None, _) => Err(refusal(format!("{} characters beside each other", characters.len() + 1))),
    }
}

/// How many characters a photo shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Layout {
    /// One or more beside each other: what stands apart from left to right is a character of its own.
    #[default]
    Row,
    /// One: all ink belongs to it.
    Single,
}

/// A character of a photo.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreparedCharacter {
    /// 28 × 28 pixels, white ink (255) on black (0).
    pub image: Array2<u8>,
    /// Where it is, in pixels of the photo: the columns of its box.
    pub columns: std::ops::Range<u32>,
    /// The rows of its box.
    pub rows: std::ops::Range<u32>,
}

/// What was made of a photo. Where nothing could be read, the steps show how far it came.
#[derive(Debug)]
#[non_exhaustive]
pub struct PreparedPhoto {
    /// What was done, in order.
    pub steps: Vec<PreparationStep>,
    /// From left to right; empty where the photo was refused.
    pub characters: Vec<PreparedCharacter>,
    /// Why nothing was found.
    pub refusal: Option<Error>,
    /// How sure it is that this is the writing and not something else on the photo, 0 to 1.
    pub confidence: f64,
}

impl PreparedPhoto {
    /// An image that is taken for a character without a search, of a photo of this width and height.
    pub fn whole(image: Array2<u8>, (width, height): (u32, u32), steps: Vec<PreparationStep>) -> Self {
        let character = PreparedCharacter { image, columns: 0..width, rows: 0..height };
        Self { steps, characters: vec![character], refusal: None, confidence: 1.0 }
    }
}

/// Finds the characters in a photo and prepares each as MNIST's digits were.
///
/// The same as [`prepare_digit`] for a row of characters, with the steps also of a photo that is refused.
pub fn prepare_photo(photo: &DynamicImage, layout: Layout) -> PreparedPhoto {
    prepared(photo, layout, SmallImages::OfAnySet)
}

/// The same for a net that learned from MNIST: of the images of 28 × 28 pixels, light ones too, those alone are taken as they are
/// whose ink lies in its field as MNIST's does. What somebody drew there with a mouse is prepared like any photo.
pub fn prepare_photo_for_mnist(photo: &DynamicImage, layout: Layout) -> PreparedPhoto {
    prepared(photo, layout, SmallImages::OfMnist)
}

fn prepared(photo: &DynamicImage, layout: Layout, small: SmallImages) -> PreparedPhoto {
    let mut steps = Vec::new();
    match choice::prepare(photo, layout, small, &mut steps) {
        Ok((characters, confidence)) => PreparedPhoto { steps, characters, refusal: None, confidence },
        Err(found) => PreparedPhoto { steps, characters: Vec::new(), refusal: Some(refusal(found)), confidence: 0.0 },
    }
}

/// What each way of seeing a photo finds, with the evidence for it; `cargo xtask bench --pictures` writes it, and
/// `xtask/peers/evidence.py` fits the weights to it.
#[doc(hidden)]
pub fn readings(photo: &DynamicImage, layout: Layout) -> Vec<(Vec<f32>, Vec<PreparedCharacter>)> {
    choice::all(photo, layout)
}

/// The grey levels of an image as they are, 0 (black) to 255, by the rule for colours that the preparation has too; what is
/// transparent counts as white, or as black where what is drawn is light.
pub fn grey_image(photo: &DynamicImage) -> Array2<u8> {
    grey::exact(photo)
}

fn refusal(found: String) -> Error {
    Error::data(
        "a picture of one character, written clearly on an even page",
        found,
        "write one character large with a thick pen and take the picture from straight above in good light",
    )
}

/// Refuses a photo that is too small, or so narrow that it becomes too small by shrinking.
fn check_sides(photo: &DynamicImage) -> std::result::Result<(), String> {
    let (width, height) = (photo.width() as usize, photo.height() as usize);
    let (height_shrunk, width_shrunk) = shape::shrunk((height, width), WORKING_SIDE);
    let why = match (width.min(height), width_shrunk.min(height_shrunk)) {
        (0..SIDE_MIN, _) => format!("too small: a side must have at least {SIDE_MIN}"),
        (_, 0..SIDE_MIN) => {
            format!("too narrow: one side may be {} times as long as the other", WORKING_SIDE / SIDE_MIN)
        }
        _ => return Ok(()),
    };
    Err(format!("a picture of {width} × {height} pixels, which is {why}"))
}

/// Rounds grey levels to bytes; the cast cuts off at 0 and 255.
fn to_bytes(levels: &Array2<f32>) -> Array2<u8> {
    levels.mapv(|value| (value + 0.5) as u8)
}
