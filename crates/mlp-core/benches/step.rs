//! One training step of the paper's network at several batch sizes, beside back-propagation on `ndarray`'s product, the
//! sigmoid, what dropout, bounded weights and batch normalisation add to a step, and steps of a wide network whose products are
//! of numbers in `f32` or in bf16, by the instruction and by what other levels have in its place.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use mlp_core::ndarray::Array2;
use mlp_core::{
    Activation, Batch, BatchNorm, Dropout, GradientSink, Initializer, Kernel, Loss, Mlp, Objective, Parameter,
    Reduction, StepOptions, Workers, Workspace, backpropagate,
};
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

const SIZES: [usize; 9] = [784, 512, 256, 128, 64, 32, 16, 8, 6];
const OBJECTIVE: Objective = Objective { loss: Loss::Squared, reduction: Reduction::Mean };

fn network() -> Mlp<f32> {
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    Mlp::new(&SIZES, &[Activation::Sigmoid; 8], true, Initializer::GLOROT_UNIFORM, &mut rng)
}

/// W ← W − g.
struct Descent;

impl GradientSink<f32> for Descent {
    const N_SLOTS: usize = 0;
    #[inline(always)]
    fn weight(&self, weight: Parameter<f32>, gradient: f32) -> Parameter<f32> {
        Parameter { value: weight.value - gradient, ..weight }
    }
    #[inline(always)]
    fn bias(&self, bias: Parameter<f32>, gradient: f32) -> Parameter<f32> {
        self.weight(bias, gradient)
    }
}

/// Images in which a fifth of the pixels, in one connected stretch of each row, are not zero: about as in MNIST.
struct Images {
    inputs: Array2<f32>,
}

impl Images {
    fn new(n_samples: usize) -> Images {
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        let mut inputs = Array2::zeros((n_samples, 784));
        for mut image in inputs.rows_mut() {
            for row in 4..24 {
                let start = rng.random_range(4..16);
                for column in start..start + 8 {
                    image[row * 28 + column] = rng.random::<f32>();
                }
            }
        }
        Images { inputs }
    }
}

impl Batch<f32> for Images {
    fn n_samples(&self) -> usize {
        self.inputs.nrows()
    }
    fn input(&self, row: usize, into: &mut [f32]) {
        into.copy_from_slice(self.inputs.row(row).to_slice().expect("rows are contiguous"));
    }
    fn target(&self, row: usize, into: &mut [f32]) {
        into.fill((row % 2) as f32);
    }
}

fn step(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("step");
    let mlp = network();
    for n_threads in [1, 2] {
        let workers = Workers::new(n_threads);
        for n_samples in [1, 10, 32, 128, 512] {
            let batch = Images::new(n_samples);
            let mut workspace = Workspace::new(&mlp, n_samples, 0, Kernel::detect(), &workers);
            group.throughput(Throughput::Elements(n_samples as u64));
            group.bench_function(BenchmarkId::new(format!("{n_threads} threads, batch"), n_samples), |bencher| {
                bencher.iter(|| workspace.step(&batch, OBJECTIVE, &Descent, &workers));
            });
        }
    }
    group.finish();
}

/// The gradient alone, without an update.
fn readable(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("backpropagate");
    let mlp = network();
    for n_samples in [1, 32, 128, 512] {
        let inputs = Images::new(n_samples).inputs;
        let targets = Array2::from_shape_fn((n_samples, 6), |(row, _)| (row % 2) as f32);
        group.throughput(Throughput::Elements(n_samples as u64));
        group.bench_function(BenchmarkId::new("1 thread, batch", n_samples), |bencher| {
            bencher.iter(|| backpropagate(&mlp, inputs.view(), targets.view(), OBJECTIVE));
        });
    }
    group.finish();
}

fn sigmoid(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("sigmoid");
    let mut z: Vec<f32> = (0..4096).map(|i| (i as f32 - 2048.0) / 200.0).collect();
    group.throughput(Throughput::Elements(z.len() as u64));
    group.bench_function("4096 numbers, portable code", |bencher| {
        bencher.iter(|| Activation::Sigmoid.apply(std::hint::black_box(&mut z)));
    });
    group.finish();
}

/// Gradient descent with momentum, on weights that stay about as long as they are.
struct Momentum;

impl GradientSink<f32> for Momentum {
    const N_SLOTS: usize = 1;
    #[inline(always)]
    fn weight(&self, Parameter { value, state: [v, _] }: Parameter<f32>, gradient: f32) -> Parameter<f32> {
        let v = 0.95 * v + gradient;
        Parameter { value: value - 1e-3 * v, state: [v, 0.0] }
    }
    #[inline(always)]
    fn bias(&self, bias: Parameter<f32>, gradient: f32) -> Parameter<f32> {
        self.weight(bias, gradient)
    }
}

fn wide() -> Mlp<f32> {
    let activations = [Activation::Relu, Activation::Relu, Activation::Relu, Activation::Softmax];
    Mlp::seeded(&[784, 1024, 1024, 1024, 10], &activations, true, Initializer::HE_NORMAL, 0)
}

/// Steps of 784-1024-1024-1024-10 with two threads.
fn precisions(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("784-1024-1024-1024-10");
    group.sample_size(20);
    let (mlp, workers) = (wide(), Workers::new(2));
    let kernels = || Kernel::ALL.into_iter().filter(|kernel| kernel.is_supported());
    for n_samples in [32, 128, 512] {
        let batch = Images::new(n_samples);
        group.throughput(Throughput::Elements(n_samples as u64));
        let mut time = |name: String, mut workspace: Workspace<f32>| {
            group.bench_function(BenchmarkId::new(name, n_samples), |bencher| {
                bencher.iter(|| workspace.step(&batch, OBJECTIVE, &Momentum, &workers));
            });
        };
        for kernel in kernels() {
            time(format!("f32 on {kernel}, batch"), Workspace::new(&mlp, n_samples, 1, kernel, &workers));
            let rounding = Workspace::with_bf16_products(&mlp, n_samples, 1, kernel, &workers);
            time(format!("bf16 on {kernel}, batch"), rounding);
        }
    }
    group.finish();
}

/// Steps of 784-1024-1024-1024-10 on 128 images with two threads.
fn options(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("options, batch of 128");
    let mlp = wide();
    let (workers, batch) = (Workers::new(2), Images::new(128));
    let dropout = Dropout::new(0.2, &[0.5; 3]);
    let masks = Some(dropout.masks(1));
    let none = StepOptions::default();
    for (name, options) in [
        ("none", none),
        ("dropout", StepOptions { masks, ..none }),
        // Of most units the weights are longer: 1.41 before training.
        ("max norm", StepOptions { max_norm: Some(1.4), ..none }),
        ("dropout and max norm", StepOptions { masks, max_norm: Some(1.4), ..none }),
    ] {
        let mut workspace = Workspace::new(&mlp, 128, 1, Kernel::detect(), &workers);
        group.throughput(Throughput::Elements(128));
        group.bench_function(name, |bencher| {
            bencher.iter(|| workspace.step_with_options(&batch, OBJECTIVE, &Momentum, options, &workers));
        });
    }
    let norm = BatchNorm::new(&mlp);
    let mut workspace = Workspace::new(&mlp, 128, 1, Kernel::detect(), &workers).with_batch_norm(&norm);
    group.bench_function("batch normalisation", |bencher| {
        bencher.iter(|| workspace.step(&batch, OBJECTIVE, &Momentum, &workers));
    });
    group.finish();
}

criterion_group!(benches, step, readable, sigmoid, options, precisions);
criterion_main!(benches);
