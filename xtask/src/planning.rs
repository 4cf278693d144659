//! From a configuration and the options of a command to a sweep that can be built.

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
        specification = specification.with("data", name.as_str())?;
    }
    let kernel = arguments.machine.kernel()?;
    let data = data::load(specification.base().data.as_deref())?;
    let builder = Sweep::builder(specification, data).kernel(kernel);
    Ok(match &arguments.out {
        Some(folder) => builder.folder(folder),
        None => builder.folder_below(places::runs()),
    })
}
