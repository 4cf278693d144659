//! Specifications: where each fault is and what is said of it, `--set`, and the same in a program.

use std::fmt::Write as _;
use std::fs::File;
use std::path::Path;

use mlp_core::Activation;
use mlp_sweep::{Document, ErrorKind, Result, Sweep, SweepSpec};
use mlp_train::{Optimizer, TrainConfig};
use serde_json::{Value, json};

use crate::small::{Place, digits, specification};

/// Each text with what it is an example of.
const FAULTS: [(&str, &str); 28] = [
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
    ("a number without a digit before the point", "learning_rate = .001\n"),
    ("a number without a digit behind the point", "epochs = 3\n[sweep]\nl2 = [0.0, -1.e-3, 1e-4]\n"),
    ("a range in a grid", "[sweep]\nlearning_rate = { from = 1e-4, to = 1, scale = \"log\" }\n"),
    ("a range in a grid that says so", "[sweep]\nmode = \"grid\"\nseed = [0]\nbatch_size = { from = 8, to = 64 }\n"),
    ("a range in a list", "[sweep]\nmode = \"random\"\ntrials = 9\nl2 = [0, { from = 1e-4, to = 1 }]\n"),
    ("a range outside of [sweep]", "learning_rate = { from = 1e-4, to = 1 }\n"),
    ("no TOML", "hidden = [512,\nseed 3\n"),
];

/// The sweep of `text` with these overrides, into a folder that is not made.
fn plan(text: &str, overrides: &[&str]) -> Result<Sweep> {
    let place = Place::new();
    let planned = (|| {
        let mut document = Document::parse(text, "my.toml")?;
        overrides.iter().try_for_each(|setting| document.override_with(setting))?;
        Sweep::new(document.check()?, digits(), place.folder("out").path())
    })();
    assert!(!place.folder("out").path().exists(), "nothing is made before it is run: {text}");
    planned
}

/// What is said of a specification that is refused.
#[track_caller]
fn refusal(planned: Result<Sweep>) -> String {
    let error = planned.expect_err("a refusal");
    assert_eq!(error.kind(), ErrorKind::Specification, "{error}");
    error.to_string()
}

#[test]
fn each_fault_of_a_file_is_named_with_line_and_column_before_any_folder_exists() {
    let mut report = String::new();
    for (name, text) in FAULTS {
        let _ = write!(report, "## {name}\n\n{}\n\n", refusal(plan(text, &[])));
    }
    insta::assert_snapshot!("specification-faults", report);
}

#[test]
fn each_fault_of_set_is_named() {
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
        "learning_rate=.001",
        "learning_rate=1.",
        "sweep.learning_rate=[.1, 1.]",
        "sweep.learning_rate={ from = 0.1, to = 1 }",
        "sweep.seed=1",
        "sweep.name=[\"a\", \"b\"]",
        "sweep=3",
    ] {
        let _ = writeln!(report, "{}", refusal(plan("[sweep]\nhidden = [[4], [8]]\n", &[setting])));
    }
    insta::assert_snapshot!("set-faults", report);
}

#[test]
fn set_takes_toml_values_and_bare_words_and_wins_over_the_file() {
    let overrides = ["loss=rmse", "optimizer={ name = \"momentum\", momentum = 0.5 }"];
    let sweep = plan("loss = \"squared\"\nseed = 5\n", &overrides).expect("a sweep");
    let configuration = sweep.specification().base().to_map();
    assert_eq!(configuration["loss"], "rmse");
    assert_eq!(configuration["seed"], 5);
    assert_eq!(configuration["optimizer"]["momentum"], 0.5);
}

#[test]
fn of_a_list_of_values_to_try_outside_of_sweep_it_is_said_where_it_goes() {
    for (text, overrides, expected) in [
        (
            "",
            &["seed=[0,1]"][..],
            "found [0,1]; a list of values to try goes under [sweep] of a sweep, or into --set 'sweep.seed=[0, 1]'",
        ),
        ("learning_rate = [0.1, 0.2]\n[sweep]\nseed = [0, 1]\n", &[], "--set 'sweep.learning_rate=[0.1, 0.2]'"),
        ("hidden = [[8], [16]]\n", &[], "--set 'sweep.hidden=[[8], [16]]'"),
        ("train_size = [100, 200]\n", &[], "--set 'sweep.train_size=[100, 200]'"),
    ] {
        let refused = refusal(plan(text, overrides));
        assert!(refused.contains(expected), "{refused}");
    }
    // One of these is no rate in a sweep either.
    let refused = refusal(plan("learning_rate = [0.1, -1.0]\n", &[]));
    assert!(!refused.contains("to try"), "{refused}");
}

#[test]
fn a_fixed_value_takes_a_key_out_of_the_grid_and_a_list_puts_one_in() {
    let text = "[sweep]\nseed = [0, 1]\nhidden = [[4], [8], [9]]\n";
    assert_eq!(plan(text, &["seed=7"]).expect("a sweep").trials().len(), 3);
    assert_eq!(plan(text, &["sweep.seed=[5]"]).expect("a sweep").trials().len(), 3);
    assert_eq!(plan(text, &["sweep.epochs=[1, 2]"]).expect("a sweep").trials().len(), 12);
}

#[test]
fn what_cannot_be_drawn_or_halved_is_refused() {
    for (text, expected) in [
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
        let found = refusal(plan(text, &[]));
        assert!(found.contains(expected), "expected {expected:?} in {found:?}");
    }
}

#[track_caller]
fn refused_file(path: &Path, expected: &str) {
    let error = SweepSpec::read(path).expect_err("a refusal");
    assert_eq!(error.kind(), ErrorKind::Specification);
    assert!(error.to_string().contains(expected), "expected {expected:?} in {error}");
}

#[test]
fn files_that_are_no_utf8_text_are_refused_with_the_place_of_the_first_wrong_byte() {
    let place = Place::new();
    let path = place.write("bom.toml", b"\xef\xbb\xbfseed = 1\n");
    refused_file(&path, "bom.toml:1:1: expected TOML, found a byte order mark");
    let path = place.write("latin.toml", b"seed = 1\nname = \"\xfcber\"\n");
    refused_file(&path, "latin.toml:2:9: expected UTF-8 text, found the byte 0xfc");
}

#[test]
fn a_file_of_100_megabytes_is_refused_without_being_read() {
    let place = Place::new();
    let path = place.write("huge.toml", "");
    File::create(&path).and_then(|file| file.set_len(100_000_000)).expect("a sparse file");
    refused_file(&path, "at most 1048576 bytes, found 100000000 bytes");
}

#[test]
fn what_is_no_regular_file_is_refused() {
    let place = Place::new();
    let folder = place.folder("nothing");
    refused_file(folder.path(), "no such configuration file");
    std::fs::create_dir(folder.path()).expect("a folder");
    refused_file(folder.path(), "found something else");
}

#[test]
fn deep_nesting_is_refused_and_overflows_no_stack() {
    let deep = format!("hidden = {}{}\n", "[".repeat(100_000), "]".repeat(100_000));
    let tables = format!("optimizer = {}1{}\n", "{ a = ".repeat(50_000), " }".repeat(50_000));
    for text in [deep, tables] {
        assert!(refusal(plan(&text, &[])).starts_with("my.toml:1:"));
    }
}

#[test]
fn a_grid_of_a_thousand_million_cells_is_refused_at_once() {
    let list = (1..=1000).map(|number| number.to_string()).collect::<Vec<_>>().join(", ");
    let text = format!("[sweep]\nseed = [{list}]\nepochs = [{list}]\nlearning_rate = [{list}]\n");
    let expected = "at most 100000 trials, found the product of 1000 of seed, 1000 of epochs, 1000 of learning_rate";
    assert!(refusal(plan(&text, &[])).contains(expected));
}

#[track_caller]
fn assert_same(one: &SweepSpec, other: &SweepSpec) {
    assert_eq!(one.to_toml(), other.to_toml());
    assert_eq!(one.trials_settings().expect("trials"), other.trials_settings().expect("trials"));
}

#[test]
fn what_is_built_in_a_program_is_what_is_read_from_a_file() {
    let base = TrainConfig::new()
        .hidden([8, 4])
        .activation([Activation::Tanh])
        .optimizer(Optimizer::Momentum { momentum: 0.5 })
        .epochs(3);
    let text =
        "hidden = [8, 4]\nactivation = \"tanh\"\noptimizer = { name = \"momentum\", momentum = 0.5 }\nepochs = 3\n";
    let built = SweepSpec::new(&base).expect("a run");
    assert_same(&built, &specification(text));

    let built = built.vary("learning_rate", [0.1, 0.3]).and_then(|spec| spec.vary("seed", 0..3)).expect("a sweep");
    assert_same(&built, &specification(&format!("{text}[sweep]\nlearning_rate = [0.1, 0.3]\nseed = [0, 1, 2]\n")));
    // A key varies over one list, and not at all where it is fixed.
    let built = built.vary("seed", [5]).and_then(|spec| spec.with("learning_rate", 0.2)).expect("a sweep");
    assert_same(&built, &specification(&format!("{text}learning_rate = 0.2\n[sweep]\nseed = [5]\n")));
    let built = built.with("train_size", 100).and_then(|spec| spec.with("loss", "rmse")).expect("a sweep");
    assert_same(
        &built,
        &specification(&format!("{text}learning_rate = 0.2\ntrain_size = 100\nloss = \"rmse\"\n[sweep]\nseed = [5]\n")),
    );
}

#[test]
fn what_a_file_says_besides_lists_can_be_added_in_a_program_and_kept_when_a_program_varies_it() {
    let text = "epochs = 9\nvalidation = 50\n[sweep]\nmode = \"random\"\ntrials = 4\nhalving = true\n\
                learning_rate = { from = 1e-4, to = 0.1, scale = \"log\" }\n";
    let varied = specification(text).vary("seed", 0..2).expect("a sweep");
    assert_same(&varied, &specification(&format!("{text}seed = [0, 1]\n")));
    assert_eq!((varied.n_trials(), varied.random().map(|random| random.n_combinations)), (8, Some(4)));
    assert!(varied.halving().is_some());
}

#[test]
fn what_a_program_gets_wrong_is_said_without_a_place() {
    let spec = SweepSpec::new(&TrainConfig::default()).expect("a run");
    let faults = [
        (spec.vary("learnin_rate", [0.1]), "did you mean learning_rate?"),
        (spec.vary("seed", [1, 1]), "seed: expected each value once, found 1 twice"),
        (spec.vary("seed", [0; 0]), "seed: expected at least one value to try"),
        (spec.with("seed", json!([1])), "seed: expected"),
        (spec.with("epochs", -1), "epochs: expected"),
        (spec.with("hidden", Value::Null), "hidden: expected"),
    ];
    for (result, expected) in faults {
        let error = result.expect_err("a refusal");
        assert!(error.to_string().contains(expected), "expected {expected:?} in {error}");
    }
}
