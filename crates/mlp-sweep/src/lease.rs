//! Who runs a trial: a file in `running/` for each trial under way, locked by its process.
//!
//! The lock is the kernel's, so it ends with its holder, however that ends; the file says who holds it, for who asks how a sweep
//! stands and for processes that share the folder. Where several machines share a folder, a lock may be missing or
//! late: then two processes run the same trial, and write the same record twice. Nothing is wrong with that but the time.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use durable_file::lock::{has_no_locks, signature};
use mlp_results::RunFolder;
use mlp_train::EpochRecord;

use crate::error::{Error, Result};
use crate::event::{Event, Observer};

/// A trial that this process runs; given back when dropped.
pub(crate) struct Lease {
    path: PathBuf,
    /// Holds the lock, and is told what has been measured.
    file: File,
    /// Whether the file stays when the trial is let go.
    is_kept: AtomicBool,
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
    /// What this process has measured so far: of a trial that was taken up again, from where it went on.
    pub epochs: Vec<EpochRecord>,
}

/// Tells whoever looks into the folder what has been measured, and the observer everything.
pub(crate) struct ToldInFolder<'a> {
    pub(crate) lease: &'a Lease,
    pub(crate) observer: &'a dyn Observer,
}

impl Observer for ToldInFolder<'_> {
    fn notify(&self, event: Event<'_>) {
        if let Event::Measured { epoch, .. } = event {
            self.lease.tell(epoch);
        }
        self.observer.notify(event);
    }
}

impl Lease {
    /// Leaves the file behind: the trial is to go on, and what it measured tells how far it came.
    pub(crate) fn leave_behind(&self) {
        self.is_kept.store(true, Relaxed);
    }

    /// Adds an epoch to the file, for whoever watches the folder. Nothing depends on it.
    fn tell(&self, epoch: &EpochRecord) {
        let Ok(mut line) = serde_json::to_string(epoch) else { return };
        line.push('\n');
        let _ = (&self.file).write_all(line.as_bytes());
    }
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
        let since = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64());
        let text = format!("{}\n{label}\n{SINCE}{since:.3}\n", signature("trial"));
        file.set_len(0).and_then(|()| (&file).write_all(text.as_bytes())).map_err(&failed)?;
        return Ok(Leased::Ours(Lease { path, file, is_kept: AtomicBool::new(false) }));
    }
}

/// How the line begins that says since when a trial runs; files of earlier versions have none.
const SINCE: &str = "since ";

/// The trials under way in `folder`, by their identity. Nothing in it is changed, and nobody is kept waiting.
pub fn running(folder: &RunFolder) -> Vec<Running> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder.running()).into_iter().flatten().flatten() {
        let path = entry.path();
        let Ok(file) = File::open(&path) else { continue };
        // A shared lock can be had exactly if nobody holds the exclusive one.
        if !matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)) {
            continue;
        }
        found.push(read_lease(&path));
    }
    found.sort_by(|left, right| left.trial.cmp(&right.trial));
    found
}

/// What a process that was killed or asked to end has left of a trial that nobody is at: what it had measured.
pub fn left_behind(folder: &RunFolder, trial: &str) -> Option<Running> {
    let path = folder.running().join(trial);
    path.is_file().then(|| read_lease(&path))
}

/// What the file of a trial says.
fn read_lease(path: &Path) -> Running {
    let text = fs::read_to_string(path).unwrap_or_default();
    let mut lines = text.lines();
    let modified = fs::metadata(path).and_then(|metadata| metadata.modified()).ok();
    let holder = lines.next().unwrap_or_default().trim_start_matches("trial, ").to_owned();
    let label = lines.next().unwrap_or_default().to_owned();
    let since = text.lines().nth(2).and_then(|line| line.strip_prefix(SINCE)?.parse().ok());
    let since = since.and_then(|since| UNIX_EPOCH.checked_add(Duration::try_from_secs_f64(since).ok()?));
    Running {
        trial: path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        holder,
        label,
        // A time that is rounded up, or of another clock, lies ahead.
        seconds: since.or(modified).map(|time| time.elapsed().unwrap_or_default().as_secs_f64()),
        // The last line may be half written.
        epochs: lines.filter_map(|line| serde_json::from_str(line).ok()).collect(),
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        // While the lock is held, so that nobody else can have taken the file meanwhile.
        if !self.is_kept.load(Relaxed) {
            let _ = fs::remove_file(&self.path);
        }
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
    use mlp_train::EpochMetrics;

    use super::*;

    fn results() -> (tempfile::TempDir, RunFolder) {
        let place = tempfile::tempdir().expect("a folder");
        let results = RunFolder::new(place.path());
        fs::create_dir(results.running()).expect("a folder");
        (place, results)
    }

    #[test]
    fn a_trial_is_held_by_one_until_it_is_given_back() {
        let (_place, results) = results();
        let folder = results.running();
        let Ok(Leased::Ours(first)) = lease(&folder, "abc", "seed = 1") else { panic!("it is free") };
        match lease(&folder, "abc", "") {
            Ok(Leased::By(holder)) => assert!(holder.contains(&format!("process {}", std::process::id())), "{holder}"),
            _ => panic!("it is taken"),
        }
        let measured = EpochRecord { epoch: 3, train: EpochMetrics::default(), validation: None, test: None };
        first.tell(&measured);
        let running_now = running(&results);
        assert_eq!((running_now[0].trial.as_str(), running_now[0].label.as_str()), ("abc", "seed = 1"));
        assert_eq!(running_now[0].epochs, [measured]);
        assert!(running_now[0].seconds.is_some_and(|seconds| seconds < 60.0), "{running_now:?}");
        drop(first);
        assert!(running(&results).is_empty());
        assert!(matches!(lease(&folder, "abc", ""), Ok(Leased::Ours(_))));
    }

    #[test]
    fn a_claim_that_its_holder_left_behind_is_free() {
        let (_place, results) = results();
        let folder = results.running();
        fs::write(folder.join("abc"), "trial, process 1 on elsewhere\n").expect("a file");
        assert!(running(&results).is_empty());
        assert!(matches!(lease(&folder, "abc", ""), Ok(Leased::Ours(_))));
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
