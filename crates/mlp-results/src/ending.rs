//! A trial as it was found, and how it ended, in one word.
//!
//! A record may come from a newer version of the program and name an ending that this one does not know, such as that of
//! a trial stopped early because others were ahead. Such a trial is shown with its word and its curve; but it did not
//! come to its end, so it never counts as a result.

use std::path::PathBuf;

use crate::record::RunRecord;
use crate::text;

/// A record and, where it was kept, the trained network.
#[derive(Clone, Debug, PartialEq)]
pub struct TrialResult {
    /// What was measured.
    pub record: RunRecord,
    /// The model file that belongs to it.
    pub model: Option<PathBuf>,
    /// How the trial ended, where this version does not know the record's word for it, which then says `failed`. Such a
    /// trial is shown and never counts as a result.
    pub ending: Option<String>,
}

impl TrialResult {
    /// How the trial ended, in the word of its record.
    pub fn ending(&self) -> String {
        let known = || match serde_json::to_value(self.record.status) {
            Ok(serde_json::Value::String(word)) => word,
            _ => "unknown".to_owned(),
        };
        self.ending.as_deref().map_or_else(known, |word| text::clean(word, MAX_CHARACTERS))
    }

    /// Whether the trial was stopped before its end without having diverged or failed.
    pub fn was_stopped(&self) -> bool {
        !KNOWN.contains(&self.ending().as_str())
    }
}

/// A record alone, without its model.
impl From<RunRecord> for TrialResult {
    fn from(record: RunRecord) -> TrialResult {
        TrialResult { record, model: None, ending: None }
    }
}

/// The endings that every version knows: all others mean that a trial was ended before its time.
const KNOWN: [&str; 3] = ["finished", "diverged", "failed"];

/// Longer words are cut.
const MAX_CHARACTERS: usize = 40;

/// The distinct endings of `trials`, the known ones first.
pub fn endings<'a>(trials: impl Iterator<Item = &'a TrialResult>) -> Vec<String> {
    let words: std::collections::BTreeSet<String> = trials.map(TrialResult::ending).collect();
    let known = KNOWN.iter().filter(|word| words.contains(**word)).map(|word| (*word).to_owned());
    let others = words.iter().filter(|word| !KNOWN.contains(&word.as_str())).cloned();
    known.chain(others).collect()
}
