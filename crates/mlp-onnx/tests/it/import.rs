//! Files as other programs write them.

use mlp_onnx::mlp_train::mlp_core::{Activation, Mlp};
use mlp_onnx::mlp_train::ndarray::array;
use mlp_onnx::mlp_train::{AnyMlp, SavedModel, TargetEncoding};
use mlp_onnx::{ImportOptions, Note, from_onnx};

use crate::files::{Bytes, Graph, floats, int_attribute, integers, port, small, tensor};

fn imported(graph: &Graph) -> (SavedModel, Vec<Note>) {
    let imported = from_onnx(&graph.file(), &ImportOptions::new()).expect("a network");
    (imported.model, imported.notes)
}

fn network(model: &SavedModel) -> &Mlp<f32> {
    match &model.network {
        AnyMlp::F32(mlp) => mlp,
        AnyMlp::F64(_) => panic!("a network in single precision"),
    }
}

#[test]
fn gemm_and_matmul_with_add_are_the_same_layer() {
    let (gemm, notes) = imported(&small());
    let weights = array![[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]];
    assert_eq!(network(&gemm).layers[0].weights, weights);
    assert_eq!(network(&gemm).layers[0].bias, Some(array![0.1, 0.2, 0.3]));
    assert_eq!(notes, [Note::ClassesAssumed(3)]);
    assert_eq!(gemm.classes, ["0", "1", "2"]);

    let mut apart = small();
    apart.nodes.clear();
    let apart = apart.node("MatMul", &["x", "w"], "p", &[]).node("Add", &["b", "p"], "z", &[]).node(
        "Sigmoid",
        &["z"],
        "y",
        &[],
    );
    assert_eq!(imported(&apart).0, gemm);

    let transposed = Graph::new()
        .floats("w", &[3, 2], &[1.0, 4.0, 2.0, 5.0, 3.0, 6.0])
        .floats("b", &[1, 3], &[0.1, 0.2, 0.3])
        .node("Gemm", &["x", "w", "b"], "z", &[int_attribute("transB", 1)])
        .node("Sigmoid", &["z"], "y", &[]);
    assert_eq!(imported(&transposed).0, gemm);
}

#[test]
fn weights_may_stand_in_any_field_that_is_for_them() {
    let (raw, _) = imported(&small());
    let packed: Vec<u8> = [1.0_f32, 2.0, 3.0, 4.0, 5.0, 6.0].iter().flat_map(|value| value.to_le_bytes()).collect();
    let mut typed = small();
    typed.constants[0] = tensor("w", 1, &[2, 3]).bytes(4, &packed);
    assert_eq!(imported(&typed).0, raw);

    // A node that is a constant, and constants that are listed among the inputs as well.
    let mut in_node = small();
    in_node.constants.remove(0);
    let value =
        Bytes::default().bytes(1, "value").part(5, &floats("", &[2, 3], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0])).int(20, 4);
    let mut in_node = in_node.node("Constant", &[], "w", &[value]);
    in_node.inputs.push(port("b", 1));
    assert_eq!(imported(&in_node).0, raw);
}

#[test]
fn images_may_be_flattened_and_divided_before_the_first_layer() {
    let (plain, _) = imported(&small());
    for first in ["Flatten", "Reshape"] {
        for second in ["Div", "Mul"] {
            let factor = if second == "Div" { 255.0 } else { 1.0 / 255.0 };
            let mut graph = small();
            graph.nodes.clear();
            graph.inputs = vec![port("x", 2)];
            let inputs: &[&str] = if first == "Flatten" { &["x"] } else { &["x", "shape"] };
            let graph = graph
                .constant(integers("shape", &[-1, 2]))
                .floats("factor", &[], &[factor])
                .node(first, inputs, "flat", &[])
                .node("Cast", &["flat"], "cast", &[int_attribute("to", 1)])
                .node(second, &["cast", "factor"], "scaled", &[])
                .node("Gemm", &["scaled", "w", "b"], "z", &[])
                .node("Sigmoid", &["z"], "y", &[]);
            let (model, notes) = imported(&graph);
            assert_eq!(model, plain, "{first}, {second}");
            assert_eq!(notes, [Note::Divided, Note::ClassesAssumed(3)]);
        }
    }
}

#[test]
fn layers_without_biases_among_others_get_zeros() {
    let graph = small();
    let mut graph = graph.floats("v", &[3, 2], &[1.0; 6]).node("MatMul", &["y", "v"], "u", &[]).node(
        "Softmax",
        &["u"],
        "p",
        &[int_attribute("axis", -1)],
    );
    graph.outputs = vec![port("label", 7), port("p", 1)];
    let (model, notes) = imported(&graph);
    assert_eq!(network(&model).layers[1].bias, Some(array![0.0, 0.0]));
    assert_eq!(model.config.activations(), [Activation::Sigmoid, Activation::Softmax]);
    assert_eq!(notes, [Note::LeftOut(vec!["label (int64)".to_owned()]), Note::BiasesAdded, Note::ClassesAssumed(2)]);
    insta::assert_snapshot!(notes.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"));
}

#[test]
fn classes_and_encoding_can_be_said() {
    let options = ImportOptions::new().classes(["a", "b", "c", "d", "e"]).encoding(TargetEncoding::Binary);
    let model = from_onnx(&small().file(), &options).expect("a network").model;
    assert_eq!(model.classes, ["a", "b", "c", "d", "e"]);
    assert_eq!(model.config.encoding, TargetEncoding::Binary);
    let error = from_onnx(&small().file(), &ImportOptions::new().classes(["a", "b"])).expect_err("other classes");
    insta::assert_snapshot!(error);
    let error = from_onnx(&small().file(), &options.encoding(TargetEncoding::Ascii)).expect_err("other codes");
    insta::assert_snapshot!(error);
}
