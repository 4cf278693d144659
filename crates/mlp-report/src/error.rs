//! What can go wrong on the way from a folder to a report.

use std::io;
use std::path::PathBuf;

/// A folder that could not be read, or a report that could not be written. Damaged records are no error: they are
/// named in [`ReportInput::warnings`](crate::ReportInput::warnings) and in the page.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReportError {
    /// A folder could not be read.
    #[error("{}: expected a folder of trials (with trials/*.json in it), but cannot read it: {source}. Give the folder that a sweep wrote", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file of the report could not be written; the old one, if any, is unchanged.
    #[error("{}: cannot write this file of the report: {source}. Free space or choose a folder that can be written; the trials are untouched", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A value in a robustness curve is not finite, which JSON cannot express.
    #[error("{}: cannot store the curve of {disturbance} at strength {strength}: it holds a value that is not a finite number. Measure it again with a net that did not diverge", path.display())]
    NonFinite {
        /// The file that was to be written.
        path: PathBuf,
        /// The disturbance.
        disturbance: String,
        /// The strength of the point.
        strength: f64,
    },
}
