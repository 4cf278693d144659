//! What one setting does to the score: a dot for each trial, and for each value, or range of values, the mean with the
//! other settings being equal and its 95 % interval. How both are computed is told in [`crate::effects`].

use mlp_results::interval::range;
use mlp_results::{Cell, Overview, VariedKey, text};

use crate::canvas::{Anchor, Canvas, Paint};
use crate::chart::{self, Axis, Chart, Series};
use crate::curves::levels;
use crate::effects::{Effects, KeyEffect, LevelEffect, score_at};
use crate::factor::Grouping;
use crate::palette;
use crate::score_axis::{number_axis, score_axis, subtitle, written};

/// How many dots are drawn at most; of more, an even selection.
const N_DOTS: usize = 600;
/// How many values of a key without an order are drawn at most.
const N_ROWS: usize = 24;

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

/// A row for each value: its name, its trials as dots, its mean as a large one with its interval, and the mean in figures.
fn in_rows(overview: &Overview<'_>, effects: &Effects, effect: &KeyEffect) -> String {
    let key = &overview.varied[effect.factor.key];
    let dots = dots(overview, effects, effect);
    let rows = Rows::new(overview, effect, &dots);
    let n_more = effect.levels.len() - rows.names.len();
    let height = rows.bottom() + if n_more > 0 { 48.0 } else { 30.0 };
    let mut canvas = Canvas::new(chart::WIDTH, height);
    chart::draw_heading(&mut canvas, &title(overview, key), &subtitle(overview, effects));
    rows.draw_grid(&mut canvas);
    for &(level, _, score) in dots.iter().filter(|dot| dot.0 < rows.names.len()) {
        if let Some(x) = rows.x(score) {
            canvas.dot((x, rows.y(level)), 3.0, Paint::area(palette::MUTED, 0.45));
        }
    }
    let edge = if overview.metric.higher_is_better() { rows.left } else { rows.right };
    let without = without_score(overview, effects, effect).into_iter().map(|(level, _)| level);
    for level in without.filter(|level| *level < rows.names.len()) {
        canvas.dot((edge, rows.y(level)), 3.0, Paint::area(palette::VERMILION, 0.45));
    }
    for (row, level) in effect.levels.iter().take(rows.names.len()).enumerate() {
        rows.draw_level(&mut canvas, overview, row, level);
    }
    if n_more > 0 {
        let rest = format!("and {n_more} more values: see the table");
        canvas.text(&rest, (12.0, height - 12.0), Anchor::Start, 12.0, palette::MUTED, false);
    }
    canvas.finish(&title(overview, key), &describe(overview, effect))
}

/// Where the rows and the scores stand.
struct Rows {
    names: Vec<String>,
    axis: Axis,
    left: f64,
    right: f64,
}

impl Rows {
    const HEIGHT: f64 = 30.0;
    const TOP: f64 = 62.0;

    fn new(overview: &Overview<'_>, effect: &KeyEffect, dots: &[(usize, usize, f64)]) -> Rows {
        let names = effect.factor.names.iter().take(effect.levels.len().min(N_ROWS));
        let names: Vec<String> = names.map(|name| text::shorten(name, 22)).collect();
        let widest = names.iter().map(|name| chart::text_width(name, 12.5)).fold(40.0, f64::max);
        let (low, high) = score_range(overview, dots, effect);
        let axis = score_axis(overview, low, high);
        Rows { names, axis, left: widest + 24.0, right: chart::WIDTH - 76.0 }
    }

    fn x(&self, score: f64) -> Option<f64> {
        self.axis.place(score).map(|share| self.left + share.clamp(0.0, 1.0) * (self.right - self.left))
    }

    fn y(&self, row: usize) -> f64 {
        Rows::TOP + (row as f64 + 0.5) * Rows::HEIGHT
    }

    fn bottom(&self) -> f64 {
        Rows::TOP + self.names.len() as f64 * Rows::HEIGHT
    }

    fn draw_grid(&self, canvas: &mut Canvas) {
        let ticks = self.axis.ticks.iter();
        let ticks: Vec<(f64, &str)> =
            ticks.filter_map(|(value, name)| Some((self.x(*value)?, name.as_str()))).collect();
        for (x, _) in &ticks {
            canvas.line(&[(*x, Rows::TOP - 4.0), (*x, self.bottom())], Paint::line(palette::GRID, 1.0));
        }
        chart::draw_tick_names(canvas, &ticks, self.bottom() + 14.0);
    }

    fn draw_level(&self, canvas: &mut Canvas, overview: &Overview<'_>, row: usize, level: &LevelEffect) {
        let y = self.y(row);
        canvas.text(&self.names[row], (self.left - 12.0, y), Anchor::End, 12.5, palette::INK, false);
        if let Some((Some(from), Some(to))) = ends(overview, level).map(|(low, high)| (self.x(low), self.x(high))) {
            canvas.line(&[(from, y), (to, y)], Paint::line(palette::BLUE, 1.6));
            for x in [from, to] {
                canvas.line(&[(x, y - 4.0), (x, y + 4.0)], Paint::line(palette::BLUE, 1.6));
            }
        }
        let right = chart::WIDTH - 12.0;
        match estimate(overview, level).and_then(|mean| Some((mean, self.x(mean)?))) {
            Some((mean, x)) => {
                canvas.dot((x, y), 5.0, Paint::area(palette::BLUE, 1.0));
                canvas.text(&written(overview, mean), (right, y), Anchor::End, 12.5, palette::BLUE, true);
            }
            None => canvas.text("no result", (right, y), Anchor::End, 12.0, palette::MUTED, false),
        }
    }
}

fn title(overview: &Overview<'_>, key: &VariedKey) -> String {
    format!("{} against {}", overview.metric.title(), key.title)
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
