//! The real MNIST, where it is there: `$MNIST_DIR` or `datasets/mnist`. Missing files skip these tests with a line on
//! stderr, and fail them where `CI=true`.

use mnist_io::LabeledImages;
use std::path::{Path, PathBuf};

fn mnist() -> Option<(LabeledImages, LabeledImages)> {
    let folder = std::env::var_os("MNIST_DIR")
        .map(PathBuf::from)
        .unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../datasets/mnist"));
    let is_there = std::fs::read_dir(&folder).is_ok_and(|mut entries| entries.next().is_some());
    if !is_there {
        assert!(std::env::var("CI").as_deref() != Ok("true"), "MNIST must be in {} or $MNIST_DIR", folder.display());
        eprintln!("skipped: MNIST is not in {}", folder.display());
        return None;
    }
    Some(LabeledImages::load_folder(&folder).unwrap())
}

#[test]
fn the_real_mnist_is_read() {
    let Some((train, test)) = mnist() else { return };
    assert_eq!(train.images.dim(), (60_000, 28, 28));
    assert_eq!(test.images.dim(), (10_000, 28, 28));
    assert_eq!(train.labels[..10], [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]);
    assert_eq!(test.class_counts(), [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]);
}

#[test]
fn digits_of_mnist_are_taken_as_they_are_also_turned_round() {
    let Some((train, test)) = mnist() else { return };
    for image in train.images.outer_iter().step_by(31).chain(test.images.outer_iter()) {
        let light = crate::prepare::photo_of(&image.to_owned(), crate::prepare::Scene::AsItIs);
        let mut dark = light.clone();
        dark.invert();
        let layout = mnist_io::Layout::Row;
        for prepared in
            [mnist_io::prepare_photo_for_mnist(&light, layout), mnist_io::prepare_photo_for_mnist(&dark, layout)]
        {
            assert_eq!(prepared.characters[0].image, image);
        }
    }
}

#[test]
fn digits_of_mnist_are_prepared_to_what_they_were() {
    let Some((_, test)) = mnist() else { return };
    let mut total = 0.0;
    let n_samples = 200;
    for image in test.images.outer_iter().take(n_samples) {
        let photo = crate::prepare::photo_of(&image.to_owned(), crate::prepare::Scene::DarkOnLight);
        let prepared = mnist_io::prepare_digit(&photo).unwrap();
        total += crate::prepare::correlation(&image.to_owned(), &prepared.image);
    }
    let mean = total / n_samples as f64;
    assert!(mean > 0.93, "mean correlation {mean}");
}
