//! A saved network with the preparation that its pictures need: one way from a picture to characters, for every screen and
//! for the command line.

use std::borrow::Cow;

use mlp_core::{Kernel, Workers};
use mlp_sweep::{AS_IT_IS, PICTURES_KEY};
use mlp_train::{Classification, Classifier, SavedModel};
use mnist_io::image::imageops::{FilterType, resize};
use mnist_io::image::{DynamicImage, GrayImage};
use mnist_io::{Layout, PreparationStep, PreparedPhoto, grey_image, prepare_photo, prepare_photo_for_mnist};
use ndarray::Array2;

use crate::error::{Error, Result};

/// The side of the images that a picture is prepared to be like.
const SIDE: usize = 28;

/// Without a record that tells the shape of the images, a net is taken to read square ones of this side at least.
const LEAST_SIDE: usize = 8;

/// The data sets whose images lie in their field as MNIST's do.
const LIKE_MNIST: [&str; 2] = ["mnist", "qmnist"];

/// Reads pictures with one network.
pub struct PictureReader {
    classifier: Classifier,
    /// Height and width of the images that the net reads.
    size: (usize, usize),
    /// Whether pictures are given to the net as they are, as those were that it learned from.
    is_as_it_is: bool,
    /// Whether it learned from images whose ink lies in its field as MNIST's does.
    is_of_mnist: bool,
}

impl PictureReader {
    /// The reader of a model; `size` are height and width of the images that it learned from, where that is known, and
    /// `is_as_it_is` says that those were no handwriting. A model that names no classes is taken to read digits.
    ///
    /// # Errors
    ///
    /// If the network reads no images, or its outputs are not the codes of its classes.
    pub fn new(model: &SavedModel, size: Option<(usize, usize)>, is_as_it_is: bool) -> Result<Self> {
        PictureReader::of_committee(std::slice::from_ref(model), size, is_as_it_is)
    }

    /// The same of several models whose outputs are averaged ([`mlp_train::Committee`]); the first says how pictures are made
    /// ready.
    ///
    /// # Errors
    ///
    /// As [`PictureReader::new`], and if the models do not fit together.
    ///
    /// # Panics
    ///
    /// Without a model.
    pub fn of_committee(models: &[SavedModel], size: Option<(usize, usize)>, is_as_it_is: bool) -> Result<Self> {
        let size = image_size(models[0].network.n_inputs(), size)?;
        let with_classes = |model: &SavedModel| {
            let mut model = model.clone();
            model.classes = mnist_io::digit_classes();
            model
        };
        let models: Vec<Cow<'_, SavedModel>> = models
            .iter()
            .map(|model| if model.classes.is_empty() { Cow::Owned(with_classes(model)) } else { Cow::Borrowed(model) })
            .collect();
        let says_so = models[0].other.get(PICTURES_KEY).and_then(|value| value.as_str()) == Some(AS_IT_IS);
        let classifier = Classifier::of_committee(models.iter().map(AsRef::as_ref), Kernel::detect(), Workers::new(1))?;
        let data = models[0].other.get("data").and_then(|value| value.as_str());
        let is_of_mnist = data.is_some_and(|name| LIKE_MNIST.contains(&name));
        Ok(PictureReader { classifier, size, is_as_it_is: is_as_it_is || says_so, is_of_mnist })
    }

    /// The network and the codes of its classes.
    pub fn classifier(&self) -> &Classifier {
        &self.classifier
    }

    /// Height and width of the images that the network reads.
    pub fn size(&self) -> (usize, usize) {
        self.size
    }

    /// Whether pictures are given to the network as they are.
    pub fn is_as_it_is(&self) -> bool {
        self.is_as_it_is
    }

    /// The images that the network is given of a picture, and what was done to it.
    pub fn prepare(&self, photo: &DynamicImage, layout: Layout) -> PreparedPhoto {
        let is_of_size = (photo.height() as usize, photo.width() as usize) == self.size;
        if self.is_as_it_is || (self.size != (SIDE, SIDE) && is_of_size) {
            return as_it_is(photo, self.size);
        }
        let prepare = if self.is_of_mnist { prepare_photo_for_mnist } else { prepare_photo };
        let mut prepared = prepare(photo, layout);
        if self.size != (SIDE, SIDE) {
            scale(&mut prepared, self.size);
        }
        prepared
    }

    /// What the network answers to a prepared image.
    ///
    /// # Errors
    ///
    /// As [`Classifier::classify`].
    pub fn classify(&mut self, image: &Array2<u8>) -> Result<Classification> {
        let pixels: Vec<u8> = image.iter().copied().collect();
        Ok(self.classifier.classify(&pixels)?)
    }
}

/// Height and width of the images that a network with so many inputs reads: those that are known, or else a square.
fn image_size(n_inputs: usize, known: Option<(usize, usize)>) -> Result<(usize, usize)> {
    match known {
        Some((height, width)) if height * width == n_inputs => return Ok((height, width)),
        Some(_) => {
            return Err(Error::request(format!(
                "expected a net that reads images, found one that reads rows of {n_inputs} numbers; mlp_train::Classifier \
                 uses it from Rust"
            )));
        }
        None => {}
    }
    let side = n_inputs.isqrt();
    if side * side == n_inputs && side >= LEAST_SIDE {
        return Ok((side, side));
    }
    Err(Error::request(format!(
        "expected a net that reads images of {SIDE} × {SIDE} or another square, found one with {n_inputs} inputs; leave it \
         in its folder of results, whose records say which size it reads"
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
