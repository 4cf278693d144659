//! The portable level on processors other than x86-64.

use super::{Simd, Task};

#[cfg(not(target_arch = "x86_64"))]
pub(crate) use super::Portable;
/// On x86-64 only compared with the level that is used there.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy)]
pub(crate) struct Portable;

/// The portable level in one number type: arrays, which the compiler turns into whatever vectors there are.
pub(crate) trait PortableLanes: Copy + std::ops::Mul<Output = Self> + std::ops::Add<Output = Self> {
    /// An array of 16 bytes.
    type Lanes: Copy + AsRef<[Self]> + AsMut<[Self]>;
    /// The same number in every lane.
    fn fill(value: Self) -> Self::Lanes;
}

impl PortableLanes for f32 {
    type Lanes = [f32; 4];
    #[inline(always)]
    fn fill(value: f32) -> [f32; 4] {
        [value; 4]
    }
}

impl PortableLanes for f64 {
    type Lanes = [f64; 2];
    #[inline(always)]
    fn fill(value: f64) -> [f64; 2] {
        [value; 2]
    }
}

impl<F: PortableLanes> Simd<F> for Portable {
    type Vector = F::Lanes;
    const LANES: usize = 16 / size_of::<F>();
    const N_REGISTERS: usize = 16;
    const FUSED: bool = false;

    #[inline(always)]
    unsafe fn load(from: *const F) -> F::Lanes {
        // SAFETY: the caller promises 16 readable bytes, which is the size of the array.
        unsafe { from.cast::<F::Lanes>().read_unaligned() }
    }
    #[inline(always)]
    unsafe fn store(vector: F::Lanes, to: *mut F) {
        // SAFETY: the caller promises 16 writable bytes, which is the size of the array.
        unsafe { to.cast::<F::Lanes>().write_unaligned(vector) }
    }
    #[inline(always)]
    unsafe fn splat(value: F) -> F::Lanes {
        F::fill(value)
    }
    #[inline(always)]
    unsafe fn add(mut a: F::Lanes, b: F::Lanes) -> F::Lanes {
        for (a, &b) in a.as_mut().iter_mut().zip(b.as_ref()) {
            *a = *a + b;
        }
        a
    }
    #[inline(always)]
    unsafe fn multiply_add(a: F::Lanes, b: F::Lanes, mut c: F::Lanes) -> F::Lanes {
        for ((c, &a), &b) in c.as_mut().iter_mut().zip(a.as_ref()).zip(b.as_ref()) {
            *c = a * b + *c;
        }
        c
    }
    #[inline(never)]
    fn apart<T: Task<F>>(self, task: T) -> T::Output {
        task.run(self)
    }
}
