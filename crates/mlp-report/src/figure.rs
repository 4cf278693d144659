//! A figure as a report holds it.

/// An SVG document with its file name and what is said under it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Figure {
    /// The file's name in `plots/`, without `.svg`.
    pub name: String,
    /// The document.
    pub svg: String,
    /// What to look for, as plain text.
    pub caption: String,
}
