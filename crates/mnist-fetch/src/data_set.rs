//! A data set as its manifest describes it, and what of it lies in a folder.

use std::path::{Path, PathBuf};

use mnist_io::LabelSource;

use crate::checksums::{self, Checksums};
use crate::digest::{FileStatus, HashKind};
use crate::error::Result;
use crate::published::{self, Published};

/// A data set that can be fetched.
///
/// ```
/// let manifest = mnist_fetch::Manifest::builtin();
/// let mnist = manifest.find("mnist")?;
/// assert_eq!(mnist.counts, Some((60_000, 10_000)));
/// assert_eq!(mnist.classes.concat(), "0123456789");
/// // What of it is here, verified file by file.
/// for report in mnist.verify("datasets/mnist".as_ref()) {
///     let report = report?;
///     println!("{}: {:?}", report.path.display(), report.status);
/// }
/// # Ok::<(), mnist_fetch::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DataSet {
    /// Its name in the manifest, which is that of its folder.
    pub name: String,
    /// What it is, in one line.
    pub title: String,
    /// Under which terms it may be used; empty where the manifest does not say.
    pub licence: String,
    /// What to cite; empty where the manifest does not say.
    pub citation: String,
    /// The characters that the labels 0, 1, 2, … stand for.
    pub classes: Vec<String>,
    /// Whether the images are handwriting, which photos can be prepared to be like.
    pub is_handwriting: bool,
    /// What the classes are, where a character does not say it: none, or one for each class.
    pub class_names: Vec<String>,
    /// The number of training and of test images, where the manifest says it.
    pub counts: Option<(usize, usize)>,
    /// Where lengths and hashes were published, if nobody has computed them from the bytes themselves.
    pub unproved: Option<String>,
    /// What belongs to it.
    pub(crate) files: Vec<DataFile>,
    /// The archive that holds all files, where they are not published one by one.
    pub(crate) archive: Option<Archive>,
    /// Folders on servers that hold every file, or the archive, best first.
    pub(crate) mirrors: Vec<String>,
}

/// What one file of a data set in a folder is worth.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct FileReport {
    /// Where it is, or would be.
    pub path: PathBuf,
    /// Its length; 0 where it is missing.
    pub n_bytes: u64,
    /// Whether it is what it should be.
    pub status: FileStatus,
    /// By what that was found out.
    pub verified_by: HashKind,
}

/// A ZIP archive that several sets may share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Archive {
    /// Its table in the manifest; the folder that it lies in.
    pub(crate) name: String,
    pub(crate) file: Published,
}

/// One file of a data set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DataFile {
    /// A plain name on disk.
    pub(crate) name: String,
    pub(crate) origin: Origin,
}

/// Where a file comes from, and what is changed on the way to the disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// It lies on a server, and on the disk as it lies there.
    Published(Published),
    /// It lies on a server in another form.
    Converted(Published, Conversion),
    /// It is the member of this name of the set's archive.
    Member(String, Conversion),
}

/// How a file of images or labels becomes one like MNIST's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Conversion {
    /// Packed anew as it is.
    Images {
        transposed: bool,
        n_images: Option<usize>,
    },
    Labels {
        source: LabelSource,
        n_labels: Option<usize>,
    },
}

impl Conversion {
    /// Whether what comes out is what goes in.
    pub(crate) fn changes_nothing(self) -> bool {
        match self {
            Conversion::Images { transposed, .. } => !transposed,
            Conversion::Labels { source, .. } => source == LabelSource::default(),
        }
    }
}

impl DataSet {
    /// The bytes that have to be fetched at most.
    pub fn n_bytes(&self) -> u64 {
        match &self.archive {
            Some(archive) => archive.file.length.most(),
            None => self.files.iter().filter_map(|file| Some(file.published()?.length.most())).sum(),
        }
    }

    /// The archive that holds its files and those of other data sets, by its name in the manifest, if there is one.
    pub fn archive_name(&self) -> Option<&str> {
        self.archive.as_ref().map(|archive| archive.name.as_str())
    }

    /// The names of its files.
    pub fn file_names(&self) -> impl Iterator<Item = &str> {
        self.files.iter().map(|file| file.name.as_str())
    }

    /// Compares every file in `folder` with what the manifest says: length and hash as published, or, of a file that was
    /// converted, the hash that was written into `SHA256SUMS` then.
    ///
    /// # Errors
    ///
    /// Each file that is there and cannot be read is an [`ErrorKind::Io`](crate::ErrorKind::Io).
    pub fn verify<'a>(&'a self, folder: &'a Path) -> impl Iterator<Item = Result<FileReport>> + 'a {
        let sums = checksums::read(folder);
        self.files.iter().map(move |file| {
            let path = folder.join(&file.name);
            let (status, verified_by) = file.check(folder, &sums)?;
            let n_bytes = path.metadata().map_or(0, |metadata| metadata.len());
            Ok(FileReport { path, n_bytes, status, verified_by })
        })
    }

    /// Whether some file lies in `folder`, whatever its content.
    pub fn is_started(&self, folder: &Path) -> bool {
        self.files.iter().any(|file| folder.join(&file.name).symlink_metadata().is_ok())
    }

    /// Whether every file lies in `folder`, whatever its content.
    pub fn is_present(&self, folder: &Path) -> bool {
        self.files.iter().all(|file| folder.join(&file.name).is_file())
    }
}

impl DataFile {
    /// What it is worth, as published, or as it was written down when it was converted; and by what that was found out.
    pub(crate) fn check(&self, folder: &Path, sums: &Checksums) -> Result<(FileStatus, HashKind)> {
        match &self.origin {
            Origin::Published(published) => published::check(published, &folder.join(&self.name)),
            Origin::Converted(..) | Origin::Member(..) => {
                Ok((checksums::status(&self.name, folder, sums)?, HashKind::Sha256))
            }
        }
    }

    /// By what it is verified in its place; nothing where it may be one hash or another.
    pub(crate) fn verified_by(&self) -> Option<HashKind> {
        match &self.origin {
            Origin::Published(Published { hash, content, .. }) => {
                Some(hash.kind()).filter(|kind| content.is_none_or(|content| content.kind() == *kind))
            }
            Origin::Converted(..) | Origin::Member(..) => Some(HashKind::Sha256),
        }
    }

    /// The published file, if it is no member of an archive.
    pub(crate) fn published(&self) -> Option<&Published> {
        match &self.origin {
            Origin::Published(published) | Origin::Converted(published, _) => Some(published),
            Origin::Member(..) => None,
        }
    }
}
