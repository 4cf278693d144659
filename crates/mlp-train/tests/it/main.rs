//! The tests of the crate, one module for each subject.

mod allocation;
mod augmentation;
mod averaging;
mod checkpoint;
mod classifier;
mod committee;
mod config;
mod determinism;
mod diagnosis;
mod dropout;
mod encoding;
mod examples;
mod learning;
mod metrics;
mod mnist;
mod model;
mod numerics;
mod parity;
mod problems;
mod reference;
mod samples;
mod schedule;
mod smoothing;
mod stopping;
mod tabular;
mod validation;
