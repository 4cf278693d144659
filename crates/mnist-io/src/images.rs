//! Images with their labels, as one value: what MNIST and its relatives are made of.

use crate::error::{Error, Result};
use crate::random::{self, Purpose};
use ndarray::{Array3, ArrayView2, Axis, s};
use sha2::{Digest, Sha256};

/// Grey images of one size, and for each the number of its class.
///
/// ```
/// let digits = mnist_io::synthetic_digits(100, 7);
/// assert_eq!(digits.images.dim(), (100, 28, 28));
/// let class = &digits.classes[usize::from(digits.labels[0])];
/// assert!(("0"..="9").contains(&class.as_str()));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabeledImages {
    /// Pixels, 0 (background) to 255 (ink), of shape `(n_samples, height, width)`, in standard (row-major) layout.
    pub images: Array3<u8>,
    /// For each image the index of its class in `classes`.
    pub labels: Vec<u8>,
    /// What each class is, a character or a word: `"0"` to `"9"` for MNIST.
    pub classes: Vec<String>,
}

impl LabeledImages {
    /// Puts the parts together, after checking that they belong together.
    ///
    /// # Errors
    /// `Data` where there is no image or no pixel, the counts differ, a label has no class, or there are no classes or
    /// more than 256 or one of them twice, or one is empty, longer than 100 characters or holds a control character.
    pub fn new(images: Array3<u8>, labels: Vec<u8>, classes: Vec<impl Into<String>>) -> Result<Self> {
        let images = if images.is_standard_layout() { images } else { images.as_standard_layout().into_owned() };
        let set = Self { images, labels, classes: classes.into_iter().map(Into::into).collect() };
        set.check()?;
        Ok(set)
    }

    pub(crate) fn check(&self) -> Result<()> {
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

    /// The same images with the labels that they have among `classes`: all of their own, in another order, or more. `None`
    /// where an image is of a class that is not among them.
    pub fn among(&self, classes: &[String]) -> Option<Self> {
        let label_of = |class: &String| classes.iter().position(|other| other == class);
        let new_labels: Vec<Option<usize>> = self.classes.iter().map(label_of).collect();
        let labels = self.labels.iter().map(|&label| u8::try_from(new_labels[usize::from(label)]?).ok());
        let labels = labels.collect::<Option<Vec<u8>>>()?;
        Some(Self { images: self.images.clone(), labels, classes: classes.to_vec() })
    }

    /// The identity of the decoded data: SHA-256, in hexadecimal, over the shape (three little-endian `u64`), the pixels,
    /// the labels, the number of classes (`u64`) and each class (the code point of its character, a `u32`; where some are
    /// words, for each its length in bytes, a `u64`, and these bytes). How the files were packed does not matter.
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
        match self.classes.iter().map(|class| only_character(class)).collect::<Option<Vec<char>>>() {
            Some(characters) => {
                characters.into_iter().for_each(|character| hasher.update(u32::from(character).to_le_bytes()));
            }
            None => {
                for class in &self.classes {
                    hasher.update((class.len() as u64).to_le_bytes());
                    hasher.update(class);
                }
            }
        }
        hex::encode(hasher.finalize())
    }
}

/// The classes of MNIST: `"0"` to `"9"`.
pub fn digit_classes() -> Vec<String> {
    ('0'..='9').map(String::from).collect()
}

/// Classes in one line: characters side by side (`0123456789`), words with commas between them (`cat, dog`).
///
/// ```
/// assert_eq!(mnist_io::classes_in_a_line(&mnist_io::digit_classes()), "0123456789");
/// assert_eq!(mnist_io::classes_in_a_line(&["coat".to_owned(), "T-shirt".to_owned()]), "coat, T-shirt");
/// ```
pub fn classes_in_a_line(classes: &[String]) -> String {
    let are_characters = classes.iter().all(|class| only_character(class).is_some());
    classes.join(if are_characters { "" } else { ", " })
}

/// The character that a class is; `None` for a word.
pub(crate) fn only_character(class: &str) -> Option<char> {
    let mut characters = class.chars();
    characters.next().filter(|_| characters.next().is_none())
}

/// The longest name of a class, in characters: that of a folder can hold it.
pub(crate) const CLASS_LENGTH_MAX: usize = 100;

pub(crate) fn check_classes(classes: &[String]) -> Result<()> {
    let repeated = (1..classes.len()).find(|&index| classes[..index].contains(&classes[index]));
    let bad_length = classes.iter().find(|class| !(1..=CLASS_LENGTH_MAX).contains(&class.chars().count()));
    let control = classes.iter().find(|class| class.contains(char::is_control));
    let found = match (classes.len(), repeated, control, bad_length) {
        (1..=256, None, None, None) => return Ok(()),
        (_, Some(index), ..) => format!("{:?} twice", classes[index]),
        (_, None, Some(control), _) => format!("a control character in {control:?}"),
        (.., Some(class)) => format!("one of {} characters", class.chars().count()),
        (n, None, None, None) => format!("{n} classes"),
    };
    Err(Error::data(
        "1 to 256 different characters or words as classes, of 1 to 100 characters, no control characters among them",
        found,
        "fix the list of classes",
    ))
}

/// An error comes with the index of its label.
pub(crate) fn check_labels(labels: &[u8], n_classes: usize) -> std::result::Result<(), (Error, usize)> {
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
