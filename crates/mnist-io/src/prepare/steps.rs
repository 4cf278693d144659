//! The steps of a preparation as PNG files, to be looked at.

use std::fs;
use std::path::Path;

use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder};

use super::{PreparationStep, PreparedDigit};
use crate::error::{Error, Result};

/// Images whose longer side is below this are enlarged by a whole factor, so that one can see something.
const LONGER_SIDE_MIN: usize = 224;

impl PreparedDigit {
    /// [`write_steps`] for the steps of this digit.
    ///
    /// # Errors
    /// As [`write_steps`].
    pub fn write_steps(&self, folder: impl AsRef<Path>, stem: &str) -> Result<()> {
        write_steps(&self.steps, folder, stem)
    }
}

/// Writes the image after each step as `<stem>-<number>-<step>.png` into `folder`, which is made where need be; small
/// images are enlarged.
///
/// # Errors
/// `Io` where the folder or a file cannot be written; a file is whole or absent.
pub fn write_steps(steps: &[PreparationStep], folder: impl AsRef<Path>, stem: &str) -> Result<()> {
    let folder = folder.as_ref();
    fs::create_dir_all(folder)
        .map_err(|error| Error::io("a folder to write into", error, "name another").in_file(folder))?;
    for (index, step) in steps.iter().enumerate() {
        let name = step.name.replace(|character: char| !character.is_alphanumeric(), "-");
        let path = folder.join(format!("{stem}-{}-{name}.png", index + 1));
        let written = png(step).and_then(|bytes| durable_file::write(&path, &bytes));
        written.map_err(|error| {
            Error::io("a file that can be written", error, "check the disk, or name another folder").in_file(&path)
        })?;
    }
    Ok(())
}

fn png(step: &PreparationStep) -> std::io::Result<Vec<u8>> {
    let (height, width) = step.image.dim();
    let factor = (LONGER_SIDE_MIN / height.max(width).max(1)).max(1);
    let (wide, high) = (width * factor, height * factor);
    let pixels: Vec<u8> =
        (0..wide * high).map(|index| step.image[[index / wide / factor, index % wide / factor]]).collect();
    let mut bytes = Vec::new();
    // The working image has at most 400 pixels a side, and a digit 28.
    let encoder = PngEncoder::new(&mut bytes);
    encoder.write_image(&pixels, wide as u32, high as u32, ExtendedColorType::L8).map_err(std::io::Error::other)?;
    Ok(bytes)
}
