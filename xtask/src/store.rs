//! A folder of results: the specification, a record for each finished trial, models beside them.
//!
//! A record is the proof that its trial is done: it is written last and appears under its name in one step. So whatever
//! interrupts a sweep, running it again finds what is finished and does the rest.

use mlp_results::{RECORD_SCHEMA, RunRecord, Status};

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use mlp_core::Kernel;
use mlp_train::{AnyMlp, EpochRecord, load_model, save_model};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::checkpoints::{self, Pace, TrialCheckpoints};
use crate::claim::{Claimed, claim};
use crate::configuration::{Document, SweepSpec, toml_text};
use crate::failure::{Code, Failure};
use crate::lock::FolderLock;
use crate::output::notice;
use crate::trial::Trial;

pub(crate) const SPECIFICATION: &str = "spec.toml";

/// The key of the specification that names the network to start from, by the hash of its weights.
pub(crate) const INITIAL_KEY: &str = "init";

/// The folders inside a folder of results.
pub(crate) const TRIALS: &str = "trials";
const MODELS: &str = "models";
pub(crate) const CHECKPOINTS: &str = "checkpoints";
pub(crate) const RUNNING: &str = "running";
const RUNGS: &str = "rungs";
const DIAGNOSIS: &str = "diagnosis";

/// Who else may work in a folder of results.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sharing {
    /// Nobody.
    Alone,
    /// Whoever works on the same specification, on this machine or another.
    Shared,
}

/// A folder of results, held by this process, or by this one and others.
pub(crate) struct ResultsStore {
    folder: PathBuf,
    sharing: Sharing,
    kernel: Kernel,
    _lock: FolderLock,
}

/// What a trial had reached when successive halving compared it with the others.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Rung {
    /// Its identity.
    pub(crate) trial: String,
    /// The instructions that computed it: others round differently, and nothing of theirs is compared with it.
    pub(crate) kernel: String,
    /// What was measured after the epoch of the rung.
    pub(crate) reached: EpochRecord,
}

/// What a folder must agree with.
pub(crate) struct Expected<'a> {
    pub(crate) specification: &'a SweepSpec,
    /// The identities of the trials of a specification, with the data at hand.
    pub(crate) identities: &'a dyn Fn(&SweepSpec) -> Result<BTreeSet<String>, Failure>,
    pub(crate) data_sha256: &'a str,
    pub(crate) kernel: Kernel,
    /// The hash of the network to start from, if there is one.
    pub(crate) initial: Option<&'a str>,
}

/// What the folder holds, before anything in it is touched.
struct Found {
    records: BTreeMap<String, RunRecord>,
    /// Files that are no records, and why.
    damaged: Vec<(PathBuf, String)>,
}

impl ResultsStore {
    /// Opens or creates `folder` for `purpose` ("sweep"), and reads the records that are there.
    ///
    /// Code 2 if the folder belongs to another specification, to other data, another kernel or a newer version; 6 if it is
    /// in use. Nothing in it is changed then. Damaged records are put aside, so that their trials run again.
    pub(crate) fn open(
        folder: &Path,
        purpose: &str,
        sharing: Sharing,
        expected: &Expected<'_>,
    ) -> Result<(Self, BTreeMap<String, RunRecord>), Failure> {
        let inner = [TRIALS, MODELS, CHECKPOINTS, RUNNING].map(|name| folder.join(name));
        for folder in [folder.to_path_buf()].into_iter().chain(inner) {
            fs::create_dir_all(&folder).map_err(|error| Failure::io("create the folder", &folder, &error))?;
        }
        let lock = match sharing {
            Sharing::Alone => FolderLock::acquire(folder, purpose)?,
            Sharing::Shared => FolderLock::share(folder, purpose)?,
        };
        let store = ResultsStore { folder: folder.to_path_buf(), sharing, kernel: expected.kernel, _lock: lock };
        let found = store.read_records()?;
        for record in found.records.values() {
            store.check_record(record, expected)?;
        }
        let specification = store.agree_on_specification(expected)?;
        for (path, reason) in &found.damaged {
            put_aside(path, reason)?;
        }
        if let Some(text) = specification {
            write_atomically(&store.folder.join(SPECIFICATION), &text)?;
        }
        store.sweep_up(&found.records);
        Ok((store, found.records))
    }

    /// Whether others may work in the folder at the same time.
    pub(crate) fn is_shared(&self) -> bool {
        self.sharing == Sharing::Shared
    }

    /// The checkpoints of a trial.
    pub(crate) fn checkpoints(&self, trial: &str, owner: Map<String, Value>, pace: Pace) -> TrialCheckpoints {
        TrialCheckpoints::new(&self.folder.join(CHECKPOINTS), trial, owner, pace)
    }

    /// Takes a trial for this process.
    pub(crate) fn claim(&self, trial: &Trial) -> Result<Claimed, Failure> {
        claim(&self.folder.join(RUNNING), &trial.id, &trial.label())
    }

    /// The record of a trial that another process has written since the folder was opened, if there is one that can be read.
    ///
    /// Code 2 if it was computed by another kernel.
    pub(crate) fn record(&self, trial: &str) -> Result<Option<RunRecord>, Failure> {
        let record = RunRecord::read(self.record_path(trial)).ok().filter(|record| record.trial == trial);
        record.as_ref().map_or(Ok(()), |record| self.check_kernel(record))?;
        Ok(record)
    }

    /// Keeps what a trial has reached at a rung.
    pub(crate) fn save_rung(&self, trial: &str, reached: &EpochRecord) -> Result<(), Failure> {
        let folder = self.folder.join(RUNGS);
        fs::create_dir_all(&folder).map_err(|error| Failure::io("create the folder", &folder, &error))?;
        let rung = Rung { trial: trial.to_owned(), kernel: self.kernel.name().to_owned(), reached: reached.clone() };
        let path = self.rung_path(trial, reached.epoch);
        write_atomically(&path, &format!("{}\n", json!(rung)))
    }

    /// What a trial has reached at the rung after `epoch`, if that is known.
    pub(crate) fn rung(&self, trial: &str, epoch: usize) -> Option<EpochRecord> {
        let bytes = fs::read(self.rung_path(trial, epoch)).ok()?;
        let rung: Rung = serde_json::from_slice(&bytes).ok()?;
        let fits = rung.trial == trial && rung.kernel == self.kernel.name() && rung.reached.epoch == epoch;
        fits.then_some(rung.reached)
    }

    fn rung_path(&self, trial: &str, epoch: usize) -> PathBuf {
        self.folder.join(RUNGS).join(format!("{trial}.{epoch}.json"))
    }

    /// Writes a file of the folder itself.
    pub(crate) fn write(&self, name: &str, text: &str) -> Result<(), Failure> {
        write_atomically(&self.folder.join(name), text)
    }

    /// Removes what killed processes left: files that never got their names, claims, checkpoints of finished trials.
    /// Where others may be writing, only what nobody can be writing any more. None of it does harm, so failing to remove
    /// it is no failure.
    fn sweep_up(&self, records: &BTreeMap<String, RunRecord>) {
        let is_alone = self.sharing == Sharing::Alone;
        for name in ["", TRIALS, MODELS, CHECKPOINTS, RUNGS, DIAGNOSIS, "plots"] {
            for entry in fs::read_dir(self.folder.join(name)).into_iter().flatten().flatten() {
                let is_old = || {
                    let modified = entry.metadata().and_then(|metadata| metadata.modified()).ok();
                    modified.and_then(|time| time.elapsed().ok()).is_some_and(|age| age > ABANDONED)
                };
                if is_left_over(&entry.file_name()) && (is_alone || is_old()) {
                    let _ = durable_file::remove(&entry.path());
                }
            }
        }
        for entry in fs::read_dir(self.folder.join(CHECKPOINTS)).into_iter().flatten().flatten() {
            let path = entry.path();
            let trial = checkpoints::trial_of(&path).and_then(|trial| records.get(trial));
            if trial.is_some_and(|record| record.status != Status::Failed) {
                let _ = durable_file::remove(&path);
            }
        }
        if is_alone {
            for entry in fs::read_dir(self.folder.join(RUNNING)).into_iter().flatten().flatten() {
                let _ = fs::remove_file(entry.path());
            }
        }
    }

    /// Writes the model, if there is one, and then the record.
    pub(crate) fn save(
        &self,
        record: &RunRecord,
        model: Option<&AnyMlp>,
        model_configuration: &Map<String, Value>,
    ) -> Result<(), Failure> {
        let path = self.model_path(&record.trial);
        let written = match model {
            Some(AnyMlp::F32(mlp)) => save_model(&path, mlp, model_configuration),
            Some(AnyMlp::F64(mlp)) => save_model(&path, mlp, model_configuration),
            None => Ok(()),
        };
        written.map_err(|error| Failure::new(Code::InputOutput, error.to_string()))?;
        record
            .write(self.record_path(&record.trial))
            .map_err(|error| Failure::new(Code::InputOutput, error.to_string()))
    }

    /// Where the record of a trial is.
    pub(crate) fn record_path(&self, trial: &str) -> PathBuf {
        self.folder.join(TRIALS).join(format!("{trial}.json"))
    }

    /// Where the model of a trial is.
    pub(crate) fn model_path(&self, trial: &str) -> PathBuf {
        self.folder.join(MODELS).join(format!("{trial}.safetensors"))
    }

    /// Where the diagnosis of a trial is, if it was examined.
    pub(crate) fn diagnosis_path(&self, trial: &str) -> PathBuf {
        self.folder.join(DIAGNOSIS).join(format!("{trial}.json"))
    }

    /// All records by trial, and the files that should be records and are not.
    fn read_records(&self) -> Result<Found, Failure> {
        let trials = self.folder.join(TRIALS);
        let failed = |error: &std::io::Error| Failure::io("read the folder", &trials, error);
        let mut found = Found { records: BTreeMap::new(), damaged: Vec::new() };
        for entry in fs::read_dir(&trials).map_err(|error| failed(&error))? {
            let path = entry.map_err(|error| failed(&error))?.path();
            let Some(trial) = trial_of(&path) else { continue };
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
                // Put aside by another process since the folder was listed.
                Err(error) if error.io_error().is_some_and(|io| io.kind() == std::io::ErrorKind::NotFound) => {}
                Err(error) if error.io_error().is_some() => {
                    return Err(Failure::new(Code::InputOutput, error.to_string()));
                }
                Err(error) => {
                    refuse_newer(&path)?;
                    found.damaged.push((path, error.to_string()));
                }
            }
        }
        found.damaged.sort();
        Ok(found)
    }

    fn check_record(&self, record: &RunRecord, expected: &Expected<'_>) -> Result<(), Failure> {
        if record.data.sha256 != expected.data_sha256 {
            return Err(Failure::configuration(format!(
                "{} holds results on other data ({} of SHA-256 {}…, now {}…); name another folder with --out",
                self.folder.display(),
                record.data.name,
                short(&record.data.sha256),
                short(expected.data_sha256),
            )));
        }
        self.check_kernel(record)
    }

    fn check_kernel(&self, record: &RunRecord) -> Result<(), Failure> {
        // A failed trial computed nothing.
        if record.status != Status::Failed && record.kernel != self.kernel.name() {
            return Err(Failure::configuration(format!(
                "{} holds results of the kernel {}, this run would use {}, which rounds differently; \
                 add --kernel {}, or name another folder with --out",
                self.folder.display(),
                record.kernel,
                self.kernel.name(),
                record.kernel,
            )));
        }
        Ok(())
    }

    /// The specification to write, if it is not there already; an error if there is one that this one does not merely
    /// extend.
    fn agree_on_specification(&self, expected: &Expected<'_>) -> Result<Option<String>, Failure> {
        let path = self.folder.join(SPECIFICATION);
        let text = pinned_text(expected);
        if path.exists() {
            let mut document = Document::read(&path)?;
            let initial = document.take(INITIAL_KEY);
            let there = document.check()?;
            if initial != expected.initial.map(Value::from) {
                return Err(self.different(described(&there, initial), expected));
            }
            if there.to_toml() == expected.specification.to_toml() {
                return Ok(None);
            }
            let old = (expected.identities)(&there)?;
            let new = (expected.identities)(expected.specification)?;
            if !old.is_subset(&new) {
                return Err(self.different(described(&there, initial), expected));
            }
            if old.len() < new.len() {
                notice(format_args!(
                    "{} grows from {} to {} trials; what is finished is kept",
                    self.folder.display(),
                    old.len(),
                    new.len()
                ));
            }
        }
        Ok(Some(text))
    }

    fn different(&self, there: BTreeMap<String, String>, expected: &Expected<'_>) -> Failure {
        let here = described(expected.specification, expected.initial.map(Value::from));
        let keys: BTreeSet<&String> = there.keys().chain(here.keys()).collect();
        let nothing = "not set".to_owned();
        // The name may have been made up from the rest.
        let keys = keys.into_iter().filter(|key| *key != "name");
        let mut text = format!("{} belongs to another specification:", self.folder.display());
        for key in keys {
            let (old, new) = (there.get(key).unwrap_or(&nothing), here.get(key).unwrap_or(&nothing));
            if old != new {
                text.push_str(&format!("\n  {key}: {old} there, {new} now"));
            }
        }
        text.push_str(
            "\ntake another folder with --out (or another `name`); in this one, lists under [sweep] may only grow",
        );
        Failure::configuration(text)
    }
}

/// How old a staged file is that nobody is still writing.
const ABANDONED: std::time::Duration = std::time::Duration::from_secs(24 * 3600);

/// Whether a file of this name was being written when its process ended: of the store, or of the report.
fn is_left_over(name: &std::ffi::OsStr) -> bool {
    let text = name.to_string_lossy();
    durable_file::is_staged(name)
        || text.starts_with(".staged-")
        || (text.starts_with('.') && text.ends_with(".partial"))
}

/// The records in `folder` by trial, without touching or locking anything; what is no record is passed over.
pub(crate) fn peek(folder: &Path) -> BTreeMap<String, RunRecord> {
    let entries = fs::read_dir(folder.join(TRIALS)).into_iter().flatten().flatten();
    let records = entries.filter_map(|entry| {
        let trial = trial_of(&entry.path())?;
        let record = RunRecord::read(entry.path()).ok().filter(|record| record.trial == trial)?;
        Some((trial, record))
    });
    records.collect()
}

/// Replaces the file at `path` in one step.
pub(crate) fn write_atomically(path: &Path, text: &str) -> Result<(), Failure> {
    durable_file::write(path, text.as_bytes()).map_err(|error| Failure::io("write", path, &error))
}

/// A record of another folder of results with its model, if both can be taken over; `None` if there is none, or the
/// trial failed there. The error is a text.
pub(crate) fn result_elsewhere(
    folder: &Path,
    trial: &str,
    kernel: Kernel,
) -> Result<Option<(RunRecord, Option<AnyMlp>)>, String> {
    let path = folder.join(TRIALS).join(format!("{trial}.json"));
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
    let path = folder.join(MODELS).join(format!("{trial}.safetensors"));
    let model = load_model(&path).map_err(|error| error.to_string())?.network;
    let found = model.weights_sha256();
    match found == *expected {
        true => Ok(Some((record, Some(model)))),
        false => Err(format!("{}: weights: expected the SHA-256 {expected}, found {found}", path.display())),
    }
}

/// The specification as the folder keeps it: with the network to start from, which stands before any table.
fn pinned_text(expected: &Expected<'_>) -> String {
    let initial = expected.initial.map(|sha256| format!("{INITIAL_KEY} = {}\n", toml_text(&Value::from(sha256))));
    initial.unwrap_or_default() + &expected.specification.to_toml()
}

/// Each key with its value or its list, as text.
fn described(specification: &SweepSpec, initial: Option<Value>) -> BTreeMap<String, String> {
    let mut lines: BTreeMap<String, String> =
        specification.base.to_map().iter().map(|(key, value)| (key.clone(), toml_text(value))).collect();
    for axis in &specification.axes {
        lines.insert(axis.key.clone(), toml_text(&axis.to_value()));
    }
    if let Some(random) = specification.random {
        lines.insert("sweep.mode".to_owned(), "random".to_owned());
        lines.insert("sweep.trials".to_owned(), random.n_trials.to_string());
        lines.insert("sweep.draw_seed".to_owned(), random.seed.to_string());
    }
    if let Some(halving) = specification.halving {
        lines.insert("sweep.halving".to_owned(), toml_text(&halving.to_value()));
    }
    lines.extend(initial.map(|initial| (INITIAL_KEY.to_owned(), toml_text(&initial))));
    lines
}

fn trial_of(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_str()?.strip_suffix(".json")?;
    (!name.starts_with('.')).then(|| name.to_owned())
}

/// A record in a layout that this version does not know is not damaged: whoever wrote it can read it.
fn refuse_newer(path: &Path) -> Result<(), Failure> {
    #[derive(serde::Deserialize)]
    struct Layout {
        schema: u64,
    }
    let bytes = fs::read(path).map_err(|error| Failure::io("read", path, &error))?;
    match serde_json::from_slice::<Layout>(&bytes) {
        Ok(Layout { schema }) if schema > u64::from(RECORD_SCHEMA) => Err(Failure::configuration(format!(
            "{}: schema: expected {RECORD_SCHEMA}, found {schema}: written by a newer version of the program; \
             update the program, or name another folder with --out",
            path.display()
        ))),
        _ => Ok(()),
    }
}

/// Renames a damaged record to `….json.damaged`, or `….json.damaged-2` and so on where there are such files already.
fn put_aside(path: &Path, reason: &str) -> Result<(), Failure> {
    let names = (1_u64..).map(|number| match number {
        1 => path.with_extension("json.damaged"),
        _ => path.with_extension(format!("json.damaged-{number}")),
    });
    let aside = names.into_iter().find(|aside| aside.symlink_metadata().is_err()).unwrap_or_default();
    match fs::rename(path, &aside) {
        // Another process, with which this one shares the folder, was faster.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        renamed => renamed.map_err(|error| Failure::io("put aside", path, &error))?,
    }
    notice(format_args!("warning: {reason}\n  the file is now {}, and its trial runs again", aside.display()));
    Ok(())
}

fn short(hash: &str) -> &str {
    hash.get(..12).unwrap_or(hash)
}
