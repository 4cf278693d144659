//! Plots and one self-contained HTML page from the records of training runs.
//!
//! A record ([`mlp_results::RunRecord`]) holds what a run measured after each epoch. This crate takes any number of them
//! and makes:
//!
//! - `report.html`: a page that opens from disk, fetches nothing, reads well on a phone and in the dark, and explains
//!   every number it shows;
//! - `plots/*.svg`: its figures, each a document of its own;
//! - `results.csv`: one row for each trial, the same on every machine.
//!
//! ```no_run
//! let dir = std::path::Path::new("runs/layers-mnist");
//! let input = mlp_report::read_folder(dir)?;
//! let written = mlp_report::write_report(&input, dir)?;
//! println!("{}", written.report.display());
//! # Ok::<(), mlp_report::ReportError>(())
//! ```
//!
//! # What a reader gets to see
//!
//! *How far above nothing.* A net that answers the same to every picture gets three quarters of the bits of MNIST's
//! digits right. So every curve is drawn with the levels of constant answers ([`mlp_results::levels`]), computed from the class
//! counts of the data at hand.
//!
//! *How much is luck.* Trials that differ only in their seed are one configuration ([`mlp_results::Overview`]): a line with a band,
//! a mean with its interval ([`mlp_results::interval`]). Where some seeds train and others do not, the page says how many did.
//!
//! *What a setting does.* [`effects`] compares its values with the others being equal, also where the grid is incomplete
//! or its values were drawn at random, and says what was done.
//!
//! *What went wrong.* The confusion matrix counts answers that are no class; mistakes are shown with every output bit;
//! runs that diverged say where; of those that were examined, a sentence names the layer at which learning died, and maps
//! show it ([`diagnosis`]); records that could not be read are named.
//!
//! # Trust
//!
//! Records may come from anywhere. Every text is cleaned of invisible characters, cut, and escaped ([`markup`]); the page's
//! content security policy allows no script but its own. Files are replaced atomically.
//!
//! # Where to find what
//!
//! [`curves`], [`comparison`], [`best_cells`], [`heat_map`], [`parallel`], [`against_key`], [`interplay`], [`cost`],
//! [`confusion`], [`weights`], [`diagnosis`], [`robustness`] and [`mistakes`] each draw one kind of figure and can be used
//! alone; [`figures`] chooses among them, [`page`] sets them. What they are made of, a [`chart`] of lines and a
//! [`canvas`], can be used for figures of one's own.

#![warn(clippy::print_stdout, clippy::print_stderr, clippy::exit)]

use mlp_results::{Overview, RunFolder};

pub mod against_key;
pub mod best_cells;
mod best_table;
pub mod canvas;
pub mod chart;
pub mod comparison;
pub mod confusion;
pub mod cost;
pub mod csv;
pub mod curves;
pub mod diagnosis;
mod diagnosis_section;
pub mod effects;
mod effects_section;
mod error;
pub mod factor;
pub mod figures;
pub mod halving;
pub mod heat_map;
mod input;
pub mod interplay;
pub mod markup;
pub mod mistakes;
pub mod page;
pub mod palette;
pub mod parallel;
mod picture;
pub mod robustness;
mod table;
pub mod weights;
mod write;

use std::path::{Path, PathBuf};

pub use diagnosis::diagnosis_maps;
pub use error::ReportError;
pub use input::{ReportInput, read_folder};
pub use mlp_results;
pub use mlp_results::{interval, levels};
pub use picture::grey_url as grey_picture_url;

/// The files that a report consists of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// `report.html`.
    pub report: PathBuf,
    /// `results.csv`.
    pub results: PathBuf,
    /// `plots/*.svg`, in the order of the page.
    pub plots: Vec<PathBuf>,
    /// What is missing from the report, and why: also shown in the page.
    pub warnings: Vec<String>,
}

/// Writes `dir/report.html`, `dir/plots/*.svg` and `dir/results.csv`, replacing each atomically; the page comes last.
/// Plots of an earlier report that this one lacks are removed; files of others stay.
///
/// # Errors
///
/// If a file cannot be written. What was there before under that name is then unchanged.
pub fn write_report(input: &ReportInput, dir: &Path) -> Result<Written, ReportError> {
    let overview = Overview::new(&input.trials);
    let figures = figures::draw_all(input, &overview);
    let of_trials = figures.trials.iter().flat_map(|trial| &trial.figures);
    let diagnosed = figures.trials.iter().flat_map(|trial| &trial.diagnosis).chain(&figures.diagnoses);
    let of_diagnoses = diagnosed.flat_map(|diagnosed| &diagnosed.figures);
    let sections = [&figures.comparison, &figures.settings, &figures.epochs, &figures.cost];
    let sections = sections.into_iter().flatten();
    let all = sections.chain(of_trials).chain(of_diagnoses).chain(&figures.robustness);
    let folder = RunFolder::new(dir);
    let plots_folder = folder.plots();
    let files = all.map(|figure| (format!("{}.svg", figure.name), figure.svg.as_bytes()));
    let plots = write::replace_all(&plots_folder, files)?;
    write::remove_stale_plots(&plots_folder, &plots)?;
    let results = folder.results_csv();
    write::replace(&results, csv::results_csv(&input.trials, input.seconds).as_bytes())?;
    let report = folder.report();
    write::replace(&report, page::page(input, &overview, &figures).as_bytes())?;
    let warnings = input.warnings.iter().chain(&figures.warnings).cloned().collect();
    Ok(Written { report, results, plots, warnings })
}

/// The page alone, as a string: the same as [`write_report`] writes.
pub fn report_html(input: &ReportInput) -> String {
    let overview = Overview::new(&input.trials);
    let figures = figures::draw_all(input, &overview);
    page::page(input, &overview, &figures)
}

/// Compiles the code of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadmeExamples;
