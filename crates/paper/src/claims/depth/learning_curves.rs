//! The paper's figures on their axes, with the errors of constant answers.

use std::fmt::Write as _;

use mlp_report::chart::{self, Axis, Chart, Level, Series};
use mlp_report::palette::{self, Color};
use mlp_train::EpochMetrics;

use crate::claims::wording;
use crate::figures::{FIGURE_HEIGHT, Figure};
use crate::findings::Findings;
use crate::selection::Selection;
use crate::statistics::basics::mean;

/// One of the paper's figures.
#[derive(Clone, Copy)]
struct PaperFigure {
    number: &'static str,
    sweep: &'static str,
    loss: &'static str,
}

const PAPER_FIGURES: [PaperFigure; 3] = [
    PaperFigure { number: "1.1", sweep: "figures-17000", loss: "rmse" },
    PaperFigure { number: "1.2", sweep: "figures-17000", loss: "absolute" },
    PaperFigure { number: "1.3", sweep: "figures-40000", loss: "absolute" },
];

pub(super) fn figures(findings: &Findings) -> Vec<Figure> {
    PAPER_FIGURES.iter().map(|figure| figure.draw(findings)).collect()
}

/// What an error is after each epoch, one curve for each seed.
struct Curves {
    reduction: String,
    set: &'static str,
    by_seed: Vec<(u64, Vec<f64>)>,
}

impl PaperFigure {
    fn is_rmse(self) -> bool {
        self.loss == "rmse"
    }

    fn error(self, metrics: &EpochMetrics) -> f64 {
        if self.is_rmse() { metrics.rmse } else { metrics.mae }
    }

    fn draw(self, findings: &Findings) -> Figure {
        let rows = findings.sweep(self.sweep).with("loss", self.loss);
        let mut series = Vec::new();
        let mut csv = String::from("reduction,set,seed,epoch,error\n");
        for (reduction, color) in rows.values("reduction").iter().zip([palette::BLUE, palette::VERMILION]) {
            let reduced = rows.with("reduction", reduction);
            for (set, color) in [("training", palette::CONTEXT), ("test", color)] {
                let curves = self.curves(&reduced, reduction.as_str().unwrap_or_default(), set);
                curves.write_csv(&mut csv);
                series.push(curves.series(color));
            }
        }
        let last = series.iter().flat_map(|series| &series.points).map(|point| point.0).fold(1.0, f64::max);
        let measure = if self.is_rmse() { "root-mean-square error of a bit" } else { "mean absolute error of a bit" };
        let number = self.number;
        Figure {
            name: format!("figure-{}", number.replace('.', "-")),
            svg: chart::draw(&Chart {
                title: format!("Fig. {number}, replica"),
                subtitle: format!("{measure}; {} training images", rows.n_train()),
                description: format!("{measure} against the epoch, with the levels of constant answers."),
                x_name: "epoch".to_owned(),
                x: Axis::counts(0.0, last),
                y: Axis::linear(0.0, 0.7, 7),
                levels: self.levels(&rows, findings),
                series,
                dots: Vec::new(),
                height: FIGURE_HEIGHT,
            }),
            csv,
            caption: format!(
                "Fig. {number} of the paper, run again ({seeds}; bands from the lowest to the highest; grey, mostly covered: \
                 training images; \"mean\" and \"sum\": the loss of an image over its bits). Dashed: what a net reaches that gives \
                 the same answer to every image.",
                seeds = wording::seeds(&rows)
            ),
        }
    }

    fn curves(self, rows: &Selection<'_>, reduction: &str, set: &'static str) -> Curves {
        let curve = |(train, test): &(EpochMetrics, EpochMetrics)| self.error(if set == "test" { test } else { train });
        let by_seed = rows.by_seed().into_iter().map(|(seed, row)| (seed, row.curve.iter().map(curve).collect()));
        Curves { reduction: reduction.to_owned(), set, by_seed: by_seed.collect() }
    }

    /// The errors of constant answers to the images that the networks were measured on.
    fn levels(self, rows: &Selection<'_>, findings: &Findings) -> Vec<Level> {
        let n_test = rows.rows.first().map_or(0, |row| row.n_test);
        let answers = findings.constant_of_fewer.get(&n_test).unwrap_or(&findings.constant).iter();
        answers
            .map(|answer| Level {
                name: answer.name.clone(),
                value: if self.is_rmse() { answer.rmse } else { answer.mae },
            })
            .collect()
    }
}

impl Curves {
    fn write_csv(&self, csv: &mut String) {
        for (seed, curve) in &self.by_seed {
            for (epoch, value) in curve.iter().enumerate() {
                let _ = writeln!(csv, "{},{},{seed},{epoch},{value}", self.reduction, self.set);
            }
        }
    }

    /// The mean of the seeds, with a band from the lowest to the highest.
    fn series(&self, color: Color) -> Series {
        let n_epochs = self.by_seed.iter().map(|(_, curve)| curve.len()).min().unwrap_or(0);
        let at = |epoch: usize| -> Vec<f64> { self.by_seed.iter().map(|(_, curve)| curve[epoch]).collect() };
        let points = (0..n_epochs).map(|epoch| (epoch as f64, mean(&at(epoch)))).collect();
        let name = if self.set == "test" { format!("{}, {}", self.set, self.reduction) } else { String::new() };
        let mut line = Series::line(name, color, points);
        line.band = (0..n_epochs)
            .filter_map(|epoch| chart::range(at(epoch)).map(|(low, high)| (epoch as f64, low, high)))
            .collect();
        line
    }
}
