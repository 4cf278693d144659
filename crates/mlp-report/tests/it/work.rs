//! How much work a report is, whatever the speed of the machine: how often this thread asks the allocator of this test binary
//! for memory.
//!
//! A comparison of two configuration values writes them out, and so does whatever is drawn or written for a trial: work that
//! grew with the square of the trials would ask that often, too.
#![expect(unsafe_code, reason = "an allocator that counts can only be written with it")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

struct Counting;

thread_local! {
    static N_ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: every call is passed on to the system's allocator unchanged; counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // While a thread ends, its counter may be gone already.
        let _ = N_ALLOCATIONS.try_with(|count| count.set(count.get() + 1));
        // SAFETY: the caller's promises are the same.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promises are the same.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What `work` results in, and how often it asked for memory.
pub(crate) fn counted<T>(work: impl FnOnce() -> T) -> (T, u64) {
    let before = N_ALLOCATIONS.get();
    let result = work();
    (result, N_ALLOCATIONS.get() - before)
}

#[test]
fn work_is_counted() {
    let (texts, n_allocations) = counted(|| (0..10).map(|i: u32| i.to_string()).collect::<Vec<_>>());
    assert!(texts.len() == 10 && (10..30).contains(&n_allocations), "{n_allocations}");
}
