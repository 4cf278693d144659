//! What the report is called, and names in a row.

use std::collections::BTreeSet;

use mlp_results::{RunRecord, TrialResult, text};
use serde_json::Value;

use crate::input::ReportInput;
use crate::markup::shown;

/// The title of the page: the name of the sweep or of its trials, and the data.
pub(super) fn title(input: &ReportInput) -> String {
    let trials = &input.trials;
    let names = match &input.name {
        Some(name) => vec![name.as_str()],
        None => distinct(trials, |record| record.config.get("name").and_then(Value::as_str)),
    };
    let data = distinct(trials, |record| Some(record.data.name.as_str()));
    shown(&match (names.is_empty(), data.is_empty()) {
        (true, true) => "Report without trials".to_owned(),
        (true, false) => format!("Trials on {}", joined(&data)),
        (false, true) => joined(&names),
        (false, false) => format!("{} on {}", joined(&names), joined(&data)),
    })
}

/// The texts of all trials that are not empty, each once, by name.
pub(super) fn distinct<'a>(trials: &'a [TrialResult], text: impl Fn(&'a RunRecord) -> Option<&'a str>) -> Vec<&'a str> {
    let texts: BTreeSet<&str> =
        trials.iter().filter_map(|trial| text(&trial.record)).filter(|text| !text.is_empty()).collect();
    texts.into_iter().collect()
}

/// At most three names in a row.
pub(super) fn joined(names: &[&str]) -> String {
    let first: Vec<String> = names.iter().take(3).map(|name| text::shorten(name, 60)).collect();
    let rest = if names.len() > 3 { format!(" and {} more", names.len() - 3) } else { String::new() };
    format!("{}{rest}", first.join(", "))
}
