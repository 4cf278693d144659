//! The identity of trials.

use mlp_results::{RunRecord, trial_id};
use mlp_train::TrainConfig;
use serde_json::{Map, Value, json};

use crate::made_up::{self, STORY};

fn with(changes: Value) -> String {
    let mut config = TrainConfig::default().to_map();
    let Value::Object(changes) = changes else { panic!("changes are a table") };
    config.extend(changes);
    trial_id(&config, "0123")
}

/// If this test fails, every stored trial would be run again: raise a version of the numerics on purpose or fix the code.
#[test]
fn identities_are_fixed_for_ever() {
    let paper = json!({
        "hidden": [512, 256, 128, 64, 32, 16, 8], "bias": false, "activation": "sigmoid",
        "output_activation": "sigmoid", "encoding": "ascii", "initializer": "uniform-0-1", "loss": "rmse",
        "reduction": "mean", "precision": "f64", "optimizer": "sgd", "learning_rate": 1.0, "l2": 0.0, "l1": 0.0,
        "schedule": "constant", "batch_size": 1, "epochs": 20, "validation": 0, "early_stopping": false,
        "evaluate_train": 10000, "seed": 0, "train_size": 17000, "test_size": 5000,
    });
    insta::assert_snapshot!(trial_id(paper.as_object().unwrap(), "0123"), @"2d7439c3a421ee869b4646f13a6ffcfe");
    insta::assert_snapshot!(with(json!({})), @"f96a05ef8ec51968981a5860d6cc3ff6");
    insta::assert_snapshot!(with(json!({ "optimizer": "sgd", "batch_size": 1, "l1": 0.1 })), @"42959f2230e835af425ab706956e3200");
    insta::assert_snapshot!(with(json!({ "precision": "bf16" })), @"89d0690bdbfa4cb89fdeaff04f97ee7a");
}

/// A record says neither by which version of the numerics it was computed nor how many samples there were in all.
#[test]
fn the_identity_of_a_record_follows_from_what_it_says_by_any_version_of_the_numerics() {
    let record = |changes: Value, trial: &str| {
        let mut record = made_up::record(&[], STORY);
        record.config = TrainConfig::default().to_map();
        record.config.extend(changes.as_object().unwrap().clone());
        record.data.sha256 = "0123".to_owned();
        RunRecord { trial: trial.to_owned(), ..record }
    };
    let own = with(json!({ "seed": 3 }));
    assert!(record(json!({ "seed": 3, "name": "x", "data": "there" }), &own).has_own_identity());
    assert!(!record(json!({ "seed": 4 }), &own).has_own_identity());
    // By earlier versions: of all, and of single samples.
    assert!(record(json!({}), "a2e4ecdea00c07050cce0ab75b839b58").has_own_identity());
    let single = json!({ "optimizer": "sgd", "batch_size": 1, "l1": 0.1 });
    assert!(record(single, "9d44a87315aad5307b8fb7976bc46291").has_own_identity());
    // All samples, asked for by their number.
    for sizes in [json!({ "train_size": 60_000 }), json!({ "train_size": 60_000, "test_size": 10_000 })] {
        assert!(record(sizes, &with(json!({}))).has_own_identity());
    }
    assert!(
        record(json!({ "train_size": 9, "test_size": 10_000 }), &with(json!({ "train_size": 9 }))).has_own_identity()
    );
    assert!(!record(json!({ "train_size": 8 }), &with(json!({ "train_size": 9 }))).has_own_identity());
}

#[test]
fn what_affects_no_number_changes_no_identity() {
    let id = with(json!({}));
    assert_eq!(id.len(), 32);
    assert_eq!(with(json!({ "name": "x", "data": "elsewhere", "threads": 8 })), id);
    assert_eq!(with(json!({ "learning_rate": 1, "epochs": 5.0 })), with(json!({ "learning_rate": 1.0, "epochs": 5 })));
    assert_eq!(with(json!({ "activation": ["sigmoid", "sigmoid"] })), id);
    assert_eq!(
        with(json!({ "initializer": { "name": "glorot-uniform", "gain": 1 } })),
        with(json!({ "initializer": "glorot-uniform" }))
    );
    assert_eq!(with(json!({ "dropout": [0, 0.0], "input_dropout": 0, "max_norm": false })), id);
    assert_eq!(with(json!({ "class_weights": false })), id);
    assert_eq!(with(json!({ "batch_norm": false })), id);
    assert_eq!(with(json!({ "class_weights": [1, 2.0] })), with(json!({ "class_weights": [1.0, 2] })));
    assert_eq!(with(json!({ "dropout": [0.5, 0.5] })), with(json!({ "dropout": 0.5 })));
    assert_ne!(with(json!({ "dropout": [0.5, 0.2] })), with(json!({ "dropout": [0.2, 0.5] })));
    let [early, late] = [["relu", "relu", "tanh"], ["relu", "tanh", "tanh"]]
        .map(|activation| with(json!({ "hidden": [9, 9, 9], "activation": activation })));
    assert_ne!(early, late, "different networks are different trials");
    assert_eq!(with(json!({ "train_size": null })), id);
    let adam = json!({ "optimizer": { "name": "adam", "beta1": 0.9 } });
    assert_eq!(with(adam), with(json!({ "optimizer": "adam" })));
    assert_eq!(with(json!({ "augment": "ciresan 0" })), id);
    assert_eq!(with(json!({ "augment": "rotate 10,shift 2.0" })), with(json!({ "augment": "shift 2, rotate 10" })));
}

#[test]
fn every_key_that_affects_numbers_changes_the_identity() {
    let changes = json!({
        "hidden": [256, 127], "bias": false, "activation": "tanh", "output_activation": "identity",
        "encoding": "binary", "decoding": "nearest", "initializer": "he-normal", "loss": "rmse", "reduction": "sum",
        "label_smoothing": 0.1, "class_weights": "balanced", "precision": "f64",
        "optimizer": "nesterov", "learning_rate": 0.7, "l2": 0.1, "l1": 0.1, "clip_norm": 1.0, "dropout": 0.5, "input_dropout": 0.2, "max_norm": 3.0, "batch_norm": true, "augment": "gentle", "average": "ema", "schedule": { "name": "cosine", "floor": 0.1 },
        "batch_size": 33, "epochs": 11, "validation": 1, "validation_split": "stratified",
        "early_stopping": { "metric": "validation.loss", "patience": 1 }, "evaluate_train": "all", "seed": 1,
        "train_size": 10, "test_size": 10,
    });
    let changes = changes.as_object().unwrap();
    assert!(TrainConfig::KEYS.iter().all(|key| changes.contains_key(key.name)));
    let mut ids: Vec<_> = changes
        .iter()
        .map(|(key, value)| with(Value::Object(Map::from_iter([(key.clone(), value.clone())]))))
        .collect();
    ids.push(with(json!({})));
    ids.push(trial_id(&TrainConfig::default().to_map(), "4567"));
    let n_ids = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), n_ids);
}

#[test]
fn a_key_that_a_later_version_adds_is_taken_as_it_stands() {
    assert_ne!(with(json!({ "maxout": 5 })), with(json!({})));
}

/// A metric got another name and a key another default value; nothing else is computed, so it is the same trial.
#[test]
fn new_names_for_old_choices_change_no_identity() {
    let rule = |metric: &str| json!({ "early_stopping": { "metric": metric, "patience": 2 }, "validation": 10 });
    let id = |config: Value| trial_id(config.as_object().unwrap(), "data");
    assert_eq!(id(rule("validation.exact_accuracy")), id(rule("validation.digit_accuracy")));
    assert_ne!(id(rule("validation.accuracy")), id(rule("validation.digit_accuracy")));
    assert_eq!(id(json!({ "decoding": "auto" })), id(json!({})));
    assert_ne!(id(json!({ "decoding": "nearest" })), id(json!({})));
}
