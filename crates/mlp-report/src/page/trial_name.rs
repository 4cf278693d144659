//! How a trial is named in a list.

use askama::Template;
use mlp_results::{Overview, TrialResult, text};

use crate::input::ReportInput;
use crate::markup::shown;

/// The start of a trial's identity, its configuration as far as it varies, and its seed.
#[derive(Template)]
#[template(path = "trial_name.html")]
pub(super) struct TrialName {
    trial: String,
    settings: String,
}

impl TrialName {
    /// Of a trial in the overview.
    pub(super) fn new(overview: &Overview<'_>, trial: &TrialResult) -> TrialName {
        let cell = overview.cells.iter().find(|cell| cell.holds(Some(trial)));
        let mut settings: Vec<String> =
            cell.iter().map(|cell| shown(&overview.named_in_full(cell))).filter(|label| !label.is_empty()).collect();
        settings.extend(trial.record.config.get("seed").map(|seed| format!("seed {}", shown(&text::value(seed)))));
        TrialName { trial: shown(&text::trial(&trial.record.trial)), settings: settings.join(", ") }
    }

    /// Of the trial with this identity; where there is no such trial, as long as it runs, only the start of it.
    pub(super) fn of_identity(input: &ReportInput, overview: &Overview<'_>, identity: &str) -> TrialName {
        match input.trials.iter().find(|trial| trial.record.trial == identity) {
            Some(trial) => TrialName::new(overview, trial),
            None => TrialName { trial: shown(&text::trial(identity)), settings: String::new() },
        }
    }
}
