//! Images deformed in a second, on one thread.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use mlp_train::ndarray::Axis;
use mlp_train::{Augmentation, Augmenter};
use mnist_io::synthetic_digits;

fn augment(criterion: &mut Criterion) {
    let digits = synthetic_digits(1_000, 0);
    let mut group = criterion.benchmark_group("augment a digit of 28 × 28");
    group.throughput(Throughput::Elements(digits.len() as u64));
    for name in ["rotate 15", "thickness 0.5", "simard", "ciresan", "gentle"] {
        let augmentation: Augmentation = name.parse().expect("an augmentation");
        let mut augmenter = Augmenter::new(augmentation, (28, 28), 0);
        let mut into = vec![0; 28 * 28];
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                for (index, image) in digits.images.axis_iter(Axis(0)).enumerate() {
                    augmenter.augment(image, 1, index, &mut into);
                }
                into[0]
            });
        });
    }
    group.finish();
}

criterion_group!(benches, augment);
criterion_main!(benches);
