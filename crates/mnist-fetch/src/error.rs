//! The one error type of this crate: a kind to act on, and the file or folder to look at.

use std::fmt::{self, Write as _};
use std::io;
use std::path::{Path, PathBuf};

use durable_file::LockError;

/// The result of everything in this crate that can fail.
pub type Result<T> = std::result::Result<T, Error>;

/// What a caller can do about an [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The caller asked for something that does not exist: an unknown data set, or a source that is nothing.
    Argument,
    /// A manifest that cannot be understood, or that describes files which could not be verified.
    Manifest,
    /// What was delivered as published is not what the manifest says of it: no archive, other numbers of images; or a
    /// file with certificates that holds none.
    Data,
    /// No source delivered the file as it was published: it cannot be reached, or has other content.
    Source,
    /// Something on this machine could not be read or written.
    Io,
    /// Another process is downloading into the same folder.
    Busy,
}

/// What went wrong, and where.
///
/// Its text names the file or folder, what was expected, what was found and what to do next. It is one line, except where
/// several sources failed: then each has a line of its own ([`Error::failed_sources`]).
///
/// ```
/// let error = mnist_fetch::Manifest::builtin().find("minst").unwrap_err();
/// assert_eq!(error.kind(), mnist_fetch::ErrorKind::Argument);
/// assert!(error.to_string().ends_with("did you mean \"mnist\"?"));
/// ```
pub struct Error(Box<Details>);

struct Details {
    kind: ErrorKind,
    path: Option<PathBuf>,
    message: String,
    failed_sources: Vec<FailedSource>,
    io_error: Option<io::Error>,
}

/// A source that did not deliver a file.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FailedSource {
    /// The address or the path of the file there.
    pub place: String,
    /// What went wrong in the last attempt, and after how many.
    pub reason: String,
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

    /// Every source that was asked, in this order, where the error is that none delivered; otherwise nothing.
    pub fn failed_sources(&self) -> &[FailedSource] {
        &self.0.failed_sources
    }

    /// The operating system's error, where there was one. Its text is part of this error's text already, so
    /// [`std::error::Error::source`] does not repeat it.
    pub fn io_error(&self) -> Option<&io::Error> {
        self.0.io_error.as_ref()
    }

    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        let message = message.into();
        Self(Box::new(Details { kind, path: None, message, failed_sources: Vec::new(), io_error: None }))
    }

    /// An error of the file or folder at `path`, which its text begins with.
    pub(crate) fn at(kind: ErrorKind, path: &Path, message: impl fmt::Display) -> Self {
        Self::new(kind, format!("{}{message}", path.display())).with_path(path)
    }

    /// A failed operation of the operating system on `path`; `action` completes "cannot …".
    pub(crate) fn io(action: &str, path: &Path, error: io::Error) -> Self {
        let advice = durable_file::advice(&error);
        let message = format!("cannot {action} {}: {error}{advice}", path.display());
        Self::new(ErrorKind::Io, message).with_path(path).with_io_error(Some(error))
    }

    /// `summary`, a line for each source, and `advice`.
    pub(crate) fn no_source(summary: String, failed_sources: Vec<FailedSource>, advice: &str) -> Self {
        let mut message = summary;
        for FailedSource { place, reason } in &failed_sources {
            let _ = write!(message, "\n  {place}: {reason}");
        }
        let mut error = Self::new(ErrorKind::Source, format!("{message}\n{advice}"));
        error.0.failed_sources = failed_sources;
        error
    }

    pub(crate) fn with_path(mut self, path: &Path) -> Self {
        self.0.path = Some(path.to_path_buf());
        self
    }

    pub(crate) fn with_io_error(mut self, error: Option<io::Error>) -> Self {
        self.0.io_error = error;
        self
    }
}

impl From<LockError> for Error {
    fn from(error: LockError) -> Self {
        let text = error.to_string();
        match error {
            LockError::Busy { folder, .. } => Self::new(ErrorKind::Busy, text).with_path(&folder),
            LockError::Io { action, path, error } => Self::io(action, &path, error),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Error({:?}: {self})", self.0.kind)
    }
}

impl std::error::Error for Error {}
