//! Trainings that are started, told what to do, and kept.

use mlp_live::mlp_sweep::mlp_results::RunFolder;
use mlp_live::mlp_sweep::{RunOptions, Sweep, SweepSpec};
use mlp_train::TrainConfig;
use serde_json::{Value, json};

use crate::client::{Fixture, digits};

const CONFIG: &str =
    r#"{ "hidden": [12], "epochs": 4, "batch_size": 20, "learning_rate": 0.01, "schedule": "constant", "seed": 3 }"#;

fn start(server: &Fixture, change: Value) -> String {
    let mut config: Value = serde_json::from_str(CONFIG).expect("a configuration");
    config.as_object_mut().expect("an object").extend(change.as_object().expect("an object").clone());
    let settings = json!({ "data": "digits", "train_size": 300, "config": config });
    server.post("do/start", &settings).expect(200).json()["session"].as_str().expect("a name").to_owned()
}

fn order(server: &Fixture, session: &str, order: Value) {
    server.post("do/session", &json!({ "session": session, "order": order })).expect(200);
}

fn mode<'a>(wanted: &'a str) -> impl Fn(&Value) -> bool + 'a {
    move |state| state["mode"] == wanted
}

/// What `train` makes of the same configuration, into a folder of its own: identity and hash of the weights.
fn trained(epochs: usize) -> (String, Option<String>) {
    let mut config = TrainConfig::default();
    let keys: Value = serde_json::from_str(CONFIG).expect("a configuration");
    for (key, value) in keys.as_object().expect("an object") {
        config.set(key, value).expect("a value");
    }
    config.epochs = epochs;
    let spec = SweepSpec::new(&config).and_then(|spec| spec.with("train_size", 300)).expect("a run");
    let folder = tempfile::tempdir().expect("a folder");
    let data = (*digits().get().expect("digits")).clone();
    let sweep = Sweep::new(spec, data, folder.path()).expect("a sweep");
    let records = sweep.run(&RunOptions::default(), &()).expect("an outcome").records;
    let record = records.into_values().next().expect("a record");
    (record.trial, record.weights_sha256)
}

/// The line of the best constant answer is drawn among losses, so it is one: summed where they are.
#[test]
fn constant_answers_have_the_loss_that_is_minimised() {
    let server = Fixture::new();
    let levels = |changes: Value| {
        let id = start(&server, changes);
        server.session(&id, mode("paused"))["constant"].as_array().expect("levels").clone()
    };
    // Six bits of ASCII.
    for (loss, reduction, error, factor) in [
        ("absolute", "mean", "mae", 1.0),
        ("absolute", "sum", "mae", 6.0),
        ("rmse", "mean", "rmse", 1.0),
        ("rmse", "sum", "rmse", 6f64.sqrt()),
    ] {
        for level in levels(json!({ "loss": loss, "reduction": reduction })) {
            let number = |key: &str| level[key].as_f64().expect("a number");
            assert!((number("loss") - factor * number(error)).abs() < 1e-12, "{loss} {reduction}: {level}");
        }
    }
    assert!(levels(json!({ "loss": "squared" })).iter().all(|level| level["loss"].is_null()));
}

#[test]
fn a_training_is_stepped_paused_and_run_to_its_end_and_kept_with_the_bits_that_train_gives() {
    let server = Fixture::new();
    let id = start(&server, json!({}));
    let state = server.session(&id, mode("paused"));
    assert_eq!(
        (&state["epoch"], state["epochs"].as_array().map(Vec::len)),
        (&json!(0), Some(1)),
        "measured before training"
    );
    assert_eq!(state["doctor"]["layers"].as_array().map(Vec::len), Some(2));
    assert!(state["not_kept"].as_str().is_some_and(|text| text.contains("Nothing has been trained")));
    assert!(state["constant"].as_array().is_some_and(|levels| levels.len() == 4));

    order(&server, &id, json!({ "do": "step_batch" }));
    let state = server.session(&id, |state| state["samples"] == json!([20, 300]) && state["mode"] == "paused");
    assert!(state["not_kept"].as_str().is_some_and(|text| text.contains("end of an epoch")));
    assert_eq!(state["losses"].as_array().map(Vec::len), Some(1));
    assert_eq!(state["digits"].as_array().map(Vec::len), Some(10));
    assert_eq!(state["weights"].as_array().map(Vec::len), Some(12));

    order(&server, &id, json!({ "do": "step_epoch" }));
    let state = server
        .session(&id, |state| state["mode"] == "paused" && state["epochs"].as_array().is_some_and(|e| e.len() == 2));
    assert_eq!(state["not_kept"], Value::Null);

    // After one epoch of four, it is the run of one epoch.
    order(&server, &id, json!({ "do": "keep" }));
    let state = server.session(&id, |state| !state["kept"].is_null() || !state["message"].is_null());
    let (trial, weights) = trained(1);
    assert_eq!(
        (&state["kept"]["trial"], &state["kept"]["weights_sha256"]),
        (&json!(trial), &json!(weights)),
        "{state:#}"
    );

    order(&server, &id, json!({ "do": "run" }));
    let state = server.session(&id, mode("finished"));
    assert_eq!(state["epochs"].as_array().map(Vec::len), Some(5));
    order(&server, &id, json!({ "do": "keep" }));
    let (trial, weights) = trained(4);
    let state = server.session(&id, |state| state["kept"]["trial"] == trial.as_str());
    assert_eq!(state["kept"]["weights_sha256"], json!(weights), "as if it had never paused");
    let folder = RunFolder::new(state["kept"]["folder"].as_str().expect("a folder"));
    for file in
        [folder.record(&trial), folder.model(&trial), folder.specification(), folder.report(), folder.diagnosis(&trial)]
    {
        assert!(file.is_file(), "{}", file.display());
    }
    assert_eq!(state["trial"], json!(trial));
}

#[test]
fn a_rate_that_was_changed_by_hand_is_followed_and_keeps_the_run_from_being_kept() {
    let server = Fixture::new();
    let id = start(&server, json!({ "epochs": 50 }));
    server.session(&id, mode("paused"));
    order(&server, &id, json!({ "do": "step_epoch" }));
    server.session(&id, |state| state["epoch"] == 1 && state["mode"] == "paused");
    order(&server, &id, json!({ "do": "rate", "value": 0.5 }));
    let state = server.session(&id, |state| state["learning_rate"] == 0.5);
    assert_eq!((&state["mode"], &state["epoch"]), (&json!("paused"), &json!(1)), "nothing is trained by that");
    assert!(state["not_kept"].as_str().is_some_and(|text| text.contains("changed by hand")));
    order(&server, &id, json!({ "do": "keep" }));
    order(&server, &id, json!({ "do": "step_batch" }));
    let state = server.session(&id, |state| state["samples"] == json!([20, 300]) && state["mode"] == "paused");
    assert_eq!((&state["epoch"], &state["kept"]), (&json!(2), &Value::Null));
    let refused = server.post("do/session", &json!({ "session": id, "order": { "do": "rate", "value": 0 } }));
    refused.expect(400);

    order(&server, &id, json!({ "do": "run" }));
    server.session(&id, |state| state["epoch"].as_u64() > Some(3));
    order(&server, &id, json!({ "do": "pause" }));
    let paused = server.session(&id, mode("paused"));
    std::thread::sleep(std::time::Duration::from_millis(300));
    assert_eq!(server.session(&id, mode("paused"))["samples"], paused["samples"], "it waits");
    order(&server, &id, json!({ "do": "stop" }));
    server.session(&id, mode("stopped"));
}

#[test]
fn a_step_that_is_asked_for_at_once_is_taken_after_the_first_measurement() {
    let server = Fixture::new();
    for (step, done) in [("step_epoch", 300), ("step_batch", 20)] {
        let id = start(&server, json!({}));
        order(&server, &id, json!({ "do": step }));
        server.session(&id, |state| state["mode"] == "paused" && state["epoch"] == 1 && state["samples"][0] == done);
    }
}

#[test]
fn what_is_shown_of_a_long_training_is_as_short_as_of_a_short_one() {
    let server = Fixture::new();
    let id = start(&server, json!({ "epochs": 450, "batch_size": 300, "hidden": [2] }));
    order(&server, &id, json!({ "do": "run" }));
    let state = server.session(&id, mode("finished"));
    for points in [&state["epochs"], &state["losses"], &state["doctor"]["moments"]] {
        assert!(
            points.as_array().is_some_and(|points| points.len() <= 400),
            "{}",
            points.as_array().map_or(0, Vec::len)
        );
    }
    let epochs = state["epochs"].as_array().expect("epochs");
    assert_eq!(
        [epochs.first(), epochs.last()].map(|epoch| epoch.map(|epoch| epoch["epoch"].as_u64())),
        [Some(Some(0)), Some(Some(450))]
    );
    // All of them are kept.
    order(&server, &id, json!({ "do": "keep" }));
    let state = server.session(&id, |state| !state["kept"].is_null() || !state["message"].is_null());
    let folder = RunFolder::new(state["kept"]["folder"].as_str().expect("a folder"));
    let diagnosis = std::fs::read_to_string(folder.diagnosis(state["kept"]["trial"].as_str().expect("a trial")));
    let diagnosis: Value = serde_json::from_str(&diagnosis.expect("a diagnosis")).expect("JSON");
    assert_eq!(diagnosis["epochs"].as_array().map(Vec::len), Some(451));
}

#[test]
fn the_doctor_sees_red_with_weights_from_0_to_1_and_not_with_glorots() {
    let server = Fixture::new();
    let saturated = |initializer: &str| -> f64 {
        let id = start(&server, json!({ "hidden": [64, 32], "initializer": initializer, "bias": false }));
        let state = server.session(&id, mode("paused"));
        let at_fault = !state["doctor"]["layer_at_fault"].is_null();
        assert_eq!(at_fault, initializer == "uniform-0-1", "{}", state["doctor"]["sentence"]);
        order(&server, &id, json!({ "do": "stop" }));
        state["doctor"]["moments"][0][1][0]["saturated"].as_f64().expect("a share")
    };
    assert!(saturated("uniform-0-1") > 0.99);
    assert!(saturated("glorot-uniform") < 0.01);
}

#[test]
fn one_tab_has_one_training_and_a_tab_that_comes_back_finds_it() {
    let server = Fixture::new();
    let first = start(&server, json!({ "epochs": 100_000 }));
    order(&server, &first, json!({ "do": "run" }));
    server.session(&first, mode("running"));
    // Nobody has to listen: it goes on.
    let seen = server.session(&first, |state| state["epoch"].as_u64() > Some(1))["epoch"].as_u64();
    server.session(&first, |state| state["epoch"].as_u64() > seen);
    let config: Value = serde_json::from_str(CONFIG).expect("a configuration");
    let second = server.post("do/start", &json!({ "data": "digits", "config": config, "replaces": first }));
    let second = second.expect(200).json()["session"].as_str().expect("a name").to_owned();
    server.session(&second, mode("paused"));
    server.get(&format!("data/session?id={first}")).expect(404);
    server.post("do/session", &json!({ "session": first, "order": { "do": "run" } })).expect(404);
}

#[test]
fn every_choice_of_the_form_goes_with_every_other_or_it_is_said_which_knob_to_turn() {
    let server = Fixture::new();
    let choices = server.get("data/settings").json();
    let names = |key: &str| -> Vec<String> {
        let list = choices[key].as_array().expect("a list").iter();
        list.map(|one| one.as_str().or(one[0].as_str()).expect("a name").to_owned()).collect()
    };
    let mut replaced = Value::Null;
    let mut n_explained = 0;
    let mut try_it = |change: Value| -> Option<String> {
        let mut config = json!({ "hidden": [4], "epochs": 1, "batch_size": 20, "schedule": "constant" });
        config.as_object_mut().expect("an object").extend(change.as_object().expect("an object").clone());
        let settings =
            json!({ "data": "digits", "train_size": 40, "test_size": 20, "config": config, "replaces": replaced });
        let reply = server.post("do/start", &settings);
        if reply.status != 200 {
            return Some(reply.json()["error"].as_str().expect("a sentence").to_owned());
        }
        replaced = reply.json()["session"].clone();
        let id = replaced.as_str().expect("a name");
        order(&server, id, json!({ "do": "run" }));
        let ended =
            server.session(id, |state| ["finished", "diverged", "failed"].iter().any(|end| state["mode"] == *end));
        assert_ne!(ended["mode"], "failed", "{change}: {}", ended["message"]);
        None
    };
    // What the page sends as the outputs of a loss.
    let output = |loss: &str| {
        let losses = choices["losses"].as_array().expect("a list");
        let found = losses.iter().find(|one| one[0] == loss).and_then(|one| one[1].as_str());
        found.unwrap_or("sigmoid").to_owned()
    };
    for loss in names("losses") {
        for encoding in names("encodings") {
            for activation in names("activations") {
                let change = json!({ "loss": loss, "output_activation": output(&loss), "encoding": encoding, "activation": activation });
                let refused = try_it(change);
                let is_misfit = loss == "softmax-cross-entropy" && encoding != "one-hot";
                assert_eq!(refused.is_some(), is_misfit, "{loss}, {encoding}, {activation}: {refused:?}");
                if let Some(sentence) = refused {
                    let expected = format!("found {encoding}; set Code to one-hot, or Loss to cross-entropy.");
                    assert!(
                        sentence.starts_with("Loss and Code do not go together") && sentence.ends_with(&expected),
                        "{sentence}"
                    );
                    n_explained += 1;
                }
            }
        }
    }
    assert_eq!(n_explained, 2 * names("activations").len());
    for initializer in names("initializers") {
        for (optimizer, precision) in names("optimizers").iter().zip(["f32", "f64"].iter().cycle()) {
            for (batch_size, augment) in [(1, json!("gentle")), (20, json!(false))] {
                let change = json!({ "initializer": initializer, "optimizer": optimizer, "precision": precision, "bias": batch_size == 1, "augment": augment, "batch_size": batch_size, "reduction": if batch_size == 1 { "mean" } else { "sum" } });
                assert_eq!(try_it(change.clone()), None, "{change}");
            }
        }
    }
    // An output that was typed besides.
    let refused = try_it(json!({ "loss": "cross-entropy", "output_activation": "softmax", "encoding": "one-hot" }));
    let refused = refused.expect("a refusal");
    assert!(
        refused.contains("cross-entropy needs sigmoid outputs") && refused.ends_with("such as softmax-cross-entropy."),
        "{refused}"
    );
}
