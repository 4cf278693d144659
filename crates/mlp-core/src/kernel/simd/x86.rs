//! The levels of x86-64.

use std::arch::x86_64::*;

use super::{Avx2, Avx512, Portable, Simd, positions};

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
        let ab = _mm512_add_ps(_mm512_shuffle_f32x4(a, b, 0b01_00_01_00), _mm512_shuffle_f32x4(a, b, 0b11_10_11_10));
        let cd = _mm512_add_ps(_mm512_shuffle_f32x4(c, d, 0b01_00_01_00), _mm512_shuffle_f32x4(c, d, 0b11_10_11_10));
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
            let two =
                _mm512_add_pd(_mm512_shuffle_f64x2(ab, cd, 0b10_00_10_00), _mm512_shuffle_f64x2(ab, cd, 0b11_01_11_01));
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
            let two = _mm256_add_ps(_mm256_shuffle_ps(ab, cd, 0b01_00_01_00), _mm256_shuffle_ps(ab, cd, 0b11_10_11_10));
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

/// Four vectors of SSE2, which every x86-64 processor has: the same operations on the same lanes as the arrays of other
/// processors, hence the same bits.
impl Simd<f32> for Portable {
    type Vector = [__m128; 4];
    const FUSED: bool = false;
    const MANY_REGISTERS: bool = false;

    #[inline(always)]
    unsafe fn load(from: *const f32) -> [__m128; 4] {
        // SAFETY: the caller's promises.
        unsafe {
            [_mm_loadu_ps(from), _mm_loadu_ps(from.add(4)), _mm_loadu_ps(from.add(8)), _mm_loadu_ps(from.add(12))]
        }
    }
    #[inline(always)]
    unsafe fn store(vector: [__m128; 4], to: *mut f32) {
        // SAFETY: the caller's promises.
        unsafe {
            _mm_storeu_ps(to, vector[0]);
            _mm_storeu_ps(to.add(4), vector[1]);
            _mm_storeu_ps(to.add(8), vector[2]);
            _mm_storeu_ps(to.add(12), vector[3]);
        }
    }
    #[inline(always)]
    unsafe fn splat(value: f32) -> [__m128; 4] {
        // SAFETY: every x86-64 processor has the instruction.
        unsafe { [_mm_set1_ps(value); 4] }
    }
    #[inline(always)]
    unsafe fn multiply_add(a: [__m128; 4], b: [__m128; 4], c: [__m128; 4]) -> [__m128; 4] {
        // SAFETY: as above.
        unsafe {
            [
                _mm_add_ps(_mm_mul_ps(a[0], b[0]), c[0]),
                _mm_add_ps(_mm_mul_ps(a[1], b[1]), c[1]),
                _mm_add_ps(_mm_mul_ps(a[2], b[2]), c[2]),
                _mm_add_ps(_mm_mul_ps(a[3], b[3]), c[3]),
            ]
        }
    }
    #[inline(always)]
    unsafe fn sums_of_lanes([a, b, c, d]: [[__m128; 4]; 4]) -> [f32; 4] {
        // SAFETY: as above.
        unsafe {
            // Four lanes of each.
            let a = _mm_add_ps(_mm_add_ps(a[0], a[2]), _mm_add_ps(a[1], a[3]));
            let b = _mm_add_ps(_mm_add_ps(b[0], b[2]), _mm_add_ps(b[1], b[3]));
            let c = _mm_add_ps(_mm_add_ps(c[0], c[2]), _mm_add_ps(c[1], c[3]));
            let d = _mm_add_ps(_mm_add_ps(d[0], d[2]), _mm_add_ps(d[1], d[3]));
            // Two lanes of a, two of b; of c and d.
            let ab = _mm_add_ps(_mm_movelh_ps(a, b), _mm_movehl_ps(b, a));
            let cd = _mm_add_ps(_mm_movelh_ps(c, d), _mm_movehl_ps(d, c));
            let sums = _mm_add_ps(_mm_shuffle_ps(ab, cd, 0b10_00_10_00), _mm_shuffle_ps(ab, cd, 0b11_01_11_01));
            let mut lanes = [0.0; 4];
            _mm_storeu_ps(lanes.as_mut_ptr(), sums);
            lanes
        }
    }
}

/// As for `f32`.
impl Simd<f64> for Portable {
    type Vector = [__m128d; 4];
    const FUSED: bool = false;
    const MANY_REGISTERS: bool = false;

    #[inline(always)]
    unsafe fn load(from: *const f64) -> [__m128d; 4] {
        // SAFETY: the caller's promises.
        unsafe { [_mm_loadu_pd(from), _mm_loadu_pd(from.add(2)), _mm_loadu_pd(from.add(4)), _mm_loadu_pd(from.add(6))] }
    }
    #[inline(always)]
    unsafe fn store(vector: [__m128d; 4], to: *mut f64) {
        // SAFETY: the caller's promises.
        unsafe {
            _mm_storeu_pd(to, vector[0]);
            _mm_storeu_pd(to.add(2), vector[1]);
            _mm_storeu_pd(to.add(4), vector[2]);
            _mm_storeu_pd(to.add(6), vector[3]);
        }
    }
    #[inline(always)]
    unsafe fn splat(value: f64) -> [__m128d; 4] {
        // SAFETY: every x86-64 processor has the instruction.
        unsafe { [_mm_set1_pd(value); 4] }
    }
    #[inline(always)]
    unsafe fn multiply_add(a: [__m128d; 4], b: [__m128d; 4], c: [__m128d; 4]) -> [__m128d; 4] {
        // SAFETY: as above.
        unsafe {
            [
                _mm_add_pd(_mm_mul_pd(a[0], b[0]), c[0]),
                _mm_add_pd(_mm_mul_pd(a[1], b[1]), c[1]),
                _mm_add_pd(_mm_mul_pd(a[2], b[2]), c[2]),
                _mm_add_pd(_mm_mul_pd(a[3], b[3]), c[3]),
            ]
        }
    }
    #[inline(always)]
    unsafe fn sums_of_lanes([a, b, c, d]: [[__m128d; 4]; 4]) -> [f64; 4] {
        // SAFETY: as above.
        unsafe {
            // Two lanes of each.
            let a = _mm_add_pd(_mm_add_pd(a[0], a[2]), _mm_add_pd(a[1], a[3]));
            let b = _mm_add_pd(_mm_add_pd(b[0], b[2]), _mm_add_pd(b[1], b[3]));
            let c = _mm_add_pd(_mm_add_pd(c[0], c[2]), _mm_add_pd(c[1], c[3]));
            let d = _mm_add_pd(_mm_add_pd(d[0], d[2]), _mm_add_pd(d[1], d[3]));
            let ab = _mm_add_pd(_mm_unpacklo_pd(a, b), _mm_unpackhi_pd(a, b));
            let cd = _mm_add_pd(_mm_unpacklo_pd(c, d), _mm_unpackhi_pd(c, d));
            let mut lanes = [0.0; 4];
            _mm_storeu_pd(lanes.as_mut_ptr(), ab);
            _mm_storeu_pd(lanes.as_mut_ptr().add(2), cd);
            lanes
        }
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
            // SAFETY: there are 64 vectors of up to 16 numbers; both levels need no instructions of their own.
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
                }
            }
        }
        check::<f32>();
        check::<f64>();
    }
}
