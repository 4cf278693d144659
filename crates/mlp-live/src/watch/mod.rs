//! Folders of results as they change: read bit by bit, from the folders alone, whoever writes them.
//!
//! A record is read once and again only when its file has changed. What a screen is given is a [`RunSummary`] of each folder,
//! and of one folder a [`RunTable`] with the rows that have changed since it last asked.

mod ranking;
mod run;
mod summary;
mod table;
mod under_way;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use mlp_results::RunFolder;
use mlp_sweep::SweepSpec;
use serde::Serialize;

use crate::error::{Error, ErrorKind, Result};
use crate::folders::Folders;
pub(crate) use run::RunState;
use run::WatchedRun;
pub use summary::{BestMean, BestTrial, ConfigurationSummary, InterruptedTrial, RankedModel, RunSummary, RunningTrial};
pub use table::{Ending, Row, RunTable};

/// Watches the folders that were named.
///
/// ```
/// use mlp_live::{Folders, Watch};
///
/// let folder = tempfile::tempdir().expect("a folder");
/// std::fs::create_dir(folder.path().join("trials")).expect("a folder");
/// let watch = Watch::new(Folders::new([folder.path()])?);
/// watch.refresh();
/// assert_eq!(watch.overview().runs.len(), 1);
/// # Ok::<(), mlp_live::Error>(())
/// ```
pub struct Watch {
    folders: Folders,
    /// Read and written by whoever refreshes.
    work: Mutex<HashMap<RunFolder, WatchedRun>>,
    /// What is shown, in the order of the folders.
    shown: RwLock<Vec<Arc<RunState>>>,
    /// Counts the changes of what is shown.
    revision: AtomicU64,
}

/// All folders at a glance.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RunList {
    /// Another one means that something has changed.
    pub revision: u64,
    /// Whether the folders have been read once.
    pub is_complete: bool,
    /// One a folder.
    pub runs: Vec<RunSummary>,
}

impl Watch {
    /// Watches these folders; nothing is read before [`Watch::refresh`].
    pub fn new(folders: Folders) -> Self {
        Watch { folders, work: Mutex::default(), shown: RwLock::default(), revision: AtomicU64::new(0) }
    }

    /// The folders.
    pub fn folders(&self) -> &Folders {
        &self.folders
    }

    /// Reads what has changed. It may take a while the first time; those who look meanwhile see what there was before. While
    /// another call is at it, this one does nothing.
    pub fn refresh(&self) {
        let Ok(mut work) = self.work.try_lock() else { return };
        let found = self.folders.runs();
        work.retain(|folder, _| found.iter().any(|(_, other)| other == folder));
        let mut shown = Vec::with_capacity(found.len());
        let mut has_changed = self.revision() == 0 || self.states().len() != found.len();
        for (name, folder) in found {
            let run = work.entry(folder.clone()).or_insert_with(|| WatchedRun::new(name, folder));
            has_changed |= run.refresh(&self.folders);
            shown.push(run.state());
            // What is read first is shown first.
            if self.revision() == 0 {
                *self.shown.write().unwrap_or_else(PoisonError::into_inner) = shown.clone();
            }
        }
        *self.shown.write().unwrap_or_else(PoisonError::into_inner) = shown;
        if has_changed {
            self.revision.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// Grows with every change; 0 until everything has been read once.
    pub fn revision(&self) -> u64 {
        self.revision.load(Ordering::SeqCst)
    }

    /// All folders at a glance.
    pub fn overview(&self) -> RunList {
        let revision = self.revision();
        let runs = self.states().iter().map(|state| state.summary.clone()).collect();
        RunList { revision, is_complete: revision > 0, runs }
    }

    /// The trials of a folder: all rows, or those that have changed since the revision `since` of the same table.
    ///
    /// # Errors
    ///
    /// If there is no such folder.
    pub fn table(&self, run: &str, since: u64) -> Result<RunTable> {
        Ok(self.state(run)?.table.since(since))
    }

    /// The whole report of a folder, as it is now: an HTML page that fetches nothing.
    ///
    /// # Errors
    ///
    /// If there is no such folder, or it cannot be read.
    pub fn report(&self, run: &str) -> Result<String> {
        let state = self.state(run)?;
        let mut input = mlp_report::read_folder(state.folder.path())
            .map_err(|error| Error::new(ErrorKind::Io, error.to_string()))?;
        let plan = self.folders.admit(&state.folder.specification()).and_then(|path| SweepSpec::read(path).ok());
        input.n_seeds = plan.map(|plan| plan.n_seeds());
        Ok(mlp_report::report_html(&input))
    }

    pub(crate) fn state(&self, run: &str) -> Result<Arc<RunState>> {
        let found = self.states().into_iter().find(|state| state.summary.name == run);
        found.ok_or_else(|| {
            Error::new(ErrorKind::Missing, format!("\"{}\": no such folder of results is watched", short(run)))
        })
    }

    pub(crate) fn states(&self) -> Vec<Arc<RunState>> {
        self.shown.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// What somebody sent, not longer than it helps to see it again.
pub(crate) fn short(text: &str) -> String {
    mlp_results::text::clean(text, 60)
}
