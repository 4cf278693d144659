//! A folder of results: the specification, a record for each finished trial, models beside them.
//!
//! A record is the proof that its trial is done: it is written last and appears under its name in one step. So whatever
//! interrupts a sweep, running it again finds what is finished and does the rest.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use mlp_core::Kernel;
use mlp_train::{AnyMlp, RECORD_SCHEMA, RecordError, RunRecord, Status, save_model};
use serde_json::{Map, Value};

use crate::configuration::{Document, SweepSpec, toml_text};
use crate::failure::{Code, Failure};
use crate::lock::FolderLock;
use crate::output::notice;
use crate::partial::Partial;

const SPECIFICATION: &str = "spec.toml";

/// The key of the specification that names the network to start from, by the hash of its weights.
pub(crate) const INITIAL_KEY: &str = "init";

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
        expected: &Expected<'_>,
    ) -> Result<(Self, BTreeMap<String, RunRecord>), Failure> {
        for folder in [folder.to_path_buf(), folder.join("trials"), folder.join("models")] {
            fs::create_dir_all(&folder).map_err(|error| Failure::io("create the folder", &folder, &error))?;
        }
        let store = ResultsStore { folder: folder.to_path_buf(), _lock: FolderLock::acquire(folder, purpose)? };
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
        Ok((store, found.records))
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

    /// All records by trial, and the files that should be records and are not.
    fn read_records(&self) -> Result<Found, Failure> {
        let trials = self.folder.join("trials");
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
                Err(error @ RecordError::Io { .. }) => return Err(Failure::new(Code::InputOutput, error.to_string())),
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

/// Replaces the file at `path` in one step.
pub(crate) fn write_atomically(path: &Path, text: &str) -> Result<(), Failure> {
    let mut partial = Partial::create(path)?;
    partial.write(text.as_bytes())?;
    partial.persist()
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
        lines.insert(axis.key.clone(), toml_text(&Value::Array(axis.values.clone())));
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
    fs::rename(path, &aside).map_err(|error| Failure::io("put aside", path, &error))?;
    notice(format_args!("warning: {reason}\n  the file is now {}, and its trial runs again", aside.display()));
    Ok(())
}

fn short(hash: &str) -> &str {
    hash.get(..12).unwrap_or(hash)
}
