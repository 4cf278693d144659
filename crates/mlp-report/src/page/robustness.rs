//! How trained networks do on disturbed images.

use askama::Template;

use super::figure_list::FigureList;
use crate::figures::Figures;
use crate::markup::render;

#[derive(Template)]
#[template(path = "robustness.html")]
struct Robustness<'a> {
    figures: FigureList<'a>,
}

/// The section, where that was measured.
pub(super) fn section(figures: &Figures<'_>) -> Option<String> {
    let list = FigureList { figures: &figures.robustness };
    (!figures.robustness.is_empty()).then(|| render(&Robustness { figures: list }))
}
