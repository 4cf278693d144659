//! What a diagnosis comes to, above its maps: in the section of the trial, or in one of their own.

use askama::Template;
use mlp_results::Overview;
use mlp_results::text::{self, counted};

use super::figure_list::FigureList;
use super::trial_name::TrialName;
use crate::figures::{Diagnosed, Figures};
use crate::input::ReportInput;
use crate::markup::render;

/// How long a sentence may be.
const N_CHARACTERS: usize = 1000;

/// The diagnosis of the trial whose section this is.
#[derive(Template)]
#[template(path = "diagnosis.html")]
pub(super) struct DiagnosisPart<'a> {
    sentence: String,
    measured_with: String,
    figures: FigureList<'a>,
}

/// The diagnoses of trials without a section.
#[derive(Template)]
#[template(path = "diagnoses.html")]
struct Diagnoses<'a> {
    diagnoses: Vec<Line<'a>>,
    /// `3 more trials`, where there are more.
    n_left: Option<String>,
}

struct Line<'a> {
    trial: TrialName,
    sentence: String,
    measured_with: String,
    /// Where its maps are drawn.
    figures: Option<FigureList<'a>>,
}

impl<'a> DiagnosisPart<'a> {
    pub(super) fn new(diagnosed: &'a Diagnosed) -> Self {
        DiagnosisPart {
            sentence: sentence(diagnosed),
            measured_with: measured_with(diagnosed),
            figures: FigureList { figures: &diagnosed.figures },
        }
    }
}

/// The section, where there are diagnoses of trials that are not shown one by one.
pub(super) fn section(input: &ReportInput, overview: &Overview<'_>, figures: &Figures<'_>) -> Option<String> {
    if figures.diagnoses.is_empty() {
        return None;
    }
    let line = |diagnosed| Line::new(input, overview, diagnosed);
    let n_left = figures.n_diagnoses_left;
    Some(render(&Diagnoses {
        diagnoses: figures.diagnoses.iter().map(line).collect(),
        n_left: (n_left > 0).then(|| counted(n_left, "more trial")),
    }))
}

impl<'a> Line<'a> {
    fn new(input: &ReportInput, overview: &Overview<'_>, diagnosed: &'a Diagnosed) -> Line<'a> {
        let list = FigureList { figures: &diagnosed.figures };
        Line {
            trial: TrialName::of_identity(input, overview, &diagnosed.trial),
            sentence: sentence(diagnosed),
            measured_with: measured_with(diagnosed),
            figures: (!diagnosed.figures.is_empty()).then_some(list),
        }
    }
}

fn sentence(diagnosed: &Diagnosed) -> String {
    text::clean(&diagnosed.sentence, N_CHARACTERS)
}

fn measured_with(diagnosed: &Diagnosed) -> String {
    format!(
        "Measured on {}, taken evenly from the whole set, before training and after each epoch. Layers are counted from 1 \
         here, the one next to the inputs first.",
        counted(diagnosed.n_samples, "training sample")
    )
}
