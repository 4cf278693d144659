//! Files that are either the old one or the whole new one, never half of it.
//!
//! A file that is written in place is half a file for a while, and for ever if the process is killed then. Here its bytes
//! go to a *staged* file beside it, which is synced and then renamed; at last the folder is synced, so that the new name
//! survives a power failure too (the order is that of Pillai et al. 2014, "All file systems are not created equal").
//!
//! ```
//! let folder = tempfile::tempdir()?;
//! let path = folder.path().join("answer.txt");
//! durable_file::write(&path, b"42\n")?;
//! assert_eq!(durable_file::read(&path)?, b"42\n");
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! What does not fit into memory is written into a [`Staged`] file; several of them can be written before the first one
//! gets its name. All errors are those of the operating system: the caller knows which file it was about.
//!
//! [`FolderLock`] keeps other processes out of a folder meanwhile ([`lock`]).
//!
//! With the feature `faults`, which only tests ask for, the process can be killed and the operating system made to fail at
//! each step (`src/fault.rs`).

#![warn(clippy::print_stdout, clippy::print_stderr, clippy::exit)]

mod fault;
pub mod lock;

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

pub use crate::lock::{FolderLock, LockError};

use crate::fault::{Step, reach};

/// Writes `bytes` to `path`: staged in a file beside it, synced, renamed; then the folder is synced.
///
/// A process that is killed meanwhile leaves the old file under `path`, or the new one, and perhaps a staged one that
/// [`is_staged`] knows.
///
/// # Errors
///
/// If the file system refuses any of these. The old file, if any, is then unchanged, unless only the folder could not be
/// synced.
pub fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut staged = Staged::create(path)?;
    // In two parts, so that a fault can strike in the middle.
    let (first, second) = bytes.split_at(bytes.len() / 2);
    staged.write_all(first)?;
    staged.write_all(second)?;
    staged.commit()
}

/// Writes files of the given names into `folder`, which is made if it is missing: each as [`write()`] does, but the folder is
/// synced once, behind the last. Returns their paths.
///
/// # Errors
///
/// At the first file that cannot be written: its path, and why. Those before it are written.
pub fn write_all<'a>(
    folder: &Path,
    files: impl IntoIterator<Item = (String, &'a [u8])>,
) -> Result<Vec<PathBuf>, (PathBuf, io::Error)> {
    fs::create_dir_all(folder).map_err(|error| (folder.to_path_buf(), error))?;
    let mut written = Vec::new();
    for (name, bytes) in files {
        let path = folder.join(name);
        let staged = Staged::create(&path).and_then(|mut staged| staged.write_all(bytes).map(|()| staged));
        staged.and_then(Staged::rename).map_err(|error| (path.clone(), error))?;
        written.push(path);
    }
    match written.last().map(|path| sync_folder_of(path)) {
        Some(Err(error)) => Err((folder.to_path_buf(), error)),
        _ => Ok(written),
    }
}

/// A file that is being written and does not bear its name yet; removed when it is dropped without [`Staged::commit`].
#[derive(Debug)]
pub struct Staged {
    target: PathBuf,
    path: PathBuf,
    file: File,
    has_name: bool,
}

impl Staged {
    /// An empty file that will become `target`.
    ///
    /// # Errors
    ///
    /// If it cannot be made beside `target`, or `target` has no file name.
    pub fn create(target: &Path) -> io::Result<Self> {
        let (path, file) = create_staged(target)?;
        Ok(Self { target: target.to_path_buf(), path, file, has_name: false })
    }

    /// Waits until the disk has all of it. [`Staged::commit`] does, too; this is for several files of which none is to get
    /// its name before all of them are there.
    ///
    /// # Errors
    ///
    /// If the file system refuses.
    pub fn sync(&self) -> io::Result<()> {
        reach(Step::Sync, &self.path)?;
        self.file.sync_all()
    }

    /// Gives the file its name, in place of the file that bears it, once the disk has all of it; then the folder is synced.
    ///
    /// # Errors
    ///
    /// If the file system refuses. What bore the name before is then unchanged, unless only the folder could not be synced.
    pub fn commit(self) -> io::Result<()> {
        let target = self.target.clone();
        self.rename()?;
        sync_folder_of(&target)
    }

    fn rename(mut self) -> io::Result<()> {
        publish(&self.file, &self.path, &self.target)?;
        self.has_name = true;
        Ok(())
    }
}

impl Write for Staged {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        reach(Step::Write, &self.path)?;
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        if !self.has_name {
            // Nothing more can be done if even this fails; the first error is the one to report.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Syncs `file`, which lies at `path`, and gives it the name `target`. The folder remains to be synced
/// ([`sync_folder_of`]). For files that are staged by other means, such as downloads that a later process goes on with.
///
/// # Errors
///
/// If the file system refuses.
pub fn publish(file: &File, path: &Path, target: &Path) -> io::Result<()> {
    reach(Step::Sync, path)?;
    file.sync_all()?;
    reach(Step::Rename, target)?;
    fs::rename(path, target)
}

/// Syncs the folder that `path` lies in, so that a name given there lasts. Only Unix lets a program do so; elsewhere this
/// does nothing.
///
/// # Errors
///
/// If the file system refuses.
pub fn sync_folder_of(path: &Path) -> io::Result<()> {
    reach(Step::SyncFolder, path)?;
    if cfg!(unix) { File::open(folder_of(path))?.sync_all() } else { Ok(()) }
}

/// Removes the file at `path`, if there is one.
///
/// # Errors
///
/// If the file system refuses.
pub fn remove(path: &Path) -> io::Result<()> {
    reach(Step::Remove, path)?;
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Whether a file of this name was staged here and has not got its final name: `.NAME.PROCESS-NUMBER.tmp`. What others call
/// `.mine.tmp` is theirs.
///
/// ```
/// assert!(durable_file::is_staged(".answer.txt.4711-0.tmp".as_ref()));
/// assert!(!durable_file::is_staged(".answer.txt.tmp".as_ref()));
/// ```
pub fn is_staged(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    name.strip_prefix('.')
        .and_then(|name| name.strip_suffix(STAGED)?.rsplit_once('.'))
        .and_then(|(target, writer)| Some((target, writer.split_once('-')?)))
        .is_some_and(|(target, (process, number))| !target.is_empty() && is_number(process) && is_number(number))
}

/// Reads a whole file, refusing what is not a regular file: opening a pipe could wait for ever.
///
/// # Errors
///
/// If it is not a regular file, or cannot be read.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "this is not a regular file"));
    }
    fs::read(path)
}

/// What was saved in place of the file that was wanted, by its first bytes, as a person would say it: nothing, a web page, or
/// the pointer that Git LFS leaves where a large file has not been fetched. `None` for all other bytes.
///
/// ```
/// assert_eq!(durable_file::substitute(b""), Some("an empty file"));
/// assert!(durable_file::substitute(b" <!DOCTYPE html>").is_some_and(|text| text.contains("HTML")));
/// assert!(durable_file::substitute(b"version https://git-lfs.github.com/spec/v1").is_some_and(|text| text.contains("LFS")));
/// assert_eq!(durable_file::substitute(b"42"), None);
/// ```
pub fn substitute(beginning: &[u8]) -> Option<&'static str> {
    const HTML: [&str; 6] = ["<!doctype html", "<html", "<head", "<body", "<title", "<!--"];
    const ENOUGH: usize = 512;
    if beginning.is_empty() {
        return Some("an empty file");
    }
    let text = String::from_utf8_lossy(&beginning[..beginning.len().min(ENOUGH)]);
    let text = text.trim_start_matches('\u{feff}').trim_start().to_ascii_lowercase();
    if HTML.iter().any(|tag| text.starts_with(tag)) {
        return Some("an HTML page, probably a failed download");
    }
    text.starts_with("version https://git-lfs")
        .then_some("a Git LFS pointer instead of the file itself, which `git lfs pull` fetches")
}

/// What a person can do about an error of the operating system, after a semicolon: "; free some space …"; empty where there
/// is nothing to say.
pub fn advice(error: &io::Error) -> &'static str {
    // "Too many open files" has no kind of its own in the standard library.
    const EMFILE: i32 = 24;
    match error.kind() {
        io::ErrorKind::NotFound => "; check the path",
        io::ErrorKind::PermissionDenied => "; check the permissions of the file and its folder",
        io::ErrorKind::ReadOnlyFilesystem => "; name a folder that can be written",
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "; free some space and run the command again",
        _ if cfg!(unix) && error.raw_os_error() == Some(EMFILE) => "; raise the limit of open files (`ulimit -n`)",
        _ => "",
    }
}

/// How the names of staged files end.
const STAGED: &str = ".tmp";

/// A new file under a name that no other writer is using, in this process or another, on this machine or, where the
/// folder is shared, another; its leading dot keeps it out of listings.
fn create_staged(path: &Path) -> io::Result<(PathBuf, File)> {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let name =
        path.file_name().ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "the path has no file name"))?;
    loop {
        let mut staged = std::ffi::OsString::from(".");
        staged.push(name);
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        staged.push(format!(".{}-{number}{STAGED}", std::process::id()));
        let staged = path.with_file_name(staged);
        reach(Step::Create, &staged)?;
        match File::create_new(&staged) {
            // What another machine's process of this number is writing, or has left behind.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            created => return created.map(|file| (staged, file)),
        }
    }
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Its program is compiled and run with the documentation's.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
