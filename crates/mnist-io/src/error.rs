//! The one error type of this crate: a kind to act on, and the file and the place in it to look at.

use std::fmt::{self, Write};
use std::io;
use std::path::{Path, PathBuf};

/// The result of everything in this crate that can fail.
pub type Result<T> = std::result::Result<T, Error>;

/// What a caller can do about an [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Something could not be read or written: it is missing, forbidden, not a regular file, or the disk is full.
    Io,
    /// It was read, and its content is not what it must be: damaged, cut off, of another format, or without a digit.
    Data,
    /// The caller asked for something that does not exist: an unknown name or a value outside its range.
    Argument,
}

/// What went wrong, in which file, at which byte.
///
/// Its text is one line that names the file, the place, what was expected, what was found and what to do next:
///
/// ```
/// let error = mnist_io::IdxArray::from_bytes(b"<!DOCTYPE html><title>404</title>").unwrap_err();
/// assert_eq!(error.kind(), mnist_io::ErrorKind::Data);
/// assert_eq!(error.position(), Some(0));
/// assert!(error.to_string().contains("an HTML page, probably a failed download"));
/// ```
pub struct Error(Box<Details>);

struct Details {
    kind: ErrorKind,
    path: Option<PathBuf>,
    position: Option<Position>,
    expected: String,
    found: String,
    advice: String,
    io_error: Option<io::Error>,
    causes: Vec<Error>,
}

#[derive(Clone, Copy)]
enum Position {
    File(u64),
    Unpacked(u64),
}

impl Error {
    /// What sort of failure this is.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The file or folder in question; `None` where bytes, a reader or an argument was given.
    pub fn path(&self) -> Option<&Path> {
        self.0.path.as_deref()
    }

    /// The offset in bytes at which reading stopped. In a gzip stream it counts unpacked bytes when the unpacked
    /// content is at fault ([`Error::is_position_unpacked`]), and bytes of the file when the compression is.
    pub fn position(&self) -> Option<u64> {
        self.0.position.map(|position| match position {
            Position::File(offset) | Position::Unpacked(offset) => offset,
        })
    }

    /// Whether [`Error::position`] counts unpacked bytes of a gzip stream.
    pub fn is_position_unpacked(&self) -> bool {
        matches!(self.0.position, Some(Position::Unpacked(_)))
    }

    /// What should have been there.
    pub fn expected(&self) -> &str {
        &self.0.expected
    }

    /// What was there.
    pub fn found(&self) -> &str {
        &self.0.found
    }

    /// What to do next.
    pub fn advice(&self) -> &str {
        &self.0.advice
    }

    /// The operating system's error, where there was one. Its text is part of this error's text already, so
    /// [`std::error::Error::source`] does not repeat it.
    pub fn io_error(&self) -> Option<&io::Error> {
        self.0.io_error.as_ref()
    }

    /// Where many files were read at once ([`import_images`](crate::import_images)), what is wrong with each; empty otherwise.
    pub fn causes(&self) -> &[Error] {
        &self.0.causes
    }

    pub(crate) fn data(expected: impl Into<String>, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self::new(ErrorKind::Data, expected.into(), found.into(), advice.into())
    }

    pub(crate) fn argument(expected: impl Into<String>, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self::new(ErrorKind::Argument, expected.into(), found.into(), advice.into())
    }

    pub(crate) fn io(expected: impl Into<String>, source: io::Error, advice: impl Into<String>) -> Self {
        let mut error = Self::new(ErrorKind::Io, expected.into(), source.to_string(), advice.into());
        error.0.io_error = Some(source);
        error
    }

    fn new(kind: ErrorKind, expected: String, found: String, advice: String) -> Self {
        Self(Box::new(Details {
            kind,
            path: None,
            position: None,
            expected,
            found,
            advice,
            io_error: None,
            causes: Vec::new(),
        }))
    }

    pub(crate) fn at_byte(mut self, offset: u64) -> Self {
        self.0.position = Some(Position::File(offset));
        self
    }

    pub(crate) fn at_unpacked_byte(mut self, offset: u64) -> Self {
        self.0.position = Some(Position::Unpacked(offset));
        self
    }

    pub(crate) fn caused_by(mut self, causes: Vec<Error>) -> Self {
        self.0.causes = causes;
        self
    }

    pub(crate) fn in_file(mut self, path: &Path) -> Self {
        self.0.path = Some(path.to_path_buf());
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let details = &*self.0;
        let mut line = OneLine(f);
        match (&details.path, details.position) {
            (Some(path), None) => write!(line, "{}: ", path.display())?,
            (Some(path), Some(position)) => write!(line, "{}, {position}: ", path.display())?,
            (None, Some(position)) => write!(line, "{position}: ")?,
            (None, None) => {}
        }
        write!(line, "expected {}, found {}; {}", details.expected, details.found, details.advice)
    }
}

/// The text of another library's error in one line: some of them hold line breaks, or quote a text with escaped ones.
pub(crate) fn in_one_line(error: impl fmt::Display) -> String {
    let text = error.to_string().replace("\\n\"", "\"").replace("\\n", " ");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
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

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Position::File(offset) => write!(f, "byte {offset}"),
            Position::Unpacked(offset) => write!(f, "byte {offset} of the unpacked data"),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Error({:?}: {self})", self.0.kind)
    }
}

impl std::error::Error for Error {}
