//! Names, ranges and determinism of the disturbances.

use mnist_io::{Disturbance, ErrorKind, synthetic_digits};
use ndarray::{Array3, s};

#[test]
fn a_name_and_a_strength_give_a_disturbance_with_this_name_and_strength() {
    for name in Disturbance::NAMES {
        let disturbance = Disturbance::parse(name, 0.5).unwrap();
        assert_eq!((disturbance.name(), disturbance.strength()), (name, 0.5));
        assert_eq!(disturbance.to_string(), format!("{name}=0.5"));
        assert_eq!(disturbance.to_string().parse::<Disturbance>().unwrap(), disturbance);
    }
}

#[test]
fn a_text_that_is_no_name_with_a_strength_is_refused() {
    for text in ["", "gaussian-blur", "gaussian-blur=", "gaussian-blur=wide", "blur=1", "salt-and-pepper=2"] {
        assert_eq!(text.parse::<Disturbance>().unwrap_err().kind(), ErrorKind::Argument, "{text}");
    }
    let error = "gaussian-blur".parse::<Disturbance>().unwrap_err().to_string();
    assert!(error.contains("such as gaussian-blur=1.5, found \"gaussian-blur\""), "{error}");
}

#[test]
fn an_unknown_name_or_a_strength_out_of_range_is_refused_with_the_range() {
    let requests = [
        ("gausian-blur", 1.0),
        ("gaussian-blur", -1.0),
        ("gaussian-blur", f64::INFINITY),
        ("gaussian-noise", f64::NAN),
        ("salt-and-pepper", 1.5),
    ];
    let texts: Vec<String> = requests
        .iter()
        .map(|&(name, strength)| {
            let error = Disturbance::parse(name, strength).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Argument);
            error.to_string()
        })
        .collect();
    insta::assert_snapshot!(texts.join("\n"));
}

#[test]
fn strength_0_leaves_images_alone() {
    let digits = synthetic_digits(3, 1);
    for name in Disturbance::NAMES {
        let same = Disturbance::parse(name, 0.0).unwrap().apply(digits.images.view(), 9).unwrap();
        assert_eq!(same, digits.images, "{name}");
    }
}

#[test]
fn the_disturbance_of_an_image_does_not_depend_on_how_many_follow() {
    let digits = synthetic_digits(8, 1);
    for name in Disturbance::NAMES {
        let disturbance = Disturbance::parse(name, 0.9).unwrap();
        let all = disturbance.apply(digits.images.view(), 3).unwrap();
        let few = disturbance.apply(digits.images.slice(s![..3, .., ..]), 3).unwrap();
        assert_eq!(all.slice(s![..3, .., ..]), few, "{name}");
    }
}

#[test]
fn noise_differs_from_image_to_image_and_from_seed_to_seed() {
    let grey = Array3::from_elem((2, 20, 20), 128);
    let noise = Disturbance::GaussianNoise { deviation: 20.0 };
    let (one, other) = (noise.apply(grey.view(), 1).unwrap(), noise.apply(grey.view(), 2).unwrap());
    assert_ne!(one, other);
    assert_ne!(one.slice(s![0, .., ..]), one.slice(s![1, .., ..]));
    assert_eq!(one, noise.apply(grey.view(), 1).unwrap());
}

#[test]
fn gaussian_noise_has_its_mean_and_deviation() {
    let grey = Array3::from_elem((20, 28, 28), 128);
    let noisy = Disturbance::GaussianNoise { deviation: 20.0 }.apply(grey.view(), 1).unwrap();
    let values = noisy.mapv(f64::from);
    assert!((values.mean().unwrap() - 128.0).abs() < 0.8, "{:?}", values.mean());
    assert!((values.std(0.0) - 20.0).abs() < 0.5, "{}", values.std(0.0));
}

#[test]
fn a_gigantic_noise_makes_pixels_black_or_white() {
    let grey = Array3::from_elem((1, 28, 28), 128);
    let noisy = Disturbance::GaussianNoise { deviation: 1e9 }.apply(grey.view(), 1).unwrap();
    assert!(noisy.iter().all(|pixel| [0, 255].contains(pixel)));
}

#[test]
fn salt_and_pepper_replaces_its_fraction_half_by_black_half_by_white() {
    let grey = Array3::from_elem((20, 28, 28), 128);
    let spoilt = Disturbance::SaltAndPepper { fraction: 0.3 }.apply(grey.view(), 1).unwrap();
    let fraction_of = |level: u8| spoilt.iter().filter(|&&pixel| pixel == level).count() as f64 / spoilt.len() as f64;
    assert!((fraction_of(0) - 0.15).abs() < 0.01 && (fraction_of(255) - 0.15).abs() < 0.01);
    let all = Disturbance::SaltAndPepper { fraction: 1.0 }.apply(grey.view(), 1).unwrap();
    assert!(all.iter().all(|pixel| [0, 255].contains(pixel)));
}
