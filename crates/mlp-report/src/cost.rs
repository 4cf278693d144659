//! What a score costs: the mean score of each configuration against the seconds of one of its trials.

use mlp_results::interval::range;
use mlp_results::{Cell, Overview, text};

use crate::chart::{self, Axis, Chart, Dot, Series};
use crate::hint;
use crate::palette;
use crate::score_axis::{off_scale, score_axis, with_note};
use crate::score_scale::ScoreScale;

/// How many dots are drawn at most; of more, an even selection.
const N_DOTS: usize = 600;
/// From this ratio on the seconds stand on a logarithmic axis.
const RATIO_LOGARITHMIC: f64 = 8.0;

/// The configurations that no other beats in both score and seconds, the quickest first, by their rank; those of which more trials
/// diverged or failed than of others are not among them, as their scores are those of the luckier seeds.
pub(crate) fn front(overview: &Overview<'_>) -> Vec<usize> {
    let least = costed(overview).map(|(_, cell, _, _)| cell.n_lost()).min().unwrap_or(0);
    let mut costed: Vec<(usize, f64, f64)> = costed(overview)
        .filter(|(_, cell, _, _)| cell.n_lost() == least)
        .map(|(rank, _, seconds, mean)| (rank, seconds, mean))
        .collect();
    costed.sort_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0)));
    let mut best: Option<f64> = None;
    let mut front = Vec::new();
    for (rank, _, mean) in costed {
        if best.is_none_or(|best| overview.metric.is_better(mean, best)) {
            best = Some(mean);
            front.push(rank);
        }
    }
    front
}

fn costed<'o, 'a>(overview: &'o Overview<'a>) -> impl Iterator<Item = (usize, &'o Cell<'a>, f64, f64)> {
    overview.cells.iter().enumerate().filter_map(|(rank, cell)| Some((rank, cell, cell.seconds()?, cell.mean()?)))
}

/// Score against seconds as an SVG document; nothing where fewer than two configurations have both.
pub fn cost(overview: &Overview<'_>) -> Option<String> {
    let metric = overview.metric;
    let all: Vec<(usize, &Cell<'_>, f64, f64)> = costed(overview).collect();
    let (first, last) = range(all.iter().map(|point| point.2)).filter(|_| all.len() > 1)?;
    let means: Vec<f64> = all.iter().map(|point| point.3).collect();
    let (low, high) = ScoreScale::of_axis(overview, &means)?.ends(overview);
    let y = score_axis(overview, low, high);
    let n_beyond = off_scale(&y, means.iter().map(|&mean| metric.on_axis(mean)));
    let x = if last / first >= RATIO_LOGARITHMIC {
        let powers = first.log10().floor() as i32..=last.log10().ceil() as i32;
        let steps = powers.flat_map(|power| [1.0, 2.0, 5.0].map(|factor| factor * 10f64.powi(power)));
        let mut axis = Axis::ratios(&[first, last], vec![String::new(); 2]);
        axis.ticks = steps
            .filter(|step| (axis.low..=axis.high).contains(step))
            .map(|step| (step, text::rounded(step)))
            .collect();
        axis
    } else {
        Axis::linear(first * 0.95, last * 1.05, 6)
    };
    let front = front(overview).into_iter().filter_map(|rank| {
        let cell = &overview.cells[rank];
        let point = (cell.seconds()?, metric.on_axis(cell.mean()?));
        Some((point, format!("{}, {}", hint::configuration(overview, rank, cell), text::duration(point.0))))
    });
    let (best, hints): (Vec<(f64, f64)>, Vec<String>) = front.unzip();
    let step = all.len().div_ceil(N_DOTS).max(1);
    let dot = |&(rank, cell, seconds, mean): &(usize, &Cell<'_>, f64, f64)| Dot {
        hint: format!("{}, {}", hint::configuration(overview, rank, cell), text::duration(seconds)),
        ..Dot::new((seconds, metric.on_axis(mean)), palette::MUTED)
    };
    Some(chart::draw(&Chart {
        title: format!("{} against seconds", metric.title()),
        subtitle: with_note(metric.measures(), n_beyond, "configuration"),
        description: format!(
            "{} configurations; {} of them are beaten by no other in both score and seconds.",
            all.len(),
            best.len()
        ),
        x_name: "seconds for one trial, training and measuring".to_owned(),
        x,
        y,
        levels: Vec::new(),
        series: vec![Series { has_dots: true, hints, ..Series::line("", palette::BLUE, best) }],
        dots: all.iter().step_by(step).map(dot).collect(),
        height: 320.0,
    }))
}
