//! Files that were made to do harm, and files that hold something else: each is an error that says where.

use mlp_onnx::{ErrorKind, ImportOptions, from_onnx};

use crate::files::{Bytes, Graph, file, float_attribute, floats, int_attribute, integers, node, port, small, tensor};

fn refused(bytes: &[u8]) -> String {
    let error = from_onnx(bytes, &ImportOptions::new()).expect_err("an error");
    assert!(matches!(error.kind(), ErrorKind::Damaged | ErrorKind::Unsupported | ErrorKind::Options), "{error:?}");
    error.to_string()
}

/// The small network with something else.
fn changed(change: impl Fn(&mut Graph)) -> String {
    let mut graph = small();
    change(&mut graph);
    refused(&graph.file())
}

#[test]
fn what_lies_about_its_size_is_refused() {
    let texts = [
        changed(|graph| graph.constants[0] = floats("w", &[2, 4], &[0.0; 6])),
        changed(|graph| graph.constants[0] = floats("w", &[1 << 40, 1 << 40], &[0.0; 6])),
        changed(|graph| graph.constants[0] = floats("w", &[-2, -3], &[0.0; 6])),
        changed(|graph| graph.constants[0] = floats("w", &[1 << 30, 1 << 30], &[0.0; 6])),
        changed(|graph| graph.constants[0] = floats("w", &[0, 3], &[])),
        changed(|graph| graph.constants[0] = tensor("w", 1, &[1 << 31, 3])),
        changed(|graph| graph.constants[0] = tensor("w", 1, &[1; 9])),
        changed(|graph| graph.constants[0] = floats("w", &[2, 3], &[f32::INFINITY; 6])),
        changed(|graph| graph.constants[0] = tensor("w", 10, &[2, 3]).bytes(9, [0; 12])),
        changed(|graph| graph.constants[0] = tensor("w", 1, &[2, 3]).bytes(10, [0; 24])),
        changed(|graph| graph.constants[0] = tensor("w", 1, &[2, 3]).bytes(9, [0; 12]).bytes(9, [0; 12])),
        changed(|graph| graph.constants[1] = floats("b", &[4], &[0.0; 4])),
    ];
    insta::assert_snapshot!(texts.join("\n"));
}

#[test]
fn other_files_are_not_opened() {
    let place = |key: &str, value: &str| Bytes::default().bytes(1, key).bytes(2, value);
    for location in ["/etc/passwd", "../secret", "weights.bin", "/dev/zero"] {
        let external = tensor("w", 1, &[2, 3]).part(13, &place("location", location)).int(14, 1);
        let text = changed(|graph| graph.constants[0] = external.clone());
        assert!(text.contains("expected weights in the file itself, found the name of another file"), "{text}");
    }
    // With the numbers there as well, and without the mark.
    let both = floats("w", &[2, 3], &[0.0; 6]).part(13, &place("location", "weights.bin"));
    assert!(changed(|graph| graph.constants[0] = both.clone()).contains("the name of another file"));
    // Of a tensor that nobody uses.
    let unused = tensor("unused", 1, &[1]).int(14, 1);
    assert!(changed(|graph| graph.constants.push(unused.clone())).contains("the name of another file"));
}

#[test]
fn circles_forks_and_names_that_are_taken_are_refused() {
    let texts = [
        changed(|graph| graph.nodes[0] = node("Gemm", &["y", "w", "b"], "z", &[])),
        changed(|graph| graph.nodes[1] = node("Sigmoid", &["y"], "y", &[])),
        changed(|graph| graph.nodes[1] = node("Add", &["z", "z"], "y", &[])),
        changed(|graph| graph.nodes[1] = node("Sigmoid", &["nothing"], "y", &[])),
        changed(|graph| graph.nodes.push(node("Relu", &["z"], "y", &[]))),
        changed(|graph| graph.nodes.push(node("Relu", &["z"], "w", &[]))),
        changed(|graph| graph.nodes.push(node("Relu", &["z"], "x", &[]))),
        changed(|graph| graph.constants.push(floats("w", &[1], &[0.0]))),
        changed(|graph| graph.inputs.push(port("more", 1))),
        changed(|graph| graph.outputs.push(port("z", 1))),
        changed(|graph| graph.outputs.clear()),
        changed(|graph| graph.inputs = vec![port("x", 8)]),
        changed(|graph| graph.outputs = vec![port("x", 1)]),
    ];
    insta::assert_snapshot!(texts.join("\n"));
}

#[test]
fn other_networks_are_refused_by_the_name_of_their_node() {
    let with = |operator: &str, inputs: &[&str], attributes: &[Bytes]| {
        changed(|graph| graph.nodes[1] = node(operator, inputs, "y", attributes))
    };
    let before = |operator: &str, inputs: &[&str], attributes: &[Bytes]| {
        let mut graph = small();
        graph.nodes[0] = node("Gemm", &["first", "w", "b"], "z", &[]);
        graph.constants.push(integers("shape", &[2, -1]));
        graph.constants.push(floats("half", &[], &[0.5]));
        graph.nodes.push(node(operator, inputs, "first", attributes));
        refused(&graph.file())
    };
    let gemm = |attributes: &[Bytes]| changed(|graph| graph.nodes[0] = node("Gemm", &["x", "w", "b"], "z", attributes));
    let texts = [
        with("Conv", &["z", "w"], &[]),
        with("LeakyRelu", &["z"], &[float_attribute("alpha", 0.1)]),
        with("Sigmoid", &["z"], &[int_attribute("axis", 1)]),
        with("Softmax", &["z"], &[int_attribute("axis", 0)]),
        with("Loop", &["z"], &[Bytes::default().bytes(1, "body").part(6, &Bytes::default())]),
        with("Flatten", &["z"], &[]),
        with("Cast", &["z"], &[int_attribute("to", 11)]),
        gemm(&[float_attribute("alpha", 0.5)]),
        gemm(&[int_attribute("transA", 1)]),
        gemm(&[int_attribute("transB", 2)]),
        gemm(&[int_attribute("transB", 1)]),
        before("Reshape", &["x", "shape"], &[]),
        before("Div", &["x", "half"], &[]),
        before("Div", &["half", "x"], &[]),
        before("Relu", &["x"], &[]),
        before("Sub", &["x", "half"], &[]),
        changed(|graph| graph.inputs = vec![port("x", 2)]),
        changed(|graph| graph.nodes[1] = node("Relu", &["z"], "y", &[]).bytes(7, "com.example")),
        changed(|graph| graph.opset = 6),
        changed(|graph| graph.opset = 1000),
        refused(&[small().file(), Bytes::default().bytes(25, "").0].concat()),
    ];
    insta::assert_snapshot!(texts.join("\n"));
}

#[test]
fn what_is_no_onnx_file_is_said() {
    let texts = [
        refused(b""),
        refused(b"<!DOCTYPE html><html>"),
        refused(b"version https://git-lfs.github.com/spec/v1"),
        refused(b"\x08\x08"),
        refused(&[0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a]),
        refused(&file(&Bytes::default(), 13)),
    ];
    insta::assert_snapshot!(texts.join("\n"));
}

#[test]
fn numbers_of_everything_are_limited() {
    let empty = Bytes::default();
    let many = |number: u64| {
        let graph = (0..5000).fold(Bytes::default(), |graph, _| graph.part(number, &empty));
        refused(&file(&graph, 13))
    };
    for (number, text) in [(1, "at most 4096 nodes"), (11, "at most 4096 inputs"), (12, "at most 4096 outputs")] {
        assert!(many(number).contains(text), "{}", many(number));
    }
    let constants = (0..5000).fold(Bytes::default(), |graph, i| graph.part(5, &floats(&i.to_string(), &[1], &[0.0])));
    assert!(refused(&file(&constants, 13)).contains("at most 4096 constants"));
    let inputs: Vec<&str> = vec!["z"; 17];
    assert!(changed(|graph| graph.nodes[1] = node("Sigmoid", &inputs, "y", &[])).contains("at most 16 inputs"));
    let metadata = (0..5000).fold(Bytes::default(), |file, _| file.part(14, &empty));
    assert!(refused(&[metadata.0, small().file()].concat()).contains("at most 4096 metadata"));
}

#[test]
fn one_tensor_cannot_become_a_thousand_layers() {
    let mut graph = Graph::new().floats("w", &[64, 64], &[0.0; 64 * 64]);
    for layer in 0..1000 {
        let name = |layer: usize| if layer == 0 { "x".to_owned() } else { format!("h{layer}") };
        graph = graph.node("MatMul", &[&name(layer), "w"], &name(layer + 1), &[]);
    }
    graph.outputs = vec![port("h1000", 1)];
    let text = refused(&graph.file());
    assert!(text.contains("expected weights that all stand in the file, each tensor for one layer"), "{text}");
}

#[test]
fn messages_in_messages_are_not_entered() {
    // A hundred thousand graphs in attributes of nodes of graphs.
    let mut deep = Bytes::default();
    for _ in 0..2000 {
        deep = Bytes::default().part(1, &Bytes::default().part(5, &Bytes::default().part(6, &deep)));
    }
    refused(&file(&deep, 13));
}
