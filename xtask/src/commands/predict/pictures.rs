//! Which pictures are read, and how each becomes the image that the net sees.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use mlp_train::{Classification, Classifier, Codebook};
use mnist_io::image::imageops::{FilterType, resize};
use mnist_io::image::{DynamicImage, GrayImage};
use mnist_io::{PreparationStep, PreparedDigit, image_files, prepare_digit, read_image};
use ndarray::Array2;

use crate::failure::Failure;
use crate::models::FoundModel;

/// The side of the images that a picture is prepared to be like.
const SIDE: usize = 28;

/// Without a record that tells the shape of the images, a net is taken to read square ones of this side at least.
const LEAST_SIDE: usize = 8;

/// A picture to read.
pub(super) struct Picture {
    pub(super) path: PathBuf,
    /// Why there is none, where a folder has none.
    pub(super) is_there: Result<(), Failure>,
}

/// The pictures that were named, and those in the folders that were named, in the order of their names.
pub(super) fn find(named: &[PathBuf]) -> Vec<Picture> {
    let mut pictures = Vec::new();
    for path in named {
        if !path.is_dir() {
            pictures.push(Picture { path: path.clone(), is_there: Ok(()) });
            continue;
        }
        match image_files(path) {
            Ok(files) => pictures.extend(files.into_iter().map(|path| Picture { path, is_there: Ok(()) })),
            Err(error) => pictures.push(Picture { path: path.clone(), is_there: Err(error.into()) }),
        }
    }
    pictures
}

/// Reads pictures with one net.
pub(super) struct Reader<'a> {
    classifier: Classifier,
    /// Height and width of the images that the net reads.
    size: (usize, usize),
    /// Where the steps of the preparation are written.
    steps: Option<&'a Path>,
    /// Under which names they have been.
    stems: BTreeSet<String>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(model: &FoundModel, steps: Option<&'a Path>) -> Result<Self, Failure> {
        let size = image_size(model)?;
        let mut saved = model.saved.clone();
        if saved.classes.is_empty() {
            saved.classes = mnist_io::digit_classes();
        }
        let classifier =
            Classifier::new(&saved).map_err(|error| Failure::data(format!("{}: {error}", model.path.display())))?;
        Ok(Reader { classifier, size, steps, stems: BTreeSet::new() })
    }

    /// The codes of the classes.
    pub(super) fn codebook(&self) -> &Codebook {
        self.classifier.codebook()
    }

    /// What the net sees of a picture, and what it answers.
    pub(super) fn read(&mut self, path: &Path) -> Result<(PreparedDigit, Classification), Failure> {
        let photo = read_image(path)?;
        let prepared = prepare(&photo, self.size).map_err(|error| named(path, error))?;
        if let Some(folder) = self.steps {
            prepared.write_steps(folder, &free_stem(path, &mut self.stems))?;
        }
        let pixels: Vec<u8> = prepared.image.iter().copied().collect();
        let answer =
            self.classifier.classify(&pixels).map_err(|error| Failure::data(format!("{}: {error}", path.display())))?;
        Ok((prepared, answer))
    }
}

/// Height and width of the images that a net reads: as its record says, or else a square.
fn image_size(model: &FoundModel) -> Result<(usize, usize), Failure> {
    let n_inputs = model.saved.network.n_inputs();
    if let Some(data) = model.record().map(|record| record.data).filter(|data| data.inputs == n_inputs) {
        if data.height * data.width == n_inputs {
            return Ok((data.height, data.width));
        }
        return Err(Failure::data(format!(
            "{}: expected a net that reads images, found one that reads rows of {n_inputs} numbers; mlp_train::Classifier \
             uses it from Rust",
            model.path.display()
        )));
    }
    let side = n_inputs.isqrt();
    if side * side == n_inputs && side >= LEAST_SIDE {
        return Ok((side, side));
    }
    Err(Failure::data(format!(
        "{}: expected a net that reads images of {SIDE} × {SIDE} or another square, found one with {n_inputs} inputs; \
         leave it in its folder of results, whose records say which size it reads",
        model.path.display()
    )))
}

/// The image that a net for images of this height and width is given.
fn prepare(photo: &DynamicImage, size: (usize, usize)) -> mnist_io::Result<PreparedDigit> {
    if size == (SIDE, SIDE) {
        return prepare_digit(photo);
    }
    if (photo.height() as usize, photo.width() as usize) == size {
        return Ok(as_it_is(photo, size));
    }
    prepare_digit(photo).map(|prepared| scaled(prepared, size))
}

/// A picture of the very size that the net reads, like those it was trained on.
fn as_it_is(photo: &DynamicImage, (height, width): (usize, usize)) -> PreparedDigit {
    let image = pixels(photo.to_luma8());
    let explanation = format!(
        "The picture has {width} × {height} pixels, as the net reads them: taken as it is, light on dark, in grey levels."
    );
    let step = PreparationStep { name: "as it is", explanation, image: image.clone() };
    PreparedDigit { image, steps: vec![step] }
}

/// The image that was prepared in the size that the net reads.
fn scaled(prepared: PreparedDigit, (height, width): (usize, usize)) -> PreparedDigit {
    let PreparedDigit { image, mut steps } = prepared;
    let (rows, columns) = image.dim();
    let before = GrayImage::from_raw(columns as u32, rows as u32, image.iter().copied().collect());
    let before = before.expect("as many pixels as rows times columns");
    let image = pixels(resize(&before, width as u32, height as u32, FilterType::Triangle));
    let explanation = format!("Scaled to {width} × {height} pixels, the size of the images that the net reads.");
    steps.push(PreparationStep { name: "scale", explanation, image: image.clone() });
    PreparedDigit { image, steps }
}

fn pixels(grey: GrayImage) -> Array2<u8> {
    let shape = (grey.height() as usize, grey.width() as usize);
    Array2::from_shape_vec(shape, grey.into_raw()).expect("as many pixels as the image has")
}

/// The error with the name of the picture, where it has none.
fn named(path: &Path, error: mnist_io::Error) -> Failure {
    let is_named = error.path().is_some();
    let failure = Failure::from(error);
    if is_named { failure } else { Failure::new(failure.code, format!("{}: {}", path.display(), failure.message)) }
}

/// The name of the picture without folder and ending, with a number behind it where an earlier picture has that name.
fn free_stem(path: &Path, stems: &mut BTreeSet<String>) -> String {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let mut free = stem.clone();
    let mut number = 1;
    while !stems.insert(free.clone()) {
        number += 1;
        free = format!("{stem}-{number}");
    }
    free
}
