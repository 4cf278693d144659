//! Plots and one self-contained HTML page from the records of training runs.
//!
//! A record ([`mlp_results::RunRecord`]) holds what a run measured after each epoch. This crate takes any number of them
//! and makes:
//!
//! - `report.html`: a page that opens from disk, fetches nothing, reads well on a phone and in the dark, and explains
//!   every number it shows;
//! - `plots/*.svg`: its figures, each a document of its own;
//! - `results.csv`: one row for each trial, the same on every machine but for the seconds in its last columns;
//! - `epochs.csv`: one row for each trial and epoch.
//!
//! ```no_run
//! let dir = std::path::Path::new("runs/layers-mnist");
//! let input = mlp_report::read_folder(dir)?;
//! let written = mlp_report::write_report(&input, dir)?;
//! println!("{}", written.report.display());
//! # Ok::<(), mlp_report::Error>(())
//! ```
//!
//! # What a reader gets to see
//!
//! *How far above nothing.* A network that answers the same to every image gets three quarters of the bits of MNIST's
//! digits right. So every curve is drawn with the levels of constant answers ([`mlp_results::levels`]), computed from the class
//! counts of the data at hand.
//!
//! *How much is luck.* Trials that differ only in their seed are one configuration ([`mlp_results::Overview`]): a line with a band,
//! a mean with its interval ([`mlp_results::interval`]). Where some seeds train and others do not, the page says how many did.
//!
//! *What a setting does.* [`effects`] compares its values with the others being equal, also where the grid is incomplete
//! or its values were drawn at random, says what was done, and does not rank what cannot be told from chance.
//!
//! *What is where.* No name is cut, a point says its values when the pointer rests on it, and one dead trial does not take the
//! room of the others ([`score_scale`]). The table of all trials is filtered by conditions such as `learning_rate<0.01` and
//! ranked by any metric. Several folders are compared on one page ([`read_folders`]).
//!
//! *What went wrong.* The confusion matrix counts answers that are no class; mistakes are shown with every output bit;
//! runs that diverged say where; of those that were examined, a sentence names the layer at which learning died, and maps
//! show it ([`diagnosis`]); records that could not be read are named.
//!
//! # Trust
//!
//! Records may come from anywhere. Every text is cleaned of invisible characters, cut, and escaped, by the page's
//! templates of themselves; the page's
//! content security policy allows no script but its own. Files are replaced atomically.
//!
//! # Where to find what
//!
//! [`curves`], [`comparison`], [`best_cells`], [`heat_map`], [`parallel`], [`against_key`], [`interplay`], [`cost`],
//! [`confusion`], [`weights`], [`diagnosis`] and [`robustness`] each draw one kind of figure and can be used alone;
//! [`figures`] chooses among them. What they are made of, a [`chart`] of lines and a [`canvas`], can be used for figures of
//! one's own. [`effects`] and [`factor`] hold the numbers behind the figures of settings, [`csv`] is the table.

#![warn(clippy::print_stdout, clippy::print_stderr, clippy::exit)]

pub mod against_key;
pub mod best_cells;
pub mod canvas;
pub mod chart;
pub mod comparison;
pub mod confusion;
pub mod cost;
pub mod csv;
pub mod curves;
pub mod diagnosis;
pub mod effects;
mod error;
pub mod factor;
mod figure;
pub mod figures;
pub mod heat_map;
mod hint;
pub mod image_url;
mod input;
pub mod interplay;
mod markup;
mod page;
pub mod palette;
pub mod parallel;
pub mod robustness;
mod score_axis;
pub mod score_scale;
mod verdict;
pub mod weights;
mod write;

pub use diagnosis::diagnosis_maps;
pub use error::{Error, ErrorKind, Result};
pub use figure::ReportFigure;
pub use input::{ReportInput, read_folder, read_folders};
pub use mlp_results;
pub use page::{FILTER_SCRIPT, STYLE, trial_table};
pub use write::{Written, report_html, write_report};

/// Compiles the code of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadmeExamples;
