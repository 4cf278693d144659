//! A data set at a glance: the first images of every class, a row for each.

use std::fmt::Write as _;
use std::io::Cursor;
use std::path::Path;

use image::{GrayImage, ImageFormat, Luma};
use mlp_report::grey_image_url;
use mnist_io::LabeledImages;
use ndarray::{Array2, Axis, s};

use crate::failure::{Code, Failure};
use crate::partial::Partial;
use crate::store::write_atomically;

/// Pixels between two images.
const GAP: usize = 2;

/// The grey between them, so that the frame of an image is seen.
const GAP_LEVEL: u8 = 90;

/// A row of the sheet is at least so high on a screen.
const ROW_HEIGHT_MIN: usize = 40;

/// Writes a sheet with up to `n_columns` images of each class to `path`: SVG with the characters of the classes, or PNG
/// without them, as the ending says.
pub(crate) fn write(set: &LabeledImages, n_columns: usize, path: &Path) -> Result<(), Failure> {
    let sheet = sheet(set, n_columns);
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default().to_ascii_lowercase();
    match ending.as_str() {
        "svg" => {
            let svg = svg(set, &sheet).ok_or_else(|| too_large(&sheet))?;
            write_atomically(path, &svg)
        }
        "png" => {
            let (height, width) = sheet.dim();
            let (Ok(width), Ok(height)) = (u32::try_from(width), u32::try_from(height)) else {
                return Err(too_large(&sheet));
            };
            let picture = GrayImage::from_fn(width, height, |x, y| Luma([sheet[[y as usize, x as usize]]]));
            let mut png = Cursor::new(Vec::new());
            picture.write_to(&mut png, ImageFormat::Png).map_err(|error| {
                Failure::new(Code::InputOutput, format!("cannot write {}: {error}", path.display()))
            })?;
            let mut partial = Partial::create(path)?;
            partial.write(png.get_ref())?;
            partial.persist()
        }
        _ => Err(Failure::configuration(format!(
            "--sheet {}: expected a name that ends in .svg or .png",
            path.display()
        ))),
    }
}

fn too_large(sheet: &Array2<u8>) -> Failure {
    let (height, width) = sheet.dim();
    Failure::configuration(format!("a sheet of {width} × {height} pixels is too large; ask for fewer images"))
}

/// All images side by side; what is missing is the grey of the gaps.
fn sheet(set: &LabeledImages, n_columns: usize) -> Array2<u8> {
    let (height, width) = (set.height() + GAP, set.width() + GAP);
    let mut sheet = Array2::from_elem((set.classes.len() * height + GAP, n_columns * width + GAP), GAP_LEVEL);
    let mut n_shown = vec![0; set.classes.len()];
    for (image, &label) in set.images.axis_iter(Axis(0)).zip(&set.labels) {
        let class = usize::from(label);
        if n_shown[class] == n_columns {
            continue;
        }
        let (top, left) = (GAP + class * height, GAP + n_shown[class] * width);
        sheet.slice_mut(s![top..top + set.height(), left..left + set.width()]).assign(&image);
        n_shown[class] += 1;
    }
    sheet
}

/// The sheet with a character before each row.
fn svg(set: &LabeledImages, sheet: &Array2<u8>) -> Option<String> {
    let (height, width) = sheet.dim();
    let scale = ROW_HEIGHT_MIN.div_ceil(set.height() + GAP);
    let (height, width) = (scale * height, scale * width);
    let row = scale * (set.height() + GAP);
    let (margin, size) = (row, row * 2 / 3);
    let url = grey_image_url(sheet.view())?;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{height}\" viewBox=\"0 0 {0} {height}\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n\
         <image x=\"{margin}\" y=\"0\" width=\"{width}\" height=\"{height}\" preserveAspectRatio=\"none\" \
         style=\"image-rendering:pixelated\" href=\"{url}\"/>\n\
         <g font-family=\"sans-serif\" font-size=\"{size}\" text-anchor=\"middle\" fill=\"#222\">\n",
        margin + width
    );
    for (index, class) in set.classes.iter().enumerate() {
        let middle = scale * GAP + index * row + (row - scale * GAP) / 2;
        // As a number no character can be mistaken for markup.
        let character = u32::from(*class);
        let _ = writeln!(svg, "<text x=\"{}\" y=\"{middle}\" dy=\"0.36em\">&#{character};</text>", margin / 2);
    }
    svg.push_str("</g>\n</svg>\n");
    Some(svg)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_has_its_row_and_every_image_its_place() {
        let images = ndarray::array![[[10, 11]], [[20, 21]], [[12, 13]], [[14, 15]]];
        let set = LabeledImages::new(images, vec![0, 1, 0, 0], vec!['<', 'b']).expect("a set");
        let sheet = sheet(&set, 2);
        assert_eq!(sheet.dim(), (2 * 3 + 2, 2 * 4 + 2));
        let g = GAP_LEVEL;
        assert_eq!(sheet.row(2).to_vec(), [g, g, 10, 11, g, g, 12, 13, g, g]);
        assert_eq!(sheet.row(5).to_vec(), [g, g, 20, 21, g, g, g, g, g, g]);
        let svg = svg(&set, &sheet).expect("a small sheet");
        assert!(svg.contains("&#60;</text>") && !svg.contains("><</text>"), "{svg}");
    }
}
