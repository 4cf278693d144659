//! `report`: rebuilds what can be rebuilt from the records.

use std::path::{Path, PathBuf};

use clap::Args;
use mlp_results::{RunFolder, RunRecord};
use mlp_sweep::Dataset;

use crate::data;
use crate::failure::Failure;
use crate::options::RankingOption;
use crate::output::Output;
use crate::places;
use crate::reporting;

const EXAMPLES: &str = "\
Examples:
  cargo xtask report runs/layers-mnist
  cargo xtask report runs/*
  cargo xtask report runs/layers-mnist --by test.loss";

/// Rebuild report, plots and CSV of folders of results from their records
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Report {
    /// Folders that `train` or `sweep` wrote
    #[arg(required = true, value_name = "FOLDER")]
    folders: Vec<PathBuf>,
    #[command(flatten)]
    ranking: RankingOption,
}

/// Runs the command.
pub(crate) fn run(arguments: &Report, output: &mut Output) -> Result<(), Failure> {
    for folder in &arguments.folders {
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
    }
    let mut last: Option<(String, Option<Dataset>)> = None;
    for folder in &arguments.folders {
        let named = data_of(folder);
        if last.as_ref().map(|(name, _)| Some(name)) != Some(named.as_ref()) {
            // Without the data the report lacks the pictures of the mistakes, and nothing else.
            last = named.map(|name| {
                let data = data::load(Some(&name)).ok();
                (name, data)
            });
        }
        arguments.ranking.check_folder(folder)?;
        let data = last.as_ref().and_then(|(_, data)| data.as_ref());
        let report = reporting::write_ranked(folder, data, arguments.ranking.by())?;
        output.line(report.display());
    }
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
