//! What can go wrong on the way from a folder to a report.

use std::io;
use std::path::PathBuf;

/// A folder that could not be read, or a report that could not be written. Damaged records are no error: they are
/// named in [`ReportInput::warnings`](crate::ReportInput::warnings) and in the page.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReportError {
    /// The results could not be read.
    #[error(transparent)]
    Results(#[from] mlp_results::Error),
    /// A file of the report could not be written; the old one, if any, is unchanged.
    #[error("{}: cannot write this file of the report: {source}. Free space or choose a folder that can be written; the trials are untouched", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}
