//! Which figures a report has: the choice is made here, the drawing elsewhere.

mod comparing;
mod settings;
mod trial;

use std::collections::BTreeMap;

use mlp_results::{Cell, Overview, TrialResult};
use mlp_train::Diagnosis;

use crate::diagnosis::diagnosis_maps;
use crate::effects::{Effects, effects};
use crate::figure::{ReportFigure, file_name};
use crate::input::ReportInput;
use crate::robustness::{disturbances, robustness};
use crate::verdict::{self, worst_first};

/// How many configurations are shown one by one, the best trial of each.
pub const N_DETAILED: usize = 8;
/// How many diagnoses of trials that are not shown one by one have their maps drawn.
pub const N_DIAGNOSED: usize = 8;
/// How many of them are told in a sentence.
const N_SENTENCES: usize = 100;

/// The figures of one trial.
#[derive(Clone, Debug, PartialEq)]
pub struct TrialFigures<'a> {
    /// The trial.
    pub trial: &'a TrialResult,
    /// Its configuration, as far as it varies.
    pub label: String,
    /// Its curves, confusion matrix and weights.
    pub figures: Vec<ReportFigure>,
    /// What went on inside, if it was examined.
    pub diagnosis: Option<Diagnosed>,
}

/// A trial that was examined while it trained.
#[derive(Clone, Debug, PartialEq)]
pub struct Diagnosed {
    /// Its identity.
    pub trial: String,
    /// How many samples it was examined with.
    pub n_samples: usize,
    /// Where learning died and why, or that it did not.
    pub sentence: String,
    /// Its maps, layers by epochs.
    pub figures: Vec<ReportFigure>,
}

/// All figures of a report.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figures<'a> {
    /// Configurations beside each other.
    pub comparison: Vec<ReportFigure>,
    /// What each setting does.
    pub settings: Vec<ReportFigure>,
    /// Configurations by epoch.
    pub epochs: Vec<ReportFigure>,
    /// Score against seconds.
    pub cost: Vec<ReportFigure>,
    /// The numbers behind [`Figures::settings`].
    pub effects: Effects,
    /// Trials one by one: [`Overview::best`], then the best of each other configuration.
    pub trials: Vec<TrialFigures<'a>>,
    /// Accuracy on disturbed images.
    pub robustness: Vec<ReportFigure>,
    /// Examined trials that are not among [`Figures::trials`], those in which learning died first.
    pub diagnoses: Vec<Diagnosed>,
    /// How many more of these there are.
    pub n_diagnoses_left: usize,
    /// Models that could not be used, and why.
    pub warnings: Vec<String>,
}

impl Figures<'_> {
    /// Every figure, in the order of the page.
    pub fn all(&self) -> impl Iterator<Item = &ReportFigure> {
        let shown = self.trials.iter().flat_map(|trial| &trial.figures);
        let diagnosed = self.trials.iter().flat_map(|trial| &trial.diagnosis).chain(&self.diagnoses);
        let sections = [&self.comparison, &self.settings, &self.epochs, &self.cost];
        let sections = sections.into_iter().flatten();
        sections.chain(shown).chain(diagnosed.flat_map(|diagnosed| &diagnosed.figures)).chain(&self.robustness)
    }
}

/// Draws all figures of `input`.
pub fn draw_all<'a>(input: &ReportInput, overview: &Overview<'a>) -> Figures<'a> {
    let mut figures = Figures { robustness: disturbed(input, overview), ..Figures::default() };
    // Numbers of different kinds, or of different samples, on one axis or in one mean would say something that is not so.
    if overview.test_sets.len() < 2 {
        figures.epochs = comparing::epochs(overview);
    }
    if overview.is_comparable() {
        let effects = effects(overview);
        figures.comparison = comparing::comparison(overview, &effects);
        figures.settings = settings::settings(overview, &effects);
        figures.cost = comparing::costs(overview);
        figures.effects = effects;
    }
    add_trials(&mut figures, input, overview);
    figures
}

/// Adds the trials that are shown one by one, and the diagnoses of others.
fn add_trials<'a>(figures: &mut Figures<'a>, input: &ReportInput, overview: &Overview<'a>) {
    let mut diagnoses: BTreeMap<&str, &Diagnosis> =
        input.diagnoses.iter().map(|diagnosis| (diagnosis.trial.as_str(), diagnosis)).collect();
    for (place, (rank, cell)) in in_order_of_showing(overview).take(N_DETAILED).enumerate() {
        let Some(trial) = overview.best_of(cell) else { continue };
        let is_brief = place > 0;
        let place = match overview.best {
            Some(_) if !is_brief => "best".to_owned(),
            Some(_) => format!("rank-{}", rank + 1),
            None => format!("shown-{}", rank + 1),
        };
        let drawn = trial::trial_figures(trial, &place, is_brief, &mut figures.warnings);
        let diagnosis = diagnoses.remove(trial.record.trial.as_str());
        let diagnosis = diagnosis.map(|diagnosis| diagnosed(diagnosis, Some(trial), Some(&place)));
        figures.trials.push(TrialFigures { trial, label: overview.named_in_full(cell), figures: drawn, diagnosis });
    }
    let mut diagnoses: Vec<&Diagnosis> = diagnoses.into_values().collect();
    worst_first(&mut diagnoses, input, overview);
    figures.n_diagnoses_left = diagnoses.len().saturating_sub(N_SENTENCES);
    for (index, diagnosis) in diagnoses.into_iter().take(N_SENTENCES).enumerate() {
        let place = (index < N_DIAGNOSED).then(|| format!("other-{}", index + 1));
        let trial = input.trials.iter().find(|trial| trial.record.trial == diagnosis.trial);
        figures.diagnoses.push(diagnosed(diagnosis, trial, place.as_deref()));
    }
}

/// A figure for each disturbance that was measured.
fn disturbed(input: &ReportInput, overview: &Overview<'_>) -> Vec<ReportFigure> {
    let figure = |disturbance: &str| {
        ReportFigure {
        name: format!("robustness-{}", file_name(disturbance)),
        svg: robustness(overview, &input.robustness, disturbance),
        caption: "The left end is the accuracy on clean pictures; the band reaches from the lowest to the highest seed. A \
                  line that starts low and stays flat is not robust but blind: compare with the dashed level of the best \
                  constant answer."
            .to_owned(),
    }
    };
    disturbances(&input.robustness).into_iter().map(figure).collect()
}

/// The configurations with their ranks by mean: first that of the best trial, whatever its rank, then the others.
fn in_order_of_showing<'o, 'a>(overview: &'o Overview<'a>) -> impl Iterator<Item = (usize, &'o Cell<'a>)> {
    let first = overview.cells.iter().position(|cell| cell.holds(overview.best)).unwrap_or(0);
    let ranked = || overview.cells.iter().enumerate();
    ranked().skip(first).take(1).chain(ranked().filter(move |(rank, _)| *rank != first))
}

/// What is shown of a diagnosis; without a place, no maps.
fn diagnosed(diagnosis: &Diagnosis, trial: Option<&TrialResult>, place: Option<&str>) -> Diagnosed {
    Diagnosed {
        trial: diagnosis.trial.clone(),
        n_samples: diagnosis.n_samples,
        sentence: verdict::sentence(diagnosis, trial),
        figures: place.map_or(Vec::new(), |place| diagnosis_maps(diagnosis, place)),
    }
}
