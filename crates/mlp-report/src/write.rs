//! The files of a report on the disk.

use std::path::{Path, PathBuf};
use std::{fs, io};

use crate::canvas::MARK;
use crate::error::ReportError;

/// Replaces `path` by a file of these bytes. Its folder is made if it is missing.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<(), ReportError> {
    let folder = path.parent().map_or(Ok(()), fs::create_dir_all);
    folder.and_then(|()| durable_file::write(path, bytes)).map_err(|source| write_error(path, source))
}

/// [`replace`] for files of the given names in `dir`, whose paths it returns.
pub(crate) fn replace_all<'a>(
    dir: &Path,
    files: impl IntoIterator<Item = (String, &'a [u8])>,
) -> Result<Vec<PathBuf>, ReportError> {
    durable_file::write_all(dir, files).map_err(|(path, source)| write_error(&path, source))
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

fn write_error(path: &Path, source: io::Error) -> ReportError {
    ReportError::Write { path: path.to_owned(), source }
}

fn is_ours(path: &Path) -> bool {
    use io::Read as _;
    let mut start = String::new();
    let read = fs::File::open(path).and_then(|file| file.take(256).read_to_string(&mut start));
    read.is_ok() && start.contains(MARK)
}
