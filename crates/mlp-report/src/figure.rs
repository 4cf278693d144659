//! A figure as a report holds it.

/// An SVG document with its file name and what is said under it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ReportFigure {
    /// The file's name in `plots/`, without `.svg`.
    pub name: String,
    /// The document.
    pub svg: String,
    /// What to look for, as plain text.
    pub caption: String,
}

/// A name for a file, whatever the text: lower-case letters, digits and hyphens, at most 40 of them.
pub(crate) fn file_name(text: &str) -> String {
    let mapped: String =
        text.chars().take(40).map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).collect();
    if mapped.is_empty() { "unnamed".to_owned() } else { mapped }
}
