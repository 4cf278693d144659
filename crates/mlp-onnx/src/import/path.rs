//! The way from the input of a graph to its output.

use std::collections::HashMap;

use super::document::{Graph, Node, Port, twice};
use crate::error::{Error, Result};
use crate::schema::element;

/// A node on the way.
pub(super) struct Step<'a> {
    pub(super) node: &'a Node<'a>,
    /// Which of its inputs is what the node before it computed; the others are constants.
    pub(super) input: usize,
}

/// The nodes from the input to the output, in this order. Those that lie elsewhere do not matter.
///
/// # Errors
///
/// If there is not one input and one output of numbers; if something is named twice; if the way forks, is a circle, or
/// begins elsewhere.
pub(super) fn find<'a>(graph: &'a Graph<'a>) -> Result<Vec<Step<'a>>> {
    let input = only("input", graph.inputs.iter())?;
    let output = only("output of float or double", graph.outputs.iter().filter(|output| output.may_be_numbers()))?;
    if ![0, element::FLOAT, element::DOUBLE, element::UINT8].contains(&input.element_type) {
        let found = super::tensor::element_name(input.element_type);
        return Err(Error::unsupported(format!("input \"{}\"", input.name), "float, double or uint8", found));
    }
    let makers = makers(graph, input)?;
    let (mut steps, mut current) = (Vec::new(), output.name);
    while current != input.name {
        let Some(&node) = makers.get(current) else {
            let found = format!("\"{current}\", which nothing computes");
            return Err(Error::damaged("the graph", "a way from its input to its output", found));
        };
        if steps.len() == graph.nodes.len() {
            return Err(Error::damaged(node.place(), "a way from input to output", "a circle"));
        }
        let step = step(graph, node, current)?;
        current = node.inputs[step.input];
        steps.push(step);
    }
    steps.reverse();
    Ok(steps)
}

/// Each value that is computed, with the node that does so.
fn makers<'a>(graph: &'a Graph<'a>, input: &Port<'a>) -> Result<HashMap<&'a str, &'a Node<'a>>> {
    let mut makers = HashMap::new();
    for node in &graph.nodes {
        for &output in node.outputs.iter().filter(|output| !output.is_empty()) {
            let is_taken = output == input.name || graph.constants.contains_key(output);
            if is_taken || makers.insert(output, node).is_some() {
                return Err(twice(output));
            }
        }
    }
    Ok(makers)
}

fn step<'a>(graph: &Graph<'a>, node: &'a Node<'a>, output: &str) -> Result<Step<'a>> {
    if node.outputs.first() != Some(&output) {
        return Err(Error::unsupported(node.place(), "that its first output is used", format!("\"{output}\"")));
    }
    let inputs = node.inputs.iter().enumerate();
    let mut computed = inputs.filter(|(_, name)| !name.is_empty() && !graph.constants.contains_key(*name));
    match (computed.next(), computed.next()) {
        (Some((input, _)), None) => Ok(Step { node, input }),
        (None, _) => Err(Error::unsupported(node.place(), "an input that is computed", "constants alone")),
        (Some((_, one)), Some((_, other))) => {
            let found = format!("two that are computed, \"{one}\" and \"{other}\"");
            Err(Error::unsupported(node.place(), "one layer after the other, one computed input each", found))
        }
    }
}

fn only<'a>(what: &str, mut ports: impl Iterator<Item = &'a Port<'a>>) -> Result<&'a Port<'a>> {
    match (ports.next(), ports.next()) {
        (Some(port), None) => Ok(port),
        (None, _) => Err(Error::unsupported("the graph", format!("one {what}"), "none")),
        (Some(one), Some(other)) => Err(Error::unsupported(
            "the graph",
            format!("one {what}"),
            format!("\"{}\" and \"{}\"", one.name, other.name),
        )),
    }
}
