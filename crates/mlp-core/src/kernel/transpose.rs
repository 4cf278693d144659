//! A panel transposed, square by square.

use crate::kernel::simd::{Simd, Task};
use crate::real::Real;

/// Writes the transpose of some rows of a panel: `to[column · to_stride + row] = rows[row][column]`, for every column.
///
/// # Panics
/// Where a slice is too short, or the width is not that of whole vectors.
#[inline(always)]
pub(crate) fn transpose<F: Real, S: Simd<F>>(simd: S, width: usize, rows: &[F], to: &mut [F], to_stride: usize) {
    simd.apart(Transpose { width, rows, to, to_stride });
}

/// The arguments of [`transpose`].
struct Transpose<'a, F> {
    width: usize,
    rows: &'a [F],
    to: &'a mut [F],
    to_stride: usize,
}

impl<F: Real> Task<F> for Transpose<'_, F> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd<F>>(self, _simd: S) {
        let Transpose { width, rows, to, to_stride } = self;
        let n_rows = rows.len() / width;
        assert!(width.is_multiple_of(F::LANES) && n_rows <= to_stride, "{n_rows} rows of {width} columns");
        if n_rows > 0 {
            assert!((width - 1) * to_stride + n_rows <= to.len());
        }
        let in_squares = n_rows - n_rows % F::LANES;
        for row in (0..in_squares).step_by(F::LANES) {
            for column in (0..width).step_by(F::LANES) {
                let (from, to) = (&rows[row * width + column..], &mut to[column * to_stride + row..]);
                // SAFETY: the assertions above; `_simd` proves the instructions.
                unsafe { S::transpose_square(from.as_ptr(), width, to.as_mut_ptr(), to_stride) };
            }
        }
        for (row, values) in rows.chunks_exact(width).enumerate().skip(in_squares) {
            for (column, &value) in values.iter().enumerate() {
                to[column * to_stride + row] = value;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::level::Kernel;
    use crate::kernel::simd::Lanes;

    /// Calls [`transpose`].
    struct Call<'a, F>(usize, &'a [F], &'a mut [F], usize);

    impl<F: Real> Task<F> for Call<'_, F> {
        type Output = ();
        #[inline(always)]
        fn run<S: Simd<F>>(self, simd: S) {
            let Call(width, rows, to, to_stride) = self;
            transpose(simd, width, rows, to, to_stride);
        }
    }

    fn supported() -> impl Iterator<Item = Kernel> {
        Kernel::ALL.into_iter().filter(|kernel| kernel.is_supported())
    }

    fn check<F: Real>() {
        for (kernel, n_vectors) in supported().flat_map(|kernel| [1, 2, 4].map(|n_vectors| (kernel, n_vectors))) {
            for (n_rows, to_stride) in [(0, 16), (1, 1), (8, 16), (16, 16), (35, 48), (64, 64)] {
                let width = n_vectors * F::LANES;
                let rows: Vec<F> = (1..=n_rows * width).map(|number| F::narrow(number as f64)).collect();
                let mut to = vec![F::zero(); width * to_stride];
                F::dispatch(kernel, Call(width, &rows, &mut to, to_stride));
                for (index, &value) in to.iter().enumerate() {
                    let (column, row) = (index / to_stride, index % to_stride);
                    let expected = if row < n_rows { rows[row * width + column] } else { F::zero() };
                    assert_eq!(value, expected, "{kernel}: row {row}, column {column} of {n_rows} by {width}");
                }
            }
        }
    }

    #[test]
    fn a_panel_is_transposed_on_every_level_and_nothing_beside_it_is_written() {
        check::<f32>();
        check::<f64>();
    }

    #[test]
    fn what_does_not_fit_is_not_transposed() {
        let panics = |n_rows: usize, n: usize, to_stride: usize| {
            let (rows, mut to) = (vec![1.0_f32; n_rows * 16], vec![0.0; n]);
            let call = || f32::dispatch(Kernel::Portable, Call(16, &rows, &mut to, to_stride));
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(call)).is_err()
        };
        assert!(!panics(17, 15 * 20 + 17, 20));
        assert!(panics(17, 15 * 20 + 16, 20), "no room for the last column");
        assert!(panics(17, 1_000, 16), "columns that overlap");
    }
}
