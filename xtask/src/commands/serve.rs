//! `serve`: the live page, for the browser on this machine.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use clap::Args;
use mlp_live::{DataSource, Draw, Folders, Playground, PlaygroundOptions, Watch};
use mlp_serve::{Server, Site, Token};
use mnist_fetch::Manifest;

use crate::data::{self, DEFAULT, SYNTHETIC};
use crate::failure::{Code, Failure};
use crate::interrupt;
use crate::options::MachineOptions;
use crate::output::{Output, notice};
use crate::places;
use crate::summary::quoted;
use crate::table::wrapped;

const EXAMPLES: &str = "\
Examples:
  cargo xtask serve
      the runs in runs/; open the address that it prints
  cargo xtask serve --open
      and open it
  cargo xtask serve runs/layers-mnist results/
      these folders, and those of results in them
  cargo xtask serve --port 9000 --token-file .token
      the same address each time it is started
  cargo xtask serve --data fashion-mnist --threads 2 --memory 1G

Draw: a digit, or a picture; every step from the picture to the bits of the answer.
Playground: a net in training; why it learns, or why it does not.
Watch: sweeps as they run, in whatever process, on whatever machine writes the folder.

It can be reached from this machine alone, and only with the token in the address. From another machine, through SSH:
  ssh -L 8410:127.0.0.1:8410 THIS-MACHINE
      and open the same address there
Ctrl-C ends it. docs/page.md has the page in pictures.";

/// Serve a live page on this machine: draw digits, watch a net learn, follow sweeps
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Serve {
    /// Folders of results, or folders that hold such; nothing else is read [default: runs/]
    #[arg(value_name = "FOLDER")]
    folders: Vec<PathBuf>,
    /// The port on 127.0.0.1; 0 for any that is free
    #[arg(long, value_name = "N", default_value_t = 8410)]
    port: u16,
    /// Open the page in the browser
    #[arg(long)]
    open: bool,
    /// Keep the token of the address in this file, so that the address stays the same; it is made where there is none
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// The data that the playground takes first, and that a net is trained on where there is none; also a folder [default: MNIST
    /// where it has been downloaded, else synthetic digits]
    #[arg(long, value_name = "NAME|FOLDER")]
    data: Option<String>,
    /// Memory for the nets in training, such as 500M or 2G [default: what is free]
    #[arg(long, value_name = "SIZE", value_parser = size)]
    memory: Option<u64>,
    #[command(flatten)]
    machine: MachineOptions,
}

/// Runs the command, until a signal ends it.
pub(crate) fn run(arguments: &Serve, output: &mut Output) -> Result<(), Failure> {
    let stop = interrupt::stop_flag()?;
    let kernel = arguments.machine.fast_kernel()?;
    let n_threads = arguments.machine.n_threads();
    let folders = folders(&arguments.folders)?;
    let sources = sources(arguments.data.as_deref())?;
    let token = token(arguments.token_file.as_deref())?;

    let watch = Arc::new(Watch::new(folders));
    let draw = Draw::new(Arc::clone(&watch), sources.clone(), n_threads, data::is_as_it_is);
    let options = PlaygroundOptions { n_threads, memory: arguments.memory, runs: Some(places::runs()), kernel };
    let site = Site::new(draw, Playground::new(sources, options).watched_by(Arc::clone(&watch)), watch);
    let server = Server::bind(arguments.port, token, site).map_err(|error| busy(arguments.port, &error))?;

    let url = server.url();
    output.line(format_args!("page     {url}"));
    let port = server.port();
    let reach = format!(
        "from this machine alone; from another, `ssh -L {port}:127.0.0.1:{port} THIS-MACHINE` and the same address there"
    );
    output.line(wrapped("reach", &reach, 9));
    output.line("end      Ctrl-C");
    if arguments.open {
        open(&url);
    }
    server.run(&stop).map_err(|error| Failure::new(Code::InputOutput, format!("cannot serve the page: {error}")))
}

/// Those that were named, or `runs/`, which is made where it is missing: runs are kept there.
fn folders(named: &[PathBuf]) -> Result<Folders, Failure> {
    let failed = |error: mlp_live::Error| Failure::configuration(error.to_string());
    if !named.is_empty() {
        return Folders::new(named).map_err(failed);
    }
    let runs = places::runs();
    fs::create_dir_all(&runs).map_err(|error| Failure::io("create the folder", &runs, &error))?;
    Folders::new([runs]).map_err(failed)
}

/// The data to train on: what is asked for, MNIST where it is, the built-in digits, then whatever else has been downloaded.
fn sources(first: Option<&str>) -> Result<Vec<Arc<DataSource>>, Failure> {
    let datasets = places::datasets();
    let manifest = Manifest::read(&datasets)?;
    let is_present = |name: &&str| manifest.get(name).is_some_and(|set| set.is_present(&datasets.join(name)));
    let mut names: Vec<String> = first.into_iter().map(str::to_owned).collect();
    names.extend(manifest.names().filter(is_present).filter(|name| *name == DEFAULT).map(str::to_owned));
    names.push(SYNTHETIC.to_owned());
    names.extend(manifest.names().filter(is_present).map(str::to_owned));
    let mut sources: Vec<Arc<DataSource>> = Vec::new();
    for name in names {
        if sources.iter().any(|source| source.name() == name) {
            continue;
        }
        let choice = name.clone();
        let load = move || data::load(Some(&choice)).map_err(|failure| failure.to_string());
        sources.push(Arc::new(DataSource::new(name, load)));
    }
    // A name that was given is tried at once: later there is nobody at the terminal to tell.
    if first.is_some() {
        sources[0].get().map_err(|error| Failure::data(error.to_string()))?;
    }
    Ok(sources)
}

fn token(file: Option<&Path>) -> Result<Token, Failure> {
    match file {
        None => {
            Token::random().map_err(|error| Failure::new(Code::InputOutput, format!("cannot make a token: {error}")))
        }
        Some(path) => Token::in_file(path).map_err(|error| match error.kind() {
            io::ErrorKind::InvalidData => Failure::configuration(format!("{}: {error}", path.display())),
            _ => Failure::io("keep the token in", path, &error),
        }),
    }
}

fn busy(port: u16, error: &io::Error) -> Failure {
    if error.kind() == io::ErrorKind::AddrInUse {
        let text = format!("--port {port}: another program serves there; take another port, or --port 0 for any");
        return Failure::new(Code::Busy, text);
    }
    Failure::new(Code::InputOutput, format!("cannot serve at port {port}: {error}; take another with --port"))
}

/// Opens the address with the program that this system has for it.
fn open(url: &str) {
    let (program, arguments): (&str, &[&str]) = if cfg!(target_os = "macos") {
        ("open", &[])
    } else if cfg!(windows) {
        ("cmd", &["/C", "start", ""])
    } else {
        ("xdg-open", &[])
    };
    let mut command = Command::new(program);
    command.args(arguments).arg(url).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    if let Err(error) = command.spawn() {
        notice(format_args!(
            "note: {} cannot be started ({error}); open the address yourself",
            quoted(Path::new(program))
        ));
    }
}

/// A size as people write it: `500M`, `2G`; a bare number is bytes.
fn size(text: &str) -> Result<u64, String> {
    let wrong = || "expected a size such as 500M or 2G".to_owned();
    let (number, factor) = match text.char_indices().last() {
        Some((end, 'k' | 'K')) => (&text[..end], 10),
        Some((end, 'M')) => (&text[..end], 20),
        Some((end, 'G')) => (&text[..end], 30),
        _ => (text, 0),
    };
    let number: u64 = number.parse().map_err(|_| wrong())?;
    number.checked_mul(1 << factor).filter(|size| *size > 0).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_people_write_them() {
        assert_eq!(size("500M"), Ok(500 << 20));
        assert_eq!(size("2G"), Ok(2 << 30));
        assert_eq!(size("64k"), Ok(64 << 10));
        assert_eq!(size("1000"), Ok(1000));
        for text in ["", "G", "0", "-1", "1T", "99999999999G"] {
            assert!(size(text).is_err(), "{text}");
        }
    }
}
