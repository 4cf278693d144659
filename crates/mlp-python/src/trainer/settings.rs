//! What a network is trained with, from Python's dictionaries.

use mlp_train::mlp_core::{Loss, Objective, Reduction};
use mlp_train::{Optimizer, Update};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

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
}

/// The update rule, and what it follows.
pub(super) struct Rule {
    optimizer: Optimizer,
    pub(super) objective: Objective,
    pub(super) loss_factor: f64,
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
        Ok(Rule { optimizer, objective: Objective { loss, reduction }, loss_factor: self.loss_factor })
    }
}

impl Rule {
    pub(super) fn n_slots(&self) -> usize {
        self.optimizer.n_slots()
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
