//! Sweeps of training runs: many configurations, in parallel, into a folder of results that survives whatever happens.
//!
//! A [`SweepSpec`] says what to run: a configuration, lists of values, ranges to draw from. With a [`Dataset`] it becomes a
//! [`Sweep`] of [`Trial`]s, each known by its *identity*, a hash of everything that affects its numbers. Running a sweep
//! is finding the trials that have no record yet, and running those: so running it again *is* resuming, widening a list
//! runs only what is new, and two processes that share a folder do each trial once.
//!
//! ```
//! use mlp_results::{Overview, RunFolder};
//! use mlp_sweep::{Dataset, Event, RunOptions, Sweep, SweepSpec};
//! use mlp_train::TrainConfig;
//! use mnist_io::synthetic_digits;
//!
//! let base = TrainConfig::new().hidden([8]).epochs(1);
//! let spec = SweepSpec::new(&base)?.vary("learning_rate", [0.001, 0.01])?.vary("seed", 0..2)?;
//! let data = Dataset::images("digits", synthetic_digits(100, 0), synthetic_digits(50, 1))?.synthetic();
//! # let folder = tempfile::tempdir().expect("a folder");
//! # let folder = folder.path();
//! let sweep = Sweep::new(spec, data, folder)?;
//! sweep.run(&RunOptions::default(), &|event: Event<'_>| {
//!     if let Event::Finished { trial, .. } = event {
//!         println!("{}", trial.label());
//!     }
//! })?;
//!
//! let results = RunFolder::new(folder).read()?;
//! let overview = Overview::new(&results.trials);
//! println!("the best: {}", overview.cells[0].label);
//! # Ok::<(), mlp_sweep::Error>(())
//! ```
//!
//! # What can be relied on
//!
//! - A trial that is finished is never lost and never run twice: its record appears in one step, after its model.
//! - A trial under way is written down every so often and when it is stopped, and goes on with the same bits.
//! - A trial that panics is tried once more; the second time its record says so, and the others go on. One that cannot fit
//!   into memory is not started. A panic of whoever watches is not the trial's: it reaches the caller of the sweep.
//! - Whatever the number of threads, of jobs, of shards, and the order: the records are the same but for `runtime`.
//!
//! Nothing here prints, ends the process or keeps anything global: what there is to tell is an [`Event`].

#![warn(clippy::print_stdout, clippy::print_stderr, clippy::exit)]

// What is asked for.
mod dataset;
mod spec;
mod trial;

// How it is run.
mod attempt;
mod experiment;
mod halving;
mod order;
mod runner;
mod shard;
mod sweep;

// What is kept.
mod agreement;
mod checkpoints;
mod coverage;
mod diagnosis;
mod kept_models;
mod lease;
mod store;

// What is told.
mod error;
mod estimate;
mod event;
mod slurm;
mod standing;

// What the others stand on.
mod executor;
mod memory;
mod panics;
mod parallelism;
mod random;

pub use mlp_results;
pub use mlp_train;

pub use checkpoints::{CheckpointInterval, progressed};
pub use dataset::{Dataset, SampleSet, Table, TableTargets, image_samples};
pub use error::{Advice, Error, ErrorKind, Result};
pub use estimate::{ConfigurationEstimate, Estimate, MemoryEstimate};
pub use event::{Event, Observer, Warning};
pub use experiment::{AS_IT_IS, Experiment, InitialModel, PICTURES_KEY, VALIDATION_SEEN_KEY};
pub use lease::{Running, left_behind, running};
pub use memory::available as available_memory;
pub use panics::record_panic;
pub use parallelism::Parallelism;
pub use runner::{Order, RunOptions, Stopped, SweepOutcome};
pub use shard::Shard;
pub use slurm::{SlurmJob, Submission};
pub use spec::{
    Document, Halving, MAX_TRIALS, RandomSearch, RunSettings, SweepAxis, SweepSpec, ValueRange, Values, describe_keys,
    is_safe_name, shown, toml_text,
};
pub use standing::{Standing, trials_per_minute};
pub use sweep::{OpenSweep, Sweep, SweepBuilder, n_over};
pub use trial::Trial;

/// Its program is compiled with the documentation's.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
