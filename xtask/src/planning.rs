//! From a configuration and the options of a command to a sweep that can be built.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;

use mlp_core::Kernel;
use mlp_sweep::{Document, Sweep, SweepBuilder};

use crate::data;
use crate::failure::Failure;
use crate::options::RunArguments;
use crate::places;

/// Lays the options over `document`, checks it, and reads the data.
pub(crate) fn plan(mut document: Document, arguments: &RunArguments) -> Result<SweepBuilder, Failure> {
    for setting in &arguments.settings {
        document.override_with(setting)?;
    }
    let mut specification = document.check()?;
    if let Some(name) = &arguments.data.data {
        let other = arguments.settings.iter().find_map(|setting| data_of(setting));
        if let Some(other) = other.filter(|other| other != name) {
            return Err(Failure::configuration(format!(
                "--data {name} and --set data={other}: expected one data set, found two; leave one of them out"
            )));
        }
        specification = specification.with("data", name.as_str())?;
    }
    let kernel = arguments.machine.kernel()?;
    let data = data::load(specification.base().data.as_deref())?;
    let builder = Sweep::builder(specification, data).kernel(kernel);
    Ok(match &arguments.out {
        Some(folder) => builder.folder(folder),
        None if kernel == Kernel::Reference => {
            builder.folder_below_with(places::runs(), &format!("reference-{}", version_of_the_readable_path()))
        }
        None => builder.folder_below(places::runs()),
    })
}

/// The data set that an argument of `--set` names, if it is of that key: in quotes or without, as its document reads it.
fn data_of(setting: &str) -> Option<String> {
    if setting.split('=').next()?.trim() != "data" {
        return None;
    }
    let mut document = Document::default();
    document.override_with(setting).ok()?;
    document.check().ok()?.base().data.clone()
}

/// Tells versions of the code that `--engine reference` computes by from each other, as the identity of a trial does not:
/// whoever changes it gets a folder of its own, and never an older version's results.
fn version_of_the_readable_path() -> String {
    let crates = places::root().join("crates");
    let core =
        fs::read_dir(crates.join("mlp-core/src")).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path()));
    let mut files: Vec<PathBuf> =
        core.filter(|path| path.extension().is_some_and(|extension| extension == "rs")).collect();
    files.sort();
    files.extend(["mlp-train/src/optimizer.rs", "mlp-train/src/train/reference.rs"].map(|file| crates.join(file)));
    let mut hasher = DefaultHasher::new();
    for file in files {
        fs::read(file).unwrap_or_default().hash(&mut hasher);
    }
    format!("{:08x}", hasher.finish() as u32)
}
