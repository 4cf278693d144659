//! Folders that one process holds, in this program's words: [`durable_file::FolderLock`] with our errors and our notice.

use std::path::Path;

use durable_file::LockError;
pub(crate) use durable_file::lock::{has_no_locks, holder, host_name, signature};

use crate::failure::{Code, Failure};
use crate::output::notice;

/// Holds a folder until it is dropped.
pub(crate) struct FolderLock {
    _lock: durable_file::FolderLock,
}

impl FolderLock {
    /// Takes `folder` for this process alone, whose work `purpose` names ("sweep", "download").
    ///
    /// Code 6 if another process holds it, naming that process.
    pub(crate) fn acquire(folder: &Path, purpose: &str) -> Result<Self, Failure> {
        FolderLock::taken(folder, durable_file::FolderLock::acquire(folder, purpose))
    }

    /// Takes `folder` together with others that call this, and with nobody who calls [`FolderLock::acquire`].
    pub(crate) fn share(folder: &Path, purpose: &str) -> Result<Self, Failure> {
        FolderLock::taken(folder, durable_file::FolderLock::share(folder, purpose))
    }

    /// Waits for its turn at the file `name` in `folder`, which serves no other purpose. Where files cannot be locked,
    /// it is everybody's turn.
    pub(crate) fn wait(folder: &Path, name: &str) -> Result<Self, Failure> {
        Ok(FolderLock { _lock: durable_file::FolderLock::wait(folder, name)? })
    }

    fn taken(folder: &Path, lock: Result<durable_file::FolderLock, LockError>) -> Result<Self, Failure> {
        let lock = lock?;
        if !lock.is_effective() {
            no_locks(folder);
        }
        Ok(FolderLock { _lock: lock })
    }
}

/// Says that nothing keeps others out of `folder`.
pub(crate) fn no_locks(folder: &Path) {
    notice(format_args!(
        "warning: {}: this file system has no locks, so nothing keeps other processes out",
        folder.display()
    ));
}

impl From<LockError> for Failure {
    fn from(error: LockError) -> Self {
        match error {
            LockError::Busy { .. } => Failure::new(Code::Busy, error.to_string()),
            LockError::Io { action, path, error } => Failure::io(action, &path, &error),
        }
    }
}
