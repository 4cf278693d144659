//! Whether a folder of results may take what a sweep would write: one specification, one data set, one kernel.

use std::collections::{BTreeMap, BTreeSet};

use mlp_core::Kernel;
use mlp_results::{RunFolder, RunRecord};
use serde_json::Value;

use crate::error::{Advice, Error, Result};
use crate::event::{Event, Observer};
use crate::spec::{INITIAL_KEY, SweepSpec, toml_text};

/// What a folder must agree with.
pub(crate) struct Expected<'a> {
    pub(crate) specification: &'a SweepSpec,
    /// The identities of the trials of a specification, with the data at hand.
    pub(crate) identities: &'a dyn Fn(&SweepSpec) -> Result<BTreeSet<String>>,
    pub(crate) data_sha256: &'a str,
    pub(crate) kernel: Kernel,
    /// The hash of the network to start from, if there is one.
    pub(crate) initial: Option<&'a str>,
}

/// Records on other data are not of this sweep.
pub(crate) fn check_data(folder: &RunFolder, record: &RunRecord, expected: &Expected<'_>) -> Result<()> {
    if record.data.sha256 != expected.data_sha256 {
        return Err(Error::specification(format!(
            "{} holds results on other data ({} of SHA-256 {}…, now {}…); ",
            folder.path().display(),
            record.data.name,
            short(&record.data.sha256),
            short(expected.data_sha256),
        ))
        .in_file(folder.path())
        .with_advice(Advice::Folder));
    }
    Ok(())
}

/// Kernels round differently, so that a folder holds results of one.
pub(crate) fn check_kernel(folder: &RunFolder, record: &RunRecord, kernel: Kernel) -> Result<()> {
    // A failed trial computed nothing.
    if record.is_over() && record.kernel != kernel.name() {
        return Err(Error::specification(format!(
            "{} holds results of the kernel {}, this run would use {}, which rounds differently; ",
            folder.path().display(),
            record.kernel,
            kernel.name(),
        ))
        .in_file(folder.path())
        .with_advice(Advice::KernelOrFolder(record.kernel.clone())));
    }
    Ok(())
}

/// The specification to write, if it is not there already; an error if there is one that this one does not merely
/// extend.
pub(crate) fn agree_on_specification(
    folder: &RunFolder,
    expected: &Expected<'_>,
    observer: &dyn Observer,
) -> Result<Option<String>> {
    let path = folder.specification();
    let text = pinned_text(expected);
    if path.exists() {
        let there = SweepSpec::read(&path)?;
        let initial = there.initial.clone();
        if initial != expected.initial.map(Value::from) {
            return Err(different(folder, described(&there, initial), expected));
        }
        if there.to_toml() == expected.specification.to_toml() {
            return Ok(None);
        }
        let old = (expected.identities)(&there)?;
        let new = (expected.identities)(expected.specification)?;
        if !old.is_subset(&new) {
            return Err(different(folder, described(&there, initial), expected));
        }
        if old.len() < new.len() {
            observer.notify(Event::Grown { folder: folder.path(), from: old.len(), to: new.len() });
        }
    }
    Ok(Some(text))
}

fn different(folder: &RunFolder, there: BTreeMap<String, String>, expected: &Expected<'_>) -> Error {
    let here = described(expected.specification, expected.initial.map(Value::from));
    let keys: BTreeSet<&String> = there.keys().chain(here.keys()).collect();
    let nothing = "not set".to_owned();
    // The name may have been made up from the rest.
    let keys = keys.into_iter().filter(|key| *key != "name");
    let mut text = format!("{} belongs to another specification:", folder.path().display());
    for key in keys {
        let (old, new) = (there.get(key).unwrap_or(&nothing), here.get(key).unwrap_or(&nothing));
        if old != new {
            text.push_str(&format!("\n  {key}: {old} there, {new} now"));
        }
    }
    text.push('\n');
    let error = Error::specification(text).in_file(folder.path()).with_advice(Advice::FolderOrName);
    error.and_then("; in this one, lists under [sweep] may only grow")
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
        lines.insert("sweep.trials".to_owned(), random.n_combinations.to_string());
        lines.insert("sweep.draw_seed".to_owned(), random.seed.to_string());
    }
    if let Some(halving) = specification.halving {
        lines.insert("sweep.halving".to_owned(), toml_text(&halving.to_value()));
    }
    lines.extend(initial.map(|initial| (INITIAL_KEY.to_owned(), toml_text(&initial))));
    lines
}

fn short(hash: &str) -> &str {
    hash.get(..12).unwrap_or(hash)
}
