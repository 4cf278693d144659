//! Brings whole data sets into their folders: decides what is missing, where it comes from and what becomes of it there.

use std::fs;
use std::path::{Path, PathBuf};

use durable_file::FolderLock;

use crate::checksums;
use crate::convert::{ArchiveReader, convert_file};
use crate::data_set::{Archive, Conversion, DataFile, DataSet, Origin};
use crate::digest::{FileStatus, Hash};
use crate::error::{Error, ErrorKind, Result};
use crate::event::{FetchEvent, FetchedFile, FetchedSet};
use crate::manifest::{ARCHIVES, Manifest};
use crate::network::Network;
use crate::published::{self, Published};
use crate::retry::RetryPolicy;
use crate::source::Source;
use crate::transfer::Transfer;

/// What a lock says that its holder is doing.
const PURPOSE: &str = "download";

/// Brings data sets of a manifest into folders of their names, verified.
///
/// ```no_run
/// use mnist_fetch::{Fetcher, Manifest};
///
/// let fetched = Fetcher::new(Manifest::builtin(), "datasets").fetch("mnist")?;
/// assert_eq!(fetched.folder.to_str(), Some("datasets/mnist"));
/// # Ok::<(), mnist_fetch::Error>(())
/// ```
///
/// While it is at work it holds the folder ([`durable_file::FolderLock`]), so that two fetches of one data set, in whatever
/// processes, never write the same file.
#[derive(Clone, Debug)]
pub struct Fetcher {
    manifest: Manifest,
    folder: PathBuf,
    source: Option<Source>,
    retry: RetryPolicy,
    network: Option<Network>,
}

impl Fetcher {
    /// A fetcher of the manifest's data sets, each into the folder of its name in `folder`, from the mirrors that the
    /// manifest names.
    pub fn new(manifest: Manifest, folder: impl Into<PathBuf>) -> Self {
        Self { manifest, folder: folder.into(), source: None, retry: RetryPolicy::default(), network: None }
    }

    /// Takes the files from `source` instead of the mirrors.
    #[must_use]
    pub fn source(mut self, source: Source) -> Self {
        self.source = Some(source);
        self
    }

    /// How long to wait and how often to try.
    #[must_use]
    pub fn retry(mut self, retry: RetryPolicy) -> Self {
        self.retry = retry;
        self
    }

    /// How the network is reached; [`Network::from_environment`], read at each fetch, if nothing is said.
    #[must_use]
    pub fn network(mut self, network: Network) -> Self {
        self.network = Some(network);
        self
    }

    /// The data sets that can be fetched.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Brings the data set `name` to its folder: what is there and right stays, what is missing or damaged is fetched.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Argument`] if there is no such data set; `Busy` if another process is fetching it; `Source` if a file
    /// cannot be had as it was published; `Data` if what was published cannot be converted; `Io` if this machine is at
    /// fault. Files that are in their place by then stay, and the next call continues.
    pub fn fetch(&self, name: &str) -> Result<FetchedSet> {
        self.fetch_with(name, |_| ())
    }

    /// The same, telling `observer` what happens meanwhile.
    ///
    /// # Errors
    ///
    /// As [`Fetcher::fetch`].
    pub fn fetch_with(&self, name: &str, mut observer: impl FnMut(FetchEvent<'_>)) -> Result<FetchedSet> {
        let set = self.manifest.find(name)?;
        let from_environment;
        let network = match &self.network {
            Some(network) => network,
            None => {
                from_environment = Network::from_environment()?;
                &from_environment
            }
        };
        SetFetch { fetcher: self, set, network, observer: &mut observer }.run()
    }
}

/// One data set on its way.
struct SetFetch<'a> {
    fetcher: &'a Fetcher,
    set: &'a DataSet,
    network: &'a Network,
    observer: &'a mut dyn FnMut(FetchEvent<'_>),
}

impl SetFetch<'_> {
    fn run(mut self) -> Result<FetchedSet> {
        let set = self.set;
        let folder = self.fetcher.folder.join(&set.name);
        let _lock = self.hold(&folder)?;
        // First of all, so that labels are never taken for those of other classes.
        write_classes(set, &folder)?;
        let mut sums = checksums::read(&folder);
        let before = set.files.iter().map(|file| file.check(&folder, &sums)).collect::<Result<Vec<_>>>()?;
        let is_complete = before.iter().all(|(status, _)| *status == FileStatus::Verified);
        let only = match &self.fetcher.source {
            Some(Source::File(path)) if set.archive.is_none() && !is_complete => Some(file_like(path, set)?),
            _ => None,
        };
        let mut archive = match &set.archive {
            Some(archive) if !is_complete => Some(ArchiveReader::open(&self.verified_archive(archive)?)?),
            _ => None,
        };
        let (mut files, mut missing) = (Vec::new(), Vec::new());
        for (index, (file, (before, mut verified_by))) in set.files.iter().zip(before).enumerate() {
            let path = folder.join(&file.name);
            if before != FileStatus::Verified {
                if only.is_some_and(|only| only != index) {
                    (self.observer)(FetchEvent::StillMissing { path: &path });
                    missing.push(path);
                    continue;
                }
                if let Some(hash) = self.bring(file, archive.as_mut(), &path)? {
                    sums.insert(file.name.clone(), hash);
                    checksums::write(&folder, &sums)?;
                }
                verified_by = match file.verified_by() {
                    Some(kind) => kind,
                    None => file.check(&folder, &sums)?.1,
                };
            }
            let n_bytes = path.metadata().map_or(0, |metadata| metadata.len());
            let fetched = FetchedFile { path, n_bytes, before, verified_by };
            (self.observer)(FetchEvent::Ready(&fetched));
            files.push(fetched);
        }
        Ok(FetchedSet { folder, files, missing })
    }

    /// Makes `folder` if it is missing, keeps others out of it, and removes what a killed fetch left half written.
    fn hold(&mut self, folder: &Path) -> Result<FolderLock> {
        fs::create_dir_all(folder).map_err(|error| Error::io("create the folder", folder, error))?;
        let lock = FolderLock::acquire(folder, PURPOSE)?;
        if !lock.is_effective() {
            (self.observer)(FetchEvent::NoLocks { folder });
        }
        remove_staged(folder);
        Ok(lock)
    }

    /// Brings a file to `target`, and returns its hash if it is not the published one.
    fn bring(&mut self, file: &DataFile, archive: Option<&mut ArchiveReader>, target: &Path) -> Result<Option<Hash>> {
        match &file.origin {
            Origin::Published(published) => self.transfer(published, target).map(|()| None),
            Origin::Converted(published, conversion) => {
                self.transfer_and_convert(published, *conversion, target).map(Some)
            }
            Origin::Member(member, conversion) => {
                let archive = archive.expect("the reader of the manifest gives members to sets with an archive alone");
                archive.unpack(member, *conversion, target).map(Some)
            }
        }
    }

    /// Brings a file as it was published.
    fn transfer(&mut self, file: &Published, target: &Path) -> Result<()> {
        let sources = match &self.fetcher.source {
            Some(source) => vec![source.clone()],
            None => self.set.mirrors.iter().map(|mirror| Source::server(mirror.as_str())).collect(),
        };
        Transfer::new(file, target, self.network, self.fetcher.retry, self.observer).run(&sources)
    }

    /// Brings a file that is converted when it has been verified.
    fn transfer_and_convert(&mut self, published: &Published, conversion: Conversion, target: &Path) -> Result<Hash> {
        let name = target.file_name().unwrap_or_default().to_string_lossy();
        let between = target.with_file_name(format!(".{name}.published"));
        if published::status(published, &between)? != FileStatus::Verified {
            self.transfer(published, &between)?;
        }
        let hash = convert_file(&between, conversion, target)?;
        let _ = fs::remove_file(&between);
        Ok(hash)
    }

    /// Where the verified archive of the set is: in the folder of archives, fetched if need be, or where the user has it.
    fn verified_archive(&mut self, archive: &Archive) -> Result<PathBuf> {
        let given = match &self.fetcher.source {
            Some(Source::Folder(folder)) => Some(folder.join(&archive.file.name)),
            Some(Source::File(path)) => Some(path.clone()),
            Some(Source::Server(_)) | None => None,
        };
        if let Some(path) = given {
            let how = match published::status(&archive.file, &path)? {
                FileStatus::Verified => return Ok(path),
                FileStatus::Missing => "is missing".to_owned(),
                FileStatus::Damaged(how) => how,
            };
            let message = format!(" {how}; get the archive again, or let it be fetched from its mirrors");
            return Err(Error::at(ErrorKind::Source, &path, message));
        }
        let folder = self.fetcher.folder.join(ARCHIVES).join(&archive.name);
        let _lock = self.hold(&folder)?;
        let path = folder.join(&archive.file.name);
        if published::status(&archive.file, &path)? != FileStatus::Verified {
            self.transfer(&archive.file, &path)?;
            (self.observer)(FetchEvent::ArchiveKept { path: &path });
        }
        Ok(path)
    }
}

/// Removes small files that a killed fetch was writing; nobody else writes in a folder that is held. Failing to is no
/// failure.
fn remove_staged(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if durable_file::is_staged(&entry.file_name()) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Which file of a set lies at `path`, by its content.
fn file_like(path: &Path, set: &DataSet) -> Result<usize> {
    for (index, file) in set.files.iter().enumerate() {
        if let Some(published) = file.published()
            && published::status(published, path)? == FileStatus::Verified
        {
            return Ok(index);
        }
    }
    let names: Vec<&str> = set.file_names().collect();
    let message = format!(
        ": expected one of the files {}, found none of them by length and hash; get it again",
        names.join(", ")
    );
    Err(Error::at(ErrorKind::Source, path, message))
}

/// The text of the file that names the classes; none where they are the ten digits, which need not be named.
fn classes_text(set: &DataSet) -> Option<String> {
    let is_digits = set.classes == mnist_io::digit_classes();
    (!is_digits).then(|| set.classes.iter().flat_map(|class| [class, "\n"]).collect())
}

/// IDX files do not say what their labels stand for; where these are not the digits, a file beside them does.
fn write_classes(set: &DataSet, folder: &Path) -> Result<()> {
    let path = folder.join(mnist_io::CLASSES_FILE);
    match classes_text(set) {
        Some(text) if fs::read_to_string(&path).is_ok_and(|found| found == text) => Ok(()),
        Some(text) => durable_file::write(&path, text.as_bytes()).map_err(|error| Error::io("write", &path, error)),
        None => durable_file::remove(&path).map_err(|error| Error::io("remove", &path, error)),
    }
}
