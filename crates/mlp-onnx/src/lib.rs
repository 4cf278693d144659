//! Multilayer perceptrons as ONNX files, and back.
//!
//! [`export`] writes a model of this project as a file that onnxruntime, tract and others run without it: the layers with
//! their activations, on request with the scaling of pixels before them ([`InputKind::Pixels`]) and the decoding to the index of
//! a class behind them ([`ExportOptions::classes`]), and all that the model says of itself as metadata. [`import`] reads a file
//! that holds such a network, from here or from PyTorch, scikit-learn and others, and refuses any other with the node that is in
//! the way.
//!
//! ```
//! use mlp_onnx::{ExportOptions, ImportOptions, from_onnx, to_onnx};
//! use mlp_train::mlp_core::{Activation, Initializer, Mlp};
//! use mlp_train::{SavedModel, TargetEncoding, TrainConfig};
//!
//! let config = TrainConfig::new().hidden([3]).activation([Activation::Tanh]).encoding(TargetEncoding::OneHot);
//! let mlp = Mlp::<f32>::seeded(&[4, 3, 2], &config.activations(), config.bias, config.initializer, 0);
//! let model = SavedModel::new(mlp, config, ["setosa", "versicolor"]);
//!
//! let bytes = to_onnx(&model, &ExportOptions::new().classes(true))?;
//! let imported = from_onnx(&bytes, &ImportOptions::new())?;
//! assert_eq!(imported.model, model);
//! # Ok::<(), mlp_onnx::Error>(())
//! ```
//!
//! # What is written
//!
//! IR version 7 with operator set 13, those of ONNX 1.8. One input, `input`: `(batch, n_inputs)`, in the precision of the
//! network or as `uint8`. One output, `outputs`: `(batch, n_outputs)`; with classes a second, `class`: `int64`, `(batch)`, −1
//! where the answer is no class. `batch` may be any number. A network in double precision stays in double precision.
//!
//! # What is read from whom
//!
//! A file that is read may come from anybody. Its bytes are read once and nothing is allocated for lengths that it claims;
//! besides them an import needs the memory of the network, and at most a few megabytes. Files that it names are never
//! opened. What is damaged or not supported is an [`Error`] with the byte, the node or the tensor. ONNX has no checksum: a file that is
//! cut off between two fields can still be a network, without its classes, say.

#![warn(clippy::print_stdout, clippy::print_stderr, clippy::exit)]

mod export;
mod import;

// What both stand on.
mod element;
mod error;
mod schema;
mod wire;

pub use mlp_train;

pub use error::{Error, ErrorKind, Result};
pub use export::{ExportOptions, InputKind, export, to_onnx};
pub use import::{ImportOptions, Imported, Note, from_onnx, import};

/// Its program is compiled and run with the documentation's.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
