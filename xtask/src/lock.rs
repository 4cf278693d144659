//! Folders that one process holds, with this program's notice where a file system has no locks.

use std::path::Path;

use durable_file::{FolderLock, LockError};

use crate::output::notice;

/// Takes `folder` for this process alone, whose work `purpose` names.
pub(crate) fn acquire(folder: &Path, purpose: &str) -> Result<FolderLock, LockError> {
    let lock = FolderLock::acquire(folder, purpose)?;
    if !lock.is_effective() {
        no_locks(folder);
    }
    Ok(lock)
}

/// Says that nothing keeps others out of `folder`.
pub(crate) fn no_locks(folder: &Path) {
    notice(format_args!(
        "warning: {}: this file system has no locks, so nothing keeps other processes out",
        folder.display()
    ));
}
