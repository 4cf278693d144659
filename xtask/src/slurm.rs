//! Hands a sweep to Slurm as one job array; each task is a shard that any scheduler could have started.
//!
//! Nothing of the sweep is ever put into a shell string: the script is always the same, and what varies is handed to
//! `sbatch` as a vector of arguments, the program's own behind the script's name.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use clap::Args;

use crate::failure::{Code, Failure};
use crate::options::RunOptions;
use crate::output::{Output, counted};
use crate::places;
use crate::plan::Plan;
use crate::store::{SPECIFICATION, write_atomically};

/// What a job asks Slurm for; what is left out is the cluster's default.
#[derive(Args, Debug)]
pub(crate) struct SlurmOptions {
    /// Tasks of the job array, each a shard of the sweep [default: one for each trial, at most 16]
    #[arg(long, value_name = "N", requires = "executor", value_parser = clap::value_parser!(u16).range(1..=10000))]
    tasks: Option<u16>,
    /// Account to charge
    #[arg(long, value_name = "NAME", requires = "executor")]
    account: Option<String>,
    /// Partition to run in
    #[arg(long, value_name = "NAME", requires = "executor")]
    partition: Option<String>,
    /// Time limit of a task in Slurm's words, such as 4:00:00
    #[arg(long, value_name = "LIMIT", requires = "executor")]
    time: Option<String>,
    /// Memory of a task in Slurm's words, such as 4G
    #[arg(long, value_name = "SIZE", requires = "executor")]
    memory: Option<String>,
    /// Cores of a task
    #[arg(long, value_name = "N", requires = "executor", value_parser = clap::value_parser!(u16).range(1..=1024))]
    cores: Option<u16>,
    /// Show the script and the call of sbatch, and submit nothing
    #[arg(long, requires = "executor")]
    dry_run: bool,
}

/// The script of a task.
const SCRIPT: &str = include_str!("task.sh");
/// Where the script and the outputs of the tasks are, in the folder of results.
const FOLDER: &str = "slurm";
/// Seconds before a time limit at which tasks are told to write their trials down.
const GRACE: u32 = 120;
/// How long `sbatch` may take.
const PATIENCE: Duration = Duration::from_secs(60);

impl SlurmOptions {
    /// Whether nothing is to be submitted, and nothing written.
    pub(crate) fn is_dry_run(&self) -> bool {
        self.dry_run
    }
}

/// Submits the sweep of `plan`, of which `n_open` trials are to run; the folder holds its specification already, unless
/// this is a dry run.
pub(crate) fn submit(
    plan: &Plan,
    n_open: usize,
    options: &SlurmOptions,
    run: &RunOptions,
    output: &mut Output,
) -> Result<(), Failure> {
    if n_open == 0 {
        output.line("every trial is finished; nothing is submitted");
        return Ok(());
    }
    let n_tasks = options.tasks.map_or(16, usize::from).min(n_open);
    let folder = std::path::absolute(&plan.folder).map_err(|error| Failure::io("find", &plan.folder, &error))?;
    let script = folder.join(FOLDER).join("task.sh");
    let program = env::current_exe()
        .map_err(|error| Failure::new(Code::InputOutput, format!("cannot find this program's own file: {error}")))?;
    let arguments = arguments(&folder, &script, &program, n_tasks, options, run);
    if options.dry_run {
        output.line(format_args!("the script, {}:\n", script.display()));
        output.text(SCRIPT);
        output.line("\nthe call, one argument a line:\n\nsbatch");
        for argument in &arguments {
            output.line(format_args!("  {}", argument.to_string_lossy()));
        }
        return Ok(());
    }
    fs::create_dir_all(folder.join(FOLDER))
        .map_err(|error| Failure::io("create the folder", &folder.join(FOLDER), &error))?;
    write_atomically(&script, SCRIPT)?;
    let job = call(&arguments)?;
    output.line(format_args!("submitted job {job}: {} for {}", counted(n_tasks, "task"), counted(n_open, "trial")));
    output.line(format_args!("\nfollow   cargo xtask sweep status {}", crate::summary::quoted(&plan.folder)));
    output.line(format_args!("gather   cargo xtask report {}", crate::summary::quoted(&plan.folder)));
    output.line(format_args!("cancel   scancel {job}; running the same command again submits what is left"));
    Ok(())
}

/// The arguments of `sbatch`.
fn arguments(
    folder: &Path,
    script: &Path,
    program: &Path,
    n_tasks: usize,
    options: &SlurmOptions,
    run: &RunOptions,
) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = vec![
        "--parsable".into(),
        format!("--array=1-{n_tasks}").into(),
        "--job-name=sweep".into(),
        "--requeue".into(),
        "--open-mode=append".into(),
        format!("--signal=B:TERM@{GRACE}").into(),
    ];
    // A percent sign begins one of Slurm's own words.
    let texts = folder.join(FOLDER).to_string_lossy().replace('%', "%%");
    arguments.push(format!("--output={texts}/%A_%a.txt").into());
    let mut ask =
        |name: &str, value: Option<String>| arguments.extend(value.map(|value| format!("--{name}={value}").into()));
    ask("account", options.account.clone());
    ask("partition", options.partition.clone());
    ask("time", options.time.clone());
    ask("mem", options.memory.clone());
    ask("cpus-per-task", options.cores.map(|cores| cores.to_string()));
    arguments.extend([script.into(), n_tasks.to_string().into(), program.into(), "sweep".into()]);
    arguments.extend([folder.join(SPECIFICATION).into(), "--out".into(), folder.into(), "--quiet".into()]);
    let mut pass = |name: &str, value: Option<String>| {
        arguments.extend(value.into_iter().flat_map(|value| [OsString::from(name), value.into()]));
    };
    let n_threads = options.cores.map(|cores| cores.to_string()).or(run.machine.threads.map(|count| count.to_string()));
    pass("--threads", n_threads);
    pass("--kernel", run.machine.kernel.map(|kernel| kernel.name().to_owned()));
    let pace = run.checkpoints.pace();
    pass("--checkpoint-every", Some(format!("{}", pace.time.map_or(0.0, |time| time.as_secs_f64()))));
    pass("--checkpoint-epochs", pace.epochs.map(|epochs| epochs.to_string()));
    arguments
}

/// Calls `sbatch`, and returns the number of the job.
fn call(arguments: &[OsString]) -> Result<String, Failure> {
    let failed = |text: String| Failure::new(Code::InputOutput, text);
    let current = env::current_dir().unwrap_or_else(|_| places::root());
    let child = Command::new("sbatch")
        .args(arguments)
        .current_dir(current)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| {
            failed(format!(
                "cannot run sbatch: {error}; is this a machine that submits to Slurm? \
                 --dry-run shows what would be submitted, --shard K/N runs a part without it"
            ))
        })?;
    let (is_success, stdout, stderr) =
        finish(child).map_err(|error| failed(format!("cannot follow sbatch: {error}")))?;
    match is_success {
        None => Err(failed(format!(
            "sbatch did not answer within {} s and was ended; see with squeue whether it submitted anything, then try again",
            PATIENCE.as_secs()
        ))),
        Some(false) => Err(failed(format!("sbatch refused the job: {}; --dry-run shows the call", stderr.trim()))),
        Some(true) => {
            // With several clusters: the number, a semicolon, and the cluster.
            let number = stdout.trim().split(';').next().unwrap_or_default();
            match !number.is_empty() && number.len() <= 20 && number.chars().all(|character| character.is_ascii_digit())
            {
                true => Ok(number.to_owned()),
                false => Err(failed(format!(
                    "sbatch: expected the number of the job, found {:?}; see with squeue whether it submitted anything",
                    stdout.chars().take(80).collect::<String>()
                ))),
            }
        }
    }
}

/// What a process says, as it comes.
struct Said {
    parts: mpsc::Receiver<Vec<u8>>,
}

impl Said {
    fn by(pipe: Option<Box<dyn Read + Send>>) -> Said {
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
        Said { parts }
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

/// Waits for `child`, but not longer than [`PATIENCE`]: whether it succeeded, and what it said; `None` if it had to be
/// ended.
fn finish(mut child: Child) -> std::io::Result<(Option<bool>, String, String)> {
    let stdout = Said::by(child.stdout.take().map(|pipe| Box::new(pipe) as Box<dyn Read + Send>));
    let stderr = Said::by(child.stderr.take().map(|pipe| Box::new(pipe) as Box<dyn Read + Send>));
    let began = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok((Some(status.success()), stdout.text(), stderr.text()));
        }
        if began.elapsed() >= PATIENCE {
            child.kill()?;
            child.wait()?;
            return Ok((None, String::new(), String::new()));
        }
        thread::sleep(Duration::from_millis(20));
    }
}
