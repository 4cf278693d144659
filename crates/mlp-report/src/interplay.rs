//! Two settings at once: the score against one, a line for each value of the other. Where lines run side by side their
//! effects add up; where they cross, the best value of one depends on the other.

use std::collections::BTreeSet;

use mlp_results::Overview;
use mlp_results::interval::mean;

use crate::chart::{self, Axis, Chart, Series};
use crate::effects::{Effects, KeyEffect, score_at};
use crate::factor::Grouping;
use crate::palette;
use crate::score_axis::{number_axis, off_scale, score_axis, subtitle, with_note, written};
use crate::score_scale::ScoreScale;

/// How many lines can be told apart.
pub const N_LINES: usize = palette::SERIES.len();
/// How many pairs of keys are drawn at most, those with the largest effects.
pub const N_PAIRS: usize = 4;

/// Which keys (by their index in [`Effects::keys`]) are worth drawing together, the one along the axis first: every key
/// with the one of largest effect that has few enough values to be lines.
pub fn pairs(effects: &Effects) -> Vec<(usize, usize)> {
    let n_levels = |index: usize| effects.keys[index].factor.names.len();
    let is_number = |index: usize| effects.keys[index].factor.numbers.is_some();
    let mut drawn = BTreeSet::new();
    let mut pairs = Vec::new();
    // Of two settings one of which can't be told from chance there is nothing to see together.
    let n_keys = effects.keys.iter().take_while(|effect| effect.may_matter()).count();
    for first in 0..n_keys {
        let Some(second) = (0..n_keys).find(|&other| other != first && n_levels(other) <= N_LINES) else {
            continue;
        };
        // Numbers go along the axis; of two of a kind, the one with more values.
        let swaps =
            n_levels(first) <= N_LINES && (is_number(second), n_levels(second)) > (is_number(first), n_levels(first));
        if drawn.insert((first.min(second), first.max(second))) {
            pairs.push(if swaps { (second, first) } else { (first, second) });
        }
    }
    pairs.truncate(N_PAIRS);
    pairs
}

/// The keys, apart from `pair`, over whose values each point is a mean.
pub fn averaged<'o>(overview: &'o Overview<'_>, effects: &Effects, pair: (usize, usize)) -> Vec<&'o str> {
    let used = [effects.keys[pair.0].factor.keys(), effects.keys[pair.1].factor.keys()].concat();
    let keys = overview.varied.iter().enumerate();
    let keys = keys.filter(|(index, key)| !used.contains(index) && !effects.leaves_out(key));
    keys.map(|(_, key)| key.key.as_str()).collect()
}

/// The score against the first key of `pair`, a line for each value of the second, as an SVG document.
pub fn interplay(overview: &Overview<'_>, effects: &Effects, pair: (usize, usize)) -> String {
    let (along, lines) = (&effects.keys[pair.0], &effects.keys[pair.1]);
    let (x_key, line_key) = (&overview.varied[along.factor.key], &overview.varied[lines.factor.key]);
    let x = match &along.factor.numbers {
        Some(numbers) => {
            let own = x_key.numbers.as_deref().filter(|_| along.factor.grouping == Grouping::Ranges);
            number_axis(own.unwrap_or(numbers), x_key, along.factor.grouping)
        }
        None => Axis::names(along.factor.names.clone()),
    };
    let means = means(overview, effects, along, lines);
    let series: Vec<Series> = means
        .iter()
        .zip(&lines.factor.names)
        .zip(palette::SERIES)
        .map(|((points, name), color)| {
            let place = |level: usize| along.factor.numbers.as_ref().map_or(level as f64, |numbers| numbers[level]);
            let mut series = Series { has_dots: true, ..Series::line(name.clone(), color, Vec::new()) };
            let is_measured = |mean: &Option<f64>| mean.is_some();
            let first = points.iter().position(is_measured).unwrap_or(0);
            let last = points.iter().rposition(is_measured).map_or(0, |last| last + 1);
            for (level, mean) in points.iter().enumerate().take(last).skip(first) {
                // Where nothing has a score, no line says that something has.
                let Some(mean) = *mean else {
                    series.points.push((place(level), f64::NAN));
                    series.hints.push(String::new());
                    continue;
                };
                let on_axis = overview.metric.on_axis(mean);
                series.points.push((place(level), on_axis));
                series.hints.push(format!("{}, {name}: {}", along.factor.names[level], written(overview, on_axis)));
            }
            series
        })
        .collect();
    let all: Vec<f64> = means.iter().flatten().flatten().copied().collect();
    let (low, high) = ScoreScale::of_axis(overview, &all).map_or((0.0, 1.0), |scale| scale.ends(overview));
    let y = score_axis(overview, low, high);
    let n_beyond = off_scale(&y, all.iter().map(|&mean| overview.metric.on_axis(mean)));
    let title = format!("{} by {} and {}", overview.metric.title(), x_key.title, line_key.title);
    chart::draw(&Chart {
        description: format!("A line for each of the {} values of {}.", lines.factor.names.len(), line_key.title),
        title,
        subtitle: with_note(&subtitle(overview, effects), n_beyond, "mean"),
        x_name: format!("{}; a line for each {}", x_key.title, line_key.title),
        x,
        y,
        levels: Vec::new(),
        series,
        dots: Vec::new(),
        height: 320.0,
    })
}

/// For each line, for each place along the axis, the mean over the configurations there, each counting once, in units of the
/// metric.
fn means(overview: &Overview<'_>, effects: &Effects, along: &KeyEffect, lines: &KeyEffect) -> Vec<Vec<Option<f64>>> {
    let mut scores = vec![vec![Vec::new(); along.levels.len()]; lines.levels.len()];
    for cell in &overview.cells {
        let scored: Vec<f64> =
            cell.trials.iter().filter_map(|trial| score_at(overview, trial, effects.at_epoch)).collect();
        let place = |effect: &KeyEffect| effect.factor.level_of[cell.indices[effect.factor.key]];
        scores[place(lines)][place(along)].extend(mean(&scored));
    }
    scores.into_iter().map(|line| line.into_iter().map(|scores| mean(&scores)).collect()).collect()
}
