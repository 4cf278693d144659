//! What all trials share: with the varied keys in the table, their whole configuration.

use std::collections::BTreeSet;

use askama::Template;
use mlp_results::{Overview, TrialResult, text};

use crate::markup::{render, shown};

/// How many settings are listed.
const N_LISTED: usize = 200;

#[derive(Template)]
#[template(path = "settings.html")]
struct Settings {
    are_shared: bool,
    settings: Vec<(String, String)>,
}

/// The section, where there is any trial.
pub(super) fn section(trials: &[TrialResult], overview: &Overview<'_>) -> Option<String> {
    let record = &trials.first()?.record;
    let varied: BTreeSet<&str> = overview.varied.iter().map(|key| key.key.as_str()).collect();
    let are_shared = trials.len() > 1;
    let shared = record.config.iter().filter(|(key, _)| {
        !varied.contains(key.as_str()) && (!are_shared || !["seed", "name"].contains(&key.as_str()))
    });
    let settings = shared.take(N_LISTED).map(|(key, value)| (shown(key), shown(&text::value(value))));
    Some(render(&Settings { are_shared, settings: settings.collect() }))
}
