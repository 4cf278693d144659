use std::time::{Duration, Instant};

use mlp_report::report_html;
use serde_json::{Value, json};

use crate::made_up::{self, Story};

const STORY: Story = Story { accuracy: 0.9, pace: 2.0, n_epochs: 3, seed: 0 };

/// The page without its style, script, figures and pictures, which have tests of their own.
fn text_of(page: &str) -> String {
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
        assert!(page.contains(&format!("<label>Filter{input}")) || page.contains(&format!("<label>Status{input}")));
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
    assert_eq!(data["sparks"].as_array().unwrap().len(), 200);
    let n_columns = data["columns"].as_array().unwrap().len();
    assert!(data["rows"].as_array().unwrap().iter().all(|row| row.as_array().unwrap().len() == n_columns));
}

#[test]
fn a_thousand_trials_make_a_page_of_a_few_megabytes_in_seconds() {
    let input = made_up::input(made_up::grid(1_000));
    let start = Instant::now();
    let page = report_html(&input);
    assert!(page.len() < 3_000_000, "{} bytes", page.len());
    // Generous: the machine may be busy.
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
}

#[test]
fn mistakes_show_the_picture_and_which_bit_is_wrong() {
    let record = made_up::record(&[], STORY);
    let mut input = made_up::input(vec![record.clone()]);
    assert!(report_html(&input).contains("The pictures themselves were not at hand"));
    input.pictures = made_up::pictures(&record);
    let page = report_html(&input);
    assert!(!page.contains("The pictures themselves were not at hand"));
    assert!(page.matches("<img src=\"data:image/png;base64,").count() == record.mistakes.len());
    assert!(page.contains("<span class=\"wrong\""));
}
