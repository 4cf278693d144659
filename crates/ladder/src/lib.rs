//! How good fully connected networks get on MNIST, a rung at a time.
//!
//! Each [`Rung`] is a sweep that a person could write ([`ClimbSweep`]): a network, five seeds, a goal, and what is known of others.
//! What its settings are is chosen before, on 10,000 images that are split off the training set: [`TRICKS`] holds what was tried,
//! one change at a time. A finished rung has seen all training images, and its test error is measured once, of the last epoch.
//!
//! [`Findings`] are what the records of all sweeps say; from them alone [`document`] writes the page. The crate trains nothing:
//! `cargo xtask climb` runs the sweeps and hands their records in.
//!
//! ```
//! for rung in ladder::RUNGS {
//!     println!("{}: {} ({}), at most {} % wrong", rung.sweep.name, rung.title, rung.outputs, rung.goal);
//! }
//! ```
//!
//! # Where to find what
//!
//! | to see | open |
//! |---|---|
//! | the rungs, their goals and what others reached | `src/rungs.rs`, and the configurations in `presets/` |
//! | what was tried, one change at a time | `src/tricks.rs` |
//! | from records to findings | `src/findings.rs`; committees in `src/committee.rs` |
//! | how it is told | `src/document/`, `src/figures.rs`, `src/wrong.rs` |

#![warn(clippy::print_stdout, clippy::print_stderr, clippy::exit)]

mod committee;
pub mod document;
mod figures;
mod findings;
pub mod rungs;
mod sweeps;
mod tricks;
mod wrong;

pub use crate::rungs::{Outputs, RUNGS, Rung};
pub use committee::{Together, together};
pub use findings::{CommitteeFinding, Findings, TrialFinding};
pub use sweeps::{ClimbSweep, sweeps};
pub use tricks::{TRICKS, Trick};
