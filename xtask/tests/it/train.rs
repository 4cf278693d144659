//! `train`: one run, its folder, and what it says.

use std::fs;

use serde_json::Value;

use crate::sandbox::Sandbox;

fn record(sandbox: &Sandbox, folder: &str) -> Value {
    let path = sandbox.only_file(&format!("{folder}/trials"), ".json");
    serde_json::from_str(&fs::read_to_string(path).expect("a record")).expect("JSON")
}

#[test]
fn a_run_leaves_a_record_a_model_a_report_and_its_specification() {
    let sandbox = Sandbox::with_digits();
    let outcome = sandbox.train("out", &[]).expect_code(0);
    let record = record(&sandbox, "out");
    assert_eq!(record["status"], "finished");
    assert_eq!(record["layers"], serde_json::json!([784, 8, 6]));
    sandbox.only_file("out/models", ".safetensors");
    for name in ["out/report.html", "out/results.csv", "out/spec.toml"] {
        assert!(sandbox.path(name).is_file(), "{name}");
    }
    for word in ["all 6 bits right", "bit accuracy", "invalid", "predict", "evaluate", "report.html"] {
        assert!(outcome.stdout.contains(word), "{word}: {outcome:#?}");
    }
}

#[test]
fn json_is_the_record_and_nothing_else() {
    let sandbox = Sandbox::with_digits();
    let outcome = sandbox.train("out", &["--json"]).expect_code(0);
    let printed: Value = serde_json::from_str(&outcome.stdout).expect("JSON alone");
    assert_eq!(printed, record(&sandbox, "out"));
}

#[test]
fn running_again_shows_the_result_and_computes_nothing() {
    let sandbox = Sandbox::with_digits();
    sandbox.train("out", &[]).expect_code(0);
    let first = record(&sandbox, "out");
    let outcome = sandbox.train("out", &[]).expect_code(0);
    assert!(outcome.stdout.contains("finished already"), "{outcome:#?}");
    assert_eq!(record(&sandbox, "out"), first);
}

#[test]
fn the_written_specification_gives_the_same_run() {
    let sandbox = Sandbox::with_digits();
    sandbox.train("out", &["--set", "schedule={ name = \"cosine\", warmup = 0.5 }", "--set", "l2=1e-5"]).expect_code(0);
    let outcome = sandbox.run(["train", "out/spec.toml", "--threads", "2", "--out", "again"]).expect_code(0);
    assert_eq!(outcome.stderr, "");
    let (first, second) = (record(&sandbox, "out"), record(&sandbox, "again"));
    assert_eq!(first["trial"], second["trial"]);
    assert_eq!(first["weights_sha256"], second["weights_sha256"]);
}

#[test]
fn a_folder_of_another_specification_is_refused_with_the_difference() {
    let sandbox = Sandbox::with_digits();
    sandbox.train("out", &[]).expect_code(0);
    let outcome = sandbox.train("out", &["--set", "seed=7"]).expect_code(2);
    outcome.expect_error("seed: 0 there, 7 now").expect_error("--out");
}

#[test]
fn a_diverged_run_is_a_finding_with_code_0() {
    let sandbox = Sandbox::with_digits();
    let wild =
        ["--set", "activation=relu", "--set", "learning_rate=1e30", "--set", "optimizer=sgd", "--set", "epochs=3"];
    let outcome =
        sandbox.train("out", &[&wild[..], &["--set", "loss=squared", "--set", "output_activation=identity"]].concat());
    let outcome = outcome.expect_code(0);
    assert!(outcome.stdout.contains("diverged in epoch"), "{outcome:#?}");
    assert_eq!(record(&sandbox, "out")["status"], "diverged");
}

#[test]
fn an_examined_run_says_where_learning_died_and_computes_the_same_weights() {
    let sandbox = Sandbox::with_digits();
    let dead = ["--set", "initializer=uniform-0-1", "--set", "bias=false", "--set", "precision=f64"];
    sandbox.train("plain", &dead).expect_code(0);
    assert!(sandbox.files("plain/diagnosis").is_empty());
    let outcome = sandbox.train("out", &[&dead[..], &["--diagnose"]].concat()).expect_code(0);
    let sentence = "Layer 1 of 2: 100 % of its units are saturated at 1 from epoch 0 on";
    assert!(outcome.said().contains(sentence) && outcome.said().contains("all positive"), "{outcome:#?}");
    let (plain, examined) = (record(&sandbox, "plain"), record(&sandbox, "out"));
    assert_eq!(plain["trial"], examined["trial"]);
    assert_eq!(plain["weights_sha256"], examined["weights_sha256"]);

    let path = sandbox.only_file("out/diagnosis", ".json");
    assert_eq!(path.file_stem().and_then(|name| name.to_str()), examined["trial"].as_str());
    let diagnosis: Value = serde_json::from_str(&fs::read_to_string(path).expect("a diagnosis")).expect("JSON");
    assert_eq!(diagnosis["trial"], examined["trial"]);
    assert_eq!(diagnosis["epochs"].as_array().map(Vec::len), Some(2));
    let page = fs::read_to_string(sandbox.path("out/report.html")).expect("a page");
    assert!(page.contains("<h3>Diagnosis</h3>") && page.contains(sentence));
    assert!(sandbox.path("out/plots/best-diagnosis-saturated.svg").is_file());

    // What is finished cannot be examined any more, and is said to be so; what was examined is shown again.
    let outcome = sandbox.train("plain", &[&dead[..], &["--diagnose"]].concat()).expect_code(0);
    assert!(outcome.stdout.contains("diagnosis        none: "), "{outcome:#?}");
    let outcome = sandbox.train("out", &[&dead[..], &["--diagnose"]].concat()).expect_code(0);
    assert!(outcome.said().contains(sentence), "{outcome:#?}");
}

#[test]
fn without_mnist_the_first_line_of_standard_error_says_that_the_data_are_synthetic() {
    let sandbox = Sandbox::new();
    let outcome = sandbox.run(["train", "--set", "epochs=0", "--set", "hidden=[4]"]).expect_code(0);
    let first = outcome.stderr.lines().next().expect("a line");
    assert!(first.contains("synthetic") && first.contains("cargo xtask download"), "{outcome:#?}");
    let runs = sandbox.files("runs");
    assert_eq!(runs.len(), 1);
    assert!(runs[0].to_string_lossy().ends_with("-synthetic"), "{runs:?}");
}

#[test]
fn data_that_is_named_and_missing_is_an_error_that_says_how_to_get_it() {
    let sandbox = Sandbox::with_digits();
    sandbox.run(["train", "--data", "mnist"]).expect_code(3).expect_error("cargo xtask download mnist");
    sandbox.run(["train", "--data", "mnits"]).expect_code(3).expect_error("did you mean \"mnist\"?");
    sandbox.run(["train", "--data", "./none"]).expect_code(3).expect_error("no such file or folder");
    fs::write(sandbox.only_file("digits", "t10k-labels-idx1-ubyte.gz"), "<html>").expect("damage");
    sandbox.train("out", &[]).expect_code(3).expect_error("t10k-labels-idx1-ubyte.gz").expect_error("HTML");
    assert!(!sandbox.path("out").exists());
}

#[test]
fn a_run_can_start_from_a_saved_model() {
    let sandbox = Sandbox::with_digits();
    sandbox.train("first", &[]).expect_code(0);
    let model = sandbox.only_file("first/models", ".safetensors");
    let init = model.to_str().expect("a path");
    sandbox.train("second", &["--init", init, "--set", "epochs=0"]).expect_code(0);
    let (first, second) = (record(&sandbox, "first"), record(&sandbox, "second"));
    assert_eq!(first["weights_sha256"], second["weights_sha256"]);
    assert_eq!(second["config"]["init"], first["weights_sha256"]);
    let misfit = sandbox.train("third", &["--init", init, "--set", "hidden=[9]"]);
    misfit.expect_code(2).expect_error("initial network");
    assert!(!sandbox.path("third").exists(), "nothing is begun that cannot be done");
    sandbox.run(["train", "second/spec.toml", "--out", "again"]).expect_code(2).expect_error("found no --init");
}

#[test]
fn the_best_of_a_folder_is_trained_for_longer_with_its_own_configuration() {
    let sandbox = Sandbox::with_digits();
    sandbox.write("two.toml", "hidden = [8]\nepochs = 3\n[sweep]\nlearning_rate = [1e-6, 0.01]\n");
    sandbox.run(["sweep", "two.toml", "--data", "./digits", "--out", "two", "-q"]).expect_code(0);
    let longer = ["train", "--from", "two", "--set", "epochs=5"];
    let outcome = sandbox.run(longer.iter().chain(&["--out", "longer"])).expect_code(0);
    assert!(outcome.stdout.contains(", the best of 2 trials, trained for 3 epochs\n"), "{outcome:#?}");
    let longer = record(&sandbox, "longer");
    assert_eq!(
        (&longer["config"]["learning_rate"], &longer["config"]["epochs"]),
        (&Value::from(0.01), &Value::from(5))
    );
    assert_eq!(longer["config"]["data"], "./digits");
    // It begins with the weights that it goes on from, and by no name of the sweep's.
    let records = sandbox.files("two/trials").into_iter().map(|path| fs::read_to_string(path).expect("a record"));
    let records: Vec<Value> = records.map(|text| serde_json::from_str(&text).expect("JSON")).collect();
    let best = records.iter().find(|record| record["config"]["learning_rate"] == 0.01).expect("one of the two");
    assert_eq!(longer["epochs"][0]["test"], best["epochs"][3]["test"]);
    assert_eq!(longer["config"]["init"], best["weights_sha256"]);
    assert!(longer["config"]["name"] != best["config"]["name"]);

    // The same from the file, as every other model.
    let model = format!("two/models/{}.safetensors", best["trial"].as_str().expect("a trial"));
    sandbox.run(["train", "--from", &model, "--set", "epochs=5", "--out", "file"]).expect_code(0);
    assert_eq!(record(&sandbox, "file")["weights_sha256"], longer["weights_sha256"]);

    let other_net = sandbox.run(["train", "--from", "two", "--set", "hidden=[9]"]).expect_code(2);
    other_net.expect_error("expected layers [784, 9, 6]").expect_error("leave out the --set");
    let model_of_two = ["train", "--init", &model, "--set", "hidden=[9]", "--out", "unfit"];
    sandbox.run(model_of_two).expect_code(2).expect_error("as --from does by itself");
    sandbox.run(["train", "--from", "digits"]).expect_code(5).expect_error("a folder of results with models in it");
    sandbox.run(["train", "--from", "two", "--init", &model]).expect_code(2).expect_error("cannot be used with");
}

#[test]
fn the_record_of_a_trial_is_a_configuration() {
    let sandbox = Sandbox::with_digits();
    sandbox.train("out", &["--set", "seed=7"]).expect_code(0);
    let path = sandbox.only_file("out/trials", ".json");
    let path = path.to_str().expect("a path");
    sandbox.run(["train", path, "--out", "again"]).expect_code(0);
    let (first, again) = (record(&sandbox, "out"), record(&sandbox, "again"));
    assert_eq!((&first["trial"], &first["weights_sha256"]), (&again["trial"], &again["weights_sha256"]));
    sandbox.run(["sweep", path, "--set", "sweep.seed=[1, 2]", "--out", "seeds", "-q"]).expect_code(0);
    assert_eq!(sandbox.files("seeds/trials").len(), 2);

    sandbox.write("own.json", "{ \"hidden\": [8] }");
    let own = sandbox.run(["train", "own.json"]).expect_code(2);
    own.expect_error("own.json:1:").expect_error("expected the record of a trial").expect_error("is TOML");
    sandbox.run(["train", "none.json"]).expect_code(5).expect_error("none.json: cannot read the record");
}

#[test]
fn the_readable_path_trains_into_a_folder_of_its_own_for_each_version_of_it() {
    let sandbox = Sandbox::with_digits();
    fs::create_dir_all(sandbox.path("crates/mlp-core/src")).expect("a folder");
    let train = ["train", "--data", "./digits", "--set", "hidden=[8]", "--set", "epochs=2", "-q"];
    let mut folders = Vec::new();
    for version in ["// as it was", "// changed"] {
        sandbox.write("crates/mlp-core/src/backpropagation.rs", version);
        sandbox.run(train.iter().chain(&["--engine", "reference"])).expect_code(0);
        let new = sandbox.files("runs").into_iter().find(|folder| !folders.contains(folder)).expect("a new folder");
        folders.push(new);
    }
    sandbox.run(train.iter().chain(&["--kernel", "portable"])).expect_code(0);
    let fast = sandbox.files("runs").into_iter().find(|folder| !folders.contains(folder)).expect("a new folder");
    let name = |folder: &std::path::Path| folder.file_name().expect("a name").to_string_lossy().into_owned();
    let read = |folder: &std::path::Path| record(&sandbox, &format!("runs/{}", name(folder)));
    for folder in &folders {
        assert!(name(folder).starts_with(&format!("{}-reference-", name(&fast))), "{}", folder.display());
        let (reference, fast) = (read(folder), read(&fast));
        assert_eq!((&reference["kernel"], &fast["kernel"]), (&Value::from("reference"), &Value::from("portable")));
        let loss = |record: &Value| record["epochs"][2]["train"]["loss"].as_f64().expect("a loss");
        assert!((loss(&reference) / loss(&fast) - 1.0).abs() < 1e-4, "{} and {}", loss(&reference), loss(&fast));
    }

    // Results of both never stand in one folder.
    let mixed =
        sandbox.run(train.iter().chain(&["--engine", "reference", "--out"]).chain(&[fast.to_str().expect("a path")]));
    mixed.expect_code(2).expect_error("holds results of the kernel portable, this run would use reference");
    let bench = sandbox.run(["bench", "--kernel", "reference"]).expect_code(2);
    bench.expect_error("the readable back-propagation is for `train` and `sweep`");
}

#[test]
fn a_run_that_stops_early_names_the_epoch_whose_numbers_follow() {
    let sandbox = Sandbox::with_digits();
    let stopping = ["--set", "validation=50", "--set", "epochs=60", "--set", "learning_rate=0.3"];
    let rule = ["--set", "early_stopping={metric=\"validation.loss\", patience=2}"];
    let arguments: Vec<&str> = stopping.into_iter().chain(rule).collect();
    let outcome = sandbox.train("out", &arguments).expect_code(0);
    let record = record(&sandbox, "out");
    let (kept, last) =
        (record["best_epoch"].as_u64().expect("a number"), record["epochs"].as_array().expect("epochs").len() - 1);
    assert!(last < 60, "a rate of 0.3 makes the loss rise");
    let lines = [
        format!("early stopping   stopped after epoch {last} of 60, 2 epochs without progress\n"),
        format!("weights          of epoch {kept}, the best validation.loss; they are measured below\n"),
    ];
    assert!(outcome.stdout.contains(&lines.concat()), "{}", outcome.stdout);
    // What decided is in the table, and measured on the test samples at the end.
    let validation = |epoch: u64| record["epochs"][epoch as usize]["validation"]["loss"].as_f64().expect("a loss");
    let table: Vec<&str> = outcome.stdout.lines().skip_while(|line| !line.contains("valid. loss")).collect();
    let place = table[0].split("  ").filter(|head| !head.is_empty()).position(|head| head.trim() == "valid. loss");
    let cells = |line: &str| line.replace(" %", "").split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    for epoch in [0, kept] {
        let line = cells(table[1 + epoch as usize]);
        assert_eq!(line[place.expect("a column")], format!("{:.4}", validation(epoch)), "{table:#?}");
    }
    assert!(
        outcome.stdout.contains(", mean over the outputs\n") && table.iter().any(|line| line.starts_with("loss  "))
    );
}

#[test]
fn what_a_run_says_fits_into_80_columns() {
    let sandbox = Sandbox::new();
    let arguments = ["--data", "synthetic", "--set", "epochs=30", "--set", "hidden=[8]", "--set", "train_size=1000"];
    let outcome = sandbox.run(["train", "--out", "out"].iter().chain(&arguments)).expect_code(0);
    // Commands are to be pasted, and a path is as long as it is.
    let lines = outcome.stdout.lines().filter(|line| !line.contains("cargo xtask") && !line.contains("out/"));
    for line in lines {
        assert!(line.chars().count() <= 80, "{} columns: {line}", line.chars().count());
    }
}
