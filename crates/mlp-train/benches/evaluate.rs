//! How long it takes to measure a network on ten thousand made-up digits, and to examine its layers.

use std::hint::black_box;
use std::thread::available_parallelism;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use mlp_core::{Kernel, Mlp, Real, Workers};
use mlp_train::{Inputs, Probe, Samples, Targets, TrainConfig, diagnose, evaluate};
use mnist_io::{LabeledImages, synthetic_digits};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

fn measure(criterion: &mut Criterion) {
    let digits = synthetic_digits(10_000, 0);
    let config = TrainConfig::default();
    let codebook = config.encoding.codebook(&digits.classes);
    let samples = Samples::<f32> {
        inputs: Inputs::Pixels(digits.pixels()),
        targets: Targets::labels(&digits.labels, &codebook),
        weights: None,
    };
    let sizes = config.sizes(samples.n_inputs(), samples.n_outputs());
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let mlp = Mlp::new(&sizes, &config.activations(), config.bias, config.initializer, &mut rng);

    let mut group = criterion.benchmark_group("evaluate");
    group.throughput(Throughput::Elements(samples.n_samples() as u64));
    let all = available_parallelism().map_or(1, |threads| threads.get());
    for n_threads in [1, all] {
        let workers = Workers::new(n_threads);
        group.bench_function(format!("10,000 digits, {n_threads} threads"), |bencher| {
            bencher.iter(|| evaluate(&mlp, black_box(&samples), config.objective(), &workers, Kernel::detect()));
        });
    }
    group.finish();
    examine::<f32>(criterion, &digits);
    examine::<f64>(criterion, &digits);
}

/// The paper's deepest net, on the largest probe.
fn examine<F: Real>(criterion: &mut Criterion, digits: &LabeledImages) {
    let config = TrainConfig::new().hidden([512, 256, 128, 64, 32, 16, 8]);
    let codebook = config.encoding.codebook(&digits.classes);
    let samples = Samples::<F> {
        inputs: Inputs::Pixels(digits.pixels()),
        targets: Targets::labels(&digits.labels, &codebook),
        weights: None,
    };
    let sizes = config.sizes(samples.n_inputs(), samples.n_outputs());
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let mlp = Mlp::new(&sizes, &config.activations(), config.bias, config.initializer, &mut rng);
    let probe = Probe::of(&samples);
    let name = format!("diagnose, {} samples, {}", probe.n_samples(), std::any::type_name::<F>());
    criterion.bench_function(&name, |bencher| {
        bencher.iter(|| diagnose(black_box(&mlp), &probe, config.objective(), 0));
    });
}

criterion_group!(benches, measure);
criterion_main!(benches);
