//! `sweep`: every cell of a grid.

use mlp_results::{RunFolder, RunRecord, Status, StoppedTrial};

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;

use crate::campaign::{self, Manner, Order, Shares, Stopped};
use crate::commands::status;
use crate::configuration::{Document, is_safe_name, nearest, toml_text};
use crate::estimate;
use crate::failure::{Code, Failure};
use crate::halving;
use crate::interrupt;
use crate::options::{RunOptions, time};
use crate::output::{Output, counted, notice};
use crate::places;
use crate::plan::{DefaultName, Plan, plan};
use crate::presets::{self, PRESETS};
use crate::progress::Progress;
use crate::reporting;
use crate::shard::Shard;
use crate::slurm::{self, SlurmOptions};
use crate::store::{Sharing, peek};
use crate::summary;
use crate::trial::Trial;

const EXAMPLES: &str = "\
Examples:
  cargo xtask sweep                                   the preset `layers`: one to seven hidden layers
  cargo xtask sweep --list                            the presets; with a preset or file, its trials
  cargo xtask sweep losses --set epochs=3             a preset with other epochs
  cargo xtask sweep layers --set sweep.seed=[0,1,2]   a list of its own
  cargo xtask sweep my.toml --jobs 2 --out runs/mine
  cargo xtask sweep my.toml --plan                    what is done, and how long the rest will take
  cargo xtask sweep my.toml --budget 30m              as much of the grid as fits, balanced
  cargo xtask sweep my.toml --shard 3/16              a part of it, for any scheduler
  cargo xtask sweep my.toml --executor slurm --time 4:00:00 --cores 4 --dry-run
  cargo xtask sweep status runs/mine                  how it stands, from another terminal

Running the same command again goes on where it stopped, and repeats nothing. Lists may grow.";

/// Run every combination of lists of values, in parallel; running again goes on
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES, args_conflicts_with_subcommands = true)]
pub(crate) struct Sweep {
    #[command(subcommand)]
    action: Option<Action>,
    /// A preset, or a configuration file with lists of values to try [default: layers]
    spec: Option<PathBuf>,
    /// List the presets, or the trials of SPEC, and run nothing
    #[arg(long)]
    list: bool,
    /// Say what is done, how long the rest will take and how much memory, after a short measurement; run nothing
    #[arg(long, conflicts_with = "list")]
    plan: bool,
    /// Trials at a time, at most one for each thread; they share the threads [default: one for each thread]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: Option<u16>,
    /// Stop after this time, such as 30m or 2h, with trials in an order that keeps a part of the grid balanced
    #[arg(long, value_name = "TIME", value_parser = time)]
    budget: Option<Duration>,
    /// Run part K of N of the trials, in a folder that others share
    #[arg(long, value_name = "K/N", value_parser = Shard::parse)]
    shard: Option<Shard>,
    /// Hand the sweep to a scheduler as a job array instead of running it here
    #[arg(long, value_name = "NAME", conflicts_with_all = ["shard", "budget", "jobs"])]
    executor: Option<Executor>,
    #[command(flatten)]
    slurm: SlurmOptions,
    /// Take finished trials over from another folder of results; may be repeated
    #[arg(long, value_name = "FOLDER")]
    reuse: Vec<PathBuf>,
    #[command(flatten)]
    run: RunOptions,
}

/// Who runs the trials.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Executor {
    /// A Slurm cluster, through sbatch.
    Slurm,
}

#[derive(Subcommand, Debug)]
enum Action {
    Status(status::SweepStatus),
}

/// Runs the command.
pub(crate) fn run(arguments: &Sweep, output: &mut Output) -> Result<(), Failure> {
    if let Some(Action::Status(arguments)) = &arguments.action {
        return status::run(arguments, output);
    }
    if arguments.list && arguments.spec.is_none() {
        return list_presets(output);
    }
    let spec = arguments.spec.as_deref().unwrap_or(Path::new(presets::DEFAULT));
    let (document, name) = read(spec)?;
    // From here on, so that a signal while the data are read ends the sweep as one later does.
    let is_run = !arguments.list && !arguments.plan && arguments.executor.is_none();
    let stop = if is_run { interrupt::stop_flag()? } else { Default::default() };
    let plan = plan(document, DefaultName::Fixed(name), &arguments.run, None)?;
    if arguments.list {
        return list_trials(&plan, output);
    }
    if (arguments.shard.is_some() || arguments.executor.is_some()) && plan.specification.halving.is_some() {
        return Err(Failure::configuration(
            "--shard and --executor: expected a sweep without `halving`, which compares all trials with one another; \
             leave one of the two out",
        ));
    }
    let trials = arguments.shard.map_or_else(|| plan.trials.clone(), |shard| shard.part(&plan));
    let n_threads = arguments.run.machine.n_threads();
    let jobs = arguments.jobs.map(usize::from);
    if arguments.plan {
        let shares = |n_open: usize| Shares::of(n_threads, jobs, n_open);
        return estimate::tell(&plan, &trials, &shares, output);
    }
    if let Some(Executor::Slurm) = arguments.executor {
        return submit(arguments, &plan, output);
    }
    let sharing = if arguments.shard.is_some() { Sharing::Shared } else { Sharing::Alone };
    let (store, mut records) = plan.open_store("sweep", sharing)?;
    for other in &arguments.reuse {
        plan.reuse(other, &store, &mut records)?;
    }
    let shares = Shares::of(n_threads, jobs, trials.len() - n_finished(&trials, &records));
    let is_talkative = arguments.run.style.is_talkative();
    if is_talkative {
        introduce(&plan, arguments.shard, &trials, &records, shares, output);
    }
    let progress = Progress::new(arguments.run.style.quiet);
    let manner = Manner {
        shares,
        order: if arguments.budget.is_some() { Order::Balanced } else { Order::LongestFirst },
        pace: arguments.run.checkpoints.pace(),
        // A budget beyond what the clock can count is none.
        deadline: arguments.budget.and_then(|budget| Instant::now().checked_add(budget)),
        stop: &stop,
        progress: &progress,
        see: &|_, _| {},
        diagnose: &|_| false,
    };
    let (campaign, cuts) = match plan.specification.halving {
        None => (campaign::run(&plan.laboratory, &trials, &store, records, None, &manner)?, Vec::new()),
        Some(halving) => halving::run(halving, &plan, &store, records, &manner)?,
    };
    if arguments.run.style.json {
        output.line(as_json(&trials, &campaign.records, &cuts));
    }
    if is_talkative && !campaign.records.is_empty() {
        summary::sweep_table(&rows(&trials, &campaign.records), output);
    }
    let report = reporting::write(&plan.folder, Some(&plan.laboratory.data))?;
    if let Some(reason) = campaign.stopped {
        return Err(interrupted(reason, campaign.records.len() + cuts.len(), trials.len()));
    }
    if !cuts.is_empty() {
        notice(format_args!(
            "{} of {} stopped early and are no results; {} says when and why",
            cuts.len(),
            counted(trials.len(), "trial"),
            places::shown(&RunFolder::new(&plan.folder).halving())
        ));
    }
    if is_talkative {
        let best = best(&campaign.records).map(|record| store.model_path(&record.trial));
        summary::what_next(&report, best.as_deref(), output);
    } else if !arguments.run.style.json {
        output.line(report.display());
    }
    failures(&campaign.records)
}

/// Writes the specification into the folder, as any sweep does, and hands the rest to Slurm.
fn submit(arguments: &Sweep, plan: &Plan, output: &mut Output) -> Result<(), Failure> {
    let records = match arguments.slurm.is_dry_run() {
        true => peek(&plan.folder),
        false => {
            let (store, mut records) = plan.open_store("sweep", Sharing::Shared)?;
            for other in &arguments.reuse {
                plan.reuse(other, &store, &mut records)?;
            }
            records
        }
    };
    let n_open = plan.trials.len() - n_finished(&plan.trials, &records);
    slurm::submit(plan, n_open, &arguments.slurm, &arguments.run, output)
}

/// A preset by its name, or a file.
fn read(spec: &Path) -> Result<(Document, String), Failure> {
    let preset = spec.to_str().and_then(presets::find);
    if let Some(preset) = preset {
        let document = Document::parse(preset.text, &format!("presets/{}.toml", preset.name))?;
        return Ok((document, preset.name.to_owned()));
    }
    if !spec.exists() {
        let text = spec.display().to_string();
        let names: Vec<&str> = PRESETS.iter().map(|preset| preset.name).collect();
        let guess =
            nearest(&text, names.iter().copied()).map(|guess| format!("; did you mean {guess}?")).unwrap_or_default();
        return Err(Failure::configuration(format!(
            "{text}: no such file, and no preset of this name; presets are {}{guess}",
            names.join(", ")
        )));
    }
    let stem = spec.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    let name = if is_safe_name(stem) { stem } else { "sweep" };
    Ok((Document::read(spec)?, name.to_owned()))
}

fn list_presets(output: &mut Output) -> Result<(), Failure> {
    for preset in PRESETS {
        let n_cells = Document::parse(preset.text, preset.name)?.check()?.n_cells();
        output.line(format_args!("{:<16}{:>10}  {}", preset.name, counted(n_cells, "trial"), preset.title()));
    }
    output.line("\n`cargo xtask sweep NAME` runs one, `cargo xtask sweep NAME --list` shows its trials");
    Ok(())
}

fn list_trials(plan: &Plan, output: &mut Output) -> Result<(), Failure> {
    for trial in &plan.trials {
        output.line(format_args!("{}  {}", trial.id, trial.label()));
    }
    output.line(format_args!("{} into {}", counted(plan.trials.len(), "trial"), places::shown(&plan.folder)));
    Ok(())
}

fn introduce(
    plan: &Plan,
    shard: Option<Shard>,
    trials: &[Trial],
    records: &BTreeMap<String, RunRecord>,
    shares: Shares,
    output: &mut Output,
) {
    let settings = &plan.specification.base;
    let (train, test) = plan.laboratory.images(settings);
    output.line(format_args!("data     {}", plan.laboratory.data.summary(train.len(), test.len())));
    for axis in &plan.specification.axes {
        output.line(format_args!("varies   {}: {}", axis.key, axis.shown()));
    }
    if let Some(random) = plan.specification.random {
        output.line(format_args!(
            "drawn    {} at random, draw_seed {}",
            counted(random.n_trials, "combination"),
            random.seed
        ));
    }
    if let Some(halving) = plan.specification.halving {
        let rungs: Vec<String> = halving.rungs(settings.train.epochs).iter().map(usize::to_string).collect();
        output.line(format_args!(
            "halving  after epoch {} one of every {} goes on, by {}",
            rungs.join(", "),
            halving.factor,
            halving.metric
        ));
    }
    let done = match n_finished(trials, records) {
        0 => String::new(),
        n_done => format!(", {n_done} of them finished already"),
    };
    let part = shard.map(|shard| format!(", shard {shard} of {}", plan.trials.len())).unwrap_or_default();
    output.line(format_args!("trials   {}{part}{done}", trials.len()));
    output.line(format_args!(
        "on       {} at a time, {} in all, kernel {}",
        counted(shares.n_jobs, "trial"),
        counted(shares.n_threads, "thread"),
        plan.laboratory.kernel.name()
    ));
    output.line(format_args!("into     {}\n", places::shown(&plan.folder)));
}

/// The number of trials that are not run again.
pub(crate) fn n_finished(trials: &[Trial], records: &BTreeMap<String, RunRecord>) -> usize {
    let is_finished = |trial: &&Trial| records.get(&trial.id).is_some_and(|record| record.status != Status::Failed);
    trials.iter().filter(is_finished).count()
}

/// Each finished trial with what distinguishes it besides its seed.
fn rows<'a>(trials: &[Trial], records: &'a BTreeMap<String, RunRecord>) -> Vec<(Vec<(String, String)>, &'a RunRecord)> {
    trials.iter().filter_map(|trial| Some((trial.cell(), records.get(&trial.id)?))).collect()
}

fn as_json(trials: &[Trial], records: &BTreeMap<String, RunRecord>, cuts: &[StoppedTrial]) -> String {
    let mut rows: Vec<_> = trials
        .iter()
        .filter_map(|trial| {
            let record = records.get(&trial.id)?;
            Some(json!({
                "trial": record.trial,
                "label": trial.label(),
                "status": record.status,
                "config": record.config,
                "best_epoch": record.best_epoch,
                "test": record.final_test(),
                "error": record.error,
            }))
        })
        .collect();
    rows.extend(
        cuts.iter()
            .map(|cut| json!({ "status": "stopped", "trial": cut.trial, "label": cut.label, "epoch": cut.epoch })),
    );
    serde_json::Value::Array(rows).to_string()
}

fn best(records: &BTreeMap<String, RunRecord>) -> Option<&RunRecord> {
    let score = |record: &RunRecord| record.final_test().and_then(|test| test.digit_accuracy);
    records
        .values()
        .filter(|record| record.status == Status::Finished)
        .filter_map(|record| Some((score(record)?, record)))
        .max_by(|left, right| left.0.total_cmp(&right.0))
        .map(|(_, record)| record)
}

fn interrupted(reason: Stopped, n_done: usize, n_trials: usize) -> Failure {
    let reason = match reason {
        Stopped::Signal => "stopped",
        Stopped::Budget => "the budget is used up",
    };
    Failure::new(
        Code::Interrupted,
        format!(
            "{reason} with {n_done} of {} finished and kept, and a checkpoint of each one under way; \
             run the same command again to go on",
            counted(n_trials, "trial")
        ),
    )
}

/// Diverged trials are findings and are said; failed ones decide the exit code.
fn failures(records: &BTreeMap<String, RunRecord>) -> Result<(), Failure> {
    let count = |status: Status| records.values().filter(|record| record.status == status).count();
    let n_diverged = count(Status::Diverged);
    if n_diverged > 0 {
        notice(format_args!("{} diverged: a finding, shown in the report", counted(n_diverged, "trial")));
    }
    let n_failed = count(Status::Failed);
    if n_failed == 0 {
        return Ok(());
    }
    let first = records.values().find(|record| record.status == Status::Failed);
    let reason = first.map_or(String::new(), |record| {
        format!(
            "\nthe first, {} (hidden = {}): {}",
            record.trial,
            record.config.get("hidden").map(toml_text).unwrap_or_default(),
            record.error.as_deref().unwrap_or("no reason is recorded")
        )
    });
    Err(Failure::new(
        Code::Unsuccessful,
        format!("{} of {} failed; running again tries them again{reason}", n_failed, counted(records.len(), "trial")),
    ))
}
