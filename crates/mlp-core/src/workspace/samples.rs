//! Both ends of the network for some rows of a batch: what goes in, and what comes out.

use std::ops::Range;

use crate::aligned::Aligned;
use crate::kernel::product::TermList;
use crate::kernel::simd::{Simd, Task};
use crate::loss::Objective;
use crate::real::Real;
use crate::workspace::units::{LayerShape, Patches};
use crate::workspace::{Batch, GROUP, ROWS_MAX};

/// The inputs of some rows of a batch.
#[derive(Debug)]
pub(super) struct InputBlock<F> {
    pub(super) first_row: usize,
    /// 0 where the batch does not reach this block.
    pub(super) n_rows: usize,
    pub(super) inputs: Aligned<F>,
    pub(super) stride: usize,
    /// For every input, the rows in which it is not zero, a bit each.
    pub(super) rows_used: Vec<u32>,
    /// For every [`GROUP`] rows, the inputs that are not zero in at least one of them.
    pub(super) inputs_used: Vec<TermList>,
}

impl<F: Real> InputBlock<F> {
    pub(super) fn new(n_inputs: usize, n_rows: usize) -> InputBlock<F> {
        debug_assert!(n_rows <= ROWS_MAX);
        // One cache line more than needed: rows a multiple of 2 KiB apart would compete for the same lines of the cache.
        let stride = n_inputs.next_multiple_of(F::LANES) + F::LANES;
        InputBlock {
            first_row: 0,
            n_rows: 0,
            inputs: Aligned::zeros(n_rows * stride),
            stride,
            rows_used: vec![0; n_inputs],
            inputs_used: (0..n_rows.div_ceil(GROUP)).map(|_| TermList::new(n_inputs)).collect(),
        }
    }
}

/// Fetches the inputs of a block and notes where they are zero.
pub(super) struct Gather<'a, F, B> {
    pub(super) block: &'a mut InputBlock<F>,
    pub(super) batch: &'a B,
}

impl<F: Real, B: Batch<F>> Task<F> for Gather<'_, F, B> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd<F>>(self, simd: S) {
        let InputBlock { first_row, n_rows, inputs, stride, rows_used, inputs_used } = self.block;
        rows_used.fill(0);
        for (row, inputs) in inputs.chunks_exact_mut(*stride).take(*n_rows).enumerate() {
            let inputs = &mut inputs[..rows_used.len()];
            self.batch.input(*first_row + row, inputs);
            for (used, &input) in rows_used.iter_mut().zip(&*inputs) {
                *used |= u32::from(input != F::zero()) << row;
            }
        }
        for (group, used) in inputs_used.iter_mut().enumerate().take(n_rows.div_ceil(GROUP)) {
            let rows = ((1 << GROUP) - 1) << (group * GROUP);
            used.fill(simd, rows_used, rows);
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
            shape.activation.apply_on::<F, S>(outputs);
        } else {
            outputs.chunks_exact_mut(n_outputs).for_each(|row| shape.activation.apply_on::<F, S>(row));
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
pub(super) fn flush_negligible<F: Real>(deltas: &mut [F]) {
    for delta in deltas {
        *delta = negligible_is_zero(*delta);
    }
}

/// Zero for what is too small to matter; NaN stays NaN.
#[inline(always)]
pub(super) fn negligible_is_zero<F: Real>(value: F) -> F {
    if value.abs() < F::NEGLIGIBLE { F::zero() } else { value }
}
