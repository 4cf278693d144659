//! A run that is stopped by signals, or stands still, and what it comes to when it goes on. Everything else about going on is
//! tested in `mlp-sweep`.

use std::collections::BTreeMap;
#[cfg(unix)]
use std::process::{Child, Stdio};
#[cfg(unix)]
use std::time::Duration;

use serde_json::Value;

use crate::sandbox::Sandbox;
use crate::sweep::records;
#[cfg(target_os = "linux")]
use crate::waiting::suspend;
#[cfg(unix)]
use crate::waiting::{signal, wait_for_file, wait_until_running};

/// One trial that takes half a second or more, with a checkpoint after each of its many epochs.
#[cfg(unix)]
const LONG: [&str; 14] = [
    "train",
    "--data",
    "./digits",
    "--threads",
    "1",
    "--set",
    "hidden=[64]",
    "--set",
    "batch_size=1",
    "--set",
    "epochs=40",
    "--checkpoint-epochs",
    "1",
    "--quiet",
];

/// One trial of four epochs, likewise.
const SHORT: [&str; 12] = [
    "train",
    "--data",
    "./digits",
    "--threads",
    "1",
    "--set",
    "hidden=[8]",
    "--set",
    "epochs=4",
    "--checkpoint-epochs",
    "1",
    "--quiet",
];

fn with<'a>(arguments: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
    arguments.iter().chain(more).copied().collect()
}

#[cfg(unix)]
fn spawn(sandbox: &Sandbox, arguments: &[&str]) -> Child {
    let mut command = sandbox.command(arguments);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts")
}

/// The only record of a folder, without what two runs need not share.
fn record(sandbox: &Sandbox, folder: &str) -> BTreeMap<String, Value> {
    records(sandbox, folder)
}

#[cfg(unix)]
#[test]
fn a_run_that_is_stopped_by_signals_and_taken_up_again_ends_like_an_undisturbed_one() {
    let sandbox = Sandbox::with_digits();
    let arguments = with(&LONG, &["--out", "out"]);
    for name in ["TERM", "INT", "TERM"] {
        let mut child = spawn(&sandbox, &arguments);
        wait_until_running(&sandbox, "out", &mut child);
        wait_for_file(&sandbox, "out/checkpoints", &mut child);
        signal(&child, name);
        let outcome = sandbox.outcome(child.wait_with_output().expect("an end"));
        outcome.expect_code(75).expect_error("run the same command again to go on from it");
        assert!(!sandbox.files("out/checkpoints").is_empty());
        assert!(sandbox.files("out/trials").is_empty());
        // What it had measured stays for whoever looks; nobody is at it.
        assert_eq!(sandbox.files("out/running").len(), 1);
        let status = sandbox.run(["sweep", "status", "out"]).expect_code(0);
        assert!(
            status.stdout.contains("0 running") && status.stdout.contains("nobody is at work"),
            "{}",
            status.stdout
        );
    }
    sandbox.run(&arguments).expect_code(0);
    assert!(sandbox.files("out/running").is_empty());
    sandbox.run(with(&LONG, &["--out", "undisturbed"])).expect_code(0);
    assert_eq!(record(&sandbox, "out"), record(&sandbox, "undisturbed"));
    assert!(sandbox.files("out/checkpoints").is_empty());
}

#[cfg(unix)]
#[test]
fn a_second_signal_ends_the_program_at_once_and_nothing_finished_is_lost() {
    let sandbox = Sandbox::with_digits();
    sandbox
        .write("grid.toml", "hidden = [16]\nepochs = 30\nbatch_size = 2\n[sweep]\nseed = [0, 1, 2, 3, 4, 5, 6, 7]\n");
    let arguments = |out| ["sweep", "grid.toml", "--data", "./digits", "--jobs", "2", "--threads", "2", "--out", out];
    let mut child = spawn(&sandbox, &arguments("out"));
    wait_for_file(&sandbox, "out/trials", &mut child);
    let before = records(&sandbox, "out");
    signal(&child, "INT");
    let second = std::process::Command::new("kill").args(["-INT".to_owned(), child.id().to_string()]).status();
    second.expect("kill runs");
    let outcome = sandbox.outcome(child.wait_with_output().expect("an end"));
    outcome.expect_code(75);
    let after = records(&sandbox, "out");
    assert!(before.iter().all(|(trial, record)| after.get(trial) == Some(record)));
    sandbox.run(arguments("out")).expect_code(0);
    sandbox.run(arguments("undisturbed")).expect_code(0);
    assert_eq!(records(&sandbox, "out"), records(&sandbox, "undisturbed"));
}

/// A run that was killed when it was about to write its model, with two checkpoints.
fn killed_before_its_end(sandbox: &Sandbox) {
    // Six steps for the specification, six for each of three checkpoints.
    let child = sandbox.command(with(&SHORT, &["--out", "out"])).env("DURABLE_FILE_FAULT", "kill:25").output();
    assert!(!child.expect("the program starts").status.success());
    assert_eq!(sandbox.files("out/checkpoints").len(), 2, "{:?}", sandbox.files("out/checkpoints"));
    assert!(sandbox.files("out/trials").is_empty() && sandbox.files("out/models").is_empty());
}

/// A run that is suspended in the midst of its work: nobody takes its folder meanwhile.
#[cfg(target_os = "linux")]
fn suspend_for(pause: Duration) {
    let sandbox = Sandbox::with_digits();
    let mut child = spawn(&sandbox, &with(&LONG, &["--out", "out"]));
    wait_until_running(&sandbox, "out", &mut child);
    assert!(suspend(&mut child), "it was over at once");
    std::thread::sleep(pause);
    let second = sandbox.run(with(&LONG, &["--out", "out"]));
    signal(&child, "CONT");
    second.expect_code(6).expect_error(&format!("process {}", child.id()));
    sandbox.outcome(child.wait_with_output().expect("an end")).expect_code(0);
    sandbox.run(with(&LONG, &["--out", "undisturbed"])).expect_code(0);
    assert_eq!(record(&sandbox, "out"), record(&sandbox, "undisturbed"));
}

#[cfg(target_os = "linux")]
#[test]
fn a_process_that_is_suspended_for_a_while_ends_like_an_undisturbed_one() {
    suspend_for(Duration::from_secs(3));
}

#[cfg(target_os = "linux")]
#[test]
#[ignore = "takes a minute"]
fn a_process_that_is_suspended_for_a_minute_ends_like_an_undisturbed_one() {
    suspend_for(Duration::from_secs(60));
}

#[test]
fn a_diagnosis_that_was_not_kept_from_the_beginning_says_so() {
    let sandbox = Sandbox::with_digits();
    killed_before_its_end(&sandbox);
    let watched = with(&SHORT, &["--diagnose", "--out", "out"]);
    let talking: Vec<&str> = watched.into_iter().filter(|argument| *argument != "--quiet").collect();
    let outcome = sandbox.run(talking).expect_code(0);
    assert!(outcome.said().contains("(Not measured: epoch 0 to 3; the run was not watched then.)"), "{outcome:#?}");
}
