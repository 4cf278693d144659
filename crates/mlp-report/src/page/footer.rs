//! The foot of the page: where its numbers come from.

use std::collections::BTreeSet;

use askama::Template;
use mlp_results::{FOLDER_KEY, RunRecord, TrialResult, text};

use super::names::{distinct, joined};
use crate::markup::{render, shown};

/// How many sizes of data sets are named.
const N_SIZES: usize = 3;

#[derive(Template)]
#[template(path = "footer.html")]
struct Footer {
    data: String,
    sizes: String,
    sha256: String,
    kernel: String,
    version: String,
    /// Whether trials of several folders are compared.
    is_comparison: bool,
}

/// The foot of the page.
pub(super) fn footer(trials: &[TrialResult]) -> String {
    let list = |text: fn(&RunRecord) -> &str| {
        let texts = distinct(trials, |record| Some(text(record)));
        if texts.is_empty() { "–".to_owned() } else { shown(&joined(&texts)) }
    };
    render(&Footer {
        data: list(|record| &record.data.name),
        sizes: sizes(trials),
        sha256: list(|record| &record.data.sha256),
        kernel: list(|record| &record.kernel),
        version: list(|record| &record.runtime.version),
        is_comparison: trials.iter().any(|trial| trial.record.config.contains_key(FOLDER_KEY)),
    })
}

fn sizes(trials: &[TrialResult]) -> String {
    let sizes: BTreeSet<(usize, usize)> =
        trials.iter().map(|trial| (trial.record.data.train, trial.record.data.test)).collect();
    let thousands = |count: &usize| text::thousands(*count as u64);
    let sizes = sizes
        .iter()
        .take(N_SIZES)
        .map(|(train, test)| format!("{} training and {} test samples", thousands(train), thousands(test)));
    let sizes: Vec<String> = sizes.collect();
    if sizes.is_empty() { "–".to_owned() } else { sizes.join("; ") }
}
