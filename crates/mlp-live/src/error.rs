//! The one error type of this crate.

use std::fmt;

/// The result of everything in this crate that can fail.
pub type Result<T> = std::result::Result<T, Error>;

/// What a caller can do about an [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// What was asked for cannot be done as it was asked: ask otherwise.
    Request,
    /// There is no such model, run or session, or no longer.
    Missing,
    /// There is no room or memory for it now: end something else first.
    Busy,
    /// A file or folder could not be read or written, or its content is damaged.
    Io,
}

/// What went wrong, in one sentence: place, expected, found, what to do.
///
/// ```
/// use mlp_live::{ErrorKind, Folders};
///
/// let error = Folders::new(["no such folder"]).unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Io);
/// assert!(error.to_string().starts_with("no such folder: "));
/// ```
pub struct Error(Box<Details>);

struct Details {
    kind: ErrorKind,
    sentence: String,
}

impl Error {
    /// What sort of failure this is.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    pub(crate) fn new(kind: ErrorKind, sentence: impl Into<String>) -> Self {
        Error(Box::new(Details { kind, sentence: sentence.into() }))
    }

    pub(crate) fn request(sentence: impl Into<String>) -> Self {
        Error::new(ErrorKind::Request, sentence)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.sentence)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Error({:?}: {self})", self.0.kind)
    }
}

impl std::error::Error for Error {}

impl From<mlp_train::Error> for Error {
    fn from(error: mlp_train::Error) -> Self {
        let kind = match error.kind() {
            mlp_train::ErrorKind::Configuration | mlp_train::ErrorKind::Samples => ErrorKind::Request,
            _ => ErrorKind::Io,
        };
        Error::new(kind, error.to_string())
    }
}

impl From<mlp_sweep::Error> for Error {
    fn from(error: mlp_sweep::Error) -> Self {
        let kind = match error.kind() {
            mlp_sweep::ErrorKind::Specification => ErrorKind::Request,
            mlp_sweep::ErrorKind::Busy => ErrorKind::Busy,
            _ => ErrorKind::Io,
        };
        Error::new(kind, error.to_string())
    }
}

impl From<mlp_results::Error> for Error {
    fn from(error: mlp_results::Error) -> Self {
        Error::new(ErrorKind::Io, error.to_string())
    }
}

impl From<mnist_io::Error> for Error {
    fn from(error: mnist_io::Error) -> Self {
        Error::new(ErrorKind::Request, error.to_string())
    }
}
