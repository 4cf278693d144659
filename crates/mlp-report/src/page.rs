//! The page: one HTML file that needs nothing else, not even a network.
//!
//! A content security policy forbids the browser to fetch anything and to run any script but the page's own, which it
//! knows by its hash. So even text that slipped through the escaping could not run.
//!
//! Here is the order of its sections; each has a file in `page/`, which says what stands in it, and a template in
//! `templates/`, which says how.

mod best_table;
mod classes;
mod comparison;
mod cost;
mod diagnosis;
mod effects;
mod epochs;
mod figure_list;
mod footer;
mod halving;
mod header;
mod interval_text;
mod listing;
mod mistakes;
mod names;
mod navigation;
mod nothing;
mod outcome;
mod robustness;
mod settings;
mod table;
mod table_data;
mod tiles;
mod trial_name;
mod trials;
mod troubles;
mod words;

use askama::Template;
use base64::{Engine, prelude::BASE64_STANDARD};
use mlp_results::Overview;
use sha2::{Digest, Sha256};

use crate::figures::Figures;
use crate::input::ReportInput;
use crate::markup::render;
use crate::palette;

pub(crate) use effects::{not_apart_from, only_for, seeds_of_luck};
pub use table_data::trial_table;

/// The style of the page, for other pages that are to look like it.
pub const STYLE: &str = include_str!("page/style.css");
/// The script function `filterOf(data, text)`: what the filter above a table asks for ([`trial_table`]).
pub const FILTER_SCRIPT: &str = include_str!("page/filter.js");
const SCRIPT: &str = concat!(include_str!("page/filter.js"), include_str!("page/script.js"));

#[derive(Template)]
#[template(path = "page.html")]
struct Page {
    title: String,
    style: String,
    script: &'static str,
    script_hash: String,
    header: String,
    navigation: String,
    sections: Vec<String>,
    footer: String,
}

/// The page as an HTML document.
pub(crate) fn page(input: &ReportInput, overview: &Overview<'_>, figures: &Figures<'_>) -> String {
    render(&Page {
        title: names::title(input),
        style: format!(
            "{STYLE}figure svg text{{font-family:inherit}}@media screen and (prefers-color-scheme:dark){{{}}}",
            palette::dark_rules()
        ),
        script: SCRIPT,
        script_hash: BASE64_STANDARD.encode(Sha256::digest(SCRIPT.as_bytes())),
        header: header::header(input, overview, figures),
        navigation: navigation::navigation(input, figures),
        sections: sections(input, overview, figures),
        footer: footer::footer(&input.trials),
    })
}

/// The sections that have something to say, in the order of the page.
fn sections(input: &ReportInput, overview: &Overview<'_>, figures: &Figures<'_>) -> Vec<String> {
    let mut sections = Vec::new();
    if input.trials.is_empty() {
        sections.push(nothing::section());
        sections.extend(halving::section(&input.halving, overview));
    } else {
        sections.extend(troubles::sections(input, overview));
        sections.extend(diagnosis::section(input, overview, figures));
        sections.extend(comparison::section(input, overview, figures));
        sections.extend(effects::section(input, overview, figures));
        sections.extend(epochs::section(figures));
        sections.extend(cost::section(overview, figures));
        sections.extend(trials::section(input, overview, figures));
        sections.extend(robustness::section(figures));
        sections.push(table::section(overview));
        sections.extend(halving::section(&input.halving, overview));
        sections.extend(settings::section(&input.trials, overview));
    }
    sections.push(words::section());
    sections
}
