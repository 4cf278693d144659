//! What comes out of the network for some rows of a batch, and how it is compared with the targets.

use std::ops::Range;

use crate::kernel::simd::{Simd, Task};
use crate::real::Real;
use crate::sample_loss::{OutputError, SampleOutputs};
use crate::workspace::batch::Batch;
use crate::workspace::layout::LayerShape;
use crate::workspace::negligible::flush_all_negligible;
use crate::workspace::patch::{Patch, Patches};

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

/// Collects the net inputs of the last layer from its patches, and applies the output activation. With a loss also: the losses, and where back-propagation begins.
pub(super) struct CollectOutputs<'a, F, B, E> {
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
    /// The loss, with 1 / batch size.
    pub(super) loss: Option<(&'a E, f64)>,
}

impl<F: Real, B: Batch<F>, E: OutputError<F>> Task<F> for CollectOutputs<'_, F, B, E> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd<F>>(self, _simd: S) {
        let CollectOutputs { block, index, first_row, rows, shape, patches, batch, loss } = self;
        let n_outputs = shape.n_outputs;
        let values = rows.start * n_outputs..rows.end * n_outputs;
        for patch in patches.in_block(index) {
            let patch_rows = &patch.outputs[rows.start * patch.width..rows.end * patch.width];
            let to = block.net_inputs[values.clone()].chunks_exact_mut(n_outputs);
            for (row, net_inputs) in to.zip(patch_rows.chunks_exact(patch.width)) {
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
        let Some((loss, scale)) = loss else { return };
        for row in rows {
            let columns = row * n_outputs..(row + 1) * n_outputs;
            let targets = &mut block.targets[columns.clone()];
            batch.target(first_row + row, targets);
            let values = SampleOutputs {
                activation: shape.activation,
                net_inputs: &block.net_inputs[columns.clone()],
                outputs: &block.outputs[columns.clone()],
                targets,
            };
            let weight = batch.weight(first_row + row);
            block.losses[row] = weight * loss.output_error(values, weight * scale, &mut block.deltas[columns]);
        }
        flush_all_negligible(&mut block.deltas[values]);
    }
}

/// Brings the deltas of the output layer, which the loss wrote row by row, into its patches.
pub(super) fn distribute_deltas<F: Real>(patch: &mut Patch<F>, n_outputs: usize, block: &OutputBlock<F>) {
    let rows = block.deltas.chunks_exact(n_outputs).take(patch.n_rows);
    for (row, deltas) in rows.zip(patch.deltas.chunks_exact_mut(patch.width)) {
        deltas[..patch.n_units].copy_from_slice(&row[patch.first_unit..][..patch.n_units]);
    }
}
