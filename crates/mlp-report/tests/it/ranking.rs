//! By which samples the page ranks trials, and of which it shows the scores.

use mlp_report::{ReportInput, report_html};
use mlp_results::RunRecord;
use serde_json::json;

use crate::made_up;
use crate::pages::text_of;

/// A finished run with these accuracies.
fn measured(rate: f64, validation: Option<f64>, test: f64) -> RunRecord {
    let mut record = made_up::scored(&[("learning_rate", json!(rate))], 0, test);
    for epoch in &mut record.epochs {
        epoch.validation = validation.map(|accuracy| {
            let mut metrics = epoch.train.clone();
            metrics.accuracy = Some(accuracy);
            metrics
        });
    }
    record
}

#[test]
fn the_page_ranks_by_validation_and_shows_the_test_set() {
    let records = [measured(0.1, Some(0.9512), 0.91), measured(0.3, Some(0.9401), 0.96), measured(0.5, None, 0.97)];
    let input = made_up::input(records.to_vec());
    let page = text_of(&report_html(&input));
    let tile =
        "<dt>Accuracy of the best on the test set</dt><dd>91.00 %<small>best by the validation set, 95.12 % there";
    assert!(page.contains(tile), "{page}");
    assert!(page.contains("means best on the validation set") && page.contains("no say in the choice"));
    assert!(page.contains("1 of 3 trials were not measured on a validation set"));
    assert!(
        page.contains("Not all can be the best.") && page.contains("1 of 3 trials have no validation samples"),
        "{page}"
    );
    let row = |place: &str| page.split(place).nth(1).unwrap().split("</tr>").next().unwrap().to_owned();
    assert!(row("no. 1</span>").contains("95.12 %</td><td><strong>91.00 %"), "{}", row("no. 1</span>"));
    assert!(row("no. 2</span>").contains("94.01 %</td><td><strong>96.00 %"));
    // What was not ranked has no rank.
    assert!(row("class=\"rank\">–</span>").contains("–</td><td><strong>97.00 %"));

    let by_test = ReportInput { by: "test.accuracy".parse().unwrap(), ..input };
    let page = text_of(&report_html(&by_test));
    assert!(
        page.contains("means best on the test set")
            && page.contains("<dt>Best accuracy on the test set</dt><dd>97.00 %")
    );
}

/// A longer list of rates and then a third seed: the configuration that the new decision stops has two seeds that finished before.
#[test]
fn a_configuration_that_halving_stops_now_stands_behind_those_that_came_to_the_end() {
    let rate = |rate: f64, seed, score| made_up::scored(&[("learning_rate", serde_json::json!(rate))], seed, score);
    let mut input = made_up::input(vec![
        rate(0.02, 0, 0.60),
        rate(0.02, 1, 0.61),
        rate(0.02, 2, 0.50),
        rate(0.03, 0, 0.62),
        rate(0.03, 1, 0.63),
    ]);
    let mut record = rate(0.03, 2, 0.4);
    record.status = mlp_results::Status::Failed;
    let stopped = serde_json::json!({ "trial": record.trial, "label": "", "epoch": 1, "value": 0.4, "rank": 2 });
    let configuration =
        |is_kept: bool| serde_json::json!({ "label": "", "mean": 0.5, "is_kept": is_kept, "trials": [] });
    input.halving = serde_json::from_value(serde_json::json!([{
        "epoch": 1, "metric": "validation.accuracy", "n_trials": 6, "n_kept": 3,
        "configurations": [configuration(true), configuration(false)], "stopped": [stopped],
    }]))
    .unwrap();
    input.trials.push(mlp_results::TrialResult { record, model: None, ending: Some("stopped".to_owned()) });
    let overview = mlp_results::Overview::new(&input.trials);
    let rates: Vec<&str> = overview.cells.iter().map(|cell| cell.label.as_str()).collect();
    assert_eq!(rates, ["0.02", "0.03"]);
    let page = mlp_report::report_html(&input);
    assert!(page.contains("Some seeds of 1 configuration that this comparison stops have a result all the same"));
    assert!(page.contains("its mean is over the other seeds alone") && !page.contains("no seed was chosen"));
}
