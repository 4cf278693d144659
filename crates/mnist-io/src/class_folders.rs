//! The folders of a data set of pictures: one for each class, and how they are named.
//!
//! A folder's name is its class, a character or a word (`7`, `A`, `cat`), or a number, a hyphen and the class (`36-a`,
//! `2-dog`), which sets the order of the classes and keeps `A` and `a` apart where file systems do not. A class that cannot be
//! a name is written as its code points (`10-U+002F`, `3-U+0041 U+002F U+0042`).

use crate::error::{Error, Result};
use crate::folder_kind::FolderKind;
use crate::images::check_classes;
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
    pub(crate) class: String,
    pub(crate) path: PathBuf,
}

/// The class folders in `folder`, in the order of their numbers; where one has none, in that of their classes, which are
/// compared as numbers where all are.
pub(crate) fn class_folders(folder: &Path) -> Result<Vec<ClassFolder>> {
    let mut folders = Vec::new();
    for path in entries(folder)? {
        if !path.is_dir() {
            continue;
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let class = if is_for_another_purpose(&path, &name) { None } else { parse_folder_name(&name) };
        let Some((number, class)) = class else { return Err(misnamed(&path, &name)) };
        folders.push(ClassFolder { number, class, path });
    }
    if folders.iter().all(|folder| folder.number.is_some()) {
        folders.sort_by(|one, other| (one.number, &one.class).cmp(&(other.number, &other.class)));
    } else if folders.iter().all(|folder| folder.class.parse::<u32>().is_ok()) {
        folders.sort_by_key(|folder| folder.class.parse::<u32>().ok());
    } else {
        folders.sort_by(|one, other| one.class.cmp(&other.class));
    }
    let mut seen = BTreeMap::new();
    for folder in &folders {
        if let Some(other) = seen.insert(&folder.class, &folder.path) {
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

/// Whether a folder beside those of the classes is something else, by its name or by what is in it.
fn is_for_another_purpose(path: &Path, name: &str) -> bool {
    let holds_no_class = || match FolderKind::of(path) {
        FolderKind::DataSet | FolderKind::TestSet => true,
        _ => image_files(path).is_err(),
    };
    let is_a_word = parse_folder_name(name).is_none_or(|(number, class)| number.is_none() && class.chars().count() > 1);
    is_a_word
        && (is_for_validation(name)
            || split_part(path).is_some()
            || spelt_otherwise(name).is_some()
            || holds_no_class())
}

fn is_for_validation(name: &str) -> bool {
    ["val", "valid", "validation", "dev"].contains(&name.to_lowercase().as_str())
}

/// Why a folder is none of a class.
fn misnamed(path: &Path, name: &str) -> Error {
    let holds_nothing = !matches!(
        FolderKind::of(path),
        FolderKind::ClassFolders | FolderKind::DataSet | FolderKind::TestSet | FolderKind::Images
    );
    if holds_nothing && !is_for_validation(name) && spelt_otherwise(name).is_none() {
        let advice = "put pictures of its class there, or move it away";
        return Error::data("pictures in each folder that is named by a class", "none", advice).in_file(path);
    }
    let (found, advice) = if is_for_validation(name) {
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
    let expected = "a folder named by its class, such as 7, A, cat, 36-a or 10-U+002F";
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
pub(crate) fn folder_name(index: usize, class: &str) -> String {
    let is_plain = |letter: char| letter.is_alphanumeric() || (" -_".contains(letter) && class.chars().count() > 1);
    if class.chars().all(is_plain) && class.trim() == class {
        return format!("{index:02}-{class}");
    }
    let code_points: Vec<String> = class.chars().map(|letter| format!("U+{:04X}", u32::from(letter))).collect();
    format!("{index:02}-{}", code_points.join(" "))
}

/// The number and the class in the name of a class's folder.
fn parse_folder_name(name: &str) -> Option<(Option<u32>, String)> {
    if name.chars().count() == 1 {
        return plain_class(name).map(|class| (None, class));
    }
    let (number, rest) = match name.split_once('-') {
        Some((number, rest)) if !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()) => {
            (Some(number.parse().ok()?), rest)
        }
        _ => (None, name),
    };
    let class = if rest.starts_with("U+") { code_points(rest)? } else { rest.to_owned() };
    plain_class(&class).map(|class| (number, class))
}

fn code_points(text: &str) -> Option<String> {
    let code_point = |part: &str| char::from_u32(u32::from_str_radix(part.strip_prefix("U+")?, 16).ok()?);
    text.split(' ').map(code_point).collect()
}

fn plain_class(class: &str) -> Option<String> {
    let is_plain = check_classes(&[class.to_owned()]).is_ok();
    is_plain.then(|| class.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_folder_is_read_as_it_was_written() {
        let characters = ["0", "A", "a", "お", "/", ".", "-", " ", "7", "\\", "é"];
        let words = ["cat", "T-shirt", "U+0041", "and/or", "..", " a", "10", "3-in-1", "ankle boot", "a ", "CON:"];
        for (index, class) in characters.into_iter().chain(words).enumerate() {
            let name = folder_name(index, class);
            assert_eq!(parse_folder_name(&name), Some((Some(index as u32), class.to_owned())), "{name}");
            assert!(!name.contains(['/', '\\']) && !name.starts_with('.'), "{name}");
        }
    }

    #[test]
    fn a_character_or_a_word_names_a_class() {
        let parsed = |name: &str| parse_folder_name(name).map(|(number, class)| (number.unwrap_or(0), class));
        let class = |number: u32, class: &str| Some((number, class.to_owned()));
        assert_eq!(parsed("7"), class(0, "7"));
        assert_eq!(parsed("-"), class(0, "-"));
        assert_eq!(parsed("U+0041"), class(0, "A"));
        assert_eq!(parsed("cat"), class(0, "cat"));
        assert_eq!(parsed("7-cat"), class(7, "cat"));
        assert_eq!(parsed("T-shirt"), class(0, "T-shirt"));
        assert_eq!(parsed("10"), class(0, "10"));
        let long = "a".repeat(101);
        for name in ["7-", "", "1-U+110000", "1-U+000A", "1-U+0041U+0042", "99999999999-a", "a\tb", &long] {
            assert_eq!(parse_folder_name(name), None, "{name}");
        }
    }
}
