//! Classes and samples that count more or less than others.

use std::ops::ControlFlow;

use mlp_core::{Activation, Kernel, Loss, Mlp, Workers};
use mlp_train::{
    ClassWeights, EvaluateTrain, Inputs, Labels, Optimizer, Precision, Progress, Samples, Schedule, Setup, Targets,
    TrainConfig, split_validation, train, weights_sha256,
};
use ndarray::{Array2, Axis, array};
use serde_json::{Value, json};

use crate::problems::{Blobs, Xor, run};

fn config() -> TrainConfig {
    Blobs::config().precision(Precision::F64).hidden([12]).epochs(2)
}

fn trained(config: &TrainConfig, samples: &Samples<'_, f64>, kernel: Kernel) -> Mlp<f64> {
    let workers = Workers::new(1);
    let setup = Setup { workers: &workers, kernel, initial: None };
    train(config, samples, None, setup, &mut |_| ControlFlow::Continue(())).unwrap().mlp
}

fn largest_difference(left: &Mlp<f64>, right: &Mlp<f64>) -> f64 {
    let layers = left.layers.iter().zip(&right.layers);
    let differences = layers.flat_map(|(left, right)| {
        let biases = left.bias.iter().flatten().zip(right.bias.iter().flatten());
        left.weights.iter().zip(&right.weights).chain(biases)
    });
    differences.map(|(left, right)| (left - right).abs()).fold(0.0, f64::max)
}

/// With one batch an epoch, the gradient is a sum over all samples: one that counts 2 is one that is there twice.
#[test]
fn a_sample_that_counts_twice_is_a_sample_that_is_there_twice() {
    let blobs = Blobs::new(20, 0);
    let weights: Vec<f64> = (0..20).map(|sample| f64::from(sample % 3)).collect();
    let copies: Vec<usize> = (0..20).flat_map(|sample| vec![sample; sample % 3]).collect();
    let labels: Vec<u8> = copies.iter().map(|&sample| blobs.labels[sample]).collect();
    let pixels = blobs.pixels.select(Axis(0), &copies);
    let repeated = Samples {
        inputs: Inputs::Pixels(pixels.view()),
        targets: Targets::labels(&labels, &blobs.codebook),
        weights: None,
    };
    let weighted = Samples { weights: Some(&weights), ..blobs.samples::<f64>() };
    let config = config().optimizer(Optimizer::Sgd).schedule(Schedule::Constant).epochs(3);
    // The mean of the weighted batch is over its 20 rows.
    let expected = config.clone().batch_size(copies.len()).learning_rate(0.1 * copies.len() as f64 / 20.0);
    let config = config.batch_size(20).learning_rate(0.1);
    for kernel in [Kernel::detect(), Kernel::Portable, Kernel::Reference] {
        let (found, expected) = (trained(&config, &weighted, kernel), trained(&expected, &repeated, kernel));
        assert!(largest_difference(&found, &expected) < 1e-13, "{kernel}");
        assert!(largest_difference(&found, &trained(&config, &blobs.samples(), kernel)) > 1e-3);
    }
}

/// A batch of one is descended on by another path.
#[test]
fn the_readable_path_takes_the_same_steps() {
    let blobs = Blobs::new(61, 0);
    let weights: Vec<f64> = (0..61).map(|sample| 0.25 * f64::from(sample % 7)).collect();
    let balanced = config().class_weights(ClassWeights::Balanced);
    let plain = [config(), balanced.clone(), balanced.clone().dropout([0.3]).clip_norm(0.1).label_smoothing(0.1)];
    for config in plain {
        for batch_size in [1, 16, 61] {
            let config = config.clone().batch_size(batch_size);
            let config = if batch_size == 1 { config.optimizer(Optimizer::Sgd) } else { config };
            let samples = Samples { weights: Some(&weights), ..blobs.samples::<f64>() };
            let (readable, fast) =
                (trained(&config, &samples, Kernel::Reference), trained(&config, &samples, Kernel::detect()));
            assert!(largest_difference(&readable, &fast) < 1e-10, "batches of {batch_size}");
            assert!(largest_difference(&fast, &trained(&config, &blobs.samples(), Kernel::detect())) > 1e-4);
        }
    }
}

#[test]
fn weights_of_classes_are_weights_of_their_samples_and_the_two_are_multiplied() {
    let blobs = Blobs::new(70, 0);
    let by_class: Vec<f64> = (0..10).map(|class| 0.5 + f64::from(class) / 8.0).collect();
    let own: Vec<f64> = (0..70).map(|sample| 1.0 + f64::from(sample % 4)).collect();
    let product: Vec<f64> =
        own.iter().zip(&blobs.labels).map(|(own, label)| own * by_class[usize::from(*label)]).collect();
    let config = config().validation(10);
    let weighted = config.clone().class_weights(ClassWeights::Each(by_class));
    let [own, product] = [&own, &product].map(|weights| Samples { weights: Some(weights), ..blobs.samples::<f64>() });
    let digest = |config: &TrainConfig, samples| weights_sha256(&trained(config, samples, Kernel::detect()));
    assert_eq!(digest(&weighted, &own), digest(&config, &product));
}

/// Classes that split off samples for validation count those that are left.
#[test]
fn balanced_weights_follow_from_the_samples_that_are_trained_on() {
    let blobs = Blobs::new(80, 0);
    let config = config().validation(25);
    let (rows, _) = split_validation(80, Some(Labels::from(&blobs.labels)), &config);
    let mut counts = [0_usize; 10];
    rows.iter().for_each(|&row| counts[usize::from(blobs.labels[row])] += 1);
    let n_occurring = counts.iter().filter(|count| **count > 0).count() as f64;
    let each = counts.map(|count| if count == 0 { 1.0 } else { 55.0 / n_occurring / count as f64 });
    let [found, expected] = [ClassWeights::Balanced, ClassWeights::Each(each.to_vec())].map(|weights| {
        let config = config.clone().class_weights(weights);
        weights_sha256(&trained(&config, &blobs.samples(), Kernel::detect()))
    });
    assert_eq!(found, expected);
}

#[test]
fn what_is_measured_counts_every_sample_once_and_what_is_shown_meanwhile_is_what_is_minimised() {
    let blobs = Blobs::new(48, 0);
    let weights = vec![3.0; 48];
    let weighted = Samples { weights: Some(&weights), ..blobs.samples::<f64>() };
    let config = config().optimizer(Optimizer::Sgd).learning_rate(0.3).schedule(Schedule::Constant).epochs(1);
    let config = config.batch_size(48).evaluate_train(EvaluateTrain::All);
    let history = |config: &TrainConfig, samples: &Samples<'_, f64>| run(config, samples, Some(samples)).history;
    let plain = history(&config.clone().learning_rate(0.9), &blobs.samples());
    let found = history(&config, &weighted);
    // Three times the gradient is three times the rate.
    for (found, plain) in found.epochs.iter().zip(&plain.epochs) {
        assert!((found.train.loss - plain.train.loss).abs() < 1e-12);
        assert_eq!(found.test.as_ref().unwrap().accuracy, plain.test.as_ref().unwrap().accuracy);
    }
    let workers = Workers::new(1);
    let setup = Setup { workers: &workers, kernel: Kernel::detect(), initial: None };
    let mut shown = 0.0;
    let mut observer = |progress: Progress<'_>| {
        if let Progress::Batch { loss_so_far, .. } = progress {
            shown = loss_so_far;
        }
        ControlFlow::Continue(())
    };
    train(&config, &weighted, None, setup, &mut observer).unwrap();
    assert!((shown - 3.0 * found.epochs[0].train.loss).abs() < 1e-12);
}

/// Ten samples of a class lie among ninety of another.
#[test]
fn a_rare_class_is_answered_more_often_when_it_counts_as_much_as_the_other() {
    let inputs = Array2::from_shape_fn((100, 1), |(sample, _)| {
        if sample < 10 { 0.5 + sample as f64 / 30.0 } else { (sample - 10) as f64 / 90.0 }
    });
    let labels: Vec<u8> = (0..100).map(|sample| u8::from(sample < 10)).collect();
    let config = TrainConfig::new()
        .precision(Precision::F64)
        .hidden([])
        .output_activation(Activation::Softmax)
        .loss(Loss::SoftmaxCrossEntropy)
        .encoding(mlp_train::TargetEncoding::OneHot)
        .learning_rate(0.05)
        .batch_size(100)
        .epochs(300);
    let codebook = config.codebook(&["common", "rare"]);
    let samples =
        Samples { inputs: Inputs::Values(inputs.view()), targets: Targets::labels(&labels, &codebook), weights: None };
    let recalled = |config: &TrainConfig| {
        let evaluation = run(config, &samples, Some(&samples)).evaluation.unwrap();
        let rare = &evaluation.answers[..10];
        rare.iter().filter(|answer| answer.nearest == 1).count()
    };
    assert_eq!(recalled(&config), 0);
    assert!(recalled(&config.class_weights(ClassWeights::Balanced)) >= 5);
}

#[test]
fn weights_of_classes_are_balanced_or_listed() {
    let mut config = TrainConfig::new();
    for value in [json!("balanced"), json!([0.0, 2.5]), json!(false)] {
        config.set("class_weights", &value).unwrap();
        assert_eq!(config.get("class_weights"), value);
    }
    let mut refusal = |value: Value| config.set("class_weights", &value).unwrap_err().to_string();
    let expected =
        "class_weights: expected false, balanced, or a list with a number for each class, such as [1, 1, 20], found";
    assert_eq!(refusal(json!(true)), format!("{expected} true"));
    assert_eq!(refusal(json!("balance")), format!("{expected} \"balance\""));
    assert_eq!(refusal(json!([0, 0])), "class_weights: expected a list with a number above 0 in it, found [0,0]");
    assert_eq!(refusal(json!([1, -1])), "class_weights[1]: expected a number of at least 0, found -1");
}

#[test]
fn weights_that_are_none_are_refused() {
    let xor = Xor::new();
    let samples = xor.samples();
    fn message(xor: &Xor, weights: &[f64]) -> String {
        Samples { weights: Some(weights), ..xor.samples() }.check().unwrap_err().to_string()
    }
    assert_eq!(message(&xor, &[1.0; 3]), "there are 4 samples but 3 weights; there must be one weight for each");
    for (broken, shown) in [(-1.0, "-1"), (f64::NAN, "NaN"), (f64::INFINITY, "inf")] {
        let expected = format!("the weight of sample 2 is {shown}; it must be a number of at least 0");
        assert_eq!(message(&xor, &[1.0, 0.0, broken, 1.0]), expected);
    }
    let refused = |config: &TrainConfig, samples: &Samples<'_, f64>| {
        let workers = Workers::new(1);
        let setup = Setup { workers: &workers, kernel: Kernel::detect(), initial: None };
        train(config, samples, None, setup, &mut |_| ControlFlow::Continue(())).unwrap_err().to_string()
    };
    assert_eq!(
        refused(&Xor::config().class_weights(ClassWeights::Balanced), &samples),
        "configuration: class_weights: expected false for samples without labels, found \"balanced\""
    );
    let blobs = Blobs::new(20, 0);
    assert_eq!(
        refused(&config().class_weights(ClassWeights::Each(vec![1.0, 2.0])), &blobs.samples()),
        "configuration: class_weights: expected one number for each of the 10 classes, found 2"
    );
}

/// PyTorch's mean of `CrossEntropyLoss(weight=w)` is over the sum of the weights of a batch; ours is over its rows.
#[test]
fn the_loss_of_a_batch_is_divided_by_its_rows() {
    let inputs = array![[0.2, -0.4], [1.0, 0.3], [-0.7, 0.9]];
    let labels = [0_u8, 1, 1];
    let config = TrainConfig::new()
        .precision(Precision::F64)
        .hidden([])
        .output_activation(Activation::Softmax)
        .loss(Loss::SoftmaxCrossEntropy)
        .reduction(mlp_core::Reduction::Sum)
        .encoding(mlp_train::TargetEncoding::OneHot)
        .batch_size(3)
        .epochs(1)
        .class_weights(ClassWeights::Each(vec![1.0, 4.0]));
    let codebook = config.codebook(&["a", "b"]);
    let samples = Samples {
        inputs: Inputs::Values(inputs.view()),
        targets: Targets::labels(&labels[..], &codebook),
        weights: None,
    };
    let mlp = Mlp::seeded(&[2, 2], &[Activation::Softmax], true, mlp_core::Initializer::LECUN_NORMAL, 0);
    let outputs: Array2<f64> = mlp.forward(inputs.view());
    let losses: Vec<f64> = (0..3).map(|sample| -outputs[[sample, usize::from(labels[sample])]].ln()).collect();
    for kernel in [Kernel::detect(), Kernel::Reference] {
        let workers = Workers::new(1);
        let setup = Setup { workers: &workers, kernel, initial: Some(mlp.clone().into()) };
        let mut shown = 0.0;
        let mut observer = |progress: Progress<'_>| {
            if let Progress::Batch { loss_so_far, .. } = progress {
                shown = loss_so_far;
            }
            ControlFlow::Continue(())
        };
        train(&config, &samples, None, setup, &mut observer).unwrap();
        assert!((shown - (losses[0] + 4.0 * losses[1] + 4.0 * losses[2]) / 3.0).abs() < 1e-14, "{kernel}");
    }
}
