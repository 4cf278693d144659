//! Small files to read and to damage.

use std::io::Write;

/// A plain IDX file of `u8`.
pub(crate) fn idx_bytes(shape: &[u32], values: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, shape.len() as u8];
    for length in shape {
        bytes.extend(length.to_be_bytes());
    }
    bytes.extend(values);
    bytes
}

/// Two images of 28 × 28 pixels: 1584 bytes as a file.
pub(crate) fn two_images() -> Vec<u8> {
    let digits = mnist_io::synthetic_digits(2, 1);
    idx_bytes(&[2, 28, 28], digits.images.as_slice().unwrap())
}

/// The same 2 KB of noise every time: they do not compress, so that the gzip fixture has about 2 KB too.
pub(crate) fn noise() -> Vec<u8> {
    let mut state = 1_u32;
    let values: Vec<u8> = (0..2000)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        })
        .collect();
    idx_bytes(&[20, 10, 10], &values)
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}
