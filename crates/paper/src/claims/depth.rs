//! Claim 1: more hidden layers train better.

mod first_weights;
mod learning_curves;

use std::fmt::Write as _;

use mlp_report::chart::{Axis, Level};
use mlp_report::diagnosis::{Quantity, diagnosis_map_titled};
use mlp_report::palette;
use mlp_results::RunFolder;
use mlp_train::Diagnosis;
use serde_json::Value;

use super::{SEVEN, THREE, hidden_name, wording};
use crate::amounts::share;
use crate::claim::Claim;
use crate::comparison::{Comparison, ComparisonSetup, Side};
use crate::evidence::Evidence;
use crate::figures::{DotChart, Dots, Figure, PERCENT, XAxis, percent_around};
use crate::findings::Findings;
use crate::row::Row;
use crate::selection::Selection;
use crate::studies;
use crate::study::Study;
use crate::thresholds::TRAINED;

/// Three layers and one of 8 units, with which the paper's seven end.
const NARROWED: [usize; 4] = [512, 256, 128, 8];
/// Seven layers of which the last has 128 units, with which the paper's three end.
const WIDENED: [usize; 7] = [512, 256, 128, 64, 32, 16, 128];
/// The beginning of the names of sweeps whose trials were examined.
const EXAMINED: &str = "doctor";

pub(super) struct Depth;

impl Claim for Depth {
    fn number(&self) -> u8 {
        1
    }

    fn title(&self) -> &'static str {
        "More hidden layers train better (seven against three)"
    }

    fn paper_says(&self) -> &'static str {
        "With three hidden layers the error hardly changed during training; with seven it fell."
    }

    fn studies(&self) -> Vec<&'static Study> {
        vec![
            &studies::FIGURES_17000,
            &studies::FIGURES_40000,
            &studies::REPLICA_DEPTH,
            &studies::REPLICA_PRINTED,
            &studies::DIAGNOSED_REPLICA,
            &studies::DIAGNOSED,
            &studies::DEPTH,
            &studies::DEPTH_GLOROT,
            &studies::PHASES,
            &studies::LADDER,
        ]
    }

    fn comparisons<'a>(&self, rows: &'a [Row]) -> Vec<Comparison<'a>> {
        let mut comparisons = in_the_papers_setup(rows);
        comparisons.extend(repaired(rows));
        comparisons
    }

    fn add_findings(&self, evidence: &Evidence<'_>, findings: &mut Findings) {
        findings.diagnoses = diagnoses(evidence);
    }

    fn setup(&self, findings: &Findings) -> String {
        let replica = findings.sweep("replica-depth");
        let (n_train, epochs, seeds) = (replica.n_train(), replica.first_number("epochs"), wording::seeds(&replica));
        let depth = findings.sweep("depth");
        let (repaired, rates) = (wording::repaired_setup(&depth), wording::values(&depth, "learning_rate"));
        let glorot_seeds = wording::seeds(&findings.sweep("depth-glorot"));
        let n_first_weights = findings.sweep("phases").values("initializer").len();
        format!(
            "The paper's figures; then one to seven of its hidden layers, and two nets whose last widths are exchanged: the three \
             layers with one of 8 units added, the seven with 128 units in the last; and the update that the paper prints. \
             Paper's setup: {n_train} images, {epochs} epochs, absolute error, η = 1, {seeds}. Repaired: {repaired}, learning \
             rates {rates}; and the same with plain Glorot weights ({glorot_seeds}). Last, where the weights begin: \
             {n_first_weights} pairs of offset and half-width."
        )
    }

    fn why(&self, findings: &Findings) -> String {
        let replica = findings.sweep("replica-depth");
        let error = |hidden: &[usize]| format!("{:.4}", replica.with("hidden", hidden).mean(Row::error));
        let (three, seven, narrowed, widened) = (error(&THREE), error(&SEVEN), error(&NARROWED), error(&WIDENED));
        let all_ones =
            findings.constant.iter().find(|answer| answer.name == "all ones").map_or(f64::NAN, |answer| answer.mae);
        let saturated = saturated_first_layer(findings);
        let glorot = share_trained_with_glorot(findings);
        let by_depth = accuracy_by_depth(findings);
        format!(
            "*Why.* A weight in [0, 1) is ½ on average, and an MNIST image has about 100 white pixels' worth of ink, so the net \
             input of a first-layer unit is about 50. There a sigmoid is 1 to within rounding, and its derivative mostly exactly 0 \
             in double precision{saturated}; the second layer, with net inputs near half of 512, is 1 for every image. The net \
             input of an output is half the last width: 64 for the three-layer net, so no gradient passes, and its error stays \
             where it began ({three}; all ones: {all_ones:.4}). With a last width of 8 it is about 4, the derivative is 0.018, and \
             the last weights can move. Exchange the widths and the outcome goes with them, not with the depth: three layers with \
             8 units added end at {narrowed}, seven layers at {seven}, and seven that end in 128 units at {widened}. What falls is \
             the error of a constant answer.\n\n\
             With weights that can learn, depth is a question of what gets through. A sigmoid's derivative is at most ¼, so \
             Glorot's weights, made for a derivative of 1, shrink both what differs between images on the way forward and the \
             gradient on the way back: within these epochs {glorot} of a net of seven layers learned. Four times as large, they \
             keep both. Hidden layers and test digits right: {by_depth}."
        )
    }

    fn figures(&self, findings: &Findings) -> Vec<Figure> {
        let mut figures = learning_curves::figures(findings);
        figures
            .extend([replica_depth(findings), depth(findings), first_weights::figure(findings)].into_iter().flatten());
        figures.extend(diagnosis_maps(findings));
        figures
    }
}

fn in_the_papers_setup(rows: &[Row]) -> Vec<Comparison<'_>> {
    let (replica, printed) = (Selection::of(rows, "replica-depth"), Selection::of(rows, "replica-printed"));
    let networks = |hidden: &[usize]| Side::networks(hidden_name(hidden), replica.with("hidden", hidden));
    let printed = |hidden: &[usize]| Side::networks(hidden_name(hidden), printed.with("hidden", hidden));
    let comparison = |text: &str, left, right| Comparison::new(ComparisonSetup::Replica, text, left, right);
    vec![
        comparison("seven hidden layers end with a lower error than three", networks(&SEVEN), networks(&THREE)).by_error(),
        comparison(
            "seven hidden layers get more digits right than the answer '1' to every image",
            networks(&SEVEN),
            Side::Constant('1'),
        )
        .deciding(),
        comparison(
            "by the update that the paper prints, seven hidden layers end with a lower error than three",
            printed(&SEVEN),
            printed(&THREE),
        )
        .by_error(),
        comparison(
            "a last hidden layer of 8 added to three layers lowers the error",
            networks(&NARROWED),
            networks(&THREE),
        )
        .by_error(),
        comparison(
            "of two nets with seven layers the one that ends in 8 units has a lower error than the one that ends in 128",
            networks(&SEVEN),
            networks(&WIDENED),
        )
        .by_error(),
    ]
}

fn repaired(rows: &[Row]) -> Vec<Comparison<'_>> {
    let (repaired, glorot) = (Selection::of(rows, "depth"), Selection::of(rows, "depth-glorot"));
    let best = |hidden: &[usize]| Side::best_rate(&hidden_name(hidden), &repaired.with("hidden", hidden));
    let glorot = |hidden: &[usize]| Side::best_rate(&hidden_name(hidden), &glorot.with("hidden", hidden));
    let comparison = |text: &str, left, right| Comparison::new(ComparisonSetup::Repaired, text, left, right);
    vec![
        comparison("seven hidden layers get more digits right than three", best(&SEVEN), best(&THREE)).deciding(),
        comparison("three hidden layers get more digits right than one", best(&THREE), best(&THREE[..1])),
        comparison(
            "seven layers that end in 128 units get more digits right than seven that end in 8",
            best(&WIDENED),
            best(&SEVEN),
        ),
        comparison(
            "with plain Glorot weights seven hidden layers get more digits right than three",
            glorot(&SEVEN),
            glorot(&THREE),
        ),
    ]
}

/// What was seen in the networks that were examined; nothing of one whose file is missing.
fn diagnoses(evidence: &Evidence<'_>) -> Vec<(String, Diagnosis)> {
    let examined = evidence.rows.iter().filter(|row| row.sweep.starts_with(EXAMINED));
    let mut all: Vec<(String, Diagnosis)> = examined
        .filter_map(|row| {
            let path = RunFolder::new(evidence.folder.join(&row.sweep)).diagnosis(&row.trial);
            Some((examined_name(row), Diagnosis::read(&path).ok()?))
        })
        .collect();
    all.sort_by(|one, other| one.0.cmp(&other.0));
    all
}

fn examined_name(row: &Row) -> String {
    let n_hidden = row.config.get("hidden").and_then(Value::as_array).map_or(0, Vec::len);
    let setup = match (row.sweep.as_str(), row.config.get("initializer").and_then(|value| value.get("gain"))) {
        ("doctor-replica", _) => "the paper's setup".to_owned(),
        (_, Some(gain)) => format!("Glorot's weights times {gain}"),
        _ => "Glorot's weights".to_owned(),
    };
    format!("{n_hidden} hidden layers, {setup}")
}

/// How much of the first layer passes no gradient in the paper's setup, where that is known.
fn saturated_first_layer(findings: &Findings) -> String {
    let examined = findings.diagnoses.iter().find(|(name, _)| name.contains("the paper's setup"));
    let zero_derivative =
        examined.and_then(|(_, diagnosis)| diagnosis.epochs.first()?.layers.first().map(|layer| layer.zero_derivative));
    zero_derivative.map_or(String::new(), |share| format!(" (for {:.0} % of units and images)", 100.0 * share))
}

fn share_trained_with_glorot(findings: &Findings) -> String {
    let glorot = findings.sweep("depth-glorot").with("hidden", SEVEN);
    let (n_trained, n) = glorot
        .best("learning_rate")
        .map_or((0, 0), |(_, rows)| (rows.rows.iter().filter(|row| row.accuracy() > TRAINED).count(), rows.rows.len()));
    share(n_trained, n)
}

/// `1: 97.06 %, 2: 97.30 %`.
fn accuracy_by_depth(findings: &Findings) -> String {
    let repaired = findings.sweep("depth");
    let shown = |depth: usize| {
        let (_, rows) = repaired.with("hidden", &SEVEN[..depth]).best("learning_rate")?;
        Some(format!("{depth}: {:.2} %", 100.0 * rows.mean(Row::accuracy)))
    };
    (1..=SEVEN.len()).filter_map(shown).collect::<Vec<_>>().join(", ")
}

fn replica_depth(findings: &Findings) -> Option<Figure> {
    let (names, dots) = by_depth(&findings.sweep("replica-depth"), Row::error);
    let answers = findings.constant.iter().filter(|answer| answer.name != "mean of bits");
    DotChart {
        name: "replica-depth",
        title: "Depth in the paper's setup",
        subtitle: "mean absolute error of a bit, test images",
        x: XAxis::names("hidden layers", names),
        y: Axis::linear(0.0, 0.5, 5),
        levels: answers.map(|answer| Level { name: answer.name.clone(), value: answer.mae }).collect(),
        groups: vec![dots],
        caption: "The error after training, by the number of hidden layers (the paper's, cut short). \"3+8\": three layers and \
                  one of 8 units; \"7:128\": seven of which the last has 128. Dots are means over the seeds, bars 95 % intervals \
                  where seeds differ.",
    }
    .draw()
}

fn depth(findings: &Findings) -> Option<Figure> {
    let all = findings.sweep("depth");
    let best = Selection {
        rows: all
            .values("hidden")
            .iter()
            .filter_map(|hidden| all.with("hidden", hidden).best("learning_rate"))
            .flat_map(|(_, rows)| rows.rows)
            .collect(),
    };
    let (names, dots) = by_depth(&best, |row| PERCENT * row.accuracy());
    let groups = vec![dots];
    DotChart {
        name: "depth",
        title: "Depth with weights that can learn",
        subtitle: "share of test digits with every bit right",
        x: XAxis::names("hidden layers", names),
        y: percent_around(&groups),
        levels: Vec::new(),
        groups,
        caption: "Test accuracy by the number of hidden layers, each with the learning rate that is best on validation images: \
                  means with 95 % intervals over the seeds, pale dots single seeds. \"3+8\": three layers and one of 8 units; \
                  \"7:128\": seven of which the last has 128.",
    }
    .draw()
}

/// A number of each network by its hidden layers, with a name for each number of layers.
fn by_depth(rows: &Selection<'_>, number: impl Fn(&Row) -> f64) -> (Vec<String>, Dots) {
    let prefixes = (1..=SEVEN.len()).map(|depth| (&SEVEN[..depth], depth.to_string()));
    let exchanged = [(&NARROWED[..], "3+8".to_owned()), (&WIDENED[..], "7:128".to_owned())];
    let (mut names, mut points) = (Vec::new(), Vec::new());
    for (hidden, name) in prefixes.chain(exchanged) {
        let values = rows.with("hidden", hidden).numbers(&number);
        if !values.is_empty() {
            points.push((names.len() as f64, values));
            names.push(name);
        }
    }
    (names, Dots { label: String::new(), color: palette::BLUE, points })
}

/// Maps of layer and epoch: saturation and gradient of each network that was examined.
fn diagnosis_maps(findings: &Findings) -> Vec<Figure> {
    let maps = |(position, (name, diagnosis)): (usize, &(String, Diagnosis))| {
        [
            (Quantity::Saturated, "saturated", "saturated units: derivative below 1 % of its largest, in %"),
            (Quantity::Gradient, "gradient", "gradient of the weights: norm of the mean loss's derivative"),
        ]
        .map(|(quantity, word, subtitle)| {
            let mut csv = format!("layer,epoch,{word}\n");
            for epoch in &diagnosis.epochs {
                for (layer, measured) in epoch.layers.iter().enumerate() {
                    let _ = writeln!(csv, "{},{},{}", layer + 1, epoch.epoch, quantity.value(measured));
                }
            }
            Figure {
                name: format!("doctor-{}-{word}", position + 1),
                svg: diagnosis_map_titled(diagnosis, quantity, name, subtitle),
                csv,
                caption: format!("{name}. {}", diagnosis.sentence()),
            }
        })
    };
    findings.diagnoses.iter().enumerate().flat_map(maps).collect()
}
