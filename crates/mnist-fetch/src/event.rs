//! What happens during a fetch, for whoever watches.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::digest::{FileStatus, HashKind};

/// What happens during [`Fetcher::fetch_with`](crate::Fetcher::fetch_with), in this order for each file: `Started`; for
/// each attempt `Trying`, `Received` again and again, and `AttemptFailed` if it fails; `Arrived`; at last `Ready`. A file
/// that is there already is only `Ready`, one that comes out of an archive has no `Started`.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum FetchEvent<'a> {
    /// A file is not here and will be fetched.
    Started {
        /// Its published name.
        file: &'a str,
        /// Its length in bytes, or the most it can be.
        n_total: u64,
    },
    /// A source is asked for it.
    Trying {
        /// Its published name.
        file: &'a str,
        /// Its address or path there.
        place: &'a str,
        /// Which attempt at this source it is, from 1.
        attempt: u32,
    },
    /// Bytes have arrived.
    Received {
        /// The file's published name.
        file: &'a str,
        /// How many of its bytes are here now, with those of an earlier attempt that this one continues.
        n_received: u64,
        /// Its length in bytes, or the most it can be.
        n_total: u64,
    },
    /// An attempt failed.
    AttemptFailed {
        /// The file's published name.
        file: &'a str,
        /// Its address or path at the source.
        place: &'a str,
        /// What went wrong.
        reason: &'a str,
        /// How long the next attempt at the same source is waited for; `None` if it is the last one there.
        pause: Option<Duration>,
    },
    /// A file has been fetched and verified.
    Arrived {
        /// Its published name.
        file: &'a str,
    },
    /// A file of the data set is in its place, verified.
    Ready(&'a FetchedFile),
    /// A file of the data set is missing or damaged, and what was named as the source was another file.
    StillMissing {
        /// Where it would be.
        path: &'a Path,
    },
    /// An archive was fetched. It serves other data sets too; whoever has all that is wanted can delete it.
    ArchiveKept {
        /// Where it is.
        path: &'a Path,
    },
    /// The file system has no locks, so nothing keeps other processes out of a folder.
    NoLocks {
        /// That folder.
        folder: &'a Path,
    },
}

/// A data set that is in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FetchedSet {
    /// Where it is; `mnist_io::LabeledImages::load_folder` reads it.
    pub folder: PathBuf,
    /// Its files in the manifest's order.
    pub files: Vec<FetchedFile>,
    /// The files that are still missing: none, unless the source was one file of several.
    pub missing: Vec<PathBuf>,
}

/// A file in its place, verified.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FetchedFile {
    /// Where it is.
    pub path: PathBuf,
    /// Its length.
    pub n_bytes: u64,
    /// What was there before: [`FileStatus::Verified`] if it had not to be fetched.
    pub before: FileStatus,
    /// By what it was verified.
    pub verified_by: HashKind,
}
