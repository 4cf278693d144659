//! One run by epoch: its errors and accuracies on the training, validation and test set, with the levels of constant
//! answers drawn in. These are the figures of the paper, on axes that can be compared.

use mlp_results::interval::range;
use mlp_results::levels::constant_answers;
use mlp_results::{Metric, RunRecord, Status};
use mlp_train::{Decoding, EpochMetrics, EpochRecord};

use crate::chart::{self, Axis, Chart, Level, Series};
use crate::palette;

/// `metric` by epoch as an SVG document: the training set, the validation set where there is one, and the test set,
/// with the levels of the constant answers as dashed lines.
pub fn curve(record: &RunRecord, metric: Metric) -> String {
    let sets = [
        ("train", palette::VERMILION, points(record, metric, |epoch| Some(&epoch.train))),
        ("validation", palette::GREEN, points(record, metric, |epoch| epoch.validation.as_ref())),
        ("test", palette::BLUE, points(record, metric, |epoch| epoch.test.as_ref())),
    ];
    let levels = levels(record, metric);
    let series: Vec<Series> = sets
        .into_iter()
        .filter(|(_, _, points)| points.iter().any(|(_, value)| value.is_finite()))
        .map(|(name, color, points)| {
            let last = points.iter().rev().find(|(_, value)| value.is_finite()).map_or(f64::NAN, |&(_, value)| value);
            let last = if metric.is_fraction() { last / 100.0 } else { last };
            let hint = |&(epoch, value): &(f64, f64)| {
                let value = if metric.is_fraction() { value / 100.0 } else { value };
                format!("{name}, epoch {epoch}: {}", metric.format(value))
            };
            let hints = points.iter().map(hint).collect();
            let mut series = Series { hints, ..Series::line(format!("{name} {}", metric.format(last)), color, points) };
            series.ends_diverged = record.status == Status::Diverged;
            series
        })
        .collect();
    chart::draw(&Chart {
        title: format!("{} by epoch", metric.title()),
        subtitle: metric.measures().to_owned(),
        description: describe(metric, &series, &levels),
        x_name: "epoch".to_owned(),
        x: epoch_axis(record.epochs.iter().map(|epoch| epoch.epoch)),
        y: value_axis(metric, &series, &levels),
        levels,
        series,
        dots: Vec::new(),
        height: 300.0,
    })
}

/// Which metrics of `record` can be drawn: those with a finite value in some epoch.
pub fn metrics(record: &RunRecord) -> Vec<Metric> {
    let has_value = |metric: &Metric| {
        record.epochs.iter().any(|epoch| {
            metric.value(&epoch.train).is_some() || epoch.test.as_ref().is_some_and(|test| metric.value(test).is_some())
        })
    };
    // One of these is the accuracy itself.
    let repeats_accuracy = match record.answers_by() {
        Decoding::Exact => Metric::ExactAccuracy,
        Decoding::Nearest => Metric::NearestAccuracy,
    };
    Metric::ALL.into_iter().filter(|&metric| metric != repeats_accuracy).filter(has_value).collect()
}

/// The axis of epochs from the first to the last.
pub(crate) fn epoch_axis(epochs: impl Iterator<Item = usize>) -> Axis {
    let (low, high) = range(epochs.map(|epoch| epoch as f64)).unwrap_or((0.0, 1.0));
    Axis::counts(low, high)
}

/// Accuracies from 0 to 100 %, errors from 0 to the largest value or level.
fn value_axis(metric: Metric, series: &[Series], levels: &[Level]) -> Axis {
    let values = series.iter().flat_map(|series| series.points.iter().map(|&(_, value)| value));
    let (low, high) = range(values.chain(levels.iter().map(|level| level.value))).unwrap_or((0.0, 1.0));
    match metric {
        Metric::InvalidRate => Axis::percent(0.0, high.max(1.0)),
        _ if metric.is_fraction() => Axis::percent(0.0, 100.0),
        _ => Axis::linear(low.min(0.0), high, 5),
    }
}

fn points<'a>(
    record: &'a RunRecord,
    metric: Metric,
    set: impl Fn(&'a EpochRecord) -> Option<&'a EpochMetrics>,
) -> Vec<(f64, f64)> {
    let value = |epoch| set(epoch).and_then(|metrics| metric.value(metrics));
    record
        .epochs
        .iter()
        .map(|epoch| (epoch.epoch as f64, value(epoch).map_or(f64::NAN, |value| metric.on_axis(value))))
        .collect()
}

/// The constant answers' levels; equal ones share a line.
pub(crate) fn levels(record: &RunRecord, metric: Metric) -> Vec<Level> {
    let mut levels: Vec<Level> = Vec::new();
    for answer in constant_answers(record) {
        let Some(value) = answer.value(metric) else { continue };
        // Of errors and bits, the majority has less.
        if answer.name == "commonest class"
            && !matches!(metric, Metric::Accuracy | Metric::NearestAccuracy | Metric::ExactAccuracy)
        {
            continue;
        }
        // A constant that gets no sample right marks nothing but the axis.
        if metric.is_fraction() && value == 0.0 {
            continue;
        }
        let on_axis = metric.on_axis(value);
        match levels.iter_mut().find(|level| (level.value - on_axis).abs() < 1e-9) {
            Some(level) if level.name.starts_with("majority") => {}
            Some(level) => level.name = format!("{}, {}", level.name, answer.name),
            None => levels.push(Level { name: level_name(answer.name, metric, value), value: on_axis }),
        }
    }
    levels
}

fn level_name(name: &str, metric: Metric, value: f64) -> String {
    // There is little room beside a figure.
    let name = if name == "majority bits" { "majority" } else { name };
    if metric.is_fraction() { format!("{name} {:.2} %", value * 100.0) } else { format!("{name} {value:.4}") }
}

fn describe(metric: Metric, series: &[Series], levels: &[Level]) -> String {
    let ends: Vec<&str> = series.iter().map(|series| series.name.as_str()).collect();
    let names: Vec<&str> = levels.iter().map(|level| level.name.as_str()).collect();
    let constant =
        if names.is_empty() { String::new() } else { format!(" Constant answers reach: {}.", names.join("; ")) };
    format!("{} At the end: {}.{constant}", metric.measures(), ends.join("; "))
}
