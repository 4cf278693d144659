//! Tiles: the units of a layer cut into panels, with their weights and the sink's state.

use std::ops::Range;

use crate::aligned::Aligned;
use crate::kernel::pairs::packing::PackWeights;
use crate::kernel::pairs::{Pair, PairKernel};
use crate::kernel::panel::panel_width;
use crate::kernel::prefetch::Ahead;
use crate::kernel::simd::{FiniteCheck, Simd};
use crate::kernel::transpose::transpose;
use crate::real::Real;
use crate::sink::{GradientSink, Parameter};
use crate::workspace::layout::{LayerShape, Units};
use crate::workspace::negligible::flush_negligible;
use crate::workspace::normalize::TileNorm;
use crate::workspace::patch::Patch;
use crate::workspace::update::STRIP;

/// A panel of the units of a layer: their weights and biases, with the sink's state.
#[derive(Debug)]
pub(super) struct Tile<F> {
    pub(super) layer: usize,
    pub(super) first_unit: usize,
    /// Columns of the panel; those behind the last unit hold zeros.
    pub(super) width: usize,
    /// One row of the panel for each input, and a row of zeros where their number is odd: they are taken in pairs.
    pub(super) weights: Aligned<F>,
    /// For large batches, behind the first layer: the weights transposed, a part for each tile of the layer before, with a row
    /// as wide as that tile for each column of this panel.
    pub(super) transposed: Aligned<F>,
    /// The weights in bf16, where products take them so.
    pub(super) pairs: Option<TilePairs>,
    /// One row of the panel; zeros where the layer has no biases.
    pub(super) bias: Aligned<F>,
    pub(super) weights_state: [Aligned<F>; 2],
    pub(super) bias_state: [Aligned<F>; 2],
    /// In hidden layers that are normalised over the batch.
    pub(super) norm: Option<TileNorm<F>>,
    /// Whether the last step left something infinite or not a number here, in parameters or state.
    pub(super) is_broken: bool,
    /// The sum of the squares of its gradient, where that is clipped.
    pub(super) squared_gradient: f64,
    /// The sum of the squares of each unit's weights after the step, where that is bounded; zeros between two steps.
    pub(super) squared_norms: Aligned<F>,
    /// The sum of the squares of its weights, where that was asked for.
    pub(super) squared_weights: f64,
    /// Where a batch has one sample: the δ of its units,
    pub(super) delta: Aligned<F>,
    /// the least |δ| that is not 0,
    pub(super) smallest_delta: F,
    /// and what they pass back to each input.
    pub(super) passed_back: Aligned<F>,
    /// For larger batches: a strip of the gradient; in the first layer zeros between two strips.
    pub(super) gradient: Aligned<F>,
}

/// The weights of a tile in bf16.
#[derive(Debug)]
pub(super) struct TilePairs {
    pub(super) kernel: PairKernel,
    /// One row of the panel for each pair of inputs.
    pub(super) weights: Aligned<Pair>,
    /// Behind the first layer: the weights transposed, a part for each tile of the layer before, with a row as wide as that
    /// tile for each pair of columns of this panel.
    pub(super) transposed: Aligned<Pair>,
}

impl TilePairs {
    /// The weights of the units of `before`, a patch of the layer before, in a panel of this width.
    #[inline(always)]
    pub(super) fn panel<F>(&self, before: &Patch<F>, width: usize) -> &[Pair] {
        let first = before.first_unit / 2 * width;
        &self.weights[first..first + before.n_units.div_ceil(2) * width]
    }

    /// The same transposed.
    #[inline(always)]
    pub(super) fn transposed<F>(&self, before: &Patch<F>, width: usize) -> &[Pair] {
        // All tiles before that one are full.
        &self.transposed[before.first_unit * width / 2..][..before.width * width / 2]
    }
}

impl<F: Real> Tile<F> {
    /// For batches of more than one sample it takes a `strip` of the gradient, and behind the first layer, where the way back
    /// is worth it, its weights transposed, `n_transposed` columns of the layer before.
    pub(super) fn new(
        layer: usize,
        units: Units,
        n_inputs: usize,
        n_transposed: usize,
        n_slots: usize,
        strip: usize,
    ) -> Tile<F> {
        let Units { first: first_unit, width, .. } = units;
        let state = |len: usize| [0, 1].map(|slot| Aligned::zeros(if slot < n_slots { len } else { 0 }));
        Tile {
            layer,
            first_unit,
            width,
            weights: Aligned::zeros(n_inputs.next_multiple_of(2) * width),
            transposed: Aligned::zeros(n_transposed * width),
            pairs: None,
            bias: Aligned::zeros(width),
            weights_state: state(n_inputs * width),
            bias_state: state(width),
            norm: None,
            is_broken: false,
            squared_gradient: 0.0,
            squared_norms: Aligned::zeros(width),
            squared_weights: 0.0,
            delta: Aligned::zeros(width),
            smallest_delta: F::zero(),
            passed_back: Aligned::zeros(n_inputs.next_multiple_of(F::LANES)),
            gradient: Aligned::zeros(strip),
        }
    }

    /// With its weights in bf16 for products, and in place of `transposed` those transposed, of so many columns of the layer
    /// before. It takes another `strip` of the gradient.
    pub(super) fn in_pairs(mut self, kernel: PairKernel, n_transposed: usize, strip: usize) -> Tile<F> {
        let weights = Aligned::zero_pairs(self.weights.len() / 2);
        let transposed = Aligned::zero_pairs(n_transposed * self.width / 2);
        self.pairs = Some(TilePairs { kernel, weights, transposed });
        self.gradient = Aligned::zeros(strip);
        self
    }

    /// Weights and biases of 0, also behind the last unit; the state stays where it is finite.
    pub(super) fn clear(&mut self) {
        self.weights.fill(F::zero());
        self.bias.fill(F::zero());
        for state in self.weights_state.iter_mut().chain(&mut self.bias_state) {
            state.iter_mut().filter(|state| state.is_not_finite()).for_each(|state| *state = F::zero());
        }
        self.delta.fill(F::zero());
        self.gradient.fill(F::zero());
        self.squared_norms.fill(F::zero());
        self.is_broken = false;
    }

    /// Its place among the tiles of its layer.
    pub(super) fn number(&self, shape: &LayerShape) -> usize {
        // All but the last have the same width.
        self.first_unit.div_ceil(panel_width::<F>(shape.n_outputs))
    }

    /// Hands the weights of the inputs from `first_input` on to the sink, with a part of the tile's gradient, a row for each.
    #[inline(always)]
    pub(super) fn update_weights<S: Simd<F>, K: GradientSink<F>>(
        &mut self,
        finite: &mut FiniteCheck<F, S>,
        first_input: usize,
        gradient: Range<usize>,
        sink: &K,
    ) {
        let entries = first_input * self.width..first_input * self.width + gradient.len();
        let gradient = &self.gradient[gradient];
        let [state0, state1] = &mut self.weights_state;
        let state = [part::<F>(state0, K::N_SLOTS > 0, &entries), part::<F>(state1, K::N_SLOTS > 1, &entries)];
        apply::<F, K, true>(&mut self.weights[entries.clone()], state, gradient, sink);
        // Afterwards: what has just been written is not read well at once.
        finite.add(&self.weights[entries.clone()]);
        for state in &self.weights_state[..K::N_SLOTS] {
            finite.add(&state[entries.clone()]);
        }
    }

    /// The transposed weights from the tile of the layer before that begins with `first_unit` on.
    #[inline(always)]
    pub(super) fn transposed(&self, first_unit: usize) -> &[F] {
        // All tiles before that one are full.
        &self.transposed[first_unit * self.width..]
    }

    /// Renews the weights in bf16 of some inputs, the first of which has an even number, where products take them so. Those
    /// that are transposed belong to a patch of the layer before, if to any.
    #[inline(always)]
    pub(super) fn pack_weights(&mut self, inputs: Range<usize>, before: Option<&Patch<F>>) {
        let Tile { width, weights, pairs, .. } = self;
        let Some(TilePairs { kernel, weights: panel, transposed }) = pairs else { return };
        let width = *width;
        let rows = F::singles(&weights[inputs.start * width..inputs.end * width]);
        let panel = &mut panel[inputs.start / 2 * width..];
        let transposed = before.map(|before| {
            let first = before.first_unit * width / 2 + inputs.start - before.first_unit;
            (&mut transposed[first..], before.width)
        });
        kernel.run(PackWeights { rows, width, panel, transposed });
    }

    /// What the update of the weights of some inputs, the first of which has an even number, will read and write, where these are
    /// kept in bf16 too.
    #[inline(always)]
    pub(super) fn ahead_of_inputs(&self, inputs: Range<usize>) -> Ahead {
        let Some(pairs) = &self.pairs else { return Ahead::default() };
        let entries = inputs.start * self.width..inputs.end * self.width;
        let ahead = Ahead::default().and(&self.weights[entries.clone()]);
        let ahead = ahead.and(&pairs.weights[entries.start / 2..entries.end / 2]);
        let state = self.weights_state.iter().filter(|state| !state.is_empty());
        state.fold(ahead, |ahead, state| ahead.and(&state[entries.clone()]))
    }

    /// What the update of the weights of the units of `before` will read and write, where these are kept in bf16 too.
    #[inline(always)]
    pub(super) fn ahead(&self, before: &Patch<F>) -> Ahead {
        let Some(pairs) = &self.pairs else { return Ahead::default() };
        let entries = before.first_unit * self.width..(before.first_unit + before.n_units) * self.width;
        let ahead = Ahead::default().and(&self.weights[entries.clone()]);
        let ahead = ahead.and(pairs.panel(before, self.width)).and(pairs.transposed(before, self.width));
        let state = self.weights_state.iter().filter(|state| !state.is_empty());
        state.fold(ahead, |ahead, state| ahead.and(&state[entries.clone()]))
    }

    /// The inputs whose gradient is summed at a time.
    pub(super) fn strip_rows(&self) -> usize {
        if self.pairs.is_some() && self.layer > 0 { self.gradient.len() / self.width } else { STRIP / self.width }
    }

    /// Renews the transposed weights of some units of `before`, a patch of the layer before, where they are kept.
    #[inline(always)]
    pub(super) fn transpose<S: Simd<F>>(&mut self, simd: S, before: &Patch<F>, units: Range<usize>) {
        if self.pairs.is_some() {
            self.pack_weights(before.first_unit + units.start..before.first_unit + units.end, Some(before));
            return;
        }
        let Tile { width, weights, transposed, .. } = self;
        if transposed.is_empty() {
            return;
        }
        let rows = &weights[(before.first_unit + units.start) * *width..(before.first_unit + units.end) * *width];
        let to = &mut transposed[before.first_unit * *width + units.start..];
        transpose(simd, *width, rows, to, before.width);
    }

    #[inline(always)]
    pub(super) fn update_bias<S: Simd<F>, K: GradientSink<F>>(&mut self, simd: S, gradient: &[F], sink: &K) {
        let entries = 0..self.width;
        let [state0, state1] = &mut self.bias_state;
        let state = [part::<F>(state0, K::N_SLOTS > 0, &entries), part::<F>(state1, K::N_SLOTS > 1, &entries)];
        apply::<F, K, false>(&mut self.bias, state, gradient, sink);
        self.is_broken |= !is_finite(simd, &self.bias);
        for state in &self.bias_state[..K::N_SLOTS] {
            self.is_broken |= !is_finite(simd, state);
        }
    }

    /// Hands γ to the sink, as it is handed biases.
    #[inline(always)]
    pub(super) fn update_scale<S: Simd<F>, K: GradientSink<F>>(&mut self, simd: S, gradient: &[F], sink: &K) {
        let entries = 0..self.width;
        let Some(norm) = &mut self.norm else { return };
        let [state0, state1] = &mut norm.scale_state;
        let state = [part::<F>(state0, K::N_SLOTS > 0, &entries), part::<F>(state1, K::N_SLOTS > 1, &entries)];
        apply::<F, K, false>(&mut norm.scale, state, gradient, sink);
        let state = &norm.scale_state[..K::N_SLOTS];
        for values in [&norm.scale, &norm.mean, &norm.variance].into_iter().chain(state) {
            self.is_broken |= !is_finite(simd, values);
        }
    }
}

#[inline(always)]
fn is_finite<F: Real, S: Simd<F>>(simd: S, values: &[F]) -> bool {
    let mut finite = FiniteCheck::new(simd);
    finite.add(values);
    finite.is_true()
}

/// Part of a slot, or nothing where the sink does not keep it.
#[inline(always)]
pub(super) fn part<'a, F: Real>(slot: &'a mut Aligned<F>, is_kept: bool, entries: &Range<usize>) -> &'a mut [F] {
    if is_kept { &mut slot[entries.clone()] } else { &mut [] }
}

/// A weight after a step of a sink without state.
#[inline(always)]
pub(super) fn moved<F: Real, K: GradientSink<F>>(weight: F, gradient: F, sink: &K) -> F {
    sink.weight(Parameter { value: weight, state: [F::zero(); 2] }, gradient).value
}

/// Hands parameters to the sink with their gradient, or with 0 where that is negligible: weights or else biases. What a
/// sink makes negligible becomes 0.
#[inline(always)]
pub(super) fn apply<F: Real, K: GradientSink<F>, const WEIGHTS: bool>(
    values: &mut [F],
    [state0, state1]: [&mut [F]; 2],
    gradient: &[F],
    sink: &K,
) {
    let n = values.len();
    let gradient = &gradient[..n];
    let state0 = &mut state0[..if K::N_SLOTS > 0 { n } else { 0 }];
    let state1 = &mut state1[..if K::N_SLOTS > 1 { n } else { 0 }];
    for index in 0..n {
        let mut before = Parameter { value: values[index], state: [F::zero(); 2] };
        if K::N_SLOTS > 0 {
            before.state[0] = state0[index];
        }
        if K::N_SLOTS > 1 {
            before.state[1] = state1[index];
        }
        let gradient = flush_negligible(gradient[index]);
        let after = if WEIGHTS { sink.weight(before, gradient) } else { sink.bias(before, gradient) };
        values[index] = flush_negligible(after.value);
        if K::N_SLOTS > 0 {
            state0[index] = after.state[0];
        }
        if K::N_SLOTS > 1 {
            state1[index] = after.state[1];
        }
    }
}
