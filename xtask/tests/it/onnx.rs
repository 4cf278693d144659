//! `export` and `import`: nets as ONNX files, and back.

use std::fs;

use crate::sandbox::Sandbox;

#[test]
fn a_run_is_exported_and_comes_back_as_the_same_model() {
    let sandbox = Sandbox::with_digits();
    sandbox.train("out", &[]).expect_code(0);
    let said =
        sandbox.run(["export", "out", "--onnx", "net.onnx", "--classes", "--input", "pixels"]).expect_code(0).stdout;
    assert!(said.contains("input    uint8 (batch, 784), pixels from 0 to 255\n"), "{said}");
    assert!(said.contains("class    int64 (batch), 0 to 9; -1 where"), "{said}");
    assert!(said.contains("import numpy as np, onnxruntime as ort"), "{said}");
    assert!(said.lines().all(|line| line.chars().count() <= 100), "{said}");

    let said = sandbox.run(["import", "net.onnx", "back.safetensors"]).expect_code(0);
    assert_eq!(said.stderr, "", "nothing is lost, so nothing has to be noted");
    let model = fs::read(sandbox.only_file("out/models", ".safetensors")).expect("a model");
    assert_eq!(fs::read(sandbox.path("back.safetensors")).expect("a model"), model);

    let text = fs::read(sandbox.path("net.onnx")).expect("a file");
    let trial = sandbox.only_file("out/trials", ".json");
    let trial = trial.file_stem().expect("a name").to_string_lossy().into_owned();
    let has = |words: &str| text.windows(words.len()).any(|window| window == words.as_bytes());
    assert!(has(&trial) && has("preparation") && has("centred by its mass"));
}

#[test]
fn files_that_are_there_are_kept_unless_they_are_to_be_replaced() {
    let sandbox = Sandbox::with_digits();
    sandbox.train("out", &[]).expect_code(0);
    sandbox.write("net.onnx", "mine");
    let export = ["export", "out", "--onnx", "net.onnx"];
    sandbox.run(export).expect_code(2).expect_error("--onnx net.onnx: expected a name that is free, found a file");
    assert_eq!(fs::read(sandbox.path("net.onnx")).expect("a file"), b"mine");
    sandbox.run(export.iter().chain(&["--replace"])).expect_code(0);
    sandbox.write("net.safetensors", "mine");
    let import = ["import", "net.onnx", "net.safetensors"];
    sandbox.run(import).expect_code(2).expect_error("add --replace");
    sandbox.run(import.iter().chain(&["--replace"])).expect_code(0);
}

#[test]
fn what_is_wrong_with_a_file_or_an_option_is_said_with_its_code() {
    let sandbox = Sandbox::with_digits();
    sandbox.run(["export", "nowhere", "--onnx", "net.onnx"]).expect_code(5);
    sandbox
        .run(["import", "no.onnx", "net.safetensors"])
        .expect_code(5)
        .expect_error("no.onnx: cannot read the network");
    sandbox.write("page.onnx", "<!DOCTYPE html>");
    sandbox.run(["import", "page.onnx", "net.safetensors"]).expect_code(3).expect_error("expected an ONNX file");
    sandbox.run(["import", "page.onnx", "net.safetensors", "--classes", "a"]).expect_code(2);
    sandbox.run(["export", "--input", "words", "--onnx", "net.onnx"]).expect_code(2).expect_error("values or pixels");
    assert!(!sandbox.path("net.safetensors").exists());

    sandbox.train("out", &[]).expect_code(0);
    sandbox.run(["export", "out", "--onnx", "net.onnx"]).expect_code(0);
    let wrong = ["import", "net.onnx", "net.safetensors", "--classes", "ab", "--encoding", "one-hot"];
    sandbox.run(wrong).expect_code(2).expect_error("expected 2 outputs, for the one-hot codes of 2 classes");
}
