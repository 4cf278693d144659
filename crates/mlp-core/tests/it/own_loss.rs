//! A loss of one's own: on the readable path, on the fast path, and the two beside each other.

use mlp_core::ndarray::{Array2, ArrayView2};
use mlp_core::{
    Activation, ArrayBatch, Gradients, KeepGradient, Loss, Mlp, Objective, Real, Reduction, SampleLoss, Workers,
    Workspace, backpropagate, backpropagate_with, compare_gradients, finite_differences_with,
};

use crate::networks::{Samples, bits, kernels, network, objectives, one_hot, samples};

/// Squared for errors up to the threshold, linear beyond it; summed over the outputs.
struct Huber(f64);

impl<F: Real> SampleLoss<F> for Huber {
    fn value_and_gradient(&self, outputs: &[F], targets: &[F], gradient: &mut [F]) -> f64 {
        let threshold = F::narrow(self.0);
        let mut value = 0.0;
        for ((gradient, &a), &y) in gradient.iter_mut().zip(outputs).zip(targets) {
            let error = a - y;
            let size = error.abs().widen();
            value += if size <= self.0 { 0.5 * size * size } else { self.0 * (size - 0.5 * self.0) };
            *gradient = error.max(-threshold).min(threshold);
        }
        value
    }
}

/// A loss of this crate as one that knows the outputs only.
struct Known(Objective);

impl<F: Real> SampleLoss<F> for Known {
    fn value_and_gradient(&self, outputs: &[F], targets: &[F], gradient: &mut [F]) -> f64 {
        let objective = self.0;
        let n = outputs.len() as f64;
        let factor = if objective.reduction == Reduction::Mean { 1.0 / n } else { 1.0 };
        match objective.loss {
            // By the outputs these are a − y over the variance, and −y over a; back-propagation multiplies them away again.
            Loss::CrossEntropy => {
                for ((g, a), y) in gradient.iter_mut().zip(outputs).zip(targets) {
                    let (a, y) = (a.widen(), y.widen());
                    *g = F::narrow(factor * (a - y) / (a * (1.0 - a)));
                }
            }
            Loss::SoftmaxCrossEntropy => {
                for ((g, a), y) in gradient.iter_mut().zip(outputs).zip(targets) {
                    *g = F::narrow(-factor * y.widen() / a.widen());
                }
            }
            // With the derivative of the identity, which is 1.
            _ => objective.output_delta(Activation::Identity, outputs, targets, 1.0, gradient),
        }
        let net_inputs: Vec<F> = match objective.loss {
            Loss::CrossEntropy => outputs.iter().map(|a| F::narrow(libm::log(a.widen() / (1.0 - a.widen())))).collect(),
            Loss::SoftmaxCrossEntropy => outputs.iter().map(|a| F::narrow(libm::log(a.widen()))).collect(),
            _ => outputs.to_vec(),
        };
        objective.value(&net_inputs, outputs, targets)
    }
}

fn of_batch<F: Real>(mlp: &Mlp<F>, batch: &Samples<F>, loss: &impl SampleLoss<F>) -> (f64, Gradients<F>) {
    backpropagate_with(mlp, batch.inputs.view(), |outputs| loss.of_batch(outputs, batch.targets.view()))
}

/// The largest difference of two gradients, against the largest entry.
fn distance<F: Real>(a: &Gradients<F>, b: &Gradients<F>) -> f64 {
    let numbers = |gradients: &Gradients<F>| -> Vec<f64> {
        let layers = gradients.layers.iter();
        layers.flat_map(|layer| layer.weights.iter().chain(layer.bias.iter().flatten())).map(|g| g.widen()).collect()
    };
    let (a, b) = (numbers(a), numbers(b));
    let largest = a.iter().fold(0.0, |largest: f64, g| largest.max(g.abs()));
    a.iter().zip(&b).fold(0.0, |worst: f64, (a, b)| worst.max((a - b).abs())) / largest
}

#[test]
fn the_gradient_of_hubers_loss_is_that_of_finite_differences_behind_every_output() {
    for output in Activation::ALL {
        let mlp = network::<f64>(&[5, 4, 6, 3], &[Activation::Tanh, Activation::Sigmoid, output], true, 3);
        let batch = samples::<f64>(4, 5, 3, 4);
        let (value, analytic) = of_batch(&mlp, &batch, &Huber(0.3));
        let mean = |mlp: &Mlp<f64>| {
            let outputs = mlp.forward(batch.inputs.view());
            Huber(0.3).of_batch(outputs.view(), batch.targets.view()).0
        };
        assert_eq!(value, mean(&mlp));
        for check in compare_gradients(&analytic, &finite_differences_with(&mlp, 1e-4, mean)) {
            assert!(check.relative_error <= 1e-7, "{output}: {check:?}");
        }
    }
}

#[test]
fn a_known_loss_handed_in_from_outside_has_the_known_gradient() {
    for output in Activation::ALL {
        for objective in objectives(output) {
            let mlp = network::<f64>(&[5, 4, 3], &[Activation::Tanh, output], true, 5);
            let mut batch = samples::<f64>(4, 5, 3, 6);
            if output == Activation::Softmax {
                one_hot(&mut batch, 7);
            }
            let (expected_loss, expected) = backpropagate(&mlp, batch.inputs.view(), batch.targets.view(), objective);
            let (loss, found) = of_batch(&mlp, &batch, &Known(objective));
            assert!((loss - expected_loss).abs() <= 1e-14 * expected_loss, "{output} {objective:?}: {loss}");
            assert!(distance(&expected, &found) <= 1e-14, "{output} {objective:?}");
        }
    }
}

#[test]
fn both_paths_agree_on_a_loss_of_ones_own() {
    for (kernel, n_samples) in kernels().flat_map(|kernel| [1, 5, 140].map(|n_samples| (kernel, n_samples))) {
        for output in Activation::ALL {
            let mlp = network::<f64>(&[30, 20, 3], &[Activation::Tanh, output], true, 3);
            let batch = samples::<f64>(n_samples, 30, 3, 4);
            let workers = Workers::new(2);
            let mut workspace = Workspace::new(&mlp, n_samples, 1, kernel, &workers);
            let loss = workspace.step_with(&batch, &Huber(0.3), &KeepGradient, &workers).expect("finite");
            let (mean, expected) = of_batch(&mlp, &batch, &Huber(0.3));
            assert!((loss / n_samples as f64 - mean).abs() <= 1e-13 * mean, "{kernel}, {n_samples}, {output}");
            assert!(distance(&expected, &workspace.slot(0)) <= 1e-12, "{kernel}, {n_samples}, {output}");
        }
    }
}

#[test]
fn a_known_loss_takes_the_same_steps_to_the_bit_from_inside_and_from_outside() {
    // The squared error and its derivative are the same arithmetic both ways; 1/8 is exact.
    let objective = Objective { loss: Loss::HalfSquared, reduction: Reduction::Sum };
    let descent = crate::networks::Descent { rate: 0.5_f32, is_sparse: true };
    for kernel in kernels() {
        let mlp = network::<f32>(&[30, 20, 3], &[Activation::Sigmoid; 2], true, 3);
        let batch = samples::<f32>(8, 30, 3, 4);
        let workers = Workers::new(1);
        let mut inside = Workspace::new(&mlp, 8, 0, kernel, &workers);
        let mut outside = Workspace::new(&mlp, 8, 0, kernel, &workers);
        for _ in 0..5 {
            let expected = inside.step(&batch, objective, &descent, &workers);
            assert_eq!(outside.step_with(&batch, &Known(objective), &descent, &workers), expected);
        }
        let [mut from_inside, mut from_outside] = [mlp.clone(), mlp];
        inside.store(&mut from_inside);
        outside.store(&mut from_outside);
        assert!(bits(&from_inside) == bits(&from_outside), "{kernel}");
    }
}

#[test]
fn derivatives_may_have_any_layout() {
    let mlp = network::<f64>(&[3, 2], &[Activation::Sigmoid], true, 1);
    let inputs = samples::<f64>(4, 3, 2, 2).inputs;
    let ones = |outputs: ArrayView2<'_, f64>| (outputs.sum(), Array2::ones(outputs.dim()));
    let columns = |outputs: ArrayView2<'_, f64>| {
        (outputs.sum(), Array2::ones((outputs.ncols(), outputs.nrows())).reversed_axes())
    };
    assert_eq!(backpropagate_with(&mlp, inputs.view(), ones), backpropagate_with(&mlp, inputs.view(), columns));
}

#[test]
#[should_panic(expected = "derivatives of shape [4, 3] by outputs of shape [4, 2]")]
fn derivatives_of_the_wrong_shape_panic() {
    let mlp = network::<f64>(&[3, 2], &[Activation::Sigmoid], true, 1);
    backpropagate_with(&mlp, Array2::zeros((4, 3)).view(), |_| (0.0, Array2::zeros((4, 3))));
}

#[test]
#[should_panic(expected = "targets of shape [2, 1] for inputs of shape [3, 4]")]
fn a_batch_of_matrices_with_different_numbers_of_samples_panics() {
    ArrayBatch::<f64>::new(Array2::zeros((3, 4)).view(), Array2::zeros((2, 1)).view());
}
