//! Memory in large pages: where weights take many megabytes, looking up where each page of four kilobytes lies takes time.

/// Asks the system to put some memory into large pages, before anything is written to it. Where it cannot, nothing changes.
pub(crate) fn ask_for_large_pages<T>(memory: &[std::mem::MaybeUninit<T>]) {
    #[cfg(target_os = "linux")]
    {
        use std::ffi::{c_int, c_void};
        /// Below it there is nothing to gain.
        const WORTH_ASKING: usize = 128 << 10;
        /// The size of a small page, or a multiple of it.
        const PAGE: usize = 64 << 10;
        /// The same on every architecture of Linux.
        const MADV_HUGEPAGE: c_int = 14;
        unsafe extern "C" {
            fn madvise(start: *mut c_void, len: usize, advice: c_int) -> c_int;
        }
        let start = memory.as_ptr();
        let skipped = start.align_offset(PAGE).saturating_mul(size_of::<T>());
        let len = size_of_val(memory).saturating_sub(skipped) / PAGE * PAGE;
        if len >= WORTH_ASKING {
            // SAFETY: whole pages that lie inside the memory; the advice changes nothing about what they hold. It may fail.
            unsafe { madvise(start.cast_mut().wrapping_byte_add(skipped).cast(), len, MADV_HUGEPAGE) };
        }
    }
    let _ = memory;
}
