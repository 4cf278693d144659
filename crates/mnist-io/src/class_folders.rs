//! The folders of a data set of pictures: one for each class, and how they are named.
//!
//! A folder's name is the character of its class (`7`, `A`), or a number, a hyphen and the character (`36-a`), which
//! sets the order of the classes and keeps `A` and `a` apart where file systems do not. A character that cannot be part
//! of a name is written as its code point (`10-U+002F`).

use crate::error::{Error, Result};
use crate::folder_kind::FolderKind;
use crate::note::Part;
use crate::photo_file::IMAGE_ENDINGS;
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// A folder of images of one class.
#[derive(Debug)]
pub(crate) struct ClassFolder {
    /// The number before the hyphen, if there is one.
    number: Option<u32>,
    pub(crate) class: char,
    pub(crate) path: PathBuf,
}

/// The class folders in `folder`, in the order of their numbers, or of their characters where one has no number.
pub(crate) fn class_folders(folder: &Path) -> Result<Vec<ClassFolder>> {
    let mut folders = Vec::new();
    for path in entries(folder)? {
        if !path.is_dir() {
            continue;
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let Some((number, class)) = parse_folder_name(&name) else {
            return Err(misnamed(&path, &name));
        };
        folders.push(ClassFolder { number, class, path });
    }
    if folders.iter().all(|folder| folder.number.is_some()) {
        folders.sort_by_key(|folder| (folder.number, folder.class));
    } else {
        folders.sort_by_key(|folder| folder.class);
    }
    let mut seen = BTreeMap::new();
    for folder in &folders {
        if let Some(other) = seen.insert(folder.class, &folder.path) {
            return Err(Error::data(
                format!("one folder for {:?}", folder.class),
                format!("{} too", other.display()),
                "put their pictures into one",
            )
            .in_file(&folder.path));
        }
    }
    match folders.len() {
        1..=256 => Ok(folders),
        0 => Err(without_classes(folder)),
        n => Err(Error::data("at most 256 classes", n.to_string(), "move some away").in_file(folder)),
    }
}

/// Which part of a set a folder holds, by its name: `train` or `training`, `test` or `testing`, in letters of any case.
pub(crate) fn split_part(folder: &Path) -> Option<Part> {
    match folder.file_name()?.to_string_lossy().to_lowercase().as_str() {
        "train" | "training" => Some(Part::Train),
        "test" | "testing" => Some(Part::Test),
        _ => None,
    }
}

/// The folders of the training and the test images, where the folder is split already, and those beside them.
pub(crate) fn split_folders(folder: &Path) -> Result<Option<([PathBuf; 2], Vec<PathBuf>)>> {
    let (mut train, mut test, mut others) = (Vec::new(), Vec::new(), Vec::new());
    for path in entries(folder)?.into_iter().filter(|path| path.is_dir()) {
        match split_part(&path) {
            Some(Part::Train) => train.push(path),
            Some(Part::Test) => test.push(path),
            None => others.push(path),
        }
    }
    let name = |path: &Path| path.file_name().unwrap_or_default().display().to_string();
    let (expected, found, advice) = match (&train[..], &test[..]) {
        ([], []) => return Ok(None),
        ([train], [test]) => return Ok(Some(([train.clone(), test.clone()], others))),
        ([one, other, ..], _) | (_, [one, other, ..]) => (
            "one folder for the training and one for the test images",
            format!("both {} and {}", name(one), name(other)),
            "put their pictures into one".to_owned(),
        ),
        ([alone], []) | ([], [alone]) => (
            "folders train and test side by side, or a folder for each class",
            format!("\"{}\" alone", name(alone)),
            format!("add the other one, or name {}, whose pictures are then split", alone.display()),
        ),
    };
    Err(Error::data(expected, found, advice).in_file(folder))
}

/// Why a folder is none of a class.
fn misnamed(path: &Path, name: &str) -> Error {
    let (found, advice) = if let "val" | "valid" | "validation" | "dev" = name.to_lowercase().as_str() {
        let advice = "move its pictures to those of its classes, or away: samples for validation are drawn from them";
        (format!("\"{name}\", a folder for validation"), advice.to_owned())
    } else if let Some(part) = spelt_otherwise(name) {
        (format!("\"{name}\", a folder of {part} images"), "rename it to train or test, side by side".to_owned())
    } else {
        match FolderKind::of(path) {
            FolderKind::ClassFolders => {
                (format!("\"{name}\", in which are folders of pictures"), format!("name {}", path.display()))
            }
            FolderKind::DataSet | FolderKind::TestSet => {
                (format!("\"{name}\", in which are IDX files"), "they need no import: load them".to_owned())
            }
            _ => (format!("\"{name}\""), "rename it or move it away".to_owned()),
        }
    };
    let expected = "a folder named by the character of its class, such as 7, A, 36-a or 10-U+002F";
    Error::data(expected, found, advice).in_file(path)
}

/// The part that is meant by a name such as `trainingSet` or `test_images`.
fn spelt_otherwise(name: &str) -> Option<Part> {
    let letters: String = name.to_lowercase().chars().filter(|letter| letter.is_alphabetic()).collect();
    let stem = ["set", "images", "data", "pictures"].iter().find_map(|ending| letters.strip_suffix(ending))?;
    split_part(Path::new(stem))
}

/// Why a folder without folders is no data set.
fn without_classes(folder: &Path) -> Error {
    let (found, advice) = match FolderKind::of(folder) {
        FolderKind::DataSet | FolderKind::TestSet => ("IDX files", "they need no import: load them"),
        FolderKind::Images => ("pictures in no such folder", "make one for each class and put them there"),
        _ => ("none", "make one for each"),
    };
    Error::data("a folder of pictures for each class, such as 7 or A", found, advice).in_file(folder)
}

/// The PNG and JPEG files in `folder`, sorted by name: those whose names end in `.png`, `.jpg` or `.jpeg` and do not begin
/// with a dot. Folders in it are not looked into.
///
/// # Errors
/// `Io` where the folder cannot be read; `Data` where it holds no such file.
pub fn image_files(folder: impl AsRef<Path>) -> Result<Vec<PathBuf>> {
    let folder = folder.as_ref();
    let entries = entries(folder)?;
    let images: Vec<PathBuf> = entries.iter().filter(|path| is_image(path)).cloned().collect();
    if !images.is_empty() {
        return Ok(images);
    }
    let (found, advice) = match entries.iter().find(|path| path.is_dir()) {
        Some(inner) => {
            (format!("none, but folders such as {}", inner.display()), "name those in which the pictures are")
        }
        None => ("none".to_owned(), "name the folder in which the pictures are"),
    };
    Err(Error::data("pictures (PNG, JPEG, WebP, BMP or GIF)", found, advice).in_file(folder))
}

/// The entries of a folder whose names do not begin with a dot, sorted by name.
pub(crate) fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let read = || -> io::Result<Vec<PathBuf>> {
        let mut paths = Vec::new();
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            if !entry.file_name().to_string_lossy().starts_with('.') {
                paths.push(entry.path());
            }
        }
        paths.sort();
        Ok(paths)
    };
    read().map_err(|error| {
        Error::io("a folder that can be read", error, "check the path and its permissions").in_file(folder)
    })
}

pub(crate) fn is_image(path: &Path) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    IMAGE_ENDINGS.iter().any(|known| ending.eq_ignore_ascii_case(known)) && path.is_file()
}

/// The name of the folder of a class.
pub(crate) fn folder_name(index: usize, class: char) -> String {
    if class.is_alphanumeric() {
        format!("{index:02}-{class}")
    } else {
        format!("{index:02}-U+{:04X}", u32::from(class))
    }
}

/// The number and the character in the name of a class's folder.
fn parse_folder_name(name: &str) -> Option<(Option<u32>, char)> {
    if let Some(class) = only_character(name) {
        return Some((None, class));
    }
    let (number, rest) = match name.split_once('-') {
        Some((number, rest)) if !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()) => {
            (Some(number.parse().ok()?), rest)
        }
        _ => (None, name),
    };
    let code_point = || char::from_u32(u32::from_str_radix(rest.strip_prefix("U+")?, 16).ok()?);
    let class = only_character(rest).or_else(code_point)?;
    (!class.is_control()).then_some((number, class))
}

fn only_character(text: &str) -> Option<char> {
    let mut characters = text.chars();
    match (characters.next(), characters.next()) {
        (Some(character), None) => Some(character),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_folder_is_read_as_it_was_written() {
        for (index, class) in ['0', 'A', 'a', 'お', '/', '.', '-', ' ', '7', '\\', 'é'].into_iter().enumerate() {
            let name = folder_name(index, class);
            assert_eq!(parse_folder_name(&name), Some((Some(index as u32), class)), "{name}");
            assert!(!name.contains(['/', '\\']) && !name.starts_with('.'), "{name}");
        }
    }

    #[test]
    fn a_character_alone_names_a_class_and_a_word_does_not() {
        assert_eq!(parse_folder_name("7"), Some((None, '7')));
        assert_eq!(parse_folder_name("-"), Some((None, '-')));
        assert_eq!(parse_folder_name("U+0041"), Some((None, 'A')));
        for name in ["cat", "7-", "", "10", "-7", "7-cat", "1-U+110000", "1-U+000A", "99999999999-a"] {
            assert_eq!(parse_folder_name(name), None, "{name}");
        }
    }
}
