//! Many configurations by epoch: a line for each, seeds as a band.

use std::collections::BTreeMap;

use mlp_results::interval::{mean, range};
use mlp_results::{Cell, Metric, Overview};

use crate::chart::{self, Axis, Chart, Series};
use crate::curves::{epoch_axis, levels};
use crate::palette;

/// How many configurations get a colour and a name; the rest are context in grey.
pub const N_NAMED: usize = palette::SERIES.len();

/// Where names of configurations are longer, their ranks stand at the ends of lines.
const N_NAME_CHARACTERS: usize = 26;

/// How many grey lines are drawn at most.
pub const N_CONTEXT: usize = 150;

/// `metric` by epoch of every configuration as an SVG document: the [`N_NAMED`] best by name, each the mean over its
/// finished seeds with a band from the lowest to the highest, up to [`N_CONTEXT`] others in grey, and the levels of the
/// constant answers.
pub fn by_epoch(overview: &Overview<'_>, metric: Metric) -> String {
    let series = all_series(overview, &|value| metric.on_axis(value), metric, &|value| metric.format(value));
    let levels = overview.best.map(|best| levels(&best.record, metric)).unwrap_or_default();
    let values = series.iter().flat_map(|series| series.points.iter().map(|&(_, value)| value));
    let bands = series.iter().flat_map(|series| series.band.iter().flat_map(|&(_, low, high)| [low, high]));
    let (low, high) = range(values.chain(bands).chain(levels.iter().map(|level| level.value))).unwrap_or((0.0, 1.0));
    let y =
        if metric.is_fraction() { Axis::percent(low - 1.0, high + 1.0) } else { Axis::linear(low.min(0.0), high, 5) };
    draw(overview, series, format!("{}, {} set", metric.title(), overview.set_name()), metric.measures(), y, levels)
}

/// The samples that are not answered right, in per cent on a logarithmic axis, by epoch of every configuration: the
/// same data as the digit accuracy, but 1 % and 2 % of errors are as far apart as 10 % and 20 %.
pub fn wrong_by_epoch(overview: &Overview<'_>) -> String {
    // No wrong answer at all can't be placed on the axis and leaves a gap.
    let wrong = |accuracy: f64| if accuracy < 1.0 { (1.0 - accuracy) * 100.0 } else { f64::NAN };
    let shown = |accuracy: f64| format!("{} wrong", Metric::Accuracy.format(1.0 - accuracy));
    let series = all_series(overview, &wrong, Metric::Accuracy, &shown);
    let values = series.iter().flat_map(|series| series.points.iter().map(|&(_, value)| value));
    let bands = series.iter().flat_map(|series| series.band.iter().flat_map(|&(_, low, high)| [low, high]));
    let (low, high) = range(values.chain(bands)).unwrap_or((1.0, 100.0));
    let mut steps: Vec<f64> =
        (-4..=2).flat_map(|power| [1.0, 2.0, 5.0].map(|factor| factor * 10f64.powi(power))).collect();
    steps.retain(|step| *step >= low / 2.6 && *step <= (high * 2.0).min(100.0));
    let names = steps.iter().map(|step| format!("{} %", (step * 1e6).round() / 1e6)).collect();
    let mut y = Axis::ratios(&steps, names);
    (y.low, y.high) = (low / 1.1, (high * 1.1).min(110.0));
    y.ticks.retain(|(value, _)| *value >= y.low && *value <= y.high);
    let title = format!("Wrong answers, {} set", overview.set_name());
    draw(overview, series, title, "% of samples that are not answered right, logarithmic", y, Vec::new())
}

/// The values of a configuration by epoch, where all of its scored trials have one: mean, lowest, highest.
fn seeds_by_epoch(overview: &Overview<'_>, cell: &Cell<'_>, metric: Metric) -> Vec<(usize, Vec<f64>)> {
    let mut values: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
    let mut n_trials = 0;
    for trial in cell.trials.iter().filter(|trial| cell.scores.is_empty() || overview.score(trial).is_some()) {
        n_trials += 1;
        for epoch in &trial.record.epochs {
            if let Some(value) = overview.metrics_of(epoch).and_then(|metrics| metric.value(metrics)) {
                values.entry(epoch.epoch).or_default().push(value);
            }
        }
    }
    values.into_iter().filter(|(_, values)| cell.scores.is_empty() || values.len() == n_trials).collect()
}

/// Lines of a metric, where its values stand on the axis, and how they are told of a point.
fn all_series(
    overview: &Overview<'_>,
    on_axis: &dyn Fn(f64) -> f64,
    metric: Metric,
    shown: &dyn Fn(f64) -> String,
) -> Vec<Series> {
    let mut all: Vec<Series> = overview
        .cells
        .iter()
        .take(N_NAMED + N_CONTEXT)
        .enumerate()
        .map(|(rank, cell)| one_series(overview, cell, rank, on_axis, metric, shown))
        .collect();
    // The best are drawn last, on top.
    all.reverse();
    all
}

fn one_series(
    overview: &Overview<'_>,
    cell: &Cell<'_>,
    rank: usize,
    on_axis: &dyn Fn(f64) -> f64,
    metric: Metric,
    shown: &dyn Fn(f64) -> String,
) -> Series {
    let by_epoch = seeds_by_epoch(overview, cell, metric);
    let points = by_epoch.iter().filter_map(|(epoch, values)| Some((*epoch as f64, on_axis(mean(values)?)))).collect();
    let Some(&color) = palette::SERIES.get(rank) else {
        return Series { width: 1.0, ..Series::line("", palette::CONTEXT, points) };
    };
    let name = line_name(overview, rank);
    let hint = |(epoch, values): &(usize, Vec<f64>)| {
        let value = shown(mean(values)?);
        Some(format!("{name}, epoch {epoch}: {value}"))
    };
    let hints = by_epoch.iter().filter_map(hint).collect();
    let mut series = Series { hints, ..Series::line(name.clone(), color, points) };
    series.ends_diverged = cell.scores.is_empty() && cell.n_diverged > 0;
    if cell.scores.len() > 1 {
        let ends = |values: &[f64]| range(values.iter().map(|&value| on_axis(value)));
        series.band = by_epoch
            .iter()
            .filter_map(|(epoch, values)| ends(values).map(|(low, high)| (*epoch as f64, low, high)))
            .collect();
    }
    series
}

/// The name at the end of a line: the configuration, without the names of its settings where there is no room for them, or its
/// rank if its values do not fit there either.
pub(crate) fn line_name(overview: &Overview<'_>, rank: usize) -> String {
    match overview.cells.get(rank).filter(|cell| !cell.short_label.is_empty()) {
        None if names(overview) == Names::Ranks => format!("no. {}", rank + 1),
        None => "mean of seeds".to_owned(),
        Some(cell) => match names(overview) {
            Names::Settings => overview.named(cell),
            Names::Values => cell.short_label.clone(),
            Names::Ranks => format!("no. {}", rank + 1),
        },
    }
}

/// What lines are called.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Names {
    /// `learning_rate 0.1`.
    Settings,
    /// `0.1 · 32`.
    Values,
    /// `no. 1`.
    Ranks,
}

fn names(overview: &Overview<'_>) -> Names {
    let cells = &overview.cells[..overview.cells.len().min(N_NAMED)];
    let fits = |name: &str| name.chars().count() <= N_NAME_CHARACTERS;
    if cells.iter().all(|cell| fits(&overview.named(cell))) {
        Names::Settings
    } else if cells.iter().all(|cell| fits(&cell.short_label)) {
        Names::Values
    } else {
        Names::Ranks
    }
}

/// The settings that names of lines give the values of.
pub(crate) fn keys(overview: &Overview<'_>) -> String {
    let keys: Vec<&str> = overview.varied.iter().map(|key| key.title.as_str()).collect();
    keys.join(" · ")
}

fn draw(
    overview: &Overview<'_>,
    series: Vec<Series>,
    title: String,
    measures: &str,
    y: Axis,
    levels: Vec<chart::Level>,
) -> String {
    let epochs = series.iter().flat_map(|series| series.points.iter().map(|&(epoch, _)| epoch as usize));
    let named: Vec<&str> =
        series.iter().rev().map(|series| series.name.as_str()).filter(|name| !name.is_empty()).collect();
    let which = if overview.best.is_some() { "the best" } else { "those with names" };
    let description =
        format!("{measures}, by epoch, of {} configurations; {which}: {}.", overview.cells.len(), named.join("; "));
    chart::draw(&Chart {
        title,
        subtitle: match names(overview) {
            Names::Values => format!("{measures}; {}", keys(overview)),
            _ => measures.to_owned(),
        },
        description,
        x_name: "epoch".to_owned(),
        x: epoch_axis(epochs.collect::<Vec<_>>().into_iter()),
        y,
        levels,
        series,
        dots: Vec::new(),
        height: 340.0,
    })
}
