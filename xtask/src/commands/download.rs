//! `download`: data sets of the manifest into `datasets/NAME/`, verified. The work is `mnist_fetch`'s.

mod inventory;

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use indicatif::ProgressBar;
use mnist_fetch::{DataSet, Error, ErrorKind, FetchEvent, Fetcher, FileStatus, Manifest, Network, RetryPolicy, Source};

use crate::data;
use crate::failure::{Code, Failure};
use crate::lock::no_locks;
use crate::output::{Output, notice};
use crate::places;
use crate::progress::Progress;

const EXAMPLES: &str = "\
Examples:
  cargo xtask download
      MNIST
  cargo xtask download --list
      all sets of datasets/manifest.toml, and what is here
  cargo xtask download kmnist emnist-letters
  cargo xtask download mnist --from /media/stick
      from a folder instead of the network
  cargo xtask download emnist-letters --from gzip.zip
  cargo xtask download mnist --from https://mirror.example/mnist/
  cargo xtask download --verify
      length and hash of what is here

A download that was interrupted goes on where it ended. Proxies are taken from https_proxy, http_proxy,
all_proxy and no_proxy, certificates of your own from SSL_CERT_FILE.";

/// Fetch data sets into datasets/NAME/, verified by length and SHA-256
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Download {
    /// Data sets to fetch; MNIST if none is named
    names: Vec<String>,
    /// All data sets of the manifest
    #[arg(long, conflicts_with_all = ["names", "from"])]
    all: bool,
    /// Take the files from this folder, this file, or this address of a folder on a server, instead of the mirrors
    #[arg(long, value_name = "FOLDER|FILE|URL")]
    from: Option<PathBuf>,
    /// List the data sets and their state, fetch nothing
    #[arg(long, conflicts_with_all = ["from", "verify"])]
    list: bool,
    /// Check the files that are here, fetch nothing
    #[arg(long, conflicts_with = "from")]
    verify: bool,
    /// Give up an attempt after so many seconds without a byte
    #[arg(long, value_name = "SECONDS", default_value_t = 30.0, value_parser = positive_seconds)]
    stall: f64,
    /// Give up a file after so many seconds, all mirrors and attempts together [default: 300, and one for each 50 kB]
    #[arg(long, value_name = "SECONDS", value_parser = positive_seconds)]
    deadline: Option<f64>,
    /// How often each mirror is asked for a file, with growing pauses
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=100))]
    attempts: u32,
    /// No progress bar
    #[arg(long, short)]
    quiet: bool,
}

/// Runs the command.
pub(crate) fn run(arguments: &Download, output: &mut Output) -> Result<(), Failure> {
    let datasets = places::datasets();
    let manifest = Manifest::read(&datasets)?;
    let is_unnamed = arguments.names.is_empty();
    let mut sets: Vec<&DataSet> = if is_unnamed {
        manifest.data_sets().collect()
    } else {
        arguments.names.iter().map(|name| manifest.find(name)).collect::<Result<_, _>>()?
    };
    if arguments.list {
        sets.into_iter().for_each(|set| inventory::list(set, &datasets, output));
        return Ok(());
    }
    if arguments.verify {
        if is_unnamed && !arguments.all {
            // A download that brought nothing leaves a folder, but no set.
            sets.retain(|set| set.is_started(&datasets.join(&set.name)));
        }
        return inventory::verify(&sets, &datasets, output);
    }
    if is_unnamed && !arguments.all {
        sets = vec![manifest.find(data::DEFAULT)?];
    }
    let mut fetcher =
        Fetcher::new(manifest.clone(), datasets).network(Network::from_environment()?).retry(RetryPolicy {
            stall_timeout: Duration::from_secs_f64(arguments.stall),
            deadline: arguments.deadline.map(Duration::from_secs_f64),
            n_attempts: arguments.attempts,
            ..RetryPolicy::default()
        });
    if let Some(from) = &arguments.from {
        let source = Source::find(from).map_err(|error| Failure::configuration(format!("--from {error}")))?;
        fetcher = fetcher.source(source);
    }
    let progress = Progress::new(arguments.quiet);
    sets.into_iter().try_for_each(|set| fetch(&fetcher, &set.name, &progress, output))
}

fn fetch(fetcher: &Fetcher, name: &str, progress: &Progress, output: &mut Output) -> Result<(), Failure> {
    let mut bar: Option<ProgressBar> = None;
    let fetched = fetcher.fetch_with(name, |event| match event {
        FetchEvent::Started { file, n_total } => bar = Some(progress.bytes(file, n_total)),
        FetchEvent::Trying { .. } => bar.iter().for_each(|bar| bar.set_position(0)),
        FetchEvent::Received { n_received, .. } => bar.iter().for_each(|bar| bar.set_position(n_received)),
        FetchEvent::Arrived { .. } => bar.iter().for_each(ProgressBar::finish_and_clear),
        FetchEvent::Ready(file) => {
            let said = match file.before {
                FileStatus::Verified => "already here, verified",
                FileStatus::Missing => "downloaded, verified",
                FileStatus::Damaged(_) => "was damaged, replaced, verified",
            };
            inventory::report_file(&file.path, file.n_bytes, said, file.verified_by, output);
        }
        FetchEvent::StillMissing { path } => notice(format_args!("note: {} is still missing", path.display())),
        FetchEvent::ArchiveKept { path } => notice(format_args!(
            "note: {} serves the other sets of this archive too; delete it when you have all that you want",
            places::shown(path)
        )),
        FetchEvent::NoLocks { folder } => no_locks(folder),
        _ => {}
    });
    output.line(format_args!("in {}", places::shown(&fetched.map_err(in_words_of_options)?.folder)));
    Ok(())
}

/// An error of a fetch, in the words of the option `--from`.
fn in_words_of_options(error: Error) -> Failure {
    if error.kind() != ErrorKind::Source {
        return error.into();
    }
    let message = match error.path() {
        Some(_) => format!("--from {error}"),
        None => format!("{error} with --from FOLDER, FILE or ADDRESS"),
    };
    Failure::new(Code::Network, message)
}

fn positive_seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if (0.001..=1e6).contains(&seconds) => Ok(seconds),
        _ => Err("expected a number of seconds from 0.001 to 1000000".to_owned()),
    }
}
