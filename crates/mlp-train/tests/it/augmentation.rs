//! Training images that are deformed: each strength does what its definition says, and always the same.

use std::ops::ControlFlow;

use mlp_core::{Activation, Kernel, Loss, Workers};
use mlp_train::{
    Augmentation, Augmenter, Averaging, Codebook, Inputs, Optimizer, Progress, Samples, Setup, TargetEncoding, Targets,
    TrainConfig, Trainable, train, train_resumable, weights_sha256,
};
use mnist_io::synthetic_digits;
use ndarray::{Array2, Array3, ArrayView2};
use proptest::prelude::*;
use serde_json::json;

/// A square of ink in the middle.
fn square(side: usize, ink: usize) -> Array2<u8> {
    let inside = (side - ink) / 2..(side + ink) / 2;
    Array2::from_shape_fn((side, side), |(y, x)| if inside.contains(&y) && inside.contains(&x) { 255 } else { 0 })
}

/// What becomes of `image` as the samples from 0 to `n` of the first epoch.
fn augmented(image: ArrayView2<'_, u8>, text: &str, n: usize) -> Vec<Array2<u8>> {
    let mut augmenter = Augmenter::new(text.parse().unwrap(), image.dim(), 0);
    let one = |sample| {
        let mut into = vec![0; image.len()];
        augmenter.augment(image, 1, sample, &mut into);
        Array2::from_shape_vec(image.dim(), into).unwrap()
    };
    (0..n).map(one).collect()
}

/// Ink, its centre from that of the image, and its second moments xx, xy, yy.
fn moments(image: &Array2<u8>) -> (f64, [f64; 2], [f64; 3]) {
    let (height, width) = image.dim();
    let (middle_x, middle_y) = ((width - 1) as f64 / 2.0, (height - 1) as f64 / 2.0);
    let points =
        || image.indexed_iter().map(move |((y, x), &ink)| (x as f64 - middle_x, y as f64 - middle_y, f64::from(ink)));
    let ink: f64 = points().map(|(.., ink)| ink).sum();
    let mean = |of: &dyn Fn(f64, f64) -> f64| points().map(|(x, y, ink)| of(x, y) * ink).sum::<f64>() / ink;
    let (x, y) = (mean(&|x, _| x), mean(&|_, y| y));
    let second = [mean(&|a, _| (a - x) * (a - x)), mean(&|a, b| (a - x) * (b - y)), mean(&|_, b| (b - y) * (b - y))];
    (ink / 255.0, [x, y], second)
}

/// Whether numbers look like drawn uniformly from −`most` to `most`.
fn assert_uniform(numbers: &[f64], most: f64, slack: f64) {
    let n = numbers.len() as f64;
    let largest = numbers.iter().fold(0.0_f64, |largest, number| largest.max(number.abs()));
    assert!(largest <= most + slack && largest > 0.95 * most, "{largest} of {most}");
    let mean = numbers.iter().sum::<f64>() / n;
    let deviation = (numbers.iter().map(|number| number * number).sum::<f64>() / n).sqrt();
    assert!(mean.abs() < 4.0 * most / (3.0 * n).sqrt() + slack, "mean {mean}");
    assert!((deviation - most / 3_f64.sqrt()).abs() < 0.05 * most, "deviation {deviation} of {most}");
}

#[test]
fn a_shift_moves_the_ink_and_changes_nothing_else() {
    let found: Vec<_> = augmented(square(28, 8).view(), "shift 3", 2_000).iter().map(moments).collect();
    for axis in 0..2 {
        let moved: Vec<f64> = found.iter().map(|(_, centre, _)| centre[axis]).collect();
        assert_uniform(&moved, 3.0, 0.01);
    }
    assert!(found.iter().all(|(ink, ..)| (ink - 64.0).abs() < 0.3));
}

#[test]
fn a_rotation_turns_about_the_middle() {
    let bar =
        Array2::from_shape_fn((31, 31), |(y, x)| if (13..18).contains(&y) && (4..27).contains(&x) { 255 } else { 0 });
    let found: Vec<_> = augmented(bar.view(), "rotate 20", 2_000).iter().map(moments).collect();
    let degrees: Vec<f64> =
        found.iter().map(|(_, _, [xx, xy, yy])| (2.0 * xy).atan2(xx - yy).to_degrees() / 2.0).collect();
    assert_uniform(&degrees, 20.0, 0.5);
    assert!(found.iter().all(|(_, [x, y], _)| x.abs() < 0.1 && y.abs() < 0.1));
    let (ink, ..) = moments(&bar);
    assert!(found.iter().all(|(turned, ..)| (turned / ink - 1.0).abs() < 0.02));
}

#[test]
fn a_scale_changes_width_and_height_each_by_itself() {
    let found: Vec<_> = augmented(square(40, 20).view(), "scale 0.2", 2_000).iter().map(moments).collect();
    let (_, _, [xx, _, yy]) = moments(&square(40, 20));
    let widths: Vec<f64> = found.iter().map(|(_, _, second)| (second[0] / xx).sqrt() - 1.0).collect();
    let heights: Vec<f64> = found.iter().map(|(_, _, second)| (second[2] / yy).sqrt() - 1.0).collect();
    assert_uniform(&widths, 0.2, 0.01);
    assert_uniform(&heights, 0.2, 0.01);
    let products: f64 = widths.iter().zip(&heights).map(|(width, height)| width * height).sum();
    assert!((products / 2_000.0).abs() < 0.002);
}

#[test]
fn a_shear_leans_lines_and_keeps_their_height() {
    let found: Vec<_> = augmented(square(40, 16).view(), "shear 0.3", 2_000).iter().map(moments).collect();
    let (_, _, [_, _, yy]) = moments(&square(40, 16));
    let leaning: Vec<f64> = found.iter().map(|(_, _, [_, xy, _])| xy / yy).collect();
    assert_uniform(&leaning, 0.3, 0.01);
    assert!(found.iter().all(|(_, _, second)| (second[2] / yy - 1.0).abs() < 0.01));
}

#[test]
fn a_thickness_moves_the_straight_outline_by_so_many_pixels() {
    // A bar across the image: of its two sides, each moves.
    let bar = Array2::from_shape_fn((20, 20), |(y, _)| if (7..13).contains(&y) { 255 } else { 0 });
    for (text, most) in [("thickness 0.5", 0.5), ("thickness 2.5", 2.5)] {
        let middle = augmented(bar.view(), text, 2_000);
        let moved: Vec<f64> = middle
            .iter()
            .map(|image| image.column(10).iter().map(|&ink| f64::from(ink)).sum::<f64>() / 510.0 - 3.0)
            .collect();
        assert_uniform(&moved, most, 0.01);
    }
}

#[test]
fn an_elastic_deformation_moves_ink_without_tearing_it() {
    let image = square(29, 15);
    let (ink, ..) = moments(&image);
    let found: Vec<_> = augmented(image.view(), "simard", 500).iter().map(moments).collect();
    assert!(found.iter().all(|(deformed, ..)| (0.5..2.0).contains(&(deformed / ink))));
    // A point moves by 1.38 pixels along each axis, the mean over a square of some correlation lengths by less.
    let squares: f64 = found.iter().map(|(_, centre, _)| centre[0] * centre[0]).sum();
    let moved = (squares / 500.0).sqrt();
    assert!((0.4..1.38).contains(&moved), "{moved}");
}

/// The bytes were computed once; whoever changes them changes what every trial with an augmentation computes.
#[test]
fn deformed_images_are_fixed_for_ever() {
    let image = square(8, 4);
    let texts = ["shift 1", "rotate 30", "scale 0.3", "shear 0.5", "elastic 2 4", "thickness 0.8", "gentle"];
    let drawn = texts.map(|text| {
        let image = &augmented(image.view(), text, 2)[1];
        let rows = image.rows().into_iter().map(|row| row.iter().map(|pixel| format!("{pixel:4}")).collect::<String>());
        format!("{text}\n{}\n", rows.collect::<Vec<_>>().join("\n"))
    });
    insta::assert_snapshot!(drawn.join("\n"));
}

#[test]
fn what_is_drawn_for_one_strength_does_not_depend_on_the_others() {
    let image = square(28, 12);
    let [alone, beside] = ["shift 2", "shift 2, elastic 5 1e-9"].map(|text| augmented(image.view(), text, 20));
    assert_eq!(alone, beside);
}

#[test]
fn an_image_depends_on_seed_epoch_and_sample_alone() {
    let image = square(28, 12);
    let of = |seed, epoch, sample| {
        let (mut augmenter, mut into) = (Augmenter::new(Augmentation::CIRESAN, (28, 28), seed), vec![0; 784]);
        augmenter.augment(image.view(), epoch, sample, &mut into);
        into
    };
    let mut all = Vec::new();
    for (seed, epoch, sample) in [(0, 1, 0), (1, 1, 0), (0, 2, 0), (0, 1, 1), (0, 1, 60_000), (0, 256, 0)] {
        all.push(of(seed, epoch, sample));
    }
    let mut together = Augmenter::new(Augmentation::CIRESAN, (28, 28), 0);
    let mut into = vec![0; 784];
    for (epoch, sample, index) in [(1, 60_000, 4), (256, 0, 5), (1, 0, 0), (1, 1, 3), (2, 0, 2)] {
        together.augment(image.view(), epoch, sample, &mut into);
        assert_eq!(into, all[index]);
    }
    for (index, one) in all.iter().enumerate() {
        assert!(all[..index].iter().all(|other| other != one));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn images_of_any_size_are_taken(height in 1_usize..40, width in 1_usize..40, seed in any::<u64>(), sample in 0_usize..1_000_000) {
        let image = Array2::from_shape_fn((height, width), |(y, x)| (y * 37 + x * 11) as u8);
        let mut into = vec![7; height * width];
        let nothing = Augmentation::default();
        Augmenter::new(nothing, (height, width), seed).augment(image.view(), 3, sample, &mut into);
        prop_assert!(image.iter().eq(&into), "without strength nothing changes");

        let all: Augmentation = "shift 50, rotate 180, scale 0.9, shear 1, elastic 1 500, thickness 3".parse().unwrap();
        let mut augmenter = Augmenter::new(all, (height, width), seed);
        augmenter.augment(image.view(), 3, sample, &mut into);
        // A view with its columns first is another layout of the same image.
        let turned = image.t().as_standard_layout().into_owned();
        let mut same = vec![0; height * width];
        augmenter.augment(turned.t(), 3, sample, &mut same);
        prop_assert_eq!(into, same);
    }

    #[test]
    fn a_text_is_read_as_it_is_written(
        [shift, rotate, scale, shear, thickness] in prop::array::uniform5(prop::option::of(0.0_f64..0.9)),
        elastic in prop::option::of((1.0_f64..9.0, 0.1_f64..99.0)),
    ) {
        let elastic = elastic.map(|(sigma, alpha)| mlp_train::Elastic { sigma, alpha });
        let [shift, rotate, scale, shear, thickness] = [shift, rotate, scale, shear, thickness].map(Option::unwrap_or_default);
        let augmentation = Augmentation { shift, rotate, scale, shear, elastic, thickness };
        prop_assert_eq!(augmentation.to_string().parse::<Augmentation>().unwrap(), augmentation);
    }
}

#[test]
fn every_preset_is_written_by_its_name_and_factor() {
    for (name, preset) in Augmentation::PRESETS {
        assert_eq!(preset.to_string(), name);
        for factor in ["0.5", "0.25", "1.5", "0.1", "0.7"] {
            let text = format!("{name} {factor}");
            assert_eq!(text.parse::<Augmentation>().unwrap().to_string(), text);
        }
    }
}

#[test]
fn in_a_configuration_strengths_of_zero_are_no_augmentation() {
    let mut config = TrainConfig::new();
    for (value, expected) in [
        (json!("ciresan 0"), json!(false)),
        (json!("shift 0, elastic 4 0"), json!(false)),
        (json!(" rotate  10 ,shift 2.0"), json!("shift 2, rotate 10")),
        (json!("gentle 1.0"), json!("gentle")),
        (json!(false), json!(false)),
    ] {
        config.set("augment", &value).unwrap();
        assert_eq!(config.get("augment"), expected);
    }
}

#[test]
fn what_is_no_augmentation_is_refused_with_what_one_is() {
    let wrong = [
        json!(true),
        json!(3),
        json!(["gentle"]),
        json!(""),
        json!("gentel"),
        json!("gentle, shift 2"),
        json!("gentle -1"),
        json!("gentle 1 2"),
        json!("ciresan 20"),
        json!("shift 2, shift 3"),
        json!("shift"),
        json!("shift two"),
        json!("shift inf"),
        json!("rotation 10"),
        json!("elastic 6"),
        json!("elastic 0.5 10"),
        json!("elastic 0.5 0"),
        json!("scale 1"),
        json!("shift 2,"),
    ];
    let errors = wrong.map(|value| TrainConfig::new().set("augment", &value).unwrap_err().to_string());
    insta::assert_snapshot!(errors.join("\n"));
}

/// Digits of 28 × 28 pixels.
struct Digits {
    images: Array3<u8>,
    labels: Vec<u8>,
    codebook: Codebook,
}

impl Digits {
    fn new(n_samples: usize) -> Self {
        let digits = synthetic_digits(n_samples, 3);
        let codebook = TargetEncoding::OneHot.codebook(&digits.classes);
        Self { images: digits.images, labels: digits.labels, codebook }
    }

    fn samples<F: Trainable>(&self) -> Samples<'_, F> {
        Samples {
            inputs: Inputs::Images(self.images.view()),
            targets: Targets::labels(&self.labels, &self.codebook),
            weights: None,
        }
    }

    fn config() -> TrainConfig {
        TrainConfig::new()
            .hidden([20])
            .activation([Activation::Relu])
            .encoding(TargetEncoding::OneHot)
            .output_activation(Activation::Softmax)
            .loss(Loss::SoftmaxCrossEntropy)
            .augment(Augmentation::GENTLE)
            .batch_size(20)
            .epochs(2)
    }
}

fn sha256<F: Trainable>(config: &TrainConfig, samples: &Samples<'_, F>, n_threads: usize, kernel: Kernel) -> String {
    let workers = Workers::new(n_threads);
    let setup = Setup { workers: &workers, kernel, initial: None };
    weights_sha256(&train(config, samples, None, setup, &mut |_| ControlFlow::Continue(())).unwrap().mlp)
}

#[test]
fn images_without_augmentation_are_trained_on_as_rows_of_pixels_are() {
    let digits = Digits::new(60);
    let pixels = digits.images.view().into_shape_with_order((60, 784)).unwrap();
    let rows = Samples::<f32> { inputs: Inputs::Pixels(pixels), ..digits.samples() };
    let columns = digits.images.view().permuted_axes([2, 1, 0]).as_standard_layout().into_owned();
    let scattered =
        Samples::<f32> { inputs: Inputs::Images(columns.view().permuted_axes([2, 1, 0])), ..digits.samples() };
    let config = Digits::config().augment(None);
    let expected = sha256(&config, &rows, 1, Kernel::detect());
    assert_eq!(sha256(&config, &digits.samples::<f32>(), 1, Kernel::detect()), expected);
    assert_eq!(sha256(&config, &scattered, 1, Kernel::detect()), expected);
    let augmented = Digits::config();
    let expected = sha256(&augmented, &digits.samples::<f32>(), 1, Kernel::detect());
    assert_eq!(sha256(&augmented, &scattered, 1, Kernel::detect()), expected);
}

/// Configurations of every way to take steps, each with images that are deformed.
fn ways() -> [TrainConfig; 4] {
    let base = Digits::config();
    [
        base.clone().optimizer(Optimizer::ADAM).learning_rate(0.01),
        base.clone().optimizer(Optimizer::Sgd).learning_rate(0.05).batch_size(1),
        base.clone().optimizer(Optimizer::Momentum { momentum: 0.9 }).learning_rate(0.01).batch_size(1).clip_norm(1.0),
        base.optimizer(Optimizer::ADAM).batch_size(33).average(Averaging::Ema { decay: 0.9 }).validation(10),
    ]
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    let digits = Digits::new(70);
    let samples = digits.samples::<f32>();
    for config in ways() {
        let one = sha256(&config, &samples, 1, Kernel::detect());
        for n_threads in [2, 3] {
            assert_eq!(sha256(&config, &samples, n_threads, Kernel::detect()), one, "{n_threads} threads, {config:?}");
        }
        assert_ne!(one, sha256(&config.augment(None), &samples, 1, Kernel::detect()));
    }
}

#[test]
fn a_run_stopped_at_any_batch_ends_as_if_it_had_not_been() {
    let digits = Digits::new(50);
    let samples = digits.samples::<f32>();
    let workers = Workers::new(2);
    for (config, kernel) in
        ways().into_iter().map(|config| (config, Kernel::detect())).chain([(Digits::config(), Kernel::Reference)])
    {
        let setup = || Setup { workers: &workers, kernel, initial: None };
        let whole = sha256(&config, &samples, 2, kernel);
        for n_calls in 1.. {
            let (mut n_seen, mut checkpoint) = (0, None);
            let stopped = train_resumable(&config, &samples, None, setup(), None, &mut |_, moment| {
                n_seen += 1;
                checkpoint = (n_seen == n_calls).then(|| moment.checkpoint());
                if n_seen == n_calls { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            });
            stopped.unwrap();
            if checkpoint.is_none() {
                assert!(n_calls > 5);
                break;
            }
            let end =
                train_resumable(&config, &samples, None, setup(), checkpoint, &mut |_, _| ControlFlow::Continue(()));
            assert_eq!(weights_sha256(&end.unwrap().mlp), whole, "stopped at call {n_calls}, {config:?}");
        }
    }
}

#[test]
fn the_readable_engine_is_shown_the_same_images() {
    let digits = Digits::new(60);
    let samples = digits.samples::<f64>();
    let config = Digits::config().precision(mlp_train::Precision::F64).epochs(1);
    let losses = [Kernel::Reference, Kernel::Portable].map(|kernel| {
        let (workers, mut losses) = (Workers::new(1), Vec::new());
        let setup = Setup { workers: &workers, kernel, initial: None };
        let mut see = |progress: Progress<'_>| {
            if let Progress::Batch { loss_so_far, .. } = progress {
                losses.push(loss_so_far);
            }
            ControlFlow::Continue(())
        };
        train(&config, &samples, None, setup, &mut see).unwrap();
        losses
    });
    assert_eq!(losses[0].len(), 3);
    assert!(losses[0].iter().zip(&losses[1]).all(|(readable, fast)| (readable - fast).abs() < 1e-9), "{losses:?}");
}

#[test]
fn what_is_measured_is_not_deformed() {
    let digits = Digits::new(60);
    let workers = Workers::new(1);
    let run = |config: &TrainConfig| {
        let setup = Setup { workers: &workers, kernel: Kernel::detect(), initial: None };
        train(config, &digits.samples::<f32>(), None, setup, &mut |_| ControlFlow::Continue(())).unwrap().history
    };
    let config = Digits::config().epochs(0);
    assert_eq!(run(&config).epochs, run(&config.clone().augment(None)).epochs);
}

#[test]
fn samples_that_are_no_images_are_refused() {
    let digits = Digits::new(30);
    let pixels = digits.images.view().into_shape_with_order((30, 784)).unwrap();
    let samples = Samples::<f32> { inputs: Inputs::Pixels(pixels), ..digits.samples() };
    let workers = Workers::new(1);
    let setup = Setup { workers: &workers, kernel: Kernel::detect(), initial: None };
    let error = train(&Digits::config(), &samples, None, setup, &mut |_| ControlFlow::Continue(())).unwrap_err();
    assert_eq!(error.key(), Some("augment"));
    let text =
        "configuration: augment: expected false for samples that are no images with height and width, found gentle";
    assert_eq!(error.to_string(), text);
}
