//! `sweep`: what it says, its exit codes, and its signals. What it does is tested in `mlp-sweep`.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::Stdio;

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

/// The rows of `results.csv` without the last columns, which hold what two runs need not share.
pub(crate) fn table_without_seconds(sandbox: &Sandbox, folder: &str) -> Vec<String> {
    let table = fs::read_to_string(sandbox.path(folder).join("results.csv")).expect("a table");
    let end = ",seconds,seconds_train,seconds_evaluate";
    assert!(table.lines().next().is_some_and(|head| head.ends_with(end)), "{table}");
    table.lines().map(|row| row.rsplitn(4, ',').last().expect("a row").to_owned()).collect()
}

#[test]
fn what_happens_in_a_sweep_is_told() {
    let sandbox = Sandbox::with_digits();
    sandbox.write("grid.toml", SMALL);
    let outcome = sweep(&sandbox, &["--jobs", "3", "--threads", "6"]).expect_code(0);
    assert!(outcome.stdout.contains("±") && outcome.stdout.contains("0.001"), "{outcome:#?}");
    assert!(sweep(&sandbox, &[]).expect_code(0).stdout.contains("6 of them finished already"));
    sweep(&sandbox, &["--set", "epochs=2"]).expect_code(2).expect_error("epochs: 1 there, 2 now");
    let other_data = ["sweep", "grid.toml", "--data", "synthetic", "--out", "out"];
    sandbox.run(other_data).expect_code(2).expect_error("holds results on other data");
    let before = records(&sandbox, "out");
    fs::write(&sandbox.files("out/trials")[2], "nothing").expect("damage");
    let outcome = sweep(&sandbox, &[]).expect_code(0).expect_error("runs again");
    assert!(outcome.stdout.contains("5 of them finished already"), "{outcome:#?}");
    assert_eq!(records(&sandbox, "out"), before);
    sweep(&sandbox, &["--set", "sweep.seed=[0, 1, 2, 3]"]).expect_code(0).expect_error("grows from 6 to 8 trials");

    fs::rename(sandbox.path("out"), sandbox.path("first")).expect("a rename");
    fs::write(sandbox.files("first/models").remove(0), "nothing").expect("damage");
    let grown = ["--set", "sweep.seed=[0, 1, 2, 3]", "--reuse", "first"];
    let outcome = sweep(&sandbox, &grown).expect_code(0).expect_error("7 finished trials taken over from first");
    outcome.expect_error("the trial is not taken over, and runs");
    sweep(&sandbox, &["--set", "sweep.seed=[0, 1, 2, 3]", "--reuse", "digits"])
        .expect_code(2)
        .expect_error("expected a folder of results");
}

#[test]
fn trials_that_halving_stops_are_told_and_counted() {
    let sandbox = Sandbox::with_digits();
    sandbox.write(
        "grid.toml",
        "hidden = [4]\nepochs = 6\nvalidation = 50\ntest_size = 50\n[sweep]\n\
         halving = { metric = \"validation.loss\", first = 1, factor = 3 }\n\
         learning_rate = [0.0001, 0.001, 0.01]\nseed = [0, 1, 2]\n",
    );
    let outcome = sweep(&sandbox, &[]).expect_code(0).expect_error("6 of 9 trials stopped early and are no results");
    assert!(
        outcome.stdout.contains("halving  at epoch 1, 3 one configuration in 3 goes on, by validation.loss"),
        "{outcome:#?}"
    );
    let status = sandbox.run(["sweep", "status", "out"]).expect_code(0);
    assert!(status.stdout.contains("3 finished, 6 stopped early, 0 running, 0 to do"), "{status:#?}");
    let read = |name: &str| fs::read_to_string(sandbox.path("out").join(name)).expect("a file");
    assert!(read("report.html").contains("3 configurations of 3 seeds; 1 kept after epoch 1"));
    let (table, epochs) = (read("results.csv"), read("epochs.csv"));
    assert_eq!((table.lines().count(), table.matches(",stopped,").count()), (10, 6));
    assert_eq!(epochs.lines().count(), 1 + 3 * 7 + 6 * 2);
    sweep(&sandbox, &["--shard", "1/2"]).expect_code(2).expect_error("compares all trials with one another");
}

#[test]
fn examined_trials_are_counted_and_the_report_begins_with_what_was_found() {
    let sandbox = Sandbox::with_digits();
    sandbox.write(
        "grid.toml",
        "hidden = [8]\nepochs = 1\n[sweep]\ninitializer = [\"uniform-0-1\", \"glorot-uniform\"]\nseed = [0, 1]\n",
    );
    sweep(&sandbox, &["--set", "sweep.seed=[0]"]).expect_code(0);
    assert!(sandbox.files("out/diagnosis").is_empty());
    sweep(&sandbox, &["--diagnose"]).expect_code(0).expect_error("2 of 4 trials examined");
    let page = fs::read_to_string(sandbox.path("out/report.html")).expect("a page");
    let section = page.split("<section id=\"diagnosis\">").nth(1).expect("a section");
    let verdict = "Of 2 examined trials, 1 did not learn, 1 hardly learned, with no layer dead.";
    assert!(section.contains(verdict), "{}", &section[..1000]);
    assert!(section.contains("2 of 4 trials were examined"));
    assert!(page.contains("<a href=\"#diagnosis\">Where learning died</a>"));
    let all = ["sweep", "grid.toml", "--data", "./digits", "--out", "all", "--diagnose"];
    sandbox.run(all).expect_code(0).expect_error("4 trials examined: the report begins with what was found");
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

#[cfg(target_os = "linux")]
#[test]
fn a_trial_that_cannot_be_run_is_recorded_as_failed_and_the_others_go_on_with_code_7() {
    let sandbox = Sandbox::with_digits();
    // 400 million weights in half a gigabyte, whatever the machine has.
    sandbox.write("grid.toml", "epochs = 0\n[sweep]\nhidden = [[20000, 20000], [4]]\n");
    let arguments = ["sweep", "grid.toml", "--data", "./digits", "--threads", "1", "--out", "out"];
    let outcome = sandbox.run_in_shell("ulimit -v 500000; exec \"$@\"", &arguments);
    outcome.expect_code(7).expect_error("1 of 2 trials failed").expect_error("MiB of memory");
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
    assert!(rows[0]["test"]["accuracy"].is_number());
}

#[test]
fn several_folders_are_compared_on_one_page() {
    let sandbox = Sandbox::with_digits();
    for (out, hidden) in [("narrow", "hidden=[8]"), ("wide", "hidden=[16]")] {
        let arguments = ["train", "--data", "./digits", "--set", "epochs=1", "--set", "test_size=50", "--set", hidden];
        sandbox.run(arguments.into_iter().chain(["--out", out])).expect_code(0);
    }
    sandbox.run(["report", "narrow", "wide"]).expect_code(0);
    let page = fs::read_to_string(sandbox.path("narrow/comparison/report.html")).expect("a page");
    assert!(page.contains("<h1>narrow, wide on "), "both folders are named");
    let table = fs::read_to_string(sandbox.path("narrow/comparison/results.csv")).expect("a table");
    assert!(
        table.lines().count() == 3 && table.lines().next().is_some_and(|head| head.contains(",folder,")),
        "{table}"
    );
    // Elsewhere, and nothing else is written.
    fs::remove_file(sandbox.path("wide/report.html")).expect("a deletion");
    sandbox.run(["report", "narrow", "wide", "--out", "both"]).expect_code(0);
    assert!(sandbox.path("both/report.html").is_file() && !sandbox.path("wide/report.html").exists());
    sandbox.run(["report", "narrow", "wide", "--out", "wide"]).expect_code(2).expect_error("expected another folder");
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
    std::fs::create_dir(sandbox.path("empty")).expect("a folder");
    sandbox.run(["report", "empty"]).expect_code(2).expect_error("found neither; nothing is written");
    assert!(sandbox.files("empty").is_empty());
}

#[test]
fn a_plan_says_what_is_done_and_what_the_rest_costs_and_runs_nothing() {
    let sandbox = Sandbox::with_digits();
    sandbox.write("grid.toml", SMALL);
    let outcome = sweep(&sandbox, &["--plan"]).expect_code(0);
    assert!(!sandbox.path("out").exists());
    for word in ["6: 0 done, 6 to run", "0 of 3", "time     about", "memory   at most about"] {
        assert!(outcome.stdout.contains(word), "{word}: {outcome:#?}");
    }
    sweep(&sandbox, &[]).expect_code(0);
    let outcome = sweep(&sandbox, &["--plan", "--set", "sweep.seed=[0, 1, 2, 3]"]).expect_code(0);
    assert!(outcome.stdout.contains("8: 6 done, 2 to run") && outcome.stdout.contains("3 of 4"), "{outcome:#?}");
    assert_eq!(records(&sandbox, "out").len(), 6);
    // What is done has taken its time.
    let outcome = sweep(&sandbox, &["--plan"]).expect_code(0);
    assert!(outcome.stdout.contains("6: 6 done, 0 to run") && !outcome.stdout.contains(" 0.00 s"), "{outcome:#?}");
}

#[test]
fn a_budget_ends_a_sweep_with_75_and_running_again_goes_on() {
    let sandbox = Sandbox::with_digits();
    sandbox.write("grid.toml", SMALL);
    let outcome = sweep(&sandbox, &["--budget", "0s"]).expect_code(75);
    outcome.expect_error("the budget is used up with 0 of 6 trials done and kept; run the same command again to go on");
    sweep(&sandbox, &["--budget", "1h"]).expect_code(0);
    assert_eq!(records(&sandbox, "out").len(), 6);
    sweep(&sandbox, &["--budget", "soon"]).expect_code(2).expect_error("expected a time such as");
}

#[test]
fn a_list_of_one_value_is_fixed_and_distinguishes_nothing() {
    let sandbox = Sandbox::with_digits();
    sandbox.write("one.toml", "hidden = [4]\nepochs = 1\n[sweep]\nlearning_rate = [0.25]\nseed = [0, 1]\n");
    let outcome = sandbox.run(["sweep", "one.toml", "--data", "./digits", "--out", "out"]).expect_code(0);
    assert!(outcome.stdout.contains("fixed    learning_rate: 0.25\nvaries   seed: 0, 1\n"), "{}", outcome.stdout);
    assert_eq!(outcome.stdout.matches("0.25").count(), 1, "{}", outcome.stdout);
    let status = sandbox.run(["sweep", "status", "out"]).expect_code(0);
    assert!(!status.stdout.contains("learning_rate") && status.stdout.contains("seed = "), "{}", status.stdout);
    let list = sandbox.run(["sweep", "one.toml", "--data", "./digits", "--list"]).expect_code(0);
    assert!(!list.stdout.contains("learning_rate"), "{}", list.stdout);
}

/// One for all hidden layers, in [sweep] and outside, as a word and as a list.
#[test]
fn a_list_of_one_activation_is_for_all_hidden_layers() {
    let sandbox = Sandbox::with_digits();
    let train = |setting: &str| {
        let settings = ["hidden=[4, 4]", "epochs=0", setting].into_iter().flat_map(|setting| ["--set", setting]);
        let call = ["train", "--data", "./digits", "--json", "--out", "out"];
        sandbox.run(call.into_iter().chain(settings))
    };
    train("activation=relu").expect_code(0);
    train("activation=[\"relu\"]").expect_code(0);
    assert_eq!(sandbox.files("out/trials").len(), 1);
    let wrong = train("activation=[\"relu\", \"tanh\", \"relu\"]").expect_code(2);
    wrong.expect_error("expected one activation, or one for each of the 2 hidden layers, found 3");
}

#[test]
fn status_says_that_halving_compared_losses_of_different_kinds() {
    let sandbox = Sandbox::with_digits();
    sandbox.write(
        "halved.toml",
        "hidden = [4]\nepochs = 3\nvalidation = 50\n[sweep]\nhalving = true\nencoding = [\"ascii\", \"one-hot\"]\nlearning_rate = [0.001, 0.01]\n",
    );
    sandbox.run(["sweep", "halved.toml", "--data", "./digits", "--out", "out"]).expect_code(0);
    let status = sandbox.run(["sweep", "status", "out"]).expect_code(0);
    assert!(
        status.stderr.contains("halving compares loss across encoding, where it is another quantity"),
        "{status:#?}"
    );
}

/// Whoever loses at the first comparison is in the table as well as whoever came to the end or diverged.
#[test]
fn the_table_after_halving_holds_the_configurations_that_were_stopped() {
    let sandbox = Sandbox::with_digits();
    sandbox.write(
        "halved.toml",
        "hidden = [4]\nepochs = 3\nvalidation = 50\n[sweep]\nhalving = true\nlearning_rate = [0.001, 0.01, 0.1]\nseed = [0, 1]\n",
    );
    let outcome = sandbox.run(["sweep", "halved.toml", "--data", "./digits", "--out", "out"]).expect_code(0);
    let table = outcome.stdout.lines().skip_while(|line| !line.starts_with("learning_rate")).skip(1);
    let lines: Vec<&str> = table.take_while(|line| !line.is_empty()).collect();
    assert_eq!(lines.len(), 3, "{}", outcome.stdout);
    let n_stopped = lines.iter().filter(|line| line.ends_with("2 stopped") && line.contains(" - ")).count();
    assert_eq!(n_stopped, 2, "{}", outcome.stdout);
    assert!(lines[0].contains('%') && lines[0].contains('±'), "{}", outcome.stdout);

    // What was stopped is not to be run, and not called finished.
    let halved = |more: &[&str]| {
        let call = ["sweep", "halved.toml", "--data", "./digits", "--out", "out"];
        sandbox.run(call.iter().chain(more).copied())
    };
    let plan = halved(&["--plan"]).expect_code(0);
    assert!(plan.stdout.contains("6: 2 done, 4 stopped early, 0 to run"), "{}", plan.stdout);
    assert_eq!(plan.stdout.matches("  2 stopped\n").count(), 2, "{}", plan.stdout);
    for record in sandbox.files("out/trials") {
        fs::remove_file(sandbox.path("out/trials").join(record)).expect("a deletion");
    }
    let plan = halved(&["--plan"]).expect_code(0);
    assert!(plan.stdout.contains("6: 0 done, 4 stopped early, 2 to run"), "{}", plan.stdout);
    assert!(
        plan.stdout.contains("time     at most about") && plan.stdout.contains("halving will stop some"),
        "{plan:#?}"
    );
    let interrupted = halved(&["--budget", "0s"]).expect_code(75);
    interrupted.expect_error("with 0 of 6 trials done and kept, 4 stopped early by halving");
}
