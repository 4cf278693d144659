//! Folders of results as pages, and reports as files.

use std::fs;

use mlp_report::{ErrorKind, read_folder, read_folders, report_html, write_report};
use mlp_results::{Overview, RunRecord};
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
    assert!(of_others.contains("Its maps are <a href=\"#trials\">with the trial</a>"), "{of_others}");
    assert!(of_others.contains("Layer 1 of 4: 100 % of its units are saturated at 1 from epoch 0 on"), "{of_others}");
    assert!(page.contains("<a href=\"#diagnosis\">"));

    let dir = tempfile::tempdir().unwrap();
    write_report(&input, dir.path()).unwrap();
    for plot in ["best-diagnosis-saturated.svg", "best-diagnosis-gradient.svg", "other-1-diagnosis-spread.svg"] {
        assert!(dir.path().join("plots").join(plot).is_file(), "{plot}");
    }
}

/// Twelve trials that learn, of which every other one was examined, and four in which learning died.
#[test]
fn the_verdict_on_the_examined_trials_comes_first_and_then_those_in_which_learning_died() {
    let story = |seed| Story { accuracy: 0.95, seed, ..STORY };
    let mut records: Vec<_> = (0..12).map(|seed| made_up::record(&[("l2", json!(0.0))], story(seed))).collect();
    records.extend((0..3).map(|seed| made_up::record(&[("l2", json!(1.0))], Story { accuracy: 0.1, ..story(seed) })));
    records.push(made_up::diverged(&[("l2", json!(2.0))], Story { n_epochs: 2, ..story(0) }));
    let mut input = made_up::input(records.clone());
    let examined = records.iter().enumerate().filter(|(place, _)| *place >= 12 || place % 2 == 0);
    input.diagnoses = examined.map(|(place, record)| made_up::diagnosis(record, place >= 12)).collect();
    let page = report_html(&input);
    let navigation = page.split("<nav").nth(1).unwrap().split("</nav>").next().unwrap();
    assert!(navigation.find("#diagnosis").unwrap() < navigation.find("#comparison").unwrap(), "{navigation}");
    assert!(page.find("<section id=\"diagnosis\">").unwrap() < page.find("<section id=\"comparison\">").unwrap());
    let section = page.split("<section id=\"diagnosis\">").nth(1).unwrap().split("</section>").next().unwrap();
    let order = [
        "<strong>Of 10 examined trials, 1 diverged, 3 did not learn.</strong> 10 of 16 trials were examined",
        "<li>4 trials: layer 1 of 4 is saturated, as its weights are all positive</li>",
        "diverged in epoch 3",
        "Layer 1 of 4",
        "6 trials that learned",
        "No layer is dead",
    ];
    let places: Vec<usize> = order.iter().map(|text| section.find(text).unwrap_or_else(|| panic!("{text}"))).collect();
    assert!(places.is_sorted(), "{places:?} in {section}");
    // The maps of the dead are drawn, before those of others that are not shown one by one.
    let maps = section.matches("<details class=\"card\"><summary><code>").count();
    assert_eq!((maps, section.matches("Layer 1 of 4").count()), (8, 4));
    // What is folded is called what the verdict calls it.
    let more = (3..9).map(|seed| made_up::record(&[("l2", json!(1.0))], Story { accuracy: 0.1, ..story(seed) }));
    let more: Vec<_> = more.collect();
    input.diagnoses.extend(more.iter().map(|record| made_up::diagnosis(record, true)));
    input.trials.extend(made_up::trials(more));
    let page = report_html(&input);
    assert!(page.contains("1 diverged, 9 did not learn.</strong>"));
    assert!(!page.contains("no layer is at fault"));
    assert!(page.contains("<summary>2 trials more that did not learn</summary>"));
    // Those that no layer is to blame for are counted as well.
    let alive = made_up::record(&[("l2", json!(1.0))], Story { accuracy: 0.1, ..story(20) });
    input.diagnoses.push(made_up::diagnosis(&alive, false));
    input.trials.extend(made_up::trials(vec![alive]));
    assert!(report_html(&input).contains("<li>1 trial: no layer is at fault, and the answers hardly depend"));
    input.diagnoses.clear();
    assert!(!report_html(&input).contains("#diagnosis"));
}

/// All layers are alive, and what comes out is never right.
#[test]
fn a_net_no_better_than_a_constant_answer_is_never_said_to_learn() {
    let record = made_up::scored(&[("max_norm", json!(0.01))], 0, 0.0);
    let mut input = made_up::input(vec![record.clone()]);
    input.diagnoses = vec![made_up::diagnosis(&record, false)];
    let text = crate::pages::text_of(&report_html(&input));
    assert!(text.contains("The examined trial did not learn."), "{text}");
    assert!(text.contains("Nothing has been learned: 0 %") || text.contains("nothing has been learned: 0 %"), "{text}");
    assert!(text.contains("max_norm = 0.01 holds the weights down") && !text.contains("trial learns"), "{text}");
}

#[test]
fn a_net_that_diverged_with_all_its_layers_alive_is_not_told_to_learn_faster() {
    let records =
        [made_up::record(&[], STORY), made_up::diverged(&[("l2", json!(2.0))], Story { n_epochs: 2, ..STORY })];
    let mut input = made_up::input(records.to_vec());
    input.diagnoses = vec![made_up::diagnosis(&records[1], false)];
    let text = crate::pages::text_of(&report_html(&input));
    let expected =
        "No layer was dead at epoch 2, the last one before the numbers grew beyond all bounds. Try a smaller";
    // In the section of its own and with the trial.
    assert_eq!((text.matches(expected).count(), text.matches("No layer is dead: at").count()), (2, 0), "{text}");
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
    let epochs = fs::read(&written.epochs).unwrap();
    assert!(written.plots.iter().all(|plot| plot.is_file()) && !written.plots.is_empty());
    let again = write_report(&read_folder(dir.path()).unwrap(), dir.path()).unwrap();
    assert_eq!(written, again);
    assert_eq!(fs::read(&again.report).unwrap(), first);
    assert_eq!(fs::read(&again.results).unwrap(), table);
    assert_eq!(fs::read(&again.epochs).unwrap(), epochs);
    assert_eq!(epochs.split(|byte| *byte == b'\n').count(), 1 + 2 * 4 + 1);
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

/// Twelve configurations of three seeds, of which four were kept after the first epoch and one after the third.
#[test]
fn configurations_that_halving_compared_are_listed_with_their_seeds_and_stopped_trials_are_counted() {
    let rates: Vec<f64> = (1..=12).map(|rate| f64::from(rate) / 100.0).collect();
    let record =
        |rate: f64, seed| made_up::record(&[("learning_rate", json!(rate))], Story { seed, n_epochs: 4, ..STORY });
    let (mut input, mut rounds) = (made_up::input(Vec::new()), Vec::new());
    for (epoch, n_left, n_kept) in [(1, 12, 4), (3, 4, 1)] {
        let ranked = |(place, &rate): (usize, &f64)| {
            let trial = |seed| {
                let value = (place + seed > 0).then_some(rate + seed as f64);
                json!({ "trial": record(rate, seed as u64).trial, "value": value })
            };
            let trials: Vec<_> = (0..3).map(trial).collect();
            let mean = Some(rate + 1.0);
            json!({ "label": format!("learning_rate = {rate}"), "mean": mean, "is_kept": place < n_kept, "trials": trials })
        };
        let configurations: Vec<_> = rates[..n_left].iter().enumerate().map(ranked).collect();
        let mut stopped = Vec::new();
        for (place, &rate) in rates[..n_left].iter().enumerate().skip(n_kept) {
            for seed in 0..3 {
                let mut record = record(rate, seed);
                (record.status, record.best_epoch) = (mlp_results::Status::Failed, epoch);
                record.epochs.truncate(epoch + 1);
                let (trial, rank) = (record.trial.clone(), place + 1);
                stopped.push(json!({ "trial": trial, "label": "", "epoch": epoch, "value": 1.0, "rank": rank }));
                let ending = Some("stopped".to_owned());
                input.trials.push(mlp_results::TrialResult { record, model: None, ending });
            }
        }
        rounds.push(json!({
            "epoch": epoch, "metric": "validation.loss", "n_trials": 3 * n_left, "n_kept": 3 * n_kept,
            "configurations": configurations, "stopped": stopped,
        }));
    }
    input.trials.extend(made_up::trials((0..3).map(|seed| record(rates[0], seed)).collect()));
    input.halving = serde_json::from_value(json!(rounds)).unwrap();
    let page = report_html(&input);
    let text = crate::pages::text_of(&page);
    let summary = "12 configurations of 3 seeds; 4 kept after epoch 1, 1 after epoch 3";
    assert!(text.contains("36 trials: 3 finished, 33 stopped; 12 configurations with different"), "{text}");
    assert!(text.contains(&format!("</a>: {summary}.")) && text.contains(&format!("Successive halving: {summary}. ")));
    assert!(!page.contains(">1 of 1<") && page.contains(">3 of 3<") && !page.contains("were ended early (stopped)."));
    let section = page.split("id=\"halving\"").nth(1).unwrap().split("</section>").next().unwrap();
    assert_eq!(section.matches("<tr>").count(), 1 + 12);
    for part in ["went on after epoch 3", "1 of 4", "stopped after epoch 1", "12 of 12", "1 lost", "stands behind all"]
    {
        assert!(section.contains(part), "{part}: {section}");
    }
    // Whoever came further stands before the others, and what had reached more before its like.
    let overview = Overview::new(&input.trials);
    let last = |cell: &mlp_results::Cell<'_>| cell.trials[0].record.epochs.last().unwrap().epoch;
    let reached: Vec<usize> = overview.cells.iter().map(last).collect();
    assert_eq!(reached, [vec![4], vec![3; 3], vec![1; 8]].concat());
    // Losses of other codes are other numbers: the page says that they were compared.
    assert!(!section.contains("Read with care"));
    let mut mixed = input.clone();
    mixed.trials[0].record.config.insert("encoding".to_owned(), json!("one-hot"));
    assert!(report_html(&mixed).contains("<code>encoding</code> differs, and <code>validation.loss</code> is another"));
    let dir = tempfile::tempdir().unwrap();
    let written = write_report(&input, dir.path()).unwrap();
    assert_eq!(fs::read_to_string(&written.results).unwrap().matches(",stopped,").count(), 33);
    // Each epoch that was reached, the one before training among them.
    assert_eq!(fs::read_to_string(&written.epochs).unwrap().lines().count(), 1 + 24 * 2 + 9 * 4 + 3 * 5);
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
            let record = made_up::own(made_up::record(settings, Story { accuracy, seed, ..STORY }));
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
    // The same trials in two folders count once, and that is said; those that other instructions computed are others.
    let copy = write("copy", 0.8, &[("hidden", json!([64, 64]))]);
    let input = read_folders(&[deep.clone(), copy.clone()]).unwrap();
    assert_eq!((input.trials.len(), Overview::new(&input.trials).cells.len()), (2, 1));
    let said =
        "Trials lie in several of the folders: 2 trials count once, with the first of their folders that has a result";
    assert_eq!(input.warnings, [said]);
    for entry in fs::read_dir(copy.join("trials")).unwrap() {
        let path = entry.unwrap().path();
        let mut record = RunRecord::read(&path).unwrap();
        record.kernel = "portable".to_owned();
        record.write(&path).unwrap();
    }
    let input = read_folders(&[deep.clone(), copy]).unwrap();
    assert_eq!(Overview::new(&input.trials).cells.len(), 2);
    // A folder that is none is an error.
    assert_eq!(read_folders(&[deep, root.path().join("none")]).unwrap_err().kind(), ErrorKind::Read);
}
