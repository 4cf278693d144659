//! What is in a data set: how many of each class, how bright, and what is in it twice.

use crate::images::LabeledImages;
use std::collections::HashMap;

/// Numbers about one set of images.
///
/// ```
/// use mnist_io::{ImageStatistics, synthetic_digits};
///
/// let statistics = ImageStatistics::new(&synthetic_digits(100, 7));
/// assert_eq!(statistics.class_counts.iter().sum::<usize>(), 100);
/// assert!(statistics.zero_fraction > 0.5, "most of an image of a digit is background");
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ImageStatistics {
    /// The number of images of each class, in the order of [`LabeledImages::classes`].
    pub class_counts: Vec<usize>,
    /// The mean of all pixels, 0 to 255.
    pub mean: f64,
    /// The standard deviation of all pixels, in grey levels.
    pub standard_deviation: f64,
    /// The share of pixels that are 0, from 0 to 1.
    pub zero_fraction: f64,
    /// Images without any ink.
    pub n_blank: usize,
}

impl ImageStatistics {
    /// The numbers of a set. Sums are exact, whatever its size.
    pub fn new(set: &LabeledImages) -> Self {
        // Counting levels is exact and needs one look at each pixel.
        let mut levels = [0_u64; 256];
        let mut n_blank = 0;
        for image in set.pixels().rows() {
            for &pixel in image {
                levels[usize::from(pixel)] += 1;
            }
            n_blank += usize::from(image.iter().all(|&pixel| pixel == 0));
        }
        let n_pixels = levels.iter().sum::<u64>() as f64;
        let moment = |power: u32| -> f64 {
            let sum = levels.iter().zip(0_u128..).map(|(&n, level)| u128::from(n) * level.pow(power)).sum::<u128>();
            sum as f64 / n_pixels
        };
        let mean = moment(1);
        let standard_deviation = (moment(2) - mean * mean).max(0.0).sqrt();
        let zero_fraction = levels[0] as f64 / n_pixels;
        Self { class_counts: set.class_counts(), mean, standard_deviation, zero_fraction, n_blank }
    }
}

/// How many images are pixel for pixel the same.
///
/// ```
/// use mnist_io::{Duplicates, synthetic_digits};
///
/// let (train, test) = (synthetic_digits(100, 7), synthetic_digits(100, 8));
/// assert_eq!(Duplicates::count(&train, &test), Duplicates::default());
/// assert_eq!(Duplicates::count(&train, &train).between, 100);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Duplicates {
    /// Images of the second set that are in the first too.
    pub between: usize,
    /// Those of them that stand there under another label, with or without their own.
    pub contradicting: usize,
    /// Images of the first set that stand earlier in it already.
    pub within_first: usize,
    /// The same of the second set.
    pub within_second: usize,
    /// How many different images stand in the first set under more than one label: no network can answer all of them.
    pub ambiguous_first: usize,
    /// The same of the second set.
    pub ambiguous_second: usize,
}

impl Duplicates {
    /// Compares every image of two sets with every other.
    pub fn count(first: &LabeledImages, second: &LabeledImages) -> Self {
        let (in_first, in_second) = (labels_by_image(first), labels_by_image(second));
        let n_ambiguous = |labels_of: &Labels<'_>| labels_of.values().filter(|labels| labels.len() > 1).count();
        let mut found = Self {
            within_first: first.len() - in_first.len(),
            within_second: second.len() - in_second.len(),
            ambiguous_first: n_ambiguous(&in_first),
            ambiguous_second: n_ambiguous(&in_second),
            ..Self::default()
        };
        for (image, label) in second.pixels().outer_iter().zip(&second.labels) {
            if let Some(labels) = in_first.get(image.to_slice().expect("rows of a standard layout")) {
                found.between += 1;
                found.contradicting += usize::from(labels.iter().any(|other| other != label));
            }
        }
        found
    }
}

/// The labels under which each different image stands, each once.
type Labels<'a> = HashMap<&'a [u8], Vec<u8>>;

fn labels_by_image(set: &LabeledImages) -> Labels<'_> {
    let mut labels_of = Labels::with_capacity(set.len());
    let length = set.height() * set.width();
    let pixels = set.images.as_slice().expect("images of a standard layout");
    for (image, &label) in pixels.chunks_exact(length).zip(&set.labels) {
        let labels = labels_of.entry(image).or_default();
        if !labels.contains(&label) {
            labels.push(label);
        }
    }
    labels_of
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array3;

    /// Images of one pixel.
    fn set(pixels: &[u8], labels: &[u8]) -> LabeledImages {
        let images = Array3::from_shape_vec((pixels.len(), 1, 1), pixels.to_vec()).expect("as many pixels");
        LabeledImages::new(images, labels.to_vec(), vec!['a', 'b', 'c']).expect("a set")
    }

    #[test]
    fn mean_and_deviation_are_those_of_all_pixels() {
        let found = ImageStatistics::new(&set(&[0, 0, 100, 200], &[0, 1, 1, 1]));
        assert_eq!((found.class_counts.as_slice(), found.mean), (&[1, 3, 0][..], 75.0));
        assert_eq!((found.zero_fraction, found.n_blank), (0.5, 2));
        assert!((found.standard_deviation - 6875_f64.sqrt()).abs() < 1e-12);
    }

    #[test]
    fn duplicates_are_counted_within_and_between_with_their_labels() {
        let (first, second) = (set(&[1, 2, 1, 1, 3], &[0, 1, 0, 2, 1]), set(&[1, 2, 2, 9], &[2, 0, 1, 0]));
        let expected = Duplicates {
            between: 3,
            contradicting: 2,
            within_first: 2,
            within_second: 1,
            ambiguous_first: 1,
            ambiguous_second: 1,
        };
        assert_eq!(Duplicates::count(&first, &second), expected);
    }
}
