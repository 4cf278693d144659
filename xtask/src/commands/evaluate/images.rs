//! Which images a model is measured on.

use std::sync::Arc;

use clap::ValueEnum;
use mlp_results::text::thousands;
use mlp_sweep::{Dataset, SampleSet};
use mlp_train::{SavedModel, split_validation};
use mnist_io::{LabeledImages, classes_in_a_line};
use serde_json::Value;

use crate::data::{self, Measurable};
use crate::failure::Failure;
use crate::models::FoundModel;
use crate::output::notice;

/// A part of a data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Part {
    /// The images that the net learned from
    Train,
    /// The images that its run split off the training images to choose by
    Validation,
    /// The images that nothing was learned from
    Test,
}

/// The images that a model is measured on, and where they are from.
pub(super) struct MeasuredImages {
    /// Of which data set.
    pub(super) name: String,
    pub(super) part: Part,
    samples: Arc<SampleSet>,
    /// How many images the set has of which these are some: training or test images.
    pub(super) n_all: usize,
    /// The keys that say why they are not all, with their values.
    pub(super) reasons: Vec<(&'static str, usize)>,
    /// The whole data set, where there is one.
    pub(super) data: Option<Dataset>,
}

impl MeasuredImages {
    /// Reads the `part` of the data that are named, or else of those that the models were trained on.
    pub(super) fn find(models: &[FoundModel], named: Option<&str>, part: Part) -> Result<Self, Failure> {
        let model = &models[0];
        for other in models[1..].iter().filter(|_| named.is_none()) {
            same_images(model, other, part)?;
        }
        let trained_on = model.saved.other.get("data").and_then(Value::as_str);
        match data::load_measurable(named.or(trained_on))? {
            Measurable::Whole(data) => {
                // Whoever names the data of the run asks for the run's part of them all the same, but for the test images.
                let is_same = || model.record().is_some_and(|record| record.data.sha256 == data.sha256());
                let is_own = named.is_none() || part != Part::Test && is_same();
                if is_own {
                    say_where_data_differ(model, &data);
                }
                let found = Self::of_data_set(&model.saved, data, part, is_own)?;
                found.among_classes_of(model)
            }
            Measurable::TestOnly(name, images) if part == Part::Test => {
                let n_all = images.len();
                let samples = Arc::new(SampleSet::from(images));
                Self { name, part, samples, n_all, reasons: Vec::new(), data: None }.among_classes_of(model)
            }
            Measurable::TestOnly(name, _) => Err(Failure::configuration(format!(
                "--part {}: expected training images, found that {name} holds test images alone; leave it out",
                part.name()
            ))),
        }
    }

    fn of_data_set(model: &SavedModel, data: Dataset, part: Part, is_own: bool) -> Result<Self, Failure> {
        let size = |key| model.other.get(key).and_then(Value::as_u64).and_then(|size| usize::try_from(size).ok());
        let own_size = |key| size(key).filter(|_| is_own);
        let name = data.name().to_owned();
        if part == Part::Test {
            let size = own_size("test_size");
            let (samples, n_all) = (data.test_part(size), data.test().len());
            let reasons = size.filter(|size| *size < n_all).map(|size| ("test_size", size)).into_iter().collect();
            return Ok(Self { name, part, samples, n_all, reasons, data: Some(data) });
        }
        let n_validation = model.config.validation;
        if part == Part::Validation && !(is_own && n_validation > 0) {
            let found = if is_own { "a run that split none off" } else { "other data, named by --data" };
            return Err(Failure::configuration(format!(
                "--part validation: expected the data of a run with `validation`, found {found}; take train or test"
            )));
        }
        let size = own_size("train_size");
        let (all, n_all) = (data.train_part(size), data.train().len());
        let mut reasons: Vec<_> =
            size.filter(|size| *size < n_all).map(|size| ("train_size", size)).into_iter().collect();
        if !(is_own && n_validation > 0) {
            return Ok(Self { name, part, samples: all, n_all, reasons, data: Some(data) });
        }
        if n_validation >= all.len() {
            return Err(Failure::data(format!(
                "{name}: expected more training images than the {n_validation} that were split off for validation, found {}; \
                 name the data that the net was trained on",
                all.len()
            )));
        }
        let (train, validation) =
            split_validation(all.len(), Some(images_of(&all)?.labels.as_slice().into()), &model.config);
        let rows = if part == Part::Train { train } else { validation };
        let samples = Arc::new(SampleSet::from(images_of(&all)?.select(&rows)));
        reasons.push(("validation", n_validation));
        Ok(Self { name, part, samples, n_all, reasons, data: Some(data) })
    }

    /// The images.
    pub(super) fn images(&self) -> Result<&LabeledImages, Failure> {
        images_of(&self.samples)
    }

    /// How many.
    pub(super) fn n_images(&self) -> usize {
        self.samples.len()
    }

    /// `500 of the 2,000 test images of mnist`.
    pub(super) fn description(&self) -> String {
        let n_images = self.n_images();
        let noun = if self.part == Part::Test { "test" } else { "training" };
        let (shown, all) = (thousands(n_images as u64), thousands(self.n_all as u64));
        let counted = match self.part {
            Part::Validation => format!("the {shown} validation images among the {all} training images"),
            _ if n_images == self.n_all => format!("all {all} {noun} images"),
            _ => format!("{shown} of the {all} {noun} images"),
        };
        format!("{counted} of {}", self.name)
    }

    /// With the labels that the model gives to the classes; a model is only as good as the data it is asked about.
    fn among_classes_of(self, model: &FoundModel) -> Result<Self, Failure> {
        let images = self.images()?;
        let (saved, path) = (&model.saved, model.path.display());
        let n_pixels = images.height() * images.width();
        if saved.network.n_inputs() != n_pixels {
            return Err(Failure::data(format!(
                "{path}: expected images of {} pixels, found {} × {} = {n_pixels}; name fitting --data",
                saved.network.n_inputs(),
                images.height(),
                images.width(),
            )));
        }
        let known = if saved.classes.is_empty() { &images.classes } else { &saved.classes };
        let encoding = saved.config.encoding;
        let fits = encoding.check_classes(known).is_ok() && encoding.n_bits(known) == saved.network.n_outputs();
        match images.among(known).filter(|_| fits) {
            Some(_) if *known == images.classes => Ok(self),
            Some(images) => Ok(Self { samples: Arc::new(SampleSet::from(images)), ..self }),
            None => {
                let (known, classes) = (classes_in_a_line(known), classes_in_a_line(&images.classes));
                Err(Failure::data(format!(
                    "{path}: expected images of the classes {known}, found {classes}; name fitting --data"
                )))
            }
        }
    }
}

impl Part {
    /// As one names it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Part::Train => "train",
            Part::Validation => "validation",
            Part::Test => "test",
        }
    }
}

/// Several nets are measured on the images of all their runs; where those differ, somebody has to say on which.
fn same_images(first: &FoundModel, other: &FoundModel, part: Part) -> Result<(), Failure> {
    let said = |model: &FoundModel, key: &str| model.saved.other.get(key).map_or("all".to_owned(), Value::to_string);
    let size = if part == Part::Test { "test_size" } else { "train_size" };
    let mut choices = vec![(size, [said(first, size), said(other, size)])];
    // The same data may have several names.
    let hash = |model: &FoundModel| model.record().map(|record| record.data.sha256);
    if hash(first).is_none() || hash(first) != hash(other) {
        choices.push(("data", [said(first, "data"), said(other, "data")]));
    }
    let configs = [&first.saved.config, &other.saved.config];
    // The split is drawn by the seed, and without one it does not matter.
    if part != Part::Test {
        choices.push(("validation", configs.map(|config| config.validation.to_string())));
        choices.push(("validation_split", configs.map(|config| config.validation_split.to_string())));
        if configs[0].validation > 0 {
            choices.push(("seed", configs.map(|config| config.seed.to_string())));
        }
    }
    match choices.into_iter().find(|(_, [expected, found])| expected != found) {
        None => Ok(()),
        Some((key, [expected, found])) => Err(Failure::data(format!(
            "{}: expected {key} = {expected}, as the first net's run has, found {found}; the {} images of the two differ: {}",
            other.path.display(),
            part.name(),
            if part == Part::Validation {
                "no net may have learned from what judges them all"
            } else {
                "name some with --data"
            }
        ))),
    }
}

fn images_of(samples: &SampleSet) -> Result<&LabeledImages, Failure> {
    samples.images().ok_or_else(|| Failure::data("expected images, found a table"))
}

/// Data may have been replaced since the net was trained; then their parts are not those of its run.
fn say_where_data_differ(model: &FoundModel, data: &Dataset) {
    if model.record().is_some_and(|record| record.data.sha256 != data.sha256()) {
        notice(format_args!("note: {} is not what it was when the net was trained on it", data.name()));
    }
}
