//! Which test images a trained network answers rightly, clean and blurred: what the bootstrap over images needs.
//!
//! A record holds sums over the test images. The answers to each of them are computed from the saved model once, and kept
//! beside it: `answers/<trial>.json` in the folder of the sweep.

use std::collections::BTreeMap;
use std::path::Path;

use mlp_core::{Kernel, Workers};
use mlp_results::RunFolder;
use mlp_sweep::image_samples;
use mlp_train::{AnyMlp, SavedModel, evaluate, load_model};
use mnist_io::LabeledImages;
use serde::{Deserialize, Serialize};

use crate::comparison::Measure;
use crate::error::{Error, Result};

/// The answers of one network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Answers {
    weights_sha256: String,
    /// Of the decoded data.
    data_sha256: String,
    /// By what was done to the images, "clean" for nothing.
    pub(crate) sets: BTreeMap<String, Given>,
}

/// The characters that were answered, in the order of the test images.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Given {
    /// By threshold; `_` for codes of no class.
    pub(crate) threshold: String,
    /// By the nearest code.
    pub(crate) nearest: String,
}

impl Given {
    /// The characters as a measure reads them.
    pub(crate) fn read_by(&self, measure: Measure) -> &str {
        if measure == Measure::Nearest { &self.nearest } else { &self.threshold }
    }
}

/// The name of the undisturbed test images.
pub(crate) const CLEAN: &str = "clean";

/// A trained network on disk, and what its answers depend on.
pub(crate) struct Model<'a> {
    /// The folder of the sweep.
    pub(crate) folder: &'a Path,
    /// The identity of the trial.
    pub(crate) trial: &'a str,
    pub(crate) weights_sha256: &'a str,
    pub(crate) data_sha256: &'a str,
}

/// The answers to each of `sets`, from their file or else from the model.
pub(crate) fn answers(
    model: &Model<'_>,
    sets: &[(&str, &LabeledImages)],
    kernel: Kernel,
    workers: &Workers,
) -> Result<Answers> {
    let folder = RunFolder::new(model.folder);
    let path = folder.answers(model.trial);
    let mut answers = stored(&path, model).unwrap_or_else(|| Answers {
        weights_sha256: model.weights_sha256.to_owned(),
        data_sha256: model.data_sha256.to_owned(),
        sets: BTreeMap::new(),
    });
    let missing: Vec<_> = sets.iter().filter(|(name, _)| !answers.sets.contains_key(*name)).collect();
    if missing.is_empty() {
        return Ok(answers);
    }
    let saved = load_model(folder.model(model.trial))?;
    for (name, images) in missing {
        answers.sets.insert((*name).to_owned(), given(&saved, images, kernel, workers));
    }
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent).map_err(|error| Error::io("create the folder", parent, error))?;
    }
    let text = serde_json::to_string(&answers).map_err(|error| Error::data(&path, error))?;
    durable_file::write(&path, text.as_bytes()).map_err(|error| Error::io("write the file", &path, error))?;
    Ok(answers)
}

/// The answers in the file, if they are those of the model to the data.
fn stored(path: &Path, model: &Model<'_>) -> Option<Answers> {
    let stored: Answers = serde_json::from_slice(&std::fs::read(path).ok()?).ok()?;
    let fits = stored.weights_sha256 == model.weights_sha256 && stored.data_sha256 == model.data_sha256;
    fits.then_some(stored)
}

/// What the network answers to each of `images`.
fn given(model: &SavedModel, images: &LabeledImages, kernel: Kernel, workers: &Workers) -> Given {
    let codebook = model.config.codebook(&images.classes);
    let objective = model.config.objective();
    let evaluation = match &model.network {
        AnyMlp::F32(mlp) => evaluate(mlp, &image_samples(images, &codebook), objective, workers, kernel),
        AnyMlp::F64(mlp) => evaluate(mlp, &image_samples(images, &codebook), objective, workers, kernel),
    };
    // The classes of digits are characters.
    let character = |class: usize| images.classes[class].chars().next().unwrap_or('_');
    Given {
        threshold: evaluation.answers.iter().map(|answer| answer.exact.map_or('_', character)).collect(),
        nearest: evaluation.answers.iter().map(|answer| character(answer.nearest)).collect(),
    }
}
