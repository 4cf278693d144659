//! The portable level on processors other than x86-64.

use super::Simd;

#[cfg(not(target_arch = "x86_64"))]
pub(crate) use super::Portable;
/// On x86-64 only compared with the level that is used there.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy)]
pub(crate) struct Portable;

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
