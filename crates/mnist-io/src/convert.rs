//! IDX files whose content is put right on the way from one file to another, a piece at a time, so that a set of any size
//! passes through a few kilobytes of memory.
//!
//! EMNIST stores its images with rows and columns exchanged and counts its letters from 1; QMNIST keeps the class of a
//! digit in the first of eight columns. Files that went through here are like MNIST's.

use crate::error::{Error, Result};
use crate::gzip::Unpacked;
use crate::idx::{self, Header, IdxElement};
use std::io::{BufRead, BufReader, Read, Write};

/// Where labels stand in a file, and from which number they count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LabelSource {
    /// The column of a table of labels, `(n_samples, n_columns)`, from 0; it does not matter for a plain list.
    pub column: usize,
    /// The number of the first class in the file; it becomes 0.
    pub first: i32,
}

/// Copies an IDX file of images `(n_images, height, width)` of `u8`, plain or packed with gzip, exchanging the rows and
/// columns of each. What is written is packed with gzip. Returns the number of images.
///
/// ```
/// use mnist_io::{IdxArray, transpose_images};
/// use ndarray::array;
///
/// let mut lying = Vec::new();
/// IdxArray::U8(array![[[1, 2, 3], [4, 5, 6]]].into_dyn()).write_to(&mut lying)?;
/// let mut upright = Vec::new();
/// transpose_images(&lying[..], &mut upright, Some(1))?;
/// assert_eq!(IdxArray::from_bytes(&upright)?, IdxArray::U8(array![[[1, 4], [2, 5], [3, 6]]].into_dyn()));
/// # Ok::<(), mnist_io::Error>(())
/// ```
///
/// # Errors
/// `Io` where reading or writing fails; `Data` where the source is not exactly one such array, or does not hold
/// `n_images` where a number is given.
pub fn transpose_images(source: impl Read, target: impl Write, n_images: Option<usize>) -> Result<usize> {
    copy_images(source, target, n_images, true)
}

/// Copies an IDX file of images `(n_images, height, width)` of `u8`, plain or packed with gzip, as they are. What is
/// written is packed with gzip. Returns the number of images.
///
/// # Errors
/// As [`transpose_images`].
pub fn repack_images(source: impl Read, target: impl Write, n_images: Option<usize>) -> Result<usize> {
    copy_images(source, target, n_images, false)
}

fn copy_images(source: impl Read, target: impl Write, n_images: Option<usize>, transposed: bool) -> Result<usize> {
    let (mut stream, header) = open(source)?;
    let (n_found, height, width) = match (header.element, &header.shape[..]) {
        (IdxElement::U8, &[n_found, height, width]) => (n_found, height, width),
        _ => return Err(unfit(&stream, "images: an array of rank 3 of u8", &header)),
    };
    check_count(&stream, &header, n_images)?;
    let shape = if transposed { [n_found, width, height] } else { [n_found, height, width] };
    let mut encoder = idx::gzip_encoder(target);
    encoder.write_all(&idx::header_bytes(IdxElement::U8, &shape)?).map_err(idx::write_error)?;
    let mut upright = Vec::new();
    for _ in 0..n_found {
        let mut image = stream.read_bytes(height * width, &header.description)?;
        if transposed {
            upright.clear();
            upright.extend((0..width).flat_map(|x| image.iter().skip(x).step_by(width)));
            std::mem::swap(&mut image, &mut upright);
        }
        encoder.write_all(&image).map_err(idx::write_error)?;
    }
    stream.finish(&header.description, header.n_bytes as u64)?;
    encoder.finish().and_then(|mut target| target.flush()).map_err(idx::write_error)?;
    Ok(n_found)
}

/// Copies the labels of an IDX file, a list `(n_samples)` of `u8` or a table `(n_samples, n_columns)` of `i32`, plain or
/// packed with gzip, as a list of `u8` that counts the classes from 0. What is written is packed with gzip. Returns the
/// number of labels.
///
/// ```
/// use mnist_io::{IdxArray, LabelSource, convert_labels};
/// use ndarray::array;
///
/// let (mut letters, mut labels) = (Vec::new(), Vec::new());
/// IdxArray::U8(array![1, 26, 3].into_dyn()).write_to(&mut letters)?;
/// convert_labels(&letters[..], &mut labels, LabelSource { column: 0, first: 1 }, None)?;
/// assert_eq!(IdxArray::from_bytes(&labels)?, IdxArray::U8(array![0, 25, 2].into_dyn()));
/// # Ok::<(), mnist_io::Error>(())
/// ```
///
/// # Errors
/// `Io` where reading or writing fails; `Data` where the source is not exactly one such array, does not hold `n_labels`
/// where a number is given, or holds a label that is below the first class or more than 255 above it.
pub fn convert_labels(
    source: impl Read,
    target: impl Write,
    labels: LabelSource,
    n_labels: Option<usize>,
) -> Result<usize> {
    let (mut stream, header) = open(source)?;
    let expected = format!("labels: a list of u8, or a table of i32 of more than {} columns", labels.column);
    let (n_found, row_length, offset) = match (header.element, &header.shape[..]) {
        (IdxElement::U8, &[n_found]) => (n_found, 1, 0),
        (IdxElement::I32, &[n_found, n_columns]) if labels.column < n_columns => {
            (n_found, 4 * n_columns, 4 * labels.column)
        }
        _ => return Err(unfit(&stream, &expected, &header)),
    };
    check_count(&stream, &header, n_labels)?;
    let mut encoder = idx::gzip_encoder(target);
    encoder.write_all(&idx::header_bytes(IdxElement::U8, &[n_found])?).map_err(idx::write_error)?;
    for _ in 0..n_found {
        let start = stream.position();
        let row = stream.read_bytes(row_length, &header.description)?;
        let label = match &row[offset..] {
            [byte] => i32::from(*byte),
            bytes => i32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]),
        };
        let index = label.checked_sub(labels.first).and_then(|index| u8::try_from(index).ok()).ok_or_else(|| {
            let error = Error::data(
                format!("labels that count from {} and end within 256 classes", labels.first),
                label.to_string(),
                "the labels are damaged or count from another number, which must be named",
            );
            stream.locate(error, start + offset as u64)
        })?;
        encoder.write_all(&[index]).map_err(idx::write_error)?;
    }
    stream.finish(&header.description, header.n_bytes as u64)?;
    encoder.finish().and_then(|mut target| target.flush()).map_err(idx::write_error)?;
    Ok(n_found)
}

fn open<R: Read>(source: R) -> Result<(Unpacked<BufReader<R>>, Header)> {
    let mut stream = Unpacked::new(BufReader::with_capacity(64 * 1024, source), None)?;
    let header = idx::read_header(&mut stream)?;
    Ok((stream, header))
}

fn check_count<R: BufRead>(stream: &Unpacked<R>, header: &Header, n_expected: Option<usize>) -> Result<()> {
    match n_expected {
        Some(n_expected) if header.shape[0] != n_expected => {
            Err(unfit(stream, &format!("an array of {n_expected} samples"), header))
        }
        _ => Ok(()),
    }
}

fn unfit<R: BufRead>(stream: &Unpacked<R>, expected: &str, header: &Header) -> Error {
    let error = Error::data(expected, header.description.as_str(), "take another file");
    stream.locate(error, 2)
}
