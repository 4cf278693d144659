//! Sweeps of a few milliseconds on a few images, and what they leave.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex, MutexGuard};

use mlp_results::{RunFolder, RunRecord, Runtime};
use mlp_sweep::{Dataset, Event, Observer, RunOptions, Sweep, SweepOutcome, SweepSpec};
use mnist_io::synthetic_digits;
use tempfile::TempDir;

/// Six trials.
pub(crate) const SMALL: &str =
    "hidden = [8]\nepochs = 1\ntest_size = 50\n[sweep]\nlearning_rate = [0.01, 0.001]\nseed = [0, 1, 2]\n";

/// 200 images to train on and 100 to test on, the same in every process.
pub(crate) fn digits() -> Dataset {
    static DIGITS: LazyLock<Dataset> = LazyLock::new(|| {
        Dataset::images("digits", synthetic_digits(200, 1), synthetic_digits(100, 2)).expect("a data set")
    });
    DIGITS.clone()
}

/// A folder of results that is not there yet, in one that is removed at the end.
pub(crate) struct Place {
    root: TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        Place { root: tempfile::tempdir().expect("a temporary folder") }
    }

    /// The folder of results of this name.
    pub(crate) fn folder(&self, name: &str) -> RunFolder {
        RunFolder::new(self.root.path().join(name))
    }

    /// Writes a file, and returns its path.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.root.path().join(name);
        fs::write(&path, content).expect("a file");
        path
    }
}

pub(crate) fn specification(text: &str) -> SweepSpec {
    SweepSpec::from_toml(text).expect("a specification")
}

/// The sweep of `text` on the digits.
pub(crate) fn sweep(text: &str, folder: &RunFolder) -> Sweep {
    sweep_of(specification(text), folder)
}

/// The sweep of `specification` on the digits.
pub(crate) fn sweep_of(specification: SweepSpec, folder: &RunFolder) -> Sweep {
    Sweep::new(specification, digits(), folder.path()).expect("a sweep")
}

/// One trial at a time, on one thread.
pub(crate) fn one_by_one() -> RunOptions<'static> {
    let mut options = RunOptions::default();
    options.n_threads = 1;
    options
}

/// Runs a sweep to its end.
pub(crate) fn run(sweep: &Sweep) -> SweepOutcome {
    let outcome = sweep.run(&RunOptions::default(), &()).expect("an outcome");
    assert_eq!(outcome.stopped, None);
    outcome
}

/// The records in a folder without what two runs need not share, by trial. Each must be whole, and under its own name.
pub(crate) fn records(folder: &RunFolder) -> BTreeMap<String, RunRecord> {
    let records =
        files(&folder.trials()).into_iter().filter(|file| file.extension().is_some_and(|name| name == "json"));
    let read = |file: PathBuf| {
        let record = RunRecord::read(&file).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(file, folder.record(&record.trial));
        (record.trial.clone(), RunRecord { runtime: Runtime::default(), ..record })
    };
    records.map(read).collect()
}

/// The records of an outcome, without what two runs need not share.
pub(crate) fn records_of(outcome: &SweepOutcome) -> BTreeMap<String, RunRecord> {
    let records = outcome.records.iter();
    records
        .map(|(trial, record)| (trial.clone(), RunRecord { runtime: Runtime::default(), ..record.clone() }))
        .collect()
}

/// What an undisturbed run of the same leaves.
pub(crate) fn undisturbed(text: &str) -> BTreeMap<String, RunRecord> {
    let place = Place::new();
    run(&sweep(text, &place.folder("undisturbed")));
    records(&place.folder("undisturbed"))
}

/// The entries of a folder by name; none if there is no such folder.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    files
}

/// Every file below a folder with its bytes, but the one that names the holder of the lock.
pub(crate) fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for path in files(folder) {
        if path.is_dir() {
            found.extend(contents(&path));
        } else if path.file_name().is_some_and(|name| name != ".lock") {
            let bytes = fs::read(&path).expect("a file");
            found.insert(path, bytes);
        }
    }
    found
}

/// Writes down every event, a line each.
#[derive(Default)]
pub(crate) struct EventLog {
    lines: Mutex<Vec<String>>,
}

impl EventLog {
    pub(crate) fn lines(&self) -> Vec<String> {
        self.lock().clone()
    }

    /// How many lines contain `text`.
    pub(crate) fn n_lines_with(&self, text: &str) -> usize {
        self.lock().iter().filter(|line| line.contains(text)).count()
    }

    /// Checks that there is a line with `text`.
    #[track_caller]
    pub(crate) fn expect(&self, text: &str) {
        assert!(self.n_lines_with(text) > 0, "expected {text:?} in {:#?}", self.lines());
    }

    fn lock(&self) -> MutexGuard<'_, Vec<String>> {
        self.lines.lock().expect("nobody panics with the lock")
    }
}

impl Observer for EventLog {
    fn notify(&self, event: Event<'_>) {
        let line = match event {
            Event::Started { trials, records, .. } => {
                format!("started: {} trials, {} over", trials.len(), records.len())
            }
            Event::TrialStarted { trial, .. } => format!("begun: {}", trial.label()),
            Event::Trained { .. } => return,
            Event::Measured { trial, epoch } => format!("measured: {}: epoch {}", trial.label(), epoch.epoch),
            Event::Finished { trial, record } => format!("finished: {}: {:?}", trial.label(), record.status),
            Event::Paused { trial } => format!("paused: {}", trial.label()),
            Event::Ended => "ended".to_owned(),
            Event::Waiting { n_trials, holder } => format!("waiting: {n_trials} trials, {holder}"),
            Event::Grown { from, to, .. } => format!("grown: from {from} to {to}"),
            Event::Reused { n_trials, .. } => format!("reused: {n_trials}"),
            Event::Warning(warning) => format!("warning: {warning}"),
            other => format!("{other:?}"),
        };
        self.lock().push(line);
    }
}
