//! Files that are there in full or not at all.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::{fs, io};

use crate::canvas::MARK;
use crate::error::ReportError;

/// Replaces `path` atomically: the bytes are staged in a file beside it, synced, and renamed. Its folder is made if it
/// is missing.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<(), ReportError> {
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let failed = |source| ReportError::Write { path: path.to_owned(), source };
    replace_unsynced(dir, path, bytes).and_then(|()| sync_folder(dir)).map_err(failed)
}

/// [`replace`] for files of the given names in `dir`, whose paths it returns. The folder is synced once, behind the last.
pub(crate) fn replace_all<'a>(
    dir: &Path,
    files: impl IntoIterator<Item = (String, &'a [u8])>,
) -> Result<Vec<PathBuf>, ReportError> {
    let mut written = Vec::new();
    for (name, bytes) in files {
        let path = dir.join(name);
        replace_unsynced(dir, &path, bytes).map_err(|source| ReportError::Write { path: path.clone(), source })?;
        written.push(path);
    }
    if !written.is_empty() {
        sync_folder(dir).map_err(|source| ReportError::Write { path: dir.to_owned(), source })?;
    }
    Ok(written)
}

/// Removes the SVG files in `dir` that an earlier report wrote and this one did not. Files of others stay.
pub(crate) fn remove_stale_plots(dir: &Path, written: &[PathBuf]) -> Result<(), ReportError> {
    let failed = |source| ReportError::Write { path: dir.to_owned(), source };
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed(error)),
    };
    for entry in entries {
        let path = entry.map_err(failed)?.path();
        let is_svg = path.extension().is_some_and(|extension| extension == "svg") && path.is_file();
        if is_svg && !written.contains(&path) && is_ours(&path) {
            fs::remove_file(&path).map_err(|source| ReportError::Write { path, source })?;
        }
    }
    Ok(())
}

fn replace_unsynced(dir: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    fs::create_dir_all(dir)?;
    let mut staged = tempfile::Builder::new().prefix(".staged-").tempfile_in(dir)?;
    staged.write_all(bytes)?;
    make_readable(staged.as_file())?;
    staged.as_file().sync_all()?;
    staged.persist(path)?;
    Ok(())
}

/// Temporary files are private to their owner; a report is for everybody who may read the folder.
#[cfg(unix)]
fn make_readable(file: &fs::File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    file.set_permissions(fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn make_readable(_: &fs::File) -> io::Result<()> {
    Ok(())
}

/// Makes the renames themselves durable, where folders can be opened.
#[cfg(unix)]
fn sync_folder(dir: &Path) -> io::Result<()> {
    fs::File::open(dir)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

fn is_ours(path: &Path) -> bool {
    use io::Read as _;
    let mut start = String::new();
    let read = fs::File::open(path).and_then(|file| file.take(256).read_to_string(&mut start));
    read.is_ok() && start.contains(MARK)
}
