//! Deforming and weighting images takes no memory from one batch to the next.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::ops::ControlFlow;
use std::sync::Barrier;
use std::sync::atomic::{AtomicU64, Ordering};

use mlp_core::{Kernel, Workers};
use mlp_train::{
    Augmentation, ClassWeights, Inputs, Optimizer, Progress, Samples, Setup, TargetEncoding, Targets, TrainConfig,
    train,
};
use mnist_io::synthetic_digits;

/// Counts the allocations of the threads that are watched.
struct Counting;

static COUNT: AtomicU64 = AtomicU64::new(0);

thread_local! {
    static IS_WATCHED: Cell<bool> = const { Cell::new(false) };
}

#[expect(unsafe_code, reason = "an allocator can be written in no other way")]
// SAFETY: every call is passed on to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if IS_WATCHED.try_with(Cell::get).unwrap_or(false) {
            COUNT.fetch_add(1, Ordering::Relaxed);
        }
        // SAFETY: the caller's promises.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promises.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn a_step_on_deformed_images_that_count_differently_allocates_nothing_on_any_thread() {
    let digits = synthetic_digits(96, 0);
    let base = TrainConfig::new().hidden([20]).augment(Augmentation::GENTLE).epochs(1);
    let base = base.class_weights(ClassWeights::Balanced);
    let codebook = TargetEncoding::Ascii.codebook(&digits.classes);
    let samples = Samples::<f32> {
        inputs: Inputs::Images(digits.images.view()),
        targets: Targets::labels(&digits.labels, &codebook),
        weights: None,
    };
    for n_threads in [1, 2] {
        let workers = Workers::new(n_threads);
        // All threads at once, so that each marks itself.
        let all = Barrier::new(n_threads);
        workers.for_each(&mut vec![(); n_threads], |_, ()| {
            all.wait();
            IS_WATCHED.set(true);
        });
        for config in [
            base.clone().batch_size(16),
            base.clone().batch_size(16).batch_norm(true),
            base.clone().batch_size(1).optimizer(Optimizer::Sgd),
        ] {
            let setup = Setup { workers: &workers, kernel: Kernel::detect(), initial: None };
            // What was counted when each batch was done: the room for these is there before the first.
            let mut counts = Vec::with_capacity(16);
            let mut see = |progress: Progress<'_>| {
                if matches!(progress, Progress::Batch { .. }) {
                    counts.push(COUNT.load(Ordering::Relaxed));
                }
                ControlFlow::Continue(())
            };
            train(&config, &samples, None, setup, &mut see).unwrap();
            assert_eq!(counts.len(), 6);
            assert!(counts[0] > 0, "the watch sees what is allocated before the first batch");
            assert!(counts.iter().all(|count| *count == counts[0]), "{counts:?} with {n_threads} threads");
        }
        IS_WATCHED.set(false);
    }
}
