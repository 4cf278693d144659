//! What a file holds, as far as it is needed, with a limit to the number of everything in it.

use std::collections::HashMap;

use super::Note;
use super::tensor::{Tensor, element_name};
use crate::error::{Error, ErrorKind, Result};
use crate::schema::{OPSETS_READ, attribute, element, entry, graph, model, node, operator_set, value_info};
use crate::wire::{Field, Part};

/// The most nodes, constants, inputs and outputs of a graph: far more than a network has that anybody trained. Each takes some
/// hundred bytes here.
const MAX_ITEMS: usize = 4096;
/// The most inputs, outputs and attributes of a node.
const MAX_PARTS: usize = 16;

/// A file.
pub(super) struct Document<'a> {
    pub(super) graph: Graph<'a>,
    producer: &'a str,
    config: Option<&'a str>,
}

/// Its graph.
#[derive(Default)]
pub(super) struct Graph<'a> {
    pub(super) nodes: Vec<Node<'a>>,
    /// By name.
    pub(super) constants: HashMap<&'a str, Tensor<'a>>,
    /// What is no constant among the inputs.
    pub(super) inputs: Vec<Port<'a>>,
    pub(super) outputs: Vec<Port<'a>>,
}

/// A node.
#[derive(Default)]
pub(super) struct Node<'a> {
    /// From 1, in the order of the file.
    number: usize,
    name: &'a str,
    domain: &'a str,
    pub(super) operator: &'a str,
    pub(super) inputs: Vec<&'a str>,
    pub(super) outputs: Vec<&'a str>,
    attributes: Vec<Part<'a>>,
}

/// An input or output of the graph.
#[derive(Default)]
pub(super) struct Port<'a> {
    pub(super) name: &'a str,
    /// The type of its elements; 0 where the file does not say it.
    pub(super) element_type: i64,
}

/// The value of an attribute, if it is one that is understood.
#[derive(Default)]
pub(super) struct Attribute<'a> {
    pub(super) name: &'a str,
    pub(super) int: Option<i64>,
    pub(super) float: Option<f32>,
    tensor: Option<Part<'a>>,
}

impl<'a> Document<'a> {
    /// # Errors
    ///
    /// If the file is damaged, is none, or has more of anything than a network has.
    pub(super) fn parse(bytes: &'a [u8]) -> Result<Self> {
        if let Some(found) = durable_file::substitute(bytes) {
            return Err(Error::new(ErrorKind::Damaged, "an ONNX file", found));
        }
        let (mut document, mut part) = (Self { graph: Graph::default(), producer: "", config: None }, None);
        let (mut opset, mut n_entries) = (None, 0);
        for field in Part::file(bytes).fields() {
            let field = field.map_err(|error| error.with_advice("take a file in ONNX's format that is whole"))?;
            match field.number {
                model::PRODUCER_NAME => document.producer = field.text()?,
                model::OPSET_IMPORT => opset = standard_operators(field.part()?)?.or(opset),
                model::METADATA_PROPS => {
                    n_entries += 1;
                    check_number("metadata", n_entries)?;
                    document.config = config(field.part()?)?.or(document.config);
                }
                model::FUNCTIONS => {
                    return Err(Error::unsupported("the file", "standard operators", "functions of its own"));
                }
                model::GRAPH if part.replace(field.part()?).is_some() => {
                    return Err(Error::damaged("the file", "one graph", "two"));
                }
                _ => {}
            }
        }
        let part = part.ok_or_else(|| Error::new(ErrorKind::Damaged, "an ONNX file with a graph", "none"))?;
        match opset.filter(|version| OPSETS_READ.contains(version)) {
            Some(_) => document.graph = Graph::parse(part)?,
            None => {
                let expected = format!("operators of version {} to {}", OPSETS_READ.start(), OPSETS_READ.end());
                let found = opset.map_or("none".to_owned(), |version| version.to_string());
                let error = Error::unsupported("opset_import", expected, found);
                return Err(error.with_advice("export it with an opset_version among these"));
            }
        }
        Ok(document)
    }

    /// The configuration that this crate wrote into the metadata.
    pub(super) fn own_config(&self) -> Option<&'a str> {
        self.config.filter(|_| self.producer == env!("CARGO_PKG_NAME"))
    }

    /// The outputs that are not numbers of a network.
    pub(super) fn left_out(&self) -> Option<Note> {
        let others = self.graph.outputs.iter().filter(|output| !output.may_be_numbers());
        let described: Vec<String> =
            others.map(|output| format!("{} ({})", output.name, element_name(output.element_type))).collect();
        (!described.is_empty()).then_some(Note::LeftOut(described))
    }
}

impl<'a> Graph<'a> {
    fn parse(part: Part<'a>) -> Result<Self> {
        let mut parsed = Self::default();
        let mut inputs = Vec::new();
        for field in part.fields() {
            let field = field?;
            match field.number {
                graph::NODE => {
                    check_number("nodes", parsed.nodes.len() + 1)?;
                    parsed.nodes.push(Node::parse(field.part()?, parsed.nodes.len() + 1)?);
                }
                graph::INITIALIZER => {
                    check_number("constants", parsed.constants.len() + 1)?;
                    let tensor = Tensor::parse(field.part()?)?;
                    parsed.add_constant(tensor.name, tensor)?;
                }
                graph::SPARSE_INITIALIZER => {
                    return Err(Error::unsupported("the graph", "weights that are written out", "a sparse tensor"));
                }
                graph::INPUT => push("inputs", &mut inputs, Port::parse(field.part()?)?)?,
                graph::OUTPUT => push("outputs", &mut parsed.outputs, Port::parse(field.part()?)?)?,
                _ => {}
            }
        }
        parsed.take_constant_nodes()?;
        // Older files list constants among the inputs as well.
        parsed.inputs = inputs;
        parsed.inputs.retain(|input| !parsed.constants.contains_key(input.name));
        Ok(parsed)
    }

    /// Makes constants of the nodes that are some.
    fn take_constant_nodes(&mut self) -> Result<()> {
        for node in std::mem::take(&mut self.nodes) {
            let value = match node.operator {
                "Constant" if node.is_standard() => node.attribute_tensor("value")?,
                _ => None,
            };
            match (node.outputs.as_slice(), value) {
                (&[output], Some(part)) => {
                    let mut tensor = Tensor::parse(part)?;
                    tensor.name = output;
                    self.add_constant(output, tensor)?;
                }
                _ => self.nodes.push(node),
            }
        }
        Ok(())
    }

    fn add_constant(&mut self, name: &'a str, tensor: Tensor<'a>) -> Result<()> {
        match self.constants.insert(name, tensor) {
            None => Ok(()),
            Some(_) => Err(twice(name)),
        }
    }
}

impl<'a> Node<'a> {
    fn parse(part: Part<'a>, number: usize) -> Result<Self> {
        let mut parsed = Self { number, ..Self::default() };
        for field in part.fields() {
            let field = field?;
            let n_parts = match field.number {
                node::INPUT => push_counted(&mut parsed.inputs, field.text()?),
                node::OUTPUT => push_counted(&mut parsed.outputs, field.text()?),
                node::ATTRIBUTE => push_counted(&mut parsed.attributes, field.part()?),
                _ => {
                    match field.number {
                        node::NAME => parsed.name = field.text()?,
                        node::OP_TYPE => parsed.operator = field.text()?,
                        node::DOMAIN => parsed.domain = field.text()?,
                        _ => {}
                    }
                    0
                }
            };
            if n_parts > MAX_PARTS {
                let expected = format!("at most {MAX_PARTS} inputs, outputs and attributes of each kind");
                return Err(Error::unsupported(parsed.place(), expected, "more"));
            }
        }
        Ok(parsed)
    }

    /// Whether its operator is one of ONNX itself.
    pub(super) fn is_standard(&self) -> bool {
        ["", "ai.onnx"].contains(&self.domain)
    }

    /// Its operator, with the domain where that is another than ONNX itself.
    pub(super) fn full_operator(&self) -> String {
        if self.is_standard() { self.operator.to_owned() } else { format!("{}.{}", self.domain, self.operator) }
    }

    /// Where it is, in a sentence: `node 3, Gemm "fc1"`.
    pub(super) fn place(&self) -> String {
        let name = if self.name.is_empty() { String::new() } else { format!(" \"{}\"", self.name) };
        format!("node {}, {}{name}", self.number, self.full_operator())
    }

    fn attribute_tensor(&self, name: &str) -> Result<Option<Part<'a>>> {
        self.attributes.iter().try_fold(None, |found, &part| {
            let attribute = Attribute::parse(part)?;
            Ok(if attribute.name == name { attribute.tensor } else { found })
        })
    }

    /// Its attributes, all among those of these names.
    pub(super) fn attributes(&self, known: &[&str]) -> Result<Vec<Attribute<'a>>> {
        let attributes = self.attributes.iter().map(|&part| Attribute::parse(part));
        let attributes: Vec<Attribute<'a>> = attributes.collect::<Result<_>>()?;
        match attributes.iter().find(|attribute| !known.contains(&attribute.name)) {
            None => Ok(attributes),
            Some(unknown) => {
                let expected = match known {
                    [] => "no attributes".to_owned(),
                    _ => format!("no attributes but {}", known.join(", ")),
                };
                Err(Error::unsupported(self.place(), expected, unknown.name))
            }
        }
    }
}

impl<'a> Port<'a> {
    /// Whether these may be the numbers that a network computes.
    pub(super) fn may_be_numbers(&self) -> bool {
        [0, element::FLOAT, element::DOUBLE].contains(&self.element_type)
    }

    fn parse(part: Part<'a>) -> Result<Self> {
        let mut parsed = Self::default();
        for field in part.fields() {
            let field = field?;
            match field.number {
                value_info::NAME => parsed.name = field.text()?,
                value_info::TYPE => parsed.element_type = port_element_type(field.part()?)?,
                _ => {}
            }
        }
        Ok(parsed)
    }
}

impl<'a> Attribute<'a> {
    fn parse(part: Part<'a>) -> Result<Self> {
        let mut parsed = Self::default();
        for field in part.fields() {
            let field = field?;
            match field.number {
                attribute::NAME => parsed.name = field.text()?,
                attribute::I => parsed.int = Some(field.int()?),
                attribute::F => parsed.float = Some(field.float()?),
                attribute::T => parsed.tensor = Some(field.part()?),
                _ => {}
            }
        }
        Ok(parsed)
    }
}

/// Something that is named twice.
pub(super) fn twice(name: &str) -> Error {
    Error::damaged("the graph", "a name for each value", format!("\"{name}\" twice"))
}

/// The type of the elements of an input or output; −1 for what is no tensor.
fn port_element_type(part: Part<'_>) -> Result<i64> {
    let mut element_type = -1;
    for field in part.fields() {
        let field = field?;
        if field.number == value_info::TENSOR_TYPE {
            element_type = field_of(field.part()?, value_info::ELEM_TYPE)?.map_or(Ok(0), Field::int)?;
        }
    }
    Ok(element_type)
}

/// The version of the standard operators, if it is those that this is about.
fn standard_operators(part: Part<'_>) -> Result<Option<i64>> {
    let domain = field_of(part, operator_set::DOMAIN)?.map_or(Ok(""), Field::text)?;
    let version = field_of(part, operator_set::VERSION)?.map_or(Ok(0), Field::int)?;
    Ok(["", "ai.onnx"].contains(&domain).then_some(version))
}

/// The value of an entry of the metadata, if it is the configuration.
fn config(part: Part<'_>) -> Result<Option<&str>> {
    let key = field_of(part, entry::KEY)?.map_or(Ok(""), Field::text)?;
    if key != crate::export::CONFIG {
        return Ok(None);
    }
    field_of(part, entry::VALUE)?.map(Field::text).transpose()
}

/// The last field of that number.
fn field_of(part: Part<'_>, number: u32) -> Result<Option<Field<'_>>> {
    part.fields().try_fold(None, |last, field| {
        let field = field?;
        Ok(if field.number == number { Some(field) } else { last })
    })
}

fn push<T>(what: &str, items: &mut Vec<T>, item: T) -> Result<()> {
    items.push(item);
    check_number(what, items.len())
}

fn push_counted<T>(items: &mut Vec<T>, item: T) -> usize {
    items.push(item);
    items.len()
}

fn check_number(what: &str, n_items: usize) -> Result<()> {
    if n_items <= MAX_ITEMS {
        return Ok(());
    }
    Err(Error::unsupported("the file", format!("at most {MAX_ITEMS} {what}"), "more"))
}
