//! Products of numbers that are rounded to bf16, two terms at a time, summed in single precision.
//!
//! bf16 is the upper half of an `f32`: the sign, all eight bits of the exponent, and seven of the fraction. A [`Pair`] holds
//! two neighbours along the dimension that is summed. For a sum c and two pairs, `vdpbf16ps` computes
//!
//! ```text
//! c ← c + a₁ b₁, rounded to f32          the odd elements first,
//! c ← c + a₀ b₀, rounded to f32          then the even ones
//! ```
//!
//! each a fused multiply-add to nearest even, with subnormal operands taken as 0 and subnormal results made 0, whatever the
//! processor's flags say. That is how Intel documents it, and what a processor of AMD's Zen 4 generation was found to do
//! (docs/mathematics.md says how; the tests try it against the same in software).
//!
//! Here the bits are those of any fused or unfused arithmetic, so that every level gives the same: numbers below
//! [`LEAST`] are rounded to 0, so every product, and hence every sum, is a multiple of 2⁻¹²⁶ and is not subnormal; those of
//! [`MOST`] or more become NaN, so no product overflows; and a product of two such numbers has 16 bits, so it is exact, and
//! `a · b + c` rounds once either way.

pub(crate) mod lists;
pub(crate) mod packing;
pub(crate) mod product;

#[cfg(target_arch = "x86_64")]
mod instruction;

use crate::kernel::level::Kernel;
use crate::kernel::simd::{Lanes, Simd, Task};

/// Two numbers in bf16: the even element in the lower half, the odd one in the upper.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(transparent)]
pub(crate) struct Pair(u32);

/// 2⁻⁵⁶, the least magnitude that is not rounded to 0: with eight bits each, the product of two such numbers is a multiple of
/// 2⁻¹²⁶, the smallest normal number.
pub(crate) const LEAST: f32 = f32::from_bits((127 - 56) << 23);

/// 2⁶³, from which on a number is none: the product of two smaller ones is finite.
pub(crate) const MOST: f32 = f32::from_bits((127 + 63) << 23);

/// The number of [`Pair`]s' upper half nearest to `value`, ties to even; the lower half of the bits is 0.
#[inline(always)]
pub(crate) fn rounded(value: f32) -> u32 {
    let bits = value.to_bits();
    // Below 2³¹, so that the comparison is one of signed numbers, which every level has.
    let magnitude = (bits & 0x7fff_ffff) as i32;
    let nearest = bits.wrapping_add(0x7fff + ((bits >> 16) & 1)) & 0xffff_0000;
    let kept = if magnitude < MOST.to_bits() as i32 { nearest } else { f32::NAN.to_bits() };
    if magnitude < LEAST.to_bits() as i32 { 0 } else { kept }
}

/// The rows and columns of a square of pairs: 64 bytes of them.
pub(crate) const SQUARE: usize = <f32 as Lanes>::LANES;

impl Pair {
    /// Two numbers of which the lower 16 bits are not looked at: rounded ones.
    #[inline(always)]
    pub(crate) fn of_bits(even: u32, odd: u32) -> Pair {
        Pair(even >> 16 | odd & 0xffff_0000)
    }

    /// Two numbers that are rounded.
    #[inline(always)]
    pub(crate) fn of_rounded(elements: &[f32]) -> Pair {
        Pair::of_bits(elements[0].to_bits(), elements[1].to_bits())
    }

    /// The even elements of two pairs, and their odd ones.
    #[inline(always)]
    pub(crate) fn transpose(even: Pair, odd: Pair) -> [Pair; 2] {
        [Pair(even.0 & 0xffff | odd.0 << 16), Pair::of_bits(even.0, odd.0)]
    }

    /// The even element, and the odd one.
    #[inline(always)]
    pub(crate) fn elements(self) -> [f32; 2] {
        [f32::from_bits(self.0 << 16), f32::from_bits(self.0 & 0xffff_0000)]
    }
}

/// Pairs in registers, on one way of computing with them.
///
/// As for [`Simd`], a value of an implementing type proves that the processor has the instructions.
pub(crate) trait Pairs: Copy {
    /// What a register of sums holds.
    type Sums: Copy;
    /// As many pairs.
    type Factors: Copy;
    /// The sums in a register: those of 64 bytes, or a half or a quarter as many.
    const LANES: usize;

    /// # Safety
    /// The processor has the instructions.
    unsafe fn zeros() -> Self::Sums;
    /// # Safety
    /// The processor has the instructions, and `LANES` numbers behind `from` are readable.
    unsafe fn load_sums(from: *const f32) -> Self::Sums;
    /// # Safety
    /// The processor has the instructions, and `LANES` numbers behind `to` are writable.
    unsafe fn store_sums(sums: Self::Sums, to: *mut f32);
    /// # Safety
    /// The processor has the instructions, and `LANES` pairs behind `from` are readable.
    unsafe fn load(from: *const Pair) -> Self::Factors;
    /// # Safety
    /// The processor has the instructions.
    unsafe fn splat(pair: Pair) -> Self::Factors;
    /// Pairs of what lies at the same places: rounded numbers.
    /// # Safety
    /// The processor has the instructions, and `LANES` numbers behind both are readable.
    unsafe fn join(even: *const f32, odd: *const f32) -> Self::Factors;
    /// Adds the products of the odd elements to the sums, then those of the even ones.
    /// # Safety
    /// The processor has the instructions.
    unsafe fn add_products(a: Self::Factors, b: Self::Factors, sums: Self::Sums) -> Self::Sums;
    /// Writes the transpose of a square matrix of [`SQUARE`] rows. Rows begin `from_stride` and `to_stride` pairs apart.
    /// # Safety
    /// The processor has the instructions; every row is readable, and writable where it goes to.
    unsafe fn transpose_square(from: *const Pair, from_stride: usize, to: *mut Pair, to_stride: usize);
}

/// Work that is compiled for each way of computing with pairs. `run` is to be marked `#[inline(always)]`.
pub(crate) trait PairTask {
    /// Does the work.
    fn run<P: Pairs>(self, pairs: P);
}

/// How a workspace computes with pairs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum PairKernel {
    /// With the instruction made for it.
    #[cfg(target_arch = "x86_64")]
    Instruction,
    /// With the instructions of this level, in `f32`.
    Emulated(Kernel),
}

impl PairKernel {
    /// The fastest way on a level: `avx512` has the instruction where the processor does.
    pub(crate) fn new(kernel: Kernel) -> PairKernel {
        match kernel {
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx512 if instruction::Instruction::detect().is_some() => PairKernel::Instruction,
            _ => PairKernel::Emulated(kernel),
        }
    }

    /// Runs a task with the instructions of this way.
    ///
    /// # Panics
    /// Where the processor does not have them.
    #[inline]
    pub(crate) fn run<T: PairTask>(self, task: T) {
        match self {
            #[cfg(target_arch = "x86_64")]
            PairKernel::Instruction => {
                let instruction = instruction::Instruction::detect().expect("a processor with bf16 instructions");
                instruction.run(task);
            }
            PairKernel::Emulated(kernel) => f32::dispatch(kernel, OnLevel(task)),
        }
    }
}

/// A task on the `f32` instructions of a level.
struct OnLevel<T>(T);

impl<T: PairTask> Task<f32> for OnLevel<T> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd<f32>>(self, simd: S) {
        self.0.run(Emulated(simd));
    }
}

/// The same bits from multiply-adds in `f32`.
#[derive(Clone, Copy)]
struct Emulated<S>(S);

impl<S: Simd<f32>> Pairs for Emulated<S> {
    type Sums = S::Vector;
    /// The even elements, and the odd ones.
    type Factors = [S::Vector; 2];
    const LANES: usize = S::LANES;

    #[inline(always)]
    unsafe fn zeros() -> S::Vector {
        // SAFETY: the caller's promise.
        unsafe { S::splat(0.0) }
    }
    #[inline(always)]
    unsafe fn load_sums(from: *const f32) -> S::Vector {
        // SAFETY: the caller's promises.
        unsafe { S::load(from) }
    }
    #[inline(always)]
    unsafe fn store_sums(sums: S::Vector, to: *mut f32) {
        // SAFETY: the caller's promises.
        unsafe { S::store(sums, to) };
    }
    #[inline(always)]
    unsafe fn load(from: *const Pair) -> [S::Vector; 2] {
        let (mut even, mut odd) = ([0.0_f32; 16], [0.0_f32; 16]);
        for lane in 0..S::LANES {
            // SAFETY: the caller promises so many pairs.
            let elements = unsafe { *from.add(lane) }.elements();
            [even[lane], odd[lane]] = elements;
        }
        // SAFETY: the caller's promise; a vector has at most 16 lanes.
        unsafe { [S::load(even.as_ptr()), S::load(odd.as_ptr())] }
    }
    #[inline(always)]
    unsafe fn splat(pair: Pair) -> [S::Vector; 2] {
        let [even, odd] = pair.elements();
        // SAFETY: the caller's promise.
        unsafe { [S::splat(even), S::splat(odd)] }
    }
    #[inline(always)]
    unsafe fn join(even: *const f32, odd: *const f32) -> [S::Vector; 2] {
        // SAFETY: the caller's promises.
        unsafe { [S::load(even), S::load(odd)] }
    }
    #[inline(always)]
    unsafe fn add_products(a: [S::Vector; 2], b: [S::Vector; 2], sums: S::Vector) -> S::Vector {
        // SAFETY: the caller's promise.
        unsafe { S::multiply_add(a[0], b[0], S::multiply_add(a[1], b[1], sums)) }
    }
    #[inline(always)]
    unsafe fn transpose_square(from: *const Pair, from_stride: usize, to: *mut Pair, to_stride: usize) {
        // SAFETY: the caller's promises; a pair has the size of an f32, and is only moved.
        unsafe { S::transpose_square(from.cast(), from_stride, to.cast(), to_stride) };
    }
}

#[cfg(test)]
mod tests;
