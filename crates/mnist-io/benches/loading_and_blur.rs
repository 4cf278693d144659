//! How fast data sets are read and disturbed: `cargo bench -p mnist-io`.

use criterion::{Criterion, Throughput};
use mnist_io::{Disturbance, IdxArray, synthetic_digits};
use std::hint::black_box;
use std::io::Read;

fn main() {
    let mut criterion = Criterion::default().configure_from_args().sample_size(20);
    let digits = synthetic_digits(10_000, 0);
    let n_pixels = digits.images.len() as u64;

    let array = IdxArray::U8(digits.images.clone().into_dyn());
    let (mut plain, mut packed) = (Vec::new(), Vec::new());
    array.write_to(&mut plain).expect("memory can be written");
    array.write_gzip_to(&mut packed).expect("memory can be written");
    let mut group = criterion.benchmark_group("read 10,000 images");
    group.throughput(Throughput::Bytes(n_pixels));
    for (name, bytes) in [("plain", &plain), ("gzip", &packed)] {
        group.bench_function(name, |bencher| bencher.iter(|| IdxArray::from_bytes(black_box(bytes))));
    }
    // What reading gzip can cost at least: unpacking, and nothing checked.
    group.bench_function("gzip, the plainest loop over flate2", |bencher| {
        bencher.iter(|| {
            let mut content = Vec::new();
            flate2::read::MultiGzDecoder::new(black_box(packed.as_slice())).read_to_end(&mut content).map(|_| content)
        });
    });
    group.finish();

    let mut group = criterion.benchmark_group("disturb 10,000 images");
    group.throughput(Throughput::Elements(n_pixels));
    for (name, strength) in
        [("gaussian-blur", 1.0), ("gaussian-blur", 6.0), ("gaussian-noise", 20.0), ("salt-and-pepper", 0.1)]
    {
        let disturbance = Disturbance::parse(name, strength).expect("a known name and a strength in its range");
        group.bench_function(disturbance.to_string(), |bencher| {
            bencher.iter(|| disturbance.apply(black_box(digits.images.view()), 0));
        });
    }
    group.finish();

    let mut group = criterion.benchmark_group("draw");
    group.throughput(Throughput::Elements(1000));
    group.bench_function("1,000 synthetic digits", |bencher| bencher.iter(|| synthetic_digits(1000, black_box(0))));
    group.finish();
    criterion.final_summary();
}
