//! `bench`: seconds of an epoch beside other systems, and beside what the processor can do.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use mnist_io::LabeledImages;

use crate::bench;
use crate::bench::case::{CASES, TROUBLED, find};
use crate::bench::estimators::Estimators;
use crate::bench::peers::Python;
use crate::bench::plan::Plan;
use crate::bench::to_accuracy::ToAccuracy;
use crate::bench::whole::Place;
use crate::failure::Failure;
use crate::options::{MachineOptions, StyleOptions};
use crate::output::Output;
use crate::places;
use crate::progress::Progress;

const NOTES: &str = "\
Every figure is the best of some runs, ours and the peers' in turn, each in a process of its
own. Leave the machine alone meanwhile. Peers are measured where their Python packages are:
pip install torch jax numpy scikit-learn. With --out, each figure is written as soon as it is
there.

Examples:
  cargo xtask bench
      the table of epochs, some minutes
  cargo xtask bench --full --out bench
      everything, with bench/bench.md and bench/bench.json
  cargo xtask bench --python venv/bin/python
      peers from a virtual environment
  cargo xtask bench --no-peers --kernel avx2
      without peers, on another instruction set
  cargo xtask bench --case batch-128
      one case alone: a line of JSON
  cargo xtask bench --estimators
      the Python package beside scikit-learn, some minutes; it has to be
      there: pip install ./crates/mlp-python
  cargo xtask bench --pictures runs/mine
      pictures as people have them: how many of each kind are read with
      this net, beside OpenCV (opencv-python-headless)";

/// Seconds of an epoch, beside other systems and what the processor can do
#[derive(Args, Debug)]
#[command(after_help = NOTES)]
pub(crate) struct Bench {
    /// More runs of each, every instruction set, whole commands (sweep, predict, the time to 98, 99 and 99.5 %), and the estimators
    #[arg(long)]
    full: bool,
    /// The Python that has the peers' packages
    #[arg(long, value_name = "PROGRAM", default_value = "python3")]
    python: PathBuf,
    /// Only our own figures
    #[arg(long)]
    no_peers: bool,
    /// One case alone, in this process, as a line of JSON: batch-1, batch-32, batch-128, batch-512, one-core, f64, narrow
    #[arg(long, value_name = "NAME", hide_possible_values = true)]
    case: Option<String>,
    /// Instead of all that: the Python package beside scikit-learn, fits, answers, a search, imports and memory
    #[arg(long, conflicts_with_all = ["full", "case", "pictures", "no_peers"])]
    estimators: bool,
    /// Instead of all that: whole trainings to 98, 99 and 99.5 % of the test digits, some minutes
    #[arg(long, conflicts_with_all = ["full", "case", "pictures", "estimators"])]
    levels: bool,
    /// Instead of seconds: how many of 810 made-up pictures are read with this model, by kind and difficulty
    #[arg(long, value_name = "MODEL", conflicts_with_all = ["full", "case"])]
    pictures: Option<PathBuf>,
    /// Pictures of each kind and difficulty
    #[arg(long, value_name = "N", default_value_t = 10, requires = "pictures")]
    each: usize,
    /// Decides which pictures these are
    #[arg(long, value_name = "N", default_value_t = 1, requires = "pictures")]
    seed: u64,
    /// Also write the evidence of every way of seeing pictures of training digits, which xtask/peers/evidence.py fits
    #[arg(long, value_name = "FILE", requires = "pictures")]
    readings: Option<PathBuf>,
    /// Also write the table and the figures, as bench.md and bench.json, into this folder
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    /// Folder with the four files of MNIST [default: datasets/mnist]
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,
    #[command(flatten)]
    machine: MachineOptions,
    #[command(flatten)]
    style: StyleOptions,
}

/// Runs the command.
pub(crate) fn run(arguments: &Bench, output: &mut Output) -> Result<(), Failure> {
    let kernel = arguments.machine.fast_kernel()?;
    let n_threads = arguments.machine.n_threads();
    let data = arguments.data.clone().unwrap_or_else(|| places::datasets().join("mnist"));
    if let Some(name) = &arguments.case {
        let case = find(name).ok_or_else(|| {
            let names: Vec<_> = CASES.iter().chain(&TROUBLED).map(|case| case.name).collect();
            Failure::configuration(format!("--case {name}: there is no such case; there are {}", names.join(", ")))
        })?;
        let measured = case.measure(&load(&data)?.0, n_threads, kernel)?;
        output.line(serde_json::to_string(&measured).map_err(|error| Failure::data(error.to_string()))?);
        return Ok(());
    }
    let (train, test) = load(&data)?;
    let python = Python::new(&arguments.python, &data);
    if let Some(model) = &arguments.pictures {
        return read_pictures(arguments, model, [&train, &test], &python, output);
    }
    if arguments.estimators {
        return measure_estimators(arguments, &python, output);
    }
    if arguments.levels {
        return measure_levels(arguments, &data, &python, output);
    }
    let plan = Plan {
        data: &data,
        kernel,
        n_threads,
        python: (!arguments.no_peers).then_some(&python),
        is_full: arguments.full,
        out: arguments.out.as_deref(),
        is_quiet: arguments.style.quiet,
    };
    let figures = plan.measure()?;
    output.text(&if arguments.style.json { figures.json()? } else { figures.markdown() });
    Ok(())
}

/// The Python package beside scikit-learn; with `--out` the figures are kept there.
fn measure_estimators(arguments: &Bench, python: &Python<'_>, output: &mut Output) -> Result<(), Failure> {
    let progress = Progress::new(arguments.style.quiet);
    let bar = progress.steps("", 1);
    bar.enable_steady_tick(Duration::from_secs(1));
    let measured = Estimators::measure(python, &bar)?;
    bar.finish_and_clear();
    let Some(measured) = measured else {
        let advice = "name one that has, with --python; the package comes by pip install ./crates/mlp-python";
        let message = format!("{} lacks mlp_lab or scikit-learn; {advice}", python.program.display());
        return Err(Failure::configuration(message));
    };
    if let Some(folder) = &arguments.out {
        fs::create_dir_all(folder).map_err(|error| Failure::io("create", folder, &error))?;
        for (name, text) in [("estimators.json", measured.json()?), ("estimators.md", measured.markdown())] {
            let path = folder.join(name);
            fs::write(&path, text).map_err(|error| Failure::io("write", &path, &error))?;
        }
    }
    output.text(&if arguments.style.json { measured.json()? } else { measured.markdown() });
    Ok(())
}

/// Whole trainings to shares of the test digits.
fn measure_levels(arguments: &Bench, data: &Path, python: &Python<'_>, output: &mut Output) -> Result<(), Failure> {
    let python = (!arguments.no_peers).then_some(python);
    let scratch =
        tempfile::tempdir().map_err(|error| Failure::io("create a folder in", &std::env::temp_dir(), &error))?;
    let progress = Progress::new(arguments.style.quiet);
    let bar = progress.steps("", Place::n_runs_to_accuracies(python.is_some()) as u64);
    bar.enable_steady_tick(Duration::from_secs(1));
    let place = Place { data, scratch: scratch.path(), python, n_threads: arguments.machine.n_threads(), bar: &bar };
    let measured = place.to_accuracies()?;
    bar.finish_and_clear();
    if arguments.style.json {
        output.line(serde_json::to_string(&measured).map_err(|error| Failure::data(error.to_string()))?);
    } else {
        output.line("| | |\n|---|---|");
        measured.iter().flat_map(ToAccuracy::lines).for_each(|line| output.line(format_args!("| {line} |")));
    }
    Ok(())
}

/// Counts the pictures that are read; with `--out` they are kept there.
fn read_pictures(
    arguments: &Bench,
    model: &Path,
    [train, digits]: [&LabeledImages; 2],
    python: &Python<'_>,
    output: &mut Output,
) -> Result<(), Failure> {
    let temporary = std::env::temp_dir().join(format!("pictures-{}", std::process::id()));
    let folder = arguments.out.as_deref().unwrap_or(&temporary);
    let python = (!arguments.no_peers).then_some(python);
    let plan = bench::pictures::Plan { model, digits, n_each: arguments.each, seed: arguments.seed, folder, python };
    let counted = match &arguments.readings {
        Some(path) => bench::pictures::Plan { digits: train, ..plan }.write_readings(path).and_then(|()| plan.count()),
        None => plan.count(),
    };
    if arguments.out.is_none() {
        // What is left of it does not matter.
        let _ = fs::remove_dir_all(&temporary);
    }
    let counted = counted?;
    output.text(&if arguments.style.json { format!("{:#}\n", counted.json()) } else { counted.markdown() });
    Ok(())
}

fn load(folder: &Path) -> Result<(LabeledImages, LabeledImages), Failure> {
    LabeledImages::load_folder(folder).map_err(|error| {
        let failure = Failure::from(error);
        Failure::new(failure.code, format!("{failure}; bench measures on MNIST: cargo xtask download mnist, or --data"))
    })
}
