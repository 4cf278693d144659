//! What the metrics mean.

use mlp_core::{Activation, Kernel, Layer, Loss, Mlp, Objective, Reduction, Workers};
use mlp_train::{
    Codebook, ConfusionMatrix, Decoding, Evaluation, Inputs, Samples, TargetEncoding, Targets, TrainConfig, evaluate,
};
use ndarray::{Array2, array};
use proptest::prelude::*;

/// A network that answers what it is shown.
fn identity(n_outputs: usize) -> Mlp<f64> {
    Mlp { layers: vec![Layer { weights: Array2::eye(n_outputs), bias: None, activation: Activation::Identity }] }
}

fn evaluate_answers(answers: &Array2<f64>, labels: &[u8], codebook: &Codebook, loss: Loss) -> Evaluation {
    let samples =
        Samples { inputs: Inputs::Values(answers.view()), targets: Targets::labels(labels, codebook), weights: None };
    let objective = Objective { loss, reduction: Reduction::Mean };
    evaluate(&identity(answers.ncols()), &samples, objective, &Workers::new(1), Kernel::detect())
}

#[test]
fn the_metrics_of_three_answers_are_as_computed_by_hand() {
    let codebook = TargetEncoding::Binary.codebook(&['a', 'b', 'c']); // 00, 01, 10
    let answers = array![
        [0.25, 0.75], // b, right
        [0.75, 0.75], // 11 is no class; nearest is b (0.625) before c (0.625): the first of both; right is c
        [0.25, 0.25], // a; right is b
    ];
    let evaluation = evaluate_answers(&answers, &[1, 2, 1], &codebook, Loss::Absolute);
    let Evaluation { metrics, confusion, answers, mistakes } = evaluation;
    // Errors: 0.25 0.25 | 0.25 0.75 | 0.25 0.75
    assert_eq!(metrics.loss, (0.25 + 0.5 + 0.5) / 3.0);
    assert_eq!(metrics.mae, 2.5 / 6.0);
    assert_eq!(metrics.rmse, ((4.0 * 0.0625 + 2.0 * 0.5625) / 6.0_f64).sqrt());
    assert_eq!(metrics.bit_accuracy, Some(4.0 / 6.0));
    assert_eq!(metrics.exact_accuracy, Some(1.0 / 3.0));
    assert_eq!(metrics.nearest_accuracy, Some(1.0 / 3.0));
    assert_eq!(metrics.invalid_rate, Some(1.0 / 3.0));
    let confusion = confusion.unwrap();
    assert_eq!(confusion.counts, [[0, 0, 0, 0], [1, 1, 0, 0], [0, 0, 0, 1]]);
    assert_eq!([0, 1, 2].map(|class| confusion.precision(class)), [0.0, 1.0, 0.0]);
    assert_eq!([0, 1, 2].map(|class| confusion.recall(class)), [0.0, 0.5, 0.0]);
    let told: Vec<_> =
        mistakes.iter().map(|m| (m.index, m.label.as_str(), m.answer.as_deref(), m.nearest.as_str())).collect();
    assert_eq!(told, [(1, "c", None, "b"), (2, "b", Some("a"), "a")]);
    assert_eq!(mistakes[0].outputs, [0.75, 0.75]);
    let told: Vec<_> = answers.iter().map(|answer| (answer.exact, answer.nearest)).collect();
    assert_eq!(told, [(Some(1), 1), (None, 1), (Some(0), 0)]);
}

#[test]
fn the_rmse_metric_is_one_root_and_the_rmse_loss_a_mean_of_roots() {
    let codebook = TargetEncoding::Binary.codebook(&['a', 'b']);
    let answers = array![[0.0], [0.5]];
    let metrics = evaluate_answers(&answers, &[0, 1], &codebook, Loss::Rmse).metrics;
    assert_eq!(metrics.rmse, 0.125_f64.sqrt());
    assert_eq!(metrics.loss, 0.25);
}

/// The levels that a network reaches on MNIST's test set without looking at the pictures.
#[test]
fn a_constant_answer_has_the_documented_metrics_on_the_digits_of_mnist() {
    let counts = [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009];
    let labels: Vec<u8> = (0..10).flat_map(|digit: u8| vec![digit; counts[usize::from(digit)]]).collect();
    let codebook = TargetEncoding::Ascii.codebook(&('0'..='9').collect::<Vec<_>>());
    let constant = |bits: [f64; 6]| {
        let answers = Array2::from_shape_fn((labels.len(), 6), |(_, bit)| bits[bit]);
        evaluate_answers(&answers, &labels, &codebook, Loss::Absolute).metrics
    };
    let ones = constant([1.0; 6]);
    assert_eq!((format!("{:.4}", ones.mae), format!("{:.4}", ones.rmse)), ("0.4176".into(), "0.6462".into()));
    assert_eq!((ones.exact_accuracy, ones.invalid_rate), (Some(0.0), Some(1.0)));
    let majority = constant([1.0, 1.0, 0.0, 0.0, 0.0, 1.0]);
    assert_eq!((format!("{:.4}", majority.mae), format!("{:.4}", majority.rmse)), ("0.2466".into(), "0.4966".into()));
    assert_eq!(majority.exact_accuracy, Some(0.1135));
    assert_eq!(format!("{:.4}", majority.bit_accuracy.unwrap()), "0.7534");
}

#[test]
fn samples_without_labels_have_no_accuracy() {
    let answers = array![[0.5, 0.25]];
    let samples =
        Samples { inputs: Inputs::Values(answers.view()), targets: Targets::Values(answers.view()), weights: None };
    let objective = Objective { loss: Loss::Squared, reduction: Reduction::Sum };
    let evaluation = evaluate(&identity(2), &samples, objective, &Workers::new(1), Kernel::Portable);
    assert_eq!(evaluation.metrics.exact_accuracy, None);
    assert!(evaluation.confusion.is_none() && evaluation.mistakes.is_empty());
    assert_eq!(serde_json::to_string(&evaluation.metrics).unwrap(), r#"{"loss":0.0,"mae":0.0,"rmse":0.0}"#);
}

#[test]
#[should_panic(expected = "answer Some(2) of 2 classes")]
fn an_answer_that_is_no_class_cannot_be_counted() {
    ConfusionMatrix::new(2).add(0, Some(2));
}

proptest! {
    /// Against sums written out in the plainest way, over several chunks.
    #[test]
    fn metrics_agree_with_a_naive_computation(
        seed in 0_u64..1_000,
        n_samples in 1_usize..1_200,
        encoding in prop::sample::select(&TargetEncoding::ALL),
    ) {
        use rand::Rng;
        use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let codebook = encoding.codebook(&['p', 'q', 'r', 's', 't']);
        let labels: Vec<u8> = (0..n_samples).map(|_| rng.random_range(0..5)).collect();
        let answers = Array2::from_shape_fn((n_samples, codebook.n_bits()), |_| rng.random_range(-0.2..1.2));
        let found = evaluate_answers(&answers, &labels, &codebook, Loss::Squared).metrics;

        let (mut absolute, mut squared, mut bits, mut digits, mut nearest, mut invalid) = (0.0, 0.0, 0, 0, 0, 0);
        for (answer, &label) in answers.rows().into_iter().zip(&labels) {
            let code: Vec<f64> = codebook.codes.row(label.into()).iter().map(|&bit| bit.into()).collect();
            let rounded: Vec<f64> = answer.iter().map(|&a| if a >= 0.5 { 1.0 } else { 0.0 }).collect();
            let distance = |class: usize| -> f64 {
                (0..code.len()).map(|i| (answer[i] - f64::from(codebook.codes[[class, i]])).powi(2)).sum()
            };
            for i in 0..code.len() {
                absolute += (answer[i] - code[i]).abs();
                squared += (answer[i] - code[i]).powi(2);
                bits += usize::from(rounded[i] == code[i]);
            }
            digits += usize::from(rounded == code);
            nearest += usize::from((0..5).all(|class| distance(class) >= distance(label.into())));
            invalid += usize::from(codebook.codes.rows().into_iter().all(|code| {
                code.iter().zip(&rounded).any(|(&bit, &rounded)| f64::from(bit) != rounded)
            }));
        }
        let n_values = (n_samples * codebook.n_bits()) as f64;
        let n = n_samples as f64;
        prop_assert!((found.mae - absolute / n_values).abs() < 1e-12);
        prop_assert!((found.rmse - (squared / n_values).sqrt()).abs() < 1e-12);
        prop_assert!((found.loss - squared / n_values).abs() < 1e-12);
        prop_assert_eq!(found.bit_accuracy, Some(bits as f64 / n_values));
        prop_assert_eq!(found.exact_accuracy, Some(digits as f64 / n));
        prop_assert_eq!(found.nearest_accuracy, Some(nearest as f64 / n));
        prop_assert_eq!(found.invalid_rate, Some(invalid as f64 / n));
    }
}

/// Everybody calls it accuracy: the share of samples whose largest output is that of their class, although no output or
/// two of them may reach a half.
#[test]
fn with_one_output_a_class_the_largest_output_is_the_answer() {
    let codebook = TargetEncoding::OneHot.codebook(&['a', 'b', 'c']);
    let outputs = array![[0.4_f64, 0.3, 0.3], [0.6, 0.7, 0.1], [0.1, 0.9, 0.2], [0.8, 0.1, 0.1]];
    let labels = [0, 1, 2, 0];
    let evaluation = evaluate_answers(&outputs, &labels, &codebook, Loss::Absolute);
    let metrics = &evaluation.metrics;
    assert_eq!((metrics.accuracy, metrics.nearest_accuracy), (Some(0.75), Some(0.75)));
    assert_eq!((metrics.exact_accuracy, metrics.invalid_rate), (Some(0.25), Some(0.5)));
    assert_eq!(evaluation.confusion.unwrap().counts, [[2, 0, 0, 0], [0, 1, 0, 0], [0, 1, 0, 0]]);
    let mistakes: Vec<_> =
        evaluation.mistakes.iter().map(|mistake| (mistake.index, mistake.answer.as_deref())).collect();
    assert_eq!(mistakes, [(2, Some("b"))]);

    // Whoever wants every output on its side of a half says so.
    let exact = evaluate_answers(&outputs, &labels, &codebook.decoded_by(Decoding::Exact), Loss::Absolute);
    assert_eq!((exact.metrics.accuracy, exact.metrics.nearest_accuracy), (Some(0.25), Some(0.75)));
    assert_eq!(exact.confusion.unwrap().counts, [[1, 0, 0, 1], [0, 0, 0, 1], [0, 1, 0, 0]]);
    assert_eq!(exact.mistakes.len(), 3);
}

#[test]
fn codes_are_read_exactly_unless_the_configuration_says_nearest() {
    let digits: Vec<char> = ('0'..='9').collect();
    let read_by = |config: &TrainConfig| config.codebook(&digits).decoding;
    for encoding in TargetEncoding::ALL {
        let config = TrainConfig::new().encoding(encoding);
        let is_one_hot = encoding == TargetEncoding::OneHot;
        assert_eq!(read_by(&config), if is_one_hot { Decoding::Nearest } else { Decoding::Exact }, "{encoding}");
        for decoding in Decoding::ALL {
            assert_eq!(read_by(&config.clone().decoding(decoding)), decoding);
            assert_eq!(decoding.to_string().parse::<Decoding>().unwrap(), decoding);
        }
    }
}
