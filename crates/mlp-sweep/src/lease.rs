//! Who runs a trial: a file in `running/` for each trial under way, locked by its process.
//!
//! The lock is the kernel's, so it ends with its holder, however that ends; the file says who holds it, for who asks how a sweep
//! stands and for processes that share the folder. Where several machines share a folder, a lock may be missing or
//! late: then two processes run the same trial, and write the same record twice. Nothing is wrong with that but the time.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use durable_file::lock::{has_no_locks, signature};

use crate::error::{Error, Result};

/// A trial that this process runs; given back when dropped.
pub(crate) struct Lease {
    path: PathBuf,
    /// Holds the lock.
    _file: File,
}

/// What came of asking for a trial.
pub(crate) enum Leased {
    /// It is ours.
    Ours(Lease),
    /// Another process has it: who, as far as that can be read.
    By(String),
}

/// A trial under way, as `sweep status` shows it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Running {
    /// Its identity.
    pub trial: String,
    /// Its process, with machine.
    pub holder: String,
    /// What distinguishes it from its siblings.
    pub label: String,
    /// How long it has been running in this process, if the clocks agree.
    pub seconds: Option<f64>,
}

/// Takes `trial` for this process, in `folder`.
pub(crate) fn lease(folder: &Path, trial: &str, label: &str) -> Result<Leased> {
    let path = folder.join(trial);
    let failed = |error: io::Error| Error::io("claim a trial with", &path, error);
    loop {
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create(true).truncate(false).open(&path).map_err(&failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let text = fs::read_to_string(&path).unwrap_or_default();
                let holder = text.lines().next().unwrap_or_default();
                return Ok(Leased::By(if holder.is_empty() { "another process" } else { holder }.to_owned()));
            }
            // No locks on this file system: the record of the trial decides.
            Err(TryLockError::Error(error)) if has_no_locks(&error) => {}
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        // Whoever had it before may have removed the file after we opened it; then our lock is on nothing.
        if !is_still_at(&file, &path) {
            continue;
        }
        let text = format!("{}\n{label}\n", signature("trial"));
        file.set_len(0).and_then(|()| (&file).write_all(text.as_bytes())).map_err(&failed)?;
        return Ok(Leased::Ours(Lease { path, _file: file }));
    }
}

/// The trials under way in `folder`.
pub(crate) fn running(folder: &Path) -> Vec<Running> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let Ok(file) = File::open(&path) else { continue };
        // A shared lock can be had exactly if nobody holds the exclusive one.
        if !matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)) {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap_or_default();
        let mut lines = text.lines();
        let modified = entry.metadata().and_then(|metadata| metadata.modified()).ok();
        found.push(Running {
            trial: entry.file_name().to_string_lossy().into_owned(),
            holder: lines.next().unwrap_or_default().trim_start_matches("trial, ").to_owned(),
            label: lines.next().unwrap_or_default().to_owned(),
            seconds: modified.and_then(|time| time.elapsed().ok()).map(|age| age.as_secs_f64()),
        });
    }
    found.sort_by(|left, right| left.trial.cmp(&right.trial));
    found
}

impl Drop for Lease {
    fn drop(&mut self) {
        // While the lock is held, so that nobody else can have taken the file meanwhile.
        let _ = fs::remove_file(&self.path);
    }
}

#[cfg(unix)]
fn is_still_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let identity = |metadata: io::Result<fs::Metadata>| metadata.ok().map(|data| (data.dev(), data.ino()));
    let ours = identity(file.metadata());
    ours.is_some() && ours == identity(fs::metadata(path))
}

/// Elsewhere the standard library cannot tell whether two names are one file. There a file can be removed while another
/// process has it open, too; then two processes may run the same trial.
#[cfg(not(unix))]
fn is_still_at(_file: &File, _path: &Path) -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trial_is_held_by_one_until_it_is_given_back() {
        let folder = tempfile::tempdir().expect("a folder");
        let Ok(Leased::Ours(first)) = lease(folder.path(), "abc", "seed = 1") else { panic!("it is free") };
        match lease(folder.path(), "abc", "") {
            Ok(Leased::By(holder)) => assert!(holder.contains(&format!("process {}", std::process::id())), "{holder}"),
            _ => panic!("it is taken"),
        }
        let running_now = running(folder.path());
        assert_eq!((running_now[0].trial.as_str(), running_now[0].label.as_str()), ("abc", "seed = 1"));
        drop(first);
        assert!(running(folder.path()).is_empty());
        assert!(matches!(lease(folder.path(), "abc", ""), Ok(Leased::Ours(_))));
    }

    #[test]
    fn a_claim_that_its_holder_left_behind_is_free() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("abc"), "trial, process 1 on elsewhere\n").expect("a file");
        assert!(running(folder.path()).is_empty());
        assert!(matches!(lease(folder.path(), "abc", ""), Ok(Leased::Ours(_))));
    }

    #[test]
    fn of_many_at_once_exactly_one_has_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let n_inside = std::sync::atomic::AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..200 {
                        if let Ok(Leased::Ours(ours)) = lease(folder.path(), "abc", "") {
                            use std::sync::atomic::Ordering::SeqCst;
                            assert_eq!(n_inside.fetch_add(1, SeqCst), 0);
                            n_inside.fetch_sub(1, SeqCst);
                            drop(ours);
                        }
                    }
                });
            }
        });
    }
}
