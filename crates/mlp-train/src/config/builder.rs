//! A configuration written out in a program, one choice after the other: each method is named as the field it sets.

use mlp_core::{Activation, Initializer, Loss, Reduction};

use super::{Averaging, ClassWeights, EarlyStopping, EvaluateTrain, Precision, TrainConfig, ValidationSplit};
use crate::augmentation::Augmentation;
use crate::decoding::Decoding;
use crate::encoding::TargetEncoding;
use crate::optimizer::Optimizer;
use crate::schedule::Schedule;

/// Values are taken as they are; [`TrainConfig::validate`] and [`train()`](crate::train()) check them.
impl TrainConfig {
    /// With this [`hidden`](field@Self::hidden).
    #[must_use]
    pub fn hidden(self, hidden: impl Into<Vec<usize>>) -> Self {
        Self { hidden: hidden.into(), ..self }
    }

    /// With this [`bias`](field@Self::bias).
    #[must_use]
    pub fn bias(self, bias: bool) -> Self {
        Self { bias, ..self }
    }

    /// With this [`activation`](field@Self::activation).
    #[must_use]
    pub fn activation(self, activation: impl Into<Vec<Activation>>) -> Self {
        Self { activation: activation.into(), ..self }
    }

    /// With this [`output_activation`](field@Self::output_activation).
    #[must_use]
    pub fn output_activation(self, output_activation: Activation) -> Self {
        Self { output_activation, ..self }
    }

    /// With this [`encoding`](field@Self::encoding).
    #[must_use]
    pub fn encoding(self, encoding: TargetEncoding) -> Self {
        Self { encoding, ..self }
    }

    /// With this [`decoding`](field@Self::decoding).
    #[must_use]
    pub fn decoding(self, decoding: impl Into<Option<Decoding>>) -> Self {
        Self { decoding: decoding.into(), ..self }
    }

    /// With this [`initializer`](field@Self::initializer).
    #[must_use]
    pub fn initializer(self, initializer: Initializer) -> Self {
        Self { initializer, ..self }
    }

    /// With this [`loss`](field@Self::loss).
    #[must_use]
    pub fn loss(self, loss: Loss) -> Self {
        Self { loss, ..self }
    }

    /// With this [`reduction`](field@Self::reduction).
    #[must_use]
    pub fn reduction(self, reduction: Reduction) -> Self {
        Self { reduction, ..self }
    }

    /// With this [`label_smoothing`](field@Self::label_smoothing).
    #[must_use]
    pub fn label_smoothing(self, label_smoothing: f64) -> Self {
        Self { label_smoothing, ..self }
    }

    /// With these [`class_weights`](field@Self::class_weights).
    #[must_use]
    pub fn class_weights(self, class_weights: impl Into<Option<ClassWeights>>) -> Self {
        Self { class_weights: class_weights.into(), ..self }
    }

    /// With this [`precision`](field@Self::precision).
    #[must_use]
    pub fn precision(self, precision: Precision) -> Self {
        Self { precision, ..self }
    }

    /// With this [`optimizer`](field@Self::optimizer).
    #[must_use]
    pub fn optimizer(self, optimizer: Optimizer) -> Self {
        Self { optimizer, ..self }
    }

    /// With this [`learning_rate`](field@Self::learning_rate).
    #[must_use]
    pub fn learning_rate(self, learning_rate: f64) -> Self {
        Self { learning_rate, ..self }
    }

    /// With this [`l2`](field@Self::l2).
    #[must_use]
    pub fn l2(self, l2: f64) -> Self {
        Self { l2, ..self }
    }

    /// With this [`l1`](field@Self::l1).
    #[must_use]
    pub fn l1(self, l1: f64) -> Self {
        Self { l1, ..self }
    }

    /// With this [`clip_norm`](field@Self::clip_norm).
    #[must_use]
    pub fn clip_norm(self, clip_norm: impl Into<Option<f64>>) -> Self {
        Self { clip_norm: clip_norm.into(), ..self }
    }

    /// With this [`dropout`](field@Self::dropout).
    #[must_use]
    pub fn dropout(self, dropout: impl Into<Vec<f64>>) -> Self {
        Self { dropout: dropout.into(), ..self }
    }

    /// With this [`input_dropout`](field@Self::input_dropout).
    #[must_use]
    pub fn input_dropout(self, input_dropout: f64) -> Self {
        Self { input_dropout, ..self }
    }

    /// With this [`batch_norm`](field@Self::batch_norm).
    #[must_use]
    pub fn batch_norm(self, batch_norm: bool) -> Self {
        Self { batch_norm, ..self }
    }

    /// With this [`max_norm`](field@Self::max_norm).
    #[must_use]
    pub fn max_norm(self, max_norm: impl Into<Option<f64>>) -> Self {
        Self { max_norm: max_norm.into(), ..self }
    }

    /// With this [`augment`](field@Self::augment).
    #[must_use]
    pub fn augment(self, augment: impl Into<Option<Augmentation>>) -> Self {
        Self { augment: augment.into(), ..self }
    }

    /// With this [`schedule`](field@Self::schedule).
    #[must_use]
    pub fn schedule(self, schedule: Schedule) -> Self {
        Self { schedule, ..self }
    }

    /// With this [`average`](field@Self::average).
    #[must_use]
    pub fn average(self, average: impl Into<Option<Averaging>>) -> Self {
        Self { average: average.into(), ..self }
    }

    /// With this [`batch_size`](field@Self::batch_size).
    #[must_use]
    pub fn batch_size(self, batch_size: usize) -> Self {
        Self { batch_size, ..self }
    }

    /// With this [`epochs`](field@Self::epochs).
    #[must_use]
    pub fn epochs(self, epochs: usize) -> Self {
        Self { epochs, ..self }
    }

    /// With this [`validation`](field@Self::validation).
    #[must_use]
    pub fn validation(self, validation: usize) -> Self {
        Self { validation, ..self }
    }

    /// With this [`validation_split`](field@Self::validation_split).
    #[must_use]
    pub fn validation_split(self, validation_split: ValidationSplit) -> Self {
        Self { validation_split, ..self }
    }

    /// With this [`early_stopping`](field@Self::early_stopping).
    #[must_use]
    pub fn early_stopping(self, early_stopping: impl Into<Option<EarlyStopping>>) -> Self {
        Self { early_stopping: early_stopping.into(), ..self }
    }

    /// With this [`evaluate_train`](field@Self::evaluate_train).
    #[must_use]
    pub fn evaluate_train(self, evaluate_train: EvaluateTrain) -> Self {
        Self { evaluate_train, ..self }
    }

    /// With this [`seed`](field@Self::seed).
    #[must_use]
    pub fn seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }
}
