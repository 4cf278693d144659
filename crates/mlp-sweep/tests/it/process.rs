//! A sweep in a process of its own, for what cannot be tried in this one: the end of a process. It is this program again.

use std::env;
use std::fs;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use mlp_results::RunFolder;
use mlp_sweep::{CheckpointInterval, ErrorKind, Event, RunOptions, Shard};
use serde::{Deserialize, Serialize};

use crate::small::sweep;

/// The variable that carries a [`SweepProcess`] to the process that is to be one.
const VARIABLE: &str = "MLP_SWEEP_TEST_PROCESS";
/// Longer than anything takes on a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_secs(240);

/// A sweep of the digits, with a checkpoint after each epoch.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct SweepProcess {
    specification: String,
    folder: String,
    n_threads: usize,
    shard: Option<String>,
    diagnose: bool,
}

/// What such a process came to.
#[derive(Debug)]
pub(crate) struct Ended {
    /// 0 if the sweep ran, 5 for an error of the system, 2 for any other, -1 if it was killed.
    pub(crate) code: i32,
    /// Its warnings, and its error.
    pub(crate) stderr: String,
}

impl SweepProcess {
    pub(crate) fn new(specification: &str, folder: &RunFolder) -> Self {
        let folder = folder.path().to_str().expect("a path of plain letters").to_owned();
        SweepProcess { specification: specification.to_owned(), folder, n_threads: 1, shard: None, diagnose: false }
    }

    /// So many trials at a time.
    pub(crate) fn threads(self, n_threads: usize) -> Self {
        SweepProcess { n_threads, ..self }
    }

    /// Only this part, such as `1/2`.
    pub(crate) fn shard(self, shard: &str) -> Self {
        SweepProcess { shard: Some(shard.to_owned()), ..self }
    }

    /// With a diagnosis of each trial.
    pub(crate) fn diagnose(self) -> Self {
        SweepProcess { diagnose: true, ..self }
    }

    /// Starts it.
    pub(crate) fn start(&self) -> Child {
        self.command().spawn().expect("the process starts")
    }

    /// Runs it to its end, with a fault at one of its writes, such as `kill:7`.
    pub(crate) fn run_with_fault(&self, fault: &str) -> Ended {
        Ended::from(self.command().env("DURABLE_FILE_FAULT", fault).output().expect("the process starts"))
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env::current_exe().expect("this program"));
        command
            .args(["--exact", "process::sweep_in_a_process", "--ignored", "--nocapture"])
            .env(VARIABLE, serde_json::to_string(self).expect("JSON"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        command
    }

    fn run(&self) -> i32 {
        let sweep = sweep(&self.specification, &RunFolder::new(&self.folder));
        let mut options = RunOptions::default();
        (options.n_threads, options.diagnose) = (self.n_threads, self.diagnose);
        options.checkpoints = CheckpointInterval { epochs: Some(1), time: None };
        let observer = |event: Event<'_>| {
            if let Event::Warning(warning) = event {
                eprintln!("warning: {warning}");
            }
        };
        let outcome = match &self.shard {
            None => sweep.run(&options, &observer),
            Some(shard) => sweep.run_shard(shard.parse::<Shard>().expect("a shard"), &options, &observer),
        };
        match outcome {
            Ok(_) => 0,
            Err(error) => {
                eprintln!("error: {error}");
                if error.kind() == ErrorKind::Io { 5 } else { 2 }
            }
        }
    }
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        Ended { code: output.status.code().unwrap_or(-1), stderr }
    }
}

/// Waits for the end of a process, which must be a good one.
#[track_caller]
pub(crate) fn expect_success(child: Child) {
    let ended = Ended::from(child.wait_with_output().expect("an end"));
    assert_eq!(ended.code, 0, "{ended:#?}");
}

/// Waits until `is_there`, or until the process has ended.
pub(crate) fn wait_until(child: &mut Child, what: &str, mut is_there: impl FnMut() -> bool) {
    let started = Instant::now();
    while !is_there() && child.try_wait().expect("a state").is_none() {
        assert!(started.elapsed() < PATIENCE, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Waits until `child` itself runs a trial, or has ended.
pub(crate) fn wait_until_running(folder: &RunFolder, child: &mut Child) {
    let own = format!("process {} ", child.id());
    wait_until(child, "a running trial", || {
        let files = crate::small::files(&folder.running()).into_iter();
        files.filter_map(|file| fs::read_to_string(file).ok()).any(|text| text.contains(&own))
    });
}

/// Not a test: what [`SweepProcess`] starts.
#[test]
#[ignore = "no test, but the process that others start"]
fn sweep_in_a_process() {
    if let Ok(text) = env::var(VARIABLE) {
        let process: SweepProcess = serde_json::from_str(&text).expect("what a test asks for");
        std::process::exit(process.run());
    }
}
