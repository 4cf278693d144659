//! Training images, deformed anew in each epoch.

use mlp_train::mlp_core::Workers;
use mlp_train::{Augmentation, Augmenter};
use ndarray::{ArrayView2, ArrayViewMut1, ArrayViewMut2, Axis};

use crate::number::Number;

/// Parts of a batch for each thread: who has finished helps out.
const PARTS_PER_THREAD: usize = 4;

/// What deforms the images of a batch, in memory that is allocated once.
pub(super) struct Deformed {
    augmentation: Augmentation,
    /// Height and width.
    size: (usize, usize),
    seed: u64,
    parts: Vec<Part>,
}

/// What deforms one image after the other.
struct Part {
    augmenter: Augmenter,
    size: (usize, usize),
    image: Vec<u8>,
    deformed: Vec<u8>,
}

impl Deformed {
    pub(super) fn new(augmentation: Augmentation, size: (usize, usize), seed: u64) -> Self {
        Self { augmentation, size, seed, parts: Vec::new() }
    }

    /// Deforms the images in `batch`, which are the samples `rows`, in their places. They are numbers from 0 to `white` and
    /// become grey levels, of which there are 256, first.
    pub(super) fn deform<F: Number>(
        &mut self,
        mut batch: ArrayViewMut2<'_, F>,
        rows: &[usize],
        epoch: usize,
        white: f64,
        workers: &Workers,
    ) {
        let rows_per_part = rows.len().div_ceil(PARTS_PER_THREAD * workers.n_threads()).max(1);
        let n_parts = rows.len().div_ceil(rows_per_part);
        while self.parts.len() < n_parts {
            self.parts.push(Part::new(self.augmentation, self.size, self.seed));
        }
        let chunks = batch.axis_chunks_iter_mut(Axis(0), rows_per_part).zip(rows.chunks(rows_per_part));
        let mut work: Vec<_> = self.parts.iter_mut().zip(chunks).collect();
        workers.for_each(&mut work, |_, (part, (images, samples))| {
            for (image, &sample) in images.rows_mut().into_iter().zip(*samples) {
                part.deform(image, (epoch, sample), white);
            }
        });
    }
}

impl Part {
    fn new(augmentation: Augmentation, size: (usize, usize), seed: u64) -> Self {
        let n_pixels = size.0 * size.1;
        let augmenter = Augmenter::new(augmentation, size, seed);
        Self { augmenter, size, image: vec![0; n_pixels], deformed: vec![0; n_pixels] }
    }

    fn deform<F: Number>(&mut self, mut values: ArrayViewMut1<'_, F>, (epoch, sample): (usize, usize), white: f64) {
        let levels = 255.0 / white;
        for (pixel, &value) in self.image.iter_mut().zip(&values) {
            *pixel = libm::round(levels * value.to_f64().unwrap_or(0.0)) as u8;
        }
        let image = ArrayView2::from_shape(self.size, &self.image).expect("as many pixels as the image has");
        self.augmenter.augment(image, epoch, sample, &mut self.deformed);
        let levels = F::narrow(levels);
        values.iter_mut().zip(&self.deformed).for_each(|(value, &pixel)| *value = F::from_u8(pixel) / levels);
    }
}
