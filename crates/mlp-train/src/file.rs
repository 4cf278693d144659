//! Files that are either the old one or the whole new one, never half of it.
//!
//! Everything that this project keeps is written through here, so that there is one place where a crash, a full disk or
//! a broken one can do harm, and one place where tests make them happen (`fault`).

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::fault::{Step, reach};

/// Writes `bytes` to `path`: staged in a file beside it, synced, renamed; then the folder is synced, so that the new
/// name survives a power failure too.
///
/// A process that is killed meanwhile leaves the old file under `path`, or the new one, and perhaps a staged one that
/// [`is_staged`] knows.
///
/// # Errors
///
/// If the file system refuses any of these. The old file, if any, is then unchanged, unless only the folder could not be
/// synced.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let (staged, file) = create_staged(path)?;
    let result =
        write_synced(file, bytes, &staged).and_then(|()| rename(&staged, path)).and_then(|()| sync_folder(path));
    if result.is_err() {
        // Nothing more can be done if even this fails; the first error is the one to report.
        let _ = fs::remove_file(&staged);
    }
    result
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

/// Whether a file of this name was staged by [`write_atomically`] and has not got its final name.
pub fn is_staged(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    name.starts_with('.') && name.ends_with(STAGED)
}

/// Reads a whole file, refusing what is no regular file: opening a pipe could wait for ever.
pub(crate) fn read_regular(path: &Path) -> io::Result<Vec<u8>> {
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "this is not a regular file"));
    }
    fs::read(path)
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

fn write_synced(mut file: File, bytes: &[u8], path: &Path) -> io::Result<()> {
    // In two parts, so that a fault can strike in the middle.
    let (first, second) = bytes.split_at(bytes.len() / 2);
    for part in [first, second] {
        reach(Step::Write, path)?;
        file.write_all(part)?;
    }
    reach(Step::Sync, path)?;
    file.sync_all()
}

fn rename(staged: &Path, path: &Path) -> io::Result<()> {
    reach(Step::Rename, path)?;
    fs::rename(staged, path)
}

#[cfg(unix)]
fn sync_folder(path: &Path) -> io::Result<()> {
    reach(Step::SyncFolder, path)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

/// Only Unix lets a program open a folder in order to sync it.
#[cfg(not(unix))]
fn sync_folder(path: &Path) -> io::Result<()> {
    reach(Step::SyncFolder, path)
}
