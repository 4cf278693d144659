//! Finds and reads the data that a run is about: a downloaded set, a folder, or the built-in synthetic digits.

use std::path::{Path, PathBuf};

use mlp_results::text::thousands;
use mlp_sweep::{Dataset, is_safe_name};
use mlp_train::nearest;
use mnist_fetch::Manifest;
use mnist_io::{FolderKind, LabeledImages, Note, synthetic_digits};

use crate::failure::{Code, Failure};
use crate::output::notice;
use crate::places;
use crate::summary::quoted;

/// The name of the built-in data.
pub(crate) const SYNTHETIC: &str = "synthetic";

/// What is taken where it has been downloaded and nothing is named.
pub(crate) const DEFAULT: &str = "mnist";

const N_SYNTHETIC_TRAIN: usize = 10_000;
const N_SYNTHETIC_TEST: usize = 2_000;

/// Seeds of the built-in digits; other ones would be other data.
const SYNTHETIC_SEEDS: (u64, u64) = (0, 1);

/// Where data come from, before they are read.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Origin {
    Synthetic,
    Folder { name: String, folder: PathBuf },
}

/// What a net can be measured on.
pub(crate) enum Measurable {
    /// A data set, with images to learn from.
    Whole(Dataset),
    /// Images to test on alone, under their name.
    TestOnly(String, LabeledImages),
}

/// Reads what `choice` names: "synthetic", a data set under `datasets/`, or a folder of IDX files. Without a choice it
/// is MNIST where that is complete, and otherwise the synthetic digits, with a notice.
pub(crate) fn load(choice: Option<&str>) -> Result<Dataset, Failure> {
    match origin(choice)? {
        Origin::Synthetic => synthetic(),
        Origin::Folder { name, folder } => match FolderKind::of(&folder) {
            FolderKind::TestSet => Err(test_only(&folder)),
            kind => load_folder(name, &folder, &kind, ""),
        },
    }
}

/// The same, for measuring: a folder of test images alone will do.
pub(crate) fn load_measurable(choice: Option<&str>) -> Result<Measurable, Failure> {
    match origin(choice)? {
        Origin::Synthetic => synthetic().map(Measurable::Whole),
        Origin::Folder { name, folder } => match FolderKind::of(&folder) {
            FolderKind::TestSet => {
                require_memory(unpacked_size(&folder))?;
                Ok(Measurable::TestOnly(name, LabeledImages::load_test(&folder, tell)?))
            }
            // All pictures serve to measure a net that has learned from others.
            kind => load_folder(name, &folder, &kind, " --test-share 1").map(Measurable::Whole),
        },
    }
}

fn origin(choice: Option<&str>) -> Result<Origin, Failure> {
    choice.map_or_else(default_origin, resolve)
}

/// Reads a data set; a folder of something else is told what it is and how it becomes one, by an import with `options`.
fn load_folder(name: String, folder: &Path, kind: &FolderKind, options: &str) -> Result<Dataset, Failure> {
    if let Some(advice) = otherwise(folder, kind, options) {
        return Err(Failure::data(format!("{}: expected a data set, found {advice}", folder.display())));
    }
    require_memory(unpacked_size(folder))?;
    let (train, test) = LabeledImages::load_folder_with(folder, tell)?;
    let is_as_it_is = is_as_it_is(&name) || has_mark(folder);
    let data = Dataset::images(name, train, test)?;
    Ok(if is_as_it_is { data.as_it_is() } else { data })
}

/// The file in the folder of a data set that says that its pictures were taken as they are.
pub(crate) const MARK: &str = "pictures-as-they-are.txt";

/// What is written into it.
pub(crate) const MARK_TEXT: &str = "The pictures of this data set were taken as they are (`data import --as-is`, or light ones from a table).\n\
                                    Nets that learn from it are given other pictures as they are, too.\n";

fn has_mark(folder: &Path) -> bool {
    folder.join(MARK).is_file()
}

/// Whether the manifest says of a data set that it is no handwriting.
pub(crate) fn is_as_it_is(name: &str) -> bool {
    let manifest = Manifest::read(places::datasets()).unwrap_or_default();
    manifest.get(name).is_some_and(|set| !set.is_handwriting)
}

/// What a folder is that is no data set, and what to do with it.
fn otherwise(folder: &Path, kind: &FolderKind, options: &str) -> Option<String> {
    let path = quoted(folder);
    match kind {
        FolderKind::ClassFolders => Some(format!(
            "folders of pictures; make a data set of them, and name that with --data:\n  \
             cargo xtask data import {path} my-data{options}"
        )),
        FolderKind::Images => Some(format!(
            "pictures that are in no folders of classes; `cargo xtask predict MODEL {path}` reads them, and sorted into a \
             folder for each class they become a data set by `cargo xtask data import`"
        )),
        FolderKind::Nested(inner) => Some(format!("none, but data in a folder of it; name that: {}", quoted(inner))),
        _ => None,
    }
}

fn test_only(folder: &Path) -> Failure {
    Failure::data(format!(
        "{}: expected a data set, found test images alone; `cargo xtask evaluate MODEL --data {}` measures a net on them, and \
         a set to learn from has training images, too",
        folder.display(),
        quoted(folder)
    ))
}

/// Says what a person may want to know about data.
pub(crate) fn tell(note: Note) {
    notice(format_args!("note: {note}"));
}

/// The training and the test images; everything that this program loads is images.
pub(crate) fn images(data: &Dataset) -> [&LabeledImages; 2] {
    [data.train(), data.test()].map(|part| part.images().expect("the data that this program loads are images"))
}

/// More classes than these are counted and not named.
const N_CLASSES_SHOWN: usize = 10;

/// One line for people, about so many images of the data.
pub(crate) fn summary(data: &Dataset, (n_train, n_test): (usize, usize), n_validation: usize) -> String {
    let (height, width) = data.train().image_size().unwrap_or((0, 0));
    let classes = data.train().classes();
    let classes = if classes.len() <= N_CLASSES_SHOWN {
        mnist_io::classes_in_a_line(classes)
    } else {
        format!("{} classes", classes.len())
    };
    let (train, test) = (thousands(n_train as u64), thousands(n_test as u64));
    let validation = match n_validation {
        0 => String::new(),
        n_validation => format!(" ({} for validation)", thousands(n_validation as u64)),
    };
    format!(
        "{}: {train} training{validation}, {test} test images, {height} × {width}: {classes}",
        shown_name(data.name())
    )
}

/// The name of data in a sentence: quoted where it could be taken for several words.
pub(crate) fn shown_name(name: &str) -> String {
    if is_safe_name(name) { name.to_owned() } else { format!("\"{name}\"") }
}

/// Refuses to read what cannot fit, with room for what comes with it.
fn require_memory(n_bytes: usize) -> Result<(), Failure> {
    let needed = 2 * n_bytes as u64 + (16 << 20);
    match mlp_sweep::available_memory() {
        Some(available) if available < needed => Err(Failure::new(
            Code::InputOutput,
            format!(
                "the data need about {} MiB of memory, and {} MiB are available; raise the limit (`ulimit -v`) or close something",
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

fn synthetic() -> Result<Dataset, Failure> {
    require_memory((N_SYNTHETIC_TRAIN + N_SYNTHETIC_TEST) * 28 * 28)?;
    let train = synthetic_digits(N_SYNTHETIC_TRAIN, SYNTHETIC_SEEDS.0);
    let test = synthetic_digits(N_SYNTHETIC_TEST, SYNTHETIC_SEEDS.1);
    Ok(Dataset::images(SYNTHETIC, train, test)?.synthetic())
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
    if path.is_file() {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        return Err(Failure::data(format!(
            "{choice}: expected a folder with the files of a data set, found a file; name its folder: --data {}",
            quoted(folder)
        )));
    }
    Err(missing(choice, looks_like_path, &datasets))
}

fn missing(choice: &str, looks_like_path: bool, datasets: &Path) -> Failure {
    if looks_like_path {
        let from_elsewhere = if Path::new(choice).is_relative() {
            "; where a run names it, that was seen from the folder in which the run began: --data says where it is"
        } else {
            ""
        };
        return Failure::data(format!(
            "{choice}: no such file or folder; expected a folder with train-images-idx3-ubyte, train-labels-idx1-ubyte, \
             t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte, with or without .gz{from_elsewhere}"
        ));
    }
    let manifest = Manifest::read(datasets).unwrap_or_default();
    if manifest.get(choice).is_some() {
        return Failure::data(format!(
            "the data set \"{choice}\" is not in {}; run `cargo xtask download {choice}`",
            quoted(&datasets.join(choice))
        ));
    }
    let known: Vec<&str> = manifest.names().chain([SYNTHETIC]).collect();
    let guess = nearest(choice, &known).map(|guess| format!("; did you mean \"{guess}\"?")).unwrap_or_default();
    Failure::data(format!("no data set and no folder is called \"{choice}\"; known are {}{guess}", known.join(", ")))
}

/// A longer name of a folder is not made part of another.
const MAX_NAME: usize = 150;

/// The last part of a path, which is the name of the data and part of the name of a folder of results.
fn name_of(path: &Path) -> String {
    path.canonicalize()
        .ok()
        .as_deref()
        .and_then(Path::file_name)
        .and_then(|name| name.to_str())
        .filter(|name| !name.chars().any(char::is_control) && name.len() <= MAX_NAME)
        .unwrap_or("folder")
        .to_owned()
}
