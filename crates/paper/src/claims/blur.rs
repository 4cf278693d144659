//! Claim 5: deeper networks are more robust to blur.

use std::fmt::Write as _;

use mlp_report::chart::{self, Axis, Chart, Level, Series};
use mlp_report::palette::{self, Color, SERIES};
use mlp_results::text::counted;

use super::{SEVEN, THREE, hidden_name};
use crate::answers::CLEAN;
use crate::blur::{BLURS, blur_name};
use crate::claim::Claim;
use crate::comparison::{Comparison, ComparisonSetup, Measure, Side};
use crate::evidence::Evidence;
use crate::figures::{FIGURE_HEIGHT, Figure, PERCENT, rounded};
use crate::findings::{Findings, Robustness};
use crate::row::Row;
use crate::selection::Selection;
use crate::statistics::Verdict;
use crate::statistics::basics::mean;
use crate::studies;
use crate::study::Study;
use crate::thresholds::WORKING;

pub(super) struct Blur;

impl Claim for Blur {
    fn number(&self) -> u8 {
        5
    }

    fn title(&self) -> &'static str {
        "Deeper nets are more robust to blur (seven against three)"
    }

    fn paper_says(&self) -> &'static str {
        "The more hidden layers a net has, the less it suffers from Gaussian blur of its input."
    }

    fn studies(&self) -> Vec<&'static Study> {
        vec![&studies::DEPTH]
    }

    fn comparisons<'a>(&self, rows: &'a [Row]) -> Vec<Comparison<'a>> {
        let repaired = Selection::of(rows, "depth");
        let working = |hidden: &[usize]| {
            let best = Side::best_rate(&hidden_name(hidden), &repaired.with("hidden", hidden));
            best.filter(|row| row.accuracy() > WORKING)
        };
        let comparison = |measure: Measure, text: &str, left: &[usize], right: &[usize]| {
            Comparison::new(ComparisonSetup::Repaired, text, working(left), working(right)).by(measure)
        };
        vec![
            comparison(
                Measure::Retention,
                "of its digits above chance, seven hidden layers keep a larger share than three",
                &SEVEN,
                &THREE,
            ),
            comparison(
                Measure::Retention,
                "of its digits above chance, three hidden layers keep a larger share than one",
                &THREE,
                &THREE[..1],
            ),
            comparison(
                Measure::Blurred,
                "seven hidden layers get more blurred digits right than three, mean over all strengths",
                &SEVEN,
                &THREE,
            )
            .deciding(),
            comparison(
                Measure::Blurred,
                "three hidden layers get more blurred digits right than one, mean over all strengths",
                &THREE,
                &THREE[..1],
            ),
        ]
    }

    fn blurred<'a>(&self, rows: &'a [Row]) -> Vec<&'a Row> {
        working_networks(rows).into_iter().map(|(_, row)| row).collect()
    }

    fn add_findings(&self, evidence: &Evidence<'_>, findings: &mut Findings) {
        findings.robustness = robustness(evidence);
    }

    fn undecided_because(&self) -> &'static str {
        // Robustness is compared among networks that work.
        "no net works"
    }

    fn setup(&self, _: &Findings) -> String {
        "The nets of claim 1, each depth at the learning rate that is best on validation images, on blurred test images, without any \
         further training. Only nets that get over 90 % of the clean digits right count: a net with one answer for everything is \
         perfectly robust. No net in the paper's setup does, so none can be compared."
            .to_owned()
    }

    fn why(&self, findings: &Findings) -> String {
        let outcome = match findings.verdict(self.number(), ComparisonSetup::Repaired) {
            Some(Verdict::Confirmed) => "Seven layers keep more digits under blur than three.",
            Some(Verdict::Refuted) => "Seven layers do not keep more digits under blur than three.",
            _ => "Whether seven layers keep more digits under blur than three is not settled by these nets.",
        };
        let by_depth = accuracy_by_depth(findings);
        format!(
            "*Why.* {outcome} Hidden layers, and digits right under blur as a mean over all strengths: {by_depth}. Why a first few \
             layers should help is not tested here: blur takes away the fine strokes that nets tell digits by and spreads the ink, \
             and no net has seen a blurred image. A fixed kernel of 5 × 5 pixels cannot blur more than the mean over its area does, \
             a standard deviation of 1.4 pixels, whatever σ is asked for."
        )
    }

    fn figures(&self, findings: &Findings) -> Vec<Figure> {
        [
            BlurFigure { is_fixed: false, is_retention: false },
            BlurFigure { is_fixed: false, is_retention: true },
            BlurFigure { is_fixed: true, is_retention: false },
        ]
        .map(|figure| figure.draw(findings))
        .into()
    }
}

/// The networks whose robustness is drawn, with the names of their layers: of each depth those with the rate that is best on
/// validation images, as far as they work.
fn working_networks(rows: &[Row]) -> Vec<(String, &Row)> {
    let all = Selection::of(rows, "depth");
    (1..=SEVEN.len())
        .filter_map(|depth| {
            let hidden = &SEVEN[..depth];
            let (_, rows) = all.with("hidden", hidden).best("learning_rate")?;
            let working = rows.filter(|row| row.accuracy() > WORKING);
            Some(working.rows.into_iter().map(|row| (hidden_name(hidden), row)).collect::<Vec<_>>())
        })
        .flatten()
        .collect()
}

fn robustness(evidence: &Evidence<'_>) -> Vec<Robustness> {
    let mut all = Vec::new();
    for (hidden, row) in working_networks(evidence.rows) {
        let Some(answers) = evidence.answers.get(&row.trial) else { continue };
        for is_fixed in [false, true] {
            let blurs = BLURS.iter().map(|&sigma| (sigma, blur_name(sigma, is_fixed)));
            let sets = [(0.0, CLEAN.to_owned())].into_iter().chain(blurs);
            let point = |(sigma, set)| Some((sigma, evidence.share_right(&answers.sets.get(&set)?.threshold)));
            all.push(Robustness {
                hidden: hidden.clone(),
                trial: row.trial.clone(),
                seed: row.seed,
                is_fixed,
                points: sets.filter_map(point).collect(),
            });
        }
    }
    all
}

/// `1: 58.1 %, 2: 60.2 %`: the mean over the seeds of the mean over the strengths.
fn accuracy_by_depth(findings: &Findings) -> String {
    let under_blur =
        |curve: &Robustness| mean(&curve.points[1..].iter().map(|(_, share)| 100.0 * share).collect::<Vec<_>>());
    let shown = |depth: usize| {
        let hidden = hidden_name(&SEVEN[..depth]);
        let curves = findings.robustness.iter().filter(|curve| curve.hidden == hidden && !curve.is_fixed);
        let means: Vec<f64> = curves.map(under_blur).collect();
        (!means.is_empty()).then(|| format!("{depth}: {:.1} %", mean(&means)))
    };
    (1..=SEVEN.len()).filter_map(shown).collect::<Vec<_>>().join(", ")
}

/// Accuracy, or what is left of it, against the blur.
#[derive(Clone, Copy)]
struct BlurFigure {
    is_fixed: bool,
    is_retention: bool,
}

impl BlurFigure {
    fn draw(self, findings: &Findings) -> Figure {
        let chance = findings.majority();
        let mut csv = String::from("hidden,seed,sigma,value\n");
        let series = self.lines(findings, chance, &mut csv);
        let kernel = if self.is_fixed { "kernel of 5 × 5" } else { "kernel as wide as the blur" };
        let (title, subtitle, what, measure) = if self.is_retention {
            let subtitle = "(accuracy − chance) / (clean − chance)".to_owned();
            ("What is kept under blur", subtitle, "retention", "Retention")
        } else {
            ("Accuracy under blur", format!("test digits right; {kernel}"), "accuracy", "Test accuracy")
        };
        let y = if self.is_retention { Axis::linear(0.0, 1.0, 5) } else { Axis::percent(0.0, PERCENT) };
        let level = Level { name: "answer '1'".to_owned(), value: PERCENT * chance };
        Figure {
            name: format!("blur-{what}{}", if self.is_fixed { "-fixed-kernel" } else { "" }),
            svg: chart::draw(&Chart {
                title: title.to_owned(),
                subtitle,
                description: format!("{what} against the standard deviation of the blur, by depth."),
                x_name: "standard deviation of the blur, in pixels (0: clean)".to_owned(),
                x: Axis::linear(0.0, 6.0, 6),
                y,
                levels: if self.is_retention { Vec::new() } else { vec![level] },
                series,
                dots: Vec::new(),
                height: FIGURE_HEIGHT,
            }),
            csv,
            caption: format!(
                "{measure} of nets with one, three, five and seven hidden layers that get over 90 % of the clean digits right; \
                 bands from the lowest seed to the highest; {kernel}. The numbers have all seven depths."
            ),
        }
    }

    /// A line for each odd depth; the numbers of all depths go into `csv`.
    fn lines(self, findings: &Findings, chance: f64, csv: &mut String) -> Vec<Series> {
        let mut names: Vec<&str> = findings.robustness.iter().map(|curve| curve.hidden.as_str()).collect();
        names.dedup();
        let mut lines = Vec::new();
        for (hidden, color) in names.into_iter().zip(SERIES.iter().chain([&palette::INK])) {
            let is_own = |curve: &&Robustness| curve.hidden == hidden && curve.is_fixed == self.is_fixed;
            let curves: Vec<&Robustness> = findings.robustness.iter().filter(is_own).collect();
            let depth = hidden.split('-').count();
            let line = self.line(&curves, counted(depth, "layer"), *color, chance, csv);
            // All seven would hide each other; the numbers have them.
            if depth % 2 == 1 {
                lines.push(line);
            }
        }
        lines
    }

    fn line(self, curves: &[&Robustness], name: String, color: Color, chance: f64, csv: &mut String) -> Series {
        let mut line = Series::line(name, color, Vec::new());
        let n_points = curves.iter().map(|curve| curve.points.len()).min().unwrap_or(0);
        for point in 0..n_points {
            let sigma = curves[0].points[point].0;
            let values: Vec<f64> = curves.iter().map(|curve| self.value(curve, point, chance)).collect();
            for (curve, value) in curves.iter().zip(&values) {
                let _ = writeln!(csv, "{},{},{sigma},{}", curve.hidden, curve.seed, rounded(*value));
            }
            line.points.push((sigma, mean(&values)));
            line.band.extend(chart::range(values).map(|(low, high)| (sigma, low, high)));
        }
        line
    }

    fn value(self, curve: &Robustness, point: usize, chance: f64) -> f64 {
        let (clean, now) = (curve.points[0].1, curve.points[point].1);
        if self.is_retention { (now - chance) / (clean - chance) } else { PERCENT * now }
    }
}
