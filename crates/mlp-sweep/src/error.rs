//! The one error type of this crate: a kind to act on, and a text with the place.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use durable_file::LockError;

/// The result of everything in this crate that can fail.
pub type Result<T> = std::result::Result<T, Error>;

/// What a caller can do about an [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The specification, or what was asked for: a key, a value, a folder of other results.
    Specification,
    /// Data or a model that cannot be what they should be.
    Data,
    /// Something could not be read, written or started.
    Io,
    /// Another process holds the folder.
    Busy,
}

/// What went wrong. Its text names the place (file, line and column of a specification), what was expected, what was found
/// and what to do; it may have several lines, such as the line of a specification with a mark below it.
pub struct Error(Box<Details>);

struct Details {
    kind: ErrorKind,
    path: Option<PathBuf>,
    text: String,
    io_error: Option<io::Error>,
}

impl Error {
    /// What sort of failure this is.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The file or folder in question, if there is one.
    pub fn path(&self) -> Option<&Path> {
        self.0.path.as_deref()
    }

    /// The operating system's error, where there was one. Its text is part of this error's text already, so
    /// [`std::error::Error::source`] does not repeat it.
    pub fn io_error(&self) -> Option<&io::Error> {
        self.0.io_error.as_ref()
    }

    pub(crate) fn new(kind: ErrorKind, text: impl Into<String>) -> Self {
        Error(Box::new(Details { kind, path: None, text: text.into(), io_error: None }))
    }

    pub(crate) fn specification(text: impl Into<String>) -> Self {
        Error::new(ErrorKind::Specification, text)
    }

    /// A failed operation of the operating system on `path`; `action` completes "cannot …".
    pub(crate) fn io(action: &str, path: &Path, error: io::Error) -> Self {
        let advice = durable_file::advice(&error);
        let text = format!("cannot {action} {}: {error}{advice}", path.display());
        Error(Box::new(Details { kind: ErrorKind::Io, path: Some(path.to_path_buf()), text, io_error: Some(error) }))
    }
}

impl From<LockError> for Error {
    fn from(error: LockError) -> Self {
        let text = error.to_string();
        match error {
            LockError::Busy { folder, .. } => {
                Error(Box::new(Details { kind: ErrorKind::Busy, path: Some(folder), text, io_error: None }))
            }
            LockError::Io { action, path, error } => Error::io(action, &path, error),
        }
    }
}

impl From<mlp_train::Error> for Error {
    fn from(error: mlp_train::Error) -> Self {
        let kind = match error.kind() {
            mlp_train::ErrorKind::Configuration => ErrorKind::Specification,
            mlp_train::ErrorKind::Io => ErrorKind::Io,
            _ => ErrorKind::Data,
        };
        let path = error.path().map(Path::to_path_buf);
        Error(Box::new(Details { kind, path, text: error.to_string(), io_error: None }))
    }
}

impl From<mlp_results::Error> for Error {
    fn from(error: mlp_results::Error) -> Self {
        let kind = match error.kind() {
            mlp_results::ErrorKind::Version => ErrorKind::Specification,
            mlp_results::ErrorKind::Io | mlp_results::ErrorKind::NotFinite => ErrorKind::Io,
            _ => ErrorKind::Data,
        };
        let path = error.path().map(Path::to_path_buf);
        Error(Box::new(Details { kind, path, text: error.to_string(), io_error: None }))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0.text)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Error({:?}: {self})", self.0.kind)
    }
}

impl std::error::Error for Error {}
