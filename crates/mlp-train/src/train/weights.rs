//! What each training sample counts in the loss that is minimised.

use mlp_core::Real;

use crate::config::TrainConfig;
use crate::data::{Samples, Targets};

/// The weight of each sample, and those of a batch, in memory that is allocated once.
#[derive(Debug)]
pub(super) struct SampleWeights {
    of_samples: Vec<f64>,
    of_batch: Vec<f64>,
}

impl SampleWeights {
    /// The product of a sample's own weight and that of its class, of which the samples `rows` are trained on, in batches of up
    /// to so many; nothing where all count the same.
    pub(super) fn new<F: Real>(
        config: &TrainConfig,
        samples: &Samples<'_, F>,
        rows: &[usize],
        max_samples: usize,
    ) -> Option<Self> {
        let by_class = config.class_weights.as_ref().zip(match samples.targets {
            Targets::Labels { labels, codebook } => Some((labels, codebook.n_classes())),
            Targets::Values(_) => None,
        });
        if by_class.is_none() && samples.weights.is_none() {
            return None;
        }
        let mut of_samples = samples.weights.map_or_else(|| vec![1.0; samples.n_samples()], <[f64]>::to_vec);
        if let Some((weights, (labels, n_classes))) = by_class {
            let mut n_samples = vec![0; n_classes];
            rows.iter().for_each(|&row| n_samples[labels.class(row)] += 1);
            let weights = weights.of_classes(&n_samples);
            of_samples.iter_mut().enumerate().for_each(|(sample, weight)| *weight *= weights[labels.class(sample)]);
        }
        Some(Self { of_samples, of_batch: Vec::with_capacity(max_samples) })
    }

    /// The weights of the samples `rows`.
    pub(super) fn gather(&mut self, rows: &[usize]) -> &[f64] {
        let Self { of_samples, of_batch } = self;
        of_batch.clear();
        of_batch.extend(rows.iter().map(|&row| of_samples[row]));
        of_batch
    }
}
