//! Trials drawn at random, and trials stopped early.

use std::fs;

use serde_json::Value;

use crate::sandbox::{Outcome, Sandbox};
use crate::sweep::records;

const RANDOM: &str = "hidden = [4]\nepochs = 1\ntest_size = 50\n[sweep]\nmode = \"random\"\ntrials = 4\n\
                      learning_rate = { from = 1e-4, to = 0.1, scale = \"log\" }\nbatch_size = { from = 4, to = 32 }\n\
                      activation = [\"tanh\", \"relu\", \"sigmoid\"]\nseed = [0, 1]\n";

/// Nine trials, of which three reach the third epoch and one the last.
const HALVING: &str = "hidden = [4]\nepochs = 6\nvalidation = 50\ntest_size = 50\n[sweep]\n\
                       halving = { metric = \"validation.loss\", first = 1, factor = 3 }\n\
                       learning_rate = [0.0001, 0.001, 0.01]\nseed = [0, 1, 2]\n";

fn sweep(sandbox: &Sandbox, out: &str, arguments: &[&str]) -> Outcome {
    let fixed = ["sweep", "grid.toml", "--data", "./digits", "--threads", "2", "--out", out];
    sandbox.run(fixed.iter().chain(arguments))
}

#[test]
fn draws_are_the_same_every_time_and_more_of_them_keep_the_earlier_ones() {
    let sandbox = Sandbox::with_digits();
    sandbox.write("grid.toml", RANDOM);
    sweep(&sandbox, "out", &[]).expect_code(0);
    let first = records(&sandbox, "out");
    assert_eq!(first.len(), 8);
    sweep(&sandbox, "again", &["--jobs", "1"]).expect_code(0);
    assert_eq!(records(&sandbox, "again"), first);
    sweep(&sandbox, "out", &["--set", "sweep.trials=6"]).expect_code(0).expect_error("grows from 8 to 12 trials");
    let grown = records(&sandbox, "out");
    assert!(grown.len() == 12 && first.iter().all(|(trial, record)| grown[trial] == *record));
    sweep(&sandbox, "out", &["--set", "sweep.trials=6", "--set", "sweep.draw_seed=1"])
        .expect_code(2)
        .expect_error("sweep.draw_seed: 0 there, 1 now");
    let again = sandbox.run(["sweep", "out/spec.toml", "--threads", "2", "--out", "out"]).expect_code(0);
    assert!(again.stdout.contains("12 of them finished already"), "{again:#?}");
    for record in grown.values() {
        let rate = record["config"]["learning_rate"].as_f64().expect("a number");
        assert!((1e-4..=0.1).contains(&rate), "{rate}");
    }
}

#[test]
fn what_cannot_be_drawn_or_halved_is_refused_before_any_folder_exists() {
    let sandbox = Sandbox::with_digits();
    for (text, error) in [
        ("[sweep]\nmode = \"random\"\nseed = [0]\n", "expected trials, the number of combinations"),
        ("[sweep]\nmode = \"bayes\"\n", "expected \"grid\" or \"random\""),
        ("[sweep]\ntrials = 5\nseed = [0, 1]\n", "expected mode = \"random\""),
        ("[sweep]\nlearning_rate = { from = 0.1, to = 1 }\n", "expected"),
        ("[sweep]\nmode = \"random\"\ntrials = 5\nlearning_rate = { from = 1, to = 0.1 }\n", "with from below to"),
        ("[sweep]\nmode = \"random\"\ntrials = 5\nl2 = { from = 0, to = 0.1, scale = \"log\" }\n", "positive numbers"),
        ("[sweep]\nmode = \"random\"\ntrials = 5\nlearning_rate = { from = -1, to = 0.1 }\n", "learning_rate"),
        ("[sweep]\nmode = \"random\"\ntrials = 5\nlearning_rate = { from = 1, upto = 2 }\n", "from, to and scale"),
        ("[sweep]\nmode = \"random\"\ntrials = 5\nbatch_size = [8, 16]\n", "expected 5 different combinations"),
        ("[sweep]\nhalving = true\nseed = [0, 1]\n", "validation"),
        ("validation = 50\n[sweep]\nhalving = { first = 10 }\nseed = [0, 1]\n", "expected fewer than the 10 epochs"),
        ("validation = 50\n[sweep]\nhalving = { factor = 1 }\nseed = [0, 1]\n", "at least 2"),
        ("validation = 50\n[sweep]\nhalving = true\nepochs = [4, 5]\n", "one number of epochs"),
    ] {
        sandbox.write("grid.toml", text);
        sweep(&sandbox, "out", &[]).expect_code(2).expect_error(error);
        assert!(!sandbox.path("out").exists(), "{text}");
    }
}

#[test]
fn halving_stops_the_worse_trials_and_leaves_no_record_of_them() {
    let sandbox = Sandbox::with_digits();
    sandbox.write("grid.toml", HALVING);
    let outcome =
        sweep(&sandbox, "out", &[]).expect_code(0).expect_error("8 of 9 trials stopped early and are no results");
    assert!(!outcome.stdout.contains("panicked"));
    let kept = records(&sandbox, "out");
    assert_eq!(kept.len(), 1);
    let ranking = fs::read_to_string(sandbox.path("out/halving.json")).expect("a ranking");
    let ranking: Value = serde_json::from_str(&ranking).expect("JSON");
    let counts: Vec<_> = ranking
        .as_array()
        .expect("comparisons")
        .iter()
        .map(|one| (&one["epoch"], &one["n_trials"], &one["n_kept"]))
        .collect();
    assert_eq!(format!("{counts:?}"), "[(Number(1), Number(9), Number(3)), (Number(3), Number(3), Number(1))]");
    assert!(sandbox.files("out/checkpoints").is_empty());

    // Without halving the best trial is the same one, with the same weights.
    sweep(&sandbox, "whole", &["--set", "sweep.halving=false"]).expect_code(0);
    let whole = records(&sandbox, "whole");
    assert!(whole.len() == 9 && kept.iter().all(|(trial, record)| whole[trial] == *record));

    sweep(&sandbox, "out", &[]).expect_code(0);
    assert_eq!(records(&sandbox, "out"), kept);
    let status = sandbox.run(["sweep", "status", "out"]).expect_code(0);
    assert!(status.stdout.contains("1 finished, 8 stopped early, 0 running, 0 to do"), "{status:#?}");
    sweep(&sandbox, "out", &["--shard", "1/2"]).expect_code(2).expect_error("compares all trials with one another");
}

#[test]
fn halving_that_is_killed_at_any_write_decides_as_if_it_had_not_been() {
    let sandbox = Sandbox::with_digits();
    sandbox.write("grid.toml", HALVING);
    sweep(&sandbox, "undisturbed", &[]).expect_code(0);
    let (expected, ranking) =
        (records(&sandbox, "undisturbed"), fs::read(sandbox.path("undisturbed/halving.json")).ok());
    for step in (8..140).step_by(11) {
        let out = format!("kill-{step}");
        let arguments =
            ["sweep", "grid.toml", "--data", "./digits", "--jobs", "1", "--threads", "1", "--quiet", "--out"];
        let killed = sandbox
            .command(arguments.iter().copied().chain([out.as_str()]))
            .env("DURABLE_FILE_FAULT", format!("kill:{step}"))
            .output();
        let is_killed = !killed.expect("the program starts").status.success();
        sweep(&sandbox, &out, &[]).expect_code(0);
        assert_eq!(records(&sandbox, &out), expected, "killed at step {step}");
        assert_eq!(fs::read(sandbox.path(&format!("{out}/halving.json"))).ok(), ranking, "killed at step {step}");
        assert!(is_killed || step > 60, "step {step} was not reached");
    }
}
