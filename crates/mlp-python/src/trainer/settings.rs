//! What a network is trained with, from Python's dictionaries.

use mlp_train::mlp_core::{Dropout, Loss, Objective, Reduction};
use mlp_train::{Augmentation, Optimizer, Update};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use super::deformed::Deformed;
use crate::python_error::of_project;

/// What stays for all epochs.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(super) struct Settings {
    /// Of the hidden layers.
    pub(super) activation: String,
    pub(super) out_activation: String,
    loss: String,
    reduction: String,
    /// What the loss that is told is multiplied by; its gradient is not.
    loss_factor: f64,
    optimizer: String,
    momentum: f64,
    beta_1: f64,
    beta_2: f64,
    epsilon: f64,
    decay: f64,
    /// Of the inputs, then of each hidden layer.
    dropout: Vec<f64>,
    clip_norm: Option<f64>,
    max_norm: Option<f64>,
    /// How training images are deformed, in the project's words, and their height and width.
    augment: Option<(String, (usize, usize))>,
    /// Where the random choices of dropout and deformations begin.
    seed: u64,
    /// Whether products of matrices are of numbers rounded to bf16; the network is one of `f32` then.
    pub(super) bf16: bool,
    /// Whether there is a mean of the weights; the decay of an exponential one over the steps.
    pub(super) keeps_mean: bool,
    mean_decay: Option<f64>,
    /// The most samples of a batch.
    pub(super) max_batch: usize,
    pub(super) n_threads: usize,
}

/// What an epoch is told.
#[derive(Clone, Copy, FromPyObject)]
#[pyo3(from_item_all)]
pub(super) struct Rates {
    pub(super) batch_size: usize,
    pub(super) learning_rate: f64,
    /// The L2 penalty α: α / 2 · Σ w² is shared out among the samples of a batch, as scikit-learn has it.
    pub(super) alpha: f64,
    /// The number of this epoch since the beginning, counted from 1: each deforms images in its own way.
    pub(super) epoch: usize,
    /// How far a mean over epochs goes towards the weights at the end of this one.
    pub(super) mean_rate: Option<f64>,
}

/// The update rule, and what it follows.
pub(super) struct Rule {
    optimizer: Optimizer,
    pub(super) objective: Objective,
    pub(super) loss_factor: f64,
    pub(super) clip_norm: Option<f64>,
    pub(super) max_norm: Option<f64>,
    pub(super) dropout: Option<Dropout>,
    pub(super) seed: u64,
    mean_decay: Option<f64>,
}

impl Settings {
    pub(super) fn rule(&self) -> PyResult<Rule> {
        let Settings { momentum, beta_1: beta1, beta_2: beta2, epsilon, decay, .. } = *self;
        let optimizer = match self.optimizer.as_str() {
            "sgd" => Optimizer::Sgd,
            "momentum" => Optimizer::Momentum { momentum },
            "nesterov" => Optimizer::Nesterov { momentum },
            "adam" => Optimizer::Adam { beta1, beta2, epsilon },
            "adamw" => Optimizer::AdamW { beta1, beta2, epsilon, decay },
            other => return Err(PyValueError::new_err(format!("there is no update rule \"{other}\""))),
        };
        let unknown = |error: mlp_train::mlp_core::UnknownName| PyValueError::new_err(error.to_string());
        let loss: Loss = self.loss.parse().map_err(unknown)?;
        let reduction: Reduction = self.reduction.parse().map_err(unknown)?;
        let dropout = match self.dropout.as_slice() {
            [inputs, hidden @ ..] if self.dropout.iter().any(|&rate| rate > 0.0) => Some(Dropout::new(*inputs, hidden)),
            _ => None,
        };
        let objective = Objective { loss, reduction };
        let &Settings { loss_factor, clip_norm, max_norm, seed, mean_decay, .. } = self;
        Ok(Rule { optimizer, objective, loss_factor, clip_norm, max_norm, dropout, seed, mean_decay })
    }

    pub(super) fn deformed(&self) -> PyResult<Option<Deformed>> {
        let Some((text, size)) = &self.augment else { return Ok(None) };
        let augmentation: Augmentation = text.parse().map_err(of_project)?;
        Ok(Some(Deformed::new(augmentation, *size, self.seed)))
    }
}

impl Rule {
    pub(super) fn n_slots(&self) -> usize {
        self.optimizer.n_slots()
    }

    /// Whether a step does more than to follow the gradient; the workspace then has to be one for several samples.
    pub(super) fn has_options(&self) -> bool {
        self.clip_norm.is_some() || self.max_norm.is_some() || self.dropout.is_some()
    }

    /// How far the exponential mean goes towards the weights after a step, counted from 1, if there is one: without the bias
    /// towards the first weights (Kingma & Ba 2015, section 7.2).
    pub(super) fn mean_rate(&self, step: u64) -> Option<f64> {
        self.mean_decay.map(|decay| (1.0 - decay) / (1.0 - libm::pow(decay, step as f64)))
    }

    /// Whether what it remembers are sums of gradients that a learning rate is yet to be applied to.
    pub(super) fn keeps_velocities(&self) -> bool {
        matches!(self.optimizer, Optimizer::Momentum { .. } | Optimizer::Nesterov { .. })
    }

    /// The rule for one step. scikit-learn adds ε to √v before the correction for the first steps, √(1 − β₂ᵗ), is divided
    /// out; this project afterwards. So ε over that correction gives scikit-learn's step, exactly but for rounding.
    pub(super) fn at(&self, update: Update) -> Optimizer {
        let corrected = |beta2: f64, epsilon: f64| epsilon / (1.0 - libm::pow(beta2, update.step as f64)).sqrt();
        match self.optimizer {
            Optimizer::Adam { beta1, beta2, epsilon } => {
                Optimizer::Adam { beta1, beta2, epsilon: corrected(beta2, epsilon) }
            }
            Optimizer::AdamW { beta1, beta2, epsilon, decay } => {
                Optimizer::AdamW { beta1, beta2, epsilon: corrected(beta2, epsilon), decay }
            }
            other => other,
        }
    }
}
