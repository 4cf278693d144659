//! `sweep --executor slurm`: what a job asks for, and what is told of it.

use std::env;
use std::ffi::OsString;
use std::num::NonZero;
use std::path::PathBuf;

use clap::Args;
use mlp_results::text::counted;
use mlp_results::{RankBy, RunFolder};
use mlp_sweep::{CheckpointInterval, SlurmJob, Submission, Sweep};

use crate::failure::{Code, Failure};
use crate::options::RunArguments;
use crate::output::Output;
use crate::progress::{Progress, SweepProgress};
use crate::summary::quoted;

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

/// Submits `sweep`, with what is finished in the folders `reuse` taken over; or shows what would be submitted.
pub(crate) fn submit(
    sweep: &Sweep,
    options: &SlurmOptions,
    run: &RunArguments,
    reuse: &[PathBuf],
    output: &mut Output,
) -> Result<(), Failure> {
    let job = options.job(sweep, run)?;
    if options.dry_run {
        show(&job.dry_run(sweep)?, output);
        return Ok(());
    }
    let progress = Progress::new(run.style.quiet);
    let watch = SweepProgress::new(&progress, RankBy::default(), &|_| {});
    let submission = job.submit(sweep, &watch, |open| reuse.iter().try_for_each(|other| open.reuse(other, &watch)))?;
    let Some(number) = &submission.job else {
        output.line("every trial is finished; nothing is submitted");
        return Ok(());
    };
    let (tasks, trials) = (counted(submission.n_tasks, "task"), counted(submission.n_open, "trial"));
    output.line(format_args!("submitted job {number}: {tasks} for {trials}"));
    let folder = quoted(sweep.folder().path());
    output.line(format_args!("\nfollow   cargo xtask sweep status {folder}"));
    output.line(format_args!("gather   cargo xtask report {folder}"));
    output.line(format_args!("cancel   scancel {number}; running the same command again submits what is left"));
    Ok(())
}

impl SlurmOptions {
    fn job(&self, sweep: &Sweep, run: &RunArguments) -> Result<SlurmJob, Failure> {
        let program = env::current_exe().map_err(|error| {
            Failure::new(Code::InputOutput, format!("cannot find this program's own file: {error}"))
        })?;
        let mut job = SlurmJob::new(program);
        job.arguments = self.arguments(sweep, run)?;
        job.n_tasks = self.tasks.and_then(|n_tasks| NonZero::new(usize::from(n_tasks)));
        job.account.clone_from(&self.account);
        job.partition.clone_from(&self.partition);
        job.time.clone_from(&self.time);
        job.memory.clone_from(&self.memory);
        job.n_cores = self.cores.map(usize::from);
        Ok(job)
    }

    /// What a task calls this program with, but for its shard: the sweep as its folder holds it, from wherever it starts.
    fn arguments(&self, sweep: &Sweep, run: &RunArguments) -> Result<Vec<OsString>, Failure> {
        let path = sweep.folder().path();
        let folder = RunFolder::new(std::path::absolute(path).map_err(|error| Failure::io("find", path, &error))?);
        let mut arguments: Vec<OsString> = vec!["sweep".into(), folder.specification().into()];
        arguments.extend(["--out".into(), folder.path().into(), "--quiet".into()]);
        let mut pass = |name: &str, value: Option<String>| {
            arguments.extend(value.into_iter().flat_map(|value| [OsString::from(name), value.into()]));
        };
        pass("--threads", self.cores.or(run.machine.threads).map(|n_threads| n_threads.to_string()));
        pass("--kernel", run.machine.kernel.map(|kernel| kernel.name().to_owned()));
        let CheckpointInterval { epochs, time, .. } = run.checkpoints.interval();
        pass("--checkpoint-every", Some(format!("{}", time.map_or(0.0, |time| time.as_secs_f64()))));
        pass("--checkpoint-epochs", epochs.map(|epochs| epochs.to_string()));
        arguments.extend(run.diagnose.then(|| "--diagnose".into()));
        Ok(arguments)
    }
}

fn show(submission: &Submission, output: &mut Output) {
    if submission.n_open == 0 {
        output.line("every trial is finished; nothing is submitted");
        return;
    }
    output.line(format_args!("the script, {}:\n", submission.script.display()));
    output.text(SlurmJob::SCRIPT);
    output.line("\nthe call, one argument a line:\n\nsbatch");
    for argument in &submission.arguments {
        output.line(format_args!("  {}", argument.to_string_lossy()));
    }
}
