//! The published document is what its findings give, and they say what their trials say.

use std::fs;
use std::path::{Path, PathBuf};

use paper::document::{FINDINGS, FOLDER, files, findings_as_lines};
use paper::thresholds::{N_DECIDING, N_OTHERS};
use paper::{CLAIMS, Findings, Measure, Row, Selection};

/// The published findings, and the folder that they are published in.
fn published() -> (Findings, PathBuf) {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
    let text = fs::read_to_string(docs.join(FOLDER).join(FINDINGS)).expect("the published findings");
    (serde_json::from_str(&text).expect("findings"), docs)
}

#[test]
fn the_published_document_is_what_its_findings_give() {
    let (findings, docs) = published();
    assert!(!findings.is_quick && findings.n_missing == 0, "only a full and finished run is published");
    assert_eq!((findings.family(true).len(), findings.family(false).len()), (N_DECIDING, N_OTHERS));
    let found = fs::read_to_string(docs.join(FOLDER).join(FINDINGS)).expect("the findings");
    assert!(findings_as_lines(&findings) == found, "{FINDINGS}: written differently");
    let files = files(&findings);
    for (name, text) in &files {
        let found = fs::read_to_string(docs.join(name)).unwrap_or_default();
        assert!(found == *text, "{name}: not what the findings give; `cargo xtask reproduce --publish` writes it");
    }
    let known: Vec<&str> = files.iter().filter_map(|(name, _)| name.strip_prefix("reproduction/")).collect();
    for entry in fs::read_dir(docs.join(FOLDER)).expect("the folder").flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        assert!(name == FINDINGS || known.contains(&name.as_str()), "{name}: belongs to nothing in the document");
    }
}

#[test]
fn what_is_said_of_a_comparison_follows_from_its_trials() {
    let (findings, _) = published();
    assert_eq!(findings.claims().len(), CLAIMS.len());
    for statement in &findings.statements {
        for side in [&statement.left, &statement.right] {
            let rows: Vec<&Row> = side
                .trials
                .iter()
                .map(|trial| findings.rows.iter().find(|row| row.trial == *trial).expect("a row for each trial"))
                .collect();
            assert_eq!(rows.len(), if side.trials.is_empty() { 0 } else { side.n_seeds }, "{}", statement.text);
            let rows = Selection { rows };
            let expected = match statement.measure {
                Measure::Digits => rows.mean(Row::accuracy),
                Measure::Nearest => rows.mean(Row::nearest_accuracy),
                Measure::Error => rows.mean(Row::error),
                Measure::Blurred | Measure::Retention | Measure::Slope => continue,
            };
            // Records of smaller test sets say something else; the paper's first figures have 5,000 images.
            let is_of_fewer = rows.rows.iter().any(|row| row.sweep.starts_with("figures-17000"));
            assert!(rows.is_empty() || is_of_fewer || (expected - side.mean).abs() < 1e-6, "{}", statement.text);
        }
        if statement.measure != Measure::Slope {
            let sign = if statement.measure == Measure::Error { -1.0 } else { 1.0 };
            let difference = sign * (statement.left.mean - statement.right.mean);
            assert!((statement.effect.estimate - difference).abs() < 1e-6, "{}", statement.text);
        }
    }
}
