//! A model as an ONNX file.

mod decoding;
mod graph;

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::str::FromStr;

use mlp_core::{Activation, Mlp};
use mlp_train::{AnyMlp, SavedModel, TargetEncoding};
use serde_json::json;

use crate::element::Element;
use crate::error::{Error, ErrorKind, Result};
use crate::schema::{IR_VERSION, OPSET, element, entry, model as fields, operator_set};
use crate::wire::Message;
use graph::{Attribute, Graph, rows};

/// The names of the input and of the outputs.
pub(crate) const INPUT: &str = "input";
pub(crate) const OUTPUTS: &str = "outputs";
pub(crate) const CLASS: &str = "class";
/// What the network answers, where the outputs are its exponentials.
const LOG_RATES: &str = "log_rates";
/// The entry of the metadata that holds what a model file says of the network.
pub(crate) const CONFIG: &str = "config";
/// What no reader of Protocol Buffers takes as one message.
const MAX_BYTES: usize = i32::MAX as usize;

/// What the network is given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum InputKind {
    /// Numbers as the network was trained on, in its precision; of images from 0 to 1.
    #[default]
    Values,
    /// Grey levels from 0 to 255 as `uint8`, divided by 255 within the graph.
    Pixels,
}

impl InputKind {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Values, Self::Pixels];

    /// The name in commands: `values` or `pixels`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Values => "values",
            Self::Pixels => "pixels",
        }
    }
}

impl fmt::Display for InputKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for InputKind {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        let known = Self::ALL.into_iter().find(|kind| kind.name() == name);
        known.ok_or_else(|| Error::options("input", "values or pixels", format!("\"{name}\"")))
    }
}

/// What a file is to hold besides the network.
///
/// ```
/// use mlp_onnx::{ExportOptions, InputKind};
///
/// let options = ExportOptions::new().input(InputKind::Pixels).classes(true).metadata("author", "A. Turing");
/// assert!(options.classes);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExportOptions {
    /// What the network is given.
    pub input: InputKind,
    /// Whether there is a second output, the index of the class: read as the model reads its answers
    /// ([`Decoding`](mlp_train::Decoding)), −1 for an invalid one.
    pub classes: bool,
    /// Whether the outputs are the exponentials of the network's: the rates of a network that answers their logarithms, as one
    /// does that was trained on counts ([`Loss::Poisson`](mlp_train::mlp_core::Loss::Poisson)).
    pub rates: bool,
    /// Further entries of the metadata, such as the trial that made the model. Those that an export writes itself
    /// (`classes`, `encoding`, `decoding`, `codes`, `inputs`, `preparation` where the model says one, `config`) win over them.
    pub metadata: BTreeMap<String, String>,
}

impl ExportOptions {
    /// Values in, outputs out, no further metadata.
    pub fn new() -> Self {
        Self::default()
    }

    /// With this [`ExportOptions::input`](field@Self::input).
    #[must_use]
    pub fn input(self, input: InputKind) -> Self {
        Self { input, ..self }
    }

    /// With or without [`ExportOptions::classes`](field@Self::classes).
    #[must_use]
    pub fn classes(self, classes: bool) -> Self {
        Self { classes, ..self }
    }

    /// With or without [`ExportOptions::rates`](field@Self::rates).
    #[must_use]
    pub fn rates(self, rates: bool) -> Self {
        Self { rates, ..self }
    }

    /// With one more entry of the [`ExportOptions::metadata`](field@Self::metadata).
    #[must_use]
    pub fn metadata(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.metadata.insert(key.into(), value.into());
        self
    }
}

/// Writes a model as an ONNX file, staged and renamed; a file that is there is replaced.
///
/// # Errors
///
/// As [`to_onnx`], and if the file cannot be written.
pub fn export(model: &SavedModel, options: &ExportOptions, path: impl AsRef<Path>) -> Result<()> {
    let path = path.as_ref();
    let bytes = to_onnx(model, options).map_err(|error| error.in_file(path))?;
    durable_file::write(path, &bytes).map_err(|source| Error::io(path, "write the network", source))
}

/// The bytes of an ONNX file with this model; with batch normalisation that of the [folded](SavedModel::folded) network.
///
/// # Errors
///
/// If a weight is not finite; if classes are asked for, and the model names none or has not one output for each bit of their
/// codes; if rates are asked for and the outputs are not identities; if the file would exceed the 2 GiB that such files may have.
///
/// # Panics
///
/// If the layers do not fit each other.
pub fn to_onnx(model: &SavedModel, options: &ExportOptions) -> Result<Vec<u8>> {
    let folded = model.config.batch_norm.then(|| model.folded());
    let model = folded.as_ref().unwrap_or(model);
    let graph = match &model.network {
        AnyMlp::F32(mlp) => graph(model, mlp, options)?,
        AnyMlp::F64(mlp) => graph(model, mlp, options)?,
    };
    let operators = Message::new().text(operator_set::DOMAIN, "").int(operator_set::VERSION, OPSET);
    let metadata: Vec<Message> = metadata(model, options)
        .iter()
        .map(|(key, value)| Message::new().text(entry::KEY, key).text(entry::VALUE, value))
        .collect();
    let bytes = Message::new()
        .int(fields::IR_VERSION, IR_VERSION)
        .text(fields::PRODUCER_NAME, env!("CARGO_PKG_NAME"))
        .text(fields::PRODUCER_VERSION, env!("CARGO_PKG_VERSION"))
        .text(
            fields::DOC_STRING,
            "A multilayer perceptron. What it is given and what it answers stands at its input and outputs.",
        )
        .message(fields::GRAPH, &graph)
        .message(fields::OPSET_IMPORT, &operators)
        .messages(fields::METADATA_PROPS, &metadata)
        .into_bytes();
    if bytes.len() > MAX_BYTES {
        return Err(Error::new(ErrorKind::Options, "a network of less than 2 GiB", format!("{} bytes", bytes.len())));
    }
    Ok(bytes)
}

fn graph<F: Element>(model: &SavedModel, mlp: &Mlp<F>, options: &ExportOptions) -> Result<Message> {
    check_finite(mlp)?;
    check_rates(model, mlp, options)?;
    let mut graph = Graph::default();
    let mut current = INPUT.to_owned();
    let input = match options.input {
        InputKind::Values => {
            rows(INPUT, F::TYPE, mlp.n_inputs(), "One row for each sample; of images the grey levels, from 0 to 1")
        }
        InputKind::Pixels => {
            graph.node("Cast", &[INPUT], "grey_levels", &[("to", Attribute::Int(F::TYPE))]);
            graph.constant("largest_grey_level", &[], [F::narrow(255.0)]);
            graph.node("Div", &["grey_levels", "largest_grey_level"], "values", &[]);
            current = "values".to_owned();
            rows(INPUT, element::UINT8, mlp.n_inputs(), "One row for each image: its grey levels, from 0 to 255")
        }
    };
    for (index, layer) in mlp.layers.iter().enumerate() {
        let is_last = index + 1 == mlp.layers.len();
        let last = if options.rates { LOG_RATES } else { OUTPUTS };
        let outputs = if is_last { last.to_owned() } else { format!("layers.{index}.outputs") };
        let net_inputs = match layer.activation {
            Activation::Identity => outputs.clone(),
            _ => format!("layers.{index}.net_inputs"),
        };
        let (weights, bias) = (format!("layers.{index}.weights"), format!("layers.{index}.bias"));
        graph.constant(&weights, layer.weights.shape(), layer.weights.iter().copied());
        match &layer.bias {
            Some(values) => {
                graph.constant(&bias, &[values.len()], values.iter().copied());
                if F::TYPE == element::DOUBLE {
                    // onnxruntime 1.16 joins Gemm with the activation behind it, which it then cannot compute in double;
                    // tract 0.23 cannot compute it with biases.
                    let product = format!("layers.{index}.product");
                    graph.node("MatMul", &[&current, &weights], &product, &[]);
                    graph.node("Add", &[&product, &bias], &net_inputs, &[]);
                } else {
                    graph.node("Gemm", &[&current, &weights, &bias], &net_inputs, &[]);
                }
            }
            None => graph.node("MatMul", &[&current, &weights], &net_inputs, &[]),
        }
        match layer.activation {
            Activation::Sigmoid => graph.node("Sigmoid", &[&net_inputs], &outputs, &[]),
            Activation::Tanh => graph.node("Tanh", &[&net_inputs], &outputs, &[]),
            Activation::Relu => graph.node("Relu", &[&net_inputs], &outputs, &[]),
            Activation::Identity => {}
            Activation::Softmax => graph.node("Softmax", &[&net_inputs], &outputs, &[("axis", Attribute::Int(-1))]),
        }
        current = outputs;
    }
    if options.rates {
        graph.node("Exp", &[LOG_RATES], OUTPUTS, &[]);
    }
    let said = outputs_in_words(model, options.rates);
    let mut outputs = vec![rows(OUTPUTS, F::TYPE, mlp.n_outputs(), &said)];
    if options.classes {
        outputs.push(decoding::add(model, mlp, &mut graph)?);
    }
    Ok(graph.finish(&input, &outputs))
}

/// What the outputs are, in a sentence.
fn outputs_in_words(model: &SavedModel, are_rates: bool) -> String {
    let (encoding, activation) = (model.config.encoding, model.config.output_activation);
    if are_rates {
        return "One row for each sample, rates: the exponentials of what the network answers".to_owned();
    }
    match (model.classes.is_empty(), encoding) {
        (true, _) => format!("One row for each sample, {activation} outputs"),
        (false, TargetEncoding::OneHot) => format!("One row for each sample, a {activation} output for each class"),
        (false, _) => {
            format!("One row for each sample, a {activation} output for each bit of the {encoding} code of a class")
        }
    }
}

fn check_rates<F: Element>(model: &SavedModel, mlp: &Mlp<F>, options: &ExportOptions) -> Result<()> {
    if !options.rates {
        return Ok(());
    }
    if !model.classes.is_empty() {
        let found = format!("one of {} classes", model.classes.len());
        return Err(Error::options("rates", "a model without classes", found));
    }
    match mlp.layers.last().map(|layer| layer.activation) {
        Some(Activation::Identity) | None => Ok(()),
        Some(other) => Err(Error::options("rates", "a network with identity outputs", format!("{other} outputs"))),
    }
}

fn check_finite<F: Element>(mlp: &Mlp<F>) -> Result<()> {
    for (index, layer) in mlp.layers.iter().enumerate() {
        let mut values = layer.weights.iter().chain(layer.bias.iter().flatten());
        if let Some(value) = values.find(|value| !value.is_finite()) {
            let error = Error::options(
                format!("layer {} of {}", index + 1, mlp.layers.len()),
                "finite weights",
                value.to_string(),
            );
            return Err(error.with_advice("take a model of a run that did not diverge"));
        }
    }
    Ok(())
}

fn metadata(model: &SavedModel, options: &ExportOptions) -> BTreeMap<String, String> {
    let mut metadata = options.metadata.clone();
    let config = &model.config;
    let sizes: Vec<String> =
        config.sizes(model.network.n_inputs(), model.network.n_outputs()).iter().map(usize::to_string).collect();
    let inputs = match options.input {
        InputKind::Values => "values as in training; of images grey levels divided by 255",
        InputKind::Pixels => "grey levels from 0 to 255, row by row",
    };
    let mut own = vec![("network", sizes.join("-")), ("inputs", inputs.to_owned())];
    if !model.classes.is_empty() {
        own.push(("classes", json!(model.classes).to_string()));
        own.push(("encoding", config.encoding.to_string()));
        own.push(("decoding", config.answers_by().to_string()));
        if config.encoding != TargetEncoding::OneHot && config.encoding.check_classes(&model.classes).is_ok() {
            own.push(("codes", decoding::codes_in_text(model)));
        }
    }
    if let Some(pictures) = model.other.get("pictures").and_then(|text| text.as_str()) {
        own.push(("preparation", format!("pictures {pictures}")));
    }
    own.push((CONFIG, mlp_train::canonical_json(&model.to_map().into())));
    metadata.extend(own.into_iter().map(|(key, value)| (key.to_owned(), value)));
    metadata
}
