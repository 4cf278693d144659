//! Parquet files; with `cargo test --workspace`, or `cargo test -p mnist-io --features parquet`.

use std::fs;
use std::io::Cursor;
use std::path::Path;
use std::sync::Arc;

use mnist_io::image::{DynamicImage, GrayImage, ImageFormat, Luma};
use mnist_io::{
    ErrorKind, ImportOptions, Note, Preparation, import_file, import_images, parse_parquet, synthetic_digits,
};
use parquet::data_type::{ByteArray, ByteArrayType, Int64Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;

/// The first twenty of the built-in digits, written by the library `datasets` 5.2.0 with pyarrow 26.0.1, its classes being words.
const HUB: &[u8] = include_bytes!("../data/hub.parquet");

/// The columns as the hub has them.
const SCHEMA: &str = "message schema { optional group image { optional binary bytes; optional binary path (UTF8); } optional int64 label; }";

fn png(side: u32, value: u8) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    let image = DynamicImage::from(GrayImage::from_pixel(side, side, Luma([value])));
    image.write_to(&mut bytes, ImageFormat::Png).unwrap();
    bytes.into_inner()
}

/// A file with the schema of the hub, or with columns under other names.
fn file(schema: &str, images: &[Option<Vec<u8>>], labels: &[i64]) -> Vec<u8> {
    let schema = Arc::new(parse_message_type(schema).unwrap());
    let mut bytes = Vec::new();
    let mut writer =
        SerializedFileWriter::new(&mut bytes, schema, Arc::new(WriterProperties::builder().build())).unwrap();
    let mut group = writer.next_row_group().unwrap();
    let present: Vec<ByteArray> = images.iter().flatten().map(|bytes| ByteArray::from(bytes.clone())).collect();
    let levels: Vec<i16> = images.iter().map(|image| if image.is_some() { 2 } else { 1 }).collect();
    let paths: Vec<ByteArray> = images.iter().map(|_| ByteArray::from("a.png")).collect();
    let mut n_binary = 0;
    while let Some(mut column) = group.next_column().unwrap() {
        match column.untyped() {
            parquet::column::writer::ColumnWriter::ByteArrayColumnWriter(_) => {
                let (values, levels) = match n_binary {
                    0 => (&present, levels.clone()),
                    _ => (&paths, vec![2; images.len()]),
                };
                n_binary += 1;
                column.typed::<ByteArrayType>().write_batch(values, Some(&levels), None).unwrap();
            }
            _ => {
                column.typed::<Int64Type>().write_batch(labels, Some(&vec![1; labels.len()]), None).unwrap();
            }
        }
        column.close().unwrap();
    }
    group.close().unwrap();
    writer.close().unwrap();
    bytes
}

fn whole() -> Vec<u8> {
    file(SCHEMA, &[Some(png(28, 3)), Some(png(28, 4))], &[7, 0])
}

#[test]
fn a_file_of_the_hub_is_read_with_its_classes() {
    let set = parse_parquet(HUB.to_vec()).unwrap();
    let mut digits = synthetic_digits(20, 0);
    digits.classes =
        ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"].map(str::to_owned).to_vec();
    assert_eq!(set, digits);
}

#[test]
fn without_names_classes_are_digits() {
    let set = parse_parquet(whole()).unwrap();
    assert_eq!((set.labels.as_slice(), set.classes.concat().as_str()), (&[7, 0][..], "0123456789"));
    assert_eq!((set.images[[0, 5, 5]], set.images[[1, 27, 27]]), (3, 4));
}

/// Dark on light as people draw, and of any size: prepared as the same pictures in folders are, unless they are not to be.
#[test]
fn images_are_prepared_as_those_in_folders_are() {
    let bar = |side: u32| {
        let mut bytes = Cursor::new(Vec::new());
        let is_ink = |x: u32, y: u32| (side / 4..side * 3 / 4).contains(&y) && x.abs_diff(side / 2) <= side / 12;
        let image = GrayImage::from_fn(side, side, |x, y| Luma([if is_ink(x, y) { 0 } else { 255 }]));
        DynamicImage::from(image).write_to(&mut bytes, ImageFormat::Png).unwrap();
        Some(bytes.into_inner())
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bars.parquet");
    for side in [28, 64] {
        fs::write(&path, file(SCHEMA, &[bar(side), bar(side)], &[1, 1])).unwrap();
        let imported = import_file(&path, &ImportOptions { test_share: 0.5, ..ImportOptions::default() }).unwrap();
        assert_eq!((imported.n_prepared, imported.test.images.dim()), (2, (1, 28, 28)), "{side}");
        assert!(imported.test.images[[0, 0, 0]] == 0 && imported.test.images[[0, 14, 14]] > 200);
        let as_is = ImportOptions { preparation: Preparation::Never, test_share: 0.5, seed: 0 };
        let imported = import_file(&path, &as_is).unwrap();
        assert_eq!((imported.n_prepared, imported.test.width()), (0, side as usize));
    }
}

#[test]
fn a_file_that_is_none_is_refused_with_the_row() {
    let bytes = whole();
    let one = |image: Option<Vec<u8>>, label: i64| file(SCHEMA, &[image], &[label]);
    let files = [
        Vec::new(),
        b"PAR1PAR1".to_vec(),
        bytes[..bytes.len() / 2].to_vec(),
        bytes[bytes.len() / 2..].to_vec(),
        file(SCHEMA, &[], &[]),
        file(&SCHEMA.replace("label", "digit"), &[Some(png(28, 1))], &[1]),
        file(&SCHEMA.replace("image", "drawing"), &[Some(png(28, 1))], &[1]),
        file(&SCHEMA.replace("bytes", "content"), &[Some(png(28, 1))], &[1]),
        one(None, 1),
        one(Some(b"GIF89a, no image".to_vec()), 1),
        one(Some(png(28, 1)), -1),
        one(Some(png(28, 1)), 10),
        one(Some(png(28, 1)), 1 << 40),
        file(SCHEMA, &[Some(png(28, 1)), Some(png(27, 1))], &[1, 2]),
    ];
    let errors = files.into_iter().map(|file| parse_parquet(file).unwrap_err());
    let texts: Vec<String> = errors
        .map(|error| {
            assert_eq!(error.kind(), ErrorKind::Data);
            error.to_string()
        })
        .collect();
    insta::assert_snapshot!(texts.join("\n"));
}

/// Wherever it is cut off, or a byte of it is another, it is read or refused, and nothing panics.
#[test]
fn damaged_files_are_refused_or_read() {
    for length in 0..HUB.len() {
        assert_eq!(parse_parquet(HUB[..length].to_vec()).unwrap_err().kind(), ErrorKind::Data);
    }
    for place in (0..HUB.len()).step_by(7) {
        let mut bytes = HUB.to_vec();
        bytes[place] ^= 0x55;
        if let Err(error) = parse_parquet(bytes) {
            assert_eq!(error.kind(), ErrorKind::Data, "{error}");
        }
    }
}

#[test]
fn one_file_is_split_and_two_are_split_already() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str| fs::write(folder.path().join(name), HUB).unwrap();
    let import = |path: &Path| import_images(path, &ImportOptions::default(), |_, _| {});
    write("all.parquet");
    let imported = import_file(folder.path().join("all.parquet"), &ImportOptions::default()).unwrap();
    assert_eq!(imported.train.len() + imported.test.len(), 20);
    let error = import(folder.path()).unwrap_err();
    assert!(error.to_string().contains("whose names begin with train"), "{error}");
    for name in ["train-00000-of-00002.parquet", "train-00001-of-00002.parquet", "test-00000-of-00001.parquet"] {
        write(name);
    }
    let imported = import(folder.path()).unwrap();
    assert_eq!((imported.train.len(), imported.test.len()), (40, 20));
    assert_eq!(imported.notes, [Note::FilePassedOver { path: folder.path().join("all.parquet") }]);
    assert_eq!(imported.train.classes[7], "seven");
}
