//! Claim 7: ASCII codes are a good target.

use mlp_report::palette::{self, Color};
use serde_json::{Value, json};

use super::wording;
use crate::claim::Claim;
use crate::comparison::{Comparison, ComparisonSetup, Measure, Side};
use crate::figures::{DotChart, Dots, Figure, PERCENT, XAxis, percent_around};
use crate::findings::Findings;
use crate::row::Row;
use crate::selection::Selection;
use crate::studies;
use crate::study::Study;

pub(super) struct Codes;

impl Claim for Codes {
    fn number(&self) -> u8 {
        7
    }

    fn title(&self) -> &'static str {
        "ASCII codes are a good target"
    }

    fn paper_says(&self) -> &'static str {
        "The net answers with the six bits of the digit's ASCII code."
    }

    fn studies(&self) -> Vec<&'static Study> {
        vec![&studies::REPLICA_CODES, &studies::CODES, &studies::CODES_SOFTMAX]
    }

    fn comparisons<'a>(&self, rows: &'a [Row]) -> Vec<Comparison<'a>> {
        let (replica, all) = (Selection::of(rows, "replica-codes"), Selection::of(rows, "codes"));
        let networks = |label: &str, code: &str| Side::networks(label, replica.with("encoding", code));
        let best = |label: &str, code: Value| Side::best_rate(label, &all.with("encoding", code));
        let softmax = Side::best_rate("one-hot, softmax", &Selection::of(rows, "codes-softmax"));
        let ascii_against = |setup: ComparisonSetup, ascii, other_codes: &str, other| {
            let text =
                format!("ASCII codes get no fewer digits right than {other_codes}, both read by the nearest code");
            Comparison::new(setup, text, ascii, other).by(Measure::Nearest).no_worse()
        };
        let against = |other_codes: &str, other| {
            ascii_against(ComparisonSetup::Repaired, best("ASCII", json!("ascii")), other_codes, other)
        };
        vec![
            ascii_against(
                ComparisonSetup::Replica,
                networks("ASCII", "ascii"),
                "one-hot codes",
                networks("one-hot", "one-hot"),
            )
            .deciding(),
            against("one-hot codes with softmax", softmax).deciding(),
            against("one-hot codes with sigmoids", best("one-hot, sigmoids", json!("one-hot"))),
            against("four-bit codes", best("four bits", json!("binary"))),
            against("random codes of 16 bits", best("random, 16 bits", random(16))),
            against("random codes of 32 bits", best("random, 32 bits", random(32))),
        ]
    }

    fn setup(&self, findings: &Findings) -> String {
        let (codes, replica) = (findings.sweep("codes"), findings.sweep("replica-codes"));
        let (repaired, rates) = (wording::repaired_setup(&codes), wording::values(&codes, "learning_rate"));
        let (n_replica, replica_epochs) = (replica.n_train(), replica.first_number("epochs"));
        format!(
            "Three hidden layers; codes of six bits (ASCII), four bits, random words of 16 and 32 bits, one-hot with sigmoids and \
             with softmax. Repaired: {repaired}, learning rates {rates}. Paper's setup, small: seven layers, {n_replica} images, \
             {replica_epochs} epochs."
        )
    }

    fn why(&self, findings: &Findings) -> String {
        let codes = findings.sweep("codes");
        let best = |encoding: &Value| {
            let (_, rows) = codes.with("encoding", encoding).best("learning_rate")?;
            Some((code_name(encoding), rows))
        };
        let all: Vec<(String, Selection<'_>)> = codes.values("encoding").iter().filter_map(best).collect();
        let percent = |rows: &Selection<'_>, share: fn(&Row) -> f64| 100.0 * rows.mean(share);
        let level = |name: &str, rows: &Selection<'_>| format!("{name} {:.2} %", percent(rows, Row::nearest_accuracy));
        let mut levels: Vec<String> = all.iter().map(|(name, rows)| level(name, rows)).collect();
        if let Some((_, rows)) = findings.sweep("codes-softmax").best("learning_rate") {
            levels.push(level("one-hot with softmax", &rows));
        }
        let gain = |rows: &Selection<'_>| percent(rows, Row::nearest_accuracy) - percent(rows, Row::accuracy);
        let gains: Vec<String> = all.iter().map(|(name, rows)| format!("{name} {:+.2}", gain(rows))).collect();
        let (levels, gains) = (levels.join(", "), gains.join(", ").replace(" -", " −"));
        format!(
            "*Why.* Two digits whose codes differ in one bit, as in ASCII and in four bits, are told apart by one output alone; \
             where the words lie further apart, several outputs can outvote one that errs. Digits right by the nearest code: \
             {levels}. Where a code leaves words unused, reading by the nearest one turns an answer that is no digit into the \
             likeliest digit; against reading bit by bit it gains, in percentage points: {gains}."
        )
    }

    fn figures(&self, findings: &Findings) -> Vec<Figure> {
        figure(findings).into_iter().collect()
    }
}

/// Random words of so many bits, as a configuration names them.
fn random(bits: u32) -> Value {
    json!({ "name": "random", "bits": bits })
}

fn code_name(encoding: &Value) -> String {
    match encoding.as_str() {
        Some("ascii") => "ASCII".to_owned(),
        Some("binary") => "four bits".to_owned(),
        Some(name) => name.to_owned(),
        None => format!("random words of {} bits", encoding["bits"]),
    }
}

fn figure(findings: &Findings) -> Option<Figure> {
    let (all, softmax) = (findings.sweep("codes"), findings.sweep("codes-softmax"));
    let networks = [
        ("ASCII", all.with("encoding", "ascii")),
        ("4-bit", all.with("encoding", "binary")),
        ("rnd16", all.with("encoding", random(16))),
        ("rnd32", all.with("encoding", random(32))),
        ("1-hot", all.with("encoding", "one-hot")),
        ("soft", softmax),
    ];
    let best = networks.each_ref().map(|(_, rows)| rows.best("learning_rate").map(|(_, rows)| rows));
    let dots = |label: &str, color: Color, share: fn(&Row) -> f64| {
        let shares = |rows: &Selection<'_>| rows.numbers(|row| PERCENT * share(row));
        let points = best.iter().map(|rows| rows.as_ref().map_or(Vec::new(), shares));
        let points = points.enumerate().map(|(place, values)| (place as f64, values));
        Dots { label: label.to_owned(), color, points: points.collect() }
    };
    let groups = vec![
        dots("nearest", palette::BLUE, Row::nearest_accuracy),
        dots("threshold", palette::VERMILION, Row::accuracy),
    ];
    DotChart {
        name: "codes",
        title: "Target codes",
        subtitle: "test digits right, three hidden layers",
        x: XAxis::names("code", networks.map(|(name, _)| name.to_owned()).into()),
        y: percent_around(&groups),
        levels: Vec::new(),
        groups,
        caption: "Test accuracy of each code, each with the learning rate that is best on validation images: ASCII, four bits, \
                  random words of 16 and 32 bits, one-hot with sigmoids, one-hot with softmax. Read by the nearest code, or bit by \
                  bit with a threshold of ½; bars are 95 % intervals over the seeds.",
    }
    .draw()
}
