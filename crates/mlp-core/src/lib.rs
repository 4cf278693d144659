//! Multilayer perceptrons, from the forward pass to back-propagation.
//!
//! Read the modules in this order; each is short:
//!
//! 1. [`Activation`]: what a unit does with its net input, beside the derivative.
//! 2. [`Mlp`] and [`Layer`]: `activation(x · W + b)`, layer after layer.
//! 3. [`Loss`]: how outputs are compared with targets, beside the derivative.
//! 4. [`backpropagate`]: the gradient of the loss, in four equations; [`backpropagate_with`] for a loss of your own.
//! 5. [`gradient_check()`]: the proof, by finite differences; [`explain_gradient_check`] says what is wrong.
//!
//! [`Workspace`] computes the same faster, on packed weights: [`Workspace::step`] to train, with a [`GradientSink`] as update
//! rule, [`Workspace::step_with`] where the loss is your own ([`SampleLoss`]), and [`Workspace::forward`] to predict.
//! [`Workspace::step_with_options`] can also leave out inputs and hidden outputs ([`Dropout`]), clip the gradient and bound the
//! weights of each unit, and an [`Average`] follows the weights; with [`Workspace::with_bf16_products`] the products are of numbers
//! rounded to bf16, and with [`Workspace::with_batch_norm`] those of hidden layers are normalised over the batch. [`OneByOne`] takes steps on single
//! samples. A whole training loop with a loss and an update rule of its own is in
//! `examples/custom_loop.rs`.
//!
//! Conventions: a batch has one row a sample, `(n_samples, n_features)`; weights are `(n_inputs, n_outputs)`; the loss of a
//! batch is the mean over its samples, and what [`Workspace::step`] returns their sum. Numbers are `f32` or `f64` ([`Real`]). A wrong shape is a mistake in the calling program and
//! panics, naming both shapes. Randomness comes from a seed or a generator that the caller passes. Every choice is named in
//! texts ([`str::parse`] and `Display`); an [`UnknownName`] says which names there are.
//!
//! ```
//! use mlp_core::{Activation, Initializer, Loss, Mlp, Objective, Reduction, backpropagate};
//! use mlp_core::ndarray::array;
//!
//! // Exclusive or: the smallest problem that needs a hidden layer.
//! let inputs = array![[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]];
//! let targets = array![[0.0], [1.0], [1.0], [0.0]];
//! let objective = Objective { loss: Loss::CrossEntropy, reduction: Reduction::Sum };
//!
//! let activations = [Activation::Tanh, Activation::Sigmoid];
//! let mut mlp = Mlp::<f64>::seeded(&[2, 4, 1], &activations, true, Initializer::GLOROT_UNIFORM, 1);
//! for _ in 0..500 {
//!     let (_, gradients) = backpropagate(&mlp, inputs.view(), targets.view(), objective);
//!     for (layer, gradient) in mlp.layers.iter_mut().zip(&gradients.layers) {
//!         layer.weights.scaled_add(-1.0, &gradient.weights);
//!         if let (Some(bias), Some(gradient)) = (&mut layer.bias, &gradient.bias) {
//!             bias.scaled_add(-1.0, gradient);
//!         }
//!     }
//! }
//! let answers = mlp.forward(inputs.view()).mapv(f64::round);
//! assert_eq!(answers, targets);
//! ```
//!
//! The same on the fast path, in `f32`:
//!
//! ```
//! use mlp_core::{
//!     Activation, ArrayBatch, GradientSink, Initializer, Kernel, Loss, Mlp, Objective, Parameter, Reduction, Workers,
//!     Workspace,
//! };
//! use mlp_core::ndarray::array;
//!
//! /// Gradient descent with a learning rate of 1: W ← W − ∂loss/∂W.
//! struct Descent;
//! impl GradientSink<f32> for Descent {
//!     const N_SLOTS: usize = 0;
//!     #[inline(always)]
//!     fn weight(&self, weight: Parameter<f32>, gradient: f32) -> Parameter<f32> {
//!         Parameter { value: weight.value - gradient, ..weight }
//!     }
//!     #[inline(always)]
//!     fn bias(&self, bias: Parameter<f32>, gradient: f32) -> Parameter<f32> {
//!         self.weight(bias, gradient)
//!     }
//! }
//!
//! let inputs = array![[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]];
//! let targets = array![[0.0], [1.0], [1.0], [0.0]];
//! let objective = Objective { loss: Loss::CrossEntropy, reduction: Reduction::Sum };
//!
//! let activations = [Activation::Tanh, Activation::Sigmoid];
//! let mut mlp = Mlp::<f32>::seeded(&[2, 4, 1], &activations, true, Initializer::GLOROT_UNIFORM, 1);
//! let workers = Workers::new(1);
//! let mut workspace = Workspace::new(&mlp, 4, 0, Kernel::detect(), &workers);
//! let batch = ArrayBatch::new(inputs.view(), targets.view());
//! for _ in 0..500 {
//!     workspace.step(&batch, objective, &Descent, &workers)?;
//! }
//! workspace.forward(&batch, &workers);
//! assert!((0..4).all(|row| workspace.outputs(row)[0].round() == targets[[row, 0]]));
//! workspace.store(&mut mlp); // back into matrices
//! # Ok::<(), mlp_core::NonFinite>(())
//! ```

#![warn(clippy::print_stdout, clippy::print_stderr, clippy::exit)]

mod activation;
mod backpropagation;
mod batch_norm;
mod dropout;
mod functions;
mod gradient_check;
mod gradient_fault;
mod initializer;
mod loss;
mod mlp;
mod real;
mod unknown_name;
// What is there for speed.
mod aligned;
mod kernel;
mod sample_loss;
mod sink;
mod workspace;

pub use ndarray;
pub use rand;
pub use rand_chacha;

pub use activation::Activation;
pub use backpropagation::{
    Gradients, LayerGradient, backpropagate, backpropagate_masked, backpropagate_weighted, backpropagate_with,
    mean_loss,
};
pub use batch_norm::{BatchNorm, BatchStatistics, NormalizedLayer, NormalizedStep, backpropagate_normalized};
pub use dropout::{Dropout, Masks};
pub use gradient_check::{TensorCheck, compare_gradients, finite_differences, finite_differences_with, gradient_check};
pub use gradient_fault::{GradientFault, explain_gradient_check};
pub use initializer::Initializer;
pub use kernel::level::Kernel;
pub use kernel::peak::{bf16_multiply_adds_in_registers, multiply_adds_in_registers};
pub use kernel::prefetch::prefetch;
pub use kernel::workers::Workers;
pub use loss::{Loss, Objective, Reduction};
pub use mlp::{Layer, Mlp};
pub use real::Real;
pub use sample_loss::SampleLoss;
pub use sink::{GradientSink, KeepGradient, Parameter};
pub use unknown_name::UnknownName;
pub use workspace::average::Average;
pub use workspace::batch::{ArrayBatch, Batch};
pub use workspace::one_by_one::{Descent, OneByOne};
pub use workspace::options::StepOptions;
pub use workspace::{NonFinite, Workspace};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
