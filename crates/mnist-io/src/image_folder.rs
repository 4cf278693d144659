//! Data sets as folders of images: a folder for each class, so that a person can look at them, sort them and make some.
//!
//! A folder's name is the character of its class (`7`, `A`), or a number, a hyphen and the character (`36-a`), which
//! sets the order of the classes and keeps `A` and `a` apart where file systems do not. A character that cannot be part
//! of a name is written as its code point (`10-U+002F`). The images of all classes are taken in the order of their own
//! names.

use crate::error::{Error, Result};
use crate::images::LabeledImages;
use crate::prepare::{prepare_digit, read_image};
use image::{DynamicImage, GrayImage, ImageError, Luma};
use ndarray::{Array2, Array3, Axis};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The subfolders of a folder that is split already: `train` and `test`.
pub const SPLIT_FOLDERS: [&str; 2] = ["train", "test"];

/// The side of MNIST's images, which others are prepared to be like.
const SIDE: u32 = 28;

/// Which image files go through [`prepare_digit`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Preparation {
    /// Those that are not of MNIST's size already: the set then has images of 28 × 28.
    #[default]
    WhereNeeded,
    /// None: all are taken pixel by pixel, light on dark, and must have one size.
    Never,
}

/// How a folder of images becomes a data set.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ImportOptions {
    /// Which images are prepared.
    pub preparation: Preparation,
    /// The share of every class that becomes the test set, from 0 to 1, where the folder is not split yet.
    pub test_share: f64,
    /// Decides which images these are.
    pub seed: u64,
}

impl Default for ImportOptions {
    /// What needs it is prepared, and a fifth is for testing.
    fn default() -> Self {
        Self { preparation: Preparation::default(), test_share: 0.2, seed: 0 }
    }
}

/// What became of a folder of images.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ImportedImages {
    /// The set to learn from.
    pub train: LabeledImages,
    /// The set to test on.
    pub test: LabeledImages,
    /// How many images had to be prepared.
    pub n_prepared: usize,
    /// Files that were passed over, as their names do not end in `.png`, `.jpg` or `.jpeg`.
    pub n_skipped: usize,
}

/// Makes a training and a test set of the PNG and JPEG files in `folder`. It holds a folder for each class, named by the
/// class's character (`7`, `A`, `36-a`, `10-U+002F`), or [`SPLIT_FOLDERS`] with such folders in each; then nothing is split
/// anew. `progress` is told before each image how many are done, and of how many.
///
/// ```
/// use mnist_io::{ImportOptions, export_images, import_images, synthetic_digits};
///
/// # let temporary = tempfile::tempdir().unwrap();
/// # let folder = temporary.path().join("digits");
/// let digits = synthetic_digits(100, 7);
/// export_images(&digits, &folder, |_n_done| {})?; // or put photos there, in folders 0 to 9
/// let imported = import_images(&folder, &ImportOptions::default(), |_n_done, _n_all| {})?;
/// assert_eq!(imported.train.len() + imported.test.len(), 100);
/// # Ok::<(), mnist_io::Error>(())
/// ```
///
/// # Errors
/// `Io` where a folder cannot be read. `Data` where a folder is not named by a character, two have the same one, there are no
/// images or too few to split, the classes of both parts differ, or an image cannot be used: every such image is named by
/// [`Error::causes`].
///
/// # Panics
/// Where the share for testing is not from 0 to 1.
pub fn import_images(
    folder: impl AsRef<Path>,
    options: &ImportOptions,
    mut progress: impl FnMut(usize, usize),
) -> Result<ImportedImages> {
    let (folder, preparation) = (folder.as_ref(), options.preparation);
    let parts = SPLIT_FOLDERS.map(|part| folder.join(part));
    if !parts.iter().all(|part| part.is_dir()) {
        let all = read_classes(folder, &class_folders(folder)?, preparation, None, &mut progress)?;
        let (train, test) = all.set.split(options.test_share, options.seed);
        if test.is_empty() {
            return Err(Error::data(
                "two pictures or more of some class, one to learn from and one to test on",
                "one of each",
                "add some",
            )
            .in_file(folder));
        }
        return Ok(ImportedImages { train, test, n_prepared: all.n_prepared, n_skipped: all.n_skipped });
    }
    let folders = [class_folders(&parts[0])?, class_folders(&parts[1])?];
    let [train_classes, test_classes] =
        folders.each_ref().map(|folders| folders.iter().map(|folder| folder.class).collect::<String>());
    if train_classes != test_classes {
        return Err(Error::data(
            "the same classes in train and test",
            format!("{train_classes} and {test_classes}"),
            "add the missing folders",
        )
        .in_file(folder));
    }
    let train = read_classes(&parts[0], &folders[0], preparation, None, &mut progress)?;
    let shape = (train.set.height(), train.set.width());
    let test = read_classes(&parts[1], &folders[1], preparation, Some(shape), &mut progress)?;
    Ok(ImportedImages {
        train: train.set,
        test: test.set,
        n_prepared: train.n_prepared + test.n_prepared,
        n_skipped: train.n_skipped + test.n_skipped,
    })
}

/// Writes every image of `set` as a PNG file into the folder of its class below `folder`, named by its place in the set, so
/// that [`import_images`] reads the same classes and images in the same order. Folders are made where need be; files of the
/// same name are replaced. `progress` is told after each image how many are done.
///
/// # Errors
/// `Io` where a folder or a file cannot be written; what was written before stays.
pub fn export_images(set: &LabeledImages, folder: impl AsRef<Path>, mut progress: impl FnMut(usize)) -> Result<()> {
    let folder = folder.as_ref();
    let folders: Vec<PathBuf> =
        set.classes.iter().enumerate().map(|(index, &class)| folder.join(folder_name(index, class))).collect();
    for folder in &folders {
        fs::create_dir_all(folder)
            .map_err(|error| Error::io("a folder to write into", error, "name another").in_file(folder))?;
    }
    for (index, (image, &label)) in set.images.axis_iter(Axis(0)).zip(&set.labels).enumerate() {
        let path = folders[usize::from(label)].join(format!("{index:07}.png"));
        let (height, width) = image.dim();
        let image = GrayImage::from_fn(width as u32, height as u32, |x, y| Luma([image[[y as usize, x as usize]]]));
        image.save(&path).map_err(|error| {
            let error = match error {
                ImageError::IoError(error) => error,
                other => io::Error::other(other),
            };
            Error::io("a file that can be written", error, "check the disk, or name another folder").in_file(&path)
        })?;
        progress(index + 1);
    }
    Ok(())
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
    Err(Error::data("PNG or JPEG pictures", found, advice).in_file(folder))
}

/// A folder of images of one class.
#[derive(Debug)]
struct ClassFolder {
    /// The number before the hyphen, if there is one.
    number: Option<u32>,
    class: char,
    path: PathBuf,
}

/// The class folders in `folder`, in the order of their numbers, or of their characters where one has no number.
fn class_folders(folder: &Path) -> Result<Vec<ClassFolder>> {
    let mut folders = Vec::new();
    for path in entries(folder)? {
        if !path.is_dir() {
            continue;
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let Some((number, class)) = parse_folder_name(&name) else {
            return Err(Error::data(
                "a folder named by the character of its class, such as 7, A, 36-a or 10-U+002F",
                format!("\"{name}\""),
                "rename it or move it away",
            )
            .in_file(&path));
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
    let (expected, found, advice) = match folders.len() {
        1..=256 => return Ok(folders),
        0 => ("a folder of pictures for each class, such as 7 or A", "none".to_owned(), "make one for each"),
        n => ("at most 256 classes", n.to_string(), "move some away"),
    };
    Err(Error::data(expected, found, advice).in_file(folder))
}

/// The images of a folder of classes.
struct ClassImages {
    set: LabeledImages,
    n_prepared: usize,
    n_skipped: usize,
}

/// An image file: its name without the ending, by which all are ordered, the label, and the path.
type Found = (OsString, usize, PathBuf);

/// Reads all images of the class folders of `place`, in the order of their names; `shape` is the height and width that they
/// must have, if that is known.
fn read_classes(
    place: &Path,
    folders: &[ClassFolder],
    preparation: Preparation,
    mut shape: Option<(usize, usize)>,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<ClassImages> {
    let (found, n_skipped) = find_images(folders)?;
    if found.is_empty() {
        return Err(Error::data("PNG or JPEG pictures", "none", "put some into its folders").in_file(place));
    }
    let (mut pixels, mut labels, mut n_prepared) = (Vec::new(), Vec::new(), 0);
    let mut refused = Vec::new();
    let n_all = found.len();
    for (index, (_, label, path)) in found.into_iter().enumerate() {
        progress(index, n_all);
        match read_one(&path, preparation, shape) {
            Ok((image, was_prepared)) => {
                shape = Some(image.dim());
                n_prepared += usize::from(was_prepared);
                pixels.extend(image);
                labels.push(label as u8);
            }
            Err(error) => refused.push(error),
        }
    }
    if !refused.is_empty() {
        let found = format!("that {} of {n_all} pictures cannot be used", refused.len());
        let error = Error::data("only pictures that can be used", found, "fix them or move them away");
        return Err(error.in_file(place).caused_by(refused));
    }
    let (height, width) = shape.unwrap_or_default();
    let images = Array3::from_shape_vec((labels.len(), height, width), pixels).expect("images of one size");
    let classes = folders.iter().map(|folder| folder.class).collect();
    let set = LabeledImages::new(images, labels, classes)?;
    Ok(ClassImages { set, n_prepared, n_skipped })
}

/// The image files of all classes by their names, and the number of other files.
fn find_images(folders: &[ClassFolder]) -> Result<(Vec<Found>, usize)> {
    let (mut found, mut n_skipped) = (Vec::new(), 0);
    for (label, folder) in folders.iter().enumerate() {
        for path in entries(&folder.path)? {
            if is_image(&path) {
                found.push((path.file_stem().unwrap_or_default().to_owned(), label, path));
            } else {
                n_skipped += 1;
            }
        }
    }
    found.sort();
    Ok((found, n_skipped))
}

/// The image in a file, and whether it was prepared.
fn read_one(path: &Path, preparation: Preparation, shape: Option<(usize, usize)>) -> Result<(Array2<u8>, bool)> {
    let photo = read_image(path)?;
    let is_ready = photo.width() == SIDE && photo.height() == SIDE;
    let (image, was_prepared) = if preparation == Preparation::Never || is_ready {
        (grey_levels(&photo), false)
    } else {
        (prepare_digit(&photo).map_err(|error| error.in_file(path))?.image, true)
    };
    match shape {
        Some(shape) if shape != image.dim() => {
            let (height, width) = image.dim();
            Err(Error::data(
                format!("{} × {} pixels like the pictures before", shape.1, shape.0),
                format!("{width} × {height}"),
                "scale it, or have all prepared",
            )
            .in_file(path))
        }
        _ => Ok((image, was_prepared)),
    }
}

fn grey_levels(photo: &DynamicImage) -> Array2<u8> {
    let grey = photo.to_luma8();
    let shape = (grey.height() as usize, grey.width() as usize);
    Array2::from_shape_vec(shape, grey.into_raw()).expect("as many pixels as the image has")
}

/// The entries of a folder whose names do not begin with a dot, sorted by name.
fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
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

fn is_image(path: &Path) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    ["png", "jpg", "jpeg"].iter().any(|known| ending.eq_ignore_ascii_case(known)) && path.is_file()
}

/// The name of the folder of a class.
fn folder_name(index: usize, class: char) -> String {
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
