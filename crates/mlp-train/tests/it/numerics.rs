//! Numbers at the edge of what floating point can do.

use mlp_core::{Activation, Initializer, Kernel, Layer, Loss, Mlp, Objective, Reduction, Workers, Workspace};
use mlp_train::{Divergence, Inputs, Optimizer, Outcome, Rows, Samples, Targets, Trainable, Update};
use ndarray::{Array1, Array2, array};

use crate::problems::{Blobs, Xor, run};

#[test]
fn a_huge_learning_rate_is_recorded_as_divergence_with_its_place() {
    let xor = Xor::new();
    let config = Xor::config()
        .activation([Activation::Identity])
        .output_activation(Activation::Identity)
        .loss(Loss::Squared)
        .optimizer(Optimizer::Sgd)
        .learning_rate(1e6)
        .batch_size(1);
    let run = run(&config, &xor.samples(), Some(&xor.samples()));
    let Outcome::Diverged(Divergence { epoch, batch, layer }) = run.outcome else { panic!("{:?}", run.outcome) };
    assert!((1..20).contains(&epoch) && (1..=4).contains(&batch) && layer < 2, "{epoch} {batch} {layer}");
    assert_eq!(run.history.epochs.len(), epoch, "the epochs before are kept");
    assert!(run.history.epochs.iter().all(|epoch| epoch.is_finite()));
    assert!(run.mlp.layers.iter().all(|layer| layer.weights.iter().all(|weight| weight.is_finite())));
    assert!(run.evaluation.unwrap().metrics.is_finite());
}

#[test]
fn a_saturated_network_stays_finite_and_free_of_subnormal_weights() {
    let blobs = Blobs::new(2_000, 0);
    for optimizer in [Optimizer::Sgd, Optimizer::Momentum { momentum: 0.9 }, Optimizer::ADAM] {
        for (low, high) in [(0.0, 1.0), (0.5, 0.6), (-1e-18, 1e-18), (-1e-30, 1e-30)] {
            let config = Blobs::config()
                .hidden([128, 128])
                .activation([Activation::Sigmoid])
                .bias(false)
                .initializer(Initializer::Uniform { low, high })
                .optimizer(optimizer)
                .epochs(3);
            let run = run::<f32>(&config, &blobs.samples(), None);
            assert_eq!(run.outcome, Outcome::Finished);
            let weights = || run.mlp.layers.iter().flat_map(|layer| &layer.weights);
            assert!(weights().all(|weight| weight.is_finite() && !weight.is_subnormal()), "{optimizer:?} {low} {high}");
        }
    }
}

#[test]
fn an_exact_fit_has_no_rmse_gradient() {
    let inputs = array![[1.0, 2.0], [3.0, 4.0]];
    let layer = Layer { weights: array![[0.5], [0.25]], bias: Some(array![0.125]), activation: Activation::Identity };
    let mlp = Mlp { layers: vec![layer] };
    let targets = mlp.forward(inputs.view());
    let after = train_steps(&mlp, &inputs, &targets, Loss::Rmse, Optimizer::Sgd, plain(0.5), 3);
    assert_eq!(after, mlp);
}

/// Processors compute with subnormal numbers up to a hundred times more slowly, so training would slow down with them.
#[test]
fn in_ten_thousand_steps_of_decay_no_weight_and_no_number_of_the_optimiser_is_ever_subnormal() {
    // The inputs are zero, so only the penalty moves the weights.
    let inputs = Array2::<f32>::zeros((1, 64));
    let targets = Array2::<f32>::zeros((1, 64));
    let layer = Layer { weights: Array2::from_elem((64, 64), 1.0), bias: None, activation: Activation::Identity };
    let mlp = Mlp { layers: vec![layer] };
    for optimizer in
        [Optimizer::Sgd, Optimizer::Momentum { momentum: 0.9 }, Optimizer::Nesterov { momentum: 0.5 }, Optimizer::ADAM]
    {
        let update = Update { l2: 0.1, ..plain(0.1) };
        let workers = Workers::new(1);
        let samples =
            Samples { inputs: Inputs::Values(inputs.view()), targets: Targets::Values(targets.view()), weights: None };
        let batch = Rows::new(&samples, &[0]);
        let objective = Objective { loss: Loss::HalfSquared, reduction: Reduction::Sum };
        let mut workspace = Workspace::new(&mlp, 1, optimizer.n_slots(), Kernel::detect(), &workers);
        let mut after = mlp.clone();
        for step in 1..=10_000 {
            let update = Update { step, ..update };
            f32::step(optimizer, &mut workspace, &batch, objective, update, &workers).unwrap();
            workspace.store(&mut after);
            let weights = after.layers[0].weights.iter();
            assert!(weights.into_iter().all(|weight| !weight.is_subnormal()), "{optimizer:?} in step {step}");
            for slot in 0..optimizer.n_slots() {
                let state = workspace.slot(slot);
                let is_subnormal = state.layers[0].weights.iter().any(|number| number.is_subnormal());
                assert!(!is_subnormal, "slot {slot} of {optimizer:?} in step {step}");
            }
        }
        assert!(after.layers[0].weights.iter().all(|weight| weight.abs() < 0.1), "{optimizer:?}");
    }
}

#[test]
fn penalties_pull_weights_and_leave_biases_alone() {
    let inputs = Array2::<f64>::zeros((1, 2));
    let layer = Layer {
        weights: array![[0.5, -0.5], [0.25, 0.0]],
        bias: Some(Array1::from_vec(vec![1.0, -2.0])),
        activation: Activation::Identity,
    };
    let mlp = Mlp { layers: vec![layer] };
    let targets = mlp.forward(inputs.view());
    let one_step = |update, optimizer| {
        let after = train_steps(&mlp, &inputs, &targets, Loss::HalfSquared, optimizer, update, 1);
        assert_eq!(after.layers[0].bias, mlp.layers[0].bias);
        after.layers[0].weights.clone()
    };
    let l2 = one_step(Update { l2: 0.5, ..plain(0.5) }, Optimizer::Sgd);
    assert_eq!(l2, array![[0.375, -0.375], [0.1875, 0.0]]);
    let l1 = one_step(Update { l1: 0.25, ..plain(0.5) }, Optimizer::Sgd);
    assert_eq!(l1, array![[0.375, -0.375], [0.125, 0.0]]);
    let decay = Optimizer::AdamW { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, decay: 0.5 };
    assert_eq!(one_step(plain(0.5), decay), array![[0.375, -0.375], [0.1875, 0.0]]);
}

#[test]
fn weights_that_overflow_when_measured_are_a_divergence_before_training() {
    use mlp_train::{Setup, train};
    use std::ops::ControlFlow;

    let xor = Xor::new();
    let config = Xor::config();
    let mut initial = run(&config.clone().epochs(0), &xor.samples(), None).mlp;
    initial.layers[1].weights[[0, 0]] = f64::NAN;
    let workers = Workers::new(1);
    let setup = Setup { workers: &workers, kernel: Kernel::detect(), initial: Some(initial.into()) };
    let run = train(&config, &xor.samples(), None, setup, &mut |_| ControlFlow::Continue(())).unwrap();
    assert_eq!(run.outcome, Outcome::Diverged(Divergence { epoch: 0, batch: 0, layer: 1 }));
    assert!(run.history.epochs.is_empty());
}

fn plain(learning_rate: f64) -> Update<'static> {
    Update { learning_rate, step: 1, l2: 0.0, l1: 0.0, clip_norm: None, max_norm: None, masks: None }
}

fn train_steps<F: Trainable>(
    mlp: &Mlp<F>,
    inputs: &Array2<F>,
    targets: &Array2<F>,
    loss: Loss,
    optimizer: Optimizer,
    update: Update<'_>,
    n_steps: u64,
) -> Mlp<F> {
    let workers = Workers::new(1);
    let samples =
        Samples { inputs: Inputs::Values(inputs.view()), targets: Targets::Values(targets.view()), weights: None };
    let rows: Vec<usize> = (0..inputs.nrows()).collect();
    let batch = Rows::new(&samples, &rows);
    let objective = Objective { loss, reduction: Reduction::Sum };
    let mut workspace = Workspace::new(mlp, inputs.nrows(), optimizer.n_slots(), Kernel::detect(), &workers);
    for step in 1..=n_steps {
        F::step(optimizer, &mut workspace, &batch, objective, Update { step, ..update }, &workers).unwrap();
    }
    let mut after = mlp.clone();
    workspace.store(&mut after);
    after
}
