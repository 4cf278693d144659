//! Trials with batch normalisation.

use mlp_results::Overview;
use mlp_sweep::{InitialModel, Standing, Sweep};
use mlp_train::{AnyMlp, load_model};
use serde_json::{Value, json};

use crate::small::{EventLog, Place, digits, one_by_one, records, run, specification, sweep};

const BOTH: &str = "hidden = [8]\nepochs = 2\ntest_size = 50\n[sweep]\nbatch_norm = [false, true]\n";

#[test]
fn one_sweep_has_trials_with_and_without() {
    let (place, log) = (Place::new(), EventLog::default());
    let folder = place.folder("out");
    run(&sweep(BOTH, &folder));
    let found = records(&folder);
    let setting = |norm: bool| {
        let mut found = found.values().filter(|record| record.setting("batch_norm") == Some(&json!(norm)));
        let record = found.next().expect("a record");
        assert!(found.next().is_none());
        record
    };
    // What has none is written as it was before there was the key, and is the same trial as without the key.
    assert!(!setting(false).config.contains_key("batch_norm"));
    let alone = place.folder("alone");
    run(&sweep(&BOTH.replace("[sweep]\nbatch_norm = [false, true]\n", ""), &alone));
    let alone = records(&alone);
    assert_eq!(alone.values().next().map(|record| &record.trial), Some(&setting(false).trial));
    assert_eq!(alone.values().next().map(|record| &record.weights_sha256), Some(&setting(false).weights_sha256));

    // The model beside the record is that of the record: what it is folded into.
    let record = setting(true);
    let model = load_model(folder.model(&record.trial)).expect("a model");
    assert!(model.unfolded.is_some() && model.config.batch_norm);
    assert_eq!(Some(model.network.weights_sha256()), record.weights_sha256);
    let AnyMlp::F32(mlp) = &model.network else { panic!("single precision") };
    assert_eq!(record.parameters, mlp.n_parameters());

    // Where trials are compared, both have a value.
    let results = folder.read().expect("results");
    let overview = Overview::new(&results.trials);
    assert_eq!(overview.varied[0].values, [Value::Bool(false), Value::Bool(true)]);
    let standing = Standing::read(&folder).expect("a folder of a sweep");
    let mut labels: Vec<String> = found.values().map(|record| standing.configuration_label(record)).collect();
    labels.sort();
    assert_eq!(labels, ["batch_norm = false", "batch_norm = true"]);

    // Taken over by another sweep, with the model as it was trained.
    let other = place.folder("other");
    let twin = sweep(BOTH, &other);
    let mut open = twin.open("test", None, &log).expect("a folder");
    open.reuse(folder.path(), &log).expect("a folder of results");
    open.run(&one_by_one(), &log).expect("an outcome");
    assert_eq!(records(&other), found);
    assert_eq!(load_model(other.model(&record.trial)).expect("a model"), model);
}

#[test]
fn a_run_goes_on_from_what_was_trained_and_one_without_from_what_it_answers_with() {
    let place = Place::new();
    let folder = place.folder("first");
    let base = "hidden = [8]\nepochs = 2\nbatch_norm = true\n";
    run(&sweep(base, &folder));
    let trained = records(&folder).pop_first().expect("a record").1;
    let from = |text: &str, name: &str| {
        let initial = InitialModel::read(&folder.model(&trained.trial)).expect("a model");
        Sweep::builder(specification(text), digits()).folder(place.folder(name).path()).initial(initial).build()
    };
    for (name, text) in
        [("with", base.replace("epochs = 2", "epochs = 0")), ("without", "hidden = [8]\nepochs = 0\n".to_owned())]
    {
        run(&from(&text, name).expect("a sweep"));
        let record = records(&place.folder(name)).pop_first().expect("a record").1;
        assert_eq!(record.weights_sha256, trained.weights_sha256, "{name}");
        let model = load_model(place.folder(name).model(&record.trial)).expect("a model");
        assert_eq!(model.unfolded.is_some(), name == "with");
    }
    let unlike = from("hidden = [8]\nepochs = 0\nbias = false\n", "unlike").expect_err("biases in some layers");
    assert!(unlike.to_string().contains("initial network"), "{unlike}");

    // One without cannot be gone on from with.
    let initial = InitialModel::read(
        &place.folder("without").model(records(&place.folder("without")).keys().next().expect("a record")),
    );
    let builder = Sweep::builder(specification(base), digits()).folder(place.folder("never").path());
    let error = builder.initial(initial.expect("a model")).build().expect_err("no batch normalisation").to_string();
    assert!(error.contains("bias = true and batch normalisation as configured, found layers"), "{error}");
}

#[test]
fn a_last_batch_of_one_sample_is_refused_before_anything_is_begun() {
    let place = Place::new();
    let specification = specification("hidden = [8]\nepochs = 1\nbatch_norm = true\ntrain_size = 161\n");
    let error = Sweep::new(specification, digits(), place.folder("out").path()).expect_err("161 = 5 · 32 + 1");
    assert!(error.to_string().contains("batch_size: expected a size that leaves none or more than one"), "{error}");
    assert!(!place.folder("out").path().exists());
}
