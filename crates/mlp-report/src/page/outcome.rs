//! What a trial reached, or how it ended.

use askama::Template;
use mlp_results::{Overview, TrialResult};

use crate::markup::shown;

/// What a trial reached, or how it ended.
#[derive(Template)]
#[template(path = "outcome.html")]
pub(super) struct Outcome {
    text: String,
    /// Whether it diverged or failed.
    is_trouble: bool,
}

impl Outcome {
    pub(super) fn new(overview: &Overview<'_>, trial: &TrialResult) -> Outcome {
        let ending = trial.ending();
        let is_trouble = ["diverged", "failed"].contains(&ending.as_str());
        let text = match (ending.as_str(), overview.score(trial)) {
            ("diverged" | "failed", _) => ending,
            ("finished", None) => "no finite result".to_owned(),
            (_, Some(score)) => {
                let (score, metric) = (overview.metric.format(score), overview.metric.title().to_lowercase());
                format!("{score} {metric} on the {} set", overview.set_name())
            }
            _ => format!("ended early ({})", shown(&ending)),
        };
        Outcome { text, is_trouble }
    }
}
