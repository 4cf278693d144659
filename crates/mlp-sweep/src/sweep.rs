//! From a specification and data to trials, and from trials to results: everything is checked before any folder exists.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

use mlp_core::{Kernel, Mlp, Real, Workers};
use mlp_results::{RunFolder, RunRecord};
use mlp_train::{AnyMlp, AnyNetwork, AnyUnfolded, Run};
use serde_json::Value;

use crate::agreement::Expected;
use crate::coverage;
use crate::dataset::Dataset;
use crate::error::{Advice, Error, Result};
use crate::event::{Event, Observer, Warning};
use crate::experiment::{Experiment, InitialModel};
use crate::halving;
use crate::runner::{RunOptions, Runner, Stopped, SweepOutcome};
use crate::shard::Shard;
use crate::spec::{INITIAL_KEY, SweepSpec, toml_text};
use crate::store::{Sharing, Store, result_elsewhere};
use crate::trial::Trial;

/// What will be computed, and where it goes.
///
/// ```
/// use mlp_sweep::{Dataset, RunOptions, Sweep, SweepSpec};
/// use mnist_io::synthetic_digits;
///
/// let spec = SweepSpec::from_toml("hidden = [8]\nepochs = 1\n[sweep]\nlearning_rate = [0.001, 0.01]\n")?;
/// let data = Dataset::images("digits", synthetic_digits(100, 0), synthetic_digits(50, 1))?.synthetic();
/// let folder = tempfile::tempdir().expect("a folder");
/// let sweep = Sweep::new(spec, data, folder.path())?;
/// let outcome = sweep.run(&RunOptions::default(), &())?;
/// assert_eq!(outcome.records.len(), 2);
///
/// // Everything is there already: nothing is run again.
/// assert_eq!(sweep.run(&RunOptions::default(), &())?.records, outcome.records);
/// # Ok::<(), mlp_sweep::Error>(())
/// ```
#[derive(Debug)]
#[must_use = "nothing is run until `run` is called"]
pub struct Sweep {
    specification: SweepSpec,
    experiment: Experiment,
    trials: Vec<Trial>,
    folder: RunFolder,
}

/// A [`Sweep`] with choices besides its specification and data.
#[derive(Debug)]
#[must_use = "nothing is made until `build` is called"]
pub struct SweepBuilder {
    specification: SweepSpec,
    data: Dataset,
    kernel: Kernel,
    initial: Option<InitialModel>,
    default_name: Option<String>,
    destination: Destination,
}

/// Where results go.
#[derive(Debug)]
enum Destination {
    Folder(PathBuf),
    /// Into `NAME-DATA` in this folder, with a suffix.
    Below(PathBuf, String),
}

/// A sweep whose folder this process holds, alone or with others.
#[derive(Debug)]
#[must_use = "the folder is given back when this is dropped"]
pub struct OpenSweep<'a> {
    sweep: &'a Sweep,
    store: Store,
    records: BTreeMap<String, RunRecord>,
    trials: Vec<Trial>,
}

impl Sweep {
    /// The sweep of `specification` on `data`, whose results go into `folder`, with the best instructions of this machine.
    ///
    /// # Errors
    ///
    /// If a trial does not suit the data, or two trials compute the same.
    pub fn new(specification: SweepSpec, data: Dataset, folder: impl Into<PathBuf>) -> Result<Self> {
        Sweep::builder(specification, data).folder(folder).build()
    }

    /// A sweep with choices besides its specification and data.
    pub fn builder(specification: SweepSpec, data: Dataset) -> SweepBuilder {
        let destination = Destination::Below(PathBuf::from("runs"), String::new());
        SweepBuilder { specification, data, kernel: Kernel::detect(), initial: None, default_name: None, destination }
    }

    /// What was asked for, with a name and the data's.
    pub fn specification(&self) -> &SweepSpec {
        &self.specification
    }

    /// What its trials share.
    pub fn experiment(&self) -> &Experiment {
        &self.experiment
    }

    /// Every trial, in the order of the grid or of the draws.
    pub fn trials(&self) -> &[Trial] {
        &self.trials
    }

    /// Where results go.
    pub fn folder(&self) -> &RunFolder {
        &self.folder
    }

    /// Runs every trial that has no result yet.
    ///
    /// # Errors
    ///
    /// As [`Sweep::open`], if results cannot be written, and if samples cannot be trained on. A trial that fails, by a panic
    /// or for want of memory, is no error: its record says so.
    ///
    /// # Panics
    ///
    /// If `observer` does, with what it panics with.
    pub fn run(&self, options: &RunOptions<'_>, observer: &dyn Observer) -> Result<SweepOutcome> {
        self.open("sweep", None, observer)?.run(options, observer)
    }

    /// Runs those trials of `shard` that have no result yet, in a folder that other shards share at the same time: other
    /// threads, other processes, or other machines with the same file system.
    ///
    /// ```
    /// use mlp_sweep::{Dataset, RunOptions, Shard, Sweep, SweepSpec};
    /// use mnist_io::synthetic_digits;
    ///
    /// let spec = SweepSpec::from_toml("hidden = [8]\nepochs = 1\n[sweep]\nseed = [0, 1, 2, 3]\n")?;
    /// let data = Dataset::images("digits", synthetic_digits(100, 0), synthetic_digits(50, 1))?.synthetic();
    /// let folder = tempfile::tempdir().expect("a folder");
    /// let sweep = Sweep::new(spec, data, folder.path())?;
    ///
    /// // A scheduler starts the second part elsewhere; `"2/2".parse()` is the same.
    /// for shard in [Shard::new(1, 2)?, Shard::new(2, 2)?] {
    ///     let outcome = sweep.run_shard(shard, &RunOptions::default(), &())?;
    ///     assert_eq!(outcome.records.len(), 2);
    /// }
    /// assert_eq!(sweep.folder().records().len(), 4);
    /// # Ok::<(), mlp_sweep::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Sweep::run`], and with successive halving, which compares all trials with one another.
    pub fn run_shard(&self, shard: Shard, options: &RunOptions<'_>, observer: &dyn Observer) -> Result<SweepOutcome> {
        self.open("sweep", Some(shard), observer)?.run(options, observer)
    }

    /// Takes the folder for `purpose`, which whoever comes second is told, and reads the results that it has: alone, or for
    /// a shard together with others.
    ///
    /// # Errors
    ///
    /// If the folder belongs to another specification, other data or another kernel, if another process holds it, or if it
    /// cannot be written. Nothing in it is changed then but `.lock`, which names the last process that held it.
    pub fn open(&self, purpose: &str, shard: Option<Shard>, observer: &dyn Observer) -> Result<OpenSweep<'_>> {
        let trials = match shard {
            None => self.trials.clone(),
            Some(shard) => {
                self.check_divisible()?;
                shard.part(&self.experiment, &self.trials)
            }
        };
        let sharing = if shard.is_some() { Sharing::Shared } else { Sharing::Alone };
        let (store, records) = self.open_store(purpose, sharing, observer)?;
        Ok(OpenSweep { sweep: self, store, records, trials })
    }

    /// Takes the folder together with others, in order to hand its trials to a scheduler.
    pub(crate) fn open_shared(&self, observer: &dyn Observer) -> Result<OpenSweep<'_>> {
        self.check_divisible()?;
        let (store, records) = self.open_store("sweep", Sharing::Shared, observer)?;
        Ok(OpenSweep { sweep: self, store, records, trials: self.trials.clone() })
    }

    /// Whether the trials can be run in parts: not where all are compared with one another.
    pub(crate) fn check_divisible(&self) -> Result<()> {
        if self.specification.halving.is_none() {
            return Ok(());
        }
        Err(Error::specification(
            "a part of a sweep: expected one without `halving`, which compares all trials with one another; ",
        )
        .with_advice(Advice::Whole))
    }

    fn open_store(
        &self,
        purpose: &str,
        sharing: Sharing,
        observer: &dyn Observer,
    ) -> Result<(Store, BTreeMap<String, RunRecord>)> {
        let identities = |specification: &SweepSpec| -> Result<BTreeSet<String>> {
            let trials = self.experiment.trials(specification)?;
            Ok(trials.into_iter().map(|trial| trial.id).collect())
        };
        let expected = Expected {
            specification: &self.specification,
            identities: &identities,
            data_sha256: self.experiment.data().sha256(),
            kernel: self.experiment.kernel(),
            initial: self.experiment.initial().map(InitialModel::sha256),
        };
        Store::open(&self.folder, purpose, sharing, &expected, observer)
    }
}

impl SweepBuilder {
    /// Results go into this folder; without it, into `runs/NAME-DATA` below the current one.
    pub fn folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.destination = Destination::Folder(folder.into());
        self
    }

    /// Results go into `NAME-DATA` in this folder.
    pub fn folder_below(mut self, parent: impl Into<PathBuf>) -> Self {
        self.destination = Destination::Below(parent.into(), String::new());
        self
    }

    /// Results go into `NAME-DATA-SUFFIX` in this folder: for what names and data do not tell apart.
    pub fn folder_below_with(mut self, parent: impl Into<PathBuf>, suffix: &str) -> Self {
        self.destination = Destination::Below(parent.into(), format!("-{suffix}"));
        self
    }

    /// What the sweep is called where its specification does not say; without it, "train-" and the beginning of the first
    /// trial's identity, so that every configuration has a folder of its own.
    pub fn default_name(mut self, name: impl Into<String>) -> Self {
        self.default_name = Some(name.into());
        self
    }

    /// The instructions to compute with; those of different kernels round differently.
    pub fn kernel(mut self, kernel: Kernel) -> Self {
        self.kernel = kernel;
        self
    }

    /// Trials start from this network instead of random weights.
    pub fn initial(mut self, initial: InitialModel) -> Self {
        self.initial = Some(initial);
        self
    }

    /// Checks everything, and makes the trials.
    ///
    /// # Errors
    ///
    /// If a trial does not suit the data or the initial network, two trials compute the same, or the names of sweep and data
    /// make no folder's name where one is made of them.
    pub fn build(self) -> Result<Sweep> {
        let SweepBuilder { mut specification, data, kernel, initial, default_name, destination } = self;
        check_initial(specification.initial.as_ref(), initial.as_ref())?;
        // Before the trials are made, so that records say the same whether a sweep is run from its own file or from the
        // `spec.toml` of its folder. Only a name made from a trial's identity has to wait for the trials.
        if let Some(name) = default_name {
            specification.base.name.get_or_insert(name);
        }
        specification.base.data.get_or_insert_with(|| data.name().to_owned());
        specification.fit_default_encoding(data.train().classes());
        specification.fit_default_batch(data.train().len())?;
        let experiment = Experiment::new(data, kernel, initial, &specification.trials_settings()?);
        let trials = experiment.trials(&specification)?;
        let name_from_identity = || format!("train-{}", trials.first().map_or("", |trial| &trial.id[..8]));
        let name = specification.base.name.get_or_insert_with(name_from_identity);
        let folder = RunFolder::new(match destination {
            Destination::Folder(folder) => folder,
            Destination::Below(parent, suffix) => {
                parent.join(one_folder(&format!("{name}-{}{suffix}", experiment.data().name()))?)
            }
        });
        Ok(Sweep { specification, experiment, trials, folder })
    }
}

/// `name`, if it is the name of a folder and leads nowhere else.
fn one_folder(name: &str) -> Result<&str> {
    let mut components = Path::new(name).components();
    match (components.next(), components.next()) {
        (Some(Component::Normal(only)), None) if only == name => Ok(name),
        _ => Err(Error::specification(format!(
            "the folder NAME-DATA: expected the name of a folder, found \"{name}\"; take other names for sweep and data"
        ))),
    }
}

impl OpenSweep<'_> {
    /// The results that are there, by trial.
    pub fn records(&self) -> &BTreeMap<String, RunRecord> {
        &self.records
    }

    /// The trials to run or to find finished: all, or those of the shard.
    pub fn trials(&self) -> &[Trial] {
        &self.trials
    }

    /// How many of the trials have a result and are not run again.
    pub fn n_over(&self) -> usize {
        n_over(&self.trials, &self.records)
    }

    /// Takes finished trials that are not there over from `other`, another folder of results, which is only read. What
    /// cannot be taken over is passed over with a warning.
    ///
    /// # Errors
    ///
    /// If `other` is not a folder of results, or they cannot be written here.
    pub fn reuse(&mut self, other: &Path, observer: &dyn Observer) -> Result<()> {
        let folder = RunFolder::new(other);
        if !folder.trials().is_dir() {
            return Err(Error::specification(format!(
                "{}: expected a folder of results, with trials/ in it, to reuse them; ",
                other.display()
            ))
            .in_file(other)
            .with_advice(Advice::Reuse));
        }
        let experiment = &self.sweep.experiment;
        let mut n_trials = 0;
        for trial in &self.sweep.trials {
            if self.records.get(&trial.id).is_some_and(RunRecord::is_over) {
                continue;
            }
            match result_elsewhere(&folder, &trial.id, experiment.kernel()) {
                Ok(None) => {}
                Ok(Some((mut record, model))) => {
                    // The identity leaves out under which name and from which place a trial was run.
                    let (n_train, n_test) = experiment.n_samples(&trial.settings);
                    record.config = experiment.configuration(&trial.settings);
                    record.data = experiment.data().describe(n_train, n_test);
                    let configuration = experiment.model_configuration(&trial.settings);
                    self.store.save(&record, model.as_ref(), &configuration)?;
                    self.records.insert(trial.id.clone(), record);
                    n_trials += 1;
                }
                Err(reason) => {
                    let warning = Warning::new(reason).with_remedy("the trial is not taken over, and runs");
                    observer.notify(Event::Warning(&warning));
                }
            }
        }
        observer.notify(Event::Reused { n_trials, folder: other });
        Ok(())
    }

    /// Keeps a run of `trial` that whoever calls has trained by [`train_resumable`](mlp_train::train_resumable) with the
    /// trial's configuration, the samples and the kernel of this sweep, to its end: it then is as if [`OpenSweep::run`] had
    /// run it. A trial that has a result keeps that.
    ///
    /// # Errors
    ///
    /// If the run was interrupted, or the files cannot be written.
    pub fn keep<F: Real>(&mut self, trial: &Trial, run: &Run<F>, workers: &Workers) -> Result<&RunRecord>
    where
        AnyMlp: From<Mlp<F>>,
    {
        let experiment = &self.sweep.experiment;
        if !self.records.get(&trial.id).is_some_and(RunRecord::is_over) {
            let record = RunRecord::of_run(experiment.subject(trial, workers), run).ok_or_else(|| {
                Error::specification(format!(
                    "trial {}: expected a run that came to its end, found one that was stopped",
                    trial.id
                ))
            })?;
            let model = record.weights_sha256.is_some().then(|| AnyNetwork {
                mlp: AnyMlp::from(run.mlp.clone()),
                unfolded: run.unfolded.as_ref().map(AnyUnfolded::new),
            });
            self.store.save(&record, model.as_ref(), &experiment.model_configuration(&trial.settings))?;
            self.records.insert(trial.id.clone(), record);
        }
        Ok(&self.records[&trial.id])
    }

    /// Runs what has no result yet, with successive halving where the specification says so.
    ///
    /// # Errors
    ///
    /// If results cannot be written, samples cannot be trained on, or the system refuses threads.
    ///
    /// # Panics
    ///
    /// If `observer` does, with what it panics with.
    pub fn run(self, options: &RunOptions<'_>, observer: &dyn Observer) -> Result<SweepOutcome> {
        self.run_unless(&|| options.stopped(), options, observer)
    }

    /// The same; asks `stopped` whether to stop, and not the options.
    pub(crate) fn run_unless(
        self,
        stopped: &(dyn Fn() -> Option<Stopped> + Sync),
        options: &RunOptions<'_>,
        observer: &dyn Observer,
    ) -> Result<SweepOutcome> {
        let OpenSweep { sweep, store, records, trials } = self;
        let is_open = |trial: &&Trial| records.get(&trial.id).is_none_or(|record| !record.is_over());
        coverage::warn(&sweep.experiment, trials.iter().filter(is_open), observer);
        let runner = Runner { experiment: &sweep.experiment, store: &store, options, stopped, observer };
        match sweep.specification.halving {
            Some(halving) => halving::run(halving, &runner, &trials, sweep.specification.base.train.epochs, records),
            None => {
                let ran = runner.run(&trials, records, None)?;
                Ok(SweepOutcome { records: ran.records, stopped_trials: Vec::new(), stopped: ran.stopped })
            }
        }
    }
}

/// How many of `trials` have a result among `records` and are not run again.
pub fn n_over(trials: &[Trial], records: &BTreeMap<String, RunRecord>) -> usize {
    trials.iter().filter(|trial| records.get(&trial.id).is_some_and(RunRecord::is_over)).count()
}

/// The `spec.toml` of a run that began with a saved network names that network, and gives the same run only with it.
fn check_initial(expected: Option<&Value>, given: Option<&InitialModel>) -> Result<()> {
    match (expected, given.map(InitialModel::sha256)) {
        (None, _) => Ok(()),
        (Some(Value::String(expected)), Some(given)) if expected == given => Ok(()),
        (Some(expected), given) => {
            let (expected, advice) = (toml_text(expected), Advice::NoInitialModel);
            let text = format!(
                "{INITIAL_KEY}: expected the initial network whose weights have the SHA-256 {expected}, found "
            );
            Err(match given {
                None => Error::specification(text).with_advice(advice),
                Some(given) => Error::specification(format!("{text}{given}; ")).with_advice(Advice::InitialModel),
            })
        }
    }
}
