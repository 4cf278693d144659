//! Models, and ONNX files byte by byte: by field numbers of `onnx.proto`, with nothing of the crate under test.

use mlp_onnx::mlp_train::mlp_core::{Activation, Layer, Mlp};
use mlp_onnx::mlp_train::ndarray::{Array1, Array2};
use mlp_onnx::mlp_train::{Precision, SavedModel, TargetEncoding, TrainConfig};

/// A message under construction: fields in the order in which they are added.
#[derive(Clone, Default)]
pub(crate) struct Bytes(pub(crate) Vec<u8>);

impl Bytes {
    pub(crate) fn varint(mut self, mut value: u64) -> Self {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
        self
    }

    pub(crate) fn int(self, number: u64, value: i64) -> Self {
        self.varint(number << 3).varint(value as u64)
    }

    pub(crate) fn float(self, number: u64, value: f32) -> Self {
        let mut next = self.varint(number << 3 | 5);
        next.0.extend(value.to_le_bytes());
        next
    }

    pub(crate) fn bytes(self, number: u64, bytes: impl AsRef<[u8]>) -> Self {
        let mut next = self.varint(number << 3 | 2).varint(bytes.as_ref().len() as u64);
        next.0.extend(bytes.as_ref());
        next
    }

    pub(crate) fn part(self, number: u64, part: &Bytes) -> Self {
        self.bytes(number, &part.0)
    }
}

/// A graph as a test writes it down.
#[derive(Clone)]
pub(crate) struct Graph {
    pub(crate) nodes: Vec<Bytes>,
    pub(crate) constants: Vec<Bytes>,
    pub(crate) inputs: Vec<Bytes>,
    pub(crate) outputs: Vec<Bytes>,
    pub(crate) opset: i64,
}

impl Graph {
    /// From the floats `x` to the floats `y`.
    pub(crate) fn new() -> Self {
        Graph {
            nodes: Vec::new(),
            constants: Vec::new(),
            inputs: vec![port("x", 1)],
            outputs: vec![port("y", 1)],
            opset: 13,
        }
    }

    pub(crate) fn node(mut self, operator: &str, inputs: &[&str], output: &str, attributes: &[Bytes]) -> Self {
        self.nodes.push(node(operator, inputs, output, attributes));
        self
    }

    pub(crate) fn floats(mut self, name: &str, dims: &[i64], values: &[f32]) -> Self {
        self.constants.push(floats(name, dims, values));
        self
    }

    pub(crate) fn constant(mut self, constant: Bytes) -> Self {
        self.constants.push(constant);
        self
    }

    pub(crate) fn file(&self) -> Vec<u8> {
        let graph = self.nodes.iter().fold(Bytes::default(), |graph, node| graph.part(1, node));
        let graph = self.constants.iter().fold(graph, |graph, constant| graph.part(5, constant));
        let graph = self.inputs.iter().fold(graph, |graph, input| graph.part(11, input));
        let graph = self.outputs.iter().fold(graph, |graph, output| graph.part(12, output));
        file(&graph, self.opset)
    }
}

pub(crate) fn file(graph: &Bytes, opset: i64) -> Vec<u8> {
    let operators = Bytes::default().bytes(1, "").int(2, opset);
    Bytes::default().int(1, 8).part(7, graph).part(8, &operators).0
}

pub(crate) fn node(operator: &str, inputs: &[&str], output: &str, attributes: &[Bytes]) -> Bytes {
    let node = inputs.iter().fold(Bytes::default(), |node, input| node.bytes(1, input));
    let node = node.bytes(2, output).bytes(4, operator);
    attributes.iter().fold(node, |node, attribute| node.part(5, attribute))
}

pub(crate) fn int_attribute(name: &str, value: i64) -> Bytes {
    Bytes::default().bytes(1, name).int(3, value).int(20, 2)
}

pub(crate) fn float_attribute(name: &str, value: f32) -> Bytes {
    Bytes::default().bytes(1, name).float(2, value).int(20, 1)
}

pub(crate) fn tensor(name: &str, element_type: i64, dims: &[i64]) -> Bytes {
    let tensor = dims.iter().fold(Bytes::default(), |tensor, &dim| tensor.int(1, dim));
    tensor.int(2, element_type).bytes(8, name)
}

pub(crate) fn floats(name: &str, dims: &[i64], values: &[f32]) -> Bytes {
    tensor(name, 1, dims).bytes(9, values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>())
}

pub(crate) fn integers(name: &str, values: &[i64]) -> Bytes {
    let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    tensor(name, 7, &[values.len() as i64]).bytes(9, bytes)
}

pub(crate) fn port(name: &str, element_type: i64) -> Bytes {
    let tensor = Bytes::default().int(1, element_type);
    Bytes::default().bytes(1, name).part(2, &Bytes::default().part(1, &tensor))
}

/// One layer of two inputs and three units, with biases, and a sigmoid.
pub(crate) fn small() -> Graph {
    Graph::new()
        .floats("w", &[2, 3], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
        .floats("b", &[3], &[0.1, 0.2, 0.3])
        .node("Gemm", &["x", "w", "b"], "z", &[])
        .node("Sigmoid", &["z"], "y", &[])
}

/// A network of two layers with weights that are easily told apart, for three or four classes.
pub(crate) fn model(encoding: TargetEncoding, output: Activation, has_bias: bool, precision: Precision) -> SavedModel {
    let classes = ["setosa", "versicolor", "virginica"];
    let config = TrainConfig::new()
        .hidden([4])
        .activation([Activation::Tanh])
        .output_activation(output)
        .encoding(encoding)
        .bias(has_bias)
        .precision(precision);
    let sizes = config.sizes(2, encoding.n_bits(&classes));
    let mut layers = Vec::new();
    for (index, activation) in config.activations().into_iter().enumerate() {
        let shape = (sizes[index], sizes[index + 1]);
        let weights = Array2::from_shape_fn(shape, |(i, j)| (i as f64 - j as f64 + 0.1 * index as f64) / 3.0);
        let bias = has_bias.then(|| Array1::from_shape_fn(shape.1, |j| 0.01 * j as f64));
        layers.push(Layer { weights, bias, activation });
    }
    let narrow = |layer: &Layer<f64>| Layer {
        weights: layer.weights.mapv(|weight| weight as f32),
        bias: layer.bias.as_ref().map(|bias| bias.mapv(|value| value as f32)),
        activation: layer.activation,
    };
    match precision {
        Precision::F32 | Precision::Bf16 => {
            SavedModel::new(Mlp { layers: layers.iter().map(narrow).collect() }, config, classes)
        }
        Precision::F64 => SavedModel::new(Mlp { layers }, config, classes),
    }
}
