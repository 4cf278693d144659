//! Trials one by one: the best in full, the best of other configurations in brief.

use askama::Template;
use mlp_results::text::{self, counted};
use mlp_results::{Overview, TrialResult};

use super::classes::Classes;
use super::diagnosis::DiagnosisPart;
use super::figure_list::FigureList;
use super::mistakes::Mistakes;
use super::outcome::Outcome;
use crate::figures::{Figures, TrialFigures};
use crate::input::ReportInput;
use crate::markup::{render, shown};

#[derive(Template)]
#[template(path = "trials.html")]
struct Trials<'a> {
    heading: &'static str,
    first: Shown<'a>,
    /// `; the weights of epoch 3 were kept`, where these are not the last.
    kept: String,
    /// The start of the identity of the first.
    trial: String,
    /// `, seed 3`.
    seed: String,
    classes: Option<Classes>,
    mistakes: Option<Mistakes>,
    others: Vec<Shown<'a>>,
    others_heading: &'static str,
    /// `3 more configurations`, where there are more.
    n_left: Option<String>,
}

/// A trial with its figures.
struct Shown<'a> {
    label: String,
    outcome: Outcome,
    figures: FigureList<'a>,
    diagnosis: Option<DiagnosisPart<'a>>,
}

/// The section, where there is any trial.
pub(super) fn section(input: &ReportInput, overview: &Overview<'_>, figures: &Figures<'_>) -> Option<String> {
    let (first, others) = figures.trials.split_first()?;
    let record = &first.trial.record;
    let seed = record.config.get("seed").map(|seed| format!(", seed {}", shown(&text::value(seed))));
    let n_left = overview.cells.len().saturating_sub(figures.trials.len());
    Some(render(&Trials {
        heading: match overview.best {
            _ if input.trials.len() == 1 => "The trial",
            Some(_) => "The best trial",
            None if !overview.is_comparable() => "One of the trials",
            None => "A trial without a result",
        },
        first: Shown::new(overview, first),
        kept: kept(first.trial),
        trial: shown(&text::trial(&record.trial)),
        seed: seed.unwrap_or_default(),
        classes: Classes::new(record),
        mistakes: Mistakes::new(record, &input.images),
        others_heading: if overview.is_comparable() {
            "The best trial of other configurations"
        } else {
            "One trial of each other configuration"
        },
        others: others.iter().map(|other| Shown::new(overview, other)).collect(),
        n_left: (n_left > 0).then(|| counted(n_left, "more configuration")),
    }))
}

impl<'a> Shown<'a> {
    fn new(overview: &Overview<'_>, shown_trial: &'a TrialFigures<'_>) -> Shown<'a> {
        Shown {
            label: shown(&shown_trial.label),
            outcome: Outcome::new(overview, shown_trial.trial),
            figures: FigureList { figures: &shown_trial.figures },
            diagnosis: shown_trial.diagnosis.as_ref().map(DiagnosisPart::new),
        }
    }
}

fn kept(trial: &TrialResult) -> String {
    let record = &trial.record;
    match record.epochs.last() {
        Some(last) if last.epoch > record.best_epoch && trial.ending() == "finished" => {
            format!("; the weights of epoch {} were kept", record.best_epoch)
        }
        _ => String::new(),
    }
}
