//! The published document is what its findings give, and they say what their trials say.

use std::fs;
use std::path::{Path, PathBuf};

use paper::document::{FINDINGS, FOLDER, claims, files, findings_as_lines};
use paper::statistics::Effect;
use paper::thresholds::{N_DECIDING, N_OTHERS};
use paper::{CLAIMS, Comparison, ComparisonSetup, Findings, Measure, Row, Selection, Side, Statement, slope};

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
    assert_eq!(claims(&findings).len(), CLAIMS.len());
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

/// One side as the findings keep it: its label and its trials.
fn side(side: &Side<'_>, seeds: &[u64]) -> (String, Vec<String>) {
    match side {
        Side::Constant(character) => (format!("the answer '{character}'"), Vec::new()),
        Side::Networks(label, rows) => {
            let by_seed = rows.by_seed();
            (label.clone(), seeds.iter().map(|seed| by_seed[seed].trial.clone()).collect())
        }
    }
}

/// The seeds that both sides have.
fn common_seeds(comparison: &Comparison<'_>) -> Vec<u64> {
    let seeds = |side: &Side<'_>| match side {
        Side::Constant(_) => None,
        Side::Networks(_, rows) => Some(rows.by_seed().into_keys().collect::<Vec<u64>>()),
    };
    match (seeds(&comparison.left), seeds(&comparison.right)) {
        (Some(left), Some(right)) => left.into_iter().filter(|seed| right.contains(seed)).collect(),
        (left, right) => left.or(right).unwrap_or_default(),
    }
}

#[test]
fn the_claims_ask_for_the_very_comparisons_that_are_published() {
    let (findings, _) = published();
    for claim in CLAIMS {
        let mut comparisons = claim.comparisons(&findings.rows);
        comparisons.sort_by_key(|comparison| (comparison.setup == ComparisonSetup::Repaired, !comparison.is_deciding));
        // Slopes are no comparisons of networks.
        let own = |statement: &&Statement| statement.claim == claim.number() && statement.measure != Measure::Slope;
        let statements: Vec<&Statement> = findings.statements.iter().filter(own).collect();
        assert_eq!(comparisons.len(), statements.len(), "{}", claim.title());
        for (comparison, statement) in comparisons.iter().zip(statements) {
            assert_eq!(comparison.text, statement.text);
            assert_eq!(
                (comparison.setup, comparison.is_deciding, comparison.measure, comparison.threshold),
                (statement.setup, statement.is_deciding, statement.measure, statement.threshold),
                "{}",
                statement.text
            );
            let seeds = common_seeds(comparison);
            assert_eq!(seeds.len(), statement.effect.n_seeds, "{}", statement.text);
            for (compared, told) in [(&comparison.left, &statement.left), (&comparison.right, &statement.right)] {
                assert_eq!(side(compared, &seeds), (told.label.clone(), told.trials.clone()), "{}", statement.text);
            }
        }
    }
}

#[test]
fn the_published_slopes_follow_from_the_published_trials() {
    let (findings, _) = published();
    assert!(!findings.slopes.is_empty());
    for ((_, published), sweep) in findings.slopes.iter().zip(["l2-epochs", "l2-updates"]) {
        let rows = findings.rows.iter().filter(|row| row.sweep.starts_with(sweep)).collect();
        assert_eq!(slope(&Selection { rows }).as_ref(), Some(published), "{sweep}");
    }
}

#[test]
fn effects_on_the_error_follow_from_the_published_trials() {
    let (findings, _) = published();
    let by_error = findings.statements.iter().filter(|statement| statement.measure == Measure::Error);
    for statement in by_error {
        let error = |trial: &String| findings.rows.iter().find(|row| row.trial == *trial).expect("a row").error();
        let pairs = statement.left.trials.iter().zip(&statement.right.trials);
        let differences: Vec<f64> = pairs.map(|(left, right)| error(right) - error(left)).collect();
        assert_eq!(Effect::of_seeds(&differences), statement.effect, "{}", statement.text);
    }
}
