//! `reproduce`: the paper's experiments, and what they say about its claims.

use mlp_results::Status;

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use clap::Args;

use crate::campaign::{self, Manner, Order, Shares};
use crate::commands::sweep::n_finished;
use crate::configuration::Document;
use crate::failure::{Code, Failure};
use crate::interrupt;
use crate::options::{CheckpointOptions, DataOption, MachineOptions, RunOptions, StyleOptions};
use crate::output::{Output, counted, notice};
use crate::places;
use crate::plan::{DefaultName, Plan, plan};
use crate::progress::Progress;
use crate::reproduce::claims::CLAIMS;
use crate::reproduce::document;
use crate::reproduce::evidence::{self, Row};
use crate::reproduce::findings::{Archive, find, stopped};
use crate::reproduce::studies::{STUDIES, Study};
use crate::store::{Sharing, peek, write_atomically};

const EXAMPLES: &str = "\
Examples:
  cargo xtask reproduce --list        the claims, a line each
  cargo xtask reproduce --quick       all of them in about five minutes: small, and marked so
  cargo xtask reproduce               the full run, some hours; running it again goes on
  cargo xtask reproduce 1 5           claims 1 and 5
  cargo xtask reproduce --so-far      judges by what is finished, and runs nothing
  cargo xtask reproduce --plan        which sweeps are run, and how far they are
  cargo xtask reproduce --sweeps DIR  writes them as files, for `cargo xtask sweep` and its executors

Records, models and the document are in runs/reproduce-DATA (with --quick: runs/reproduce-quick-DATA). A sweep that has been
run elsewhere into the folder of its name there, with `cargo xtask sweep DIR/NAME.toml --out runs/reproduce-DATA/NAME`, by
Slurm or in shards, is taken as it is.";

/// Run the paper's experiments, and judge its claims
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Reproduce {
    /// Numbers of claims [default: all]
    #[arg(value_name = "CLAIM", value_parser = clap::value_parser!(u8).range(1..=CLAIMS.len() as i64))]
    claims: Vec<u8>,
    /// Fewer seeds, fewer images, the same judgement
    #[arg(long)]
    quick: bool,
    /// List the claims
    #[arg(long)]
    list: bool,
    /// Say which sweeps are run and how far they are; run nothing
    #[arg(long, conflicts_with = "list")]
    plan: bool,
    /// Judge by the trials that are finished and run nothing, also while others run
    #[arg(long, conflicts_with_all = ["list", "plan", "publish"])]
    so_far: bool,
    /// Write the sweeps as configuration files into a folder; run nothing
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["list", "plan"])]
    sweeps: Option<PathBuf>,
    /// Put the document into docs/ as well, in place of the one that is there; only for the full run
    #[arg(long, conflicts_with = "quick")]
    publish: bool,
    /// Folder for the results, instead of runs/reproduce-DATA
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    #[command(flatten)]
    data: DataOption,
    #[command(flatten)]
    machine: MachineOptions,
    #[command(flatten)]
    checkpoints: CheckpointOptions,
    #[command(flatten)]
    style: StyleOptions,
}

/// A sweep that is to be run. Its trials are planned one sweep after the other: each plan holds the data.
struct Part {
    name: String,
    study: &'static Study,
    document: Document,
}

/// Runs the command.
pub(crate) fn run(arguments: &Reproduce, output: &mut Output) -> Result<(), Failure> {
    if arguments.list {
        for claim in &CLAIMS {
            output.line(format_args!("{}  {}", claim.number, claim.title));
        }
        return Ok(());
    }
    let numbers = arguments.numbers();
    if arguments.publish && numbers.len() < CLAIMS.len() {
        return Err(Failure::configuration("--publish: expected all claims, found some; leave out their numbers"));
    }
    let parts = arguments.parts(&numbers)?;
    if let Some(target) = &arguments.sweeps {
        return arguments.write_sweeps(&parts, target, output);
    }
    let stop = interrupt::stop_flag()?;
    let progress = Progress::new(arguments.style.quiet);
    let (mut rows, mut n_missing) = (Vec::new(), 0);
    let mut last = None;
    for (place, part) in parts.iter().enumerate() {
        let plan = arguments.plan(part)?;
        if plan.laboratory.data.is_synthetic && !arguments.quick {
            return Err(Failure::data(
                "the full run needs the 60,000 images of MNIST; `cargo xtask download` fetches them, and --quick runs on the \
                 built-in digits",
            ));
        }
        if arguments.style.is_talkative() || arguments.plan {
            let n_done = n_finished(&plan.trials, &peek(&plan.folder));
            output.line(format_args!(
                "{:>2} of {}  {:<20} {n_done:>4} of {:>4} done  {}",
                place + 1,
                parts.len(),
                part.name,
                plan.trials.len(),
                part.study.title()
            ));
        }
        if !arguments.plan {
            if !arguments.so_far {
                arguments.complete(part, &plan, &stop, &progress)?;
            }
            let own = part.rows(&plan);
            n_missing += plan.trials.len() - own.len();
            rows.extend(own);
        }
        last = Some(plan);
    }
    let Some(last) = last.filter(|_| !arguments.plan) else { return Ok(()) };
    if rows.is_empty() {
        return Err(Failure::configuration(
            "no trial is finished, so there is nothing to judge; leave --so-far out to run them",
        ));
    }
    let folder = last.folder.parent().map(PathBuf::from).unwrap_or_default();
    let archive = Archive {
        folder: &folder,
        data: &last.laboratory.data,
        kernel: last.laboratory.kernel,
        n_threads: arguments.machine.n_threads(),
        progress: &progress,
        stop: &stop,
    };
    let findings = find(&numbers, rows, n_missing, arguments.quick, &archive)?;
    if arguments.style.json {
        output.line(document::as_json(&findings));
    } else {
        document::tell(&findings, output);
    }
    // Some claims do not replace the document of all.
    let written = match arguments.claims.is_empty() {
        true => document::write(&findings, &folder)?,
        false => {
            let names: Vec<String> = numbers.iter().map(u8::to_string).collect();
            document::write(&findings, &folder.join(format!("claims-{}", names.join("-"))))?
        }
    };
    if arguments.publish && n_missing == 0 {
        document::write(&findings, &places::root().join("docs"))?;
    }
    if arguments.style.is_talkative() {
        output.line(format_args!("\nthe document is {}", places::shown(&written)));
    }
    if n_missing > 0 && !arguments.so_far {
        return Err(Failure::new(
            Code::Unsuccessful,
            format!(
                "{} failed and left out of the judgement, which is not published; running again tries them again",
                counted(n_missing, "trial")
            ),
        ));
    }
    Ok(())
}

impl Reproduce {
    /// The claims to judge, each once, in order.
    fn numbers(&self) -> Vec<u8> {
        let is_asked = |number: &u8| self.claims.is_empty() || self.claims.contains(number);
        CLAIMS.iter().map(|claim| claim.number).filter(is_asked).collect()
    }

    /// Every sweep that the claims need, its configuration checked before any is run.
    fn parts(&self, numbers: &[u8]) -> Result<Vec<Part>, Failure> {
        let mut parts = Vec::new();
        for study in STUDIES.iter().filter(|study| study.claims.iter().any(|claim| numbers.contains(claim))) {
            for (name, document) in study.sweeps(self.quick)? {
                document.check()?;
                parts.push(Part { name, study, document });
            }
        }
        Ok(parts)
    }

    fn plan(&self, part: &Part) -> Result<Plan, Failure> {
        let options = RunOptions {
            settings: Vec::new(),
            out: None,
            data: self.data.clone(),
            machine: self.machine.clone(),
            checkpoints: self.checkpoints.clone(),
            style: self.style.clone(),
        };
        let mut plan = plan(part.document.clone(), DefaultName::Fixed(part.name.clone()), &options, None)?;
        let data = &plan.laboratory.data.name;
        let quick = if self.quick { "-quick" } else { "" };
        let whole = self.out.clone().unwrap_or_else(|| places::runs().join(format!("reproduce{quick}-{data}")));
        plan.folder = whole.join(&part.name);
        Ok(plan)
    }

    /// Runs what is left of a sweep.
    fn complete(&self, part: &Part, plan: &Plan, stop: &AtomicBool, progress: &Progress) -> Result<(), Failure> {
        let (store, records) = plan.open_store("reproduce", Sharing::Alone)?;
        let n_open = plan.trials.len() - n_finished(&plan.trials, &records);
        if n_open == 0 {
            return Ok(());
        }
        let manner = Manner {
            shares: Shares::of(self.machine.n_threads(), None, n_open),
            order: Order::LongestFirst,
            pace: self.checkpoints.pace(),
            deadline: None,
            stop,
            progress,
            see: &|_, _| {},
            diagnose: &|_| part.study.is_diagnosed,
        };
        let campaign = campaign::run(&plan.laboratory, &plan.trials, &store, records, None, &manner)?;
        if campaign.stopped.is_some() {
            return Err(stopped());
        }
        let n_failed = campaign.records.values().filter(|record| record.status == Status::Failed).count();
        if n_failed > 0 {
            let trials = counted(n_failed, "trial");
            notice(format_args!("warning: {}: {trials} failed; running again tries them again", part.name));
        }
        Ok(())
    }

    fn write_sweeps(&self, parts: &[Part], target: &Path, output: &mut Output) -> Result<(), Failure> {
        std::fs::create_dir_all(target).map_err(|error| Failure::io("create", target, &error))?;
        for part in parts {
            let path = target.join(format!("{}.toml", part.name));
            write_atomically(&path, &self.plan(part)?.specification.to_toml())?;
            output.line(path.display());
        }
        Ok(())
    }
}

impl Part {
    /// The records of the trials that the sweep asks for and that came to an end.
    fn rows(&self, plan: &Plan) -> Vec<Row> {
        let mut rows = evidence::read(&plan.folder, &self.name, self.study.has_curves);
        // A trial that failed computed nothing: it is missing, and no net that gets no digit right.
        rows.retain(|row| row.status != Status::Failed && plan.trials.iter().any(|trial| trial.id == row.trial));
        rows
    }
}
