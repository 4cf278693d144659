//! Labelled images as a value and as a folder.

use crate::fixtures::{idx_bytes, two_images};
use mnist_io::{ErrorKind, LabeledImages, digit_classes, synthetic_digits};
use ndarray::Array3;
use std::collections::HashSet;

#[test]
fn a_folder_that_was_written_is_loaded_again() {
    let folder = tempfile::tempdir().unwrap();
    let (train, mut test) = (synthetic_digits(30, 1), synthetic_digits(10, 2));
    LabeledImages::write_folder(folder.path(), &train, &test).unwrap();
    assert_eq!(LabeledImages::load_folder(folder.path()).unwrap(), (train.clone(), test.clone()));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 4);

    let letters = |set: &LabeledImages| LabeledImages { classes: ('a'..='j').collect(), ..set.clone() };
    LabeledImages::write_folder(folder.path(), &letters(&train), &letters(&test)).unwrap();
    assert_eq!(LabeledImages::load_folder(folder.path()).unwrap(), (letters(&train), letters(&test)));

    // Written over it, digits are digits again.
    LabeledImages::write_folder(folder.path(), &train, &test).unwrap();
    assert_eq!(LabeledImages::load_folder(folder.path()).unwrap(), (train.clone(), test.clone()));

    test.classes = vec!['x'];
    let error = LabeledImages::write_folder(folder.path(), &train, &test).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Argument);
}

#[test]
fn a_folder_may_hold_plain_files_and_names_with_a_dot() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: Vec<u8>| std::fs::write(folder.path().join(name), bytes).unwrap();
    write("train-images.idx3-ubyte", two_images());
    write("train-labels.idx1-ubyte", idx_bytes(&[2], &[1, 2]));
    write("t10k-images-idx3-ubyte", two_images());
    write("t10k-labels-idx1-ubyte.gz", idx_bytes(&[2], &[1, 2]));
    let (train, test) = LabeledImages::load_folder(folder.path()).unwrap();
    assert_eq!(train, test);
}

#[test]
fn a_missing_file_is_reported_with_the_names_that_were_tried() {
    let folder = tempfile::tempdir().unwrap();
    let error = LabeledImages::load_folder(folder.path()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
    insta::assert_snapshot!(error.to_string().replace(folder.path().to_str().unwrap(), "FOLDER"));
    let missing = LabeledImages::load_folder(&folder.path().join("missing")).unwrap_err();
    assert!(missing.to_string().contains("this is no folder"), "{missing}");
}

#[test]
fn parts_that_do_not_belong_together_are_refused() {
    let images = Array3::zeros((2, 4, 4));
    let new = |images: &Array3<u8>, labels: &[u8], classes: &[char]| {
        LabeledImages::new(images.clone(), labels.to_vec(), classes.to_vec()).map_err(|error| error.kind())
    };
    assert!(new(&images, &[0, 1], &['a', 'b']).is_ok());
    assert_eq!(new(&images, &[0], &['a', 'b']), Err(ErrorKind::Data));
    assert_eq!(new(&images, &[0, 2], &['a', 'b']), Err(ErrorKind::Data));
    assert_eq!(new(&images, &[0, 1], &['a', 'a']), Err(ErrorKind::Data));
    assert_eq!(new(&images, &[0, 1], &[]), Err(ErrorKind::Data));
    assert_eq!(new(&Array3::zeros((0, 4, 4)), &[], &['a']), Err(ErrorKind::Data));
}

#[test]
fn a_subset_is_drawn_without_replacement_and_grows_with_its_size() {
    let digits = synthetic_digits(200, 3);
    let subset = digits.subset(50, 7);
    assert_eq!(subset.len(), 50);
    let different: HashSet<Vec<u8>> = subset.pixels().outer_iter().map(|row| row.to_vec()).collect();
    assert_eq!(different.len(), 50);
    assert_eq!(digits.subset(80, 7).first(50), subset);
    assert_ne!(digits.subset(50, 8), subset);
    assert_eq!(digits.subset(1000, 7).len(), 200);
    assert_eq!(digits.first(1000), digits);
}

#[test]
fn pixels_are_the_images_as_rows() {
    let digits = synthetic_digits(3, 3);
    assert_eq!(digits.pixels().dim(), (3, 784));
    assert_eq!(digits.pixels()[[2, 28 * 14 + 9]], digits.images[[2, 14, 9]]);
    assert_eq!((digits.height(), digits.width(), digits.is_empty()), (28, 28, false));
}

#[test]
fn the_identity_changes_with_pixels_labels_classes_and_shape() {
    let digits = synthetic_digits(4, 3);
    let identity = digits.sha256();
    let mut others = vec![digits.first(3)];
    others.push(LabeledImages { labels: vec![0; 4], ..digits.clone() });
    others.push(LabeledImages { classes: ('a'..='j').collect(), ..digits.clone() });
    let reshaped = digits.images.clone().into_shape_with_order((4, 14, 56)).unwrap();
    others.push(LabeledImages { images: reshaped, ..digits.clone() });
    let mut touched = digits.clone();
    touched.images[[0, 0, 0]] ^= 1;
    others.push(touched);
    assert!(others.iter().all(|other| other.sha256() != identity));
    assert_eq!(digits.clone().sha256(), identity);
    assert_eq!(digits.classes, digit_classes());
}
