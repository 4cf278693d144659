//! Products of numbers rounded to bf16: the same bits everywhere, near the gradient in f32, and with all that a step can do.

use mlp_core::ndarray::{Array2, Axis};
use mlp_core::{
    Activation, Dropout, Gradients, KeepGradient, Kernel, Loss, Mlp, NonFinite, Objective, Real, Reduction,
    StepOptions, Workers, Workspace, backpropagate,
};

use crate::networks::{Descent, Samples, bits, kernels, network, one_hot, samples};

const OBJECTIVE: Objective = Objective { loss: Loss::Squared, reduction: Reduction::Sum };
const LARGE: [usize; 4] = [301, 260, 199, 7];
const SMALL: [usize; 4] = [33, 70, 21, 5];
/// One tile a layer, whose first gradient is taken row by row.
const NARROW: [usize; 4] = [301, 30, 9, 6];
const ACTIVATIONS: [Activation; 3] = [Activation::Sigmoid, Activation::Relu, Activation::Tanh];
const DESCENT: Descent<f32> = Descent { rate: 0.05, is_sparse: true };

fn rounding(mlp: &Mlp<f32>, max_batch: usize, kernel: Kernel, n_threads: usize) -> (Workspace<f32>, Workers) {
    let workers = Workers::new(n_threads);
    (Workspace::with_bf16_products(mlp, max_batch, 1, kernel, &workers), workers)
}

/// The bits after six steps, the last two of them on smaller batches.
fn after_steps(
    sizes: [usize; 4],
    activations: [Activation; 3],
    options: StepOptions<'_>,
    kernel: Kernel,
    n_threads: usize,
    n_samples: usize,
) -> Vec<u64> {
    let mut mlp = network::<f32>(&sizes, &activations, true, 1);
    let (mut workspace, workers) = rounding(&mlp, n_samples, kernel, n_threads);
    for step in 0..6 {
        let n_samples = if step > 3 { n_samples.div_ceil(3) } else { n_samples };
        let batch = samples::<f32>(n_samples, sizes[0], sizes[3], step);
        workspace.step_with_options(&batch, OBJECTIVE, &DESCENT, options, &workers).expect("finite");
    }
    workspace.store(&mut mlp);
    bits(&mlp)
}

#[test]
fn weights_are_the_same_bits_for_any_number_of_threads_and_on_every_level() {
    for (sizes, n_samples) in
        [LARGE, SMALL, NARROW].into_iter().flat_map(|sizes| [2, 10, 33, 97, 140].map(|n| (sizes, n)))
    {
        let options = StepOptions::default();
        let expected = after_steps(sizes, ACTIVATIONS, options, Kernel::Portable, 1, n_samples);
        for kernel in kernels() {
            for n_threads in [1, 2, 4, 8] {
                let found = after_steps(sizes, ACTIVATIONS, options, kernel, n_threads, n_samples);
                assert!(found == expected, "{sizes:?}, {kernel}, batch {n_samples}, {n_threads} threads");
            }
        }
    }
}

#[test]
fn the_bits_are_the_same_with_all_that_a_step_can_do() {
    let dropout = Dropout::new(0.2, &[0.5, 0.3]);
    let options = [
        StepOptions { masks: Some(dropout.masks(3)), ..StepOptions::default() },
        StepOptions { clip_norm: Some(0.1), ..StepOptions::default() },
        StepOptions { max_norm: Some(0.7), ..StepOptions::default() },
        StepOptions { masks: Some(dropout.masks(5)), clip_norm: Some(0.5), max_norm: Some(0.9) },
    ];
    for options in options {
        for n_samples in [9, 140] {
            let expected = after_steps(LARGE, ACTIVATIONS, options, Kernel::Portable, 1, n_samples);
            for kernel in kernels() {
                for n_threads in [2, 4] {
                    let found = after_steps(LARGE, ACTIVATIONS, options, kernel, n_threads, n_samples);
                    assert!(found == expected, "{options:?}, {kernel}, batch {n_samples}, {n_threads} threads");
                }
            }
        }
    }
}

#[test]
fn a_bound_for_the_weights_is_kept() {
    let mlp = network::<f32>(&SMALL, &ACTIVATIONS, true, 1);
    let (mut workspace, workers) = rounding(&mlp, 20, Kernel::detect(), 2);
    let options = StepOptions { max_norm: Some(0.4), ..StepOptions::default() };
    let batch = samples::<f32>(20, SMALL[0], SMALL[3], 1);
    for _ in 0..3 {
        workspace.step_with_options(&batch, OBJECTIVE, &DESCENT, options, &workers).expect("finite");
    }
    let mut found = mlp.clone();
    workspace.store(&mut found);
    for layer in &found.layers {
        let norms = layer.weights.axis_iter(Axis(1)).map(|unit| unit.iter().map(|w| w * w).sum::<f32>().sqrt());
        norms.for_each(|norm| assert!(norm < 0.4001, "{norm}"));
    }
    // The products are those of the weights that were shortened.
    let (mut fresh, _) = rounding(&found, 20, Kernel::detect(), 2);
    fresh.forward(&batch, &workers);
    workspace.forward(&batch, &workers);
    (0..20).for_each(|row| assert_eq!(fresh.outputs(row), workspace.outputs(row)));
}

/// ‖a − b‖ / ‖b‖ over the weights of one layer.
fn distance(left: &Array2<f32>, right: &Array2<f32>) -> f64 {
    let norm = |values: &Array2<f32>| values.iter().map(|value| value.widen().powi(2)).sum::<f64>().sqrt();
    norm(&(left - right)) / norm(right)
}

fn gradient(mlp: &Mlp<f32>, batch: &Samples<f32>, objective: Objective, kernel: Kernel) -> Gradients<f32> {
    let (mut workspace, workers) = rounding(mlp, batch.inputs.nrows().max(2), kernel, 2);
    workspace.step(batch, objective, &KeepGradient, &workers).expect("finite");
    workspace.slot(0)
}

#[test]
fn the_gradient_is_that_in_f32_within_the_rounding() {
    let losses = [
        (Activation::Softmax, Loss::SoftmaxCrossEntropy),
        (Activation::Sigmoid, Loss::CrossEntropy),
        (Activation::Sigmoid, Loss::Squared),
    ];
    for hidden in [Activation::Sigmoid, Activation::Tanh, Activation::Relu, Activation::Identity] {
        for (output, loss) in losses {
            let objective = Objective { loss, reduction: Reduction::Sum };
            for n_samples in [1, 30, 131] {
                let mlp = network::<f32>(&LARGE, &[hidden, hidden, output], true, 5);
                let mut batch = samples::<f32>(n_samples, LARGE[0], LARGE[3], 6);
                one_hot(&mut batch, 7);
                let (_, expected) = backpropagate(&mlp, batch.inputs.view(), batch.targets.view(), objective);
                let found = gradient(&mlp, &batch, objective, Kernel::detect());
                for (index, (found, expected)) in found.layers.iter().zip(&expected.layers).enumerate() {
                    let distance = distance(&found.weights, &expected.weights);
                    // Each factor is off by at most 2⁻⁹ = 0.002. One unit of ReLU in some hundred is so near 0 that it is on
                    // in one and off in the other, and with it all that it passes back.
                    let bound = if hidden == Activation::Relu { 0.1 } else { 0.01 };
                    assert!(distance < bound, "{hidden}, {loss}, {n_samples} samples, layer {index}: {distance}");
                    assert!(distance > 1e-5, "nothing was rounded: {distance}");
                }
            }
        }
    }
}

fn rounded(values: &Array2<f32>) -> Array2<f32> {
    values.mapv(|value| f32::from_bits((value.to_bits() + 0x7fff + (value.to_bits() >> 16 & 1)) & 0xffff_0000))
}

/// The same by matrices: what is rounded, and what is not.
#[test]
fn weights_activations_and_deltas_are_rounded_and_nothing_else() {
    let mlp = network::<f32>(&SMALL, &[Activation::Tanh, Activation::Sigmoid, Activation::Identity], true, 2);
    let batch = samples::<f32>(40, SMALL[0], SMALL[3], 3);
    let mut outputs = vec![batch.inputs.clone()];
    for layer in &mlp.layers {
        let mut z = rounded(&outputs[outputs.len() - 1]).dot(&rounded(&layer.weights));
        z += layer.bias.as_ref().expect("biases");
        z.rows_mut().into_iter().for_each(|mut row| layer.activation.apply(row.as_slice_mut().expect("contiguous")));
        outputs.push(z);
    }
    let mut delta = (&outputs[3] - &batch.targets) * (2.0 / 40.0);
    let found = gradient(&mlp, &batch, OBJECTIVE, Kernel::detect());
    for index in (0..3).rev() {
        delta = rounded(&delta);
        let weights = rounded(&outputs[index]).t().dot(&delta);
        let distance = distance(&found.layers[index].weights, &weights);
        // The sums are taken in another order, so that here and there something is rounded to the other side.
        assert!(distance < 5e-4, "layer {index}: {distance}");
        let bias = delta.sum_axis(Axis(0));
        let found = found.layers[index].bias.as_ref().expect("biases");
        assert!((&bias - found).iter().all(|error| error.abs() < 2e-3 * bias.iter().fold(0.0, |m, b| b.abs().max(m))));
        if index > 0 {
            delta = delta.dot(&rounded(&mlp.layers[index].weights).t().to_owned());
            let derivatives = outputs[index].mapv(|a| if index == 1 { 1.0 - a * a } else { a * (1.0 - a) });
            delta *= &derivatives;
        }
    }
}

#[test]
fn weights_stay_in_f32() {
    let mlp = network::<f32>(&SMALL, &ACTIVATIONS, true, 1);
    let (mut workspace, workers) = rounding(&mlp, 20, Kernel::detect(), 2);
    let mut stored = mlp.clone();
    workspace.store(&mut stored);
    assert!(bits(&stored) == bits(&mlp), "what was loaded is stored, to the bit");
    // Steps too small to move a weight in bf16 add up.
    let batch = samples::<f32>(20, SMALL[0], SMALL[3], 1);
    let small = Descent { rate: 1e-5, is_sparse: true };
    for _ in 0..10 {
        workspace.step(&batch, OBJECTIVE, &small, &workers).expect("finite");
    }
    workspace.store(&mut stored);
    let moved = mlp.layers[1].weights.iter().zip(&stored.layers[1].weights).filter(|(a, b)| a != b).count();
    assert!(moved > mlp.layers[1].weights.len() / 2, "{moved} weights moved");
}

/// Numbers that rounding makes 0, and products around the smallest normal number.
#[test]
fn very_small_numbers_have_the_same_bits_on_every_level() {
    for scale in [1e-17_f32, 1e-12, 1e-9] {
        let mut mlp = network::<f32>(&SMALL, &[Activation::Identity; 3], true, 1);
        for layer in &mut mlp.layers {
            layer.weights *= scale;
            layer.bias = None;
        }
        let batch = samples::<f32>(20, SMALL[0], SMALL[3], 1);
        let all: Vec<_> = kernels()
            .map(|kernel| {
                let gradient = gradient(&mlp, &batch, OBJECTIVE, kernel);
                let weights = gradient.layers.iter().flat_map(|layer| layer.weights.iter().map(|w| w.to_bits()));
                weights.collect::<Vec<_>>()
            })
            .collect();
        assert!(all.windows(2).all(|two| two[0] == two[1]), "{scale:e}");
        assert!(all[0].iter().all(|&bits| !f32::from_bits(bits).is_subnormal()), "{scale:e}");
    }
}

#[test]
fn what_is_too_large_is_reported() {
    let mut mlp = network::<f32>(&SMALL, &ACTIVATIONS, true, 1);
    mlp.layers[1].weights[[3, 4]] = 1e19;
    let batch = samples::<f32>(20, SMALL[0], SMALL[3], 1);
    for kernel in kernels() {
        let (mut workspace, workers) = rounding(&mlp, 20, kernel, 2);
        let broken = workspace.step(&batch, OBJECTIVE, &DESCENT, &workers);
        assert_eq!(broken, Err(NonFinite { layer: 1 }), "{kernel}");
    }
}

#[test]
#[should_panic(expected = "products in bf16 are for networks in f32")]
fn networks_in_double_precision_are_refused() {
    let mlp = network::<f64>(&SMALL, &ACTIVATIONS, true, 1);
    let _ = Workspace::with_bf16_products(&mlp, 20, 0, Kernel::Portable, &Workers::new(1));
}

#[test]
#[should_panic(expected = "for batches of 2 or more")]
fn single_samples_are_refused() {
    let mlp = network::<f32>(&SMALL, &ACTIVATIONS, true, 1);
    let _ = Workspace::with_bf16_products(&mlp, 1, 0, Kernel::Portable, &Workers::new(1));
}
