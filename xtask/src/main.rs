//! The commands of the laboratory: `cargo xtask …`.
//!
//! Results go to standard output, progress and errors to standard error. Exit codes: 0 done, 2 usage or configuration,
//! 3 bad data, 4 network or checksum, 5 input/output, 6 folder in use, 7 a trial or a check failed, 75 interrupted.
//!
//! Everything that computes is in the libraries; here are commands, options and the terminal. Reading order: a command in
//! `commands/`, what it is given (`options`, `data`, `models`, `planning`), and how results are told (`progress`, `summary`).

#![deny(clippy::print_stdout, clippy::print_stderr)]

mod commands;

// What a command is given.
mod data;
mod models;
mod options;
mod places;
mod planning;
mod presets;

// What it tells.
mod luck;
mod output;
mod progress;
mod reporting;
mod summary;
mod sweep_table;
mod table;

// How it ends.
mod failure;
mod interrupt;
mod lock;
mod usage;

mod bench;
mod pictures;

use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::failure::Failure;
use crate::output::{Output, notice};

const AFTER_HELP: &str = "\
Begin with:
  cargo xtask train
      a net on MNIST, or on built-in digits without any download
  cargo xtask sweep
      one to seven hidden layers, compared
  cargo xtask predict MODEL photo.png
      your own handwriting

Exit codes: 0 done, 2 usage or configuration, 3 bad data, 4 network or checksum, 5 input/output,
6 folder in use, 7 a trial or a check failed, 75 interrupted (run again to go on)";

/// Columns of the help: those of a terminal where nobody has made it wider, or fewer where it is narrower.
const WIDTH: usize = 80;

/// The laboratory for multilayer perceptrons
#[derive(Parser, Debug)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", version, after_help = AFTER_HELP, max_term_width = WIDTH)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    Download(commands::download::Download),
    Data(commands::data::Data),
    Train(commands::train::Train),
    Sweep(commands::sweep::Sweep),
    Report(commands::report::Report),
    Evaluate(commands::evaluate::Evaluate),
    Predict(commands::predict::Predict),
    Serve(commands::serve::Serve),
    Export(commands::export::Export),
    Import(commands::import::Import),
    Reproduce(commands::reproduce::Reproduce),
    Climb(commands::climb::Climb),
    Bench(commands::bench::Bench),
    Check(commands::check::Check),
}

fn main() -> ExitCode {
    keep_panics_of_trials();
    let mut output = Output::default();
    let result = match parse(&mut output) {
        Ok(Some(command)) => run(&command, &mut output),
        Ok(None) => Ok(()),
        Err(code) => return code,
    };
    // A failed command is the greater news than output that did not arrive.
    match result.and(output.finish()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            notice(format_args!("error: {failure}"));
            ExitCode::from(failure.code.number())
        }
    }
}

/// A trial that panics is told in its record; all other panics are shown as usual.
fn keep_panics_of_trials() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if !mlp_sweep::record_panic(panic) {
            usual(panic);
        }
    }));
}

/// The command to run, or none if help was asked for and given; an exit code for wrong usage.
fn parse(output: &mut Output) -> Result<Option<Command>, ExitCode> {
    let keys = mlp_sweep::describe_keys();
    let mut command = CommandLine::command();
    for name in ["train", "sweep"] {
        command = command.mut_subcommand(name, |subcommand| {
            let examples = subcommand.get_after_help().map(ToString::to_string).unwrap_or_default();
            subcommand.after_long_help(format!("{examples}\n\n{keys}"))
        });
    }
    let names: Vec<String> = command.get_subcommands().map(|command| command.get_name().to_owned()).collect();
    let parsed = command.try_get_matches().and_then(|matches| CommandLine::from_arg_matches(&matches));
    match parsed {
        Ok(line) => Ok(Some(line.command)),
        Err(mut error) if error.use_stderr() => {
            let arguments: Vec<String> =
                std::env::args_os().skip(1).map(|text| text.to_string_lossy().into()).collect();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let tip = usage::improve(&mut error, &arguments, &names);
            let _ = error.print();
            if let Some(tip) = tip {
                notice(tip);
            }
            Err(ExitCode::from(2))
        }
        Err(help) => {
            // Through our own output, which notices when nothing arrives.
            output.text(&help.render().to_string());
            Ok(None)
        }
    }
}

fn run(command: &Command, output: &mut Output) -> Result<(), Failure> {
    match command {
        Command::Download(arguments) => commands::download::run(arguments, output),
        Command::Data(arguments) => commands::data::run(arguments, output),
        Command::Train(arguments) => commands::train::run(arguments, output),
        Command::Sweep(arguments) => commands::sweep::run(arguments, output),
        Command::Report(arguments) => commands::report::run(arguments, output),
        Command::Evaluate(arguments) => commands::evaluate::run(arguments, output),
        Command::Predict(arguments) => commands::predict::run(arguments, output),
        Command::Serve(arguments) => commands::serve::run(arguments, output),
        Command::Export(arguments) => commands::export::run(arguments, output),
        Command::Import(arguments) => commands::import::run(arguments, output),
        Command::Reproduce(arguments) => commands::reproduce::run(arguments, output),
        Command::Climb(arguments) => commands::climb::run(arguments, output),
        Command::Bench(arguments) => commands::bench::run(arguments, output),
        Command::Check(arguments) => commands::check::run(arguments, output),
    }
}
