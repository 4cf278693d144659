use mlp_results::{N_TRIALS_IN_FULL, Overview, RunFolder, RunRecord};
use std::fs;
use std::path::Path;

use mlp_report::{ReportError, read_folder, report_html, write_report};
use serde_json::json;

use crate::made_up::{self, Story};

const STORY: Story = Story { accuracy: 0.9, pace: 2.0, n_epochs: 3, seed: 0 };

/// A folder with two trials, a model, robustness curves and a diagnosis of the first.
fn folder() -> (tempfile::TempDir, Vec<RunRecord>) {
    let dir = tempfile::tempdir().unwrap();
    let mut records = vec![made_up::record(&[], STORY), made_up::record(&[], Story { seed: 1, ..STORY })];
    fs::create_dir_all(dir.path().join("trials")).unwrap();
    fs::create_dir_all(dir.path().join("models")).unwrap();
    records[0].weights_sha256 = Some(made_up::write_model(&model(dir.path(), &records[0]), &records[0]));
    for record in &records {
        record.write(dir.path().join("trials").join(format!("{}.json", record.trial))).unwrap();
    }
    RunFolder::new(dir.path()).write_robustness(&records[0].trial, &made_up::robustness(&records[0])).unwrap();
    fs::create_dir_all(dir.path().join("diagnosis")).unwrap();
    let diagnosis = made_up::diagnosis(&records[0], true).to_json();
    fs::write(dir.path().join("diagnosis").join(format!("{}.json", records[0].trial)), diagnosis).unwrap();
    (dir, records)
}

fn model(dir: &Path, record: &RunRecord) -> std::path::PathBuf {
    dir.join("models").join(format!("{}.safetensors", record.trial))
}

#[test]
fn a_folder_is_read_with_its_models_and_curves() {
    let (dir, records) = folder();
    let input = read_folder(dir.path()).unwrap();
    assert_eq!(input.warnings, [""; 0]);
    assert_eq!(input.trials.len(), 2);
    let first = input.trials.iter().find(|trial| trial.record == records[0]).unwrap();
    assert_eq!(first.model, Some(model(dir.path(), &records[0])));
    assert_eq!(input.robustness, made_up::robustness(&records[0]));
    assert_eq!(input.diagnoses, [made_up::diagnosis(&records[0], true)]);
}

#[test]
fn a_damaged_record_is_named_and_the_others_are_shown() {
    let (dir, _) = folder();
    fs::write(dir.path().join("trials/broken.json"), "{\"schema\": 1,").unwrap();
    fs::write(dir.path().join("robustness/broken.json"), "[{}]").unwrap();
    let input = read_folder(dir.path()).unwrap();
    assert_eq!(input.trials.len(), 2);
    assert_eq!(input.warnings.len(), 2);
    let page = report_html(&input);
    assert!(page.contains("broken.json") && page.contains("Skipped a record."));
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
        let input = read_folder(dir.path()).unwrap();
        assert!(input.diagnoses.len() == 1 && input.warnings.len() == 1, "cut to {length} bytes");
    }
    small.epochs[0].layers.clear();
    fs::write(&path, small.to_json()).unwrap();
    let page = report_html(&read_folder(dir.path()).unwrap());
    assert!(page.contains("Skipped a diagnosis.") && page.contains("broken.json: epochs[0].layers: expected 1"));
}

#[test]
fn a_diagnosis_stands_in_the_section_of_its_trial_and_others_in_one_of_their_own() {
    let records = [made_up::record(&[], STORY), made_up::record(&[], Story { accuracy: 0.5, seed: 1, ..STORY })];
    let mut input = made_up::input(records.to_vec());
    input.diagnoses = vec![made_up::diagnosis(&records[0], false), made_up::diagnosis(&records[1], true)];
    let page = report_html(&input);
    let part = |from: &str, to: &str| page.split(from).nth(1).unwrap().split(to).next().unwrap().to_owned();
    let of_trial = part("<section id=\"trials\">", "</section>");
    assert!(of_trial.contains("<h3>Diagnosis</h3>\n<p><strong>No layer is dead: at epoch 3"), "{of_trial}");
    let of_others = part("<section id=\"diagnosis\">", "</section>");
    assert!(of_others.contains("Layer 1 of 4: 100 % of its units are saturated at 1 from epoch 0 on"), "{of_others}");
    assert!(page.contains("<a href=\"#diagnosis\">"));

    let dir = tempfile::tempdir().unwrap();
    write_report(&input, dir.path()).unwrap();
    for plot in ["best-diagnosis-saturated.svg", "best-diagnosis-gradient.svg", "other-1-diagnosis-spread.svg"] {
        assert!(dir.path().join("plots").join(plot).is_file(), "{plot}");
    }
}

#[test]
fn a_record_under_another_name_is_shown_with_a_warning() {
    let (dir, records) = folder();
    records[0].write(dir.path().join("trials/copy.json")).unwrap();
    let input = read_folder(dir.path()).unwrap();
    assert_eq!(input.trials.len(), 3);
    assert!(input.warnings[0].contains("copy.json"));
}

#[test]
fn another_trials_model_is_not_drawn() {
    let (dir, records) = folder();
    let mut input = read_folder(dir.path()).unwrap();
    input.trials.retain(|trial| trial.record == records[0]);
    assert!(report_html(&input).contains("First-layer weights"));
    input.trials[0].record.weights_sha256 = Some("0".repeat(64));
    let page = report_html(&input);
    assert!(!page.contains("First-layer weights"));
    assert!(page.contains("it is another trial&#39;s model"));
}

#[test]
fn a_damaged_model_is_named() {
    let (dir, records) = folder();
    fs::write(model(dir.path(), &records[0]), b"no model").unwrap();
    let mut input = read_folder(dir.path()).unwrap();
    input.trials.retain(|trial| trial.record == records[0]);
    let written = write_report(&input, dir.path()).unwrap();
    assert_eq!(written.warnings.len(), 1);
    assert!(written.warnings[0].contains("safetensors"));
}

#[test]
fn a_report_is_written_in_full_and_twice_the_same() {
    let (dir, _) = folder();
    let input = read_folder(dir.path()).unwrap();
    let written = write_report(&input, dir.path()).unwrap();
    let first = fs::read(&written.report).unwrap();
    let table = fs::read(&written.results).unwrap();
    assert!(written.plots.iter().all(|plot| plot.is_file()) && !written.plots.is_empty());
    let again = write_report(&read_folder(dir.path()).unwrap(), dir.path()).unwrap();
    assert_eq!(written, again);
    assert_eq!(fs::read(&again.report).unwrap(), first);
    assert_eq!(fs::read(&again.results).unwrap(), table);
    let leftovers = fs::read_dir(dir.path()).unwrap().filter_map(Result::ok);
    assert_eq!(leftovers.filter(|entry| entry.file_name().to_string_lossy().ends_with(".tmp")).count(), 0);
}

#[test]
fn plots_of_an_earlier_report_go_and_those_of_others_stay() {
    let (dir, records) = folder();
    let mut input = read_folder(dir.path()).unwrap();
    input.robustness = made_up::robustness(&records[0]);
    write_report(&input, dir.path()).unwrap();
    let plots = dir.path().join("plots");
    fs::write(plots.join("mine.svg"), "<svg xmlns=\"http://www.w3.org/2000/svg\"/>").unwrap();
    assert!(plots.join("robustness-gaussian-blur.svg").is_file());
    input.robustness.clear();
    write_report(&input, dir.path()).unwrap();
    assert!(!plots.join("robustness-gaussian-blur.svg").exists());
    assert!(plots.join("mine.svg").is_file());
}

#[test]
fn a_report_that_cannot_be_written_leaves_the_old_one() {
    let (dir, _) = folder();
    let input = read_folder(dir.path()).unwrap();
    let written = write_report(&input, dir.path()).unwrap();
    let before = fs::read(&written.report).unwrap();
    fs::remove_dir_all(dir.path().join("plots")).unwrap();
    fs::write(dir.path().join("plots"), "in the way").unwrap();
    let error = write_report(&input, dir.path()).unwrap_err();
    assert!(matches!(error, ReportError::Write { .. }));
    assert_eq!(fs::read(&written.report).unwrap(), before);
}

#[test]
fn a_missing_folder_is_an_error_and_one_without_trials_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let error = read_folder(&dir.path().join("nowhere")).unwrap_err().to_string();
    let error = error.replace(&dir.path().display().to_string(), "DIR");
    insta::assert_snapshot!(error, @"DIR/nowhere: expected a folder of trials (with trials/*.json in it), but cannot read it: No such file or directory (os error 2). Give the folder that a sweep wrote");
    assert!(read_folder(dir.path()).unwrap().trials.is_empty());
}

#[test]
fn a_curve_that_is_not_finite_is_not_stored() {
    let dir = tempfile::tempdir().unwrap();
    let mut curves = made_up::robustness(&made_up::record(&[], STORY));
    curves[0].points[1].1.mae = f64::NAN;
    let error = RunFolder::new(dir.path()).write_robustness("t", &curves).unwrap_err();
    assert!(error.kind() == mlp_results::ErrorKind::NotFinite && error.to_string().contains("at strength 0.5"), "{error}");
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
        let input = read_folder(dir.path()).unwrap();
        assert!(input.robustness.is_empty() && input.warnings.len() == 1, "cut to {length} bytes");
    }
}

#[test]
fn a_report_is_called_after_its_specification_or_its_settings_or_its_folder() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("layers-mnist");
    fs::create_dir_all(dir.join("trials")).unwrap();
    let mut record = made_up::record(&[("name", json!("of settings"))], STORY);
    let path = dir.join("trials").join(format!("{}.json", record.trial));
    let title = || {
        let page = report_html(&read_folder(&dir).unwrap());
        page.split("<h1>").nth(1).unwrap().split("</h1>").next().unwrap().to_owned()
    };
    record.write(&path).unwrap();
    assert_eq!(title(), "of settings on mnist");
    record.config.remove("name");
    record.write(&path).unwrap();
    assert_eq!(title(), "layers on mnist");
    for (specification, expected) in [
        ("data = \"mnist\"\nname = \"depths\" # how many\n", "depths on mnist"),
        ("name='a\\b'\n", "a\\b on mnist"),
        ("name = \"<b>\\\"x\\\"\"", "&lt;b&gt;&quot;x&quot; on mnist"),
        ("names = \"no\"\n[grid]\nname = \"no\"\n", "layers on mnist"),
        ("name = \"unfinished", "layers on mnist"),
        ("name = 7\n", "layers on mnist"),
        ("name = \"\"\n", "layers on mnist"),
    ] {
        fs::write(dir.join("spec.toml"), specification).unwrap();
        assert_eq!(title(), expected, "{specification}");
    }
    fs::write(dir.join("spec.toml"), format!("name = \"{}\"", "x".repeat(10_000))).unwrap();
    assert!(title().chars().count() < 100);
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
    let input = read_folder(dir.path()).unwrap();
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
fn what_halving_stopped_is_listed_and_a_damaged_list_is_a_warning() {
    let (dir, records) = folder();
    assert!(!report_html(&read_folder(dir.path()).unwrap()).contains("id=\"halving\""));
    // The second came to an end of its own before it was stopped.
    let stopped = [("0123456789abcdef", json!(0.25), 8), (records[0].trial.as_str(), json!(null), 9)].map(
        |(trial, value, rank)| json!({"trial": trial, "label": "seed = <b>2</b>", "epoch": 3, "value": value, "rank": rank}),
    );
    let list =
        json!([{"epoch": 3, "metric": "validation.loss", "n_trials": 9, "n_kept": 7, "stopped": stopped}]).to_string();
    fs::write(dir.path().join("halving.json"), &list).unwrap();
    let page = report_html(&read_folder(dir.path()).unwrap());
    let section = page.split("id=\"halving\"").nth(1).expect("a section");
    for part in ["1 trial was stopped", "seed = &lt;b&gt;2&lt;/b&gt;", "8 of 9", "validation.loss", "0.25"] {
        assert!(section.contains(part), "{part}");
    }
    fs::write(dir.path().join("halving.json"), &list[..40]).unwrap();
    let input = read_folder(dir.path()).unwrap();
    assert!(input.halving.is_empty() && input.warnings[0].contains("halving.json"), "{:?}", input.warnings);
}
