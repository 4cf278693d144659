//! One process per folder: a lock that the kernel releases when its holder ends, however it ends.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::Write;
use std::path::Path;
use std::process;

use crate::failure::{Code, Failure};

/// The name of the lock file inside the folder it guards. It stays behind; only the lock on it counts.
pub(crate) const LOCK_NAME: &str = ".lock";

/// Holds a folder until it is dropped.
pub(crate) struct FolderLock {
    file: File,
}

impl FolderLock {
    /// Takes `folder` for this process, whose work `purpose` names ("sweep", "download").
    ///
    /// Code 6 if another process holds it, naming that process.
    pub(crate) fn acquire(folder: &Path, purpose: &str) -> Result<Self, Failure> {
        let path = folder.join(LOCK_NAME);
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(|error| Failure::io("open the lock", &path, &error))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(held(folder, &path)),
            Err(TryLockError::Error(error)) => return Err(Failure::io("lock", &path, &error)),
        }
        let mut lock = FolderLock { file };
        lock.sign(purpose).map_err(|error| Failure::io("write the lock", &path, &error))?;
        Ok(lock)
    }

    /// Says in the file who holds it, for the one who comes second.
    fn sign(&mut self, purpose: &str) -> std::io::Result<()> {
        self.file.set_len(0)?;
        self.file.write_all(format!("{purpose}, process {} on {}\n", process::id(), host_name()).as_bytes())
    }
}

fn held(folder: &Path, lock: &Path) -> Failure {
    let holder = fs::read_to_string(lock).unwrap_or_default();
    let holder = match holder.trim() {
        "" => "another process",
        text => text,
    };
    Failure::new(
        Code::Busy,
        format!("{} is in use by {holder}; wait until it has finished, or name another folder", folder.display()),
    )
}

/// The name of this machine, for people; empty-handed it is "unknown".
pub(crate) fn host_name() -> String {
    fs::read_to_string("/proc/sys/kernel/hostname")
        .ok()
        .or_else(|| std::env::var("HOSTNAME").ok())
        .or_else(|| std::env::var("COMPUTERNAME").ok())
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| "unknown".to_owned())
}
