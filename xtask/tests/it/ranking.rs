//! What is called accuracy, by which samples trials are ranked, and the tables that say so.

use std::fs;

use serde_json::Value;

use crate::sandbox::{Outcome, Sandbox};
use crate::sweep::records;

/// Two rates, one of them hopeless, with samples to choose by.
const RATES: &str = "hidden = [8]\nepochs = 2\nvalidation = 50\n[sweep]\nlearning_rate = [0.01, 1e-9]\nseed = [0, 1]\n";

fn sweep(sandbox: &Sandbox, arguments: &[&str]) -> Outcome {
    sandbox.run(["sweep", "grid.toml", "--data", "./digits", "--out", "out"].iter().chain(arguments))
}

fn metrics(record: &Value, set: &str) -> Value {
    let epochs = record["epochs"].as_array().expect("epochs");
    epochs[record["best_epoch"].as_u64().expect("a number") as usize][set].clone()
}

#[track_caller]
fn expect_80_columns(outcome: &Outcome) {
    // Commands are to be pasted, and a path is as long as it is.
    let lines = outcome.stdout.lines().filter(|line| !line.contains("cargo xtask") && !line.contains("out/"));
    for line in lines {
        assert!(line.chars().count() <= 80, "{} columns: {line}\n{}", line.chars().count(), outcome.stdout);
    }
}

/// The largest output is the answer, and what is said, recorded and counted in the confusion matrix is that.
#[test]
fn with_one_hot_outputs_accuracy_is_the_share_of_largest_outputs_that_are_right() {
    let sandbox = Sandbox::with_digits();
    let one_hot =
        ["encoding=one-hot", "output_activation=softmax", "loss=softmax-cross-entropy", "epochs=1", "hidden=[8]"];
    let settings: Vec<&str> = one_hot.iter().flat_map(|setting| ["--set", setting]).collect();
    let outcome = sandbox.run(["train", "--data", "./digits", "--out", "out"].iter().chain(&settings)).expect_code(0);
    let record = records(&sandbox, "out").into_values().next().expect("a record");
    let test = metrics(&record, "test");
    assert_eq!((&record["decoding"], &record["config"]["decoding"]), (&Value::from("nearest"), &Value::from("auto")));
    assert_eq!(test["accuracy"], test["nearest_accuracy"]);
    assert!(test["accuracy"].as_f64() > test["exact_accuracy"].as_f64(), "{test}");
    let n_right: u64 = (0..10).filter_map(|class| record["confusion"][class][class].as_u64()).sum();
    let n_test = record["data"]["test"].as_u64().expect("a number");
    assert_eq!(test["accuracy"].as_f64(), Some(n_right as f64 / n_test as f64));
    let said = format!("largest output right: {n_right} of {n_test} images");
    assert!(outcome.stdout.contains(&said) && outcome.stdout.contains("test loss"), "{}", outcome.stdout);
    expect_80_columns(&outcome);
    let evaluated = sandbox.run(["evaluate", "out", "--data", "./digits"]).expect_code(0);
    assert!(evaluated.stdout.contains(&said), "{}", evaluated.stdout);
    expect_80_columns(&evaluated);
}

/// With as many validation samples as that, the best by validation need not be the best by test; what is shown is the test.
#[test]
fn the_best_is_the_best_by_validation_in_table_status_report_and_the_model_named_last() {
    let sandbox = Sandbox::with_digits();
    sandbox.write("grid.toml", RATES);
    let outcome = sweep(&sandbox, &[]).expect_code(0);
    let records = records(&sandbox, "out");
    let accuracy = |record: &Value, set: &str| metrics(record, set)["accuracy"].as_f64().expect("a number");
    let best = records
        .values()
        .reduce(|best, other| if accuracy(other, "validation") > accuracy(best, "validation") { other } else { best });
    let best = best.expect("a record");
    let trial = best["trial"].as_str().expect("a name");
    let head = outcome.stdout.lines().find(|line| line.contains("valid. right")).expect("a head");
    assert!(head.contains("valid. right ±") && head.contains("test right ±"), "{head}");
    assert!(outcome.stdout.contains("best first by the validation set"), "{}", outcome.stdout);
    assert!(outcome.stdout.contains(&format!("{trial}.safetensors photo.png")), "{}", outcome.stdout);
    expect_80_columns(&outcome);

    let status = sandbox.run(["sweep", "status", "out", "--json"]).expect_code(0);
    let status: Value = serde_json::from_str(&status.stdout).expect("JSON");
    assert_eq!((&status["ranked_by"], &status["best"]["trial"]), (&"validation.accuracy".into(), &trial.into()));
    let best = &status["best_configuration"];
    assert_eq!([&best["n_seeds"], &best["n_trials"], &best["n_diverged"], &best["n_failed"]], [2, 2, 0, 0]);
    assert!(best["test_mean"].is_f64() && best["test_deviation"].is_f64(), "{best}");
    let status = sandbox.run(["sweep", "status", "out"]).expect_code(0);
    let line = status.stdout.lines().find(|line| line.starts_with("best")).expect("a line");
    assert!(line.contains("validation.accuracy") && line.contains(" ± ") && line.contains("(test "), "{line}");
    assert!(status.said().contains("± sd of 2 seeds"), "{}", status.stdout);
    let page = std::fs::read_to_string(sandbox.path("out/report.html")).expect("a page");
    assert!(page.contains("means best on the validation set"));
    assert!(page.contains("best by the validation set"));
}

#[test]
fn trials_are_ranked_by_what_is_asked_for() {
    let sandbox = Sandbox::with_digits();
    sandbox.write("grid.toml", RATES);
    let outcome = sweep(&sandbox, &["--by", "test.loss"]).expect_code(0);
    assert!(outcome.stdout.contains("test loss ±"), "{}", outcome.stdout);
    let page = || std::fs::read_to_string(sandbox.path("out/report.html")).expect("a page");
    assert!(page().contains("Loss by learning_rate") || page().contains("Best loss on the test set"), "{}", page());
    sandbox.run(["report", "out"]).expect_code(0);
    assert!(page().contains("means best on the validation set"));
    sandbox.run(["report", "out", "--by", "test.accuracy"]).expect_code(0);
    assert!(page().contains("means best on the test set"));
    let status = sandbox.run(["sweep", "status", "out", "--by", "rmse"]).expect_code(0);
    assert!(status.stdout.contains("validation.rmse"), "{}", status.stdout);
    sweep(&sandbox, &["--by", "acuracy"]).expect_code(2).expect_error("did you mean accuracy?");
    sweep(&sandbox, &["--by", "invalid_rate"]).expect_code(2).expect_error("take accuracy");

    // Nothing is trained for a ranking that cannot be.
    let without = ["--set", "validation=0", "--out", "other", "--by", "validation.loss"];
    let arguments = ["sweep", "grid.toml", "--data", "./digits"];
    let refused = sandbox.run(arguments.iter().chain(&without)).expect_code(2);
    assert!(!sandbox.path("other").exists());
    // What it advises can be taken.
    let advice =
        refused.stderr.split("--set ").nth(1).and_then(|rest| rest.split(',').next()).expect("a setting").to_owned();
    let with = ["--set", advice.as_str(), "--out", "other", "--by", "validation.loss"];
    sandbox.run(arguments.iter().chain(&with)).expect_code(0);
}

/// Of two rates with two seeds each, the best trial is one of the rate that is worse in the mean. The answers are those of the
/// largest output, of which none is invalid.
#[test]
fn the_best_trial_of_a_worse_configuration_is_called_lucky() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "grid.toml",
        "data = \"synthetic\"\ntrain_size = 300\ntest_size = 300\nhidden = [16]\nepochs = 3\nencoding = \"one-hot\"\n\
         output_activation = \"softmax\"\nloss = \"softmax-cross-entropy\"\n\
         [sweep]\nseed = [1, 6]\nlearning_rate = [0.01, 0.02]\n",
    );
    let outcome = sandbox.run(["sweep", "grid.toml", "--out", "out", "--kernel", "portable"]).expect_code(0);
    expect_80_columns(&outcome);
    let accuracy = |record: &Value| metrics(record, "test")["accuracy"].as_f64().expect("a number");
    let records = records(&sandbox, "out");
    let best = records.values().max_by(|a, b| accuracy(a).total_cmp(&accuracy(b))).expect("records");
    let mean_of = |rate: &Value| {
        let alike = records.values().filter(|record| record["config"]["learning_rate"] == *rate);
        alike.map(accuracy).sum::<f64>() / 2.0
    };
    let rate = &best["config"]["learning_rate"];
    assert!(records.values().any(|other| mean_of(&other["config"]["learning_rate"]) > mean_of(rate)));
    let words = outcome.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    let said = "its configuration is in line 2 of the table: this seed was lucky. The first line is the safer choice";
    assert!(words.contains(said), "{}", outcome.stdout);
    let status = sandbox.run(["sweep", "status", "out"]).expect_code(0);
    let said = "its configuration is number 2 by rank: this seed was lucky";
    assert!(status.said().contains(said), "{}", status.stdout);
    expect_80_columns(&status);
    let table = fs::read_to_string(sandbox.path("out/results.csv")).expect("a table");
    // From the end: in cells before it are commas.
    let mut lines = table.lines().map(|line| line.rsplit(',').collect::<Vec<_>>());
    let place = lines.next().expect("names").iter().position(|name| *name == "test.invalid_rate").expect("a column");
    assert!(lines.all(|line| line[place].is_empty()), "{table}");
}

#[test]
fn a_wide_sweep_and_its_plan_fit_into_80_columns() {
    let sandbox = Sandbox::with_digits();
    sandbox.write(
        "grid.toml",
        "epochs = 0\nhidden = [4]\nvalidation = 50\n[sweep]\nactivation = [[\"tanh\"], [\"sigmoid\"]]\n\
         optimizer = [{ name = \"adamw\", beta1 = 0.9, decay = 0.01 }, { name = \"adamw\", beta1 = 0.8, decay = 0.01 }, \"sgd\"]\n\
         initializer = [\"glorot-uniform\", { name = \"uniform\", low = -0.5, high = 0.5 }]\nseed = [0, 1]\n",
    );
    expect_80_columns(&sweep(&sandbox, &["--plan"]).expect_code(0));
    let outcome = sweep(&sandbox, &[]).expect_code(0);
    expect_80_columns(&outcome);
    // Only what differs among them is shown of the parameters.
    assert!(
        outcome.stdout.contains("adamw (beta1 0.8)") || outcome.stdout.contains("adamw (beta1 0"),
        "{}",
        outcome.stdout
    );
}

/// A part of a sweep: the page says how much of it is not there.
#[test]
fn the_page_of_an_unfinished_sweep_says_so() {
    let sandbox = Sandbox::with_digits();
    sandbox.write("grid.toml", RATES);
    let page = || {
        sandbox.run(["report", "out"]).expect_code(0);
        fs::read_to_string(sandbox.path("out/report.html")).expect("a page")
    };
    sweep(&sandbox, &["--shard", "1/2"]).expect_code(0);
    assert!(page().contains("2 of 4 trials had no result when it was written"));
    sweep(&sandbox, &[]).expect_code(0);
    assert!(!page().contains("had no result when"));
}

/// Who has validation samples and ranks by the test set all the same is not told to split some off.
#[test]
fn what_is_said_of_a_ranking_by_the_test_set_knows_of_validation_samples() {
    let sandbox = Sandbox::with_digits();
    sandbox.write("grid.toml", RATES);
    let outcome = sweep(&sandbox, &["--by", "test.accuracy"]).expect_code(0);
    expect_80_columns(&outcome);
    let said = "without --by the validation set chooses";
    assert!(outcome.stdout.contains(said) && !outcome.stdout.contains("with the key validation"), "{}", outcome.stdout);
}

/// Of one sweep, and of several folders.
#[test]
fn what_was_tested_on_different_images_is_ranked_nowhere() {
    let sandbox = Sandbox::with_digits();
    let warning = "tested on 2 different sets of samples";
    sandbox
        .write("sizes.toml", "hidden = [4]\nepochs = 1\n[sweep]\ntest_size = [50, 60]\nlearning_rate = [0.1, 0.2]\n");
    let swept = sandbox.run(["sweep", "sizes.toml", "--data", "./digits", "--out", "out"]).expect_code(0);
    let swept = swept.expect_error(warning);
    assert!(swept.said().contains("what cannot be compared is in no order") && !swept.said().contains("best test"));
    expect_80_columns(&swept);
    let sizes =
        |line: &str| line.split_whitespace().find_map(|word| ["50", "60"].into_iter().find(|size| word == *size));
    let sizes: Vec<&str> =
        swept.stdout.lines().skip_while(|line| !line.contains("test right")).filter_map(sizes).collect();
    assert_eq!(sizes, ["50", "50", "60", "60"], "{}", swept.stdout);
    let status = sandbox.run(["sweep", "status", "out"]).expect_code(0).expect_error(warning);
    assert!(status.said().contains("best none: what was tested on different samples is not compared"), "{status:#?}");
    let json = sandbox.run(["sweep", "status", "out", "--json"]).expect_code(0).stdout;
    let json: Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!((&json["best"], &json["best_configuration"]), (&Value::Null, &Value::Null));

    for (folder, size) in [("a", "test_size=50"), ("b", "test_size=70")] {
        sandbox.train(folder, &["--set", size]).expect_code(0);
    }
    assert!(!sandbox.run(["report", "a"]).expect_code(0).stderr.contains("different sets"));
    sandbox.run(["report", "a", "b", "--out", "both"]).expect_code(0).expect_error(warning);
    let page = fs::read_to_string(sandbox.path("both/report.html")).expect("a page");
    assert!(page.contains("(digits, 50 samples; digits, 70 samples)") && !page.contains("id=\"effects\""));
}

#[test]
fn losses_of_different_kinds_are_not_compared_without_a_word() {
    let sandbox = Sandbox::with_digits();
    sandbox.write(
        "grid.toml",
        "hidden = [4]\nepochs = 2\nvalidation = 50\n[sweep]\nloss = [\"squared\", \"half-squared\"]\nseed = [0, 1]\n",
    );
    let warning = "losses of different kinds";
    assert!(!sweep(&sandbox, &[]).expect_code(0).stderr.contains(warning));
    sweep(&sandbox, &["--by", "loss"]).expect_code(0).expect_error(warning);
    sandbox.run(["report", "out", "--by", "loss"]).expect_code(0).expect_error(warning);
    sandbox.run(["sweep", "status", "out", "--by", "loss"]).expect_code(0).expect_error(warning);
    let halved = ["--out", "halved", "--set", "sweep.halving=true"];
    sandbox
        .run(["sweep", "grid.toml", "--data", "./digits"].iter().chain(&halved))
        .expect_code(0)
        .expect_error(warning);
}

#[test]
fn a_report_is_not_written_over_or_inside_a_run() {
    let sandbox = Sandbox::with_digits();
    for folder in ["a", "b"] {
        sandbox.train(folder, &[]).expect_code(0);
    }
    let table = || std::fs::read(sandbox.path("b/results.csv")).expect("a table");
    let before = table();
    for out in ["b", "b/trials", "b/models"] {
        sandbox.run(["report", "a", "--out", out]).expect_code(2).expect_error("nothing is written");
    }
    assert_eq!(table(), before);
    assert!(!sandbox.path("b/trials/report.html").exists());
    sandbox.run(["report", "a", "b", "--out", "both"]).expect_code(0);
}

#[test]
fn samples_that_a_net_has_learned_from_are_no_judges_without_a_word() {
    let sandbox = Sandbox::with_digits();
    sandbox.train("first", &["--set", "validation=50"]).expect_code(0);
    let warning = "may be among those that the net learned from";
    let longer = |out: &str, settings: &[&str]| {
        sandbox
            .run(["train", "--from", "first", "--data", "./digits", "--out", out].iter().chain(settings))
            .expect_code(0)
    };
    assert!(!longer("same", &["--set", "epochs=2"]).stderr.contains(warning));
    longer("seed", &["--set", "seed=3"]).expect_error(warning);
    longer("split", &["--set", "validation=40"]).expect_error(warning);
    longer("size", &["--set", "train_size=150"]).expect_error(warning);
    // It is not forgotten, and whoever looks at the samples is told.
    let measure = |run: &str| sandbox.run(["evaluate", run, "--data", "./digits", "--part", "test"]).expect_code(0);
    assert!(!measure("seed").stderr.contains(warning));
    let second = ["train", "--from", "seed", "--data", "./digits", "--out", "second", "--set", "epochs=2"];
    sandbox.run(second).expect_code(0).expect_error(warning);
    for (run, is_told) in [("same", false), ("second", true)] {
        let said = "warning: validation flatters 1 of 1 trial";
        assert_eq!(sandbox.run(["report", run]).expect_code(0).stderr.contains(said), is_told, "{run}");
        assert_eq!(sandbox.run(["sweep", "status", run]).expect_code(0).stderr.contains(said), is_told, "{run}");
        let page = fs::read_to_string(sandbox.path(&format!("{run}/report.html"))).expect("a page");
        assert_eq!(page.contains("Validation flatters."), is_told, "{run}");
    }
    let settings = ["validation=50", "seed=3", "epochs=0"].iter().flat_map(|setting| ["--set", setting]);
    let own = sandbox.run(["train", "--from", "second", "--out", "own"].into_iter().chain(settings)).expect_code(0);
    own.expect_error(warning);
    sandbox.run(["evaluate", "own", "--part", "validation"]).expect_code(0).expect_error(warning);
}

/// With a rate of which some seeds diverge: it ranks behind one that lost none, and whoever tells of it says how many.
#[test]
fn a_configuration_that_lost_seeds_is_no_safe_choice() {
    let sandbox = Sandbox::with_digits();
    sandbox.write(
        "grid.toml",
        "hidden = [16]\nactivation = \"identity\"\noutput_activation = \"identity\"\nloss = \"squared\"\nreduction = \"sum\"\n\
         epochs = 1\nencoding = \"one-hot\"\noptimizer = \"sgd\"\nbatch_size = 8\n[sweep]\nlearning_rate = [1e-9, 1e20]\nseed = [0, 1]\n",
    );
    sweep(&sandbox, &[]).expect_code(0);
    let status = || {
        let status = sandbox.run(["sweep", "status", "out", "--json"]).expect_code(0);
        serde_json::from_str::<Value>(&status.stdout).expect("JSON")
    };
    assert_eq!((&status()["diverged"], &status()["best_configuration"]["n_diverged"]), (&2.into(), &0.into()));
    // One more of the rate that finished was lost, and has a record that says so.
    let records = records(&sandbox, "out");
    let name = |rate: f64, seed: u64| {
        let is_it = |record: &&Value| record["config"]["learning_rate"] == rate && record["config"]["seed"] == seed;
        records.values().find(is_it).expect("a record")["trial"].as_str().expect("a name").to_owned()
    };
    let path = sandbox.path(&format!("out/trials/{}.json", name(1e-9, 1)));
    let text = fs::read_to_string(&path).expect("a record").replace("\"finished\"", "\"diverged\"");
    fs::write(&path, text).expect("a record");
    let best = &status()["best_configuration"];
    assert_eq!([&best["n_seeds"], &best["n_trials"], &best["n_diverged"]], [1, 2, 1], "{best}");
    let said = sandbox.run(["sweep", "status", "out"]).expect_code(0);
    assert!(said.said().contains("(1 of 2 diverged)"), "{}", said.stdout);
    expect_80_columns(&said);
    let outcome = sweep(&sandbox, &[]).expect_code(0);
    assert!(!outcome.said().contains("safer choice"), "{}", outcome.stdout);
}

#[test]
fn of_seeds_alone_the_best_is_told_with_their_mean() {
    let sandbox = Sandbox::with_digits();
    sandbox.write("seeds.toml", "hidden = [8]\nepochs = 1\nvalidation = 40\n[sweep]\nseed = [0, 1, 2, 3]\n");
    // Before anything is measured it is not known what ranks.
    let arguments = ["sweep", "seeds.toml", "--data", "./digits", "--out", "out"];
    let outcome = sandbox.run(arguments).expect_code(0);
    assert!(outcome.said().contains("the luckiest of 4 seeds: their mean,"), "{}", outcome.stdout);
    expect_80_columns(&outcome);
    fs::remove_dir_all(sandbox.path("out/trials")).expect("a folder");
    let status = sandbox.run(["sweep", "status", "out", "--json"]).expect_code(0);
    assert_eq!(serde_json::from_str::<Value>(&status.stdout).expect("JSON")["ranked_by"], Value::Null);
}

#[test]
fn the_best_seed_of_the_best_configuration_is_called_the_luckiest() {
    let sandbox = Sandbox::with_digits();
    sandbox.write(
        "rates.toml",
        "hidden = [8]\nepochs = 1\nvalidation = 40\n[sweep]\nlearning_rate = [0.001, 0.5]\nseed = [0, 1, 2]\n",
    );
    let arguments = ["sweep", "rates.toml", "--data", "./digits", "--out", "out"];
    let outcome = sandbox.run(arguments).expect_code(0);
    let said = outcome.said();
    let is_said = said.contains("the luckiest of 3 seeds of its configuration: their mean is");
    assert!(is_said != said.contains("its configuration is in line"), "{said}");
    expect_80_columns(&outcome);
    let page = fs::read_to_string(sandbox.path("out/report.html")).expect("a page");
    assert!(page.contains("the luckiest of 3 seeds; trial"), "{page}");
    // Two of three seeds are still to come: column and tile count them.
    let removed = records(&sandbox, "out").into_iter().filter(|(_, record)| record["config"]["seed"] != 0);
    removed.for_each(|(file, _)| fs::remove_file(sandbox.path(&format!("out/trials/{file}"))).expect("a record"));
    sandbox.run(["report", "out"]).expect_code(0);
    let page = fs::read_to_string(sandbox.path("out/report.html")).expect("a page");
    assert_eq!(page.matches("<td>1 of 3</td>").count(), 2, "{page}");
}

#[test]
fn trials_that_split_off_validation_samples_in_different_ways_are_ranked_with_a_warning() {
    let sandbox = Sandbox::with_digits();
    sandbox.write("splits.toml", "hidden = [8]\nepochs = 1\n[sweep]\nvalidation = [20, 40]\n");
    let arguments = ["sweep", "splits.toml", "--data", "./digits", "--out", "out"];
    let told = "validated by samples that were split off in 2 different ways";
    let outcome = sandbox.run(arguments).expect_code(0);
    assert!(outcome.stderr.contains(told), "{}", outcome.stderr);
    assert!(sandbox.run(["sweep", "status", "out"]).expect_code(0).stderr.contains(told));
    let page = fs::read_to_string(sandbox.path("out/report.html")).expect("a page");
    assert!(page.contains("samples were split off in 2 different ways"));
    let outcome = sandbox.run(["sweep", "status", "out", "--by", "test.accuracy"]).expect_code(0);
    assert!(!outcome.stderr.contains("different ways"), "{}", outcome.stderr);
}

#[test]
fn trials_without_the_samples_that_rank_the_others_stand_behind_with_a_warning() {
    let sandbox = Sandbox::with_digits();
    sandbox.write("some.toml", "hidden = [8]\nepochs = 1\n[sweep]\nvalidation = [0, 40]\nseed = [0, 1]\n");
    let told = "warning: 2 of 4 trials have no validation samples, by which the others are ranked";
    let outcome = sandbox.run(["sweep", "some.toml", "--data", "./digits", "--out", "out"]).expect_code(0);
    assert!(outcome.stderr.contains(told), "{}", outcome.stderr);
    let status =
        |more: &[&str]| sandbox.run(["sweep", "status", "out"].iter().chain(more).copied()).expect_code(0).stderr;
    assert!(status(&[]).contains(told) && !status(&["--by", "test.accuracy"]).contains("stand behind"));
    let said = sandbox.run(["evaluate", "out"]).expect_code(0).said();
    assert!(said.contains("the best of the 2 of 4 trials of its folder that have validation.accuracy"), "{said}");
}

#[test]
fn where_nobody_is_better_than_one_answer_to_all_that_is_said() {
    let sandbox = Sandbox::with_digits();
    sandbox.write("none.toml", "hidden = [8]\nepochs = 1\n[sweep]\nlearning_rate = [1e-9, 1e-8]\n");
    let told = "no trial is clearly better than one and the same answer to all";
    let outcome = sandbox.run(["sweep", "none.toml", "--data", "./digits", "--out", "out"]).expect_code(0);
    expect_80_columns(&outcome);
    assert!(outcome.said().contains(told), "{}", outcome.stdout);
    let status = sandbox.run(["sweep", "status", "out"]).expect_code(0);
    expect_80_columns(&status);
    assert!(status.said().contains(told), "{}", status.stdout);
    let page = fs::read_to_string(sandbox.path("out/report.html")).expect("a page");
    assert!(page.contains("<strong>No trial is clearly better than one and the same answer to all.</strong> The best"));
    sandbox.write("some.toml", "hidden = [32]\nepochs = 20\n[sweep]\nseed = [0, 1]\n");
    let outcome = sandbox.run(["sweep", "some.toml", "--data", "./digits", "--out", "learned"]).expect_code(0);
    assert!(!outcome.said().contains(told), "{}", outcome.stdout);
}

#[test]
fn where_no_trial_has_a_result_nothing_is_compared() {
    let sandbox = Sandbox::with_digits();
    sandbox.write(
        "dead.toml",
        "hidden = [16]\nactivation = \"identity\"\noutput_activation = \"identity\"\nloss = \"squared\"\nreduction = \"sum\"\n\
         epochs = 2\nencoding = \"one-hot\"\noptimizer = \"sgd\"\nbatch_size = 8\n[sweep]\nlearning_rate = [1e20, 1e21]\nseed = [0, 1]\n",
    );
    let outcome = sandbox.run(["sweep", "dead.toml", "--data", "./digits", "--out", "out"]);
    assert!(outcome.said().contains("no trial has a result: there is nothing to compare"), "{outcome:#?}");
    assert!(!outcome.said().contains("standard deviation") && !outcome.said().contains("best first"), "{outcome:#?}");
    // A folder with a specification and nothing else is that of a run that was stopped.
    fs::remove_dir_all(sandbox.path("out/trials")).expect("a folder");
    fs::create_dir(sandbox.path("out/trials")).expect("a folder");
    let outcome = sandbox.run(["evaluate", "out", "--data", "./digits"]).expect_code(5);
    outcome.expect_error("found a run that has not come to one yet; the command that began it, run again, goes on");
}

/// What `--from` takes is a model; the record beside it names it.
#[test]
fn the_record_of_a_trial_given_as_a_model_is_answered_with_the_model() {
    let sandbox = Sandbox::with_digits();
    sandbox.write("one.toml", "hidden = [8]\nepochs = 1\n");
    sandbox.run(["train", "one.toml", "--data", "./digits", "--out", "out"]).expect_code(0);
    let file = records(&sandbox, "out").into_keys().next().expect("a record");
    let model = format!("out/models/{}", file.replace(".json", ".safetensors"));
    let path = format!("out/trials/{file}");
    for arguments in [&["train", "--from", &path][..], &["evaluate", &path], &["predict", &path, "a.png"]] {
        let outcome = sandbox.run(arguments.iter().copied()).expect_code(2);
        outcome.expect_error("found the record of a trial, which holds no weights; name").expect_error(&model);
    }
    sandbox.write("other.json", "{}");
    sandbox
        .run(["train", "--from", "other.json"])
        .expect_code(3)
        .expect_error("expected a safetensors file, found a JSON file");
}

/// Records with the accuracies of a net that did not train beside those of nets that did.
#[test]
fn of_two_groups_of_seeds_neither_table_nor_status_tells_a_deviation() {
    let sandbox = Sandbox::with_digits();
    sandbox.write("seeds.toml", "hidden = [8]\nepochs = 1\nvalidation = 40\n[sweep]\nseed = [0, 1, 2, 3]\n");
    let arguments = ["sweep", "seeds.toml", "--data", "./digits", "--out", "out"];
    sandbox.run(arguments).expect_code(0);
    for (place, file) in records(&sandbox, "out").into_keys().enumerate() {
        let path = format!("out/trials/{file}");
        let text = fs::read_to_string(sandbox.path(&path)).expect("a record");
        let mut record: Value = serde_json::from_str(&text).expect("JSON");
        for epoch in record["epochs"].as_array_mut().expect("epochs") {
            for set in ["test", "validation"] {
                epoch[set]["accuracy"] = [0.11, 0.95, 0.96, 0.97][place].into();
            }
        }
        sandbox.write(&path, record.to_string());
    }
    let outcome = sandbox.run(arguments).expect_code(0);
    expect_80_columns(&outcome);
    let line = outcome.stdout.lines().find(|line| line.contains("74.75 %")).expect("a line");
    assert!(line.contains("3 of 4 trained") && !outcome.stdout.contains("right ±"), "{}", outcome.stdout);
    let said = outcome.said();
    assert!(said.contains("no ± describes both groups") && said.contains("only 3 of 4 seeds trained"), "{said}");
    assert!(!said.contains("luckiest") && !said.contains("expected to reach"), "{said}");
    let status = sandbox.run(["sweep", "status", "out"]).expect_code(0);
    expect_80_columns(&status);
    assert!(status.said().contains("mean of 4 seeds, in two groups: only 3 of 4 trained"), "{}", status.stdout);
    assert!(!status.stdout.contains('±'), "{}", status.stdout);
    let status = sandbox.run(["sweep", "status", "out", "--json"]).expect_code(0);
    let best = &serde_json::from_str::<Value>(&status.stdout).expect("JSON")["best_configuration"];
    assert_eq!((&best["two_groups"], &best["n_trained"]), (&true.into(), &3.into()));
}

/// A shard has one seed of each configuration, or none.
#[test]
fn of_a_sweep_that_is_not_at_its_end_it_is_said_how_many_seeds_a_mean_is_over() {
    let sandbox = Sandbox::with_digits();
    sandbox.write("grid.toml", "hidden = [8]\nepochs = 1\n[sweep]\nlearning_rate = [0.1, 0.2]\nseed = [0, 1, 2, 3]\n");
    let outcome = sweep(&sandbox, &["--shard", "1/8"]).expect_code(0);
    assert!(outcome.said().contains("these are the trials of shard 1/8 alone"), "{}", outcome.stdout);
    assert!(outcome.said().contains("(1), for one: over so many of 4 seeds alone"), "{}", outcome.stdout);
    expect_80_columns(&outcome);
    let said = sandbox.run(["sweep", "status", "out"]).expect_code(0);
    assert!(said.said().contains(", 1 of 4 seeds so far: learning_rate = "), "{}", said.stdout);
    assert!(said.said().contains(", the only trial with a result so far"), "{}", said.stdout);
    expect_80_columns(&said);
    let json = |output: &str| serde_json::from_str::<Value>(output).expect("JSON");
    let status = json(&sandbox.run(["sweep", "status", "out", "--json"]).expect_code(0).stdout);
    let best = &status["best_configuration"];
    assert_eq!([&best["n_seeds"], &best["n_trials"], &best["n_seeds_planned"]], [1, 1, 4], "{best}");
    sweep(&sandbox, &["--shard", "2/8"]).expect_code(0);
    sweep(&sandbox, &["--shard", "3/8"]).expect_code(0);

    // The report ranks as the status does.
    let best = &json(&sandbox.run(["sweep", "status", "out", "--json"]).expect_code(0).stdout)["best_configuration"];
    sandbox.run(["report", "out"]).expect_code(0);
    let results = mlp_results::RunFolder::new(sandbox.path("out")).read().expect("results");
    let overview = mlp_results::Overview::new(&results.trials);
    let rate = &overview.cells[0].trials[0].record.config["learning_rate"];
    assert_eq!(best["label"], format!("learning_rate = {rate}"));
    sweep(&sandbox, &[]).expect_code(0);
    let said = sandbox.run(["sweep", "status", "out"]).expect_code(0).said();
    assert!(said.contains("± sd of 4 seeds") && !said.contains("so far") && !said.contains("only trial"), "{said}");
}

#[test]
fn status_and_report_name_records_that_are_broken_or_were_changed_by_hand() {
    let sandbox = Sandbox::with_digits();
    sandbox.write("grid.toml", "hidden = [8]\nepochs = 1\ntrain_size = 200\n[sweep]\nseed = [0, 1, 2]\n");
    sweep(&sandbox, &[]).expect_code(0);
    let commands = [["sweep", "status", "out"].as_slice(), &["report", "out"]];
    for command in commands {
        assert!(!sandbox.run(command).expect_code(0).stderr.contains("warning"), "{command:?}");
    }
    let path = |seed: u64| {
        let records = records(&sandbox, "out");
        let record = records.values().find(|record| record["config"]["seed"] == seed).expect("a record");
        sandbox.path(&format!("out/trials/{}.json", record["trial"].as_str().expect("a name")))
    };
    let (changed, broken) = (path(1), path(2));
    let text = fs::read_to_string(&changed).expect("a record");
    fs::write(&changed, text.replace("\"seed\": 1,", "\"seed\": 5,")).expect("a record");
    fs::write(&broken, "{\"schema\": 1, ").expect("a record");
    let name = |path: &std::path::Path| path.file_name().expect("a name").to_string_lossy().into_owned();
    for command in commands {
        let outcome = sandbox.run(command).expect_code(0).expect_error("Skipped a record.");
        let outcome =
            outcome.expect_error(&name(&broken)).expect_error("Changed by hand.").expect_error(&name(&changed));
        assert_eq!(outcome.stderr.matches("warning").count(), 2, "{}", outcome.stderr);
    }
    let page = fs::read_to_string(sandbox.path("out/report.html")).expect("a page");
    assert!(page.contains("<strong>Read with care:</strong> 3 warnings") && page.contains("Changed by hand."));
    let status = sandbox.run(["sweep", "status", "out", "--json"]).expect_code(0).stdout;
    let status: Value = serde_json::from_str(&status).expect("JSON");
    assert_eq!(status["warnings"].as_array().map(Vec::len), Some(2));
}
