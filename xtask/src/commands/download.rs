//! `download`: data sets of the manifest into `datasets/NAME/`, verified.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;

use crate::failure::{Code, Failure};
use crate::fetch::{Condition, Patience, Source, condition, fetch};
use crate::lock::FolderLock;
use crate::manifest::{self, DataFile, DataSet, Manifest};
use crate::output::{Output, grouped};
use crate::places;
use crate::progress::Progress;
use crate::store::write_atomically;

const EXAMPLES: &str = "\
Examples:
  cargo xtask download                               every data set of datasets/manifest.toml
  cargo xtask download --list                        what is known, and what is here
  cargo xtask download mnist --from /media/stick     from a folder instead of the network
  cargo xtask download mnist --from https://mirror.example/mnist/
  cargo xtask download --verify                      length and SHA-256 of what is here";

/// Fetch data sets into datasets/NAME/, verified by length and SHA-256
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Download {
    /// Data sets to fetch; all of the manifest if none is named
    names: Vec<String>,
    /// Take the files from this folder, or from this address of a folder on a server, instead of the mirrors
    #[arg(long, value_name = "FOLDER|URL")]
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
    /// Give up a file after so many seconds, all mirrors and attempts together
    #[arg(long, value_name = "SECONDS", default_value_t = 900.0, value_parser = positive_seconds)]
    deadline: f64,
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
    let manifest = manifest::read(&datasets)?;
    let names = chosen(arguments, &manifest)?;
    if arguments.list {
        return list(&names, &manifest, &datasets, output);
    }
    for name in names {
        let set = &manifest[name];
        let folder = datasets.join(name);
        if arguments.verify {
            verify(set, &folder, output)?;
        } else {
            download(arguments, set, &folder, output)?;
        }
    }
    Ok(())
}

fn chosen<'a>(arguments: &'a Download, manifest: &'a Manifest) -> Result<Vec<&'a str>, Failure> {
    if arguments.names.is_empty() {
        return Ok(manifest.keys().map(String::as_str).collect());
    }
    for name in &arguments.names {
        manifest::find(manifest, name)?;
    }
    Ok(arguments.names.iter().map(String::as_str).collect())
}

fn list(names: &[&str], manifest: &Manifest, datasets: &Path, output: &mut Output) -> Result<(), Failure> {
    for name in names {
        let set = &manifest[*name];
        let n_bytes: u64 = set.files.iter().map(|file| file.bytes).sum();
        let state = if manifest::is_present(set, &datasets.join(name)) { "downloaded" } else { "not downloaded" };
        output.line(format_args!("{name:<16}{state:<16}{:.1} MB", n_bytes as f64 / 1e6));
        output.line(format_args!("{:<16}{}", "", set.title));
        output.line(format_args!("{:<16}classes {}", "", set.classes));
    }
    Ok(())
}

fn verify(set: &DataSet, folder: &Path, output: &mut Output) -> Result<(), Failure> {
    let mut wrong = Vec::new();
    for file in &set.files {
        let path = folder.join(&file.name);
        match condition(file, &path)? {
            Condition::Verified => report_file(file, "verified", output),
            Condition::Missing => wrong.push(format!("{} is missing", path.display())),
            Condition::Damaged(how) => wrong.push(format!("{} {how}", path.display())),
        }
    }
    if wrong.is_empty() {
        return Ok(());
    }
    Err(Failure::new(Code::Network, format!("{}\nrun `cargo xtask download` to fetch what is wrong", wrong.join("\n"))))
}

fn download(arguments: &Download, set: &DataSet, folder: &Path, output: &mut Output) -> Result<(), Failure> {
    let sources = sources(arguments.from.as_deref(), set)?;
    fs::create_dir_all(folder).map_err(|error| Failure::io("create the folder", folder, &error))?;
    let _lock = FolderLock::acquire(folder, "download")?;
    let progress = Progress::new(arguments.quiet);
    let patience = Patience {
        stall: Duration::from_secs_f64(arguments.stall),
        deadline: Duration::from_secs_f64(arguments.deadline),
        attempts: arguments.attempts,
        pause: Duration::from_millis(500),
    };
    for file in &set.files {
        let path = folder.join(&file.name);
        let before = condition(file, &path)?;
        let said = match before {
            Condition::Verified => "already here, verified",
            Condition::Missing => "downloaded, verified",
            Condition::Damaged(_) => "was damaged, replaced, verified",
        };
        if before != Condition::Verified {
            let bar = progress.bytes(&file.name, file.bytes);
            fetch(file, folder, &sources, patience, &|n_received| bar.set_position(n_received))?;
            bar.finish_and_clear();
        }
        report_file(file, said, output);
    }
    write_classes(set, folder)?;
    output.line(format_args!("in {}", places::shown(folder)));
    Ok(())
}

/// IDX files do not say what their labels stand for; where these are not the digits, a file beside them does.
fn write_classes(set: &DataSet, folder: &Path) -> Result<(), Failure> {
    if set.classes.chars().eq(mnist_io::digit_classes()) {
        return Ok(());
    }
    let lines: String = set.classes.chars().flat_map(|class| [class, '\n']).collect();
    write_atomically(&folder.join("classes.txt"), &lines)
}

fn report_file(file: &DataFile, said: &str, output: &mut Output) {
    output.line(format_args!("{:<28}{:>12} bytes  {said}", file.name, grouped(file.bytes as usize)));
}

/// The places to ask: what `--from` says, or the mirrors.
fn sources(from: Option<&Path>, set: &DataSet) -> Result<Vec<Source>, Failure> {
    let Some(from) = from else {
        return set.mirrors.iter().map(|mirror| server(mirror)).collect();
    };
    match from.to_str() {
        Some(text) if text.contains("://") => Ok(vec![server(text)?]),
        _ if from.is_dir() => Ok(vec![Source::Folder(from.to_path_buf())]),
        _ => Err(Failure::configuration(format!(
            "--from {}: no such folder; expected a folder with the files, or an address that begins with https:// or http://",
            from.display()
        ))),
    }
}

fn server(address: &str) -> Result<Source, Failure> {
    if !(address.starts_with("https://") || address.starts_with("http://")) {
        return Err(Failure::configuration(format!(
            "{address}: expected an address that begins with https:// or http://"
        )));
    }
    let slash = if address.ends_with('/') { "" } else { "/" };
    Ok(Source::Server(format!("{address}{slash}")))
}

fn positive_seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if (0.001..=1e6).contains(&seconds) => Ok(seconds),
        _ => Err("expected a number of seconds from 0.001 to 1000000".to_owned()),
    }
}
