//! Folders of Parquet files, as a repository of the hub is downloaded: `train-00000-of-00001.parquet` and its like for testing.

use super::read_prepared;
use crate::class_folders::{entries, split_part};
use crate::error::{Error, Result};
use crate::image_folder::{ImportOptions, ImportedImages, split};
use crate::images::LabeledImages;
use crate::note::{Note, Part};
use ndarray::{Axis, concatenate};
use std::path::{Path, PathBuf};

/// The Parquet files in `folder`, sorted by name.
pub(crate) fn parquet_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let is_parquet = |path: &PathBuf| path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("parquet"));
    Ok(entries(folder)?.into_iter().filter(is_parquet).collect())
}

/// Makes a training and a test set of files that are called `train` or `test` up to their first hyphen. Where none is for
/// testing, those to learn from are split. Other files are passed over, with a note.
pub(crate) fn import_parquet_folder(
    folder: &Path,
    files: Vec<PathBuf>,
    options: &ImportOptions,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<ImportedImages> {
    let (mut train, mut test, mut notes) = (Vec::new(), Vec::new(), Vec::new());
    for path in files {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        match split_part(Path::new(name.split(['-', '.']).next().unwrap_or_default())) {
            Some(Part::Train) => train.push(path),
            Some(Part::Test) => test.push(path),
            None => notes.push(Note::FilePassedOver { path }),
        }
    }
    if train.is_empty() {
        let expected = "Parquet files whose names begin with train, and with test";
        return Err(Error::data(expected, "none of them", "name one file, which is then split").in_file(folder));
    }
    let n_all = train.len() + test.len();
    let (mut n_done, mut n_prepared) = (0, 0);
    let mut read = |paths: &[PathBuf]| {
        let mut sets = Vec::new();
        for path in paths {
            progress(n_done, n_all);
            n_done += 1;
            let (set, n) = read_prepared(path, options.preparation)?;
            n_prepared += n;
            sets.push((path.clone(), set));
        }
        together(sets)
    };
    let train = read(&train)?;
    let (train, test) = if test.is_empty() {
        split(train, options, folder)?
    } else {
        notes.extend((options.test_share == 1.0).then_some(Note::SplitKept));
        let test = read(&test)?;
        check_alike(&train, &test, folder)?;
        (train, test)
    };
    Ok(ImportedImages { train, test, n_prepared, n_skipped: 0, notes })
}

/// The images of several files as one set.
fn together(sets: Vec<(PathBuf, LabeledImages)>) -> Result<LabeledImages> {
    let mut sets = sets.into_iter();
    let Some((_, mut all)) = sets.next() else { unreachable!("a part has a file") };
    for (path, set) in sets {
        check_alike(&all, &set, &path)?;
        all.images = concatenate(Axis(0), &[all.images.view(), set.images.view()]).expect("images of one size");
        all.labels.extend(set.labels);
    }
    Ok(all)
}

fn check_alike(one: &LabeledImages, other: &LabeledImages, place: &Path) -> Result<()> {
    let form =
        |set: &LabeledImages| format!("images of {} × {} in {} classes", set.width(), set.height(), set.classes.len());
    if (one.width(), one.height(), &one.classes) == (other.width(), other.height(), &other.classes) {
        return Ok(());
    }
    let expected = format!("{}, as in the files before", form(one));
    Err(Error::data(expected, form(other), "take the files of one data set").in_file(place))
}
