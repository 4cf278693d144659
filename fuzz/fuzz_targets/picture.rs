//! Any pixels as a picture: prepared, or refused with the reason; every image is 28 × 28, every box lies in the picture, and every
//! step ends in a sentence.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mnist_io::image::{DynamicImage, GrayImage, RgbaImage};
use mnist_io::{ErrorKind, Layout, prepare_photo};

fuzz_target!(|bytes: &[u8]| {
    let [shape, width, pixels @ ..] = bytes else { return };
    let width = u32::from(*width % 64) + 1;
    // The pixels are taken again and again, enlarged by up to 8, so that a short input fills a picture.
    let scale = u32::from(*shape >> 4) % 8 + 1;
    let n_channels = if *shape & 1 == 1 { 4 } else { 1 };
    if pixels.is_empty() {
        return;
    }
    let height = (pixels.len() as u32 / n_channels / width).clamp(1, 64);
    let at = |x: u32, y: u32, channel: u32| {
        let index = ((y / scale * width + x / scale) * n_channels + channel) as usize;
        pixels[index % pixels.len()]
    };
    let photo: DynamicImage = if n_channels == 4 {
        RgbaImage::from_fn(width * scale, height * scale, |x, y| {
            mnist_io::image::Rgba([at(x, y, 0), at(x, y, 1), at(x, y, 2), at(x, y, 3)])
        })
        .into()
    } else {
        GrayImage::from_fn(width * scale, height * scale, |x, y| mnist_io::image::Luma([at(x, y, 0)])).into()
    };
    let layout = if *shape & 2 == 2 { Layout::Single } else { Layout::Row };
    let prepared = prepare_photo(&photo, layout);
    assert!(prepared.steps.iter().all(|step| step.explanation.ends_with('.')));
    assert!((0.0..=1.0).contains(&prepared.confidence));
    match &prepared.refusal {
        Some(error) => {
            assert_eq!(error.kind(), ErrorKind::Data);
            assert!(prepared.characters.is_empty() && !error.to_string().is_empty());
        }
        None => assert!(!prepared.characters.is_empty()),
    }
    for character in &prepared.characters {
        assert_eq!(character.image.dim(), (28, 28));
        assert!(character.columns.start < character.columns.end && character.columns.end <= photo.width());
        assert!(character.rows.start < character.rows.end && character.rows.end <= photo.height());
    }
});
