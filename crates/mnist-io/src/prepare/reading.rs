//! One way of seeing the image: whether writing is dark or light, and how wide a stroke can be. What it finds is weighed against
//! what the others find.

use super::page::{self, Layers};
use super::parts::{self, Bounds, Part};
use super::rows::{self, Character};
use super::writing::{self, Writing};
use super::{lines, window};
use ndarray::Array2;

/// Ink is at least this far from the page, where white is 255. The grain of paper and of cameras stays below it.
pub(super) const CONTRAST_MIN: f32 = 24.0;

/// Strokes are at most as wide as this share of the longer side; the smallest that finds the writing leaves most of what is no
/// writing to the page. A tightly cut digit of a thick marker needs the last.
pub(super) const RADII: [f32; 3] = [0.03, 0.08, 0.2];

/// Ink is one part over gaps of up to twice this share of the longer side.
const REACH: f32 = 0.005;

/// More parts that could be writing are noise.
const N_PARTS_MAX: usize = 60;

/// More characters are a text or a pattern.
const N_CHARACTERS_MAX: usize = 20;

/// The least length of the longer side of a character, in pixels.
const CHARACTER_SIDE_MIN: usize = 6;

/// What was found.
pub(super) struct Reading {
    pub(super) is_dark: bool,
    pub(super) layers: Layers,
    /// What is ink, taken from all of it, and again from what is left without that which is no writing.
    pub(super) raw_threshold: f32,
    pub(super) threshold: f32,
    /// All that is ink by the threshold.
    pub(super) raw: Array2<bool>,
    /// The ink that is writing.
    pub(super) mask: Array2<bool>,
    /// Lines through the whole picture that were removed.
    pub(super) n_rules: usize,
    pub(super) writing: Writing,
    /// Whether the characters are likely to be lines, one below the other, taken together.
    pub(super) has_two_lines: bool,
    pub(super) characters: Vec<Character>,
    pub(super) evidence: Evidence,
}

/// The image and a smoothed copy, in which grain makes no ink.
pub(super) struct Source {
    pub(super) grey: Array2<f32>,
    pub(super) smooth: Array2<f32>,
}

impl Source {
    pub(super) fn new(grey: Array2<f32>) -> Self {
        let smooth = window::smooth(&grey);
        Self { grey, smooth }
    }

    fn longer_side(&self) -> usize {
        self.grey.nrows().max(self.grey.ncols())
    }
}

/// What speaks for a reading and against it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Evidence(pub(super) [f32; N_EVIDENCE]);

pub(super) const N_EVIDENCE: usize = 15;

/// Sees the image one way, or says why nothing can be seen so.
pub(super) fn read(source: &Source, is_dark: bool, share: f32, is_single: bool) -> Result<Reading, String> {
    let longer_side = source.longer_side();
    let radius = ((share * longer_side as f32) as usize).max(2);
    let layers = page::separate(&source.smooth, is_dark, radius);
    let (mut threshold, contrast) = page::threshold(&layers.ink);
    if contrast < CONTRAST_MIN {
        return Err(format!(
            "a blank page: its darkest parts are only {contrast:.0} of 255 grey levels from the rest, and ink must be \
             {CONTRAST_MIN:.0}"
        ));
    }
    let raw_threshold = threshold;
    let raw = layers.ink.mapv(|value| value >= threshold);
    refuse_noise(&raw)?;
    let (mut writing, mut n_rules) = sorted(&raw, longer_side);
    // What is no writing may be much darker than the writing, and then the threshold was its own.
    if !writing.foreign.is_empty() || n_rules > 0 {
        let mut rest = layers.ink.clone();
        blank(&mut rest, &writing.foreign);
        let (threshold_again, contrast_again) = page::threshold(&rest);
        if contrast_again >= CONTRAST_MIN && threshold_again < 0.8 * threshold {
            let again = rest.mapv(|value| value >= threshold_again);
            let (found, n) = sorted(&again, longer_side);
            if !found.kept.is_empty() && found.kept.len() < N_PARTS_MAX {
                writing = Writing {
                    n_lines: found.n_lines + writing.n_lines,
                    n_edge: found.n_edge + writing.n_edge,
                    foreign: writing.foreign.into_iter().chain(found.foreign).collect(),
                    ..found
                };
                n_rules += n;
                threshold = threshold_again;
            }
        }
    }
    let n_kept = writing.kept.len();
    if n_kept > N_PARTS_MAX {
        return Err(format!("{n_kept} separate parts of similar size: noise or a pattern"));
    }
    let (characters, n_left_out) = rows::characters(std::mem::take(&mut writing.kept), is_single);
    writing.n_specks += n_left_out;
    if characters.is_empty() || characters.iter().all(|one| one.bounds.side() < CHARACTER_SIDE_MIN) {
        return Err("only specks: the largest is too small to be a character".to_string());
    }
    if characters.len() > N_CHARACTERS_MAX {
        return Err(format!("{} separate parts of similar size: noise, a pattern, or a text", characters.len()));
    }
    let mut mask = Array2::from_elem(raw.dim(), false);
    for &pixel in characters.iter().flat_map(|one| &one.parts).flat_map(|part| &part.pixels) {
        mask[pixel] = true;
    }
    let mut reading = Reading {
        is_dark,
        layers,
        raw_threshold,
        threshold,
        raw,
        mask,
        n_rules,
        writing,
        has_two_lines: !is_single && rows::has_two_lines(&characters),
        characters,
        evidence: Evidence([0.0; N_EVIDENCE]),
    };
    reading.evidence = weigh(source, &reading, share);
    Ok(reading)
}

fn sorted(raw: &Array2<bool>, longer_side: usize) -> (Writing, usize) {
    let reach = (REACH * longer_side as f32) as usize;
    let mut mask = raw.clone();
    let n_rules = lines::remove_rules(&mut mask);
    let with_rules_removed = writing::select(parts::connected(&mask, reach), longer_side);
    if n_rules > 0 && with_rules_removed.kept.iter().all(|part| part.bounds.side() * 12 < longer_side) {
        // Nothing is left of note: what ran through the picture was the writing.
        return (writing::select(parts::connected(raw, reach), longer_side), 0);
    }
    (with_rules_removed, n_rules)
}

/// Takes parts and their soft edges out of the ink.
fn blank(ink: &mut Array2<f32>, parts: &[Part]) {
    let (height, width) = ink.dim();
    for &(y, x) in parts.iter().flat_map(|part| &part.pixels) {
        for near_y in y.saturating_sub(2)..(y + 3).min(height) {
            for near_x in x.saturating_sub(2)..(x + 3).min(width) {
                ink[(near_y, near_x)] = 0.0;
            }
        }
    }
}

fn weigh(source: &Source, reading: &Reading, share: f32) -> Evidence {
    let Reading { is_dark, layers, raw, mask, writing, characters, .. } = reading;
    let longer_side = raw.nrows().max(raw.ncols()) as f32;
    let bounds = characters.iter().map(|one| one.bounds).reduce(Bounds::union).expect("there is a character");
    let parts = || characters.iter().flat_map(|one| &one.parts);
    let area: usize = parts().map(Part::area).sum();
    let main = parts().max_by_key(|part| part.area()).expect("a character has a part");
    let mean_ink = parts().flat_map(|part| &part.pixels).map(|&place| layers.ink[place]).sum::<f32>() / area as f32;
    let step =
        parts().flat_map(|part| &part.pixels).map(|&at| (layers.page[at] - source.smooth[at]).abs()).sum::<f32>()
            / area as f32;
    let n_raw = raw.iter().filter(|&&is_ink| is_ink).count();
    let n_foreign: usize = writing.foreign.iter().map(Part::area).sum();
    let (height, width) = raw.dim();
    let at_edge = |(y, x): (usize, usize)| y == 0 || x == 0 || y + 1 == height || x + 1 == width;
    let n_edge_pixels = (2 * (height + width)) as f32;
    let n_edge_kept = mask.indexed_iter().filter(|&(place, &is_ink)| is_ink && at_edge(place)).count() as f32;
    let n_edge_raw = raw.indexed_iter().filter(|&(place, &is_ink)| is_ink && at_edge(place)).count() as f32;
    let relative_width = main.line_width() / main.bounds.side() as f32;
    Evidence([
        1.0,
        (bounds.side() as f32 / longer_side).ln(),
        mean_ink / 255.0,
        (relative_width / 0.1).ln().abs(),
        n_edge_kept / n_edge_pixels,
        n_edge_raw / n_edge_pixels,
        area as f32 / (bounds.height() * bounds.width()) as f32,
        n_foreign as f32 / n_raw as f32,
        if *is_dark { 1.0 } else { 0.0 },
        (share / RADII[0]).ln(),
        (characters.len() - 1) as f32,
        sharpness(&layers.ink, main) / mean_ink.max(1.0),
        (n_raw as f32 / raw.len() as f32).min(1.0),
        blunt_share(source, layers, mask, *is_dark, main.line_width()),
        (step / range(&source.smooth).max(1.0)).max(0.01).ln(),
    ])
}

/// The grey levels between the darkest and the lightest hundredth of the image.
fn range(image: &Array2<f32>) -> f32 {
    page::quantile(image, 0.99) - page::quantile(image, 0.01)
}

/// The share of the rim of the writing at which the image does not change as it does from page to ink: a stroke wider than the
/// window is cut where nothing ends, and a shadow ends softly.
fn blunt_share(source: &Source, layers: &Layers, mask: &Array2<bool>, is_dark: bool, line_width: f32) -> f32 {
    // A soft edge, of a blurred or an enlarged picture, is about as wide as half of the line.
    let away = (0.4 * line_width).clamp(2.0, 12.0) as isize;
    let (height, width) = mask.dim();
    let (mut n_rim, mut n_blunt) = (0, 0);
    for (place, &is_ink) in mask.indexed_iter() {
        if !is_ink {
            continue;
        }
        let (y, x) = place;
        let expected = (layers.page[place] - source.smooth[place]).abs();
        for (dy, dx) in [(-1_isize, 0_isize), (1, 0), (0, -1), (0, 1)] {
            let at = |n: isize| {
                let place = (y.checked_add_signed(n * dy)?, x.checked_add_signed(n * dx)?);
                (place.0 < height && place.1 < width).then_some(place)
            };
            let Some(outside) = at(1).filter(|&place| !mask[place]) else { continue };
            let (outer, inner) = (at(1 + away).or(at(2)).unwrap_or(outside), at(-away / 2).unwrap_or(place));
            let step = source.smooth[outer] - source.smooth[inner];
            n_rim += 1;
            n_blunt += usize::from(if is_dark { step } else { -step } < 0.5 * expected);
        }
    }
    n_blunt as f32 / (n_rim as f32).max(1.0)
}

/// The mean change of the ink from pixel to pixel inside and at the rim of a part, where it is greatest.
fn sharpness(ink: &Array2<f32>, part: &Part) -> f32 {
    let (height, width) = ink.dim();
    let mut steps: Vec<f32> = part
        .pixels
        .iter()
        .map(|&(y, x)| {
            let (above, below) = (ink[(y.saturating_sub(1), x)], ink[((y + 1).min(height - 1), x)]);
            let (left, right) = (ink[(y, x.saturating_sub(1))], ink[(y, (x + 1).min(width - 1))]);
            (below - above).abs().max((right - left).abs())
        })
        .collect();
    let n = steps.len();
    let from = n * 4 / 5;
    steps.select_nth_unstable_by(from.min(n - 1), f32::total_cmp);
    steps[from.min(n - 1)..].iter().sum::<f32>() / (n - from.min(n - 1)) as f32
}

/// Refuses ink that has no shape. Strokes three pixels wide have about one edge for each pixel of ink; unrelated pixels have two
/// or more.
fn refuse_noise(mask: &Array2<bool>) -> Result<(), String> {
    let (height, width) = mask.dim();
    let (mut n_ink, mut n_edges) = (0, 0);
    for ((y, x), &is_ink) in mask.indexed_iter() {
        n_ink += usize::from(is_ink);
        n_edges += usize::from(x + 1 < width && is_ink != mask[(y, x + 1)]);
        n_edges += usize::from(y + 1 < height && is_ink != mask[(y + 1, x)]);
    }
    let coverage = n_ink as f32 / mask.len() as f32;
    let edges_per_pixel = n_edges as f32 / n_ink.max(1) as f32;
    if coverage > 0.15 && edges_per_pixel > 1.3 {
        return Err("noise all over the page".to_string());
    }
    Ok(())
}

impl Evidence {
    /// The weights of a logistic regression.
    const WEIGHTS: [f32; N_EVIDENCE] = [
        0.945, 0.064, -0.494, -3.015, -5.095, -0.142, 1.953, -1.340, 1.254, 0.799, -0.404, 1.489, -0.719, -6.410, 0.629,
    ];

    pub(super) fn score(&self) -> f32 {
        self.0.iter().zip(Self::WEIGHTS).map(|(value, weight)| value * weight).sum()
    }

    pub(super) fn probability(&self) -> f64 {
        1.0 / (1.0 + libm::exp(-f64::from(self.score())))
    }
}
