//! `sweep` and its folder: nothing finished is lost, nothing is run twice.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;

use crate::sandbox::{Outcome, Sandbox};
#[cfg(unix)]
use crate::waiting::wait_until_running;

/// Six trials of a few milliseconds.
const SMALL: &str =
    "hidden = [8]\nepochs = 1\ntest_size = 50\n[sweep]\nlearning_rate = [0.01, 0.001]\nseed = [0, 1, 2]\n";

/// Trials that take long enough to be interrupted.
#[cfg(unix)]
const LONG: &str = "hidden = [64, 64]\nepochs = 400\nbatch_size = 1\n[sweep]\nseed = [0, 1, 2, 3, 4, 5]\n";

fn sweep(sandbox: &Sandbox, arguments: &[&str]) -> Outcome {
    sandbox.run(["sweep", "grid.toml", "--data", "./digits", "--out", "out"].iter().chain(arguments))
}

/// Records by file name, without what two runs need not share.
pub(crate) fn records(sandbox: &Sandbox, folder: &str) -> BTreeMap<String, Value> {
    let files: Vec<PathBuf> = sandbox.files(&format!("{folder}/trials"));
    let records = files.iter().filter(|file| file.extension().is_some_and(|ending| ending == "json"));
    records
        .map(|file| {
            let text = fs::read_to_string(file).expect("a record");
            let mut record: Value = serde_json::from_str(&text).expect("JSON");
            record.as_object_mut().expect("an object").remove("runtime");
            (file.file_name().expect("a name").to_string_lossy().into_owned(), record)
        })
        .collect()
}

#[test]
fn every_cell_is_recorded_whatever_the_number_of_jobs_and_threads() {
    let sandbox = Sandbox::with_digits();
    sandbox.write("grid.toml", SMALL);
    let outcome = sweep(&sandbox, &["--jobs", "3", "--threads", "6"]).expect_code(0);
    assert!(outcome.stdout.contains("±") && outcome.stdout.contains("0.001"), "{outcome:#?}");
    let first = records(&sandbox, "out");
    assert_eq!(first.len(), 6);
    let other = ["sweep", "grid.toml", "--data", "./digits", "--out", "other", "--jobs", "1", "--threads", "1"];
    sandbox.run(other).expect_code(0);
    assert_eq!(records(&sandbox, "other"), first);
}

#[test]
fn running_again_repeats_nothing_and_a_grown_list_runs_only_the_new_cells() {
    let sandbox = Sandbox::with_digits();
    sandbox.write("grid.toml", SMALL);
    sweep(&sandbox, &[]).expect_code(0);
    let times = |sandbox: &Sandbox| -> BTreeMap<PathBuf, std::time::SystemTime> {
        let files = sandbox.files("out/trials").into_iter();
        files.map(|file| (file.clone(), fs::metadata(file).and_then(|data| data.modified()).expect("a time"))).collect()
    };
    let before = times(&sandbox);
    assert!(sweep(&sandbox, &[]).expect_code(0).stdout.contains("6 of them finished already"));
    assert_eq!(times(&sandbox), before);
    let grown = sweep(&sandbox, &["--set", "sweep.seed=[0, 1, 2, 3]"]).expect_code(0);
    grown.expect_error("grows from 6 to 8 trials");
    let after = times(&sandbox);
    assert_eq!(after.len(), 8);
    assert!(before.iter().all(|(file, time)| after[file] == *time));
}

#[test]
fn a_changed_specification_is_refused_with_the_difference() {
    let sandbox = Sandbox::with_digits();
    sandbox.write("grid.toml", SMALL);
    sweep(&sandbox, &[]).expect_code(0);
    sweep(&sandbox, &["--set", "epochs=2"]).expect_code(2).expect_error("epochs: 1 there, 2 now");
    sweep(&sandbox, &["--set", "sweep.seed=[0]"]).expect_code(2).expect_error("seed: [0, 1, 2] there, [0] now");
    let other_data = ["sweep", "grid.toml", "--data", "synthetic", "--out", "out"];
    sandbox.run(other_data).expect_code(2).expect_error("holds results on other data");
    assert_eq!(records(&sandbox, "out").len(), 6);
}

#[test]
fn a_folder_accepts_results_of_one_kernel() {
    let sandbox = Sandbox::with_digits();
    sandbox.write("grid.toml", SMALL);
    sweep(&sandbox, &["--kernel", "portable"]).expect_code(0);
    let best = mlp_core::Kernel::detect().name();
    if best != "portable" {
        sweep(&sandbox, &[]).expect_code(2).expect_error("add --kernel portable");
    }
}

#[test]
fn a_damaged_record_is_put_aside_and_its_trial_runs_again() {
    let sandbox = Sandbox::with_digits();
    sandbox.write("grid.toml", SMALL);
    sweep(&sandbox, &[]).expect_code(0);
    let before = records(&sandbox, "out");
    let files = sandbox.files("out/trials");
    let text = fs::read(&files[2]).expect("a record");
    fs::write(&files[2], &text[..text.len() / 2]).expect("damage");
    fs::remove_file(&files[4]).expect("a deletion");
    let outcome = sweep(&sandbox, &[]).expect_code(0).expect_error("runs again");
    assert!(outcome.stdout.contains("4 of them finished already"), "{outcome:#?}");
    assert_eq!(records(&sandbox, "out"), before);
}

#[test]
fn records_that_are_damaged_twice_are_both_kept_and_none_is_touched_in_a_folder_that_is_refused() {
    let sandbox = Sandbox::with_digits();
    sandbox.write("grid.toml", SMALL);
    sweep(&sandbox, &[]).expect_code(0);
    let file = sandbox.files("out/trials")[2].clone();
    for damage in ["first", "second"] {
        fs::write(&file, damage).expect("damage");
        sweep(&sandbox, &["--set", "epochs=2"]).expect_code(2);
        assert_eq!(fs::read_to_string(&file).expect("the file is where it was"), damage);
        sweep(&sandbox, &[]).expect_code(0).expect_error("runs again");
    }
    let aside = |ending: &str| fs::read_to_string(file.with_extension(ending)).expect("the damaged file");
    assert_eq!((aside("json.damaged"), aside("json.damaged-2")), ("first".to_owned(), "second".to_owned()));
}

#[test]
fn a_record_of_a_newer_version_is_refused_and_not_touched() {
    let sandbox = Sandbox::with_digits();
    sandbox.write("grid.toml", SMALL);
    sweep(&sandbox, &[]).expect_code(0);
    let files = sandbox.files("out/trials");
    let record = fs::read_to_string(&files[2]).expect("a record");
    let newer = record.replacen("\"schema\": 1", "\"schema\": 2", 1);
    for text in [newer.as_str(), "{ \"schema\": 2, \"other\": [] }"] {
        fs::write(&files[2], text).expect("a newer record");
        fs::write(&files[4], "damaged").expect("damage");
        sweep(&sandbox, &[]).expect_code(2).expect_error("written by a newer version");
        assert_eq!(fs::read_to_string(&files[2]).expect("the newer record"), text);
        assert_eq!(sandbox.files("out/trials"), files);
    }
}

#[cfg(unix)]
#[test]
fn a_signal_ends_a_sweep_with_75_and_until_then_a_second_one_with_6() {
    for signal in ["INT", "TERM"] {
        let sandbox = Sandbox::with_digits();
        sandbox.write("grid.toml", LONG);
        let arguments = ["sweep", "grid.toml", "--data", "./digits", "--out", "out", "--jobs", "1", "--threads", "1"];
        let mut command = sandbox.command(arguments);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
        wait_until_running(&sandbox, "out", &mut child);
        let second = sandbox.run(arguments).expect_code(6);
        second.expect_error(&format!("in use by sweep, process {}", child.id()));
        let kill = std::process::Command::new("kill").args([format!("-{signal}"), child.id().to_string()]).status();
        assert!(kill.expect("kill runs").success());
        let outcome = sandbox.outcome(child.wait_with_output().expect("an end"));
        outcome.expect_code(75).expect_error("run the same command again");
    }
}

#[cfg(unix)]
#[test]
fn a_killed_sweep_loses_no_finished_trial_and_ends_like_an_undisturbed_one() {
    let sandbox = Sandbox::with_digits();
    sandbox.write("grid.toml", "hidden = [8]\nepochs = 20\nbatch_size = 4\n[sweep]\nseed = [0, 1, 2, 3, 4, 5, 6, 7]\n");
    let arguments =
        |out: &'static str| ["sweep", "grid.toml", "--data", "./digits", "--jobs", "2", "--threads", "2", "--out", out];
    let mut n_before = 0;
    for pause in [100, 250, 400, 600] {
        let mut child = sandbox.command(arguments("out")).stdout(Stdio::null()).spawn().expect("the program starts");
        std::thread::sleep(Duration::from_millis(pause));
        child.kill().expect("a kill");
        child.wait().expect("an end");
        let n_after = records(&sandbox, "out").len();
        assert!(n_after >= n_before, "{n_after} < {n_before}");
        n_before = n_after;
    }
    sandbox.run(arguments("out")).expect_code(0);
    sandbox.run(arguments("undisturbed")).expect_code(0);
    assert_eq!(records(&sandbox, "out"), records(&sandbox, "undisturbed"));
}

#[cfg(target_os = "linux")]
#[test]
fn a_trial_that_cannot_be_run_is_recorded_as_failed_and_the_others_go_on_with_code_7() {
    let sandbox = Sandbox::with_digits();
    // 400 million weights in half a gigabyte, whatever the machine has.
    sandbox.write("grid.toml", "epochs = 0\n[sweep]\nhidden = [[20000, 20000], [4]]\n");
    let arguments = ["sweep", "grid.toml", "--data", "./digits", "--threads", "1", "--out", "out"];
    let outcome = sandbox.run_in_shell("ulimit -v 500000; exec \"$@\"", &arguments);
    outcome.expect_code(7).expect_error("1 of 2 trials failed").expect_error("MB of memory");
    let statuses: Vec<Value> = records(&sandbox, "out").into_values().map(|record| record["status"].clone()).collect();
    assert!(statuses.contains(&Value::from("failed")) && statuses.contains(&Value::from("finished")));
}

#[test]
fn presets_and_trials_can_be_listed_without_running_anything() {
    let sandbox = Sandbox::with_digits();
    let outcome = sandbox.run(["sweep", "--list"]).expect_code(0);
    insta::assert_snapshot!("presets", outcome.stdout);
    sandbox.write("grid.toml", SMALL);
    let outcome = sweep(&sandbox, &["--list"]).expect_code(0);
    assert_eq!(outcome.stdout.lines().count(), 7);
    assert!(!sandbox.path("out").exists());
}

#[test]
fn json_lists_the_trials_with_their_results() {
    let sandbox = Sandbox::with_digits();
    sandbox.write("grid.toml", SMALL);
    let outcome = sweep(&sandbox, &["--json"]).expect_code(0);
    let rows: Value = serde_json::from_str(&outcome.stdout).expect("JSON alone");
    assert_eq!(rows.as_array().map(Vec::len), Some(6));
    assert!(rows[0]["test"]["digit_accuracy"].is_number());
}

#[test]
fn a_report_is_rebuilt_from_the_records() {
    let sandbox = Sandbox::with_digits();
    sandbox.write("grid.toml", SMALL);
    sweep(&sandbox, &[]).expect_code(0);
    fs::remove_file(sandbox.path("out/report.html")).expect("a deletion");
    fs::remove_dir_all(sandbox.path("out/plots")).expect("a deletion");
    sandbox.run(["report", "out"]).expect_code(0);
    assert!(sandbox.path("out/report.html").is_file() && !sandbox.files("out/plots").is_empty());
    sandbox.run(["report", "none"]).expect_code(2).expect_error("no such folder");
}

#[test]
fn a_plan_says_what_is_done_and_what_the_rest_costs_and_runs_nothing() {
    let sandbox = Sandbox::with_digits();
    sandbox.write("grid.toml", SMALL);
    let outcome = sweep(&sandbox, &["--plan"]).expect_code(0);
    assert!(!sandbox.path("out").exists());
    for word in ["6: 0 finished, 6 to run", "0 of 3", "time     about", "memory   at most about"] {
        assert!(outcome.stdout.contains(word), "{word}: {outcome:#?}");
    }
    sweep(&sandbox, &[]).expect_code(0);
    let outcome = sweep(&sandbox, &["--plan", "--set", "sweep.seed=[0, 1, 2, 3]"]).expect_code(0);
    assert!(outcome.stdout.contains("8: 6 finished, 2 to run") && outcome.stdout.contains("3 of 4"), "{outcome:#?}");
    assert_eq!(records(&sandbox, "out").len(), 6);
}

#[test]
fn a_budget_ends_a_sweep_with_75_and_running_again_goes_on() {
    let sandbox = Sandbox::with_digits();
    sandbox.write("grid.toml", SMALL);
    let outcome = sweep(&sandbox, &["--budget", "0s"]).expect_code(75);
    outcome.expect_error("the budget is used up with 0 of 6 trials finished and kept");
    sweep(&sandbox, &["--budget", "1h"]).expect_code(0);
    assert_eq!(records(&sandbox, "out").len(), 6);
    sweep(&sandbox, &["--budget", "soon"]).expect_code(2).expect_error("expected a time such as");
}

#[test]
fn finished_trials_of_another_folder_are_taken_over() {
    let sandbox = Sandbox::with_digits();
    sandbox.write("grid.toml", SMALL);
    sweep(&sandbox, &["--set", "name=first", "--set", "sweep.learning_rate=[0.001, 0.1]"]).expect_code(0);
    fs::rename(sandbox.path("out"), sandbox.path("first")).expect("a rename");
    let damaged = sandbox.files("first/models").remove(0);
    let trial = damaged.file_stem().expect("a name").to_string_lossy().into_owned();
    fs::write(&damaged, "nothing").expect("damage");
    let outcome = sweep(&sandbox, &["--reuse", "first"]).expect_code(0);
    let in_grid = records(&sandbox, "out").contains_key(&format!("{trial}.json"));
    let n_taken = if in_grid { 2 } else { 3 };
    let outcome = outcome.expect_error(&format!("{n_taken} finished trials taken over from first"));
    assert_eq!(outcome.stderr.contains("the trial is not taken over, and runs"), in_grid);
    sandbox.run(["sweep", "grid.toml", "--data", "./digits", "--out", "undisturbed"]).expect_code(0);
    assert_eq!(records(&sandbox, "out"), records(&sandbox, "undisturbed"));
    assert_eq!(sandbox.files("out/models").len(), 6);
    sweep(&sandbox, &["--reuse", "digits"]).expect_code(2).expect_error("expected a folder of results");
}
