//! The fast path against the version to read.

use mlp_core::{
    Activation, Batch, GradientSink, KeepGradient, Kernel, Loss, Mlp, NonFinite, Objective, Parameter, Real, Reduction,
    Workers, Workspace, backpropagate,
};
use proptest::prelude::*;

use crate::nets::{Descent, Samples, network, samples};

fn kernels() -> impl Iterator<Item = Kernel> {
    Kernel::ALL.into_iter().filter(|kernel| kernel.is_supported())
}

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
    for (row, expected) in mlp.forward(batch.inputs.view()).rows().into_iter().enumerate() {
        worst = worst.max(relative_distance(workspace.outputs(row), expected));
    }
    worst
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
        let hidden = [Activation::Sigmoid, Activation::Tanh, Activation::Relu, Activation::Identity];
        let activations: Vec<_> = (0..sizes.len() - 1).map(|layer| hidden[(layer + seed as usize) % 4]).collect();
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
    let mlp = network::<f32>(&[20, 10, 4], &[Activation::Sigmoid; 2], true, 3);
    let workers = Workers::new(2);
    let mut large = Workspace::new(&mlp, 100, 1, Kernel::detect(), &workers);
    large.step(&samples(100, 20, 4, 1), OBJECTIVE, &KeepGradient, &workers).expect("finite");
    let small_batch = samples(7, 20, 4, 2);
    large.step(&small_batch, OBJECTIVE, &KeepGradient, &workers).expect("finite");
    let mut fresh = Workspace::new(&mlp, 7, 1, Kernel::detect(), &workers);
    fresh.step(&small_batch, OBJECTIVE, &KeepGradient, &workers).expect("finite");
    assert_eq!(large.slot(0), fresh.slot(0));
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

#[test]
fn leaving_out_gradients_of_zero_changes_no_bit() {
    let workers = Workers::new(2);
    let mlp = network::<f32>(&[100, 40, 6], &[Activation::Sigmoid; 2], true, 3);
    for n_samples in [1, 3] {
        let mut batch = samples::<f32>(n_samples, 100, 6, 4);
        batch.inputs.slice_mut(mlp_core::ndarray::s![.., 10..75]).fill(0.0);
        let mut moved = [mlp.clone(), mlp.clone()];
        let mut full = Workspace::new(&mlp, n_samples, 0, Kernel::detect(), &workers);
        let mut sparse = Workspace::new(&mlp, n_samples, 0, Kernel::detect(), &workers);
        for _ in 0..5 {
            full.step(&batch, OBJECTIVE, &descent(0.7), &workers).expect("finite");
            sparse.step(&batch, OBJECTIVE, &Descent { rate: 0.7, is_sparse: true }, &workers).expect("finite");
        }
        full.store(&mut moved[0]);
        sparse.store(&mut moved[1]);
        assert!(moved[0] == moved[1] && moved[0] != mlp);
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
