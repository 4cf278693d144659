//! The example programs do what they say.

use mlp_train::Classifier;
use mnist_io::{prepare_digit, synthetic_digits};
use tempfile::tempdir;

#[allow(dead_code, reason = "the program begins at main, and the tests look at what it computes")]
#[path = "../../examples/classify_a_picture.rs"]
mod classify_a_picture;
#[allow(dead_code, reason = "as above")]
#[path = "../../examples/iris.rs"]
pub(crate) mod iris;
#[allow(dead_code, reason = "as above")]
#[path = "../../examples/regression.rs"]
mod regression;

#[test]
fn a_function_is_met_more_closely_than_its_measurements() {
    let error = regression::learn().unwrap();
    assert!(error < 0.05, "{error}");
}

#[test]
fn an_image_and_a_photo_of_it_are_read_alike() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("m.safetensors");
    classify_a_picture::train_and_save(&path).unwrap();
    let mut classifier = Classifier::load(&path).unwrap();
    let digits = synthetic_digits(50, 2);
    let mut n_right = 0;
    for (image, &label) in digits.images.outer_iter().zip(&digits.labels) {
        let pixels: Vec<u8> = image.iter().copied().collect();
        let photo = classify_a_picture::made_up_photo(&pixels);
        let prepared: Vec<u8> = prepare_digit(&photo).unwrap().image.iter().copied().collect();
        for pixels in [pixels, prepared] {
            n_right +=
                usize::from(classifier.classify(&pixels).unwrap().nearest() == digits.classes[usize::from(label)]);
        }
    }
    assert!(n_right >= 80, "{n_right} of 100");
}
