//! `reproduce`: the paper's experiments, and what they say about its claims.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::AtomicBool;

use clap::Args;
use indicatif::ProgressBar;
use mlp_results::RankBy;
use mlp_results::text::counted;
use paper::{
    CLAIMS, CheckedSweep, Claim, Completion, Findings, JudgeEvent, Models, PlannedSweep, TestImages, Trials, document,
    find, studies_of,
};

use crate::data;
use crate::failure::{Code, Failure};
use crate::interrupt;
use crate::options::{CheckpointOptions, DataOption, MachineOptions, StyleOptions, run_options};
use crate::output::{Output, notice};
use crate::places;
use crate::progress::{Progress, SweepProgress};

const EXAMPLES: &str = "\
Examples:
  cargo xtask reproduce --list
      the claims, a line each
  cargo xtask reproduce --quick
      all of them in about five minutes: small, and marked so
  cargo xtask reproduce
      the full run, some hours; running it again goes on
  cargo xtask reproduce 1 5
      claims 1 and 5
  cargo xtask reproduce --so-far
      judges by what is finished, and runs nothing
  cargo xtask reproduce --plan
      which sweeps are run, and how far they are
  cargo xtask reproduce --sweeps DIR
      writes them as files, for `cargo xtask sweep` and its executors

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

/// Runs the command.
pub(crate) fn run(arguments: &Reproduce, output: &mut Output) -> Result<(), Failure> {
    if arguments.list {
        for claim in CLAIMS {
            output.line(format_args!("{}  {}", claim.number(), claim.title()));
        }
        return Ok(());
    }
    let claims = arguments.claims();
    if arguments.publish && claims.len() < CLAIMS.len() {
        return Err(Failure::configuration("--publish: expected all claims, found some; leave out their numbers"));
    }
    // Every configuration is checked before any sweep is run.
    let studies = studies_of(&claims).into_iter();
    let sweeps = studies.flat_map(|study| study.sweeps(arguments.quick)).map(CheckedSweep::new);
    let sweeps: Vec<CheckedSweep> = sweeps.collect::<Result<_, _>>()?;
    if let Some(target) = &arguments.sweeps {
        return arguments.write_sweeps(&sweeps, target, output);
    }
    if arguments.plan {
        return arguments.show_plan(&sweeps, output);
    }
    arguments.judge(&claims, &sweeps, output)
}

impl Reproduce {
    /// The claims to judge, each once, in order.
    fn claims(&self) -> Vec<&'static dyn Claim> {
        let is_asked = |claim: &&dyn Claim| self.claims.is_empty() || self.claims.contains(&claim.number());
        CLAIMS.into_iter().filter(is_asked).collect()
    }

    fn plan(&self, sweep: &CheckedSweep) -> Result<PlannedSweep, Failure> {
        let data = data::load(self.data.data.as_deref().or(sweep.data()))?;
        let quick = if self.quick { "-quick" } else { "" };
        let default = || places::runs().join(format!("reproduce{quick}-{}", data.name()));
        let folder = self.out.clone().unwrap_or_else(default);
        Ok(sweep.plan(data, self.machine.fast_kernel()?, &folder)?)
    }

    fn write_sweeps(&self, sweeps: &[CheckedSweep], target: &Path, output: &mut Output) -> Result<(), Failure> {
        std::fs::create_dir_all(target).map_err(|error| Failure::io("create", target, &error))?;
        for sweep in sweeps {
            let path = target.join(format!("{}.toml", sweep.sweep.name));
            self.plan(sweep)?.write(&path)?;
            output.line(path.display());
        }
        Ok(())
    }

    fn show_plan(&self, sweeps: &[CheckedSweep], output: &mut Output) -> Result<(), Failure> {
        for (position, sweep) in sweeps.iter().enumerate() {
            let planned = self.plan_for_run(sweep)?;
            show_sweep(position + 1, sweeps.len(), sweep, &planned, output);
        }
        Ok(())
    }

    /// The plan of a sweep, if it can be run on these data.
    fn plan_for_run(&self, sweep: &CheckedSweep) -> Result<PlannedSweep, Failure> {
        let planned = self.plan(sweep)?;
        if planned.data().is_synthetic() && !self.quick {
            return Err(Failure::data(
                "the full run needs the 60,000 images of MNIST; `cargo xtask download` fetches them, and --quick runs on the \
                 built-in digits",
            ));
        }
        Ok(planned)
    }

    /// Runs what is left of the sweeps, judges the claims, and tells the outcome.
    fn judge(&self, claims: &[&dyn Claim], sweeps: &[CheckedSweep], output: &mut Output) -> Result<(), Failure> {
        let stop = interrupt::stop_flag()?;
        let progress = Progress::new(self.style.quiet);
        let (trials, last) = self.trials(sweeps, &stop, &progress, output)?;
        let Some(last) = last else { return Ok(()) };
        if trials.rows.is_empty() {
            return Err(Failure::configuration(
                "no trial is finished, so there is nothing to judge; leave --so-far out to run them",
            ));
        }
        let n_missing = trials.n_missing;
        let findings = self.find(claims, trials, &last, &stop, &progress)?;
        if self.style.json {
            output.line(document::as_json(&findings));
        } else {
            output.line(document::as_text(&findings));
        }
        let written = self.write(claims, &findings, &last.folder_of_all())?;
        if self.style.is_talkative() {
            output.line(format_args!("\nthe document is {}", places::shown(&written)));
        }
        if n_missing > 0 && !self.so_far {
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

    /// The trials of all sweeps, run unless only what is finished is asked for; and the plan of the last sweep, whose data
    /// are those of all.
    fn trials(
        &self,
        sweeps: &[CheckedSweep],
        stop: &AtomicBool,
        progress: &Progress,
        output: &mut Output,
    ) -> Result<(Trials, Option<PlannedSweep>), Failure> {
        let mut trials = Trials { is_quick: self.quick, ..Trials::default() };
        let mut last = None;
        let options = run_options(&self.machine, &self.checkpoints, stop);
        let watch = SweepProgress::new(progress, RankBy::default(), &|_| {});
        for (position, sweep) in sweeps.iter().enumerate() {
            let planned = self.plan_for_run(sweep)?;
            if self.style.is_talkative() {
                show_sweep(position + 1, sweeps.len(), sweep, &planned, output);
            }
            if !self.so_far {
                complete(sweep, planned.complete(&options, &watch)?)?;
            }
            let rows = planned.rows();
            trials.n_missing += planned.n_trials() - rows.len();
            trials.rows.extend(rows);
            last = Some(planned);
        }
        Ok((trials, last))
    }

    fn find(
        &self,
        claims: &[&dyn Claim],
        trials: Trials,
        planned: &PlannedSweep,
        stop: &AtomicBool,
        progress: &Progress,
    ) -> Result<Findings, Failure> {
        let data = planned.data();
        let test = TestImages {
            name: data.name(),
            sha256: data.sha256(),
            all: data::images(data)[1],
            subset: &|size| data.test_part(Some(size)),
        };
        let bar: OnceLock<ProgressBar> = OnceLock::new();
        let observe = |event: JudgeEvent| match event {
            JudgeEvent::Begun { n_models } => {
                bar.get_or_init(|| progress.steps("answers of saved models", n_models as u64));
            }
            JudgeEvent::Answered => bar.get().into_iter().for_each(|bar| bar.inc(1)),
            _ => {}
        };
        let models = Models {
            folder: &planned.folder_of_all(),
            kernel: planned.kernel(),
            n_threads: self.machine.n_threads(),
            stop,
            observe: &observe,
        };
        let findings = find(claims, trials, &test, &models);
        bar.get().into_iter().for_each(ProgressBar::finish_and_clear);
        Ok(findings?)
    }

    /// Writes the document into the folder of results, and if asked for into `docs/`; returns the path of the former.
    fn write(&self, claims: &[&dyn Claim], findings: &Findings, folder: &Path) -> Result<PathBuf, Failure> {
        let write = |folder: &Path| document::write(findings, folder);
        // Some claims do not replace the document of all.
        let written = if self.claims.is_empty() {
            write(folder)?
        } else {
            let numbers: Vec<String> = claims.iter().map(|claim| claim.number().to_string()).collect();
            write(&folder.join(format!("claims-{}", numbers.join("-"))))?
        };
        if self.publish && findings.n_missing == 0 {
            write(&places::root().join("docs"))?;
        }
        Ok(written)
    }
}

/// A line about a sweep, and how far it is.
fn show_sweep(number: usize, n_sweeps: usize, sweep: &CheckedSweep, planned: &PlannedSweep, output: &mut Output) {
    let (n_done, n_trials) = (planned.n_over(), planned.n_trials());
    let (name, title) = (&sweep.sweep.name, sweep.sweep.study.title());
    output.line(format_args!("{number:>2} of {n_sweeps}  {name:<20} {n_done:>4} of {n_trials:>4} done  {title}"));
}

/// Says what came of a sweep; an error if it was asked to end.
fn complete(sweep: &CheckedSweep, completion: Completion) -> Result<(), Failure> {
    match completion {
        Completion::Stopped => Err(paper::Error::stopped().into()),
        Completion::Complete { n_failed: 0 } => Ok(()),
        Completion::Complete { n_failed } => {
            let (name, trials) = (&sweep.sweep.name, counted(n_failed, "trial"));
            notice(format_args!("warning: {name}: {trials} failed; running again tries them again"));
            Ok(())
        }
    }
}
