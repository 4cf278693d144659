//! The one error type of this crate: a kind to act on, and the file to look at.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// The result of everything in this crate that can fail.
pub type Result<T> = std::result::Result<T, Error>;

/// What a caller can do about an [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Something could not be read or written.
    Io,
    /// Something was read, and its content is not what it must be.
    Data,
    /// What was asked for does not fit: a key or a value, or a folder of other results.
    Argument,
    /// Another process holds a folder.
    Busy,
    /// The caller asked for an end. Everything finished is kept.
    Stopped,
}

/// What went wrong, and with which file. Its text is one sentence with the place, what was expected, what was found and
/// what to do next.
pub struct Error(Box<Details>);

struct Details {
    kind: ErrorKind,
    path: Option<PathBuf>,
    sentence: String,
    origin: Option<Origin>,
}

/// The error of which this one tells.
enum Origin {
    Io(io::Error),
    Train(mlp_train::Error),
    Sweep(mlp_sweep::Error),
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
        match self.0.origin.as_ref()? {
            Origin::Io(error) => Some(error),
            Origin::Train(error) => error.io_error(),
            Origin::Sweep(error) => error.io_error(),
        }
    }

    /// The error of the sweep of which this one tells, with its advice.
    pub fn sweep_error(&self) -> Option<&mlp_sweep::Error> {
        match &self.0.origin {
            Some(Origin::Sweep(error)) => Some(error),
            _ => None,
        }
    }

    /// The end of work that was asked to end; for whoever runs the sweeps, too.
    pub fn stopped() -> Self {
        let sentence = "stopped; everything finished is kept, and running the same command again goes on";
        Self::new(ErrorKind::Stopped, None, sentence.to_owned(), None)
    }

    /// The operating system refused `what`, which completes "expected to".
    pub(crate) fn io(what: &str, path: &Path, source: io::Error) -> Self {
        let sentence = format!(
            "{}: expected to {what}, found {source}; check the path, its permissions and the space",
            path.display()
        );
        Self::new(ErrorKind::Io, Some(path), sentence, Some(Origin::Io(source)))
    }

    /// Content of the file at `path` that does not fit, with a sentence that says why.
    pub(crate) fn data(path: &Path, reason: impl fmt::Display) -> Self {
        Self::new(ErrorKind::Data, Some(path), format!("{}: {reason}", path.display()), None)
    }

    /// Test images that cannot be what is asked of them.
    pub(crate) fn images(error: &mnist_io::Error) -> Self {
        Self::new(ErrorKind::Data, error.path(), error.to_string(), None)
    }

    fn new(kind: ErrorKind, path: Option<&Path>, sentence: String, origin: Option<Origin>) -> Self {
        Self(Box::new(Details { kind, path: path.map(Path::to_path_buf), sentence, origin }))
    }
}

/// A saved model or a diagnosis that cannot be read, or is none.
impl From<mlp_train::Error> for Error {
    fn from(error: mlp_train::Error) -> Self {
        let kind = if error.kind() == mlp_train::ErrorKind::Io { ErrorKind::Io } else { ErrorKind::Data };
        let (path, sentence) = (error.path().map(Path::to_path_buf), error.to_string());
        Self::new(kind, path.as_deref(), sentence, Some(Origin::Train(error)))
    }
}

impl From<mlp_sweep::Error> for Error {
    fn from(error: mlp_sweep::Error) -> Self {
        let kind = match error.kind() {
            mlp_sweep::ErrorKind::Specification => ErrorKind::Argument,
            mlp_sweep::ErrorKind::Io => ErrorKind::Io,
            mlp_sweep::ErrorKind::Busy => ErrorKind::Busy,
            _ => ErrorKind::Data,
        };
        let (path, sentence) = (error.path().map(Path::to_path_buf), error.to_string());
        Self::new(kind, path.as_deref(), sentence, Some(Origin::Sweep(error)))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0.sentence)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Error({:?}: {self})", self.0.kind)
    }
}

impl std::error::Error for Error {}
