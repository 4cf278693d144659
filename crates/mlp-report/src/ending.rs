//! How a trial ended, in one word.
//!
//! A record may come from a newer version of the program and name an ending that this one does not know, such as that of
//! a trial stopped early because others were ahead. Such a trial is shown with its word and its curve; but it did not
//! come to its end, so it never counts as a result.

use crate::{Trial, text};

/// The endings that every version knows: all others mean that a trial was ended before its time.
const KNOWN: [&str; 3] = ["finished", "diverged", "failed"];

/// Longer words are cut.
const MAX_CHARACTERS: usize = 40;

/// How `trial` ended, in the word of its record.
pub(crate) fn ending(trial: &Trial) -> String {
    let known = || match serde_json::to_value(trial.record.status) {
        Ok(serde_json::Value::String(word)) => word,
        _ => "unknown".to_owned(),
    };
    trial.ending.as_deref().map_or_else(known, |word| text::clean(word, MAX_CHARACTERS))
}

/// Whether `trial` was stopped before its end without having diverged or failed.
pub(crate) fn was_stopped(trial: &Trial) -> bool {
    !KNOWN.contains(&ending(trial).as_str())
}

/// The distinct endings of `trials`, the known ones first.
pub(crate) fn endings<'a>(trials: impl Iterator<Item = &'a Trial>) -> Vec<String> {
    let words: std::collections::BTreeSet<String> = trials.map(ending).collect();
    let known = KNOWN.iter().filter(|word| words.contains(**word)).map(|word| (*word).to_owned());
    let others = words.iter().filter(|word| !KNOWN.contains(&word.as_str())).cloned();
    known.chain(others).collect()
}
