//! What is kept while single samples take their steps and the weights are not written.

use crate::aligned::Aligned;
use crate::real::Real;

/// The most samples between two writings of the weights. It is part of the numerics: other runs give other bits.
pub(super) const RUN: usize = 16;

/// What the units of a patch keep during a run, beside its outputs aᵢ and deltas dᵢ.
#[derive(Debug)]
pub(super) struct Single<F> {
    /// δₜ; zero behind the last unit.
    pub(super) delta: Aligned<F>,
    /// The biases as they are now.
    pub(super) bias: Aligned<F>,
    /// What the layer receives, unit after unit; nothing in the first layer.
    pub(super) received: Aligned<F>,
    /// Σ over these units of δₜ W₀ᵀ, for each input; nothing in the first layer.
    pub(super) passed_back: Aligned<F>,
    /// aₜ·aᵢ, summed over these units.
    pub(super) output_products: [F; RUN],
    /// δₜ·dᵢ, summed over these units.
    pub(super) delta_products: [F; RUN],
    /// The first sample of the run with an output, a delta or a bias that is infinite or not a number.
    pub(super) broken_in: Option<usize>,
}

impl<F: Real> Single<F> {
    /// For a patch of `width` columns of a layer that receives so many outputs of the layer before.
    pub(super) fn new(width: usize, n_received: usize) -> Single<F> {
        Single {
            delta: Aligned::zeros(width),
            bias: Aligned::zeros(width),
            received: Aligned::zeros(n_received),
            passed_back: Aligned::zeros(n_received.next_multiple_of(F::LANES)),
            output_products: [F::zero(); RUN],
            delta_products: [F::zero(); RUN],
            broken_in: None,
        }
    }

    /// Notes whether the sample in `row` broke here.
    pub(super) fn note(&mut self, row: usize, is_broken: bool) {
        if is_broken && self.broken_in.is_none() {
            self.broken_in = Some(row);
        }
    }
}
