//! Several processes on one folder, each with a part of the sweep.

use std::fs;
use std::process::{Child, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::sandbox::Sandbox;
use crate::sweep::records;
#[cfg(target_os = "linux")]
use crate::waiting::{signal, suspend};
use crate::waiting::{wait_until, wait_until_running};

const GRID: &str = "hidden = [8]\nepochs = 6\nbatch_size = 4\ntest_size = 50\nevaluate_train = 50\n\
                    [sweep]\nlearning_rate = [0.003, 0.03]\nseed = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]\n";

fn arguments<'a>(shard: &'a str, out: &'a str) -> [&'a str; 12] {
    ["sweep", "grid.toml", "--data", "./digits", "--jobs", "1", "--threads", "1", "--out", out, "--shard", shard]
}

fn spawn(sandbox: &Sandbox, shard: &str) -> Child {
    let mut command = sandbox.command(arguments(shard, "out"));
    command.args(["--checkpoint-epochs", "1"]).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().expect("the program starts")
}

#[test]
fn eight_processes_with_overlapping_shards_compute_every_trial_and_agree() {
    let sandbox = Sandbox::with_digits();
    sandbox.write("grid.toml", GRID);
    let shards = ["1/1", "1/1", "1/2", "2/2", "1/3", "2/3", "3/3", "2/4"];
    let children: Vec<Child> = shards.iter().map(|shard| spawn(&sandbox, shard)).collect();
    for child in children {
        sandbox.outcome(child.wait_with_output().expect("an end")).expect_code(0);
    }
    sandbox.run(["sweep", "grid.toml", "--data", "./digits", "--out", "undisturbed"]).expect_code(0);
    assert_eq!(records(&sandbox, "out"), records(&sandbox, "undisturbed"));
    assert_eq!(records(&sandbox, "out").len(), 24);
    assert!(sandbox.files("out/checkpoints").is_empty() && sandbox.files("out/running").is_empty());
    let csv = |folder: &str| fs::read_to_string(sandbox.path(folder).join("results.csv")).expect("a table");
    assert_eq!(csv("out"), csv("undisturbed"));
}

#[test]
fn shards_that_are_killed_leave_their_trials_to_the_others() {
    let sandbox = Sandbox::with_digits();
    sandbox.write("grid.toml", GRID);
    let mut victims: Vec<Child> = ["1/1", "1/2", "2/2"].iter().map(|shard| spawn(&sandbox, shard)).collect();
    let survivors: Vec<Child> = ["1/2", "2/2"].iter().map(|shard| spawn(&sandbox, shard)).collect();
    wait_until_running(&sandbox, "out", &mut victims[0]);
    for victim in &mut victims {
        std::thread::sleep(Duration::from_millis(100));
        victim.kill().expect("a kill");
        victim.wait().expect("an end");
    }
    for child in survivors {
        sandbox.outcome(child.wait_with_output().expect("an end")).expect_code(0);
    }
    sandbox.run(["sweep", "grid.toml", "--data", "./digits", "--out", "undisturbed"]).expect_code(0);
    assert_eq!(records(&sandbox, "out"), records(&sandbox, "undisturbed"));
}

#[cfg(target_os = "linux")]
#[test]
fn a_sweep_that_wants_its_folder_alone_is_refused_while_others_share_it() {
    let sandbox = Sandbox::with_digits();
    sandbox.write("grid.toml", GRID);
    let mut child = spawn(&sandbox, "1/2");
    wait_until_running(&sandbox, "out", &mut child);
    if suspend(&mut child) {
        let outcome = sandbox.run(["sweep", "grid.toml", "--data", "./digits", "--out", "out"]);
        signal(&child, "CONT");
        outcome.expect_code(6).expect_error(&format!("in use by sweep, process {}", child.id()));
    }
    sandbox.outcome(child.wait_with_output().expect("an end")).expect_code(0);
    assert_eq!(records(&sandbox, "out").len(), 12);
    sandbox.run(arguments("0/2", "out")).expect_code(2).expect_error("K/N");
}

#[test]
fn the_status_of_a_sweep_is_told_while_it_runs_and_after() {
    let sandbox = Sandbox::with_digits();
    sandbox.write("grid.toml", GRID);
    sandbox.run(["sweep", "status", "none"]).expect_code(2).expect_error("spec.toml");
    let mut child = spawn(&sandbox, "1/1");
    let mut status = Value::Null;
    wait_until(&mut child, "a finished trial", || {
        let asked = sandbox.run(["sweep", "status", "out", "--json"]);
        // Until the sweep has written its specification there is nothing to tell.
        status = serde_json::from_str(&asked.stdout).unwrap_or_default();
        status["finished"].as_u64().is_some_and(|n_finished| n_finished > 0)
    });
    assert_eq!(status["trials"], 24);
    sandbox.outcome(child.wait_with_output().expect("an end")).expect_code(0);
    let after = sandbox.run(["sweep", "status", "out"]).expect_code(0);
    assert!(after.stdout.contains("trials   24: 24 finished, 0 running, 0 to do"), "{after:#?}");
    assert!(after.stdout.contains("work     complete") && after.stdout.contains("best "), "{after:#?}");
}
