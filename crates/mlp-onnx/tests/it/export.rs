//! What is written, and what is refused.

use mlp_onnx::mlp_train::mlp_core::{Activation, Layer, Mlp};
use mlp_onnx::mlp_train::ndarray::array;
use mlp_onnx::mlp_train::{Precision, SavedModel, TargetEncoding, TrainConfig};
use mlp_onnx::{ErrorKind, ExportOptions, InputKind, to_onnx};

use crate::files::model;

#[test]
fn the_bytes_are_the_same_every_time_and_begin_as_onnx_files_do() {
    let model = model(TargetEncoding::OneHot, Activation::Softmax, true, Precision::F32);
    let options = ExportOptions::new().input(InputKind::Pixels).classes(true);
    let bytes = to_onnx(&model, &options).expect("a file");
    assert_eq!(bytes, to_onnx(&model, &options).expect("a file"));
    // Field 1, the version of the format: 7.
    assert_eq!(bytes[..2], [8, 7]);
}

#[test]
fn metadata_of_the_caller_are_written_but_do_not_hide_those_of_the_network() {
    let model = model(TargetEncoding::Binary, Activation::Sigmoid, true, Precision::F64);
    let options = ExportOptions::new().metadata("author", "A. Turing").metadata("encoding", "nonsense");
    let bytes = to_onnx(&model, &options).expect("a file");
    let text = String::from_utf8_lossy(&bytes);
    for expected in ["author", "A. Turing", "codes", r#"["00","01","10"]"#, r#"["setosa","versicolor","virginica"]"#] {
        assert!(text.contains(expected), "{expected}");
    }
    assert!(!text.contains("nonsense"));
}

#[test]
fn what_cannot_be_exported_is_said() {
    let layer = Layer { weights: array![[1.0_f32], [f32::NAN]], bias: None, activation: Activation::Sigmoid };
    let config = TrainConfig::new().hidden([]).bias(false);
    let broken = SavedModel::new(Mlp { layers: vec![layer.clone()] }, config.clone(), Vec::<String>::new());
    let error = to_onnx(&broken, &ExportOptions::new()).expect_err("weights that are none");
    insta::assert_snapshot!(error);

    let layer = Layer { weights: array![[1.0_f32], [2.0]], ..layer };
    let nameless = SavedModel::new(Mlp { layers: vec![layer.clone()] }, config.clone(), Vec::<String>::new());
    to_onnx(&nameless, &ExportOptions::new()).expect("outputs alone");
    let error = to_onnx(&nameless, &ExportOptions::new().classes(true)).expect_err("no classes");
    assert_eq!(error.kind(), ErrorKind::Options);
    insta::assert_snapshot!(error);

    let error = to_onnx(&nameless, &ExportOptions::new().rates(true)).expect_err("sigmoid outputs");
    assert_eq!(error.to_string(), "rates: expected a network with identity outputs, found sigmoid outputs");

    let other = SavedModel::new(Mlp { layers: vec![layer] }, config.encoding(TargetEncoding::OneHot), ["a", "b"]);
    let error = to_onnx(&other, &ExportOptions::new().classes(true)).expect_err("other classes");
    insta::assert_snapshot!(error);
    let error = to_onnx(&other, &ExportOptions::new().rates(true)).expect_err("classes are no rates");
    assert_eq!(error.to_string(), "rates: expected a model without classes, found one of 2 classes");
    let error = "pixel".parse::<InputKind>().expect_err("another name");
    insta::assert_snapshot!(error);
}
