//! Files that are there in full or not at all.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::failure::Failure;

/// A file beside its target, under a name that says it is not finished; removed when dropped, unless it has been given
/// its final name. Whoever writes holds the lock of the folder, so the name is free, or a remnant of a process that was
/// killed.
pub(crate) struct Partial {
    path: PathBuf,
    target: PathBuf,
    file: File,
}

impl Partial {
    /// An empty file that will become `target`.
    pub(crate) fn create(target: &Path) -> Result<Self, Failure> {
        let name = target.file_name().unwrap_or_default().to_string_lossy();
        let path = target.with_file_name(format!(".{name}.partial"));
        let _ = fs::remove_file(&path);
        match File::create_new(&path) {
            Ok(file) => Ok(Partial { path, target: target.to_path_buf(), file }),
            Err(error) => Err(Failure::io("create", &path, &error)),
        }
    }

    /// Appends `bytes`.
    pub(crate) fn write(&self, bytes: &[u8]) -> Result<(), Failure> {
        (&self.file).write_all(bytes).map_err(|error| Failure::io("write", &self.path, &error))
    }

    /// Gives the file its final name, replacing what bears it, once the disk has all of it.
    pub(crate) fn persist(self) -> Result<(), Failure> {
        self.file.sync_all().map_err(|error| Failure::io("write", &self.path, &error))?;
        fs::rename(&self.path, &self.target).map_err(|error| Failure::io("replace", &self.target, &error))?;
        // Makes the folder remember the rename. Where folders cannot be synced, it is as safe as the system makes it.
        if let Some(folder) = self.target.parent() {
            let _ = File::open(folder).and_then(|folder| folder.sync_all());
        }
        Ok(())
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        // After a rename nothing bears this name any more.
        let _ = fs::remove_file(&self.path);
    }
}
