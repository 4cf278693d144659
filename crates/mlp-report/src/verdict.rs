//! Whether learning died in a trial that was examined while it trained.

use std::collections::BTreeMap;

use mlp_results::{Overview, Status, TrialResult};
use mlp_train::Diagnosis;

use crate::input::ReportInput;

/// What became of an examined trial, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Verdict {
    /// Its numbers grew beyond all bounds.
    Diverged,
    /// It learned nothing, and a layer is at fault.
    Dead,
    /// It gives one answer to every sample, or no better ones than a constant answer, and no layer is at fault: as a rule it
    /// was not trained for long.
    Untrained,
    /// A layer is dead, and the others still learn.
    LostLayer,
    /// No layer is dead.
    Learns,
}

impl Verdict {
    /// Of the examined `trial`, which has no record as long as it runs.
    pub(crate) fn new(overview: &Overview<'_>, trial: Option<&TrialResult>, diagnosis: &Diagnosis) -> Verdict {
        let has_finding = diagnosis.finding().is_some();
        let is_trained = trial.and_then(|trial| overview.is_trained(overview.score(trial)?));
        let has_learned = !diagnosis.gives_one_answer() && is_trained != Some(false);
        match (has_learned, has_finding) {
            _ if trial.is_some_and(|trial| trial.record.status == Status::Diverged) => Verdict::Diverged,
            (false, true) => Verdict::Dead,
            (false, false) => Verdict::Untrained,
            (true, true) => Verdict::LostLayer,
            (true, false) => Verdict::Learns,
        }
    }

    /// Whether nothing was learned.
    pub(crate) fn is_dead(self) -> bool {
        self <= Verdict::Untrained
    }
}

/// What was found, in plain words. Of a network that diverged with all its layers alive, the diagnosis sees nothing but how it
/// stood before, and what would help such a network would not help this one.
pub(crate) fn sentence(diagnosis: &Diagnosis, trial: Option<&TrialResult>) -> String {
    let has_diverged = trial.is_some_and(|trial| trial.record.status == Status::Diverged);
    match diagnosis.epochs.last() {
        Some(last) if has_diverged && diagnosis.finding().is_none() => format!(
            "No layer was dead at epoch {}, the last one before the numbers grew beyond all bounds. Try a smaller \
             learning_rate.",
            last.epoch
        ),
        _ => match trial.and_then(|trial| trial.record.dropout_note()) {
            Some(note) => format!("{} Dropout {note}", diagnosis.sentence()),
            None => diagnosis.sentence(),
        },
    }
}

/// Sorts diagnoses by what became of their trials; among equals the order stays.
pub(crate) fn worst_first(diagnoses: &mut [&Diagnosis], input: &ReportInput, overview: &Overview<'_>) {
    let trials: BTreeMap<&str, &TrialResult> =
        input.trials.iter().map(|trial| (trial.record.trial.as_str(), trial)).collect();
    diagnoses.sort_by_cached_key(|diagnosis| {
        Verdict::new(overview, trials.get(diagnosis.trial.as_str()).copied(), diagnosis)
    });
}
