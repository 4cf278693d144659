//! Both ends of the network for some rows of a batch: what goes in, and what comes out.

use std::ops::Range;

use crate::aligned::Aligned;
use crate::kernel::product::{Cut, PackedTerms, Segment, TermLists};
use crate::kernel::simd::{Simd, Task};
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
    /// For the first rows that go through the first layer together, and every stretch of inputs: those of the stretch that
    /// are not zero in at least one of the rows, counted within it; then for the next rows.
    inputs_used: TermLists,
    /// Where each row goes by itself: the numbers at `inputs_used`, one behind the other.
    values_used: Vec<F>,
    /// Where each row goes by itself.
    columns: Columns<F>,
}

/// What is not zero in the inputs of a block, input by input: the matrix in compressed columns.
#[derive(Debug)]
pub(super) struct Columns<F> {
    /// Where the rows of each input end.
    ends: Vec<u32>,
    /// The rows in which the first input is not zero, then those of the next input.
    rows: Vec<u32>,
    /// The numbers there.
    values: Vec<F>,
}

impl<F: Real> Columns<F> {
    fn new(n_inputs: usize, n_rows: usize) -> Columns<F> {
        let n_values = n_inputs * n_rows;
        Columns { ends: vec![0; n_inputs], rows: vec![0; n_values], values: vec![F::zero(); n_values] }
    }

    /// Makes room in every column: for an input, `rows_used` has a bit for each of its rows.
    #[inline(always)]
    fn begin(&mut self, rows_used: &[u32]) {
        let mut first = 0;
        for (end, rows) in self.ends.iter_mut().zip(rows_used) {
            *end = first;
            first += rows.count_ones();
        }
    }

    /// Appends to their columns some numbers of a row: those of the inputs at these places behind `first_input`.
    #[inline(always)]
    fn append(&mut self, row: usize, first_input: usize, inputs: &[u32], values: &[F]) {
        let ends = &mut self.ends[first_input..];
        for (&input, &value) in inputs.iter().zip(values) {
            let end = &mut ends[input as usize];
            self.rows[*end as usize] = row as u32;
            self.values[*end as usize] = value;
            *end += 1;
        }
    }

    /// For some inputs, one after the other, xᵀ times a panel with a row for each row of the block.
    #[inline(always)]
    pub(super) fn segments<'a>(
        &'a self,
        inputs: Range<usize>,
        right: &'a [F],
    ) -> impl Iterator<Item = Segment<'a, F, PackedTerms<'a>>> {
        let mut first = inputs.start.checked_sub(1).map_or(0, |before| self.ends[before] as usize);
        self.ends[inputs].iter().map(move |&end| {
            let range = first..end as usize;
            first = range.end;
            let terms = PackedTerms(&self.rows[range.clone()]);
            Segment { left: &self.values[range], row_stride: 0, term_stride: 1, right, terms }
        })
    }
}

impl<F: Real> InputBlock<F> {
    pub(super) fn new(n_inputs: usize, n_rows: usize, cut: Cut) -> InputBlock<F> {
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
            columns: Columns::new(if n_rows_alone > 0 { n_inputs } else { 0 }, n_rows_alone),
        }
    }

    /// The first input of each stretch.
    #[inline(always)]
    pub(super) fn stretches(&self) -> impl ExactSizeIterator<Item = usize> + use<F> {
        (0..self.rows_used.len()).step_by(self.cut.terms)
    }

    /// The inputs of a stretch that are not zero in the row, or in those that go through the first layer with it.
    #[inline(always)]
    pub(super) fn inputs_used(&self, row: usize, stretch: usize) -> &[u32] {
        self.inputs_used.list(self.list(row, stretch))
    }

    /// The row's numbers at [`InputBlock::inputs_used`], where each row goes by itself.
    #[inline(always)]
    pub(super) fn values_used(&self, row: usize, stretch: usize) -> &[F] {
        &self.values_used[self.inputs_used.range(self.list(row, stretch))]
    }

    /// What is not zero input by input, where each row goes by itself.
    #[inline(always)]
    pub(super) fn columns(&self) -> &Columns<F> {
        debug_assert_eq!(self.cut.rows, 1);
        &self.columns
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
}

impl<F: Real, B: Batch<F>> Task<F> for Gather<'_, F, B> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd<F>>(self, simd: S) {
        let InputBlock { first_row, n_rows, inputs, stride, rows_used, cut, inputs_used, values_used, columns } =
            self.block;
        rows_used.fill(0);
        for (row, inputs) in inputs.chunks_exact_mut(*stride).take(*n_rows).enumerate() {
            let inputs = &mut inputs[..rows_used.len()];
            self.batch.input(*first_row + row, inputs);
            for (used, &input) in rows_used.iter_mut().zip(&*inputs) {
                *used |= u32::from(input != F::zero()) << row;
            }
        }
        inputs_used.clear();
        if cut.rows > 1 {
            for first_row in (0..*n_rows).step_by(cut.rows) {
                let rows = ((1 << cut.rows) - 1) << first_row;
                rows_used.chunks(cut.terms).for_each(|used| inputs_used.push(simd, used, rows));
            }
            return;
        }
        columns.begin(rows_used);
        for (row, inputs) in inputs.chunks_exact(*stride).take(*n_rows).enumerate() {
            for (stretch, used) in rows_used.chunks(cut.terms).enumerate() {
                inputs_used.push(simd, used, 1 << row);
                let list = row * rows_used.len().div_ceil(cut.terms) + stretch;
                let (positions, values) = (inputs_used.list(list), &mut values_used[inputs_used.range(list)]);
                let first_input = stretch * cut.terms;
                for (value, &position) in values.iter_mut().zip(positions) {
                    *value = inputs[first_input + position as usize];
                }
                columns.append(row, first_input, positions, values);
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
