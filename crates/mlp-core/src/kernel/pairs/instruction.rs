//! The instruction of x86-64 for pairs, `vdpbf16ps`.

use std::arch::x86_64::*;
use std::sync::OnceLock;

use crate::kernel::level::Kernel;
use crate::kernel::pairs::{Pair, PairTask, Pairs, rounded};
use crate::kernel::simd::{Avx512, Simd};

/// AVX-512 with its bf16 instructions, on a processor where they compute what is expected.
#[derive(Clone, Copy)]
pub(crate) struct Instruction(());

impl Instruction {
    /// Whether this processor has the instructions and they give the bits of fused multiply-adds in single precision, the
    /// odd elements first. Any other order, or any other rounding in between, is found out, and the instruction is left alone.
    pub(crate) fn detect() -> Option<Instruction> {
        static IS_AS_EXPECTED: OnceLock<bool> = OnceLock::new();
        let is_as_expected = *IS_AS_EXPECTED.get_or_init(|| {
            Kernel::Avx512.is_supported()
                && is_x86_feature_detected!("avx512bf16")
                // SAFETY: it has just been looked for.
                && unsafe { is_as_expected() }
        });
        is_as_expected.then_some(Instruction(()))
    }

    /// Runs a task compiled for the instructions.
    #[inline(always)]
    pub(crate) fn run<T: PairTask>(self, task: T) {
        // SAFETY: `self` proves the instructions.
        unsafe { with_instruction(self, task) }
    }
}

#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512bf16,avx2,fma,popcnt")]
#[inline(never)]
fn with_instruction<T: PairTask>(instruction: Instruction, task: T) {
    task.run(instruction);
}

/// Tries sums that tell the orders and roundings apart.
#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512bf16,avx2,fma,popcnt")]
fn is_as_expected() -> bool {
    // Eight bits each, in all combinations of a few exponents; the sum cancels the larger product, or swallows the smaller.
    let mut state = 1_u32;
    let mut next = |exponents: u32| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let exponent = 127 - exponents / 2 + (state >> 24) % exponents;
        f32::from_bits(state << 16 & 0x8000_0000 | exponent << 23 | state >> 8 & 0x007f_ffff)
    };
    (0..64).all(|_| {
        let (mut sums, mut a, mut b) = ([0.0_f32; 16], [Pair::default(); 16], [Pair::default(); 16]);
        for lane in 0..16 {
            a[lane] = Pair::of_bits(rounded(next(8)), rounded(next(8)));
            b[lane] = Pair::of_bits(rounded(next(8)), rounded(next(8)));
            sums[lane] = next(24);
        }
        let mut found = [0.0_f32; 16];
        // SAFETY: the function is compiled for the instructions, and all arrays have 16 elements.
        unsafe {
            let sum = Instruction::load_sums(sums.as_ptr());
            let sum = Instruction::add_products(Instruction::load(a.as_ptr()), Instruction::load(b.as_ptr()), sum);
            Instruction::store_sums(sum, found.as_mut_ptr());
        }
        (0..16).all(|lane| found[lane].to_bits() == expected(a[lane], b[lane], sums[lane]).to_bits())
    })
}

/// What one lane is to be.
fn expected(a: Pair, b: Pair, sum: f32) -> f32 {
    let ([a0, a1], [b0, b1]) = (a.elements(), b.elements());
    a0.mul_add(b0, a1.mul_add(b1, sum))
}

impl Pairs for Instruction {
    type Sums = __m512;
    type Factors = __m512i;
    const LANES: usize = 16;

    #[inline(always)]
    unsafe fn zeros() -> __m512 {
        // SAFETY: the caller's promise.
        unsafe { _mm512_setzero_ps() }
    }
    #[inline(always)]
    unsafe fn load_sums(from: *const f32) -> __m512 {
        // SAFETY: the caller's promises.
        unsafe { _mm512_loadu_ps(from) }
    }
    #[inline(always)]
    unsafe fn store_sums(sums: __m512, to: *mut f32) {
        // SAFETY: the caller's promises.
        unsafe { _mm512_storeu_ps(to, sums) }
    }
    #[inline(always)]
    unsafe fn load(from: *const Pair) -> __m512i {
        // SAFETY: the caller's promises.
        unsafe { _mm512_loadu_si512(from.cast()) }
    }
    #[inline(always)]
    unsafe fn splat(pair: Pair) -> __m512i {
        // SAFETY: the caller's promise.
        unsafe { _mm512_set1_epi32(pair.0.cast_signed()) }
    }
    #[inline(always)]
    unsafe fn join(even: *const f32, odd: *const f32) -> __m512i {
        // SAFETY: the caller's promises. The lower halves of rounded numbers are 0.
        unsafe {
            let (even, odd) = (_mm512_loadu_si512(even.cast()), _mm512_loadu_si512(odd.cast()));
            _mm512_or_si512(_mm512_srli_epi32::<16>(even), odd)
        }
    }
    #[inline(always)]
    unsafe fn add_products(a: __m512i, b: __m512i, sums: __m512) -> __m512 {
        // SAFETY: the caller's promise; both types are 64 bytes of any bits.
        unsafe {
            let (a, b) = (std::mem::transmute::<__m512i, __m512bh>(a), std::mem::transmute::<__m512i, __m512bh>(b));
            _mm512_dpbf16_ps(sums, a, b)
        }
    }
    #[inline(always)]
    unsafe fn transpose_square(from: *const Pair, from_stride: usize, to: *mut Pair, to_stride: usize) {
        // SAFETY: the caller's promises; a pair has the size of an f32, and is only moved.
        unsafe { <Avx512 as Simd<f32>>::transpose_square(from.cast(), from_stride, to.cast(), to_stride) };
    }
}
