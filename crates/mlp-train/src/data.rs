//! Samples: inputs with their targets, kept as they are and turned into numbers only when a batch is gathered.

use mlp_core::{Batch, Loss, Real, prefetch};
use ndarray::{ArrayView1, ArrayView2, ArrayView3, Axis};

use crate::augmentation::batch::AugmentedBatch;
use crate::encoding::Codebook;
use crate::error::{Error, ErrorKind, Result};

/// What a network is shown: one row for each sample, `(n_samples, n_inputs)`.
#[derive(Clone, Copy, Debug)]
pub enum Inputs<'a, F> {
    /// Grey levels, divided by 255 when a batch is gathered.
    Pixels(ArrayView2<'a, u8>),
    /// The same as images, `(n_samples, height, width)`: rows of pixels for the network, and what an
    /// [`Augmentation`](crate::Augmentation) can deform.
    Images(ArrayView3<'a, u8>),
    /// Numbers, taken as they are.
    Values(ArrayView2<'a, F>),
}

/// What a network should answer.
#[derive(Clone, Copy, Debug)]
pub enum Targets<'a, F> {
    /// A class for each sample; the target is its code.
    Labels {
        /// The class of each sample.
        labels: Labels<'a>,
        /// The code of each class.
        codebook: &'a Codebook,
    },
    /// Numbers, taken as they are: `(n_samples, n_outputs)`. Metrics that need a class are then left out.
    Values(ArrayView2<'a, F>),
}

/// For each sample the index of its class, counted from 0.
#[derive(Clone, Copy, Debug)]
pub enum Labels<'a> {
    /// Of at most 256 classes, as files of images have them.
    Bytes(&'a [u8]),
    /// Of any number of classes.
    Indices(&'a [usize]),
}

impl<'a, F> Targets<'a, F> {
    /// The classes of the samples, bytes or indices, and the code of each class.
    ///
    /// ```
    /// use mlp_train::{TargetEncoding, Targets};
    ///
    /// let codebook = TargetEncoding::OneHot.codebook(&["setosa", "versicolor", "virginica"]);
    /// let (bytes, indices) = (vec![2_u8, 0, 1, 1], vec![2_usize, 0, 1, 1]);
    /// let targets: Targets<'_, f32> = Targets::labels(&bytes, &codebook);
    /// let same: Targets<'_, f32> = Targets::labels(&indices, &codebook);
    /// # assert!(matches!((targets, same), (Targets::Labels { .. }, Targets::Labels { .. })));
    /// ```
    pub fn labels(labels: impl Into<Labels<'a>>, codebook: &'a Codebook) -> Self {
        Targets::Labels { labels: labels.into(), codebook }
    }
}

impl Labels<'_> {
    /// The number of samples.
    pub fn len(&self) -> usize {
        match self {
            Labels::Bytes(labels) => labels.len(),
            Labels::Indices(labels) => labels.len(),
        }
    }

    /// Whether there are no samples.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The index of the class of this sample.
    ///
    /// # Panics
    ///
    /// If there are not so many samples.
    #[inline]
    pub fn class(&self, sample: usize) -> usize {
        match self {
            Labels::Bytes(labels) => usize::from(labels[sample]),
            Labels::Indices(labels) => labels[sample],
        }
    }
}

impl<'a> From<&'a [u8]> for Labels<'a> {
    fn from(labels: &'a [u8]) -> Self {
        Labels::Bytes(labels)
    }
}

impl<'a> From<&'a Vec<u8>> for Labels<'a> {
    fn from(labels: &'a Vec<u8>) -> Self {
        Labels::Bytes(labels)
    }
}

impl<'a> From<&'a [usize]> for Labels<'a> {
    fn from(labels: &'a [usize]) -> Self {
        Labels::Indices(labels)
    }
}

impl<'a> From<&'a Vec<usize>> for Labels<'a> {
    fn from(labels: &'a Vec<usize>) -> Self {
        Labels::Indices(labels)
    }
}

/// A set of samples. Nothing is copied: views of arrays that the caller keeps.
#[derive(Clone, Copy, Debug)]
pub struct Samples<'a, F> {
    /// The inputs, one row a sample.
    pub inputs: Inputs<'a, F>,
    /// The target of each sample.
    pub targets: Targets<'a, F>,
    /// What each sample counts in the loss that training minimises, each at least 0: its loss and its part of the gradient are
    /// multiplied by it, and the mean of a batch is over the number of its samples. All count 1 where this is `None`. What is
    /// measured counts every sample once.
    pub weights: Option<&'a [f64]>,
}

impl<F: Real> Samples<'_, F> {
    /// The number of samples.
    pub fn n_samples(&self) -> usize {
        match self.inputs {
            Inputs::Pixels(pixels) => pixels.nrows(),
            Inputs::Images(images) => images.len_of(Axis(0)),
            Inputs::Values(values) => values.nrows(),
        }
    }

    /// The number of inputs of a sample.
    pub fn n_inputs(&self) -> usize {
        match self.inputs {
            Inputs::Pixels(pixels) => pixels.ncols(),
            Inputs::Images(images) => images.len_of(Axis(1)) * images.len_of(Axis(2)),
            Inputs::Values(values) => values.ncols(),
        }
    }

    /// The inputs as images, if that is what they are.
    pub(crate) fn images(&self) -> Option<ArrayView3<'_, u8>> {
        match self.inputs {
            Inputs::Images(images) => Some(images),
            Inputs::Pixels(_) | Inputs::Values(_) => None,
        }
    }

    /// Height and width of the inputs, if they are images.
    pub fn image_size(&self) -> Option<(usize, usize)> {
        self.images().map(|images| (images.len_of(Axis(1)), images.len_of(Axis(2))))
    }

    /// The number of targets of a sample.
    pub fn n_outputs(&self) -> usize {
        match self.targets {
            Targets::Labels { codebook, .. } => codebook.n_bits(),
            Targets::Values(values) => values.ncols(),
        }
    }

    /// Checks that there is one target for each input, and one weight where there are weights, that labels have codes, and
    /// that numbers are finite.
    ///
    /// # Errors
    ///
    /// Names the first sample at fault.
    pub fn check(&self) -> Result<()> {
        let n_inputs = self.n_samples();
        let n_targets = match self.targets {
            Targets::Labels { labels, .. } => labels.len(),
            Targets::Values(values) => values.nrows(),
        };
        if n_inputs != n_targets {
            return Err(unfit(
                "one target for each row of inputs",
                format!("{n_inputs} rows and {n_targets} targets"),
                format!(
                    "there are {n_inputs} rows of inputs but {n_targets} targets; there must be one target for each row"
                ),
            ));
        }
        for (count, what) in
            [(n_inputs, "no samples"), (self.n_inputs(), "no inputs in a sample"), (self.n_outputs(), "no targets")]
        {
            if count == 0 {
                return Err(unfit("at least one", what, format!("there are {what}; at least one is needed")));
            }
        }
        if let Inputs::Values(values) = self.inputs {
            check_finite(values, "input")?;
        }
        self.weights.map_or(Ok(()), |weights| check_weights(weights, n_inputs))?;
        match self.targets {
            Targets::Labels { labels, codebook } => check_labels(labels, codebook.n_classes()),
            Targets::Values(values) => check_finite(values, "target"),
        }
    }

    /// Checks that targets lie where the loss has a meaning: from 0 to 1 for a cross-entropy, from 0 on for counts.
    pub(crate) fn check_targets(&self, loss: Loss) -> Result<()> {
        let Targets::Values(values) = self.targets else { return Ok(()) };
        let (most, range) = match loss {
            Loss::CrossEntropy | Loss::SoftmaxCrossEntropy => (F::one(), "from 0 to 1"),
            Loss::Poisson => (F::infinity(), "of at least 0"),
            Loss::Absolute | Loss::Squared | Loss::HalfSquared | Loss::Rmse => return Ok(()),
        };
        match values.indexed_iter().find(|(_, value)| !(F::zero()..=most).contains(*value)) {
            None => Ok(()),
            Some(((sample, column), value)) => {
                let name = if loss == Loss::Poisson { "poisson" } else { "cross-entropy" };
                let sentence = format!(
                    "target {column} of sample {sample} is {value}; {name} needs targets {range}: for other numbers take an \
                     identity output and the squared loss"
                );
                Err(unfit(format!("a target {range}"), value.to_string(), sentence).of_sample(sample))
            }
        }
    }
}

/// A batch: some rows of a set of samples, written as numbers when the network asks for them.
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a, 's, F> {
    samples: &'a Samples<'s, F>,
    rows: &'a [usize],
    /// The rows of the next batch.
    next: &'a [usize],
    /// What the bits 0 and 1 of codes are.
    bits: [F; 2],
    /// The images in place of those of the samples.
    augmented: Option<&'a AugmentedBatch>,
    /// What each row counts; of no rows, all count 1.
    weights: &'a [f64],
}

impl<'a, 's, F: Real> Rows<'a, 's, F> {
    /// The batch of the samples with the indices `rows`.
    pub fn new(samples: &'a Samples<'s, F>, rows: &'a [usize]) -> Self {
        Self { samples, rows, next: &[], bits: [F::zero(), F::one()], weights: &[], augmented: None }
    }

    /// With a weight for each row, by which its loss and its gradient are multiplied; their mean is still over the number of
    /// rows.
    ///
    /// # Panics
    ///
    /// If there is not one weight for each row.
    pub fn with_weights(self, weights: &'a [f64]) -> Self {
        assert_eq!(weights.len(), self.rows.len(), "weights, and rows");
        Self { weights, ..self }
    }

    /// The weight of each row, if they have weights.
    pub(crate) fn weights(&self) -> Option<&[f64]> {
        (!self.weights.is_empty()).then_some(self.weights)
    }

    /// With these numbers for the bits 0 and 1 of codes.
    pub(crate) fn with_bits(self, bits: [F; 2]) -> Self {
        Self { bits, ..self }
    }

    /// With these images in place of those of the samples, row by row.
    pub(crate) fn augmented(self, augmented: Option<&'a AugmentedBatch>) -> Self {
        Self { augmented, ..self }
    }

    /// Says which samples are needed next: their pixels are brought nearer meanwhile.
    pub(crate) fn followed_by(self, next: &'a [usize]) -> Self {
        Self { next, ..self }
    }
}

impl<F: Real> Batch<F> for Rows<'_, '_, F> {
    fn n_samples(&self) -> usize {
        self.rows.len()
    }

    #[inline(always)]
    fn input(&self, row: usize, into: &mut [F]) {
        if let Some(batch) = self.augmented {
            return write_pixels(ArrayView1::from(batch.image(row)), into);
        }
        let next = self.next.get(row);
        match &self.samples.inputs {
            Inputs::Pixels(pixels) => {
                if let Some(pixels) = next.and_then(|&next| pixels.row(next).to_slice()) {
                    prefetch(pixels);
                }
                write_pixels(pixels.row(self.rows[row]), into);
            }
            Inputs::Images(images) => {
                if let Some(pixels) = next.and_then(|&next| images.index_axis(Axis(0), next).to_slice()) {
                    prefetch(pixels);
                }
                let image = images.index_axis(Axis(0), self.rows[row]);
                match image.as_slice() {
                    Some(pixels) => write_pixels(ArrayView1::from(pixels), into),
                    None => into.iter_mut().zip(&image).for_each(|(x, &pixel)| *x = grey_level(pixel)),
                }
            }
            Inputs::Values(values) => {
                // Two rows ahead: a batch of numbers is too long to be near as a whole.
                if let Some(next) = self.rows.get(row + 2).and_then(|&next| values.row(next).to_slice()) {
                    prefetch(next);
                }
                copy_row(values, self.rows[row], into);
            }
        }
    }

    fn target(&self, row: usize, into: &mut [F]) {
        match &self.samples.targets {
            Targets::Labels { labels, codebook } => {
                let code = codebook.codes.row(labels.class(self.rows[row]));
                into.iter_mut().zip(&code).for_each(|(y, &bit)| *y = self.bits[usize::from(bit != 0)]);
            }
            Targets::Values(values) => copy_row(values, self.rows[row], into),
        }
    }

    fn weight(&self, row: usize) -> f64 {
        self.weights.get(row).copied().unwrap_or(1.0)
    }
}

/// A pixel as a number from 0 to 1: p / 255, correctly rounded, by two products instead of a division, which takes longer
/// than both. As 255 · 257 = 2¹⁶ − 1, p / 255 = p · 257 / 2¹⁶ + p / (255 · 2¹⁶), and the first term is exact.
#[inline(always)]
fn grey_level<F: Real>(pixel: u8) -> F {
    let pixel = F::from_u8(pixel);
    pixel * F::narrow(257.0 / 65_536.0) + pixel * F::narrow(1.0 / (255.0 * 65_536.0))
}

#[inline(always)]
fn write_pixels<F: Real>(pixels: ArrayView1<'_, u8>, into: &mut [F]) {
    match pixels.as_slice() {
        // The usual case: a loop over two slices, without the strides of a general view.
        Some(pixels) => into.iter_mut().zip(pixels).for_each(|(x, &pixel)| *x = grey_level(pixel)),
        None => into.iter_mut().zip(&pixels).for_each(|(x, &pixel)| *x = grey_level(pixel)),
    }
}

fn copy_row<F: Real>(values: &ArrayView2<'_, F>, row: usize, into: &mut [F]) {
    let values = values.row(row);
    match values.as_slice() {
        Some(values) => into.copy_from_slice(values),
        None => into.iter_mut().zip(&values).for_each(|(x, &value)| *x = value),
    }
}

pub(crate) fn check_finite<F: Real>(values: ArrayView2<'_, F>, what: &str) -> Result<()> {
    match values.indexed_iter().find(|(_, value)| !value.is_finite()) {
        None => Ok(()),
        Some(((sample, column), value)) => {
            let sentence = format!("{what} {column} of sample {sample} is {value}; every number must be finite");
            Err(unfit("a finite number", value.to_string(), sentence).of_sample(sample))
        }
    }
}

fn check_weights(weights: &[f64], n_samples: usize) -> Result<()> {
    if weights.len() != n_samples {
        let sentence =
            format!("there are {n_samples} samples but {} weights; there must be one weight for each", weights.len());
        return Err(unfit("one weight for each sample", weights.len().to_string(), sentence));
    }
    match weights.iter().position(|weight| !(weight.is_finite() && *weight >= 0.0)) {
        None => Ok(()),
        Some(sample) => {
            let weight = weights[sample];
            let sentence = format!("the weight of sample {sample} is {weight}; it must be a number of at least 0");
            Err(unfit("a number of at least 0", weight.to_string(), sentence).of_sample(sample))
        }
    }
}

fn check_labels(labels: Labels<'_>, n_classes: usize) -> Result<()> {
    match (0..labels.len()).find(|&sample| labels.class(sample) >= n_classes) {
        None => Ok(()),
        Some(sample) => {
            let label = labels.class(sample);
            let sentence = format!(
                "sample {sample} has label {label}, but there are only {n_classes} classes (labels count from 0)"
            );
            Err(unfit(format!("a label below {n_classes}"), label.to_string(), sentence).of_sample(sample))
        }
    }
}

fn unfit(expected: impl Into<String>, found: impl Into<String>, sentence: String) -> Error {
    Error::new(ErrorKind::Samples, expected, found).saying(sentence)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_grey_level_is_the_correctly_rounded_quotient() {
        for pixel in 0..=255_u8 {
            assert_eq!(grey_level::<f32>(pixel).to_bits(), (f32::from(pixel) / 255.0).to_bits());
            assert_eq!(grey_level::<f64>(pixel).to_bits(), (f64::from(pixel) / 255.0).to_bits());
        }
    }
}
