//! `climb`: how good fully connected networks get on MNIST, a rung at a time.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use clap::Args;
use ladder::document::{self, FINDINGS, FOLDER, WRONG};
use ladder::{ClimbSweep, CommitteeFinding, Findings, RUNGS, Together, TrialFinding, sweeps, together};
use mlp_results::text::counted;
use mlp_results::{RankBy, Status};
use mlp_sweep::{Dataset, SampleSet, n_over};
use mlp_train::{SavedModel, load_model};

use crate::data;
use crate::failure::{Code, Failure};
use crate::interrupt;
use crate::options::{self, CheckpointOptions, DataOption, MachineOptions, StyleOptions, run_options};
use crate::output::{Output, notice};
use crate::places;
use crate::progress::{Progress, SweepProgress};
use crate::table::wrapped;

const EXAMPLES: &str = "\
Examples:
  cargo xtask climb --list
      the rungs with their goals, and the sweeps that are run
  cargo xtask climb --quick
      all of it in a few minutes: small, and marked so
  cargo xtask climb
      the full run, several hours; running it again goes on
  cargo xtask climb climb-deformed
      one sweep; `cargo xtask sweep climb-deformed` runs it by itself
  cargo xtask climb --so-far
      writes the page from what is finished, and runs nothing

Records, models and the page are in runs/climb-DATA (with --quick: runs/climb-quick-DATA). A sweep that has been run elsewhere
into the folder of its name there is taken as it is.";

/// Train the best nets that are known here, and write how they were chosen
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Climb {
    /// Names of sweeps [default: all]
    #[arg(value_name = "SWEEP")]
    names: Vec<String>,
    /// Small nets and few images: shows how it goes
    #[arg(long)]
    quick: bool,
    /// List the rungs and the sweeps
    #[arg(long)]
    list: bool,
    /// Write the page from the trials that are finished and run nothing, also while others run
    #[arg(long, conflicts_with = "list")]
    so_far: bool,
    /// Put the page into docs/ as well, together with what was published there from another folder; not for a quick run
    #[arg(long, conflicts_with = "quick")]
    publish: bool,
    /// Folder for the results, instead of runs/climb-DATA
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
pub(crate) fn run(arguments: &Climb, output: &mut Output) -> Result<(), Failure> {
    if arguments.list {
        list(output);
        return Ok(());
    }
    let asked = arguments.sweeps()?;
    let data = arguments.load()?;
    let default = || {
        let quick = if arguments.quick { "-quick" } else { "" };
        places::runs().join(format!("climb{quick}-{}", data.name()))
    };
    let folder = arguments.out.clone().unwrap_or_else(default);
    if !arguments.so_far {
        let stop = interrupt::stop_flag()?;
        for (position, sweep) in asked.iter().enumerate() {
            let planned = arguments.plan(sweep, &data, &folder)?;
            if arguments.style.is_talkative() {
                let n_done = n_over(planned.trials(), &planned.folder().records());
                let (number, n_sweeps, n_trials) = (position + 1, asked.len(), planned.trials().len());
                output.line(format_args!("{number:>2} of {n_sweeps}  {:<26} {n_done} of {n_trials} done", sweep.name));
            }
            arguments.complete(sweep, &planned, &stop)?;
        }
    }
    let told = arguments.told(&data, &folder)?;
    if told.findings.trials.is_empty() {
        return Err(Failure::configuration(
            "no trial is finished, so there is nothing to tell of; leave --so-far out to run them",
        ));
    }
    arguments.write(&told, &folder, output)
}

/// What is found, and the picture of what remains wrong.
struct Told {
    findings: Findings,
    wrong: Option<String>,
}

impl Climb {
    /// The sweeps that are asked for.
    fn sweeps(&self) -> Result<Vec<ClimbSweep>, Failure> {
        let all = sweeps();
        for name in &self.names {
            if !all.iter().any(|sweep| sweep.name == name) {
                return Err(Failure::configuration(format!(
                    "expected the name of a sweep of the climb, found {name:?}; `cargo xtask climb --list` has them"
                )));
            }
        }
        let is_asked = |sweep: &ClimbSweep| self.names.is_empty() || self.names.iter().any(|name| name == sweep.name);
        Ok(all.into_iter().filter(is_asked).collect())
    }

    fn load(&self) -> Result<Dataset, Failure> {
        let data = data::load(self.data.data.as_deref())?;
        if data.is_synthetic() && !self.quick {
            return Err(Failure::data(
                "the climb needs the 60,000 images of MNIST; `cargo xtask download` fetches them, and --quick runs on the built-in \
                 digits",
            ));
        }
        Ok(data)
    }

    fn plan(&self, sweep: &ClimbSweep, data: &Dataset, folder: &Path) -> Result<mlp_sweep::Sweep, Failure> {
        let builder = mlp_sweep::Sweep::builder(sweep.specification(self.quick)?, data.clone());
        let builder = builder.kernel(self.machine.fast_kernel()?).default_name(sweep.name);
        Ok(builder.folder(folder.join(sweep.name)).build()?)
    }

    /// Runs what is left of a sweep.
    fn complete(&self, sweep: &ClimbSweep, planned: &mlp_sweep::Sweep, stop: &AtomicBool) -> Result<(), Failure> {
        let progress = Progress::new(self.style.quiet);
        let watch = SweepProgress::new(&progress, RankBy::default(), &|_| {});
        let open = planned.open("climb", None, &watch)?;
        if open.n_over() == planned.trials().len() {
            return Ok(());
        }
        let outcome = open.run(&run_options(&self.machine, &self.checkpoints, stop), &watch)?;
        if outcome.stopped.is_some() {
            return Err(Failure::new(
                Code::Interrupted,
                "stopped; everything finished is kept, and running the same command again goes on",
            ));
        }
        let n_failed = outcome.records.values().filter(|record| record.status != Status::Finished).count();
        if n_failed > 0 {
            let trials = counted(n_failed, "trial");
            notice(format_args!("warning: {}: {trials} did not finish, and the page leaves them out", sweep.name));
        }
        Ok(())
    }

    /// What the finished trials of all sweeps say.
    fn told(&self, data: &Dataset, folder: &Path) -> Result<Told, Failure> {
        let mut findings = Findings { is_quick: self.quick, data: data.name().to_owned(), ..Findings::default() };
        let published = if self.publish { published()? } else { Findings::default() };
        let mut fewest: Option<Together> = None;
        for sweep in sweeps() {
            let planned = self.plan(&sweep, data, folder)?;
            let records = planned.folder().records();
            let asked = planned.trials().iter().filter_map(|trial| records.get(&trial.id));
            let of_sweep: Vec<TrialFinding> =
                asked.filter_map(|record| TrialFinding::new(sweep.name, record)).collect();
            findings.n_test = test_part(&planned, data).len();
            let is_committee = RUNGS.iter().any(|rung| rung.is_committee && rung.sweep == sweep);
            if is_committee && of_sweep.len() == planned.trials().len() {
                let joint = self.together(&planned, data)?;
                let (n_members, n_wrong) = (of_sweep.len(), joint.n_wrong);
                findings.committees.push(CommitteeFinding { sweep: sweep.name.to_owned(), n_members, n_wrong });
                fewest = fewest.filter(|best| best.n_wrong <= n_wrong).or(Some(joint));
            }
            let is_planned = |told: &TrialFinding| planned.trials().iter().any(|trial| trial.id == told.trial);
            findings.add(sweep.name, of_sweep, &published, is_planned);
        }
        // The picture that was published is of the best committee there.
        let is_best = |joint: &Together| findings.committees.iter().all(|other| joint.n_wrong <= other.n_wrong);
        let wrong = fewest.filter(is_best).and_then(|joint| joint.picture);
        Ok(Told { findings, wrong })
    }

    /// All networks of a sweep on its test images.
    fn together(&self, planned: &mlp_sweep::Sweep, data: &Dataset) -> Result<Together, Failure> {
        let load = |trial: &mlp_sweep::Trial| load_model(planned.folder().model(&trial.id));
        let models: Vec<SavedModel> = planned.trials().iter().map(load).collect::<Result<_, _>>()?;
        let part = test_part(planned, data);
        let images = part.images().expect("images of digits");
        let workers = options::team(self.machine.n_threads())?;
        Ok(together(&models, images, &workers, self.machine.fast_kernel()?)?)
    }

    fn write(&self, told: &Told, folder: &Path, output: &mut Output) -> Result<(), Failure> {
        let mut folders = vec![folder.to_path_buf()];
        folders.extend(self.publish.then(|| places::root().join("docs")));
        for folder in &folders {
            write_page(told, folder)?;
        }
        let page = folder.join(document::DOCUMENT);
        if self.style.json {
            output.line(document::findings_as_lines(&told.findings).trim_end());
        } else if self.style.is_talkative() {
            output.line(format_args!("\nthe page is {}", places::shown(&page)));
        } else {
            output.line(page.display());
        }
        Ok(())
    }
}

/// What the page in docs/ tells of; nothing where there is none.
fn published() -> Result<Findings, Failure> {
    let path = places::root().join("docs").join(FOLDER).join(FINDINGS);
    match fs::read_to_string(&path) {
        Ok(text) => serde_json::from_str(&text).map_err(|error| {
            Failure::data(format!("{}: expected what `climb --publish` wrote, found {error}", path.display()))
        }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Findings::default()),
        Err(error) => Err(Failure::io("read", &path, &error)),
    }
}

/// The test samples that a sweep is measured on.
fn test_part(planned: &mlp_sweep::Sweep, data: &Dataset) -> Arc<SampleSet> {
    data.test_part(planned.trials().first().and_then(|trial| trial.settings.test_size))
}

/// Writes the page with everything beside it into `folder`.
fn write_page(told: &Told, folder: &Path) -> Result<(), Failure> {
    let beside = folder.join(FOLDER);
    fs::create_dir_all(&beside).map_err(|error| Failure::io("create", &beside, &error))?;
    let write = |path: &Path, text: &str| {
        durable_file::write(path, text.as_bytes()).map_err(|error| Failure::io("write", path, &error))
    };
    write(&beside.join(FINDINGS), &document::findings_as_lines(&told.findings))?;
    if let Some(wrong) = &told.wrong {
        write(&beside.join(WRONG), wrong)?;
    }
    for (name, text) in document::files(&told.findings) {
        write(&folder.join(name), &text)?;
    }
    Ok(())
}

fn list(output: &mut Output) {
    output.line("percent of the test images that may be answered wrongly, rung by rung:");
    for rung in RUNGS {
        output.line(wrapped(&format!("  {:.2}  {}", rung.goal, rung.sweep.name), rung.title, 29));
    }
    output.line("\nwhat was tried, to choose their settings:");
    for trick in ladder::TRICKS {
        output.line(wrapped(&format!("  {}", trick.sweep.name), trick.change, 29));
    }
}
