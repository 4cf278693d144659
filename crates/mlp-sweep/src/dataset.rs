//! The data of a sweep: two sets of samples under one name, owned, with an identity.

use std::fmt;
use std::sync::Arc;

use mlp_core::Real;
use mlp_results::DataDescription;
use mlp_train::{Codebook, Inputs, Samples, TargetEncoding, Targets, TrainConfig, are_characters};
use mnist_io::{LabeledImages, classes_in_a_line};
use ndarray::{Array2, Axis};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use sha2::{Digest, Sha256};

use crate::error::{Error, ErrorKind, Result};

/// Smaller sets are a choice by this seed, so that they are the same in every run.
const SUBSET_SEED: u64 = 0;

/// Training and test samples under one name.
#[derive(Clone)]
#[must_use = "data do nothing until a sweep is made of them"]
pub struct Dataset {
    name: String,
    is_synthetic: bool,
    is_as_it_is: bool,
    train: Arc<SampleSet>,
    test: Arc<SampleSet>,
    sha256: String,
}

/// Samples of one kind: images with their classes, or rows of numbers.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum SampleSet {
    /// Grey levels; each image is the character of its class.
    Images(LabeledImages),
    /// Rows of numbers.
    Table(Table),
}

/// Rows of numbers with what they should give.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// `(n_samples, n_inputs)`.
    pub inputs: Array2<f64>,
    /// What a network should answer to each row.
    pub targets: TableTargets,
}

/// What a network should answer to the rows of a table.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum TableTargets {
    /// A class for each row.
    Classes {
        /// Its index.
        labels: Vec<u8>,
        /// What each class is, a character or a word.
        classes: Vec<String>,
    },
    /// Numbers, taken as they are: `(n_samples, n_outputs)`.
    Values(Array2<f64>),
}

impl Dataset {
    /// Images to train and to test on.
    ///
    /// # Errors
    ///
    /// If the two differ in the size of their images or in their classes, or the parts of one do not fit together
    /// ([`LabeledImages::new`]).
    pub fn images(name: impl Into<String>, train: LabeledImages, test: LabeledImages) -> Result<Self> {
        let (train, test) = (checked(train, "training")?, checked(test, "test")?);
        let size = |images: &LabeledImages| format!("images of {} × {}", images.height(), images.width());
        let classes = |images: &LabeledImages| format!("the classes {}", classes_in_a_line(&images.classes));
        for (expected, found) in [(size(&train), size(&test)), (classes(&train), classes(&test))] {
            if expected != found {
                let text = format!("test images: expected {expected}, as in the training images, found {found}");
                return Err(Error::new(ErrorKind::Data, text));
            }
        }
        let sha256 = both(&train.sha256(), &test.sha256());
        let [train, test] = [train, test].map(|images| Arc::new(SampleSet::Images(images)));
        Ok(Dataset { name: name.into(), is_synthetic: false, is_as_it_is: false, train, test, sha256 })
    }

    /// Rows of numbers to train and to test on.
    ///
    /// # Errors
    ///
    /// If the two differ in their numbers of inputs or outputs, or in their classes, a table does not fit together, or a
    /// number in it is not finite.
    pub fn tables(name: impl Into<String>, train: Table, test: Table) -> Result<Self> {
        for (table, part) in [(&train, "training"), (&test, "test")] {
            table.check().map_err(|problem| Error::new(ErrorKind::Data, format!("{part} table: {problem}")))?;
        }
        if train.shape() != test.shape() || train.classes() != test.classes() {
            let text = "test table: expected the inputs, outputs and classes of the training table, found others";
            return Err(Error::new(ErrorKind::Data, text));
        }
        let sha256 = both(&train.sha256(), &test.sha256());
        let [train, test] = [train, test].map(|table| Arc::new(SampleSet::Table(table)));
        Ok(Dataset { name: name.into(), is_synthetic: false, is_as_it_is: false, train, test, sha256 })
    }

    /// Says that a program made the data up: records and reports say so, too.
    pub fn synthetic(self) -> Self {
        Dataset { is_synthetic: true, ..self }
    }

    /// Says that the images are no handwriting, or were not prepared to be like MNIST's: models that learn from them say so
    /// ([`PICTURES_KEY`](crate::PICTURES_KEY)), and another picture is then given to them as it is.
    pub fn as_it_is(self) -> Self {
        Dataset { is_as_it_is: true, ..self }
    }

    /// Whether pictures are given to its models as they are.
    pub fn is_as_it_is(&self) -> bool {
        self.is_as_it_is
    }

    /// What it is called: part of a folder's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether a program made it up.
    pub fn is_synthetic(&self) -> bool {
        self.is_synthetic
    }

    /// The samples to learn from. Trials that use all of them share them.
    pub fn train(&self) -> &Arc<SampleSet> {
        &self.train
    }

    /// The samples to test on.
    pub fn test(&self) -> &Arc<SampleSet> {
        &self.test
    }

    /// Identity of the data, in hexadecimal: of pixels, labels and classes, or of numbers.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// The first `size` of a fixed random order of the training samples; all, in their own order, without a size.
    pub fn train_part(&self, size: Option<usize>) -> Arc<SampleSet> {
        part(&self.train, size)
    }

    /// The first `size` of a fixed random order of the test samples; all, in their own order, without a size.
    pub fn test_part(&self, size: Option<usize>) -> Arc<SampleSet> {
        part(&self.test, size)
    }

    /// What a record says about the data, of which so many samples are used.
    pub fn describe(&self, n_train: usize, n_test: usize) -> DataDescription {
        let (height, width) = self.train.image_size().unwrap_or((0, 0));
        DataDescription {
            name: self.name.clone(),
            sha256: self.sha256.clone(),
            train: n_train,
            test: n_test,
            inputs: self.train.n_inputs(),
            height,
            width,
            classes: self.train.classes().to_vec(),
            synthetic: self.is_synthetic,
            validation_was_seen: false,
        }
    }
}

/// Without the samples, which nobody wants to read.
impl fmt::Debug for Dataset {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (train, test) = (self.train.len(), self.test.len());
        let mut shown = formatter.debug_struct("Dataset");
        shown.field("name", &self.name).field("n_train", &train).field("n_test", &test).field("sha256", &self.sha256);
        shown.finish_non_exhaustive()
    }
}

impl SampleSet {
    /// The number of samples.
    pub fn len(&self) -> usize {
        match self {
            SampleSet::Images(images) => images.len(),
            SampleSet::Table(table) => table.inputs.nrows(),
        }
    }

    /// Whether there are no samples.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The numbers of one sample.
    pub fn n_inputs(&self) -> usize {
        match self {
            SampleSet::Images(images) => images.height() * images.width(),
            SampleSet::Table(table) => table.inputs.ncols(),
        }
    }

    /// The outputs that a network needs, where classes are encoded so.
    pub fn n_outputs(&self, encoding: TargetEncoding) -> usize {
        match self {
            SampleSet::Table(Table { targets: TableTargets::Values(values), .. }) => values.ncols(),
            _ => encoding.n_bits(self.classes()),
        }
    }

    /// What the classes are, characters or words; none where targets are numbers.
    pub fn classes(&self) -> &[String] {
        match self {
            SampleSet::Images(images) => &images.classes,
            SampleSet::Table(table) => table.classes(),
        }
    }

    /// The class of each sample, by its index; none where targets are numbers.
    pub(crate) fn labels(&self) -> &[u8] {
        match self {
            SampleSet::Images(images) => &images.labels,
            SampleSet::Table(Table { targets: TableTargets::Classes { labels, .. }, .. }) => labels,
            SampleSet::Table(_) => &[],
        }
    }

    /// What one calls the samples.
    pub(crate) fn noun(&self) -> &'static str {
        match self {
            SampleSet::Images(_) => "images",
            SampleSet::Table(_) => "rows",
        }
    }

    /// What one calls one of them.
    pub(crate) fn noun_of_one(&self) -> &'static str {
        match self {
            SampleSet::Images(_) => "image",
            SampleSet::Table(_) => "row",
        }
    }

    /// Height and width of images; nothing for rows of numbers.
    pub fn image_size(&self) -> Option<(usize, usize)> {
        match self {
            SampleSet::Images(images) => Some((images.height(), images.width())),
            SampleSet::Table(_) => None,
        }
    }

    /// The images, if these are images.
    pub fn images(&self) -> Option<&LabeledImages> {
        match self {
            SampleSet::Images(images) => Some(images),
            SampleSet::Table(_) => None,
        }
    }

    /// The codes of the classes, where there are classes.
    pub(crate) fn codebook(&self, config: &TrainConfig) -> Option<Codebook> {
        (!self.classes().is_empty()).then(|| config.codebook(self.classes()))
    }

    /// The numbers of a table in the type that a network computes in.
    pub(crate) fn converted<F: Real>(&self) -> Option<(Array2<F>, Option<Array2<F>>)> {
        let SampleSet::Table(table) = self else { return None };
        let numbers = |array: &Array2<f64>| array.mapv(F::narrow);
        let targets = match &table.targets {
            TableTargets::Values(values) => Some(numbers(values)),
            TableTargets::Classes { .. } => None,
        };
        Some((numbers(&table.inputs), targets))
    }

    /// What training sees: views of this set, of its codes and of its converted numbers.
    pub(crate) fn samples<'a, F: Real>(
        &'a self,
        codebook: Option<&'a Codebook>,
        converted: Option<&'a (Array2<F>, Option<Array2<F>>)>,
    ) -> Samples<'a, F> {
        let inputs = match (self, converted) {
            (SampleSet::Images(images), _) => Inputs::Images(images.images.view()),
            (SampleSet::Table(_), Some((inputs, _))) => Inputs::Values(inputs.view()),
            (SampleSet::Table(_), None) => unreachable!("a table is converted before it is used"),
        };
        let labels = self.labels();
        let targets = match (codebook, converted) {
            (_, Some((_, Some(values)))) => Targets::Values(values.view()),
            (Some(codebook), _) => Targets::labels(labels, codebook),
            (None, _) => unreachable!("samples without classes have numbers as targets"),
        };
        Samples { inputs, targets, weights: None }
    }

    fn subset(&self, size: usize) -> SampleSet {
        match self {
            SampleSet::Images(images) => SampleSet::Images(images.subset(size, SUBSET_SEED)),
            SampleSet::Table(table) => SampleSet::Table(table.subset(size, SUBSET_SEED)),
        }
    }
}

impl From<LabeledImages> for SampleSet {
    fn from(images: LabeledImages) -> Self {
        SampleSet::Images(images)
    }
}

impl From<Table> for SampleSet {
    fn from(table: Table) -> Self {
        SampleSet::Table(table)
    }
}

impl Table {
    fn shape(&self) -> (usize, usize) {
        let n_outputs = match &self.targets {
            TableTargets::Classes { .. } => 0,
            TableTargets::Values(values) => values.ncols(),
        };
        (self.inputs.ncols(), n_outputs)
    }

    fn classes(&self) -> &[String] {
        match &self.targets {
            TableTargets::Classes { classes, .. } => classes,
            TableTargets::Values(_) => &[],
        }
    }

    fn check(&self) -> std::result::Result<(), String> {
        let n_rows = self.inputs.nrows();
        check_finite(&self.inputs, "input")?;
        let n_targets = match &self.targets {
            TableTargets::Classes { labels, classes } => {
                if classes.is_empty() {
                    return Err("expected at least one class, found none".to_owned());
                }
                if let Some(twin) = classes.iter().enumerate().find(|(index, class)| classes[..*index].contains(class))
                {
                    return Err(format!("expected a name of its own for each class, found {:?} twice", twin.1));
                }
                if let Some(row) = labels.iter().position(|&label| usize::from(label) >= classes.len()) {
                    let (n_classes, label) = (classes.len(), labels[row]);
                    return Err(format!("row {row}: expected a label below {n_classes}, found {label}"));
                }
                labels.len()
            }
            TableTargets::Values(values) => {
                check_finite(values, "target")?;
                values.nrows()
            }
        };
        if n_rows == 0 || n_targets != n_rows {
            return Err(format!("expected as many targets as rows, at least one, found {n_targets} and {n_rows}"));
        }
        Ok(())
    }

    /// Of the shape, the bits of the numbers, and the classes.
    fn sha256(&self) -> String {
        let mut hasher = Sha256::new();
        let mut add = |array: &Array2<f64>| {
            hasher.update(format!("{:?}\n", array.dim()));
            array.iter().for_each(|number| hasher.update((number + 0.0).to_le_bytes()));
        };
        add(&self.inputs);
        match &self.targets {
            TableTargets::Values(values) => add(values),
            TableTargets::Classes { labels, classes } => {
                hasher.update((labels.len() as u64).to_le_bytes());
                hasher.update(labels);
                hasher.update(if are_characters(classes) { classes.concat() } else { classes.join("\n") });
            }
        }
        hex::encode(hasher.finalize())
    }

    /// `size` rows drawn at random without replacement, in the order of the draws; a larger size begins with the same.
    fn subset(&self, size: usize, seed: u64) -> Table {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut order: Vec<usize> = (0..self.inputs.nrows()).collect();
        let n_drawn = size.min(order.len());
        for place in 0..n_drawn {
            let n_left = (order.len() - place) as u64;
            let other = place + crate::random::below(n_left, rng.next_u64()) as usize;
            order.swap(place, other);
        }
        order.truncate(n_drawn);
        let targets = match &self.targets {
            TableTargets::Values(values) => TableTargets::Values(values.select(Axis(0), &order)),
            TableTargets::Classes { labels, classes } => TableTargets::Classes {
                labels: order.iter().map(|&row| labels[row]).collect(),
                classes: classes.clone(),
            },
        };
        Table { inputs: self.inputs.select(Axis(0), &order), targets }
    }
}

/// Images with their labels as a network sees them.
pub fn image_samples<'a, F: Real>(images: &'a LabeledImages, codebook: &'a Codebook) -> Samples<'a, F> {
    Samples {
        inputs: Inputs::Images(images.images.view()),
        targets: Targets::labels(&images.labels, codebook),
        weights: None,
    }
}

/// The same images, if their labels, classes and pixels, which anybody can change, still belong together.
fn checked(images: LabeledImages, part: &str) -> Result<LabeledImages> {
    let LabeledImages { images, labels, classes } = images;
    LabeledImages::new(images, labels, classes)
        .map_err(|error| Error::new(ErrorKind::Data, format!("{part} images: {error}")))
}

fn check_finite(numbers: &Array2<f64>, what: &str) -> std::result::Result<(), String> {
    match numbers.indexed_iter().find(|(_, number)| !number.is_finite()) {
        Some(((row, column), number)) => {
            Err(format!("row {row}, {what} {column}: expected a finite number, found {number}"))
        }
        None => Ok(()),
    }
}

fn part(samples: &Arc<SampleSet>, size: Option<usize>) -> Arc<SampleSet> {
    match size {
        Some(size) if size < samples.len() => Arc::new(samples.subset(size)),
        _ => Arc::clone(samples),
    }
}

fn both(train: &str, test: &str) -> String {
    let mut hasher = Sha256::new();
    hasher.update(train);
    hasher.update(test);
    hex::encode(hasher.finalize())
}
