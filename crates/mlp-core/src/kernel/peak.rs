//! What the processor can do at most: multiply-adds on numbers that never leave the registers.

use std::hint::black_box;

use crate::kernel::level::Kernel;
use crate::kernel::pairs::{Pair, PairKernel, PairTask, Pairs, rounded};
use crate::kernel::simd::{Simd, Task};
use crate::real::Real;

/// Does `n_rounds` rounds of multiply-adds in registers with the instructions of `kernel`, and returns how many
/// multiply-adds that were. The time that it takes is the yardstick for how much of the processor training uses.
///
/// # Panics
/// Where the processor does not support `kernel`.
pub fn multiply_adds_in_registers<F: Real>(kernel: Kernel, n_rounds: usize) -> u64 {
    F::dispatch(kernel, Rounds(n_rounds))
}

/// The same with products of numbers in bf16, two for each sum at a time.
///
/// # Panics
/// Where the processor does not support `kernel`.
pub fn bf16_multiply_adds_in_registers(kernel: Kernel, n_rounds: usize) -> u64 {
    let mut n_done = 0;
    PairKernel::new(kernel).run(PairRounds { n_rounds, n_done: &mut n_done });
    n_done
}

struct PairRounds<'a> {
    n_rounds: usize,
    n_done: &'a mut u64,
}

impl PairTask for PairRounds<'_> {
    #[inline(always)]
    fn run<P: Pairs>(self, pairs: P) {
        let n_chains = if P::LANES == 16 {
            pair_chains::<P, 16>(pairs, self.n_rounds)
        } else {
            pair_chains::<P, 8>(pairs, self.n_rounds)
        };
        *self.n_done = (2 * n_chains * self.n_rounds * P::LANES) as u64;
    }
}

/// [`chains`] of pairs.
#[inline(always)]
fn pair_chains<P: Pairs, const N: usize>(_pairs: P, n_rounds: usize) -> usize {
    // SAFETY: `_pairs` proves the instructions; `lanes` has room for a vector.
    unsafe {
        let factor = rounded(black_box(0.5));
        let factor = P::splat(Pair::of_bits(factor, factor));
        let mut sums = [P::zeros(); N];
        for _ in 0..n_rounds {
            for sum in &mut sums {
                *sum = P::add_products(factor, factor, *sum);
            }
        }
        let mut lanes = [0.0; 16];
        for sum in sums {
            P::store_sums(sum, lanes.as_mut_ptr());
            black_box(&lanes);
        }
    }
    N
}

struct Rounds(usize);

impl<F: Real> Task<F> for Rounds {
    type Output = u64;
    #[inline(always)]
    fn run<S: Simd<F>>(self, simd: S) -> u64 {
        let n_chains =
            if S::N_REGISTERS >= 32 { chains::<F, S, 16>(simd, self.0) } else { chains::<F, S, 12>(simd, self.0) };
        (n_chains * self.0 * S::LANES) as u64
    }
}

/// Chains of multiply-adds that do not wait for each other; returns their number.
#[inline(always)]
fn chains<F: Real, S: Simd<F>, const N: usize>(_simd: S, n_rounds: usize) -> usize {
    // SAFETY: `_simd` proves the instructions; `lanes` has room for a vector.
    unsafe {
        let factor = S::splat(black_box(F::narrow(0.999)));
        let mut sums = [S::splat(black_box(F::one())); N];
        for _ in 0..n_rounds {
            for sum in &mut sums {
                *sum = S::multiply_add(*sum, factor, factor);
            }
        }
        let mut lanes = [F::zero(); 16];
        for sum in sums {
            S::store(sum, lanes.as_mut_ptr());
            black_box(&lanes);
        }
    }
    N
}
