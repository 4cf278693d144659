//! A data set on the disk: a folder of four IDX files, as MNIST is published.

use crate::classes_file::{self, CLASSES_FILE};
use crate::error::{Error, Result};
use crate::idx::{self, IdxArray, IdxElement, Staged, Storage};
use crate::images::{LabeledImages, check_classes, check_labels, digit_classes};
use crate::note::{Note, Part};
use crate::part_file::{PartFile, is_there};
use ndarray::{Axis, Ix1, Ix3};
use std::path::Path;
use std::{panic, thread};

impl LabeledImages {
    /// Loads the training and the test set from a folder of four IDX files, plain or packed with gzip.
    ///
    /// Their names are MNIST's, `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, `t10k-images-idx3-ubyte` and
    /// `t10k-labels-idx1-ubyte`, or the same with a dot (`train-images.idx3-ubyte`), or `test` for `t10k`; each may end
    /// in `.gz`, and each may lie in a folder of its name, as some archives unpack. The classes are the ten digits, unless
    /// a file `classes.txt` names others, one character or word a line. The two sets are loaded at the same time, the second by a
    /// thread that is started for it.
    ///
    /// # Errors
    /// `Io` where a file is missing (with the names that were tried) or cannot be read; `Data` as
    /// [`LabeledImages::load`], where the two sets have images of different sizes, and where two files with different
    /// content have names for the same part, as then either could be the one that is meant.
    pub fn load_folder(folder: impl AsRef<Path>) -> Result<(Self, Self)> {
        Self::load_folder_with(folder, |_| {})
    }

    /// [`LabeledImages::load_folder`], telling `on_note` what a person may want to know about the files.
    ///
    /// # Errors
    /// As [`LabeledImages::load_folder`].
    pub fn load_folder_with(folder: impl AsRef<Path>, on_note: impl FnMut(Note)) -> Result<(Self, Self)> {
        let folder = folder.as_ref();
        let classes = classes_file::read(&folder.join(CLASSES_FILE))?;
        let [train_images, train_labels, test_images, test_labels] = PartFile::ALL.map(|file| file.find(folder));
        let (train_images, train_labels) = (train_images?, train_labels?);
        let (test_images, test_labels) = (test_images?, test_labels?);
        let load_test = || load_with_notes(&test_images, &test_labels, classes.clone());
        let (train, test) = thread::scope(|scope| {
            // Where the system refuses a second thread, one loads both.
            let helper = thread::Builder::new().spawn_scoped(scope, load_test);
            let train = load_with_notes(&train_images, &train_labels, classes.clone());
            let test = helper.map(|helper| helper.join().unwrap_or_else(|panic| panic::resume_unwind(panic)));
            (train, test.unwrap_or_else(|_| load_test()))
        });
        let ((train, notes), (test, more_notes)) = (train?, test?);
        if (train.height(), train.width()) != (test.height(), test.width()) {
            return Err(Error::data(
                format!("images of {} × {} as in {}", train.height(), train.width(), train_images.display()),
                format!("{} × {}", test.height(), test.width()),
                "take training and test files of one data set",
            )
            .in_file(&test_images));
        }
        notes.into_iter().chain(more_notes).for_each(on_note);
        Ok((train, test))
    }

    /// Loads the test set alone, from a folder that may hold no training set: something to measure a network on.
    ///
    /// # Errors
    /// As [`LabeledImages::load_folder`], for the two files of the test set and `classes.txt`.
    pub fn load_test(folder: impl AsRef<Path>, on_note: impl FnMut(Note)) -> Result<Self> {
        let folder = folder.as_ref();
        let classes = classes_file::read(&folder.join(CLASSES_FILE))?;
        let [images, labels] = PartFile::both(Part::Test).map(|file| file.find(folder));
        let (test, notes) = load_with_notes(&images?, &labels?, classes)?;
        notes.into_iter().for_each(on_note);
        Ok(test)
    }

    /// Loads images (an IDX file of rank 3, `u8`) and their labels (rank 1, `u8`), plain or packed with gzip.
    ///
    /// # Errors
    /// `Io` where a file cannot be read. `Data` where one is not such an IDX file, where they are swapped, their
    /// counts differ, or a label has no class.
    pub fn load(images: impl AsRef<Path>, labels: impl AsRef<Path>, classes: Vec<String>) -> Result<Self> {
        load_with_notes(images.as_ref(), labels.as_ref(), classes).map(|(set, _)| set)
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
        write_files(folder, &[(Part::Train, train), (Part::Test, test)])
    }

    /// Writes a test set as a folder that [`LabeledImages::load_test`] reads: two files, otherwise as
    /// [`LabeledImages::write_folder`].
    ///
    /// # Errors
    /// As [`LabeledImages::write_folder`], and `Argument` where the folder holds a training set, with which the test set
    /// would become one data set.
    pub fn write_test(folder: impl AsRef<Path>, test: &Self) -> Result<()> {
        let folder = folder.as_ref();
        test.check().map_err(|error| {
            Error::argument(error.expected(), error.found(), "fix the set: LabeledImages::new checks one")
        })?;
        if PartFile::both(Part::Train).into_iter().any(|file| file.is_in(folder)) {
            let expected = "a folder without training images";
            return Err(Error::argument(expected, "some", "name another folder").in_file(folder));
        }
        write_files(folder, &[(Part::Test, test)])
    }
}

/// Writes these sets, whose classes are the same. Nothing is replaced before all of the new files are whole and on the disk.
fn write_files(folder: &Path, sets: &[(Part, &LabeledImages)]) -> Result<()> {
    refuse_other_names(folder)?;
    std::fs::create_dir_all(folder)
        .map_err(|error| Error::io("a folder to write into", error, "name another").in_file(folder))?;
    let files: Vec<_> = sets
        .iter()
        .flat_map(|&(part, set)| PartFile::both(part).map(|file| (file, set, folder.join(file.name_written()))))
        .collect();
    let classes_path = folder.join(CLASSES_FILE);
    let mut staged = Vec::new();
    for (file, set, path) in &files {
        let array = IdxArray::U8(if file.is_images {
            set.images.clone().into_dyn()
        } else {
            ndarray::Array1::from(set.labels.clone()).into_dyn()
        });
        staged.push(Staged::new(path, |file| array.write_gzip_to(file))?);
    }
    // An older file of classes would give the new labels another meaning.
    let classes = &sets[0].1.classes;
    if *classes != digit_classes() || is_there(&classes_path) {
        staged.push(classes_file::stage(&classes_path, classes)?);
    }
    staged.into_iter().try_for_each(Staged::commit)
}

/// [`LabeledImages::load`], with what a person may want to know about the files.
fn load_with_notes(images: &Path, labels: &Path, classes: Vec<String>) -> Result<(LabeledImages, Vec<Note>)> {
    check_classes(&classes)?;
    let (image_array, images_stored) = idx::read_file(images)?;
    let (label_array, labels_stored) = idx::read_file(labels)?;
    let in_images = |(error, offset)| at_offset(error, offset, images_stored).in_file(images);
    let in_labels = |(error, offset)| at_offset(error, offset, labels_stored).in_file(labels);
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
    let n_classes = classes.len();
    check_labels(&label_values, n_classes).map_err(|(_, index)| {
        in_labels((unknown_label(&label_values, n_classes, index), LABELS_HEADER_LENGTH + index as u64))
    })?;
    let stored = [(images, images_stored), (labels, labels_stored)];
    let notes = stored
        .into_iter()
        .filter(|(_, stored)| stored.n_padding > 0)
        .map(|(path, stored)| Note::ZerosAfterGzip { path: path.to_path_buf(), n_zeros: stored.n_padding });
    let notes = notes.collect();
    Ok((LabeledImages::new(image_array, label_values, classes)?, notes))
}

/// Refuses a folder that would hold some part twice after writing.
fn refuse_other_names(folder: &Path) -> Result<()> {
    let other = PartFile::ALL.into_iter().find_map(|file| {
        file.names().into_iter().find(|name| *name != file.name_written() && is_there(&folder.join(name)))
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

/// A label that has no class. Labels that count from 1 are told apart from damaged ones.
fn unknown_label(labels: &[u8], n_classes: usize, index: usize) -> Error {
    let (least, greatest) = labels.iter().fold((u8::MAX, 0), |(low, high), &label| (low.min(label), high.max(label)));
    let expected = format!("labels from 0 to {}, one for each class", n_classes - 1);
    if least != 1 {
        let found = format!("{} as label of image {index}", labels[index]);
        let advice = format!(
            "the labels are damaged, or the classes are others: {CLASSES_FILE} beside them names them, one a line"
        );
        return Error::data(expected, found, advice);
    }
    let advice = format!(
        "name the classes in {CLASSES_FILE} beside them, one a line, the first for label 0; as these \
         count from 1, as EMNIST's letters do, that first line holds any character that is no other's"
    );
    Error::data(expected, format!("labels from 1 to {greatest}"), advice)
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
fn at_offset(error: Error, offset: u64, stored: Storage) -> Error {
    if stored.is_packed { error.at_unpacked_byte(offset) } else { error.at_byte(offset) }
}
