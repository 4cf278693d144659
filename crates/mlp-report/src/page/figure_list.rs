//! Figures beside and under each other, each with its caption.

use askama::Template;

use crate::figure::ReportFigure;

/// Some figures of a section.
#[derive(Template)]
#[template(path = "figures.html")]
pub(super) struct FigureList<'a> {
    pub(super) figures: &'a [ReportFigure],
}

/// An SVG document for the inside of the page, where the page's own style serves all of them.
fn inline(svg: &str) -> String {
    match (svg.find("<style>"), svg.find("</style>")) {
        (Some(start), Some(end)) if start < end => format!("{}{}", &svg[..start], &svg[end + "</style>".len()..]),
        _ => svg.to_owned(),
    }
}
