//! What is thrown at a report, and what must come out: always a page that says what is wrong.

use mlp_report::{ReportInput, report_html};
use mlp_results::Status;
use mlp_train::EpochMetrics;
use serde_json::json;

use crate::made_up::{self, Story};
use crate::work::counted;

const STORY: Story = Story { accuracy: 0.9, pace: 2.0, n_epochs: 5, seed: 0 };

#[test]
fn no_trials_make_a_page_that_says_so() {
    let page = report_html(&ReportInput::default());
    assert!(page.contains("There is no trial to show."));
    assert!(!page.contains("NaN"));
}

#[test]
fn a_run_of_one_epoch_is_drawn_as_points() {
    let mut record = made_up::record(&[], STORY);
    record.epochs.truncate(1);
    record.best_epoch = 0;
    let page = report_html(&made_up::input(vec![record]));
    assert!(page.contains("<circle"));
    assert!(!page.contains("NaN"));
}

#[test]
fn a_record_of_nothing_but_nan_is_shown_without_a_number() {
    let mut record = made_up::record(&[], STORY);
    for epoch in &mut record.epochs {
        let metrics = EpochMetrics {
            loss: f64::NAN,
            mae: f64::INFINITY,
            rmse: f64::NEG_INFINITY,
            bit_accuracy: Some(f64::NAN),
            accuracy: Some(f64::NAN),
            exact_accuracy: Some(f64::NAN),
            nearest_accuracy: None,
            invalid_rate: Some(f64::NAN),
        };
        epoch.train = metrics.clone();
        epoch.test = Some(metrics);
    }
    let page = report_html(&made_up::input(vec![record.clone(), record]));
    assert!(page.contains("no trial finished with a finite result"));
    assert!(!page.contains("NaN") && !page.contains("inf,"));
}

#[test]
fn extreme_numbers_break_no_figure() {
    for value in [1e308, -1e308, 5e-324, 0.0, -0.0] {
        let mut record = made_up::record(&[], STORY);
        for epoch in &mut record.epochs {
            epoch.train.loss = value;
            epoch.train.rmse = -value;
        }
        let page = report_html(&made_up::input(vec![record]));
        assert!(!page.contains("NaN"), "{value}");
    }
}

#[test]
fn a_diverged_run_says_where_and_is_left_out_of_means() {
    let records = vec![
        made_up::record(&[("learning_rate", json!(0.1))], STORY),
        made_up::diverged(&[("learning_rate", json!(100.0))], Story { n_epochs: 2, ..STORY }),
    ];
    let page = report_html(&made_up::input(records));
    assert!(page.contains("1 trial diverged."));
    assert!(page.contains("in epoch 3, batch 17, layer 3 of "));
    assert!(page.contains("0 of 1, <span class=\"status diverged\">1 diverged</span>"));
}

#[test]
fn only_diverged_runs_still_make_a_page() {
    let record = made_up::diverged(&[], Story { n_epochs: 0, ..STORY });
    let page = report_html(&made_up::input(vec![record]));
    assert!(page.contains("1 trial diverged."));
    assert!(page.contains("no trial finished with a finite result"));
}

#[test]
fn a_failed_trial_shows_its_error() {
    let page = report_html(&made_up::input(vec![made_up::failed(&[], "out of <memory>")]));
    assert!(page.contains("out of &lt;memory&gt;"));
}

#[test]
fn synthetic_data_are_announced() {
    let mut record = made_up::record(&[], STORY);
    assert!(!report_html(&made_up::input(vec![record.clone()])).contains("Synthetic data."));
    record.data.synthetic = true;
    let page = report_html(&made_up::input(vec![record]));
    assert!(page.contains("Synthetic data.") && page.contains("drawn by the program, not on handwriting"));
}

#[test]
fn contradictory_records_break_nothing() {
    let mut record = made_up::record(&[("encoding", json!(7))], STORY);
    record.confusion = Some(vec![vec![u64::MAX; 3], vec![], vec![u64::MAX]]);
    record.data.classes = vec!["a".to_owned(), "b".to_owned()];
    record.best_epoch = 1_000_000;
    record.status = Status::Finished;
    record.mistakes[0].outputs = vec![f64::NAN; 40];
    record.mistakes[1].outputs = vec![f64::INFINITY, -3.0];
    record.layers = Vec::new();
    let mut ascii = record.clone();
    ascii.config.insert("encoding".to_owned(), json!("ascii"));
    ascii.confusion = Some(vec![vec![u64::MAX, 1, 0], vec![0, u64::MAX, 0]]);
    let page = report_html(&made_up::input(vec![record, ascii]));
    assert!(!page.contains("NaN"));
}

#[test]
fn trials_without_labels_are_compared_by_their_error() {
    let unlabelled = |seed| {
        let mut record = made_up::record(&[], Story { seed, ..STORY });
        record.confusion = None;
        record.mistakes = Vec::new();
        record.data.classes = Vec::new();
        for epoch in &mut record.epochs {
            for metrics in [Some(&mut epoch.train), epoch.test.as_mut()].into_iter().flatten() {
                *metrics = EpochMetrics {
                    loss: metrics.loss,
                    mae: metrics.mae,
                    rmse: metrics.rmse,
                    ..EpochMetrics::default()
                };
            }
        }
        record
    };
    let page = report_html(&made_up::input(vec![unlabelled(0), unlabelled(1)]));
    assert!(page.contains("Best mean absolute error on the test set"));
    assert!(!page.contains("Confusion matrix, test set"));
}

#[test]
fn a_hundred_thousand_trials_make_a_page_that_is_cut_with_a_note() {
    let template = {
        let mut record = made_up::record(&[], Story { n_epochs: 1, ..STORY });
        record.mistakes = Vec::new();
        record.config.retain(|key, _| ["seed", "encoding", "learning_rate", "name"].contains(&key.as_str()));
        record
    };
    let mut records = vec![template; 100_000];
    for (index, record) in records.iter_mut().enumerate() {
        record.trial = format!("{index:032x}");
        record.config.insert("seed".to_owned(), json!(index % 10));
        record.config.insert("learning_rate".to_owned(), json!((index / 10) as f64 / 1e4));
    }
    let page = report_html(&made_up::input(records.clone()));
    assert!(page.contains("Only the 5,000 best of 100,000 trials are in this table"));
    assert!(page.len() < 8_000_000, "{} bytes", page.len());

    // The same with as many distinct values, each of them a table.
    for (index, record) in records.iter_mut().enumerate() {
        let optimizer = json!({ "name": "momentum", "momentum": index as f64 / 1e5 });
        record.config.insert("optimizer".to_owned(), optimizer);
    }
    let few = made_up::input(records[..25_000].to_vec());
    let (_, n_few) = counted(|| report_html(&few));
    let input = made_up::input(records);
    let (page, n_many) = counted(|| report_html(&input));
    assert!(page.contains("Only the 5,000 best of 100,000 trials are in this table"));
    assert!(page.len() < 8_000_000, "{} bytes", page.len());
    // Four times as many trials are four times the work, and some more for sorting. Comparing every table with every other
    // would be sixteen times.
    assert!(n_many < 6 * n_few, "{n_many} allocations after {n_few}");
}
