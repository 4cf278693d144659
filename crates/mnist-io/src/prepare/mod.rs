//! From a photo of a handwritten digit to an image like those of MNIST.
//!
//! The digits of MNIST were cut out of forms, scaled into a box of 20 × 20 pixels with their proportions kept, and
//! placed in a field of 28 × 28 so that the centre of mass of the ink is in the middle (LeCun, Bottou, Bengio and
//! Haffner 1998). A network that was trained on them expects this of every other image.

mod ink;
mod shape;
mod steps;

use crate::error::{Error, Result, in_one_line};
use crate::gzip;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};
use ndarray::Array2;
use std::io::BufRead;
use std::path::Path;

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

/// No camera takes more; with 16 bits for each of four channels they are 512 MB.
const N_PIXELS_MAX: u64 = 64_000_000;

/// The decoder of JPEG holds all of the file.
const FILE_LENGTH_MAX: u64 = 256 << 20;

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
    // Longer than a screen, because each step stands with its explanation, in the order in which they are shown.
    let mut steps = Vec::new();
    check_sides(photo)?;
    let grey = ink::grey(photo, WORKING_SIDE);
    let (height, width) = grey.dim();
    steps.push(PreparationStep {
        name: "grey",
        explanation: format!(
            "The photo of {} × {} pixels as grey levels, {width} × {height}; what is transparent counts as white.",
            photo.width(),
            photo.height()
        ),
        image: to_bytes(&grey),
    });

    let found = ink::separate(&grey);
    steps.push(PreparationStep {
        name: "ink",
        explanation: format!(
            "The border shows the page, and the writing is {} than it, so the page, whose light runs from grey level \
             {:.0} to {:.0}, was taken away.",
            if found.is_dark { "darker" } else { "lighter" },
            found.page_least,
            found.page_greatest
        ),
        image: to_bytes(&found.ink),
    });

    let threshold = ink::threshold(&found.ink).map_err(refusal)?;
    let mask = found.ink.mapv(|value| value >= threshold);
    steps.push(PreparationStep {
        name: "threshold",
        explanation: format!(
            "Everything that differs from the page by {threshold:.0} of 255 or more is ink (Otsu's threshold)."
        ),
        image: mask.mapv(|is_ink| if is_ink { 255 } else { 0 }),
    });

    let cleaned = shape::remove_specks(&mask).map_err(refusal)?;
    let clean_ink = ink::keep(&found.ink, &cleaned.mask, threshold);
    steps.push(PreparationStep {
        name: "specks",
        explanation: match cleaned.n_removed {
            0 => "Nothing had to be removed: all of the ink belongs to the character.".to_string(),
            1 => "One speck that does not belong to the character was removed.".to_string(),
            n => format!("{n} specks that do not belong to the character were removed."),
        },
        image: to_bytes(&clean_ink),
    });

    let cropped = shape::crop(&clean_ink, &cleaned.mask).map_err(refusal)?;
    steps.push(PreparationStep {
        name: "crop",
        explanation: format!("Cut out what holds ink, {} × {} pixels.", cropped.ncols(), cropped.nrows()),
        image: to_bytes(&cropped),
    });

    let (bold, widths) = shape::thicken(&cropped);
    if let Some((before, after)) = widths {
        steps.push(PreparationStep {
            name: "thicken",
            explanation: format!(
                "At 20 × 20 pixels the lines would be {before:.1} pixels wide, thinner than a pen's in MNIST: thickened to \
                 {after:.1}."
            ),
            image: to_bytes(&bold),
        });
    }

    let fitted = shape::fit(&bold);
    steps.push(PreparationStep {
        name: "fit",
        explanation: format!(
            "Scaled into a box of 20 × 20 pixels with its proportions kept: {} × {}.",
            fitted.ncols(),
            fitted.nrows()
        ),
        image: to_bytes(&fitted),
    });

    let image = to_bytes(&shape::centre(&fitted));
    steps.push(PreparationStep {
        name: "centre",
        explanation: "Placed in a field of 28 × 28 pixels with the centre of mass of the ink in its middle."
            .to_string(),
        image: image.clone(),
    });
    Ok(PreparedDigit { image, steps })
}

/// Reads a PNG or JPEG image, turned upright as its camera recorded. The content decides which it is, not the name.
///
/// # Errors
/// `Io` where the file cannot be read or is not a regular file. `Data` where it is neither PNG nor JPEG, is damaged, or
/// has more than 64 million pixels or 256 MiB; it is then refused before it is unpacked.
pub fn read_image(path: impl AsRef<Path>) -> Result<DynamicImage> {
    let path = path.as_ref();
    let (mut file, length) = gzip::open(path)?;
    if length > FILE_LENGTH_MAX {
        let found = format!("a file of {length} bytes");
        return Err(Error::data("a picture of at most 256 MiB", found, "shrink it first").in_file(path));
    }
    let refuse = |error: image::ImageError| {
        let error = match error {
            image::ImageError::IoError(io) if io.raw_os_error().is_some() => {
                Error::io("a picture that can be read", io, "check the disk or the connection")
            }
            image::ImageError::Limits(limits) => Error::data(
                "a picture of at most 64 million pixels and 512 MiB unpacked",
                in_one_line(limits),
                "shrink it first",
            ),
            other => Error::data("a whole PNG or JPEG picture", in_one_line(other), "save the picture anew"),
        };
        error.in_file(path)
    };
    let beginning = file.fill_buf().map_err(|error| refuse(image::ImageError::IoError(error)))?;
    let substitute = durable_file::substitute(beginning);
    let mut reader =
        ImageReader::new(file).with_guessed_format().map_err(|error| refuse(image::ImageError::IoError(error)))?;
    if !matches!(reader.format(), Some(ImageFormat::Png | ImageFormat::Jpeg)) {
        let (found, advice) = match substitute {
            Some(substitute) => (substitute, "get the picture itself"),
            None => ("another format", "save it as PNG or JPEG"),
        };
        return Err(Error::data("a PNG or JPEG picture", found, advice).at_byte(0).in_file(path));
    }
    let mut limits = Limits::default();
    limits.max_alloc = Some(512 << 20);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(refuse)?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > N_PIXELS_MAX {
        let found = format!("{width} × {height}");
        return Err(Error::data("a picture of at most 64 million pixels", found, "shrink it first").in_file(path));
    }
    let orientation = decoder.orientation().map_err(refuse)?;
    let mut image = DynamicImage::from_decoder(decoder).map_err(refuse)?;
    image.apply_orientation(orientation);
    Ok(image)
}

fn refusal(found: String) -> Error {
    Error::data(
        "a picture of one character, written clearly on an even page",
        found,
        "write one character large with a thick pen and take the picture from straight above in good light",
    )
}

/// Refuses a photo that is too small, or so narrow that it becomes too small by shrinking.
fn check_sides(photo: &DynamicImage) -> Result<()> {
    let (width, height) = (photo.width() as usize, photo.height() as usize);
    let (height_shrunk, width_shrunk) = shape::shrunk((height, width), WORKING_SIDE);
    let why = match (width.min(height), width_shrunk.min(height_shrunk)) {
        (0..SIDE_MIN, _) => format!("too small: a side must have at least {SIDE_MIN}"),
        (_, 0..SIDE_MIN) => {
            format!("too narrow: one side may be {} times as long as the other", WORKING_SIDE / SIDE_MIN)
        }
        _ => return Ok(()),
    };
    Err(refusal(format!("a picture of {width} × {height} pixels, which is {why}")))
}

/// Rounds grey levels to bytes; the cast cuts off at 0 and 255.
fn to_bytes(levels: &Array2<f32>) -> Array2<u8> {
    levels.mapv(|value| (value + 0.5) as u8)
}
