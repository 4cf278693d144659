//! The layers that the nodes on the way from input to output are.

use mlp_core::{Activation, Layer, Mlp};
use ndarray::{Array1, Array2};

use super::document::{Graph, Node};
use super::path::Step;
use super::tensor::{Tensor, element_name};
use crate::element::Element;
use crate::error::{Error, ErrorKind, Result};
use crate::schema::element;

const SUPPORTED: &str =
    "Gemm, MatMul, Add, Sigmoid, Tanh, Relu or Softmax, and before them Flatten, Reshape, Cast or a division by 255";

/// What was found.
pub(super) struct Draft<F> {
    pub(super) mlp: Mlp<F>,
    /// Whether the input is divided by 255.
    pub(super) is_divided: bool,
    /// Whether some layers had no biases, and others had.
    pub(super) are_biases_added: bool,
    /// Whether the outputs are the exponentials of the network's.
    pub(super) are_rates: bool,
}

/// A network under construction.
struct Reader<'a, F> {
    graph: &'a Graph<'a>,
    layers: Vec<Layer<F>>,
    /// What may follow in the layer under construction.
    state: State,
    is_divided: bool,
    are_rates: bool,
    /// The number of inputs that a Reshape before the first layer names.
    n_reshaped: Option<i64>,
    /// How many bytes may still be read as weights.
    n_bytes_left: usize,
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    BeforeLayers,
    /// Behind a MatMul: biases may follow.
    Product,
    /// Behind the biases: an activation may follow.
    NetInputs,
    Activated,
}

/// The type of the weights: that of the first layer's.
pub(super) fn element_type<'a>(graph: &Graph<'a>, steps: &[Step<'a>]) -> Result<i64> {
    let first = steps.iter().find(|step| step.node.is_standard() && ["Gemm", "MatMul"].contains(&step.node.operator));
    let Some(first) = first else {
        return Err(match steps.iter().find(|step| !is_known(step.node)) {
            Some(step) => unsupported(step.node),
            None => Error::new(ErrorKind::Unsupported, "at least one layer, a Gemm or MatMul", "none"),
        });
    };
    let weights = constant(graph, first.node, 1)?;
    match weights.element_type {
        element::FLOAT | element::DOUBLE => Ok(weights.element_type),
        other => Err(Error::unsupported(weights.place(), "weights of float or double", element_name(other))),
    }
}

/// The network. Of a file of `n_bytes`, no more bytes become weights than it has, however often it names the same tensor.
pub(super) fn draft<'a, F: Element>(graph: &'a Graph<'a>, steps: &[Step<'a>], n_bytes: usize) -> Result<Draft<F>> {
    let mut reader = Reader {
        graph,
        layers: Vec::new(),
        state: State::BeforeLayers,
        is_divided: false,
        are_rates: false,
        n_reshaped: None,
        n_bytes_left: n_bytes,
    };
    steps.iter().try_for_each(|step| reader.take(step))?;
    reader.finish()
}

impl<'a, F: Element> Reader<'a, F> {
    fn take(&mut self, step: &Step<'a>) -> Result<()> {
        let node = step.node;
        if step.input != 0 && !["Add", "Mul"].contains(&node.operator) && is_known(node) {
            return Err(Error::unsupported(node.place(), "what is computed as its first input", "a constant there"));
        }
        match node.operator {
            _ if !node.is_standard() => Err(unsupported(node)),
            "Identity" => Ok(()),
            "Cast" => self.cast(node),
            "Flatten" => self.flatten(node),
            "Reshape" => self.reshape(node),
            "Div" | "Mul" => self.scale(node, 1 - step.input.min(1)),
            "Gemm" => self.gemm(node),
            "MatMul" => self.product(node),
            "Add" => self.add(node, 1 - step.input.min(1)),
            "Sigmoid" => self.activate(node, Activation::Sigmoid),
            "Tanh" => self.activate(node, Activation::Tanh),
            "Relu" => self.activate(node, Activation::Relu),
            "Softmax" => self.activate(node, Activation::Softmax),
            "Exp" => self.exponential(node),
            _ => Err(unsupported(node)),
        }
    }

    fn cast(&self, node: &Node<'_>) -> Result<()> {
        let to = int(node, &["to", "saturate", "round_mode"], "to", 0)?;
        if to == F::TYPE {
            return Ok(());
        }
        let expected = format!("a Cast to {}, as the weights are", F::NAME);
        Err(Error::unsupported(node.place(), expected, element_name(to)))
    }

    fn flatten(&self, node: &Node<'_>) -> Result<()> {
        self.require(node, State::BeforeLayers, "a Flatten before the first layer")?;
        let axis = int(node, &["axis"], "axis", 1)?;
        if axis == 1 { Ok(()) } else { Err(Error::unsupported(node.place(), "axis 1", axis.to_string())) }
    }

    fn reshape(&mut self, node: &Node<'_>) -> Result<()> {
        self.require(node, State::BeforeLayers, "a Reshape before the first layer")?;
        let allows_zero = int(node, &["allowzero"], "allowzero", 0)? != 0;
        let shape = constant(self.graph, node, 1)?.integers()?;
        match shape.as_deref() {
            Some(&[-1, n_inputs]) if n_inputs > 0 => self.n_reshaped = Some(n_inputs),
            Some(&[0, n_inputs]) if !allows_zero && n_inputs > 0 => self.n_reshaped = Some(n_inputs),
            Some(&[0, -1]) if !allows_zero => {}
            other => {
                let found = other.map_or("another".to_owned(), |shape| format!("{shape:?}"));
                return Err(Error::unsupported(node.place(), "a row for each sample, [-1, n] or [0, -1]", found));
            }
        }
        Ok(())
    }

    fn scale(&mut self, node: &Node<'_>, constant_input: usize) -> Result<()> {
        self.require(node, State::BeforeLayers, "a division before the first layer")?;
        node.attributes(&[])?;
        let factor = constant(self.graph, node, constant_input)?.scalar()?;
        let wanted = if node.operator == "Div" { F::narrow(255.0) } else { F::narrow(1.0 / 255.0) };
        if factor.map(F::narrow) != Some(wanted) || self.is_divided {
            let found = factor.map_or("another".to_owned(), |factor| format!("{} by {factor}", node.operator));
            let error = Error::unsupported(node.place(), "at most one division by 255, or product with 1/255", found);
            return Err(error.with_advice("scale the inputs before the network, or within its first weights"));
        }
        self.is_divided = true;
        Ok(())
    }

    fn gemm(&mut self, node: &Node<'_>) -> Result<()> {
        let (mut is_transposed, mut other) = (false, None);
        for attribute in node.attributes(&["alpha", "beta", "transA", "transB"])? {
            match (attribute.name, attribute.int, attribute.float) {
                ("transB", Some(0 | 1), _) => is_transposed = attribute.int == Some(1),
                ("transA", Some(0), _) | ("alpha" | "beta", _, Some(1.0)) => {}
                _ => other = Some(attribute.name),
            }
        }
        if let Some(name) = other {
            return Err(Error::unsupported(
                node.place(),
                "alpha and beta of 1, and transA of 0",
                format!("another {name}"),
            ));
        }
        let mut weights = self.matrix(node)?;
        if is_transposed {
            weights = weights.reversed_axes().as_standard_layout().into_owned();
        }
        self.begin(node, weights)?;
        if node.inputs.get(2).is_some_and(|name| !name.is_empty()) {
            self.bias(node, 2)?;
        }
        self.state = State::NetInputs;
        Ok(())
    }

    fn product(&mut self, node: &Node<'_>) -> Result<()> {
        node.attributes(&[])?;
        let weights = self.matrix(node)?;
        self.begin(node, weights)?;
        self.state = State::Product;
        Ok(())
    }

    fn add(&mut self, node: &Node<'_>, constant_input: usize) -> Result<()> {
        self.require(node, State::Product, "an Add behind a MatMul, for its biases")?;
        node.attributes(&[])?;
        self.bias(node, constant_input)?;
        self.state = State::NetInputs;
        Ok(())
    }

    fn activate(&mut self, node: &Node<'_>, activation: Activation) -> Result<()> {
        if ![State::Product, State::NetInputs].contains(&self.state) {
            let found = if self.layers.is_empty() { "it before the first layer" } else { "two in a row" };
            return Err(Error::unsupported(node.place(), "an activation behind a Gemm, MatMul or Add", found));
        }
        if activation == Activation::Softmax {
            // Axis 1 of two is the last, whatever an operator set has as default.
            let axis = int(node, &["axis"], "axis", 1)?;
            if ![1, -1].contains(&axis) {
                return Err(Error::unsupported(node.place(), "the outputs as axis, 1 or -1", axis.to_string()));
            }
        } else {
            node.attributes(&[])?;
        }
        self.last().activation = activation;
        self.state = State::Activated;
        Ok(())
    }

    /// Behind identity outputs: what the network answers are then logarithms.
    fn exponential(&mut self, node: &Node<'_>) -> Result<()> {
        node.attributes(&[])?;
        let is_behind_outputs = [State::Product, State::NetInputs].contains(&self.state);
        if !is_behind_outputs || self.are_rates {
            let expected = "an Exp behind the last Gemm, MatMul or Add";
            return Err(Error::unsupported(node.place(), expected, "it elsewhere"));
        }
        self.are_rates = true;
        self.state = State::Activated;
        Ok(())
    }

    fn matrix(&mut self, node: &Node<'_>) -> Result<Array2<F>> {
        let tensor = constant(self.graph, node, 1)?;
        let &[n_rows, n_columns] = tensor.shape()?.as_slice() else {
            return Err(Error::unsupported(
                tensor.place(),
                "weights of two axes",
                format!("{}", tensor.shape()?.len()),
            ));
        };
        let values = self.values(tensor)?;
        Ok(Array2::from_shape_vec((n_rows, n_columns), values).expect("as many values as the shape says"))
    }

    /// Adds a layer with these weights, which are not allowed to sit behind a Softmax.
    fn begin(&mut self, node: &Node<'_>, weights: Array2<F>) -> Result<()> {
        if self.are_rates {
            return Err(Error::unsupported(node.place(), "no layer behind an Exp", "one"));
        }
        if let Some(before) = self.layers.last() {
            if before.activation == Activation::Softmax {
                return Err(Error::unsupported(node.place(), "no layer behind a Softmax", "one"));
            }
            if before.weights.ncols() != weights.nrows() {
                let expected = format!("weights for {} inputs, as the layer before has units", before.weights.ncols());
                return Err(Error::damaged(node.place(), expected, weights.nrows().to_string()));
            }
        } else if let Some(n_inputs) = self.n_reshaped.filter(|&n_inputs| n_inputs != weights.nrows() as i64) {
            let expected = format!("weights for {n_inputs} inputs, as the Reshape before it says");
            return Err(Error::damaged(node.place(), expected, weights.nrows().to_string()));
        }
        self.layers.push(Layer { weights, bias: None, activation: Activation::Identity });
        Ok(())
    }

    fn bias(&mut self, node: &Node<'_>, input: usize) -> Result<()> {
        let tensor = constant(self.graph, node, input)?;
        let n_units = self.last().weights.ncols();
        let shape = tensor.shape()?;
        if shape.as_slice() != [n_units] && shape.as_slice() != [1, n_units] {
            let expected = format!("{n_units} biases, one for each unit");
            return Err(Error::unsupported(tensor.place(), expected, format!("a shape of {shape:?}")));
        }
        let values = self.values(tensor)?;
        self.last().bias = Some(Array1::from_vec(values));
        Ok(())
    }

    fn values(&mut self, tensor: &Tensor<'_>) -> Result<Vec<F>> {
        let n_values: usize = tensor.shape()?.iter().product();
        let n_left = n_values.checked_mul(size_of::<F>()).and_then(|n_bytes| self.n_bytes_left.checked_sub(n_bytes));
        let Some(n_left) = n_left else {
            let expected = "weights that all stand in the file, each tensor for one layer";
            return Err(Error::damaged(tensor.place(), expected, "more of them than the file has bytes"));
        };
        self.n_bytes_left = n_left;
        tensor.values()
    }

    fn last(&mut self) -> &mut Layer<F> {
        self.layers.last_mut().expect("a layer is under construction")
    }

    fn require(&self, node: &Node<'_>, state: State, expected: &str) -> Result<()> {
        if self.state == state { Ok(()) } else { Err(Error::unsupported(node.place(), expected, "it elsewhere")) }
    }

    fn finish(mut self) -> Result<Draft<F>> {
        let Some(input) = self.graph.inputs.first().filter(|_| !self.layers.is_empty()) else {
            return Err(Error::new(ErrorKind::Unsupported, "at least one layer, a Gemm or MatMul", "none"));
        };
        if input.element_type == element::UINT8 && !self.is_divided {
            let expected = "a division by 255 behind an input of uint8";
            return Err(Error::unsupported(format!("input \"{}\"", input.name), expected, "none"));
        }
        let n_with = self.layers.iter().filter(|layer| layer.bias.is_some()).count();
        let are_biases_added = n_with > 0 && n_with < self.layers.len();
        if are_biases_added {
            for layer in self.layers.iter_mut().filter(|layer| layer.bias.is_none()) {
                layer.bias = Some(Array1::from_elem(layer.weights.ncols(), F::zero()));
            }
        }
        let (is_divided, are_rates) = (self.is_divided, self.are_rates);
        Ok(Draft { mlp: Mlp { layers: self.layers }, is_divided, are_biases_added, are_rates })
    }
}

fn is_known(node: &Node<'_>) -> bool {
    let before = ["Identity", "Cast", "Flatten", "Reshape", "Div", "Mul"];
    let within = ["Gemm", "MatMul", "Add", "Sigmoid", "Tanh", "Relu", "Softmax", "Exp"];
    node.is_standard() && (before.contains(&node.operator) || within.contains(&node.operator))
}

fn unsupported(node: &Node<'_>) -> Error {
    Error::unsupported(node.place(), SUPPORTED, node.full_operator())
}

/// The constant that is an input of a node.
fn constant<'b, 'a>(graph: &'b Graph<'a>, node: &Node<'_>, input: usize) -> Result<&'b Tensor<'a>> {
    let found = node.inputs.get(input).and_then(|name| graph.constants.get(*name));
    found.ok_or_else(|| Error::unsupported(node.place(), format!("a constant as input {}", input + 1), "none"))
}

/// The value of an attribute that is an integer, among those that are known.
fn int(node: &Node<'_>, known: &[&str], name: &str, default: i64) -> Result<i64> {
    let attributes = node.attributes(known)?;
    let found = attributes.iter().find(|attribute| attribute.name == name);
    found.map_or(Ok(default), |attribute| {
        attribute.int.ok_or_else(|| Error::damaged(node.place(), format!("an integer as {name}"), "something else"))
    })
}
