//! What the numbers mean.

use askama::Template;
use mlp_results::Metric;

use crate::markup::render;

#[derive(Template)]
#[template(path = "words.html")]
struct Words;

/// The section.
pub(super) fn section() -> String {
    render(&Words)
}
