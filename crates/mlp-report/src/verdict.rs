//! Whether learning died in a trial that was examined while it trained.

use std::collections::BTreeMap;

use mlp_results::{Overview, RunRecord, Status, TrialResult, levels};
use mlp_train::{Background, Diagnosis, TrainConfig};

use crate::input::ReportInput;

/// What became of an examined trial, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Verdict {
    /// Its numbers grew beyond all bounds.
    Diverged,
    /// It learned nothing: a layer is at fault, or its answers are no better than a constant one's.
    Dead,
    /// It gives one answer to every sample, or hardly better ones than a constant answer, and no layer is at fault: as a rule
    /// it was not trained for long.
    Untrained,
    /// A layer is dead, and the others still learn.
    LostLayer,
    /// No layer is dead.
    Learns,
}

impl Verdict {
    /// Those that the page warns of.
    pub(crate) const TROUBLED: [Verdict; 4] =
        [Verdict::Diverged, Verdict::Dead, Verdict::Untrained, Verdict::LostLayer];

    /// Of the examined `trial`, which has no record as long as it runs.
    pub(crate) fn new(overview: &Overview<'_>, trial: Option<&TrialResult>, diagnosis: &Diagnosis) -> Verdict {
        let has_finding = diagnosis.finding().is_some();
        let is_trained = trial.and_then(|trial| overview.is_trained(overview.score(trial)?));
        // No better than a constant answer to its own data, whatever the others reached and whatever ranks them.
        let is_constant = trial.and_then(|trial| levels::accuracies(&trial.record));
        let is_constant = is_constant.is_some_and(|(reached, constant)| reached <= constant);
        let is_clear = trial.and_then(|trial| levels::is_clearly_learned(&trial.record)) != Some(false);
        let has_learned = !diagnosis.gives_one_answer() && is_trained != Some(false) && is_clear;
        match (has_learned, has_finding) {
            _ if trial.is_some_and(|trial| trial.record.status == Status::Diverged) => Verdict::Diverged,
            (false, has_finding) if has_finding || is_constant => Verdict::Dead,
            (false, _) => Verdict::Untrained,
            (true, true) => Verdict::LostLayer,
            (true, false) => Verdict::Learns,
        }
    }

    /// What became of a trial, in the words that the page uses wherever it counts such trials.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Verdict::Diverged => "diverged",
            Verdict::Dead => "did not learn",
            Verdict::Untrained => "hardly learned, with no layer dead",
            Verdict::LostLayer => "learned with a layer at fault",
            Verdict::Learns => "learned",
        }
    }

    /// Whether nothing was learned, or next to nothing.
    pub(crate) fn is_dead(self) -> bool {
        self <= Verdict::Untrained
    }
}

/// What was found, in plain words.
pub(crate) fn sentence(diagnosis: &Diagnosis, trial: Option<&TrialResult>) -> String {
    let has_diverged = trial.is_some_and(|trial| trial.record.status == Status::Diverged);
    let record = trial.map(|trial| &trial.record);
    let config = record.and_then(|record| TrainConfig::split_map(&record.config).ok()).map(|(config, _)| config);
    let background = record.map_or_else(Background::default, |record| levels::background(record, config.as_ref()));
    if let Some(of_divergence) = diagnosis.explain_divergence(&background).filter(|_| has_diverged) {
        return of_divergence;
    }
    let explained = diagnosis.explain(&background);
    match record.and_then(RunRecord::dropout_note) {
        Some(note) => format!("{explained} Dropout {note}"),
        None => explained,
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
