//! A file as its publisher describes it, and what a file on the disk is worth beside it.

use std::fmt;
use std::fs;
use std::io;
use std::path::Path;

use crate::digest::{FileStatus, Hash, HashKind, hash_content, hash_file};
use crate::error::{Error, Result};

/// A file as it lies on a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Published {
    /// A plain name, the same on every mirror.
    pub(crate) name: String,
    pub(crate) length: Length,
    pub(crate) hash: Hash,
    /// The SHA-256 of what it unpacks to, if known.
    pub(crate) content: Option<Hash>,
}

/// What is known about a length in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Length {
    Exactly(u64),
    AtMost(u64),
}

impl Length {
    /// The greatest possible length.
    pub(crate) fn most(self) -> u64 {
        match self {
            Length::Exactly(n_bytes) | Length::AtMost(n_bytes) => n_bytes,
        }
    }

    /// Whether a file may have so many bytes.
    pub(crate) fn admits(self, n_bytes: u64) -> bool {
        match self {
            Length::Exactly(expected) => n_bytes == expected,
            Length::AtMost(most) => n_bytes <= most,
        }
    }
}

impl fmt::Display for Length {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Length::Exactly(n_bytes) => write!(f, "{n_bytes}"),
            Length::AtMost(n_bytes) => write!(f, "at most {n_bytes}"),
        }
    }
}

/// What is at `path`, compared with what was published.
pub(crate) fn status(file: &Published, path: &Path) -> Result<FileStatus> {
    Ok(check(file, path)?.0)
}

/// What is at `path`, compared with what was published, and by which hash it is known. A file that was unpacked or packed
/// anew on its way here is known by the hash of its content, where that was published too.
pub(crate) fn check(file: &Published, path: &Path) -> Result<(FileStatus, HashKind)> {
    let kind = file.hash.kind();
    let metadata = match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((FileStatus::Missing, kind)),
        Err(error) => return Err(Error::io("read", path, error)),
        Ok(metadata) => metadata,
    };
    if !metadata.is_file() {
        return Ok((FileStatus::Damaged("is not a regular file".to_owned()), kind));
    }
    let how = if file.length.admits(metadata.len()) {
        let found = hash_file(path, file.hash.hasher())?;
        if found == file.hash {
            return Ok((FileStatus::Verified, kind));
        }
        format!("has {found}, expected {}", file.hash)
    } else {
        describe_length(metadata.len(), file.length)
    };
    match &file.content {
        Some(content) if hash_content(path, content.hasher())?.as_ref() == Some(content) => {
            Ok((FileStatus::Verified, content.kind()))
        }
        _ => Ok((FileStatus::Damaged(how), kind)),
    }
}

/// "has 7 bytes, expected 53".
pub(crate) fn describe_length(found: u64, expected: Length) -> String {
    format!("has {found} bytes, expected {expected}")
}
