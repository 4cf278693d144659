//! The numbers as comma-separated values (RFC 4180), for spreadsheets and data frames: a row for each trial in
//! `results.csv`, a row for each trial and epoch in `epochs.csv`.
//!
//! The library `csv` writes the rows; which cells stand in quotation marks is decided here: a text with a blank, an
//! apostrophe or a semicolon gets them, too, because spreadsheets of some countries cut cells there, and the library only
//! knows what RFC 4180 asks for, or all or nothing.

mod epochs;

use std::collections::BTreeSet;

use csv::{QuoteStyle, Terminator, Writer, WriterBuilder};
use mlp_results::score::{final_metrics, final_validation};
use mlp_results::{Compared, Metric, TrialResult, score, text};
use mlp_train::{Decoding, EpochMetrics};
use serde_json::Value;

pub use epochs::write_epochs;

/// Longer texts are cut; the record has them in full.
const MAX_CHARACTERS: usize = 1_000;

/// The sets of samples that are measured, as their columns begin.
const SETS: [&str; 3] = ["train", "validation", "test"];

/// Whether the table of trials holds what differs from one machine to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Seconds {
    /// Left out: two machines that ran the same trials write the same table.
    Without,
    /// In the last columns: the seconds of all, of training, and of measuring.
    #[default]
    With,
}

/// The trials, sorted by identity: identity, status, every key of the configuration, and the metrics of the kept weights
/// (`train.…`, `validation.…`, `test.…`); of a trial that was stopped early, those of its last epoch, and of one that
/// diverged, those of the last epoch before it did.
///
/// A text that a spreadsheet would take for a formula gets an apostrophe before it. Empty cells are values that were
/// not measured or are not finite.
///
/// ```
/// use mlp_report::csv::{Seconds, results_csv};
///
/// let table = results_csv(&[], Seconds::Without);
/// assert!(table.starts_with("trial,status,data_sha256,kernel,parameters,epochs_run,best_epoch,"));
/// ```
pub fn results_csv(trials: &[TrialResult], seconds: Seconds) -> String {
    let mut sorted: Vec<&TrialResult> = trials.iter().collect();
    sorted.sort_by(|a, b| a.record.trial.cmp(&b.record.trial));
    let keys: BTreeSet<&String> = trials.iter().flat_map(|trial| trial.record.config.keys()).collect();
    let mut table = table(Vec::new());
    table.write_record(header(&keys, seconds)).expect(AS_LONG);
    for trial in sorted {
        table.write_record(row(trial, &keys, seconds)).expect(AS_LONG);
    }
    let bytes = table.into_inner().expect("writing into memory cannot fail");
    String::from_utf8(bytes).expect("texts between commas are a text")
}

/// A table whose cells are quoted already where they must be.
fn table<W: std::io::Write>(to: W) -> Writer<W> {
    WriterBuilder::new().quote_style(QuoteStyle::Never).terminator(Terminator::CRLF).from_writer(to)
}

const AS_LONG: &str = "every row has as many cells as the head";

fn header(keys: &BTreeSet<&String>, seconds: Seconds) -> Vec<String> {
    let mut cells: Vec<String> =
        ["trial", "status", "data_sha256", "kernel", "parameters", "epochs_run", "best_epoch"].map(text_cell).to_vec();
    cells.extend(keys.iter().map(|key| text_cell(key)));
    cells.extend(names_of_metrics());
    if seconds == Seconds::With {
        cells.extend(["seconds", "seconds_train", "seconds_evaluate"].map(str::to_owned));
    }
    cells
}

fn names_of_metrics() -> impl Iterator<Item = String> {
    SETS.into_iter().flat_map(|set| Metric::ALL.map(|metric| format!("{set}.{metric}")))
}

fn row(trial: &TrialResult, keys: &BTreeSet<&String>, seconds: Seconds) -> Vec<String> {
    let record = &trial.record;
    let mut cells = vec![
        text_cell(&record.trial),
        text_cell(&trial.ending()),
        text_cell(&record.data.sha256),
        text_cell(&record.kernel),
        record.parameters.to_string(),
        record.epochs.last().map_or(0, |epoch| epoch.epoch).to_string(),
        record.best_epoch.to_string(),
    ];
    cells.extend(keys.iter().map(|key| value_cell(record.setting(key))));
    let sets =
        [final_metrics(record, Compared::Train), final_validation(record), final_metrics(record, Compared::Test)];
    cells.extend(sets.into_iter().flat_map(|metrics| metric_cells(metrics, record.answers_by())));
    if seconds == Seconds::With {
        // A sum of nothing is −0.
        let sum = |seconds: &[f64]| number_cell(Some(0.0 + seconds.iter().sum::<f64>()).filter(|sum| sum.is_finite()));
        let all = number_cell(score::seconds(record));
        cells.extend([all, sum(&record.runtime.seconds_train), sum(&record.runtime.seconds_evaluate)]);
    }
    cells
}

/// The metrics of one set of samples. Where the nearest code is the answer, none is invalid, and the cell is empty.
fn metric_cells(metrics: Option<&EpochMetrics>, decoding: Decoding) -> [String; Metric::ALL.len()] {
    let has_meaning = |metric: &Metric| *metric != Metric::InvalidRate || decoding == Decoding::Exact;
    Metric::ALL
        .map(|metric| number_cell(metrics.filter(|_| has_meaning(&metric)).and_then(|metrics| metric.value(metrics))))
}

fn number_cell(value: Option<f64>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
}

fn value_cell(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text_cell(text),
        Some(Value::Number(number)) => number.to_string(),
        Some(Value::Bool(flag)) => flag.to_string(),
        Some(other) => text_cell(&other.to_string()),
    }
}

/// A text as a cell: quoted where it must be, and never a formula.
fn text_cell(text: &str) -> String {
    let mut cell = text::clean(text, MAX_CHARACTERS);
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r', '|', '%'])
        || cell.trim_start().starts_with(['=', '+', '-', '@'])
    {
        cell.insert(0, '\'');
    }
    if cell.contains([',', '"', '\n', '\r', '\'', ';', ' ']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell
    }
}
