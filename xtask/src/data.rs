//! Finds and reads the data that a run is about: a downloaded set, a folder, or the built-in synthetic digits.

use mlp_results::DataDescription;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use mnist_fetch::Manifest;
use mnist_io::{LabeledImages, synthetic_digits};
use sha2::{Digest, Sha256};

use crate::configuration::{is_safe_name, nearest};
use crate::failure::{Code, Failure};
use crate::memory;
use crate::output::{grouped, notice};
use crate::places;

/// The name of the built-in data.
pub(crate) const SYNTHETIC: &str = "synthetic";

/// What is taken where it has been downloaded and nothing is named.
pub(crate) const DEFAULT: &str = "mnist";

const N_SYNTHETIC_TRAIN: usize = 10_000;
const N_SYNTHETIC_TEST: usize = 2_000;

/// Seeds of the built-in digits; other ones would be other data.
const SYNTHETIC_SEEDS: (u64, u64) = (0, 1);

/// Smaller sets are a choice by this seed, so that they are the same in every run.
const SUBSET_SEED: u64 = 0;

/// Training and test images under one name.
pub(crate) struct Dataset {
    /// Part of a folder's name: "mnist", "synthetic", or the last part of a path.
    pub(crate) name: String,
    /// Whether a program drew the images.
    pub(crate) is_synthetic: bool,
    /// Images to learn from. Trials that use all of them share them.
    pub(crate) train: Arc<LabeledImages>,
    /// Images to test on.
    pub(crate) test: Arc<LabeledImages>,
    /// Identity of the decoded data, in hexadecimal.
    pub(crate) sha256: String,
}

/// Where data come from, before they are read.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Origin {
    Synthetic,
    Folder { name: String, folder: PathBuf },
}

/// Reads what `choice` names: "synthetic", a data set under `datasets/`, or a folder of IDX files. Without a choice it
/// is MNIST where that is complete, and otherwise the synthetic digits, with a notice.
pub(crate) fn load(choice: Option<&str>) -> Result<Dataset, Failure> {
    let origin = match choice {
        Some(choice) => resolve(choice)?,
        None => default_origin()?,
    };
    match origin {
        Origin::Synthetic => {
            require_memory((N_SYNTHETIC_TRAIN + N_SYNTHETIC_TEST) * 28 * 28)?;
            Ok(synthetic())
        }
        Origin::Folder { name, folder } => {
            require_memory(unpacked_size(&folder))?;
            let (train, test) = LabeledImages::load_folder(&folder).map_err(|error| failure(&error))?;
            Ok(dataset(name, false, train, test))
        }
    }
}

/// The code of an error of `mnist_io`, and its text.
pub(crate) fn failure(error: &mnist_io::Error) -> Failure {
    let code = match error.kind() {
        mnist_io::ErrorKind::Io => Code::InputOutput,
        mnist_io::ErrorKind::Argument => Code::Configuration,
        _ => Code::Data,
    };
    Failure::new(code, error.to_string())
}

impl Dataset {
    /// The first `size` of a fixed random order of the training images; all, in their own order, without a size.
    pub(crate) fn train_of(&self, size: Option<usize>) -> Arc<LabeledImages> {
        part(&self.train, size)
    }

    /// The same of the test images.
    pub(crate) fn test_of(&self, size: Option<usize>) -> Arc<LabeledImages> {
        part(&self.test, size)
    }

    /// What a record says about the data.
    pub(crate) fn describe(&self, n_train: usize, n_test: usize) -> DataDescription {
        DataDescription {
            name: self.name.clone(),
            sha256: self.sha256.clone(),
            train: n_train,
            test: n_test,
            inputs: self.train.height() * self.train.width(),
            height: self.train.height(),
            width: self.train.width(),
            classes: self.train.classes.iter().collect(),
            synthetic: self.is_synthetic,
        }
    }

    /// One line for people.
    pub(crate) fn summary(&self, n_train: usize, n_test: usize) -> String {
        format!(
            "{}: {} training and {} test images of {} × {}, classes {}",
            self.name,
            grouped(n_train),
            grouped(n_test),
            self.train.height(),
            self.train.width(),
            self.train.classes.iter().collect::<String>()
        )
    }
}

/// Refuses to read what cannot fit, with room for what comes with it.
fn require_memory(n_bytes: usize) -> Result<(), Failure> {
    let needed = 2 * n_bytes as u64 + (16 << 20);
    match memory::available() {
        Some(available) if available < needed => Err(Failure::new(
            Code::InputOutput,
            format!(
                "the data need about {} MB of memory, and {} MB are available; raise the limit (`ulimit -v`) or close something",
                needed >> 20,
                available >> 20
            ),
        )),
        _ => Ok(()),
    }
}

/// A rough guess at the bytes that the data in a folder unfold to: images of handwriting shrink to a fifth. Whatever
/// else lies there is not read and does not count.
fn unpacked_size(folder: &Path) -> usize {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let lengths = entries.filter_map(|entry| {
        let name = entry.file_name().into_string().ok()?;
        let (plain, factor) = name.strip_suffix(".gz").map_or((name.as_str(), 1), |plain| (plain, 5));
        let is_data =
            plain.ends_with("-ubyte") && ["train-", "t10k-", "test-"].iter().any(|part| plain.starts_with(part));
        is_data.then(|| entry.metadata().map_or(0, |metadata| metadata.len()).saturating_mul(factor))
    });
    usize::try_from(lengths.fold(0, u64::saturating_add)).unwrap_or(usize::MAX).min(usize::MAX / 16)
}

fn part(images: &Arc<LabeledImages>, size: Option<usize>) -> Arc<LabeledImages> {
    match size {
        Some(size) if size < images.len() => Arc::new(images.subset(size, SUBSET_SEED)),
        _ => Arc::clone(images),
    }
}

fn synthetic() -> Dataset {
    let train = synthetic_digits(N_SYNTHETIC_TRAIN, SYNTHETIC_SEEDS.0);
    let test = synthetic_digits(N_SYNTHETIC_TEST, SYNTHETIC_SEEDS.1);
    dataset(SYNTHETIC.to_owned(), true, train, test)
}

fn dataset(name: String, is_synthetic: bool, train: LabeledImages, test: LabeledImages) -> Dataset {
    let mut hasher = Sha256::new();
    hasher.update(train.sha256());
    hasher.update(test.sha256());
    let sha256 = hex::encode(hasher.finalize());
    Dataset { name, is_synthetic, train: Arc::new(train), test: Arc::new(test), sha256 }
}

fn default_origin() -> Result<Origin, Failure> {
    let datasets = places::datasets();
    let folder = datasets.join(DEFAULT);
    let manifest = Manifest::read(&datasets)?;
    if manifest.get(DEFAULT).is_some_and(|set| set.is_present(&folder)) {
        let name = DEFAULT.to_owned();
        return Ok(Origin::Folder { name, folder });
    }
    notice(
        "note: MNIST is not downloaded, so this uses built-in synthetic digits; `cargo xtask download` fetches MNIST",
    );
    Ok(Origin::Synthetic)
}

fn resolve(choice: &str) -> Result<Origin, Failure> {
    if choice == SYNTHETIC {
        return Ok(Origin::Synthetic);
    }
    let looks_like_path = choice.contains(['/', '\\']) || choice.starts_with('.');
    let datasets = places::datasets();
    if !looks_like_path && is_safe_name(choice) {
        let folder = datasets.join(choice);
        if folder.is_dir() {
            let name = choice.to_owned();
            return Ok(Origin::Folder { name, folder });
        }
    }
    let path = Path::new(choice);
    if path.is_dir() {
        return Ok(Origin::Folder { name: name_of(path), folder: path.to_path_buf() });
    }
    Err(missing(choice, looks_like_path, &datasets))
}

fn missing(choice: &str, looks_like_path: bool, datasets: &Path) -> Failure {
    if looks_like_path {
        return Failure::data(format!(
            "{choice}: no such folder; expected one with train-images-idx3-ubyte, train-labels-idx1-ubyte, \
             t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte, with or without .gz"
        ));
    }
    let manifest = Manifest::read(datasets).unwrap_or_default();
    if manifest.get(choice).is_some() {
        return Failure::data(format!(
            "the data set \"{choice}\" is not downloaded; run `cargo xtask download {choice}`"
        ));
    }
    let known: Vec<&str> = manifest.names().chain([SYNTHETIC]).collect();
    let guess =
        nearest(choice, known.iter().copied()).map(|guess| format!("; did you mean \"{guess}\"?")).unwrap_or_default();
    Failure::data(format!("no data set and no folder is called \"{choice}\"; known are {}{guess}", known.join(", ")))
}

/// The last part of a path as part of a folder's name.
fn name_of(path: &Path) -> String {
    path.canonicalize()
        .ok()
        .as_deref()
        .and_then(Path::file_name)
        .and_then(|name| name.to_str())
        .filter(|name| is_safe_name(name))
        .unwrap_or("folder")
        .to_owned()
}
