//! Folders of results, whole and damaged.

use std::fs;
use std::path::Path;

use mlp_core::Kernel;
use mlp_results::{
    HalvingRound, N_TRIALS_IN_FULL, Overview, Result, Results, RunFolder, RunRecord, Rung, StoppedTrial, Subject,
};
use mlp_train::History;
use serde_json::json;

use crate::made_up::{self, STORY, Story, folder, model, record, scored};

fn read(dir: &Path) -> Result<Results> {
    RunFolder::new(dir).read()
}

#[test]
fn a_folder_is_read_with_its_models_and_curves() {
    let (dir, records) = folder();
    let input = read(dir.path()).unwrap();
    assert_eq!(input.warnings, [""; 0]);
    assert_eq!(input.trials.len(), 2);
    let first = input.trials.iter().find(|trial| trial.record == records[0]).unwrap();
    assert_eq!(first.model, Some(model(dir.path(), &records[0])));
    assert_eq!(input.robustness, made_up::robustness(&records[0]));
    assert_eq!(input.diagnoses, [made_up::diagnosis(&records[0], true)]);
}

#[test]
fn a_copied_record_counts_once_and_a_warning_names_the_copy() {
    let (dir, records) = folder();
    let trial = &records[0].trial;
    // In the order of names, one copy is before the record and one behind it.
    let copies = [format!("{trial} (conflicted copy).json"), format!("{trial}~2.json")];
    for copy in &copies {
        records[0].write(dir.path().join("trials").join(copy)).unwrap();
    }
    let results = read(dir.path()).unwrap();
    assert_eq!(results.trials.len(), 2);
    assert_eq!(results.warnings.len(), 2, "{:?}", results.warnings);
    for (copy, warning) in copies.iter().zip(&results.warnings) {
        assert!(warning.contains(copy) && warning.contains(&format!("{trial}.json holds")), "{warning}");
    }
    let overview = Overview::new(&results.trials);
    assert_eq!((overview.cells.len(), overview.cells[0].scores.len()), (1, 2));
    let read_at_once: Vec<&RunRecord> = results.trials.iter().map(|trial| &trial.record).collect();
    assert_eq!(read_at_once, RunFolder::new(dir.path()).records().values().collect::<Vec<_>>());
    let model = results.trials.iter().find(|found| &found.record.trial == trial).unwrap().model.clone();
    assert_eq!(model, Some(self::model(dir.path(), &records[0])));
}

#[test]
fn a_record_under_another_name_alone_is_no_result_and_a_warning_says_what_to_do() {
    let (dir, records) = folder();
    let trials = dir.path().join("trials");
    fs::rename(trials.join(format!("{}.json", records[0].trial)), trials.join("mine.json")).unwrap();
    let results = read(dir.path()).unwrap();
    assert_eq!(results.trials.len(), 1);
    assert_eq!(RunFolder::new(dir.path()).records().len(), 1);
    let expected = format!("Call it {}.json, or delete it", records[0].trial);
    assert!(results.warnings[0].contains("mine.json") && results.warnings[0].ends_with(&expected));
}

#[test]
fn copied_curves_and_diagnoses_count_once() {
    let (dir, records) = folder();
    let whole = read(dir.path()).unwrap();
    for inner in ["robustness", "diagnosis"] {
        let folder = dir.path().join(inner);
        fs::copy(folder.join(format!("{}.json", records[0].trial)), folder.join("0 copy.json")).unwrap();
    }
    let results = read(dir.path()).unwrap();
    assert_eq!((&results.robustness, &results.diagnoses), (&whole.robustness, &whole.diagnoses));
    assert_eq!(results.warnings.len(), 2, "{:?}", results.warnings);
    assert!(results.warnings.iter().all(|warning| warning.contains("0 copy.json")));
}

#[test]
fn a_missing_folder_is_an_error_and_one_without_trials_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let error = read(&dir.path().join("nowhere")).unwrap_err().to_string();
    let error = error.replace(&dir.path().display().to_string(), "DIR");
    insta::assert_snapshot!(error, @"DIR/nowhere: expected a folder of trials (with trials/*.json in it), but cannot read it: No such file or directory (os error 2). Give the folder that a sweep wrote");
    assert!(read(dir.path()).unwrap().trials.is_empty());
}

#[test]
fn a_curve_that_is_not_finite_is_not_stored() {
    let dir = tempfile::tempdir().unwrap();
    let mut curves = made_up::robustness(&made_up::record(&[], STORY));
    curves[0].points[1].1.mae = f64::NAN;
    let error = RunFolder::new(dir.path()).write_robustness("t", &curves).unwrap_err();
    assert!(
        error.kind() == mlp_results::ErrorKind::NotFinite && error.to_string().contains("at strength 0.5"),
        "{error}"
    );
    assert!(!dir.path().join("robustness/t.json").exists());
}

#[test]
fn every_truncation_of_a_robustness_file_is_skipped_with_a_warning() {
    let dir = tempfile::tempdir().unwrap();
    let mut curves = made_up::robustness(&made_up::record(&[("l2", json!(0.1))], STORY));
    curves.truncate(1);
    curves[0].points.truncate(1);
    let path = RunFolder::new(dir.path()).write_robustness("t", &curves).unwrap();
    let whole = fs::read(&path).unwrap();
    for length in 0..whole.trim_ascii_end().len() {
        fs::write(&path, &whole[..length]).unwrap();
        let input = read(dir.path()).unwrap();
        assert!(input.robustness.is_empty() && input.warnings.len() == 1, "cut to {length} bytes");
    }
}

#[test]
fn of_very_many_trials_the_best_keeps_its_details_and_one_that_did_not_finish_has_none() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir_all(dir.path().join("trials")).unwrap();
    let mut small = made_up::record(&[], Story { n_epochs: 1, ..STORY });
    small.mistakes.truncate(1);
    let mut best = made_up::record(&[], Story { accuracy: 0.95, pace: 0.5, n_epochs: 1, seed: 1 });
    best.trial = format!("{:032x}", 1_000);
    let mut unfinished = made_up::record(&[], Story { accuracy: 0.99, pace: 0.1, n_epochs: 1, seed: 2 });
    unfinished.status = mlp_results::Status::Failed;
    unfinished.error = Some("stopped".to_owned());
    unfinished.trial = format!("{:032x}", 0);
    for index in 1..=N_TRIALS_IN_FULL {
        small.trial = format!("{index:032x}");
        let text = serde_json::to_string(if index == 1_000 { &best } else { &small }).unwrap();
        fs::write(dir.path().join("trials").join(format!("{}.json", small.trial)), text).unwrap();
    }
    unfinished.write(dir.path().join("trials").join(format!("{}.json", unfinished.trial))).unwrap();
    let input = read(dir.path()).unwrap();
    assert_eq!(input.trials.len(), N_TRIALS_IN_FULL + 1);
    assert!(input.trials[0].record.confusion.is_none() && input.trials[0].record.mistakes.is_empty());
    let shown = Overview::new(&input.trials).best.unwrap();
    assert_eq!(shown.record.trial, best.trial);
    assert_eq!(shown.record.mistakes, best.mistakes);
    assert!(shown.record.confusion.is_some());
    let n_in_full = input.trials.iter().filter(|trial| trial.record.confusion.is_some()).count();
    assert_eq!(n_in_full, 2);
}

#[test]
fn a_damaged_diagnosis_is_named_and_every_truncation_is_skipped() {
    let (dir, _) = folder();
    let path = dir.path().join("diagnosis/broken.json");
    let mut small = made_up::diagnosis(&made_up::record(&[], STORY), true);
    small.layers.truncate(1);
    small.epochs.truncate(1);
    small.epochs[0].layers.truncate(1);
    let whole = small.to_json();
    for length in (0..whole.trim_end().len()).step_by(7) {
        fs::write(&path, &whole[..length]).unwrap();
        let input = read(dir.path()).unwrap();
        assert!(input.diagnoses.len() == 1 && input.warnings.len() == 1, "cut to {length} bytes");
    }
    small.epochs[0].layers.clear();
    fs::write(&path, small.to_json()).unwrap();
    let warnings = read(dir.path()).unwrap().warnings;
    assert!(
        warnings[0].contains("Skipped a diagnosis.")
            && warnings[0].contains("broken.json: epochs[0].layers: expected 1")
    );
}

#[test]
fn a_damaged_record_is_named_and_the_others_are_read() {
    let (dir, _) = folder();
    fs::write(dir.path().join("trials/broken.json"), "{\"schema\": 1,").unwrap();
    fs::write(dir.path().join("robustness/broken.json"), "[{}]").unwrap();
    let results = read(dir.path()).unwrap();
    assert_eq!(results.trials.len(), 2);
    assert_eq!(results.warnings.len(), 2);
    assert!(results.warnings[0].starts_with("Skipped a record.") && results.warnings[0].contains("broken.json"));
}

/// What it says of its settings or data would be taken for what was run.
#[test]
fn a_record_that_was_changed_by_hand_is_named() {
    let (dir, records) = folder();
    let path = RunFolder::new(dir.path()).record(&records[1].trial);
    for change in [json!({ "seed": 7 }), json!({ "learning_rate": 0.5 }), json!({ "hidden": [3] })] {
        let mut record = records[1].clone();
        record.config.extend(change.as_object().unwrap().clone());
        record.write(&path).unwrap();
        let results = read(dir.path()).unwrap();
        assert_eq!((results.trials.len(), results.warnings.len()), (2, 1), "{change}");
        assert!(results.warnings[0].starts_with("Changed by hand.") && results.warnings[0].contains(&records[1].trial));
    }
    let mut record = records[1].clone();
    record.data.sha256 = "f".repeat(64);
    record.write(&path).unwrap();
    assert_eq!(read(dir.path()).unwrap().warnings.len(), 1);
    // Names and what is measured are no part of an identity.
    let mut record = records[1].clone();
    record.config.insert("name".to_owned(), json!("another"));
    record.runtime.threads = 7;
    record.write(&path).unwrap();
    assert_eq!(read(dir.path()).unwrap().warnings, [""; 0]);
}

#[test]
fn a_record_with_an_ending_of_a_newer_version_is_read_with_its_word_and_is_no_result() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir_all(dir.path().join("trials")).unwrap();
    let record = made_up::own(scored(&[], 0, 0.9));
    let text = record.to_json().unwrap();
    let path = dir.path().join("trials").join(format!("{}.json", record.trial));
    fs::write(&path, text.replace("\"finished\"", "\"halted<b>\"")).unwrap();
    let results = read(dir.path()).unwrap();
    assert_eq!(results.warnings, [""; 0]);
    assert_eq!(results.trials[0].ending.as_deref(), Some("halted<b>"));
    assert!(results.trials[0].was_stopped());
    assert_eq!(Overview::new(&results.trials).best, None);
    // What is no word at all is no record.
    fs::write(&path, text.replace("\"finished\"", "7")).unwrap();
    assert_eq!(read(dir.path()).unwrap().warnings.len(), 1);
}

#[test]
fn what_halving_stopped_is_read_without_those_that_have_a_record_and_a_damaged_list_is_a_warning() {
    let (dir, records) = folder();
    let stopped = [("0123456789abcdef", json!(0.25), 8), (records[0].trial.as_str(), json!(null), 9)].map(
        |(trial, value, rank)| json!({"trial": trial, "label": "seed = 2", "epoch": 3, "value": value, "rank": rank}),
    );
    let list =
        json!([{"epoch": 3, "metric": "validation.loss", "n_trials": 9, "n_kept": 7, "stopped": stopped}]).to_string();
    fs::write(dir.path().join("halving.json"), &list).unwrap();
    let rounds = read(dir.path()).unwrap().halving;
    assert_eq!((rounds.len(), rounds[0].n_kept, rounds[0].stopped.len()), (1, 7, 1));
    assert_eq!((rounds[0].stopped[0].value, rounds[0].stopped[0].rank), (Some(0.25), 8));
    // What is written is read again.
    RunFolder::new(dir.path()).write_halving_rounds(&rounds).unwrap();
    assert_eq!(read(dir.path()).unwrap().halving, rounds);
    fs::write(dir.path().join("halving.json"), &list[..40]).unwrap();
    let results = read(dir.path()).unwrap();
    assert!(results.halving.is_empty() && results.warnings[0].contains("halving.json"), "{:?}", results.warnings);
}

#[test]
fn what_a_stopped_trial_had_reached_is_read_as_no_result_and_compared_with_its_own_kernel_alone() {
    let (dir, records) = folder();
    let folder = RunFolder::new(dir.path());
    let whole = record(&[("l2", json!(0.5))], Story { n_epochs: 5, ..STORY });
    let subject = Subject {
        trial: whole.trial.clone(),
        config: whole.config.clone(),
        data: whole.data.clone(),
        kernel: Kernel::Portable,
        runtime: whole.runtime.clone(),
    };
    let history = History {
        epochs: whole.epochs.clone(),
        seconds_train: vec![1.0; 5],
        seconds_evaluate: vec![0.5; 6],
        best_epoch: 5,
        stopped_early: false,
    };
    assert_eq!(Rung::new(subject.clone(), vec![784, 6], 4710, &history, 6), None, "it has not come so far");
    let rung = Rung::new(subject, vec![784, 6], 4710, &history, 3).unwrap();
    fs::create_dir_all(folder.rungs()).unwrap();
    folder.write_rung(&rung).unwrap();
    assert_eq!(folder.reached(&whole.trial, 3, "portable").as_ref(), Some(&whole.epochs[3]));
    assert_eq!(folder.reached(&whole.trial, 3, "avx2"), None);
    assert_eq!(folder.reached(&whole.trial, 2, "portable"), None);
    assert_eq!(read(dir.path()).unwrap().trials.len(), 2, "nothing says that it was stopped");

    let stopped = [&whole.trial, &records[0].trial].map(|trial| StoppedTrial {
        trial: trial.clone(),
        label: String::new(),
        epoch: 3,
        value: None,
        rank: 2,
    });
    let round = HalvingRound {
        epoch: 3,
        metric: "validation.loss".to_owned(),
        n_trials: 3,
        n_kept: 1,
        configurations: Vec::new(),
        stopped: stopped.to_vec(),
    };
    folder.write_halving_rounds(&[round]).unwrap();
    let results = read(dir.path()).unwrap();
    assert_eq!((results.trials.len(), results.warnings.len()), (3, 0));
    let found = results.trials.iter().find(|trial| trial.record.trial == whole.trial).unwrap();
    assert_eq!((found.ending().as_str(), found.was_stopped(), &found.model), ("stopped", true, &None));
    assert_eq!((&found.record.config, found.record.epochs.as_slice()), (&whole.config, &whole.epochs[..4]));
    assert_eq!((found.record.best_epoch, found.record.parameters), (3, 4710));
    assert_eq!((found.record.runtime.seconds_train.len(), found.record.runtime.seconds_evaluate.len()), (3, 4));
    let overview = Overview::new(&results.trials);
    assert!(overview.cells.iter().any(|cell| cell.n_stopped == 1 && cell.scores.is_empty()));
}
