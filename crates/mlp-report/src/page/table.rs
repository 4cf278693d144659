//! The section with the table of all trials: what filters it, its first rows for readers without scripts, its data.

use askama::Template;
use mlp_results::{Overview, endings, text};

use super::table_data::{self, Column};
use crate::markup::{json_in_html, render, shown};

#[derive(Template)]
#[template(path = "table.html")]
struct Table {
    /// The rows of the table and the number of trials, where not all are in it.
    cut: Option<(String, String)>,
    endings: Vec<String>,
    titles: Vec<String>,
    rows: Vec<Vec<String>>,
    /// JSON, safe inside of a page.
    data: String,
}

/// The section.
pub(super) fn section(overview: &Overview<'_>) -> String {
    let (n_rows, n_trials) = table_data::n_rows(overview);
    let cut = (n_rows < n_trials).then(|| (text::thousands(n_rows as u64), text::thousands(n_trials as u64)));
    let trials = overview.cells.iter().flat_map(|cell| cell.trials.iter().copied());
    let columns = table_data::columns(overview);
    let rows = table_data::first_rows(overview);
    render(&Table {
        cut,
        endings: endings(trials).iter().map(|word| shown(word)).collect(),
        titles: columns.iter().map(|column| shown(&column.title)).collect(),
        rows: rows
            .iter()
            .map(|row| columns.iter().zip(row).map(|(column, value)| cell(column, value)).collect())
            .collect(),
        data: json_in_html(&table_data::table_json(overview)),
    })
}

fn cell(column: &Column, value: &serde_json::Value) -> String {
    shown(&match (column.kind, value.as_f64()) {
        ("percent", Some(fraction)) => format!("{:.2} %", fraction * 100.0),
        (_, None) if value.is_null() => "–".to_owned(),
        _ => text::value(value),
    })
}
