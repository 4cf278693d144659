//! Batch normalisation on the fast path: the steps of the version to read, with the same bits on any number of threads.

use mlp_core::ndarray::Array1;
use mlp_core::{
    Activation, Average, BatchNorm, Dropout, Gradients, KeepGradient, Kernel, Loss, Mlp, Objective, Real, Reduction,
    StepOptions, Workers, Workspace, backpropagate_normalized,
};
use rand::Rng;

use crate::networks::{Descent, Weighted, bits, generator, kernels, network, samples};

const OBJECTIVE: Objective = Objective { loss: Loss::Squared, reduction: Reduction::Sum };
const ACTIVATIONS: [Activation; 4] = [Activation::Tanh, Activation::Relu, Activation::Sigmoid, Activation::Identity];
/// One tile or several to a layer, the last of each width.
const SHAPES: [[usize; 5]; 3] = [[33, 70, 21, 40, 5], [301, 30, 9, 5, 6], [50, 260, 130, 65, 3]];

/// γ around 1, and running statistics that are not those of the beginning.
fn norm<F: Real>(mlp: &Mlp<F>, seed: u64) -> BatchNorm<F> {
    let (mut norm, mut rng) = (BatchNorm::new(mlp), generator(seed));
    for layer in &mut norm.layers {
        layer.scale.mapv_inplace(|_| F::narrow(rng.random_range(0.5..1.5)));
        layer.mean.mapv_inplace(|_| F::narrow(rng.random_range(-0.5..0.5)));
        layer.variance.mapv_inplace(|_| F::narrow(rng.random_range(0.5..1.5)));
    }
    norm
}

fn all<'a>(gradients: &'a Gradients<f64>, scales: &'a [Array1<f64>]) -> impl Iterator<Item = f64> + 'a {
    let layers = gradients.layers.iter();
    let values = layers.flat_map(|layer| layer.weights.iter().chain(layer.bias.iter().flatten()));
    values.chain(scales.iter().flatten()).copied()
}

fn length(gradients: &Gradients<f64>, scales: &[Array1<f64>]) -> f64 {
    all(gradients, scales).map(|value| value * value).sum::<f64>().sqrt()
}

/// Takes some steps both ways and compares all that there is after each.
fn check_steps(
    kernel: Kernel,
    sizes: &[usize],
    bias: bool,
    n_samples: usize,
    options: StepOptions<'_>,
    weighted: bool,
) {
    const RATE: f64 = 0.05;
    let mut mlp = network::<f64>(sizes, &ACTIVATIONS[..sizes.len() - 1], bias, 1);
    let mut norm = norm(&mlp, 2);
    let workers = Workers::new(2);
    let mut workspace = Workspace::new(&mlp, n_samples, 1, kernel, &workers).with_batch_norm(&norm);
    let mut keeping = Workspace::new(&mlp, n_samples, 1, kernel, &workers).with_batch_norm(&norm);
    let mut found = mlp.clone();
    for seed in 0..5 {
        let n_samples = if seed == 3 { n_samples.div_ceil(2).max(2) } else { n_samples };
        let samples = samples::<f64>(n_samples, sizes[0], sizes[sizes.len() - 1], seed);
        let weight = |row: usize| if weighted { 0.25 * (row * 5 % 7) as f64 } else { 1.0 };
        let weights = (0..n_samples).map(weight).collect();
        let batch = Weighted { samples, weights };
        let (inputs, targets) = (batch.samples.inputs.view(), batch.samples.targets.view());
        let expected = backpropagate_normalized(
            &mlp,
            &norm,
            inputs,
            targets,
            weighted.then_some(&batch.weights[..]),
            OBJECTIVE,
            options.masks,
        );
        let what = format!("{kernel}, {sizes:?}, bias {bias}, batch {n_samples}, {options:?}, step {seed}");

        // The gradient itself, clipped or not.
        keeping.load(&mlp);
        keeping.load_batch_norm(&norm);
        let of_gradient = StepOptions { max_norm: None, ..options };
        keeping.step_with_options(&batch, OBJECTIVE, &KeepGradient, of_gradient, &workers).expect("finite");
        let whole = length(&expected.gradients, &expected.scales);
        let factor = options.clip_norm.map_or(1.0, |norm| (norm / whole).min(1.0));
        let (found_gradients, found_scales) = (keeping.slot(0), keeping.scale_slot(0));
        for (found, expected) in all(&found_gradients, &found_scales).zip(all(&expected.gradients, &expected.scales)) {
            assert!((found - factor * expected).abs() < 1e-11 * whole.max(1.0), "{what}: {found}, {expected}");
        }

        // A step.
        let sink = Descent { rate: RATE, is_sparse: seed % 2 == 0 };
        let loss = workspace.step_with_options(&batch, OBJECTIVE, &sink, options, &workers).expect("finite");
        assert!((loss / n_samples as f64 - expected.loss).abs() < 1e-10, "{what}");
        for (layer, gradient) in mlp.layers.iter_mut().zip(&expected.gradients.layers) {
            layer.weights.scaled_add(-RATE * factor, &gradient.weights);
            let biases = layer.bias.iter_mut().zip(&gradient.bias);
            biases.for_each(|(bias, gradient)| bias.scaled_add(-RATE * factor, gradient));
        }
        for (layer, gradient) in norm.layers.iter_mut().zip(&expected.scales) {
            layer.scale.scaled_add(-RATE * factor, gradient);
        }
        norm.follow(&expected.statistics, BatchNorm::<f64>::MOMENTUM);
        options.max_norm.iter().for_each(|&max_norm| mlp.limit_norms(max_norm));
        workspace.store(&mut found);
        for (found, expected) in found.layers.iter().zip(&mlp.layers) {
            let near = |found: &f64, expected: &f64| (found - expected).abs() < 1e-10;
            assert!(found.weights.iter().zip(&expected.weights).all(|(f, e)| near(f, e)), "{what}");
            let mut biases = found.bias.iter().flatten().zip(expected.bias.iter().flatten());
            assert!(biases.all(|(f, e)| near(f, e)), "{what}");
        }
        let found = workspace.batch_norm().expect("with batch normalisation");
        for (found, expected) in found.layers.iter().zip(&norm.layers) {
            for (found, expected) in
                [(&found.scale, &expected.scale), (&found.mean, &expected.mean), (&found.variance, &expected.variance)]
            {
                assert!((found - expected).iter().all(|error| error.abs() < 1e-10), "{what}");
            }
        }
    }
}

#[test]
fn steps_are_those_of_the_version_to_read() {
    let dropout = Dropout::new(0.2, &[0.4, 0.3, 0.2]);
    let plain = StepOptions::default();
    let many = StepOptions { masks: Some(dropout.masks(3)), clip_norm: Some(0.3), max_norm: Some(0.9) };
    for kernel in kernels() {
        for sizes in SHAPES {
            for n_samples in [2, 7, 37, 140] {
                check_steps(kernel, &sizes, true, n_samples, plain, false);
            }
            check_steps(kernel, &sizes, false, 20, plain, false);
            check_steps(kernel, &sizes, true, 20, many, true);
            check_steps(kernel, &sizes, false, 130, many, false);
            check_steps(kernel, &sizes, true, 20, StepOptions { clip_norm: Some(1e6), ..plain }, true);
        }
        check_steps(kernel, &[5, 3], true, 20, plain, false);
    }
}

/// The bits of everything after six steps, half-way through matrices and back.
fn after_steps<F: Real>(
    kernel: Kernel,
    n_threads: usize,
    n_samples: usize,
    options: StepOptions<'_>,
    new: fn(&Mlp<F>, usize, usize, Kernel, &Workers) -> Workspace<F>,
    is_interrupted: bool,
) -> Vec<u64> {
    let sizes = [301, 260, 199, 70, 7];
    let mut mlp = network::<F>(&sizes, &ACTIVATIONS, true, 1);
    let workers = Workers::new(n_threads);
    let make = |mlp: &Mlp<F>, norm: &BatchNorm<F>| new(mlp, n_samples, 1, kernel, &workers).with_batch_norm(norm);
    let mut workspace = make(&mlp, &norm(&mlp, 2));
    let mut average = Average::new(&workspace);
    for step in 0..6 {
        let n_samples = if step > 3 { n_samples.div_ceil(3).max(2) } else { n_samples };
        let batch = samples::<F>(n_samples, sizes[0], sizes[4], step);
        let sink = crate::exactness::Momentum;
        workspace.step_with_options(&batch, OBJECTIVE, &sink, options, &workers).expect("finite");
        average.add(&workspace, 0.3, &workers);
        if is_interrupted && step == 2 {
            workspace.store(&mut mlp);
            let norm = workspace.batch_norm().expect("with batch normalisation");
            let (slot, scale_slot) = (workspace.slot(0), workspace.scale_slot(0));
            let mut means = mlp.clone();
            average.store(&workspace, &mut means);
            let norm_means = average.batch_norm(&workspace).expect("with batch normalisation");
            workspace = make(&network::<F>(&sizes, &ACTIVATIONS, true, 9), &BatchNorm::new(&mlp));
            workspace.load(&mlp);
            workspace.load_batch_norm(&norm);
            workspace.set_slot(0, &slot);
            workspace.set_scale_slot(0, &scale_slot);
            average = Average::new(&workspace);
            average.load(&workspace, &means);
            average.load_batch_norm(&workspace, &norm_means);
        }
    }
    let of_norm = |norm: Option<BatchNorm<F>>| {
        let layers = norm.expect("with batch normalisation").layers.into_iter();
        layers.flat_map(|layer| [layer.scale, layer.mean, layer.variance]).collect::<Vec<_>>()
    };
    let mut rows = of_norm(workspace.batch_norm());
    rows.extend(of_norm(average.batch_norm(&workspace)));
    rows.extend(workspace.scale_slot(0));
    workspace.store(&mut mlp);
    let mut all = bits(&mlp);
    average.store(&workspace, &mut mlp);
    all.extend(bits(&mlp));
    all.extend(rows.iter().flatten().map(|value| value.widen().to_bits()));
    all
}

#[test]
fn the_bits_are_the_same_on_any_number_of_threads_and_after_an_interruption() {
    let dropout = Dropout::new(0.2, &[0.5, 0.3, 0.2]);
    let plain = StepOptions::default();
    let many = StepOptions { masks: Some(dropout.masks(5)), clip_norm: Some(0.5), max_norm: Some(0.9) };
    for kernel in kernels() {
        for (n_samples, options) in [(2, plain), (33, plain), (33, many), (140, plain), (140, many)] {
            let expected = after_steps::<f32>(kernel, 1, n_samples, options, Workspace::new, false);
            for (n_threads, is_interrupted) in [(2, false), (3, true), (7, false), (1, true)] {
                let found = after_steps::<f32>(kernel, n_threads, n_samples, options, Workspace::new, is_interrupted);
                assert!(found == expected, "{kernel}, batch {n_samples}, {n_threads} threads, {options:?}");
            }
        }
        let double = |n_threads| after_steps::<f64>(kernel, n_threads, 50, many, Workspace::new, n_threads > 1);
        assert!(double(3) == double(1) && double(7) == double(1), "{kernel}");
    }
}

#[test]
fn both_levels_with_fused_multiply_adds_agree() {
    if kernels().any(|kernel| kernel == Kernel::Avx512) {
        for n_samples in [33, 140] {
            let of = |kernel| after_steps::<f32>(kernel, 2, n_samples, StepOptions::default(), Workspace::new, false);
            assert!(of(Kernel::Avx512) == of(Kernel::Avx2), "batch {n_samples}");
        }
    }
}

#[test]
fn products_in_bf16_have_the_same_bits_on_every_level() {
    let dropout = Dropout::new(0.2, &[0.5, 0.3, 0.2]);
    let many = StepOptions { masks: Some(dropout.masks(5)), clip_norm: Some(0.5), max_norm: Some(0.9) };
    for (n_samples, options) in [(33, StepOptions::default()), (140, many)] {
        let new = Workspace::with_bf16_products;
        let expected = after_steps::<f32>(Kernel::Portable, 1, n_samples, options, new, false);
        for (kernel, n_threads) in kernels().flat_map(|kernel| [(kernel, 2), (kernel, 3)]) {
            let found = after_steps::<f32>(kernel, n_threads, n_samples, options, new, true);
            assert!(found == expected, "{kernel}, batch {n_samples}, {n_threads} threads");
        }
    }
}

#[test]
fn the_gradient_by_products_in_bf16_is_that_in_f32_within_the_rounding() {
    let mlp = network::<f32>(&[60, 70, 40, 5], &ACTIVATIONS[..3], true, 1);
    let (norm, workers) = (norm(&mlp, 2), Workers::new(2));
    let batch = samples::<f32>(40, 60, 5, 3);
    let [exact, rounded] = [Workspace::new, Workspace::with_bf16_products].map(|new| {
        let mut workspace = new(&mlp, 40, 1, Kernel::detect(), &workers).with_batch_norm(&norm);
        workspace.step(&batch, OBJECTIVE, &KeepGradient, &workers).expect("finite");
        (workspace.slot(0), workspace.scale_slot(0))
    });
    let size = |values: &[f32]| values.iter().map(|value| value * value).sum::<f32>().sqrt();
    let distance = |found: &[f32], expected: &[f32]| {
        let differences: Vec<f32> = found.iter().zip(expected).map(|(found, expected)| found - expected).collect();
        size(&differences) / size(expected)
    };
    for (found, expected) in rounded.0.layers.iter().zip(&exact.0.layers) {
        let [found, expected] = [found, expected].map(|layer| layer.weights.as_slice().expect("in order"));
        assert!((1e-6..0.05).contains(&distance(found, expected)), "{}", distance(found, expected));
    }
    for (found, expected) in rounded.1.iter().zip(&exact.1) {
        let [found, expected] = [found, expected].map(|row| row.as_slice().expect("in order"));
        assert!((1e-6..0.05).contains(&distance(found, expected)), "{}", distance(found, expected));
    }
}

#[test]
fn answers_are_those_of_the_folded_network() {
    for bias in [true, false] {
        let mlp = network::<f64>(&[33, 70, 21, 40, 5], &ACTIVATIONS, bias, 1);
        let (norm, workers) = (norm(&mlp, 2), Workers::new(2));
        let mut workspace = Workspace::new(&mlp, 30, 1, Kernel::detect(), &workers).with_batch_norm(&norm);
        let batch = samples::<f64>(30, 33, 5, 3);
        workspace.step(&batch, OBJECTIVE, &KeepGradient, &workers).expect("finite");
        let norm = workspace.batch_norm().expect("with batch normalisation");
        let expected = norm.fold(&mlp).forward(batch.inputs.view());
        workspace.forward(&batch, &workers);
        for (row, expected) in expected.rows().into_iter().enumerate() {
            let found = workspace.outputs(row).iter().zip(expected);
            found.for_each(|(found, expected)| assert!((found - expected).abs() < 1e-12));
        }
        // What is answered moves no running statistics, and may be a single sample.
        workspace.forward(&samples::<f64>(1, 33, 5, 4), &workers);
        assert_eq!(workspace.batch_norm(), Some(norm));
    }
}

/// Such as one of pixels that are always 0: v is 0, and ẑ too.
#[test]
fn a_unit_that_is_the_same_for_all_samples_does_no_harm() {
    let mut mlp = network::<f32>(&[9, 8, 3], &[Activation::Relu, Activation::Sigmoid], true, 1);
    mlp.layers[0].weights.column_mut(2).fill(0.0);
    let workers = Workers::new(1);
    let mut workspace = Workspace::new(&mlp, 20, 0, Kernel::detect(), &workers).with_batch_norm(&BatchNorm::new(&mlp));
    let sink = Descent { rate: 0.1, is_sparse: true };
    for seed in 0..1_000 {
        workspace.step(&samples(20, 9, 3, seed), OBJECTIVE, &sink, &workers).expect("finite");
    }
    let norm = workspace.batch_norm().expect("with batch normalisation");
    let is_usual = |value: &f32| *value == 0.0 || value.is_normal();
    assert!(norm.layers[0].mean.iter().chain(&norm.layers[0].variance).all(is_usual), "{norm:?}");
}

#[test]
fn statistics_that_overflow_are_said() {
    for broken in 0..2 {
        let mut mlp = network::<f32>(&[9, 8, 7, 3], &ACTIVATIONS[..3], true, 1);
        // Products of 1e30 have no variance in single precision, though what is normalised by it would be finite.
        mlp.layers[broken].weights *= 1e30;
        let workers = Workers::new(1);
        let mut workspace =
            Workspace::new(&mlp, 20, 0, Kernel::detect(), &workers).with_batch_norm(&BatchNorm::new(&mlp));
        let sink = Descent { rate: 0.1, is_sparse: true };
        let found = workspace.step(&samples(20, 9, 3, 1), OBJECTIVE, &sink, &workers);
        assert_eq!(found.map_err(|broken| broken.layer), Err(broken));
        // Another network can be loaded then.
        workspace.load(&network::<f32>(&[9, 8, 7, 3], &ACTIVATIONS[..3], true, 2));
        workspace.load_batch_norm(&BatchNorm::new(&mlp));
        workspace.step(&samples(20, 9, 3, 1), OBJECTIVE, &sink, &workers).expect("finite");
    }
}

fn small() -> (Mlp<f64>, Workers) {
    (network::<f64>(&[6, 8, 3], &[Activation::Tanh, Activation::Identity], true, 1), Workers::new(1))
}

#[test]
#[should_panic(expected = "a single sample has no variance")]
fn a_workspace_for_single_samples_is_refused() {
    let (mlp, workers) = small();
    let _ = Workspace::new(&mlp, 1, 0, Kernel::detect(), &workers).with_batch_norm(&BatchNorm::new(&mlp));
}

#[test]
#[should_panic(expected = "a single sample has no variance")]
fn a_step_on_a_single_sample_is_refused() {
    let (mlp, workers) = small();
    let mut workspace = Workspace::new(&mlp, 5, 1, Kernel::detect(), &workers).with_batch_norm(&BatchNorm::new(&mlp));
    let _ = workspace.step(&samples::<f64>(1, 6, 3, 1), OBJECTIVE, &KeepGradient, &workers);
}

#[test]
#[should_panic(expected = "numbers of normalised layers, and units of hidden layers")]
fn the_normalisation_of_another_network_is_refused() {
    let (mlp, workers) = small();
    let other = network::<f64>(&[6, 9, 3], &[Activation::Tanh, Activation::Identity], true, 1);
    let _ = Workspace::new(&mlp, 5, 0, Kernel::detect(), &workers).with_batch_norm(&BatchNorm::new(&other));
}
