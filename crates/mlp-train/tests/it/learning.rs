//! Does it learn?

use mlp_core::{Activation, Loss};
use mlp_train::{
    EvaluateTrain, Inputs, Optimizer, Samples, Schedule, TargetEncoding, Targets, ValidationMetric, evaluate,
};
use ndarray::{Array2, s};

use crate::problems::{Blobs, Xor, run};

/// Each rule with a learning rate that suits it.
fn rules() -> [(Optimizer, f64); 5] {
    [
        (Optimizer::Sgd, 1.0),
        (Optimizer::Momentum { momentum: 0.9 }, 0.1),
        (Optimizer::Nesterov { momentum: 0.9 }, 0.1),
        (Optimizer::ADAM, 0.05),
        (Optimizer::AdamW { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, decay: 0.01 }, 0.05),
    ]
}

#[test]
fn every_rule_learns_exclusive_or() {
    let xor = Xor::new();
    for (optimizer, learning_rate) in rules() {
        let run = run(&Xor::config().optimizer(optimizer).learning_rate(learning_rate), &xor.samples(), None);
        let answers = run.mlp.forward(xor.inputs.view());
        assert_eq!(answers.mapv(f64::round), xor.targets, "{optimizer:?} answers {answers}");
    }
}

#[test]
fn every_rule_learns_overlapping_clouds_in_single_precision() {
    let (blobs, test) = (Blobs::new(1_000, 0), Blobs::new(300, 1));
    for (optimizer, learning_rate) in rules() {
        let learning_rate = learning_rate.min(0.5);
        let config = Blobs::config().optimizer(optimizer).learning_rate(learning_rate);
        let run = run::<f32>(&config, &blobs.samples(), Some(&test.samples()));
        let accuracy = run.history.epochs[20].test.as_ref().unwrap().accuracy.unwrap();
        assert!(accuracy > 0.9, "{optimizer:?} reaches {accuracy}");
    }
}

#[test]
fn every_encoding_is_learnt_and_softmax_too() {
    for (encoding, output_activation, loss) in [
        (TargetEncoding::Ascii, Activation::Sigmoid, Loss::CrossEntropy),
        (TargetEncoding::Binary, Activation::Sigmoid, Loss::Rmse),
        (TargetEncoding::OneHot, Activation::Sigmoid, Loss::Squared),
        (TargetEncoding::OneHot, Activation::Softmax, Loss::SoftmaxCrossEntropy),
    ] {
        let (blobs, test) = (Blobs::new(1_000, 0).encoded(encoding), Blobs::new(300, 1).encoded(encoding));
        let config = Blobs::config().encoding(encoding).output_activation(output_activation).loss(loss);
        let run = run::<f32>(&config, &blobs.samples(), Some(&test.samples()));
        let accuracy = run.evaluation.unwrap().metrics.nearest_accuracy.unwrap();
        assert!(accuracy > 0.9, "{encoding} with {loss} reaches {accuracy}");
    }
}

#[test]
fn every_schedule_learns() {
    let blobs = Blobs::new(1_000, 0);
    for schedule in [
        Schedule::Step { every: 5, factor: 0.5 },
        Schedule::Cosine { warmup: 1.5, floor: 0.01 },
        Schedule::OneCycle { rise: 0.3, start: 0.04, floor: 4e-6 },
        Schedule::WarmRestarts { every: 3, growth: 2, floor: 0.0 },
        Schedule::Plateau { metric: ValidationMetric::Loss, patience: 2, factor: 0.5, floor: 0.0 },
    ] {
        let config = Blobs::config().schedule(schedule).validation(100);
        let run = run::<f32>(&config, &blobs.samples(), None);
        let accuracy = run.history.epochs[20].train.accuracy.unwrap();
        assert!(accuracy > 0.9, "{schedule:?} reaches {accuracy}");
    }
}

#[test]
fn without_hidden_layers_it_is_a_linear_model() {
    let blobs = Blobs::new(500, 0).encoded(TargetEncoding::OneHot);
    let config = Blobs::config()
        .hidden([])
        .output_activation(Activation::Softmax)
        .loss(Loss::SoftmaxCrossEntropy)
        .learning_rate(0.1);
    let run = run::<f32>(&config, &blobs.samples(), None);
    assert_eq!(run.mlp.sizes(), [8, 10]);
    assert!(run.history.epochs[20].train.nearest_accuracy.unwrap() > 0.9);
}

#[test]
fn batches_of_one_and_partial_last_batches_learn() {
    let blobs = Blobs::new(501, 0);
    for batch_size in [1, 2, 33, 500, 501] {
        let config = Blobs::config().batch_size(batch_size).epochs(2);
        let run = run::<f32>(&config, &blobs.samples(), None);
        let losses: Vec<_> = run.history.epochs.iter().map(|epoch| epoch.train.loss).collect();
        assert!(losses[2] < losses[0], "batches of {batch_size}: {losses:?}");
    }
}

/// Three samples in batches of two: if the last batch of one counted half, training on it twice would differ.
#[test]
fn the_partial_last_batch_has_a_mean_of_its_own() {
    let inputs = Array2::from_elem((3, 2), 0.5);
    let targets = Array2::from_elem((3, 1), 1.0);
    let run_on = |n_samples: usize, batch_size: usize| {
        let samples = Samples {
            inputs: Inputs::Values(inputs.slice(s![..n_samples, ..])),
            targets: Targets::Values(targets.slice(s![..n_samples, ..])),
            weights: None,
        };
        // An update rule that computes batches of every size in the same way.
        let optimizer = Optimizer::Momentum { momentum: 0.0 };
        let config = Xor::config().batch_size(batch_size).epochs(1).optimizer(optimizer).learning_rate(0.1);
        run(&config, &samples, None).mlp
    };
    // All samples are the same, so the mean over a batch of any size is the gradient of one sample.
    assert_eq!(run_on(3, 2), run_on(2, 1));
}

#[test]
fn no_epochs_measure_the_untrained_network() {
    let blobs = Blobs::new(100, 0);
    let config = Blobs::config().epochs(0);
    let run = run::<f32>(&config, &blobs.samples(), Some(&blobs.samples()));
    assert_eq!(run.history.epochs.len(), 1);
    assert_eq!(run.history.best_epoch, 0);
    assert_eq!(run.history.epochs[0].test.as_ref(), Some(&run.evaluation.unwrap().metrics));
}

#[test]
fn epoch_0_counts_only_the_training_samples_that_were_asked_for() {
    let blobs = Blobs::new(100, 0);
    let measured = |evaluate_train| {
        let config = Blobs::config().epochs(0).evaluate_train(evaluate_train);
        run::<f32>(&config, &blobs.samples(), None).history.epochs[0].train.clone()
    };
    assert_eq!(measured(EvaluateTrain::Count(1_000)), measured(EvaluateTrain::All));
    assert_ne!(measured(EvaluateTrain::Count(10)), measured(EvaluateTrain::All));
}

#[test]
fn a_run_can_start_from_the_weights_of_another() {
    use mlp_core::{Kernel, Workers};
    use mlp_train::{Setup, train};
    use std::ops::ControlFlow;

    let blobs = Blobs::new(300, 0);
    let config = Blobs::config().epochs(5);
    let first = run::<f32>(&config, &blobs.samples(), None);
    let workers = Workers::new(1);
    let setup = Setup { workers: &workers, kernel: Kernel::detect(), initial: Some(first.mlp.clone().into()) };
    let second = train(&config, &blobs.samples(), None, setup, &mut |_| ControlFlow::Continue(())).unwrap();
    assert_eq!(second.history.epochs[0].train, first.history.epochs[5].train);
}

#[test]
fn evaluation_agrees_with_the_forward_pass_of_the_network() {
    let blobs = Blobs::new(1_300, 3);
    let run = run::<f32>(&Blobs::config().epochs(2), &blobs.samples(), None);
    let inputs = blobs.pixels.mapv(|pixel| f32::from(pixel) / 255.0);
    let outputs = run.mlp.forward(inputs.view());
    let right = outputs
        .rows()
        .into_iter()
        .zip(&blobs.labels)
        .filter(|(outputs, label)| {
            blobs.codebook.decode_threshold(outputs.as_slice().unwrap()) == Some(usize::from(**label))
        })
        .count();
    let workers = mlp_core::Workers::new(2);
    let evaluation =
        evaluate(&run.mlp, &blobs.samples(), Blobs::config().objective(), &workers, mlp_core::Kernel::detect());
    let accuracy = evaluation.metrics.accuracy.unwrap();
    assert!((accuracy - right as f64 / 1_300.0).abs() < 1e-3, "{accuracy}");
    let confusion = evaluation.confusion.unwrap();
    assert_eq!(confusion.counts.iter().flatten().sum::<u64>(), 1_300);
    assert!(evaluation.mistakes.len() <= mlp_train::MAX_MISTAKES);
    for mistake in &evaluation.mistakes {
        assert_eq!(mistake.label, blobs.codebook.classes[usize::from(blobs.labels[mistake.index])]);
        assert_ne!(mistake.answer.as_ref(), Some(&mistake.label));
    }
}
