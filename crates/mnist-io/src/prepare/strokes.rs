//! From the ink of each character to an image of 28 × 28.

use super::parts::Bounds;
use super::reading::Reading;
use super::rows::Character;
use super::{PreparationStep, PreparedCharacter, shape, to_bytes};
use image::DynamicImage;
use ndarray::{Array2, Axis, s};

/// Pixels round the box of a character in which its soft edge may lie.
const RIM: usize = 2;

/// Prepares every character, and shows all of them side by side.
pub(super) fn characters(
    reading: &Reading,
    grey: &Array2<f32>,
    photo: &DynamicImage,
    steps: &mut Vec<PreparationStep>,
) -> Vec<PreparedCharacter> {
    let fine = reading.layers.fine(grey);
    let cut_out = reading.characters.iter().map(|character| cut(reading, &fine, character));
    let inks: Vec<Array2<f32>> = cut_out.collect();
    steps.push(PreparationStep {
        name: "crop",
        explanation: match &inks[..] {
            [ink] => format!("Cut out what holds ink, {} × {} pixels.", ink.ncols(), ink.nrows()),
            _ => format!("Cut out {} characters that stand apart, from left to right.", inks.len()),
        },
        image: to_bytes(&side_by_side(&inks)),
    });
    let (bold, widths): (Vec<Array2<f32>>, Vec<_>) = inks.iter().map(shape::thicken).unzip();
    let widths: Vec<(f32, f32)> = widths.into_iter().flatten().collect();
    if let Some((before, after)) = widths.iter().copied().reduce(|one, other| if other.0 < one.0 { other } else { one })
    {
        steps.push(PreparationStep {
            name: "thicken",
            explanation: format!(
                "At 20 × 20 pixels the {}lines would be {before:.1} pixels wide, thinner than a pen's in MNIST: thickened \
                 to {after:.1}.",
                if inks.len() > 1 { "thinnest " } else { "" }
            ),
            image: to_bytes(&side_by_side(&bold)),
        });
    }
    let fitted: Vec<Array2<f32>> = bold.iter().map(shape::fit).collect();
    steps.push(PreparationStep {
        name: "fit",
        explanation: match &fitted[..] {
            [one] => format!(
                "Scaled into a box of 20 × 20 pixels with its proportions kept: {} × {}.",
                one.ncols(),
                one.nrows()
            ),
            _ => "Each scaled into a box of 20 × 20 pixels with its proportions kept.".to_string(),
        },
        image: to_bytes(&side_by_side(&fitted)),
    });
    let centred: Vec<Array2<f32>> = fitted.iter().map(shape::centre).collect();
    steps.push(PreparationStep {
        name: "centre",
        explanation: "Placed in a field of 28 × 28 pixels with the centre of mass of the ink in its middle."
            .to_string(),
        image: to_bytes(&side_by_side(&centred)),
    });
    let place = |bounds: Bounds| in_photo(bounds, reading.mask.dim(), photo);
    let pairs = centred.iter().zip(&reading.characters);
    pairs
        .map(|(image, character)| {
            let (columns, rows) = place(character.bounds);
            PreparedCharacter { image: to_bytes(image), columns, rows }
        })
        .collect()
}

/// The ink of a character, scaled so that its strokes reach 255; grain, and the ink of its neighbours, are left out.
fn cut(reading: &Reading, fine: &Array2<f32>, character: &Character) -> Array2<f32> {
    let (height, width) = reading.mask.dim();
    let bounds = character.bounds;
    let (top, left) = (bounds.top.saturating_sub(RIM), bounds.left.saturating_sub(RIM));
    let (bottom, right) = ((bounds.bottom + RIM).min(height), (bounds.right + RIM).min(width));
    let mut own = Array2::zeros((bottom - top, right - left));
    let mut levels = Vec::new();
    for &(y, x) in character.parts.iter().flat_map(|part| &part.pixels) {
        own[(y - top, x - left)] = 1.0;
        levels.push(fine[(y, x)]);
    }
    let near = shape::dilate(&own, 1.5);
    levels.sort_by(f32::total_cmp);
    let full = levels[levels.len() * 3 / 4];
    let floor = reading.threshold * 0.2;
    let mut ink = fine.slice(s![top..bottom, left..right]).to_owned();
    ink.zip_mut_with(&near, |value, &near| {
        *value = if near > 0.0 { (255.0 * (*value - floor) / (full - floor).max(1.0)).clamp(0.0, 255.0) } else { 0.0 };
    });
    ink.slice(s![bounds.top - top..bounds.bottom - top, bounds.left - left..bounds.right - left]).to_owned()
}

/// Images in a row, a gap of two pixels between them.
fn side_by_side(images: &[Array2<f32>]) -> Array2<f32> {
    const GAP: usize = 2;
    let height = images.iter().map(Array2::nrows).max().unwrap_or(0);
    let width = images.iter().map(|image| image.ncols() + GAP).sum::<usize>() - GAP;
    let mut row = Array2::zeros((height, width));
    let mut left = 0;
    for image in images {
        row.slice_mut(s![..image.nrows(), left..left + image.len_of(Axis(1))]).assign(image);
        left += image.ncols() + GAP;
    }
    row
}

/// A box of the working image in pixels of the photo: columns and rows.
fn in_photo(
    bounds: Bounds,
    (height, width): (usize, usize),
    photo: &DynamicImage,
) -> (std::ops::Range<u32>, std::ops::Range<u32>) {
    let scaled = |from: usize, to: usize, length: u32, shrunk: usize| {
        let at = |place: usize| (place as u64 * u64::from(length) / shrunk as u64) as u32;
        at(from)..at(to).max(at(from) + 1)
    };
    (scaled(bounds.left, bounds.right, photo.width(), width), scaled(bounds.top, bounds.bottom, photo.height(), height))
}
