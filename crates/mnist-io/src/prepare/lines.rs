//! Straight lines: frames, cells of forms, ruling. A digit has straight strokes too, so what is a line is decided beside the
//! other parts of the picture (`writing`).

use super::parts::{Part, Place};
use ndarray::{Array2, Axis};

/// A ruled line leans no more than this: rows for each column, or columns for each row.
const LEAN_MAX: f32 = 0.14;

/// Leans that are tried.
const N_LEANS: i32 = 14;

/// A line from edge to edge of the picture is at most this thick, as a share of the picture's longer side. A tightly cut
/// digit has strokes three times as thick.
const RULE_WIDTH_MAX: f32 = 0.03;

/// A line from edge to edge is there in at least this share of the columns (or rows) that it crosses.
const RULE_SHARE_MIN: f32 = 0.7;

/// So many pixels are enough to find a line.
const N_LOOKED_AT: usize = 800;

/// How much of a part lies on lines that run along the rows or columns, at most two of each: 1 for a frame or a bar,
/// about a half for a digit.
pub(super) fn straight_share(part: &Part) -> f32 {
    let thickness = part.line_width() + 2.0;
    let mut left: Vec<Place> = part.pixels.clone();
    for is_level in [true, false, true, false] {
        let Some(line) = best(&left, is_level, thickness) else { break };
        // What is shorter than a third of the box is no side of a frame.
        let side = if is_level { part.bounds.width() } else { part.bounds.height() };
        if line.count >= (side as f32 / 3.0 * part.line_width().max(1.0) * 0.6) {
            left.retain(|&place| !line.holds(place));
        }
    }
    1.0 - left.len() as f32 / part.area() as f32
}

/// Whether a part is one straight bar of any direction, and then how long and how thick.
pub(super) fn bar(part: &Part) -> Option<(f32, f32)> {
    let n = part.area() as f32;
    let (mut mean_y, mut mean_x) = (0.0, 0.0);
    for &(y, x) in &part.pixels {
        mean_y += y as f32 / n;
        mean_x += x as f32 / n;
    }
    let (mut yy, mut xx, mut xy) = (0.0, 0.0, 0.0);
    for &(y, x) in &part.pixels {
        let (dy, dx) = (y as f32 - mean_y, x as f32 - mean_x);
        yy += dy * dy / n;
        xx += dx * dx / n;
        xy += dx * dy / n;
    }
    let (half_sum, half_difference) = ((yy + xx) / 2.0, ((yy - xx) / 2.0).hypot(xy));
    // The variance of an even bar of length l is l²/12.
    let length = (12.0 * (half_sum + half_difference)).sqrt();
    let thickness = (12.0 * (half_sum - half_difference).max(0.0)).sqrt().max(1.0);
    let is_filled = n > 0.55 * length * thickness;
    (length >= 6.0 * thickness && is_filled).then_some((length, thickness))
}

/// Takes lines out of a mask that run through the whole picture, and says how many there were. Where another stroke crosses
/// a line, its ink stays.
pub(super) fn remove_rules(mask: &mut Array2<bool>) -> usize {
    let (height, width) = mask.dim();
    let thickness_max = (RULE_WIDTH_MAX * height.max(width) as f32).max(2.0);
    let mut n_removed = 0;
    for is_level in [true, false] {
        let length = if is_level { width } else { height };
        if !is_crossed(mask, is_level) {
            continue;
        }
        // More than there are on squared paper would be a pattern.
        for _ in 0..60 {
            let places: Vec<Place> =
                mask.indexed_iter().filter(|(_, is_ink)| **is_ink).map(|(place, _)| place).collect();
            let Some(line) = best(&places, is_level, 3.0) else { break };
            if line.count < RULE_SHARE_MIN * length as f32 || !erase(mask, &line, thickness_max) {
                break;
            }
            n_removed += 1;
        }
    }
    n_removed
}

/// Whether there is ink in so many columns (or rows) that a line could run through all of them.
fn is_crossed(mask: &Array2<bool>, is_level: bool) -> bool {
    let lanes = mask.lanes(Axis(usize::from(!is_level)));
    let n = lanes.into_iter().filter(|lane| lane.iter().any(|&is_ink| is_ink)).count();
    let length = if is_level { mask.ncols() } else { mask.nrows() };
    n as f32 >= RULE_SHARE_MIN * length as f32
}

/// A band of pixels: across = start + lean · along, and `thickness` more.
#[derive(Clone, Copy, Debug)]
struct Line {
    is_level: bool,
    lean: f32,
    start: f32,
    thickness: f32,
    count: f32,
}

impl Line {
    fn holds(&self, (y, x): Place) -> bool {
        let (along, across) = if self.is_level { (x, y) } else { (y, x) };
        let offset = across as f32 - self.lean * along as f32 - self.start;
        (-0.5..self.thickness + 0.5).contains(&offset)
    }
}

/// The band that holds most of the places. Of many, only some are looked at.
fn best(places: &[Place], is_level: bool, thickness: f32) -> Option<Line> {
    let every = places.len() / N_LOOKED_AT + 1;
    let pairs: Vec<(f32, f32)> = places
        .iter()
        .step_by(every)
        .map(|&(y, x)| if is_level { (x as f32, y as f32) } else { (y as f32, x as f32) })
        .collect();
    let longest = pairs.iter().map(|pair| pair.0).fold(0.0, f32::max);
    let deepest = pairs.iter().map(|pair| pair.1).fold(0.0, f32::max);
    let base = (LEAN_MAX * longest).ceil();
    let mut counts = vec![0_usize; (deepest + 2.0 * base) as usize + 3];
    let window = (thickness.round() as usize).max(1);
    let mut found: Option<Line> = None;
    for step in -N_LEANS..=N_LEANS {
        let lean = LEAN_MAX * step as f32 / N_LEANS as f32;
        counts.fill(0);
        for &(along, across) in &pairs {
            counts[(across - lean * along + base + 0.5) as usize] += 1;
        }
        let mut sum = 0;
        for index in 0..counts.len() {
            sum += counts[index];
            if index >= window {
                sum -= counts[index - window];
            }
            let count = (sum * every) as f32;
            if found.is_none_or(|line| count > line.count) {
                let start = index as f32 + 1.0 - window as f32 - base;
                found = Some(Line { is_level, lean, start, thickness: window as f32 - 1.0, count });
            }
        }
    }
    found
}

/// Erases a line from edge to edge where nothing crosses it; false, and nothing is changed, where it is no such line.
fn erase(mask: &mut Array2<bool>, line: &Line, thickness_max: f32) -> bool {
    let (height, width) = mask.dim();
    let (length, depth) = if line.is_level { (width, height) } else { (height, width) };
    let place = |along: usize, across: usize| if line.is_level { (across, along) } else { (along, across) };
    let mut runs = Vec::new();
    for along in 0..length {
        let middle = line.start + line.lean * along as f32 + line.thickness / 2.0;
        let near = (-1..=1).map(|shift| middle + shift as f32).filter(|&at| at > -0.5 && at < depth as f32 - 0.5);
        let Some(seed) = near.map(|at| (at + 0.5) as usize).find(|&across| mask[place(along, across)]) else {
            continue;
        };
        let mut from = seed;
        while from > 0 && mask[place(along, from - 1)] {
            from -= 1;
        }
        let mut to = seed + 1;
        while to < depth && mask[place(along, to)] {
            to += 1;
        }
        runs.push((along, from, to));
    }
    let (Some(first), Some(last)) = (runs.first(), runs.last()) else { return false };
    let edge = length / 25 + 1;
    let mut lengths: Vec<usize> = runs.iter().map(|(_, from, to)| to - from).collect();
    lengths.sort_unstable();
    let usual = lengths[lengths.len() / 2] as f32;
    let is_through = first.0 <= edge && last.0 + edge >= length - 1;
    if !is_through || (runs.len() as f32) < RULE_SHARE_MIN * length as f32 || usual > thickness_max {
        return false;
    }
    for (along, from, to) in runs {
        // Where the run is much longer, a stroke crosses, and the line within it is part of its ink.
        if (to - from) as f32 <= 1.6 * usual + 1.5 {
            for across in from..to {
                mask[place(along, across)] = false;
            }
        }
    }
    true
}
