//! Claim 4: the larger the training set, the smaller the best γ of the L2 penalty.

use std::fmt::Write as _;

use mlp_report::chart::{self, Axis, Chart, Level, Series};
use mlp_report::palette::SERIES;
use mlp_results::text::thousands;
use serde_json::Value;

use super::wording;
use crate::claim::Claim;
use crate::comparison::{Comparison, ComparisonSetup, Measure, Side, shown};
use crate::evidence::Evidence;
use crate::figures::{DotChart, Dots, FIGURE_HEIGHT, Figure, XAxis};
use crate::findings::{Findings, SideSummary, Statement};
use crate::row::Row;
use crate::selection::Selection;
use crate::slope::{BestDecay, Slope, slope};
use crate::statistics::Effect;
use crate::statistics::basics::mean;
use crate::studies;
use crate::study::Study;
use crate::thresholds::SMALLEST_SLOPE;

/// The largest γ that is drawn; larger ones would flatten all the rest.
const LARGEST_DRAWN: f64 = 1e-3;

pub(super) struct L2;

impl Claim for L2 {
    fn number(&self) -> u8 {
        4
    }

    fn title(&self) -> &'static str {
        "The larger the training set, the smaller the best γ"
    }

    fn paper_says(&self) -> &'static str {
        "The factor γ of the L2 penalty should be the smaller, the more training images there are."
    }

    fn studies(&self) -> Vec<&'static Study> {
        vec![&studies::REPLICA_L2, &studies::L2_EPOCHS, &studies::L2_UPDATES]
    }

    /// That a penalty does any good, at the smallest size of the training set. The slopes are no comparisons of networks.
    fn comparisons<'a>(&self, rows: &'a [Row]) -> Vec<Comparison<'a>> {
        let few = smallest_set(&Selection::of(rows, "l2-epochs"));
        let smallest = few.n_train();
        let replica = Selection::of(rows, "replica-l2");
        let largest = replica.sizes().last().copied().unwrap_or(0);
        vec![
            Comparison::new(
                ComparisonSetup::Repaired,
                format!(
                    "with {smallest} training images the γ above 0 with the least loss gets more digits right than γ = 0"
                ),
                Side::least_loss("γ", "l2", &few.filter(|row| row.number("l2") > 0.0)),
                Side::networks("γ = 0", few.with("l2", 0.0)),
            ),
            Comparison::new(
                ComparisonSetup::Replica,
                "the net gets more digits right than the answer '1' to every image, so that a best γ could exist",
                Side::least_loss("γ", "l2", &replica.filter(|row| row.n_train == largest)),
                Side::Constant('1'),
            )
            .deciding(),
        ]
    }

    fn add_findings(&self, evidence: &Evidence<'_>, findings: &mut Findings) {
        findings.slopes = slopes(evidence.rows);
        for (position, (name, slope)) in findings.slopes.iter().enumerate() {
            findings.statements.push(slope_statement(self.number(), position == 0, name, slope));
        }
    }

    fn setup(&self, findings: &Findings) -> String {
        let grid = findings.sweep("l2-epochs");
        let (tried, epochs, seeds) = (wording::values(&grid, "l2"), grid.first_number("epochs"), wording::seeds(&grid));
        let n_sizes = findings.slopes.first().map_or(0, |(_, slope)| slope.best.len());
        let replica_tried = wording::values(&findings.sweep("replica-l2"), "l2");
        format!(
            "γ from {tried} for {n_sizes} sizes of the training set, once with equal epochs ({epochs}), once with equal updates. \
             One hidden layer of 256 units, cross-entropy, η = 1, {seeds}. γ* is the γ above 0 with the least validation loss, \
             between the values tried by a parabola. Paper's setup, small: seven layers, γ from {replica_tried}."
        )
    }

    fn why(&self, findings: &Findings) -> String {
        let slopes = slopes_in_words(findings);
        let bound = bounds_in_words(findings);
        let (best, with, without) = cost_of_decay(findings);
        format!(
            "*Why.* Two reasons could make γ* fall as N grows. More images leave less to over-fit; and with equal epochs they also \
             bring more updates, each of which takes ηγ times the weight off. If it were the updates alone, γ* would not fall with \
             equal updates, where a large set is seen a few times and a small one many. Slopes of lg γ* against lg N: \
             {slopes}.{bound} How much it matters is another question: with the smallest set the best γ of those tried, {best}, \
             gets {with:.2} % of the test digits right, no penalty {without:.2} %."
        )
        .replace(": -", ": −")
        .replace("to -", "to −")
    }

    fn figures(&self, findings: &Findings) -> Vec<Figure> {
        [slope_figure(findings), loss_figure(findings)].into_iter().flatten().collect()
    }
}

/// Slopes of the best γ, with equal epochs first.
fn slopes(rows: &[Row]) -> Vec<(String, Slope)> {
    let with_prefix =
        |prefix: &str| Selection { rows: rows.iter().filter(|row| row.sweep.starts_with(prefix)).collect() };
    [("equal epochs", "l2-epochs"), ("equal updates", "l2-updates")]
        .into_iter()
        .filter_map(|(name, sweep)| Some((name.to_owned(), slope(&with_prefix(sweep))?)))
        .collect()
}

fn slope_statement(claim: u8, is_deciding: bool, name: &str, slope: &Slope) -> Statement {
    let side = |best: &BestDecay| SideSummary {
        label: format!("γ* at {} images", best.n_train),
        mean: best.decay,
        n_seeds: slope.slope.n_seeds,
        n_trained: slope.slope.n_seeds,
        trials: Vec::new(),
    };
    Statement {
        claim,
        setup: ComparisonSetup::Repaired,
        is_deciding,
        text: format!("{name}: lg γ* falls as lg N grows"),
        left: side(&slope.best[slope.best.len() - 1]),
        right: side(&slope.best[0]),
        measure: Measure::Slope,
        threshold: SMALLEST_SLOPE,
        says_nothing: false,
        effect: Effect { estimate: -slope.slope.estimate, ..slope.slope },
    }
}

fn smallest_set<'a>(rows: &Selection<'a>) -> Selection<'a> {
    let smallest = rows.sizes().first().copied().unwrap_or(0);
    rows.filter(|row| row.n_train == smallest)
}

fn slopes_in_words(findings: &Findings) -> String {
    let shown = |(name, slope): &(String, Slope)| {
        let (low, high) = slope.slope.interval(0.95);
        format!("{name}: {:.2} (95 %: {low:.2} to {high:.2})", slope.slope.estimate)
    };
    findings.slopes.iter().map(shown).collect::<Vec<_>>().join("; ")
}

/// Where γ* may lie beyond what was tried; empty if nowhere.
fn bounds_in_words(findings: &Findings) -> String {
    let tried = findings.sweep("l2-epochs").values("l2");
    let tried: Vec<f64> = tried.iter().filter_map(Value::as_f64).filter(|decay| *decay > 0.0).collect();
    let lowest = tried.iter().copied().fold(f64::INFINITY, f64::min);
    let highest = tried.iter().copied().fold(0.0, f64::max);
    let is_end = |best: &&BestDecay| best.decay <= lowest * 1.01 || best.decay >= highest / 1.01;
    let ends = findings.slopes.iter().flat_map(|(name, slope)| {
        let ends = slope.best.iter().filter(is_end);
        ends.map(move |best| format!("{name}, {} images", thousands(best.n_train as u64)))
    });
    let ends = ends.collect::<Vec<_>>().join("; ");
    if ends.is_empty() {
        return ends;
    }
    format!(
        " Where γ* is the first or the last of the values that were tried ({ends}), it lies there or beyond, and the slope does \
         without it."
    )
}

/// The γ above 0 of least validation loss, the share of test digits in per cent with it, and that without a penalty: smallest
/// set, equal epochs.
fn cost_of_decay(findings: &Findings) -> (String, f64, f64) {
    let few = smallest_set(&findings.sweep("l2-epochs"));
    let percent = |rows: &Selection<'_>| 100.0 * rows.mean(Row::accuracy);
    let best = few.filter(|row| row.number("l2") > 0.0).best_by_loss("l2");
    let without = percent(&few.with("l2", 0.0));
    best.map_or((String::new(), f64::NAN, without), |(value, rows)| (shown(&value), percent(&rows), without))
}

/// γ* against N.
fn slope_figure(findings: &Findings) -> Option<Figure> {
    let all = || findings.slopes.iter().flat_map(|(_, slope)| &slope.best);
    let mut sizes: Vec<f64> = all().map(|best| best.n_train as f64).collect();
    if sizes.is_empty() {
        return None;
    }
    sizes.sort_by(f64::total_cmp);
    sizes.dedup();
    let (lowest, highest) =
        all().fold((f64::INFINITY, 0_f64), |(low, high), best| (low.min(best.low), high.max(best.high)));
    let lines = findings.slopes.iter().zip(SERIES).map(|((name, slope), color)| {
        let mut line = Series::line(name.clone(), color, Vec::new());
        line.has_dots = true;
        for (best, is_bound) in slope.best.iter().zip(&slope.is_bound) {
            add_point(&mut line, best, *is_bound);
        }
        line
    });
    Some(Figure {
        name: "l2-slope".to_owned(),
        svg: chart::draw(&Chart {
            title: "The best γ against the training set".to_owned(),
            subtitle: "γ with the least validation loss".to_owned(),
            description: "The best γ against the number of training images, on logarithmic axes.".to_owned(),
            x_name: "training images N".to_owned(),
            x: Axis::ratios(&sizes, sizes.iter().map(f64::to_string).collect()),
            y: powers_of_ten(lowest, highest),
            levels: Vec::new(),
            series: lines.collect(),
            dots: Vec::new(),
            height: FIGURE_HEIGHT,
        }),
        csv: slopes_csv(findings),
        caption: "The γ above 0 with the least validation loss, for each number of training images; bars hold 95 % of the draws of \
                  the bootstrap over seeds. A point that no line joins is the first or last γ that was tried: γ* lies there or \
                  beyond. A straight line that falls by one decade for each decade of N would be γ* ~ 1/N."
            .to_owned(),
    })
}

/// A point with its bar; if it is a bound, nothing joins it to the others: the slope does without it.
fn add_point(line: &mut Series, best: &BestDecay, is_bound: bool) {
    let x = best.n_train as f64;
    if is_bound {
        line.points.extend([(x, f64::NAN), (x, best.decay), (x, f64::NAN)]);
    } else {
        line.points.push((x, best.decay));
        line.bars.push((x, best.low, best.high));
    }
}

fn slopes_csv(findings: &Findings) -> String {
    let mut csv = String::from("comparison,n_train,best_l2,low,high,is_bound\n");
    for (name, slope) in &findings.slopes {
        for (BestDecay { n_train, decay, low, high }, is_bound) in slope.best.iter().zip(&slope.is_bound) {
            let _ = writeln!(csv, "{name},{n_train},{decay},{low},{high},{is_bound}");
        }
    }
    csv
}

/// An axis from the power of ten below the lowest value to the one above the highest.
fn powers_of_ten(lowest: f64, highest: f64) -> Axis {
    let exponents = lowest.log10().floor() as i32..=highest.log10().ceil() as i32;
    Axis::ratios(
        &exponents.clone().map(|exponent| 10_f64.powi(exponent)).collect::<Vec<_>>(),
        exponents.map(|exponent| format!("1e{exponent}")).collect(),
    )
}

fn validation_loss(row: &Row) -> f64 {
    row.validation.as_ref().map_or(f64::NAN, |validation| validation.loss)
}

/// What γ does to the validation loss for every size of the training set, with equal epochs.
fn loss_figure(findings: &Findings) -> Option<Figure> {
    let rows = findings.sweep("l2-epochs");
    let decays = rows.values("l2");
    let is_drawn = |decay: &f64| (f64::MIN_POSITIVE..=LARGEST_DRAWN).contains(decay);
    let decays: Vec<f64> = decays.iter().filter_map(Value::as_f64).filter(is_drawn).collect();
    if decays.is_empty() {
        return None;
    }
    let sizes = rows.sizes();
    let lines = sizes.iter().zip(SERIES).map(|(&size, color)| {
        let own = rows.filter(|row| row.n_train == size);
        let points = decays.iter().map(|&decay| (decay, gains(&own, decay))).collect();
        Dots { label: format!("N = {size}"), color, points }
    });
    let groups: Vec<Dots> = lines.collect();
    DotChart {
        name: "l2-loss",
        title: "L2 with equal epochs",
        subtitle: "loss on validation images, less that with γ = 0",
        x: XAxis::ratios("γ", &decays, decays.iter().map(|decay| format!("{decay:e}")).collect()),
        y: tenths_around(&groups),
        levels: vec![Level { name: "no penalty".to_owned(), value: 0.0 }],
        groups,
        caption: "What the penalty does to the loss on validation images, against γ, one line for each number of training images; \
                  bars are 95 % intervals over the seeds. γ* is where a line is lowest.",
    }
    .draw()
}

/// By seed, how much the validation loss with this γ is above that with none.
fn gains(rows: &Selection<'_>, decay: f64) -> Vec<f64> {
    let (with, without) = (rows.with("l2", decay).by_seed(), rows.with("l2", 0.0).by_seed());
    with.iter().filter_map(|(seed, row)| Some(validation_loss(row) - validation_loss(without.get(seed)?))).collect()
}

/// An axis over 0 and all means, in tenths.
fn tenths_around(groups: &[Dots]) -> Axis {
    let means = groups.iter().flat_map(|dots| &dots.points).map(|(_, values)| mean(values));
    let (low, high) = chart::range(means.filter(|loss| loss.is_finite())).unwrap_or((0.0, 0.0));
    let (low, high) = ((low.min(0.0) * 10.0).floor() / 10.0, ((high.max(0.0) * 10.0).ceil() / 10.0).max(0.1));
    Axis::linear(low, high, (((high - low) * 10.0).round() as usize).clamp(1, 8))
}
