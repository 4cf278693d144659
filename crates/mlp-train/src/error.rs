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
    /// A value that a configuration cannot have, by itself or with these samples: change [`Error::key`].
    Configuration,
    /// Samples that cannot be trained on, measured or classified.
    Samples,
    /// A file could not be read or written.
    Io,
    /// A model file is damaged or none, or a network is not the one that is needed.
    Model,
    /// A checkpoint is damaged or none, or one of another run.
    Checkpoint,
    /// A diagnosis is damaged or none.
    Diagnosis,
    /// A number is infinite or not a number where the training has diverged.
    NotFinite,
}

/// What went wrong, and where. Its text is one line: the place, what was expected, what was found, what to do next.
///
/// ```
/// use mlp_train::{ErrorKind, TrainConfig};
/// use serde_json::json;
///
/// let error = TrainConfig::new().set("optimizer", &json!({ "name": "momentum", "momentum": 2 })).unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Configuration);
/// assert_eq!(error.key(), Some("optimizer.momentum"));
/// assert_eq!(error.found(), "2");
/// assert_eq!(error.to_string(), "optimizer.momentum: expected a number of at least 0 and below 1, found 2");
/// ```
pub struct Error(Box<Details>);

struct Details {
    kind: ErrorKind,
    path: Option<PathBuf>,
    /// What it is about, if more than the place has to be said: `training samples`.
    subject: Option<&'static str>,
    /// A key, a tensor, an entry of the header.
    place: Option<String>,
    sample: Option<usize>,
    expected: String,
    found: String,
    advice: Option<String>,
    /// The text instead of "expected …, found …".
    sentence: Option<String>,
    io_error: Option<io::Error>,
}

impl Error {
    /// A value that a configuration cannot have: for programs that add keys of their own to those of a
    /// [`TrainConfig`](crate::TrainConfig). `key` is the path of the value: `data`, `hidden[1]`, `optimizer.momentum`.
    pub fn of_key(key: impl Into<String>, expected: impl Into<String>, found: impl Into<String>) -> Self {
        Self::at(ErrorKind::Configuration, key, expected, found)
    }

    /// The same error with what to do next.
    pub fn with_advice(mut self, advice: impl Into<String>) -> Self {
        self.0.advice = Some(advice.into());
        self
    }

    /// What sort of failure this is.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The file in question; `None` where the fault is in no file.
    pub fn path(&self) -> Option<&Path> {
        self.0.path.as_deref()
    }

    /// The key of the configuration that is at fault, as a path: `seed`, `hidden[1]`, `optimizer.momentum`.
    pub fn key(&self) -> Option<&str> {
        self.0.place.as_deref().filter(|_| self.0.kind == ErrorKind::Configuration)
    }

    /// Where the fault is: a key, or in a file the header, a tensor or an entry.
    pub fn place(&self) -> Option<&str> {
        self.0.place.as_deref()
    }

    /// The index of the first sample at fault.
    pub fn sample(&self) -> Option<usize> {
        self.0.sample
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
            subject: None,
            place: None,
            sample: None,
            expected: expected.into(),
            found: found.into(),
            advice: None,
            sentence: None,
            io_error: None,
        }))
    }

    pub(crate) fn at(
        kind: ErrorKind,
        place: impl Into<String>,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) -> Self {
        let mut error = Self::new(kind, expected, found);
        error.0.place = Some(place.into());
        error
    }

    /// `action` completes "cannot …".
    pub(crate) fn io(path: &Path, action: &str, source: io::Error) -> Self {
        let sentence = format!("cannot {action}: {source}");
        let mut error = Self::new(ErrorKind::Io, "a file", source.to_string()).in_file(path).saying(sentence);
        error.0.advice = durable_file::advice(&source).strip_prefix("; ").map(str::to_owned);
        error.0.io_error = Some(source);
        error
    }

    pub(crate) fn in_file(mut self, path: &Path) -> Self {
        self.0.path = Some(path.to_path_buf());
        self
    }

    pub(crate) fn about(mut self, subject: &'static str) -> Self {
        self.0.subject = Some(subject);
        self
    }

    pub(crate) fn of_sample(mut self, sample: usize) -> Self {
        self.0.sample = Some(sample);
        self
    }

    pub(crate) fn saying(mut self, sentence: String) -> Self {
        self.0.sentence = Some(sentence);
        self
    }

    pub(crate) fn finding(mut self, found: &str) -> Self {
        self.0.found = found.to_owned();
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let details = &*self.0;
        if let Some(path) = &details.path {
            write!(OneLine(f), "{}: ", path.display())?;
        }
        if let Some(subject) = details.subject {
            write!(f, "{subject}: ")?;
        }
        if let Some(sentence) = &details.sentence {
            f.write_str(sentence)?;
        } else {
            if let Some(place) = &details.place {
                write!(f, "{place}: ")?;
            }
            write!(f, "expected {}, found {}", details.expected, details.found)?;
        }
        details.advice.as_ref().map_or(Ok(()), |advice| write!(f, "; {advice}"))
    }
}

/// Escapes what would end a line or steer a terminal: names of files may hold anything.
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
