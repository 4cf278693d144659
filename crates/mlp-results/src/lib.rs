//! Results of training runs: what one run measured, a folder of many, and what they say together.
//!
//! A run leaves a [`RunRecord`]: one JSON file that holds everything it measured. A folder of them ([`RunFolder`]) is read
//! into [`Results`]; an [`Overview`] sorts its trials out: which settings vary, which trials differ only in their seed and
//! so are one configuration ([`Cell`]), which did best, and how far a mean of few seeds is uncertain ([`interval`]).
//!
//! ```no_run
//! use mlp_results::{Overview, RunFolder};
//!
//! let results = RunFolder::new("runs/layers-mnist").read()?;
//! let overview = Overview::new(&results.trials);
//! for cell in &overview.cells {
//!     if let Some(mean) = cell.mean() {
//!         println!("{} {} over {} seeds", cell.label, overview.metric.format(mean), cell.scores.len());
//!     }
//! }
//! # Ok::<(), mlp_results::Error>(())
//! ```
//!
//! # What is decided here, once
//!
//! - *Identity.* [`trial_id`]: the hash of everything that affects the numbers of a run, and of nothing else.
//! - *The best trial.* [`best()`], which [`Overview::best`] is, too: by the most telling metric that was measured, on the
//!   validation set where there is one; of equals the first by identity.
//! - *Repetitions.* Trials that differ in nothing but the seed are one [`Cell`]; [`Repetitions`] serve tables that choose
//!   their columns themselves.
//! - *Uncertainty.* [`interval`]: Student's interval of the mean over the seeds.
//! - *Names.* [`RunFolder`]: where each file of a folder of results is.
//! - *Words.* [`text`]: how durations, counts and values are written.
//!
//! Records may come from anywhere: nothing here panics on them, and what contradicts itself is refused with its place.

#![warn(clippy::print_stdout, clippy::print_stderr, clippy::exit)]

mod best;
mod cell;
mod class_names;
mod ending;
mod error;
mod folder;
mod halving;
mod identity;
pub mod interval;
mod kind;
mod layout;
pub mod levels;
mod metric;
mod overview;
mod record;
mod repetitions;
mod robustness;
pub mod score;
mod starved;
pub mod text;
mod varied;

pub use mlp_train;

pub use best::{best, best_by};
pub use cell::Cell;
pub use ending::{TrialResult, endings};
pub use error::{Error, ErrorKind, Result};
pub use folder::{N_TRIALS_IN_FULL, Results};
pub use halving::{HalvingRound, RankedConfiguration, RankedTrial, Rung, StoppedTrial};
pub use identity::{NUMERICS_VERSION, NUMERICS_VERSION_OF_BF16, NUMERICS_VERSION_OF_SINGLE_SAMPLES, trial_id};
pub use kind::{TestSet, keys_of_kind, n_validation_splits, test_sets, unlike_keys};
pub use layout::{RunFolder, trial_of_checkpoint, trial_of_record};
pub use metric::Metric;
pub use overview::Overview;
pub use record::{DataDescription, RECORD_SCHEMA, RunRecord, Runtime, Status, Subject};
pub use repetitions::{Repetitions, gathered};
pub use robustness::RobustnessCurve;
pub use score::{Compared, RankBy, Ranking};
pub use varied::{FOLDER_KEY, VariedKey};

/// Its program is compiled with the documentation's.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
