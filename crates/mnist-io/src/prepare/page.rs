//! What the page would look like if nothing were written on it, and how far each pixel is from that.

use super::window;
use ndarray::{Array2, Zip};

/// A page is never taken for darker than this where dark ink is measured against it, nor for darker than this share of its
/// lightest tenth: in a deep shadow the grain would look like ink.
const PAGE_LEVEL_MIN: f32 = 32.0;
const PAGE_SHARE_MIN: f32 = 0.4;

/// The lightest grain near a pixel is at most so far from the level of the page. Where the median is more, most pixels are ink.
const GRAIN_MAX: f32 = 16.0;

/// What one way of seeing the image makes of it.
pub(super) struct Layers {
    /// How far each pixel is from the page, 0 to 255.
    pub(super) ink: Array2<f32>,
    /// The grey levels of the page.
    pub(super) page: Array2<f32>,
    is_dark: bool,
    /// The page is taken to be at least as light as this where dark ink is measured.
    page_least: f32,
    /// How far the page was estimated to be from its own level.
    offset: f32,
}

impl Layers {
    /// The ink of the image itself, where `ink` is that of a smoothed one.
    pub(super) fn fine(&self, grey: &Array2<f32>) -> Array2<f32> {
        Zip::from(&self.page).and(grey).map_collect(|&page, &value| {
            let ink = if self.is_dark { (page - value) * (255.0 / page.max(self.page_least)) } else { value - page };
            (ink - self.offset).clamp(0.0, 255.0)
        })
    }
}

/// Takes the page away. What is narrower than 2 · `radius` + 1 pixels and darker than its surroundings (lighter, where ink is not
/// dark) is filled from them (a morphological closing), and the rest is page: so is a shadow, and a table beside the sheet,
/// whose edges stay as sharp as they are.
pub(super) fn separate(grey: &Array2<f32>, is_dark: bool, radius: usize) -> Layers {
    let light_page = if is_dark { grey.clone() } else { grey.mapv(|value| 255.0 - value) };
    let page = window::least(&window::greatest(&light_page, radius), radius);
    let least = PAGE_LEVEL_MIN.max(PAGE_SHARE_MIN * quantile(&page, 0.9));
    // A page reflects a part of the light, and dark ink a smaller part: the ratio of the two does not depend on the light.
    let mut ink = Zip::from(&page)
        .and(&light_page)
        .map_collect(|&page, &value| if is_dark { (page - value) * (255.0 / page.max(least)) } else { page - value });
    // The page was taken from its lightest grain; most pixels are page, so their median is its level.
    let offset = quantile(&ink, 0.5).min(GRAIN_MAX);
    ink.mapv_inplace(|value| (value - offset).clamp(0.0, 255.0));
    let page = if is_dark { page } else { page.mapv(|value| 255.0 - value) };
    Layers { ink, page, is_dark, page_least: least, offset }
}

/// The threshold between page and ink (Otsu 1979: the greatest variance between the two), and the distance of their means.
pub(super) fn threshold(ink: &Array2<f32>) -> (f32, f32) {
    let mut histogram = [0_usize; 256];
    for &value in ink {
        histogram[value as usize] += 1;
    }
    let total: f64 = histogram.iter().enumerate().map(|(level, &count)| level as f64 * count as f64).sum();
    let n_pixels = ink.len() as f64;
    let (mut best, mut best_variance, mut contrast) = (255, -1.0, 0.0);
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
    (best as f32, contrast as f32)
}

/// The level below which this share of the pixels is, to one of 256.
pub(super) fn quantile(image: &Array2<f32>, share: f32) -> f32 {
    // A few thousand pixels tell it well enough; an odd step takes them from all columns.
    let every = (image.len() / 8192) | 1;
    let mut histogram = [0_usize; 256];
    image.iter().step_by(every).for_each(|value| histogram[value.clamp(0.0, 255.0) as usize] += 1);
    let mut n_below = 0;
    for (level, count) in histogram.iter().enumerate() {
        n_below += count;
        if n_below as f32 >= share * image.len().div_ceil(every) as f32 {
            return level as f32;
        }
    }
    255.0
}
