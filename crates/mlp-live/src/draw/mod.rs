//! A drawing, and what networks make of it: every step on the way from the picture to the answer.

mod answer;
mod explain;
mod no_picture;

use std::sync::Arc;
use std::time::Instant;

use mnist_io::image::{DynamicImage, GrayImage};
use mnist_io::{Layout, PreparedPhoto, parse_image, prepare_photo};
use serde::{Deserialize, Serialize};

use crate::data::DataSource;
use crate::error::{Error, Result};
use crate::models::{LoadedModel, Models, lock};
use crate::pixels::Pixels;
use crate::quick::{Quick, QuickState};
use crate::watch::{RankedModel, Watch};
pub use answer::{BitAnswer, CandidateAnswer, CharacterAnswer, LayerActivations};

/// The longest side of a step's image as it is shown.
const STEP_SIDE: usize = 112;
/// How many networks read a picture side by side.
const N_MODELS_MAX: usize = 2;
/// The longest side of a drawing, in pixels.
const DRAWING_SIDE_MAX: usize = 1024;

/// What is asked about a picture.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// The models that are to read it, at most two ([`RankedModel::id`]); with none it is only prepared.
    pub models: Vec<String>,
    /// Whether all ink is one character.
    #[serde(default)]
    pub single: bool,
    /// The output that the heat map is about; the answer against its runner-up where there is none.
    #[serde(default)]
    pub output: Option<usize>,
    /// The model whose output that is; that of each where there is none.
    #[serde(default)]
    pub output_of: Option<String>,
}

/// A picture, read.
#[derive(Clone, Debug, Serialize)]
pub struct PictureAnswer {
    /// What was done to it, in order.
    pub steps: Vec<Step>,
    /// Why nothing was found on it.
    pub refusal: Option<String>,
    /// How sure the preparation is that it found the writing, 0 to 1.
    pub found: f64,
    /// One a model, in the order of the question.
    pub readings: Vec<Reading>,
    /// The milliseconds of the preparation.
    pub milliseconds_prepare: f64,
    /// The milliseconds of all of it.
    pub milliseconds: f64,
}

/// A step of the preparation.
#[derive(Clone, Debug, Serialize)]
pub struct Step {
    /// One word or two.
    pub name: &'static str,
    /// What was done and found, in one sentence.
    pub explanation: String,
    /// The image after it.
    pub image: Pixels,
}

/// What one network made of a picture.
#[derive(Clone, Debug, Serialize)]
pub struct Reading {
    /// The model.
    pub model: String,
    /// From left to right.
    pub characters: Vec<CharacterAnswer>,
}

/// Reads pictures with the models of the folders.
pub struct Draw {
    models: Arc<Models>,
    quick: Quick,
}

impl Draw {
    /// Pictures are read with the models that `watch` finds; a model is trained on one of `sources` where there are none.
    /// `is_as_it_is` says of the name of a data set whether it is no handwriting.
    pub fn new(
        watch: Arc<Watch>,
        sources: Vec<Arc<DataSource>>,
        n_threads: usize,
        is_as_it_is: impl Fn(&str) -> bool + Send + Sync + 'static,
    ) -> Self {
        let models = Arc::new(Models::new(watch, Box::new(is_as_it_is)));
        let quick = Quick::new(Arc::clone(&models), sources, n_threads);
        Draw { models, quick }
    }

    /// The models that can be chosen, the best of each folder first.
    pub fn models(&self) -> Vec<RankedModel> {
        self.models.list()
    }

    /// Begins to train a model on the spot, unless one is being trained.
    ///
    /// # Errors
    ///
    /// If there are no data, or the system refuses a thread.
    pub fn train_quickly(&self) -> Result<QuickState> {
        self.quick.begin()
    }

    /// How that stands.
    pub fn quick(&self) -> QuickState {
        self.quick.state()
    }

    /// Reads a drawing: grey levels row by row.
    ///
    /// # Errors
    ///
    /// If there are not as many bytes as pixels, or more than 1024 pixels to a side, and as [`Draw::read`].
    pub fn read_drawing(&self, width: usize, grey: Vec<u8>, question: &Question) -> Result<PictureAnswer> {
        let height = grey.len().checked_div(width).unwrap_or(0);
        let is_whole = width > 0 && height * width == grey.len();
        if !is_whole || width.max(height) > DRAWING_SIDE_MAX || height == 0 {
            return Err(Error::request(format!(
                "expected a drawing of at most {DRAWING_SIDE_MAX} × {DRAWING_SIDE_MAX} grey levels, found {} bytes in rows of \
                 {width}",
                grey.len()
            )));
        }
        let image = GrayImage::from_raw(width as u32, height as u32, grey).expect("as many bytes as pixels");
        self.read(&DynamicImage::from(image), question)
    }

    /// Reads a file: PNG, JPEG, WebP, BMP or GIF, within the limits of [`mnist_io::parse_image`].
    ///
    /// # Errors
    ///
    /// If it is no such picture, and as [`Draw::read`].
    pub fn read_file(&self, bytes: &[u8], question: &Question) -> Result<PictureAnswer> {
        let image = parse_image(std::io::Cursor::new(bytes)).map_err(|error| no_picture::no_picture(bytes, &error))?;
        self.read(&image, question)
    }

    /// Reads a picture. One on which nothing is found is no error: the steps show how far it came.
    ///
    /// # Errors
    ///
    /// If a model is not there or cannot be read, or more than two are named.
    pub fn read(&self, picture: &DynamicImage, question: &Question) -> Result<PictureAnswer> {
        let started = Instant::now();
        if question.models.len() > N_MODELS_MAX {
            return Err(Error::request(format!("expected one or two models, found {}", question.models.len())));
        }
        let models: Vec<Arc<LoadedModel>> =
            question.models.iter().map(|id| self.models.load(id)).collect::<Result<_>>()?;
        let layout = if question.single { Layout::Single } else { Layout::Row };
        let mut first = None;
        let mut readings = Vec::new();
        let mut milliseconds_prepare = 0.0;
        let mut prepared_by = None;
        for (id, model) in question.models.iter().zip(&models) {
            let mut reader = lock(&model.reader);
            let way = (reader.size(), reader.is_as_it_is());
            // Most networks see pictures alike.
            if prepared_by.as_ref().is_none_or(|(known, _)| *known != way) {
                let before = Instant::now();
                prepared_by = Some((way, reader.prepare(picture, layout)));
                milliseconds_prepare += before.elapsed().as_secs_f64() * 1e3;
            }
            let Some((_, prepared)) = &prepared_by else { continue };
            let characters = prepared.characters.iter();
            let is_asked = question.output_of.as_ref().is_none_or(|of| of == id);
            let output = question.output.filter(|_| is_asked);
            let characters = characters.map(|one| answer::answer(&mut reader, &model.network, one, output));
            readings.push(Reading { model: id.clone(), characters: characters.collect::<Result<_>>()? });
            if first.is_none() {
                first = Some(seen(prepared));
            }
        }
        let (steps, refusal, found) = first.unwrap_or_else(|| {
            let before = Instant::now();
            let prepared = prepare_photo(picture, layout);
            milliseconds_prepare = before.elapsed().as_secs_f64() * 1e3;
            seen(&prepared)
        });
        let milliseconds = started.elapsed().as_secs_f64() * 1e3;
        Ok(PictureAnswer { steps, refusal, found, readings, milliseconds_prepare, milliseconds })
    }
}

/// The steps of a preparation, why nothing was found, and how sure it is.
fn seen(prepared: &PreparedPhoto) -> (Vec<Step>, Option<String>, f64) {
    let steps = prepared.steps.iter().map(|step| Step {
        name: step.name,
        explanation: step.explanation.clone(),
        image: Pixels::thumbnail(&step.image, STEP_SIDE),
    });
    let refusal = prepared.refusal.as_ref().map(ToString::to_string);
    (steps.collect(), refusal, prepared.confidence)
}
