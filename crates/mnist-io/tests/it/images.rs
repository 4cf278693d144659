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

    let letters =
        |set: &LabeledImages| LabeledImages { classes: ('a'..='j').map(String::from).collect(), ..set.clone() };
    LabeledImages::write_folder(folder.path(), &letters(&train), &letters(&test)).unwrap();
    assert_eq!(LabeledImages::load_folder(folder.path()).unwrap(), (letters(&train), letters(&test)));

    // Written over it, digits are digits again.
    LabeledImages::write_folder(folder.path(), &train, &test).unwrap();
    assert_eq!(LabeledImages::load_folder(folder.path()).unwrap(), (train.clone(), test.clone()));

    test.classes = vec!["x".to_owned()];
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
    let missing = LabeledImages::load_folder(folder.path().join("missing")).unwrap_err();
    assert!(missing.to_string().contains("this is no folder"), "{missing}");
}

#[test]
fn two_files_for_the_same_part_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let digits = synthetic_digits(10, 1);
    LabeledImages::write_folder(folder.path(), &digits, &digits).unwrap();
    let cases = [
        ("train-images-idx3-ubyte", "train-images-idx3-ubyte.gz"),
        ("train-labels.idx1-ubyte.gz", "train-labels-idx1-ubyte.gz"),
        ("test-images-idx3-ubyte", "t10k-images-idx3-ubyte.gz"),
        ("test-labels.idx1-ubyte", "t10k-labels-idx1-ubyte.gz"),
    ];
    let mut texts = Vec::new();
    for (other, written) in cases {
        let path = folder.path().join(other);
        std::fs::write(&path, b"older data").unwrap();
        let loading = LabeledImages::load_folder(folder.path()).unwrap_err();
        assert_eq!(loading.kind(), ErrorKind::Data);
        assert!(loading.found().contains(other) && loading.found().contains(written), "{loading}");
        let writing = LabeledImages::write_folder(folder.path(), &digits, &digits).unwrap_err();
        assert_eq!((writing.kind(), writing.found()), (ErrorKind::Argument, other));
        texts.extend([loading.to_string(), writing.to_string()]);
        std::fs::remove_file(path).unwrap();
    }
    insta::assert_snapshot!(texts[..2].join("\n").replace(folder.path().to_str().unwrap(), "FOLDER"));
    LabeledImages::load_folder(folder.path()).unwrap();
}

#[test]
fn a_set_that_cannot_be_loaded_is_not_written_and_leaves_the_folder_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let (old, new) = (synthetic_digits(10, 1), synthetic_digits(10, 2));
    LabeledImages::write_folder(folder.path(), &old, &old).unwrap();
    let spoilt = [
        LabeledImages { labels: vec![0; 9], ..new.clone() },
        LabeledImages { labels: vec![10; 10], ..new.clone() },
        LabeledImages { images: Array3::zeros((0, 28, 28)), labels: vec![], ..new.clone() },
        LabeledImages { classes: "012345678\n".chars().map(String::from).collect(), ..new.clone() },
    ];
    let mut texts = Vec::new();
    for set in &spoilt {
        for (train, test) in [(set, &new), (&new, set)] {
            let error = LabeledImages::write_folder(folder.path(), train, test).unwrap_err();
            assert_eq!((error.kind(), error.position()), (ErrorKind::Argument, None), "{error}");
            texts.push(error.to_string());
            assert_eq!(LabeledImages::load_folder(folder.path()).unwrap(), (old.clone(), old.clone()));
            assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 4);
        }
    }
    insta::assert_snapshot!(texts.join("\n"));
}

#[test]
fn a_file_of_classes_is_refused_for_its_content_or_as_unreadable() {
    let folder = tempfile::tempdir().unwrap();
    let digits = synthetic_digits(10, 1);
    LabeledImages::write_folder(folder.path(), &digits, &digits).unwrap();
    let path = folder.path().join("classes.txt");
    let mut texts = Vec::new();
    for content in
        [&b"a\n bc\n"[..], b"a\n\nb\n", b"a\na\n", b"a\n\t\n", b"a\n\xff\n", b"", &[b'a'; 101], &[b'a'; 200_000]]
    {
        std::fs::write(&path, content).unwrap();
        let error = LabeledImages::load_folder(folder.path()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Data, "{error}");
        texts.push(error.to_string().replace(folder.path().to_str().unwrap(), "FOLDER"));
    }
    insta::assert_snapshot!(texts.join("\n"));
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    assert_eq!(LabeledImages::load_folder(folder.path()).unwrap_err().kind(), ErrorKind::Io);
}

#[test]
fn an_error_is_one_line_whatever_the_name_of_the_file_holds() {
    let path = std::path::Path::new("folder\nwith\u{1b}[31m\u{2028}lines");
    for error in [LabeledImages::load_folder(path).unwrap_err(), mnist_io::IdxArray::read(path).unwrap_err()] {
        assert!(error.to_string().starts_with("folder\\nwith\\u{1b}[31m\\u{2028}lines: "), "{error}");
        assert!(!error.to_string().chars().any(char::is_control), "{error}");
        assert_eq!(error.path(), Some(path));
    }
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
    assert_eq!(new(&images, &[0, 1], &['a', '\r']), Err(ErrorKind::Data));
    assert_eq!(new(&Array3::zeros((0, 4, 4)), &[], &['a']), Err(ErrorKind::Data));
    // There is no file, so there is no byte in one.
    assert_eq!(LabeledImages::new(images, vec![0, 2], vec!['a', 'b']).unwrap_err().position(), None);
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
    others.push(LabeledImages { classes: ('a'..='j').map(String::from).collect(), ..digits.clone() });
    let reshaped = digits.images.clone().into_shape_with_order((4, 14, 56)).unwrap();
    others.push(LabeledImages { images: reshaped, ..digits.clone() });
    let mut touched = digits.clone();
    touched.images[[0, 0, 0]] ^= 1;
    others.push(touched);
    assert!(others.iter().all(|other| other.sha256() != identity));
    assert_eq!(digits.clone().sha256(), identity);
    assert_eq!(digits.classes, digit_classes());
}

#[test]
fn a_split_takes_its_share_of_every_class_and_loses_nothing() {
    let digits = synthetic_digits(203, 5);
    let (first, second) = digits.split(0.2, 7);
    assert_eq!(digits.split(0.2, 7), (first.clone(), second.clone()));
    assert_ne!(digits.split(0.2, 8).1, second);
    for ((all, first), second) in digits.class_counts().into_iter().zip(first.class_counts()).zip(second.class_counts())
    {
        assert_eq!(first + second, all);
        assert_eq!(second, (0.2 * all as f64).round() as usize);
    }
    let rows =
        |set: &LabeledImages| -> Vec<Vec<u8>> { set.pixels().rows().into_iter().map(|row| row.to_vec()).collect() };
    let mut both = [rows(&first), rows(&second)].concat();
    let mut all = rows(&digits);
    both.sort();
    all.sort();
    assert_eq!(both, all);
    // Each set has one of two, and one alone is there to learn from.
    let three = LabeledImages {
        images: digits.first(3).images,
        labels: vec![0, 0, 1],
        classes: vec!["a".to_owned(), "b".to_owned()],
    };
    for share in [0.0, 0.01, 0.99, 1.0] {
        let (first, second) = three.split(share, 0);
        assert_eq!((first.class_counts(), second.class_counts()), (vec![1, 1], vec![1, 0]));
    }
}
