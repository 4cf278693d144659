//! What is in a data set: how many of each class, how bright, and what is in it twice.

use std::collections::HashMap;

use mnist_io::LabeledImages;

/// Numbers about one set of images.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Statistics {
    /// The number of images of each class.
    pub(crate) counts: Vec<usize>,
    /// The mean of all pixels, 0 to 255.
    pub(crate) mean: f64,
    /// The standard deviation of all pixels.
    pub(crate) deviation: f64,
    /// The share of pixels that are 0.
    pub(crate) zeros: f64,
    /// Images without any ink.
    pub(crate) n_blank: usize,
}

/// Images that are pixel for pixel the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Duplicates {
    /// Images of the second set that are in the first too.
    pub(crate) between: usize,
    /// Those of them that have another label there.
    pub(crate) contradicting: usize,
    /// Images of the first set that stand earlier in it already.
    pub(crate) within_first: usize,
    /// The same of the second set.
    pub(crate) within_second: usize,
}

impl Statistics {
    pub(crate) fn of(set: &LabeledImages) -> Self {
        // Counting levels is exact, whatever the size, and needs one look at each pixel.
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
        let deviation = (moment(2) - mean * mean).max(0.0).sqrt();
        Statistics { counts: set.class_counts(), mean, deviation, zeros: levels[0] as f64 / n_pixels, n_blank }
    }
}

/// Compares every image of two sets with every other.
pub(crate) fn duplicates(first: &LabeledImages, second: &LabeledImages) -> Duplicates {
    let (first_pixels, second_pixels) = (first.pixels(), second.pixels());
    let mut seen: HashMap<&[u8], Vec<u8>> = HashMap::with_capacity(first.len());
    let mut found = Duplicates::default();
    for (image, &label) in first_pixels.outer_iter().zip(&first.labels) {
        let labels = seen.entry(image.to_slice().expect("rows of a standard layout")).or_default();
        found.within_first += usize::from(!labels.is_empty());
        if !labels.contains(&label) {
            labels.push(label);
        }
    }
    let mut seen_second: HashMap<&[u8], ()> = HashMap::with_capacity(second.len());
    for (image, label) in second_pixels.outer_iter().zip(&second.labels) {
        let image = image.to_slice().expect("rows of a standard layout");
        found.within_second += usize::from(seen_second.insert(image, ()).is_some());
        if let Some(labels) = seen.get(image) {
            found.between += 1;
            found.contradicting += usize::from(!labels.contains(label));
        }
    }
    found
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
        let found = Statistics::of(&set(&[0, 0, 100, 200], &[0, 1, 1, 1]));
        assert_eq!((found.counts.as_slice(), found.mean, found.zeros, found.n_blank), (&[1, 3, 0][..], 75.0, 0.5, 2));
        assert!((found.deviation - 6875_f64.sqrt()).abs() < 1e-12);
    }

    #[test]
    fn duplicates_are_counted_within_and_between_with_their_labels() {
        let (first, second) = (set(&[1, 2, 1, 1, 3], &[0, 1, 0, 2, 1]), set(&[1, 2, 2, 9], &[2, 0, 1, 0]));
        let expected = Duplicates { between: 3, contradicting: 1, within_first: 2, within_second: 1 };
        assert_eq!(duplicates(&first, &second), expected);
    }
}
