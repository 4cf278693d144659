//! Ten digits as a hand draws them, in three styles.

use super::driver::Pointer;

/// A digit: strokes through points, each a share of the width and height of the pad.
pub(super) type Digit = Vec<Vec<(f64, f64)>>;

/// A way of writing: which digits it has, how they lie, with what.
pub(super) struct Style {
    pub(super) name: &'static str,
    pub(super) digits: [Digit; 10],
    pub(super) pointer: Pointer,
    /// The button of the pad that chooses the pen.
    pub(super) pen: &'static str,
}

/// Points on an ellipse from one angle to another, in degrees clockwise from the top.
fn arc(centre: (f64, f64), radii: (f64, f64), from: f64, to: f64) -> Vec<(f64, f64)> {
    let n_points = ((to - from).abs() / 15.0).ceil() as usize + 1;
    let point = |index: usize| {
        let angle = (from + (to - from) * index as f64 / (n_points - 1) as f64).to_radians();
        (centre.0 + radii.0 * angle.sin(), centre.1 - radii.1 * angle.cos())
    };
    (0..n_points).map(point).collect()
}

fn line(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let between = points.windows(2).flat_map(|pair| {
        let step = move |share: f64| {
            (pair[0].0 + (pair[1].0 - pair[0].0) * share, pair[0].1 + (pair[1].1 - pair[0].1) * share)
        };
        (0..6).map(move |part| step(f64::from(part) / 6.0))
    });
    between.chain(points.last().copied()).collect()
}

/// As in print.
fn printed() -> [Digit; 10] {
    [
        vec![arc((0.5, 0.5), (0.2, 0.32), 0.0, 360.0)],
        vec![line(&[(0.5, 0.18), (0.5, 0.82)])],
        vec![[arc((0.5, 0.34), (0.18, 0.16), -75.0, 115.0), line(&[(0.62, 0.46), (0.33, 0.8), (0.7, 0.8)])].concat()],
        vec![[arc((0.48, 0.34), (0.17, 0.15), -60.0, 175.0), arc((0.48, 0.655), (0.19, 0.165), 5.0, 235.0)].concat()],
        vec![line(&[(0.56, 0.18), (0.3, 0.6), (0.74, 0.6)]), line(&[(0.6, 0.36), (0.6, 0.83)])],
        vec![[line(&[(0.68, 0.2), (0.38, 0.2), (0.36, 0.48)]), arc((0.48, 0.62), (0.19, 0.18), -35.0, 225.0)].concat()],
        vec![[line(&[(0.6, 0.18), (0.42, 0.4)]), arc((0.5, 0.64), (0.17, 0.17), -90.0, 280.0)].concat()],
        vec![line(&[(0.3, 0.2), (0.7, 0.2), (0.46, 0.82)])],
        vec![[arc((0.5, 0.34), (0.14, 0.15), 180.0, -180.0), arc((0.5, 0.66), (0.18, 0.17), 0.0, 360.0)].concat()],
        vec![[arc((0.5, 0.36), (0.16, 0.17), 90.0, -270.0), line(&[(0.66, 0.36), (0.62, 0.82)])].concat()],
    ]
}

/// As people write them in haste: leaning, with flags and open ends.
fn hasty() -> [Digit; 10] {
    let lean = |digit: Digit| -> Digit {
        digit.into_iter().map(|stroke| stroke.into_iter().map(|(x, y)| (x + 0.22 * (0.5 - y), y)).collect()).collect()
    };
    [
        vec![arc((0.5, 0.5), (0.18, 0.29), 20.0, 385.0)],
        vec![line(&[(0.42, 0.3), (0.5, 0.2), (0.5, 0.8)])],
        vec![
            [
                arc((0.48, 0.33), (0.17, 0.15), -80.0, 125.0),
                line(&[(0.6, 0.44), (0.3, 0.78), (0.5, 0.74), (0.7, 0.79)]),
            ]
            .concat(),
        ],
        vec![[arc((0.47, 0.34), (0.16, 0.15), -70.0, 170.0), arc((0.47, 0.65), (0.18, 0.165), 0.0, 225.0)].concat()],
        vec![line(&[(0.4, 0.2), (0.34, 0.54), (0.7, 0.54)]), line(&[(0.62, 0.24), (0.6, 0.82)])],
        vec![
            [line(&[(0.4, 0.24), (0.37, 0.47)]), arc((0.47, 0.63), (0.19, 0.175), -35.0, 215.0)].concat(),
            line(&[(0.4, 0.22), (0.68, 0.21)]),
        ],
        vec![[line(&[(0.5, 0.17), (0.37, 0.55)]), arc((0.5, 0.66), (0.14, 0.15), -80.0, 270.0)].concat()],
        vec![line(&[(0.3, 0.22), (0.68, 0.22), (0.48, 0.82)]), line(&[(0.4, 0.52), (0.66, 0.5)])],
        vec![
            [
                arc((0.52, 0.34), (0.13, 0.14), 60.0, -180.0),
                arc((0.5, 0.65), (0.16, 0.165), 0.0, 360.0),
                line(&[(0.52, 0.48), (0.63, 0.28)]),
            ]
            .concat(),
        ],
        vec![[arc((0.5, 0.36), (0.15, 0.16), 70.0, -285.0), line(&[(0.65, 0.32), (0.6, 0.6), (0.55, 0.82)])].concat()],
    ]
    .map(lean)
}

/// Small, with a fine pen, and wide.
fn small() -> [Digit; 10] {
    let shrink = |digit: Digit| -> Digit {
        let place = |(x, y): (f64, f64)| (0.42 + 0.62 * (x - 0.5), 0.56 + 0.5 * (y - 0.5));
        digit.into_iter().map(|stroke| stroke.into_iter().map(place).collect()).collect()
    };
    printed().map(shrink)
}

pub(super) fn styles() -> [Style; 3] {
    [
        Style { name: "as in print, with a mouse", digits: printed(), pointer: Pointer::Mouse, pen: "#thick" },
        Style { name: "in haste, with a pen", digits: hasty(), pointer: Pointer::Pen, pen: "#thick" },
        Style { name: "small and fine, with a finger", digits: small(), pointer: Pointer::Touch, pen: "#thin" },
    ]
}
