//! Where everything is in a folder of results. Nobody else knows these names.

use std::path::{Path, PathBuf};

/// A folder of results, as `train` and `sweep` write it; it need not exist yet.
///
/// ```text
/// spec.toml                       what was asked for
/// trials/<trial>.json             one immutable record for each finished trial
/// models/<trial>.safetensors
/// checkpoints/<trial>.{a,b}.safetensors    of trials under way
/// diagnosis/<trial>.json          robustness/<trial>.json    answers/<trial>.json
/// running/<trial>                 locked by the process that runs the trial
/// rungs/<trial>.<epoch>.json      halving.json    of successive halving
/// slurm/
/// report.html    plots/    results.csv             rebuildable from the records
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RunFolder {
    root: PathBuf,
}

impl RunFolder {
    /// The folder at `root`.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        RunFolder { root: root.into() }
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.root
    }

    /// What was asked for: `spec.toml`.
    pub fn specification(&self) -> PathBuf {
        self.root.join("spec.toml")
    }

    /// The folder of records.
    pub fn trials(&self) -> PathBuf {
        self.root.join("trials")
    }

    /// The record of a trial.
    pub fn record(&self, trial: &str) -> PathBuf {
        self.trials().join(format!("{trial}.json"))
    }

    /// The folder of models.
    pub fn models(&self) -> PathBuf {
        self.root.join("models")
    }

    /// The model of a trial.
    pub fn model(&self, trial: &str) -> PathBuf {
        self.models().join(format!("{trial}.safetensors"))
    }

    /// The folder of checkpoints of trials under way.
    pub fn checkpoints(&self) -> PathBuf {
        self.root.join("checkpoints")
    }

    /// The folder of files that say who runs which trial.
    pub fn running(&self) -> PathBuf {
        self.root.join("running")
    }

    /// The folder of what trials had reached when successive halving compared them.
    pub fn rungs(&self) -> PathBuf {
        self.root.join("rungs")
    }

    /// What a trial had reached after `epoch`.
    pub fn rung(&self, trial: &str, epoch: usize) -> PathBuf {
        self.rungs().join(format!("{trial}.{epoch}.json"))
    }

    /// Who was compared and stopped by successive halving: `halving.json`.
    pub fn halving(&self) -> PathBuf {
        self.root.join("halving.json")
    }

    /// The folder of what went on inside networks while they trained.
    pub fn diagnoses(&self) -> PathBuf {
        self.root.join("diagnosis")
    }

    /// The diagnosis of a trial.
    pub fn diagnosis(&self, trial: &str) -> PathBuf {
        self.diagnoses().join(format!("{trial}.json"))
    }

    /// The folder of measurements on disturbed images.
    pub fn robustness(&self) -> PathBuf {
        self.root.join("robustness")
    }

    /// The measurements of a trial's network on disturbed images.
    pub fn robustness_curves(&self, trial: &str) -> PathBuf {
        self.robustness().join(format!("{trial}.json"))
    }

    /// What a trial's network answered to each test image.
    pub fn answers(&self, trial: &str) -> PathBuf {
        self.root.join("answers").join(format!("{trial}.json"))
    }

    /// The folder of a job array's script and outputs.
    pub fn slurm(&self) -> PathBuf {
        self.root.join("slurm")
    }

    /// The page: `report.html`.
    pub fn report(&self) -> PathBuf {
        self.root.join("report.html")
    }

    /// The folder of the page's figures.
    pub fn plots(&self) -> PathBuf {
        self.root.join("plots")
    }

    /// One row for each trial: `results.csv`.
    pub fn results_csv(&self) -> PathBuf {
        self.root.join("results.csv")
    }

    /// The folders in which files are staged before they get their names, the folder itself among them.
    pub fn written_folders(&self) -> [PathBuf; 7] {
        [
            self.root.clone(),
            self.trials(),
            self.models(),
            self.checkpoints(),
            self.rungs(),
            self.diagnoses(),
            self.plots(),
        ]
    }

    /// The folder of results that the model at `path` lies in, and its trial; `None` where it lies elsewhere.
    pub fn of_model(path: &Path) -> Option<(Self, String)> {
        let trial = path.file_stem()?.to_str()?.to_owned();
        let folder = RunFolder::new(path.parent()?.parent()?);
        (folder.model(&trial) == path).then_some((folder, trial))
    }
}

/// The trial whose record has this path; `None` for other files, such as one that is only staged.
pub fn trial_of_record(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_str()?.strip_suffix(".json")?;
    (!name.starts_with('.')).then(|| name.to_owned())
}
