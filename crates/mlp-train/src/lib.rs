//! Training runs of multilayer perceptrons: data and a configuration in, weights and their history out.
//!
//! A run is one function call. It knows nothing of files or pictures: inputs are rows of any `ndarray`, as numbers or as
//! grey levels, and targets are rows of numbers, or labels with a [`Codebook`].
//!
//! ```
//! use std::ops::ControlFlow;
//!
//! use mlp_train::mlp_core::{Activation, Kernel, Reduction, Workers};
//! use mlp_train::ndarray::array;
//! use mlp_train::{EvaluateTrain, Inputs, Precision, Samples, Setup, Targets, TrainConfig, train};
//!
//! // Exclusive or: the smallest problem that needs a hidden layer.
//! let inputs = array![[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]];
//! let targets = array![[0.0], [1.0], [1.0], [0.0]];
//! let samples = Samples { inputs: Inputs::Values(inputs.view()), targets: Targets::Values(targets.view()), weights: None };
//!
//! let config = TrainConfig::new()
//!     .hidden([4])
//!     .activation([Activation::Tanh])
//!     .reduction(Reduction::Sum)
//!     .precision(Precision::F64)
//!     .learning_rate(0.05)
//!     .batch_size(4)
//!     .epochs(300)
//!     .evaluate_train(EvaluateTrain::All)
//!     .seed(1);
//! let workers = Workers::new(1);
//! let setup = Setup { workers: &workers, kernel: Kernel::detect(), initial: None };
//! let run = train(&config, &samples, None, setup, &mut |_| ControlFlow::Continue(()))?;
//!
//! assert!(run.history.epochs[300].train.loss < run.history.epochs[0].train.loss / 10.0);
//! assert_eq!(run.mlp.forward(inputs.view()).mapv(f64::round), targets);
//! # Ok::<(), mlp_train::Error>(())
//! ```
//!
//! # The parts, in reading order
//!
//! 1. [`TrainConfig`]: every choice of a run, with its name in a file, its meaning and its range.
//! 2. [`TargetEncoding`] and [`Codebook`]: how a class becomes target bits, and how outputs become a class.
//! 3. [`Samples`]: what is trained on; pixels stay bytes until a batch is gathered.
//! 4. [`Augmentation`]: how training images are deformed, otherwise in every epoch.
//! 5. [`Optimizer`]: five update rules, each written out as its formula.
//! 6. [`Schedule`]: how the learning rate changes.
//! 7. [`train()`]: the loop. For each epoch: shuffle, cut into batches, update for each, measure.
//! 8. [`evaluate()`], [`EpochMetrics`], [`ConfusionMatrix`]: what is measured, and what it means.
//! 9. [`SavedModel`], [`load_model`], [`Classifier`] and [`Committee`]: a network on disk, and in use, alone or among others.
//! 10. [`train_resumable`] and [`Checkpoint`]: a run that is stopped, and goes on.
//! 11. [`tabular`]: small tables in six lines, with `fit` and `predict`.
//! 12. [`diagnose`] and [`Diagnosis`]: where learning died in a run that got nowhere, and why.
//!
//! # What can be relied on
//!
//! *The same numbers.* A configuration gives the same weights, bit for bit, for any number of threads, and whoever
//! watches, and however often it was stopped and taken up again. Every random choice comes from `seed` through ChaCha8,
//! with a stream of its own for each purpose, and the order of an epoch depends on the seed and the epoch alone
//! ([`shuffle_for_epoch`]). Only the instruction set ([`Kernel`](mlp_core::Kernel)) makes a difference, by rounding; so
//! every record names it.
//!
//! *No silent nonsense.* A run whose numbers overflow ends as [`Outcome::Diverged`] with epoch, batch and layer, and
//! keeps the epochs before. What does not fit together is refused before anything is computed, with the key to change
//! and its range. Nothing that is not finite is ever written. Every failure is an [`Error`], which says in one line where it
//! is, what was expected, what was found, and what to do.
//!
//! *No half files.* Models and checkpoints are staged, synced and renamed, and damage is noticed when they are read.

#![warn(clippy::print_stdout, clippy::print_stderr, clippy::exit)]

// What a run is given.
mod augmentation;
mod config;
mod data;
mod decoding;
mod encoding;

// How it moves.
mod optimizer;
mod schedule;
mod train;
mod trainable;

// What is measured.
mod confusion;
mod diagnosis;
mod evaluate;
mod history;
mod metrics;

// What is kept.
mod canonical;
mod checkpoint;
mod model;
mod unfolded;

// What it is for.
mod classifier;
mod committee;
pub mod tabular;

// What the others stand on.
mod error;
mod random;
mod stratified;
mod tensor_file;

pub use mlp_core;
pub use ndarray;

pub use augmentation::{Augmentation, Augmenter, Elastic};
pub use canonical::canonical_json;
pub use checkpoint::{Checkpoint, CheckpointNorm, Progressed, read_progressed};
pub use classifier::{Bit, Candidate, Classification, Classifier};
pub use committee::Committee;
pub use config::{
    Averaging, ClassWeights, EarlyStopping, EvaluateTrain, Key, MAX_PARAMETERS, Precision, TrainConfig,
    ValidationMetric, ValidationSplit, nearest,
};
pub use confusion::ConfusionMatrix;
pub use data::{Inputs, Labels, Rows, Samples, Targets};
pub use decoding::Decoding;
pub use diagnosis::{
    Background, Cause, DiagnosedLayer, Diagnosis, EpochDiagnosis, Finding, LayerDiagnosis, Probe, SATURATED, diagnose,
};
pub use encoding::{Codebook, MAX_RANDOM_BITS, TargetEncoding, are_characters};
pub use error::{Error, ErrorKind, Result};
pub use evaluate::{Evaluation, MAX_MISTAKES, Mistake, evaluate};
pub use history::{Divergence, EpochRecord, History, Outcome};
pub use metrics::{Answer, EpochMetrics};
pub use model::{AnyMlp, SavedModel, load_model, save_model, save_unfolded, weights_sha256};
pub use optimizer::{Optimizer, Update};
pub use random::{dropout_key, shuffle_for_epoch};
pub use schedule::{Position, Schedule};
pub use train::{Moment, Progress, Run, Setup, split_validation, train, train_resumable};
pub use trainable::Trainable;
pub use unfolded::{AnyNetwork, AnyUnfolded, Initial, Unfolded};

/// Its program is compiled and run with the documentation's.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
