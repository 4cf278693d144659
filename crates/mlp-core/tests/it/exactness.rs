//! The same bits, whatever shares the work; and nothing allocated inside a step.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};

use mlp_core::{
    Activation, Average, Batch, BatchNorm, Dropout, GradientSink, KeepGradient, Kernel, Loss, Objective, OneByOne,
    Parameter, Real, Reduction, StepOptions, Workers, Workspace,
};

use crate::networks::{Descent, Samples, bits, kernels, network, samples};

const OBJECTIVE: Objective = Objective { loss: Loss::Squared, reduction: Reduction::Mean };

/// Momentum, so that the state of the sink takes part.
pub(crate) struct Momentum;

impl<F: Real> GradientSink<F> for Momentum {
    const N_SLOTS: usize = 1;
    #[inline(always)]
    fn weight(&self, weight: Parameter<F>, gradient: F) -> Parameter<F> {
        let velocity = F::narrow(0.9) * weight.state[0] + gradient;
        Parameter { value: weight.value - F::narrow(0.5) * velocity, state: [velocity, F::zero()] }
    }
    #[inline(always)]
    fn bias(&self, bias: Parameter<F>, gradient: F) -> Parameter<F> {
        self.weight(bias, gradient)
    }
}

/// Gradient descent, which has no state and need not see gradients of zero.
fn descent<F: Real>() -> Descent<F> {
    Descent { rate: F::narrow(0.5), is_sparse: true }
}

fn after_some_steps<F: Real>(n_threads: usize, kernel: Kernel, seed: u64, n_samples: usize) -> Vec<u64> {
    after_steps_of::<F>([100, 70, 40, 6], &Momentum, n_threads, kernel, seed, n_samples)
}

fn after_steps_of<F: Real>(
    sizes: [usize; 4],
    sink: &impl GradientSink<F>,
    n_threads: usize,
    kernel: Kernel,
    seed: u64,
    n_samples: usize,
) -> Vec<u64> {
    let activations = [Activation::Sigmoid, Activation::Relu, Activation::Sigmoid];
    let mut mlp = network::<F>(&sizes, &activations, true, seed);
    let workers = Workers::new(n_threads);
    let mut workspace = Workspace::new(&mlp, n_samples, 1, kernel, &workers);
    for step in 0..6 {
        let n_samples = n_samples - usize::from(step == 5) * (n_samples / 3);
        let batch = samples::<F>(n_samples, sizes[0], sizes[3], step);
        workspace.step(&batch, OBJECTIVE, sink, &workers).expect("finite");
    }
    workspace.store(&mut mlp);
    bits(&mlp)
}

/// Large enough for every layer but the last to be shared out, even with one sample.
const LARGE: [usize; 4] = [300, 260, 200, 6];

#[test]
fn large_layers_have_the_same_bits_for_any_number_of_threads() {
    for kernel in kernels() {
        for n_samples in [1, 2, 10, 33, 140] {
            let moved = |n_threads| after_steps_of::<f32>(LARGE, &Momentum, n_threads, kernel, 1, n_samples);
            let descended = |n_threads| after_steps_of::<f32>(LARGE, &descent(), n_threads, kernel, 1, n_samples);
            let double = |n_threads| after_steps_of::<f64>(LARGE, &descent(), n_threads, kernel, 1, n_samples);
            let expected = (moved(1), descended(1), double(1));
            for n_threads in [2, 3, 8] {
                let found = (moved(n_threads), descended(n_threads), double(n_threads));
                assert!(found == expected, "{kernel}, batch {n_samples}, {n_threads} threads");
            }
        }
    }
}

#[test]
fn the_team_may_be_another_in_every_step() {
    let activations = [Activation::Sigmoid, Activation::Relu, Activation::Sigmoid];
    let initial = network::<f32>(&LARGE, &activations, true, 1);
    for n_samples in [2, 33, 140] {
        let after_steps = |teams: [usize; 4]| {
            let mut workspace = Workspace::new(&initial, n_samples, 1, Kernel::detect(), &Workers::new(teams[0]));
            for (step, n_threads) in teams.into_iter().enumerate() {
                let batch = samples::<f32>(n_samples, LARGE[0], LARGE[3], step as u64);
                workspace.step(&batch, OBJECTIVE, &Momentum, &Workers::new(n_threads)).expect("finite");
            }
            let mut mlp = initial.clone();
            workspace.store(&mut mlp);
            bits(&mlp)
        };
        assert!(after_steps([1, 3, 2, 1]) == after_steps([1; 4]), "batch {n_samples}");
        assert!(after_steps([8, 2, 5, 2]) == after_steps([1; 4]), "batch {n_samples}");
    }
}

#[test]
fn weights_are_the_same_bits_for_any_number_of_threads() {
    for kernel in kernels() {
        for seed in 0..20 {
            for n_samples in [1, 10, 64, 97] {
                let expected = after_some_steps::<f32>(1, kernel, seed, n_samples);
                for n_threads in [2, 4, 8] {
                    let found = after_some_steps::<f32>(n_threads, kernel, seed, n_samples);
                    assert!(found == expected, "{kernel}, seed {seed}, batch {n_samples}, {n_threads} threads");
                }
            }
        }
        assert!(after_some_steps::<f64>(3, kernel, 0, 50) == after_some_steps::<f64>(1, kernel, 0, 50), "{kernel}");
    }
}

#[test]
fn the_two_levels_with_fused_multiply_add_agree_bit_for_bit() {
    if Kernel::Avx512.is_supported() {
        for n_samples in [1, 10, 97, 140] {
            let single = |kernel| after_steps_of::<f32>(LARGE, &descent(), 2, kernel, 1, n_samples);
            let double = |kernel| after_steps_of::<f64>(LARGE, &Momentum, 2, kernel, 1, n_samples);
            assert!(single(Kernel::Avx512) == single(Kernel::Avx2), "batch {n_samples}");
            assert!(double(Kernel::Avx512) == double(Kernel::Avx2), "batch {n_samples}");
        }
    }
}

/// What identifies the bits of a network after ten steps on small batches, ten on large ones, and sixteen on single samples.
fn digest<F: Real>(kernel: Kernel) -> u64 {
    let workers = Workers::new(2);
    let mut trained =
        network::<F>(&[301, 70, 33, 5], &[Activation::Sigmoid, Activation::Tanh, Activation::Sigmoid], true, 1);
    for max_batch in [40, 150] {
        let mut workspace = Workspace::new(&trained, max_batch, 0, kernel, &workers);
        for seed in 0..10 {
            let batch = samples(max_batch - seed as usize, 301, 5, seed);
            workspace.step(&batch, OBJECTIVE, &descent(), &workers).expect("finite");
        }
        workspace.store(&mut trained);
    }
    let mut one_by_one = OneByOne::new(&trained, kernel);
    let steps = [mlp_core::Descent { learning_rate: F::narrow(0.1), decay: F::narrow(0.001) }; 16];
    one_by_one.descend(&samples(16, 301, 5, 99), OBJECTIVE, &steps, &workers).expect("finite");
    one_by_one.workspace().store(&mut trained);
    // FNV-1a.
    let bytes = bits(&trained).into_iter().flat_map(u64::to_le_bytes);
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// If this test fails, the same configuration gives other weights: fix the code, or raise the versions of the numerics in
/// mlp-train on purpose.
#[test]
fn trained_weights_have_the_bits_of_this_version_of_the_numerics() {
    for kernel in kernels() {
        let expected = match kernel {
            Kernel::Avx512 | Kernel::Avx2 => (0x3de4_8a99_94cb_b50a, 0x6837_6040_2134_cd5f),
            Kernel::Portable | Kernel::Reference => (0xee25_0035_dfec_ab68, 0x5603_5d54_2b3b_6b1a),
        };
        assert_eq!((digest::<f32>(kernel), digest::<f64>(kernel)), expected, "{kernel}");
    }
}

#[test]
fn a_row_of_a_batch_has_the_outputs_that_it_has_alone() {
    let mlp = network::<f32>(&[300, 70, 6], &[Activation::Sigmoid; 2], true, 1);
    let workers = Workers::new(2);
    let batch = samples::<f32>(41, 300, 6, 2);
    for kernel in kernels() {
        let mut together = Workspace::new(&mlp, 41, 0, kernel, &workers);
        together.forward(&batch, &workers);
        let mut alone = Workspace::new(&mlp, 1, 0, kernel, &workers);
        for row in 0..41 {
            let inputs = batch.inputs.row(row).to_owned().insert_axis(mlp_core::ndarray::Axis(0));
            let targets = batch.targets.row(row).to_owned().insert_axis(mlp_core::ndarray::Axis(0));
            alone.forward(&Samples { inputs, targets }, &workers);
            assert_eq!(alone.outputs(0), together.outputs(row), "{kernel}");
        }
    }
}

/// Counts the allocations of the threads that take part in a step.
struct Counting;

static COUNT: AtomicU64 = AtomicU64::new(0);

thread_local! {
    /// Whether this thread's allocations are counted: since its first request for an input of a [`Watched`] batch.
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

/// A batch that has the allocations of every thread counted that asks for one of its inputs.
struct Watched(Samples<f32>);

impl Batch<f32> for Watched {
    fn n_samples(&self) -> usize {
        self.0.n_samples()
    }
    fn input(&self, row: usize, into: &mut [f32]) {
        IS_WATCHED.set(true);
        self.0.input(row, into);
    }
    fn target(&self, row: usize, into: &mut [f32]) {
        self.0.target(row, into);
    }
}

#[test]
fn a_step_allocates_nothing_on_any_thread() {
    // The watch sees an allocation. (In this test, because no other may allocate on a watched thread meanwhile.)
    IS_WATCHED.set(true);
    drop(std::hint::black_box(vec![0_u8; 100]));
    IS_WATCHED.set(false);
    assert!(COUNT.load(Ordering::Relaxed) > 0);
    for kernel in kernels() {
        for n_threads in [1, 2] {
            for (n_samples, n_units) in [1, 8, 33, 128].into_iter().flat_map(|n| [(n, 260), (n, 30)]) {
                let mlp = network::<f32>(&[300, n_units, 6], &[Activation::Tanh, Activation::Softmax], true, 1);
                let workers = Workers::new(n_threads);
                let mut workspace = Workspace::new(&mlp, n_samples, 1, kernel, &workers);
                let mut rounding = Workspace::with_bf16_products(&mlp, n_samples.max(2), 1, kernel, &workers);
                let mut average = Average::new(&workspace);
                let norm = BatchNorm::new(&mlp);
                let mut normalized = Workspace::new(&mlp, n_samples.max(2), 1, kernel, &workers).with_batch_norm(&norm);
                let mut average_normalized = Average::new(&normalized);
                let mut one_by_one = OneByOne::new(&mlp, kernel);
                let dropout = Dropout::new(0.2, &[0.5]);
                let batch = Watched(samples::<f32>(n_samples, 300, 6, 2));
                let run = Watched(samples::<f32>(n_samples.min(OneByOne::<f32>::MAX_SAMPLES), 300, 6, 2));
                let steps = vec![mlp_core::Descent { learning_rate: 0.1, decay: 0.001 }; run.n_samples()];
                let objective = Objective { loss: Loss::SoftmaxCrossEntropy, reduction: Reduction::Sum };
                // All threads at once, so that each marks itself.
                let all = std::sync::Barrier::new(n_threads);
                workers.for_each(&mut vec![(); n_threads], |_, ()| {
                    all.wait();
                    IS_WATCHED.set(true);
                });
                let before = COUNT.load(Ordering::Relaxed);
                for _ in 0..3 {
                    workspace.step(&batch, objective, &Momentum, &workers).expect("finite");
                    workspace.step(&batch, OBJECTIVE, &KeepGradient, &workers).expect("finite");
                    workspace.step(&batch, OBJECTIVE, &descent(), &workers).expect("finite");
                    if n_samples > 1 {
                        let (masks, max_norm) = (Some(dropout.masks(3)), Some(0.5));
                        let options = StepOptions { masks, max_norm, ..StepOptions::default() };
                        normalized.step(&batch, OBJECTIVE, &KeepGradient, &workers).expect("finite");
                        average_normalized.add(&normalized, 0.1, &workers);
                        for workspace in [&mut workspace, &mut rounding, &mut normalized] {
                            workspace.step_clipped(&batch, OBJECTIVE, &Momentum, 1e-3, &workers).expect("finite");
                            workspace
                                .step_with_options(&batch, OBJECTIVE, &Momentum, options, &workers)
                                .expect("finite");
                        }
                    }
                    rounding.step(&batch, objective, &Momentum, &workers).expect("finite");
                    rounding.forward(&batch, &workers);
                    normalized.forward(&batch, &workers);
                    average.add(&workspace, 0.1, &workers);
                    workspace.forward(&batch, &workers);
                    one_by_one.descend(&run, objective, &steps, &workers).expect("finite");
                }
                let count = COUNT.load(Ordering::Relaxed) - before;
                IS_WATCHED.set(false);
                assert_eq!(count, 0, "{kernel}, {n_threads} threads, batch of {n_samples}");
            }
        }
    }
}

#[test]
fn a_panic_in_one_worker_reaches_the_caller_and_leaves_the_team_usable() {
    let workers = Workers::new(3);
    let mut items = [0_u32; 64];
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        workers.for_each(&mut items, |index, _| assert!(index != 40, "planted"));
    }));
    assert!(outcome.is_err());
    workers.for_each(&mut items, |index, item| *item = index as u32);
    assert!(items.iter().enumerate().all(|(index, &item)| item == index as u32));
}
