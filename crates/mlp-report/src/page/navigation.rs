//! The links to the sections.

use askama::Template;

use super::{diagnosis, halving};
use crate::figures::Figures;
use crate::input::ReportInput;
use crate::markup::render;

#[derive(Template)]
#[template(path = "navigation.html")]
struct Navigation {
    /// The targets with their names.
    sections: Vec<(&'static str, &'static str)>,
}

/// Links to the sections that the page has.
pub(super) fn navigation(input: &ReportInput, figures: &Figures<'_>) -> String {
    let has_trials = !input.trials.is_empty();
    let trials = if figures.trials.len() > 1 { "Trials one by one" } else { "The trial" };
    let sections = [
        ("diagnosis", "Where learning died", diagnosis::is_present(input)),
        ("comparison", "Comparison", !figures.comparison.is_empty()),
        ("effects", "Effect of each setting", !figures.effects.keys.is_empty()),
        ("epochs", "By epoch", !figures.epochs.is_empty()),
        ("cost", "Cost", !figures.cost.is_empty()),
        ("trials", trials, !figures.trials.is_empty()),
        ("robustness", "Robustness", !figures.robustness.is_empty()),
        ("table", "All trials", has_trials),
        ("halving", "Stopped early", halving::is_present(&input.halving)),
        ("settings", "Settings", has_trials),
        ("words", "What the numbers mean", true),
    ];
    let present = sections.into_iter().filter(|(_, _, is_present)| *is_present);
    render(&Navigation { sections: present.map(|(target, name, _)| (target, name)).collect() })
}
