//! Files that are there in full or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::failure::Failure;

/// A file beside its target, under a name that says it is not finished; removed when dropped, unless it has been given
/// its final name or is kept to be resumed. Whoever writes holds the lock of the folder, so the name is free, or a
/// remnant of a process that was killed.
pub(crate) struct Partial {
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

impl Partial {
    /// An empty file that will become `target`.
    pub(crate) fn create(target: &Path) -> Result<Self, Failure> {
        let (path, note) = names(target);
        // The bytes go before the note does, so that a note never speaks of other bytes.
        let _ = fs::remove_file(&path);
        let _ = fs::remove_file(&note);
        match File::create_new(&path) {
            Ok(file) => Ok(Partial { path, note, target: target.to_path_buf(), file, is_kept: false }),
            Err(error) => Err(Failure::io("create", &path, &error)),
        }
    }

    /// An empty file that will become `target`, with a note of where its bytes come from, so that a later process can go
    /// on where this one ends.
    pub(crate) fn create_resumable(target: &Path, provenance: &Provenance) -> Result<Self, Failure> {
        let mut partial = Partial::create(target)?;
        partial.is_kept = true;
        let text = serde_json::to_string(provenance).expect("two strings have a JSON form");
        fs::write(&partial.note, text).map_err(|error| {
            partial.is_kept = false;
            Failure::io("write", &partial.note, &error)
        })?;
        Ok(partial)
    }

    /// What an earlier attempt at `target` left, and where it came from; `None` where there is nothing to go on with.
    pub(crate) fn left_behind(target: &Path) -> Option<(Provenance, u64)> {
        let (path, note) = names(target);
        let provenance = serde_json::from_slice(&fs::read(note).ok()?).ok()?;
        let metadata = fs::symlink_metadata(path).ok()?;
        (metadata.is_file() && metadata.len() > 0).then_some((provenance, metadata.len()))
    }

    /// Goes on with what an earlier attempt left, after `n_bytes` of it.
    pub(crate) fn resume(target: &Path, n_bytes: u64) -> Result<Self, Failure> {
        let (path, note) = names(target);
        let opened = OpenOptions::new().read(true).write(true).open(&path).and_then(|mut file| {
            file.set_len(n_bytes)?;
            file.seek(SeekFrom::End(0))?;
            Ok(file)
        });
        match opened {
            Ok(file) => Ok(Partial { path, note, target: target.to_path_buf(), file, is_kept: true }),
            Err(error) => Err(Failure::io("open", &path, &error)),
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
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        (&self.file).write_all(bytes).map_err(|error| {
            // On a full disk the room is needed for other things, and on a failing one nothing here can be trusted.
            self.is_kept = false;
            Failure::io("write", &self.path, &error)
        })
    }

    /// Does not keep the file if it is not finished.
    pub(crate) fn forget(&mut self) {
        self.is_kept = false;
    }

    /// Gives the file its final name, replacing what bears it, once the disk has all of it.
    pub(crate) fn persist(mut self) -> Result<(), Failure> {
        self.is_kept = false;
        self.file.sync_all().map_err(|error| Failure::io("write", &self.path, &error))?;
        fs::rename(&self.path, &self.target).map_err(|error| Failure::io("replace", &self.target, &error))?;
        // Makes the folder remember the rename. Where folders cannot be synced, it is as safe as the system makes it.
        if let Some(folder) = self.target.parent() {
            let _ = File::open(folder).and_then(|folder| folder.sync_all());
        }
        Ok(())
    }
}

/// Appends, so that a converter can write into it.
impl Write for &Partial {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        (&self.file).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Partial {
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
