//! A bound for the norm of each unit's weights, kept after a step.
//!
//! The squares are summed while the weights that a step has moved are in the cache. Where a unit's are too long, all weights
//! of the tile are gone through once more; their transpose is renewed in the same go, and not before.

use crate::kernel::panel::PANEL_WIDTH_MAX;
use crate::kernel::simd::{Simd, Task};
use crate::real::Real;
use crate::workspace::negligible::flush_all_negligible;
use crate::workspace::patch::Received;
use crate::workspace::tile::Tile;
use crate::workspace::update::STRIP;

/// Adds the squares in some rows of a panel to the sums of their columns, row after row.
pub(super) struct AddSquares<'a, F> {
    pub(super) rows: &'a [F],
    /// One for each column.
    pub(super) sums: &'a mut [F],
}

impl<F: Real> Task<F> for AddSquares<'_, F> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd<F>>(self, _: S) {
        /// Columns whose sums stay in registers; the width is a multiple of it.
        const COLUMNS: usize = 8;
        let AddSquares { rows, sums } = self;
        let width = sums.len();
        for (index, sums) in sums.as_chunks_mut::<COLUMNS>().0.iter_mut().enumerate() {
            let mut squares = *sums;
            for row in rows.chunks_exact(width) {
                for (square, &weight) in squares.iter_mut().zip(&row.as_chunks::<COLUMNS>().0[index]) {
                    *square += weight * weight;
                }
            }
            *sums = squares;
        }
    }
}

/// Shortens the weights of units whose norm is above the bound, from the sums of their squares, which become 0; and renews
/// the transpose of all.
pub(super) struct LimitNorms<'a, F> {
    pub(super) tile: &'a mut Tile<F>,
    pub(super) received: Received<'a, F>,
    pub(super) max_norm: F,
}

impl<F: Real> Task<F> for LimitNorms<'_, F> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd<F>>(self, simd: S) {
        let LimitNorms { tile, received, max_norm } = self;
        let width = tile.width;
        let mut factors = [F::one(); PANEL_WIDTH_MAX];
        let factors = &mut factors[..width];
        let mut is_any_longer = false;
        for (factor, square) in factors.iter_mut().zip(tile.squared_norms.iter_mut()) {
            // Of squares that overflow there is no norm.
            tile.is_broken |= square.is_not_finite();
            let norm = square.sqrt();
            if norm > max_norm {
                *factor = max_norm / norm;
                is_any_longer = true;
            }
            *square = F::zero();
        }
        match received {
            Received::Inputs(inputs) => {
                if is_any_longer {
                    scale(&mut tile.weights, factors);
                }
                tile.pack_weights(0..inputs.parts[0].sparse.n_columns(), None);
            }
            Received::Outputs(before) => {
                let n_rows = STRIP / width;
                for patch in before.in_block(0) {
                    for first_unit in (0..patch.n_units).step_by(n_rows) {
                        let units = first_unit..patch.n_units.min(first_unit + n_rows);
                        if is_any_longer {
                            let rows = patch.first_unit + units.start..patch.first_unit + units.end;
                            scale(&mut tile.weights[rows.start * width..rows.end * width], factors);
                        }
                        tile.transpose(simd, patch, units);
                    }
                }
            }
        }
    }
}

/// Multiplies each row of a panel by a factor for each column.
#[inline(always)]
fn scale<F: Real>(rows: &mut [F], factors: &[F]) {
    for row in rows.chunks_exact_mut(factors.len()) {
        row.iter_mut().zip(factors).for_each(|(weight, &factor)| *weight *= factor);
        flush_all_negligible(row);
    }
}
