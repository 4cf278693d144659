//! Images as tables of numbers: the CSV form in which MNIST is handed on, a row for each image with its label first.

use crate::error::{Error, Result, in_one_line};
use crate::gzip;
use crate::images::LabeledImages;
use csv::{ByteRecord, ReaderBuilder};
use ndarray::Array3;
use std::io::{self, Read};
use std::path::Path;

/// The classes of labels in their order where a table has more than ten: those of EMNIST.
const CLASSES: &str = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// What head lines call the column of labels.
const NAMES_OF_LABELS: [&[u8]; 4] = [b"label", b"class", b"target", b"y"];

/// A line of 256 × 256 pixels of three digits is shorter.
const LINE_LENGTH_MAX: usize = 1 << 18;

/// Pixels of all images together.
const N_PIXELS_MAX: usize = 2 << 30;

/// Reads a CSV file with a row for each image: the label and then the pixels, 0 to 255, row by row of a square image. A head line
/// (`label,pixel0,pixel1,…`, as Kaggle has it, or `pixel1,…,pixel784,class`, as OpenML has it) may name the column of the labels:
/// `label`, `class`, `target` or `y`; without one it is the first.
///
/// # Errors
/// `Io` where the file cannot be read; `Data`, with the line, where a row has another number of columns than the first, a number
/// is none from 0 to 255, the pixels make no square, there are no labels, or the file holds more than 2 GiB of pixels.
pub fn read_csv(path: impl AsRef<Path>) -> Result<LabeledImages> {
    let path = path.as_ref();
    let (file, _) = gzip::open(path)?;
    parse_csv(file).map_err(|error| error.in_file(path))
}

/// The same for bytes that come from anywhere.
///
/// # Errors
/// As [`read_csv`].
pub fn parse_csv(source: impl Read) -> Result<LabeledImages> {
    let source = ShortLines { source, length: 0 };
    let mut reader = ReaderBuilder::new().has_headers(false).flexible(true).from_reader(source);
    let (mut record, mut table) = (ByteRecord::new(), Table::default());
    while reader.read_byte_record(&mut record).map_err(failed)? {
        let line = record.position().map_or(0, csv::Position::line);
        table.take(&record, line)?;
    }
    table.finish()
}

#[derive(Default)]
struct Table {
    columns: Option<Columns>,
    pixels: Vec<u8>,
    labels: Vec<u8>,
}

/// What the columns of a row are.
#[derive(Clone, Copy)]
struct Columns {
    n_columns: usize,
    label: usize,
    side: usize,
}

impl Table {
    fn take(&mut self, record: &ByteRecord, line: u64) -> Result<()> {
        let columns = match self.columns {
            Some(columns) => columns,
            None => {
                let columns = columns(record, line)?;
                self.columns = Some(columns);
                if is_head(record) {
                    return Ok(());
                }
                columns
            }
        };
        if record.len() != columns.n_columns {
            return Err(in_line(
                line,
                format!("{} columns, as in the first line", columns.n_columns),
                record.len().to_string(),
            ));
        }
        if self.pixels.len() + columns.n_columns > N_PIXELS_MAX {
            return Err(in_line(line, "at most 2 GiB of pixels".to_owned(), "more".to_owned()));
        }
        for (column, field) in record.iter().enumerate() {
            let Some(value) = number(field) else {
                let found =
                    format!("{:?} in column {}", String::from_utf8_lossy(&field[..field.len().min(24)]), column + 1);
                let expected = if column == columns.label {
                    "the number of the class first, counted from 0 (words make the names of folders of pictures, or of the \
                     classes of a Parquet file)"
                } else {
                    "whole numbers from 0 to 255"
                };
                return Err(in_line(line, expected.to_owned(), found));
            };
            if column == columns.label { self.labels.push(value) } else { self.pixels.push(value) }
        }
        Ok(())
    }

    fn finish(self) -> Result<LabeledImages> {
        let (Some(columns), false) = (self.columns, self.labels.is_empty()) else {
            return Err(Error::data("rows of numbers, one for each image", "none", "take another file"));
        };
        let n_classes = self.labels.iter().max().map_or(1, |&label| usize::from(label) + 1).max(10);
        if n_classes > CLASSES.len() {
            return Err(Error::data(
                format!("labels from 0 to {}", CLASSES.len() - 1),
                (n_classes - 1).to_string(),
                "count the classes from 0",
            ));
        }
        let images = Array3::from_shape_vec((self.labels.len(), columns.side, columns.side), self.pixels)
            .expect("every row had side × side pixels");
        LabeledImages::new(images, self.labels, CLASSES.chars().take(n_classes).collect::<Vec<char>>())
    }
}

/// What the columns are, by the first line.
fn columns(first: &ByteRecord, line: u64) -> Result<Columns> {
    let n_columns = first.len();
    let is_label = |field: &[u8]| NAMES_OF_LABELS.iter().any(|name| field.trim_ascii().eq_ignore_ascii_case(name));
    let named = first.iter().position(is_label);
    let side = |n_pixels: usize| Some(n_pixels.isqrt()).filter(|side| side * side == n_pixels && *side >= 8);
    if side(n_columns).is_some() && named.is_none() {
        return Err(Error::data(
            "a column of labels and one for each pixel",
            format!("{n_columns} columns in line {line}, which are pixels alone"),
            "take the file with labels (of Kaggle's two, train.csv)",
        ));
    }
    match (side(n_columns.saturating_sub(1)), named) {
        (Some(side), Some(label)) => Ok(Columns { n_columns, label, side }),
        (Some(side), None) => Ok(Columns { n_columns, label: 0, side }),
        (None, _) => Err(in_line(
            line,
            "a label and the pixels of a square image: 785 columns for 28 × 28".to_owned(),
            format!("{n_columns} columns{}", if is_head(first) { " in the head line" } else { "" }),
        )),
    }
}

/// Whether a line names columns: by words, or by the numbers 0, 1, 2, … as pandas does where they have no names.
fn is_head(record: &ByteRecord) -> bool {
    let text = |field| std::str::from_utf8(field).unwrap_or_default().trim();
    let is_count = record.iter().enumerate().all(|(index, field)| text(field).parse() == Ok(index));
    is_count || record.iter().all(|field| text(field).parse::<f64>().is_err())
}

fn number(field: &[u8]) -> Option<u8> {
    std::str::from_utf8(field.trim_ascii()).ok()?.parse().ok()
}

fn in_line(line: u64, expected: String, found: String) -> Error {
    Error::data(expected, format!("{found} (line {line})"), "mend the file, or take another")
}

fn failed(error: csv::Error) -> Error {
    match error.into_kind() {
        csv::ErrorKind::Io(io) if io.kind() == io::ErrorKind::InvalidData => {
            Error::data("lines of numbers", in_one_line(io), "take another file")
        }
        csv::ErrorKind::Io(io) => Error::io("a file that can be read", io, "check the disk or the connection"),
        other => Error::data("a CSV file", in_one_line(format!("{other:?}")), "take another file"),
    }
}

/// Ends with an error where a line does not end: it would be gathered in memory.
struct ShortLines<R> {
    source: R,
    length: usize,
}

impl<R: Read> Read for ShortLines<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.source.read(buffer)?;
        self.length = match buffer[..n].iter().rposition(|&byte| byte == b'\n') {
            Some(place) => n - place - 1,
            None => self.length + n,
        };
        if self.length > LINE_LENGTH_MAX {
            let text = format!("a line of more than {LINE_LENGTH_MAX} bytes");
            return Err(io::Error::new(io::ErrorKind::InvalidData, text));
        }
        Ok(n)
    }
}
