//! Any bytes as a Parquet file, best from a whole one on (that of the tests): read, or refused with an error.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mnist_io::{ErrorKind, parse_parquet};

fuzz_target!(|bytes: &[u8]| {
    if let Err(error) = parse_parquet(bytes.to_vec()) {
        assert_eq!(error.kind(), ErrorKind::Data, "{error}");
    }
});
