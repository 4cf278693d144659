//! What a net sees of training images that are deformed.

use mlp_train::{Augmentation, Augmenter};
use mnist_io::LabeledImages;
use ndarray::{Array3, Axis};

/// The seed of the run whose images are shown.
const SEED: u64 = 0;

/// The first image of each class, and behind it what a run with seed 0 is shown in its place in the first epochs:
/// `n_columns` in all.
pub(super) fn variants(set: &LabeledImages, augmentation: Augmentation, n_columns: usize) -> LabeledImages {
    let (height, width) = (set.height(), set.width());
    let firsts = (0..set.classes.len()).filter_map(|class| set.labels.iter().position(|&l| usize::from(l) == class));
    let mut augmenter = Augmenter::new(augmentation, (height, width), SEED);
    let (mut pixels, mut labels) = (Vec::new(), Vec::new());
    let mut variant = vec![0; height * width];
    for index in firsts {
        let image = set.images.index_axis(Axis(0), index);
        pixels.extend(image.iter());
        for epoch in 1..n_columns {
            augmenter.augment(image, epoch, index, &mut variant);
            pixels.extend_from_slice(&variant);
        }
        labels.extend(std::iter::repeat_n(set.labels[index], n_columns));
    }
    let images = Array3::from_shape_vec((labels.len(), height, width), pixels).expect("whole images");
    LabeledImages { images, labels, classes: set.classes.clone() }
}
