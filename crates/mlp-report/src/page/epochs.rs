//! Configurations by epoch.

use askama::Template;

use super::figure_list::FigureList;
use crate::figures::Figures;
use crate::markup::render;

#[derive(Template)]
#[template(path = "epochs.html")]
struct Epochs<'a> {
    figures: FigureList<'a>,
}

/// The section, where there is more than one trial.
pub(super) fn section(figures: &Figures<'_>) -> Option<String> {
    let list = FigureList { figures: &figures.epochs };
    (!figures.epochs.is_empty()).then(|| render(&Epochs { figures: list }))
}
