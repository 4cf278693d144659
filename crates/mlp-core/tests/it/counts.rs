//! Samples that count as several or as none, and the loss of counts.

use mlp_core::{
    Activation, Initializer, KeepGradient, Kernel, Loss, Mlp, Objective, Reduction, Workers, Workspace, backpropagate,
};

use crate::networks::{Weighted, samples};

#[test]
fn a_sample_of_weight_two_counts_as_two_and_one_of_weight_zero_as_none() {
    let objective = Objective { loss: Loss::CrossEntropy, reduction: Reduction::Sum };
    let mlp = Mlp::<f64>::seeded(&[5, 7, 3], &[Activation::Sigmoid; 2], true, Initializer::LECUN_NORMAL, 1);
    let few = samples::<f64>(3, 5, 3, 2);
    let workers = Workers::new(2);
    for kernel in Kernel::ALL.into_iter().filter(|kernel| kernel.is_supported()) {
        let mut workspace = Workspace::new(&mlp, 3, 1, kernel, &workers);
        let weighted = Weighted { samples: samples(3, 5, 3, 2), weights: vec![2.0, 0.0, 1.0] };
        let loss = workspace.step(&weighted, objective, &KeepGradient, &workers).expect("finite numbers");
        // The first twice, the second not at all.
        let rows = [0, 0, 2];
        let (inputs, targets) = (
            few.inputs.select(mlp_core::ndarray::Axis(0), &rows),
            few.targets.select(mlp_core::ndarray::Axis(0), &rows),
        );
        let (expected_loss, expected) = backpropagate(&mlp, inputs.view(), targets.view(), objective);
        assert!((loss / 3.0 - expected_loss).abs() < 1e-14, "{kernel}: {loss} and {expected_loss}");
        for (found, expected) in workspace.slot(0).layers.iter().zip(&expected.layers) {
            let errors = (&found.weights - &expected.weights).mapv(f64::abs);
            assert!(errors.iter().all(|&error| error < 1e-14), "{kernel}");
        }
    }
}

#[test]
fn the_deviance_of_counts_is_zero_where_the_rate_is_the_count_and_grows_from_there() {
    let objective = Objective { loss: Loss::Poisson, reduction: Reduction::Sum };
    let value = |rate: f64, count: f64| objective.value(&[rate.ln()], &[rate.ln()], &[count]);
    for count in [0.5, 1.0, 7.0] {
        assert!(value(count, count).abs() < 1e-14);
        // scipy.special.xlogy(y, y / rate) - y + rate
        assert!((value(2.0, count) - (count * (count / 2.0).ln() - count + 2.0)).abs() < 1e-14);
    }
    assert_eq!(value(2.0, 0.0), 2.0_f64.ln().exp());
    assert!(Loss::Poisson.fits(Activation::Identity) && !Loss::Poisson.fits(Activation::Sigmoid));
}
