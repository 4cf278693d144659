//! A trained network as it is used: an image or a row of numbers in, a class out, and how sure it is.

use std::fmt;
use std::path::Path;

use mlp_core::{Kernel, Mlp, Workers, Workspace};
use ndarray::{Array2, ArrayView1, ArrayView2, aview2};

use crate::committee::Committee;
use crate::data::{Inputs, Rows, Samples, Targets, check_finite};
use crate::decoding::Decoding;
use crate::encoding::{Codebook, is_one};
use crate::error::{Error, ErrorKind, Result};
use crate::evaluate::CHUNK;
use crate::model::{AnyMlp, SavedModel, load_model};
use crate::trainable::Trainable;

/// A network with the codes of its classes, ready to classify.
///
/// It computes as [`evaluate()`](crate::evaluate()) does, by [`Workspace`]: one sample or many, it gives the very numbers that
/// were measured in training on the same [`Kernel`]. Kernels differ in the rounding of sums, so that an output may differ in
/// its last digits, and in rare cases an answer, between processors; whoever needs the same bits everywhere names the
/// kernel with [`Classifier::with_kernel`]: [`Kernel::Portable`] is the same on every processor.
///
/// It keeps the weights in a workspace of its own, which each answer overwrites: hence `&mut self`. A program that answers
/// on several threads gives each a classifier.
///
/// ```
/// use mlp_train::mlp_core::{Activation, Layer, Mlp};
/// use mlp_train::ndarray::array;
/// use mlp_train::{Classifier, Decoding, SavedModel, TargetEncoding, TrainConfig};
///
/// // Two pixels: 'l' where the left one is bright, 'r' where the right one is.
/// let weights = array![[8.0_f32, -8.0], [-8.0, 8.0]];
/// let mlp = Mlp { layers: vec![Layer { weights, bias: None, activation: Activation::Sigmoid }] };
/// let config = TrainConfig::new().hidden([]).bias(false).encoding(TargetEncoding::OneHot);
/// let mut model = SavedModel::new(mlp, config, ['l', 'r']);
///
/// let mut classifier = Classifier::new(&model)?; // or Classifier::load(path)?
/// let answer = classifier.classify(&[255, 40])?;
/// assert_eq!(answer.class.as_deref(), Some("l"));
/// assert!(answer.bits[0].is_one && answer.bits[0].confidence > 0.99);
/// assert_eq!(answer.confidence, answer.bits[0].output);
/// assert_eq!(answer.runners_up()[0].class, "r");
///
/// // Both bright: both outputs are ½, and the first of the largest is the answer. Read exactly, there is none.
/// let answer = classifier.classify_values(&[1.0, 1.0])?;
/// assert_eq!(answer.class.as_deref(), Some("l"));
/// model.config.decoding = Some(Decoding::Exact);
/// let answer = Classifier::new(&model)?.classify_values(&[1.0, 1.0])?;
/// assert_eq!((&answer.class, answer.nearest()), (&None, "l"));
/// # Ok::<(), mlp_train::Error>(())
/// ```
pub struct Classifier {
    codebook: Codebook,
    n_inputs: usize,
    /// One, or those of a committee.
    networks: Vec<Network>,
    workers: Workers,
}

enum Network {
    F32(Workspace<f32>),
    F64(Workspace<f64>),
}

/// What a network answers to one sample.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Classification {
    /// The class that is answered, read as the model's configuration has it ([`Decoding`](crate::Decoding)); `None` for an
    /// invalid answer, which only exact decoding knows.
    pub class: Option<String>,
    /// How sure the network is of it, from 0 to 1: where the largest output is the answer, that output, which softmax makes a
    /// probability; of a code, how far on its side of a half the output is that is least so, from 0.5.
    pub confidence: f64,
    /// The bits of the answer, one for each output.
    pub bits: Vec<Bit>,
    /// Every class, that with the nearest code first; at least one.
    pub ranking: Vec<Candidate>,
}

/// One output, read as a bit.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Bit {
    /// The output of the network.
    pub output: f64,
    /// Whether it counts as 1: from a half upwards.
    pub is_one: bool,
    /// How far on its side of a half the output is, from 0.5 (undecided) to 1. It is no probability: no data was looked at to
    /// make it one.
    pub confidence: f64,
}

/// A class that an answer may mean.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Candidate {
    /// The class.
    pub class: String,
    /// The Euclidean distance of its code from the outputs.
    pub distance: f64,
}

impl Classifier {
    /// The classifier of a model file, on the best kernel of this processor and one thread.
    ///
    /// # Errors
    ///
    /// As [`load_model`] and [`Classifier::new`].
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        Self::new(&load_model(path)?).map_err(|error| error.in_file(path))
    }

    /// The classifier of a model, on the best kernel of this processor and one thread.
    ///
    /// # Errors
    ///
    /// If the model names no classes, or has not one output for each bit of their codes.
    pub fn new(model: &SavedModel) -> Result<Self> {
        Self::with_kernel(model, Kernel::detect(), Workers::new(1))
    }

    /// The classifier of a model, on this kernel and these threads. Their number changes no bit of an answer.
    ///
    /// # Errors
    ///
    /// As [`Classifier::new`].
    ///
    /// # Panics
    ///
    /// If the processor does not support the kernel.
    pub fn with_kernel(model: &SavedModel, kernel: Kernel, workers: Workers) -> Result<Self> {
        Self::of_committee([model], kernel, workers)
    }

    /// The classifier of several models, whose outputs are averaged ([`Committee`]).
    ///
    /// # Errors
    ///
    /// As [`Committee::new`] and [`Classifier::new`].
    ///
    /// # Panics
    ///
    /// If the processor does not support the kernel.
    pub fn of_committee<'a>(
        models: impl IntoIterator<Item = &'a SavedModel>,
        kernel: Kernel,
        workers: Workers,
    ) -> Result<Self> {
        let committee = Committee::new(models)?;
        let model = committee.members()[0];
        if model.classes.is_empty() {
            let advice = "say what the labels stand for in SavedModel::classes, or load what answers with numbers as a tabular::MlpRegressor";
            return Err(Error::at(ErrorKind::Model, "config, key classes", "the names of the classes", "none")
                .with_advice(advice));
        }
        let in_model =
            |error: Error| Error::at(ErrorKind::Model, "config, key encoding", error.expected(), error.found());
        model.config.encoding.check_classes(&model.classes).map_err(in_model)?;
        let codebook = model.config.codebook(&model.classes);
        let (n_outputs, n_bits) = (model.network.n_outputs(), codebook.n_bits());
        if n_outputs != n_bits {
            let (encoding, n_classes) = (model.config.encoding, model.classes.len());
            let expected = format!("a network with {n_bits} outputs, for the {encoding} codes of {n_classes} classes");
            return Err(Error::new(ErrorKind::Model, expected, n_outputs.to_string())
                .with_advice("take the model that was trained on these classes"));
        }
        let network = |model: &&SavedModel| match &model.network {
            AnyMlp::F32(mlp) => Network::F32(workspace(mlp, kernel, &workers)),
            AnyMlp::F64(mlp) => Network::F64(workspace(mlp, kernel, &workers)),
        };
        let networks = committee.members().iter().map(network).collect();
        Ok(Self { codebook, n_inputs: model.network.n_inputs(), networks, workers })
    }

    /// The number of inputs: of pixels in an image, of numbers in a row.
    pub fn n_inputs(&self) -> usize {
        self.n_inputs
    }

    /// The classes, in the order of their labels.
    pub fn classes(&self) -> &[String] {
        &self.codebook.classes
    }

    /// The codes of the classes.
    pub fn codebook(&self) -> &Codebook {
        &self.codebook
    }

    /// Classifies an image: grey levels row by row, `n_inputs` of them, as light on dark as those the network was trained
    /// on. They are divided by 255, as in training.
    ///
    /// # Errors
    ///
    /// If there are not `n_inputs` pixels, or the network answers numbers that are not finite.
    pub fn classify(&mut self, pixels: &[u8]) -> Result<Classification> {
        let answers = self.classify_images(row(pixels))?;
        Ok(answers.into_iter().next().expect("one row has one answer"))
    }

    /// Classifies a row of `n_inputs` numbers, taken as they are.
    ///
    /// # Errors
    ///
    /// As [`Classifier::classify`], and if a number is not finite in the precision of the network.
    pub fn classify_values(&mut self, values: &[f64]) -> Result<Classification> {
        let answers = self.classify_rows(row(values))?;
        Ok(answers.into_iter().next().expect("one row has one answer"))
    }

    /// Classifies many images, `(n_images, n_inputs)`, as [`Classifier::classify`] each of them, and faster.
    ///
    /// # Errors
    ///
    /// As [`Classifier::classify`], for the first image at fault.
    pub fn classify_images(&mut self, pixels: ArrayView2<'_, u8>) -> Result<Vec<Classification>> {
        self.check_width(pixels.ncols())?;
        self.answers(pixels.nrows(), |network, workers, sums| match network {
            Network::F32(workspace) => add_outputs(workspace, Inputs::Pixels(pixels), workers, sums),
            Network::F64(workspace) => add_outputs(workspace, Inputs::Pixels(pixels), workers, sums),
        })
    }

    /// Classifies many rows of numbers, `(n_rows, n_inputs)`, as [`Classifier::classify_values`] each of them, and faster.
    ///
    /// # Errors
    ///
    /// As [`Classifier::classify_values`], for the first row at fault.
    pub fn classify_rows(&mut self, values: ArrayView2<'_, f64>) -> Result<Vec<Classification>> {
        self.check_width(values.ncols())?;
        check_finite(values, "input")?;
        let narrowed = self.networks.iter().any(|network| matches!(network, Network::F32(_)));
        let narrowed = if narrowed { values.mapv(|value| value as f32) } else { Array2::default((0, 0)) };
        check_finite(narrowed.view(), "input")?;
        self.answers(values.nrows(), |network, workers, sums| match network {
            Network::F32(workspace) => add_outputs(workspace, Inputs::Values(narrowed.view()), workers, sums),
            Network::F64(workspace) => add_outputs(workspace, Inputs::Values(values), workers, sums),
        })
    }

    /// Decodes the mean of what each network adds to the sums of outputs.
    fn answers(
        &mut self,
        n_samples: usize,
        add: impl Fn(&mut Network, &Workers, &mut Array2<f64>),
    ) -> Result<Vec<Classification>> {
        let mut means = Array2::zeros((n_samples, self.codebook.n_bits()));
        self.networks.iter_mut().for_each(|network| add(network, &self.workers, &mut means));
        let n_networks = self.networks.len() as f64;
        let answer = |(sample, sums): (usize, ArrayView1<'_, f64>)| {
            let outputs: Vec<f64> = sums.iter().map(|sum| sum / n_networks).collect();
            check_outputs(&outputs).map_err(|error| error.of_sample(sample))?;
            Ok(Classification::new(&self.codebook, &outputs))
        };
        means.rows().into_iter().enumerate().map(answer).collect()
    }

    fn check_width(&self, n_found: usize) -> Result<()> {
        if n_found == self.n_inputs {
            return Ok(());
        }
        let expected = format!("{} inputs in each sample, as the network has", self.n_inputs);
        Err(Error::new(ErrorKind::Samples, expected, n_found.to_string()))
    }
}

impl Classification {
    /// The class with the nearest code, whether or not the bits are exactly it.
    pub fn nearest(&self) -> &str {
        &self.ranking[0].class
    }

    /// The other classes, that with the nearest code first.
    pub fn runners_up(&self) -> &[Candidate] {
        &self.ranking[1..]
    }

    /// The index of the bit that the network is least sure of.
    pub fn least_sure_bit(&self) -> usize {
        let bits = self.bits.iter().enumerate();
        let least = bits.min_by(|one, other| one.1.confidence.total_cmp(&other.1.confidence));
        least.map_or(0, |(index, _)| index)
    }

    fn new(codebook: &Codebook, outputs: &[f64]) -> Self {
        let name = |class: usize| codebook.classes[class].clone();
        let bit = |&output: &f64| Bit { output, is_one: is_one(output), confidence: output.max(1.0 - output).min(1.0) };
        let candidate = |(class, distance)| Candidate { class: name(class), distance };
        let bits: Vec<Bit> = outputs.iter().map(bit).collect();
        let is_largest = codebook.decoding == Decoding::Nearest && codebook.has_one_output_a_class();
        let confidence = if is_largest {
            outputs.iter().copied().fold(0.0, f64::max).min(1.0)
        } else {
            bits.iter().map(|bit| bit.confidence).fold(1.0, f64::min)
        };
        Self {
            class: codebook.decode(outputs).map(name),
            confidence,
            bits,
            ranking: codebook.ranking(outputs).into_iter().map(candidate).collect(),
        }
    }
}

impl fmt::Debug for Classifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Classifier");
        debug.field("n_inputs", &self.n_inputs).field("classes", &self.classes()).finish_non_exhaustive()
    }
}

/// As large as that of an evaluation, because the order of sums depends on the largest batch.
fn workspace<F: Trainable>(mlp: &Mlp<F>, kernel: Kernel, workers: &Workers) -> Workspace<F> {
    Workspace::new(mlp, CHUNK, 0, kernel, workers)
}

fn row<T>(values: &[T]) -> ArrayView2<'_, T> {
    ArrayView2::from_shape((1, values.len()), values).expect("one row has as many columns as values")
}

/// Adds the outputs for each sample to its row.
fn add_outputs<F: Trainable>(
    workspace: &mut Workspace<F>,
    inputs: Inputs<'_, F>,
    workers: &Workers,
    sums: &mut Array2<f64>,
) {
    // Nobody asks for targets on the way forward.
    let samples = Samples { inputs, targets: Targets::Values(aview2::<F, 0>(&[])), weights: None };
    let rows: Vec<usize> = (0..samples.n_samples()).collect();
    for chunk in rows.chunks(CHUNK) {
        F::forward(workspace, &Rows::new(&samples, chunk), workers);
        for (position, &sample) in chunk.iter().enumerate() {
            let sums = sums.row_mut(sample);
            sums.into_iter().zip(workspace.outputs(position)).for_each(|(sum, output)| *sum += output.widen());
        }
    }
}

fn check_outputs(outputs: &[f64]) -> Result<()> {
    let Some(bit) = outputs.iter().position(|output| !output.is_finite()) else { return Ok(()) };
    let (output, bit) = (outputs[bit], bit + 1);
    let found = format!("{output} at bit {bit}: the weights of the model are too large for its numbers");
    let error = Error::new(ErrorKind::NotFinite, "finite outputs", found);
    Err(error.with_advice("take a model of a run that did not diverge"))
}
