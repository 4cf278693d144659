//! The engine through its public interface. Only what is about processes starts some, and those are this program again.

mod batch_norm;
mod coverage;
mod estimate;
mod events;
mod example;
#[cfg(unix)]
mod faults;
mod folder;
mod halving;
mod initial;
mod panics;
mod process;
mod resume;
mod search;
mod sharing;
mod slurm;
mod small;
mod specification;
mod standing;
mod sweep;
mod tables;
mod traits;
