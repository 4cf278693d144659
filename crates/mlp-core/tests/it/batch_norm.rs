//! Net inputs that are normalised over the batch.

use mlp_core::ndarray::{Array1, Axis};
use mlp_core::{
    Activation, BatchNorm, Dropout, Gradients, Loss, Mlp, Objective, Reduction, TensorCheck, backpropagate,
    backpropagate_normalized, compare_gradients, finite_differences_with,
};
use rand::Rng;

use crate::networks::{Samples, generator, network, samples};

const OBJECTIVE: Objective = Objective { loss: Loss::Squared, reduction: Reduction::Sum };
const HIDDEN: [Activation; 4] = [Activation::Sigmoid, Activation::Tanh, Activation::Relu, Activation::Identity];

/// γ around 1, and running statistics that are not those of the beginning.
fn norm(mlp: &Mlp<f64>, seed: u64) -> BatchNorm<f64> {
    let (mut norm, mut rng) = (BatchNorm::new(mlp), generator(seed));
    for layer in &mut norm.layers {
        layer.scale.mapv_inplace(|_| rng.random_range(0.5..1.5));
        layer.mean.mapv_inplace(|_| rng.random_range(-0.5..0.5));
        layer.variance.mapv_inplace(|_| rng.random_range(0.5..1.5));
    }
    norm
}

fn batch(n_samples: usize, seed: u64) -> Samples<f64> {
    samples::<f64>(n_samples, 6, 3, seed)
}

fn is_near(found: &Gradients<f64>, expected: &Gradients<f64>, tolerance: f64) -> bool {
    found.layers.iter().zip(&expected.layers).all(|(found, expected)| {
        let weights = found.weights.iter().zip(&expected.weights);
        let biases = found.bias.iter().flatten().zip(expected.bias.iter().flatten());
        weights.chain(biases).all(|(found, expected)| (found - expected).abs() < tolerance)
    })
}

/// The batch's statistics move with every weight: they are part of what is differentiated.
#[test]
fn the_gradient_is_that_of_finite_differences() {
    let dropout = Dropout::new(0.2, &[0.4, 0.3]);
    let sample_weights = [0.5, 2.0, 0.0, 1.0, 1.5];
    let pairs = HIDDEN.into_iter().flat_map(|first| HIDDEN.map(|second| (first, second)));
    for (seed, (first, second)) in (0..).zip(pairs) {
        let activations = [first, second, Activation::Sigmoid];
        for (bias, masks, weights) in
            [(true, None, None), (false, None, None), (true, Some(dropout.masks(seed)), Some(&sample_weights[..]))]
        {
            let mut mlp = network::<f64>(&[6, 8, 7, 3], &activations, bias, seed);
            let mut norm = norm(&mlp, seed);
            if bias {
                // No ReLU within a step of its kink, nor a unit whose outputs are 0 for all samples.
                for (layer, norm) in mlp.layers.iter_mut().zip(&mut norm.layers) {
                    if let (Activation::Relu, Some(beta)) = (layer.activation, layer.bias.as_mut()) {
                        beta.iter_mut().for_each(|beta| *beta = 9.0);
                        norm.scale.fill(1.0);
                    }
                }
            } else if activations.contains(&Activation::Relu) {
                continue;
            }
            let batch = batch(5, seed);
            let step = |mlp: &Mlp<f64>, norm: &BatchNorm<f64>| {
                let (inputs, targets) = (batch.inputs.view(), batch.targets.view());
                backpropagate_normalized(mlp, norm, inputs, targets, weights, OBJECTIVE, masks)
            };
            let found = step(&mlp, &norm);
            let numeric = finite_differences_with(&mlp, 1e-3, |mlp| step(mlp, &norm).loss);
            // Behind an identity or a ReLU without a kink the next layer subtracts β again: its derivative is 0.
            let is_wrong =
                |check: &TensorCheck| check.relative_error > 1e-7 && (check.found - check.expected).abs() > 1e-11;
            let wrong: Vec<_> = compare_gradients(&found.gradients, &numeric).into_iter().filter(is_wrong).collect();
            assert!(wrong.is_empty(), "{activations:?}: {wrong:?}");
            let numeric = slopes_of_scales(&norm, |norm| step(&mlp, norm).loss);
            for (found, numeric) in found.scales.iter().zip(&numeric) {
                let distance = (found - numeric).mapv(f64::abs).sum() / numeric.mapv(f64::abs).sum().max(1e-3);
                assert!(distance < 1e-7, "{activations:?}: {distance}");
            }
        }
    }
}

fn slopes_of_scales(norm: &BatchNorm<f64>, loss: impl Fn(&BatchNorm<f64>) -> f64) -> Vec<Array1<f64>> {
    let step = 1e-3;
    let slope = |layer: usize, unit: usize| {
        let at = |change: f64| {
            let mut moved = norm.clone();
            moved.layers[layer].scale[unit] += change;
            loss(&moved)
        };
        (8.0 * (at(step) - at(-step)) - (at(2.0 * step) - at(-2.0 * step))) / (12.0 * step)
    };
    let layers = norm.layers.iter().enumerate();
    layers.map(|(layer, norm)| Array1::from_shape_fn(norm.scale.len(), |unit| slope(layer, unit))).collect()
}

/// With the statistics that it has just been normalised with, a batch sees the folded network.
#[test]
fn what_is_folded_computes_the_same() {
    for bias in [true, false] {
        let activations = [Activation::Tanh, Activation::Relu, Activation::Identity];
        let mlp = network::<f64>(&[6, 8, 7, 3], &activations, bias, 1);
        let mut norm = norm(&mlp, 2);
        let batch = batch(9, 3);
        let step =
            backpropagate_normalized(&mlp, &norm, batch.inputs.view(), batch.targets.view(), None, OBJECTIVE, None);
        for (layer, batch) in norm.layers.iter_mut().zip(&step.statistics) {
            (layer.mean, layer.variance) = (batch.mean.clone(), batch.variance.clone());
        }
        let folded = norm.fold(&mlp);
        let (loss, gradients) = backpropagate(&folded, batch.inputs.view(), batch.targets.view(), OBJECTIVE);
        assert!((loss - step.loss).abs() < 1e-12);
        // The way through the statistics is missing, but not behind them.
        let last = |gradients: &Gradients<f64>| Gradients { layers: gradients.layers[2..].to_vec() };
        assert!(is_near(&last(&gradients), &last(&step.gradients), 1e-12));
    }
}

#[test]
fn running_statistics_approach_those_of_all_samples() {
    let mlp = network::<f64>(&[6, 8, 3], &[Activation::Tanh, Activation::Sigmoid], true, 1);
    let all = batch(4_000, 3);
    let mut norm = norm(&mlp, 2);
    let batches = all.inputs.axis_chunks_iter(Axis(0), 4).zip(all.targets.axis_chunks_iter(Axis(0), 4));
    for (n_batches, (inputs, targets)) in (1..).zip(batches) {
        let step = backpropagate_normalized(&mlp, &norm, inputs, targets, None, OBJECTIVE, None);
        // All batches count the same.
        norm.follow(&step.statistics, 1.0 / f64::from(n_batches));
    }
    let products = all.inputs.dot(&mlp.layers[0].weights);
    let (mean, variance) = (products.mean_axis(Axis(0)).unwrap(), products.var_axis(Axis(0), 1.0));
    assert!((&norm.layers[0].mean - &mean).iter().all(|error| error.abs() < 1e-12));
    // Of batches of four, v alone would be three quarters of it.
    let ratios = &norm.layers[0].variance / &variance;
    assert!(ratios.iter().all(|ratio| (ratio - 1.0).abs() < 0.05), "{ratios}");
}

/// Neither adding to all products of a unit nor scaling them makes a difference, but for ε.
#[test]
fn the_scale_of_weights_changes_nothing_that_is_learned() {
    let activations = [Activation::Tanh, Activation::Identity];
    let mlp = network::<f64>(&[6, 8, 3], &activations, true, 1);
    let (norm, batch) = (norm(&mlp, 2), batch(20, 3));
    let mut scaled = mlp.clone();
    scaled.layers[0].weights *= 1e3;
    let step = |mlp: &Mlp<f64>| {
        backpropagate_normalized(mlp, &norm, batch.inputs.view(), batch.targets.view(), None, OBJECTIVE, None)
    };
    let (plain, scaled) = (step(&mlp), step(&scaled));
    assert!((plain.loss - scaled.loss).abs() < 1e-3 * plain.loss);
    let ratio = &plain.gradients.layers[0].weights / &scaled.gradients.layers[0].weights;
    assert!(ratio.iter().all(|ratio| (ratio / 1e3 - 1.0).abs() < 0.05), "{ratio}");
}

#[test]
#[should_panic(expected = "a single sample has no variance")]
fn a_single_sample_is_refused() {
    let mlp = network::<f64>(&[6, 8, 3], &[Activation::Tanh, Activation::Identity], true, 1);
    let batch = batch(1, 3);
    backpropagate_normalized(
        &mlp,
        &BatchNorm::new(&mlp),
        batch.inputs.view(),
        batch.targets.view(),
        None,
        OBJECTIVE,
        None,
    );
}
