//! Small problems that the tests train on.

use std::ops::ControlFlow;

use mlp_core::{Activation, Kernel, Loss, Reduction, Workers};
use mlp_train::{
    Codebook, EvaluateTrain, Inputs, Precision, Run, Samples, Setup, TargetEncoding, Targets, TrainConfig, Trainable,
    train,
};
use ndarray::{Array2, array};
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

/// Exclusive or.
pub(crate) struct Xor {
    pub(crate) inputs: Array2<f64>,
    pub(crate) targets: Array2<f64>,
}

impl Xor {
    pub(crate) fn new() -> Self {
        Self {
            inputs: array![[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]],
            targets: array![[0.0], [1.0], [1.0], [0.0]],
        }
    }

    pub(crate) fn samples(&self) -> Samples<'_, f64> {
        Samples {
            inputs: Inputs::Values(self.inputs.view()),
            targets: Targets::Values(self.targets.view()),
            weights: None,
        }
    }

    pub(crate) fn config() -> TrainConfig {
        TrainConfig::new()
            .hidden([4])
            .activation([Activation::Tanh])
            .loss(Loss::CrossEntropy)
            .reduction(Reduction::Sum)
            .precision(Precision::F64)
            .batch_size(4)
            .epochs(400)
            .evaluate_train(EvaluateTrain::All)
            .seed(1)
    }
}

/// Ten clouds of points in eight dimensions, as grey levels, with overlapping neighbours.
pub(crate) struct Blobs {
    pub(crate) pixels: Array2<u8>,
    pub(crate) labels: Vec<u8>,
    pub(crate) codebook: Codebook,
}

impl Blobs {
    const N_INPUTS: usize = 8;

    pub(crate) fn new(n_samples: usize, seed: u64) -> Self {
        let mut centres = ChaCha8Rng::seed_from_u64(99);
        let centres: Vec<[f64; Self::N_INPUTS]> =
            (0..10).map(|_| std::array::from_fn(|_| centres.random_range(60.0..195.0))).collect();
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let labels: Vec<u8> = (0..n_samples).map(|_| rng.random_range(0..10)).collect();
        let pixels = Array2::from_shape_fn((n_samples, Self::N_INPUTS), |(sample, input)| {
            let centre = centres[usize::from(labels[sample])][input];
            (centre + rng.random_range(-20.0..20.0)) as u8
        });
        let digits: Vec<char> = ('0'..='9').collect();
        Self { pixels, labels, codebook: TargetEncoding::Ascii.codebook(&digits) }
    }

    pub(crate) fn encoded(mut self, encoding: TargetEncoding) -> Self {
        self.codebook = encoding.codebook(&self.codebook.classes);
        self
    }

    pub(crate) fn samples<F: Trainable>(&self) -> Samples<'_, F> {
        Samples {
            inputs: Inputs::Pixels(self.pixels.view()),
            targets: Targets::labels(&self.labels, &self.codebook),
            weights: None,
        }
    }

    pub(crate) fn config() -> TrainConfig {
        TrainConfig::new()
            .hidden([24])
            .activation([Activation::Tanh])
            .learning_rate(0.03)
            .reduction(Reduction::Sum)
            .batch_size(16)
            .epochs(20)
    }
}

/// Trains on one thread without watching.
pub(crate) fn run<F: Trainable>(
    config: &TrainConfig,
    samples: &Samples<'_, F>,
    test: Option<&Samples<'_, F>>,
) -> Run<F> {
    let workers = Workers::new(1);
    let setup = Setup { workers: &workers, kernel: Kernel::detect(), initial: None };
    train(config, samples, test, setup, &mut |_| ControlFlow::Continue(())).expect("the configuration suits the data")
}
