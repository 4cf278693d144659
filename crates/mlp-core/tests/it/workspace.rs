//! The fast path against the version to read.

use mlp_core::ndarray::s;
use mlp_core::{
    Activation, Batch, GradientSink, KeepGradient, Kernel, Loss, Mlp, NonFinite, Objective, OneByOne, Parameter, Real,
    Reduction, Workers, Workspace, backpropagate,
};
use proptest::prelude::*;

use crate::networks::{Descent, Samples, bits, kernels, network, samples};

const OBJECTIVE: Objective = Objective { loss: Loss::Squared, reduction: Reduction::Mean };

fn descent<F: Real>(rate: F) -> Descent<F> {
    Descent { rate, is_sparse: false }
}

/// The largest difference of two tensors, as a fraction of the largest entry of the second.
fn relative_distance<'a, F: Real>(
    found: impl IntoIterator<Item = &'a F>,
    expected: impl IntoIterator<Item = &'a F>,
) -> f64 {
    let (mut worst, mut largest) = (0.0_f64, 0.0_f64);
    for (found, expected) in found.into_iter().zip(expected) {
        worst = worst.max((found.widen() - expected.widen()).abs());
        largest = largest.max(expected.widen().abs());
    }
    if worst == 0.0 { 0.0 } else { worst / largest }
}

/// The distance of the fast path's loss, outputs and gradient from the other version's, tensor by tensor.
fn distance_from_reference<F: Real>(mlp: &Mlp<F>, batch: &Samples<F>, kernel: Kernel, n_threads: usize) -> f64 {
    let workers = Workers::new(n_threads);
    let mut workspace = Workspace::new(mlp, batch.n_samples(), 1, kernel, &workers);
    let loss = workspace.step(batch, OBJECTIVE, &KeepGradient, &workers).expect("finite");
    let (expected_loss, expected) = backpropagate(mlp, batch.inputs.view(), batch.targets.view(), OBJECTIVE);
    let mut worst = (loss / batch.n_samples() as f64 - expected_loss).abs() / expected_loss;
    for (found, expected) in workspace.slot(0).layers.iter().zip(&expected.layers) {
        worst = worst.max(relative_distance(&found.weights, &expected.weights));
        if let (Some(found), Some(expected)) = (&found.bias, &expected.bias) {
            worst = worst.max(relative_distance(found, expected));
        }
    }
    // As one tensor: the outputs of a single row may all have cancelled to nearly nothing, as [1.4e-4, 0] did among others
    // of 1, and rounding is not relative to what is left then.
    let outputs = (0..batch.n_samples()).flat_map(|row| workspace.outputs(row));
    worst.max(relative_distance(outputs, &mlp.forward(batch.inputs.view())))
}

/// Every elementwise activation in turn, beginning with another for each seed.
fn mixed(n_layers: usize, seed: u64) -> Vec<Activation> {
    let activations = [Activation::Sigmoid, Activation::Tanh, Activation::Relu, Activation::Identity];
    (0..n_layers).map(|layer| activations[(layer + seed as usize) % 4]).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn any_shape_agrees_with_the_reference(
        sizes in prop::collection::vec(1_usize..90, 2..6),
        n_samples in 1_usize..80,
        bias: bool,
        n_threads in 1_usize..4,
        seed in 0_u64..1_000,
    ) {
        let activations = mixed(sizes.len() - 1, seed);
        let (n_inputs, n_outputs) = (sizes[0], sizes[sizes.len() - 1]);
        for kernel in kernels() {
            let single = network::<f32>(&sizes, &activations, bias, seed);
            let error = distance_from_reference(&single, &samples(n_samples, n_inputs, n_outputs, seed), kernel, n_threads);
            prop_assert!(error < 2e-4, "{} in f32: {}", kernel, error);
            let double = network::<f64>(&sizes, &activations, bias, seed);
            let error = distance_from_reference(&double, &samples(n_samples, n_inputs, n_outputs, seed), kernel, n_threads);
            prop_assert!(error < 1e-12, "{} in f64: {}", kernel, error);
        }
    }

    /// In double precision alone: in single precision the mean of so many gradients can cancel to few digits.
    #[test]
    fn any_shape_agrees_with_the_reference_in_large_batches(
        sizes in prop::collection::vec(1_usize..90, 2..6),
        n_samples in 100_usize..200,
        bias: bool,
        n_threads in 1_usize..4,
        seed in 0_u64..1_000,
    ) {
        let mlp = network::<f64>(&sizes, &mixed(sizes.len() - 1, seed), bias, seed);
        let batch = samples(n_samples, sizes[0], sizes[sizes.len() - 1], seed);
        for kernel in kernels() {
            let error = distance_from_reference(&mlp, &batch, kernel, n_threads);
            prop_assert!(error < 1e-12, "{}: {}", kernel, error);
        }
    }
}

#[test]
fn a_batch_of_many_inputs_agrees_with_the_reference() {
    // A first layer of one or several panels, whose weights are more than the first-level cache holds.
    for (kernel, n_units) in kernels().flat_map(|kernel| [10, 30, 70].map(|n_units| (kernel, n_units))) {
        let sizes = [300, n_units, 6];
        for n_samples in [37, 130] {
            let single = network::<f32>(&sizes, &[Activation::Sigmoid; 2], true, 1);
            let error = distance_from_reference(&single, &samples(n_samples, 300, 6, 7), kernel, 2);
            assert!(error < 2e-4, "{kernel}, {sizes:?} in f32: {error}");
            let double = network::<f64>(&sizes, &[Activation::Sigmoid; 2], true, 1);
            let error = distance_from_reference(&double, &samples(n_samples, 300, 6, 7), kernel, 2);
            assert!(error < 1e-12, "{kernel}, {sizes:?} in f64: {error}");
        }
    }
}

#[test]
fn a_single_sample_agrees_with_the_reference_whatever_the_width_of_the_panels() {
    // One to four vectors, several panels, and a last one of each width, in both number types.
    let shapes: [&[usize]; 5] = [&[300, 260, 200, 6], &[70, 130, 5], &[90, 33, 70, 65, 9], &[5, 3, 2], &[784, 20, 100]];
    for kernel in kernels() {
        for (seed, sizes) in shapes.iter().enumerate() {
            let activations = vec![Activation::Sigmoid; sizes.len() - 1];
            let (n_inputs, n_outputs) = (sizes[0], sizes[sizes.len() - 1]);
            for n_threads in [1, 3] {
                let single = network::<f32>(sizes, &activations, true, seed as u64);
                let error = distance_from_reference(&single, &samples(1, n_inputs, n_outputs, 7), kernel, n_threads);
                assert!(error < 2e-4, "{kernel}, {sizes:?} in f32: {error}");
                let double = network::<f64>(sizes, &activations, true, seed as u64);
                let error = distance_from_reference(&double, &samples(1, n_inputs, n_outputs, 7), kernel, n_threads);
                assert!(error < 1e-12, "{kernel}, {sizes:?} in f64: {error}");
            }
        }
    }
}

#[test]
fn an_applied_gradient_moves_the_weights_by_the_bits_of_the_kept_one() {
    let sizes = [70, 40, 33, 6];
    let mlp = network::<f32>(&sizes, &[Activation::Sigmoid; 3], true, 3);
    let batch = samples::<f32>(37, 70, 6, 4);
    let workers = Workers::new(2);
    for kernel in kernels() {
        let mut keeping = Workspace::new(&mlp, 37, 1, kernel, &workers);
        keeping.step(&batch, OBJECTIVE, &KeepGradient, &workers).expect("finite");
        let mut expected = mlp.clone();
        for (layer, gradient) in expected.layers.iter_mut().zip(keeping.slot(0).layers) {
            layer.weights.zip_mut_with(&gradient.weights, |weight, &gradient| *weight -= 0.7 * gradient);
            let bias = gradient.bias.expect("a layer with biases");
            layer
                .bias
                .as_mut()
                .expect("a layer with biases")
                .zip_mut_with(&bias, |bias, &gradient| *bias -= 0.7 * gradient);
        }
        let mut applying = Workspace::new(&mlp, 37, 0, kernel, &workers);
        applying.step(&batch, OBJECTIVE, &descent(0.7), &workers).expect("finite");
        let mut found = mlp.clone();
        applying.store(&mut found);
        assert_eq!(found, expected, "{kernel}");
    }
}

#[test]
fn weights_and_slots_survive_the_way_in_and_out() {
    let mlp = network::<f64>(&[9, 40, 3], &[Activation::Tanh; 2], true, 8);
    let workers = Workers::new(1);
    let mut workspace = Workspace::new(&mlp, 4, 2, Kernel::Portable, &workers);
    let mut found = network(&[9, 40, 3], &[Activation::Tanh; 2], true, 9);
    workspace.store(&mut found);
    assert_eq!(found, mlp);
    let batch = samples(4, 9, 3, 1);
    workspace.step(&batch, OBJECTIVE, &KeepGradient, &workers).expect("finite");
    let kept = workspace.slot(0);
    workspace.set_slot(1, &kept);
    assert_eq!(workspace.slot(1), kept);
}

#[test]
fn a_workspace_serves_batches_smaller_than_its_largest() {
    let mlp = network::<f32>(&[300, 70, 4], &[Activation::Sigmoid; 2], true, 3);
    let workers = Workers::new(2);
    for kernel in kernels() {
        let mut large = Workspace::new(&mlp, 100, 1, kernel, &workers);
        large.step(&samples(100, 300, 4, 1), OBJECTIVE, &KeepGradient, &workers).expect("finite");
        for n_samples in [7, 33] {
            let small_batch = samples(n_samples, 300, 4, 2);
            // In between, a batch of which no gradient is asked.
            large.forward(&samples(50, 300, 4, 3), &workers);
            large.step(&small_batch, OBJECTIVE, &KeepGradient, &workers).expect("finite");
            let mut fresh = Workspace::new(&mlp, n_samples, 1, kernel, &workers);
            fresh.step(&small_batch, OBJECTIVE, &KeepGradient, &workers).expect("finite");
            assert_eq!(large.slot(0), fresh.slot(0), "{kernel}, {n_samples} samples");
        }
    }
}

/// Samples in whose inputs a stretch is zero throughout, elsewhere for each seed.
fn patchy_samples<F: Real>(n_samples: usize, n_inputs: usize, seed: u64) -> Samples<F> {
    let mut samples = samples::<F>(n_samples, n_inputs, 3, seed);
    let blank = (n_inputs as f64 * (seed % 3) as f64 / 4.0) as usize;
    samples.inputs.slice_mut(s![.., blank..blank + n_inputs / 2]).fill(F::zero());
    samples
}

/// A workspace that has seen other batches takes the same step as a new one.
fn check_memory<F: Real>(kernel: Kernel, sizes: &[usize], (max_batch, n_threads): (usize, usize), is_sparse: bool) {
    let workers = Workers::new(n_threads);
    let sink = Descent { rate: F::narrow(0.5), is_sparse };
    let (n_inputs, n_layers) = (sizes[0], sizes.len() - 1);
    let mut mlp = network::<F>(sizes, &vec![Activation::Sigmoid; n_layers], true, 3);
    let mut old = Workspace::new(&mlp, max_batch, 0, kernel, &workers);
    for (seed, n_samples) in [max_batch, 1, max_batch / 2 + 1, max_batch, 2].into_iter().enumerate() {
        let batch = patchy_samples(n_samples, n_inputs, seed as u64);
        // For one thread, that is with all rows of a block in one part.
        let mut new = Workspace::new(&mlp, max_batch, 0, kernel, &Workers::new(1));
        new.step(&batch, OBJECTIVE, &sink, &workers).unwrap();
        old.step(&batch, OBJECTIVE, &sink, &workers).unwrap();
        let mut expected = mlp.clone();
        new.store(&mut expected);
        old.store(&mut mlp);
        assert!(bits(&mlp) == bits(&expected), "{kernel}, {sizes:?}, step {seed}");
        // In between, another batch is only answered.
        let other = patchy_samples(max_batch.min(n_samples + 1), n_inputs, seed as u64 + 1);
        old.forward(&other, &workers);
        new.load(&mlp);
        new.forward(&other, &workers);
        for row in 0..other.n_samples() {
            assert_eq!(old.outputs(row), new.outputs(row), "{kernel}, {sizes:?}, step {seed}, row {row}");
        }
    }
}

#[test]
fn a_step_depends_on_no_batch_before_it_whether_inputs_are_odd_in_number_or_layers_narrow() {
    for kernel in kernels() {
        let small =
            [1, 33, 301].into_iter().flat_map(|n_inputs| [10, 30, 70].map(|n_units| vec![n_inputs, n_units, 3]));
        // Tiles of several strips, and several of them on both sides of a product, the last of them narrow.
        let large = [vec![33, 140, 90, 3], vec![33, 70, 66, 17, 3], vec![33, 260, 3]];
        for sizes in small.chain(large) {
            // With one part to a block, and (where there are tiles for all threads) with two, in the last block one.
            for (max_batch, n_threads) in [(70, 2), (130, 2), (32, 2), (45, 4)] {
                for is_sparse in [false, true] {
                    check_memory::<f32>(kernel, &sizes, (max_batch, n_threads), is_sparse);
                }
                check_memory::<f64>(kernel, &sizes, (max_batch, n_threads), true);
            }
        }
    }
}

#[test]
fn divergence_names_the_first_layer_whose_outputs_are_not_finite() {
    let workers = Workers::new(1);
    let mut batch = samples::<f32>(2, 3, 2, 1);
    batch.inputs.fill(1.0);
    for broken in 0..4 {
        let mut mlp = network::<f32>(&[3, 4, 5, 4, 2], &[Activation::Relu; 4], true, 1);
        for layer in &mut mlp.layers {
            layer.weights.mapv_inplace(f32::abs);
        }
        mlp.layers[broken].weights.fill(3e38);
        mlp.layers[broken].bias.as_mut().expect("a layer with biases").fill(3e38);
        let mut workspace = Workspace::new(&mlp, 2, 0, Kernel::detect(), &workers);
        let outcome = workspace.step(&batch, OBJECTIVE, &descent(0.1), &workers);
        assert_eq!(outcome, Err(NonFinite { layer: broken }));
    }
}

#[test]
fn divergence_names_the_first_layer_whose_weights_are_not_finite_where_the_outputs_still_were() {
    let workers = Workers::new(1);
    let mlp = network::<f32>(&[3, 4, 2], &[Activation::Sigmoid; 2], true, 1);
    let mut workspace = Workspace::new(&mlp, 2, 0, Kernel::detect(), &workers);
    let outcome = workspace.step(&samples::<f32>(2, 3, 2, 1), OBJECTIVE, &descent(f32::INFINITY), &workers);
    assert_eq!(outcome, Err(NonFinite { layer: 0 }));
}

#[test]
fn an_input_that_is_not_a_number_is_found() {
    let workers = Workers::new(1);
    let mlp = network::<f32>(&[3, 4, 2], &[Activation::Sigmoid; 2], true, 1);
    let mut batch = samples::<f32>(2, 3, 2, 1);
    batch.inputs[[1, 2]] = f32::NAN;
    let mut workspace = Workspace::new(&mlp, 2, 0, Kernel::detect(), &workers);
    assert_eq!(workspace.step(&batch, OBJECTIVE, &descent(0.1), &workers), Err(NonFinite { layer: 0 }));
}

#[test]
fn after_an_overflow_a_workspace_can_be_loaded_again() {
    let workers = Workers::new(2);
    let mlp = network::<f32>(&[20, 10, 4], &[Activation::Sigmoid; 2], true, 3);
    for n_samples in [1, 5] {
        let batch = samples::<f32>(n_samples, 20, 4, 1);
        let mut workspace = Workspace::new(&mlp, n_samples, 1, Kernel::detect(), &workers);
        assert!(workspace.step(&batch, OBJECTIVE, &descent(f32::INFINITY), &workers).is_err());
        workspace.load(&mlp);
        let mut fresh = Workspace::new(&mlp, n_samples, 1, Kernel::detect(), &workers);
        for workspace in [&mut workspace, &mut fresh] {
            workspace.step(&batch, OBJECTIVE, &KeepGradient, &workers).expect("finite");
        }
        assert_eq!(workspace.slot(0), fresh.slot(0));
    }
}

#[test]
fn what_broke_in_a_row_that_a_later_batch_does_not_have_is_forgotten() {
    let workers = Workers::new(2);
    let mlp = network::<f32>(&[20, 10, 4], &[Activation::Sigmoid; 2], true, 3);
    let mut broken = samples::<f32>(100, 20, 4, 1);
    broken.inputs[[90, 3]] = f32::NAN;
    for kernel in kernels() {
        let mut workspace = Workspace::new(&mlp, 100, 1, kernel, &workers);
        assert!(workspace.step(&broken, OBJECTIVE, &KeepGradient, &workers).is_err());
        workspace.load(&mlp);
        workspace.step(&samples(7, 20, 4, 1), OBJECTIVE, &KeepGradient, &workers).expect("finite");
    }
}

#[test]
fn an_overflow_in_a_sinks_state_is_reported() {
    struct Overflowing;
    impl GradientSink<f32> for Overflowing {
        const N_SLOTS: usize = 2;
        #[inline(always)]
        fn weight(&self, weight: Parameter<f32>, _gradient: f32) -> Parameter<f32> {
            Parameter { state: [0.0, f32::INFINITY], ..weight }
        }
        #[inline(always)]
        fn bias(&self, bias: Parameter<f32>, _gradient: f32) -> Parameter<f32> {
            bias
        }
    }
    let workers = Workers::new(1);
    let mlp = network::<f32>(&[20, 10, 4], &[Activation::Sigmoid; 2], true, 3);
    for n_samples in [1, 5] {
        let mut workspace = Workspace::new(&mlp, n_samples, 2, Kernel::detect(), &workers);
        let found = workspace.step(&samples(n_samples, 20, 4, 1), OBJECTIVE, &Overflowing, &workers);
        assert_eq!(found, Err(NonFinite { layer: 0 }));
    }
}

/// Parameters after some steps on the same batch.
fn descended(mlp: &Mlp<f32>, batch: &Samples<f32>, kernel: Kernel, is_sparse: bool) -> Vec<u64> {
    let workers = Workers::new(2);
    let mut workspace = Workspace::new(mlp, batch.n_samples(), 0, kernel, &workers);
    for _ in 0..5 {
        workspace.step(batch, OBJECTIVE, &Descent { rate: 0.7, is_sparse }, &workers).expect("finite");
    }
    let mut mlp = mlp.clone();
    workspace.store(&mut mlp);
    bits(&mlp)
}

#[test]
fn leaving_out_gradients_of_zero_changes_no_bit() {
    for (kernel, n_units) in kernels().flat_map(|kernel| [10, 30, 70].map(|n_units| (kernel, n_units))) {
        let mlp = network::<f32>(&[300, n_units, 6], &[Activation::Sigmoid; 2], true, 3);
        for n_samples in [1, 3, 37, 70] {
            let mut batch = samples::<f32>(n_samples, 300, 6, 4);
            // Inputs that are never used, only in the last row, and always.
            batch.inputs.slice_mut(s![.., 10..75]).fill(0.0);
            batch.inputs.slice_mut(s![..n_samples - 1, 100..180]).fill(0.0);
            batch.inputs.slice_mut(s![.., 200..260]).mapv_inplace(|input| input + 2.0);
            let moved = descended(&mlp, &batch, kernel, true);
            assert!(moved == descended(&mlp, &batch, kernel, false), "{kernel}, {n_units} units, {n_samples} samples");
            assert!(moved != bits(&mlp));
        }
    }
}

/// A network with 100 outputs, each of which answers next to nothing but the last, and a batch that asks all for 1. So the
/// deltas of the others are about −`delta`. Hidden units answer 0.02 to 0.06: what is handed over for weights is smaller still.
fn nearly_silent(delta: f32, n_samples: usize) -> (Mlp<f32>, Samples<f32>) {
    let mut mlp = network::<f32>(&[20, 3, 100], &[Activation::Sigmoid; 2], true, 3);
    mlp.layers[0].weights *= 0.1;
    mlp.layers[0].bias.as_mut().expect("a layer with biases").fill(-3.5);
    // Of the mean of squares over 100 outputs and the samples.
    let answer = delta * 50.0 * n_samples as f32;
    let bias = mlp.layers[1].bias.as_mut().expect("a layer with biases");
    bias.slice_mut(s![..99]).fill(answer.ln());
    mlp.layers[1].weights.slice_mut(s![.., ..99]).fill(1e-3);
    let mut batch = samples::<f32>(n_samples, 20, 100, 4);
    batch.targets.fill(1.0);
    (mlp, batch)
}

#[test]
fn a_sink_never_meets_a_gradient_that_is_negligible_and_not_zero() {
    struct Examining {
        is_sparse: bool,
    }
    impl GradientSink<f32> for Examining {
        const N_SLOTS: usize = 0;
        fn ignores_zero_gradients(&self) -> bool {
            self.is_sparse
        }
        #[inline(always)]
        fn weight(&self, weight: Parameter<f32>, gradient: f32) -> Parameter<f32> {
            assert!(gradient == 0.0 || gradient.abs() >= f32::NEGLIGIBLE, "a gradient of {gradient:e}");
            weight
        }
        #[inline(always)]
        fn bias(&self, bias: Parameter<f32>, gradient: f32) -> Parameter<f32> {
            self.weight(bias, gradient)
        }
    }
    let workers = Workers::new(1);
    for (kernel, n_samples) in kernels().flat_map(|kernel| [1, 5].map(|n_samples| (kernel, n_samples))) {
        for is_sparse in [false, true] {
            let (mlp, batch) = nearly_silent(2e-19, n_samples);
            let mut workspace = Workspace::new(&mlp, n_samples, 1, kernel, &workers);
            workspace.step(&batch, OBJECTIVE, &KeepGradient, &workers).expect("finite");
            let bias_gradient = workspace.slot(0).layers[1].bias.as_ref().map(|bias| bias[0].abs());
            assert!(
                bias_gradient.is_some_and(|gradient| (1e-19..2e-18).contains(&gradient)),
                "the deltas are not negligible"
            );
            workspace.step(&batch, OBJECTIVE, &Examining { is_sparse }, &workers).expect("finite");
        }
    }
}

#[test]
fn a_negligible_gradient_beside_a_large_one_does_not_take_it_along() {
    for (kernel, n_samples) in kernels().flat_map(|kernel| [1, 5].map(|n_samples| (kernel, n_samples))) {
        let (mlp, batch) = nearly_silent(2e-19, n_samples);
        let moved = descended(&mlp, &batch, kernel, true);
        assert!(moved == descended(&mlp, &batch, kernel, false), "{kernel}, {n_samples} samples");
        assert!(moved != bits(&mlp));
    }
}

#[test]
fn deltas_too_small_to_matter_are_not_passed_back() {
    let workers = Workers::new(1);
    for (kernel, n_samples) in kernels().flat_map(|kernel| [1, 5].map(|n_samples| (kernel, n_samples))) {
        let (mut mlp, batch) = nearly_silent(1e-22, n_samples);
        // All hidden units answer 1/2, of which nothing arrives; but what is passed back to them would be multiplied.
        mlp.layers[0].weights.fill(0.0);
        mlp.layers[0].bias.as_mut().expect("a layer with biases").fill(0.0);
        mlp.layers[1].weights.fill(0.0);
        mlp.layers[1].weights.slice_mut(s![0, ..99]).fill(1e5);
        mlp.layers[1].weights.slice_mut(s![1, ..99]).fill(-1e5);
        let mut workspace = Workspace::new(&mlp, n_samples, 1, kernel, &workers);
        workspace.step(&batch, OBJECTIVE, &KeepGradient, &workers).expect("finite");
        let gradient = workspace.slot(0);
        assert!(gradient.layers[0].weights.iter().all(|&gradient| gradient == 0.0), "{kernel}, {n_samples} samples");
    }
}

#[test]
fn activations_too_small_to_matter_are_not_passed_on() {
    let workers = Workers::new(1);
    for (kernel, answer) in kernels().flat_map(|kernel| [1e-20_f32, 1e-18].map(|answer| (kernel, answer))) {
        // Hidden units that answer so to every input, and outputs that make much of it.
        let mut mlp = network::<f32>(&[20, 3, 2], &[Activation::Sigmoid; 2], true, 3);
        mlp.layers[0].weights.fill(0.0);
        mlp.layers[0].bias.as_mut().expect("a layer with biases").fill(answer.ln());
        mlp.layers[1].weights.fill(1e25);
        mlp.layers[1].bias.as_mut().expect("a layer with biases").fill(0.0);
        let batch = samples::<f32>(5, 20, 2, 4);
        let is_passed_on = answer >= f32::NEGLIGIBLE;
        let mut workspace = Workspace::new(&mlp, 5, 0, kernel, &workers);
        workspace.forward(&batch, &workers);
        assert_eq!(workspace.net_inputs(4)[1] > 100.0, is_passed_on, "{kernel}, {answer:e}");
        let mut one_by_one = OneByOne::new(&mlp, kernel);
        let step = mlp_core::Descent { learning_rate: 0.0, decay: 0.0 };
        one_by_one.descend(&batch, OBJECTIVE, &[step; 5], &workers).expect("finite");
        assert_eq!(one_by_one.workspace().net_inputs(4)[1] > 100.0, is_passed_on, "{kernel}, {answer:e}");
    }
}

#[test]
#[should_panic(expected = "row 7 of a batch of 7")]
fn a_row_behind_the_last_batch_panics() {
    let workers = Workers::new(1);
    let mlp = network::<f32>(&[20, 10, 4], &[Activation::Sigmoid; 2], true, 3);
    let mut workspace = Workspace::new(&mlp, 10, 0, Kernel::Portable, &workers);
    workspace.forward(&samples(10, 20, 4, 1), &workers);
    workspace.forward(&samples(7, 20, 4, 1), &workers);
    workspace.outputs(7);
}

#[test]
#[should_panic(expected = "activations of the workspace's network")]
fn a_network_with_other_activations_is_not_loaded() {
    let workers = Workers::new(1);
    let sigmoid = network::<f32>(&[3, 2], &[Activation::Sigmoid], true, 3);
    let mut workspace = Workspace::new(&sigmoid, 1, 0, Kernel::Portable, &workers);
    workspace.load(&network(&[3, 2], &[Activation::Tanh], true, 3));
}

#[test]
fn weights_that_only_decay_end_at_zero_and_are_never_subnormal() {
    struct Decay;
    impl GradientSink<f32> for Decay {
        const N_SLOTS: usize = 0;
        #[inline(always)]
        fn weight(&self, weight: Parameter<f32>, _gradient: f32) -> Parameter<f32> {
            Parameter { value: weight.value * 0.97, ..weight }
        }
        #[inline(always)]
        fn bias(&self, bias: Parameter<f32>, gradient: f32) -> Parameter<f32> {
            self.weight(bias, gradient)
        }
    }
    let workers = Workers::new(1);
    let mut mlp = network::<f32>(&[5, 4, 2], &[Activation::Sigmoid; 2], true, 1);
    let batch = samples::<f32>(2, 5, 2, 1);
    let mut workspace = Workspace::new(&mlp, 2, 0, Kernel::detect(), &workers);
    for _ in 0..10_000 {
        workspace.step(&batch, OBJECTIVE, &Decay, &workers).expect("finite");
        workspace.store(&mut mlp);
        assert!(mlp.layers.iter().flat_map(|layer| &layer.weights).all(|weight| !weight.is_subnormal()));
    }
    assert!(mlp.layers.iter().flat_map(|layer| &layer.weights).all(|&weight| weight == 0.0));
}

#[test]
#[should_panic(expected = "cross-entropy loss behind a tanh output")]
fn a_loss_that_does_not_fit_the_output_panics() {
    let workers = Workers::new(1);
    let mlp = network::<f32>(&[3, 2], &[Activation::Tanh], true, 1);
    let objective = Objective { loss: Loss::CrossEntropy, reduction: Reduction::Mean };
    let mut workspace = Workspace::new(&mlp, 2, 0, Kernel::Portable, &workers);
    let _ = workspace.step(&samples(2, 3, 2, 1), objective, &descent(0.1), &workers);
}
