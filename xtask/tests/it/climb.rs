//! `climb`: the way from sweeps to the page, with nets that are too small for any rung.

use std::fs;

use crate::sandbox::Sandbox;

#[test]
fn the_rungs_are_listed_with_their_goals_and_nothing_runs() {
    let sandbox = Sandbox::new();
    let outcome = sandbox.run(["climb", "--list"]).expect_code(0);
    assert!(outcome.stdout.contains("0.60  climb-deformed"), "{}", outcome.stdout);
    assert!(outcome.stdout.lines().all(|line| line.chars().count() <= 80), "{}", outcome.stdout);
    assert!(sandbox.files("runs").is_empty());
}

#[test]
fn what_cannot_be_climbed_is_refused() {
    let sandbox = Sandbox::new();
    sandbox.run(["climb", "climb-higher", "--quick"]).expect_code(2).expect_error("cargo xtask climb --list");
    sandbox.run(["climb"]).expect_code(3).expect_error("cargo xtask download");
    sandbox.run(["climb", "--quick", "--so-far"]).expect_code(2).expect_error("nothing to tell of");
    sandbox.run(["climb", "--quick", "--publish"]).expect_code(2);
}

#[test]
fn a_quick_climb_writes_a_page_that_says_so_and_repeats_nothing() {
    let sandbox = Sandbox::new();
    let climb = ["climb", "climb-deformed", "trick-base", "trick-dropout", "--quick", "--out", "up"];
    sandbox.run(climb).expect_code(0);
    let page = fs::read_to_string(sandbox.path("up/results.md")).expect("a page");
    for expected in [
        "A quick run",
        "5 × 784-24-10",
        "dropout: 0.4 of the units",
        "What remains wrong",
        "not yet run",
        "500 test images",
    ] {
        assert!(page.contains(expected), "{expected}: {page}");
    }
    assert!(sandbox.path("up/results/wrong.svg").is_file() && sandbox.path("up/results/curves-one-hot.svg").is_file());
    let records = || {
        let files = sandbox.files("up/climb-deformed/trials");
        files
            .iter()
            .map(|file| fs::read(sandbox.path("up/climb-deformed/trials").join(file)).expect("a record"))
            .collect::<Vec<_>>()
    };
    let before = records();
    assert_eq!(before.len(), 5);
    let again = sandbox.run(climb).expect_code(0);
    assert!(again.stdout.contains("5 of 5 done"), "{}", again.stdout);
    assert_eq!(records(), before);
    assert_eq!(fs::read_to_string(sandbox.path("up/results.md")).expect("a page"), page);
}
