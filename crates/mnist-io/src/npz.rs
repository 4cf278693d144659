//! NumPy's archives of arrays (`.npz`), as Keras hands on MNIST: `x_train`, `y_train`, `x_test` and `y_test`.

use crate::error::{Error, Result, in_one_line};
use crate::images::{LabeledImages, digit_classes};
use ndarray::Array3;
use std::fs::File;
use std::io::{BufReader, Read, Seek};
use std::path::Path;
use zip::ZipArchive;

/// The longest header that is read; NumPy's own have 118 bytes.
const HEADER_LENGTH_MAX: usize = 1 << 16;

/// The longest array that is read.
const N_BYTES_MAX: usize = 2 << 30;

/// Reads the training and the test set of a file like Keras' `mnist.npz`: images `(n, height, width)` of `u8` and labels `(n)` of
/// whole numbers from 0 to 9, little-endian.
///
/// # Errors
/// `Io` where the file cannot be read; `Data` where it is no such archive, an array is missing, cut off, of another type (arrays
/// of Python objects are refused unread) or shape, or longer than 2 GiB.
pub fn read_npz(path: impl AsRef<Path>) -> Result<(LabeledImages, LabeledImages)> {
    let path = path.as_ref();
    let file = File::open(path)
        .map_err(|error| Error::io("a file that can be read", error, "check its name").in_file(path))?;
    parse_npz(BufReader::new(file)).map_err(|error| error.in_file(path))
}

/// The same for bytes that come from anywhere.
///
/// # Errors
/// As [`read_npz`].
pub fn parse_npz(source: impl Read + Seek) -> Result<(LabeledImages, LabeledImages)> {
    let mut archive = ZipArchive::new(source)
        .map_err(|error| Error::data("an archive of NumPy arrays (.npz)", in_one_line(error), "take another file"))?;
    let train = part(&mut archive, "x_train", "y_train")?;
    let test = part(&mut archive, "x_test", "y_test")?;
    if train.images.shape()[1..] != test.images.shape()[1..] {
        let found = format!("{} × {}", test.height(), test.width());
        let expected = format!("test images of {} × {} as those to learn from", train.height(), train.width());
        return Err(Error::data(expected, found, "take another file"));
    }
    Ok((train, test))
}

fn part<R: Read + Seek>(archive: &mut ZipArchive<R>, images: &str, labels: &str) -> Result<LabeledImages> {
    let (shape, pixels) = array(archive, images)?;
    let [n, height, width] = shape[..] else {
        return Err(unfit(images, "three dimensions: images, rows, columns", format!("{} dimensions", shape.len())));
    };
    let images = Array3::from_shape_vec((n, height, width), pixels).expect("as many pixels as the header says");
    let (shape, values) = array(archive, labels)?;
    if shape != [n] {
        return Err(unfit(labels, &format!("{n} labels, one for each image"), format!("the shape {shape:?}")));
    }
    LabeledImages::new(images, values, digit_classes())
}

/// The shape of an array and its elements, each from 0 to 255.
fn array<R: Read + Seek>(archive: &mut ZipArchive<R>, name: &str) -> Result<(Vec<usize>, Vec<u8>)> {
    let file_name = format!("{name}.npy");
    let damaged = |error: &dyn std::fmt::Display| unfit(name, "a whole array", in_one_line(error.to_string()));
    let mut file = archive.by_name(&file_name).map_err(|error| match error {
        zip::result::ZipError::FileNotFound => unfit(name, "an array of this name", "none".to_owned()),
        other => damaged(&other),
    })?;
    let mut start = [0; 8];
    file.read_exact(&mut start).map_err(|error| damaged(&error))?;
    if start[..6] != *b"\x93NUMPY" {
        return Err(unfit(name, "an array in NumPy's format (.npy)", "something else".to_owned()));
    }
    let n_length_bytes = if start[6] == 1 { 2 } else { 4 };
    let mut length = [0; 4];
    file.read_exact(&mut length[..n_length_bytes]).map_err(|error| damaged(&error))?;
    let length = u32::from_le_bytes(length) as usize;
    if length > HEADER_LENGTH_MAX {
        return Err(unfit(name, "a short header", format!("one of {length} bytes")));
    }
    let mut header = vec![0; length];
    file.read_exact(&mut header).map_err(|error| damaged(&error))?;
    let header =
        Header::parse(&String::from_utf8_lossy(&header)).map_err(|(expected, found)| unfit(name, expected, found))?;
    let n_elements = header.shape.iter().try_fold(1_usize, |product, &length| product.checked_mul(length));
    let n_bytes = n_elements.and_then(|n| n.checked_mul(header.size)).filter(|&n_bytes| n_bytes <= N_BYTES_MAX);
    let Some(n_bytes) = n_bytes else {
        return Err(unfit(name, "an array of at most 2 GiB", format!("the shape {:?}", header.shape)));
    };
    // The vector grows with what is there, so a header that lies costs nothing.
    let mut values = Vec::new();
    let mut buffer = vec![0; 64 * 1024 / header.size * header.size];
    let mut n_left = n_bytes;
    while n_left > 0 {
        let n = n_left.min(buffer.len());
        file.read_exact(&mut buffer[..n]).map_err(|error| damaged(&error))?;
        for element in buffer[..n].chunks_exact(header.size) {
            // Whole numbers from 0 to 255 have zeros in all bytes but the first, whatever their type.
            if element[1..].iter().any(|&byte| byte != 0) || (header.is_signed && header.size == 1 && element[0] > 127)
            {
                return Err(unfit(name, "whole numbers from 0 to 255", "another".to_owned()));
            }
            values.push(element[0]);
        }
        n_left -= n;
    }
    if file.read(&mut [0]).map_err(|error| damaged(&error))? > 0 {
        return Err(unfit(name, "as many elements as its shape says", "more".to_owned()));
    }
    Ok((header.shape, values))
}

struct Header {
    /// Bytes of an element.
    size: usize,
    is_signed: bool,
    shape: Vec<usize>,
}

impl Header {
    /// Reads `{'descr': '|u1', 'fortran_order': False, 'shape': (60000, 28, 28), }`; or what was expected and found.
    fn parse(text: &str) -> std::result::Result<Self, (&'static str, String)> {
        let after = |key: &str| {
            let place = text.find(&format!("'{key}'"))?;
            text[place..].split_once(':').map(|(_, rest)| rest.trim_start())
        };
        let element = after("descr").and_then(|rest| rest.strip_prefix('\'')).and_then(|rest| rest.split('\'').next());
        let (size, is_signed) = match element {
            Some("|u1" | "<u1") => (1, false),
            Some("|i1" | "<i1") => (1, true),
            Some("<u2" | "<i2") => (2, false),
            Some("<u4" | "<i4") => (4, false),
            Some("<u8" | "<i8") => (8, false),
            Some(objects) if objects.contains('O') => {
                return Err(("whole numbers", "Python objects, which only a running Python can read".to_owned()));
            }
            other => return Err(("whole numbers, little-endian", format!("elements {:?}", other.unwrap_or("none")))),
        };
        if !after("fortran_order").is_some_and(|rest| rest.starts_with("False")) {
            return Err(("an array in the order of C", "another order".to_owned()));
        }
        let shape = after("shape").and_then(|rest| rest.strip_prefix('(')).and_then(|rest| rest.split_once(')'));
        let lengths = shape.map(|(inner, _)| inner.split(',').map(str::trim).filter(|length| !length.is_empty()));
        let shape = lengths.map(|lengths| lengths.map(str::parse).collect::<std::result::Result<Vec<usize>, _>>());
        match shape {
            Some(Ok(shape)) if shape.len() <= 4 => Ok(Self { size, is_signed, shape }),
            _ => Err(("a shape", "a damaged header".to_owned())),
        }
    }
}

fn unfit(name: &str, expected: &str, found: String) -> Error {
    Error::data(format!("{expected} in {name}"), found, "take another file, or save it anew with numpy.savez")
}
