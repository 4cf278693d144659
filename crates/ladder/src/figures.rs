//! The learning curves of the rungs.

use mlp_report::chart::{self, Axis, Chart, Series};
use mlp_report::palette::SERIES;

use crate::findings::{Findings, TrialFinding};
use crate::rungs::{Outputs, RUNGS, Rung};

/// Errors above so many times the largest one at the end are not drawn: the curves differ below.
const HIGHEST: f64 = 4.0;
/// In pixels.
const HEIGHT: f64 = 380.0;

/// The test error of each rung with `outputs`, epoch by epoch: the mean of its seeds with a band from the lowest to the highest.
/// Epochs are a share of the rung's, since some rungs have many more than others.
pub(crate) fn learning_curves(findings: &Findings, outputs: Outputs) -> Option<String> {
    let rungs: Vec<&Rung> = RUNGS.iter().filter(|rung| rung.outputs == outputs && !rung.is_committee).collect();
    let last = rungs.iter().flat_map(|rung| findings.sweep(rung.sweep.name)).map(TrialFinding::error);
    let (_, largest) = chart::range(last)?;
    let highest = (HIGHEST * largest).min(100.0);
    let series: Vec<Series> = rungs
        .iter()
        .zip(SERIES)
        .filter_map(|(rung, color)| {
            let (points, band) = curve(&findings.sweep(rung.sweep.name), highest)?;
            Some(Series { band, ..Series::line(short_name(rung), color, points) })
        })
        .collect();
    Some(chart::draw(&Chart {
        title: format!("Test error, {outputs} outputs"),
        subtitle: "% of the test images; bands: lowest to highest seed".to_owned(),
        description: "The error falls with the epochs, to lower values where images are deformed.".to_owned(),
        x_name: "share of the epochs, in percent".to_owned(),
        x: Axis::percent(0.0, 100.0),
        y: Axis::linear(0.0, highest, 8),
        levels: Vec::new(),
        series,
        dots: Vec::new(),
        height: HEIGHT,
    }))
}

type Curve = (Vec<(f64, f64)>, Vec<(f64, f64, f64)>);

fn curve(trials: &[&TrialFinding], highest: f64) -> Option<Curve> {
    let n_epochs = trials.iter().map(|trial| trial.n_epochs()).min()?;
    let (mut points, mut band) = (Vec::new(), Vec::new());
    for epoch in 1..=n_epochs {
        let errors: Vec<f64> = trials.iter().map(|trial| trial.errors[epoch]).collect();
        let (low, high) = chart::range(errors.iter().copied())?;
        // Above the axis there is a gap.
        if high <= highest {
            let place = 100.0 * epoch as f64 / n_epochs as f64;
            points.push((place, errors.iter().sum::<f64>() / errors.len() as f64));
            band.push((place, low, high));
        }
    }
    Some((points, band))
}

fn short_name(rung: &Rung) -> &'static str {
    rung.sweep.name.trim_start_matches("climb-").trim_end_matches("-ascii")
}
