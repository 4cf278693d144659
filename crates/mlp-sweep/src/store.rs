//! A folder of results that is written to: the specification, a record for each finished trial, models beside them.
//!
//! A record is the proof that its trial is done: it is written last and appears under its name in one step. So whatever
//! interrupts a sweep, running it again finds what is finished and does the rest.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use durable_file::FolderLock;
use mlp_core::Kernel;
use mlp_results::{
    ErrorKind as ResultsErrorKind, RunFolder, RunRecord, Rung, Status, trial_of_checkpoint, trial_of_record,
};
use mlp_train::{AnyNetwork, EpochRecord, SavedModel, load_model};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::agreement::{Expected, agree_on_specification, check_data, check_kernel};
use crate::checkpoints::{CheckpointInterval, TrialCheckpoints};
use crate::error::{Advice, Error, Result};
use crate::event::{Event, Observer, Warning};
use crate::kept_models;
use crate::lease::{Leased, lease};
use crate::trial::Trial;

/// Who else may work in a folder of results.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Sharing {
    /// Nobody.
    Alone,
    /// Whoever works on the same specification, on this machine or another.
    Shared,
}

/// A folder of results, held by this process, or by this one and others.
#[derive(Debug)]
pub(crate) struct Store {
    folder: RunFolder,
    sharing: Sharing,
    kernel: Kernel,
    _lock: FolderLock,
}

/// What the folder holds, before anything in it is touched.
struct Found {
    records: BTreeMap<String, RunRecord>,
    /// Files that are no records, and why.
    damaged: Vec<(PathBuf, String)>,
}

impl Store {
    /// Opens or creates `folder` for `purpose` ("sweep"), and reads the records that are there.
    ///
    /// If the folder belongs to another specification, to other data, another kernel or a newer version, or is in use,
    /// nothing in it is changed but `.lock`, which names its last holder: only who holds a folder may judge what is in it.
    /// Damaged records are set aside, so that their trials run again.
    pub(crate) fn open(
        folder: &RunFolder,
        purpose: &str,
        sharing: Sharing,
        expected: &Expected<'_>,
        observer: &dyn Observer,
    ) -> Result<(Self, BTreeMap<String, RunRecord>)> {
        refuse_foreign(folder)?;
        create(folder.path())?;
        let lock = match sharing {
            Sharing::Alone => FolderLock::acquire(folder.path(), purpose)?,
            Sharing::Shared => FolderLock::share(folder.path(), purpose)?,
        };
        if !lock.is_effective() {
            let place = folder.path().display();
            let problem = format!("{place}: this file system has no locks, so nothing keeps other processes out");
            observer.notify(Event::Warning(&Warning::new(problem)));
        }
        let store = Store { folder: folder.clone(), sharing, kernel: expected.kernel, _lock: lock };
        let found = store.read_records()?;
        for record in found.records.values() {
            check_data(folder, record, expected)?;
            check_kernel(folder, record, expected.kernel)?;
        }
        let specification = agree_on_specification(folder, expected, observer)?;
        let inner = [folder.trials(), folder.models(), folder.checkpoints(), folder.running()];
        inner.iter().try_for_each(|path| create(path))?;
        for (path, reason) in &found.damaged {
            set_aside(path, reason, observer)?;
        }
        if let Some(text) = specification {
            write(&store.folder.specification(), &text)?;
        }
        store.remove_leftovers(&found.records);
        kept_models::warn_of_lost(&store.folder, &found.records, observer);
        Ok((store, found.records))
    }

    /// Where everything is.
    pub(crate) fn folder(&self) -> &RunFolder {
        &self.folder
    }

    /// Whether others may work in the folder at the same time.
    pub(crate) fn is_shared(&self) -> bool {
        self.sharing == Sharing::Shared
    }

    /// The checkpoints of a trial.
    pub(crate) fn checkpoints(
        &self,
        trial: &str,
        owner: Map<String, Value>,
        interval: CheckpointInterval,
    ) -> TrialCheckpoints {
        TrialCheckpoints::new(&self.folder, trial, owner, interval)
    }

    /// Takes a trial for this process.
    pub(crate) fn lease(&self, trial: &Trial) -> Result<Leased> {
        lease(&self.folder.running(), &trial.id, &trial.label())
    }

    /// The record of a trial that another process has written since the folder was opened, if there is one that can be read.
    /// An error if it was computed by another kernel.
    pub(crate) fn record(&self, trial: &str) -> Result<Option<RunRecord>> {
        let record = RunRecord::read(self.folder.record(trial)).ok().filter(|record| record.trial == trial);
        record.as_ref().map_or(Ok(()), |record| check_kernel(&self.folder, record, self.kernel))?;
        Ok(record)
    }

    /// Keeps how far a trial has come at a rung.
    pub(crate) fn save_rung(&self, rung: &Rung) -> Result<()> {
        create(&self.folder.rungs())?;
        Ok(self.folder.write_rung(rung)?)
    }

    /// What a trial has reached at the rung after `epoch`, if that is known.
    pub(crate) fn reached(&self, trial: &str, epoch: usize) -> Option<EpochRecord> {
        self.folder.reached(trial, epoch, self.kernel.name())
    }

    /// Removes what killed processes left: files that never got their names, claims, checkpoints of finished trials.
    /// Where others may be writing, only what nobody can be writing any more. None of it does harm, so failing to remove
    /// it is no failure.
    fn remove_leftovers(&self, records: &BTreeMap<String, RunRecord>) {
        let is_alone = self.sharing == Sharing::Alone;
        for folder in self.folder.written_folders() {
            for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
                let is_old = || {
                    let modified = entry.metadata().and_then(|metadata| metadata.modified()).ok();
                    modified.and_then(|time| time.elapsed().ok()).is_some_and(|age| age > ABANDONED)
                };
                if is_left_over(&entry.file_name()) && (is_alone || is_old()) {
                    let _ = durable_file::remove(&entry.path());
                }
            }
        }
        for entry in fs::read_dir(self.folder.checkpoints()).into_iter().flatten().flatten() {
            let path = entry.path();
            let trial = trial_of_checkpoint(&path).and_then(|trial| records.get(&trial));
            if trial.is_some_and(RunRecord::is_over) {
                let _ = durable_file::remove(&path);
            }
        }
        if is_alone {
            for entry in fs::read_dir(self.folder.running()).into_iter().flatten().flatten() {
                let _ = fs::remove_file(entry.path());
            }
        }
    }

    /// Writes the model, if there is one, and then the record.
    pub(crate) fn save(
        &self,
        record: &RunRecord,
        network: Option<&AnyNetwork>,
        model_configuration: &Map<String, Value>,
    ) -> Result<()> {
        let path = self.folder.model(&record.trial);
        if let Some(network) = network {
            network.save(&path, model_configuration)?;
        }
        Ok(record.write(self.folder.record(&record.trial))?)
    }

    /// All records by trial, and the files that should be records and are not.
    fn read_records(&self) -> Result<Found> {
        let trials = self.folder.trials();
        let failed = |error: io::Error| Error::io("read the folder", &trials, error);
        let mut found = Found { records: BTreeMap::new(), damaged: Vec::new() };
        let entries = match fs::read_dir(&trials) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(found),
            entries => entries.map_err(failed)?,
        };
        for entry in entries {
            let path = entry.map_err(failed)?.path();
            let Some(trial) = trial_of_record(&path) else { continue };
            match RunRecord::read(&path) {
                Ok(record) if record.trial == trial => {
                    found.records.insert(trial, record);
                }
                Ok(record) => {
                    let reason = format!(
                        "{}: expected the record of trial {trial}, found that of {}",
                        path.display(),
                        record.trial
                    );
                    found.damaged.push((path, reason));
                }
                Err(error) => match error.io_error() {
                    // Set aside by another process since the folder was listed.
                    Some(io) if io.kind() == io::ErrorKind::NotFound => {}
                    Some(_) => return Err(error.into()),
                    None => {
                        refuse_newer(&path, &error)?;
                        found.damaged.push((path, error.to_string()));
                    }
                },
            }
        }
        found.damaged.sort();
        Ok(found)
    }
}

/// Refuses a folder that holds folders of somebody else's and no results: what is written would lie among them.
fn refuse_foreign(folder: &RunFolder) -> Result<()> {
    if folder.trials().exists() || folder.specification().exists() {
        return Ok(());
    }
    let own = folder.written_folders();
    let entries = fs::read_dir(folder.path()).into_iter().flatten().flatten().map(|entry| entry.path());
    let is_hidden = |path: &Path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
    let foreign = entries
        .filter(|path| path.is_dir() && !is_hidden(path) && !own.contains(path) && *path != folder.running())
        .min();
    let Some(foreign) = foreign else { return Ok(()) };
    let name = foreign.file_name().unwrap_or_default().display().to_string();
    Err(Error::specification(format!(
        "{}: expected a new folder, or one of results, found one with other things in it, such as the folder \"{name}\"; name \
         another",
        folder.path().display()
    ))
    .in_file(folder.path()))
}

fn create(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).map_err(|error| Error::io("create the folder", folder, error))
}

/// How old a staged file is that nobody is still writing.
const ABANDONED: std::time::Duration = std::time::Duration::from_secs(24 * 3600);

/// Whether a file of this name was being written when its process ended: of the store, or of the report. Earlier versions
/// wrote reports as `.staged-…` and everything else as `.….partial`; what they left may still be there.
fn is_left_over(name: &std::ffi::OsStr) -> bool {
    let text = name.to_string_lossy();
    durable_file::is_staged(name)
        || text.starts_with(".staged-")
        || (text.starts_with('.') && text.ends_with(".partial"))
}

/// Replaces the file at `path` in one step.
pub(crate) fn write(path: &Path, text: &str) -> Result<()> {
    durable_file::write(path, text.as_bytes()).map_err(|error| Error::io("write", path, error))
}

/// A record of another folder of results with its model, if both can be taken over; `None` if there is none, or the
/// trial failed there. The error is a text.
pub(crate) fn result_elsewhere(
    folder: &RunFolder,
    trial: &str,
    kernel: Kernel,
) -> std::result::Result<Option<(RunRecord, Option<AnyNetwork>)>, String> {
    let path = folder.record(trial);
    if !path.exists() {
        return Ok(None);
    }
    let record = RunRecord::read(&path).map_err(|error| error.to_string())?;
    if record.status == Status::Failed {
        return Ok(None);
    }
    for (what, expected, found) in
        [("trial", trial, record.trial.as_str()), ("kernel", kernel.name(), record.kernel.as_str())]
    {
        if expected != found {
            return Err(format!("{}: {what}: expected {expected}, found {found}", path.display()));
        }
    }
    let Some(expected) = &record.weights_sha256 else { return Ok(Some((record, None))) };
    let path = folder.model(trial);
    let SavedModel { network: mlp, unfolded, .. } = load_model(&path).map_err(|error| error.to_string())?;
    let found = mlp.weights_sha256();
    if found != *expected {
        return Err(format!("{}: weights: expected the SHA-256 {expected}, found {found}", path.display()));
    }
    Ok(Some((record, Some(AnyNetwork { mlp, unfolded }))))
}

/// A record in a layout that this version does not know is not damaged: whoever wrote it can read it.
fn refuse_newer(path: &Path, error: &mlp_results::Error) -> Result<()> {
    #[derive(Deserialize)]
    struct Layout {
        schema: u64,
    }
    if error.kind() != ResultsErrorKind::Version {
        return Ok(());
    }
    let bytes = fs::read(path).map_err(|error| Error::io("read", path, error))?;
    let expected = mlp_results::RECORD_SCHEMA;
    match serde_json::from_slice::<Layout>(&bytes) {
        Ok(Layout { schema }) if schema > u64::from(expected) => Err(Error::specification(format!(
            "{}: schema: expected {expected}, found {schema}: written by a newer version of the program; update the \
             program, or ",
            path.display()
        ))
        .in_file(path)
        .with_advice(Advice::Folder)),
        _ => Ok(()),
    }
}

/// Renames a damaged record to `….json.damaged`, or `….json.damaged-2` and so on where there are such files already.
fn set_aside(path: &Path, reason: &str, observer: &dyn Observer) -> Result<()> {
    let names = (1_u64..).map(|number| match number {
        1 => path.with_extension("json.damaged"),
        _ => path.with_extension(format!("json.damaged-{number}")),
    });
    let aside = names.into_iter().find(|aside| aside.symlink_metadata().is_err()).unwrap_or_default();
    match fs::rename(path, &aside) {
        // Another process, with which this one shares the folder, was faster.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        renamed => renamed.map_err(|error| Error::io("put aside", path, error))?,
    }
    let remedy = format!("the file is now {}, and its trial runs again", aside.display());
    observer.notify(Event::Warning(&Warning::new(reason).with_remedy(remedy)));
    Ok(())
}
