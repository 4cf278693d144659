//! What a score costs: the mean score of each configuration against the seconds of one of its trials.

use mlp_results::interval::range;
use mlp_results::{Cell, Overview, text};

use crate::chart::{self, Axis, Chart, Series};
use crate::palette;
use crate::score_axis::score_axis;

/// How many dots are drawn at most; of more, an even selection.
const N_DOTS: usize = 600;
/// From this ratio on the seconds stand on a logarithmic axis.
const RATIO_LOGARITHMIC: f64 = 8.0;

/// The configurations that no other beats in both score and seconds, the quickest first, by their rank.
pub(crate) fn front(overview: &Overview<'_>) -> Vec<usize> {
    let mut costed: Vec<(usize, f64, f64)> =
        costed(overview).map(|(rank, _, seconds, mean)| (rank, seconds, mean)).collect();
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
    let all: Vec<(f64, f64)> = costed(overview).map(|(_, _, seconds, mean)| (seconds, metric.on_axis(mean))).collect();
    let (first, last) = range(all.iter().map(|point| point.0)).filter(|_| all.len() > 1)?;
    let (low, high) = range(all.iter().map(|point| point.1))?;
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
    let best: Vec<(f64, f64)> = front(overview)
        .into_iter()
        .filter_map(|rank| {
            let cell = &overview.cells[rank];
            Some((cell.seconds()?, metric.on_axis(cell.mean()?)))
        })
        .collect();
    let step = all.len().div_ceil(N_DOTS).max(1);
    Some(chart::draw(&Chart {
        title: format!("{} against seconds", metric.title()),
        subtitle: metric.measures().to_owned(),
        description: format!(
            "{} configurations; {} of them are beaten by no other in both score and seconds.",
            all.len(),
            best.len()
        ),
        x_name: "seconds for one trial, training and measuring".to_owned(),
        x,
        y: score_axis(overview, low, high),
        levels: Vec::new(),
        series: vec![Series { has_dots: true, ..Series::line("", palette::BLUE, best) }],
        dots: all.into_iter().step_by(step).map(|(x, y)| (x, y, palette::MUTED)).collect(),
        height: 320.0,
    }))
}
