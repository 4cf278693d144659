//! Claim 2: a learning rate of 1 beats smaller ones.

use mlp_report::chart::{Axis, Level};
use mlp_report::palette::SERIES;
use serde_json::Value;

use super::wording;
use crate::claim::Claim;
use crate::comparison::{Comparison, ComparisonSetup, Side, shown};
use crate::figures::{DotChart, Dots, Figure, PERCENT, XAxis};
use crate::findings::Findings;
use crate::row::Row;
use crate::selection::Selection;
use crate::studies;
use crate::study::Study;

/// Losses as configurations name them; the first two are the paper's.
const LOSSES: [&str; 4] = ["rmse", "absolute", "squared", "cross-entropy"];

pub(super) struct LearningRate;

impl Claim for LearningRate {
    fn number(&self) -> u8 {
        2
    }

    fn title(&self) -> &'static str {
        "A learning rate of 1 beats smaller ones"
    }

    fn paper_says(&self) -> &'static str {
        "A learning rate of 1 gave a lower error than smaller ones."
    }

    fn studies(&self) -> Vec<&'static Study> {
        vec![&studies::REPLICA_RATES, &studies::RATES_SUMMED, &studies::RATES]
    }

    fn comparisons<'a>(&self, rows: &'a [Row]) -> Vec<Comparison<'a>> {
        let mut comparisons = Vec::new();
        for loss in &LOSSES[..2] {
            comparisons.push(in_the_papers_setup(rows, loss));
        }
        for (sweep, reduction) in [("rates", "mean"), ("rates-summed", "sum")] {
            for loss in LOSSES {
                comparisons.extend(repaired(rows, sweep, loss, reduction));
            }
        }
        comparisons
    }

    fn setup(&self, findings: &Findings) -> String {
        let [rates, summed, replica] = ["rates", "rates-summed", "replica-rates"].map(|sweep| findings.sweep(sweep));
        let (tried, seeds, summed_seeds) =
            (wording::values(&rates, "learning_rate"), wording::seeds(&rates), wording::seeds(&summed));
        let (n_train, epochs) = (rates.n_train(), rates.first_number("epochs"));
        let (n_replica, replica_epochs) = (replica.n_train(), replica.first_number("epochs"));
        let replica_tried = wording::values(&replica, "learning_rate");
        format!(
            "Learning rates {tried} for each loss, as the mean over the bits ({seeds}) and as their sum ({summed_seeds}). Three \
             hidden layers, {n_train} images, {epochs} epochs, batches of 32. Paper's setup, small: seven hidden layers, \
             {n_replica} images, {replica_epochs} epochs, rates {replica_tried}."
        )
    }

    fn why(&self, findings: &Findings) -> String {
        let replica = findings.sweep("replica-rates");
        let n_beyond = replica.filter(|row| row.accuracy() > findings.best_constant(row.n_test)).rows.len();
        let n_replica = replica.rows.len();
        let (best_of_mean, best_of_sum) = (best_rates(findings, "rates"), best_rates(findings, "rates-summed"));
        format!(
            "*Why.* A learning rate means nothing without the loss, its reduction and the batch. The mean over six bits has a \
             sixth of the gradient of the sum: with the mean, six times the rate takes the very same steps (√6 times for the \
             root-mean-square error, which divides the gradient by its own value). And a batch of 32 averages what 32 single \
             images would have added up. Best of those tried on validation images, for the mean: {best_of_mean}; for the sum: \
             {best_of_sum}. In the paper's setup {n_beyond} of {n_replica} nets got beyond the best constant answer, whatever the \
             rate."
        )
    }

    fn figures(&self, findings: &Findings) -> Vec<Figure> {
        let is_repaired = |row: &&Row| row.sweep == "rates" || row.sweep == "rates-summed";
        let all = Selection { rows: findings.rows.iter().filter(is_repaired).collect() };
        all.values("reduction").iter().filter_map(|reduction| figure(&all, reduction, findings)).collect()
    }
}

fn statement(loss: &str, reduction: &str, text: &str) -> String {
    let summed = if reduction == "sum" { ", summed" } else { "" };
    format!("{loss} loss{summed}: a learning rate of 1 gets {text}")
}

/// With this loss, a rate of 1 against a tenth: nothing is chosen where nothing learns.
fn in_the_papers_setup<'a>(rows: &'a [Row], loss: &str) -> Comparison<'a> {
    let own = Selection::of(rows, "replica-rates").with("loss", loss).with("reduction", "mean");
    let networks = |label: &str, rate: f64| Side::networks(label, own.with("learning_rate", rate));
    let text = statement(loss, "mean", "more digits right than a smaller one");
    Comparison::new(ComparisonSetup::Replica, text, networks("a rate of 1", 1.0), networks("a rate of 0.1", 0.1))
        .deciding_if(loss == "rmse")
}

/// With this loss, a rate of 1 against the best smaller and the best larger one.
fn repaired<'a>(rows: &'a [Row], sweep: &str, loss: &str, reduction: &str) -> [Comparison<'a>; 2] {
    let own = Selection::of(rows, sweep).with("loss", loss).with("reduction", reduction);
    let one = || Side::networks("a rate of 1", own.with("learning_rate", 1.0));
    let smaller = own.filter(|row| row.number("learning_rate") < 1.0);
    let larger = own.filter(|row| row.number("learning_rate") > 1.0);
    let comparison =
        |text: &str, other| Comparison::new(ComparisonSetup::Repaired, statement(loss, reduction, text), one(), other);
    [
        comparison("more digits right than a smaller one", Side::best_rate_of_part("the best smaller rate", &smaller))
            .deciding_if(loss == "rmse" && reduction == "mean"),
        comparison("no fewer digits right than larger ones", Side::best_rate_of_part("the best larger rate", &larger))
            .no_worse(),
    ]
}

/// The best rate for each loss of a sweep: `1 for rmse, 3 for squared`.
fn best_rates(findings: &Findings, sweep: &str) -> String {
    let all = findings.sweep(sweep);
    let best = |loss: &Value| {
        let (rate, _) = all.with("loss", loss).best("learning_rate")?;
        Some(format!("{} for {}", shown(&rate), loss.as_str()?))
    };
    all.values("loss").iter().filter_map(best).collect::<Vec<_>>().join(", ")
}

/// Accuracy against the learning rate, a line for each loss.
fn figure(all: &Selection<'_>, reduction: &Value, findings: &Findings) -> Option<Figure> {
    let rows = all.with("reduction", reduction);
    let rates: Vec<f64> = rows.values("learning_rate").iter().filter_map(Value::as_f64).collect();
    let losses = rows.values("loss");
    let lines = losses.iter().zip(SERIES).map(|(loss, color)| {
        let own = rows.with("loss", loss);
        let accuracies = |rate: f64| own.with("learning_rate", rate).numbers(|row| PERCENT * row.accuracy());
        let points = rates.iter().map(|&rate| (rate, accuracies(rate))).collect();
        Dots { label: loss.as_str().unwrap_or_default().to_owned(), color, points }
    });
    let reduction = reduction.as_str().unwrap_or_default();
    DotChart {
        name: &format!("rates-{reduction}"),
        title: "Learning rate and loss",
        subtitle: &format!("test digits right; loss is the {reduction} over the bits"),
        x: XAxis::ratios("learning rate η", &rates, rates.iter().map(f64::to_string).collect()),
        y: Axis::percent(0.0, PERCENT),
        levels: vec![Level { name: "answer '1'".to_owned(), value: PERCENT * findings.majority() }],
        groups: lines.collect(),
        caption: "Test accuracy against the learning rate for each loss. Lines join the means over the seeds, bars are 95 % \
                  intervals.",
    }
    .draw()
}
