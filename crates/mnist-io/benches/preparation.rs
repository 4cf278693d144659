//! Preparing a photograph of 12 million pixels, and a small picture: `cargo bench -p mnist-io --bench preparation`.

use criterion::Criterion;
use mnist_io::image::{DynamicImage, Rgb, RgbImage};
use mnist_io::{Layout, prepare_photo};
use std::hint::black_box;

/// A stroke with a bend on uneven, grainy paper.
fn photo(width: u32, height: u32) -> DynamicImage {
    let image = RgbImage::from_fn(width, height, |x, y| {
        let (u, v) = (x as f32 / width as f32, y as f32 / height as f32);
        let grain = (x.wrapping_mul(2_654_435_761) ^ y.wrapping_mul(40_503)) % 8;
        let light = 200.0 - 60.0 * u + grain as f32;
        let is_ink = (u - 0.5).hypot(v - 0.5) < 0.2 && (u - 0.5).hypot(v - 0.5) > 0.16;
        let level = if is_ink { 0.25 * light } else { light } as u8;
        Rgb([level, level, level - level / 8])
    });
    image.into()
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args().sample_size(20);
    for (name, width, height) in [("12 megapixels", 4000, 3000), ("400 × 300", 400, 300)] {
        let photo = photo(width, height);
        criterion.bench_function(&format!("prepare {name}"), |bencher| {
            bencher.iter(|| prepare_photo(black_box(&photo), Layout::Row));
        });
    }
    criterion.final_summary();
}
