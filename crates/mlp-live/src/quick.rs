//! A model for those who have none yet, trained while they wait.

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};
use std::thread;

use mlp_core::{Kernel, Workers};
use mlp_sweep::image_samples;
use mlp_train::{AnyMlp, EvaluateTrain, Progress, SavedModel, Setup, TargetEncoding, TrainConfig, train};
use mnist_io::{LabeledImages, synthetic_digits};
use ndarray::{Axis, concatenate};
use serde::Serialize;

use crate::data::DataSource;
use crate::error::{Error, ErrorKind, Result};
use crate::models::{LoadedModel, Models, lock};
use crate::reader::PictureReader;

/// Digits drawn by the program, with the strokes of a pen, are learned beside those of the data.
const N_DRAWN: usize = 10_000;
/// The seed of those digits: none of the data that the program trains on otherwise.
const DRAWN_SEED: u64 = 77;
const N_EPOCHS: usize = 6;
/// Of the test images so many are measured.
const N_TEST: usize = 2_000;

/// How the training of a model on the spot stands.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum QuickState {
    /// Nobody has asked for it.
    #[default]
    Idle,
    /// It is under way.
    Training {
        /// What it learns from.
        data: String,
        /// 0 to 1.
        share: f64,
    },
    /// It is there.
    Ready {
        /// Of the test images, how many it reads.
        accuracy: Option<f64>,
    },
    /// It came to nothing.
    Failed {
        /// Why.
        problem: String,
    },
}

pub(crate) struct Quick {
    models: Arc<Models>,
    sources: Vec<Arc<DataSource>>,
    n_threads: usize,
    state: Arc<Mutex<QuickState>>,
}

impl Quick {
    pub(crate) fn new(models: Arc<Models>, sources: Vec<Arc<DataSource>>, n_threads: usize) -> Self {
        Quick { models, sources, n_threads, state: Arc::default() }
    }

    pub(crate) fn state(&self) -> QuickState {
        lock(&self.state).clone()
    }

    pub(crate) fn begin(&self) -> Result<QuickState> {
        let mut state = lock(&self.state);
        if matches!(*state, QuickState::Training { .. } | QuickState::Ready { .. }) {
            return Ok(state.clone());
        }
        let source = self.sources.first().cloned().ok_or_else(|| {
            Error::new(ErrorKind::Missing, "expected data to train on, found none; name a folder with a model")
        })?;
        let (models, shared, n_threads) = (Arc::clone(&self.models), Arc::clone(&self.state), self.n_threads);
        let work = move || {
            let ended = learn(&source, n_threads, &shared).map(|(model, accuracy)| {
                models.set_own(model);
                QuickState::Ready { accuracy }
            });
            *lock(&shared) = ended.unwrap_or_else(|error| QuickState::Failed { problem: error.to_string() });
        };
        thread::Builder::new().name("quick model".to_owned()).spawn(work).map_err(|error| {
            Error::new(ErrorKind::Busy, format!("the system refuses a thread: {error}; try again later"))
        })?;
        *state = QuickState::Training { data: self.sources[0].name().to_owned(), share: 0.0 };
        Ok(state.clone())
    }
}

/// The default network, whose outputs are the bits of an ASCII code; where classes are words, one output for each.
fn learn(source: &DataSource, n_threads: usize, state: &Mutex<QuickState>) -> Result<(LoadedModel, Option<f64>)> {
    let data = source.get()?;
    let images = |part: &Arc<mlp_sweep::SampleSet>| {
        let images = part.images().cloned();
        images.ok_or_else(|| Error::request(format!("{}: expected images, found rows of numbers", source.name())))
    };
    let train_images = with_drawn(images(data.train())?)?;
    let test_images = images(data.test())?.first(N_TEST);
    let mut config = TrainConfig::new().epochs(N_EPOCHS).evaluate_train(EvaluateTrain::Count(1_000));
    // Words have no ASCII codes.
    if config.encoding.check_classes(&train_images.classes).is_err() {
        config.encoding = TargetEncoding::OneHot;
    }
    let codebook = config.codebook(&train_images.classes);
    let samples = image_samples::<f32>(&train_images, &codebook);
    let test = image_samples::<f32>(&test_images, &codebook);
    let workers = Workers::try_new(n_threads).map_err(|error| Error::new(ErrorKind::Busy, error.to_string()))?;
    let setup = Setup { workers: &workers, kernel: Kernel::detect(), initial: None };
    let run = train(&config, &samples, Some(&test), setup, &mut |progress| {
        if let Progress::Batch { epoch, samples_done, samples_in_epoch, .. } = progress {
            let done = (epoch - 1) as f64 + samples_done as f64 / samples_in_epoch as f64;
            let share = done / N_EPOCHS as f64;
            *lock(state) = QuickState::Training { data: source.name().to_owned(), share };
        }
        ControlFlow::Continue(())
    })?;
    let accuracy = run.evaluation.as_ref().and_then(|evaluation| evaluation.metrics.accuracy);
    let model = SavedModel::new(run.mlp.clone(), config, &train_images.classes);
    let size = (train_images.height(), train_images.width());
    let reader = PictureReader::new(&model, Some(size), data.is_as_it_is())?;
    Ok((LoadedModel { reader: Mutex::new(reader), network: AnyMlp::F32(run.mlp) }, accuracy))
}

/// The images and, where they are digits of the same size, some that the program draws.
fn with_drawn(images: LabeledImages) -> Result<LabeledImages> {
    let drawn = synthetic_digits(N_DRAWN, DRAWN_SEED);
    if images.classes != drawn.classes || images.images.shape()[1..] != drawn.images.shape()[1..] {
        return Ok(images);
    }
    let pixels = concatenate(Axis(0), &[images.images.view(), drawn.images.view()]).expect("images of one size");
    let labels = [images.labels, drawn.labels].concat();
    Ok(LabeledImages::new(pixels, labels, images.classes)?)
}
