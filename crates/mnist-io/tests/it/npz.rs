//! NumPy's archives; with `cargo test --workspace`, or `cargo test -p mnist-io --features npz`.

use std::io::{Cursor, Write};

use mnist_io::{ErrorKind, ImportOptions, import_file, parse_npz};

/// An array in NumPy's format.
fn npy(descr: &str, order: &str, shape: &str, elements: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': '{descr}', 'fortran_order': {order}, 'shape': {shape}, }}\n");
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(elements);
    bytes
}

fn npz(arrays: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in arrays {
        archive.start_file(format!("{name}.npy"), zip::write::SimpleFileOptions::default()).unwrap();
        archive.write_all(bytes).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

fn whole() -> Vec<(&'static str, Vec<u8>)> {
    let images = |n: u8| npy("|u1", "False", &format!("({n}, 2, 3)"), &(0..6 * n).collect::<Vec<u8>>());
    let labels = |labels: &[u64]| {
        let bytes: Vec<u8> = labels.iter().flat_map(|label| label.to_le_bytes()).collect();
        npy("<i8", "False", &format!("({},)", labels.len()), &bytes)
    };
    vec![("x_train", images(2)), ("y_train", labels(&[4, 9])), ("x_test", images(1)), ("y_test", labels(&[0]))]
}

#[test]
fn an_archive_like_that_of_keras_is_read() {
    let (train, test) = parse_npz(Cursor::new(npz(&whole()))).unwrap();
    assert_eq!((train.labels, test.labels), (vec![4, 9], vec![0]));
    assert_eq!(train.images.dim(), (2, 2, 3));
    assert_eq!(train.images.iter().copied().collect::<Vec<u8>>(), (0..12).collect::<Vec<u8>>());
}

#[test]
fn an_archive_that_is_none_is_refused_with_the_array() {
    let with = |name: &'static str, array: Vec<u8>| {
        npz(&whole()
            .into_iter()
            .map(|(other, bytes)| (other, if other == name { array.clone() } else { bytes }))
            .collect::<Vec<_>>())
    };
    let bytes = npz(&whole());
    let files = [
        Vec::new(),
        bytes[..bytes.len() / 2].to_vec(),
        npz(&whole()[..3]),
        with("x_train", npy("|O", "False", "(2, 2, 3)", &[0; 12])),
        with("x_train", npy("<f8", "False", "(2, 2, 3)", &[0; 96])),
        with("x_train", npy("|u1", "True", "(2, 2, 3)", &[0; 12])),
        with("x_train", npy("|u1", "False", "(2, 6)", &[0; 12])),
        with("x_train", npy("|u1", "False", "(2, 2, 3)", &[0; 11])),
        with("x_train", npy("|u1", "False", "(2, 2, 3)", &[0; 13])),
        with("x_train", npy("|u1", "False", "(99999999999, 28, 28)", &[])),
        with("x_train", npy("|u1", "False", "(nonsense", &[])),
        with("x_train", b"\x93NUMPY\x02\x00\xff\xff\xff\xff".to_vec()),
        with("x_train", b"GIF89a, no array".to_vec()),
        with("y_train", npy("|u1", "False", "(3,)", &[0; 3])),
        with("y_train", npy("<i4", "False", "(2,)", &[0, 1, 0, 0, 0, 0, 0, 0])),
        with("y_train", npy("|u1", "False", "(2,)", &[3, 10])),
        with("x_test", npy("|u1", "False", "(1, 3, 3)", &[0; 9])),
    ];
    let errors = files.into_iter().map(|file| parse_npz(Cursor::new(file)).unwrap_err());
    let texts: Vec<String> = errors
        .map(|error| {
            assert_eq!(error.kind(), ErrorKind::Data);
            error.to_string()
        })
        .collect();
    insta::assert_snapshot!(texts.join("\n"));
}

#[test]
fn an_archive_is_split_already() {
    let folder = tempfile::tempdir().unwrap();
    let archive = folder.path().join("mnist.npz");
    std::fs::write(&archive, npz(&whole())).unwrap();
    let imported = import_file(&archive, &ImportOptions::default()).unwrap();
    assert_eq!((imported.train.len(), imported.test.len()), (2, 1));
}
