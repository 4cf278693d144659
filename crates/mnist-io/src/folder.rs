//! A data set on the disk: a folder of four IDX files, as MNIST is published.

use crate::error::{Error, Result};
use crate::idx::{self, IdxArray, IdxElement, Staged};
use crate::images::{LabeledImages, check_classes, check_labels, digit_classes};
use ndarray::{Axis, Ix1, Ix3};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::{panic, thread};

/// The file in a data set's folder that names its classes, where these are not the ten digits: UTF-8, one character a
/// line, in the order of the labels.
pub const CLASSES_FILE: &str = "classes.txt";

impl LabeledImages {
    /// Loads the training and the test set from a folder of four IDX files, plain or packed with gzip.
    ///
    /// Their names are MNIST's, `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, `t10k-images-idx3-ubyte` and
    /// `t10k-labels-idx1-ubyte`, or the same with a dot (`train-images.idx3-ubyte`), or `test` for `t10k`; each may end
    /// in `.gz`. The classes are the ten digits, unless a file `classes.txt` names others, one character a line. The two sets
    /// are loaded at the same time, the second by a thread that is started for it.
    ///
    /// # Errors
    /// `Io` where a file is missing (with the names that were tried) or cannot be read; `Data` as
    /// [`LabeledImages::load`], where the two sets have images of different sizes, and where two files have names for
    /// the same part, as then either could be the one that is meant.
    pub fn load_folder(folder: impl AsRef<Path>) -> Result<(Self, Self)> {
        let folder = folder.as_ref();
        let classes = read_classes(&folder.join(CLASSES_FILE))?;
        let [train_images, train_labels, test_images, test_labels] = Part::ALL.map(|part| part.find(folder));
        let (train_images, train_labels) = (train_images?, train_labels?);
        let (test_images, test_labels) = (test_images?, test_labels?);
        let load_test = || Self::load(&test_images, &test_labels, classes.clone());
        let (train, test) = thread::scope(|scope| {
            // Where the system refuses a second thread, one loads both.
            let helper = thread::Builder::new().spawn_scoped(scope, load_test);
            let train = Self::load(&train_images, &train_labels, classes.clone());
            let test = helper.map(|helper| helper.join().unwrap_or_else(|panic| panic::resume_unwind(panic)));
            (train, test.unwrap_or_else(|_| load_test()))
        });
        let (train, test) = (train?, test?);
        if (train.height(), train.width()) != (test.height(), test.width()) {
            return Err(Error::data(
                format!("images of {} × {} as in {}", train.height(), train.width(), train_images.display()),
                format!("{} × {}", test.height(), test.width()),
                "take training and test files of one data set",
            )
            .in_file(&test_images));
        }
        Ok((train, test))
    }

    /// Loads images (an IDX file of rank 3, `u8`) and their labels (rank 1, `u8`), plain or packed with gzip.
    ///
    /// # Errors
    /// `Io` where a file cannot be read. `Data` where one is not such an IDX file, where they are swapped, their
    /// counts differ, or a label has no class.
    pub fn load(images: impl AsRef<Path>, labels: impl AsRef<Path>, classes: Vec<char>) -> Result<Self> {
        let (images, labels) = (images.as_ref(), labels.as_ref());
        check_classes(&classes)?;
        let (image_array, is_images_packed) = idx::read_file(images)?;
        let (label_array, is_labels_packed) = idx::read_file(labels)?;
        let in_images = |(error, offset)| at_offset(error, offset, is_images_packed).in_file(images);
        let in_labels = |(error, offset)| at_offset(error, offset, is_labels_packed).in_file(labels);
        if image_array.rank() == 1 && label_array.rank() == 3 {
            let error = Error::data(
                "images (an array of rank 3)",
                format!("labels, while {} holds images: the two are swapped", labels.display()),
                "name the images first and the labels second",
            );
            return Err(in_images((error, 3)));
        }
        let image_array = expect_bytes(image_array, 3, "images").map_err(in_images)?;
        let label_array = expect_bytes(label_array, 1, "labels").map_err(in_labels)?;
        let image_array = image_array.into_dimensionality::<Ix3>().expect("rank 3 was checked");
        let label_array = label_array.into_dimensionality::<Ix1>().expect("rank 1 was checked");
        let n_images = image_array.len_of(Axis(0));
        if label_array.len() != n_images {
            let error = Error::data(
                format!("{n_images} labels, one for each image of {}", images.display()),
                format!("{}", label_array.len()),
                "take images and labels of the same part of one data set",
            );
            return Err(in_labels((error, 4)));
        }
        let label_values = label_array.to_vec();
        const LABELS_HEADER_LENGTH: u64 = 8;
        check_labels(&label_values, classes.len())
            .map_err(|(error, index)| in_labels((error, LABELS_HEADER_LENGTH + index as u64)))?;
        Self::new(image_array, label_values, classes)
    }

    /// Writes two sets as a folder that [`LabeledImages::load_folder`] reads, packed with gzip under MNIST's names,
    /// with `classes.txt` beside them where the classes are not the ten digits (or such a file was there). The folder is
    /// made if need be. Nothing in it is replaced before all of the new files are whole and on the disk.
    ///
    /// # Errors
    /// `Argument` where a set is not one that [`LabeledImages::new`] accepts, where the sets differ in their classes or
    /// sizes, or where the folder holds a part of a data set under another name, which would be loaded in place of what
    /// is written; `Io` where it cannot be written.
    pub fn write_folder(folder: impl AsRef<Path>, train: &Self, test: &Self) -> Result<()> {
        let folder = folder.as_ref();
        for (set, name) in [(train, "training"), (test, "test")] {
            set.check().map_err(|error| {
                let found = format!("{} in the {name} set", error.found());
                Error::argument(error.expected(), found, "fix the set: LabeledImages::new checks one")
            })?;
        }
        if train.classes != test.classes || train.images.shape()[1..] != test.images.shape()[1..] {
            return Err(Error::argument(
                "two sets with the same classes and image size",
                "sets that differ in them",
                "write them into two folders",
            ));
        }
        refuse_other_names(folder)?;
        std::fs::create_dir_all(folder)
            .map_err(|error| Error::io("a folder to write into", error, "name another").in_file(folder))?;
        let paths = Part::ALL.map(|part| folder.join(part.name_written()));
        let classes_path = folder.join(CLASSES_FILE);
        let mut staged = Vec::new();
        for (part, path) in Part::ALL.into_iter().zip(&paths) {
            let set = if part.is_train { train } else { test };
            let array = IdxArray::U8(if part.is_images {
                set.images.clone().into_dyn()
            } else {
                ndarray::Array1::from(set.labels.clone()).into_dyn()
            });
            staged.push(Staged::new(path, |file| array.write_gzip_to(file))?);
        }
        // An older file of classes would give the new labels another meaning.
        if train.classes != digit_classes() || is_there(&classes_path) {
            staged.push(stage_classes(&classes_path, &train.classes)?);
        }
        staged.into_iter().try_for_each(Staged::commit)
    }
}

/// One of the four files of a data set.
#[derive(Clone, Copy)]
struct Part {
    is_train: bool,
    is_images: bool,
}

impl Part {
    const ALL: [Self; 4] = [
        Self { is_train: true, is_images: true },
        Self { is_train: true, is_images: false },
        Self { is_train: false, is_images: true },
        Self { is_train: false, is_images: false },
    ];

    /// The names that it may have.
    fn names(self) -> Vec<String> {
        let prefixes: &[&str] = if self.is_train { &["train"] } else { &["t10k", "test"] };
        let (content, rank) = if self.is_images { ("images", 3) } else { ("labels", 1) };
        let mut names = Vec::new();
        for prefix in prefixes {
            for separator in ["-", "."] {
                for ending in ["", ".gz"] {
                    names.push(format!("{prefix}-{content}{separator}idx{rank}-ubyte{ending}"));
                }
            }
        }
        names
    }

    /// The one that is written.
    fn name_written(self) -> &'static str {
        match (self.is_train, self.is_images) {
            (true, true) => "train-images-idx3-ubyte.gz",
            (true, false) => "train-labels-idx1-ubyte.gz",
            (false, true) => "t10k-images-idx3-ubyte.gz",
            (false, false) => "t10k-labels-idx1-ubyte.gz",
        }
    }

    /// The only file of the folder that has one of the names.
    fn find(self, folder: &Path) -> Result<PathBuf> {
        let names = self.names();
        let there: Vec<&String> = names.iter().filter(|name| is_there(&folder.join(name))).collect();
        match there[..] {
            [name] => Ok(folder.join(name)),
            [] => {
                let missing = std::io::Error::new(std::io::ErrorKind::NotFound, "none of them");
                let advice = if folder.is_dir() {
                    "put the file there, or download the data set"
                } else {
                    "this is no folder: check its name, or download the data set"
                };
                Err(Error::io(format!("one of the files {}", names.join(", ")), missing, advice).in_file(folder))
            }
            [first, second, ..] => {
                let set = if self.is_train { "training" } else { "test" };
                let content = if self.is_images { "images" } else { "labels" };
                Err(Error::data(
                    format!("one file of {set} {content}"),
                    format!("both {first} and {second}"),
                    "remove the one that is not wanted",
                )
                .in_file(folder))
            }
        }
    }
}

/// Whether the name is taken, be it by a link that leads nowhere.
fn is_there(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

/// Refuses a folder that would hold some part twice after writing.
fn refuse_other_names(folder: &Path) -> Result<()> {
    let other = Part::ALL.into_iter().find_map(|part| {
        part.names().into_iter().find(|name| *name != part.name_written() && is_there(&folder.join(name)))
    });
    match other {
        None => Ok(()),
        Some(name) => Err(Error::argument(
            "a folder without parts of a data set under names that are not written",
            name,
            "remove this file, or name another folder",
        )
        .in_file(folder)),
    }
}

fn read_classes(path: &Path) -> Result<Vec<char>> {
    const LENGTH_MAX: u64 = 4096; // 256 lines of a character of four bytes and a line end are 1536
    if !is_there(path) {
        return Ok(digit_classes());
    }
    let (file, length) = crate::gzip::open(path)?;
    let refuse = |found: String| {
        let expected = "UTF-8 text with one character a line";
        Error::data(expected, found, "fix or delete the file").in_file(path)
    };
    if length > LENGTH_MAX {
        return Err(refuse(format!("a file of {length} bytes")));
    }
    let text = std::io::read_to_string(file).map_err(|error| match error.kind() {
        std::io::ErrorKind::InvalidData => refuse("bytes that are not UTF-8".to_string()),
        _ => Error::io("a file that can be read", error, "check the disk or the connection").in_file(path),
    })?;
    let mut classes = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let mut characters = line.chars();
        match (characters.next(), characters.next()) {
            (Some(character), None) => classes.push(character),
            _ => return Err(refuse(format!("{} characters in line {}", line.chars().count(), index + 1))),
        }
    }
    check_classes(&classes).map_err(|error| error.in_file(path))?;
    Ok(classes)
}

fn stage_classes<'a>(path: &'a Path, classes: &[char]) -> Result<Staged<'a>> {
    let text: String = classes.iter().flat_map(|&class| [class, '\n']).collect();
    Staged::new(path, |file| {
        file.write_all(text.as_bytes())
            .map_err(|error| Error::io("to write the classes", error, "check the space on the disk"))
    })
}

/// An error comes with its offset.
fn expect_bytes(array: IdxArray, rank: usize, content: &str) -> std::result::Result<ndarray::ArrayD<u8>, (Error, u64)> {
    match array {
        IdxArray::U8(bytes) if bytes.ndim() == rank => Ok(bytes),
        other => {
            let offset = if other.element() == IdxElement::U8 { 3 } else { 2 };
            let error = Error::data(
                format!("{content}: an array of rank {rank} of u8"),
                format!("an array of rank {} of {}", other.rank(), other.element()),
                "name another file",
            );
            Err((error, offset))
        }
    }
}

/// Attaches an offset in the content of a file, which is none in the file itself where it was packed.
fn at_offset(error: Error, offset: u64, is_packed: bool) -> Error {
    if is_packed { error.at_unpacked_byte(offset) } else { error.at_byte(offset) }
}
