//! Samples that count differently.

use mlp_core::{
    Activation, Descent, Dropout, Gradients, KeepGradient, Loss, Mlp, Objective, OneByOne, Reduction, StepOptions,
    Workers, Workspace, backpropagate_weighted, compare_gradients, explain_gradient_check, finite_differences_with,
};

use crate::networks::{Samples, Weighted, kernels, network, objectives, one_hot, samples};

impl Weighted {
    /// Weights from 0 to 1.5.
    fn new(samples: Samples<f64>) -> Weighted {
        let weights = (0..samples.inputs.nrows()).map(|row| 0.25 * (row * 5 % 7) as f64).collect();
        Weighted { samples, weights }
    }

    fn readable(&self, mlp: &Mlp<f64>, objective: Objective, options: StepOptions<'_>) -> (f64, Gradients<f64>) {
        let Samples { inputs, targets } = &self.samples;
        backpropagate_weighted(mlp, inputs.view(), targets.view(), &self.weights, objective, options.masks)
    }
}

fn largest_difference(left: &Gradients<f64>, right: &Gradients<f64>) -> f64 {
    let layers = left.layers.iter().zip(&right.layers);
    let differences = layers.flat_map(|(left, right)| {
        let biases = left.bias.iter().flatten().zip(right.bias.iter().flatten());
        left.weights.iter().zip(&right.weights).chain(biases)
    });
    differences.map(|(left, right)| (left - right).abs()).fold(0.0, f64::max)
}

#[test]
fn the_gradient_is_that_of_finite_differences_of_the_weighted_loss() {
    for output in [Activation::Sigmoid, Activation::Softmax, Activation::Identity] {
        for objective in objectives(output).filter(|objective| objective.loss != Loss::Absolute) {
            let mlp = network::<f64>(&[6, 8, 3], &[Activation::Tanh, output], true, 4);
            let mut batch = samples(5, 6, 3, 1);
            one_hot(&mut batch, 2);
            let batch = Weighted::new(batch);
            let step = |mlp: &Mlp<f64>| batch.readable(mlp, objective, StepOptions::default());
            let numeric = finite_differences_with(&mlp, 1e-3, |mlp| step(mlp).0);
            let checks = compare_gradients(&step(&mlp).1, &numeric);
            if let Err(fault) = explain_gradient_check(&checks, 1e-7) {
                panic!("{output}, {objective:?}: {fault}");
            }
        }
    }
}

#[test]
fn the_fast_path_weighs_as_the_readable_one_does() {
    let objective = Objective { loss: Loss::CrossEntropy, reduction: Reduction::Mean };
    let (dropout, workers) = (Dropout::new(0.2, &[0.5, 0.3]), Workers::new(2));
    let activations = [Activation::Tanh, Activation::Relu, Activation::Sigmoid];
    for (n_samples, max_batch) in [(1, 1), (1, 2), (37, 40), (150, 150)] {
        let mlp = network::<f64>(&[33, 70, 18, 5], &activations, true, 3);
        let mut batch = Weighted::new(samples(n_samples, 33, 5, 1));
        batch.weights[0] = 0.75;
        let masked = StepOptions { masks: Some(dropout.masks(5)), ..StepOptions::default() };
        for options in [StepOptions::default(), masked].into_iter().take(max_batch) {
            let (loss, expected) = batch.readable(&mlp, objective, options);
            for kernel in kernels() {
                let mut workspace = Workspace::new(&mlp, max_batch, 1, kernel, &workers);
                let sum = workspace.step_with_options(&batch, objective, &KeepGradient, options, &workers).unwrap();
                assert!((sum / n_samples as f64 - loss).abs() < 1e-12, "{kernel}");
                let difference = largest_difference(&workspace.slot(0), &expected);
                assert!(difference < 1e-12, "{kernel}, {n_samples}: {difference}");
            }
        }
    }
}

#[test]
fn single_samples_whose_weights_are_written_late_count_what_they_should() {
    let objective = Objective { loss: Loss::CrossEntropy, reduction: Reduction::Mean };
    let first = network::<f64>(&[30, 40, 5], &[Activation::Tanh, Activation::Sigmoid], true, 3);
    let batch = Weighted::new(samples(16, 30, 5, 1));
    let mut expected = first.clone();
    let mut losses = 0.0;
    for row in 0..16 {
        let row = row..row + 1;
        let rows = mlp_core::ndarray::s![row.clone(), ..];
        let (inputs, targets) = (batch.samples.inputs.slice(rows), batch.samples.targets.slice(rows));
        let (loss, gradients) =
            backpropagate_weighted(&expected, inputs, targets, &batch.weights[row], objective, None);
        losses += loss;
        for (layer, gradient) in expected.layers.iter_mut().zip(&gradients.layers) {
            layer.weights.scaled_add(-0.3, &gradient.weights);
            layer.bias.iter_mut().zip(&gradient.bias).for_each(|(bias, gradient)| bias.scaled_add(-0.3, gradient));
        }
    }
    let steps = [Descent { learning_rate: 0.3, decay: 0.0 }; 16];
    for kernel in kernels() {
        let mut one_by_one = OneByOne::new(&first, kernel);
        let loss = one_by_one.descend(&batch, objective, &steps, &Workers::new(2)).unwrap();
        assert!((loss - losses).abs() < 1e-12, "{kernel}");
        let mut found = first.clone();
        one_by_one.workspace().store(&mut found);
        for (found, expected) in found.layers.iter().zip(&expected.layers) {
            assert!((&found.weights - &expected.weights).iter().all(|error| error.abs() < 1e-12), "{kernel}");
        }
    }
}
