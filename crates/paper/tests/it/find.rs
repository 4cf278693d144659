//! What `find` does where networks cannot be looked at. That verdicts come out as planted is tested where sweeps are run.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use mlp_core::Kernel;
use mlp_results::Status;
use paper::statistics::Verdict;
use paper::{
    Claim, Comparison, ComparisonSetup, Error, ErrorKind, Findings, Models, Result, Row, Selection, Side, Study,
    TestImages, Trials, find,
};
use serde_json::{Map, json};

/// That networks with biases are better than those without.
struct Biased;

impl Claim for Biased {
    fn number(&self) -> u8 {
        1
    }

    fn title(&self) -> &'static str {
        "biased"
    }

    fn paper_says(&self) -> &'static str {
        "nothing"
    }

    fn studies(&self) -> Vec<&'static Study> {
        Vec::new()
    }

    fn comparisons<'a>(&self, rows: &'a [Row]) -> Vec<Comparison<'a>> {
        let all = Selection::of(rows, "made-up");
        let side = |bias: bool| Side::networks(format!("bias = {bias}"), all.with("bias", bias));
        let absent = Side::networks("absent", Selection::of(rows, "absent"));
        vec![
            Comparison::new(ComparisonSetup::Repaired, "biases help", side(true), side(false)).by_error(),
            Comparison::new(ComparisonSetup::Repaired, "absent networks are better", absent, side(false)),
        ]
    }

    fn setup(&self, _: &Findings) -> String {
        String::new()
    }

    fn why(&self, _: &Findings) -> String {
        String::new()
    }
}

/// Trials that diverged, so that their errors are all 1, with or without saved models.
fn trials(weights_sha256: Option<&str>) -> Trials {
    let row = |bias: bool, seed: u64| Row {
        sweep: "made-up".to_owned(),
        trial: format!("{bias}-{seed}"),
        status: Status::Diverged,
        seed,
        n_train: 10,
        n_test: 20,
        config: Map::from_iter([("bias".to_owned(), json!(bias))]),
        validation: None,
        test: None,
        curve: Vec::new(),
        weights_sha256: weights_sha256.map(str::to_owned),
    };
    Trials { rows: vec![row(true, 0), row(true, 1), row(false, 0), row(false, 1)], n_missing: 3, is_quick: true }
}

fn found(trials: Trials, folder: &Path, stop: bool) -> Result<Findings> {
    let images = mnist_io::synthetic_digits(40, 0);
    let subset = |size: usize| {
        assert_eq!(size, 20);
        Arc::new(mnist_io::synthetic_digits(size, 0).into())
    };
    let test = TestImages { name: "digits", sha256: "0", all: &images, subset: &subset };
    let models =
        Models { folder, kernel: Kernel::Portable, n_threads: 2, stop: &AtomicBool::new(stop), observe: &|_| {} };
    find(&[&Biased], trials, &test, &models)
}

#[test]
fn networks_without_a_saved_model_are_judged_by_their_records() {
    let findings = found(trials(None), Path::new("nowhere"), false).expect("findings");
    let [statement] = findings.statements.as_slice() else { panic!("the comparison without networks is left out") };
    assert_eq!((statement.left.mean, statement.right.mean, statement.effect.estimate), (1.0, 1.0, 0.0));
    assert_eq!(findings.judged()[0].1.verdict, Verdict::Refuted, "no difference is less than one that counts");
    assert_eq!((findings.n_missing, findings.is_quick, findings.n_test), (3, true, 40));
    assert!(findings.commonest.keys().eq(&[20, 40]) && findings.constant_of_fewer.keys().eq(&[20]));
}

#[test]
fn a_model_that_is_missing_is_named() {
    let error: Error = found(trials(Some("0")), Path::new("nowhere"), false).expect_err("no models");
    assert_eq!(error.kind(), ErrorKind::Io);
    assert!(error.io_error().is_some_and(|error| error.kind() == std::io::ErrorKind::NotFound));
    let path = error.path().expect("a path").to_string_lossy().into_owned();
    assert!(path.contains("made-up/models/") && error.to_string().contains(&path), "{error}");
}

#[test]
fn who_is_asked_to_stop_says_so() {
    let error = found(trials(Some("0")), Path::new("nowhere"), true).expect_err("stopped");
    assert_eq!(error.kind(), ErrorKind::Stopped);
}
