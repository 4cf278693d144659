//! Data sets as folders of pictures: a folder for each class, so that a person can look at them, sort them and make some.
//!
//! A folder's name is the character of its class (`7`, `A`), or a number, a hyphen and the character (`36-a`), which
//! sets the order of the classes and keeps `A` and `a` apart where file systems do not. A character that cannot be part
//! of a name is written as its code point (`10-U+002F`). The pictures of all classes are taken in the order of their own
//! names.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use image::{DynamicImage, GrayImage, Luma};
use mnist_io::{LabeledImages, prepare_digit, read_picture};
use ndarray::{Array2, Array3, Axis};

use crate::data;
use crate::failure::{Code, Failure};

/// The subfolders of a folder that is split already.
pub(crate) const PARTS: [&str; 2] = ["train", "test"];

/// The side of MNIST's images, which pictures are prepared to be like.
const SIDE: u32 = 28;

/// What is not shown of a long list of bad pictures.
const N_REASONS_SHOWN: usize = 20;

/// A folder of pictures of one class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ClassFolder {
    /// The number before the hyphen, if there is one.
    number: Option<u32>,
    class: char,
    path: PathBuf,
}

/// How pictures become images.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Taking {
    /// As photos are read by `predict`, unless they are of MNIST's size already.
    Prepared,
    /// Pixel by pixel; all must have one size.
    AsTheyAre,
}

/// The images of a folder of classes.
pub(crate) struct Taken {
    pub(crate) set: LabeledImages,
    /// How many pictures had to be prepared.
    pub(crate) n_prepared: usize,
    /// Files that were passed over, as their names do not end like those of pictures.
    pub(crate) n_passed_over: usize,
}

/// The name of the folder of a class.
pub(crate) fn folder_name(index: usize, class: char) -> String {
    match class.is_alphanumeric() {
        true => format!("{index:02}-{class}"),
        false => format!("{index:02}-U+{:04X}", u32::from(class)),
    }
}

/// The class folders in `folder`, in the order of their numbers, or of their characters where one has no number.
pub(crate) fn class_folders(folder: &Path) -> Result<Vec<ClassFolder>, Failure> {
    let mut folders = Vec::new();
    for path in entries(folder)? {
        if !path.is_dir() {
            continue;
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let (number, class) = parse_folder_name(&name).ok_or_else(|| {
            Failure::data(format!(
                "{}: expected a folder named by the character of its class, such as 7, A, 36-a or 10-U+002F, found \
                 \"{name}\"; rename it or move it away",
                path.display()
            ))
        })?;
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
            return Err(Failure::data(format!(
                "{}: expected one folder for {:?}, found {} too; put their pictures into one",
                folder.path.display(),
                folder.class,
                other.display()
            )));
        }
    }
    match folders.len() {
        0 => Err(Failure::data(format!(
            "{}: expected a folder of pictures for each class, such as 7 or A, found none",
            folder.display()
        ))),
        1..=256 => Ok(folders),
        n => Err(Failure::data(format!("{}: expected at most 256 classes, found {n}", folder.display()))),
    }
}

/// The classes of folders, in their order.
pub(crate) fn classes(folders: &[ClassFolder]) -> Vec<char> {
    folders.iter().map(|folder| folder.class).collect()
}

/// Reads all pictures of the folders, in the order of their names; `shape` is the height and width that they must have,
/// if that is known.
///
/// Code 3 with every picture that cannot be used, and why.
pub(crate) fn take(
    folders: &[ClassFolder],
    taking: Taking,
    mut shape: Option<(usize, usize)>,
    progress: &dyn Fn(usize, usize),
) -> Result<Taken, Failure> {
    let (mut found, mut n_passed_over) = (Vec::new(), 0);
    for (label, folder) in folders.iter().enumerate() {
        for path in entries(&folder.path)? {
            match is_picture(&path) {
                true => found.push((path.file_stem().unwrap_or_default().to_owned(), label, path)),
                false => n_passed_over += 1,
            }
        }
    }
    found.sort();
    if found.is_empty() {
        let folder = folders.first().and_then(|folder| folder.path.parent()).unwrap_or(Path::new("."));
        return Err(Failure::data(format!("{}: expected PNG or JPEG pictures, found none", folder.display())));
    }
    let (mut pixels, mut labels, mut n_prepared) = (Vec::new(), Vec::new(), 0);
    let mut reasons = Vec::new();
    let n_all = found.len();
    for (index, (_, label, path)) in found.into_iter().enumerate() {
        progress(index, n_all);
        let taken = take_one(&path, taking).and_then(|(image, was_prepared)| match shape {
            Some(shape) if shape != image.dim() => {
                let (height, width) = image.dim();
                Err(format!(
                    "{}: expected {} × {} pixels like the pictures before, found {width} × {height}",
                    path.display(),
                    shape.1,
                    shape.0
                ))
            }
            _ => Ok((image, was_prepared)),
        });
        match taken {
            Ok((image, was_prepared)) => {
                shape = Some(image.dim());
                n_prepared += usize::from(was_prepared);
                pixels.extend(image);
                labels.push(label as u8);
            }
            Err(reason) => reasons.push(reason),
        }
    }
    if !reasons.is_empty() {
        return Err(refused(&reasons, n_all));
    }
    let (height, width) = shape.unwrap_or_default();
    let images = Array3::from_shape_vec((labels.len(), height, width), pixels).expect("images of one size");
    let set = LabeledImages::new(images, labels, classes(folders)).map_err(|error| data::failure(&error))?;
    Ok(Taken { set, n_prepared, n_passed_over })
}

/// Writes every image of `set` as a PNG into the folder of its class below `folder`, named by its place in the set.
pub(crate) fn write_all(set: &LabeledImages, folder: &Path, progress: &dyn Fn(usize)) -> Result<(), Failure> {
    let folders: Vec<PathBuf> =
        set.classes.iter().enumerate().map(|(index, &class)| folder.join(folder_name(index, class))).collect();
    for folder in &folders {
        fs::create_dir_all(folder).map_err(|error| Failure::io("create the folder", folder, &error))?;
    }
    for (index, (image, &label)) in set.images.axis_iter(Axis(0)).zip(&set.labels).enumerate() {
        let path = folders[usize::from(label)].join(format!("{index:07}.png"));
        let (height, width) = image.dim();
        let picture = GrayImage::from_fn(width as u32, height as u32, |x, y| Luma([image[[y as usize, x as usize]]]));
        picture
            .save(&path)
            .map_err(|error| Failure::new(Code::InputOutput, format!("cannot write {}: {error}", path.display())))?;
        progress(index + 1);
    }
    Ok(())
}

fn refused(reasons: &[String], n_all: usize) -> Failure {
    let mut lines: Vec<&str> = reasons.iter().take(N_REASONS_SHOWN).map(String::as_str).collect();
    let more = reasons.len().saturating_sub(N_REASONS_SHOWN);
    let more_line = format!("and {more} more");
    if more > 0 {
        lines.push(&more_line);
    }
    let count = format!("{} of {n_all} pictures cannot be used; mend them or move them away", reasons.len());
    lines.push(&count);
    Failure::data(lines.join("\n"))
}

/// The image of a picture, and whether it was prepared.
fn take_one(path: &Path, taking: Taking) -> Result<(Array2<u8>, bool), String> {
    let picture = read_picture(path).map_err(|error| error.to_string())?;
    let is_ready = picture.width() == SIDE && picture.height() == SIDE;
    if taking == Taking::AsTheyAre || is_ready {
        return Ok((grey_levels(&picture), false));
    }
    match prepare_digit(&picture) {
        Ok(prepared) => Ok((prepared.image, true)),
        Err(error) => Err(format!("{}: {error}", path.display())),
    }
}

fn grey_levels(picture: &DynamicImage) -> Array2<u8> {
    let grey = picture.to_luma8();
    let shape = (grey.height() as usize, grey.width() as usize);
    Array2::from_shape_vec(shape, grey.into_raw()).expect("as many pixels as the picture has")
}

/// The entries of a folder whose names do not begin with a dot, sorted by name.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
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
    read().map_err(|error| Failure::io("read the folder", folder, &error))
}

fn is_picture(path: &Path) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    ["png", "jpg", "jpeg"].iter().any(|known| ending.eq_ignore_ascii_case(known)) && path.is_file()
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
