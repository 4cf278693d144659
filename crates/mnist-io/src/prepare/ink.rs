//! What is ink, and what is page.

use super::shape;
use image::{DynamicImage, Rgba};
use ndarray::{Array2, Axis, Zip};

/// Ink is at least this far from the page, where white is 255. The grain of paper and of cameras stays below it.
const CONTRAST_MIN: f32 = 24.0;

/// A page is never taken for darker than this where ink is measured against it.
const PAGE_LEVEL_MIN: f32 = 32.0;

/// The page is estimated on an image this small.
const PAGE_SIDE: usize = 64;

/// The ink of an image, and the page that was under it.
pub(super) struct Ink {
    /// How far each pixel is from the page, 0 to 255.
    pub(super) ink: Array2<f32>,
    /// Whether the ink is darker than the page.
    pub(super) is_dark: bool,
    /// The darkest grey level of the page.
    pub(super) page_least: f32,
    /// Its lightest.
    pub(super) page_greatest: f32,
}

/// Grey levels 0 to 255 on a white ground, shrunk to a longer side of at most `side_max` pixels.
///
/// The photo is taken in bands of rows, each made narrow before the next is looked at: of a large one, no copy of the
/// same size is made.
pub(super) fn grey(photo: &DynamicImage, side_max: usize) -> Array2<f32> {
    const BAND_LENGTH: u32 = 1 << 16;
    let (width, height) = (photo.width(), photo.height());
    let (height_shrunk, width_shrunk) = shape::shrunk((height as usize, width as usize), side_max);
    let band_height = (BAND_LENGTH / width.max(1)).max(1);
    let mut narrow = Vec::with_capacity(height as usize * width_shrunk);
    for top in (0..height).step_by(band_height as usize) {
        let band = photo.crop_imm(0, top, width, band_height.min(height - top)).to_rgba8();
        let levels: Vec<f32> = band.pixels().map(level).collect();
        let levels = Array2::from_shape_vec((band.height() as usize, width as usize), levels)
            .expect("a picture has width × height pixels");
        narrow.extend(shape::resample_rows(&levels, width_shrunk));
    }
    let narrow = Array2::from_shape_vec((height as usize, width_shrunk), narrow)
        .expect("the bands have as many rows as the picture");
    shape::resample_columns(narrow, height_shrunk)
}

fn level(pixel: &Rgba<u8>) -> f32 {
    let [red, green, blue, alpha] = pixel.0.map(f32::from);
    let luma = 0.299 * red + 0.587 * green + 0.114 * blue; // ITU-R BT.601
    (luma * alpha + 255.0 * (255.0 - alpha)) / 255.0
}

/// Decides which way round the image is and subtracts the page.
pub(super) fn separate(grey: &Array2<f32>) -> Ink {
    let surface = border_surface(grey);
    let light = Array2::from_shape_fn(grey.dim(), |(y, x)| surface.at(y, x) as f32);
    // The third power counts what is far from the page; grain on both sides cancels.
    let lean: f64 = grey.iter().zip(&light).map(|(&value, &light)| libm::pow(f64::from(value - light), 3.0)).sum();
    let is_dark = lean < 0.0;
    let turned = |image: &Array2<f32>| if is_dark { image.clone() } else { image.mapv(|value| 255.0 - value) };
    let (light_page, light) = (turned(grey), turned(&light));
    let page = page_under_ink(&(&light_page - &light)) + &light;
    // A page reflects a part of the light, and dark ink a smaller part: the ratio of the two does not depend on the light.
    let mut ink = Zip::from(&page).and(&light_page).map_collect(|&page, &value| {
        if is_dark { (page - value) * (255.0 / page.max(PAGE_LEVEL_MIN)) } else { page - value }
    });
    // The page was estimated from its lightest grain; most pixels are page, so their median is its level.
    let offset = median(ink.iter().copied().collect());
    ink.mapv_inplace(|value| (value - offset).clamp(0.0, 255.0));
    let levels = page.mapv(|value| if is_dark { value } else { 255.0 - value });
    Ink {
        ink,
        is_dark,
        page_least: levels.fold(f32::INFINITY, |least, &value| least.min(value)).clamp(0.0, 255.0),
        page_greatest: levels.fold(0.0, |greatest: f32, &value| greatest.max(value)).clamp(0.0, 255.0),
    }
}

/// The threshold between page and ink (Otsu 1979: the greatest variance between the two), or what was found instead.
pub(super) fn threshold(ink: &Array2<f32>) -> Result<f32, String> {
    let mut histogram = [0_usize; 256];
    for &value in ink {
        histogram[value as usize] += 1;
    }
    let total: f64 = histogram.iter().enumerate().map(|(level, &count)| level as f64 * count as f64).sum();
    let n_pixels = ink.len() as f64;
    let (mut best, mut best_variance, mut contrast) = (0, -1.0, 0.0);
    let (mut n_below, mut sum_below) = (0.0, 0.0);
    for (level, &count) in histogram.iter().enumerate().take(255) {
        n_below += count as f64;
        sum_below += level as f64 * count as f64;
        let n_above = n_pixels - n_below;
        if n_below == 0.0 || n_above == 0.0 {
            continue;
        }
        let distance = (total - sum_below) / n_above - sum_below / n_below;
        let variance = n_below * n_above * distance * distance;
        if variance > best_variance {
            (best, best_variance, contrast) = (level + 1, variance, distance);
        }
    }
    if contrast as f32 >= CONTRAST_MIN {
        return Ok(best as f32);
    }
    Err(format!(
        "a blank page: its darkest parts are only {contrast:.0} of 255 grey levels from the rest, and ink must be \
         {CONTRAST_MIN:.0}"
    ))
}

/// The ink at and beside the mask, scaled so that the strokes reach 255; grain is left out.
pub(super) fn keep(ink: &Array2<f32>, mask: &Array2<bool>, threshold: f32) -> Array2<f32> {
    let near = shape::dilate(&mask.mapv(|is_ink| if is_ink { 1.0 } else { 0.0 }), 1.5);
    let mut levels: Vec<f32> = ink.iter().zip(mask).filter(|&(_, &is_ink)| is_ink).map(|(&value, _)| value).collect();
    levels.sort_by(f32::total_cmp);
    let full = levels[levels.len() * 3 / 4];
    let floor = threshold * 0.2;
    let mut kept = ink.clone();
    Zip::from(&mut kept).and(&near).for_each(|value, &is_near| {
        *value = if is_near > 0.0 { (255.0 * (*value - floor) / (full - floor)).clamp(0.0, 255.0) } else { 0.0 };
    });
    kept
}

/// An even slope and an even bow along each side: the light of a lamp on one side, or of a flash in the middle.
struct Surface {
    level: f64,
    rows: Bend,
    columns: Bend,
}

/// How grey levels change along a side.
struct Bend {
    length: f64,
    slope: f64,
    bow: f64,
}

impl Surface {
    fn at(&self, y: usize, x: usize) -> f64 {
        self.level + self.rows.at(y) + self.columns.at(x)
    }
}

impl Bend {
    /// From the medians of the three thirds of two opposite edges.
    fn of(first_edge: &[f32], second_edge: &[f32]) -> Self {
        let length = first_edge.len();
        let third = (length / 3).max(1);
        let part_median = |from: usize, to: usize| {
            let median_of = |edge: &[f32]| f64::from(median(edge[from..to].to_vec()));
            (median_of(first_edge) + median_of(second_edge)) / 2.0
        };
        let (begin, middle, end) =
            (part_median(0, third), part_median(third, length - third), part_median(length - third, length));
        Self { length: length as f64, slope: (end - begin) / 2.0, bow: (begin + end) / 2.0 - middle }
    }

    fn at(&self, place: usize) -> f64 {
        // The middles of the outer thirds are at −1 and 1.
        let u = (place as f64 + 0.5 - self.length / 2.0) * 3.0 / self.length;
        u * (self.slope + u * self.bow)
    }
}

/// The surface through the border of the image, which shows the page. As it comes from medians, ink that touches
/// the border in places does not matter.
fn border_surface(grey: &Array2<f32>) -> Surface {
    let (height, width) = grey.dim();
    let thickness = (height.min(width) / 16).max(1);
    let mean_of = |axis: usize, from: usize| -> Vec<f32> {
        let edge = grey.slice_axis(Axis(axis), ndarray::Slice::from(from..from + thickness));
        edge.sum_axis(Axis(axis)).iter().map(|sum| sum / thickness as f32).collect()
    };
    let (top, bottom) = (mean_of(0, 0), mean_of(0, height - thickness));
    let (left, right) = (mean_of(1, 0), mean_of(1, width - thickness));
    let mut surface = Surface { level: 0.0, rows: Bend::of(&left, &right), columns: Bend::of(&top, &bottom) };
    let distance = |y: usize, x: usize, value: f32| value - surface.at(y, x) as f32;
    let along_rows =
        |edge: &[f32], y| -> Vec<f32> { edge.iter().enumerate().map(|(x, &value)| distance(y, x, value)).collect() };
    let along_columns =
        |edge: &[f32], x| -> Vec<f32> { edge.iter().enumerate().map(|(y, &value)| distance(y, x, value)).collect() };
    let distances = [
        along_rows(&top, 0),
        along_rows(&bottom, height - 1),
        along_columns(&left, 0),
        along_columns(&right, width - 1),
    ];
    surface.level = f64::from(median(distances.concat()));
    surface
}

/// What an evenly lit, light page would show if nothing were written on it: dark parts narrower than a third of the image are
/// filled from their surroundings (a morphological closing), and the result is smoothed.
fn page_under_ink(light_page: &Array2<f32>) -> Array2<f32> {
    let small = shape::shrink_to(light_page, PAGE_SIDE);
    let radius = small.nrows().max(small.ncols()) / 6;
    let closed = least_near(&greatest_near(&small, radius), radius);
    let smooth = mean_near(&closed, radius / 2);
    shape::resample(&smooth, light_page.nrows(), light_page.ncols())
}

fn greatest_near(image: &Array2<f32>, radius: usize) -> Array2<f32> {
    over_square(image, radius, |window| window.iter().copied().fold(f32::NEG_INFINITY, f32::max))
}

fn least_near(image: &Array2<f32>, radius: usize) -> Array2<f32> {
    over_square(image, radius, |window| window.iter().copied().fold(f32::INFINITY, f32::min))
}

fn mean_near(image: &Array2<f32>, radius: usize) -> Array2<f32> {
    over_square(image, radius, |window| window.iter().sum::<f32>() / window.len() as f32)
}

/// Applies a function to the window of ± `radius` pixels along each row, then along each column.
fn over_square(image: &Array2<f32>, radius: usize, combine: fn(&[f32]) -> f32) -> Array2<f32> {
    let along_rows = |image: &Array2<f32>| {
        let mut result = image.clone();
        for (row, mut row_result) in image.outer_iter().zip(result.outer_iter_mut()) {
            let values = row.to_vec();
            for (x, value) in row_result.iter_mut().enumerate() {
                *value = combine(&values[x.saturating_sub(radius)..(x + radius + 1).min(values.len())]);
            }
        }
        result
    };
    let once = along_rows(image);
    along_rows(&once.reversed_axes()).reversed_axes().as_standard_layout().into_owned()
}

fn median(mut values: Vec<f32>) -> f32 {
    let middle = values.len() / 2;
    *values.select_nth_unstable_by(middle, f32::total_cmp).1
}
