//! Memory that is asked for in advance.

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
