//! `reproduce`: what can be seen without hours of training. The judgement itself is tested where it is made.

use std::fs;

use mlp_sweep::SweepSpec;

use crate::sandbox::Sandbox;

#[test]
fn the_claims_are_listed_with_their_numbers_and_nothing_runs() {
    let sandbox = Sandbox::new();
    let outcome = sandbox.run(["reproduce", "--list"]).expect_code(0);
    let numbers: Vec<_> = outcome.stdout.lines().map(|line| line.split_whitespace().next().unwrap_or("")).collect();
    assert_eq!(numbers, ["1", "2", "3", "4", "5", "6", "7", "8"]);
    assert!(sandbox.files("runs").is_empty());
}

#[test]
fn a_claim_that_does_not_exist_is_refused() {
    let sandbox = Sandbox::new();
    sandbox.run(["reproduce", "9"]).expect_code(2).expect_error("1..=8");
    sandbox.run(["reproduce", "1", "--publish"]).expect_code(2).expect_error("leave out their numbers");
}

#[test]
fn the_full_run_asks_for_mnist_and_says_how_to_get_it() {
    Sandbox::new().run(["reproduce", "8"]).expect_code(3).expect_error("cargo xtask download");
}

#[test]
fn the_sweeps_can_be_written_as_files_that_sweep_takes() {
    let sandbox = Sandbox::new();
    let outcome = sandbox.run(["reproduce", "4", "--quick", "--sweeps", "files"]).expect_code(0);
    assert_eq!(outcome.stdout.lines().count(), sandbox.files("files").len());
    assert!(sandbox.files("runs").is_empty());
    for line in outcome.stdout.lines() {
        let spec = SweepSpec::read(sandbox.path(line)).unwrap_or_else(|error| panic!("{error}"));
        assert!(spec.trials_settings().expect("trials").len() > 2, "{line}");
    }
    let first = outcome.stdout.lines().next().expect("a file");
    let listed = sandbox.run(["sweep", first, "--list"]).expect_code(0);
    assert!(listed.stdout.lines().count() > 3, "{first}");
    let text = fs::read_to_string(sandbox.path("files/l2-updates-1000.toml")).expect("a part of a study");
    assert!(text.contains("name = \"l2-updates-1000\""), "{text}");
}

#[test]
fn a_plan_says_how_far_each_sweep_is() {
    let outcome = Sandbox::new().run(["reproduce", "8", "--quick", "--plan"]).expect_code(0);
    let lines: Vec<&str> = outcome.stdout.lines().collect();
    assert_eq!(lines.len(), 2, "{}", outcome.stdout);
    assert!(lines.iter().all(|line| line.contains("  0 of ") && line.contains(" done  ")), "{}", outcome.stdout);
}
