//! Images in columns: the Parquet files in which the Hugging Face hub hands on MNIST and sets like it. A row has a column `image`
//! (or `img`), a group whose `bytes` are a PNG or JPEG file, and a whole number `label`; the names of the classes stand beside
//! them, as JSON, in the file's own notes under the key `huggingface`.

mod folder;

use crate::error::{Error, Result, in_one_line};
use crate::image_folder::{Preparation, are_small_ready, image_of};
use crate::images::{LabeledImages, digit_classes};
use crate::photo_file::parse_image;
use bytes::Bytes;
use ndarray::{Array2, Array3};
use parquet::file::metadata::ParquetMetaData;
use parquet::file::reader::{ChunkReader, FileReader, SerializedFileReader};
use parquet::record::{Field, Row};
use std::fs::File;
use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

pub(crate) use folder::{import_parquet_folder, parquet_files};

/// What a file may hold, unpacked as well.
const N_BYTES_MAX: i64 = 2 << 30;

/// Pixels of all images together.
const N_PIXELS_MAX: usize = 2 << 30;

/// The names of the column of images.
const IMAGE_COLUMNS: [&str; 2] = ["image", "img"];

const LABEL_COLUMN: &str = "label";

/// What is expected of a row.
const ROW: &str = "columns `image` (a group with `bytes`) and `label` (a whole number)";

/// Reads a Parquet file with an image file and a label in each row. Images are taken pixel by pixel, as grey levels, and must
/// have one size. Classes are called as the file says, or else by their digits. Memory is bounded; the time that a file takes which
/// somebody made for that purpose is not.
///
/// # Errors
/// `Io` where the file cannot be read; `Data`, with the row where there is one, where it is no Parquet file, is cut off or packed
/// by a method other than Snappy or gzip, has no such columns, an image is none or of another size than the first, a label is
/// that of no class, or the file holds more than 2 GiB.
pub fn read_parquet(path: impl AsRef<Path>) -> Result<LabeledImages> {
    read_prepared(path.as_ref(), Preparation::Never).map(|(set, _)| set)
}

/// The same, with the images prepared as those of a folder are; and how many were.
pub(crate) fn read_prepared(path: &Path, preparation: Preparation) -> Result<(LabeledImages, usize)> {
    let file = File::open(path)
        .map_err(|error| Error::io("a file that can be read", error, "check its name").in_file(path))?;
    parse(file, preparation).map_err(|error| error.in_file(path))
}

/// The same for bytes that come from anywhere.
///
/// # Errors
/// As [`read_parquet`].
pub fn parse_parquet(bytes: Vec<u8>) -> Result<LabeledImages> {
    parse(Bytes::from(bytes), Preparation::Never).map(|(set, _)| set)
}

fn parse(source: impl ChunkReader + 'static, preparation: Preparation) -> Result<(LabeledImages, usize)> {
    guarded(|| read(source, preparation))
}

/// The library panics on some files whose parts contradict each other (its reader of records, version 60.1.0, where a value's level
/// is none that its column has): to whoever reads a file, that is an error like any other.
fn guarded<T>(read: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_| {
        Err(Error::data("a whole Parquet file", "one whose parts contradict each other", "get it again"))
    })
}

fn read(source: impl ChunkReader + 'static, preparation: Preparation) -> Result<(LabeledImages, usize)> {
    let reader = SerializedFileReader::new(source).map_err(damaged)?;
    check_size(reader.metadata())?;
    let mut rows = Vec::new();
    for (index, row) in reader.get_row_iter(None).map_err(damaged)?.enumerate() {
        rows.push(label_and_file(row.map_err(damaged)?).map_err(|error| in_row(index + 1, &error))?);
    }
    let is_small_ready =
        preparation != Preparation::Never && are_small_ready(&rows, |(_, file)| parse_image(Cursor::new(file)));
    let mut table = Table { classes: classes(reader.metadata()), ..Table::default() };
    for (index, (label, file)) in rows.into_iter().enumerate() {
        let image = parse_image(Cursor::new(file)).and_then(|photo| image_of(&photo, preparation, is_small_ready));
        image.and_then(|image| table.take(label, image)).map_err(|error| in_row(index + 1, &error))?;
    }
    let n_prepared = table.n_prepared;
    Ok((table.finish()?, n_prepared))
}

/// Refuses a file that says of itself that it unpacks to more than is taken.
fn check_size(metadata: &ParquetMetaData) -> Result<()> {
    let n_bytes = metadata.row_groups().iter().fold(0_i64, |sum, group| {
        group.columns().iter().fold(sum, |sum, column| sum.saturating_add(column.uncompressed_size().max(0)))
    });
    if n_bytes <= N_BYTES_MAX {
        return Ok(());
    }
    Err(Error::data("at most 2 GiB unpacked", format!("{n_bytes} bytes"), "take a part of it"))
}

/// The names of the classes, from what the hub's own library writes into a file.
fn classes(metadata: &ParquetMetaData) -> Option<Vec<String>> {
    let notes = metadata.file_metadata().key_value_metadata()?;
    let note = notes.iter().find(|note| note.key == "huggingface")?.value.as_deref()?;
    let note: serde_json::Value = serde_json::from_str(note).ok()?;
    let names = note.pointer("/info/features/label/names")?.as_array()?;
    names.iter().map(|name| name.as_str().map(str::to_owned)).collect()
}

#[derive(Default)]
struct Table {
    classes: Option<Vec<String>>,
    /// Height and width.
    shape: Option<(usize, usize)>,
    pixels: Vec<u8>,
    labels: Vec<u8>,
    n_prepared: usize,
}

/// The label of a row, and its image file.
fn label_and_file(row: Row) -> Result<(u8, Vec<u8>)> {
    let (mut image, mut label) = (None, None);
    for (name, field) in row.into_columns() {
        if IMAGE_COLUMNS.contains(&name.as_str()) {
            image = Some(field);
        } else if name == LABEL_COLUMN {
            label = Some(field);
        }
    }
    let (Some(image), Some(label)) = (image, label) else {
        return Err(Error::data(ROW, "none of them, or one", "take another file, or rename its columns"));
    };
    let label = whole_number(&label).ok_or_else(|| unfit("a label that is a whole number from 0 to 255", &label))?;
    Ok((label, file_bytes(image)?))
}

impl Table {
    fn take(&mut self, label: u8, (image, was_prepared): (Array2<u8>, bool)) -> Result<()> {
        let shape = *self.shape.get_or_insert(image.dim());
        if shape != image.dim() {
            let (height, width) = image.dim();
            let expected = format!("{} × {} pixels like the images before", shape.1, shape.0);
            return Err(Error::data(expected, format!("{width} × {height}"), "take another file"));
        }
        if self.pixels.len() + image.len() > N_PIXELS_MAX {
            return Err(Error::data("at most 2 GiB of pixels", "more", "take a part of them"));
        }
        self.pixels.extend(image);
        self.labels.push(label);
        self.n_prepared += usize::from(was_prepared);
        Ok(())
    }

    fn finish(self) -> Result<LabeledImages> {
        let Some((height, width)) = self.shape else {
            return Err(Error::data("rows with an image", "none", "take another file"));
        };
        let images =
            Array3::from_shape_vec((self.labels.len(), height, width), self.pixels).expect("images of one size");
        LabeledImages::new(images, self.labels, self.classes.unwrap_or_else(digit_classes))
    }
}

/// The image file in a cell.
fn file_bytes(image: Field) -> Result<Vec<u8>> {
    let bytes = match image {
        Field::Group(row) => row.into_columns().into_iter().find(|(name, _)| name == "bytes").map(|(_, field)| field),
        other => Some(other),
    };
    match bytes {
        Some(Field::Bytes(bytes)) => Ok(bytes.data().to_vec()),
        Some(Field::Null) => {
            Err(Error::data("the bytes of an image file", "a path alone", "take a file that holds its images"))
        }
        Some(other) => Err(unfit("the bytes of an image file", &other)),
        None => Err(Error::data("the bytes of an image file", "a group without any", "take another file")),
    }
}

/// A label.
fn whole_number(field: &Field) -> Option<u8> {
    match *field {
        Field::Byte(label) => label.try_into().ok(),
        Field::Short(label) => label.try_into().ok(),
        Field::Int(label) => label.try_into().ok(),
        Field::Long(label) => label.try_into().ok(),
        Field::UByte(label) => Some(label),
        Field::UShort(label) => label.try_into().ok(),
        Field::UInt(label) => label.try_into().ok(),
        Field::ULong(label) => label.try_into().ok(),
        _ => None,
    }
}

/// How much of a value is quoted.
const N_CHARACTERS_QUOTED: usize = 40;

fn unfit(expected: &str, field: &Field) -> Error {
    let found: String = in_one_line(field).chars().take(N_CHARACTERS_QUOTED).collect();
    Error::data(expected, found, "take another file")
}

fn in_row(row: usize, error: &Error) -> Error {
    Error::data(error.expected(), format!("{} (row {row})", error.found()), error.advice())
}

fn damaged(error: parquet::errors::ParquetError) -> Error {
    Error::data("a whole Parquet file, packed by Snappy, gzip or not at all", in_one_line(error), "get it again")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    #[test]
    fn what_panics_while_a_file_is_read_is_an_error() {
        let error = guarded::<()>(|| panic!("as a library does")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Data);
        assert!(error.to_string().contains("parts contradict each other"), "{error}");
        assert_eq!(guarded(|| Ok(7)).unwrap(), 7);
    }
}
