//! `train`: one run, watched.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;

use clap::Args;
use mlp_core::Kernel;
use mlp_results::text::{counted, thousands};
use mlp_results::{RankBy, RunRecord, Status, levels};
use mlp_sweep::{Advice, Document, InitialModel, Sweep, shown};
use mlp_train::{Diagnosis, EpochRecord, Optimizer, SavedModel, TrainConfig};
use serde_json::{Map, Value};

use crate::data;
use crate::failure::{Code, Failure};
use crate::interrupt;
use crate::models::{self, FoundModel};
use crate::options::RunArguments;
use crate::output::{Output, notice};
use crate::planning;
use crate::progress::{Progress, SweepProgress};
use crate::reporting;
use crate::summary::{self, EpochTable};
use crate::table::wrapped;

const EXAMPLES: &str = "\
Examples:
  cargo xtask train
      the defaults: a net that learns well in about a minute
  cargo xtask train --set hidden=[64] --set epochs=5
  cargo xtask train --set 'optimizer={ name = \"momentum\", momentum = 0.9 }'
  cargo xtask train --set augment=gentle
      on images that are deformed, otherwise each time
  cargo xtask train wide.toml --set precision=bf16
      products of rounded numbers: wide nets in large batches, nearly twice
      as fast
  cargo xtask train my.toml --set learning_rate=0.3 --out runs/mine
  cargo xtask train --set initializer=uniform-0-1 --diagnose
      why does it not learn?
  cargo xtask train --from runs/mine --set epochs=50
      the best net of that run or sweep, for longer
  cargo xtask train runs/mine/trials/<TRIAL>.json --set seed=1
      the configuration of that trial, from the start
  cargo xtask train --init MODEL --set learning_rate=0.001
      the weights of a model with the default layers, settings of your own
  cargo xtask train --engine reference --set train_size=2000
      by the back-propagation that you can read and change

With --from the schedule of the learning rate begins anew: from a net that is good, a smaller one goes on better.
Running it again with the same configuration goes on where it was stopped, or shows the result that is already there.
`train --help` lists all keys with their defaults.

precision=bf16 is 1.5 to 1.9 times as fast for wide nets, with layers of 500 units and more and batches of 128 and more, on processors \
with AVX-512 BF16 (lscpu: avx512_bf16). Elsewhere it gives the same bits, but f32 is faster.";

/// Train one network, with progress, a curve, a report and the model
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Train {
    /// Configuration file: TOML, or the record of a trial (JSON); without it, the defaults
    config: Option<PathBuf>,
    /// Train this model for longer: its weights, its configuration and its data; a model file, or the folder of a run, of which
    /// the best is taken
    #[arg(long, value_name = "MODEL|FOLDER", conflicts_with_all = ["config", "init"])]
    from: Option<PathBuf>,
    /// Start from the weights of this model instead of random ones; the configuration is yours; a model file, or the folder of a
    /// run, of which the best is taken
    #[arg(long, value_name = "MODEL|FOLDER")]
    init: Option<PathBuf>,
    #[command(flatten)]
    run: RunArguments,
}

/// Why validation samples are no judges of a net that goes on from another.
pub(crate) const VALIDATION_SEEN: &str =
    "the validation samples may be among those that the net learned from before it was taken up again";

/// Runs the command.
pub(crate) fn run(arguments: &Train, output: &mut Output) -> Result<(), Failure> {
    let found = arguments.from.as_ref().or(arguments.init.as_ref()).map(|path| models::load(path)).transpose()?;
    let document = match (&arguments.config, &found) {
        (Some(path), _) => Document::read(path)?,
        (None, Some(found)) if arguments.from.is_some() => Document::of_settings(settings_of(&found.saved)),
        (None, _) => Document::default(),
    };
    // From here on, so that a signal while the data are read ends the run as one later does.
    let stop = interrupt::stop_flag()?;
    let initial_path = found.as_ref().map(|found| found.path.as_path());
    let initial = initial_path.map(InitialModel::read).transpose()?;
    let builder = planning::plan(document, &arguments.run)?;
    let sweep = match initial {
        Some(initial) => builder.initial(initial).build().map_err(|error| unfit(error, arguments))?,
        None => builder.build()?,
    };
    if sweep.trials().len() > 1 {
        return Err(Failure::configuration(format!(
            "the configuration has [sweep] lists, which make {}; `cargo xtask sweep` runs them all, `train` runs one",
            counted(sweep.trials().len(), "trial")
        )));
    }
    if let Some(path) = initial_path.filter(|_| arguments.run.style.is_talkative()) {
        output.line(format_args!(
            "from     {}{}",
            summary::quoted(path),
            found.as_ref().map(history).unwrap_or_default()
        ));
    }
    if sweep.experiment().validation_was_seen(&sweep.trials()[0].settings) {
        notice(format_args!("warning: {VALIDATION_SEEN}: the validation figures flatter it"));
    }
    let record = train(arguments, &sweep, &stop, output)?;
    finish(arguments, &sweep, &record, output)
}

/// What to do about a network that is not the configured one: with `--from`, some `--set` has made it another.
fn unfit(error: mlp_sweep::Error, arguments: &Train) -> Failure {
    match error.advice() {
        Some(Advice::InitialModel) if arguments.from.is_some() => {
            let advice = "--from goes on with the network as it is: leave out the --set that makes it another one, or train \
                          another one without --from";
            Failure::configuration(error.text_with(|_| Some(advice.to_owned())))
        }
        _ => error.into(),
    }
}

/// What is known of a model that is trained for longer, behind its name.
fn history(found: &FoundModel) -> String {
    let trained = found.record().map(|record| format!("trained for {}", counted(record.best_epoch, "epoch")));
    let known = [found.reason(), trained].into_iter().flatten();
    known.map(|text| format!(", {text}")).collect()
}

/// The keys that a model was trained with: those of training, and of the program those that were saved with it.
fn settings_of(model: &SavedModel) -> Map<String, Value> {
    let mut settings = model.config.to_map();
    let program = ["data", "train_size", "test_size"];
    settings.extend(program.iter().filter_map(|key| Some(((*key).to_owned(), model.other.get(*key)?.clone()))));
    settings
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
        output.line(match (open.n_over() > 0, sweep.experiment().kernel()) {
            (false, _) => &head,
            (true, Kernel::Reference) => {
                "this very run is finished already; changed code is run with another --out, or without; it gave"
            }
            (true, _) => "this very run is finished already; it gave",
        });
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
    let data = data::summary(experiment.data(), experiment.n_samples(settings), settings.train.validation);
    output.line(wrapped("data", &data, 9));
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
    output.line(format_args!("into     {}\n", summary::quoted(sweep.folder().path())));
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
fn diagnosis(path: &Path, config: &TrainConfig, record: &RunRecord) -> String {
    if !path.exists() {
        return "none: a net is examined while it trains, and this one is finished; train it again with another --out"
            .to_owned();
    }
    Diagnosis::read(path).map_or_else(
        |error| error.to_string(),
        |diagnosis| {
            let background = levels::background(record, Some(config));
            let of_divergence = diagnosis.explain_divergence(&background);
            let of_divergence = of_divergence.filter(|_| record.status == Status::Diverged);
            of_divergence.unwrap_or_else(|| diagnosis.explain(&background))
        },
    )
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
            let config = &sweep.trials()[0].settings.train;
            let found = diagnosis(&folder.diagnosis(&record.trial), config, record);
            output.line(wrapped("diagnosis", &found, 17));
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
