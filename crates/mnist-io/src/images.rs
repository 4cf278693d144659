//! Images with their labels, as one value: what MNIST and its relatives are made of.

use crate::error::{Error, Result};
use crate::idx::{self, IdxArray, IdxElement, Staged};
use crate::random::{self, Purpose};
use ndarray::{Array3, ArrayView2, Axis, Ix1, Ix3, s};
use sha2::{Digest, Sha256};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::{panic, thread};

/// The file in a data set's folder that names its classes, where these are not the ten digits: UTF-8, one character a
/// line, in the order of the labels.
pub const CLASSES_FILE: &str = "classes.txt";

/// Grey images of one size, and for each the number of its class.
///
/// ```
/// let digits = mnist_io::synthetic_digits(100, 7);
/// assert_eq!(digits.images.dim(), (100, 28, 28));
/// let character = digits.classes[usize::from(digits.labels[0])];
/// assert!(character.is_ascii_digit());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabeledImages {
    /// Pixels, 0 (background) to 255 (ink), of shape `(n_samples, height, width)`, in standard (row-major) layout.
    pub images: Array3<u8>,
    /// For each image the index of its class in `classes`.
    pub labels: Vec<u8>,
    /// The character that each class stands for: `'0'` to `'9'` for MNIST.
    pub classes: Vec<char>,
}

impl LabeledImages {
    /// Puts the parts together, after checking that they belong together.
    ///
    /// # Errors
    /// `Data` where there is no image or no pixel, the counts differ, a label has no class, or there are no classes or
    /// more than 256 or one of them twice, or one is a control character.
    pub fn new(images: Array3<u8>, labels: Vec<u8>, classes: Vec<char>) -> Result<Self> {
        let images = if images.is_standard_layout() { images } else { images.as_standard_layout().into_owned() };
        let set = Self { images, labels, classes };
        set.check()?;
        Ok(set)
    }

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

    fn check(&self) -> Result<()> {
        check_classes(&self.classes)?;
        let (n_images, height, width) = self.images.dim();
        if self.images.is_empty() {
            return Err(Error::data(
                "at least one image of at least one pixel",
                format!("{n_images} images of {height} × {width}"),
                "take other images",
            ));
        }
        if self.labels.len() != n_images {
            return Err(Error::data(
                format!("{n_images} labels, one for each image"),
                format!("{}", self.labels.len()),
                "take images and labels of the same part of one data set",
            ));
        }
        check_labels(&self.labels, self.classes.len()).map_err(|(error, _)| error)
    }

    /// The number of images.
    pub fn len(&self) -> usize {
        self.images.len_of(Axis(0))
    }

    /// Whether there are no images.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The height of each image in pixels.
    pub fn height(&self) -> usize {
        self.images.len_of(Axis(1))
    }

    /// The width of each image in pixels.
    pub fn width(&self) -> usize {
        self.images.len_of(Axis(2))
    }

    /// The images as rows of pixels, of shape `(n_samples, height · width)`.
    ///
    /// # Panics
    /// Where `images` was replaced by an array that is not in standard layout.
    pub fn pixels(&self) -> ArrayView2<'_, u8> {
        let (n_samples, height, width) = self.images.dim();
        self.images
            .view()
            .into_shape_with_order((n_samples, height * width))
            .expect("the images must be in standard layout")
    }

    /// How many images each class has, in the order of `classes`.
    pub fn class_counts(&self) -> Vec<usize> {
        let mut counts = vec![0; self.classes.len()];
        for &label in &self.labels {
            counts[usize::from(label)] += 1;
        }
        counts
    }

    /// The first `n` images, or all where there are fewer.
    pub fn first(&self, n: usize) -> Self {
        let n = n.min(self.len());
        Self {
            images: self.images.slice(s![..n, .., ..]).to_owned(),
            labels: self.labels[..n].to_vec(),
            classes: self.classes.clone(),
        }
    }

    /// `n` images drawn at random without replacement, in random order, or all (shuffled) where there are fewer. The
    /// same seed draws the same images; a larger `n` draws the same ones first.
    pub fn subset(&self, n: usize, seed: u64) -> Self {
        let mut generator = random::generator(seed, Purpose::Subset, 0);
        let mut indices: Vec<usize> = (0..self.len()).collect();
        let n = n.min(indices.len());
        for position in 0..n {
            let other = position + random::below(&mut generator, indices.len() - position);
            indices.swap(position, other);
        }
        indices.truncate(n);
        self.select(&indices)
    }

    /// Two sets, the second with this `share` of the images of every class, drawn at random; both keep the order. Of a
    /// class with two images or more, each set has at least one; a single image stays in the first.
    ///
    /// # Panics
    /// Where `share` is not from 0 to 1.
    pub fn split(&self, share: f64, seed: u64) -> (Self, Self) {
        assert!((0.0..=1.0).contains(&share), "a share of {share} is not from 0 to 1");
        let mut is_second = vec![false; self.len()];
        for class in 0..self.classes.len() {
            let mut members: Vec<usize> =
                (0..self.len()).filter(|&index| usize::from(self.labels[index]) == class).collect();
            let n_wanted = libm::round(share * members.len() as f64) as usize;
            let n_second = n_wanted.max(1).min(members.len().saturating_sub(1));
            let mut generator = random::generator(seed, Purpose::Split, class as u64);
            for position in 0..n_second {
                let other = position + random::below(&mut generator, members.len() - position);
                members.swap(position, other);
                is_second[members[position]] = true;
            }
        }
        let those = |second: bool| -> Vec<usize> { (0..self.len()).filter(|&i| is_second[i] == second).collect() };
        (self.select(&those(false)), self.select(&those(true)))
    }

    /// The images at `indices`, in that order.
    ///
    /// # Panics
    /// Where an index is not below [`LabeledImages::len`].
    pub fn select(&self, indices: &[usize]) -> Self {
        Self {
            images: self.images.select(Axis(0), indices),
            labels: indices.iter().map(|&index| self.labels[index]).collect(),
            classes: self.classes.clone(),
        }
    }

    /// The identity of the decoded data: SHA-256, in hexadecimal, over the shape (three little-endian `u64`), the pixels,
    /// the labels, the number of classes (`u64`) and each class (`u32`). How the files were packed does not matter.
    pub fn sha256(&self) -> String {
        let mut hasher = Sha256::new();
        for &length in self.images.shape() {
            hasher.update((length as u64).to_le_bytes());
        }
        match self.images.as_slice() {
            Some(pixels) => hasher.update(pixels),
            None => hasher.update(self.images.iter().copied().collect::<Vec<u8>>()),
        }
        hasher.update(&self.labels);
        hasher.update((self.classes.len() as u64).to_le_bytes());
        for &class in &self.classes {
            hasher.update(u32::from(class).to_le_bytes());
        }
        hex::encode(hasher.finalize())
    }
}

/// The classes of MNIST: the characters `'0'` to `'9'`.
pub fn digit_classes() -> Vec<char> {
    ('0'..='9').collect()
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

fn check_classes(classes: &[char]) -> Result<()> {
    let repeated = (1..classes.len()).find(|&index| classes[..index].contains(&classes[index]));
    let control = classes.iter().find(|class| class.is_control());
    let found = match (classes.len(), repeated, control) {
        (1..=256, None, None) => return Ok(()),
        (_, Some(index), _) => format!("{:?} twice", classes[index]),
        (_, None, Some(control)) => format!("the control character {control:?}"),
        (n, None, None) => format!("{n} classes"),
    };
    Err(Error::data(
        "1 to 256 different characters as classes, no control characters",
        found,
        "fix the list of classes",
    ))
}

/// An error comes with the index of its label.
fn check_labels(labels: &[u8], n_classes: usize) -> std::result::Result<(), (Error, usize)> {
    match labels.iter().position(|&label| usize::from(label) >= n_classes) {
        None => Ok(()),
        Some(index) => {
            let error = Error::data(
                format!("labels from 0 to {}, one for each class", n_classes - 1),
                format!("{} as label of image {index}", labels[index]),
                "the labels are damaged or belong to a data set with other classes, which must be named",
            );
            Err((error, index))
        }
    }
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
