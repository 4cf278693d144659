//! The shape of the digit: line width, scaling, centring.

use ndarray::{Array2, s};

/// The side of the box that a digit of MNIST is scaled into.
const BOX_SIDE: usize = 20;

/// The side of the field that it is placed in.
const FIELD_SIDE: usize = 28;

/// The digit is at most this large when its lines are measured and thickened.
const THICKENING_SIDE: usize = 100;

/// Lines thinner than the first are thickened to the second, in pixels of the box. In MNIST's training set the median
/// is 2.5 and 95 % are above 1.6 by the same measure.
const LINE_WIDTH_MIN: f32 = 1.6;
const LINE_WIDTH_WANTED: f32 = 2.2;

/// Thickens lines that are too thin for MNIST, and returns their width before and after, in pixels of the box of 20.
pub(super) fn thicken(digit: &Array2<f32>) -> (Array2<f32>, Option<(f32, f32)>) {
    let small = full_range(&shrink_to(digit, THICKENING_SIDE));
    let per_box_pixel = small.nrows().max(small.ncols()) as f32 / BOX_SIDE as f32;
    let width = line_width(&small) / per_box_pixel;
    if width >= LINE_WIDTH_MIN {
        return (digit.clone(), None);
    }
    let radius = (LINE_WIDTH_WANTED - width) / 2.0 * per_box_pixel;
    // Room for the lines to grow into, on each side.
    let margin = radius as usize + 1;
    let mut padded = Array2::zeros((small.nrows() + 2 * margin, small.ncols() + 2 * margin));
    padded.slice_mut(s![margin..margin + small.nrows(), margin..margin + small.ncols()]).assign(&small);
    (dilate(&padded, radius), Some((width, LINE_WIDTH_WANTED)))
}

/// Scales the digit into the box, its longer side becoming 20 pixels, its ink 255.
pub(super) fn fit(digit: &Array2<f32>) -> Array2<f32> {
    let (height, width) = digit.dim();
    let longer_side = height.max(width) as f32;
    let scaled = |length: usize| ((length as f32 * BOX_SIDE as f32 / longer_side).round() as usize).max(1);
    full_range(&resample(digit, scaled(height), scaled(width)))
}

/// Places the box in the field so that the centre of mass of its ink is in the middle, to the nearest pixel.
pub(super) fn centre(digit: &Array2<f32>) -> Array2<f32> {
    let mass = digit.sum().max(f32::MIN_POSITIVE);
    let moment = |of: fn((usize, usize)) -> usize| {
        digit.indexed_iter().map(|(place, &value)| (of(place) as f32) * value).sum::<f32>() / mass
    };
    // Pixel 14 of 0 to 27 is the middle: in MNIST the centres of mass are within half a pixel of (14, 14).
    let start = |centre: f32, length: usize| {
        let start = (FIELD_SIDE as f32 / 2.0 - centre).round().max(0.0) as usize;
        start.min(FIELD_SIDE - length)
    };
    let top = start(moment(|(y, _)| y), digit.nrows());
    let left = start(moment(|(_, x)| x), digit.ncols());
    let mut field = Array2::zeros((FIELD_SIDE, FIELD_SIDE));
    field.slice_mut(s![top..top + digit.nrows(), left..left + digit.ncols()]).assign(digit);
    field
}

/// Shrinks an image to a longer side of at most `side_max` pixels.
pub(super) fn shrink_to(image: &Array2<f32>, side_max: usize) -> Array2<f32> {
    let (height, width) = shrunk(image.dim(), side_max);
    resample(image, height, width)
}

/// The height and width of an image that is shrunk to a longer side of at most `side_max` pixels.
pub(super) fn shrunk((height, width): (usize, usize), side_max: usize) -> (usize, usize) {
    let longer_side = height.max(width);
    if longer_side <= side_max {
        return (height, width);
    }
    let scaled = |length: usize| ((length * side_max + longer_side / 2) / longer_side).max(1);
    (scaled(height), scaled(width))
}

/// Scales an image. Along a side that shrinks, each pixel is the mean of the part that it covers; along one that grows,
/// it is interpolated between two.
pub(super) fn resample(image: &Array2<f32>, height: usize, width: usize) -> Array2<f32> {
    resample_columns(resample_rows(image, width), height)
}

pub(super) fn resample_columns(image: Array2<f32>, height: usize) -> Array2<f32> {
    resample_rows(&image.reversed_axes(), height).reversed_axes().as_standard_layout().into_owned()
}

pub(super) fn resample_rows(image: &Array2<f32>, width: usize) -> Array2<f32> {
    let old_width = image.ncols();
    if width == old_width {
        return image.clone();
    }
    let scale = old_width as f32 / width as f32;
    let mut result = Array2::zeros((image.nrows(), width));
    let mut weights = Vec::new();
    for x in 0..width {
        let centre = (x as f32 + 0.5) * scale;
        weights.clear();
        if scale > 1.0 {
            let (from, to) = (centre - scale / 2.0, centre + scale / 2.0);
            for source in from as usize..(to.ceil() as usize).min(old_width) {
                let covered = (to.min(source as f32 + 1.0) - from.max(source as f32)).max(0.0);
                weights.push((source, covered / scale));
            }
        } else {
            let place = (centre - 0.5).clamp(0.0, (old_width - 1) as f32);
            let left = place as usize;
            weights.push((left, 1.0 - place.fract()));
            weights.push(((left + 1).min(old_width - 1), place.fract()));
        }
        for (row, mut row_result) in image.outer_iter().zip(result.outer_iter_mut()) {
            row_result[x] = weights.iter().map(|&(source, weight)| weight * row[source]).sum();
        }
    }
    result
}

/// Spreads ink over a disc of this radius in pixels: each pixel takes the greatest value near it, fading over the last
/// pixel of the disc.
pub(super) fn dilate(image: &Array2<f32>, radius: f32) -> Array2<f32> {
    let (height, width) = image.dim();
    let reach = radius.ceil() as isize;
    let mut result = image.clone();
    for dy in -reach..=reach {
        for dx in -reach..=reach {
            let distance = ((dx * dx + dy * dy) as f32).sqrt();
            let weight = (radius + 0.5 - distance).clamp(0.0, 1.0);
            if weight == 0.0 {
                continue;
            }
            let (rows, rows_from) = overlap(height, dy);
            let (columns, columns_from) = overlap(width, dx);
            let source = image.slice(s![rows_from, columns_from]);
            result.slice_mut(s![rows, columns]).zip_mut_with(&source, |value, &near| *value = value.max(weight * near));
        }
    }
    result
}

/// The places of a side that have a neighbour `shift` away, and these neighbours.
fn overlap(length: usize, shift: isize) -> (std::ops::Range<usize>, std::ops::Range<usize>) {
    let n_lost = shift.unsigned_abs().min(length);
    if shift < 0 { (n_lost..length, 0..length - n_lost) } else { (0..length - n_lost, n_lost..length) }
}

/// Scales values so that the greatest is 255.
fn full_range(image: &Array2<f32>) -> Array2<f32> {
    let greatest = image.fold(0.0_f32, |greatest, &value| greatest.max(value));
    if greatest > 0.0 { image.mapv(|value| value * 255.0 / greatest) } else { image.clone() }
}

/// The mean width of the lines in pixels: a line of length l and width w has area l · w and two sides; counted in steps
/// along the pixel grid, a side of any direction is 4/π as long on average.
fn line_width(digit: &Array2<f32>) -> f32 {
    let mask = digit.mapv(|value| value >= 127.5);
    let area = mask.iter().filter(|&&is_ink| is_ink).count() as f32;
    area * 2.0 * (4.0 / std::f32::consts::PI) / (n_edges(&mask) as f32).max(1.0)
}

/// The number of pixel sides between ink and page; the outside of the image counts as page.
fn n_edges(mask: &Array2<bool>) -> usize {
    let (height, width) = mask.dim();
    let at = |y: usize, x: usize| mask.get((y, x)).copied().unwrap_or(false);
    let mut n = 0;
    for y in 0..=height {
        for x in 0..=width {
            let above = y > 0 && at(y - 1, x);
            let before = x > 0 && at(y, x - 1);
            n += usize::from(at(y, x) != above) + usize::from(at(y, x) != before);
        }
    }
    n
}
