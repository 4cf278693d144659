//! Both ends of the network for some rows of a batch: what goes in, and what comes out.

use std::ops::Range;

use crate::activation::flush;
use crate::aligned::Aligned;
use crate::kernel::simd::{Simd, Task};
use crate::kernel::sparse::{Sparse, Transposed};
use crate::loss::Objective;
use crate::real::Real;
use crate::workspace::Batch;
use crate::workspace::units::{LayerShape, Patches};

/// The inputs of some rows of a block.
#[derive(Debug)]
pub(super) struct InputPart<F> {
    pub(super) first_row: usize,
    /// 0 where the batch does not reach this part.
    pub(super) n_rows: usize,
    /// What is not zero in the inputs.
    pub(super) sparse: Sparse<F>,
    /// All inputs of the rows that are kept.
    pub(super) inputs: Aligned<F>,
    pub(super) stride: usize,
    keep: Keep,
}

impl<F: Real> InputPart<F> {
    /// Without any row; the first layer has panels of `width` columns.
    pub(super) fn new(
        n_inputs: usize,
        n_rows: usize,
        width: usize,
        transposed: Transposed,
        keep: Keep,
    ) -> InputPart<F> {
        // One cache line more than needed: rows a multiple of 2 KiB apart would compete for the same lines of the cache.
        let stride = n_inputs.next_multiple_of(F::LANES) + F::LANES;
        let n_rows_kept = if keep == Keep::AllRows { n_rows } else { 1 };
        InputPart {
            first_row: 0,
            n_rows: 0,
            sparse: Sparse::new(n_rows, n_inputs, width, transposed),
            inputs: Aligned::zeros(n_rows_kept * stride),
            stride,
            keep,
        }
    }
}

/// The inputs of a batch, as far as it reaches.
pub(super) struct Inputs<'a, F> {
    pub(super) parts: &'a [InputPart<F>],
    pub(super) parts_of_block: usize,
}

impl<F> Clone for Inputs<'_, F> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<F> Copy for Inputs<'_, F> {}

impl<'a, F> Inputs<'a, F> {
    /// The parts of each block, each with the place of its first row there.
    #[inline(always)]
    pub(super) fn blocks(self) -> impl Iterator<Item = impl Iterator<Item = (usize, &'a InputPart<F>)>> {
        self.parts.chunks(self.parts_of_block).map(|parts| {
            let first_row = parts[0].first_row;
            parts.iter().map(move |part| (part.first_row - first_row, part))
        })
    }
}

/// Which rows of inputs are kept, beside what is not zero in each.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Keep {
    LastRow,
    AllRows,
}

/// Fetches the inputs of a part and notes what is not zero.
pub(super) struct Gather<'a, F, B> {
    pub(super) part: &'a mut InputPart<F>,
    pub(super) batch: &'a B,
    /// Whether also a gradient will be asked for.
    pub(super) for_gradient: bool,
}

impl<F: Real, B: Batch<F>> Task<F> for Gather<'_, F, B> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd<F>>(self, simd: S) {
        let Gather { part, batch, for_gradient } = self;
        let n_inputs = part.sparse.n_columns();
        part.sparse.clear();
        for row in 0..part.n_rows {
            let first = if part.keep == Keep::AllRows { row * part.stride } else { 0 };
            let inputs = &mut part.inputs[first..][..n_inputs];
            batch.input(part.first_row + row, inputs);
            part.sparse.push_row(simd, inputs, for_gradient);
        }
    }
}

/// The outputs of some rows of a batch, row by row as the loss sees them.
#[derive(Debug)]
pub(super) struct OutputBlock<F> {
    pub(super) net_inputs: Vec<F>,
    pub(super) outputs: Vec<F>,
    pub(super) targets: Vec<F>,
    /// ∂L/∂z
    pub(super) deltas: Vec<F>,
    pub(super) losses: Vec<f64>,
    /// Whether an output is infinite or not a number.
    pub(super) is_broken: bool,
}

impl<F: Real> OutputBlock<F> {
    pub(super) fn new(n_outputs: usize, n_rows: usize) -> OutputBlock<F> {
        let matrix = || vec![F::zero(); n_rows * n_outputs];
        OutputBlock {
            net_inputs: matrix(),
            outputs: matrix(),
            targets: matrix(),
            deltas: matrix(),
            losses: vec![0.0; n_rows],
            is_broken: false,
        }
    }
}

/// Collects the net inputs of the last layer from its patches, and applies the output activation. With an objective
/// also: the losses, and where back-propagation begins.
pub(super) struct Answer<'a, F, B> {
    pub(super) block: &'a mut OutputBlock<F>,
    /// The number of the block.
    pub(super) index: usize,
    /// The row of the batch with which the block begins.
    pub(super) first_row: usize,
    /// Rows of the block.
    pub(super) rows: Range<usize>,
    pub(super) shape: &'a LayerShape,
    /// Those of the last layer.
    pub(super) patches: Patches<'a, F>,
    pub(super) batch: &'a B,
    /// With 1 / batch size.
    pub(super) objective: Option<(Objective, f64)>,
}

impl<F: Real, B: Batch<F>> Task<F> for Answer<'_, F, B> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd<F>>(self, _simd: S) {
        let Answer { block, index, first_row, rows, shape, patches, batch, objective } = self;
        let n_outputs = shape.n_outputs;
        let values = rows.start * n_outputs..rows.end * n_outputs;
        for patch in patches.of_block(index) {
            let of_rows = &patch.outputs[rows.start * patch.width..rows.end * patch.width];
            let to = block.net_inputs[values.clone()].chunks_exact_mut(n_outputs);
            for (row, net_inputs) in to.zip(of_rows.chunks_exact(patch.width)) {
                row[patch.first_unit..][..patch.n_units].copy_from_slice(&net_inputs[..patch.n_units]);
            }
        }
        block.outputs[values.clone()].copy_from_slice(&block.net_inputs[values.clone()]);
        let outputs = &mut block.outputs[values.clone()];
        if shape.activation.is_elementwise() {
            shape.activation.apply_on::<F, S>(outputs, F::min_positive_value());
        } else {
            let rows = outputs.chunks_exact_mut(n_outputs);
            rows.for_each(|row| shape.activation.apply_on::<F, S>(row, F::min_positive_value()));
        }
        block.is_broken = outputs.iter().fold(false, |broken, output| broken | output.is_not_finite());
        let Some((objective, scale)) = objective else { return };
        for row in rows {
            let columns = row * n_outputs..(row + 1) * n_outputs;
            let targets = &mut block.targets[columns.clone()];
            batch.target(first_row + row, targets);
            let outputs = &block.outputs[columns.clone()];
            block.losses[row] = objective.value(&block.net_inputs[columns.clone()], outputs, targets);
            objective.output_delta(shape.activation, outputs, targets, scale, &mut block.deltas[columns]);
        }
        flush_negligible(&mut block.deltas[values]);
    }
}

/// Zero for what is too small to matter.
#[inline(always)]
pub(super) fn flush_negligible<F: Real>(values: &mut [F]) {
    for value in values {
        // A product, and 0 for −0: for a choice between two numbers the compiler would write only where something changes,
        // by an instruction that takes ten times as long on some processors.
        let is_kept = if value.abs() < F::NEGLIGIBLE { F::zero() } else { F::one() };
        *value = *value * is_kept + F::zero();
    }
}

/// Zero for what is too small to matter; NaN stays NaN.
#[inline(always)]
pub(super) fn negligible_is_zero<F: Real>(value: F) -> F {
    flush(value, F::NEGLIGIBLE)
}
