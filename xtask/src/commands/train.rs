//! `train`: one run, watched.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;

use clap::Args;
use mlp_results::text::{counted, thousands};
use mlp_results::{RankBy, RunRecord, Status};
use mlp_sweep::{Document, InitialModel, Sweep, shown};
use mlp_train::{Diagnosis, EpochRecord, Optimizer, TrainConfig};

use crate::data;
use crate::failure::{Code, Failure};
use crate::interrupt;
use crate::options::RunArguments;
use crate::output::{Output, notice};
use crate::places;
use crate::planning;
use crate::progress::{Progress, SweepProgress};
use crate::reporting;
use crate::summary::{self, EpochTable};

const EXAMPLES: &str = "\
Examples:
  cargo xtask train                                   the defaults: a net that learns well in about a minute
  cargo xtask train --set hidden=[64] --set epochs=5
  cargo xtask train --set loss=rmse --set 'optimizer={ name = \"momentum\", momentum = 0.9 }'
  cargo xtask train my.toml --set learning_rate=0.3 --out runs/mine
  cargo xtask train --set initializer=uniform-0-1 --diagnose      why does it not learn?
  cargo xtask train --init runs/mine/models/<TRIAL>.safetensors --set learning_rate=0.0001

Running it again with the same configuration goes on where it was stopped, or shows the result that is already there.
`train --help` lists all keys with their defaults.";

/// Train one network, with progress, a curve, a report and the model
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Train {
    /// Configuration file (TOML); without it, the defaults
    config: Option<PathBuf>,
    /// Start from this saved model instead of random weights
    #[arg(long, value_name = "MODEL")]
    init: Option<PathBuf>,
    #[command(flatten)]
    run: RunArguments,
}

/// Runs the command.
pub(crate) fn run(arguments: &Train, output: &mut Output) -> Result<(), Failure> {
    let document = match &arguments.config {
        Some(path) => Document::read(path)?,
        None => Document::default(),
    };
    // From here on, so that a signal while the data are read ends the run as one later does.
    let stop = interrupt::stop_flag()?;
    let initial = arguments.init.as_deref().map(InitialModel::read).transpose()?;
    let builder = planning::plan(document, &arguments.run)?;
    let sweep = match initial {
        Some(initial) => builder.initial(initial).build()?,
        None => builder.build()?,
    };
    if sweep.trials().len() > 1 {
        return Err(Failure::configuration(format!(
            "the configuration has [sweep] lists, which make {}; `cargo xtask sweep` runs them all, `train` runs one",
            counted(sweep.trials().len(), "trial")
        )));
    }
    let record = train(arguments, &sweep, &stop, output)?;
    finish(arguments, &sweep, &record, output)
}

/// Trains the only trial of `sweep`, if it is not there already.
fn train(arguments: &Train, sweep: &Sweep, stop: &AtomicBool, output: &mut Output) -> Result<RunRecord, Failure> {
    let is_talkative = arguments.run.style.is_talkative();
    let progress = Progress::new(arguments.run.style.quiet);
    let shared_output = Mutex::new(output);
    let table = EpochTable::new(&sweep.trials()[0].settings.train);
    let see = |epoch: &EpochRecord| {
        if is_talkative && let Ok(mut output) = shared_output.lock() {
            progress.suspend(|| output.line(table.line(epoch)));
        }
    };
    let watch = SweepProgress::new(&progress, RankBy::default(), &see);
    let open = sweep.open("train", None, &watch)?;
    let options = arguments.run.run_options(stop);
    if is_talkative && let Ok(mut output) = shared_output.lock() {
        introduce(sweep, options.n_threads, &mut output);
        let head = table.head();
        output.line(if open.n_over() > 0 { "this very run is finished already; it gave" } else { &head });
    }
    let outcome = open.run(&options, &watch)?;
    outcome.records.into_values().next().ok_or_else(|| {
        let message = "stopped before the end, with a checkpoint; run the same command again to go on from it";
        Failure::new(Code::Interrupted, message)
    })
}

fn introduce(sweep: &Sweep, n_threads: usize, output: &mut Output) {
    let settings = &sweep.trials()[0].settings;
    let train = &settings.train;
    let experiment = sweep.experiment();
    let (n_inputs, n_outputs) = experiment.shape(settings);
    let sizes: Vec<String> = train.sizes(n_inputs, n_outputs).iter().map(usize::to_string).collect();
    let value = |key: &str| shown(&train.get(key));
    output.line(format_args!("data     {}", data::summary(experiment.data(), experiment.n_samples(settings))));
    output.line(format_args!(
        "net      {}, {} parameters in {}",
        sizes.join("-"),
        thousands(train.n_parameters(n_inputs, n_outputs).unwrap_or(0)),
        value("precision"),
    ));
    output.line(format_args!(
        "units    {}, output {}; targets {}",
        value("activation"),
        value("output_activation"),
        value("encoding"),
    ));
    output.line(format_args!(
        "learns   {} by {} at {}, batches of {}, {}, seed {}",
        value("loss"),
        optimizer(train),
        value("learning_rate"),
        value("batch_size"),
        counted(train.epochs, "epoch"),
        value("seed"),
    ));
    output.line(format_args!("on       {}, kernel {}", counted(n_threads, "thread"), experiment.kernel().name()));
    output.line(format_args!("into     {}\n", places::shown(sweep.folder().path())));
}

/// The name of the optimiser, with its parameters where they are not those that the name alone stands for.
fn optimizer(config: &TrainConfig) -> String {
    let name = config.optimizer.to_string();
    if name.parse().is_ok_and(|plain: Optimizer| plain == config.optimizer) {
        name
    } else {
        shown(&config.get("optimizer"))
    }
}

/// What was found in the trial, in words.
fn diagnosis(path: &Path) -> String {
    if !path.exists() {
        return "none: a net is examined while it trains, and this one is finished; train it again with another --out"
            .to_owned();
    }
    Diagnosis::read(path).map_or_else(|error| error.to_string(), |diagnosis| diagnosis.sentence())
}

fn finish(arguments: &Train, sweep: &Sweep, record: &RunRecord, output: &mut Output) -> Result<(), Failure> {
    let folder = sweep.folder();
    if arguments.run.style.json {
        output.text(&record.to_json()?);
    }
    let report = reporting::write(folder.path(), Some(sweep.experiment().data()))?;
    let model = Some(folder.model(&record.trial)).filter(|_| record.status == Status::Finished);
    if arguments.run.style.is_talkative() {
        output.line("");
        summary::explain(record, output);
        if arguments.run.diagnose {
            output.line(format_args!("diagnosis        {}", diagnosis(&folder.diagnosis(&record.trial))));
        }
        summary::what_next(&report, model.as_deref(), output);
    } else if !arguments.run.style.json {
        output.line(format_args!("{}", report.display()));
    }
    if record.status == Status::Diverged && !arguments.run.style.is_talkative() {
        notice("the run diverged: its numbers left their range; a smaller learning_rate keeps them in");
    }
    match record.status {
        Status::Failed => Err(Failure::new(
            Code::Unsuccessful,
            format!(
                "the trial failed: {}\nits record is {}; running again tries again",
                record.error.as_deref().unwrap_or("no reason is recorded"),
                folder.record(&record.trial).display(),
            ),
        )),
        Status::Finished | Status::Diverged => Ok(()),
    }
}
