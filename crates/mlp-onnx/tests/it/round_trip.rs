//! What is exported is imported as it was.

use mlp_onnx::mlp_train::mlp_core::{Activation, BatchNorm, Loss};
use mlp_onnx::mlp_train::ndarray::array;
use mlp_onnx::mlp_train::{AnyMlp, Decoding, Precision, TargetEncoding, Unfolded, load_model};
use mlp_onnx::{ErrorKind, ExportOptions, ImportOptions, InputKind, Note, export, from_onnx, import, to_onnx};
use serde_json::json;

use crate::files::model;

#[test]
fn every_kind_of_model_comes_back_as_it_was() {
    let encodings = [TargetEncoding::OneHot, TargetEncoding::Binary, TargetEncoding::Random { bits: 5 }];
    for encoding in encodings {
        for output in Activation::ALL {
            for (has_bias, precision) in [(true, Precision::F32), (false, Precision::F64)] {
                for decoding in [None, Some(Decoding::Exact), Some(Decoding::Nearest)] {
                    let mut model = model(encoding, output, has_bias, precision);
                    model.config.decoding = decoding;
                    model.other.insert("pictures".to_owned(), json!("as they are"));
                    for input in InputKind::ALL {
                        let options = ExportOptions::new().input(input).classes(true).metadata("trial", "abc");
                        let bytes = to_onnx(&model, &options).expect("a file");
                        let imported = from_onnx(&bytes, &ImportOptions::new()).expect("a model");
                        assert_eq!(imported.model, model);
                        assert_eq!(imported.notes, []);
                    }
                }
            }
        }
    }
}

#[test]
fn a_model_file_goes_to_onnx_and_back_with_the_same_bytes() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    model(TargetEncoding::OneHot, Activation::Softmax, true, Precision::F32).save(at("a.safetensors")).expect("a file");
    let before = load_model(at("a.safetensors")).expect("a model");
    export(&before, &ExportOptions::new(), at("a.onnx")).expect("an export");
    let after = import(at("a.onnx"), &ImportOptions::new()).expect("an import").model;
    after.save(at("b.safetensors")).expect("a file");
    let read = |name: &str| std::fs::read(at(name)).expect("a file");
    assert_eq!(read("a.safetensors"), read("b.safetensors"));
}

/// The graph has the folded network, and so has the configuration that goes with it.
#[test]
fn a_network_with_batch_normalisation_is_exported_as_what_it_is_folded_into() {
    for has_bias in [true, false] {
        let mut normalized = model(TargetEncoding::OneHot, Activation::Softmax, has_bias, Precision::F32);
        let AnyMlp::F32(mlp) = &normalized.network else { panic!("single precision") };
        let mut unfolded = Unfolded { norm: BatchNorm::new(mlp), mlp: mlp.clone() };
        let layer = &mut unfolded.norm.layers[0];
        (layer.scale[1], layer.mean[2], layer.variance[3]) = (0.5, 0.25, 4.0);
        normalized.config.batch_norm = true;
        let normalized = normalized.with_unfolded(Some(&unfolded));
        let bytes = to_onnx(&normalized, &ExportOptions::new().classes(true)).expect("a file");
        let imported = from_onnx(&bytes, &ImportOptions::new()).expect("a model");
        assert_eq!(imported.model, normalized.folded());
        assert_eq!(imported.notes, []);
        let inputs = array![[0.5, -1.0], [2.0, 0.25]];
        let AnyMlp::F32(found) = &imported.model.network else { panic!("single precision") };
        assert_eq!(found.forward(inputs.view()), unfolded.fold().forward(inputs.view()));
        assert_ne!(found.forward(inputs.view()), unfolded.mlp.forward(inputs.view()));
        let folder = tempfile::tempdir().expect("a folder");
        imported.model.save(folder.path().join("a.safetensors")).expect("a file");
    }
}

#[test]
fn a_network_that_answers_logarithms_of_rates_is_exported_with_the_rates_and_comes_back() {
    for (has_bias, precision) in [(true, Precision::F32), (false, Precision::F64)] {
        let mut model = model(TargetEncoding::OneHot, Activation::Identity, has_bias, precision);
        model.classes.clear();
        model.config.loss = Loss::Poisson;
        let bytes = to_onnx(&model, &ExportOptions::new().rates(true)).expect("a file");
        assert!(bytes.windows(9).any(|window| window == b"log_rates"));
        let imported = from_onnx(&bytes, &ImportOptions::new()).expect("a model");
        assert_eq!(imported.model, model);
        assert_eq!(imported.notes, []);

        // Without what this crate says of the network: the graph alone tells that it answers logarithms.
        let mut foreign = bytes.clone();
        let key = b"config";
        let position = foreign.windows(key.len()).rposition(|window| window == key).expect("the entry");
        foreign[position..position + key.len()].copy_from_slice(b"noconf");
        let imported = from_onnx(&foreign, &ImportOptions::new()).expect("a model");
        assert_eq!(imported.model.config.loss, Loss::Poisson);
        assert_eq!(imported.model.classes, Vec::<String>::new());
        assert!(imported.notes.contains(&Note::Exponential), "{:?}", imported.notes);
    }
}

#[test]
fn a_file_that_is_missing_is_an_error_of_the_system() {
    let error = import("no/such.onnx", &ImportOptions::new()).expect_err("no file");
    assert_eq!(error.kind(), ErrorKind::Io);
    assert!(error.to_string().starts_with("no/such.onnx: cannot read the network: "), "{error}");
}

#[test]
fn a_graph_that_is_not_the_one_of_its_metadata_is_refused() {
    let model = model(TargetEncoding::OneHot, Activation::Sigmoid, true, Precision::F32);
    let bytes = to_onnx(&model, &ExportOptions::new()).expect("a file");
    let text = b"Tanh";
    let position = bytes.windows(text.len()).position(|window| window == text).expect("the operator");
    let mut changed = bytes.clone();
    changed[position..position + text.len()].copy_from_slice(b"Relu");
    let error = from_onnx(&changed, &ImportOptions::new()).expect_err("another network");
    insta::assert_snapshot!(error);
}
