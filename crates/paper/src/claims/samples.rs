//! Claim 6: 40,000 training images beat 17,000.

use mlp_report::palette::SERIES;
use serde_json::Value;

use super::wording;
use crate::amounts::effect;
use crate::claim::Claim;
use crate::comparison::{Comparison, ComparisonSetup, Side};
use crate::figures::{DotChart, Dots, Figure, PERCENT, XAxis, percent_around};
use crate::findings::{Findings, Statement};
use crate::row::Row;
use crate::selection::Selection;
use crate::studies;
use crate::study::Study;

pub(super) struct Samples;

impl Claim for Samples {
    fn number(&self) -> u8 {
        6
    }

    fn title(&self) -> &'static str {
        "40,000 training images beat 17,000"
    }

    fn paper_says(&self) -> &'static str {
        "Training on 40,000 images for 30 epochs (Fig. 1.3) gave a lower error than on 17,000 for 20 (Fig. 1.2)."
    }

    fn studies(&self) -> Vec<&'static Study> {
        vec![&studies::FIGURES_17000, &studies::FIGURES_40000, &studies::SIZES]
    }

    fn comparisons<'a>(&self, rows: &'a [Row]) -> Vec<Comparison<'a>> {
        let smaller = Selection::of(rows, "figures-17000").with("reduction", "mean").with("loss", "absolute");
        let mut comparisons = vec![
            Comparison::new(
                ComparisonSetup::Replica,
                "Fig. 1.3's net gets more digits right than Fig. 1.2's",
                Side::networks("Fig. 1.3", Selection::of(rows, "figures-40000")),
                Side::networks("Fig. 1.2", smaller),
            )
            .deciding(),
        ];
        comparisons.extend(crossed(&Selection::of(rows, "sizes")));
        comparisons
    }

    fn setup(&self, findings: &Findings) -> String {
        let sizes = findings.sweep("sizes");
        let (rate, seeds) = (wording::values(&sizes, "learning_rate"), wording::seeds(&sizes));
        format!(
            "Fig. 1.2 and 1.3 on the same test images. Repaired: seven hidden layers, η = {rate}, the two sizes and the two numbers \
             of epochs crossed, {seeds}."
        )
    }

    fn why(&self, findings: &Findings) -> String {
        let judged = findings.judged();
        let is_part = |statement: &Statement| {
            statement.claim == self.number() && statement.setup == ComparisonSetup::Repaired && !statement.is_deciding
        };
        let parts = judged.iter().filter(|(statement, _)| is_part(statement));
        let parts: Vec<String> =
            parts.map(|(statement, judged)| format!("{}: {}", statement.text, effect(statement, judged))).collect();
        let (parts, replica) = (parts.join("; "), self.why_the_figures_agree(findings));
        format!(
            "*Why.* More images show more ways to write a digit, and more epochs are more updates; the paper changes both at once. \
             The crossed design tells them apart ({parts}).{replica}"
        )
    }

    fn figures(&self, findings: &Findings) -> Vec<Figure> {
        figure(findings).into_iter().collect()
    }
}

impl Samples {
    /// That the paper's figures differ in nothing that was learned, where that is so.
    fn why_the_figures_agree(&self, findings: &Findings) -> String {
        let replica = findings.deciding(self.number(), ComparisonSetup::Replica);
        match replica.filter(|statement| statement.says_nothing && statement.left.mean == statement.right.mean) {
            Some(statement) => {
                let (left, right) = (statement.left.mean * 100.0, statement.right.mean * 100.0);
                format!(
                    " The paper's two figures differ in nothing that was learned: on the same test images their nets get \
                     {left:.2} % and {right:.2} % of the digits right. The errors in Fig. 1.2 and 1.3 (under claim 1) differ only \
                     because Fig. 1.2 has other test images."
                )
            }
            None => String::new(),
        }
    }
}

/// Both numbers of images with both numbers of epochs; nothing if there are fewer than two of either.
fn crossed<'a>(rows: &Selection<'a>) -> Vec<Comparison<'a>> {
    let epochs: Vec<u64> = rows.values("epochs").iter().filter_map(Value::as_u64).collect();
    let (&[few, .., many], &[short, .., long]) = (rows.sizes().as_slice(), epochs.as_slice()) else {
        return Vec::new();
    };
    let networks = |n_train: usize, epochs: u64| {
        let own = rows.filter(|row| row.n_train == n_train).with("epochs", epochs);
        Side::networks(format!("{n_train} images, {epochs} epochs"), own)
    };
    let comparison = |text: &str, left, right| Comparison::new(ComparisonSetup::Repaired, text, left, right);
    vec![
        comparison(
            "more images and more epochs get more digits right than fewer",
            networks(many, long),
            networks(few, short),
        )
        .deciding(),
        comparison("more images, equal epochs", networks(many, short), networks(few, short)),
        comparison("more epochs, equal images", networks(few, long), networks(few, short)),
    ]
}

fn figure(findings: &Findings) -> Option<Figure> {
    let rows = findings.sweep("sizes");
    let sizes = rows.sizes();
    let groups = rows.values("epochs").into_iter().zip(SERIES).map(|(epochs, color)| {
        let own = rows.with("epochs", &epochs);
        let accuracies = |size: usize| own.filter(|row| row.n_train == size).numbers(|row| PERCENT * row.accuracy());
        let points = sizes.iter().enumerate().map(|(place, &size)| (place as f64, accuracies(size)));
        Dots { label: format!("{epochs} epochs"), color, points: points.collect() }
    });
    let groups: Vec<Dots> = groups.collect();
    DotChart {
        name: "sizes",
        title: "Training images and epochs",
        subtitle: "test digits right, seven hidden layers",
        x: XAxis::names("training images", sizes.iter().map(usize::to_string).collect()),
        y: percent_around(&groups),
        levels: Vec::new(),
        groups,
        caption: "Test accuracy for both numbers of images and both numbers of epochs; dots are means, bars 95 % intervals over the \
                  seeds, pale dots single seeds.",
    }
    .draw()
}
