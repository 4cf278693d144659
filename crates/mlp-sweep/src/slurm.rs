//! Hands a sweep to Slurm as one job array; each task is a shard that any scheduler could have started.
//!
//! Nothing of the sweep is ever put into a shell string: the script is always the same, and what varies is handed to
//! `sbatch` as a vector of arguments, the program's own behind the script's name.

use std::ffi::OsString;
use std::fs;
use std::io::Read;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use mlp_results::RunFolder;

use crate::error::{Advice, Error, ErrorKind, Result};
use crate::event::Observer;
use crate::store::write;
use crate::sweep::{OpenSweep, Sweep, n_over};

/// What a job asks Slurm for; what is left out is the cluster's default.
///
/// Each task calls a program with `--shard K/N` behind its other arguments, K from 1 to N: it is to run that
/// [`Shard`](crate::Shard) of the sweep. The program usually reads the specification that [`SlurmJob::submit`] leaves in
/// the folder of results, and starts in the folder in which the job was submitted: paths had better be absolute.
///
/// ```
/// use std::num::NonZero;
///
/// use mlp_sweep::{Dataset, SlurmJob, Sweep, SweepSpec};
/// use mnist_io::synthetic_digits;
///
/// let spec = SweepSpec::from_toml("hidden = [8]\n[sweep]\nseed = [0, 1, 2, 3]\n")?;
/// let data = Dataset::images("digits", synthetic_digits(100, 0), synthetic_digits(50, 1))?;
/// let sweep = Sweep::new(spec, data, "/tmp/runs/seeds")?;
/// let mut job = SlurmJob::new("/opt/my-sweep");
/// job.arguments = vec!["/tmp/runs/seeds".into()];
/// job.n_tasks = NonZero::new(2);
/// job.time = Some("1:00:00".to_owned());
/// let submission = job.dry_run(&sweep)?;
/// assert_eq!((submission.n_tasks, submission.n_open), (2, 4));
/// # Ok::<(), mlp_sweep::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct SlurmJob {
    /// The program that runs a shard.
    pub program: PathBuf,
    /// Its arguments; `--shard K/N` comes behind them.
    pub arguments: Vec<OsString>,
    /// Tasks of the job array, each a shard of the sweep; one for each trial, at most 16, if `None`.
    pub n_tasks: Option<NonZero<usize>>,
    /// Account to charge.
    pub account: Option<String>,
    /// Partition to run in.
    pub partition: Option<String>,
    /// Time limit of a task in Slurm's words, such as `4:00:00`.
    pub time: Option<String>,
    /// Memory of a task in Slurm's words, such as `4G`.
    pub memory: Option<String>,
    /// Cores of a task.
    pub n_cores: Option<usize>,
}

/// A job that was submitted, or would be.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Submission {
    /// Its number; `None` if nothing was submitted.
    pub job: Option<String>,
    /// Tasks of the array.
    pub n_tasks: usize,
    /// Trials that are to run; with none, nothing is submitted.
    pub n_open: usize,
    /// Where the script is, or would be.
    pub script: PathBuf,
    /// The arguments of `sbatch`.
    pub arguments: Vec<OsString>,
}

/// The script of a task.
const SCRIPT: &str = include_str!("task.sh");
/// Seconds before a time limit at which tasks are told to write their trials down.
const GRACE: u32 = 120;
/// How long `sbatch` may take.
const TIME_LIMIT: Duration = Duration::from_secs(60);

impl SlurmJob {
    /// The script of every task.
    pub const SCRIPT: &str = SCRIPT;

    /// A job that asks for nothing but that `program` is run.
    pub fn new(program: impl Into<PathBuf>) -> Self {
        SlurmJob {
            program: program.into(),
            arguments: Vec::new(),
            n_tasks: None,
            account: None,
            partition: None,
            time: None,
            memory: None,
            n_cores: None,
        }
    }

    /// What would be submitted for `sweep`; nothing is, and nothing is written.
    ///
    /// # Errors
    ///
    /// With successive halving, which compares all trials with one another.
    pub fn dry_run(&self, sweep: &Sweep) -> Result<Submission> {
        sweep.check_divisible()?;
        let n_open = sweep.trials().len() - n_over(sweep.trials(), &sweep.folder().records());
        self.submission(sweep, n_open)
    }

    /// Writes the specification into the folder of `sweep`, as running it does, takes over what `reuse` finds elsewhere, and
    /// submits what is left.
    ///
    /// # Errors
    ///
    /// As [`Sweep::open`]; with successive halving; if `sbatch` cannot be run, refuses, or does not answer.
    pub fn submit(
        &self,
        sweep: &Sweep,
        observer: &dyn Observer,
        reuse: impl FnOnce(&mut OpenSweep<'_>) -> Result<()>,
    ) -> Result<Submission> {
        let mut open = sweep.open_shared(observer)?;
        reuse(&mut open)?;
        let n_open = open.trials().len() - open.n_over();
        // The tasks share the folder.
        drop(open);
        let submission = self.submission(sweep, n_open)?;
        if n_open == 0 {
            return Ok(submission);
        }
        let folder = sweep.folder().slurm();
        fs::create_dir_all(&folder).map_err(|error| Error::io("create the folder", &folder, error))?;
        write(&submission.script, SCRIPT)?;
        let job = Some(call("sbatch", &submission.arguments, TIME_LIMIT)?);
        Ok(Submission { job, ..submission })
    }

    fn submission(&self, sweep: &Sweep, n_open: usize) -> Result<Submission> {
        let path = sweep.folder().path();
        let folder = RunFolder::new(std::path::absolute(path).map_err(|error| Error::io("find", path, error))?);
        let n_tasks = self.n_tasks.map_or(16, NonZero::get).min(n_open);
        let script = folder.slurm_script();
        let arguments = self.sbatch_arguments(&folder, &script, n_tasks);
        Ok(Submission { job: None, n_tasks, n_open, script, arguments })
    }

    /// The arguments of `sbatch`.
    fn sbatch_arguments(&self, folder: &RunFolder, script: &Path, n_tasks: usize) -> Vec<OsString> {
        let mut arguments: Vec<OsString> = vec![
            "--parsable".into(),
            format!("--array=1-{n_tasks}").into(),
            "--job-name=sweep".into(),
            "--requeue".into(),
            "--open-mode=append".into(),
            format!("--signal=B:TERM@{GRACE}").into(),
        ];
        // A percent sign begins one of Slurm's own words.
        let outputs = folder.slurm().to_string_lossy().replace('%', "%%");
        arguments.push(format!("--output={outputs}/%A_%a.txt").into());
        let mut ask = |name: &str, value: Option<String>| {
            arguments.extend(value.map(|value| OsString::from(format!("--{name}={value}"))));
        };
        ask("account", self.account.clone());
        ask("partition", self.partition.clone());
        ask("time", self.time.clone());
        ask("mem", self.memory.clone());
        ask("cpus-per-task", self.n_cores.map(|n_cores| n_cores.to_string()));
        arguments.extend([script.into(), n_tasks.to_string().into(), self.program.clone().into()]);
        arguments.extend(self.arguments.iter().cloned());
        arguments
    }
}

/// Calls `sbatch`, or a `program` in its place, which may take so long, and returns the number of the job.
fn call(program: &str, arguments: &[OsString], limit: Duration) -> Result<String> {
    let failed = |text: String| Error::new(ErrorKind::Io, text);
    let child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| {
            failed(format!("cannot run sbatch: {error}; is this a machine that submits to Slurm? "))
                .caused_by(error)
                .with_advice(Advice::NoSlurm)
        })?;
    let (is_success, stdout, stderr) =
        finish(child, limit).map_err(|error| failed(format!("cannot follow sbatch: {error}")).caused_by(error))?;
    match is_success {
        None => Err(failed(format!(
            "sbatch did not answer within {} s and was ended; see with squeue whether it submitted anything, then try again",
            limit.as_secs()
        ))),
        Some(false) => {
            Err(failed(format!("sbatch refused the job: {}; ", stderr.trim())).with_advice(Advice::Submission))
        }
        Some(true) => {
            // With several clusters: the number, a semicolon, and the cluster.
            let number = stdout.trim().split(';').next().unwrap_or_default();
            let is_number = (1..=20).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit());
            if !is_number {
                return Err(failed(format!(
                    "sbatch: expected the number of the job, found {:?}; see with squeue whether it submitted anything",
                    stdout.chars().take(80).collect::<String>()
                )));
            }
            Ok(number.to_owned())
        }
    }
}

/// What a process says, as it comes.
struct PipeReader {
    parts: mpsc::Receiver<Vec<u8>>,
}

impl PipeReader {
    fn new(pipe: Option<Box<dyn Read + Send>>) -> PipeReader {
        let (sender, parts) = mpsc::channel();
        thread::spawn(move || {
            // More than this is no answer.
            let mut pipe = pipe.map(|pipe| pipe.take(1 << 16));
            let mut part = [0; 4096];
            while let Some(n_read) =
                pipe.as_mut().and_then(|pipe| pipe.read(&mut part).ok()).filter(|n_read| *n_read > 0)
            {
                if sender.send(part[..n_read].to_vec()).is_err() {
                    break;
                }
            }
        });
        PipeReader { parts }
    }

    /// All of it once the process has ended. A wrapper may leave a process behind that keeps the pipe open: then what has come
    /// within a second.
    fn text(self) -> String {
        let mut text = Vec::new();
        let deadline = Instant::now() + Duration::from_secs(1);
        while let Ok(part) = self.parts.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            text.extend(part);
        }
        String::from_utf8_lossy(&text).into_owned()
    }
}

/// Waits for `child`, but not longer than `limit`: whether it succeeded, and what it said; `None` if it had to be
/// ended.
fn finish(mut child: Child, limit: Duration) -> std::io::Result<(Option<bool>, String, String)> {
    let stdout = PipeReader::new(child.stdout.take().map(|pipe| Box::new(pipe) as Box<dyn Read + Send>));
    let stderr = PipeReader::new(child.stderr.take().map(|pipe| Box::new(pipe) as Box<dyn Read + Send>));
    let began = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok((Some(status.success()), stdout.text(), stderr.text()));
        }
        if began.elapsed() >= limit {
            child.kill()?;
            child.wait()?;
            return Ok((None, String::new(), String::new()));
        }
        thread::sleep(Duration::from_millis(20));
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    /// What comes of an `sbatch` that does what `script` says, within so many seconds.
    fn answer(script: &str, seconds: u64) -> Result<String> {
        call("sh", &["-c".into(), script.into()], Duration::from_secs(seconds))
    }

    #[track_caller]
    fn expect(result: Result<String>, text: &str) {
        let error = result.expect_err("no number");
        assert_eq!(error.kind(), ErrorKind::Io);
        assert!(error.to_string().contains(text), "expected {text:?} in {error}");
    }

    #[test]
    fn the_number_of_the_job_is_what_sbatch_answers() {
        assert_eq!(answer("echo 42", 60).expect("a number"), "42");
        assert_eq!(answer("echo '42;cluster'", 60).expect("a number"), "42");
    }

    #[test]
    fn an_sbatch_that_is_missing_refuses_or_answers_nonsense_is_an_error_that_says_so() {
        expect(call("no-such-sbatch", &[], TIME_LIMIT), "cannot run sbatch");
        expect(answer("echo 'invalid partition' >&2; exit 1", 60), "sbatch refused the job: invalid partition");
        for nonsense in ["echo hello", "true", "echo 12a", "head -c 9999 /dev/zero"] {
            expect(answer(nonsense, 60), "expected the number of the job");
        }
        expect(answer("head -c 10000000 /dev/zero", 60), "sbatch");
    }

    #[test]
    fn an_sbatch_that_leaves_a_process_behind_is_not_waited_for() {
        let folder = tempfile::tempdir().expect("a folder");
        let mark = folder.path().join("ended");
        let script = format!("(sleep 20; touch '{}') & echo 42", mark.display());
        assert_eq!(answer(&script, 60).expect("a number"), "42");
        assert!(!mark.exists(), "it was waited for");
    }

    #[test]
    fn an_sbatch_that_hangs_is_ended() {
        expect(answer("exec sleep 600", 1), "did not answer within 1 s");
    }
}
