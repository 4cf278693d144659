//! Damaged files: each is refused with an error that says where and why.

use crate::fixtures::{gzip, idx_bytes, noise, two_images};
use mnist_io::{ErrorKind, IdxArray, LabeledImages, digit_classes};
use std::path::Path;

/// The text of the error, which must be one about data.
fn refusal(bytes: &[u8]) -> String {
    let error = IdxArray::from_bytes(bytes).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Data, "{error}");
    error.to_string()
}

#[test]
fn a_truncated_file_is_rejected_at_every_byte() {
    for fixture in [noise(), two_images(), gzip(&noise()), gzip(&two_images())] {
        for length in 0..fixture.len() {
            let error = IdxArray::from_bytes(&fixture[..length]).expect_err("a part of a file was read");
            assert_eq!(error.kind(), ErrorKind::Data, "{length} bytes: {error}");
            let error = IdxArray::from_reader(&fixture[..length]).expect_err("a part of a stream was read");
            assert_eq!(error.kind(), ErrorKind::Data, "{length} bytes: {error}");
        }
        IdxArray::from_bytes(&fixture).unwrap();
    }
}

#[test]
fn a_flipped_bit_in_a_gzip_file_is_an_error_or_changes_nothing() {
    for plain in [noise(), two_images()] {
        let expected = IdxArray::from_bytes(&plain).unwrap();
        let packed = gzip(&plain);
        let mut n_accepted = 0;
        for bit in 0..8 * packed.len() {
            let mut damaged = packed.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            match IdxArray::from_bytes(&damaged) {
                Ok(array) => {
                    assert_eq!(array, expected, "bit {bit}");
                    n_accepted += 1;
                }
                Err(error) => assert_eq!(error.kind(), ErrorKind::Data, "bit {bit}: {error}"),
            }
        }
        // Time, flags and system in the gzip header say nothing about the content; unused bits of the last byte neither.
        assert!(n_accepted < 100, "{n_accepted} of {} bits do not matter", 8 * packed.len());
    }
}

#[test]
fn a_flipped_bit_in_a_plain_header_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let labels = write(folder.path(), "labels", &idx_bytes(&[2], &[3, 9]));
    for bit in 0..8 * 16 {
        let mut damaged = two_images();
        damaged[bit / 8] ^= 1 << (bit % 8);
        let images = write(folder.path(), "images", &damaged);
        let error = LabeledImages::load(&images, &labels, digit_classes()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Data, "bit {bit}: {error}");
        // Without a checksum, bytes cannot be told from signed bytes; every other bit is noticed by the format itself.
        let is_signed = damaged[2] == 0x09;
        assert_eq!(IdxArray::from_bytes(&damaged).is_ok(), is_signed, "bit {bit}");
    }
}

#[test]
fn damaged_files_are_refused_by_name_of_the_damage() {
    let plain = two_images();
    let packed = gzip(&plain);
    let flipped = |offset_from_end: usize| {
        let mut bytes = packed.clone();
        let offset = bytes.len() - offset_from_end;
        bytes[offset] ^= 1;
        bytes
    };
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("empty file", vec![]),
        ("empty gzip", gzip(&[])),
        ("three bytes", vec![0, 0, 8]),
        ("HTML", b"  <!DOCTYPE HTML><html><title>404</title>".to_vec()),
        ("HTML in gzip", gzip(b"<html><body>Not found")),
        ("JSON", b"{\"error\": 404}".to_vec()),
        ("LFS pointer", b"version https://git-lfs.github.com/spec/v1".to_vec()),
        ("ZIP", b"PK\x03\x04rest".to_vec()),
        ("packed twice", gzip(&packed)),
        ("wrong magic", [&[1, 0, 8, 3], &plain[4..]].concat()),
        ("wrong type", [&[0, 0, 0x0A, 3], &plain[4..]].concat()),
        ("rank 0", vec![0, 0, 8, 0, 7]),
        ("header cut off", plain[..10].to_vec()),
        ("dimension 0", idx_bytes(&[2, 0, 28], &[])),
        ("one byte short", plain[..plain.len() - 1].to_vec()),
        ("one byte long", [&plain[..], &[0]].concat()),
        ("one byte short in gzip", gzip(&plain[..plain.len() - 1])),
        ("one byte long in gzip", gzip(&[&plain[..], &[0]].concat())),
        ("wrong checksum", flipped(8)),
        ("wrong length in trailer", flipped(4)),
        ("bytes after gzip", [&packed[..], b"more"].concat()),
        ("cut off in gzip", packed[..packed.len() / 2].to_vec()),
        ("2^32-1 images", idx_bytes(&[u32::MAX, 28, 28], &plain[16..])),
        ("2^32-1 images in gzip", gzip(&idx_bytes(&[u32::MAX, 28, 28], &plain[16..]))),
        ("product overflows", idx_bytes(&[u32::MAX; 3], &[])),
    ];
    let texts: Vec<String> = cases.iter().map(|(name, bytes)| format!("{name}: {}", refusal(bytes))).collect();
    insta::assert_snapshot!(texts.join("\n"));
}

#[test]
fn a_header_with_too_many_elements_is_refused_in_a_stream_of_unknown_length() {
    for lengths in [vec![u32::MAX; 3], vec![u32::MAX; 255]] {
        let error = IdxArray::from_reader(&idx_bytes(&lengths, &[])[..]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Data, "{error}");
    }
}

fn write(folder: &Path, name: &str, bytes: &[u8]) -> std::path::PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

#[test]
fn images_and_labels_that_do_not_belong_together_are_refused() {
    insta::assert_snapshot!(refusals_of_pairs(|bytes| bytes.to_vec()));
}

#[test]
fn positions_in_packed_images_and_labels_count_unpacked_bytes() {
    insta::assert_snapshot!(refusals_of_pairs(gzip));
}

/// The texts of the errors for images and labels that do not belong together, stored as `pack` says.
fn refusals_of_pairs(pack: fn(&[u8]) -> Vec<u8>) -> String {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| write(folder.path(), name, &pack(bytes));
    let images = write("images", &two_images());
    let labels = write("labels", &idx_bytes(&[2], &[3, 9]));
    let three = write("three", &idx_bytes(&[3], &[3, 9, 1]));
    let foreign = write("foreign", &idx_bytes(&[2], &[3, 10]));
    let numbers = write("numbers", &[0, 0, 0x0C, 1, 0, 0, 0, 1, 0, 0, 0, 1]);
    LabeledImages::load(&images, &labels, digit_classes()).unwrap();
    let cases = [
        ("swapped", &labels, &images),
        ("counts differ", &images, &three),
        ("label without a class", &images, &foreign),
        ("images twice", &images, &images),
        ("labels twice", &labels, &labels),
        ("other elements", &images, &numbers),
    ];
    let texts: Vec<String> = cases
        .iter()
        .map(|(name, images, labels)| {
            let error = LabeledImages::load(images, labels, digit_classes()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Data);
            format!("{name}: {error}").replace(folder.path().to_str().unwrap(), "FOLDER")
        })
        .collect();
    texts.join("\n")
}

#[test]
fn members_of_a_gzip_file_are_one_stream_and_what_is_no_member_is_refused_at_its_beginning() {
    let plain = two_images();
    let members: Vec<Vec<u8>> = [&plain[..7], &[], &plain[7..900], &plain[900..]].map(gzip).into();
    let packed = members.concat();
    assert_eq!(IdxArray::from_bytes(&packed).unwrap(), IdxArray::from_bytes(&plain).unwrap());
    for rest in [&b"m"[..], b"more bytes than a header has", b"\x1f", b"\x1f\x8b\x07 no deflate", b"\x1f\x8b\x08"] {
        for reader in [|bytes: &[u8]| IdxArray::from_bytes(bytes), |bytes: &[u8]| IdxArray::from_reader(bytes)] {
            let error = reader(&[&packed[..], rest].concat()).unwrap_err();
            assert_eq!(error.found(), "bytes after the end of the gzip stream", "{rest:?}");
            assert_eq!(error.position(), Some(packed.len() as u64), "{rest:?}");
            assert!(!error.is_position_unpacked());
        }
    }
}

#[test]
fn what_is_no_file_is_an_io_error() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing");
    for path in [missing.as_path(), folder.path()] {
        let error = IdxArray::read(path).unwrap_err();
        assert_eq!((error.kind(), error.path()), (ErrorKind::Io, Some(path)));
    }
}

#[cfg(unix)]
#[test]
fn a_fifo_and_a_loop_of_links_are_refused_without_waiting() {
    let folder = tempfile::tempdir().unwrap();
    let fifo = folder.path().join("fifo");
    let made = std::process::Command::new("mkfifo").arg(&fifo).status().unwrap();
    assert!(made.success());
    let error = IdxArray::read(&fifo).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
    assert!(error.to_string().contains("a pipe, socket or device"), "{error}");
    let (here, there) = (folder.path().join("here"), folder.path().join("there"));
    std::os::unix::fs::symlink(&here, &there).unwrap();
    std::os::unix::fs::symlink(&there, &here).unwrap();
    assert_eq!(IdxArray::read(&here).unwrap_err().kind(), ErrorKind::Io);
    assert_eq!(mnist_io::read_image(&here).unwrap_err().kind(), ErrorKind::Io);
    assert_eq!(mnist_io::read_image(&fifo).unwrap_err().kind(), ErrorKind::Io);
}
