//! `results.csv`: every byte of it, and what another program reads from it.

use mlp_report::csv::{Seconds, results_csv};
use mlp_results::TrialResult;
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

/// The hashes are those of the tables that the first versions wrote, which joined and quoted cells by hand.
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
