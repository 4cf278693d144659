//! One interface to the vector instructions: 64 bytes at a time, on every level.
//!
//! Code is written once, generic over [`Simd`], inlined into a function that is compiled for the level's instructions
//! ([`run`]), and so becomes machine code for that level. Loops over slices inside a [`Task`] are vectorised by the
//! compiler for the same instructions.

use super::Kernel;
use crate::real::Real;

/// Vectors of 64 bytes of `F` on one level.
///
/// A value of an implementing type proves that the processor has the level's instructions: [`run`] makes one after it
/// has looked, and nothing else can. Functions that use the vectors ask for that value.
pub trait Simd<F>: Copy {
    /// 16 numbers in `f32`, 8 in `f64`.
    type Vector: Copy;
    /// Whether `multiply_add` rounds once.
    const FUSED: bool;
    /// Whether there are registers for 8 rows of two vectors; otherwise products are cut smaller.
    const MANY_REGISTERS: bool;

    /// # Safety
    /// The processor has the level's instructions, and 64 bytes behind `from` are readable.
    unsafe fn load(from: *const F) -> Self::Vector;
    /// # Safety
    /// The processor has the level's instructions, and 64 bytes behind `to` are writable.
    unsafe fn store(vector: Self::Vector, to: *mut F);
    /// # Safety
    /// The processor has the level's instructions.
    unsafe fn splat(value: F) -> Self::Vector;
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
        F: Real,
    {
        // Loops, not closures: an instruction in a closure would become a call.
        let mut sums = [F::zero(); 4];
        for (sum, vector) in sums.iter_mut().zip(vectors) {
            let mut lanes = [F::zero(); 16];
            // SAFETY: a vector has at most 16 lanes.
            unsafe { Self::store(vector, lanes.as_mut_ptr()) };
            let mut n = F::LANES;
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
        F: Real,
    {
        for first in (0..16).step_by(4) {
            let four = [vectors[first], vectors[first + 1], vectors[first + 2], vectors[first + 3]];
            // SAFETY: the caller's promises.
            unsafe { to.add(first).cast::<[F; 4]>().write(Self::sums_of_lanes(four)) };
        }
    }

    /// Writes the positions of the numbers that have one of `bits` set, in ascending order, and returns how many there are.
    /// What lies behind them is overwritten.
    ///
    /// # Safety
    /// As [`Simd::splat`], and `to` is as long as `numbers`.
    #[inline(always)]
    unsafe fn store_positions(numbers: &[u32], bits: u32, to: &mut [u32]) -> usize {
        positions(numbers, 0, bits, to, 0)
    }
}

/// Appends the positions from `first` on, as [`Simd::store_positions`], to a list of `len`; returns its new length.
#[inline(always)]
fn positions(numbers: &[u32], first: usize, bits: u32, to: &mut [u32], mut len: usize) -> usize {
    // Every position is written, and counted or overwritten by the next: no branch to guess wrongly.
    for (position, number) in numbers.iter().enumerate().skip(first) {
        to[len] = position as u32;
        len += usize::from(number & bits != 0);
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
    _simd: S,
    sums: [S::Vector; 4],
}

impl<F: Real, S: Simd<F>> FiniteCheck<F, S> {
    #[inline(always)]
    pub(crate) fn new(simd: S) -> FiniteCheck<F, S> {
        // SAFETY: `simd` proves the instructions.
        FiniteCheck { _simd: simd, sums: [unsafe { S::splat(F::zero()) }; 4] }
    }

    /// Adds whole vectors to what is checked.
    #[inline(always)]
    pub(crate) fn add(&mut self, values: &[F]) {
        let fours = values.chunks_exact(4 * F::LANES);
        for values in fours.remainder().chunks_exact(F::LANES) {
            // SAFETY: as above, and the chunk is as long as a vector.
            unsafe { self.sums[0] = S::multiply_add(S::load(values.as_ptr()), S::splat(F::zero()), self.sums[0]) };
        }
        for values in fours {
            for (index, sum) in self.sums.iter_mut().enumerate() {
                // SAFETY: as above, and the chunk is as long as four vectors.
                unsafe {
                    let values = S::load(values.as_ptr().add(index * F::LANES));
                    *sum = S::multiply_add(values, S::splat(F::zero()), *sum);
                }
            }
        }
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
pub(crate) fn run<F, T: Task<F>>(kernel: Kernel, task: T) -> T::Output
where
    Portable: Simd<F>,
{
    assert!(kernel == Kernel::Portable, "this processor has no {kernel} instructions");
    task.run(Portable(()))
}

/// Runs a task with the instructions of `kernel`.
///
/// # Panics
/// Where the processor does not have them.
#[cfg(target_arch = "x86_64")]
#[inline]
pub(crate) fn run<F, T: Task<F>>(kernel: Kernel, task: T) -> T::Output
where
    Avx512: Simd<F>,
    Avx2: Simd<F>,
    Portable: Simd<F>,
{
    #[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx2,fma")]
    fn with_avx512<F, T: Task<F>>(task: T) -> T::Output
    where
        Avx512: Simd<F>,
    {
        task.run(Avx512(()))
    }
    #[target_feature(enable = "avx2,fma")]
    fn with_avx2<F, T: Task<F>>(task: T) -> T::Output
    where
        Avx2: Simd<F>,
    {
        task.run(Avx2(()))
    }
    assert!(kernel.is_supported(), "this processor has no {kernel} instructions");
    match kernel {
        // SAFETY: the processor has the instructions, as was just asserted.
        Kernel::Avx512 => unsafe { with_avx512(task) },
        // SAFETY: as above.
        Kernel::Avx2 => unsafe { with_avx2(task) },
        Kernel::Portable => task.run(Portable(())),
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;

    use super::{Avx2, Avx512, Simd, positions};

    impl Simd<f32> for Avx512 {
        type Vector = __m512;
        const FUSED: bool = true;
        const MANY_REGISTERS: bool = true;

        #[inline(always)]
        unsafe fn load(from: *const f32) -> __m512 {
            // SAFETY: the caller's promises.
            unsafe { _mm512_loadu_ps(from) }
        }
        #[inline(always)]
        unsafe fn store(vector: __m512, to: *mut f32) {
            // SAFETY: the caller's promises.
            unsafe { _mm512_storeu_ps(to, vector) }
        }
        #[inline(always)]
        unsafe fn splat(value: f32) -> __m512 {
            // SAFETY: the caller's promises.
            unsafe { _mm512_set1_ps(value) }
        }
        #[inline(always)]
        unsafe fn multiply_add(a: __m512, b: __m512, c: __m512) -> __m512 {
            // SAFETY: the caller's promises.
            unsafe { _mm512_fmadd_ps(a, b, c) }
        }
        /// A quarter of the instructions of one vector after the other: two vectors share each addition, then four.
        #[inline(always)]
        unsafe fn sums_of_lanes(vectors: [__m512; 4]) -> [f32; 4] {
            // SAFETY: the caller's promises.
            unsafe {
                let four = quarters(vectors);
                let two = _mm512_add_ps(four, _mm512_permute_ps(four, 0b00_00_11_10));
                let one = _mm512_add_ps(two, _mm512_permute_ps(two, 0b00_00_00_01));
                let mut lanes = [0.0; 16];
                _mm512_storeu_ps(lanes.as_mut_ptr(), one);
                [lanes[0], lanes[4], lanes[8], lanes[12]]
            }
        }
        /// Sixteen vectors share the last addition.
        #[inline(always)]
        unsafe fn store_sums_of_lanes(v: [__m512; 16], to: *mut f32) {
            // SAFETY: the caller's promises.
            unsafe {
                let (a, b) = (quarters([v[0], v[4], v[8], v[12]]), quarters([v[1], v[5], v[9], v[13]]));
                let (c, d) = (quarters([v[2], v[6], v[10], v[14]]), quarters([v[3], v[7], v[11], v[15]]));
                // Two lanes of a, two of b in each quarter; of c and d.
                let ab = _mm512_add_ps(_mm512_shuffle_ps(a, b, 0b01_00_01_00), _mm512_shuffle_ps(a, b, 0b11_10_11_10));
                let cd = _mm512_add_ps(_mm512_shuffle_ps(c, d, 0b01_00_01_00), _mm512_shuffle_ps(c, d, 0b11_10_11_10));
                let sums =
                    _mm512_add_ps(_mm512_shuffle_ps(ab, cd, 0b10_00_10_00), _mm512_shuffle_ps(ab, cd, 0b11_01_11_01));
                _mm512_storeu_ps(to, sums);
            }
        }
        #[inline(always)]
        unsafe fn store_positions(numbers: &[u32], bits: u32, to: &mut [u32]) -> usize {
            // SAFETY: the caller's promises.
            unsafe { positions_by_sixteen(numbers, bits, to) }
        }
    }

    /// [`Simd::store_positions`], sixteen numbers at a time.
    /// # Safety
    /// The processor has AVX-512, and `to` is as long as `numbers`.
    #[inline(always)]
    unsafe fn positions_by_sixteen(numbers: &[u32], bits: u32, to: &mut [u32]) -> usize {
        let (mut first, mut len) = (0, 0);
        // SAFETY: the caller's promises; no more positions are written than numbers have been read.
        unsafe {
            let mut lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
            while first + 16 <= numbers.len() {
                let sixteen = _mm512_loadu_si512(numbers.as_ptr().add(first).cast());
                let chosen = _mm512_test_epi32_mask(sixteen, _mm512_set1_epi32(bits.cast_signed()));
                let packed = _mm512_maskz_compress_epi32(chosen, lanes);
                _mm512_storeu_si512(to.as_mut_ptr().add(len).cast(), packed);
                lanes = _mm512_add_epi32(lanes, _mm512_set1_epi32(16));
                len += chosen.count_ones() as usize;
                first += 16;
            }
        }
        positions(numbers, first, bits, to, len)
    }

    /// Of each vector four sums, of four lanes each, in a quarter of the result.
    /// # Safety
    /// The processor has AVX-512.
    #[inline(always)]
    unsafe fn quarters([a, b, c, d]: [__m512; 4]) -> __m512 {
        // SAFETY: the caller's promise.
        unsafe {
            // Halves: lower + upper 8 lanes of a and b, of c and d.
            let ab =
                _mm512_add_ps(_mm512_shuffle_f32x4(a, b, 0b01_00_01_00), _mm512_shuffle_f32x4(a, b, 0b11_10_11_10));
            let cd =
                _mm512_add_ps(_mm512_shuffle_f32x4(c, d, 0b01_00_01_00), _mm512_shuffle_f32x4(c, d, 0b11_10_11_10));
            _mm512_add_ps(_mm512_shuffle_f32x4(ab, cd, 0b10_00_10_00), _mm512_shuffle_f32x4(ab, cd, 0b11_01_11_01))
        }
    }

    impl Simd<f64> for Avx512 {
        type Vector = __m512d;
        const FUSED: bool = true;
        const MANY_REGISTERS: bool = true;

        #[inline(always)]
        unsafe fn load(from: *const f64) -> __m512d {
            // SAFETY: the caller's promises.
            unsafe { _mm512_loadu_pd(from) }
        }
        #[inline(always)]
        unsafe fn store(vector: __m512d, to: *mut f64) {
            // SAFETY: the caller's promises.
            unsafe { _mm512_storeu_pd(to, vector) }
        }
        #[inline(always)]
        unsafe fn splat(value: f64) -> __m512d {
            // SAFETY: the caller's promises.
            unsafe { _mm512_set1_pd(value) }
        }
        #[inline(always)]
        unsafe fn multiply_add(a: __m512d, b: __m512d, c: __m512d) -> __m512d {
            // SAFETY: the caller's promises.
            unsafe { _mm512_fmadd_pd(a, b, c) }
        }
        /// As for `f32`.
        #[inline(always)]
        unsafe fn sums_of_lanes([a, b, c, d]: [__m512d; 4]) -> [f64; 4] {
            // SAFETY: the caller's promises.
            unsafe {
                let ab =
                    _mm512_add_pd(_mm512_shuffle_f64x2(a, b, 0b01_00_01_00), _mm512_shuffle_f64x2(a, b, 0b11_10_11_10));
                let cd =
                    _mm512_add_pd(_mm512_shuffle_f64x2(c, d, 0b01_00_01_00), _mm512_shuffle_f64x2(c, d, 0b11_10_11_10));
                let two = _mm512_add_pd(
                    _mm512_shuffle_f64x2(ab, cd, 0b10_00_10_00),
                    _mm512_shuffle_f64x2(ab, cd, 0b11_01_11_01),
                );
                let one = _mm512_add_pd(two, _mm512_permute_pd(two, 0b0101_0101));
                let mut lanes = [0.0; 8];
                _mm512_storeu_pd(lanes.as_mut_ptr(), one);
                [lanes[0], lanes[2], lanes[4], lanes[6]]
            }
        }
        #[inline(always)]
        unsafe fn store_positions(numbers: &[u32], bits: u32, to: &mut [u32]) -> usize {
            // SAFETY: the caller's promises.
            unsafe { positions_by_sixteen(numbers, bits, to) }
        }
    }

    impl Simd<f32> for Avx2 {
        type Vector = [__m256; 2];
        const FUSED: bool = true;
        const MANY_REGISTERS: bool = false;

        #[inline(always)]
        unsafe fn load(from: *const f32) -> [__m256; 2] {
            // SAFETY: the caller's promises.
            unsafe { [_mm256_loadu_ps(from), _mm256_loadu_ps(from.add(8))] }
        }
        #[inline(always)]
        unsafe fn store(vector: [__m256; 2], to: *mut f32) {
            // SAFETY: the caller's promises.
            unsafe {
                _mm256_storeu_ps(to, vector[0]);
                _mm256_storeu_ps(to.add(8), vector[1]);
            }
        }
        #[inline(always)]
        unsafe fn splat(value: f32) -> [__m256; 2] {
            // SAFETY: the caller's promises.
            unsafe { [_mm256_set1_ps(value); 2] }
        }
        #[inline(always)]
        unsafe fn multiply_add(a: [__m256; 2], b: [__m256; 2], c: [__m256; 2]) -> [__m256; 2] {
            // SAFETY: the caller's promises.
            unsafe { [_mm256_fmadd_ps(a[0], b[0], c[0]), _mm256_fmadd_ps(a[1], b[1], c[1])] }
        }
        /// Two vectors share each addition, then four.
        #[inline(always)]
        unsafe fn sums_of_lanes([a, b, c, d]: [[__m256; 2]; 4]) -> [f32; 4] {
            // SAFETY: the caller's promises.
            unsafe {
                // Halves: 8 lanes of each.
                let (a, b) = (_mm256_add_ps(a[0], a[1]), _mm256_add_ps(b[0], b[1]));
                let (c, d) = (_mm256_add_ps(c[0], c[1]), _mm256_add_ps(d[0], d[1]));
                // Quarters: four lanes of a, four of b; of c and d.
                let ab = _mm256_add_ps(_mm256_permute2f128_ps(a, b, 0x20), _mm256_permute2f128_ps(a, b, 0x31));
                let cd = _mm256_add_ps(_mm256_permute2f128_ps(c, d, 0x20), _mm256_permute2f128_ps(c, d, 0x31));
                // Two lanes of a, two of c; of b and d.
                let two =
                    _mm256_add_ps(_mm256_shuffle_ps(ab, cd, 0b01_00_01_00), _mm256_shuffle_ps(ab, cd, 0b11_10_11_10));
                let one = _mm256_add_ps(two, _mm256_permute_ps(two, 0b11_11_01_01));
                let mut lanes = [0.0; 8];
                _mm256_storeu_ps(lanes.as_mut_ptr(), one);
                [lanes[0], lanes[4], lanes[2], lanes[6]]
            }
        }
    }

    impl Simd<f64> for Avx2 {
        type Vector = [__m256d; 2];
        const FUSED: bool = true;
        const MANY_REGISTERS: bool = false;

        #[inline(always)]
        unsafe fn load(from: *const f64) -> [__m256d; 2] {
            // SAFETY: the caller's promises.
            unsafe { [_mm256_loadu_pd(from), _mm256_loadu_pd(from.add(4))] }
        }
        #[inline(always)]
        unsafe fn store(vector: [__m256d; 2], to: *mut f64) {
            // SAFETY: the caller's promises.
            unsafe {
                _mm256_storeu_pd(to, vector[0]);
                _mm256_storeu_pd(to.add(4), vector[1]);
            }
        }
        #[inline(always)]
        unsafe fn splat(value: f64) -> [__m256d; 2] {
            // SAFETY: the caller's promises.
            unsafe { [_mm256_set1_pd(value); 2] }
        }
        #[inline(always)]
        unsafe fn multiply_add(a: [__m256d; 2], b: [__m256d; 2], c: [__m256d; 2]) -> [__m256d; 2] {
            // SAFETY: the caller's promises.
            unsafe { [_mm256_fmadd_pd(a[0], b[0], c[0]), _mm256_fmadd_pd(a[1], b[1], c[1])] }
        }
        /// Two vectors share each addition, then four.
        #[inline(always)]
        unsafe fn sums_of_lanes([a, b, c, d]: [[__m256d; 2]; 4]) -> [f64; 4] {
            // SAFETY: the caller's promises.
            unsafe {
                // Halves: 4 lanes of each.
                let (a, b) = (_mm256_add_pd(a[0], a[1]), _mm256_add_pd(b[0], b[1]));
                let (c, d) = (_mm256_add_pd(c[0], c[1]), _mm256_add_pd(d[0], d[1]));
                // Quarters: two lanes of a, two of b; of c and d.
                let ab = _mm256_add_pd(_mm256_permute2f128_pd(a, b, 0x20), _mm256_permute2f128_pd(a, b, 0x31));
                let cd = _mm256_add_pd(_mm256_permute2f128_pd(c, d, 0x20), _mm256_permute2f128_pd(c, d, 0x31));
                let one = _mm256_add_pd(_mm256_unpacklo_pd(ab, cd), _mm256_unpackhi_pd(ab, cd));
                let mut lanes = [0.0; 4];
                _mm256_storeu_pd(lanes.as_mut_ptr(), one);
                [lanes[0], lanes[2], lanes[1], lanes[3]]
            }
        }
    }
}

/// The portable level in one number type: arrays, which the compiler turns into whatever vectors there are.
pub(crate) trait PortableLanes: Copy + std::ops::Mul<Output = Self> + std::ops::Add<Output = Self> {
    /// An array of 64 bytes.
    type Lanes: Copy + AsRef<[Self]> + AsMut<[Self]>;
    /// The same number in every lane.
    fn fill(value: Self) -> Self::Lanes;
}

impl PortableLanes for f32 {
    type Lanes = [f32; 16];
    #[inline(always)]
    fn fill(value: f32) -> [f32; 16] {
        [value; 16]
    }
}

impl PortableLanes for f64 {
    type Lanes = [f64; 8];
    #[inline(always)]
    fn fill(value: f64) -> [f64; 8] {
        [value; 8]
    }
}

impl<F: PortableLanes> Simd<F> for Portable {
    type Vector = F::Lanes;
    const FUSED: bool = false;
    const MANY_REGISTERS: bool = false;

    #[inline(always)]
    unsafe fn load(from: *const F) -> F::Lanes {
        // SAFETY: the caller promises 64 readable bytes, which is the size of the array.
        unsafe { from.cast::<F::Lanes>().read_unaligned() }
    }
    #[inline(always)]
    unsafe fn store(vector: F::Lanes, to: *mut F) {
        // SAFETY: the caller promises 64 writable bytes, which is the size of the array.
        unsafe { to.cast::<F::Lanes>().write_unaligned(vector) }
    }
    #[inline(always)]
    unsafe fn splat(value: F) -> F::Lanes {
        F::fill(value)
    }
    #[inline(always)]
    unsafe fn multiply_add(a: F::Lanes, b: F::Lanes, mut c: F::Lanes) -> F::Lanes {
        for ((c, &a), &b) in c.as_mut().iter_mut().zip(a.as_ref()).zip(b.as_ref()) {
            *c = a * b + *c;
        }
        c
    }
}
