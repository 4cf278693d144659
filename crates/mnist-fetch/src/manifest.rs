//! The list of known data sets: `manifest.toml`, and `own.toml` for a user's own.

mod parse;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;
use std::str::FromStr;

use crate::data_set::{Archive, DataSet};
use crate::error::{Error, ErrorKind, Result};

/// The manifest that this crate brings along.
const BUILTIN: &str = include_str!("../manifest.toml");

/// The name of the table of archives, and of their folder among those of the data sets.
pub(crate) const ARCHIVES: &str = "archives";

/// All known data sets by name.
///
/// A manifest is a TOML file with a table for each data set; `manifest.toml` in this crate explains its keys.
///
/// ```
/// use mnist_fetch::Manifest;
///
/// let manifest: Manifest = r#"
///     [two-images]
///     title = "Two images"
///     classes = "01"
///     mirrors = ["https://data.example/two/"]
///
///     [[two-images.files]]
///     name = "train-images-idx3-ubyte"
///     bytes = 1584
///     sha256 = "0000000000000000000000000000000000000000000000000000000000000000"
/// "#.parse()?;
/// assert_eq!(manifest.names().collect::<Vec<_>>(), ["two-images"]);
/// # Ok::<(), mnist_fetch::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    sets: BTreeMap<String, DataSet>,
    archives: BTreeMap<String, KnownArchive>,
    /// What the manifest is called in errors.
    called: String,
}

/// An archive, and what the sets in it have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
struct KnownArchive {
    archive: Archive,
    mirrors: Vec<String>,
    unproved: Option<String>,
}

impl Manifest {
    /// The manifest that this crate brings along: MNIST, Fashion-MNIST, KMNIST, QMNIST, and four sets of EMNIST.
    pub fn builtin() -> Self {
        let mut manifest = Manifest::empty("the built-in manifest");
        manifest.add(BUILTIN).expect("a test reads the built-in manifest");
        manifest
    }

    fn empty(called: impl Into<String>) -> Self {
        Manifest { sets: BTreeMap::new(), archives: BTreeMap::new(), called: called.into() }
    }

    /// Reads `manifest.toml` and `own.toml` in `folder`, if they are there; the built-in manifest stands in for the first.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Manifest`] with the file and the reason if one cannot be understood, [`ErrorKind::Io`] if it cannot be
    /// read.
    pub fn read(folder: impl AsRef<Path>) -> Result<Self> {
        let folder = folder.as_ref();
        let path = folder.join("manifest.toml");
        let mut manifest = match read_if_there(&path)? {
            Some(text) => {
                // As people know it: "datasets/manifest.toml".
                let called = Path::new(folder.file_name().unwrap_or_default()).join("manifest.toml");
                let mut manifest = Manifest::empty(called.display().to_string());
                manifest.add(&text).map_err(|reason| refused(&path, &reason))?;
                manifest
            }
            None => Manifest::builtin(),
        };
        let path = folder.join("own.toml");
        if let Some(text) = read_if_there(&path)? {
            manifest.add(&text).map_err(|reason| refused(&path, &reason))?;
        }
        Ok(manifest)
    }

    /// The data set called `name`, if there is one.
    pub fn get(&self, name: &str) -> Option<&DataSet> {
        self.sets.get(name)
    }

    /// The data set called `name`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Argument`] with all known names, and the one that was probably meant, if there is none.
    pub fn find(&self, name: &str) -> Result<&DataSet> {
        self.get(name).ok_or_else(|| {
            let guess = nearest(name, self.names()).map(|guess| format!("; did you mean \"{guess}\"?"));
            let names = self.names().collect::<Vec<_>>().join(", ");
            let names = if names.is_empty() { "none" } else { &names };
            Error::new(
                ErrorKind::Argument,
                format!(
                    "no data set is called \"{name}\" in {}, which knows: {names}{}",
                    self.called,
                    guess.unwrap_or_default()
                ),
            )
        })
    }

    /// All names, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.sets.keys().map(String::as_str)
    }

    /// All data sets, sorted by name.
    pub fn data_sets(&self) -> impl Iterator<Item = &DataSet> {
        self.sets.values()
    }
}

impl Default for Manifest {
    /// A manifest without data sets.
    fn default() -> Self {
        Manifest::empty("an empty manifest")
    }
}

impl FromStr for Manifest {
    type Err = Error;

    /// Reads the text of a manifest.
    fn from_str(text: &str) -> Result<Self> {
        let mut manifest = Manifest::empty("the manifest");
        manifest.add(text).map_err(|reason| Error::new(ErrorKind::Manifest, reason))?;
        Ok(manifest)
    }
}

fn refused(path: &Path, reason: &str) -> Error {
    Error::at(ErrorKind::Manifest, path, format!(": {reason}"))
}

fn read_if_there(path: &Path) -> Result<Option<String>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            Err(refused(path, "expected UTF-8, found other bytes; save it anew"))
        }
        Err(error) => Err(Error::io("read", path, error)),
    }
}

/// The name that `word` was most likely meant to be, if any is near.
fn nearest<'a>(word: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    if word.len() > 60 {
        return None;
    }
    names
        .map(|name| (strsim::jaro_winkler(word, name), name))
        .filter(|(similarity, _)| *similarity > 0.75)
        .max_by(|left, right| left.0.total_cmp(&right.0))
        .map(|(_, name)| name)
}
