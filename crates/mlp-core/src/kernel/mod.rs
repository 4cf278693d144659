//! What is here for speed: vector instructions chosen as the program runs, the matrix products that training
//! consists of, the team of threads, and memory asked for in advance. All `unsafe` code of the crate is in this module.

#![expect(unsafe_code, reason = "vector instructions, and work on borrowed data in other threads")]

use std::fmt;

pub(crate) mod peak;
pub(crate) mod product;
pub(crate) mod simd;
pub(crate) mod sparse;
pub(crate) mod workers;

/// The instruction set that the fast path uses.
///
/// Results are the same bits for any number of threads on one level. Between levels they may differ in the last digits:
/// `avx512` and `avx2` round `a · b + c` once, `portable` twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kernel {
    /// x86-64 with AVX-512 (F, DQ, BW, VL), FMA and POPCNT.
    Avx512,
    /// x86-64 with AVX2 and FMA.
    Avx2,
    /// Any processor; the same bits on all of them.
    Portable,
}

impl Kernel {
    /// Every level, the fastest first.
    pub const ALL: [Kernel; 3] = [Kernel::Avx512, Kernel::Avx2, Kernel::Portable];

    /// The fastest level of this processor.
    pub fn detect() -> Kernel {
        Kernel::ALL.into_iter().find(|kernel| kernel.is_supported()).unwrap_or(Kernel::Portable)
    }

    /// Whether this processor has the instructions.
    pub fn is_supported(self) -> bool {
        match self {
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx512 => {
                is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512dq")
                    && is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("avx512vl")
                    && is_x86_feature_detected!("popcnt")
                    && Kernel::Avx2.is_supported()
            }
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx2 => is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"),
            #[cfg(not(target_arch = "x86_64"))]
            Kernel::Avx512 | Kernel::Avx2 => false,
            Kernel::Portable => true,
        }
    }

    /// The name in configurations and records.
    pub fn name(self) -> &'static str {
        match self {
            Kernel::Avx512 => "avx512",
            Kernel::Avx2 => "avx2",
            Kernel::Portable => "portable",
        }
    }

    /// The level of that name.
    pub fn from_name(name: &str) -> Option<Kernel> {
        Kernel::ALL.into_iter().find(|kernel| kernel.name() == name)
    }
}

impl fmt::Display for Kernel {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// Asks for memory that is needed soon and lies far away, and does not wait for it. On processors other than x86-64 it does
/// nothing.
#[inline(always)]
pub fn prefetch<T>(values: &[T]) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T1, _mm_prefetch};
        /// Bytes that come together.
        const LINE: usize = 64;
        for line in values.chunks((LINE / size_of::<T>().max(1)).max(1)) {
            // SAFETY: every x86-64 processor has the instruction, and it does not fail, whatever the address. It asks for
            // the second-level cache: the first is full of what is needed now.
            unsafe { _mm_prefetch::<_MM_HINT_T1>(line.as_ptr().cast()) };
        }
    }
    let _ = values;
}
