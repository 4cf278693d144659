//! The hand-over to Slurm, with programs in the place of `sbatch`. Those that answer nonsense or nothing are tested in `mlp-sweep`.

use std::fs;

use crate::sandbox::{Outcome, Sandbox};
use crate::sweep::records;

const GRID: &str = "hidden = [4]\nepochs = 1\ntest_size = 50\n[sweep]\nseed = [0, 1, 2, 3, 4]\n";

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::with_digits();
    sandbox.write("grid.toml", GRID);
    fs::create_dir_all(sandbox.path("bin")).expect("a folder");
    sandbox
}

/// Submits into a folder whose name a shell would obey, with `sbatch` doing what `script` says.
fn submit(sandbox: &Sandbox, script: Option<&str>, arguments: &[&str]) -> Outcome {
    let path = sandbox.path("bin/sbatch");
    let _ = fs::remove_file(&path);
    if let Some(script) = script {
        sandbox.write_program("bin/sbatch", &format!("#!/bin/sh\n{script}\n"));
    }
    let fixed = ["sweep", "grid.toml", "--data", "./digits", "--out", FOLDER, "--executor", "slurm"];
    let mut command = sandbox.command(fixed.iter().chain(arguments));
    let search = match script {
        Some(_) => format!("{}:{}", sandbox.path("bin").display(), std::env::var("PATH").unwrap_or_default()),
        None => sandbox.path("bin").display().to_string(),
    };
    sandbox.outcome(command.env("PATH", search).output().expect("the program starts"))
}

const FOLDER: &str = "a $(touch owned) 100% 'folder'";

/// Runs each task of the array at once, as Slurm would, and answers with a number.
const RUNS_THE_TASKS: &str = "while case $1 in --*) true;; *) false;; esac; do\n\
    case $1 in --array=1-*) n=${1#--array=1-};; esac; shift; done\n\
    i=0; while [ $i -lt $n ]; do i=$((i+1)); SLURM_ARRAY_TASK_ID=$i sh \"$@\" >&2 || exit 1; done; echo '42;cluster'";

#[test]
fn a_sweep_is_submitted_as_a_job_array_whose_tasks_complete_it() {
    let sandbox = sandbox();
    let outcome = submit(&sandbox, Some(RUNS_THE_TASKS), &["--tasks", "2", "--cores", "1"]).expect_code(0);
    assert!(outcome.stdout.contains("submitted job 42: 2 tasks for 5 trials"), "{outcome:#?}");
    assert!(!sandbox.path("owned").exists());
    sandbox.run(["sweep", "grid.toml", "--data", "./digits", "--out", "undisturbed"]).expect_code(0);
    assert_eq!(records(&sandbox, FOLDER), records(&sandbox, "undisturbed"));
    let again = submit(&sandbox, Some("exit 1"), &[]).expect_code(0);
    assert!(again.stdout.contains("nothing is submitted"), "{again:#?}");
}

#[test]
fn a_dry_run_shows_script_and_call_and_writes_nothing() {
    let sandbox = sandbox();
    let options =
        ["--dry-run", "--account", "a b", "--partition", "p", "--time", "1:00:00", "--memory", "4G", "--cores", "2"];
    let outcome = submit(&sandbox, Some("echo must not run >&2; exit 1"), &options).expect_code(0);
    for line in [
        "exec \"$@\" --shard",
        "  --array=1-5",
        "  --account=a b",
        "  --partition=p",
        "  --time=1:00:00",
        "  --mem=4G",
        "  --cpus-per-task=2",
        "  --signal=B:TERM@120",
    ] {
        assert!(outcome.stdout.contains(line), "{line}: {outcome:#?}");
    }
    assert!(!sandbox.path(FOLDER).exists());
    sandbox.run(["sweep", "grid.toml", "--dry-run"]).expect_code(2).expect_error("--executor");
}

#[test]
fn an_sbatch_that_is_missing_or_refuses_ends_with_5_and_says_so() {
    let sandbox = sandbox();
    submit(&sandbox, None, &[]).expect_code(5).expect_error("cannot run sbatch");
    let refused = submit(&sandbox, Some("echo 'invalid partition' >&2; exit 1"), &[]).expect_code(5);
    refused.expect_error("sbatch refused the job: invalid partition");
}
