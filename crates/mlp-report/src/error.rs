//! The one error type of this crate: a kind to act on, and the file it is about.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use mlp_results::text::clean;

/// The result of everything in this crate that can fail.
pub type Result<T> = std::result::Result<T, Error>;

/// What a caller can do about an [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The results could not be read: the folder is missing, or no folder.
    Read,
    /// A file of the report could not be written; the old one, if any, is unchanged.
    Write,
    /// The caller named something that does not exist.
    Argument,
}

/// A folder that could not be read, a report that could not be written, or a name that nothing has. Damaged records are no error: they are
/// named in [`ReportInput::warnings`](crate::ReportInput::warnings) and in the page.
///
/// Its text is one sentence that names the file, what was wrong with it and what to do next:
///
/// ```
/// let error = mlp_report::read_folder("no/such/folder".as_ref()).unwrap_err();
/// assert_eq!(error.kind(), mlp_report::ErrorKind::Read);
/// assert_eq!(error.path(), Some("no/such/folder".as_ref()));
/// assert!(error.to_string().ends_with("Give the folder that a sweep wrote"));
/// ```
pub struct Error(Box<Details>);

enum Details {
    Read(mlp_results::Error),
    Write { path: PathBuf, source: io::Error },
    Argument(String),
}

impl Error {
    /// What sort of failure this is.
    pub fn kind(&self) -> ErrorKind {
        match &*self.0 {
            Details::Read(_) => ErrorKind::Read,
            Details::Write { .. } => ErrorKind::Write,
            Details::Argument(_) => ErrorKind::Argument,
        }
    }

    /// The file or folder in question.
    pub fn path(&self) -> Option<&Path> {
        match &*self.0 {
            Details::Read(error) => error.path(),
            Details::Write { path, .. } => Some(path),
            Details::Argument(_) => None,
        }
    }

    /// The operating system's error, where there was one. Its text is part of this error's text already, so
    /// [`std::error::Error::source`] does not repeat it.
    pub fn io_error(&self) -> Option<&io::Error> {
        match &*self.0 {
            Details::Read(error) => error.io_error(),
            Details::Write { source, .. } => Some(source),
            Details::Argument(_) => None,
        }
    }

    /// `what` completes "expected …".
    pub(crate) fn unknown_name(what: &str, names: &[&str], found: &str) -> Self {
        let (found, names) = (clean(found, 40), names.join(", "));
        Error(Box::new(Details::Argument(format!("expected {what}, found {found:?}; choose one of {names}"))))
    }

    pub(crate) fn write(path: &Path, source: io::Error) -> Self {
        Error(Box::new(Details::Write { path: path.to_path_buf(), source }))
    }
}

impl From<mlp_results::Error> for Error {
    fn from(error: mlp_results::Error) -> Self {
        Error(Box::new(Details::Read(error)))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            Details::Read(error) => error.fmt(f),
            Details::Write { path, source } => write!(
                f,
                "{}: cannot write this file of the report: {source}. Free space or choose a folder that can be written; \
                 the trials are untouched",
                path.display()
            ),
            Details::Argument(text) => f.write_str(text),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Error({:?}: {self})", self.kind())
    }
}

impl std::error::Error for Error {}
