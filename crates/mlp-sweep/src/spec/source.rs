//! Configuration files as text, and places in them that a message can point at.

use std::fmt::Write as _;
use std::fs::File;
use std::io::Read;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use crate::error::{Error, Result};

/// No honest configuration is longer.
const MAX_BYTES: u64 = 1 << 20;

/// Where something was written.
#[derive(Clone, Debug)]
pub(super) enum Place {
    /// Bytes of a file.
    File { source: Arc<Source>, span: Range<usize> },
    /// The text after `--set`.
    Argument(String),
    /// A program, which knows where.
    Program,
}

/// A file as it was read.
#[derive(Debug)]
pub(super) struct Source {
    /// What messages call it.
    pub(super) name: String,
    pub(super) text: String,
}

impl Place {
    /// The error with `message` at this place, with the line it is in where that is not too long to help.
    pub(super) fn error(&self, message: &str) -> Error {
        match self {
            Place::Argument(argument) => Error::specification(format!("--set {}: {message}", printable(argument))),
            Place::File { source, span } => Error::specification(source.point_at(span, message)),
            Place::Program => Error::specification(message),
        }
    }

    /// Another part of the same file; the same place for an argument.
    pub(super) fn at(&self, span: &Range<usize>) -> Place {
        match self {
            Place::File { source, .. } => Place::File { source: Arc::clone(source), span: span.clone() },
            Place::Argument(_) | Place::Program => self.clone(),
        }
    }
}

impl Source {
    /// `message` after the place of `span`, and the line with a mark below.
    fn point_at(&self, span: &Range<usize>, message: &str) -> String {
        let text = &self.text;
        let start = floor_char_boundary(text, span.start);
        let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
        let line_number = text[..start].matches('\n').count() + 1;
        let line = text[line_start..].lines().next().unwrap_or("");
        let indent = text[line_start..start].chars().count();
        let mut shown = format!("{}:{line_number}:{}: {message}", self.name, indent + 1);
        if line.chars().count() > 120 {
            return shown;
        }
        let end = floor_char_boundary(text, span.end.clamp(start, start.max(line_start + line.len())));
        let width = text.get(start..end).map_or(1, |marked| marked.chars().count().max(1));
        let number = line_number.to_string();
        let gutter = " ".repeat(number.len());
        let (indent, mark) = (" ".repeat(indent), "^".repeat(width));
        let _ = write!(shown, "\n {number} | {}\n {gutter} | {indent}{mark}", printable(line));
        shown
    }
}

/// The last boundary of a character at or before `at`. The standard library has one since Rust 1.91.
fn floor_char_boundary(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0)
}

/// The text of a configuration file, if it can be one.
pub(super) fn read_text(path: &Path) -> Result<String> {
    let failed = |error: std::io::Error| Error::io("read the configuration", path, error);
    let metadata = std::fs::metadata(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => {
            Error::specification(format!("{}: no such configuration file; check the path", path.display()))
        }
        _ => failed(error),
    })?;
    if !metadata.is_file() {
        return Err(Error::specification(format!(
            "{}: expected a configuration file, found something else (a folder or a device)",
            path.display()
        )));
    }
    let too_long = |found: String| {
        Error::specification(format!(
            "{}: expected a configuration of at most {MAX_BYTES} bytes, found {found}; is it the right file?",
            path.display()
        ))
    };
    if metadata.len() > MAX_BYTES {
        return Err(too_long(format!("{} bytes", metadata.len())));
    }
    let mut bytes = Vec::new();
    File::open(path).and_then(|file| file.take(MAX_BYTES + 1).read_to_end(&mut bytes)).map_err(failed)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(too_long("more".to_owned()));
    }
    if bytes.starts_with(b"\xef\xbb\xbf") {
        return Err(Error::specification(format!(
            "{}:1:1: expected TOML, found a byte order mark before it; save the file as UTF-8 without BOM",
            path.display()
        )));
    }
    String::from_utf8(bytes).map_err(|error| {
        let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = valid.iter().filter(|byte| **byte == b'\n').count() + 1;
        let line_start = valid.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let column = String::from_utf8_lossy(&valid[line_start..]).chars().count() + 1;
        Error::specification(format!(
            "{}:{line}:{column}: expected UTF-8 text, found the byte 0x{:02x}; save the file as UTF-8",
            path.display(),
            error.as_bytes()[valid.len()],
        ))
    })
}

/// `text` without characters that a terminal would obey.
fn printable(text: &str) -> String {
    let visible = |character: char| match character {
        '\t' => ' '.to_string(),
        character if character.is_control() => character.escape_default().to_string(),
        character => character.to_string(),
    };
    text.chars().map(visible).collect()
}
