//! From what a person wrote to trials that are ready to run: everything is checked before any folder exists.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use mlp_train::RunRecord;
use serde_json::Value;

use crate::configuration::{Document, SweepSpec, toml_text};
use crate::data;
use crate::failure::Failure;
use crate::options::RunOptions;
use crate::places;
use crate::store::{Expected, INITIAL_KEY, ResultsStore};
use crate::trial::{Initial, Laboratory, Trial};

/// What will be computed, and where it goes.
pub(crate) struct Plan {
    pub(crate) specification: SweepSpec,
    pub(crate) laboratory: Laboratory,
    pub(crate) trials: Vec<Trial>,
    pub(crate) folder: PathBuf,
}

/// What a folder of results is called where nothing names it.
pub(crate) enum DefaultName {
    /// This.
    Fixed(String),
    /// "train-" and the beginning of the trial's identity, so that every configuration has a folder of its own.
    OfTrial,
}

/// Reads the data and checks `document`, with the options laid over it, against them.
pub(crate) fn plan(
    mut document: Document,
    default_name: DefaultName,
    options: &RunOptions,
    initial: Option<Initial>,
) -> Result<Plan, Failure> {
    for setting in &options.settings {
        document.override_with(setting)?;
    }
    check_pinned(document.take(INITIAL_KEY), initial.as_ref())?;
    let mut specification = document.check()?;
    if options.data.data.is_some() {
        specification.base.data.clone_from(&options.data.data);
    }
    let kernel = options.machine.kernel()?;
    let data = data::load(specification.base.data.as_deref())?;
    specification.base.data.get_or_insert_with(|| data.name.clone());
    let laboratory = Laboratory::new(data, kernel, initial, &specification.cells()?);
    let trials = laboratory.trials(&specification)?;
    let name = match (&specification.base.name, default_name) {
        (Some(name), _) => name.clone(),
        (None, DefaultName::Fixed(name)) => name,
        (None, DefaultName::OfTrial) => format!("train-{}", trials.first().map_or("", |trial| &trial.id[..8])),
    };
    let folder = match &options.out {
        Some(folder) => folder.clone(),
        None => places::runs().join(format!("{name}-{}", laboratory.data.name)),
    };
    specification.base.name = Some(name);
    Ok(Plan { specification, laboratory, trials, folder })
}

/// The `spec.toml` of a run that began with a saved network names that network, and gives the same run only with it.
fn check_pinned(pinned: Option<Value>, initial: Option<&Initial>) -> Result<(), Failure> {
    match (pinned, initial.map(Initial::sha256)) {
        (None, _) => Ok(()),
        (Some(Value::String(pinned)), Some(given)) if pinned == given => Ok(()),
        (Some(pinned), given) => Err(Failure::configuration(format!(
            "{INITIAL_KEY}: expected --init with the network whose weights have the SHA-256 {}, found {}; \
             `train --init MODEL` starts from a network",
            toml_text(&pinned),
            given.unwrap_or("no --init"),
        ))),
    }
}

impl Plan {
    /// Opens the folder of results for `purpose`, with the records it already has.
    pub(crate) fn open_store(&self, purpose: &str) -> Result<(ResultsStore, BTreeMap<String, RunRecord>), Failure> {
        let identities = |specification: &SweepSpec| -> Result<BTreeSet<String>, Failure> {
            let trials = self.laboratory.trials(specification)?;
            Ok(trials.into_iter().map(|trial| trial.id).collect())
        };
        ResultsStore::open(
            &self.folder,
            purpose,
            &Expected {
                specification: &self.specification,
                identities: &identities,
                data_sha256: &self.laboratory.data.sha256,
                kernel: self.laboratory.kernel,
                initial: self.laboratory.initial.as_ref().map(Initial::sha256),
            },
        )
    }
}
