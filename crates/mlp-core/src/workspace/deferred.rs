//! What [`OneByOne`](super::one_by_one::OneByOne) does to one tile: every product is corrected for the updates that are not
//! written yet.

use crate::activation::Activation;
use crate::kernel::dots::{PanelPair, transposed_row};
use crate::kernel::panel::PANEL_WIDTH_MAX;
use crate::kernel::product::{Factors, panel_product};
use crate::kernel::simd::{FiniteCheck, Simd, Task};
use crate::real::Real;
use crate::workspace::inputs::InputPart;
use crate::workspace::layout::LayerShape;
use crate::workspace::negligible::{flush_all_negligible, flush_negligible};
use crate::workspace::outputs::OutputBlock;
use crate::workspace::patch::{Patch, Patches};
use crate::workspace::single::RUN;
use crate::workspace::tile::Tile;
use crate::workspace::update::PIECE;

/// What a step needs to know.
#[derive(Clone, Copy)]
pub(super) struct Rates<F> {
    /// sₜ
    pub(super) scale: F,
    /// ηₜ, for biases.
    pub(super) learning_rate: F,
    /// −ηₜ / sₜ₊₁
    pub(super) factor: F,
}

/// x W₀ for the units of one tile of the first layer and all samples.
pub(super) struct FirstProducts<'a, F> {
    pub(super) patch: &'a mut Patch<F>,
    pub(super) tile: &'a Tile<F>,
    pub(super) part: &'a InputPart<F>,
}

impl<F: Real> Task<F> for FirstProducts<'_, F> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd<F>>(self, simd: S) {
        let FirstProducts { patch, tile, part } = self;
        let zeros = &[F::zero(); PANEL_WIDTH_MAX][..tile.width];
        part.sparse.rows_times(simd, zeros, &tile.weights, tile.width, &mut patch.outputs);
    }
}

/// xₜ·xᵢ for all samples, and those before each.
pub(super) struct InputProducts<'a, F> {
    pub(super) part: &'a InputPart<F>,
    pub(super) products: &'a mut [F],
}

impl<F: Real> Task<F> for InputProducts<'_, F> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd<F>>(self, simd: S) {
        let InputProducts { part, products } = self;
        for (row, products) in products.chunks_exact_mut(RUN).enumerate().take(part.n_rows) {
            let left = &part.inputs[row * part.stride..];
            let pair = PanelPair { width: part.stride, left, right: &part.inputs };
            transposed_row(simd, pair, fours(row), products);
            flush_all_negligible(&mut products[..row]);
        }
    }
}

/// As many, and up to three more: four are multiplied as quickly as one. What the rows behind hold does not matter.
fn fours(n: usize) -> usize {
    n.next_multiple_of(4)
}

/// The outputs of one tile for the sample in `row`, and their products with those of the samples before.
pub(super) struct ForwardOne<'a, F> {
    pub(super) patch: &'a mut Patch<F>,
    pub(super) row: usize,
    pub(super) tile: &'a Tile<F>,
    /// None in the first layer, where x W₀ is already in the patch.
    pub(super) before: Option<Patches<'a, F>>,
    /// aₜ·aᵢ of the layer's inputs.
    pub(super) factors: &'a [F],
    /// sₜ
    pub(super) scale: F,
    /// None in the last layer.
    pub(super) activation: Option<Activation>,
}

impl<F: Real> Task<F> for ForwardOne<'_, F> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd<F>>(self, simd: S) {
        let ForwardOne { patch, row, tile, before, factors, scale, activation } = self;
        let width = tile.width;
        let entries = row * width..(row + 1) * width;
        if let Some(before) = before {
            // Side by side, as the weights lie.
            let received = &mut patch.single.received;
            for before in before.in_block(0) {
                let outputs = &before.outputs[row * before.width..][..before.n_units];
                received[before.first_unit..][..before.n_units].copy_from_slice(outputs);
            }
            let (right, n_terms) = (&tile.weights[..], received.len());
            let factors = Factors { left: received, row_stride: 0, term_stride: 1, right, n_terms };
            let start = &[F::zero(); PANEL_WIDTH_MAX][..width];
            panel_product(simd, width, Some(start), factors, 1, &mut patch.outputs[entries.clone()]);
        }
        let (right, n_terms) = (&patch.deltas[..], factors.len());
        let deferred = Factors { left: factors, row_stride: 0, term_stride: 1, right, n_terms };
        panel_product(simd, width, None, deferred, 1, &mut patch.outputs[entries.clone()]);
        if row == 0 {
            patch.single.bias.copy_from_slice(&tile.bias);
            patch.single.broken_in = None;
        }
        let outputs = &mut patch.outputs[entries.clone()];
        for (output, &bias) in outputs.iter_mut().zip(&*patch.single.bias) {
            *output = scale * *output + bias;
        }
        if let Some(activation) = activation {
            activation.apply_on::<F, S>(outputs, F::NEGLIGIBLE);
            outputs[patch.n_units..].fill(F::zero());
        }
        let is_broken = outputs.iter().fold(false, |broken, output| broken | output.is_not_finite());
        patch.single.note(row, is_broken);
        let outputs = PanelPair { width, left: &patch.outputs[entries], right: &patch.outputs };
        let products = &mut patch.single.output_products;
        transposed_row(simd, outputs, fours(row), products);
    }
}

/// δ of the units of one tile for the sample in `row`, the step of their biases, and what they pass back.
pub(super) struct BackOne<'a, F> {
    pub(super) patch: &'a mut Patch<F>,
    pub(super) row: usize,
    pub(super) tile: &'a Tile<F>,
    pub(super) shape: &'a LayerShape,
    pub(super) rates: Rates<F>,
    /// The patches of the layer behind this one; none behind the last.
    pub(super) after: &'a [Patch<F>],
    /// δₜ·dᵢ of that layer.
    pub(super) factors: &'a [F],
    pub(super) output: &'a OutputBlock<F>,
    pub(super) passes_back: bool,
}

impl<F: Real> Task<F> for BackOne<'_, F> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd<F>>(self, simd: S) {
        let BackOne { patch, row, tile, shape, rates, after, factors, output, passes_back } = self;
        let width = tile.width;
        let units = patch.first_unit..patch.first_unit + patch.n_units;
        let entries = row * width..(row + 1) * width;
        let single = &mut patch.single;
        if after.is_empty() {
            let deltas = &output.deltas[row * shape.n_outputs..][..shape.n_outputs];
            single.delta[..patch.n_units].copy_from_slice(&deltas[units]);
        } else {
            let mut start = [F::zero(); PANEL_WIDTH_MAX];
            let start = &mut start[..width];
            add(&mut start[..patch.n_units], after.iter().map(|after| &after.single.passed_back[units.clone()]));
            let (right, n_terms) = (&patch.outputs[..], factors.len());
            let deferred = Factors { left: factors, row_stride: 0, term_stride: 1, right, n_terms };
            panel_product(simd, width, Some(start), deferred, 1, &mut single.delta);
            single.delta.iter_mut().for_each(|delta| *delta = rates.scale * *delta);
            flush_all_negligible(&mut single.delta);
            shape.activation.times_derivative(&patch.outputs[entries.clone()], &mut single.delta);
            flush_all_negligible(&mut single.delta);
        }
        if shape.has_bias {
            for (bias, &delta) in single.bias.iter_mut().zip(&*single.delta) {
                *bias = flush_negligible(*bias - rates.learning_rate * delta);
            }
        }
        let mut finite = FiniteCheck::new(simd);
        finite.add(&single.delta);
        finite.add(&single.bias);
        single.note(row, !finite.is_true());
        if passes_back {
            let weights = PanelPair { width, left: &single.delta, right: &tile.weights };
            transposed_row(simd, weights, shape.n_inputs, &mut single.passed_back);
            let earlier = PanelPair { width, left: &single.delta, right: &patch.deltas };
            transposed_row(simd, earlier, fours(row), &mut single.delta_products);
        }
        for (kept, &delta) in patch.deltas[entries].iter_mut().zip(&*single.delta) {
            *kept = flush_negligible(rates.factor * delta);
        }
    }
}

/// The inputs whose weights are written together: they stay in the cache until they are checked.
const INPUTS_TOGETHER: usize = 32;

/// W ← s (W₀ + Σ aᵢᵀ dᵢ) for one tile, and its biases after the last step.
pub(super) struct Write<'a, F> {
    pub(super) tile: &'a mut Tile<F>,
    pub(super) shape: &'a LayerShape,
    pub(super) patch: &'a Patch<F>,
    /// s after the run.
    pub(super) scale: F,
    pub(super) part: &'a InputPart<F>,
    /// None in the first layer.
    pub(super) before: Option<&'a [Patch<F>]>,
}

impl<F: Real> Task<F> for Write<'_, F> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd<F>>(self, simd: S) {
        let Write { tile, shape, patch, scale, part, before } = self;
        let width = tile.width;
        let mut finite = FiniteCheck::new(simd);
        // A few inputs at a time, whose weights stay in the cache until they are checked.
        match before {
            None => {
                for first_input in (0..shape.n_inputs).step_by(INPUTS_TOGETHER) {
                    let inputs = first_input..shape.n_inputs.min(first_input + INPUTS_TOGETHER);
                    let sums = &mut tile.weights[inputs.start * width..inputs.end.next_multiple_of(2) * width];
                    part.sparse.add_columns_times(simd, inputs.clone(), &patch.deltas, width, sums);
                    for first in inputs.clone().step_by(PIECE) {
                        let piece = first..inputs.end.min(first + PIECE);
                        if scale != F::one() || part.sparse.has_any(piece.clone()) {
                            let weights = &mut tile.weights[piece.start * width..piece.end * width];
                            shrink(weights, scale);
                            finite.add(weights);
                        }
                    }
                }
            }
            Some(before) => {
                for before in before {
                    for first_unit in (0..before.n_units).step_by(INPUTS_TOGETHER) {
                        let n_units = INPUTS_TOGETHER.min(before.n_units - first_unit);
                        let changes = Factors {
                            left: &before.outputs[first_unit..],
                            row_stride: 1,
                            term_stride: before.width,
                            right: &patch.deltas[..],
                            n_terms: part.n_rows,
                        };
                        let first_input = before.first_unit + first_unit;
                        let weights = &mut tile.weights[first_input * width..][..n_units * width];
                        panel_product(simd, width, None, changes, n_units, weights);
                        shrink(weights, scale);
                        finite.add(weights);
                    }
                }
            }
        }
        tile.is_broken = !finite.is_true();
        tile.bias.copy_from_slice(&patch.single.bias);
    }
}

/// Multiplies weights by what the decay has left of them.
#[inline(always)]
fn shrink<F: Real>(weights: &mut [F], scale: F) {
    if scale != F::one() {
        weights.iter_mut().for_each(|weight| *weight = flush_negligible(scale * *weight));
    }
}

/// Adds vectors to `sums`, one after the other.
pub(super) fn add<'a, F: Real>(sums: &mut [F], vectors: impl Iterator<Item = &'a [F]>) {
    for vector in vectors {
        sums.iter_mut().zip(vector).for_each(|(sum, &value)| *sum += value);
    }
}
