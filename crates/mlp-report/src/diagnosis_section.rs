//! The doctor's words above the maps: in the section of the trial, or in one of their own.

use crate::markup;
use mlp_results::text;
use mlp_results::text::counted;

use std::fmt::Write as _;

use crate::figures::{Diagnosed, Figures};
use crate::page::{IN_MEMORY, figures_html};

/// How long a sentence may be.
const N_CHARACTERS: usize = 1000;

/// The diagnosis of the trial whose section this is.
pub(crate) fn diagnosis_html(diagnosed: Option<&Diagnosed>) -> String {
    let Some(diagnosed) = diagnosed else { return String::new() };
    format!(
        "<h3>Diagnosis</h3>\n<p><strong>{}</strong></p>\n<p class=\"note\">{}</p>\n{}",
        sentence(diagnosed),
        measured_with(diagnosed),
        figures_html(&diagnosed.figures)
    )
}

/// The diagnoses of trials without a section.
pub(crate) fn diagnoses_section(figures: &Figures<'_>, name: impl Fn(&str) -> String) -> String {
    if figures.diagnoses.is_empty() {
        return String::new();
    }
    let mut out = String::from(
        "<section id=\"diagnosis\">\n<h2>Diagnosis</h2>\n<p>What went on inside trials that were examined while they trained \
         and are not shown one by one.</p>\n",
    );
    for diagnosed in &figures.diagnoses {
        let summary = format!("{} <span>– {}</span>", name(&diagnosed.trial), sentence(diagnosed));
        match diagnosed.figures.is_empty() {
            true => writeln!(out, "<p>{summary}</p>"),
            false => writeln!(
                out,
                "<details class=\"card\"><summary>{summary}</summary>\n<p class=\"note\">{}</p>\n{}</details>",
                measured_with(diagnosed),
                figures_html(&diagnosed.figures)
            ),
        }
        .expect(IN_MEMORY);
    }
    if figures.n_diagnoses_left > 0 {
        let left = counted(figures.n_diagnoses_left, "more trial");
        writeln!(out, "<p class=\"note\">… and {left}.</p>").expect(IN_MEMORY);
    }
    out.push_str("</section>\n");
    out
}

fn sentence(diagnosed: &Diagnosed) -> String {
    markup::escape_markup(&text::clean(&diagnosed.sentence, N_CHARACTERS))
}

fn measured_with(diagnosed: &Diagnosed) -> String {
    format!(
        "Measured on {}, taken evenly from the whole set, before training and after each epoch. Layers are counted from 1 \
         here, the one next to the inputs first.",
        counted(diagnosed.n_samples, "training sample")
    )
}
