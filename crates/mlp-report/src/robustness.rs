//! How accuracy falls when the images are disturbed, beside the accuracy on clean ones.
//!
//! A network that answers the same to every image is perfectly robust, and worthless: so the curves are drawn from their
//! clean accuracy (strength 0) down, in absolute terms, with the level of the best constant answer.

use std::collections::BTreeMap;

use mlp_results::interval::{mean, range};
use mlp_results::{Metric, Overview, RobustnessCurve, text};

use crate::chart::{self, Axis, Chart, Series};
use crate::comparison::line_name;
use crate::curves::levels;
use crate::palette;
use crate::score_axis::written;

/// How many curves are drawn at most: those of the trials that did best on clean images.
pub const N_CURVES: usize = palette::SERIES.len();

/// Digit accuracy (or the compared metric, where there are no digits) against the strength of `disturbance`, as an SVG
/// document. A line is a configuration, the mean over its trials that were measured, with a band from the lowest to the
/// highest; at most [`N_CURVES`] lines, those with the best value at the least strength.
pub fn robustness(overview: &Overview<'_>, curves: &[RobustnessCurve], disturbance: &str) -> String {
    let metric = overview.metric;
    let lines = lines(overview, curves, disturbance);
    let n_lines = lines.len();
    let series: Vec<Series> = lines
        .into_iter()
        .zip(palette::SERIES)
        .map(|(line, color)| {
            let points = line.values.iter().filter_map(|(strength, values)| Some((*strength, mean(values)?))).collect();
            let ends = |values: &[f64]| range(values.iter().copied()).filter(|_| values.len() > 1);
            let band = line.values.iter().filter_map(|(x, values)| ends(values).map(|(low, high)| (*x, low, high)));
            let hint = |(strength, values): &(f64, Vec<f64>)| {
                let value = written(overview, mean(values)?);
                Some(format!("{}, strength {strength}: {value}", line.name))
            };
            let hints = line.values.iter().filter_map(hint).collect();
            Series { has_dots: true, band: band.collect(), hints, ..Series::line(line.name.clone(), color, points) }
        })
        .collect();
    let mut levels = overview.best.map(|best| levels(&best.record, metric)).unwrap_or_default();
    levels.retain(|level| level.name.starts_with("majority"));
    let shown =
        if n_lines > series.len() { format!("; the {} best of {n_lines}", series.len()) } else { String::new() };
    let points = || series.iter().flat_map(|series| series.points.iter().copied());
    let (low, high) = range(points().map(|(strength, _)| strength)).unwrap_or((0.0, 1.0));
    let (_, largest) = range(points().map(|(_, value)| value)).unwrap_or((0.0, 1.0));
    let disturbance = text::clean(disturbance, 30);
    chart::draw(&Chart {
        title: format!("{} under {disturbance}", metric.title()),
        subtitle: format!("{}{shown}", metric.measures()),
        description: format!("{} against the strength of {disturbance}, {} lines.", metric.title(), series.len()),
        x_name: strength_name(&disturbance),
        x: Axis::linear(low.min(0.0), high, 6),
        y: if metric.is_fraction() { Axis::percent(0.0, 100.0) } else { Axis::linear(0.0, largest, 5) },
        levels,
        series,
        dots: Vec::new(),
        height: 320.0,
    })
}

/// The disturbances that were measured, each once, by name.
pub fn disturbances(curves: &[RobustnessCurve]) -> Vec<&str> {
    let mut names: Vec<&str> = curves.iter().map(|curve| curve.disturbance.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    names
}

fn strength_name(disturbance: &str) -> String {
    if disturbance.contains("blur") {
        "standard deviation of the blur, in pixels (0: clean)".to_owned()
    } else {
        format!("strength of {disturbance} (0: clean)")
    }
}

/// What becomes one line: by strength, the values of the trials of one configuration.
struct Line {
    name: String,
    values: Vec<(f64, Vec<f64>)>,
}

/// The lines for a disturbance, best on the least disturbed images first. Trials that are not in the overview stand
/// for themselves.
fn lines(overview: &Overview<'_>, curves: &[RobustnessCurve], disturbance: &str) -> Vec<Line> {
    let mut ranks = BTreeMap::new();
    for (rank, cell) in overview.cells.iter().enumerate() {
        ranks.extend(cell.trials.iter().map(|trial| (trial.record.trial.as_str(), rank)));
    }
    let mut lines: BTreeMap<(usize, &str), Vec<(f64, f64)>> = BTreeMap::new();
    for curve in curves.iter().filter(|curve| curve.disturbance == disturbance) {
        let key = ranks.get(curve.trial.as_str()).map_or((usize::MAX, curve.trial.as_str()), |&rank| (rank, ""));
        lines.entry(key).or_default().extend(points(curve, overview.metric));
    }
    let mut lines: Vec<Line> = lines
        .into_iter()
        .map(|((rank, trial), points)| Line { name: name(overview, rank, trial), values: by_strength(points) })
        .collect();
    let clean = |line: &Line| line.values.first().and_then(|(_, values)| mean(values)).unwrap_or(f64::NAN);
    let is_better = |a: &Line, b: &Line| overview.metric.is_better(clean(a), clean(b));
    // Stable: of equal ones the better configuration stays first.
    lines.sort_by(|a, b| is_better(b, a).cmp(&is_better(a, b)));
    lines
}

fn name(overview: &Overview<'_>, rank: usize, trial: &str) -> String {
    match overview.cells.get(rank) {
        Some(cell) if !cell.label.is_empty() => line_name(overview, rank),
        Some(cell) if cell.trials.len() > 1 => "mean of seeds".to_owned(),
        Some(cell) => text::trial(cell.trials.first().map_or("", |trial| &trial.record.trial)),
        None => text::trial(trial),
    }
}

/// Gathers the values of equal strengths, weakest first.
fn by_strength(mut points: Vec<(f64, f64)>) -> Vec<(f64, Vec<f64>)> {
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut gathered: Vec<(f64, Vec<f64>)> = Vec::new();
    for (strength, value) in points {
        match gathered.last_mut() {
            Some((last, values)) if *last == strength => values.push(value),
            _ => gathered.push((strength, vec![value])),
        }
    }
    gathered
}

/// The points with a finite strength and a finite value, on the axis.
fn points(curve: &RobustnessCurve, metric: Metric) -> impl Iterator<Item = (f64, f64)> {
    curve.points.iter().filter_map(move |(strength, metrics)| {
        let value = metric.value(metrics).filter(|_| strength.is_finite())?;
        Some((*strength, metric.on_axis(value)))
    })
}
