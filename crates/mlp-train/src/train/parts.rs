//! Which samples are trained on, which are split off, and which are measured.

use crate::config::{EvaluateTrain, TrainConfig};
use crate::data::Samples;
use crate::evaluate::{Evaluation, Evaluator};
use crate::history::EpochRecord;
use crate::random::{Stream, generator, shuffle};
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
    /// Splits the validation samples off at random; both parts keep the order of the samples.
    pub(super) fn split(config: &TrainConfig, samples: &'a Samples<'s, F>, test: Option<&'a Samples<'t, F>>) -> Self {
        let (train, validation) = split_validation(samples.n_samples(), config);
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
/// indices, each in rising order. The split is drawn by the seed.
///
/// # Panics
///
/// If there are fewer samples than `config.validation`.
pub fn split_validation(n_samples: usize, config: &TrainConfig) -> (Vec<usize>, Vec<usize>) {
    let mut validation: Vec<usize> = (0..n_samples).collect();
    if config.validation > 0 {
        shuffle(&mut validation, &mut generator(config.seed, Stream::Validation));
    }
    let mut train = validation.split_off(config.validation);
    train.sort_unstable();
    validation.sort_unstable();
    (train, validation)
}
