//! The files of a report on the disk.

use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::{fs, io};

use durable_file::Staged;
use mlp_results::{Overview, RunFolder};

use crate::canvas::MARK;
use crate::csv::{results_csv, write_epochs};
use crate::error::{Error, Result};
use crate::figures::draw_all;
use crate::input::ReportInput;
use crate::page::page;

/// The files that a report consists of.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Written {
    /// `report.html`.
    pub report: PathBuf,
    /// `results.csv`: a row for each trial.
    pub results: PathBuf,
    /// `epochs.csv`: a row for each trial and epoch.
    pub epochs: PathBuf,
    /// `plots/*.svg`, in the order of the page.
    pub plots: Vec<PathBuf>,
    /// What is missing from the report, and why: also shown in the page.
    pub warnings: Vec<String>,
}

/// Writes `dir/report.html`, `dir/plots/*.svg`, `dir/results.csv` and `dir/epochs.csv`, replacing each atomically; the page
/// comes last.
/// Plots of an earlier report that this one lacks are removed; files of others stay.
///
/// # Errors
///
/// If a file cannot be written. What was there before under that name is then unchanged.
pub fn write_report(input: &ReportInput, dir: &Path) -> Result<Written> {
    let overview = Overview::ranked(&input.trials, input.by);
    let figures = draw_all(input, &overview);
    let folder = RunFolder::new(dir);
    let plots_folder = folder.plots();
    let files = figures.all().map(|figure| (format!("{}.svg", figure.name), figure.svg.as_bytes()));
    let plots = durable_file::write_all(&plots_folder, files).map_err(|(path, source)| Error::write(&path, source))?;
    remove_stale_plots(&plots_folder, &plots)?;
    let results = folder.results_csv();
    replace(&results, results_csv(&input.trials, input.seconds).as_bytes())?;
    let epochs = folder.epochs_csv();
    replace_epochs(&epochs, &overview).map_err(|source| Error::write(&epochs, source))?;
    let report = folder.report();
    replace(&report, page(input, &overview, &figures).as_bytes())?;
    let warnings = input.warnings.iter().chain(&figures.warnings).cloned().collect();
    Ok(Written { report, results, epochs, plots, warnings })
}

/// The page alone, as a string: the same as [`write_report`] writes.
pub fn report_html(input: &ReportInput) -> String {
    let overview = Overview::ranked(&input.trials, input.by);
    let figures = draw_all(input, &overview);
    page(input, &overview, &figures)
}

/// Replaces `path` by a file of these bytes. Its folder is made if it is missing.
fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    let folder = path.parent().map_or(Ok(()), fs::create_dir_all);
    folder.and_then(|()| durable_file::write(path, bytes)).map_err(|source| Error::write(path, source))
}

/// Replaces the table of epochs, row by row: all of it need not fit into memory.
fn replace_epochs(path: &Path, overview: &Overview<'_>) -> io::Result<()> {
    let mut staged = Staged::create(path)?;
    write_epochs(overview, BufWriter::with_capacity(1 << 16, &mut staged))?;
    staged.commit()
}

/// Removes the SVG files in `dir` that an earlier report wrote and this one did not. Files of others stay.
fn remove_stale_plots(dir: &Path, written: &[PathBuf]) -> Result<()> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(Error::write(dir, error)),
    };
    for entry in entries {
        let path = entry.map_err(|error| Error::write(dir, error))?.path();
        let is_svg = path.extension().is_some_and(|extension| extension == "svg") && path.is_file();
        if is_svg && !written.contains(&path) && is_ours(&path) {
            fs::remove_file(&path).map_err(|source| Error::write(&path, source))?;
        }
    }
    Ok(())
}

fn is_ours(path: &Path) -> bool {
    use io::Read as _;
    let mut start = String::new();
    let read = fs::File::open(path).and_then(|file| file.take(256).read_to_string(&mut start));
    read.is_ok() && start.contains(MARK)
}
