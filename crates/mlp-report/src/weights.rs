//! What the first layer looks for: the weights of its units as images of the input's shape.

use mlp_core::{Mlp, Real};
use mlp_results::text::{self, counted};
use ndarray::Array2;

use crate::canvas::{Anchor, Canvas, Paint};
use crate::chart::{self, WIDTH};
use crate::{image_url, palette};

/// How many units are drawn at most.
pub const N_UNITS: usize = 48;
const N_COLUMNS: usize = 8;

/// The first layer's weights of the units with the largest norms, each an image of `height` × `width` pixels, as an
/// SVG document: blue is negative, white zero, vermilion positive, on one scale for all units. The scale ends at the
/// magnitude that 99.5 % of the layer's weights do not exceed; larger ones are drawn in the colours of its ends, and the
/// document's description counts them. Nothing if the first layer does not have `height · width` inputs.
pub fn first_layer<F: Real>(mlp: &Mlp<F>, height: usize, width: usize) -> Option<String> {
    let weights = mlp.layers.first()?.weights.mapv(F::widen);
    let (n_inputs, n_units) = weights.dim();
    if n_inputs == 0 || height.checked_mul(width) != Some(n_inputs) || n_units == 0 {
        return None;
    }
    let units = largest_units(&weights);
    let limit = scale(&weights);
    let pitch = (WIDTH - 24.0) / N_COLUMNS as f64;
    let side = pitch - 6.0;
    let (top, row_height) = (54.0, side * (height as f64 / width as f64).clamp(0.25, 4.0) + 20.0);
    let n_rows = units.len().div_ceil(N_COLUMNS);
    let mut canvas = Canvas::new(WIDTH, top + n_rows as f64 * row_height + 34.0);
    let subtitle = format!("{} of {n_units} units, by number; largest weights first", units.len());
    chart::draw_heading(&mut canvas, "First-layer weights", &subtitle);
    for (place, &unit) in units.iter().enumerate() {
        let pixels = Array2::from_shape_fn((height, width), |(row, column)| {
            palette::diverging(weights[(row * width + column, unit)] / limit)
        });
        let at = (12.0 + (place % N_COLUMNS) as f64 * pitch, top + (place / N_COLUMNS) as f64 * row_height);
        if let Some(url) = image_url::color(pixels.view()) {
            let largest = weights.column(unit).iter().fold(0.0, |largest: f64, weight| largest.max(weight.abs()));
            let hint = format!("unit {unit}: weights up to {} in magnitude", text::rounded(largest));
            canvas.explained(&hint, |canvas| canvas.image(&url, at, (side, row_height - 20.0)));
        }
        let below = (at.0 + side / 2.0, at.1 + row_height - 12.0);
        canvas.text(&unit.to_string(), below, Anchor::Middle, 10.5, palette::MUTED, false);
    }
    draw_scale(&mut canvas, limit, top + n_rows as f64 * row_height + 12.0);
    let n_beyond = units.iter().flat_map(|&unit| weights.column(unit)).filter(|weight| weight.abs() > limit).count();
    let description = format!(
        "Weights of {} first-layer units as pictures, on a scale from {:.3} to {limit:.3}; {} beyond it ({} of those \
         drawn), in the colours of its ends.",
        units.len(),
        -limit,
        counted(n_beyond, "weight"),
        percent(n_beyond, units.len() * n_inputs),
    );
    Some(canvas.finish("First-layer weights", &description))
}

fn percent(n_part: usize, n_whole: usize) -> String {
    text::share(n_part as f64 / n_whole as f64, 2)
}

/// The units with the largest Euclidean norm, in that order; of equal ones the first.
fn largest_units(weights: &Array2<f64>) -> Vec<usize> {
    let norms: Vec<f64> = weights.columns().into_iter().map(|unit| unit.iter().map(|w| w * w).sum()).collect();
    let mut units: Vec<usize> = (0..norms.len()).collect();
    units.sort_by(|&a, &b| norms[b].total_cmp(&norms[a]).then(a.cmp(&b)));
    units.truncate(N_UNITS);
    units
}

/// The magnitude that 99.5 % of the finite weights do not exceed: a few outliers do not bleach the rest.
fn scale(weights: &Array2<f64>) -> f64 {
    let mut magnitudes: Vec<f64> = weights.iter().map(|w| w.abs()).filter(|w| w.is_finite()).collect();
    if magnitudes.is_empty() {
        return 1.0;
    }
    let index = ((magnitudes.len() - 1) as f64 * 0.995) as usize;
    let (_, limit, _) = magnitudes.select_nth_unstable_by(index, f64::total_cmp);
    if *limit > 0.0 { *limit } else { 1.0 }
}

fn draw_scale(canvas: &mut Canvas, limit: f64, y: f64) {
    let limit = legend(limit);
    let (left, right, n_steps) = (WIDTH / 2.0 - 80.0, WIDTH / 2.0 + 80.0, 64);
    let pixels = Array2::from_shape_fn((1, n_steps), |(_, step)| {
        palette::diverging(step as f64 / (n_steps - 1) as f64 * 2.0 - 1.0)
    });
    if let Some(url) = image_url::color(pixels.view()) {
        canvas.image(&url, (left, y - 5.0), (right - left, 10.0));
    }
    canvas.line(&[(WIDTH / 2.0, y - 7.0), (WIDTH / 2.0, y + 7.0)], Paint::line(palette::MUTED, 1.0));
    canvas.text(&format!("≤ −{limit}"), (left - 8.0, y), Anchor::End, 12.0, palette::MUTED, false);
    canvas.text(&format!("≥ +{limit}"), (right + 8.0, y), Anchor::Start, 12.0, palette::MUTED, false);
}

/// The end of the scale, with two decimals where these say anything: weights can be tiny.
fn legend(limit: f64) -> String {
    if limit < 0.1 { mlp_results::text::rounded_to(limit, 2) } else { format!("{limit:.2}") }
}
