//! Images of digits: reading and writing IDX files, spoiling images to test a network, drawing digits when there is no
//! data set, and preparing a photo the way MNIST was prepared.
//!
//! ```
//! use mnist_io::{Disturbance, synthetic_digits};
//!
//! // LabeledImages::load_folder("datasets/mnist")? gives the real training and test sets.
//! let digits = synthetic_digits(1000, 42);
//! let some = digits.subset(100, 1);
//! assert_eq!(some.pixels().dim(), (100, 784));
//!
//! let blur: Disturbance = "gaussian-blur=1.5".parse()?;
//! let blurred = blur.apply(some.images.view(), 0)?;
//! assert_eq!(blurred.dim(), (100, 28, 28));
//! # Ok::<(), mnist_io::Error>(())
//! ```
//!
//! # The IDX format
//!
//! An IDX file is one array. All numbers in it are big-endian.
//!
//! | bytes | content | in MNIST's training images |
//! |---|---|---|
//! | 0, 1 | zero | `00 00` |
//! | 2 | type of the elements: `08` u8, `09` i8, `0B` i16, `0C` i32, `0D` f32, `0E` f64 | `08` |
//! | 3 | rank r, the number of dimensions | `03` |
//! | 4 … 3 + 4r | length of each dimension, 4 bytes each | `00 00 EA 60`, `00 00 00 1C`, `00 00 00 1C` (60000 × 28 × 28) |
//! | to the end | the elements, the last index fastest | 47,040,000 pixels |
//!
//! So a file has exactly 4 + 4r + (product of the lengths) · (size of an element) bytes, and every other length is an
//! error. MNIST is published packed with gzip, which adds a checksum. [`IdxArray`] reads and writes both:
//!
//! ```
//! use mnist_io::IdxArray;
//!
//! let bytes = [0, 0, 0x08, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6];
//! let array = IdxArray::from_bytes(&bytes)?;
//! assert_eq!(array.shape(), [2, 3]);
//! assert_eq!(array, IdxArray::U8(mnist_io::ndarray::array![[1, 2, 3], [4, 5, 6]].into_dyn()));
//!
//! // One byte less is an error that says where and what to do.
//! let error = IdxArray::from_bytes(&bytes[..17]).unwrap_err();
//! assert_eq!(error.position(), Some(17));
//! assert_eq!(
//!     error.to_string(),
//!     "byte 17: expected 6 bytes of elements for an array of 2 × 3 u8, found 5; \
//!      the header or the length is wrong: get the file again",
//! );
//! # Ok::<(), mnist_io::Error>(())
//! ```
//!
//! # What is promised
//!
//! - Bad input is an [`Error`], never a panic: truncated, damaged, swapped or foreign files, and gzip bombs.
//! - Nothing is allocated for a header before its sizes are known to fit the file; reading a file or bytes takes no more
//!   memory than the array itself and half a megabyte. The length of a stream is not known beforehand
//!   ([`IdxArray::from_reader`]): its array grows while it is read, and may take three times its size meanwhile.
//! - Every random choice follows from a seed, through ChaCha8 and pinned mathematical functions, so the same call gives the
//!   same bytes on every machine.
//! - An IDX file that is written appears under its name only when it is whole, and so does a data set; the many small files
//!   of [`export_images`] are written as they come.

#![warn(clippy::print_stdout, clippy::print_stderr, clippy::exit)]

mod blur;
mod class_folders;
mod classes_file;
mod contact_sheet;
mod convert;
mod disturbance;
mod error;
mod folder;
mod folder_kind;
mod gzip;
mod idx;
mod image_folder;
mod images;
mod jpeg;
mod note;
#[cfg(feature = "npz")]
mod npz;
#[cfg(feature = "parquet")]
mod parquet;
mod part_file;
mod photo_file;
mod pixel_table;
mod prepare;
mod random;
mod statistics;
mod synthetic;

pub use class_folders::image_files;
pub use classes_file::CLASSES_FILE;
pub use contact_sheet::ContactSheet;
pub use convert::{LabelSource, convert_labels, repack_images, transpose_images};
pub use disturbance::Disturbance;
pub use error::{Error, ErrorKind, Result};
pub use folder_kind::FolderKind;
pub use idx::{IdxArray, IdxElement};
pub use image_folder::{
    ImportOptions, ImportedImages, Preparation, SPLIT_FOLDERS, export_images, import_file, import_images,
};
pub use images::{LabeledImages, classes_in_a_line, digit_classes};
pub use note::{Note, Part};
#[cfg(feature = "npz")]
pub use npz::{parse_npz, read_npz};
#[cfg(feature = "parquet")]
pub use parquet::{parse_parquet, read_parquet};
pub use photo_file::{IMAGE_ENDINGS, parse_image, read_image};
pub use pixel_table::{parse_csv, read_csv};
pub use prepare::{
    Layout, PreparationStep, PreparedCharacter, PreparedDigit, PreparedPhoto, grey_image, prepare_digit, prepare_photo,
    prepare_photo_for_mnist, readings, write_steps,
};
pub use statistics::{Duplicates, ImageStatistics};
pub use synthetic::synthetic_digits;
pub use {image, ndarray};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
