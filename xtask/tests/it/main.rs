//! Black-box tests: the built program, its exit codes, and what it says on its two outputs.

mod command_line;
mod configuration;
mod data_sets;
mod download;
mod emnist;
mod interruptions;
mod sandbox;
mod saved_models;
mod server;
mod sweep;
mod train;
