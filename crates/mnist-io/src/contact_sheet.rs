//! A data set at a glance: the first images of every class, a row for each.

use crate::error::{Error, Result};
use crate::images::LabeledImages;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use image::{ExtendedColorType, ImageEncoder, codecs::png::PngEncoder};
use ndarray::{Array2, ArrayView2, Axis, s};
use std::fmt::Write;

/// Pixels between two images.
const GAP: usize = 2;

/// The grey between them, so that the frame of an image is seen.
const GAP_LEVEL: u8 = 90;

/// A row of the sheet is at least so high on a screen.
const ROW_HEIGHT_MIN: usize = 40;

/// So many characters of a class are written before its row.
const N_CHARACTERS_MAX: usize = 16;

/// The first images of every class of a set, side by side, a row for each class; what is missing is grey.
///
/// ```
/// use mnist_io::{ContactSheet, synthetic_digits};
///
/// let sheet = ContactSheet::new(&synthetic_digits(200, 7), 12);
/// assert_eq!(sheet.pixels().dim(), (10 * 30 + 2, 12 * 30 + 2));
/// assert!(sheet.to_svg()?.starts_with("<svg"));
/// assert!(sheet.to_png()?.starts_with(b"\x89PNG"));
/// # Ok::<(), mnist_io::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContactSheet {
    pixels: Array2<u8>,
    classes: Vec<String>,
    /// Of an image and the gap above it.
    row_height: usize,
}

impl ContactSheet {
    /// A sheet with up to `n_columns` images of each class.
    pub fn new(set: &LabeledImages, n_columns: usize) -> Self {
        let (height, width) = (set.height() + GAP, set.width() + GAP);
        let mut pixels = Array2::from_elem((set.classes.len() * height + GAP, n_columns * width + GAP), GAP_LEVEL);
        let mut n_shown = vec![0; set.classes.len()];
        for (image, &label) in set.images.axis_iter(Axis(0)).zip(&set.labels) {
            let class = usize::from(label);
            if n_shown[class] == n_columns {
                continue;
            }
            let (top, left) = (GAP + class * height, GAP + n_shown[class] * width);
            pixels.slice_mut(s![top..top + set.height(), left..left + set.width()]).assign(&image);
            n_shown[class] += 1;
        }
        Self { pixels, classes: set.classes.clone(), row_height: height }
    }

    /// Grey levels, `(height, width)`, 0 (black) to 255 (white).
    pub fn pixels(&self) -> ArrayView2<'_, u8> {
        self.pixels.view()
    }

    /// The sheet as a PNG file, without the names of the classes.
    ///
    /// # Errors
    /// `Argument` where it is too large for one.
    pub fn to_png(&self) -> Result<Vec<u8>> {
        let (height, width) = self.pixels.dim();
        let sides = (u32::try_from(height).ok()).zip(u32::try_from(width).ok());
        let bytes: Vec<u8> = self.pixels.iter().copied().collect();
        let mut png = Vec::new();
        let written = sides.and_then(|(height, width)| {
            PngEncoder::new(&mut png).write_image(&bytes, width, height, ExtendedColorType::L8).ok()
        });
        match written {
            Some(()) => Ok(png),
            None => Err(Error::argument(
                "a sheet that fits into a PNG file",
                format!("one of {width} × {height} pixels"),
                "ask for fewer images",
            )),
        }
    }

    /// The sheet as an SVG file that holds all it shows, with the name of its class before each row.
    ///
    /// # Errors
    /// As [`ContactSheet::to_png`].
    pub fn to_svg(&self) -> Result<String> {
        let (height, width) = self.pixels.dim();
        let scale = ROW_HEIGHT_MIN.div_ceil(self.row_height);
        let (height, width) = (scale * height, scale * width);
        let row = scale * self.row_height;
        let n_characters =
            self.classes.iter().map(|class| class.chars().count()).max().unwrap_or(1).min(N_CHARACTERS_MAX);
        // A word is written smaller, at 0.62 of the size a character.
        let size = if n_characters > 1 { row * 2 / 5 } else { row * 2 / 3 };
        let margin = row.max(size * n_characters * 62 / 100 + size);
        let png = STANDARD.encode(self.to_png()?);
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{height}\" viewBox=\"0 0 {0} {height}\">\n\
             <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n\
             <image x=\"{margin}\" y=\"0\" width=\"{width}\" height=\"{height}\" preserveAspectRatio=\"none\" \
             style=\"image-rendering:pixelated\" href=\"data:image/png;base64,{png}\"/>\n\
             <g font-family=\"sans-serif\" font-size=\"{size}\" text-anchor=\"middle\" fill=\"#222\">\n",
            margin + width
        );
        for (index, class) in self.classes.iter().enumerate() {
            let middle = scale * GAP + index * row + (row - scale * GAP) / 2;
            let is_cut = class.chars().count() > N_CHARACTERS_MAX;
            let kept = class.chars().take(if is_cut { N_CHARACTERS_MAX - 1 } else { N_CHARACTERS_MAX });
            // As a number no character can be mistaken for markup.
            let text: String =
                kept.chain(is_cut.then_some('…')).map(|character| format!("&#{};", u32::from(character))).collect();
            writeln!(svg, "<text x=\"{}\" y=\"{middle}\" dy=\"0.36em\">{text}</text>", margin / 2)
                .expect("writing into memory");
        }
        svg.push_str("</g>\n</svg>\n");
        Ok(svg)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_has_its_row_and_every_image_its_place() {
        let images = ndarray::array![[[10, 11]], [[20, 21]], [[12, 13]], [[14, 15]]];
        let set = LabeledImages::new(images, vec![0, 1, 0, 0], vec!['<', 'b']).expect("a set");
        let sheet = ContactSheet::new(&set, 2);
        assert_eq!(sheet.pixels().dim(), (2 * 3 + 2, 2 * 4 + 2));
        let g = GAP_LEVEL;
        assert_eq!(sheet.pixels().row(2).to_vec(), [g, g, 10, 11, g, g, 12, 13, g, g]);
        assert_eq!(sheet.pixels().row(5).to_vec(), [g, g, 20, 21, g, g, g, g, g, g]);
        let svg = sheet.to_svg().expect("a small sheet");
        assert!(svg.contains("&#60;</text>") && !svg.contains("><</text>"), "{svg}");
    }

    #[test]
    fn the_png_holds_the_pixels() {
        let sheet = ContactSheet::new(&crate::synthetic_digits(50, 1), 3);
        let png = image::load_from_memory(&sheet.to_png().expect("a small sheet")).expect("a PNG file").to_luma8();
        assert_eq!((png.height() as usize, png.width() as usize), sheet.pixels().dim());
        assert!(png.iter().eq(sheet.pixels()));
    }

    #[test]
    fn a_class_that_is_a_word_stands_before_its_row() {
        let images = ndarray::Array3::from_elem((2, 28, 28), 255);
        let classes = vec!["T-shirt".to_owned(), "a word of twenty let".to_owned()];
        let sheet = ContactSheet::new(&LabeledImages::new(images, vec![0, 1], classes).expect("a set"), 2);
        let svg = sheet.to_svg().expect("a small sheet");
        let written = |text: &str| text.chars().map(|letter| format!("&#{};", u32::from(letter))).collect::<String>();
        assert!(svg.contains(&written("T-shirt")) && svg.contains(&written("a word of twent…")), "{svg}");
    }
}
