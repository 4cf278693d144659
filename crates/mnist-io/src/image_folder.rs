//! Data sets as folders of images: a folder for each class, so that a person can look at them, sort them and make some.
//! The images of all classes are taken in the order of their own names.

use crate::class_folders::{ClassFolder, class_folders, entries, folder_name, image_files, is_image, split_folders};
use crate::error::{Error, Result, in_one_line};
use crate::images::{LabeledImages, classes_in_a_line};
use crate::note::{Note, Part};
use crate::photo_file::read_image;
use crate::prepare::{grey_image, ground_of_small, prepare_digit};
use image::{DynamicImage, GrayImage, ImageError, Luma};
use ndarray::{Array2, Array3, Axis};
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The subfolders of a folder that is split already: `train` and `test`. They are found under the names `training` and
/// `testing` as well, in letters of any case.
pub const SPLIT_FOLDERS: [&str; 2] = ["train", "test"];

/// The side of MNIST's images, which others are prepared to be like.
const SIDE: u32 = 28;

/// How many images are looked at to decide how those of MNIST's size are taken.
const N_LOOKED_AT: usize = 64;

/// Which image files go through [`prepare_digit`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Preparation {
    /// Those that are not of MNIST's size already, or that are dark on light where most are: the set then has images of
    /// 28 × 28.
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
    /// The share of every class that becomes the test set, from 0 to 1, where the folder is not split yet. With 1 every
    /// image is for testing, and there are none to learn from; otherwise a class of two images or more has one of each kind.
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
    /// The set to learn from; empty where all images are for testing.
    pub train: LabeledImages,
    /// The set to test on.
    pub test: LabeledImages,
    /// How many images had to be prepared.
    pub n_prepared: usize,
    /// Files that were passed over, as their names do not end as those of [`IMAGE_ENDINGS`](crate::IMAGE_ENDINGS).
    pub n_skipped: usize,
    /// What else a person may want to know: folders that were passed over, classes without an image.
    pub notes: Vec<Note>,
}

/// Makes a training and a test set of the image files in `folder`. It holds a folder for each class, named by the
/// class's character or word (`7`, `A`, `36-a`, `10-U+002F`, `cat`), or [`SPLIT_FOLDERS`] with such folders in each; then nothing is split
/// anew, and folders beside these two are passed over, with a note. With the feature `parquet` it may instead hold files
/// `train….parquet` and `test….parquet`. `progress` is told before each image how many are done, and of how many.
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
/// `Io` where a folder cannot be read. `Data` where a folder's name is that of no class, two have the same one, there are no
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
    let folder = folder.as_ref();
    #[cfg(feature = "parquet")]
    match crate::parquet::parquet_files(folder)? {
        files if files.is_empty() => {}
        files => return crate::parquet::import_parquet_folder(folder, files, options, &mut progress),
    }
    let mut imported = match split_folders(folder)? {
        Some((parts, others)) => import_split(folder, &parts, others, options, &mut progress)?,
        None => import_whole(folder, options, &mut progress)?,
    };
    let parts = [(Part::Train, &imported.train), (Part::Test, &imported.test)];
    let notes: Vec<Note> = parts
        .into_iter()
        .filter(|(_, set)| !set.is_empty())
        .filter_map(|(part, set)| Note::on_empty_classes(part, set))
        .collect();
    imported.notes.extend(notes);
    Ok(imported)
}

/// Makes a training and a test set of one file: a table of numbers (`.csv`, [`read_csv`](crate::read_csv)) or, with the feature
/// `parquet`, of image files (`.parquet`), which is split as `options` say, or, with the feature `npz`, an archive of NumPy's
/// (`.npz`), which is split already.
///
/// # Errors
/// As those who read them; `Data` where the name ends otherwise.
pub fn import_file(path: impl AsRef<Path>, options: &ImportOptions) -> Result<ImportedImages> {
    let path = path.as_ref();
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
    let (train, test, notes) = match ending.as_str() {
        "csv" => {
            let all = crate::read_csv(path)?;
            let (train, test) = split(all, options, path)?;
            (train, test, Vec::new())
        }
        #[cfg(feature = "npz")]
        "npz" => {
            let (train, test) = crate::read_npz(path)?;
            let notes = (options.test_share == 1.0).then_some(Note::SplitKept);
            (train, test, notes.into_iter().collect())
        }
        #[cfg(feature = "parquet")]
        "parquet" => {
            let (all, n_prepared) = crate::parquet::read_prepared(path, options.preparation)?;
            let (train, test) = split(all, options, path)?;
            return Ok(ImportedImages { train, test, n_prepared, n_skipped: 0, notes: Vec::new() });
        }
        _ => {
            let found = format!("a file that ends in \".{ending}\"");
            let expected =
                "a folder of pictures, a table that ends in .csv or .parquet, or an archive that ends in .npz";
            return Err(Error::data(expected, found, "name another, or rename it").in_file(path));
        }
    };
    Ok(ImportedImages { train, test, n_prepared: 0, n_skipped: 0, notes })
}

/// Folders of classes, which are split here.
fn import_whole(
    folder: &Path,
    options: &ImportOptions,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<ImportedImages> {
    let all = read_classes(folder, &class_folders(folder)?, options.preparation, None, progress)?;
    let (train, test) = split(all.set, options, folder)?;
    Ok(ImportedImages { train, test, n_prepared: all.n_prepared, n_skipped: all.n_skipped, notes: all.notes })
}

/// Draws the share of every class that is for testing.
pub(crate) fn split(
    all: LabeledImages,
    options: &ImportOptions,
    place: &Path,
) -> Result<(LabeledImages, LabeledImages)> {
    let (train, test) =
        if options.test_share == 1.0 { (all.select(&[]), all) } else { all.split(options.test_share, options.seed) };
    if test.is_empty() {
        return Err(Error::data(
            "two pictures or more of some class, one to learn from and one to test on",
            "one of each",
            "add some",
        )
        .in_file(place));
    }
    Ok((train, test))
}

/// Folders of classes that are split already, and folders beside them.
fn import_split(
    folder: &Path,
    parts: &[PathBuf; 2],
    others: Vec<PathBuf>,
    options: &ImportOptions,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<ImportedImages> {
    let folders = [class_folders(&parts[0])?, class_folders(&parts[1])?];
    let [train_classes, test_classes] = folders
        .each_ref()
        .map(|folders| classes_in_a_line(&folders.iter().map(|folder| folder.class.clone()).collect::<Vec<String>>()));
    if train_classes != test_classes {
        return Err(Error::data(
            "the same classes in train and test",
            format!("{train_classes} and {test_classes}"),
            "add the missing folders",
        )
        .in_file(folder));
    }
    let train = read_classes(&parts[0], &folders[0], options.preparation, None, progress)?;
    let shape = (train.set.height(), train.set.width());
    let test = read_classes(&parts[1], &folders[1], options.preparation, Some(shape), progress)?;
    let mut notes: Vec<Note> = others.into_iter().map(|path| Note::FolderPassedOver { path }).collect();
    notes.extend(note_on_pictures_beside_folders(folder)?);
    notes.extend((options.test_share == 1.0).then_some(Note::SplitKept));
    notes.extend(train.notes.into_iter().chain(test.notes));
    Ok(ImportedImages {
        train: train.set,
        test: test.set,
        n_prepared: train.n_prepared + test.n_prepared,
        n_skipped: train.n_skipped + test.n_skipped,
        notes,
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
        set.classes.iter().enumerate().map(|(index, class)| folder.join(folder_name(index, class))).collect();
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
                other => io::Error::other(in_one_line(other)),
            };
            Error::io("a file that can be written", error, "check the disk, or name another folder").in_file(&path)
        })?;
        progress(index + 1);
    }
    Ok(())
}

/// The images of a folder of classes.
struct ClassImages {
    set: LabeledImages,
    n_prepared: usize,
    n_skipped: usize,
    notes: Vec<Note>,
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
    let FoundImages { images: found, n_skipped, folders: inner } = find_images(folders)?;
    if found.is_empty() {
        let deeper = inner.iter().find(|inner| image_files(inner).is_ok());
        let (found, advice) = match deeper {
            Some(inner) => (
                format!("some only one level deeper, such as in {}", inner.display()),
                "move them up into the folders of their classes",
            ),
            None => ("none".to_owned(), "put some into its folders"),
        };
        return Err(Error::data("pictures (PNG, JPEG, WebP, BMP or GIF)", found, advice).in_file(place));
    }
    let (mut pixels, mut labels, mut n_prepared) = (Vec::new(), Vec::new(), 0);
    let mut refused = Vec::new();
    let n_all = found.len();
    let is_small_ready = preparation != Preparation::Never && are_small_ready(&found, |(_, _, path)| read_image(path));
    for (index, (_, label, path)) in found.into_iter().enumerate() {
        progress(index, n_all);
        match read_one(&path, preparation, is_small_ready, shape) {
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
    let classes = folders.iter().map(|folder| folder.class.clone()).collect::<Vec<String>>();
    let set = LabeledImages::new(images, labels, classes)?;
    let mut notes: Vec<Note> = inner.into_iter().map(|path| Note::FolderPassedOver { path }).collect();
    notes.extend(note_on_pictures_beside_folders(place)?);
    Ok(ClassImages { set, n_prepared, n_skipped, notes })
}

/// A note where pictures lie in `folder` itself, which holds the folders of classes.
fn note_on_pictures_beside_folders(folder: &Path) -> Result<Option<Note>> {
    let n_pictures = entries(folder)?.iter().filter(|path| is_image(path)).count();
    Ok((n_pictures > 0).then(|| Note::PicturesPassedOver { folder: folder.to_owned(), n_pictures }))
}

/// What lies in the folders of classes.
#[derive(Default)]
struct FoundImages {
    /// The image files, by their names.
    images: Vec<Found>,
    /// Other files.
    n_skipped: usize,
    /// Folders, which are not looked into.
    folders: Vec<PathBuf>,
}

fn find_images(folders: &[ClassFolder]) -> Result<FoundImages> {
    let mut found = FoundImages::default();
    for (label, folder) in folders.iter().enumerate() {
        for path in entries(&folder.path)? {
            if is_image(&path) {
                found.images.push((path.file_stem().unwrap_or_default().to_owned(), label, path));
            } else if path.is_dir() {
                found.folders.push(path);
            } else {
                found.n_skipped += 1;
            }
        }
    }
    found.images.sort();
    Ok(found)
}

/// Whether the images of 28 × 28 pixels are taken as they are: where most of those that are looked at are light on black. A few
/// that fill their border (clothes do, and some writing) must not be taken for something else than the rest.
pub(crate) fn are_small_ready<T>(found: &[T], read: impl Fn(&T) -> Result<DynamicImage>) -> bool {
    let looked_at = found.iter().step_by(found.len().div_ceil(N_LOOKED_AT).max(1));
    let grounds = looked_at.filter_map(|one| ground_of_small(&read(one).ok()?));
    let (n_dark, n_all) =
        grounds.fold((0, 0), |(n_dark, n_all), ground| (n_dark + usize::from(ground < 128), n_all + 1));
    2 * n_dark > n_all
}

/// The image that a picture becomes, and whether it was prepared.
pub(crate) fn image_of(
    photo: &DynamicImage,
    preparation: Preparation,
    is_small_ready: bool,
) -> Result<(Array2<u8>, bool)> {
    let is_small = photo.width() == SIDE && photo.height() == SIDE;
    if preparation == Preparation::Never || (is_small && is_small_ready) {
        return Ok((grey_image(photo), false));
    }
    Ok((prepare_digit(photo)?.image, true))
}

/// The image in a file, and whether it was prepared.
fn read_one(
    path: &Path,
    preparation: Preparation,
    is_small_ready: bool,
    shape: Option<(usize, usize)>,
) -> Result<(Array2<u8>, bool)> {
    let photo = read_image(path)?;
    let (image, was_prepared) = image_of(&photo, preparation, is_small_ready).map_err(|error| error.in_file(path))?;
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
