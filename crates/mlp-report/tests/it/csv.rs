//! `results.csv` and `epochs.csv`: every byte, and what another program reads from them.

use mlp_report::csv::{Seconds, results_csv, write_epochs};
use mlp_results::{Overview, TrialResult};
use proptest::prelude::*;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::made_up::{self, Story};

const STORY: Story = Story { accuracy: 0.9, pace: 2.0, n_epochs: 1, seed: 0 };

/// Trials whose settings are these values, each under the key `note`, and nothing else.
fn noted(values: &[Value]) -> Vec<TrialResult> {
    let record = |(index, value): (usize, &Value)| {
        let mut record = made_up::record(&[("note", value.clone())], STORY);
        record.config.retain(|key, _| key == "note");
        record.trial = format!("{index:04}");
        record
    };
    made_up::trials(values.iter().enumerate().map(record).collect())
}

/// The cells of the column `note`, as a reader of comma-separated values finds them.
fn notes(table: &str) -> Vec<String> {
    let mut reader = csv::Reader::from_reader(table.as_bytes());
    let column = reader.headers().unwrap().iter().position(|name| name == "note").unwrap();
    reader.records().map(|row| row.unwrap()[column].to_owned()).collect()
}

/// Whatever a spreadsheet or a reader might trip over.
fn hostile() -> Vec<Value> {
    let texts = [
        "",
        "plain",
        "with space",
        "a,b",
        "a;b",
        "it's",
        "say \"so\"",
        "\"",
        "\"\"",
        "line\nbreak",
        "line\r\nbreak",
        "tab\tinside",
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        "|cmd",
        "%0A",
        " =1",
        "\t=1",
        "\u{0}=1",
        "ü→½",
        "\u{202E}x",
        "a\u{85}b",
        "# comment",
        "\u{FEFF}bom",
        "1e5",
        "-0.5",
        ",",
        "\r",
        "'",
        "''",
        "=\"a\"&\"b\"",
    ];
    let mut values: Vec<Value> = texts.iter().map(|text| json!(text)).collect();
    values.extend([json!(-0.5), json!(1e-7), json!(true), json!(null), json!([1, "a,b"]), json!({ "name": "x y" })]);
    values.push(json!("x".repeat(2_000)));
    values
}

#[test]
fn every_cell_is_written_as_it_always_was() {
    let table = results_csv(&noted(&hostile()), Seconds::Without);
    insta::assert_snapshot!(table.replace('\r', "␍"));
}

/// The hashes without seconds are those of the tables that the first versions wrote, which joined and quoted cells by hand.
#[test]
fn the_tables_of_made_up_sweeps_have_the_bytes_that_they_always_had() {
    let hash = |trials: &[TrialResult], seconds| hex(&Sha256::digest(results_csv(trials, seconds)));
    let depths = made_up::trials(made_up::depth_sweep());
    let hashes = [
        hash(&depths, Seconds::Without),
        hash(&depths, Seconds::With),
        hash(&made_up::trials(made_up::grid(1_000)), Seconds::With),
        hash(&made_up::drawn(300), Seconds::Without),
        hash(&noted(&hostile()), Seconds::With),
        hash(&[], Seconds::Without),
    ];
    insta::assert_snapshot!(hashes.join("\n"));
}

/// The rows of a table as a reader of comma-separated values finds them, the head first.
fn rows(table: &str) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(table.as_bytes());
    reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect()
}

#[test]
fn the_seconds_of_a_trial_stand_in_the_last_columns_and_nowhere_else() {
    let trials = made_up::trials(made_up::depth_sweep());
    let [with, without] = [Seconds::With, Seconds::Without].map(|seconds| rows(&results_csv(&trials, seconds)));
    let n_columns = without[0].len();
    assert_eq!(with[0][n_columns..], ["seconds", "seconds_train", "seconds_evaluate"]);
    assert_eq!(with.iter().map(|row| &row[..n_columns]).collect::<Vec<_>>(), without);
    let seconds: Vec<f64> = with[1][n_columns..].iter().map(|cell| cell.parse().unwrap()).collect();
    assert!((seconds[0] - 22.1).abs() < 1e-9 && seconds[1] == 20.0 && (seconds[2] - 2.1).abs() < 1e-9, "{seconds:?}");
    assert_eq!(mlp_report::ReportInput::default().seconds, Seconds::With);
}

fn epochs(trials: &[TrialResult]) -> String {
    let mut table = Vec::new();
    write_epochs(&Overview::new(trials), &mut table).unwrap();
    String::from_utf8(table).unwrap()
}

/// A rate that waits for progress falls where the losses say so, and one that falls by steps with the epochs.
#[test]
fn every_epoch_has_the_learning_rate_of_its_last_step() {
    let story = Story { n_epochs: 5, ..STORY };
    let rates = |schedule: Value| -> Vec<String> {
        let settings = [("learning_rate", json!(0.8)), ("schedule", schedule), ("validation", json!(100))];
        let mut record = made_up::record(&settings, story);
        for (epoch, loss) in record.epochs.iter_mut().zip([3.0, 2.0, 1.0, 1.5, 1.4, 1.3]) {
            epoch.validation = epoch.test.clone();
            epoch.validation.as_mut().unwrap().loss = loss;
        }
        let table = rows(&epochs(&made_up::trials(vec![record])));
        let column = table[0].iter().position(|name| name == "last_learning_rate").unwrap();
        table[1..].iter().map(|row| row[column].clone()).collect()
    };
    let steps = json!({ "name": "step", "every": 2, "factor": 0.5 });
    assert_eq!(rates(steps), ["", "0.8", "0.8", "0.4", "0.4", "0.2"]);
    let plateau = json!({ "name": "plateau", "metric": "validation.loss", "patience": 2, "factor": 0.5 });
    assert_eq!(rates(plateau), ["", "0.8", "0.8", "0.8", "0.8", "0.4"], "two epochs after the best one");
}

#[test]
fn every_epoch_of_every_trial_has_a_row_with_what_varies_and_its_seconds() {
    let mut records = made_up::depth_sweep();
    for epoch in &mut records[0].epochs {
        epoch.validation = epoch.test.clone();
    }
    let table = rows(&epochs(&made_up::trials(records.clone())));
    let head = &table[0];
    assert_eq!(head[..5], ["trial", "status", "hidden", "seed", "epoch"]);
    assert_eq!(head[head.len() - 2..], ["seconds_train", "seconds_evaluate"]);
    assert_eq!(table.len(), 1 + records.iter().map(|record| record.epochs.len()).sum::<usize>());
    records.sort_by(|one, other| one.trial.cmp(&other.trial));
    let column = |name: &str| head.iter().position(|other| other == name).unwrap();
    let mut left = table[1..].iter();
    for record in &records {
        for (place, epoch) in record.epochs.iter().enumerate() {
            let row = left.next().unwrap();
            let number = |name: &str| row[column(name)].parse::<f64>().ok();
            let validation = epoch.validation.as_ref().map(|metrics| metrics.rmse);
            assert_eq!((&row[0], &row[column("epoch")]), (&record.trial, &epoch.epoch.to_string()));
            assert_eq!(row[column("hidden")], record.config["hidden"].to_string());
            assert_eq!((number("train.loss"), number("validation.rmse")), (Some(epoch.train.loss), validation));
            assert_eq!(number("test.mae"), epoch.test.as_ref().map(|metrics| metrics.mae));
            assert_eq!((number("seconds_train"), number("seconds_evaluate")), ((place > 0).then_some(1.0), Some(0.1)));
        }
    }
    assert_eq!(rows(&epochs(&[])).len(), 1);
}

#[test]
fn hostile_settings_are_as_harmless_in_the_table_of_epochs() {
    let found = notes(&epochs(&noted(&hostile())));
    let expected = notes(&results_csv(&noted(&hostile()), Seconds::Without));
    let twice: Vec<String> = expected.into_iter().flat_map(|note| [note.clone(), note]).collect();
    assert_eq!(found, twice, "two epochs each");
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

proptest! {
    #[test]
    fn any_text_comes_out_again_cleaned_and_disarmed(texts in prop::collection::vec(any::<String>(), 1..6)) {
        let values: Vec<Value> = texts.iter().map(|text| json!(text)).collect();
        let found = notes(&results_csv(&noted(&values), Seconds::Without));
        prop_assert_eq!(found.len(), texts.len());
        for (found, text) in found.iter().zip(&texts) {
            let cleaned = mlp_results::text::clean(text, 1_000);
            prop_assert!(*found == cleaned || *found == format!("'{cleaned}"), "{:?} {:?}", found, text);
            prop_assert!(!found.trim_start().starts_with(['=', '+', '-', '@']));
        }
    }
}
