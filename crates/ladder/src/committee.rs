//! The networks of a sweep, answering together.

use mlp_core::{Kernel, Workers};
use mlp_sweep::image_samples;
use mlp_train::{Committee, Result, SavedModel};
use mnist_io::LabeledImages;

use crate::wrong::wrong_digits;

/// What networks answer together.
#[derive(Clone, Debug, PartialEq)]
pub struct Together {
    /// How many images are answered wrongly.
    pub n_wrong: usize,
    /// The first of them as an SVG document, each with its label and the answer; nothing if there are none.
    pub picture: Option<String>,
}

/// Measures the mean answers of `models` on `images`.
///
/// # Errors
///
/// If there is none, or two cannot answer together.
pub fn together(models: &[SavedModel], images: &LabeledImages, workers: &Workers, kernel: Kernel) -> Result<Together> {
    let committee = Committee::new(models)?;
    let codebook = models[0].config.codebook(&images.classes);
    let evaluation = committee.evaluate(&image_samples(images, &codebook), workers, kernel);
    let accuracy = evaluation.metrics.accuracy.unwrap_or(0.0);
    // A share of whole images.
    let n_wrong = ((1.0 - accuracy) * images.len() as f64).round() as usize;
    Ok(Together { n_wrong, picture: wrong_digits(&evaluation.mistakes, images) })
}
