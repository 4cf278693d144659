//! Which mean of the weights is measured, kept and saved.

/// A mean of the weights and biases over training. The steps are taken with the weights as they are; what is measured, kept
/// and saved is the network of the mean.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Averaging {
    /// The exponential moving mean over the steps, without the bias towards the first weights (Kingma & Ba 2015, section 7.2):
    /// after step t, m ← m + r·(w − m) with r = (1 − decay) / (1 − decayᵗ).
    Ema {
        /// At least 0 and below 1.
        decay: f64,
    },
    /// The mean of the weights at the ends of the last epochs of the configuration (Izmailov et al. 2018, with one network an
    /// epoch). Before these the network is measured as it is.
    Mean {
        /// So many epochs, at least 1.
        epochs: usize,
    },
}

impl Averaging {
    /// The names of the means.
    pub const NAMES: [&'static str; 2] = ["ema", "mean"];

    pub(crate) const DECAY: f64 = 0.999;

    /// The name in configuration files: `ema` or `mean`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ema { .. } => "ema",
            Self::Mean { .. } => "mean",
        }
    }

    /// How far the mean goes towards the weights after a step, counted from 1; none where it does not after steps.
    pub(crate) fn rate_after_step(self, step: u64) -> Option<f64> {
        match self {
            Self::Ema { decay } => Some((1.0 - decay) / (1.0 - libm::pow(decay, step as f64))),
            Self::Mean { .. } => None,
        }
    }

    /// The same after an epoch, counted from 1, of `n_epochs`.
    pub(crate) fn rate_after_epoch(self, epoch: usize, n_epochs: usize) -> Option<f64> {
        match self {
            Self::Ema { .. } => None,
            Self::Mean { epochs } => {
                let n_before = n_epochs.saturating_sub(epochs);
                (epoch > n_before).then(|| 1.0 / (epoch - n_before) as f64)
            }
        }
    }

    /// Whether there is a mean of anything after this epoch.
    pub(crate) fn has_begun(self, epoch: usize, n_epochs: usize) -> bool {
        match self {
            Self::Ema { .. } => epoch > 0,
            Self::Mean { epochs } => epoch > n_epochs.saturating_sub(epochs),
        }
    }
}
