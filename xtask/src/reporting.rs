//! Writes the report of a folder of results, with the pictures of the mistakes where the data are at hand.

use std::path::{Path, PathBuf};

use durable_file::FolderLock;
use mlp_report::{ReportInput, read_folder, write_report};
use mlp_results::text::counted;
use mlp_results::{Overview, RankBy, RunFolder};
use mlp_sweep::{Dataset, SweepSpec};
use ndarray::Axis;

use crate::failure::Failure;
use crate::options::{warn_of_seen_validation, warn_of_test_sets};
use crate::output::notice;

/// Rebuilds report.html, plots and results.csv in `folder`; returns the path of the page. A sweep may be running there:
/// records are only read, and those who write reports take turns, so that the last one has seen every record.
pub(crate) fn write(folder: &Path, data: Option<&Dataset>) -> Result<PathBuf, Failure> {
    let _turn = FolderLock::wait(folder, RunFolder::REPORT_LOCK)?;
    finish(read_folder(folder)?, folder, data)
}

/// The same, with trials ranked by what is asked for; says where validation samples that were seen before may rank some too high.
pub(crate) fn write_ranked(folder: &Path, data: Option<&Dataset>, by: RankBy) -> Result<PathBuf, Failure> {
    let _turn = FolderLock::wait(folder, RunFolder::REPORT_LOCK)?;
    let input = ReportInput { by, ..read_folder(folder)? };
    warn_of_seen_validation(input.trials.iter().map(|trial| &trial.record));
    warn_of_test_sets(input.trials.iter().map(|trial| &trial.record));
    finish(input, folder, data)
}

fn finish(mut input: ReportInput, folder: &Path, data: Option<&Dataset>) -> Result<PathBuf, Failure> {
    for warning in &input.warnings {
        notice(format_args!("warning: {warning}"));
    }
    say_what_is_missing(&mut input, folder);
    if let Some(data) = data {
        add_pictures(&mut input, data);
    }
    let written = write_report(&input, folder)?;
    Ok(written.report)
}

/// Counts seeds as they are planned, and warns on the page of trials that the specification asks for and that have no result yet: means are over fewer seeds, and
/// configurations are absent.
pub(crate) fn say_what_is_missing(input: &mut ReportInput, folder: &Path) {
    let Ok(specification) = SweepSpec::read(RunFolder::new(folder).specification()) else { return };
    input.n_seeds = specification.n_seeds();
    let n_trials = specification.n_trials();
    let n_missing = n_trials.saturating_sub(input.trials.len());
    if n_missing > 0 {
        let all = counted(n_trials, "trial");
        input
            .warnings
            .push(format!("{n_missing} of {all} had no result when it was written: the sweep is not at its end"));
    }
}

/// Adds the test images that the best trial answered wrongly: the page shows no other's mistakes.
pub(crate) fn add_pictures(input: &mut ReportInput, data: &Dataset) {
    let Some(best) = Overview::ranked(&input.trials, input.by).best else { return };
    let record = &best.record;
    if record.data.sha256 != data.sha256() {
        return;
    }
    let size = Some(record.data.test).filter(|size| *size < data.test().len());
    let part = data.test_part(size);
    let Some(images) = part.images() else { return };
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
