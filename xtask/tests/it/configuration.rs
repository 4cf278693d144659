//! Faults of configuration files and of `--set`: code 2 with the place, and no folder made.

use std::fmt::Write as _;

use crate::sandbox::Sandbox;

/// Each text with what it is an example of.
const FAULTS: [(&str, &str); 22] = [
    ("unknown key", "seed = 1\nlearnin_rate = 0.1\n"),
    ("unknown key in [sweep]", "[sweep]\nhiden = [[1]]\n"),
    ("duplicate key", "seed = 1\nepochs = 2\nseed = 3\n"),
    ("wrong type", "hidden = \"512\"\n"),
    ("wrong type inside a list", "hidden = [512, \"256\"]\n"),
    ("missing parameter", "initializer = { name = \"uniform\", low = -1 }\n"),
    ("nan", "learning_rate = nan\n"),
    ("infinity", "l2 = -inf\n"),
    ("learning rate of 0", "\n\n  learning_rate   =   0\n"),
    ("decay beyond one step", "learning_rate = 10.0\nl2 = 0.2\n"),
    ("empty batch", "batch_size = 0\n"),
    ("batch larger than the set", "batch_size = 1000\n"),
    ("no units in a layer", "hidden = [8, 0]\n"),
    ("a thousand million units", "hidden = [1000000000]\n"),
    ("loss that does not fit the outputs", "loss = \"softmax-cross-entropy\"\n"),
    ("misspelt name", "activation = \"sigmiod\"\n"),
    ("more images than there are", "train_size = 999\n"),
    ("leaving the folder by the name", "name = \"../../evil\"\n"),
    ("empty grid", "[sweep]\nseed = []\n"),
    ("a value in place of a list", "[sweep]\nseed = 3\n"),
    ("a value twice", "[sweep]\nlearning_rate = [0.1, 1, 1.0]\n"),
    ("no TOML", "hidden = [512,\nseed 3\n"),
];

#[test]
fn each_fault_of_a_file_is_named_with_line_and_column_before_any_folder_exists() {
    let sandbox = Sandbox::with_digits();
    let mut report = String::new();
    for (name, text) in FAULTS {
        sandbox.write("my.toml", text);
        let outcome = sandbox.run(["sweep", "my.toml", "--data", "./digits"]).expect_code(2);
        assert_eq!(outcome.stdout, "", "{name}");
        let _ = write!(report, "## {name}\n\n{}\n", outcome.stderr);
        assert!(sandbox.files("runs").is_empty(), "{name}");
    }
    insta::assert_snapshot!("configuration-faults", report);
}

#[test]
fn each_fault_of_set_is_named() {
    let sandbox = Sandbox::with_digits();
    let mut report = String::new();
    for setting in [
        "learning_rate",
        "=1",
        "learning_rate=",
        "learning_rate=-1",
        "learning_rate=1e999",
        "loss=rsme",
        "seed=0\nepochs=1",
        "name=../x",
        "epochs=2001-01-01",
        "sweep.seed=1",
        "sweep.name=[\"a\", \"b\"]",
        "sweep=3",
    ] {
        let outcome = sandbox.run(["sweep", "layers", "--data", "./digits", "--set", setting]).expect_code(2);
        report.push_str(&outcome.stderr);
        assert!(sandbox.files("runs").is_empty(), "{setting}");
    }
    insta::assert_snapshot!("set-faults", report);
}

#[test]
fn files_that_are_no_utf8_text_are_refused_with_the_place_of_the_first_wrong_byte() {
    let sandbox = Sandbox::with_digits();
    sandbox.write("bom.toml", b"\xef\xbb\xbfseed = 1\n");
    sandbox
        .run(["train", "bom.toml"])
        .expect_code(2)
        .expect_error("bom.toml:1:1: expected TOML, found a byte order mark");
    sandbox.write("latin.toml", b"seed = 1\nname = \"\xfcber\"\n");
    sandbox
        .run(["train", "latin.toml"])
        .expect_code(2)
        .expect_error("latin.toml:2:9: expected UTF-8 text, found the byte 0xfc");
}

#[test]
fn a_configuration_of_100_megabytes_is_refused_without_being_read() {
    let sandbox = Sandbox::new();
    let file = std::fs::File::create(sandbox.path("huge.toml")).expect("a file");
    file.set_len(100_000_000).expect("a sparse file");
    sandbox.run(["train", "huge.toml"]).expect_code(2).expect_error("at most 1048576 bytes, found 100000000 bytes");
}

#[test]
fn what_is_no_regular_file_is_refused() {
    let sandbox = Sandbox::new();
    sandbox.run(["train", "datasets"]).expect_code(2).expect_error("found something else");
    sandbox.run(["train", "none.toml"]).expect_code(2).expect_error("no such configuration file");
    sandbox.run(["sweep", "lossess"]).expect_code(2).expect_error("did you mean losses?");
}

#[test]
fn deep_nesting_is_refused_and_overflows_no_stack() {
    let sandbox = Sandbox::new();
    let deep = format!("hidden = {}{}\n", "[".repeat(100_000), "]".repeat(100_000));
    sandbox.write("deep.toml", deep);
    sandbox.run(["train", "deep.toml"]).expect_code(2).expect_error("deep.toml:1:");
    let tables = format!("optimizer = {}1{}\n", "{ a = ".repeat(50_000), " }".repeat(50_000));
    sandbox.write("tables.toml", tables);
    sandbox.run(["train", "tables.toml"]).expect_code(2).expect_error("tables.toml:1:");
}

#[test]
fn a_grid_of_a_thousand_million_cells_is_refused_at_once() {
    let sandbox = Sandbox::with_digits();
    let list = (1..=1000).map(|number| number.to_string()).collect::<Vec<_>>().join(", ");
    let text = format!("[sweep]\nseed = [{list}]\nepochs = [{list}]\nlearning_rate = [{list}]\n");
    sandbox.write("grid.toml", text);
    let outcome = sandbox.run(["sweep", "grid.toml", "--data", "./digits"]).expect_code(2);
    outcome.expect_error(
        "at most 100000 trials, found the product of 1000 of seed, 1000 of epochs, 1000 of learning_rate",
    );
    assert!(sandbox.files("runs").is_empty());
}

#[test]
fn set_takes_toml_values_and_bare_words_and_wins_over_the_file() {
    let sandbox = Sandbox::with_digits();
    sandbox.write("my.toml", "loss = \"squared\"\nseed = 5\n");
    let outcome = sandbox.train(
        "out",
        &["my.toml", "--set", "loss=rmse", "--set", "optimizer={ name = \"momentum\", momentum = 0.5 }", "--json"],
    );
    let record: serde_json::Value = serde_json::from_str(&outcome.expect_code(0).stdout).expect("a record");
    assert_eq!(record["config"]["loss"], "rmse");
    assert_eq!(record["config"]["seed"], 5);
    assert_eq!(record["config"]["optimizer"]["momentum"], 0.5);
}

#[test]
fn a_file_with_sweep_lists_is_not_trained_as_one_run() {
    let sandbox = Sandbox::with_digits();
    sandbox.write("grid.toml", "[sweep]\nseed = [0, 1]\n");
    sandbox.train("out", &["grid.toml"]).expect_code(2).expect_error("`cargo xtask sweep` runs them all");
    assert!(!sandbox.path("out").exists());
}
