//! Seconds that libraries take for the matrix products of an epoch of MNIST through the paper's network: eight forward, seven
//! back and eight gradients for each batch, without sigmoids, gathering and update.
//!
//! `cargo run --release --manifest-path xtask/peers/products/Cargo.toml`

use std::time::Instant;

use gemm::Parallelism;
use ndarray::linalg::general_mat_mul;
use ndarray::{Array2, ArrayView2};

const SIZES: [usize; 9] = [784, 512, 256, 128, 64, 32, 16, 8, 6];
const N_SAMPLES: usize = 60_000;
/// The best of so many.
const N_RUNS: usize = 10;

type Product = fn(ArrayView2<'_, f32>, ArrayView2<'_, f32>, &mut Array2<f32>);

fn main() {
    let libraries: [(&str, Product); 3] = [
        ("ndarray, one thread", |left, right, product| general_mat_mul(1.0, &left, &right, 0.0, product)),
        ("gemm, one thread", |left, right, product| gemm(left, right, product, Parallelism::None)),
        ("gemm, two threads", |left, right, product| gemm(left, right, product, Parallelism::Rayon(2))),
    ];
    for batch in [32, 128, 512] {
        for (name, product) in libraries {
            println!("batch {batch}, {name}: {:.2} s", seconds(batch, product));
        }
    }
}

fn seconds(batch: usize, product: Product) -> f64 {
    let matrix = |rows, columns| Array2::from_shape_fn((rows, columns), |(i, j)| ((i * 31 + j * 7) % 97) as f32 / 97.0);
    let activations = SIZES.map(|size| matrix(batch, size));
    let mut found = activations.clone();
    let weights: Vec<_> = SIZES.windows(2).map(|sizes| matrix(sizes[0], sizes[1])).collect();
    let mut gradients = weights.clone();
    let n_batches = (20_000 / batch).max(20);
    let mut best = f64::INFINITY;
    for _ in 0..N_RUNS {
        let begin = Instant::now();
        for _ in 0..n_batches {
            for (layer, weights) in weights.iter().enumerate() {
                product(activations[layer].view(), weights.view(), &mut found[layer + 1]);
            }
            for (layer, weights) in weights.iter().enumerate().skip(1).rev() {
                product(activations[layer + 1].view(), weights.t(), &mut found[layer]);
            }
            for (layer, gradient) in gradients.iter_mut().enumerate() {
                product(activations[layer].t(), activations[layer + 1].view(), gradient);
            }
        }
        best = best.min(begin.elapsed().as_secs_f64() / (n_batches * batch) as f64);
    }
    best * N_SAMPLES as f64
}

fn gemm(left: ArrayView2<'_, f32>, right: ArrayView2<'_, f32>, product: &mut Array2<f32>, threads: Parallelism) {
    let ((n_rows, n_terms), n_columns) = (left.dim(), right.ncols());
    assert_eq!((n_terms, product.dim()), (right.nrows(), (n_rows, n_columns)));
    let strides = |view: &[isize]| (view[1], view[0]);
    let (to, a, b) = (strides(product.strides()), strides(left.strides()), strides(right.strides()));
    let pointer = product.as_mut_ptr();
    // SAFETY: the shapes fit, and strides and pointers are those of the arrays.
    unsafe {
        gemm::gemm(
            n_rows,
            n_columns,
            n_terms,
            pointer,
            to.0,
            to.1,
            false,
            left.as_ptr(),
            a.0,
            a.1,
            right.as_ptr(),
            b.0,
            b.1,
            0.0,
            1.0,
            false,
            false,
            false,
            threads,
        );
    }
}
