//! Which test images a trained net answers rightly, clean and blurred: what the bootstrap over images needs.
//!
//! A record holds sums over the test images. The answers to each of them are computed from the saved model once, and kept
//! beside it: `answers/<trial>.json` in the folder of the sweep.

use std::collections::BTreeMap;
use std::path::Path;

use mlp_core::{Kernel, Workers};
use mlp_train::{AnyMlp, evaluate, load_model};
use mnist_io::LabeledImages;
use serde::{Deserialize, Serialize};

use crate::failure::Failure;
use crate::store::write_atomically;
use crate::trial::{model_failure, samples};

/// The answers of one net.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Answers {
    weights_sha256: String,
    /// Of the decoded data.
    data_sha256: String,
    /// By what was done to the images, "clean" for nothing.
    pub(crate) sets: BTreeMap<String, Given>,
}

/// The characters that were answered, in the order of the test images.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Given {
    /// By threshold; `_` for codes of no class.
    pub(crate) threshold: String,
    /// By the nearest code.
    pub(crate) nearest: String,
}

/// The name of the undisturbed test images.
pub(crate) const CLEAN: &str = "clean";

/// The answers of the net of `trial` to each of `sets`, from its file or else from its model.
pub(crate) fn answers(
    folder: &Path,
    trial: &str,
    weights_sha256: &str,
    sets: &[(&str, &LabeledImages)],
    data_sha256: &str,
    kernel: Kernel,
    workers: &Workers,
) -> Result<Answers, Failure> {
    let path = folder.join("answers").join(format!("{trial}.json"));
    let stored = std::fs::read(&path).ok().and_then(|bytes| serde_json::from_slice::<Answers>(&bytes).ok());
    let fits = |stored: &Answers| stored.weights_sha256 == weights_sha256 && stored.data_sha256 == data_sha256;
    let mut answers = stored.filter(fits).unwrap_or_else(|| Answers {
        weights_sha256: weights_sha256.to_owned(),
        data_sha256: data_sha256.to_owned(),
        sets: BTreeMap::new(),
    });
    let missing: Vec<_> = sets.iter().filter(|(name, _)| !answers.sets.contains_key(*name)).collect();
    if missing.is_empty() {
        return Ok(answers);
    }
    let model_path = folder.join("models").join(format!("{trial}.safetensors"));
    let model = load_model(&model_path).map_err(|error| model_failure(&error))?;
    let config = &model.config;
    for (name, images) in missing {
        let codebook = config.encoding.codebook(&images.classes);
        let objective = config.objective();
        let evaluation = match &model.network {
            AnyMlp::F32(mlp) => evaluate(mlp, &samples(images, &codebook), objective, workers, kernel),
            AnyMlp::F64(mlp) => evaluate(mlp, &samples(images, &codebook), objective, workers, kernel),
        };
        let character = |class: usize| images.classes[class];
        let given = Given {
            threshold: evaluation.answers.iter().map(|answer| answer.threshold.map_or('_', character)).collect(),
            nearest: evaluation.answers.iter().map(|answer| character(answer.nearest)).collect(),
        };
        answers.sets.insert((*name).to_owned(), given);
    }
    std::fs::create_dir_all(folder.join("answers")).map_err(|error| Failure::io("create", &path, &error))?;
    let text = serde_json::to_string(&answers).map_err(|error| Failure::data(error.to_string()))?;
    write_atomically(&path, &text)?;
    Ok(answers)
}
