//! Which pictures are read, and how each becomes the image or the images that the net sees.

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::{Path, PathBuf};

use mlp_core::{Kernel, Workers};
use mlp_sweep::{AS_IT_IS, PICTURES_KEY};
use mlp_train::{Classification, Classifier, Codebook, SavedModel};
use mnist_io::image::imageops::{FilterType, resize};
use mnist_io::image::{DynamicImage, GrayImage};
use mnist_io::{
    IMAGE_ENDINGS, Layout, PreparationStep, PreparedCharacter, PreparedPhoto, grey_image, image_files, prepare_photo,
    read_image,
};
use ndarray::Array2;

use crate::data;
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

/// Whether a path is that of a picture or of a folder of pictures, rather than of a model.
pub(super) fn seems_to_be(path: &Path) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    let is_image = IMAGE_ENDINGS.iter().any(|known| ending.eq_ignore_ascii_case(known));
    is_image || (path.is_dir() && image_files(path).is_ok_and(|files| !files.is_empty()))
}

/// What a picture says.
pub(super) struct Reading {
    /// From left to right; one at least.
    pub(super) characters: Vec<Character>,
    pub(super) steps: Vec<PreparationStep>,
    /// How sure the preparation is that it found the writing.
    pub(super) found: f64,
}

/// A character of a picture.
pub(super) struct Character {
    /// What the net saw.
    pub(super) image: Array2<u8>,
    /// Where it stands in the picture.
    pub(super) columns: Range<u32>,
    pub(super) rows: Range<u32>,
    pub(super) answer: Classification,
}

/// Reads pictures with one net.
pub(super) struct Reader<'a> {
    classifier: Classifier,
    /// Height and width of the images that the net reads.
    size: (usize, usize),
    /// Whether pictures are given to the net as they are, as those were that it learned from.
    is_as_it_is: bool,
    layout: Layout,
    /// Where the steps of the preparation are written.
    steps: Option<&'a Path>,
    /// Under which names they have been.
    stems: BTreeSet<String>,
}

impl<'a> Reader<'a> {
    /// Of one net, or of several whose outputs are averaged.
    pub(super) fn new(models: &[FoundModel], layout: Layout, steps: Option<&'a Path>) -> Result<Self, Failure> {
        let model = &models[0];
        let (size, is_as_it_is) = (image_size(model)?, takes_pictures_as_they_are(model));
        for other in &models[1..] {
            if (image_size(other)?, takes_pictures_as_they_are(other)) != (size, is_as_it_is) {
                return Err(Failure::data(format!(
                    "{}: expected a net that is given pictures as {} is, found one that is given others; nets of one committee \
                     learn from pictures of one kind and size",
                    other.path.display(),
                    model.path.display()
                )));
            }
        }
        let mut saved: Vec<SavedModel> = models.iter().map(|model| model.saved.clone()).collect();
        for saved in saved.iter_mut().filter(|saved| saved.classes.is_empty()) {
            saved.classes = mnist_io::digit_classes();
        }
        let classifier = Classifier::of_committee(&saved, Kernel::detect(), Workers::new(1))
            .map_err(|error| Failure::data(format!("{}: {error}", model.path.display())))?;
        Ok(Reader { classifier, size, is_as_it_is, layout, steps, stems: BTreeSet::new() })
    }

    /// The codes of the classes.
    pub(super) fn codebook(&self) -> &Codebook {
        self.classifier.codebook()
    }

    /// What the net sees of a picture, and what it answers. The steps are written even where nothing can be read.
    pub(super) fn read(&mut self, path: &Path) -> Result<Reading, Failure> {
        let photo = read_image(path)?;
        let prepared = self.prepare(&photo);
        if let Some(folder) = self.steps {
            mnist_io::write_steps(&prepared.steps, folder, &free_stem(path, &mut self.stems))?;
        }
        if let Some(error) = prepared.refusal {
            return Err(named(path, error));
        }
        let mut characters = Vec::new();
        for PreparedCharacter { image, columns, rows } in prepared.characters {
            let pixels: Vec<u8> = image.iter().copied().collect();
            let answer = self
                .classifier
                .classify(&pixels)
                .map_err(|error| Failure::data(format!("{}: {error}", path.display())))?;
            characters.push(Character { image, columns, rows, answer });
        }
        Ok(Reading { characters, steps: prepared.steps, found: prepared.confidence })
    }

    /// The images that the net is given.
    fn prepare(&self, photo: &DynamicImage) -> PreparedPhoto {
        let is_of_size = (photo.height() as usize, photo.width() as usize) == self.size;
        if self.is_as_it_is || (self.size != (SIDE, SIDE) && is_of_size) {
            return as_it_is(photo, self.size);
        }
        let mut prepared = prepare_photo(photo, self.layout);
        if self.size != (SIDE, SIDE) {
            scale(&mut prepared, self.size);
        }
        prepared
    }
}

/// Whether a net is given pictures as they are.
fn takes_pictures_as_they_are(model: &FoundModel) -> bool {
    let text = |key: &str| model.saved.other.get(key).and_then(|value| value.as_str());
    // Models of old say only what they learned from.
    text(PICTURES_KEY) == Some(AS_IT_IS) || text("data").is_some_and(data::is_as_it_is)
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

/// A picture like those the net learned from: grey levels, and the size of the images that it reads.
fn as_it_is(photo: &DynamicImage, size: (usize, usize)) -> PreparedPhoto {
    let mut image = grey_image(photo);
    let (rows, columns) = image.dim();
    let explanation = if image.dim() == size {
        format!(
            "The picture has {columns} × {rows} pixels, as the net reads them: taken as it is, light on dark, in grey levels."
        )
    } else {
        format!(
            "The picture of {columns} × {rows} pixels in grey levels, otherwise as it is: so were those that the net learned \
             from, light on dark."
        )
    };
    let mut steps = vec![PreparationStep { name: "as it is", explanation, image: image.clone() }];
    if image.dim() != size {
        image = scaled(&image, size);
        let explanation =
            format!("Scaled to {} × {} pixels, the size of the images that the net reads.", size.1, size.0);
        steps.push(PreparationStep { name: "scale", explanation, image: image.clone() });
    }
    PreparedPhoto::whole(image, (photo.width(), photo.height()), steps)
}

/// Scales what was prepared to the size that the net reads.
fn scale(prepared: &mut PreparedPhoto, (height, width): (usize, usize)) {
    for character in &mut prepared.characters {
        character.image = scaled(&character.image, (height, width));
    }
    if let Some(first) = prepared.characters.first() {
        let explanation = format!("Scaled to {width} × {height} pixels, the size of the images that the net reads.");
        prepared.steps.push(PreparationStep { name: "scale", explanation, image: first.image.clone() });
    }
}

fn scaled(image: &Array2<u8>, (height, width): (usize, usize)) -> Array2<u8> {
    let (rows, columns) = image.dim();
    let before = GrayImage::from_raw(columns as u32, rows as u32, image.iter().copied().collect());
    let before = before.expect("as many pixels as rows times columns");
    let after = resize(&before, width as u32, height as u32, FilterType::Triangle);
    Array2::from_shape_vec((height, width), after.into_raw()).expect("as many pixels as the image has")
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
