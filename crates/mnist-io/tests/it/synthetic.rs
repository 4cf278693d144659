//! The built-in digits: always the same, balanced, never empty.

use mnist_io::synthetic_digits;

#[test]
fn the_digits_never_change() {
    // Printed by this test when the drawing was finished. A change here changes every result on this data set.
    assert_eq!(synthetic_digits(1000, 0).sha256(), "55d7388860fc46c89fb8a3ccd36cb93f4d953ae62041c67cdbae5374aca36779");
}

#[test]
fn a_digit_does_not_depend_on_how_many_follow() {
    assert_eq!(synthetic_digits(25, 4), synthetic_digits(90, 4).first(25));
    assert_ne!(synthetic_digits(25, 4), synthetic_digits(25, 5));
}

#[test]
fn every_ten_digits_hold_each_class_once_in_random_order() {
    let digits = synthetic_digits(100, 1);
    for run in digits.labels.chunks(10) {
        let mut sorted = run.to_vec();
        sorted.sort_unstable();
        assert_eq!(sorted, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    }
    assert_ne!(digits.labels[..10], digits.labels[10..20]);
}

#[test]
fn every_digit_has_ink_and_a_dark_edge() {
    let digits = synthetic_digits(2000, 2);
    for (index, image) in digits.images.outer_iter().enumerate() {
        let ink: f64 = image.iter().map(|&pixel| f64::from(pixel) / 255.0).sum();
        assert!((10.0..330.0).contains(&ink), "digit {index} has {ink} pixels of ink");
        let edge = [image.row(0), image.row(27), image.column(0), image.column(27)];
        let brightest = edge.iter().flat_map(|line| line.iter()).max().unwrap();
        assert!(*brightest < 255, "digit {index} is cut off");
    }
}

#[test]
fn no_digits_are_no_digits() {
    assert!(synthetic_digits(0, 1).is_empty());
}
