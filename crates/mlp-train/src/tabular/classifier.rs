//! A class for each row.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use mlp_core::{Activation, Initializer, Loss};
use ndarray::{Array2, ArrayView2};

use super::fit::{Fitted, Wanted, check_numbers, fit};
use crate::config::{EvaluateTrain, TrainConfig};
use crate::decoding::Decoding;
use crate::encoding::{Codebook, TargetEncoding};
use crate::error::{Error, ErrorKind, Result};
use crate::history::History;
use crate::model::{SavedModel, load_model};

/// A network that answers each row of a table with a label.
///
/// `L` is any type with an order: `&str`, `String`, `char`, `u32`, `bool`, an enum that derives `Ord`. There may be as many
/// classes as one likes; with one output for each, a thousand are slow and ten thousand too many.
///
/// ```
/// use mlp_train::mlp_core::Activation;
/// use mlp_train::ndarray::array;
/// use mlp_train::tabular::{MlpClassifier, classifier_config};
///
/// // Exclusive or.
/// let inputs = array![[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]];
/// let labels = ["equal", "different", "different", "equal"];
/// let config = classifier_config().hidden([8]).activation([Activation::Tanh]).epochs(500).seed(3);
/// let model = MlpClassifier::fit_with(&config, &inputs, &labels)?;
/// assert_eq!(model.predict(&inputs)?, labels);
///
/// // The columns are the classes, in their order.
/// assert_eq!(model.classes(), ["different", "equal"]);
/// let probabilities = model.predict_proba(&inputs)?;
/// assert!(probabilities[[0, 1]] > 0.9);
///
/// // In a file the labels are texts.
/// let path = std::env::temp_dir().join(format!("mlp-classifier-{}.safetensors", std::process::id()));
/// model.save(&path)?;
/// let loaded = MlpClassifier::<String>::load(&path)?;
/// assert_eq!(loaded.predict(&inputs)?, labels);
/// # std::fs::remove_file(path).unwrap();
/// # Ok::<(), mlp_train::Error>(())
/// ```
///
/// Two are equal if their histories are, too, in which are the seconds that training took: to compare what was learned, compare
/// their models (`to_model`).
#[derive(Clone, Debug, PartialEq)]
pub struct MlpClassifier<L> {
    classes: Vec<L>,
    codebook: Codebook,
    fitted: Fitted,
}

/// What suits the classes of a table: 32 hidden units with tanh, an output for each class with softmax and its cross-entropy,
/// Adam at 0.01 with a cosine, 100 epochs in batches of 32.
///
/// Other encodings than one-hot, and other outputs than softmax, are possible; then there are no probabilities.
pub fn classifier_config() -> TrainConfig {
    TrainConfig::new()
        .hidden([32])
        .activation([Activation::Tanh])
        .initializer(Initializer::GLOROT_UNIFORM)
        .encoding(TargetEncoding::OneHot)
        .output_activation(Activation::Softmax)
        .loss(Loss::SoftmaxCrossEntropy)
        .learning_rate(0.01)
        .epochs(100)
        .evaluate_train(EvaluateTrain::Count(256))
}

impl<L: Ord + Clone> MlpClassifier<L> {
    /// Learns a table as [`classifier_config`] has it: `inputs` of shape `(n_rows, n_columns)`, and the label of each row.
    ///
    /// # Errors
    ///
    /// As [`MlpClassifier::fit_with`].
    pub fn fit<'a>(inputs: impl Into<ArrayView2<'a, f64>>, labels: &[L]) -> Result<Self> {
        Self::fit_with(&classifier_config(), inputs, labels)
    }

    /// Learns a table as `config` has it.
    ///
    /// # Errors
    ///
    /// If there is no row, or not one label for each; if a number is not finite; if the configuration contradicts itself or
    /// asks for ASCII codes, as labels are no characters, or for answers that are read bit by bit, as every row is answered with
    /// a label; if the training diverges.
    pub fn fit_with<'a>(config: &TrainConfig, inputs: impl Into<ArrayView2<'a, f64>>, labels: &[L]) -> Result<Self> {
        let inputs = inputs.into();
        check_numbers(inputs.nrows(), labels.len())?;
        if config.encoding == TargetEncoding::Ascii {
            let expected = "one-hot, binary or random for the labels of a table";
            return Err(Error::of_key("encoding", expected, config.encoding.name())
                .with_advice("begin with tabular::classifier_config()"));
        }
        if config.decoding == Some(Decoding::Exact) {
            let expected = "auto or nearest, as every row of a table is answered with a label";
            return Err(Error::of_key("decoding", expected, "exact"));
        }
        config.check_each_key()?;
        // The model answers, in a file as well, as `predict` does.
        let config = &config.clone().decoding(Decoding::Nearest);
        let (classes, indices) = class_indices(labels);
        // Nothing is computed from the names of the classes.
        let numbers: Vec<String> = (0..classes.len()).map(|class| class.to_string()).collect();
        let codebook = config.encoding.codebook(&numbers);
        let fitted = fit(config, inputs, Wanted::Classes { labels: &indices, codebook: &codebook })?;
        Ok(Self { classes, codebook, fitted })
    }

    /// The label of each row: that of the largest output, or with codes that of the nearest code.
    ///
    /// # Errors
    ///
    /// If there are not as many columns as in the table that was fitted, or a number is not finite.
    pub fn predict<'a>(&self, inputs: impl Into<ArrayView2<'a, f64>>) -> Result<Vec<L>> {
        let outputs = self.fitted.outputs(inputs.into())?;
        let label = |outputs: Vec<f64>| self.classes[self.answer(&outputs)].clone();
        Ok(outputs.rows().into_iter().map(|row| label(row.to_vec())).collect())
    }

    /// The probability of each class for each row, shape `(n_rows, n_classes)`, in the order of [`MlpClassifier::classes`]:
    /// what the network holds to be so. Nothing was done to calibrate it.
    ///
    /// # Errors
    ///
    /// As [`MlpClassifier::predict`], and if the outputs are no probabilities, for want of softmax.
    pub fn predict_proba<'a>(&self, inputs: impl Into<ArrayView2<'a, f64>>) -> Result<Array2<f64>> {
        let output = self.fitted.config.output_activation;
        if output != Activation::Softmax {
            return Err(Error::of_key("output_activation", "softmax, whose outputs are probabilities", output.name()));
        }
        self.fitted.outputs(inputs.into())
    }

    /// The accuracy: the fraction of rows whose label is predicted. A label that was in no row that was fitted is never
    /// predicted.
    ///
    /// # Errors
    ///
    /// As [`MlpClassifier::predict`], and if there is no row, or not one label for each.
    pub fn score<'a>(&self, inputs: impl Into<ArrayView2<'a, f64>>, labels: &[L]) -> Result<f64> {
        let inputs = inputs.into();
        check_numbers(inputs.nrows(), labels.len())?;
        if labels.is_empty() {
            return Err(Error::new(ErrorKind::Samples, "at least one row", "none"));
        }
        let n_right = self.predict(inputs)?.iter().zip(labels).filter(|(answer, label)| answer == label).count();
        Ok(n_right as f64 / labels.len() as f64)
    }
}

impl<L> MlpClassifier<L> {
    /// The different labels, in their order.
    pub fn classes(&self) -> &[L] {
        &self.classes
    }

    /// How the training went; `None` for a classifier that was loaded.
    pub fn history(&self) -> Option<&History> {
        self.fitted.history.as_ref()
    }

    /// The index of the class with the nearest code.
    fn answer(&self, outputs: &[f64]) -> usize {
        if self.fitted.config.encoding != TargetEncoding::OneHot {
            return self.codebook.decode_nearest(outputs);
        }
        // One output for each class: that of the largest, of several the first.
        (1..outputs.len()).fold(0, |largest, class| if outputs[class] > outputs[largest] { class } else { largest })
    }
}

impl<L: fmt::Display> MlpClassifier<L> {
    /// The classifier as a model whose classes are the texts of the labels: for [`Classifier`](crate::Classifier), and with
    /// entries of one's own ([`SavedModel::other`]).
    pub fn to_model(&self) -> SavedModel {
        SavedModel::new(self.fitted.mlp.clone(), self.fitted.config.clone(), &self.classes)
    }

    /// Saves the classifier in a model file (safetensors), with the texts of its labels.
    ///
    /// # Errors
    ///
    /// If two labels have the same text, or the file cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let model = self.to_model();
        let mut texts: Vec<&String> = model.classes.iter().collect();
        texts.sort_unstable();
        if let Some(twins) = texts.windows(2).find(|pair| pair[0] == pair[1]) {
            let found = format!("two with the text \"{}\"", twins[0]);
            return Err(Error::new(ErrorKind::Model, "labels that differ in their texts", found).in_file(path.as_ref()));
        }
        model.save(path)
    }
}

impl<L: FromStr> MlpClassifier<L> {
    /// Loads a model file with classes: one that [`MlpClassifier::save`] wrote, or any other.
    ///
    /// # Errors
    ///
    /// As [`load_model`], and if the model has no classes, one that is the text of no label, or codes of another length than its
    /// outputs.
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let model = load_model(path)?;
        let label = |text: &String| {
            text.parse().map_err(|_| {
                let expected = format!("classes that are read as {}", std::any::type_name::<L>());
                let error = Error::new(ErrorKind::Model, expected, format!("\"{text}\"")).in_file(path);
                error.with_advice("as String any can be read")
            })
        };
        let classes: Vec<L> = model.classes.iter().map(label).collect::<Result<_>>()?;
        if classes.is_empty() {
            let error = Error::new(ErrorKind::Model, "a model with classes", "one without").in_file(path);
            return Err(error.with_advice("load it as an MlpRegressor"));
        }
        model.config.encoding.check_classes(&model.classes).map_err(|error| error.in_file(path))?;
        let codebook = model.config.encoding.codebook(&model.classes);
        let (n_outputs, n_bits) = (model.network.n_outputs(), codebook.n_bits());
        if n_outputs != n_bits {
            let expected = format!("{n_outputs} bits in the codes of the classes, as the network has outputs");
            return Err(Error::new(ErrorKind::Model, expected, n_bits.to_string()).in_file(path));
        }
        Ok(Self { classes, codebook, fitted: Fitted::of(&model) })
    }
}

/// The different labels in their order, and for each row the index of its own.
pub(super) fn class_indices<L: Ord + Clone>(labels: &[L]) -> (Vec<L>, Vec<usize>) {
    let mut classes: Vec<L> = labels.to_vec();
    classes.sort_unstable();
    classes.dedup();
    let index = |label: &L| classes.binary_search(label).expect("every label is among the classes");
    let indices = labels.iter().map(index).collect();
    (classes, indices)
}
