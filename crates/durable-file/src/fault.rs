//! Faults on purpose, for tests of what survives them; nothing at all without the feature `faults`.
//!
//! With it, the environment variable `DURABLE_FILE_FAULT` names a fault and the step at which it strikes, counted from 1
//! over all steps that the process takes:
//!
//! | value | at that step |
//! |---|---|
//! | `kill:7` | the process ends at once, as if it were killed |
//! | `fail:7` | the operation fails once with an I/O error |
//! | `full:7` | this and every later operation that needs space fails, because the disk is full |

use std::io;
use std::path::Path;

/// What is about to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// A staged file is created.
    Create,
    /// A part of it is written.
    Write,
    /// It is synced.
    Sync,
    /// It gets its final name.
    Rename,
    /// The folder is synced.
    SyncFolder,
    /// A file is removed.
    Remove,
}

/// Called before each step; the error, if any, is what the step comes to.
#[cfg(not(feature = "faults"))]
#[inline(always)]
pub(crate) fn reach(_step: Step, _path: &Path) -> io::Result<()> {
    Ok(())
}

/// Called before each step; the error, if any, is what the step comes to.
#[cfg(feature = "faults")]
pub(crate) fn reach(step: Step, path: &Path) -> io::Result<()> {
    use std::sync::LazyLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    static FAULT: LazyLock<Option<(String, u64)>> = LazyLock::new(|| {
        let text = std::env::var("DURABLE_FILE_FAULT").ok()?;
        let (kind, number) = text.split_once(':')?;
        Some((kind.to_owned(), number.parse().ok()?))
    });
    static N_REACHED: AtomicU64 = AtomicU64::new(0);

    let Some((kind, number)) = FAULT.as_ref() else { return Ok(()) };
    let reached = 1 + N_REACHED.fetch_add(1, Ordering::SeqCst);
    let needs_space = matches!(step, Step::Create | Step::Write | Step::Sync);
    match kind.as_str() {
        // Nothing of the process runs after this: no destructor, no handler, no other thread.
        "kill" if reached == *number => std::process::abort(),
        "fail" if reached == *number => {
            Err(io::Error::other(format!("a fault on purpose: {step:?} of {} (step {reached})", path.display())))
        }
        "full" if reached >= *number && needs_space => Err(io::ErrorKind::StorageFull.into()),
        _ => Ok(()),
    }
}
