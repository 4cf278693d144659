//! Tiles and patches: the units of a layer cut into panels, with their weights, outputs and deltas.

use crate::activation::Activation;
use crate::aligned::Aligned;
use crate::kernel::product::{
    Factors, PANEL_WIDTH_MAX, PanelPair, panel_product, panel_width, transpose, transposed_product, transposed_row,
};
use crate::kernel::simd::{FiniteCheck, Simd, Task};
use crate::real::Real;
use crate::sink::{GradientSink, Parameter};
use crate::workspace::one_by_one::Single;
use crate::workspace::samples::{InputPart, Inputs, OutputBlock, flush_negligible, negligible_is_zero};

/// What is fixed about a layer.
#[derive(Clone, Copy, Debug)]
pub(super) struct LayerShape {
    pub(super) n_inputs: usize,
    pub(super) n_outputs: usize,
    pub(super) activation: Activation,
    pub(super) has_bias: bool,
    /// Its tiles are `first_tile..first_tile + n_tiles`.
    pub(super) first_tile: usize,
    pub(super) n_tiles: usize,
}

impl LayerShape {
    pub(super) fn tiles(&self) -> std::ops::Range<usize> {
        self.first_tile..self.first_tile + self.n_tiles
    }
}

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
    transposed: Aligned<F>,
    /// One row of the panel; zeros where the layer has no biases.
    pub(super) bias: Aligned<F>,
    pub(super) weights_state: [Aligned<F>; 2],
    pub(super) bias_state: [Aligned<F>; 2],
    /// Whether the last step left something infinite or not a number here, in parameters or state.
    pub(super) is_broken: bool,
    /// Where a batch has one sample: the δ of its units,
    delta: Aligned<F>,
    /// the least |δ| that is not 0,
    smallest_delta: F,
    /// and what they pass back to each input.
    passed_back: Aligned<F>,
    /// For larger batches: a strip of the gradient; in the first layer zeros between two strips.
    gradient: Aligned<F>,
}

impl<F: Real> Tile<F> {
    pub(super) fn new(
        layer: usize,
        first_unit: usize,
        width: usize,
        n_inputs: usize,
        n_transposed: usize,
        n_slots: usize,
        strip: usize,
    ) -> Tile<F> {
        let state = |len: usize| [0, 1].map(|slot| Aligned::zeros(if slot < n_slots { len } else { 0 }));
        Tile {
            layer,
            first_unit,
            width,
            weights: Aligned::zeros(n_inputs.next_multiple_of(2) * width),
            transposed: Aligned::zeros(n_transposed * width),
            bias: Aligned::zeros(width),
            weights_state: state(n_inputs * width),
            bias_state: state(width),
            is_broken: false,
            delta: Aligned::zeros(width),
            smallest_delta: F::zero(),
            passed_back: Aligned::zeros(n_inputs.next_multiple_of(F::LANES)),
            gradient: Aligned::zeros(strip),
        }
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
        self.is_broken = false;
    }

    /// Its place among the tiles of its layer.
    pub(super) fn number(&self, shape: &LayerShape) -> usize {
        // All but the last have the same width.
        self.first_unit.div_ceil(panel_width::<F>(shape.n_outputs))
    }

    /// Hands the weights of the inputs from `first_input` on to the sink, with a part of the tile's gradient, a row for each.
    #[inline(always)]
    fn update_weights<S: Simd<F>, K: GradientSink<F>>(
        &mut self,
        finite: &mut FiniteCheck<F, S>,
        first_input: usize,
        gradient: std::ops::Range<usize>,
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
    fn transposed(&self, first_unit: usize) -> &[F] {
        // All tiles before that one are full.
        &self.transposed[first_unit * self.width..]
    }

    /// Renews the transposed weights of some units of `before`, a patch of the layer before, where they are kept.
    #[inline(always)]
    fn transpose<S: Simd<F>>(&mut self, simd: S, before: &Patch<F>, units: std::ops::Range<usize>) {
        let Tile { width, weights, transposed, .. } = self;
        if transposed.is_empty() {
            return;
        }
        let rows = &weights[(before.first_unit + units.start) * *width..(before.first_unit + units.end) * *width];
        let to = &mut transposed[before.first_unit * *width + units.start..];
        transpose(simd, *width, rows, to, before.width);
    }

    #[inline(always)]
    fn update_bias<S: Simd<F>, K: GradientSink<F>>(&mut self, simd: S, gradient: &[F], sink: &K) {
        let entries = 0..self.width;
        let [state0, state1] = &mut self.bias_state;
        let state = [part::<F>(state0, K::N_SLOTS > 0, &entries), part::<F>(state1, K::N_SLOTS > 1, &entries)];
        apply::<F, K, false>(&mut self.bias, state, gradient, sink);
        self.is_broken |= !is_finite(simd, &self.bias);
        for state in &self.bias_state[..K::N_SLOTS] {
            self.is_broken |= !is_finite(simd, state);
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
fn part<'a, F: Real>(slot: &'a mut Aligned<F>, is_kept: bool, entries: &std::ops::Range<usize>) -> &'a mut [F] {
    if is_kept { &mut slot[entries.clone()] } else { &mut [] }
}

/// A weight after a step of a sink without state.
#[inline(always)]
fn moved<F: Real, K: GradientSink<F>>(weight: F, gradient: F, sink: &K) -> F {
    sink.weight(Parameter { value: weight, state: [F::zero(); 2] }, gradient).value
}

/// Hands parameters to the sink with their gradient, or with 0 where that is negligible: weights or else biases. What a
/// sink makes negligible becomes 0.
#[inline(always)]
fn apply<F: Real, K: GradientSink<F>, const WEIGHTS: bool>(
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
        let gradient = negligible_is_zero(gradient[index]);
        let after = if WEIGHTS { sink.weight(before, gradient) } else { sink.bias(before, gradient) };
        values[index] = negligible_is_zero(after.value);
        if K::N_SLOTS > 0 {
            state0[index] = after.state[0];
        }
        if K::N_SLOTS > 1 {
            state1[index] = after.state[1];
        }
    }
}

/// What the units of one tile answered to the rows of one block, and their deltas: rows of the tile's width.
#[derive(Debug)]
pub(super) struct Patch<F> {
    /// Counted within the layer.
    pub(super) tile: usize,
    pub(super) block: usize,
    pub(super) first_unit: usize,
    pub(super) n_units: usize,
    pub(super) width: usize,
    /// 0 where the batch does not reach this block.
    pub(super) n_rows: usize,
    /// In the last layer the net inputs.
    pub(super) outputs: Aligned<F>,
    /// ∂L/∂z, and in runs of single samples dᵢ, that times a factor; zero behind the last unit.
    pub(super) deltas: Aligned<F>,
    /// Whether an output is infinite or not a number.
    pub(super) is_broken: bool,
    /// For runs of single samples; empty elsewhere.
    pub(super) single: Single<F>,
}

/// The patches of a layer: those of its first tile, block after block, then those of the next.
pub(super) struct Patches<'a, F> {
    pub(super) patches: &'a [Patch<F>],
    pub(super) n_blocks: usize,
}

impl<F> Clone for Patches<'_, F> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<F> Copy for Patches<'_, F> {}

impl<'a, F> Patches<'a, F> {
    /// The patches of one block, tile after tile.
    #[inline(always)]
    pub(super) fn of_block(self, block: usize) -> impl Iterator<Item = &'a Patch<F>> + Clone {
        self.patches[block..].iter().step_by(self.n_blocks)
    }

    /// The patches of one tile, block after block.
    #[inline(always)]
    pub(super) fn of_tile(self, tile: usize) -> &'a [Patch<F>] {
        &self.patches[tile * self.n_blocks..][..self.n_blocks]
    }
}

/// What a layer receives.
pub(super) enum Received<'a, F> {
    Inputs(Inputs<'a, F>),
    Outputs(Patches<'a, F>),
}

impl<F> Clone for Received<'_, F> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<F> Copy for Received<'_, F> {}

/// aˡ = f(aˡ⁻¹ Wˡ + bˡ) for one patch; in the last layer without the f.
pub(super) struct Forward<'a, F> {
    pub(super) patch: &'a mut Patch<F>,
    pub(super) tile: &'a Tile<F>,
    pub(super) received: Received<'a, F>,
    /// None in the last layer.
    pub(super) activation: Option<Activation>,
}

impl<F: Real> Task<F> for Forward<'_, F> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd<F>>(self, simd: S) {
        let Forward { patch, tile, received, activation } = self;
        let n_rows = patch.n_rows;
        match received {
            Received::Inputs(inputs) => {
                let parts = inputs.blocks().nth(patch.block).expect("a block that the batch reaches");
                for (first_row, part) in parts {
                    let sums = &mut patch.outputs[first_row * tile.width..];
                    part.sparse.rows_times(simd, &tile.bias, &tile.weights, tile.width, sums);
                }
            }
            Received::Outputs(patches) => {
                // All rows through the units of one tile before the next: their weights stay in the first-level cache.
                let mut start = Some(&*tile.bias);
                for before in patches.of_block(patch.block) {
                    let factors = Factors {
                        left: &before.outputs,
                        row_stride: before.width,
                        term_stride: 1,
                        right: &tile.weights[before.first_unit * tile.width..],
                        n_terms: before.n_units,
                    };
                    panel_product(simd, tile.width, start.take(), factors, n_rows, &mut patch.outputs);
                }
            }
        }
        let outputs = &mut patch.outputs[..n_rows * tile.width];
        if let Some(activation) = activation {
            // Runs on behind the last unit, where weights and deltas are 0.
            activation.apply_on::<F, S>(outputs, F::NEGLIGIBLE);
        }
        patch.is_broken = outputs.iter().fold(false, |broken, output| broken | output.is_not_finite());
    }
}

/// Renews all transposed weights of a tile.
pub(super) struct TransposeAll<'a, F> {
    pub(super) tile: &'a mut Tile<F>,
    /// Those of the layer before.
    pub(super) before: Patches<'a, F>,
}

impl<F: Real> Task<F> for TransposeAll<'_, F> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd<F>>(self, simd: S) {
        let TransposeAll { tile, before } = self;
        before.of_block(0).for_each(|before| tile.transpose(simd, before, 0..before.n_units));
    }
}

/// Brings the deltas of the output layer, which the loss wrote row by row, into its patches.
pub(super) fn distribute<F: Real>(patch: &mut Patch<F>, n_outputs: usize, block: &OutputBlock<F>) {
    let rows = block.deltas.chunks_exact(n_outputs).take(patch.n_rows);
    for (row, deltas) in rows.zip(patch.deltas.chunks_exact_mut(patch.width)) {
        deltas[..patch.n_units].copy_from_slice(&row[patch.first_unit..][..patch.n_units]);
    }
}

/// δˡ = (δˡ⁺¹ Wˡ⁺¹ᵀ) ⊙ f′ for one patch of layer l.
pub(super) struct Backward<'a, F> {
    pub(super) patch: &'a mut Patch<F>,
    pub(super) activation: Activation,
    /// Those of layer l + 1.
    pub(super) after: Patches<'a, F>,
    /// Those of layer l + 1.
    pub(super) tiles: &'a [Tile<F>],
}

impl<F: Real> Task<F> for Backward<'_, F> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd<F>>(self, simd: S) {
        let Backward { patch, activation, after, tiles } = self;
        let n_rows = patch.n_rows;
        let pairs = after.of_block(patch.block).zip(tiles);
        if tiles[0].transposed.is_empty() {
            let panels =
                pairs.map(|(after, tile)| PanelPair { width: tile.width, left: &after.deltas, right: &tile.weights });
            let (first, n_units) = (patch.first_unit, patch.n_units);
            transposed_product(simd, panels, n_rows, first, n_units, &mut patch.deltas, patch.width);
        } else {
            let mut start = Some(&[F::zero(); PANEL_WIDTH_MAX][..patch.width]);
            for (after, tile) in pairs {
                let factors = Factors {
                    left: &after.deltas,
                    row_stride: after.width,
                    term_stride: 1,
                    right: tile.transposed(patch.first_unit),
                    n_terms: after.n_units,
                };
                panel_product(simd, patch.width, start.take(), factors, n_rows, &mut patch.deltas);
            }
        }
        let entries = 0..n_rows * patch.width;
        let deltas = &mut patch.deltas[entries.clone()];
        // Before, so that the product is not subnormal, and after it.
        flush_negligible(deltas);
        activation.times_derivative(&patch.outputs[entries], deltas);
        flush_negligible(deltas);
    }
}

/// The numbers of the gradient that are computed at a time, where nothing asks for more: they stay in the cache next to the
/// processor.
pub(super) const STRIP: usize = 2_048;

/// The inputs whose weights are left out together, or not: an even number.
pub(super) const PIECE: usize = 8;

/// The inputs whose weights are read and then updated, for a batch of one sample: they stay in the cache next to the
/// processor.
const STRETCH: usize = 32;

/// The gradient of one tile, summed over the batch and handed to the sink.
pub(super) struct Update<'a, F, K> {
    pub(super) tile: &'a mut Tile<F>,
    pub(super) shape: &'a LayerShape,
    /// Those of the tile, block after block, as far as the batch reaches.
    pub(super) patches: &'a [Patch<F>],
    pub(super) received: Received<'a, F>,
    pub(super) sink: &'a K,
}

impl<F: Real, K: GradientSink<F>> Task<F> for Update<'_, F, K> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd<F>>(self, simd: S) {
        let Update { tile, shape, patches, received, sink } = self;
        let width = tile.width;
        let mut finite = FiniteCheck::new(simd);
        let n_rows = STRIP / width;
        match received {
            Received::Inputs(inputs) => {
                let parts = inputs.parts;
                let together = parts[0].sparse.columns_together(n_rows);
                for first_input in (0..shape.n_inputs).step_by(together) {
                    let columns = first_input..shape.n_inputs.min(first_input + together);
                    // Zeros, as every strip leaves them.
                    let sums = &mut tile.gradient[..columns.len().next_multiple_of(2) * width];
                    for (parts, patch) in inputs.blocks().zip(patches) {
                        // All columns go through the deltas of one block, which stay in the first-level cache.
                        for (first_row, part) in parts {
                            let deltas = &patch.deltas[first_row * width..];
                            part.sparse.add_columns_times(simd, columns.clone(), deltas, width, sums);
                        }
                    }
                    // Behind an odd number of inputs stands one more row.
                    sums[columns.len() * width..].fill(F::zero());
                    for used in (UsedInputs { parts, inputs: columns, all: !sink.ignores_zero_gradients() }) {
                        let gradient = (used.start - first_input) * width..(used.end - first_input) * width;
                        tile.update_weights(&mut finite, used.start, gradient.clone(), sink);
                        tile.gradient[gradient].fill(F::zero());
                    }
                }
            }
            Received::Outputs(before) => {
                for (first_tile, patch) in before.of_block(0).enumerate() {
                    let before = before.of_tile(first_tile);
                    for first_unit in (0..patch.n_units).step_by(n_rows) {
                        let n_units = n_rows.min(patch.n_units - first_unit);
                        let gradient = &mut tile.gradient[..n_units * width];
                        // Zeros to begin with, in the first block.
                        let mut start = Some(&[F::zero(); PANEL_WIDTH_MAX][..width]);
                        for (patch, before) in patches.iter().zip(before) {
                            let factors = Factors {
                                left: &before.outputs[first_unit..],
                                row_stride: 1,
                                term_stride: before.width,
                                right: &patch.deltas,
                                n_terms: patch.n_rows,
                            };
                            panel_product(simd, width, start.take(), factors, n_units, gradient);
                        }
                        tile.update_weights(&mut finite, patch.first_unit + first_unit, 0..n_units * width, sink);
                        tile.transpose(simd, patch, first_unit..first_unit + n_units);
                    }
                }
            }
        }
        tile.is_broken = !finite.is_true();
        if shape.has_bias {
            let mut sums = [F::zero(); PANEL_WIDTH_MAX];
            let sums = &mut sums[..width];
            for patch in patches {
                for deltas in patch.deltas.chunks_exact(width).take(patch.n_rows) {
                    sums.iter_mut().zip(deltas).for_each(|(sum, &delta)| *sum += delta);
                }
            }
            tile.update_bias(simd, sums, sink);
        }
    }
}

/// Of some inputs, the stretches of pieces that are not zero in one of the rows; or all.
struct UsedInputs<'a, F> {
    parts: &'a [InputPart<F>],
    /// Those that have not been looked at.
    inputs: std::ops::Range<usize>,
    all: bool,
}

impl<F: Real> UsedInputs<'_, F> {
    /// Goes to the first piece that is used, or is not.
    #[inline(always)]
    fn skip_while(&mut self, is_used: bool) -> usize {
        while !self.inputs.is_empty() {
            let piece = self.inputs.start..self.inputs.end.min(self.inputs.start + PIECE);
            if (self.all || self.parts.iter().any(|part| part.sparse.has_any(piece.clone()))) != is_used {
                break;
            }
            self.inputs.start = piece.end;
        }
        self.inputs.start
    }
}

impl<F: Real> Iterator for UsedInputs<'_, F> {
    type Item = std::ops::Range<usize>;
    #[inline(always)]
    fn next(&mut self) -> Option<std::ops::Range<usize>> {
        let (start, end) = (self.skip_while(false), self.skip_while(true));
        (start < end).then_some(start..end)
    }
}

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
            flush_negligible(delta);
            shape.activation.times_derivative(&patch.outputs[..patch.n_units], delta);
            flush_negligible(delta);
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
                for before in patches.of_block(0) {
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
                    *weight = moved(*weight, negligible_is_zero(value * delta), sink);
                }
            } else if let Some(delta) = delta.as_array::<64>() {
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
