//! The test images under blur.

use mnist_io::{Disturbance, LabeledImages};

use crate::error::{Error, Result};

/// The standard deviations of the blur, in pixels.
pub(crate) const BLURS: [f64; 7] = [0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0];
/// The side of the fixed kernel with which the blur is computed once more.
pub(crate) const FIXED_KERNEL: usize = 5;

/// The test images under every blur, by a name for each: with a kernel as wide as the blur needs, and with the fixed one.
pub(crate) fn blurred_sets(test: &LabeledImages) -> Result<Vec<(String, LabeledImages)>> {
    let mut sets = Vec::new();
    for kernel_size in [None, Some(FIXED_KERNEL)] {
        for sigma in BLURS {
            let blur = Disturbance::GaussianBlur { sigma, kernel_size };
            let images = blur.apply(test.images.view(), 0).map_err(|error| Error::images(&error))?;
            let set = LabeledImages { images, labels: test.labels.clone(), classes: test.classes.clone() };
            sets.push((blur_name(sigma, kernel_size.is_some()), set));
        }
    }
    Ok(sets)
}

/// The name of the test images under a blur.
pub(crate) fn blur_name(sigma: f64, is_fixed: bool) -> String {
    if is_fixed { format!("blur {sigma}, kernel {FIXED_KERNEL}") } else { format!("blur {sigma}") }
}
