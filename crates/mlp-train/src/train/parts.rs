//! Which samples are trained on, which are split off, and which are measured.

use crate::config::{EvaluateTrain, TrainConfig, ValidationSplit};
use crate::data::{Labels, Samples, Targets};
use crate::evaluate::{Evaluation, Evaluator};
use crate::history::EpochRecord;
use crate::random::{Stream, generator, shuffle};
use crate::stratified::{draw, exact_numbers, samples_of_classes};
use crate::trainable::Trainable;

/// Which samples are trained on, and which are measured.
pub(super) struct Parts<'a, 's, 't, F> {
    samples: &'a Samples<'s, F>,
    pub(super) train: Vec<usize>,
    n_train_measured: usize,
    validation: Vec<usize>,
    test: Option<(&'a Samples<'t, F>, Vec<usize>)>,
}

impl<'a, 's, 't, F: Trainable> Parts<'a, 's, 't, F> {
    /// Splits the validation samples off; both parts keep the order of the samples.
    pub(super) fn split(config: &TrainConfig, samples: &'a Samples<'s, F>, test: Option<&'a Samples<'t, F>>) -> Self {
        let labels = match samples.targets {
            Targets::Labels { labels, .. } => Some(labels),
            Targets::Values(_) => None,
        };
        let (train, validation) = split_validation(samples.n_samples(), labels, config);
        let n_train_measured = match config.evaluate_train {
            EvaluateTrain::Count(n_samples) => n_samples.min(train.len()),
            EvaluateTrain::All => train.len(),
        };
        let test = test.map(|test| (test, (0..test.n_samples()).collect()));
        Self { samples, train, n_train_measured, validation, test }
    }

    /// The metrics of the network that the evaluator holds, and all that there is to say of it on the test samples.
    pub(super) fn measure(&self, evaluator: &mut Evaluator<'_, F>, epoch: usize) -> (EpochRecord, Option<Evaluation>) {
        let train = evaluator.measure(self.samples, &self.train[..self.n_train_measured]);
        let validation = (!self.validation.is_empty()).then(|| evaluator.measure(self.samples, &self.validation));
        let evaluation = self.evaluate(evaluator);
        let test = evaluation.as_ref().map(|evaluation| evaluation.metrics.clone());
        (EpochRecord { epoch, train, validation, test }, evaluation)
    }

    pub(super) fn evaluate(&self, evaluator: &mut Evaluator<'_, F>) -> Option<Evaluation> {
        self.test.as_ref().map(|(test, rows)| evaluator.evaluate(test, rows))
    }
}

/// Which of `n_samples` samples a run with this configuration trains on, and which it splits off for validation: their
/// indices, each in rising order. The split is drawn by the seed; where it is stratified, `labels` are those of the samples.
///
/// ```
/// use mlp_train::{TrainConfig, ValidationSplit, split_validation};
///
/// // Ten samples of each of two classes, and two of a third.
/// let labels: Vec<u8> = (0..22).map(|sample| if sample < 20 { sample % 2 } else { 2 }).collect();
/// let config = TrainConfig::new().validation(11).validation_split(ValidationSplit::Stratified);
/// let (train, validation) = split_validation(22, Some(labels.as_slice().into()), &config);
/// let n_of_class = |rows: &[usize], class: u8| rows.iter().filter(|row| labels[**row] == class).count();
/// assert_eq!([0, 1, 2].map(|class| n_of_class(&train, class)), [5, 5, 1]);
/// assert_eq!([0, 1, 2].map(|class| n_of_class(&validation, class)), [5, 5, 1]);
/// ```
///
/// # Panics
///
/// If there are fewer samples than `config.validation`, or if the split is stratified and there are no labels, or not one
/// for each sample.
pub fn split_validation(
    n_samples: usize,
    labels: Option<Labels<'_>>,
    config: &TrainConfig,
) -> (Vec<usize>, Vec<usize>) {
    let n_validation = config.validation;
    assert!(n_validation <= n_samples, "{n_validation} validation samples of {n_samples}");
    let mut rng = generator(config.seed, Stream::Validation);
    let validation = match config.validation_split {
        _ if n_validation == 0 => Vec::new(),
        ValidationSplit::Random => {
            let mut samples: Vec<usize> = (0..n_samples).collect();
            shuffle(&mut samples, &mut rng);
            samples.truncate(n_validation);
            samples.sort_unstable();
            samples
        }
        ValidationSplit::Stratified => {
            let labels = labels.expect("a stratified split is one of samples with labels");
            assert!(labels.len() == n_samples, "{} labels for {n_samples} samples", labels.len());
            let of_classes = samples_of_classes((0..n_samples).map(|sample| labels.class(sample)));
            let sizes: Vec<usize> = of_classes.iter().map(Vec::len).collect();
            draw(of_classes, &exact_numbers(&sizes, n_validation), &mut rng)
        }
    };
    let train = (0..n_samples).filter(|sample| validation.binary_search(sample).is_err()).collect();
    (train, validation)
}
