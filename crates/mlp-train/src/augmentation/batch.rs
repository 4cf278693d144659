//! The images of a batch, deformed on all threads.

use mlp_core::{Workers, prefetch};
use ndarray::{ArrayView3, Axis};

use super::Augmentation;
use super::deformer::{Deformer, Scratch};

/// Parts of a batch for each thread: who has finished helps out.
const PARTS_PER_THREAD: usize = 4;

/// The images of a batch as the network is to see them, in memory that is allocated once.
#[derive(Debug)]
pub(crate) struct AugmentedBatch {
    deformer: Deformer,
    parts: Vec<PartOfBatch>,
    rows_per_part: usize,
}

/// Some rows of a batch, with what is needed to deform them.
#[derive(Debug)]
struct PartOfBatch {
    scratch: Scratch,
    images: Vec<u8>,
}

impl AugmentedBatch {
    /// For batches of up to so many samples.
    pub(crate) fn new(
        augmentation: Augmentation,
        images: ArrayView3<'_, u8>,
        seed: u64,
        max_samples: usize,
        workers: &Workers,
    ) -> Self {
        let (_, height, width) = images.dim();
        let deformer = Deformer::new(augmentation, (height, width), seed);
        let rows_per_part = max_samples.div_ceil(PARTS_PER_THREAD * workers.n_threads()).max(1);
        let part = || PartOfBatch { scratch: deformer.scratch(), images: vec![0; rows_per_part * deformer.n_pixels()] };
        let parts = (0..max_samples.div_ceil(rows_per_part)).map(|_| part()).collect();
        Self { deformer, parts, rows_per_part }
    }

    /// Deforms the images of the samples `rows`, which are those of an epoch; those of `next` come after them.
    pub(crate) fn fill(
        &mut self,
        images: ArrayView3<'_, u8>,
        epoch: usize,
        rows: &[usize],
        next: &[usize],
        workers: &Workers,
    ) {
        let Self { deformer, parts, rows_per_part } = self;
        let (deformer, rows_per_part) = (&*deformer, *rows_per_part);
        let parts = &mut parts[..rows.len().div_ceil(rows_per_part)];
        workers.for_each(parts, |index, PartOfBatch { scratch, images: into }| {
            let first = index * rows_per_part;
            let rows = rows[first..].iter().zip(into.chunks_exact_mut(deformer.n_pixels()));
            for (row, (&sample, into)) in rows.enumerate() {
                let next = next.get(first + row).map(|&next| images.index_axis(Axis(0), next));
                if let Some(next) = next.as_ref().and_then(|next| next.to_slice()) {
                    prefetch(next);
                }
                deformer.deform(images.index_axis(Axis(0), sample), (epoch, sample), scratch, into);
            }
        });
    }

    /// The image in this row of the batch.
    #[inline]
    pub(crate) fn image(&self, row: usize) -> &[u8] {
        let n_pixels = self.deformer.n_pixels();
        &self.parts[row / self.rows_per_part].images[row % self.rows_per_part * n_pixels..][..n_pixels]
    }
}

#[cfg(test)]
mod tests {
    use ndarray::Array3;

    use super::*;

    #[test]
    fn an_image_is_the_same_in_any_batch_on_any_number_of_threads() {
        let images = Array3::from_shape_fn((30, 9, 7), |(image, y, x)| (31 * image + 7 * y + 50 * x) as u8);
        let deformer = Deformer::new(Augmentation::GENTLE, (9, 7), 5);
        let (mut scratch, mut expected) = (deformer.scratch(), vec![0; 63]);
        let order: Vec<usize> = (0..30).rev().collect();
        for (n_threads, batch_size) in [(1, 1), (1, 30), (2, 7), (3, 16), (2, 30), (3, 5)] {
            let workers = Workers::new(n_threads);
            let mut batch = AugmentedBatch::new(Augmentation::GENTLE, images.view(), 5, batch_size, &workers);
            for rows in order.chunks(batch_size) {
                batch.fill(images.view(), 2, rows, &[0], &workers);
                for (row, &sample) in rows.iter().enumerate() {
                    deformer.deform(images.index_axis(Axis(0), sample), (2, sample), &mut scratch, &mut expected);
                    assert_eq!(batch.image(row), expected, "{n_threads} threads, batches of {batch_size}");
                }
            }
        }
    }
}
