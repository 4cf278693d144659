//! What stands in a report without trials.

use askama::Template;

use crate::markup::render;

#[derive(Template)]
#[template(path = "nothing.html")]
struct Nothing;

/// That there is no trial, and what to do.
pub(super) fn section() -> String {
    render(&Nothing)
}
