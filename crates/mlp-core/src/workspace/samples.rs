//! Both ends of the network for some rows of a batch: what goes in, and what comes out.

use std::ops::Range;

use crate::aligned::Aligned;
use crate::kernel::product::{Cut, Segment};
use crate::kernel::simd::{Simd, Task};
use crate::kernel::terms::{Columns, ListedTerms, PackedTerms, TermLists};
use crate::loss::Objective;
use crate::real::Real;
use crate::workspace::units::{LayerShape, Patches};
use crate::workspace::{Batch, ROWS_MAX};

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
    /// How the product with the first layer's weights is cut.
    pub(super) cut: Cut,
    /// For each group of `cut.rows` rows, and each stretch of `cut.terms` inputs in it: the inputs of the stretch, counted
    /// within it, that are not zero in at least one row of the group.
    inputs_used: TermLists,
    /// The numbers there, one behind the other; empty unless each row is a group.
    values_used: Vec<F>,
    /// The same numbers input by input, for the gradient; none unless each row is a group.
    columns: Option<Columns<F>>,
}

impl<F: Real> InputBlock<F> {
    /// Without any row. Only `for_gradient` are the inputs also kept column by column.
    pub(super) fn new(n_inputs: usize, n_rows: usize, cut: Cut, for_gradient: bool) -> InputBlock<F> {
        debug_assert!(n_rows <= ROWS_MAX);
        // One cache line more than needed: rows a multiple of 2 KiB apart would compete for the same lines of the cache.
        let stride = n_inputs.next_multiple_of(F::LANES) + F::LANES;
        let stretches = (0..n_inputs).step_by(cut.terms);
        let n_lists = n_rows.div_ceil(cut.rows);
        let n_rows_alone = if cut.rows == 1 { n_rows } else { 0 };
        InputBlock {
            first_row: 0,
            n_rows: 0,
            inputs: Aligned::zeros(n_rows * stride),
            stride,
            rows_used: vec![0; n_inputs],
            cut,
            inputs_used: TermLists::new(n_lists * stretches.len(), n_lists * n_inputs),
            values_used: vec![F::zero(); n_rows_alone * n_inputs],
            columns: (for_gradient && cut.rows == 1).then(|| Columns::new(n_rows, n_inputs)),
        }
    }

    /// The first input of each stretch.
    #[inline(always)]
    pub(super) fn stretches(&self) -> impl ExactSizeIterator<Item = usize> + use<F> {
        (0..self.rows_used.len()).step_by(self.cut.terms)
    }

    /// The inputs of a stretch that are not zero in the row's group.
    #[inline(always)]
    pub(super) fn inputs_used(&self, row: usize, stretch: usize) -> &[u32] {
        self.inputs_used.positions(self.list(row, stretch))
    }

    /// The product of a group of rows with the weights of a stretch.
    #[inline(always)]
    pub(super) fn group<'a>(
        &'a self,
        first_row: usize,
        stretch: usize,
        weights: &'a [F],
    ) -> Segment<'a, F, ListedTerms<'a>> {
        let left = &self.inputs[first_row * self.stride + stretch * self.cut.terms..];
        let terms = self.inputs_used.listed(self.list(first_row, stretch));
        Segment { left, row_stride: self.stride, term_stride: 1, right: weights, terms }
    }

    /// The same where each row is a group.
    #[inline(always)]
    pub(super) fn row<'a>(&'a self, row: usize, stretch: usize, weights: &'a [F]) -> Segment<'a, F, PackedTerms<'a>> {
        let list = self.list(row, stretch);
        let left = &self.values_used[self.inputs_used.range(list)];
        Segment { left, row_stride: 0, term_stride: 1, right: weights, terms: self.inputs_used.packed(list) }
    }

    /// For some inputs, one after the other, the product of xᵀ with a panel that has a row for each row of the block.
    ///
    /// # Panics
    /// Where inputs are not kept column by column.
    #[inline(always)]
    pub(super) fn columns<'a>(
        &'a self,
        inputs: Range<usize>,
        panel: &'a [F],
    ) -> impl Iterator<Item = Segment<'a, F, PackedTerms<'a>>> {
        let Some(columns) = &self.columns else { panic!("the inputs are not kept column by column") };
        let segment = |(left, terms)| Segment { left, row_stride: 0, term_stride: 1, right: panel, terms };
        columns.of(inputs).map(segment)
    }

    #[inline(always)]
    fn list(&self, row: usize, stretch: usize) -> usize {
        row / self.cut.rows * self.stretches().len() + stretch
    }
}

/// Fetches the inputs of a block and notes where they are zero.
pub(super) struct Gather<'a, F, B> {
    pub(super) block: &'a mut InputBlock<F>,
    pub(super) batch: &'a B,
    /// Whether the inputs are kept column by column too, where the block can.
    pub(super) for_gradient: bool,
}

impl<F: Real, B: Batch<F>> Task<F> for Gather<'_, F, B> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd<F>>(self, simd: S) {
        let Gather { block, batch, for_gradient } = self;
        let InputBlock { first_row, n_rows, inputs, stride, rows_used, cut, inputs_used, values_used, columns } = block;
        rows_used.fill(0);
        for (row, inputs) in inputs.chunks_exact_mut(*stride).take(*n_rows).enumerate() {
            let inputs = &mut inputs[..rows_used.len()];
            batch.input(*first_row + row, inputs);
            for (used, &input) in rows_used.iter_mut().zip(&*inputs) {
                *used |= u32::from(input != F::zero()) << row;
            }
        }
        inputs_used.clear();
        if cut.rows > 1 {
            for first_row in (0..*n_rows).step_by(cut.rows) {
                let rows = ((1 << cut.rows) - 1) << first_row;
                for used in rows_used.chunks(cut.terms) {
                    inputs_used.push(simd, used, rows);
                }
            }
            return;
        }
        let mut columns = columns.as_mut().filter(|_| for_gradient);
        if let Some(columns) = &mut columns {
            columns.clear(rows_used);
        }
        for (row, inputs) in inputs.chunks_exact(*stride).take(*n_rows).enumerate() {
            for (stretch, used) in rows_used.chunks(cut.terms).enumerate() {
                let first_input = stretch * cut.terms;
                let range = inputs_used.push(simd, used, 1 << row);
                let (positions, values) = (inputs_used.last(), &mut values_used[range]);
                for (value, &position) in values.iter_mut().zip(positions) {
                    *value = inputs[first_input + position as usize];
                }
                if let Some(columns) = &mut columns {
                    columns.append(row, first_input, positions, values);
                }
            }
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
        // A product, and 0 for −0: for a choice between two numbers the compiler would write only where something changes,
        // by an instruction that takes ten times as long on some processors.
        let is_kept = if delta.abs() < F::NEGLIGIBLE { F::zero() } else { F::one() };
        *delta = *delta * is_kept + F::zero();
    }
}

/// Zero for what is too small to matter; NaN stays NaN.
#[inline(always)]
pub(super) fn negligible_is_zero<F: Real>(value: F) -> F {
    if value.abs() < F::NEGLIGIBLE { F::zero() } else { value }
}
