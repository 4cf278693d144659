//! Steps on single samples whose weights are written late, against steps that are taken one at a time.

use mlp_core::ndarray::{ArrayView1, Axis, s};
use mlp_core::{
    Activation, Descent, Initializer, Kernel, Loss, Mlp, NonFinite, Objective, OneByOne, Real, Reduction, Workers,
    backpropagate,
};
use proptest::prelude::*;

use crate::networks::{Samples, generator, network, objectives, one_hot, samples};

const OBJECTIVE: Objective = Objective { loss: Loss::Squared, reduction: Reduction::Mean };

fn kernels() -> impl Iterator<Item = Kernel> {
    Kernel::ALL.into_iter().filter(|kernel| kernel.is_supported())
}

/// Rates that differ from sample to sample.
fn steps<F: Real>(n_samples: usize, rate: f64, decay: f64) -> Vec<Descent<F>> {
    let step = |row: usize| Descent {
        learning_rate: F::narrow(rate * (1.0 + row as f64 / 10.0)),
        decay: F::narrow(decay * (1.0 + row as f64 / 40.0)),
    };
    (0..n_samples).map(step).collect()
}

fn part<F: Real>(of: &Samples<F>, rows: std::ops::Range<usize>) -> Samples<F> {
    Samples {
        inputs: of.inputs.slice(s![rows.clone(), ..]).to_owned(),
        targets: of.targets.slice(s![rows, ..]).to_owned(),
    }
}

/// The network after a step on each sample, and the sum of the losses; in runs of at most `length` samples.
fn descended<F: Real>(
    mlp: &Mlp<F>,
    samples: &Samples<F>,
    objective: Objective,
    steps: &[Descent<F>],
    length: usize,
    kernel: Kernel,
    n_threads: usize,
) -> (Mlp<F>, f64) {
    let workers = Workers::new(n_threads);
    let mut one_by_one = OneByOne::new(mlp, kernel);
    let mut loss = 0.0;
    for first in (0..steps.len()).step_by(length) {
        let rows = first..steps.len().min(first + length);
        let run = one_by_one.descend(&part(samples, rows.clone()), objective, &steps[rows], &workers);
        loss += run.expect("finite");
    }
    let mut found = mlp.clone();
    one_by_one.workspace().store(&mut found);
    (found, loss)
}

/// The same by the version to read.
fn reference<F: Real>(mlp: &Mlp<F>, samples: &Samples<F>, objective: Objective, steps: &[Descent<F>]) -> (Mlp<F>, f64) {
    let (mut mlp, mut loss) = (mlp.clone(), 0.0);
    fn row<F>(vector: ArrayView1<'_, F>) -> mlp_core::ndarray::ArrayView2<'_, F> {
        vector.insert_axis(Axis(0))
    }
    for ((input, target), step) in samples.inputs.rows().into_iter().zip(samples.targets.rows()).zip(steps) {
        let (sample_loss, gradients) = backpropagate(&mlp, row(input), row(target), objective);
        loss += sample_loss;
        for (layer, gradient) in mlp.layers.iter_mut().zip(&gradients.layers) {
            layer.weights.mapv_inplace(|weight| weight * (F::one() - step.decay));
            layer.weights.scaled_add(-step.learning_rate, &gradient.weights);
            if let (Some(bias), Some(gradient)) = (&mut layer.bias, &gradient.bias) {
                bias.scaled_add(-step.learning_rate, gradient);
            }
        }
    }
    (mlp, loss)
}

/// The largest difference of two networks' parameters, as a fraction of the largest of its tensor.
fn distance<F: Real>(found: &Mlp<F>, expected: &Mlp<F>) -> f64 {
    let mut worst = 0.0_f64;
    for (found, expected) in found.layers.iter().zip(&expected.layers) {
        let no_bias = || mlp_core::ndarray::Array1::zeros(0);
        let biases = [found, expected].map(|layer| layer.bias.clone().unwrap_or_else(no_bias));
        let weights = [found, expected].map(|layer| layer.weights.flatten().to_owned());
        for [found, expected] in [biases, weights] {
            let largest = expected.iter().fold(1e-3, |largest: f64, value| largest.max(value.widen().abs()));
            let differences =
                found.iter().zip(&expected).map(|(found, expected)| (found.widen() - expected.widen()).abs());
            worst = worst.max(differences.fold(0.0, f64::max) / largest);
        }
    }
    worst
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn a_run_of_samples_ends_where_single_steps_end(
        sizes in prop::collection::vec(1_usize..90, 2..6),
        n_samples in 1_usize..40,
        length in 1_usize..=OneByOne::<f64>::MAX_SAMPLES,
        bias: bool,
        decay in prop::sample::select(vec![0.0, 1e-3, 0.2]),
        n_threads in 1_usize..4,
        seed in 0_u64..1_000,
    ) {
        let hidden = [Activation::Sigmoid, Activation::Tanh, Activation::Relu, Activation::Identity];
        let activations: Vec<_> = (0..sizes.len() - 1).map(|layer| hidden[(layer + seed as usize) % 4]).collect();
        let (n_inputs, n_outputs) = (sizes[0], sizes[sizes.len() - 1]);
        for kernel in kernels() {
            let mlp = network::<f64>(&sizes, &activations, bias, seed);
            let set = samples(n_samples, n_inputs, n_outputs, seed);
            let steps = steps(n_samples, 0.02, decay);
            let (expected, expected_loss) = reference(&mlp, &set, OBJECTIVE, &steps);
            let (found, loss) = descended(&mlp, &set, OBJECTIVE, &steps, length, kernel, n_threads);
            let error = distance(&found, &expected).max((loss - expected_loss).abs() / expected_loss);
            prop_assert!(error < 1e-11, "{} in f64: {}", kernel, error);

            let mlp = network::<f32>(&sizes, &activations, bias, seed);
            let set = samples(n_samples, n_inputs, n_outputs, seed);
            let steps = self::steps(n_samples, 0.02, decay);
            let (expected, _) = reference(&mlp, &set, OBJECTIVE, &steps);
            let (found, _) = descended(&mlp, &set, OBJECTIVE, &steps, length, kernel, n_threads);
            let error = distance(&found, &expected);
            prop_assert!(error < 1e-3, "{} in f32: {}", kernel, error);
        }
    }
}

#[test]
fn every_loss_and_output_agrees_with_single_steps() {
    let outputs = [Activation::Sigmoid, Activation::Tanh, Activation::Relu, Activation::Identity, Activation::Softmax];
    for output in outputs {
        for objective in objectives(output) {
            let mlp = network::<f64>(&[30, 70, 20, 5], &[Activation::Tanh, Activation::Sigmoid, output], true, 5);
            let mut set = samples(16, 30, 5, 6);
            one_hot(&mut set, 7);
            let steps = steps(16, 0.01, 1e-4);
            let (expected, expected_loss) = reference(&mlp, &set, objective, &steps);
            for kernel in kernels() {
                let (found, loss) = descended(&mlp, &set, objective, &steps, 16, kernel, 2);
                let error = distance(&found, &expected).max((loss - expected_loss).abs() / expected_loss);
                assert!(error < 1e-11, "{kernel}, {output}, {objective:?}: {error}");
            }
        }
    }
}

/// Large enough for every layer but the last to be shared out.
const LARGE: [usize; 4] = [300, 260, 200, 6];

#[test]
fn the_bits_are_the_same_for_any_number_of_threads_and_on_both_fused_levels() {
    fn check<F: Real>(decay: f64) {
        let mlp = network::<F>(&LARGE, &[Activation::Sigmoid; 3], true, 1);
        let set = samples(40, 300, 6, 2);
        let steps = steps(40, 0.1, decay);
        let run = |kernel, n_threads| descended(&mlp, &set, OBJECTIVE, &steps, 16, kernel, n_threads);
        for kernel in kernels() {
            let expected = run(kernel, 1);
            for n_threads in [2, 3, 8] {
                assert!(run(kernel, n_threads) == expected, "{kernel}, {n_threads} threads");
            }
        }
        if Kernel::Avx512.is_supported() {
            assert!(run(Kernel::Avx512, 2) == run(Kernel::Avx2, 2));
        }
    }
    check::<f32>(0.0);
    check::<f32>(1e-3);
    check::<f64>(0.0);
    check::<f64>(1e-3);
}

#[test]
fn a_step_that_breaks_is_named() {
    let workers = Workers::new(2);
    for kernel in kernels() {
        let mlp = network::<f32>(&[20, 30, 4], &[Activation::Identity; 2], true, 1);
        let set = samples(10, 20, 4, 2);
        let mut steps = steps(10, 1e-3, 0.0);
        steps[6].learning_rate = f32::MAX;
        let mut one_by_one = OneByOne::new(&mlp, kernel);
        let run = |one_by_one: &mut OneByOne<f32>, steps: &[Descent<f32>]| {
            one_by_one.descend(&set, OBJECTIVE, steps, &workers)
        };
        let (row, NonFinite { .. }) = run(&mut one_by_one, &steps).expect_err("an overflow");
        assert!(row == 6 || row == 7, "{kernel}: {row}");
        // As good as new with other weights.
        one_by_one.load(&mlp);
        let steps = self::steps(10, 1e-3, 0.0);
        let again = run(&mut one_by_one, &steps).expect("finite");
        assert_eq!(run(&mut OneByOne::new(&mlp, kernel), &steps), Ok(again), "{kernel}");
    }
}

#[test]
fn an_overflow_is_reported_in_the_layer_whose_outputs_overflowed() {
    let mut mlp =
        Mlp::<f32>::new(&[3, 4, 4, 2], &[Activation::Identity; 3], true, Initializer::LECUN_NORMAL, &mut generator(0));
    mlp.layers[0].weights.fill(1e15);
    mlp.layers[1].weights.fill(1e30);
    let mut set = samples::<f32>(5, 3, 2, 0);
    set.inputs.fill(1.0);
    let steps = [Descent { learning_rate: 0.1, decay: 0.0 }; 5];
    for kernel in kernels() {
        let found = OneByOne::new(&mlp, kernel).descend(&set, OBJECTIVE, &steps, &Workers::new(1));
        assert_eq!(found, Err((0, NonFinite { layer: 1 })), "{kernel}");
    }
}

#[test]
fn decay_alone_shrinks_the_weights_and_leaves_biases() {
    // The targets are what the network answers, so that nothing else moves.
    let mlp = network::<f64>(&[5, 3], &[Activation::Identity], true, 3);
    let inputs = mlp_core::ndarray::Array2::zeros((4, 5));
    let set = Samples { targets: mlp.forward(inputs.view()), inputs };
    let steps = [Descent { learning_rate: 0.1, decay: 0.5 }; 4];
    let (found, loss) = descended(&mlp, &set, OBJECTIVE, &steps, 4, Kernel::detect(), 1);
    assert_eq!(loss, 0.0);
    assert_eq!(found.layers[0].weights, mlp.layers[0].weights.mapv(|weight| weight / 16.0));
    assert_eq!(found.layers[0].bias, mlp.layers[0].bias);
}

#[test]
#[should_panic(expected = "a decay of 0.6, not from 0 to 1/2")]
fn weights_that_would_vanish_are_refused() {
    let mlp = Mlp::new(&[2, 1], &[Activation::Identity], true, Initializer::LECUN_NORMAL, &mut generator(0));
    let step = Descent { learning_rate: 1.0, decay: 0.6 };
    let _ = OneByOne::new(&mlp, Kernel::Portable).descend(
        &samples::<f64>(1, 2, 1, 0),
        OBJECTIVE,
        &[step],
        &Workers::new(1),
    );
}
