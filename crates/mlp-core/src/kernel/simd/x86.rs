//! The levels of x86-64.
//!
//! Longer than other files, because it is a table: the same list of short operations for two levels and two types of
//! numbers, which are compared best side by side.

use std::arch::x86_64::*;

use super::{Avx2, Avx512, Portable, Simd, Task, compress_pairs_from};

/// A task compiled for AVX-512.
#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx2,fma,popcnt")]
#[inline(never)]
fn with_avx512<F, T: Task<F>>(simd: Avx512, task: T) -> T::Output
where
    Avx512: Simd<F>,
{
    task.run(simd)
}

/// A task compiled for AVX2.
#[target_feature(enable = "avx2,fma")]
#[inline(never)]
fn with_avx2<F, T: Task<F>>(simd: Avx2, task: T) -> T::Output
where
    Avx2: Simd<F>,
{
    task.run(simd)
}

impl Simd<f32> for Avx512 {
    type Vector = __m512;
    const LANES: usize = 16;
    const N_REGISTERS: usize = 32;
    const FUSED: bool = true;

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
    unsafe fn add(a: __m512, b: __m512) -> __m512 {
        // SAFETY: the caller's promises.
        unsafe { _mm512_add_ps(a, b) }
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
    /// In four rounds, each of which brings together what lies twice as far apart.
    #[inline(always)]
    unsafe fn transpose_square(from: *const f32, from_stride: usize, to: *mut f32, to_stride: usize) {
        // SAFETY: the caller's promises.
        unsafe {
            let mut rows = [_mm512_setzero_ps(); 16];
            for (index, row) in rows.iter_mut().enumerate() {
                *row = _mm512_loadu_ps(from.add(index * from_stride));
            }
            // Pairs of rows, then quadruples: columns 4q to 4q + 3 of four rows, in quarter q.
            let mut fours = rows;
            for first in (0..16).step_by(4) {
                let low = _mm512_castps_pd(_mm512_unpacklo_ps(rows[first], rows[first + 1]));
                let high = _mm512_castps_pd(_mm512_unpackhi_ps(rows[first], rows[first + 1]));
                let next_low = _mm512_castps_pd(_mm512_unpacklo_ps(rows[first + 2], rows[first + 3]));
                let next_high = _mm512_castps_pd(_mm512_unpackhi_ps(rows[first + 2], rows[first + 3]));
                fours[first] = _mm512_castpd_ps(_mm512_unpacklo_pd(low, next_low));
                fours[first + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(low, next_low));
                fours[first + 2] = _mm512_castpd_ps(_mm512_unpacklo_pd(high, next_high));
                fours[first + 3] = _mm512_castpd_ps(_mm512_unpackhi_pd(high, next_high));
            }
            // Quarters change places as the numbers of a matrix of four rows.
            for column in 0..4 {
                let quarters = [fours[column], fours[column + 4], fours[column + 8], fours[column + 12]];
                for (quarter, row) in transposed_quarters(quarters).into_iter().enumerate() {
                    _mm512_storeu_ps(to.add((4 * quarter + column) * to_stride), row);
                }
            }
        }
    }
    /// Eight pairs at a time.
    #[inline(always)]
    unsafe fn compress_pairs(numbers: &[f32], places: &mut [u32], pairs: &mut [[f32; 2]]) -> usize {
        /// All bits of two numbers but their signs.
        const NOT_ZERO: i64 = 0x7fff_ffff_7fff_ffff;
        let (mut first, mut len) = (0, 0);
        // SAFETY: the caller's promises; no more pairs are written than have been read.
        unsafe {
            let mut lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
            while 2 * (first + 8) <= numbers.len() {
                let eight = _mm512_loadu_si512(numbers.as_ptr().add(2 * first).cast());
                let chosen = _mm512_test_epi64_mask(eight, _mm512_set1_epi64(NOT_ZERO));
                let packed = _mm256_maskz_compress_epi32(chosen, lanes);
                _mm256_storeu_si256(places.as_mut_ptr().add(len).cast(), packed);
                _mm512_storeu_si512(pairs.as_mut_ptr().add(len).cast(), _mm512_maskz_compress_epi64(chosen, eight));
                lanes = _mm256_add_epi32(lanes, _mm256_set1_epi32(8));
                len += chosen.count_ones() as usize;
                first += 8;
            }
        }
        compress_pairs_from(first, numbers, places, pairs, len)
    }
    #[inline(always)]
    fn apart<T: Task<f32>>(self, task: T) -> T::Output {
        // SAFETY: `self` proves the instructions.
        unsafe { with_avx512(self, task) }
    }
}

/// Of each vector four sums, of four lanes each, in a quarter of the result.
/// # Safety
/// The processor has AVX-512.
#[inline(always)]
unsafe fn quarters([a, b, c, d]: [__m512; 4]) -> __m512 {
    // SAFETY: the caller's promise.
    unsafe {
        // Halves: lower + upper 8 lanes of a and b, of c and d.
        let ab = _mm512_add_ps(_mm512_shuffle_f32x4(a, b, 0b01_00_01_00), _mm512_shuffle_f32x4(a, b, 0b11_10_11_10));
        let cd = _mm512_add_ps(_mm512_shuffle_f32x4(c, d, 0b01_00_01_00), _mm512_shuffle_f32x4(c, d, 0b11_10_11_10));
        _mm512_add_ps(_mm512_shuffle_f32x4(ab, cd, 0b10_00_10_00), _mm512_shuffle_f32x4(ab, cd, 0b11_01_11_01))
    }
}

/// Of four vectors, as rows of four quarters each, the transpose.
/// # Safety
/// The processor has AVX-512.
#[inline(always)]
unsafe fn transposed_quarters([a, b, c, d]: [__m512; 4]) -> [__m512; 4] {
    // SAFETY: the caller's promise.
    unsafe {
        // Quarters 0 and 2 of both, 1 and 3 of both.
        let (ab_even, ab_odd) = (_mm512_shuffle_f32x4(a, b, 0b10_00_10_00), _mm512_shuffle_f32x4(a, b, 0b11_01_11_01));
        let (cd_even, cd_odd) = (_mm512_shuffle_f32x4(c, d, 0b10_00_10_00), _mm512_shuffle_f32x4(c, d, 0b11_01_11_01));
        [
            _mm512_shuffle_f32x4(ab_even, cd_even, 0b10_00_10_00),
            _mm512_shuffle_f32x4(ab_odd, cd_odd, 0b10_00_10_00),
            _mm512_shuffle_f32x4(ab_even, cd_even, 0b11_01_11_01),
            _mm512_shuffle_f32x4(ab_odd, cd_odd, 0b11_01_11_01),
        ]
    }
}

impl Simd<f64> for Avx512 {
    type Vector = __m512d;
    const LANES: usize = 8;
    const N_REGISTERS: usize = 32;
    const FUSED: bool = true;

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
    unsafe fn add(a: __m512d, b: __m512d) -> __m512d {
        // SAFETY: the caller's promises.
        unsafe { _mm512_add_pd(a, b) }
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
            let two =
                _mm512_add_pd(_mm512_shuffle_f64x2(ab, cd, 0b10_00_10_00), _mm512_shuffle_f64x2(ab, cd, 0b11_01_11_01));
            let one = _mm512_add_pd(two, _mm512_permute_pd(two, 0b0101_0101));
            let mut lanes = [0.0; 8];
            _mm512_storeu_pd(lanes.as_mut_ptr(), one);
            [lanes[0], lanes[2], lanes[4], lanes[6]]
        }
    }
    /// As for `f32`, in three rounds.
    #[inline(always)]
    unsafe fn transpose_square(from: *const f64, from_stride: usize, to: *mut f64, to_stride: usize) {
        // SAFETY: the caller's promises.
        unsafe {
            let mut rows = [_mm512_setzero_pd(); 8];
            for (index, row) in rows.iter_mut().enumerate() {
                *row = _mm512_loadu_pd(from.add(index * from_stride));
            }
            for column in 0..2 {
                let mut pairs = [_mm512_setzero_ps(); 4];
                for (index, pair) in pairs.iter_mut().enumerate() {
                    let (a, b) = (rows[2 * index], rows[2 * index + 1]);
                    *pair =
                        _mm512_castpd_ps(if column == 0 { _mm512_unpacklo_pd(a, b) } else { _mm512_unpackhi_pd(a, b) });
                }
                for (quarter, row) in transposed_quarters(pairs).into_iter().enumerate() {
                    _mm512_storeu_pd(to.add((2 * quarter + column) * to_stride), _mm512_castps_pd(row));
                }
            }
        }
    }
    #[inline(always)]
    fn apart<T: Task<f64>>(self, task: T) -> T::Output {
        // SAFETY: `self` proves the instructions.
        unsafe { with_avx512(self, task) }
    }
}

impl Simd<f32> for Avx2 {
    type Vector = __m256;
    const LANES: usize = 8;
    const N_REGISTERS: usize = 16;
    const FUSED: bool = true;

    #[inline(always)]
    unsafe fn load(from: *const f32) -> __m256 {
        // SAFETY: the caller's promises.
        unsafe { _mm256_loadu_ps(from) }
    }
    #[inline(always)]
    unsafe fn store(vector: __m256, to: *mut f32) {
        // SAFETY: the caller's promises.
        unsafe { _mm256_storeu_ps(to, vector) }
    }
    #[inline(always)]
    unsafe fn splat(value: f32) -> __m256 {
        // SAFETY: the caller's promises.
        unsafe { _mm256_set1_ps(value) }
    }
    #[inline(always)]
    unsafe fn add(a: __m256, b: __m256) -> __m256 {
        // SAFETY: the caller's promises.
        unsafe { _mm256_add_ps(a, b) }
    }
    #[inline(always)]
    unsafe fn multiply_add(a: __m256, b: __m256, c: __m256) -> __m256 {
        // SAFETY: the caller's promises.
        unsafe { _mm256_fmadd_ps(a, b, c) }
    }
    /// Two vectors share each addition, then four.
    #[inline(always)]
    unsafe fn sums_of_lanes([a, b, c, d]: [__m256; 4]) -> [f32; 4] {
        // SAFETY: the caller's promises.
        unsafe {
            // Four lanes of a, four of b; of c and d.
            let ab = _mm256_add_ps(_mm256_permute2f128_ps(a, b, 0x20), _mm256_permute2f128_ps(a, b, 0x31));
            let cd = _mm256_add_ps(_mm256_permute2f128_ps(c, d, 0x20), _mm256_permute2f128_ps(c, d, 0x31));
            // Two lanes of a, two of c; of b and d.
            let two = _mm256_add_ps(_mm256_shuffle_ps(ab, cd, 0b01_00_01_00), _mm256_shuffle_ps(ab, cd, 0b11_10_11_10));
            let one = _mm256_add_ps(two, _mm256_permute_ps(two, 0b11_11_01_01));
            let mut lanes = [0.0; 8];
            _mm256_storeu_ps(lanes.as_mut_ptr(), one);
            [lanes[0], lanes[4], lanes[2], lanes[6]]
        }
    }
    #[inline(always)]
    fn apart<T: Task<f32>>(self, task: T) -> T::Output {
        // SAFETY: `self` proves the instructions.
        unsafe { with_avx2(self, task) }
    }
}

impl Simd<f64> for Avx2 {
    type Vector = __m256d;
    const LANES: usize = 4;
    const N_REGISTERS: usize = 16;
    const FUSED: bool = true;

    #[inline(always)]
    unsafe fn load(from: *const f64) -> __m256d {
        // SAFETY: the caller's promises.
        unsafe { _mm256_loadu_pd(from) }
    }
    #[inline(always)]
    unsafe fn store(vector: __m256d, to: *mut f64) {
        // SAFETY: the caller's promises.
        unsafe { _mm256_storeu_pd(to, vector) }
    }
    #[inline(always)]
    unsafe fn splat(value: f64) -> __m256d {
        // SAFETY: the caller's promises.
        unsafe { _mm256_set1_pd(value) }
    }
    #[inline(always)]
    unsafe fn add(a: __m256d, b: __m256d) -> __m256d {
        // SAFETY: the caller's promises.
        unsafe { _mm256_add_pd(a, b) }
    }
    #[inline(always)]
    unsafe fn multiply_add(a: __m256d, b: __m256d, c: __m256d) -> __m256d {
        // SAFETY: the caller's promises.
        unsafe { _mm256_fmadd_pd(a, b, c) }
    }
    /// Two vectors share each addition.
    #[inline(always)]
    unsafe fn sums_of_lanes([a, b, c, d]: [__m256d; 4]) -> [f64; 4] {
        // SAFETY: the caller's promises.
        unsafe {
            // Two lanes of a, two of b; of c and d.
            let ab = _mm256_add_pd(_mm256_permute2f128_pd(a, b, 0x20), _mm256_permute2f128_pd(a, b, 0x31));
            let cd = _mm256_add_pd(_mm256_permute2f128_pd(c, d, 0x20), _mm256_permute2f128_pd(c, d, 0x31));
            let one = _mm256_add_pd(_mm256_unpacklo_pd(ab, cd), _mm256_unpackhi_pd(ab, cd));
            let mut lanes = [0.0; 4];
            _mm256_storeu_pd(lanes.as_mut_ptr(), one);
            [lanes[0], lanes[2], lanes[1], lanes[3]]
        }
    }
    #[inline(always)]
    fn apart<T: Task<f64>>(self, task: T) -> T::Output {
        // SAFETY: `self` proves the instructions.
        unsafe { with_avx2(self, task) }
    }
}

/// SSE2, which every x86-64 processor has: the same operations on the same lanes as the arrays of other processors, hence
/// the same bits.
impl Simd<f32> for Portable {
    type Vector = __m128;
    const LANES: usize = 4;
    const N_REGISTERS: usize = 16;
    const FUSED: bool = false;

    #[inline(always)]
    unsafe fn load(from: *const f32) -> __m128 {
        // SAFETY: the caller's promises.
        unsafe { _mm_loadu_ps(from) }
    }
    #[inline(always)]
    unsafe fn store(vector: __m128, to: *mut f32) {
        // SAFETY: the caller's promises.
        unsafe { _mm_storeu_ps(to, vector) }
    }
    #[inline(always)]
    unsafe fn splat(value: f32) -> __m128 {
        // SAFETY: every x86-64 processor has the instruction.
        unsafe { _mm_set1_ps(value) }
    }
    #[inline(always)]
    unsafe fn add(a: __m128, b: __m128) -> __m128 {
        // SAFETY: as above.
        unsafe { _mm_add_ps(a, b) }
    }
    #[inline(always)]
    unsafe fn multiply_add(a: __m128, b: __m128, c: __m128) -> __m128 {
        // SAFETY: as above.
        unsafe { _mm_add_ps(_mm_mul_ps(a, b), c) }
    }
    /// Two vectors share each addition, then four.
    #[inline(always)]
    unsafe fn sums_of_lanes([a, b, c, d]: [__m128; 4]) -> [f32; 4] {
        // SAFETY: as above.
        unsafe {
            // Two lanes of a, two of b; of c and d.
            let ab = _mm_add_ps(_mm_movelh_ps(a, b), _mm_movehl_ps(b, a));
            let cd = _mm_add_ps(_mm_movelh_ps(c, d), _mm_movehl_ps(d, c));
            let sums = _mm_add_ps(_mm_shuffle_ps(ab, cd, 0b10_00_10_00), _mm_shuffle_ps(ab, cd, 0b11_01_11_01));
            let mut lanes = [0.0; 4];
            _mm_storeu_ps(lanes.as_mut_ptr(), sums);
            lanes
        }
    }
    // Not inlined, as on the other levels: once is enough for code this long.
    #[inline(never)]
    fn apart<T: Task<f32>>(self, task: T) -> T::Output {
        task.run(self)
    }
}

/// As for `f32`.
impl Simd<f64> for Portable {
    type Vector = __m128d;
    const LANES: usize = 2;
    const N_REGISTERS: usize = 16;
    const FUSED: bool = false;

    #[inline(always)]
    unsafe fn load(from: *const f64) -> __m128d {
        // SAFETY: the caller's promises.
        unsafe { _mm_loadu_pd(from) }
    }
    #[inline(always)]
    unsafe fn store(vector: __m128d, to: *mut f64) {
        // SAFETY: the caller's promises.
        unsafe { _mm_storeu_pd(to, vector) }
    }
    #[inline(always)]
    unsafe fn splat(value: f64) -> __m128d {
        // SAFETY: every x86-64 processor has the instruction.
        unsafe { _mm_set1_pd(value) }
    }
    #[inline(always)]
    unsafe fn add(a: __m128d, b: __m128d) -> __m128d {
        // SAFETY: as above.
        unsafe { _mm_add_pd(a, b) }
    }
    #[inline(always)]
    unsafe fn multiply_add(a: __m128d, b: __m128d, c: __m128d) -> __m128d {
        // SAFETY: as above.
        unsafe { _mm_add_pd(_mm_mul_pd(a, b), c) }
    }
    /// Two vectors share each addition.
    #[inline(always)]
    unsafe fn sums_of_lanes([a, b, c, d]: [__m128d; 4]) -> [f64; 4] {
        // SAFETY: as above.
        unsafe {
            let ab = _mm_add_pd(_mm_unpacklo_pd(a, b), _mm_unpackhi_pd(a, b));
            let cd = _mm_add_pd(_mm_unpacklo_pd(c, d), _mm_unpackhi_pd(c, d));
            let mut lanes = [0.0; 4];
            _mm_storeu_pd(lanes.as_mut_ptr(), ab);
            _mm_storeu_pd(lanes.as_mut_ptr().add(2), cd);
            lanes
        }
    }
    #[inline(never)]
    fn apart<T: Task<f64>>(self, task: T) -> T::Output {
        task.run(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::simd::arrays;
    use crate::real::Real;

    #[test]
    fn the_portable_level_has_the_bits_of_arrays() {
        fn check<F: Real>()
        where
            Portable: Simd<F>,
            arrays::Portable: Simd<F>,
        {
            // Numbers whose sums depend on their order.
            let numbers: Vec<F> =
                (1..=64 * 16).map(|n| F::narrow(libm::sin(f64::from(n)) * f64::from(n % 7))).collect();
            let at = |vector: usize| numbers[vector * F::LANES..].as_ptr();
            // SAFETY: there are 64 times 16 numbers, more than a vector has; both levels need no instructions of their own.
            unsafe {
                for vector in (0..60).step_by(4) {
                    let fast: [_; 4] = std::array::from_fn(|index| <Portable as Simd<F>>::load(at(vector + index)));
                    let plain: [_; 4] =
                        std::array::from_fn(|index| <arrays::Portable as Simd<F>>::load(at(vector + index)));
                    let factor = numbers[vector];
                    let fast = fast.map(|v| Portable::multiply_add(v, Portable::splat(factor), fast[0]));
                    let plain =
                        plain.map(|v| arrays::Portable::multiply_add(v, arrays::Portable::splat(factor), plain[0]));
                    assert_eq!(Portable::sums_of_lanes(fast), arrays::Portable::sums_of_lanes(plain));
                    let fast = fast.map(|v| Portable::add(v, fast[0]));
                    let plain = plain.map(|v| arrays::Portable::add(v, plain[0]));
                    assert_eq!(Portable::sums_of_lanes(fast), arrays::Portable::sums_of_lanes(plain));
                }
            }
        }
        check::<f32>();
        check::<f64>();
    }
}
