//! What one setting does to the score: a dot for each trial, and for each value, or range of values, the mean with the
//! other settings being equal and its 95 % interval. How both are computed is told in [`crate::effects`].

use mlp_results::Cell;
use mlp_results::Overview;
use mlp_results::VariedKey;
use mlp_results::interval::range;
use mlp_results::text;

use crate::canvas::{Anchor, Canvas, Paint};
use crate::chart::{self, Axis, Chart, Series};
use crate::curves::levels;
use crate::effects::{Effects, KeyEffect, LevelEffect, score_at};
use crate::factor::Grouping;
use crate::palette;

/// How many dots are drawn at most; of more, an even selection.
const N_DOTS: usize = 600;
/// How many values of a key without an order are drawn at most.
const N_ROWS: usize = 24;
/// From this ratio of the largest to the smallest value on, positive values are spaced by their ratio.
const RATIO_LOGARITHMIC: f64 = 20.0;

/// The effect of the key at `index` of `effects` as an SVG document: along an axis where the values are numbers, as one
/// row for each value where they are not.
pub fn against_key(overview: &Overview<'_>, effects: &Effects, index: usize) -> String {
    let Some(effect) = effects.keys.get(index) else {
        return Canvas::new(chart::WIDTH, 60.0).finish("Nothing varies", "No key takes more than one value.");
    };
    match &effect.factor.numbers {
        Some(numbers) => along_axis(overview, effects, effect, numbers),
        None => in_rows(overview, effects, effect),
    }
}

/// The level, the value's index and the score, on the axis, of an even selection of the scored trials.
fn dots(overview: &Overview<'_>, effects: &Effects, effect: &KeyEffect) -> Vec<(usize, usize, f64)> {
    let factor = &effect.factor;
    let all: Vec<(usize, usize, f64)> = overview
        .cells
        .iter()
        .flat_map(|cell| cell.trials.iter().map(move |trial| (cell.indices[factor.key], trial)))
        .filter_map(|(value, trial)| {
            let score = score_at(overview, trial, effects.at_epoch)?;
            Some((factor.level_of[value], value, overview.metric.on_axis(score)))
        })
        .collect();
    let step = all.len().div_ceil(N_DOTS).max(1);
    all.into_iter().step_by(step).collect()
}

/// The level and the value's index of an even selection of the configurations that were run and have no score.
fn without_score(overview: &Overview<'_>, effects: &Effects, effect: &KeyEffect) -> Vec<(usize, usize)> {
    let has_score = |cell: &&Cell<'_>| cell.trials.iter().any(|t| score_at(overview, t, effects.at_epoch).is_some());
    let value = |cell: &Cell<'_>| cell.indices[effect.factor.key];
    let all: Vec<usize> = overview.cells.iter().filter(|cell| !has_score(cell)).map(value).collect();
    let step = all.len().div_ceil(N_DOTS).max(1);
    all.into_iter().step_by(step).map(|value| (effect.factor.level_of[value], value)).collect()
}

/// The ends of a level's interval on the axis.
fn ends(overview: &Overview<'_>, level: &LevelEffect) -> Option<(f64, f64)> {
    let (estimate, half_width) = (level.estimate()?, level.half_width?);
    let (lowest, highest) = overview.metric.bounds();
    let metric = overview.metric;
    let ends = ((estimate - half_width).max(lowest), (estimate + half_width).min(highest));
    Some((metric.on_axis(ends.0), metric.on_axis(ends.1)))
}

/// A level's estimate on the axis, kept to what the metric can be.
fn estimate(overview: &Overview<'_>, level: &LevelEffect) -> Option<f64> {
    let (lowest, highest) = overview.metric.bounds();
    level.estimate().map(|estimate| overview.metric.on_axis(estimate.clamp(lowest, highest)))
}

/// The range of dots, estimates and intervals; wide intervals of few seeds get at most as much room as the dots.
fn score_range(overview: &Overview<'_>, dots: &[(usize, usize, f64)], effect: &KeyEffect) -> (f64, f64) {
    let estimates = effect.levels.iter().filter_map(|level| estimate(overview, level));
    let (low, high) = range(dots.iter().map(|dot| dot.2).chain(estimates)).unwrap_or((0.0, 1.0));
    let room = 0.5 * (high - low);
    let bars = effect.levels.iter().filter_map(|level| ends(overview, level)).flat_map(|(low, high)| [low, high]);
    let (lowest, highest) = range(bars).unwrap_or((low, high));
    (low.min(lowest.max(low - room)), high.max(highest.min(high + room)))
}

fn along_axis(overview: &Overview<'_>, effects: &Effects, effect: &KeyEffect, numbers: &[f64]) -> String {
    let key = &overview.varied[effect.factor.key];
    let dots = dots(overview, effects, effect);
    // In ranges every dot stands at its own number.
    let own = if effect.factor.grouping == Grouping::Ranges { key.numbers.as_deref() } else { None };
    let x = number_axis(own.unwrap_or(numbers), key, effect.factor.grouping);
    let place = |&(level, value, score): &(usize, usize, f64)| {
        (own.map_or(numbers[level], |own| own[value]), score, palette::MUTED)
    };
    let mut series = Series::line("", palette::BLUE, Vec::new());
    series.has_dots = true;
    for (&number, level) in numbers.iter().zip(&effect.levels) {
        let Some(estimate) = estimate(overview, level) else { continue };
        series.points.push((number, estimate));
        series.bars.extend(ends(overview, level).map(|(low, high)| (number, low, high)));
    }
    let (low, high) = score_range(overview, &dots, effect);
    let mut levels = overview.best.map(|best| levels(&best.record, overview.metric)).unwrap_or_default();
    // A level far from all scores would only squeeze them.
    levels.retain(|level| level.value >= low - 0.5 * (high - low) && level.value <= high + 0.5 * (high - low));
    let (low, high) = range([low, high].into_iter().chain(levels.iter().map(|l| l.value))).unwrap_or((0.0, 1.0));
    let y = score_axis(overview, low, high);
    let edge = if overview.metric.higher_is_better() { y.low } else { y.high };
    let without = without_score(overview, effects, effect)
        .into_iter()
        .map(|(level, value)| (own.map_or(numbers[level], |own| own[value]), edge, palette::VERMILION));
    chart::draw(&Chart {
        title: title(overview, key),
        subtitle: subtitle(overview, effects),
        description: describe(overview, effect),
        x_name: key.title.clone(),
        x,
        y,
        levels,
        series: vec![series],
        dots: dots.iter().map(place).chain(without).collect(),
        height: 320.0,
    })
}

/// The axis of a key's numbers, with a tick at each where they are few.
pub(crate) fn number_axis(numbers: &[f64], key: &VariedKey, grouping: Grouping) -> Axis {
    let (low, high) = range(numbers.iter().copied()).unwrap_or((0.0, 1.0));
    let is_length = key.values.iter().any(|value| value.as_array().is_some_and(|list| list.len() != 1));
    let is_logarithmic = low > 0.0 && high / low >= RATIO_LOGARITHMIC && !is_length;
    match grouping {
        Grouping::Ranges if is_logarithmic => {
            let (first, last) = (low.log10().floor() as i32, high.log10().ceil() as i32);
            let steps = (first..=last).flat_map(|power| [1.0, 3.0].map(|factor| factor * 10f64.powi(power)));
            let steps: Vec<f64> = steps.filter(|step| (low..=high).contains(step)).collect();
            let mut axis = Axis::ratios(&[low, high], vec![String::new(); 2]);
            axis.ticks = steps.iter().map(|&step| (step, text::rounded(step))).collect();
            axis
        }
        Grouping::Ranges => Axis::linear(low, high, 6),
        _ if is_logarithmic => Axis::ratios(numbers, numbers.iter().map(f64::to_string).collect()),
        _ if numbers.len() <= 12 => Axis::values(numbers, numbers.iter().map(f64::to_string).collect()),
        _ => Axis::linear(low, high, 6),
    }
}

/// A row for each value: its name, its trials as dots, its mean as a large one with its interval, and the mean in figures.
fn in_rows(overview: &Overview<'_>, effects: &Effects, effect: &KeyEffect) -> String {
    let key = &overview.varied[effect.factor.key];
    let dots = dots(overview, effects, effect);
    let (row_height, top) = (30.0, 62.0);
    let n_rows = effect.levels.len().min(N_ROWS);
    let height = top + n_rows as f64 * row_height + if effect.levels.len() > n_rows { 48.0 } else { 30.0 };
    let mut canvas = Canvas::new(chart::WIDTH, height);
    chart::draw_heading(&mut canvas, &title(overview, key), &subtitle(overview, effects));
    let names: Vec<String> = effect.factor.names.iter().take(n_rows).map(|name| text::shorten(name, 22)).collect();
    let widest = names.iter().map(|name| chart::text_width(name, 12.5)).fold(40.0, f64::max);
    let (left, right) = (widest + 24.0, chart::WIDTH - 76.0);
    let (low, high) = score_range(overview, &dots, effect);
    let axis = score_axis(overview, low, high);
    let place = |value: f64| axis.place(value).map(|share| left + share.clamp(0.0, 1.0) * (right - left));
    let bottom = top + n_rows as f64 * row_height;
    let mut tick_names = Vec::new();
    for (value, name) in &axis.ticks {
        let Some(x) = place(*value) else { continue };
        canvas.line(&[(x, top - 4.0), (x, bottom)], Paint::line(palette::GRID, 1.0));
        tick_names.push((x, name.as_str()));
    }
    chart::draw_tick_names(&mut canvas, &tick_names, bottom + 14.0);
    for &(level, _, score) in dots.iter().filter(|dot| dot.0 < n_rows) {
        let y = top + (level as f64 + 0.5) * row_height;
        if let Some(x) = place(score) {
            canvas.dot((x, y), 3.0, Paint::area(palette::MUTED, 0.45));
        }
    }
    let edge = if overview.metric.higher_is_better() { left } else { right };
    for (level, _) in without_score(overview, effects, effect).into_iter().filter(|(level, _)| *level < n_rows) {
        let y = top + (level as f64 + 0.5) * row_height;
        canvas.dot((edge, y), 3.0, Paint::area(palette::VERMILION, 0.45));
    }
    for (row, (name, level)) in names.iter().zip(&effect.levels).enumerate() {
        let y = top + (row as f64 + 0.5) * row_height;
        canvas.text(name, (left - 12.0, y), Anchor::End, 12.5, palette::INK, false);
        if let Some((Some(from), Some(to))) = ends(overview, level).map(|(low, high)| (place(low), place(high))) {
            canvas.line(&[(from, y), (to, y)], Paint::line(palette::BLUE, 1.6));
            for x in [from, to] {
                canvas.line(&[(x, y - 4.0), (x, y + 4.0)], Paint::line(palette::BLUE, 1.6));
            }
        }
        match estimate(overview, level).and_then(|mean| Some((mean, place(mean)?))) {
            Some((mean, x)) => {
                canvas.dot((x, y), 5.0, Paint::area(palette::BLUE, 1.0));
                let written = written(overview, mean);
                canvas.text(&written, (chart::WIDTH - 12.0, y), Anchor::End, 12.5, palette::BLUE, true);
            }
            None => canvas.text("no result", (chart::WIDTH - 12.0, y), Anchor::End, 12.0, palette::MUTED, false),
        }
    }
    if effect.levels.len() > n_rows {
        let rest = format!("and {} more values: see the table", effect.levels.len() - n_rows);
        canvas.text(&rest, (12.0, height - 12.0), Anchor::Start, 12.0, palette::MUTED, false);
    }
    canvas.finish(&title(overview, key), &describe(overview, effect))
}

/// The axis of scores, in per cent for fractions, with some room at both ends.
pub(crate) fn score_axis(overview: &Overview<'_>, low: f64, high: f64) -> Axis {
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

/// What is measured, and when if not at the end.
pub(crate) fn subtitle(overview: &Overview<'_>, effects: &Effects) -> String {
    match effects.at_epoch {
        Some(epoch) => format!("after epoch {epoch}: {}", overview.metric.measures()),
        None => overview.metric.measures().to_owned(),
    }
}

fn describe(overview: &Overview<'_>, effect: &KeyEffect) -> String {
    let means = effect.factor.names.iter().zip(&effect.levels).filter_map(|(name, level)| {
        let interval = ends(overview, level).map_or_else(String::new, |(low, high)| {
            format!(" ({} to {})", written(overview, low), written(overview, high))
        });
        Some(format!("{} {}{interval}", text::shorten(name, 22), written(overview, estimate(overview, level)?)))
    });
    format!("Mean score on the {} set by value: {}.", overview.set_name(), means.collect::<Vec<_>>().join("; "))
}

/// A value on the axis as text.
pub(crate) fn written(overview: &Overview<'_>, on_axis: f64) -> String {
    overview.metric.format(if overview.metric.is_fraction() { on_axis / 100.0 } else { on_axis })
}
