//! What a person waits for: whole commands, from the start of the process to its end.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use indicatif::ProgressBar;
use mnist_io::LabeledImages;
use serde::Serialize;
use serde_json::Value;

use crate::bench::peers::Python;
use crate::bench::to_accuracy::ToAccuracy;
use crate::failure::{Code, Failure};

/// The figures; those of peers are none where their packages are missing.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Whole {
    /// Reading the four files, unpacked as they are decoded.
    pub(crate) seconds_load: f64,
    /// `predict` on one picture: the median of some processes.
    pub(crate) seconds_predict: f64,
    pub(crate) sweeps: Vec<Sweep>,
    pub(crate) to_accuracies: Vec<ToAccuracy>,
}

/// Sixteen trials, two at a time; of each kind the best of some runs.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Sweep {
    pub(crate) n_digits: usize,
    pub(crate) n_epochs: usize,
    /// The sum of the trials' seconds when they run one after the other on one thread.
    pub(crate) seconds_alone: f64,
    /// The sweep on two threads, with everything that it does around the trials.
    pub(crate) seconds: f64,
    /// scikit-learn's `GridSearchCV` on the same grid.
    pub(crate) seconds_grid_search: Option<f64>,
}

/// What the measurements need.
pub(crate) struct Place<'a> {
    pub(crate) data: &'a Path,
    /// For what the commands write.
    pub(crate) scratch: &'a Path,
    pub(crate) python: Option<&'a Python<'a>>,
    pub(crate) n_threads: usize,
    /// Moves on with every run of a command.
    pub(crate) bar: &'a ProgressBar,
}

/// What each of sixteen trials trains on and is measured on.
#[derive(Clone, Copy)]
struct Grid {
    n_digits: usize,
    n_test: usize,
    n_epochs: usize,
}

/// Trials of a third of a second, beside which a sweep's own work shows, and of a size that people run. Both fit into the
/// training set, from which the peer takes its test digits too.
const GRIDS: [Grid; 2] =
    [Grid { n_digits: 10_000, n_test: 2_000, n_epochs: 2 }, Grid { n_digits: 50_000, n_test: 10_000, n_epochs: 1 }];

impl Place<'_> {
    /// All of them; minutes.
    pub(crate) fn measure(&self) -> Result<Whole, Failure> {
        self.bar.set_message("loading, predicting");
        let seconds_load = self.load()?;
        self.bar.inc(1);
        let seconds_predict = self.predict()?;
        self.bar.inc(1);
        self.bar.set_message("sweeps of 16 trials");
        let sweeps = GRIDS.iter().map(|&grid| self.sweep(grid)).collect::<Result<Vec<_>, _>>()?;
        let to_accuracies = self.to_accuracies()?;
        Ok(Whole { seconds_load, seconds_predict, sweeps, to_accuracies })
    }

    /// How often the bar moves on.
    pub(crate) fn n_runs(with_peers: bool) -> usize {
        let n_kinds_of_sweep = if with_peers { 3 } else { 2 };
        2 + GRIDS.len() * N_SWEEPS * n_kinds_of_sweep + Self::n_runs_to_accuracies(with_peers)
    }

    fn load(&self) -> Result<f64, Failure> {
        let mut best = f64::INFINITY;
        for _ in 0..5 {
            let started = Instant::now();
            LabeledImages::load_folder(self.data)?;
            best = best.min(started.elapsed().as_secs_f64());
        }
        Ok(best)
    }

    fn predict(&self) -> Result<f64, Failure> {
        let (_, test) = LabeledImages::load_folder(self.data)?;
        let picture = self.scratch.join("digit.png");
        let pixels = test.pixels().row(0).to_vec();
        let image = image::GrayImage::from_raw(test.width() as u32, test.height() as u32, pixels);
        image
            .and_then(|image| image.save(&picture).ok())
            .ok_or_else(|| Failure::new(Code::InputOutput, format!("cannot write {}", picture.display())))?;
        let folder = self.scratch.join("model");
        self.own(&["train", "--set", "epochs=1", "--set", "train_size=2000", "--quiet"], &folder)?;
        let model = only_file(&folder.join("models"))?;
        let arguments = ["predict".as_ref(), model.as_os_str(), picture.as_os_str()];
        let mut seconds = Vec::new();
        for _ in 0..21 {
            let started = Instant::now();
            self.run(Command::new(this_program()?).args(arguments))?;
            seconds.push(started.elapsed().as_secs_f64());
        }
        Ok(median(seconds))
    }

    fn sweep(&self, grid: Grid) -> Result<Sweep, Failure> {
        let Grid { n_digits, n_test, n_epochs } = grid;
        let specification = self.scratch.join("sixteen.toml");
        let sizes = format!("train_size = {n_digits}\ntest_size = {n_test}\nepochs = {n_epochs}\n");
        std::fs::write(&specification, sizes + SIXTEEN)
            .map_err(|error| Failure::io("write", &specification, &error))?;
        let specification = specification.display().to_string();
        let (mut seconds_alone, mut seconds, mut seconds_grid_search) = (f64::INFINITY, f64::INFINITY, None::<f64>);
        for run in 0..N_SWEEPS {
            let alone = self.scratch.join(format!("alone-{n_digits}-{run}"));
            self.own(&["sweep", &specification, "--quiet", "--threads", "1"], &alone)?;
            seconds_alone = seconds_alone.min(seconds_of_trials(&alone)?);
            self.bar.inc(1);
            let together = self.scratch.join(format!("together-{n_digits}-{run}"));
            let started = Instant::now();
            self.own(&["sweep", &specification, "--quiet", "--threads", "2"], &together)?;
            seconds = seconds.min(started.elapsed().as_secs_f64());
            self.bar.inc(1);
            let Some(python) = self.python else { continue };
            let sizes = [
                "--trials=16".to_owned(),
                format!("--samples={n_digits}"),
                format!("--test-samples={n_test}"),
                format!("--epochs={n_epochs}"),
            ];
            let answer = python.run("grid_search.py", &sizes, self.bar)?;
            let of_peer = answer.and_then(|answer| answer["seconds"].as_f64());
            let best = seconds_grid_search.unwrap_or(f64::INFINITY);
            seconds_grid_search = of_peer.map(|of_peer| of_peer.min(best)).or(seconds_grid_search);
            self.bar.inc(1);
        }
        Ok(Sweep { n_digits, n_epochs, seconds_alone, seconds, seconds_grid_search })
    }

    /// A command of this program on the data.
    pub(crate) fn own(&self, arguments: &[&str], out: &Path) -> Result<(), Failure> {
        let mut command = Command::new(this_program()?);
        self.run(command.args(arguments).arg("--data").arg(self.data).arg("--out").arg(out))
    }

    fn run(&self, command: &mut Command) -> Result<(), Failure> {
        let shown = format!("{command:?}");
        let output = command
            .stdin(Stdio::null())
            .output()
            .map_err(|error| Failure::new(Code::InputOutput, format!("cannot run {shown}: {error}")))?;
        if output.status.success() {
            return Ok(());
        }
        let errors = String::from_utf8_lossy(&output.stderr);
        Err(Failure::new(Code::Unsuccessful, format!("{shown} ended with {}: {}", output.status, errors.trim_end())))
    }
}

/// Sweeps of each kind, in turn.
const N_SWEEPS: usize = 3;

/// The grid of `peers/grid_search.py`.
const SIXTEEN: &str = "\
name = \"sixteen\"
hidden = [256, 128]
encoding = \"one-hot\"
output_activation = \"softmax\"
loss = \"softmax-cross-entropy\"
optimizer = \"adam\"
schedule = \"constant\"
batch_size = 32

[sweep]
learning_rate = [1.0e-4, 1.36e-4, 1.85e-4, 2.51e-4, 3.41e-4, 4.64e-4, 6.31e-4, 8.58e-4, 1.17e-3, 1.58e-3, 2.15e-3,
    2.93e-3, 3.98e-3, 5.41e-3, 7.36e-3, 1.0e-2]
";

fn this_program() -> Result<PathBuf, Failure> {
    std::env::current_exe()
        .map_err(|error| Failure::new(Code::InputOutput, format!("cannot find this program: {error}")))
}

/// What the trials of a results folder took to train and to measure.
fn seconds_of_trials(folder: &Path) -> Result<f64, Failure> {
    let of_record = |record: &Value| {
        let lists = ["seconds_train", "seconds_evaluate"].map(|key| record["runtime"][key].as_array());
        lists.into_iter().flatten().flatten().filter_map(Value::as_f64).sum::<f64>()
    };
    Ok(records(folder)?.iter().map(of_record).sum())
}

/// The records of a results folder.
pub(crate) fn records(folder: &Path) -> Result<Vec<Value>, Failure> {
    let folder = folder.join("trials");
    let mut records = Vec::new();
    for entry in std::fs::read_dir(&folder).map_err(|error| Failure::io("read", &folder, &error))? {
        let path = entry.map_err(|error| Failure::io("read", &folder, &error))?.path();
        let text = std::fs::read_to_string(&path).map_err(|error| Failure::io("read", &path, &error))?;
        records
            .push(serde_json::from_str(&text).map_err(|error| Failure::data(format!("{}: {error}", path.display())))?);
    }
    Ok(records)
}

fn only_file(folder: &Path) -> Result<PathBuf, Failure> {
    let entry = std::fs::read_dir(folder).map_err(|error| Failure::io("read", folder, &error))?.next();
    let entry = entry.ok_or_else(|| Failure::data(format!("{} is empty", folder.display())))?;
    Ok(entry.map_err(|error| Failure::io("read", folder, &error))?.path())
}

pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let n = values.len();
    if n == 0 { f64::NAN } else { (values[(n - 1) / 2] + values[n / 2]) / 2.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seconds_of_trials_are_those_of_all_epochs_and_measurements() -> Result<(), Box<dyn std::error::Error>> {
        let folder = tempfile::tempdir()?;
        let trials = folder.path().join("trials");
        std::fs::create_dir(&trials)?;
        let records = [
            ("a.json", r#"{"runtime": {"seconds_train": [1, 2], "seconds_evaluate": [0.25, 0.5, 0.125]}}"#),
            ("b.json", r#"{"runtime": {"seconds_train": [4.0]}}"#),
        ];
        for (name, text) in records {
            std::fs::write(trials.join(name), text)?;
        }
        assert_eq!(seconds_of_trials(folder.path())?, 7.875);
        Ok(())
    }
}
