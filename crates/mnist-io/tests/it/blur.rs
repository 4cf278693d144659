//! Gaussian blur against OpenCV, and what must hold for every image.

use mnist_io::{Disturbance, ErrorKind, synthetic_digits};
use ndarray::{Array3, s};
use proptest::prelude::*;

fn blur(images: &Array3<u8>, sigma: f64, kernel_size: Option<usize>) -> Array3<u8> {
    Disturbance::GaussianBlur { sigma, kernel_size }.apply(images.view(), 0).unwrap()
}

fn bytes_of_hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.chars().map(|digit| digit.to_digit(16).unwrap() as u8).collect();
    digits.chunks(2).map(|pair| pair[0] * 16 + pair[1]).collect()
}

fn mean(images: &Array3<u8>) -> f64 {
    images.iter().map(|&pixel| f64::from(pixel)).sum::<f64>() / images.len() as f64
}

#[test]
fn blur_is_opencvs() {
    let golden: serde_json::Value = serde_json::from_str(include_str!("../golden/opencv_blur.json")).unwrap();
    for case in golden["cases"].as_array().unwrap() {
        let number = |key: &str| case[key].as_u64().unwrap() as usize;
        let pixels = |key: &str| {
            let values = bytes_of_hex(case[key].as_str().unwrap());
            Array3::from_shape_vec((1, number("height"), number("width")), values).unwrap()
        };
        let sigma = case["sigma"].as_f64().unwrap();
        let kernel_size = Some(number("kernel_size")).filter(|&size| size > 0);
        let blurred = blur(&pixels("input"), sigma, kernel_size);
        let differences: Vec<u8> =
            blurred.iter().zip(&pixels("output")).map(|(&ours, &theirs)| ours.abs_diff(theirs)).collect();
        let n_different = differences.iter().filter(|&&difference| difference > 0).count();
        let greatest = *differences.iter().max().unwrap();
        println!(
            "sigma {sigma}, kernel {kernel_size:?}, {}×{}: {n_different} pixels differ, by {greatest} at most",
            number("height"),
            number("width")
        );
        assert_eq!(n_different, 0, "sigma {sigma}, kernel {kernel_size:?}: up to {greatest} grey levels");
    }
}

#[test]
fn sigma_0_without_a_kernel_size_is_the_identity() {
    let digits = synthetic_digits(3, 5);
    assert_eq!(blur(&digits.images, 0.0, None), digits.images);
}

#[test]
fn an_impossible_sigma_or_kernel_size_is_refused() {
    let images = Array3::zeros((1, 4, 4));
    for sigma in [-1.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let error = Disturbance::GaussianBlur { sigma, kernel_size: None }.apply(images.view(), 0).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Argument);
    }
    for size in [0, 2, 4] {
        let error =
            Disturbance::GaussianBlur { sigma: 1.0, kernel_size: Some(size) }.apply(images.view(), 0).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Argument);
    }
}

#[test]
fn a_gigantic_sigma_or_kernel_mixes_a_digit_evenly() {
    let digits = synthetic_digits(20, 6);
    for (sigma, kernel_size) in
        [(1e9, None), (f64::MAX, None), (1e9, Some(usize::MAX)), (0.0, Some(usize::MAX)), (2.0, Some(usize::MAX))]
    {
        let blurred = blur(&digits.images, sigma, kernel_size);
        // The reflected border does not repeat the edge, so an even mixture of 28 × 28 pixels with a dark edge is one
        // over 27 × 27: 7.5 % brighter.
        let ratio = mean(&blurred) / mean(&digits.images);
        assert!((0.97..1.09).contains(&ratio), "sigma {sigma}: the mean changes by {ratio}");
    }
    let even = blur(&digits.images.slice(s![..1, .., ..]).to_owned(), 1e9, None);
    let (least, greatest) = (even.iter().min().unwrap(), even.iter().max().unwrap());
    assert!(greatest - least <= 1, "{least} to {greatest}");
}

#[test]
fn a_blurred_digit_keeps_its_mean() {
    let digits = synthetic_digits(50, 8);
    for sigma in [0.5, 1.0, 2.0] {
        let ratio = mean(&blur(&digits.images, sigma, None)) / mean(&digits.images);
        assert!((ratio - 1.0).abs() < 0.02, "sigma {sigma}: {ratio}");
    }
}

/// The definition, in integers: the kernel at every offset, each pixel looked up in the mirror.
fn blurred_by_definition(row: &[u8], kernel: &[u64]) -> Vec<u8> {
    let last = row.len() as i64 - 1;
    let radius = kernel.len() as i64 / 2;
    let pixel_at = |mut place: i64| {
        while last > 0 && !(0..=last).contains(&place) {
            place = if place < 0 { -place } else { 2 * last - place };
        }
        u64::from(row[if last == 0 { 0 } else { place as usize }])
    };
    let sum_at = |target: i64| -> u64 {
        (-radius..=radius).map(|offset| kernel[(offset + radius) as usize] * pixel_at(target + offset)).sum()
    };
    (0..=last).map(|target| ((sum_at(target) + 128) / 256) as u8).collect()
}

/// The weights in 256ths, which a single bright pixel shows that is far from the ends of its row.
fn kernel_of(sigma: f64) -> Vec<u64> {
    let radius = 150;
    let mut impulse = Array3::zeros((1, 1, 2 * radius + 1));
    impulse[[0, 0, radius]] = 255;
    let mut kernel: Vec<u64> =
        blur(&impulse, sigma, None).iter().map(|&pixel| (u64::from(pixel) * 256 + 127) / 255).collect();
    // 128 and 129 show the same pixel, 128; the middle alone can be so large.
    if kernel[radius] == 129 {
        kernel[radius] -= u64::from(kernel.iter().sum::<u64>() == 257);
    }
    kernel
}

#[test]
fn a_line_too_long_for_its_weights_to_be_laid_out_is_blurred_alike() {
    let row: Vec<u8> = (0..9000_u32).map(|x| (x.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let expected = blurred_by_definition(&row, &kernel_of(10.0));
    let across = Array3::from_shape_vec((1, 1, row.len()), row.clone()).unwrap();
    let down = Array3::from_shape_vec((1, row.len(), 1), row).unwrap();
    assert_eq!(blur(&across, 10.0, None).into_raw_vec_and_offset().0, expected);
    assert_eq!(blur(&down, 10.0, None).into_raw_vec_and_offset().0, expected);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_constant_image_stays_constant(value: u8, height in 1_usize..12, width in 1_usize..12, exponent in -6.0..12.0) {
        let images = Array3::from_elem((2, height, width), value);
        prop_assert_eq!(blur(&images, 10_f64.powf(exponent), None), images);
    }

    #[test]
    fn no_pixel_leaves_the_range_of_the_image(
        pixels in proptest::collection::vec(60_u8..200, 49), sigma in 0.0..30.0, radius in 0_usize..20,
    ) {
        let images = Array3::from_shape_vec((1, 7, 7), pixels).unwrap();
        let (low, high) = (*images.iter().min().unwrap(), *images.iter().max().unwrap());
        for pixel in blur(&images, sigma, Some(2 * radius + 1)) {
            prop_assert!((low..=high).contains(&pixel));
        }
    }
    #[test]
    fn every_side_is_mirrored_as_often_as_the_kernel_reaches(
        row in proptest::collection::vec(0_u8..=255, 1..40), sigma in 0.1..40.0,
    ) {
        let kernel = kernel_of(sigma);
        prop_assert_eq!(kernel.iter().sum::<u64>(), 256);
        let expected = blurred_by_definition(&row, &kernel);
        let across = Array3::from_shape_vec((1, 1, row.len()), row.clone()).unwrap();
        let down = Array3::from_shape_vec((1, row.len(), 1), row).unwrap();
        prop_assert_eq!(blur(&across, sigma, None).into_raw_vec_and_offset().0, expected.clone());
        prop_assert_eq!(blur(&down, sigma, None).into_raw_vec_and_offset().0, expected);
    }
}
