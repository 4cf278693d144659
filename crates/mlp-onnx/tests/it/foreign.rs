//! Nets that PyTorch and scikit-learn wrote, by `tests/foreign.py`, with what onnxruntime makes of them.

use std::fs;
use std::path::PathBuf;

use mlp_onnx::mlp_train::AnyMlp;
use mlp_onnx::mlp_train::ndarray::Array2;
use mlp_onnx::{ImportOptions, import};
use serde_json::Value;

/// The rows of a table of numbers.
fn table(value: &Value) -> Array2<f32> {
    let rows: Vec<Vec<f32>> = serde_json::from_value(value.clone()).expect("rows of numbers");
    let shape = (rows.len(), rows[0].len());
    Array2::from_shape_vec(shape, rows.concat()).expect("rows of one length")
}

#[test]
fn nets_of_others_answer_as_they_do_there() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/foreign");
    let entries = fs::read_dir(folder).expect("the folder").map(|entry| entry.expect("an entry").path());
    let files: Vec<PathBuf> = entries.filter(|path| path.extension().is_some_and(|ending| ending == "onnx")).collect();
    assert_eq!(files.len(), 5, "{files:?}");
    for file in files {
        let known = fs::read_to_string(file.with_extension("json")).expect("what it answers");
        let known: Value = serde_json::from_str(&known).expect("JSON");
        let model = import(&file, &ImportOptions::new()).expect("a network").model;
        let AnyMlp::F32(mlp) = model.network else { panic!("a network in single precision") };
        let outputs = mlp.forward(table(&known["inputs"]).view());
        for (found, expected) in outputs.iter().zip(table(&known["outputs"]).iter()) {
            assert!((found - expected).abs() <= 1e-6 + 2e-6 * expected, "{}: {outputs} and {known}", file.display());
        }
    }
}
