//! The way back and the update in one go through the weights of a tile, for a batch of one sample.

use crate::kernel::dots::{PanelPair, transposed_row};
use crate::kernel::panel::PANEL_WIDTH_MAX;
use crate::kernel::simd::{FiniteCheck, Simd, Task};
use crate::real::Real;
use crate::sink::GradientSink;
use crate::workspace::layout::LayerShape;
use crate::workspace::negligible::{flush_all_negligible, flush_negligible};
use crate::workspace::outputs::OutputBlock;
use crate::workspace::patch::{Patch, Received};
use crate::workspace::tile::{Tile, apply, moved, part};

/// The inputs whose weights are read and then updated, for a batch of one sample: they stay in the cache next to the
/// processor.
const STRETCH: usize = 32;

/// Back-propagation through one tile for a batch of one sample, whose work is to read the weights and not to multiply:
/// δ of its units, what they pass back, and the sink, all while a weight is in the cache.
pub(super) struct BackwardAndUpdate<'a, F, K> {
    pub(super) tile: &'a mut Tile<F>,
    pub(super) shape: &'a LayerShape,
    pub(super) patch: &'a Patch<F>,
    /// The tiles of the layer behind this one; none behind the last.
    pub(super) after: &'a [Tile<F>],
    pub(super) output: &'a OutputBlock<F>,
    pub(super) received: Received<'a, F>,
    pub(super) sink: &'a K,
}

impl<F: Real, K: GradientSink<F>> Task<F> for BackwardAndUpdate<'_, F, K> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd<F>>(self, simd: S) {
        let BackwardAndUpdate { tile, shape, patch, after, output, received, sink } = self;
        let units = patch.first_unit..patch.first_unit + patch.n_units;
        tile.is_broken = false;
        if after.is_empty() {
            tile.delta[..patch.n_units].copy_from_slice(&output.deltas[units]);
        } else {
            let delta = &mut tile.delta[..patch.n_units];
            delta.fill(F::zero());
            for after in after {
                delta.iter_mut().zip(&after.passed_back[units.clone()]).for_each(|(sum, &part)| *sum += part);
            }
            flush_all_negligible(delta);
            shape.activation.times_derivative(&patch.outputs[..patch.n_units], delta);
            flush_all_negligible(delta);
        }
        tile.smallest_delta = tile.delta.iter().fold(F::infinity(), |smallest, delta| {
            let size = if *delta == F::zero() { F::infinity() } else { delta.abs() };
            if size < smallest { size } else { smallest }
        });
        let mut rows = RowsToUpdate { n: 0, inputs: [0; STRETCH], values: [F::zero(); STRETCH] };
        match received {
            Received::Inputs(inputs) if sink.ignores_zero_gradients() => {
                for (input, value) in inputs.parts[0].sparse.row(0) {
                    rows.push(simd, input, value, tile, sink);
                }
            }
            Received::Inputs(inputs) => {
                for (input, &value) in inputs.parts[0].inputs[..shape.n_inputs].iter().enumerate() {
                    rows.push(simd, input, value, tile, sink);
                }
            }
            Received::Outputs(patches) => {
                for before in patches.in_block(0) {
                    for first_unit in (0..before.n_units).step_by(STRETCH) {
                        let n_units = STRETCH.min(before.n_units - first_unit);
                        let first_input = before.first_unit + first_unit;
                        let Tile { width, delta, weights, passed_back, .. } = &mut *tile;
                        let pair = PanelPair { width: *width, left: delta, right: &weights[first_input * *width..] };
                        transposed_row(simd, pair, n_units, &mut passed_back[first_input..]);
                        for (index, &value) in before.outputs[first_unit..][..n_units].iter().enumerate() {
                            rows.push(simd, first_input + index, value, tile, sink);
                        }
                        rows.flush(simd, tile, sink);
                    }
                }
            }
        }
        rows.flush(simd, tile, sink);
        if shape.has_bias {
            let mut gradient = [F::zero(); PANEL_WIDTH_MAX];
            let gradient = &mut gradient[..tile.width];
            gradient.copy_from_slice(&tile.delta);
            tile.update_bias(simd, gradient, sink);
        }
    }
}

/// Inputs of a tile whose weights are handed to the sink together, and their values.
struct RowsToUpdate<F> {
    n: usize,
    inputs: [usize; STRETCH],
    values: [F; STRETCH],
}

impl<F: Real> RowsToUpdate<F> {
    /// Adds an input; where there is no room for another, all are handed over.
    #[inline(always)]
    fn push<S: Simd<F>, K: GradientSink<F>>(&mut self, simd: S, input: usize, value: F, tile: &mut Tile<F>, sink: &K) {
        self.inputs[self.n] = input;
        self.values[self.n] = value;
        self.n += 1;
        if self.n == STRETCH {
            self.flush(simd, tile, sink);
        }
    }

    #[inline(always)]
    fn flush<S: Simd<F>, K: GradientSink<F>>(&mut self, simd: S, tile: &mut Tile<F>, sink: &K) {
        if self.n > 0 {
            simd.apart(UpdateRows { rows: self, tile, sink });
            self.n = 0;
        }
    }
}

/// Hands the weights of some inputs to the sink: the gradient of a row of weights is the input's value times δ.
struct UpdateRows<'a, F, K> {
    rows: &'a RowsToUpdate<F>,
    tile: &'a mut Tile<F>,
    sink: &'a K,
}

impl<F: Real, K: GradientSink<F>> Task<F> for UpdateRows<'_, F, K> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd<F>>(self, simd: S) {
        let UpdateRows { rows, tile, sink } = self;
        let rows = rows.inputs.iter().copied().zip(rows.values).take(rows.n);
        let width = tile.width;
        let weights = &mut *tile.weights;
        let [state0, state1] = &mut tile.weights_state;
        let delta = &tile.delta[..width];
        let smallest_delta = tile.smallest_delta;
        let mut finite = FiniteCheck::new(simd);
        for (input, value) in rows.clone() {
            let entries = input * width..(input + 1) * width;
            if K::N_SLOTS > 0 || !sink.ignores_zero_gradients() {
                let mut gradient = [F::zero(); PANEL_WIDTH_MAX];
                for (gradient, &delta) in gradient.iter_mut().zip(delta) {
                    *gradient = value * delta;
                }
                let state = [part::<F>(state0, K::N_SLOTS > 0, &entries), part::<F>(state1, K::N_SLOTS > 1, &entries)];
                apply::<F, K, true>(&mut weights[entries], state, &gradient[..width], sink);
            } else if value.abs() * smallest_delta < F::NEGLIGIBLE {
                for (weight, &delta) in weights[entries].iter_mut().zip(delta) {
                    *weight = moved(*weight, flush_negligible(value * delta), sink);
                }
            } else if let Ok(delta) = <&[F; 64]>::try_from(delta) {
                // With the width known to the compiler, the sink's numbers stay in registers from row to row.
                let weights = &mut weights.as_chunks_mut::<64>().0[input];
                for unit in 0..64 {
                    weights[unit] = moved(weights[unit], value * delta[unit], sink);
                }
            } else {
                for (weight, &delta) in weights[entries].iter_mut().zip(delta) {
                    *weight = moved(*weight, value * delta, sink);
                }
            }
        }
        // Afterwards: what has just been written is not read well at once. A loop, not a closure: an instruction in a
        // closure would become a call.
        for (input, _) in rows {
            finite.add(&weights[input * width..][..width]);
            if K::N_SLOTS > 0 {
                finite.add(&state0[input * width..][..width]);
            }
            if K::N_SLOTS > 1 {
                finite.add(&state1[input * width..][..width]);
            }
        }
        tile.is_broken |= !finite.is_true();
    }
}
