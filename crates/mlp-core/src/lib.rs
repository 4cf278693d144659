//! Multilayer perceptrons, from the forward pass to back-propagation.
//!
//! Read the modules in this order; each is short:
//!
//! 1. [`Activation`]: what a unit does with its net input, beside the derivative.
//! 2. [`Mlp`] and [`Layer`]: `activation(x · W + b)`, layer after layer.
//! 3. [`Loss`]: how outputs are compared with targets, beside the derivative.
//! 4. [`backpropagate`]: the gradient of the loss, in four equations.
//! 5. [`gradient_check()`]: the proof, by finite differences.
//!
//! [`Workspace`] computes the same faster, on packed weights, for training; [`OneByOne`] takes steps on single samples.
//!
//! Conventions: a batch has one row a sample, `(n_samples, n_features)`; weights are `(n_inputs, n_outputs)`; losses are
//! means over the batch. Numbers are `f32` or `f64` ([`Real`]). A wrong shape is a mistake in the calling program and
//! panics, naming both shapes. Randomness comes from a generator that the caller passes.
//!
//! ```
//! use mlp_core::{Activation, Initializer, Loss, Mlp, Objective, Reduction, backpropagate};
//! use ndarray::array;
//! use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
//!
//! // Exclusive or: the smallest problem that needs a hidden layer.
//! let inputs = array![[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]];
//! let targets = array![[0.0], [1.0], [1.0], [0.0]];
//! let objective = Objective { loss: Loss::CrossEntropy, reduction: Reduction::Sum };
//!
//! let mut rng = ChaCha8Rng::seed_from_u64(1);
//! let activations = [Activation::Tanh, Activation::Sigmoid];
//! let mut mlp = Mlp::<f64>::new(&[2, 4, 1], &activations, true, Initializer::GLOROT_UNIFORM, &mut rng);
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

mod activation;
mod backpropagation;
mod functions;
mod gradient_check;
mod initializer;
mod loss;
mod mlp;
mod real;
// What is there for speed.
mod aligned;
mod kernel;
mod sink;
mod workspace;

pub use ndarray;
pub use rand;

pub use activation::Activation;
pub use backpropagation::{Gradients, LayerGradient, backpropagate, mean_loss};
pub use gradient_check::{TensorCheck, compare_gradients, finite_differences, gradient_check};
pub use initializer::Initializer;
pub use kernel::peak::multiply_adds_in_registers;
pub use kernel::workers::Workers;
pub use kernel::{Kernel, prefetch};
pub use loss::{Loss, Objective, Reduction};
pub use mlp::{Layer, Mlp};
pub use real::Real;
pub use sink::{GradientSink, KeepGradient, Parameter};
pub use workspace::{Batch, Descent, NonFinite, OneByOne, Workspace};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
