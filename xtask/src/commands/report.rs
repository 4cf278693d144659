//! `report`: rebuilds what can be rebuilt from the records, and compares several folders on one page.

use std::path::{Path, PathBuf};

use clap::Args;
use durable_file::FolderLock;
use mlp_report::{ReportInput, read_folders, write_report};
use mlp_results::{Overview, RunFolder, RunRecord};
use mlp_sweep::Dataset;

use crate::data;
use crate::failure::Failure;
use crate::options::{RankingOption, warn_of_seen_validation, warn_of_test_sets, warn_of_validation_splits};
use crate::output::{Output, notice};
use crate::places;
use crate::reporting;

const EXAMPLES: &str = "\
Examples:
  cargo xtask report runs/layers-mnist
  cargo xtask report runs/layers-*
      each, and their comparison
  cargo xtask report runs/layers-* --out compared
      the comparison alone
  cargo xtask report runs/layers-mnist --by test.loss
      another ranking";

/// Where the page that compares several folders lies in the first of them.
const COMPARISON: &str = "comparison";

/// Rebuild report, plots and CSV of folders of results, and compare their trials
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Report {
    /// Folders that `train` or `sweep` wrote; of several, the page that compares all their trials goes to comparison/ in the
    /// first, with the folder as one more setting
    #[arg(required = true, value_name = "FOLDER")]
    folders: Vec<PathBuf>,
    #[command(flatten)]
    ranking: RankingOption,

    /// Write report.html, plots/ and results.csv there, and leave the folders as they are
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
}

/// Runs the command.
pub(crate) fn run(arguments: &Report, output: &mut Output) -> Result<(), Failure> {
    arguments.folders.iter().try_for_each(|folder| check(folder))?;
    let Some(out) = &arguments.out else {
        rebuild(&arguments.folders, arguments.ranking, output)?;
        return match arguments.folders.as_slice() {
            [first, _, ..] => compare(&arguments.folders, &first.join(COMPARISON), arguments.ranking, output),
            _ => Ok(()),
        };
    };
    let is_out =
        |folder: &&PathBuf| folder.canonicalize().is_ok_and(|folder| out.canonicalize().is_ok_and(|out| out == folder));
    if let Some(folder) = arguments.folders.iter().find(is_out) {
        return Err(Failure::configuration(format!(
            "--out {}: expected another folder than those that are compared: its own report is there; without --out, the \
             page goes to {}",
            out.display(),
            folder.join(COMPARISON).display()
        )));
    }
    let is_inside = out.file_name().is_some_and(|name| name != COMPARISON)
        && out.parent().filter(|parent| !parent.as_os_str().is_empty()).is_some_and(holds_results);
    if holds_results(out) || is_inside {
        return Err(Failure::configuration(format!(
            "--out {}: expected a new folder, or one of an earlier comparison, found the folder of a run; nothing is written",
            out.display()
        )));
    }
    compare(&arguments.folders, out, arguments.ranking, output)
}

/// A folder must be one that holds results.
fn check(folder: &Path) -> Result<(), Failure> {
    if !folder.is_dir() {
        return Err(Failure::configuration(format!(
            "{}: no such folder; expected one that `train` or `sweep` wrote, such as those in {}",
            folder.display(),
            places::shown(&places::runs())
        )));
    }
    if !holds_results(folder) {
        return Err(Failure::configuration(format!(
            "{}: expected a folder that `train` or `sweep` wrote, with spec.toml or trials/ in it, found neither; \
             nothing is written",
            folder.display()
        )));
    }
    Ok(())
}

/// Writes the report of each folder anew.
fn rebuild(folders: &[PathBuf], ranking: RankingOption, output: &mut Output) -> Result<(), Failure> {
    let mut last: Option<(String, Option<Dataset>)> = None;
    for folder in folders {
        let named = data_of(folder);
        if last.as_ref().map(|(name, _)| Some(name)) != Some(named.as_ref()) {
            // Without the data the report lacks the pictures of the mistakes, and nothing else.
            last = named.map(|name| {
                let data = data::load(Some(&name)).ok();
                (name, data)
            });
        }
        ranking.check_folder(folder)?;
        let data = last.as_ref().and_then(|(_, data)| data.as_ref());
        let report = reporting::write_ranked(folder, data, ranking.by())?;
        output.line(report.display());
    }
    Ok(())
}

/// Writes one page about the trials of all folders into `out`.
fn compare(folders: &[PathBuf], out: &Path, ranking: RankingOption, output: &mut Output) -> Result<(), Failure> {
    std::fs::create_dir_all(out).map_err(|error| Failure::io("create", out, &error))?;
    let _turn = FolderLock::wait(out, RunFolder::REPORT_LOCK)?;
    let mut input = ReportInput { by: ranking.by(), ..read_folders(folders)? };
    ranking.warn_of_unlike_records(input.trials.iter().map(|trial| &trial.record));
    warn_of_seen_validation(input.trials.iter().map(|trial| &trial.record));
    warn_of_test_sets(input.trials.iter().map(|trial| &trial.record));
    warn_of_validation_splits(input.trials.iter().map(|trial| &trial.record), input.by);
    ranking.check(input.trials.iter().map(|trial| &trial.record))?;
    for warning in &input.warnings {
        notice(format_args!("warning: {warning}"));
    }
    let best = Overview::ranked(&input.trials, input.by)
        .best
        .and_then(|best| best.record.config.get("data")?.as_str().map(str::to_owned));
    if let Some(data) = best.and_then(|name| data::load(Some(&name)).ok()) {
        reporting::add_pictures(&mut input, &data);
    }
    let written = write_report(&input, out)?;
    output.line(written.report.display());
    Ok(())
}

fn holds_results(folder: &Path) -> bool {
    let folder = RunFolder::new(folder);
    folder.trials().is_dir() || folder.specification().is_file()
}

/// What the first readable record of a folder was trained on, as it was named.
fn data_of(folder: &Path) -> Option<String> {
    let entries = std::fs::read_dir(RunFolder::new(folder).trials()).ok()?;
    let record = entries.flatten().find_map(|entry| RunRecord::read(entry.path()).ok())?;
    record.config.get("data")?.as_str().map(str::to_owned)
}
