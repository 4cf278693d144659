//! Folders of results as pages, and reports as files.

use std::fs;

use mlp_report::{ErrorKind, read_folder, read_folders, report_html, write_report};
use mlp_results::Overview;
use serde_json::json;

use crate::made_up::{self, STORY, Story, folder, model};

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
    assert_eq!(error.kind(), ErrorKind::Write);
    assert_eq!(fs::read(&written.report).unwrap(), before);
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

#[test]
fn several_folders_are_one_page_that_tells_their_trials_apart_by_folder() {
    let root = tempfile::tempdir().unwrap();
    let write = |folder: &str, accuracy: f64, settings: &[(&str, serde_json::Value)]| {
        let trials = root.path().join(folder).join("trials");
        fs::create_dir_all(&trials).unwrap();
        for seed in 0..2 {
            let record = made_up::record(settings, Story { accuracy, seed, ..STORY });
            record.write(trials.join(format!("{}.json", record.trial))).unwrap();
        }
        root.path().join(folder)
    };
    let wide = write("a/wide", 0.9, &[("hidden", json!([512]))]);
    let deep = write("deep", 0.8, &[("hidden", json!([64, 64]))]);
    let other = write("b/wide", 0.7, &[("hidden", json!([512])), ("l2", json!(0.1))]);
    let input = read_folders(&[wide.clone(), deep.clone(), other, wide.join("../wide")]).unwrap();
    assert_eq!(input.trials.len(), 6);
    let overview = Overview::new(&input.trials);
    // The folder comes first, then what varies among all of them.
    assert_eq!(overview.varied.iter().map(|key| key.key.as_str()).collect::<Vec<_>>(), ["folder", "hidden", "l2"]);
    let labels: Vec<&str> = overview.cells.iter().map(|cell| cell.label.as_str()).collect();
    assert_eq!(labels, ["a/wide · 512 · 0", "deep · 64-64 · 0", "b/wide · 512 · 0.1"]);
    let page = report_html(&input);
    assert!(page.contains("<h1>a/wide, deep, b/wide on mnist</h1>"));
    assert!(page.contains("records in <code>trials/</code> of the folders;"));
    // Records with equal settings in two folders are two configurations, and a folder that is none is an error.
    let input = read_folders(&[deep.clone(), write("copy", 0.8, &[("hidden", json!([64, 64]))])]).unwrap();
    assert_eq!(Overview::new(&input.trials).cells.len(), 2);
    assert_eq!(read_folders(&[deep, root.path().join("none")]).unwrap_err().kind(), ErrorKind::Read);
}
