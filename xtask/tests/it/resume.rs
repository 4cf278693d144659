//! Trials that are stopped on the way, and what they come to when they go on.

use std::collections::BTreeMap;
use std::fs;
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

/// One trial that takes a second or more, with a checkpoint after each of its many epochs.
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
    "epochs=60",
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
        std::thread::sleep(Duration::from_millis(100));
        signal(&child, name);
        let outcome = sandbox.outcome(child.wait_with_output().expect("an end"));
        if outcome.code == 0 {
            break; // A fast machine.
        }
        outcome.expect_code(75).expect_error("run the same command again to go on from it");
        assert!(!sandbox.files("out/checkpoints").is_empty());
        assert!(sandbox.files("out/trials").is_empty() && sandbox.files("out/running").is_empty());
    }
    sandbox.run(&arguments).expect_code(0);
    sandbox.run(with(&LONG, &["--out", "undisturbed"])).expect_code(0);
    assert_eq!(record(&sandbox, "out"), record(&sandbox, "undisturbed"));
    assert!(sandbox.files("out/checkpoints").is_empty());
}

#[cfg(unix)]
#[test]
fn a_second_signal_ends_the_program_at_once_and_nothing_finished_is_lost() {
    let sandbox = Sandbox::with_digits();
    sandbox
        .write("grid.toml", "hidden = [16]\nepochs = 20\nbatch_size = 2\n[sweep]\nseed = [0, 1, 2, 3, 4, 5, 6, 7]\n");
    let arguments = |out| ["sweep", "grid.toml", "--data", "./digits", "--jobs", "2", "--threads", "2", "--out", out];
    let mut child = spawn(&sandbox, &arguments("out"));
    wait_for_file(&sandbox, "out/trials", &mut child);
    let before = records(&sandbox, "out");
    signal(&child, "INT");
    let second = std::process::Command::new("kill").args(["-INT".to_owned(), child.id().to_string()]).status();
    second.expect("kill runs");
    let outcome = sandbox.outcome(child.wait_with_output().expect("an end"));
    assert!(outcome.code == 75 || outcome.code == 0, "{outcome:#?}");
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

/// The newer of the two checkpoints: the first, third and so on are written to the first file.
fn newer(sandbox: &Sandbox) -> std::path::PathBuf {
    sandbox.only_file("out/checkpoints", ".a.safetensors")
}

#[test]
fn a_damaged_checkpoint_is_said_and_the_one_before_is_used() {
    let sandbox = Sandbox::with_digits();
    sandbox.run(with(&SHORT, &["--out", "undisturbed"])).expect_code(0);
    let undisturbed = record(&sandbox, "undisturbed");
    killed_before_its_end(&sandbox);
    let whole = fs::read(newer(&sandbox)).expect("a checkpoint");
    let middle = whole.len() / 2;
    let mut flipped = whole.clone();
    flipped[middle] ^= 1;
    for damaged in [&whole[..middle], &[], &flipped, b"<html>"] {
        let _ = fs::remove_dir_all(sandbox.path("out"));
        killed_before_its_end(&sandbox);
        fs::write(newer(&sandbox), damaged).expect("damage");
        let outcome = sandbox.run(with(&SHORT, &["--out", "out"])).expect_code(0);
        outcome.expect_error(".a.safetensors").expect_error("the other checkpoint is used, of epoch 3, batch 0");
        assert_eq!(record(&sandbox, "out"), undisturbed);
    }
    let _ = fs::remove_dir_all(sandbox.path("out"));
    killed_before_its_end(&sandbox);
    for file in sandbox.files("out/checkpoints") {
        fs::write(file, "nothing").expect("damage");
    }
    let outcome = sandbox.run(with(&SHORT, &["--out", "out"])).expect_code(0);
    outcome.expect_error("there is no other checkpoint, and the trial begins anew");
    assert_eq!(record(&sandbox, "out"), undisturbed);
}

#[test]
fn a_checkpoint_of_another_run_is_said_and_not_used() {
    let sandbox = Sandbox::with_digits();
    killed_before_its_end(&sandbox);
    fs::rename(sandbox.path("out"), sandbox.path("other")).expect("a rename");
    let seed = ["--set", "seed=1"];
    let arguments = with(&with(&SHORT, &seed), &["--out", "out"]);
    let killed = sandbox.command(&arguments).env("DURABLE_FILE_FAULT", "kill:25").output().expect("the program starts");
    assert!(!killed.status.success());
    fs::copy(sandbox.only_file("other/checkpoints", ".a.safetensors"), newer(&sandbox)).expect("a copy");
    let outcome = sandbox.run(&arguments).expect_code(0);
    outcome.expect_error("key owner.trial").expect_error("the other checkpoint is used");
    sandbox.run(with(&with(&SHORT, &seed), &["--out", "undisturbed"])).expect_code(0);
    assert_eq!(record(&sandbox, "out"), record(&sandbox, "undisturbed"));
}

/// A run that is suspended in the midst of its work: nobody takes its folder meanwhile.
#[cfg(target_os = "linux")]
fn suspend_for(pause: Duration) {
    let sandbox = Sandbox::with_digits();
    // Ten times as long as the others.
    let long: Vec<&str> = LONG.map(|argument| if argument == "epochs=60" { "epochs=600" } else { argument }).to_vec();
    let mut child = spawn(&sandbox, &with(&long, &["--out", "out"]));
    wait_until_running(&sandbox, "out", &mut child);
    assert!(suspend(&mut child), "it was over at once");
    std::thread::sleep(pause);
    let second = sandbox.run(with(&long, &["--out", "out"]));
    signal(&child, "CONT");
    second.expect_code(6).expect_error(&format!("process {}", child.id()));
    sandbox.outcome(child.wait_with_output().expect("an end")).expect_code(0);
    sandbox.run(with(&long, &["--out", "undisturbed"])).expect_code(0);
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
fn the_diagnosis_of_a_run_that_was_killed_anywhere_has_no_gap_and_one_that_was_not_watched_names_it() {
    let sandbox = Sandbox::with_digits();
    let diagnosis = |folder: &str| {
        let path = sandbox.only_file(&format!("{folder}/diagnosis"), ".json");
        fs::read_to_string(path).expect("a diagnosis")
    };
    let watched = |folder| with(&SHORT, &["--diagnose", "--out", folder]);
    sandbox.run(watched("undisturbed")).expect_code(0);
    let undisturbed = diagnosis("undisturbed");
    // Six steps for the specification, then for each checkpoint six for the diagnosis and six for itself.
    for step in (7..50).step_by(3) {
        let _ = fs::remove_dir_all(sandbox.path("out"));
        let killed = sandbox.command(watched("out")).env("DURABLE_FILE_FAULT", format!("kill:{step}")).output();
        assert!(!killed.expect("the program starts").status.success(), "step {step}");
        sandbox.run(watched("out")).expect_code(0);
        assert_eq!(diagnosis("out"), undisturbed, "step {step}");
    }
    let _ = fs::remove_dir_all(sandbox.path("out"));
    killed_before_its_end(&sandbox);
    let talking: Vec<&str> = watched("out").into_iter().filter(|argument| *argument != "--quiet").collect();
    let outcome = sandbox.run(talking).expect_code(0);
    assert!(outcome.stdout.contains("(Not measured: epoch 0 to 3; the run was not watched then.)"), "{outcome:#?}");
}
