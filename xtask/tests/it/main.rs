//! Black-box tests: the built program, its exit codes, and what it says on its two outputs.

mod command_line;
mod configuration;
mod download;
#[cfg(unix)]
mod faults;
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
