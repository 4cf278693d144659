//! The section with the table of all trials: what filters it, its first rows for readers without scripts, its data.

use askama::Template;
use mlp_results::{Overview, VariedKey, endings, text};

use super::table_data::{self, Column};
use crate::markup::{json_in_html, render, shown};

#[derive(Template)]
#[template(path = "table.html")]
struct Table {
    /// The rows of the table and the number of trials, where not all are in it.
    cut: Option<(String, String)>,
    /// Whether all trials can be compared.
    is_comparable: bool,
    endings: Vec<String>,
    /// The metrics that the table can be ranked by, with whether their curves are there, too.
    metrics: Vec<(String, bool)>,
    /// Conditions that the filter takes.
    example: String,
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
    let data = table_data::table(overview);
    render(&Table {
        cut,
        is_comparable: overview.is_comparable(),
        endings: endings(trials).iter().map(|word| shown(word)).collect(),
        metrics: data.metrics.iter().map(|metric| (metric.title.to_owned(), metric.curves.is_some())).collect(),
        example: example(overview),
        titles: columns.iter().map(|column| shown(&column.title)).collect(),
        rows: rows
            .iter()
            .map(|row| columns.iter().zip(row).map(|(column, value)| cell(column, value)).collect())
            .collect(),
        data: json_in_html(&serde_json::json!(data)),
    })
}

/// Two conditions with the names and about the values of these trials.
fn example(overview: &Overview<'_>) -> String {
    let number = |key: &VariedKey| key.values.last().filter(|value| value.is_number()).map(text::value);
    let varied = overview.varied.iter().find_map(|key| Some(format!("{}<{}", shown(&key.key), number(key)?)));
    let best = overview.best.and_then(|best| overview.score(best));
    let score = match best {
        Some(best) if overview.metric.is_fraction() => format!("{:.0}", (best * 100.0).floor()),
        best => text::rounded_to(best.unwrap_or(0.0), 2),
    };
    let sign = if overview.metric.higher_is_better() { ">=" } else { "<=" };
    let metric = format!("{}_{}{sign}{score}", overview.compared, overview.metric);
    varied.into_iter().chain([metric]).collect::<Vec<_>>().join(" ")
}

fn cell(column: &Column, value: &serde_json::Value) -> String {
    shown(&match (column.kind, value.as_f64()) {
        ("percent", Some(fraction)) => text::share(fraction, 2),
        (_, None) if value.is_null() => "–".to_owned(),
        _ => text::value(value),
    })
}
