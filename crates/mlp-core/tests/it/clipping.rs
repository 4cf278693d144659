//! Gradients that are clipped by their norm.

use mlp_core::{
    Activation, Gradients, KeepGradient, Kernel, Loss, Objective, Real, Reduction, Workers, Workspace, backpropagate,
};

use crate::networks::{Descent, bits, kernels, network, samples};

const OBJECTIVE: Objective = Objective { loss: Loss::Squared, reduction: Reduction::Sum };
const ACTIVATIONS: [Activation; 3] = [Activation::Sigmoid, Activation::Relu, Activation::Identity];

fn norm<F: Real>(gradients: &Gradients<F>) -> f64 {
    let layers = gradients.layers.iter();
    let values = layers.flat_map(|layer| layer.weights.iter().chain(layer.bias.iter().flatten()));
    values.map(|value| value.widen()).map(|value| value * value).sum::<f64>().sqrt()
}

#[test]
fn a_clipped_gradient_has_the_direction_of_the_readable_one_and_the_length_of_the_bound() {
    for kernel in kernels() {
        for (n_samples, max_batch, bias) in [(1, 2, true), (2, 2, false), (37, 40, true), (150, 150, true)] {
            let mlp = network::<f64>(&[33, 30, 18, 5], &ACTIVATIONS, bias, 3);
            let batch = samples::<f64>(n_samples, 33, 5, 1);
            let (loss, expected) = backpropagate(&mlp, batch.inputs.view(), batch.targets.view(), OBJECTIVE);
            let whole = norm(&expected);
            for factor in [0.01, 0.5, 0.999, 1.001, 100.0] {
                let workers = Workers::new(1);
                let mut workspace = Workspace::new(&mlp, max_batch, 1, kernel, &workers);
                let max_norm = factor * whole;
                let found = workspace.step_clipped(&batch, OBJECTIVE, &KeepGradient, max_norm, &workers);
                assert!((found.expect("finite") / n_samples as f64 - loss).abs() < 1e-12 * loss.max(1.0));
                let found = workspace.slot(0);
                assert!((norm(&found) - whole.min(max_norm)).abs() < 1e-10 * whole, "{kernel}, {factor}");
                for (found, expected) in found.layers.iter().zip(&expected.layers) {
                    let difference = &found.weights - &(&expected.weights * factor.min(1.0));
                    assert!(difference.iter().all(|difference| difference.abs() < 1e-10 * whole), "{kernel}, {factor}");
                }
            }
        }
    }
}

fn after_some_steps<F: Real>(n_threads: usize, kernel: Kernel, n_samples: usize, max_norm: Option<f64>) -> Vec<u64> {
    let mut mlp = network::<F>(&[300, 260, 200, 6], &ACTIVATIONS, true, 1);
    let workers = Workers::new(n_threads);
    let mut workspace = Workspace::new(&mlp, n_samples, 0, kernel, &workers);
    let sink = Descent { rate: F::narrow(0.01), is_sparse: true };
    for seed in 0..4 {
        let batch = samples::<F>(n_samples - seed as usize % 2, 300, 6, seed);
        let loss = match max_norm {
            None => workspace.step(&batch, OBJECTIVE, &sink, &workers),
            Some(max_norm) => workspace.step_clipped(&batch, OBJECTIVE, &sink, max_norm, &workers),
        };
        loss.expect("finite");
    }
    workspace.store(&mut mlp);
    bits(&mlp)
}

#[test]
fn clipped_steps_have_the_same_bits_for_any_number_of_threads() {
    for kernel in kernels() {
        for n_samples in [2, 33, 140] {
            let expected = after_some_steps::<f32>(1, kernel, n_samples, Some(0.3));
            assert!(expected != after_some_steps::<f32>(1, kernel, n_samples, None));
            for n_threads in [2, 4, 8] {
                let found = after_some_steps::<f32>(n_threads, kernel, n_samples, Some(0.3));
                assert!(found == expected, "{kernel}, batch {n_samples}, {n_threads} threads");
            }
        }
        assert!(after_some_steps::<f64>(3, kernel, 50, Some(0.3)) == after_some_steps::<f64>(1, kernel, 50, Some(0.3)));
    }
}

#[test]
fn a_bound_that_is_not_reached_changes_no_bit() {
    for n_samples in [2, 33, 140] {
        let free = after_some_steps::<f32>(2, Kernel::detect(), n_samples, None);
        assert!(after_some_steps::<f32>(2, Kernel::detect(), n_samples, Some(1e9)) == free, "batch {n_samples}");
    }
}

#[test]
fn a_norm_that_overflows_is_said_and_not_taken_for_a_bound() {
    let mut mlp = network::<f64>(&[3, 2, 1], &[Activation::Identity; 2], true, 1);
    mlp.layers[1].weights.fill(1e150);
    let workers = Workers::new(1);
    let mut workspace = Workspace::new(&mlp, 4, 0, Kernel::detect(), &workers);
    let sink = Descent { rate: 0.1, is_sparse: false };
    let broken = workspace.step_clipped(&samples::<f64>(4, 3, 1, 1), OBJECTIVE, &sink, 1.0, &workers);
    assert_eq!(broken.map_err(|broken| broken.layer), Err(0));
}

#[test]
#[should_panic(expected = "gradients are clipped in workspaces for batches of 2 or more")]
fn a_workspace_for_single_samples_clips_nothing() {
    let mlp = network::<f32>(&[3, 1], &[Activation::Identity], true, 1);
    let workers = Workers::new(1);
    let mut workspace = Workspace::new(&mlp, 1, 1, Kernel::detect(), &workers);
    let _ = workspace.step_clipped(&samples::<f32>(1, 3, 1, 1), OBJECTIVE, &KeepGradient, 1.0, &workers);
}
