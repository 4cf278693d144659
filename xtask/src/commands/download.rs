//! `download`: data sets of the manifest into `datasets/NAME/`, verified.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;

use crate::data;
use crate::digest::{self, Condition, Hash};
use crate::failure::{Code, Failure};
use crate::fetch::{Patience, Source, fetch};
use crate::http::Network;
use crate::lock::FolderLock;
use crate::manifest::{self, ARCHIVES, Archive, Conversion, DataFile, DataSet, Manifest, Origin, Published};
use crate::output::{Output, grouped, notice};
use crate::places;
use crate::progress::Progress;
use crate::store::write_atomically;
use crate::unpack::{self, Sums};

const EXAMPLES: &str = "\
Examples:
  cargo xtask download                               MNIST
  cargo xtask download --list                        all sets of datasets/manifest.toml, and what is here
  cargo xtask download kmnist emnist-letters
  cargo xtask download mnist --from /media/stick     from a folder instead of the network
  cargo xtask download emnist-letters --from gzip.zip
  cargo xtask download mnist --from https://mirror.example/mnist/
  cargo xtask download --verify                      length and hash of what is here

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
    let manifest = manifest::read(&datasets)?;
    for name in &arguments.names {
        manifest::find(&manifest, name)?;
    }
    let named = || arguments.names.iter().map(String::as_str).collect::<Vec<_>>();
    let all = || manifest.sets.keys().map(String::as_str).collect::<Vec<_>>();
    let is_unnamed = arguments.names.is_empty();
    if arguments.list {
        list(&if is_unnamed { all() } else { named() }, &manifest, &datasets, output);
        return Ok(());
    }
    if arguments.verify {
        let mut names = if is_unnamed { all() } else { named() };
        if is_unnamed && !arguments.all {
            // A download that brought nothing leaves a folder, but no set.
            names.retain(|name| manifest.sets[*name].is_begun(&datasets.join(name)));
        }
        return verify_all(&names, &manifest, &datasets, output);
    }
    let names = match (arguments.all, is_unnamed) {
        (true, _) => all(),
        (false, true) => {
            manifest::find(&manifest, data::DEFAULT)?;
            vec![data::DEFAULT]
        }
        (false, false) => named(),
    };
    let courier = Courier {
        network: Network::from_environment()?,
        from: arguments.from.as_deref().map(source).transpose()?,
        patience: Patience {
            stall: Duration::from_secs_f64(arguments.stall),
            deadline: arguments.deadline.map(Duration::from_secs_f64),
            attempts: arguments.attempts,
            pause: Duration::from_millis(500),
        },
        progress: Progress::new(arguments.quiet),
        datasets,
    };
    names.into_iter().try_for_each(|name| courier.download(&manifest.sets[name], name, output))
}

fn list(names: &[&str], manifest: &Manifest, datasets: &Path, output: &mut Output) {
    for name in names {
        let set = &manifest.sets[*name];
        let state = if set.is_present(&datasets.join(name)) { "downloaded" } else { "not downloaded" };
        let size = format!("{:.1} MB", set.n_bytes() as f64 / 1e6);
        let shared =
            set.archive.as_ref().map_or(String::new(), |archive| format!(", shared by all of {}", archive.name));
        output.line(format_args!("{name:<16}{state:<16}{size}{shared}"));
        let mut say = |line: String| output.line(format_args!("{:<16}{line}", ""));
        say(set.title.clone());
        if let Some((train, test)) = set.counts {
            say(format!("{} training and {} test images", grouped(train), grouped(test)));
        }
        say(format!("classes {}", set.classes.iter().collect::<String>()));
        if !set.class_names.is_empty() {
            say(format!("that is {}", set.class_names.join(", ")));
        }
        for (key, text) in [("licence", &set.licence), ("cite", &set.citation)] {
            if !text.is_empty() {
                say(format!("{key}: {text}"));
            }
        }
        if let Some(published) = &set.unproved {
            say(format!("length and hash as published by {published}; not yet computed by this project"));
        }
    }
}

/// Checks every file of the sets, and fails with all that is wrong.
fn verify_all(names: &[&str], manifest: &Manifest, datasets: &Path, output: &mut Output) -> Result<(), Failure> {
    if names.is_empty() {
        output.line(format_args!("no data set is in {}", places::shown(datasets)));
    }
    let (mut wrong, mut wrong_names) = (Vec::new(), Vec::new());
    for name in names {
        let n_before = wrong.len();
        let (set, folder) = (&manifest.sets[*name], datasets.join(name));
        let sums = unpack::read_sums(&folder);
        for file in &set.files {
            let path = folder.join(&file.name);
            match condition(file, &folder, &sums)? {
                Condition::Verified => report_file(&path, &format!("verified{}", by_what(file)), output),
                Condition::Missing => wrong.push(format!("{} is missing", path.display())),
                Condition::Damaged(how) => wrong.push(format!("{} {how}", path.display())),
            }
        }
        if wrong.len() > n_before {
            wrong_names.push(*name);
        }
    }
    if wrong.is_empty() {
        return Ok(());
    }
    let names = wrong_names.join(" ");
    Err(Failure::new(
        Code::Network,
        format!("{}\nrun `cargo xtask download {names}` to fetch what is wrong", wrong.join("\n")),
    ))
}

/// What a file of a set is worth: as published, or as it was written down when it was converted.
fn condition(file: &DataFile, folder: &Path, sums: &Sums) -> Result<Condition, Failure> {
    match &file.origin {
        Origin::Published(published) => digest::condition(published, &folder.join(&file.name)),
        Origin::Converted(..) | Origin::Member(..) => unpack::condition(file, folder, sums),
    }
}

/// Who brings data sets.
struct Courier {
    datasets: PathBuf,
    network: Network,
    /// Where the user says that the files are.
    from: Option<Source>,
    patience: Patience,
    progress: Progress,
}

impl Courier {
    fn download(&self, set: &DataSet, name: &str, output: &mut Output) -> Result<(), Failure> {
        let folder = self.datasets.join(name);
        fs::create_dir_all(&folder).map_err(|error| Failure::io("create the folder", &folder, &error))?;
        let _lock = FolderLock::acquire(&folder, "download")?;
        remove_staged(&folder);
        // First of all, so that labels are never taken for those of other classes.
        write_classes(set, &folder)?;
        let mut sums = unpack::read_sums(&folder);
        let conditions: Vec<Condition> =
            set.files.iter().map(|file| condition(file, &folder, &sums)).collect::<Result<_, _>>()?;
        let is_complete = conditions.iter().all(|condition| *condition == Condition::Verified);
        let only = match &self.from {
            Some(Source::File(path)) if set.archive.is_none() && !is_complete => Some(file_of(set, path)?),
            _ => None,
        };
        let mut archive = match &set.archive {
            Some(archive) if !is_complete => Some(unpack::Archive::open(&self.archive(set, archive)?)?),
            _ => None,
        };
        for (index, (file, before)) in set.files.iter().zip(&conditions).enumerate() {
            let path = folder.join(&file.name);
            let said = match before {
                Condition::Verified => "already here, verified",
                Condition::Missing => "downloaded, verified",
                Condition::Damaged(_) => "was damaged, replaced, verified",
            };
            if *before != Condition::Verified {
                if only.is_some_and(|only| only != index) {
                    notice(format_args!("note: {} is still missing", path.display()));
                    continue;
                }
                if let Some(hash) = self.bring(set, file, archive.as_mut(), &path)? {
                    sums.insert(file.name.clone(), hash);
                    unpack::write_sums(&folder, &sums)?;
                }
            }
            report_file(&path, &format!("{said}{}", by_what(file)), output);
        }
        output.line(format_args!("in {}", places::shown(&folder)));
        Ok(())
    }

    /// Brings a file to `target`, and returns its hash if it is not the published one.
    fn bring(
        &self,
        set: &DataSet,
        file: &DataFile,
        archive: Option<&mut unpack::Archive>,
        target: &Path,
    ) -> Result<Option<Hash>, Failure> {
        match &file.origin {
            Origin::Published(published) => self.fetch(set, published, target).map(|()| None),
            Origin::Converted(published, conversion) => {
                self.fetch_and_convert(set, published, *conversion, target).map(Some)
            }
            Origin::Member(member, conversion) => {
                let archive = archive.expect("the reader of the manifest gives members to sets with an archive alone");
                archive.unpack(member, *conversion, target).map(Some)
            }
        }
    }

    /// Brings a file as it was published.
    fn fetch(&self, set: &DataSet, file: &Published, target: &Path) -> Result<(), Failure> {
        let mirrors = || set.mirrors.iter().map(|mirror| server(mirror)).collect();
        let sources = self.from.as_ref().map_or_else(mirrors, |from| vec![from.clone()]);
        let bar = self.progress.bytes(&file.name, file.length.most());
        fetch(file, target, &sources, &self.network, self.patience, &|n_received| bar.set_position(n_received))?;
        bar.finish_and_clear();
        Ok(())
    }

    /// Brings a file that is converted when it has been verified.
    fn fetch_and_convert(
        &self,
        set: &DataSet,
        published: &Published,
        conversion: Conversion,
        target: &Path,
    ) -> Result<Hash, Failure> {
        let name = target.file_name().unwrap_or_default().to_string_lossy();
        let between = target.with_file_name(format!(".{name}.published"));
        if digest::condition(published, &between)? != Condition::Verified {
            self.fetch(set, published, &between)?;
        }
        let hash = unpack::convert_file(&between, conversion, target)?;
        let _ = fs::remove_file(&between);
        Ok(hash)
    }

    /// Where the verified archive of a set is: in the folder of archives, fetched if need be, or where the user has it.
    fn archive(&self, set: &DataSet, archive: &Archive) -> Result<PathBuf, Failure> {
        let given = match &self.from {
            Some(Source::Folder(folder)) => Some(folder.join(&archive.file.name)),
            Some(Source::File(path)) => Some(path.clone()),
            Some(Source::Server(_)) | None => None,
        };
        if let Some(path) = given {
            let how = match digest::condition(&archive.file, &path)? {
                Condition::Verified => return Ok(path),
                Condition::Missing => "is missing".to_owned(),
                Condition::Damaged(how) => how,
            };
            return Err(Failure::new(
                Code::Network,
                format!("{} {how}; get the archive again, or download it without --from", path.display()),
            ));
        }
        let folder = self.datasets.join(ARCHIVES).join(&archive.name);
        fs::create_dir_all(&folder).map_err(|error| Failure::io("create the folder", &folder, &error))?;
        let _lock = FolderLock::acquire(&folder, "download")?;
        let path = folder.join(&archive.file.name);
        if digest::condition(&archive.file, &path)? != Condition::Verified {
            self.fetch(set, &archive.file, &path)?;
            notice(format_args!(
                "note: {} serves the other sets of this archive too; delete it when you have all that you want",
                places::shown(&path)
            ));
        }
        Ok(path)
    }
}

/// Removes small files that a killed download was writing; nobody else writes in a folder that is held. Failing to is no
/// failure.
fn remove_staged(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if durable_file::is_staged(&entry.file_name()) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Which file of a set this is, by its content.
fn file_of(set: &DataSet, path: &Path) -> Result<usize, Failure> {
    for (index, file) in set.files.iter().enumerate() {
        if let Some(published) = file.published()
            && digest::condition(published, path)? == Condition::Verified
        {
            return Ok(index);
        }
    }
    let names: Vec<&str> = set.files.iter().map(|file| file.name.as_str()).collect();
    Err(Failure::new(
        Code::Network,
        format!(
            "--from {}: expected one of the files {}, found none of them by length and hash; get it again",
            path.display(),
            names.join(", ")
        ),
    ))
}

/// The text of the file that names the classes; none where they are the ten digits, which need not be named.
fn classes_text(set: &DataSet) -> Option<String> {
    let is_digits = set.classes == mnist_io::digit_classes();
    (!is_digits).then(|| set.classes.iter().flat_map(|&class| [class, '\n']).collect())
}

/// IDX files do not say what their labels stand for; where these are not the digits, a file beside them does.
fn write_classes(set: &DataSet, folder: &Path) -> Result<(), Failure> {
    let path = folder.join(mnist_io::CLASSES_FILE);
    match classes_text(set) {
        Some(text) if fs::read_to_string(&path).is_ok_and(|found| found == text) => Ok(()),
        Some(text) => write_atomically(&path, &text),
        None if path.symlink_metadata().is_ok() => {
            fs::remove_file(&path).map_err(|error| Failure::io("remove", &path, &error))
        }
        None => Ok(()),
    }
}

/// Says by what a file was verified, where that is less than it should be.
fn by_what(file: &DataFile) -> &'static str {
    match &file.origin {
        Origin::Published(Published { hash: Hash::Md5(_), .. }) => " by MD5",
        _ => "",
    }
}

fn report_file(path: &Path, said: &str, output: &mut Output) {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let n_bytes = path.metadata().map_or(0, |metadata| metadata.len());
    output.line(format_args!("{name:<28}{:>12} bytes  {said}", grouped(n_bytes as usize)));
}

/// What `--from` names.
fn source(from: &Path) -> Result<Source, Failure> {
    match from.to_str() {
        Some(text) if manifest::is_address(text) => Ok(server(text)),
        _ if from.is_dir() => Ok(Source::Folder(from.to_path_buf())),
        _ if from.is_file() => Ok(Source::File(from.to_path_buf())),
        _ => Err(Failure::configuration(format!(
            "--from {}: no such folder or file; expected a folder with the files, one of the files, or an address that \
             begins with https:// or http://",
            from.display()
        ))),
    }
}

fn server(address: &str) -> Source {
    let slash = if address.ends_with('/') { "" } else { "/" };
    Source::Server(format!("{address}{slash}"))
}

fn positive_seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if (0.001..=1e6).contains(&seconds) => Ok(seconds),
        _ => Err("expected a number of seconds from 0.001 to 1000000".to_owned()),
    }
}
