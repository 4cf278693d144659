//! The score against one setting: a dot for each trial, and the mean of those that share the value.

use crate::canvas::{Anchor, Canvas, Paint};
use crate::chart::{self, Axis, Chart, Series};
use crate::curves::levels;
use crate::overview::{Overview, VariedKey};
use crate::{palette, text};

/// How many dots are drawn at most.
const N_DOTS: usize = 3_000;
/// How many values of a key without an order are drawn at most.
const N_ROWS: usize = 24;
/// From this ratio of the largest to the smallest value on, positive values are spaced by their ratio.
const RATIO_LOGARITHMIC: f64 = 20.0;

/// The final score against the varied key at `index` of the overview, as an SVG document: along an axis where the
/// values are numbers, as one row for each value where they are not. Where other keys vary too, each value stands for
/// all trials that have it.
pub fn against_key(overview: &Overview<'_>, index: usize) -> String {
    let Some(key) = overview.varied.get(index) else {
        return Canvas::new(chart::WIDTH, 60.0).finish("Nothing varies", "No key takes more than one value.");
    };
    let scores = scores_by_value(overview, index, key.values.len());
    match &key.numbers {
        Some(numbers) => along_axis(overview, key, numbers, &scores),
        None => in_rows(overview, key, &scores),
    }
}

/// For each value of the key the scores of the trials that have it, on the axis.
fn scores_by_value(overview: &Overview<'_>, index: usize, n_values: usize) -> Vec<Vec<f64>> {
    let mut scores = vec![Vec::new(); n_values];
    for cell in &overview.cells {
        scores[cell.indices[index]].extend(cell.scores.iter().map(|&score| overview.metric.on_axis(score)));
    }
    scores
}

fn along_axis(overview: &Overview<'_>, key: &VariedKey, numbers: &[f64], scores: &[Vec<f64>]) -> String {
    let x = number_axis(numbers, key);
    let mut summary = Series::line("", palette::BLUE, Vec::new());
    summary.has_dots = true;
    for (&number, scores) in numbers.iter().zip(scores) {
        if let (Some(mean), Some((low, high))) = (mean(scores), chart::range(scores.iter().copied())) {
            summary.points.push((number, mean));
            summary.band.push((number, low, high));
        }
    }
    let dots = numbers.iter().zip(scores).flat_map(|(&x, scores)| scores.iter().map(move |&y| (x, y, palette::MUTED)));
    let values = scores.iter().flatten().copied();
    let (low, high) = chart::range(values.clone()).unwrap_or((0.0, 1.0));
    let mut levels = overview.best.map(|best| levels(&best.record, overview.metric)).unwrap_or_default();
    // A level far from all scores would only squeeze them.
    levels.retain(|level| level.value >= low - (high - low) && level.value <= high + (high - low));
    let (low, high) = chart::range(values.chain(levels.iter().map(|level| level.value))).unwrap_or((0.0, 1.0));
    chart::draw(&Chart {
        title: title(overview, key),
        subtitle: overview.metric.measures().to_owned(),
        description: describe(overview, key, scores),
        x_name: key.title.clone(),
        x,
        y: score_axis(overview, low, high),
        levels,
        series: vec![summary],
        dots: dots.take(N_DOTS).collect(),
        height: 320.0,
    })
}

fn number_axis(numbers: &[f64], key: &VariedKey) -> Axis {
    let (low, high) = chart::range(numbers.iter().copied()).unwrap_or((0.0, 1.0));
    let is_length = key.values.iter().any(serde_json::Value::is_array);
    let names = numbers.iter().map(|number| number.to_string()).collect();
    if low > 0.0 && high / low >= RATIO_LOGARITHMIC && !is_length {
        Axis::ratios(numbers, names)
    } else if numbers.len() <= 12 {
        Axis::values(numbers, names)
    } else {
        Axis::linear(low, high, 6)
    }
}

/// A row for each value: its name, its trials as dots, their mean as a large one with its value beside it.
fn in_rows(overview: &Overview<'_>, key: &VariedKey, scores: &[Vec<f64>]) -> String {
    let (row_height, top) = (30.0, 62.0);
    let n_rows = scores.len().min(N_ROWS);
    let height = top + n_rows as f64 * row_height + if scores.len() > n_rows { 48.0 } else { 30.0 };
    let mut canvas = Canvas::new(chart::WIDTH, height);
    chart::draw_heading(&mut canvas, &title(overview, key), overview.metric.measures());
    let names: Vec<String> = key.short_names.iter().take(n_rows).map(|name| text::shorten(name, 22)).collect();
    let widest = names.iter().map(|name| chart::text_width(name, 12.5)).fold(40.0, f64::max);
    let (left, right) = (widest + 24.0, chart::WIDTH - 76.0);
    let (low, high) = chart::range(scores.iter().flatten().copied()).unwrap_or((0.0, 1.0));
    let axis = score_axis(overview, low, high);
    let place = |value: f64| axis.place(value).map(|share| left + share * (right - left));
    let bottom = top + n_rows as f64 * row_height;
    let mut tick_names = Vec::new();
    for (value, name) in &axis.ticks {
        let Some(x) = place(*value) else { continue };
        canvas.line(&[(x, top - 4.0), (x, bottom)], Paint::line(palette::GRID, 1.0));
        tick_names.push((x, name.as_str()));
    }
    chart::draw_tick_names(&mut canvas, &tick_names, bottom + 14.0);
    for (row, (name, scores)) in names.iter().zip(scores).enumerate() {
        let y = top + (row as f64 + 0.5) * row_height;
        canvas.text(name, (left - 12.0, y), Anchor::End, 12.5, palette::INK, false);
        for x in scores.iter().take(N_DOTS / n_rows).filter_map(|&score| place(score)) {
            canvas.dot((x, y), 3.0, Paint::area(palette::MUTED, 0.45));
        }
        match mean(scores).and_then(|mean| Some((mean, place(mean)?))) {
            Some((mean, x)) => {
                canvas.dot((x, y), 5.0, Paint::area(palette::BLUE, 1.0));
                let written = written(overview, mean);
                canvas.text(&written, (chart::WIDTH - 12.0, y), Anchor::End, 12.5, palette::BLUE, true);
            }
            None => canvas.text("no result", (chart::WIDTH - 12.0, y), Anchor::End, 12.0, palette::MUTED, false),
        }
    }
    if scores.len() > n_rows {
        let rest = format!("and {} more values: see the table", scores.len() - n_rows);
        canvas.text(&rest, (12.0, height - 12.0), Anchor::Start, 12.0, palette::MUTED, false);
    }
    canvas.finish(&title(overview, key), &describe(overview, key, scores))
}

fn score_axis(overview: &Overview<'_>, low: f64, high: f64) -> Axis {
    if overview.metric.is_fraction() {
        let margin = ((high - low) * 0.08).max(0.05);
        Axis::percent(low - margin, high + margin)
    } else {
        Axis::linear(low, high, 5)
    }
}

fn title(overview: &Overview<'_>, key: &VariedKey) -> String {
    format!("{} against {}", overview.metric.title(), key.title)
}

fn describe(overview: &Overview<'_>, key: &VariedKey, scores: &[Vec<f64>]) -> String {
    let means =
        key.short_names.iter().zip(scores).filter_map(|(name, scores)| {
            Some(format!("{} {}", text::shorten(name, 22), written(overview, mean(scores)?)))
        });
    format!("Mean final score on the {} set: {}.", overview.set_name(), means.collect::<Vec<_>>().join("; "))
}

/// A value on the axis as text.
fn written(overview: &Overview<'_>, on_axis: f64) -> String {
    overview.metric.format(if overview.metric.is_fraction() { on_axis / 100.0 } else { on_axis })
}

fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}
