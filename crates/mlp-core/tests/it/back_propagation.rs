//! Back-propagation against finite differences, and the finite differences against broken back-propagation.

use mlp_core::ndarray::{Array2, Axis};
use mlp_core::{
    Activation, Gradients, KeepGradient, Kernel, Loss, Mlp, Objective, Reduction, TensorCheck, Workers, Workspace,
    backpropagate, compare_gradients, explain_gradient_check, finite_differences,
};

use crate::networks::{Samples, network, objectives, one_hot, samples};

const STEP: f64 = 1e-3;
const BOUND: f64 = 1e-7;

/// Whether a step of the differences could cross a kink: a ReLU near 0, or an absolute error near 0.
fn is_near_a_kink(mlp: &Mlp<f64>, samples: &Samples<f64>, objective: Objective) -> bool {
    let activations = mlp.activations(samples.inputs.view());
    let mut received = samples.inputs.clone();
    for (layer, activations) in mlp.layers.iter().zip(&activations) {
        let net_inputs = layer.net_inputs(received.view());
        if layer.activation == Activation::Relu && net_inputs.iter().any(|z| z.abs() < 10.0 * STEP) {
            return true;
        }
        received.clone_from(activations);
    }
    let errors = &received - &samples.targets;
    objective.loss == Loss::Absolute && errors.iter().any(|error| error.abs() < 10.0 * STEP)
}

/// Whether every tensor has a gradient to speak of. Dead ReLUs have none, and absolute errors can cancel; there is then
/// nothing to compare but rounding.
fn has_gradient(mlp: &Mlp<f64>, samples: &Samples<f64>, objective: Objective) -> bool {
    let (_, gradients) = backpropagate(mlp, samples.inputs.view(), samples.targets.view(), objective);
    let largest = |values: &mut dyn Iterator<Item = &f64>| values.fold(0.0, |largest: f64, g| largest.max(g.abs()));
    gradients.layers.iter().all(|layer| {
        largest(&mut layer.weights.iter()) > 1e-6 && layer.bias.iter().all(|bias| largest(&mut bias.iter()) > 1e-6)
    })
}

/// A random network with its batch, drawn anew while it stands near a kink or has no gradient.
fn drawn(
    sizes: &[usize],
    activations: &[Activation],
    bias: bool,
    objective: Objective,
    seed: u64,
) -> (Mlp<f64>, Samples<f64>) {
    for attempt in 0..1_000 {
        let seed = seed + 10_000 * attempt;
        let mlp = network(sizes, activations, bias, seed);
        let mut samples = samples(3, sizes[0], sizes[sizes.len() - 1], seed + 1);
        if activations.last() == Some(&Activation::Softmax) {
            one_hot(&mut samples, seed + 2);
        }
        if !is_near_a_kink(&mlp, &samples, objective) && has_gradient(&mlp, &samples, objective) {
            return (mlp, samples);
        }
    }
    panic!("no draw with a gradient, away from the kinks");
}

fn assert_close(checks: &[TensorCheck], what: &str) {
    if let Err(fault) = explain_gradient_check(checks, BOUND) {
        panic!("{what}: {fault}");
    }
    for check in checks {
        assert!(check.relative_error <= BOUND && check.worst_entry <= BOUND, "{what}: {check:?}");
    }
}

/// The gradient that the fast path hands to its sink.
fn fast_gradient(mlp: &Mlp<f64>, samples: &Samples<f64>, objective: Objective, kernel: Kernel) -> Gradients<f64> {
    let workers = Workers::new(1);
    let mut workspace = Workspace::new(mlp, samples.inputs.nrows(), 1, kernel, &workers);
    workspace.step(samples, objective, &KeepGradient, &workers).expect("finite");
    workspace.slot(0)
}

#[test]
fn the_gradient_is_that_of_finite_differences_for_every_activation_loss_position_and_bias() {
    let hidden = [Activation::Sigmoid, Activation::Tanh, Activation::Relu, Activation::Identity];
    let mut n_networks = 0;
    for (first, second) in hidden.into_iter().flat_map(|first| hidden.map(|second| (first, second))) {
        for output in Activation::ALL {
            for objective in objectives(output) {
                for bias in [true, false] {
                    n_networks += 1;
                    let activations = [first, second, output];
                    let (mlp, samples) = drawn(&[5, 4, 6, 3], &activations, bias, objective, n_networks);
                    let inputs = samples.inputs.view();
                    let numeric = finite_differences(&mlp, inputs, samples.targets.view(), objective, STEP);
                    let (_, analytic) = backpropagate(&mlp, inputs, samples.targets.view(), objective);
                    let what = format!("{activations:?} {objective:?} bias {bias}");
                    assert_close(&compare_gradients(&analytic, &numeric), &what);
                    for kernel in Kernel::ALL.into_iter().filter(|kernel| kernel.is_supported()) {
                        let fast = fast_gradient(&mlp, &samples, objective, kernel);
                        assert_close(&compare_gradients(&fast, &numeric), &format!("{kernel} {what}"));
                    }
                }
            }
        }
    }
    // Four losses with both reductions behind each output; one more behind sigmoid, identity and softmax.
    assert_eq!(n_networks, 4 * 4 * (5 * 8 + 3 * 2) * 2);
}

#[test]
fn the_gradient_is_that_of_finite_differences_on_twenty_random_shapes() {
    for seed in 0..20_u64 {
        let depth = 1 + seed as usize % 5;
        let sizes: Vec<usize> = (0..=depth).map(|layer| 1 + (seed as usize * 7 + layer * 5) % 11).collect();
        let activations = vec![Activation::Sigmoid; depth];
        let objective = Objective { loss: Loss::CrossEntropy, reduction: Reduction::Sum };
        let (mlp, samples) = drawn(&sizes, &activations, seed % 2 == 0, objective, 77 * seed);
        let (inputs, targets) = (samples.inputs.view(), samples.targets.view());
        let numeric = finite_differences(&mlp, inputs, targets, objective, STEP);
        let (_, analytic) = backpropagate(&mlp, inputs, targets, objective);
        assert_close(&compare_gradients(&analytic, &numeric), &format!("{sizes:?}"));
    }
}

/// Back-propagation written out a second time, with one of its terms left out.
fn with_a_term_dropped(mlp: &Mlp<f64>, samples: &Samples<f64>, objective: Objective, term: &str) -> Gradients<f64> {
    let n_samples = samples.inputs.nrows() as f64;
    let mut received = vec![samples.inputs.clone()];
    received.extend(mlp.activations(samples.inputs.view()));
    let outputs = received.pop().expect("outputs");
    let (_, mut gradients) = backpropagate(mlp, samples.inputs.view(), samples.targets.view(), objective);
    let mut delta: Array2<f64> = (&outputs - &samples.targets) * 2.0;
    if term != "the derivative of the outputs" {
        delta = delta * outputs.mapv(|a| a * (1.0 - a));
    }
    if term != "the mean over the batch" {
        delta /= n_samples;
    }
    for (index, layer) in mlp.layers.iter().enumerate().rev() {
        let gradient = &mut gradients.layers[index];
        gradient.weights = match term {
            "the inputs of the first layer" if index == 0 => Array2::ones(received[index].dim()).t().dot(&delta),
            "the inputs of the last layer" if index == mlp.layers.len() - 1 => {
                Array2::ones(received[index].dim()).t().dot(&delta)
            }
            _ => received[index].t().dot(&delta),
        };
        gradient.bias = gradient.bias.as_ref().map(|bias| match term {
            "the biases" => bias * 0.0,
            "all samples but one in the biases" => delta.row(0).to_owned(),
            _ => delta.sum_axis(Axis(0)),
        });
        if index > 0 {
            delta = match term {
                "the weights on the way back" => Array2::ones((delta.nrows(), layer.weights.nrows())),
                _ => delta.dot(&layer.weights.t()),
            };
            if term != "the derivative of the hidden layers" {
                delta = delta * received[index].mapv(|a| a * (1.0 - a));
            }
        }
    }
    gradients
}

#[test]
fn the_check_fails_where_any_term_of_back_propagation_is_dropped() {
    let objective = Objective { loss: Loss::Squared, reduction: Reduction::Sum };
    let (mlp, samples) = drawn(&[5, 4, 6, 3], &[Activation::Sigmoid; 3], true, objective, 5);
    let numeric = finite_differences(&mlp, samples.inputs.view(), samples.targets.view(), objective, STEP);
    let worst = |term: &str| {
        let gradients = with_a_term_dropped(&mlp, &samples, objective, term);
        compare_gradients(&gradients, &numeric).iter().map(|check| check.relative_error).fold(0.0, f64::max)
    };
    assert!(worst("nothing") <= BOUND, "the second version is right where nothing is dropped");
    for term in [
        "the derivative of the outputs",
        "the mean over the batch",
        "the inputs of the first layer",
        "the inputs of the last layer",
        "the biases",
        "all samples but one in the biases",
        "the weights on the way back",
        "the derivative of the hidden layers",
    ] {
        assert!(worst(term) > 1e3 * BOUND, "without {term} the check still passes: {}", worst(term));
    }
}

#[test]
fn a_check_that_fails_says_where_by_how_much_and_in_which_equation() {
    let objective = Objective { loss: Loss::Squared, reduction: Reduction::Sum };
    let (mlp, samples) = drawn(&[5, 4, 6, 3], &[Activation::Sigmoid; 3], true, objective, 5);
    let numeric = finite_differences(&mlp, samples.inputs.view(), samples.targets.view(), objective, STEP);
    let explained = |gradients: &Gradients<f64>| explain_gradient_check(&compare_gradients(gradients, &numeric), BOUND);
    let fault = |term: &str| explained(&with_a_term_dropped(&mlp, &samples, objective, term)).unwrap_err();
    for (term, layer, is_bias, cause) in [
        ("the derivative of the outputs", 2, false, "look at the error at the outputs, equation (1)"),
        ("the mean over the batch", 2, false, "every entry is 3 times what it should be: a factor"),
        ("the inputs of the first layer", 0, false, "look at equation (4)"),
        ("the inputs of the last layer", 2, false, "look at equation (4)"),
        ("the biases", 2, true, "every entry is 0: nothing reaches the gradient in equation (3)"),
        ("all samples but one in the biases", 2, true, "look at equation (3)"),
        ("the weights on the way back", 1, false, "look at the error on its way back, equation (2)"),
        ("the derivative of the hidden layers", 1, false, "look at the error on its way back, equation (2)"),
    ] {
        let fault = fault(term);
        assert_eq!((fault.check().layer, fault.check().is_bias), (layer, is_bias), "{term}: {fault}");
        assert!(fault.cause().starts_with(cause), "{term}: {fault}");
        let check = fault.check();
        let [input, unit] = check.worst_position;
        let expected = &numeric.layers[layer];
        let expected = if is_bias { expected.bias.as_ref().unwrap()[unit] } else { expected.weights[[input, unit]] };
        assert!(check.expected == expected && check.found != expected, "{term}: {fault}");
    }
    let right = with_a_term_dropped(&mlp, &samples, objective, "nothing");
    assert_eq!(explained(&right), Ok(()));
    let changed = |change: &dyn Fn(&mut Gradients<f64>)| {
        let mut gradients = right.clone();
        change(&mut gradients);
        explained(&gradients).unwrap_err().to_string()
    };
    let turned = changed(&|gradients| gradients.layers[1].bias.as_mut().unwrap().mapv_inplace(|g| -g));
    assert!(turned.contains("every entry has the wrong sign: look at equation (3)"), "{turned}");
    let not_a_number = changed(&|gradients| gradients.layers[0].weights[[3, 2]] = f64::NAN);
    assert!(not_a_number.starts_with("the gradient by layers[0].weights[[3, 2]]: expected "), "{not_a_number}");
    assert!(not_a_number.contains("a number is infinite or NaN"), "{not_a_number}");
    let slight = changed(&|gradients| gradients.layers[2].weights[[1, 1]] *= 1.0 + 1e-4);
    assert!(slight.contains("a step across a kink"), "{slight}");
}

#[test]
fn an_exact_fit_has_no_rmse_and_no_gradient() {
    let mlp = network::<f64>(&[3, 2], &[Activation::Sigmoid], true, 1);
    let mut samples = samples::<f64>(4, 3, 2, 2);
    samples.targets = mlp.forward(samples.inputs.view());
    for reduction in Reduction::ALL {
        let objective = Objective { loss: Loss::Rmse, reduction };
        let (loss, gradients) = backpropagate(&mlp, samples.inputs.view(), samples.targets.view(), objective);
        assert_eq!(loss, 0.0);
        assert!(gradients.layers[0].weights.iter().all(|&gradient| gradient == 0.0));
    }
}

#[test]
fn saturated_outputs_have_a_finite_cross_entropy_and_the_gradient_of_their_error() {
    let mut mlp = network::<f32>(&[1, 2], &[Activation::Sigmoid], false, 1);
    mlp.layers[0].weights = mlp_core::ndarray::array![[1e6_f32, -1e6]];
    let inputs = mlp_core::ndarray::array![[1.0_f32]];
    let objective = Objective { loss: Loss::CrossEntropy, reduction: Reduction::Sum };
    let right = mlp_core::ndarray::array![[1.0_f32, 0.0]];
    let (loss, gradients) = backpropagate(&mlp, inputs.view(), right.view(), objective);
    assert_eq!(loss, 0.0);
    assert_eq!(gradients.layers[0].weights, mlp_core::ndarray::array![[0.0_f32, 0.0]]);
    let wrong = mlp_core::ndarray::array![[0.0_f32, 1.0]];
    let (loss, gradients) = backpropagate(&mlp, inputs.view(), wrong.view(), objective);
    assert_eq!(loss, 2e6);
    assert_eq!(gradients.layers[0].weights, mlp_core::ndarray::array![[1.0_f32, -1.0]]);
}
