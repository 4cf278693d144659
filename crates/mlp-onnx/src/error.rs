//! The one error type of this crate: a kind to act on, and the place to look at.

use std::fmt::{self, Write};
use std::io;
use std::path::{Path, PathBuf};

/// The result of everything in this crate that can fail.
pub type Result<T> = std::result::Result<T, Error>;

/// What a caller can do about an [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A file could not be read or written.
    Io,
    /// The file is damaged, or no ONNX file at all.
    Damaged,
    /// An ONNX file with something in it that is no network of this project.
    Unsupported,
    /// A model cannot be exported, or imported, with these options: change them.
    Options,
}

/// What went wrong, and where. Its text is one line: the place, what was expected, what was found, what to do next.
///
/// ```
/// use mlp_onnx::{ErrorKind, ImportOptions, from_onnx};
///
/// let error = from_onnx(b"<html>", &ImportOptions::new()).unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Damaged);
/// assert!(error.to_string().starts_with("expected an ONNX file, found an HTML page"));
/// ```
pub struct Error(Box<Details>);

struct Details {
    kind: ErrorKind,
    path: Option<PathBuf>,
    place: Option<String>,
    expected: String,
    found: String,
    advice: Option<String>,
    /// The text instead of "expected …, found …".
    sentence: Option<String>,
    io_error: Option<io::Error>,
}

impl Error {
    /// What sort of failure this is.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The file in question; `None` where the fault is in no file.
    pub fn path(&self) -> Option<&Path> {
        self.0.path.as_deref()
    }

    /// Where the fault is: a byte of the file, a node, a tensor, an option.
    pub fn place(&self) -> Option<&str> {
        self.0.place.as_deref()
    }

    /// What should have been there.
    pub fn expected(&self) -> &str {
        &self.0.expected
    }

    /// What was there.
    pub fn found(&self) -> &str {
        &self.0.found
    }

    /// What to do next, where that is not obvious.
    pub fn advice(&self) -> Option<&str> {
        self.0.advice.as_deref()
    }

    /// The operating system's error, where there was one. Its text is part of this error's text already, so
    /// [`std::error::Error::source`] does not repeat it.
    pub fn io_error(&self) -> Option<&io::Error> {
        self.0.io_error.as_ref()
    }

    pub(crate) fn new(kind: ErrorKind, expected: impl Into<String>, found: impl Into<String>) -> Self {
        Self(Box::new(Details {
            kind,
            path: None,
            place: None,
            expected: expected.into(),
            found: found.into(),
            advice: None,
            sentence: None,
            io_error: None,
        }))
    }

    pub(crate) fn damaged(place: impl Into<String>, expected: impl Into<String>, found: impl Into<String>) -> Self {
        Self::new(ErrorKind::Damaged, expected, found).at(place)
    }

    pub(crate) fn unsupported(place: impl Into<String>, expected: impl Into<String>, found: impl Into<String>) -> Self {
        Self::new(ErrorKind::Unsupported, expected, found).at(place)
    }

    pub(crate) fn options(place: impl Into<String>, expected: impl Into<String>, found: impl Into<String>) -> Self {
        Self::new(ErrorKind::Options, expected, found).at(place)
    }

    /// `action` completes "cannot …".
    pub(crate) fn io(path: &Path, action: &str, source: io::Error) -> Self {
        let mut error = Self::new(ErrorKind::Io, "a file", source.to_string()).in_file(path);
        error.0.sentence = Some(format!("cannot {action}: {source}"));
        error.0.advice = durable_file::advice(&source).strip_prefix("; ").map(str::to_owned);
        error.0.io_error = Some(source);
        error
    }

    pub(crate) fn at(mut self, place: impl Into<String>) -> Self {
        self.0.place = Some(place.into());
        self
    }

    pub(crate) fn in_file(mut self, path: &Path) -> Self {
        self.0.path = Some(path.to_path_buf());
        self
    }

    pub(crate) fn with_advice(mut self, advice: impl Into<String>) -> Self {
        self.0.advice = Some(advice.into());
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let details = &*self.0;
        // All of it may come from a file that somebody else made.
        let mut line = OneLine(f);
        if let Some(path) = &details.path {
            write!(line, "{}: ", path.display())?;
        }
        if let Some(sentence) = &details.sentence {
            line.write_str(sentence)?;
        } else {
            if let Some(place) = &details.place {
                write!(line, "{place}: ")?;
            }
            write!(line, "expected {}, found {}", details.expected, details.found)?;
        }
        details.advice.as_ref().map_or(Ok(()), |advice| write!(line, "; {advice}"))
    }
}

/// Escapes what would end a line or steer a terminal: names may hold anything.
struct OneLine<'a, 'b>(&'a mut fmt::Formatter<'b>);

impl fmt::Write for OneLine<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        text.chars().try_for_each(|character| match character {
            '\u{2028}' | '\u{2029}' => write!(self.0, "{}", character.escape_unicode()),
            _ if character.is_control() => write!(self.0, "{}", character.escape_default()),
            _ => self.0.write_char(character),
        })
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Error({:?}: {self})", self.0.kind)
    }
}

impl std::error::Error for Error {}
