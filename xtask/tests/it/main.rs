//! Black-box tests: the built program, its exit codes, and what it says on its two outputs.

mod architecture;
mod browser;
mod climb;
mod command_line;
mod configuration;
mod cookbook;
mod data_sets;
mod documents;
mod download;
mod emnist;
#[cfg(unix)]
mod faults;
mod handwriting;
mod interruptions;
mod measuring;
mod metadata;
#[path = "../../../crates/mnist-fetch/tests/it/miniature.rs"]
mod miniature;
mod onnx;
mod packages;
mod predictions;
mod ranking;
mod readmes;
mod reproduce;
mod resume;
mod sandbox;
mod saved_models;
#[allow(dead_code, reason = "the library's tests need more of its faults than the program's")]
#[path = "../../../crates/mnist-fetch/tests/it/server.rs"]
mod server;
mod sharing;
#[cfg(unix)]
mod slurm;
mod sweep;
mod train;
mod waiting;
