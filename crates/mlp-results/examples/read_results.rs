//! Prints every configuration of a folder of results, the best first, with its mean and its 95 % interval:
//!
//! ```text
//! cargo run -p mlp-results --example read_results -- runs/layers-mnist
//! ```
//!
//! Without a folder it makes up a small one, of seven depths with three seeds each.

use std::path::{Path, PathBuf};

use mlp_results::{Overview, Result, RunFolder};

#[path = "../tests/it/made_up.rs"]
mod made_up;

fn main() -> Result<()> {
    let scratch = tempfile::tempdir().expect("a folder for temporary files");
    let folder = std::env::args_os().nth(1).map_or_else(|| made_up_folder(scratch.path()), PathBuf::from);
    let results = RunFolder::new(folder).read()?;
    let overview = Overview::new(&results.trials);
    println!("{} on the {} set", overview.metric.title(), overview.set_name());
    for cell in &overview.cells {
        let mean = cell.mean().map_or_else(|| "no result".to_owned(), |mean| overview.metric.format(mean));
        let ends = cell.interval().map(|interval| interval.ends_within(0.0, 1.0));
        let ends =
            ends.map(|(low, high)| format!("{} to {}", overview.metric.format(low), overview.metric.format(high)));
        println!("{:<30} {mean:>10}  {}", cell.label, ends.unwrap_or_default());
    }
    Ok(())
}

/// Writes records of a sweep that nobody ran into `root`.
pub(crate) fn made_up_folder(root: &Path) -> PathBuf {
    std::fs::create_dir_all(RunFolder::new(root).trials()).expect("the folder can be written");
    for record in made_up::depth_sweep() {
        record.write(RunFolder::new(root).record(&record.trial)).expect("the folder can be written");
    }
    root.to_owned()
}
