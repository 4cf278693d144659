//! The one error type of this crate: a kind to act on, and the file it is about.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use mlp_train::nearest;

use crate::text::clean;

/// The result of everything in this crate that can fail.
pub type Result<T> = std::result::Result<T, Error>;

/// What a caller can do about an [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Something could not be read or written.
    Io,
    /// A file is not what it should be, or its parts contradict each other.
    Damaged,
    /// A record is of another version of the program.
    Version,
    /// The caller named something that does not exist.
    Argument,
    /// A number is not finite, which a file of JSON cannot say.
    NotFinite,
}

/// What went wrong, and with which file. Its text is one sentence: the place, what was expected, what was found, what to do.
pub struct Error(Box<Details>);

struct Details {
    kind: ErrorKind,
    path: Option<PathBuf>,
    line_and_column: Option<(usize, usize)>,
    text: String,
    io_error: Option<io::Error>,
}

impl Error {
    /// What sort of failure this is.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The file or folder in question.
    pub fn path(&self) -> Option<&Path> {
        self.0.path.as_deref()
    }

    /// Where in a file of JSON reading stopped, line and column counted from 1.
    pub fn line_and_column(&self) -> Option<(usize, usize)> {
        self.0.line_and_column
    }

    /// The operating system's error, where there was one. Its text is part of this error's text already, so
    /// [`std::error::Error::source`] does not repeat it.
    pub fn io_error(&self) -> Option<&io::Error> {
        self.0.io_error.as_ref()
    }

    /// `action` completes "cannot …".
    pub(crate) fn io(action: &str, path: &Path, source: io::Error) -> Self {
        let advice = durable_file::advice(&source);
        Error::of_io(format!("{}: cannot {action}: {source}{advice}", path.display()), path, source)
    }

    /// `text` holds that of `source` already.
    pub(crate) fn of_io(text: String, path: &Path, source: io::Error) -> Self {
        let mut error = Error::new(ErrorKind::Io, text).of_file(path);
        error.0.io_error = Some(source);
        error
    }

    pub(crate) fn damaged(path: &Path, problem: &str) -> Self {
        Error::new(ErrorKind::Damaged, format!("{}: {problem}", path.display())).of_file(path)
    }

    /// `what` completes "expected …".
    pub(crate) fn unknown_name(what: &str, names: &[&str], found: &str) -> Self {
        let meant = nearest(found, names).map(|name| format!("; did you mean {name}?")).unwrap_or_default();
        let (found, names) = (clean(found, 40), names.join(", "));
        Error::new(ErrorKind::Argument, format!("expected {what}, found {found:?}; choose one of {names}{meant}"))
    }

    /// A metric by which nothing is ranked.
    pub(crate) fn unfit_for_ranking() -> Self {
        let text = "expected a metric to rank by, found invalid_rate: a network that always answers '0' has no invalid answer; \
                    take accuracy, or loss"
            .to_owned();
        Error::new(ErrorKind::Argument, text)
    }

    pub(crate) fn new(kind: ErrorKind, text: String) -> Self {
        Error(Box::new(Details { kind, path: None, line_and_column: None, text, io_error: None }))
    }

    pub(crate) fn of_file(mut self, path: &Path) -> Self {
        self.0.path = Some(path.to_path_buf());
        self
    }

    pub(crate) fn at(mut self, line: usize, column: usize) -> Self {
        self.0.line_and_column = Some((line, column));
        self
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
