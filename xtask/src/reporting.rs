//! Writes the report of a folder of results, with the pictures of the mistakes where the data are at hand.

use mlp_results::Overview;

use std::path::{Path, PathBuf};

use mlp_report::{ReportInput, read_folder, write_report};
use ndarray::Axis;

use crate::data::Dataset;
use crate::failure::{Code, Failure};
use crate::lock::FolderLock;
use crate::output::notice;

/// Rebuilds report.html, plots and results.csv in `folder`; returns the path of the page. A sweep may be running there:
/// records are only read, and those who write reports take turns, so that the last one has seen every record.
pub(crate) fn write(folder: &Path, data: Option<&Dataset>) -> Result<PathBuf, Failure> {
    let _turn = FolderLock::wait(folder, ".report.lock")?;
    let mut input = read_folder(folder).map_err(|error| failure(&error))?;
    for warning in &input.warnings {
        notice(format_args!("warning: {warning}"));
    }
    if let Some(data) = data {
        add_pictures(&mut input, data);
    }
    let written = write_report(&input, folder).map_err(|error| failure(&error))?;
    Ok(written.report)
}

/// The failure of a report: it is the disk's.
pub(crate) fn failure(error: &mlp_report::Error) -> Failure {
    Failure::new(Code::InputOutput, error.to_string())
}

/// Adds the test images that the best trial answered wrongly: the page shows no other's mistakes.
fn add_pictures(input: &mut ReportInput, data: &Dataset) {
    let Some(best) = Overview::new(&input.trials).best else { return };
    let record = &best.record;
    if record.data.sha256 != data.sha256 {
        return;
    }
    let size = Some(record.data.test).filter(|size| *size < data.test.len());
    let images = data.test_of(size);
    let pictures: Vec<_> = record
        .mistakes
        .iter()
        .filter(|mistake| mistake.index < images.len())
        .map(|mistake| {
            let picture = images.images.index_axis(Axis(0), mistake.index).to_owned();
            ((record.trial.clone(), mistake.index), picture)
        })
        .collect();
    input.images.extend(pictures);
}
