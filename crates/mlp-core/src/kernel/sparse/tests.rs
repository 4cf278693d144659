//! Products of what is not zero, against chains written out.

use super::*;
use crate::kernel::level::Kernel;
use crate::kernel::simd::Lanes;

/// Rows of `n_columns` of which two numbers in three are zero, others for each seed.
fn rows<F: Real>(n_rows: usize, n_columns: usize, seed: usize) -> Vec<Vec<F>> {
    let number = |at: usize| (at + seed * 7_919).wrapping_pow(2).wrapping_mul(0x9e37_79b9) >> 7;
    let value = |at: usize| if number(at).is_multiple_of(3) { F::narrow(1.0 + at as f64 / 8.0) } else { F::zero() };
    (0..n_rows).map(|row| (0..n_columns).map(|column| value(row * n_columns + column)).collect()).collect()
}

struct Fill<'a, F>(&'a mut Sparse<F>, &'a [Vec<F>]);

impl<F: Real> Task<F> for Fill<'_, F> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd<F>>(self, simd: S) {
        self.0.clear();
        for row in self.1 {
            self.0.push_row(simd, row, true);
        }
    }
}

/// The product of the rows with a panel, and that of the columns with another.
struct Products<'a, F>(&'a Sparse<F>, usize, [&'a [F]; 2], [&'a mut [F]; 2]);

impl<F: Real> Task<F> for Products<'_, F> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd<F>>(self, simd: S) {
        let Products(sparse, width, [panel, deltas], [row_products, column_products]) = self;
        let start = vec![F::one(); width];
        sparse.rows_times(simd, &start, panel, width, row_products);
        let together = sparse.columns_together(6);
        for first in (0..sparse.n_columns).step_by(together) {
            let columns = first..sparse.n_columns.min(first + together);
            sparse.add_columns_times(simd, columns, deltas, width, &mut column_products[first * width..]);
        }
    }
}

fn supported() -> impl Iterator<Item = Kernel> {
    Kernel::ALL.into_iter().filter(|kernel| kernel.is_supported())
}

/// a · b + c as the level rounds it.
struct MultiplyAdd<F>(F, F, F);

impl<F: Real> Task<F> for MultiplyAdd<F> {
    type Output = F;
    #[inline(always)]
    fn run<S: Simd<F>>(self, _simd: S) -> F {
        let MultiplyAdd(a, b, c) = self;
        if S::FUSED { a.mul_add(b, c) } else { a * b + c }
    }
}

/// Every element is one chain of multiply-adds over ascending terms, to the bit, on every level.
fn check<F: Real>() {
    let number = |at: usize| F::narrow(libm::sin(at as f64 + 0.5));
    for (kernel, n_columns) in supported().flat_map(|kernel| [1, 7, 16, 33, 500].map(|n| (kernel, n))) {
        let chain = |start: F, terms: &mut dyn Iterator<Item = (F, F)>| {
            terms
                .filter(|(a, _)| *a != F::zero())
                .fold(start, |sum, (a, b)| F::dispatch(kernel, MultiplyAdd(a, b, sum)))
        };
        for n_vectors in [1, 2, 4] {
            for transposed in [Transposed::FromColumns, Transposed::FromRows] {
                let width = n_vectors * F::LANES;
                let mut sparse = Sparse::<F>::new(6, n_columns, width, transposed);
                // The second time, something else has been there.
                for (seed, n_rows) in [(1, 6), (2, 5)] {
                    let rows = rows::<F>(n_rows, n_columns, seed);
                    F::dispatch(kernel, Fill(&mut sparse, &rows));
                    for (index, row) in rows.iter().enumerate() {
                        let expected = row.iter().copied().enumerate().filter(|(_, value)| *value != F::zero());
                        assert!(sparse.row(index).eq(expected), "{kernel}, {n_columns} columns");
                    }
                    for column in 0..n_columns {
                        let is_used = rows.iter().any(|row| row[column] != F::zero());
                        assert_eq!(sparse.has_any(column..column + 1), is_used, "{kernel}, {n_columns} columns");
                    }
                    let n_even = n_columns.next_multiple_of(2);
                    let panel: Vec<F> = (0..n_even * width).map(number).collect();
                    let deltas: Vec<F> = (0..n_rows * width).map(|at| number(at + 1_000_000)).collect();
                    let (mut row_products, mut column_products) =
                        (vec![F::zero(); n_rows * width], vec![F::one(); n_even * width]);
                    let products =
                        Products(&sparse, width, [&panel, &deltas], [&mut row_products, &mut column_products]);
                    F::dispatch(kernel, products);
                    for unit in (0..width).step_by(3) {
                        for (row, values) in rows.iter().enumerate() {
                            let weights = panel.iter().skip(unit).step_by(width);
                            let expected = chain(F::one(), &mut values.iter().copied().zip(weights.copied()));
                            assert_eq!(row_products[row * width + unit], expected, "{kernel}");
                        }
                        for input in 0..n_columns {
                            let deltas = deltas.iter().skip(unit).step_by(width);
                            let terms = &mut rows.iter().map(|row| row[input]).zip(deltas.copied());
                            assert_eq!(column_products[input * width + unit], chain(F::one(), terms), "{kernel}");
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn products_without_zeros_are_chains_of_the_other_terms_on_every_level() {
    check::<f32>();
    check::<f64>();
}

#[test]
fn zeros_of_both_signs_are_left_out_and_nothing_else_is() {
    for kernel in supported() {
        let mut row = vec![0.0; 37];
        row[1] = -0.0;
        for (column, number) in [(3, f32::NAN), (8, f32::MIN_POSITIVE / 4.0), (20, f32::NEG_INFINITY), (36, -1e-45)] {
            row[column] = number;
        }
        let mut sparse = Sparse::new(1, 37, 16, Transposed::FromColumns);
        f32::dispatch(kernel, Fill(&mut sparse, &[row]));
        let columns: Vec<_> = sparse.row(0).map(|(column, _)| column).collect();
        assert_eq!(columns, [3, 8, 20, 36], "{kernel}");
    }
}

/// The product of some columns of `sparse` with the panel.
struct Add<'a>(&'a Sparse<f32>, Range<usize>, &'a [f32], usize, &'a mut [f32]);

impl Task<f32> for Add<'_> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd<f32>>(self, simd: S) {
        self.0.add_columns_times(simd, self.1, self.2, self.3, self.4);
    }
}

/// The product of the rows of `sparse` with a panel of 16 columns.
struct Rows<'a>(&'a Sparse<f32>, &'a [f32], &'a mut [f32]);

impl Task<f32> for Rows<'_> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd<f32>>(self, simd: S) {
        self.0.rows_times(simd, &[0.0; 16], self.1, 16, self.2);
    }
}

fn panics(work: impl FnOnce()) -> bool {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).is_err()
}

#[test]
fn what_does_not_fit_is_refused() {
    let filled = |transposed| {
        let mut sparse = Sparse::new(2, 1_000, 16, transposed);
        f32::dispatch(Kernel::Portable, Fill(&mut sparse, &rows(2, 1_000, 0)));
        sparse
    };
    let [by_columns, by_rows] = [Transposed::FromColumns, Transposed::FromRows].map(filled);
    let add = |sparse: &Sparse<f32>, columns: Range<usize>, n_panel: usize, width: usize, n_sums: usize| {
        let (panel, mut sums) = (vec![1.0; n_panel], vec![0.0; n_sums]);
        panics(|| f32::dispatch(Kernel::Portable, Add(sparse, columns, &panel, width, &mut sums)))
    };
    assert!(!add(&by_columns, 0..4, 32, 16, 64));
    assert!(add(&by_columns, 0..4, 32, 16, 63), "fewer sums than columns");
    assert!(add(&by_columns, 0..3, 32, 16, 63), "no room for the neighbour");
    assert!(add(&by_columns, 0..4, 31, 16, 64), "fewer deltas than rows");
    assert!(add(&by_columns, 1..4, 32, 16, 64), "half a pair");
    assert!(add(&by_columns, 998..1_002, 32, 16, 64), "more columns than there are");
    assert!(add(&by_columns, 0..4, 200, 48, 200), "no width of a panel");
    assert!(!add(&by_rows, 0..448, 32, 16, 448 * 16));
    assert!(add(&by_rows, 0..4, 32, 16, 64), "a part of a stretch");
    #[expect(clippy::reversed_empty_ranges, reason = "what nobody should pass")]
    let behind = 1_344..1_000;
    assert!(add(&by_rows, behind, 32, 16, 64), "a stretch behind the last");
    let rows = |n_panel: usize, n_sums: usize| {
        let (panel, mut sums) = (vec![1.0; n_panel], vec![0.0; n_sums]);
        panics(|| f32::dispatch(Kernel::Portable, Rows(&by_columns, &panel, &mut sums)))
    };
    assert!(!rows(16_000, 32));
    assert!(rows(15_999, 32), "fewer weights than columns");
    assert!(rows(16_000, 31), "fewer sums than rows");
}

#[test]
#[should_panic(expected = "a row behind 1 of 1")]
fn a_row_without_room_is_refused() {
    let mut sparse = Sparse::<f32>::new(1, 1, 16, Transposed::FromColumns);
    f32::dispatch(Kernel::Portable, Fill(&mut sparse, &[vec![1.0], vec![1.0]]));
}

#[test]
#[should_panic(expected = "numbers in a row, and columns")]
fn a_row_of_another_length_is_refused() {
    let mut sparse = Sparse::<f32>::new(1, 2, 16, Transposed::FromRows);
    f32::dispatch(Kernel::Portable, Fill(&mut sparse, &[vec![1.0]]));
}
