//! What a folder seems to hold, so that a wrong one can be called what it is.

use crate::class_folders::{is_image, split_part};
use crate::note::Part;
use crate::part_file::PartFile;
use std::fs;
use std::path::{Path, PathBuf};

/// What a folder seems to hold, by the names in it; no file is opened.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FolderKind {
    /// Training images of a data set as IDX files, or their labels.
    DataSet,
    /// Test images or labels as IDX files, and none to learn from.
    TestSet,
    /// Folders with pictures in them, perhaps in `train` and `test`.
    ClassFolders,
    /// Pictures that are not sorted into folders.
    Images,
    /// Nothing of these, but a folder that does.
    Nested(PathBuf),
    /// Something else, or nothing.
    Other,
}

impl FolderKind {
    /// Looks into `folder`, and into the folders in it. What cannot be read counts as empty.
    pub fn of(folder: impl AsRef<Path>) -> Self {
        let folder = folder.as_ref();
        match without_nesting(folder) {
            FolderKind::Other => {
                let inner = folders_in(folder).into_iter().find(|inner| without_nesting(inner) != FolderKind::Other);
                inner.map_or(FolderKind::Other, FolderKind::Nested)
            }
            kind => kind,
        }
    }
}

fn without_nesting(folder: &Path) -> FolderKind {
    let has = |part: Part| PartFile::both(part).into_iter().any(|file| file.is_in(folder));
    if has(Part::Train) {
        return FolderKind::DataSet;
    }
    if has(Part::Test) {
        return FolderKind::TestSet;
    }
    let inner = folders_in(folder);
    let is_split =
        |path: &PathBuf| split_part(path).is_some() && folders_in(path).iter().any(|path| holds_images(path));
    if inner.iter().any(|path| holds_images(path) || is_split(path)) {
        return FolderKind::ClassFolders;
    }
    if holds_images(folder) { FolderKind::Images } else { FolderKind::Other }
}

fn holds_images(folder: &Path) -> bool {
    fs::read_dir(folder).into_iter().flatten().flatten().any(|entry| is_image(&entry.path()))
}

/// The folders in a folder, sorted, without hidden ones.
fn folders_in(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let is_hidden = |path: &Path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
    let mut folders: Vec<PathBuf> =
        entries.map(|entry| entry.path()).filter(|path| !is_hidden(path) && path.is_dir()).collect();
    folders.sort();
    folders
}
