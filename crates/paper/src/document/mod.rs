//! The document: a page of Markdown with its figures, written from the findings alone.

mod closing;
mod ladder;
mod opening;
mod rules;
mod section;
mod verdicts;

use std::path::{Path, PathBuf};

use serde_json::Value;

pub use self::verdicts::{as_json, as_text};

pub use crate::claims::claims;
use crate::error::{Error, Result};
use crate::figures::Figure;
use crate::findings::Findings;

/// The folder of the figures, beside the document.
pub const FOLDER: &str = "reproduction";
/// The file that holds the findings, in that folder.
pub const FINDINGS: &str = "findings.json";
/// The document itself.
pub const DOCUMENT: &str = "reproduction.md";

/// The document with everything beside it but the findings: paths below the folder that it is written to, and texts.
pub fn files(findings: &Findings) -> Vec<(String, String)> {
    let mut text = opening::opening(findings);
    let mut files = Vec::new();
    for claim in claims(findings) {
        let mut figures = claim.figures(findings);
        figures.retain(Figure::has_numbers);
        text.push_str(&section::section(claim, findings, &figures));
        for figure in figures {
            files.push((format!("{FOLDER}/{}.svg", figure.name), figure.svg));
            files.push((format!("{FOLDER}/{}.csv", figure.name), figure.csv));
        }
    }
    text.push_str(&ladder::ladder(findings));
    text.push_str(&closing::closing(findings));
    files.insert(0, (DOCUMENT.to_owned(), text));
    files
}

/// Writes the document into `folder`, with the findings that it rests on; returns its path.
///
/// # Errors
///
/// If a file or the folder cannot be written. Those before it are written.
pub fn write(findings: &Findings, folder: &Path) -> Result<PathBuf> {
    let beside = folder.join(FOLDER);
    std::fs::create_dir_all(&beside).map_err(|error| Error::io("create the folder", &beside, error))?;
    let write = |path: &Path, text: &str| {
        durable_file::write(path, text.as_bytes()).map_err(|error| Error::io("write the file", path, error))
    };
    write(&beside.join(FINDINGS), &findings_as_lines(findings))?;
    for (name, text) in files(findings) {
        write(&folder.join(name), &text)?;
    }
    Ok(folder.join(DOCUMENT))
}

/// The findings as JSON with a line for each trial.
pub fn findings_as_lines(findings: &Findings) -> String {
    let mut value = serde_json::to_value(findings).unwrap_or_default();
    let rows = value.as_object_mut().and_then(|object| object.remove("rows")).unwrap_or_default();
    let head = serde_json::to_string_pretty(&value).unwrap_or_default();
    let rows: Vec<String> = rows.as_array().into_iter().flatten().map(Value::to_string).collect();
    format!("{},\n  \"rows\": [\n{}\n  ]\n}}\n", head.trim_end().trim_end_matches('}').trim_end(), rows.join(",\n"))
}
