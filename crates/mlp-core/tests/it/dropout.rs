//! Inputs and hidden outputs that are left out, and the bound for the weights of a unit.

use mlp_core::ndarray::Axis;
use mlp_core::{
    Activation, Dropout, Gradients, KeepGradient, Kernel, Loss, Mlp, Objective, Real, Reduction, StepOptions, Workers,
    Workspace, backpropagate_masked, compare_gradients, explain_gradient_check, finite_differences_with,
};

use crate::networks::{Descent, Samples, bits, kernels, network, samples};

const OBJECTIVE: Objective = Objective { loss: Loss::Squared, reduction: Reduction::Sum };
const HIDDEN: [Activation; 4] = [Activation::Sigmoid, Activation::Tanh, Activation::Relu, Activation::Identity];

fn largest_difference(left: &Gradients<f64>, right: &Gradients<f64>) -> f64 {
    let layers = left.layers.iter().zip(&right.layers);
    let differences = layers.flat_map(|(left, right)| {
        assert_eq!(left.bias.is_some(), right.bias.is_some());
        let weights = left.weights.iter().zip(&right.weights);
        weights.chain(left.bias.iter().flatten().zip(right.bias.iter().flatten()))
    });
    differences.map(|(left, right)| (left - right).abs()).fold(0.0, f64::max)
}

/// `tests/golden/dropout.py` computes the same.
#[test]
fn what_is_left_out_is_fixed_for_ever() {
    let left_out = |key, layer, row, rate| -> Vec<usize> {
        let dropout = Dropout::new(rate, &[rate; 3]);
        let factors = dropout.masks(key).factors::<f64>(layer, row + 1, 40);
        let factors = factors.row(row);
        assert!(factors.iter().all(|&factor| factor == 0.0 || factor == 1.0 / (1.0 - rate)));
        assert!(factors.iter().all(|factor| factor.is_sign_positive()));
        (0..40).filter(|&unit| factors[unit] == 0.0).collect()
    };
    assert_eq!(left_out(7, 0, 0, 0.2), [1, 23, 25, 30, 33, 35, 38]);
    let half = [0, 1, 3, 4, 6, 8, 9, 12, 13, 16, 21, 22, 23, 24, 26, 28, 30, 36, 37, 38, 39];
    assert_eq!(left_out(7, 1, 0, 0.5), half);
    assert_eq!(left_out(7, 1, 1, 0.5), [0, 2, 3, 5, 8, 10, 12, 13, 16, 18, 20, 22, 24, 25, 30, 33, 36, 38]);
    assert_eq!(left_out(8, 1, 0, 0.5), [2, 7, 10, 13, 14, 20, 21, 22, 25, 26, 27, 28, 30, 31, 32, 33, 36]);
    assert_eq!(left_out(u64::MAX, 3, 99, 0.1), [1, 7, 12, 15, 17, 33, 39]);
}

#[test]
fn each_number_is_left_out_as_often_as_the_rate_says_and_by_itself() {
    for rate in [0.1, 0.5, 0.8] {
        let dropout = Dropout::new(rate, &[rate]);
        let deviation = f64::sqrt(rate * (1.0 - rate));
        let (n_keys, n_rows, n_units) = (50_u64, 64, 256);
        let n = (n_keys as usize * n_rows * n_units) as f64;
        let [mut sum, mut neighbours, mut rows, mut keys, mut layers] = [0.0; 5];
        for key in 0..n_keys {
            let centred = |key, layer| {
                let factors = dropout.masks(key).factors::<f64>(layer, n_rows, n_units);
                factors.mapv(|factor| (f64::from(u8::from(factor == 0.0)) - rate) / deviation)
            };
            let z = centred(key, 0);
            sum += z.sum();
            layers += (&z * &centred(key, 1)).sum();
            keys += (&z * &centred(key + 1, 0)).sum();
            for row in 1..n_rows {
                rows += (&z.row(row) * &z.row(row - 1)).sum();
            }
            for unit in 1..n_units {
                neighbours += (&z.column(unit) * &z.column(unit - 1)).sum();
            }
        }
        // Each is about 1 times the root of n.
        for value in [sum, neighbours, rows, keys, layers] {
            assert!((value / n.sqrt()).abs() < 4.0, "rate {rate}: {}", value / n.sqrt());
        }
    }
}

/// The gradient that the fast path hands over, and its mean loss.
fn fast<F: Real>(
    mlp: &Mlp<F>,
    batch: &Samples<F>,
    max_batch: usize,
    options: StepOptions<'_>,
    kernel: Kernel,
) -> (f64, Gradients<F>) {
    let workers = Workers::new(2);
    let mut workspace = Workspace::new(mlp, max_batch, 1, kernel, &workers);
    let loss = workspace.step_with_options(batch, OBJECTIVE, &KeepGradient, options, &workers).expect("finite");
    (loss / batch.inputs.nrows() as f64, workspace.slot(0))
}

#[test]
fn the_fast_path_leaves_out_what_the_readable_one_does() {
    let dropout = Dropout::new(0.2, &[0.5, 0.3]);
    let masks = dropout.masks(11);
    for (first, second) in HIDDEN.into_iter().flat_map(|first| HIDDEN.map(|second| (first, second))) {
        let activations = [first, second, Activation::Identity];
        for (n_samples, max_batch, bias) in [(1, 2, true), (2, 2, false), (37, 40, true), (150, 150, true)] {
            let mlp = network::<f64>(&[33, 70, 18, 5], &activations, bias, 3);
            let batch = samples::<f64>(n_samples, 33, 5, 1);
            let (loss, expected) =
                backpropagate_masked(&mlp, batch.inputs.view(), batch.targets.view(), OBJECTIVE, masks);
            for kernel in kernels() {
                let options = StepOptions { masks: Some(masks), ..StepOptions::default() };
                let (found_loss, found) = fast(&mlp, &batch, max_batch, options, kernel);
                assert!((found_loss - loss).abs() < 1e-12 * loss.max(1.0), "{found_loss} for {loss}");
                let difference = largest_difference(&found, &expected);
                assert!(difference < 1e-12, "{kernel}, {activations:?}, {n_samples}: {difference}");
            }
        }
    }
}

#[test]
fn the_gradient_is_that_of_finite_differences_with_what_is_left_out_held() {
    let dropout = Dropout::new(0.2, &[0.4, 0.6]);
    for (seed, (first, second)) in (0..).zip(HIDDEN.into_iter().flat_map(|first| HIDDEN.map(|second| (first, second))))
    {
        let activations = [first, second, Activation::Sigmoid];
        let mut mlp = network::<f64>(&[6, 8, 7, 3], &activations, true, seed);
        // No ReLU within a step of its kink.
        for (layer, bias) in mlp.layers.iter_mut().map(|layer| (layer.activation, layer.bias.as_mut())) {
            if let (Activation::Relu, Some(bias)) = (layer, bias) {
                bias.iter_mut().enumerate().for_each(|(unit, bias)| *bias = if unit % 3 == 0 { -9.0 } else { 9.0 });
            }
        }
        let (batch, masks) = (samples::<f64>(4, 6, 3, seed), dropout.masks(seed));
        let step =
            |mlp: &Mlp<f64>| backpropagate_masked(mlp, batch.inputs.view(), batch.targets.view(), OBJECTIVE, masks);
        let (_, analytic) = step(&mlp);
        let numeric = finite_differences_with(&mlp, 1e-3, |mlp| step(mlp).0);
        let checks = compare_gradients(&analytic, &numeric);
        if let Err(fault) = explain_gradient_check(&checks, 1e-7) {
            panic!("{activations:?}: {fault}");
        }
    }
}

#[test]
fn the_mean_of_what_layers_receive_stays() {
    let mlp = network::<f64>(&[30, 40, 5], &[Activation::Sigmoid, Activation::Identity], true, 1);
    let batch = samples::<f64>(20, 30, 5, 2);
    let expected = mlp.forward(batch.inputs.view());
    let dropout = Dropout::new(0.0, &[0.5]);
    let workers = Workers::new(1);
    let mut workspace = Workspace::new(&mlp, 20, 1, Kernel::detect(), &workers);
    let mut mean = expected.clone() * 0.0;
    let n_steps = 4_000;
    for key in 0..n_steps {
        let options = StepOptions { masks: Some(dropout.masks(key)), ..StepOptions::default() };
        workspace.step_with_options(&batch, OBJECTIVE, &KeepGradient, options, &workers).expect("finite");
        for (row, mut mean) in mean.axis_iter_mut(Axis(0)).enumerate() {
            mean.iter_mut().zip(workspace.outputs(row)).for_each(|(mean, output)| *mean += output / n_steps as f64);
        }
    }
    let difference = (&mean - &expected).mapv(f64::abs);
    assert!(difference.iter().all(|&difference| difference < 0.06), "{difference}");
    // A forward pass leaves nothing out, whatever came before.
    workspace.forward(&batch, &workers);
    let outputs: Vec<_> = (0..20).flat_map(|row| workspace.outputs(row).to_vec()).collect();
    assert!(outputs.iter().zip(&expected).all(|(output, expected)| (output - expected).abs() < 1e-12));
}

const SIZES: [usize; 4] = [300, 260, 200, 6];
const ACTIVATIONS: [Activation; 3] = [Activation::Tanh, Activation::Relu, Activation::Identity];

fn after_some_steps<F: Real>(
    n_threads: usize,
    kernel: Kernel,
    n_samples: usize,
    sink: &Descent<F>,
    options: impl Fn(u64) -> StepOptions<'static>,
) -> Mlp<F> {
    let mut mlp = network::<F>(&SIZES, &ACTIVATIONS, true, 1);
    let workers = Workers::new(n_threads);
    let mut workspace = Workspace::new(&mlp, n_samples, 0, kernel, &workers);
    for step in 0..4 {
        let batch = samples::<F>(n_samples - step as usize % 2, 300, 6, step);
        workspace.step_with_options(&batch, OBJECTIVE, sink, options(step), &workers).expect("finite");
    }
    workspace.store(&mut mlp);
    mlp
}

/// Half of everything left out, gradients clipped, weights of a norm of at most 0.9 where they begin with 1.
fn all_options(step: u64) -> StepOptions<'static> {
    static DROPOUT: std::sync::LazyLock<Dropout> = std::sync::LazyLock::new(|| Dropout::new(0.2, &[0.5, 0.5]));
    StepOptions { masks: Some(DROPOUT.masks(step)), clip_norm: Some(10.0), max_norm: Some(0.9) }
}

#[test]
fn steps_with_every_option_have_the_same_bits_for_any_number_of_threads() {
    for kernel in kernels() {
        for n_samples in [2, 33, 140] {
            let sink = Descent { rate: 0.01, is_sparse: true };
            let expected = bits(&after_some_steps::<f32>(1, kernel, n_samples, &sink, all_options));
            for n_threads in [2, 4, 8] {
                let found = bits(&after_some_steps::<f32>(n_threads, kernel, n_samples, &sink, all_options));
                assert!(found == expected, "{kernel}, batch {n_samples}, {n_threads} threads");
            }
        }
        let sink = Descent { rate: 0.01, is_sparse: false };
        let [one, three] = [1, 3].map(|n| bits(&after_some_steps::<f64>(n, kernel, 50, &sink, all_options)));
        assert!(one == three);
    }
}

#[test]
fn the_vector_levels_agree_bit_for_bit() {
    let supported: Vec<_> = kernels().filter(|&kernel| kernel != Kernel::Portable).collect();
    let sink = Descent { rate: 0.01, is_sparse: true };
    let mut found = supported.iter().map(|&kernel| bits(&after_some_steps::<f32>(2, kernel, 140, &sink, all_options)));
    if let Some(first) = found.next() {
        assert!(found.all(|found| found == first), "{supported:?}");
    }
}

#[test]
fn steps_with_every_option_are_those_of_the_readable_path() {
    for n_samples in [2, 33, 140] {
        let sink = Descent { rate: 0.01, is_sparse: true };
        let found = after_some_steps::<f64>(2, Kernel::detect(), n_samples, &sink, all_options);
        let mut expected = network::<f64>(&SIZES, &ACTIVATIONS, true, 1);
        for step in 0..4 {
            let batch = samples::<f64>(n_samples - step as usize % 2, 300, 6, step);
            let StepOptions { masks, clip_norm, max_norm } = all_options(step);
            let (inputs, targets) = (batch.inputs.view(), batch.targets.view());
            let (_, gradients) = backpropagate_masked(&expected, inputs, targets, OBJECTIVE, masks.unwrap());
            let layers = gradients.layers.iter();
            let squares = layers.flat_map(|layer| layer.weights.iter().chain(layer.bias.iter().flatten()));
            let norm = squares.map(|value| value * value).sum::<f64>().sqrt();
            let rate = 0.01 * (clip_norm.unwrap() / norm).min(1.0);
            for (layer, gradient) in expected.layers.iter_mut().zip(&gradients.layers) {
                layer.weights.scaled_add(-rate, &gradient.weights);
                layer.bias.as_mut().unwrap().scaled_add(-rate, gradient.bias.as_ref().unwrap());
            }
            expected.limit_norms(max_norm.unwrap());
        }
        for (found, expected) in found.layers.iter().zip(&expected.layers) {
            assert!((&found.weights - &expected.weights).iter().all(|difference| difference.abs() < 1e-12));
            let biases = found.bias.iter().flatten().zip(expected.bias.iter().flatten());
            assert!(biases.into_iter().all(|(found, expected)| (found - expected).abs() < 1e-12));
        }
    }
}

#[test]
fn no_unit_has_longer_weights_than_the_bound_and_one_that_is_not_reached_changes_no_bit() {
    let bounded = |max_norm| move |_| StepOptions { max_norm: Some(max_norm), ..StepOptions::default() };
    for is_sparse in [true, false] {
        for n_samples in [2, 33, 140] {
            let sink = Descent { rate: 0.01_f32, is_sparse };
            let free = after_some_steps(2, Kernel::detect(), n_samples, &sink, |_| StepOptions::default());
            let far = after_some_steps(2, Kernel::detect(), n_samples, &sink, bounded(1e9));
            assert!(bits(&far) == bits(&free), "batch {n_samples}");
            let near = after_some_steps(2, Kernel::detect(), n_samples, &sink, bounded(0.9));
            let norms: Vec<f64> = near.layers.iter().flat_map(|layer| layer.weights.columns()).map(norm).collect();
            assert!(norms.iter().all(|&norm| norm < 0.9 * (1.0 + 1e-5)));
            let n_shortened = norms.iter().filter(|&&norm| norm > 0.9 * (1.0 - 1e-5)).count();
            assert!(n_shortened > norms.len() / 5, "{n_shortened} of {}", norms.len());
        }
    }
}

fn norm(weights: mlp_core::ndarray::ArrayView1<'_, f32>) -> f64 {
    weights.iter().map(|&weight| f64::from(weight)).map(|weight| weight * weight).sum::<f64>().sqrt()
}

#[test]
fn an_output_that_overflows_is_said_also_where_it_is_left_out() {
    let mut mlp = network::<f32>(&[3, 2, 1], &[Activation::Identity; 2], true, 1);
    mlp.layers[0].weights.fill(3e38);
    let dropout = Dropout::new(0.0, &[0.9999]);
    let workers = Workers::new(1);
    let mut workspace = Workspace::new(&mlp, 4, 1, Kernel::detect(), &workers);
    let mut batch = samples::<f32>(4, 3, 1, 1);
    batch.inputs.fill(2.0);
    let options = StepOptions { masks: Some(dropout.masks(0)), ..StepOptions::default() };
    let broken = workspace.step_with_options(&batch, OBJECTIVE, &KeepGradient, options, &workers);
    assert_eq!(broken.map_err(|broken| broken.layer), Err(0));
}

#[test]
fn weights_whose_squares_overflow_are_said_and_not_taken_for_long_ones() {
    let mut mlp = network::<f32>(&[3, 2, 1], &[Activation::Sigmoid; 2], true, 1);
    mlp.layers[0].weights.fill(1e25);
    let workers = Workers::new(1);
    let mut workspace = Workspace::new(&mlp, 4, 0, Kernel::detect(), &workers);
    let options = StepOptions { max_norm: Some(2.0), ..StepOptions::default() };
    let sink = Descent { rate: 0.1, is_sparse: false };
    let broken = workspace.step_with_options(&samples::<f32>(4, 3, 1, 1), OBJECTIVE, &sink, options, &workers);
    assert_eq!(broken.map_err(|broken| broken.layer), Err(0));
}

#[test]
#[should_panic(expected = "options of a step are for workspaces for batches of 2 or more")]
fn a_workspace_for_single_samples_takes_no_options() {
    let mlp = network::<f32>(&[3, 1], &[Activation::Identity], true, 1);
    let workers = Workers::new(1);
    let mut workspace = Workspace::new(&mlp, 1, 1, Kernel::detect(), &workers);
    let options = StepOptions { max_norm: Some(2.0), ..StepOptions::default() };
    let _ = workspace.step_with_options(&samples::<f32>(1, 3, 1, 1), OBJECTIVE, &KeepGradient, options, &workers);
}

#[test]
#[should_panic(expected = "rates of dropout for 2 hidden layers, in 1 layers")]
fn rates_for_another_network_are_refused() {
    let mlp = network::<f32>(&[3, 1], &[Activation::Identity], true, 1);
    let batch = samples::<f32>(1, 3, 1, 1);
    let dropout = Dropout::new(0.0, &[0.5, 0.5]);
    backpropagate_masked(&mlp, batch.inputs.view(), batch.targets.view(), OBJECTIVE, dropout.masks(0));
}

#[test]
#[should_panic(expected = "it is at least 0 and below 1")]
fn a_rate_of_1_is_refused() {
    Dropout::new(0.0, &[1.0]);
}
