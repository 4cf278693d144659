//! Prints every configuration of a folder of results, the best first, with its mean and its 95 % interval:
//!
//! ```text
//! cargo run -p mlp-results --example read_results -- runs/layers-mnist
//! ```
//!
//! Without a folder it makes up a small one, of seven depths with three seeds each.

use std::path::{Path, PathBuf};

use mlp_results::{Cell, Overview, Result, RunFolder};

#[path = "../tests/it/made_up.rs"]
mod made_up;

fn main() -> Result<()> {
    let scratch = tempfile::tempdir().expect("a folder for temporary files");
    let folder = std::env::args_os().nth(1).map_or_else(|| made_up_folder(scratch.path()), PathBuf::from);
    print!("{}", configurations(&RunFolder::new(folder))?);
    Ok(())
}

/// A line for each configuration, the best first.
fn configurations(folder: &RunFolder) -> Result<String> {
    let results = folder.read()?;
    let overview = Overview::new(&results.trials);
    let lines = overview.cells.iter().map(|cell| line(&overview, cell) + "\n");
    Ok(lines.collect())
}

/// `512-256-128    97.10 %  96.52 % to 97.68 %`
fn line(overview: &Overview<'_>, cell: &Cell<'_>) -> String {
    let format = |value| overview.metric.format(value);
    let (lowest, highest) = overview.metric.bounds();
    let mean = cell.mean().map_or_else(|| "no result".to_owned(), format);
    let ends = cell.interval().map(|interval| interval.ends_within(lowest, highest));
    let ends = ends.map_or_else(String::new, |(low, high)| format!("{} to {}", format(low), format(high)));
    format!("{:<28} {mean:>9}  {ends}", cell.label)
}

/// Writes records of a sweep that nobody ran into `root`.
fn made_up_folder(root: &Path) -> PathBuf {
    std::fs::create_dir_all(RunFolder::new(root).trials()).expect("the folder can be written");
    for record in made_up::depth_sweep() {
        record.write(RunFolder::new(root).record(&record.trial)).expect("the folder can be written");
    }
    root.to_owned()
}

#[test]
fn a_line_says_the_mean_and_how_far_it_is_uncertain() {
    let dir = tempfile::tempdir().unwrap();
    insta::assert_snapshot!(configurations(&RunFolder::new(made_up_folder(dir.path()))).unwrap());
}
