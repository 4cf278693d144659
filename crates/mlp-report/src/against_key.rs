//! What one setting does to the score: a dot for each trial, and for each value, or range of values, the mean with the
//! other settings being equal and its 95 % interval. How both are computed is told in [`crate::effects`].

use mlp_results::interval::range;
use mlp_results::{Cell, Overview, TrialResult, text};

use crate::canvas::{Anchor, Canvas, Paint};
use crate::chart::lettering::{LINE, draw_lines, widest, wrap};
use crate::chart::marks::{BAD, Beyond, draw_beyond, draw_cross};
use crate::chart::{self, Axis, Chart, Dot, Series};
use crate::curves::levels;
use crate::effects::{Effects, KeyEffect, LevelEffect, score_at};
use crate::factor::Grouping;
use crate::hint;
use crate::palette;
use crate::score_axis::{number_axis, off_scale, score_axis, subtitle, with_note, written};
use crate::score_scale::ScoreScale;

/// How many dots are drawn at most; of more, an even selection.
const N_DOTS: usize = 400;
/// How many values of a key without an order are drawn at most.
const N_ROWS: usize = 24;
/// The room for the names of values, in pixels.
const NAMES: f64 = 150.0;

/// The effect of the key at `index` of `effects` as an SVG document: along an axis where the values are numbers, as one
/// row for each value where they are not.
pub fn against_key(overview: &Overview<'_>, effects: &Effects, index: usize) -> String {
    let Some(effect) = effects.keys.get(index) else {
        return Canvas::new(chart::WIDTH, 60.0).finish("Nothing varies", "No key takes more than one value.");
    };
    let scored = Scored::all(overview, effects, effect);
    match &effect.factor.numbers {
        Some(numbers) => along_axis(overview, effects, effect, numbers, &scored),
        None => in_rows(overview, effects, effect, &scored),
    }
}

/// A trial as a dot.
struct Scored<'o, 'a> {
    cell: &'o Cell<'a>,
    trial: &'a TrialResult,
    level: usize,
    /// The index of the key's value.
    value: usize,
    /// In units of the metric.
    score: f64,
}

impl<'o, 'a> Scored<'o, 'a> {
    /// The trials with a score.
    fn all(overview: &'o Overview<'a>, effects: &Effects, effect: &KeyEffect) -> Vec<Self> {
        let factor = &effect.factor;
        let of_cell = |cell: &'o Cell<'a>| {
            let value = cell.indices[factor.key];
            let dot = move |&trial: &&'a TrialResult| {
                let score = score_at(overview, trial, effects.at_epoch)?;
                Some(Scored { cell, trial, level: factor.level_of[value], value, score })
            };
            cell.trials.iter().filter_map(dot)
        };
        overview.cells.iter().flat_map(of_cell).collect()
    }

    fn hint(&self, overview: &Overview<'_>) -> String {
        hint::trial(overview, self.cell, self.trial, Some(self.score))
    }
}

/// An even selection.
fn selected<T>(all: &[T]) -> impl Iterator<Item = &T> {
    all.iter().step_by(all.len().div_ceil(N_DOTS).max(1))
}

/// The configurations that were run and have no score.
fn without_score<'o, 'a>(overview: &'o Overview<'a>, effects: &Effects) -> Vec<&'o Cell<'a>> {
    let has_score = |cell: &&Cell<'_>| cell.trials.iter().any(|t| score_at(overview, t, effects.at_epoch).is_some());
    overview.cells.iter().filter(|cell| !has_score(cell)).collect()
}

/// What is said of a configuration without a score.
fn missing(overview: &Overview<'_>, cell: &Cell<'_>) -> String {
    cell.trials.first().map_or_else(String::new, |trial| hint::trial(overview, cell, trial, None))
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

/// The range of dots, estimates and intervals; wide intervals of few seeds get at most as much room as the dots, and what is
/// off their scale gets none.
fn score_range(overview: &Overview<'_>, scored: &[Scored<'_, '_>], effect: &KeyEffect) -> (f64, f64) {
    let scores: Vec<f64> = scored.iter().map(|scored| scored.score).collect();
    let estimates = effect.levels.iter().filter_map(LevelEffect::estimate);
    let (lowest, highest) = overview.metric.bounds();
    let all: Vec<f64> = scores.into_iter().chain(estimates.map(|estimate| estimate.clamp(lowest, highest))).collect();
    let (low, high) = ScoreScale::of_axis(overview, &all).map_or((0.0, 1.0), |scale| scale.ends(overview));
    let room = 0.5 * (high - low);
    let on_scale = |level: &&LevelEffect| estimate(overview, level).is_some_and(|mean| low <= mean && mean <= high);
    let bars = effect.levels.iter().filter(on_scale).filter_map(|level| ends(overview, level));
    let (lowest, highest) = range(bars.flat_map(|(low, high)| [low, high])).unwrap_or((low, high));
    (low.min(lowest.max(low - room)), high.max(highest.min(high + room)))
}

fn along_axis(
    overview: &Overview<'_>,
    effects: &Effects,
    effect: &KeyEffect,
    numbers: &[f64],
    scored: &[Scored<'_, '_>],
) -> String {
    let key = &overview.varied[effect.factor.key];
    // In ranges every dot stands at its own number.
    let own = if effect.factor.grouping == Grouping::Ranges { key.numbers.as_deref() } else { None };
    let x = number_axis(own.unwrap_or(numbers), key, effect.factor.grouping);
    let place = |value: usize| own.map_or_else(|| numbers[effect.factor.level_of[value]], |own| own[value]);
    let mut series = Series::line("", palette::BLUE, Vec::new());
    series.has_dots = true;
    for ((&number, level), name) in numbers.iter().zip(&effect.levels).zip(&effect.factor.names) {
        let Some(estimate) = estimate(overview, level) else { continue };
        series.points.push((number, estimate));
        series.hints.push(format!("{name}: {} in the mean", written(overview, estimate)));
        series.values.push(written(overview, estimate));
        series.bars.extend(ends(overview, level).map(|(low, high)| (number, low, high)));
    }
    let (low, high) = score_range(overview, scored, effect);
    let mut levels = overview.best.map(|best| levels(&best.record, overview.metric)).unwrap_or_default();
    // A level far from all scores would only squeeze them.
    levels.retain(|level| level.value >= low - 0.5 * (high - low) && level.value <= high + 0.5 * (high - low));
    let (low, high) = range([low, high].into_iter().chain(levels.iter().map(|l| l.value))).unwrap_or((0.0, 1.0));
    let y = score_axis(overview, low, high);
    let n_beyond = off_scale(&y, scored.iter().map(|scored| overview.metric.on_axis(scored.score)));
    let dots = selected(scored).map(|scored| Dot {
        hint: scored.hint(overview),
        ..Dot::new((place(scored.value), overview.metric.on_axis(scored.score)), palette::MUTED)
    });
    let edge = if overview.metric.higher_is_better() { y.low } else { y.high };
    let without = without_score(overview, effects);
    let without = selected(&without).map(|cell| Dot {
        at: (place(cell.indices[effect.factor.key]), edge),
        color: BAD,
        is_missing: true,
        hint: missing(overview, cell),
    });
    chart::draw(&Chart {
        title: title(overview, effect),
        subtitle: with_note(&subtitle(overview, effects), n_beyond, "trial"),
        description: describe(overview, effect),
        x_name: key.title.clone(),
        x,
        y,
        levels,
        series: vec![series],
        dots: dots.chain(without).collect(),
        height: 320.0,
    })
}

/// A row for each value: its name, its trials as dots, its mean as a large one with its interval, and the mean in figures.
fn in_rows(overview: &Overview<'_>, effects: &Effects, effect: &KeyEffect, scored: &[Scored<'_, '_>]) -> String {
    let rows = Rows::new(overview, effect, scored);
    let n_more = effect.levels.len() - rows.names.len();
    let height = rows.bottom() + if n_more > 0 { 48.0 } else { 30.0 };
    let mut canvas = Canvas::new(chart::WIDTH, height);
    let n_beyond = off_scale(&rows.axis, scored.iter().map(|scored| overview.metric.on_axis(scored.score)));
    let subtitle = with_note(&subtitle(overview, effects), n_beyond, "trial");
    chart::draw_heading(&mut canvas, &title(overview, effect), &subtitle);
    rows.draw_grid(&mut canvas);
    for scored in selected(scored).filter(|scored| scored.level < rows.names.len()) {
        let score = overview.metric.on_axis(scored.score);
        rows.mark(&mut canvas, scored.level, score, &scored.hint(overview), (3.0, Paint::area(palette::MUTED, 0.45)));
    }
    let edge = if overview.metric.higher_is_better() { rows.left } else { rows.right };
    for cell in selected(&without_score(overview, effects)) {
        let level = effect.factor.level_of[cell.indices[effect.factor.key]];
        if level < rows.names.len() {
            let hint = missing(overview, cell);
            canvas.explained(&hint, |canvas| draw_cross(canvas, (edge, rows.y(level)), 3.0, BAD));
        }
    }
    for (row, level) in effect.levels.iter().take(rows.names.len()).enumerate() {
        rows.draw_level(&mut canvas, overview, row, level);
    }
    if n_more > 0 {
        let rest = format!("and {n_more} more values: see the table");
        canvas.text(&rest, (12.0, height - 12.0), Anchor::Start, 12.0, palette::MUTED, false);
    }
    canvas.finish(&title(overview, effect), &describe(overview, effect))
}

/// Where the rows and the scores stand.
struct Rows {
    names: Vec<Vec<String>>,
    axis: Axis,
    height: f64,
    left: f64,
    right: f64,
}

impl Rows {
    const HEIGHT: f64 = 30.0;
    const TOP: f64 = 62.0;

    fn new(overview: &Overview<'_>, effect: &KeyEffect, scored: &[Scored<'_, '_>]) -> Rows {
        let names = effect.factor.names.iter().take(effect.levels.len().min(N_ROWS));
        let names: Vec<Vec<String>> = names.map(|name| wrap(name, 12.5, false, NAMES)).collect();
        let widest = names.iter().map(|lines| widest(lines, 12.5, false)).fold(40.0, f64::max);
        let n_lines = names.iter().map(Vec::len).max().unwrap_or(1);
        let (low, high) = score_range(overview, scored, effect);
        let axis = score_axis(overview, low, high);
        let height = Rows::HEIGHT.max(LINE * n_lines as f64 + 6.0);
        Rows { names, axis, height, left: widest + 24.0, right: chart::WIDTH - 84.0 }
    }

    fn x(&self, score: f64) -> Option<f64> {
        self.axis.place(score).map(|share| self.left + share.clamp(0.0, 1.0) * (self.right - self.left))
    }

    fn y(&self, row: usize) -> f64 {
        Rows::TOP + (row as f64 + 0.5) * self.height
    }

    fn bottom(&self) -> f64 {
        Rows::TOP + self.names.len() as f64 * self.height
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

    /// A dot, or a mark at the edge where the value is off the scale.
    fn mark(&self, canvas: &mut Canvas, row: usize, value: f64, hint: &str, (radius, paint): (f64, Paint)) {
        let Some(x) = self.x(value) else { return };
        let place = (x, self.y(row));
        canvas.explained(hint, |canvas| match self.axis.place(value) {
            Some(share) if share < 0.0 => draw_beyond(canvas, place, Beyond::Left, paint.color),
            Some(share) if share > 1.0 => draw_beyond(canvas, place, Beyond::Right, paint.color),
            _ => canvas.dot(place, radius, paint),
        });
    }

    fn draw_level(&self, canvas: &mut Canvas, overview: &Overview<'_>, row: usize, level: &LevelEffect) {
        let y = self.y(row);
        draw_lines(canvas, &self.names[row], (self.left - 12.0, y), Anchor::End, 12.5, palette::INK, false);
        if let Some((Some(from), Some(to))) = ends(overview, level).map(|(low, high)| (self.x(low), self.x(high))) {
            canvas.line(&[(from, y), (to, y)], Paint::line(palette::BLUE, 1.6));
            for x in [from, to] {
                canvas.line(&[(x, y - 4.0), (x, y + 4.0)], Paint::line(palette::BLUE, 1.6));
            }
        }
        let right = chart::WIDTH - 12.0;
        match estimate(overview, level) {
            Some(mean) => {
                let said = written(overview, mean);
                self.mark(canvas, row, mean, &format!("{said} in the mean"), (5.0, Paint::area(palette::BLUE, 1.0)));
                canvas.text(&said, (right, y), Anchor::End, 12.5, palette::BLUE, true);
            }
            None => {
                let said = if level.is_undetermined { "no mean" } else { "no result" };
                canvas.text(said, (right, y), Anchor::End, 12.0, palette::MUTED, false);
            }
        }
    }
}

fn title(overview: &Overview<'_>, effect: &KeyEffect) -> String {
    format!("{} against {}", overview.metric.title(), effect.factor.title(overview))
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
