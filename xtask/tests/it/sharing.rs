//! Several processes on one folder, each with a part of the sweep. That they agree is tested in `mlp-sweep`; here is what is
//! said and written about it.

use std::process::{Child, Stdio};

#[cfg(target_os = "linux")]
use serde_json::Value;

use crate::sandbox::Sandbox;
use crate::sweep::table_without_seconds;
#[cfg(target_os = "linux")]
use crate::waiting::{signal, suspend, wait_for_file};

const GRID: &str = "hidden = [8]\nepochs = 6\nbatch_size = 4\ntest_size = 50\nevaluate_train = 50\n\
                    [sweep]\nlearning_rate = [0.003, 0.03]\nseed = [0, 1, 2, 3]\n";

fn arguments<'a>(shard: &'a str, out: &'a str) -> [&'a str; 12] {
    ["sweep", "grid.toml", "--data", "./digits", "--jobs", "1", "--threads", "1", "--out", out, "--shard", shard]
}

fn spawn(sandbox: &Sandbox, shard: &str) -> Child {
    let mut command = sandbox.command(arguments(shard, "out"));
    command.args(["--checkpoint-epochs", "1"]).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().expect("the program starts")
}

#[test]
fn the_table_of_results_is_that_of_an_undisturbed_sweep_whoever_ends_last() {
    let sandbox = Sandbox::with_digits();
    sandbox.write("grid.toml", GRID);
    let children: Vec<Child> = ["1/1", "1/2", "2/2"].iter().map(|shard| spawn(&sandbox, shard)).collect();
    for child in children {
        sandbox.outcome(child.wait_with_output().expect("an end")).expect_code(0);
    }
    sandbox.run(["sweep", "grid.toml", "--data", "./digits", "--out", "undisturbed"]).expect_code(0);
    assert_eq!(table_without_seconds(&sandbox, "out"), table_without_seconds(&sandbox, "undisturbed"));
    sandbox.run(arguments("0/2", "out")).expect_code(2).expect_error("K/N");
}

#[cfg(target_os = "linux")]
#[test]
fn the_status_of_a_sweep_is_told_while_it_runs_and_after() {
    let sandbox = Sandbox::with_digits();
    sandbox.write("grid.toml", GRID);
    sandbox.run(["sweep", "status", "none"]).expect_code(2).expect_error("no such folder");
    sandbox.run(["sweep", "status", "xtask"]).expect_code(2).expect_error("spec.toml");
    let mut child = spawn(&sandbox, "1/1");
    wait_for_file(&sandbox, "out/trials", &mut child);
    // Standing still, it is neither over nor changed while it is looked at.
    assert!(suspend(&mut child), "it was over at once");
    let asked = sandbox.run(["sweep", "status", "out", "--json"]);
    signal(&child, "CONT");
    sandbox.outcome(child.wait_with_output().expect("an end")).expect_code(0);
    let status: Value = serde_json::from_str(&asked.expect_code(0).stdout).expect("JSON alone");
    assert!(status["trials"] == 8 && status["finished"].as_u64().is_some_and(|n| (1..8).contains(&n)), "{status}");
    let after = sandbox.run(["sweep", "status", "out"]).expect_code(0);
    assert!(after.stdout.contains("trials   8: 8 finished, 0 running, 0 to do"), "{after:#?}");
    assert!(after.stdout.contains("work     complete") && after.stdout.contains("best "), "{after:#?}");
}
