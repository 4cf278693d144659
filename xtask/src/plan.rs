//! From what a person wrote to trials that are ready to run: everything is checked before any folder exists.

use mlp_results::{RunRecord, Status};

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::configuration::{Document, SweepSpec, toml_text};
use crate::data;
use crate::failure::Failure;
use crate::options::RunOptions;
use crate::output::{counted, notice};
use crate::places;
use crate::store::{Expected, INITIAL_KEY, ResultsStore, Sharing, TRIALS, result_elsewhere};
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
    // Before the trials are made, so that records say the same whether a sweep is run from its own file or from the
    // `spec.toml` of its folder.
    if let DefaultName::Fixed(name) = &default_name {
        specification.base.name.get_or_insert_with(|| name.clone());
    }
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
    /// Takes finished trials that are not among `records` over from `other`, another folder of results, which is only
    /// read. What cannot be taken over is passed over with a warning.
    pub(crate) fn reuse(
        &self,
        other: &Path,
        store: &ResultsStore,
        records: &mut BTreeMap<String, RunRecord>,
    ) -> Result<(), Failure> {
        if !other.join(TRIALS).is_dir() {
            return Err(Failure::configuration(format!(
                "--reuse {}: expected a folder of results, with {TRIALS}/ in it; name one that `train` or `sweep` wrote",
                other.display()
            )));
        }
        let mut n_taken = 0;
        for trial in &self.trials {
            if records.get(&trial.id).is_some_and(|record| record.status != Status::Failed) {
                continue;
            }
            match result_elsewhere(other, &trial.id, self.laboratory.kernel) {
                Ok(None) => {}
                Ok(Some((mut record, model))) => {
                    // The identity leaves out under which name and from which place a trial was run.
                    let (train, test) = self.laboratory.images(&trial.settings);
                    record.config = self.laboratory.configuration(&trial.settings);
                    record.data = self.laboratory.data.describe(train.len(), test.len());
                    store.save(&record, model.as_ref(), &self.laboratory.model_configuration(&trial.settings))?;
                    records.insert(trial.id.clone(), record);
                    n_taken += 1;
                }
                Err(reason) => notice(format_args!("warning: {reason}\n  the trial is not taken over, and runs")),
            }
        }
        notice(format_args!("{} taken over from {}", counted(n_taken, "finished trial"), other.display()));
        Ok(())
    }

    /// Opens the folder of results for `purpose`, with the records it already has.
    pub(crate) fn open_store(
        &self,
        purpose: &str,
        sharing: Sharing,
    ) -> Result<(ResultsStore, BTreeMap<String, RunRecord>), Failure> {
        let identities = |specification: &SweepSpec| -> Result<BTreeSet<String>, Failure> {
            let trials = self.laboratory.trials(specification)?;
            Ok(trials.into_iter().map(|trial| trial.id).collect())
        };
        ResultsStore::open(
            &self.folder,
            purpose,
            sharing,
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
