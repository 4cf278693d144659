//! Any bytes as a table of numbers in a CSV file: read, or refused with an error.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mnist_io::{ErrorKind, parse_csv};

fuzz_target!(|bytes: &[u8]| {
    if let Err(error) = parse_csv(bytes) {
        assert_eq!(error.kind(), ErrorKind::Data, "{error}");
    }
});
