//! Which parts of the ink are writing, and which are frames, lines, edges of the sheet, shadows and specks.

use super::lines;
use super::parts::Part;

/// Parts smaller than this share of the largest are specks.
const SPECK_SHARE: f32 = 0.05;

/// Within the box of the writing a smaller share is enough: a line that a scan has broken has small pieces.
const PIECE_SHARE: f32 = 0.01;

/// The least pixels of any part.
const AREA_MIN: usize = 4;

/// A part with at least this share on level and upright lines is a frame, a line, or a digit of straight strokes.
const STRAIGHT_SHARE: f32 = 0.85;

/// A part round another one is drawn with lines thinner than this share of its longer side: a frame, or a ring.
const ENCLOSING_WIDTH_MAX: f32 = 0.1;

/// Parts that are kept, and how many were not.
#[derive(Clone, Debug, Default)]
pub(super) struct Writing {
    pub(super) kept: Vec<Part>,
    pub(super) n_specks: usize,
    /// Frames, lines and bars.
    pub(super) n_lines: usize,
    /// What reaches the edge of the picture.
    pub(super) n_edge: usize,
    /// All that was dropped and is no speck.
    pub(super) foreign: Vec<Part>,
}

/// What a part may be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    Stroke,
    /// One straight bar: a line, or a "1".
    Bar,
    /// Level and upright lines: a frame or a part of one, or a "4".
    Frame,
    Blob,
    Speck,
}

struct Candidate {
    part: Part,
    shape: Shape,
    is_edge: bool,
}

/// Sorts the parts of an image of this longer side.
pub(super) fn select(parts: Vec<Part>, longer_side: usize) -> Writing {
    let mut candidates: Vec<Candidate> = parts
        .into_iter()
        .map(|part| Candidate { shape: shape(&part, longer_side), is_edge: part.touches_edge(), part })
        .collect();
    for index in 0..candidates.len() {
        let one = &candidates[index];
        let is_thin = one.part.line_width() < ENCLOSING_WIDTH_MAX * one.part.bounds.side() as f32;
        if one.shape == Shape::Stroke && is_thin && encloses_another(one, &candidates) {
            candidates[index].shape = Shape::Frame;
        }
    }
    let Some(main) = main_part(&candidates) else {
        return Writing { n_specks: candidates.len(), ..Writing::default() };
    };
    let main = (&candidates[main].part.clone(), candidates[main].is_edge, candidates[main].shape);
    let mut writing = Writing::default();
    let mut small = Vec::new();
    for candidate in candidates {
        if candidate.part.bounds == main.0.bounds {
            writing.kept.push(candidate.part);
        } else if candidate.part.area() < AREA_MIN.max((SPECK_SHARE * main.0.area() as f32) as usize)
            && candidate.part.bounds.side() * 3 < main.0.bounds.side()
        {
            small.push(candidate);
        } else if candidate.is_edge && !main.1 {
            writing.n_edge += 1;
            writing.foreign.push(candidate.part);
        } else if is_foreign(&candidate, main.0, main.2) {
            writing.n_lines += 1;
            writing.foreign.push(candidate.part);
        } else {
            writing.kept.push(candidate.part);
        }
    }
    let bounds = writing.kept.iter().skip(1).fold(main.0.bounds, |bounds, part| bounds.union(part.bounds));
    for candidate in small {
        let is_piece = candidate.part.area() as f32 >= PIECE_SHARE * main.0.area() as f32
            && candidate.part.area() >= AREA_MIN
            && bounds.contains(&candidate.part.bounds, 2)
            && (main.1 || !candidate.is_edge);
        if is_piece { writing.kept.push(candidate.part) } else { writing.n_specks += 1 }
    }
    writing
}

fn shape(part: &Part, longer_side: usize) -> Shape {
    if part.area() < AREA_MIN || part.bounds.side() < 3 {
        Shape::Speck
    } else if lines::bar(part).is_some() {
        Shape::Bar
    } else if part.is_blob() {
        Shape::Blob
    } else if part.bounds.side() * 8 > longer_side && lines::straight_share(part) >= STRAIGHT_SHARE {
        Shape::Frame
    } else {
        Shape::Stroke
    }
}

/// The part that is writing most of all.
fn main_part(candidates: &[Candidate]) -> Option<usize> {
    let largest = |is_wanted: &dyn Fn(&Candidate) -> bool| {
        (0..candidates.len())
            .filter(|&index| is_wanted(&candidates[index]))
            .max_by_key(|&index| (candidates[index].part.area(), std::cmp::Reverse(index)))
    };
    let side = |index: Option<usize>| index.map_or(0, |index| candidates[index].part.bounds.side());
    let inner = largest(&|one| !one.is_edge && one.shape == Shape::Stroke);
    let open = |one: &Candidate, shape| !one.is_edge && one.shape == shape && !encloses_another(one, candidates);
    let (inner_frame, inner_bar) = (largest(&|one| open(one, Shape::Frame)), largest(&|one| open(one, Shape::Bar)));
    let edge = largest(&|one| one.is_edge && one.shape == Shape::Stroke);
    // A "4" may be all straight strokes, and a "1" a bar; then the largest of the rest is a speck.
    let inner = if side(inner) * 2 >= side(inner_frame) { inner.or(inner_frame) } else { inner_frame };
    let inner = if side(inner) * 5 >= side(inner_bar) { inner.or(inner_bar) } else { inner_bar };
    // Writing touches the edge of a picture that is cut tightly; then there is nothing else of its size.
    if side(inner) * 4 >= side(edge) && inner.is_some() {
        return inner;
    }
    edge.or_else(|| largest(&|one| matches!(one.shape, Shape::Bar | Shape::Frame)))
        .or_else(|| largest(&|one| one.shape == Shape::Blob))
}

/// Whether another part of some size lies in its box.
fn encloses_another(one: &Candidate, candidates: &[Candidate]) -> bool {
    candidates.iter().any(|other| {
        other.shape != Shape::Speck
            && one.part.bounds != other.part.bounds
            && one.part.bounds.contains(&other.part.bounds, 0)
            && 5 * other.part.bounds.side() > one.part.bounds.side()
    })
}

/// Whether a part is a line or a frame beside the writing and not a part of it.
fn is_foreign(candidate: &Candidate, main: &Part, main_shape: Shape) -> bool {
    let (bounds, main_bounds) = (candidate.part.bounds, main.bounds);
    match candidate.shape {
        Shape::Speck | Shape::Blob => candidate.shape == Shape::Blob && bounds.side() > main_bounds.side(),
        Shape::Stroke => false,
        Shape::Frame => {
            bounds.contains(&main_bounds, main_bounds.side() / 8) || bounds.side() * 10 > main_bounds.side() * 16
        }
        Shape::Bar => {
            let Some((length, thickness)) = lines::bar(&candidate.part) else { return false };
            if main_shape == Shape::Bar && !candidate.is_edge {
                return length > 1.5 * main_bounds.side() as f32 || thickness < 0.55 * main.line_width();
            }
            let is_level = bounds.width() > bounds.height();
            // The top of a "5" that was set down apart, or the bar of a "7".
            let is_near = bounds.common_columns(&main_bounds) * 2 > bounds.width()
                && bounds.top.saturating_sub(main_bounds.bottom).max(main_bounds.top.saturating_sub(bounds.bottom))
                    < main_bounds.height() / 6
                && bounds.width() * 10 < main_bounds.side() * 13;
            thickness < 0.55 * main.line_width()
                || length > 1.5 * main_bounds.side() as f32
                || (is_level && !is_near)
                || (candidate.is_edge && !is_near)
        }
    }
}
