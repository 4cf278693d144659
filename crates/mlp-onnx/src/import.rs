//! An ONNX file as a model.

mod document;
mod layers;
mod path;
mod tensor;

use std::fmt;
use std::path::Path;

use mlp_core::{Activation, Loss, Mlp};
use mlp_train::{AnyMlp, Precision, SavedModel, TargetEncoding, TrainConfig};

use crate::element::Element;
use crate::error::{Error, ErrorKind, Result};
use crate::export::CONFIG;
use crate::schema::element;
use document::Document;
use layers::Draft;

/// The longest text in the metadata that is read as a configuration.
const MAX_CONFIG: usize = 1 << 22;
/// The most outputs that are taken for classes where nobody says what they are.
const MAX_ASSUMED_CLASSES: usize = 10_000;

/// What a file does not say of its network, or what is to be used instead.
///
/// ```
/// use mlp_onnx::ImportOptions;
/// use mlp_train::TargetEncoding;
///
/// let options = ImportOptions::new().classes("0123456789".chars()).encoding(TargetEncoding::Ascii);
/// assert_eq!(options.classes.unwrap().len(), 10);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ImportOptions {
    /// What the labels 0, 1, 2, … stand for. Where nobody says it, several outputs are taken for classes called 0, 1, 2, …
    pub classes: Option<Vec<String>>,
    /// How a class is written as outputs. Where nobody says it, one-hot.
    pub encoding: Option<TargetEncoding>,
}

impl ImportOptions {
    /// What the file says.
    pub fn new() -> Self {
        Self::default()
    }

    /// With these [`ImportOptions::classes`](field@Self::classes).
    #[must_use]
    pub fn classes(self, classes: impl IntoIterator<Item = impl ToString>) -> Self {
        Self { classes: Some(classes.into_iter().map(|class| class.to_string()).collect()), ..self }
    }

    /// With this [`ImportOptions::encoding`](field@Self::encoding).
    #[must_use]
    pub fn encoding(self, encoding: TargetEncoding) -> Self {
        Self { encoding: Some(encoding), ..self }
    }
}

/// A model that was imported.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Imported {
    /// The model. Of a file that this crate wrote, the one that was exported.
    pub model: SavedModel,
    /// What whoever uses it should know.
    pub notes: Vec<Note>,
}

/// Something in which a model is not what the file said, or the file did not say it. Its text is a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Note {
    /// These outputs of the file are no part of the model.
    LeftOut(Vec<String>),
    /// The file divides pixels by 255; the model is given numbers from 0 to 1, as all models here.
    Divided,
    /// The file's outputs are the exponentials of the network's: it answers logarithms of rates.
    Exponential,
    /// Some layers had biases, and the others have got biases of 0.
    BiasesAdded,
    /// Nobody says what so many outputs stand for: they are taken for classes called 0, 1, 2, …
    ClassesAssumed(usize),
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LeftOut(names) => write!(f, "left out, as no part of the network: {}", names.join(", ")),
            Self::Divided => f.write_str("the file divides its input by 255; the model takes numbers from 0 to 1"),
            Self::Exponential => f.write_str(
                "the file's outputs are the exponentials of the network's; the model answers logarithms of rates",
            ),
            Self::BiasesAdded => f.write_str("some layers have no biases; they have got biases of 0"),
            Self::ClassesAssumed(n) => {
                write!(
                    f,
                    "the file does not name its classes; its {n} outputs are taken for classes called 0 to {}",
                    n - 1
                )
            }
        }
    }
}

/// Reads an ONNX file.
///
/// # Errors
///
/// As [`from_onnx`], and if the file cannot be read.
pub fn import(path: impl AsRef<Path>, options: &ImportOptions) -> Result<Imported> {
    let path = path.as_ref();
    let bytes = durable_file::read(path).map_err(|source| Error::io(path, "read the network", source))?;
    from_onnx(&bytes, options).map_err(|error| error.in_file(path))
}

/// The model that the bytes of an ONNX file hold.
///
/// It is one way from one input to one output: first, if they are there, Flatten, Reshape, Cast and the division by 255;
/// then layers, each a Gemm, or a MatMul with or without an Add, and behind it Sigmoid, Tanh, Relu, nothing, or in the last
/// Softmax or, for rates, Exp. Weights are `float` or `double` and stand in the file itself.
///
/// # Errors
///
/// If the file is damaged, or if there is anything else in it between input and output; if the classes are not those of the
/// network.
pub fn from_onnx(bytes: &[u8], options: &ImportOptions) -> Result<Imported> {
    let document = Document::parse(bytes)?;
    let steps = path::find(&document.graph)?;
    match layers::element_type(&document.graph, &steps)? {
        element::DOUBLE => finish::<f64>(&document, layers::draft(&document.graph, &steps, bytes.len())?, options),
        _ => finish::<f32>(&document, layers::draft(&document.graph, &steps, bytes.len())?, options),
    }
}

fn finish<F: Element>(document: &Document<'_>, draft: Draft<F>, options: &ImportOptions) -> Result<Imported>
where
    AnyMlp: From<Mlp<F>>,
{
    let mut notes = Vec::new();
    let mlp = draft.mlp;
    let seen = seen_config(&mlp, draft.are_rates);
    let (n_inputs, n_outputs) = (mlp.n_inputs(), mlp.n_outputs());
    let mut model = match document.own_config() {
        Some(text) => own_model(mlp, text, &seen)?,
        None => {
            notes.extend(document.left_out());
            SavedModel::new(mlp, seen, Vec::<String>::new())
        }
    };
    notes.extend(draft.is_divided.then_some(Note::Divided).filter(|_| document.own_config().is_none()));
    notes.extend(draft.are_rates.then_some(Note::Exponential).filter(|_| document.own_config().is_none()));
    notes.extend(draft.are_biases_added.then_some(Note::BiasesAdded));
    if let Some(encoding) = options.encoding {
        model.config.encoding = encoding;
        model.config.decoding = None;
    }
    if let Some(classes) = &options.classes {
        model.classes.clone_from(classes);
    } else if model.classes.is_empty()
        && document.own_config().is_none()
        && !draft.are_rates
        && (2..=MAX_ASSUMED_CLASSES).contains(&n_outputs)
    {
        notes.push(Note::ClassesAssumed(n_outputs));
        model.classes = (0..n_outputs).map(|class| class.to_string()).collect();
    }
    check_classes(&model, n_outputs)?;
    let n_parameters = model.config.n_parameters(n_inputs, n_outputs);
    if n_parameters.is_none_or(|n_parameters| n_parameters > mlp_train::MAX_PARAMETERS) {
        let expected = format!("at most {} weights and biases", mlp_train::MAX_PARAMETERS);
        return Err(Error::new(ErrorKind::Unsupported, expected, "more"));
    }
    Ok(Imported { model, notes })
}

/// The configuration as far as the network shows it.
fn seen_config<F: Element>(mlp: &Mlp<F>, are_rates: bool) -> TrainConfig {
    let activations: Vec<Activation> = mlp.layers.iter().map(|layer| layer.activation).collect();
    let (output, hidden) = activations.split_last().expect("a network has layers");
    let is_uniform = hidden.iter().all(|activation| *activation == hidden[0]);
    let hidden = match hidden.first() {
        Some(first) if is_uniform => vec![*first],
        Some(_) => hidden.to_vec(),
        None => TrainConfig::new().activation,
    };
    let sizes = mlp.layers.iter().map(|layer| layer.weights.ncols());
    let loss = match output {
        Activation::Softmax => Loss::SoftmaxCrossEntropy,
        Activation::Sigmoid => Loss::CrossEntropy,
        _ if are_rates => Loss::Poisson,
        _ => Loss::Squared,
    };
    TrainConfig::new()
        .hidden(sizes.take(mlp.layers.len() - 1).collect::<Vec<_>>())
        .activation(hidden)
        .output_activation(*output)
        .bias(mlp.layers[0].bias.is_some())
        .precision(if F::TYPE == element::DOUBLE { Precision::F64 } else { Precision::F32 })
        .encoding(TargetEncoding::OneHot)
        .loss(loss)
}

/// The model that this crate exported, if it still is that one.
fn own_model<F: Element>(mlp: Mlp<F>, text: &str, seen: &TrainConfig) -> Result<SavedModel>
where
    AnyMlp: From<Mlp<F>>,
{
    let place = format!("metadata, {CONFIG}");
    if text.len() > MAX_CONFIG {
        return Err(Error::damaged(place, format!("at most {MAX_CONFIG} bytes"), text.len().to_string()));
    }
    let map = serde_json::from_str(text)
        .map_err(|error| Error::damaged(&place, "the configuration of a network as JSON", error.to_string()))?;
    let model = SavedModel::with_map(mlp, &map)
        .map_err(|error| Error::damaged(error.place().unwrap_or(&place), error.expected(), error.found()))?;
    let said = &model.config;
    let same = [
        ("hidden", said.hidden == seen.hidden),
        ("activation", said.activations() == seen.activations()),
        ("bias", said.bias == seen.bias),
        ("precision", said.precision.kept() == seen.precision),
    ];
    match same.iter().find(|(_, is_same)| !is_same) {
        None => Ok(model),
        Some((key, _)) => {
            let (graph, metadata) = (seen.get(key), said.get(key));
            let error = Error::damaged(
                format!("{place}, key {key}"),
                format!("{graph}, as in the graph"),
                metadata.to_string(),
            );
            Err(error.with_advice("export the model again"))
        }
    }
}

fn check_classes(model: &SavedModel, n_outputs: usize) -> Result<()> {
    if model.classes.is_empty() {
        return Ok(());
    }
    let encoding = model.config.encoding;
    encoding
        .check_classes(&model.classes)
        .map_err(|error| Error::options("encoding", error.expected(), error.found()))?;
    let n_bits = encoding.n_bits(&model.classes);
    if n_bits == n_outputs {
        return Ok(());
    }
    let found = format!("a network with {n_outputs}");
    let expected = format!("{n_bits} outputs, for the {encoding} codes of {} classes", model.classes.len());
    Err(Error::options("classes", expected, found)
        .with_advice("say which classes and which encoding it was trained on"))
}
