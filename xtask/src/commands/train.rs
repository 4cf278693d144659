//! `train`: one run, watched.

use mlp_results::{RunRecord, Status};

use std::path::PathBuf;
use std::sync::Mutex;

use clap::Args;
use mlp_train::{Diagnosis, EpochRecord};

use crate::campaign::{self, Manner, Order, Shares};
use crate::configuration::Document;
use crate::failure::{Code, Failure};
use crate::interrupt;
use crate::options::RunOptions;
use crate::output::{Output, counted, grouped, notice};
use crate::places;
use crate::plan::{DefaultName, Plan, plan};
use crate::progress::Progress;
use crate::reporting;
use crate::store::{ResultsStore, Sharing};
use crate::summary;
use crate::trial::Initial;

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
    /// Examine each layer after every epoch, and say at which one learning died and why; changes no weight
    #[arg(long)]
    diagnose: bool,
    #[command(flatten)]
    run: RunOptions,
}

/// Runs the command.
pub(crate) fn run(arguments: &Train, output: &mut Output) -> Result<(), Failure> {
    let document = match &arguments.config {
        Some(path) => Document::read(path)?,
        None => Document::default(),
    };
    // From here on, so that a signal while the data are read ends the run as one later does.
    let stop = interrupt::stop_flag()?;
    let initial = arguments.init.as_deref().map(Initial::read).transpose()?;
    let plan = plan(document, DefaultName::OfTrial, &arguments.run, initial)?;
    if plan.trials.len() > 1 {
        return Err(Failure::configuration(format!(
            "the configuration has [sweep] lists, which make {}; `cargo xtask sweep` runs them all, `train` runs one",
            counted(plan.trials.len(), "trial")
        )));
    }
    let (store, records) = plan.open_store("train", Sharing::Alone)?;
    let is_talkative = arguments.run.style.is_talkative();
    let shares = Shares::of(arguments.run.machine.n_threads(), None, 1);
    if is_talkative {
        introduce(&plan, shares, output);
        match records.get(&plan.trials[0].id) {
            Some(record) if record.status != Status::Failed => {
                output.line("this very run is finished already; it gave")
            }
            _ => output.line(summary::EPOCH_HEAD),
        }
    }
    let progress = Progress::new(arguments.run.style.quiet);
    let shared_output = Mutex::new(&mut *output);
    let see = |epoch: &EpochRecord, progress: &Progress| {
        if is_talkative && let Ok(mut output) = shared_output.lock() {
            progress.suspend(|| output.line(summary::epoch_line(epoch)));
        }
    };
    let manner = Manner {
        shares,
        order: Order::LongestFirst,
        pace: arguments.run.checkpoints.pace(),
        deadline: None,
        stop: &stop,
        progress: &progress,
        see: &see,
        diagnose: &|_| arguments.diagnose,
    };
    let campaign = campaign::run(&plan.laboratory, &plan.trials, &store, records, None, &manner)?;
    match campaign.records.into_values().next() {
        Some(record) => finish(arguments, &plan, &store, &record, output),
        None => Err(Failure::new(
            Code::Interrupted,
            "stopped before the end, with a checkpoint; run the same command again to go on from it",
        )),
    }
}

fn introduce(plan: &Plan, shares: Shares, output: &mut Output) {
    let settings = &plan.trials[0].settings;
    let train = &settings.train;
    let (train_images, test_images) = plan.laboratory.images(settings);
    let n_inputs = train_images.height() * train_images.width();
    let n_outputs = train.encoding.codebook(&train_images.classes).n_bits();
    let sizes: Vec<String> = train.sizes(n_inputs, n_outputs).iter().map(usize::to_string).collect();
    let value = |key: &str| crate::trial::shown(&train.get(key));
    output.line(format_args!("data     {}", plan.laboratory.data.summary(train_images.len(), test_images.len())));
    output.line(format_args!(
        "net      {} ({}, output {}, {}), {} parameters in {}",
        sizes.join("-"),
        value("activation"),
        value("output_activation"),
        value("encoding"),
        grouped(train.n_parameters(n_inputs, n_outputs).unwrap_or(0) as usize),
        value("precision"),
    ));
    output.line(format_args!(
        "learns   {} by {} at {}, batches of {}, {}, seed {}",
        value("loss"),
        value("optimizer"),
        value("learning_rate"),
        value("batch_size"),
        counted(train.epochs, "epoch"),
        value("seed"),
    ));
    output.line(format_args!(
        "on       {}, kernel {}",
        counted(shares.n_threads, "thread"),
        plan.laboratory.kernel.name()
    ));
    output.line(format_args!("into     {}\n", places::shown(&plan.folder)));
}

/// What was found in the trial, in words.
fn diagnosis(store: &ResultsStore, trial: &str) -> String {
    let path = store.diagnosis_path(trial);
    if !path.exists() {
        return "none: a net is examined while it trains, and this one is finished; train it again with another --out"
            .to_owned();
    }
    Diagnosis::read(&path).map_or_else(|error| error.to_string(), |diagnosis| diagnosis.sentence())
}

fn finish(
    arguments: &Train,
    plan: &Plan,
    store: &ResultsStore,
    record: &RunRecord,
    output: &mut Output,
) -> Result<(), Failure> {
    if arguments.run.style.json {
        let json = record.to_json().map_err(|error| Failure::new(Code::InputOutput, error.to_string()))?;
        output.text(&json);
    }
    let report = reporting::write(&plan.folder, Some(&plan.laboratory.data))?;
    let model = Some(store.model_path(&record.trial)).filter(|_| record.status == Status::Finished);
    if arguments.run.style.is_talkative() {
        output.line("");
        summary::explain(record, output);
        if arguments.diagnose {
            output.line(format_args!("diagnosis        {}", diagnosis(store, &record.trial)));
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
                store.record_path(&record.trial).display(),
            ),
        )),
        Status::Finished | Status::Diverged => Ok(()),
    }
}
