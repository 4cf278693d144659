//! What is refused before a run begins.

use std::ops::ControlFlow;

use insta::assert_snapshot;
use mlp_core::{Activation, Kernel, Loss, Mlp, Workers};
use mlp_train::{
    EarlyStopping, Inputs, Precision, Samples, Setup, TargetEncoding, Targets, TrainConfig, ValidationMetric, train,
};
use ndarray::{Array2, Axis};

use crate::problems::{Blobs, Xor};

fn refusal(
    config: &TrainConfig,
    samples: &Samples<'_, f64>,
    test: Option<&Samples<'_, f64>>,
    initial: Option<Mlp<f64>>,
) -> String {
    let workers = Workers::new(1);
    let setup = Setup { workers: &workers, kernel: Kernel::Portable, initial: initial.map(Into::into) };
    let mut observer = |_: mlp_train::Progress<'_>| -> ControlFlow<()> { panic!("nothing may have been computed") };
    train(config, samples, test, setup, &mut observer).unwrap_err().to_string()
}

#[test]
fn samples_that_do_not_fit_are_refused_with_the_first_one_at_fault() {
    let xor = Xor::new();
    let config = Xor::config();
    let with_inputs = |inputs: &Array2<f64>| {
        let samples = Samples { inputs: Inputs::Values(inputs.view()), ..xor.samples() };
        refusal(&config, &samples, None, None)
    };
    let mut broken = xor.inputs.clone();
    broken[[2, 1]] = f64::NAN;
    let mut messages = vec![with_inputs(&broken)];
    messages.push(with_inputs(&xor.inputs.clone().remove_row()));
    messages.push(with_inputs(&Array2::zeros((0, 2))));
    messages.push(with_inputs(&Array2::zeros((4, 0))));

    let mut broken = xor.targets.clone();
    broken[[3, 0]] = f64::NEG_INFINITY;
    let samples = Samples { targets: Targets::Values(broken.view()), ..xor.samples() };
    messages.push(refusal(&config, &samples, None, None));
    messages.push(refusal(&config, &xor.samples(), Some(&samples), None));

    let mut blobs = Blobs::new(40, 0);
    let test = Blobs::new(40, 1);
    messages.push(refusal(&config, &xor.samples(), Some(&test.samples()), None));
    blobs.labels[17] = 10;
    messages.push(refusal(&Blobs::config(), &blobs.samples(), None, None));
    assert_snapshot!(messages.join("\n"));
}

#[test]
fn a_cross_entropy_refuses_targets_that_are_no_probabilities_and_other_losses_take_them() {
    let xor = Xor::new();
    let config = Xor::config().loss(Loss::CrossEntropy).output_activation(Activation::Sigmoid);
    let targets = &xor.targets * 1.5;
    let samples = Samples { targets: Targets::Values(targets.view()), ..xor.samples() };
    let message = refusal(&config, &samples, None, None);
    assert!(
        message.starts_with("training samples: target 0 of sample 1 is 1.5; cross-entropy needs targets from 0 to 1"),
        "{message}"
    );
    assert!(refusal(&config, &xor.samples(), Some(&samples), None).starts_with("test samples: target 0"));
    let regression = config.loss(Loss::Squared).output_activation(Activation::Identity);
    crate::problems::run(&regression, &samples, None);
}

#[test]
fn softmax_outputs_refuse_labels_with_codes_that_do_not_sum_to_one() {
    let classes: Vec<char> = ('0'..='9').collect();
    let config = TrainConfig::new().output_activation(Activation::Softmax).loss(Loss::SoftmaxCrossEntropy);
    for encoding in [TargetEncoding::Ascii, TargetEncoding::Binary] {
        let error = config.validate_codes(&encoding.codebook(&classes)).unwrap_err();
        assert!(error.to_string().starts_with("encoding: expected one-hot"), "{error}");
    }
    config.validate_codes(&TargetEncoding::OneHot.codebook(&classes)).unwrap();
    TrainConfig::default().validate_codes(&TargetEncoding::Ascii.codebook(&classes)).unwrap();
}

#[test]
fn a_configuration_that_does_not_suit_the_call_is_refused() {
    let xor = Xor::new();
    let single = Xor::config().precision(Precision::F32);
    let rule = EarlyStopping { metric: ValidationMetric::ExactAccuracy, patience: 1 };
    let unlabelled = Xor::config().early_stopping(rule).validation(1).batch_size(1);
    let initial = crate::problems::run(&Xor::config().epochs(0), &xor.samples(), None).mlp;
    let wider = Xor::config().hidden([5]);
    let messages = [
        refusal(&single, &xor.samples(), None, None),
        refusal(&unlabelled, &xor.samples(), None, None),
        refusal(&wider, &xor.samples(), None, Some(initial)),
    ];
    assert_snapshot!(messages.join("\n"));
}

trait RemoveRow {
    fn remove_row(self) -> Self;
}

impl RemoveRow for Array2<f64> {
    fn remove_row(mut self) -> Self {
        self.remove_index(Axis(0), 0);
        self
    }
}

#[test]
fn labels_beyond_a_byte_and_classes_that_are_words_are_trained_on_and_named_in_mistakes() {
    let names: Vec<String> = (0..300).map(|class| format!("species {class}")).collect();
    let config = TrainConfig::new().hidden([4]).encoding(TargetEncoding::Binary).batch_size(10).epochs(1);
    let codebook = config.encoding.codebook(&names);
    let labels: Vec<usize> = (0..300).collect();
    let inputs = Array2::from_shape_fn((300, 3), |(row, column)| (row * (column + 1) % 7) as f32);
    let samples =
        Samples { inputs: Inputs::Values(inputs.view()), targets: Targets::labels(&labels, &codebook), weights: None };
    let workers = Workers::new(1);
    let setup = Setup { workers: &workers, kernel: Kernel::detect(), initial: None };
    let run = train(&config, &samples, Some(&samples), setup, &mut |_| ControlFlow::Continue(())).unwrap();
    let mistakes = run.evaluation.unwrap().mistakes;
    assert!(mistakes.iter().all(|mistake| mistake.label == format!("species {}", mistake.index)));
    assert!(mistakes.iter().any(|mistake| mistake.nearest.starts_with("species ")));

    let beyond: Vec<usize> = labels.iter().map(|label| label + 1).collect();
    let samples = Samples { targets: Targets::labels(&beyond, &codebook), ..samples };
    let error = samples.check().unwrap_err();
    assert_eq!(
        (error.sample(), error.to_string()),
        (Some(299), "sample 299 has label 300, but there are only 300 classes (labels count from 0)".to_owned())
    );
}
