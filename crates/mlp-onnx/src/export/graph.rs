//! A graph under construction: its nodes in their order, and the constants that they use.

use crate::element::Element;
use crate::schema::{attribute, element, graph, node, tensor, value_info};
use crate::wire::Message;

/// The nodes and constants so far.
#[derive(Debug, Default)]
pub(super) struct Graph {
    nodes: Vec<Message>,
    constants: Vec<Message>,
}

/// The value of an attribute.
pub(super) enum Attribute<'a> {
    Int(i64),
    Ints(&'a [i64]),
}

impl Graph {
    /// Adds a node with one output.
    pub(super) fn node(&mut self, operator: &str, inputs: &[&str], output: &str, attributes: &[(&str, Attribute<'_>)]) {
        let message = inputs.iter().fold(Message::new(), |message, input| message.text(node::INPUT, input));
        let message = message.text(node::OUTPUT, output).text(node::NAME, output).text(node::OP_TYPE, operator);
        let attributes: Vec<Message> = attributes.iter().map(|(name, value)| value.message(name)).collect();
        self.nodes.push(message.messages(node::ATTRIBUTE, &attributes));
    }

    /// Adds a constant of the precision of the network; `values` are in row-major order.
    pub(super) fn constant<F: Element>(&mut self, name: &str, dims: &[usize], values: impl IntoIterator<Item = F>) {
        let mut bytes = Vec::new();
        values.into_iter().for_each(|value| value.write(&mut bytes));
        self.raw_constant(name, F::TYPE, dims, &bytes);
    }

    /// Adds a constant of integers.
    pub(super) fn integers(&mut self, name: &str, dims: &[usize], values: &[i64]) {
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.raw_constant(name, element::INT64, dims, &bytes);
    }

    fn raw_constant(&mut self, name: &str, element_type: i64, dims: &[usize], bytes: &[u8]) {
        let message = dims.iter().fold(Message::new(), |message, &dim| message.int(tensor::DIMS, dim as i64));
        let message = message.int(tensor::DATA_TYPE, element_type).text(tensor::NAME, name);
        self.constants.push(message.bytes(tensor::RAW_DATA, bytes));
    }

    /// The graph with its input and outputs.
    pub(super) fn finish(self, input: &Message, outputs: &[Message]) -> Message {
        Message::new()
            .messages(graph::NODE, &self.nodes)
            .text(graph::NAME, "multilayer_perceptron")
            .messages(graph::INITIALIZER, &self.constants)
            .message(graph::INPUT, input)
            .messages(graph::OUTPUT, outputs)
    }
}

impl Attribute<'_> {
    fn message(&self, name: &str) -> Message {
        let message = Message::new().text(attribute::NAME, name);
        match self {
            Self::Int(value) => message.int(attribute::I, *value).int(attribute::TYPE, attribute::TYPE_INT),
            Self::Ints(values) => values
                .iter()
                .fold(message, |message, &value| message.int(attribute::INTS, value))
                .int(attribute::TYPE, attribute::TYPE_INTS),
        }
    }
}

/// An input or output of shape `(batch, n_columns)`.
pub(super) fn rows(name: &str, element_type: i64, n_columns: usize, description: &str) -> Message {
    let columns = Message::new().int(value_info::DIM_VALUE, n_columns as i64);
    tensor(name, element_type, &[batch(), columns], description)
}

/// An input or output of shape `(batch)`.
pub(super) fn column(name: &str, element_type: i64, description: &str) -> Message {
    tensor(name, element_type, &[batch()], description)
}

fn batch() -> Message {
    Message::new().text(value_info::DIM_PARAM, "batch")
}

fn tensor(name: &str, element_type: i64, dims: &[Message], description: &str) -> Message {
    let shape = Message::new().messages(value_info::DIM, dims);
    let tensor = Message::new().int(value_info::ELEM_TYPE, element_type).message(value_info::SHAPE, &shape);
    let kind = Message::new().message(value_info::TENSOR_TYPE, &tensor);
    Message::new()
        .text(value_info::NAME, name)
        .message(value_info::TYPE, &kind)
        .text(value_info::DOC_STRING, description)
}
