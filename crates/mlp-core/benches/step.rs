//! One training step of the paper's network at several batch sizes, beside back-propagation on `ndarray`'s product, and the
//! sigmoid.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use mlp_core::ndarray::Array2;
use mlp_core::{
    Activation, Batch, GradientSink, Initializer, Kernel, Loss, Mlp, Objective, Parameter, Reduction, Workers,
    Workspace, backpropagate,
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

criterion_group!(benches, step, readable, sigmoid);
criterion_main!(benches);
