//! Faults of configuration files and of `--set`: code 2 with the place, and no folder made. Which faults there are, and what is
//! said of each, is tested in `mlp-sweep`.

use crate::sandbox::Sandbox;

#[test]
fn a_fault_of_a_file_or_of_set_ends_with_2_and_its_place_before_any_folder_exists() {
    let sandbox = Sandbox::with_digits();
    sandbox.write("my.toml", "hidden = [512, \"256\"]\n");
    let file = ["sweep", "my.toml", "--data", "./digits"];
    let set = ["sweep", "layers", "--data", "./digits", "--set", "loss=rsme"];
    for (outcome, message) in [
        (
            sandbox.run(file),
            "error: my.toml:1:16: hidden[1]: expected an integer of at least 1, found \"256\"\n 1 | hidden = [512, \"256\"]\n   \
             |                ^^^^^\n",
        ),
        (sandbox.run(set), "error: --set loss=rsme: loss: expected absolute, squared,"),
    ] {
        let outcome = outcome.expect_code(2).expect_error(message);
        assert_eq!(outcome.stdout, "");
        assert!(sandbox.files("runs").is_empty());
    }
    sandbox.run(["train", "none.toml"]).expect_code(2).expect_error("no such configuration file");
    sandbox.run(["sweep", "lossess"]).expect_code(2).expect_error("did you mean losses?");
}

#[test]
fn a_file_with_sweep_lists_is_not_trained_as_one_run() {
    let sandbox = Sandbox::with_digits();
    sandbox.write("grid.toml", "[sweep]\nseed = [0, 1]\n");
    sandbox.train("out", &["grid.toml"]).expect_code(2).expect_error("`cargo xtask sweep` runs them all");
    assert!(!sandbox.path("out").exists());
}

/// Named twice, a data set is one where both names are the same, with quotes or without.
#[test]
fn two_data_sets_on_one_command_line_are_refused() {
    let sandbox = Sandbox::with_digits();
    let train = |data: &str| {
        ["train", "--data", "./digits", "--set", "epochs=0", "--out", "out", "--set", data].map(str::to_owned)
    };
    sandbox.run(train("data=synthetic")).expect_code(2).expect_error("expected one data set, found two");
    sandbox.run(train("data = \"synthetic\"")).expect_code(2).expect_error("--set data=synthetic");
    sandbox.run(train("data=\"./digits\"")).expect_code(0);
}

/// Texts that a key takes need no quotes of TOML inside those of the shell.
#[test]
fn a_text_of_several_words_is_taken_as_it_stands() {
    let sandbox = Sandbox::with_digits();
    let train = |augment: &str| {
        ["train", "--data", "./digits", "--set", "epochs=0", "--out", "out", "--set", augment].map(str::to_owned)
    };
    sandbox.run(train("augment=shift 2, rotate 10")).expect_code(0);
    sandbox.run(train("augment=\"shift 2, rotate 10\"")).expect_code(0);
    sandbox.run(train("augment=shift 2, rotat 10")).expect_code(2);
}

#[test]
fn a_loss_for_counts_is_refused_for_classes() {
    let sandbox = Sandbox::with_digits();
    let outcome =
        sandbox.train("out", &["--set", "loss=poisson", "--set", "output_activation=identity"]).expect_code(2);
    outcome.expect_error("loss: expected a loss for classes").expect_error("cross-entropy");
}
