//! Models that should lie beside their records.

use std::collections::BTreeMap;
use std::fs;

use mlp_results::{RunFolder, RunRecord};

use crate::event::{Event, Observer, Warning};

/// Says which models are gone or cut off: the records stand without them, and their trials do not run again.
pub(crate) fn warn_of_lost(folder: &RunFolder, records: &BTreeMap<String, RunRecord>, observer: &dyn Observer) {
    let lost: Vec<&RunRecord> = records.values().filter(|record| is_lost(folder, record)).collect();
    let Some(first) = lost.first() else { return };
    let models = folder.models();
    let place = match lost.len() {
        1 => format!("{}: the model is", folder.model(&first.trial).display()),
        n => format!("{}: {n} models, such as that of trial {}, are", models.display(), first.trial),
    };
    let record = folder.record(&first.trial);
    let remedy = format!("a trial is trained again once its record is gone, too, such as {}", record.display());
    observer.notify(Event::Warning(&Warning::new(format!("{place} gone or cut off")).with_remedy(remedy)));
}

/// Whether a trial has weights, and its file is not there or too short to hold them.
fn is_lost(folder: &RunFolder, record: &RunRecord) -> bool {
    let n_bytes = match record.config.get("precision").and_then(|precision| precision.as_str()) {
        Some("f64") => 8,
        _ => 4,
    };
    let length = fs::metadata(folder.model(&record.trial)).map_or(0, |file| file.len());
    record.weights_sha256.is_some() && length < record.parameters as u64 * n_bytes
}
