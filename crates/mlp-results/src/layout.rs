//! Where everything is in a folder of results: the one owner of these names.

use std::path::{Path, PathBuf};

/// How the names of a trial's two checkpoints go on.
const CHECKPOINTS: [&str; 2] = [".a.safetensors", ".b.safetensors"];

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
/// slurm/task.sh                   and what the tasks of a job array print
/// report.html    plots/    results.csv    epochs.csv    rebuildable from the records
/// .lock    .report.lock           held by who works in the folder, and by who writes its report
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RunFolder {
    root: PathBuf,
}

impl RunFolder {
    /// The name of the file by which those who write the report of a folder take turns
    /// ([`FolderLock::wait`](durable_file::FolderLock::wait)).
    pub const REPORT_LOCK: &str = ".report.lock";

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

    /// The two checkpoints of a trial under way, which are written in turn.
    pub fn trial_checkpoints(&self, trial: &str) -> [PathBuf; 2] {
        CHECKPOINTS.map(|ending| self.checkpoints().join(format!("{trial}{ending}")))
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

    /// The folder of what networks answered to each test image.
    pub fn all_answers(&self) -> PathBuf {
        self.root.join("answers")
    }

    /// What a trial's network answered to each test image.
    pub fn answers(&self, trial: &str) -> PathBuf {
        self.all_answers().join(format!("{trial}.json"))
    }

    /// The folder of a job array's script and outputs.
    pub fn slurm(&self) -> PathBuf {
        self.root.join("slurm")
    }

    /// The script of a job array: `slurm/task.sh`.
    pub fn slurm_script(&self) -> PathBuf {
        self.slurm().join("task.sh")
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

    /// One row for each trial and epoch: `epochs.csv`.
    pub fn epochs_csv(&self) -> PathBuf {
        self.root.join("epochs.csv")
    }

    /// The folders in which files are staged before they get their names, the folder itself among them.
    pub fn written_folders(&self) -> [PathBuf; 10] {
        [
            self.root.clone(),
            self.trials(),
            self.models(),
            self.checkpoints(),
            self.rungs(),
            self.diagnoses(),
            self.robustness(),
            self.all_answers(),
            self.slurm(),
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

/// The trial whose checkpoint has this path; `None` for other files.
pub fn trial_of_checkpoint(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_str()?;
    CHECKPOINTS.iter().find_map(|ending| name.strip_suffix(ending)).map(str::to_owned)
}

/// The trial whose record has this path; `None` for other files, such as one that is only staged.
pub fn trial_of_record(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_str()?.strip_suffix(".json")?;
    (!name.starts_with('.')).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_written_into_a_folder_that_is_searched_for_what_was_staged() {
        let folder = RunFolder::new("f");
        let [first, second] = folder.trial_checkpoints("t");
        let files = [
            folder.specification(),
            folder.record("t"),
            folder.model("t"),
            first,
            second,
            folder.rung("t", 1),
            folder.halving(),
            folder.diagnosis("t"),
            folder.robustness_curves("t"),
            folder.answers("t"),
            folder.slurm_script(),
            folder.report(),
            folder.plots().join("a.svg"),
            folder.results_csv(),
            folder.epochs_csv(),
        ];
        for file in files {
            assert!(
                folder.written_folders().iter().any(|written| file.parent() == Some(written)),
                "{}",
                file.display()
            );
        }
    }

    #[test]
    fn a_checkpoint_names_its_trial() {
        let [first, second] = RunFolder::new("f").trial_checkpoints("abc");
        assert_ne!(first, second);
        for path in [first, second] {
            assert_eq!(trial_of_checkpoint(&path).as_deref(), Some("abc"));
        }
        assert_eq!(trial_of_checkpoint(Path::new("f/checkpoints/abc.safetensors")), None);
    }
}
