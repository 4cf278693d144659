//! Any bytes as an ONNX file: an error or a network, and a network is exported and read back as it is.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mlp_onnx::{ExportOptions, ImportOptions, from_onnx, to_onnx};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(imported) = from_onnx(bytes, &ImportOptions::new()) {
        let written = to_onnx(&imported.model, &ExportOptions::new()).expect("what was read can be written");
        let again = from_onnx(&written, &ImportOptions::new()).expect("what was written can be read");
        assert_eq!(again.model, imported.model);
    }
});
