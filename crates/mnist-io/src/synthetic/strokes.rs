//! How digits are written: for each a few ways, as curves through points in the unit square (y points down).

use crate::random::{self, uniform_in};
use rand_chacha::ChaCha8Rng;
use std::f64::consts::PI;

/// A point; the unit depends on where it is used.
#[derive(Clone, Copy, Debug)]
pub(super) struct Point {
    pub(super) x: f64,
    pub(super) y: f64,
}

/// The strokes of one digit as it happens to be written this time: chains of points close enough to be joined by
/// straight lines.
pub(super) fn digit_strokes(digit: usize, generator: &mut ChaCha8Rng) -> Vec<Vec<Point>> {
    let way = random::uniform(generator);
    let skeletons = match digit {
        0 => zero(generator),
        1 => one(way, generator),
        2 => two(way, generator),
        3 => three(way, generator),
        4 => four(way, generator),
        5 => five(way, generator),
        6 => six(generator),
        7 => seven(way, generator),
        8 => eight(way, generator),
        _ => nine(way, generator),
    };
    skeletons.iter().map(|skeleton| skeleton.flatten(generator)).collect()
}

/// A stroke before it is drawn: points, each moved a little by chance, joined by a smooth curve or by lines.
struct Skeleton {
    points: Vec<Point>,
    is_smooth: bool,
}

/// How far chance moves a point of a skeleton.
const WOBBLE: f64 = 0.016;

/// Lines between two points of a smooth curve.
const N_PIECES: usize = 5;

impl Skeleton {
    fn flatten(&self, generator: &mut ChaCha8Rng) -> Vec<Point> {
        let moved: Vec<Point> = self
            .points
            .iter()
            .map(|point| {
                let (first, second) = random::normal_pair(generator);
                Point { x: point.x + WOBBLE * first, y: point.y + WOBBLE * second }
            })
            .collect();
        if self.is_smooth { smooth(&moved) } else { moved }
    }
}

/// The Catmull–Rom curve through the points (Catmull and Rom 1974), its ends doubled.
fn smooth(points: &[Point]) -> Vec<Point> {
    let last = points.len() - 1;
    let mut curve = vec![points[0]];
    for index in 0..last {
        let (before, from) = (points[index.saturating_sub(1)], points[index]);
        let (to, after) = (points[index + 1], points[(index + 2).min(last)]);
        for piece in 1..=N_PIECES {
            let t = piece as f64 / N_PIECES as f64;
            let at = |p0: f64, p1: f64, p2: f64, p3: f64| {
                let linear = p2 - p0;
                let square = 2.0 * p0 - 5.0 * p1 + 4.0 * p2 - p3;
                let cube = 3.0 * (p1 - p2) + p3 - p0;
                0.5 * (2.0 * p1 + t * (linear + t * (square + t * cube)))
            };
            curve.push(Point { x: at(before.x, from.x, to.x, after.x), y: at(before.y, from.y, to.y, after.y) });
        }
    }
    curve
}

fn curve(points: &[(f64, f64)]) -> Skeleton {
    Skeleton { points: points.iter().map(|&(x, y)| Point { x, y }).collect(), is_smooth: true }
}

fn lines(points: &[(f64, f64)]) -> Skeleton {
    Skeleton { points: points.iter().map(|&(x, y)| Point { x, y }).collect(), is_smooth: false }
}

/// Points on an ellipse from one angle to another in degrees (0 is right, 90 is down: clockwise on the page).
fn arc(centre: (f64, f64), radii: (f64, f64), from: f64, to: f64) -> Vec<(f64, f64)> {
    let n_steps = (libm::fabs(to - from) / 40.0) as usize + 1;
    (0..=n_steps)
        .map(|step| {
            let angle = (from + (to - from) * step as f64 / n_steps as f64) * PI / 180.0;
            (centre.0 + radii.0 * libm::cos(angle), centre.1 + radii.1 * libm::sin(angle))
        })
        .collect()
}

fn joined(parts: &[&[(f64, f64)]]) -> Skeleton {
    curve(&parts.concat())
}

/// An oval, narrow or round, begun at the top and closed, overlapping or not quite closed.
fn zero(generator: &mut ChaCha8Rng) -> Vec<Skeleton> {
    let width = uniform_in(generator, 0.20, 0.42);
    let start = uniform_in(generator, -130.0, -40.0);
    let turn = uniform_in(generator, 325.0, 400.0);
    vec![curve(&arc((0.5, 0.5), (width, 0.46), start, start - turn))]
}

/// A bare stroke, one with a flag, or one with a flag and a foot.
fn one(way: f64, generator: &mut ChaCha8Rng) -> Vec<Skeleton> {
    let flag = (uniform_in(generator, 0.22, 0.38), uniform_in(generator, 0.18, 0.34));
    let bend = uniform_in(generator, -0.03, 0.03);
    let stem = curve(&[(0.5, 0.04), (0.5 + bend, 0.5), (0.5, 0.96)]);
    match way {
        way if way < 0.55 => vec![stem],
        way if way < 0.82 => vec![lines(&[flag, (0.5, 0.04)]), stem],
        _ => {
            let half = uniform_in(generator, 0.14, 0.28);
            vec![lines(&[flag, (0.5, 0.04)]), stem, lines(&[(0.5 - half, 0.96), (0.5 + half, 0.96)])]
        }
    }
}

/// A swan's neck with a straight foot, a wavy foot, or a loop in the corner.
fn two(way: f64, generator: &mut ChaCha8Rng) -> Vec<Skeleton> {
    let start = uniform_in(generator, 180.0, 220.0);
    let top = arc((0.47, 0.28), (0.28, 0.24), start, 380.0);
    match way {
        way if way < 0.4 => {
            vec![joined(&[&top, &[(0.52, 0.62), (0.17, 0.93)]]), lines(&[(0.17, 0.93), (0.84, 0.93)])]
        }
        way if way < 0.7 => {
            vec![joined(&[&top, &[(0.55, 0.62), (0.2, 0.9), (0.42, 0.86), (0.65, 0.95), (0.88, 0.88)]])]
        }
        _ => {
            let size = uniform_in(generator, 0.06, 0.12);
            let loop_points = [
                (0.5, 0.66),
                (0.26, 0.93),
                (0.26 - size, 0.93 - 0.8 * size),
                (0.28, 0.93 - 1.5 * size),
                (0.52, 0.9),
                (0.88, 0.93),
            ];
            vec![joined(&[&top, &loop_points])]
        }
    }
}

/// Two bows, or a flat roof with a bow below.
fn three(way: f64, generator: &mut ChaCha8Rng) -> Vec<Skeleton> {
    let reach = uniform_in(generator, 0.36, 0.5);
    let lower_end = uniform_in(generator, 130.0, 175.0);
    let lower = arc((0.42, 0.71), (0.34, 0.25), -80.0, lower_end);
    if way < 0.8 {
        let start = uniform_in(generator, -165.0, -130.0);
        let upper = arc((0.42, 0.25), (0.28, 0.21), start, 75.0);
        return vec![joined(&[&upper, &[(reach, 0.46)], &lower])];
    }
    vec![lines(&[(0.2, 0.07), (0.74, 0.06), (reach, 0.44)]), joined(&[&[(reach, 0.44)], &lower])]
}

/// Open above with a crossing stem, or closed in one corner.
fn four(way: f64, generator: &mut ChaCha8Rng) -> Vec<Skeleton> {
    let bar = uniform_in(generator, 0.5, 0.68);
    let stem = uniform_in(generator, 0.58, 0.72);
    let end = uniform_in(generator, stem + 0.02, 0.9);
    match way {
        // One line down and across, the stem apart.
        way if way < 0.45 => {
            let stem_top = uniform_in(generator, 0.02, 0.3);
            vec![
                lines(&[(0.24, 0.04), (0.16, bar), (end, bar - 0.03)]),
                lines(&[(stem, stem_top), (stem - 0.02, 0.97)]),
            ]
        }
        // The same with a bow.
        way if way < 0.7 => vec![
            curve(&[(0.22, 0.05), (0.15, bar - 0.2), (0.22, bar), (0.45, bar), (stem, bar - 0.14)]),
            lines(&[(stem + 0.02, 0.08), (stem - 0.04, 0.97)]),
        ],
        // Closed.
        _ => vec![lines(&[(end, bar), (0.12, bar), (stem, 0.04), (stem - 0.02, 0.97)])],
    }
}

/// A hat, a neck and a belly; the hat is drawn last or first, or hangs.
fn five(way: f64, generator: &mut ChaCha8Rng) -> Vec<Skeleton> {
    let neck = uniform_in(generator, 0.34, 0.46);
    let left = uniform_in(generator, 0.2, 0.32);
    let belly_end = uniform_in(generator, 130.0, 175.0);
    let belly = arc((0.43, 0.68), (0.33, 0.27), -115.0, belly_end);
    let right = uniform_in(generator, 0.62, 0.9);
    match way {
        way if way < 0.6 => {
            vec![lines(&[(right, 0.06), (left + 0.05, 0.07), (left, neck)]), joined(&[&[(left, neck + 0.03)], &belly])]
        }
        way if way < 0.85 => vec![
            joined(&[&[(left + 0.08, 0.1), (left, neck + 0.03)], &belly]),
            curve(&[(left + 0.08, 0.09), (0.5, 0.1), (right, 0.04)]),
        ],
        // In one smooth line, almost an S.
        _ => vec![joined(&[&[(right, 0.08), (0.5, 0.05), (left + 0.02, 0.2), (left + 0.04, 0.38)], &belly[1..]])],
    }
}

/// A bent back and a loop, round or narrow.
fn six(generator: &mut ChaCha8Rng) -> Vec<Skeleton> {
    let top = (uniform_in(generator, 0.45, 0.75), 0.04);
    let height = uniform_in(generator, 0.18, 0.29);
    let width = uniform_in(generator, 0.18, 0.3);
    let centre = (0.24 + width, 0.95 - height);
    let turn = uniform_in(generator, 330.0, 390.0);
    let belly = arc(centre, (width, height), 180.0, 180.0 - turn);
    vec![joined(&[&[top, (0.4, 0.22), (0.27, 0.46)], &belly])]
}

/// A roof and a stem, straight or bent, with or without a bar or a hook.
fn seven(way: f64, generator: &mut ChaCha8Rng) -> Vec<Skeleton> {
    let foot = uniform_in(generator, 0.28, 0.56);
    let corner = (uniform_in(generator, 0.74, 0.86), uniform_in(generator, 0.05, 0.12));
    let bend = uniform_in(generator, -0.1, 0.06);
    let middle = ((corner.0 + foot) / 2.0 + bend, 0.5);
    let roof = match random::uniform(generator) {
        draw if draw < 0.7 => lines(&[(0.16, 0.08), corner]),
        draw if draw < 0.85 => curve(&[(0.17, 0.12), (0.35, 0.06), (0.55, 0.12), corner]),
        _ => lines(&[(0.15, 0.24), (0.17, 0.08), corner]),
    };
    let stem = curve(&[corner, middle, (foot, 0.97)]);
    if way < 0.72 {
        return vec![roof, stem];
    }
    let half = uniform_in(generator, 0.14, 0.24);
    vec![roof, stem, lines(&[(middle.0 - half, 0.53), (middle.0 + half, 0.5)])]
}

/// One line that crosses itself, or two rings.
fn eight(way: f64, generator: &mut ChaCha8Rng) -> Vec<Skeleton> {
    let upper = uniform_in(generator, 0.16, 0.27);
    let lower = uniform_in(generator, 0.2, 0.32);
    let waist = uniform_in(generator, 0.42, 0.52);
    let (upper_half, lower_half) = (waist / 2.0, (1.0 - waist) / 2.0);
    if way < 0.25 {
        let start = uniform_in(generator, 0.0, 360.0);
        return vec![
            curve(&arc((0.5, upper_half), (upper, upper_half - 0.03), start, start + 365.0)),
            curve(&arc((0.5, 1.0 - lower_half), (lower, lower_half - 0.02), -90.0, 275.0)),
        ];
    }
    let gap = uniform_in(generator, -0.12, 0.08);
    let start = (0.5 + upper + gap.min(0.0), upper_half - 0.06);
    vec![curve(&[
        start,
        (0.5, 0.03),
        (0.5 - upper, upper_half),
        (0.5, waist),
        (0.5 + lower, 1.0 - lower_half),
        (0.5, 0.97),
        (0.5 - lower, 1.0 - lower_half),
        (0.5, waist),
        (0.5 + upper, upper_half),
        (start.0 - 0.03, start.1 - 0.08 + gap),
    ])]
}

/// A ring and a tail, straight, bent or hooked.
fn nine(way: f64, generator: &mut ChaCha8Rng) -> Vec<Skeleton> {
    let width = uniform_in(generator, 0.18, 0.29);
    let height = uniform_in(generator, 0.17, 0.27);
    let right = 0.5 + width;
    let centre = (0.5, 0.04 + height);
    let start = uniform_in(generator, -70.0, -5.0);
    let ring = arc(centre, (width, height), start, start - uniform_in(generator, 310.0, 350.0));
    let joint = (right, centre.1 - uniform_in(generator, -0.02, 0.12));
    match way {
        way if way < 0.45 => {
            let foot = uniform_in(generator, -0.12, 0.04);
            vec![curve(&ring), lines(&[joint, (right + foot, 0.97)])]
        }
        way if way < 0.75 => vec![joined(&[&ring, &[joint, (right - 0.02, 0.6), (right - 0.2, 0.96)]])],
        _ => vec![joined(&[&ring, &[joint, (right, 0.68), (right - 0.14, 0.94), (right - 0.4, 0.88)]])],
    }
}
