//! Training on the back-propagation that is there to be read: the same as on the fast path, but for rounding.

use std::ops::ControlFlow;

use mlp_core::{Activation, Kernel, Loss, Workers};
use mlp_train::{
    Averaging, Optimizer, Outcome, Precision, Progress, Run, Setup, TrainConfig, Trainable, train, train_resumable,
    weights_sha256,
};

use crate::problems::{Blobs, Xor};

fn run<F: Trainable>(config: &TrainConfig, blobs: &Blobs, kernel: Kernel) -> Run<F> {
    let workers = Workers::new(1);
    let setup = Setup { workers: &workers, kernel, initial: None };
    let samples = blobs.samples();
    train(config, &samples, Some(&samples), setup, &mut |_| ControlFlow::Continue(())).unwrap()
}

#[test]
fn every_update_rule_takes_the_steps_of_the_fast_path() {
    let blobs = Blobs::new(61, 0);
    let base = Blobs::config().precision(Precision::F64).hidden([12, 9]).epochs(3).l2(1e-3).l1(1e-4);
    for (optimizer, batch_size) in [
        (Optimizer::Sgd, 1),
        (Optimizer::Sgd, 16),
        (Optimizer::Momentum { momentum: 0.9 }, 61),
        (Optimizer::Nesterov { momentum: 0.8 }, 7),
        (Optimizer::ADAM, 16),
        (Optimizer::AdamW { beta1: 0.9, beta2: 0.99, epsilon: 1e-6, decay: 0.1 }, 16),
    ] {
        let base = [
            base.clone(),
            base.clone().bias(false),
            base.clone().clip_norm(0.02).average(Averaging::Ema { decay: 0.9 }),
            base.clone().bias(false).clip_norm(0.02).average(Averaging::Mean { epochs: 2 }),
            base.clone().dropout([0.5, 0.2]),
            base.clone().input_dropout(0.3).max_norm(1.2),
            base.clone().bias(false).dropout([0.4]).input_dropout(0.2).max_norm(0.8).clip_norm(0.1),
        ];
        for base in base {
            let bias = base.bias;
            let config = base.clone().optimizer(optimizer).batch_size(batch_size);
            let config = if batch_size == 1 { config.l1(0.0).l2(0.0) } else { config };
            let (readable, fast) =
                (run::<f64>(&config, &blobs, Kernel::Reference), run::<f64>(&config, &blobs, Kernel::Portable));
            for (readable, fast) in readable.mlp.layers.iter().zip(&fast.mlp.layers) {
                let difference = (&readable.weights - &fast.weights).mapv(f64::abs);
                assert!(
                    difference.iter().all(|difference| *difference < 1e-9),
                    "{optimizer:?}, {batch_size}, {difference}"
                );
                let biases = readable.bias.iter().flatten().zip(fast.bias.iter().flatten());
                assert!(biases.clone().count() > 0 || !bias);
                assert!(biases.into_iter().all(|(readable, fast)| (readable - fast).abs() < 1e-9), "{optimizer:?}");
            }
            let (readable, fast) = (&readable.history.epochs[3].train, &fast.history.epochs[3].train);
            assert!((readable.loss - fast.loss).abs() < 1e-9);
        }
    }
}

#[test]
fn it_is_the_same_again_and_goes_on_where_it_was_stopped() {
    let blobs = Blobs::new(50, 0);
    let config = Blobs::config().optimizer(Optimizer::ADAM).epochs(3);
    let samples = blobs.samples::<f32>();
    let workers = Workers::new(2);
    let setup = || Setup { workers: &workers, kernel: Kernel::Reference, initial: None };
    let whole = weights_sha256(&run::<f32>(&config, &blobs, Kernel::Reference).mlp);
    for n_batches in [1, 4, 6] {
        let (mut n_seen, mut checkpoint) = (0, None);
        let stopped = train_resumable(&config, &samples, None, setup(), None, &mut |progress, moment| {
            n_seen += usize::from(matches!(progress, Progress::Batch { .. }));
            checkpoint = Some(moment.checkpoint());
            if n_seen == n_batches { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        assert_eq!(stopped.unwrap().outcome, Outcome::Interrupted);
        let rest = train_resumable(&config, &samples, None, setup(), checkpoint, &mut |_, _| ControlFlow::Continue(()));
        assert_eq!(weights_sha256(&rest.unwrap().mlp), whole, "after {n_batches} batches");
    }
}

#[test]
fn numbers_that_overflow_are_named_by_epoch_batch_and_layer() {
    let xor = Xor::new();
    let config = Xor::config()
        .activation([Activation::Identity])
        .output_activation(Activation::Identity)
        .loss(Loss::Squared)
        .optimizer(Optimizer::Sgd)
        .learning_rate(1e6);
    let workers = Workers::new(1);
    let setup = Setup { workers: &workers, kernel: Kernel::Reference, initial: None };
    let run = train(&config, &xor.samples(), None, setup, &mut |_| ControlFlow::Continue(())).unwrap();
    let Outcome::Diverged(divergence) = run.outcome else { panic!("{:?}", run.outcome) };
    assert!(divergence.epoch > 1 && divergence.batch == 1 && divergence.layer < 2, "{divergence:?}");
    assert!(run.mlp.layers.iter().all(|layer| layer.weights.iter().all(|weight| weight.is_finite())));
}
