//! Files that arrive bit by bit, and get their name when all of them is there.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// A file beside its target, under a name that says it is not finished; removed when dropped, unless it has been given
/// its final name or is kept to be resumed. Whoever writes holds the lock of the folder, so the name is free, or a
/// remnant of a process that was killed.
///
/// [`durable_file::Staged`] gives a staged file a name of its own, which no later process knows. Here it is always the
/// same, so that a later process continues; the naming at the end is [`durable_file::publish`] all the same.
pub(crate) struct PartialFile {
    path: PathBuf,
    note: PathBuf,
    target: PathBuf,
    file: File,
    is_kept: bool,
}

/// Of which file the bytes are that are there already: enough to ask for the rest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Provenance {
    /// Where they came from.
    pub(crate) address: String,
    /// The server's word for this version of the file: a strong ETag, or the time of its last change.
    pub(crate) validator: String,
}

impl PartialFile {
    /// An empty file that will become `target`.
    pub(crate) fn create(target: &Path) -> Result<Self> {
        let (path, note) = names(target);
        // The bytes go before the note does, so that a note never speaks of other bytes.
        let _ = fs::remove_file(&path);
        let _ = fs::remove_file(&note);
        match File::create_new(&path) {
            Ok(file) => Ok(Self { path, note, target: target.to_path_buf(), file, is_kept: false }),
            Err(error) => Err(Error::io("create", &path, error)),
        }
    }

    /// An empty file that will become `target`, with a note of where its bytes come from, so that a later process can
    /// continue where this one ends.
    pub(crate) fn create_resumable(target: &Path, provenance: &Provenance) -> Result<Self> {
        let mut partial = PartialFile::create(target)?;
        let text = serde_json::to_string(provenance).expect("two strings have a JSON form");
        durable_file::write(&partial.note, text.as_bytes())
            .map_err(|error| Error::io("write", &partial.note, error))?;
        partial.is_kept = true;
        Ok(partial)
    }

    /// What an earlier attempt at `target` left, and where it came from; `None` where there is nothing to continue.
    pub(crate) fn left_behind(target: &Path) -> Option<(Provenance, u64)> {
        let (path, note) = names(target);
        let provenance = serde_json::from_slice(&fs::read(note).ok()?).ok()?;
        let metadata = fs::symlink_metadata(path).ok()?;
        (metadata.is_file() && metadata.len() > 0).then_some((provenance, metadata.len()))
    }

    /// Continues what an earlier attempt left, after `n_bytes` of it.
    pub(crate) fn resume(target: &Path, n_bytes: u64) -> Result<Self> {
        let (path, note) = names(target);
        let opened = OpenOptions::new().read(true).write(true).open(&path).and_then(|mut file| {
            file.set_len(n_bytes)?;
            file.seek(SeekFrom::End(0))?;
            Ok(file)
        });
        match opened {
            Ok(file) => Ok(Self { path, note, target: target.to_path_buf(), file, is_kept: true }),
            Err(error) => Err(Error::io("open", &path, error)),
        }
    }

    /// Removes what an earlier attempt at `target` left.
    pub(crate) fn discard(target: &Path) {
        let (path, note) = names(target);
        let _ = fs::remove_file(path);
        let _ = fs::remove_file(note);
    }

    /// Where the bytes are until they get their final name.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Appends `bytes`.
    pub(crate) fn append(&mut self, bytes: &[u8]) -> Result<()> {
        self.file.write_all(bytes).map_err(|error| {
            // On a full disk the room is needed for other things, and on a failing one nothing here can be trusted.
            self.is_kept = false;
            Error::io("write", &self.path, error)
        })
    }

    /// Does not keep the file if it is not finished.
    pub(crate) fn forget(&mut self) {
        self.is_kept = false;
    }

    /// Gives the file its final name, replacing what bears it, once the disk has all of it.
    pub(crate) fn publish(mut self) -> Result<()> {
        self.is_kept = false;
        durable_file::publish(&self.file, &self.path, &self.target)
            .map_err(|error| Error::io("replace", &self.target, error))?;
        // The file is there and whole. Where folders cannot be synced, its name is as safe as the system makes it.
        let _ = durable_file::sync_folder_of(&self.target);
        Ok(())
    }
}

/// Appends, so that a converter can write into it.
impl Write for &PartialFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        (&self.file).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for PartialFile {
    fn drop(&mut self) {
        if !self.is_kept {
            // After a rename nothing bears these names any more but the note.
            let _ = fs::remove_file(&self.path);
            let _ = fs::remove_file(&self.note);
        }
    }
}

/// The names of the unfinished file and of the note about it.
fn names(target: &Path) -> (PathBuf, PathBuf) {
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    (target.with_file_name(format!(".{name}.partial")), target.with_file_name(format!(".{name}.partial-from")))
}
