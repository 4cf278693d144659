//! Records on disk.

use std::fs;

use insta::assert_snapshot;
use mlp_core::Kernel;
use mlp_results::{DataDescription, ErrorKind, RunRecord, Runtime, Status, Subject, trial_id};
use mlp_train::{EpochMetrics, Run, TrainConfig};
use proptest::prelude::*;
use serde_json::{Value, json};
use tempfile::tempdir;

use crate::digits;
use crate::made_up::{self, Story};

fn data() -> DataDescription {
    DataDescription {
        name: "blobs".into(),
        sha256: "00".into(),
        train: 60,
        test: 30,
        inputs: 8,
        height: 0,
        width: 0,
        classes: ('0'..='9').map(String::from).collect(),
        synthetic: true,
        validation_was_seen: false,
    }
}

fn config() -> TrainConfig {
    TrainConfig::new().hidden([8]).batch_size(16).epochs(2).validation(10)
}

fn subject(trial: &str) -> Subject {
    let runtime = Runtime { threads: 2, host: "here".into(), version: "0.1.0".into(), ..Runtime::default() };
    Subject { trial: trial.into(), config: config().to_map(), data: data(), kernel: Kernel::detect(), runtime }
}

fn finished() -> (Run<f32>, RunRecord) {
    let run = digits::trained(&config());
    let record = RunRecord::of_run(subject(&trial_id(&config().to_map(), "00")), &run);
    (run, record.expect("the run is finished"))
}

#[test]
fn a_record_is_read_as_it_was_written() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("trial.json");
    let (run, record) = finished();
    record.write(&path).unwrap();
    assert_eq!(RunRecord::read(&path).unwrap(), record);
    assert_eq!(record.status, Status::Finished);
    assert_eq!(record.final_test(), Some(&run.evaluation.as_ref().unwrap().metrics));
    assert_eq!(record.precision.len(), 10);
    assert_eq!(record.epochs.len(), 3);
    assert_eq!(record.runtime.seconds_train.len(), 2, "one for each trained epoch");
    assert_eq!(record.runtime.seconds_evaluate.len(), 3);
    let names: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["trial.json"], "nothing staged is left behind");
}

#[test]
fn the_json_of_a_record_has_the_documented_fields() {
    let (_, record) = finished();
    let value: serde_json::Value = serde_json::from_str(&record.to_json().unwrap()).unwrap();
    let fields = |value: &serde_json::Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ");
    assert_snapshot!(fields(&value));
    assert_snapshot!(fields(&value["epochs"][1]), @"epoch test train validation");
    assert_snapshot!(fields(&value["epochs"][1]["test"]), @"accuracy bit_accuracy exact_accuracy invalid_rate loss mae nearest_accuracy rmse");
    assert_snapshot!(fields(&value["data"]), @"classes height inputs name sha256 synthetic test train width");
    assert_snapshot!(fields(&value["mistakes"][0]), @"answer index label nearest outputs");
    assert_snapshot!(fields(&value["runtime"]), @"host seconds_evaluate seconds_train threads version");
}

#[test]
fn numbers_that_are_not_finite_are_refused_with_their_place() {
    let (_, record) = finished();
    let folder = tempdir().unwrap();
    let path = folder.path().join("trial.json");
    record.write(&path).unwrap();
    let broken = |change: &dyn Fn(&mut RunRecord)| {
        let mut record = record.clone();
        record.trial = "T".into();
        change(&mut record);
        record.write(&path).unwrap_err().to_string()
    };
    let messages = [
        broken(&|record| record.epochs[1].train.loss = f64::NAN),
        broken(&|record| record.epochs[2].test.as_mut().unwrap().exact_accuracy = Some(f64::INFINITY)),
        broken(&|record| record.epochs[0].validation.as_mut().unwrap().rmse = f64::NEG_INFINITY),
        broken(&|record| record.mistakes[3].outputs[1] = f64::NAN),
        broken(&|record| record.recall[0] = f64::NAN),
        broken(&|record| record.runtime.seconds_train[0] = f64::NAN),
    ];
    assert_snapshot!(messages.join("\n"));
    assert_eq!(RunRecord::read(&path).unwrap(), record, "the old record is still there");
}

#[test]
fn a_truncated_record_is_rejected_at_every_byte() {
    let (_, mut record) = finished();
    record.mistakes.truncate(1);
    let folder = tempdir().unwrap();
    let path = folder.path().join("trial.json");
    let json = record.to_json().unwrap();
    // The last byte is the newline, without which the record is still whole.
    for length in 0..json.len() - 1 {
        fs::write(&path, &json[..length]).unwrap();
        let error = RunRecord::read(&path).unwrap_err();
        assert!(error.kind() == ErrorKind::Damaged && error.line_and_column().is_some(), "at byte {length}: {error}");
    }
}

#[test]
fn unknown_fields_are_passed_over_and_contradictions_are_not() {
    let (_, record) = finished();
    let folder = tempdir().unwrap();
    let path = folder.path().join("trial.json");
    let json = record.to_json().unwrap();
    fs::write(&path, json.replacen("{", "{\"from_the_future\": [1],", 1)).unwrap();
    assert_eq!(RunRecord::read(&path).unwrap(), record);

    let message = |json: String| {
        fs::write(&path, json).unwrap();
        RunRecord::read(&path).unwrap_err().to_string().replace(&path.display().to_string(), "FILE")
    };
    let messages = [
        message(json.replace("\"schema\": 1", "\"schema\": 2")),
        message(json.replace("\"best_epoch\": 2", "\"best_epoch\": 3")),
        message(json.replace("\"epoch\": 1", "\"epoch\": 7")),
        message(json.replace("\"classes\": \"0123456789\"", "\"classes\": \"01\"")),
        message(json.replace("\"finished\"", "\"done\"")),
        message(json.replace("\"parameters\": ", "\"parameters\": -")),
        message("[]".into()),
        message(String::new()),
    ];
    assert_snapshot!(messages.join("\n"));
    // No share of samples is more than all of them.
    let mut impossible = record.clone();
    impossible.epochs[1].test.as_mut().unwrap().accuracy = Some(7.5);
    assert_snapshot!(
        message(impossible.to_json().unwrap()),
        @"FILE: epochs[1].test.accuracy: expected a fraction from 0 to 1, found 7.5. Delete the file and run the trial again"
    );
    let mut impossible = record.clone();
    impossible.recall[0] = -0.5;
    assert!(message(impossible.to_json().unwrap()).contains("recall: expected a fraction from 0 to 1, found -0.5"));
    assert!(RunRecord::read(folder.path()).unwrap_err().to_string().contains("not a regular file"));
    let missing = RunRecord::read(folder.path().join("none.json")).unwrap_err();
    assert!(missing.kind() == ErrorKind::Io && missing.to_string().ends_with("; check the path"));
    assert!(missing.to_string().contains("cannot read the record"));
    let nowhere = record.write(folder.path().join("no/folder/trial.json")).unwrap_err();
    assert!(nowhere.kind() == ErrorKind::Io && nowhere.to_string().contains("cannot write the record"));
}

#[test]
fn interrupted_runs_have_no_record_and_diverged_ones_no_weights() {
    use mlp_train::{Divergence, Outcome};
    let (mut run, _) = finished();
    let record_of = |run: &Run<f32>| RunRecord::of_run(subject("t"), run);
    run.outcome = Outcome::Interrupted;
    assert!(record_of(&run).is_none());
    let place = Divergence { epoch: 3, batch: 1, layer: 0 };
    run.outcome = Outcome::Diverged(place);
    let record = record_of(&run).unwrap();
    assert_eq!((record.status, record.diverged), (Status::Diverged, Some(place)));
    assert!(record.weights_sha256.is_none() && record.mistakes.is_empty() && record.confusion.is_none());

    let failure = RunRecord::of_failure(subject("t"), vec![8, 24, 6], "needs 80 GB".into());
    let folder = tempdir().unwrap();
    failure.write(folder.path().join("t.json")).unwrap();
    assert_eq!(RunRecord::read(folder.path().join("t.json")).unwrap(), failure);
    assert_eq!(failure.final_test(), None);
}

proptest! {
    #[test]
    fn every_finite_number_survives_the_round_trip(values in prop::collection::vec(any::<f64>(), 3)) {
        prop_assume!(values.iter().all(|value| value.is_finite()));
        let metrics = EpochMetrics { loss: values[0], mae: values[1], rmse: values[2], ..EpochMetrics::default() };
        let json = serde_json::to_string(&metrics).unwrap();
        prop_assert_eq!(serde_json::from_str::<EpochMetrics>(&json).unwrap(), metrics);
    }
}

/// With one output a class, the largest output is the answer: so it is told of records, too, that knew only bits.
#[test]
fn a_record_from_before_there_was_a_choice_of_decoding_gets_its_accuracy() {
    for (encoding, of) in [("one-hot", "nearest_accuracy"), ("ascii", "exact_accuracy")] {
        let folder = tempdir().unwrap();
        let path = folder.path().join("t.json");
        let record =
            made_up::record(&[("encoding", json!(encoding))], Story { accuracy: 0.9, pace: 2.0, n_epochs: 4, seed: 0 });
        let mut old: Value = serde_json::from_str(&record.to_json().unwrap()).unwrap();
        old.as_object_mut().unwrap().remove("decoding");
        old["config"].as_object_mut().unwrap().remove("decoding");
        for epoch in old["epochs"].as_array_mut().unwrap() {
            for set in ["train", "test"] {
                let metrics = epoch[set].as_object_mut().unwrap();
                metrics.remove("accuracy");
                let exact = metrics.remove("exact_accuracy").unwrap();
                metrics.insert("digit_accuracy".to_owned(), exact);
            }
        }
        fs::write(&path, old.to_string()).unwrap();
        let read = RunRecord::read(&path).unwrap();
        assert_eq!((read.decoding, read.epochs.len()), (None, record.epochs.len()));
        let told: Value = serde_json::from_str(&read.to_json().unwrap()).unwrap();
        for epoch in told["epochs"].as_array().unwrap() {
            assert!(epoch["test"]["exact_accuracy"].is_number());
            assert_eq!(epoch["test"]["accuracy"], epoch["test"][of], "{encoding}");
        }
        // What it computes is the same, so it is the same trial.
        assert_eq!(trial_id(&read.config, "data"), trial_id(&record.config, "data"));
    }
}

/// The note is about shares of wrong answers alone: those of the epoch that was kept.
#[test]
fn a_net_that_dropout_starves_is_told_so_where_it_is_so() {
    let (_, record) = finished();
    let with = |dropout: f64, validation: usize, wrong: [f64; 2]| {
        let mut record = record.clone();
        record.data.train = 5_000 + validation;
        record.config.insert("dropout".into(), json!(dropout));
        record.config.insert("validation".into(), json!(validation));
        let epoch = record.epochs.iter_mut().find(|epoch| epoch.epoch == record.best_epoch).unwrap();
        epoch.train.accuracy = Some(1.0 - wrong[0]);
        epoch.validation.as_mut().unwrap().accuracy = Some(1.0 - wrong[1]);
        record.dropout_note()
    };
    assert_eq!(
        with(0.8, 1_000, [0.12, 0.125]).unwrap(),
        "leaves too little, or too little time: of the training samples the whole net gets 12.00 % wrong, of the validation \
         samples 12.50 %, so there is nothing yet that dropout could keep from overfitting. Try a lower dropout, more units or \
         more epochs."
    );
    assert!(with(0.8, 1_000, [0.12, 0.1]).is_some(), "others are answered even better");
    assert_eq!(with(0.0, 1_000, [0.12, 0.125]), None, "without dropout");
    assert_eq!(with(0.8, 1_000, [0.015, 0.016]), None, "it fits");
    assert_eq!(with(0.8, 1_000, [0.12, 0.19]), None, "it overfits");
    assert_eq!(with(0.8, 20, [0.12, 0.125]), None, "too few to tell");
}
