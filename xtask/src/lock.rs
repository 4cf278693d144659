//! One process per folder: a lock that the kernel releases when its holder ends, however it ends.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::Path;
use std::process;
use std::time::Duration;

use crate::failure::{Code, Failure};
use crate::output::notice;

/// The name of the lock file inside the folder it guards. It stays behind; only the lock on it counts.
pub(crate) const LOCK_NAME: &str = ".lock";

/// How often a folder is asked for, 20 ms apart: `sweep status` holds its lock for an instant, longer on a busy machine.
const N_ATTEMPTS: usize = 25;

/// Holds a folder until it is dropped.
pub(crate) struct FolderLock {
    _file: File,
}

impl FolderLock {
    /// Takes `folder` for this process alone, whose work `purpose` names ("sweep", "download").
    ///
    /// Code 6 if another process holds it, naming that process.
    pub(crate) fn acquire(folder: &Path, purpose: &str) -> Result<Self, Failure> {
        FolderLock::take(folder, purpose, File::try_lock)
    }

    /// Takes `folder` together with others that call this, and with nobody who calls [`FolderLock::acquire`].
    pub(crate) fn share(folder: &Path, purpose: &str) -> Result<Self, Failure> {
        FolderLock::take(folder, purpose, File::try_lock_shared)
    }

    /// Waits for its turn at the file `name` in `folder`, which serves no other purpose. Where files cannot be locked,
    /// it is everybody's turn.
    pub(crate) fn wait(folder: &Path, name: &str) -> Result<Self, Failure> {
        let path = folder.join(name);
        let file = open(&path)?;
        match file.lock() {
            Err(error) if !has_no_locks(&error) => Err(Failure::io("lock", &path, &error)),
            _ => Ok(FolderLock { _file: file }),
        }
    }

    fn take(folder: &Path, purpose: &str, try_lock: fn(&File) -> Result<(), TryLockError>) -> Result<Self, Failure> {
        let path = folder.join(LOCK_NAME);
        let file = open(&path)?;
        for attempt in 1..=N_ATTEMPTS {
            let is_last = attempt == N_ATTEMPTS;
            match try_lock(&file) {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if is_last => return Err(held(folder, &path)),
                Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(20)),
                Err(TryLockError::Error(error)) if has_no_locks(&error) => {
                    notice(format_args!(
                        "warning: {}: this file system has no locks, so nothing keeps other processes out",
                        folder.display()
                    ));
                    break;
                }
                Err(TryLockError::Error(error)) => return Err(Failure::io("lock", &path, &error)),
            }
        }
        // Says in the file who holds it, for the one who comes second.
        let text = format!("{}\n", signature(purpose));
        let signed = file.set_len(0).and_then(|()| (&file).write_all(text.as_bytes()));
        signed.map_err(|error| Failure::io("write the lock", &path, &error))?;
        Ok(FolderLock { _file: file })
    }
}

/// Whether files cannot be locked here at all: the file system has no locks, or its lock service does not answer.
pub(crate) fn has_no_locks(error: &io::Error) -> bool {
    /// "No locks available", as a network file system without a lock service says.
    const ENOLCK: i32 = 37;
    error.kind() == io::ErrorKind::Unsupported || cfg!(target_os = "linux") && error.raw_os_error() == Some(ENOLCK)
}

/// Who holds `folder`, alone or with others, if anybody does.
pub(crate) fn holder(folder: &Path) -> Option<String> {
    let path = folder.join(LOCK_NAME);
    let file = File::open(&path).ok()?;
    // Given back at once; whoever asks meanwhile asks again.
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => Some(holder_named_in(&path)),
        _ => None,
    }
}

/// Work, process and machine.
pub(crate) fn signature(purpose: &str) -> String {
    format!("{purpose}, process {} on {}", process::id(), host_name())
}

fn open(path: &Path) -> Result<File, Failure> {
    let mut options = OpenOptions::new();
    let options = options.read(true).write(true).create(true).truncate(false);
    options.open(path).map_err(|error| Failure::io("open the lock", path, &error))
}

fn holder_named_in(lock: &Path) -> String {
    let holder = fs::read_to_string(lock).unwrap_or_default();
    match holder.trim() {
        "" => "another process".to_owned(),
        text => text.to_owned(),
    }
}

fn held(folder: &Path, lock: &Path) -> Failure {
    let holder = holder_named_in(lock);
    Failure::new(
        Code::Busy,
        format!("{} is in use by {holder}; wait until it has finished, or name another folder", folder.display()),
    )
}

/// The name of this machine, for people; "unknown" if the system does not say.
pub(crate) fn host_name() -> String {
    fs::read_to_string("/proc/sys/kernel/hostname")
        .ok()
        .or_else(|| std::env::var("HOSTNAME").ok())
        .or_else(|| std::env::var("COMPUTERNAME").ok())
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| "unknown".to_owned())
}
