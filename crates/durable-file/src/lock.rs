//! One process per folder: a lock that the kernel releases when its holder ends, however it ends.
//!
//! ```
//! use durable_file::{FolderLock, LockError};
//!
//! let folder = tempfile::tempdir()?;
//! let lock = FolderLock::acquire(folder.path(), "backup")?;
//! match FolderLock::acquire(folder.path(), "restore") {
//!     Err(LockError::Busy { holder, .. }) => assert!(holder.starts_with("backup, process ")),
//!     _ => unreachable!("it is held"),
//! }
//! drop(lock);
//! FolderLock::acquire(folder.path(), "restore")?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::fmt;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process;
use std::thread;
use std::time::Duration;

/// The name of the lock file inside the folder it guards. It stays behind; only the lock on it counts.
pub const LOCK_NAME: &str = ".lock";

/// How often a folder is asked for, 20 ms apart: whoever asks for its [`holder`] holds it for an instant, longer on a busy
/// machine.
const N_ATTEMPTS: usize = 25;

/// Holds a folder until it is dropped.
///
/// It is a lock on a file in the folder, so it binds those who ask for it, and nobody else. On a network file system it is
/// as good as that system's locks; where there are none, [`FolderLock::is_effective`] says so.
///
/// The file names its holder; of several that share it, the last one. On Windows a locked file can be read by those who share
/// the lock alone, and written by nobody but the one who holds it alone: there who is refused learns of "another process",
/// and of several that share it, the file names the first.
#[derive(Debug)]
pub struct FolderLock {
    _file: File,
    is_effective: bool,
}

/// Why a folder could not be held.
#[derive(Debug)]
pub enum LockError {
    /// Another process holds it.
    Busy {
        /// What it holds.
        folder: PathBuf,
        /// Its work, process and machine, as in "download, process 4711 on host"; "another process" if it does not say.
        holder: String,
    },
    /// The lock file could not be opened, locked or written.
    Io {
        /// What failed; completes "cannot …".
        action: &'static str,
        /// The lock file.
        path: PathBuf,
        /// What the operating system says.
        error: io::Error,
    },
}

impl FolderLock {
    /// Takes `folder` for this process alone, whose work `purpose` names ("sweep", "download").
    ///
    /// # Errors
    ///
    /// [`LockError::Busy`] if another process holds it for half a second, [`LockError::Io`] if the lock file cannot be used.
    pub fn acquire(folder: &Path, purpose: &str) -> Result<Self, LockError> {
        let path = folder.join(LOCK_NAME);
        let file = open(&path)?;
        let is_effective = take(&file, folder, &path, File::try_lock)?;
        sign(&file, purpose).map_err(|error| LockError::Io { action: "write the lock", path, error })?;
        Ok(FolderLock { _file: file, is_effective })
    }

    /// Takes `folder` together with others that call this, and with nobody who calls [`FolderLock::acquire`].
    ///
    /// # Errors
    ///
    /// As [`FolderLock::acquire`].
    pub fn share(folder: &Path, purpose: &str) -> Result<Self, LockError> {
        let path = folder.join(LOCK_NAME);
        let file = open(&path)?;
        if cfg!(windows) {
            // Nobody can write into a file whose lock is shared. Where others have it already, it is not written.
            let _ = sign(&file, purpose);
        }
        let is_effective = take(&file, folder, &path, File::try_lock_shared)?;
        if !cfg!(windows) {
            sign(&file, purpose).map_err(|error| LockError::Io { action: "write the lock", path, error })?;
        }
        Ok(FolderLock { _file: file, is_effective })
    }

    /// Waits, as long as it takes, for the file `name` in `folder`, which serves no other purpose. Where files cannot be
    /// locked, nobody waits.
    ///
    /// # Errors
    ///
    /// [`LockError::Io`] if the lock file cannot be used.
    pub fn wait(folder: &Path, name: &str) -> Result<Self, LockError> {
        let path = folder.join(name);
        let file = open(&path)?;
        match file.lock() {
            Ok(()) => Ok(FolderLock { _file: file, is_effective: true }),
            Err(error) if has_no_locks(&error) => Ok(FolderLock { _file: file, is_effective: false }),
            Err(error) => Err(LockError::Io { action: "lock", path, error }),
        }
    }

    /// Whether it keeps others out; false where the file system has no locks.
    pub fn is_effective(&self) -> bool {
        self.is_effective
    }
}

impl fmt::Display for LockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LockError::Busy { folder, holder } => write!(
                f,
                "{} is in use by {holder}; wait until it has finished, or name another folder",
                folder.display()
            ),
            LockError::Io { action, path, error } => write!(f, "cannot {action} {}: {error}", path.display()),
        }
    }
}

impl std::error::Error for LockError {}

/// Who holds `folder`, alone or with others, if anybody does.
pub fn holder(folder: &Path) -> Option<String> {
    let path = folder.join(LOCK_NAME);
    // Network file systems lock a file for one alone only if it may be written.
    let opened = OpenOptions::new().read(true).write(true).open(&path);
    let file = opened.or_else(|_| File::open(&path)).ok()?;
    // Given back at once; whoever asks meanwhile asks again.
    let is_held = match file.try_lock() {
        Err(TryLockError::WouldBlock) => true,
        // Where it may only be read, at least one who holds it alone is noticed.
        Err(TryLockError::Error(_)) => matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)),
        Ok(()) => false,
    };
    is_held.then(|| holder_named_in(&path))
}

/// Whether files cannot be locked here at all: the file system has no locks, or its lock service does not answer.
pub fn has_no_locks(error: &io::Error) -> bool {
    /// "No locks available", as a network file system without a lock service says.
    const ENOLCK: i32 = 37;
    error.kind() == io::ErrorKind::Unsupported || cfg!(target_os = "linux") && error.raw_os_error() == Some(ENOLCK)
}

/// Work, process and machine, as a lock file names its holder.
pub fn signature(purpose: &str) -> String {
    format!("{purpose}, process {} on {}", process::id(), host_name())
}

/// The name of this machine, for people; "unknown" if the system does not say.
pub fn host_name() -> String {
    fs::read_to_string("/proc/sys/kernel/hostname")
        .ok()
        .or_else(|| std::env::var("HOSTNAME").ok())
        .or_else(|| std::env::var("COMPUTERNAME").ok())
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| "unknown".to_owned())
}

fn open(path: &Path) -> Result<File, LockError> {
    let mut options = OpenOptions::new();
    let opened = options.read(true).write(true).create(true).truncate(false).open(path);
    opened.map_err(|error| LockError::Io { action: "open the lock", path: path.to_path_buf(), error })
}

/// Locks `file`, which lies at `path` in `folder`; whether that keeps others out.
fn take(
    file: &File,
    folder: &Path,
    path: &Path,
    try_lock: fn(&File) -> Result<(), TryLockError>,
) -> Result<bool, LockError> {
    let mut attempt = 1;
    loop {
        match try_lock(file) {
            Ok(()) => return Ok(true),
            Err(TryLockError::WouldBlock) if attempt == N_ATTEMPTS => {
                return Err(LockError::Busy { folder: folder.to_path_buf(), holder: holder_named_in(path) });
            }
            Err(TryLockError::WouldBlock) => thread::sleep(Duration::from_millis(20)),
            Err(TryLockError::Error(error)) if has_no_locks(&error) => return Ok(false),
            Err(TryLockError::Error(error)) => {
                return Err(LockError::Io { action: "lock", path: path.to_path_buf(), error });
            }
        }
        attempt += 1;
    }
}

/// Says in the file who holds it, for the one who comes second.
fn sign(mut file: &File, purpose: &str) -> io::Result<()> {
    let text = format!("{}\n", signature(purpose));
    // Cut last: where it cannot be written, what stands in it stays.
    file.write_all(text.as_bytes())?;
    file.set_len(text.len() as u64)
}

fn holder_named_in(lock: &Path) -> String {
    let holder = fs::read_to_string(lock).unwrap_or_default();
    // What follows the first line is of an older name, which is being cut off.
    match holder.lines().next().unwrap_or_default().trim() {
        "" => "another process".to_owned(),
        text => text.to_owned(),
    }
}
