//! `sweep`: every trial of a specification.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use clap::{Args, Subcommand, ValueEnum};
use mlp_results::score::final_validation;
use mlp_results::text::counted;
use mlp_results::{Ranking, RunRecord, Status, best_by};
use mlp_sweep::{
    Document, OpenSweep, Order, Parallelism, RunOptions, Shard, Stopped, SweepOutcome, SweepSpec, Trial, is_safe_name,
    toml_text,
};
use mlp_train::nearest;
use serde_json::json;

use crate::commands::{estimate, slurm, status};
use crate::data;
use crate::failure::{Code, Failure};
use crate::interrupt;
use crate::luck::{tell_best, tell_of_luck};
use crate::options::{RankingOption, RunArguments, are_comparable, time};
use crate::output::{Output, notice};
use crate::places;
use crate::planning;
use crate::presets::{self, PRESETS};
use crate::progress::{Progress, SweepProgress};
use crate::reporting;
use crate::summary;
use crate::sweep_table::{Settings, TwoGroups, sweep_table, unbeaten_among};
use crate::table::wrapped;

const EXAMPLES: &str = "\
Examples:
  cargo xtask sweep
      the preset `layers`: one to seven hidden layers
  cargo xtask sweep --list
      the presets; with a preset or file, its trials
  cargo xtask sweep losses --set epochs=3
      a preset with other epochs
  cargo xtask sweep layers --set sweep.seed=[0,1,2]
      a list of its own
  cargo xtask sweep my.toml --jobs 2 --out runs/mine
  cargo xtask sweep my.toml --plan
      what is done, and how long the rest will take
  cargo xtask sweep my.toml --budget 30m
      as much of the grid as fits, balanced
  cargo xtask sweep my.toml --diagnose
      the report says where learning died, and why
  cargo xtask sweep my.toml --shard 3/16
      a part of it, for any scheduler
  cargo xtask sweep my.toml --executor slurm --time 4:00:00 --cores 4 --dry-run
  cargo xtask sweep my.toml --by validation.loss
      another ranking; the table shows the test set beside it
  cargo xtask sweep status runs/mine
      how it stands, from another terminal

What [sweep] in a file may say, with any key of a configuration (`train --help` has them):
  [sweep]                            # every combination of the lists
  learning_rate = [0.001, 0.01]
  seed = [0, 1, 2]

  [sweep]
  mode = \"random\"                    # or combinations drawn at random:
  trials = 40                        # so many, each with every seed
  learning_rate = { from = 1e-4, to = 0.1, scale = \"log\" }
  activation = [\"sigmoid\", \"relu\"]   # one of these
  halving = true                     # the worse stop early, each with all its
                                     # seeds; needs `validation`
docs/sweeps.md tells all of it.

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
    #[arg(long, value_name = "K/N", value_parser = str::parse::<Shard>)]
    shard: Option<Shard>,
    /// Hand the sweep to a scheduler as a job array instead of running it here
    #[arg(long, value_name = "NAME", conflicts_with_all = ["shard", "budget", "jobs"])]
    executor: Option<Executor>,
    #[command(flatten)]
    slurm: slurm::SlurmOptions,
    /// Take finished trials over from another folder of results; may be repeated
    #[arg(long, value_name = "FOLDER")]
    reuse: Vec<PathBuf>,
    #[command(flatten)]
    ranking: RankingOption,
    #[command(flatten)]
    run: RunArguments,
}

/// What stands in the place of a specification where it is asked how a sweep stands.
const STATUS: &str = "status";

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
    let sweep = planning::plan(document, &arguments.run)?.default_name(name).build()?;
    if arguments.list {
        return list_trials(&sweep, output);
    }
    if arguments.plan {
        return arguments.show_estimate(&sweep, output);
    }
    if let Some(Executor::Slurm) = arguments.executor {
        return slurm::submit(&sweep, &arguments.slurm, &arguments.run, &arguments.reuse, output);
    }
    arguments.execute(&sweep, &stop, output)
}

impl Sweep {
    fn show_estimate(&self, sweep: &mlp_sweep::Sweep, output: &mut Output) -> Result<(), Failure> {
        let part = self.shard.map(|shard| shard.part(sweep.experiment(), sweep.trials()));
        let trials = part.as_deref().unwrap_or(sweep.trials());
        let estimate = sweep.estimate(trials, self.run.machine.n_threads(), self.jobs.map(usize::from))?;
        estimate::show(&estimate, sweep, output);
        if !self.reuse.is_empty() {
            output.line("note     what --reuse would take over is not looked at, and counted as to be run");
        }
        Ok(())
    }

    fn execute(&self, sweep: &mlp_sweep::Sweep, stop: &AtomicBool, output: &mut Output) -> Result<(), Failure> {
        let progress = Progress::new(self.run.style.quiet);
        self.ranking.check_trials(sweep.trials(), sweep.experiment().data())?;
        self.ranking.warn_of_unlike_trials(sweep.trials());
        let watch = SweepProgress::new(&progress, self.ranking.by(), &|_| {});
        let mut open = sweep.open("sweep", self.shard, &watch)?;
        for other in &self.reuse {
            open.reuse(other, &watch)?;
        }
        let mut options = self.run.run_options(stop);
        options.n_jobs = self.jobs.map(usize::from);
        options.order = if self.budget.is_some() { Order::Balanced } else { Order::LongestFirst };
        // A budget beyond what the clock can count is none.
        options.deadline = self.budget.and_then(|budget| Instant::now().checked_add(budget));
        let is_talkative = self.run.style.is_talkative();
        if is_talkative {
            introduce(sweep, &open, self.shard, &options, output);
        }
        let trials = open.trials().to_vec();
        let outcome = open.run(&options, &watch)?;
        if self.run.style.json {
            output.line(as_json(&trials, &outcome));
        }
        let groups = TwoGroups::find(outcome.records.values(), self.ranking.by());
        if is_talkative && !outcome.records.is_empty() {
            let ranking = Ranking::of(outcome.records.values(), self.ranking.by());
            let n_seeds = sweep.specification().n_seeds();
            let stopped = stopped(&trials, &outcome);
            sweep_table(rows(&trials, &outcome.records), &stopped, ranking, n_seeds, &groups, output);
        }
        let data = Some(sweep.experiment().data());
        let report = reporting::write_ranked(sweep.folder().path(), data, self.ranking.by())?;
        self.ranking.check(outcome.records.values())?;
        if self.run.diagnose {
            tell_of_diagnoses(sweep, &trials);
        }
        conclude(sweep, &trials, &outcome)?;
        if is_talkative {
            let ranking = Ranking::of(outcome.records.values(), self.ranking.by());
            let is_comparable = are_comparable(outcome.records.values(), ranking);
            let best = best_by(outcome.records.values(), self.ranking.by()).filter(|_| is_comparable);
            tell_best(&trials, best, self.ranking.by(), output);
            let n_seeds = sweep.specification().n_seeds();
            tell_of_luck(rows(&trials, &outcome.records), best, (ranking, &groups), n_seeds, output);
            if let Some(text) = unbeaten_among(outcome.records.values(), self.ranking.by()) {
                output.line(wrapped("", &text, 9));
            }
            if let Some(shard) = self.shard {
                let text = format!(
                    "these are the trials of shard {shard} alone; the page compares all that are finished so far"
                );
                output.line(wrapped("", &text, 9));
            }
            let best = best.map(|record| sweep.folder().model(&record.trial));
            summary::what_next(&report, best.as_deref(), output);
        } else if !self.run.style.json {
            output.line(report.display());
        }
        failures(&outcome.records)
    }
}

/// How many of the trials were examined; those that were finished before cannot be.
fn tell_of_diagnoses(sweep: &mlp_sweep::Sweep, trials: &[Trial]) {
    let n_examined = trials.iter().filter(|trial| sweep.folder().diagnosis(&trial.id).is_file()).count();
    if n_examined == trials.len() {
        notice(format_args!("{} examined: the report begins with what was found", counted(n_examined, "trial")));
    } else {
        notice(format_args!(
            "{n_examined} of {} examined: a net is examined while it trains; one that was\n  finished before needs another --out",
            counted(trials.len(), "trial")
        ));
    }
}

/// An error if trials are left to do; a notice if some were stopped early.
fn conclude(sweep: &mlp_sweep::Sweep, trials: &[Trial], outcome: &SweepOutcome) -> Result<(), Failure> {
    let n_stopped = outcome.stopped_trials.len();
    if let Some(reason) = outcome.stopped {
        let checkpoints = mlp_sweep::progressed(sweep.folder());
        let n_waiting = trials.iter().filter(|trial| checkpoints.contains_key(&trial.id)).count();
        return Err(interrupted(reason, (outcome.records.len(), n_stopped, n_waiting), trials.len()));
    }
    if n_stopped > 0 {
        notice(format_args!(
            "{n_stopped} of {} stopped early and are no results; {} says when and why",
            counted(trials.len(), "trial"),
            places::shown(&sweep.folder().halving())
        ));
    }
    Ok(())
}

/// A preset by its name, or a file.
fn read(spec: &Path) -> Result<(Document, String), Failure> {
    let preset = spec.to_str().and_then(presets::find);
    if let Some(preset) = preset {
        let document = Document::parse(preset.text, &format!("preset {}", preset.name))?;
        return Ok((document, preset.name.to_owned()));
    }
    if !spec.exists() {
        let text = spec.display().to_string();
        let names: Vec<&str> = PRESETS.iter().map(|preset| preset.name).collect();
        let all: Vec<&str> = names.iter().copied().chain([STATUS]).collect();
        let guess = match nearest(&text, &all) {
            Some(STATUS) => "; did you mean `sweep status FOLDER`?".to_owned(),
            Some(guess) => format!("; did you mean {guess}?"),
            None => String::new(),
        };
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
        let n_trials = SweepSpec::from_toml(preset.text)?.n_trials();
        let name = format!("{:<20}{:>10}", preset.name, counted(n_trials, "trial"));
        output.line(wrapped(&name, preset.title(), 32));
    }
    output.line("\n`cargo xtask sweep NAME` runs one, and with --list behind it shows its trials");
    Ok(())
}

fn list_trials(sweep: &mlp_sweep::Sweep, output: &mut Output) -> Result<(), Failure> {
    for trial in sweep.trials() {
        output.line(wrapped(&trial.id, &trial.label(), 34));
    }
    let folder = summary::quoted(sweep.folder().path());
    output.line(format_args!("{} into {folder}", counted(sweep.trials().len(), "trial")));
    Ok(())
}

fn introduce(
    sweep: &mlp_sweep::Sweep,
    open: &OpenSweep<'_>,
    shard: Option<Shard>,
    options: &RunOptions<'_>,
    output: &mut Output,
) {
    let (specification, experiment) = (sweep.specification(), sweep.experiment());
    let settings = &specification.base();
    let data = data::summary(experiment.data(), experiment.n_samples(settings), settings.train.validation);
    output.line(wrapped("data", &data, 9));
    for axis in specification.axes() {
        let name = if axis.varies() { "varies" } else { "fixed" };
        output.line(wrapped(name, &format!("{}: {}", axis.key, axis.shown()), 9));
    }
    if let Some(random) = specification.random() {
        let combinations = counted(random.n_combinations, "combination");
        output.line(format_args!("drawn    {combinations} at random, draw_seed {}", random.seed));
    }
    if let Some(halving) = specification.halving() {
        let rungs: Vec<String> = halving.rungs(settings.train.epochs).iter().map(usize::to_string).collect();
        output.line(format_args!(
            "halving  at epoch {} one configuration in {} goes on, by {}",
            rungs.join(", "),
            halving.factor,
            halving.metric
        ));
    }
    let n_trials = open.trials().len();
    let done = match open.n_over() {
        0 => String::new(),
        n_over => format!(", {n_over} of them finished already"),
    };
    let part = shard.map(|shard| format!(", shard {shard} of {}", sweep.trials().len())).unwrap_or_default();
    output.line(format_args!("trials   {n_trials}{part}{done}"));
    let parallelism = Parallelism::new(options.n_threads, options.n_jobs, n_trials - open.n_over());
    output.line(format_args!(
        "on       {} at a time, {} in all, kernel {}",
        counted(parallelism.n_jobs, "trial"),
        counted(parallelism.n_threads, "thread"),
        experiment.kernel().name()
    ));
    output.line(format_args!("into     {}\n", summary::quoted(sweep.folder().path())));
}

/// Each finished trial with what distinguishes it besides its seed.
fn rows<'a>(trials: &[Trial], records: &'a BTreeMap<String, RunRecord>) -> Vec<(Settings, &'a RunRecord)> {
    trials.iter().filter_map(|trial| Some((trial.configuration(), records.get(&trial.id)?))).collect()
}

/// Each trial that halving stopped with what distinguishes it besides its seed, and the epoch after which it was stopped.
fn stopped(trials: &[Trial], outcome: &SweepOutcome) -> Vec<(Settings, usize)> {
    let stopped = outcome.stopped_trials.iter().filter_map(|stopped| {
        let trial = trials.iter().find(|trial| trial.id == stopped.trial)?;
        Some((trial.configuration(), stopped.epoch))
    });
    stopped.collect()
}

fn as_json(trials: &[Trial], outcome: &SweepOutcome) -> String {
    let mut rows: Vec<_> = trials
        .iter()
        .filter_map(|trial| {
            let record = outcome.records.get(&trial.id)?;
            Some(json!({
                "trial": record.trial,
                "label": trial.label(),
                "status": record.status,
                "config": record.config,
                "best_epoch": record.best_epoch,
                "validation": final_validation(record),
                "test": record.final_test(),
                "error": record.error,
            }))
        })
        .collect();
    rows.extend(outcome.stopped_trials.iter().map(|stopped| {
        json!({ "status": "stopped", "trial": stopped.trial, "label": stopped.label, "epoch": stopped.epoch })
    }));
    serde_json::Value::Array(rows).to_string()
}

fn interrupted(reason: Stopped, (n_done, n_stopped, n_waiting): (usize, usize, usize), n_trials: usize) -> Failure {
    let reason = match reason {
        Stopped::Flag => "stopped",
        Stopped::Deadline => "the budget is used up",
    };
    Failure::new(
        Code::Interrupted,
        format!(
            "{reason} with {n_done} of {} done and kept{}{}; run the same command again to go on",
            counted(n_trials, "trial"),
            if n_stopped > 0 { format!(", {n_stopped} stopped early by halving") } else { String::new() },
            if n_waiting > 0 { format!(", and a checkpoint of {n_waiting} under way") } else { String::new() }
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
