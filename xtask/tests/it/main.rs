//! Black-box tests: the built program, its exit codes, and what it says on its two outputs.

mod command_line;
mod configuration;
mod data_sets;
mod download;
mod emnist;
#[cfg(unix)]
mod faults;
mod interruptions;
mod reproduce;
mod resume;
mod sandbox;
mod saved_models;
mod search;
mod server;
mod sharing;
#[cfg(unix)]
mod slurm;
mod sweep;
mod train;
mod waiting;
