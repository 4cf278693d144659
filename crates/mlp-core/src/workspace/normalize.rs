//! Batch normalisation of one tile: the statistics of its units over the batch, and the way through them and back.
//!
//! What [`backpropagate_normalized`](crate::backpropagate_normalized) does to a layer. Sums are taken over all rows of the
//! batch in their order, in double precision, so neither the number of threads nor the size of a block changes a bit.

use crate::activation::Activation;
use crate::aligned::Aligned;
use crate::batch_norm::BatchNorm;
use crate::dropout::Mask;
use crate::kernel::panel::PANEL_WIDTH_MAX;
use crate::kernel::simd::{Simd, Task};
use crate::real::Real;
use crate::workspace::forward::activate;
use crate::workspace::negligible::{flush_all_negligible, flush_negligible};
use crate::workspace::patch::Patch;

/// What a tile of a normalised layer has beside its weights and biases, which are the β: a number for each column in each,
/// zeros behind the last unit.
#[derive(Debug)]
pub(super) struct TileNorm<F> {
    /// γ
    pub(super) scale: Aligned<F>,
    /// The sink's state for each γ.
    pub(super) scale_state: [Aligned<F>; 2],
    /// The running mean of μ.
    pub(super) mean: Aligned<F>,
    /// The running mean of the variance.
    pub(super) variance: Aligned<F>,
    /// μ and 1/s of the batch under way.
    centre: Aligned<F>,
    inverse: Aligned<F>,
    /// ∂L/∂β = Σ δ and ∂L/∂γ = Σ δ ẑ of the batch under way.
    pub(super) by_bias: Aligned<F>,
    pub(super) by_scale: Aligned<F>,
}

impl<F: Real> TileNorm<F> {
    pub(super) fn new(width: usize, n_slots: usize) -> TileNorm<F> {
        let row = || Aligned::zeros(width);
        TileNorm {
            scale: row(),
            scale_state: [0, 1].map(|slot| Aligned::zeros(if slot < n_slots { width } else { 0 })),
            mean: row(),
            variance: row(),
            centre: row(),
            inverse: row(),
            by_bias: row(),
            by_scale: row(),
        }
    }

    /// Zeros, also behind the last unit; the state stays where it is finite.
    pub(super) fn clear(&mut self) {
        let TileNorm { scale, scale_state, mean, variance, centre, inverse, by_bias, by_scale } = self;
        for row in [scale, mean, variance, centre, inverse, by_bias, by_scale] {
            row.fill(F::zero());
        }
        for state in scale_state {
            state.iter_mut().filter(|state| state.is_not_finite()).for_each(|state| *state = F::zero());
        }
    }

    /// The next batch is normalised by the running statistics, as one that is only answered.
    pub(super) fn take_running_statistics(&mut self) {
        self.centre.copy_from_slice(&self.mean);
        for (inverse, &variance) in self.inverse.iter_mut().zip(&*self.variance) {
            *inverse = inverse_deviation(variance.widen());
        }
    }

    /// Multiplies the gradient by a factor, as deltas are.
    pub(super) fn scale_gradient(&mut self, factor: F) {
        for gradient in [&mut self.by_bias, &mut self.by_scale] {
            gradient.iter_mut().for_each(|gradient| *gradient *= factor);
            flush_all_negligible(gradient);
        }
    }
}

/// 1/s = 1/√(v + ε)
#[inline(always)]
fn inverse_deviation<F: Real>(variance: f64) -> F {
    F::narrow(1.0 / (variance + BatchNorm::<F>::EPSILON).sqrt())
}

/// μ and v of the units of one tile over the batch; the running statistics follow them.
pub(super) struct TakeStatistics<'a, F> {
    pub(super) norm: &'a mut TileNorm<F>,
    /// Those of the tile with the products z as outputs, block after block, as far as the batch reaches.
    pub(super) patches: &'a [Patch<F>],
    pub(super) n_samples: usize,
}

impl<F: Real> Task<F> for TakeStatistics<'_, F> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd<F>>(self, _: S) {
        let TakeStatistics { norm, patches, n_samples } = self;
        let width = norm.scale.len();
        let n = n_samples as f64;
        let (mut means, mut squares) = ([0.0; PANEL_WIDTH_MAX], [0.0; PANEL_WIDTH_MAX]);
        let (means, squares) = (&mut means[..width], &mut squares[..width]);
        for patch in patches {
            for row in patch.outputs[..patch.n_rows * width].chunks_exact(width) {
                means.iter_mut().zip(row).for_each(|(sum, z)| *sum += z.widen());
            }
        }
        means.iter_mut().for_each(|mean| *mean /= n);
        for patch in patches {
            for row in patch.outputs[..patch.n_rows * width].chunks_exact(width) {
                for ((sum, &mean), z) in squares.iter_mut().zip(&*means).zip(row) {
                    let difference = z.widen() - mean;
                    *sum += difference * difference;
                }
            }
        }
        let rate = F::narrow(BatchNorm::<F>::MOMENTUM);
        let unbiased = F::narrow(n / (n - 1.0));
        for column in 0..width {
            let (mean, variance) = (F::narrow(means[column]), squares[column] / n);
            norm.centre[column] = mean;
            norm.inverse[column] = inverse_deviation(variance);
            let TileNorm { mean: running_mean, variance: running_variance, .. } = &mut *norm;
            let approach = |running: F, found: F| flush_negligible(running + rate * (found - running));
            running_mean[column] = approach(running_mean[column], mean);
            running_variance[column] = approach(running_variance[column], unbiased * F::narrow(variance));
        }
    }
}

/// ẑ and a = f(γ ẑ + β) for one patch, from its products z.
pub(super) struct Normalize<'a, F> {
    pub(super) patch: &'a mut Patch<F>,
    pub(super) norm: &'a TileNorm<F>,
    pub(super) bias: &'a [F],
    pub(super) activation: Activation,
    /// What is left out of the outputs.
    pub(super) mask: Option<Mask<F>>,
    /// The row of the batch with which the block begins.
    pub(super) first_row: usize,
}

impl<F: Real> Task<F> for Normalize<'_, F> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd<F>>(self, _: S) {
        let Normalize { patch, norm, bias, activation, mask, first_row } = self;
        let width = patch.width;
        let entries = 0..patch.n_rows * width;
        let outputs = patch.outputs[entries.clone()].chunks_exact_mut(width);
        let (scale, centre, inverse) = (&norm.scale[..width], &norm.centre[..width], &norm.inverse[..width]);
        let bias = &bias[..width];
        for (outputs, values) in outputs.zip(patch.normalized[entries].chunks_exact_mut(width)) {
            for column in 0..width {
                let value = flush_negligible((outputs[column] - centre[column]) * inverse[column]);
                values[column] = value;
                outputs[column] = scale[column] * value + bias[column];
            }
        }
        activate::<F, S>(patch, activation, mask, first_row);
    }
}

/// The gradient by β and γ of one tile, from the deltas behind the normalisation.
pub(super) struct SumDeltas<'a, F> {
    pub(super) norm: &'a mut TileNorm<F>,
    /// Those of the tile, block after block, as far as the batch reaches.
    pub(super) patches: &'a [Patch<F>],
}

impl<F: Real> Task<F> for SumDeltas<'_, F> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd<F>>(self, _: S) {
        let SumDeltas { norm, patches } = self;
        let width = norm.scale.len();
        let (mut by_bias, mut by_scale) = ([0.0; PANEL_WIDTH_MAX], [0.0; PANEL_WIDTH_MAX]);
        let (by_bias, by_scale) = (&mut by_bias[..width], &mut by_scale[..width]);
        for patch in patches {
            let entries = 0..patch.n_rows * width;
            let rows = patch.deltas[entries.clone()].chunks_exact(width);
            for (deltas, values) in rows.zip(patch.normalized[entries].chunks_exact(width)) {
                for column in 0..width {
                    let delta = deltas[column].widen();
                    by_bias[column] += delta;
                    by_scale[column] += delta * values[column].widen();
                }
            }
        }
        for column in 0..width {
            norm.by_bias[column] = flush_negligible(F::narrow(by_bias[column]));
            norm.by_scale[column] = flush_negligible(F::narrow(by_scale[column]));
        }
    }
}

/// δ = ∂L/∂z = (γ/s) (δ − (1/n) ∂L/∂β − (1/n) ẑ ∂L/∂γ) for one patch, from the δ behind the normalisation.
pub(super) struct PassBack<'a, F> {
    pub(super) patch: &'a mut Patch<F>,
    pub(super) norm: &'a TileNorm<F>,
    pub(super) n_samples: usize,
}

impl<F: Real> Task<F> for PassBack<'_, F> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd<F>>(self, _: S) {
        let PassBack { patch, norm, n_samples } = self;
        let width = patch.width;
        let share = F::narrow(1.0 / n_samples as f64);
        let [mut factors, mut means, mut slopes] = [[F::zero(); PANEL_WIDTH_MAX]; 3];
        let (factors, means, slopes) = (&mut factors[..width], &mut means[..width], &mut slopes[..width]);
        for column in 0..width {
            factors[column] = norm.scale[column] * norm.inverse[column];
            means[column] = flush_negligible(norm.by_bias[column] * share);
            slopes[column] = flush_negligible(norm.by_scale[column] * share);
        }
        let entries = 0..patch.n_rows * width;
        let rows = patch.deltas[entries.clone()].chunks_exact_mut(width);
        for (deltas, values) in rows.zip(patch.normalized[entries.clone()].chunks_exact(width)) {
            for column in 0..width {
                deltas[column] = factors[column] * (deltas[column] - means[column] - values[column] * slopes[column]);
            }
        }
        flush_all_negligible(&mut patch.deltas[entries]);
        patch.pack_deltas();
    }
}
