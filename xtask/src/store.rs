//! A folder of results: the specification, a record for each finished trial, models beside them.
//!
//! A record is the proof that its trial is done: it is written last and appears under its name in one step. So whatever
//! interrupts a sweep, running it again finds what is finished and does the rest.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use mlp_core::Kernel;
use mlp_train::{AnyMlp, RecordError, RunRecord, Status, save_model};
use serde_json::{Map, Value};

use crate::configuration::{Document, SweepSpec, toml_text};
use crate::failure::{Code, Failure};
use crate::lock::FolderLock;
use crate::output::notice;
use crate::partial::Partial;

const SPECIFICATION: &str = "spec.toml";

/// A folder of results, held by this process alone.
pub(crate) struct ResultsStore {
    folder: PathBuf,
    _lock: FolderLock,
}

/// What a folder must agree with.
pub(crate) struct Expected<'a> {
    pub(crate) specification: &'a SweepSpec,
    /// The identities of the trials of a specification, with the data at hand.
    pub(crate) identities: &'a dyn Fn(&SweepSpec) -> Result<BTreeSet<String>, Failure>,
    pub(crate) data_sha256: &'a str,
    pub(crate) kernel: Kernel,
}

impl ResultsStore {
    /// Opens or creates `folder` for `purpose` ("sweep"), and reads the records that are there.
    ///
    /// Code 2 if the folder belongs to another specification, to other data or another kernel; 6 if it is in use.
    pub(crate) fn open(
        folder: &Path,
        purpose: &str,
        expected: &Expected<'_>,
    ) -> Result<(Self, BTreeMap<String, RunRecord>), Failure> {
        for folder in [folder.to_path_buf(), folder.join("trials"), folder.join("models")] {
            fs::create_dir_all(&folder).map_err(|error| Failure::io("create the folder", &folder, &error))?;
        }
        let store = ResultsStore { folder: folder.to_path_buf(), _lock: FolderLock::acquire(folder, purpose)? };
        let records = store.read_records()?;
        for record in records.values() {
            store.check_record(record, expected)?;
        }
        store.agree_on_specification(expected)?;
        Ok((store, records))
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
        self.folder.join("trials").join(format!("{trial}.json"))
    }

    /// Where the model of a trial is.
    pub(crate) fn model_path(&self, trial: &str) -> PathBuf {
        self.folder.join("models").join(format!("{trial}.safetensors"))
    }

    /// All records by trial. A damaged one is put aside, so that its trial runs again.
    fn read_records(&self) -> Result<BTreeMap<String, RunRecord>, Failure> {
        let trials = self.folder.join("trials");
        let failed = |error: &std::io::Error| Failure::io("read the folder", &trials, error);
        let mut records = BTreeMap::new();
        for entry in fs::read_dir(&trials).map_err(|error| failed(&error))? {
            let path = entry.map_err(|error| failed(&error))?.path();
            let Some(trial) = trial_of(&path) else { continue };
            match RunRecord::read(&path) {
                Ok(record) if record.trial == trial => {
                    records.insert(trial, record);
                }
                Ok(record) => put_aside(&path, &format!("is the record of trial {}", record.trial))?,
                Err(error @ RecordError::Io { .. }) => return Err(Failure::new(Code::InputOutput, error.to_string())),
                Err(error) => put_aside(&path, &error.to_string())?,
            }
        }
        Ok(records)
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
        // A failed trial computed nothing.
        if record.status != Status::Failed && record.kernel != expected.kernel.name() {
            return Err(Failure::configuration(format!(
                "{} holds results of the kernel {}, this run would use {}, which rounds differently; \
                 add --kernel {}, or name another folder with --out",
                self.folder.display(),
                record.kernel,
                expected.kernel.name(),
                record.kernel,
            )));
        }
        Ok(())
    }

    /// Writes the specification, unless the folder has another one that this one does not merely extend.
    fn agree_on_specification(&self, expected: &Expected<'_>) -> Result<(), Failure> {
        let path = self.folder.join(SPECIFICATION);
        let text = expected.specification.to_toml();
        if path.exists() {
            let there = Document::read(&path)?.check()?;
            if there.to_toml() == text {
                return Ok(());
            }
            let old = (expected.identities)(&there)?;
            let new = (expected.identities)(expected.specification)?;
            if !old.is_subset(&new) {
                return Err(self.different(&there, expected.specification));
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
        write_atomically(&path, &text)
    }

    fn different(&self, there: &SweepSpec, here: &SweepSpec) -> Failure {
        let (there, here) = (described(there), described(here));
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

/// Replaces the file at `path` in one step.
pub(crate) fn write_atomically(path: &Path, text: &str) -> Result<(), Failure> {
    let partial = Partial::create(path)?;
    partial.write(text.as_bytes())?;
    partial.persist()
}

/// Each key with its value or its list, as text.
fn described(specification: &SweepSpec) -> BTreeMap<String, String> {
    let mut lines: BTreeMap<String, String> =
        specification.base.to_map().iter().map(|(key, value)| (key.clone(), toml_text(value))).collect();
    for axis in &specification.axes {
        lines.insert(axis.key.clone(), toml_text(&Value::Array(axis.values.clone())));
    }
    lines
}

fn trial_of(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_str()?.strip_suffix(".json")?;
    (!name.starts_with('.')).then(|| name.to_owned())
}

fn put_aside(path: &Path, reason: &str) -> Result<(), Failure> {
    let aside = path.with_extension("json.damaged");
    fs::rename(path, &aside).map_err(|error| Failure::io("put aside", path, &error))?;
    notice(format_args!("warning: {reason}\n  the file is now {}, and its trial runs again", aside.display()));
    Ok(())
}

fn short(hash: &str) -> &str {
    hash.get(..12).unwrap_or(hash)
}
