//! Small tables: a row of numbers for each sample, and a class or numbers for each row. `fit`, then `predict`.
//!
//! ```
//! use mlp_train::ndarray::array;
//! use mlp_train::tabular::{MlpClassifier, stratified_split};
//!
//! // Two lengths of a flower, and its species. Any labels will do that can be ordered: words, numbers, characters, …
//! let flowers = array![[1.4, 0.2], [1.3, 0.2], [1.5, 0.4], [1.4, 0.3], [4.7, 1.4], [4.5, 1.5], [4.9, 1.5], [4.0, 1.3]];
//! let species = ["setosa", "setosa", "setosa", "setosa", "versicolor", "versicolor", "versicolor", "versicolor"];
//!
//! let split = stratified_split(&flowers, &species, 0.25, 0)?;
//! let model = MlpClassifier::fit(&split.train_inputs, &split.train_targets)?;
//! assert_eq!(model.score(&split.test_inputs, &split.test_targets)?, 1.0);
//! assert_eq!(model.predict(&array![[4.6, 1.4]])?, ["versicolor"]);
//! # Ok::<(), mlp_train::Error>(())
//! ```
//!
//! What [`MlpClassifier`] and [`MlpRegressor`] add to [`train()`](crate::train()), which does the training:
//!
//! - Columns are brought to mean 0 and deviation 1 before training, as [`StandardScaler`] does: nets learn columns of like size
//!   faster. Afterwards the scaling is folded into the weights of the first layer, and that of a regressor's targets into those
//!   of the last. So what is predicted with, and saved, is a plain network that takes the table's own numbers, and nobody who
//!   loads it, here or in Python, has to know of a scaler.
//! - Labels become classes, in their order, and answers become labels again.
//! - A [`TrainConfig`](crate::TrainConfig) that suits tables, [`classifier_config`] and [`regressor_config`], with which
//!   `fit_with` takes any other choice. Where a table has fewer rows than a batch, it is one batch.
//!
//! The same table and configuration, its seed included, give the same network, bit for bit, on processors of the same
//! [`Kernel`](crate::mlp_core::Kernel). Training and predicting take one thread; numbers are `f64` on the way in and out.

mod classifier;
mod fit;
mod regressor;
mod scaler;
mod split;

pub use classifier::{MlpClassifier, classifier_config};
pub use regressor::{MlpRegressor, regressor_config};
pub use scaler::StandardScaler;
pub use split::{Split, random_split, stratified_split};
