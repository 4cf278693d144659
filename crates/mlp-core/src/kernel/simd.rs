//! One interface to the vector instructions: a register at a time, on every level.
//!
//! Code is written once, generic over [`Simd`], inlined into a function that is compiled for the level's instructions
//! ([`Simd::apart`]), and so becomes machine code for that level. Loops over slices inside a [`Task`] are vectorised by the
//! compiler for the same instructions.

#[cfg(any(test, not(target_arch = "x86_64")))]
mod arrays;
#[cfg(target_arch = "x86_64")]
mod x86;

use ndarray::NdFloat;

use crate::kernel::level::Kernel;

/// A number type that the levels have registers for: `f32` and `f64`. It is what [`Real`](crate::Real) is built on, and
/// cannot be named outside this crate.
pub trait Lanes: NdFloat {
    /// Numbers in 64 bytes.
    const LANES: usize;

    /// Runs `task` compiled for the instructions of `kernel`.
    fn dispatch<T: Task<Self>>(kernel: Kernel, task: T) -> T::Output;

    /// The same numbers, which are single precision: the type whose products can be those of rounded pairs.
    ///
    /// # Panics
    /// Where they are not.
    fn singles(values: &[Self]) -> &[f32];

    /// As [`Lanes::singles`].
    ///
    /// # Panics
    /// As that.
    fn singles_mut(values: &mut [Self]) -> &mut [f32];
}

/// What only a workspace in single precision asks for.
const NOT_SINGLE: &str = "products in bf16 are for numbers in f32";

impl Lanes for f32 {
    const LANES: usize = 16;

    #[inline]
    fn dispatch<T: Task<f32>>(kernel: Kernel, task: T) -> T::Output {
        run::<f32, T>(kernel, task)
    }
    #[inline(always)]
    fn singles(values: &[f32]) -> &[f32] {
        values
    }
    #[inline(always)]
    fn singles_mut(values: &mut [f32]) -> &mut [f32] {
        values
    }
}

impl Lanes for f64 {
    const LANES: usize = 8;

    #[inline]
    fn dispatch<T: Task<f64>>(kernel: Kernel, task: T) -> T::Output {
        run::<f64, T>(kernel, task)
    }
    fn singles(_: &[f64]) -> &[f32] {
        panic!("{NOT_SINGLE}")
    }
    fn singles_mut(_: &mut [f64]) -> &mut [f32] {
        panic!("{NOT_SINGLE}")
    }
}

/// Registers of `F` on one level.
///
/// A value of an implementing type proves that the processor has the level's instructions: [`run`] makes one after it
/// has looked, and nothing else can. Functions that use the vectors ask for that value.
pub trait Simd<F>: Copy {
    /// What a register holds.
    type Vector: Copy;
    /// The numbers in it: those of 64 bytes, or a half or a quarter as many.
    const LANES: usize;
    /// The registers that there are.
    const N_REGISTERS: usize;
    /// Whether `multiply_add` rounds once.
    const FUSED: bool;

    /// # Safety
    /// The processor has the level's instructions, and `LANES` numbers behind `from` are readable.
    unsafe fn load(from: *const F) -> Self::Vector;
    /// # Safety
    /// The processor has the level's instructions, and `LANES` numbers behind `to` are writable.
    unsafe fn store(vector: Self::Vector, to: *mut F);
    /// # Safety
    /// The processor has the level's instructions.
    unsafe fn splat(value: F) -> Self::Vector;
    /// a + b
    /// # Safety
    /// As [`Simd::splat`].
    unsafe fn add(a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// a · b + c
    /// # Safety
    /// As [`Simd::splat`].
    unsafe fn multiply_add(a: Self::Vector, b: Self::Vector, c: Self::Vector) -> Self::Vector;

    /// The sums of the lanes of four vectors. The upper half of the lanes is added to the lower, then the upper half of
    /// what remains, until one is left: the same order on every level.
    /// # Safety
    /// As [`Simd::splat`].
    #[inline(always)]
    unsafe fn sums_of_lanes(vectors: [Self::Vector; 4]) -> [F; 4]
    where
        F: Lanes,
    {
        // Loops, not closures: an instruction in a closure would become a call.
        let mut sums = [F::zero(); 4];
        for (sum, vector) in sums.iter_mut().zip(vectors) {
            let mut lanes = [F::zero(); 16];
            // SAFETY: a vector has at most 16 lanes.
            unsafe { Self::store(vector, lanes.as_mut_ptr()) };
            let mut n = Self::LANES;
            while n > 1 {
                n /= 2;
                for lane in 0..n {
                    lanes[lane] += lanes[lane + n];
                }
            }
            *sum = lanes[0];
        }
        sums
    }

    /// Writes the sums of the lanes of sixteen vectors, each in the order of [`Simd::sums_of_lanes`].
    /// # Safety
    /// As [`Simd::splat`], and 16 numbers behind `to` are writable.
    #[inline(always)]
    unsafe fn store_sums_of_lanes(vectors: [Self::Vector; 16], to: *mut F)
    where
        F: Lanes,
    {
        for first in (0..16).step_by(4) {
            let four = [vectors[first], vectors[first + 1], vectors[first + 2], vectors[first + 3]];
            // SAFETY: the caller's promises.
            unsafe { to.add(first).cast::<[F; 4]>().write(Self::sums_of_lanes(four)) };
        }
    }

    /// Writes the transpose of a square matrix with as many rows as there are numbers in 64 bytes. Rows begin `from_stride`
    /// and `to_stride` numbers apart.
    /// # Safety
    /// As [`Simd::splat`]; every row is readable, and writable where it goes to.
    #[inline(always)]
    unsafe fn transpose_square(from: *const F, from_stride: usize, to: *mut F, to_stride: usize)
    where
        F: Lanes,
    {
        for row in 0..F::LANES {
            for column in 0..F::LANES {
                // SAFETY: the caller's promises.
                unsafe { *to.add(row * to_stride + column) = *from.add(column * from_stride + row) };
            }
        }
    }

    /// Writes the pairs of neighbouring numbers that are not both zero, and their places, in ascending order, and returns how
    /// many there are. Beside the last of an odd number stands a 0. What lies behind the pairs is overwritten.
    ///
    /// # Safety
    /// As [`Simd::splat`], and `places` and `pairs` are as long as there are pairs.
    #[inline(always)]
    unsafe fn compress_pairs(numbers: &[F], places: &mut [u32], pairs: &mut [[F; 2]]) -> usize
    where
        F: Lanes,
    {
        compress_pairs_from(0, numbers, places, pairs, 0)
    }

    /// Runs a task in a function of its own, which is compiled once, whoever calls it. What is worth a call is not inlined
    /// into everything: so the crates that train are compiled in half the time.
    fn apart<T: Task<F>>(self, task: T) -> T::Output;
}

/// [`Simd::compress_pairs`] from the pair `first` on, behind the `len` that are there; returns how many are there then.
#[inline(always)]
fn compress_pairs_from<F: Lanes>(
    first: usize,
    numbers: &[F],
    places: &mut [u32],
    pairs: &mut [[F; 2]],
    mut len: usize,
) -> usize {
    let (whole, last) = numbers.as_chunks::<2>();
    // Every pair is written, and counted or overwritten by the next: no branch to guess wrongly.
    for (place, &pair) in whole.iter().enumerate().skip(first) {
        places[len] = place as u32;
        pairs[len] = pair;
        len += usize::from((pair[0] != F::zero()) | (pair[1] != F::zero()));
    }
    for &number in last {
        places[len] = whole.len() as u32;
        pairs[len] = [number, F::zero()];
        len += usize::from(number != F::zero());
    }
    len
}

/// Work that is compiled for each level. `run` is to be marked `#[inline(always)]`.
pub trait Task<F> {
    /// What the work returns.
    type Output;
    /// Does the work with the instructions of `S`.
    fn run<S: Simd<F>>(self, simd: S) -> Self::Output;
}

/// Finds out whether numbers are finite: x · 0 is 0 for those, and NaN for others.
pub(crate) struct FiniteCheck<F, S: Simd<F>> {
    simd: S,
    sums: [S::Vector; 4],
}

impl<F: Lanes, S: Simd<F>> FiniteCheck<F, S> {
    #[inline(always)]
    pub(crate) fn new(simd: S) -> FiniteCheck<F, S> {
        // SAFETY: `simd` proves the instructions.
        FiniteCheck { simd, sums: [unsafe { S::splat(F::zero()) }; 4] }
    }

    /// Adds whole vectors to what is checked.
    #[inline(always)]
    pub(crate) fn add(&mut self, values: &[F]) {
        let fours = values.chunks_exact(4 * S::LANES);
        for values in fours.remainder().chunks_exact(S::LANES) {
            // SAFETY: as above, and the chunk is as long as a vector.
            unsafe { self.sums[0] = S::multiply_add(S::load(values.as_ptr()), S::splat(F::zero()), self.sums[0]) };
        }
        for values in fours {
            for (index, sum) in self.sums.iter_mut().enumerate() {
                // SAFETY: as above, and the chunk is as long as four vectors.
                unsafe {
                    let values = S::load(values.as_ptr().add(index * S::LANES));
                    *sum = S::multiply_add(values, S::splat(F::zero()), *sum);
                }
            }
        }
    }

    /// The instructions that it checks with.
    #[inline(always)]
    pub(crate) fn simd(&self) -> S {
        self.simd
    }

    #[inline(always)]
    pub(crate) fn is_true(&self) -> bool {
        // SAFETY: as above.
        let sums = unsafe { S::sums_of_lanes(self.sums) };
        sums.iter().all(|sum| sum.is_finite())
    }
}

/// The level for processors with AVX-512.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy)]
pub(crate) struct Avx512(());
/// The level for processors with AVX2 and FMA.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy)]
pub(crate) struct Avx2(());
/// The level for all others.
#[derive(Clone, Copy)]
pub(crate) struct Portable(());

/// Runs a task with the instructions of `kernel`.
///
/// # Panics
/// Where the processor does not have them.
#[cfg(not(target_arch = "x86_64"))]
#[inline]
fn run<F, T: Task<F>>(kernel: Kernel, task: T) -> T::Output
where
    Portable: Simd<F>,
{
    assert!(kernel.is_supported(), "this processor has no {kernel} instructions");
    Portable(()).apart(task)
}

/// Runs a task with the instructions of `kernel`.
///
/// # Panics
/// Where the processor does not have them.
#[cfg(target_arch = "x86_64")]
#[inline]
fn run<F, T: Task<F>>(kernel: Kernel, task: T) -> T::Output
where
    Avx512: Simd<F>,
    Avx2: Simd<F>,
    Portable: Simd<F>,
{
    assert!(kernel.is_supported(), "this processor has no {kernel} instructions");
    match kernel {
        Kernel::Avx512 => Avx512(()).apart(task),
        Kernel::Avx2 => Avx2(()).apart(task),
        Kernel::Portable | Kernel::Reference => Portable(()).apart(task),
    }
}
