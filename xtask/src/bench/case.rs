//! The cases of the table: one epoch of one network at one batch size.

use std::ops::ControlFlow;

use mlp_core::{Activation, Initializer, Kernel, Loss};
use mlp_sweep::image_samples;
use mlp_train::{
    EvaluateTrain, Optimizer, Outcome, Precision, Schedule, Setup, TargetEncoding, TrainConfig, Trainable, train,
};
use mnist_io::LabeledImages;
use serde::{Deserialize, Serialize};

use crate::failure::{Code, Failure};
use crate::options::team;

/// The samples to which every time is scaled.
const EPOCH: usize = 60_000;

/// A network, trained with biases and gradient descent.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    pub(crate) hidden: &'static [usize],
    pub(crate) batch_size: usize,
    pub(crate) precision: Precision,
    /// Whether it is pinned to one core; otherwise it has all threads.
    pub(crate) one_core: bool,
    /// The samples of the peers' timed epochs: fewer where they take minutes. Ours have all.
    pub(crate) n_samples_peers: usize,
    pub(crate) numbers: Numbers,
    pub(crate) work: Work,
}

/// What is learned, and how.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Work {
    /// ASCII codes, with sigmoids and squared error.
    Codes,
    /// One output a digit, with ReLU, softmax and its cross-entropy: what wide networks are trained with.
    Classes,
}

/// What the network's numbers are like.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Numbers {
    Ordinary,
    /// Units that answer 0 or 1, so that next to nothing is passed back.
    Saturated,
    /// Weights under an L2 penalty that does nothing.
    Penalised,
    /// Weights under one that makes them as small as numbers get.
    Decayed,
}

const PAPER: &[usize] = &[512, 256, 128, 64, 32, 16, 8];
const WIDE: &[usize] = &[1024, 1024, 1024];
/// That of Cireşan, Meier, Gambardella & Schmidhuber 2010.
const WIDEST: &[usize] = &[2500, 2000, 1500, 1000, 500];

/// Every case, in the order of the table.
pub(crate) const CASES: [Case; 15] = [
    case("batch-1", "batch 1", PAPER, 1, Precision::F32, false, 3_000),
    case("batch-32", "batch 32", PAPER, 32, Precision::F32, false, EPOCH),
    case("batch-128", "batch 128", PAPER, 128, Precision::F32, false, EPOCH),
    case("batch-512", "batch 512", PAPER, 512, Precision::F32, false, EPOCH),
    case("one-core", "batch 128, one core", PAPER, 128, Precision::F32, true, EPOCH),
    case("f64", "batch 1, f64", PAPER, 1, Precision::F64, false, 3_000),
    case("narrow", "784-30-6, batch 10", &[30], 10, Precision::F32, false, EPOCH),
    wide("wide-128", "784-1024-1024-1024-10, batch 128", WIDE, 128, Precision::F32),
    wide("wide-128-bf16", "the same in bf16", WIDE, 128, Precision::Bf16),
    wide("wide-512", "784-1024-1024-1024-10, batch 512", WIDE, 512, Precision::F32),
    wide("wide-512-bf16", "the same in bf16", WIDE, 512, Precision::Bf16),
    wide("widest-128", "784-2500-2000-1500-1000-500-10, batch 128", WIDEST, 128, Precision::F32),
    wide("widest-128-bf16", "the same in bf16", WIDEST, 128, Precision::Bf16),
    wide("widest-512", "784-2500-2000-1500-1000-500-10, batch 512", WIDEST, 512, Precision::F32),
    wide("widest-512-bf16", "the same in bf16", WIDEST, 512, Precision::Bf16),
];

/// Networks whose numbers could slow a processor down, each behind the one that it is compared with.
pub(crate) const TROUBLED: [Case; 8] = [
    troubled("ordinary-1", "batch 1", 1, Numbers::Ordinary),
    troubled("saturated-1", "batch 1, saturated units", 1, Numbers::Saturated),
    troubled("penalised-1", "batch 1, L2", 1, Numbers::Penalised),
    troubled("decayed-1", "batch 1, decayed weights", 1, Numbers::Decayed),
    troubled("ordinary-128", "batch 128", 128, Numbers::Ordinary),
    troubled("saturated-128", "batch 128, saturated units", 128, Numbers::Saturated),
    troubled("penalised-128", "batch 128, L2", 128, Numbers::Penalised),
    troubled("decayed-128", "batch 128, decayed weights", 128, Numbers::Decayed),
];

const fn troubled(name: &'static str, title: &'static str, batch_size: usize, numbers: Numbers) -> Case {
    Case { numbers, ..case(name, title, PAPER, batch_size, Precision::F32, false, 0) }
}

/// The peers have a quarter of the samples, which are scaled.
const fn wide(
    name: &'static str,
    title: &'static str,
    hidden: &'static [usize],
    batch_size: usize,
    precision: Precision,
) -> Case {
    Case { work: Work::Classes, ..case(name, title, hidden, batch_size, precision, false, EPOCH / 4) }
}

/// The case of that name.
pub(crate) fn find(name: &str) -> Option<&'static Case> {
    CASES.iter().chain(&TROUBLED).find(|case| case.name == name)
}

const fn case(
    name: &'static str,
    title: &'static str,
    hidden: &'static [usize],
    batch_size: usize,
    precision: Precision,
    one_core: bool,
    n_samples_peers: usize,
) -> Case {
    let (numbers, work) = (Numbers::Ordinary, Work::Codes);
    Case { name, title, hidden, batch_size, precision, one_core, n_samples_peers, numbers, work }
}

/// What was measured of a case.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Measured {
    /// Of the best epoch, scaled to 60,000 samples.
    pub(crate) seconds: f64,
    /// Measuring 10,000 samples with all metrics, as after each epoch.
    pub(crate) seconds_evaluate: f64,
    /// Of the whole process, where the system tells.
    pub(crate) peak_mib: Option<f64>,
    /// The mean squared error of the first 10,000 training samples after the last epoch: whoever leaves work out learns less.
    pub(crate) error: f64,
}

impl Case {
    /// The sizes of the layers for digits.
    pub(crate) fn sizes(&self) -> Vec<usize> {
        let n_outputs = match self.work {
            Work::Codes => 6,
            Work::Classes => 10,
        };
        [784].into_iter().chain(self.hidden.iter().copied()).chain([n_outputs]).collect()
    }

    /// Whether the peers train on as many samples as we.
    pub(crate) fn has_all_samples(&self) -> bool {
        self.n_samples_peers == EPOCH
    }

    /// Floating-point operations of an epoch if no zero were left out: 2 for each weight and sample forward, 2 for its
    /// gradient, and 2 for what is passed back, which the first layer does not do.
    pub(crate) fn dense_operations(&self) -> f64 {
        let sizes = self.sizes();
        let n_weights: usize = sizes.windows(2).map(|pair| pair[0] * pair[1]).sum();
        (EPOCH * (6 * n_weights - 2 * sizes[0] * sizes[1])) as f64
    }

    fn config(&self) -> TrainConfig {
        let gain = match self.numbers {
            Numbers::Saturated => 200.0,
            // As the peers' networks begin.
            _ => 4.0,
        };
        let l2 = match self.numbers {
            Numbers::Ordinary | Numbers::Saturated => 0.0,
            Numbers::Penalised => 1e-9,
            Numbers::Decayed => 0.1,
        };
        let config = match self.work {
            Work::Codes => TrainConfig::new()
                .initializer(Initializer::GlorotUniform { gain })
                .loss(Loss::Squared)
                .learning_rate(1.0)
                // One to warm up, and as many timed as the peers have.
                .epochs(3),
            Work::Classes => TrainConfig::new()
                .initializer(Initializer::HE_UNIFORM)
                .activation([Activation::Relu])
                .output_activation(Activation::Softmax)
                .encoding(TargetEncoding::OneHot)
                .loss(Loss::SoftmaxCrossEntropy)
                .learning_rate(0.1)
                .epochs(2),
        };
        config
            .hidden(self.hidden)
            .l2(l2)
            .optimizer(Optimizer::Sgd)
            .schedule(Schedule::Constant)
            .batch_size(self.batch_size)
            .precision(self.precision)
            .evaluate_train(EvaluateTrain::Count(10_000))
    }

    /// Trains, and times each epoch with its shuffling and gathering.
    pub(crate) fn measure(
        &self,
        images: &LabeledImages,
        n_threads: usize,
        kernel: Kernel,
    ) -> Result<Measured, Failure> {
        match self.precision {
            Precision::F32 | Precision::Bf16 => self.measure_as::<f32>(images, n_threads, kernel),
            Precision::F64 => self.measure_as::<f64>(images, n_threads, kernel),
        }
    }

    fn measure_as<F: Trainable>(
        &self,
        images: &LabeledImages,
        n_threads: usize,
        kernel: Kernel,
    ) -> Result<Measured, Failure> {
        let config = self.config();
        let codebook = config.encoding.codebook(&images.classes);
        let workers = team(n_threads)?;
        let setup = Setup { workers: &workers, kernel, initial: None };
        let run =
            train::<F>(&config, &image_samples(images, &codebook), None, setup, &mut |_| ControlFlow::Continue(()))
                .map_err(|error| Failure::configuration(error.to_string()))?;
        if run.outcome != Outcome::Finished {
            return Err(Failure::new(Code::Unsuccessful, format!("{}: the run ended as {:?}", self.name, run.outcome)));
        }
        let best = |seconds: &[f64]| seconds.iter().copied().fold(f64::INFINITY, f64::min);
        let n_evaluated = images.len().min(10_000);
        Ok(Measured {
            seconds: best(&run.history.seconds_train[1..]) * EPOCH as f64 / images.len() as f64,
            seconds_evaluate: best(&run.history.seconds_evaluate) * 10_000.0 / n_evaluated as f64,
            peak_mib: peak_mib(),
            error: run.history.epochs.last().map_or(f64::NAN, |epoch| epoch.train.rmse.powi(2)),
        })
    }
}

/// The most memory that this process has had at a time, where the system tells.
fn peak_mib() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<f64>().ok()? / 1024.0)
}
