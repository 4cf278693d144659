//! Claim 8: leaving out biases does no harm.

use mlp_report::palette;

use super::{SEVEN, THREE, wording};
use crate::claim::Claim;
use crate::comparison::{Comparison, ComparisonSetup, Side};
use crate::figures::{DotChart, Dots, Figure, PERCENT, XAxis, percent_around};
use crate::findings::Findings;
use crate::row::Row;
use crate::selection::Selection;
use crate::statistics::Verdict;
use crate::studies;
use crate::study::Study;

pub(super) struct Bias;

impl Claim for Bias {
    fn number(&self) -> u8 {
        8
    }

    fn title(&self) -> &'static str {
        "Leaving out biases does no harm"
    }

    fn paper_says(&self) -> &'static str {
        "The net has weights only and no biases."
    }

    fn studies(&self) -> Vec<&'static Study> {
        vec![&studies::REPLICA_BIAS, &studies::BIAS]
    }

    /// Seven layers decide in the paper's setup, and three when repaired.
    fn comparisons<'a>(&self, rows: &'a [Row]) -> Vec<Comparison<'a>> {
        let replica = |hidden: &[usize]| {
            let own = Selection::of(rows, "replica-bias").with("hidden", hidden);
            let side = |label: &str, bias: bool| Side::networks(label, own.with("bias", bias));
            comparison(ComparisonSetup::Replica, hidden, side("without biases", false), side("with biases", true))
        };
        let repaired = |hidden: &[usize]| {
            let own = Selection::of(rows, "bias").with("hidden", hidden);
            let side = |label: &str, bias: bool| Side::best_rate(label, &own.with("bias", bias));
            comparison(ComparisonSetup::Repaired, hidden, side("without biases", false), side("with biases", true))
        };
        vec![replica(&THREE), replica(&SEVEN).deciding(), repaired(&THREE).deciding(), repaired(&SEVEN)]
    }

    fn setup(&self, findings: &Findings) -> String {
        let (bias, replica) = (findings.sweep("bias"), findings.sweep("replica-bias"));
        let (repaired, rates) = (wording::repaired_setup(&bias), wording::values(&bias, "learning_rate"));
        let (n_replica, replica_epochs) = (replica.n_train(), replica.first_number("epochs"));
        format!(
            "Three and seven hidden layers; as was fixed beforehand, seven decide in the paper's setup and three when repaired. \
             Repaired: {repaired}, learning rates {rates}. Paper's setup, small: {n_replica} images, {replica_epochs} epochs."
        )
    }

    fn why(&self, findings: &Findings) -> String {
        let outcome = match findings.verdict(self.number(), ComparisonSetup::Repaired) {
            Some(Verdict::Confirmed) => "These nets do without.",
            Some(Verdict::Refuted) => "These nets miss them.",
            _ => "Whether these nets miss them is not settled; if so, it is by little.",
        };
        format!(
            "*Why.* {outcome} Without a bias a unit's net input is 0 for a black image, and its decision passes through the origin. \
             MNIST's border is black in every image, so no pixel can serve as a constant input to the first layer; behind it, \
             sigmoids that are never 0 can: any unit that is about the same for all images is a bias for the next layer. So one \
             would expect them to be missed in the first layer, if anywhere."
        )
    }

    fn figures(&self, findings: &Findings) -> Vec<Figure> {
        figure(findings).into_iter().collect()
    }
}

fn comparison<'a>(setup: ComparisonSetup, hidden: &[usize], without: Side<'a>, with: Side<'a>) -> Comparison<'a> {
    let n_layers = if hidden.len() == THREE.len() { "three" } else { "seven" };
    let text = format!("{n_layers} hidden layers get no fewer digits right without biases");
    Comparison::new(setup, text, without, with).no_worse()
}

fn figure(findings: &Findings) -> Option<Figure> {
    let all = findings.sweep("bias");
    let accuracies = |hidden: &[usize], bias: bool| {
        let best = all.with("hidden", hidden).with("bias", bias).best("learning_rate");
        best.map_or(Vec::new(), |(_, rows)| rows.numbers(|row| PERCENT * row.accuracy()))
    };
    let groups: Vec<Dots> = [(true, "with biases", palette::BLUE), (false, "without", palette::VERMILION)]
        .into_iter()
        .map(|(bias, label, color)| {
            let points = vec![(0.0, accuracies(&THREE, bias)), (1.0, accuracies(&SEVEN, bias))];
            Dots { label: label.to_owned(), color, points }
        })
        .collect();
    DotChart {
        name: "bias",
        title: "With biases and without",
        subtitle: "test digits right",
        x: XAxis::names("hidden layers", ["3 layers", "7 layers"].map(str::to_owned).into()),
        y: percent_around(&groups),
        levels: Vec::new(),
        groups,
        caption: "Test accuracy with biases and without, each with the learning rate that is best on validation images; bars are \
                  95 % intervals over the seeds, pale dots single seeds.",
    }
    .draw()
}
