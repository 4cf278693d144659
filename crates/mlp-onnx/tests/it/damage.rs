//! No change to a file makes an import panic, or allocate much.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use mlp_onnx::mlp_train::mlp_core::Activation;
use mlp_onnx::mlp_train::{Precision, TargetEncoding};
use mlp_onnx::{ExportOptions, ImportOptions, InputKind, from_onnx, to_onnx};
use proptest::prelude::*;

use crate::files::{model, small};

/// What a thread has allocated and not freed, and the most of it since it was reset.
struct Counting;

thread_local! {
    static HELD: Cell<isize> = const { Cell::new(0) };
    static MOST: Cell<isize> = const { Cell::new(0) };
}

fn count(change: isize) {
    let held = HELD.get() + change;
    HELD.set(held);
    MOST.set(MOST.get().max(held));
}

#[allow(unsafe_code, reason = "an allocator is unsafe by its nature; this one counts and hands on")]
// SAFETY: every call is handed to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Imports, and returns the most bytes that this held at once.
fn most_held(bytes: &[u8]) -> usize {
    MOST.set(HELD.get());
    let before = HELD.get();
    let _ = from_onnx(bytes, &ImportOptions::new());
    (MOST.get() - before) as usize
}

/// What an import of that many bytes may hold: the network twice, a few small things, and what a configuration takes as a tree.
fn limit(n_bytes: usize) -> usize {
    40 * n_bytes + 100_000
}

fn files() -> Vec<Vec<u8>> {
    let model = model(TargetEncoding::Binary, Activation::Sigmoid, true, Precision::F64);
    let options = ExportOptions::new().input(InputKind::Pixels).classes(true);
    vec![small().file(), to_onnx(&model, &options).expect("a file")]
}

#[test]
fn every_truncated_file_is_refused() {
    for file in files() {
        for n_bytes in 0..file.len() {
            assert!(most_held(&file[..n_bytes]) < limit(file.len()));
        }
        // The graph is whole, but the versions behind it are not.
        from_onnx(&file[..file.len() / 2], &ImportOptions::new()).expect_err("half a file");
    }
}

#[test]
fn every_byte_may_be_any_other() {
    for file in files() {
        for position in 0..file.len() {
            for value in [0, 1, 0x7f, 0x80, 0xff, file[position] ^ 1, file[position].wrapping_add(1)] {
                let mut changed = file.clone();
                changed[position] = value;
                assert!(most_held(&changed) < limit(file.len()), "byte {position} as {value}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_an_error_or_a_network(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(most_held(&bytes) < limit(bytes.len()));
    }

    #[test]
    fn stretches_may_be_moved_doubled_and_removed(
        which in 0..2_usize,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), 0..60_usize, 0..3_u8), 1..5),
    ) {
        let mut file = files().swap_remove(which);
        for (from, to, n_bytes, kind) in changes {
            if file.is_empty() {
                break;
            }
            let from = from.index(file.len());
            let end = (from + n_bytes).min(file.len());
            let stretch = if kind == 0 { file.drain(from..end).collect::<Vec<u8>>() } else { file[from..end].to_vec() };
            if kind > 0 {
                let to = to.index(file.len());
                file.splice(to..to, stretch);
            }
        }
        prop_assert!(most_held(&file) < limit(file.len()));
    }
}
