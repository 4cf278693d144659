//! Any bytes as a file: read, or refused with an error, and never more than that. What is read is written again as the
//! same bytes, and a stream of unknown length says the same as bytes in memory.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mnist_io::{ErrorKind, IdxArray, LabelSource, convert_labels, transpose_images};

fuzz_target!(|bytes: &[u8]| {
    let read = IdxArray::from_bytes(bytes);
    match (&read, IdxArray::from_reader(bytes)) {
        (Ok(array), Ok(streamed)) => {
            let (mut written, mut again) = (Vec::new(), Vec::new());
            array.write_to(&mut written).expect("what was read has a shape that fits");
            streamed.write_to(&mut again).expect("what was read has a shape that fits");
            // Compared as bytes, because a NaN is not equal to itself.
            assert_eq!(written, again);
            if !bytes.starts_with(&[0x1f, 0x8b]) {
                assert_eq!(written, bytes);
            }
        }
        (Err(error), Err(streamed)) => {
            assert_eq!(error.kind(), ErrorKind::Data, "{error}");
            assert_eq!(streamed.kind(), ErrorKind::Data, "{streamed}");
        }
        (read, streamed) => panic!("in memory {read:?}, as a stream {streamed:?}"),
    }
    // Several times the work for the same paths, so not for every input that is refused.
    if let Err(error) = &read {
        if !bytes.len().is_multiple_of(8) {
            return;
        }
        assert!(!error.to_string().is_empty());
    }
    let transposed = transpose_images(bytes, std::io::sink(), None);
    assert!(transposed.is_err() || read.is_ok(), "a copy was made of what cannot be read");
    let labels = convert_labels(bytes, std::io::sink(), LabelSource { column: 1, first: 1 }, None);
    assert!(labels.is_err() || read.is_ok(), "a copy was made of what cannot be read");
});
