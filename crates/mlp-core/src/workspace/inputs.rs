//! What goes into the network: the inputs of some rows of a batch.

use crate::aligned::Aligned;
use crate::dropout::Mask;
use crate::kernel::pairs::PairKernel;
use crate::kernel::pairs::packing::round_all;
use crate::kernel::simd::{Simd, Task};
use crate::kernel::sparse::{Sparse, Transposed};
use crate::real::Real;
use crate::workspace::batch::Batch;

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
    /// How they are rounded to bf16, where they are.
    pair_kernel: Option<PairKernel>,
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
            pair_kernel: None,
        }
    }

    /// With inputs that are rounded to bf16.
    pub(super) fn in_pairs(mut self, kernel: PairKernel) -> InputPart<F> {
        self.sparse = self.sparse.in_pairs(kernel);
        self.pair_kernel = Some(kernel);
        self
    }
}

/// The inputs of a batch, as far as it reaches.
pub(super) struct Inputs<'a, F> {
    pub(super) parts: &'a [InputPart<F>],
    pub(super) parts_per_block: usize,
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
        self.parts.chunks(self.parts_per_block).map(|parts| {
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
    /// What is left out of the inputs.
    pub(super) mask: Option<Mask<F>>,
}

impl<F: Real, B: Batch<F>> Task<F> for Gather<'_, F, B> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd<F>>(self, simd: S) {
        let Gather { part, batch, for_gradient, mask } = self;
        let n_inputs = part.sparse.n_columns();
        part.sparse.clear();
        for row in 0..part.n_rows {
            let first = if part.keep == Keep::AllRows { row * part.stride } else { 0 };
            let inputs = &mut part.inputs[first..][..n_inputs];
            batch.input(part.first_row + row, inputs);
            if let Some(mask) = mask {
                mask.apply(part.first_row + row, 0, inputs);
            }
            if let Some(kernel) = part.pair_kernel {
                round_all(kernel, F::singles_mut(inputs));
            }
            part.sparse.push_row(simd, inputs, for_gradient);
        }
    }
}
