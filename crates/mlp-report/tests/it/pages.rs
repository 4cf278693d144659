//! Whole pages.

use mlp_report::figures::draw_all;
use mlp_report::report_html;
use mlp_results::{Metric, Overview};
use serde_json::{Value, json};

use crate::made_up::{self, Story};
use crate::work::counted;

const STORY: Story = Story { accuracy: 0.9, pace: 2.0, n_epochs: 3, seed: 0 };

/// The page without its style, script, figures and images, which have tests of their own.
pub(crate) fn text_of(page: &str) -> String {
    let mut text = page.to_owned();
    for (start, end) in [("<style>", "</style>"), ("<script>", "</script>"), ("<svg", "</svg>"), ("sha256-", "'")] {
        while let Some(from) = text.find(start) {
            let to = text[from..].find(end).map_or(text.len(), |length| from + length + end.len());
            text.replace_range(from..to, "▢");
        }
    }
    text
}

#[test]
fn a_small_page_reads_as_it_did() {
    let mut record = made_up::record(&[], STORY);
    record.mistakes.truncate(2);
    // The keys of a configuration are another crate's: the page must not change when one is added.
    record.config.retain(|key, _| ["encoding", "hidden", "learning_rate", "name", "seed"].contains(&key.as_str()));
    record.config.insert("hidden".to_owned(), json!([512, 256, 128]));
    record.config.insert("learning_rate".to_owned(), json!(0.1));
    record.config.insert("encoding".to_owned(), json!("ascii"));
    insta::assert_snapshot!(text_of(&report_html(&made_up::input(vec![record]))));
}

#[test]
fn headings_go_down_one_level_at_a_time_and_every_input_has_a_label() {
    let page = report_html(&made_up::input(made_up::depth_sweep()));
    let levels: Vec<u32> =
        page.match_indices("<h").filter_map(|(at, _)| page[at + 2..].chars().next()?.to_digit(10)).collect();
    assert_eq!(levels[0], 1);
    assert_eq!(levels.iter().filter(|&&level| level == 1).count(), 1);
    assert!(levels.windows(2).all(|pair| pair[1] <= pair[0] + 1), "{levels:?}");
    for input in ["<input", "<select"] {
        let n_labelled =
            ["Filter", "Status", "Metric"].map(|name| page.matches(&format!("<label>{name}{input}")).count());
        assert_eq!(n_labelled.iter().sum::<usize>(), page.matches(input).count());
    }
    assert_eq!(
        page.matches("<svg xmlns").count(),
        page.matches("role=\"img\" aria-label=\"").count() - page.matches("class=\"bits\"").count()
    );
}

#[test]
fn every_link_inside_the_page_has_its_target() {
    let page = report_html(&made_up::input(made_up::depth_sweep()));
    for link in page.split("href=\"#").skip(1) {
        let target = link.split('"').next().unwrap();
        assert!(page.contains(&format!("id=\"{target}\"")), "{target}");
    }
}

#[test]
fn the_data_of_the_table_hold_every_trial() {
    let page = report_html(&made_up::input(made_up::grid(200)));
    let json = page.split("id=\"trials-data\">").nth(1).unwrap().split("</script>").next().unwrap();
    let data: Value = serde_json::from_str(json).unwrap();
    assert_eq!(data["rows"].as_array().unwrap().len(), 200);
    let metrics = data["metrics"].as_array().unwrap();
    assert_eq!(metrics.len(), Metric::ALL.len());
    for metric in metrics {
        assert_eq!(metric["curves"]["compared"].as_array().unwrap().len(), 200, "{}", metric["title"]);
        assert!(page.contains(&format!(">{}</option>", metric["title"].as_str().unwrap())));
    }
    let n_columns = data["columns"].as_array().unwrap().len();
    assert!(data["rows"].as_array().unwrap().iter().all(|row| row.as_array().unwrap().len() == n_columns));
}

#[test]
fn a_thousand_trials_make_a_page_of_a_few_megabytes_and_no_more_than_four_times_the_work_of_250() {
    let report = |n_trials| {
        let input = made_up::input(made_up::grid(n_trials));
        counted(|| report_html(&input).len())
    };
    let ((n_few, few), (n_many, many)) = (report(250), report(1_000));
    assert!(n_many < 3_000_000, "{n_many} bytes");
    // Four times, and some more for sorting; the square would be sixteen times.
    assert!(n_many < 5 * n_few, "{n_many} bytes after {n_few}");
    assert!(many < 5 * few, "{many} allocations after {few}");
}

#[test]
fn conditions_on_columns_are_explained_with_names_that_the_table_has() {
    let page = report_html(&made_up::input(made_up::grid(40)));
    let json = page.split("id=\"trials-data\">").nth(1).unwrap().split("</script>").next().unwrap();
    let data: Value = serde_json::from_str(json).unwrap();
    let names: Vec<&str> =
        data["columns"].as_array().unwrap().iter().filter_map(|column| column["name"].as_str()).collect();
    let aliases: Vec<&str> =
        data["columns"].as_array().unwrap().iter().filter_map(|c| c["aliases"][0].as_str()).collect();
    let example = page.split("conditions such as <code>").nth(1).unwrap().split("</code>").next().unwrap();
    let conditions: Vec<&str> = example.split(' ').collect();
    assert_eq!(conditions.len(), 2, "{example}");
    for condition in conditions {
        let name = condition.split("&lt;").next().unwrap().split("&gt;").next().unwrap();
        assert!(names.contains(&name) || aliases.contains(&name), "{name} is none of {names:?} and {aliases:?}");
    }
}

#[test]
fn figures_come_before_the_table_of_the_comparison_and_say_their_values() {
    let page = report_html(&made_up::input(made_up::grid(40)));
    let comparison = page.split("<section id=\"comparison\">").nth(1).unwrap();
    assert!(comparison.find("<figure").unwrap() < comparison.find("<table").unwrap());
    for part in ["comparison", "effects", "epochs", "cost", "trials"] {
        let section =
            page.split(&format!("<section id=\"{part}\">")).nth(1).unwrap().split("</section>").next().unwrap();
        assert!(section.contains("<title>"), "{part}");
    }
}

#[test]
fn samples_that_are_no_images_are_not_called_pictures() {
    let mut record = made_up::record(&[], STORY);
    (record.data.height, record.data.width) = (0, 0);
    let mut records = made_up::grid(40);
    records.iter_mut().for_each(|record| (record.data.height, record.data.width) = (0, 0));
    for page in [report_html(&made_up::input(vec![record])), report_html(&made_up::input(records))] {
        // The metrics have their words elsewhere.
        let mut own = text_of(&page).split("<section id=\"words\">").next().unwrap().to_owned();
        Metric::ALL.iter().for_each(|metric| own = own.replace(metric.meaning(), ""));
        let place = own.find("picture").map(|at| &own[at.saturating_sub(80)..at + 20]);
        assert_eq!(place, None);
    }
}

#[test]
fn mistakes_show_the_picture_and_which_bit_is_wrong() {
    let record = made_up::record(&[], STORY);
    let mut input = made_up::input(vec![record.clone()]);
    assert!(report_html(&input).contains("The pictures themselves were not at hand"));
    input.images = made_up::images(&record);
    let page = report_html(&input);
    assert!(!page.contains("The pictures themselves were not at hand"));
    assert!(page.matches("<img src=\"data:image/png;base64,").count() == record.mistakes.len());
    assert!(page.contains("<span class=\"wrong\""));
}

/// Three trials: one lucky run beside a poor one, and a steady run of another configuration with the better mean.
fn lucky_and_steady() -> Vec<mlp_results::RunRecord> {
    let story = |accuracy, seed| Story { accuracy, seed, pace: 0.2, n_epochs: 3 };
    vec![
        made_up::record(&[("learning_rate", json!(0.5))], story(0.98, 0)),
        made_up::record(&[("learning_rate", json!(0.5))], story(0.50, 1)),
        made_up::record(&[("learning_rate", json!(0.1))], story(0.95, 0)),
    ]
}

#[test]
fn the_best_trial_is_the_same_one_everywhere() {
    let records = lucky_and_steady();
    let (best, other) = (records[0].trial.clone(), records[2].trial.clone());
    let mut input = made_up::input(records);
    let overview = Overview::new(&input.trials);
    assert_eq!(overview.best.unwrap().record.trial, best);
    assert_eq!(overview.cells[0].trials[0].record.trial, other);
    let figures = draw_all(&input, &overview);
    assert_eq!(figures.trials[0].trial.record.trial, best);
    assert_eq!(figures.trials[1].trial.record.trial, other);
    assert!(figures.trials[1].figures.iter().all(|figure| figure.name.starts_with("rank-1-")));
    input.images = made_up::images(&input.trials[0].record);
    let page = report_html(&input);
    let section = page.split("<h2>The best trial</h2>").nth(1).unwrap();
    assert!(section.lines().nth(1).unwrap().contains(&format!("Trial <code>{}</code>", &best[..12])));
    assert!(!page.contains("The pictures themselves were not at hand"));
}

#[test]
fn a_compared_mean_has_its_interval_beside_the_spread_of_single_runs() {
    let story = |accuracy, seed| Story { accuracy, seed, pace: 0.2, n_epochs: 3 };
    let records = vec![
        made_up::record(&[("learning_rate", json!(0.5))], story(0.97, 0)),
        made_up::record(&[("learning_rate", json!(0.5))], story(0.90, 1)),
        made_up::record(&[("learning_rate", json!(0.1))], story(0.95, 0)),
    ];
    let input = made_up::input(records);
    let overview = Overview::new(&input.trials);
    let cell = &overview.cells[1];
    let half_difference = (cell.scores[0] - cell.scores[1]).abs() / 2.0;
    // Of two scores, half their difference is the standard error, √2 times that the deviation, and t is 12.7.
    let interval = cell.interval().unwrap();
    assert!((interval.half_width - 12.706_204_736 * half_difference).abs() < 1e-9);
    assert!((cell.deviation().unwrap() - half_difference * 2f64.sqrt()).abs() < 1e-12);
    assert_eq!(overview.cells[0].interval(), None);
    let page = report_html(&input);
    // The formula's upper end lies above what an accuracy can be.
    assert!(page.contains("– 100.00 %</td>"));
    assert!(page.contains("95 % interval</th>") && page.contains("spread of single runs</th>"));
}

#[test]
fn the_page_says_that_the_best_of_many_test_scores_flatters_and_whether_there_is_a_validation_set() {
    let mut records = lucky_and_steady();
    let page = |records: &[mlp_results::RunRecord]| report_html(&made_up::input(records.to_vec()));
    assert!(page(&records).contains("The best of many test scores flatters"));
    assert!(page(&records).contains("means best on the test set"));
    for (index, unranked) in [Some("2 of 3 trials"), Some("1 of 3 trials"), None].into_iter().enumerate() {
        for epoch in &mut records[index].epochs {
            epoch.validation = epoch.test.clone();
        }
        let page = page(&records);
        assert!(page.contains("means best on the validation set") && page.contains("no say in the choice"));
        assert_eq!(page.contains("were not measured on a validation set"), unranked.is_some());
        assert!(page.contains(unranked.unwrap_or_default()), "{unranked:?}");
    }
    for epoch in records.iter_mut().flat_map(|record| &mut record.epochs) {
        epoch.test = None;
    }
    assert!(page(&records).contains("best on the validation set") && !page(&records).contains("no say in the choice"));
    for epoch in records.iter_mut().flat_map(|record| &mut record.epochs) {
        epoch.validation = None;
    }
    assert!(page(&records).contains("best on the training set"));
}
